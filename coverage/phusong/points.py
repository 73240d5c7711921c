"""Millions of points to zones, exactly: a lattice of labels, and edges only where a border runs.

A cell that no border comes near answers at once; any other keeps its few edges and whether its
corner is inside. Coordinates are compared as they are, in the CRS of the zones: the lattice decides
how fast an answer is, never what it is.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyproj

from phusong.errors import CrsError
from phusong.kernels import in_threads
from phusong.points_kernels import (
    add_points,
    locate_batch,
    paint_labels,
    scan_touches,
    touch_cells,
)
from phusong.rings import list_rings
from phusong.workers import count_threads, explain_loss, send

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["PointCounts", "ZoneLocator", "count_points", "label_zones"]

METRES_PER_DEGREE = 111_320.0
BLOCK_CELLS = 32
MAX_BLOCKS = 50_000_000
CHUNKS = 16
BATCH = 250_000
# Edges this near to a cell count as touching it, in cells: far more than rounding can hide.
SLACK_CELLS = 1e-6
# Hundredths are added as int64: half of its range leaves room for one more batch.
MAX_SUM = 2.0**62

Batch = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLocator:
    """Zones made ready for points; see `label_zones`.

    Attributes
    ----------
    crs : pyproj.CRS
        Of the zones, and so of the points.
    n_zones : int
    lattice : (float, float, float)
        South-west corner and side of the cells, in units of the CRS.
    index : array of int32, shape (block rows, block columns)
        The block of 32 × 32 cells; -1 where no zone is near.
    labels : array of int32
        Cells of all blocks: a zone by rank, -1 for none, below that a cell of several answers.
    starts, candidates, edges : arrays
        Of those cells: zones (rank, corner inside, first edge, edge after the last) and edges.
    positions : array of int32, shape (n_zones,)
        Where in the layer the zone of each rank stands.
    """

    crs: pyproj.CRS
    n_zones: int
    lattice: tuple[float, float, float]
    index: np.ndarray
    labels: np.ndarray
    starts: np.ndarray
    candidates: np.ndarray
    edges: np.ndarray
    positions: np.ndarray

    def locate(self, x: np.ndarray, y: np.ndarray, *, threads: int | None = None) -> np.ndarray:
        """Return the position of the zone that each point lies in, -1 where there is none.

        Borders belong to the zone. Where zones overlap or touch, the first by key has the point.

        Parameters
        ----------
        x, y : array of float, shape (n,)
            In the zones' CRS, east and north; a point that is not finite is in no zone.
        threads : int, optional

        Returns
        -------
        array of int32, shape (n,)

        Raises
        ------
        ValueError
            If x and y differ in shape or are not of one dimension.
        """
        x, y = _coordinates(x, y)
        found = np.empty(len(x), "int32")

        def locate(first: int) -> None:
            some = slice(first, first + BATCH)
            self._locate(x[some], y[some], found[some])

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(locate, range(0, len(x), BATCH)))
        return found

    def _locate(self, x: np.ndarray, y: np.ndarray, found: np.ndarray) -> tuple[int, int]:
        return locate_batch(
            x, y, self.lattice, self.index, BLOCK_CELLS, self.labels, self.starts,
            self.candidates, self.edges, self.positions, found,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PointCounts:
    """What `count_points` counted; `n_points` = sum of `counts` + `n_outside` + `n_unplaced`.

    Attributes
    ----------
    counts : array of int64, shape (n_zones,)
    hundredths : dict of str to array of int64, shape (n_zones,)
        The sum of each value column, in hundredths of its unit.
    n_points, n_outside : int
        All points; those in no zone.
    n_unplaced : int
        Points without finite coordinates.
    n_shared : int
        Points that several zones cover, borders included; counted for the first zone alone.
    n_missing : dict of str to int
        Values that are NaN, by column, wherever their points lie; they add nothing.
    """

    counts: np.ndarray
    hundredths: dict[str, np.ndarray]
    n_points: int
    n_outside: int
    n_unplaced: int
    n_shared: int
    n_missing: dict[str, int]


def label_zones(
    zones: gpd.GeoDataFrame, *, cell_m: float = 250.0, key: str = "commune_code"
) -> ZoneLocator:
    """Make zones ready to say which of them a point lies in.

    Parameters
    ----------
    zones : GeoDataFrame
        Valid polygons or multipolygons in any CRS. In EPSG:4326 points need no reprojection; edges
        are straight lines in the CRS at hand, so that answers near a long edge depend on it.
    cell_m : float
        Side of the lattice's cells in metres (in a geographic CRS as many degrees of latitude).
    key : str
        The column whose lowest value has the points that several zones cover.

    Raises
    ------
    CrsError
        If the zones have no CRS.
    ValueError
        If `key` is no column, a zone is no polygon, or there would be too many cells.

    Examples
    --------
    >>> from shapely import box
    >>> squares = [box(0, 0, 900, 900), box(900, 0, 2000, 900)]
    >>> zones = gpd.GeoDataFrame({"commune_code": ["7", "4"]}, geometry=squares, crs="EPSG:5897")
    >>> locator = label_zones(zones)
    >>> locator.locate(np.array([10.0, 900.0, 1999.9, 2000.1]), np.array([10.0, 450.0, 1.0, 1.0]))
    array([ 0,  1,  1, -1], dtype=int32)
    """
    if zones.crs is None:
        raise CrsError("zones without a CRS: say which one it is in, such as EPSG:4326")
    if key not in zones:
        raise ValueError(f"zones have no column {key!r}; found {', '.join(map(str, zones))}")
    order = zones[key].reset_index(drop=True).sort_values(kind="stable").index.to_numpy()
    xy, ring_starts, zone_rings = list_rings(zones.geometry.to_numpy()[order])
    lattice, shape, slack = _lay_lattice(xy, zones, cell_m)
    vertices = np.linspace(0, len(xy), CHUNKS + 1)[1:-1]
    ends = np.unique(np.searchsorted(ring_starts[zone_rings], vertices))
    cuts = [0, *ends, len(zones)]

    def label(span: tuple[int, int]) -> tuple[np.ndarray, ...]:
        first, last = span
        keys, edges = touch_cells(xy, ring_starts, zone_rings, first, last, lattice, shape, slack)
        by_cell = np.argsort(keys, kind="stable")
        edges = edges[by_cell]
        return *scan_touches(keys[by_cell], shape), edges[edges >= 0]

    chunks = in_threads(label, itertools.pairwise(cuts))
    runs, borders, counts, edges = (
        np.concatenate([chunk[i] for chunk in chunks]) for i in range(4)
    )
    index = _index_blocks(runs, borders, shape)
    labels = np.full((int(index.max(initial=-1)) + 1) * BLOCK_CELLS**2, -1, "int32")
    starts, candidates, order_of_edges = _sort_candidates(runs, borders, counts, index, labels)
    edges = edges[order_of_edges]
    return ZoneLocator(
        crs=zones.crs, n_zones=len(zones), lattice=lattice, index=index, labels=labels,
        starts=starts, candidates=candidates, edges=np.hstack([xy[edges], xy[edges + 1]]),
        positions=order.astype("int32"),
    )  # fmt: skip


def count_points(
    locator: ZoneLocator,
    batches: Iterable[Batch | Callable[[], Batch]],
    *,
    x: str = "x",
    y: str = "y",
    values: Sequence[str] = (),
    threads: int | None = None,
    client: Client | None = None,
) -> PointCounts:
    """Count the points of each zone, and add their values, batch by batch.

    Values are rounded to hundredths one by one and added as whole numbers, so the answer depends
    neither on the order of the points nor on how they are cut into batches.

    Parameters
    ----------
    locator : ZoneLocator
    batches : iterable of mappings of column to array
        Such as record batches of pyarrow, data frames or dicts; they may be of any size, and only
        a few are held at a time. About 250,000 rows are best. Or functions without arguments that
        return one, called where it is counted, such as those of `io.rowgroups.list_row_groups`.
    x, y : str
        Columns of coordinates in `locator.crs`, east and north.
    values : sequence of str
        Columns to be added.
    threads : int, optional
    client : distributed.Client, optional
        Its workers count, with the same result; `threads` is then theirs to say.

    Raises
    ------
    KeyError
        If a batch lacks a column.
    ValueError
        If columns of a batch differ in length, or a value is infinite.
    OverflowError
        If sums in hundredths would leave 64 bits.
    ChildProcessError, ConnectionError
        If workers end again and again, or the scheduler goes away.

    Examples
    --------
    >>> from shapely import box
    >>> zones = gpd.GeoDataFrame({"commune_code": ["1"]}, geometry=[box(0, 0, 900, 900)],
    ...                          crs="EPSG:5897")
    >>> batch = {"x": [1.0, 2.0, 950.0], "y": [1.0, 2.0, 1.0], "mbps": [0.1, 0.2, 5.0]}
    >>> counted = count_points(label_zones(zones), [batch, batch], values=["mbps"])
    >>> counted.counts, counted.hundredths["mbps"], counted.n_outside
    (array([4]), array([60]), 2)
    """
    counts = np.zeros(locator.n_zones, "int64")
    sums = np.zeros((len(values), locator.n_zones), "int64")
    missing = np.zeros(len(values), "int64")
    n_all = np.zeros(3, "int64")
    largest = 0.0
    with _counters(locator, (x, y), tuple(values), threads, client) as (submit, n):
        for part in _in_order(submit, batches, 2 * n):
            largest += float(part[4])
            if largest > MAX_SUM:
                raise OverflowError(
                    f"sums of {list(values)} leave 64 bits: add them in larger units"
                )
            counts, sums, missing = counts + part[0], sums + part[1], missing + part[2]
            n_all = n_all + part[3]
    n_points, n_shared, n_unplaced = n_all.tolist()
    return PointCounts(
        counts=counts,
        hundredths=dict(zip(values, sums, strict=True)),
        n_points=n_points,
        n_outside=n_points - n_unplaced - int(counts.sum()),
        n_unplaced=n_unplaced,
        n_shared=n_shared,
        n_missing=dict(zip(values, missing.tolist(), strict=True)),
    )


@contextmanager
def _counters(
    locator: ZoneLocator,
    xy: tuple[str, str],
    values: tuple[str, ...],
    threads: int | None,
    client: Client | None,
) -> Iterator[tuple[Callable[[Batch | Callable[[], Batch]], Any], int]]:
    """Yield what has a batch counted and returns its future, and how many it counts at once."""
    if client is not None:
        with explain_loss(client):
            there = send(client, _same, locator)
            yield partial(send, client, _count_batch, there, xy, values), count_threads(client)
        return
    n = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(n) as pool:

        def submit(given: Batch | Callable[[], Batch]) -> Any:
            return pool.submit(_count_batch, locator, xy, values, given)

        yield submit, n


def _same(locator: ZoneLocator) -> ZoneLocator:
    return locator


def _in_order(
    submit: Callable[[Batch | Callable[[], Batch]], Any],
    batches: Iterable[Batch | Callable[[], Batch]],
    most: int,
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield the answers in the order of the batches, of which at most so many wait."""
    waiting: deque[Any] = deque()
    for batch in batches:
        waiting.append(submit(batch))
        if len(waiting) > most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _count_batch(
    locator: ZoneLocator,
    xy: tuple[str, str],
    values: tuple[str, ...],
    given: Batch | Callable[[], Batch],
) -> tuple[np.ndarray, ...]:
    """Return counts, sums and missing values, (points, shared, unplaced), and Σ |hundredths|."""
    batch = given() if callable(given) else given
    x, y = _coordinates(batch[xy[0]], batch[xy[1]])
    hundredths = np.zeros((len(values), len(x)), "int64")
    missing = np.zeros(len(values), "int64")
    largest = 0.0
    for i, name in enumerate(values):
        column = np.asarray(batch[name], dtype="float64")
        if column.shape != x.shape:
            raise ValueError(f"{name} has shape {column.shape}, the coordinates {x.shape}")
        if np.isinf(column).any():
            raise ValueError(f"{name}: infinite values cannot be added; NaN is a missing one")
        missing[i] = np.isnan(column).sum()
        rounded = np.rint(np.nan_to_num(column) * 100)
        largest = max(largest, float(np.abs(rounded).sum()))
        if largest > MAX_SUM:
            raise OverflowError(f"{name}: hundredths leave 64 bits; give it in larger units")
        hundredths[i] = rounded
    found = np.empty(len(x), "int32")
    n_shared, n_unplaced = locator._locate(x, y, found)
    counts = np.zeros(locator.n_zones, "int64")
    sums = np.zeros((len(values), locator.n_zones), "int64")
    add_points(found, hundredths, counts, sums)
    return counts, sums, missing, np.array([len(x), n_shared, n_unplaced]), np.array(largest)


def _coordinates(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.ascontiguousarray(np.asarray(axis, dtype="float64")) for axis in (x, y))
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x has shape {x.shape}, y {y.shape}; give two equal ones, (n,)")
    return x, y


def _lay_lattice(
    xy: np.ndarray, zones: gpd.GeoDataFrame, cell_m: float
) -> tuple[tuple[float, float, float], tuple[int, int], float]:
    """Return the lattice, its (rows, columns) in whole blocks, and the slack in cells."""
    if not cell_m > 0:
        raise ValueError(f"cell_m is {cell_m}; give metres above 0")
    unit_m = zones.crs.axis_info[0].unit_conversion_factor
    step = cell_m / (METRES_PER_DEGREE if zones.crs.is_geographic else unit_m)
    if not len(xy):
        return (0.0, 0.0, step), (0, 0), SLACK_CELLS
    (west, south), (east, north) = xy.min(axis=0), xy.max(axis=0)
    # a cell around all zones: nothing within the slack falls off the lattice
    rows, columns = (
        -(-(int(extent / step) + 3) // BLOCK_CELLS) for extent in (north - south, east - west)
    )
    slack = SLACK_CELLS + 8 * np.finfo(float).eps * float(np.abs(xy).max()) / step
    if rows * columns > MAX_BLOCKS or slack > 0.01:
        raise ValueError(f"cells of {cell_m} m are too small for these zones; give larger ones")
    shape = (rows * BLOCK_CELLS, columns * BLOCK_CELLS)
    return (float(west - step), float(south - step), step), shape, slack


def _index_blocks(runs: np.ndarray, borders: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Number the blocks that a zone is in or near, shape (block rows, block columns)."""
    n_rows, n_columns = shape[0] // BLOCK_CELLS, shape[1] // BLOCK_CELLS
    # +1 where runs begin, -1 after where they end: the sum from the west is positive inside
    change = np.zeros((n_rows, n_columns + 1), "int64")
    row, first, last = ((runs[:, i] - (i == 3)) // BLOCK_CELLS for i in (0, 2, 3))
    np.add.at(change, (row, first), 1)
    np.add.at(change, (row, last + 1), -1)
    is_met = np.cumsum(change, axis=1)[:, :-1] > 0
    is_met[borders[:, 0] // BLOCK_CELLS, borders[:, 2] // BLOCK_CELLS] = True
    return np.where(is_met, np.cumsum(is_met).reshape(is_met.shape) - 1, -1).astype("int32")


def _sort_candidates(
    runs: np.ndarray,
    borders: np.ndarray,
    counts: np.ndarray,
    index: np.ndarray,
    labels: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fill in the labels; return where the candidates of each cell begin, they, and their edges.

    Candidate: rank, 1 where the cell's corner is inside, first edge, edge after the last. Lower
    ranks come first. Edges are brought into the order of the candidates: neighbours in memory.
    """
    mixed, whole, n_mixed = paint_labels(runs, borders, index, BLOCK_CELLS, labels)
    near = np.column_stack([mixed, borders[:, 1], borders[:, 3], np.cumsum(counts), counts])
    nothing = np.zeros(len(whole), "int64")
    rows = np.concatenate([near, np.column_stack([whole, nothing + 1, nothing, nothing])])
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    starts = np.searchsorted(rows[:, 0], np.arange(n_mixed + 1))
    ends = np.cumsum(rows[:, 4])
    edges = np.repeat(rows[:, 3] - ends, rows[:, 4]) + np.arange(int(counts.sum()))
    candidates = np.column_stack([rows[:, 1:3], ends - rows[:, 4], ends]).astype("int32")
    return starts, candidates, edges

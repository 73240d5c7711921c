"""Millions of points to zones, exactly: a lattice of labels, and edges only where a border runs.

A cell that no border comes near answers at once; any other keeps its few edges and whether its
corner is inside. Coordinates are compared as they are, in the CRS of the zones: the lattice decides
how fast an answer is, never what it is.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj

from phusong.errors import CrsError
from phusong.kernels import in_threads
from phusong.points_kernels import (
    locate_batch,
    paint_labels,
    scan_touches,
    touch_cells,
)
from phusong.rings import list_rings

__all__ = ["ZoneLocator", "as_coordinates", "label_zones"]

METRES_PER_DEGREE = 111_320.0
BLOCK_CELLS = 32
MAX_BLOCKS = 50_000_000
CHUNKS = 16
BATCH = 250_000
# Edges this near to a cell count as touching it, in cells: far more than rounding can hide.
SLACK_CELLS = 1e-6


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
        x, y = as_coordinates(x, y)
        found = np.empty(len(x), "int32")

        def locate(first: int) -> None:
            some = slice(first, first + BATCH)
            self.locate_into(x[some], y[some], found[some])

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(locate, range(0, len(x), BATCH)))
        return found

    def locate_into(self, x: np.ndarray, y: np.ndarray, found: np.ndarray) -> tuple[int, int]:
        """Put into `found` what `locate` returns, on this thread.

        Returns
        -------
        (int, int)
            Points that several zones cover, and points without finite coordinates.
        """
        return locate_batch(
            x, y, self.lattice, self.index, BLOCK_CELLS, self.labels, self.starts,
            self.candidates, self.edges, self.positions, found,
        )  # fmt: skip


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


def as_coordinates(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y as arrays of float64, shape (n,).

    Raises
    ------
    ValueError
        If they differ in shape or are not of one dimension.
    """
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

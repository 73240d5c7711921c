"""The points of each zone, counted and added up, batch by batch, here or by workers."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from phusong.points import ZoneLocator, as_coordinates
from phusong.points_kernels import add_points
from phusong.workers import count_threads, explain_loss, send

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["PointCounts", "count_points"]

# Hundredths are added as int64: half of its range leaves room for one more batch.
MAX_SUM = 2.0**62

Batch = Mapping[str, Any]


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
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from phusong.points import label_zones
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
    x, y = as_coordinates(batch[xy[0]], batch[xy[1]])
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
    n_shared, n_unplaced = locator.locate_into(x, y, found)
    counts = np.zeros(locator.n_zones, "int64")
    sums = np.zeros((len(values), locator.n_zones), "int64")
    add_points(found, hundredths, counts, sums)
    return counts, sums, missing, np.array([len(x), n_shared, n_unplaced]), np.array(largest)

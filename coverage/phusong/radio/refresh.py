"""Servers after a few sites have changed: only the cells within their radius are computed again."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from phusong.radio.limits import ModelRangeError
from phusong.radio.sweep import EDGE, ROUND_UP, Servers, find_servers

__all__ = ["refresh_servers"]


def refresh_servers(
    before: Servers,
    ground_m: np.ndarray,
    cover_m: np.ndarray,
    *,
    old: pd.DataFrame,
    new: pd.DataFrame,
    cell_m: float,
    radius_m: float,
    receivers_every: int = 1,
    exact_m: float = 1_000.0,
    receiver_height_m: float = 1.5,
    dn: float = 45.0,
    n_threads: int = 2,
) -> Servers:
    """Return what `find_servers` gives for the new sectors, bit for bit.

    Cells farther than the radius from every changed sector, where it was and where it is, keep
    their servers; the others are swept again by all masts that reach them.

    Parameters
    ----------
    before : Servers
        `find_servers` of the old sectors on the same ground, with the same options.
    ground_m, cover_m : arrays, shape (row, col)
    old, new : DataFrame
        `sweep.SECTOR_COLUMNS`, a row a sector, of one length and order: a sector that moved or
        changed differs in its row.
    cell_m, radius_m, receivers_every, exact_m, receiver_height_m, dn, n_threads
        As given to `find_servers`.

    Raises
    ------
    ModelRangeError
        If the frames have not the same rows, or the servers are of another ground.
    """
    if not old.index.equals(new.index) or list(old.columns) != list(new.columns):
        raise ModelRangeError("sectors: old and new have not the same rows and columns")
    shape = tuple(n // receivers_every for n in ground_m.shape)
    if before.sector.shape[1:] != shape:
        raise ModelRangeError(f"servers: found {before.sector.shape[1:]} cells, expected {shape}")
    is_changed = ~((old == new) | (old.isna() & new.isna())).all(axis=1).to_numpy()
    if not is_changed.any():
        return before
    both = pd.concat([old[is_changed], new[is_changed]])
    places = both[["row", "col"]].drop_duplicates().to_numpy(int)
    is_open = _within(places, shape, receivers_every, radius_m / cell_m * ROUND_UP)
    cut, near = _cut_out(is_open, new, receivers_every, radius_m / cell_m)
    fine = tuple(slice(s.start * receivers_every, s.stop * receivers_every) for s in cut)
    there = new[near].assign(row=new["row"] - fine[0].start, col=new["col"] - fine[1].start)
    signal, sector = before.signal_dbm.copy(), before.sector.copy()
    opened = is_open[cut]
    kept = (slice(None), *cut)
    if there.empty:
        signal[kept][:, opened], sector[kept][:, opened] = np.nan, -1
        return Servers(signal_dbm=signal, sector=sector, n_points=0)
    found = find_servers(
        ground_m[fine], cover_m[fine], there, cell_m=cell_m, radius_m=radius_m,
        receivers_every=receivers_every, exact_m=exact_m, receiver_height_m=receiver_height_m,
        dn=dn, n_best=len(signal), n_threads=n_threads, is_open=opened,
    )  # fmt: skip
    number = np.append(np.flatnonzero(near), -1).astype(np.int32)
    signal[kept][:, opened] = found.signal_dbm[:, opened]
    sector[kept][:, opened] = number[found.sector[:, opened]]
    return Servers(signal_dbm=signal, sector=sector, n_points=found.n_points)


def _within(places: np.ndarray, shape: tuple[int, ...], every: int, radius: float) -> np.ndarray:
    """Return which receivers are at most so many cells from a place, shape (row, col)."""
    middle = every // 2
    rows, columns = (middle + every * np.arange(n) for n in shape)
    is_open = np.zeros(shape, bool)
    for row, column in places:
        is_open |= np.hypot(rows[:, None] - row, columns[None, :] - column) <= radius
    return is_open


def _cut_out(
    is_open: np.ndarray, sectors: pd.DataFrame, every: int, radius: float
) -> tuple[tuple[slice, slice], np.ndarray]:
    """Return the rows and columns that the open cells need, and which sectors stand there."""
    reach = math.ceil(radius / every) + EDGE
    cut = []
    is_near = np.ones(len(sectors), bool)
    for axis, name in enumerate(("row", "col")):
        at = np.flatnonzero(is_open.any(axis=1 - axis))
        start, stop = max(at[0] - reach, 0), min(at[-1] + reach + 1, is_open.shape[axis])
        cut.append(slice(start, stop))
        is_near &= sectors[name].between(start * every, stop * every - 1).to_numpy()
    return (cut[0], cut[1]), is_near

"""Servers after a few sites have changed: only the cells within their radius are computed again."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from phusong.radio.limits import ModelRangeError
from phusong.radio.serving import merge_servers
from phusong.radio.sweep import EDGE, ROUND_UP, Servers, Sweep, sweep_channels

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

    Cells that had a changed sector among their servers are swept again by all masts that reach
    them; to the others within the radius the changed sectors are offered as they are now.

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
    sweep = Sweep(
        cell_m=cell_m, receivers_every=receivers_every, radius_m=radius_m, exact_m=exact_m,
        receiver_height_m=receiver_height_m, dn=dn, n_best=len(before.sector), n_threads=n_threads,
    )  # fmt: skip
    signal, sector = before.signal_dbm.copy(), before.sector.copy()
    is_lost = np.asarray(np.isin(sector, np.flatnonzero(is_changed)).any(axis=0))
    n_points = 0
    if is_lost.any():
        window = _box(is_lost)
        found = _sweep_window(ground_m, cover_m, new, window, is_lost[window], sweep)
        lost, there = is_lost[window], (slice(None), *window)
        signal[there][:, lost] = found.signal_dbm[:, lost]
        sector[there][:, lost] = found.sector[:, lost]
        n_points += found.n_points
    is_reached = _within(new[is_changed], shape, sweep)
    if not is_reached.any():
        return Servers(signal_dbm=signal, sector=sector, n_points=n_points)
    window = _box(is_reached)
    found = _sweep_window(ground_m, cover_m, new[is_changed], window, ~is_lost[window], sweep)
    number = np.append(np.flatnonzero(is_changed), -1).astype(np.int32)[found.sector]
    there = (slice(None), *window)
    known = np.ascontiguousarray(np.where(sector[there] < 0, -np.inf, signal[there]))
    servers = np.ascontiguousarray(sector[there])
    merge_servers(known[None], servers[None], found.signal_dbm[None], number[None])
    signal[there], sector[there] = np.where(servers < 0, np.nan, known), servers
    return Servers(signal_dbm=signal, sector=sector, n_points=n_points + found.n_points)


def _sweep_window(
    ground_m: np.ndarray, cover_m: np.ndarray, sectors: pd.DataFrame,
    window: tuple[slice, slice], is_open: np.ndarray, sweep: Sweep,
) -> Servers:  # fmt: skip
    """Sweep the open receivers of a window by the sectors that reach it, on the ground around."""
    every, reach = sweep.receivers_every, math.ceil(sweep.radius_m / sweep.cell_m) + EDGE
    fine, is_near = [], np.ones(len(sectors), bool)
    for axis, name in enumerate(("row", "col")):
        start = max(window[axis].start * every - reach, 0) // every * every
        stop = min(window[axis].stop * every + reach, ground_m.shape[axis])
        fine.append(slice(start, stop))
        is_near &= sectors[name].between(start, stop - 1).to_numpy()
    near = sectors[is_near]
    if near.empty:
        shape = (sweep.n_best, *is_open.shape)
        return Servers(signal_dbm=np.full(shape, np.nan), sector=np.full(shape, -1, np.int32),
                       n_points=0)  # fmt: skip
    found = sweep_channels(
        ground_m[*fine], cover_m[*fine],
        near.assign(row=near["row"] - fine[0].start, col=near["col"] - fine[1].start),
        np.zeros(len(near), np.int64), sweep, is_open=is_open,
        window=(_shift(window[0], fine[0].start // every),
                _shift(window[1], fine[1].start // every)),
    )  # fmt: skip
    number = np.append(np.flatnonzero(is_near), -1).astype(np.int32)
    return Servers(
        signal_dbm=found.signal_dbm[0], sector=number[found.sector[0]], n_points=found.n_points
    )


def _within(sectors: pd.DataFrame, shape: tuple[int, ...], sweep: Sweep) -> np.ndarray:
    """Return which receivers are at most the radius from a mast, shape (row, col)."""
    every, radius = sweep.receivers_every, sweep.radius_m / sweep.cell_m * ROUND_UP
    rows, columns = (every // 2 + every * np.arange(n) for n in shape)
    is_open = np.zeros(shape, bool)
    for row, column in sectors[["row", "col"]].drop_duplicates().to_numpy(int):
        is_open |= np.hypot(rows[:, None] - row, columns[None, :] - column) <= radius
    return is_open


def _box(is_open: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and columns of what is open."""
    across, down = (np.flatnonzero(is_open.any(axis=axis)) for axis in (0, 1))
    return slice(int(down[0]), int(down[-1]) + 1), slice(int(across[0]), int(across[-1]) + 1)


def _shift(at: slice, by: int) -> slice:
    return slice(at.start - by, at.stop - by)

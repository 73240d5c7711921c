"""The wedges of a mast: its four sides, cut out of the raster and turned so that rays run along.

A wedge is an array [reach + m, k] of the cells k steps ahead of the mast and m aside.
"""

from __future__ import annotations

import math

import numpy as np

from phusong.kernels import kernel
from phusong.radio.serving import CHANNEL, MOST, free_space_db

__all__ = ["cut_wedge", "find_sight", "place_of", "receiver_at", "tabulate"]


@kernel
def tabulate(reach: int, cell_km: float) -> tuple[np.ndarray, np.ndarray]:
    """Return free-space losses at 1 GHz and nearest rays of the cells of a wedge.

    A wedge is a side of a mast: arrays [reach + m, k] of the cells k steps ahead and m aside.
    """
    losses_db = np.full((2 * reach + 1, reach + 1), math.inf)
    nearest = np.full((2 * reach + 1, reach + 1), 2 * reach)
    for k in range(1, reach + 1):
        for m in range(-k, k):
            losses_db[reach + m, k] = free_space_db(cell_km * math.sqrt(k * k + m * m), 1.0)
            nearest[reach + m, k] = math.floor(m * reach / k + 0.5)
    return losses_db, nearest


@kernel
def find_sight(
    side: int, reach: int, mast: np.ndarray, every: int, corner: tuple[int, int], n_rows: int,
    n_columns: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Return how many steps the served receivers lie ahead at most, and the rays that meet them.

    The rays are those from the second number up to, and without, the third.
    """
    south = corner[0] * every - int(mast[0])
    east = corner[1] * every - int(mast[1])
    souths, easts = (south, south + n_rows * every - 1), (east, east + n_columns * every - 1)
    ahead, aside = easts, souths
    if side == 1:
        ahead, aside = souths, (-easts[1], -easts[0])
    elif side == 2:
        ahead, aside = (-easts[1], -easts[0]), (-souths[1], -souths[0])
    elif side == 3:
        ahead, aside = (-souths[1], -souths[0]), easts
    near, far = max(ahead[0], 1), min(ahead[1], reach)
    if near > far:
        return 0, 0, 0
    low = aside[0] / (near if aside[0] < 0 else far)
    high = aside[1] / (near if aside[1] > 0 else far)
    # one more on either side, for the cells that a ray passes between
    first, last = math.floor(low * reach) - reach // far - 1, math.ceil(high * reach) + reach // far
    return far, min(max(first, -reach), reach), max(min(last + 2, reach), -reach)


@kernel
def cut_wedge(
    side: int, reach: int, sight: tuple[int, int, int], ground_m: np.ndarray,
    cover_m: np.ndarray, every: int, corner: tuple[int, int], cell_km: float, mast: np.ndarray,
    sectors: np.ndarray, rings_km: tuple[float, float, float], is_lazy: bool, signal: np.ndarray,
    wedge: np.ndarray,
) -> bool:  # fmt: skip
    """Copy a side of a mast, turned so that a ray goes along memory: ground, its top, and power.

    The power is what must be beaten to be among the best: +inf where no receiver is to be served,
    so that one comparison decides; without any such receiver False is returned. Only what the rays
    in sight meet is copied. One cell beyond the raster its edge goes on, for rays between two rows
    of which one is inside; farther out the ground is unknown.
    """
    row, col = int(mast[0]), int(mast[1])
    from_km = max(rings_km[0], rings_km[1])
    n_rows, n_columns = signal.shape[2:]
    is_open = False
    for m in range(-reach, reach + 1):
        first, last = _steps_in_sight(m, reach, sight)
        for k in range(first, last + 1):
            south, east = place_of(side, k, m)
            rm, cm = row + south, col + east
            wedge[2, reach + m, k] = math.inf
            inner_r = min(max(rm, 0), ground_m.shape[0] - 1)
            inner_c = min(max(cm, 0), ground_m.shape[1] - 1)
            if abs(rm - inner_r) > 1 or abs(cm - inner_c) > 1:
                wedge[0, reach + m, k] = math.nan
                continue
            wedge[0, reach + m, k] = ground_m[inner_r, inner_c]
            wedge[1, reach + m, k] = ground_m[inner_r, inner_c] + cover_m[inner_r, inner_c]
            if rm != inner_r or cm != inner_c:
                continue
            distance_km = cell_km * math.sqrt(k * k + m * m)
            if from_km <= distance_km < rings_km[2]:
                r, c = receiver_at(rm, cm, every, corner, n_rows, n_columns)
                if r >= 0:
                    beaten = _least_beaten(r, c, mast, sectors, signal) if is_lazy else -math.inf
                    wedge[2, reach + m, k] = beaten
                    is_open = is_open or beaten < math.inf
    return is_open


@kernel
def _steps_in_sight(m: int, reach: int, sight: tuple[int, int, int]) -> tuple[int, int]:
    """Return the first and the last step at which a ray in sight passes a cell m aside, or near."""
    far, low, high = sight
    first, last = max(abs(m), 1), far
    if m > 0 and high > 0:
        first = max(first, (m - 1) * reach // high - 1)
    if m < 0 and low < 0:
        first = max(first, (m + 1) * reach // low - 1)
    if low > 0:
        last = min(last, (m + 1) * reach // low + 2)
    if high < 0:
        last = min(last, (m - 1) * reach // high + 2)
    return first, last


@kernel
def _least_beaten(
    r: int, c: int, mast: np.ndarray, sectors: np.ndarray, signal: np.ndarray
) -> float:
    """Return what is to be beaten in a cell, less the mast's most, on its easiest channel."""
    last = signal.shape[1] - 1
    least, known = math.inf, -1
    for s in range(int(mast[3]), int(mast[4])):
        channel = int(sectors[s, CHANNEL])
        if channel != known:  # those of one channel mostly stand together
            known = channel
            least = min(least, signal[channel, last, r, c] - sectors[s, MOST])
    return least


@kernel
def place_of(side: int, k: int, m: int) -> tuple[int, int]:
    """Return the cell k steps ahead of a mast and m aside, in rows south and columns east."""
    if side == 0:
        return m, k
    if side == 1:
        return k, -m
    if side == 2:
        return -m, -k
    return -k, m


@kernel
def receiver_at(
    rm: int, cm: int, every: int, corner: tuple[int, int], n_rows: int, n_columns: int
) -> tuple[int, int]:
    """Return the row and column of the receiver that stands in a cell of the raster, or -1, -1."""
    r, c = rm // every, cm // every
    middle = every // 2
    if rm - r * every != middle or cm - c * every != middle:
        return -1, -1
    r, c = r - corner[0], c - corner[1]
    if r < 0 or c < 0 or r >= n_rows or c >= n_columns:
        return -1, -1
    return r, c

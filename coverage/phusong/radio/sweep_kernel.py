"""The compiled sweep: rays from each mast over a raster, and the best servers of each cell."""

from __future__ import annotations

import math

import numpy as np

from phusong.kernels import kernel
from phusong.radio.rays import NONE, fresnel_geometry, least_diffraction_db, push_hull
from phusong.radio.serving import SLACK_DB, ceiling_db, may_serve, serve
from phusong.radio.wedges import cut_wedge, find_sight, place_of, receiver_at, tabulate

__all__ = ["sweep_masts"]

SIDES = 4
ANYTHING = 1e30  # above any power, below the +inf of cells that are not to be served


@kernel
def sweep_masts(
    ground_m: np.ndarray, cover_m: np.ndarray, every: int, corner: tuple[int, int],
    cell_km: float, ae_km: float, hrg_m: float, masts: np.ndarray, sectors: np.ndarray,
    first: int, last: int, rings_km: tuple[float, float, float], is_lazy: bool,
    signal: np.ndarray, server: np.ndarray,
) -> int:  # fmt: skip
    """Add masts `first` to `last` - 1 to the best servers of each cell; return points computed.

    Parameters
    ----------
    ground_m, cover_m : arrays, shape (row, col)
        Bare ground above the sea, NaN where unknown (a ray ends there); what stands on it.
    every : int
        A receiver stands in each `every`-th cell of the raster, in both directions.
    corner : tuple of int
        Row and column, among all receivers of the raster, of the first that is served.
    cell_km, ae_km, hrg_m : float
    masts : array of float, shape (m, 6)
        Row, column, antenna height, first sector, sector after the last, ground.
    sectors : array of float, shape (s, 13)
        EIRP of a reference element (dBm), frequency (GHz), azimuth (NaN: all round), the six
        numbers of `Panel.beams`, and what `serving.NUMBER` and so on name; those of one mast stand
        together, and among these those of one band.
    rings_km : tuple of 3 float
        Receivers from the first to the last distance are served; up to the second exactly.
    is_lazy : bool
        Leave out what cannot be among the best.
    signal, server : arrays, shape (channel, n, row, col), changed
        Power (dBm, -inf at the start) and number (-1) of the n best sectors of each channel.
    """
    reach = 1 + int(rings_km[2] / cell_km)
    scratch = np.empty((5, reach + 2))
    stacks = np.empty((2, reach + 2), np.int64)
    wedge = np.empty((3, 2 * reach + 1, reach + 1))
    losses_db, nearest = tabulate(reach, cell_km)
    n_points = 0
    for i in range(first, last):
        mast = masts[i]
        if rings_km[0] < rings_km[1]:
            n_points += _serve_near(
                ground_m, cover_m, every, corner, cell_km, ae_km, hrg_m, mast, sectors, rings_km,
                is_lazy, signal, server, scratch,
            )  # fmt: skip
        if rings_km[1] >= rings_km[2]:
            continue
        for side in range(SIDES):
            sight = find_sight(side, reach, mast, every, corner, *signal.shape[2:])
            if not cut_wedge(
                side, reach, sight, ground_m, cover_m, every, corner, cell_km, mast, sectors,
                rings_km, is_lazy, signal, wedge,
            ):  # fmt: skip
                continue
            for t in range(sight[1], sight[2]):
                ceiling = ANYTHING
                if is_lazy:
                    ceiling = _find_ceiling(side, t / reach, cell_km, mast, sectors, rings_km)
                end = _find_end(t, reach, sight[0], ceiling, wedge[2], losses_db, nearest)
                n_points += _cast_ray(
                    side, t, reach, end, ceiling, wedge, losses_db, nearest, every, corner,
                    cell_km, ae_km, hrg_m, mast, sectors, is_lazy, signal, server, scratch, stacks,
                )  # fmt: skip
    return n_points


@kernel
def _find_ceiling(
    side: int, tangent: float, cell_km: float, mast: np.ndarray, sectors: np.ndarray,
    rings_km: tuple[float, float, float],
) -> float:  # fmt: skip
    """Return how near a mast comes to its most towards the cells of a ray: 0 dB or less."""
    south, east = tangent, 1.0
    if side == 1:
        south, east = 1.0, -tangent
    elif side == 2:
        south, east = -tangent, -1.0
    elif side == 3:
        south, east = -1.0, tangent
    bearing_deg = math.degrees(math.atan2(east, -south))
    near_cells = max(rings_km[0], rings_km[1]) / cell_km
    # A cell lies up to half a cell aside of its ray.
    spread_deg = math.degrees(math.atan(0.6 / max(near_cells - 1.0, 0.01)))
    return ceiling_db(mast, sectors, bearing_deg, spread_deg) + SLACK_DB


@kernel
def _find_end(
    t: int, reach: int, far: int, ceiling: float, beaten: np.ndarray, losses_db: np.ndarray,
    nearest: np.ndarray,
) -> int:  # fmt: skip
    """Return the last step of a ray at which its mast might be among the best; 0 without one."""
    tangent = t / reach
    for k in range(far, 0, -1):
        at = reach + math.floor(tangent * k + 0.5)
        if ceiling - losses_db[at, k] >= beaten[at, k] and nearest[at, k] == t:
            return k
    return 0


@kernel
def _cast_ray(
    side: int, t: int, reach: int, end: int, ceiling: float, wedge: np.ndarray,
    losses_db: np.ndarray, nearest: np.ndarray, every: int, corner: tuple[int, int],
    cell_km: float, ae_km: float, hrg_m: float, mast: np.ndarray, sectors: np.ndarray,
    is_lazy: bool, signal: np.ndarray, server: np.ndarray, scratch: np.ndarray,
    stacks: np.ndarray,
) -> int:  # fmt: skip
    """Follow one ray to its step `end` and serve the cells of which it is the nearest ray."""
    flat_m, bare_m = scratch[0], scratch[1]
    tangent = t / reach
    step_km = cell_km * math.sqrt(1.0 + tangent * tangent)
    bend = 500.0 * step_km * step_km / ae_km
    bare_m[0] = mast[5]
    hts_m = mast[5] + mast[2]
    flat_size = bare_size = n_pushed = n_points = horizon = 0
    f_low_ghz = sectors[int(mast[3]), 1]
    flat_slope = bare_slope = NONE
    v1 = v2 = 0.0
    for k in range(1, end + 1):
        b = tangent * k
        low = math.floor(b)
        share, at = b - low, reach + low
        height, top = wedge[0, at, k], wedge[1, at, k]
        if share > 0.0:
            height += share * (wedge[0, at + 1, k] - height)
            top += share * (wedge[1, at + 1, k] - top)
        if math.isnan(height):
            break
        if share >= 0.5:
            at += 1
        beaten = wedge[2, at, k]
        if ceiling - losses_db[at, k] >= beaten and nearest[at, k] == t:
            ground = wedge[0, at, k]
            south, east = place_of(side, k, at - reach)
            distance_km = cell_km * math.sqrt(south * south + east * east)
            rise_m = ground + hrg_m - hts_m
            r, c = receiver_at(
                int(mast[0]) + south, int(mast[1]) + east, every, corner, *signal.shape[2:]
            )
            least_db = 0.0
            if is_lazy and horizon > 0:
                slope = flat_slope + bend * k - rise_m / k
                least_db = least_diffraction_db(k, horizon, slope, step_km, f_low_ghz)
            if not is_lazy or (
                ceiling - losses_db[at, k] - least_db >= beaten
                and may_serve(
                    r, c, south, east, distance_km, rise_m, mast, sectors, signal, least_db
                )
            ):
                for j in range(n_pushed + 1, k):  # only now: many a ray is never asked again
                    flat_size = push_hull(stacks[0], flat_size, flat_m, j)
                    bare_size = push_hull(stacks[1], bare_size, bare_m, j)
                    more = bare_m[j] * (3 * j - 1) + bare_m[j - 1] * (3 * j - 2)
                    v1 += step_km * (bare_m[j] + bare_m[j - 1])
                    v2 += step_km * step_km * more
                n_pushed = k - 1
                geometry = fresnel_geometry(
                    k, step_km, ae_km, hts_m, ground, hrg_m, flat_m, stacks[0], flat_size,
                    flat_slope, bare_m, stacks[1], bare_size, bare_slope, v1, v2,
                )  # fmt: skip
                n_points += 1
                serve(
                    r, c, south, east, k * step_km, distance_km, ae_km, hts_m, ground + hrg_m,
                    mast, sectors, geometry, is_lazy, signal, server, scratch, 0,
                )  # fmt: skip
        bare_m[k] = height
        flat_m[k] = top - bend * k * k
        slope = (flat_m[k] - hts_m) / k
        if slope > flat_slope:
            flat_slope, horizon = slope, k
        bare_slope = max(bare_slope, (height - hts_m) / k)
    return n_points


@kernel
def _serve_near(
    ground_m: np.ndarray, cover_m: np.ndarray, every: int, corner: tuple[int, int],
    cell_km: float, ae_km: float, hrg_m: float, mast: np.ndarray, sectors: np.ndarray,
    rings_km: tuple[float, float, float], is_lazy: bool, signal: np.ndarray, server: np.ndarray,
    scratch: np.ndarray,
) -> int:  # fmt: skip
    """Serve the cells around a mast, each by a profile of its own."""
    row, col = int(mast[0]), int(mast[1])
    to_km = min(rings_km[1], rings_km[2])
    reach = int(to_km / cell_km) + 1
    n_points = 0
    n_rows, n_columns = signal.shape[2:]
    top, left = corner[0] * every, corner[1] * every
    hts_m = ground_m[row, col] + mast[2]
    for rm in range(max(row - reach, top), min(row + reach + 1, top + every * n_rows)):
        for cm in range(max(col - reach, left), min(col + reach + 1, left + every * n_columns)):
            r, c = receiver_at(rm, cm, every, corner, n_rows, n_columns)
            if r < 0:
                continue
            distance_km = max(cell_km * math.hypot(rm - row, cm - col), 0.5 * cell_km)
            if not rings_km[0] <= distance_km < to_km:
                continue
            rise_m = ground_m[rm, cm] + hrg_m - hts_m
            if is_lazy and not may_serve(
                r, c, rm - row, cm - col, distance_km, rise_m, mast, sectors, signal, 0.0
            ):
                continue
            n = _sample(ground_m, cover_m, row, col, rm, cm, distance_km, scratch)
            if n == 0:
                continue
            n_points += 1
            serve(
                r, c, rm - row, cm - col, distance_km, distance_km, ae_km, hts_m,
                ground_m[rm, cm] + hrg_m, mast, sectors, (0.0, 0.0, 0.0, 0.0), is_lazy, signal,
                server, scratch, n,
            )  # fmt: skip
    return n_points


@kernel
def _sample(
    ground_m: np.ndarray, cover_m: np.ndarray, row: int, col: int, rm: int, cm: int,
    distance_km: float, scratch: np.ndarray,
) -> int:  # fmt: skip
    """Write the profile between two cells to rows 2 to 4; return its points, 0 with a void in it.

    A step leads to the next row or column, whichever lie farther apart; the other is interpolated.
    """
    steps = max(abs(rm - row), abs(cm - col), 1)
    for j in range(steps + 1):
        # from the mast, so that rounding does not depend on where the raster begins
        south, east = (rm - row) * j / steps, (cm - col) * j / steps
        share = max(south - math.floor(south), east - math.floor(east))
        r0, c0 = row + math.floor(south), col + math.floor(east)
        r1, c1 = row + math.ceil(south), col + math.ceil(east)
        scratch[2, j] = distance_km * j / steps
        scratch[3, j] = (1.0 - share) * ground_m[r0, c0] + share * ground_m[r1, c1]
        scratch[4, j] = (1.0 - share) * cover_m[r0, c0] + share * cover_m[r1, c1]
        if math.isnan(scratch[3, j]):
            return 0
    return steps + 1

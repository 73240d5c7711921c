"""The best servers of a cell: what a sector could send there at most, and what it does send."""

from __future__ import annotations

import math

import numpy as np

from phusong.kernels import kernel
from phusong.radio.antenna import panel_db
from phusong.radio.diffraction import corrected_db, spherical_earth_db
from phusong.radio.p1812_kernel import median_diffraction_db

__all__ = [
    "CHANNEL", "LEAD", "MOST", "NUMBER", "SLACK_DB", "ceiling_db", "free_space_db", "may_serve",
    "merge_servers", "serve",
]  # fmt: skip

SLACK_DB = 1e-9  # more than rounding, less than anything that matters
# Columns of the sectors, after EIRP, frequency, azimuth and the six numbers of a panel: the
# sector's number, its channel, its power 1 km away less 92.4 dB, and the most of these that its
# mast has on that channel.
NUMBER, CHANNEL, LEAD, MOST = 9, 10, 11, 12


@kernel
def free_space_db(slant_km: float, f_ghz: float) -> float:
    """Return the loss in free space, P.1812-7, equation (8)."""
    return 92.4 + 20.0 * math.log10(f_ghz * slant_km)


@kernel
def ceiling_db(
    mast: np.ndarray, sectors: np.ndarray, bearing_deg: float, spread_deg: float
) -> float:
    """Return how near a mast comes to its most on any channel, near a bearing: 0 or less.

    With the `MOST` of its channel, less `free_space_db(distance, 1.0)`, it is an upper bound of
    any sector's power at a distance. Across a panel that leans mechanically no bound is made: it
    is taken at its best.
    """
    ceiling = -math.inf
    for s in range(int(mast[3]), int(mast[4])):
        power = sectors[s, LEAD] - sectors[s, MOST]
        if not math.isnan(sectors[s, 2]) and sectors[s, 6] == 0.0:
            offset = abs((bearing_deg - sectors[s, 2] + 180.0) % 360.0 - 180.0)
            across = max(offset - spread_deg, 0.0) / sectors[s, 3]
            power -= min(12.0 * across * across, sectors[s, 7])
        ceiling = max(ceiling, power)
    return ceiling


@kernel
def _direction(south: int, east: int, distance_km: float, rise_km: float) -> tuple[float, float]:
    """Return the bearing and the elevation of a receiver as its mast sees it, in degrees."""
    bearing_deg = math.degrees(math.atan2(east, -south))
    return bearing_deg, math.degrees(math.atan2(rise_km, distance_km))


@kernel
def _sent_dbm(
    sector: np.ndarray, free_db: float, bearing_deg: float, elevation_deg: float
) -> float:
    """Return what a sector would send to a receiver through free space (its loss at 1 GHz)."""
    power = sector[LEAD] - free_db
    if math.isnan(sector[2]):
        return power
    beams = (sector[3], sector[4], sector[5], sector[6], sector[7], sector[8])
    return power + panel_db(bearing_deg - sector[2], elevation_deg, beams)


@kernel
def may_serve(
    r: int, c: int, south: int, east: int, distance_km: float, rise_m: float, mast: np.ndarray,
    sectors: np.ndarray, signal: np.ndarray, least_db: float,
) -> bool:  # fmt: skip
    """Say whether any sector of a mast could be among the best of a cell, losing only so much."""
    rise_km = rise_m / 1000.0
    slant_km = math.sqrt(distance_km * distance_km + rise_km * rise_km)
    bearing, elevation = _direction(south, east, distance_km, rise_km)
    free_db = free_space_db(slant_km, 1.0)
    last = signal.shape[1] - 1
    for s in range(int(mast[3]), int(mast[4])):
        beaten = signal[int(sectors[s, CHANNEL]), last, r, c] + least_db - SLACK_DB
        if _sent_dbm(sectors[s], free_db, bearing, elevation) >= beaten:
            return True
    return False


@kernel
def serve(
    r: int, c: int, south: int, east: int, d_km: float, distance_km: float, ae_km: float,
    hts_m: float, hrs_m: float, mast: np.ndarray, sectors: np.ndarray,
    geometry: tuple[float, float, float, float], is_lazy: bool, signal: np.ndarray,
    server: np.ndarray, scratch: np.ndarray, n: int,
) -> None:  # fmt: skip
    """Offer each sector of a mast to one cell.

    Its diffraction is that of `geometry` (see `fresnel_geometry`) over `d_km`; or, with `n` > 0,
    that of a profile of n points in rows 2 to 4 of `scratch`.
    """
    rise_km = (hrs_m - hts_m) / 1000.0
    slant_km = math.sqrt(distance_km * distance_km + rise_km * rise_km)
    bearing, elevation = _direction(south, east, distance_km, rise_km)
    free_db = free_space_db(slant_km, 1.0)
    last = signal.shape[1] - 1
    f_known, diffraction_db = -1.0, 0.0
    for s in range(int(mast[3]), int(mast[4])):
        channel = int(sectors[s, CHANNEL])
        power = _sent_dbm(sectors[s], free_db, bearing, elevation)
        if is_lazy and power < signal[channel, last, r, c] - SLACK_DB:
            continue
        f_ghz = sectors[s, 1]
        if f_ghz != f_known:
            f_known = f_ghz
            diffraction_db = _diffraction_db(d_km, ae_km, hts_m, hrs_m, f_ghz, geometry, scratch, n)
        _offer(power - diffraction_db, int(sectors[s, NUMBER]), channel, r, c, signal, server)


@kernel
def _diffraction_db(
    d_km: float, ae_km: float, hts_m: float, hrs_m: float, f_ghz: float,
    geometry: tuple[float, float, float, float], scratch: np.ndarray, n: int,
) -> float:  # fmt: skip
    if n == 2:
        return 0.0  # the neighbour of a mast: no point between
    if n > 0:
        return median_diffraction_db(
            scratch[2, :n], scratch[3, :n], scratch[4, :n], hts_m, hrs_m, ae_km, f_ghz
        )
    nu, nu_smooth, hte_m, hre_m = geometry
    root = math.sqrt(f_ghz)
    profile_db = corrected_db(nu * root, d_km)
    smooth_db = corrected_db(nu_smooth * root, d_km)
    earth_db = spherical_earth_db(d_km, hte_m, hre_m, ae_km, f_ghz, True, 0.0)
    return profile_db + max(earth_db - smooth_db, 0.0)


@kernel
def _offer(
    power: float, s: int, h: int, r: int, c: int, signal: np.ndarray, server: np.ndarray
) -> None:
    """Put a sector among the best of a channel in a cell; the lower number wins a tie."""
    i = signal.shape[1] - 1
    if not _beats(power, s, signal[h, i, r, c], server[h, i, r, c]):
        return
    while i > 0 and _beats(power, s, signal[h, i - 1, r, c], server[h, i - 1, r, c]):
        signal[h, i, r, c], server[h, i, r, c] = signal[h, i - 1, r, c], server[h, i - 1, r, c]
        i -= 1
    signal[h, i, r, c], server[h, i, r, c] = power, s


@kernel
def _beats(power: float, s: int, other: float, other_s: int) -> bool:
    return power > other or (power == other and (other_s < 0 or s < other_s))


@kernel
def merge_servers(
    signal: np.ndarray, server: np.ndarray, more_signal: np.ndarray, more_server: np.ndarray
) -> None:
    """Add the best of one worker to those of another, in place; each sector counts once."""
    n_channels, n_best, n_rows, n_columns = signal.shape
    for at in range(n_channels * n_rows * n_columns):
        h, cell = at // (n_rows * n_columns), at % (n_rows * n_columns)
        r, c = cell // n_columns, cell % n_columns
        for i in range(n_best):
            s = more_server[h, i, r, c]
            is_new = s >= 0
            for j in range(n_best):
                is_new = is_new and server[h, j, r, c] != s
            if is_new:
                _offer(more_signal[h, i, r, c], s, h, r, c, signal, server)

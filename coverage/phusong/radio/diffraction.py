"""Diffraction by terrain and a smooth Earth: the delta-Bullington model (ITU-R P.1812-7, §4.3).

Heights in metres, distances in km, frequencies in GHz, effective Earth radii in km. A profile is
two arrays: distances from the transmitter, the first 0, and heights above sea level.
"""

from __future__ import annotations

import math

import numpy as np

from phusong.kernels import kernel

__all__ = [
    "bullington_db",
    "bullington_edge",
    "corrected_db",
    "knife_edge_db",
    "spherical_earth_db",
]

C_M_GHZ = 0.2998  # the speed of light as P.1812 rounds it: wavelength_m = 0.2998 / f_ghz


@kernel
def knife_edge_db(nu: float) -> float:
    """Return the loss of one knife edge, J(ν): P.1812-7, equation (12).

    Examples
    --------
    >>> round(knife_edge_db(0.0), 2), knife_edge_db(-0.8)
    (6.03, 0.0)
    """
    if nu <= -0.78:
        return 0.0
    x = nu - 0.1
    return 6.9 + 20.0 * math.log10(math.sqrt(x * x + 1.0) + x)


@kernel
def bullington_db(
    d_km: np.ndarray, h_m: np.ndarray, clutter_m: np.ndarray, relief: float, hts_m: float,
    hrs_m: float, ae_km: float, f_ghz: float,
) -> float:  # fmt: skip
    """Return the Bullington loss of a profile: P.1812-7, §4.3.1, equations (13) to (21).

    Parameters
    ----------
    d_km, h_m, clutter_m : arrays, shape (n,)
        The profile, curvature of the Earth apart, and what stands on it; its ends are the
        terminals' ground and obstruct nothing.
    relief : float
        1 for the profile as it is, 0 for a smooth Earth at height 0 under the same distances.
    hts_m, hrs_m : float
        Heights of the antennas, above the same level as `h_m`.
    ae_km : float
        Effective radius of the Earth.
    f_ghz : float

    Returns
    -------
    float
        dB.
    """
    nu, _, _ = bullington_edge(d_km, h_m, clutter_m, relief, hts_m, hrs_m, ae_km, f_ghz)
    return corrected_db(nu, d_km[len(d_km) - 1])


@kernel
def corrected_db(nu: float, d_km: float) -> float:
    """Return Bullington's loss from the ν of his edge and the path's length: equation (21)."""
    loss_db = knife_edge_db(nu)
    return loss_db + (1.0 - math.exp(-loss_db / 6.0)) * (10.0 + 0.02 * d_km)


@kernel
def bullington_edge(
    d_km: np.ndarray, h_m: np.ndarray, clutter_m: np.ndarray, relief: float, hts_m: float,
    hrs_m: float, ae_km: float, f_ghz: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Return ν, place (km) and height (m) of the one edge that stands for the whole profile.

    Without line of sight it is where the horizon rays of both antennas cross, otherwise the point
    of the profile with the largest ν; its height counts the bulge of the Earth above the chord.
    """
    n = len(d_km)
    total = d_km[n - 1]
    bulge = 500.0 / ae_km
    slope_t, slope_r = -1e30, -1e30
    for i in range(1, n - 1):
        back = total - d_km[i]
        height = relief * (h_m[i] + clutter_m[i]) + bulge * d_km[i] * back
        slope_t = max(slope_t, (height - hts_m) / d_km[i])
        slope_r = max(slope_r, (height - hrs_m) / back)
    if slope_t > (hrs_m - hts_m) / total:
        at = (hrs_m - hts_m + slope_r * total) / (slope_t + slope_r)
        at = min(max(at, d_km[1]), d_km[n - 2])  # where it is, but for rounding at grazing
        height = hts_m + slope_t * at
        return _edge_nu(height, at, total - at, hts_m, hrs_m, f_ghz), at, height
    largest, at, top = -1e30, d_km[1], 0.0
    for i in range(1, n - 1):
        back = total - d_km[i]
        height = relief * (h_m[i] + clutter_m[i]) + bulge * d_km[i] * back
        nu = _edge_nu(height, d_km[i], back, hts_m, hrs_m, f_ghz)
        if nu > largest:
            largest, at, top = nu, d_km[i], height
    return largest, at, top


@kernel
def _edge_nu(
    height_m: float, d1_km: float, d2_km: float, hts_m: float, hrs_m: float, f_ghz: float
) -> float:
    """Return the diffraction parameter ν of an edge between two antennas."""
    total = d1_km + d2_km
    over_m = height_m - (hts_m * d2_km + hrs_m * d1_km) / total
    return over_m * math.sqrt(0.002 * total * f_ghz / (C_M_GHZ * d1_km * d2_km))


@kernel
def spherical_earth_db(
    d_km: float, hte_m: float, hre_m: float, ap_km: float, f_ghz: float, is_vertical: bool,
    share_sea: float,
) -> float:  # fmt: skip
    """Return the diffraction loss of a smooth Earth: P.1812-7, §4.3.2, equations (22) to (27).

    Parameters
    ----------
    d_km : float
    hte_m, hre_m : float
        Heights of the antennas above the smooth Earth.
    ap_km : float
        Effective radius of the Earth.
    f_ghz : float
    is_vertical : bool
        Polarisation.
    share_sea : float
        Share of the path over water, 0 to 1.

    Returns
    -------
    float
        dB, never negative.
    """
    wavelength_m = C_M_GHZ / f_ghz
    d_los_km = math.sqrt(2.0 * ap_km) * (math.sqrt(0.001 * hte_m) + math.sqrt(0.001 * hre_m))
    if d_km >= d_los_km:
        return _first_term_db(d_km, hte_m, hre_m, ap_km, f_ghz, is_vertical, share_sea)
    c = (hte_m - hre_m) / (hte_m + hre_m)
    m = 250.0 * d_km * d_km / (ap_km * (hte_m + hre_m))
    angle = math.acos(1.5 * c * math.sqrt(3.0 * m / (m + 1.0) ** 3))
    b = 2.0 * math.sqrt((m + 1.0) / (3.0 * m)) * math.cos((math.pi + angle) / 3.0)
    d1_km = 0.5 * d_km * (1.0 + b)
    d2_km = d_km - d1_km
    clearance_m = (
        (hte_m - 500.0 * d1_km * d1_km / ap_km) * d2_km
        + (hre_m - 500.0 * d2_km * d2_km / ap_km) * d1_km
    ) / d_km
    required_m = 17.456 * math.sqrt(d1_km * d2_km * wavelength_m / d_km)
    if clearance_m > required_m:
        return 0.0
    aem_km = 500.0 * (d_km / (math.sqrt(hte_m) + math.sqrt(hre_m))) ** 2
    loss_db = _first_term_db(d_km, hte_m, hre_m, aem_km, f_ghz, is_vertical, share_sea)
    return max((1.0 - clearance_m / required_m) * loss_db, 0.0)


@kernel
def _first_term_db(
    d_km: float, hte_m: float, hre_m: float, a_km: float, f_ghz: float, is_vertical: bool,
    share_sea: float,
) -> float:  # fmt: skip
    """Return the first term of the residue series over land and sea: equations (28) to (36)."""
    loss_db = 0.0
    if share_sea < 1.0:
        land = _ground_term_db(d_km, hte_m, hre_m, a_km, f_ghz, is_vertical, 22.0, 0.003)
        loss_db += (1.0 - share_sea) * land
    if share_sea > 0.0:
        sea = _ground_term_db(d_km, hte_m, hre_m, a_km, f_ghz, is_vertical, 80.0, 5.0)
        loss_db += share_sea * sea
    return loss_db


@kernel
def _ground_term_db(
    d_km: float, hte_m: float, hre_m: float, a_km: float, f_ghz: float, is_vertical: bool,
    permittivity: float, conductivity: float,
) -> float:  # fmt: skip
    loss_squared = (18.0 * conductivity / f_ghz) ** 2
    unit = (a_km * f_ghz) ** (-1.0 / 3.0)  # the one cube root of (30), (33) and (36)
    k = 0.036 * unit / math.sqrt(math.sqrt((permittivity - 1.0) ** 2 + loss_squared))
    if is_vertical:
        k *= math.sqrt(permittivity * permittivity + loss_squared)
    k2 = k * k
    beta = (1.0 + 1.6 * k2 + 0.67 * k2 * k2) / (1.0 + 4.5 * k2 + 1.53 * k2 * k2)
    x = 21.88 * beta * f_ghz * unit * unit * d_km
    height_unit = 0.9575 * beta * f_ghz * unit
    if x >= 1.6:
        distance_db = 11.0 + 10.0 * math.log10(x) - 17.6 * x
    else:
        distance_db = -20.0 * math.log10(x) - 5.6488 * x**1.425
    return (
        -distance_db
        - _height_gain_db(height_unit * hte_m, beta, k)
        - _height_gain_db(height_unit * hre_m, beta, k)
    )


@kernel
def _height_gain_db(y: float, beta: float, k: float) -> float:
    b = beta * y
    if b > 2.0:
        gain_db = 17.6 * math.sqrt(b - 1.1) - 5.0 * math.log10(b - 1.1) - 8.0
    else:
        gain_db = 20.0 * math.log10(b + 0.1 * b**3)
    return max(gain_db, 2.0 + 20.0 * math.log10(k))

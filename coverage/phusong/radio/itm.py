"""NTIA's Irregular Terrain Model (Longley-Rice) 1.4, 20 MHz to 20 GHz: a second opinion."""

from __future__ import annotations

import cmath
import math
from typing import NamedTuple

import numpy as np

from phusong.kernels import kernel
from phusong.radio.itm_reference import reference_attenuation_db
from phusong.radio.itm_terrain import area_geometry, profile_geometry
from phusong.radio.itm_variability import quantile_attenuation_db
from phusong.radio.limits import ModelRangeError, require_choice, require_within

__all__ = ["ItmLink", "ItmLoss", "itm_area_loss", "itm_loss"]

SOURCE = "NTIA ITM 1.4 and NTIA Report 82-100, §2"
CLIMATES = (1, 2, 3, 4, 5, 6, 7)
MODES = tuple(base + more for more in (0, 10, 20, 30) for base in (0, 1, 2, 3))
SITINGS = (0, 1, 2)


class ItmLink(NamedTuple):
    """What ITM asks of a link besides its terrain.

    `climate` is 1 equatorial, 2 continental subtropical, 3 maritime subtropical, 4 desert,
    5 continental temperate, 6 maritime temperate over land, 7 over sea; northern Vietnam's is 2.
    `n0` is the surface refractivity reduced to sea level (N-units); ground constants are those of
    average ground. `mode` is 0 single message, 1 accidental, 2 mobile, 3 broadcast; 10 more
    without variability of locations, 20 more without that of situations. The last three are the
    percentages of times, locations and situations for which the loss is not exceeded.
    """

    f_mhz: float
    h_tx_m: float
    h_rx_m: float
    is_vertical: bool = True
    climate: int = 2
    n0: float = 330.0
    permittivity: float = 15.0
    conductivity_s_m: float = 0.005
    mode: int = 12
    time_pct: float = 50.0
    location_pct: float = 50.0
    situation_pct: float = 50.0


class ItmLoss(NamedTuple):
    """The loss in dB with its parts, and what the terrain came to."""

    lb_db: float
    free_space_db: float
    reference_db: float
    theta_tx_rad: float
    theta_rx_rad: float
    horizon_tx_m: float
    horizon_rx_m: float
    effective_tx_m: float
    effective_rx_m: float
    delta_h_m: float


def itm_loss(h_m: np.ndarray, step_m: float, *, link: ItmLink) -> ItmLoss:
    """Return the basic transmission loss of a terrain profile: ITM, point-to-point.

    Parameters
    ----------
    h_m : array, shape (n,)
        Ground above sea level at even steps, from the transmitter to the receiver.
    step_m : float
        > 0; the whole path 1 to 2,000 km.
    link : ItmLink

    Returns
    -------
    ItmLoss

    Raises
    ------
    ModelRangeError
        If a number is outside the model's ranges, which it would merely warn of or refuse.

    Examples
    --------
    >>> link = ItmLink(f_mhz=900.0, h_tx_m=30.0, h_rx_m=1.5)
    >>> flat = itm_loss(np.zeros(101), 100.0, link=link)
    >>> ridge = itm_loss(np.where(np.arange(101) == 50, 80.0, 0.0), 100.0, link=link)
    >>> round(flat.free_space_db, 1), ridge.lb_db > flat.lb_db + 10.0
    (111.5, True)
    """
    h_m = np.ascontiguousarray(h_m, float)
    if h_m.ndim != 1 or len(h_m) < 3:
        raise ModelRangeError(f"h_m: found shape {h_m.shape}, expected at least 3 heights")
    require_within("h_m", h_m, -500.0, 9000.0, source="heights on Earth, metres above the sea")
    require_within("step_m", step_m, 1e-3, 1e6, source=SOURCE)
    distance_m = (len(h_m) - 1) * step_m
    _require_link(link, distance_m)
    tenth = int(0.1 * (len(h_m) - 1))
    above_sea_m = float(h_m[tenth : len(h_m) - tenth].mean())
    ns = link.n0 * math.exp(-above_sea_m / 9460.0)
    ae_m = _earth_m(ns)
    geometry = profile_geometry(h_m, step_m, link.h_tx_m, link.h_rx_m, ae_m)
    return _finish(distance_m, link, geometry, ae_m, ns, is_profile=True)


def itm_area_loss(
    distance_km: float, *, delta_h_m: float, link: ItmLink, siting: tuple[int, int] = (0, 0)
) -> ItmLoss:
    """Return the basic transmission loss over terrain known only by its roughness: ITM, area mode.

    Parameters
    ----------
    distance_km : float
        1 to 2,000.
    delta_h_m : float
        Interdecile range of the terrain: about 0 for water, 30 for plains, 90 for hills, 200 for
        mountains, 500 for rugged ones.
    link : ItmLink
    siting : tuple of two {0, 1, 2}
        How the places of transmitter and receiver are chosen: at random, with care, with great
        care.

    Raises
    ------
    ModelRangeError
        If a number is outside the model's ranges.

    Examples
    --------
    >>> link = ItmLink(f_mhz=3500.0, h_tx_m=15.0, h_rx_m=3.0, climate=5, n0=301.0, mode=1)
    >>> round(itm_area_loss(10.0, delta_h_m=20.0, link=link).lb_db, 1)
    134.5
    """
    require_within("delta_h_m", delta_h_m, 0.0, 5000.0, source=SOURCE)
    _require_link(link, 1000.0 * distance_km)
    for end in siting:
        require_choice("siting", end, SITINGS, source=SOURCE)
    ae_m = _earth_m(link.n0)
    theta_t, dl_t, he_t = area_geometry(link.h_tx_m, siting[0], delta_h_m, ae_m)
    theta_r, dl_r, he_r = area_geometry(link.h_rx_m, siting[1], delta_h_m, ae_m)
    geometry = (theta_t, theta_r, dl_t, dl_r, he_t, he_r, float(delta_h_m))
    return _finish(1000.0 * distance_km, link, geometry, ae_m, link.n0, is_profile=False)


def _earth_m(ns: float) -> float:
    """Return the effective radius of the Earth for a surface refractivity."""
    return 1.0 / (157e-9 * (1.0 - 0.04665 * math.exp(ns / 179.3)))


def _finish(
    distance_m: float, link: ItmLink, geometry: tuple[float, ...], ae_m: float, ns: float, *,
    is_profile: bool,
) -> ItmLoss:  # fmt: skip
    require_within("surface refractivity", ns, 150.0, 400.0, source=SOURCE)
    relative = complex(link.permittivity, 18000.0 * link.conductivity_s_m / link.f_mhz)
    impedance = cmath.sqrt(relative - 1.0)
    if link.is_vertical:
        impedance /= relative
    lb_db, reference_db = _losses(
        distance_m, link.f_mhz, link.h_tx_m, link.h_rx_m, geometry, ae_m, ns, impedance,
        is_profile, link.climate, link.mode, link.time_pct / 100.0, link.location_pct / 100.0,
        link.situation_pct / 100.0,
    )  # fmt: skip
    free_db = 32.45 + 20.0 * math.log10(link.f_mhz) + 20.0 * math.log10(distance_m / 1000.0)
    return ItmLoss(lb_db + free_db, free_db, reference_db, *geometry)


@kernel
def _losses(
    d: float, f_mhz: float, h_t: float, h_r: float, geometry: tuple[float, ...], ae: float,
    ns: float, impedance: complex, is_profile: bool, climate: int, mode: int, time: float,
    location: float, situation: float,
) -> tuple[float, float]:  # fmt: skip
    median = reference_attenuation_db(d, f_mhz, h_t, h_r, geometry, ae, ns, impedance, is_profile)
    attenuation = quantile_attenuation_db(
        median, d, f_mhz, geometry[4], geometry[5], geometry[6], climate, mode, time, location,
        situation,
    )  # fmt: skip
    return attenuation, median


def _require_link(link: ItmLink, distance_m: float) -> None:
    require_within("distance_m", distance_m, 1e3, 2000e3, source=SOURCE)
    require_within("f_mhz", link.f_mhz, 20.0, 20_000.0, source=SOURCE)
    require_within("h_tx_m", link.h_tx_m, 0.5, 3000.0, source=SOURCE)
    require_within("h_rx_m", link.h_rx_m, 0.5, 3000.0, source=SOURCE)
    require_within("n0", link.n0, 250.0, 400.0, source=SOURCE)
    require_within("permittivity", link.permittivity, 1.0, 1000.0, source=SOURCE)
    require_within("conductivity_s_m", link.conductivity_s_m, 1e-9, 100.0, source=SOURCE)
    require_choice("climate", link.climate, CLIMATES, source=SOURCE)
    require_choice("mode", link.mode, MODES, source=SOURCE)
    for name in ("time_pct", "location_pct", "situation_pct"):
        require_within(name, getattr(link, name), 0.1, 99.9, source=SOURCE)

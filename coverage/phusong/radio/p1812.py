"""ITU-R P.1812-7: the loss of a terrain profile, 30 MHz to 6 GHz, with every term of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phusong.radio.limits import ModelRangeError, require_within
from phusong.radio.p1812_kernel import p1812_terms
from phusong.radio.zones import Zones

__all__ = ["P1812Link", "P1812Loss", "location_sigma_db", "p1812_loss"]

SOURCE = "ITU-R P.1812-7, Annex 1"
SHORTEST_KM, LONGEST_KM = 0.25, 3000.0


class P1812Link(NamedTuple):
    """What P.1812 asks of a link besides its profile.

    `p` and `pl` are the percentages of time and of locations for which the loss is not exceeded.
    `dn` (N-units/km, positive) and `n0` (N-units) are read off the ITU's maps, which may not be
    passed on; the defaults are round numbers for a temperate land. Read your own off the maps.
    `sigma_db` is the standard deviation over locations: 0 gives the median whatever `pl` is.
    """

    f_ghz: float
    htg_m: float
    hrg_m: float
    is_vertical: bool = True
    p: float = 50.0
    pl: float = 50.0
    sigma_db: float = 0.0
    dn: float = 45.0
    n0: float = 330.0


class P1812Loss(NamedTuple):
    """The terms of P.1812 in dB, as the Recommendation calls them, and the path's geometry.

    `lb_db` is the answer: the basic transmission loss not exceeded for `p` % of time at `pl` % of
    locations. `ld50_db` is the median diffraction loss: `lbulla_db` (the profile with what stands
    on it), plus what a smooth Earth loses (`ldsph_db`) above the same model on it (`lbulls_db`).
    """

    lb_db: float
    lbc_db: float
    lbfs_db: float
    lb0p_db: float
    lbs_db: float
    lba_db: float
    lbd_db: float
    ldp_db: float
    ld50_db: float
    lbulla_db: float
    lbulls_db: float
    ldsph_db: float
    ae_km: float
    hstd_m: float
    hsrd_m: float
    hte_m: float
    hre_m: float
    hm_m: float
    dlt_km: float
    dlr_km: float
    theta_t_mrad: float
    theta_r_mrad: float
    theta_mrad: float
    b0: float
    is_transhorizon: float


def p1812_loss(
    d_km: np.ndarray,
    h_m: np.ndarray,
    clutter_m: np.ndarray | None = None,
    *,
    link: P1812Link,
    zones: Zones | None = None,
) -> P1812Loss:
    """Return the basic transmission loss of one profile and its terms: P.1812-7, Annex 1.

    Parameters
    ----------
    d_km : array, shape (n,)
        Distances from the transmitter along the great circle, the first 0, rising.
    h_m : array, shape (n,)
        Bare ground above sea level. Not a surface model: what stands on the ground is `clutter_m`.
    clutter_m : array, shape (n,), optional
        Heights of representative clutter above the ground (§3.2.1); those of the two terminals'
        own points do not count. None without it.
    link : P1812Link
    zones : Zones, optional
        Sea and coast along the path, and its latitude; inland, 20° N without it.

    Returns
    -------
    P1812Loss

    Raises
    ------
    ModelRangeError
        If a number is outside the ranges of §1, §2 and §3, or the profile is not one.

    Examples
    --------
    >>> d_km = np.linspace(0.0, 10.0, 101)
    >>> ridge = np.where(np.arange(101) == 50, 80.0, 0.0)
    >>> link = P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5)
    >>> terms = p1812_loss(d_km, ridge, link=link)
    >>> round(terms.lbfs_db, 2), round(terms.ld50_db, 1), round(terms.lb_db, 1)
    (111.48, 33.0, 144.5)
    """
    zones = Zones() if zones is None else zones
    d_km, h_m = np.ascontiguousarray(d_km, float), np.ascontiguousarray(h_m, float)
    clutter_m = np.zeros(len(d_km)) if clutter_m is None else np.ascontiguousarray(clutter_m, float)
    require_profile(d_km, h_m, clutter_m)
    require_link(link)
    require_within(
        "d_km (the whole path)", d_km[-1], SHORTEST_KM, LONGEST_KM, source=f"{SOURCE}, §1"
    )
    return P1812Loss(*p1812_terms(d_km, h_m, clutter_m, *link, *zones.parameters(d_km)))


def location_sigma_db(
    *, frequency_ghz: float, resolution_m: float, receiver_height_m: float, clutter_m: float
) -> float:
    """Return the standard deviation of the loss over locations: P.1812-7, §4.8 and §4.10.

    σ_loc = u(h) · (0.52 + 0.024 f) · w^0.28; u is 1 below the clutter's top and falls to 0 over
    10 m above it.

    Parameters
    ----------
    frequency_ghz : float
        0.03 to 6.
    resolution_m : float
        Side of the square over which locations vary, 50 to 1000.
    receiver_height_m, clutter_m : float
        Above the ground.

    Examples
    --------
    >>> sigma = location_sigma_db(
    ...     frequency_ghz=3.5, resolution_m=100.0, receiver_height_m=1.5, clutter_m=10.0
    ... )
    >>> round(sigma, 3)
    2.193
    """
    require_within("frequency_ghz", frequency_ghz, 0.03, 6.0, source=f"{SOURCE}, §1")
    require_within("resolution_m", resolution_m, 50.0, 1000.0, source=f"{SOURCE}, §4.8")
    require_within("receiver_height_m", receiver_height_m, 1.0, 3000.0, source=f"{SOURCE}, §2")
    require_within("clutter_m", clutter_m, 0.0, np.inf, source=f"{SOURCE}, §3.2.1")
    share = 1.0 - min(max((receiver_height_m - clutter_m) / 10.0, 0.0), 1.0)
    return share * (0.52 + 0.024 * frequency_ghz) * resolution_m**0.28


def require_profile(d_km: np.ndarray, h_m: np.ndarray, clutter_m: np.ndarray) -> None:
    """Check that three arrays are a terrain profile."""
    n = len(d_km)
    if n < 3 or len(h_m) != n or len(clutter_m) != n:
        raise ModelRangeError(
            f"profile: found {n} distances, {len(h_m)} heights and {len(clutter_m)} clutter "
            "heights, expected as many of each, at least 3"
        )
    if d_km[0] != 0.0 or not (np.diff(d_km) > 0.0).all():
        raise ModelRangeError("d_km: found distances that do not rise from 0 at every point")
    require_within("h_m", h_m, -500.0, 9000.0, source="heights on Earth, metres above the sea")
    require_within("clutter_m", clutter_m, 0.0, 1000.0, source=f"{SOURCE}, §3.2.1")


def require_link(link: P1812Link) -> None:
    """Check a link against the ranges that P.1812 states."""
    require_within("f_ghz", link.f_ghz, 0.03, 6.0, source=f"{SOURCE}, §1")
    require_within("p", link.p, 1.0, 50.0, source=f"{SOURCE}, §1")
    require_within("pl", link.pl, 1.0, 99.0, source=f"{SOURCE}, §1")
    require_within("htg_m", link.htg_m, 1.0, 3000.0, source=f"{SOURCE}, §2")
    require_within("hrg_m", link.hrg_m, 1.0, 3000.0, source=f"{SOURCE}, §2")
    require_within("sigma_db", link.sigma_db, 0.0, 100.0, source=f"{SOURCE}, §4.8")
    require_within("dn", link.dn, 0.0, 156.0, source=f"{SOURCE}, §3.5: 157 - ΔN > 0")
    require_within("n0", link.n0, 100.0, 500.0, source="ITU-R P.453, maps of N0")

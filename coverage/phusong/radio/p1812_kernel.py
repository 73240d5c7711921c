"""The compiled engine of P.1812-7: plain arrays and numbers in, a row of terms out.

It checks nothing and allocates nothing, so that millions of profiles can be asked; `p1812.py`
checks and names. Equation numbers are those of ITU-R P.1812-7, Annex 1.
"""

from __future__ import annotations

import math

import numpy as np

from phusong.kernels import kernel
from phusong.radio.diffraction import bullington_db, spherical_earth_db
from phusong.radio.normal import inverse_complementary

__all__ = ["median_diffraction_db", "p1812_terms"]

EARTH_KM = 6371.0
K_ANOMALOUS = 3.0  # effective radius factor exceeded for β0 % of time


@kernel
def p1812_terms(
    d_km: np.ndarray, h_m: np.ndarray, clutter_m: np.ndarray, f_ghz: float, htg_m: float,
    hrg_m: float, is_vertical: bool, p: float, pl: float, sigma_db: float, dn: float, n0: float,
    share_sea: float, b0: float, tau: float, dct_km: float, dcr_km: float,
) -> tuple[float, ...]:  # fmt: skip
    """Return the terms of `phusong.radio.p1812.P1812Loss`, in its order.

    The arguments are those of `P1812Link` and of `Zones.parameters`, in their order.
    """
    n = len(d_km)
    d = d_km[n - 1]
    hts_m, hrs_m = h_m[0] + htg_m, h_m[n - 1] + hrg_m
    ae_km = EARTH_KM * 157.0 / (157.0 - dn)
    dlt, dlr, theta_t, theta_r, is_beyond = _horizons(d_km, h_m, hts_m, hrs_m, ae_km, f_ghz)
    theta = 1000.0 * d / ae_km + theta_t + theta_r
    hst, hsr, hstd, hsrd = _smooth_surface(d_km, h_m, hts_m, hrs_m)
    hte, hre = hts_m - hst, hrs_m - hsr
    hm = _roughness(d_km, h_m, hst, hsr, dlt, dlr)
    lbfs, esp, esb = _free_space(d, hts_m, hrs_m, dlt, dlr, f_ghz, p, b0)
    ld50, lbulla, lbulls, ldsph = _delta_bullington(
        d_km, h_m, clutter_m, hts_m, hrs_m, hstd, hsrd, ae_km, f_ghz, is_vertical, share_sea
    )
    fi, ldp = 1.0, ld50
    if p > b0:
        fi = inverse_complementary(p / 100.0) / inverse_complementary(b0 / 100.0)
    if p < 50.0:
        ldb, _, _, _ = _delta_bullington(
            d_km, h_m, clutter_m, hts_m, hrs_m, hstd, hsrd, EARTH_KM * K_ANOMALOUS, f_ghz,
            is_vertical, share_sea,
        )  # fmt: skip
        ldp = ld50 + (ldb - ld50) * fi
    lb0p = lbfs + esp
    lbd = lb0p + ldp
    lbs = _troposcatter(d, theta, f_ghz, p, n0)
    lba = _ducting(
        d, dlt, dlr, dct_km, dcr_km, tau, hts_m, hrs_m, hte, hre, hm, theta_t, theta_r, f_ghz, p,
        share_sea, ae_km, b0,
    )  # fmt: skip
    lbc = _combine(d, theta, p, b0, fi, share_sea, lbfs, lb0p, lbfs + esb, ld50, ldp, lbd, lba, lbs)
    lb = max(lb0p, lbc - inverse_complementary(pl / 100.0) * sigma_db)  # (69)
    return (
        lb, lbc, lbfs, lb0p, lbs, lba, lbd, ldp, ld50, lbulla, lbulls, ldsph, ae_km, hstd, hsrd,
        hte, hre, hm, dlt, dlr, theta_t, theta_r, theta, b0, is_beyond,
    )  # fmt: skip


@kernel
def median_diffraction_db(
    d_km: np.ndarray, h_m: np.ndarray, clutter_m: np.ndarray, hts_m: float, hrs_m: float,
    ae_km: float, f_ghz: float,
) -> float:  # fmt: skip
    """Return Ld50 of a profile over land, vertically polarised: §4.3.3."""
    _, _, hstd, hsrd = _smooth_surface(d_km, h_m, hts_m, hrs_m)
    loss_db, _, _, _ = _delta_bullington(
        d_km, h_m, clutter_m, hts_m, hrs_m, hstd, hsrd, ae_km, f_ghz, True, 0.0
    )
    return loss_db


@kernel
def _horizons(
    d_km: np.ndarray, h_m: np.ndarray, hts_m: float, hrs_m: float, ae_km: float, f_ghz: float
) -> tuple[float, float, float, float, float]:
    """Return the horizons' distances (km) and elevations (mrad): Attachment 1, §4."""
    n = len(d_km)
    d = d_km[n - 1]
    direct_t = 1000.0 * math.atan((hrs_m - hts_m) / (1000.0 * d) - d / (2.0 * ae_km))
    direct_r = 1000.0 * math.atan((hts_m - hrs_m) / (1000.0 * d) - d / (2.0 * ae_km))
    slope_t, slope_r, at_t, at_r = -1e30, -1e30, 1, 1
    for i in range(1, n - 1):
        back = d - d_km[i]
        slope = (h_m[i] - hts_m) / (1000.0 * d_km[i]) - d_km[i] / (2.0 * ae_km)
        if slope > slope_t:
            slope_t, at_t = slope, i
        slope = (h_m[i] - hrs_m) / (1000.0 * back) - back / (2.0 * ae_km)
        if slope > slope_r:
            slope_r, at_r = slope, i
    theta_t = 1000.0 * math.atan(slope_t)
    if theta_t > direct_t:
        return d_km[at_t], d - d_km[at_r], theta_t, 1000.0 * math.atan(slope_r), 1.0
    largest, at = -1e30, 1
    for i in range(1, n - 1):
        back = d - d_km[i]
        over = h_m[i] + 500.0 * d_km[i] * back / ae_km - (hts_m * back + hrs_m * d_km[i]) / d
        nu = over * math.sqrt(0.002 * d * f_ghz / (0.2998 * d_km[i] * back))
        if nu > largest:
            largest, at = nu, i
    return d_km[at], d - d_km[at], direct_t, direct_r, 0.0


@kernel
def _smooth_surface(
    d_km: np.ndarray, h_m: np.ndarray, hts_m: float, hrs_m: float
) -> tuple[float, float, float, float]:
    """Return the ends of the smooth Earth, for ducting and for diffraction: Attachment 1, §5.6."""
    n = len(d_km)
    d = d_km[n - 1]
    v1 = v2 = 0.0
    obstructs, slope_t, slope_r = -1e30, -1e30, -1e30
    for i in range(1, n):
        step = d_km[i] - d_km[i - 1]
        v1 += step * (h_m[i] + h_m[i - 1])
        v2 += step * (
            h_m[i] * (2.0 * d_km[i] + d_km[i - 1]) + h_m[i - 1] * (d_km[i] + 2.0 * d_km[i - 1])
        )
        if i < n - 1:
            back = d - d_km[i]
            over = h_m[i] - (hts_m * back + hrs_m * d_km[i]) / d
            obstructs = max(obstructs, over)
            slope_t = max(slope_t, over / d_km[i])
            slope_r = max(slope_r, over / back)
    hst = (2.0 * v1 * d - v2) / (d * d)
    hsr = (v2 - v1 * d) / (d * d)
    hstd, hsrd = hst, hsr
    if obstructs > 0.0:
        hstd -= obstructs * slope_t / (slope_t + slope_r)
        hsrd -= obstructs * slope_r / (slope_t + slope_r)
    return min(hst, h_m[0]), min(hsr, h_m[n - 1]), min(hstd, h_m[0]), min(hsrd, h_m[n - 1])


@kernel
def _roughness(
    d_km: np.ndarray, h_m: np.ndarray, hst_m: float, hsr_m: float, dlt_km: float, dlr_km: float
) -> float:
    """Return the terrain roughness between the horizons, hm (93)."""
    d = d_km[len(d_km) - 1]
    slope = (hsr_m - hst_m) / d
    hm = -1e30
    for i in range(len(d_km)):
        if dlt_km <= d_km[i] <= d - dlr_km + 1e-9:  # d - (d - x) may round below x
            hm = max(hm, h_m[i] - (hst_m + slope * d_km[i]))
    return hm


@kernel
def _free_space(
    d: float, hts_m: float, hrs_m: float, dlt: float, dlr: float, f_ghz: float, p: float, b0: float
) -> tuple[float, float, float]:
    """Return free space over the slant distance (8), and what multipath adds (9): p, then β0."""
    slant_km = math.hypot(d, (hts_m - hrs_m) / 1000.0)
    lbfs = 92.4 + 20.0 * math.log10(f_ghz) + 20.0 * math.log10(slant_km)
    focus = 2.6 * (1.0 - math.exp(-0.1 * (dlt + dlr)))
    return lbfs, focus * math.log10(p / 50.0), focus * math.log10(b0 / 50.0)


@kernel
def _delta_bullington(
    d_km: np.ndarray, h_m: np.ndarray, clutter_m: np.ndarray, hts_m: float, hrs_m: float,
    hstd_m: float, hsrd_m: float, ap_km: float, f_ghz: float, is_vertical: bool, share_sea: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Return the complete diffraction loss and its three parts: §4.3.3, (37) to (39)."""
    hte_m, hre_m = hts_m - hstd_m, hrs_m - hsrd_m
    lbulla = bullington_db(d_km, h_m, clutter_m, 1.0, hts_m, hrs_m, ap_km, f_ghz)
    lbulls = bullington_db(d_km, h_m, clutter_m, 0.0, hte_m, hre_m, ap_km, f_ghz)
    d = d_km[len(d_km) - 1]
    ldsph = spherical_earth_db(d, hte_m, hre_m, ap_km, f_ghz, is_vertical, share_sea)
    return lbulla + max(ldsph - lbulls, 0.0), lbulla, lbulls, ldsph


@kernel
def _troposcatter(d: float, theta_mrad: float, f_ghz: float, p: float, n0: float) -> float:
    """Return the loss of troposcatter: §4.4, (44) and (45)."""
    by_frequency = 25.0 * math.log10(f_ghz) - 2.5 * math.log10(0.5 * f_ghz) ** 2
    return (
        190.1
        + by_frequency
        + 20.0 * math.log10(d)
        + 0.573 * theta_mrad
        - 0.15 * n0
        - 10.125 * math.log10(50.0 / p) ** 0.7
    )


@kernel
def _ducting(
    d: float, dlt: float, dlr: float, dct: float, dcr: float, tau: float, hts: float, hrs: float,
    hte: float, hre: float, hm: float, theta_t: float, theta_r: float, f: float, p: float,
    share_sea: float, ae: float, b0: float,
) -> float:  # fmt: skip
    """Return the loss of ducting and layer reflection: §4.5, (46) to (56)."""
    alf = 45.375 - 137.0 * f + 92.5 * f * f if f < 0.5 else 0.0
    fixed = 102.45 + 20.0 * math.log10(f) + 20.0 * math.log10(dlt + dlr) + alf
    fixed += _site_shielding(theta_t, dlt, f) + _site_shielding(theta_r, dlr, f)
    fixed += _over_sea(dct, dlt, hts, share_sea) + _over_sea(dcr, dlr, hrs, share_sea)
    alpha = max(-0.6 - 3.5e-9 * d**3.1 * tau, -3.4)
    mu2 = (500.0 / ae * d * d / (math.sqrt(hte) + math.sqrt(hre)) ** 2) ** alpha
    mu3 = 1.0
    if hm > 10.0:
        between = min(d - dlt - dlr, 40.0)
        mu3 = math.exp(-4.6e-5 * (hm - 10.0) * (43.0 + 6.0 * between))
    beta = b0 * min(mu2, 1.0) * mu3
    log_beta = math.log10(beta)
    gamma = (
        1.076
        / (2.0058 - log_beta) ** 1.012
        * math.exp(-(9.51 - 4.8 * log_beta + 0.198 * log_beta**2) * 1e-6 * d**1.13)
    )
    ratio = p / beta
    by_time = -12.0 + (1.2 + 3.7e-3 * d) * math.log10(ratio) + 12.0 * ratio**gamma
    bend = 1000.0 * d / ae + min(theta_t, 0.1 * dlt) + min(theta_r, 0.1 * dlr)
    return fixed + 5e-5 * ae * f ** (1.0 / 3.0) * bend + by_time


@kernel
def _site_shielding(theta_mrad: float, horizon_km: float, f: float) -> float:
    """Return the loss of shielding around a terminal, Ast or Asr (48)."""
    above = theta_mrad - 0.1 * horizon_km
    if above <= 0.0:
        return 0.0
    spread = 20.0 * math.log10(1.0 + 0.361 * above * math.sqrt(f * horizon_km))
    return spread + 0.264 * above * f ** (1.0 / 3.0)


@kernel
def _over_sea(coast_km: float, horizon_km: float, height_m: float, share_sea: float) -> float:
    """Return the correction for ducts over sea, Act or Acr (49)."""
    if share_sea < 0.75 or coast_km > horizon_km or coast_km > 5.0:
        return 0.0
    lift = 1.0 + math.tanh(0.07 * (50.0 - height_m))
    return -3.0 * math.exp(-0.25 * coast_km * coast_km) * lift


@kernel
def _combine(
    d: float, theta: float, p: float, b0: float, fi: float, share_sea: float, lbfs: float,
    lb0p: float, lb0b: float, ld50: float, ldp: float, lbd: float, lba: float, lbs: float,
) -> float:  # fmt: skip
    """Return the loss without location variability: §4.6, (57) to (63)."""
    fj = 1.0 - 0.5 * (1.0 + math.tanh(2.4 * (theta - 0.3) / 0.3))
    fk = 1.0 - 0.5 * (1.0 + math.tanh(1.5 * (d - 20.0) / 20.0))
    least = lb0p + (1.0 - share_sea) * ldp
    if p >= b0:
        lbd50 = lbfs + ld50
        least = lbd50 + (lb0b + (1.0 - share_sea) * ldp - lbd50) * fi
    low = min(lba, lb0p)  # η ln(exp(a/η) + exp(b/η)) without overflow
    high = max(lba, lb0p)
    enhanced = high + 2.5 * math.log1p(math.exp((low - high) / 2.5))
    lbda = lbd if enhanced > lbd else enhanced + (lbd - enhanced) * fk
    lbam = lbda + (least - lbda) * fj
    nearer = min(lbs, lbam)
    farther = max(lbs, lbam)
    return nearer - 5.0 * math.log10(1.0 + 10.0 ** (-0.2 * (farther - nearer)))

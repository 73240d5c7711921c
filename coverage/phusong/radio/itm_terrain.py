"""What ITM reads from a terrain profile: horizons, effective heights, roughness.

NTIA's Irregular Terrain Model (Longley-Rice), version 1.4; Hufford, Longley and Kissick, NTIA
Report 82-100, and Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the algorithm"
(sections in square brackets). Profiles are evenly spaced heights above sea level, all in metres.
"""

from __future__ import annotations

import math

import numpy as np

from phusong.kernels import kernel

__all__ = ["area_geometry", "profile_geometry"]

LOWEST_M = 5.0  # effective heights below it do not shorten the horizon further


@kernel
def profile_geometry(
    h_m: np.ndarray, step_m: float, h_tx_m: float, h_rx_m: float, ae_m: float
) -> tuple[float, float, float, float, float, float, float]:
    """Return elevations (rad) and distances of the horizons, effective heights, and Δh [40-47].

    Returns
    -------
    tuple of float
        theta_tx, theta_rx, horizon_tx_m, horizon_rx_m, effective_tx_m, effective_rx_m, delta_h_m.
    """
    n = len(h_m) - 1
    d = n * step_m
    theta_t, theta_r, dl_t, dl_r = _horizons(h_m, step_m, h_tx_m, h_rx_m, ae_m)
    start = min(15.0 * h_tx_m, 0.1 * dl_t)
    end = d - min(15.0 * h_rx_m, 0.1 * dl_r)
    delta_h = _roughness(h_m, step_m, start, end)
    if dl_t + dl_r <= 1.5 * d:
        fit_t, _ = _fit_line(h_m, step_m, start, 0.9 * dl_t)
        _, fit_r = _fit_line(h_m, step_m, d - 0.9 * dl_r, end)
        he_t = h_tx_m + max(h_m[0] - fit_t, 0.0)
        he_r = h_rx_m + max(h_m[n] - fit_r, 0.0)
        return theta_t, theta_r, dl_t, dl_r, he_t, he_r, delta_h
    fit_t, fit_r = _fit_line(h_m, step_m, start, end)
    he_t = h_tx_m + max(h_m[0] - fit_t, 0.0)
    he_r = h_rx_m + max(h_m[n] - fit_r, 0.0)
    dl_t = _rough_horizon_m(he_t, delta_h, ae_m)
    dl_r = _rough_horizon_m(he_r, delta_h, ae_m)
    if dl_t + dl_r <= d:
        lift = (d / (dl_t + dl_r)) ** 2
        he_t *= lift
        he_r *= lift
        dl_t = _rough_horizon_m(he_t, delta_h, ae_m)
        dl_r = _rough_horizon_m(he_r, delta_h, ae_m)
    theta_t = _rough_elevation(he_t, dl_t, delta_h, ae_m)
    theta_r = _rough_elevation(he_r, dl_r, delta_h, ae_m)
    return theta_t, theta_r, dl_t, dl_r, he_t, he_r, delta_h


@kernel
def area_geometry(h_m: float, siting: int, delta_h_m: float, ae_m: float) -> tuple[
    float, float, float
]:  # fmt: skip
    """Return elevation (rad), distance of the horizon and effective height of one terminal [3.1-3].

    `siting` says how its place is chosen: 0 at random, 1 with care, 2 with great care.
    """
    he = h_m
    if siting > 0:
        gain = 4.0 if siting == 1 else 9.0
        if h_m < 5.0:
            gain *= math.sin(0.1 * math.pi * h_m)
        he = h_m + (1.0 + gain) * math.exp(-min(20.0, 2.0 * h_m / max(1e-3, delta_h_m)))
    dl = _rough_horizon_m(he, delta_h_m, ae_m)
    return _rough_elevation(he, dl, delta_h_m, ae_m), dl, he


@kernel
def _rough_horizon_m(he_m: float, delta_h_m: float, ae_m: float) -> float:
    shrink = math.exp(-0.07 * math.sqrt(delta_h_m / max(he_m, LOWEST_M)))
    return math.sqrt(2.0 * he_m * ae_m) * shrink


@kernel
def _rough_elevation(he_m: float, dl_m: float, delta_h_m: float, ae_m: float) -> float:
    smooth_m = math.sqrt(2.0 * he_m * ae_m)
    return (0.65 * delta_h_m * (smooth_m / dl_m - 1.0) - 2.0 * he_m) / smooth_m


@kernel
def _horizons(
    h_m: np.ndarray, step_m: float, h_tx_m: float, h_rx_m: float, ae_m: float
) -> tuple[float, float, float, float]:
    n = len(h_m) - 1
    d = n * step_m
    top_t, top_r = h_m[0] + h_tx_m, h_m[n] + h_rx_m
    theta_t = (top_r - top_t) / d - d / (2.0 * ae_m)
    theta_r = (top_t - top_r) / d - d / (2.0 * ae_m)
    dl_t = dl_r = d
    for i in range(1, n):
        ahead = i * step_m
        back = d - ahead
        slope = (h_m[i] - top_t) / ahead - ahead / (2.0 * ae_m)
        if slope > theta_t:
            theta_t, dl_t = slope, ahead
        slope = (h_m[i] - top_r) / back - back / (2.0 * ae_m)
        if slope > theta_r:
            theta_r, dl_r = slope, back
    return theta_t, theta_r, dl_t, dl_r


@kernel
def _fit_line(h_m: np.ndarray, step_m: float, start_m: float, end_m: float) -> tuple[float, float]:
    """Return the heights, at both ends of a profile, of the line fitted to a part of it [53]."""
    n = len(h_m) - 1
    first = int(max(start_m / step_m, 0.0))
    last = n - int(max(n - end_m / step_m, 0.0))
    if last <= first:
        first = max(first - 1, 0)
        last = n - max(n - (last + 1), 0)
    length = float(last - first)
    centre = -0.5 * length
    offset = last + centre
    total = 0.5 * (h_m[first] + h_m[last])
    moment = 0.5 * (h_m[first] - h_m[last]) * centre
    for i in range(first + 1, last):
        centre += 1.0
        total += h_m[i]
        moment += h_m[i] * centre
    total /= length
    moment *= 12.0 / ((length * length + 2.0) * length)
    return total - moment * offset, total + moment * (n - offset)


@kernel
def _roughness(h_m: np.ndarray, step_m: float, start_m: float, end_m: float) -> float:
    """Return Δh, the interdecile range of the terrain about its trend, at any length [48-52]."""
    n = len(h_m) - 1
    at = start_m / step_m
    stretch = end_m / step_m - at
    if stretch < 2.0:
        return 0.0
    tenth = min(max(4, int(0.1 * (stretch + 8.0))), 25)
    samples = 10 * tenth - 5
    step = stretch / (samples - 1)
    heights = np.empty(samples)
    i = int(at)
    at -= i + 1.0
    for j in range(samples):
        while at > 0.0 and i + 1 < n:
            at -= 1.0
            i += 1
        heights[j] = h_m[i + 1] + (h_m[i + 1] - h_m[i]) * at
        at += step
    low, high = _fit_line(heights, 1.0, 0.0, samples - 1.0)
    slope = (high - low) / (samples - 1)
    for j in range(samples):
        heights[j] -= low + slope * j
    heights.sort()
    interdecile = heights[samples - tenth] - heights[tenth - 1]
    return interdecile / (1.0 - 0.8 * math.exp(-(end_m - start_m) / 50e3))

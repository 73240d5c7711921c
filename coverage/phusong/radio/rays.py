"""A ray from a mast over terrain: what P.1812's diffraction asks at each of its points, in passing.

The profile of a receiver is that of the ray up to it. Instead of going through it anew for each
receiver, the ray keeps what is asked: the steepest slope seen from the mast, the upper hull of
what it has crossed (a stack: a new point pops what it hides), and the sums of the smooth Earth.
The results are those of `bullington_db` and of P.1812's smooth surface on the same samples; only
the rounding differs.

Distances in km, heights in m. Flattened heights are lowered by 500 d²/aₑ, so that over a round
Earth straight lines stay straight. Point j of a ray is j steps from the mast.
"""

from __future__ import annotations

import math

import numpy as np

from phusong.kernels import kernel
from phusong.radio.diffraction import corrected_db

__all__ = ["fresnel_geometry", "least_diffraction_db", "push_hull"]

NONE = -1e30


@kernel
def push_hull(stack: np.ndarray, size: int, heights: np.ndarray, j: int) -> int:
    """Put point j on a stack that holds an upper hull; return how many points it has then."""
    while size >= 2:
        a, b = stack[size - 2], stack[size - 1]
        if (heights[b] - heights[a]) * (j - b) > (heights[j] - heights[b]) * (b - a):
            break
        size -= 1
    stack[size] = j
    return size + 1


@kernel
def _steepest_back(
    stack: np.ndarray, size: int, heights: np.ndarray, k: int, height_m: float
) -> float:
    """Return the steepest slope (m a step) from a receiver at point k back to a hull.

    Along a hull the slope rises to its largest and falls again, so the walk may stop.
    """
    i = size - 1
    steepest = (heights[stack[i]] - height_m) / (k - stack[i])
    while i > 0:
        i -= 1
        slope = (heights[stack[i]] - height_m) / (k - stack[i])
        if slope < steepest:
            break
        steepest = slope
    return steepest


@kernel
def _highest_over(
    stack: np.ndarray, size: int, heights: np.ndarray, start_m: float, slope: float
) -> float:
    """Return how far a hull reaches above a line from the mast (slope in m a step)."""
    i = size - 1
    highest = heights[stack[i]] - start_m - slope * stack[i]
    while i > 0:
        i -= 1
        over = heights[stack[i]] - start_m - slope * stack[i]
        if over < highest:
            break
        highest = over
    return highest


@kernel
def least_diffraction_db(k: int, horizon: int, slope: float, step_km: float, f_ghz: float) -> float:
    """Return what a path loses at least: the edge at the transmitter's horizon alone.

    Bullington's ν is that of two horizon slopes; the receiver's is at least the slope down to the
    transmitter's horizon, and with it ν is that of this one edge. `slope` is the horizon's above
    the direct ray (m a step).
    """
    if slope <= 0.0:
        return 0.0
    over_m = slope * horizon
    between = horizon * (k - horizon)
    nu = over_m * math.sqrt(0.002 * k * f_ghz / (0.2998 * step_km * between))
    return corrected_db(nu, k * step_km)


@kernel
def fresnel_geometry(
    k: int, step_km: float, ae_km: float, hts_m: float, ground_m: float, hrg_m: float,
    flat_m: np.ndarray, flat_stack: np.ndarray, flat_size: int, flat_slope: float,
    bare_m: np.ndarray, bare_stack: np.ndarray, bare_size: int, bare_slope: float, v1: float,
    v2: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Return ν at 1 GHz of the profile and of the smooth Earth, and heights above the latter.

    Parameters
    ----------
    k : int
        The receiver's point; 1 to k - 1 are between.
    step_km, ae_km : float
    hts_m : float
        Height of the transmitter above the sea.
    ground_m, hrg_m : float
        Receiver: its ground, and its height above it.
    flat_m, flat_stack, flat_size, flat_slope
        Flattened heights with what stands on the ground; their hull; the steepest slope from the
        transmitter to them (m a step).
    bare_m, bare_stack, bare_size, bare_slope
        The same for the ground alone, not flattened; `bare_m[0]` is the mast's ground.
    v1, v2 : float
        Sums of P.1812-7, Attachment 1, equations (85) and (86), up to k - 1.

    Returns
    -------
    tuple of float
        ν of the profile and of the smooth Earth (multiply by √f), hte and hre in m.
    """
    d = k * step_km
    hrs_m = ground_m + hrg_m
    direct = (hrs_m - hts_m) / k
    before = (k - 1) * step_km
    last = bare_m[k - 1]
    v1 += step_km * (ground_m + last)
    v2 += step_km * (ground_m * (2.0 * d + before) + last * (d + 2.0 * before))
    hstd, hsrd = (2.0 * v1 * d - v2) / (d * d), (v2 - v1 * d) / (d * d)
    if bare_slope > direct:
        over = _highest_over(bare_stack, bare_size, bare_m, hts_m, direct)
        towards = bare_slope - direct
        back = _steepest_back(bare_stack, bare_size, bare_m, k, hrs_m) + direct
        hstd -= over * towards / (towards + back)
        hsrd -= over * back / (towards + back)
    hte_m, hre_m = hts_m - min(hstd, bare_m[0]), hrs_m - min(hsrd, ground_m)
    if k == 1:
        return NONE, NONE, hte_m, hre_m
    bend = 500.0 * step_km * step_km / ae_km  # bulge in m, with distances in steps
    slope_t = flat_slope + bend * k
    if slope_t > direct:
        back = _steepest_back(flat_stack, flat_size, flat_m, k, hrs_m - bend * k * k) - bend * k
        nu = _crossing_nu(slope_t, back, k, step_km, hts_m, hrs_m)
    else:
        nu = _clear_nu(flat_m, flat_stack, flat_size, k, step_km, direct - bend * k, hts_m)
    return nu, _smooth_nu(k, step_km, bend, hte_m, hre_m), hte_m, hre_m


@kernel
def _crossing_nu(
    slope_t: float, slope_r: float, k: int, step_km: float, hts_m: float, hrs_m: float
) -> float:
    """Return ν at 1 GHz of the edge where two horizon rays cross (slopes in m a step)."""
    at = (hrs_m - hts_m + slope_r * k) / (slope_t + slope_r)
    at = min(max(at, 1.0), k - 1.0)
    over = slope_t * at - (hrs_m - hts_m) * at / k
    return over * math.sqrt(0.002 * k / (0.2998 * step_km * at * (k - at)))


@kernel
def _clear_nu(
    flat_m: np.ndarray, stack: np.ndarray, size: int, k: int, step_km: float, slope: float,
    hts_m: float,
) -> float:  # fmt: skip
    """Return the largest ν at 1 GHz of a profile that a ray clears: -c/√(j (k - j)), c clearance.

    The point need not be on the hull. But the hull gives a first answer, and with it the stretch
    outside of which every point is too far under the ray: c is at least j times the least c/j, and
    (k - j) times the least c/(k - j).
    """
    least = least_t = least_r = 1e30
    for i in range(size):
        j = float(stack[i])
        clearance = hts_m + slope * j - flat_m[stack[i]]
        from_t, from_r = clearance / j, clearance / (k - j)
        least_t, least_r = min(least_t, from_t), min(least_r, from_r)
        least = min(least, from_t * from_r)
    low = int(k * least_r**2 / (least_r**2 + least + 1e-30))
    high = int(k * least / (least_t**2 + least + 1e-30)) + 1
    for i in range(max(low, 1), min(high + 1, k)):
        j = float(i)
        clearance = hts_m + slope * j - flat_m[i]
        between = j * (k - j)
        if clearance * clearance < least * between:
            least = clearance * clearance / between
    return -math.sqrt(least * 0.002 * k / (0.2998 * step_km))


@kernel
def _smooth_nu(k: int, step_km: float, bend: float, hte_m: float, hre_m: float) -> float:
    """Return ν at 1 GHz of the smooth Earth under the points of a ray."""
    slope_t = _smooth_slope(k, bend, hte_m)
    slope_r = _smooth_slope(k, bend, hre_m)
    if slope_t > (hre_m - hte_m) / k:
        return _crossing_nu(slope_t, slope_r, k, step_km, hte_m, hre_m)
    # The nearest approach in Fresnel radii has one minimum; start where a flat Earth has it.
    j = min(max(int(k * hte_m / (hte_m + hre_m)), 1), k - 1)
    best = _smooth_clearance(j, k, bend, hte_m, hre_m)
    for way in (1, -1):
        while 1 <= j + way <= k - 1:
            there = _smooth_clearance(j + way, k, bend, hte_m, hre_m)
            if there >= best:
                break
            j, best = j + way, there
    return -best * math.sqrt(0.002 * k / (0.2998 * step_km))


@kernel
def _smooth_slope(k: int, bend: float, height_m: float) -> float:
    """Return the steepest slope (m a step) from an antenna to points of a smooth Earth."""
    j = min(max(int(math.sqrt(height_m / bend)), 1), k - 1)
    slope = bend * (k - j) - height_m / j
    if j + 1 < k:
        slope = max(slope, bend * (k - j - 1) - height_m / (j + 1))
    return slope


@kernel
def _smooth_clearance(j: int, k: int, bend: float, hte_m: float, hre_m: float) -> float:
    between = j * (k - j)
    return (hte_m + (hre_m - hte_m) * j / k - bend * between) / math.sqrt(between)

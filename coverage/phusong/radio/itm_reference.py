"""ITM's reference attenuation: line of sight, diffraction, troposcatter (NTIA's ITM 1.4).

Sections in square brackets are those of Hufford, "The ITS Irregular Terrain Model, version 1.2.2:
the algorithm". Lengths in metres, frequencies in MHz, angles in radians.
"""

from __future__ import annotations

import math

from phusong.kernels import kernel

__all__ = ["reference_attenuation_db"]

MHZ_M = 47.7  # wave number (1/m) = frequency (MHz) / 47.7
SCATTER_A = (25.0, 80.0, 177.0, 395.0, 705.0)
SCATTER_B = (24.0, 45.0, 68.0, 80.0, 105.0)


@kernel
def reference_attenuation_db(
    d: float, f_mhz: float, h_t: float, h_r: float, geometry: tuple[float, ...], ae: float,
    ns: float, impedance: complex, is_profile: bool,
) -> float:  # fmt: skip
    """Return the median attenuation below free space at a distance [4.1].

    Parameters
    ----------
    d : float
    f_mhz : float
    h_t, h_r : float
        Antenna heights above the ground.
    geometry : tuple of 7 float
        As `profile_geometry` returns it.
    ae, ns : float
        Effective radius of the Earth, surface refractivity (N-units).
    impedance : complex
        Of the ground.
    is_profile : bool
        Point-to-point; else area.
    """
    theta_t, theta_r, dl_t, dl_r, he_t, he_r, _ = geometry
    dl = dl_t + dl_r
    dls = math.sqrt(2.0 * he_t * ae) + math.sqrt(2.0 * he_r * ae)
    theta = max(theta_t + theta_r, -dl / ae)
    unit = (ae * ae / f_mhz) ** (1.0 / 3.0)
    d3 = max(dls, dl + 5.0 * unit)
    d4 = d3 + 10.0 * unit
    ground = (h_t, h_r, impedance, is_profile)
    a3 = _diffraction_db(d3, f_mhz, geometry, theta, ae, dls, ground)
    a4 = _diffraction_db(d4, f_mhz, geometry, theta, ae, dls, ground)
    slope = (a4 - a3) / (d4 - d3)
    level = a3 - slope * d3
    if d < dls:
        return max(_within_horizon_db(d, f_mhz, geometry, dl, dls, slope, level, impedance), 0.0)
    d5, d6 = dl + 200e3, dl + 400e3
    a6, h0 = _scatter_db(d6, f_mhz, geometry, theta, ae, ns, -1.0)
    a5, h0 = _scatter_db(d5, f_mhz, geometry, theta, ae, ns, h0)
    if a5 < 1000.0:
        slope_s = (a6 - a5) / 200e3
        cross = (a5 - level - slope_s * d5) / (slope - slope_s)
        dx = max(max(dls, dl + 1.088 * unit * math.log(f_mhz)), cross)
        if d > dx:
            return max((slope - slope_s) * dx + level + slope_s * d, 0.0)
    return max(level + slope * d, 0.0)


@kernel
def _within_horizon_db(
    d: float, f_mhz: float, geometry: tuple[float, ...], dl: float, dls: float, slope: float,
    level: float, impedance: complex,
) -> float:  # fmt: skip
    """Return the attenuation before the smooth-Earth horizon [4.10-4.20]."""
    he_t, he_r = geometry[4], geometry[5]
    d0 = 0.04 * f_mhz * he_t * he_r
    if level >= 0.0:
        d0 = min(d0, 0.5 * dl)
        d1 = d0 + 0.25 * (dl - d0)
    else:
        d1 = max(-level / slope, 0.25 * dl)
    a1 = _two_rays_db(d1, f_mhz, geometry, dls, slope, level, impedance)
    a2 = dls * slope + level
    k1, k2, is_fitted = 0.0, 0.0, False
    if d0 < d1:
        a0 = _two_rays_db(d0, f_mhz, geometry, dls, slope, level, impedance)
        q = math.log(dls / d0)
        over = (dls - d0) * (a1 - a0) - (d1 - d0) * (a2 - a0)
        k2 = max(0.0, over / ((dls - d0) * math.log(d1 / d0) - (d1 - d0) * q))
        is_fitted = level >= 0.0 or k2 > 0.0
        if is_fitted:
            k1 = (a2 - a0 - k2 * q) / (dls - d0)
            if k1 < 0.0:
                k1, k2 = 0.0, max(a2 - a0, 0.0) / q
                if k2 == 0.0:
                    k1 = slope
    if not is_fitted:
        k1, k2 = max(a2 - a1, 0.0) / (dls - d1), 0.0
        if k1 == 0.0:
            k1 = slope
    return a2 - k1 * (dls - d) - k2 * math.log(dls / d)


@kernel
def _sigma_h(delta_h: float) -> float:
    """Return the spread of heights from the roughness seen [3.10]."""
    return 0.78 * delta_h * math.exp(-0.5 * delta_h**0.25)


@kernel
def _roughness_at(d: float, delta_h: float) -> float:
    """Return the roughness of a stretch of terrain [3.9]."""
    return delta_h * (1.0 - 0.8 * math.exp(-d / 50e3))


@kernel
def _two_rays_db(
    d: float, f_mhz: float, geometry: tuple[float, ...], dls: float, slope: float, level: float,
    impedance: complex,
) -> float:  # fmt: skip
    """Return the loss of a direct and a reflected ray, and diffraction, mixed [4.38-4.50]."""
    he_t, he_r, delta_h = geometry[4], geometry[5], geometry[6]
    wave = f_mhz / MHZ_M
    above = he_t + he_r
    sine = above / math.hypot(d, above)
    damping = min(10.0, wave * _sigma_h(_roughness_at(d, delta_h)) * sine)
    reflection = (sine - impedance) / (sine + impedance) * math.exp(-damping)
    power = reflection.real**2 + reflection.imag**2
    if power < 0.25 or power < sine:
        reflection *= math.sqrt(sine / power)
    phase = 2.0 * wave * he_t * he_r / d
    if phase > math.pi / 2.0:
        phase = math.pi - (math.pi / 2.0) ** 2 / phase
    real = math.cos(phase) + reflection.real
    imaginary = -math.sin(phase) + reflection.imag
    rays_db = -10.0 * math.log10(real * real + imaginary * imaginary)
    weight = 1.0 / (1.0 + f_mhz * delta_h / max(10e3, dls))
    return weight * rays_db + (1.0 - weight) * (slope * d + level)


@kernel
def _diffraction_db(
    d: float, f_mhz: float, geometry: tuple[float, ...], theta: float, ae: float, dls: float,
    ground: tuple[float, float, complex, bool],
) -> float:  # fmt: skip
    """Return the loss of two knife edges and of a rounded Earth, mixed [4.9-4.37]."""
    _, _, dl_t, dl_r, he_t, he_r, delta_h = geometry
    h_t, h_r, impedance, is_profile = ground
    q = h_t * h_r
    clutter_db = min(
        15.0, 5.0 * math.log10(1.0 + 1e-5 * q * f_mhz * _sigma_h(_roughness_at(dls, delta_h)))
    )
    lift = he_t * he_r - q
    if is_profile:
        q += 10.0
    term = math.sqrt(1.0 + lift / q) + (theta * ae + dl_t + dl_r) / d
    weight_of = term * min(_roughness_at(d, delta_h) * f_mhz / MHZ_M, 6283.2)
    weight = 25.1 / (25.1 + math.sqrt(weight_of))
    edges_db = _knife_edges_db(d, f_mhz, dl_t, dl_r, theta, ae)
    round_db = _round_earth_db(d, f_mhz, dl_t, dl_r, he_t, he_r, theta, ae, abs(impedance))
    return weight * round_db + (1.0 - weight) * edges_db + clutter_db


@kernel
def _knife_edges_db(
    d: float, f_mhz: float, dl_t: float, dl_r: float, theta: float, ae: float
) -> float:
    bend = theta + d / ae
    between = d - dl_t - dl_r
    nu2 = 0.0795775 * f_mhz / MHZ_M * bend * bend * between
    return _fresnel_db(nu2 * dl_t / (between + dl_t)) + _fresnel_db(nu2 * dl_r / (between + dl_r))


@kernel
def _fresnel_db(nu2: float) -> float:
    if nu2 < 5.76:
        return 6.02 + 9.11 * math.sqrt(nu2) - 1.27 * nu2
    return 12.953 + 10.0 * math.log10(nu2)


@kernel
def _round_earth_db(
    d: float, f_mhz: float, dl_t: float, dl_r: float, he_t: float, he_r: float, theta: float,
    ae: float, impedance: float,
) -> float:  # fmt: skip
    """Return the loss around three rounded obstacles, by Vogler's method [4.20-4.27]."""
    bend = theta + d / ae
    x_t, k_t = _scaled(0.5 * dl_t * dl_t / he_t, dl_t, f_mhz, impedance)
    x_r, k_r = _scaled(0.5 * dl_r * dl_r / he_r, dl_r, f_mhz, impedance)
    radius = (d - dl_t - dl_r) / bend
    x_0, _ = _scaled(radius, radius * bend, f_mhz, impedance)
    x = x_0 + x_t + x_r
    gains_db = _height_gain_db(x_t, k_t) + _height_gain_db(x_r, k_r) + 20.0
    return 0.05751 * x - 10.0 * math.log10(x) - gains_db


@kernel
def _scaled(radius: float, length: float, f_mhz: float, impedance: float) -> tuple[float, float]:
    c = (4.0 / 3.0 * 6370e3 / radius) ** (1.0 / 3.0)
    k = 0.017778 * c * f_mhz ** (-1.0 / 3.0) / impedance
    return (1.607 - k) * c * c * f_mhz ** (1.0 / 3.0) * length / 1000.0, k


@kernel
def _height_gain_db(x: float, k: float) -> float:
    """Return the height-gain function over a smooth sphere, F(x, K) [6.2]."""
    if x >= 200.0:
        gain = 0.05751 * x - 10.0 * math.log10(x)
        if x < 2000.0:
            weight = 0.0134 * x * math.exp(-0.005 * x)
            gain = (1.0 - weight) * gain + weight * (40.0 * math.log10(x) - 117.0)
        return gain
    w = -math.log(k)
    if k < 1e-5 or x * w**3 > 5495.0:
        return 40.0 * math.log10(x) - 117.0 if x > 1.0 else -117.0
    return 2.5e-5 * x * x / k - 8.686 * w - 15.0


@kernel
def _scatter_db(
    d: float, f_mhz: float, geometry: tuple[float, ...], theta: float, ae: float, ns: float,
    h0_before: float,
) -> tuple[float, float]:  # fmt: skip
    """Return the loss of troposcatter and its frequency gain H0 [4.51-4.67]; 1001 if it fails."""
    theta_t, theta_r, dl_t, dl_r, he_t, he_r, _ = geometry
    wave = f_mhz / MHZ_M
    h0 = h0_before
    if h0_before <= 15.0:
        apart = dl_t - dl_r
        ratio = he_r / he_t
        if apart < 0.0:
            apart, ratio = -apart, 1.0 / ratio
        bend = theta_t + theta_r + d / ae
        r1, r2 = 2.0 * wave * bend * he_t, 2.0 * wave * bend * he_r
        if r1 < 0.2 and r2 < 0.2:
            return 1001.0, h0_before
        s = (d - apart) / (d + apart)
        q = min(max(0.1, ratio / s), 10.0)
        s = max(0.1, s)
        cross = (d - apart) * (d + apart) * bend * 0.25 / d
        decay = math.exp(-(min(1.7, cross / 8000.0) ** 6))
        eta = cross / 1755.6 * (1.0 + (0.031 - ns * 2.32e-3 + ns * ns * 5.67e-6) * decay)
        h00 = (_gain_db(r1, eta) + _gain_db(r2, eta)) / 2.0
        spread = 6.0 * (0.6 - math.log10(max(eta, 1.0))) * math.log10(s) * math.log10(q)
        h0 = max(h00 + min(h00, spread), 0.0)
        if eta < 1.0:
            root2 = math.sqrt(2.0)
            product = (1.0 + root2 / r1) ** 2 * (1.0 + root2 / r2) ** 2
            product *= (r1 + r2) / (r1 + r2 + 2.0 * root2)
            h0 = eta * h0 + (1.0 - eta) * 10.0 * math.log10(product)
        if h0 > 15.0 and h0_before >= 0.0:
            h0 = h0_before
    angle = theta + d / ae
    loss = _distance_db(angle * d) + 10.0 * math.log10(wave * MHZ_M * angle**4)
    return loss - 0.1 * (ns - 301.0) * math.exp(-angle * d / 40e3) + h0, h0


@kernel
def _gain_db(r: float, eta: float) -> float:
    """Return H0(r, η), between the curves of whole η [6.13]."""
    eta = min(max(eta, 1.0), 5.0)
    i = int(eta)
    rest = eta - i
    gain = _gain_curve_db(i - 1, r)
    if rest > 0.0:
        gain = (1.0 - rest) * gain + rest * _gain_curve_db(i, r)
    return gain


@kernel
def _gain_curve_db(j: int, r: float) -> float:
    return 10.0 * math.log10(1.0 + SCATTER_A[j] / r**4 + SCATTER_B[j] / r**2)


@kernel
def _distance_db(td: float) -> float:
    """Return F(θd), the attenuation by distance [6.9]."""
    if td <= 10e3:
        return 133.4 + 0.332e-3 * td - 10.0 * math.log10(td)
    if td <= 70e3:
        return 104.6 + 0.212e-3 * td - 2.5 * math.log10(td)
    return 71.8 + 0.157e-3 * td + 5.0 * math.log10(td)

"""ITM's variability in time, over locations and between situations (NTIA's ITM 1.4).

Sections in square brackets are those of Hufford, "The ITS Irregular Terrain Model, version 1.2.2:
the algorithm". The numbers of a climate are the fits of NBS Technical Note 101 that it lists.
"""

from __future__ import annotations

import math

import numpy as np

from phusong.kernels import kernel
from phusong.radio.normal import inverse_complementary

__all__ = ["quantile_attenuation_db"]

# One column a climate: equatorial, continental subtropical, maritime subtropical, desert,
# continental temperate, maritime temperate over land, maritime temperate over sea.
# Five numbers a curve (two in dB, three in km): the median, then the spread of the weaker and of
# the stronger times.
MEDIAN = np.array([
    [-9.67, -0.62, 1.26, -9.21, -0.62, -0.39, 3.15],
    [12.7, 9.19, 15.5, 9.05, 9.19, 2.86, 857.9],
    [144.9, 228.9, 262.6, 84.1, 228.9, 141.7, 2222.0],
    [190.3, 205.2, 185.2, 101.1, 205.2, 315.9, 164.8],
    [133.8, 143.6, 99.8, 98.6, 143.6, 167.4, 116.3],
])  # fmt: skip
WEAKER = np.array([
    [2.13, 2.66, 6.11, 1.98, 2.68, 6.86, 8.51],
    [159.5, 7.67, 6.65, 13.11, 7.16, 10.38, 169.8],
    [762.2, 100.4, 138.2, 139.1, 93.7, 187.8, 609.8],
    [123.6, 172.5, 242.2, 132.7, 186.8, 169.6, 119.9],
    [94.5, 136.4, 178.6, 193.5, 133.5, 108.9, 106.6],
])  # fmt: skip
STRONGER = np.array([
    [2.11, 6.87, 10.08, 3.68, 4.75, 8.58, 8.43],
    [102.3, 15.53, 9.60, 159.3, 8.12, 13.97, 8.19],
    [636.9, 138.7, 165.3, 464.4, 93.2, 216.0, 136.2],
    [134.8, 143.7, 225.7, 93.1, 135.9, 152.0, 188.5],
    [95.6, 98.6, 129.7, 94.2, 113.4, 122.7, 122.9],
])  # fmt: skip
DUCTED_RATIO = np.array([1.224, 0.801, 1.380, 1.000, 1.224, 1.518, 1.518])
DUCTED_FROM = np.array([1.282, 2.161, 1.282, 20.0, 1.282, 1.282, 1.282])
WEAKER_BY_FREQUENCY = np.array([
    [1.0, 1.0, 1.0, 1.0, 0.92, 1.0, 1.0],
    [0.0, 0.0, 0.0, 0.0, 0.25, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 1.77, 0.0, 0.0],
])  # fmt: skip
STRONGER_BY_FREQUENCY = np.array([
    [1.0, 0.93, 1.0, 0.93, 0.93, 1.0, 1.0],
    [0.0, 0.31, 0.0, 0.19, 0.31, 0.0, 0.0],
    [0.0, 2.00, 0.0, 1.79, 2.00, 0.0, 0.0],
])  # fmt: skip
SINGLE_MESSAGE, ACCIDENTAL, MOBILE = 0, 1, 2  # 3 is broadcast


@kernel
def quantile_attenuation_db(
    median_db: float, d: float, f_mhz: float, he_t: float, he_r: float, delta_h: float,
    climate: int, mode: int, time: float, location: float, situation: float,
) -> float:  # fmt: skip
    """Return the attenuation not exceeded for shares of times, places and situations [5.1-5.22].

    Parameters
    ----------
    median_db : float
        Reference attenuation.
    d, he_t, he_r, delta_h : float
        Distance, effective heights and roughness in metres.
    f_mhz : float
    climate : int
        1 to 7.
    mode : int
        0 single message, 1 accidental, 2 mobile, 3 broadcast; 10 more without variability of
        locations, 20 more without that of situations.
    time, location, situation : float
        Shares, above 0 and below 1.
    """
    c = climate - 1
    wave = f_mhz / 47.7
    z_t = inverse_complementary(time)
    z_l = inverse_complementary(location)
    z_s = inverse_complementary(situation)
    no_situation = mode >= 20
    no_location = (mode % 20) >= 10
    mode = mode % 10
    if mode == SINGLE_MESSAGE:
        z_t = z_l = z_s
    elif mode == ACCIDENTAL:
        z_l = z_s
    elif mode == MOBILE:
        z_l = z_t
    de_km = _effective_km(d, wave, he_t, he_r)
    sigma_t = _sigma_time_db(z_t, de_km, wave, c)
    rough = (1.0 - 0.8 * math.exp(-d / 50e3)) * delta_h * wave
    sigma_l = 0.0 if no_location else 10.0 * rough / (rough + 13.0)
    base = 0.0 if no_situation else (5.0 + 3.0 * math.exp(-de_km / 100.0)) ** 2
    variance = (
        base + (sigma_t * z_t) ** 2 / (7.8 + z_s * z_s) + (sigma_l * z_l) ** 2 / (24.0 + z_s * z_s)
    )
    if mode == SINGLE_MESSAGE:
        certain, sigma_s = 0.0, math.sqrt(sigma_t**2 + sigma_l**2 + variance)
    elif mode == ACCIDENTAL:
        certain, sigma_s = sigma_t * z_t, math.sqrt(sigma_l**2 + variance)
    elif mode == MOBILE:
        certain, sigma_s = math.hypot(sigma_t, sigma_l) * z_t, math.sqrt(variance)
    else:
        certain, sigma_s = sigma_t * z_t + sigma_l * z_l, math.sqrt(variance)
    result = median_db - _curve(MEDIAN, c, de_km) - certain - sigma_s * z_s
    if result < 0.0:
        result = result * (29.0 - result) / (29.0 - 10.0 * result)
    return result


@kernel
def _effective_km(d: float, wave: float, he_t: float, he_r: float) -> float:
    """Return the effective distance, which the curves of the climates ask for [5.3]."""
    reach = math.sqrt(18e6 * he_t) + math.sqrt(18e6 * he_r) + (575.7e12 / wave) ** (1.0 / 3.0)
    if d < reach:
        return 130.0 * d / reach
    return 130.0 + (d - reach) / 1000.0


@kernel
def _sigma_time_db(z_t: float, de_km: float, wave: float, c: int) -> float:
    """Return the spread over time on the side that is asked for [5.11]."""
    q = math.log(0.133 * wave)
    if z_t < 0.0:
        return _curve(WEAKER, c, de_km) * _by_frequency(WEAKER_BY_FREQUENCY, c, q)
    stronger = _curve(STRONGER, c, de_km) * _by_frequency(STRONGER_BY_FREQUENCY, c, q)
    if z_t <= DUCTED_FROM[c]:
        return stronger
    ducted = stronger * DUCTED_RATIO[c]
    return ducted + (stronger - ducted) * DUCTED_FROM[c] / z_t


@kernel
def _curve(table: np.ndarray, c: int, de_km: float) -> float:
    bell = table[1, c] / (1.0 + ((de_km - table[3, c]) / table[4, c]) ** 2)
    near = (de_km / table[2, c]) ** 2
    return (table[0, c] + bell) * near / (1.0 + near)


@kernel
def _by_frequency(table: np.ndarray, c: int, q: float) -> float:
    return table[0, c] + table[1, c] / ((table[2, c] * q) ** 2 + 1.0)

"""What surrounds a terminal: clutter by statistics (P.2108) and the walls of a house (P.2109)."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from phusong.radio.limits import require_choice, require_within

__all__ = ["building_entry_loss_db", "clutter_loss_db"]

CLUTTER = "ITU-R P.2108-1, §3.2"
ENTRY = "ITU-R P.2109-2, §3"
# r, s, t, u, v, w, x, y, z of P.2109-2, table 1
HOUSES = {
    "traditional": (12.64, 3.72, 0.96, 9.6, 2.0, 9.1, -3.0, 4.5, -2.0),
    "thermally_efficient": (28.19, -3.00, 8.48, 13.5, 3.8, 27.8, -2.9, 9.4, -2.1),
}


def clutter_loss_db(
    distance_m: float | np.ndarray, *, frequency_ghz: float, locations_pct: float = 50.0
) -> np.ndarray:
    """Return the loss by what stands around one low terminal: P.2108-1, §3.2, by statistics.

    For a path model that knows no clutter; never on top of P.1812 with clutter along its profile,
    which would count the same houses twice. (§3.1 ends at 3 GHz and is not offered.)

    Parameters
    ----------
    distance_m : float or array
        Length of the path, at least 250. The loss is at most what it is at 2 km.
    frequency_ghz : float
        0.5 to 67.
    locations_pct : float
        Percentage of locations at which the loss is not exceeded, above 0 and below 100.

    Returns
    -------
    array of float, the shape of `distance_m`
        dB, for one end of the path.

    Raises
    ------
    ModelRangeError
        If a number is outside the ranges above.

    Examples
    --------
    >>> round(float(clutter_loss_db(250.0, frequency_ghz=0.5)), 1)
    17.4
    """
    require_within("frequency_ghz", frequency_ghz, 0.5, 67.0, source=CLUTTER)
    require_within("distance_m", distance_m, 250.0, np.inf, source=CLUTTER)
    require_within("locations_pct", locations_pct, 1e-9, 100.0 - 1e-9, source=CLUTTER)
    here_db = _clutter_db(np.asarray(distance_m, float), frequency_ghz, locations_pct)
    return np.minimum(here_db, _clutter_db(np.array(2000.0), frequency_ghz, locations_pct))


def _clutter_db(distance_m: np.ndarray, frequency_ghz: float, locations_pct: float) -> np.ndarray:
    """Return equation (3) of P.2108-1, which the section then caps by its value at 2 km."""
    log_f, distance_km = np.log10(frequency_ghz), distance_m / 1000.0
    long_db = -2.0 * np.log10(10.0 ** (-5.0 * log_f - 12.5) + 10.0**-16.5)
    short_db = 32.98 + 23.9 * np.log10(distance_km) + 3.0 * log_f
    long_share, short_share = 10.0 ** (-0.2 * long_db), 10.0 ** (-0.2 * short_db)
    variance = (16.0 * long_share + 36.0 * short_share) / (long_share + short_share)
    median_db = -5.0 * np.log10(long_share + short_share)
    return median_db + np.sqrt(variance) * ndtri(locations_pct / 100.0)


def building_entry_loss_db(
    *, frequency_ghz: float, house: str = "traditional", share: float = 0.5,
    elevation_deg: float = 0.0,
) -> float:  # fmt: skip
    """Return the loss into a building that is not exceeded for a share of buildings: P.2109-2, §3.

    Parameters
    ----------
    frequency_ghz : float
        0.08 to 100.
    house : {"traditional", "thermally_efficient"}
    share : float
        Above 0 and below 1.
    elevation_deg : float
        Of the path at the façade, -90 to 90.

    Returns
    -------
    float
        dB.

    Raises
    ------
    ModelRangeError
        If a number is outside the ranges above.

    Examples
    --------
    >>> round(building_entry_loss_db(frequency_ghz=3.5), 1)
    15.7
    """
    require_within("frequency_ghz", frequency_ghz, 0.08, 100.0, source=ENTRY)
    require_choice("house", house, tuple(HOUSES), source=ENTRY)
    require_within("share", share, 1e-9, 1.0 - 1e-9, source=ENTRY)
    require_within("elevation_deg", elevation_deg, -90.0, 90.0, source=ENTRY)
    r, s, t, u, v, w, x, y, z = HOUSES[house]
    log_f = float(np.log10(frequency_ghz))
    normal = float(ndtri(share))
    mean_1 = r + s * log_f + t * log_f**2 + 0.212 * abs(elevation_deg)
    first_db = normal * (u + v * log_f) + mean_1
    second_db = normal * (y + z * log_f) + w + x * log_f
    powers = 10.0 ** (0.1 * first_db) + 10.0 ** (0.1 * second_db) + 10.0**-0.3
    return 10.0 * float(np.log10(powers))

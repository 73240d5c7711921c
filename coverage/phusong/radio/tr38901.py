"""3GPP TR 38.901 V17.0.0, §7.4: rural and urban macro cells where no terrain is at hand."""

from __future__ import annotations

import numpy as np

from phusong.radio.limits import require_within

__all__ = ["rma_los_share", "rma_loss_db", "uma_los_share", "uma_loss_db"]

SOURCE = "3GPP TR 38.901 V17.0.0"
LIGHT_M_S = 3.0e8  # as the report rounds it for break points, table 7.4.1-1, note 1
UMA_ENVIRONMENT_M = 1.0  # hE where 1/(1 + C(d, hUT)) is 1: receivers below 13 m


def rma_loss_db(
    distance_2d_m: np.ndarray,
    *,
    frequency_ghz: float,
    base_height_m: float = 35.0,
    user_height_m: float = 1.5,
    is_los: bool | np.ndarray,
    building_height_m: float = 5.0,
    street_width_m: float = 20.0,
) -> np.ndarray:
    """Return the median path loss of a rural macro cell: TR 38.901, table 7.4.1-1, RMa.

    Parameters
    ----------
    distance_2d_m : array
        Along the ground: 10 to 10,000 in line of sight, to 5,000 without.
    frequency_ghz : float
        0.5 to 30.
    base_height_m, user_height_m : float
        10 to 150, and 1 to 10.
    is_los : bool or array of bool
        Whether user and base station see each other.
    building_height_m, street_width_m : float
        Averages, 5 to 50.

    Returns
    -------
    array of float
        dB. Shadow fading is apart: σ is 4 dB in line of sight before the break point, 6 dB beyond
        it, 8 dB without line of sight.

    Raises
    ------
    ModelRangeError
        If a number is outside the ranges above.

    Examples
    --------
    >>> loss_db = rma_loss_db(np.array([100.0, 1000.0]), frequency_ghz=5.0, is_los=True)
    >>> loss_db.round(2).tolist()
    [87.3, 108.56]
    """
    source = f"{SOURCE}, table 7.4.1-1, RMa"
    d2, seen = np.broadcast_arrays(np.asarray(distance_2d_m, float), np.asarray(is_los))
    require_within("frequency_ghz", frequency_ghz, 0.5, 30.0, source=source)
    require_within("base_height_m", base_height_m, 10.0, 150.0, source=source)
    require_within("user_height_m", user_height_m, 1.0, 10.0, source=source)
    require_within("building_height_m", building_height_m, 5.0, 50.0, source=source)
    require_within("street_width_m", street_width_m, 5.0, 50.0, source=source)
    require_within("distance_2d_m (line of sight)", d2[seen], 10.0, 10_000.0, source=source)
    require_within("distance_2d_m (no line of sight)", d2[~seen], 10.0, 5_000.0, source=source)
    break_m = 2.0 * np.pi * base_height_m * user_height_m * frequency_ghz * 1e9 / LIGHT_M_S
    d3 = np.hypot(d2, base_height_m - user_height_m)
    near_db = _rma_first(np.where(d2 <= break_m, d3, break_m), frequency_ghz, building_height_m)
    los_db = near_db + 40.0 * np.log10(np.where(d2 <= break_m, 1.0, d3 / break_m))
    hidden_db = (
        161.04
        - 7.1 * np.log10(street_width_m)
        + 7.5 * np.log10(building_height_m)
        - (24.37 - 3.7 * (building_height_m / base_height_m) ** 2) * np.log10(base_height_m)
        + (43.42 - 3.1 * np.log10(base_height_m)) * (np.log10(d3) - 3.0)
        + 20.0 * np.log10(frequency_ghz)
        - (3.2 * np.log10(11.75 * user_height_m) ** 2 - 4.97)
    )
    return np.where(seen, los_db, np.maximum(los_db, hidden_db))


def _rma_first(d3_m: np.ndarray, frequency_ghz: float, building_m: float) -> np.ndarray:
    """Return PL1 of RMa, the loss before the break point."""
    rise = building_m**1.72
    return (
        20.0 * np.log10(40.0 * np.pi * d3_m * frequency_ghz / 3.0)
        + min(0.03 * rise, 10.0) * np.log10(d3_m)
        - min(0.044 * rise, 14.77)
        + 0.002 * np.log10(building_m) * d3_m
    )


def uma_loss_db(
    distance_2d_m: np.ndarray,
    *,
    frequency_ghz: float,
    base_height_m: float = 25.0,
    user_height_m: float = 1.5,
    is_los: bool | np.ndarray,
) -> np.ndarray:
    """Return the median path loss of an urban macro cell: TR 38.901, table 7.4.1-1, UMa.

    Parameters
    ----------
    distance_2d_m : array
        Along the ground, 10 to 5,000.
    frequency_ghz : float
        0.5 to 100.
    base_height_m : float
        The table is for 25; 10 to 150 is taken.
    user_height_m : float
        1.5 to below 13, where the height of the environment is 1 m for certain (note 1).
    is_los : bool or array of bool
        Whether user and base station see each other.

    Returns
    -------
    array of float
        dB. Shadow fading is apart: σ is 4 dB in line of sight and 6 dB without.

    Raises
    ------
    ModelRangeError
        If a number is outside the ranges above.

    Examples
    --------
    >>> float(uma_loss_db(np.array(1000.0), frequency_ghz=5.0, is_los=True).round(2))
    109.73
    """
    source = f"{SOURCE}, table 7.4.1-1, UMa"
    d2, seen = np.broadcast_arrays(np.asarray(distance_2d_m, float), np.asarray(is_los))
    require_within("frequency_ghz", frequency_ghz, 0.5, 100.0, source=source)
    require_within("base_height_m", base_height_m, 10.0, 150.0, source=source)
    require_within("user_height_m", user_height_m, 1.5, 13.0, source=source)
    require_within("distance_2d_m", d2, 10.0, 5_000.0, source=source)
    above_m = (base_height_m - UMA_ENVIRONMENT_M) * (user_height_m - UMA_ENVIRONMENT_M)
    break_m = 4.0 * above_m * frequency_ghz * 1e9 / LIGHT_M_S
    apart_m = base_height_m - user_height_m
    d3 = np.hypot(d2, apart_m)
    at_1_ghz = 20.0 * np.log10(frequency_ghz) + 28.0
    near_db = at_1_ghz + 22.0 * np.log10(d3)
    far_db = at_1_ghz + 40.0 * np.log10(d3) - 9.0 * np.log10(break_m**2 + apart_m**2)
    los_db = np.where(d2 <= break_m, near_db, far_db)
    hidden_db = (
        13.54 + 39.08 * np.log10(d3) + 20.0 * np.log10(frequency_ghz) - 0.6 * (user_height_m - 1.5)
    )
    return np.where(seen, los_db, np.maximum(los_db, hidden_db))


def rma_los_share(distance_2d_m: np.ndarray) -> np.ndarray:
    """Return the probability of line of sight in a rural macro cell: TR 38.901, table 7.4.2-1.

    Examples
    --------
    >>> rma_los_share(np.array([10.0, 1010.0])).round(3).tolist()
    [1.0, 0.368]
    """
    d2 = np.asarray(distance_2d_m, float)
    require_within("distance_2d_m", d2, 0.0, np.inf, source=f"{SOURCE}, table 7.4.2-1, RMa")
    return np.exp(-np.maximum(d2 - 10.0, 0.0) / 1000.0)


def uma_los_share(distance_2d_m: np.ndarray, *, user_height_m: float = 1.5) -> np.ndarray:
    """Return the probability of line of sight in an urban macro cell: TR 38.901, table 7.4.2-1.

    Parameters
    ----------
    distance_2d_m : array
        Along the ground, outdoors.
    user_height_m : float
        Up to 23; above 13 the chance grows with height.

    Examples
    --------
    >>> uma_los_share(np.array([18.0, 100.0])).round(3).tolist()
    [1.0, 0.348]
    """
    source = f"{SOURCE}, table 7.4.2-1, UMa"
    d2 = np.asarray(distance_2d_m, float)
    require_within("distance_2d_m", d2, 0.0, np.inf, source=source)
    require_within("user_height_m", user_height_m, 0.0, 23.0, source=source)
    far = np.maximum(d2, 18.0)
    share = 18.0 / far + np.exp(-far / 63.0) * (1.0 - 18.0 / far)
    lift = max((user_height_m - 13.0) / 10.0, 0.0) ** 1.5
    share = share * (1.0 + lift * 1.25 * (far / 100.0) ** 3 * np.exp(-far / 150.0))
    return np.where(d2 <= 18.0, 1.0, np.minimum(share, 1.0))

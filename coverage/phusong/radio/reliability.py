"""How sure a predicted signal is: of a cell, at the edge of an area, over the whole area."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import erf, erfcx, ndtr, ndtri

from phusong.radio.limits import require_within

__all__ = ["area_share", "combine_sigmas_db", "covered_share"]


def covered_share(
    median_dbm: np.ndarray | float, *, threshold_dbm: float, sigma_db: np.ndarray | float
) -> np.ndarray:
    """Return the probability that the signal reaches a threshold: Φ((median - T)/σ).

    Parameters
    ----------
    median_dbm : array or float
        NaN where unknown, which stays NaN.
    threshold_dbm : float
    sigma_db : array or float
        > 0; see `combine_sigmas_db`.

    Returns
    -------
    array of float
        0 to 1.

    Examples
    --------
    >>> covered_share(np.array([-105.0, -97.0]), threshold_dbm=-105.0, sigma_db=8.0).round(3)
    array([0.5  , 0.841])
    """
    require_within("sigma_db", sigma_db, 1e-6, 100.0, source="a standard deviation")
    return ndtr((np.asarray(median_dbm, float) - threshold_dbm) / np.asarray(sigma_db, float))


def combine_sigmas_db(*, location_db: float, model_db: float) -> float:
    """Return the standard deviation of a cell's signal: of places within it, and of the model.

    Examples
    --------
    >>> combine_sigmas_db(location_db=3.0, model_db=4.0)
    5.0
    """
    require_within("location_db", location_db, 0.0, 100.0, source="a standard deviation")
    require_within("model_db", model_db, 0.0, 100.0, source="a standard deviation")
    return math.hypot(location_db, model_db)


def area_share(edge_share: float, *, sigma_db: float, exponent: float) -> float:
    """Return the share of a disc that is covered, from the probability at its edge.

    Jakes, Microwave Mobile Communications (1974), §2.5.3, equation (2.5-15), for a loss that grows
    as 10·n·log10(distance) and a normal shadow.

    Parameters
    ----------
    edge_share : float
        Above 0 and below 1.
    sigma_db : float
        Of the shadow, > 0.
    exponent : float
        n, > 0; 2 in free space, about 4 over ground.

    Returns
    -------
    float
        0 to 1.

    Examples
    --------
    >>> round(area_share(0.75, sigma_db=8.0, exponent=4.0), 3)
    0.907
    """
    require_within("edge_share", edge_share, 1e-9, 1.0 - 1e-9, source="a probability")
    require_within("sigma_db", sigma_db, 1e-6, 100.0, source="a standard deviation")
    require_within("exponent", exponent, 0.1, 20.0, source="an exponent of distance")
    a = -float(ndtri(edge_share)) / math.sqrt(2.0)
    b = 10.0 * exponent * math.log10(math.e) / (sigma_db * math.sqrt(2.0))
    # exp((1 - 2ab)/b²) (1 - erf((1 - ab)/b)), written so that nothing overflows
    inner = math.exp(-a * a) * float(erfcx((1.0 - a * b) / b))
    return 0.5 * (1.0 - float(erf(a)) + inner)

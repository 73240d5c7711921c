"""The normal distribution as the Recommendations approximate it."""

from __future__ import annotations

import math

from phusong.kernels import kernel

__all__ = ["inverse_complementary"]


@kernel
def inverse_complementary(share: float) -> float:
    """Return what a standard normal variable exceeds with a probability: Q⁻¹.

    ITU-R P.1812-7, Annex 1, Attachment 2 (also P.1057-6, §4, and NTIA's ITM): Abramowitz and
    Stegun's 26.2.23, off by less than 4.5e-4.

    Parameters
    ----------
    share : float
        0 to 1; below 1e-6 and above 1 - 1e-6 it is taken as these.

    Returns
    -------
    float
        Positive for shares below 0.5.

    Examples
    --------
    >>> round(inverse_complementary(0.1), 4), round(inverse_complementary(0.9), 4)
    (1.2817, -1.2817)
    """
    tail = min(max(share, 1e-6), 1.0 - 1e-6)
    sign = 1.0
    if tail > 0.5:
        tail, sign = 1.0 - tail, -1.0
    t = math.sqrt(-2.0 * math.log(tail))
    over = (0.010328 * t + 0.802853) * t + 2.515516698
    under = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0
    return sign * (t - over / under)

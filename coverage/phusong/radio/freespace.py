"""Free space (ITU-R P.525-4, §2.3): what is lost with nothing in between."""

from __future__ import annotations

import numpy as np

from phusong.radio.limits import require_within

__all__ = ["free_space_loss_db"]

SOURCE = "ITU-R P.525-4, §2.3"


def free_space_loss_db(distance_m: float | np.ndarray, *, frequency_ghz: float) -> np.ndarray:
    """Return the basic transmission loss between isotropic antennas in free space.

    L = 20 log10(4πd/λ), ITU-R P.525-4, equation (4), with c = 299,792,458 m/s.

    Parameters
    ----------
    distance_m : float or array
        Slant distance, > 0.
    frequency_ghz : float
        > 0.

    Returns
    -------
    array of float, the shape of `distance_m`
        dB.

    Raises
    ------
    ModelRangeError
        If a distance or the frequency is not positive.

    Examples
    --------
    >>> round(float(free_space_loss_db(1000.0, frequency_ghz=1.0)), 2)
    92.45
    """
    smallest = float(np.finfo(float).tiny)
    require_within("distance_m", distance_m, smallest, np.inf, source=SOURCE)
    require_within("frequency_ghz", frequency_ghz, smallest, np.inf, source=SOURCE)
    wavelength_m = 0.299792458 / frequency_ghz
    return 20.0 * np.log10(4.0 * np.pi * np.asarray(distance_m, float) / wavelength_m)

"""From the power of a channel to the power of one resource element at the receiver."""

from __future__ import annotations

import math

import numpy as np

from phusong.radio.limits import ModelRangeError, require_choice, require_within

__all__ = ["VEHICLE_DB", "element_share_db", "resource_blocks", "rsrp_dbm"]

SUBCARRIERS = 12  # of a resource block
# Transmission bandwidths in resource blocks, by MHz of channel: 3GPP TS 36.101, table 5.6-1, and
# TS 38.101-1, table 5.3.2-1, by kHz of subcarrier spacing.
LTE_BLOCKS: dict[float, int] = {1.4: 6, 3: 15, 5: 25, 10: 50, 15: 75, 20: 100}
NR_BLOCKS: dict[int, dict[float, int]] = {
    15: {5: 25, 10: 52, 15: 79, 20: 106, 25: 133, 30: 160, 35: 188, 40: 216, 45: 242, 50: 270},
    30: {
        5: 11, 10: 24, 15: 38, 20: 51, 25: 65, 30: 78, 35: 92, 40: 106, 45: 119, 50: 133, 60: 162,
        70: 189, 80: 217, 90: 245, 100: 273,
    },
    60: {
        10: 11, 15: 18, 20: 24, 25: 31, 30: 38, 35: 44, 40: 51, 45: 58, 50: 65, 60: 79, 70: 93,
        80: 107, 90: 121, 100: 135,
    },
}  # fmt: skip
# Mean and standard deviation of the loss into a car: 3GPP TR 38.901 V17.0.0, §7.4.3.2, 0.6 to
# 60 GHz; with metallised windows the mean is 20 dB.
VEHICLE_DB = (9.0, 5.0)


def resource_blocks(bandwidth_mhz: float, *, technology: str, spacing_khz: int = 15) -> int:
    """Return how many resource blocks a channel holds: TS 36.101 (4G), TS 38.101-1 (5G, FR1).

    Parameters
    ----------
    bandwidth_mhz : float
    technology : str
        "4G", or one that begins with "5G".
    spacing_khz : {15, 30, 60}
        Of subcarriers; 15 for 4G.

    Raises
    ------
    ModelRangeError
        If the standard has no such channel.

    Examples
    --------
    >>> resource_blocks(100, technology="5G", spacing_khz=30), resource_blocks(10, technology="4G")
    (273, 50)
    """
    if technology == "4G":
        require_choice("spacing_khz", spacing_khz, (15,), source="3GPP TS 36.101")
        blocks, source = LTE_BLOCKS, "3GPP TS 36.101, table 5.6-1"
    elif technology.startswith("5G"):
        source = "3GPP TS 38.101-1, table 5.3.2-1"
        require_choice("spacing_khz", spacing_khz, tuple(NR_BLOCKS), source=source)
        blocks = NR_BLOCKS[spacing_khz]
    else:
        raise ModelRangeError(f"technology: found {technology!r}, expected 4G or 5G")
    require_choice("bandwidth_mhz", bandwidth_mhz, tuple(blocks), source=source)
    return blocks[bandwidth_mhz]


def element_share_db(n_blocks: int) -> float:
    """Return how far one resource element is below its whole channel: 10 log10(12 N_RB).

    Examples
    --------
    >>> round(element_share_db(273), 2), round(element_share_db(52), 2)
    (35.15, 27.95)
    """
    require_within("n_blocks", n_blocks, 1, 275, source="3GPP TS 38.101-1, table 5.3.2-1")
    return 10.0 * math.log10(SUBCARRIERS * n_blocks)


def rsrp_dbm(
    loss_db: np.ndarray | float, *, eirp_dbm: float, n_blocks: int,
    gain_db: np.ndarray | float = 0.0, boost_db: float = 0.0, margin_db: float = 0.0,
) -> np.ndarray:  # fmt: skip
    """Return SS-RSRP (5G) or RSRP (4G): the median power of one reference element.

    RSRP = EIRP - 10 log10(12 N_RB) + boost + pattern - loss - margin (TS 38.215, §5.1.1, and
    TS 36.214, §5.1.1, define what is measured).

    Parameters
    ----------
    loss_db : array or float
        Basic transmission loss.
    eirp_dbm : float
        Of the whole channel, the antenna's gain included.
    n_blocks : int
    gain_db : array or float
        The antenna's pattern in this direction, 0 at its best.
    boost_db : float
        What reference elements get above the average of the channel (SSB or CRS power offset, or
        the gain of SSB beams that the EIRP does not hold).
    margin_db : float
        Walls or a car's body around the receiver.

    Returns
    -------
    array of float
        dBm.

    Examples
    --------
    >>> float(rsrp_dbm(120.0, eirp_dbm=70.0, n_blocks=273).round(2))
    -85.15
    """
    fixed_dbm = eirp_dbm - element_share_db(n_blocks) + boost_db - margin_db
    return fixed_dbm + np.asarray(gain_db, float) - np.asarray(loss_db, float)

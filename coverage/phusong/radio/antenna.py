"""What an antenna sends where: the panel of 3GPP, and patterns that makers measured.

Azimuths are degrees clockwise from north, elevations degrees above the horizon. A gain here is
relative to the antenna's own maximum, so 0 dB at best: EIRP already holds the maximum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from phusong.kernels import kernel
from phusong.radio.limits import require_within

__all__ = ["Panel", "Pattern", "panel_db", "panel_gain_db", "pattern_gain_db", "wrap_deg"]

SOURCE = "3GPP TR 38.901 V17.0.0, table 7.3-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A sector's panel: its own beamwidths (3 dB) and tilts, down positive.

    A macro cell's panel has a vertical beam of about 10°; the table's 65° is that of one element.
    """

    horizontal_beamwidth_deg: float = 65.0
    vertical_beamwidth_deg: float = 10.0
    electrical_tilt_deg: float = 0.0
    mechanical_tilt_deg: float = 0.0
    front_to_back_db: float = 30.0
    side_lobe_db: float = 30.0

    def __post_init__(self) -> None:
        require_within("horizontal_beamwidth_deg", self.horizontal_beamwidth_deg, 1.0, 360.0,
                       source=SOURCE)  # fmt: skip
        require_within("vertical_beamwidth_deg", self.vertical_beamwidth_deg, 1.0, 180.0,
                       source=SOURCE)  # fmt: skip
        for name in ("electrical_tilt_deg", "mechanical_tilt_deg"):
            require_within(name, getattr(self, name), -90.0, 90.0, source="a tilt")
        for name in ("front_to_back_db", "side_lobe_db"):
            require_within(name, getattr(self, name), 0.0, 100.0, source=SOURCE)

    @property
    def beams(self) -> tuple[float, float, float, float, float, float]:
        """The fields in their order, as compiled code takes them."""
        return (
            self.horizontal_beamwidth_deg, self.vertical_beamwidth_deg, self.electrical_tilt_deg,
            self.mechanical_tilt_deg, self.front_to_back_db, self.side_lobe_db,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pattern:
    """A measured pattern: attenuations below the maximum, one for each whole degree.

    `horizontal_db[i]` is i degrees clockwise from the boresight; `vertical_db[i]` is i degrees
    below the horizon in front, so 90 is straight down, 180 behind and 270 straight up.
    """

    name: str
    gain_dbi: float
    frequency_mhz: float | None
    horizontal_db: np.ndarray
    vertical_db: np.ndarray


def wrap_deg(angle_deg: np.ndarray | float) -> np.ndarray:
    """Return angles between -180 (held) and 180 (not held).

    Examples
    --------
    >>> wrap_deg(np.array([350.0, -190.0, 180.0])).tolist()
    [-10.0, 170.0, -180.0]
    """
    return np.mod(np.asarray(angle_deg, float) + 180.0, 360.0) - 180.0


def panel_gain_db(
    azimuth_deg: np.ndarray | float, elevation_deg: np.ndarray | float, *, boresight_deg: float,
    panel: Panel,
) -> np.ndarray:  # fmt: skip
    """Return what a panel sends in a direction, relative to its maximum: 38.901, table 7.3-1.

    A = -min(-(A_V + A_H), A_max), A_V = -min(12 ((θ - θ_tilt)/θ_3dB)², SLA_V),
    A_H = -min(12 (φ/φ_3dB)², A_max). Electrical tilt moves the vertical beam alike in all azimuths;
    mechanical tilt turns the whole panel about its horizontal axis, so that it lifts the beam
    behind and rolls it at the sides.

    Parameters
    ----------
    azimuth_deg, elevation_deg : arrays or floats, of shapes that broadcast
        Of the direction.
    boresight_deg : float
        The panel's azimuth.
    panel : Panel

    Returns
    -------
    array of float
        dB, 0 or less.

    Examples
    --------
    >>> panel = Panel(electrical_tilt_deg=4.0, mechanical_tilt_deg=2.0)
    >>> panel_gain_db(350.0, np.array([-6.0, -1.0]), boresight_deg=350.0, panel=panel).round(6)
    array([-0., -3.])
    """
    azimuths, elevations = np.broadcast_arrays(
        np.asarray(azimuth_deg, float) - boresight_deg, np.asarray(elevation_deg, float)
    )
    gains = np.empty(azimuths.shape)
    _fill_gains(azimuths.ravel(), elevations.ravel(), panel.beams, gains.reshape(-1))
    return gains


@kernel
def _fill_gains(
    offsets_deg: np.ndarray, elevations_deg: np.ndarray, beams: tuple[float, ...],
    gains_db: np.ndarray,
) -> None:  # fmt: skip
    for i in range(len(gains_db)):
        gains_db[i] = panel_db(offsets_deg[i], elevations_deg[i], beams)


@kernel
def panel_db(offset_deg: float, elevation_deg: float, beams: tuple[float, ...]) -> float:
    """Return the gain of `panel_gain_db` in one direction, an azimuth off the boresight.

    `beams` are `Panel.beams`.
    """
    horizontal, vertical, electrical, mechanical, behind, side = beams
    turned, below = (offset_deg + 180.0) % 360.0 - 180.0, -elevation_deg
    if mechanical != 0.0:
        offset, elevation = math.radians(offset_deg), math.radians(elevation_deg)
        tilt = math.radians(mechanical)
        ahead, up = math.cos(elevation) * math.cos(offset), math.sin(elevation)
        aside = math.cos(elevation) * math.sin(offset)
        turned_up = up * math.cos(tilt) + ahead * math.sin(tilt)
        turned = math.degrees(math.atan2(aside, ahead * math.cos(tilt) - up * math.sin(tilt)))
        below = -math.degrees(math.asin(min(max(turned_up, -1.0), 1.0)))
    across = min(12.0 * (turned / horizontal) ** 2, behind)
    down = min(12.0 * ((below - electrical) / vertical) ** 2, side)
    return -min(across + down, behind)


def pattern_gain_db(
    azimuth_deg: np.ndarray | float, elevation_deg: np.ndarray | float, *, boresight_deg: float,
    pattern: Pattern, mechanical_tilt_deg: float = 0.0,
) -> np.ndarray:  # fmt: skip
    """Return what a measured antenna sends in a direction, relative to its maximum.

    Between its two cuts the pattern is interpolated: the horizontal one, plus the departure of
    the vertical cut in front and behind, each with a weight that falls linearly with azimuth.
    On both cuts it is exact.

    Parameters
    ----------
    azimuth_deg, elevation_deg, boresight_deg
        See `panel_gain_db`.
    pattern : Pattern
        Electrical tilt is in its vertical cut.
    mechanical_tilt_deg : float

    Returns
    -------
    array of float
        dB, 0 or less.
    """
    require_within("mechanical_tilt_deg", mechanical_tilt_deg, -90.0, 90.0, source="a tilt")
    offset, below = _turn(azimuth_deg, elevation_deg, boresight_deg, mechanical_tilt_deg)
    behind = np.abs(offset) / 180.0
    lost = (
        _at(pattern.horizontal_db, offset)
        + (1.0 - behind) * (_at(pattern.vertical_db, below) - pattern.horizontal_db[0])
        + behind * (_at(pattern.vertical_db, 180.0 - below) - pattern.horizontal_db[180])
    )
    return -np.maximum(lost, 0.0)


def _turn(
    azimuth_deg: np.ndarray | float, elevation_deg: np.ndarray | float, boresight_deg: float,
    tilt_deg: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return azimuth off the boresight and angle below the horizon, as a tilted panel sees them."""
    offset = np.radians(wrap_deg(np.asarray(azimuth_deg, float) - boresight_deg))
    elevation, tilt = np.radians(np.asarray(elevation_deg, float)), np.radians(tilt_deg)
    ahead, up = np.cos(elevation) * np.cos(offset), np.sin(elevation)
    aside = np.cos(elevation) * np.sin(offset)
    turned_ahead = ahead * np.cos(tilt) - up * np.sin(tilt)
    turned_up = up * np.cos(tilt) + ahead * np.sin(tilt)
    below = -np.degrees(np.arcsin(np.clip(turned_up, -1.0, 1.0)))
    return np.degrees(np.arctan2(aside, turned_ahead)), below


def _at(cut_db: np.ndarray, angle_deg: np.ndarray) -> np.ndarray:
    """Return a cut's attenuation at any angle, straight between whole degrees."""
    return np.interp(np.mod(angle_deg, 360.0), np.arange(361.0), np.append(cut_db, cut_db[0]))

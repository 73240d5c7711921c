"""Sea, coast and inland along a path: what P.1812 makes of them (ITU-R P.1812-7, §3.2 and §3.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phusong.radio.limits import ModelRangeError, require_within

__all__ = ["COAST", "INLAND", "SEA", "Zones"]

SEA, COAST, INLAND = 1, 3, 4
SOURCE = "ITU-R P.1812-7, Annex 1"
FAR_KM = 500.0  # no coast that matters


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """The radio-climatic zones of a path's points, and where it lies.

    `zone` holds 1 (sea), 3 (coastal land) or 4 (inland) for each point of the profile; all inland
    without it. `latitude_deg` is the path centre's. `dct_km` and `dcr_km` are the distances over
    land from the transmitter and the receiver to the coast, along the path; 0 at sea.
    """

    zone: np.ndarray | None = None
    latitude_deg: float = 20.0
    dct_km: float = FAR_KM
    dcr_km: float = FAR_KM

    def parameters(self, d_km: np.ndarray) -> tuple[float, float, float, float, float]:
        """Return the share over sea, β0 (%), τ, and the distances to the coast (km)."""
        require_within("latitude_deg", self.latitude_deg, -80.0, 80.0, source=f"{SOURCE}, §2")
        require_within("dct_km", self.dct_km, 0.0, np.inf, source=f"{SOURCE}, §2")
        require_within("dcr_km", self.dcr_km, 0.0, np.inf, source=f"{SOURCE}, §2")
        zone = np.full(len(d_km), INLAND) if self.zone is None else np.asarray(self.zone)
        if len(zone) != len(d_km) or not np.isin(zone, (SEA, COAST, INLAND)).all():
            raise ModelRangeError(
                f"zone: expected {len(d_km)} codes of 1 (sea), 3 (coast) or 4 (inland)"
            )
        land_km = longest_stretch_km(d_km, zone != SEA)
        tau = 1.0 - np.exp(-4.12e-4 * longest_stretch_km(d_km, zone == INLAND) ** 2.41)
        b0 = anomalous_time_pct(self.latitude_deg, land_km, float(tau))
        dct_km = 0.0 if zone[0] == SEA else self.dct_km
        dcr_km = 0.0 if zone[-1] == SEA else self.dcr_km
        return _stretches_km(d_km, zone == SEA).sum() / d_km[-1], b0, float(tau), dct_km, dcr_km


def longest_stretch_km(d_km: np.ndarray, belongs: np.ndarray) -> float:
    """Return the length of the longest unbroken stretch of a path that belongs.

    A point stands for the path up to half-way to its neighbours.

    Examples
    --------
    >>> longest_stretch_km(np.arange(5.0), np.array([True, True, False, True, False]))
    1.5
    """
    longest = stretch = 0.0
    for length in _stretches_km(d_km, belongs):
        stretch = stretch + float(length) if length > 0.0 else 0.0
        longest = max(longest, stretch)
    return longest


def anomalous_time_pct(latitude_deg: float, land_km: float, tau: float) -> float:
    """Return β0, the percentage of time with steep refraction: P.1812-7, equations (2) to (5).

    Parameters
    ----------
    latitude_deg : float
        Of the path's centre.
    land_km : float
        Longest stretch over land, inland and coast.
    tau : float
        From the longest stretch inland: equation (3a).
    """
    latitude = abs(latitude_deg)
    mu1 = (10.0 ** (-land_km / (16.0 - 6.6 * tau)) + 10.0 ** (-5.0 * (0.496 + 0.354 * tau))) ** 0.2
    mu1 = min(mu1, 1.0)
    if latitude > 70.0:
        return float(4.17 * mu1 * mu1**0.3)
    mu4 = mu1 ** (-0.935 + 0.0176 * latitude)
    return float(10.0 ** (-0.015 * latitude + 1.67) * mu1 * mu4)


def _stretches_km(d_km: np.ndarray, belongs: np.ndarray) -> np.ndarray:
    """Return how much of the path each point stands for, 0 where it does not belong."""
    edges = np.concatenate((d_km[:1], (d_km[1:] + d_km[:-1]) / 2.0, d_km[-1:]))
    return np.where(belongs, np.diff(edges), 0.0)

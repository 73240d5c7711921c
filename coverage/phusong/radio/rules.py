"""What a prediction takes for given: thresholds with their sources, and assumptions, as values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from phusong.radio.limits import ModelRangeError, require_within

__all__ = ["Assumption", "Offset", "RadioRules", "Threshold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The median power of a reference signal from which a technology counts as covering.

    With `strict_dbm` it is a pair: the share at the strict one is the lower bound.
    """

    technologies: tuple[str, ...]
    quantity: str
    threshold_dbm: float
    source: str
    strict_dbm: float | None = None

    def __post_init__(self) -> None:
        require_within("threshold_dbm", self.threshold_dbm, -160.0, 0.0, source="a threshold")
        if self.strict_dbm is not None:
            require_within("strict_dbm", self.strict_dbm, self.threshold_dbm, 0.0,
                           source="the surer of a pair")  # fmt: skip

    @property
    def strict_by_db(self) -> float:
        """How far the strict threshold lies above the other; 0 without one."""
        return 0.0 if self.strict_dbm is None else self.strict_dbm - self.threshold_dbm


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What stands in for what a site of some technologies does not say, up to a frequency.

    `reference_db` is how far the reference signal is below the whole channel, where it is no
    resource element (2G, 3G).
    """

    technologies: tuple[str, ...]
    max_mhz: float
    eirp_dbm: float
    bandwidth_mhz: float
    antenna_height_m: float
    downtilt_deg: float
    vertical_beamwidth_deg: float
    spacing_khz: int = 15
    reference_db: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """What drive tests say a prediction lacks, of some technologies in a band: see `calibrate`."""

    technologies: tuple[str, ...]
    min_mhz: float
    max_mhz: float
    offset_db: float
    source: str

    def __post_init__(self) -> None:
        require_within("offset_db", self.offset_db, -40.0, 40.0, source="a calibration")
        require_within("min_mhz", self.min_mhz, 0.0, self.max_mhz, source="a band")


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioRules:
    """The register of a prediction.

    Attributes
    ----------
    thresholds : tuple of Threshold
    assumptions : tuple of Assumption
        By technology and rising frequency: the first whose `max_mhz` is not below a site's.
    model_sigma_db : float
        Standard deviation of what the model gets wrong.
    correlation_m : float
        Distance over which that is alike: its correlation is exp(-distance / correlation_m).
    interval : float
        How sure an interval is, such as 0.9.
    load : float
        Share of the time that neighbours on the same channel send, 0 to 1.
    noise_figure_db, receiver_height_m : float
    sector_share : float
        Of a sector's declared width that its panel's 3 dB beam has.
    side_lobe_db, front_to_back_db : float
        See `antenna.Panel`.
    cover_m : dict of int to float
        Heights of land-cover classes.
    sources : tuple of str
    offsets : tuple of Offset
        Of bands that do not overlap within a technology.
    """

    thresholds: tuple[Threshold, ...]
    assumptions: tuple[Assumption, ...]
    model_sigma_db: float
    correlation_m: float
    interval: float
    load: float
    noise_figure_db: float
    receiver_height_m: float
    sector_share: float
    side_lobe_db: float
    front_to_back_db: float
    cover_m: dict[int, float]
    sources: tuple[str, ...] = ()
    offsets: tuple[Offset, ...] = ()

    def __post_init__(self) -> None:
        require_within(
            "model_sigma_db", self.model_sigma_db, 0.0, 40.0, source="a standard deviation"
        )
        require_within("correlation_m", self.correlation_m, 1.0, 1e6, source="a distance")
        require_within("interval", self.interval, 0.01, 0.999, source="a probability")
        require_within("load", self.load, 0.0, 1.0, source="a share")
        require_within("noise_figure_db", self.noise_figure_db, 0.0, 40.0, source="a receiver")
        require_within("sector_share", self.sector_share, 0.05, 1.0, source="a share")
        for i, one in enumerate(self.offsets):
            for other in self.offsets[:i]:
                is_shared = set(one.technologies) & set(other.technologies)
                if is_shared and one.min_mhz <= other.max_mhz and other.min_mhz <= one.max_mhz:
                    raise ModelRangeError(
                        f"offset: {', '.join(sorted(is_shared))} has two at "
                        f"{max(one.min_mhz, other.min_mhz):g} MHz"
                    )

    def threshold_of(self, technology: str) -> Threshold:
        """Return the threshold of a technology.

        Raises
        ------
        ModelRangeError
            If the register has none.
        """
        for threshold in self.thresholds:
            if technology in threshold.technologies:
                return threshold
        raise ModelRangeError(f"radio register: no [[threshold]] names {technology}")

    def offset_for(self, technology: str, frequency_mhz: float) -> Offset | None:
        """Return what is added to the signal of a technology at a frequency, if anything."""
        for one in self.offsets:
            if technology in one.technologies and one.min_mhz <= frequency_mhz <= one.max_mhz:
                return one
        return None

    def assumption_for(self, technology: str, frequency_mhz: float) -> Assumption:
        """Return what is assumed of a technology at a frequency.

        Raises
        ------
        ModelRangeError
            If the register has nothing.
        """
        fitting = [
            one for one in self.assumptions
            if technology in one.technologies and frequency_mhz <= one.max_mhz
        ]  # fmt: skip
        if not fitting or math.isnan(frequency_mhz):
            raise ModelRangeError(
                f"radio register: no [[assumption]] for {technology} at {frequency_mhz:g} MHz"
            )
        return min(fitting, key=lambda one: one.max_mhz)

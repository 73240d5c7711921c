"""Radio: propagation models, antennas, link budgets, and signals of whole networks over terrain."""

from phusong.radio.calibration import calibrate

__all__ = ["calibrate"]

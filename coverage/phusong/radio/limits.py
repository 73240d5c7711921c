"""The legal range of a model: a number outside it is an error, never an extrapolation."""

from __future__ import annotations

import numpy as np

from phusong.errors import PhusongError

__all__ = ["ModelRangeError", "require_choice", "require_within"]


class ModelRangeError(PhusongError, ValueError):
    """A number for which the propagation model is not defined."""


def require_within(
    name: str, value: float | np.ndarray, low: float, high: float, *, source: str
) -> None:
    """Check that a number, or each of an array, lies between two bounds, both legal.

    Parameters
    ----------
    name : str
        Of the quantity, with its unit, such as "frequency_ghz".
    value : float or array
    low, high : float
        `high` may be infinite, which no value may be.
    source : str
        The document and section that sets the range.

    Raises
    ------
    ModelRangeError
        With the first value outside, NaN included.

    Examples
    --------
    >>> require_within("frequency_ghz", 7.0, 0.03, 6.0, source="ITU-R P.1812-7, Annex 1, §1")
    Traceback (most recent call last):
    phusong.radio.limits.ModelRangeError: frequency_ghz: found 7, expected 0.03 to 6 (ITU-R ...)
    """
    values = np.atleast_1d(np.asarray(value, float))
    outside = ~((values >= low) & (values <= high) & np.isfinite(values))
    if outside.any():
        found = values[outside][0]
        span = f"at least {low:g}" if np.isinf(high) else f"{low:g} to {high:g}"
        raise ModelRangeError(f"{name}: found {found:g}, expected {span} ({source})")


def require_choice(name: str, value: object, choices: tuple[object, ...], *, source: str) -> None:
    """Check that a value is one of those that the model knows."""
    if value not in choices:
        known = ", ".join(str(choice) for choice in choices)
        raise ModelRangeError(f"{name}: found {value!r}, expected one of {known} ({source})")

"""Words and numbers of the pages, in the language of the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from phusong.publish.summary import figure_text, format_count
from phusong.targets import Figure, Reading
from phusong.words import localise

__all__ = [
    "as_number",
    "count_text",
    "decimal_text",
    "share_text",
]

# A share of a commune, as the text helpers of the summary take it.
_OF_A_COMMUNE = Reading(
    label_vi="", label_en="", indicator="", service="", share_of="people", threshold=None
)


def as_number(value: Any) -> float:
    """Return what a table or JSON has for a number; NaN where it has none."""
    return math.nan if pd.isna(value) else float(value)


def share_text(share: float, low: float, high: float, lang: str) -> str:
    """Return a share that is known with its bounds, which may be NaN.

    >>> share_text(0.84, 0.15, 1.0, "vi")
    '84,0 % [15,0 % – 100,0 %]'
    """
    figure = Figure(reading=_OF_A_COMMUNE, share=share, share_low=low, share_high=high)
    return figure_text(figure, lang)


def count_text(number: float, lang: str, words: Mapping[str, str]) -> str:
    """Return a whole number, such as of people; where it is not known, the word for that."""
    return words["unknown"] if math.isnan(number) else format_count(number, lang)


def decimal_text(number: float, digits: int, lang: str, words: Mapping[str, str]) -> str:
    """Return a number with decimals in the signs of a language; NaN is unknown.

    >>> decimal_text(1234.56, 1, "vi", {}), decimal_text(-0.03, 1, "en", {})
    ('1.234,6', '0.0')
    """
    if math.isnan(number):
        return words["unknown"]
    whole, _, decimals = f"{abs(number):.{digits}f}".partition(".")
    sign = "−" if round(number, digits) < 0 else ""
    mark = localise(".", lang) if decimals else ""
    return f"{sign}{format_count(float(whole), lang)}{mark}{decimals}"

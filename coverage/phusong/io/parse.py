"""Numbers, dates and yes/no as planners write them; what cannot be read is a problem of its row."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd

from phusong.io.headers import as_words

__all__ = ["parse_dates", "parse_numbers", "parse_text", "parse_yes_no"]

# What can only be read one way: 3,14 and 0,123 and 1.234,5 and 1.234.567; and their mirrors.
ONLY_DECIMAL_COMMA = (
    r"[-+]?(?:\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,})"
)
ONLY_DECIMAL_DOT = (
    r"[-+]?(?:\d+\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,})"
)
GROUPED_BY_COMMA = r"[-+]?\d{1,3}(?:,\d{3})+"

EMPTY = ("", "-", "–", "—", "n/a", "na", "null", "none", "nan")


def parse_text(values: pd.Series) -> pd.Series:
    """Return text in NFC with single spaces; blank cells are NA."""
    clean = values.map(lambda text: " ".join(unicodedata.normalize("NFC", text).split()))
    clean = clean.str.replace(r"^'(?=[=+\-@＝＋－＠\t\r\n])", "", regex=True)
    return clean.where(clean != "").astype("str")


def parse_numbers(values: pd.Series, *, limit: float = np.inf) -> tuple[pd.Series, pd.Series]:
    """Return numbers, and which cells hold something that is none or could be two.

    The cells of a column decide together whether its decimal sign is a dot or a comma: 19,81 can
    only be a decimal comma, 1.234.567 only dots between thousands. Where nothing decides, 1.234 is
    read with a decimal dot, and 1,234 is no number: it could be two.

    Parameters
    ----------
    values : Series of str
    limit : float
        No number of the column is larger, as in degrees: 105,775 is then a decimal comma.

    Examples
    --------
    >>> parse_numbers(pd.Series(["105,77", "105,8", ""]))[0].tolist()
    [105.77, 105.8, nan]
    >>> parse_numbers(pd.Series(["1.234.567", "20.696"]))[0].tolist()
    [1234567.0, 20696.0]
    >>> parse_numbers(pd.Series(["28,717", "12 m"]))[1].tolist()
    [True, True]
    >>> parse_numbers(pd.Series(["105,775"]), limit=180)[0].tolist()
    [105.775]
    """
    text = values.str.replace(r"[\s\u00a0\u202f]", "", regex=True)
    is_empty = text.str.casefold().isin(EMPTY)
    filled = text[~is_empty]
    means_comma = filled.str.fullmatch(ONLY_DECIMAL_COMMA).any()
    means_dot = filled.str.fullmatch(ONLY_DECIMAL_DOT).any()
    is_grouped = filled.str.fullmatch(GROUPED_BY_COMMA)
    grouped = pd.to_numeric(filled[is_grouped].str.replace(",", "", regex=False))
    if not means_dot and len(grouped) and (grouped.abs() > limit).all():
        means_comma = True
    if means_comma and not means_dot:
        text = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    elif means_dot and not means_comma:
        regular = text.str.fullmatch(GROUPED_BY_COMMA + r"(?:\.\d+)?")
        text = text.where(~regular, text.str.replace(",", "", regex=False))
    numbers = pd.to_numeric(text.where(~is_empty), errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    return numbers, numbers.isna() & ~is_empty


def parse_dates(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return days from ISO dates or day/month/year, and which cells hold something else."""
    text = values.str.strip()
    is_empty = text.str.casefold().isin(EMPTY)
    iso = pd.to_datetime(text.where(~is_empty), format="%Y-%m-%d", errors="coerce")
    slashed = text.str.replace(r"[.\-]", "/", regex=True)
    local = pd.to_datetime(slashed.where(~is_empty), format="%d/%m/%Y", errors="coerce")
    days = iso.fillna(local).astype("datetime64[s]")
    return days, days.isna() & ~is_empty


def parse_yes_no(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return true, false or NA, and which cells hold something else."""
    words = as_words(values.str.strip(), "yes_no")
    is_empty = words.str.casefold().isin(EMPTY)
    answer = words.map({"yes": True, "no": False}).astype("boolean")
    return answer, answer.isna() & ~is_empty

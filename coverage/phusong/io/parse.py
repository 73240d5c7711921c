"""Numbers, dates and yes/no as planners write them; what cannot be read is a problem of its row."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from phusong.io.headers import Vocabulary, as_words, plain, read_register

__all__ = [
    "Parsed",
    "header_unit",
    "pad_codes",
    "parse_dates",
    "parse_numbers",
    "parse_quantities",
    "parse_text",
    "parse_yes_no",
]

# What can only be read one way: 3,14 and 0,123 and 1.234,5 and 1.234.567; and their mirrors.
ONLY_DECIMAL_COMMA = (
    r"[-+]?(?:\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,})"
)
ONLY_DECIMAL_DOT = (
    r"[-+]?(?:\d+\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,})"
)
GROUPED_BY_COMMA = r"[-+]?\d{1,3}(?:,\d{3})+"

EMPTY = ("", "-", "–", "—", "n/a", "na", "null", "none", "nan")
# Words for "not known" that a person did not mean as an empty cell: read as missing, and listed.
SAID_MISSING = frozenset(
    ("n/a", "na", "null", "none", "nan", "inf", "#n/a", "#ref!", "#value!", "#div/0!", "#name?",
     "#num!", "#null!", "?", "chua ro", "khong ro", "unknown", "dang cap nhat")
)  # fmt: skip
COUNTED = ("households", "persons", "lines", "villages")
QUANTITY = r"\s*(?P<number>[-+−]?\d(?:[\d\s\u00a0\u202f.,']*\d)?)\s*(?P<unit>[^\d\s-].*)?"
EXCEL_DAYS = r"[2-6]\d{4}"  # serial days of 1954 to 2091, as a date cell turned number shows them
EXCEL_EPOCH = pd.Timestamp("1899-12-30")
YEARS = (1980, 2100)


def pad_codes(codes: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return commune codes with the leading zeros that a spreadsheet took, and which had lost any.

    Examples
    --------
    >>> [part.tolist() for part in pad_codes(pd.Series(["4", "14758"]))]
    [['00004', '14758'], [True, False]]
    """
    is_short = codes.str.fullmatch(r"\d{1,4}").fillna(False).astype(bool)
    return codes.where(~is_short, codes.str.zfill(5)), is_short


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
    elif means_comma and means_dot:  # each cell that can be read one way only is read so
        only_comma = text.str.fullmatch(ONLY_DECIMAL_COMMA).fillna(False).astype(bool)
        swapped = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        either_way = text.str.fullmatch(r"[-+]?[1-9]\d{0,2}\.\d{3}").fillna(False).astype(bool)
        text = swapped.where(only_comma, text).where(~either_way, "?")
    numbers = pd.to_numeric(text.where(~is_empty), errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    return numbers, numbers.isna() & ~is_empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A column read: its values, which cells hold something else, and which were mended."""

    column: pd.Series
    is_wrong: pd.Series
    is_mended: pd.Series


def parse_quantities(values: pd.Series, unit: str, *, header: str = "") -> Parsed:
    """Return numbers in `unit`, from cells that may carry units of their own.

    Parameters
    ----------
    values : Series of str
    unit : str
        As the schema names it, such as "m" or "MHz"; "" takes no unit in a cell.
    header : str
        The column's heading; a unit in it ("km") is that of the cells without one.

    Examples
    --------
    >>> parse_quantities(pd.Series(["30,5 m", "42m", "3 km", "36"]), "m").column.tolist()
    [30.5, 42.0, 3000.0, 36.0]
    >>> parse_quantities(pd.Series(["2.345", "1.010", "85%"]), "households").column.tolist()
    [2345.0, 1010.0, nan]
    """
    factors = _factors(unit)
    text = values.str.strip()
    said = text.map(plain_word)
    is_missing = said.isin(SAID_MISSING)
    parts = text.where(~is_missing, "").str.extract(f"^{QUANTITY}$")
    units = parts["unit"].fillna("").map(_unit_key)
    own = header_unit(header, unit)
    factor = units.map({**factors, "": own}).astype("float64")
    bare = parts["number"].fillna(text.where(~is_missing, "")).str.replace("−", "-", regex=False)
    if unit in COUNTED:
        grouped = bare.str.fullmatch(r"\d{1,3}(?:[.,]\d{3})+").fillna(False).astype(bool)
        bare = bare.where(~grouped, bare.str.replace(r"[.,]", "", regex=True))
    numbers, is_wrong = parse_numbers(bare)
    is_wrong = is_wrong | (factor.isna() & numbers.notna())
    if unit in COUNTED:
        is_wrong = is_wrong | (numbers.notna() & (numbers % 1 != 0))
    has_unit = units.ne("") & ~is_wrong & numbers.notna()
    return Parsed(
        column=(numbers * factor).where(~is_wrong),
        is_wrong=is_wrong,
        is_mended=(is_missing & ~text.str.casefold().isin(("", "-", "–", "—"))) | has_unit,
    )


def header_unit(header: str, unit: str) -> float:
    """Return how many of the schema's `unit` one of the heading's unit is; 1 where it has none.

    Examples
    --------
    >>> header_unit("Bán kính phủ sóng (km)", "m"), header_unit("Tần số (GHz)", "MHz")
    (1000.0, 1000.0)
    """
    factors = _factors(unit)
    for found in re.findall(r"[(\[]([^)\]]*)[)\]]", header):
        if _unit_key(found) in factors:
            return float(factors[_unit_key(found)])
    last = re.split(r"[_\s]+", header.strip())[-1:] or [""]
    key = _unit_key(last[0])
    return float(factors[key]) if len(key) > 1 and key in factors else 1.0


def plain_word(text: str) -> str:
    """Return a word as it is compared with the words for "not known"."""
    low = text.strip().casefold()
    return low if low in SAID_MISSING else plain(low)


def _unit_key(text: str) -> str:
    return re.sub(r"[\s.]+", "", text.casefold())


@cache
def _factors(unit: str) -> dict[str, float]:
    """Return the spellings of the units that can be turned into `unit`, each with its factor."""
    spellings = read_register()["units"].get(unit, {})
    return {_unit_key(name): factor for name, factor in spellings.items()}


def parse_dates(values: pd.Series) -> Parsed:
    """Return days from ISO dates, day/month/year, or a spreadsheet's serial days.

    A column whose cells can only be month/day/year is read so.

    Examples
    --------
    >>> days = parse_dates(pd.Series(["31/01/2024", "02/03/2024", "45292"])).column
    >>> days.dt.strftime("%Y-%m-%d").tolist()
    ['2024-01-31', '2024-03-02', '2024-01-01']
    """
    text = values.str.strip()
    is_missing = text.str.casefold().isin(SAID_MISSING)
    text = text.where(~is_missing, "")
    is_empty = text.isin(("", "-", "–", "—"))
    filled = text.where(~is_empty)
    iso = pd.to_datetime(filled.str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
    slashed = filled.str.replace(r"[.\-]", "/", regex=True)
    dmy = _first_of(slashed, ("%d/%m/%Y", "%d/%m/%y"))
    mdy = _first_of(slashed, ("%m/%d/%Y", "%m/%d/%y"))
    is_american = (dmy.isna() & mdy.notna()).any() and not (dmy.notna() & mdy.isna()).any()
    is_serial = filled.str.fullmatch(EXCEL_DAYS).fillna(False).astype(bool)
    serial = EXCEL_EPOCH + pd.to_timedelta(pd.to_numeric(filled.where(is_serial)), unit="D")
    days = iso.fillna(mdy if is_american else dmy).fillna(serial).astype("datetime64[s]")
    days = days.where(days.dt.year.between(*YEARS))
    return Parsed(
        column=days,
        is_wrong=days.isna() & ~is_empty,
        is_mended=(is_serial & days.notna()) | is_missing,
    )


def _first_of(text: pd.Series, formats: tuple[str, ...]) -> pd.Series:
    days = pd.to_datetime(text, format=formats[0], errors="coerce")
    for other in formats[1:]:
        days = days.fillna(pd.to_datetime(text, format=other, errors="coerce"))
    return days


def parse_yes_no(
    values: pd.Series, vocabulary: Vocabulary | None = None
) -> tuple[pd.Series, pd.Series]:
    """Return true, false or NA, and which cells hold something else."""
    words = as_words(values.str.strip(), "yes_no", vocabulary)
    is_empty = words.str.casefold().isin(EMPTY)
    answer = words.map({"yes": True, "no": False}).astype("boolean")
    return answer, answer.isna() & ~is_empty

"""Places as planners write them: degrees in every spelling, metres of a named frame."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from phusong.io.parse import Parsed, parse_numbers
from phusong.names import strip_accents

__all__ = ["frame_of_headers", "parse_degrees", "split_pairs"]

# Degrees, minutes and perhaps seconds with signs, letters, colons, dashes or spaces between them.
_SIGN = r"(?P<head>[NSEWBDT])?\s*(?P<degrees>[-+]?\d{1,3})\s*(?:°|do|d|deg|:|-|\s)\s*"
_MINUTES = r"(?P<minutes>\d{1,2}(?:[.,]\d+)?)\s*"
_SECONDS = (
    r"(?:(?:'|m|phut|ph|min|:|-|\s)\s*"
    r"(?P<seconds>\d{1,2}(?:[.,]\d+)?)?\s*(?:\"|''|s|giay|sec)?)?"
)
_DMS = re.compile(rf"{_SIGN}{_MINUTES}{_SECONDS}\s*(?P<tail>[NSEWBDT])?", re.IGNORECASE)
_DECIMAL = re.compile(
    r"(?P<head>[NSEWBDT])?\s*(?P<value>[-+]?\d{1,3}(?:[.,]\d+)?)\s*(?:°|do|deg)?\s*"
    r"(?P<tail>[NSEWBDT])?",
    re.IGNORECASE,
)
_PRIMES = str.maketrans({"′": "'", "’": "'", "‘": "'", "ʹ": "'", "´": "'", "`": "'", "″": '"',
                         "”": '"', "“": '"', "ʺ": '"', "º": "°", "˚": "°", "\u00a0": " ",
                         "\u202f": " ", "−": "-", "–": "-"})  # fmt: skip
# Letters of directions: English, and Vietnamese Bắc, Nam, Đông, Tây. N is north in both uses that
# occur on sheets of Vietnam (English "N"; a Vietnamese N, Nam, would lie in the Indian Ocean).
NEGATIVE = ("S", "W", "T")
# Two texts with a separator and a space, with a separator alone, or with spaces alone.
_PAIR = r"^(.+?)\s*[,;/|]\s+(.+)$|^(\S+?)[,;/|](\S+)$|^(\S+)\s+(\S+)$"


def parse_degrees(values: pd.Series) -> Parsed:
    """Return decimal degrees; `is_mended` where a cell was in degrees, minutes and seconds.

    Minutes and seconds of 60 or more, and letters that are no direction, are wrong.

    Examples
    --------
    >>> parse_degrees(pd.Series(['105°46\\'12"E', "19-48-00", "105 độ 30 phút"])).column.tolist()
    [105.77, 19.8, 105.5]
    >>> parse_degrees(pd.Series(["105°76'99\\""])).is_wrong.tolist()
    [True]
    """
    text = values.str.translate(_PRIMES).str.strip()
    is_plain = text.str.fullmatch(r"[-+\d.,\s]*").fillna(True).astype(bool)
    is_plain &= ~text.str.fullmatch(r"\d{1,3}[\s-]+\d{1,2}[\s-]+\d{1,2}(?:[.,]\d+)?").fillna(False)
    numbers, is_wrong = parse_numbers(text.where(is_plain, ""), limit=180)
    is_mended = pd.Series(False, index=values.index)
    for index, cell in text[~is_plain].items():
        degrees = _degrees(strip_accents(cell))
        is_wrong[index] = degrees is None
        is_mended[index] = degrees is not None
        numbers[index] = np.nan if degrees is None else degrees
    return Parsed(column=numbers, is_wrong=is_wrong, is_mended=is_mended)


def _degrees(text: str) -> float | None:
    found = _DECIMAL.fullmatch(text)
    if found:
        value = float(found["value"].replace(",", "."))
    else:
        found = _DMS.fullmatch(text)
        if not found:
            return None
        minutes = float(found["minutes"].replace(",", "."))
        seconds = float((found["seconds"] or "0").replace(",", "."))
        if minutes >= 60 or seconds >= 60:
            return None
        whole = float(found["degrees"])
        size = abs(whole) + minutes / 60 + seconds / 3600
        value = -size if found["degrees"].startswith("-") else size
    letters = [letter.upper() for letter in (found["head"], found["tail"]) if letter]
    if len(letters) > 1:
        return None
    return -value if letters and letters[0] in NEGATIVE else value


def split_pairs(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the texts of longitude and latitude of cells that hold both, such as "19.8, 105.7".

    In Vietnam longitudes exceed 100 and latitudes do not; where that does not tell, latitude first.

    Examples
    --------
    >>> [part.tolist() for part in split_pairs(pd.Series(["19.80, 105.77", "105.7; 19.5"]))]
    [['105.77', '105.7'], ['19.80', '19.5']]
    """
    pairs = values.str.strip().str.strip("()[]").str.extract(_PAIR)
    left = pairs[0].fillna(pairs[2]).fillna(pairs[4]).fillna(values)
    right = pairs[1].fillna(pairs[3]).fillna(pairs[5]).fillna("")
    first = pd.to_numeric(left.str.extract(r"(\d+)")[0], errors="coerce")
    is_lon_first = first > 90
    return left.where(is_lon_first, right), right.where(is_lon_first, left)


# VN-2000 by central meridian: 3° zones (EPSG 5896-5899, 9205-9218) and 6° zones (3405, 3406).
_THREE_DEGREES = {
    (102, 0): 5896, (103, 0): 9205, (104, 0): 9206, (104, 30): 9207, (104, 45): 9208,
    (105, 0): 5897, (105, 30): 9209, (105, 45): 9210, (106, 0): 9211, (106, 15): 9212,
    (106, 30): 9213, (107, 0): 9214, (107, 15): 9215, (107, 30): 9216, (107, 45): 5899,
    (108, 0): 5898, (108, 15): 9217, (108, 30): 9218,
}  # fmt: skip
_SIX_DEGREES = {(105, 0): 3405, (111, 0): 3406}


def frame_of_headers(headers: list[str]) -> str | None:
    """Return the frame that headings name by VN-2000, central meridian and zone, or None.

    Examples
    --------
    >>> frame_of_headers(["Mã trạm", "X (m) - VN2000 KTT 105°00' múi 3°"])
    'EPSG:5897'
    """
    text = strip_accents(" ".join(headers)).casefold()
    if not re.search(r"vn.?2000", text):
        return None
    found = re.search(r"(?:ktt|kttw|kinh tuyen(?: truc)?)\D{0,4}(\d{3})(?:\D{1,3}(\d{2}))?", text)
    zone = re.search(r"mui\D{0,12}([36])", text)
    if not found or not zone:
        return None
    meridian = int(found[1]), int(found[2] or 0)
    code = (_THREE_DEGREES if zone[1] == "3" else _SIX_DEGREES).get(meridian)
    return None if code is None else f"EPSG:{code}"

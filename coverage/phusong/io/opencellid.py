"""OpenCelliD exports as rows of a site list: cell, operator by network code, range, last seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from phusong.errors import Problem
from phusong.io.rows import CHUNK_ROWS, Rows, gather_rows

__all__ = ["as_site_rows"]

# The columns of the export (OpenCelliD, "Database dumps"); files are also given without them.
COLUMNS = (
    "radio", "mcc", "net", "area", "cell", "unit", "lon", "lat", "range", "samples", "changeable",
    "created", "updated", "averageSignal",
)  # fmt: skip
RADIOS = ("GSM", "UMTS", "CDMA", "LTE", "NR", "NBIOT")
VIETNAM_MCC = "452"
# Mobile network codes of Vietnam (ITU-T E.212, operational bulletins).
NETWORKS = {"1": "MobiFone", "2": "VinaPhone", "4": "Viettel", "5": "Vietnamobile", "7": "Gmobile",
            "8": "Viettel", "9": "Itel"}  # fmt: skip
HEADERS = ["site_id", "sector_id", "operator", "technology", "lon", "lat", "radius_m", "fault"]
YEARS = (2000, 2100)


def as_site_rows(found: Rows) -> Rows:
    """Return the rows with the headings of a site list if they are of OpenCelliD, else as they are.

    A range of 0 is OpenCelliD's way to say that it is not known; rows of other countries, with
    impossible samples or times, carry a word in the column `fault` that sets them aside.
    """
    if not len(found):
        return found
    (first,) = found.lists([0])
    has_header = [cell.strip().lower() for cell in first[:5]] == [c.lower() for c in COLUMNS[:5]]
    if has_header:
        names = [cell.strip() for cell in first]
    elif len(first) == len(COLUMNS) and first[0] in RADIOS and re.fullmatch(r"\d{3}", first[1]):
        names = list(COLUMNS)
    else:
        return found
    if not {"radio", "mcc", "net", "cell", "lon", "lat"} <= set(names):
        return found
    numbers = found.numbers[1:] if has_header else found.numbers
    repairs = list(found.repairs)
    rows = gather_rows(_site_rows(found, names, numbers, repairs))
    note = "an OpenCelliD export: places are estimates from handsets, not surveyed masts"
    return replace(
        rows,
        numbers=np.concatenate([found.numbers[:1] if has_header else [0], numbers]),
        notes=[*found.notes, note],
        repairs=repairs,
    )


def _site_rows(
    found: Rows, names: list[str], numbers: np.ndarray, repairs: list[Problem]
) -> Iterator[list[str]]:
    """Yield the headings and the rows; note in `repairs` where a range is not known."""
    yield HEADERS
    places = np.arange(len(found) - len(numbers), len(found))
    for start in range(0, len(places), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        for at, row in zip(numbers[part], found.lists(places[part]), strict=True):
            if not any(cell.strip() for cell in row):
                yield row
            elif len(row) != len(names):
                yield [*[""] * (len(HEADERS) - 1), f"{len(row)} cells, not {len(names)}"]
            else:
                yield _site_row(dict(zip(names, row, strict=True)), int(at), repairs)


def _site_row(cell: dict[str, str], at: int, repairs: list[Problem]) -> list[str]:
    key = "-".join(cell.get(name, "") for name in ("mcc", "net", "area", "cell"))
    reach = cell.get("range", "")
    if re.fullmatch(r"0(\.0*)?", reach.strip()):
        reach = ""
        repairs.append(
            Problem(row=at, field="radius_m", found="range 0", expected="metres",
                    message="not known: the default radius stands in")
        )  # fmt: skip
    operator = NETWORKS.get(cell["net"].strip().lstrip("0"), f"MNC {cell['net']}")
    return [key, key, operator, cell["radio"], cell["lon"], cell["lat"], reach, _fault(cell)]


def _fault(cell: dict[str, str]) -> str:
    """Say what is impossible about a cell; empty where nothing is."""
    if cell["mcc"].strip() != VIETNAM_MCC:
        return f"mcc {cell['mcc']} is not of Vietnam ({VIETNAM_MCC})"
    samples = cell.get("samples", "")
    if samples.strip().startswith("-"):
        return f"samples {samples}"
    for name in ("created", "updated"):
        text = cell.get(name, "").strip()
        if text and not _is_time(text):
            return f"{name} {text}"
    return ""


def _is_time(text: str) -> bool:
    try:
        moment = datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return YEARS[0] <= moment.year <= YEARS[1]

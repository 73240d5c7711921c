"""OpenCelliD exports as rows of a site list: cell, operator by network code, range, last seen."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from phusong.errors import Problem
from phusong.io.rows import Rows

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
    if not found.rows:
        return found
    number, first = found.rows[0]
    has_header = [cell.strip().lower() for cell in first[:5]] == [c.lower() for c in COLUMNS[:5]]
    if has_header:
        names = [cell.strip() for cell in first]
        body = found.rows[1:]
    elif len(first) == len(COLUMNS) and first[0] in RADIOS and re.fullmatch(r"\d{3}", first[1]):
        names, body, number = list(COLUMNS), found.rows, 0
    else:
        return found
    if not {"radio", "mcc", "net", "cell", "lon", "lat"} <= set(names):
        return found
    rows, repairs = [(number, HEADERS)], list(found.repairs)
    for at, row in body:
        if not any(cell.strip() for cell in row):
            rows.append((at, row))
            continue
        if len(row) != len(names):
            rows.append((at, [*[""] * (len(HEADERS) - 1), f"{len(row)} cells, not {len(names)}"]))
            continue
        cell = dict(zip(names, row, strict=True))
        key = "-".join(cell.get(name, "") for name in ("mcc", "net", "area", "cell"))
        reach = cell.get("range", "")
        if re.fullmatch(r"0(\.0*)?", reach.strip()):
            reach = ""
            repairs.append(
                Problem(row=at, field="radius_m", found="range 0", expected="metres",
                        message="not known: the default radius stands in")
            )  # fmt: skip
        operator = NETWORKS.get(cell["net"].strip().lstrip("0"), f"MNC {cell['net']}")
        rows.append((at, [key, key, operator, cell["radio"], cell["lon"], cell["lat"], reach,
                          _fault(cell)]))  # fmt: skip
    note = "an OpenCelliD export: places are estimates from handsets, not surveyed masts"
    return Rows(rows=rows, notes=[*found.notes, note], repairs=repairs)


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

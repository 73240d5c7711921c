"""The gap list as planners pass it on: typed cells, a heading that stays, filters, a note sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from phusong.io.archive import write_archive
from phusong.io.atomic import atomic_path
from phusong.io.report import ReadReport
from phusong.sentences import tell
from phusong.words import read_words

__all__ = ["cell_text", "put_heading", "save_book", "write_gaps_xlsx", "write_quarantine_xlsx"]

COUNT, SHARE, KM, KM2 = "#,##0", "0.0%", "0.0", "0.0"

# Column, number format ("" is text), width; the headings are words.
COLUMNS = (
    ("rank", COUNT, 7),
    ("commune_code", "", 10),
    ("commune_name", "", 24),
    ("missing", "", 22),
    ("certainty", "", 14),
    ("people_uncovered", COUNT, 14),
    ("area_uncovered_km2", KM2, 14),
    ("population", COUNT, 12),
    ("area_km2", KM2, 12),
    ("share_population_5g", SHARE, 12),
    ("share_population_5g_low", SHARE, 10),
    ("share_population_5g_high", SHARE, 10),
    ("share_area_5g", SHARE, 12),
    ("broadband", "", 13),
    ("operators_present", "", 34),
    ("nearest_site_id", "", 16),
    ("nearest_site_operator", "", 14),
    ("nearest_site_km", KM, 12),
    ("nearest_mast_km", KM, 12),
    ("reason", "", 30),
)

CODED = ("missing", "certainty", "broadband", "reason")


def write_gaps_xlsx(
    gaps: pd.DataFrame,
    path: Path,
    *,
    lang: str,
    place: str,
    as_of: date,
    notes: Sequence[str] = (),
) -> None:
    """Write the gap list as a workbook of two sheets, the list and its notes.

    Numbers are numbers with a format, text is text and never a formula.

    Parameters
    ----------
    gaps : DataFrame
        As `gaps.find_gaps` returns.
    lang : str
        Of headings and words.
    place, as_of, notes
        What the second sheet says.
    """
    words = read_words("workbook", lang)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = words["gaps"]
    for at, (name, number_format, width) in enumerate(COLUMNS, 1):
        put_heading(sheet, at, words["columns"][name], width)
        for row, value in enumerate(gaps[name], 2):
            cell = sheet.cell(row, at)
            if pd.isna(value):
                continue
            if number_format:
                cell.value, cell.number_format = float(value), number_format
                continue
            text = _words(str(value), words["codes"]) if name in CODED else str(value)
            cell.value, cell.data_type = text, "s"
    sheet.freeze_panes = "D2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{len(gaps) + 1}"
    _write_notes(book.create_sheet(words["notes"]), words, place, as_of, notes)
    book.properties.creator = "phusong"
    moment = datetime.combine(as_of, time(0))
    book.properties.created = book.properties.modified = moment
    with atomic_path(path) as unfinished:
        save_book(book, unfinished, moment)


def write_quarantine_xlsx(report: ReadReport, path: Path, *, lang: str, as_of: date) -> None:
    """Write the rows that were set aside as their file has them, the reason beside each.

    For the planner to send back to whoever wrote the file: every cell is text, none a formula.
    """
    words = read_words("workbook", lang)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = words["to_mend"]
    put_heading(sheet, 1, words["row"], 8)
    put_heading(sheet, 2, words["why"], 60)
    for at, heading in enumerate(report.headings, 3):
        put_heading(sheet, at, cell_text(heading), 18)
    reasons: dict[int, list[str]] = {}
    for problem in report.quarantine:
        found, expected = (tell(text, lang) for text in (problem.found, problem.expected))
        reasons.setdefault(problem.row or 0, []).append(f"{problem.field}: {found} → {expected}")
    for at, (number, cells) in enumerate(sorted(report.cells.items()), 2):
        sheet.cell(at, 1, number)
        for column, text in enumerate(("; ".join(reasons.get(number, [])), *cells), 2):
            cell = sheet.cell(at, column)
            cell.value, cell.data_type = cell_text(text), "s"
            cell.alignment = Alignment(wrap_text=column == 2, vertical="top")
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(report.headings) + 2)}{sheet.max_row}"
    moment = datetime.combine(as_of, time(0))
    book.properties.creator = "phusong"
    book.properties.created = book.properties.modified = moment
    with atomic_path(path) as unfinished:
        save_book(book, unfinished, moment)


def cell_text(text: str) -> str:
    """Return text that a workbook can hold: no control signs, at most a cell's length."""
    return ILLEGAL_CHARACTERS_RE.sub("�", text)[:32_000]


def put_heading(sheet: Worksheet, at: int, text: str, width: int) -> None:
    """Write the heading of a column and set its width."""
    cell = sheet.cell(1, at, text)
    cell.font = Font(bold=True, color="FFFFFF")
    cell.fill = PatternFill("solid", fgColor="31446B")
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    sheet.column_dimensions[get_column_letter(at)].width = width


def _words(text: str, words: Mapping[str, str]) -> str:
    return ", ".join(words.get(code, code) for code in text.split(";"))


def _write_notes(
    sheet: Worksheet, words: Mapping[str, Any], place: str, as_of: date, notes: Sequence[str]
) -> None:
    lines = [place, f"{words['as_of']} {as_of.isoformat()}", *words["explanations"], *notes]
    for row, line in enumerate(lines, 1):
        cell = sheet.cell(row, 1)
        cell.value, cell.data_type = line[:32_000], "s"
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions["A"].width = 110


def save_book(book: openpyxl.Workbook, path: Path, moment: datetime) -> None:
    """Save a workbook as of a moment."""
    drawn = BytesIO()
    book.save(drawn)
    write_archive(drawn, path, moment=moment)

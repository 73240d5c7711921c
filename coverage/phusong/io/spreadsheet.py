"""The gap list as planners pass it on: typed cells, a heading that stays, filters, a note sheet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path

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

__all__ = ["cell_text", "put_heading", "save_book", "write_gaps_xlsx", "write_quarantine_xlsx"]

COUNT, SHARE, KM, KM2 = "#,##0", "0.0%", "0.0", "0.0"

# Column, Vietnamese and English heading, number format ("" is text), width.
COLUMNS = (
    ("rank", "Hạng", "Rank", COUNT, 7),
    ("commune_code", "Mã xã", "Commune code", "", 10),
    ("commune_name", "Tên xã", "Commune", "", 24),
    ("missing", "Còn thiếu", "Missing", "", 22),
    ("certainty", "Độ chắc chắn", "Certainty", "", 14),
    ("people_uncovered", "Người chưa được phủ", "People not covered", COUNT, 14),
    ("area_uncovered_km2", "Diện tích chưa phủ (km²)", "Area not covered (km²)", KM2, 14),
    ("population", "Dân số", "Population", COUNT, 12),
    ("area_km2", "Diện tích (km²)", "Area (km²)", KM2, 12),
    ("share_population_5g", "Tỷ lệ người có 5G", "People with 5G", SHARE, 12),
    ("share_population_5g_low", "– cận dưới", "– low", SHARE, 10),
    ("share_population_5g_high", "– cận trên", "– high", SHARE, 10),
    ("share_area_5g", "Tỷ lệ diện tích có 5G", "Area with 5G", SHARE, 12),
    ("broadband", "Có băng rộng (B0)", "Broadband (B0)", "", 13),
    ("operators_present", "Nhà mạng có mặt", "Operators present", "", 34),
    ("nearest_site_id", "Trạm 5G gần nhất", "Nearest 5G site", "", 16),
    ("nearest_site_operator", "– nhà mạng", "– operator", "", 14),
    ("nearest_site_km", "– khoảng cách (km)", "– distance (km)", KM, 12),
    ("nearest_mast_km", "Cột gần nhất (km)", "Nearest mast (km)", KM, 12),
    ("reason", "Lý do", "Reason", "", 30),
)

WORDS = {
    "5g": ("5G", "5G"),
    "broadband": ("băng rộng", "broadband"),
    "broadband_unknown": ("băng rộng: chưa rõ", "broadband: unknown"),
    "gap": ("thiếu", "gap"),
    "probable": ("có thể thiếu", "probable gap"),
    "unknown": ("chưa rõ", "unknown"),
    "yes": ("có", "yes"),
    "no": ("không", "no"),
    "partly_covered": ("phủ một phần", "covered in part"),
    "mast_without_5g": ("có cột nhưng chưa có 5G", "masts, but no 5G on them"),
    "no_mast": ("chưa có cột", "no mast"),
    "no_operator_declares": ("không nhà mạng nào công bố", "no operator declares it"),
    "not_declared": ("chưa có báo cáo", "not reported"),
}
CODED = ("missing", "certainty", "broadband", "reason")

EXPLANATIONS = (
    (
        "Một xã thiếu 5G khi cận trên của tỷ lệ người được phủ dưới 90 %; có thể thiếu khi khoảng "
        "chứa 90 %. Không có khoảng thì lấy chính tỷ lệ.",
        "A commune lacks 5G where the upper bound of its share of people is below 90 %; it is a "
        "probable gap where the interval holds 90 %. Without an interval the share itself counts.",
    ),
    (
        "Khoảng cách tính từ một điểm bên trong xã.",
        "Distances are from a point inside the commune.",
    ),
)


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
    lang : {"vi", "en"}
        Of headings and words.
    place, as_of, notes
        What the second sheet says.
    """
    which = 0 if lang == "vi" else 1
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = ("Danh sách", "Gaps")[which]
    for at, (name, *headings, number_format, width) in enumerate(COLUMNS, 1):
        put_heading(sheet, at, headings[which], width)
        for row, value in enumerate(gaps[name], 2):
            cell = sheet.cell(row, at)
            if pd.isna(value):
                continue
            if number_format:
                cell.value, cell.number_format = float(value), number_format
                continue
            text = _words(str(value), which) if name in CODED else str(value)
            cell.value, cell.data_type = text, "s"
    sheet.freeze_panes = "D2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{len(gaps) + 1}"
    _write_notes(book.create_sheet(("Ghi chú", "Notes")[which]), which, place, as_of, notes)
    book.properties.creator = "phusong"
    moment = datetime.combine(as_of, time(0))
    book.properties.created = book.properties.modified = moment
    with atomic_path(path) as unfinished:
        save_book(book, unfinished, moment)


def write_quarantine_xlsx(report: ReadReport, path: Path, *, lang: str, as_of: date) -> None:
    """Write the rows that were set aside as their file has them, the reason beside each.

    For the planner to send back to whoever wrote the file: every cell is text, none a formula.
    """
    which = 0 if lang == "vi" else 1
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = ("Trả lại", "To mend")[which]
    first = (("Dòng", "Row"), ("Lý do (cần sửa)", "Reason (to mend)"))
    for at, texts in enumerate(first, 1):
        put_heading(sheet, at, texts[which], (8, 60)[at - 1])
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


def _words(text: str, which: int) -> str:
    return ", ".join(WORDS.get(code, (code, code))[which] for code in text.split(";"))


def _write_notes(
    sheet: Worksheet, which: int, place: str, as_of: date, notes: Sequence[str]
) -> None:
    lines = [place, f"{('Số liệu ngày', 'As of')[which]} {as_of.isoformat()}"]
    lines += [texts[which] for texts in EXPLANATIONS]
    for row, line in enumerate([*lines, *notes], 1):
        cell = sheet.cell(row, 1)
        cell.value, cell.data_type = line[:32_000], "s"
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions["A"].width = 110


def save_book(book: openpyxl.Workbook, path: Path, moment: datetime) -> None:
    """Save a workbook as of a moment."""
    drawn = BytesIO()
    book.save(drawn)
    write_archive(drawn, path, moment=moment)

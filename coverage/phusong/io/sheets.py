"""Several tables in one workbook: typed cells, headings that stay, filters, the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pandas as pd
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from phusong.io.atomic import atomic_path
from phusong.io.spreadsheet import cell_text, put_heading, save_book

__all__ = ["Sheet", "write_sheets_xlsx"]

DAY = "yyyy-mm-dd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table of a workbook: each column with its heading, number format ("" is text), width."""

    title: str
    table: pd.DataFrame
    columns: Sequence[tuple[str, str, str, int]]


def write_sheets_xlsx(sheets: Sequence[Sheet], path: Path, *, as_of: date) -> None:
    """Write one worksheet a table; numbers and dates keep their type, text is never a formula.

    Parameters
    ----------
    sheets : sequence of Sheet
    path : Path
    as_of : date
        The workbook's own date, so that the same tables give the same bytes.
    """
    book = openpyxl.Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _fill(book.create_sheet(sheet.title), sheet)
    moment = datetime.combine(as_of, time(0))
    book.properties.creator = "phusong"
    book.properties.created = book.properties.modified = moment
    with atomic_path(path) as unfinished:
        save_book(book, unfinished, moment)


def _fill(page: Worksheet, sheet: Sheet) -> None:
    for at, (name, heading, number_format, width) in enumerate(sheet.columns, 1):
        put_heading(page, at, heading, width)
        for row, value in enumerate(sheet.table[name], 2):
            if pd.isna(value):
                continue
            cell = page.cell(row, at)
            if number_format == "":
                cell.value, cell.data_type = cell_text(str(value)), "s"
                continue
            cell.value = value.to_pydatetime() if number_format == DAY else float(value)
            cell.number_format = number_format
    page.freeze_panes = "A2"
    last = get_column_letter(len(sheet.columns))
    page.auto_filter.ref = f"A1:{last}{len(sheet.table) + 1}"

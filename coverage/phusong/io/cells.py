"""The cells of a CSV or XLSX table as text, each row with its number in the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import openpyxl

from phusong.errors import InputFileError
from phusong.io.files import require_file, require_zip
from phusong.io.headers import match_headers

__all__ = ["Cells", "read_cells"]

DELIMITERS = ",;\t|"
HEADER_WITHIN_ROWS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A table: column names by position, text rows, their numbers, and what was passed over."""

    columns: dict[int, str]
    headers: list[str]
    rows: list[list[str]]
    numbers: list[int]
    notes: tuple[str, ...]


def read_cells(path: Path, layer: str) -> Cells:
    """Read a table whose heading row is the first with at least two known headings.

    Rows above the headings and blank rows are no data; they are noted, not counted.

    Raises
    ------
    InputFileError
        If it is not a readable CSV or XLSX, or no row holds known headings.
    """
    extension = require_file(path, (".csv", ".txt", ".tsv", ".xlsx"))
    if extension == ".xlsx":
        numbered, notes = _xlsx_rows(path)
    else:
        numbered, notes = list(_csv_rows(path)), []
    rows = [(number, row) for number, row in numbered if any(cell.strip() for cell in row)]
    for at, (number, row) in enumerate(rows[:HEADER_WITHIN_ROWS]):
        columns = match_headers(row, layer)
        if len(columns) >= 2:
            if at:
                notes.append(f"{at} rows above the headings of row {number} hold no data")
            unknown = [c for i, c in enumerate(row) if i not in columns and c.strip()]
            if unknown:
                notes.append(f"columns that are not used: {', '.join(unknown)}")
            body = rows[at + 1 :]
            return Cells(
                columns=columns,
                headers=row,
                rows=[r for _, r in body],
                numbers=[n for n, _ in body],
                notes=tuple(notes),
            )
    first = ", ".join(rows[0][1][:12]) if rows else "an empty file"
    raise InputFileError(f"{path}: no row of known headings for {layer}; found {first}")


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    text = _decode(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise InputFileError(f"{path}: row {reader.line_num}: {error}") from error


def _decode(path: Path) -> str:
    raw = path.read_bytes()
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"{path}: byte {error.start} is not {encoding}: save the table as UTF-8"
        ) from error
    if "\x00" in text:
        raise InputFileError(f"{path}: holds NUL characters; it is not a text table")
    return text


def _xlsx_rows(path: Path) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Return the rows of the first visible sheet, and a note that names the others."""
    require_zip(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (KeyError, ValueError, OSError) as error:
        raise InputFileError(f"{path}: not a readable workbook: {error}") from error
    try:
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if not visible:
            raise InputFileError(f"{path}: holds no visible sheet of cells")
        first = visible[0]
        first.reset_dimensions()
        numbered = enumerate(first.iter_rows(values_only=True), 1)
        rows = [(number, [_text(value) for value in row]) for number, row in numbered]
    finally:
        book.close()
    unread = [sheet.title for sheet in book.worksheets if sheet is not first]
    notes = [f"only the sheet {first.title!r} is read, not {', '.join(unread)}"] if unread else []
    return rows, notes


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)

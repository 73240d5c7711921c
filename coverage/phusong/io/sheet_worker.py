"""The child process that opens a workbook: what breaks there, breaks there alone.

It is run as a program with a path, keeps itself within limits, and prints JSON lines: first what
it read (or why not), then one list of texts a row.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from datetime import date, datetime, time

__all__ = ["main"]

MAX_MEMORY_BYTES = 3_000_000_000
MAX_CPU_SECONDS = 120
MAX_CELLS = 60_000_000
FORMULA = re.compile(rb"<f[ >/]")
CHUNK_BYTES = 1 << 20


def main(path: str) -> None:
    """Print the first visible sheet of the workbook at `path`."""
    _limit_resources()
    try:
        _print_sheet(path)
    except MemoryError:
        _print({"error": "it needs more memory than a workbook may take"})


def _limit_resources() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _print_sheet(path: str) -> None:
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_path(path)
        visible = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == calamine.SheetVisibleEnum.Visible
            and sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        if not visible:
            _print({"error": "holds no visible sheet of cells"})
            return
        sheet = book.get_sheet_by_name(visible[0])
    except calamine.PasswordError:
        _print({"error": "is protected by a password: save it without one"})
        return
    except (calamine.CalamineError, OSError, ValueError) as error:
        _print({"error": f"not a readable workbook (corrupt or truncated): {error}"})
        return
    if sheet.total_height * sheet.total_width > MAX_CELLS:
        _print({"error": f"{sheet.total_height} × {sheet.total_width} cells are too many (limit)"})
        return
    first_column = (sheet.start or (0, 0))[1]
    _print(
        {
            "sheet": sheet.name,
            "unread": [name for name in book.sheet_names if name != sheet.name],
            "first_column": first_column,
            "merged": [
                [top, left, bottom]
                for (top, left), (bottom, _) in sheet.merged_cell_ranges or ()
                if bottom > top
            ],
            "formulas": _unknown_formulas(path, sheet.name),
        }
    )
    for row in sheet.iter_rows():
        _print([_text(value) for value in row])


def _unknown_formulas(path: str, sheet: str) -> list[list[int]]:
    """Return (row, column) of formula cells that hold no value: nobody calculated them."""
    if not zipfile.is_zipfile(path) or not _has_formulas(path):
        return []
    import openpyxl

    formulas = openpyxl.load_workbook(path, read_only=True)
    values = openpyxl.load_workbook(path, read_only=True, data_only=True)
    unknown = []
    for left, right in zip(formulas[sheet].iter_rows(), values[sheet].iter_rows(), strict=False):
        for formula, value in zip(left, right, strict=False):
            if formula.data_type == "f" and value.value is None:
                unknown.append([formula.row - 1, formula.column - 1])
    return unknown


def _has_formulas(path: str) -> bool:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                continue
            with archive.open(name) as part:
                tail = b""
                while chunk := part.read(CHUNK_BYTES):
                    if FORMULA.search(tail + chunk):
                        return True
                    tail = chunk[-3:]
    return False


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _print(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

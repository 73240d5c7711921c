"""Workbooks to rows of text: XLSX and XLS in a child process with limits, and HTML named XLS."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from phusong.errors import InputFileError, Problem
from phusong.io.files import require_zip
from phusong.io.rows import Rows, gather_rows
from phusong.io.text import decode

__all__ = ["read_html_table", "read_workbook"]

SECONDS = 150
MAX_BYTES = 300_000_000
UNKNOWN_FORMULA = "\x00formula"


def read_workbook(path: Path) -> Rows:
    """Return the rows of the first visible sheet, cells as text, numbered as the program does.

    Cells merged downwards hold their value in every row. A formula that nobody calculated has no
    value; its cell says so.

    Raises
    ------
    InputFileError
        If it is no readable workbook, or one beyond the limits of memory, time or size.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputFileError(f"{path}: larger than {MAX_BYTES // 10**6} MB: too large for a table")
    if path.suffix.lower() == ".xlsx":
        require_zip(path)
    command = [sys.executable, "-m", "phusong.io.sheet_worker", str(path.resolve())]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise InputFileError(f"{path}: not read within {SECONDS} s: too large") from error
    lines = iter(done.stdout.splitlines())
    first = next(lines, b"")
    if done.returncode or not first:
        raise InputFileError(
            f"{path}: the workbook cannot be read within the limits of memory and time (it broke "
            "the reader): it is corrupt or too large; save it anew, or as CSV"
        )
    about = json.loads(first)
    if "error" in about:
        raise InputFileError(f"{path}: {about['error']}")
    pad = [""] * about["first_column"]
    rows = [[*pad, *json.loads(line)] for line in lines]
    repairs = _fill_merged(rows, about["merged"])
    for row, column in about["formulas"]:
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = UNKNOWN_FORMULA
    unread = ", ".join(about["unread"])
    notes = [f"only the sheet {about['sheet']!r} is read, not {unread}"] if unread else []
    return replace(gather_rows(rows), notes=notes, repairs=repairs)


def _fill_merged(rows: list[list[str]], merged: list[list[int]]) -> list[Problem]:
    repairs = []
    for top, left, bottom in merged:
        if top >= len(rows) or left >= len(rows[top]) or not rows[top][left].strip():
            continue
        for at in range(top + 1, min(bottom + 1, len(rows))):
            if left < len(rows[at]) and not rows[at][left].strip():
                rows[at][left] = rows[top][left]
                repairs.append(
                    Problem(row=at + 1, field=f"column {left + 1}", found="a merged cell",
                            expected="a value in every row", message=f"as row {top + 1}")
                )  # fmt: skip
    return repairs


def read_html_table(path: Path) -> Rows:
    """Return the rows of the largest table of an HTML page, such as portals save as .xls.

    Raises
    ------
    InputFileError
        If the page holds no table.
    """
    parser = _Tables()
    parser.feed(decode(path.read_bytes(), name=str(path)).text)
    largest = max(parser.tables, key=len, default=[])
    if not largest:
        raise InputFileError(f"{path}: an HTML page without a table, not an Excel workbook")
    note = "an HTML page (not an Excel workbook): its largest table is read"
    return replace(gather_rows(largest), notes=[note])


class _Tables(HTMLParser):
    """Collects the cells of every table; scripts and styles are no text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._open: list[str] | None = None
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._silent += 1
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self._open = []
            span = next((v for k, v in attrs if k == "colspan" and v and v.isdecimal()), "1")
            self.tables[-1][-1].extend([""] * min(int(span), 1000))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent = max(self._silent - 1, 0)
        elif tag in ("td", "th", "tr", "table"):
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is None or self._silent:
            return
        self._open.append(data)
        row = self.tables[-1][-1]
        row[-1] = " ".join("".join(self._open).split())

"""A table found in its file: the row of headings, the rows below it, and what is no data."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from phusong.errors import InputFileError, Problem
from phusong.io.delimited import read_delimited
from phusong.io.files import require_file
from phusong.io.headers import match_headers, plain
from phusong.io.opencellid import as_site_rows
from phusong.io.rows import Rows
from phusong.io.workbook import read_html_table, read_workbook

__all__ = ["TABLES", "Cells", "read_cells"]

TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".gz")
HEADER_WITHIN_ROWS = 30
HTML = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A table: column names by position, headings, text rows with their numbers, and the rest.

    `n_blank` rows hold nothing; `copies` are rows that repeat an earlier one cell by cell.
    """

    columns: dict[int, str]
    headers: list[str]
    rows: list[list[str]]
    numbers: list[int]
    n_blank: int
    copies: tuple[Problem, ...]
    repairs: tuple[Problem, ...]
    notes: tuple[str, ...]


def read_cells(path: Path, layer: str) -> Cells:
    """Read a table whose heading row is the one with most known headings (at least two).

    Headings may stand in two rows. Rows above them are no data; they are noted, not counted.
    Blank rows and exact copies below them are counted as ignored.

    Raises
    ------
    InputFileError
        If the file is no readable table, holds no row of known headings, two columns of one
        heading, or no rows at all.
    """
    with _without_collection():
        return _read_cells(path, layer)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Hold the garbage collector back: it would walk millions of live cells, over and over."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read_cells(path: Path, layer: str) -> Cells:
    found = _read_rows(path)
    if layer == "sites":
        found = as_site_rows(found)
    filled = [(n, row) for n, row in found.rows if _holds_something(row)]
    if not filled:
        raise InputFileError(f"{path}: the file is empty (tệp rỗng): no cell holds anything")
    at, depth, headers = _find_headers(path, filled[:HEADER_WITHIN_ROWS], layer)
    columns = match_headers(headers, layer)
    _refuse_twins(path, headers, columns)
    number = filled[at + depth - 1][0]
    notes = list(found.notes)
    if at:
        notes.append(f"{at} rows above the headings of row {filled[at][0]} hold no data")
    unknown = [c.strip() for i, c in enumerate(headers) if i not in columns and c.strip()]
    if unknown:
        notes.append(f"columns that are not used: {', '.join(unknown)}")
    body = filled[at + depth :]
    if not body:
        raise InputFileError(f"{path}: no rows below the headings (no data, không có dữ liệu)")
    body, repeated = _drop_repeated_headers(body, headers)
    if repeated:
        notes.append(f"the headings stand again in rows {', '.join(map(str, repeated))}")
    body, copies = _drop_copies(body)
    n_blank = sum(1 for n, row in found.rows if n > number) - len(body) - len(copies)
    return Cells(
        columns=columns,
        headers=headers,
        rows=[row for _, row in body],
        numbers=[n for n, _ in body],
        n_blank=n_blank,
        copies=tuple(copies),
        repairs=tuple(r for r in found.repairs if r.row is None or r.row > number),
        notes=tuple(notes),
    )


def _holds_something(row: list[str]) -> bool:
    return bool(row) and (row[0].strip() != "" or any(cell.strip() for cell in row))


def _read_rows(path: Path) -> Rows:
    extension = require_file(path, TABLES)
    if extension in (".csv", ".txt", ".tsv", ".gz"):
        return read_delimited(path)
    if extension == ".xls":
        with path.open("rb") as file:
            head = file.read(2000).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
        if head.startswith(HTML):
            return read_html_table(path)
    return read_workbook(path)


def _find_headers(
    path: Path, rows: Sequence[tuple[int, list[str]]], layer: str
) -> tuple[int, int, list[str]]:
    """Return where the headings begin, over how many rows they stand, and what they are."""
    best = (0, 0, 1, rows[0][1])
    for at, (_, row) in enumerate(rows):
        options = [(1, row)]
        if at + 1 < len(rows) and not _has_numbers(rows[at + 1][1]) and not _has_numbers(row):
            options.append((2, _join(row, rows[at + 1][1], layer)))
        for depth, headers in options:
            n = len(match_headers(headers, layer))
            if (n, -depth) > (best[0], -best[2]):
                best = (n, at, depth, headers)
    if best[0] < 2:
        first = ", ".join(rows[0][1][:12])
        raise InputFileError(
            f"{path}: no row of known headings for {layer}; found {first[:300]!r}; missing (thiếu) "
            "headings such as those of `phusong template`"
        )
    return best[1], best[2], best[3]


def _has_numbers(row: Sequence[str]) -> bool:
    return any(cell.strip() and cell.strip()[0].isdigit() and len(cell) > 3 for cell in row)


def _join(upper: list[str], lower: list[str], layer: str) -> list[str]:
    """Return one heading a column: the lower where it is known (or alone), else the upper."""
    width = max(len(upper), len(lower))
    upper, lower = ([*row, *[""] * (width - len(row))] for row in (upper, lower))
    known = match_headers(lower, layer)
    return [low if i in known or not up.strip() else up
            for i, (up, low) in enumerate(zip(upper, lower, strict=True))]  # fmt: skip


def _refuse_twins(path: Path, headers: Sequence[str], columns: dict[int, str]) -> None:
    counts = Counter(plain(header) for header in headers if header.strip())
    twins = [headers[i] for i in columns if counts[plain(headers[i])] > 1]
    if twins:
        raise InputFileError(
            f"{path}: two columns have one heading (duplicate, trùng): {', '.join(twins)}: "
            "give each column a name of its own"
        )


def _drop_repeated_headers(
    body: list[tuple[int, list[str]]], headers: Sequence[str]
) -> tuple[list[tuple[int, list[str]]], list[int]]:
    wanted = [plain(header) for header in headers]
    repeated = [n for n, row in body if row[0] == headers[0] and [*map(plain, row)] == wanted]
    if not repeated:
        return body, []
    return [(n, row) for n, row in body if n not in set(repeated)], repeated


def _drop_copies(
    body: list[tuple[int, list[str]]],
) -> tuple[list[tuple[int, list[str]]], list[Problem]]:
    """Keep the first of rows that are equal cell by cell."""
    first: dict[int, int] = {}  # hash of the row to its place: a tenth of the rows' own size
    kept: list[tuple[int, list[str]]] = []
    copies = []
    for at, (number, row) in enumerate(body):
        place = first.setdefault(hash(tuple(row)), at)
        if place == at or body[place][1] != row:
            kept.append((number, row))
            continue
        original = body[place][0]
        copies.append(
            Problem(row=number, field="row", found=f"an exact duplicate of row {original}",
                    expected="a row of its own", message="counted once (trùng)")
        )  # fmt: skip
    return kept, copies

"""A table found in its file: the row of headings, the rows below it, and what is no data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from phusong.errors import InputFileError, Problem
from phusong.io.delimited import read_delimited
from phusong.io.files import require_file
from phusong.io.headers import Vocabulary, match_headers, own_vocabulary, plain
from phusong.io.opencellid import as_site_rows
from phusong.io.rows import Rows
from phusong.io.workbook import read_html_table, read_workbook

__all__ = ["TABLES", "Cells", "read_cells"]

TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".gz")
HEADER_WITHIN_ROWS = 30
HTML = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A table: column names by position, headings, the rows below them, and the rest.

    `n_blank` rows hold nothing; `copies` are rows that repeat an earlier one cell by cell; `titles`
    is what stands above the headings.
    """

    columns: dict[int, str]
    headers: list[str]
    rows: Rows
    n_blank: int
    copies: tuple[Problem, ...]
    repairs: tuple[Problem, ...]
    notes: tuple[str, ...]
    vocabulary: Vocabulary
    titles: tuple[str, ...] = ()


def read_cells(path: Path, layer: str, vocabulary: Vocabulary | None = None) -> Cells:
    """Read a table whose heading row is the one with most known headings (at least two).

    Headings may stand in two rows. Rows above them are no data; they are noted, not counted.
    Blank rows and exact copies below them are counted as ignored.

    Raises
    ------
    InputFileError
        If the file is no readable table, holds no row of known headings, two columns of one
        heading, or no rows at all.
    """
    found = _read_rows(path)
    if layer == "sites":
        found = as_site_rows(found)
    is_filled = (found.first_filled() != "").to_numpy(bool, copy=True)
    filled = np.flatnonzero(is_filled)
    if not len(filled):
        raise InputFileError(f"{path}: the file is empty (tệp rỗng): no cell holds anything")
    top = filled[:HEADER_WITHIN_ROWS]
    words = vocabulary or own_vocabulary()
    at, depth, headers = _find_headers(path, found.lists(top), layer, words)
    columns = match_headers(headers, layer, words)
    _refuse_twins(path, headers, columns)
    number = int(found.numbers[top[at + depth - 1]])
    notes = list(found.notes)
    if at:
        notes.append(f"{at} rows above the headings of row {found.numbers[top[at]]} hold no data")
    unknown = [c.strip() for i, c in enumerate(headers) if i not in columns and c.strip()]
    if unknown:
        notes.append(f"columns that are not used: {', '.join(unknown)}")
    if len(filled) == at + depth:
        raise InputFileError(f"{path}: no rows below the headings (no data, không có dữ liệu)")
    is_filled[: filled[at + depth]] = False
    body = found.keep(is_filled)
    is_repeated = _find_headers_again(body, headers)
    if is_repeated.any():
        repeated = ", ".join(map(str, body.numbers[is_repeated]))
        notes.append(f"the headings stand again in rows {repeated}")
        body = body.keep(~is_repeated)
    body, copies = _drop_copies(body)
    return Cells(
        columns=columns,
        headers=headers,
        rows=body,
        n_blank=int((found.numbers > number).sum()) - len(body) - len(copies),
        copies=tuple(copies),
        repairs=tuple(r for r in found.repairs if r.row is None or r.row > number),
        notes=tuple(notes),
        vocabulary=words,
        titles=tuple(cell for row in found.lists(top[:at]) for cell in row if cell.strip()),
    )


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
    path: Path, rows: Sequence[list[str]], layer: str, words: Vocabulary
) -> tuple[int, int, list[str]]:
    """Return where the headings begin, over how many rows they stand, and what they are."""
    best = (0, 0, 1, rows[0])
    for at, row in enumerate(rows):
        options = [(1, row)]
        if at + 1 < len(rows) and not _has_numbers(rows[at + 1]) and not _has_numbers(row):
            options.append((2, _join(row, rows[at + 1], layer, words)))
        for depth, headers in options:
            n = len(match_headers(headers, layer, words))
            if (n, -depth) > (best[0], -best[2]):
                best = (n, at, depth, headers)
    if best[0] < 2:
        first = ", ".join(rows[0][:12])
        raise InputFileError(
            f"{path}: no row of known headings for {layer}; found {first[:300]!r}; missing (thiếu) "
            "headings such as those of `phusong template`"
        )
    return best[1], best[2], best[3]


def _has_numbers(row: Sequence[str]) -> bool:
    return any(cell.strip() and cell.strip()[0].isdigit() and len(cell) > 3 for cell in row)


def _join(upper: list[str], lower: list[str], layer: str, words: Vocabulary) -> list[str]:
    """Return one heading a column: the lower where it is known (or alone), else the upper."""
    width = max(len(upper), len(lower))
    upper, lower = ([*row, *[""] * (width - len(row))] for row in (upper, lower))
    known = match_headers(lower, layer, words)
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


def _find_headers_again(body: Rows, headers: Sequence[str]) -> np.ndarray:
    """Tell which rows say the headings once more."""
    is_like = (body.column(0) == headers[0]).to_numpy(bool) & (body.widths == len(headers))
    for i, header in enumerate(headers[1:], 1):
        at = np.flatnonzero(is_like)
        if not len(at):
            break
        cells = body.column(i).take(at)
        same = {text: plain(text) == plain(header) for text in cells.unique()}
        is_like[at] = cells.map(same).to_numpy(bool)
    return is_like


def _drop_copies(body: Rows) -> tuple[Rows, list[Problem]]:
    """Keep the first of rows that are equal cell by cell."""
    at, group = _with_an_equal(np.arange(len(body)), body.widths)
    for i in range(len(body.columns)):
        if not len(at):
            return body, []
        cells = body.column(i) if len(at) == len(body) else body.column(i).take(at)
        codes, distinct = pd.factorize(cells, use_na_sentinel=False)
        at, group = _with_an_equal(at, group * len(distinct) + codes)
    if body.beyond:
        ends = {cells: i for i, cells in enumerate({*map(tuple, body.beyond.values()), ()})}
        codes = np.array([ends[tuple(body.beyond.get(int(i), ()))] for i in at], dtype="int64")
        at, group = _with_an_equal(at, group * len(ends) + codes)
    first = pd.Series(at).groupby(group).transform("min").to_numpy()
    is_copy = np.zeros(len(body), dtype=bool)
    is_copy[at[at != first]] = True
    copies = [
        Problem(row=int(body.numbers[place]), field="row",
                found=f"an exact duplicate of row {body.numbers[original]}",
                expected="a row of its own", message="counted once (trùng)")
        for place, original in zip(at, first, strict=True)
        if place != original
    ]  # fmt: skip
    return body.keep(~is_copy), copies


def _with_an_equal(at: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows whose group has more than one, and their groups numbered from 0."""
    codes, distinct = pd.factorize(group)
    has_equal = np.bincount(codes, minlength=len(distinct))[codes] > 1
    return at[has_equal], codes[has_equal]

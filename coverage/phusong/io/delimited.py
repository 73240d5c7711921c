"""CSV, TSV and their kin to rows of text: the separator is what makes the rows alike."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from phusong.errors import InputFileError
from phusong.io.rows import Rows, gather_rows, with_odd_rows
from phusong.io.text import decode

__all__ = ["read_delimited"]

DELIMITERS = ",;\t|"
SAMPLE_ROWS = 60
MAX_FIELD_CHARACTERS = 50_000_000
MAX_BYTES = 1_500_000_000
MAX_GZIP_RATIO = 200
CHUNK_BYTES = 1 << 20
BLOCK_BYTES = 1 << 22


def read_delimited(path: Path) -> Rows:
    """Return the records of a delimited text file, numbered from 1 as a spreadsheet shows them.

    Raises
    ------
    InputFileError
        If the file is empty, truncated, too large, in no readable encoding, or if a quotation
        mark is opened and never closed.
    """
    raw = _unzip(path) if path.suffix.lower() == ".gz" else _read(path)
    if not raw or raw.isspace():
        raise InputFileError(f"{path}: the file is empty (tệp rỗng)")
    decoded = decode(raw, name=str(path))
    del raw
    delimiter, width = _choose_delimiter(decoded.text)
    rows = _cut_lines(decoded.text, delimiter, width)
    if rows is None:
        rows = _read_quoted(path, decoded.text, delimiter)
    return replace(rows, repairs=list(decoded.repairs))


def _cut_lines(text: str, delimiter: str, width: int) -> Rows | None:
    """Return rows that are nothing but lines cut at the separator; None where it takes more.

    An empty line is a row of blank cells.
    """
    if '"' in text or width < 2 or text.startswith("\ufeff"):
        return None
    text = text.replace("\r\n", "\n")
    if "\r" in text:
        return None
    odd: dict[int, list[str]] = {}

    def set_apart(row: pa.csv.InvalidRow) -> str:
        odd[row.number - 1] = row.text.split(delimiter)
        return "skip"

    names = [str(i) for i in range(width)]
    try:
        table = pa.csv.read_csv(
            pa.py_buffer(text.encode()),
            pa.csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=False),
            pa.csv.ParseOptions(
                delimiter=delimiter,
                quote_char=False,
                ignore_empty_lines=False,
                invalid_row_handler=set_apart,
            ),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:  # a line longer than a block
        return None
    return with_odd_rows(table.columns, odd)


def _read_quoted(path: Path, text: str, delimiter: str) -> Rows:
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    n_read = 0

    def counted() -> Iterator[list[str]]:
        nonlocal n_read
        for row in reader:
            n_read += 1
            yield row

    try:
        rows = gather_rows(counted())
    except csv.Error as error:
        _refuse(path, n_read + 1, str(error))
    if reader.line_num > len(rows):  # some cell holds several lines
        for number in _of_many_lines(rows):
            (row,) = rows.lists([number - 1])
            if any(_swallowed(cell, delimiter, len(row)) for cell in row if "\n" in cell):
                _refuse(path, number, "a quoted cell holds whole rows")
    return rows


def _lines(text: str) -> Iterator[str]:
    """Yield the lines with their ends; a part at a time, for StringIO takes four bytes a letter."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + CHUNK_BYTES) + 1 or len(text)
        yield from io.StringIO(text[start:end], newline="")
        start = end


def _of_many_lines(rows: Rows) -> list[int]:
    """Return the numbers of the rows that have a cell of several lines."""
    found = set(rows.beyond)
    for column in rows.columns:
        found.update(np.flatnonzero(pc.match_substring(column, "\n").to_numpy()).tolist())
    return [at + 1 for at in sorted(found)]


def _refuse(path: Path, number: int, reason: str) -> NoReturn:
    raise InputFileError(
        f"{path}: row {number}: a quotation mark is opened there and not closed where the cell "
        f"ends ({reason}): the rows after it cannot be told apart; mend that row"
    )


def _swallowed(cell: str, delimiter: str, width: int) -> bool:
    """Tell whether a cell of many lines holds what looks like rows of the table."""
    lines = cell.split("\n")[1:]
    return any(line.count(delimiter) >= max(width // 2, 2) for line in lines)


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise InputFileError(f"{path}: larger than {MAX_BYTES // 10**6} MB: cut it into files")
    return path.read_bytes()


def _unzip(path: Path) -> bytes:
    limit = min(MAX_BYTES, max(path.stat().st_size * MAX_GZIP_RATIO, 10**7))
    out = bytearray()
    try:
        with gzip.open(path) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                out += chunk
                if len(out) > limit:
                    raise InputFileError(f"{path}: unpacks to more than {limit:,} bytes: too large")
    except EOFError as error:
        raise InputFileError(
            f"{path}: truncated: the archive ends before its end (tải chưa đầy đủ); get it anew"
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputFileError(f"{path}: corrupt archive (hỏng): {error}") from error
    return bytes(out)


def _choose_delimiter(text: str) -> tuple[str, int]:
    """Return the separator that cuts the first rows most alike, and into how many cells."""
    head = "\n".join(_first_lines(text, SAMPLE_ROWS))
    scores = {}
    for delimiter in DELIMITERS:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        try:
            widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
        except csv.Error:
            continue
        wide = {width: n for width, n in widths.items() if width > 1}
        if wide:
            width, n = max(wide.items(), key=lambda item: (item[1], item[0]))
            scores[delimiter] = (n / sum(widths.values()), width)
    best = max(scores, key=lambda delimiter: scores[delimiter], default=",")
    return best, scores.get(best, (0.0, 1))[1]


def _first_lines(text: str, n: int) -> list[str]:
    size = CHUNK_BYTES
    while True:
        lines = text[:size].splitlines()
        if len(lines) > n or size >= len(text):
            return lines[:n]
        size *= 4

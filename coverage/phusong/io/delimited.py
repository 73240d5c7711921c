"""CSV, TSV and their kin to rows of text: the separator is what makes the rows alike."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from itertools import islice
from pathlib import Path

from phusong.errors import InputFileError
from phusong.io.rows import Rows
from phusong.io.text import decode

__all__ = ["read_delimited"]

DELIMITERS = ",;\t|"
SAMPLE_ROWS = 60
MAX_FIELD_CHARACTERS = 50_000_000
MAX_BYTES = 1_500_000_000
MAX_GZIP_RATIO = 200
CHUNK_BYTES = 1 << 20


def read_delimited(path: Path) -> Rows:
    """Return the records of a delimited text file, numbered from 1 as a spreadsheet shows them.

    Raises
    ------
    InputFileError
        If the file is empty, truncated, too large, in no readable encoding, or if a quotation
        mark is opened and never closed.
    """
    raw = _unzip(path) if path.suffix.lower() == ".gz" else _read(path)
    if not raw.strip():
        raise InputFileError(f"{path}: the file is empty (tệp rỗng)")
    decoded = decode(raw, name=str(path))
    delimiter = _choose_delimiter(decoded.text)
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(decoded.text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(reader, 1):
            rows.append((number, row))
    except csv.Error as error:
        _refuse(path, len(rows) + 1, str(error))
    if reader.line_num > len(rows):  # some cell holds several lines
        for number, row in rows:
            if any("\n" in cell and _swallowed(cell, delimiter, len(row)) for cell in row):
                _refuse(path, number, "a quoted cell holds whole rows")
    return Rows(rows=rows, repairs=list(decoded.repairs))


def _refuse(path: Path, number: int, reason: str) -> None:
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


def _choose_delimiter(text: str) -> str:
    """Return the separator that cuts the first rows into most equal numbers of cells."""
    head = "\n".join(islice(text.splitlines(), SAMPLE_ROWS))
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
    return max(scores, key=lambda delimiter: scores[delimiter], default=",")

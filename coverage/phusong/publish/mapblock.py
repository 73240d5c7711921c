"""The data of a map inside its page: packed, deflated, text that no browser runs; and back.

A block is base64 of deflated bytes: the length of a header (4 bytes, the least first), the header
(JSON in UTF-8), and the columns. In the header a long list of whole numbers is `{"$": k}`, and a
long list of texts that end in numbers `{"$": k, "prefix": …, "width": …}`; `columns[k]` says how
column k lies in the bytes. assets/unpack.js reads the same.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from phusong.errors import InputFileError
from phusong.publish.mapdata import to_json_text

__all__ = ["pack", "read_map_data", "unpack"]

LONG = 24  # shorter lists stay JSON
BLOCK = re.compile(r'<script type="text/plain" id="phusong-data">([A-Za-z0-9+/=]*)</script>')
MOST_BYTES = 500_000_000


def pack(data: Mapping[str, Any]) -> str:
    """Return the block of plain data.

    Parameters
    ----------
    data : Mapping
        JSON values; lists of whole numbers (None among them is kept) are stored in few bytes.

    Examples
    --------
    >>> unpack(pack({"name": "</script>", "share": [10_000, None] * 50}))["name"]
    '</script>'
    """
    columns = _Columns()
    values = columns.pack(data)
    header = to_json_text({"columns": columns.layout, "values": values}).encode()
    whole = len(header).to_bytes(4, "little") + header + b"".join(columns.parts)
    return base64.b64encode(zlib.compress(whole, 9)).decode()


def unpack(block: str) -> dict[str, Any]:
    """Return the data of a block, equal to what was packed.

    Raises
    ------
    ValueError
        If it is no block, or inflates to more than 500 MB.
    """
    inflate = zlib.decompressobj()
    try:
        whole = inflate.decompress(base64.b64decode(block, validate=True), MOST_BYTES)
    except zlib.error as error:
        raise ValueError(f"no block of a map: {error}") from error
    if not inflate.eof:
        raise ValueError("no block of a map: cut short, or too large")
    end = 4 + int.from_bytes(whole[:4], "little")
    header = json.loads(whole[4:end])
    columns, start = [], end
    for n, n_planes, form in header["columns"]:
        columns.append(_read_column(whole[start : start + n * n_planes], n, form))
        start += n * n_planes
    values: dict[str, Any] = _restore(header["values"], columns)
    return values


def read_map_data(path: Path) -> dict[str, Any]:
    """Return the data that a written map shows, as `map_data` gave it; of two, the first.

    Parameters
    ----------
    path : Path
        A map.html that a run wrote.

    Raises
    ------
    InputFileError
        If the page is not a map of ours, or its data are damaged.
    """
    found = BLOCK.search(path.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        raise InputFileError(f"{path}: found no data of a map, expected a map.html of phusong")
    try:
        first: dict[str, Any] = unpack(found.group(1))["maps"][0]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise InputFileError(f"{path}: the data of the map are damaged ({error})") from error
    return first


class _Columns:
    """Collects long lists; one that was there already is not stored again."""

    def __init__(self) -> None:
        self.layout: list[tuple[int, int, str]] = []
        self.parts: list[bytes] = []
        self.known: dict[tuple[bytes, str], int] = {}

    def pack(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self.pack(item) for key, item in value.items()}
        if not isinstance(value, list | tuple):
            return value
        if len(value) >= LONG and all(type(item) is int or item is None for item in value):
            return {"$": self.add(value)}
        if len(value) >= LONG and all(isinstance(item, str) for item in value):
            return self.pack_texts(value)
        return [self.pack(item) for item in value]

    def pack_texts(self, texts: Sequence[str]) -> Any:
        """Pack texts that are one prefix and a number of one width, such as codes."""
        digits = re.search(r"[0-9]{1,15}\Z", texts[0], re.ASCII)
        prefix = texts[0][: digits.start()] if digits else ""
        width = len(texts[0]) - len(prefix)
        is_alike = re.compile(re.escape(prefix) + f"[0-9]{{{width}}}", re.ASCII).fullmatch
        if not digits or not all(map(is_alike, texts)):
            return list(texts)
        numbers = [int(text[len(prefix) :]) for text in texts]
        return {"$": self.add(numbers), "prefix": prefix, "width": width}

    def add(self, numbers: Sequence[int | None]) -> int:
        forms = {"gaps": _with_gaps} if None in numbers else {"plain": _plain, "steps": _steps}
        written = [(form, *_planes(make(numbers))) for form, make in forms.items()]
        form, stored, n_planes = min(written, key=lambda one: len(zlib.compress(one[1], 6)))
        if (stored, form) not in self.known:
            self.known[stored, form] = len(self.layout)
            self.layout.append((len(numbers), n_planes, form))
            self.parts.append(stored)
        return self.known[stored, form]


def _plain(numbers: Sequence[int | None]) -> np.ndarray:
    return _zigzag(np.array(numbers, dtype=np.int64))


def _steps(numbers: Sequence[int | None]) -> np.ndarray:
    return _zigzag(np.diff(np.array(numbers, dtype=np.int64), prepend=0))


def _with_gaps(numbers: Sequence[int | None]) -> np.ndarray:
    """0 is unknown, others are one more."""
    known = _zigzag(np.array([0 if n is None else n for n in numbers], dtype=np.int64)) + 1
    return np.where([n is None for n in numbers], 0, known)


def _zigzag(numbers: np.ndarray) -> np.ndarray:
    return np.where(numbers >= 0, 2 * numbers, -2 * numbers - 1)


def _planes(numbers: np.ndarray) -> tuple[bytes, int]:
    """Return all lowest bytes, then all second ones, and so on: like stands with like."""
    n_planes = max(1, (int(numbers.max()).bit_length() + 7) // 8)
    planes = [((numbers >> (8 * k)) & 255).astype(np.uint8) for k in range(n_planes)]
    return b"".join(plane.tobytes() for plane in planes), n_planes


def _read_column(stored: bytes, n: int, form: str) -> list[int | None]:
    planes = np.frombuffer(stored, dtype=np.uint8).reshape(-1, n).astype(np.int64)
    numbers = sum((plane << (8 * k) for k, plane in enumerate(planes)), np.zeros(n, np.int64))
    is_known = numbers > 0 if form == "gaps" else np.ones(n, dtype=bool)
    numbers = np.maximum(numbers - 1, 0) if form == "gaps" else numbers
    signed = np.where(numbers % 2 == 0, numbers // 2, -(numbers // 2) - 1)
    signed = np.cumsum(signed) if form == "steps" else signed
    return [int(v) if k else None for v, k in zip(signed, is_known, strict=True)]


def _restore(value: Any, columns: Sequence[list[int | None]]) -> Any:
    if isinstance(value, list):
        return [_restore(item, columns) for item in value]
    if not isinstance(value, dict):
        return value
    if "$" not in value:
        return {key: _restore(item, columns) for key, item in value.items()}
    numbers = columns[value["$"]]
    if "width" not in value:
        return list(numbers)
    say: Callable[[int | None], str] = lambda n: f"{value['prefix']}{n:0{value['width']}d}"  # noqa: E731
    return [say(n) for n in numbers]

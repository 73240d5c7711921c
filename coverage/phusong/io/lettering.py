"""The letters of a layer's attributes, read again where they were read in a wrong encoding."""

from __future__ import annotations

import codecs
from collections.abc import Iterable

import geopandas as gpd
import pandas as pd

from phusong.errors import InputFileError, Problem
from phusong.io.text import Decoded, decode

__all__ = ["respell"]

# Windows names of what decode() answers, so that a true claim makes no record.
SAME = {
    "UTF-8": ("utf-8", "utf8", "65001"),
    "Windows-1252": ("1252", "8859-1", "8859_1", "latin"),
    "Windows-1258": ("1258", "windowsvietnamese"),
}


def respell(
    layer: gpd.GeoDataFrame, name: str, *, said: str | None = None
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """Return the layer with its text in Vietnamese letters, and a record of what changed.

    Parameters
    ----------
    layer : GeoDataFrame
    name : str
        The file, for messages.
    said : str, optional
        Where the text is bytes shown as Latin-1: the encoding that the file claims ("" for none).

    Raises
    ------
    InputFileError
        If bytes are in no encoding that is known here.
    """
    columns = [c for c in layer.columns if c != layer.geometry.name and _is_text(layer[c])]
    cells = (value for c in columns for value in layer[c])
    words = sorted({v for v in cells if isinstance(v, str) and not v.isascii()})
    if not words:
        return layer, []
    raw = [_as_bytes(" ".join(word.splitlines()), said) for word in words]
    whole = [_whole_letters(cell) for cell in raw]
    decoded = _decode(b"\n".join(whole), said, name)
    lines = decoded.text.split("\n")
    if len(lines) != len(words):
        raise InputFileError(f"{name}: its text is in no known encoding")
    changed = {word: line for word, line in zip(words, lines, strict=True) if word != line}
    if not changed:
        return layer, []
    again = layer.copy()
    for column in columns:
        values = layer[column]
        again[column] = values.map(lambda v: changed.get(v, v) if isinstance(v, str) else v)
    repairs = []
    if said is None or not _is_same(said, decoded.encoding):
        claim = "" if said is None else (said or "none named")
        repairs.append(_record(decoded.encoding, claim, changed))
    cut = sum(a != b for a, b in zip(raw, whole, strict=True))
    if cut:
        repairs.append(
            Problem(row=None, field=", ".join(map(str, columns)), found=f"{cut} values cut short",
                    expected="whole letters", message="the broken last letter was left out")
        )  # fmt: skip
    return again, repairs


def _decode(raw: bytes, said: str | None, name: str) -> Decoded:
    """Return Vietnamese text; where it is none, what the file claims it to be."""
    try:
        return decode(raw, name=name)
    except InputFileError as error:
        try:
            codec = codecs.lookup(said or "")
            return Decoded(text=raw.decode(codec.name), encoding=str(said))
        except (LookupError, UnicodeDecodeError):
            raise InputFileError(
                f"{name}: its text is in no known encoding (mã hóa), or in two; its own claim "
                f"(.cpg, charset) is {said or 'none'}: save it again as UTF-8"
            ) from error


def _record(encoding: str, claim: str, changed: dict[str, str]) -> Problem:
    before, after = next(iter(changed.items()))
    return Problem(
        row=None,
        field="text",
        found=f"text in {encoding}",
        expected=f"the encoding of the file ({claim})" if claim else "Vietnamese letters in UTF-8",
        message=f"encoding: {len(changed)} values read again, such as {before!r} as {after!r}",
    )


def _is_text(values: pd.Series) -> bool:
    return bool(pd.api.types.is_string_dtype(values) or pd.api.types.is_object_dtype(values))


def _as_bytes(word: str, said: str | None) -> bytes:
    return word.encode("utf-8" if said is None else "latin-1")


def _whole_letters(cell: bytes) -> bytes:
    """Return UTF-8 without the part of a letter at its end: fields of a .dbf end after N bytes."""
    try:
        cell.decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data" and _has_letters(cell[: error.start])
        return cell[: error.start] if is_cut else cell
    return cell


def _has_letters(cell: bytes) -> bool:
    return not cell.isascii()


def _is_same(said: str, encoding: str) -> bool:
    if not said:
        return encoding == "UTF-8"  # what programs write today, when they say nothing
    names: Iterable[str] = SAME.get(encoding, (encoding,))
    return any(name.casefold() in said.casefold() for name in names)

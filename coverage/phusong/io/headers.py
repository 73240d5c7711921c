"""The words of planners' tables: which heading is which column, which word is which value."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from phusong.io.embedded import embedded_path
from phusong.names import strip_accents

__all__ = [
    "Vocabulary",
    "as_words",
    "match_headers",
    "own_vocabulary",
    "plain",
    "read_register",
    "split_words",
]


def plain(text: str) -> str:
    """Return a heading or word without case, accents, units in brackets and punctuation.

    Examples
    --------
    >>> plain("Kinh độ (°)"), plain("HOUSEHOLDS_PASSED")
    ('kinh do', 'households passed')
    """
    bare = re.sub(r"[(\[].*?[)\]]", " ", strip_accents(text).casefold())
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare).split())


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Which heading is which column, by layer, and which word is which value, by column.

    `register` has the form of `headers.toml`.
    """

    register: Mapping[str, Any]


def match_headers(
    headers: list[str], layer: str, vocabulary: Vocabulary | None = None
) -> dict[int, str]:
    """Return, for each position in `headers` that is known, the column it holds.

    Where two headings mean one column, the first has it.

    Examples
    --------
    >>> match_headers(["STT", "Mã trạm", "Kinh độ", "Vĩ độ"], "sites")
    {1: 'site_id', 2: 'lon', 3: 'lat'}
    """
    known = _columns(vocabulary or own_vocabulary(), layer)
    found: dict[int, str] = {}
    for position, header in enumerate(headers):
        start = re.split(r"\(| - |:|\bVN.?2000", header)[0]
        column = known.get(plain(header)) or known.get(plain(start))
        if column is not None and column not in found.values():
            found[position] = column
    return found


def as_words(values: pd.Series, column: str, vocabulary: Vocabulary | None = None) -> pd.Series:
    """Return text values in the schema's own words where they are known, else as they are."""
    known = _words(vocabulary or own_vocabulary(), column)
    return values.map(lambda text: known.get(plain(text), text), na_action="ignore")


def split_words(text: str, column: str, vocabulary: Vocabulary | None = None) -> list[str]:
    """Return the words of a cell that may name several, such as "4G/5G"; none if one is unknown.

    Examples
    --------
    >>> split_words("4G/5G", "technology"), split_words("4G", "technology")
    (['4G', '5G'], ['4G'])
    >>> split_words("WiFi/5G", "technology")
    []
    """
    known = _words(vocabulary or own_vocabulary(), column)
    whole = known.get(plain(text))
    if whole is not None:
        return [whole]
    texts = [part for part in re.split(r"[/,;+&|]| và | and ", text) if part.strip()]
    words = [known[plain(part)] for part in texts if plain(part) in known]
    return list(dict.fromkeys(words)) if len(words) == len(texts) else []


@cache
def _columns(vocabulary: Vocabulary, layer: str) -> dict[str, str]:
    return {
        plain(alias): column
        for column, aliases in reversed(vocabulary.register[layer].items())
        for alias in aliases
    }


@cache
def _words(vocabulary: Vocabulary, column: str) -> dict[str, str]:
    return {
        plain(alias): word
        for word, aliases in vocabulary.register["words"][column].items()
        for alias in (word, *aliases)
    }


@cache
def own_vocabulary() -> Vocabulary:
    """Return the headings and words that come with phusong."""
    return Vocabulary(read_register())


@cache
def read_register() -> dict[str, dict]:
    """Return the alias table: headings by layer, words by column, units, as data."""
    return tomllib.loads(Path(embedded_path("headers")).read_text(encoding="utf-8"))

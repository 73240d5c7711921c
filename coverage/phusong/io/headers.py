"""The words of planners' tables: which heading is which column, which word is which value."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import pandas as pd

from phusong.io.embedded import embedded_path
from phusong.names import strip_accents

__all__ = ["as_words", "match_headers", "plain"]


def plain(text: str) -> str:
    """Return a heading or word without case, accents, units in brackets and punctuation.

    Examples
    --------
    >>> plain("Kinh độ (°)"), plain("HOUSEHOLDS_PASSED")
    ('kinh do', 'households passed')
    """
    bare = re.sub(r"[(\[].*?[)\]]", " ", strip_accents(text).casefold())
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare).split())


def match_headers(headers: list[str], layer: str) -> dict[int, str]:
    """Return, for each position in `headers` that is known, the column it holds.

    Where two headings mean one column, the first has it.

    Examples
    --------
    >>> match_headers(["STT", "Mã trạm", "Kinh độ", "Vĩ độ"], "sites")
    {1: 'site_id', 2: 'lon', 3: 'lat'}
    """
    known = {
        plain(alias): column
        for column, aliases in reversed(_register()[layer].items())
        for alias in aliases
    }
    found: dict[int, str] = {}
    for position, header in enumerate(headers):
        column = known.get(plain(header))
        if column is not None and column not in found.values():
            found[position] = column
    return found


def as_words(values: pd.Series, column: str) -> pd.Series:
    """Return text values in the schema's own words where they are known, else as they are."""
    known = {
        plain(alias): word
        for word, aliases in _register()["words"][column].items()
        for alias in (word, *aliases)
    }
    return values.map(lambda text: known.get(plain(text), text), na_action="ignore")


@cache
def _register() -> dict[str, dict]:
    return tomllib.loads(Path(embedded_path("headers")).read_text(encoding="utf-8"))

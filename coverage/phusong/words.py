"""The words of each language, and how it writes numbers and days: one file for a language.

`data/languages/LANG.toml` holds all words of a language, a table for each subject;
`LANG_sentences.toml` beside it the sentences of notes and errors (see `sentences.py`). A language
is there as soon as its file is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["LANGUAGES", "localise", "read_sentences", "read_words", "title_of", "write_day"]

FOLDER = Path(__file__).parent / "data" / "languages"
SENTENCES = "_sentences"

# The first is that of most readers: at the root of a website, and where none is asked for.
LANGUAGES = tuple(
    sorted(
        (path.stem for path in FOLDER.glob("*.toml") if not path.stem.endswith(SENTENCES)),
        key=lambda lang: (lang != "vi", lang),
    )
)


def read_words(subject: str, lang: str) -> dict[str, Any]:
    """Return the words of a subject, such as "map" or "report", by name.

    Raises
    ------
    ValueError
        If no file holds that language.

    Examples
    --------
    >>> read_words("summary", "vi")["as_of"]
    'Số liệu ngày'
    """
    return dict(_read(lang)[subject])


def read_sentences(lang: str) -> list[dict[str, str]]:
    """Return the sentences of a language: each `en` with what is `said`; English has none."""
    path = FOLDER / f"{lang}{SENTENCES}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))["sentence"] if path.exists() else []


def title_of(entry: Any, name: str, lang: str) -> str:
    """Return what a register says in a language; in English where it does not speak it.

    Examples
    --------
    >>> title_of({"title_vi": "Phủ 5G", "title_en": "5G coverage"}, "title", "fr")
    '5G coverage'
    """
    own, english = f"{name}_{lang}", f"{name}_en"
    if isinstance(entry, Mapping):
        return str(entry.get(own) or entry[english])
    return str(getattr(entry, own, None) or getattr(entry, english))


def localise(number: str, lang: str) -> str:
    """Return a number that is written as in English with the signs of a language.

    Examples
    --------
    >>> localise("1,234.5", "vi"), localise("1,234.5", "en")
    ('1.234,5', '1,234.5')
    """
    form = _read(lang)["format"]
    return number.translate(str.maketrans(",.", form["thousands"] + form["decimal"]))


def write_day(day: date | str, lang: str) -> str:
    """Return a day as people of a language write it.

    Examples
    --------
    >>> write_day("2026-06-30", "vi"), write_day(date(2026, 6, 30), "en")
    ('30/06/2026', '2026-06-30')
    """
    whole = day if isinstance(day, date) else date.fromisoformat(day)
    return whole.strftime(_read(lang)["format"]["day"])


@cache
def _read(lang: str) -> dict[str, Any]:
    if lang not in LANGUAGES:
        raise ValueError(f"lang: found {lang!r}, expected one of {', '.join(LANGUAGES)}")
    return tomllib.loads((FOLDER / f"{lang}.toml").read_text(encoding="utf-8"))

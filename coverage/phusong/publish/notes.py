"""Notes of a run in the language of who reads them.

A run writes its notes in English, into `summary.json` as well. Where they are shown they are found
again by their sentence, so that also runs of before can be told in Vietnamese.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

__all__ = ["tell_note"]

BLANK = "{}"
FILE = re.compile(r"([^:\n]+\.\w{2,10}): (.+)", re.DOTALL)
# 4,320,947 and 0.748, not a part of a code, a name or another number
NUMBER = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w]|[.,]\d)")


def tell_note(note: str, lang: str) -> str:
    """Return a note of a run in a language; one that the catalogue does not know stays English.

    Parameters
    ----------
    note : str
        As a run wrote it, perhaps after the name of a file.
    lang : {"vi", "en"}

    Examples
    --------
    >>> tell_note("sites.csv: columns that are not used: note", "vi")
    'sites.csv: các cột không dùng: note'
    >>> tell_note("432 of 11840 cells do not cover: 348 planned, 84 retired", "vi")
    '432 trong 11840 ô không tính phủ: 348 dự kiến, 84 đã ngừng'
    """
    if lang != "vi":
        return note
    of_file = FILE.fullmatch(note)
    if of_file is not None:
        return f"{of_file[1]}: {_translate(of_file[2])}"
    return _translate(note)


def _translate(text: str) -> str:
    for pattern, form in _catalogue():
        found = pattern.fullmatch(text)
        if found is not None:
            return form.format(*(_part(part) for part in found.groups()))
    return text


def _part(text: str) -> str:
    """Return what stands in a blank: words that the catalogue knows, numbers with a comma."""
    for between in ("; ", ", "):
        told = between.join(_translate(piece) for piece in text.split(between))
        if told != text:
            break
    return NUMBER.sub(_localise, told)


def _localise(number: re.Match[str]) -> str:
    return number[1].replace(",", ".") + (number[2] or "").replace(".", ",")


@cache
def _catalogue() -> tuple[tuple[re.Pattern[str], str], ...]:
    text = (files(__package__) / "assets" / "notes.toml").read_text(encoding="utf-8")
    return tuple((_pattern(entry["en"]), entry["vi"]) for entry in tomllib.loads(text)["note"])


def _pattern(sentence: str) -> re.Pattern[str]:
    """Return what fits a sentence; one that begins with a blank has a number or a name there."""
    fits = "(.+?)".join(map(re.escape, sentence.split(BLANK)))
    return re.compile(re.sub(r"^\(\.\+\?\)", "(.{1,200}?)", fits), re.DOTALL)

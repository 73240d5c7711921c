"""The headings and words that a user adds to ours, from a file in the form of `headers.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from phusong.errors import InputFileError
from phusong.io.files import require_file
from phusong.io.headers import Vocabulary, plain, read_register
from phusong.layers import LAYERS

__all__ = ["read_aliases"]

OPEN_WORDS = ("operator",)  # columns that may hold words of which nobody has heard yet


def read_aliases(path: Path | str) -> Vocabulary:
    """Return our headings and words with those of a file added.

    Parameters
    ----------
    path : Path
        TOML: `[communes]`, `[sites]` and `[service]` list headings by column; `[words.COLUMN]`
        lists spellings by word, `[implied.technology]` headings that say the technology of a table
        without such a column. Case, accents, units in brackets and punctuation do not count.

    Raises
    ------
    InputFileError
        If it is no such file, names a layer, column or word that does not exist, or gives one
        spelling two meanings; the message lists everything that is wrong.

    Examples
    --------
    >>> path = getfixture("tmp_path") / "headers.toml"
    >>> _ = path.write_text('[sites]\\nsite_id = ["Mã BTS nội bộ"]')
    >>> "Mã BTS nội bộ" in read_aliases(path).register["sites"]["site_id"]
    True
    """
    path = Path(path)
    require_file(path, (".toml",))
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Notepad puts a mark first
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputFileError(f"{path}: not a TOML file: {error}") from error
    merged = deepcopy(read_register())
    known = (*LAYERS, "words", "implied")
    problems = [
        f"[{name}] is no section; known are {', '.join(known)}"
        for name in given
        if name not in known
    ]
    for name, section in _sections(given, problems):
        problems += _add(name, section, merged)
    if problems:
        raise InputFileError("\n  - ".join([f"{path}: {len(problems)} problems", *problems]))
    return Vocabulary(merged)


def _sections(
    given: Mapping[str, Any], problems: list[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the tables of lists by their names, such as "sites" or "words.operator"."""
    for name in LAYERS:
        if name in given:
            yield from _table(name, given[name], problems)
    for outer in ("words", "implied"):
        for _, inner in _table(outer, given.get(outer, {}), problems):
            for column, section in inner.items():
                yield from _table(f"{outer}.{column}", section, problems)


def _table(
    name: str, section: object, problems: list[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(section, dict):
        yield name, section
    else:
        problems.append(f"{name}: found {section!r}, expected a table of lists")


def _add(name: str, section: Mapping[str, Any], merged: dict[str, Any]) -> list[str]:
    """Add the section to `merged`; return what is wrong with it."""
    outer, _, column = name.partition(".")
    if column and column not in merged[outer]:
        return [f"[{name}]: no such column; known are {', '.join(merged[outer])}"]
    ours = merged[outer][column] if column else merged[outer]
    known = [*ours]
    if column in OPEN_WORDS:
        known += section
    elif outer == "implied":
        known = [*merged["words"][column]]
    elif not column:
        known += [c.name for c in LAYERS[name].columns if c.name not in ours]
    meant = {plain(text): word for word, texts in ours.items() for text in (word, *texts)}
    problems = []
    for word, texts in section.items():
        if word not in known:
            problems.append(f"[{name}] {word}: not known; known are {', '.join(known)}")
            continue
        if not isinstance(texts, list) or not all(isinstance(t, str) and plain(t) for t in texts):
            problems.append(f"[{name}] {word}: found {texts!r}, expected a list of texts")
            continue
        for text in (word, *texts):
            other = meant.setdefault(plain(text), word)
            if other != word:
                problems.append(
                    f"[{name}] {text!r} means both {other} and {word}: it must mean one"
                )
        ours.setdefault(word, []).extend(t for t in texts if t not in ours[word])
    return problems

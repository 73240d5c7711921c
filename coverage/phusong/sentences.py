"""Notes and errors in the language of who reads them.

They are written in English where they arise, and into `summary.json` as well. Where they are shown
they are found again by their sentence, so that also runs of before can be told in Vietnamese, and
the code that finds a fault knows nothing of languages.
"""

from __future__ import annotations

import re
from functools import cache

from phusong.errors import SHOWN_PROBLEMS, Problem, SchemaError
from phusong.words import localise, read_sentences, read_words

__all__ = ["tell", "tell_error", "tell_problem"]

# Any text, a number, and text that stays as it is, such as codes; a leading text is short, and ends
# before the colon after a file's name.
BLANKS = {"{}": "(.*?)", "{#}": r"([-−]?\d[\d.,]*(?:e[-+]?\d+)?)", "{=}": "(.*?)"}
BLANK = re.compile(r"(\{[#=]?\})")
LIST_LINE = re.compile(r"(\s*(?:- )?)(.*)", re.DOTALL)
LEADING = "((?:(?!: ).){1,200}?)"
# 4,320,947 and 0.748; not a part of a code, of a name or of what is quoted, nor of a path
NUMBER = re.compile(
    r"'[^']*'|\"[^\"]*\"|`[^`]*`|\S*[/\\]\S*"
    r"|(?<![\w.,])(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?![\w]|[.,]\d)"
)


def tell(text: str, lang: str) -> str:
    """Return a note or an error in a language; what it has no sentence for stays English.

    Parameters
    ----------
    text : str
        As it was written, perhaps after the name of a file; each line is a sentence of its own.
    lang : str
        One of `words.LANGUAGES`.

    Examples
    --------
    >>> tell("sites.csv: columns that are not used: note", "vi")
    'sites.csv: các cột không dùng: note'
    >>> tell("432 of 11840 cells do not cover: 348 planned, 84 retired", "vi")
    '432 trong 11840 ô không tính phủ: 348 dự kiến, 84 đã ngừng'
    """
    if not _catalogue(lang):
        return text
    return "\n".join(_tell_line(line, lang) for line in text.split("\n"))


def tell_problem(problem: Problem, lang: str) -> str:
    """Return what is wrong with one row, as `str` does, in a language.

    Examples
    --------
    >>> problem = Problem(row=3, field="height_m", found="'-5'", expected="0 to 400 m")
    >>> tell_problem(problem, "vi")
    "dòng 3, height_m: thấy '-5', cần 0 đến 400 m"
    """
    words = read_words("problem", lang)
    return words["said"].format(
        where="" if problem.row is None else words["where"].format(row=problem.row),
        field=problem.field,
        found=_tell_part(problem.found, lang),
        expected=_tell_part(problem.expected, lang),
        tail=f" ({tell(problem.message, lang)})" if problem.message else "",
    )


def tell_error(error: Exception, lang: str) -> str:
    """Return the message of an error in a language, with the rows that it lists.

    Examples
    --------
    >>> problem = Problem(row=None, field="lat", found="no such column", expected="a column")
    >>> print(tell_error(SchemaError("sites", [problem]), "vi"))
    sites: 1 lỗi
      - lat: thấy không có cột này, cần một cột
    """
    if not isinstance(error, SchemaError):
        return tell(str(error), lang)
    words, n_problems = read_words("problem", lang), len(error.problems)
    lines = [words["one" if n_problems == 1 else "many"].format(layer=error.layer, n=n_problems)]
    lines += [f"  - {tell_problem(problem, lang)}" for problem in error.problems[:SHOWN_PROBLEMS]]
    if n_problems > SHOWN_PROBLEMS:
        lines.append(words["more"].format(n=n_problems - SHOWN_PROBLEMS))
    return "\n".join(lines)


def _tell_line(line: str, lang: str) -> str:
    """Return a sentence told whole, or else what follows the file or verb that it is about."""
    lead, rest = LIST_LINE.fullmatch(line).groups()  # type: ignore[union-attr]
    heads: list[str] = []
    while True:
        told = _fill(rest, lang)
        if told is not None:
            return lead + ": ".join([*heads, told])
        head, colon, rest = rest.partition(": ")
        if not colon:
            return line
        heads.append(head)


def _fill(text: str, lang: str) -> str | None:
    for pattern, blanks, form in _catalogue(lang):
        found = pattern.fullmatch(text)
        if found is not None:
            parts = zip(blanks, found.groups(), strict=True)
            told = (part if blank == "{=}" else _tell_part(part, lang) for blank, part in parts)
            return form.format(*told)
    return None


def _tell_part(text: str, lang: str) -> str:
    """Return what stands in a blank: a list of sentences, one sentence, or a list of words."""
    pieces = text.split("; ")
    told = [_tell_line(piece, lang) for piece in pieces]
    if all(after != before for after, before in zip(told, pieces, strict=True)):
        joined = "; ".join(told)
    else:
        joined = _tell_line(text, lang)
    if joined == text:
        joined = ", ".join(_tell_line(piece, lang) for piece in text.split(", "))
    return NUMBER.sub(
        lambda found: localise(found[0], lang) if found["number"] else found[0], joined
    )


@cache
def _catalogue(lang: str) -> tuple[tuple[re.Pattern[str], list[str], str], ...]:
    """Return the sentences with their forms, the surest first.

    What begins with words of ours is surer than what begins with a blank; then what says more.
    """
    entries = read_sentences(lang)
    entries.sort(key=lambda entry: (entry["en"][0] == "{", -len(BLANK.sub("", entry["en"]))))
    return tuple(
        (_pattern(entry["en"]), BLANK.findall(entry["en"]), entry["said"]) for entry in entries
    )


def _pattern(sentence: str) -> re.Pattern[str]:
    """Return what fits a sentence; what leads it ends before a colon: there a file may stand."""
    parts = BLANK.split(sentence)
    fits = [BLANKS.get(part) or re.escape(part) for part in parts]
    if parts[0] == "" and parts[1] == "{}":
        fits[1] = LEADING
    return re.compile("".join(fits), re.DOTALL)

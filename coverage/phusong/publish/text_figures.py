"""Text on printed pages: letters that the font has, and lines that fit their column."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font
from matplotlib.textpath import text_to_path

__all__ = ["FONT", "fit_text", "printable", "wrap_text"]

FONT = "DejaVu Sans"  # comes with matplotlib, and has every Vietnamese letter and ≥ ≤ → −
NO_GLYPH = "\ufffd"


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    return frozenset(FT2Font(findfont(FONT)).get_charmap())


def printable(text: str) -> str:
    r"""Return the text in one line, with U+FFFD for what the font cannot draw.

    Marks that turn the direction of writing are left out: they would turn what follows as well.

    Examples
    --------
    >>> printable("Xã  Tân\nLập $x$ \N{RIGHT-TO-LEFT OVERRIDE}")
    'Xã Tân Lập $x$'
    >>> printable("\u6e05") == "\ufffd"
    True
    """
    line = " ".join(unicodedata.normalize("NFC", text).split())
    kept = (c for c in line if unicodedata.category(c) not in ("Cc", "Cf"))
    return "".join(c if ord(c) in _glyphs() else NO_GLYPH for c in kept).strip()


def fit_text(text: str, width_pt: float, size: float, *, weight: str = "normal") -> str:
    """Return the text, printable and cut with "…" to `width_pt` points at a font size.

    Examples
    --------
    >>> fit_text("Thanh Hóa", 200, 10)
    'Thanh Hóa'
    >>> fit_text("Thanh Hóa", 40, 10)
    'Than…'
    """
    clean = printable(text)

    def fits(length: int) -> bool:
        line = clean if length == len(clean) else clean[:length].rstrip() + "…"
        return _width_pt(line, size, weight) <= width_pt

    if fits(len(clean)):
        return clean
    low, high = 0, len(clean) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return clean[:low].rstrip() + "…"


def wrap_text(text: str, width_pt: float, size: float, *, lines: int) -> list[str]:
    """Return the text in at most so many lines that fit; the last is cut with "…" if need be.

    Examples
    --------
    >>> wrap_text("one two three four", 60, 10, lines=2)
    ['one two', 'three four']
    >>> wrap_text("one two three four", 45, 10, lines=2)
    ['one two', 'three f…']
    """
    found: list[str] = []
    line = ""
    words = printable(text).split()
    for k, word in enumerate(words):
        longer = f"{line} {word}".lstrip()
        if line and _width_pt(longer, size) > width_pt:
            if len(found) == lines - 1:
                return [*found, fit_text(" ".join([line, *words[k:]]), width_pt, size)]
            found.append(fit_text(line, width_pt, size))
            longer = word
        line = longer
    return [*found, fit_text(line, width_pt, size)] if line else found


def _width_pt(line: str, size: float, weight: str = "normal") -> float:
    font = FontProperties(family=FONT, size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(line, font, ismath=False)
    return float(width)

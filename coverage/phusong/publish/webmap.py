"""The web map of an assessment: one file that opens anywhere, with the network off."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from typing import Any

from phusong.publish.assessment import Assessment
from phusong.publish.mapblock import pack, read_map_data
from phusong.publish.mapdata import map_data, to_json_text
from phusong.publish.mappictures import UNCOVERED_RGBA
from phusong.publish.offline import OfflineMap
from phusong.publish.palette import BREAKS, CHANGES, CLASSES, GAP, TECHNOLOGIES, TIERS
from phusong.words import LANGUAGES, read_words

__all__ = ["build_map", "escape_json", "read_map_data", "render_map", "render_page"]

STILL_INCHES, STILL_DPI = (9, 6), 80


def build_map(
    assessment: Assessment, *, lang: str = "vi", breaks: Sequence[float] = BREAKS
) -> OfflineMap:
    """Return the map of an assessment; a notebook shows it as it is, with a still picture.

    Parameters
    ----------
    assessment : Assessment
    lang : str
        The language in which it opens; the page has a switch.
    breaks : sequence of float
        Limits of the classes of shares, to explore with. Two maps with the policy's limits can be
        laid side by side; one with others says that it has its own.

    Raises
    ------
    ValueError
        If the language is not one of ours, or limits do not rise from above 0 to 1 at most.
    """

    def draw_still() -> bytes:
        from matplotlib.figure import Figure

        from phusong.publish.figures import plot_communes

        buffer, figure = io.BytesIO(), Figure(figsize=STILL_INCHES, layout="compressed")
        plot_communes(assessment, lang=lang, ax=figure.add_subplot())
        figure.savefig(buffer, format="png", dpi=STILL_DPI, metadata={"Software": None})
        return buffer.getvalue()

    return _page([map_data(assessment)], lang, breaks=breaks, draw_still=draw_still)


def render_map(assessment: Assessment, *, lang: str = "vi") -> str:
    """Return the whole page of the map, the same text for the same assessment."""
    return render_page(map_data(assessment), lang=lang)


def render_page(
    data: Mapping[str, Any], other: Mapping[str, Any] | None = None, lang: str = "vi"
) -> str:
    """Return the page that shows one map, or two with a switch between them.

    Parameters
    ----------
    data : Mapping
        As `map_data` made it, or as `read_map_data` got it back from a page; `scenario`, a name
        by language ("vi", "en"), may be added, to tell two of one date apart.
    other : Mapping, optional
        A second one: another date, or another scenario. The page opens on the first and says what
        changed from the second to the first.
    lang : str

    Raises
    ------
    ValueError
        If the language is not one of ours.
    """
    return _page([data] if other is None else [data, other], lang).to_page()


def _page(
    maps: list[Mapping[str, Any]],
    lang: str,
    *,
    breaks: Sequence[float] = BREAKS,
    draw_still: Callable[[], bytes] | None = None,
) -> OfflineMap:
    words = {code: read_words("map", code) for code in LANGUAGES}
    if lang not in words:
        raise ValueError(f"lang: found {lang!r}, expected one of {', '.join(words)}")
    limits = [0.0, *breaks, 1.0]
    if len(limits) < 3 or not all(a < b or a == b == 1 for a, b in pairwise(limits)):
        raise ValueError(f"breaks: found {list(breaks)}, expected limits that rise within 0 to 1")
    style = {
        "lang": lang,
        "words": words,
        "languages": {code: read_words("format", code) for code in LANGUAGES},
        "palette": {
            "breaks": list(breaks),
            "is_policy": tuple(breaks) == BREAKS,
            "classes": CLASSES if len(breaks) == len(BREAKS) else _viridis(len(breaks) + 1),
            "changes": CHANGES,
            "tiers": TIERS,
            "gap": GAP,
            "technologies": TECHNOLOGIES,
            "veil": UNCOVERED_RGBA[-1][3] / 255,
        },
    }
    block = pack({"maps": maps, "land": json.loads(_asset("land.json"))})
    return OfflineMap(block, escape_json(style), lang=lang, draw_still=draw_still)


def _viridis(n: int) -> list[str]:
    """Return n colours as far apart as can be, the dark one first."""
    import matplotlib as mpl
    from matplotlib.colors import to_hex

    return [to_hex(mpl.colormaps["viridis"](k / (n - 1))) for k in range(n)]


def escape_json(data: Mapping[str, object]) -> str:
    """Return JSON that is safe in a script element: no `<`, `>`, `&`, backtick or line separator.

    Examples
    --------
    >>> escape_json({"name": "</script>"})
    '{"name":"\\\\u003c/script\\\\u003e"}'
    """
    text = to_json_text(data)
    for sign in "<>&`\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _asset(name: str) -> str:
    return (files("phusong") / "publish" / "assets" / name).read_text(encoding="utf-8")

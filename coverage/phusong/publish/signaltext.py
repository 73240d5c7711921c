"""What a planner reads after `phusong predict`: shares, levels, and what was set aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phusong.publish.summary import format_percent, format_rows
from phusong.publish.texts import share_text
from phusong.words import read_words

__all__ = ["format_prediction"]


def format_prediction(summary: Mapping[str, Any], *, lang: str = "vi") -> str:
    """Return the summary of a prediction (`predict.json`) as text for a terminal.

    Parameters
    ----------
    summary : Mapping
        As `run_prediction` gives it.
    lang : str
    """
    words = read_words("signal", lang)
    lines = [words["synthetic"]] if summary["synthetic"] else []
    for name, found in summary["services"].items():
        lines += _service_lines(name, found, words, lang)
    lines += ["", *format_rows(summary["rows"], lang)]
    if summary["n_left_out"]:
        lines.append(words["left_out"].format(n=summary["n_left_out"]))
    return "\n".join(lines)


def _service_lines(
    name: str, found: Mapping[str, Any], words: Mapping[str, str], lang: str
) -> list[str]:
    asked = words["or"].join(
        f"{one['quantity']} ≥ {one['threshold_dbm']:g} dBm" for one in found["thresholds"]
    )
    lines = [f"{name}: {asked}, {words['sectors'].format(n=found['n_sectors'])}"]
    for indicator in ("share_area", "share_population"):
        if indicator in found:
            share = found[indicator]
            told = share_text(share["share"], share["low"], share["high"], lang)
            lines.append(f"  {words[indicator]}: {told}")
    levels = (
        words["at"].format(share=format_percent(share, lang), level=level.replace("%", " %"))
        for level, share in found["share_of_area_at"].items()
    )
    lines.append(f"  {words['levels']}: {', '.join(levels)}")
    beyond = found["share_of_area_beyond_radius"]
    if beyond > 0.0:
        lines.append("  " + words["beyond"].format(share=format_percent(beyond, lang)))
    return lines

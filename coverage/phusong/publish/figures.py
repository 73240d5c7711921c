"""The printed map: an A4 page with matplotlib, the same bytes each time."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phusong.io.atomic import atomic_path
from phusong.publish.assessment import Assessment
from phusong.publish.choropleth import (
    Handles,
    draw_communes,
    draw_masts,
    label_worst,
    project_communes,
    veil_uncovered,
)
from phusong.publish.palette import GAP
from phusong.publish.summary import figure_text, format_count

__all__ = ["draw_map", "plot_communes", "save_figure"]

A4_INCHES = (11.69, 8.27)
DPI = 200
LABELLED = 10
LEFT, SIDE, RIGHT = 0.03, 0.70, 0.972  # of the page: its margins, and where the side column starts
LEGEND_ROW = 0.0205
RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "svg.hashsalt": "phusong",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "hatch.linewidth": 0.5,
}


def plot_communes(
    assessment: Assessment,
    *,
    indicator: str = "share_population",
    service: str = "5g",
    lang: str = "vi",
    ax: Axes | None = None,
) -> Axes:
    """Return axes with the communes in fixed classes (40, 60, 80, 95, 99 %), gaps outlined.

    Parameters
    ----------
    assessment : Assessment
    indicator : {"share_population", "share_area"}
        Where every share of people is unknown, the share of area is drawn, and said.
    service : str
        Such as "5g" or "4g".
    lang : {"vi", "en"}
    ax : Axes, optional
        Drawn on; a new figure's without it. The legend is at its right.
    """
    words = _words(lang)
    with mpl.rc_context(RC):
        ax = Figure(figsize=(9, 6), layout="compressed").add_subplot() if ax is None else ax
        indicator = _drawable(assessment, indicator, service)
        shapes, column = project_communes(assessment), f"{indicator}_{service}"
        handles = draw_communes(ax, shapes, assessment, column=column, words=words, lang=lang)
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False,
                  fontsize=8)  # fmt: skip
        said = [_title(words, indicator, service), *_warnings(assessment, words)]
        ax.set_title("\n".join(said), fontsize=11, parse_math=False)
    return ax


def draw_map(assessment: Assessment, *, lang: str = "vi", service: str = "5g") -> Figure:
    """Return an A4 page: the map, its legend, targets, worst communes, date and sources."""
    words = _words(lang)
    with mpl.rc_context(RC):
        figure = Figure(figsize=A4_INCHES)
        ax = figure.add_axes((0.02, 0.09, 0.66, 0.79))
        indicator = _drawable(assessment, "share_population", service)
        shapes, column = project_communes(assessment), f"{indicator}_{service}"
        classes = draw_communes(ax, shapes, assessment, column=column, words=words, lang=lang)
        classes += veil_uncovered(ax, shapes, assessment, service=service, words=words)
        masts = draw_masts(ax, shapes, assessment, lang=lang)
        label_worst(ax, shapes, assessment, count=LABELLED)
        _write_head(figure, assessment, _title(words, indicator, service), words)
        y = _write_legend(figure, 0.945, words["legend"], classes)
        if masts:
            y = _write_legend(figure, y, words["sites"], masts, columns=2)
        y = _write_targets(figure, y, assessment, words, lang)
        _write_worst(figure, y, assessment, words, lang)
        _write_foot(figure, assessment, indicator, service, words)
        _draw_scale(figure, ax, words)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Save as PNG, PDF or SVG by the suffix, whole or not at all, without the time of writing."""
    metadata: Mapping[str, Mapping[str, None]] = {
        ".png": {"Software": None},
        ".pdf": {"Creator": None, "Producer": None, "CreationDate": None},
        ".svg": {"Date": None, "Creator": None},
    }
    with mpl.rc_context(RC), atomic_path(path) as unfinished:
        figure.savefig(unfinished, dpi=DPI, format=path.suffix[1:], metadata=metadata[path.suffix])


def _words(lang: str) -> dict[str, str]:
    text = (files("phusong") / "publish" / "assets" / "figure.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)[lang])


def _drawable(assessment: Assessment, indicator: str, service: str) -> str:
    known = assessment.communes[f"{indicator}_{service}"].notna().any()
    return indicator if known else "share_area"


def _title(words: Mapping[str, str], indicator: str, service: str) -> str:
    return words["title"].format(of=words[indicator], service=service.upper())


def _warnings(assessment: Assessment, words: Mapping[str, str]) -> list[str]:
    about = assessment.about
    said = {"synthetic": about.is_synthetic, "schematic": about.is_schematic}
    return [words[label] for label, holds in said.items() if holds]


def _write(figure: Figure, x: float, y: float, text: str, size: float, **style: Any) -> None:
    """Write text whose middle is at `y`, on one baseline whatever accents it has."""
    drop = 0.36 * size / 72 / figure.get_figheight()
    figure.text(x, y - drop, text, fontsize=size, va="baseline", parse_math=False, **style)


def _write_head(
    figure: Figure, assessment: Assessment, title: str, words: Mapping[str, str]
) -> None:
    about = assessment.about
    place = f" · {about.place}" if about.place else ""
    _write(figure, LEFT, 0.945, _short(title + place, 58), 16, weight="bold")
    labels = _warnings(assessment, words)
    if labels:
        box = {"fc": "#fff3cd", "ec": "#d9b54a", "boxstyle": "round,pad=0.3"}
        text = " · ".join(labels)
        _write(figure, LEFT + 0.005, 0.903, text, 9, color="#7a3b00", weight="bold", bbox=box)


def _write_legend(
    figure: Figure, y: float, title: str, handles: Handles, *, columns: int = 1
) -> float:
    """Write a heading and a legend; return where the next part of the side column begins."""
    _write(figure, SIDE, y, title, 8.5, weight="bold")
    legend = figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(SIDE - 0.006, y - 0.008),
        frameon=False, fontsize=8, handlelength=2.2, ncols=columns, borderaxespad=0.0,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    return y - LEGEND_ROW * -(-len(handles) // columns) - 0.04


def _write_targets(
    figure: Figure, y: float, assessment: Assessment, words: Mapping[str, str], lang: str
) -> float:
    _write(figure, SIDE, y, words["targets"], 8.5, weight="bold")
    for result in assessment.targets:
        target = result.target
        name = target.title_vi if lang == "vi" else target.title_en
        y -= 0.027
        _write(figure, SIDE, y, _short(f"{name} ({target.due.year})", 52), 7.5)
        y -= 0.019
        said = f"{words[result.status]}: {figure_text(result.figures[0], lang)}"
        _write(figure, SIDE, y, said, 7.5, weight="bold")
    y -= 0.021
    _write(figure, SIDE, y, words["interval_note"], 6.5, color="#555555")
    return y - 0.036


def _write_worst(
    figure: Figure, y: float, assessment: Assessment, words: Mapping[str, str], lang: str
) -> None:
    worst = assessment.gaps.head(LABELLED)
    if worst.empty:
        return
    _write(figure, SIDE, y, words["worst"], 8.5, weight="bold")
    _write(figure, RIGHT, y, words["people"], 7.5, ha="right", color="#555555")
    for row in worst.itertuples():
        y -= 0.0205
        people = format_count(row.people_uncovered, lang)
        _write(figure, SIDE + 0.014, y, f"{row.rank}", 7.5, ha="right", color=GAP, weight="bold")
        _write(figure, SIDE + 0.022, y, _short(str(row.commune_name), 34), 7.5)
        _write(figure, RIGHT, y, people, 7.5, ha="right")


def _write_foot(
    figure: Figure, assessment: Assessment, indicator: str, service: str, words: Mapping[str, str]
) -> None:
    about, rows = assessment.about, assessment.indicators
    shown = rows[
        (rows["indicator"] == indicator)
        & (rows["service"] == service)
        & (rows["operator"] == "any")
    ]
    evidence = ", ".join(sorted({words.get(name, name) for name in shown["evidence"]}))
    line = f"{words['as_of']} {about.as_of:%d/%m/%Y} · {words['evidence']}: {evidence}"
    _write(figure, LEFT, 0.05, line, 8)
    sources = "; ".join(about.sources)
    if sources:
        _write(figure, LEFT, 0.028, _short(f"{words['sources']}: {sources}", 190), 7)


def _draw_scale(figure: Figure, ax: Axes, words: Mapping[str, str]) -> None:
    """Draw a scale bar of a round length and the grid's north, below the map."""
    ax.apply_aspect()
    west, east = ax.get_xlim()
    wanted = (east - west) / 5
    length = max(k * 10**e for e in range(6) for k in (1, 2, 5) if k * 10**e <= wanted)
    end, y = SIDE - 0.03, 0.05
    start = end - ax.get_position().width * length / (east - west)
    style: dict[str, Any] = {"color": "black", "transform": figure.transFigure}
    figure.add_artist(Line2D([start, end], [y, y], lw=2.2, solid_capstyle="butt", **style))
    _write(figure, (start + end) / 2, y + 0.016, f"{length / 1000:g} km", 8, ha="center")
    _write(figure, start - 0.02, y + 0.006, f"{words['north']} ↑", 9, ha="right", weight="bold")


def _short(text: str, length: int) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= length else clean[: length - 1] + "…"

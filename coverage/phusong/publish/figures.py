"""The printed map: an A4 or A3 page with matplotlib, the same bytes each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phusong.io.atomic import atomic_path
from phusong.publish.assessment import Assessment
from phusong.publish.choropleth import (
    Handles,
    draw_communes,
    draw_masts,
    fit_limits,
    label_worst,
    paint_classes,
    project_communes,
    veil_uncovered,
)
from phusong.publish.inset_figures import (
    Box,
    draw_locator,
    draw_north,
    draw_scale,
    find_far_out,
    frame_islands,
    is_in_view,
    island_size,
    north_deg,
    place_inset,
)
from phusong.publish.palette import GAP
from phusong.publish.summary import figure_text, format_count
from phusong.publish.text_figures import FONT, fit_text, printable, wrap_text
from phusong.words import read_words, title_of

__all__ = ["PAPERS", "RC", "draw_map", "plot_communes", "save_figure"]

# Long and short side in points, how much larger than on A4 letters are, communes in the list.
PAPERS: Mapping[str, tuple[float, float, float, int]] = MappingProxyType(
    {"A4": (842.0, 595.0, 1.0, 10), "A3": (1191.0, 842.0, 1.25, 20)}
)
DPI = 200
RC: dict[Any, Any] = {
    "font.family": FONT,
    "svg.hashsalt": "phusong",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "hatch.linewidth": 0.5,
}
# In points of an A4 page: margin, side column, the gap beside it, head, foot; the locator.
MARGIN, SIDE, GUTTER, HEAD, FOOT, LOCATOR = 26.0, 230.0, 14.0, 62.0, 80.0, 104.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A page and its measures, in points."""

    figure: Figure
    words: Mapping[str, str]
    lang: str
    width: float
    height: float
    letters: float
    listed: int

    def pt(self, length: float) -> float:
        """Return a length of an A4 page on this one."""
        return length * self.letters

    @property
    def side(self) -> float:
        """Where the side column begins."""
        return self.width - self.pt(MARGIN + SIDE)

    @property
    def map_box(self) -> Box:
        left, bottom = self.pt(MARGIN), self.pt(FOOT)
        right, top = self.side - self.pt(GUTTER), self.height - self.pt(HEAD)
        return (left / self.width, bottom / self.height, (right - left) / self.width,
                (top - bottom) / self.height)  # fmt: skip

    def write(self, x: float, y: float, text: str, size: float, **style: Any) -> None:
        """Write text whose middle is at `y`, on one baseline whatever accents it has."""
        size = self.pt(size)
        self.figure.text(
            x / self.width, (y - 0.36 * size) / self.height, printable(text),
            fontsize=size, va="baseline", parse_math=False, **style,
        )  # fmt: skip

    def fit(self, text: str, width: float, size: float, *, weight: str = "normal") -> str:
        return fit_text(text, width, self.pt(size), weight=weight)


def plot_communes(
    assessment: Assessment,
    *,
    indicator: str = "share_population",
    service: str = "5g",
    lang: str = "vi",
    ax: Axes | None = None,
) -> Axes:
    """Return axes with the communes in fixed classes (40, 60, 80, 95, 99 %) and the gaps marked.

    Parameters
    ----------
    assessment : Assessment
    indicator : {"share_population", "share_area"}
        Where every share of people is unknown, the share of area is drawn, and said.
    service : str
        Such as "5g" or "4g".
    lang : str
    ax : Axes, optional
        Drawn on; a new figure's without it. The legend is at its right.
    """
    words = read_words("figure", lang)
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


def draw_map(
    assessment: Assessment, *, lang: str = "vi", service: str = "5g", paper: str = "A4"
) -> Figure:
    """Return a page: the map, its legend, targets, worst communes, date and sources.

    The page lies or stands, whichever gives the map the larger scale. Islands more than 150 km
    out, such as Hoàng Sa and Trường Sa, are in an inset; a smaller region than the country has
    one that says where it lies.

    Parameters
    ----------
    assessment : Assessment
    lang : str
    service : str
        Such as "5g" or "4g".
    paper : {"A4", "A3"}

    Raises
    ------
    ValueError
        If the paper is another.
    """
    with mpl.rc_context(RC):
        shapes = project_communes(assessment)
        is_far = find_far_out(shapes)
        page = _new_page(shapes[~is_far], paper, lang)
        words, figure = page.words, page.figure
        ax = figure.add_axes(page.map_box)
        indicator = _drawable(assessment, "share_population", service)
        column = f"{indicator}_{service}"
        classes = draw_communes(ax, shapes, assessment, column=column, words=words, lang=lang)
        classes += veil_uncovered(ax, shapes, assessment, service=service, words=words)
        fit_limits(ax, shapes[~is_far])
        masts = draw_masts(ax, shapes, assessment, lang=lang)
        _write_head(page, assessment, _title(words, indicator, service))
        is_portrait = page.height > page.width
        y = page.height - page.pt(HEAD if is_portrait else MARGIN + 6)
        y = _write_legend(page, y, words["legend"], classes)
        if masts:
            y = _write_legend(page, y, words["sites"], masts, columns=2)
        y = _write_targets(page, y, assessment)
        n_labelled = _write_worst(page, y, assessment)
        label_worst(ax, shapes, assessment, count=n_labelled)
        _write_foot(page, assessment, indicator, service)
        _draw_scale(page, ax, shapes.crs.to_string())
        taken: list[Box] = []
        if is_far.any():
            inset, box = _draw_far_out(page, ax, shapes, is_far, assessment.communes, column)
            label_worst(inset, shapes, assessment, count=n_labelled)
            taken.append(box)
        if is_in_view(shapes[~is_far]):
            size = (page.pt(LOCATOR), page.pt(LOCATOR))
            box = place_inset(ax, shapes, page.map_box, _share(page, size), taken)
            draw_locator(figure.add_axes(_inner(page, box)), shapes[~is_far], size=page.pt(5.5))
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Save as PNG, PDF or SVG by the suffix, whole or not at all, without the time of writing.

    It is drawn in memory: on a full disk matplotlib's PDF fails again, otherwise, while it closes
    what failed.
    """
    metadata: Mapping[str, Mapping[str, None]] = {
        ".png": {"Software": None},
        ".pdf": {"Creator": None, "Producer": None, "CreationDate": None},
        ".svg": {"Date": None, "Creator": None},
    }
    drawn = BytesIO()
    with mpl.rc_context(RC):
        figure.savefig(drawn, dpi=DPI, format=path.suffix[1:], metadata=metadata[path.suffix])
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(drawn.getbuffer())


def _new_page(shapes: gpd.GeoSeries, paper: str, lang: str) -> _Page:
    if paper not in PAPERS:
        raise ValueError(f"paper: found {paper!r}, expected one of {', '.join(PAPERS)}")
    long, short, letters, listed = PAPERS[paper]
    west, south, east, north = shapes.total_bounds

    def scale(width: float, height: float) -> float:
        room = width - letters * (2 * MARGIN + SIDE + GUTTER), height - letters * (HEAD + FOOT)
        return float(min(room[0] / (east - west), room[1] / (north - south)))

    width, height = max((long, short), (short, long), key=lambda size: scale(*size))
    return _Page(
        figure=Figure(figsize=(width / 72, height / 72)), lang=lang,
        words=read_words("figure", lang), width=width, height=height, letters=letters,
        listed=listed,
    )  # fmt: skip


def _drawable(assessment: Assessment, indicator: str, service: str) -> str:
    known = assessment.communes[f"{indicator}_{service}"].notna().any()
    return indicator if known else "share_area"


def _title(words: Mapping[str, str], indicator: str, service: str) -> str:
    return words["title"].format(of=words[indicator], service=service.upper())


def _warnings(assessment: Assessment, words: Mapping[str, str]) -> list[str]:
    about = assessment.about
    said = {"synthetic": about.is_synthetic, "schematic": about.is_schematic}
    return [words[label] for label, holds in said.items() if holds]


def _write_head(page: _Page, assessment: Assessment, title: str) -> None:
    about, left, y = assessment.about, page.pt(MARGIN), page.height - page.pt(MARGIN + 6)
    place = f" · {about.place}" if about.place else ""
    is_portrait = page.height > page.width
    right = page.width - left if is_portrait else page.side - page.pt(GUTTER)
    text = page.fit(title + place, right - left, 16, weight="bold")
    page.write(left, y, text, 16, weight="bold")
    labels = _warnings(assessment, page.words)
    if labels:
        box = {"fc": "#fff3cd", "ec": "#d9b54a", "boxstyle": "round,pad=0.3"}
        text = " · ".join(labels)
        page.write(left + page.pt(4), y - page.pt(24), text, 9, color="#7a3b00", weight="bold",
                   bbox=box)  # fmt: skip


def _write_legend(
    page: _Page, y: float, title: str, handles: Handles, *, columns: int = 1
) -> float:
    """Write a heading and a legend; return where the next part of the side column begins."""
    page.write(page.side, y, title, 8.5, weight="bold")
    corner = ((page.side - page.pt(5)) / page.width, (y - page.pt(7)) / page.height)
    legend = page.figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=corner, frameon=False,
        fontsize=page.pt(8), handlelength=2.2, ncols=columns, borderaxespad=0.0,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    return y - page.pt(12.2 * -(-len(handles) // columns) + 24)


def _write_targets(page: _Page, y: float, assessment: Assessment) -> float:
    words, width = page.words, page.pt(SIDE)
    page.write(page.side, y, words["targets"], 8.5, weight="bold")
    for result in assessment.targets:
        target = result.target
        name = title_of(target, "title", page.lang)
        y -= page.pt(16)
        page.write(page.side, y, page.fit(f"{name} ({target.due.year})", width, 7.5), 7.5)
        y -= page.pt(11.3)
        said = f"{words[result.status]}: {figure_text(result.figures[0], page.lang)}"
        page.write(page.side, y, page.fit(said, width, 7.5, weight="bold"), 7.5, weight="bold")
    y -= page.pt(12.5)
    page.write(page.side, y, words["interval_note"], 6.5, color="#555555")
    return y - page.pt(21)


def _write_worst(page: _Page, y: float, assessment: Assessment) -> int:
    """List the worst communes, as many as there is room for; return how many."""
    row, words = page.pt(12.2), page.words
    room = int((y - page.pt(MARGIN)) / row)
    worst = assessment.gaps.head(max(0, min(page.listed, room)))
    if worst.empty:
        return 0
    right = page.side + page.pt(SIDE)
    page.write(page.side, y, words["worst"], 8.5, weight="bold")
    # where nobody's number is known, the list is by area
    by = "people" if worst["people_uncovered"].notna().any() else "area"
    amounts = worst["people_uncovered" if by == "people" else "area_uncovered_km2"]
    page.write(right, y, words[f"uncovered_{by}"], 7.5, ha="right", color="#555555")
    for gap, amount in zip(worst.itertuples(), amounts, strict=True):
        y -= row
        number, name = page.side + page.pt(12), page.side + page.pt(18)
        page.write(number, y, f"{gap.rank}", 7.5, ha="right", color=GAP, weight="bold")
        page.write(name, y, page.fit(str(gap.commune_name), page.pt(SIDE - 70), 7.5), 7.5)
        page.write(right, y, format_count(amount, page.lang), 7.5, ha="right")
    return len(worst)


def _write_foot(page: _Page, assessment: Assessment, indicator: str, service: str) -> None:
    about, rows, words = assessment.about, assessment.indicators, page.words
    shown = rows[
        (rows["indicator"] == indicator)
        & (rows["service"] == service)
        & (rows["operator"] == "any")
    ]
    evidence = ", ".join(sorted({words.get(name, name) for name in shown["evidence"]}))
    line = f"{words['as_of']} {about.as_of:%d/%m/%Y} · {words['evidence']}: {evidence}"
    left, width = page.pt(MARGIN), page.side - page.pt(MARGIN + GUTTER)
    page.write(left, page.pt(44), page.fit(line, 0.65 * width, 8), 8)
    if about.sources:
        text = f"{words['sources']}: {'; '.join(about.sources)}"
        lines = wrap_text(text, width, page.pt(6.5), lines=2)
        for k, said in enumerate(lines):
            page.write(left, page.pt(31 - 10 * k), said, 6.5)


def _draw_scale(page: _Page, ax: Axes, crs: str) -> None:
    """Draw the scale and the north below the map."""
    end = page.side - page.pt(GUTTER + 26)
    draw_scale(ax, crs, x=end / page.width, y=page.pt(45) / page.height, size=page.pt(8))
    draw_north(page.figure, north_deg(ax, crs), page.words["north"], size=page.pt(9),
               x=(end + page.pt(18)) / page.width, y=page.pt(51) / page.height)  # fmt: skip


def _draw_far_out(
    page: _Page,
    ax: Axes,
    shapes: gpd.GeoSeries,
    is_far: np.ndarray,
    communes: gpd.GeoDataFrame,
    column: str,
) -> tuple[Axes, Box]:
    """Draw an inset of the islands that lie far out, where it hides the least of the map."""
    islands, there = shapes[is_far], communes[is_far]
    size = _share(page, island_size(islands, page.pt(1.4 * LOCATOR)))
    box = place_inset(ax, shapes, page.map_box, size, [])
    inset = page.figure.add_axes(box)
    paint_classes(inset, islands, there[column].to_numpy(float))
    names = [printable(str(name)) for name in there["commune_name"]]
    frame_islands(inset, islands, names, page.words["own_scale"], size=page.pt(6))
    return inset, box


def _share(page: _Page, size: tuple[float, float]) -> tuple[float, float]:
    return size[0] / page.width, size[1] / page.height


def _inner(page: _Page, box: Box) -> Box:
    """Return the part of an inset's box that its axes fill, beside the numbers of degrees."""
    left, bottom = _share(page, (page.pt(16), page.pt(10)))
    return (box[0] + left, box[1] + bottom, box[2] - left, box[3] - bottom)

"""The printed map: an A4 page with matplotlib, the same bytes each time."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline
from rasterio.features import rasterize
from rasterio.transform import from_origin

from phusong.grid import choose_metric_crs
from phusong.io.atomic import atomic_path
from phusong.publish.assessment import Assessment
from phusong.publish.summary import figure_text, format_count

__all__ = ["draw_map", "plot_communes", "save_figure"]

BREAKS = (0.4, 0.6, 0.8, 0.95, 0.99)
COLOURS = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")  # viridis, 6 classes
NO_DATA, GAP, SITE = "#e4e4e4", "#c43c28", "#222222"
A4_INCHES = (11.69, 8.27)
DPI = 200
LABELLED = 10
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
    ax : Axes, optional
        Drawn on; a new figure's without it.
    """
    words = _words(lang)
    with mpl.rc_context(RC):
        ax = Figure(figsize=(7, 6)).add_subplot() if ax is None else ax
        indicator = _drawable(assessment, indicator, service)
        shapes = _projected(assessment)
        _draw_communes(ax, shapes, assessment, f"{indicator}_{service}", words)
        of = words[indicator]
        ax.set_title(words["title"].format(of=of, service=service.upper()), parse_math=False)
    return ax


def draw_map(assessment: Assessment, *, lang: str = "vi", service: str = "5g") -> Figure:
    """Return an A4 page: the map, its legend, targets, worst communes, date and sources."""
    words = _words(lang)
    with mpl.rc_context(RC):
        figure = Figure(figsize=A4_INCHES)
        ax = figure.add_axes((0.02, 0.08, 0.66, 0.80))
        indicator = _drawable(assessment, "share_population", service)
        shapes = _projected(assessment)
        handles = _draw_communes(ax, shapes, assessment, f"{indicator}_{service}", words)
        if len(assessment.coverage) == 1:
            _veil_uncovered(ax, assessment, shapes, service)
            handles.append(Patch(fc="#aacdd6", ec="#888888", label=words["uncovered"]))
        handles += _draw_sites(ax, assessment, shapes, words)
        _label_worst(ax, assessment, shapes)
        _draw_scale(ax, words)
        title = words["title"].format(of=words[indicator], service=service.upper())
        place = assessment.about.place
        _write(figure, 0.03, 0.945, f"{title}{' · ' + place if place else ''}", 16, weight="bold")
        _write_side(figure, assessment, handles, words, lang)
        _write_foot(figure, assessment, f"{indicator}", service, words)
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


def _projected(assessment: Assessment) -> gpd.GeoSeries:
    """Return the communes in metres, simplified to what a printed page can show."""
    coverage = assessment.coverage
    crs = coverage[0].attrs["crs"] if len(coverage) == 1 else choose_metric_crs(assessment.communes)
    shapes = assessment.communes.geometry.to_crs(crs)
    west, south, east, north = shapes.total_bounds
    simple = shapely.coverage_simplify(shapes.to_numpy(), max(east - west, north - south) / 4000)
    is_kept = ~shapely.is_empty(simple) & shapely.is_valid(simple)
    return gpd.GeoSeries(np.where(is_kept, simple, shapes.to_numpy()), shapes.index, crs=crs)


def _draw_communes(
    ax: Axes, shapes: gpd.GeoSeries, assessment: Assessment, column: str, words: Mapping[str, str]
) -> list[Patch | Line2D]:
    """Draw classes, no data and gap outlines; return the handles of their legend."""
    share = assessment.communes[column].to_numpy(float)
    at = np.where(np.isnan(share), -1, np.digitize(share, BREAKS))
    limits = [0, *BREAKS, 1]
    handles: list[Patch | Line2D] = []
    for k in reversed(range(-1, len(COLOURS))):
        style: dict[str, Any] = (
            {"facecolor": COLOURS[k]} if k >= 0 else {"facecolor": NO_DATA, "hatch": "////"}
        )
        _add_shapes(ax, shapes[at == k], edgecolor="white", linewidth=0.35, zorder=1, **style)
        label = words["no_data"] if k < 0 else f"{limits[k]:.0%} – {limits[k + 1]:.0%}"
        if k == len(COLOURS) - 1:
            label = f"≥ {BREAKS[-1]:.0%}"
        count = int((at == k).sum())
        handles.append(
            Patch(ec="#888888", lw=0.4, label=f"{label}   ({count} {words['communes']})", **style)
        )
    codes = assessment.communes["commune_code"]
    for kind, dashes in (("gap", "solid"), ("probable", (0, (3, 2)))):
        found = assessment.gaps.loc[assessment.gaps["certainty"] == kind, "commune_code"]
        if found.empty:
            continue
        outlined = shapes[codes.isin(found).to_numpy()]
        _add_shapes(
            ax, outlined, facecolor="none", edgecolor=GAP, linewidth=0.7, linestyle=dashes, zorder=4
        )
        handles.append(Line2D([], [], color=GAP, ls=dashes, label=f"{words[kind]} ({len(found)})"))
    west, south, east, north = shapes.total_bounds
    ax.set(xlim=(west, east), ylim=(south, north), aspect="equal")
    ax.margins(0.01)
    ax.set_axis_off()
    return handles


def _add_shapes(ax: Axes, shapes: gpd.GeoSeries, **style: object) -> None:
    patches = [PathPatch(_outline(shape)) for shape in shapes if not shape.is_empty]
    if patches:
        ax.add_collection(PatchCollection(patches, match_original=False, **style))


def _outline(shape: shapely.Geometry) -> Outline:
    rings = [r for p in shapely.get_parts(shape) for r in (p.exterior, *p.interiors)]
    return Outline.make_compound_path(
        *[Outline(shapely.get_coordinates(ring), closed=True) for ring in rings]
    )


def _veil_uncovered(ax: Axes, assessment: Assessment, shapes: gpd.GeoSeries, service: str) -> None:
    """Wash out what is not covered, inside the communes only."""
    shares = assessment.coverage[0].sel(service=service)
    cell = float(shares.attrs["cell_m"])
    west, north = float(shares["x"][0]) - cell / 2, float(shares["y"][0]) + cell / 2
    corner = from_origin(west, north, cell, cell)
    inside = rasterize(shapes.to_numpy(), out_shape=shares.shape, transform=corner)
    veil = np.ones((*shares.shape, 4), "float32")
    veil[..., 3] = np.where(inside == 1, 0.68 * (1 - np.asarray(shares)), 0.0)
    box = (west, west + cell * shares.shape[1], north - cell * shares.shape[0], north)
    ax.imshow(veil, extent=box, interpolation="nearest", zorder=2, aspect="equal")


def _draw_sites(
    ax: Axes, assessment: Assessment, shapes: gpd.GeoSeries, words: Mapping[str, str]
) -> list[Patch | Line2D]:
    masts = assessment.sites[assessment.sites.geometry.geom_type == "Point"]
    masts = masts.drop_duplicates("site_id").to_crs(shapes.crs)
    if masts.empty:
        return []
    limits = ax.get_xlim(), ax.get_ylim()
    size = 1.6 if len(masts) < 6000 else 0.5
    ax.scatter(masts.geometry.x, masts.geometry.y, s=size, c=SITE, lw=0, alpha=0.55, zorder=3,
               rasterized=True)  # fmt: skip
    ax.set(xlim=limits[0], ylim=limits[1])
    label = f"{words['sites']} ({format_count(len(masts), 'vi')})"
    return [Line2D([], [], color=SITE, marker=".", ls="none", label=label)]


def _label_worst(ax: Axes, assessment: Assessment, shapes: gpd.GeoSeries) -> None:
    """Number the ten worst communes; the side list says which they are."""
    position = {code: i for i, code in enumerate(assessment.communes["commune_code"])}
    for row in assessment.gaps.head(LABELLED).itertuples():
        point = shapes.iloc[position[row.commune_code]].representative_point()
        ax.annotate(
            str(row.rank), (point.x, point.y), ha="center", va="center", fontsize=7, zorder=6,
            color="white", weight="bold",
            bbox={"boxstyle": "circle,pad=0.22", "fc": GAP, "ec": "white", "lw": 0.6},
        )  # fmt: skip


def _draw_scale(ax: Axes, words: Mapping[str, str]) -> None:
    """Draw a scale bar of a round length and an arrow to the grid's north."""
    (west, east), (south, north) = ax.get_xlim(), ax.get_ylim()
    wanted = (east - west) / 5
    length = max(k * 10**e for e in range(2, 7) for k in (1, 2, 5) if k * 10**e <= wanted)
    y = south + 0.01 * (north - south)
    ax.plot([west, west + length], [y, y], color="black", lw=2.2, solid_capstyle="butt", zorder=7)
    ax.text(west + length / 2, y + 0.012 * (north - south), f"{length / 1000:g} km", ha="center",
            fontsize=8)  # fmt: skip
    ax.annotate(
        words["north"], xy=(0.97, 0.99), xytext=(0.97, 0.90), xycoords="axes fraction", ha="center",
        fontsize=10, weight="bold", arrowprops={"arrowstyle": "-|>", "color": "black"},
    )  # fmt: skip


def _write(figure: Figure, x: float, y: float, text: str, size: float, **style: Any) -> None:
    figure.text(x, y, text, fontsize=size, va="center", parse_math=False, **style)


def _write_side(
    figure: Figure,
    assessment: Assessment,
    handles: list[Patch | Line2D],
    words: Mapping[str, str],
    lang: str,
) -> None:
    """Write the legend, the targets and the worst communes in the right column."""
    legend = figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.69, 0.90),
                           frameon=False, fontsize=8, handlelength=2.2)  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    y = 0.545
    for result in assessment.targets:
        target = result.target
        name = target.title_vi if lang == "vi" else target.title_en
        _write(figure, 0.695, y, _short(f"{name} ({target.due.year})", 56), 7.5, weight="bold")
        said = f"{words[result.status]}: {figure_text(result.figures[0], lang)}"
        _write(figure, 0.695, y - 0.02, said, 7.5)
        y -= 0.052
    y -= 0.005
    _write(figure, 0.695, y, words["worst"], 8, weight="bold")
    for row in assessment.gaps.head(LABELLED).itertuples():
        y -= 0.0205
        people = format_count(row.people_uncovered, lang)
        _write(figure, 0.695, y, f"{row.rank}", 7.5)
        _write(figure, 0.717, y, _short(str(row.commune_name), 30), 7.5)
        _write(figure, 0.975, y, f"{people} {words['people']}", 7.5, ha="right")


def _write_foot(
    figure: Figure, assessment: Assessment, indicator: str, service: str, words: Mapping[str, str]
) -> None:
    about, rows = assessment.about, assessment.indicators
    shown = rows[(rows["indicator"] == indicator) & (rows["service"] == service)]
    evidence = sorted({words.get(name, name) for name in shown["evidence"]})
    said = {"synthetic": about.is_synthetic, "schematic": about.is_schematic}
    labels = [words[label] for label, holds in said.items() if holds]
    if labels:
        box = {"fc": "#fff3cd", "ec": "#d9b54a", "boxstyle": "round,pad=0.3"}
        text = " · ".join(labels)
        _write(figure, 0.035, 0.903, text, 9, color="#7a3b00", weight="bold", bbox=box)
    line = f"{words['as_of']} {about.as_of:%d/%m/%Y} · {words['evidence']}: {', '.join(evidence)}"
    _write(figure, 0.03, 0.05, line, 8)
    sources = "; ".join(about.sources)
    if sources:
        _write(figure, 0.03, 0.028, _short(f"{words['sources']}: {sources}", 190), 7)


def _short(text: str, length: int) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= length else clean[: length - 1] + "…"

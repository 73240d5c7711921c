"""Communes on matplotlib axes: classes, gaps, what is not covered, masts, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline
from rasterio.features import rasterize
from rasterio.transform import from_origin

from phusong.grid import choose_metric_crs
from phusong.publish.assessment import Assessment
from phusong.publish.masts import masts_on_air
from phusong.publish.palette import BREAKS, CLASSES, GAP, NO_DATA, TECHNOLOGIES
from phusong.publish.summary import format_count

__all__ = [
    "Handles",
    "class_handles",
    "draw_communes",
    "draw_masts",
    "fit_limits",
    "label_worst",
    "paint_classes",
    "project_communes",
    "veil_uncovered",
]

MANY_MASTS = 6000
MARGIN = 0.01
HATCH_STEP = 1 / 110  # of the longer side of the map, between two lines
VEIL = 0.68
BORDER_PT, BORDER_SHARE = 0.35, 10.0  # the widest; of a side, as a share of the map's
LABEL_PT = 14.0  # across the circle of a number
Handles = list[Patch | Line2D]


def project_communes(assessment: Assessment) -> gpd.GeoSeries:
    """Return the communes in metres, simplified to what a printed page can show."""
    coverage = assessment.coverage
    crs = coverage[0].attrs["crs"] if len(coverage) == 1 else choose_metric_crs(assessment.communes)
    shapes = assessment.communes.geometry.to_crs(crs)
    west, south, east, north = shapes.total_bounds
    simple = shapely.coverage_simplify(shapes.to_numpy(), max(east - west, north - south) / 4000)
    is_kept = ~shapely.is_empty(simple) & shapely.is_valid(simple)
    return gpd.GeoSeries(np.where(is_kept, simple, shapes.to_numpy()), shapes.index, crs=crs)


def draw_communes(
    ax: Axes,
    shapes: gpd.GeoSeries,
    assessment: Assessment,
    *,
    column: str,
    words: Mapping[str, str],
    lang: str,
) -> Handles:
    """Draw classes, no data and gaps; return the handles of their legend."""
    share = assessment.communes[column].to_numpy(float)
    paint_classes(ax, shapes, share)
    handles = class_handles(share, words, lang)
    handles += _mark_gaps(ax, shapes, assessment, words, lang)
    fit_limits(ax, shapes)
    return handles


def paint_classes(ax: Axes, shapes: gpd.GeoSeries, share: np.ndarray) -> None:
    """Fill communes by the class of their share; what is not known is hatched."""
    at, width_pt = _classes(share), _border_pt(shapes)
    for k in range(-1, len(CLASSES)):
        _add_shapes(ax, shapes[at == k], linewidth=width_pt, zorder=1, **_style(k))


def _border_pt(shapes: gpd.GeoSeries) -> float:
    """Return how wide borders between communes may be: small ones are not to drown in them."""
    west, south, east, north = shapes.total_bounds
    side = float(np.sqrt(shapes.area.median()))
    return min(BORDER_PT, BORDER_SHARE * side / max(east - west, north - south))


def class_handles(
    share: np.ndarray, words: Mapping[str, str], lang: str, *, is_counted: bool = True
) -> Handles:
    """Return the legend of the classes, the best first, with the communes in each."""
    at = _classes(share)
    handles: Handles = []
    for k in reversed(range(-1, len(CLASSES))):
        label = words["no_data"] if k < 0 else _class_text(k)
        if is_counted:
            label = f"{label}   {_counted(int((at == k).sum()), words, lang)}"
        style = _style(k) | {"edgecolor": "#888888"}
        handles.append(Patch(lw=0.4, label=label, **style))
    return handles


def fit_limits(ax: Axes, shapes: gpd.GeoSeries) -> None:
    """Let the axes show all shapes, to scale, without a frame."""
    west, south, east, north = shapes.total_bounds
    pad = MARGIN * max(east - west, north - south)
    ax.set(xlim=(west - pad, east + pad), ylim=(south - pad, north + pad), aspect="equal")
    ax.set_axis_off()


def _classes(share: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(share), -1, np.digitize(share, BREAKS))


def _style(k: int) -> dict[str, Any]:
    if k >= 0:
        return {"facecolor": CLASSES[k], "edgecolor": "white"}
    # a hatch has the colour of the edge
    return {"facecolor": NO_DATA, "edgecolor": "#a9a9a9", "hatch": "////"}


def _mark_gaps(
    ax: Axes,
    shapes: gpd.GeoSeries,
    assessment: Assessment,
    words: Mapping[str, str],
    lang: str,
) -> Handles:
    """Hatch the gaps; where most communes are gaps, outline the others instead."""
    certainty = dict(
        zip(assessment.gaps["commune_code"], assessment.gaps["certainty"], strict=True)
    )
    kind = assessment.communes["commune_code"].map(certainty).to_numpy(object)
    is_gap = kind == "gap"
    is_other = ~np.isin(kind, ("gap", "probable", "unknown"))
    handles: Handles = []
    if is_gap.sum() > len(shapes) / 2:
        if is_other.any():
            _outline(ax, shapes[is_other], edgecolor="black", linewidth=1.1)
            label = f"{words['no_gap']}   {_counted(int(is_other.sum()), words, lang)}"
            handles.append(Patch(fc="white", ec="black", lw=1.4, label=label))
        label = f"{words['other_gaps']}   {_counted(int(is_gap.sum()), words, lang)}"
        handles.append(Patch(fill=False, lw=0, label=label))
    elif is_gap.any():
        west, south, east, north = shapes.total_bounds
        _hatch(ax, shapes[is_gap], HATCH_STEP * max(east - west, north - south))
        _outline(ax, shapes[is_gap], edgecolor=GAP, linewidth=0.8)
        label = f"{words['gap']}   {_counted(int(is_gap.sum()), words, lang)}"
        handles.append(Patch(fc="white", ec=GAP, hatch=r"\\\\", lw=1.2, label=label))
    for name, colour, dashes in (("probable", GAP, (3, 2)), ("unknown", "black", (1, 1.5))):
        is_kind = kind == name
        if is_kind.any():
            style: dict[str, Any] = {"edgecolor": colour, "linestyle": (0, dashes)}
            _outline(ax, shapes[is_kind], linewidth=0.9, **style)
            label = f"{words[f'{name}_gap']}   {_counted(int(is_kind.sum()), words, lang)}"
            handles.append(Patch(fc="none", lw=1.2, label=label, **style))
    return handles


def _hatch(ax: Axes, shapes: gpd.GeoSeries, step_m: float) -> None:
    """Draw slanting lines across the shapes: black within white, to be seen on every class."""
    west, south, east, north = shapes.total_bounds
    rise = north - south
    starts = np.arange(west - rise, east, step_m)
    ends = [(starts, np.full_like(starts, north)), (starts + rise, np.full_like(starts, south))]
    lines = shapely.linestrings(np.stack([np.column_stack(end) for end in ends], axis=1))
    whole = shapely.union_all(shapes.to_numpy())
    cut = shapely.get_parts(shapely.intersection(lines, whole))
    pieces = [shapely.get_coordinates(part) for part in cut if part.geom_type == "LineString"]
    for colour, width in (("white", 1.4), ("black", 0.5)):
        ax.add_collection(LineCollection(pieces, colors=colour, linewidths=width, zorder=3))


def _outline(ax: Axes, shapes: gpd.GeoSeries, **style: Any) -> None:
    """Draw one line around shapes that touch."""
    whole = gpd.GeoSeries([shapely.union_all(shapes.to_numpy())])
    _add_shapes(ax, whole, facecolor="none", zorder=3.2, **style)


def _class_text(k: int) -> str:
    limits = [round(100 * limit) for limit in (0, *BREAKS, 1)]
    return f"≥ {limits[k]} %" if k == len(CLASSES) - 1 else f"{limits[k]} – {limits[k + 1]} %"


def _counted(count: int, words: Mapping[str, str], lang: str) -> str:
    return f"({format_count(count, lang)} {words['communes']})"


def _add_shapes(ax: Axes, shapes: gpd.GeoSeries, **style: Any) -> None:
    patches = [PathPatch(_path(shape)) for shape in shapes if not shape.is_empty]
    if patches:
        ax.add_collection(PatchCollection(patches, match_original=False, **style))


def _path(shape: shapely.Geometry) -> Outline:
    rings = [r for p in shapely.get_parts(shape) for r in (p.exterior, *p.interiors)]
    return Outline.make_compound_path(
        *[Outline(shapely.get_coordinates(ring), closed=True) for ring in rings]
    )


def veil_uncovered(
    ax: Axes,
    shapes: gpd.GeoSeries,
    assessment: Assessment,
    *,
    service: str,
    words: Mapping[str, str],
) -> Handles:
    """Wash out what is not covered, inside the communes; only one province has one grid."""
    if len(assessment.coverage) != 1:
        return []
    shares = assessment.coverage[0].sel(service=service)
    cell = float(shares.attrs["cell_m"])
    west, north = float(shares["x"][0]) - cell / 2, float(shares["y"][0]) + cell / 2
    corner = from_origin(west, north, cell, cell)
    inside = rasterize(shapes.to_numpy(), out_shape=shares.shape, transform=corner)
    veil = np.ones((*shares.shape, 4), "float32")
    veil[..., 3] = np.where(inside == 1, VEIL * (1 - np.asarray(shares)), 0.0)
    box = (west, west + cell * shares.shape[1], north - cell * shares.shape[0], north)
    ax.imshow(veil, extent=box, interpolation="nearest", zorder=2, aspect="equal")
    colour = tuple(1 - (1 - VEIL) * (255 - int(CLASSES[2][i : i + 2], 16)) / 255 for i in (1, 3, 5))
    label = words["uncovered"].format(service=service.upper())
    return [Patch(fc=colour, ec="#888888", lw=0.4, label=label)]


def draw_masts(ax: Axes, shapes: gpd.GeoSeries, assessment: Assessment, *, lang: str) -> Handles:
    """Draw masts in the colour of their newest technology, the newest on top."""
    masts = masts_on_air(assessment.sites)
    if masts.empty:
        return []
    west, south, east, north = shapes.total_bounds
    masts = masts.to_crs(shapes.crs).cx[west:east, south:north]
    limits = ax.get_xlim(), ax.get_ylim()
    size = 2.4 if len(masts) < MANY_MASTS else 0.5
    handles: Handles = []
    for rank, (technology, colour) in enumerate(TECHNOLOGIES.items()):
        points = masts.geometry[masts["best"] == technology]
        if points.empty:
            continue
        ax.scatter(points.x, points.y, s=size, c=colour, ec="white", lw=size / 16,
                   zorder=3.9 - rank / 10, rasterized=True)  # fmt: skip
        label = f"{technology}   ({format_count(len(points), lang)})"
        handles.append(Line2D([], [], color=colour, marker="o", ms=4, ls="none", label=label))
    ax.set(xlim=limits[0], ylim=limits[1])
    return handles


def label_worst(ax: Axes, shapes: gpd.GeoSeries, assessment: Assessment, *, count: int) -> None:
    """Number the worst communes; the list beside the map says which they are.

    A number that would hide another one moves aside, and a line leads back to its commune. One
    whose commune lies beyond the axes is left to the axes that show it.
    """
    ax.apply_aspect()
    pt_per_px = 72 / ax.figure.dpi
    position = {code: i for i, code in enumerate(assessment.communes["commune_code"])}
    placed: list[np.ndarray] = []
    for row in assessment.gaps.head(count).itertuples():
        point = shapes.iloc[position[row.commune_code]].representative_point()
        if not ax.viewLim.contains(point.x, point.y):
            continue
        at_pt = ax.transData.transform((point.x, point.y)) * pt_per_px
        shift = _free_shift(at_pt, placed)
        placed.append(at_pt + shift)
        ax.annotate(
            str(row.rank), (point.x, point.y), (shift[0], shift[1]), textcoords="offset points",
            ha="center", va="center", fontsize=7, zorder=6, color="white", weight="bold",
            bbox={"boxstyle": "circle,pad=0.22", "fc": GAP, "ec": "white", "lw": 0.6},
            arrowprops={"arrowstyle": "-", "color": "black", "lw": 0.6, "shrinkA": 0, "shrinkB": 0}
            if shift.any() else None,
        )  # fmt: skip


def _free_shift(at_pt: np.ndarray, placed: list[np.ndarray]) -> np.ndarray:
    """Return the shortest way aside, in points, from all labels that are placed."""
    turns = np.arange(12) * np.pi / 6
    around = np.column_stack([np.cos(turns), np.sin(turns)])
    shifts = np.vstack([[(0.0, 0.0)], *(length_pt * around for length_pt in (16, 24, 34, 46))])
    for shift in shifts:
        if all(np.hypot(*(at_pt + shift - other)) >= LABEL_PT for other in placed):
            return shift
    return shifts[0]

"""Communes on matplotlib axes: classes, gap outlines, what is not covered, masts, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
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

__all__ = ["draw_communes", "draw_masts", "label_worst", "project_communes", "veil_uncovered"]

MANY_MASTS = 6000
MARGIN = 0.01
VEIL = 0.68
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
    """Draw classes, no data and gap outlines; return the handles of their legend."""
    share = assessment.communes[column].to_numpy(float)
    at = np.where(np.isnan(share), -1, np.digitize(share, BREAKS))
    handles: Handles = []
    for k in reversed(range(-1, len(CLASSES))):
        style: dict[str, Any] = (
            {"facecolor": CLASSES[k]} if k >= 0 else {"facecolor": NO_DATA, "hatch": "////"}
        )
        edge = "white" if k >= 0 else "#a9a9a9"  # a hatch has the colour of the edge
        _add_shapes(ax, shapes[at == k], edgecolor=edge, linewidth=0.35, zorder=1, **style)
        label = words["no_data"] if k < 0 else _class_text(k)
        count = _counted(int((at == k).sum()), words, lang)
        handles.append(Patch(ec="#888888", lw=0.4, label=f"{label}   {count}", **style))
    codes = assessment.communes["commune_code"]
    for kind, dashes in (("gap", "solid"), ("probable", (0, (3, 2)))):
        found = assessment.gaps.loc[assessment.gaps["certainty"] == kind, "commune_code"]
        if found.empty:
            continue
        style = {"edgecolor": GAP, "linestyle": dashes, "facecolor": "none"}
        outlined = shapes[codes.isin(found).to_numpy()]
        _add_shapes(ax, outlined, linewidth=0.7, zorder=4, **style)
        label = f"{words[kind]}   {_counted(len(found), words, lang)}"
        handles.append(Patch(lw=1.2, label=label, **style))
    west, south, east, north = shapes.total_bounds
    pad = MARGIN * max(east - west, north - south)
    ax.set(xlim=(west - pad, east + pad), ylim=(south - pad, north + pad), aspect="equal")
    ax.set_axis_off()
    return handles


def _class_text(k: int) -> str:
    limits = [round(100 * limit) for limit in (0, *BREAKS, 1)]
    return f"≥ {limits[k]} %" if k == len(CLASSES) - 1 else f"{limits[k]} – {limits[k + 1]} %"


def _counted(count: int, words: Mapping[str, str], lang: str) -> str:
    return f"({format_count(count, lang)} {words['communes']})"


def _add_shapes(ax: Axes, shapes: gpd.GeoSeries, **style: Any) -> None:
    patches = [PathPatch(_outline(shape)) for shape in shapes if not shape.is_empty]
    if patches:
        ax.add_collection(PatchCollection(patches, match_original=False, **style))


def _outline(shape: shapely.Geometry) -> Outline:
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
    masts = masts.to_crs(shapes.crs)
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
    """Number the worst communes; the list beside the map says which they are."""
    position = {code: i for i, code in enumerate(assessment.communes["commune_code"])}
    for row in assessment.gaps.head(count).itertuples():
        point = shapes.iloc[position[row.commune_code]].representative_point()
        ax.annotate(
            str(row.rank), (point.x, point.y), ha="center", va="center", fontsize=7, zorder=6,
            color="white", weight="bold",
            bbox={"boxstyle": "circle,pad=0.22", "fc": GAP, "ec": "white", "lw": 0.6},
        )  # fmt: skip

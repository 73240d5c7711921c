"""The pictures of a site: a commune among its neighbours, all communes, a share over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import geopandas as gpd
import numpy as np
import shapely

from phusong.publish.palette import BREAKS, CLASSES, NO_DATA
from phusong.publish.site.shapes import Frame, Outlines, outline_communes

__all__ = ["UNKNOWN", "chart_lines", "class_of", "draw_neighbourhoods", "hatching"]

NEIGHBOURHOOD = (480, 360)  # pixels
PAD = 0.3
# The larger side of a commune in degrees, from and below; what may go of its outline, and units a
# degree: two or three pixels of its picture.
DETAILS = (
    (0.0, 0.06, 0.002, 2000), (0.06, 0.15, 0.005, 1000), (0.15, 0.4, 0.01, 500),
    (0.4, 1.5, 0.03, 150), (1.5, 360.0, 0.08, 80),
)  # fmt: skip
SEA, INK, HATCH = "#e9eef3", "#1d2433", "#a9a9a9"
UNKNOWN = "url(#unknown)"
# The chart is 320 by 140 units of its own (parts.html); what is drawn lies within these.
CHART_LEFT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 44, 312, 8, 132


def class_of(share: float) -> int:
    """Return the class of a share, from 0; -1 where it is not known.

    >>> class_of(0.4), class_of(1.0), class_of(float("nan"))
    (1, 5, -1)
    """
    return -1 if np.isnan(share) else int(np.digitize(share, BREAKS))


def draw_neighbourhoods(
    communes: gpd.GeoDataFrame, neighbours: Sequence[Sequence[int]], classes: Sequence[int]
) -> list[str]:
    """Return an SVG for each commune: it, outlined, among what lies around; neighbours numbered.

    No word is in it, so that pages of all languages share it.

    Parameters
    ----------
    communes : GeoDataFrame, EPSG:4326
    neighbours : sequence of sequence of int
        By commune, the positions of those that are numbered from 1.
    classes : sequence of int
        By commune, as `class_of` gives them.
    """
    fills = [UNKNOWN if k < 0 else CLASSES[k] for k in classes]
    sides = _larger_sides(communes)
    drawings = [""] * len(communes)
    for low, high, tolerance_deg, units_per_deg in DETAILS:
        wanted = np.flatnonzero((sides >= low) & (sides < high)).tolist()
        if wanted:
            outlines = outline_communes(
                communes, tolerance_deg=tolerance_deg, units_per_deg=units_per_deg
            )
            for i in wanted:
                drawings[i] = _draw_one(outlines, i, neighbours[i], fills)
    return drawings


def hatching(step: float) -> str:
    """Return what fills a commune whose share is not known, for `UNKNOWN` to name."""
    return (
        f'<pattern id="unknown" width="{step:g}" height="{step:g}" patternTransform="rotate(45)" '
        f'patternUnits="userSpaceOnUse"><path fill="{NO_DATA}" d="M0 0H{step:g}V{step:g}H0z"/>'
        f'<path stroke="{HATCH}" stroke-width="{step / 3:g}" d="M0 0V{step:g}"/></pattern>'
    )


def _larger_sides(communes: gpd.GeoDataFrame) -> np.ndarray:
    """Return the larger side of each commune's box in degrees."""
    west, south, east, north = shapely.bounds(communes.geometry.to_numpy()).T
    return np.maximum(east - west, north - south)


def _draw_one(outlines: Outlines, own: int, neighbours: Sequence[int], fills: Sequence[str]) -> str:
    width, height = NEIGHBOURHOOD
    frame = outlines.frame(shapely.bounds(outlines.shapes[own]), pad=PAD, aspect=width / height)
    paths = outlines.paths_within(frame.bounds)
    mine, line = paths.pop(own), round(frame.width / 240, 2)
    around = "".join(f'<path fill="{fills[j]}" d="{path}"/>' for j, path in paths.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{frame.view_box}" '
        f'width="{width}" height="{height}">'
        f"{hatching(3 * line) if UNKNOWN in around + fills[own] else ''}"
        f'<rect x="{frame.x}" y="{frame.y}" width="100%" height="100%" fill="{SEA}"/>'
        f'<g transform="scale({frame.squeeze} 1)" stroke-linejoin="round">'
        f'<g stroke="#fff" stroke-width="{line}">{around}</g>'
        f'<path fill="none" stroke="#fff" stroke-width="{5 * line:g}" d="{mine}"/>'
        f'<path fill="{fills[own]}" stroke="{INK}" stroke-width="{2 * line:g}" d="{mine}"/>'
        f'</g><g font-family="sans-serif" font-size="{frame.height // 20}" font-weight="bold" '
        f'text-anchor="middle" fill="{INK}" stroke="#fff" stroke-width="{2 * line:g}" '
        f'paint-order="stroke">{_numbers(outlines, frame, neighbours)}</g></svg>\n'
    )


def _numbers(outlines: Outlines, frame: Frame, neighbours: Sequence[int]) -> str:
    """Return the numbers of the neighbours, each in the middle of what the map shows of it."""
    texts = []
    for number, j in enumerate(neighbours, start=1):
        seen = shapely.clip_by_rect(outlines.shapes[j], *frame.bounds)
        if not seen.is_empty:
            lon, lat = shapely.get_coordinates(shapely.point_on_surface(seen))[0]
            x = round(lon * frame.squeeze * outlines.units_per_deg)
            texts.append(
                f'<text x="{x}" y="{round(-lat * outlines.units_per_deg)}">{number}</text>'
            )
    return "".join(texts)


def chart_lines(
    days: Sequence[date],
    shares: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
) -> dict[str, object]:
    """Return what the template of the chart draws: dots, a line and a band, in whole units.

    A day whose share is not known breaks the line; one without bounds has none in the band.

    Parameters
    ----------
    days : sequence of date
        Rising.
    shares, lows, highs : sequence of float
        0 to 1, NaN where not known.

    Returns
    -------
    dict
        `dots` (x, y), `lines` and `bands` (points as text, one for each unbroken stretch).
    """
    span = max((days[-1] - days[0]).days, 1)
    width, height = CHART_RIGHT - CHART_LEFT, CHART_BOTTOM - CHART_TOP
    x = [round(CHART_LEFT + width * (day - days[0]).days / span) for day in days]
    y, top, bottom = (
        [None if np.isnan(s) else round(CHART_BOTTOM - height * s) for s in series]
        for series in (shares, highs, lows)
    )
    dots = [(a, b) for a, b in zip(x, y, strict=True) if b is not None]
    lines = [" ".join(f"{x[i]},{y[i]}" for i in part) for part in _stretches(y)]
    bands = []
    for part in _stretches([None if t is None else b for t, b in zip(top, bottom, strict=True)]):
        corners = [(x[i], top[i]) for i in part] + [(x[i], bottom[i]) for i in reversed(part)]
        bands.append(" ".join(f"{a},{b}" for a, b in corners))
    return {"dots": dots, "lines": lines, "bands": bands}


def _stretches(values: Sequence[int | None]) -> list[list[int]]:
    """Return the positions of values that are known, a list for each run of two or more.

    >>> _stretches([1, 2, None, 3, None, 4, 5, 6])
    [[0, 1], [5, 6, 7]]
    """
    parts: list[list[int]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            parts.append([])
        else:
            parts[-1].append(i)
    return [part for part in parts if len(part) > 1]

"""Polygons as communes need them: there, finite, valid, and nothing but polygons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from phusong.errors import Problem
from phusong.grid import transformer
from phusong.joins import AREA_CRS

__all__ = ["areas_km2", "find_polygons", "mend_polygons"]

AREA_CHANGE = 0.001
POLYGONS = ("Polygon", "MultiPolygon")


def areas_km2(shapes: np.ndarray) -> np.ndarray:
    """Return the areas of shapes in degrees (EPSG:4326), in km² on the ellipsoid."""
    mover = transformer("EPSG:4326", AREA_CRS)
    flat = shapely.transform(shapes, lambda xy: np.column_stack(mover.transform(*xy.T)))
    return np.asarray(shapely.area(flat) / 1e6)


def find_polygons(
    shapes: np.ndarray, labels: Sequence[str]
) -> tuple[np.ndarray, list[Problem], list[Problem]]:
    """Return the polygons, what was left out of collections (repairs), and what is none.

    An empty polygon stands in for what is none, so that rows keep their place.

    Parameters
    ----------
    shapes : array of geometries or None
    labels : sequence of str
        Code and name of each, for messages.
    """
    polygons = shapes.copy()
    repairs: list[Problem] = []
    problems: list[Problem] = []
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    is_broken = np.zeros(len(shapes), dtype=bool)
    is_broken[owner[~np.isfinite(xy).all(axis=1)]] = True
    for i, shape in enumerate(shapes):
        polygons[i] = shapely.Polygon()
        if shape is None or shape.is_empty:
            problems.append(_problem(i, "no geometry (empty, null or not readable)", labels))
        elif is_broken[i]:
            problems.append(_problem(i, "coordinates that are no numbers (NaN, infinite)", labels))
        elif shape.geom_type in POLYGONS:
            polygons[i] = shape
        elif (parts := _polygon_parts(shape)) is None:
            problems.append(_problem(i, f"a {shape.geom_type}", labels))
        else:
            polygons[i] = parts
            message = f"only the polygons of it are used: {labels[i]}"
            repairs.append(_problem(i, f"a {shape.geom_type}", labels, message))
    return polygons, repairs, problems


def mend_polygons(
    shapes: np.ndarray, labels: Sequence[str]
) -> tuple[np.ndarray, list[Problem], list[Problem]]:
    """Return valid polygons (degrees), with a record of each that crossed itself.

    A mend that changes the area by more than 0.1 % is a problem: what was meant is not known.
    """
    mended = shapes.copy()
    repairs: list[Problem] = []
    problems: list[Problem] = []
    for i in np.flatnonzero(~shapely.is_valid(shapes)).tolist():
        before = shapes[i]
        after = _polygon_parts(shapely.make_valid(before, method="structure", keep_collapsed=False))
        reason = shapely.is_valid_reason(before)
        if after is None:
            mended[i] = shapely.Polygon()
            problems.append(_problem(i, f"a polygon without area: {reason}", labels))
            continue
        mended[i] = after
        old, new = areas_km2(np.array([before, after]))
        message = f"{labels[i]}: area {old:.4f} km² before, {new:.4f} km² mended"
        if abs(new - old) > AREA_CHANGE * max(new, 1e-9):
            message += f"; a change above {AREA_CHANGE:.1%} is not made: draw it again"
            problems.append(_problem(i, reason, labels, message))
        else:
            repairs.append(_problem(i, reason, labels, message))
    return mended, repairs, problems


def _polygon_parts(shape: BaseGeometry) -> BaseGeometry | None:
    """Return the polygons of a shape as one, or None where it has none."""
    parts = shapely.get_parts(shapely.get_parts(shapely.get_parts(shape)))
    parts = [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _problem(i: int, found: str, labels: Sequence[str], message: str = "") -> Problem:
    return Problem(row=int(i) + 1, field="geometry", found=found, expected="a valid polygon",
                   message=message or labels[i])  # fmt: skip

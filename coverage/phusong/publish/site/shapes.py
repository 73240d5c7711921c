"""Communes as paths of small SVG maps: simplified once, in whole numbers, drawn many times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely

__all__ = ["Frame", "Outlines", "find_neighbours", "outline_communes"]

TOUCH_DEG = 0.0005  # 55 m: borders drawn apart still meet


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a map shows, in its own units; `bounds` are west, south, east, north in degrees."""

    x: int
    y: int
    width: int
    height: int
    squeeze: float  # a degree of longitude by one of latitude
    bounds: tuple[float, float, float, float]

    @property
    def view_box(self) -> str:
        return f"{self.x} {self.y} {self.width} {self.height}"


@dataclass(frozen=True, kw_only=True)
class Outlines:
    """Simplified communes, and their paths in whole units, y to the south.

    Attributes
    ----------
    shapes : array of Polygon or MultiPolygon, shape (n,), EPSG:4326
    units_per_deg : int
    """

    shapes: np.ndarray
    units_per_deg: int

    @cached_property
    def _parts(self) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """The commune, the box (west, south, east, north) and the path of each polygon."""
        polygons, owners = shapely.get_parts(self.shapes, return_index=True)
        paths = [_path(polygon, self.units_per_deg) for polygon in polygons]
        return owners, shapely.bounds(polygons), paths

    @cached_property
    def paths(self) -> list[str]:
        """The `d` of each commune's path."""
        whole: list[list[str]] = [[] for _ in self.shapes]
        owners, _, paths = self._parts
        for owner, path in zip(owners.tolist(), paths, strict=True):
            whole[owner].append(path)
        return ["".join(parts) for parts in whole]

    def paths_within(self, bounds: tuple[float, float, float, float]) -> dict[int, str]:
        """Return the paths of what meets a box of degrees, by the position of the commune.

        Polygons of a commune that lie elsewhere are not in its path.
        """
        west, south, east, north = bounds
        owners, boxes, paths = self._parts
        meets = (
            (boxes[:, 0] < east) & (boxes[:, 2] > west)
            & (boxes[:, 1] < north) & (boxes[:, 3] > south)
        )  # fmt: skip
        found: dict[int, str] = {}
        for k in np.flatnonzero(meets).tolist():
            owner = int(owners[k])
            found[owner] = found.get(owner, "") + paths[k]
        return found

    def frame(self, bounds: Sequence[float], *, pad: float, aspect: float | None = None) -> Frame:
        """Return the frame of bounds in degrees.

        Parameters
        ----------
        bounds : west, south, east, north
        pad : float
            Added on every side, as a part of the larger one.
        aspect : float, optional
            Width ÷ height that the frame is widened to.
        """
        west, south, east, north = bounds
        squeeze = round(math.cos(math.radians((south + north) / 2)), 3)
        width, height = (east - west) * squeeze, north - south
        margin = 2 * pad * max(width, height)
        width, height = width + margin, height + margin
        if aspect is not None:
            width, height = max(width, height * aspect), max(height, width / aspect)
        x, y = (west + east) / 2, (south + north) / 2
        scale, half = self.units_per_deg, width / squeeze / 2
        return Frame(
            x=round((x * squeeze - width / 2) * scale),
            y=round((-y - height / 2) * scale),
            width=max(round(width * scale), 1),
            height=max(round(height * scale), 1),
            squeeze=squeeze,
            bounds=(x - half, y - height / 2, x + half, y + height / 2),
        )


def outline_communes(
    communes: gpd.GeoDataFrame, *, tolerance_deg: float, units_per_deg: int
) -> Outlines:
    """Return communes simplified together, so that neighbours still share their border.

    Parameters
    ----------
    communes : GeoDataFrame, EPSG:4326
    tolerance_deg : float
        What is smaller than about this may go.
    units_per_deg : int
    """
    shapes = communes.geometry.to_numpy()
    simple = shapely.coverage_simplify(shapes, tolerance_deg)
    is_lost = shapely.is_empty(simple) | ~shapely.is_valid(simple)
    return Outlines(shapes=np.where(is_lost, shapes, simple), units_per_deg=units_per_deg)


def find_neighbours(communes: gpd.GeoDataFrame) -> list[list[int]]:
    """Return, for each commune, the positions of those that it meets, in order."""
    shapes = communes.geometry.to_numpy()
    found: list[list[int]] = [[] for _ in shapes]
    pairs = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOUCH_DEG)
    for one, other in pairs.T.tolist():
        if one != other:
            found[one].append(other)
    return [sorted(positions) for positions in found]


def _path(polygon: shapely.Polygon, scale: int) -> str:
    """Return the rings of a polygon as one path; of one that is too small, a dot."""
    rings = [_ring(shapely.get_coordinates(ring), scale)
             for ring in (polygon.exterior, *polygon.interiors)]  # fmt: skip
    if rings[0]:
        return "".join(rings)
    x, y = np.rint(shapely.get_coordinates(polygon)[0] * scale).astype(int)
    return f"M{x} {-y}h1v1h-1z"


def _ring(points: np.ndarray, scale: int) -> str:
    """Return a closed ring as relative steps; "" if it comes down to a line or a point.

    >>> _ring(np.array([[0, 0], [2, 0], [2, 1], [0, 0]]), 10)
    'M0 0l20 0 0-10z'
    """
    places = np.rint(points[:-1] * (scale, -scale)).astype(int)
    steps = np.diff(places, axis=0)
    steps = steps[(steps != 0).any(axis=1)]
    if len(steps) < 2:
        return ""
    numbers = " ".join(map(str, steps.ravel().tolist())).replace(" -", "-")
    return f"M{places[0, 0]} {places[0, 1]}l{numbers}z"

"""Polygons as plain arrays: the vertices of all rings, one ring after the other."""

from __future__ import annotations

import numpy as np
import shapely

__all__ = ["list_rings"]


def list_rings(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the vertices of polygons, where each ring begins, and where each shape's rings begin.

    Parameters
    ----------
    shapes : array of polygons, multipolygons or None, shape (n,)

    Returns
    -------
    array of float64, shape (vertices, 2)
        x and y in the units of the shapes; the last vertex of a ring is its first.
    array of int64, shape (rings + 1,)
        Ring i has the vertices from its number to the next.
    array of int64, shape (n + 1,)
        Shape i has the rings from its number to the next.

    Raises
    ------
    ValueError
        If a shape is a point or a line, naming where it stands, or a vertex is not finite.

    Examples
    --------
    >>> square, triangle = shapely.box(0, 0, 1, 1), shapely.Polygon([(0, 0), (1, 0), (0, 1)])
    >>> xy, ring_starts, shape_rings = list_rings(np.array([square, None, triangle]))
    >>> xy.shape, ring_starts.tolist(), shape_rings.tolist()
    ((9, 2), [0, 5, 9], [0, 1, 1, 2])
    """
    allowed = (-1, shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    is_other = ~np.isin(shapely.get_type_id(shapes), allowed)
    if is_other.any():
        raise ValueError(f"shapes at {np.flatnonzero(is_other)[:5].tolist()} are no polygons")
    polygons, shape_of_polygon = shapely.get_parts(shapes, return_index=True)
    rings, polygon_of_ring = shapely.get_rings(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    if not np.isfinite(xy).all():
        raise ValueError("a shape has a vertex that is not finite; repair it")
    return (
        xy,
        np.searchsorted(ring, np.arange(len(rings) + 1)),
        np.searchsorted(shape_of_polygon[polygon_of_ring], np.arange(len(shapes) + 1)),
    )

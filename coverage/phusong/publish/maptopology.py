"""Communes as arcs: a border that two communes share is kept once, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

__all__ = ["Topology", "share_arcs", "simplify_communes"]

Rings = list[list[list[int]]]  # polygons of rings of arcs; arc i run backwards is -1 - i


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Shapes cut into arcs.

    Attributes
    ----------
    arcs : list of array of int, shape (n, 2)
        x and y of an arc's points; it begins and ends where borders meet.
    rings : list
        By shape: its polygons, each with its rings (the outer one first), each a list of arcs.
        An arc that is run backwards has the number -1 - i.
    """

    arcs: list[np.ndarray]
    rings: list[Rings]


def simplify_communes(shapes: np.ndarray, *, tolerance_m: float) -> np.ndarray:
    """Return shapes with fewer points; what was one border stays one border.

    A shape that would vanish or cross itself stays as it is, and so does every shape of a layer
    that is too broken to be simplified as a whole.

    Parameters
    ----------
    shapes : array of shapely geometry, shape (n,)
        Polygons in a plane, in metres.
    tolerance_m : float
        Bends smaller than a square of this side go.

    References
    ----------
    Visvalingam and Whyatt (1993), Line generalisation by repeated elimination of points; GEOS
    CoverageSimplifier.

    Examples
    --------
    >>> bent = shapely.Polygon([(0, 0), (50, 1), (100, 0), (100, 100), (0, 100)])
    >>> shapely.get_num_coordinates(simplify_communes(np.array([bent]), tolerance_m=20)).tolist()
    [5]
    """
    try:
        simple = shapely.coverage_simplify(shapes, tolerance_m)
    except shapely.GEOSException:
        return shapes
    is_lost = shapely.is_empty(simple) | ~shapely.is_valid(simple)
    return np.where(is_lost, shapes, simple)


def share_arcs(shapes: np.ndarray, *, unit_m: float) -> Topology:
    """Cut shapes into arcs in whole units; shapes need not fit together cleanly.

    A ring that shrinks to less than a triangle is left out, unless the shape has no other: then
    it is a triangle of one unit, so that an islet stays on the map.

    Parameters
    ----------
    shapes : array of shapely geometry, shape (n,)
        Polygons or multipolygons in a plane.
    unit_m : float
        What a whole number stands for.

    Examples
    --------
    >>> halves = np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
    >>> cut = share_arcs(halves, unit_m=1)
    >>> len(cut.arcs), cut.rings[0], cut.rings[1]
    (3, [[[0, 1]]], [[[-1, 2]]])
    """
    parts, shape_of = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, part_of = shapely.get_rings(parts, return_index=True)
    is_outer = np.diff(part_of, prepend=-1) > 0
    points, starts = _whole_points(rings, unit_m)
    ids, vertex = np.unique(points[:, 0] * (1 << 32) + points[:, 1], return_inverse=True)
    is_junction = _find_junctions(vertex, starts, len(ids))
    found: dict[bytes, int] = {}
    arcs: list[np.ndarray] = []
    cut: list[Rings] = [[] for _ in shapes]
    for ring, (start, end) in enumerate(pairwise(starts)):
        if end == start:
            continue
        polygons = cut[shape_of[part_of[ring]]]
        if is_outer[ring]:
            polygons.append([])
        pieces = _cut_ring(vertex[start:end], is_junction)
        polygons[-1].append([_number(piece, found, arcs) for piece in pieces])
    return _with_islets(cut, [_points_of(ids[arc]) for arc in arcs], shapes, unit_m)


def _whole_points(rings: np.ndarray, unit_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of all rings, without the last and without repeats, and where each starts.

    Rings of fewer than three points have none.
    """
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    whole = np.rint(xy / unit_m).astype(np.int64)
    is_new = np.ones(len(whole), dtype=bool)
    is_new[1:] = (whole[1:] != whole[:-1]).any(axis=1) | (ring[1:] != ring[:-1])
    whole, ring = whole[is_new], ring[is_new]
    counts = np.bincount(ring, minlength=len(rings))
    last = np.cumsum(counts) - 1
    first = last - counts + 1
    is_closed = (counts > 1) & (whole[first] == whole[last]).all(axis=1)
    is_kept = np.ones(len(whole), dtype=bool)
    is_kept[last[is_closed]] = False
    counts = counts - is_closed
    is_kept &= (counts >= 3)[ring]
    counts[counts < 3] = 0
    return whole[is_kept], np.concatenate([[0], np.cumsum(counts)])


def _find_junctions(vertex: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
    """Return, by vertex, whether borders meet there: it has not the same two neighbours always."""
    at = np.arange(len(vertex))
    sizes = np.diff(starts)
    first = np.repeat(starts[:-1], sizes)
    last = np.repeat(starts[1:] - 1, sizes)
    before = vertex[np.where(at == first, last, at - 1)]
    after = vertex[np.where(at == last, first, at + 1)]
    pairs = np.minimum(before, after) * n + np.maximum(before, after)
    known = np.zeros(n, dtype=np.int64)
    known[vertex] = pairs
    is_junction = np.zeros(n, dtype=bool)
    is_junction[vertex[known[vertex] != pairs]] = True
    return is_junction


def _cut_ring(ring: np.ndarray, is_junction: np.ndarray) -> list[np.ndarray]:
    """Return the pieces of a closed ring between junctions; without one, it begins at its least."""
    cuts = np.flatnonzero(is_junction[ring])
    start = cuts[0] if len(cuts) else int(ring.argmin())
    turned = np.append(np.roll(ring, -start), ring[start])
    ends = np.append(cuts[1:] - start, len(ring)) if len(cuts) else np.array([len(ring)])
    begins = np.concatenate([[0], ends[:-1]])
    return [turned[a : b + 1] for a, b in zip(begins, ends, strict=True)]


def _number(piece: np.ndarray, found: dict[bytes, int], arcs: list[np.ndarray]) -> int:
    """Return the number of an arc, known from the other side or new."""
    if (number := found.get(piece.tobytes())) is not None:
        return number
    if (number := found.get(piece[::-1].tobytes())) is not None:
        return -1 - number
    arcs.append(piece)
    found[piece.tobytes()] = len(arcs) - 1
    return len(arcs) - 1


def _points_of(ids: np.ndarray) -> np.ndarray:
    x = (ids + (1 << 31)) >> 32
    return np.column_stack([x, ids - (x << 32)])


def _with_islets(
    cut: list[Rings], arcs: list[np.ndarray], shapes: np.ndarray, unit_m: float
) -> Topology:
    rings = []
    for polygons, shape in zip(cut, shapes, strict=True):
        kept = polygons
        if not kept and not shape.is_empty:
            x, y = np.rint(shapely.get_coordinates(shape)[0] / unit_m).astype(int)
            arcs.append(np.array([(x, y), (x + 1, y), (x, y + 1), (x, y)]))
            kept = [[[len(arcs) - 1]]]
        rings.append(kept)
    return Topology(arcs=arcs, rings=rings)

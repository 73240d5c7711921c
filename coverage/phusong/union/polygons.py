"""Operators' polygons beside discs and sectors.

Areas: zones are cut by the polygons into pieces, each wholly covered by some operators and by no
other polygon; in a piece, only the roses of the others can add anything. Shares of cells: the
union is made of polygons, with sectors as polygons of many edges and the same area.
"""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import shapely

from phusong.grid import Grid
from phusong.union.roses import Roses
from phusong.zonal import ZonalWeights, overlap_zones

__all__ = ["cells_of_polygons", "cut_zones"]

EDGES_PER_TURN = 1024


def cut_zones(
    zones: np.ndarray, polygons: np.ndarray, operator: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut zones along operators' polygons.

    Parameters
    ----------
    zones, polygons : array of shapely polygons
    operator : array of int, shape (n_polygons,)

    Returns
    -------
    pieces : array of polygons
    zone : array of int
        The zone of each piece.
    mask : array of uint64
        Bit o: operator o's polygons cover the piece.

    Examples
    --------
    >>> pieces, zone, mask = cut_zones(np.array([shapely.box(0, 0, 4, 1)]),
    ...                                np.array([shapely.box(3, 0, 9, 1)]), np.array([1]))
    >>> shapely.area(pieces).tolist(), mask.tolist()
    ([1.0, 3.0], [2, 0])
    """
    pieces, zone, mask = zones, np.arange(len(zones)), np.zeros(len(zones), "u8")
    for o in np.unique(operator):
        united = shapely.union_all(polygons[operator == o])
        shapely.prepare(united)
        meets = shapely.intersects(pieces, united)
        inside = shapely.intersection(pieces[meets], united)
        outside = shapely.difference(pieces[meets], united)
        bit = np.uint64(1) << np.uint64(o)
        pieces = np.concatenate([inside, outside, pieces[~meets]])
        mask = np.concatenate([mask[meets] | bit, mask[meets], mask[~meets]])
        zone = np.concatenate([zone[meets], zone[meets], zone[~meets]])
        has_area = shapely.area(pieces) > 0
        pieces, zone, mask = pieces[has_area], zone[has_area], mask[has_area]
    return np.array([_only_areas(p) for p in pieces], dtype=object), zone, mask


def cells_of_polygons(
    roses: Roses,
    polygons: np.ndarray,
    operator: np.ndarray,
    origin: tuple[float, float],
    grid: Grid,
    n_operators: int,
) -> list[ZonalWeights]:
    """Return the covered share of the cells by layer, as `cover_cells` does."""
    window = shapely.box(*grid.bounds)
    sectors = np.array([_outline(roses, petal, origin) for petal in roses.petals
                        if petal["radius"] > 0], dtype=object)  # fmt: skip
    owner = roses.roses["op"][roses.petals["rose"][roses.petals["radius"] > 0]]
    united = [
        shapely.union_all([*sectors[owner == o], *polygons[operator == o]])
        for o in range(n_operators)
    ]
    pairs = [shapely.intersection(a, b) for a, b in itertools.combinations(united, 2)]
    layers = [shapely.union_all(united), shapely.union_all(pairs), *united]
    return [
        overlap_zones(
            gpd.GeoDataFrame(geometry=[_only_areas(shapely.intersection(layer, window))],
                             crs=grid.crs),
            grid,
        )
        for layer in layers
    ]  # fmt: skip


def _outline(roses: Roses, petal: np.void, origin: tuple[float, float]) -> shapely.Polygon:
    """Return a petal as a polygon of the same area."""
    rose = roses.roses[petal["rose"]]
    n = max(int(np.ceil(petal["span"] / (2 * np.pi) * EDGES_PER_TURN)), 3)
    step = petal["span"] / n
    reach = petal["radius"] * np.sqrt(step / np.sin(step))
    angle = petal["angle"] + step * np.arange(n + 1)
    x = origin[0] + rose["x"] + reach * np.cos(angle)
    y = origin[1] + rose["y"] + reach * np.sin(angle)
    ring = np.column_stack([x, y])
    if rose["n"] > 1:
        ring = np.vstack([[origin[0] + rose["x"], origin[1] + rose["y"]], ring])
    return shapely.Polygon(ring)


def _only_areas(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons of a geometry, without the points and lines that a cut leaves."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    areas = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon"]
    return shapely.MultiPolygon(areas)

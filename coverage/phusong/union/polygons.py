"""Operators' polygons beside discs and sectors.

Areas: zones are cut by the polygons into pieces, each wholly covered by some operators and by no
other polygon; in a piece, only the roses of the others can add anything. Shares of cells: in the
cells that a polygon meets the union is made of polygons, with sectors as polygons of many edges and
the same area; the others are those of the roses alone. So a polygon changes nothing far from it.
"""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import shapely

from phusong.grid import Grid
from phusong.union.cells import cover_cells
from phusong.union.people import fill_cells
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
    parts: np.ndarray,
    polygons: np.ndarray,
    operator: np.ndarray,
    origin: tuple[float, float],
    grid: Grid,
    n_operators: int,
) -> list[ZonalWeights]:
    """Return the covered share of the cells by layer, as `cover_cells` does.

    Parameters
    ----------
    roses, parts, origin, grid, n_operators
        As of `cover_cells`.
    polygons : array of shapely polygons
        In the grid's CRS.
    operator : array of int, shape (n_polygons,)
    """
    exact = cover_cells(roses, parts, origin, grid, n_operators)
    is_met = fill_cells(_overlap(shapely.union_all(polygons), grid)) > 0
    petals = _petals_near(roses, polygons, origin, grid)
    sectors = np.array([_outline(roses, petal, origin) for petal in petals], dtype=object)
    owner = roses.roses["op"][petals["rose"]]
    united = [
        shapely.union_all([*sectors[owner == o], *polygons[operator == o]])
        for o in range(n_operators)
    ]
    pairs = [shapely.intersection(a, b) for a, b in itertools.combinations(united, 2)]
    return [
        _to_weights(
            np.where(is_met, fill_cells(_overlap(union, grid)), fill_cells(roses_alone)), grid
        )
        for union, roses_alone in zip(
            [shapely.union_all(united), shapely.union_all(pairs), *united], exact, strict=True
        )
    ]


def _overlap(area: shapely.Geometry, grid: Grid) -> ZonalWeights:
    """Return the share of each cell in an area, which may reach beyond the grid."""
    inside = _only_areas(shapely.intersection(area, shapely.box(*grid.bounds)))
    return overlap_zones(gpd.GeoDataFrame(geometry=[inside], crs=grid.crs), grid)


def _petals_near(
    roses: Roses, polygons: np.ndarray, origin: tuple[float, float], grid: Grid
) -> np.ndarray:
    """Return the petals of the roses that may reach into a cell that a polygon meets."""
    x, y, reach = roses.roses["x"] + origin[0], roses.roses["y"] + origin[1], roses.roses["reach"]
    boxes = shapely.box(x - reach, y - reach, x + reach, y + reach)
    cells = shapely.box(*(shapely.bounds(polygons) + grid.cell_m * np.array([-1, -1, 1, 1])).T)
    _, near = shapely.STRtree(boxes).query(cells)
    is_near = np.isin(roses.petals["rose"], near)
    return roses.petals[is_near & (roses.petals["radius"] > 0)]


def _to_weights(shares: np.ndarray, grid: Grid) -> ZonalWeights:
    """Return shares of cells, shape (row, col), as runs of whole cells and border cells."""
    is_whole = shares >= 1.0
    ends = np.diff(np.pad(is_whole, ((0, 0), (1, 1))).astype("i1"), axis=1)
    row, first = np.nonzero(ends == 1)
    last = np.nonzero(ends == -1)[1]
    border_row, column = np.nonzero((shares > 0.0) & ~is_whole)
    runs = np.column_stack([row, 0 * row, first, last])
    borders = np.column_stack([border_row, 0 * column, column])
    return ZonalWeights(
        grid=grid, n_zones=1, runs=runs.astype("int32"), borders=borders.astype("int32"),
        fractions=shares[border_row, column],
    )  # fmt: skip


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

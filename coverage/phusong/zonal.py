"""Exact overlaps of zones (communes) with grid cells, kept as runs of whole cells and border cells.

The area of a polygon in each cell comes from walking its edges through the cells: an edge that
crosses a cell adds its signed height ("cover") to every cell on its right, and the part of that
height that lies right of the edge ("area") to the cell itself, as anti-aliasing rasterisers do.
A grid over a whole country is mostly sea: its values are kept as `Tiles`, land only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr

from phusong.errors import CrsError
from phusong.grid import Grid
from phusong.kernels import in_threads
from phusong.rings import list_rings
from phusong.zonal_kernels import overlap_chunk, paint_band, place_rows, sum_band

__all__ = ["Tiles", "ZonalWeights", "overlap_zones", "paint_tiles", "read_tiles", "sum_by_zone"]

# Zones are cut into this many chunks and rows into bands of so many, whatever the number of
# threads: each part's answer is the same, and the parts are added in their order.
CHUNKS = 32
ROWS_PER_BAND = 128
TILE_CELLS = 128
# How far a vertex may lie off the grid, in cells: rounding of a reprojection.
SLACK_CELLS = 1e-6
NONE = np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonalWeights:
    """Zone × cell fractions, sorted by row, zone and column.

    Attributes
    ----------
    grid : Grid
    n_zones : int
        Zones are numbered by their position in the layer.
    runs : array of int32, shape (n, 4)
        (row, zone, first column, column after the last) of cells wholly inside a zone.
    borders : array of int32, shape (m, 3)
        (row, zone, column) of cells partly inside.
    fractions : array of float64, shape (m,)
        The share of each border cell's area that lies in the zone, 0 to 1.
    """

    grid: Grid
    n_zones: int
    runs: np.ndarray
    borders: np.ndarray
    fractions: np.ndarray

    @property
    def cells(self) -> np.ndarray:
        """Each zone's area in cells, shape (n_zones,)."""
        lengths = self.runs[:, 3] - self.runs[:, 2]
        whole = np.bincount(self.runs[:, 1], lengths, self.n_zones)
        return whole + np.bincount(self.borders[:, 1], self.fractions, self.n_zones)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """Values per cell of a large grid, kept in square tiles, and only in those that matter.

    Attributes
    ----------
    grid : Grid
    index : array of int32, shape (tile rows, tile columns)
        The position of each tile in `values`; -1 where nothing is kept.
    values : array, shape (tiles, height, width)
        Cells of each tile, row 0 in the north; those beyond the grid are 0.
    """

    grid: Grid
    index: np.ndarray
    values: np.ndarray

    def place_of(self, tile_row: int, tile_column: int) -> tuple[slice, slice]:
        """Return the rows and the columns of the grid that a tile holds."""
        height, width = self.values.shape[1:]
        row, column = tile_row * height, tile_column * width
        return (
            slice(row, min(row + height, self.grid.shape[0])),
            slice(column, min(column + width, self.grid.shape[1])),
        )


def overlap_zones(
    zones: gpd.GeoDataFrame, grid: Grid, *, threads: int | None = None
) -> ZonalWeights:
    """Return the exact share of every grid cell in every zone.

    Time and memory grow with the length of the zones' borders in cells, not with the grid.

    Parameters
    ----------
    zones : GeoDataFrame
        Polygons or multipolygons in the grid's CRS; what lies outside the grid is an error.
    grid : Grid
    threads : int, optional
        How many; the answer does not depend on it.

    Raises
    ------
    CrsError
        If the zones are in another CRS than the grid.
    ValueError
        If a zone reaches beyond the grid, or is no polygon.

    Examples
    --------
    >>> grid = Grid(crs="EPSG:5897", x_min=0, y_max=200, cell_m=100, shape=(2, 3))
    >>> zone = gpd.GeoDataFrame(geometry=[shapely.box(0, 50, 250, 200)], crs="EPSG:5897")
    >>> weights = overlap_zones(zone, grid)
    >>> weights.runs.tolist(), weights.fractions.tolist()
    ([[0, 0, 0, 2]], [0.5, 0.5, 0.5, 0.25])
    >>> weights.cells
    array([3.75])
    """
    if zones.crs is None or not zones.crs.equals(grid.crs):
        raise CrsError(f"zones are in {zones.crs}, the grid is in {grid.crs}; reproject them")
    xy, ring_starts, zone_rings = _rings(zones, grid)
    ends = np.searchsorted(
        ring_starts[zone_rings], np.linspace(0, len(xy), CHUNKS + 1)[1:-1], side="left"
    )
    cuts = [0, *np.unique(ends), len(zones)]

    def overlap(first: int, last: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return overlap_chunk(xy, ring_starts, zone_rings, first, last, grid.shape)

    with ThreadPoolExecutor(threads) as pool:
        chunks = list(pool.map(overlap, cuts[:-1], cuts[1:]))
        runs, _ = _merge_by_row([(chunk[0], NONE) for chunk in chunks], grid.shape[0], pool)
        borders, fractions = _merge_by_row([chunk[1:] for chunk in chunks], grid.shape[0], pool)
    return ZonalWeights(
        grid=grid, n_zones=len(zones), runs=runs, borders=borders, fractions=fractions
    )


def read_tiles(
    weights: ZonalWeights,
    read: Callable[[slice, slice], np.ndarray],
    *,
    tile_cells: int = TILE_CELLS,
) -> Tiles:
    """Return the values of every tile that a zone meets, as float32.

    Parameters
    ----------
    weights : ZonalWeights
        Says which tiles matter, and on which grid.
    read : function of (rows, columns), two slices of the grid
        Returns the values there, shape (rows, columns), such as the window of a raster.
    tile_cells : int
        The side of a tile.

    Raises
    ------
    ValueError
        If `read` returns another shape than it was asked for.

    Examples
    --------
    >>> grid = Grid(crs="EPSG:5897", x_min=0, y_max=1000, cell_m=100, shape=(10, 10))
    >>> zone = gpd.GeoDataFrame(geometry=[shapely.box(0, 700, 300, 1000)], crs="EPSG:5897")
    >>> weights = overlap_zones(zone, grid)
    >>> tiles = read_tiles(weights, lambda rows, columns: np.ones((4, 4)), tile_cells=4)
    >>> tiles.index.tolist(), tiles.values.shape
    ([[0, -1, -1], [-1, -1, -1], [-1, -1, -1]], (1, 4, 4))
    >>> sum_by_zone(weights, tiles)
    array([9.])
    """
    is_met = _tiles_met(weights, tile_cells)
    index = np.where(is_met, np.cumsum(is_met).reshape(is_met.shape) - 1, -1).astype("int32")
    values = np.zeros((int(is_met.sum()), tile_cells, tile_cells), "float32")
    tiles = Tiles(grid=weights.grid, index=index, values=values)
    for row, column in np.argwhere(is_met):
        rows, columns = tiles.place_of(int(row), int(column))
        found = np.asarray(read(rows, columns))
        wanted = (rows.stop - rows.start, columns.stop - columns.start)
        if found.shape != wanted:
            raise ValueError(f"rows {rows}, columns {columns}: read {found.shape}, not {wanted}")
        values[index[row, column], : wanted[0], : wanted[1]] = found
    return tiles


def paint_tiles(area: ZonalWeights, like: Tiles) -> Tiles:
    """Return the share of each cell that lies in `area`, in the tiles of `like`.

    Parameters
    ----------
    area : ZonalWeights
        Of one zone, such as the union of all footprints, on the grid of `like`.
    like : Tiles
        What lies outside its tiles is left out.

    Raises
    ------
    ValueError
        If the grids differ, or `area` has more than one zone: shares of zones that overlap do not
        add up to the share of their union.
    """
    if area.grid != like.grid:
        raise ValueError(f"the area is on {area.grid}, the tiles are on {like.grid}")
    if area.n_zones != 1:
        raise ValueError(f"{area.n_zones} zones: unite them first, a cell has one share")
    painted = np.zeros(like.values.shape, "float32")
    flat = painted.reshape(-1)

    def paint(band: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        paint_band(*band, like.index, like.values.shape[1:], flat)

    in_threads(paint, _bands(area))
    return Tiles(grid=like.grid, index=like.index, values=painted)


def sum_by_zone(
    weights: ZonalWeights,
    values: xr.DataArray | Tiles,
    *,
    covered: xr.DataArray | Tiles | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Return each zone's sum of `values` (per cell), border cells by their share.

    With `covered` it is Σ share of the cell in the zone × value × covered share of the cell.
    Added in float64, band of rows by band, in an order of its own; nothing is copied that is
    contiguous.

    Parameters
    ----------
    weights : ZonalWeights
    values : DataArray, dims (y, x), or Tiles, on the weights' grid
        Finite numbers per cell, such as persons. A NaN is the sum of the zones it lies in.
    covered : the same as `values`, optional
        The share of each cell that counts, 0 to 1.
    threads : int, optional
        How many; the answer does not depend on it.

    Returns
    -------
    array of float64, shape (n_zones,)

    Raises
    ------
    ValueError
        If an array is not on the grid, tiles of the two are not the same, a zone reaches a tile
        that is not kept, or the cells are no numbers.

    Examples
    --------
    >>> grid = Grid(crs="EPSG:5897", x_min=0, y_max=200, cell_m=100, shape=(2, 2))
    >>> zone = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 150, 200)], crs="EPSG:5897")
    >>> persons = grid.to_array(np.array([[8, 2], [4, 6]]), unit="persons")
    >>> under = grid.to_array(np.array([[True, True], [False, False]]), unit="covered")
    >>> weights = overlap_zones(zone, grid)
    >>> sum_by_zone(weights, persons), sum_by_zone(weights, persons, covered=under)
    (array([16.]), array([9.]))
    """
    tiles = _as_tiles(weights, values)
    mask = None if covered is None else _as_tiles(weights, covered)
    if mask is not None and not (
        mask.values.shape == tiles.values.shape and np.array_equal(mask.index, tiles.index)
    ):
        raise ValueError("values and covered are kept in different tiles; keep both in the same")
    flat = tiles.values.reshape(-1)
    flat_mask = None if mask is None else mask.values.reshape(-1)

    def add(band: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[bool, np.ndarray]:
        sums = np.zeros(weights.n_zones)
        whole = sum_band(*band, tiles.index, tiles.values.shape[1:], flat, flat_mask, sums)
        return whole, sums

    total = np.zeros(weights.n_zones)
    with ThreadPoolExecutor(threads) as pool:
        for whole, sums in pool.map(add, _bands(weights)):
            if not whole:
                raise ValueError("a zone reaches a tile that is not kept; read its tiles again")
            total += sums
    return total


def _as_tiles(weights: ZonalWeights, values: xr.DataArray | Tiles) -> Tiles:
    """Return the values as tiles; a dense array is one tile over the whole grid."""
    if isinstance(values, Tiles):
        if values.grid != weights.grid:
            raise ValueError(f"tiles are on {values.grid}, the weights on {weights.grid}")
        found = values
    else:
        if values.shape != weights.grid.shape:
            raise ValueError(f"values have shape {values.shape}, the grid {weights.grid.shape}")
        array = np.ascontiguousarray(values)[None]
        found = Tiles(grid=weights.grid, index=np.zeros((1, 1), "int32"), values=array)
    if found.values.dtype.kind not in "biuf" or found.values.dtype.itemsize == 2:
        raise ValueError(f"cells are {found.values.dtype}; give float32, float64, int or bool")
    return found


def _bands(weights: ZonalWeights) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield runs, borders and fractions of each band of rows that has any."""
    edges = np.arange(0, weights.grid.shape[0] + ROWS_PER_BAND, ROWS_PER_BAND)
    run, border = (np.searchsorted(rows[:, 0], edges) for rows in (weights.runs, weights.borders))
    for i in range(len(edges) - 1):
        if run[i] < run[i + 1] or border[i] < border[i + 1]:
            some = slice(border[i], border[i + 1])
            yield weights.runs[run[i] : run[i + 1]], weights.borders[some], weights.fractions[some]


def _tiles_met(weights: ZonalWeights, side: int) -> np.ndarray:
    """Return which tiles hold a cell of a zone, shape (tile rows, tile columns)."""
    n_rows, n_columns = (-(-size // side) for size in weights.grid.shape)
    # +1 where runs begin, -1 after where they end: the sum from the west is positive inside
    met = np.zeros((n_rows, n_columns + 1), "int64")
    row, _, first, last = weights.runs.T
    np.add.at(met, (row // side, first // side), 1)
    np.add.at(met, (row // side, (last - 1) // side + 1), -1)
    is_met = np.cumsum(met, axis=1)[:, :-1] > 0
    row, _, column = weights.borders.T
    is_met[row // side, column // side] = True
    return np.asarray(is_met)


def _rings(zones: gpd.GeoDataFrame, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vertices in (column, row) coordinates, where each ring begins, and each zone's rings.

    Exterior rings run anticlockwise on the map, holes clockwise.
    """
    xy, ring_starts, zone_rings = list_rings(shapely.orient_polygons(zones.geometry.to_numpy()))
    columns, rows = grid.to_columns_rows(xy[:, 0], xy[:, 1])
    height, width = grid.shape
    if len(xy):
        beyond = max(-columns.min(), -rows.min(), columns.max() - width, rows.max() - height)
        if beyond > SLACK_CELLS:
            raise ValueError("a zone reaches beyond the grid; make the grid over all zones")
        if beyond > 0.0:
            columns, rows = np.clip(columns, 0, width), np.clip(rows, 0, height)
    xy[:, 0], xy[:, 1] = columns, rows
    return xy, ring_starts, zone_rings


def _merge_by_row(
    chunks: list[tuple[np.ndarray, np.ndarray]], n_rows: int, pool: ThreadPoolExecutor
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and fractions of all chunks by grid row; within one, chunks keep their order."""
    counts = np.array([np.bincount(rows[:, 0], minlength=n_rows) for rows, _ in chunks])
    ends = np.cumsum(counts.T.reshape(-1)).reshape(n_rows, len(chunks)).T
    following = np.ascontiguousarray(ends - counts)
    n = int(counts.sum())
    placed = np.empty((n, chunks[0][0].shape[1]), "int32")
    fractions = np.empty(n if any(len(chunk[1]) for chunk in chunks) else 0)

    def place(i: int) -> None:
        place_rows(*chunks[i], following[i], placed, fractions)

    list(pool.map(place, range(len(chunks))))
    return placed, fractions

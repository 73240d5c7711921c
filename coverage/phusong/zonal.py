"""Exact overlaps of zones (communes) with grid cells, kept as runs of whole cells and border cells.

The area of a polygon in each cell comes from walking its edges through the cells: an edge that
crosses a cell adds its signed height ("cover") to every cell on its right, and the part of that
height that lies right of the edge ("area") to the cell itself, as anti-aliasing rasterisers do.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr

from phusong.errors import CrsError
from phusong.grid import Grid
from phusong.kernels import kernel

__all__ = ["ZonalWeights", "overlap_zones", "sum_by_zone"]

# Sums of cell fractions are whole to about 1e-12; anything within this of 0 or 1 is 0 or 1.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonalWeights:
    """Zone × cell fractions, sorted by row.

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


def overlap_zones(zones: gpd.GeoDataFrame, grid: Grid) -> ZonalWeights:
    """Return the exact share of every grid cell in every zone.

    Parameters
    ----------
    zones : GeoDataFrame
        Polygons or multipolygons in the grid's CRS; what lies outside the grid is an error.
    grid : Grid

    Raises
    ------
    CrsError
        If the zones are in another CRS than the grid.
    ValueError
        If a zone reaches beyond the grid.

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
    edges, zone_of_edge = _edges(zones, grid)
    events = _walk_edges(edges, zone_of_edge)
    row, zone, column, cover, area = (
        events[name] for name in ("row", "zone", "column", "cover", "area")
    )
    order = np.argsort((row * len(zones) + zone) * (grid.shape[1] + 1) + column, kind="stable")
    runs, borders, fractions = _accumulate(
        row[order], zone[order], column[order], cover[order], area[order]
    )
    return ZonalWeights(
        grid=grid, n_zones=len(zones), runs=runs, borders=borders, fractions=fractions
    )


def sum_by_zone(weights: ZonalWeights, values: xr.DataArray) -> np.ndarray:
    """Return each zone's sum of `values` (per cell), border cells by their share.

    Parameters
    ----------
    weights : ZonalWeights
    values : DataArray, dims (y, x), on the weights' grid
        Finite numbers per cell, such as persons.

    Returns
    -------
    array of float64, shape (n_zones,)

    Raises
    ------
    ValueError
        If the array is not on the grid.
    """
    if values.shape != weights.grid.shape:
        raise ValueError(f"values have shape {values.shape}, the grid {weights.grid.shape}")
    array = np.asarray(values, dtype="float64")
    before = np.zeros((array.shape[0], array.shape[1] + 1))
    np.cumsum(array, axis=1, out=before[:, 1:])
    row, zone, first, last = weights.runs.T
    sums = np.bincount(zone, before[row, last] - before[row, first], weights.n_zones)
    row, zone, column = weights.borders.T
    border = np.bincount(zone, weights.fractions * array[row, column], weights.n_zones)
    return np.asarray(sums + border)


EVENT = np.dtype([("row", "i8"), ("zone", "i8"), ("column", "i8"), ("cover", "f8"), ("area", "f8")])


def _edges(zones: gpd.GeoDataFrame, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, 4) edges in column/row coordinates, interiors on one side, and their zones."""
    polygons, zone_of_polygon = shapely.get_parts(
        shapely.orient_polygons(zones.geometry.to_numpy()), return_index=True
    )
    rings, polygon_of_ring = shapely.get_rings(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    columns, rows = grid.to_columns_rows(xy[:, 0], xy[:, 1])
    height, width = grid.shape
    slack = 1e-6
    if len(xy) and (
        min(columns.min(), rows.min()) < -slack
        or columns.max() > width + slack
        or rows.max() > height + slack
    ):
        raise ValueError("a zone reaches beyond the grid; make the grid over all zones")
    columns, rows = np.clip(columns, 0, width), np.clip(rows, 0, height)
    is_edge = ring[1:] == ring[:-1]
    edges = np.column_stack([columns[:-1], rows[:-1], columns[1:], rows[1:]])[is_edge]
    return edges, zone_of_polygon[polygon_of_ring[ring[:-1][is_edge]]]


def _walk_edges(edges: np.ndarray, zone_of_edge: np.ndarray) -> np.ndarray:
    steps = np.abs(np.floor(edges[:, 2:]) - np.floor(edges[:, :2])).sum(axis=1) + 2
    events = np.zeros(int(steps.sum()), EVENT)
    n = _fill_events(
        edges,
        zone_of_edge.astype("i8"),
        events["row"],
        events["zone"],
        events["column"],
        events["cover"],
        events["area"],
    )
    return events[:n]


@kernel
def _fill_events(edges, zones, row, zone, column, cover, area):
    n = 0
    for i in range(edges.shape[0]):
        x0, y0, x1, y1 = edges[i]
        if y0 == y1:
            continue
        sign = 1.0  # rows grow southwards, rings run anticlockwise: a western edge goes down
        if y0 > y1:
            x0, y0, x1, y1, sign = x1, y1, x0, y0, -1.0
        slope = (x1 - x0) / (y1 - y0)
        y = y0
        r = int(np.floor(y0))
        while y < y1:
            y_next = min(float(r + 1), y1)
            x = x0 + (y - y0) * slope
            x_next = x1 if y_next == y1 else x0 + (y_next - y0) * slope
            n = _cross_row(
                x, x_next, y_next - y, sign, r, zones[i], n, row, zone, column, cover, area
            )
            y = y_next
            r += 1
    return n


@kernel
def _cross_row(x, x_next, height, sign, r, z, n, row, zone, column, cover, area):
    left, right = min(x, x_next), max(x, x_next)
    c = int(np.floor(left))
    at = left
    while True:
        edge = min(float(c + 1), right)
        part = height if right == left else height * (edge - at) / (right - left)
        row[n] = r
        zone[n] = z
        column[n] = c
        cover[n] = sign * part
        area[n] = sign * part * (1.0 - (0.5 * (at + edge) - c))
        n += 1
        if edge >= right:
            return n
        at = edge
        c += 1


@kernel
def _accumulate(row, zone, column, cover, area):
    """Sum the events of each cell from west to east; whole cells become runs."""
    n = len(row)
    room = n
    for i in range(1, n):  # spans between two events of a row, when partly covered, are borders
        if row[i] == row[i - 1] and zone[i] == zone[i - 1]:
            room += max(0, column[i] - column[i - 1] - 1)
    runs = np.empty((2 * n, 4), np.int32)
    borders = np.empty((room, 3), np.int32)
    fractions = np.empty(room, np.float64)
    n_runs = n_borders = 0
    i = 0
    while i < n:
        r, z = row[i], zone[i]
        left = 0.0
        run_first = -1
        while i < n and row[i] == r and zone[i] == z:
            c = column[i]
            inside = left
            while i < n and row[i] == r and zone[i] == z and column[i] == c:
                inside += area[i]
                left += cover[i]
                i += 1
            end = column[i] if i < n and row[i] == r and zone[i] == z else c + 1
            for at, until, fraction in ((c, c + 1, inside), (c + 1, end, left)):
                if at >= until or fraction < TOLERANCE:
                    if at < until and run_first >= 0:
                        runs[n_runs] = (r, z, run_first, at)
                        n_runs += 1
                        run_first = -1
                    continue
                if fraction > 1.0 - TOLERANCE:
                    if run_first < 0:
                        run_first = at
                    continue
                if run_first >= 0:
                    runs[n_runs] = (r, z, run_first, at)
                    n_runs += 1
                    run_first = -1
                for cell in range(at, until):
                    borders[n_borders] = (r, z, cell)
                    fractions[n_borders] = fraction
                    n_borders += 1
            last = end
        if run_first >= 0:
            runs[n_runs] = (r, z, run_first, last)
            n_runs += 1
    return runs[:n_runs].copy(), borders[:n_borders].copy(), fractions[:n_borders].copy()

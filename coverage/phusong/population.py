"""Persons of a population raster on the analysis grid, every person kept."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pyproj
import xarray as xr

from phusong.errors import CrsError
from phusong.grid import Grid

__all__ = ["spread_population"]

# Analysis cells hold SUBPOINTS² points; between nodes of this many cells the CRS is a plane:
# over 2 km a transverse Mercator bends by less than a decimetre.
SUBPOINTS = 2
NODE_CELLS = 20
# Points of the grid that are this far apart, in raster cells, may pass a raster cell by.
WIDEST_STEP = 0.7
ROWS_AT_ONCE = 512


def spread_population(raster: xr.DataArray, grid: Grid) -> xr.DataArray:
    """Return persons per cell of `grid`, each raster cell's persons spread evenly over its area.

    A raster of large cells is read at the points of the grid; one of small cells, which such
    points would pass by, puts its persons on the grid from points of its own.

    Parameters
    ----------
    raster : DataArray, dims (y, x), regular coordinates of cell centres
        Persons per cell; NaN is nobody known, and counts as none. `attrs["crs"]` names its CRS.
    grid : Grid
        Should reach a raster cell beyond the zones of interest: a large raster cell that the grid
        cuts puts all its persons on the part inside, a small one those of the part inside.

    Returns
    -------
    DataArray, dims (y, x)
        Persons per cell; the sum is that of the raster cells that the grid meets.

    Raises
    ------
    CrsError
        If the raster names no CRS.

    Examples
    --------
    >>> raster = xr.DataArray([[400.0]], dims=("y", "x"), coords={"y": [100.0], "x": [100.0]},
    ...                       attrs={"crs": "EPSG:5897", "cell_x": 200.0, "cell_y": 200.0})
    >>> grid = Grid(crs="EPSG:5897", x_min=0, y_max=200, cell_m=100, shape=(2, 2))
    >>> spread_population(raster, grid).values
    array([[100., 100.],
           [100., 100.]])
    """
    if "crs" not in raster.attrs:
        raise CrsError("population raster without a CRS; say which one it is in")
    rows, columns = _raster_cells(raster, grid)
    step = max(np.abs(columns[1] - columns[0]).max(), np.abs(rows[SUBPOINTS] - rows[0]).max())
    rows, columns = np.floor(rows), np.floor(columns)
    first_row, first_column = max(int(rows.min()), 0), max(int(columns.min()), 0)
    raster = raster[first_row : int(rows.max()) + 1, first_column : int(columns.max()) + 1]
    if step > WIDEST_STEP:
        return grid.to_array(_scatter(raster, grid), unit="persons")
    rows, columns = rows - first_row, columns - first_column
    hits = np.zeros(raster.shape, dtype="int64")
    persons = np.zeros(grid.shape)
    points = list(_inside(rows, columns, raster.shape))
    for _, cell in points:
        hits += np.bincount(cell, minlength=hits.size).reshape(hits.shape)
    each = np.nan_to_num(np.asarray(raster, dtype="float64")) / np.maximum(hits, 1)
    for target, cell in points:
        persons.reshape(-1)[target] += each.reshape(-1)[cell]
    return grid.to_array(persons, unit="persons")


def _scatter(raster: xr.DataArray, grid: Grid) -> np.ndarray:
    """Return persons per cell of `grid`, those of each raster cell from SUBPOINTS² points in it."""
    values = np.nan_to_num(np.asarray(raster, dtype="float64")) / SUBPOINTS**2
    node_row, node_column = (
        np.arange(0, size + NODE_CELLS, NODE_CELLS, dtype=float) for size in values.shape
    )
    x, y = (
        float(raster[axis][0]) + (node - 0.5) * _step(raster, axis)
        for axis, node in (("x", node_column), ("y", node_row))
    )
    to_grid = pyproj.Transformer.from_crs(raster.attrs["crs"], grid.crs, always_xy=True)
    column_nodes, row_nodes = grid.to_columns_rows(*to_grid.transform(*np.meshgrid(x, y)))
    persons = np.zeros(grid.shape[0] * grid.shape[1])
    offsets = (np.arange(SUBPOINTS) + 0.5) / SUBPOINTS
    for first in range(0, values.shape[0], ROWS_AT_ONCE):
        block = values[first : first + ROWS_AT_ONCE]
        for down, right in itertools.product(offsets, offsets):
            at = (first + np.arange(len(block)) + down, np.arange(values.shape[1]) + right)
            row = np.floor(_between_nodes(row_nodes, *at)).astype("int64")
            column = np.floor(_between_nodes(column_nodes, *at)).astype("int64")
            is_in = (row >= 0) & (row < grid.shape[0]) & (column >= 0) & (column < grid.shape[1])
            target = row[is_in] * grid.shape[1] + column[is_in]
            persons += np.bincount(target, block[is_in], len(persons))
    return persons.reshape(grid.shape)


def _inside(
    rows: np.ndarray, columns: np.ndarray, shape: tuple[int, ...]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, for each of the subpoints, the grid cells and the raster cells that meet there."""
    for row, column in zip(rows, columns, strict=True):
        is_in = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
        target = np.flatnonzero(is_in.reshape(-1))
        cell = (row[is_in] * shape[1] + column[is_in]).astype("int64")
        yield target, cell


def _raster_cells(raster: xr.DataArray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the raster (row, column) of each subpoint: two arrays (SUBPOINTS², row, col).

    They count from the raster's first corner; their floors are positions.
    """
    step_x, step_y = _step(raster, "x"), _step(raster, "y")
    node_x = np.arange(0, grid.shape[1] + NODE_CELLS, NODE_CELLS, dtype=float)
    node_y = np.arange(0, grid.shape[0] + NODE_CELLS, NODE_CELLS, dtype=float)
    to_raster = pyproj.Transformer.from_crs(grid.crs, raster.attrs["crs"], always_xy=True)
    x, y = to_raster.transform(
        *np.meshgrid(grid.x_min + node_x * grid.cell_m, grid.y_max - node_y * grid.cell_m)
    )
    column_nodes = (x - (float(raster["x"][0]) - step_x / 2)) / step_x
    row_nodes = (y - (float(raster["y"][0]) - step_y / 2)) / step_y
    offsets = (np.arange(SUBPOINTS) + 0.5) / SUBPOINTS
    rows, columns = [], []
    for down in offsets:
        for right in offsets:
            at = (np.arange(grid.shape[0]) + down, np.arange(grid.shape[1]) + right)
            rows.append(_between_nodes(row_nodes, *at))
            columns.append(_between_nodes(column_nodes, *at))
    return np.stack(rows), np.stack(columns)


def _step(raster: xr.DataArray, axis: str) -> float:
    """Return the signed distance of two cell centres; a single cell says it in its attrs."""
    if raster.sizes[axis] > 1:
        first, last = float(raster[axis][0]), float(raster[axis][-1])
        return (last - first) / (raster.sizes[axis] - 1)
    return float(raster.attrs[f"cell_{axis}"])


def _between_nodes(nodes: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Interpolate values at the nodes bilinearly at the given cell coordinates."""
    i, j = (down // NODE_CELLS).astype(int), (right // NODE_CELLS).astype(int)
    u, v = down / NODE_CELLS - i, right / NODE_CELLS - j
    left = nodes[i][:, j] * (1 - u)[:, None] + nodes[i + 1][:, j] * u[:, None]
    beyond = nodes[i][:, j + 1] * (1 - u)[:, None] + nodes[i + 1][:, j + 1] * u[:, None]
    return left * (1 - v) + beyond * v

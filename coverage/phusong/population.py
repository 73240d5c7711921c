"""Persons of a population raster on the analysis grid, every person kept; and beside a register."""

from __future__ import annotations

from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from phusong.errors import CrsError
from phusong.grid import Grid, transformer
from phusong.kernels import in_threads
from phusong.population_kernels import (
    NODE_CELLS,
    SUBPOINTS,
    count_points,
    give_persons,
    scatter_persons,
)

__all__ = ["Placing", "fill_population", "spread_population"]

# By what people are placed in a commune. Only a raster is evidence of where in it they live.
Placing = Literal["raster", "areas", "even"] | None

# Points of the grid that are this far apart, in raster cells, may pass a raster cell by.
WIDEST_STEP = 0.7
ROWS_AT_ONCE = 256
# A register and a raster of one place and year are nearer to each other than this.
USUAL_FACTOR = (0.5, 2.0)
SHOWN = 20


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
    rows, columns = _raster_nodes(raster, grid)
    half = 1 / (SUBPOINTS * NODE_CELLS)  # from one point to the next, as a share of two nodes
    step = max(np.abs(np.diff(columns, axis=1)).max(), np.abs(np.diff(rows, axis=0)).max()) * half
    # nodes bound what lies between them; beyond the raster nobody is known
    first_row, first_column = max(int(rows.min()), 0), max(int(columns.min()), 0)
    last_row, last_column = max(int(rows.max()) + 1, 0), max(int(columns.max()) + 1, 0)
    raster = raster[first_row:last_row, first_column:last_column]
    if not raster.size:
        return grid.to_array(np.zeros(grid.shape), unit="persons")
    if step > WIDEST_STEP:
        return grid.to_array(_scatter(raster, grid), unit="persons")
    rows, columns = rows - first_row, columns - first_column

    def count(first: int) -> np.ndarray:
        return count_points(rows, columns, first, min(first + ROWS_AT_ONCE, n_rows), width, shape)

    def give(first: int) -> None:
        give_persons(rows, columns, first, min(first + ROWS_AT_ONCE, n_rows), each, persons)

    (n_rows, width), shape = grid.shape, raster.shape
    bands = range(0, n_rows, ROWS_AT_ONCE)
    hits = sum(in_threads(count, bands))
    each = np.nan_to_num(np.asarray(raster, dtype="float64")) / np.maximum(hits, 1)
    persons = np.zeros(grid.shape)
    in_threads(give, bands)
    return grid.to_array(persons, unit="persons")


def fill_population(
    communes: gpd.GeoDataFrame, persons: pd.Series, *, placing: Placing = "raster"
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Return the communes with their people: their own number, where there is none the layer's.

    The layer is a raster of persons, or areas with their counts. factor = own number ÷ the layer's.
    Scaled by it the cells of a commune sum to its own number:
    shares of its people stay what they are, sums over several communes weigh by their own numbers.

    Parameters
    ----------
    communes : GeoDataFrame
        `commune_code`, `commune_name`, `population` (NaN where not known).
    persons : Series of float, by commune_code
        People that the layer holds there; NaN without a layer.
    placing : {"raster", "areas", "even"}, optional
        What the layer is; or that the communes' own numbers were spread evenly over their area.

    Returns
    -------
    GeoDataFrame
        `population` filled, `population_raster_factor` (NaN where either number is not known), and
        `population_spread`: by what people are placed in a commune, "raster", "areas" or "even";
        missing where nobody knows.
    list of str
        Notes on all that.

    Examples
    --------
    >>> two = gpd.GeoDataFrame({"commune_code": ["1", "2"], "commune_name": ["Xã A", "Xã B"],
    ...                         "population": [1000.0, 900.0]})
    >>> filled, notes = fill_population(two, pd.Series([800.0, 300.0], index=["1", "2"]))
    >>> filled["population_raster_factor"].tolist()
    [1.25, 3.0]
    >>> print(*notes, sep="\\n")
    population: 1,900 by the communes' own numbers, 1,100 by the raster, in 2 communes: its people
    are scaled by 1.727 in all, commune by commune by 1.250 to 3.000
    the factor is not within 0.5 to 2 in 1 communes (the greatest: 2 Xã B 3.000)
    """
    own = communes["population"].astype("float64")
    held = communes["commune_code"].map(persons).where(lambda people: people > 0)
    factor = own / held
    is_placed = own > 0 if placing == "even" else held.notna()
    how = pd.Series(placing, index=communes.index, dtype="str").where(is_placed)
    filled = own.fillna(held)
    notes = _factor_notes(communes, own, held, factor, layer=_layer(placing))
    n_filled = int((own.isna() & held.notna()).sum())
    n_missing = int(filled.isna().sum())
    if n_filled:
        notes.append(f"{n_filled} communes take their population from {_layer(placing)}")
    if placing == "areas":
        notes.append(
            "people are spread evenly over each area of the layer, a model; where in an area they "
            "live is not known, so the bounds of shares of people run from nobody to all wherever "
            "a part of a commune is covered"
        )
    if placing == "even":
        notes.append(
            f"the people of {is_placed.sum()} communes are spread evenly over their area: their "
            "share of people is their share of area, a model; where in a commune they live is not "
            "known, so the bounds run from nobody to all wherever a part is covered"
        )
    is_bare = (own > 0) & how.isna()
    if is_bare.any() and held.notna().any():
        notes.append(
            f"{_layer(placing)} holds nobody in {is_bare.sum()} communes that have people "
            f"({'; '.join(_labels(communes[is_bare]).head(SHOWN))}): their share of people is not "
            "known, only its bounds"
        )
    if n_missing:
        notes.append(f"{n_missing} communes have no known population: not in figures of people")
    columns = {
        "population": filled,
        "population_raster_factor": factor,
        "population_spread": how,
    }
    return communes.assign(**columns), notes


def _layer(placing: Placing) -> str:
    return "the layer of areas" if placing == "areas" else "the raster"


def _factor_notes(
    communes: pd.DataFrame, own: pd.Series, held: pd.Series, factor: pd.Series, *, layer: str
) -> list[str]:
    """Say the factor of all communes together, and the least and the greatest if unusual."""
    known = factor.dropna()
    if known.empty:
        return []
    n_own, n_held = own[known.index].sum(), held[known.index].sum()
    notes = [
        f"population: {n_own:,.0f} by the communes' own numbers, {n_held:,.0f} by {layer}, in "
        f"{len(known)} communes: its people are scaled by {n_own / n_held:.3f} in all, commune by "
        f"commune by {known.min():.3f} to {known.max():.3f}"
    ]
    least, most = USUAL_FACTOR
    labels = _labels(communes)
    ends = {"least": known.idxmin(), "greatest": known.idxmax()}
    named = [
        f"the {word}: {labels[i]} {known[i]:.3f}"
        for word, i in ends.items()
        if not least <= known[i] <= most
    ]
    if named:
        n_outside = (~known.between(least, most)).sum()
        notes.append(
            f"the factor is not within {least:g} to {most:g} in {n_outside} communes "
            f"({'; '.join(named)})"
        )
    return notes


def _labels(communes: pd.DataFrame) -> pd.Series:
    return communes["commune_code"] + " " + communes["commune_name"].fillna("")


def _scatter(raster: xr.DataArray, grid: Grid) -> np.ndarray:
    """Return persons per cell of `grid`, those of each raster cell from SUBPOINTS² points in it."""
    values = np.nan_to_num(np.asarray(raster, dtype="float64")) / SUBPOINTS**2
    node_row, node_column = (_nodes(size) for size in values.shape)
    x, y = (
        float(raster[axis][0]) + (node - 0.5) * _step(raster, axis)
        for axis, node in (("x", node_column), ("y", node_row))
    )
    to_grid = transformer(raster.attrs["crs"], grid.crs)
    columns, rows = grid.to_columns_rows(*to_grid.transform(*np.meshgrid(x, y)))
    persons = np.zeros(grid.shape)
    scatter_persons(rows, columns, values, persons)
    return persons


def _raster_nodes(raster: xr.DataArray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the raster (row, column) of every NODE_CELLS-th corner of the grid.

    They count from the raster's first corner; their floors are positions.
    """
    step_x, step_y = _step(raster, "x"), _step(raster, "y")
    node_y, node_x = (_nodes(size) for size in grid.shape)
    to_raster = transformer(grid.crs, raster.attrs["crs"])
    x, y = to_raster.transform(
        *np.meshgrid(grid.x_min + node_x * grid.cell_m, grid.y_max - node_y * grid.cell_m)
    )
    columns = (x - (float(raster["x"][0]) - step_x / 2)) / step_x
    rows = (y - (float(raster["y"][0]) - step_y / 2)) / step_y
    return rows, columns


def _nodes(size: int) -> np.ndarray:
    return np.arange(0, size + NODE_CELLS, NODE_CELLS, dtype=float)


def _step(raster: xr.DataArray, axis: str) -> float:
    """Return the signed distance of two cell centres; a single cell says it in its attrs."""
    if raster.sizes[axis] > 1:
        first, last = float(raster[axis][0]), float(raster[axis][-1])
        return (last - first) / (raster.sizes[axis] - 1)
    return float(raster.attrs[f"cell_{axis}"])

"""Persons on the grid, from whichever layer tells of them: a raster, or counts of whole areas."""

from __future__ import annotations

from typing import Literal, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr

from phusong.grid import Grid
from phusong.population import Placing, spread_population
from phusong.population_kernels import scatter_areas
from phusong.zonal import overlap_zones

__all__ = ["People", "find_beyond", "placing_of", "spread_areas", "spread_people"]

# Persons per cell; areas with their `population`; the communes' own numbers; or nothing known.
People: TypeAlias = xr.DataArray | gpd.GeoDataFrame | Literal["even"] | None

# Edges bend when they are reprojected: people of a border cell are not counted to the last one.
ROUNDING = 1e-6


def placing_of(people: People) -> Placing:
    """Return by what a layer of people places them."""
    if isinstance(people, xr.DataArray):
        return "raster"
    if isinstance(people, gpd.GeoDataFrame):
        return "areas"
    return people


def spread_people(people: People, grid: Grid) -> xr.DataArray | None:
    """Return persons per cell of `grid`; None where no layer says where people live."""
    if isinstance(people, xr.DataArray):
        return spread_population(people, grid)
    if isinstance(people, gpd.GeoDataFrame):
        return spread_areas(people, grid)
    return None


def spread_areas(areas: gpd.GeoDataFrame, grid: Grid) -> xr.DataArray:
    """Return persons per cell of `grid`, the count of each area spread evenly over it.

    The areas need not be those that are assessed: communes of a census, districts, villages. Each
    is spread by itself, so that areas that overlap keep all their people. Areal weighting
    (Goodchild & Lam 1980): persons of a cell = Σ count × area in the cell ÷ whole area.

    Parameters
    ----------
    areas : GeoDataFrame
        `population`, polygons of an area above zero, any CRS; what lies beyond the grid is not
        on it.
    grid : Grid

    Returns
    -------
    DataArray, dims (y, x)
        Persons per cell; the sum is that of the areas, as far as they lie on the grid.

    Examples
    --------
    >>> shapes = [shapely.box(0, 0, 150, 100), shapely.box(50, 0, 250, 100)]
    >>> areas = gpd.GeoDataFrame({"population": [60.0, 10.0]}, geometry=shapes, crs="EPSG:5897")
    >>> grid = Grid(crs="EPSG:5897", x_min=0, y_max=100, cell_m=100, shape=(1, 2))
    >>> spread_areas(areas, grid).values
    array([[42.5, 25. ]])
    """
    shapes = areas.geometry.to_crs(grid.crs).to_numpy()
    per_m2 = areas["population"].to_numpy(float) / shapely.area(shapes)
    frame = shapely.box(*grid.bounds)
    shapely.prepare(frame)
    is_cut = ~shapely.contains_properly(frame, shapes)
    # of a shape that touches the frame, lines and points may be left: they hold nobody
    shapes[is_cut] = [_polygons(shape) for shape in shapely.intersection(shapes[is_cut], frame)]
    weights = overlap_zones(gpd.GeoDataFrame(geometry=shapes, crs=grid.crs), grid)
    persons = np.zeros(grid.shape)
    scatter_areas(
        weights.runs, weights.borders, weights.fractions, per_m2 * grid.cell_m**2, persons
    )
    return grid.to_array(persons, unit="persons")


def find_beyond(people: People, persons: pd.Series) -> list[str]:
    """Say how many people of all areas live in none of the communes; `persons` are those who do."""
    if not isinstance(people, gpd.GeoDataFrame):
        return []
    total = people["population"].sum()
    beyond = total - persons.sum()
    if beyond < max(1.0, ROUNDING * total):
        return []
    return [f"{beyond:,.0f} of the {total:,.0f} people of the areas live in no commune of this map"]


def _polygons(shape: shapely.Geometry) -> shapely.Geometry:
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)

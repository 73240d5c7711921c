"""One province after the other: communes that lie together, on a grid of their own, measured.

A far island would stretch its province's grid over an empty sea, so that a province is as many
parts as it has groups of communes. A part needs nothing of another: they can be measured in any
order, on any machine, with the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr
from pyproj import CRS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from phusong.census import People, placing_of, spread_people
from phusong.grid import Grid, choose_metric_crs, grid_over, transformer
from phusong.indicators import ProvinceCoverage, measure_coverage
from phusong.zonal import overlap_zones, sum_by_zone

__all__ = [
    "Part", "Question", "measure_part", "sites_in_reach", "split_provinces", "spread_part",
]  # fmt: skip

LON_LAT = "EPSG:4326"
TOGETHER_M = 20_000.0


SHAPING = (
    "operator", "technology", "radius_m", "radius_low_m", "radius_high_m", "is_default_radius",
    "azimuth_deg", "beamwidth_deg", "geometry",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Communes of one province that lie together.

    Attributes
    ----------
    communes, gaps : GeoDataFrame
        In the CRS of the grid: the communes, and the places between them that are in none.
    grid : Grid
        Over both.
    population : People
        The window of the raster, or those of the areas, that the grid needs; the others as given.
    """

    communes: gpd.GeoDataFrame
    gaps: gpd.GeoDataFrame
    grid: Grid
    population: People


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of every part alike."""

    services: Mapping[str, Sequence[str]]
    operators: Sequence[str]
    as_of: date
    keep: Sequence[str]


def split_provinces(
    communes: gpd.GeoDataFrame,
    gaps: gpd.GeoDataFrame,
    population: People,
    *,
    crs: str | None,
    cell_m: float,
) -> list[Part]:
    """Split communes by province, and provinces where more than 20 km of nothing lie between.

    Parameters
    ----------
    communes, gaps : GeoDataFrame, EPSG:4326
        With `province_code`.
    population : People
    crs : str, optional
        A metric CRS for all; each province's own without it.
    cell_m : float

    Returns
    -------
    list of Part
        By province, then by the first of their communes.
    """
    parts = []
    for code in sorted(set(communes["province_code"])):
        own = communes[communes["province_code"] == code]
        metric = crs or choose_metric_crs(own)
        land, between = own.to_crs(metric), gaps[gaps["province_code"] == code].to_crs(metric)
        group = _group(np.concatenate([land.geometry.to_numpy(), between.geometry.to_numpy()]))
        for g in range(group.max() + 1):
            is_in, is_between = group[: len(land)] == g, group[len(land) :] == g
            parts.append(_make_part(land[is_in], between[is_between], population, metric, cell_m))
    return parts


def measure_part(
    part: Part, sites: gpd.GeoDataFrame, question: Question
) -> tuple[ProvinceCoverage, float]:
    """Measure the coverage of one part, with the sites of others that reach into it.

    Parameters
    ----------
    part : Part
    sites : GeoDataFrame, EPSG:4326
        On air, with their radii.
    question : Question

    Returns
    -------
    ProvinceCoverage
    float
        Persons that live in the gaps, as far as a layer says where.
    """
    persons, between = spread_part(part)
    coverage = measure_coverage(
        part.communes,
        sites_in_reach(sites, part.grid.bounds, part.grid.crs),
        overlap_zones(part.communes, part.grid),
        services=question.services,
        operators=question.operators,
        as_of=question.as_of,
        persons=persons,
        placing=placing_of(part.population),
        keep=question.keep,
    )
    return coverage, between


def spread_part(part: Part) -> tuple[xr.DataArray | None, float]:
    """Return persons per cell of a part, and how many of them live in its gaps."""
    persons, between = spread_people(part.population, part.grid), 0.0
    if persons is not None and len(part.gaps):
        between = float(sum_by_zone(overlap_zones(part.gaps, part.grid), persons).sum())
    return persons, between


def sites_in_reach(
    sites: gpd.GeoDataFrame, box: tuple[float, float, float, float], crs: str
) -> gpd.GeoDataFrame:
    """Return, in `crs`, the sites whose largest footprint may meet a box, with what shapes it."""
    sites = sites[[name for name in SHAPING if name in sites]]
    reach_m = np.nan_to_num(sites["radius_high_m"].to_numpy(float))
    widest = float(reach_m.max(initial=0.0))
    outer = np.array(box) + np.array([-widest, -widest, widest, widest])
    around = transformer(crs, LON_LAT).transform_bounds(*outer)
    is_near = _meet(shapely.bounds(sites.geometry.to_numpy()), around)
    near = sites[is_near].to_crs(crs)
    own = reach_m[is_near][:, None] * [-1, -1, 1, 1]
    return near[_meet(shapely.bounds(near.geometry.to_numpy()) + own, box)]


def _meet(boxes: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Return which boxes, shape (n, 4), meet one."""
    west, south, east, north = box
    return np.asarray(
        (boxes[:, 2] > west) & (boxes[:, 0] < east) & (boxes[:, 3] > south) & (boxes[:, 1] < north)
    )


def _group(shapes: np.ndarray) -> np.ndarray:
    """Number the groups of shapes whose boxes are within TOGETHER_M of a neighbour's."""
    boxes = shapely.box(*shapely.bounds(shapes).T)
    a, b = shapely.STRtree(boxes).query(boxes, predicate="dwithin", distance=TOGETHER_M)
    links = coo_array((np.ones(len(a), bool), (a, b)), shape=(len(shapes), len(shapes)))
    return np.asarray(connected_components(links, directed=False)[1])


def _make_part(
    land: gpd.GeoDataFrame,
    between: gpd.GeoDataFrame,
    population: People,
    crs: str,
    cell_m: float,
) -> Part:
    raster = population if isinstance(population, xr.DataArray) else None
    margin = 0 if raster is None else math.ceil(_cell_size_m(raster) / cell_m) + 1
    whole = pd.concat([land[["geometry"]], between[["geometry"]]])
    grid = grid_over(whole, crs=crs, cell_m=cell_m, margin_cells=margin)
    return Part(communes=land, gaps=between, grid=grid, population=_cut_out(population, grid))


def _cut_out(population: People, grid: Grid) -> People:
    """Return what the grid needs of a layer of people."""
    if isinstance(population, xr.DataArray):
        return _window(population, grid)
    if isinstance(population, gpd.GeoDataFrame):
        west, south, east, north = transformer(grid.crs, population.crs).transform_bounds(
            *grid.bounds
        )
        return population.cx[west:east, south:north]
    return population


def _window(raster: xr.DataArray, grid: Grid) -> xr.DataArray:
    """Return the cells of a raster that meet the grid, and one more on every side."""
    bounds = transformer(grid.crs, raster.attrs["crs"]).transform_bounds(*grid.bounds)
    inside = []
    for axis, low, high in (("y", bounds[1], bounds[3]), ("x", bounds[0], bounds[2])):
        centres = raster[axis].to_numpy()
        step = (
            abs(centres[1] - centres[0]) if len(centres) > 1 else abs(raster.attrs[f"cell_{axis}"])
        )
        at = np.flatnonzero((centres > low - 1.5 * step) & (centres < high + 1.5 * step))
        # a window of one cell would not know its size, and one of none not its place
        first = min(at[0], len(centres) - 2) if len(at) else 0
        last = max(at[-1] + 1, first + 2) if len(at) else 2
        inside.append(slice(max(first, 0), last))
    return raster[inside[0], inside[1]]


def _cell_size_m(raster: xr.DataArray) -> float:
    """Return the larger side of a raster cell in metres, a degree taken as 111.32 km."""
    step = max(abs(float(raster[axis].diff(axis).mean())) for axis in ("x", "y"))
    return step * 111_320 if CRS(raster.attrs["crs"]).is_geographic else step

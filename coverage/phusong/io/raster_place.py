"""Where a raster lies, beside the communes that it should cover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import shapely
import xarray as xr
from affine import Affine
from rasterio.features import rasterize
from rasterio.windows import Window

from phusong.errors import CrsError, InputFileError
from phusong.io.frames import suggest_frames, to_lon_lat
from phusong.io.geotiff import horizontal_crs

__all__ = [
    "count_cells",
    "find_cell_km2",
    "find_window",
    "list_communes",
    "locate_cells",
    "require_cover",
]

LON_LAT = "EPSG:4326"
MARGIN_CELLS = 3
SHOWN_COMMUNES = 20
CUT_SHARE = 0.01
# Few communes, of few people, may lie beyond a raster of persons: what is not known there is said.
SMALL_PART = 0.01
ISLETS_SHARE = 0.05
THIN_SHARE = 0.5
EDGE_POINTS = 20
DEGREE_M, POLE_COS = 110_500.0, 0.01  # the shortest degree of latitude


def find_window(
    raster: rasterio.DatasetReader,
    communes: gpd.GeoDataFrame | None,
    path: Path,
    *,
    margin_m: float = 0.0,
) -> Window:
    """Return the window over the communes with a margin of a few cells; all without communes.

    With `margin_m` the window goes so much farther on every side, and a few cells.

    Raises
    ------
    CrsError
        If the raster is not on Earth, in a CRS that PROJ cannot place, or away from the communes.
    """
    crs = horizontal_crs(raster, path)
    bounds = _lon_lat_bounds(raster, crs, path)
    if communes is None:
        return Window(0, 0, raster.width, raster.height)
    west, south, east, north = _widen(_in_crs(communes, crs).total_bounds, crs, margin_m)
    steps = raster.transform
    left, right = sorted(((west - steps.c) / steps.a, (east - steps.c) / steps.a))
    top, bottom = sorted(((north - steps.f) / steps.e, (south - steps.f) / steps.e))
    first_column = max(math.floor(left) - MARGIN_CELLS, 0)
    last_column = min(math.ceil(right) + MARGIN_CELLS, raster.width)
    first_row = max(math.floor(top) - MARGIN_CELLS, 0)
    last_row = min(math.ceil(bottom) + MARGIN_CELLS, raster.height)
    if first_column >= last_column or first_row >= last_row:
        edges = raster.bounds
        hint = suggest_frames(
            np.array([(edges.left + edges.right) / 2]), np.array([(edges.bottom + edges.top) / 2])
        )
        raise CrsError(
            f"{path}: lies outside the communes (ngoài phạm vi): it covers {_say_box(bounds)}, "
            f"the communes lie in {_say_box(communes.to_crs(LON_LAT).total_bounds)}. Is its CRS, "
            f"{crs.name}, the right one? {hint}"
        )
    return Window(first_column, first_row, last_column - first_column, last_row - first_row)


def locate_cells(layer: xr.DataArray, communes: gpd.GeoDataFrame) -> np.ndarray:
    """Return the position in `communes` of the one each cell's centre lies in, -1 for none.

    Returns
    -------
    array of int32, shape (row, col)
    """
    shapes = _in_crs(communes, layer.attrs["crs"]).to_numpy()
    there = np.flatnonzero(~(shapely.is_empty(shapes) | shapely.is_missing(shapes)))
    if not len(there):
        return np.full(layer.shape, -1, "int32")
    return rasterize(
        ((shapes[i], i) for i in there),
        out_shape=layer.shape,
        transform=_transform(layer),
        fill=-1,
        dtype="int32",
    )


def require_cover(
    layer: xr.DataArray,
    owner: np.ndarray,
    communes: gpd.GeoDataFrame,
    path: Path,
    *,
    people: np.ndarray | None = None,
) -> tuple[str, ...]:
    """Check that every commune has data; return notes on those that are thinly covered, or not.

    Parameters
    ----------
    people : array of float, optional
        Persons of each commune, NaN where not known. With it, communes of nobody need no data;
        and communes wholly beyond the edge, or with up to 5 % of their area there, are let be
        and noted if they are less than 1 % of the communes and less than 1 % of the known people.

    Raises
    ------
    InputFileError
        If communes have no data, or the raster's edge cuts them: their people would count as none.
    """
    n_cells = count_cells(owner, len(communes))
    n_valid = count_cells(np.where(np.isnan(layer.to_numpy()), -1, owner), len(communes))
    outside = _share_outside(layer, communes)
    is_bare = np.where(n_cells > 0, n_valid == 0, ~_has_data_inside(layer, communes))
    is_cut = ~is_bare & (outside > CUT_SHARE)
    is_let = np.zeros(len(communes), dtype=bool)
    notes: tuple[str, ...] = ()
    if people is not None:
        is_let, notes = _let_be(is_bare, is_cut, outside, people, communes)
    is_bare, is_cut = is_bare & ~is_let, is_cut & ~is_let
    if is_bare.any() or is_cut.any():
        parts = {"have no data in it": is_bare, "are cut by its edge": is_cut}
        said = [
            f"{mask.sum()} of {len(communes)} communes {what} ({list_communes(communes, mask)})"
            for what, mask in parts.items()
            if mask.any()
        ]
        raise InputFileError(
            f"{path}: does not cover all communes (không phủ hết): {'; '.join(said)}; use a raster "
            "that covers them, or leave these communes out"
        )
    is_thin = n_valid < THIN_SHARE * n_cells
    if not is_thin.any():
        return notes
    return (
        *notes,
        f"{is_thin.sum()} communes have data in less than {THIN_SHARE:.0%} of their cells: "
        f"{list_communes(communes, is_thin)}",
    )


def _let_be(
    is_bare: np.ndarray,
    is_cut: np.ndarray,
    outside: np.ndarray,
    people: np.ndarray,
    communes: gpd.GeoDataFrame,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the communes that a raster of persons need not cover, and notes that name them."""
    is_empty = is_bare & (people == 0)
    is_beyond = is_bare & ~is_empty & (outside == 1)
    is_trimmed = is_cut & (outside <= ISLETS_SHARE)
    few = is_beyond | is_trimmed
    known = np.nan_to_num(people)
    is_small = few.sum() < SMALL_PART * len(few) and (
        known[few].sum() < SMALL_PART * known.sum() or not known.any()
    )
    if not is_small:
        few = is_beyond = is_trimmed = np.zeros_like(few)
    said = {
        "whose own population is 0 have no data in it": is_empty,
        "lie wholly beyond its edge: how people live there is not known, and what is not known "
        "never counts as covered": is_beyond,
        f"have up to {ISLETS_SHARE:.0%} of their area beyond its edge: their people are taken to "
        "live on the rest": is_trimmed,
    }
    notes = tuple(
        f"{mask.sum()} communes {what}: {list_communes(communes, mask)}"
        for what, mask in said.items()
        if mask.any()
    )
    return is_empty | few, notes


def count_cells(
    owner: np.ndarray, n_communes: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the cells of each commune, or the sum of their weights."""
    is_owned = owner >= 0
    chosen = None if weights is None else weights[is_owned]
    return np.bincount(owner[is_owned], weights=chosen, minlength=n_communes)


def list_communes(communes: gpd.GeoDataFrame, mask: np.ndarray) -> str:
    """Return the codes and names of the first of those that are meant, and how many more."""
    chosen = communes.loc[np.asarray(mask), ["commune_code", "commune_name"]]
    names = [f"{code} {name}" for code, name in chosen.head(SHOWN_COMMUNES).to_numpy()]
    more = len(chosen) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def find_cell_km2(layer: xr.DataArray) -> float:
    """Return the area in km² of the cell in the middle of a layer."""
    x, y = (float(layer[axis][layer.sizes[axis] // 2]) for axis in ("x", "y"))
    dx, dy = layer.attrs["cell_x"] / 2, layer.attrs["cell_y"] / 2
    cell = gpd.GeoSeries([shapely.box(x - dx, y + dy, x + dx, y - dy)], crs=layer.attrs["crs"])
    area_m2, _ = pyproj.Geod(ellps="WGS84").geometry_area_perimeter(cell.to_crs(LON_LAT).iloc[0])
    return abs(area_m2) / 1e6


def _lon_lat_bounds(raster: rasterio.DatasetReader, crs: pyproj.CRS, path: Path) -> Sequence[float]:
    """Return west, south, east, north of the raster in degrees, its edges followed."""
    west, east = sorted((raster.bounds.left, raster.bounds.right))
    south, north = sorted((raster.bounds.bottom, raster.bounds.top))
    x, y = np.linspace(west, east, EDGE_POINTS), np.linspace(south, north, EDGE_POINTS)
    outline = shapely.MultiPoint(
        [(a, b) for a in x for b in (south, north)] + [(a, b) for a in (west, east) for b in y]
    )
    try:
        bounds = to_lon_lat(gpd.GeoSeries([outline], crs=crs), str(path)).total_bounds
    except pyproj.exceptions.ProjError as error:
        raise CrsError(f"{path}: its CRS, {crs.name}, has no place on Earth: {error}") from error
    lon, lat = np.abs(bounds[[0, 2]]).max(), np.abs(bounds[[1, 3]]).max()
    if not (lon <= 360 and lat <= 90.01):
        raise CrsError(
            f"{path}: its coordinates are out of range for its CRS, {crs.name}: x {west:g} to "
            f"{east:g}, y {south:g} to {north:g}. "
            f"{suggest_frames(np.array([west, east]), np.array([south, north]))}"
        )
    return bounds


def _widen(bounds: Sequence[float], crs: pyproj.CRS, margin_m: float) -> Sequence[float]:
    """Return bounds that reach so much farther, in the units of their CRS."""
    west, south, east, north = bounds
    down = across = margin_m / crs.axis_info[0].unit_conversion_factor
    if crs.is_geographic:
        down = margin_m / DEGREE_M
        across = down / max(math.cos(math.radians(max(abs(south), abs(north)))), POLE_COS)
    return west - across, south - down, east + across, north + down


def _in_crs(communes: gpd.GeoDataFrame, crs: object) -> gpd.GeoSeries:
    return communes.geometry.to_crs(crs)


def _transform(layer: xr.DataArray) -> Affine:
    cell_x, cell_y = layer.attrs["cell_x"], layer.attrs["cell_y"]
    x, y = float(layer["x"][0]) - cell_x / 2, float(layer["y"][0]) - cell_y / 2
    return Affine(cell_x, 0, x, 0, cell_y, y)


def _has_data_inside(layer: xr.DataArray, communes: gpd.GeoDataFrame) -> np.ndarray:
    """Return whether the cell that a point of each commune lies in has data.

    For communes so small that no cell has its centre in them.
    """
    shapes = _in_crs(communes, layer.attrs["crs"]).to_numpy()
    inside = shapely.point_on_surface(shapes)
    steps = _transform(layer)
    column = np.floor((shapely.get_x(inside) - steps.c) / steps.a)
    row = np.floor((shapely.get_y(inside) - steps.f) / steps.e)
    rows, columns = layer.shape
    is_in = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    at = (np.where(is_in, row, 0).astype(int), np.where(is_in, column, 0).astype(int))
    return is_in & ~np.isnan(layer.to_numpy()[at])


def _share_outside(layer: xr.DataArray, communes: gpd.GeoDataFrame) -> np.ndarray:
    """Return the share of each commune's area that lies beyond the raster's edge.

    A raster that was cut along the communes themselves may end a cell before they do.
    """
    shapes = _in_crs(communes, layer.attrs["crs"])
    cell_x, cell_y = layer.attrs["cell_x"], layer.attrs["cell_y"]
    x, y = layer["x"].to_numpy(), layer["y"].to_numpy()
    extent = shapely.box(
        x[0] - 1.5 * cell_x, y[-1] + 1.5 * cell_y, x[-1] + 1.5 * cell_x, y[0] - 1.5 * cell_y
    )
    share = np.zeros(len(communes))
    polygons = shapely.make_valid(shapes.to_numpy())
    area = shapely.area(polygons)
    crosses = (area > 0) & ~shapely.within(polygons, extent)
    share[crosses] = shapely.area(shapely.difference(polygons[crosses], extent)) / area[crosses]
    share[shapely.disjoint(polygons, extent)] = 1.0
    return share


def _say_box(bounds: Sequence[float]) -> str:
    west, south, east, north = bounds
    return f"lon {west:.2f} to {east:.2f}, lat {south:.2f} to {north:.2f}"

"""Terrain: GeoTIFF or SRTM tiles in, a DataArray of metres above sea level out."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import xarray as xr
from rasterio.fill import fillnodata

from phusong.crosswalk import VINTAGE_2025
from phusong.errors import InputFileError, Problem
from phusong.io.geotiff import data_band, find_scaling, open_geotiff, read_layer
from phusong.io.hgt import is_hgt, read_hgt
from phusong.io.official import known_rows
from phusong.io.raster_place import find_cell_km2, find_window, locate_cells, require_cover
from phusong.io.raster_summary import Summary, account_cells, summarise
from phusong.io.report import Reading

__all__ = ["fill_voids", "read_terrain"]

UNIT = "metres above sea level"
METRES = ("", "m", "metre", "metres", "meter", "meters", "mét")
# Fansipan is 3,147 m; the top of Thanh Hóa about 1,600 m. No land of the world lies below -430 m,
# none of Vietnam more than a few metres below the sea.
TOP_M = 3_200
PROVINCE_TOP_M = 2_000
BOTTOM_M = -500
LOW_NOTE_M = -50
FILL_CELLS = 10
FILL_GAP_M = 50
VOID_M = 1_000.0  # a void whose edge is farther than this stays one


def read_terrain(
    path: Path | str, *, communes: gpd.GeoDataFrame | None = None, margin_m: float = 0.0
) -> Reading:
    """Read a terrain model.

    Parameters
    ----------
    path : Path or str
        GeoTIFF of one band, any CRS; see `read_population`. Or an SRTM tile (.hgt), or a folder of
        them (`hgt.read_hgt`).
    communes : GeoDataFrame, optional
        Schema "communes". The raster must cover them all; heights are checked in the window over
        them only, for a raster of a larger region may hold higher mountains and deeper seas.
    margin_m : float
        How far around the communes a GeoTIFF is read, as far as it goes.

    Returns
    -------
    Reading
        `layer`: DataArray, dims (y, x), north up, metres above sea level, NaN where there is no
        data, `attrs`: crs, cell_x > 0, cell_y < 0, unit. `report` counts cells.

    Raises
    ------
    InputFileError
        If it is not a GeoTIFF of one band, or a tile, of plausible heights in metres that covers
        the communes.
    CrsError
        If it names no CRS, or lies elsewhere.
    """
    path = Path(path)
    repairs: tuple[Problem, ...] = ()
    if is_hgt(path):
        layer = read_hgt(path, unit=UNIT)
        whole, kind = summarise(layer.to_numpy()), np.dtype("int16")
    else:
        with open_geotiff(path) as raster:
            _require_metres(raster, path)
            window = find_window(raster, communes, path, margin_m=margin_m)
            layer, whole = read_layer(raster, window, path=path, unit=UNIT)
            repairs = find_scaling(raster, unit=UNIT)
            kind = np.dtype(raster.dtypes[data_band(raster) - 1])
    heights = layer.to_numpy()
    notes = _require_heights(summarise(heights), kind, path)
    if communes is not None:
        owner = locate_cells(layer, communes)
        notes += require_cover(layer, owner, communes, path)
        notes += _province_notes(heights[owner >= 0], communes)
    return account_cells(layer, whole, path, "terrain", repairs=repairs, notes=notes)


def fill_voids(layer: xr.DataArray) -> tuple[xr.DataArray, list[str]]:
    """Fill small voids from their edges, by inverse distance in eight directions (GDAL).

    Parameters
    ----------
    layer : DataArray, dims (y, x)
        As `read_terrain` gives it.

    Returns
    -------
    DataArray
        Voids whose edge is within 1 km are filled; the others stay NaN.
    list of str
        How many cells were filled, and how many were not.
    """
    values = layer.to_numpy()
    is_void = np.isnan(values)
    if not is_void.any():
        return layer, []
    cell_m = 1000.0 * find_cell_km2(layer) ** 0.5
    filled = fillnodata(
        values.astype("float32"), mask=~is_void, max_search_distance=VOID_M / cell_m
    )  # what it does not reach stays NaN
    n_left = int(np.isnan(filled).sum())
    notes = [f"{is_void.sum() - n_left:,} of {values.size:,} heights were voids (trống), filled "
             f"from within {VOID_M:g} m"]  # fmt: skip
    if n_left:
        notes.append(f"{n_left:,} heights are not known: too far from any other to be filled")
    return layer.copy(data=filled.astype(values.dtype)), notes


def _require_metres(raster: rasterio.DatasetReader, path: Path) -> None:
    """Refuse heights whose unit is declared, and is not the metre."""
    units = {(raster.units[data_band(raster) - 1] or "").strip().casefold()}
    crs = pyproj.CRS(raster.crs.to_wkt())
    if crs.is_compound:
        units |= {axis.unit_name.casefold() for part in crs.sub_crs_list[1:]
                  for axis in part.axis_info}  # fmt: skip
    others = sorted(units - set(METRES))
    if others:
        raise InputFileError(
            f"{path}: the unit (đơn vị) of its heights is {', '.join(others)}, expected metres; "
            "convert it (feet × 0.3048) and correct the unit"
        )


def _require_heights(found: Summary, kind: np.dtype, path: Path) -> tuple[str, ...]:
    """Check that the cells hold heights in metres; say every fault at once."""
    low, high = found.lowest, found.highest
    if low is None or high is None:
        raise InputFileError(
            f"{path}: no valid height: all {found.n_cells:,} cells are nodata (trống); was the "
            "right layer exported?"
        )
    faults, notes = [], []
    if low.value < BOTTOM_M or (
        low.value < LOW_NOTE_M
        and low.n_cells >= FILL_CELLS
        and low.runner_up - low.value > FILL_GAP_M
    ):
        faults.append(
            f"{low.n_cells:,} cells hold {low.value:g}, then comes {low.runner_up:g}: voids whose "
            f"nodata value is not declared? (gdal_edit.py -a_nodata {low.value:g})"
        )
    elif low.value < LOW_NOTE_M:
        notes.append(f"heights (độ cao) down to {low.value:g} m: the sea bed, or wrong cells?")
    ceiling = np.iinfo(kind).max if kind.kind in "iu" else None
    if high.value == ceiling and high.n_cells > 1:
        faults.append(
            f"{high.n_cells:,} cells hold {ceiling}, the largest number of {kind} "
            f"({8 * kind.itemsize}-bit): voids with undeclared nodata value, or heights cut off"
        )
    elif high.value > TOP_M:
        faults.append(
            f"heights (độ cao) up to {high.value:g} ({high.n_cells:,} cells, then comes "
            f"{high.runner_up:g}) are out of range: Vietnam's top is 3,147 m. Is the unit feet "
            "(multiply by 0.3048) or centimetres, or is it an undeclared nodata value?"
        )
    elif kind.itemsize == 1:
        notes.append(f"its heights are {kind} (8-bit): no height above {np.iinfo(kind).max} fits")
    if found.n_infinite:
        faults.append(f"{found.n_infinite:,} cells are infinite")
    if faults:
        raise InputFileError(f"{path}: not heights in metres: {'; '.join(faults)}")
    return tuple(notes)


def _province_notes(heights: np.ndarray, communes: gpd.GeoDataFrame) -> tuple[str, ...]:
    """Say so where communes of Thanh Hóa reach above every mountain of the province."""
    known = "vintage" in communes and known_rows(communes, VINTAGE_2025).all()
    highest = float(np.nanmax(heights, initial=-np.inf))
    if not known or highest <= PROVINCE_TOP_M:
        return ()
    return (
        f"heights (độ cao) up to {highest:g} m in the communes, above the mountains of the "
        "province (about 1,600 m): is the unit feet?",
    )

"""Population grids: GeoTIFF in, a DataArray of persons per cell out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import xarray as xr

from phusong.crosswalk import VINTAGE_2025
from phusong.errors import InputFileError
from phusong.io.geotiff import data_band, find_scaling, open_geotiff, read_layer
from phusong.io.official import known_rows, official_communes
from phusong.io.raster_place import (
    count_cells,
    find_cell_km2,
    find_window,
    list_communes,
    locate_cells,
    require_cover,
)
from phusong.io.raster_summary import Summary, account_cells
from phusong.io.report import Reading

__all__ = ["read_population"]

UNIT = "persons per cell"
# The densest wards of Asia's cities stay below this; a cell above it holds no count of persons.
MAX_PERSONS_KM2 = 200_000
# Repeated many times, far above all others and as dense as a city: a filling, not persons.
CITY_PERSONS_KM2 = 10_000
FILL_CELLS = 10
FILL_RATIO = 3
NOTE_RATIO = 1.1
ERROR_RATIO = 2.5
MIN_CELLS = 4
DENSITY = re.compile(
    r"densit|mật độ|/\s*(sq|km|ha\b)|per (sq|km|ha\b|hectare)|km\^?-2|trên km", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Persons in the communes whose population is known: by the raster, and by their own count."""

    raster: float
    census: float
    n_communes: int


def read_population(path: Path | str, *, communes: gpd.GeoDataFrame | None = None) -> Reading:
    """Read a population grid.

    Every block of the file is read and checked, one at a time; only the window over the communes
    is kept. Nothing is resampled: `spread_population` moves persons, and keeps every one.

    Parameters
    ----------
    path : Path or str
        GeoTIFF of one band (and transparency), any CRS. Its scale and offset are applied; cells of
        its nodata value, its inner mask or NaN have no data. Files beside it are not looked at.
    communes : GeoDataFrame, optional
        Schema "communes". The raster must cover all that have people, but for a few beyond its
        edge (`require_cover`), which are noted; their population, or else the official one, is
        held against the raster's.

    Returns
    -------
    Reading
        `layer`: DataArray, dims (y, x), north up, coordinates of cell centres, NaN where there is
        no data, `attrs`: crs, cell_x > 0, cell_y < 0, unit. `report.rows_in` counts the cells of
        the file; those without data or outside the window are `rows_ignored`. `report.sum_valid`
        is the sum of the whole file, not of the window.

    Raises
    ------
    InputFileError
        If it is not a GeoTIFF of one band of counts of persons on a regular grid that covers the
        communes.
    CrsError
        If it names no CRS, or lies elsewhere.
    """
    path = Path(path)
    with open_geotiff(path) as raster:
        window = find_window(raster, communes, path)
        notes = _unit_notes(raster, path)
        layer, whole = read_layer(raster, window, path=path, unit=UNIT)
        repairs = find_scaling(raster, unit=UNIT)
        kind = np.dtype(raster.dtypes[data_band(raster) - 1])
    cell_km2 = find_cell_km2(layer)
    notes += _require_persons(whole, kind, cell_km2=cell_km2, path=path)
    if communes is not None:
        owner = locate_cells(layer, communes)
        census = _known_population(communes)
        notes += require_cover(layer, owner, communes, path, people=census)
        notes += _compare_totals(layer, owner, communes, census, cell_km2=cell_km2, path=path)
    return account_cells(layer, whole, path, "population", repairs=repairs, notes=notes)


def _unit_notes(raster: rasterio.DatasetReader, path: Path) -> tuple[str, ...]:
    """Refuse a band that says it holds densities; mention other words that hint at them."""
    band = data_band(raster)
    own = [raster.units[band - 1], raster.descriptions[band - 1], *_unit_tags(raster, band)]
    said = [text for text in own if text and DENSITY.search(text)]
    if said:
        raise InputFileError(
            f"{path}: its values are densities (mật độ), not persons per cell: the band says "
            f"{said[0]!r}; multiply each value by the area of its cell"
        )
    hints = [f"{key}={text}" for key, text in raster.tags().items() if DENSITY.search(text)]
    if not hints:
        return ()
    return (
        f"a word about density in its metadata ({hints[0][:200]!r}): values are taken as persons "
        "per cell",
    )


def _unit_tags(raster: rasterio.DatasetReader, band: int) -> list[str]:
    tags = raster.tags() | raster.tags(band)
    return [text for key, text in tags.items() if "unit" in key.casefold()]


def _require_persons(
    found: Summary, kind: np.dtype, *, cell_km2: float, path: Path
) -> tuple[str, ...]:
    """Check that the cells hold counts of persons; say every fault at once."""
    if found.lowest is None or found.highest is None:
        raise InputFileError(
            f"{path}: no valid cell: all {found.n_cells:,} are nodata (trống); was the right layer "
            f"exported?{f' {found.n_infinite:,} are infinite' if found.n_infinite else ''}"
        )
    faults = [*_low_faults(found), *_high_faults(found, kind, cell_km2)]
    if found.n_infinite:
        faults.append(f"{found.n_infinite:,} cells are infinite")
    if not faults and found.total == 0:
        faults.append(f"all {found.n_valid:,} cells with data hold 0: nobody lives anywhere")
    if faults:
        raise InputFileError(
            f"{path}: not persons per cell: {'; '.join(faults)}. Declare the value of cells "
            "without data (gdal_edit.py -a_nodata VALUE), or correct the cells"
        )
    if kind.itemsize == 1:
        return (
            f"its numbers are {kind} (8-bit), which end at {np.iinfo(kind).max}: were larger "
            "counts cut or wrapped around? Compare the totals",
        )
    return ()


def _low_faults(found: Summary) -> list[str]:
    low = found.lowest
    if low is None or low.value >= 0:
        return []
    if low.n_cells > 1 and low.n_cells == found.n_negative:
        doubt = " (the nodata value, not declared?)" if low.value < -1 else ""
        return [f"{low.n_cells:,} cells are negative (âm), each {low.value:g}{doubt}"]
    return [
        f"{found.n_negative:,} cells are negative (âm), the lowest {low.value:g} "
        f"({low.n_cells:,} cells; an undeclared nodata value?)"
    ]


def _high_faults(found: Summary, kind: np.dtype, cell_km2: float) -> list[str]:
    high = found.highest
    if high is None:
        return []
    ceiling = np.iinfo(kind).max if kind.kind in "iu" else None
    if high.value == ceiling and high.n_cells > 1:
        return [
            f"{high.n_cells:,} cells hold {ceiling}, the largest number of {kind} "
            f"({8 * kind.itemsize}-bit): an undeclared nodata value, or counts cut or wrapped"
        ]
    # Where cells are small, one person alone may make a dense one.
    if high.value > max(MAX_PERSONS_KM2 * cell_km2, 1):
        return [
            f"{high.n_cells:,} cells hold {high.value:g} persons on {cell_km2:.3g} km², more than "
            f"{MAX_PERSONS_KM2:,} per km² (an undeclared nodata value, or another unit?)"
        ]
    is_far = 0 < FILL_RATIO * high.runner_up < high.value
    if is_far and high.n_cells >= FILL_CELLS and high.value > CITY_PERSONS_KM2 * cell_km2:
        return [
            f"{high.n_cells:,} cells hold {high.value:g}, far above the next value, "
            f"{high.runner_up:g} (an undeclared nodata value?)"
        ]
    return []


def _compare_totals(
    layer: xr.DataArray,
    owner: np.ndarray,
    communes: gpd.GeoDataFrame,
    census: np.ndarray,
    *,
    cell_km2: float,
    path: Path,
) -> tuple[str, ...]:
    """Hold the persons in the communes against their own count."""
    persons = count_cells(owner, len(communes), np.nan_to_num(layer.to_numpy()))
    # A commune of fewer cells than that may have its people in cells whose centre lies outside it.
    is_known = (census > 0) & (count_cells(owner, len(communes)) >= MIN_CELLS)
    is_bare = is_known & (persons == 0)
    if is_bare.any():
        raise InputFileError(
            f"{path}: holds nobody in {is_bare.sum()} of {len(communes)} communes that have people "
            f"({list_communes(communes, is_bare)}): does it cover them, or is 0 written where it "
            "has no data?"
        )
    if not is_known.any():
        return ()
    totals = Totals(
        raster=float(persons[is_known].sum()),
        census=float(census[is_known].sum()),
        n_communes=int(is_known.sum()),
    )
    return _judge_totals(totals, cell_km2=cell_km2, path=path)


def _judge_totals(totals: Totals, *, cell_km2: float, path: Path) -> tuple[str, ...]:
    ratio = totals.raster / totals.census
    if 1 / NOTE_RATIO <= ratio <= NOTE_RATIO:
        return ()
    text = (
        f"it sums to {totals.raster:,.0f} persons in {totals.n_communes} communes whose own "
        f"population is {totals.census:,.0f} ({ratio:.3g} times): another year, or not persons "
        f"per cell? Were it a density (mật độ, persons per km²; a cell is {cell_km2:.3g} km²), "
        f"the sum would be {totals.raster * cell_km2:,.0f}; per hectare, "
        f"{totals.raster * cell_km2 * 100:,.0f}"
    )
    if not 1 / ERROR_RATIO <= ratio <= ERROR_RATIO:
        raise InputFileError(
            f"{path}: {text}. Use a raster of persons per cell: multiply densities by the area of "
            "a cell, resample counts by sum (gdalwarp -r sum)"
        )
    return (text,)


def _known_population(communes: gpd.GeoDataFrame) -> np.ndarray:
    """Return the population of each commune: its own, else the official one, else NaN."""
    own = pd.Series(np.nan, index=communes.index)
    if "population" in communes:
        own = communes["population"].astype("float64")
    if "vintage" in communes:
        official = communes["commune_code"].map(official_communes()["population"])
        own = own.fillna(official.where(known_rows(communes, VINTAGE_2025)))
    return own.to_numpy("float64")

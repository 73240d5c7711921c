"""Population grids: GeoTIFF in, a DataArray of persons per cell out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
import xarray as xr

from phusong.errors import CrsError, InputFileError
from phusong.io.files import require_file
from phusong.io.report import Reading, ReadReport

__all__ = ["read_population"]

MAX_CELLS = 400_000_000
IMPLAUSIBLE_PERSONS_PER_CELL = 10_000_000


def read_population(path: Path | str) -> Reading:
    """Read a population grid.

    Returns
    -------
    Reading
        `layer`: DataArray, dims (y, x), coordinates of cell centres, NaN where there is no data,
        `attrs`: crs, cell_x, cell_y (signed steps), unit. `report.rows_in` counts cells;
        those without data are `rows_ignored`.

    Raises
    ------
    InputFileError
        If it is not a GeoTIFF of one band of plausible, non-negative numbers on a regular grid.
    CrsError
        If it names no CRS.
    """
    path = Path(path)
    require_file(path, (".tif", ".tiff"))
    try:
        with rasterio.open(path, driver="GTiff") as raster:
            if raster.width * raster.height > MAX_CELLS:
                raise InputFileError(f"{path}: {raster.width} × {raster.height} cells are too many")
            if raster.count != 1:
                raise InputFileError(f"{path}: holds {raster.count} bands, expected one")
            if raster.crs is None:
                raise CrsError(f"{path}: names no CRS")
            steps, crs = raster.transform, raster.crs.to_wkt()
            values = raster.read(1, masked=True).astype("float64").filled(np.nan)
    except rasterio.errors.RasterioIOError as error:
        raise InputFileError(f"{path}: cannot be read as GeoTIFF: {error}") from error
    if steps.b or steps.d:
        raise InputFileError(f"{path}: the grid is rotated; warp it to north up")
    wrong = (values < 0) | (values > IMPLAUSIBLE_PERSONS_PER_CELL)
    if wrong.any():
        raise InputFileError(
            f"{path}: {wrong.sum()} cells are negative or above {IMPLAUSIBLE_PERSONS_PER_CELL:,} "
            f"(from {np.nanmin(values):g} to {np.nanmax(values):g}): is the nodata value declared?"
        )
    layer = xr.DataArray(
        values,
        dims=("y", "x"),
        coords={
            "y": steps.f + steps.e * (np.arange(values.shape[0]) + 0.5),
            "x": steps.c + steps.a * (np.arange(values.shape[1]) + 0.5),
        },
        attrs={"crs": crs, "cell_x": steps.a, "cell_y": steps.e, "unit": "persons per cell"},
    )
    n_empty = int(np.isnan(values).sum())
    report = ReadReport(
        file=str(path),
        layer="population",
        rows_in=values.size,
        rows_used=values.size - n_empty,
        rows_ignored=n_empty,
        sum_valid=float(np.nansum(values)),
    )
    return Reading(layer, report)

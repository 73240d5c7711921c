"""Predictions out: cloud-optimised GeoTIFFs (COG), the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
import xarray as xr
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from rasterio.transform import from_origin

from phusong.io.atomic import atomic_path

__all__ = ["write_server", "write_signal"]

# Sixteenths of a decibel and of a per mille: below what a model knows, and half of the bytes.
STEPS = {"signal_dbm": 16.0, "probability": 1024.0, "sinr_db": 16.0, "margin_db": 16.0}
SERVERS = ("server_id", "second_server", "n_servers")
OPTIONS = {"driver": "COG", "compress": "DEFLATE", "level": 6, "blocksize": 256,
           "overview_resampling": "nearest", "resampling": "nearest", "predictor": "YES",
           "num_threads": 1}  # fmt: skip


def write_signal(layers: xr.Dataset, path: Path, *, note: str) -> None:
    """Write power, probability, SINR and margin of a service, float32 bands with their names.

    NaN is nodata: no signal, or the terrain is not known; the probability tells the two apart
    (0 and NaN), and the margin (-inf and NaN).

    Parameters
    ----------
    layers : Dataset
        One of `Prediction.services`.
    path : Path
    note : str
        Goes into the file's tags.
    """
    bands = {
        name: np.round(layers[name].to_numpy() * step) / np.float32(step)
        for name, step in STEPS.items()
    }
    _write(bands, layers, path, dtype="float32", nodata=float("nan"), note=note)


def write_server(layers: xr.Dataset, path: Path, *, note: str) -> None:
    """Write the best and the second server and their number, int32 bands; -1 is none."""
    bands = {name: layers[name].to_numpy() for name in SERVERS}
    _write(bands, layers, path, dtype="int32", nodata=-1.0, note=note)


def _write(
    bands: dict[str, np.ndarray], layers: xr.Dataset, path: Path, *, dtype: str, nodata: float,
    note: str,
) -> None:  # fmt: skip
    cell_m = layers.attrs["cell_m"]
    west = float(layers["x"][0]) - cell_m / 2
    north = float(layers["y"][0]) + cell_m / 2
    height, width = next(iter(bands.values())).shape
    with MemoryFile() as made, rasterio.Env(GDAL_PAM_ENABLED="NO"):
        with made.open(
            driver="GTiff", width=width, height=height, count=len(bands), dtype=dtype,
            nodata=nodata, crs=layers.attrs["crs"],
            transform=from_origin(west, north, cell_m, cell_m),
        ) as raster:  # fmt: skip
            for i, (name, values) in enumerate(bands.items(), start=1):
                raster.write(values.astype(dtype), i)
                raster.set_band_description(i, name)
                raster.set_band_unit(i, str(layers[name].attrs["unit"]))
            raster.update_tags(note=note)
        with atomic_path(path) as unfinished:
            copy(made.name, unfinished, **OPTIONS)

"""SRTM tiles (.hgt): a degree of big-endian heights, placed by their name."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyproj
import xarray as xr

from phusong.errors import InputFileError
from phusong.io.files import require_file

__all__ = ["HGT", "is_hgt", "read_hgt"]

HGT = (".hgt",)
NAME = re.compile(r"(?P<ns>[NS])(?P<lat>\d{2})(?P<ew>[EW])(?P<lon>\d{3})", re.IGNORECASE)
SIDES = {1201: "3 arc seconds", 3601: "1 arc second"}
VOID = -32768
MAX_TILES = 16


def is_hgt(path: Path) -> bool:
    """Say whether a path is a tile or a folder of them."""
    return path.suffix.lower() in HGT or path.is_dir()


def read_hgt(path: Path, *, unit: str) -> xr.DataArray:
    """Read a tile, or all tiles of a folder as one raster; between them nothing is known.

    The format is that of NASA's SRTM, version 3: rows from north to south of 16-bit numbers, the
    outer ones shared with the neighbours; the name gives the south-west corner; -32768 is a void.

    Returns
    -------
    DataArray, dims (y, x)
        As `geotiff.read_layer` gives it; NaN in voids.

    Raises
    ------
    InputFileError
        If a name says no place, a size is not that of a tile, or tiles differ in resolution.
    """
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in HGT)
        if not files:
            raise InputFileError(f"{path}: a folder without .hgt tiles")
    if len(files) > MAX_TILES:
        raise InputFileError(f"{path}: {len(files)} tiles, at most {MAX_TILES}; keep those needed")
    tiles = {_corner(file): _read_tile(file) for file in files}
    sides = {len(tile) for tile in tiles.values()}
    if len(sides) > 1:
        raise InputFileError(f"{path}: tiles of {sorted(sides)} rows; use one resolution")
    if len(tiles) < len(files):
        raise InputFileError(f"{path}: two tiles of one place")
    return _join(tiles, sides.pop() - 1, unit)


def _corner(file: Path) -> tuple[int, int]:
    named = NAME.match(file.stem)
    if named is None:
        raise InputFileError(f"{file}: an .hgt is named by its south-west corner, such as N20E105")
    lat, lon = int(named["lat"]), int(named["lon"])
    return (-lat if named["ns"] in "Ss" else lat), (-lon if named["ew"] in "Ww" else lon)


def _read_tile(file: Path) -> np.ndarray:
    require_file(file, HGT)
    n_cells = file.stat().st_size / 2
    side = next((side for side in SIDES if side * side == n_cells), None)
    if side is None:
        sizes = " or ".join(f"{2 * n * n:,} ({said})" for n, said in SIDES.items())
        raise InputFileError(
            f"{file}: found {file.stat().st_size:,} bytes, expected {sizes}: truncated (tải chưa "
            "đầy đủ), or no SRTM tile?"
        )
    stored = np.fromfile(file, ">i2").reshape(side, side)
    return np.where(stored == VOID, np.nan, stored).astype("float32")


def _join(tiles: dict[tuple[int, int], np.ndarray], steps: int, unit: str) -> xr.DataArray:
    """Lay tiles of `steps` cells a degree together; on a shared edge what is known stays."""
    south, north = min(lat for lat, _ in tiles), max(lat for lat, _ in tiles) + 1
    west, east = min(lon for _, lon in tiles), max(lon for _, lon in tiles) + 1
    values = np.full(((north - south) * steps + 1, (east - west) * steps + 1), np.nan, "float32")
    for (lat, lon), tile in tiles.items():
        row, column = (north - lat - 1) * steps, (lon - west) * steps
        there = values[row : row + steps + 1, column : column + steps + 1]
        np.copyto(there, tile, where=~np.isnan(tile))
    return xr.DataArray(
        values,
        dims=("y", "x"),
        coords={
            "y": north - np.arange(values.shape[0]) / steps,
            "x": west + np.arange(values.shape[1]) / steps,
        },
        attrs={
            "crs": pyproj.CRS(4326).to_wkt(), "cell_x": 1.0 / steps, "cell_y": -1.0 / steps,
            "unit": unit,
        },
    )  # fmt: skip

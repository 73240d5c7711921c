"""Zonal weights kept on disk: made once for a boundary layer and a grid, read in milliseconds.

A file is its magic number, the SHA-256 of all that follows, and that: the key of what it was made
from, then the three arrays in NumPy's own format. Nothing in it is parsed before its sum is right.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from phusong.grid import Grid
from phusong.io.atomic import atomic_path
from phusong.zonal import ZonalWeights, overlap_zones

__all__ = ["cached_weights", "find_key"]

# Changes with the layout of the file and with anything that changes the weights themselves.
VERSION = 1
MAGIC = b"phusong zonal weights\n"
DIGEST_BYTES = 32


def cached_weights(zones: gpd.GeoDataFrame, grid: Grid, *, folder: Path) -> ZonalWeights:
    """Return the weights of `overlap_zones`, from `folder` if they were made before.

    A file that is damaged, of another version or of other zones is not used: the weights are made
    anew and take its place.

    Parameters
    ----------
    zones : GeoDataFrame
        Polygons or multipolygons in the grid's CRS.
    grid : Grid
    folder : Path
        Is made if it is not there. One file for each layer and grid; nothing is ever removed.

    Raises
    ------
    CrsError, ValueError
        As `overlap_zones` does.
    OSError
        Naming the file, where it cannot be written.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> grid = Grid(crs="EPSG:5897", x_min=0, y_max=200, cell_m=100, shape=(2, 3))
    >>> zone = gpd.GeoDataFrame(geometry=[shapely.box(0, 50, 250, 200)], crs="EPSG:5897")
    >>> made, read = (cached_weights(zone, grid, folder=folder) for _ in range(2))
    >>> len(list(folder.iterdir())), read.fractions.tolist() == made.fractions.tolist()
    (1, True)
    """
    key = find_key(zones, grid)
    path = folder / f"weights-{key[:32]}.bin"
    arrays = _read(path, key)
    if arrays is None:
        weights = overlap_zones(zones, grid)
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, key, weights)
        return weights
    runs, borders, fractions = arrays
    return ZonalWeights(
        grid=grid, n_zones=len(zones), runs=runs, borders=borders, fractions=fractions
    )


def find_key(zones: gpd.GeoDataFrame, grid: Grid) -> str:
    """Return the SHA-256, in hexadecimal, of the zones' shapes, both CRSs, the grid and VERSION.

    The order of the zones counts, their columns do not.
    """
    about = {
        "version": VERSION,
        "zones_crs": None if zones.crs is None else zones.crs.to_wkt(),
        "grid_crs": pyproj.CRS(grid.crs).to_wkt(),
        "grid": [float(grid.x_min), float(grid.y_max), float(grid.cell_m), *map(int, grid.shape)],
    }
    digest = hashlib.sha256(json.dumps(about).encode())
    for shape in shapely.to_wkb(zones.geometry.to_numpy(), byte_order=1):
        digest.update(b"-" if shape is None else b"%d " % len(shape) + shape)
    return digest.hexdigest()


def _write(path: Path, key: str, weights: ZonalWeights) -> None:
    body = io.BytesIO()
    body.write(key.encode())
    for array in (weights.runs, weights.borders, weights.fractions):
        np.save(body, array, allow_pickle=False)
    with atomic_path(path) as unfinished, unfinished.open("wb") as file:
        file.write(MAGIC)
        file.write(hashlib.sha256(body.getbuffer()).digest())
        file.write(body.getbuffer())


def _read(path: Path, key: str) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return runs, borders and fractions, or None where there is no file to be trusted."""
    try:
        content = memoryview(path.read_bytes())
    except FileNotFoundError:
        return None
    start = len(MAGIC) + DIGEST_BYTES
    body = content[start:]
    if content[: len(MAGIC)] != MAGIC:
        return None
    if hashlib.sha256(body).digest() != content[len(MAGIC) : start]:
        return None
    if body[: len(key)] != key.encode():
        return None
    file = io.BytesIO(body)
    file.seek(len(key))
    runs, borders, fractions = (np.load(file, allow_pickle=False) for _ in range(3))
    return runs, borders, fractions

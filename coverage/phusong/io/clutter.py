"""What stands on the ground: heights of canopy and roofs, or classes of land cover."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np

from phusong.errors import InputFileError
from phusong.io.geotiff import find_scaling, open_geotiff, read_layer
from phusong.io.raster_place import find_window
from phusong.io.raster_summary import account_cells, summarise
from phusong.io.report import Reading

__all__ = ["read_clutter"]

UNIT = "metres above the ground"
TALLEST_M = 200.0
SHOWN = 8


def read_clutter(
    path: Path | str,
    *,
    classes: Mapping[int, float] | None = None,
    communes: gpd.GeoDataFrame | None = None,
    margin_m: float = 0.0,
) -> Reading:
    """Read a raster of what stands on bare ground.

    Parameters
    ----------
    path : Path or str
        GeoTIFF of one band, any CRS; see `read_population`.
    classes : Mapping of int to float, optional
        Heights in metres by class code, where the raster holds codes of land cover; without it the
        raster holds heights.
    communes, margin_m
        What is read is the window over them; see `read_terrain`.

    Returns
    -------
    Reading
        `layer`: DataArray, dims (y, x), metres above the ground, NaN where there is no data.

    Raises
    ------
    InputFileError
        If it is not a GeoTIFF of one band, a code has no height, or heights are negative or above
        200 m.
    CrsError
        If it names no CRS, or lies elsewhere.
    """
    path = Path(path)
    with open_geotiff(path) as raster:
        window = find_window(raster, communes, path, margin_m=margin_m)
        layer, whole = read_layer(raster, window, path=path, unit=UNIT)
        repairs = find_scaling(raster, unit=UNIT)
    values = layer.to_numpy()
    notes: tuple[str, ...] = ()
    if classes is not None:
        values = _to_heights(values, classes, path)
        codes = ", ".join(f"{code} = {height:g} m" for code, height in sorted(classes.items()))
        notes = (f"heights of land cover are those of the register: {codes}",)
    _require_heights(values, path)
    filled = layer.copy(data=values)
    return account_cells(filled, whole, path, "clutter", repairs=repairs, notes=notes)


def _to_heights(values: np.ndarray, classes: Mapping[int, float], path: Path) -> np.ndarray:
    """Return the height of each cell's class."""
    known = np.array(sorted(classes), "float64")
    heights = np.array([classes[int(code)] for code in known], "float32")
    at = np.searchsorted(known, values)
    at[at == len(known)] = 0
    is_known = known[at] == values
    strange = np.unique(values[~is_known & ~np.isnan(values)])
    if len(strange):
        listed = ", ".join(f"{value:g}" for value in strange[:SHOWN])
        raise InputFileError(
            f"{path}: {len(strange)} values are no class of the register ({listed}): add a "
            "[[cover]] for each, with its height, or say that the raster holds heights"
        )
    return np.where(is_known, heights[at], np.float32(np.nan))


def _require_heights(values: np.ndarray, path: Path) -> None:
    found = summarise(values)
    low, high = found.lowest, found.highest
    if low is None or high is None:
        raise InputFileError(f"{path}: no valid cell: all {found.n_cells:,} are nodata (trống)")
    if low.value < 0.0 or high.value > TALLEST_M or found.n_infinite:
        raise InputFileError(
            f"{path}: heights of clutter from {low.value:g} to {high.value:g}, expected 0 to "
            f"{TALLEST_M:g} m above the ground; is it a surface above the sea, or classes?"
        )

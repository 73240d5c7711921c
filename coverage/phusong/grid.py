"""The analysis grid: a value (CRS, origin, cell size, shape) that all arrays of a study share."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pyproj
import xarray as xr

from phusong.errors import CrsError

__all__ = ["Grid", "choose_metric_crs", "grid_over", "transformer"]

# VN-2000 in 3° zones, scale 0.9999 on the central meridian (EPSG registry).
VN2000_ZONES = {102.0: "EPSG:5896", 105.0: "EPSG:5897", 108.0: "EPSG:5898"}
VIETNAM_LON_LAT = (102.0, 6.0, 118.0, 24.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Square cells in a metric CRS, row 0 in the north, edges on whole multiples of the cell size.

    Examples
    --------
    >>> grid = Grid(crs="EPSG:5897", x_min=500_000, y_max=2_200_000, cell_m=100, shape=(20, 30))
    >>> grid.bounds
    (500000.0, 2198000.0, 503000.0, 2200000.0)
    """

    crs: str
    x_min: float
    y_max: float
    cell_m: float
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        if not pyproj.CRS(self.crs).is_projected:
            raise CrsError(f"grid: {self.crs} is not a metric CRS; give a projected one")
        if self.cell_m <= 0 or min(self.shape) < 1:
            raise ValueError(f"grid: cell {self.cell_m} m and shape {self.shape} must be positive")

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(x_min, y_min, x_max, y_max) in metres of the CRS."""
        rows, columns = self.shape
        return (
            float(self.x_min),
            float(self.y_max - rows * self.cell_m),
            float(self.x_min + columns * self.cell_m),
            float(self.y_max),
        )

    @property
    def x(self) -> np.ndarray:
        """Centres of the columns, metres, west to east."""
        return self.x_min + (np.arange(self.shape[1]) + 0.5) * self.cell_m

    @property
    def y(self) -> np.ndarray:
        """Centres of the rows, metres, north to south."""
        return self.y_max - (np.arange(self.shape[0]) + 0.5) * self.cell_m

    def widened(self, cells: int) -> Grid:
        """Return the grid with so many cells more on every side."""
        rows, columns = self.shape
        return replace(
            self, x_min=self.x_min - cells * self.cell_m, y_max=self.y_max + cells * self.cell_m,
            shape=(rows + 2 * cells, columns + 2 * cells),
        )  # fmt: skip

    def to_columns_rows(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn metres of the CRS into (column, row) coordinates, 0 at the north-west corner."""
        return (x - self.x_min) / self.cell_m, (self.y_max - y) / self.cell_m

    def to_array(self, values: np.ndarray, *, unit: str) -> xr.DataArray:
        """Wrap `values`, shape (row, col), as a DataArray with coordinates, CRS and unit."""
        return xr.DataArray(
            values,
            dims=("y", "x"),
            coords={"y": self.y, "x": self.x},
            attrs={"crs": self.crs, "cell_m": self.cell_m, "unit": unit},
        )


def grid_over(
    layer: gpd.GeoDataFrame, *, crs: str | None = None, cell_m: float = 100.0, margin_cells: int = 0
) -> Grid:
    """Return the smallest grid of whole cells over `layer`, in `crs` or the layer's metric CRS.

    Parameters
    ----------
    layer : GeoDataFrame
        Any CRS.
    crs : str, optional
        A projected CRS; `choose_metric_crs(layer)` without it.
    cell_m : float
        Side of a cell in metres.
    margin_cells : int
        Cells added on every side.

    Examples
    --------
    >>> from shapely import box
    >>> square = gpd.GeoDataFrame(geometry=[box(105.0, 19.0, 105.1, 19.1)], crs="EPSG:4326")
    >>> grid_over(square).shape
    (112, 106)
    """
    chosen = crs or choose_metric_crs(layer)
    west, south, east, north = layer.geometry.to_crs(chosen).total_bounds
    first_column = math.floor(west / cell_m) - margin_cells
    last_column = math.ceil(east / cell_m) + margin_cells
    first_row = math.floor(south / cell_m) - margin_cells
    last_row = math.ceil(north / cell_m) + margin_cells
    return Grid(
        crs=chosen,
        x_min=first_column * cell_m,
        y_max=last_row * cell_m,
        cell_m=cell_m,
        shape=(max(last_row - first_row, 1), max(last_column - first_column, 1)),
    )


def choose_metric_crs(layer: gpd.GeoDataFrame) -> str:
    """Return the metric CRS that suits `layer`: VN-2000 in Vietnam, else UTM.

    In Vietnam it is the 3° zone (102°, 105° or 108°) whose meridian is nearest to the median
    centre of the features: EPSG:5897 for Thanh Hóa. A few far islands do not move the median.

    Raises
    ------
    CrsError
        If the layer has no CRS.
    """
    if layer.crs is None:
        raise CrsError("layer without a CRS: say which one it is in, such as EPSG:4326")
    bounds = layer.geometry.to_crs("EPSG:4326").bounds
    lon = float(((bounds.minx + bounds.maxx) / 2).median())
    lat = float(((bounds.miny + bounds.maxy) / 2).median())
    west, south, east, north = VIETNAM_LON_LAT
    if west <= lon <= east and south <= lat <= north:
        return VN2000_ZONES[min(VN2000_ZONES, key=lambda meridian: abs(meridian - lon))]
    zone = math.floor((lon + 180) / 6) % 60 + 1
    return f"EPSG:{32600 + zone if lat >= 0 else 32700 + zone}"


@lru_cache(maxsize=32)
def transformer(source: str, target: str) -> pyproj.Transformer:
    """Return the transformer from one CRS to another, x or longitude first; made once."""
    return pyproj.Transformer.from_crs(source, target, always_xy=True)

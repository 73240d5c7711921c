"""The ground that rays run over: heights of any raster, laid on the cells of a grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from phusong.grid import Grid, transformer
from phusong.kernels import in_threads, kernel
from phusong.radio.limits import ModelRangeError, require_within

__all__ = ["TERRAIN_KINDS", "Relief", "choose_sampling", "lay_heights", "lay_relief"]

TERRAIN_KINDS = ("ground", "surface")
STEP = 16  # cells between the points that PROJ places; between these it is a straight line
BAND = 128
FINEST_M = 30.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relief:
    """Ground and what stands on it, `sampling` cells to each cell of the grid and direction.

    Attributes
    ----------
    grid : Grid
        Of the receivers.
    sampling : int
        Odd, so that a receiver stands in the middle of a sample.
    ground_m, cover_m : arrays of float32, shape (sampling × row, sampling × col)
        Metres above the sea, NaN in voids; height of what stands there, 0 with a surface model.
    kind : {"ground", "surface"}
    n_voids, n_bare : int
        Samples without a height; samples where the cover is not known and was taken as 0.
    """

    grid: Grid
    sampling: int
    ground_m: np.ndarray
    cover_m: np.ndarray
    kind: str
    n_voids: int
    n_bare: int

    @property
    def cell_m(self) -> float:
        """Side of a sample in metres."""
        return self.grid.cell_m / self.sampling


def choose_sampling(cell_m: float, terrain_m: float) -> int:
    """Return how many samples go on the side of a cell: those of the terrain, not under 30 m.

    Parameters
    ----------
    cell_m, terrain_m : float
        Sides of a cell of the grid and of the terrain.

    Examples
    --------
    >>> choose_sampling(100.0, 30.0), choose_sampling(90.0, 10.0), choose_sampling(100.0, 270.0)
    (3, 3, 1)
    """
    most = int(cell_m / max(terrain_m, FINEST_M) + 1e-6)
    return max(most - (most + 1) % 2, 1)


def lay_relief(
    terrain: xr.DataArray,
    grid: Grid,
    *,
    kind: str,
    cover: xr.DataArray | None = None,
    sampling: int = 1,
) -> Relief:
    """Return the relief of a grid.

    Parameters
    ----------
    terrain : DataArray, dims (y, x)
        As `read_terrain` gives it.
    grid : Grid
    kind : {"ground", "surface"}
        Of the terrain: bare ground, or a surface with trees and roofs in it, as SRTM and Copernicus
        GLO-30 are.
    cover : DataArray, dims (y, x), optional
        Heights of what stands on the ground (m), any CRS; only with bare ground.
    sampling : int
        Odd; see `choose_sampling`.

    Raises
    ------
    ModelRangeError
        If trees and roofs would count twice, `sampling` is even, or no cell has a height.
    """
    if kind not in TERRAIN_KINDS:
        raise ModelRangeError(f"terrain_kind: found {kind!r}, expected ground or surface")
    if cover is not None and kind == "surface":
        raise ModelRangeError(
            "terrain_kind: a surface model has trees and roofs in it already; give no clutter with "
            "it, or a terrain of bare ground (terrain_kind ground)"
        )
    require_within("sampling", sampling, 1, 99, source="samples on the side of a cell")
    if sampling % 2 == 0:
        raise ModelRangeError(f"sampling: found {sampling}, expected an odd number")
    rows, columns = grid.shape
    fine = replace(grid, cell_m=grid.cell_m / sampling, shape=(rows * sampling, columns * sampling))
    ground_m = lay_heights(terrain, fine, nearest=False)
    is_void = np.isnan(ground_m)
    if is_void.all():
        raise ModelRangeError("terrain: no cell of the grid has a height; do the two overlap?")
    cover_m, n_bare = np.zeros(fine.shape, "float32"), 0
    if cover is not None:
        cover_m = lay_heights(cover, fine, nearest=True)
        is_bare = np.isnan(cover_m)
        cover_m[is_bare], n_bare = 0.0, int(is_bare.sum())
    return Relief(
        grid=grid, sampling=sampling, ground_m=ground_m, cover_m=cover_m, kind=kind,
        n_voids=int(is_void.sum()), n_bare=n_bare,
    )  # fmt: skip


def lay_heights(layer: xr.DataArray, grid: Grid, *, nearest: bool) -> np.ndarray:
    """Return the heights of a raster at the centres of a grid's cells.

    Parameters
    ----------
    layer : DataArray, dims (y, x)
        Regular, north up, `attrs["crs"]`; NaN where unknown.
    grid : Grid
    nearest : bool
        Of the nearest cell; otherwise on the plane between the four around, of which none may be
        unknown.

    Returns
    -------
    array of float32, shape (row, col)
        NaN where unknown or outside.

    Examples
    --------
    >>> grid = Grid(crs="EPSG:5897", x_min=0, y_max=200, cell_m=100, shape=(2, 2))
    >>> slope = grid.to_array(np.array([[10.0, 20.0], [30.0, 40.0]]), unit="m")
    >>> one = Grid(crs="EPSG:5897", x_min=50, y_max=150, cell_m=100, shape=(1, 1))
    >>> lay_heights(slope, one, nearest=False).tolist()
    [[25.0]]
    """
    rows, columns = grid.shape
    at_row, at_column = (np.append(np.arange(0, n - 1, STEP), n - 1) for n in grid.shape)
    there = transformer(grid.crs, layer.attrs["crs"]).transform(
        *np.meshgrid(grid.x[at_column], grid.y[at_row])
    )
    x, y = layer["x"].to_numpy(), layer["y"].to_numpy()
    steps = (float(x[-1] - x[0]) / (len(x) - 1), float(y[-1] - y[0]) / (len(y) - 1))
    lattice = np.stack([(there[1] - y[0]) / steps[1], (there[0] - x[0]) / steps[0]])
    values = np.ascontiguousarray(layer.to_numpy(), "float32")
    laid = np.empty((rows, columns), "float32")

    def lay(first: int) -> None:
        _lay_rows(values, lattice, first, min(first + BAND, rows), nearest, laid)

    in_threads(lay, range(0, rows, BAND))
    return laid


@kernel
def _lay_rows(
    values: np.ndarray, lattice: np.ndarray, first: int, last: int, nearest: bool, laid: np.ndarray
) -> None:
    """Fill rows of `laid`; `lattice` holds the row and column in `values` of every STEP-th cell."""
    rows, columns = laid.shape
    for r in range(first, last):
        i = min(r // STEP, max(lattice.shape[1] - 2, 0))
        span = min(STEP, rows - 1 - i * STEP)
        down = (r - i * STEP) / span if span > 0 else 0.0
        i1 = min(i + 1, lattice.shape[1] - 1)
        for c in range(columns):
            j = min(c // STEP, max(lattice.shape[2] - 2, 0))
            span = min(STEP, columns - 1 - j * STEP)
            right = (c - j * STEP) / span if span > 0 else 0.0
            j1 = min(j + 1, lattice.shape[2] - 1)
            row = (1.0 - down) * ((1.0 - right) * lattice[0, i, j] + right * lattice[0, i, j1])
            row += down * ((1.0 - right) * lattice[0, i1, j] + right * lattice[0, i1, j1])
            column = (1.0 - down) * ((1.0 - right) * lattice[1, i, j] + right * lattice[1, i, j1])
            column += down * ((1.0 - right) * lattice[1, i1, j] + right * lattice[1, i1, j1])
            laid[r, c] = _value_at(values, row, column, nearest)


@kernel
def _value_at(values: np.ndarray, row: float, column: float, nearest: bool) -> float:
    rows, columns = values.shape
    if not (-0.5 <= row < rows - 0.5 and -0.5 <= column < columns - 0.5):
        return np.nan
    if nearest:
        return values[int(np.floor(row + 0.5)), int(np.floor(column + 0.5))]
    row, column = min(max(row, 0.0), rows - 1.0), min(max(column, 0.0), columns - 1.0)
    r, c = min(int(row), max(rows - 2, 0)), min(int(column), max(columns - 2, 0))
    down, right = row - r, column - c
    value = 0.0
    for i in range(2):
        for j in range(2):
            weight = (down if i else 1.0 - down) * (right if j else 1.0 - right)
            if weight > 0.0:
                value += weight * values[r + i, c + j]
    return value

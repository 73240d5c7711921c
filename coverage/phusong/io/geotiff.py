"""GeoTIFFs of one band: refused before a pixel is read, or read block by block."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyproj
import rasterio
import xarray as xr
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from phusong.errors import CrsError, InputFileError, Problem
from phusong.io.files import require_file
from phusong.io.raster_summary import Summary, summarise

__all__ = ["data_band", "find_scaling", "horizontal_crs", "open_geotiff", "read_layer"]

MAX_CELLS = 400_000_000
MAX_LAYER_CELLS = 60_000_000
MAX_BLOCK_BYTES = 256_000_000
CHUNK_CELLS = 2_000_000
# Rounding may leave a trace of rotation: a hundredth of a cell over the whole grid is none.
MAX_SHEAR_CELLS = 0.01
# What lies beside a file (.aux.xml, .msk, .ovr, .tfw) has no say in what the file means.
GDAL_OPTIONS = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_GEOREF_SOURCES": "INTERNAL",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_CACHEMAX": 64,
}


@contextmanager
def open_geotiff(path: Path) -> Iterator[rasterio.DatasetReader]:
    """Open a GeoTIFF of one band of numbers on a regular grid of known place.

    Raises
    ------
    InputFileError
        If it is none, or its header promises more than can be read; or, while it is open, if
        its blocks cannot be read.
    CrsError
        If it names no CRS.
    """
    require_file(path, (".tif", ".tiff"))
    try:
        with rasterio.Env(**GDAL_OPTIONS):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                raster = rasterio.open(path, driver="GTiff")
            with raster:
                _require_size(raster, path)
                _require_numbers(raster, path)
                _require_grid(raster, path)
                yield raster
    except (RasterioError, CPLE_BaseError, UnicodeDecodeError) as error:
        raise InputFileError(
            f"{path}: cannot be read as GeoTIFF to its end (is it truncated or damaged?): "
            f"{error.__cause__ or error}; copy or download it again"
        ) from error


def read_layer(
    raster: rasterio.DatasetReader, window: Window, *, path: Path, unit: str
) -> tuple[xr.DataArray, Summary]:
    """Return the cells of a window, north up, and what the cells of the whole file come to.

    Every block is read, one after the other: a file that is damaged outside the window is still
    a damaged file, and the sum of all cells is what its publisher states.

    Returns
    -------
    DataArray, dims (y, x)
        NaN where there is no data; `attrs`: crs, cell_x > 0, cell_y < 0, unit.
    Summary
    """
    if window.width * window.height > MAX_LAYER_CELLS:
        raise InputFileError(
            f"{path}: too large: {window.width:,} × {window.height:,} cells to keep in memory, "
            f"more than {MAX_LAYER_CELLS:,}; name the communes (--communes), cut the raster to "
            "them (gdalwarp -te), or use a coarser one"
        )
    values = np.full((window.height, window.width), np.nan, _float_type(raster))
    top, left = window.row_off, window.col_off
    whole = Summary()
    for chunk in _chunks(raster):
        block = _read_block(raster, chunk)
        whole += summarise(block)
        rows = slice(
            max(chunk.row_off, top), min(chunk.row_off + chunk.height, top + window.height)
        )
        columns = slice(
            max(chunk.col_off, left), min(chunk.col_off + chunk.width, left + window.width)
        )
        if rows.start < rows.stop and columns.start < columns.stop:
            values[_shift(rows, top), _shift(columns, left)] = block[
                _shift(rows, chunk.row_off), _shift(columns, chunk.col_off)
            ]
    return _to_array(values, raster, window, path=path, unit=unit), whole


def data_band(raster: rasterio.DatasetReader) -> int:
    """Return the number of the band that is not the transparency."""
    return next(
        i for i, meaning in zip(raster.indexes, raster.colorinterp, strict=True)
        if meaning != ColorInterp.alpha
    )  # fmt: skip


def find_scaling(raster: rasterio.DatasetReader, *, unit: str) -> tuple[Problem, ...]:
    """Return what was done to stored numbers that the file says are scaled or shifted."""
    scale, offset = _scaling(raster)
    if (scale, offset) == (1.0, 0.0):
        return ()
    return (
        Problem(
            row=None,
            field="values",
            found=f"stored numbers with scale {scale:g} and offset {offset:g}",
            expected=unit,
            message=f"every value was taken times {scale:g} plus {offset:g}, as the file says",
        ),
    )


def horizontal_crs(raster: rasterio.DatasetReader, path: Path) -> pyproj.CRS:
    """Return the CRS of x and y.

    Raises
    ------
    CrsError
        If PROJ does not know it.
    """
    try:
        crs = pyproj.CRS(raster.crs.to_wkt())
    except (pyproj.exceptions.CRSError, RasterioError) as error:
        raise CrsError(
            f"{path}: its CRS is not understood: {error}; assign the right one"
        ) from error
    return crs.sub_crs_list[0] if crs.is_compound else crs


def _require_size(raster: rasterio.DatasetReader, path: Path) -> None:
    if raster.width * raster.height > MAX_CELLS:
        raise InputFileError(
            f"{path}: too large: its dimensions are {raster.width:,} × {raster.height:,} cells, "
            f"the limit is {MAX_CELLS:,} in all; cut it to the province (gdalwarp -te)"
        )
    rows, columns = raster.block_shapes[0]
    if rows * columns * 16 > MAX_BLOCK_BYTES:
        raise InputFileError(
            f"{path}: too large: it is stored in blocks of {columns:,} × {rows:,} cells, which "
            "do not fit in memory; save it again in tiles (gdal_translate -co TILED=YES)"
        )


def _require_numbers(raster: rasterio.DatasetReader, path: Path) -> None:
    if raster.subdatasets:
        raise InputFileError(
            f"{path}: holds {len(raster.subdatasets)} images, expected one; export the one you mean"
        )
    n_bands = sum(meaning != ColorInterp.alpha for meaning in raster.colorinterp)
    if n_bands != 1:
        raise InputFileError(
            f"{path}: holds {n_bands} bands (dải), expected one band of numbers; is it a picture? "
            "Export the band you mean (gdal_translate -b)"
        )
    band = data_band(raster) - 1
    kind = raster.dtypes[band]
    if kind.startswith("complex"):
        raise InputFileError(f"{path}: its values are complex numbers ({kind}), expected real ones")
    if raster.colorinterp[band] == ColorInterp.palette:
        raise InputFileError(
            f"{path}: its values are entries of a colour table, expected numbers; is it a picture "
            "or a map of classes?"
        )
    scale, offset = _scaling(raster)
    if scale == 0 or not np.isfinite([scale, offset]).all():
        raise InputFileError(
            f"{path}: its values have scale {scale:g} and offset {offset:g}, expected finite ones "
            "and a scale that is not 0"
        )


def _require_grid(raster: rasterio.DatasetReader, path: Path) -> None:
    if raster.crs is None:
        raise CrsError(
            f"{path}: names no CRS (hệ tọa độ), so its place is not known; assign the one it is in "
            "(gdal_edit.py -a_srs EPSG:N)"
        )
    steps = raster.transform
    if steps.is_identity:
        raise InputFileError(
            f"{path}: has a CRS but no place: neither origin nor cell size; georeference it "
            "(gdalwarp, where it has control points)"
        )
    if (
        not np.isfinite(steps[:6]).all()
        or (steps.a, steps.b) == (0, 0)
        or (steps.d, steps.e) == (0, 0)
    ):
        raise InputFileError(f"{path}: its origin and cell size are no numbers: {tuple(steps[:6])}")
    shear = max(abs(steps.b) * raster.height, abs(steps.d) * raster.width)
    if shear > MAX_SHEAR_CELLS * min(abs(steps.a), abs(steps.e)):
        raise InputFileError(
            f"{path}: its grid is rotated (xoay): x and y change by {steps.b:g} and {steps.d:g} "
            "along rows and columns, expected 0; warp it to north up, with -r sum for persons"
        )
    if not np.isfinite(raster.bounds).all():
        raise InputFileError(f"{path}: its edges are out of range: {tuple(raster.bounds)}")


def _scaling(raster: rasterio.DatasetReader) -> tuple[float, float]:
    band = data_band(raster) - 1
    return float(raster.scales[band]), float(raster.offsets[band])


def _float_type(raster: rasterio.DatasetReader) -> str:
    """Return the smallest float that holds the band's numbers exactly."""
    kind = np.dtype(raster.dtypes[data_band(raster) - 1])
    is_small = kind.itemsize <= 2 or kind == np.float32
    return "float32" if is_small and _scaling(raster) == (1.0, 0.0) else "float64"


def _chunks(raster: rasterio.DatasetReader) -> Iterator[Window]:
    """Yield windows of whole blocks, of about CHUNK_CELLS cells, that tile the raster."""
    block_rows, block_columns = raster.block_shapes[0]
    width = block_columns * max(1, CHUNK_CELLS // (block_rows * block_columns))
    width = min(width, raster.width)
    height = block_rows * max(1, CHUNK_CELLS // (block_rows * width))
    for row in range(0, raster.height, height):
        for column in range(0, raster.width, width):
            yield Window(
                column, row, min(width, raster.width - column), min(height, raster.height - row)
            )


def _read_block(raster: rasterio.DatasetReader, window: Window) -> np.ndarray:
    band = data_band(raster)
    stored = raster.read(band, window=window)
    flags = raster.mask_flag_enums[band - 1]
    is_empty = np.zeros(stored.shape, bool)
    if MaskFlags.all_valid not in flags:
        is_empty = raster.read_masks(band, window=window) == 0
    if raster.nodata is not None and MaskFlags.nodata not in flags:
        # A mask inside the file hides the nodata value from GDAL, though both were declared.
        is_empty |= np.isclose(stored.astype("float64"), raster.nodata, rtol=1e-6, atol=0)
    values = stored.astype(_float_type(raster))
    scale, offset = _scaling(raster)
    if (scale, offset) != (1.0, 0.0):
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is counted as infinite
            values = values * scale + offset
    values[is_empty] = np.nan
    return values


def _to_array(
    values: np.ndarray, raster: rasterio.DatasetReader, window: Window, *, path: Path, unit: str
) -> xr.DataArray:
    steps = raster.transform
    x = steps.c + steps.a * (np.arange(window.width) + window.col_off + 0.5)
    y = steps.f + steps.e * (np.arange(window.height) + window.row_off + 0.5)
    down, right = (1 if steps.e < 0 else -1), (1 if steps.a > 0 else -1)
    return xr.DataArray(
        values[::down, ::right],
        dims=("y", "x"),
        coords={"y": y[::down], "x": x[::right]},
        attrs={
            "crs": horizontal_crs(raster, path).to_wkt(),
            "cell_x": abs(steps.a),
            "cell_y": -abs(steps.e),
            "unit": unit,
        },
    )


def _shift(span: slice, by: int) -> slice:
    return slice(span.start - by, span.stop - by)

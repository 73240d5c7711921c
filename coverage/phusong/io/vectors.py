"""Vector layers by one named driver each; GDAL never guesses what a user's file is."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

from phusong.errors import CrsError, InputFileError
from phusong.io.files import require_file, require_zip

__all__ = ["VECTORS", "read_vector"]

VECTORS = (".gpkg", ".geojson", ".json", ".parquet", ".zip")


def read_vector(path: Path, *, crs: str | None = None) -> gpd.GeoDataFrame:
    """Read a GeoPackage, GeoJSON, GeoParquet or zipped Shapefile, flat (2D), with its CRS.

    Parameters
    ----------
    path : Path
    crs : str, optional
        For a file that names none.

    Raises
    ------
    InputFileError
        If the file is not what its name says, or holds no features or more than one layer.
    CrsError
        If neither the file nor `crs` says the CRS.
    """
    extension = require_file(path, VECTORS)
    try:
        if extension == ".parquet":
            layer = gpd.read_parquet(path)
        else:
            layer = pyogrio.read_dataframe(_source(path, extension), use_arrow=False)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as error:
        raise InputFileError(f"{path}: cannot be read as {extension}: {error}") from error
    except ValueError as error:
        raise InputFileError(f"{path}: not a layer of geometries: {error}") from error
    if not isinstance(layer, gpd.GeoDataFrame):
        raise InputFileError(f"{path}: a table without geometry")
    if layer.empty:
        raise InputFileError(f"{path}: holds no features")
    if layer.crs is None:
        if crs is None:
            raise CrsError(f"{path}: names no CRS: say which one it is in (--crs EPSG:N)")
        layer = layer.set_crs(crs)
    flat = shapely.force_2d(layer.geometry.to_numpy())
    return layer.set_geometry(gpd.GeoSeries(flat, index=layer.index, crs=layer.crs.to_2d()))


def _source(path: Path, extension: str) -> str:
    if extension in (".geojson", ".json"):
        return f"GeoJSON:{path}"
    if extension == ".gpkg":
        layers = pyogrio.list_layers(path)
        if len(layers) != 1:
            raise InputFileError(
                f"{path}: holds {len(layers)} layers ({', '.join(layers[:, 0])}), expected one"
            )
        return str(path)
    shapes = [name for name in require_zip(path) if name.lower().endswith(".shp")]
    if len(shapes) != 1:
        raise InputFileError(f"{path}: holds {len(shapes)} shapefiles, expected one")
    return f"/vsizip/{path.resolve()}/{shapes[0]}"

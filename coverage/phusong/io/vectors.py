"""Vector layers by one named driver each; GDAL never guesses what a user's file is."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
import shapely

from phusong.errors import CrsError, InputFileError, Problem
from phusong.io import mapinfo, shapefiles
from phusong.io.archives import COMPANIONS, stage_layer, unpack_layer
from phusong.io.files import require_file
from phusong.io.frames import suggest_frames
from phusong.io.geojson import named_crs, require_geojson
from phusong.io.geopackages import require_geopackage
from phusong.io.kml import require_kml, with_described_columns
from phusong.io.lettering import respell

__all__ = ["VECTORS", "Features", "open_vector"]

DRIVERS = {
    ".fgb": "FlatGeobuf",
    ".geojson": "GeoJSON",
    ".gpkg": "GPKG",
    ".json": "GeoJSON",
    ".kml": "LIBKML",
    ".mif": "MapInfo File",
    ".shp": "ESRI Shapefile",
    ".tab": "MapInfo File",
}
ARCHIVES = (".zip", ".kmz")
VECTORS = (*DRIVERS, ".parquet", *ARCHIVES)
CURVES = range(8, 15)  # WKB types: CIRCULARSTRING to SURFACE
BROKEN = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
    pyogrio.errors.GeometryError,
    pa.ArrowException,
    shapely.errors.ShapelyError,
    OSError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A layer as its file has it, flat (2D), with what had to be mended to read it."""

    layer: gpd.GeoDataFrame
    repairs: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def open_vector(path: Path, *, crs: str | None = None) -> Features:
    """Read one layer: GeoPackage, GeoJSON, GeoParquet, Shapefile, FlatGeobuf, KML, MapInfo.

    Shapefiles, MapInfo tables and KML may come in a zip (KMZ). Files that lie beside the one
    named are read only where the format says so (.dbf, .prj, ...), never as GDAL finds them.

    Parameters
    ----------
    path : Path
    crs : str, optional
        For a file that names none, or the wrong one: it wins over the file, with a record.

    Raises
    ------
    InputFileError
        If the file is not what its name says, or holds no features or more than one layer.
    CrsError
        If neither the file nor `crs` says the CRS; the message lists those that fit.
    """
    extension = require_file(path, VECTORS)
    name = str(path)
    with TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        main = path
        if extension in ARCHIVES:
            main = unpack_layer(path, Path(folder))
        elif extension in COMPANIONS:
            main = stage_layer(path, Path(folder))
        try:
            layer, repairs = _read(main, require_file(main, VECTORS, name=name), name)
        except UnicodeDecodeError as error:
            raise InputFileError(f"{name}: its text is in an unknown encoding: {error}") from error
        except BROKEN as error:
            why = str(error).replace(str(main), name)
            raise InputFileError(f"{name}: cannot be read as {extension}: {why}") from error
    if layer.empty:
        raise InputFileError(f"{name}: holds no features")
    layer, respelt = respell(layer, name)
    layer, placed = _with_crs(layer, crs, name)
    told = dict.fromkeys(str(warning.message).replace(str(main), name) for warning in said)
    notes = [f"the reader says: {text}" for text in told]
    if shapely.has_z(layer.geometry.to_numpy()).any():
        notes.append("heights (Z) are not used")
    flat = shapely.force_2d(layer.geometry.to_numpy())
    layer = layer.set_geometry(gpd.GeoSeries(flat, index=layer.index, crs=layer.crs.to_2d()))
    return Features(layer=layer, repairs=(*repairs, *respelt, *placed), notes=tuple(notes))


def _read(main: Path, extension: str, name: str) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """Return a layer read by the one driver of its extension."""
    if extension == ".parquet":
        try:
            return gpd.read_parquet(main), []
        except (ValueError, KeyError, TypeError) as error:
            raise InputFileError(f"{name}: not a layer of geometries: {error}") from error
    if extension in COMPANIONS:
        return _read_companions(main, extension, name)
    if extension == ".kml":
        return _read_folders(main, name, expected=require_kml(main, name)), []
    if extension == ".gpkg":
        layer = require_geopackage(main, name)
        features = _read_layer(main, extension, name, layer=layer, IMMUTABLE="YES")
        return features, _curve_repairs(main, features, layer=layer, IMMUTABLE="YES")
    if extension == ".fgb":
        features = _read_layer(main, extension, name)
        return features, _curve_repairs(main, features)
    require_geojson(main, name)
    crs = named_crs(main, name)
    features = _read_layer(main, extension, name)
    if crs is None and _are_degrees(features):
        return features, []
    # RFC 7946 says degrees, so GDAL says EPSG:4326; numbers beyond 360 say otherwise.
    return features.set_crs(crs, allow_override=True), []


def _read_companions(
    main: Path, extension: str, name: str
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    if extension == ".shp":
        shapefiles.require_shapefile(main, name)
        said = shapefiles.read_text_as_bytes(main)
    else:
        mapinfo.require_mapinfo(main, name)
        said = mapinfo.read_text_as_bytes(main)
    return respell(_read_layer(main, extension, name), name, said=said)


def _read_folders(main: Path, name: str, *, expected: int) -> gpd.GeoDataFrame:
    """Return the features of every folder of a KML document, with the folder's name."""
    folders = [str(folder) for folder in pyogrio.list_layers(main)[:, 0]]
    parts = [
        _read_layer(main, ".kml", name, layer=i).assign(folder=folder)
        for i, folder in enumerate(folders)
    ]
    parts = [part for part in parts if len(part)]
    if not parts:
        raise InputFileError(f"{name}: holds no features")
    features = pd.concat(parts, ignore_index=True)
    if len(features) < expected:
        raise InputFileError(
            f"{name}: {len(features)} of its {expected} placemarks can be read: put all of them "
            "into one folder"
        )
    return with_described_columns(features)


def _read_layer(main: Path, extension: str, name: str, **options: str | int) -> gpd.GeoDataFrame:
    driver = DRIVERS[extension]
    source = f"GeoJSON:{main}" if driver == "GeoJSON" else str(main)
    info = pyogrio.read_info(source, **options)
    if info["driver"] != driver:
        raise InputFileError(f"{name}: not a {driver} file, but {info['driver']}: unsupported")
    layer = pyogrio.read_dataframe(source, use_arrow=False, on_invalid="warn", **options)
    if not isinstance(layer, gpd.GeoDataFrame):
        raise InputFileError(f"{name}: a table without geometry")
    if info["features"] not in (-1, len(layer)):
        raise InputFileError(
            f"{name}: incomplete: {len(layer)} of {info['features']} features can be read"
        )
    return layer


def _curve_repairs(main: Path, features: gpd.GeoDataFrame, **options: str | int) -> list[Problem]:
    """Return which features have arcs: they were read as chains of short straight lines."""
    _, table = pyogrio.raw.read_arrow(main, columns=[], **options)
    shapes = table.column(table.schema.names[-1]).to_pylist()
    return [
        Problem(row=i + 1, field="geometry", found="circular arcs", expected="straight lines",
                message=f"arcs read as short lines: {_first_texts(features, i)}")
        for i, shape in enumerate(shapes)
        if shape and _wkb_type(shape) in CURVES
    ]  # fmt: skip


def _wkb_type(shape: bytes) -> int:
    number = int.from_bytes(shape[1:5], "little" if shape[0] == 1 else "big")
    return (number & 0x1FFFFFFF) % 1000


def _first_texts(layer: gpd.GeoDataFrame, row: int) -> str:
    values = layer.drop(columns=layer.geometry.name).iloc[row]
    return " ".join(str(value) for value in values[:3])


def _are_degrees(layer: gpd.GeoDataFrame) -> bool:
    numbers = np.abs(shapely.get_coordinates(layer.geometry.to_numpy()))
    numbers = numbers[np.isfinite(numbers)]
    return not len(numbers) or float(np.median(numbers)) <= 360


def _with_crs(
    layer: gpd.GeoDataFrame, crs: str | None, name: str
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """Return the layer in the CRS that the user names, else in that of the file."""
    if crs is None:
        if layer.crs is None:
            inside = shapely.get_coordinates(shapely.envelope(layer.geometry.to_numpy()))
            raise CrsError(
                f"{name}: names no CRS that can be read (.prj, crs): say which one it is in "
                "(--crs EPSG:N). " + suggest_frames(inside[:, 0], inside[:, 1])
            )
        if not (layer.crs.is_geographic or layer.crs.is_projected):
            raise CrsError(
                f"{name}: its CRS, {layer.crs.name}, is not tied to the Earth: say which one it "
                "is in (--crs EPSG:N)"
            )
        return layer, []
    try:
        wanted = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(f"{crs}: not a CRS: {error}") from error
    if layer.crs is None or layer.crs.equals(wanted, ignore_axis_order=True):
        return layer.set_crs(wanted, allow_override=True), []
    entry = Problem(row=None, field="crs", found=f"{layer.crs.name} in the file",
                    expected=wanted.name, message="read in the CRS that was asked for")  # fmt: skip
    return layer.set_crs(wanted, allow_override=True), [entry]

"""Frames out: CSV, GeoPackage, Parquet and JSON, whole or not there, the same bytes each time."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import date
from io import BytesIO
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from phusong.io.atomic import atomic_path
from phusong.io.delimit import csv_parts

__all__ = [
    "escape_text",
    "to_json",
    "write_csv",
    "write_gpkg",
    "write_json",
    "write_parquet",
    "write_text",
]

# What a spreadsheet would run as a formula gets an apostrophe before it; our readers take it away.
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
FIXED_DATE = "2025-07-01T00:00:00Z"  # GeoPackage stamps the time of writing unless told
# As QGIS makes it itself.
STYLES = """CREATE TABLE layer_styles (id INTEGER PRIMARY KEY NOT NULL, f_table_catalog TEXT,
f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT,
styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT, update_time DATETIME)"""


def escape_text(value: object) -> object:
    """Return text that no spreadsheet takes for a formula; anything else as it is.

    Examples
    --------
    >>> escape_text("=1+1"), escape_text("Hạc Thành"), escape_text(-3.5)
    ("'=1+1", 'Hạc Thành', -3.5)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8 with a byte order mark, so that spreadsheets see the accents.

    Geometry is left out; text that a spreadsheet would run gets an apostrophe before it.
    """
    table = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
    with atomic_path(path) as unfinished, unfinished.open("wb") as file:
        for part in csv_parts(table, mend=escape_text):
            file.write(part)


def write_gpkg(
    layer: gpd.GeoDataFrame, path: Path, *, name: str, style_qml: str | None = None
) -> None:
    """Write a layer as GeoPackage, with a fixed date inside in place of the time of writing.

    GDAL makes it in memory: on a disk that fails once it goes on with a database that lacks
    something, and says nothing. What reaches the disk is written by us and flushed. With a style
    QGIS shows the layer by it; the table that holds it, `layer_styles`, is listed as a second layer
    without geometry: readers name the layer.
    """
    made = BytesIO()
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_DATE})
    try:
        pyogrio.write_dataframe(layer, made, driver="GPKG", layer=name, promote_to_multi=True)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
    contents = made.getvalue()
    if style_qml is not None:
        contents = _add_style(contents, name, style_qml)
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(contents)


def _add_style(contents: bytes, name: str, style_qml: str) -> bytes:
    """Return a GeoPackage with the default style of its layer, where QGIS looks for it."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(contents)
        (geometry,) = db.execute("SELECT column_name FROM gpkg_geometry_columns").fetchone()
        db.execute(STYLES)
        db.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', ?)", [FIXED_DATE],
        )  # fmt: skip
        db.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner, "
            "update_time) VALUES ('', '', ?, ?, 'phusong', ?, '', 1, '', '', ?)",
            [name, geometry, style_qml, FIXED_DATE],
        )
        db.commit()
        return db.serialize()


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, a layer as GeoParquet."""
    with atomic_path(path) as unfinished:
        frame.to_parquet(unfinished, index=False)


def write_json(value: object, path: Path) -> None:
    """Write plain data as JSON; what is not known is null."""
    write_text(to_json(value) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Write text as UTF-8 with line feeds, on every system."""
    with atomic_path(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")


def to_json(value: object) -> str:
    """Return plain data as JSON text: NaN is null, dates are ISO, letters stay letters.

    Examples
    --------
    >>> print(to_json({"share": float("nan"), "due": date(2030, 12, 31)}))
    {
      "share": null,
      "due": "2030-12-31"
    }
    """
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=2)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, int | float | bool | None) else str(value)

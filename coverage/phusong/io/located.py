"""Villages, places that must be served, and challenges: tables of things that stand somewhere."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from phusong.io.cells import read_cells
from phusong.io.headers import Vocabulary, as_words, own_vocabulary
from phusong.io.places import check_places, locate
from phusong.io.report import Reading
from phusong.io.table import Table, take_distinct
from phusong.io.tables import read_feature_table
from phusong.io.vectors import VECTORS
from phusong.joins import locate_sites

__all__ = [
    "know_operators",
    "name_rows",
    "read_challenges",
    "read_located",
    "read_places",
    "read_points",
    "read_villages",
]

LON_LAT = "EPSG:4326"


def read_villages(
    path: Path | str,
    *,
    crs: str | None = None,
    communes: gpd.GeoDataFrame | None = None,
    aliases: Vocabulary | None = None,
) -> Reading:
    """Read a list of villages: a row is a village's centre, or a cluster of its homes.

    A row without a place stays in the list, so that a village nobody has placed still counts: as
    unknown.

    Parameters
    ----------
    path : Path
        CSV, XLSX, XLS, or a vector layer of points, headings in Vietnamese or English.
    crs : str, optional
        Of places given as x, y, or of a layer that names none.
    communes : GeoDataFrame, optional
        Schema "communes", EPSG:4326. Places well outside them are set aside.
    aliases : Vocabulary, optional
        Our headings and words with the user's own (`aliases.read_aliases`).

    Returns
    -------
    Reading
        `layer`: GeoDataFrame, schema "villages" and `source_row`, EPSG:4326; `report`: every row.

    Raises
    ------
    InputFileError, SchemaError, CrsError
        Where the file as a whole cannot be used; wrong rows are set aside and listed.
    """
    table = read_located(Path(path), "villages", crs=crs, communes=communes, aliases=aliases)
    if "cluster_id" not in table.frame:
        table.frame["cluster_id"] = pd.Series(pd.NA, table.frame.index, dtype="str")
    n_lost = int((table.frame.geometry.isna() & table.is_good).sum())
    if n_lost:
        table.notes.append(f"{n_lost} rows have no place: whether they are covered is unknown")
    return table.close()


def read_places(
    path: Path | str,
    *,
    crs: str | None = None,
    communes: gpd.GeoDataFrame | None = None,
    aliases: Vocabulary | None = None,
) -> Reading:
    """Read places that must be served: buildings (points), zones (polygons), roads (lines).

    Parameters
    ----------
    path, crs, communes, aliases
        As for `read_villages`; a table gives points, a vector layer any of them.

    Returns
    -------
    Reading
        `layer`: GeoDataFrame, schema "places" and `source_row`, EPSG:4326; `report`: every row.

    Raises
    ------
    InputFileError, SchemaError, CrsError
        Where the file as a whole cannot be used; wrong rows, among them polygons that cross
        themselves, are set aside and listed.
    """
    return read_located(Path(path), "places", crs=crs, communes=communes, aliases=aliases).close()


def read_points(
    path: Path | str, *, crs: str | None = None, communes: gpd.GeoDataFrame | None = None
) -> Reading:
    """Read places where a mast might be put up, such as schools and hills.

    Parameters
    ----------
    path, crs, communes
        As for `read_villages`.

    Returns
    -------
    Reading
        `layer`: GeoDataFrame, schema "points" and `source_row`, EPSG:4326; `report`: every row.

    Raises
    ------
    InputFileError, SchemaError, CrsError
        Where the file as a whole cannot be used; rows without a place are set aside and listed.
    """
    table = read_located(Path(path), "points", crs=crs, communes=communes, aliases=None)
    name_rows(table, "point_id")
    return table.close()


def read_challenges(
    path: Path | str,
    *,
    communes: gpd.GeoDataFrame | None = None,
    aliases: Vocabulary | None = None,
) -> Reading:
    """Read a log of challenges to what operators declare: who, where, when, evidence, outcome.

    Parameters
    ----------
    path : Path
        CSV, XLSX or XLS. A row says where by the code of the commune, or by lon, lat.
    communes : GeoDataFrame, optional
        Schema "communes", EPSG:4326: gives the codes of rows that give a place, and sets those
        aside whose code it does not have.
    aliases : Vocabulary, optional

    Returns
    -------
    Reading
        `layer`: DataFrame, schema "challenges" and `source_row`; `report`: every row.

    Raises
    ------
    InputFileError, SchemaError
        Where the file as a whole cannot be used; wrong rows are set aside and listed.
    """
    path = Path(path)
    table = Table.from_cells(read_cells(path, "challenges", aliases), path, "challenges")
    frame = table.frame
    if communes is not None and {"lon", "lat"} <= set(frame.columns):
        points = gpd.GeoDataFrame(
            index=frame.index, geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs=LON_LAT
        )
        found = locate_sites(points, communes)["commune_code"]
        said = frame.get("commune_code", pd.Series(pd.NA, frame.index, dtype="str"))
        frame["commune_code"] = found.fillna(said)
    table.frame = frame.drop(columns=[name for name in ("lon", "lat") if name in frame])
    table.pad_codes()
    if communes is not None and "commune_code" in table.frame:
        codes = table.frame["commune_code"]
        is_stranger = codes.notna() & ~codes.isin(communes["commune_code"])
        table.refuse(is_stranger, "commune_code", codes.fillna(""), "a commune of the boundaries")
    know_operators(table)
    name_rows(table, "challenge_id")
    return table.close()


def read_located(
    path: Path,
    layer: str,
    *,
    crs: str | None,
    communes: gpd.GeoDataFrame | None,
    aliases: Vocabulary | None,
) -> Table:
    """Return a table of `layer` with its places in EPSG:4326; broken and far ones set aside."""
    if path.suffix.lower() in VECTORS:
        table = read_feature_table(path, layer, crs, aliases or own_vocabulary())
    else:
        table = Table.from_cells(read_cells(path, layer, aliases), path, layer)
        locate(table, crs, communes)
    shapes = table.frame.geometry
    is_broken = shapes.notna() & ~shapes.is_valid
    reason = pd.Series(shapely.is_valid_reason(shapes.to_numpy()), shapes.index)
    table.refuse(is_broken, "geometry", reason, "a valid geometry: no side crosses another")
    if communes is not None:
        check_places(table, communes)
    return table


def know_operators(table: Table) -> None:
    """Write the operators that we know in their usual spelling, as site lists do; list it."""
    if "operator" not in table.frame:
        return
    said = table.frame["operator"]
    words = take_distinct(
        said, lambda distinct: as_words(distinct, "operator", table.cells.vocabulary)
    )
    is_other = said.notna() & (words != said)
    table.mend(is_other, "operator", said.fillna(""), "the usual spelling", "spelt alike")
    table.frame["operator"] = words


def name_rows(table: Table, key: str) -> None:
    """Give rows without a key the number of their row in the file."""
    made = "row-" + table.rows.astype("str")
    if key not in table.frame:
        table.frame[key] = made
        table.notes.append(f"{key}: made from the row number")
    else:
        table.frame[key] = table.frame[key].fillna(made)

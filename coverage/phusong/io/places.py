"""Where the rows of a table stand: degrees or metres made points, and held against communes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from phusong.errors import CrsError, Problem, SchemaError
from phusong.io.coordinates import frame_of_headers
from phusong.io.frames import fitting_frames, suggest_frames
from phusong.io.table import Table, take_distinct
from phusong.joins import locate_sites
from phusong.layers import LAYERS
from phusong.names import normalise_name, short_name, strip_accents

__all__ = ["check_places", "locate"]

LON_LAT = "EPSG:4326"
# A site this far outside all communes may still stand on their coast or border: about 2 km.
NEAR_DEG = 0.02
METRES_FROM = 1_000.0  # numbers this large are no degrees
NORTH_FROM_M = 850_000.0  # all over Vietnam northings are larger, and eastings smaller
SHOWN_ROWS = 50
AXES = {"lon": "longitude, kinh độ", "lat": "latitude, vĩ độ", "x": "metres", "y": "metres"}


def locate(table: Table, crs: str | None, communes: gpd.GeoDataFrame | None) -> None:
    """Turn lon, lat or x, y of the table into points in EPSG:4326; set aside rows without a place.

    Raises
    ------
    SchemaError
        If there are no columns of places.
    CrsError
        If the numbers are metres and nothing says in which frame.
    """
    frame = table.frame
    x_name, y_name = ("lon", "lat") if {"lon", "lat"} <= set(frame.columns) else ("x", "y")
    missing = [n for n in (x_name, y_name) if n not in frame]
    if missing:
        if {"lon", "lat"} & set(frame.columns) or len(missing) == 2:
            missing = [n for n in ("lon", "lat") if n not in frame]
        raise SchemaError(
            f"{table.path}: {table.layer}",
            [Problem(row=None, field=n, found="no such column (missing, thiếu)",
                     expected=f"a column of {AXES[n]}") for n in missing],
        )  # fmt: skip
    x, y = frame[x_name], frame[y_name]
    are_metres = x_name == "x" or ((x.abs() > METRES_FROM) & (y.abs() > METRES_FROM)).mean() > 0.5
    if are_metres:
        x, y = _from_metres(table, x, y, crs, communes)
    is_place = x.between(-180, 180) & y.between(-90, 90) & ~((x == 0) & (y == 0))
    if not are_metres:
        x, y, is_place = _swap(table, x, y, is_place, communes)
    found = _pairs(frame[x_name], frame[y_name], ~is_place)
    is_wrong = ~is_place
    if not LAYERS[table.layer].geometry_required:
        is_wrong &= frame[x_name].notna() | frame[y_name].notna()
    table.refuse(is_wrong, "lon, lat", found, "a place: degrees of longitude and latitude")
    points = gpd.points_from_xy(x.where(is_place), y.where(is_place))
    columns = frame.drop(columns=[n for n in ("lon", "lat", "x", "y") if n in frame])
    table.frame = gpd.GeoDataFrame(columns, geometry=points, crs=LON_LAT)
    table.frame.loc[~is_place, "geometry"] = None


def _from_metres(
    table: Table, x: pd.Series, y: pd.Series, crs: str | None, communes: gpd.GeoDataFrame | None
) -> tuple[pd.Series, pd.Series]:
    named = frame_of_headers([*table.cells.titles, *table.cells.headers])
    if crs and named and not pyproj.CRS(crs).equals(named):
        raise CrsError(f"{table.path}: the headings name {named}, --crs says {crs}: which is it?")
    source = crs or named
    if x.median() > y.median():
        table.notes.append("X holds the larger numbers: read as northing, Y as easting")
        x, y = y, x
    if source is None:
        raise CrsError(f"{table.path}: {_candidates(x, y, communes)}")
    x, y = _swap_metres(table, x, y)
    change = _transformer(table, source)
    lon, lat = change.transform(x.to_numpy(float), y.to_numpy(float))
    is_finite = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = (pd.Series(np.where(is_finite, v, np.nan), x.index) for v in (lon, lat))
    table.notes.append(f"metres of {source} turned into degrees (accuracy {change.accuracy:g} m)")
    return lon, lat


def _swap_metres(table: Table, x: pd.Series, y: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Turn around the rows that have easting and northing the other way than the rest."""
    is_swapped = (x > NORTH_FROM_M) & y.between(METRES_FROM, NORTH_FROM_M)
    message = "easting and northing were swapped (đảo X, Y)"
    table.mend(is_swapped, "x, y", _pairs(x, y, is_swapped), "easting first", message)
    return x.where(~is_swapped, y), y.where(~is_swapped, x)


def _transformer(table: Table, source: str) -> pyproj.Transformer:
    """Return the operation to WGS 84; one that guesses the datum shift is refused."""
    try:
        found = pyproj.CRS(source)
        group = pyproj.transformer.TransformerGroup(found, LON_LAT, always_xy=True)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(f"{table.path}: --crs {source}: not a CRS that PROJ knows") from error
    exact = [change for change in group.transformers if change.accuracy >= 0]
    if not exact:
        raise CrsError(
            f"{table.path}: {source} has no known shift to WGS 84 (ballpark): name the frame by "
            "its EPSG code, such as EPSG:5897"
        )
    return exact[0]


def _candidates(x: pd.Series, y: pd.Series, communes: gpd.GeoDataFrame | None) -> str:
    """Say which frames fit the numbers, and by how much they differ."""
    ask = "places are in metres, and nothing says in which CRS (hệ tọa độ): say it with --crs. "
    east, north = x.to_numpy(float), y.to_numpy(float)
    if communes is None:
        return ask + suggest_frames(east, north)
    west, south, end, top = (float(bound) for bound in communes.total_bounds)
    fits = fitting_frames(east, north, box=(west, south, end, top))
    if not fits:
        return ask + "In none of the VN-2000 and UTM frames do they lie in the communes"
    away = ", ".join(f"EPSG:{fit.epsg} ({fit.shift_m:.0f} m away)" for fit in fits[1:])
    return f"{ask}EPSG:{fits[0].epsg} fits the communes{'; so would ' + away if away else ''}"


def _swap(
    table: Table,
    x: pd.Series,
    y: pd.Series,
    is_place: pd.Series,
    communes: gpd.GeoDataFrame | None,
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Turn around the rows that lie in the area only when longitude and latitude change places."""
    could_be = y.between(-180, 180) & x.between(-90, 90) & ~((x == 0) & (y == 0))
    if communes is None:
        is_swapped = could_be & ~is_place
    else:
        is_swapped = could_be & _is_near(y, x, communes)
        if is_swapped.any():
            is_swapped &= ~_is_near(x, y, communes)
    message = "longitude and latitude were swapped (đảo kinh độ, vĩ độ)"
    found = _pairs(x, y, is_swapped)
    table.mend(is_swapped, "lon, lat", found, "longitude first", message)
    return x.where(~is_swapped, y), y.where(~is_swapped, x), is_place | is_swapped


def _pairs(x: pd.Series, y: pd.Series, mask: pd.Series) -> pd.Series:
    """Return the two numbers of the rows of the mask, to be shown."""
    return x[mask].astype("str") + ", " + y[mask].astype("str")


def _is_near(lon: pd.Series, lat: pd.Series, communes: gpd.GeoDataFrame) -> pd.Series:
    """Tell which places lie in a commune, or within about 2 km of one."""
    west, south, east, north = communes.total_bounds
    is_near = lon.between(west - NEAR_DEG, east + NEAR_DEG) & lat.between(
        south - NEAR_DEG, north + NEAR_DEG
    )
    at = np.flatnonzero(is_near)
    points = shapely.points(lon.to_numpy(float)[at], lat.to_numpy(float)[at])
    tree = shapely.STRtree(communes.geometry.to_numpy())
    hit = np.unique(tree.query(points, predicate="dwithin", distance=NEAR_DEG)[0])
    near = np.zeros(len(lon), dtype=bool)
    near[at[hit]] = True
    return pd.Series(near, lon.index)


def check_places(table: Table, communes: gpd.GeoDataFrame) -> None:
    """Set aside sites far outside the communes; note those in another commune than they name."""
    frame = table.frame
    has_place = frame.geometry.notna() & ~frame.geometry.is_empty
    inside = frame.geometry[has_place]
    if (inside.geom_type != "Point").any():
        inside = inside.representative_point()
    located = locate_sites(frame[has_place], communes)
    outside = located["commune_code"].isna()
    stray = inside[outside]
    is_far = ~_is_near(stray.x, stray.y, communes)
    found = stray.x.round(5).astype("str") + ", " + stray.y.round(5).astype("str")
    expected = "a place inside the communes: it is outside (ngoài địa bàn)"
    table.refuse(is_far, "lon, lat", found, expected)
    outside &= ~is_far.reindex(outside.index, fill_value=False)
    if outside.any():
        table.notes.append(
            f"{_rows(table, located.index[outside])}: just outside all communes (ngoài): they "
            "cover what they reach, and stand in none"
        )
    if "commune_name" in frame:
        _note_other_communes(table, located, communes)


def _note_other_communes(
    table: Table, located: gpd.GeoDataFrame, communes: gpd.GeoDataFrame
) -> None:
    names = communes.set_index("commune_code")["commune_name"]
    known = {_key(name) for name in names}
    stands_in = take_distinct(located["commune_code"], lambda codes: codes.map(names))
    said = located["commune_name"]
    keys = {name: _key(name) for name in {*said.dropna().unique(), *names}}
    said_key, own_key = (
        take_distinct(given, lambda distinct: distinct.map(keys)) for given in (said, stands_in)
    )
    is_other = said.notna() & stands_in.notna() & (said_key != own_key)
    for index in located.index[is_other][:SHOWN_ROWS]:
        what = "another commune" if _key(said[index]) in known else "no commune of these boundaries"
        table.notes.append(
            f"row {table.rows[index]}: names {said[index]!r}, {what}; stands in "
            f"{stands_in[index]!r}: the place counts"
        )
    if is_other.sum() > SHOWN_ROWS:
        table.notes.append(f"and {is_other.sum() - SHOWN_ROWS} more rows name another commune")


def _key(name: str) -> str:
    return strip_accents(normalise_name(short_name(name)))


def _rows(table: Table, index: pd.Index) -> str:
    numbers = table.rows[index].unique()
    more = f" and {len(numbers) - SHOWN_ROWS} more" if len(numbers) > SHOWN_ROWS else ""
    return "rows " + ", ".join(map(str, numbers[:SHOWN_ROWS])) + more

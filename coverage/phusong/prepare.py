"""Layers as the study counts them: parted communes, one name an operator, the cells on air."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.census import People
from phusong.errors import CrosswalkError, CrsError, Problem, SchemaError
from phusong.joins import AREA_CRS
from phusong.layers import ANY, TWO_OR_MORE
from phusong.partition import Partition, make_partition
from phusong.schema import conform

__all__ = [
    "area_notes",
    "prepare_communes",
    "prepare_sites",
    "require_spread",
    "select_on_air",
    "unite_operators",
]

LON_LAT = "EPSG:4326"
AREA_TOLERANCE = 0.01


def require_spread(population: People, communes: gpd.GeoDataFrame) -> None:
    """Check that people can be spread: their areas have counts, or their communes do."""
    if isinstance(population, gpd.GeoDataFrame):
        _require_counts(population)
    if not isinstance(population, str):
        return
    if population != "even":
        expected = 'persons per cell, areas with their population, or "even"'
        problem = Problem(row=None, field="population", found=repr(population), expected=expected)
        raise SchemaError("population", [problem])
    if "population" not in communes or communes["population"].isna().all():
        problem = Problem(row=None, field="population", found="no number of people in any commune",
                          expected='numbers that "even" can spread')  # fmt: skip
        raise SchemaError("communes", [problem])


def _require_counts(areas: gpd.GeoDataFrame) -> None:
    """Check that every area is there, with its place on Earth and its number of people."""
    if areas.crs is None:
        raise CrsError("population: areas without a CRS; say which one they are in")
    if "population" not in areas:
        problem = Problem(row=None, field="population", found=", ".join(map(str, areas.columns)),
                          expected="a column of people")  # fmt: skip
        raise SchemaError("population", [problem])
    counts = areas["population"].to_numpy("float64", na_value=np.nan)
    shapes = areas.geometry.to_numpy()
    is_polygon = areas.geom_type.isin(["Polygon", "MultiPolygon"]) & (shapely.area(shapes) > 0)
    wrong = {
        "population": (~(np.isfinite(counts) & (counts >= 0)), "a number of people"),
        "geometry": (~is_polygon.to_numpy(), "a polygon"),
    }
    problems = [
        Problem(row=i + 1, field=name, found=str(areas[name].iloc[i])[:80], expected=expected)
        for name, (is_wrong, expected) in wrong.items()
        for i in np.flatnonzero(is_wrong).tolist()
    ]
    if problems:
        raise SchemaError("population", problems)


def prepare_communes(communes: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, Partition]:
    """Return the communes in lon/lat, sorted, with polygon areas; and how they were parted."""
    zones = conform(communes, "communes")
    if len(set(zones["vintage"])) > 1:
        counts = ", ".join(f"{n} of {v}" for v, n in zones["vintage"].value_counts().items())
        raise CrosswalkError(f"communes: the layer mixes vintages ({counts}); give those of one")
    zones = zones.sort_values(["province_code", "commune_code"], na_position="last")
    # In the layer's own CRS, where neighbours share straight lines: in another they bend apart.
    made = make_partition(zones.assign(province_code=zones["province_code"].fillna("?")))
    zones = made.communes.to_crs(LON_LAT)
    polygon_km2 = zones.geometry.to_crs(AREA_CRS).area / 1e6
    return zones.assign(
        polygon_km2=polygon_km2,
        area_km2=zones["area_km2"].astype(float).fillna(polygon_km2),
    ).reset_index(drop=True), made


def prepare_sites(sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the cells in lon/lat; how 5G is built is part of their technology where known."""
    cells = conform(sites, "sites").to_crs(LON_LAT).reset_index(drop=True)
    has_mode = (cells["technology"] == "5G") & cells["nr_mode"].notna()
    named = "5G " + cells["nr_mode"].fillna("")
    return cells.assign(technology=cells["technology"].where(~has_mode, named))


def unite_operators(cells: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Return the cells with one spelling for names that differ only in case or spaces, and a note.

    Left apart, one operator would count as two wherever two are asked for.
    """
    name = cells["operator"].str.split().str.join(" ")
    key = name.str.casefold()
    taken = np.flatnonzero(key.isin([ANY, TWO_OR_MORE]))
    if len(taken):
        expected = f"a name; {ANY} and {TWO_OR_MORE} are words of the tables"
        raise SchemaError(
            "sites",
            [
                Problem(row=int(i) + 1, field="operator", found=cells["operator"].iloc[i],
                        expected=expected)
                for i in taken
            ],
        )  # fmt: skip
    united = key.map(name.groupby(key).agg(lambda spellings: spellings.mode().iloc[0]))
    changed = sorted(set(zip(cells["operator"], united, strict=True)))
    notes = [
        f"{old!r} is taken as {new!r}: the names differ only in case or spaces"
        for old, new in changed
        if old != new
    ]
    return cells.assign(operator=united), notes


def select_on_air(sites: gpd.GeoDataFrame, as_of: date) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Return the cells that are on air on the day, and a note that counts the others."""
    status = sites["status"].fillna("on_air")
    is_later = sites["on_air_date"] > pd.Timestamp(as_of)
    is_on_air = (status == "on_air") & ~is_later
    off = {
        "planned": int((status == "planned").sum()),
        "retired": int((status == "retired").sum()),
        "on air only after the date": int(((status == "on_air") & is_later).sum()),
    }
    counts = ", ".join(f"{n} {word}" for word, n in off.items() if n)
    notes = [f"{(~is_on_air).sum()} of {len(sites)} cells do not cover: {counts}"] if counts else []
    n_default = int(sites["is_default_radius"].sum())
    if n_default:
        notes.append(
            f"{n_default} of {len(sites)} cells have no radius of their own: the default table's, "
            "with its low and high, stands in"
        )
    n_lost = int(sites["commune_code"].isna().sum())
    if n_lost:
        notes.append(f"{n_lost} of {len(sites)} cells stand in no commune")
    return sites[is_on_air], notes


def area_notes(zones: gpd.GeoDataFrame) -> list[str]:
    """List the communes whose polygon differs from the official area by more than 1 %."""
    ratio = zones["polygon_km2"] / zones["area_km2"].where(zones["area_km2"] > 0)
    off = zones.assign(ratio=ratio)[(ratio - 1).abs() > AREA_TOLERANCE]
    if off.empty:
        return []
    listed = "; ".join(
        f"{row.commune_code} {row.commune_name} {row.ratio:.3f}"
        for row in off.sort_values("ratio").itertuples()
    )
    return [f"polygon ÷ official area differs by more than 1 % in {len(off)} communes: {listed}"]

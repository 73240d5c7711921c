"""What a layer is: its columns, units and limits as data, and one check that lists every problem.

A layer stays a plain DataFrame or GeoDataFrame; the schema only describes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import geopandas as gpd
import pandas as pd
from pandas.api import types as pdt

from phusong.errors import Problem, SchemaError

__all__ = [
    "FIXED_TECHNOLOGIES",
    "LAYERS",
    "MOBILE_TECHNOLOGIES",
    "Column",
    "Layer",
    "conform",
    "find_problems",
]

Kind = Literal["text", "number", "date", "yes_no"]

MOBILE_TECHNOLOGIES = ("2G", "3G", "4G", "5G", "5G NSA", "5G SA")
FIXED_TECHNOLOGIES = ("FTTH", "xDSL", "cable", "FWA", "satellite", "leased line", "broadband")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: what it holds, in which unit, and within which limits (inclusive)."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One kind of table: its columns, its key (unique together), and its geometry, if any."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    geometry: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(column for column in self.columns if column.name == name)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the columns that every row must fill."""
        return tuple(column.name for column in self.columns if column.required)


_COMMUNES = Layer(
    name="communes",
    key=("commune_code", "vintage"),
    geometry=("Polygon", "MultiPolygon"),
    columns=(
        Column(name="commune_code", kind="text", required=True, meaning="official code, as text"),
        Column(name="vintage", kind="text", required=True, meaning="commune map the code is of"),
        Column(name="commune_name", kind="text", required=True, meaning="name with its type"),
        Column(
            name="commune_type",
            kind="text",
            meaning="xã, phường, thị trấn or đặc khu",
            choices=("xã", "phường", "thị trấn", "đặc khu"),
        ),
        Column(name="province_code", kind="text", meaning="official code of the province"),
        Column(name="district_name", kind="text", meaning="district of before July 2025"),
        Column(name="area_km2", kind="number", unit="km²", minimum=0, meaning="official area"),
        Column(name="population", kind="number", unit="persons", minimum=0, meaning="residents"),
        Column(name="households", kind="number", unit="households", minimum=0, meaning="homes"),
        Column(
            name="income_vnd_month",
            kind="number",
            unit="VND a month",
            minimum=0,
            meaning="monthly income per head",
        ),
    ),
)

_SITES = Layer(
    name="sites",
    key=("site_id", "sector_id"),
    geometry=("Point", "Polygon", "MultiPolygon"),
    columns=(
        Column(name="site_id", kind="text", required=True, meaning="the mast"),
        Column(name="sector_id", kind="text", required=True, meaning="the cell of the mast"),
        Column(name="site_name", kind="text", meaning="name of the mast"),
        Column(name="commune_name", kind="text", meaning="commune as declared by the operator"),
        Column(name="operator", kind="text", required=True, meaning="who runs it"),
        Column(
            name="technology",
            kind="text",
            required=True,
            choices=MOBILE_TECHNOLOGIES,
            meaning="generation; 5G NSA and 5G SA are kept apart where known",
        ),
        Column(
            name="nr_mode",
            kind="text",
            choices=("NSA", "SA"),
            meaning="how 5G is built, where it is known: non-standalone or standalone",
        ),
        Column(
            name="frequency_mhz",
            kind="number",
            unit="MHz",
            minimum=30,
            maximum=100_000,
            meaning="carrier",
        ),
        Column(
            name="bandwidth_mhz",
            kind="number",
            unit="MHz",
            minimum=0,
            maximum=2_000,
            meaning="channel width",
        ),
        Column(
            name="antenna_height_m",
            kind="number",
            unit="m",
            minimum=1,
            maximum=400,
            meaning="antenna above ground",
        ),
        Column(
            name="azimuth_deg",
            kind="number",
            unit="°",
            minimum=0,
            maximum=360,
            meaning="main direction, clockwise from grid north; empty is omnidirectional",
        ),
        Column(
            name="beamwidth_deg",
            kind="number",
            unit="°",
            minimum=1,
            maximum=360,
            meaning="width of the sector; 120 where an azimuth has none",
        ),
        Column(
            name="downtilt_deg",
            kind="number",
            unit="°",
            minimum=-90,
            maximum=90,
            meaning="below the horizon",
        ),
        Column(
            name="eirp_dbm", kind="number", unit="dBm", minimum=-50, maximum=120, meaning="EIRP"
        ),
        Column(
            name="radius_m",
            kind="number",
            unit="m",
            minimum=1,
            maximum=100_000,
            meaning="range declared by the operator; empty takes the default table",
        ),
        Column(
            name="status",
            kind="text",
            choices=("on_air", "planned", "retired"),
            meaning="only sites on air cover; empty is on air",
        ),
        Column(name="on_air_date", kind="date", meaning="first day on air"),
    ),
)

_SERVICE = Layer(
    name="service",
    key=("commune_code", "vintage", "operator", "technology"),
    columns=(
        Column(name="commune_code", kind="text", required=True, meaning="official code, as text"),
        Column(name="vintage", kind="text", required=True, meaning="commune map the code is of"),
        Column(name="commune_name", kind="text", meaning="name with its type"),
        Column(name="operator", kind="text", required=True, meaning="who sells it"),
        Column(
            name="technology",
            kind="text",
            required=True,
            choices=(*FIXED_TECHNOLOGIES, *MOBILE_TECHNOLOGIES),
            meaning="how it reaches the home",
        ),
        Column(
            name="downlink_mbps",
            kind="number",
            unit="Mbit/s",
            minimum=0,
            maximum=100_000,
            meaning="advertised downlink",
        ),
        Column(
            name="uplink_mbps",
            kind="number",
            unit="Mbit/s",
            minimum=0,
            maximum=100_000,
            meaning="advertised uplink",
        ),
        Column(
            name="households_passed",
            kind="number",
            unit="households",
            minimum=0,
            meaning="homes that can order it",
        ),
        Column(
            name="households",
            kind="number",
            unit="households",
            minimum=0,
            meaning="homes of the commune, where the table says so",
        ),
        Column(name="subscribers", kind="number", unit="lines", minimum=0, meaning="lines in use"),
        Column(
            name="take_up_share",
            kind="number",
            unit="share",
            minimum=0,
            maximum=1,
            meaning="subscribers per household as the table says; shown, not used",
        ),
        Column(
            name="price_vnd_month",
            kind="number",
            unit="VND a month",
            minimum=0,
            meaning="cheapest plan",
        ),
        Column(
            name="at_centre",
            kind="yes_no",
            meaning="orderable at the People's Committee, the school and the health post",
        ),
        Column(
            name="villages_served", kind="number", unit="villages", minimum=0, meaning="with it"
        ),
        Column(name="villages", kind="number", unit="villages", minimum=0, meaning="in all"),
        Column(name="as_of", kind="date", meaning="day the row speaks of"),
        Column(
            name="evidence",
            kind="text",
            choices=("declared", "modelled", "measured"),
            meaning="who says so",
        ),
    ),
)

LAYERS: Mapping[str, Layer] = MappingProxyType(
    {layer.name: layer for layer in (_COMMUNES, _SITES, _SERVICE)}
)


def conform(frame: pd.DataFrame, layer: str) -> pd.DataFrame:
    """Return `frame` with the layer's columns first, in order, its absent optional ones empty.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        A layer as read or as made by hand; it is not changed. Extra columns are kept, at the end.
    layer : str
        A key of `LAYERS`: "communes", "sites" or "service".

    Returns
    -------
    DataFrame or GeoDataFrame
        The same rows, index and CRS.

    Raises
    ------
    SchemaError
        Listing every problem of the layer: row (position from 1), field, found, expected.

    Examples
    --------
    >>> service = pd.DataFrame({"commune_code": ["14758"], "vintage": "2025",
    ...                         "operator": "Viettel", "technology": "FTTH"})
    >>> list(conform(service, "service").columns[:5])
    ['commune_code', 'vintage', 'commune_name', 'operator', 'technology']
    >>> conform(service.assign(technology="carrier pigeon"), "service")
    Traceback (most recent call last):
    phusong.errors.SchemaError: service: 1 problem
      - row 1, technology: found 'carrier pigeon', expected one of FTTH, xDSL, cable, FWA, ...
    """
    described = LAYERS[layer]
    problems = list(find_problems(frame, layer))
    if problems:
        raise SchemaError(layer, problems)
    absent = {c.name: _empty(c, frame.index) for c in described.columns if c.name not in frame}
    filled = frame.assign(**absent)
    first = [column.name for column in described.columns]
    return filled[first + [name for name in filled.columns if name not in first]]


def find_problems(
    frame: pd.DataFrame, layer: str, *, rows: pd.Series | None = None
) -> Iterator[Problem]:
    """Yield everything about `frame` that breaks the schema of `layer`, column by column.

    `rows` gives each row's number in its file (aligned by index); positions from 1 without it.
    """
    described = LAYERS[layer]
    numbers = pd.Series(range(1, len(frame) + 1), index=frame.index) if rows is None else rows
    for name in described.required:
        if name not in frame:
            yield Problem(row=None, field=name, found="no such column", expected="a column")
    for column in described.columns:
        if column.name in frame:
            yield from _column_problems(frame[column.name], column, numbers)
    yield from _key_problems(frame, described, numbers)
    if described.geometry:
        yield from _geometry_problems(frame, described, numbers)


def _empty(column: Column, index: pd.Index) -> pd.Series:
    if column.kind == "date":
        return pd.Series(pd.NaT, index=index, dtype="datetime64[s]")
    dtype = {"text": "str", "yes_no": "boolean"}.get(column.kind, "float64")
    return pd.Series([pd.NA if dtype != "float64" else float("nan")] * len(index), index, dtype)


_KINDS = {
    "text": (pdt.is_string_dtype, "text"),
    "number": (pdt.is_numeric_dtype, "numbers"),
    "date": (pdt.is_datetime64_any_dtype, "dates"),
    "yes_no": (pdt.is_bool_dtype, "yes or no"),
}


def _column_problems(values: pd.Series, column: Column, rows: pd.Series) -> Iterator[Problem]:
    is_kind, kind = _KINDS[column.kind]
    present = values.dropna()
    if column.kind == "yes_no":
        present = present.infer_objects()
    if len(present) and not is_kind(present):
        yield Problem(
            row=None, field=column.name, found=f"values of type {values.dtype}", expected=kind
        )
        return
    if column.required:
        is_blank = values.isna()
        if column.kind == "text":
            is_blank |= values.fillna("").str.strip() == ""
        for index in values.index[is_blank]:
            yield Problem(
                row=_number(rows, index),
                field=column.name,
                found="nothing",
                expected=column.meaning,
            )
    wrong, expected = _out_of_limits(present, column)
    for index, value in wrong.items():
        yield Problem(
            row=_number(rows, index), field=column.name, found=repr(value), expected=expected
        )


def _out_of_limits(present: pd.Series, column: Column) -> tuple[pd.Series, str]:
    if column.choices:
        expected = "one of " + ", ".join(column.choices)
        return present[~present.isin(column.choices)], expected
    if column.kind != "number":
        return present[:0], ""
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum
    expected = f"{low:g} to {high:g} {column.unit}".strip()
    return present[~(present.between(low, high) & (present.abs() < math.inf))], expected


def _key_problems(frame: pd.DataFrame, layer: Layer, rows: pd.Series) -> Iterator[Problem]:
    if not set(layer.key) <= set(frame.columns):
        return
    keys = frame[list(layer.key)]
    keys = keys[keys[layer.key[0]].notna()].astype("str").fillna("")
    repeated = keys[keys.duplicated(keep=False)]
    for index, values in zip(repeated.index, repeated.itertuples(index=False), strict=True):
        yield Problem(
            row=_number(rows, index),
            field=" + ".join(layer.key),
            found=" ".join(map(str, values)),
            expected="a key that occurs once (duplicate, trùng)",
        )


def _geometry_problems(frame: pd.DataFrame, layer: Layer, rows: pd.Series) -> Iterator[Problem]:
    if not isinstance(frame, gpd.GeoDataFrame):
        yield Problem(
            row=None,
            field="geometry",
            found="a table without geometry",
            expected="a GeoDataFrame of " + " or ".join(layer.geometry),
        )
        return
    if frame.crs is None:
        yield Problem(row=None, field="crs", found="none", expected="a CRS, such as EPSG:4326")
    shapes = frame.geometry
    is_right = shapes.geom_type.isin(layer.geometry) & ~shapes.is_empty & shapes.notna()
    for index, shape in shapes[~is_right].items():
        found = "nothing" if shape is None or shape.is_empty else shape.geom_type
        yield Problem(
            row=_number(rows, index),
            field="geometry",
            found=found,
            expected=" or ".join(layer.geometry),
        )


def _number(rows: pd.Series, index: object) -> int:
    return int(rows.loc[index])

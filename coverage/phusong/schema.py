"""What a layer is: its columns, units and limits as data, and one check that lists every problem.

A layer stays a plain DataFrame or GeoDataFrame; the schema only describes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import geopandas as gpd
import pandas as pd
from pandas.api import types as pdt

from phusong.errors import Problem, SchemaError
from phusong.layers import LAYERS, Column, Layer

__all__ = ["conform", "find_problems"]


def conform(frame: pd.DataFrame, layer: str) -> pd.DataFrame:
    """Return `frame` with the layer's columns first, in order, its absent optional ones empty.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        A layer as read or as made by hand; it is not changed. Extra columns are kept, at the end.
    layer : str
        A key of `LAYERS`, such as "communes", "sites" or "service".

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
    span = f"{low:g} or more" if high == math.inf else f"{low:g} to {high:g}"
    expected = f"{span} {column.unit}".strip()
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
    if not layer.geometry_required:
        is_right |= shapes.isna()
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

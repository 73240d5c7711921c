"""Commune boundaries: read, placed, mended, and held against the official list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.crosswalk import VINTAGE_2025
from phusong.errors import Problem, SchemaError
from phusong.io.frames import LON_LAT, to_lon_lat
from phusong.io.geometry import areas_km2, find_polygons, mend_polygons
from phusong.io.headers import Vocabulary, as_words, match_headers, own_vocabulary
from phusong.io.mosaic import find_gaps, find_overlaps
from phusong.io.official import compare_with_list, known_rows
from phusong.io.parse import header_unit, pad_codes, parse_numbers, parse_text
from phusong.io.parts import join_parts
from phusong.io.placement import find_off_earth, find_strays, require_frame
from phusong.io.report import Reading, ReadReport
from phusong.io.vectors import open_vector
from phusong.layers import LAYERS
from phusong.names import commune_type_of
from phusong.schema import conform, find_problems

__all__ = ["read_communes"]


def read_communes(
    path: Path | str,
    *,
    vintage: str = VINTAGE_2025,
    crs: str | None = None,
    aliases: Vocabulary | None = None,
) -> Reading:
    """Read commune boundaries, keyed by (commune_code, vintage).

    A commune that is missing from a map would vanish from every percentage, so nothing is set
    aside here: a wrong feature refuses the file, with every problem listed. Codes of the official
    list of 2025 are held against it: names, areas, places, and whether all communes are there.

    Parameters
    ----------
    path : Path
        Attributes in Vietnamese or English: at least a code and a name.
    vintage : str
        Which commune map this is, where the file does not say it.
    crs : str, optional
        For a file that names none, or the wrong one.
    aliases : Vocabulary, optional
        Our headings and words with the user's own (`aliases.read_aliases`).

    Returns
    -------
    Reading
        `layer`: GeoDataFrame, schema "communes", EPSG:4326, 2D; `report`: repairs and notes.

    Raises
    ------
    InputFileError, CrsError, SchemaError
    """
    path = Path(path)
    features = open_vector(path, crs=crs)
    source = features.layer.reset_index(drop=True)
    names = [c for c in source.columns if c != source.geometry.name and source[c].notna().any()]
    words = aliases or own_vocabulary()
    found = match_headers(list(map(str, names)), "communes", words)
    frame, repairs, problems = _attributes(source, names, found, vintage, path.name, words)
    named = _labels(frame)
    frame, geometry, numbers, joined = join_parts(frame, source.geometry)
    about = find_problems(frame, "communes", rows=pd.Series(numbers))
    problems = _named([*problems, *(p for p in about if p.field != "geometry")], named)
    labels = _labels(frame)
    shapes, mended, wrong, notes = _place(geometry, frame, vintage, labels, path)
    layer = gpd.GeoDataFrame(frame, geometry=shapes, crs=LON_LAT)
    beside, more = _compare(layer, vintage, labels)
    problems = _once([*problems, *_renumbered([*wrong, *beside], numbers)])
    if problems:
        raise SchemaError(f"{path.name}: communes", problems)
    report = ReadReport(
        file=str(path),
        layer="communes",
        rows_in=len(source),
        rows_used=len(source),
        repairs=(*features.repairs, *repairs, *joined, *_renumbered(mended, numbers)),
        notes=(*_unused(names, found), *features.notes, *notes, *more),
    )
    return Reading(conform(layer, "communes"), report)


def _attributes(
    source: gpd.GeoDataFrame,
    names: list[str],
    found: dict[int, str],
    vintage: str,
    file: str,
    words: Vocabulary,
) -> tuple[pd.DataFrame, list[Problem], list[Problem]]:
    """Return the columns of the schema, what was mended in them, and what could not be read."""
    columns = {column: source[names[i]] for i, column in found.items()}
    if "full_name" in columns:
        short = columns.get("commune_name", columns["full_name"])
        columns["commune_name"] = columns.pop("full_name").fillna(short)
    missing = [name for name in ("commune_code", "commune_name") if name not in columns]
    if missing:
        raise SchemaError(
            f"{file}: communes",
            [Problem(row=None, field=name, found=", ".join(map(str, names)) or "no columns",
                     expected="a column") for name in missing],
        )  # fmt: skip
    frame, repairs, problems = _parse(columns, words)
    repairs += _convert(frame, {column: str(names[i]) for i, column in found.items()})
    blank = pd.Series(pd.NA, frame.index, dtype="str")
    frame = frame.assign(vintage=frame.get("vintage", blank).fillna(vintage))
    if "commune_type" not in frame:
        frame["commune_type"] = (
            frame["commune_name"].map(commune_type_of, na_action="ignore").astype("str")
        )
    return frame, repairs, problems


def _convert(frame: pd.DataFrame, headings: dict[str, str]) -> list[Problem]:
    """Turn numbers whose heading names another unit, such as hectares, into ours; list it."""
    repairs = []
    for name, heading in headings.items():
        unit = LAYERS["communes"].column(name).unit if name in frame else ""
        factor = header_unit(heading, unit)
        if unit and factor != 1:
            frame[name] *= factor
            repairs.append(
                Problem(row=None, field=name, found=f"the heading {heading!r}", expected=unit,
                        message=f"all values multiplied by {factor:g}")
            )  # fmt: skip
    return repairs


def _parse(
    columns: dict[str, pd.Series], words: Vocabulary
) -> tuple[pd.DataFrame, list[Problem], list[Problem]]:
    """Return the columns as the schema has them; a cell that is no number is a problem."""
    frame = pd.DataFrame()
    repairs: list[Problem] = []
    problems: list[Problem] = []
    for name, values in columns.items():
        column = LAYERS["communes"].column(name)
        if column.kind == "number":
            if pd.api.types.is_numeric_dtype(values):
                frame[name] = values.astype("float64")
                continue
            text = values.map(str, na_action="ignore").fillna("").astype("str")
            frame[name], is_wrong = parse_numbers(text)
            problems += [
                Problem(row=int(i) + 1, field=name, found=repr(text[i]), expected="a number")
                for i in text.index[is_wrong]
            ]
            continue
        text = values.map(_as_text, na_action="ignore").fillna("").astype("str")
        frame[name] = parse_text(text)
        if column.choices:
            frame[name] = as_words(frame[name], name, words)
        if name == "commune_code":
            frame[name], repairs = _pad(frame[name])
    return frame, repairs, problems


def _as_text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _pad(codes: pd.Series) -> tuple[pd.Series, list[Problem]]:
    padded, is_short = pad_codes(codes)
    repairs = [
        Problem(row=int(i) + 1, field="commune_code", found=codes[i], expected="five digits",
                message="leading zeros put back")
        for i in codes.index[is_short]
    ]  # fmt: skip
    return padded, repairs


def _place(
    source: gpd.GeoSeries, frame: pd.DataFrame, vintage: str, labels: list[str], path: Path
) -> tuple[np.ndarray, list[Problem], list[Problem], list[str]]:
    """Return valid polygons in EPSG:4326, with repairs, problems and notes."""
    polygons, parts, problems = find_polygons(source.to_numpy(), labels)
    given = gpd.GeoSeries(polygons, index=source.index, crs=source.crs)
    placed = to_lon_lat(given, str(path))
    codes = frame["commune_code"].where(known_rows(frame, vintage=VINTAGE_2025))
    notes = require_frame(placed, given, codes, name=str(path))
    shapes = placed.to_numpy().copy()
    lost = find_off_earth(shapes, labels)
    shapes[[problem.row - 1 for problem in lost if problem.row]] = shapely.Polygon()
    shapes, mended, broken = mend_polygons(shapes, labels)
    strays = find_strays(shapes, codes, labels)
    return shapes, [*parts, *mended], [*problems, *lost, *broken, *strays], notes


def _compare(
    layer: gpd.GeoDataFrame, vintage: str, labels: list[str]
) -> tuple[list[Problem], list[str]]:
    """Return what polygons say beside the official list and beside each other."""
    shapes = layer.geometry.to_numpy()
    areas = areas_km2(shapes)
    is_known = known_rows(layer, vintage=VINTAGE_2025)
    problems, notes = find_overlaps(shapes, labels, areas, is_known.to_numpy())
    notes += find_gaps(shapes, labels)
    if vintage == VINTAGE_2025 or is_known.any():
        wrong, more = compare_with_list(layer, is_known, areas)
        return [*problems, *wrong], [*notes, *more]
    return problems, [
        *notes,
        f"a map of {vintage}: the official list is of {VINTAGE_2025}, so it was not compared",
    ]


def _labels(frame: pd.DataFrame) -> list[str]:
    pairs = zip(frame["commune_code"].fillna("?"), frame["commune_name"].fillna(""), strict=True)
    return [f"{code} {name}".strip() for code, name in pairs]


def _named(problems: list[Problem], labels: list[str]) -> list[Problem]:
    """Return problems of attributes with the commune they are of."""
    return [
        problem
        if problem.row is None
        else replace(
            problem, message="; ".join(filter(None, [problem.message, labels[problem.row - 1]]))
        )
        for problem in problems
    ]


def _renumbered(problems: list[Problem], numbers: np.ndarray) -> list[Problem]:
    """Return problems of communes with the numbers of their features in the file."""
    return [p if p.row is None else replace(p, row=int(numbers[p.row - 1])) for p in problems]


def _once(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def _unused(names: list[str], found: dict[int, str]) -> list[str]:
    unused = [str(name) for i, name in enumerate(names) if i not in found]
    return [f"columns that are not used: {', '.join(unused)}"] if unused else []

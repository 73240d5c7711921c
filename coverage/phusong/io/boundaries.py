"""Commune boundaries from GeoPackage, GeoJSON, GeoParquet or a zipped Shapefile."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from phusong.crosswalk import VINTAGE_2025
from phusong.errors import Problem, SchemaError
from phusong.io.headers import as_words, match_headers
from phusong.io.parse import parse_numbers, parse_text
from phusong.io.report import Reading, ReadReport
from phusong.io.vectors import read_vector
from phusong.names import commune_type_of
from phusong.schema import LAYERS, conform

__all__ = ["read_communes"]

LON_LAT = "EPSG:4326"
AREA_CHANGE = 0.001


def read_communes(
    path: Path | str, *, vintage: str = VINTAGE_2025, crs: str | None = None
) -> Reading:
    """Read commune boundaries, keyed by (commune_code, vintage).

    A commune that is missing from a map would vanish from every percentage, so nothing is set
    aside here: a wrong feature refuses the file, with every problem listed.

    Parameters
    ----------
    path : Path
        Attributes in Vietnamese or English: at least a code and a name.
    vintage : str
        Which commune map this is, where the file does not say it.
    crs : str, optional
        For a file that names none.

    Returns
    -------
    Reading
        `layer`: GeoDataFrame, schema "communes", EPSG:4326, 2D; `report`: repairs and notes.

    Raises
    ------
    InputFileError, CrsError, SchemaError
    """
    path = Path(path)
    features = read_vector(path, crs=crs).reset_index(drop=True)
    names = [c for c in features.columns if c != features.geometry.name]
    found = match_headers(names, "communes")
    columns = {column: features[names[i]] for i, column in found.items()}
    missing = [name for name in ("commune_code", "commune_name") if name not in columns]
    if missing:
        raise SchemaError(
            f"{path.name}: communes",
            [Problem(row=None, field=name, found=", ".join(map(str, names)), expected="a column")
             for name in missing],
        )  # fmt: skip
    frame, repairs = _parse(columns)
    shapes, mended = _mend(features.geometry.to_crs(LON_LAT))
    frame = frame.assign(
        vintage=frame.get("vintage", pd.Series(pd.NA, frame.index, dtype="str")).fillna(vintage)
    )
    if "commune_type" not in frame:
        frame["commune_type"] = frame["commune_name"].map(commune_type_of).astype("str")
    layer = conform(gpd.GeoDataFrame(frame, geometry=shapes, crs=LON_LAT), "communes")
    report = ReadReport(
        file=str(path),
        layer="communes",
        rows_in=len(layer),
        rows_used=len(layer),
        repairs=(*repairs, *mended),
        notes=_notes(features, names, found),
    )
    return Reading(layer, report)


def _parse(columns: dict[str, pd.Series]) -> tuple[pd.DataFrame, list[Problem]]:
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
            text = values.fillna("").astype("str")
            frame[name], is_wrong = parse_numbers(text)
            problems += [
                Problem(row=int(i) + 1, field=name, found=repr(text[i]), expected="a number")
                for i in text.index[is_wrong]
            ]
            continue
        text = values.map(_as_text, na_action="ignore").fillna("").astype("str")
        frame[name] = parse_text(text)
        if column.choices:
            frame[name] = as_words(frame[name], name)
        if name == "commune_code":
            frame[name], repairs = _pad(frame[name])
    if problems:
        raise SchemaError("communes", problems)
    return frame, repairs


def _as_text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _pad(codes: pd.Series) -> tuple[pd.Series, list[Problem]]:
    is_short = codes.str.fullmatch(r"\d{1,4}").fillna(False).astype(bool)
    repairs = [
        Problem(row=int(i) + 1, field="commune_code", found=codes[i], expected="five digits",
                message="leading zeros put back")
        for i in codes.index[is_short]
    ]  # fmt: skip
    return codes.where(~is_short, codes.str.zfill(5)), repairs


def _mend(shapes: gpd.GeoSeries) -> tuple[gpd.GeoSeries, list[Problem]]:
    """Return valid polygons; a mend that changes the area by more than 0.1 % is an error."""
    invalid = ~shapes.is_valid
    if not invalid.any():
        return shapes, []
    old = shapes[invalid]
    made = shapely.make_valid(old.to_numpy(), method="structure", keep_collapsed=False)
    repairs: list[Problem] = []
    problems: list[Problem] = []
    for index, before, after in zip(old.index, old, made, strict=True):
        reason = shapely.is_valid_reason(before)
        entry = Problem(row=int(index) + 1, field="geometry", found=reason,
                        expected="a valid polygon", message="mended")  # fmt: skip
        changed = abs(after.area - before.area) > AREA_CHANGE * max(before.area, 1e-12)
        (problems if changed else repairs).append(entry)
    if problems:
        raise SchemaError("communes", problems)
    mended = shapes.copy()
    mended[invalid] = made
    return mended, repairs


def _notes(features: gpd.GeoDataFrame, names: list[str], found: dict[int, str]) -> tuple[str, ...]:
    notes = []
    unused = [str(name) for i, name in enumerate(names) if i not in found]
    if unused:
        notes.append(f"columns that are not used: {', '.join(unused)}")
    if not shapely.coverage_is_valid(features.geometry.to_numpy()):
        notes.append("the polygons are not one clean coverage: neighbours overlap or leave slivers")
    return tuple(notes)

"""Sites and service as planners have them: CSV, XLSX, or a layer of operators' polygons."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from phusong.errors import CrsError, Problem, SchemaError
from phusong.io.cells import Cells, read_cells
from phusong.io.headers import as_words, match_headers
from phusong.io.parse import parse_dates, parse_numbers, parse_text, parse_yes_no
from phusong.io.report import Reading, ReadReport
from phusong.io.vectors import VECTORS, read_vector
from phusong.schema import LAYERS, find_problems

__all__ = ["read_service", "read_sites"]

LON_LAT = "EPSG:4326"


def read_sites(path: Path | str, *, crs: str | None = None) -> Reading:
    """Read a site list: a row is a cell. CSV, XLSX, GeoPackage, GeoJSON or GeoParquet.

    Parameters
    ----------
    path : Path
        Headings in Vietnamese or English. Places are `lon`, `lat` in degrees (WGS 84), or `x`,
        `y` in `crs`. In a vector layer the geometry is the place, or the operator's own polygon.
    crs : str, optional
        The CRS of `x`, `y`. Of two columns in metres, the one with the larger numbers is the
        northing: Vietnamese sheets call it X.

    Returns
    -------
    Reading
        `layer`: GeoDataFrame, schema "sites" and `source_row`, EPSG:4326; `report`: every row.

    Raises
    ------
    InputFileError, SchemaError, CrsError
        Where the file as a whole cannot be used; wrong rows are set aside and listed.
    """
    path = Path(path)
    if path.suffix.lower() in VECTORS:
        table = _from_vector(path, "sites")
    else:
        table = _from_cells(read_cells(path, "sites"), "sites")
        table.locate(crs)
    table.name_sites()
    return table.close(path, "sites")


def read_service(path: Path | str, *, vintage: str | None = None) -> Reading:
    """Read a broadband table: a row is what an operator offers in a commune. CSV or XLSX.

    Parameters
    ----------
    path : Path
        Headings in Vietnamese or English.
    vintage : str, optional
        Which commune map the codes are of, where the table does not say it: "2025" or
        "before-2025". Left empty, the column stays empty and the names decide later.

    Returns
    -------
    Reading
        `layer`: DataFrame, schema "service" and `source_row`; `report`: every row.

    Raises
    ------
    InputFileError, SchemaError
        Where the file as a whole cannot be used; wrong rows are set aside and listed.
    """
    path = Path(path)
    table = _from_cells(read_cells(path, "service"), "service")
    said = table.frame.get("vintage", pd.Series(pd.NA, index=table.frame.index, dtype="str"))
    table.frame["vintage"] = said if vintage is None else said.fillna(vintage)
    table.pad_codes()
    return table.close(path, "service")


@dataclass
class _Table:
    """A table on its way from cells to a layer: rows are set aside, never dropped."""

    frame: pd.DataFrame
    rows: pd.Series
    notes: list[str]
    repairs: list[Problem] = field(default_factory=list)
    wrong: dict[object, list[Problem]] = field(default_factory=lambda: defaultdict(list))

    def refuse(self, mask: pd.Series, name: str, found: pd.Series, expected: str) -> None:
        """Note a problem for each row of the mask."""
        for index in mask.index[mask.fillna(False).astype(bool)]:
            self.wrong[index].append(
                Problem(row=int(self.rows[index]), field=name, found=repr(found[index]),
                        expected=expected)
            )  # fmt: skip

    def locate(self, crs: str | None) -> None:
        """Turn lon, lat or x, y into points in EPSG:4326."""
        frame = self.frame
        if {"lon", "lat"} <= set(frame.columns):
            x, y, source = frame["lon"], frame["lat"], LON_LAT
        elif {"x", "y"} <= set(frame.columns):
            if crs is None:
                raise CrsError("sites: places are given as x, y: say in which CRS (--crs EPSG:N)")
            x, y, source = *self._east_north(frame["x"], frame["y"]), crs
        else:
            missing = [n for n in ("lon", "lat") if n not in frame]
            raise SchemaError(
                "sites",
                [Problem(row=None, field=n, found="no such column", expected="a column of degrees")
                 for n in missing],
            )  # fmt: skip
        try:
            change = pyproj.Transformer.from_crs(source, LON_LAT, always_xy=True)
        except pyproj.exceptions.CRSError as error:
            raise CrsError(f"--crs {source}: not a CRS that PROJ knows") from error
        lon, lat = change.transform(x.to_numpy(float), y.to_numpy(float))
        is_place = (np.abs(lon) <= 180) & (np.abs(lat) <= 90) & np.isfinite(lon) & np.isfinite(lat)
        is_place &= ~((lon == 0) & (lat == 0))
        found = x.astype(str) + ", " + y.astype(str)
        self.refuse(pd.Series(~is_place, frame.index), "lon, lat", found, "a place on earth")
        points = gpd.points_from_xy(
            np.where(is_place, lon, np.nan), np.where(is_place, lat, np.nan)
        )
        columns = frame.drop(columns=[n for n in ("lon", "lat", "x", "y") if n in frame])
        self.frame = gpd.GeoDataFrame(columns, geometry=points, crs=LON_LAT)

    def _east_north(self, x: pd.Series, y: pd.Series) -> tuple[pd.Series, pd.Series]:
        if x.median() > y.median():  # northings exceed 850 km, eastings do not, all over Vietnam
            self.notes.append("X holds the larger numbers: read as northing, Y as easting")
            return y, x
        return x, y

    def name_sites(self) -> None:
        """Give a number to sites and sectors that have none; leave repeated cells to the schema."""
        frame = self.frame
        for name, prefix in (("site_id", "row-"), ("sector_id", "")):
            if name in frame and frame[name].notna().all():
                continue
            made = prefix + self.rows.astype("str")
            frame[name] = made if name not in frame else frame[name].fillna(made)
            self.notes.append(f"{name}: made from the row number where the file has none")

    def pad_codes(self) -> None:
        """Give back the leading zeros that a spreadsheet took from five-digit commune codes."""
        if "commune_code" not in self.frame:
            return
        codes = self.frame["commune_code"]
        is_short = codes.str.fullmatch(r"\d{1,4}").fillna(False).astype(bool)
        self.frame["commune_code"] = codes.where(~is_short, codes.str.zfill(5))
        for index in codes.index[is_short]:
            self.repairs.append(
                Problem(row=int(self.rows[index]), field="commune_code", found=codes[index],
                        expected="five digits", message="leading zeros put back")
            )  # fmt: skip

    def close(self, path: Path, layer: str) -> Reading:
        """Hold the rows against the schema, set the wrong ones aside, and give the account."""
        described = LAYERS[layer]
        lenient = ("vintage",) if layer == "service" else ()
        missing = [n for n in described.required if n not in self.frame and n not in lenient]
        if missing:
            raise SchemaError(
                f"{path.name}: {layer}",
                [Problem(row=None, field=name, found="no such column",
                         expected=described.column(name).meaning) for name in missing],
            )  # fmt: skip
        index_of = dict(zip(self.rows, self.rows.index, strict=True))
        good = self.frame.drop(index=list(self.wrong))
        for problem in find_problems(good, layer, rows=self.rows):
            if problem.row is None:
                raise SchemaError(f"{path.name}: {layer}", [problem])
            if problem.field in lenient:
                continue
            self.wrong[index_of[problem.row]].append(problem)
        used = self.frame.drop(index=list(self.wrong)).assign(source_row=self.rows)
        report = ReadReport(
            file=str(path),
            layer=layer,
            rows_in=len(self.frame),
            rows_used=len(used),
            rows_quarantined=len(self.wrong),
            quarantine=tuple(p for index in sorted(self.wrong, key=str) for p in self.wrong[index]),
            repairs=tuple(self.repairs),
            notes=tuple(self.notes),
        )
        return Reading(used.reset_index(drop=True), report)


def _from_cells(cells: Cells, layer: str) -> _Table:
    """Read each known column as what the schema says it holds."""
    width = len(cells.headers)
    rows = pd.Series(cells.numbers, dtype="int64")
    padded = [[*row[:width], *[""] * (width - len(row))] for row in cells.rows]
    table = _Table(frame=pd.DataFrame(index=rows.index), rows=rows, notes=list(cells.notes))
    extra = pd.Series([len(row) > width and any(row[width:]) for row in cells.rows], dtype="bool")
    table.refuse(extra, "row", rows.astype("str"), f"{width} cells, as the headings have")
    columns = {
        name: pd.Series([row[i] for row in padded], dtype="str")
        for i, name in cells.columns.items()
    }
    for name, values in columns.items():
        table.frame[name] = _parse(table, name, values, layer)
    return table


def _parse(table: _Table, name: str, values: pd.Series, layer: str) -> pd.Series:
    kinds = {column.name: column for column in LAYERS[layer].columns}
    if name in ("lon", "lat", "x", "y"):
        limit = 180.0 if name in ("lon", "lat") else np.inf
        numbers, is_wrong = parse_numbers(values, limit=limit)
        table.refuse(is_wrong, name, values, "a number")
        return numbers
    column = kinds[name]
    if column.kind == "number":
        parsed, is_wrong = parse_numbers(values)
    elif column.kind == "date":
        parsed, is_wrong = parse_dates(values)
    elif column.kind == "yes_no":
        parsed, is_wrong = parse_yes_no(values)
    else:
        text = parse_text(values)
        return as_words(text, name) if column.choices else text
    expected = {"number": "a number", "date": "a date", "yes_no": "yes or no"}[column.kind]
    table.refuse(is_wrong, name, values, expected)
    return parsed


def _from_vector(path: Path, layer: str) -> _Table:
    """Read a vector layer; its attributes go through text, as a table's cells do."""
    features = read_vector(path)
    names = [c for c in features.columns if c != features.geometry.name]
    found = match_headers(names, layer)
    rows = pd.Series(range(1, len(features) + 1), dtype="int64")
    table = _Table(frame=pd.DataFrame(index=rows.index), rows=rows, notes=[])
    for position, name in found.items():
        if name in ("lon", "lat", "x", "y"):
            continue
        values = features[names[position]]
        text = values.map(_as_text, na_action="ignore").fillna("").astype("str")
        table.frame[name] = _parse(table, name, text.reset_index(drop=True), layer)
    table.frame = gpd.GeoDataFrame(
        table.frame, geometry=features.geometry.to_numpy(), crs=features.crs
    )
    table.frame = table.frame.to_crs(LON_LAT)
    return table


def _as_text(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)

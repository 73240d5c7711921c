"""Site lists and broadband tables: rows in, a layer and the account of every row out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

from phusong.crosswalk import place_service
from phusong.io.cells import Cells, read_cells
from phusong.io.embedded import embedded_path
from phusong.io.headers import Vocabulary, match_headers, own_vocabulary, plain
from phusong.io.places import check_places, locate
from phusong.io.registers import read_crosswalk
from phusong.io.report import Reading
from phusong.io.rows import Rows
from phusong.io.table import Table, take_distinct
from phusong.io.vectors import VECTORS, open_vector
from phusong.names import normalise_name

__all__ = ["read_feature_table", "read_service", "read_sites"]

LON_LAT = "EPSG:4326"
MOVED_M = 200.0
SUBSCRIBERS_PER_HOUSEHOLD = 3.0
NOT_STATED = "not stated"
SHOWN_ROWS = 50


def read_sites(
    path: Path | str,
    *,
    crs: str | None = None,
    communes: gpd.GeoDataFrame | None = None,
    as_of: date | None = None,
    aliases: Vocabulary | None = None,
) -> Reading:
    """Read a site list: a row is a cell. CSV, XLSX, XLS, OpenCelliD, or a vector layer.

    Parameters
    ----------
    path : Path
        Headings in Vietnamese or English. Places are degrees (WGS 84) in any spelling, or `x`,
        `y` in `crs`. In a vector layer the geometry is the place, or the operator's own polygon.
    crs : str, optional
        The CRS of `x`, `y`. Of two columns in metres, the one with the larger numbers is the
        northing: Vietnamese sheets call it X.
    communes : GeoDataFrame, optional
        Schema "communes", EPSG:4326. Sites that stand well outside them are set aside; those in
        another commune than the one named are noted.
    as_of : date, optional
        The day of the data: a cell that goes on air after it counts as planned, and is listed.
    aliases : Vocabulary, optional
        Our headings and words with the user's own (`aliases.read_aliases`).

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
        table = read_feature_table(path, "sites", crs, aliases or own_vocabulary())
    else:
        cells = read_cells(path, "sites", aliases)
        table = Table.from_cells(cells, path, "sites")
        locate(table, crs, communes)
        _set_aside_faults(table)
    _split_modes(table)
    _know_operators(table)
    _name_sites(table)
    if communes is not None:
        check_places(table, communes)
    if as_of is not None:
        _plan_later(table, as_of)
    return table.close()


def read_service(
    path: Path | str,
    *,
    vintage: str | None = None,
    communes: gpd.GeoDataFrame | None = None,
    crosswalk: pd.DataFrame | None = None,
    names: Mapping[str, str] | None = None,
    aliases: Vocabulary | None = None,
) -> Reading:
    """Read a broadband table: a row is what an operator offers in a commune. CSV, XLSX or XLS.

    Parameters
    ----------
    path : Path
    vintage : str, optional
        Which commune map the codes are of, where no `vintage` column says it.
    communes : GeoDataFrame, optional
        Schema "communes". Decides the vintage; rows whose commune is not known are set aside.
        Gives the codes of rows that only name their commune; nothing is matched by likeness.
    crosswalk : DataFrame, optional
        The communes of before that lead to these; Thanh Hóa's without it.
    names : Mapping, optional
        Names that a person confirmed (`confirm.read_names`): as the table has them, normalised,
        to the commune's own. Each use is listed as a repair.
    aliases : Vocabulary, optional
        Our headings and words with the user's own (`aliases.read_aliases`).

    Returns
    -------
    Reading
        `layer`: DataFrame, schema "service" (`vintage` may be NA) and `source_row`; `report`.
    """
    path = Path(path)
    cells = read_cells(path, "service", aliases)
    table = Table.from_cells(cells, path, "service")
    _imply_technology(table, cells)
    _confirm_names(table, names or {})
    _code_by_name(table, communes)
    said = table.frame.get("vintage", pd.Series(pd.NA, table.frame.index, dtype="str"))
    table.frame["vintage"] = said if vintage is None else said.fillna(vintage)
    table.pad_codes()
    _note_many_subscribers(table)
    if communes is not None:
        _place(table, communes, crosswalk)
    return table.close(lenient=("vintage",))


def _place(table: Table, communes: gpd.GeoDataFrame, crosswalk: pd.DataFrame | None) -> None:
    """Decide the vintage of the codes; set aside rows of no known commune, and their rivals."""
    links = read_crosswalk(embedded_path("crosswalk")) if crosswalk is None else crosswalk
    good = table.frame[table.is_good]
    placed, problems = place_service(good, communes, links, rows=table.rows)
    table.frame["vintage"] = placed["vintage"].reindex(table.frame.index)
    for problem in problems:
        table.wrong[problem.row or 0].append(problem)
    stray = good.index.difference(placed.index)
    names = ["commune_code", "operator", "technology"]
    rivals = placed.reset_index().merge(good.loc[stray, names], on=names)["index"]
    codes = table.frame["commune_code"].fillna("")
    expected = "a code that no other row gives to another commune (duplicate, trùng mã)"
    table.refuse(codes.index.to_series().isin(rivals), "commune_code", codes, expected)


def _set_aside_faults(table: Table) -> None:
    if "fault" in table.frame:
        fault = table.frame.pop("fault")
        table.refuse(
            fault.notna(), "row", fault.fillna(""), "a cell of Vietnam with possible values"
        )


def _split_modes(table: Table) -> None:
    """Keep the generation in `technology` and how 5G is built in `nr_mode`."""
    frame = table.frame
    if "technology" not in frame:
        return
    found = take_distinct(
        frame["technology"], lambda words: words.str.extract(r"^5G (NSA|SA)$")[0].astype("str")
    )
    if found.notna().any():
        frame["nr_mode"] = found if "nr_mode" not in frame else frame["nr_mode"].fillna(found)
        frame["technology"] = frame["technology"].where(found.isna(), "5G")


def _know_operators(table: Table) -> None:
    """Set aside operators that nobody knows, in a table that mostly names known ones."""
    if "operator" not in table.frame:
        return
    operator = table.frame["operator"]
    known = table.cells.vocabulary.register["words"]["operator"]
    is_known = operator.isin(known)
    if is_known.sum() * 2 < operator.notna().sum():
        strangers = sorted(set(operator.dropna()[~is_known]))
        if strangers:
            table.notes.append(f"operators that no list names: {', '.join(strangers[:20])}")
        return
    table.refuse(~is_known & operator.notna(), "operator", operator.fillna(""),
                 "one of " + ", ".join(known))  # fmt: skip


def _name_sites(table: Table) -> None:
    """Give a number to sites and sectors that have none; set aside one site in two places."""
    frame = table.frame
    has_sectors = "sector_id" in frame and frame["sector_id"].notna().all()
    if "site_id" in frame and not has_sectors:
        _refuse_conflicts(table)
    part = ("-" + table.part.astype("str")).where(table.part != 0, "")
    for name, prefix in (("site_id", "row-"), ("sector_id", "")):
        if name in frame and frame[name].notna().all():
            if name == "sector_id" and table.part.any():
                frame[name] = frame[name] + part
            continue
        made = prefix + table.rows.astype("str") + (part if name == "sector_id" else "")
        is_made = table.is_good if name not in frame else frame[name].isna() & table.is_good
        frame[name] = made if name not in frame else frame[name].fillna(made)
        if is_made.any():
            table.notes.append(f"{name}: made from the row number where the file has none")


def _refuse_conflicts(table: Table) -> None:
    """Set aside rows that give one site two places, or one of its cells two descriptions."""
    frame = table.frame[table.is_good]
    owner = [frame["operator"], frame["site_id"]] if "operator" in frame else [frame["site_id"]]
    points = frame.geometry.representative_point()
    x, y = points.x * 104_000, points.y * 111_000  # degrees to metres, near 20° north
    spread = pd.concat(
        [
            axis.groupby(owner, dropna=False).transform(lambda v: v.max() - v.min())
            for axis in (x, y)
        ],
        axis=1,
    ).max(axis=1)
    is_moved = (spread > MOVED_M) & frame["site_id"].notna()
    expected = "one place for a site (duplicate, trùng mã)"
    table.refuse(is_moved, "site_id", frame["site_id"].fillna(""), expected)
    names = ("operator", "site_id", "technology", "frequency_mhz", "azimuth_deg", "nr_mode")
    cell = frame[[name for name in names if name in frame]].assign(part=table.part[frame.index])
    is_twice = cell.duplicated(keep=False) & frame["site_id"].notna() & ~is_moved
    expected = "one row for a cell (duplicate, trùng): these rows say different things of it"
    table.refuse(is_twice, "site_id", frame["site_id"].fillna(""), expected)


def _plan_later(table: Table, as_of: date) -> None:
    """Count cells that go on air after the day of the data as planned."""
    frame = table.frame
    if "on_air_date" not in frame:
        return
    status = frame.get("status", pd.Series(pd.NA, frame.index, dtype="str"))
    is_later = (frame["on_air_date"] > pd.Timestamp(as_of)) & status.fillna("on_air").eq("on_air")
    if is_later.any():
        frame["status"] = status.where(~is_later, "planned")
        found = frame["on_air_date"].dt.strftime("%Y-%m-%d").fillna("")
        table.mend(is_later, "status", found, f"a day until {as_of}", "in the future: planned")


def _imply_technology(table: Table, cells: Cells) -> None:
    """Fill operator and technology that the table does not state; say so."""
    frame = table.frame
    if "technology" not in frame:
        implied = {
            plain(alias): technology
            for technology, aliases in cells.vocabulary.register["implied"]["technology"].items()
            for alias in aliases
        }
        found = {implied[plain(h)] for h in cells.headers if plain(h) in implied}
        frame["technology"] = found.pop() if len(found) == 1 else "broadband"
        table.notes.append(f"no column of technology: read as {frame['technology'].iloc[0]}")
    if "operator" not in frame:
        frame["operator"] = NOT_STATED
        table.notes.append(f"no column of operator: {NOT_STATED}, one for all rows")


def _confirm_names(table: Table, names: Mapping[str, str]) -> None:
    if not names or "commune_name" not in table.frame:
        return
    found = table.frame["commune_name"].fillna("")
    chosen = found.map({name: names.get(normalise_name(name)) for name in found.unique()})
    is_chosen = chosen.notna()
    table.frame["commune_name"] = table.frame["commune_name"].where(~is_chosen, chosen)
    table.mend(is_chosen, "commune_name", found, "a commune's own name", "as confirmed by hand")


def _code_by_name(table: Table, communes: gpd.GeoDataFrame | None) -> None:
    """Give codes to a table that only names its communes, by full name."""
    frame = table.frame
    if "commune_code" in frame or "commune_name" not in frame or communes is None:
        return
    known = communes.assign(key=communes["commune_name"].map(normalise_name))
    known = known.drop_duplicates("key", keep=False).set_index("key")["commune_code"]
    names = frame["commune_name"].fillna("")
    frame["commune_code"] = names.map(normalise_name).map(known).astype("str")
    expected = "a commune of the boundaries by its full name; one of before 2025 needs its code"
    table.refuse(frame["commune_code"].isna(), "commune_name", names, expected)
    table.notes.append("communes are known by their names: the table holds no codes")


def _note_many_subscribers(table: Table) -> None:
    frame = table.frame
    if not {"subscribers", "households"} <= set(frame.columns):
        return
    is_odd = frame["subscribers"] > SUBSCRIBERS_PER_HOUSEHOLD * frame["households"]
    if is_odd.any():
        rows = ", ".join(str(row) for row in table.rows[is_odd][:SHOWN_ROWS])
        table.notes.append(
            f"rows {rows}: more than {SUBSCRIBERS_PER_HOUSEHOLD:g} subscribers a household"
        )


def read_feature_table(path: Path, layer: str, crs: str | None, vocabulary: Vocabulary) -> Table:
    """Read a vector layer; its attributes go through text, as a table's cells do."""
    found = open_vector(path, crs=crs)
    features = found.layer
    names = [str(c) for c in features.columns if c != features.geometry.name]
    columns = {
        i: name
        for i, name in match_headers(names, layer, vocabulary).items()
        if name not in ("lon", "lat", "x", "y")
    }
    texts = [
        features[name].map(_as_text, na_action="ignore").fillna("").astype("str") for name in names
    ]
    cells = Cells(
        columns=columns,
        headers=names,
        rows=Rows(
            columns=[pa.chunked_array([text.tolist()], pa.large_string()) for text in texts],
            widths=np.full(len(features), len(names)),
            numbers=np.arange(1, len(features) + 1),
        ),
        n_blank=0,
        copies=(),
        repairs=tuple(found.repairs),
        notes=tuple(found.notes),
        vocabulary=vocabulary,
    )
    table = Table.from_cells(cells, path, layer)
    shapes = features.geometry.to_crs(LON_LAT).iloc[table.rows.to_numpy() - 1]
    table.frame = gpd.GeoDataFrame(table.frame, geometry=shapes.to_numpy(), crs=LON_LAT)
    return table


def _as_text(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)

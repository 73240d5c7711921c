"""Runs read back: their figures, and the study they were made of where its files still are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from phusong.errors import InputFileError
from phusong.indicators import COLUMNS
from phusong.io.embedded import embedded_path
from phusong.io.settings import PATHS, Study
from phusong.io.staging import (
    RUN_FILE,
    finish_publication,
    hash_file,
    listed_files,
    require_untouched,
)

__all__ = ["DatedRun", "find_runs", "read_dated_table", "read_run"]

NEEDED = (
    "commune_code", "vintage", "indicator", "service", "operator", "as_of", "share", "denominator",
)  # fmt: skip
TABLES = (".parquet", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedRun:
    """The figures of one date.

    Attributes
    ----------
    name : str
        The folder, or the table.
    as_of : date
    indicators : DataFrame
        The tidy table.
    communes : DataFrame or GeoDataFrame
        `commune_code`, `vintage`, `commune_name`, `province_code`; polygons where they are known.
    made_of : Mapping
        The sha256 of each input, by what it is; empty for a table.
    settings : tuple
        What else decided how it counted: size of the cells, whether the service table was
        complete, the version of phusong; empty for a table.
    study : Study, optional
        What the run was made of, with the files as they were found again.
    lost : tuple of str
        Inputs that were not found again, or are no longer what they were.
    is_synthetic, is_schematic : bool
    """

    name: str
    as_of: date
    indicators: pd.DataFrame
    communes: pd.DataFrame
    made_of: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[object, ...] = ()
    study: Study | None = None
    lost: tuple[str, ...] = ()
    is_synthetic: bool = False
    is_schematic: bool = False

    @property
    def vintage(self) -> str:
        """The commune map of the figures."""
        return str(self.indicators["vintage"].iloc[0])

    @property
    def why_lost(self) -> str:
        """Why it cannot be counted again; "" where it can."""
        if self.study is not None:
            return ""
        if not self.made_of:
            return f"{self.name} is a table, whose sheets are not known"
        return f"{self.name}: inputs gone: {', '.join(self.lost)}"


def find_runs(paths: Sequence[Path]) -> list[Path]:
    """Return the run folders and tables that the paths name; a folder of runs gives each of them.

    Raises
    ------
    InputFileError
        If a path is neither a run, nor a folder that holds runs, nor a table.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            finish_publication(path)
            runs = [path] if (path / RUN_FILE).is_file() else _runs_in(path)
        else:
            runs = [path] if path.is_file() and path.suffix.lower() in TABLES else []
        if not runs:
            raise InputFileError(
                f"{path}: neither a run (a folder with {RUN_FILE}), nor a folder of runs, nor a "
                f"table of dated indicators ({', '.join(TABLES)})"
            )
        found += [run for run in runs if run not in found]
    return found


def _runs_in(folder: Path) -> list[Path]:
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    for path in inside:
        finish_publication(path)
    return [path for path in inside if (path / RUN_FILE).is_file() and _is_assessed(path)]


def _is_assessed(folder: Path) -> bool:
    return "indicators.parquet" in listed_files(folder)


def read_run(folder: Path, *, search: Iterable[Path] = ()) -> DatedRun:
    """Read the figures of a run, and find again the files that it was made of.

    `run.json` names its inputs and their sha256, not where they lay. They are looked for by name
    in the folders of `search`, in the run's folder and the one around it (and in `inputs` of
    both), and among the embedded files; only a file with the same sha256 counts.

    Raises
    ------
    InputFileError
        If the folder holds no run, or one of its tables was changed after the run.
    """
    for name in ("indicators.parquet", "communes.parquet"):
        require_untouched(folder, name)
    try:
        run = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        parameters = dict(run["parameters"])
        made_of = {name: str(entry["sha256"]) for name, entry in run["inputs"].items()}
        names = {name: Path(str(entry["file"])).name for name, entry in run["inputs"].items()}
        as_of = date.fromisoformat(parameters["as_of"])
        settings = (parameters["cell_m"], parameters["service_is_complete"],
                    parameters.get("terrain_kind"), run["versions"]["phusong"])  # fmt: skip
        places = _places(folder, search)
        paths = {name: _find(names[name], made_of[name], places) for name in names}
        lost = tuple(f"{name} ({names[name]})" for name, path in paths.items() if path is None)
        study = None if lost else _study(parameters, as_of, paths)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputFileError(f"{folder / RUN_FILE}: not of a run: {error!r}") from error
    indicators = pd.read_parquet(folder / "indicators.parquet")
    return DatedRun(
        name=folder.name,
        as_of=as_of,
        indicators=indicators,
        communes=gpd.read_parquet(folder / "communes.parquet"),
        made_of=made_of,
        settings=settings,
        study=study,
        lost=lost,
        is_synthetic="synthetic" in indicators,
        is_schematic="schematic" in indicators,
    )


def _places(folder: Path, search: Iterable[Path]) -> list[Path]:
    around = folder.resolve().parent
    near = [folder, around]
    below = [place / "inputs" for place in near if (place / "inputs").is_dir()]
    deep = [*search, *below]
    return [*near, *(d for place in deep for d in (place, *_folders(place)))]


def _folders(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.is_dir())


def _find(name: str, sha256: str, places: Sequence[Path]) -> Path | None:
    candidates = [place / name for place in (*places, embedded_path("communes").parent)]
    same = (path for path in candidates if path.is_file() and hash_file(path) == sha256)
    return next(same, None)


def _study(
    parameters: Mapping[str, object], as_of: date, paths: Mapping[str, Path | None]
) -> Study:
    known = {f.name for f in fields(Study)} - {*PATHS, "sites"}
    given = {name: value for name, value in parameters.items() if name in known}
    sources = given.get("sources")
    given |= {
        "as_of": as_of,
        "sources": tuple(map(str, sources)) if isinstance(sources, list) else (),
        **{name: path for name, path in paths.items() if not name.startswith("sites[")},
        "sites": tuple(path for name, path in paths.items() if name.startswith("sites[")),
    }
    if parameters.get("population") == "even":
        given["population"] = "even"
    return Study(**given)  # type: ignore[arg-type]


def read_dated_table(path: Path) -> list[DatedRun]:
    """Read a table of dated indicators (Parquet or CSV), one run for each of its dates.

    Columns as the tidy table's; `share_low` and `share_high` may be absent (no interval), and so
    may `commune_name` and `province_code`. What it was made of is not known.

    Raises
    ------
    InputFileError
        If it cannot be read, a column is missing, a date mixes vintages, or rows occur twice.
    """
    table = _read_table(path)
    missing = [name for name in NEEDED if name not in table]
    if missing:
        raise InputFileError(f"{path}: lacks the columns {', '.join(missing)}")
    days = pd.to_datetime(table["as_of"], errors="coerce")
    shares = [name for name in ("share", "share_low", "share_high") if name in table]
    values = table[shares].apply(pd.to_numeric, errors="coerce")
    wrong = days.isna() | ((values < 0) | (values > 1)).any(axis=1)
    wrong |= (values.isna() & table[shares].notna()).any(axis=1)
    if wrong.any():
        rows = ", ".join(str(i + 2) for i in wrong.index[wrong][:20])
        raise InputFileError(f"{path}: rows {rows}: as_of is no date, or a share not in 0 to 1")
    table = table.assign(
        **values, as_of=days, denominator=pd.to_numeric(table["denominator"], errors="coerce")
    ).reindex(columns=[*dict.fromkeys([*table.columns, "share_low", "share_high"])])
    defaults = {"evidence": "declared", "unit": "persons", "province_code": "?"}
    table = table.assign(**{name: v for name, v in defaults.items() if name not in table})
    return [_dated(path, day, rows) for day, rows in table.groupby("as_of", sort=True)]


def _read_table(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype={"commune_code": "str", "vintage": "str"})
    except (
        pa.ArrowInvalid,
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeError,
    ) as error:
        raise InputFileError(f"{path}: not a table of indicators: {error}") from error


def _dated(path: Path, day: pd.Timestamp, rows: pd.DataFrame) -> DatedRun:
    vintages = sorted(set(rows["vintage"]))
    if len(vintages) > 1:
        raise InputFileError(f"{path}: {day:%Y-%m-%d} mixes the vintages {', '.join(vintages)}")
    key = ["commune_code", "indicator", "service", "operator"]
    twice = rows[rows.duplicated(key)]
    if len(twice):
        shown = ", ".join(twice[key].astype("str").agg(" ".join, axis=1)[:5])
        raise InputFileError(f"{path}: {day:%Y-%m-%d}: rows that occur twice: {shown}")
    names = rows["commune_name"] if "commune_name" in rows else rows["commune_code"]
    communes = rows.assign(commune_name=names)
    columns = ["commune_code", "vintage", "commune_name", "province_code"]
    return DatedRun(
        name=f"{path.name} {day:%Y-%m-%d}",
        as_of=day.date(),
        indicators=rows[list(COLUMNS)].reset_index(drop=True),
        communes=communes[columns].drop_duplicates("commune_code").reset_index(drop=True),
        is_synthetic="synthetic" in rows,
        is_schematic="schematic" in rows,
    )

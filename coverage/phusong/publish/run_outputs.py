"""The runs that a site or a report is made of: held against their `run.json`, then read once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar, get_args

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from phusong.errors import InputFileError
from phusong.io.manifest import verify_run
from phusong.io.staging import RUN_FILE
from phusong.io.write import RISKY
from phusong.targets import Status

__all__ = ["KEYS", "Run", "find_reading", "read_account", "read_runs", "read_table"]

Table = TypeVar("Table", bound=pd.DataFrame)

KEYS = ["commune_code", "vintage"]
NEEDED = ("communes.parquet", "indicators.parquet", "gaps.csv", "targets.json", "summary.json")
SITE_COUNTS = "sites_by_commune.csv"
COMMUNE_COLUMNS = (*KEYS, "commune_name", "province_code", "area_km2", "population", "geometry")
INDICATOR_COLUMNS = (
    *KEYS, "indicator", "service", "operator", "evidence", "share", "share_low", "share_high",
)  # fmt: skip
GAP_NUMBERS = {
    "rank": "int64", "people_uncovered": "float64", "area_uncovered_km2": "float64",
    "nearest_site_km": "float64", "nearest_mast_km": "float64",
}  # fmt: skip
GAP_TEXTS = (
    *KEYS, "missing", "certainty", "basis", "operators_present", "nearest_site_operator", "reason",
)  # fmt: skip
ACCOUNT_KEYS = ("run_id", "inputs", "parameters", "versions", "files", "finished")
PARAMETER_KEYS = ("as_of", "place", "is_synthetic", "is_schematic")
SUMMARY_KEYS = ("worst_communes", "n_sites", "n_gaps", "rows", "notes", "sources")
TARGET_KEYS = (
    "target_id", "title_vi", "title_en", "words_vi", "document", "clause", "due", "status",
    "readings", "n_communes", "n_communes_short", "n_communes_undetermined", "people_short",
    "communes_short", "communes_undetermined",
)  # fmt: skip
READING_KEYS = (
    "label_vi", "label_en", "indicator", "service", "share_of", "commune_share", "threshold",
    "share", "share_low", "share_high",
)  # fmt: skip
STATUSES = get_args(Status)
# What HTML and XML may not hold: control signs, halves of surrogate pairs, non-characters.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The outputs of one run, as they were written.

    Attributes
    ----------
    folder : Path
    account : Mapping
        `run.json`.
    summary : Mapping
        `summary.json`.
    targets : tuple of Mapping
        Of `targets.json`.
    communes : GeoDataFrame, EPSG:4326
    indicators : DataFrame
        The tidy table.
    gaps : DataFrame
        `gaps.csv`.
    site_counts : DataFrame or None
        Sites on air by commune, operator and technology; None where the run did not write them.
    """

    folder: Path
    account: Mapping[str, Any]
    summary: Mapping[str, Any]
    targets: tuple[Mapping[str, Any], ...]
    communes: gpd.GeoDataFrame
    indicators: pd.DataFrame
    gaps: pd.DataFrame
    site_counts: pd.DataFrame | None

    @property
    def run_id(self) -> str:
        return str(self.account["run_id"])

    @property
    def as_of(self) -> date:
        return date.fromisoformat(self.account["parameters"]["as_of"])

    @property
    def place(self) -> str:
        return str(self.account["parameters"]["place"])

    @property
    def is_synthetic(self) -> bool:
        return bool(self.account["parameters"]["is_synthetic"])

    @property
    def is_schematic(self) -> bool:
        return bool(self.account["parameters"]["is_schematic"])

    @property
    def files(self) -> Mapping[str, Mapping[str, Any]]:
        """By name: `sha256` and `bytes`."""
        return dict(self.account["files"])


def read_runs(folders: Sequence[Path]) -> tuple[Run, ...]:
    """Return runs of one area in the order of their days, the latest last.

    A run that is given twice counts once.

    Parameters
    ----------
    folders : sequence of Path

    Raises
    ------
    InputFileError
        If a folder is no run, was changed after it, lacks a file, or if the runs do not belong
        together: two of one day, or of different provinces.
    """
    if not folders:
        raise InputFileError("found no run, expected the folder of at least one")
    runs = {run.run_id: run for run in (_read_run(folder) for folder in reversed(folders))}
    in_order = sorted(runs.values(), key=lambda run: run.as_of)
    for earlier, later in pairwise(in_order):
        if earlier.as_of == later.as_of:
            raise InputFileError(
                f"{earlier.folder} and {later.folder}: two different runs of {later.as_of}: "
                "publish one of them"
            )
        provinces = [_provinces(run) for run in (earlier, later)]
        if provinces[0] != provinces[1]:
            raise InputFileError(
                f"{earlier.folder} and {later.folder}: found the provinces {sorted(provinces[0])} "
                f"and {sorted(provinces[1])}, expected runs of one area"
            )
    return tuple(in_order)


def read_table(
    run: Run, name: str, *, numbers: Mapping[str, str], texts: Sequence[str]
) -> pd.DataFrame | None:
    """Return some columns of a CSV table of a run; None where the run did not write it.

    Parameters
    ----------
    run : Run
    name : str
    numbers : Mapping of str to str
        Columns and their type.
    texts : sequence of str

    Raises
    ------
    InputFileError
        If the table lacks a column, or has no number where one is expected.
    """
    if name not in run.files:
        return None
    try:
        return _read_csv(run.folder / name, numbers=numbers, texts=texts)
    except ValueError as error:
        raise InputFileError(f"{run.folder}: {name}: not what a run writes: {error}") from error


def find_reading(
    run: Run, target: Mapping[str, Any], wanted: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Return the reading of a run's target that reads the same, such as that of an earlier run."""
    same = ("indicator", "service", "share_of", "commune_share")
    for other in run.targets:
        for reading in other["readings"] if other["target_id"] == target["target_id"] else ():
            if all(reading[name] == wanted[name] for name in same):
                return dict(reading)
    return None


def read_account(folder: Path, name: str) -> Mapping[str, Any]:
    """Return the JSON of a folder that a verb wrote, such as `plan.json`.

    Raises
    ------
    InputFileError
        If the folder is not as it was left, or has no such file.
    """
    _require_untouched(folder)
    try:
        return dict(_read_json(folder / name))
    except (OSError, ValueError, TypeError) as error:
        raise InputFileError(f"{folder}: {name}: not what phusong writes: {error}") from error


def _provinces(run: Run) -> set[str]:
    return set(run.communes["province_code"].fillna(""))


def _require_untouched(folder: Path) -> None:
    if not folder.is_dir():
        raise InputFileError(f"{folder}: not the folder of a run")
    problems = verify_run(folder)
    if problems:
        raise InputFileError(
            f"{folder}: not as its run left it: {'; '.join(problems)}: run the study again"
        )


def _read_run(folder: Path) -> Run:
    _require_untouched(folder)
    try:
        return _read_outputs(folder)
    except InputFileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise InputFileError(f"{folder}: not what a run writes: {error}") from error


def _read_outputs(folder: Path) -> Run:
    account = _read_json(folder / RUN_FILE)
    missing = [name for name in NEEDED if name not in account["files"]]
    if missing:
        raise InputFileError(f"{folder}: the run did not write {', '.join(missing)}")
    communes = gpd.read_parquet(folder / "communes.parquet")
    indicators = pd.read_parquet(folder / "indicators.parquet")
    for table, columns in ((communes, COMMUNE_COLUMNS), (indicators, INDICATOR_COLUMNS)):
        lacking = [name for name in columns if name not in table]
        if lacking:
            raise InputFileError(f"{folder}: the columns {', '.join(lacking)} are missing")
    counts = None
    if SITE_COUNTS in account["files"]:
        texts = (*KEYS, "operator", "technology")
        counts = _read_csv(folder / SITE_COUNTS, numbers={"n_sites": "int64"}, texts=texts)
    run = Run(
        folder=folder,
        account=account,
        summary=_read_json(folder / "summary.json"),
        targets=tuple(_read_json(folder / "targets.json")["targets"]),
        communes=_cleaned(communes).sort_values(KEYS, ignore_index=True),
        indicators=_cleaned(indicators),
        gaps=_read_csv(folder / "gaps.csv", numbers=GAP_NUMBERS, texts=GAP_TEXTS),
        site_counts=counts,
    )
    _require_whole(run)
    return run


def _require_whole(run: Run) -> None:
    """Raise where a run lacks what pages need, such as one of a version that wrote less."""
    _ = run.as_of
    for name, table, keys in (
        (RUN_FILE, run.account, ACCOUNT_KEYS),
        (RUN_FILE, run.account["parameters"], PARAMETER_KEYS),
        ("summary.json", run.summary, SUMMARY_KEYS),
        *(("targets.json", target, TARGET_KEYS) for target in run.targets),
        *(("targets.json", r, READING_KEYS) for t in run.targets for r in t["readings"]),
    ):
        lacking = [key for key in keys if key not in table]
        if lacking:
            raise InputFileError(f"{run.folder}: {name}: lacks {', '.join(lacking)}")
    if run.communes.empty or run.communes.duplicated(KEYS).any():
        raise InputFileError(f"{run.folder}: communes.parquet: expected each commune once")
    known = set(run.communes["commune_code"])
    named = {worst["commune_code"] for worst in run.summary["worst_communes"]}
    for target in run.targets:
        named.update(target["communes_short"], target["communes_undetermined"])
        if target["status"] not in STATUSES:
            raise InputFileError(
                f"{run.folder}: targets.json: found the status {target['status']!r}, expected one "
                f"of {', '.join(STATUSES)}"
            )
    if not named <= known:
        raise InputFileError(
            f"{run.folder}: communes that communes.parquet does not hold: "
            f"{', '.join(sorted(named - known)[:5])}"
        )


def _read_json(path: Path) -> Any:
    return _plain(json.loads(path.read_text(encoding="utf-8")))


def _plain(value: Any) -> Any:
    """Return plain data with texts that a page may hold."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict):
        return {_clean(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _read_csv(path: Path, *, numbers: Mapping[str, str], texts: Sequence[str]) -> pd.DataFrame:
    """Read a table of ours; the apostrophe that keeps spreadsheets from running a text goes."""
    table = pd.read_csv(
        path,
        usecols=[*numbers, *texts],
        dtype=dict(numbers) | dict.fromkeys(texts, "str"),
        keep_default_na=False,
        na_values={name: [""] for name in numbers},
    )
    return _cleaned(table.assign(**{name: table[name].map(_unescape) for name in texts}))


def _unescape(text: str) -> str:
    return text[1:] if text.startswith(tuple(f"'{sign}" for sign in RISKY)) else text


def _cleaned(table: Table) -> Table:
    """Return a table with texts that a page may hold; each spelling is looked at once."""
    texts = table.select_dtypes(include=["str"])
    mended = {}
    for name in texts:
        spellings = {text: _clean(text) for text in texts[name].dropna().unique()}
        if any(text != clean for text, clean in spellings.items()):
            mended[name] = texts[name].map(spellings, na_action="ignore").astype("str")
    return table.assign(**mended)


def _clean(text: str) -> str:
    """Return a text with what no page may hold shown as the sign for it.

    >>> _clean("Xã\\x00A")
    'Xã\ufffdA'
    """
    return FORBIDDEN.sub("\ufffd", text)

"""The registers that come with phusong: targets and settings, default radii, the crosswalk."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from phusong.errors import InputFileError
from phusong.targets import Reading, Target

__all__ = ["Register", "read_crosswalk", "read_radii", "read_register", "read_weights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Targets with the settings that their readings need (thresholds, incomes, floor speed)."""

    targets: tuple[Target, ...]
    floor_mbps: float
    tier_share: float
    income_share: float
    income_vnd_month: float
    sources: tuple[str, ...]


def read_register(path: Path) -> Register:
    """Read a target register (TOML, as `data/targets.toml`).

    Raises
    ------
    InputFileError
        If the file is not TOML, or a target lacks a key or has one too many.
    """
    try:
        register = tomllib.loads(path.read_text(encoding="utf-8"))
        settings = register["settings"]
        return Register(
            targets=tuple(_target(entry) for entry in register["target"]),
            floor_mbps=float(settings["floor_mbps"]),
            tier_share=float(settings["tier_share"]),
            income_share=float(settings["income_share"]),
            income_vnd_month=float(settings["income_vnd_month"]),
            sources=(settings["floor_source"], settings["income_source"]),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputFileError(f"{path}: not a target register: {error!r}") from error


def _target(entry: dict[str, object]) -> Target:
    readings = entry["reading"]
    if not isinstance(readings, list) or not readings:
        raise ValueError(f"target {entry.get('target_id')}: needs at least one [[target.reading]]")
    fields = {name: value for name, value in entry.items() if name != "reading"}
    return Target(
        **fields,  # type: ignore[arg-type]
        readings=tuple(Reading(**{"threshold": None} | reading) for reading in readings),
    )


def read_radii(path: Path) -> pd.DataFrame:
    """Read the table of default radii by band (CSV, as `data/default_radii.csv`)."""
    return pd.read_csv(path)


def read_crosswalk(path: Path) -> pd.DataFrame:
    """Read a crosswalk of communes, every cell as text (CSV, as `data/thanh_hoa_crosswalk.csv`).

    Returns
    -------
    DataFrame
        `commune_code_old, commune_name_old, vintage_old, commune_code, commune_name, vintage,
        part, province_code`.

    Raises
    ------
    InputFileError
        If a column is missing.
    """
    table = pd.read_csv(path, dtype="str", keep_default_na=False)
    expected = ["commune_code_old", "commune_name_old", "commune_code", "commune_name", "part"]
    return _with_columns(table, [*expected, "vintage_old", "vintage"], path)


def read_weights(path: Path) -> pd.DataFrame:
    """Read the weights of split communes (CSV: commune_code_old, commune_code, weight).

    Raises
    ------
    InputFileError
        If a column is missing, or a weight is not a number of 0 or more.
    """
    keys = ["commune_code_old", "commune_code"]
    table = pd.read_csv(path, dtype="str", keep_default_na=False)
    table = _with_columns(table, [*keys, "weight"], path)
    weight = pd.to_numeric(table["weight"], errors="coerce")
    wrong = table.index[~(weight >= 0)]
    if len(wrong):
        rows = ", ".join(str(index + 2) for index in wrong[:20])
        raise InputFileError(f"{path}: weight: rows {rows} are not numbers of 0 or more")
    return table[keys].assign(weight=weight)


def _with_columns(table: pd.DataFrame, names: list[str], path: Path) -> pd.DataFrame:
    missing = [name for name in names if name not in table]
    if missing:
        raise InputFileError(f"{path}: lacks the columns {', '.join(missing)}")
    return table

"""How the figures of one commune came about: back to formula, cells of sites, and rows of files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.errors import InputFileError
from phusong.footprint import MOST_OPERATORS, cover_zones
from phusong.grid import grid_over
from phusong.indicators import SERVICES
from phusong.io.confirm import find_candidates
from phusong.io.dated import DatedRun, read_run
from phusong.io.embedded import embedded_path
from phusong.io.registers import read_radii
from phusong.io.report import ReadReport
from phusong.io.settings import Study
from phusong.io.staging import require_untouched
from phusong.io.study_layers import StudyLayers, read_layers
from phusong.io.tables import read_sites
from phusong.names import normalise_name, short_name, strip_accents
from phusong.prepare import prepare_communes, prepare_sites, select_on_air, unite_operators
from phusong.province import split_provinces
from phusong.ranges import fill_radii
from phusong.zonal import overlap_zones

__all__ = ["explain", "find_commune"]

SERVICE_ROW = [
    "source_row", "operator", "technology", "as_of", "downlink_mbps", "households_passed",
    "households", "subscribers", "price_vnd_month", "at_centre", "villages_served", "villages",
]  # fmt: skip
AREA_KM2 = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    indicator: str | None
    service: str | None
    operator: str


def explain(
    folder: Path,
    commune: str,
    *,
    indicator: str | None = None,
    service: str | None = None,
    operator: str = "any",
    search: tuple[Path, ...] = (),
) -> dict[str, Any]:
    """Return how the figures of a commune came about, as plain data.

    Parameters
    ----------
    folder : Path
        Of a run.
    commune : str
        Code or name, with or without its type and accents.
    indicator, service : str, optional
        Only these figures.
    operator : str
        "any", "two_or_more" or one operator; its figures and its cells.
    search : tuple of Path
        Folders where the inputs of the run may lie; see `read_run`.

    Returns
    -------
    dict
        `commune`, `run`, `figures` (with numerator, denominator and the name of the formula),
        `cells` that reach the commune with the file and row of each and the km² that it covers
        alone, `service_rows`, `targets`, `set_aside`, `repaired`, `inputs` and `cells_are` (why
        there is no cell, or by what they were chosen).

    Raises
    ------
    InputFileError
        If the folder is no run or was changed, no figure is asked for, or the commune is not known
        or not one.
    """
    dated = read_run(folder, search=search)
    row = find_commune(dated.communes, commune)
    code = str(row["commune_code"])
    asked = _Asked(indicator=indicator, service=service, operator=operator)
    figures = _figures(dated.indicators[dated.indicators["commune_code"] == code], asked)
    layers = None if dated.study is None else read_layers(dated.study)
    account: dict[str, Any] = {
        "commune": {name: _plain(row.get(name)) for name in (
            "commune_code", "vintage", "commune_name", "area_km2", "polygon_km2", "population",
        )},
        "run": {"folder": str(folder), "as_of": dated.as_of.isoformat(),
                "synthetic": dated.is_synthetic, "schematic": dated.is_schematic},
        "figures": figures,
        "cells": [],
        "cells_are": dated.why_lost,
        "service_rows": [],
        "targets": _targets(folder, code),
        **_problems(folder, _names_of(row), () if layers is None else layers.reports),
        "inputs": _inputs(folder, dated),
    }  # fmt: skip
    if dated.study is not None and layers is not None:
        account["service_rows"] = _service_rows(layers, dated.study, code)
        names = sorted({f["service"] for f in figures if f["service"] in SERVICES})
        account["cells"] = _cells(layers, dated.study, code, names, operator)
        account["cells_are"] = "footprints" if layers.model is None else "signals"
    return account


def find_commune(communes: pd.DataFrame, asked: str) -> pd.Series:
    """Return the row of a commune by its code or name.

    The code first, then the whole name, then the name without its type, then without accents.

    Raises
    ------
    InputFileError
        If none answers to it (with those written alike), or several do (with their codes).

    Examples
    --------
    >>> communes = pd.DataFrame({"commune_code": ["1", "2"],
    ...                          "commune_name": ["Xã Mường Lát", "Phường Hạc Thành"]})
    >>> find_commune(communes, "muong lat")["commune_code"]
    '1'
    """
    names = communes["commune_name"].astype(str)
    ways = (
        lambda text: text.strip(),
        normalise_name,
        lambda text: normalise_name(short_name(text)),
        lambda text: strip_accents(normalise_name(short_name(text))),
    )
    found = communes[communes["commune_code"] == asked.strip()]
    for way in ways:
        if len(found):
            break
        found = communes[(names.map(way) == way(asked)).to_numpy()]
    if found.empty:
        alike = find_candidates([asked], communes)[asked]
        said = f"; written alike: {', '.join(alike)}" if alike else ""
        raise InputFileError(f"{asked}: no commune of this run has that code or name{said}")
    if len(found) > 1:
        codes = ", ".join(f"{c} {n}" for c, n in zip(found["commune_code"], found["commune_name"],
                                                    strict=True))  # fmt: skip
        raise InputFileError(f"{asked}: {len(found)} communes; say the code: {codes}")
    return found.iloc[0]


def _figures(rows: pd.DataFrame, asked: _Asked) -> list[dict[str, Any]]:
    """Return the figures that are asked for, each with what it is divided by and of."""
    kept = rows[rows["operator"] == asked.operator]
    for name in ("indicator", "service"):
        if (value := getattr(asked, name)) is not None:
            kept = kept[kept[name] == value]
    if kept.empty:
        known = {
            name: ", ".join(sorted(set(rows[name])))
            for name in ("indicator", "service", "operator")
        }
        raise InputFileError(
            f"no such figure: indicators {known['indicator']}; services {known['service']}; "
            f"operators {known['operator']}"
        )
    columns = ["indicator", "service", "operator", "evidence", "share", "share_low", "share_high",
               "denominator", "unit"]  # fmt: skip
    table = kept[columns].assign(numerator=kept["share"] * kept["denominator"])
    is_share = table["indicator"].str.startswith("share_")
    table.loc[~is_share, "numerator"] = np.nan  # a commune is yes, no or unknown
    return [{key: _plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def _cells(
    layers: StudyLayers, study: Study, code: str, services: list[str], operator: str
) -> list[dict[str, Any]]:
    """Return the cells on air that reach a commune, the largest part of it first."""
    zone = _zone_of(layers, study, code)
    united, _ = unite_operators(prepare_sites(layers.sites))
    told = fill_radii(united, read_radii(embedded_path("radii")))
    on_air, _ = select_on_air(told.assign(commune_code=""), study.as_of)
    technologies = {t for name in services for t in SERVICES[name]}
    on_air = on_air[on_air["technology"].isin(technologies)].to_crs(zone.crs)
    if operator not in ("any", "two_or_more"):
        on_air = on_air[on_air["operator"] == operator]
    away_m = on_air.distance(zone.geometry.iloc[0]).to_numpy()
    widest_m = on_air["radius_high_m"].fillna(on_air["radius_m"]).to_numpy(float)
    if layers.model is not None:
        widest_m = np.full(len(on_air), layers.model.reach.radius_m)
    is_near = (away_m == 0.0) | (away_m < np.nan_to_num(widest_m))
    near = on_air[is_near].assign(distance_km=away_m[is_near] / 1000.0)
    if layers.model is None:
        near = near.assign(
            km2_alone=_alone_km2(near, zone, near["radius_m"]),
            km2_alone_high=_alone_km2(near, zone, near["radius_high_m"].fillna(near["radius_m"])),
        )
        near = near[near["km2_alone_high"] > 0.0].sort_values(
            ["km2_alone", "distance_km", "site_id", "sector_id"],
            ascending=[False, True, True, True],
        )
    else:
        near = near.sort_values(["distance_km", "site_id", "sector_id"])
    near = near.assign(source_file=_files_of(near, study))
    columns = ["source_file", "source_row", "site_id", "sector_id", "operator", "technology",
               "radius_m", "radius_low_m", "radius_high_m", "is_default_radius", "distance_km",
               "km2_alone", "km2_alone_high"]  # fmt: skip
    table = pd.DataFrame(near.drop(columns="geometry")).reindex(columns=columns)
    return [{key: _plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def _zone_of(layers: StudyLayers, study: Study, code: str) -> gpd.GeoDataFrame:
    """Return a commune as it was measured: its own part of overlaps, in its province's CRS."""
    zones, made = prepare_communes(layers.communes)
    parts = split_provinces(zones, made.gaps, None, crs=None, cell_m=study.cell_m)
    found = (part.communes[part.communes["commune_code"] == code] for part in parts)
    return next(rows for rows in found if len(rows))


def _alone_km2(cells: gpd.GeoDataFrame, zone: gpd.GeoDataFrame, radius_m: pd.Series) -> np.ndarray:
    """Return the km² of a zone that each cell would cover without the others."""
    weights = overlap_zones(zone, grid_over(zone, cell_m=1000.0))
    found = np.zeros(len(cells))
    for start in range(0, len(cells), MOST_OPERATORS):
        some = cells.iloc[start : start + MOST_OPERATORS].reset_index(drop=True)
        names = [str(i) for i in range(len(some))]
        radii = radius_m.iloc[start : start + len(some)].to_numpy()
        covered = cover_zones(
            some.assign(operator=names, radius_m=radii),
            zone,
            weights,
            services={"one": sorted(set(some["technology"]))},
            operators=names,
        )
        cell_m2 = weights.grid.cell_m**2
        found[start : start + len(some)] = covered.cells[0, 0, 2:] * cell_m2 * AREA_KM2
    return found


def _files_of(cells: pd.DataFrame, study: Study) -> list[str | None]:
    """Return the file that each cell was read from."""
    if len(study.sites) == 1:
        return [study.sites[0].name] * len(cells)
    place: dict[tuple[str, str], str] = {}
    for path in study.sites:
        layer = read_sites(path, crs=study.crs, as_of=study.as_of).layer
        for key in zip(layer["site_id"], layer["sector_id"], strict=True):
            place.setdefault((str(key[0]), str(key[1])), path.name)
    keys = zip(cells["site_id"], cells["sector_id"], strict=True)
    return [place.get((str(site), str(sector))) for site, sector in keys]


def _service_rows(layers: StudyLayers, study: Study, code: str) -> list[dict[str, Any]]:
    """Return the rows of the service table that name a commune, or an old one that went into it."""
    if layers.service is None or study.service is None:
        return []
    pairs = layers.crosswalk[layers.crosswalk["commune_code"] == code]
    vintage = str(layers.communes["vintage"].iloc[0])
    rows = layers.service
    is_own = (rows["commune_code"] == code) & (rows["vintage"] == vintage)
    is_part = rows["commune_code"].isin(pairs["commune_code_old"]) & (rows["vintage"] != vintage)
    columns = ["commune_code", "vintage", "commune_name", *SERVICE_ROW]
    table = pd.DataFrame(rows[is_own | is_part]).reindex(columns=columns)
    return [
        {"source_file": study.service.name} | {key: _plain(value) for key, value in row.items()}
        for row in table.to_dict("records")
    ]


def _targets(folder: Path, code: str) -> list[dict[str, Any]]:
    """Return what each target of the run says of a commune."""
    found = json.loads(require_untouched(folder, "targets.json").read_text(encoding="utf-8"))
    said = []
    for target in found["targets"]:
        state = "met"
        # A target that no commune was counted for has no data.
        if code in target["communes_undetermined"] or not target["n_communes"]:
            state = "undetermined"
        if code in target["communes_short"]:
            state = "short"
        titles = {
            key: target[key] for key in ("target_id", "title_vi", "title_en", "due", "status")
        }
        said.append(titles | {"commune": state})
    return said


def _names_of(commune: pd.Series) -> set[str]:
    """Return what a row may call a commune; a name that is a number could be anything."""
    short = short_name(str(commune["commune_name"]))
    names = {str(commune["commune_code"]), str(commune["commune_name"])}
    return names if short.isdigit() else names | {short}


def _problems(
    folder: Path, names: set[str], reports: Sequence[ReadReport]
) -> dict[str, list[dict[str, Any]]]:
    """Return the problems of rows that name a commune, as far as the rows are known."""
    rows = {
        (Path(report.file).name, str(number))
        for report in reports for number, cells in report.cells.items()
        if any(cell.strip() in names for cell in cells)
    }  # fmt: skip
    told = {}
    for key, file in (("set_aside", "quarantine.csv"), ("repaired", "repairs.csv")):
        path = require_untouched(folder, file)
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        is_named = [
            (Path(row["file"]).name, row["row"]) in rows or bool(names & set(row.values()))
            for row in table.to_dict("records")
        ]
        told[key] = table[np.array(is_named, bool)].to_dict("records")
    return told


def _inputs(folder: Path, dated: DatedRun) -> list[dict[str, str]]:
    """Return each input of the run, and whether it was found again as it was."""
    run: Mapping[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    gone = {entry.partition(" (")[0] for entry in dated.lost}
    return [
        {"what": what, "file": str(entry["file"]), "sha256": str(entry["sha256"]),
         "state": "gone or changed" if what in gone else "as it was"}
        for what, entry in run["inputs"].items()
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: None where it is not known."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return value.item() if isinstance(value, np.generic) else value

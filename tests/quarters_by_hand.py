"""A synthetic province with known truth: four quarters, a reform between the second and the third.

Four communes of 2 km × 2 km become two of 4 km × 2 km (the columns). Every mast covers a disc of
500 m that touches no other, so that what was built is a number of discs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
from conftest import square_communes

from phusong.io.embedded import embedded_path
from phusong.io.settings import Study
from phusong.runs import run_study

DAYS = (date(2025, 3, 31), date(2025, 6, 30), date(2025, 9, 30), date(2025, 12, 31))
NAMES = ("2025-q1", "2025-q2", "2025-q3", "2025-q4")
AREA_KM2 = 16.0
DISC_KM2 = math.pi * 0.25
# Name: x and y in metres from the corner, on air since, in the sheets from this quarter on.
MASTS = {
    "A": (600, 600, "2025-01-10", 1),
    "B": (2600, 600, "2025-05-05", 2),
    "C1": (3500, 3400, "2025-08-08", 3),
    "C2": (1300, 2550, "2025-08-09", 3),
    "D": (600, 3450, "2025-11-11", 4),
    "LATE": (2600, 2600, "2024-12-12", 4),  # long on air; only the fourth sheet has it
}
COMMUNE_SHARES = (0.3, 0.15, 0.15, 0.15)  # the fourth reading of 5G: redefined after the first


def communes_before() -> gpd.GeoDataFrame:
    """Return four communes of 1,000 people each, codes 00001 to 00004 by row."""
    return square_communes(2, 2).assign(vintage="before-2025", population=1000.0)


def communes_after() -> gpd.GeoDataFrame:
    """Return the two communes that 00001 and 00003, 00002 and 00004 became."""
    old = communes_before()
    west = old["commune_code"].isin(["00001", "00003"])
    merged = old.assign(side=west.map({True: "00001", False: "00002"})).dissolve("side")
    return gpd.GeoDataFrame(
        {
            "commune_code": ["00001", "00002"],
            "vintage": "2025",
            "commune_name": ["Xã Tây", "Xã Đông"],
            "province_code": "38",
            "population": [2000.0, 2000.0],
        },
        geometry=list(merged.geometry),
        crs=old.crs,
    )


def crosswalk() -> pd.DataFrame:
    """Return what the four became."""
    pairs = [("00001", "00001"), ("00003", "00001"), ("00002", "00002"), ("00004", "00002")]
    frame = pd.DataFrame(pairs, columns=["commune_code_old", "commune_code"])
    names = {"commune_name_old": "Xã", "commune_name": "Xã", "part": "whole"}
    return frame.assign(vintage_old="before-2025", vintage="2025", **names)


def sites_of(number: int) -> pd.DataFrame:
    """Return the sheet of a quarter."""
    rows = [
        {"site_id": name, "sector_id": "1", "operator": "Viettel", "technology": "5G",
         "radius_m": 500, "on_air_date": day, "x": 500_000 + x, "y": 2_200_000 + y}
        for name, (x, y, day, first) in MASTS.items()
        if first <= number
    ]  # fmt: skip
    return pd.DataFrame(rows)


def write_quarters(folder: Path, numbers: Sequence[int] = (1, 2, 3, 4)) -> list[Path]:
    """Write the inputs and run each quarter; return the folders of the runs."""
    return [_run(folder, number) for number in numbers]


def _run(folder: Path, number: int) -> Path:
    inputs = folder / "inputs" / NAMES[number - 1]
    inputs.mkdir(parents=True)
    is_after = number > 2
    layer = communes_after() if is_after else communes_before()
    layer.to_crs("EPSG:4326").to_parquet(inputs / "communes.parquet")
    sites_of(number).to_csv(inputs / "sites.csv", index=False)
    links = crosswalk() if is_after else crosswalk().iloc[:0]
    links.to_csv(inputs / "crosswalk.csv", index=False)
    text = embedded_path("targets").read_text(encoding="utf-8")
    text = text.replace("commune_share = 0.5", f"commune_share = {COMMUNE_SHARES[number - 1]}")
    (inputs / "targets.toml").write_text(text, encoding="utf-8")
    study = Study(
        communes=inputs / "communes.parquet",
        sites=(inputs / "sites.csv",),
        as_of=DAYS[number - 1],
        population="even",
        register=inputs / "targets.toml",
        crosswalk=inputs / "crosswalk.csv",
        vintage="2025" if is_after else "before-2025",
        crs="EPSG:5897",
        cell_m=100.0,
    )
    run_study(replace(study, is_synthetic=True), folder / NAMES[number - 1], with_map=False)
    return folder / NAMES[number - 1]

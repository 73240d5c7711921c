"""Dated studies of the embedded data: a synthetic network that grows, with a reform in between.

What changes from one quarter to the next is known, because it is made here:

- cells go on air by their `on_air_date`, and some service rows begin later than others (built);
- the first quarter is read with the income of 2023, the others with that of 2024 (redefined);
- the first two quarters are on the communes of before 2025-07-01 (boundary reform);
- until the fourth, the sheets lack some sites that have long been on air (data correction).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd

from phusong.crosswalk import BEFORE_2025
from phusong.io.embedded import embedded_path
from phusong.io.registers import read_crosswalk
from phusong.io.settings import Study
from phusong.io.write import write_text
from phusong.runs import demo_study

__all__ = ["ENDS", "quarter_studies"]

ENDS = (
    date(2025, 3, 31), date(2025, 6, 30), date(2025, 9, 30), date(2025, 12, 31),
    date(2026, 3, 31), date(2026, 6, 30),
)  # fmt: skip
REFORM = date(2025, 7, 1)
REPORTED = 4  # the quarter whose sheet first names the late sites
LATE_OPERATOR, LATE_TECHNOLOGY, EVERY = "VinaPhone", "5G", 8
BEGINS = {3: 2, 7: 3, 11: 4}  # of 16 service rows, those that begin in a later quarter
INCOME_2024 = "income_vnd_month = 5_400_000 "
INCOME_2023 = "income_vnd_month = 4_960_000 "
SURVEY_2024, SURVEY_2023 = "Living Standards Survey 2024", "Living Standards Survey 2023"
COUNTS = ("households_passed", "subscribers", "villages_served", "villages", "households")


def quarter_studies(folder: Path, count: int) -> list[tuple[str, Study]]:
    """Write the sheets of each quarter under `folder/inputs`, and return the studies by name.

    Parameters
    ----------
    folder : Path
    count : int
        From 1 to 6; the first is that which ends on 2025-03-31.

    Raises
    ------
    ValueError
        If there are not so many quarters.
    FileExistsError
        If a file of another content is where a sheet would be.
    """
    if not 1 <= count <= len(ENDS):
        raise ValueError(f"quarters: found {count}, expected 1 to {len(ENDS)}")
    sites = pd.read_csv(embedded_path("sites"), dtype="str", keep_default_na=False)
    offers = pd.read_csv(embedded_path("service"), dtype="str", keep_default_na=False)
    studies = []
    for number, day in enumerate(ENDS[:count], start=1):
        name = f"{day.year}-q{(day.month + 2) // 3}"
        inputs = folder / "inputs" / name
        study = replace(
            demo_study(),
            as_of=day,
            sites=(_write(_sites_of(sites, number), inputs / "sites.csv"),),
            service=_write(_service_of(offers, number), inputs / "service.csv"),
        )
        if day < REFORM:
            study = _before_reform(study, inputs)
        if number == 1:
            study = replace(study, register=_write_first_register(inputs))
        studies.append((name, study))
    return studies


def _before_reform(study: Study, inputs: Path) -> Study:
    crosswalk = read_crosswalk(embedded_path("crosswalk"))
    return replace(
        study,
        communes=embedded_path("communes_before"),
        vintage=BEFORE_2025,
        # no crosswalk leads to these communes
        crosswalk=_write(crosswalk.iloc[:0], inputs / "crosswalk.csv"),
    )


def _sites_of(sites: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the sheet of a quarter: what is on air by its end, and what is planned."""
    day = ENDS[number - 1]
    is_there = (sites["on_air_date"] <= day.isoformat()) | (sites["status"] == "planned")
    if number < REPORTED:
        is_there &= ~sites["site_id"].isin(_late_sites(sites))
    sheet = sites[is_there]
    # the names of communes are those of today
    return sheet.drop(columns="commune_name") if day < REFORM else sheet


def _late_sites(sites: pd.DataFrame) -> Sequence[str]:
    is_old = sites["on_air_date"] <= ENDS[0].isoformat()
    is_kind = (sites["operator"] == LATE_OPERATOR) & (sites["technology"] == LATE_TECHNOLOGY)
    return list(sites.loc[is_old & is_kind, "site_id"].drop_duplicates())[::EVERY]


def _service_of(offers: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the offers of a quarter, on the communes that there were."""
    begins = (pd.Series(range(len(offers))) % 16).map(BEGINS).fillna(1)
    sheet = offers[begins.to_numpy() <= number].assign(as_of=ENDS[number - 1].isoformat())
    return sheet if ENDS[number - 1] >= REFORM else _on_old_communes(sheet)


def _on_old_communes(sheet: pd.DataFrame) -> pd.DataFrame:
    """Return the offers of a commune as offers of each of its parts, the counts in equal shares."""
    links = read_crosswalk(embedded_path("crosswalk")).drop_duplicates("commune_code_old")
    n_parts = links.groupby("commune_code")["commune_code_old"].transform("size")
    communes = gpd.read_parquet(embedded_path("communes"))
    households = communes.set_index("commune_code")["households"].astype("str")
    parts = sheet.assign(households=sheet["commune_code"].map(households)).merge(
        links[["commune_code", "commune_code_old", "commune_name_old"]].assign(n=n_parts),
        on="commune_code",
    )
    for name in COUNTS:
        count = pd.to_numeric(parts[name], errors="coerce") / parts["n"]
        parts[name] = count.round().astype("Int64")
    old = {"commune_code": parts["commune_code_old"], "commune_name": parts["commune_name_old"]}
    columns = [*sheet.columns, "households"]
    return parts.assign(**old, vintage=BEFORE_2025)[columns]


def _write_first_register(inputs: Path) -> Path:
    """Write the targets as they are, with the income of the year before."""
    text = embedded_path("targets").read_text(encoding="utf-8")
    if text.count(INCOME_2024) != 1 or text.count(SURVEY_2024) != 1:
        raise ValueError("targets.toml: the income of 2024 is not where it was")
    text = text.replace(INCOME_2024, INCOME_2023).replace(SURVEY_2024, SURVEY_2023)
    return _place(text, inputs / "targets.toml")


def _write(sheet: pd.DataFrame, path: Path) -> Path:
    return _place(sheet.to_csv(index=False, lineterminator="\n"), path)


def _place(text: str, path: Path) -> Path:
    """Write a file that is not there; the same one may be."""
    if path.exists():
        if path.read_bytes() != text.encode():
            message = "is there with another content: choose another folder for the demo"
            raise FileExistsError(17, message, str(path))
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(text, path)
    return path

"""What a study has besides sites and service: read, held against the assessment, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from phusong.affordability import compare_with_income, find_subsidy, price_ceilings
from phusong.crosswalk import place_service
from phusong.equity import measure_equity
from phusong.findings import evidence_tables, place_tables, village_tables
from phusong.indicators import SERVICES
from phusong.io.embedded import embedded_path
from phusong.io.evidence_rules import EvidenceRules, read_evidence_rules
from phusong.io.headers import Vocabulary
from phusong.io.located import read_challenges, read_places, read_villages
from phusong.io.measurements import read_measurements
from phusong.io.radio_rules import read_radio_rules
from phusong.io.registers import Register
from phusong.io.report import Reading, ReadReport
from phusong.io.settings import Study
from phusong.prepare import select_on_air
from phusong.publish.assessment import Assessment
from phusong.samples import place_samples, service_of
from phusong.schema import conform

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Besides", "hold_beside", "price_tables"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Besides:
    """What the other files of a study come to.

    Attributes
    ----------
    assessment : Assessment
        With the lower bounds of declared shares as the audit leaves them.
    reports : tuple of ReadReport
    tables : dict of str to DataFrame
        By the name of their file, without its ending.
    """

    assessment: Assessment
    reports: tuple[ReadReport, ...]
    tables: dict[str, pd.DataFrame]


def hold_beside(
    study: Study,
    assessment: Assessment,
    communes: gpd.GeoDataFrame,
    *,
    aliases: Vocabulary | None = None,
) -> Besides:
    """Read villages, places, measurements and challenges of a study; hold them against the rest.

    Parameters
    ----------
    study : Study
    assessment : Assessment
    communes : GeoDataFrame, EPSG:4326
        Schema "communes".
    aliases : Vocabulary, optional
        Our headings and words with the user's own.

    Returns
    -------
    Besides
        "equity" always; "villages", "villages_summary", "villages_by_commune", "places" and
        "places_summary" where there are such files; "evidence", "contradictions", "audit" and
        "quality" where there are measurements or challenges.

    Raises
    ------
    PhusongError
        Naming the file, row or field that stands in the way.
    """
    rules = read_evidence_rules(study.evidence or embedded_path("evidence"))
    readers: dict[str, Callable[[], Reading]] = {
        "villages": lambda: read_villages(
            study.villages or "", crs=study.crs, communes=communes, aliases=aliases
        ),
        "places": lambda: read_places(
            study.places or "", crs=study.crs, communes=communes, aliases=aliases
        ),
        "measurements": lambda: read_measurements(
            study.measurements or "", crs=study.crs, communes=communes, aliases=aliases
        ),
        "challenges": lambda: read_challenges(
            study.challenges or "", communes=communes, aliases=aliases
        ),
    }
    readings = {n: read() for n, read in readers.items() if getattr(study, n) is not None}
    layers = {name: reading.layer for name, reading in readings.items()}
    on_air, _ = select_on_air(assessment.sites, study.as_of)
    zones = conform(communes, "communes")
    tables: dict[str, pd.DataFrame] = {}
    if "villages" in layers:
        tables |= village_tables(layers["villages"], on_air, zones, services=SERVICES)
    if "places" in layers:
        tables |= place_tables(
            layers["places"], on_air, services=SERVICES, served_share=rules.served_share
        )
    if {"measurements", "challenges"} & set(layers):
        found = _evidence(layers, assessment, on_air, zones, rules)
        assessment = assessment.with_audit(found["audit"])
        tables |= found
    tables["equity"] = measure_equity(assessment.indicators, zones)
    return Besides(
        assessment=assessment,
        reports=tuple(reading.report for reading in readings.values()),
        tables=tables,
    )


def price_tables(
    service: pd.DataFrame,
    communes: pd.DataFrame,
    crosswalk: pd.DataFrame,
    register: Register,
    *,
    service_vintage: str | None = None,
    is_complete: bool = False,
) -> dict[str, pd.DataFrame]:
    """Return the price of broadband beside incomes, and the subsidies that bring it under the line.

    A service table of the communes of before has no price of a new commune: it gives no table.

    Returns
    -------
    dict of str to DataFrame
        "affordability": as `compare_with_income` returns, and the columns of `Subsidy.communes`
        with the end `_national` and `_commune`.
    """
    placed, _ = place_service(service, communes, crosswalk, vintage=service_vintage)
    if placed.empty or placed["vintage"].iloc[0] != communes["vintage"].iloc[0]:
        return {}
    settings = {"floor_mbps": register.floor_mbps, "income_share": register.income_share}
    national = register.income_vnd_month
    table = compare_with_income(
        placed, communes, income_vnd_month=national, is_complete=is_complete, **settings
    )
    without = communes.drop(columns="income_vnd_month", errors="ignore")
    ceilings = {
        "national": price_ceilings(
            without, income_vnd_month=national, income_share=register.income_share
        ),
        "commune": table["income_vnd_month_commune"] * register.income_share,
    }
    wanted = ["ceiling_vnd_month", "subsidy_vnd_month", "year_vnd", "year_uniform_vnd", "missing"]
    for variant, ceiling in ceilings.items():
        found = find_subsidy(placed, communes, ceiling, floor_mbps=register.floor_mbps)
        columns = found.communes[wanted].rename(columns={"missing": "subsidy_missing"})
        table = table.join(columns.add_suffix(f"_{variant}"))
    return {"affordability": table.reset_index()}


def _evidence(
    layers: dict[str, pd.DataFrame],
    assessment: Assessment,
    on_air: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    rules: EvidenceRules,
) -> dict[str, pd.DataFrame]:
    radio = read_radio_rules(embedded_path("radio"))
    floors = {t: entry.threshold_dbm for entry in radio.thresholds for t in entry.technologies}
    measured = layers.get("measurements")
    if measured is None:
        nothing = {name: pd.Series(dtype="str") for name in ("sample_id", "operator")}
        measured = gpd.GeoDataFrame(nothing, geometry=[], crs=zones.crs)
    samples = place_samples(measured, on_air, zones, services=SERVICES, floors_dbm=floors)
    challenges = layers.get("challenges")
    if challenges is not None:
        challenges = challenges.assign(service=service_of(challenges["technology"], SERVICES))
    return evidence_tables(
        samples, challenges, assessment.indicators, items=rules.items, rule=rules.sampling
    )

"""What villages, places, measurements and challenges say beside the communes: tables of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import pandas as pd

from phusong.evidence import (
    QualityItem,
    audit_claims,
    find_contradictions,
    judge_quality,
    measure_signal,
    stand_side_by_side,
)
from phusong.places import count_served, serve_places
from phusong.sampling import SamplingRule
from phusong.villages import assess_villages, count_by_commune, count_villages

__all__ = ["evidence_tables", "place_tables", "village_tables"]

CENTRE_SERVICES = ("mbb", "4g", "5g")


def village_tables(
    villages: gpd.GeoDataFrame,
    on_air: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame,
    *,
    services: Mapping[str, Sequence[str]],
) -> dict[str, pd.DataFrame]:
    """Return the states of the villages, and their shares with each denominator named.

    Returns
    -------
    dict of str to DataFrame
        "villages", "villages_summary" and "villages_by_commune", as `assess_villages`,
        `count_villages` and `count_by_commune` return.
    """
    states = assess_villages(villages, on_air, communes, services=_asked(services))
    return {
        "villages": states,
        "villages_summary": count_villages(states),
        "villages_by_commune": count_by_commune(states),
    }


def place_tables(
    places: gpd.GeoDataFrame,
    on_air: gpd.GeoDataFrame,
    *,
    services: Mapping[str, Sequence[str]],
    served_share: float,
) -> dict[str, pd.DataFrame]:
    """Return each place with its share and verdict, and the counts by category.

    Returns
    -------
    dict of str to DataFrame
        "places" and "places_summary", as `serve_places` and `count_served` return.
    """
    served = serve_places(places, on_air, services=_asked(services), served_share=served_share)
    return {"places": served, "places_summary": count_served(served)}


def evidence_tables(
    samples: pd.DataFrame,
    challenges: pd.DataFrame | None,
    indicators: pd.DataFrame,
    *,
    items: Sequence[QualityItem],
    rule: SamplingRule,
) -> dict[str, pd.DataFrame]:
    """Return the evidence side by side, what contradicts, the audit, and the standard's items.

    Parameters
    ----------
    samples : DataFrame
        As `samples.place_samples` returns.
    challenges : DataFrame, optional
        As for `evidence.audit_claims`.
    indicators : DataFrame
        The tidy table, before or after the audit.

    Returns
    -------
    dict of str to DataFrame
        "evidence", "contradictions", "audit", "quality".
    """
    table = stand_side_by_side(indicators, measure_signal(samples, rule=rule))
    return {
        "evidence": table,
        "contradictions": find_contradictions(table),
        "audit": audit_claims(samples, challenges, rule=rule),
        "quality": judge_quality(samples, items, rule=rule),
    }


def _asked(services: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {name: services[name] for name in CENTRE_SERVICES if name in services}

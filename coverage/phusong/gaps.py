"""Gap communes: what each lacks, how many people that touches, and how far help is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.joins import find_nearest
from phusong.layers import ANY, TWO_OR_MORE

__all__ = ["GAP_COLUMNS", "GapRule", "find_gaps", "nearest_sites"]

GAP_COLUMNS = (
    "rank", "commune_code", "vintage", "commune_name", "commune_type", "province_code",
    "missing", "certainty", "basis", "people_uncovered", "area_uncovered_km2", "population",
    "area_km2", "share_population_5g", "share_population_5g_low", "share_population_5g_high",
    "share_area_5g", "broadband", "operators_present", "nearest_site_id", "nearest_site_operator",
    "nearest_site_technology", "nearest_site_km", "nearest_mast_km", "reason",
)  # fmt: skip


PLACE = (
    "commune_code", "vintage", "commune_name", "commune_type", "province_code", "area_km2",
    "population",
)  # fmt: skip


MODELS = ("even", "areas")  # of `population_spread`: no evidence of where in a commune people live

SLACK = 1e-9  # a share is a quotient of sums: what should be θ may come out a hair below


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRule:
    """What a commune must have: a broadband tier, and a share of people under a mobile service."""

    tier: str = "broadband_b0"
    service: str = "5g"
    commune_share: float = 0.9


def find_gaps(
    communes: gpd.GeoDataFrame,
    indicators: pd.DataFrame,
    nearest: pd.DataFrame,
    *,
    rule: GapRule | None = None,
) -> gpd.GeoDataFrame:
    """Return the gap communes, ranked by the people who are not covered.

    What was not assessed (no service table, so no tier) makes no gap. A commune is a *gap* where
    the tier is missed, or the upper bound of its share of people is below θ (the share itself
    where there is no interval); a *probable* gap where the interval straddles θ; *unknown* where
    only the tier's evidence is missing. Where nobody knows how people live in it (`basis`
    "area"), its share of area stands for its share of people. `basis` says by what people are
    placed where that is a model: "even" over the commune, or over "areas" of it.

    Parameters
    ----------
    communes : GeoDataFrame
        Wide: `share_population_5g`, `share_area_5g` with bounds, the tier, population, area_km2,
        and `population_spread` where people were placed (`fill_population`).
    indicators : DataFrame
        The tidy table, for the operators present.
    nearest : DataFrame
        As `nearest_sites` returns.
    rule : GapRule, optional

    Returns
    -------
    GeoDataFrame
        `GAP_COLUMNS` and geometry. `missing` names what lacks: "broadband",
        "broadband_unknown", "5g", joined by ";". Communes that are only unknown come last.
    """
    rule = rule or GapRule()
    shares = [f"share_{of}_{rule.service}" for of in ("population", "area")]
    wanted = [*PLACE, *(name + end for name in shares for end in ("", "_low", "_high"))]
    wanted += [name for name in ["population_spread"] if name in communes]
    is_assessed = rule.tier in communes
    table = communes[[*wanted, *([rule.tier] if is_assessed else []), "geometry"]]
    table = table.merge(nearest, on=["commune_code", "vintage"], how="left", validate="1:1")
    table["operators_present"] = _operators_present(indicators, table)
    table["broadband"] = table.get(rule.tier, "unknown")
    mobile = _mobile_gap(table, rule)
    lacks_tier = table["broadband"] == "no"
    tier_unknown = (table["broadband"] == "unknown") & is_assessed
    lacks_mobile = mobile["certainty"].isin(["gap", "probable"])
    lacks = {
        "broadband": lacks_tier,
        "broadband_unknown": tier_unknown,
        rule.service: lacks_mobile,
    }
    table["missing"] = [";".join(compress(lacks, row)) for row in zip(*lacks.values(), strict=True)]
    table["certainty"] = np.select(
        [lacks_tier | (mobile["certainty"] == "gap"), lacks_mobile], ["gap", "probable"], "unknown"
    )
    table["basis"] = mobile["basis"]
    without_mobile = mobile["uncovered"].where(lacks_mobile, 0.0)
    uncovered = without_mobile.where(~lacks_tier, 1.0)
    table["people_uncovered"] = (table["population"].astype(float) * uncovered).where(
        lacks_tier | lacks_mobile
    )
    area = 1 - table[f"share_area_{rule.service}"].astype(float)
    table["area_uncovered_km2"] = table["area_km2"].astype(float) * area.where(~lacks_tier, 1.0)
    table["reason"] = _reasons(table, rule, lacks_tier, lacks_mobile)
    gaps = table[table["missing"] != ""].copy()
    gaps["certain"] = gaps["certainty"] != "unknown"
    gaps = gaps.sort_values(
        ["certain", "people_uncovered", "area_uncovered_km2", "commune_code"],
        ascending=[False, False, False, True],
        na_position="last",
    )
    gaps["rank"] = np.arange(1, len(gaps) + 1)
    return gaps[[*GAP_COLUMNS, "geometry"]].reset_index(drop=True)


def nearest_sites(
    communes: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    *,
    technologies: tuple[str, ...],
    crs: str,
) -> pd.DataFrame:
    """Return, for each commune, the nearest site of some technologies and the nearest mast at all.

    Distances are from a point inside the commune, in the plane of `crs`.

    Parameters
    ----------
    communes, sites : GeoDataFrame
        Any CRS.
    technologies : tuple of str
        Those that could serve the commune, such as ("5G", "5G NSA", "5G SA").
    crs : str
        A metric CRS.

    Returns
    -------
    DataFrame
        `commune_code`, `vintage`, `nearest_site_id`, `_operator`, `_technology`, `_km`,
        `nearest_mast_km`, `n_masts` (masts of any technology that stand in the commune).
    """
    centres = communes[["commune_code", "vintage", "geometry"]].to_crs(crs)
    centres = centres.set_geometry(centres.representative_point())
    masts = sites[sites.geometry.geom_type == "Point"].to_crs(crs)
    serving = masts[masts["technology"].isin(technologies)]
    position, distance_m = find_nearest(centres, serving)
    found = (
        serving.iloc[np.maximum(position, 0)]
        if len(serving)
        else serving.reindex(pd.RangeIndex(len(centres)))
    )
    _, mast_m = find_nearest(centres, masts)
    counts = masts.drop_duplicates("site_id")["commune_code"].value_counts()
    return pd.DataFrame(
        {
            "commune_code": centres["commune_code"].to_numpy(),
            "vintage": centres["vintage"].to_numpy(),
            "nearest_site_id": found["site_id"].astype("str").array,
            "nearest_site_operator": found["operator"].astype("str").array,
            "nearest_site_technology": found["technology"].astype("str").array,
            "nearest_site_km": distance_m / 1000,
            "nearest_mast_km": mast_m / 1000,
            "n_masts": centres["commune_code"].map(counts).fillna(0).astype(int).to_numpy(),
        }
    )


def _mobile_gap(table: pd.DataFrame, rule: GapRule) -> pd.DataFrame:
    """Return the certainty, the basis and the uncovered share of the rule's mobile service."""
    people = f"share_population_{rule.service}"
    area = f"share_area_{rule.service}"
    has_people = table[people].notna()
    share, low, high = (
        table[people + end].where(has_people, table[area + end]).astype(float)
        for end in ("", "_low", "_high")
    )
    low, high = low.fillna(share), high.fillna(share)
    floor = rule.commune_share - SLACK
    certainty = np.select(
        [share.isna(), high < floor, low < floor],
        ["unknown", "gap", "probable"],
        "",
    )
    spread = table.get("population_spread")
    is_model = spread.isin(MODELS) if spread is not None else pd.Series(False, table.index)
    basis = np.select([~has_people, is_model], ["area", spread], "population")
    return pd.DataFrame(
        {"certainty": certainty, "basis": basis, "uncovered": 1 - share}, index=table.index
    )


def _operators_present(indicators: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    rows = indicators[
        (indicators["indicator"] == "share_area")
        & (indicators["share"] > 0)
        & ~indicators["operator"].isin([ANY, TWO_OR_MORE])
    ]
    keys = ["commune_code", "vintage"]
    names = rows.groupby(keys)["operator"].agg(lambda found: "; ".join(sorted(set(found))))
    index = pd.MultiIndex.from_frame(table[keys])
    return list(names.reindex(index).fillna(""))


def _reasons(
    table: pd.DataFrame, rule: GapRule, lacks_tier: pd.Series, lacks_mobile: pd.Series
) -> np.ndarray:
    """Say why, in one code: what stands in the way of the larger of what is missing."""
    is_reached = table[f"share_area_{rule.service}"].astype(float) > 0
    return np.select(
        [
            lacks_mobile & is_reached,
            lacks_mobile & (table["n_masts"] > 0),
            lacks_mobile,
            lacks_tier,
        ],
        ["partly_covered", f"mast_without_{rule.service}", "no_mast", "no_operator_declares"],
        "not_declared",
    )

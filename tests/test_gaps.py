"""Gap communes: what is missing, for how many, who is there and how far help is, by hand."""

from __future__ import annotations

import math
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from conftest import masts, square_communes

from phusong.gaps import GapRule, find_gaps
from phusong.study import assess

DAY = date(2026, 6, 30)
PLAIN = {"radius_m": 3000.0, "operator": "Viettel", "technology": "5G"}


def population() -> xr.DataArray:
    x = np.arange(499_100.0, 509_000, 200)
    y = np.arange(2_204_900.0, 2_199_000, -200)
    return xr.DataArray(
        np.full((len(y), len(x)), 20.0), dims=("y", "x"), coords={"y": y, "x": x},
        attrs={"crs": "EPSG:5897"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def gaps() -> gpd.GeoDataFrame:
    """Four communes of 2 km in a row, of 1000 to 4000 people, as in the comments beside them."""
    sites = masts(
        [
            PLAIN | {"x": 501_000, "y": 2_201_000, "radius_m": 1200.0},  # covers 1 and a bit of 2
            PLAIN | {"x": 505_000, "y": 2_201_000, "technology": "4G", "operator": "MobiFone"},
            PLAIN | {"x": 507_000, "y": 2_201_000, "status": "planned"},
        ]
    )
    service = pd.DataFrame(
        {
            "commune_code": ["00001", "00002", "00003"],
            "vintage": "2025",
            "operator": "VNPT",
            "technology": "FTTH",
            "households_passed": [200.0, 300.0, 0.0],  # 3 has none, 4 is not in the table
        }
    )
    found = assess(
        square_communes(4), sites=sites, as_of=DAY, service=service, population=population()
    )
    return found.gaps.set_index("commune_code")


def test_gaps_are_ranked_by_the_people_who_are_not_covered(gaps: gpd.GeoDataFrame) -> None:
    assert gaps.index.tolist() == ["00004", "00003", "00002"]
    assert gaps["rank"].tolist() == [1, 2, 3]
    # a circle of 1200 m, 1000 m from the border: the segment beyond it, in a commune of 4 km²
    segment = 1.2**2 * math.acos(1 / 1.2) - math.sqrt(1.2**2 - 1)
    assert gaps["people_uncovered"].tolist() == pytest.approx(
        [4000, 3000, 2000 * (1 - segment / 4)], abs=3
    )
    assert gaps["area_uncovered_km2"].tolist() == pytest.approx([4, 4, 4 - segment], abs=0.005)


def test_gap_says_what_is_missing_and_how_sure_that_is(gaps: gpd.GeoDataFrame) -> None:
    assert gaps["missing"].to_dict() == {
        "00004": "broadband_unknown;5g", "00003": "broadband;5g", "00002": "5g",
    }  # fmt: skip
    assert set(gaps["certainty"]) == {"gap"}
    assert set(gaps["basis"]) == {"population"}
    assert gaps["reason"].to_dict() == {
        "00004": "no_mast", "00003": "mast_without_5g", "00002": "partly_covered",
    }  # fmt: skip


def test_gap_says_who_is_there_and_how_far_the_nearest_serving_site_is(
    gaps: gpd.GeoDataFrame,
) -> None:
    assert gaps["operators_present"].to_dict() == {
        "00004": "MobiFone", "00003": "MobiFone", "00002": "MobiFone; Viettel",
    }  # fmt: skip
    assert set(gaps["nearest_site_id"]) == {"S0"}  # the planned site serves nobody
    assert gaps["nearest_site_km"].tolist() == pytest.approx([6, 4, 2], abs=0.01)
    assert gaps["nearest_mast_km"].tolist() == pytest.approx([2, 0, 2], abs=0.01)


def wide(**columns: object) -> gpd.GeoDataFrame:
    frame = square_communes(1).assign(commune_type="xã", area_km2=4.0)
    defaults = {f"share_{of}_5g{end}": math.nan for of in ("population", "area")
                for end in ("", "_low", "_high")}  # fmt: skip
    return frame.assign(**(defaults | columns))


def one_gap(rule: GapRule | None = None, **columns: object) -> pd.DataFrame:
    indicators = pd.DataFrame(
        columns=["commune_code", "vintage", "indicator", "operator", "share"], dtype="object"
    )
    nearest = pd.DataFrame(
        {"commune_code": ["00001"], "vintage": "2025", "nearest_site_id": "S", "n_masts": 0,
         "nearest_site_operator": "A", "nearest_site_technology": "5G", "nearest_site_km": 1.0,
         "nearest_mast_km": 1.0}
    )  # fmt: skip
    return find_gaps(wide(**columns), indicators, nearest, rule=rule)


PEOPLE, AREA = "share_population_5g", "share_area_5g"


@pytest.mark.parametrize(
    ("share", "low", "high", "certainty"),
    [
        (0.5, 0.4, 0.6, "gap"),
        (0.88, 0.8, 0.95, "probable"),
        (0.95, 0.92, 1.0, None),
        (0.5, math.nan, math.nan, "gap"),
        (0.95, math.nan, math.nan, None),
        (0.9 - 1e-12, math.nan, math.nan, None),  # 0.9, as sums of cells may give it
    ],
)
def test_interval_decides_between_gap_and_probable_gap(
    share: float, low: float, high: float, certainty: str | None
) -> None:
    found = one_gap(**{PEOPLE: share, f"{PEOPLE}_low": low, f"{PEOPLE}_high": high, AREA: share})
    assert found["certainty"].tolist() == ([certainty] if certainty else [])


def test_share_of_area_stands_in_where_nobody_knows_how_people_live() -> None:
    found = one_gap(**{AREA: 0.25, f"{PEOPLE}_low": 0.0, f"{PEOPLE}_high": 1.0})
    assert found[["basis", "certainty"]].to_numpy().tolist() == [["area", "gap"]]
    assert found["people_uncovered"].tolist() == [750]


@pytest.mark.parametrize(
    ("spread", "basis"), [("raster", "population"), ("even", "even"), ("areas", "areas")]
)
def test_basis_names_the_model_by_which_people_were_placed(spread: str, basis: str) -> None:
    shares = {PEOPLE: 0.25, f"{PEOPLE}_low": 0.0, f"{PEOPLE}_high": 0.5, AREA: 0.25}
    assert one_gap(population_spread=spread, **shares)["basis"].tolist() == [basis]


def test_people_spread_evenly_are_not_said_to_be_known() -> None:
    sites = masts([PLAIN | {"x": 501_000, "y": 2_201_000, "radius_m": 600.0}])
    found = assess(square_communes(2), sites=sites, as_of=DAY, population="even")
    assert found.gaps["basis"].tolist() == ["even", "even"]
    counted = assess(square_communes(2), sites=sites, as_of=DAY, population=population())
    assert counted.gaps["basis"].tolist() == ["population", "population"]


def test_missing_tier_leaves_everybody_without_whatever_5g_does() -> None:
    found = one_gap(broadband_b0="no", **{PEOPLE: 1.0, AREA: 1.0})
    assert found["missing"].tolist() == ["broadband"]
    assert found["people_uncovered"].tolist() == [1000]
    assert found["area_uncovered_km2"].tolist() == [4.0]
    unknown = one_gap(broadband_b0="unknown", **{PEOPLE: 1.0, AREA: 1.0})
    assert unknown[["missing", "certainty"]].to_numpy().tolist() == [
        ["broadband_unknown", "unknown"]
    ]
    assert unknown["people_uncovered"].isna().all()
    assert one_gap(broadband_b0="yes", **{PEOPLE: 1.0, AREA: 1.0}).empty


def test_rule_may_ask_for_another_tier_and_share() -> None:
    rule = GapRule(tier="broadband_b3", commune_share=0.5)
    assert one_gap(rule, broadband_b3="yes", **{PEOPLE: 0.6, AREA: 0.6}).empty
    assert one_gap(rule, broadband_b3="no", **{PEOPLE: 0.6, AREA: 0.6})["missing"].tolist() == [
        "broadband"
    ]

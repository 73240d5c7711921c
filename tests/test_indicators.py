"""From cells to communes to the province: hand-computed cases and laws."""

from __future__ import annotations

import math
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from conftest import even_population, masts, square_communes
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.errors import SchemaError
from phusong.study import assess

DAY = date(2026, 6, 30)


def five_g(x: float = 501_000, y: float = 2_201_000, **fields: object) -> dict[str, object]:
    base = {"x": x, "y": y, "radius_m": 500.0, "operator": "A", "technology": "5G"}
    return base | fields


def share(table: pd.DataFrame, code: str, column: str) -> float:
    return float(table.set_index("commune_code").loc[code, column])


def test_disc_in_one_commune_gives_its_share_of_area_and_people() -> None:
    found = assess(
        square_communes(), sites=masts([five_g()]), as_of=DAY, population=even_population()
    )
    expected = math.pi * 0.5**2 / 4
    assert share(found.communes, "00001", "share_area_5g") == pytest.approx(expected, abs=1e-3)
    assert share(found.communes, "00001", "share_population_5g") == pytest.approx(
        expected, abs=1e-3
    )
    assert share(found.communes, "00002", "share_area_5g") == 0
    whole = found.provinces.query(
        "province_code == '' and indicator == 'share_population' and service == '5g' "
        "and operator == 'any' and share_of == 'people'"
    )
    assert whole["share"].item() == pytest.approx(expected * 1000 / 3000, abs=1e-3)


def test_given_radius_has_no_interval_and_default_radius_has_one() -> None:
    rows = [five_g(), five_g(x=503_300, radius_m=math.nan, frequency_mhz=3500.0)]
    table = assess(square_communes(), sites=masts(rows), as_of=DAY).communes
    assert math.isnan(share(table, "00001", "share_area_5g_low"))
    assert math.isnan(share(table, "00001", "share_area_5g_high"))
    low, middle, high = (
        share(table, "00002", f"share_area_5g{end}") for end in ("_low", "", "_high")
    )
    assert low == pytest.approx(math.pi * 0.133**2 / 4, rel=0.02)
    assert middle == pytest.approx(math.pi * 0.333**2 / 4, rel=0.02)
    assert low < middle < high < 1


def test_without_population_shares_of_people_are_unknown_within_bounds() -> None:
    table = assess(square_communes(), sites=masts([five_g()]), as_of=DAY).communes
    bounds = [[share(table, code, f"share_population_5g{end}") for end in ("", "_low", "_high")]
              for code in ("00001", "00002")]  # fmt: skip
    np.testing.assert_equal(bounds, [[math.nan, 0.0, 1.0], [math.nan, 0.0, 0.0]])


def test_sites_that_are_planned_retired_or_later_do_not_cover() -> None:
    off = [five_g(status="planned"), five_g(status="retired"),
           five_g(on_air_date=pd.Timestamp("2026-07-01"))]  # fmt: skip
    sites = masts([*off, five_g(x=503_000, status="on_air")])
    found = assess(square_communes(), sites=sites, as_of=DAY)
    assert share(found.communes, "00001", "share_area_5g") == 0
    assert share(found.communes, "00002", "share_area_5g") > 0.1
    assert "1 planned, 1 retired, 1 on air only after the date" in " ".join(found.about.notes)


def test_site_beyond_the_border_covers_what_it_reaches() -> None:
    communes = square_communes().assign(province_code=["38", "40"])
    found = assess(communes, sites=masts([five_g(x=502_000)]), as_of=DAY).communes
    assert share(found, "00001", "share_area_5g") == pytest.approx(math.pi / 32, abs=2e-3)
    assert share(found, "00002", "share_area_5g") == pytest.approx(math.pi / 32, abs=2e-3)


def test_wrong_sites_are_all_named_in_one_error() -> None:
    sites = masts([five_g(azimuth_deg=400.0), five_g(technology="6G"), five_g(operator=" ")])
    with pytest.raises(SchemaError) as error:
        assess(square_communes(), sites=sites, as_of=DAY)
    assert [(p.row, p.field) for p in error.value.problems] == [
        (3, "operator"), (2, "technology"), (1, "azimuth_deg"),
    ]  # fmt: skip


SITE = st.fixed_dictionaries(
    {
        "x": st.floats(499_000, 505_000),
        "y": st.floats(2_199_000, 2_203_000),
        "radius_m": st.one_of(st.just(math.nan), st.floats(50, 1500)),
        "operator": st.sampled_from(["A", "B", "C"]),
        "technology": st.sampled_from(["2G", "4G", "5G", "5G SA"]),
    }
)


@settings(max_examples=12, deadline=None)
@given(st.lists(SITE, min_size=1, max_size=6))
def test_laws_of_shares(rows: list[dict[str, object]]) -> None:
    communes, sites, people = square_communes(2, 2), masts(rows), even_population()
    found = assess(communes, sites=sites, as_of=DAY, population=people)
    tidy = found.indicators
    assert tidy["share"].between(0, 1).all()
    known = tidy.dropna(subset=["share_low"])
    assert (known["share_low"] <= known["share"] + 1e-9).all()
    assert (known["share"] <= known["share_high"] + 1e-9).all()
    keys = ["commune_code", "indicator", "service"]
    by_operator = tidy.pivot(index=keys, columns="operator", values="share")  # noqa: PD010
    assert (by_operator["two_or_more"] <= by_operator["any"] + 1e-12).all()
    area = tidy.query("indicator == 'share_area' and operator == 'any'")
    total = (area["share"] * area["denominator"]).groupby(area["service"]).sum()
    whole = found.provinces.query(
        "province_code == '38' and share_of == 'area' and operator == 'any'"
    ).set_index("service")["share"]
    km2 = area.drop_duplicates("commune_code")["denominator"].sum()
    np.testing.assert_allclose(total[whole.index] / km2, whole)  # the communes sum to the province
    shuffled = assess(
        communes.iloc[::-1], sites=sites.iloc[::-1], as_of=DAY, population=people
    ).indicators
    pd.testing.assert_frame_equal(shuffled, tidy)  # the order of rows is nothing


@pytest.mark.realdata
def test_national_result_of_a_province_equals_its_own(shared) -> None:  # type: ignore[no-untyped-def]
    country = gpd.read_parquet(shared / "data/boundaries/vietnam_2025_simplified.parquet")
    two = country[country["province_code"].isin(["38", "40"])].assign(vintage="2025")
    rng = np.random.default_rng(5)
    west, south, east, north = two[two["province_code"] == "38"].total_bounds
    n = 600
    sites = gpd.GeoDataFrame(
        {"site_id": [f"S{i}" for i in range(n)], "sector_id": "1", "radius_m": 2500.0,
         "operator": rng.choice(["A", "B"], n), "technology": "5G"},
        geometry=gpd.points_from_xy(rng.uniform(west, east, n), rng.uniform(south, north, n)),
        crs="EPSG:4326",
    )  # fmt: skip
    own = assess(two[two["province_code"] == "38"], sites=sites, as_of=DAY).indicators
    both = assess(two, sites=sites, as_of=DAY).indicators
    both = both[both["commune_code"].isin(own["commune_code"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(both, own)

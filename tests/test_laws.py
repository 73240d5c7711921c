"""Laws that hold for every input, from footprints to provinces, on inputs nobody would think of."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr
from conftest import even_population, masts, square_communes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phusong.broadband import tier_bounds
from phusong.crosswalk import move_shares, move_yes_no
from phusong.grid import Grid
from phusong.population import spread_population
from phusong.rollup import roll_up
from phusong.study import assess

DAY = date(2026, 6, 30)
KEYS = ["commune_code", "indicator", "service", "operator"]
LAWS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SITE = st.fixed_dictionaries(
    {
        "x": st.floats(499_000, 505_000),
        "y": st.floats(2_199_000, 2_203_000),
        "radius_m": st.one_of(st.just(math.nan), st.floats(50, 1500)),
        "azimuth_deg": st.one_of(st.just(math.nan), st.floats(0, 360)),
        "beamwidth_deg": st.floats(1, 360),
        "operator": st.sampled_from(["A", "B", "C"]),
        "technology": st.sampled_from(["2G", "4G", "5G", "5G SA"]),
    }
)


def tidy_of(rows: list[dict[str, object]]) -> pd.DataFrame:
    found = assess(
        square_communes(), sites=masts(rows), as_of=DAY, population=even_population()
    ).indicators
    return found.set_index(KEYS)


@settings(LAWS, max_examples=8)
@given(st.lists(SITE, min_size=1, max_size=4), SITE)
def test_a_further_site_never_lowers_a_share_or_its_bounds(
    rows: list[dict[str, object]], extra: dict[str, object]
) -> None:
    before, after = tidy_of(rows), tidy_of([*rows, extra])
    after = after.reindex(before.index)  # a new operator or technology brings rows of its own
    assert (after["share"] >= before["share"] - 1e-9).all()
    for bound in ("share_low", "share_high"):
        both = before[bound].notna() & after[bound].notna()
        assert (after[bound][both] >= before[bound][both] - 1e-9).all()


@settings(LAWS, max_examples=8)
@given(st.lists(SITE, min_size=1, max_size=4))
def test_bounds_are_given_only_where_a_radius_was_not(rows: list[dict[str, object]]) -> None:
    declared = tidy_of([row | {"radius_m": 400.0} for row in rows])
    assert declared[["share_low", "share_high"]].isna().all(axis=None)
    assert declared["share"].notna().all()
    assumed = tidy_of([row | {"radius_m": math.nan, "azimuth_deg": math.nan} for row in rows])
    assert assumed["share_low"].isna().equals(assumed["share_high"].isna())
    touched = assumed[assumed["share"] > 0]
    assert touched["share_low"].notna().all()
    partly = touched[touched["share"].between(0.01, 0.99)]
    assert (partly["share_low"] < partly["share_high"]).all()  # never made equal to look certain


SHARE = st.floats(0, 1)
COMMUNE = st.fixed_dictionaries(
    {
        "province_code": st.sampled_from(["38", "40"]),
        "bounds": st.one_of(
            st.tuples(SHARE, SHARE, SHARE).map(sorted),  # low, share, high
            SHARE.map(lambda share: [math.nan, share, math.nan]),
            st.tuples(SHARE, SHARE).map(lambda b: [min(b), math.nan, max(b)]),
        ),
        "denominator": st.one_of(st.just(math.nan), st.floats(0, 1e5)),
    }
)


def tidy_and_communes(rows: list[dict[str, object]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = pd.DataFrame(rows)
    frame[["share_low", "share", "share_high"]] = np.array(frame.pop("bounds").tolist())
    frame = frame.assign(
        commune_code=[f"{i:05d}" for i in range(len(frame))], vintage="2025", operator="any",
        indicator="share_population", service="5g", unit="persons",
    )  # fmt: skip
    return frame.drop(columns="province_code"), frame[["commune_code", "vintage", "province_code"]]


@settings(LAWS, max_examples=25)
@given(st.lists(COMMUNE, min_size=1, max_size=8))
def test_communes_sum_to_provinces_and_provinces_to_the_whole(
    rows: list[dict[str, object]],
) -> None:
    tidy, communes = tidy_and_communes(rows)
    rolled = roll_up(tidy, communes)
    for name in ("share", "share_low", "share_high"):
        assert rolled[name].dropna().between(0, 1).all()
    known = rolled.dropna(subset=["share", "share_low"])
    assert (known["share_low"] <= known["share"] + 1e-9).all()
    assert (known["share"] <= known["share_high"] + 1e-9).all()
    people = rolled[rolled["share_of"] == "people"].set_index("province_code")
    weight = tidy["denominator"].fillna(0).groupby(communes["province_code"]).sum()
    if weight.sum() > 0:
        parts = (people["share"].drop("") * weight).sum() / weight.sum()
        np.testing.assert_allclose(people.loc["", "share"], parts, rtol=1e-9, atol=1e-12)
    counted = rolled[rolled["commune_share"] == 0.9].set_index("province_code")
    n = (counted["share"] * counted["n_communes"]).drop("").sum()
    np.testing.assert_allclose(counted.loc["", "share"] * len(tidy), n)


@settings(LAWS, max_examples=15)
@given(st.lists(COMMUNE, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter_to_provinces(rows: list[dict[str, object]], random) -> None:  # type: ignore[no-untyped-def]
    tidy, communes = tidy_and_communes(rows)
    order = list(range(len(tidy)))
    random.shuffle(order)
    keys = ["province_code", "indicator", "service", "operator", "share_of", "commune_share"]
    first, second = (
        roll_up(*frames).sort_values(keys, ignore_index=True)
        for frames in ((tidy, communes), (tidy.iloc[order], communes.iloc[::-1]))
    )
    pd.testing.assert_frame_equal(first, second, rtol=1e-12)


SERVICE = st.fixed_dictionaries(
    {
        "commune_code": st.sampled_from(["1", "2", "3"]),
        "technology": st.sampled_from(["FTTH", "4G"]),
        "households_passed": st.one_of(st.just(math.nan), st.integers(0, 120).map(float)),
        "households": st.one_of(st.just(math.nan), st.integers(0, 100).map(float)),
        "downlink_mbps": st.one_of(st.just(math.nan), st.sampled_from([10.0, 30.0, 300.0])),
        "at_centre": st.sampled_from([True, False, None]),
        "villages_served": st.one_of(st.just(math.nan), st.integers(0, 12).map(float)),
        "villages": st.one_of(st.just(math.nan), st.integers(0, 10).map(float)),
    }
)
PLACES = pd.DataFrame({"commune_code": ["1", "2", "3"]})


def tiers_of(rows: list[dict[str, object]], **options: bool) -> pd.DataFrame:
    table = pd.DataFrame(rows).assign(operator="VNPT")
    tiers = tier_bounds(table, PLACES, floor_mbps=30, tier_share=0.95, **options)
    return pd.concat(tiers)


@settings(LAWS, max_examples=30)
@given(st.lists(SERVICE, min_size=1, max_size=5), SERVICE)
def test_tiers_are_yes_no_or_unknown_and_a_further_row_takes_no_yes_away(
    rows: list[dict[str, object]], extra: dict[str, object]
) -> None:
    tiers = tiers_of(rows)
    assert tiers.isin([0.0, 1.0]).all(axis=None)
    assert (tiers["low"] <= tiers["high"]).all()
    pd.testing.assert_frame_equal(tiers, tiers_of(rows[::-1]))
    assert (tiers_of([*rows, extra])["low"] >= tiers["low"]).all()
    complete = tiers_of(rows, is_complete=True)
    assert (complete["low"] == tiers["low"]).all()
    assert (complete["high"] <= tiers["high"]).all()


@settings(LAWS, max_examples=25)
@given(
    st.lists(st.tuples(SHARE, st.sampled_from("AB"), st.booleans(), st.floats(0.1, 1e4)),
             min_size=1, max_size=6)
)  # fmt: skip
def test_a_merged_commune_lies_within_its_parts(
    parts: list[tuple[float, str, bool, float]],
) -> None:
    links = pd.DataFrame(
        [(str(i), new, "split" if split else "whole", weight)
         for i, (_, new, split, weight) in enumerate(parts)],
        columns=["commune_code_old", "commune_code", "part", "weight"],
    )  # fmt: skip
    old = pd.DataFrame({"share": [p[0] for p in parts]}, index=links["commune_code_old"])
    old = old.assign(low=old["share"], high=old["share"])
    values = old["share"].set_axis(links.index).groupby(links["commune_code"], sort=False)
    weighted = move_shares(old, links, weights=links)
    assert (weighted["share"] >= values.min() - 1e-9).all()
    assert (weighted["share"] <= values.max() + 1e-9).all()
    scaled = move_shares(old, links, weights=links.assign(weight=links["weight"] * 7))
    pd.testing.assert_frame_equal(scaled, weighted)  # only the ratio of weights matters
    bare = move_shares(old, links).reindex(weighted.index)
    assert (bare["low"] <= weighted["low"] + 1e-9).all()  # fewer facts, wider bounds
    assert (bare["high"] >= weighted["high"] - 1e-9).all()
    certain = old[["low", "high"]].round()
    least = certain["low"].set_axis(links.index).groupby(links["commune_code"], sort=False).min()
    assert move_yes_no(certain, links, weights=links)["low"].equals(least)


@settings(LAWS, max_examples=40)
@given(
    st.floats(15, 900),
    st.floats(-40, 40),
    st.floats(-40, 40),
    st.sampled_from([50.0, 100.0, 250.0]),
)
def test_every_person_is_kept_whatever_the_cells_of_raster_and_grid(
    step_m: float, right_m: float, up_m: float, cell_m: float
) -> None:
    n = math.ceil(1800 / step_m)
    steps = (np.arange(n) + 0.5) * step_m
    values = np.random.default_rng(n).integers(0, 9, (n, n)).astype(float)
    raster = xr.DataArray(
        values, dims=("y", "x"),
        coords={"x": 500_000 + right_m + steps, "y": 2_201_800 + up_m - steps},
        attrs={"crs": "EPSG:5897", "cell_x": step_m, "cell_y": -step_m},
    )  # fmt: skip
    grid = Grid(crs="EPSG:5897", x_min=498_000, y_max=2_204_000, cell_m=cell_m, shape=(100, 100))
    spread = spread_population(raster, grid)
    assert math.isclose(float(spread.sum()), values.sum(), rel_tol=1e-9)
    assert float(spread.min()) >= 0

"""Price beside income, what is missing told apart, and the subsidy that closes the gap."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.affordability import (
    compare_with_income,
    find_subsidy,
    low_cost_shares,
    price_ceilings,
)
from phusong.broadband import household_shares

NAN = math.nan
NATIONAL, LINE, FLOOR = 5_400_000.0, 0.02, 30.0  # the ceiling is 108,000


def plans(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    """Plans from (commune, speed, households passed, price)."""
    names = ["commune_code", "downlink_mbps", "households_passed", "price_vnd_month"]
    return pd.DataFrame(rows, columns=names)


def places(n: int, incomes: list[float] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"commune_code": [str(i + 1) for i in range(n)], "households": 100.0})
    return frame if incomes is None else frame.assign(income_vnd_month=incomes)


def compare(service: pd.DataFrame, communes: pd.DataFrame, **more: bool) -> pd.DataFrame:
    return compare_with_income(
        service, communes, floor_mbps=FLOOR, income_vnd_month=NATIONAL, income_share=LINE, **more
    )


def test_two_incomes_are_two_variants_and_what_is_missing_is_told_apart() -> None:
    service = plans(
        ("1", 100, 90, 108_000),  # exactly 2 % of the national income
        ("2", 100, 90, NAN),  # no price
        ("3", 20, 90, 50_000),  # too slow
        ("4", NAN, 90, 50_000),  # may be fast enough
        ("5", 100, 0, 50_000),  # passes nobody
    )
    table = compare(service, places(6, [NATIONAL, 4e6, 4e6, 4e6, NAN, 4e6]))
    assert table["low_cost_national"].tolist() == [
        "yes", "unknown", "not_covered", "unknown", "not_covered", "unknown",
    ]  # fmt: skip
    assert table["missing"].tolist() == ["", "price", "", "coverage", "income", "coverage"]
    assert table["price_share_national"].iloc[0] == pytest.approx(0.02)
    own = compare(service, places(6, [4e6] * 6))
    assert own["low_cost_commune"].iloc[0] == "no"  # 108,000 of 4 million: 2.7 %
    assert own["low_cost_national"].iloc[0] == "yes"


def test_without_incomes_of_communes_only_the_national_variant_decides() -> None:
    row = compare(plans(("1", 100, 90, 50_000)), places(1)).iloc[0]
    assert (row["low_cost_national"], row["low_cost_commune"]) == ("yes", "unknown")
    assert row["missing"] == "income"


def test_subsidy_of_each_commune_and_of_all() -> None:
    """1: the widest plan is 138,000 (30,000 above), 90 homes; 2: cheap; 3: no price; 4: nothing."""
    service = plans(
        ("1", 100, 60, 80_000), ("1", 100, 90, 138_000), ("1", 100, 90, 150_000),
        ("2", 100, 50, 20_000), ("3", 100, 50, NAN), ("5", 100, NAN, 200_000),
    )  # fmt: skip
    communes = places(5)
    ceilings = price_ceilings(communes, income_vnd_month=NATIONAL, income_share=LINE)
    found = find_subsidy(service, communes, ceilings, floor_mbps=FLOOR)
    assert found.uniform_vnd_month == 30_000
    assert found.year_vnd == 12 * 30_000 * 90
    assert found.year_uniform_vnd == 12 * (30_000 * 90 + 20_000 * 50)  # not more than the price
    assert found.communes["missing"].tolist() == ["", "", "price", "coverage", "coverage"]
    assert found.n_undetermined == 3
    np.testing.assert_array_equal(found.communes["subsidy_vnd_month"], [30_000, 0, NAN, NAN, NAN])


def test_households_that_nobody_counted_are_missing() -> None:
    communes = pd.DataFrame({"commune_code": ["1"]})
    found = find_subsidy(
        plans(("1", 100, 90, 138_000)), communes, pd.Series({"1": 108_000.0}), floor_mbps=FLOOR
    )
    assert found.communes["missing"].tolist() == ["households"]
    assert math.isnan(found.uniform_vnd_month)


def test_a_commune_whose_income_is_not_known_has_no_line() -> None:
    found = find_subsidy(
        plans(("1", 100, 90, 138_000)), places(1), pd.Series({"1": NAN}), floor_mbps=FLOOR
    )
    assert found.communes["missing"].tolist() == ["income"]
    assert (found.n_undetermined, found.year_vnd) == (1, 0.0)


plan = st.tuples(
    st.sampled_from(["1", "2", "3"]), st.sampled_from([20.0, 50.0, NAN]),
    st.integers(0, 100).map(float), st.one_of(st.just(NAN), st.integers(1, 300_000).map(float)),
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(plan, min_size=1, max_size=8))
def test_paying_the_subsidy_brings_all_who_are_surely_covered_under_the_line(
    rows: list[tuple[str, float, float, float]],
) -> None:
    service, communes = plans(*rows), places(3)
    ceilings = price_ceilings(communes, income_vnd_month=NATIONAL, income_share=LINE)
    found = find_subsidy(service, communes, ceilings, floor_mbps=FLOOR)
    rule = {"floor_mbps": FLOOR, "income_vnd_month": NATIONAL, "income_share": LINE}
    before = low_cost_shares(service, communes, **rule)["low"]
    covered = household_shares(service, communes, floor_mbps=FLOOR)["low"]
    own = service["commune_code"].map(found.communes["subsidy_vnd_month"]).fillna(0.0)
    is_known = found.communes["missing"] == ""
    for paid in (own, 0.0 if not is_known.any() else found.uniform_vnd_month):
        cheaper = service.assign(price_vnd_month=(service["price_vnd_month"] - paid).clip(lower=0))
        after = low_cost_shares(cheaper, communes, **rule)["low"]
        assert (after >= before - 1e-12).all()
        np.testing.assert_allclose(after[is_known], covered[is_known])
    assert found.year_uniform_vnd >= found.year_vnd

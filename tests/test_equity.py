"""Gini, the worst-served tenth, coverage by class: cases by hand, and laws."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.equity import BANDS, coverage_by_class, gini, measure_equity, share_of_worst

NAN = math.nan


def rows(*communes: tuple[float, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(communes, columns=["share", "share_low", "share_high", "people"])


def plain_gini(share: np.ndarray, people: np.ndarray) -> float:
    """The double sum of the definition."""
    total = people.sum()
    mean = (share * people).sum() / total
    apart = np.abs(share[:, None] - share) * people[:, None] * people
    return float(apart.sum() / (2 * total**2 * mean))


@pytest.mark.parametrize(
    ("share", "people", "index"),
    [([0.5, 0.5], [1, 9], 0.0), ([1.0, 0.0], [1, 1], 0.5), ([1.0, 0.0, 0.0, 0.0], [1] * 4, 0.75),
     ([0.2, 0.4, 0.6], [100, 100, 100], 0.8 / 3.6)],
)  # fmt: skip
def test_gini_by_hand(share: list[float], people: list[float], index: float) -> None:
    assert gini(np.array(share), np.array(people)) == pytest.approx(index)


def test_where_nobody_is_covered_there_is_no_gini() -> None:
    assert math.isnan(gini(np.zeros(3), np.ones(3)))
    assert math.isnan(share_of_worst(np.ones(1), np.zeros(1)))


many = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 10_000)), min_size=1, max_size=12)


@given(many)
def test_gini_is_the_double_sum_and_does_not_mind_a_split_commune(
    communes: list[tuple[float, int]],
) -> None:
    share, people = (np.array(column, dtype=float) for column in zip(*communes, strict=True))
    index = gini(share, people)
    if (share * people).sum() < 1e-6:
        return
    assert index == pytest.approx(plain_gini(share, people), abs=1e-9)
    halves = gini(np.repeat(share, 2), np.repeat(people / 2, 2))
    assert halves == pytest.approx(index, abs=1e-9)


@given(many, st.floats(0.05, 1.0))
def test_the_worst_part_is_never_better_than_all(
    communes: list[tuple[float, int]], part: float
) -> None:
    share, people = (np.array(column, dtype=float) for column in zip(*communes, strict=True))
    mean = (share * people).sum() / people.sum()
    assert share.min() - 1e-9 <= share_of_worst(share, people, part=part) <= mean + 1e-9
    assert share_of_worst(share, people, part=1.0) == pytest.approx(mean, abs=1e-9)


def test_classes_have_their_bounds_and_unknown_counts_as_its_low() -> None:
    found = coverage_by_class(
        rows((0.9, NAN, NAN, 100), (NAN, 0.0, 1.0, 300), (0.5, 0.4, 0.6, 200),
             (0.7, 0.7, 0.7, NAN)),
        pd.Series(["plain", "mountain", None, "plain"], dtype="str"),
    ).set_index("class")  # fmt: skip
    assert found.loc["plain", ["n_communes", "people", "covered"]].tolist() == [2, 100, 90]
    assert found.loc["mountain", ["share", "share_low", "share_high"]].tolist() == [0, 0, 1]
    assert found.loc["not stated", ["share_low", "share", "share_high"]].tolist() == pytest.approx(
        [0.4, 0.5, 0.6]
    )


def test_numbers_are_cut_into_thirds_of_the_people() -> None:
    """Poverty 5, 10, 20 and 40 % with 100 people each; the same number is the same third."""
    some = rows(*[(0.5, 0.5, 0.5, 100)] * 5)
    found = coverage_by_class(some, pd.Series([0.4, 0.05, 0.1, 0.2, NAN])).set_index("class")
    assert found["n_communes"].to_dict() == {
        BANDS[0]: 1, BANDS[1]: 2, BANDS[2]: 1, "not stated": 1,
    }  # fmt: skip
    alike = coverage_by_class(some, pd.Series([0.3] * 5))
    assert alike["class"].tolist() == [BANDS[1]]


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 999), st.sampled_from("ab")),
        min_size=1, max_size=9,
    )
)  # fmt: skip
def test_classes_sum_to_the_whole(communes: list[tuple[float, float, int, str]]) -> None:
    some = rows(*[(NAN if i % 3 == 0 else (a + b) / 2, min(a, b), max(a, b), n)
                  for i, (a, b, n, _) in enumerate(communes)])  # fmt: skip
    parts = coverage_by_class(some, pd.Series([c[3] for c in communes]))
    whole = coverage_by_class(some, pd.Series(["all"] * len(some)))
    for name in ("n_communes", "people", "covered", "covered_low", "covered_high"):
        assert parts[name].sum() == pytest.approx(whole[name].sum())
    assert (parts["covered_low"] <= parts["covered"] + 1e-9).all()
    assert (parts["covered"] <= parts["covered_high"] + 1e-9).all()


def test_equity_of_a_tidy_table() -> None:
    tidy = pd.DataFrame(
        {"commune_code": ["1", "2"] * 2, "vintage": "2025", "indicator": "share_population",
         "service": ["4g", "4g", "5g", "5g"], "operator": "any", "share": [1.0, 1.0, 1.0, 0.0],
         "share_low": NAN, "share_high": NAN, "denominator": 100.0}
    )  # fmt: skip
    communes = pd.DataFrame(
        {"commune_code": ["1", "2"], "vintage": "2025", "terrain_class": ["plain", "mountain"],
         "poverty_share": [NAN, NAN]}
    )  # fmt: skip
    table = measure_equity(tidy, communes).set_index(["service", "measure", "class"])["value"]
    assert table["4g", "gini", ""] == 0.0
    assert table["5g", "gini", ""] == 0.5
    assert table["5g", "worst_tenth", ""] == 0.0
    assert table["5g", "coverage", "plain"] == 1.0
    assert table["5g", "coverage", "mountain"] == 0.0
    assert len(table) == 8
    assert measure_equity(tidy.iloc[:0], communes).empty

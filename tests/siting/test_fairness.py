"""The worst commune first: held against trying every choice of sites."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from siting.problems import all_choices, random_problem

from phusong.siting.demand import make_problem
from phusong.siting.fairness import fairest


def shares(problem, people, chosen) -> np.ndarray:
    lacking = np.bincount(problem.zone, problem.persons, problem.n_zones)
    return 1 - (lacking - problem.covered_by(np.array(chosen, int))[:-1]) / people


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), budget=st.integers(1, 6))
def test_worst_commune_is_as_high_as_trying_everything_brings_it(seed: int, budget: int) -> None:
    problem = random_problem(seed)
    lacking = np.bincount(problem.zone, problem.persons, problem.n_zones)
    people = lacking * 1.5 + 20
    fair = fairest(problem, people=people, budget=budget)
    most = shares(problem, people, range(problem.n_sites))
    assert problem.cost[fair.order].sum() <= budget
    np.testing.assert_allclose(fair.share, shares(problem, people, fair.order))

    def worst(chosen: tuple[int, ...]) -> float:
        """The greatest t such that each commune has min(t, what all sites bring it to)."""
        found = shares(problem, people, chosen)
        is_short = found < most - 1e-9
        return float(found[is_short].min()) if is_short.any() else 1.0

    best = max(worst(c) for c in all_choices(problem) if len(c) <= budget)
    assert worst(tuple(fair.order)) >= best - 2**-9
    assert fair.bound >= best - 1e-9
    assert fair.worst <= best + 1e-9 or fair.worst <= worst(tuple(fair.order)) + 1e-9


def test_the_poorest_commune_comes_before_the_most_people() -> None:
    problem = make_problem(
        [900, 10, 10], start=[0, 1, 2, 3], row=[0, 1, 2], zone=[0, 1, 2], n_zones=3
    )
    fair = fairest(problem, people=np.array([2000.0, 20, 40]), budget=1)
    assert fair.order.tolist() == [1]
    assert fair.share == pytest.approx([0.55, 1.0, 0.75])
    assert fair.worst == pytest.approx(0.55, abs=2e-3)


def test_commune_without_people_does_not_hold_the_others_back() -> None:
    problem = make_problem([5, 0], start=[0, 1], row=[0], zone=[0, 1], n_zones=2)
    fair = fairest(problem, people=np.array([5.0, 0.0]), budget=1)
    assert fair.order.tolist() == [0]
    assert fair.share[0] == 1
    assert np.isnan(fair.share[1])

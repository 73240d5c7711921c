"""Where to build: held against exhaustive search, and against the laws of covering."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from siting.problems import all_choices, is_allowed, random_problem

from phusong.siting.bound import bound_least_cost, bound_most_people
from phusong.siting.demand import Problem, make_problem
from phusong.siting.exact import ROUNDING, solve_least_cost, solve_most_people
from phusong.siting.greedy import build_greedily, gains_in_order
from phusong.siting.questions import cap_needs, least_cost, most_people


def best_people(problem: Problem, budget: float) -> float:
    return max(
        problem.covered_by(np.array(chosen, int))[-1]
        for chosen in all_choices(problem)
        if problem.cost[list(chosen)].sum() <= budget * (1 + 1e-9)
    )


def best_cost(problem: Problem, need: np.ndarray) -> float:
    return min(
        problem.cost[list(chosen)].sum()
        for chosen in all_choices(problem)
        if (problem.covered_by(np.array(chosen, int)) >= need).all()
    )


@pytest.mark.parametrize("apart_m", [0.0, 3000.0])
@pytest.mark.parametrize("priced", [False, True])
@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), budget=st.floats(1, 6))
@example(seed=0, budget=2 - 1e-15)
@example(seed=0, budget=2 - 1e-8)
def test_most_people_is_what_trying_everything_finds(
    seed: int, budget: float, priced: bool, apart_m: float
) -> None:
    problem = random_problem(seed, priced=priced, apart_m=apart_m)
    answer, best = most_people(problem, budget=budget), best_people(problem, budget)
    assert answer.people == pytest.approx(best, rel=1e-9)
    assert answer.cost <= budget * (1 + 1e-9)
    assert is_allowed(problem, tuple(answer.order))
    proven, _ = solve_most_people(problem, budget=budget)
    if problem.cost[proven].sum() <= answer.cost:
        assert answer.gap < 1e-5
        assert problem.covered_by(proven)[-1] == pytest.approx(best, rel=1e-9)
    else:  # HiGHS spends more, by its rounding: nothing is proven of what costs no more
        assert problem.cost[proven].sum() <= budget + ROUNDING * problem.cost.max()


def test_sum_of_costs_fits_into_a_budget_but_for_rounding() -> None:
    problem = make_problem([5, 7, 1], start=[0, 1, 2, 3], row=[0, 1, 2], cost=np.full(3, 1.1))
    assert problem.cost.sum() > 3.3
    assert most_people(problem, budget=3.3).people == 13
    assert most_people(problem, budget=3.3 - 1e-7).people == 12


@pytest.mark.parametrize("apart_m", [0.0, 3000.0])
@pytest.mark.parametrize("priced", [False, True])
@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), share=st.floats(0.3, 1.0), of_all=st.floats(0, 1.0))
def test_least_cost_is_what_trying_everything_finds(
    seed: int, share: float, of_all: float, priced: bool, apart_m: float
) -> None:
    problem = random_problem(seed, priced=priced, apart_m=apart_m)
    wanted = problem.reachable * np.append(np.full(4, share), of_all)
    need, is_lowered = cap_needs(problem, wanted)
    assert apart_m or not is_lowered.any()
    answer, best = least_cost(problem, need=need), best_cost(problem, need)
    assert answer.cost == pytest.approx(best, rel=1e-9)
    assert (problem.covered_by(answer.order) >= need).all()
    assert is_allowed(problem, tuple(answer.order))
    assert answer.gap < 1e-5
    if need.any():
        assert problem.cost[solve_least_cost(problem, need=need)[0]].sum() == pytest.approx(best)


@pytest.mark.parametrize("priced", [False, True])
@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), budget=st.floats(1, 6))
def test_no_choice_covers_more_than_the_bound(seed: int, budget: float, priced: bool) -> None:
    problem = random_problem(seed, priced=priced)
    chosen, _ = build_greedily(problem, budget=budget)
    known = problem.covered_by(chosen)[-1]
    bound = bound_most_people(problem, budget=budget, known=known)
    assert bound >= best_people(problem, budget)
    assert bound <= problem.reachable[-1] * (1 + 1e-6)


@pytest.mark.parametrize("priced", [False, True])
@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), share=st.floats(0.3, 1.0), of_all=st.floats(0, 1.0))
def test_no_choice_costs_less_than_the_bound(
    seed: int, share: float, of_all: float, priced: bool
) -> None:
    problem = random_problem(seed, priced=priced)
    need = problem.reachable * np.append(np.full(4, share), of_all)
    best = best_cost(problem, need)
    bound = bound_least_cost(problem, need=need, known=best)
    assert bound <= best + 1e-9
    assert bound > 0 or best == 0


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 6))
def test_greedy_covers_its_proven_part_of_the_best(seed: int, n: int) -> None:
    problem = random_problem(seed)
    chosen, built = build_greedily(problem, budget=n)
    assert len(chosen) <= n
    assert built[2][-1] >= (1 - 1 / np.e) * best_people(problem, n)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_gains_count_every_person_once(seed: int) -> None:
    problem = random_problem(seed, n_rows=200, n_sites=40)
    order = np.random.default_rng(seed).permutation(problem.n_sites)[:20]
    gains = gains_in_order(problem, order)
    assert gains.sum() == problem.covered_by(order)[-1]
    assert gains.sum() <= problem.persons.sum()
    twice = gains_in_order(problem, np.concatenate([order, order]))
    assert (twice[20:] == 0).all()


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), priced=st.booleans(), apart_m=st.sampled_from([0.0, 900.0]))
def test_large_answers_keep_their_budget_and_their_bound(
    seed: int, priced: bool, apart_m: float
) -> None:
    problem = random_problem(seed, n_rows=2000, n_sites=150, priced=priced, apart_m=apart_m)
    greedy, _ = build_greedily(problem, budget=12)
    answer = most_people(problem, budget=12, rounds=3000)
    assert answer.people >= problem.covered_by(greedy)[-1]
    assert answer.cost <= 12
    assert answer.people <= answer.bound
    assert is_allowed(problem, tuple(answer.order))
    assert answer.people == problem.covered_by(answer.order)[-1]


def test_needs_beyond_reach_are_refused_and_capped() -> None:
    problem = make_problem([10, 20], start=[0, 1], row=[0], zone=[0, 1], n_zones=2)
    with pytest.raises(ValueError, match="zone 1: 5 people needed, 0 within reach"):
        least_cost(problem, need=np.array([0, 5, 0]))
    need, is_lowered = cap_needs(problem, np.array([5.0, 5, 30]))
    assert need.tolist() == [5, 0, 10]
    assert is_lowered.tolist() == [False, True, True]


def test_bad_budgets_and_costs_are_refused() -> None:
    problem = make_problem([10], start=[0, 1], row=[0])
    with pytest.raises(ValueError, match="budget: found 0, expected a number above 0"):
        most_people(problem, budget=0)
    with pytest.raises(ValueError, match=r"site 0: found a cost of 0\.0"):
        make_problem([10], start=[0, 1], row=[0], cost=[0.0])
    with pytest.raises(ValueError, match=r"row 0: found -1\.0 people"):
        make_problem([-1], start=[0, 1], row=[0])
    with pytest.raises(ValueError, match="holds a row twice"):
        make_problem([1], start=[0, 2], row=[0, 0])
    with pytest.raises(ValueError, match="covers row 4 of 1 rows"):
        make_problem([1], start=[0, 1], row=[4])


def test_rows_with_the_same_sites_are_one_row_of_their_zone() -> None:
    problem = make_problem(
        [1, 2, 4, 8], start=[0, 4, 6], row=[0, 1, 2, 3, 1, 2], zone=[0, 0, 1, 0], n_zones=2
    )
    assert sorted(problem.persons) == [2, 4, 9]
    assert problem.covered_by(np.array([1])).tolist() == [2, 4, 6]
    assert problem.reachable.tolist() == [11, 4, 15]

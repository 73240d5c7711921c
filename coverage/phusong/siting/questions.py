"""The three questions of a planner, each answered with its proven bound."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from phusong.siting.bound import bound_least_cost, bound_most_people
from phusong.siting.demand import Problem
from phusong.siting.exact import MOST_LINKS, solve_least_cost, solve_most_people
from phusong.siting.greedy import build_greedily, drop_spare, put_in_order
from phusong.siting.swaps import look_for_cheaper, look_for_more

__all__ = ["Answer", "cap_needs", "least_cost", "most_people"]

ROUNDS = 12_000
ROUNDS_AT_ONCE = 3000
GOAL = 1e-3
SUMS = 1e-9  # the rounding of a sum of costs: three sites of 1.1 fit into 3.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Sites to build, in their order, and how far from the best possible they can be.

    Attributes
    ----------
    order : array of int64
        Sites, what adds most people for its cost first.
    gains : array of float64
        People that each adds to those before it.
    people, cost : float
        Of all of them; every person once.
    bound : float
        People at most, or cost at least, of any choice.
    gap : float
        (bound − people) ÷ bound, or (cost − bound) ÷ bound: 0.004 is "within 0.4 % of the best
        possible".
    """

    order: np.ndarray
    gains: np.ndarray
    people: float
    cost: float
    bound: float
    gap: float


def most_people(problem: Problem, *, budget: float, rounds: int = ROUNDS) -> Answer:
    """Return the sites that cover most people within a budget.

    Parameters
    ----------
    problem : Problem
        Costs of 1 make the budget a number of sites.
    budget : float
    rounds : int
        How many other choices are tried; fewer where the bound proves that no better is left.

    Examples
    --------
    >>> from phusong.siting.demand import make_problem
    >>> problem = make_problem([5, 7, 1], start=[0, 2, 3, 5], row=[0, 2, 1, 0, 1])
    >>> answer = most_people(problem, budget=2)
    >>> answer.order, answer.gains, answer.people, round(answer.gap, 6)
    (array([2, 0]), array([12.,  1.]), 13.0, 0.0)
    """
    _require_positive("budget", budget)
    budget *= 1 + SUMS
    chosen, _ = build_greedily(problem, budget=budget)
    single = _best_single(problem, budget)
    chosen = max(chosen, single, key=lambda sites: problem.covered_by(sites)[-1])
    people = problem.covered_by(chosen)[-1]
    bound = bound_most_people(problem, budget=budget, known=people)
    if len(problem.row) <= MOST_LINKS and people < bound:
        best, proven = solve_most_people(problem, budget=budget)
        if problem.cost[best].sum() <= budget:  # HiGHS overspends by its own, larger rounding
            chosen = max(chosen, best, key=lambda sites: problem.covered_by(sites)[-1])
        bound = min(bound, proven)
    for seed in range(max(rounds // ROUNDS_AT_ONCE, 1)):
        if problem.covered_by(chosen)[-1] >= bound * (1 - GOAL):
            break
        chosen = look_for_more(
            problem, chosen, budget=budget, rounds=min(rounds, ROUNDS_AT_ONCE), seed=seed
        )
    answer = _answer(problem, chosen, bound)
    return replace(answer, gap=max(1 - answer.people / bound, 0.0) if bound > 0 else 0.0)


def least_cost(problem: Problem, *, need: np.ndarray, rounds: int = ROUNDS) -> Answer:
    """Return the cheapest sites that cover what each zone, and all together, need.

    Parameters
    ----------
    problem : Problem
        Costs of 1 ask for the fewest sites.
    need : array of float, shape (n_zones + 1,)
        People to be covered of each zone, the last of all; `cap_needs` makes them possible.
    rounds : int

    Raises
    ------
    ValueError
        If the sites cannot cover so many, or not without two that exclude each other.

    Examples
    --------
    >>> from phusong.siting.demand import make_problem
    >>> problem = make_problem([5, 7, 1], start=[0, 2, 3, 5], row=[0, 2, 1, 0, 1])
    >>> least_cost(problem, need=[0, 12]).order
    array([2])
    """
    need = np.asarray(need, float)
    lacking = np.flatnonzero(need > problem.reachable)
    if len(lacking):
        z = int(lacking[0])
        raise ValueError(f"zone {z}: {need[z]:.0f} people needed, {problem.reachable[z]:.0f} "
                         "within reach of all sites; cap the need")  # fmt: skip
    chosen, built = build_greedily(problem, need=need)
    if (built[2] < need).any():
        raise ValueError("the needs are not met without sites that exclude each other")
    chosen = drop_spare(problem, built, need, chosen)
    cost = float(problem.cost[chosen].sum())
    bound = bound_least_cost(problem, need=need, known=cost)
    if len(problem.row) <= MOST_LINKS and cost > bound:
        best, proven = solve_least_cost(problem, need=need)
        if len(best) and (problem.covered_by(best) >= need).all():
            chosen = min(chosen, best, key=lambda sites: problem.cost[sites].sum())
        bound = max(bound, proven)
    for seed in range(max(rounds // ROUNDS_AT_ONCE, 1)):
        if problem.cost[chosen].sum() <= bound * (1 + GOAL):
            break
        chosen = look_for_cheaper(
            problem, chosen, need=need, rounds=min(rounds, ROUNDS_AT_ONCE), seed=seed
        )
    answer = _answer(problem, chosen, bound)
    return replace(answer, gap=max(answer.cost / bound - 1, 0.0) if bound > 0 else 0.0)


def cap_needs(problem: Problem, need: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return needs that the sites can meet, and which zones' were lowered for it.

    What sites within a minimum distance of each other cannot cover together is lowered to what
    building them greedily does cover.

    Parameters
    ----------
    problem : Problem
    need : array of float, shape (n_zones + 1,)

    Returns
    -------
    array of float64, shape (n_zones + 1,)
    array of bool, shape (n_zones + 1,)
    """
    capped = np.minimum(need, problem.reachable)
    if len(problem.conflict):
        _, built = build_greedily(problem, need=capped)
        capped = np.minimum(capped, built[2])
    return capped, capped < need


def _answer(problem: Problem, chosen: np.ndarray, bound: float) -> Answer:
    order, gains = put_in_order(problem, chosen)
    return Answer(
        order=order,
        gains=gains,
        people=float(problem.covered_by(order)[-1]),
        cost=float(problem.cost[order].sum()),
        bound=float(bound),
        gap=np.nan,
    )


def _best_single(problem: Problem, budget: float) -> np.ndarray:
    """Return the site that alone covers most: with small budgets the greedy choice may be far off.

    The better of the two is at least (1 − 1/√e) of the best (Khuller, Moss & Naor 1999).
    """
    people = np.where(
        problem.cost <= budget,
        np.array([problem.persons[problem.row[a:b]].sum()
                  for a, b in zip(problem.start[:-1], problem.start[1:], strict=True)]),
        -1.0,
    )  # fmt: skip
    best = int(people.argmax()) if len(people) else -1
    return np.array([best] if best >= 0 and people[best] > 0 else [], np.int64)


def _require_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name}: found {value}, expected a number above 0")

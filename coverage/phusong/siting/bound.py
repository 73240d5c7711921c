"""What no choice of sites can beat: Lagrangian bounds (Fisher 1981), which need no solver.

That a row counts only if a chosen site holds it is not demanded but priced. What is then left
falls apart into sites and rows and is solved in one pass, and its value bounds the best answer for
any prices. The prices are mended by deflected subgradient steps (Camerini, Fratta & Maffioli 1975;
step length after Polyak 1969). Minimum distances are left out of a bound: without them the best
answer can only be better.
"""

from __future__ import annotations

import numpy as np

from phusong.siting.bound_kernels import bound_cheapest, bound_most
from phusong.siting.demand import Problem

__all__ = ["bound_least_cost", "bound_most_people"]

DEFLECTION, STALLS, SHRINK = 0.7, 20, 0.7
ROUNDING = 1e-9  # of sums of some ten thousand terms, with a wide margin
STEPS = 3000


def bound_most_people(problem: Problem, *, budget: float, known: float) -> float:
    """Return an upper bound of the people that sites within a budget can cover.

    max over y, x of Σ wᵢ yᵢ with yᵢ ≤ Σⱼ aᵢⱼ xⱼ and Σ cⱼ xⱼ ≤ budget is, for prices 0 ≤ uᵢ ≤ wᵢ,
    at most Σ (wᵢ − uᵢ) + max over x of Σⱼ xⱼ Σᵢ aᵢⱼ uᵢ, a knapsack that may be cut at its end.

    Parameters
    ----------
    problem : Problem
    budget : float
    known : float
        People whom some choice covers: it sets the length of the steps, and ends them when reached.

    Examples
    --------
    >>> from phusong.siting.demand import make_problem
    >>> problem = make_problem([5, 7, 1], start=[0, 2, 3, 5], row=[0, 2, 1, 0, 1])
    >>> round(bound_most_people(problem, budget=2, known=13), 6)
    13.0
    """
    price = problem.persons / np.maximum(np.diff(problem.holder_start), 1)
    value = bound_most(
        problem.persons, problem.start, problem.row, problem.cost, float(budget), price, known,
        1.0, DEFLECTION, STALLS, SHRINK, STEPS, known,
    )  # fmt: skip
    return float(value) * (1 + ROUNDING)


def bound_least_cost(
    problem: Problem, *, need: np.ndarray, known: float, goal: float | None = None
) -> float:
    """Return a lower bound of the cost of sites that meet every need.

    min over y, x of Σ cⱼ xⱼ with yᵢ ≤ Σⱼ aᵢⱼ xⱼ and Σ wᵢ yᵢ at least the need of each zone, and of
    all, is, for prices uᵢ ≥ 0, at least Σⱼ min(0, cⱼ − Σᵢ aᵢⱼ uᵢ) + min over y of Σ uᵢ yᵢ. The last
    takes the rows that are cheapest a person first. Where all sites cost the same, a part of one is
    rounded up to a whole one.

    Parameters
    ----------
    problem : Problem
    need : array of float, shape (n_zones + 1,)
        No more than is reachable.
    known : float
        The cost of some sites that meet them: it sets the length of the steps.
    goal : float, optional
        A bound that is high enough; that of `known` without it.
    """
    rows = np.flatnonzero((np.diff(problem.holder_start) > 0) & (problem.persons > 0))
    each = np.array([problem.persons[problem.row[a:b]].sum() for a, b in _spans(problem)])
    rate = np.full(len(problem.persons), np.inf)
    useful = np.repeat(each, np.diff(problem.start))
    per_person = np.repeat(problem.cost, np.diff(problem.start)) / np.where(useful > 0, useful, 1)
    np.minimum.at(rate, problem.row, np.where(useful > 0, per_person, np.inf))
    price = np.where(np.isfinite(rate), rate, 0.0) * problem.persons
    value = bound_cheapest(
        problem.persons, problem.zone, np.asarray(need, float), problem.start, problem.row,
        problem.cost, price, known, 1.0, DEFLECTION, STALLS, SHRINK, STEPS,
        known if goal is None else goal, rows,
    )  # fmt: skip
    found = max(float(value) * (1 - ROUNDING), 0.0)
    if len(problem.cost) and np.ptp(problem.cost) == 0:
        found = float(np.ceil(found / problem.cost[0] - ROUNDING) * problem.cost[0])
    return found


def _spans(problem: Problem) -> zip[tuple[int, int]]:
    return zip(problem.start[:-1], problem.start[1:], strict=True)

"""The proven best answer of small problems, by HiGHS through SciPy (Huangfu & Hall 2018)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack

from phusong.siting.demand import PEOPLE_PER_STEP, Problem

__all__ = ["MOST_LINKS", "solve_least_cost", "solve_most_people"]

MOST_LINKS = 3000  # larger problems take their bound from prices alone
NODES = 5000  # a limit of steps and not of time: the same answer on every machine
ROUNDING = 1e-6  # HiGHS' tolerance of sums and of whole numbers


def solve_most_people(problem: Problem, *, budget: float) -> tuple[np.ndarray, float]:
    """Return the sites that cover most people within a budget, and HiGHS' upper bound of them.

    Returns
    -------
    array of int64
        Empty where HiGHS found none in its limit of nodes.
    float
        People; what the sites cover, but for rounding, where the answer is proven.
    """
    scale = max(float(problem.persons.max(initial=0.0)), 1e-12)
    gain = np.append(np.zeros(problem.n_sites), -problem.persons / scale)
    spent = np.append(problem.cost, np.zeros(len(problem.persons)))[None] / problem.cost.max()
    limit = LinearConstraint(csr_array(spent), ub=budget / problem.cost.max())
    chosen, dual = _solve(problem, gain, [limit])
    return chosen, -dual * scale * (1 - ROUNDING if dual > 0 else 1 + ROUNDING)


def solve_least_cost(problem: Problem, *, need: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the cheapest sites that meet every need, and HiGHS' lower bound of their cost."""
    scale = float(problem.cost.max())
    price = np.append(problem.cost / scale, np.zeros(len(problem.persons)))
    # half a step below the need, so that no rounding makes a need of all impossible
    wanted = np.asarray(need, float) - PEOPLE_PER_STEP / 2
    by_zone = csr_array((problem.persons, (problem.zone, np.arange(len(problem.persons)))),
                        shape=(problem.n_zones, len(problem.persons)))  # fmt: skip
    covered = vstack([by_zone, csr_array(problem.persons[None])])
    blank = csr_array((problem.n_zones + 1, problem.n_sites))
    is_needed = wanted > 0
    limit = LinearConstraint(hstack([blank, covered]).tocsr()[is_needed], lb=wanted[is_needed])
    chosen, dual = _solve(problem, price, [limit])
    return chosen, dual * scale * (1 - ROUNDING)


def _solve(
    problem: Problem, objective: np.ndarray, limits: list[LinearConstraint]
) -> tuple[np.ndarray, float]:
    n_rows = len(problem.persons)
    held = csr_array((np.ones(len(problem.row)), problem.row, problem.start),
                     shape=(problem.n_sites, n_rows)).T  # fmt: skip
    limits = [*limits, LinearConstraint(hstack([-held, eye_array(n_rows)]).tocsr(), ub=0.0)]
    first = np.repeat(np.arange(problem.n_sites), np.diff(problem.conflict_start))
    pairs = np.column_stack([first, problem.conflict])[first < problem.conflict]
    if len(pairs):
        at = np.repeat(np.arange(len(pairs)), 2)
        shape = (len(pairs), problem.n_sites + n_rows)
        limits.append(
            LinearConstraint(csr_array((np.ones(2 * len(pairs)), (at, pairs.ravel())), shape), ub=1)
        )
    found = milp(
        objective,
        constraints=limits,
        integrality=np.append(np.ones(problem.n_sites), np.zeros(n_rows)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0, "node_limit": NODES},
    )
    chosen = np.zeros(0, np.int64)
    if found.x is not None:
        chosen = np.flatnonzero(found.x[: problem.n_sites] > 0.5)
    dual = found.get("mip_dual_bound")
    return chosen, -np.inf if dual is None else float(dual)

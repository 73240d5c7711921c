"""Better answers from good ones: a few neighbours are taken away and chosen again, many times.

One site away and one back is a swap; a handful of neighbours finds what no single swap would.
"""

from __future__ import annotations

import numpy as np

from phusong.siting.demand import Problem
from phusong.siting.greedy import Built, everyone, nothing_built
from phusong.siting.kernels import add_site
from phusong.siting.search_kernels import search_cheapest, search_most

__all__ = ["look_for_cheaper", "look_for_more"]

MOST_AT_ONCE = 8
NOISE = 0.15
# Early on an answer that is worse by so much is kept to go on from.
SLACK = 3e-4


def look_for_more(
    problem: Problem, chosen: np.ndarray, *, budget: float, rounds: int, seed: int = 0
) -> np.ndarray:
    """Return sites that cover at least as many people, at no more than the budget.

    Parameters
    ----------
    problem : Problem
    chosen : array of int
        Within the budget.
    budget : float
    rounds : int
        How often something else is tried.
    seed : int
    """
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, MOST_AT_ONCE, rounds)
    noises = np.where(sizes == 1, 0.0, NOISE)
    built, room = _rebuild(problem, chosen)
    slack = np.linspace(1, 0, rounds) ** 2 * SLACK * built[2][-1]
    best, _ = search_most(
        problem.arrays, built, everyone(problem), problem.cost, problem.xy, budget, room,
        len(chosen), sizes, noises, slack, rng,
    )  # fmt: skip
    return best


def look_for_cheaper(
    problem: Problem, chosen: np.ndarray, *, need: np.ndarray, rounds: int, seed: int = 0
) -> np.ndarray:
    """Return sites that meet the needs at no higher cost.

    Parameters
    ----------
    problem : Problem
    chosen : array of int
        They meet the needs.
    need : array of float, shape (n_zones + 1,)
    rounds, seed : int
        As in `look_for_more`.
    """
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, MOST_AT_ONCE, rounds)
    noises = np.full(rounds, NOISE)
    built, room = _rebuild(problem, chosen)
    best, _ = search_cheapest(
        problem.arrays, built, need, problem.cost, problem.xy, room, len(chosen), sizes, noises,
        rng,
    )  # fmt: skip
    return best


def _rebuild(problem: Problem, chosen: np.ndarray) -> tuple[Built, np.ndarray]:
    """Return the state with the chosen sites built, and their list with room for all."""
    built = nothing_built(problem)
    for j in chosen:
        add_site(j, problem.arrays, built)
    room = np.empty(problem.n_sites, np.int64)
    room[: len(chosen)] = chosen
    return built, room

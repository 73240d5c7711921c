"""Small problems of where to build, and every choice of their sites."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from phusong.siting.demand import Problem, conflicts_within, make_problem


def random_problem(
    seed: int, *, n_rows: int = 30, n_sites: int = 8, priced: bool = False, apart_m: float = 0.0
) -> Problem:
    """Sites on a square of 10 km, each over the rows within 2.5 km; four zones."""
    rng = np.random.default_rng(seed)
    rows, sites = rng.uniform(0, 10_000, (n_rows, 2)), rng.uniform(0, 10_000, (n_sites, 2))
    near = np.hypot(*(sites[:, None] - rows[None]).transpose(2, 0, 1)) < 2500
    return make_problem(
        rng.integers(0, 50, n_rows) * rng.choice([1.0, 0.37], n_rows),
        np.append(0, np.cumsum(near.sum(axis=1))),
        np.nonzero(near)[1],
        cost=rng.uniform(1, 3, n_sites) if priced else None,
        zone=(rows[:, 0] > 5000) * 2 + (rows[:, 1] > 5000),
        n_zones=4,
        conflicts=conflicts_within(sites, apart_m),
        xy=sites,
    )


def is_allowed(problem: Problem, chosen: tuple[int, ...]) -> bool:
    start, other = problem.conflict_start, problem.conflict
    return not any(set(other[start[j] : start[j + 1]]) & set(chosen) for j in chosen)


def all_choices(problem: Problem) -> list[tuple[int, ...]]:
    sites = range(problem.n_sites)
    choices = (c for k in range(len(sites) + 1) for c in combinations(sites, k))
    return [chosen for chosen in choices if is_allowed(problem, chosen)]

"""Build what adds most for its cost, again and again; and put given sites into that order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phusong.siting.demand import Problem
from phusong.siting.kernels import add_site, fill_up, prune
from phusong.siting.link_kernels import sum_pairs

__all__ = [
    "Built", "build_greedily", "drop_spare", "everyone", "gains_in_order", "gains_of",
    "nothing_built", "put_in_order",
]  # fmt: skip

# count, open_sum, covered, is_chosen, n_blocking: see `kernels`.
Built = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]

NO_NOISE = 0.0


def nothing_built(problem: Problem) -> Built:
    """Return the state of a problem before anything is built, for the kernels to change."""
    return (
        np.zeros(len(problem.persons), np.int32),
        sum_pairs(problem.persons, problem.holder_start, problem.holder_pair,
                  len(problem.pair_zone)),
        np.zeros(problem.n_zones + 1),
        np.zeros(problem.n_sites, bool),
        np.zeros(problem.n_sites, np.int32),
    )  # fmt: skip


def everyone(problem: Problem) -> np.ndarray:
    """Return the need that counts every person, wherever he lives: no zone's, and all of all."""
    return np.append(np.zeros(problem.n_zones), np.inf)


def build_greedily(
    problem: Problem,
    *,
    need: np.ndarray | None = None,
    budget: float = np.inf,
    there: Sequence[int] | np.ndarray = (),
) -> tuple[np.ndarray, Built]:
    """Return the sites that adding the best for its cost chooses, and the state after them.

    For a number of sites it covers at least 1 − 1/e of what the best choice does (Nemhauser,
    Wolsey & Fisher 1978); what sites add is kept up to date as others are built, so that no gain
    is reckoned twice.

    Parameters
    ----------
    problem : Problem
    need : array of float, shape (n_zones + 1,), optional
        People of each zone, and of all, that are to be covered; more is worth nothing. Without it
        everyone counts.
    budget : float
    there : sequence of int
        Sites that are built already: they are neither paid for nor returned.

    Examples
    --------
    >>> from phusong.siting.demand import make_problem
    >>> problem = make_problem([5, 7, 1], start=[0, 2, 3, 5], row=[0, 2, 1, 0, 1])
    >>> chosen, _ = build_greedily(problem, budget=2)
    >>> chosen
    array([2, 0])
    """
    built = nothing_built(problem)
    for j in there:
        add_site(j, problem.arrays, built)
    need = everyone(problem) if need is None else need
    added = np.empty(problem.n_sites, np.int64)
    rng = np.random.default_rng(0)
    n_added, _ = fill_up(problem.arrays, built, need, problem.cost, budget, NO_NOISE, rng, added)
    return added[:n_added], built


def drop_spare(problem: Problem, built: Built, need: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the chosen sites without those that no need rests on, the first ones tried first."""
    order = chosen.copy()
    n_spare = prune(problem.arrays, built, need, order, np.zeros(problem.n_zones + 1))
    return order[n_spare:]


def put_in_order(problem: Problem, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the chosen sites, what adds most people for its cost first, and what each adds.

    Sites that add nobody after the others are left out.

    Returns
    -------
    array of int64
    array of float64
        People that each adds to those before it; none is counted twice.
    """
    built = nothing_built(problem)
    built[4][:] = 1  # what was not chosen is kept out
    built[4][chosen] = 0
    added = np.empty(problem.n_sites, np.int64)
    need, rng = everyone(problem), np.random.default_rng(0)
    n_added, _ = fill_up(problem.arrays, built, need, problem.cost, np.inf, NO_NOISE, rng, added)
    order = added[:n_added]
    return order, gains_in_order(problem, order)


def gains_in_order(problem: Problem, order: np.ndarray) -> np.ndarray:
    """Return the people that each site adds to those before it."""
    return gains_of(problem.persons, problem.start, problem.row, order, problem.zone)[0]


def gains_of(
    amount: np.ndarray, start: np.ndarray, row: np.ndarray, order: np.ndarray, zone: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each site adds to those before it, and the zone that it adds most to.

    Parameters
    ----------
    amount : array of float, shape (n_rows,)
        People, or km².
    start, row : arrays of int
        Rows by site.
    order : array of int
        Sites.
    zone : array of int, shape (n_rows,)
    """
    is_covered = np.zeros(len(amount), bool)
    gains, mostly = np.zeros(len(order)), np.zeros(len(order), np.int64)
    for k, j in enumerate(order):
        rows = row[start[j] : start[j + 1]]
        new = rows[~is_covered[rows]]
        is_covered[new] = True
        gains[k] = amount[new].sum()
        if len(new):
            mostly[k] = np.bincount(zone[new], amount[new]).argmax()
    return gains, mostly

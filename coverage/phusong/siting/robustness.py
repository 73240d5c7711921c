"""How sure a place in the list is: the list made again under other costs and other ranges."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phusong.siting.demand import make_problem
from phusong.siting.greedy import build_greedily

__all__ = ["rank_under_doubt"]


def rank_under_doubt(
    persons: np.ndarray,
    start: np.ndarray,
    row: np.ndarray,
    distance_ratio: np.ndarray,
    *,
    cost: np.ndarray,
    cost_spread: np.ndarray,
    range_spread: float,
    budget: float,
    top: int = 20,
    draws: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the rank of each site over many draws of its cost and of how far it reaches.

    In each draw every cost and every radius is multiplied by the exponential of a normal number of
    its own, and the sites are chosen anew by what adds most for its cost, within the same budget.

    Parameters
    ----------
    persons, start, row : arrays
        Links to all rows that a site might cover, as `make_problem` takes them.
    distance_ratio : array of float, of the length of `row`
        Distance of the row from the site ÷ the site's radius.
    cost : array of float, shape (n_sites,)
    cost_spread : array of float, shape (n_sites,)
        Standard deviations of the logarithm of the costs.
    range_spread : float
        That of the radii; a radius is at most what the links reach to.
    budget : float
    top : int
        A rank up to it counts as being at the top.
    draws, seed : int

    Returns
    -------
    DataFrame
        A row a site: `share_chosen` and `share_top` (of the draws), `rank_median`, `rank_low` and
        `rank_high` (tenth and ninetieth percentile; a site that is not chosen ranks behind all, and
        such a rank is missing).
    """
    rng = np.random.default_rng(seed)
    n_sites = len(cost)
    site = np.repeat(np.arange(n_sites), np.diff(start))
    ranks = np.full((draws, n_sites), n_sites + 1, np.int64)
    for ranked in ranks:
        drawn = cost * np.exp(cost_spread * rng.standard_normal(n_sites))
        reach = np.exp(range_spread * rng.standard_normal(n_sites))
        is_near = distance_ratio <= reach[site]
        near_start = np.append(0, np.cumsum(np.bincount(site[is_near], minlength=n_sites)))
        problem = make_problem(persons, near_start, row[is_near], cost=drawn)
        order, _ = build_greedily(problem, budget=budget)
        ranked[order] = np.arange(1, len(order) + 1)
    percentiles = np.percentile(ranks, [10, 50, 90], axis=0, method="nearest")
    low, median, high = (pd.Series(p, dtype="Int64").mask(p > n_sites) for p in percentiles)
    return pd.DataFrame(
        {
            "share_chosen": (ranks <= n_sites).mean(axis=0),
            "share_top": (ranks <= top).mean(axis=0),
            "rank_median": median,
            "rank_low": low,
            "rank_high": high,
        }
    )

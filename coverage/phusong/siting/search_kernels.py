"""The compiled half of `swaps`: take a few neighbours away, build again, keep the better."""

from __future__ import annotations

import numpy as np

from phusong.kernels import kernel
from phusong.siting.kernels import add_site, fill_up, prune, remove_site

__all__ = ["search_cheapest", "search_most"]


@kernel
def _take_nearest(centre, wanted, xy, chosen, n_chosen, distance):
    """Move the `wanted` chosen sites nearest to a chosen one to the end of the list."""
    x, y = xy[centre]
    for k in range(n_chosen):
        j = chosen[k]
        distance[k] = (xy[j, 0] - x) ** 2 + (xy[j, 1] - y) ** 2
    for taken in range(wanted):
        last = n_chosen - 1 - taken
        nearest = 0
        for k in range(1, last + 1):
            if distance[k] < distance[nearest]:
                nearest = k
        chosen[nearest], chosen[last] = chosen[last], chosen[nearest]
        distance[nearest], distance[last] = distance[last], distance[nearest]


@kernel
def _meets(built, need):
    n_short = 0
    for z in range(len(need)):
        n_short += built[2][z] < need[z]
    return n_short == 0


@kernel
def search_most(
    problem, built, need, cost, xy, budget, chosen, n_chosen, sizes, noises, slack, rng
):
    """Look for sites that cover more at no more than the budget.

    Round k takes `sizes[k]` neighbours away and fills the budget up again, scores lowered at
    random by up to `noises[k]`. What covers at most `slack[k]` fewer people is kept to go on from;
    the best of all is returned. `chosen` has room for every site.

    Returns
    -------
    array of int64
        The sites of the best found.
    float
        The people that they cover, counted as `need` counts them.
    """
    covered = built[2]
    last = len(covered) - 1
    spent = 0.0
    for k in range(n_chosen):
        spent += cost[chosen[k]]
    distance = np.empty(len(chosen))
    added = np.empty(len(chosen), np.int64)
    best = chosen[:n_chosen].copy()
    best_people, best_spent = covered[last], spent
    for k in range(len(sizes)):
        if n_chosen == 0:
            break
        before, before_spent = covered[last], spent
        size = min(sizes[k], n_chosen)
        centre = chosen[rng.integers(0, n_chosen)]
        _take_nearest(centre, size, xy, chosen, n_chosen, distance)
        kept = n_chosen - size
        for t in range(kept, n_chosen):
            remove_site(chosen[t], problem, built)
            spent -= cost[chosen[t]]
        n_added, cost_added = fill_up(
            problem, built, need, cost, budget - spent, noises[k], rng, added[: len(chosen) - kept]
        )
        people = covered[last]
        if people < before - slack[k]:
            for t in range(n_added):
                remove_site(added[t], problem, built)
            for t in range(kept, n_chosen):
                add_site(chosen[t], problem, built)
            spent = before_spent
            continue
        for t in range(n_added):
            chosen[kept + t] = added[t]
        n_chosen = kept + n_added
        spent += cost_added
        if people > best_people or (people == best_people and spent < best_spent):
            best, best_people, best_spent = chosen[:n_chosen].copy(), people, spent
    return best, best_people


@kernel
def search_cheapest(problem, built, need, cost, xy, chosen, n_chosen, sizes, noises, rng):
    """Look for cheaper sites that meet every need; as `search_most`, without slack.

    Returns
    -------
    array of int64
        The sites of the best found.
    float
        Their cost.
    """
    spent = 0.0
    for k in range(n_chosen):
        spent += cost[chosen[k]]
    distance = np.empty(len(chosen))
    added = np.empty(len(chosen), np.int64)
    lost = np.zeros(len(need))
    best, best_spent = chosen[:n_chosen].copy(), spent
    order = np.empty(len(chosen), np.int64)
    for k in range(len(sizes)):
        if n_chosen == 0:
            break
        size = min(sizes[k], n_chosen)
        centre = chosen[rng.integers(0, n_chosen)]
        # those beside the removed ones may become spare: they are looked at again
        beside = min(3 * size + 8, n_chosen)
        _take_nearest(centre, beside, xy, chosen, n_chosen, distance)
        kept = n_chosen - size
        removed = 0.0
        for t in range(kept, n_chosen):
            remove_site(chosen[t], problem, built)
            removed += cost[chosen[t]]
        n_added, cost_added = fill_up(
            problem, built, need, cost, np.inf, noises[k], rng, added[: len(chosen) - kept]
        )
        first = n_chosen - beside
        n_order = kept - first
        for t in range(n_order):
            order[t] = chosen[kept - 1 - t]
        for t in range(n_added):
            order[n_order + t] = added[t]
        n_order += n_added
        rng.shuffle(order[:n_order])
        n_spare = prune(problem, built, need, order[:n_order], lost)
        after = spent - removed + cost_added
        for t in range(n_spare):
            after -= cost[order[t]]
        if after > spent or not _meets(built, need):
            for t in range(n_spare):
                add_site(order[t], problem, built)
            for t in range(n_added):
                remove_site(added[t], problem, built)
            for t in range(kept, n_chosen):
                add_site(chosen[t], problem, built)
            continue
        for t in range(n_spare, n_order):
            chosen[first + t - n_spare] = order[t]
        n_chosen = first + n_order - n_spare
        spent = after
        if spent < best_spent - 1e-9 * best_spent:
            best, best_spent = chosen[:n_chosen].copy(), spent
    return best, best_spent

"""The compiled half of `bound`: Lagrangian bounds by deflected subgradient steps."""

from __future__ import annotations

import numpy as np

from phusong.kernels import kernel

__all__ = ["bound_cheapest", "bound_most"]


@kernel
def _sum_prices(start, row, price, sums):
    for j in range(len(sums)):
        total = 0.0
        for at in range(start[j], start[j + 1]):
            total += price[row[at]]
        sums[j] = total


@kernel
def _take_step(slope, direction, beta, reach, price, ceiling, rows):
    """Move prices along the deflected subgradient, within 0 … ceiling; say if there is a way.

    `reach` is what the bound lacks times the factor of the step.
    """
    norm = 0.0
    for i in rows:
        # a step out of the limits would be cut off again
        if (slope[i] < 0 and price[i] <= 0) or (slope[i] > 0 and price[i] >= ceiling[i]):
            slope[i] = 0.0
        direction[i] = slope[i] + beta * direction[i]
        norm += direction[i] ** 2
    if norm == 0:
        return False
    step = reach / norm
    for i in rows:
        price[i] = min(max(price[i] + step * direction[i], 0.0), ceiling[i])
    return True


@kernel
def bound_most(
    persons, start, row, cost, budget, price, known, factor, beta, stalls, shrink, n_steps, goal
):
    """Lower an upper bound of the people that sites within a budget can cover.

    See `bound.bound_most_people`. `price` is the first multipliers, and is changed.

    Returns
    -------
    float
        The lowest bound.
    """
    n_sites, n_rows = len(cost), len(persons)
    sums = np.empty(n_sites)
    rows = np.arange(n_rows)
    slope = np.empty(n_rows)
    direction = np.zeros(n_rows)
    best = np.inf
    best_price = price.copy()
    since = 0
    for _ in range(n_steps):
        _sum_prices(start, row, price, sums)
        bound = 0.0
        for i in range(n_rows):
            bound += persons[i] - price[i]
            slope[i] = 1.0 if price[i] < persons[i] else 0.0
        order = np.argsort(-sums / cost)
        left = budget
        for k in range(n_sites):
            j = order[k]
            if left <= 0 or sums[j] <= 0:
                break
            part = min(1.0, left / cost[j])
            left -= cost[j]
            bound += part * sums[j]
            for at in range(start[j], start[j + 1]):
                slope[row[at]] -= part
        if bound < best - 1e-7 * best or best == np.inf:
            since = 0
        else:
            since += 1
        if bound < best:
            best = bound
            best_price[:] = price
        if best <= goal:
            break
        if since >= stalls:
            factor *= shrink
            since = 0
            price[:] = best_price
            direction[:] = 0
            if factor < 1e-5:
                break
            continue
        if not _take_step(slope, direction, beta, factor * (bound - known), price, persons, rows):
            break
    return best


@kernel
def _take_cheapest(persons, zone, price, order, need, left, part):
    """Fill `part`, the shares of rows that meet every need at the least price; return the price.

    The needs of zones lie inside that of all, so that taking the cheapest first is the best: for
    each zone what it needs, then for all what is still missing.
    """
    last = len(need) - 1
    left[:] = need
    cost = 0.0
    part[:] = 0.0
    for everyone in (False, True):
        for k in order:
            w = persons[k]
            z = last if everyone else zone[k]
            if left[z] <= 0:
                if everyone:
                    break
                continue
            share = min(1.0 - part[k], left[z] / w)
            if share <= 0:
                continue
            part[k] += share
            cost += share * price[k]
            left[last] -= share * w
            if not everyone:
                left[z] -= share * w
    return cost


@kernel
def bound_cheapest(
    persons,
    zone,
    need,
    start,
    row,
    cost,
    price,
    known,
    factor,
    beta,
    stalls,
    shrink,
    n_steps,
    goal,
    rows,
):
    """Raise a lower bound of the cost of sites that meet every need.

    See `bound.bound_least_cost`. `rows` are those that some site holds and someone lives in;
    `price` is as in `bound_most`.

    Returns
    -------
    float
        The highest bound.
    """
    n_sites = len(cost)
    sums = np.empty(n_sites)
    n_rows = len(persons)
    part = np.zeros(n_rows)
    short = np.empty(n_rows)
    dear = np.full(n_rows, np.inf)
    direction = np.zeros(n_rows)
    left = np.empty(len(need))
    best = -np.inf
    best_price = price.copy()
    since = 0
    for _ in range(n_steps):
        _sum_prices(start, row, price, sums)
        order = rows[np.argsort(price[rows] / persons[rows])]
        bound = _take_cheapest(persons, zone, price, order, need, left, part)
        short[:] = part
        for j in range(n_sites):
            if sums[j] > cost[j]:
                bound += cost[j] - sums[j]
                for at in range(start[j], start[j + 1]):
                    short[row[at]] -= 1
        if bound > best + 1e-6 * abs(best) or best == -np.inf:
            since = 0
        else:
            since += 1
        if bound > best:
            best = bound
            best_price[:] = price
        if best >= goal:
            break
        if since >= stalls:
            factor *= shrink
            since = 0
            price[:] = best_price
            direction[:] = 0
            if factor < 1e-4:
                break
            continue
        if not _take_step(short, direction, beta, factor * (known - bound), price, dear, rows):
            break
    return best

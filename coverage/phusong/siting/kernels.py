"""The compiled half of `siting`: what a site adds, taken in and out again, and the duals' steps.

People are whole multiples of 2⁻²⁰ (`demand`), so that sums are exact in any order: what is added
and taken away again leaves no trace.

Sites are held as rows of demand (`start`, `row`); each row knows the pairs of site and zone that
hold it (`holder_start`, `holder_pair`), and each site its pairs (`pair_start`, `pair_zone`). What
has been built is `count` (sites over each row), `open_sum` (people of a pair under no site yet),
`covered` (people under a site by zone, the last of all zones), `is_chosen`, and `n_blocking`
(chosen sites that exclude a site).
"""

from __future__ import annotations

from phusong.kernels import kernel

__all__ = ["add_site", "fill_up", "prune", "remove_site", "score_site"]


@kernel
def add_site(j, problem, built):
    """Build site `j`: rows that nobody covered leave the open sums of all that hold them."""
    persons, zone, start, row, holder_start, holder_pair = problem[:6]
    conflict_start, conflict = problem[8:10]
    count, open_sum, covered, is_chosen, n_blocking = built
    last = len(covered) - 1
    for at in range(start[j], start[j + 1]):
        i = row[at]
        if count[i] == 0:
            covered[zone[i]] += persons[i]
            covered[last] += persons[i]
            for h in range(holder_start[i], holder_start[i + 1]):
                open_sum[holder_pair[h]] -= persons[i]
        count[i] += 1
    is_chosen[j] = True
    for at in range(conflict_start[j], conflict_start[j + 1]):
        n_blocking[conflict[at]] += 1


@kernel
def remove_site(j, problem, built):
    """Take site `j` away again: the inverse of `add_site`."""
    persons, zone, start, row, holder_start, holder_pair = problem[:6]
    conflict_start, conflict = problem[8:10]
    count, open_sum, covered, is_chosen, n_blocking = built
    last = len(covered) - 1
    for at in range(start[j], start[j + 1]):
        i = row[at]
        count[i] -= 1
        if count[i] == 0:
            covered[zone[i]] -= persons[i]
            covered[last] -= persons[i]
            for h in range(holder_start[i], holder_start[i + 1]):
                open_sum[holder_pair[h]] += persons[i]
    is_chosen[j] = False
    for at in range(conflict_start[j], conflict_start[j + 1]):
        n_blocking[conflict[at]] -= 1


@kernel
def score_site(j, problem, built, need):
    """Return the people that `j` would add, of each zone and of all as far as they are needed."""
    pair_start, pair_zone = problem[6:8]
    open_sum, covered = built[1:3]
    last = len(covered) - 1
    everyone = 0.0
    wanted = 0.0
    for p in range(pair_start[j], pair_start[j + 1]):
        everyone += open_sum[p]
        left = need[pair_zone[p]] - covered[pair_zone[p]]
        if left > 0:
            wanted += min(open_sum[p], left)
    left = need[last] - covered[last]
    if left > 0:
        wanted += min(everyone, left)
    return wanted


@kernel
def fill_up(problem, built, need, cost, budget, noise, rng, added):
    """Build the site that adds most for its cost, again and again; return how many, and the cost.

    `added` has room for them, in their order. With `noise` each score is lowered by up to that
    share of it, at random.
    """
    is_chosen, n_blocking = built[3:5]
    spent = 0.0
    n_added = 0
    while n_added < len(added):
        best, best_ratio = -1, 0.0
        for j in range(len(cost)):
            if is_chosen[j] or n_blocking[j] > 0 or spent + cost[j] > budget:
                continue
            score = score_site(j, problem, built, need)
            if noise > 0 and score > best_ratio * cost[j]:
                score *= 1 - noise * rng.random()
            if score > best_ratio * cost[j]:
                best, best_ratio = j, score / cost[j]
        if best < 0:
            break
        add_site(best, problem, built)
        spent += cost[best]
        added[n_added] = best
        n_added += 1
    return n_added, spent


@kernel
def _is_spare(j, problem, built, need, lost):
    """Return whether all needs stay met without chosen site `j`; `lost` is room by zone."""
    persons, zone, start, row = problem[:4]
    pair_start, pair_zone = problem[6:8]
    count, covered = built[0], built[2]
    last = len(covered) - 1
    for p in range(pair_start[j], pair_start[j + 1]):
        lost[pair_zone[p]] = 0.0
    everyone = 0.0
    for at in range(start[j], start[j + 1]):
        i = row[at]
        if count[i] == 1:
            lost[zone[i]] += persons[i]
            everyone += persons[i]
    if everyone > 0 and covered[last] - everyone < need[last]:
        return False
    for p in range(pair_start[j], pair_start[j + 1]):
        z = pair_zone[p]
        if lost[z] > 0 and covered[z] - lost[z] < need[z]:
            return False
    return True


@kernel
def prune(problem, built, need, order, lost):
    """Take away the sites of `order` that no need rests on, one after the other; return how many.

    They stand at the front of `order` afterwards; the others follow in no particular order.
    """
    n_spare = 0
    for k in range(len(order)):
        j = order[k]
        if _is_spare(j, problem, built, need, lost):
            remove_site(j, problem, built)
            order[k] = order[n_spare]
            order[n_spare] = j
            n_spare += 1
    return n_spare

"""The commune that is worst off first: its share as high as a budget allows, then the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phusong.siting.bound import bound_least_cost
from phusong.siting.demand import Problem
from phusong.siting.greedy import build_greedily, drop_spare, put_in_order
from phusong.siting.questions import cap_needs
from phusong.siting.swaps import look_for_cheaper

__all__ = ["Fair", "fairest"]

HALVINGS = 10
PROOFS = 6
ROUNDS = 500
LEVELS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Fair:
    """Sites that lift the worst commune first.

    Attributes
    ----------
    order : array of int64
        Sites, what adds most people for its cost first.
    gains : array of float64
        People that each adds to those before it.
    share : array of float64, shape (n_zones,)
        Of each commune afterwards; NaN where nobody lives.
    worst, bound : float
        The least share of all communes that candidates can lift, and what no choice within the
        budget brings it to. A commune that all candidates together leave lower does not count: it
        gets what it can.
    """

    order: np.ndarray
    gains: np.ndarray
    share: np.ndarray
    worst: float
    bound: float


def fairest(problem: Problem, *, people: np.ndarray, budget: float) -> Fair:
    """Return sites within a budget that make the least share of a commune as high as can be.

    Then the least of those that can still be lifted, and so on, and at last most people with what
    is left. The first level has a proven bound: a share is out of reach where the least cost of
    bringing every commune to it has a lower bound above the budget. Later levels are chosen as the
    first is, without one.

    Parameters
    ----------
    problem : Problem
    people : array of float, shape (n_zones,)
        Of each commune, with those who have coverage.
    budget : float

    Examples
    --------
    >>> from phusong.siting.demand import make_problem
    >>> problem = make_problem([50, 30, 20], start=[0, 1, 2, 3], row=[0, 1, 2],
    ...                        zone=[0, 0, 1], n_zones=2)
    >>> fair = fairest(problem, people=np.array([100.0, 100.0]), budget=2)
    >>> fair.order, fair.share  # not both sites of commune 0, which begins at 20 %
    (array([0, 1]), array([1. , 0.8]))
    """
    lacking = np.bincount(problem.zone, problem.persons, problem.n_zones)
    lived_in = people > 0
    level = _Level(problem=problem, people=people, lacking=lacking, budget=budget)
    start = np.where(lived_in, 1 - lacking / np.where(lived_in, people, 1), 1.0)
    most = np.where(lived_in, start + problem.reachable[:-1] / np.where(lived_in, people, 1), 1.0)
    floor = np.minimum(np.full(problem.n_zones, float(start.min())), most)
    chosen, worst, bound = np.zeros(0, np.int64), float(start.min()), 1.0
    is_fixed = ~lived_in
    for k in range(LEVELS):
        found, reached = level.raise_all(floor, most, is_fixed)
        if k == 0:
            worst, bound = reached, level.find_bound(reached, floor, most)
        if found is not None:
            chosen = found
        floor = np.where(is_fixed, floor, np.minimum(np.maximum(floor, reached), most))
        share = level.shares(chosen)
        # those that can go no higher, and the lowest of the others, stay where they are
        is_fixed |= (most <= reached + 1e-9) | (share <= share[~is_fixed].min(initial=1.0) + 1e-9)
        if is_fixed.all():
            break
    chosen = level.spend_rest(chosen)
    order, gains = put_in_order(problem, chosen)
    return Fair(
        order=order,
        gains=gains,
        share=np.where(lived_in, level.shares(order), np.nan),
        worst=worst,
        bound=max(bound, worst),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    problem: Problem
    people: np.ndarray
    lacking: np.ndarray
    budget: float

    def shares(self, chosen: np.ndarray) -> np.ndarray:
        gained = self.problem.covered_by(chosen)[:-1]
        lived_in = self.people > 0
        return np.where(
            lived_in, 1 - (self.lacking - gained) / np.where(lived_in, self.people, 1), 1.0
        )

    def raise_all(
        self, floor: np.ndarray, most: np.ndarray, is_fixed: np.ndarray
    ) -> tuple[np.ndarray | None, float]:
        """Return sites, and the highest share that they bring all to that are not fixed."""
        low, high = float(floor[~is_fixed].min(initial=1.0)), 1.0
        found = None
        for _ in range(HALVINGS):
            share = (low + high) / 2
            sites, cost, _ = self._cheapest(self._wanted(share, floor, most, is_fixed))
            if cost <= self.budget:
                found, low = sites, share
            else:
                high = share
        return found, low

    def find_bound(self, low: float, floor: np.ndarray, most: np.ndarray) -> float:
        """Return a share that the budget provably does not bring every commune above."""
        is_fixed, high = np.zeros(len(floor), bool), 1.0
        for _ in range(PROOFS):
            share = (low + high) / 2
            _, cost, need = self._cheapest(self._wanted(share, floor, most, is_fixed))
            proof = bound_least_cost(self.problem, need=need, known=cost, goal=1.001 * self.budget)
            if proof > self.budget:
                high = share
            else:
                low = share
        return high

    def _wanted(
        self, share: float, floor: np.ndarray, most: np.ndarray, is_fixed: np.ndarray
    ) -> np.ndarray:
        return np.where(is_fixed, floor, np.minimum(np.maximum(floor, share), most))

    def _cheapest(self, share: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        need = np.maximum(self.lacking - (1 - share) * self.people, 0.0)
        need, _ = cap_needs(self.problem, np.append(need, 0.0))
        chosen, built = build_greedily(self.problem, need=need)
        chosen = drop_spare(self.problem, built, need, chosen)
        if self.problem.cost[chosen].sum() > self.budget:
            chosen = look_for_cheaper(self.problem, chosen, need=need, rounds=ROUNDS)
        return chosen, float(self.problem.cost[chosen].sum()), need

    def spend_rest(self, chosen: np.ndarray) -> np.ndarray:
        """Return the chosen sites and those that add most people with what is left."""
        left = self.budget - self.problem.cost[chosen].sum()
        more, _ = build_greedily(self.problem, budget=left, there=chosen)
        return np.concatenate([chosen, more])

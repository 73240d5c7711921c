"""Budgets year by year: which site of a plan comes in which of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["share_out"]


def share_out(cost: np.ndarray, budgets: Sequence[float]) -> np.ndarray:
    """Return the phase of each site of a plan, from 0; -1 where all budgets together do not pay it.

    Each site takes the first phase that can still pay for it; what a phase leaves is there for
    the next. Sites are taken in their order, so that what adds most for its cost comes first, and a
    cheaper one after a site that has to wait does not wait with it.

    Parameters
    ----------
    cost : array of float, shape (n,)
        In the order of the plan.
    budgets : sequence of float
        Of each phase, 0 or more.

    Examples
    --------
    >>> share_out(np.array([3.0, 5.0, 1.0, 4.0]), [4, 6, 2])
    array([ 0,  1,  0, -1])
    """
    if any(not budget >= 0 for budget in budgets):
        raise ValueError(f"budgets of phases: found {list(budgets)}, expected numbers of 0 or more")
    phase = np.full(len(cost), -1)
    room = np.cumsum(np.asarray(budgets, float))  # what may be spent until the end of each phase
    for k, amount in enumerate(cost):
        fits = [p for p in range(len(room)) if room[p:].min() >= amount]
        if fits:
            phase[k] = fits[0]
            room[fits[0] :] -= amount
    return phase

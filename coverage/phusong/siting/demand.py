"""Who lacks coverage, which sites would cover them: rows of demand and sparse lists of sites.

Rows with the same set of sites are one row (nothing tells them apart), so that what is searched is
much smaller than the map; the people of a merged row are the sum, and no row is under two names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phusong.siting.link_kernels import (
    digest_rows,
    find_pairs,
    group_rows,
    merge_links,
    turn_round,
)

__all__ = ["PEOPLE_PER_STEP", "Problem", "conflicts_within", "make_problem"]

# People are whole multiples of this: sums of them are exact in any order up to 8 billion.
PEOPLE_PER_STEP = 2.0**-20


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Which of many sites to build: demand, the sites that would cover it, and what they cost.

    Attributes
    ----------
    persons : array of float64, shape (n_rows,)
        People of each row who are not covered yet.
    zone : array of int32, shape (n_rows,)
    n_zones : int
    start, row : arrays of int64, int32
        Site j would cover the rows `row[start[j]:start[j + 1]]`.
    holder_start, holder_pair : arrays of int64, int32
        Row i is under the pairs `holder_pair[holder_start[i]:holder_start[i + 1]]`.
    pair_start, pair_zone : arrays of int64, int32
        Site j and each zone that it would cover something of.
    cost : array of float64, shape (n_sites,)
        Above 0.
    conflict_start, conflict : arrays of int64, int32
        Sites that cannot be built together with site j, as `conflicts_within` returns them.
    xy : array of float64, shape (n_sites, 2)
        Where the sites are, metres.
    """

    persons: np.ndarray
    zone: np.ndarray
    n_zones: int
    start: np.ndarray
    row: np.ndarray
    holder_start: np.ndarray
    holder_pair: np.ndarray
    pair_start: np.ndarray
    pair_zone: np.ndarray
    cost: np.ndarray
    conflict_start: np.ndarray
    conflict: np.ndarray
    xy: np.ndarray

    @property
    def n_sites(self) -> int:
        return len(self.cost)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What the kernels read, in their order."""
        return (
            self.persons, self.zone, self.start, self.row, self.holder_start, self.holder_pair,
            self.pair_start, self.pair_zone, self.conflict_start, self.conflict,
        )  # fmt: skip

    @property
    def reachable(self) -> np.ndarray:
        """People of each zone whom the sites would cover if all were built; the last is all."""
        is_held = np.diff(self.holder_start) > 0
        by_zone = np.bincount(self.zone[is_held], self.persons[is_held], self.n_zones)
        return np.append(by_zone, by_zone.sum())

    def covered_by(self, chosen: np.ndarray) -> np.ndarray:
        """Return the people of each zone under the chosen sites, each once; the last is all."""
        is_covered = np.zeros(len(self.persons), bool)
        for j in chosen:
            is_covered[self.row[self.start[j] : self.start[j + 1]]] = True
        by_zone = np.bincount(self.zone[is_covered], self.persons[is_covered], self.n_zones)
        return np.append(by_zone, by_zone.sum())


def make_problem(
    persons: np.ndarray,
    start: np.ndarray,
    row: np.ndarray,
    *,
    cost: np.ndarray | None = None,
    zone: np.ndarray | None = None,
    n_zones: int = 1,
    conflicts: tuple[np.ndarray, np.ndarray] | None = None,
    xy: np.ndarray | None = None,
) -> Problem:
    """Return the problem of which sites to build, rows with the same sites and zone merged.

    Parameters
    ----------
    persons : array of float, shape (n_rows,)
        People of each row, such as a cell, who are not covered yet; 0 or more.
    start : array of int, shape (n_sites + 1,)
    row : array of int
        Site j would cover the rows `row[start[j]:start[j + 1]]`, each once.
    cost : array of float, shape (n_sites,), optional
        Above 0; 1 each without it, so that a budget is a number of sites.
    zone : array of int, shape (n_rows,), optional
        The commune of each row, from 0; one for all without it.
    n_zones : int
    conflicts : tuple of arrays, optional
        As `conflicts_within` returns them.
    xy : array of float, shape (n_sites, 2), optional
        Metres; the search looks at neighbours together. All in one place without it.

    Raises
    ------
    ValueError
        If a number of people is negative or unknown, a cost is not above 0, a row is not there,
        or a site holds a row twice.

    Examples
    --------
    >>> problem = make_problem([5, 7, 1], start=[0, 2, 5], row=[0, 1, 0, 1, 2])
    >>> problem.persons  # rows 0 and 1 are under the same sites
    array([ 1., 12.])
    >>> problem.covered_by([0]), problem.reachable
    (array([12., 12.]), array([13., 13.]))
    """
    persons = np.asarray(persons, float)
    start, row = np.asarray(start, np.int64), np.asarray(row, np.int32)
    zone = np.zeros(len(persons), np.int32) if zone is None else np.asarray(zone, np.int32)
    n_sites = len(start) - 1
    _check_rows(persons, start, row, zone, n_zones)
    cost = _checked_cost(np.ones(n_sites) if cost is None else cost, n_sites)
    group, n_groups = _group(start, row, zone, n_sites)
    merged_start, merged_row = merge_links(start, row, group, n_groups)
    if merged_start[0] < 0:
        raise ValueError("a site holds a row twice")
    merged_zone = np.zeros(n_groups, np.int32)
    merged_zone[group] = zone
    pair_start, pair_zone, pair = find_pairs(merged_start, merged_row, merged_zone, n_zones)
    holder_start, holder_link = turn_round(np.arange(len(merged_row) + 1), merged_row, n_groups)
    none = np.zeros(n_sites + 1, np.int64), np.zeros(0, np.int32)
    conflict_start, conflict = none if conflicts is None else conflicts
    return Problem(
        persons=np.bincount(group, _in_steps(persons), n_groups),
        zone=merged_zone,
        n_zones=n_zones,
        start=merged_start,
        row=merged_row,
        holder_start=holder_start,
        holder_pair=pair[holder_link],
        pair_start=pair_start,
        pair_zone=pair_zone,
        cost=cost,
        conflict_start=conflict_start,
        conflict=conflict,
        xy=np.zeros((n_sites, 2)) if xy is None else np.asarray(xy, float),
    )


def conflicts_within(
    xy: np.ndarray, distance_m: float, *, place: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each site, those that are nearer to it than a distance, or in the same place.

    Parameters
    ----------
    xy : array of float, shape (n_sites, 2)
        Metres.
    distance_m : float
        0 for none.
    place : array, shape (n_sites,), optional
        Sites with the same number stand on the same tower: only one of them is built. Negative
        numbers stand for none.

    Returns
    -------
    start : array of int64, shape (n_sites + 1,)
    other : array of int32

    Examples
    --------
    >>> start, other = conflicts_within(np.array([[0.0, 0], [600, 0], [5000, 0]]), 1000)
    >>> start, other
    (array([0, 1, 2, 2]), array([1, 0], dtype=int32))
    """
    from scipy.spatial import cKDTree

    n = len(xy)
    pairs = np.zeros((0, 2), np.int64)
    if distance_m > 0 and n:
        near = cKDTree(xy).query_pairs(distance_m, output_type="ndarray").astype(np.int64)
        gap_m = np.hypot(*(xy[near[:, 0]] - xy[near[:, 1]]).T)
        pairs = near[gap_m < distance_m]
    if place is not None:
        pairs = np.concatenate([pairs, _same_place(np.asarray(place))])
    both = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    return _starts(both[:, 0], n), both[:, 1].astype(np.int32)


def _same_place(place: np.ndarray) -> np.ndarray:
    found = []
    order = np.argsort(place, kind="stable")
    order = order[place[order] >= 0]
    for group in np.split(order, np.flatnonzero(np.diff(place[order])) + 1):
        first, second = np.triu_indices(len(group), 1)
        found.append(np.column_stack([group[first], group[second]]))
    return np.concatenate(found).astype(np.int64)


def _in_steps(persons: np.ndarray) -> np.ndarray:
    return np.round(persons / PEOPLE_PER_STEP) * PEOPLE_PER_STEP


def _group(
    start: np.ndarray, row: np.ndarray, zone: np.ndarray, n_sites: int
) -> tuple[np.ndarray, int]:
    """Number the rows, alike where they are under the same sites and in the same zone."""
    holder_start, holder = turn_round(start, row, len(zone))
    mark = np.random.default_rng(0).integers(0, 2**63, n_sites, dtype=np.uint64)
    digest = digest_rows(holder_start, holder, mark)
    order = np.lexsort((zone, digest))  # equal ones side by side; the kernel compares them in full
    group = np.zeros(len(zone), np.int64)
    return group, int(group_rows(holder_start, holder, zone, order, group))


def _starts(sorted_numbers: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.bincount(sorted_numbers, minlength=n))]).astype(
        np.int64
    )


def _checked_cost(cost: np.ndarray, n_sites: int) -> np.ndarray:
    cost = np.asarray(cost, float)
    if len(cost) != n_sites:
        raise ValueError(f"{len(cost)} costs for {n_sites} sites")
    wrong = np.flatnonzero(~(np.isfinite(cost) & (cost > 0)))
    if len(wrong):
        raise ValueError(f"site {wrong[0]}: found a cost of {cost[wrong[0]]}, expected one above 0")
    return cost


def _check_rows(
    persons: np.ndarray, start: np.ndarray, row: np.ndarray, zone: np.ndarray, n_zones: int
) -> None:
    wrong = np.flatnonzero(~(np.isfinite(persons) & (persons >= 0)))
    if len(wrong):
        raise ValueError(f"row {wrong[0]}: found {persons[wrong[0]]} people, expected 0 or more")
    if len(row) and not (row.min() >= 0 and row.max() < len(persons)):
        raise ValueError(f"a site covers row {row.max()} of {len(persons)} rows")
    if len(zone) != len(persons) or (len(zone) and not (zone.min() >= 0 and zone.max() < n_zones)):
        raise ValueError(f"zones must be {len(persons)} numbers from 0 to {n_zones - 1}")

"""Roses: all the discs and sectors that one operator has on one mast, merged into one outline.

A rose is star-shaped: its radius is a step function of the angle, one step a petal. Merging takes
away what always coincides on a mast: sectors whose sides touch, a sector repeated for each band.
Coordinates and radii lie on a lattice of 2⁻²⁴ m, so that differences of them are exact numbers and
shapes that are near-equal are either equal or told apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phusong.kernels import kernel

__all__ = ["PETAL", "ROSE", "Roses", "make_roses", "snap"]

ROSE = np.dtype(
    [
        ("x", "f8"),
        ("y", "f8"),
        ("reach", "f8"),
        ("op", "i8"),
        ("first", "i8"),
        ("n", "i8"),
        ("index", "i8"),
    ]
)
# A petal runs anticlockwise from its first ray, (ux, uy) at `angle`, over `span` radians. A rose of
# one petal is a disc and has no rays.
PETAL = np.dtype(
    [("ux", "f8"), ("uy", "f8"), ("angle", "f8"), ("span", "f8"), ("radius", "f8"), ("rose", "i8")]
)

STEPS_PER_M = 2.0**24
STEPS_PER_DEG = 2**30
TURN = 360 * STEPS_PER_DEG


@dataclass(frozen=True, slots=True, kw_only=True)
class Roses:
    """Roses sorted by place and operator, and their petals in that order."""

    roses: np.ndarray
    petals: np.ndarray


def snap(metres: np.ndarray) -> np.ndarray:
    """Return the nearest points of the lattice, 0.06 µm apart."""
    return np.asarray(np.round(metres * STEPS_PER_M) / STEPS_PER_M)


def make_roses(
    x: np.ndarray,
    y: np.ndarray,
    radius_m: np.ndarray,
    azimuth_deg: np.ndarray,
    beamwidth_deg: np.ndarray,
    operator: np.ndarray,
) -> Roses:
    """Merge sectors into roses.

    Parameters
    ----------
    x, y : array of float, shape (n,)
        Masts, metres from an origin nearby.
    radius_m : array of float, shape (n,)
        What is not positive covers nothing, nor does a beam of no width.
    azimuth_deg : array of float, shape (n,)
        Clockwise from north; NaN is a disc.
    beamwidth_deg : array of float, shape (n,)
        360 and more is a disc.
    operator : array of int, shape (n,)

    Examples
    --------
    >>> one = np.ones(3)
    >>> made = make_roses(0 * one, 0 * one, 500 * one, np.array([0.0, 120.0, 240.0]), 120 * one,
    ...                   np.zeros(3, int))
    >>> made.petals["radius"], made.petals["span"].round(3)  # three sectors make a disc
    (array([500.]), array([6.283]))
    """
    is_disc = np.isnan(azimuth_deg) | (beamwidth_deg >= 360.0)
    azimuth, width = np.where(is_disc, 0.0, azimuth_deg), np.where(is_disc, 360.0, beamwidth_deg)
    # anticlockwise from east, in whole steps of a degree
    first = np.where(is_disc, 0, _steps(90.0 - azimuth - width / 2) % TURN)
    span, radius = _steps(width), snap(radius_m)
    is_used = (radius > 0) & (span > 0)
    x, y, operator = snap(x), snap(y), np.asarray(operator)
    columns = [column[is_used] for column in (x, y, radius, operator, first, span)]
    x, y, radius, operator, first, span = columns
    order = np.lexsort((span, first, radius, operator, y, x))
    x, y, radius, operator, first, span = (column[order] for column in columns)
    is_new = np.ones(len(x), bool)
    is_new[1:] = (x[1:] != x[:-1]) | (y[1:] != y[:-1]) | (operator[1:] != operator[:-1])
    starts = np.append(np.flatnonzero(is_new), len(x))
    petals = np.zeros(2 * len(x) + len(starts), PETAL)
    edges = np.zeros(len(petals), "i8")
    counts = np.zeros(len(starts) - 1, "i8")
    n = _merge(starts, first, span, radius, petals["radius"], petals["rose"], edges, counts)
    petals, edges = petals[:n], edges[:n]
    roses = np.zeros(len(counts), ROSE)
    roses["x"], roses["y"], roses["op"] = (c[starts[:-1]] for c in (x, y, operator))
    roses["n"], roses["first"] = counts, np.cumsum(counts) - counts
    roses["index"] = np.arange(len(roses))
    _measure(petals, edges, roses)
    return Roses(roses=roses, petals=petals)


def _steps(degrees: np.ndarray) -> np.ndarray:
    return np.round(degrees * STEPS_PER_DEG).astype("i8")


def _measure(petals: np.ndarray, edges: np.ndarray, roses: np.ndarray) -> None:
    """Fill in rays, angles and spans of the petals, and the reach of the roses."""
    if not len(roses):
        return
    following = np.arange(len(petals)) + 1
    following[roses["first"] + roses["n"] - 1] = roses["first"]
    turn = (edges[following] - edges) % TURN
    turn[turn == 0] = TURN
    quarter = np.round(edges / (90 * STEPS_PER_DEG)).astype("i8")
    rest = np.radians((edges - quarter * 90 * STEPS_PER_DEG) / STEPS_PER_DEG)
    c, s = np.cos(rest), np.sin(rest)  # the same digits in every quarter: axes are exact
    petals["ux"] = np.choose(quarter % 4, [c, -s, -c, s])
    petals["uy"] = np.choose(quarter % 4, [s, c, -s, -c])
    petals["angle"] = np.radians(edges / STEPS_PER_DEG)
    petals["span"] = np.radians(turn / STEPS_PER_DEG)
    roses["reach"] = np.maximum.reduceat(petals["radius"], roses["first"])


@kernel
def _merge(starts, first, span, radius, petal_radius, petal_rose, edges, counts):
    """Lay out the petals of each rose: the largest radius between any two neighbouring rays."""
    n = 0
    for rose in range(len(starts) - 1):
        low, high = starts[rose], starts[rose + 1]
        rays = np.empty(2 * (high - low), np.int64)
        for i in range(low, high):
            rays[2 * (i - low)] = first[i]
            rays[2 * (i - low) + 1] = (first[i] + span[i]) % TURN
        rays.sort()
        begin = n
        for k in range(len(rays)):
            if k > 0 and rays[k] == rays[k - 1]:
                continue
            reach = 0.0
            for i in range(low, high):
                if (rays[k] - first[i]) % TURN < span[i]:
                    reach = max(reach, radius[i])
            if n > begin and petal_radius[n - 1] == reach:
                continue
            edges[n] = rays[k]
            petal_radius[n] = reach
            petal_rose[n] = rose
            n += 1
        if n - begin > 1 and petal_radius[n - 1] == petal_radius[begin]:
            for k in range(begin, n - 1):  # the last petal goes on into the first
                edges[k], petal_radius[k] = edges[k + 1], petal_radius[k + 1]
            n -= 1
        if n - begin == 1:
            edges[begin] = 0
        counts[rose] = n - begin
    return n

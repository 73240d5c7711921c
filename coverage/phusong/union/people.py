"""Persons of each zone in the covered part of the cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phusong.kernels import in_threads, kernel
from phusong.zonal import ZonalWeights

__all__ = ["fill_cells", "find_land", "paint", "sum_covered"]

ROWS_AT_ONCE = 64


def sum_covered(
    zones: ZonalWeights, layers: Sequence[ZonalWeights], population: np.ndarray
) -> np.ndarray:
    """Return each zone's persons that each layer covers, shape (n_zones, n_layers).

    Σ over cells of persons × the zone's share of the cell × the covered share of the cell: within
    a cell, persons live evenly, and the two shares do not know of each other.

    Parameters
    ----------
    zones : ZonalWeights
    layers : sequence of ZonalWeights
        On the same grid, each of one zone: what is covered.
    population : array of float, shape (row, col)
        Persons per cell.
    """
    numbers = [np.full(len(layer.runs), i) for i, layer in enumerate(layers)]
    runs, _ = _by_row([layer.runs for layer in layers], numbers)
    numbers = [np.full(len(layer.borders), i) for i, layer in enumerate(layers)]
    borders, order = _by_row([layer.borders for layer in layers], numbers)
    shares = np.concatenate([layer.fractions for layer in layers] or [np.zeros(0)])[order]

    def work(first_row: int) -> np.ndarray:
        persons = np.zeros((zones.n_zones, len(layers)))
        _sum_rows(
            first_row, min(first_row + ROWS_AT_ONCE, zones.grid.shape[0]),
            zones.runs, zones.borders, zones.fractions, runs, borders, shares, population, persons,
        )  # fmt: skip
        return persons

    inside = np.concatenate([zones.runs[:, 0], zones.borders[:, 0]])
    first = inside.min(initial=zones.grid.shape[0]) // ROWS_AT_ONCE * ROWS_AT_ONCE
    total = np.zeros((zones.n_zones, len(layers)))
    for persons in in_threads(work, range(first, inside.max(initial=0) + 1, ROWS_AT_ONCE)):
        total += persons  # in the order of the rows, whoever is first
    return total


def paint(layer: ZonalWeights, zones: ZonalWeights, painted: np.ndarray) -> None:
    """Put a layer's share of each cell into `painted`, shape (row, col); 0 outside all zones."""
    painted[:] = 0
    _paint(layer.runs, layer.borders, layer.fractions, painted)
    painted[~find_land(zones)] = 0


def find_land(zones: ZonalWeights) -> np.ndarray:
    """Return which cells of the grid meet a zone, bool, shape (row, col)."""
    is_land = np.zeros(zones.grid.shape, bool)
    _paint(zones.runs, zones.borders, np.ones(len(zones.borders)), is_land)
    return is_land


def fill_cells(layer: ZonalWeights) -> np.ndarray:
    """Return a layer's share of each cell of its grid, shape (row, col)."""
    filled = np.zeros(layer.grid.shape)
    _paint(layer.runs, layer.borders, layer.fractions, filled)
    return filled


def _by_row(arrays: list[np.ndarray], layers: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Concatenate runs or borders, their zone being the layer, sorted by row and layer."""
    joined = np.concatenate(arrays or [np.zeros((0, 4), "int32")])
    joined[:, 1] = np.concatenate(layers or [np.zeros(0)])
    order = np.argsort(joined[:, 0], kind="stable")
    return joined[order], order


@kernel
def _paint(runs, borders, shares, painted):
    for i in range(len(runs)):
        painted[runs[i, 0], runs[i, 2] : runs[i, 3]] = 1
    for i in range(len(borders)):
        painted[borders[i, 0], borders[i, 2]] = shares[i]


@kernel
def _sum_rows(
    first_row, after_row, zone_runs, zone_borders, fractions, runs, borders, shares, population,
    persons,
):  # fmt: skip
    zr = np.searchsorted(zone_runs[:, 0], first_row)
    zb = np.searchsorted(zone_borders[:, 0], first_row)
    lr = np.searchsorted(runs[:, 0], first_row)
    lb = np.searchsorted(borders[:, 0], first_row)
    covered = np.zeros(population.shape[1])
    for row in range(first_row, after_row):
        end_zr, end_zb = _after(zone_runs, zr, row), _after(zone_borders, zb, row)
        end_lr, end_lb = _after(runs, lr, row), _after(borders, lb, row)
        while lr < end_lr or lb < end_lb:  # layer by layer
            layer = np.int64(persons.shape[1])
            if lr < end_lr:
                layer = min(layer, np.int64(runs[lr, 1]))
            if lb < end_lb:
                layer = min(layer, np.int64(borders[lb, 1]))
            low, high = np.int64(len(covered)), np.int64(0)
            while lr < end_lr and runs[lr, 1] == layer:
                a, b = runs[lr, 2], runs[lr, 3]
                covered[a:b] = population[row, a:b]
                low, high = min(low, a), max(high, b)
                lr += 1
            while lb < end_lb and borders[lb, 1] == layer:
                c = borders[lb, 2]
                covered[c] = shares[lb] * population[row, c]
                low, high = min(low, c), max(high, c + 1)
                lb += 1
            for i in range(zr, end_zr):
                total = 0.0
                for c in range(max(low, zone_runs[i, 2]), min(high, zone_runs[i, 3])):
                    total += covered[c]
                persons[zone_runs[i, 1], layer] += total
            for i in range(zb, end_zb):
                c = zone_borders[i, 2]
                if low <= c < high:
                    persons[zone_borders[i, 1], layer] += fractions[i] * covered[c]
            covered[low:high] = 0.0
        zr, zb = end_zr, end_zb


@kernel
def _after(rows, at, row):
    while at < len(rows) and rows[at, 0] == row:
        at += 1
    return at

"""People without coverage, cell by cell, and the cells that a site at a place would cover.

A site covers the cells whose centres lie within its radius: what of such a cell has no coverage
yet is covered then. The exact share of every cell, also of those that the circle cuts, comes with
the assessment of the finished plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phusong.grid import Grid
from phusong.siting.link_kernels import list_cells
from phusong.zonal import ZonalWeights

__all__ = ["Demand", "coarsen", "join_links", "lay_demand", "link_discs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What lacks coverage, one row for each cell and zone that it lies in, sorted by cell.

    Attributes
    ----------
    grid : Grid
    cell : array of int64, shape (n,)
        row × columns + column.
    zone : array of int32, shape (n,)
    persons, km2 : array of float64, shape (n,)
    """

    grid: Grid
    cell: np.ndarray
    zone: np.ndarray
    persons: np.ndarray
    km2: np.ndarray

    @property
    def xy(self) -> np.ndarray:
        """Centres of the cells, metres, shape (n, 2)."""
        row, column = np.divmod(self.cell, self.grid.shape[1])
        return np.column_stack([self.grid.x[column], self.grid.y[row]])


def lay_demand(weights: ZonalWeights, persons: np.ndarray, covered: np.ndarray) -> Demand:
    """Return the people and the area that are not covered, by cell and zone.

    Parameters
    ----------
    weights : ZonalWeights
    persons : array of float
        Persons per cell, shape (row, col); or persons per whole cell of each zone, shape (zones,).
    covered : array of float, shape (row, col)
        Share of each cell that is covered, 0 to 1.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from phusong.zonal import overlap_zones
    >>> grid = Grid(crs="EPSG:5897", x_min=0, y_max=200, cell_m=100, shape=(2, 2))
    >>> zone = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 150, 200)], crs="EPSG:5897")
    >>> demand = lay_demand(overlap_zones(zone, grid), np.full((2, 2), 8.0),
    ...                     np.array([[1.0, 0.5], [0.0, 0.0]]))
    >>> demand.cell, demand.persons, demand.km2
    (array([1, 2, 3]), array([2., 8., 4.]), array([0.0025, 0.01  , 0.005 ]))
    """
    columns = weights.grid.shape[1]
    runs, borders = weights.runs.astype(np.int64), weights.borders.astype(np.int64)
    length = runs[:, 3] - runs[:, 2]
    first = runs[:, 0] * columns + runs[:, 2]
    inside = np.repeat(first - np.cumsum(length) + length, length) + np.arange(length.sum())
    cell = np.concatenate([inside, borders[:, 0] * columns + borders[:, 2]])
    zone = np.concatenate([np.repeat(runs[:, 1], length), borders[:, 1]])
    share = np.concatenate([np.ones(len(inside)), weights.fractions])
    share *= 1 - np.clip(covered.reshape(-1)[cell].astype(float), 0.0, 1.0)
    order = np.lexsort((zone, cell))
    order = order[share[order] > 0]
    cell, zone, share = cell[order], zone[order], share[order]
    each = persons[zone] if persons.ndim == 1 else persons.reshape(-1)[cell]
    return Demand(
        grid=weights.grid,
        cell=cell,
        zone=zone.astype(np.int32),
        persons=share * each,
        km2=share * weights.grid.cell_m**2 / 1e6,
    )


def link_discs(
    demand: Demand, xy: np.ndarray, radius_m: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of demand whose cell's centre is within each site's radius.

    Parameters
    ----------
    demand : Demand
    xy : array of float, shape (n_sites, 2)
        Metres of the grid's CRS.
    radius_m : array of float, shape (n_sites,)

    Returns
    -------
    start : array of int64, shape (n_sites + 1,)
    row : array of int32
        Site j covers `row[start[j]:start[j + 1]]`.
    """
    grid = demand.grid
    cells = np.arange(grid.shape[0] * grid.shape[1])
    column, line = grid.to_columns_rows(xy[:, 0], xy[:, 1])
    return list_cells(
        column, line, np.asarray(radius_m, float) / grid.cell_m,
        np.searchsorted(demand.cell, cells, "left"), np.searchsorted(demand.cell, cells, "right"),
        grid.shape[0], grid.shape[1],
    )  # fmt: skip


def join_links(
    links: Sequence[tuple[np.ndarray, np.ndarray]], n_rows: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the links of the same sites to several demands as links to all, one after the other.

    Examples
    --------
    >>> a = np.array([0, 1, 1]), np.array([1])
    >>> b = np.array([0, 2, 3]), np.array([0, 1, 1])
    >>> join_links([a, b], [2, 2])
    (array([0, 3, 4]), array([1, 2, 3, 3], dtype=int32))
    """
    offsets = np.append(0, np.cumsum(n_rows))
    counts = np.array([np.diff(start) for start, _ in links])
    site = np.concatenate([np.repeat(np.arange(len(count)), count) for count in counts])
    row = np.concatenate([rows + offset for (_, rows), offset in
                          zip(links, offsets[:-1], strict=True)])  # fmt: skip
    order = np.argsort(site, kind="stable")
    return np.append(0, np.cumsum(counts.sum(axis=0))), row[order].astype(np.int32)


def coarsen(demand: Demand, k: int) -> Demand:
    """Return the demand on cells of k × k cells, every person kept."""
    grid = demand.grid
    shape = (-(-grid.shape[0] // k), -(-grid.shape[1] // k))
    row, column = np.divmod(demand.cell, grid.shape[1])
    n_zones = int(demand.zone.max(initial=0)) + 1
    key = ((row // k) * shape[1] + column // k) * n_zones + demand.zone
    found, at = np.unique(key, return_inverse=True)
    return Demand(
        grid=Grid(crs=grid.crs, x_min=grid.x_min, y_max=grid.y_max, cell_m=grid.cell_m * k,
                  shape=shape),
        cell=found // n_zones,
        zone=(found % n_zones).astype(np.int32),
        persons=np.bincount(at, demand.persons, len(found)),
        km2=np.bincount(at, demand.km2, len(found)),
    )  # fmt: skip

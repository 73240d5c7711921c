"""The cells that the signal of a candidate reaches over terrain, within its radius."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.grid import Grid
from phusong.kernels import in_threads
from phusong.radio.area import Land
from phusong.radio.network import lay_network
from phusong.radio.relief import Relief, lay_relief
from phusong.radio.rules import RadioRules
from phusong.radio.sweep import EDGE, SECTOR_COLUMNS, find_servers
from phusong.siting.reach import Demand

__all__ = ["Served", "find_served"]

Window = tuple[int, int, np.ndarray]  # first row and column of the grid, and which cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Which cells of a grid the median signal of each candidate reaches.

    Attributes
    ----------
    grid : Grid
    top, left, height, width : arrays of int64, shape (n_sites,)
        The window of each candidate, in rows and columns of the grid.
    offset : array of int64, shape (n_sites,)
        Where the window of a candidate begins in `is_served`.
    is_served : array of bool
        The windows, one after the other, row by row.
    """

    grid: Grid
    top: np.ndarray
    left: np.ndarray
    height: np.ndarray
    width: np.ndarray
    offset: np.ndarray
    is_served: np.ndarray

    def take(self, is_kept: np.ndarray) -> Served:
        """Return the same of some of the candidates."""
        names = ("top", "left", "height", "width", "offset")
        return replace(self, **{name: getattr(self, name)[is_kept] for name in names})

    def keep(
        self, demand: Demand, start: np.ndarray, row: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the links of sites to rows of demand, without those that no signal reaches.

        Parameters
        ----------
        demand : Demand
            On this grid, or on a coarser one: a cell counts as its centre does.
        start, row : arrays
            As `reach.link_discs` returns.
        """
        site = np.repeat(np.arange(len(start) - 1), np.diff(start))
        column, line = self.grid.to_columns_rows(*demand.xy[row].T)
        down = np.floor(line).astype(np.int64) - self.top[site]
        across = np.floor(column).astype(np.int64) - self.left[site]
        is_inside = (down >= 0) & (down < self.height[site])
        is_inside &= (across >= 0) & (across < self.width[site])
        kept = np.zeros(len(row), bool)
        at = self.offset[site] + down * self.width[site] + across
        kept[is_inside] = self.is_served[at[is_inside]]
        counts = np.bincount(site[kept], minlength=len(start) - 1)
        return np.append(0, np.cumsum(counts)), row[kept]


def find_served(
    cells: gpd.GeoDataFrame,
    radius_m: np.ndarray,
    grid: Grid,
    land: Land,
    rules: RadioRules,
) -> Served:
    """Return what the signal of each candidate reaches, alone and as a usual site of its band.

    A cell is reached where the median power of a reference element is at the threshold or above.
    A candidate that cannot be predicted, such as one in a void of the terrain, reaches nothing.

    Parameters
    ----------
    cells : GeoDataFrame
        A row a candidate, schema "sites", conformed, in the grid's CRS.
    radius_m : array of float, shape (n_sites,)
        Beyond it nothing is looked at.
    grid : Grid
    land : Land
    rules : RadioRules
        Thresholds, and what is assumed of a site.

    Raises
    ------
    ModelRangeError
        If the terrain lies elsewhere, or a number is outside the model's range.
    """
    margin = ceil(float(radius_m.max(initial=0.0)) / grid.cell_m) + EDGE
    relief = lay_relief(
        land.terrain, grid.widened(margin), kind=land.kind, cover=land.cover, sampling=land.sampling
    )
    sectors = lay_network(cells, relief, rules).sectors
    at = pd.Series(sectors.index, index=sectors["site_id"]).reindex(cells["site_id"]).to_numpy()
    nothing: Window = (0, 0, np.zeros((0, 0), bool))

    def look(i: int) -> Window:
        if np.isnan(at[i]):
            return nothing
        sector = sectors.loc[[int(at[i])]]
        top, left, power_dbm = _sweep(relief, sector, float(radius_m[i]), rules)
        is_served = power_dbm >= float(sector["threshold_dbm"].iloc[0])
        return top - margin, left - margin, is_served

    return _join(grid, in_threads(look, range(len(cells))))


def _sweep(
    relief: Relief, sector: pd.DataFrame, radius_m: float, rules: RadioRules
) -> tuple[int, int, np.ndarray]:
    """Return the power of one sector in the cells around it, and the first row and column."""
    every = relief.sampling
    reach = ceil(radius_m / relief.grid.cell_m) + EDGE
    row, column = int(sector["row"].iloc[0]), int(sector["col"].iloc[0])
    top, left = (max(at // every - reach, 0) for at in (row, column))
    low, right = (
        min(at // every + reach + 1, n)
        for at, n in zip((row, column), relief.grid.shape, strict=True)
    )
    window = slice(top * every, low * every), slice(left * every, right * every)
    moved = sector[list(SECTOR_COLUMNS)].assign(row=row - top * every, col=column - left * every)
    found = find_servers(
        relief.ground_m[window], relief.cover_m[window], moved, cell_m=relief.cell_m,
        receivers_every=every, radius_m=radius_m, receiver_height_m=rules.receiver_height_m,
        n_best=1, n_threads=1,
    )  # fmt: skip
    return top, left, found.signal_dbm[0]


def _join(grid: Grid, windows: Iterable[Window]) -> Served:
    listed = list(windows)
    sizes = np.array([window.shape for _, _, window in listed], np.int64).reshape(-1, 2)
    return Served(
        grid=grid,
        top=np.array([top for top, _, _ in listed], np.int64),
        left=np.array([left for _, left, _ in listed], np.int64),
        height=sizes[:, 0],
        width=sizes[:, 1],
        offset=np.append(0, np.cumsum(sizes.prod(axis=1)))[:-1],
        is_served=np.concatenate([np.zeros(0, bool), *(w.reshape(-1) for _, _, w in listed)]),
    )

"""The signal over one area, with the masts beyond it that reach in."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from phusong.grid import Grid
from phusong.radio.limits import ModelRangeError
from phusong.radio.network import Network, count_left_out, lay_network, leave_out
from phusong.radio.relief import Relief, lay_relief
from phusong.radio.rules import RadioRules
from phusong.radio.signal import Prediction, Reach, predict_signal
from phusong.radio.tiles import TileSignal
from phusong.steps import Progress, silently

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["AreaSignal", "Land", "predict_area"]

MOST_SAMPLES = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Land:
    """The ground of a study, of any extent and CRS.

    Attributes
    ----------
    terrain : DataArray, dims (y, x)
        Metres above the sea.
    kind : {"ground", "surface"}
        Bare ground, or with trees and roofs.
    cover : DataArray, dims (y, x), optional
        Heights of what stands on bare ground.
    sampling : int
        Samples of a ray on the side of a cell, odd.
    """

    terrain: xr.DataArray
    kind: str
    cover: xr.DataArray | None = None
    sampling: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaSignal:
    """A prediction on the grid that was asked for, the sectors it numbers, and what was noted.

    `relief` reaches as far as the masts do; its grid may be larger.
    """

    prediction: Prediction
    network: Network
    relief: Relief
    notes: tuple[str, ...]


def predict_area(
    grid: Grid,
    sites: gpd.GeoDataFrame,
    land: Land,
    rules: RadioRules,
    *,
    services: Mapping[str, Sequence[str]],
    operators: Sequence[str],
    reach: Reach | None = None,
    known: MutableMapping[str, TileSignal] | None = None,
    client: Client | None = None,
    progress: Progress = silently,
) -> AreaSignal:
    """Return the signal of each service on a grid.

    Parameters
    ----------
    grid : Grid
    sites : GeoDataFrame
        Schema "sites", conformed, on air, any CRS.
    land : Land
    rules : RadioRules
    services, operators, reach, known, client, progress
        See `predict_signal`.

    Raises
    ------
    ModelRangeError
        If the area has more samples than memory should hold, or none of them has a height.
    """
    reach = Reach() if reach is None else reach
    there = sites.to_crs(grid.crs)
    away_m = _away_m(there, grid)
    beyond = f"stand farther than {reach.radius_m / 1000:g} km from the area"
    near, far = leave_out(there, {beyond: away_m > reach.radius_m})
    margin = 0
    if (away_m[away_m <= reach.radius_m] > 0.0).any():
        margin = math.ceil(reach.radius_m / grid.cell_m)
    _require_size(grid.widened(margin), land.sampling)
    relief = lay_relief(
        land.terrain, grid.widened(margin), kind=land.kind, cover=land.cover,
        sampling=land.sampling,
    )  # fmt: skip
    found = lay_network(near, relief, rules)
    network = replace(found, left_out=pd.concat([far, found.left_out], ignore_index=True))
    prediction = predict_signal(
        relief, network, rules, services=services, operators=operators, reach=reach,
        margin_cells=margin, known=known, client=client, progress=progress,
    )  # fmt: skip
    notes = [*count_left_out(far, len(sites)), *network.notes]
    if relief.n_voids:
        notes.append(
            f"{relief.n_voids} of {relief.ground_m.size} samples have no height; what lies in and "
            "behind them is not known, and not counted as covered"
        )
    if relief.n_bare and land.cover is not None:
        notes.append(f"{relief.n_bare} of {relief.ground_m.size} samples have no clutter: taken "
                     "as open")  # fmt: skip
    return AreaSignal(prediction=prediction, network=network, relief=relief, notes=tuple(notes))


def _away_m(sites: gpd.GeoDataFrame, grid: Grid) -> np.ndarray:
    """Return how far the middle of each site lies outside the grid's box, 0 inside."""
    x_min, y_min, x_max, y_max = grid.bounds
    bounds = sites.geometry.bounds.to_numpy()
    x, y = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    return np.hypot(
        np.maximum(np.maximum(x_min - x, x - x_max), 0.0),
        np.maximum(np.maximum(y_min - y, y - y_max), 0.0),
    )


def _require_size(grid: Grid, sampling: int) -> None:
    """Refuse what memory should not hold: a mast far away, or a cell of a few metres."""
    rows, columns = grid.shape
    n_samples = rows * columns * sampling**2
    if n_samples > MOST_SAMPLES:
        raise ModelRangeError(
            f"area: {rows:,} × {columns:,} cells with {sampling}² samples each are "
            f"{n_samples / 1e6:,.0f} million, at most {MOST_SAMPLES / 1e6:,.0f} million: take one "
            "province at a time, larger cells or fewer samples; is a site far away from the others?"
        )

"""The signal of a network on a grid: median power, best servers, interference and margin.

Sectors that share an operator, a technology and a frequency are one channel: they interfere. A
service takes the best of its channels. Tiles of the grid are computed apart (`tiles`).
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from phusong.grid import Grid
from phusong.radio.limits import require_within
from phusong.radio.network import Network
from phusong.radio.p1812 import location_sigma_db
from phusong.radio.reliability import combine_sigmas_db, covered_share
from phusong.radio.relief import Relief
from phusong.radio.rules import RadioRules
from phusong.radio.sweep import Sweep
from phusong.radio.tiles import (
    LEVELS,
    NOTHING,
    Asked,
    Channel,
    Tile,
    TileSignal,
    cut_tiles,
    predict_tile,
)
from phusong.steps import Progress, silently
from phusong.tasks import finish_tasks

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Prediction", "Reach", "predict_signal"]

CHANNEL = ["operator", "technology", "frequency_mhz"]
UNITS = {
    "signal_dbm": "dBm",
    "server_id": "row of the sectors",
    "second_server": "row of the sectors",
    "n_servers": "sectors",
    "sinr_db": "dB",
    "margin_db": "dB above the threshold",
}
SERVERS = ("server_id", "second_server")
LEAST_RESOLUTION_M, MOST_RESOLUTION_M = 50.0, 1000.0  # P.1812-7, §4.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far and how closely is computed.

    Attributes
    ----------
    radius_m : float
        Of each mast; beyond it nothing is served.
    exact_m : float
        Receivers nearer than this have a profile of their own; infinite: all.
    n_best : int
        Servers that are kept of each channel, 2 to 8: the best, and those that disturb it.
    """

    radius_m: float = 15_000.0
    exact_m: float = 1_000.0
    n_best: int = 6

    def __post_init__(self) -> None:
        require_within("n_best", self.n_best, 2, 8, source="the sweep")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """What a network sends to each cell.

    Attributes
    ----------
    services : dict of str to Dataset, dims (y, x)
        For each service, of all operators together: `signal_dbm` (median power of a reference
        signal, NaN where none), `server_id` and `second_server` (rows of the network's sectors, -1
        where none), `n_servers` (sectors at or above their threshold, at most `n_best` of a
        channel), `sinr_db`, `margin_db` (above the threshold; -inf beyond every radius, NaN where
        the terrain is not known), `probability` (that the signal reaches the threshold).
    margins_db : DataArray of float32, dims (level, service, operator, y, x)
        Of each operator alone; the levels are "threshold" and "strict", above the surer one of a
        pair.
    location_db : DataArray, dims (service)
        Standard deviation over the places of a cell (P.1812-7, §4.8), of the highest band.
    n_points : int
        Paths that were computed, each for all bands of its mast; of tiles that were taken from
        `known`, when they were.
    n_known : int
        Tiles that were taken from `known`.
    """

    services: dict[str, xr.Dataset]
    margins_db: xr.DataArray
    location_db: xr.DataArray
    n_points: int
    n_known: int = 0


def predict_signal(
    relief: Relief,
    network: Network,
    rules: RadioRules,
    *,
    services: Mapping[str, Sequence[str]],
    operators: Sequence[str],
    reach: Reach | None = None,
    margin_cells: int = 0,
    known: MutableMapping[str, TileSignal] | None = None,
    client: Client | None = None,
    progress: Progress = silently,
) -> Prediction:
    """Return the signal of each service that has sectors.

    The margin of a service is that of its best channel, and that of all operators is the best
    one's: what hides one mast mostly hides its neighbours, so that several are no surer than the
    best of them. SINR is that of the serving channel: its power over noise and `rules.load` times
    the other kept servers of the same channel.

    Parameters
    ----------
    relief : Relief
    network : Network
    rules : RadioRules
    services : Mapping
        Service to technologies, such as `indicators.SERVICES`.
    operators : sequence of str
        Those of `margins_db`.
    reach : Reach, optional
    margin_cells : int
        Width of the relief's rim that has ground and masts, but no receivers.
    known : mutable mapping, optional
        Tiles that are done, by a digest of all that decides them. What is found there is not
        computed again, what is computed is put there at once: a prediction that was stopped goes
        on, and after a change only the tiles that it reaches are new.
    client : distributed.Client, optional
        Its workers compute; otherwise as many threads as there are processors.
    progress : callable
        Given the tiles to compute and a label, yields these.

    Returns
    -------
    Prediction
        The same bits whoever computes, and whatever is known.
    """
    reach = Reach() if reach is None else reach
    sectors = network.sectors
    wanted = {technology for group in services.values() for technology in group}
    heard = sectors[sectors["technology"].isin(wanted)]
    channels, channel = _list_channels(heard)
    there = {
        name: tuple(group) for name, group in services.items()
        if heard["technology"].isin(group).any()
    }  # fmt: skip
    asked = Asked(
        channels=channels, services=there, operators=tuple(operators), load=rules.load,
        sweep=Sweep(
            cell_m=relief.cell_m, receivers_every=relief.sampling, radius_m=reach.radius_m,
            exact_m=reach.exact_m, receiver_height_m=rules.receiver_height_m, n_best=reach.n_best,
            n_threads=1,
        ),
    )  # fmt: skip
    tiles = cut_tiles(relief, margin_cells, heard, channel, reach.radius_m)
    whole = _Whole.empty(relief.grid.widened(-margin_cells), asked)
    missing = []
    for tile in tiles:
        found = None if known is None else known.get(tile.digest(asked))
        if found is None:
            missing.append(tile)
        else:
            whole.paste(tile, found)
    answers = finish_tasks(
        predict_tile, [(tile, asked) for tile in missing], client=client, progress=progress,
        label="signal",
    )  # fmt: skip
    for i, found in answers:
        if known is not None:
            known[missing[i].digest(asked)] = found
        whole.paste(missing[i], found)
    sigmas = [_location_db(heard, group, relief, rules) for group in there.values()]
    return whole.to_prediction(sigmas, rules, n_known=len(tiles) - len(missing))


def _list_channels(sectors: pd.DataFrame) -> tuple[tuple[Channel, ...], np.ndarray]:
    """Return the channels in the order of their keys, and the number of each sector's."""
    grouped = sectors.groupby(CHANNEL, sort=True)
    names = [*CHANNEL, "threshold_dbm", "strict_by_db", "noise_dbm"]
    rows = grouped.head(1).sort_values(CHANNEL)[names].to_dict("records")
    return tuple(Channel(**row) for row in rows), grouped.ngroup().to_numpy(np.int64)


@dataclass(slots=True, kw_only=True, eq=False)
class _Whole:
    """The layers of an area, tile by tile."""

    grid: Grid
    asked: Asked
    layers: TileSignal
    margins_db: np.ndarray
    n_points: int = 0

    @classmethod
    def empty(cls, grid: Grid, asked: Asked) -> _Whole:
        shape = (len(LEVELS), len(asked.services), len(asked.operators), *grid.shape)
        return cls(
            grid=grid, asked=asked, margins_db=np.full(shape, -np.inf, "float32"),
            layers={
                f"{name} {layer}": np.full(grid.shape, NOTHING[layer])
                for name in asked.services for layer in UNITS
            },
        )  # fmt: skip

    def paste(self, tile: Tile, found: TileSignal) -> None:
        numbers = np.append(tile.numbers, NOTHING["server_id"])
        for key, layer in self.layers.items():
            values = found[key]
            layer[tile.place] = numbers[values] if key.endswith(SERVERS) else values
        self.margins_db[(..., *tile.place)] = found["margins_db"]
        self.n_points += int(found["n_points"])

    def to_prediction(
        self, sigmas_db: Sequence[float], rules: RadioRules, *, n_known: int
    ) -> Prediction:
        grid, there = self.grid, list(self.asked.services)
        return Prediction(
            services={
                name: self._to_dataset(name, combine_sigmas_db(
                    location_db=sigma, model_db=rules.model_sigma_db))
                for name, sigma in zip(there, sigmas_db, strict=True)
            },
            margins_db=xr.DataArray(
                self.margins_db, dims=("level", "service", "operator", "y", "x"),
                coords={"level": list(LEVELS), "service": there,
                        "operator": list(self.asked.operators), "y": grid.y, "x": grid.x},
                attrs={"crs": grid.crs, "cell_m": grid.cell_m, "unit": "dB above the threshold"},
            ),
            location_db=xr.DataArray(list(sigmas_db), dims="service", coords={"service": there}),
            n_points=self.n_points,
            n_known=n_known,
        )  # fmt: skip

    def _to_dataset(self, name: str, sigma_db: float) -> xr.Dataset:
        grid = self.grid
        margin = self.layers[f"{name} margin_db"]
        share = covered_share(margin, threshold_dbm=0.0, sigma_db=sigma_db).astype("float32")
        layers = {
            layer: grid.to_array(self.layers[f"{name} {layer}"], unit=unit)
            for layer, unit in UNITS.items()
        }
        layers["probability"] = grid.to_array(share, unit="probability")
        return xr.Dataset(
            layers, attrs={"crs": grid.crs, "cell_m": grid.cell_m, "sigma_db": sigma_db}
        )


def _location_db(
    sectors: pd.DataFrame, technologies: Sequence[str], relief: Relief, rules: RadioRules
) -> float:
    """Return σ over the places of a cell, as among what stands as high as the receiver."""
    ghz = sectors.loc[sectors["technology"].isin(technologies), "frequency_ghz"].max()
    size_m = min(max(relief.grid.cell_m, LEAST_RESOLUTION_M), MOST_RESOLUTION_M)
    return location_sigma_db(
        frequency_ghz=float(ghz), resolution_m=size_m, receiver_height_m=rules.receiver_height_m,
        clutter_m=rules.receiver_height_m,
    )  # fmt: skip

"""The signal of a network on a grid: median power, best servers, interference and margin.

Sectors that share an operator, a technology and a frequency are one channel: they interfere. Each
channel is swept on its own (`sweep.find_servers`); a service takes the best of its channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.ndimage import distance_transform_edt

from phusong.radio.limits import require_within
from phusong.radio.network import Network
from phusong.radio.p1812 import location_sigma_db
from phusong.radio.reliability import combine_sigmas_db, covered_share
from phusong.radio.relief import Relief
from phusong.radio.rules import RadioRules
from phusong.radio.sweep import SECTOR_COLUMNS, Servers, find_servers
from phusong.steps import Progress, silently

__all__ = ["Prediction", "Reach", "predict_signal"]

CHANNEL = ["operator", "technology", "frequency_mhz"]
# Where the noise and the powers of neighbours add up to an SINR of reference elements.
WITH_SINR = ("4G", "5G", "5G NSA", "5G SA")
LEVELS = ("threshold", "strict")
NO_SECTOR = -1
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
    n_threads : int
    """

    radius_m: float = 15_000.0
    exact_m: float = 1_000.0
    n_best: int = 6
    n_threads: int = 2

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
        Losses that were computed.
    """

    services: dict[str, xr.Dataset]
    margins_db: xr.DataArray
    location_db: xr.DataArray
    n_points: int


def predict_signal(
    relief: Relief,
    network: Network,
    rules: RadioRules,
    *,
    services: Mapping[str, Sequence[str]],
    operators: Sequence[str],
    reach: Reach | None = None,
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
    progress : callable
        Given the channels and a label, yields the channels.

    Returns
    -------
    Prediction
    """
    reach = Reach() if reach is None else reach
    sectors = network.sectors
    asked = {t for group in services.values() for t in group}
    channels = [
        (key, frame) for key, frame in sectors.groupby(CHANNEL, sort=True) if key[1] in asked
    ]
    there = [name for name, group in services.items() if sectors["technology"].isin(group).any()]
    best = {name: _Best.empty(relief.grid.shape) for name in there}
    shape = (len(LEVELS), len(there), len(operators), *relief.grid.shape)
    margins = np.full(shape, -np.inf, "float32")
    n_points = 0
    for (operator, technology, _), frame in progress(channels, "signal"):
        swept = sweep_channel(relief, frame, rules, reach)
        n_points += swept.n_points
        found = _Best.of(swept, relief, frame, rules, reach)
        for i, name in enumerate(there):
            if technology in services[name]:
                best[name].add(found)
                at = list(operators).index(operator)
                for k, by_db in enumerate((0.0, float(frame["strict_by_db"].iloc[0]))):
                    lower = found.margin_db - np.float32(by_db)
                    margins[k, i, at] = _better(margins[k, i, at], lower)
    location = [_location_db(sectors, services[name], relief, rules) for name in there]
    grid = relief.grid
    return Prediction(
        services={
            name: best[name].to_dataset(relief, combine_sigmas_db(
                location_db=location[i], model_db=rules.model_sigma_db))
            for i, name in enumerate(there)
        },
        margins_db=xr.DataArray(
            margins, dims=("level", "service", "operator", "y", "x"),
            coords={"level": list(LEVELS), "service": there, "operator": list(operators),
                    "y": grid.y, "x": grid.x},
            attrs={"crs": grid.crs, "cell_m": grid.cell_m, "unit": "dB above the threshold"},
        ),
        location_db=xr.DataArray(location, dims="service", coords={"service": there}),
        n_points=n_points,
    )  # fmt: skip


def sweep_channel(
    relief: Relief, sectors: pd.DataFrame, rules: RadioRules, reach: Reach
) -> Servers:
    """Return the best servers of each cell among the sectors of one channel."""
    return find_servers(
        relief.ground_m, relief.cover_m, sectors[list(SECTOR_COLUMNS)], cell_m=relief.cell_m,
        receivers_every=relief.sampling, radius_m=reach.radius_m, exact_m=reach.exact_m,
        receiver_height_m=rules.receiver_height_m, n_best=reach.n_best, n_threads=reach.n_threads,
    )  # fmt: skip


@dataclass(slots=True, kw_only=True, eq=False)
class _Best:
    """The two best servers of each cell so far, over channels."""

    margin_db: np.ndarray
    second_db: np.ndarray
    signal_dbm: np.ndarray
    sinr_db: np.ndarray
    server: np.ndarray
    second: np.ndarray
    n_servers: np.ndarray

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> _Best:
        return cls(
            margin_db=np.full(shape, -np.inf, "float32"),
            second_db=np.full(shape, -np.inf, "float32"),
            signal_dbm=np.full(shape, np.nan, "float32"),
            sinr_db=np.full(shape, np.nan, "float32"),
            server=np.full(shape, NO_SECTOR, "int32"),
            second=np.full(shape, NO_SECTOR, "int32"),
            n_servers=np.zeros(shape, "uint8"),
        )

    @classmethod
    def of(
        cls, swept: Servers, relief: Relief, sectors: pd.DataFrame, rules: RadioRules, reach: Reach
    ) -> _Best:
        """Return what one channel gives, numbered as the network's sectors are."""
        threshold = float(sectors["threshold_dbm"].iloc[0])
        number = np.append(sectors.index.to_numpy("int32"), np.int32(NO_SECTOR))
        power = swept.signal_dbm
        over = np.where(np.isnan(power[:2]), -np.inf, power[:2] - threshold).astype("float32")
        over[0][find_unknown(power[0], relief, sectors, reach.radius_m)] = np.nan
        sinr = np.full(power.shape[1:], np.nan, "float32")
        if sectors["technology"].iloc[0] in WITH_SINR:
            sinr = sinr_db(power, float(sectors["noise_dbm"].iloc[0]), rules.load)
        return cls(
            margin_db=over[0],
            second_db=over[1],
            signal_dbm=power[0].astype("float32"),
            sinr_db=sinr,
            server=number[swept.sector[0]],
            second=number[swept.sector[1]],
            n_servers=(power >= threshold).sum(axis=0).astype("uint8"),
        )

    def add(self, other: _Best) -> None:
        """Take in another channel."""
        is_known = np.isnan(self.margin_db) & (other.margin_db > -np.inf)
        wins = (other.margin_db > self.margin_db) | is_known
        loser_db = np.where(wins, self.margin_db, other.margin_db)
        loser = np.where(wins, self.server, other.server)
        runner_db = np.where(wins, other.second_db, self.second_db)
        runner = np.where(wins, other.second, self.second)
        is_loser = loser_db > runner_db
        self.second_db = np.where(is_loser, loser_db, runner_db)
        self.second = np.where(is_loser, loser, runner)
        self.margin_db = _better(self.margin_db, other.margin_db)
        for name in ("signal_dbm", "sinr_db", "server"):
            np.copyto(getattr(self, name), getattr(other, name), where=wins)
        self.n_servers = np.minimum(self.n_servers.astype("uint16") + other.n_servers, 255).astype(
            "uint8"
        )

    def to_dataset(self, relief: Relief, sigma_db: float) -> xr.Dataset:
        share = covered_share(self.margin_db, threshold_dbm=0.0, sigma_db=sigma_db)
        layers = {
            "signal_dbm": (self.signal_dbm, "dBm"),
            "server_id": (self.server, "row of the sectors"),
            "second_server": (self.second, "row of the sectors"),
            "n_servers": (self.n_servers, "sectors"),
            "sinr_db": (self.sinr_db, "dB"),
            "margin_db": (self.margin_db, "dB above the threshold"),
            "probability": (share.astype("float32"), "probability"),
        }
        return xr.Dataset(
            {
                name: relief.grid.to_array(values, unit=unit)
                for name, (values, unit) in layers.items()
            },
            attrs={"crs": relief.grid.crs, "cell_m": relief.grid.cell_m, "sigma_db": sigma_db},
        )


def _better(margin_db: np.ndarray, other_db: np.ndarray) -> np.ndarray:
    """Return the better margin; beyond one's reach and unknown to the other is unknown."""
    better = np.fmax(margin_db, other_db)
    is_unknown = np.isnan(margin_db) | np.isnan(other_db)
    better[np.isneginf(better) & is_unknown] = np.nan
    return better


def sinr_db(power_dbm: np.ndarray, noise_dbm: float, load: float) -> np.ndarray:
    """Return the ratio of the best server's power to noise and the others', shape (row, col).

    Parameters
    ----------
    power_dbm : array, shape (n, row, col)
        Of one channel, the best first; NaN where none.
    noise_dbm : float
    load : float
        Share of the time that the others send.

    Examples
    --------
    >>> power = np.array([-90.0, -93.0103, np.nan]).reshape(3, 1, 1)
    >>> round(float(sinr_db(power, -200.0, 0.5)[0, 0]), 2)
    6.02
    """
    milliwatts = np.nan_to_num(10.0 ** (power_dbm / 10.0))
    noise = 10.0 ** (noise_dbm / 10.0) + load * milliwatts[1:].sum(axis=0)
    return (power_dbm[0] - 10.0 * np.log10(noise)).astype("float32")


def find_unknown(
    power_dbm: np.ndarray, relief: Relief, sectors: pd.DataFrame, radius_m: float
) -> np.ndarray:
    """Return where voids hide what comes: no height, or within a mast's radius and no power.

    A ray ends in a void. What lies beyond is not known, and must not count as not covered.
    """
    middle = relief.sampling // 2
    is_void = np.isnan(relief.ground_m[middle :: relief.sampling, middle :: relief.sampling])
    if relief.n_voids == 0:
        return is_void
    is_mast = np.zeros(relief.ground_m.shape, bool)
    is_mast[sectors["row"], sectors["col"]] = True
    away = distance_transform_edt(~is_mast)[middle :: relief.sampling, middle :: relief.sampling]
    return is_void | (np.isnan(power_dbm) & (away * relief.cell_m <= radius_m))


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

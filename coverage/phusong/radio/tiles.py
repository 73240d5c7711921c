"""Tiles: receivers that lie together, what decides their signal, and the signal itself.

A tile needs nothing of another, so that tiles can be computed in any order, by anyone, or be taken
from an earlier prediction: its digest is that of all that decides it, and of nothing else.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt

from phusong.kernels import digest_sources
from phusong.radio.relief import Relief
from phusong.radio.sweep import EDGE, ROUND_UP, SECTOR_COLUMNS, Servers, Sweep, sweep_channels

__all__ = ["LEVELS", "NOTHING", "Asked", "Channel", "Tile", "TileSignal", "cut_tiles",
           "predict_tile"]  # fmt: skip

TileSignal = dict[str, np.ndarray]

SIDE = 256  # receivers
# Where the noise and the powers of neighbours add up to an SINR of reference elements.
WITH_SINR = ("4G", "5G", "5G NSA", "5G SA")
LEVELS = ("threshold", "strict")
NO_SECTOR = -1
# What a cell has that no sector reaches, of each service.
NOTHING: dict[str, np.generic] = {
    "margin_db": np.float32(-np.inf),
    "second_db": np.float32(-np.inf),
    "signal_dbm": np.float32(np.nan),
    "sinr_db": np.float32(np.nan),
    "server_id": np.int32(NO_SECTOR),
    "second_server": np.int32(NO_SECTOR),
    "n_servers": np.uint8(0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Sectors that interfere: of one operator and technology, on one frequency."""

    operator: str
    technology: str
    frequency_mhz: float
    threshold_dbm: float
    strict_by_db: float
    noise_dbm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of every tile alike."""

    channels: tuple[Channel, ...]
    services: Mapping[str, Sequence[str]]
    operators: Sequence[str]
    load: float
    sweep: Sweep


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tile:
    """Receivers that lie together, the ground as far as masts may reach in, and these masts.

    Attributes
    ----------
    ground_m, cover_m : arrays, shape (row, col)
        Samples.
    window : tuple of slice
        The tile's receivers, among those of the samples.
    sectors : DataFrame
        `SECTOR_COLUMNS`, the rows and columns those of the samples, and `channel`.
    numbers : array of int
        Of each sector in the network.
    place : tuple of slice
        Rows and columns of the tile in the area.
    """

    ground_m: np.ndarray
    cover_m: np.ndarray
    window: tuple[slice, slice]
    sectors: pd.DataFrame
    numbers: np.ndarray
    place: tuple[slice, slice]

    def digest(self, asked: Asked) -> str:
        """Return the SHA-256 of all that decides the signal, our code included, in hex."""
        digest = hashlib.sha256(digest_sources(__name__).encode())
        digest.update(repr((self.window, self.ground_m.shape, astuple(asked))).encode())
        for values in (self.ground_m, self.cover_m, self.sectors.to_numpy(float)):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


def cut_tiles(
    relief: Relief, margin: int, sectors: pd.DataFrame, channel: np.ndarray, radius_m: float
) -> list[Tile]:
    """Return the tiles of a relief's receivers without those on its rim of `margin` cells."""
    every, (n_rows, n_columns) = relief.sampling, relief.grid.shape
    halo = math.ceil(radius_m / relief.grid.cell_m) + EDGE
    table = sectors[list(SECTOR_COLUMNS)].assign(channel=channel)
    places = table[["row", "col"]].to_numpy()
    tiles = []
    for top in range(margin, n_rows - margin, SIDE):
        for left in range(margin, n_columns - margin, SIDE):
            served = (slice(top, min(top + SIDE, n_rows - margin)),
                      slice(left, min(left + SIDE, n_columns - margin)))  # fmt: skip
            around = [slice(max(at.start - halo, 0), min(at.stop + halo, n))
                      for at, n in zip(served, (n_rows, n_columns), strict=True)]  # fmt: skip
            fine = tuple(slice(at.start * every, at.stop * every) for at in around)
            is_near = _away(places, served, every) * relief.cell_m <= radius_m * ROUND_UP
            near = table[is_near]
            tiles.append(Tile(
                ground_m=relief.ground_m[fine], cover_m=relief.cover_m[fine],
                window=(_shift(served[0], around[0].start), _shift(served[1], around[1].start)),
                sectors=near.assign(row=near["row"] - fine[0].start,
                                    col=near["col"] - fine[1].start),
                numbers=sectors.index.to_numpy("int32")[is_near],
                place=(_shift(served[0], margin), _shift(served[1], margin)),
            ))  # fmt: skip
    return tiles


def predict_tile(tile: Tile, asked: Asked) -> TileSignal:
    """Return the layers of each service in a tile, and the margins of each operator.

    Returns
    -------
    dict of str to array
        "SERVICE NAME" for the names of `NOTHING`, shape (row, col), sectors by their place in the
        tile's; "margins_db", shape (level, service, operator, row, col); "n_points".
    """
    shape = tuple(at.stop - at.start for at in tile.window)
    names, operators = list(asked.services), list(asked.operators)
    signal: TileSignal = {
        f"{name} {layer}": np.full(shape, fill) for name in names for layer, fill in NOTHING.items()
    }
    margins = np.full((len(LEVELS), len(names), len(operators), *shape), -np.inf, "float32")
    swept = None
    if len(tile.sectors):
        swept = sweep_channels(
            tile.ground_m, tile.cover_m, tile.sectors, tile.sectors["channel"].to_numpy(),
            asked.sweep, window=tile.window,
        )  # fmt: skip
    for number, channel in enumerate(asked.channels):
        found = _of_channel(tile, asked, number, swept)
        at = operators.index(channel.operator)
        for i, name in enumerate(names):
            if channel.technology in asked.services[name]:
                _add({layer: signal[f"{name} {layer}"] for layer in NOTHING}, found)
                for k, by_db in enumerate((0.0, channel.strict_by_db)):
                    lower = found["margin_db"] - np.float32(by_db)
                    margins[k, i, at] = _better(margins[k, i, at], lower)
    n_points = 0 if swept is None else swept.n_points
    return signal | {"margins_db": margins, "n_points": np.array(n_points)}


def _better(margin_db: np.ndarray, other_db: np.ndarray) -> np.ndarray:
    """Return the better margin; beyond one's reach and unknown to the other is unknown."""
    best = np.fmax(margin_db, other_db)
    is_unknown = np.isnan(margin_db) | np.isnan(other_db)
    best[np.isneginf(best) & is_unknown] = np.nan
    return best


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


def _of_channel(tile: Tile, asked: Asked, number: int, swept: Servers | None) -> TileSignal:
    """Return what one channel gives, the layers of `NOTHING`."""
    shape = tuple(at.stop - at.start for at in tile.window)
    own = tile.sectors[tile.sectors["channel"] == number]
    if own.empty or swept is None:
        found: TileSignal = {layer: np.full(shape, fill) for layer, fill in NOTHING.items()}
        found["margin_db"][_find_unknown(tile, own, asked.sweep, None)] = np.nan
        return found
    channel = asked.channels[number]
    power, sector = swept.signal_dbm[number], swept.sector[number]
    over = np.where(np.isnan(power[:2]), -np.inf, power[:2] - channel.threshold_dbm)
    over = over.astype("float32")
    over[0][_find_unknown(tile, own, asked.sweep, power[0])] = np.nan
    sinr = np.full(shape, np.nan, "float32")
    if channel.technology in WITH_SINR:
        sinr = sinr_db(power, channel.noise_dbm, asked.load)
    return {
        "margin_db": over[0],
        "second_db": over[1],
        "signal_dbm": power[0].astype("float32"),
        "sinr_db": sinr,
        "server_id": sector[0],
        "second_server": sector[1],
        "n_servers": (power >= channel.threshold_dbm).sum(axis=0).astype("uint8"),
    }


def _add(best: TileSignal, other: TileSignal) -> None:
    """Take another channel into the two best servers of each cell, in place."""
    is_known = np.isnan(best["margin_db"]) & (other["margin_db"] > -np.inf)
    wins = (other["margin_db"] > best["margin_db"]) | is_known
    loser_db = np.where(wins, best["margin_db"], other["margin_db"])
    loser = np.where(wins, best["server_id"], other["server_id"])
    runner_db = np.where(wins, other["second_db"], best["second_db"])
    runner = np.where(wins, other["second_server"], best["second_server"])
    is_loser = loser_db > runner_db
    best["second_db"][:] = np.where(is_loser, loser_db, runner_db)
    best["second_server"][:] = np.where(is_loser, loser, runner)
    best["margin_db"][:] = _better(best["margin_db"], other["margin_db"])
    for name in ("signal_dbm", "sinr_db", "server_id"):
        np.copyto(best[name], other[name], where=wins)
    total = best["n_servers"].astype("uint16") + other["n_servers"]
    best["n_servers"][:] = np.minimum(total, 255)


def _find_unknown(
    tile: Tile, sectors: pd.DataFrame, sweep: Sweep, power_dbm: np.ndarray | None
) -> np.ndarray:
    """Return where voids hide what comes: no height, or within a mast's radius and no power.

    A ray ends in a void. What lies beyond is not known, and must not count as not covered.
    """
    every = sweep.receivers_every
    is_void = np.isnan(_of_receivers(tile.ground_m, every)[tile.window])
    if power_dbm is None or not np.isnan(tile.ground_m).any():
        return is_void
    is_mast = np.zeros(tile.ground_m.shape, bool)
    is_mast[sectors["row"], sectors["col"]] = True
    away = _of_receivers(distance_transform_edt(~is_mast), every)[tile.window]
    return is_void | (np.isnan(power_dbm) & (away * sweep.cell_m <= sweep.radius_m))


def _of_receivers(samples: np.ndarray, every: int) -> np.ndarray:
    return samples[every // 2 :: every, every // 2 :: every]


def _away(places: np.ndarray, served: tuple[slice, slice], every: int) -> np.ndarray:
    """Return how many samples each mast is away from the nearest receiver of a tile."""
    middle = every // 2
    gaps = []
    for axis, at in enumerate(served):
        low, high = at.start * every + middle, (at.stop - 1) * every + middle
        outside = np.maximum(low - places[:, axis], places[:, axis] - high)
        gaps.append(np.maximum(outside, 0))
    return np.hypot(*gaps)


def _shift(at: slice, by: int) -> slice:
    return slice(at.start - by, at.stop - by)

"""The signal of many masts over terrain: rays, and the best servers of each cell.

The loss is that of P.1812-7 for half of the time and of the places: free space and delta-Bullington
diffraction over the ground and what stands on it. Ducting and troposcatter are left out; within 20
km they matter only where the loss is far beyond any link budget.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from phusong.kernels import in_threads
from phusong.radio.antenna import Panel
from phusong.radio.limits import ModelRangeError, require_within
from phusong.radio.paths import effective_earth_km
from phusong.radio.serving import merge_servers
from phusong.radio.sweep_kernel import sweep_masts

__all__ = ["SECTOR_COLUMNS", "Servers", "Sweep", "find_servers", "sweep_channels"]

SOURCE = "ITU-R P.1812-7, Annex 1"
MAST = ("row", "col", "antenna_height_m")
PANEL = tuple(Panel.__dataclass_fields__)
SECTOR_COLUMNS = (*MAST, "eirp_dbm", "frequency_ghz", "azimuth_deg", *PANEL)
FIRST_RING_KM = 1.5  # all masts serve it before any serves farther: then few cells stay open
EDGE = 2  # cells of ground beside a ray along the edge of what is cut out
ROUND_UP = 1.0 + 1e-9  # a cell at just the radius belongs to it, however its distance rounds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Servers:
    """The n best sectors of each cell, the best first: arrays of shape (n, row, col).

    `signal_dbm` is the power of one reference element, NaN where no sector reaches; `sector` is
    the position in the frame of sectors, -1 where none. Of several channels the arrays have one
    more dimension, the first. `n_points` paths were computed.
    """

    signal_dbm: np.ndarray
    sector: np.ndarray
    n_points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """How far and how closely is swept: the options of `find_servers`, which says what they are."""

    cell_m: float
    receivers_every: int = 1
    radius_m: float = 10_000.0
    exact_m: float = 1_000.0
    receiver_height_m: float = 1.5
    dn: float = 45.0
    n_best: int = 2
    is_lazy: bool = True
    n_threads: int = 2

    def __post_init__(self) -> None:
        require_within("cell_m", self.cell_m, 0.1, 10_000.0, source="the raster")
        require_within("radius_m", self.radius_m, self.cell_m, 100_000.0, source="the sweep")
        height_m = self.receiver_height_m
        require_within("receiver_height_m", height_m, 1.0, 3000.0, source=f"{SOURCE}, §2")
        require_within("n_best", self.n_best, 1, 8, source="the sweep")
        require_within("dn", self.dn, 0.0, 156.0, source=f"{SOURCE}, §3.5")

    @property
    def rings_km(self) -> list[tuple[float, float, float]]:
        """Of each ring where it begins, up to where profiles are exact, and where it ends."""
        radius_km = self.radius_m / 1000.0 * ROUND_UP
        exact_km = radius_km if self.exact_m >= self.radius_m else self.exact_m / 1000.0
        middle_km = min(FIRST_RING_KM, radius_km)
        rings = [(0.0, exact_km, middle_km), (middle_km, exact_km, radius_km)]
        return [ring for ring in rings if ring[0] < ring[2]]


def find_servers(
    ground_m: np.ndarray,
    cover_m: np.ndarray,
    sectors: pd.DataFrame,
    *,
    cell_m: float,
    receivers_every: int = 1,
    radius_m: float = 10_000.0,
    exact_m: float = 1_000.0,
    receiver_height_m: float = 1.5,
    dn: float = 45.0,
    n_best: int = 2,
    is_lazy: bool = True,
    n_threads: int = 2,
    is_open: np.ndarray | None = None,
) -> Servers:
    """Return the best sectors of each cell and their power.

    Parameters
    ----------
    ground_m : array, shape (row, col)
        Bare ground above the sea, row 0 in the north; NaN where unknown, where a ray ends.
    cover_m : array, shape (row, col)
        Height of what stands on it; 0 everywhere with a surface model, which has it already.
    sectors : DataFrame
        `SECTOR_COLUMNS`: the mast's cell (`row`, `col`), `antenna_height_m`, `eirp_dbm` of a
        reference element (`linkbudget`), `frequency_ghz` (0.03 to 6), `azimuth_deg` (NaN: all
        round), and the fields of `Panel`. Sectors of one cell and height share their rays.
    cell_m : float
        Side of the raster's cells; a ray is sampled once in each row or column it crosses.
    receivers_every : int
        3 with a raster of 30 m: a receiver in every 90 m. The result has 1/3 of the rows.
    radius_m : float
        Of each mast, at most 100 km.
    exact_m : float
        Receivers nearer than this have a profile of their own; infinite: all, slowly.
    receiver_height_m : float
        Above the ground.
    dn : float
        Lapse rate of the refractivity (N-units/km), which gives the Earth its effective radius.
    n_best : int
        How many servers of each cell are kept, 1 to 8; with 1 the lazy way leaves out the most.
    is_lazy : bool
        Leave out what cannot be among the best: the result is the same, bit for bit.
    n_threads : int
    is_open : array of bool, shape (row, col) of the result, optional
        Receivers that are served, the others have no server; only with `is_lazy`.

    Returns
    -------
    Servers

    Raises
    ------
    ModelRangeError
        If a mast stands outside the raster or in a void, or a number is outside its range.

    Examples
    --------
    >>> ground = np.zeros((41, 41))
    >>> mast = {"row": 20, "col": 20, "antenna_height_m": 30.0, "eirp_dbm": 30.0,
    ...         "frequency_ghz": 0.9, "azimuth_deg": np.nan, **dict.fromkeys(PANEL, np.nan)}
    >>> found = find_servers(ground, ground, pd.DataFrame([mast]), cell_m=100.0, radius_m=1500.0)
    >>> found.signal_dbm[0, 20, [21, 35, 36]].round(1).tolist()
    [-41.8, -65.0, nan]
    """
    sweep = Sweep(
        cell_m=cell_m, receivers_every=receivers_every, radius_m=radius_m, exact_m=exact_m,
        receiver_height_m=receiver_height_m, dn=dn, n_best=n_best, is_lazy=is_lazy,
        n_threads=n_threads,
    )  # fmt: skip
    alike = np.zeros(len(sectors), np.int64)
    found = sweep_channels(ground_m, cover_m, sectors, alike, sweep, is_open=is_open)
    return Servers(signal_dbm=found.signal_dbm[0], sector=found.sector[0], n_points=found.n_points)


def sweep_channels(
    ground_m: np.ndarray,
    cover_m: np.ndarray,
    sectors: pd.DataFrame,
    channel: np.ndarray,
    sweep: Sweep,
    *,
    window: tuple[slice, slice] | None = None,
    is_open: np.ndarray | None = None,
) -> Servers:
    """Return the best sectors of each cell on each channel, bit for bit as channel by channel.

    What the bands of a mast share is done once: its rays, hulls and smooth Earth.

    Parameters
    ----------
    ground_m, cover_m, sectors
        See `find_servers`.
    channel : array of int, shape (n_sectors,)
        0, 1, …: sectors compete with those of their own.
    sweep : Sweep
    window : tuple of slice, optional
        Rows and columns of the receivers that are served, of all that the raster has; the result
        has their shape.
    is_open : array of bool, shape (row, col) of the result, optional
        See `find_servers`.

    Returns
    -------
    Servers
        Arrays of shape (channel, n, row, col).
    """
    ground_m = np.ascontiguousarray(ground_m, float)
    cover_m = np.ascontiguousarray(cover_m, float)
    _require_raster(ground_m, cover_m, sweep.receivers_every)
    _require_sectors(sectors, ground_m)
    masts, rows = _to_arrays(sectors, channel, ground_m)
    rows_there, columns_there = (n // sweep.receivers_every for n in ground_m.shape)
    window = window or (slice(0, rows_there), slice(0, columns_there))
    n_channels = int(channel.max()) + 1
    shape = (n_channels, sweep.n_best, *(at.stop - at.start for at in window))
    signal, server = np.full(shape, -np.inf), np.full(shape, -1, np.int32)
    if is_open is not None:
        _require_open(is_open, shape[2:], sweep.is_lazy)
        signal[..., ~is_open] = np.inf  # nothing beats it
    corner = (window[0].start, window[1].start)
    n_points = sum(
        _serve_ring(ground_m, cover_m, corner, masts, rows, ring_km, sweep, signal, server)
        for ring_km in sweep.rings_km
    )
    np.copyto(signal, np.nan, where=server < 0)
    return Servers(signal_dbm=signal, sector=server, n_points=n_points)


def _serve_ring(
    ground_m: np.ndarray, cover_m: np.ndarray, corner: tuple[int, int], masts: np.ndarray,
    sectors: np.ndarray, ring_km: tuple[float, float, float], sweep: Sweep, signal: np.ndarray,
    server: np.ndarray,
) -> int:  # fmt: skip
    """Let threads serve one ring, each with a run of masts and a state of its own; merge these."""
    bounds = np.linspace(0, len(masts), max(sweep.n_threads, 1) + 1).astype(int)
    states = [(signal, server)] + [(signal.copy(), server.copy()) for _ in bounds[2:]]

    def work(i: int) -> int:
        return sweep_masts(
            ground_m, cover_m, sweep.receivers_every, corner, sweep.cell_m / 1000.0,
            effective_earth_km(sweep.dn), sweep.receiver_height_m, masts, sectors, bounds[i],
            bounds[i + 1], ring_km, sweep.is_lazy, *states[i],
        )  # fmt: skip

    n_points = sum(in_threads(work, range(len(states))))
    for more_signal, more_server in states[1:]:
        merge_servers(signal, server, more_signal, more_server)
    return n_points


def _to_arrays(
    sectors: pd.DataFrame, channel: np.ndarray, ground_m: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return masts and sectors as the kernel takes them, masts from north to south."""
    lead = sectors["eirp_dbm"].to_numpy(float) - 20.0 * np.log10(sectors["frequency_ghz"])
    numbered = sectors.reset_index(drop=True).assign(channel=channel, lead_dbm=lead.to_numpy())
    numbered["most_dbm"] = numbered.groupby([*MAST, "channel"])["lead_dbm"].transform("max")
    ordered = numbered.sort_values([*MAST, "frequency_ghz", "channel"], kind="stable")
    places = ordered[list(MAST)].to_numpy(float)
    starts = np.flatnonzero(np.append(True, (places[1:] != places[:-1]).any(axis=1)))
    ends = np.append(starts[1:], len(places))
    bases = ground_m[places[starts, 0].astype(int), places[starts, 1].astype(int)]
    masts = np.column_stack((places[starts], starts, ends, bases))
    fields = ["eirp_dbm", "frequency_ghz", "azimuth_deg", *PANEL]
    derived = ["channel", "lead_dbm", "most_dbm"]
    numbers = (ordered[fields].to_numpy(float), ordered.index.to_numpy(), ordered[derived])
    return masts, np.column_stack(numbers)


def _require_raster(ground_m: np.ndarray, cover_m: np.ndarray, receivers_every: int) -> None:
    if ground_m.ndim != 2 or cover_m.shape != ground_m.shape:
        raise ModelRangeError(
            f"raster: found shapes {ground_m.shape} and {cover_m.shape}, expected two of (row, col)"
        )
    if np.isnan(cover_m.sum()) and np.isnan(cover_m[~np.isnan(ground_m)]).any():
        raise ModelRangeError("cover_m: not known where the ground is")
    for name, values, low, high, source in (
        ("ground_m", ground_m, -500.0, 9000.0, "heights on Earth"),
        ("cover_m", cover_m, 0.0, 1000.0, f"{SOURCE}, §3.2.1"),
    ):
        ends = np.array([np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)])
        require_within(name, ends[~np.isnan(ends)], low, high, source=source)
    most = min(ground_m.shape)
    require_within("receivers_every", receivers_every, 1, most, source="the raster")


def _require_open(is_open: np.ndarray, shape: tuple[int, ...], is_lazy: bool) -> None:
    if is_open.shape != shape or not is_lazy:
        raise ModelRangeError(
            f"is_open: found shape {is_open.shape}, expected {shape} and the lazy way"
        )


def _require_sectors(sectors: pd.DataFrame, ground_m: np.ndarray) -> None:
    missing = [name for name in SECTOR_COLUMNS if name not in sectors]
    if missing or sectors.empty:
        raise ModelRangeError(f"sectors: missing {', '.join(missing) or 'every row'}")
    n_rows, n_cols = ground_m.shape
    require_within("row", sectors["row"].to_numpy(), 0, n_rows - 1, source="the raster")
    require_within("col", sectors["col"].to_numpy(), 0, n_cols - 1, source="the raster")
    at = sectors["row"].to_numpy(int), sectors["col"].to_numpy(int)
    n_void = int(np.isnan(ground_m[at]).sum())
    if n_void:
        raise ModelRangeError(f"sectors: {n_void} stand in cells without a height; fill the voids")
    require_within("antenna_height_m", sectors["antenna_height_m"].to_numpy(), 1.0, 3000.0,
                   source=f"{SOURCE}, §2")  # fmt: skip
    require_within("frequency_ghz", sectors["frequency_ghz"].to_numpy(), 0.03, 6.0,
                   source=f"{SOURCE}, §1")  # fmt: skip
    require_within("eirp_dbm", sectors["eirp_dbm"].to_numpy(), -100.0, 100.0, source="a power")
    directed = sectors[sectors["azimuth_deg"].notna()]
    for panel in directed[list(PANEL)].drop_duplicates().to_dict("records"):
        Panel(**panel)

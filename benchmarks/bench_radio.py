"""Radio: profiles of P.1812 a second, receivers of the sweep a second, a province's best servers.

The terrain is synthetic and seeded: mountains in the west, a plain in the east, clutter of 10 m on
three cells in ten. CPU seconds stand beside the wall clock, for machines that others use as well.

    python benchmarks/bench_radio.py [--masts 4000] [--rows 1500] [--cols 1700] [--radius-km 10]

With `--fine` also the same masts with rays every 30 m and a receiver in every 90 m: minutes.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from phusong.radio.antenna import Panel
from phusong.radio.p1812 import P1812Link
from phusong.radio.p1812_kernel import p1812_terms
from phusong.radio.refresh import refresh_servers
from phusong.radio.sweep import PANEL, Servers, find_servers
from phusong.radio.zones import Zones

SEED = 20261125
CELL_M = 100.0


def make_terrain(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return ground and clutter (m): noise at halving sizes, lower from west to east."""
    rng = np.random.default_rng(SEED)
    ground = np.zeros(shape)
    for size in (64, 32, 16, 8, 4):
        coarse = rng.random((shape[0] // size + 2, shape[1] // size + 2))
        rows, cols = np.arange(shape[0]) / size, np.arange(shape[1]) / size
        low_r, low_c = rows.astype(int), cols.astype(int)
        r, c = (rows - low_r)[:, None], (cols - low_c)[None, :]
        corners = [coarse[np.ix_(low_r + i, low_c + j)] for i in (0, 1) for j in (0, 1)]
        ground += (
            size
            / 64
            * (
                (corners[0] * (1 - c) + corners[1] * c) * (1 - r)
                + (corners[2] * (1 - c) + corners[3] * c) * r
            )
        )
    ground = 1200.0 * (ground - ground.min()) / np.ptp(ground)
    ground *= np.linspace(1.0, 0.02, shape[1])[None, :]
    return ground, np.where(rng.random(shape) < 0.3, 10.0, 0.0)


def make_sectors(n_masts: int, shape: tuple[int, int]) -> pd.DataFrame:
    """Return masts of three sectors of 3.5 GHz at cells drawn at random."""
    rng = np.random.default_rng(SEED + 1)
    masts = pd.DataFrame(
        {
            "row": rng.integers(0, shape[0], n_masts),
            "col": rng.integers(0, shape[1], n_masts),
            "antenna_height_m": rng.choice([25.0, 30.0, 42.0], n_masts),
        }
    )
    sectors = masts.loc[masts.index.repeat(3)].reset_index(drop=True)
    panel = Panel(electrical_tilt_deg=4.0)
    return sectors.assign(
        azimuth_deg=np.tile([0.0, 120.0, 240.0], n_masts), eirp_dbm=38.0, frequency_ghz=3.5,
        **{name: getattr(panel, name) for name in PANEL},
    )  # fmt: skip


def rate_profiles(n_points: int, n: int) -> float:
    """Return full P.1812 losses a second of profiles of `n_points`, one thread."""
    rng = np.random.default_rng(SEED)
    d_km, zeros = np.linspace(0.0, 10.0, n_points), np.zeros(n_points)
    heights = np.cumsum(rng.normal(0.0, 15.0, (64, n_points)), axis=1)
    heights -= heights.min()
    given = (*P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5), *Zones().parameters(d_km))
    p1812_terms(d_km, heights[0], zeros, *given)
    start = time.process_time()
    for i in range(n):
        p1812_terms(d_km, heights[i % 64], zeros, *given)
    return n / (time.process_time() - start)


def measure(name: str, job: Callable[[], Servers]) -> Servers:
    wall, cpu = time.perf_counter(), time.process_time()
    found = job()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"| {name} | {wall:.1f} | {cpu:.1f} | {found.n_points / 1e6:.1f} "
          f"| {found.n_points / cpu / 1e6:.2f} |")  # fmt: skip
    return found


def measure_move(
    ground: np.ndarray, cover: np.ndarray, sectors: pd.DataFrame, before: Servers, radius_m: float
) -> None:
    """Move one mast by 2 km, and hold what is swept again against a whole new sweep."""
    is_first = sectors["row"].eq(sectors["row"][0]) & sectors["col"].eq(sectors["col"][0])
    step = 20 if sectors["row"][0] < ground.shape[0] // 2 else -20
    moved = sectors.assign(row=sectors["row"].where(~is_first, sectors["row"] + step))
    again = measure(
        "one mast moved by 2 km, the best 2, 2 threads",
        lambda: refresh_servers(before, ground, cover, old=sectors, new=moved, cell_m=CELL_M,
                                radius_m=radius_m),
    )  # fmt: skip
    whole = find_servers(ground, cover, moved, cell_m=CELL_M, radius_m=radius_m)
    if not np.array_equal(again.signal_dbm, whole.signal_dbm, equal_nan=True):
        raise SystemExit("after the move the servers are not those of a new sweep")


def measure_fine(shape: tuple[int, int], n_masts: int, radius_m: float) -> None:
    """Sweep a raster of 30 m, three samples on the side of a receiver's cell."""
    fine = (round(shape[0] * CELL_M / 30.0), round(shape[1] * CELL_M / 30.0))
    ground, cover = make_terrain(fine)
    sectors = make_sectors(n_masts, fine)
    measure(
        f"{n_masts} masts, rays every 30 m, the best 2, 2 threads",
        lambda: find_servers(ground, cover, sectors, cell_m=30.0, receivers_every=3,
                             radius_m=radius_m),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masts", type=int, default=4000)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--cols", type=int, default=1700)
    parser.add_argument("--radius-km", type=float, default=10.0)
    parser.add_argument("--fine", action="store_true")
    options = parser.parse_args()
    shape, radius_m = (options.rows, options.cols), 1000.0 * options.radius_km
    ground, cover = make_terrain(shape)
    sectors = make_sectors(options.masts, shape)
    few = sectors.iloc[: 3 * max(options.masts // 100, 4)]

    def sweep(some: pd.DataFrame, **how: object) -> Servers:
        return find_servers(ground, cover, some, cell_m=CELL_M, radius_m=radius_m, **how)

    sweep(sectors.iloc[:3], n_threads=1)  # compiles, or loads what was compiled
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(f"{rate_profiles(101, 50_000):,.0f} full P.1812 profiles of 101 points a CPU second "
          "(called one by one from Python)\n")  # fmt: skip
    print("| job | wall s | CPU s | million points | million points a CPU second |")
    print("|---|---|---|---|---|")
    n_few = len(few) // 3
    rays = measure(f"{n_few} masts, every point, 1 thread",
                   lambda: sweep(few, is_lazy=False, n_threads=1))  # fmt: skip
    exact = measure(f"{n_few} masts, an exact profile for every point, 1 thread",
                    lambda: sweep(few, is_lazy=False, n_threads=1, exact_m=np.inf))  # fmt: skip
    full = None
    for n_best, is_lazy in ((1, False), (1, True), (2, True)):
        way = "lazily" if is_lazy else "every point"
        found = measure(f"{options.masts} masts, the best {n_best}, {way}, 2 threads",
                        lambda n_best=n_best, is_lazy=is_lazy: sweep(
                            sectors, n_best=n_best, is_lazy=is_lazy))  # fmt: skip
        full = found if full is None else full
        if not np.array_equal(found.signal_dbm[0], full.signal_dbm[0], equal_nan=True):
            raise SystemExit("the lazy answer differs from the full one")
    measure_move(ground, cover, sectors, found, radius_m)
    if options.fine:
        measure_fine(shape, options.masts, radius_m)
    error_db = (rays.signal_dbm[0] - exact.signal_dbm[0])[~np.isnan(exact.signal_dbm[0])]
    print(f"\nsweep against exact profiles: mean {error_db.mean():+.3f} dB, sd "
          f"{error_db.std():.2f} dB, {(abs(error_db) < 3).mean():.1%} within 3 dB")  # fmt: skip
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()

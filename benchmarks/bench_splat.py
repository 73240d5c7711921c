"""SPLAT! (Debian's package `splat`) beside the sweep: one mast over the same heights, one thread.

    apt-get install splat && python benchmarks/bench_splat.py [--radius-km 10]

Terrain is a synthetic SRTM tile of 3 arc seconds; its cells are about 92 × 87 m. SPLAT! computes
its model along rays to the edge of its map and fills every cell; it is started with a radius of
200 m as well, to take its start, its reading and its picture off. The receivers are those of the
disc for both. The models differ (ITWOM there, P.1812 here): this compares time, not losses.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from bench_radio import make_sectors, make_terrain

from phusong.radio.sweep import find_servers

SIDE = 1201
SOUTH, WEST = 19, 105
CELL_M = 90.0
HEIGHT_M, GHZ = 30.0, 0.9
# permittivity, conductivity, refractivity, MHz, climate, polarisation, places, time, ERP (W)
LRP = f"15.000\n0.005\n301.000\n{1000 * GHZ:g}\n5\n1\n0.50\n0.50\n46000.0\n"


def run_splat(folder: Path, radius_km: float) -> float:
    """Return the CPU seconds of one run."""
    command = ["splat", "-t", "site.qth", "-L", "1.5", "-R", f"{radius_km:g}", "-metric", "-d", ".",
               "-o", "map"]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radius-km", type=float, default=10.0)
    radius_km = parser.parse_args().radius_km
    if not (shutil.which("splat") and shutil.which("srtm2sdf")):
        sys.exit("SPLAT! is not here: apt-get install splat")
    ground, _ = make_terrain((SIDE, SIDE))
    middle = SIDE // 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tile = folder / f"N{SOUTH}E{WEST}.hgt"
        np.rint(ground).astype(">i2").tofile(tile)
        convert = ["srtm2sdf", tile.name]
        subprocess.run(convert, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        place = f"mast\n{SOUTH + 0.5}\n{360 - WEST - 0.5}\n{HEIGHT_M:g} meters\n"
        (folder / "site.qth").write_text(place)
        (folder / "site.lrp").write_text(LRP)
        theirs = min(run_splat(folder, radius_km) for _ in range(3))
        start = min(run_splat(folder, 0.2) for _ in range(3))
    sectors = make_sectors(1, ground.shape).iloc[[0]].assign(
        row=middle, col=middle, antenna_height_m=HEIGHT_M, frequency_ghz=GHZ, azimuth_deg=np.nan
    )  # fmt: skip
    given = {"cell_m": CELL_M, "radius_m": 1000.0 * radius_km, "is_lazy": False, "n_threads": 1}
    flat = np.zeros_like(ground)
    find_servers(ground, flat, sectors, **given)  # compiles, or loads what was compiled
    spent = []
    for _ in range(3):
        begin = time.process_time()
        found = find_servers(ground, flat, sectors, **given)
        spent.append(time.process_time() - begin)
    ours, n_points = min(spent), found.n_points
    print("| one mast, one thread | CPU s | receivers | million receivers a CPU second |")
    print("|---|---|---|---|")
    for who, seconds in (("SPLAT! with its start", theirs), ("SPLAT! without", theirs - start),
                         ("find_servers, every point", ours)):  # fmt: skip
        print(f"| {who} | {seconds:.3f} | {n_points:,} | {n_points / seconds / 1e6:.2f} |")
    print(
        f"\nours is {(theirs - start) / ours:.1f} times as fast, {theirs / ours:.0f} with the start"
    )


if __name__ == "__main__":
    main()

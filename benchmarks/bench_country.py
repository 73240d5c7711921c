"""The main job for all of Vietnam: 3,321 communes, 30,000 seeded masts of three sectors, the map.

The run is a process of its own, as a user starts it (`phusong assess`); its wall clock, its peak
memory and the size of the map are printed.

    python benchmarks/bench_country.py [--masts 30000] [--population FILE --without CODE…] [-o DIR]
"""

from __future__ import annotations

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

COMMUNES = Path(__file__).parents[2] / "shared/data/boundaries/vietnam_2025_simplified.parquet"
SEED = 20261124
OPERATORS = ["Viettel", "VinaPhone", "MobiFone", "Vietnamobile"]
MARKET = [0.45, 0.25, 0.2, 0.1]
# Half of the rows take the default radius of their band, so that shares have intervals.
BAND_MHZ = {"2G": 900, "3G": 2100, "4G": 1800, "5G": 2600}
GENERATIONS = [0.05, 0.1, 0.5, 0.35]


def seeded_sites(communes: gpd.GeoDataFrame, n_masts: int) -> pd.DataFrame:
    """Return three sectors a mast; masts stand in communes drawn at random, so cities have more."""
    rng = np.random.default_rng(SEED)
    counts = np.bincount(rng.integers(len(communes), size=n_masts), minlength=len(communes))
    points = communes.geometry.sample_points(counts, rng=rng).explode()
    points = points[~points.is_empty]  # communes that drew no mast
    n = len(points)
    technology = rng.choice(list(BAND_MHZ), n, p=GENERATIONS)
    masts = pd.DataFrame(
        {
            "site_id": [f"S{i:06d}" for i in range(n)],
            "operator": rng.choice(OPERATORS, n, p=MARKET),
            "technology": technology,
            "frequency_mhz": [BAND_MHZ[name] for name in technology],
            "lon": points.x.to_numpy().round(6),
            "lat": points.y.to_numpy().round(6),
            "radius_m": np.where(rng.random(n) < 0.5, rng.integers(500, 3000, n), np.nan),
            "first_deg": rng.integers(0, 120, n),
        }
    )
    sectors = masts.loc[masts.index.repeat(3)].reset_index(drop=True)
    number = np.tile([1, 2, 3], n)
    return sectors.assign(
        sector_id=number, azimuth_deg=sectors.pop("first_deg") + 120 * (number - 1)
    )


def run_job(command: list[str]) -> tuple[float, float]:
    """Return the wall clock in seconds and the peak memory in MB of one process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masts", type=int, default=30_000)
    parser.add_argument("--communes", type=Path, default=COMMUNES)
    parser.add_argument("--population", type=Path, help="persons per cell (GeoTIFF)")
    parser.add_argument("--without", nargs="*", default=[], help="codes beyond that raster")
    parser.add_argument("--no-map", action="store_true")
    parser.add_argument("-o", "--out", type=Path, help="keep the outputs here")
    options = parser.parse_args()
    communes = gpd.read_parquet(options.communes)
    communes = communes[~communes["commune_code"].isin(options.without)]
    sites = seeded_sites(communes, options.masts)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file, zones, out = folder / "sites.csv", folder / "communes.parquet", folder / "out"
        out = options.out or out
        sites.to_csv(file, index=False)
        communes.to_parquet(zones)
        command = [str(Path(sys.executable).with_name("phusong")), "assess", "--communes",
                   str(zones), "--sites", str(file), "--as-of", "2026-11-24",
                   "--place", "Việt Nam", "-o", str(out)]  # fmt: skip
        command += ["--no-map"] if options.no_map else []
        command += ["--population", str(options.population)] if options.population else []
        print(f"{len(communes)} communes, {len(sites)} sectors on {options.masts} masts, "
              f"Python {platform.python_version()}")  # fmt: skip
        seconds, peak_mb = run_job(command)
        print(f"wall {seconds:.1f} s, peak memory {peak_mb:.0f} MB")
        for path in sorted(out.iterdir()):
            print(f"  {path.name:<20} {path.stat().st_size / 1e6:8.2f} MB")


if __name__ == "__main__":
    main()

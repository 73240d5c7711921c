"""Signals of all Vietnam: a sample of provinces in tiles on dask workers, and what it comes to.

Provinces of several sizes are predicted on their real communes and a synthetic terrain, with
100,000 seeded sites of three sectors spread over the country by area; four operators, one band
each. What the whole country takes is the sum over the sample, by sites.

    python benchmarks/bench_radio_country.py [--provinces 4] [--scheduler processes:2]
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from bench_radio import make_terrain

from phusong.grid import choose_metric_crs, grid_over
from phusong.io.embedded import embedded_path
from phusong.io.radio_rules import read_radio_rules
from phusong.radio.area import Land, predict_area
from phusong.radio.signal import Reach
from phusong.schema import conform
from phusong.workers import open_client

COMMUNES = Path(__file__).parents[2] / "shared/data/boundaries/vietnam_2025_simplified.parquet"
SEED = 20261125
N_SITES = 100_000
OPERATORS = {"Viettel": 2600.0, "VinaPhone": 3500.0, "MobiFone": 3700.0, "Vietnamobile": 2300.0}
CELL_M, RADIUS_M = 100.0, 10_000.0


def seeded_sites(province: gpd.GeoDataFrame, n: int) -> gpd.GeoDataFrame:
    """Return three sectors of 5G a site, at places drawn over the communes by their area."""
    rng = np.random.default_rng(SEED)
    share = province.area / province.area.sum()
    points = province.sample_points(rng.multinomial(n, share), rng=rng).explode()
    points = points[~points.is_empty]
    operator = rng.choice(list(OPERATORS), len(points))
    masts = gpd.GeoDataFrame(
        {"site_id": [f"S{i:06d}" for i in range(len(points))], "operator": operator,
         "frequency_mhz": [OPERATORS[name] for name in operator], "technology": "5G",
         "first_deg": rng.integers(0, 120, len(points))},
        geometry=points.to_numpy(), crs=province.crs,
    )  # fmt: skip
    sectors = masts.loc[masts.index.repeat(3)].reset_index(drop=True)
    number = np.tile([1, 2, 3], len(masts))
    sectors = sectors.assign(
        sector_id=number.astype(str), azimuth_deg=sectors.pop("first_deg") + 120.0 * (number - 1),
        beamwidth_deg=65.0,
    )  # fmt: skip
    return conform(sectors, "sites")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provinces", type=int, default=4)
    parser.add_argument("--scheduler", default="processes:2")
    options = parser.parse_args()
    communes = gpd.read_parquet(COMMUNES)
    by_area = communes.to_crs("EPSG:6933").area.groupby(communes["province_code"]).sum()
    ranked = by_area.sort_values()
    chosen = ranked.index[
        np.linspace(0.1 * len(ranked), 0.9 * len(ranked) - 1, options.provinces).round().astype(int)
    ]
    rules = read_radio_rules(embedded_path("radio"))
    print(f"{platform.processor() or platform.machine()}, {options.scheduler}; synthetic terrain\n")
    print("| province | km² | sites | cells | wall s | million paths |")
    print("|---|--:|--:|--:|--:|--:|")
    rows = []
    with open_client(options.scheduler) as client:
        for code in chosen:
            province = communes[communes["province_code"] == code]
            province = province.to_crs(choose_metric_crs(province))
            n = round(N_SITES * by_area[code] / by_area.sum())
            sites = seeded_sites(province, n)
            grid = grid_over(province, cell_m=CELL_M)
            wide = grid.widened(200)
            land = Land(terrain=wide.to_array(make_terrain(wide.shape)[0], unit="m"), kind="ground")
            start = time.perf_counter()
            found = predict_area(
                grid, sites, land, rules, services={"5g": ("5G",)}, operators=list(OPERATORS),
                reach=Reach(radius_m=RADIUS_M, n_best=2), client=client,
            )  # fmt: skip
            wall = time.perf_counter() - start
            rows.append((n, wall))
            paths = found.prediction.n_points / 1e6
            print(f"| {code} | {by_area[code] / 1e6:,.0f} | {n:,} | {np.prod(grid.shape):,} "
                  f"| {wall:.1f} | {paths:.1f} |", flush=True)  # fmt: skip
    table = pd.DataFrame(rows, columns=["sites", "wall_s"])
    whole_s = N_SITES * table["wall_s"].sum() / table["sites"].sum()
    print(f"\n{table['sites'].sum():,} sites measured, {table['wall_s'].sum():.0f} s; "
          f"all {N_SITES:,} computed from it: {whole_s:.0f} s")  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory here {peak:.0f} MB (workers apart)")


if __name__ == "__main__":
    main()

"""A hundred what-ifs on the province: one more site each, beside the whole assessment.

Each answer of `with_sites` is held against a whole assessment with that site, for every tenth.

    python benchmarks/bench_whatif.py [--times 100] [--boundaries FILE]
"""

from __future__ import annotations

import argparse
import platform
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from timing import timed

from phusong.io.boundaries import read_communes
from phusong.io.embedded import embedded_path
from phusong.io.rasters import read_population
from phusong.io.tables import read_sites
from phusong.study import assess

REAL = Path(__file__).parents[2] / "shared/data/boundaries/thanh_hoa_2025.parquet"
DAY = date(2026, 6, 30)
SEED = 20261125


def seeded_cells(communes: gpd.GeoDataFrame, n: int) -> list[gpd.GeoDataFrame]:
    """Return `n` new 5G cells, each in a commune drawn at random."""
    rng = np.random.default_rng(SEED)
    chosen = communes.geometry.iloc[rng.integers(len(communes), size=n)]
    points = chosen.sample_points(1, rng=rng).explode()
    return [
        gpd.GeoDataFrame(
            {"site_id": [f"new-{i}"], "sector_id": "1", "operator": "Viettel", "technology": "5G",
             "radius_m": float(rng.integers(500, 3000))},
            geometry=[point], crs=communes.crs,
        )
        for i, point in enumerate(points)
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--boundaries", type=Path, default=REAL)
    options = parser.parse_args()
    path = options.boundaries if options.boundaries.exists() else embedded_path("communes")
    communes = read_communes(path).layer
    population = read_population(embedded_path("population")).layer
    sites = read_sites(embedded_path("sites"), communes=communes, as_of=DAY).layer
    new = seeded_cells(communes, options.times)
    print(f"{path.name}: {len(communes)} communes, {len(sites)} cells, "
          f"Python {platform.python_version()}")  # fmt: skip

    def whole(added: list[gpd.GeoDataFrame]) -> object:
        together = pd.concat([sites, *added], ignore_index=True)
        return assess(communes, sites=together, as_of=DAY, population=population)

    before = whole([])
    first, _, _ = timed(lambda: before.with_sites(added=new[0]))
    seconds, cpu, after = timed(lambda: [before.with_sites(added=cell) for cell in new])
    peer, _, checked = timed(lambda: [whole([cell]) for cell in new[::10]])
    error = max(
        np.nanmax(np.abs(a.indicators["share"] - b.indicators["share"]))
        for a, b in zip(after[::10], checked, strict=True)
    )
    each = peer / len(checked)
    print(f"the first what-if                      {first:8.3f} s")
    print(f"{len(new)} what-ifs                          {seconds:8.2f} s (processor {cpu:.1f} s)")
    print(f"as many whole assessments, by {len(checked):3d}      {each * len(new):8.1f} s")
    print(f"ratio {each * len(new) / seconds:.1f} ×; largest difference of a share {error:.1e}")


if __name__ == "__main__":
    main()

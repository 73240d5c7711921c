"""20 million points over the communes of Vietnam, counted: ours beside geopandas, in one run.

The points are scattered about seeded points inside communes, the same number in each, so towns have
more, as measurements do. They are read from a Parquet file in batches of 250,000, from memory, and,
for geopandas.sjoin, a stated part of them from memory, extrapolated by the number of points.
Making point geometries is part of its job: nobody's measurements come as geometries.

    python benchmarks/bench_points.py [--points 20000000] [--peer-points 1000000] [--repeat 3]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from phusong.point_counts import PointCounts, count_points
from phusong.points import ZoneLocator, label_zones

COMMUNES = Path(__file__).parents[2] / "shared/data/boundaries/vietnam_2025_simplified.parquet"
SEED = 20261124
BATCH = 250_000
SPREAD_M = 500.0
PER_COMMUNE = 200


def seeded_batches(communes: gpd.GeoDataFrame, n: int) -> Iterator[pa.RecordBatch]:
    """Yield n points in the communes' CRS, with a value each."""
    rng = np.random.default_rng(SEED)
    counts = np.full(len(communes), PER_COMMUNE)
    homes = shapely.get_coordinates(communes.geometry.sample_points(counts, rng=rng).to_numpy())
    for first in range(0, n, BATCH):
        m = min(BATCH, n - first)
        xy = homes[rng.integers(0, len(homes), m)] + rng.normal(0, SPREAD_M, (m, 2))
        columns = {"x": xy[:, 0], "y": xy[:, 1], "mbps": rng.lognormal(3, 1, m)}
        yield pa.RecordBatch.from_pydict({name: pa.array(c) for name, c in columns.items()})


def from_file(locator: ZoneLocator, path: Path) -> PointCounts:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        return count_points(locator, file.iter_batches(BATCH), values=["mbps"])


def plain_geopandas(communes: gpd.GeoDataFrame, batch: pa.Table) -> np.ndarray:
    geometry = gpd.points_from_xy(batch["x"].to_numpy(), batch["y"].to_numpy())
    points = gpd.GeoDataFrame(geometry=geometry, crs=communes.crs)
    joined = points.sjoin(communes[["commune_code", "geometry"]], predicate="intersects")
    codes = joined["commune_code"].groupby(level=0).min()
    return codes.value_counts().reindex(communes["commune_code"]).fillna(0).to_numpy(int)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20_000_000)
    parser.add_argument("--peer-points", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--communes", type=Path, default=COMMUNES)
    options = parser.parse_args()
    communes = gpd.read_parquet(options.communes).to_crs("EPSG:5897")
    print(f"{len(communes)} communes × {options.points:,} points, Python "
          f"{platform.python_version()}, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    label_zones(communes)
    start = time.perf_counter()
    locator = label_zones(communes)
    print(f"label_zones: {time.perf_counter() - start:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points.parquet"
        batches = seeded_batches(communes, options.points)
        first = next(batches)
        with pq.ParquetWriter(path, first.schema, compression="none") as writer:
            writer.write_batch(first)
            for batch in batches:
                writer.write_batch(batch)
        from_file(locator, path)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory after the first count from the file: {peak_mb:.0f} MB")
        memory = list(seeded_batches(communes, options.points))
        part = pa.Table.from_batches(memory).slice(0, options.peer_points)
        seconds: dict[str, list[float]] = {"file": [], "memory": [], "geopandas": []}
        used = []
        for _ in range(options.repeat):
            times = [time.perf_counter()]
            total = from_file(locator, path)
            times.append(time.perf_counter())
            cpu = time.process_time()
            total = count_points(locator, memory, values=["mbps"])
            used.append(time.process_time() - cpu)
            times.append(time.perf_counter())
            theirs = plain_geopandas(communes, part)
            times.append(time.perf_counter())
            for name, spent in zip(seconds, np.diff(times), strict=True):
                seconds[name].append(float(spent))
    mine = count_points(locator, part.to_batches())
    differ = int(np.abs(mine.counts - theirs).sum())
    median = {name: statistics.median(spent) for name, spent in seconds.items()}
    whole = median["geopandas"] * options.points / len(part)
    print(f"ours from Parquet {median['file']:.2f} s, from memory {median['memory']:.2f} s "
          f"(best {min(seconds['memory']):.2f} s, "
          f"processor {statistics.median(used):.2f} s)")  # fmt: skip
    print(f"geopandas.sjoin {median['geopandas']:.2f} s for {len(part):,} points, extrapolated "
          f"{whole:.0f} s; ratio {whole / median['memory']:.0f} from memory, "
          f"{whole / median['file']:.0f} from Parquet")  # fmt: skip
    print(f"points counted otherwise: {differ} of {len(part):,}; "
          f"in no commune {total.n_outside:,}, in several {total.n_shared:,}")  # fmt: skip


if __name__ == "__main__":
    main()

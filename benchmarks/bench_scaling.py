"""How the cost of a national run grows, and what a second worker brings; on real communes.

Slopes: one process on one core, in processor time, which a busy machine does not stretch; communes
(whole provinces, with their sites and cells), cells, sites and points, four sizes each. Workers:
the same job in one process on one core, in one process on all cores, and on two dask workers of one
core and one thread each, alternating. What 16 and 64 workers would take is computed from the
slopes, not measured, and printed as such.

    python benchmarks/bench_scaling.py [--repeat 3] [--masts 60000] [--skip slopes|points|workers]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
from bench_country import COMMUNES, seeded_sites
from bench_points import BATCH, seeded_batches

import phusong as ps
from phusong.io.rowgroups import list_row_groups
from phusong.point_counts import count_points
from phusong.points import label_zones
from phusong.workers import open_client

AS_OF = date(2026, 11, 24)
POPULATION = COMMUNES.parents[1] / "population/vnm_ppp_2020_1km_Aggregated_UNadj.tif"
BEYOND = ("20333", "22736", "32248")  # islands that the raster does not reach
PORT = 18_786
ROW_GROUP = 4 * BATCH
GROUPS = (16, 64)
NAMES = ("scheduler", "worker", "worker", "client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    communes: gpd.GeoDataFrame
    population: xr.DataArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one assessment took (wall clock, processor, processor for each part) and gave."""

    whole_s: float
    cpu_s: float
    parts_s: list[float]
    cells: list[int]
    indicators: pd.DataFrame

    @property
    def rest_s(self) -> float:
        return self.cpu_s - sum(self.parts_s)


def sites_of(communes: gpd.GeoDataFrame, n_masts: int) -> gpd.GeoDataFrame:
    table = seeded_sites(communes, n_masts)
    points = gpd.points_from_xy(table.pop("lon"), table.pop("lat"))
    table = table.assign(sector_id=table["sector_id"].astype(str))
    return gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326")


def run_job(communes: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, **options: Any) -> Job:
    """Assess, and time it: parts_s is processor time, of this process alone."""
    parts_s: list[float] = []

    def timing(steps: Sequence[Any], label: str) -> Iterator[Any]:
        for step in steps:
            start = time.process_time()
            yield step
            parts_s.append(time.process_time() - start)

    start, cpu = time.perf_counter(), time.process_time()
    found = ps.assess(communes, sites=sites, as_of=AS_OF, progress=timing, **options)
    whole_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    cells = [c.sizes["y"] * c.sizes["x"] for c in found.coverage]
    return Job(
        whole_s=whole_s, cpu_s=cpu_s, parts_s=parts_s, cells=cells, indicators=found.indicators
    )


def median_job(repeat: int, ground: Ground, n_masts: int, cell_m: float) -> Job:
    sites = sites_of(ground.communes, n_masts)
    options = {"cell_m": cell_m, "population": ground.population}
    jobs = [run_job(ground.communes, sites, **options) for _ in range(repeat)]
    return Job(
        whole_s=statistics.median(job.whole_s for job in jobs),
        cpu_s=statistics.median(job.cpu_s for job in jobs),
        parts_s=np.median([job.parts_s for job in jobs], axis=0).tolist(),
        cells=jobs[0].cells,
        indicators=jobs[0].indicators,
    )


def slope(sizes: Iterable[float], seconds: Iterable[float]) -> tuple[float, float]:
    """Return seconds a unit (least squares), and the exponent of growth (log-log)."""
    n, s = np.array(list(sizes)), np.array(list(seconds))
    return float(np.polyfit(n, s, 1)[0]), float(np.polyfit(np.log(n), np.log(s), 1)[0])


def show(name: str, sizes: list[float], jobs: list[Job]) -> None:
    print(f"\n{name:>12} {'cells':>12} {'parts s':>8} {'largest s':>9} {'rest s':>7}")
    for size, job in zip(sizes, jobs, strict=True):
        parts = sum(job.parts_s)
        print(f"{size:12,.0f} {sum(job.cells):12,} {parts:8.2f} {max(job.parts_s):9.2f} "
              f"{job.rest_s:7.2f}")  # fmt: skip
    for what, seconds in (
        ("parts", [sum(job.parts_s) for job in jobs]),
        ("rest", [job.rest_s for job in jobs]),
    ):
        one, exponent = slope(sizes, seconds)
        print(f"  {what}: {one:.3g} s each, grows with the power {exponent:.2f}")


def measure_slopes(ground: Ground, repeat: int) -> None:
    communes, population = ground.communes, ground.population
    run_job(communes[:100], sites_of(communes[:100], 100), population=population)  # loads kernels
    provinces = sorted(communes["province_code"].unique())
    quarters = [communes[communes["province_code"].isin(provinces[:k])] for k in (8, 17, 25, 34)]
    show("communes", [len(some) for some in quarters],
         [median_job(repeat, Ground(communes=some, population=population), 6 * len(some), 100.0)
          for some in quarters])  # fmt: skip
    metres = (200.0, 141.0, 100.0, 71.0)
    jobs = [median_job(repeat, ground, 20_000, cell_m) for cell_m in metres]
    show("cells", [sum(job.cells) for job in jobs], jobs)
    compute_fine(jobs[2], jobs[3], cell_m=30.0)
    masts = (10_000, 20_000, 40_000, 80_000)
    jobs = [median_job(repeat, ground, n, 100.0) for n in masts]
    show("sectors", [3 * n for n in masts], jobs)


def compute_fine(coarse: Job, fine: Job, *, cell_m: float) -> None:
    """Print what finer cells would take: each part's line through two sizes, carried on."""
    cells = [n * (100.0 / cell_m) ** 2 for n in coarse.cells]
    parts = [
        s + max(0.0, (t - s) / (m - n)) * (k - n)
        for s, t, n, m, k in zip(
            coarse.parts_s, fine.parts_s, coarse.cells, fine.cells, cells, strict=True
        )
    ]
    rests = [job.rest_s for job in (coarse, fine)]
    a_cell = max(0.0, (rests[1] - rests[0]) / (sum(fine.cells) - sum(coarse.cells)))
    rest = rests[0] + a_cell * (sum(cells) - sum(coarse.cells))
    print(f"\ncomputed, not measured: cells of {cell_m:.0f} m: {sum(cells):.3g} cells, "
          f"parts {sum(parts):.0f} s (largest {max(parts):.0f} s), rest {rest:.0f} s, "
          f"shares kept {8e-9 * sum(cells):.1f} GB")  # fmt: skip
    for n in (1, *GROUPS):
        ends = np.zeros(n)
        for seconds in sorted(parts, reverse=True):
            ends[ends.argmin()] += seconds
        print(f"  {n} workers: parts {ends.max():.0f} s, whole {ends.max() + rest:.0f} s")


def measure_points(communes: gpd.GeoDataFrame, repeat: int) -> None:
    metric = communes.to_crs("EPSG:5897")
    start = time.process_time()
    locator = label_zones(metric)
    label_s = time.process_time() - start
    sizes, medians = (5_000_000, 10_000_000, 20_000_000, 40_000_000), []
    with tempfile.TemporaryDirectory() as folder:
        for n in sizes:
            path = write_points(metric, n, Path(folder))
            groups = list_row_groups(path, ["x", "y", "mbps"])
            seconds = []
            for _ in range(repeat):
                start = time.process_time()
                count_points(locator, groups, values=["mbps"], threads=1)
                seconds.append(time.process_time() - start)
            medians.append(statistics.median(seconds))
            print(f"{n:12,} points {medians[-1]:8.2f} s")
    one, exponent = slope(sizes, medians)
    print(
        f"  {one:.3g} s a point, grows with the power {exponent:.2f}; label_zones {label_s:.2f} s"
    )
    for n_workers in (1, *GROUPS):
        print(f"computed, not measured: 1e9 points, {n_workers} workers: "
              f"{label_s + one * 1e9 / n_workers:.0f} s")  # fmt: skip


def write_points(communes: gpd.GeoDataFrame, n: int, folder: Path) -> Path:
    path = folder / f"{n}.parquet"
    batches = seeded_batches(communes, n)
    first = next(batches)
    with pq.ParquetWriter(path, first.schema, compression="none") as writer:
        group = [first]
        for batch in batches:
            group.append(batch)
            if sum(b.num_rows for b in group) >= ROW_GROUP:
                writer.write_table(pa.Table.from_batches(group))
                group = []
        if group:
            writer.write_table(pa.Table.from_batches(group))
    return path


@contextmanager
def two_workers(folder: Path) -> Iterator[list[int]]:
    """Start a scheduler and two workers, one on each of the first two cores; yield their ids."""
    dask = str(Path(sys.executable).with_name("dask"))
    address = f"tcp://127.0.0.1:{PORT}"
    commands = [[dask, "scheduler", "--host", "127.0.0.1", "--port", str(PORT), "--no-dashboard"]]
    options = ["--nthreads", "1", "--no-dashboard", "--no-nanny", "--local-directory", str(folder)]
    commands += [
        ["taskset", "-c", str(core), dask, "worker", address, *options]
        for core in sorted(os.sched_getaffinity(0))[:2]
    ]
    running = [
        subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603
        for command in commands
    ]
    try:
        yield [process.pid for process in running]
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()


def peak_mb(pid: int | str) -> int:
    """Return the largest resident size that a process has had, MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has had, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_workers(ground: Ground, n_masts: int, repeat: int) -> None:
    communes, sites = ground.communes, sites_of(ground.communes, n_masts)
    every, one = os.sched_getaffinity(0), {min(os.sched_getaffinity(0))}
    jobs: dict[str, list[Job]] = {"one core": [], "all cores": [], "two workers": []}
    theirs: list[list[float]] = []
    with tempfile.TemporaryDirectory() as folder, two_workers(Path(folder)) as pids, \
            open_client(f"tcp://127.0.0.1:{PORT}") as client:  # fmt: skip
        client.wait_for_workers(2)  # type: ignore[union-attr]
        few = communes[communes["province_code"] == communes["province_code"].min()]
        for some in (None, client, client):  # what is compiled is loaded
            run_job(few, sites_of(few, 1000), population=ground.population, client=some)
        for _ in range(repeat):
            for name, done in jobs.items():
                workers = client if name == "two workers" else None
                before = [cpu_s(pid) for pid in pids]
                os.sched_setaffinity(0, one if name == "one core" else every)
                job = run_job(communes, sites, population=ground.population, client=workers)
                os.sched_setaffinity(0, every)
                done.append(job)
                print(f"  {name:<12} {job.whole_s:6.1f} s, processor {job.cpu_s:6.1f} s")
                if workers:
                    theirs.append([cpu_s(pid) - b for pid, b in zip(pids, before, strict=True)])
        show_workers(jobs, np.median(theirs, axis=0))
        for name, pid in zip(NAMES, [*pids, "self"], strict=True):
            print(f"  peak memory of {name}: {peak_mb(pid):,} MB")
        here, there = (jobs[name][-1].indicators for name in ("one core", "two workers"))
        pd.testing.assert_frame_equal(here, there, check_exact=True)
        print("  the indicators are the same, bit for bit")


def show_workers(jobs: dict[str, list[Job]], theirs: np.ndarray) -> None:
    wall = {name: statistics.median(job.whole_s for job in done) for name, done in jobs.items()}
    cpu = {name: statistics.median(job.cpu_s for job in done) for name, done in jobs.items()}
    print("medians:")
    for name in jobs:
        print(f"  {name:<12} {wall[name]:6.1f} s, processor {cpu[name]:6.1f} s")
    print("  processor of " + ", ".join(
        f"{name} {s:.1f} s" for name, s in zip(NAMES, theirs, strict=False)))  # fmt: skip
    for base in ("one core", "all cores"):
        print(f"  two workers are {wall[base] / wall['two workers']:.2f} times as fast as {base}")
    alone = cpu["two workers"] + theirs.max()
    print(f"  computed, not measured: on idle cores of their own, from processor time, "
          f"{alone:.1f} s, {cpu['one core'] / alone:.2f} times")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--masts", type=int, default=60_000)
    parser.add_argument("--communes", type=Path, default=COMMUNES)
    parser.add_argument("--population", type=Path, default=POPULATION)
    parser.add_argument("--skip", nargs="*", default=[], choices=["slopes", "points", "workers"])
    options = parser.parse_args()
    communes = gpd.read_parquet(options.communes).assign(vintage="2025")
    communes = communes[~communes["commune_code"].isin(BEYOND)]
    population = ps.read_population(options.population, communes=communes).layer
    ground = Ground(communes=communes, population=population)
    print(f"{len(communes)} communes, Python {platform.python_version()}, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    every = os.sched_getaffinity(0)
    if "workers" not in options.skip:
        measure_workers(ground, options.masts, options.repeat)
    os.sched_setaffinity(0, {max(every)})
    if "points" not in options.skip:
        print()
        measure_points(communes, options.repeat)
    if "slopes" not in options.skip:
        measure_slopes(ground, options.repeat)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

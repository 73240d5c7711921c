"""Communes × cells of all Vietnam at 100 m: ours beside exactextract, in one run.

Two jobs, both tools alternating, medians and ratios:

build   the exact share of every cell in every commune. exactextract keeps no shares: it is given a
        raster of ones without memory behind it and sums it, which is the least it can do with them.
repeat  the people and the covered people of each commune, under a new mask. Ours keeps the shares
        and the land tiles; exactextract sums a raster of people, and one of people × mask. Both
        rasters are dense and in memory, and multiplying is not counted.

    python benchmarks/bench_zonal.py [--repeat 5] [--communes FILE]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from timing import timed

from phusong.grid import Grid, grid_over
from phusong.io.weights import cached_weights
from phusong.zonal import Tiles, overlap_zones, paint_tiles, read_tiles, sum_by_zone

COMMUNES = Path(__file__).parents[2] / "shared/data/boundaries/vietnam_2025_simplified.parquet"
SEED = 20261124
RADIUS_M = 4000.0


def peer_sums(communes: gpd.GeoDataFrame, grid: Grid, *rasters: np.ndarray) -> np.ndarray:
    """Return exactextract's sum of each raster in each commune, shape (rasters, communes)."""
    west, south, east, north = grid.bounds
    wkt = communes.crs.to_wkt()
    return np.array(
        [
            exact_extract(
                NumPyRasterSource(raster, west, south, east, north, srs_wkt=wkt),
                communes, ["sum"], output="pandas",
            )["sum"].to_numpy()
            for raster in rasters
        ]
    )  # fmt: skip


def dense(tiles: Tiles, row_limit: int, column_limit: int) -> np.ndarray:
    """Return the tiles as one raster; the sea between them is never touched."""
    raster = np.zeros((row_limit, column_limit), "float32")
    for row, column in np.argwhere(tiles.index >= 0):
        rows, columns = tiles.place_of(int(row), int(column))
        block = tiles.values[tiles.index[row, column]]
        raster[rows, columns] = block[: rows.stop - rows.start, : columns.stop - columns.start]
    return raster


def compare(
    job: str, ours: Callable[[], np.ndarray], peer: Callable[[], np.ndarray], repeat: int
) -> None:
    seconds: dict[str, list[float]] = {"ours": [], "exactextract": []}
    cpu: dict[str, list[float]] = {"ours": [], "exactextract": []}
    answers: dict[str, np.ndarray] = {}
    for _ in range(repeat):
        for name, work in (("ours", ours), ("exactextract", peer)):
            spent, used, answers[name] = timed(work)
            seconds[name].append(spent)
            cpu[name].append(used)
    mine, theirs = (statistics.median(seconds[name]) for name in seconds)
    off = np.abs(answers["ours"] - answers["exactextract"])
    error = (off / answers["exactextract"][0]).max()
    used, theirs_used = (statistics.median(cpu[name]) for name in cpu)
    print(f"{job:<8} ours {mine:.3f} s ({min(seconds['ours']):.3f} to {max(seconds['ours']):.3f}), "
          f"exactextract {theirs:.2f} s, ratio {theirs / mine:.1f}; "
          f"processor {used:.3f} s and {theirs_used:.2f} s, ratio {theirs_used / used:.1f}; "
          f"largest difference as a share of a commune {error:.1e}")  # fmt: skip


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--communes", type=Path, default=COMMUNES)
    options = parser.parse_args()
    communes = gpd.read_parquet(options.communes).to_crs("EPSG:5897")
    grid = grid_over(communes, crs="EPSG:5897")
    print(f"{len(communes)} communes, {communes.count_coordinates().sum():,} vertices, grid of "
          f"{grid.shape[0]:,} × {grid.shape[1]:,} cells, Python {platform.python_version()}, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")  # fmt: skip
    base = peak_mb()
    weights = overlap_zones(communes, grid)
    print(f"{len(weights.runs):,} runs, {len(weights.borders):,} border cells; "
          f"building raised the peak memory by {peak_mb() - base:.0f} MB")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        cached_weights(communes, grid, folder=Path(folder))
        megabytes = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
        reads = [
            timed(lambda: cached_weights(communes, grid, folder=Path(folder)).cells)[0]
            for _ in range(options.repeat)
        ]
    print(f"cache: {megabytes:.1f} MB, key and reading {statistics.median(reads):.3f} s")

    ones = np.broadcast_to(np.float32(1), grid.shape)
    compare("build", lambda: overlap_zones(communes, grid).cells[None],
            lambda: peer_sums(communes, grid, ones), options.repeat)  # fmt: skip

    rng = np.random.default_rng(SEED)
    base = peak_mb()
    people = read_tiles(
        weights,
        lambda rows, columns: rng.random((rows.stop - rows.start, columns.stop - columns.start)),
    )
    discs = shapely.union_all(communes.centroid.buffer(RADIUS_M).to_numpy())
    discs = gpd.GeoDataFrame(
        geometry=[shapely.intersection(discs, shapely.box(*grid.bounds))], crs=communes.crs
    )
    area = overlap_zones(discs, grid)

    def ours() -> np.ndarray:
        covered = paint_tiles(area, people)
        return np.array(
            [sum_by_zone(weights, people), sum_by_zone(weights, people, covered=covered)]
        )

    ours()
    print(f"tiles: {len(people.values):,}, {people.values.nbytes / 1e6:.0f} MB; "
          f"a repeat raised the peak memory by {peak_mb() - base:.0f} MB")  # fmt: skip
    covered = paint_tiles(area, people)
    product = Tiles(grid=grid, index=people.index, values=people.values * covered.values)
    rasters = dense(people, *grid.shape), dense(product, *grid.shape)
    compare("repeat", ours, lambda: peer_sums(communes, grid, *rasters), options.repeat)


if __name__ == "__main__":
    main()

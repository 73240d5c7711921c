"""Area shares of communes under 12,000 sectors: ours beside plain geopandas, in one run.

Plain geopandas is what an analyst would write: sectors as polygons, union_all, overlay, area. Both
sides start from the same frames in memory and answer the same question, the share of each commune
that any sector covers. Runs alternate (A/B/A/B); the medians and their ratio are printed, with the
largest difference of the two answers.

    python benchmarks/bench_overlay.py [--repeat 3] [--boundaries FILE]
"""

from __future__ import annotations

import argparse
import platform
import statistics
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from timing import timed

from phusong.footprint import cover_zones
from phusong.grid import choose_metric_crs, grid_over
from phusong.io.embedded import embedded_path
from phusong.zonal import overlap_zones

REAL = Path(__file__).parents[2] / "shared/data/boundaries/thanh_hoa_2025.parquet"
N_MASTS = 4000
SEED = 20260630
ARC_POINTS = 64  # 64 for a sector of 120° is what buffer(quad_segs=48) has: the peer's favour


def seeded_sectors(communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return 12,000 sectors, three a mast, with radii of 0.5 to 3 km."""
    rng = np.random.default_rng(SEED)
    west, south, east, north = communes.total_bounds
    xy = np.repeat(rng.uniform([west, south], [east, north], (N_MASTS, 2)), 3, axis=0)
    return gpd.GeoDataFrame(
        {
            "radius_m": np.repeat(rng.uniform(500, 3000, N_MASTS), 3),
            "azimuth_deg": np.tile([0.0, 120.0, 240.0], N_MASTS)
            + np.repeat(rng.uniform(0, 120, N_MASTS), 3),
            "beamwidth_deg": 90.0,
            "operator": np.repeat(rng.choice(["A", "B", "C", "D"], N_MASTS), 3),
            "technology": "5G",
        },
        geometry=gpd.points_from_xy(*xy.T),
        crs=communes.crs,
    )


def ours(communes: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> np.ndarray:
    weights = overlap_zones(communes, grid_over(communes, crs=communes.crs.to_string()))
    covered = cover_zones(
        sites, communes, weights, services={"5g": ["5G"]}, operators=["A", "B", "C", "D"]
    )
    return covered.cells[:, 0, 0] / weights.cells


def plain_geopandas(communes: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> np.ndarray:
    polygons = [
        sector(point.x, point.y, row.radius_m, row.azimuth_deg, row.beamwidth_deg)
        for point, row in zip(sites.geometry, sites.itertuples(), strict=True)
    ]
    union = gpd.GeoDataFrame(
        geometry=[gpd.GeoSeries(polygons, crs=communes.crs).union_all()], crs=communes.crs
    )
    pieces = gpd.overlay(communes[["commune_code", "geometry"]], union, how="intersection")
    covered = pieces.assign(area=pieces.area).groupby("commune_code")["area"].sum()
    return (
        covered.reindex(communes["commune_code"]).fillna(0.0).to_numpy() / communes.area.to_numpy()
    )


def sector(x: float, y: float, radius_m: float, azimuth: float, width: float) -> shapely.Polygon:
    angle = np.radians(np.linspace(azimuth - width / 2, azimuth + width / 2, ARC_POINTS + 1))
    arc = np.column_stack([x + radius_m * np.sin(angle), y + radius_m * np.cos(angle)])
    return shapely.Polygon(np.vstack([[x, y], arc]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--boundaries", type=Path, default=REAL if REAL.exists() else None)
    options = parser.parse_args()
    path = options.boundaries or embedded_path("communes")
    communes = gpd.read_parquet(path)
    communes = communes.to_crs(choose_metric_crs(communes))
    sites = seeded_sectors(communes)
    print(f"{len(communes)} communes of {path.name} × {len(sites)} sectors, "
          f"Python {platform.python_version()}, {platform.machine()}")  # fmt: skip
    first, _, _ = timed(lambda: ours(communes, sites))
    print(f"ours, first call (compiling, or loading the compiled kernels): {first:.2f} s")
    seconds: dict[str, list[float]] = {"ours": [], "geopandas": []}
    answers: dict[str, np.ndarray] = {}
    for _ in range(options.repeat):
        for name, work in (("ours", ours), ("geopandas", plain_geopandas)):
            spent, _, answers[name] = timed(lambda work=work: work(communes, sites))
            seconds[name].append(spent)
            print(f"  {name:<10} {spent:8.2f} s")
    median = {name: statistics.median(spent) for name, spent in seconds.items()}
    difference = np.abs(answers["ours"] - answers["geopandas"])
    area = communes.area.to_numpy()
    whole = abs(float(((answers["ours"] - answers["geopandas"]) * area).sum() / area.sum()))
    print(f"median: ours {median['ours']:.2f} s, geopandas {median['geopandas']:.2f} s, "
          f"ratio {median['geopandas'] / median['ours']:.1f}")  # fmt: skip
    print(f"difference of shares: largest commune {difference.max():.5f}, province {whole:.6f} "
          "(the peer's circles are polygons, inside the true ones)")  # fmt: skip


if __name__ == "__main__":
    main()

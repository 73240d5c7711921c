"""Make the synthetic terrain of the demo; the same bytes each time.

    python data/terrain/make_terrain.py [-o DIR]

Mountains in the west, a plain in the east, the sea beyond: as the province is, and no more than
that. Valleys are invented along lines that lead from each commune's centre (a fact) down to the
next one towards the plain, since people live in valleys; ranges between them are noise.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from rasterio.transform import from_origin
from scipy.ndimage import distance_transform_edt, gaussian_filter, zoom

DATA = Path(__file__).resolve().parents[2] / "coverage" / "phusong" / "data"
SEED = 1802
CELL_DEG = 0.0025
KM_LAT = 111.2  # a degree
# The box of the schematic communes and 10 km more, so that rays from the edge have ground.
WEST, NORTH, EAST, SOUTH = 104.28, 20.78, 106.18, 19.18
COAST_LON, COAST_LAT, COAST_SLOPE = 105.80, 19.3, 0.33  # a line just off the easternmost centres
PLAIN_KM, RANGES_KM = 48.0, 75.0  # where the foot of the mountains lies, and how deep they rise
SHORE_KM = 4.0
TOP_M, FLOOR_M = 1250.0, 300.0  # of the ranges and of the valley floors in the far west
VALLEY_KM = 2.6
FLAT_M = 3.0
STEP_M = 2  # whole numbers of it are kept: a smaller file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=DATA)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    facts = pd.read_csv(DATA / "thanh_hoa_facts_2025.csv", dtype={"commune_code": "str"})
    heights = make_heights(facts[["centre_lon", "centre_lat"]].to_numpy(float))
    path = out / "terrain_synthetic.tif"
    write_heights(heights, path)
    sys.stdout.write(
        f"{heights.shape[0]} × {heights.shape[1]} cells, 0 to {heights.max()} m, "
        f"{path.stat().st_size:,} bytes → {path}\n"
    )


def make_heights(centres: np.ndarray) -> np.ndarray:
    """Return metres above the sea, int16, shape (row, col), from centres (lon, lat)."""
    lon = WEST + (np.arange(round((EAST - WEST) / CELL_DEG)) + 0.5) * CELL_DEG
    lat = NORTH - (np.arange(round((NORTH - SOUTH) / CELL_DEG)) + 0.5) * CELL_DEG
    km_lon = KM_LAT * np.cos(np.radians((NORTH + SOUTH) / 2))
    cell_km = (CELL_DEG * KM_LAT, CELL_DEG * km_lon)
    rng = np.random.default_rng(SEED)
    inland_km = _inland_km(lon, lat, km_lon)
    # 0 on the plain, 1 in the ranges, with an uneven foot
    uneven = 14.0 * (_noise(rng, inland_km.shape, 90) - 0.5)
    rise = np.clip((inland_km + uneven - PLAIN_KM) / RANGES_KM, 0.0, 1.0)
    to_valley_km = _to_valley_km(rng, centres, lon, lat, inland_km, cell_km)
    side = 1.0 - np.exp(-((to_valley_km / VALLEY_KM) ** 2))
    ridges = _ridges(rng, inland_km.shape)
    ranges_m = TOP_M * rise**0.7 * side * (0.25 + 0.75 * ridges)
    floor_m = FLAT_M + FLOOR_M * rise**1.3
    hills_m = _lone_hills(rng, inland_km, side)
    heights = floor_m + ranges_m + hills_m
    heights *= np.clip((inland_km + SHORE_KM) / SHORE_KM, 0.0, 1.0)
    return (STEP_M * np.rint(gaussian_filter(heights, 0.7) / STEP_M)).astype("int16")


def _inland_km(lon: np.ndarray, lat: np.ndarray, km_lon: float) -> np.ndarray:
    """Return how far each cell lies west of a straight coast, shape (row, col)."""
    coast = COAST_LON + COAST_SLOPE * (lat - COAST_LAT)
    return (coast[:, None] - lon[None, :]) * km_lon


def _to_valley_km(
    rng: np.random.Generator, centres: np.ndarray, lon: np.ndarray, lat: np.ndarray,
    inland_km: np.ndarray, cell_km: tuple[float, float],
) -> np.ndarray:  # fmt: skip
    """Return the distance of each cell to the nearest valley.

    A valley leads from each centre to the nearest one that lies at least 3 km nearer to the sea,
    and beyond the first of them to the west; noise bends it.
    """
    columns = (centres[:, 0] - WEST) / CELL_DEG - 0.5
    rows = (NORTH - centres[:, 1]) / CELL_DEG - 0.5
    inland = inland_km[rows.round().astype(int), columns.round().astype(int)]
    is_valley = np.zeros(inland_km.shape, bool)
    for i in range(len(centres)):
        off_km = np.hypot((rows - rows[i]) * cell_km[0], (columns - columns[i]) * cell_km[1])
        off_km[inland > inland[i] - 3.0] = np.inf
        j = int(off_km.argmin())
        end = (rows[j], columns[j])
        if not np.isfinite(off_km[j]):
            end = (rows[i], columns[i] + 40)  # out to sea
        _carve(rng, is_valley, (rows[i], columns[i]), end)
    return distance_transform_edt(~is_valley, sampling=cell_km)


def _carve(
    rng: np.random.Generator, is_valley: np.ndarray, start: tuple[float, float],
    end: tuple[float, float],
) -> None:  # fmt: skip
    """Mark a bent line between two cells."""
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1.0)
    t = np.linspace(0.0, 1.0, int(3 * length) + 2)
    bend = sum(rng.normal(0.0, 0.16 / k) * length * np.sin(np.pi * k * t) for k in (1, 2, 3, 4))
    across = np.array([-(end[1] - start[1]), end[0] - start[0]]) / length
    row = start[0] + (end[0] - start[0]) * t + across[0] * bend
    column = start[1] + (end[1] - start[1]) * t + across[1] * bend
    inside = (row > 0) & (row < is_valley.shape[0] - 1)
    inside &= (column > 0) & (column < is_valley.shape[1] - 1)
    is_valley[row[inside].round().astype(int), column[inside].round().astype(int)] = True


def _ridges(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return ranges, 0 to 1: noise folded at its middle, so that its zero lines become crests."""
    total, weight = np.zeros(shape), 0.0
    for size, share in ((72, 1.0), (36, 0.5), (18, 0.25), (9, 0.12)):
        total += share * (1.0 - np.abs(2.0 * _noise(rng, shape, size) - 1.0)) ** 2
        weight += share
    return np.clip(total / weight, 0.0, 1.0)


def _lone_hills(rng: np.random.Generator, inland_km: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Return a few hills of up to 150 m on the inner plain, off the valleys."""
    noise = _noise(rng, inland_km.shape, 14)
    near = np.clip((inland_km - 12.0) / 25.0, 0.0, 1.0)
    return 420.0 * near * side * np.clip(noise - 0.68, 0.0, None)


def _noise(rng: np.random.Generator, shape: tuple[int, int], size: int) -> np.ndarray:
    """Return smooth noise, about 0 to 1, whose features are `size` cells wide."""
    coarse = rng.random((shape[0] // size + 4, shape[1] // size + 4))
    fine = zoom(coarse, size, order=3)
    return fine[size : size + shape[0], size : size + shape[1]]


def write_heights(heights: np.ndarray, path: Path) -> None:
    with rasterio.open(
        path, "w", driver="GTiff", width=heights.shape[1], height=heights.shape[0], count=1,
        dtype="int16", crs="EPSG:4326",
        transform=from_origin(WEST, NORTH, CELL_DEG, CELL_DEG), nodata=-32768,
        compress="deflate", zlevel=9, predictor=2,
    ) as raster:  # fmt: skip
        raster.write(heights, 1)
        raster.set_band_unit(1, "m")
        raster.update_tags(note="synthetic: invented; mountains west, plain east; no real height")


if __name__ == "__main__":
    main()

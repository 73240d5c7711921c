"""Make the embedded villages and places: synthetic, where the synthetic people are.

    python data/boundaries/places.py [-o DIR]

Reads the embedded communes and population. Only the communes and the names of the plan's zones
are facts; where a village, a school, a zone or a road lies is invented, from fixed seeds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely

DATA = Path(__file__).resolve().parents[2] / "coverage" / "phusong" / "data"
VILLAGE_SEED, PLACE_SEED = 4300, 1850
PERSONS_PER_VILLAGE = 900  # as the synthetic service table has them
MOUNTAIN_LON = 105.35  # west of it the province is mountains
BUILDINGS = {
    "peoples_committee": "Ủy ban nhân dân", "school": "Trường học", "health_post": "Trạm y tế",
}  # fmt: skip
# The plan's zones, each drawn as a square of so many kilometres round the commune of its name.
ZONES = {
    "Khu kinh tế Nghi Sơn": ("priority_zone", "Nghi Sơn", 6.0),
    "Khu công nghiệp công nghệ cao Lam Sơn – Sao Vàng": ("priority_zone", "Sao Vàng", 4.0),
    "Khu Trung tâm CNTT": ("priority_zone", "Hạc Thành", 1.0),
    "Khu công nghiệp (ví dụ)": ("industrial_park", "Bỉm Sơn", 2.0),
}
ROADS = {
    "Tuyến đường ven biển (ví dụ)": ("Nghi Sơn", "Sầm Sơn"),
    "Tuyến đường lên miền núi (ví dụ)": ("Hạc Thành", "Mường Lát"),
}
KM_DEG = 1 / 111.32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=DATA)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    communes = gpd.read_parquet(DATA / "communes_schematic.parquet")
    spots = find_people(communes)
    villages = make_villages(communes, spots)
    villages.to_csv(out / "villages_synthetic.csv", index=False, lineterminator="\n")
    text = json.dumps(make_places(communes, spots), ensure_ascii=False, separators=(",", ":"))
    rows = text.replace('{"type":"Feature"', '\n{"type":"Feature"')
    (out / "places_synthetic.geojson").write_text(rows + "\n", encoding="utf-8", newline="\n")


def find_people(communes: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the centres of the population's cells: commune (position), lon, lat, persons."""
    with rasterio.open(DATA / "population_synthetic.tif") as raster:
        persons = raster.read(1, masked=True).filled(0.0).astype(float)
        rows, columns = np.nonzero(persons)
        lon, lat = rasterio.transform.xy(raster.transform, rows, columns)
    points = shapely.points(lon, lat)
    cell, commune = shapely.STRtree(communes.geometry.to_numpy()).query(points, predicate="within")
    frame = pd.DataFrame({"lon": lon, "lat": lat, "persons": persons[rows, columns]})
    return frame.iloc[cell].assign(commune=commune).sort_values(["commune", "lat", "lon"])


def make_villages(communes: gpd.GeoDataFrame, spots: pd.DataFrame) -> pd.DataFrame:
    """Return rows of centres and, in the mountains, of clusters; one in 50 has no place."""
    rng = np.random.default_rng(VILLAGE_SEED)
    rows = []
    for position, its in spots.groupby("commune"):
        commune = communes.iloc[position]
        is_mountain = commune.geometry.centroid.x < MOUNTAIN_LON
        n = max(4, round(commune["population"] / PERSONS_PER_VILLAGE))
        weight = its["persons"].to_numpy() ** (0.5 if is_mountain else 1.0)
        chosen = its.iloc[rng.choice(len(its), n, p=weight / weight.sum())]
        where = chosen[["lon", "lat"]].to_numpy() + rng.uniform(-0.0024, 0.0024, (n, 2))
        kind = "Khu phố" if commune["commune_type"] == "phường" else "Thôn"
        kind = "Bản" if is_mountain and kind == "Thôn" else kind
        for i, (lon, lat) in enumerate(where, 1):
            village = f"{commune['commune_code']}-{i:03d}"
            is_hard = bool(is_mountain and rng.random() < 0.6)
            is_lost = rng.random() < 0.02
            about = {
                "village_id": village, "cluster_id": "", "village_name": f"{kind} {i}",
                "commune_code": commune["commune_code"],
                "lon": "" if is_lost else f"{lon:.5f}", "lat": "" if is_lost else f"{lat:.5f}",
                "population": round(commune["population"] / n),
                "has_power": "no" if is_hard and rng.random() < 0.03 else "yes",
                "is_hard": "yes" if is_hard else "no", "note": "synthetic",
            }  # fmt: skip
            rows.append(about)
            for k in range(int(rng.integers(0, 3)) if is_mountain else 0):
                east, north = rng.uniform(-0.012, 0.012, 2)
                rows.append(
                    about | {"cluster_id": str(k + 1), "population": "", "has_power": "",
                             "is_hard": "", "lon": f"{lon + east:.5f}", "lat": f"{lat + north:.5f}"}
                )  # fmt: skip
    return pd.DataFrame(rows)


def make_places(communes: gpd.GeoDataFrame, spots: pd.DataFrame) -> dict[str, object]:
    """Return buildings where most people are, zones as squares, roads as lines, as GeoJSON."""
    rng = np.random.default_rng(PLACE_SEED)
    named = communes["commune_name"].str.split(" ", n=1).str[1]
    centres = {}
    features = []
    for position, its in spots.groupby("commune"):
        commune = communes.iloc[position]
        best = its.sort_values(["persons", "lat", "lon"], ascending=False).head(12)
        centres[named.iloc[position]] = (best["lon"].iloc[0], best["lat"].iloc[0])
        for category, word in BUILDINGS.items():
            at = 0 if category == "peoples_committee" else int(rng.integers(0, len(best)))
            shift = rng.uniform(-0.0024, 0.0024, 2)
            point = [best["lon"].iloc[at] + shift[0], best["lat"].iloc[at] + shift[1]]
            features.append(
                feature(f"{commune['commune_code']}-{category}", f"{word} {named.iloc[position]}",
                        category, "Point", rounded(point), commune["commune_name"])
            )  # fmt: skip
    for i, (name, (category, place, side_km)) in enumerate(ZONES.items(), 1):
        lon, lat = centres[place]
        half = side_km / 2 * KM_DEG
        ring = [(lon - half, lat - half), (lon + half, lat - half), (lon + half, lat + half),
                (lon - half, lat + half), (lon - half, lat - half)]  # fmt: skip
        features.append(
            feature(f"zone-{i}", name, category, "Polygon", [[rounded(p) for p in ring]])
        )
    for i, (name, ends) in enumerate(ROADS.items(), 1):
        line = [rounded(centres[place]) for place in ends]
        features.append(feature(f"road-{i}", name, "road", "LineString", line))
    return {"type": "FeatureCollection", "features": features}


def feature(
    place_id: str, name: str, category: str, kind: str, coordinates: object, commune: str = ""
) -> dict[str, object]:
    about = {"place_id": place_id, "place_name": name, "category": category,
             "commune_name": commune or None, "note": "synthetic"}  # fmt: skip
    return {
        "type": "Feature",
        "properties": about,
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def rounded(point: object) -> list[float]:
    return [round(float(value), 5) for value in point]


if __name__ == "__main__":
    main()

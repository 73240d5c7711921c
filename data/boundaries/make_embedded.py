"""Make the embedded data from its committed facts; the same bytes each time.

    python data/boundaries/make_embedded.py [-o DIR]

Reads `thanh_hoa_facts_2025.csv` (facts, see SOURCES.md) and writes beside it, or into DIR, the
schematic communes of today and of before, the synthetic population, sites and service.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from before_2025 import make_before
from power_diagram import schematic_polygons
from rasterio.transform import from_origin
from synthetic import (
    CELL_DEG,
    PERSONS_PER_HOUSEHOLD,
    make_population,
    make_service,
    make_sites,
)

DATA = Path(__file__).resolve().parents[2] / "coverage" / "phusong" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=DATA)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    facts = pd.read_csv(DATA / "thanh_hoa_facts_2025.csv", dtype={"commune_code": "str"})
    centres = facts[["centre_lon", "centre_lat"]].to_numpy()
    communes = make_communes(facts)
    communes.to_parquet(out / "communes_schematic.parquet", index=False, compression="zstd")
    crosswalk = pd.read_csv(DATA / "thanh_hoa_crosswalk.csv", dtype="str", keep_default_na=False)
    before = make_before(communes, crosswalk)
    before.to_parquet(out / "communes_before_schematic.parquet", index=False, compression="zstd")
    persons, corner = make_population(communes, centres)
    write_population(persons, corner, out / "population_synthetic.tif")
    sites = make_sites(communes, persons, corner)
    sites.to_csv(out / "sites_synthetic.csv", index=False, lineterminator="\n")
    service = make_service(communes, centres)
    service.to_csv(out / "service_synthetic.csv", index=False, lineterminator="\n")
    sys.stdout.write(
        f"{len(communes)} communes, {len(before)} of before, {persons.sum():,.0f} persons, "
        f"{sites['site_id'].nunique()} sites, "
        f"{len(sites)} cells, {len(service)} service rows → {out}\n"
    )


def make_communes(facts: pd.DataFrame) -> gpd.GeoDataFrame:
    kind = facts["commune_type"]
    frame = pd.DataFrame(
        {
            "commune_code": facts["commune_code"],
            "vintage": "2025",
            "commune_name": kind.str.capitalize() + " " + facts["short_name"],
            "commune_type": kind,
            "province_code": "38",
            "area_km2": facts["area_km2"],
            "population": facts["population"],
            "households": (facts["population"] / PERSONS_PER_HOUSEHOLD).round().astype("int64"),
            "note": "schematic",
        }
    )
    return gpd.GeoDataFrame(frame, geometry=schematic_polygons(facts), crs="EPSG:4326")


def write_population(persons: np.ndarray, corner: tuple[float, float], path: Path) -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=persons.shape[1],
        height=persons.shape[0],
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=from_origin(*corner, CELL_DEG, CELL_DEG),
        nodata=-99999.0,
        compress="deflate",
        predictor=3,
    ) as raster:
        raster.write(np.where(persons > 0, persons, np.float32(-99999.0)), 1)
        raster.update_tags(note="synthetic: invented, scaled to the communes' populations")


if __name__ == "__main__":
    main()

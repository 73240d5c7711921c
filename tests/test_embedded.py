"""The embedded data: facts kept, invented things labelled, the same bytes each time."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from exactextract import exact_extract

from phusong.io.embedded import EMBEDDED, embedded_path

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def communes() -> gpd.GeoDataFrame:
    return gpd.read_parquet(embedded_path("communes"))


@pytest.fixture(scope="module")
def facts() -> pd.DataFrame:
    return pd.read_csv(embedded_path("facts"), dtype={"commune_code": "str"})


def test_communes_have_the_official_areas_and_form_one_clean_coverage(
    communes: gpd.GeoDataFrame, facts: pd.DataFrame
) -> None:
    assert communes["commune_code"].is_unique
    assert len(communes) == 166
    assert (communes["commune_type"] == "phường").sum() == 19
    area_km2 = communes.to_crs("EPSG:6933").area / 1e6
    assert (area_km2 / communes["area_km2"] - 1).abs().max() < 0.002
    assert shapely.coverage_is_valid(communes.geometry.to_numpy())
    assert communes.is_valid.all()
    whole = communes.union_all()
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    centres = gpd.points_from_xy(facts["centre_lon"], facts["centre_lat"], crs="EPSG:4326")
    assert communes.contains(gpd.GeoSeries(centres)).all()


def test_population_grid_has_the_populations_of_the_facts(communes: gpd.GeoDataFrame) -> None:
    with rasterio.open(embedded_path("population"), driver="GTiff") as raster:
        assert "synthetic" in raster.tags()["note"]
        total = raster.read(1, masked=True).astype("float64").sum()
        sums = exact_extract(raster, communes, ["sum"], output="pandas")["sum"].to_numpy()
    assert (np.abs(sums / communes["population"] - 1)).max() < 0.005
    assert total == pytest.approx(4_320_947, abs=50)  # Resolution 1686/NQ-UBTVQH15's figure


def test_network_is_large_thin_in_the_mountains_and_says_synthetic() -> None:
    sites = pd.read_csv(embedded_path("sites"))
    assert (sites["note"] == "synthetic").all()
    assert 3800 <= sites["site_id"].nunique() <= 4200
    assert 11_500 <= len(sites) <= 12_500
    assert sites["operator"].nunique() == 4
    assert set(sites["technology"]) == {"2G", "3G", "4G", "5G"}
    assert not sites.duplicated(["site_id", "sector_id"]).any()
    assert sites.groupby("operator")["radius_m"].count().eq(0).sum() == 2
    west = (sites["lon"] < 105.35).mean()
    assert 0.05 < west < 0.35  # about half of the land


def test_service_has_real_looking_gaps(communes: gpd.GeoDataFrame) -> None:
    service = pd.read_csv(embedded_path("service"), dtype={"commune_code": "str"})
    assert (service["note"] == "synthetic").all()
    passed = service.groupby("commune_code")["households_passed"].sum()
    assert 0 < (passed == 0).sum() < 15
    assert 0 < len(communes) - len(passed) < 15


def test_files_are_small_and_each_has_its_source() -> None:
    sources = (embedded_path("facts").parent / "SOURCES.md").read_text(encoding="utf-8")
    for name, file in EMBEDDED.items():
        assert embedded_path(name).stat().st_size < 2_000_000
        assert file in sources


def test_script_writes_the_same_bytes_each_time(tmp_path: Path) -> None:
    digests = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        script = ROOT / "data/boundaries/make_embedded.py"
        subprocess.run([sys.executable, str(script), "-o", str(folder)], check=True)
        digests.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest()
                        for p in sorted(folder.iterdir())})  # fmt: skip
    assert digests[0] == digests[1]
    assert len(digests[0]) == 5
    made = gpd.read_parquet(tmp_path / "a/communes_schematic.parquet")
    kept = gpd.read_parquet(embedded_path("communes"))
    assert made.geometry.geom_equals_exact(kept.geometry, 1e-5).all()


@pytest.mark.realdata
def test_schematic_communes_resemble_the_real_ones(
    communes: gpd.GeoDataFrame, shared: Path, record_property: pytest.Function
) -> None:
    real = gpd.read_parquet(shared / "data/boundaries/thanh_hoa_2025.parquet")
    real = real.set_index("commune_code").loc[communes["commune_code"]].to_crs("EPSG:5897")
    drawn = communes.to_crs("EPSG:5897").geometry.to_numpy()
    there = real.geometry.to_numpy()
    iou = shapely.area(shapely.intersection(there, drawn)) / shapely.area(
        shapely.union(there, drawn)
    )
    sys.stdout.write(f"mean IoU of schematic and real communes: {iou.mean():.3f}\n")
    assert iou.mean() >= 0.5


def test_terrain_is_made_the_same_each_time_and_says_synthetic(tmp_path: Path) -> None:
    script = ROOT / "data" / "terrain" / "make_terrain.py"
    subprocess.run([sys.executable, script, "-o", tmp_path], check=True, capture_output=True)
    with (
        rasterio.open(tmp_path / "terrain_synthetic.tif", driver="GTiff") as made,
        rasterio.open(embedded_path("terrain"), driver="GTiff") as kept,
    ):
        assert "synthetic" in kept.tags()["note"]
        assert np.array_equal(made.read(1), kept.read(1))
        heights = kept.read(1)
    # mountains in the west, a plain in the east, the sea beyond
    assert heights[:, :250].mean() > 10 * heights[:, 500:].mean()
    assert heights.min() == 0

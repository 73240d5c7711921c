"""Against exact vector overlay, and awkward shapes: edges, full circles, holes, old communes."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr

from phusong.footprint import cover_zones
from phusong.grid import Grid, grid_over
from phusong.io.rasters import read_population
from phusong.joins import overlay_weights
from phusong.layers import ANY, TWO_OR_MORE
from phusong.population import spread_population
from phusong.zonal import overlap_zones

CRS = "EPSG:5897"
GRID = Grid(crs=CRS, x_min=0, y_max=6000, cell_m=100, shape=(60, 60))
HOLED = shapely.box(1000, 1000, 5000, 5000) - shapely.box(2050, 2050, 3950, 3333)
ZONES = gpd.GeoDataFrame(geometry=[HOLED, shapely.box(0, 0, 6000, 640)], crs=CRS)
WEIGHTS = overlap_zones(ZONES, GRID)


def sites(rows: list[dict[str, object]]) -> gpd.GeoDataFrame:
    base = {"x": 3000.0, "y": 3000.0, "radius_m": 1500.0, "azimuth_deg": math.nan,
            "beamwidth_deg": math.nan, "operator": "A", "technology": "5G"}  # fmt: skip
    frame = gpd.GeoDataFrame([base | row for row in rows])
    points = gpd.points_from_xy(frame.pop("x"), frame.pop("y"))
    return frame.set_geometry(points, crs=CRS)


def cells(rows: list[dict[str, object]]) -> np.ndarray:
    """Covered cells, shape (zone, operator): any, two or more, A, B, C."""
    covered = cover_zones(
        sites(rows), ZONES, WEIGHTS, services={"5g": ["5G"]}, operators=["A", "B", "C"], keep=["5g"]
    )
    return covered.cells[:, 0]


def footprint(row: dict[str, float]) -> shapely.Polygon:
    """The sector as a polygon of 256 edges and the same area."""
    width = 360.0 if math.isnan(row["azimuth_deg"]) else row["beamwidth_deg"]
    middle = 0.0 if math.isnan(row["azimuth_deg"]) else row["azimuth_deg"]
    angle = np.radians(np.linspace(middle - width / 2, middle + width / 2, 257))
    step = math.radians(width) / 256
    stretch = row["radius_m"] * math.sqrt(step / math.sin(step))
    arc = np.column_stack([row["x"] + stretch * np.sin(angle), row["y"] + stretch * np.cos(angle)])
    if width >= 360:
        return shapely.Polygon(arc[:-1])
    return shapely.Polygon(np.vstack([[row["x"], row["y"]], arc]))


def random_rows(n: int, seed: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    azimuth = np.where(rng.random(n) < 0.2, math.nan, rng.uniform(0, 360, n))
    return [
        {"x": x, "y": y, "radius_m": r, "azimuth_deg": a, "beamwidth_deg": w, "operator": o}
        for x, y, r, a, w, o in zip(
            rng.uniform(0, 6000, n), rng.uniform(0, 6000, n), rng.uniform(150, 1200, n), azimuth,
            rng.choice([33.0, 65.0, 120.0, 180.0, 240.0, 359.0], n), rng.choice(list("ABC"), n),
            strict=True,
        )
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_any_two_or_more_and_each_operator_agree_with_exact_overlay(seed: int) -> None:
    rows = random_rows(40, seed)
    of = {o: shapely.union_all([footprint(r) for r in rows if r["operator"] == o]) for o in "ABC"}
    pairs = [shapely.intersection(of[a], of[b]) for a, b in itertools.combinations("ABC", 2)]
    exact = np.array(
        [
            [shapely.area(shapely.intersection(zone, what)) for what in
             (shapely.union_all(list(of.values())), shapely.union_all(pairs), *of.values())]
            for zone in ZONES.geometry
        ]
    )  # fmt: skip
    area = ZONES.area.to_numpy()[:, None]
    assert np.abs(cells(rows) * 1e4 / area - exact / area).max() < 1e-6  # of the polygons' edges


def test_every_cell_carries_the_share_of_it_that_is_covered() -> None:
    rows = random_rows(12, 9)
    kept = (
        cover_zones(
            sites(rows),
            ZONES,
            WEIGHTS,
            services={"5g": ["5G"]},
            operators=["A", "B", "C"],
            keep=["5g"],
        )
        .cell_shares[0]
        .to_numpy()
    )
    corners = itertools.product(range(60), range(60))
    boxes = [
        shapely.box(c * 100, 5900 - r * 100, c * 100 + 100, 6000 - r * 100) for r, c in corners
    ]
    union = shapely.union_all([footprint(row) for row in rows])
    shapely.prepare(union)
    exact = (shapely.area(shapely.intersection(np.array(boxes), union)) / 1e4).reshape(60, 60)
    in_zones = np.zeros((60, 60), bool)
    in_zones[WEIGHTS.borders[:, 0], WEIGHTS.borders[:, 2]] = True
    for row, _, first, last in WEIGHTS.runs:
        in_zones[row, first:last] = True
    assert np.abs(kept - exact)[in_zones].max() < 1e-4
    assert ((kept > 0.02) & (kept < 0.98)).sum() > 50


@pytest.mark.parametrize("dy", range(0, 100, 7))
def test_level_edge_is_as_exact_as_any(dy: int) -> None:
    """A half disc whose straight side runs east to west, where scanlines of samples are worst."""
    row = {"x": 3000.0, "y": 4000.0 + dy, "radius_m": 900.0, "azimuth_deg": 0.0,
           "beamwidth_deg": 180.0}  # fmt: skip
    exact = shapely.area(shapely.intersection(HOLED, footprint(row))) / 1e4
    assert cells([row])[0, 0] == pytest.approx(exact, abs=1e-3)


def test_north_is_north_whether_it_is_written_0_or_360() -> None:
    north = cells([{"azimuth_deg": 0.0, "beamwidth_deg": 65.0}])
    assert (cells([{"azimuth_deg": 360.0, "beamwidth_deg": 65.0}]) == north).all()


def test_sector_of_360_degrees_is_the_disc_of_an_omnidirectional_site() -> None:
    disc = cells([{}])
    assert (cells([{"azimuth_deg": 123.0, "beamwidth_deg": 360.0}]) == disc).all()
    assert (cells([{"beamwidth_deg": 65.0}]) == disc).all()  # a width without a direction


def test_three_sectors_of_120_degrees_are_a_disc() -> None:
    sectors = [{"azimuth_deg": a, "beamwidth_deg": 120.0} for a in (10.0, 130.0, 250.0)]
    np.testing.assert_allclose(cells(sectors)[:, 0], cells([{}])[:, 0], rtol=1e-12)


def test_hole_of_a_commune_is_not_part_of_it() -> None:
    inside = cells([{"x": 3000.0, "y": 2700.0, "radius_m": 500.0}])
    assert (inside == 0).all()


def test_site_far_outside_covers_nothing_and_one_nearby_what_it_reaches() -> None:
    assert (cells([{"x": 60_000.0}]) == 0).all()
    half = cells([{"x": 5000.0, "y": 4000.0, "radius_m": 800.0}])
    assert half[0, 0] == pytest.approx(math.pi * 64 / 2, rel=1e-9)


def test_operator_that_is_not_to_be_reported_is_refused_not_counted_elsewhere() -> None:
    with pytest.raises(ValueError, match="Stranger"):
        cells([{"operator": "Stranger"}])


def test_names_of_the_first_two_operators_are_words_not_operators() -> None:
    covered = cover_zones(sites([{}]), ZONES, WEIGHTS, services={"5g": ["5G"]}, operators=["A"])
    assert covered.operators == (ANY, TWO_OR_MORE, "A")


def test_fine_raster_keeps_every_person_in_the_right_place() -> None:
    """Cells of 30 m lie between the points of a 100 m grid: read there, two in three are lost."""
    x, y = np.arange(15.0, 6000, 30), np.arange(5985.0, 0, -30)
    values = np.zeros((200, 200))
    values[:100] = 1.0  # the northern half, one person a cell
    raster = xr.DataArray(values, dims=("y", "x"), coords={"y": y, "x": x}, attrs={"crs": CRS})
    spread = spread_population(raster, GRID)
    assert float(spread.sum()) == pytest.approx(20_000)
    assert float(spread[:30].sum()) == pytest.approx(20_000)
    np.testing.assert_allclose(spread[3:27, 3:57].mean(), 100 * 100 / 900, rtol=0.01)


def test_coarse_grid_keeps_every_person_of_a_fine_raster_in_degrees() -> None:
    lon, lat = 105.4 + np.arange(240) / 1200, 19.9 - np.arange(200) / 1200
    values = np.random.default_rng(3).integers(0, 50, (200, 240)).astype(float)
    raster = xr.DataArray(
        values, dims=("y", "x"), coords={"y": lat, "x": lon}, attrs={"crs": "EPSG:4326"}
    )
    around = gpd.GeoDataFrame(geometry=[shapely.box(105.3, 19.6, 105.7, 20.0)], crs="EPSG:4326")
    for cell_m in (50.0, 100.0, 250.0, 1000.0):
        spread = spread_population(raster, grid_over(around, cell_m=cell_m))
        assert float(spread.sum()) == pytest.approx(values.sum(), rel=1e-9), cell_m


@pytest.fixture(scope="module")
def old_and_new(shared: Path) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    old = gpd.read_parquet(shared / "data/boundaries/thanh_hoa_2009.parquet")
    return old, gpd.read_parquet(shared / "data/boundaries/thanh_hoa_2025.parquet")


@pytest.mark.realdata
def test_communes_of_2009_land_on_those_of_2025_by_area(
    old_and_new: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame],
) -> None:
    old, new = old_and_new
    pieces = overlay_weights(old, new, old_key="census_id")
    whole = old.set_index("census_id").to_crs("EPSG:6933").area / 1e6
    kept = (pieces.groupby("commune_code_old")["area_km2"].sum() / whole).fillna(0.0)
    assert kept.max() < 1.002  # the new layer overlaps itself by 0.015 km²
    assert (kept * whole).sum() / whole.sum() > 0.985  # its coast and border are finer lines
    assert (kept > 0.99).mean() > 0.8
    assert set(pieces["commune_code"]) == set(new["commune_code"])


@pytest.mark.realdata
def test_people_of_2009_are_conserved_on_the_communes_of_2025(
    old_and_new: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame], shared: Path
) -> None:
    old, new = old_and_new
    raster = shared / "data/population/vnm_ppp_2000_1km_Aggregated_UNadj.tif"
    layer = read_population(raster, communes=new.assign(vintage="2025")).layer
    grid = grid_over(new, margin_cells=20)
    pieces = overlay_weights(
        old, new, old_key="census_id", population=spread_population(layer, grid)
    )
    parts = pieces["weight"] / pieces.groupby("commune_code_old")["weight"].transform("sum")
    census = old.set_index("census_id")["population_2009"]
    moved = (parts * pieces["commune_code_old"].map(census)).groupby(pieces["commune_code"]).sum()
    assert moved.sum() == pytest.approx(census.sum(), rel=1e-9)
    assert moved.min() > 0
    persons = pieces["persons"].sum()
    inside = float(spread_population(layer, grid).sum())
    assert persons < inside  # the grid holds its neighbours too
    assert persons == pytest.approx(3.4e6, rel=0.1)

"""Footprints: hand-computed cases, laws, and agreement with exact vector overlay."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phusong.errors import CrsError, SchemaError
from phusong.footprint import cover_zones
from phusong.grid import Grid, choose_metric_crs, grid_over
from phusong.zonal import overlap_zones

CRS = "EPSG:5897"
GRID = Grid(crs=CRS, x_min=0, y_max=4000, cell_m=100, shape=(40, 40))
ZONES = gpd.GeoDataFrame(
    geometry=[shapely.box(0, 0, 1730, 4000), shapely.box(1730, 0, 4000, 4000)], crs=CRS
)
WEIGHTS = overlap_zones(ZONES, GRID)
SERVICES = {"4g": ["4G"], "5g": ["5G"], "mbb": ["4G", "5G"]}
OPERATORS = ("A", "B", "C")


def layer(rows: list[dict[str, object]]) -> gpd.GeoDataFrame:
    columns = ("x", "y", "radius_m", "azimuth_deg", "beamwidth_deg", "operator", "technology")
    data = {name: [row.get(name, math.nan) for row in rows] for name in columns}
    points = gpd.points_from_xy(data.pop("x"), data.pop("y"))
    return gpd.GeoDataFrame(data, geometry=points, crs=CRS)


def covered_cells(rows: list[dict[str, object]]) -> np.ndarray:
    return cover_zones(layer(rows), ZONES, WEIGHTS, services=SERVICES, operators=OPERATORS).cells


def mast(**fields: object) -> dict[str, object]:
    return {
        "x": 2000.0,
        "y": 2000.0,
        "radius_m": 500.0,
        "operator": "A",
        "technology": "5G",
    } | fields


@pytest.mark.parametrize(
    ("azimuth_deg", "beamwidth_deg", "share"),
    [(math.nan, math.nan, 1.0), (90.0, math.nan, 1 / 3), (0.0, 65.0, 65 / 360),
     (30.0, 180.0, 0.5), (200.0, 270.0, 0.75), (10.0, 360.0, 1.0)],
)  # fmt: skip
def test_sector_covers_its_part_of_the_disc(
    azimuth_deg: float, beamwidth_deg: float, share: float
) -> None:
    cells = covered_cells([mast(azimuth_deg=azimuth_deg, beamwidth_deg=beamwidth_deg)])
    assert cells[:, 1, 0].sum() == pytest.approx(math.pi * 25 * share, rel=1e-9)


def test_sector_points_to_its_azimuth() -> None:
    east = covered_cells([mast(x=1800.0, azimuth_deg=90.0, beamwidth_deg=120.0)])
    assert east[0, 1, 0] == 0
    assert east[1, 1, 0] == pytest.approx(math.pi * 25 / 3, rel=1e-9)


def test_cell_at_the_edge_carries_the_share_that_is_covered() -> None:
    kept = (
        cover_zones(
            layer([mast(radius_m=450.0)]),
            ZONES,
            WEIGHTS,
            services=SERVICES,
            operators=OPERATORS,
            keep=["5g"],
        )
        .cell_shares[0]
        .to_numpy()
    )
    assert ((kept > 0.05) & (kept < 0.95)).sum() > 20
    assert kept.sum() == pytest.approx(math.pi * 4.5**2, rel=1e-6)  # float32


def test_operators_polygon_is_its_own_footprint() -> None:
    hole = shapely.Polygon(shapely.box(1000, 1000, 3000, 3000).exterior.coords,
                           [shapely.box(1500, 1500, 2500, 2500).exterior.coords])  # fmt: skip
    polygons = gpd.GeoDataFrame(
        {"operator": ["A", "B"], "technology": "5G"},
        geometry=[hole, shapely.box(0, 0, 1700, 1025)], crs=CRS,
    )  # fmt: skip
    cells = cover_zones(polygons, ZONES, WEIGHTS, services=SERVICES, operators=OPERATORS).cells
    assert cells[:, 1, 2].sum() == pytest.approx(300, abs=1e-9)
    assert cells[0, 1, 3] == pytest.approx(17 * 10.25)
    assert cells[0, 1, 1] == pytest.approx(7 * 0.25)


def test_polygon_changes_no_bit_of_what_lies_far_from_it() -> None:
    rows = [mast(x=x, radius_m=347.0, operator=o) for x, o in ((600.0, "A"), (900.0, "B"))]
    polygon = gpd.GeoDataFrame(
        {"operator": ["B"], "technology": ["5G"]},
        geometry=[shapely.box(3020, 3030, 3810, 3740)],
        crs=CRS,
    )
    alone, beside = (
        cover_zones(
            sites, ZONES, WEIGHTS, services=SERVICES, operators=OPERATORS, keep=["5g"],
            population=np.ones(GRID.shape),
        )
        for sites in (layer(rows), pd.concat([layer(rows), polygon], ignore_index=True))
    )  # fmt: skip
    assert (beside.persons[0] == alone.persons[0]).all()
    assert (beside.cells[0] == alone.cells[0]).all()
    assert (beside.cell_shares[0, :, :28] == alone.cell_shares[0, :, :28]).all()
    assert beside.persons[1, 1, 0] - alone.persons[1, 1, 0] == pytest.approx(7.9 * 7.1)


def test_polygon_that_crosses_itself_is_refused() -> None:
    bow = shapely.Polygon([(1000, 1000), (2000, 2000), (2000, 1000), (1000, 2000)])
    sites = gpd.GeoDataFrame({"operator": ["A"], "technology": ["5G"]}, geometry=[bow], crs=CRS)
    with pytest.raises(SchemaError, match=r"A: Self-intersection\[1500 1500\].*repair it"):
        cover_zones(sites, ZONES, WEIGHTS, services=SERVICES, operators=OPERATORS)


@pytest.mark.parametrize("crs", ["EPSG:3405", None])
def test_sites_or_zones_in_another_crs_are_refused(crs: str | None) -> None:
    sites = layer([mast()])
    for which, said in ((sites, "sites are in"), (ZONES, "zones are in")):
        moved = which.set_crs(crs, allow_override=True)
        layers = (moved, ZONES) if which is sites else (sites, moved)
        with pytest.raises(CrsError, match=f"{said} {crs}"):
            cover_zones(*layers, WEIGHTS, services=SERVICES, operators=OPERATORS)


def test_operator_that_is_not_to_be_reported_is_refused_where_it_is_asked_for() -> None:
    rows = [mast(operator="A"), mast(operator="Z"), mast(operator="Y", technology="2G")]
    with pytest.raises(ValueError, match=r"not to be reported: Z$"):
        covered_cells(rows)
    assert covered_cells([rows[0], rows[2]])[:, 1, 0].sum() == pytest.approx(math.pi * 25)


def test_at_most_63_operators_can_be_told_apart() -> None:
    names = [f"O{i}" for i in range(64)]
    sites = layer([mast(operator=name) for name in ("O0", "O62")])
    found = cover_zones(sites, ZONES, WEIGHTS, services=SERVICES, operators=names[:63])
    assert found.operators == ("any", "two_or_more", *names[:63])
    assert found.services == ("4g", "5g", "mbb")
    disc = math.pi * 25
    for column in (0, 1, 2, 64):
        assert found.cells[:, 1, column].sum() == pytest.approx(disc)
    with pytest.raises(ValueError, match="64 operators; at most 63"):
        cover_zones(sites, ZONES, WEIGHTS, services=SERVICES, operators=names)


def test_services_of_the_same_cells_have_the_same_area_people_and_shares() -> None:
    found = cover_zones(
        layer([mast()]), ZONES, WEIGHTS, services=SERVICES, operators=OPERATORS,
        population=np.full(GRID.shape, 2.0), keep=["mbb", "4g"],
    )  # fmt: skip
    disc = math.pi * 25  # in cells
    assert found.cells[:, :, 0].sum(axis=0) == pytest.approx([0, disc, disc])
    assert found.persons[:, :, 0].sum(axis=0) == pytest.approx([0, 2 * disc, 2 * disc], rel=1e-9)
    assert found.cell_shares["service"].to_numpy().tolist() == ["mbb", "4g"]
    unit = "share of the cell covered"
    assert found.cell_shares.attrs == {"crs": CRS, "cell_m": 100, "unit": unit}
    assert found.cell_shares.sum(["y", "x"]).to_numpy() == pytest.approx([disc, 0], rel=1e-6)


def test_zone_that_is_wholly_covered_is_covered_to_the_last_bit() -> None:
    corners = np.random.default_rng(4).uniform(900, 3100, (40, 3, 2))
    zones = gpd.GeoDataFrame(geometry=[shapely.Polygon(c) for c in corners], crs=CRS)
    weights = overlap_zones(zones, GRID)
    rows = [mast(radius_m=3000.0, x=2000.0 + 7 * i, y=2000.3) for i in range(3)]
    found = cover_zones(layer(rows), zones, weights, services=SERVICES, operators=OPERATORS)
    assert (found.cells[:, 1, 0] == weights.cells).all()
    assert (found.cells[:, 1, 0] == found.cells[:, 1, 2]).all()


SECTOR = st.fixed_dictionaries(
    {
        "x": st.integers(-300, 4300).map(float),
        "y": st.integers(-300, 4300).map(float),
        "radius_m": st.integers(1, 1500).map(float),
        "azimuth_deg": st.one_of(st.just(math.nan), st.integers(0, 360).map(float)),
        "beamwidth_deg": st.integers(10, 360).map(float),
        "operator": st.sampled_from(OPERATORS),
        "technology": st.sampled_from(["4G", "5G"]),
    }
)
LAWS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@LAWS
@given(st.lists(SECTOR, min_size=1, max_size=6), SECTOR)
def test_laws_of_coverage(rows: list[dict[str, object]], extra: dict[str, object]) -> None:
    cells = covered_cells(rows)
    whole = WEIGHTS.cells[:, None, None]
    assert (cells >= 0).all()
    assert (cells <= whole + 1e-9).all()
    assert (cells[:, :, 1] <= cells[:, :, 0]).all()  # at least two never exceed any
    assert (cells[:, :, 2:].max(axis=2) <= cells[:, :, 0] + 1e-9).all()
    assert (covered_cells([*rows, extra]) >= cells - 1e-9).all()  # a site never takes away
    assert (covered_cells(rows[::-1]) == cells).all()  # the order of rows is nothing
    assert (covered_cells(rows * 2) == cells).all()  # nor is repetition


@LAWS
@given(st.lists(SECTOR, min_size=1, max_size=5), st.integers(-30, 30), st.integers(-30, 30))
def test_moving_everything_by_whole_cells_changes_nothing(
    rows: list[dict[str, object]], right: int, up: int
) -> None:
    moved = [r | {"x": r["x"] + 100 * right, "y": r["y"] + 100 * up} for r in rows]
    zones = ZONES.translate(100 * right, 100 * up).to_frame("geometry").set_crs(CRS)
    weights = overlap_zones(zones, grid_over(zones, crs=CRS))
    cells = cover_zones(layer(moved), zones, weights, services=SERVICES, operators=OPERATORS).cells
    np.testing.assert_allclose(cells, covered_cells(rows), atol=1e-9)


def test_coordinates_far_from_zero_cost_no_digit() -> None:
    rows = [mast(x=1500.0 + 331 * i, azimuth_deg=50.0 * i, beamwidth_deg=65.0) for i in range(5)]
    far = [r | {"x": r["x"] + 700_000, "y": r["y"] + 2_200_000} for r in rows]
    zones = ZONES.translate(700_000, 2_200_000).to_frame("geometry").set_crs(CRS)
    grid = Grid(crs=CRS, x_min=700_000, y_max=2_204_000, cell_m=100, shape=(40, 40))
    moved = cover_zones(
        layer(far), zones, overlap_zones(zones, grid), services=SERVICES, operators=OPERATORS
    )
    assert (moved.cells == covered_cells(rows)).all()


def sector_polygon(
    x: float, y: float, radius: float, azimuth: float, width: float
) -> shapely.Polygon:
    """A sector as a 256-gon of the same area."""
    angle = np.radians(np.linspace(azimuth - width / 2, azimuth + width / 2, 257))
    step = np.radians(width) / 256
    stretch = radius * math.sqrt(step / math.sin(step))
    arc = np.column_stack([x + stretch * np.sin(angle), y + stretch * np.cos(angle)])
    return shapely.Polygon(np.vstack([[x, y], arc]))


@pytest.mark.realdata
def test_real_communes_agree_with_exact_overlay(shared) -> None:  # type: ignore[no-untyped-def]
    communes = gpd.read_parquet(shared / "data/boundaries/thanh_hoa_2025.parquet")
    communes = communes.to_crs(choose_metric_crs(communes))
    rng = np.random.default_rng(20260630)
    west, south, east, north = communes.total_bounds
    xy = np.repeat(rng.uniform([west, south], [east, north], (4000, 2)), 3, axis=0)
    radius = np.repeat(rng.uniform(300, 3000, 4000), 3)
    azimuth = np.tile([0.0, 120.0, 240.0], 4000) + np.repeat(rng.uniform(0, 120, 4000), 3)
    width = rng.choice([65.0, 90.0, 120.0, 200.0], 12_000)
    sites = gpd.GeoDataFrame(
        {"radius_m": radius, "azimuth_deg": azimuth, "beamwidth_deg": width, "operator": "A",
         "technology": "5G"},
        geometry=gpd.points_from_xy(*xy.T), crs=communes.crs,
    )  # fmt: skip
    weights = overlap_zones(communes, grid_over(communes))
    cells = cover_zones(sites, communes, weights, services=SERVICES, operators=["A"]).cells[:, 1, 0]
    union = shapely.union_all(
        [sector_polygon(*row) for row in zip(*xy.T, radius, azimuth, width, strict=True)]
    )
    exact = shapely.area(shapely.intersection(communes.geometry.to_numpy(), union))
    area = communes.area.to_numpy()
    assert np.abs(cells / weights.cells - exact / area).max() < 3e-6  # of the polygons' edges
    assert abs(cells.sum() / weights.cells.sum() - exact.sum() / area.sum()) < 1e-6

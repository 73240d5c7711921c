"""Zonal weights against shapely's own intersections, and against a second library."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.errors import CrsError
from phusong.grid import Grid, choose_metric_crs, grid_over
from phusong.zonal import ZonalWeights, overlap_zones, sum_by_zone

CRS = "EPSG:5897"
GRID = Grid(crs=CRS, x_min=0, y_max=1000, cell_m=100, shape=(10, 10))


def dense(weights: ZonalWeights) -> np.ndarray:
    """The weights as an array (zone, row, column)."""
    array = np.zeros((weights.n_zones, *weights.grid.shape))
    for row, zone, first, last in weights.runs:
        array[zone, row, first:last] += 1
    for (row, zone, column), fraction in zip(weights.borders, weights.fractions, strict=True):
        array[zone, row, column] += fraction
    return array


def exact(zone: shapely.Geometry) -> np.ndarray:
    cells = [
        [shapely.box(c * 100, 900 - r * 100, c * 100 + 100, 1000 - r * 100) for c in range(10)]
        for r in range(10)
    ]
    return shapely.area(shapely.intersection(np.array(cells), zone)) / 1e4


POINT = st.tuples(st.floats(0, 1000), st.floats(0, 1000))


@settings(max_examples=150, deadline=None)
@given(st.lists(POINT, min_size=3, max_size=7))
def test_fractions_are_those_of_exact_intersection(points: list[tuple[float, float]]) -> None:
    zone = shapely.MultiPoint(points).convex_hull
    if zone.geom_type != "Polygon":
        return
    weights = overlap_zones(gpd.GeoDataFrame(geometry=[zone], crs=CRS), GRID)
    np.testing.assert_allclose(dense(weights)[0], exact(zone), atol=1e-7)


def test_holes_islands_and_edges_on_cell_borders() -> None:
    ring = shapely.box(100, 100, 900, 900) - shapely.box(330, 300, 600, 625)
    zone = shapely.union_all([ring, shapely.box(400, 400, 455, 500)])
    weights = overlap_zones(gpd.GeoDataFrame(geometry=[zone], crs=CRS), GRID)
    np.testing.assert_allclose(dense(weights)[0], exact(zone), atol=1e-12)
    assert weights.cells[0] == pytest.approx(zone.area / 1e4)


def test_flat_zone_inside_one_row_is_partial_all_along() -> None:
    zone = shapely.box(50, 420, 950, 470)
    weights = overlap_zones(gpd.GeoDataFrame(geometry=[zone], crs=CRS), GRID)
    np.testing.assert_allclose(dense(weights)[0], exact(zone), atol=1e-12)


def test_sums_take_border_cells_by_their_share() -> None:
    zones = gpd.GeoDataFrame(
        geometry=[shapely.box(0, 0, 450, 1000), shapely.box(450, 0, 1000, 1000)], crs=CRS
    )
    values = GRID.to_array(np.arange(100.0).reshape(10, 10), unit="persons")
    sums = sum_by_zone(overlap_zones(zones, GRID), values)
    assert sums.sum() == pytest.approx(4950)
    assert sums[0] == pytest.approx(values.values[:, :4].sum() + values.values[:, 4].sum() / 2)


def test_zone_beyond_the_grid_and_foreign_crs_are_refused() -> None:
    zone = gpd.GeoDataFrame(geometry=[shapely.box(500, 500, 1500, 900)], crs=CRS)
    with pytest.raises(ValueError, match="beyond the grid"):
        overlap_zones(zone, GRID)
    with pytest.raises(CrsError, match="EPSG:4326"):
        overlap_zones(zone.to_crs("EPSG:4326"), GRID)


@pytest.mark.realdata
def test_real_communes_keep_their_area_and_agree_with_a_second_library(shared) -> None:  # type: ignore[no-untyped-def]
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    communes = gpd.read_parquet(shared / "data/boundaries/thanh_hoa_2025.parquet")
    communes = communes.to_crs(choose_metric_crs(communes))
    grid = grid_over(communes)
    weights = overlap_zones(communes, grid)
    np.testing.assert_allclose(weights.cells, communes.area / 1e4, rtol=1e-10)
    values = np.random.default_rng(7).random(grid.shape)
    west, south, east, north = grid.bounds
    source = NumPyRasterSource(values, west, south, east, north, srs_wkt=communes.crs.to_wkt())
    theirs = exact_extract(source, communes, ["sum"], output="pandas")["sum"].to_numpy()
    ours = sum_by_zone(weights, grid.to_array(values, unit="persons"))
    assert np.median(np.abs(ours / theirs - 1)) < 1e-8
    np.testing.assert_allclose(ours, theirs, rtol=5e-4)

"""Zonal weights against shapely's own intersections, and against a second library."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.errors import CrsError
from phusong.grid import Grid, choose_metric_crs, grid_over
from phusong.zonal import (
    Tiles,
    ZonalWeights,
    overlap_zones,
    paint_tiles,
    read_tiles,
    sum_by_zone,
)
from phusong.zonal_kernels import FEW, sort_rows, with_room

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
    point = gpd.GeoDataFrame(geometry=[shapely.Point(5, 5)], crs=CRS)
    with pytest.raises(ValueError, match="no polygons"):
        overlap_zones(point, GRID)
    with np.errstate(invalid="ignore"):
        shape = shapely.Polygon([(0, 0), (9, np.nan), (9, 9)])
    nowhere = gpd.GeoDataFrame(geometry=[shape], crs=CRS)
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="not finite"):
        overlap_zones(nowhere, GRID)


def random_zones(n: int, seed: int, *, points: int = 6) -> gpd.GeoDataFrame:
    """Hulls of random points on GRID, which overlap, some with a hole."""
    rng = np.random.default_rng(seed)
    shapes = [shapely.MultiPoint(rng.uniform(0, 1000, (points, 2))).convex_hull for _ in range(n)]
    holes = shapely.buffer(shapely.centroid(shapes), 60)
    return gpd.GeoDataFrame(geometry=shapely.difference(shapes, holes), crs=CRS)


def test_answer_does_not_depend_on_the_number_of_threads() -> None:
    zones = random_zones(200, 1)
    one, two, three = (overlap_zones(zones, GRID, threads=n) for n in (1, 2, 3))
    values = GRID.to_array(np.random.default_rng(2).random(GRID.shape), unit="persons")
    sums = [sum_by_zone(one, values, threads=n) for n in (1, 2, 3)]
    np.testing.assert_allclose(sums[0], (dense(one) * values.to_numpy()).sum(axis=(1, 2)))
    for other, total in ((two, sums[1]), (three, sums[2])):
        assert np.array_equal(other.runs, one.runs)
        assert np.array_equal(other.borders, one.borders)
        assert np.array_equal(other.fractions, one.fractions)
        assert np.array_equal(total, sums[0])


def test_runs_and_borders_are_sorted_by_row_zone_and_column() -> None:
    weights = overlap_zones(random_zones(60, 3), GRID)
    assert len(weights.runs) > 100
    for rows in (weights.runs, weights.borders):
        order = np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))
        assert np.array_equal(order, np.arange(len(rows)))
    assert (weights.runs[:, 3] > weights.runs[:, 2]).all()
    assert ((weights.fractions > 0) & (weights.fractions < 1)).all()
    seen = np.concatenate([
        [(zone, row, c) for row, zone, first, last in weights.runs for c in range(first, last)],
        weights.borders[:, [1, 0, 2]],
    ])  # fmt: skip
    assert len(np.unique(seen, axis=0)) == len(seen)  # no cell twice


def test_edge_a_hair_beside_a_cell_is_on_its_side() -> None:
    """A ten-thousandth of a millionth of a cell: rounding, as it comes with a reprojection."""
    hair = 1e-8
    for west, east in ((200 - hair, 500 - hair), (200 + hair, 500 + hair), (200, 500)):
        weights = overlap_zones(squares((west, 0, east, 200)), GRID)
        assert weights.runs.tolist() == [[8, 0, 2, 5], [9, 0, 2, 5]]
        assert len(weights.borders) == 0
    side = overlap_zones(squares((0, 0, 500, 100), (0, 0, 500 - hair, 100)), GRID)
    assert side.runs.tolist() == [[9, 0, 0, 5], [9, 1, 0, 5]]
    weights = overlap_zones(squares((200.001, 0, 499.999, 100)), GRID)
    assert weights.runs.tolist() == [[9, 0, 3, 4]]
    assert weights.fractions == pytest.approx([1 - 1e-5, 1 - 1e-5])


def test_many_borders_in_one_row_are_those_of_exact_intersection() -> None:
    """A comb of 40 teeth, upside down, in rows of ten cells: sorted by merging, not inserting."""
    teeth = [shapely.box(x, 0, x + 13.7, 990.5) for x in np.arange(1.3, 990, 24.6)]
    comb = shapely.union_all([*teeth, shapely.box(0, 985, 1000, 995)])
    weights = overlap_zones(gpd.GeoDataFrame(geometry=[comb], crs=CRS), GRID)
    np.testing.assert_allclose(dense(weights)[0], exact(comb), atol=1e-12)


@pytest.mark.parametrize("few", [3, FEW, FEW + 1])
def test_steps_are_sorted_by_column_and_equal_ones_stay_in_their_order(few: int) -> None:
    """Three rows: the columns 5, 2, 2, then none, then `few` from 7 downwards; spans 4 and few."""
    columns = np.array([5, 2, 2, *range(6 + few, 6, -1)])
    starts = np.array([0, 3, 3, 3 + few])
    covers = np.arange(len(columns), dtype=float)
    areas = -covers
    assert sort_rows(starts, 3, columns, covers, areas) == 4 + few
    assert columns.tolist() == [2, 2, 5, *range(7, 7 + few)]
    assert covers.tolist() == [1, 2, 0, *range(2 + few, 2, -1)]
    assert (areas == -covers).all()


def test_rows_grow_at_least_twofold_and_only_where_they_must() -> None:
    rows = np.array([[1, 2], [3, 4], [5, 6]])
    assert np.shares_memory(with_room(rows, 3), rows)
    for wanted, length in ((4, 6), (9, 9)):
        grown = with_room(rows, wanted)
        assert grown.shape == (length, 2)
        assert grown.dtype == rows.dtype
        assert (grown[:3] == rows).all()


def test_zone_without_a_shape_has_no_cells_and_no_zones_no_sums() -> None:
    zones = gpd.GeoDataFrame(geometry=[None, shapely.box(0, 0, 100, 100), None], crs=CRS)
    assert overlap_zones(zones, GRID).cells.tolist() == [0, 1, 0]
    weights = overlap_zones(zones.iloc[:0], GRID)
    assert sum_by_zone(weights, GRID.to_array(np.ones(GRID.shape), unit="persons")).shape == (0,)


def test_edge_along_the_side_of_the_grid_stays_on_it() -> None:
    """Rounding of x along a slanted edge that ends on the western side must not leave the grid."""
    rng = np.random.default_rng(5)
    shapes = [
        shapely.Polygon([(0, rng.uniform(0, 1000)), (rng.uniform(0, 300), 0), (1000, 1000)])
        for _ in range(300)
    ]
    weights = overlap_zones(gpd.GeoDataFrame(geometry=shapes, crs=CRS), GRID)
    assert weights.borders.min() >= 0
    assert weights.borders[:, 2].max() < 10
    np.testing.assert_allclose(weights.cells, shapely.area(shapes) / 1e4, atol=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([3, 4, 10, 16]))
def test_sums_and_covered_sums_are_those_of_dense_arrays(seed: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    zones = random_zones(5, seed)
    weights = overlap_zones(zones, GRID)
    values, share = rng.random(GRID.shape).astype("f4"), rng.random(GRID.shape).astype("f4")
    tiles = read_tiles(weights, lambda r, c: values[r, c], tile_cells=side)
    covered = Tiles(
        grid=GRID,
        index=tiles.index,
        values=read_tiles(weights, lambda r, c: share[r, c], tile_cells=side).values,
    )
    by_hand = (dense(weights) * values).sum(axis=(1, 2))
    under = (dense(weights) * values * share).sum(axis=(1, 2))
    arrays = [GRID.to_array(array, unit="") for array in (values, share)]
    np.testing.assert_allclose(sum_by_zone(weights, tiles), by_hand, rtol=1e-9)
    np.testing.assert_allclose(sum_by_zone(weights, arrays[0]), by_hand, rtol=1e-9)
    np.testing.assert_allclose(sum_by_zone(weights, tiles, covered=covered), under, rtol=1e-6)
    np.testing.assert_allclose(sum_by_zone(weights, arrays[0], covered=arrays[1]), under, rtol=1e-6)


def test_painted_area_is_the_share_of_each_cell_that_lies_in_it() -> None:
    zones = random_zones(4, 8)
    weights = overlap_zones(zones, GRID)
    tiles = read_tiles(weights, lambda r, c: np.ones((10, 10))[r, c], tile_cells=4)
    area = shapely.Point(400, 500).buffer(333)
    painted = paint_tiles(overlap_zones(gpd.GeoDataFrame(geometry=[area], crs=CRS), GRID), tiles)
    found = np.zeros((12, 12))
    for row, column in np.argwhere(tiles.index >= 0):
        block = painted.values[tiles.index[row, column]]
        found[row * 4 : row * 4 + 4, column * 4 : column * 4 + 4] = block
    is_kept = np.kron(tiles.index >= 0, np.ones((4, 4), bool))[:10, :10]
    np.testing.assert_allclose(found[:10, :10][is_kept], exact(area)[is_kept], atol=1e-7)
    assert (found[:10, :10][~is_kept] == 0).all()


def squares(*bounds: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[shapely.box(*b) for b in bounds], crs=CRS)


@pytest.mark.parametrize("shape", [(300, 4), (4, 300)])
def test_sums_of_a_grid_of_many_rows_or_columns_are_as_computed_by_hand(
    shape: tuple[int, int],
) -> None:
    """Cell (r, c) holds 1000 r + c; zones: rows 1 and 2, the last 1.5, a corner, a side."""
    height, width = shape
    grid = Grid(crs=CRS, x_min=0, y_max=100 * height, cell_m=100, shape=shape)
    top, right = 100 * height, 100 * width
    zones = squares(
        (0, top - 300, right, top - 100), (0, 0, right, 150), (right - 150, 0, right, 100),
        (right - 50, 0, right, top),
    )  # fmt: skip
    weights = overlap_zones(zones, grid)
    cells = np.add.outer(1000.0 * np.arange(height), np.arange(width))
    last = height - 1
    by_hand = [
        cells[1:3].sum(),
        cells[last].sum() + cells[last - 1].sum() / 2,
        cells[last, -1] + cells[last, -2] / 2,
        cells[:, -1].sum() / 2,
    ]
    tiles = read_tiles(weights, lambda r, c: cells[r, c])
    assert tiles.values.shape[1:] == (128, 128)
    assert sum_by_zone(weights, grid.to_array(cells, unit="persons")) == pytest.approx(by_hand)
    assert sum_by_zone(weights, tiles) == pytest.approx(by_hand, rel=1e-6)
    half = grid.to_array(np.full(shape, 0.5), unit="covered")
    under = sum_by_zone(weights, grid.to_array(cells, unit="persons"), covered=half)
    assert under == pytest.approx(np.array(by_hand) / 2)
    assert weights.cells == pytest.approx([2 * width, 1.5 * width, 1.5, height / 2])


@pytest.mark.parametrize(("high", "by_hand"), [(200, 8.0), (150, 6.0), (50, 2.0)])
def test_rows_far_from_the_first_are_summed_whole_or_in_part(high: float, by_hand: float) -> None:
    """Only rows 298 and 299 of 300 have anything: whole cells alone, parts alone, and both."""
    grid = Grid(crs=CRS, x_min=0, y_max=30_000, cell_m=100, shape=(300, 4))
    weights = overlap_zones(squares((0, 0, 400, high)), grid)
    ones = grid.to_array(np.ones(grid.shape), unit="persons")
    assert sum_by_zone(weights, ones).tolist() == [by_hand]


def test_tiles_are_those_of_the_first_and_the_last_cell_of_every_run() -> None:
    """In the last row, a tile of its own for want of others: cells 0 to 2, a gap, cell 6."""
    weights = overlap_zones(squares((0, 0, 300, 100), (600, 0, 700, 100)), GRID)
    tiles = read_tiles(weights, lambda r, c: np.ones((10, 10))[r, c], tile_cells=3)
    assert tiles.index.tolist() == [[-1] * 4, [-1] * 4, [-1] * 4, [0, -1, 1, -1]]
    wide = overlap_zones(squares((200, 0, 700, 100)), GRID)
    tiles = read_tiles(wide, lambda r, c: np.ones((10, 10))[r, c], tile_cells=3)
    assert tiles.index[3].tolist() == [0, 1, 2, -1]


def test_vertex_that_rounding_put_beyond_the_grid_is_put_back_on_its_side() -> None:
    near = squares((-1e-5, -1e-5, 1000 + 1e-5, 1000 + 1e-5), (150, 150, 350, 350))
    weights = overlap_zones(near, GRID)
    assert weights.cells == pytest.approx([100, 4], abs=1e-12)
    assert weights.runs[:, 2].min() == 0
    assert weights.runs[:, 3].max() == 10
    with pytest.raises(ValueError, match="beyond the grid"):
        overlap_zones(squares((-1e-3, 0, 1000, 1000)), GRID)


def test_only_tiles_that_a_zone_meets_are_read() -> None:
    grid = Grid(crs=CRS, x_min=0, y_max=1_000_000, cell_m=100, shape=(10_000, 10_000))
    corners = [shapely.box(0, 0, 50, 50), shapely.box(990_000, 999_000, 1_000_000, 1_000_000)]
    weights = overlap_zones(gpd.GeoDataFrame(geometry=corners, crs=CRS), grid)
    asked = []

    def read(rows: slice, columns: slice) -> np.ndarray:
        asked.append((rows.start, columns.start))
        return np.ones((rows.stop - rows.start, columns.stop - columns.start))

    tiles = read_tiles(weights, read, tile_cells=100)
    assert asked == [(0, 9900), (9900, 0)]
    np.testing.assert_allclose(sum_by_zone(weights, tiles), [0.25, 1000])


def test_nan_spoils_the_zones_it_lies_in_and_no_other() -> None:
    squares = [shapely.box(0, 0, 500, 1000), shapely.box(500, 0, 1000, 1000)]
    weights = overlap_zones(gpd.GeoDataFrame(geometry=squares, crs=CRS), GRID)
    values = np.ones(GRID.shape)
    values[4, 2] = np.nan
    sums = sum_by_zone(weights, GRID.to_array(values, unit="persons"))
    assert np.isnan(sums[0])
    assert sums[1] == 50


def test_values_that_do_not_fit_are_refused() -> None:
    weights = overlap_zones(random_zones(3, 1), GRID)
    ones = np.ones(GRID.shape)
    array = GRID.to_array(ones, unit="persons")
    tiles = read_tiles(weights, lambda r, c: ones[r, c], tile_cells=4)
    with pytest.raises(ValueError, match=r"shape \(9, 10\)"):
        sum_by_zone(weights, array[1:])
    with pytest.raises(ValueError, match="different tiles"):
        sum_by_zone(weights, tiles, covered=array)
    square = Tiles(grid=GRID, index=tiles.index, values=tiles.values[:, :2, :2])
    with pytest.raises(ValueError, match="different tiles"):
        sum_by_zone(weights, tiles, covered=square)
    turned = Tiles(grid=GRID, index=tiles.index[::-1], values=tiles.values)
    with pytest.raises(ValueError, match="different tiles"):
        sum_by_zone(weights, tiles, covered=turned)
    for kind in ("complex128", "float16", "int16"):
        with pytest.raises(ValueError, match=f"cells are {kind}"):
            sum_by_zone(weights, array.astype(kind))
    with pytest.raises(ValueError, match=r"read \(2, 2\)"):
        read_tiles(weights, lambda r, c: np.ones((2, 2)), tile_cells=4)
    with pytest.raises(ValueError, match="3 zones"):
        paint_tiles(weights, tiles)
    corner = overlap_zones(gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 9, 9)], crs=CRS), GRID)
    with pytest.raises(ValueError, match="not kept"):
        sum_by_zone(weights, read_tiles(corner, lambda r, c: ones[r, c], tile_cells=4))
    for place in ((500, 500, 700, 700), (550, 550, 560, 560)):  # whole cells only, a part of one
        with pytest.raises(ValueError, match="not kept"):
            sum_by_zone(
                overlap_zones(squares(place), GRID),
                read_tiles(corner, lambda r, c: ones[r, c], tile_cells=4),
            )
    other = Grid(crs=CRS, x_min=100, y_max=1000, cell_m=100, shape=(10, 10))
    moved = Tiles(grid=other, index=tiles.index, values=tiles.values)
    with pytest.raises(ValueError, match="x_min=100"):
        sum_by_zone(weights, moved)
    with pytest.raises(ValueError, match="x_min=100"):
        paint_tiles(corner, moved)


@pytest.mark.realdata
def test_real_communes_keep_their_area_and_agree_with_a_second_library(
    shared: Path,
) -> None:
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


@pytest.mark.realdata
def test_all_communes_of_vietnam_agree_with_a_second_library(shared: Path) -> None:
    """3,321 communes in a box of 3.0e8 cells, none of which is allocated by either."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    communes = gpd.read_parquet(shared / "data/boundaries/vietnam_2025_simplified.parquet")
    communes = communes.to_crs("EPSG:5897")
    grid = grid_over(communes, crs="EPSG:5897")
    weights = overlap_zones(communes, grid)
    ones = np.broadcast_to(np.float32(1), grid.shape)
    west, south, east, north = grid.bounds
    source = NumPyRasterSource(ones, west, south, east, north, srs_wkt=communes.crs.to_wkt())
    theirs = exact_extract(source, communes, ["sum"], output="pandas")["sum"].to_numpy()
    np.testing.assert_allclose(weights.cells, theirs, rtol=5e-9)
    np.testing.assert_allclose(weights.cells, communes.area / 1e4, rtol=5e-9)

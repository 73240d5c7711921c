"""Points to zones against shapely's `covers`, and against whole numbers where rounding decides."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from conftest import square_communes
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.errors import CrsError
from phusong.orientation import orient
from phusong.point_counts import count_points
from phusong.points import label_zones

CRS = "EPSG:5897"
# Products of smaller numbers would leave double precision; no coordinate of a map comes near.
TINY = 2.0**-100
Points = tuple[np.ndarray, np.ndarray]


def zones_of(shapes: list[shapely.Geometry], codes: list[str] | None = None) -> gpd.GeoDataFrame:
    codes = codes or [f"{i:05d}" for i in range(len(shapes))]
    return gpd.GeoDataFrame({"commune_code": codes}, geometry=shapes, crs=CRS)


def covering(zones: gpd.GeoDataFrame, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, int]:
    """The lowest code's position that covers each point, and how many points several cover."""
    order = zones["commune_code"].argsort(kind="stable").to_numpy()
    covers = shapely.covers(
        zones.geometry.to_numpy()[order][:, None], shapely.points(x, y)[None, :]
    )
    first = np.where(covers.any(axis=0), order[covers.argmax(axis=0)], -1)
    return first, int((covers.sum(axis=0) > 1).sum())


def awkward_points(zones: gpd.GeoDataFrame, cell: float, seed: int) -> Points:
    """Random points, vertices, points on edges and beside them, and corners of the lattice."""
    rng = np.random.default_rng(seed)
    xy = shapely.get_coordinates(zones.geometry.to_numpy())
    west, south, east, north = zones.total_bounds
    middles = (xy[1:] + xy[:-1]) / 2
    crossed = np.array(list(itertools.product(xy[:12, 0], xy[:12, 1])))
    corners = np.array(
        list(itertools.product(west + cell * np.arange(-2, 9), south + cell * np.arange(-2, 9)))
    )
    spread = rng.uniform((west - 1, south - 1), (east + 1, north + 1), (200, 2))
    either = rng.choice([-1.0, 1.0], (1, 2))
    beside = np.nextafter(np.concatenate([xy, middles]), either * 1e9)
    beside = np.where(np.abs(beside) < TINY, either * TINY, beside)
    points = np.concatenate([xy, middles, crossed, corners, spread, beside])
    return points[:, 0].copy(), points[:, 1].copy()


def check(zones: gpd.GeoDataFrame, cell_m: float, seed: int = 0) -> None:
    x, y = awkward_points(zones, cell_m, seed)
    locator = label_zones(zones, cell_m=cell_m)
    first, n_shared = covering(zones, x, y)
    np.testing.assert_array_equal(locator.locate(x, y), first)
    counted = count_points(locator, [{"x": x, "y": y}])
    assert counted.n_shared == n_shared
    assert counted.counts.tolist() == np.bincount(first[first >= 0], minlength=len(zones)).tolist()
    assert counted.n_outside == (first < 0).sum()


COORDINATE = st.one_of(st.integers(0, 12).map(float), st.floats(TINY, 12))
POINT = st.tuples(COORDINATE, COORDINATE)


@settings(max_examples=150)
@given(
    st.lists(st.lists(POINT, min_size=3, max_size=8), min_size=1, max_size=5),
    st.sampled_from([0.5, 1.0, 1.7, 5.0, 100.0]),
    st.integers(0, 1000),
)
def test_random_polygons_on_a_lattice_and_off_it(
    rings: list[list[tuple[float, float]]], cell_m: float, seed: int
) -> None:
    """Integer corners put vertices, edges and lattice lines on top of one another."""
    shapes = [shapely.MultiPoint(ring).convex_hull for ring in rings]
    shapes = [shape for shape in shapes if shape.geom_type == "Polygon" and shape.is_valid]
    if shapes:
        check(zones_of(shapes), cell_m, seed)


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([0.6, 1.0, 3.0]))
def test_stars_with_holes_and_islands(seed: int, cell_m: float) -> None:
    rng = np.random.default_rng(seed)
    shapes = []
    for _ in range(3):
        angle = np.sort(rng.uniform(0, 2 * math.pi, 14))
        radius = rng.uniform(2, 6, 14)
        centre = rng.integers(4, 8, 2)
        outline = centre + np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
        star = shapely.make_valid(shapely.Polygon(outline.round(int(rng.integers(0, 3)))))
        star = star - shapely.box(*(centre - 1), *(centre + 0.5))
        star = shapely.union(star, shapely.box(*(centre - 0.5), *centre))
        parts = [part for part in shapely.get_parts(star) if part.geom_type == "Polygon"]
        whole = shapely.union_all(parts)
        if whole.geom_type in ("Polygon", "MultiPolygon") and whole.is_valid:
            shapes.append(whole)
    if shapes:
        check(zones_of(shapes), cell_m, seed)


def test_vertices_edges_and_holes_belong_to_the_zone_and_the_inside_of_a_hole_does_not() -> None:
    zone = shapely.box(0, 0, 10, 10) - shapely.box(3, 3, 6, 6)
    locator = label_zones(zones_of([zone]), cell_m=1.0)
    x = np.array([0.0, 10, 10, 5, 3, 3, 4.5, 4.5, 3.0001, 10.0001])
    y = np.array([0.0, 10, 4, 0, 3, 5, 3, 4.5, 3.0001, 5.0])
    assert locator.locate(x, y).tolist() == [0, 0, 0, 0, 0, 0, 0, -1, -1, -1]


def test_shared_border_goes_to_the_lowest_code_wherever_it_stands_in_the_layer() -> None:
    squares = [shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)]
    on_border = np.array([1000.0]), np.array([500.0])
    for codes, owner in ((["2", "1"], 1), (["1", "2"], 0)):
        zones = zones_of(squares, codes)
        assert label_zones(zones).locate(*on_border).tolist() == [owner]
        assert count_points(label_zones(zones), [{"x": on_border[0], "y": on_border[1]}]).n_shared


def test_whole_cells_of_overlapping_zones_go_to_the_lowest_code_and_are_reported() -> None:
    big = [shapely.box(0, 0, 5000, 5000), shapely.box(1000, 1000, 9000, 5000),
           shapely.box(2000, 2000, 3000, 3000)]  # fmt: skip
    zones = zones_of(big, ["c", "a", "b"])
    x, y = np.array([500.0, 2500, 4600, 8000]), np.array([500.0, 2500, 4600, 3000])
    counted = count_points(label_zones(zones, cell_m=100), [{"x": x, "y": y}])
    assert counted.counts.tolist() == [1, 3, 0]
    assert counted.n_shared == 2
    check(zones, 100.0)


def test_answer_does_not_depend_on_the_lattice() -> None:
    zones = square_communes(5, 4, side_m=777.7).to_crs("EPSG:4326")
    west, south, east, north = zones.total_bounds
    rng = np.random.default_rng(4)
    x, y = rng.uniform(west, east, 4000), rng.uniform(south, north, 4000)
    answers = [label_zones(zones, cell_m=c).locate(x, y) for c in (20.0, 250.0, 100_000.0)]
    assert np.array_equal(answers[0], covering(zones, x, y)[0])
    assert np.array_equal(answers[1], answers[0])
    assert np.array_equal(answers[2], answers[0])


def test_sums_are_the_same_in_any_order_any_batches_and_any_threads() -> None:
    zones = square_communes(3, 3)
    locator = label_zones(zones)
    rng = np.random.default_rng(11)
    west, south, east, north = zones.total_bounds
    table = pd.DataFrame(
        {"x": rng.uniform(west - 500, east, 9000), "y": rng.uniform(south, north, 9000),
         "mbps": rng.lognormal(3, 2, 9000), "tests": rng.integers(0, 9, 9000)}
    )  # fmt: skip
    table.loc[::7, "mbps"] = np.nan
    table.loc[::100, "x"] = np.nan
    shuffled = table.sample(frac=1, random_state=3)
    cuts = [
        [table],
        [shuffled[:1], shuffled[1:4000], shuffled[4000:4000], shuffled[4000:]],
        pa.Table.from_pandas(shuffled, preserve_index=False).to_batches(max_chunksize=777),
    ]
    found = [
        count_points(locator, batches, values=["mbps", "tests"], threads=threads)
        for batches in cuts
        for threads in (1, 3)
    ]
    at = locator.locate(table["x"].to_numpy(), table["y"].to_numpy())
    placed = table[at >= 0].groupby(at[at >= 0])
    assert found[0].counts.tolist() == placed.size().tolist()
    assert found[0].hundredths["tests"].tolist() == (placed["tests"].sum() * 100).tolist()
    np.testing.assert_allclose(
        found[0].hundredths["mbps"] / 100, placed["mbps"].sum(), atol=0.005 * len(table)
    )
    assert found[0].n_points == len(table)
    assert found[0].n_unplaced == 90
    assert found[0].n_missing == {"mbps": table["mbps"].isna().sum(), "tests": 0}
    assert found[0].n_outside == (at < 0).sum() - 90 > 0
    for other in found[1:]:
        assert other.counts.tolist() == found[0].counts.tolist()
        assert {k: v.tolist() for k, v in other.hundredths.items()} == {
            k: v.tolist() for k, v in found[0].hundredths.items()
        }
        assert (other.n_outside, other.n_unplaced, other.n_missing) == (
            found[0].n_outside, found[0].n_unplaced, found[0].n_missing,
        )  # fmt: skip


def test_points_without_finite_coordinates_are_counted_apart() -> None:
    locator = label_zones(square_communes())
    x = np.array([math.nan, math.inf, 500_001.0, 1e300])
    y = np.array([2_200_001.0, 2_200_001.0, 2_200_001.0, -1e300])
    assert locator.locate(x, y).tolist() == [-1, -1, 0, -1]
    counted = count_points(locator, [{"x": x, "y": y}])
    assert (counted.n_points, counted.n_unplaced, counted.n_outside) == (4, 2, 1)


def test_nothing_to_count_and_nowhere_to_count_it() -> None:
    zones = square_communes()
    counted = count_points(label_zones(zones), [], values=["v"])
    assert counted.counts.tolist() == [0, 0]
    assert counted.hundredths["v"].tolist() == [0, 0]
    one = np.ones(1)
    assert label_zones(zones.iloc[:0]).locate(one, one).tolist() == [-1]
    missing = zones_of([None, shapely.box(0, 0, 2, 2)])
    assert label_zones(missing).locate(one, one).tolist() == [1]


def test_bad_input_is_refused_in_words() -> None:
    zones = square_communes()
    locator = label_zones(zones)
    one = np.ones(1)
    with pytest.raises(CrsError, match="without a CRS"):
        label_zones(zones.set_crs(None, allow_override=True))
    with pytest.raises(ValueError, match="no column 'ma_xa'"):
        label_zones(zones, key="ma_xa")
    with pytest.raises(ValueError, match=r"at \[1\] are no polygons"):
        label_zones(zones_of([shapely.box(0, 0, 1, 1), shapely.Point(0, 0)]))
    with pytest.raises(ValueError, match="too small"):
        label_zones(zones, cell_m=1e-4)
    with pytest.raises(ValueError, match="above 0"):
        label_zones(zones, cell_m=0)
    with pytest.raises(ValueError, match=r"x has shape \(1,\), y \(2,\)"):
        locator.locate(one, np.ones(2))
    with pytest.raises(KeyError, match="mbps"):
        count_points(locator, [{"x": one, "y": one}], values=["mbps"])
    with pytest.raises(ValueError, match="infinite"):
        count_points(locator, [{"x": one, "y": one, "v": np.array([math.inf])}], values=["v"])
    with pytest.raises(ValueError, match="v has shape"):
        count_points(locator, [{"x": one, "y": one, "v": np.ones(2)}], values=["v"])
    with pytest.raises(OverflowError, match="larger units"):
        count_points(locator, [{"x": one, "y": one, "v": np.array([1e17])}], values=["v"])
    many = [{"x": one, "y": one, "v": np.array([1e16])}] * 6
    with pytest.raises(OverflowError, match="leave 64 bits"):
        count_points(locator, many, values=["v"])


def sign(number: float | Fraction) -> int:
    return (number > 0) - (number < 0)


@settings(max_examples=300)
@given(
    st.lists(st.floats(-1e7, 1e7, allow_subnormal=False), min_size=4, max_size=4),
    st.floats(-2, 2),
    st.integers(-2, 2),
    st.integers(-2, 2),
)
def test_orientation_is_that_of_fractions(
    line: list[float], along: float, steps_x: int, steps_y: int
) -> None:
    """The third point lies on the line but for rounding, or a few of the smallest steps off it."""
    ax, ay, bx, by = (round(number, 6) for number in line)
    cx, cy = ax + along * (bx - ax), ay + along * (by - ay)
    cx += steps_x * max(math.ulp(cx), TINY)
    cy += steps_y * max(math.ulp(cy), TINY)
    a_x, a_y, b_x, b_y, c_x, c_y = map(Fraction, (ax, ay, bx, by, cx, cy))
    exact = (b_x - a_x) * (c_y - a_y) - (b_y - a_y) * (c_x - a_x)
    assert sign(orient(ax, ay, bx, by, cx, cy)) == sign(exact)


@pytest.mark.realdata
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:5897"])
def test_all_vietnam_agrees_with_the_tree_of_shapely(shared: Path, crs: str) -> None:
    """Points all over the communes, all near their borders, and vertices of them."""
    communes = gpd.read_parquet(shared / "data/boundaries/vietnam_2025_simplified.parquet")
    communes = communes.to_crs(crs)
    rng = np.random.default_rng(20261124)
    xy = shapely.get_coordinates(communes.geometry.to_numpy())
    some = rng.integers(0, len(xy) - 1, 60_000)
    near = xy[some] + rng.normal(0, 1e-9, (len(some), 2)) * np.abs(xy[some]).max()
    inside = shapely.get_coordinates(
        communes.geometry.sample_points(np.full(len(communes), 20), rng=rng).to_numpy()
    )
    points = np.concatenate([xy[some], (xy[some] + xy[some + 1]) / 2, near, inside])
    in_order = communes.reset_index(drop=True).sort_values("commune_code")
    point, commune = shapely.STRtree(in_order.geometry.to_numpy()).query(
        shapely.points(points), predicate="intersects"
    )
    lowest = pd.Series(commune).groupby(point).min()
    expected = np.full(len(points), -1)
    expected[lowest.index] = in_order.index.to_numpy()[lowest.to_numpy()]
    locator = label_zones(communes)
    np.testing.assert_array_equal(locator.locate(*points.T), expected)
    counted = count_points(locator, [{"x": points[:, 0], "y": points[:, 1]}])
    assert counted.n_shared == (np.bincount(point) > 1).sum() > 10_000

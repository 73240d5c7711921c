"""Points, zones and roads under footprints: cases by hand, laws, and shapely's second opinion."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from conftest import masts
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.errors import CrsError
from phusong.places import count_served, cover_lines, cover_points, serve_places

NAN = math.nan
EAST, NORTH = 500_000.0, 2_200_000.0


def sites(*rows: tuple[float, float, float, float, float], spread: float = 0.0) -> gpd.GeoDataFrame:
    """5G cells from (x, y, radius, azimuth, width), metres from (500000, 2200000)."""
    frame = masts(
        [{"x": EAST + x, "y": NORTH + y, "technology": "5G", "operator": "A", "radius_m": r,
          "radius_low_m": r * (1 - spread), "radius_high_m": r * (1 + spread),
          "azimuth_deg": azimuth, "beamwidth_deg": width} for x, y, r, azimuth, width in rows]
    )  # fmt: skip
    return frame


def layer(*shapes: shapely.Geometry, categories: tuple[str, ...] = ()) -> gpd.GeoDataFrame:
    moved = [shapely.transform(shape, lambda xy: xy + np.array([EAST, NORTH])) for shape in shapes]
    n = len(shapes)
    return gpd.GeoDataFrame(
        {"place_id": [str(i) for i in range(n)], "place_name": [f"Place {i}" for i in range(n)],
         "category": list(categories or ["other"] * n)},
        geometry=moved, crs="EPSG:5897",
    )  # fmt: skip


def points(*xy: tuple[float, float]) -> gpd.GeoDataFrame:
    return layer(*(shapely.Point(p) for p in xy))


@pytest.mark.parametrize(
    ("azimuth", "width", "covered"),
    [(NAN, NAN, [1, 1, 1, 1, 0]), (0.0, 120.0, [1, 0, 0, 1, 0]), (90.0, NAN, [0, 1, 0, 1, 0]),
     (350.0, 30.0, [1, 0, 0, 1, 0]), (0.0, 360.0, [1, 1, 1, 1, 0]), (180.0, 300.0, [0, 1, 1, 1, 0]),
     (0.0, 180.0, [1, 1, 0, 1, 0]), (0.0, 0.0, [0, 0, 0, 0, 0])],
)  # fmt: skip
def test_points_north_east_and_south_of_a_mast(
    azimuth: float, width: float, covered: list[int]
) -> None:
    """500 m north, east, south of it, at its foot, and a metre too far north."""
    where = points((0, 500), (500, 0), (0, -500), (0, 0), (0, 501))
    found = cover_points(where, sites((0, 0, 500, azimuth, width)))
    assert found.astype(int).tolist() == covered


def test_a_polygon_is_its_own_footprint_and_a_missing_point_is_not_covered() -> None:
    claim = sites((0, 0, 1, NAN, NAN)).set_geometry(
        [shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)], crs="EPSG:5897"
    )
    where = points((100, 100), (101, 100), (50, 50))
    where.loc[2, "geometry"] = None
    assert cover_points(where, claim).tolist() == [True, False, False]
    assert not cover_points(where, claim.iloc[:0]).any()


@pytest.mark.parametrize(
    ("rows", "share"),
    [
        (((0, 0, 500, NAN, NAN),), 0.5),
        (((0, 0, 500, NAN, NAN), (200, 0, 400, NAN, NAN)), 0.6),  # 0 to 600 m
        (((0, 0, 500, 0.0, 120.0),), 0.0),  # the road runs east of a sector to the north
        (((500, 300, 500, NAN, NAN),), 0.8),  # 500 ± √(500² - 300²)
        (((500, -100, 2000, 0.0, 90.0),), 0.2),  # sides at 45°: 500 ± 100
        (((500, 100, 2000, 0.0, 270.0),), 0.8),  # all but 500 ± 100
        (((0, 501, 500, NAN, NAN),), 0.0),
    ],
)
def test_share_of_a_road_of_one_kilometre(
    rows: tuple[tuple[float, float, float, float, float], ...], share: float
) -> None:
    whole = layer(shapely.LineString([(0, 0), (1000, 0)]))
    bent = layer(shapely.LineString([(0, 0), (130, 0), (480, 0), (1000, 0)]))
    back = layer(shapely.MultiLineString([[(1000, 0), (600, 0)], [(600, 0), (0, 0)]]))
    for road in (whole, bent, back):
        assert cover_lines(road, sites(*rows)).tolist() == pytest.approx([share], abs=1e-9)


def test_road_through_a_claimed_polygon_and_a_disc_counts_once() -> None:
    mast = sites((0, 0, 500, NAN, NAN), (0, 0, 1, NAN, NAN))
    claim = shapely.box(EAST + 400, NORTH - 10, EAST + 700, NORTH + 10)
    both = mast.set_geometry([mast.geometry.iloc[0], claim], crs="EPSG:5897")
    road = layer(shapely.LineString([(0, 0), (1000, 0)]))
    assert cover_lines(road, both).tolist() == pytest.approx([0.7])
    assert cover_lines(road, both.iloc[:0]).tolist() == [0.0]


cell = st.tuples(
    st.integers(-900, 900), st.integers(-900, 900), st.integers(50, 900),
    st.one_of(st.just(NAN), st.integers(0, 359)), st.integers(20, 350),
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(cell, min_size=1, max_size=6), st.lists(st.tuples(st.integers(-999, 999),
       st.integers(-999, 999)), min_size=2, max_size=4, unique=True))  # fmt: skip
def test_roads_agree_with_many_points_and_more_sites_never_cover_less(
    cells: list[tuple[float, float, float, float, float]], corners: list[tuple[float, float]]
) -> None:
    road = layer(shapely.LineString(corners))
    (share,) = cover_lines(road, sites(*cells))
    (fewer,) = cover_lines(road, sites(*cells[:-1]) if cells[1:] else sites(*cells).iloc[:0])
    assert fewer <= share + 1e-9
    line = road.geometry.iloc[0]
    along = (np.arange(2000) + 0.5) / 2000
    some = gpd.GeoDataFrame(
        geometry=shapely.line_interpolate_point(line, along, normalized=True), crs="EPSG:5897"
    )
    # each end of a covered piece is off by half a step at most
    assert share == pytest.approx(cover_points(some, sites(*cells)).mean(), abs=0.02)


def test_places_are_served_by_their_kind_and_the_unsure_radius_leaves_them_unknown() -> None:
    """Cells of 500 m ± 20 %: a school at 450 m, one at 390 m, one at 700 m; a zone, a road."""
    places = layer(
        shapely.Point(450, 0), shapely.Point(390, 0), shapely.Point(700, 0),
        shapely.box(-100, -100, 100, 100), shapely.LineString([(0, 0), (0, 1000)]),
        categories=("school", "school", "school", "priority_zone", "road"),
    )  # fmt: skip
    served = serve_places(
        places, sites((0, 0, 500, NAN, NAN), spread=0.2), services={"4g": ["4G"], "5g": ["5G"]},
        served_share=0.95,
    )  # fmt: skip
    table = served[served["service"] == "5g"].reset_index(drop=True)
    assert table["verdict"].tolist() == ["unknown", "served", "not_served", "served", "not_served"]
    np.testing.assert_allclose(
        table[["share_low", "share", "share_high"]],
        [[0, 1, 1], [1, 1, 1], [0, 0, 0], [1, 1, 1], [0.4, 0.5, 0.6]],
        atol=1e-9,
    )
    assert table["unit"].tolist() == ["points"] * 3 + ["km2", "km"]
    np.testing.assert_allclose(table["extent"], [1, 1, 1, 0.04, 1])
    assert (served.loc[served["service"] == "4g", "share_high"] == 0).all()
    counts = count_served(served).set_index(["service", "category"])
    schools = counts.loc[("5g", "school")]
    assert schools[["n_served", "n_not_served", "n_unknown"]].tolist() == [1, 1, 1]
    assert schools[["share_low", "share_high"]].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert counts.loc[("5g", "road"), "extent_covered"] == pytest.approx(0.5)
    kinds = counts[["n_served", "n_not_served", "n_unknown"]].sum(axis=1)
    assert (kinds == counts["n_places"]).all()


def test_zone_has_the_exact_share_of_its_area() -> None:
    """A disc of 100 m in a zone of 400 × 400 m."""
    zone = layer(shapely.box(-200, -200, 200, 200), categories=("priority_zone",))
    found = serve_places(
        zone, sites((0, 0, 100, NAN, NAN)), services={"5g": ["5G"]}, served_share=0.95
    )
    assert found["share"].tolist() == pytest.approx([math.pi / 16], abs=1e-9)


def test_no_places_are_an_empty_table_and_degrees_are_refused() -> None:
    none = serve_places(
        points((0, 0)).iloc[:0], sites((0, 0, 9, NAN, NAN)), services={"5g": ["5G"]},
        served_share=0.95,
    )  # fmt: skip
    assert none.empty
    with pytest.raises(CrsError, match="metric CRS"):
        cover_points(points((0, 0)).to_crs(4326), sites((0, 0, 9, NAN, NAN)))

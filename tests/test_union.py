"""The exact union of discs and sectors: hand cases, lattices, and fine polygons as the judge."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phusong.grid import Grid
from phusong.union.cells import cover_cells
from phusong.union.exposed import find_exposed
from phusong.union.near import make_buckets
from phusong.union.polygons import cut_zones
from phusong.union.roses import make_roses
from phusong.union.zones import cover_areas, make_zones

DISC = math.nan
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Sector = tuple[float, float, float, float, float, int]  # x, y, radius, azimuth, beamwidth, operator
SQUARE = shapely.box(0, 0, 4000, 4000)
TILES = [shapely.box(x, y, x + 1000, y + 1000)
         for x, y in itertools.product(range(0, 4000, 1000), repeat=2)]  # fmt: skip


def areas(
    zones: Sequence[shapely.Geometry],
    sectors: Sequence[Sector],
    n_operators: int = 1,
    masks: np.ndarray | None = None,
) -> np.ndarray:
    """Covered m² by zone: any operator, two or more, each."""
    x, y, radius, azimuth, width, operator = np.array(sectors, float).T
    roses = make_roses(x, y, radius, azimuth, width, operator.astype(int))
    buckets = make_buckets(roses.roses)
    exposed = find_exposed(roses, buckets, n_operators)
    edges = make_zones(np.array(zones), (0.0, 0.0), masks)
    return cover_areas(edges, roses, buckets, exposed, n_operators)


def outline(sector: Sector, n_edges: int = 1024) -> shapely.Polygon:
    """A sector as a polygon of its area."""
    x, y, radius, azimuth, width, _ = sector
    if math.isnan(azimuth) or width >= 360:
        azimuth, width = 0.0, 360.0
    if width < 1e-6:
        return shapely.Polygon()
    angle = np.radians(90 - azimuth + np.linspace(-width / 2, width / 2, n_edges + 1))
    step = math.radians(width) / n_edges
    reach = radius * math.sqrt(step / math.sin(step))
    arc = np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)])
    return shapely.Polygon(arc[:-1] if width >= 360 else np.vstack([[x, y], arc]))


def layers(sectors: Sequence[Sector], n_operators: int) -> list[shapely.Geometry]:
    """The unions as polygons, in the order of `areas`."""
    of = [shapely.union_all([outline(s) for s in sectors if s[5] == o]) for o in range(n_operators)]
    pairs = [shapely.intersection(a, b) for a, b in itertools.combinations(of, 2)]
    return [shapely.union_all(of), shapely.union_all(pairs), *of]


def polygon_areas(
    zones: Sequence[shapely.Geometry], sectors: Sequence[Sector], n_operators: int = 1
) -> np.ndarray:
    return np.array(
        [[shapely.area(shapely.intersection(zone, layer)) for layer in layers(sectors, n_operators)]
         for zone in zones]
    )  # fmt: skip


def lens(radius: float, distance: float) -> float:
    """Area that two discs of one radius share (MathWorld, Circle-Circle Intersection)."""
    half = distance / 2
    return 2 * radius**2 * math.acos(half / radius) - half * math.sqrt(4 * radius**2 - distance**2)


FULL = math.pi * 500**2
HAND = {
    "one disc in a square": ([(2000, 2000, 500, DISC, 0, 0)], FULL),
    "nested discs": ([(2000, 2000, 500, DISC, 0, 0), (2100, 2000, 300, DISC, 0, 0)], FULL),
    "nested and tangent from inside": (
        [(2000, 2000, 500, DISC, 0, 0), (2250, 2000, 250, DISC, 0, 0)], FULL),
    "the same disc three times": ([(2000, 2000, 500, DISC, 0, 0)] * 3, FULL),
    "tangent from outside": (
        [(1500, 2000, 500, DISC, 0, 0), (2500, 2000, 500, DISC, 0, 0)], 2 * FULL),
    "two that share a lens": (
        [(1700, 2000, 500, DISC, 0, 0), (2300, 2000, 500, DISC, 0, 0)],
        2 * FULL - lens(500, 600)),
    "three in a row, two lenses": (
        [(x, 2000, 500, DISC, 0, 0) for x in (1400, 2000, 2600)], 3 * FULL - 2 * lens(500, 600)),
    "through a corner": ([(0, 0, 500, DISC, 0, 0)], FULL / 4),
    "on an edge": ([(2000, 0, 500, DISC, 0, 0)], FULL / 2),
    "tangent to all four edges": ([(2000, 2000, 2000, DISC, 0, 0)], 16 * FULL),
    "through all four corners": ([(2000, 2000, math.sqrt(8e6), DISC, 0, 0)], 16e6),
    "over the whole square": ([(2000, 2000, 9000, DISC, 0, 0)], 16e6),
    "sector of 0°": ([(2000, 2000, 500, 30, 0, 0)], 0.0),
    "sector of 180° along an edge": ([(2000, 0, 500, 0, 180, 0)], FULL / 2),
    "sector of 180° beyond an edge": ([(2000, 0, 500, 180, 180, 0)], 0.0),
    "sector of 360°": ([(2000, 2000, 500, 77, 360, 0)], FULL),
    "three sectors of 120°": (
        [(2000, 2000, 500, a, 120, 0) for a in (10, 130, 250)], FULL),
    "sectors of three radii whose sides touch": (
        [(2000, 2000, r, a, 120, 0) for r, a in ((500, 0), (250, 120), (1000, 240))],
        FULL * (1 + 0.25 + 4) / 3),
    "half discs back to back on one line": (
        [(2000, 2000, 500, 0, 180, 0), (2200, 2000, 500, 180, 180, 0)], FULL),
    "quarters of two masts with sides on one line": (
        [(2000, 2000, 500, 45, 90, 0), (2000, 2300, 500, 45, 90, 0)], None),
}  # fmt: skip


@pytest.mark.parametrize("name", HAND)
def test_area_of_hand_cases(name: str) -> None:
    sectors, expected = HAND[name]
    if expected is None:
        expected = polygon_areas([SQUARE], sectors)[0, 0]
        assert areas([SQUARE], sectors)[0, 0] == pytest.approx(expected, rel=1e-6)
    else:
        assert areas([SQUARE], sectors)[0, 0] == pytest.approx(expected, rel=1e-12, abs=1e-6)
    assert areas(TILES, sectors)[:, 0].sum() == pytest.approx(expected, rel=1e-6, abs=1e-3)


def test_disc_over_a_hole_covers_what_is_left() -> None:
    holed = SQUARE - shapely.box(1800, 1800, 2200, 2200)
    found = areas([holed], [(2000, 2000, 500, DISC, 0, 0)])
    assert found[0, 0] == pytest.approx(FULL - 400**2, rel=1e-12)


def test_vertex_on_an_arc_is_counted_once() -> None:
    """3, 4, 5: the corner of the triangle lies on the circle to the last digit."""
    triangle = shapely.Polygon([(300, 400), (900, 400), (300, 1000)])
    found = areas([triangle], [(0, 0, 500, DISC, 0, 0)])
    assert found[0, 0] == pytest.approx(0.0, abs=1e-6)
    within = shapely.Polygon([(0, 0), (300, 400), (-300, 400)])
    assert areas([within], [(0, 0, 500, DISC, 0, 0)])[0, 0] == pytest.approx(120_000, rel=1e-12)


@FUZZ
@given(st.floats(0, 360), st.floats(10, 170), st.sampled_from([-3e-8, 0.0, 3e-8]), st.booleans())
def test_border_along_a_side_in_any_direction_parts_the_sector(
    azimuth: float, width: float, off: float, is_first: bool
) -> None:
    """Rounding puts a border drawn along a side on either side of it, all the same."""
    sector = (2000.0, 2000.0, 500.0, azimuth, width, 0)
    turn = math.radians(90 - azimuth + (-width / 2 if is_first else width / 2))
    along, left = np.array([math.cos(turn), math.sin(turn)]), [-math.sin(turn), math.cos(turn)]
    line = [2000 + t * along + off * np.array(left) for t in (-900.0, 130.0, 900.0)]
    sides = [shapely.Polygon([*line, line[2] + 900 * h, line[0] + 900 * h])
             for h in (np.array(left), -np.array(left))]  # fmt: skip
    expected = [FULL * width / 360, 0.0] if is_first else [0.0, FULL * width / 360]
    np.testing.assert_allclose(areas(sides, [sector])[:, 0], expected, atol=1e-2)


@pytest.mark.parametrize(
    "scale", [100.0, 135.74016105590127, 269.22423425645235, 88727.89982701627]
)
def test_circle_through_the_mast_of_another_sector(scale: float) -> None:
    """All rays begin on the circle: where it comes in is where none of them is met for certain."""
    for one, other in [
        ((2.5, 4.5, math.sqrt(5), 345, 60, 0), (4.5, 4.5, 2, 315, 240, 1)),
        ((5.5, 4.5, 0.25, 30, 240, 0), (5.5, 2.5, 2, 15, 240, 1)),
        ((2.5, 3.5, math.sqrt(2), 240, 60, 0), (2.5, 2.5, 1, 330, 240, 1)),
    ]:
        sectors = [(x * scale, y * scale, r * scale, a, w, o) for x, y, r, a, w, o in (one, other)]
        square = shapely.box(0, 0, 8 * scale, 8 * scale)
        found, expected = areas([square], sectors, 2), polygon_areas([square], sectors, 2)
        np.testing.assert_allclose(found / scale**2, expected / scale**2, atol=1e-5)


def test_two_operators_on_one_mast_share_the_smaller_footprint() -> None:
    sectors = [(2000, 2000, 500, 0, 120, 0), (2000, 2000, 300, 0, 120, 1)]
    found = areas([SQUARE], sectors, 2)[0]
    np.testing.assert_allclose(found, np.pi / 3 * np.array([500, 300, 500, 300]) ** 2, rtol=1e-12)


def test_equal_footprints_of_two_operators_are_two_everywhere() -> None:
    sectors = [(2000, 2000, 500, 70, 65, o) for o in (0, 1, 2)]
    found = areas([SQUARE], sectors, 3)[0]
    np.testing.assert_allclose(found, FULL * 65 / 360, rtol=1e-12)


def test_operator_that_covers_a_piece_anyway_leaves_the_others_the_rest() -> None:
    disc = [(2000, 2000, 500, DISC, 0, 1)]
    found = areas([SQUARE], disc, 2, np.array([1], "u8"))[0]
    np.testing.assert_allclose(found, [16e6, FULL, 16e6, FULL], rtol=1e-12)


def test_zones_are_cut_by_polygons_without_loss() -> None:
    polygons = np.array([shapely.box(-10, -10, 2000, 3000), shapely.box(1000, 500, 9000, 900)])
    pieces, zone, mask = cut_zones(np.array(TILES), polygons, np.array([0, 1]))
    whole = np.bincount(zone, shapely.area(pieces), len(TILES))
    np.testing.assert_allclose(whole, shapely.area(np.array(TILES)), rtol=1e-12)
    assert shapely.area(pieces)[mask == 3].sum() == pytest.approx(1000 * 400)


LATTICE = st.tuples(
    st.integers(0, 8).map(lambda i: 500.0 * i),
    st.integers(0, 8).map(lambda i: 500.0 * i),
    st.sampled_from([250.0, 500.0, 1000.0, 500 * math.sqrt(2), 500 * math.sqrt(5)]),
    st.sampled_from([DISC, 0.0, 30.0, 45.0, 60.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0]),
    st.sampled_from([0.0, 30.0, 60.0, 90.0, 120.0, 180.0, 270.0, 360.0]),
    st.integers(0, 2),
)
ANYWHERE = st.tuples(
    st.floats(-500, 4500), st.floats(-500, 4500), st.floats(1, 1500),
    st.one_of(st.just(DISC), st.floats(0, 360)), st.floats(0, 360), st.integers(0, 2),
)  # fmt: skip
ZONES = [*TILES, shapely.Polygon([(0, 0), (4000, 0), (4000, 4000)]),
         SQUARE - shapely.box(1000, 1000, 3000, 3000)]  # fmt: skip


@FUZZ
@given(st.lists(LATTICE, min_size=1, max_size=12))
def test_lattices_agree_with_fine_polygons_and_add_up(sectors: list[Sector]) -> None:
    found = areas(ZONES, sectors, 3)
    np.testing.assert_allclose(found, polygon_areas(ZONES, sectors, 3), atol=3.0)  # of 1 km²
    parts, whole = areas(TILES, sectors, 3).sum(axis=0), areas([SQUARE], sectors, 3)[0]
    np.testing.assert_allclose(parts, whole, rtol=1e-8, atol=1e-2)


@FUZZ
@given(st.lists(ANYWHERE, min_size=1, max_size=12))
def test_random_unions_agree_with_fine_polygons_and_add_up(sectors: list[Sector]) -> None:
    found = areas(ZONES, sectors, 3)
    np.testing.assert_allclose(found, polygon_areas(ZONES, sectors, 3), atol=3.0)
    parts, whole = areas(TILES, sectors, 3).sum(axis=0), areas([SQUARE], sectors, 3)[0]
    np.testing.assert_allclose(parts, whole, rtol=1e-8, atol=1e-2)


@FUZZ
@given(st.lists(ANYWHERE, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_order_of_rows_changes_no_bit(sectors: list[Sector], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = sectors * 2
    random.shuffle(shuffled)
    assert (areas(ZONES, shuffled, 3) == areas(ZONES, sectors, 3)).all()


@pytest.mark.parametrize("n_edges", [512])
def test_relative_error_is_below_1e_9_of_extrapolated_polygons(n_edges: int) -> None:
    """Polygons inside the circles err by a power series in 1/n²: two of them give the limit."""
    rng = np.random.default_rng(4)
    xy, radius = rng.uniform(0, 4000, (25, 2)), rng.uniform(200, 900, 25)
    sectors = [(x, y, r, DISC, 0, 0) for (x, y), r in zip(xy, radius, strict=True)]

    def inscribed(n: int) -> float:
        turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
        discs = [shapely.Polygon(np.column_stack([x + r * np.cos(turn), y + r * np.sin(turn)]))
                 for x, y, r, *_ in sectors]  # fmt: skip
        return float(shapely.area(shapely.intersection(SQUARE, shapely.union_all(discs))))

    coarse, fine = inscribed(8 * n_edges), inscribed(16 * n_edges)
    limit = fine + (fine - coarse) / 3
    assert areas([SQUARE], sectors)[0, 0] == pytest.approx(limit, rel=1e-9)


@FUZZ
@given(st.lists(st.one_of(LATTICE, ANYWHERE), min_size=1, max_size=6))
def test_cells_hold_the_share_that_polygons_cover(sectors: list[Sector]) -> None:
    grid = Grid(crs="EPSG:5897", x_min=0, y_max=4000, cell_m=250, shape=(16, 16))
    x, y, radius, azimuth, width, operator = np.array(sectors, float).T
    roses = make_roses(x, y, radius, azimuth, width, operator.astype(int))
    parts, _ = find_exposed(roses, make_buckets(roses.roses), 3)
    boxes = np.array([[shapely.box(c * 250, 3750 - r * 250, c * 250 + 250, 4000 - r * 250)
                       for c in range(16)] for r in range(16)])  # fmt: skip
    for layer, union in zip(
        cover_cells(roses, parts, (0.0, 0.0), grid, 3), layers(sectors, 3), strict=True
    ):
        share = np.zeros(grid.shape)
        for row, _, first, last in layer.runs:
            share[row, first:last] += 1
        np.add.at(share, (layer.borders[:, 0], layer.borders[:, 2]), layer.fractions)
        exact = shapely.area(shapely.intersection(boxes, union)) / 250**2
        np.testing.assert_allclose(share, exact, atol=1e-4)

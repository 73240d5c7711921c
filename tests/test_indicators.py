"""From cells to communes to the province: hand-computed cases and laws."""

from __future__ import annotations

import math
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from conftest import even_population, masts, square_communes
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.errors import SchemaError
from phusong.grid import Grid
from phusong.indicators import (
    COLUMNS,
    SERVICES,
    ProvinceCoverage,
    measure_coverage,
    tidy_tiers,
)
from phusong.study import assess
from phusong.zonal import overlap_zones

DAY = date(2026, 6, 30)


def five_g(x: float = 501_000, y: float = 2_201_000, **fields: object) -> dict[str, object]:
    base = {"x": x, "y": y, "radius_m": 500.0, "operator": "A", "technology": "5G"}
    return base | fields


def share(table: pd.DataFrame, code: str, column: str) -> float:
    return float(table.set_index("commune_code").loc[code, column])


def test_disc_in_one_commune_gives_its_share_of_area_and_people() -> None:
    found = assess(
        square_communes(), sites=masts([five_g()]), as_of=DAY, population=even_population()
    )
    expected = math.pi * 0.5**2 / 4
    assert share(found.communes, "00001", "share_area_5g") == pytest.approx(expected, abs=1e-3)
    assert share(found.communes, "00001", "share_population_5g") == pytest.approx(
        expected, abs=1e-3
    )
    assert share(found.communes, "00002", "share_area_5g") == 0
    whole = found.provinces.query(
        "province_code == '' and indicator == 'share_population' and service == '5g' "
        "and operator == 'any' and share_of == 'people'"
    )
    assert whole["share"].item() == pytest.approx(expected * 1000 / 3000, abs=1e-3)


def test_given_radius_has_no_interval_and_default_radius_has_one() -> None:
    rows = [five_g(), five_g(x=503_300, radius_m=math.nan, frequency_mhz=3500.0)]
    table = assess(square_communes(), sites=masts(rows), as_of=DAY).communes
    assert math.isnan(share(table, "00001", "share_area_5g_low"))
    assert math.isnan(share(table, "00001", "share_area_5g_high"))
    low, middle, high = (
        share(table, "00002", f"share_area_5g{end}") for end in ("_low", "", "_high")
    )
    assert low == pytest.approx(math.pi * 0.133**2 / 4, rel=0.02)
    assert middle == pytest.approx(math.pi * 0.333**2 / 4, rel=0.02)
    assert low < middle < high < 1


def test_without_population_shares_of_people_are_unknown_within_bounds() -> None:
    table = assess(square_communes(), sites=masts([five_g()]), as_of=DAY).communes
    bounds = [[share(table, code, f"share_population_5g{end}") for end in ("", "_low", "_high")]
              for code in ("00001", "00002")]  # fmt: skip
    np.testing.assert_equal(bounds, [[math.nan, 0.0, 1.0], [math.nan, 0.0, 0.0]])


def test_sites_that_are_planned_retired_or_later_do_not_cover() -> None:
    off = [five_g(status="planned"), five_g(status="retired"),
           five_g(on_air_date=pd.Timestamp("2026-07-01"))]  # fmt: skip
    sites = masts([*off, five_g(x=503_000, status="on_air")])
    found = assess(square_communes(), sites=sites, as_of=DAY)
    assert share(found.communes, "00001", "share_area_5g") == 0
    assert share(found.communes, "00002", "share_area_5g") > 0.1
    assert "1 planned, 1 retired, 1 on air only after the date" in " ".join(found.about.notes)


def test_site_beyond_the_border_covers_what_it_reaches() -> None:
    communes = square_communes().assign(province_code=["38", "40"])
    found = assess(communes, sites=masts([five_g(x=502_000)]), as_of=DAY).communes
    assert share(found, "00001", "share_area_5g") == pytest.approx(math.pi / 32, abs=2e-3)
    assert share(found, "00002", "share_area_5g") == pytest.approx(math.pi / 32, abs=2e-3)


def test_wrong_sites_are_all_named_in_one_error() -> None:
    sites = masts([five_g(azimuth_deg=400.0), five_g(technology="6G"), five_g(operator=" ")])
    with pytest.raises(SchemaError) as error:
        assess(square_communes(), sites=sites, as_of=DAY)
    assert [(p.row, p.field) for p in error.value.problems] == [
        (3, "operator"), (2, "technology"), (1, "azimuth_deg"),
    ]  # fmt: skip


# Two communes of 1 km², one with a number of its people; two sites, in the first one.
PAIR = gpd.GeoDataFrame(
    {"commune_code": ["1", "2"], "vintage": ["2025", "before-2025"], "polygon_km2": [1.0, 1.1],
     "population": pd.array([800, None], dtype="Int64")},
    geometry=[shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)], crs="EPSG:5897",
)  # fmt: skip
FINE = Grid(crs="EPSG:5897", x_min=0, y_max=1000, cell_m=100, shape=(10, 20))
WEST, MIDDLE = shapely.box(0, 0, 500, 1000), shapely.box(250, 0, 750, 1000)
CENTRE = shapely.Point(500, 500)


def footprints(*sites: tuple[str, str, shapely.Geometry]) -> gpd.GeoDataFrame:
    """Operator, technology and shape; a point has a radius of 200 m by default, 100 to 400."""
    operator, technology, shapes = zip(*sites, strict=True)
    layer = gpd.GeoDataFrame(
        {"operator": operator, "technology": technology, "radius_low_m": 100.0,
         "radius_m": 200.0, "radius_high_m": 400.0},
        geometry=list(shapes), crs="EPSG:5897",
    )  # fmt: skip
    return layer.assign(is_default_radius=layer.geom_type == "Point")


def measured(
    sites: gpd.GeoDataFrame, communes: gpd.GeoDataFrame = PAIR, **asked: object
) -> ProvinceCoverage:
    usual = {"services": {"5g": ["5G"]}, "operators": ["A", "B"], "as_of": DAY}
    return measure_coverage(communes, sites, overlap_zones(PAIR, FINE), **(usual | asked))


def persons(values: np.ndarray) -> dict[str, object]:
    return {"persons": FINE.to_array(values, unit="persons"), "placing": "raster"}


def row_of(found: ProvinceCoverage, code: str, indicator: str, operator: str) -> pd.Series:
    rows = found.indicators.query(
        "commune_code == @code and indicator == @indicator and operator == @operator"
    )
    assert len(rows) == 1
    return rows.iloc[0]


def triple(row: pd.Series) -> list[float]:
    return row[["share_low", "share", "share_high"]].astype(float).tolist()


def near(*values: float) -> object:
    return pytest.approx(values, nan_ok=True, rel=1e-6)


def test_every_technology_counts_for_its_services() -> None:
    counts_for = {
        "2G": {"2g"}, "3G": {"3g"}, "4G": {"4g", "mbb"}, "5G": {"5g", "mbb"},
        "5G NSA": {"5g", "5g_nsa", "mbb"}, "5G SA": {"5g", "5g_sa", "mbb"},
    }  # fmt: skip
    for technology, services in counts_for.items():
        tidy = measured(footprints(("A", technology, WEST)), services=SERVICES).indicators
        assert set(tidy["service"]) == set().union(*counts_for.values())
        assert set(tidy[tidy["share"] > 0]["service"]) == services


def test_rows_of_declared_footprints_are_complete() -> None:
    found = measured(footprints(("A", "5G", WEST), ("B", "5G", MIDDLE)))
    tidy = found.indicators
    assert tuple(tidy.columns) == COLUMNS
    assert tidy.index.tolist() == list(range(2 * 2 * 4))  # indicators, communes, operators and both
    area = tidy[tidy["indicator"] == "share_area"].set_index(["commune_code", "operator"])
    assert area.loc["1", "share"].to_dict() == near_dict(any=0.75, two_or_more=0.25, A=0.5, B=0.5)
    assert (area.loc["2", "share"] == 0).all()
    assert area[["share_low", "share_high"]].isna().to_numpy().all()
    assert set(area["evidence"]) == {"declared"}
    assert area["denominator"].tolist() == [1.0] * 4 + [1.1] * 4
    assert set(area["unit"]) == {"km2"}
    assert tidy["vintage"].tolist() == (["2025"] * 4 + ["before-2025"] * 4) * 2
    assert set(tidy["as_of"]) == {pd.Timestamp("2026-06-30")}
    people = tidy[tidy["indicator"] == "share_population"].set_index(["commune_code", "operator"])
    assert set(people["unit"]) == {"persons"}
    np.testing.assert_equal(people["denominator"].to_numpy(), [800.0] * 4 + [np.nan] * 4)
    assert found.persons.index.tolist() == ["1", "2"]
    assert found.persons.isna().all()


def near_dict(**values: float) -> object:
    return pytest.approx(values, rel=1e-6)


def test_default_radius_gives_bounds_where_it_reaches_and_to_what_it_touches() -> None:
    """A: a circle of 100 to 400 m in the first commune, half of the second by polygon; B: both."""
    whole, east = shapely.box(0, 0, 2000, 1000), shapely.box(1000, 0, 1500, 1000)
    sites = footprints(("A", "5G", CENTRE), ("A", "5G", east), ("B", "5G", whole))
    found = measured(sites, **persons(FIVE))
    disc = [math.pi * r**2 / 1e6 for r in (100, 200, 400)]
    for indicator in ("share_area", "share_population"):
        assert triple(row_of(found, "1", indicator, "A")) == near(*disc)
        assert triple(row_of(found, "1", indicator, "any")) == near(1.0, 1.0, 1.0)
        assert triple(row_of(found, "1", indicator, "two_or_more")) == near(*disc)
        assert triple(row_of(found, "1", indicator, "B")) == near(math.nan, 1.0, math.nan)
        for operator, share in (("A", 0.5), ("any", 1.0), ("two_or_more", 0.5), ("B", 1.0)):
            row = row_of(found, "2", indicator, operator)
            assert triple(row) == near(math.nan, share, math.nan)
            assert row["evidence"] == ("declared" if operator == "B" else "modelled")


def test_circle_that_may_reach_a_sliver_of_a_commune_gives_it_bounds() -> None:
    """With 400 m it goes 2 m beyond: a segment of r² acos(398/400) - 398 √(400² - 398²)."""
    mast, east = shapely.Point(602, 500), shapely.box(1000, 0, 2000, 1000)
    found = measured(footprints(("A", "5G", mast), ("B", "5G", east)))
    segment_m2 = 400**2 * math.acos(398 / 400) - 398 * math.sqrt(400**2 - 398**2)
    assert segment_m2 < 0.5 * FINE.cell_m**2
    for operator in ("A", "two_or_more"):
        row = row_of(found, "2", "share_area", operator)
        assert triple(row) == near(0.0, 0.0, segment_m2 / 1e6)
    alone = row_of(measured(footprints(("A", "5G", mast))), "1", "share_area", "two_or_more")
    assert triple(alone) == near(math.nan, 0.0, math.nan)  # there is no second one to reach
    assert alone["evidence"] == "declared"


FIVE = np.full(FINE.shape, 5.0)


def test_denominator_is_the_registers_or_the_rasters_people() -> None:
    everywhere = measured(footprints(("A", "5G", WEST)), **persons(FIVE))
    assert everywhere.persons.tolist() == [500.0, 500.0]
    tidy = everywhere.indicators.query("indicator == 'share_population'")
    assert tidy["denominator"].tolist() == [800.0] * 4 + [500.0] * 4
    assert set(tidy["evidence"]) == {"declared"}
    nobody = measured(footprints(("A", "5G", WEST)), **persons(0.0 * FIVE))
    tidy = nobody.indicators.query("indicator == 'share_population'")
    np.testing.assert_equal(tidy["denominator"].to_numpy(), [800.0] * 4 + [np.nan] * 4)
    assert tidy["share"].isna().all()


def test_people_are_counted_where_they_live() -> None:
    """All 100 people of the first commune in its cell (0, 2): 250 to 750 has half of it."""
    values = np.zeros(FINE.shape)
    values[0, 2] = 100.0
    found = measured(footprints(("A", "5G", WEST), ("B", "5G", MIDDLE)), **persons(values))
    for operator, share in (("any", 1.0), ("two_or_more", 0.5), ("A", 1.0), ("B", 0.5)):
        row = row_of(found, "1", "share_population", operator)
        assert triple(row) == near(math.nan, share, math.nan)
    # nobody known in the second: its bounds are those of the area, where nothing is covered
    assert triple(row_of(found, "2", "share_population", "any")) == near(0.0, math.nan, 0.0)


@pytest.mark.parametrize("placing", ["areas", "even"])
def test_people_of_whole_areas_keep_the_bounds_of_the_area(placing: str) -> None:
    """The first commune is covered by half, the second wholly, by A; by B nowhere."""
    sites = footprints(("A", "5G", shapely.box(500, 0, 2000, 1000)))
    uneven = np.where(np.arange(20) < 8, 1.0, 9.0) * np.ones(FINE.shape)
    asked = persons(uneven) | {"placing": placing}
    found = measured(sites, **asked)
    # 80 persons on 80 cells, 180 on 20: 50 cells of the east hold 30 + 180 of 260
    by_person = {"areas": 210 / 260, "even": 0.5}[placing]
    second = {"areas": 1.0, "even": math.nan}[placing]  # its number is not known
    for operator in ("A", "any"):
        first = row_of(found, "1", "share_population", operator)
        assert triple(first) == near(0.0, by_person, 1.0)
        assert first["evidence"] == "modelled"
        whole = row_of(found, "2", "share_population", operator)
        assert triple(whole) == near(1.0, second, 1.0)
    assert triple(row_of(found, "1", "share_population", "B")) == near(0.0, 0.0, 0.0)
    assert row_of(found, "1", "share_area", "A")["evidence"] == "declared"


def test_one_person_is_a_share_and_nobody_is_none() -> None:
    sites, few = footprints(("A", "5G", WEST)), persons(0.001 * FIVE)
    even = measured(sites, PAIR.assign(population=[1.0, 0.0]), **(few | {"placing": "even"}))
    assert row_of(even, "1", "share_population", "A")["share"] == pytest.approx(0.5)
    assert math.isnan(row_of(even, "2", "share_population", "A")["share"])
    unknown = row_of(measured(sites, **few), "2", "share_population", "A")
    assert unknown["denominator"] == pytest.approx(0.5)  # of a person, in a hundred cells
    assert unknown["share"] == 0.0


def test_bounds_of_the_area_count_with_the_low_and_the_high_radius() -> None:
    """A circle of 1,000 m and more around the centre holds all of the commune, one of 600 not."""
    sites = footprints(("A", "5G", CENTRE)).assign(radius_high_m=1000.0, radius_m=600.0)
    found = measured(sites)
    assert triple(row_of(found, "1", "share_population", "A")) == near(0.0, math.nan, 1.0)
    sites = sites.assign(radius_low_m=900.0)
    assert triple(row_of(measured(sites), "1", "share_population", "A")) == near(1.0, math.nan, 1.0)


def test_cells_are_those_of_the_services_asked_for() -> None:
    sites = footprints(("A", "5G", WEST), ("A", "4G", MIDDLE))
    services = {"4g": ["4G"], "5g": ["5G"]}
    both = measured(sites, services=services).cell_shares
    assert both["service"].to_numpy().tolist() == ["4g", "5g"]
    assert both.sum(["y", "x"]).to_numpy().tolist() == [50.0, 50.0]
    one = measured(sites, services=services, keep=["5g"]).cell_shares
    assert one[0].to_numpy().tolist() == [[1.0] * 5 + [0.0] * 15] * 10


def test_tiers_are_rows_with_what_is_not_known_between_no_and_yes() -> None:
    bounds = {
        "b0": pd.DataFrame({"low": [1.0, 0.0], "high": [1.0, 1.0]}, index=["2", "1"]),
        "b3": pd.DataFrame({"share": [0.4], "low": [0.3], "high": [0.6]}, index=["1"]),
    }
    tidy = tidy_tiers(bounds, PAIR, as_of=DAY)
    assert tuple(tidy.columns) == COLUMNS
    nan = math.nan
    expected = [
        ("1", "2025", "b0", nan, 0.0, 1.0, 800.0), ("2", "before-2025", "b0", 1.0, 1.0, 1.0, nan),
        ("1", "2025", "b3", 0.4, 0.3, 0.6, 800.0), ("2", "before-2025", "b3", nan, 0.0, 1.0, nan),
    ]  # fmt: skip
    columns = ["commune_code", "vintage", "indicator", "share", "share_low", "share_high",
               "denominator"]  # fmt: skip
    pd.testing.assert_frame_equal(tidy[columns], pd.DataFrame(expected, columns=columns))
    assert tidy.index.tolist() == [0, 1, 2, 3]
    usual = {"service": "broadband", "operator": "any", "evidence": "declared",
             "as_of": pd.Timestamp(DAY), "unit": "persons"}  # fmt: skip
    for column, value in usual.items():
        assert set(tidy[column]) == {value}


SITE = st.fixed_dictionaries(
    {
        "x": st.floats(499_000, 505_000),
        "y": st.floats(2_199_000, 2_203_000),
        "radius_m": st.one_of(st.just(math.nan), st.floats(50, 1500)),
        "operator": st.sampled_from(["A", "B", "C"]),
        "technology": st.sampled_from(["2G", "4G", "5G", "5G SA"]),
    }
)


@settings(max_examples=12, deadline=None)
@given(st.lists(SITE, min_size=1, max_size=6))
def test_laws_of_shares(rows: list[dict[str, object]]) -> None:
    communes, sites, people = square_communes(2, 2), masts(rows), even_population()
    found = assess(communes, sites=sites, as_of=DAY, population=people)
    tidy = found.indicators
    assert tidy["share"].between(0, 1).all()
    known = tidy.dropna(subset=["share_low"])
    assert (known["share_low"] <= known["share"] + 1e-9).all()
    assert (known["share"] <= known["share_high"] + 1e-9).all()
    keys = ["commune_code", "indicator", "service"]
    by_operator = tidy.pivot(index=keys, columns="operator", values="share")  # noqa: PD010
    assert (by_operator["two_or_more"] <= by_operator["any"] + 1e-12).all()
    area = tidy.query("indicator == 'share_area' and operator == 'any'")
    total = (area["share"] * area["denominator"]).groupby(area["service"]).sum()
    whole = found.provinces.query(
        "province_code == '38' and share_of == 'area' and operator == 'any'"
    ).set_index("service")["share"]
    km2 = area.drop_duplicates("commune_code")["denominator"].sum()
    np.testing.assert_allclose(total[whole.index] / km2, whole)  # the communes sum to the province
    shuffled = assess(
        communes.iloc[::-1], sites=sites.iloc[::-1], as_of=DAY, population=people
    ).indicators
    pd.testing.assert_frame_equal(shuffled, tidy)  # the order of rows is nothing


@pytest.mark.realdata
def test_national_result_of_a_province_equals_its_own(shared) -> None:  # type: ignore[no-untyped-def]
    country = gpd.read_parquet(shared / "data/boundaries/vietnam_2025_simplified.parquet")
    two = country[country["province_code"].isin(["38", "40"])].assign(vintage="2025")
    rng = np.random.default_rng(5)
    west, south, east, north = two[two["province_code"] == "38"].total_bounds
    n = 600
    sites = gpd.GeoDataFrame(
        {"site_id": [f"S{i}" for i in range(n)], "sector_id": "1", "radius_m": 2500.0,
         "operator": rng.choice(["A", "B"], n), "technology": "5G"},
        geometry=gpd.points_from_xy(rng.uniform(west, east, n), rng.uniform(south, north, n)),
        crs="EPSG:4326",
    )  # fmt: skip
    own = assess(two[two["province_code"] == "38"], sites=sites, as_of=DAY).indicators
    both = assess(two, sites=sites, as_of=DAY).indicators
    both = both[both["commune_code"].isin(own["commune_code"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(both, own)

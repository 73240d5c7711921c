"""Hostile inputs to the whole flow: no wrong share, and no row that vanishes in silence."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from conftest import masts, square_communes
from shapely import Polygon, box

from phusong.errors import CrosswalkError, SchemaError
from phusong.io.embedded import embedded_path
from phusong.io.registers import read_register
from phusong.publish.assessment import Assessment
from phusong.rollup import widen
from phusong.study import assess

DAY = date(2026, 6, 30)
LL = "EPSG:4326"
DISC = math.pi * 0.5**2 / 4  # a radius of 500 m in a commune of 4 km²


def even_population(persons: float = 20.0) -> xr.DataArray:
    x = np.arange(499_100.0, 505_000, 200)
    y = np.arange(2_204_900.0, 2_199_000, -200)
    return xr.DataArray(
        np.full((len(y), len(x)), persons), dims=("y", "x"), coords={"y": y, "x": x},
        attrs={"crs": "EPSG:5897"},
    )  # fmt: skip


def mast(x: float = 501_000, y: float = 2_201_000, **fields: object) -> dict[str, object]:
    return {"x": x, "y": y, "radius_m": 500.0, "operator": "A", "technology": "5G"} | fields


def run(*rows: dict[str, object], **options: object) -> Assessment:
    communes = options.pop("communes", square_communes())
    options = {"population": even_population(), "as_of": DAY} | options
    return assess(communes, sites=masts(list(rows)), **options)  # type: ignore[arg-type]


def values(found: Assessment, column: str) -> list[object]:
    return found.communes.sort_values("commune_code")[column].tolist()


def reading(found: Assessment, target_id: str) -> float:
    (result,) = (t for t in found.targets if t.target.target_id == target_id)
    return result.figures[0].share


def test_no_sites_at_all_is_no_coverage_and_two_gaps() -> None:
    none = masts([mast()]).iloc[:0]
    found = assess(square_communes(), sites=none, as_of=DAY, population=even_population())
    assert values(found, "share_population_5g") == [0, 0]
    assert values(found, "share_area_4g") == [0, 0]
    assert found.gaps["people_uncovered"].tolist() == [2000, 1000]
    assert found.gaps["nearest_site_km"].isna().all()
    assert len(found.communes) == 2


def test_all_sites_planned_is_the_same_as_none_and_says_so() -> None:
    found = run(mast(status="planned"), mast(x=503_000, status="planned"))
    assert values(found, "share_area_5g") == [0, 0]
    assert "2 of 2 cells do not cover: 2 planned" in found.about.notes
    assert len(found.sites) == 2


def test_no_5g_site_leaves_5g_at_nothing_and_4g_as_it_is() -> None:
    found = run(mast(technology="4G"))
    assert values(found, "share_area_5g") == [0, 0]
    assert values(found, "share_area_4g") == pytest.approx([DISC, 0], abs=1e-3)
    assert values(found, "share_area_mbb") == pytest.approx([DISC, 0], abs=1e-3)
    assert set(found.gaps["missing"]) == {"5g"}


def test_site_far_outside_covers_nothing_and_stays_in_the_list_of_sites() -> None:
    found = run(mast(x=600_000))
    assert values(found, "share_area_5g") == [0, 0]
    assert found.sites["commune_code"].isna().tolist() == [True]
    assert found.gaps["nearest_site_km"].round().tolist() == [97, 99]


def test_operators_that_differ_only_in_case_or_spaces_are_one() -> None:
    found = run(mast(operator="Viettel"), mast(operator="VIETTEL "), mast(operator="Viettel"))
    tidy = found.indicators.query("service == '5g' and indicator == 'share_area'")
    assert sorted(tidy["operator"].unique()) == ["Viettel", "any", "two_or_more"]
    assert tidy.query("operator == 'two_or_more'")["share"].max() == 0
    assert any("VIETTEL" in note and "Viettel" in note for note in found.about.notes)
    assert found.gaps.set_index("commune_code").loc["00001", "operators_present"] == "Viettel"


@pytest.mark.parametrize("name", ["any", "Two_or_more"])
def test_operator_called_as_a_word_of_the_tables_is_refused(name: str) -> None:
    with pytest.raises(SchemaError, match=r"row 2, operator"):
        run(mast(), mast(operator=name))


def test_names_of_operators_never_fall_on_the_columns_of_bounds_or_services() -> None:
    names = ["Low", "High", "NSA", "SA", "A low", "Ă", "A"]
    found = run(*(mast(operator=name, technology="5G SA") for name in names))
    assert found.communes.columns.is_unique
    assert found.communes["share_area_5g_low"].isna().all()
    assert values(found, "share_area_5g_sa") == pytest.approx([DISC, 0], abs=1e-3)
    per_operator = found.indicators["operator"].nunique() - 2
    columns = [c for c in found.communes if c.startswith("share_area_5g_sa_")]
    assert len([c for c in columns if not c.endswith(("_low", "_high"))]) == per_operator + 1


def test_communes_of_two_vintages_are_refused() -> None:
    old = square_communes().assign(vintage="before-2025")
    both = pd.concat([square_communes(), old], ignore_index=True)
    with pytest.raises(CrosswalkError, match=r"mixes vintages \(2 of 2025, 2 of before-2025\)"):
        run(mast(), communes=both)


def test_hole_of_a_commune_belongs_to_the_commune_in_it() -> None:
    outer, inner = box(500_000, 2_200_000, 504_000, 2_204_000), box(501_000, 2_201_000, 503_000,
                                                                    2_203_000)  # fmt: skip
    two = square_communes(2).set_geometry(
        [Polygon(outer.exterior.coords, [inner.exterior.coords]), inner], crs="EPSG:5897"
    )
    found = run(mast(502_000, 2_202_000), communes=two, population=None)
    assert values(found, "share_area_5g") == pytest.approx([0, DISC], abs=1e-3)
    assert found.sites["commune_code"].tolist() == ["00002"]


def test_one_commune_is_its_own_province() -> None:
    found = run(mast(), communes=square_communes(1))
    people = found.provinces.query(
        "indicator == 'share_population' and service == '5g' and operator == 'any' "
        "and share_of == 'people'"
    )
    assert people["share"].tolist() == pytest.approx([DISC, DISC], abs=1e-3)


def test_communes_of_two_provinces_share_a_site_and_sum_to_the_whole() -> None:
    communes = square_communes().assign(province_code=["38", "40"])
    found = run(mast(x=502_000), communes=communes)
    area = found.provinces.query(
        "indicator == 'share_area' and service == '5g' and operator == 'any'"
    ).set_index("province_code")["share"]
    assert area.sort_index().tolist() == pytest.approx([DISC / 2] * 3, abs=1e-3)
    assert set(found.communes["province_code"]) == {"38", "40"}


def test_communes_without_a_province_are_measured_all_the_same() -> None:
    found = run(mast(), communes=square_communes().drop(columns="province_code"))
    assert values(found, "share_area_5g") == pytest.approx([DISC, 0], abs=1e-3)


def test_commune_without_people_has_no_share_of_people() -> None:
    communes = square_communes().assign(population=[0.0, 1000.0])
    found = run(mast(), communes=communes, population=even_population(0.0))
    assert np.isnan(values(found, "share_population_5g")).all()
    assert [values(found, f"share_population_5g_{end}") for end in ("low", "high")] == [
        [0, 0], [1, 0],
    ]  # fmt: skip
    result = next(t for t in found.targets if t.target.target_id == "5g-2030")
    assert (result.people_short, result.people_undetermined) == (1000, 0)


def test_without_any_population_figures_of_people_are_unknown_not_nothing() -> None:
    communes = square_communes().drop(columns="population")
    found = run(mast(), communes=communes, population=None)
    assert math.isnan(reading(found, "5g-2030"))
    result = next(t for t in found.targets if t.target.target_id == "5g-2030")
    assert math.isnan(result.people_short)
    assert found.gaps["people_uncovered"].isna().all()
    assert "2 communes have no known population" in " ".join(found.about.notes)


def test_radius_of_nothing_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"row 1, radius_m: found 0"):
        run(mast(radius_m=0.0))


def test_site_that_goes_on_air_on_the_day_covers_and_a_day_later_does_not() -> None:
    on_the_day, later = (mast(on_air_date=pd.Timestamp(d)) for d in ("2026-06-30", "2026-07-01"))
    assert values(run(on_the_day), "share_area_5g")[0] > 0
    assert values(run(later), "share_area_5g") == [0, 0]


def service(*rows: dict[str, object]) -> pd.DataFrame:
    base = {"vintage": "2025", "operator": "VNPT", "technology": "FTTH"}
    return pd.DataFrame([base | row for row in rows])


def test_service_table_that_repeats_a_row_is_refused() -> None:
    table = service(
        {"commune_code": "00001", "households_passed": 10.0},
        {"commune_code": "00001", "households_passed": 20.0},
    )
    with pytest.raises(SchemaError, match=r"rows?.*\+ operator"):
        run(mast(), service=table)


def test_row_of_2g_is_not_broadband() -> None:
    table = service(
        {"commune_code": "00001", "technology": "2G"},
        {"commune_code": "00002", "technology": "3G"},
    )
    assert values(run(mast(), service=table), "broadband_b0") == ["unknown", "yes"]
    complete = run(mast(), service=table, service_is_complete=True)
    assert values(complete, "broadband_b0") == ["no", "yes"]


def test_villages_of_two_operators_may_add_up_so_that_is_unknown_not_no() -> None:
    table = service(
        {"commune_code": "00001", "villages_served": 6.0, "villages": 10.0},
        {"commune_code": "00001", "villages_served": 6.0, "villages": 10.0, "operator": "FPT"},
        {"commune_code": "00002", "villages_served": 6.0, "villages": 10.0},
    )
    assert values(run(mast(), service=table), "broadband_b2") == ["unknown", "no"]


def test_empty_service_table_makes_every_commune_unknown() -> None:
    table = service({"commune_code": "00001"}).iloc[:0]
    found = run(mast(), service=table)
    assert values(found, "broadband_b0") == ["unknown", "unknown"]
    assert values(found, "share_low_cost_high") == [1, 1]


def test_share_of_communes_that_only_the_register_asks_for_is_reckoned() -> None:
    register = read_register(embedded_path("targets"))
    first = next(t for t in register.targets if t.target_id == "5g-2030")
    c5 = replace(first.readings[1], commune_share=0.15, threshold=0.5)
    asked = replace(register, targets=(replace(first, readings=(c5,)),))
    found = run(mast(), register=asked)
    (result,) = found.targets
    assert (result.figures[0].share, result.status) == (0.5, "met")


def test_site_that_reaches_in_from_beyond_the_corner_latitudes_counts() -> None:
    """A parallel bends in the plane: 6° from the meridian the middle lies kilometres further."""
    places = [box(99.0, 19.0, 99.02, 19.02), box(105.0, 19.08, 105.02, 19.1),
              box(111.0, 19.0, 111.02, 19.02)]  # fmt: skip
    wide = gpd.GeoDataFrame(square_communes(3).drop(columns="geometry"), geometry=places, crs=LL)
    site = gpd.GeoDataFrame(
        {"site_id": ["S"], "sector_id": "1", "operator": "A", "technology": "5G",
         "radius_m": 700.0},
        geometry=gpd.points_from_xy([105.01], [19.09]), crs=LL,
    )  # fmt: skip
    found = assess(wide, sites=site, as_of=DAY, cell_m=500.0)
    assert values(found, "share_area_5g")[1] == pytest.approx(math.pi * 0.49 / 4.66, abs=0.02)


def test_site_in_the_far_north_is_not_lost_to_short_degrees() -> None:
    """At 70° a degree of longitude is 38 km, not 90: a site 30 km west still reaches in."""
    commune = square_communes(1).set_geometry([box(25.0, 70.0, 25.05, 70.02)], crs=LL)
    site = gpd.GeoDataFrame(
        {"site_id": ["S"], "sector_id": "1", "operator": "A", "technology": "5G",
         "radius_m": 40_000.0},
        geometry=gpd.points_from_xy([24.2], [70.01]), crs=LL,
    )  # fmt: skip
    assert values(assess(commune, sites=site, as_of=DAY), "share_area_5g") == pytest.approx([1.0])


def test_wide_table_keeps_the_rows_and_their_order() -> None:
    found = run(mast())
    turned = found.communes[["commune_code", "vintage", "geometry"]].iloc[::-1]
    wide = widen(found.indicators, turned)
    assert wide["commune_code"].tolist() == turned["commune_code"].tolist()

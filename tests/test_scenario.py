"""What if: an assessment with other sites is the one that a whole new run gives."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from altered import with_tables

import phusong as ps
from phusong.errors import CrosswalkError, SchemaError
from phusong.publish.assessment import Assessment

AS_OF = date(2026, 6, 30)


def assess(sites: gpd.GeoDataFrame, **options: object) -> Assessment:
    communes = ps.read_communes(ps.embedded_path("communes")).layer
    return ps.assess(communes, sites=sites, as_of=AS_OF, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sites() -> gpd.GeoDataFrame:
    communes = ps.read_communes(ps.embedded_path("communes")).layer
    layer = ps.read_sites(ps.embedded_path("sites"), communes=communes, as_of=AS_OF).layer
    return layer.iloc[:3000]


@pytest.fixture(scope="module")
def population() -> object:
    communes = ps.read_communes(ps.embedded_path("communes")).layer
    return ps.read_population(ps.embedded_path("population"), communes=communes).layer


@pytest.fixture(scope="module")
def before(sites: gpd.GeoDataFrame, population: object) -> Assessment:
    return assess(sites, population=population)


def masts(**fields: object) -> gpd.GeoDataFrame:
    data = {"site_id": ["new-1"], "sector_id": ["1"], "operator": ["Viettel"],
            "technology": ["5G"], "frequency_mhz": [3500.0]} | fields  # fmt: skip
    return gpd.GeoDataFrame(data, geometry=[shapely.Point(105.3, 20.1)], crs="EPSG:4326")


def require_equal(found: Assessment, whole: Assessment) -> None:
    pd.testing.assert_frame_equal(found.indicators, whole.indicators, rtol=1e-12, atol=1e-12)
    pd.testing.assert_frame_equal(found.provinces, whole.provinces, rtol=1e-12, atol=1e-12)
    pd.testing.assert_frame_equal(found.communes, whole.communes, rtol=1e-12, atol=1e-12)
    pd.testing.assert_frame_equal(found.gaps, whole.gaps, rtol=1e-12, atol=1e-12)
    for mine, its in zip(found.targets, whole.targets, strict=True):
        assert (mine.status, mine.short_codes) == (its.status, its.short_codes)
    assert found.about == whole.about
    for a, b in zip(found.coverage, whole.coverage, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)  # float32
        assert a.attrs == b.attrs


@pytest.mark.parametrize(
    "fields",
    [{}, {"radius_m": [4321.0]}, {"radius_m": [800.0], "azimuth_deg": [77.0]},
     {"radius_m": [6000.0], "operator": ["viettel "]}, {"operator": ["Another"]},
     {"technology": ["2G"], "frequency_mhz": [900.0]}],
)  # fmt: skip
def test_added_site_gives_what_a_whole_run_gives(
    fields: dict[str, object], sites: gpd.GeoDataFrame, before: Assessment, population: object
) -> None:
    added = masts(**fields)
    whole = assess(pd.concat([sites, added], ignore_index=True), population=population)
    found = before.with_sites(added=added)
    assert not found.indicators["share"].equals(before.indicators["share"])
    spelled = fields.get("operator") == ["viettel "]
    if not spelled:  # the whole run notes the spelling of rows that it read itself
        require_equal(found, whole)
    else:
        pd.testing.assert_frame_equal(found.indicators, whole.indicators, rtol=1e-12, atol=1e-12)


def test_removed_sites_give_what_a_whole_run_gives(
    sites: gpd.GeoDataFrame, before: Assessment, population: object
) -> None:
    gone = sites["site_id"].drop_duplicates().sample(5, random_state=1)
    whole = assess(sites[~sites["site_id"].isin(gone)], population=population)
    require_equal(before.with_sites(removed=list(gone)), whole)


def test_polygon_of_an_operator_gives_what_a_whole_run_gives(
    sites: gpd.GeoDataFrame, before: Assessment, population: object
) -> None:
    added = masts(radius_m=[np.nan]).set_geometry([shapely.box(105.3, 20.1, 105.32, 20.13)])
    added = added.set_crs("EPSG:4326")
    whole = assess(pd.concat([sites, added], ignore_index=True), population=population)
    require_equal(before.with_sites(added=added), whole)
    require_equal(whole.with_sites(removed=["new-1"]), before)


def test_adding_and_removing_again_changes_nothing(before: Assessment) -> None:
    there_and_back = before.with_sites(added=masts()).with_sites(removed=["new-1"])
    require_equal(there_and_back, before)


def test_without_people_and_with_people_spread_evenly(
    sites: gpd.GeoDataFrame, population: object
) -> None:
    for how in (None, "even"):
        whole = assess(pd.concat([sites, masts()], ignore_index=True), population=how)
        require_equal(assess(sites, population=how).with_sites(added=masts()), whole)


def test_first_assessment_stays_as_it_was(before: Assessment) -> None:
    copy = before.indicators.copy()
    before.with_sites(added=masts(), removed=[str(before.sites["site_id"].iloc[0])])
    pd.testing.assert_frame_equal(before.indicators, copy)


def test_site_that_is_not_there_cannot_go_and_one_that_is_cannot_come(before: Assessment) -> None:
    with pytest.raises(SchemaError, match="no such mast"):
        before.with_sites(removed=["no such mast"])
    with pytest.raises(SchemaError, match="remove its site first"):
        before.with_sites(added=before.sites.iloc[:1])


def test_comparison_says_what_a_site_brings_by_commune_and_by_cell(before: Assessment) -> None:
    after = before.with_sites(added=masts(radius_m=[2000.0]))
    found = ps.compare(before, after)
    area = found.communes.query(
        "indicator == 'share_area' and service == '5g' and operator == 'any'"
    )
    assert (area["change"] >= -1e-12).all()
    assert 0 < area["gained"].sum() <= 4 * np.pi + 1e-9
    cells = sum(float(change.sel(service="5g").sum()) for change in found.cells)
    assert cells * 0.01 == pytest.approx(area["gained"].sum(), rel=1e-3)  # 100 m cells, in km²
    assert (ps.compare(before, before).communes["change"].dropna() == 0).all()


def test_comparison_of_other_communes_is_refused(before: Assessment) -> None:
    fewer = with_tables(before, communes=before.communes.iloc[1:])
    with pytest.raises(CrosswalkError, match="1 communes are in one assessment only"):
        ps.compare(before, fewer)


@pytest.mark.realdata
def test_real_communes_give_what_a_whole_run_gives(shared: Path, sites: gpd.GeoDataFrame) -> None:
    communes = ps.read_communes(
        shared / "data/boundaries/thanh_hoa_2025.parquet", vintage="2025"
    ).layer
    first = ps.assess(communes, sites=sites, as_of=AS_OF)
    added, gone = masts(radius_m=[2500.0]), [str(sites["site_id"].iloc[40])]
    after = pd.concat([sites[~sites["site_id"].isin(gone)], added], ignore_index=True)
    require_equal(
        first.with_sites(added=added, removed=gone),
        ps.assess(communes, sites=after, as_of=AS_OF),
    )

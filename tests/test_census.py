"""Counts of whole areas as the layer of people: spread, bounded, and every person accounted for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from conftest import masts, square_communes

from phusong.census import spread_areas
from phusong.errors import CrsError, InputFileError, SchemaError
from phusong.grid import Grid
from phusong.io.census import read_areas, read_people
from phusong.publish.assessment import Assessment
from phusong.study import assess

DAY = date(2026, 6, 30)
BOUNDS = ("share_population_5g", "share_population_5g_low", "share_population_5g_high")


def areas(*boxes: tuple[float, ...], people: list[float]) -> gpd.GeoDataFrame:
    """Boxes (km east of x = 500, km north of y = 2200), with their people."""
    shapes = [shapely.box(*(np.array(box) * 1000 + [5e5, 2.2e6, 5e5, 2.2e6])) for box in boxes]
    return gpd.GeoDataFrame({"population": people}, geometry=shapes, crs="EPSG:5897")


def run(population: gpd.GeoDataFrame, communes: gpd.GeoDataFrame | None = None) -> Assessment:
    """A square of 2 km in each commune; the mast covers 500 m around (501, 2201)."""
    mast = {"x": 501_000, "y": 2_201_000, "radius_m": 500.0, "operator": "A", "technology": "5G"}
    zones = square_communes() if communes is None else communes
    return assess(zones, sites=masts([mast]), as_of=DAY, population=population)


def test_areas_that_overlap_or_leave_the_grid_keep_the_people_that_lie_on_it() -> None:
    layer = areas((0, 0, 2, 2), (0, 0, 2, 2), (-1, 0, 1, 2), people=[100, 10, 8])
    grid = Grid(crs="EPSG:5897", x_min=5e5, y_max=2.202e6, cell_m=100, shape=(20, 20))
    persons = spread_areas(layer, grid)
    assert float(persons.sum()) == pytest.approx(110 + 4)
    assert float(persons[:, :10].sum()) == pytest.approx(55 + 4)


def test_an_area_that_only_touches_the_grid_puts_nobody_on_it() -> None:
    grid = Grid(crs="EPSG:5897", x_min=5e5, y_max=2.202e6, cell_m=100, shape=(20, 20))
    layer = areas((2, 0, 3, 2), (2, 2, 3, 3), (5, 5, 6, 6), people=[5, 5, 5])
    assert float(spread_areas(layer, grid).sum()) == 0.0


def test_people_of_a_half_covered_commune_are_where_the_areas_say() -> None:
    # 300 people on the western km of commune 1, 700 on the eastern: the disc has half in each
    found = run(areas((0, 0, 1, 2), (1, 0, 2, 2), (2, 0, 4, 2), people=[300, 700, 2000]))
    table = found.communes.set_index("commune_code")
    disc = np.pi * 0.5**2
    assert table.loc["00001", BOUNDS[0]] == pytest.approx(disc / 2 / 2 * 0.3 + disc / 2 / 2 * 0.7)
    assert table.loc["00001", list(BOUNDS[1:])].tolist() == [0, 1]
    assert table.loc["00002", list(BOUNDS)].tolist() == [0, 0, 0]
    assert table["population_spread"].tolist() == ["areas", "areas"]
    tidy = found.indicators.query("indicator == 'share_population' and service == '5g'")
    assert set(tidy["evidence"]) == {"modelled"}


def test_people_of_areas_who_live_in_no_commune_are_counted() -> None:
    zones = square_communes().assign(population=np.nan)
    found = run(areas((-1, 0, 1, 2), (1, 0, 4, 2), people=[100, 300]), zones)
    assert found.communes["population"].sum() == pytest.approx(350)
    notes = " | ".join(found.about.notes)
    assert "50 of the 400 people of the areas live in no commune of this map" in notes
    assert "2 communes take their population from the layer of areas" in notes


def test_nothing_is_said_of_people_beyond_when_all_live_in_communes() -> None:
    found = run(areas((0, 0, 4, 2), people=[100]))
    assert "live in no commune" not in " | ".join(found.about.notes)


def test_what_if_on_areas_equals_the_whole_computation() -> None:
    layer = areas((0, 0, 3, 2), (3, 0, 4, 2), people=[900, 100])
    new = {"x": 503_000, "y": 2_201_000, "radius_m": 700.0, "operator": "A", "technology": "5G"}
    added = masts([new]).assign(site_id="new").to_crs("EPSG:4326")
    before = run(layer)
    together = pd.concat([before.sites[added.columns], added], ignore_index=True)
    whole = assess(square_communes(), sites=together, as_of=DAY, population=layer)
    found = before.with_sites(added=added)
    for name in BOUNDS:
        np.testing.assert_allclose(found.communes[name], whole.communes[name], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"population": [np.nan, 1.0]}, "population"),
        ({"population": [-5.0, 1.0]}, "population"),
        ({"geometry": [shapely.Point(0, 0), shapely.box(0, 0, 1, 1)]}, "polygon"),
    ],
)
def test_areas_that_cannot_be_spread_are_refused_with_their_rows(change, said) -> None:
    layer = areas((0, 0, 2, 2), (2, 0, 4, 2), people=[10, 20]).assign(**change)
    with pytest.raises(SchemaError, match=said) as refused:
        run(layer)
    assert [problem.row for problem in refused.value.problems] == [1]


def test_areas_without_a_crs_or_a_column_of_people_are_refused() -> None:
    layer = areas((0, 0, 2, 2), people=[10])
    with pytest.raises(CrsError, match="without a CRS"):
        run(layer.set_crs(None, allow_override=True))
    with pytest.raises(SchemaError, match="column of people"):
        run(layer.rename(columns={"population": "n"}))


def test_file_of_areas_is_read_with_its_own_heading(tmp_path: Path) -> None:
    path = tmp_path / "census.gpkg"
    layer = areas((0, 0, 2, 2), (2, 0, 4, 2), people=[1.5, 20])
    layer.rename(columns={"population": "Dân số (nghìn người)"}).to_file(path)
    read = read_people(path, communes=square_communes())
    assert read.layer["population"].tolist() == [1500, 20000]
    assert read.report.sum_valid == 21500
    assert "multiplied by 1000" in read.report.repairs[0].message
    assert (read.report.rows_in, read.report.rows_used) == (2, 2)


def test_every_wrong_area_of_a_file_is_listed_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "census.geojson"
    layer = areas((0, 0, 2, 2), (2, 0, 4, 2), (2, 2, 4, 4), people=[1, 2, 3]).to_crs(4326)
    layer["ten"] = ["Xã A", "Xã B", "Xã C"]
    layer["population"] = ["12", "nhiều", "-3"]
    layer.to_file(path)
    with pytest.raises(SchemaError) as refused:
        read_areas(path)
    assert [(p.row, p.found) for p in refused.value.problems] == [(2, "'nhiều'"), (3, "'-3'")]
    assert "Xã B" in refused.value.problems[0].message


def test_layer_of_another_place_is_refused_and_a_few_bare_communes_are_named(
    tmp_path: Path,
) -> None:
    path = tmp_path / "census.gpkg"
    areas((40, 40, 42, 42), people=[5]).to_file(path)
    with pytest.raises(InputFileError, match="no area meets 2 of 2 communes"):
        read_areas(path, communes=square_communes())


@pytest.mark.realdata
def test_census_of_2009_keeps_every_person_on_the_map_of_today(shared: Path) -> None:
    path = shared / "data/boundaries/thanh_hoa_2009.parquet"
    communes = gpd.read_parquet(shared / "data/boundaries/thanh_hoa_2025.parquet")
    read = read_areas(path)
    assert read.report.sum_valid == 3_478_795  # 637 communes of the census
    zones = communes.to_crs("EPSG:5897")
    layer = read.layer.to_crs("EPSG:5897")
    west, south, east, north = np.concatenate(
        [np.minimum(zones.total_bounds, layer.total_bounds)[:2],
         np.maximum(zones.total_bounds, layer.total_bounds)[2:]]
    )  # fmt: skip
    shape = (int((north - south) // 100) + 1, int((east - west) // 100) + 1)
    grid = Grid(crs="EPSG:5897", x_min=west, y_max=north, cell_m=100, shape=shape)
    assert float(spread_areas(read.layer, grid).sum()) == pytest.approx(3_478_795, rel=1e-9)

"""Whose people count, where they live, and what is said where nobody knows."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from conftest import masts, square_communes

from phusong.errors import InputFileError, SchemaError
from phusong.grid import Grid
from phusong.io.boundaries import read_communes
from phusong.io.rasters import read_population
from phusong.io.settings import Study, read_study
from phusong.population import spread_population
from phusong.publish.assessment import Assessment
from phusong.study import assess

DAY = date(2026, 6, 30)
DISC = math.pi * 0.5**2 / 4  # a radius of 500 m in a commune of 4 km²
BOUNDS = ("share_population_5g", "share_population_5g_low", "share_population_5g_high")


def raster(persons: float = 20.0, *, east_times: float = 1.0, cell_m: float = 200.0,
           first_x: float = 499_000.0) -> xr.DataArray:  # fmt: skip
    """So many persons a cell around the square communes, more of them east of x = 502000."""
    x = np.arange(first_x + cell_m / 2, 505_000, cell_m)
    y = np.arange(2_205_000 - cell_m / 2, 2_199_000, -cell_m)
    values = np.where(x[None, :] > 502_000, persons * east_times, persons)
    return xr.DataArray(
        np.broadcast_to(values, (len(y), len(x))), dims=("y", "x"), coords={"y": y, "x": x},
        attrs={"crs": "EPSG:5897"},
    )  # fmt: skip


def mast(x: float = 501_000, **fields: object) -> dict[str, object]:
    base = {"x": x, "y": 2_201_000, "radius_m": 500.0, "operator": "A", "technology": "5G"}
    return base | fields


def run(*rows: dict[str, object], **options: object) -> Assessment:
    communes = options.pop("communes", square_communes())
    return assess(communes, sites=masts(list(rows) or [mast()]), as_of=DAY, **options)  # type: ignore[arg-type]


def values(found: Assessment, column: str) -> list[float]:
    return found.communes.sort_values("commune_code")[column].tolist()


def people_share(found: Assessment) -> tuple[float, float, float]:
    (row,) = found.provinces.query(
        "province_code == '38' and indicator == 'share_population' and service == '5g' "
        "and operator == 'any' and share_of == 'people'"
    ).itertuples()
    return (row.share, row.share_low, row.share_high)


def notes(found: Assessment) -> str:
    return " | ".join(found.about.notes)


def test_factor_of_a_commune_is_its_own_number_by_the_rasters() -> None:
    found = run(population=raster(8.0))  # 800 in each commune; 1,000 and 2,000 by their own
    assert values(found, "population_raster_factor") == pytest.approx([1.25, 2.5])
    assert values(found, "population") == [1000, 2000]
    assert values(found, "population_spread") == ["raster", "raster"]
    assert "3,000 by the communes' own numbers, 1,600 by the raster, in 2 communes" in notes(found)
    assert "scaled by 1.875 in all, commune by commune by 1.250 to 2.500" in notes(found)
    assert "not within 0.5 to 2 in 1 communes (the greatest: 00002 Xã 2 2.500)" in notes(found)


def test_both_ends_of_the_factors_are_named_only_where_they_are_unusual() -> None:
    found = run(population=raster(50.0, east_times=0.1))  # 5,000 and 500
    assert "in 2 communes (the least: 00001 Xã 1 0.200; the greatest: 00002 Xã 2 4.000)" in notes(
        found
    )
    usual = run(population=raster(10.0, east_times=2.0))
    assert values(usual, "population_raster_factor") == pytest.approx([1, 1])
    assert "not within" not in notes(usual)


def test_communes_without_a_number_take_the_rasters_unscaled() -> None:
    communes = square_communes().assign(population=[1000.0, np.nan])
    found = run(communes=communes, population=raster(5.0))
    assert values(found, "population") == pytest.approx([1000, 500])
    assert values(found, "population_raster_factor") == pytest.approx([2, np.nan], nan_ok=True)
    assert "1 communes take their population from the raster" in notes(found)


def test_provinces_weigh_by_own_numbers_and_shares_do_not_depend_on_the_factor() -> None:
    few, many = (run(population=raster(p, east_times=9.0)) for p in (1.0, 70.0))
    assert values(few, "share_population_5g") == pytest.approx(values(many, "share_population_5g"))
    assert values(few, "share_population_5g") == pytest.approx([DISC, 0], abs=1e-3)
    assert people_share(few)[0] == pytest.approx(DISC * 1000 / 3000, abs=1e-3)
    assert people_share(many)[0] == pytest.approx(people_share(few)[0])


def test_raster_cell_across_a_border_gives_each_commune_its_part() -> None:
    # Cells of 800 m from x = 499200: one reaches from 501600 to 502400, half in each commune.
    found = run(mast(502_000, radius_m=100.0), population=raster(800.0, cell_m=800.0,
                first_x=499_200.0))  # fmt: skip
    held = np.array([1000, 2000]) / values(found, "population_raster_factor")
    assert held == pytest.approx([4e6 / 800**2 * 800] * 2)
    half_disc = math.pi * 0.1**2 / 2 / 4
    assert values(found, "share_population_5g") == pytest.approx([half_disc] * 2, abs=1e-4)


def test_commune_with_people_in_which_the_raster_has_none_is_unknown_and_named() -> None:
    found = run(mast(503_000), population=raster(20.0, east_times=0.0))
    shares = [values(found, name)[1] for name in BOUNDS]
    np.testing.assert_equal(shares, [np.nan, 0, 1])
    assert found.communes["population_spread"].isna().tolist() == [False, True]
    assert "the raster holds nobody in 1 communes that have people (00002 Xã 2)" in notes(found)
    assert people_share(found) == pytest.approx((0, 0, 2000 / 3000))


def test_people_spread_evenly_have_the_share_of_area_and_bounds_that_own_up_to_it() -> None:
    found = run(population="even")
    shares = [values(found, name) for name in BOUNDS]
    assert shares[0] == pytest.approx([DISC, 0], abs=1e-3)
    assert shares[0] == values(found, "share_area_5g")
    assert shares[1:] == [[0, 0], [1, 0]]
    assert people_share(found) == pytest.approx((DISC / 3, 0, 1 / 3), abs=1e-3)
    assert values(found, "population_spread") == ["even", "even"]
    assert found.communes["population_raster_factor"].isna().all()
    assert "the people of 2 communes are spread evenly over their area" in notes(found)


def test_people_spread_evenly_are_a_model_and_never_declared_coverage() -> None:
    tidy = run(population="even").indicators
    evidence = tidy.groupby("indicator")["evidence"].unique().map(list).to_dict()
    assert evidence == {"share_area": ["declared"], "share_population": ["modelled"]}


def test_wholly_covered_commune_has_all_its_people_covered_however_they_live() -> None:
    found = run(mast(radius_m=1500.0), population="even")
    assert [values(found, name)[0] for name in BOUNDS] == [1, 1, 1]
    assert people_share(found)[1] == pytest.approx(1 / 3)


def test_low_and_high_radii_widen_what_is_surely_or_possibly_covered() -> None:
    row = mast(radius_m=math.nan, frequency_mhz=3500.0)
    found = run(row, population="even")
    low, middle, high = (values(found, f"share_area_5g{end}")[0] for end in ("_low", "", "_high"))
    assert low < middle < high < 1
    assert [values(found, name)[0] for name in BOUNDS] == [middle, 0, 1]


def test_nobody_is_spread_where_the_number_of_people_is_missing_or_nought() -> None:
    communes = square_communes(3).assign(population=[1000.0, np.nan, 0.0])
    found = run(communes=communes, population="even")
    assert np.isnan(values(found, "share_population_5g")).tolist() == [False, True, True]
    assert found.communes["population_spread"].isna().tolist() == [False, True, True]
    assert "the people of 1 communes are spread evenly" in notes(found)
    assert "1 communes have no known population" in notes(found)


def test_spreading_is_refused_where_there_is_nobody_to_spread_or_the_word_is_another() -> None:
    with pytest.raises(SchemaError, match="no number of people in any commune"):
        run(communes=square_communes().drop(columns="population"), population="even")
    with pytest.raises(SchemaError, match="found 'evenly'"):
        run(population="evenly")


@pytest.mark.parametrize("cell_m", [200.0, 20.0])
@pytest.mark.parametrize("x_min", [400_000.0, 600_000.0])
def test_grid_that_the_raster_does_not_reach_has_nobody(cell_m: float, x_min: float) -> None:
    grid = Grid(crs="EPSG:5897", x_min=x_min, y_max=2_202_000.0, cell_m=100, shape=(20, 30))
    spread = spread_population(raster(cell_m=cell_m), grid)
    assert spread.shape == grid.shape
    assert float(spread.sum()) == 0


def study_file(folder: Path, population: str) -> Study:
    path = folder / "study.toml"
    path.write_text(
        '[study]\nas_of = 2026-06-30\n[files]\ncommunes = "c.gpkg"\nsites = "s.csv"\n'
        f'population = "{population}"\n',
        encoding="utf-8",
    )
    return read_study(path)


def test_study_file_says_even_and_the_run_records_it(tmp_path: Path) -> None:
    even = study_file(tmp_path, "even")
    assert even.population == "even"
    assert "population" not in even.inputs
    assert even.parameters["population"] == "even"
    other = study_file(tmp_path, "./even")
    assert other.population == tmp_path / "even"
    assert other.inputs["population"] == tmp_path / "even"
    assert "population" not in other.parameters


def test_study_of_another_word_is_refused() -> None:
    with pytest.raises(InputFileError, match="population: found 'evenly'"):
        Study(communes=Path("c"), sites=(Path("s"),), as_of=DAY, population="evenly")  # type: ignore[arg-type]


@pytest.mark.realdata
def test_communes_of_2009_get_a_share_of_people_from_their_own_numbers(shared: Path) -> None:
    path = shared / "data" / "boundaries" / "thanh_hoa_2009.parquet"
    communes = read_communes(path, vintage="2009").layer
    west, south, east, north = communes.total_bounds
    rng = np.random.default_rng(9)
    n = 300
    sites = gpd.GeoDataFrame(
        {"site_id": [f"S{i}" for i in range(n)], "sector_id": "1", "radius_m": 3000.0,
         "operator": "A", "technology": "5G"},
        geometry=gpd.points_from_xy(rng.uniform(west, east, n), rng.uniform(south, north, n)),
        crs="EPSG:4326",
    )  # fmt: skip
    found = assess(communes, sites=sites, as_of=DAY, population="even")
    table = found.communes
    assert table["population"].sum() == 3_478_795
    weighed = (table["population"] * table["share_area_5g"]).sum() / table["population"].sum()
    whole = found.provinces.query(
        "province_code == '' and indicator == 'share_population' and service == '5g' "
        "and operator == 'any' and share_of == 'people'"
    ).iloc[0]
    assert whole["share"] == pytest.approx(weighed)
    assert whole["share_low"] < whole["share"] < whole["share_high"]


@pytest.mark.realdata
def test_islands_beyond_the_raster_do_not_refuse_the_country(shared: Path) -> None:
    country = gpd.read_parquet(shared / "data/boundaries/vietnam_2025_simplified.parquet")
    path = shared / "data" / "population" / "vnm_ppp_2020_1km_Aggregated_UNadj.tif"
    said = read_population(path, communes=country.assign(vintage="2025")).report.notes
    assert said[0].startswith("2 communes lie wholly beyond its edge")
    assert said[0].endswith("20333 Đặc khu Hoàng Sa, 22736 Đặc khu Trường Sa")
    assert said[1].startswith("1 communes have up to 5% of their area beyond its edge")
    province = country["province_code"][country["commune_code"] == "22736"].item()
    part = country[country["province_code"] == province].assign(vintage="2025")
    with pytest.raises(InputFileError, match=r"communes have no data in it \(22736"):
        read_population(path, communes=part)

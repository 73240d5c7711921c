"""A plan of an assessment: what it promises is what a whole new assessment measures."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner
from conftest import even_population, masts, square_communes

import phusong as ps
from phusong.cli import main
from phusong.errors import InputFileError, SchemaError
from phusong.plan_field import Choice
from phusong.plan_files import read_costs
from phusong.planning import Plan, make_plan
from phusong.publish.assessment import Assessment
from phusong.publish.mapblock import BLOCK, unpack
from phusong.siting.costs import check_costs

AS_OF = date(2026, 6, 30)
COSTS = read_costs()


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    """Six communes of 4 km², 2,000 people each on the raster, 5G in a corner, 4G masts."""
    at = [(500_500, 2_200_500, "5G"), (502_200, 2_201_000, "4G"), (505_000, 2_203_000, "4G"),
          (503_000, 2_200_300, "4G")]  # fmt: skip
    sites = masts([
        {"x": x, "y": y, "operator": "AB"[i % 2], "technology": t, "radius_m": 900.0}
        for i, (x, y, t) in enumerate(at)
    ])  # fmt: skip
    return ps.assess(square_communes(3, 2), sites=sites, as_of=AS_OF, population=even_population(),
                     cell_m=50)  # fmt: skip


def planned(assessment: Assessment, **asked: object) -> Plan:
    given = {"costs": COSTS, "draws": 0, "least_persons": 20.0} | asked
    return make_plan(assessment, Choice(**given))  # type: ignore[arg-type]


def people_under(assessment: Assessment) -> float:
    communes = assessment.communes
    return float((communes["share_population_5g"] * communes["population"]).sum())


@pytest.mark.parametrize(
    "asked", [{"sites": 2}, {"budget_vnd": 7e9}, {"sites": 3, "min_distance_m": 1800.0}]
)
def test_people_of_a_plan_are_those_that_a_whole_assessment_measures(
    assessment: Assessment, asked: dict[str, object]
) -> None:
    plan = planned(assessment, **asked)
    cells = gpd.GeoDataFrame(
        plan.sites[["site_id", "operator", "technology", "frequency_mhz"]].assign(
            sector_id="1", status="on_air"
        ),
        geometry=plan.sites.geometry,
    )
    gained = people_under(assessment.with_sites(added=cells)) - people_under(assessment)
    assert plan.people_measured == pytest.approx(gained, rel=1e-9)
    assert plan.answer.people == pytest.approx(gained, rel=0.01)
    assert plan.sites["people_gained"].sum() == pytest.approx(plan.answer.people)
    assert plan.communes["people_gained"].sum() == pytest.approx(gained)
    assert plan.answer.people <= plan.answer.bound


def test_plan_keeps_its_distance_and_its_budget(assessment: Assessment) -> None:
    plan = planned(assessment, budget_vnd=20e9, min_distance_m=2500.0)
    xy = shapely.get_coordinates(plan.sites.geometry.to_crs("EPSG:5897"))
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    assert len(plan.sites) > 1
    assert apart[np.triu_indices(len(xy), 1)].min() >= 2500
    assert plan.sites["cost_vnd"].sum() <= 20e9
    assert plan.sites["cost_so_far_vnd"].iloc[-1] == plan.sites["cost_vnd"].sum()


def test_area_gained_is_counted_once(assessment: Assessment) -> None:
    plan = planned(assessment, sites=4)
    before, after = (
        (a.communes["share_area_5g"] * a.communes["polygon_km2"]).sum()
        for a in (assessment, plan.after)
    )
    assert plan.sites["km2_gained"].sum() == pytest.approx(after - before, rel=0.01)


def test_target_is_reached_at_its_proven_least_cost(assessment: Assessment) -> None:
    plan = planned(assessment, target="5g-2030", frequency_mhz=700.0)
    result = next(r for r in plan.after.targets if r.target.target_id == "5g-2030")
    assert result.figures[0].share >= 0.99
    assert not plan.notes
    assert plan.answer.bound <= plan.answer.cost
    few = planned(assessment, sites=len(plan.sites), frequency_mhz=700.0)
    assert few.people_measured >= plan.people_measured * 0.99


def test_fair_plan_lifts_the_worst_commune_higher_than_most_people_does(
    assessment: Assessment,
) -> None:
    fair, most = planned(assessment, fair_vnd=12e9), planned(assessment, budget_vnd=12e9)
    lowest = [plan.communes["share_after"].min() for plan in (fair, most)]
    assert lowest[0] > lowest[1]
    assert lowest[0] == pytest.approx(fair.objective, abs=0.01)
    assert fair.objective <= fair.answer.bound <= 1
    assert fair.sites["cost_vnd"].sum() <= 12e9
    assert most.people_measured > fair.people_measured


def test_communes_that_no_candidate_can_lift_are_named(assessment: Assessment) -> None:
    plan = planned(assessment, target="5g-2030", spacing_m=50_000.0)
    assert "cannot reach the target" in plan.notes[0]
    why = plan.communes.set_index("commune_name")["why_left"]
    assert (why == "no_candidate_near").any()


def test_nothing_new_stands_in_a_forbidden_area(assessment: Assessment) -> None:
    everywhere = gpd.GeoDataFrame(geometry=[shapely.box(104, 19, 106, 21)], crs="EPSG:4326")
    plan = planned(assessment, sites=5, forbidden=everywhere)
    assert set(plan.sites["kind"]) == {"upgrade"}


def test_operator_shares_the_masts_of_others_and_upgrades_its_own(assessment: Assessment) -> None:
    plan = planned(assessment, sites=6, operator="A", spacing_m=50_000.0)
    kinds = plan.sites.set_index("site_id")["kind"]
    assert kinds["S1+5G|A"] == "share"
    assert kinds["S2+5G|A"] == "upgrade"
    assert set(plan.sites["operator"]) == {"A"}


def test_given_points_are_looked_at_and_pay_for_power(assessment: Assessment) -> None:
    hills = gpd.GeoDataFrame(
        {"point_id": "P1", "point_name": ["Trường học", "Đồi"], "has_power": [True, False]},
        geometry=gpd.points_from_xy([504_500, 504_600], [2_201_000, 2_201_000]), crs="EPSG:5897",
    )  # fmt: skip
    build_vnd = {
        name: planned(assessment, sites=9, points=points, spacing_m=50_000.0).sites.set_index(
            "site_id"
        )["build_vnd"][name]
        for name, points in (("P1 Trường học", hills.iloc[:1]), ("P1 Đồi", hills.iloc[1:]))
    }
    assert build_vnd["P1 Đồi"] - build_vnd["P1 Trường học"] == pytest.approx(4e8, abs=2e7)


def test_phases_hold_their_budgets_and_come_in_order(assessment: Assessment) -> None:
    phases = (("2027", 4e9), ("2028", 0.0), ("2029", 9e9))
    plan = planned(assessment, phases=phases)
    spent = plan.sites.groupby("phase", sort=False)["cost_vnd"].sum()
    assert list(spent.index) == [name for name in ("2027", "2028", "2029") if name in spent.index]
    assert "2028" not in spent.index or spent["2027"] + spent["2028"] <= 4e9
    assert spent["2027"] <= 4e9
    assert spent.sum() <= 13e9
    assert len(spent) > 1


def test_ranks_under_no_doubt_are_the_order_of_the_plan(assessment: Assessment) -> None:
    certain = COSTS.assign(spread=0.0)
    plan = planned(assessment, budget_vnd=9e9, costs=certain, draws=5, range_spread=0.0)
    assert set(plan.sites["share_chosen"]) <= {0.0, 1.0}
    doubtful = planned(assessment, budget_vnd=9e9, draws=40)
    assert ((doubtful.sites["share_chosen"] > 0) & (doubtful.sites["share_chosen"] < 1)).any()
    assert (doubtful.sites["rank_low"] <= doubtful.sites["rank_high"]).all()
    behind = doubtful.sites["share_chosen"] < 0.5
    assert (doubtful.sites["rank_median"].isna() == behind).all()


def test_prices_do_not_count_where_so_many_sites_are_asked_for(assessment: Assessment) -> None:
    dear = COSTS.assign(build_vnd=COSTS["build_vnd"] * [1, 1, 1, 1000], spread=2.0)
    plans = [planned(assessment, sites=4, costs=costs, draws=10) for costs in (COSTS, dear)]
    ranks = [plan.sites.set_index("site_id")["share_top"] for plan in plans]
    assert ranks[0].equals(ranks[1])
    assert ranks[0].max() > 0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "no question"),
        ({"sites": 2, "budget_vnd": 1e9}, "sites and budget_vnd"),
        ({"sites": 1, "service": "6g"}, "service '6g'; known: 2g"),
        ({"budget_vnd": -1.0}, "budget_vnd: found -1.0"),
        ({"target": "6g-2040"}, "target '6g-2040'; known: broadband-2025, 5g-2030"),
        ({"target": "broadband-2025"}, "asks for broadband_b0 of broadband"),
        ({"budget_vnd": 1e6}, "nothing to build"),
        ({"sites": 2, "operator": "Vietel"}, "operator: found 'Vietel', expected one of A, B"),
        ({"phases": (("2027", 1e9), ("2027", 2e9))}, "expected each name once"),
    ],
)
def test_what_cannot_be_planned_is_refused(
    assessment: Assessment, asked: dict[str, object], message: str
) -> None:
    with pytest.raises(InputFileError, match=message):
        planned(assessment, **asked)


def test_run_without_people_is_refused(assessment: Assessment) -> None:
    blind = ps.assess(
        square_communes(), sites=masts([{"x": 500_500, "y": 2_200_500, "operator": "A",
                                         "technology": "4G", "radius_m": 500.0}]),
        as_of=AS_OF,
    )  # fmt: skip
    with pytest.raises(InputFileError, match="does not know where people live"):
        planned(blind, sites=1)
    with pytest.raises(ValueError, match="only an assessment that `assess` returned"):
        planned(replace(assessment, scenario=None), sites=1)


def test_wrong_costs_are_all_listed() -> None:
    wrong = COSTS.drop(columns="yearly_vnd").assign(build_vnd=[1, "x", -1, 2], kind=list("aabc"))
    with pytest.raises(SchemaError) as caught:
        check_costs(wrong)
    assert [(p.row, p.field) for p in caught.value.problems] == [
        (1, "yearly_vnd"), (3, "build_vnd"), (4, "build_vnd"), (3, "kind")
    ]  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "demo"
    done = CliRunner().invoke(main, ["demo", "--no-map", "-o", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def test_verb_writes_a_plan_that_verifies(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan"
    arguments = ["plan", str(demo), "--sites", "10", "--draws", "3", "--lang", "en", "-o", str(out)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "SYNTHETIC" in done.output
    assert "best possible" in done.output
    assert CliRunner().invoke(main, ["verify", str(out)]).exit_code == 0
    plan = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    assert len(plan["sites"]) == 10
    assert plan["objective"] <= plan["bound"]
    assert plan["people_gained_measured"] == pytest.approx(plan["objective"], rel=0.01)
    assert plan["synthetic"] is True
    layer = gpd.read_file(out / "plan.gpkg")
    assert list(layer["site_id"]) == [site["site_id"] for site in plan["sites"]]
    book = openpyxl.load_workbook(out / "plan.xlsx")
    assert book.sheetnames == ["Build list", "Communes", "Notes"]
    assert book["Build list"].max_row == 11
    assert "assumption" in "".join(str(cell.value) for (cell,) in book["Notes"].iter_rows())
    for name in ("curve.png", "curve.pdf", "before_after.png", "before_after.pdf"):
        assert (out / name).stat().st_size > 10_000
    block = BLOCK.search((out / "map.html").read_text(encoding="utf-8"))
    assert block is not None
    after, before = unpack(block[1])["maps"]
    assert (before["scenario"]["en"], after["scenario"]["vi"]) == ("Before", "Sau kế hoạch")
    assert len(after["sites"]["x"]) > len(before["sites"]["x"])


def test_rows_of_points_that_have_no_place_are_set_aside_and_listed(
    demo: Path, tmp_path: Path
) -> None:
    (tmp_path / "points.csv").write_text(
        "ten,kinh do,vi do,co dien\n<b>{{ 7*7 }}</b>,105.3,20.1,không\nxa,200,20,có\ntrống,,,\n",
        encoding="utf-8",
    )
    out = tmp_path / "plan"
    arguments = ["plan", str(demo), "--sites", "2", "--draws", "0", "--points",
                 str(tmp_path / "points.csv"), "--lang", "vi", "-o", str(out)]  # fmt: skip
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "points (points.csv): 3 dòng vào = 1 dùng + 2 để riêng + 0 bỏ qua" in done.output
    assert re.search(r"nhiều nhất \d+,\d\d %", done.output)
    assert re.search(r"người, \d+,\d\d tỷ đồng", done.output)
    assert len(pd.read_csv(out / "quarantine.csv")) == 2
    page = (out / "map.html").read_text(encoding="utf-8")
    assert "<b>{{ 7*7 }}</b>" not in page


def test_forbidden_polygons_that_cross_themselves_are_refused(demo: Path, tmp_path: Path) -> None:
    bow = shapely.Polygon([(105, 20), (105.5, 20.5), (105.5, 20), (105, 20.5)])
    shapes = gpd.GeoDataFrame(geometry=[bow, shapely.Point(105, 20)], crs="EPSG:4326")
    shapes.to_file(tmp_path / "forbidden.gpkg")
    arguments = ["plan", str(demo), "--sites", "2", "--draws", "0", "--forbidden",
                 str(tmp_path / "forbidden.gpkg"), "-o", str(tmp_path / "plan")]  # fmt: skip
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "row 1, geometry: found Self-intersection" in done.output
    assert "row 2, geometry" in done.output
    assert not (tmp_path / "plan" / "run.json").exists()


def test_run_whose_figures_or_inputs_changed_is_refused(demo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    copy.mkdir()
    for path in demo.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    run = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    run["inputs"]["service"]["sha256"] = "0" * 64
    (copy / "run.json").write_text(json.dumps(run), encoding="utf-8")
    arguments = ["plan", str(copy), "--sites", "3", "-o", str(tmp_path / "plan")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "inputs gone: service (service_synthetic.csv)" in done.output
    assert "--inputs" in done.output


@pytest.mark.parametrize("phase", ["2027", "=5", "2027=x", "2027=-1", "2027=nan"])
def test_phase_that_is_none_is_refused(phase: str, tmp_path: Path) -> None:
    arguments = ["plan", str(tmp_path), "--phase", phase, "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "give a name and an amount in VND" in done.output


def test_embedded_costs_say_that_they_are_assumptions() -> None:
    assert isinstance(COSTS, pd.DataFrame)
    assert COSTS["source"].str.startswith("assumption").all()
    assert set(COSTS["kind"]) == {"upgrade", "share", "point", "new"}

"""Assessments over terrain: the same tables, of signals in place of declared circles."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import even_population, masts, square_communes
from networks import RULES, predict_files, write_study, write_terrain
from shapely import box

from phusong.cli import main
from phusong.errors import InputFileError
from phusong.grid import Grid
from phusong.io.dated import read_run
from phusong.io.settings import Study
from phusong.publish.assessment import Assessment
from phusong.radio.area import Land
from phusong.radio.signal import Reach
from phusong.runs import run_study
from phusong.sentences import tell
from phusong.study import assess
from phusong.terrain_coverage import TerrainModel
from phusong.tracking import track_runs

AS_OF = date(2026, 6, 30)


def model(*, wall_m: float = 150.0) -> TerrainModel:
    """A plain with a wall between the two communes, along x = 502000."""
    grid = Grid(crs="EPSG:5897", x_min=495_000, y_max=2_207_000, cell_m=100, shape=(120, 140))
    ground = np.full(grid.shape, 5.0)
    ground[:, 70] += wall_m
    land = Land(terrain=grid.to_array(ground, unit="m"), kind="ground")
    return TerrainModel(land=land, rules=RULES, reach=Reach(radius_m=6000.0))


def cells(*rows: dict[str, object]) -> gpd.GeoDataFrame:
    plain = {"operator": "A", "technology": "5G", "frequency_mhz": 3500.0, "eirp_dbm": 60.0,
             "bandwidth_mhz": 100.0, "antenna_height_m": 30.0, "radius_m": 900.0}  # fmt: skip
    return masts([plain | row for row in rows])


WEST = {"x": 500_550.0, "y": 2_201_050.0}
EAST = {"x": 503_450.0, "y": 2_201_050.0}


def run(sites: gpd.GeoDataFrame, **others: object) -> Assessment:
    return assess(
        square_communes(), sites=sites, as_of=AS_OF,
        **({"population": even_population(), "model": model()} | others),
    )  # fmt: skip


def shares(
    assessment: Assessment, service: str = "5g", *, operator: str = "any",
    indicator: str = "share_area",
) -> pd.DataFrame:  # fmt: skip
    rows = assessment.indicators
    is_asked = (rows["service"] == service) & (rows["operator"] == operator)
    columns = ["share", "share_low", "share_high", "evidence", "denominator"]
    return rows[is_asked & (rows["indicator"] == indicator)].set_index("commune_code")[columns]


def test_wall_decides_where_a_circle_would_not() -> None:
    walled, plain = run(cells(WEST)), run(cells(WEST), model=model(wall_m=0.0))
    circles = run(cells(WEST), model=None)
    for indicator in ("share_area", "share_population"):
        behind = [shares(a, indicator=indicator).loc["00002", "share"] for a in (walled, plain)]
        assert behind[1] > 0.9
        assert behind[0] < 0.6
    declared = shares(circles)
    # a circle of 900 m around a place 550 m from the western edge ends before the second commune
    assert declared.loc["00002", "share"] == 0.0
    assert set(shares(walled)["evidence"]) == {"modelled"}
    assert set(declared["evidence"]) == {"declared"}


def test_service_without_a_sector_covers_nobody_and_is_not_unknown() -> None:
    found = shares(run(cells(WEST)), "4g", indicator="share_population")
    assert found[["share", "share_low", "share_high"]].to_numpy().tolist() == [[0.0] * 3] * 2
    assert found["denominator"].tolist() == [1000.0, 2000.0]


def test_gaps_and_targets_follow_the_modelled_shares() -> None:
    walled, plain = run(cells(WEST)), run(cells(WEST), model=model(wall_m=0.0))
    assert "00002" in walled.gaps["commune_code"].tolist()
    least = [a.communes.set_index("commune_code")["share_population_5g"].min()
             for a in (walled, plain)]  # fmt: skip
    assert least[0] < least[1]
    assert any("modelled over terrain (ground), not declared" in n for n in walled.about.notes)
    pictures = walled.coverage[0].sel(service="5g")
    assert float(pictures.min()) == 0.0
    assert 0.99 < float(pictures.max()) <= 1.0


def test_sector_that_cannot_be_predicted_raises_only_the_upper_bound() -> None:
    alone = run(cells(WEST))
    polygon = cells(WEST, EAST)
    at = polygon.columns.get_loc("geometry")
    polygon.iloc[1, at] = box(502_000, 2_200_000, 503_000, 2_202_000)  # half of the second
    for sites in (cells(WEST, EAST | {"frequency_mhz": np.nan, "radius_m": 500.0}), polygon):
        both = run(sites)
        before, after = shares(alone), shares(both)
        for name in ("share", "share_low"):
            assert after[name].to_numpy() == pytest.approx(before[name].to_numpy(), abs=1e-9)
        assert after.loc["00001", "share_high"] == pytest.approx(
            before.loc["00001", "share_high"], abs=1e-9
        )
        more = after.loc["00002", "share_high"] - before.loc["00002", "share_high"]
        disc = np.pi * 500.0**2 / 4e6
        assert more == pytest.approx(disc if sites is not polygon else 0.5, abs=1e-6)
        assert any("1 of 2 sectors" in note for note in both.about.notes)


def test_other_sites_are_modelled_again_as_a_whole_new_assessment() -> None:
    base = run(cells(WEST))
    new = cells(EAST).assign(site_id="N1")
    added, whole = base.with_sites(added=new), run(pd.concat([cells(WEST), new]))
    for indicator in ("share_area", "share_population"):
        found, expected = shares(added, indicator=indicator), shares(whole, indicator=indicator)
        pd.testing.assert_frame_equal(found, expected)
        assert found.loc["00002", "share"] > shares(base).loc["00002", "share"] + 0.3
    assert shares(added.with_sites(removed=["N1"])).equals(shares(base))


def test_no_site_at_all_covers_nobody() -> None:
    found = shares(run(cells(WEST | {"status": "planned"})))
    assert found[["share", "share_high"]].to_numpy().tolist() == [[0.0, 0.0]] * 2


def test_people_without_a_raster_keep_the_bounds_of_the_area() -> None:
    found = shares(run(cells(WEST), population="even"), indicator="share_population")
    area = shares(run(cells(WEST), population="even"))
    assert found["share"].to_numpy() == pytest.approx(area["share"].to_numpy())
    assert found[["share_low", "share_high"]].to_numpy().tolist() == [[0.0, 1.0]] * 2


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("inputs"))


def test_verb_gives_the_shares_of_predict_and_every_output_of_a_run(
    files: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    done = CliRunner().invoke(main, [
        "assess", "--communes", str(files / "communes.gpkg"), "--sites", str(files / "sites.csv"),
        "--terrain", str(files / "dem.tif"), "--terrain-kind", "ground", "--crs", "EPSG:5897",
        "--as-of", "2026-06-30", "--lang", "en", "-o", str(out),
    ])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert {"map.html", "gaps.xlsx", "communes.csv", "run.json"} <= {p.name for p in out.iterdir()}
    assert predict_files(files, tmp_path / "predict", "--no-map", radius="15000").exit_code == 0
    keys = ["commune_code", "indicator", "service", "operator"]
    run_rows = pd.read_parquet(out / "indicators.parquet").set_index(keys)
    predicted = pd.read_parquet(tmp_path / "predict" / "shares.parquet").set_index(keys)
    both = run_rows.join(predicted.add_suffix("_predicted"), how="inner")
    area = both.xs("share_area", level="indicator")
    assert len(area) == len(predicted) / 2
    for name in ("share", "share_low"):
        assert area[name].to_numpy() == pytest.approx(area[f"{name}_predicted"].to_numpy())
    # S3 has no frequency: what its circle would cover is in the upper bound of the run
    assert (area["share_high"] >= area["share_high_predicted"] - 1e-9).all()
    account = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert {"terrain", "communes", "sites[0]"} <= set(account["inputs"])
    assert account["parameters"]["terrain_kind"] == "ground"
    notes = json.loads((out / "summary.json").read_text(encoding="utf-8"))["notes"]
    assert any("SS-RSRP -110 dBm (low: -100 dBm)" in note for note in notes)
    assert not any("radius" in note for note in notes)
    of_model = notes[next(i for i, n in enumerate(notes) if n.startswith("coverage is modelled")) :]
    assert [note for note in of_model[:6] if tell(note, "vi") == note] == []
    assert "1 trong 4 ô bị bỏ ra ngoài mô hình (S3): không có tần số" in [
        tell(note, "vi") for note in of_model
    ]


def test_clutter_lowers_the_shares_as_in_a_prediction_and_tiles_are_kept(
    files: Path, tmp_path: Path
) -> None:
    write_terrain(tmp_path / "clutter.tif", wall_m=25.0)
    shares = {}
    for name, more in (("open", []), ("clutter", ["--clutter", str(tmp_path / "clutter.tif")])):
        done = CliRunner().invoke(main, [
            "assess", "--communes", str(files / "communes.gpkg"), "--sites",
            str(files / "sites.csv"), "--terrain", str(files / "dem.tif"), "--terrain-kind",
            "ground", "--crs", "EPSG:5897", "--as-of", "2026-06-30", "--no-map", "--tiles",
            str(tmp_path / "tiles"), "-o", str(tmp_path / name), *more,
        ])  # fmt: skip
        assert done.exit_code == 0, done.output
        rows = pd.read_parquet(tmp_path / name / "indicators.parquet")
        rows = rows[(rows["indicator"] == "share_area") & (rows["service"] == "5g")]
        shares[name] = rows["share"].sum()
    assert shares["clutter"] < shares["open"]
    assert len(list((tmp_path / "tiles").glob("*.npz"))) == 2
    account = json.loads((tmp_path / "clutter" / "run.json").read_text(encoding="utf-8"))
    assert "clutter" in account["inputs"]
    assert account["parameters"]["clutter_kind"] == "heights"


def test_plan_on_a_run_over_terrain_is_measured_over_terrain(files: Path, tmp_path: Path) -> None:
    command = ["assess", "--communes", str(files / "communes.gpkg"), "--sites",
               str(files / "sites.csv"), "--terrain", str(files / "dem.tif"), "--terrain-kind",
               "ground", "--population", "even", "--crs", "EPSG:5897", "--as-of", "2026-06-30",
               "--no-map", "-o", str(tmp_path / "run")]  # fmt: skip
    assert CliRunner().invoke(main, command).exit_code == 0
    planned = CliRunner().invoke(main, [
        "plan", str(tmp_path / "run"), "--sites", "1", "--inputs", str(files), "-o",
        str(tmp_path / "plan"), "--lang", "en", "--json",
    ])  # fmt: skip
    assert planned.exit_code == 0, planned.output
    notes = " ".join(json.loads((tmp_path / "plan" / "plan.json").read_text())["notes"])
    assert "that its signal reaches over terrain" in notes


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"terrain": Path("dem.tif"), "terrain_kind": "lidar"}, "expected ground or surface"),
        ({"radio": Path("radio.toml")}, "without a terrain nothing is modelled"),
        ({"clutter": Path("c.tif")}, "clutter: without a terrain nothing is modelled"),
        ({"clutter_kind": "trees"}, "expected heights or classes"),
    ],
)
def test_study_with_a_setting_that_cannot_be_is_refused(
    settings: dict[str, object], said: str
) -> None:
    with pytest.raises(InputFileError, match=said):
        Study(communes=Path("c.gpkg"), sites=(Path("s.csv"),), as_of=AS_OF, **settings)


def test_terrain_of_a_later_date_is_a_redefinition_and_nothing_built(
    files: Path, tmp_path: Path
) -> None:
    circles = Study(
        communes=files / "communes.gpkg", sites=(files / "sites.csv",), crs="EPSG:5897",
        as_of=date(2026, 3, 31), population="even",
    )  # fmt: skip
    runs = {
        "2026-q1": circles,
        "2026-q2": replace(circles, as_of=date(2026, 6, 30), terrain=files / "dem.tif"),
        "2026-q3": replace(circles, as_of=date(2026, 9, 30), terrain=files / "dem.tif",
                           terrain_kind="ground"),
    }  # fmt: skip
    for name, study in runs.items():
        run_study(study, tmp_path / name, with_map=False)
    tracked = track_runs([read_run(tmp_path / name, search=(files,)) for name in runs])
    rows = tracked.changes
    area = rows[(rows["target_id"] == "5g-2030") & (rows["reading"] == 2)]
    area = area[area["commune_code"] == ""]
    assert (area["built"] == 0.0).all()
    assert area["redefined"].tolist() == pytest.approx(area["change"].tolist())
    assert abs(area["change"].iloc[0]) > 0.05

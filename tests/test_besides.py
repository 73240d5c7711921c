"""A whole run with villages, places, measurements and challenges: files in, tables out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from conftest import square_communes

from phusong.errors import SchemaError
from phusong.io.settings import Study, read_study
from phusong.runs import Outcome, run_study

CENTRE = (501_000.0, 2_201_000.0)  # of commune 00001; 00002 lies east of it


def lon_lat(east: float, north: float = 0.0) -> str:
    """Degrees of a place so many metres from the centre of commune 00001."""
    point = gpd.GeoSeries([shapely.Point(CENTRE[0] + east, CENTRE[1] + north)], crs="EPSG:5897")
    place = point.to_crs(4326).iloc[0]
    return f"{place.x:.7f},{place.y:.7f}"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """One 5G mast of A, 1,400 m, declared; a drive around it, of which the west misses."""
    folder = tmp_path_factory.mktemp("study")
    square_communes().to_parquet(folder / "communes.parquet")
    files = {
        "sites.csv": f"site_id,operator,technology,lon,lat,radius_m\nS1,A,5G,{lon_lat(0)},1400\n",
        "villages.csv": "village_id,cluster_id,village_name,lon,lat\n"
        f"T1,,Thôn 1,{lon_lat(0)}\nT1,a,Thôn 1,{lon_lat(2900)}\nT2,,Thôn 2,{lon_lat(2900)}\n",
        "places.csv": f"place_id,place_name,category,lon,lat\nP1,Trường,school,{lon_lat(100)}\n",
        "drive.csv": "operator,technology,lon,lat,rsrp_dbm,day\n"
        + "".join(
            f"A,5G,{lon_lat(x, y)},{rsrp},2026-06-{n + 1:02d}\n"
            for n, (x, y, rsrp) in enumerate(
                (x + step, y, -125 if x < 0 else -80)
                for step in (0, 60, 120, 180, 240, 300, 360, 420)
                for x in (-500, 500)
                for y in (-500, 500)
            )
            if n < 30
        )
        + f"A,5G,{lon_lat(-700, -700)},-125,2026-06-30\n",
        "challenges.csv": "challenger,commune_code,operator,technology,day,outcome\n"
        "B,00001,A,5G,2026-06-01,open\n",
        "study.toml": '[study]\nas_of = 2026-06-30\n[files]\ncommunes = "communes.parquet"\n'
        'sites = "sites.csv"\n'
        'population = "even"\nvillages = "villages.csv"\nplaces = "places.csv"\n'
        'measurements = "drive.csv"\nchallenges = "challenges.csv"\n',
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return read_study(folder / "study.toml")


@pytest.fixture(scope="module")
def outcome(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run_study(study, tmp_path_factory.mktemp("out"), with_map=False)


def table(outcome: Outcome, name: str) -> pd.DataFrame:
    kinds = {"commune_code": "str", "village_id": "str"}
    return pd.read_csv(outcome.folder / f"{name}.csv", dtype=kinds, encoding="utf-8-sig")


def test_every_file_is_accounted_for(outcome: Outcome) -> None:
    layers = {report.layer: report.rows_used for report in outcome.reports}
    assert layers["villages"] == 3
    assert layers["places"] == 1
    assert layers["measurements"] == 31
    assert layers["challenges"] == 1


def test_villages_and_places_of_a_run(outcome: Outcome) -> None:
    states = table(outcome, "villages").query("service == '5g'").set_index("village_id")["state"]
    assert states.to_dict() == {"T1": "lom_song", "T2": "trang_song"}
    places = table(outcome, "places").set_index("service")["verdict"]
    assert places.to_dict() == {"mbb": "served", "4g": "not_served", "5g": "served"}


def test_an_open_challenge_and_samples_lower_the_bound_and_nothing_else(
    outcome: Outcome, study: Study, tmp_path: Path
) -> None:
    without = replace(study, measurements=None, challenges=None)
    plain = run_study(without, tmp_path / "out", with_map=False)
    audit = table(outcome, "audit").set_index("commune_code").loc["00001"]
    assert audit["is_applied"]
    assert audit["n_open"] == 1
    keys = ["commune_code", "indicator", "service", "operator"]
    before = plain.assessment.indicators.set_index(keys)
    after = outcome.assessment.indicators.set_index(keys)
    assert after["share"].equals(before["share"])
    own = ("00001", "share_area", "5g", "A")
    assert np.isnan(before.loc[own, "share_low"])
    expected = before.loc[own, "share"] * audit["hit_rate_low"]
    assert after.loc[own, "share_low"] == pytest.approx(expected)
    assert after.loc[own, "share_high"] == before.loc[own, "share"]
    assert after.loc[("00001", "share_area", "5g", "any"), "share_low"] == pytest.approx(expected)
    assert np.isnan(after.loc[("00002", "share_area", "5g", "A"), "share_low"])
    assert not (plain.folder / "evidence.csv").exists()
    assert any("audited" in note for note in outcome.assessment.about.notes)


def test_with_other_sites_the_audit_still_counts(outcome: Outcome) -> None:
    again = outcome.assessment.with_sites()
    pd.testing.assert_frame_equal(again.indicators, outcome.assessment.indicators)


def test_a_wrong_file_stops_the_run(study: Study, tmp_path: Path) -> None:
    wrong = tmp_path / "villages.csv"
    wrong.write_text("village_name,lon,lat\nThôn,105,19.8\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="village_id"):
        run_study(replace(study, villages=wrong), tmp_path / "out", with_map=False)

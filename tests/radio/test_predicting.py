"""The verb predict on a small study: every output, every row's account, and bad inputs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from click.testing import CliRunner, Result
from networks import predict_files as predict
from networks import write_study, write_terrain

from phusong import predicting
from phusong.cli import main
from phusong.io.manifest import verify_run

OUTPUTS = {
    "signal_5g.tif", "server_5g.tif", "signal_mbb.tif", "server_mbb.tif", "signal_5g.png",
    "signal_mbb.png", "signal_4g.tif", "server_4g.tif", "signal_4g.png", "sectors.csv",
    "left_out.csv", "quarantine.csv", "repairs.csv", "shares.csv", "shares.parquet",
    "predict.json", "run.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def done(files: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("out")
    return out, predict(files, out, "--lang", "en")


def test_prediction_writes_every_output_and_the_manifest_holds(done: tuple[Path, Result]) -> None:
    out, result = done
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == OUTPUTS
    assert verify_run(out) == []


def test_every_row_of_the_sheet_is_accounted_for(done: tuple[Path, Result]) -> None:
    out, result = done
    sectors, left_out = pd.read_csv(out / "sectors.csv"), pd.read_csv(out / "left_out.csv")
    quarantine = pd.read_csv(out / "quarantine.csv")
    assert sectors["site_id"].tolist() == ["S1", "S1", "S2"]
    assert left_out.to_numpy().tolist() == [["S3", 1, "have no frequency"]]
    assert quarantine[["row", "field"]].to_numpy().tolist() == [[6, "antenna_height_m"]]
    assert "sites (sites.csv): 5 rows in = 4 used + 1 set aside + 0 ignored" in result.output
    assert "1 sectors are not predicted: left_out.csv" in result.output
    summary = json.loads((out / "predict.json").read_text(encoding="utf-8"))
    assert summary["n_left_out"] == 1
    assert summary["rows"]["sites (sites.csv)"]["rows_quarantined"] == 1
    assert any("1 of 4 sectors have no frequency" in note for note in summary["notes"])


def test_servers_are_rows_of_the_sectors_and_stand_where_they_should(
    done: tuple[Path, Result],
) -> None:
    out, _ = done
    sectors = pd.read_csv(out / "sectors.csv").set_index("server_id")
    with rasterio.open(out / "server_5g.tif") as raster:
        assert raster.crs.to_epsg() == 5897
        assert raster.tags()["note"].startswith("modelled by phusong, 5g, 2026-06-30")
        at = {name: raster.index(*place) for name, place in
              {"east": (501_000, 2_201_000), "west": (500_100, 2_201_000)}.items()}  # fmt: skip
        server = raster.read(1)
    assert sectors.loc[server[at["east"]], "azimuth_deg"] == 90.0
    assert sectors.loc[server[at["west"]], "azimuth_deg"] == 270.0


def test_wall_takes_the_signal_from_the_commune_behind_it(
    files: Path, done: tuple[Path, Result], tmp_path: Path
) -> None:
    plain = write_terrain(tmp_path / "plain.tif", wall_m=0.0)
    result = predict(files, tmp_path / "plain", "--no-map", terrain=plain)
    assert result.exit_code == 0, result.output
    shares = []
    for folder in (done[0], tmp_path / "plain"):
        rows = pd.read_csv(folder / "shares.csv", dtype={"commune_code": "str"})
        rows = rows[(rows["service"] == "5g") & (rows["operator"] == "any")]
        assert set(rows["evidence"]) == {"modelled"}
        area = rows[rows["indicator"] == "share_area"].set_index("commune_code")
        assert (area["share_low"] <= area["share"] + 1e-9).all()
        assert (area["share"] <= area["share_high"] + 1e-9).all()
        shares.append(area["share"])
    walled, open_ = shares
    assert walled["00001"] == pytest.approx(open_["00001"], abs=0.02)
    assert open_["00002"] > 0.7  # a quarter lies beyond 3 km
    assert walled["00002"] < open_["00002"] - 0.2
    assert not (tmp_path / "plain" / "signal_5g.png").exists()


def test_summary_says_thresholds_assumptions_and_what_was_not_looked_at(
    done: tuple[Path, Result],
) -> None:
    out, result = done
    summary = json.loads((out / "predict.json").read_text(encoding="utf-8"))
    assert (summary["evidence"], summary["synthetic"]) == ("modelled", False)
    assert summary["sample_m"] == pytest.approx(100 / 3)
    five = summary["services"]["5g"]
    assert five["thresholds"][0]["threshold_dbm"] == -110.0
    assert [t["quantity"] for t in summary["services"]["mbb"]["thresholds"]] == ["RSRP", "SS-RSRP"]
    assert "mbb: RSRP ≥ -105 dBm or SS-RSRP ≥ -110 dBm, 3 sectors" in result.output
    # beyond 3 km of S1 lies what is east of x = 503500: a quarter of the second commune, and less
    assert 0.1 < five["share_of_area_beyond_radius"] < 0.16
    assert five["share_of_area_at"]["50%"] >= five["share_of_area_at"]["95%"]
    assert summary["services"]["5g"]["share_area"]["share"] == pytest.approx(
        _mean(out, "5g"), abs=1e-5
    )


def _mean(out: Path, service: str) -> float:
    rows = pd.read_csv(out / "shares.csv")
    rows = rows[(rows["service"] == service) & (rows["operator"] == "any")]
    area = rows[rows["indicator"] == "share_area"]
    return float((area["share"] * area["denominator"]).sum() / area["denominator"].sum())


def test_same_inputs_give_the_same_bytes(
    files: Path, done: tuple[Path, Result], tmp_path: Path
) -> None:
    assert predict(files, tmp_path, "--lang", "en").exit_code == 0
    for name in OUTPUTS - {"run.json"}:
        assert (tmp_path / name).read_bytes() == (done[0] / name).read_bytes(), name


def test_tiles_that_are_kept_change_no_byte(
    files: Path, tmp_path: Path, done: tuple[Path, Result]
) -> None:
    for name in ("first", "again"):
        result = predict(files, tmp_path / name, "--lang", "en", tiles=tmp_path / "tiles")
        assert result.exit_code == 0, result.output
        assert list((tmp_path / "tiles").glob("*.npz"))
        for output in OUTPUTS - {"run.json"}:
            assert (tmp_path / name / output).read_bytes() == (done[0] / output).read_bytes()


def test_profiles_for_every_cell_give_nearly_the_same(
    files: Path, done: tuple[Path, Result], tmp_path: Path
) -> None:
    assert predict(files, tmp_path, "--exact", "--no-map").exit_code == 0
    summary = json.loads((tmp_path / "predict.json").read_text(encoding="utf-8"))
    assert summary["method"] == "exact"
    bands = []
    for folder in (done[0], tmp_path):
        with rasterio.open(folder / "signal_5g.tif") as raster:
            bands.append(raster.read(1))
    both = ~np.isnan(bands[0])
    assert np.array_equal(both, ~np.isnan(bands[1]))
    assert abs((bands[0] - bands[1])[both].mean()) < 0.2
    assert (abs(bands[0] - bands[1])[both] < 3.0).mean() >= 0.93


def test_without_communes_the_area_is_that_of_the_masts(files: Path, tmp_path: Path) -> None:
    result = predict(files, tmp_path, "--no-map", communes="", radius="1500")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "shares.csv").exists()
    summary = json.loads((tmp_path / "predict.json").read_text(encoding="utf-8"))
    # masts are 3 km apart and half a kilometre to the north, and 1.5 km lie on every side
    assert summary["shape"] in ([36, 61], [35, 61], [36, 60], [35, 60])


def test_strict_says_that_a_row_was_set_aside(files: Path, tmp_path: Path) -> None:
    assert predict(files, tmp_path, "--no-map", "--strict", "--json").exit_code == 1


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ({"cell": "0"}, "cell_m: found 0, expected 5 to 10000"),
        ({"cell": "nan"}, "cell_m: found nan"),
        ({"radius": "-1"}, "radius_m: found -1"),
        ({"radius": "inf"}, "radius_m: found inf"),
        ({"sampling": "2"}, "sampling: found 2, expected an odd number"),
        ({"as_of": "1990-01-01", "sites": "late.csv"}, "none is on air on 1990-01-01"),
        ({"sites": "mute.csv"}, "none can be predicted: 1 of 1 sectors have no frequency"),
        ({"communes": "", "population": "dem.tif"}, "give the communes too"),
        ({"terrain": "short.tif"}, "does not cover all communes"),
        ({"terrain": "sites.csv"}, r"sites\.csv: "),
        ({"terrain": "nothing.tif"}, r"nothing\.tif: no such file"),
        ({"register": "broken.toml"}, "not a register of predictions"),
        ({"clutter": "dem.tif"}, "expected 0 to 200 m above the ground|heights"),
    ],
    ids=str,
)
def test_what_cannot_be_predicted_is_refused_in_words(
    files: Path, tmp_path: Path, replaced: dict[str, str], said: str
) -> None:
    (tmp_path / "late.csv").write_text(
        "site_id,sector_id,operator,technology,x,y,frequency_mhz,on_air_date\n"
        "S1,1,A,5G,500500,2201000,3500,2025-01-01\n",
        encoding="utf-8",
    )
    (tmp_path / "mute.csv").write_text(
        "site_id,sector_id,operator,technology,x,y\nS1,1,A,5G,500500,2201000\n", encoding="utf-8"
    )
    (tmp_path / "broken.toml").write_text("[settings]\nload = 2\n", encoding="utf-8")
    write_terrain(tmp_path / "short.tif", west=502_500.0)
    if replaced.get("clutter"):
        write_terrain(tmp_path / "dem.tif", wall_m=900.0)
    places = {
        name: next((str(f / value) for f in (tmp_path, files) if (f / value).is_file()), value)
        for name, value in replaced.items()
    }
    result = predict(files, tmp_path / "out", "--no-map", **places)
    assert result.exit_code == 2, result.output
    assert pd.Series([result.output]).str.contains(said).all(), result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out" / "run.json").exists()


def test_surface_model_with_clutter_is_refused(files: Path, tmp_path: Path) -> None:
    canopy = write_terrain(tmp_path / "canopy.tif", wall_m=10.0)
    result = predict(files, tmp_path / "out", clutter=canopy, terrain_kind="surface")
    assert result.exit_code == 2
    assert "a surface model has trees and roofs in it already" in result.output
    on_ground = predict(files, tmp_path / "out", "--no-map", clutter=canopy)
    assert on_ground.exit_code == 0, on_ground.output


@pytest.mark.parametrize("more", [["--quarters", "2"], ["--boundaries", "official"]], ids=" ".join)
def test_demo_over_terrain_is_of_one_date_and_schematic(more: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["demo", "--radio", *more, "-o", str(tmp_path)])
    assert done.exit_code == 2
    assert "--radio: only with the embedded boundaries, of one date" in done.output


def test_demo_over_terrain_says_synthetic_wherever_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coarse = replace(predicting.demo_plan(), cell_m=2000.0)
    monkeypatch.setattr(predicting, "demo_plan", lambda: coarse)
    done = CliRunner().invoke(main, ["demo", "--radio", "--lang", "en", "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "SYNTHETIC DATA" in done.output
    assert json.loads((tmp_path / "predict.json").read_text(encoding="utf-8"))["synthetic"]
    for name in ("shares.csv", "sectors.csv"):
        assert pd.read_csv(tmp_path / name)["synthetic"].all()
    assert "synthetic" in (tmp_path / "left_out.csv").read_text(encoding="utf-8-sig")
    assert {path.name for path in tmp_path.glob("*.png")} == {
        f"signal_{name}.png" for name in ("2g", "3g", "4g", "5g", "5g_nsa", "5g_sa", "mbb")
        if (tmp_path / f"signal_{name}.tif").exists()
    }  # fmt: skip
    for path in tmp_path.glob("*.tif"):
        with rasterio.open(path) as raster:
            assert raster.tags()["note"].startswith("synthetic: "), path.name
    shares = pd.read_csv(tmp_path / "shares.csv")
    five = shares[(shares["service"] == "5g") & (shares["operator"] == "any")]
    assert five.groupby("indicator")["commune_code"].nunique().tolist() == [166, 166]


def test_summary_is_told_in_vietnamese(files: Path, tmp_path: Path) -> None:
    told = predict(files, tmp_path, "--no-map").output
    summary = json.loads((tmp_path / "predict.json").read_text(encoding="utf-8"))
    share = f"{100 * summary['services']['5g']['share_area']['share']:.1f}".replace(".", ",")
    assert f"  diện tích, mô hình: {share} % [" in told
    assert "mbb: RSRP ≥ -105 dBm hoặc SS-RSRP ≥ -110 dBm, 3 ô" in told
    assert "1 ô không tính được mức thu: xem left_out.csv" in told
    assert "1 trong 4 ô bị bỏ ra ngoài mô hình (S3): không có tần số" in told
    assert "ở xa mọi cột hơn bán kính tính" in told

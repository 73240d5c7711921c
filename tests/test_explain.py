"""From a commune's figure back to formula, cells, rows and files."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from conftest import square_communes
from networks import write_study

from phusong.cli import main
from phusong.errors import InputFileError
from phusong.explaining import explain, find_commune
from phusong.io.settings import Study
from phusong.runs import demo_study, run_study

SITES = """site_id,sector_id,operator,technology,x,y,radius_m,frequency_mhz,azimuth_deg
S1,1,A,5G,500500,2201000,500,3500,
S2,1,B,5G,501500,2200500,,3500,90
S3,1,A,4G,509000,2201000,300,1800,
S4,1,C,5G,500500,2201000,9999999,3500,
"""
SERVICE = """commune_code,commune_name,operator,technology,downlink_mbps,at_centre,as_of
00001,Xã 1,VNPT,FTTH,150,có,2026-06-30
00002,Xã 2,VNPT,FTTH,150,không,2026-06-30
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the two square communes, from sheets that lie beside it."""
    folder = tmp_path_factory.mktemp("explained")
    square_communes().to_file(folder / "communes.gpkg", driver="GPKG")
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "service.csv").write_text(SERVICE, encoding="utf-8")
    study = Study(
        communes=folder / "communes.gpkg", sites=(folder / "sites.csv",),
        service=folder / "service.csv", crs="EPSG:5897", as_of=date(2026, 6, 30),
        population="even",
    )  # fmt: skip
    run_study(study, folder / "run", with_map=False)
    return folder / "run"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "run"
    run_study(demo_study(), out, with_map=False)
    return out


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, words)])


def test_figure_is_numerator_over_denominator_and_its_cells_are_named(run: Path) -> None:
    area_km2 = float(square_communes().to_crs("EPSG:5897").area.iloc[0]) / 1e6
    account = explain(run, "00001", service="5g")
    area = next(f for f in account["figures"] if f["indicator"] == "share_area")
    assert area["denominator"] == pytest.approx(area_km2, rel=1e-3)
    assert area["numerator"] / area["denominator"] == pytest.approx(area["share"], rel=1e-12)
    first = account["cells"][0]
    named = (
        first["site_id"],
        first["source_file"],
        first["source_row"],
        first["is_default_radius"],
    )
    assert named == ("S1", "sites.csv", 2, False)
    # a disc of 500 m, whole inside the commune
    assert first["km2_alone"] == pytest.approx(math.pi * 0.25, rel=1e-6)
    assert first["distance_km"] == 0.0
    default = next(cell for cell in account["cells"] if cell["site_id"] == "S2")
    assert default["is_default_radius"]
    assert default["radius_low_m"] < default["radius_m"] < default["radius_high_m"]
    assert {cell["site_id"] for cell in account["cells"]} == {"S1", "S2"}
    assert account["cells_are"] == "footprints"


def test_rows_targets_and_files_are_those_of_the_run(run: Path) -> None:
    account = explain(run, "xa 1")
    rows = [(r["source_file"], r["source_row"], r["operator"]) for r in account["service_rows"]]
    assert rows == [("service.csv", 2, "VNPT")]
    states = {t["target_id"]: t["commune"] for t in account["targets"]}
    assert states["5g-2030"] == "undetermined"
    assert states["low-cost-2030"] == "undetermined"  # nobody gave a price: nothing was met
    assert states["broadband-2025"] == "met"
    assert {entry["state"] for entry in account["inputs"]} == {"as it was"}
    assert {entry["what"] for entry in account["inputs"]} == {"communes", "service", "sites[0]"}
    operators = explain(run, "00001", indicator="share_area", operator="B")
    assert {f["operator"] for f in operators["figures"]} == {"B"}
    assert {cell["operator"] for cell in operators["cells"]} == {"B"}


def test_every_commune_of_the_demo_divides_and_no_cell_covers_more_than_all(demo: Path) -> None:
    table = pd.read_parquet(demo / "communes.parquet")
    for code in table["commune_code"].iloc[::40]:
        account = explain(demo, code, indicator="share_area", service="5g")
        (area,) = account["figures"]
        assert area["numerator"] / area["denominator"] == pytest.approx(area["share"], rel=1e-12)
        alone = [cell["km2_alone"] for cell in account["cells"]]
        # the official area and that of the polygon in the plane differ by less than a thousandth
        assert max(alone, default=0.0) <= area["numerator"] * 1.001
        assert sum(alone) >= area["numerator"] * 0.999
        published = table.set_index("commune_code").loc[code, "share_area_5g"]
        assert area["share"] == published


def test_both_languages_say_the_same_figures(demo: Path) -> None:
    told = {lang: call(demo, "14797", "--lang", lang) for lang in ("vi", "en")}
    assert [done.exit_code for done in told.values()] == [0, 0]
    vi, en = (done.output for done in told.values())
    assert len(vi.splitlines()) == len(en.splitlines())
    rows = [line for line in en.splitlines() if "sites_synthetic.csv, row" in line]
    assert len(rows) == 12
    for row in rows:
        site, number = row.split()[1], row.rpartition("row ")[2]
        assert any(f"{site} / " in line and line.endswith(f"dòng {number}")
                   for line in vi.splitlines())  # fmt: skip
    assert "DỮ LIỆU GIẢ LẬP" in vi
    assert "SYNTHETIC DATA" in en
    assert "{" not in vi + en


def test_json_is_the_account(run: Path) -> None:
    done = call(run, "00002", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output) == json.loads(json.dumps(explain(run, "00002")))


def test_commune_is_found_by_code_name_and_without_accents() -> None:
    communes = pd.DataFrame(
        {"commune_code": ["1", "2", "3", "4"],
         "commune_name": ["Xã Tân Thành", "Xã Tân Thạnh", "Phường Hạc Thành", "Xã Hạc Thành"]}
    )  # fmt: skip
    for asked, code in (
        ("3", "3"), ("Xã Tân Thành", "1"), ("tân thạnh", "2"), ("X. Hạc Thành", "4"),
        ("phường hạc thành", "3"),
    ):  # fmt: skip
        assert find_commune(communes, asked)["commune_code"] == code
    with pytest.raises(InputFileError, match="2 communes; say the code: 1 Xã Tân Thành, 2 Xã Tân"):
        find_commune(communes, "tan thanh")
    with pytest.raises(InputFileError, match="2 communes"):
        find_commune(communes, "Hạc Thành")
    with pytest.raises(InputFileError, match="written alike: "):
        find_commune(communes, "Hạc Thàn")
    with pytest.raises(InputFileError, match="no commune of this run"):
        find_commune(communes, "Paris")


def test_run_whose_inputs_are_gone_still_tells_its_figures(run: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "deep" / "run"
    moved.mkdir(parents=True)
    for path in run.iterdir():
        (moved / path.name).write_bytes(path.read_bytes())
    account = explain(moved, "00001")
    assert account["cells"] == []
    assert "inputs gone" in account["cells_are"]
    assert any(entry["state"] == "gone or changed" for entry in account["inputs"])
    assert account["figures"] == explain(run, "00001")["figures"]
    assert explain(moved, "00001", search=(run.parent,))["cells"]
    assert "inputs gone" in call(moved, "00001", "--lang", "en").output


def spoil(folder: Path, how: str) -> None:
    if how == "no folder":
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    elif how == "no run":
        (folder / "run.json").unlink()
    elif how == "no targets":
        (folder / "targets.json").unlink()
    elif how == "another figure":
        table = pd.read_parquet(folder / "indicators.parquet")
        table.assign(share=0.99).to_parquet(folder / "indicators.parquet")
    else:
        (folder / "quarantine.csv").write_text("file,row\n", encoding="utf-8")


@pytest.mark.parametrize(
    "how", ["no folder", "no run", "no targets", "another figure", "another quarantine"]
)
def test_folder_that_is_no_whole_run_is_refused_in_words(
    run: Path, tmp_path: Path, how: str
) -> None:
    copy = tmp_path / "run"
    copy.mkdir()
    for path in run.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    spoil(copy, how)
    done = call(copy, "00001")
    assert done.exit_code == 2, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "phusong:" in done.output


@pytest.mark.parametrize(
    "more", [["--service", "6g"], ["--indicator", "share_of_trees"], ["--operator", "Nobody"]]
)
def test_figure_that_is_not_there_is_refused_with_those_that_are(
    run: Path, more: list[str]
) -> None:
    done = call(run, "00001", *more)
    assert done.exit_code == 2
    assert "share_area" in done.output


def test_rows_set_aside_that_name_the_commune_are_shown(tmp_path: Path) -> None:
    square_communes().to_file(tmp_path / "communes.gpkg", driver="GPKG")
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    bad = SERVICE + "00001,Xã 1,VNPT,6G,150,có,2026-06-30\n"
    (tmp_path / "service.csv").write_text(bad, encoding="utf-8")
    study = Study(
        communes=tmp_path / "communes.gpkg", sites=(tmp_path / "sites.csv",),
        service=tmp_path / "service.csv", crs="EPSG:5897", as_of=date(2026, 6, 30),
    )  # fmt: skip
    outcome = run_study(study, tmp_path / "run", with_map=False)
    assert outcome.n_quarantined == 3  # a radius of 10,000 km, a place outside, no such technology
    told = explain(tmp_path / "run", "00001")["set_aside"]
    assert [(Path(row["file"]).name, row["row"], row["field"], row["found"]) for row in told] == [
        ("service.csv", "4", "technology", "'6G'")
    ]
    assert explain(tmp_path / "run", "00002")["set_aside"] == []


def test_cells_of_several_sheets_keep_their_file(tmp_path: Path) -> None:
    layer: gpd.GeoDataFrame = square_communes()
    layer.to_file(tmp_path / "communes.gpkg", driver="GPKG")
    lines = SITES.splitlines()
    (tmp_path / "a.csv").write_text("\n".join([lines[0], lines[1]]), encoding="utf-8")
    (tmp_path / "b.csv").write_text("\n".join([lines[0], lines[2]]), encoding="utf-8")
    study = Study(
        communes=tmp_path / "communes.gpkg", sites=(tmp_path / "a.csv", tmp_path / "b.csv"),
        crs="EPSG:5897", as_of=date(2026, 6, 30),
    )  # fmt: skip
    run_study(study, tmp_path / "run", with_map=False)
    cells = explain(tmp_path / "run", "00001", service="5g")["cells"]
    found = {cell["site_id"]: (cell["source_file"], cell["source_row"]) for cell in cells}
    assert found == {"S1": ("a.csv", 2), "S2": ("b.csv", 2)}


def test_over_terrain_the_cells_in_range_are_told_as_such(tmp_path: Path) -> None:
    files = write_study(tmp_path)
    done = CliRunner().invoke(main, [
        "assess", "--communes", str(files / "communes.gpkg"), "--sites", str(files / "sites.csv"),
        "--terrain", str(files / "dem.tif"), "--terrain-kind", "ground", "--crs", "EPSG:5897",
        "--as-of", "2026-06-30", "--no-map", "-o", str(tmp_path / "run"),
    ])  # fmt: skip
    assert done.exit_code == 0, done.output
    account = explain(tmp_path / "run", "00001", service="5g")
    assert account["cells_are"] == "signals"
    assert all(cell["km2_alone"] is None for cell in account["cells"])
    assert "modelled over terrain" in call(tmp_path / "run", "00001", "--lang", "en").output

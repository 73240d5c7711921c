"""From files to a folder: every output, the account of every row, the same bytes twice."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from conftest import square_communes

from phusong.errors import CrosswalkError, SchemaError
from phusong.io.manifest import verify_run
from phusong.io.settings import Study
from phusong.runs import Outcome, demo_study, run_study

OUTPUTS = {
    "communes.csv", "communes.gpkg", "communes.parquet", "indicators.parquet", "provinces.csv",
    "gaps.csv", "gaps.gpkg", "gaps.xlsx", "targets.json", "quarantine.csv", "repairs.csv",
    "summary.json", "run.json", "map.html", "map.png", "map.pdf", "map.svg", "equity.csv",
    "affordability.csv", "villages.csv", "villages_summary.csv", "villages_by_commune.csv",
    "places.csv", "places_summary.csv", "sites_by_commune.csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run_study(demo_study(), tmp_path_factory.mktemp("demo"))


def test_demo_writes_every_output_and_the_manifest_holds(demo: Outcome) -> None:
    assert {path.name for path in demo.folder.iterdir()} == OUTPUTS
    assert verify_run(demo.folder) == []
    (demo.folder / "gaps.csv").write_bytes((demo.folder / "gaps.csv").read_bytes() + b"x")
    assert verify_run(demo.folder) == ["gaps.csv: was changed after the run"]


def test_two_runs_of_the_demo_write_the_same_bytes(demo: Outcome, tmp_path: Path) -> None:
    again = run_study(demo_study(), tmp_path / "again")
    for name in OUTPUTS - {"run.json", "gaps.csv"}:
        assert (again.folder / name).read_bytes() == (demo.folder / name).read_bytes(), name
    runs = [json.loads((o.folder / "run.json").read_text()) for o in (demo, again)]
    for run in runs:
        del run["started"], run["finished"]
    assert runs[0] == runs[1]


def test_outputs_say_synthetic_and_schematic(demo: Outcome) -> None:
    communes = pd.read_csv(demo.folder / "communes.csv", dtype={"commune_code": "str"})
    assert communes[["synthetic", "schematic"]].all(axis=None)
    assert len(communes) == 166
    assert gpd.read_file(demo.folder / "gaps.gpkg", layer="gaps")["synthetic"].all()
    assert pd.read_parquet(demo.folder / "indicators.parquet")["schematic"].all()
    summary = json.loads((demo.folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["is_synthetic"]
    assert "giả lập" in (demo.folder / "map.html").read_text(encoding="utf-8").lower()
    assert "GIẢ LẬP" in demo.text


def test_summary_tells_each_target_the_worst_and_the_rows(demo: Outcome) -> None:
    targets = {t["target_id"]: t for t in demo.summary["targets"]}
    assert targets["broadband-2025"]["status"] == "missed"
    assert targets["5g-2030"]["status"] == "on_the_way"
    assert len(demo.summary["worst_communes"]) == 10
    for counts in demo.summary["rows"].values():
        assert counts["rows_in"] == (
            counts["rows_used"] + counts["rows_quarantined"] + counts["rows_ignored"]
        )
    reading = targets["5g-2030"]["readings"][0]
    assert reading["share_low"] <= reading["share"] <= reading["share_high"]


def test_gap_list_has_typed_cells_a_frozen_heading_and_filters(demo: Outcome) -> None:
    book = openpyxl.load_workbook(demo.folder / "gaps.xlsx")
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "D2"
    assert sheet.auto_filter.ref.startswith("A1:")
    heading = [cell.value for cell in sheet[1]]
    row = dict(zip(heading, list(sheet[2]), strict=True))
    assert row["Mã xã"].data_type == "s"
    assert row["Người chưa được phủ"].data_type == "n"
    assert row["Tỷ lệ người có 5G"].number_format == "0.0%"
    people = [r[heading.index("Người chưa được phủ")].value or 0 for r in sheet.iter_rows(2)]
    assert people == sorted(people, reverse=True)
    assert any("SYNTHETIC" in str(c.value) for c in book.worksheets[1]["A"])


def write_files(folder: Path, sites: str, service: str) -> Study:
    square_communes().to_file(folder / "communes.gpkg", driver="GPKG")
    (folder / "sites.csv").write_text(sites, encoding="utf-8")
    (folder / "service.csv").write_text(service, encoding="utf-8")
    return Study(
        communes=folder / "communes.gpkg",
        sites=(folder / "sites.csv",),
        service=folder / "service.csv",
        as_of=date(2026, 6, 30),
    )


SITES = """Mã trạm;Nhà mạng;Công nghệ;Kinh độ;Vĩ độ;Bán kính (m)
A1;Viettel;5G;105,0115;19,8985;800
A2;Viettel;LTE;105,0300;19,8990;
A3;Viettel;9G;105,0300;19,8990;900
A4;VNPT;5G;;19,8990;900
"""
SERVICE = """Mã xã;Tên xã;Nhà mạng;Công nghệ;Số hộ có hạ tầng
1;Xã 1;Viettel;Cáp quang;250
00002;Xã 2;VNPT;Cáp quang;0
00009;Xã 9;VNPT;Cáp quang;10
"""


def test_wrong_rows_are_set_aside_counted_and_listed(tmp_path: Path) -> None:
    outcome = run_study(write_files(tmp_path, SITES, SERVICE), tmp_path / "out", with_map=False)
    assert outcome.n_quarantined == 3
    listed = pd.read_csv(outcome.folder / "quarantine.csv")
    assert listed[["layer", "row", "field"]].to_numpy().tolist() == [
        ["sites", 4, "technology"], ["sites", 5, "lon, lat"], ["service", 4, "commune_code"],
    ]  # fmt: skip
    repairs = pd.read_csv(outcome.folder / "repairs.csv", dtype="str")
    assert repairs["found"].tolist() == ["'VNPT'", "'1'"]
    tiers = outcome.assessment.communes.set_index("commune_code")["broadband_b0"]
    assert tiers.to_dict() == {"00001": "yes", "00002": "no"}
    assert not (outcome.folder / "map.html").exists()


def test_plain_mistakes_refuse_the_file_with_all_that_is_wrong(tmp_path: Path) -> None:
    no_place = SITES.replace("Kinh độ", "Cột A").replace("Vĩ độ", "Cột B")
    with pytest.raises(SchemaError, match=r"lon: found no such column(.|\n)*lat: found"):
        run_study(write_files(tmp_path, no_place, SERVICE), tmp_path / "out")
    assert not (tmp_path / "out" / "run.json").exists()


def test_failed_run_leaves_the_old_outputs(tmp_path: Path) -> None:
    good = write_files(tmp_path, SITES, SERVICE)
    run_study(good, tmp_path / "out", with_map=False)
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    with pytest.raises(SchemaError):
        run_study(
            write_files(tmp_path, "a;b\nc;d\nKinh độ;Vĩ độ\n1;2\n", SERVICE), tmp_path / "out"
        )
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before


def test_order_of_rows_and_files_does_not_matter(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    head, *rows = SITES.strip().splitlines()
    study = write_files(first, SITES, SERVICE)
    turned = write_files(second, "\n".join([head, *rows[:1]]), SERVICE)
    (second / "more.csv").write_text("\n".join([head, *rows[:0:-1]]), encoding="utf-8")
    both = Study(communes=turned.communes, sites=(second / "more.csv", *turned.sites),
                 service=turned.service, as_of=turned.as_of)  # fmt: skip
    results = [
        run_study(s, f / "out", with_map=False).assessment.indicators
        for s, f in ((study, first), (both, second))
    ]
    pd.testing.assert_frame_equal(*results)


@pytest.mark.realdata
def test_main_job_on_the_real_communes_with_an_old_service_table(
    shared: Path, tmp_path: Path
) -> None:
    crosswalk = pd.read_csv(
        shared / "data/crosswalk/thanh_hoa_before_to_2025.csv", dtype="str"
    ).drop_duplicates("commune_code_before")
    service = pd.DataFrame(
        {
            "Mã xã": crosswalk["commune_code_before"],
            "Tên xã": crosswalk["commune_name_before"],
            "Nhà mạng": "VNPT",
            "Công nghệ": "FTTH",
            "Số hộ có hạ tầng": 100,
        }
    )
    service.to_excel(tmp_path / "service.xlsx", index=False)
    sites = pd.read_csv(demo_study().sites[0], dtype="str")
    sites.to_excel(tmp_path / "sites.xlsx", index=False)
    study = Study(
        communes=shared / "data/boundaries/thanh_hoa_2025.parquet",
        sites=(tmp_path / "sites.xlsx",),
        service=tmp_path / "service.xlsx",
        population=shared / "data/population/vnm_ppp_2020_1km_Aggregated_UNadj.tif",
        as_of=date(2026, 6, 30),
    )
    found = run_study(study, tmp_path / "out").assessment
    tiers = found.communes["broadband_b0"].value_counts().to_dict()
    parts = pd.read_csv(shared / "data/crosswalk/thanh_hoa_before_to_2025.csv", dtype="str")
    n_unsure = parts.loc[parts["part"] == "partial", "commune_code_2025"].nunique()
    assert tiers == {"yes": 166 - n_unsure, "unknown": n_unsure}  # took a part of a split commune
    assert found.communes["population"].sum() == pytest.approx(3.23e6, rel=0.01)
    mixed = pd.concat([service, service.assign(**{"Mã xã": "14758", "Tên xã": "Hàm Rồng"})[:1]])
    mixed.to_excel(tmp_path / "service.xlsx", index=False)
    with pytest.raises(CrosswalkError, match="2025: 1 rows"):
        run_study(study, tmp_path / "out")

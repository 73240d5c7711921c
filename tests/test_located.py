"""Lists of villages, places, measurements and challenges, as people write them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
from conftest import square_communes

from phusong.errors import InputFileError, SchemaError
from phusong.io.check import check_file
from phusong.io.embedded import embedded_path
from phusong.io.evidence_rules import read_evidence_rules
from phusong.io.located import read_challenges, read_places, read_villages
from phusong.io.measurements import read_measurements
from phusong.io.template import TEMPLATES, write_template
from phusong.layers import LAYERS


@pytest.fixture
def communes() -> gpd.GeoDataFrame:
    return square_communes().to_crs(4326)


def write(folder: Path, text: str, *, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def middle(communes: gpd.GeoDataFrame, at: int = 0) -> tuple[float, float]:
    centre = communes.geometry.iloc[at].centroid
    return round(centre.x, 5), round(centre.y, 5)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_villages_keep_those_that_nobody_has_placed(
    tmp_path: Path, communes: gpd.GeoDataFrame, encoding: str
) -> None:
    x, y = middle(communes)
    rows = [
        "Mã thôn;Cụm dân cư;Tên thôn;Mã xã;Kinh độ;Vĩ độ;Dân số;Có điện;Đặc biệt khó khăn",
        f"T1;;Thôn Một;00001;{x};{y};320;có;không",
        f"T1;a;Thôn Một;00001;{x};{y};;;",
        "T2;;Bản Hai;00002;;;100;không;có",
        "T3;;Bản Ba;00002;ở xa;20;100;không;có",
        f"T1;a;Thôn Một;00001;{x};{y};;;có",
    ]
    path = write(tmp_path, "\n".join(rows), encoding=encoding)
    layer, report = read_villages(path, communes=communes)
    assert layer["village_id"].tolist() == ["T1", "T2"]
    assert layer["has_power"].tolist() == [True, False]
    assert layer["is_hard"].tolist() == [False, True]
    assert layer.geometry.isna().tolist() == [False, True]
    assert {problem.row for problem in report.quarantine} == {3, 5, 6}
    assert any("no place" in note for note in report.notes)


def test_places_may_be_points_zones_and_roads(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    x, y = middle(communes)
    crossed = shapely.Polygon([(x, y), (x + 0.001, y + 0.001), (x + 0.001, y), (x, y + 0.001)])
    shapes = [
        shapely.Point(x, y), shapely.box(x, y, x + 0.002, y + 0.002),
        shapely.LineString([(x, y), (x + 0.01, y)]), crossed, shapely.Point(x, y),
    ]  # fmt: skip
    frame = gpd.GeoDataFrame(
        {"Mã": list("abcde"), "Tên": ["Trường A", "Khu B", "Đường C", "Khu D", "E"],
         "Loại": ["trường học", "Khu kinh tế", "Quốc lộ", "khu công nghiệp", "nhà ga"]},
        geometry=shapes, crs="EPSG:4326",
    )  # fmt: skip
    frame.to_file(tmp_path / "places.geojson", engine="pyogrio")
    layer, report = read_places(tmp_path / "places.geojson", communes=communes)
    assert layer["category"].tolist() == ["school", "priority_zone", "road"]
    assert layer.geom_type.tolist() == ["Point", "Polygon", "LineString"]
    assert {(p.row, p.field) for p in report.quarantine} == {(4, "geometry"), (5, "category")}


def test_drive_tests_and_speed_tests_come_from_one_kind_of_table(
    tmp_path: Path, communes: gpd.GeoDataFrame
) -> None:
    x, y = middle(communes)
    text = (
        "Thời gian,Nhà mạng,Công nghệ,Kinh độ,Vĩ độ,Download (Mbps),RSRP (dBm)\n"
        f"2026-06-30 10:22:03,VTT,5G NSA,{x},{y},120.5,-95\n"
        f"2026-06-30,,LTE,{x},{y},,-101\n"
        f"2026-06-30,Vina,5G,{x},{y},,\n"
        f"2026-06-30,Vina,5G,{x},{y},,5\n"
    )
    layer, report = read_measurements(write(tmp_path, text), communes=communes)
    assert layer["technology"].tolist() == ["5G NSA", "4G"]
    assert layer["operator"].fillna("").tolist() == ["Viettel", ""]
    assert layer["rsrp_dbm"].tolist() == [-95.0, -101.0]
    assert (layer["day"] == pd.Timestamp("2026-06-30")).all()
    assert {problem.row for problem in report.quarantine} == {4, 5}
    with pytest.raises(SchemaError, match="speed or of signal"):
        read_measurements(write(tmp_path, f"operator,lon,lat\nA,{x},{y}\n"))


def test_ookla_tiles_conform_to_the_same_schema(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    tiles = pd.DataFrame(
        {"quadkey": ["1322123211120100", "9"], "avg_d_kbps": [50_000, 1], "avg_u_kbps": [20_000, 1],
         "avg_lat_ms": [20, 1], "tests": [7, 1]}
    )  # fmt: skip
    tiles.to_parquet(tmp_path / "tiles.parquet")
    layer, report = read_measurements(tmp_path / "tiles.parquet")
    assert layer[["downlink_mbps", "n_tests"]].to_numpy().tolist() == [[50.0, 7.0]]
    assert layer["rsrp_dbm"].isna().all()
    assert report.rows_quarantined == 1


def test_challenges_say_where_by_code_or_place(tmp_path: Path, communes: gpd.GeoDataFrame) -> None:
    x, y = middle(communes, 1)
    text = (
        "Người phản ánh,Mã xã,Kinh độ,Vĩ độ,Nhà mạng,Công nghệ,Ngày,Bằng chứng,Kết quả\n"
        "Ông A,00001,,,Viettel,5G,2026-05-01,ảnh chụp,đúng\n"
        f"Bà B,,{x},{y},VNPT,4G,01/06/2026,đo kiểm,bác bỏ\n"
        "UBND xã,99999,,,Viettel,5G,2026-05-01,công văn,đang xử lý\n"
        "UBND xã,,,,Viettel,5G,2026-05-02,công văn,đang xử lý\n"
        "UBND xã,00001,,,Viettel,5G,2026-05-03,công văn,không rõ\n"
    )
    layer, report = read_challenges(write(tmp_path, text), communes=communes)
    assert layer[["commune_code", "operator", "outcome"]].to_numpy().tolist() == [
        ["00001", "Viettel", "upheld"], ["00002", "VinaPhone", "rejected"],
    ]  # fmt: skip
    assert {problem.row for problem in report.quarantine} == {4, 5, 6}
    assert report.rows_in == 5


@pytest.mark.parametrize("layer", ["villages", "places", "points", "measurements", "challenges"])
def test_templates_are_read_as_they_are_and_check_accepts_them(tmp_path: Path, layer: str) -> None:
    write_template(layer, tmp_path / "sheet.xlsx")
    account = check_file(layer, tmp_path / "sheet.xlsx", out=tmp_path / "out")
    assert (account["verdict"], account["rows_quarantined"]) == ("accepted", 0), account
    assert account["rows_used"] == account["rows_in"] > 0
    assert len(account["repairs"]) == 0
    assert [note for note in account["notes"] if "not used" in note] == []
    assert (tmp_path / "out/clean.csv").exists()


@pytest.mark.parametrize("layer", sorted(TEMPLATES))
def test_every_value_that_a_template_offers_is_read_as_one_of_the_schema(
    tmp_path: Path, layer: str
) -> None:
    path = tmp_path / "sheet.xlsx"
    write_template(layer, path)
    book = openpyxl.load_workbook(path)
    sheet = book[layer]
    headings = {cell.column_letter: cell.value for cell in sheet[1]}
    example = [cell.value for cell in sheet[2]]
    names = [name for name, _, _ in TEMPLATES[layer]]
    columns = {column.name: column for column in LAYERS[layer].columns}
    lists = {}
    for guard in sheet.data_validations.dataValidation:
        letter = str(guard.sqref)[0]
        name = names[list(headings).index(letter)]
        if guard.type == "list":
            assert len(guard.formula1) <= 255  # Excel's limit
            lists[name] = guard.formula1.strip('"').split(",")
        else:
            low, high = columns[name].minimum if name in columns else -180.0, guard.formula2
            assert float(guard.formula1) == (low if name != "lat" else -90.0)
            assert (high is None) == (name in columns and columns[name].maximum is None)
    closed = {
        n for n in names if n in columns and (columns[n].choices or columns[n].kind == "yes_no")
    }
    assert closed <= set(lists)
    for name, offered in lists.items():
        for number, value in enumerate(offered):
            row = list(example)
            row[names.index(name)] = value
            row[0] = str(20_000 + sheet.max_row) if layer == "service" else f"{name}-{number}"
            sheet.append(row)
    sheet.delete_rows(2)
    book.save(path)
    account = check_file(layer, path, out=tmp_path / "out")
    found = pd.read_csv(tmp_path / "out/clean.csv", dtype=str)
    assert account["rows_quarantined"] == 0, account
    for name in closed:
        if columns[name].choices:
            # the reader writes 5G NSA and 5G SA as 5G with their mode
            expected = {
                choice.removesuffix(" NSA").removesuffix(" SA") for choice in columns[name].choices
            }
            assert set(found[name].dropna()) - {"5G NSA", "5G SA"} == expected, name


def test_register_of_evidence_is_read_and_a_wrong_one_refused(tmp_path: Path) -> None:
    rules = read_evidence_rules(embedded_path("evidence"))
    assert [(item.statistic, item.threshold) for item in rules.items] == [
        ("mean", 100.0), ("mean", 30.0), ("share_at_least", 0.95),
    ]  # fmt: skip
    text = embedded_path("evidence").read_text(encoding="utf-8")
    for wrong in (
        text.replace("confidence = 0.9 ", "confidence = 90 "),
        text.replace("least_samples", "fewest"),
        "[places",
    ):
        (tmp_path / "evidence.toml").write_text(wrong, encoding="utf-8")
        with pytest.raises(InputFileError, match="not a register of evidence"):
            read_evidence_rules(tmp_path / "evidence.toml")


def test_embedded_villages_and_places_are_synthetic_and_made_anew_with_the_same_bytes(
    tmp_path: Path,
) -> None:
    script = Path(__file__).parents[1] / "data/boundaries/places.py"
    subprocess.run([sys.executable, str(script), "-o", str(tmp_path)], check=True)
    for name in ("villages", "places"):
        path = embedded_path(name)
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), name
    villages = pd.read_csv(embedded_path("villages"))
    assert (villages["note"] == "synthetic").all()
    places, report = read_places(embedded_path("places"))
    assert set(places.geom_type) == {"Point", "Polygon", "LineString"}
    assert report.rows_quarantined == 0
    assert gpd.read_file(embedded_path("places"))["note"].eq("synthetic").all()

"""Site lists and broadband tables as planners have them: read right, or set aside and listed."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from phusong.errors import CrsError, InputFileError, SchemaError
from phusong.io.check import check_file
from phusong.io.coordinates import frame_of_headers, parse_degrees
from phusong.io.opencellid import COLUMNS
from phusong.io.report import Reading
from phusong.io.tables import read_service, read_sites
from phusong.io.template import write_template

HEADERS = ["Mã trạm", "Tên trạm", "Kinh độ", "Vĩ độ", "Nhà mạng", "Công nghệ", "Xã/Phường"]
ROWS = [
    ["T1", "Trạm Một", "105.05", "19.90", "Viettel", "5G", "Xã 1"],
    ["T2", "Trạm Hai", "105.15", "19.92", "VinaPhone", "4G", "Xã 2"],
    ["T3", "Trạm Ba", "105.06", "19.93", "MobiFone", "3G", "Xã 1"],
]


def two_communes() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"commune_code": ["00001", "00002"], "vintage": "2025",
         "commune_name": ["Xã 1", "Xã 2"], "province_code": "38"},
        geometry=[box(105.0, 19.8, 105.1, 20.0), box(105.1, 19.8, 105.2, 20.0)],
        crs="EPSG:4326",
    )  # fmt: skip


def write(
    folder: Path, rows: list[list[str]], headers: list[str] = HEADERS, delimiter: str = ","
) -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([headers, *rows])
    path = folder / "sites.csv"
    path.write_bytes(text.getvalue().encode())
    return path


def sites(folder: Path, rows: list[list[str]], headers: list[str] = HEADERS, **options) -> Reading:
    return read_sites(write(folder, rows, headers), communes=two_communes(), **options)


def changed(row: int, column: str, value: str) -> list[list[str]]:
    rows = [list(r) for r in ROWS]
    rows[row][HEADERS.index(column)] = value
    return rows


def with_column(header: str, values: list[str]) -> tuple[list[list[str]], list[str]]:
    return [[*row, value] for row, value in zip(ROWS, values, strict=True)], [*HEADERS, header]


def set_aside(reading: Reading) -> list[tuple[int | None, str]]:
    return [(p.row, p.field) for p in reading.report.quarantine]


def test_clean_list_is_read_without_repair(tmp_path: Path) -> None:
    layer, report = sites(tmp_path, ROWS)
    assert (report.rows_in, report.rows_used, report.repairs) == (3, 3, ())
    assert layer.geometry.x.tolist() == [105.05, 105.15, 105.06]
    assert layer["source_row"].tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("105°03'00\"E", "19°54'00\"N"), ("105-03-00", "19-54-00"), ("105 03 00", "19 54 00"),
        ("105°3.000'", "19°54.000'"), ("E105°03′00″", "N19°54′00″"), ("105:03:00.0", "19:54:00.0"),
        ("105 độ 3 phút 0 giây", "19 độ 54 phút 0 giây"), ("105d03m00sE", "19d54m00sN"),
        ("105°03'00,0\"Đ", "19°54'00,0\"B"), ("105,05", "19,90"), ("105.05°", "19.90°"),
        ("105.05", " 19.90 "), ("105.05", "19.90\u00a0"),
    ],
)  # fmt: skip
def test_every_spelling_of_degrees_is_one_place(tmp_path: Path, lon: str, lat: str) -> None:
    rows = [[r[0], r[1], lon, lat, *r[4:6], "Xã 1"] for r in ROWS]
    found = sites(tmp_path, rows).layer.geometry
    assert found.x.tolist() == pytest.approx([105.05] * 3)
    assert found.y.tolist() == pytest.approx([19.9] * 3)


@given(st.floats(0, 179.99), st.sampled_from(["{d}°{m:02d}'{s:08.5f}\"", "{d}-{m}-{s:.5f}"]))
def test_degrees_come_back_from_minutes_and_seconds(degrees: float, form: str) -> None:
    whole, rest = int(degrees), (degrees % 1) * 60
    seconds = round((rest % 1) * 60, 5)
    if seconds >= 60:
        return
    text = form.format(d=whole, m=int(rest), s=seconds)
    assert parse_degrees(pd.Series([text])).column[0] == pytest.approx(degrees, abs=1e-8)


@pytest.mark.parametrize("wrong", ["105°76'00\"", "105.776.123", "105776123", "", "NaN", "#N/A",
                                   "inf", "không rõ", "-"])  # fmt: skip
def test_what_is_no_longitude_sets_its_row_aside(tmp_path: Path, wrong: str) -> None:
    reading = sites(tmp_path, changed(1, "Kinh độ", wrong))
    assert reading.report.rows_used == 2
    assert {row for row, _ in set_aside(reading)} == {3}


def test_both_coordinates_in_one_cell_are_told_apart(tmp_path: Path) -> None:
    rows = [[r[0], r[1], f"{r[3]}, {r[2]}", *r[4:]] for r in ROWS]
    found = sites(tmp_path, rows, [*HEADERS[:2], "Tọa độ", *HEADERS[4:]])
    assert found.layer.geometry.x.tolist() == [105.05, 105.15, 105.06]


def test_swapped_rows_are_turned_and_listed_and_strangers_set_aside(tmp_path: Path) -> None:
    rows = [list(r) for r in ROWS]
    rows[0][2], rows[0][3] = rows[0][3], rows[0][2]
    rows[2][2:4] = ["106.5", "21.0"]
    layer, report = sites(tmp_path, rows)
    assert layer.geometry.x.tolist() == [105.05, 105.15]
    assert [(p.row, "swapped" in p.message) for p in report.repairs] == [(2, True)]
    assert [p.row for p in report.quarantine] == [4]
    assert "outside" in report.quarantine[0].expected


def test_metres_without_a_frame_are_refused_with_the_frames_that_fit(tmp_path: Path) -> None:
    points = gpd.GeoSeries(gpd.points_from_xy([105.05, 105.15, 105.06], [19.9, 19.92, 19.93]),
                           crs="EPSG:4326").to_crs("EPSG:5897")  # fmt: skip
    rows = [[*r[:2], f"{p.y:.2f}", f"{p.x:.2f}", *r[4:]] for r, p in zip(ROWS, points, strict=True)]
    headers = [*HEADERS[:2], "X (m)", "Y (m)", *HEADERS[4:]]
    with pytest.raises(CrsError, match=r"CRS.*5897.*3405 \(\d+ m away\)"):
        sites(tmp_path, rows, headers)
    layer, report = sites(tmp_path, rows, headers, crs="EPSG:5897")
    assert layer.geometry.x.tolist() == pytest.approx([105.05, 105.15, 105.06], abs=1e-6)
    assert any("northing" in note for note in report.notes)
    named = [*HEADERS[:2], "X VN-2000 KTT 105°00' múi 3°", "Y (m)", *HEADERS[4:]]
    assert sites(tmp_path, rows, named).layer.geometry.y[0] == pytest.approx(19.9, abs=1e-6)
    with pytest.raises(CrsError, match="which is it"):
        sites(tmp_path, rows, named, crs="EPSG:3405")


def in_metres() -> tuple[list[list[str]], list[str]]:
    points = gpd.GeoSeries(gpd.points_from_xy([105.05, 105.15, 105.06], [19.9, 19.92, 19.93]),
                           crs="EPSG:4326").to_crs("EPSG:5897")  # fmt: skip
    rows = [
        [*r[:2], f"{p.y:.2f}".replace(".", ","), f"{p.x:.2f}".replace(".", ","), *r[4:]]
        for r, p in zip(ROWS, points, strict=True)
    ]
    return rows, [*HEADERS[:2], "X (m)", "Y (m)", *HEADERS[4:]]


def test_rows_with_easting_and_northing_swapped_are_turned_and_listed(tmp_path: Path) -> None:
    rows, headers = in_metres()
    rows[1][2], rows[1][3] = rows[1][3], rows[1][2]
    layer, report = sites(tmp_path, rows, headers, crs="EPSG:5897")
    assert layer.geometry.x.tolist() == pytest.approx([105.05, 105.15, 105.06], abs=1e-6)
    assert [(p.row, p.field, "swapped" in p.message) for p in report.repairs] == [(3, "x, y", True)]


def test_frame_named_in_the_title_above_the_headings_is_used(tmp_path: Path) -> None:
    rows, headers = in_metres()
    title = ["(Hệ tọa độ VN-2000, kinh tuyến trục 105°00, múi 3°)"]
    layer, report = sites(tmp_path, [headers, *rows], title)
    assert layer.geometry.y.tolist() == pytest.approx([19.9, 19.92, 19.93], abs=1e-6)
    assert any("EPSG:5897" in note for note in report.notes)
    with pytest.raises(CrsError, match="which is it"):
        sites(tmp_path, [headers, *rows], title, crs="EPSG:3405")


@pytest.mark.parametrize(
    ("said", "read"),
    [("Đã phát sóng", "on_air"), ("đang vận hành", "on_air"), ("Chưa phát sóng", "planned"),
     ("Đã ngừng hoạt động", "retired")],
)  # fmt: skip
def test_words_of_operators_for_the_status_are_known(tmp_path: Path, said: str, read: str) -> None:
    assert sites(tmp_path, *with_column("Tình trạng", [said] * 3)).layer["status"].eq(read).all()


def test_status_that_could_be_either_is_set_aside(tmp_path: Path) -> None:
    rows, headers = with_column("Tình trạng", ["hoạt động", "đang chờ nghiệm thu", "hoạt động"])
    assert set_aside(sites(tmp_path, rows, headers)) == [(3, "status")]


def test_total_is_no_site_whose_number_was_made(tmp_path: Path) -> None:
    rows, headers = with_column("Mã cell", ["1", "2", "3"])
    report = sites(tmp_path, [*rows, ["Tổng cộng", "3"]], headers).report
    assert not any("made from the row number" in note for note in report.notes)


def test_frame_is_known_only_where_meridian_and_zone_are_named() -> None:
    assert frame_of_headers(["X (VN-2000, kinh tuyến trục 104°45', múi chiếu 3°)"]) == "EPSG:9208"
    assert frame_of_headers(["X (VN2000 KTT 105 múi 6)"]) == "EPSG:3405"
    assert frame_of_headers(["X VN2000"]) is None


def test_metres_in_degree_columns_are_refused(tmp_path: Path) -> None:
    rows = [[*r[:2], "481667.4", "2246083.9", *r[4:]] for r in ROWS]
    with pytest.raises(CrsError, match="metres"):
        sites(tmp_path, rows)


def test_ballpark_shift_is_refused(tmp_path: Path) -> None:
    rows = [[*r[:2], "481667.4", "2246083.9", *r[4:]] for r in ROWS]
    frame = "+proj=tmerc +lat_0=0 +lon_0=105 +k=0.9999 +x_0=500000 +ellps=bessel +units=m"
    with pytest.raises(CrsError, match="ballpark"):
        sites(tmp_path, rows, crs=frame)


@pytest.mark.parametrize(
    ("header", "values", "column", "expected"),
    [
        ("Độ cao anten (m)", ["30 m", "42m", "30,5 m"], "antenna_height_m", [30.0, 42.0, 30.5]),
        ("Bán kính (km)", ["3,5 km", "2.5", "1"], "radius_m", [3500.0, 2500.0, 1000.0]),
        ("Tần số (GHz)", ["1.8", "2.6", "700 MHz"], "frequency_mhz", [1800.0, 2600.0, 700.0]),
        ("Góc phương vị", ["120°", "Omni", "0"], "azimuth_deg", [120.0, None, 0.0]),
        ("Công suất (dBm)", ["60 dBm", "58", "n/a"], "eirp_dbm", [60.0, 58.0, None]),
    ],
)
def test_units_in_cells_and_headings_are_understood(
    tmp_path: Path, header: str, values: list[str], column: str, expected: list[float | None]
) -> None:
    layer, report = sites(tmp_path, *with_column(header, values))
    found = [None if pd.isna(v) else v for v in layer[column]]
    assert found == expected
    assert report.rows_quarantined == 0
    assert report.repairs or all(v[0].isdigit() for v in values)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Độ cao anten (m)", "0"), ("Độ cao anten (m)", "9999"), ("Độ cao anten (m)", "-30"),
        ("Độ cao anten (m)", "30 kg"), ("Góc phương vị", "400"), ("Góc phương vị", "-15"),
        ("Công suất (dBm)", "620"), ("Tần số (MHz)", "1.8"), ("Tần số (MHz)", "1800000000"),
        ("Tần số (MHz)", "B3"), ("Bán kính (km)", "0"), ("Bán kính (km)", "-2"),
        ("Bán kính (km)", "500"), ("Ngày phát sóng", "30/02/2024"), ("Ngày phát sóng", "01/1900"),
    ],
)  # fmt: skip
def test_impossible_value_sets_its_row_aside(tmp_path: Path, header: str, value: str) -> None:
    good = "15/12/2023" if "Ngày" in header else "30"
    reading = sites(tmp_path, *with_column(header, [good, value, ""]))
    assert {row for row, _ in set_aside(reading)} == {3}


def test_days_are_read_from_serials_and_later_ones_count_as_planned(tmp_path: Path) -> None:
    rows, headers = with_column("Ngày phát sóng", ["02/03/2024", "45292", "31/12/2031"])
    layer, report = sites(tmp_path, rows, headers, as_of=date(2026, 6, 30))
    days = layer["on_air_date"].dt.strftime("%Y-%m-%d").tolist()
    assert days == ["2024-03-02", "2024-01-01", "2031-12-31"]
    assert layer["status"].fillna("").tolist() == ["", "", "planned"]
    assert {p.row for p in report.repairs} == {3, 4}


def test_cell_of_several_technologies_and_directions_becomes_cells(tmp_path: Path) -> None:
    rows, headers = with_column("Góc phương vị", ["0/120/240", "60", ""])
    rows[0][5] = "4G+5G"
    layer, report = sites(tmp_path, rows, headers)
    first = layer[layer["source_row"] == 2]
    assert sorted(zip(first["technology"], first["azimuth_deg"], strict=True)) == [
        (t, a) for t in ("4G", "5G") for a in (0.0, 120.0, 240.0)
    ]
    assert report.rows_used == 3
    assert layer.duplicated(["site_id", "sector_id"]).sum() == 0


def test_technologies_operators_and_modes_are_known_by_their_spellings(tmp_path: Path) -> None:
    rows = [list(ROWS[i % 3]) for i in range(6)]
    words = ["5G NSA", "LTE-A", "WiFi", "nr", "UMTS", "4G+"]
    operators = ["VIETTEL ", "VNPT", "Viettel", "FPT?", "VMS", "Gmobile"]
    for i, row in enumerate(rows):
        row[0], row[5], row[4] = f"S{i}", words[i], operators[i]
    layer, report = sites(tmp_path, rows)
    assert layer["technology"].tolist() == ["5G", "4G", "3G", "4G"]
    assert layer["nr_mode"].fillna("").tolist() == ["NSA", "", "", ""]
    assert layer["operator"].tolist() == ["Viettel", "VinaPhone", "MobiFone", "Gmobile"]
    assert [(p.row, p.field) for p in report.quarantine] == [(4, "technology"), (5, "operator")]


def test_operators_of_another_country_are_kept_as_they_are(tmp_path: Path) -> None:
    reading = sites(tmp_path, [[*r[:4], "Orange", *r[5:]] for r in ROWS])
    assert reading.layer["operator"].tolist() == ["Orange"] * 3
    assert any("Orange" in note for note in reading.report.notes)


def test_copies_are_counted_once_and_conflicts_set_aside(tmp_path: Path) -> None:
    moved = [*ROWS[1][:2], "105.17", *ROWS[1][3:]]
    layer, report = sites(tmp_path, [*ROWS, ROWS[0], moved])
    assert layer["site_id"].tolist() == ["T1", "T3"]
    assert (report.rows_in, report.rows_ignored, report.rows_quarantined) == (5, 1, 2)
    assert {p.row for p in report.quarantine} == {3, 6}
    assert "duplicate" in report.repairs[0].found


def test_commune_that_disagrees_is_noted_and_the_place_counts(tmp_path: Path) -> None:
    rows = changed(0, "Xã/Phường", "Xã 2")
    rows[2][6] = "Xã Không Có"
    layer, report = sites(tmp_path, rows)
    assert len(layer) == 3
    noted = " ".join(report.notes)
    assert "row 2: names 'Xã 2', another commune; stands in 'Xã 1'" in noted
    assert "row 4: names 'Xã Không Có', no commune" in noted


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_separator_is_found(tmp_path: Path, delimiter: str) -> None:
    assert read_sites(write(tmp_path, ROWS, delimiter=delimiter)).report.rows_used == 3


def test_blank_total_ragged_and_control_rows_are_accounted_for(tmp_path: Path) -> None:
    total = ["Tổng cộng", "", "", "", "3", "", ""]
    rows = [*ROWS, [""] * 7, total, ["T9", "x"], [*ROWS[0], "y", "z"],
            ["T8", "a\x00b", *ROWS[0][2:]], ["T7", "x" * 40_000, *ROWS[0][2:]]]  # fmt: skip
    report = sites(tmp_path, rows).report
    assert (report.rows_in, report.rows_used, report.rows_ignored) == (9, 3, 1)
    assert {p.row for p in report.quarantine} == {6, 7, 8, 9, 10}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: "", "empty"),
        (lambda text: text.split("\n")[0] + "\n", "no data"),
        (lambda text: text.replace("Vĩ độ", "Ghi chú 9"), "missing"),
        (lambda text: text.replace("Vĩ độ", "Kinh độ"), "duplicate"),
        (lambda text: text.replace("Trạm Hai", '"Trạm Hai'), "row 3: a quotation mark"),
        (
            lambda text: text.replace("Trạm Một", '"Trạm Một').replace("Trạm Ba", 'Trạm Ba"'),
            "row 2",
        ),
    ],
)
def test_unusable_file_is_refused_and_says_why(
    tmp_path: Path, edit: Callable[[str], str], message: str
) -> None:
    path = write(tmp_path, ROWS)
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises((InputFileError, SchemaError), match=message) as caught:
        read_sites(path)
    assert "sites.csv" in str(caught.value)


def test_gzip_is_read_and_a_cut_one_refused(tmp_path: Path) -> None:
    packed = gzip.compress(write(tmp_path, ROWS * 50).read_bytes())
    (tmp_path / "sites.csv.gz").write_bytes(packed)
    assert read_sites(tmp_path / "sites.csv.gz").report.rows_used == 3
    (tmp_path / "sites.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputFileError, match="truncated"):
        read_sites(tmp_path / "sites.csv.gz")


def workbook(folder: Path, before: list[list[object]], after: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in [*before, *[[*r[:2], float(r[2]), float(r[3]), *r[4:]] for r in ROWS], *after]:
        book.active.append(row)
    book.save(folder / "sites.xlsx")
    return folder / "sites.xlsx"


def test_workbook_with_titles_two_headings_and_merged_cells_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["DANH SÁCH TRẠM"], [], HEADERS], [["Tổng cộng", 3]])
    reading = read_sites(path)
    assert reading.layer["source_row"].tolist() == [4, 5, 6]
    assert set_aside(reading) == [(7, "row")]
    groups = ["Mã trạm", "Tên trạm", "Tọa độ", None, "Nhà mạng", "Công nghệ", "Xã"]
    path = workbook(tmp_path, [groups, [None, None, "Kinh độ", "Vĩ độ"]], [])
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("E3:E5")
    book.save(path)
    layer, report = read_sites(path)
    assert layer["operator"].tolist() == ["Viettel"] * 3
    assert [p.row for p in report.repairs] == [4, 5]


def test_formula_without_a_value_is_no_place(tmp_path: Path) -> None:
    path = workbook(tmp_path, [HEADERS], [
        ["T4", "=1+1", 105.05, 19.95, "Viettel", "5G", "Xã 1"],
        ["T5", "x", "=100+5", 19.95, "Viettel", "5G", "Xã 1"],
    ])  # fmt: skip
    layer, report = read_sites(path)
    assert set_aside(Reading(layer, report))[0] == (6, "lon")
    assert [(p.row, p.field) for p in report.repairs] == [(5, "site_name")]


def test_text_named_workbook_is_refused_and_html_named_xls_is_read(tmp_path: Path) -> None:
    (tmp_path / "sites.xlsx").write_bytes(write(tmp_path, ROWS).read_bytes())
    with pytest.raises(InputFileError, match=r"sites\.xlsx"):
        read_sites(tmp_path / "sites.xlsx")
    cells = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in [HEADERS, *ROWS])
    (tmp_path / "sites.xls").write_text(f"<html><table>{cells}</table></html>", encoding="utf-8")
    assert read_sites(tmp_path / "sites.xls").report.rows_used == 3


CELLS = """LTE,452,4,100,7000,0,105.05,19.9,1000,5,1,1459692342,1488347104,0
LTE,310,2,101,7001,0,105.05,19.9,1000,5,1,1459692342,1488347104,0
GSM,452,2,102,7002,0,105.05,19.9,0,5,1,1459692342,1488347104,0
LTE,452,1,104,7004,0,105.05,19.9,1000,5,1,1459692342,32503680000,0
CDMA,452,1,104,7005,0,105.05,19.9,1000,5,1,1459692342,1488347104,0
"""


@pytest.mark.parametrize("has_header", [True, False])
def test_opencellid_is_known_with_and_without_its_header(tmp_path: Path, has_header: bool) -> None:
    header = ",".join(COLUMNS) + "\n"
    (tmp_path / "452.csv").write_text(header * has_header + CELLS, encoding="utf-8")
    layer, report = read_sites(tmp_path / "452.csv")
    first = 2 if has_header else 1
    assert layer["operator"].tolist() == ["Viettel", "VinaPhone"]
    assert layer["radius_m"].isna().tolist() == [False, True]
    assert {p.row for p in report.quarantine} == {first + 1, first + 3, first + 4}
    assert [p.row for p in report.repairs] == [first + 2]


def test_broadband_table_by_name_takes_counts_shares_and_known_communes(tmp_path: Path) -> None:
    text = ("Xã/Phường,Số hộ,Thuê bao cáp quang,Tỷ lệ (%)\nXã 1,2.345,1.234,52.6\n"
            "X. 2,1000,85%,70\nXã 3,10,5,50\nXã 2,100,900,\n")  # fmt: skip
    (tmp_path / "service.csv").write_text(text, encoding="utf-8")
    layer, report = read_service(tmp_path / "service.csv", communes=two_communes())
    assert layer[["commune_code", "households", "subscribers"]].to_numpy().tolist() == [
        ["00001", 2345.0, 1234.0], ["00002", 100.0, 900.0],
    ]  # fmt: skip
    assert layer["technology"].tolist() == ["FTTH"] * 2
    assert {p.row for p in report.quarantine} == {3, 4}
    assert any("rows 5" in note for note in report.notes)


@pytest.mark.parametrize("layer", ["sites", "service"])
def test_template_is_read_as_it_is(tmp_path: Path, layer: str) -> None:
    path = tmp_path / "sheet.xlsx"
    write_template(layer, path)
    report = (read_sites if layer == "sites" else read_service)(path).report
    assert (report.rows_used, report.repairs) == (1, ())
    assert [n for n in report.notes if "not used" in n] == []
    with pytest.raises(InputFileError, match="new name"):
        write_template(layer, path)


def test_unknown_names_are_asked_about_and_taken_back_when_confirmed(tmp_path: Path) -> None:
    (tmp_path / "service.csv").write_text("Xã/Phường,Số hộ\nXã 1,10\nXã 2x,20\n", encoding="utf-8")
    two_communes().to_parquet(tmp_path / "communes.parquet")
    options = {"communes": tmp_path / "communes.parquet", "out": tmp_path / "out"}
    account = check_file("service", tmp_path / "service.csv", **options)
    assert account["rows_quarantined"] == 1
    asked = (tmp_path / "out/names.csv").read_text(encoding="utf-8-sig").splitlines()
    assert asked[1] == "Xã 2x,,Xã 2,,"
    (tmp_path / "names.csv").write_text(f"{asked[0]}\nXã 2x,Xã 2,,,\n", encoding="utf-8")
    again = check_file("service", tmp_path / "service.csv", names=tmp_path / "names.csv", **options)
    assert (again["rows_used"], again["rows_quarantined"]) == (2, 0)
    assert [(r["row"], r["message"]) for r in again["repairs"]] == [(3, "as confirmed by hand")]


def test_rows_set_aside_go_back_as_a_workbook_with_their_reasons(tmp_path: Path) -> None:
    path = write(
        tmp_path, changed(1, "Tên trạm", "=1+1")[:1] + changed(1, "Công nghệ", "=WiFi()")[1:]
    )
    check_file("sites", path, out=tmp_path / "out")
    sheet = openpyxl.load_workbook(tmp_path / "out/quarantine.xlsx").active
    assert [cell.value for cell in sheet[1]][2:] == HEADERS
    row = list(sheet[2])
    assert row[0].value == 3
    assert "technology" in row[1].value
    assert [cell.value for cell in row[2:5]] == ["T2", "Trạm Hai", "105.15"]
    assert {cell.data_type for cell in row[1:]} == {"s"}

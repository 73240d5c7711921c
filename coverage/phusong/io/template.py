"""An empty sheet that a run reads as it is: headings, lists to choose from, one example row."""

from __future__ import annotations

from pathlib import Path

import openpyxl
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from phusong.errors import InputFileError
from phusong.io.atomic import atomic_path
from phusong.io.headers import read_register
from phusong.layers import LAYERS, Column

__all__ = ["TEMPLATES", "write_template"]

ROWS = 20_000  # that are checked while they are typed
# What a list offers for the choices of a column, in their order, as planners write them.
WORDS = {
    "status": ("đang hoạt động", "dự kiến", "ngừng hoạt động"),
    "category": ("trường học", "trạm y tế", "ủy ban nhân dân", "khu ưu tiên", "khu công nghiệp",
                 "đường", "khác"),
    "outcome": ("chấp nhận", "bác bỏ", "đang xử lý"),
}  # fmt: skip
YES_NO = ("có", "không")
DEGREES = {"lon": (-180.0, 180.0), "lat": (-90.0, 90.0)}
# Column of the schema (or lon, lat), heading in Vietnamese as our own reader knows it, example.
TEMPLATES: dict[str, tuple[tuple[str, str, object], ...]] = {
    "sites": (
        ("site_id", "Mã trạm", "THA0001"),
        ("sector_id", "Mã cell", "THA0001-1"),
        ("site_name", "Tên trạm", "Trạm ví dụ (xóa dòng này)"),
        ("operator", "Nhà mạng", "Viettel"),
        ("technology", "Công nghệ", "5G"),
        ("lon", "Kinh độ", 105.77612),
        ("lat", "Vĩ độ", 19.80736),
        ("commune_name", "Xã/Phường", "Phường Hạc Thành"),
        ("frequency_mhz", "Băng tần (MHz)", 2600),
        ("antenna_height_m", "Độ cao anten (m)", 36),
        ("azimuth_deg", "Góc phương vị (°)", 120),
        ("beamwidth_deg", "Độ rộng búp sóng (°)", 120),
        ("radius_m", "Bán kính phủ sóng (m)", 1500),
        ("status", "Trạng thái", "đang hoạt động"),
        ("on_air_date", "Ngày phát sóng", "2026-06-30"),
    ),
    "service": (
        ("commune_code", "Mã xã", "14797"),
        ("commune_name", "Tên xã", "Phường Hạc Thành"),
        ("operator", "Nhà mạng", "VNPT"),
        ("technology", "Công nghệ", "FTTH"),
        ("downlink_mbps", "Tốc độ tải xuống (Mbps)", 150),
        ("uplink_mbps", "Tốc độ tải lên (Mbps)", 150),
        ("households_passed", "Số hộ có hạ tầng", 12000),
        ("households", "Số hộ", 15000),
        ("subscribers", "Số thuê bao", 9000),
        ("price_vnd_month", "Giá cước (VNĐ)", 180000),
        ("at_centre", "Có tại trung tâm", "có"),
        ("villages_served", "Số thôn có dịch vụ", 40),
        ("villages", "Số thôn", 42),
        ("as_of", "Ngày số liệu", "2026-06-30"),
    ),
    "villages": (
        ("village_id", "Mã thôn", "T0001"),
        ("cluster_id", "Cụm dân cư", None),
        ("village_name", "Tên thôn", "Thôn ví dụ (xóa dòng này)"),
        ("commune_code", "Mã xã", "14797"),
        ("commune_name", "Tên xã", "Phường Hạc Thành"),
        ("lon", "Kinh độ", 105.77612),
        ("lat", "Vĩ độ", 19.80736),
        ("population", "Dân số", 320),
        ("has_power", "Có điện", "có"),
        ("is_hard", "Đặc biệt khó khăn", "không"),
    ),
    "places": (
        ("place_id", "Mã địa điểm", "D0001"),
        ("place_name", "Tên địa điểm", "Trường ví dụ (xóa dòng này)"),
        ("category", "Loại hình", "trường học"),
        ("commune_name", "Tên xã", "Phường Hạc Thành"),
        ("lon", "Kinh độ", 105.77612),
        ("lat", "Vĩ độ", 19.80736),
    ),
    "points": (
        ("point_id", "Mã điểm", "B0001"),
        ("point_name", "Tên điểm", "Đồi ví dụ (xóa dòng này)"),
        ("has_power", "Có điện", "không"),
        ("lon", "Kinh độ", 105.77612),
        ("lat", "Vĩ độ", 19.80736),
    ),
    "measurements": (
        ("sample_id", "Mã mẫu", "M0001"),
        ("operator", "Nhà mạng", "Viettel"),
        ("technology", "Công nghệ", "5G"),
        ("day", "Ngày đo", "2026-06-30"),
        ("lon", "Kinh độ", 105.77612),
        ("lat", "Vĩ độ", 19.80736),
        ("downlink_mbps", "Tốc độ tải xuống (Mbps)", 120),
        ("uplink_mbps", "Tốc độ tải lên (Mbps)", 35),
        ("latency_ms", "Độ trễ (ms)", 25),
        ("rsrp_dbm", "RSRP (dBm)", -95),
        ("n_tests", "Số lần đo", 1),
    ),
    "challenges": (
        ("challenge_id", "Mã phản ánh", "P0001"),
        ("challenger", "Người phản ánh", "Ví dụ (xóa dòng này)"),
        ("commune_code", "Mã xã", "14797"),
        ("operator", "Nhà mạng", "Viettel"),
        ("technology", "Công nghệ", "5G"),
        ("day", "Ngày phản ánh", "2026-06-30"),
        ("evidence_note", "Bằng chứng", "ảnh màn hình"),
        ("outcome", "Kết quả", "đang xử lý"),
    ),
}


def write_template(layer: str, path: Path) -> None:
    """Write an empty sheet for `layer` with an example row, and a second sheet that explains it.

    Where a column has a closed set of values the sheet offers them as a list; a number outside the
    column's limits is refused while it is typed. Operators are offered, and others may be typed.

    Parameters
    ----------
    layer : str
        A key of `TEMPLATES`.
    path : Path
        Ends in .xlsx; a file that is there is never written over.

    Raises
    ------
    InputFileError
        If there is such a file, the ending is another, or the layer has no sheet.
    """
    if layer not in TEMPLATES:
        raise InputFileError(f"{layer}: no sheet; there are {', '.join(TEMPLATES)}")
    if path.suffix.lower() != ".xlsx" or path.exists():
        raise InputFileError(f"{path}: give a new name that ends in .xlsx")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = layer
    described = {column.name: column for column in LAYERS[layer].columns}
    legend = book.create_sheet("Giải thích")
    legend.append(["Cột", "column", "unit", "meaning", "values", "required"])
    for at, (name, heading, example) in enumerate(TEMPLATES[layer], 1):
        sheet.cell(1, at, heading).font = Font(bold=True)
        cell = sheet.cell(2, at, example)
        cell.number_format = "@" if isinstance(example, str) else "General"
        sheet.column_dimensions[get_column_letter(at)].width = max(12, len(heading) + 2)
        column = described.get(name)
        _guard(sheet, get_column_letter(at), name, column)
        if column is None:
            legend.append([heading, name, "°", "WGS 84, decimal degrees", "", "yes"])
            continue
        words = ", ".join(column.choices or read_register()["words"].get(name, {}))
        required = "yes" if column.required else ""
        legend.append([heading, name, column.unit, column.meaning, words, required])
    sheet.freeze_panes = "A2"
    with atomic_path(path) as unfinished:
        book.save(unfinished)


def _guard(sheet: Worksheet, letter: str, name: str, column: Column | None) -> None:
    """Let a column offer its values, or refuse a number outside its limits."""
    low, high = DEGREES.get(name, (None, None))
    if column is not None:
        low, high = column.minimum, column.maximum
    offered = _offered(name, column)
    if offered:
        guard = DataValidation(type="list", formula1=f'"{",".join(offered)}"', allow_blank=True)
        guard.showErrorMessage = name != "operator"
        guard.errorTitle, guard.error = "Giá trị không có trong danh sách", ", ".join(offered)
    elif low is not None:
        span = f"{low:g} … {high:g}" if high is not None else f"≥ {low:g}"
        guard = DataValidation(
            type="decimal", operator="between" if high is not None else "greaterThanOrEqual",
            formula1=f"{low:f}", formula2=None if high is None else f"{high:f}", allow_blank=True,
        )  # fmt: skip
        guard.showErrorMessage = True
        guard.errorTitle, guard.error = "Ngoài khoảng cho phép", span
    else:
        return
    guard.add(f"{letter}2:{letter}{ROWS}")
    sheet.add_data_validation(guard)


def _offered(name: str, column: Column | None) -> tuple[str, ...]:
    """Return the values that a list offers."""
    if column is None:
        return ()
    if column.kind == "yes_no":
        return YES_NO
    if name == "operator":
        return tuple(read_register()["words"]["operator"])
    return WORDS.get(name, column.choices)

"""Make the inputs of this example from the data that come with phusong: as dirty as real ones.

Everything about the network is synthetic. Written are, beside this file or into a folder given:
`sites.xlsx` (a title, degrees and minutes, swapped places, a height and a technology that cannot
be, a total), `service-before-2025.xlsx` (by communes of before the reform), boundaries, population,
terrain, and a study for each of four quarters. Boundaries and population may be real ones.

    python make_inputs.py [FOLDER] [--communes FILE] [--population FILE]
"""

from __future__ import annotations

import argparse
import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl

from phusong import embedded_path

QUARTERS = {"2025q3": "2025-09-30", "2025q4": "2025-12-31", "2026q1": "2026-03-31",
            "2026q2": "2026-06-30"}  # fmt: skip
SITES = {
    "site_id": "Mã trạm", "sector_id": "Mã cell", "site_name": "Tên trạm", "operator": "Nhà mạng",
    "technology": "Công nghệ", "frequency_mhz": "Băng tần (MHz)", "lon": "Kinh độ", "lat": "Vĩ độ",
    "antenna_height_m": "Độ cao anten (m)", "azimuth_deg": "Góc phương vị",
    "beamwidth_deg": "Độ rộng búp sóng", "radius_m": "Bán kính (m)", "status": "Trạng thái",
    "on_air_date": "Ngày phát sóng",
}  # fmt: skip
SERVICE = {
    "commune_code": "Mã xã", "commune_name": "Tên xã", "operator": "Nhà mạng",
    "technology": "Công nghệ", "downlink_mbps": "Tốc độ tải xuống (Mbps)",
    "price_vnd_month": "Giá cước (VNĐ)", "at_centre": "Có tại trung tâm", "as_of": "Ngày số liệu",
}  # fmt: skip
NUMBERS = ("frequency_mhz", "lon", "lat", "antenna_height_m", "azimuth_deg", "beamwidth_deg",
           "radius_m", "downlink_mbps", "price_vnd_month")  # fmt: skip
STUDY = """# The study of {quarter}: phusong run study-{quarter}.toml -o runs/{quarter}
[study]
place = "Tỉnh Thanh Hóa"
as_of = {day}
synthetic = true
schematic = {schematic}
sources = ["phusong: synthetic sites and service", "communes: {communes}", "people: {population}"]

[files]
communes = "communes.parquet"
sites = ["sites.xlsx"]
service = "service-before-2025.xlsx"
population = "population.tif"

[options]
service_vintage = "before-2025"
"""


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        return list(csv.DictReader(lines))


def as_cell(name: str, value: str) -> object:
    return float(value) if name in NUMBERS and value else value or None


def in_degrees(value: str, letter: str) -> str:
    seconds = round(float(value) * 3600)
    return f"{seconds // 3600}°{seconds // 60 % 60:02d}'{seconds % 60:02d}\"{letter}"


def dirty_sites() -> Iterator[list[object]]:
    """Yield the rows of the sheet of sites: the embedded ones, and what sheets really have."""
    yield ["Danh sách trạm toàn tỉnh (dữ liệu giả lập, synthetic)"]
    yield list(SITES.values())
    rows = read_rows(embedded_path("sites"))
    for i, row in enumerate(rows):
        cells = {name: as_cell(name, row[name]) for name in SITES}
        if i % 500 == 3:
            cells["lon"], cells["lat"] = in_degrees(row["lon"], "E"), in_degrees(row["lat"], "N")
        if i % 1000 == 7:
            cells["lon"], cells["lat"] = cells["lat"], cells["lon"]
        if row["operator"] == "VinaPhone" and i % 9 == 0:
            cells["operator"] = "VNPT"
        yield list(cells.values())
    wrong = {name: as_cell(name, rows[0][name]) for name in SITES}
    yield list((wrong | {"site_id": "SAI1", "antenna_height_m": 9999}).values())
    yield list((wrong | {"site_id": "SAI2", "technology": "6G"}).values())
    yield list((wrong | {"site_id": "SAI3", "lon": 107.5, "lat": 19.3}).values())
    yield ["Tổng cộng", len(rows)]


def old_service() -> Iterator[list[object]]:
    """Yield the rows of the sheet of broadband, by the communes of before 2025."""
    yield list(SERVICE.values())
    by_new: dict[str, list[dict[str, str]]] = {}
    for row in read_rows(embedded_path("service")):
        by_new.setdefault(row["commune_code"], []).append(row)
    seen = set()
    for pair in read_rows(embedded_path("crosswalk")):
        code = pair["commune_code_old"]
        if pair["vintage_old"] != "before-2025" or code in seen:
            continue
        seen.add(code)
        for row in by_new.get(pair["commune_code"], []):
            there = row | {"commune_code": code, "commune_name": pair["commune_name_old"]}
            yield [as_cell(name, there[name]) for name in SERVICE]


def write_sheet(rows: Iterator[list[object]], path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    for row in rows:
        sheet.append(row)
    book.save(path)


def main(folder: Path, communes: Path, population: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_sheet(dirty_sites(), folder / "sites.xlsx")
    write_sheet(old_service(), folder / "service-before-2025.xlsx")
    shutil.copy(communes, folder / "communes.parquet")
    shutil.copy(population, folder / "population.tif")
    shutil.copy(embedded_path("terrain"), folder / "terrain.tif")
    for quarter, day in QUARTERS.items():
        text = STUDY.format(
            quarter=quarter, day=day, communes=communes.name, population=population.name,
            schematic=str(communes == embedded_path("communes")).lower(),
        )  # fmt: skip
        (folder / f"study-{quarter}.toml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent / "inputs")
    parser.add_argument("--communes", type=Path, default=embedded_path("communes"))
    parser.add_argument("--population", type=Path, default=embedded_path("population"))
    main(**vars(parser.parse_args()))

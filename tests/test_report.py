"""The periodic report: every figure is of the run, in DOCX and in PDF; texts stand as they are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import docx
import geopandas as gpd
import pandas as pd
import pypdfium2
import pypdfium2.raw
import pytest
from click.testing import CliRunner
from conftest import masts, square_communes
from docx.oxml.ns import qn
from PIL import Image
from rewritten import rewritten

from phusong.cli import main
from phusong.errors import InputFileError, MissingExtraError
from phusong.io.manifest import write_run
from phusong.io.settings import Study
from phusong.publish.report.build import write_report
from phusong.runs import run_study

HOSTILE = "</script>{{ 7*7 }} #panic() $x$ *b* =1+1"
SOFFICE = shutil.which("soffice")


def make_run(folder: Path, *, day: date, radius_m: float, sides: tuple[int, int] = (3, 2)) -> Path:
    """Return a run of square communes of 4 km², with people, and a mast in the first."""
    folder.mkdir(parents=True)
    communes = square_communes(*sides).to_crs(4326)
    communes["commune_name"] = [HOSTILE, *communes["commune_name"][1:]]
    communes.to_file(folder / "communes.gpkg")
    mast = masts([{"x": 501_000, "y": 2_201_000, "technology": "5G", "radius_m": radius_m}])
    mast = mast.assign(operator="Viettel").to_crs(4326)
    mast = mast.assign(lon=mast.geometry.x, lat=mast.geometry.y).drop(columns="geometry")
    mast.to_csv(folder / "sites.csv", index=False)
    study = Study(
        communes=folder / "communes.gpkg", sites=(folder / "sites.csv",), population="even",
        as_of=day, place="Tỉnh Thử", sources=("thử",), is_synthetic=True,
    )  # fmt: skip
    return run_study(study, folder / "run", with_map=False).folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("report")
    return (
        make_run(folder / "before", day=date(2026, 3, 31), radius_m=400.0),
        make_run(folder / "now", day=date(2026, 6, 30), radius_m=900.0),
    )


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    folder = tmp_path / "plan"
    folder.mkdir()
    site = {"rank": 1, "site_id": "N1", "kind": "new", "operator": "Viettel",
            "commune_name": "Xã 2", "people_gained": 1234.0, "cost_vnd": 3.1e9}  # fmt: skip
    says = {
        "question": "budget", "service": "5g", "as_of": "2026-06-30", "objective": 1234.0,
        "bound": 1300.0, "people_gained": 1234.0, "people_left": 777.0,
        "people_out_of_reach": 55.0, "cost_vnd": 3.1e9, "years": 5.0, "sites": [site],
    }  # fmt: skip
    (folder / "plan.json").write_text(json.dumps(says), encoding="utf-8")
    Image.new("RGB", (400, 200), "white").save(folder / "before_after.png")
    now = datetime(2026, 7, 1, tzinfo=UTC)
    write_run(folder, inputs={}, parameters={}, started=now, finished=now)
    return folder


def docx_text(path: Path) -> str:
    """Return the texts of paragraphs and cells, in order."""
    body = docx.Document(str(path)).element.body
    said = ["".join(t.text or "" for t in p.iter(qn("w:t"))) for p in body.iter(qn("w:p"))]
    return "\n".join(said).replace("\u00a0", " ")


def pdf_pages(path: Path) -> list[str]:
    book = pypdfium2.PdfDocument(path)
    return [page.get_textpage().get_text_bounded().replace("\r\n", " ") for page in book]


def report_of(run: Path, path: Path, **options: Any) -> str:
    write_report(run, path, **options)
    if path.suffix == ".docx":
        return docx_text(path)
    return " ".join(pdf_pages(path)).replace("\u00a0", " ")


@pytest.mark.parametrize("suffix", [".docx", ".pdf"])
def test_figures_changes_and_verdicts_are_those_of_the_runs(
    runs: tuple[Path, Path], tmp_path: Path, suffix: str
) -> None:
    before, now = runs
    said = report_of(now, tmp_path / f"r{suffix}", previous=before)
    # π 900² and π 400² of six communes of 4 km², people spread evenly: 1,000 to 6,000 of 21,000
    assert "Diện tích được phủ 5G (A5)" in said
    assert "10,6 %" in said  # 2.545 of 24 km²
    assert "+8,5" in said  # 10.60 - 2.09
    assert "5G trên toàn tỉnh: đang thực hiện." in said
    assert "31/03/2026" in said
    assert "30/06/2026" in said
    # without are 21,000 people but π 900² of 4 km² of the first commune's 1,000, which is open
    for text in ("Còn thiếu 5 trong 6 xã.", "20.364 người chưa có.", "Chưa rõ 1 xã."):
        assert "".join(text.split()) in "".join(said.split())
    assert "SYNTHETIC" in said.upper()
    gaps = pd.read_csv(now / "gaps.csv", dtype=str)
    assert all(code in said for code in gaps["commune_code"])


def test_report_says_what_the_files_say(runs: tuple[Path, Path], tmp_path: Path) -> None:
    def alter(folder: Path) -> None:
        path = folder / "targets.json"
        targets = json.loads(path.read_text(encoding="utf-8"))
        reading = next(t for t in targets["targets"] if t["target_id"] == "5g-2030")["readings"][0]
        reading.update(share=0.4321, share_low=0.4, share_high=0.5)
        path.write_text(json.dumps(targets), encoding="utf-8")

    altered = rewritten(runs[1], tmp_path / "run", alter)
    assert "43,2 % [40,0 % – 50,0 %]" in report_of(altered, tmp_path / "r.docx")
    assert "43.2 % [40.0 % – 50.0 %]" in report_of(altered, tmp_path / "e.docx", lang="en")


@pytest.mark.parametrize("suffix", [".docx", ".pdf"])
def test_names_are_shown_as_they_are_in_both_forms(
    runs: tuple[Path, Path], tmp_path: Path, suffix: str
) -> None:
    said = report_of(runs[1], tmp_path / f"r{suffix}")
    assert HOSTILE.replace(" ", "") in said.replace(" ", "")


@pytest.mark.parametrize("suffix", [".docx", ".pdf"])
def test_same_report_has_the_same_bytes(
    runs: tuple[Path, Path], plan: Path, tmp_path: Path, suffix: str
) -> None:
    for name in ("a", "b"):
        write_report(runs[1], tmp_path / f"{name}{suffix}", plan=plan)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_docx_has_the_form_of_the_decree(
    runs: tuple[Path, Path], plan: Path, tmp_path: Path
) -> None:
    write_report(runs[1], tmp_path / "r.docx", plan=plan)
    made = docx.Document(str(tmp_path / "r.docx"))
    section = made.sections[0]
    sides = (section.page_width, section.page_height, section.top_margin,
             section.bottom_margin, section.left_margin, section.right_margin)  # fmt: skip
    assert [round(side.mm) for side in sides if side] == [210, 297, 20, 20, 30, 15]
    assert section.different_first_page_header_footer
    assert "PAGE" in section.header._element.xml
    assert (made.styles["Normal"].font.name, made.styles["Normal"].font.size.pt) == (
        "Times New Roman", 13
    )  # fmt: skip
    said = docx_text(tmp_path / "r.docx")
    for text in ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "BÁO CÁO",
                 "Nơi nhận:", "Căn cứ", "Đề xuất", "Phụ lục II"):  # fmt: skip
        assert text in said
    framed = [t for t in made.tables if t.style is not None and t.style.name == "Table Grid"]
    assert len(framed) >= 5
    for table in framed:
        assert "w:tblHeader" in table.rows[0]._tr.xml
        assert all("w:cantSplit" in row._tr.xml for row in table.rows)
    pictures = re.findall(r'<wp:docPr[^>]* descr="([^"]+)"', made.element.xml)
    assert pictures
    headings = [p for p in made.paragraphs if p.style is not None and p.style.name == "Heading 1"]
    assert len(headings) >= 9
    with zipfile.ZipFile(tmp_path / "r.docx") as archive:
        assert {info.date_time for info in archive.infolist()} == {(2026, 6, 30, 0, 0, 0)}


def test_pdf_is_tagged_has_a_title_and_a_language(runs: tuple[Path, Path], tmp_path: Path) -> None:
    write_report(runs[1], tmp_path / "r.pdf")
    book = pypdfium2.PdfDocument(tmp_path / "r.pdf")
    assert pypdfium2.raw.FPDFCatalog_IsTagged(book)
    assert book.get_metadata_dict()["Title"].startswith("BÁO CÁO")
    assert b"pdfuaid" in (tmp_path / "r.pdf").read_bytes()
    pages = pdf_pages(tmp_path / "r.pdf")
    assert not pages[0].startswith("1")
    assert pages[1].strip().startswith("2")


def test_plan_is_proposed_with_its_proof(
    runs: tuple[Path, Path], plan: Path, tmp_path: Path
) -> None:
    said = report_of(runs[1], tmp_path / "r.docx", plan=plan)
    for text in ("1 vị trí", "1.234 người", "quá 1.300 người", "777 người", "55 người", "3,10"):
        assert text in said


def test_contradictions_and_zones_are_listed_where_the_run_has_them(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    def add(folder: Path) -> None:
        pd.DataFrame(
            [["00002", "5g", "Viettel", "declared", "measured", 0.9, 0.6, 300.0]],
            columns=["commune_code", "service", "operator", "higher", "lower", "higher_low",
                     "lower_high", "people_disputed"],
        ).to_csv(folder / "contradictions.csv", index=False)  # fmt: skip
        pd.DataFrame(
            [["priority_zone", "5g", 1, 0, 1, 0]],
            columns=["category", "service", "n_places", "n_served", "n_not_served", "n_unknown"],
        ).to_csv(folder / "places_summary.csv", index=False)
        pd.DataFrame(
            [["Khu A", "priority_zone", "Xã 2", "5g", 0.25, 0.2, 0.3, "not_served"]],
            columns=["place_name", "category", "commune_name", "service", "share", "share_low",
                     "share_high", "verdict"],
        ).to_csv(folder / "places.csv", index=False)  # fmt: skip

    said = report_of(rewritten(runs[1], tmp_path / "run", add), tmp_path / "r.docx")
    for text in ("công bố ≥ 90,0 %", "đo kiểm ≤ 60,0 %", "Khu A", "25,0 % [20,0 % – 30,0 %]"):
        assert text in said
    bare = report_of(runs[1], tmp_path / "bare.docx")
    assert "không có mẫu đo" in bare
    assert "không có lớp địa điểm" in bare


def test_communes_of_another_map_are_not_compared(runs: tuple[Path, Path], tmp_path: Path) -> None:
    def older(folder: Path) -> None:
        for name in ("communes.parquet", "indicators.parquet"):
            read = gpd.read_parquet if name == "communes.parquet" else pd.read_parquet
            read(folder / name).assign(vintage="2024").to_parquet(folder / name)

    before = rewritten(runs[0], tmp_path / "before", older)
    write_report(runs[1], tmp_path / "r.docx", previous=before)
    tables = docx.Document(str(tmp_path / "r.docx")).tables
    results = next(t for t in tables if t.rows[0].cells[0].text == "Mục tiêu và cách đọc")
    changes = {row.cells[0].text: row.cells[3].text for row in results.rows}
    assert changes["– Diện tích được phủ 5G (A5)"] == "+8,5"
    assert changes["– Xã có ≥ 90 % người dân được phủ 5G (C5)"] == "–"
    assert "bản đồ xã khác (2024)" in docx_text(tmp_path / "r.docx")


Refused = Callable[[Path, Path, Path], dict[str, Any]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (lambda a, b, out: {"run": b, "path": out / "r.odt"}, "expected .docx or .pdf"),
        (lambda a, b, out: {"run": out, "path": out / "r.docx"}, "holds no run.json"),
        (lambda a, b, out: {"run": a, "path": out / "r.docx", "previous": b}, "an earlier day"),
        (lambda a, b, out: {"run": b, "path": out / "r.docx", "previous": b}, "an earlier day"),
        (lambda a, b, out: {"run": b, "path": out / "r.docx", "plan": a}, "plan.json"),
    ],
)
def test_what_makes_no_report_is_refused(
    runs: tuple[Path, Path], tmp_path: Path, options: Refused, message: str
) -> None:
    asked = options(*runs, tmp_path)
    with pytest.raises(InputFileError, match=re.escape(message)):
        write_report(asked.pop("run"), asked.pop("path"), **asked)
    assert not list(tmp_path.iterdir())


def test_plan_after_another_day_is_refused(
    runs: tuple[Path, Path], plan: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputFileError, match="after the data of 2026-06-30"):
        write_report(runs[0], tmp_path / "r.docx", plan=plan)


def test_verb_writes_where_it_says(runs: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "bao-cao.docx"
    done = CliRunner().invoke(
        main, ["report", str(runs[1]), "--previous", str(runs[0]), "-o", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert str(out) in done.output
    assert "Diện tích được phủ 5G" in docx_text(out)


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_docx_turns_into_pages_without_overflow_and_with_repeated_headers(tmp_path: Path) -> None:
    run = make_run(tmp_path / "many", day=date(2026, 6, 30), radius_m=900.0, sides=(12, 10))
    write_report(run, tmp_path / "r.docx")
    home = f"-env:UserInstallation={(tmp_path / 'office').as_uri()}"
    command = [str(SOFFICE), home, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path),
               str(tmp_path / "r.docx")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    check_pages(tmp_path / "r.pdf")


def test_pdf_pages_have_no_overflow_and_repeated_headers(tmp_path: Path) -> None:
    run = make_run(tmp_path / "many", day=date(2026, 6, 30), radius_m=900.0, sides=(12, 10))
    write_report(run, tmp_path / "r.pdf")
    check_pages(tmp_path / "r.pdf")


def check_pages(path: Path) -> None:
    """Check what a reader sees: margins kept, headers on each page, no heading alone below."""
    pages = pdf_pages(path)
    book = pypdfium2.PdfDocument(path)
    annex = next(i for i, text in enumerate(pages) if "120 xã, theo mã xã" in text)
    assert len(pages) - annex >= 2
    for text in pages[annex:]:
        assert "Mã xã" in text
    headings = tuple(map(plain, ("Tình hình chung", "Các xã còn thiếu", "Đề xuất",
                                 "Khu vực ưu tiên và địa điểm phải phủ")))  # fmt: skip
    mm = 72 / 25.4
    for page, text in zip(book, pages, strict=True):
        body = page.get_textpage()
        boxes = [body.get_rect(i) for i in range(body.count_rects())]
        assert min(box[0] for box in boxes) > 29 * mm
        assert max(box[2] for box in boxes) < (210 - 12) * mm  # spaces may hang over the edge
        assert not plain(text).endswith(headings)


def plain(text: str) -> str:
    """Return the ASCII signs: marks over letters come back from some PDFs in another order."""
    return "".join(sign for sign in text if sign.isascii() and not sign.isspace())


def test_report_that_is_all_met_says_so(runs: tuple[Path, Path], tmp_path: Path) -> None:
    def nothing_short(folder: Path) -> None:
        path = folder / "gaps.csv"
        gaps = pd.read_csv(path, dtype=str, keep_default_na=False)
        gaps.head(0).to_csv(path, index=False)

    said = report_of(rewritten(runs[1], tmp_path / "run", nothing_short), tmp_path / "r.docx")
    assert "Không xã nào nằm trong danh sách thiếu." in said


@pytest.mark.parametrize(("suffix", "library"), [(".docx", "docx"), (".pdf", "typst")])
def test_without_the_extra_a_report_says_what_to_install(
    suffix: str, library: str, runs: tuple[Path, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    module = {".docx": "word", ".pdf": "pdf"}[suffix]
    monkeypatch.delitem(sys.modules, f"phusong.publish.report.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r'pip install "phusong\[report\]"'):
        write_report(runs[1], tmp_path / f"report{suffix}")

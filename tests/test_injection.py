"""The corpus's own hostile strings through a whole run: every output shows them as text."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from browsing import opened
from playwright.sync_api import Browser

from phusong.io.embedded import embedded_path
from phusong.io.settings import Study
from phusong.runs import run_study

CASES = ("v07_script_injection", "v08_formula_injection", "v09_template_injection")
SIGNS = ("=", "+", "-", "@", "\t", "\r")
pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, shared: Path) -> dict[str, object]:
    manifest = json.loads((shared / "bad-inputs/manifest.json").read_text(encoding="utf-8"))
    cases = manifest["cases"] if isinstance(manifest, dict) else manifest
    return next(c for c in cases if c["id"] == request.param)


@pytest.fixture(scope="module")
def folder(case: dict[str, object], shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "out"
    sites = shared / "bad-inputs" / str(case["main"])
    study = Study(
        communes=embedded_path("communes"),
        sites=(sites,),
        as_of=date(2026, 6, 30),
        place="Tỉnh Thanh Hóa",
        is_schematic=True,
    )
    run_study(study, out)
    return out


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_no_output_holds_live_markup(case: dict[str, object], folder: Path) -> None:
    forbidden = case.get("outputs_must_not_contain", [])
    for name in ("map.html", "map.svg"):
        text = (folder / name).read_text(encoding="utf-8")
        for string in forbidden:  # type: ignore[attr-defined]
            if not string.isdigit():  # digits stand in coordinates too; the page's title is asked
                assert string not in text, (name, string)


def test_no_cell_of_a_table_is_a_formula(folder: Path) -> None:
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                live = [c for c in row if c.startswith(SIGNS) and not is_number(c)]
                assert not live, (path.name, live)
    book = openpyxl.load_workbook(folder / "gaps.xlsx")
    for sheet in book:
        for cells in sheet.iter_rows():
            assert not [c.value for c in cells if c.data_type == "f"], sheet.title


@pytest.mark.browser
def test_map_shows_the_strings_and_runs_none(
    folder: Path, browser: Browser, tmp_path: Path
) -> None:
    page = (folder / "map.html").read_text(encoding="utf-8")
    with opened(browser, page, tmp_path) as it:  # no errors, no requests: `opened` holds it
        assert "PWNED" not in it.page.title()
        assert "1337" not in it.page.title()
        assert it.page.evaluate("document.querySelectorAll('img[onerror],svg[onload]').length") == 0
    assert not Path("/tmp/phusong_ssti_dev").exists()  # noqa: S108

"""The study from end to end in examples/: on the embedded data."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from walking import QUARTERS, share_of, walk


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("walk")
    return out, walk(out)


def test_dirty_sheet_loses_the_four_rows_that_cannot_be_and_no_other(
    walked: tuple[Path, str],
) -> None:
    account = json.loads((walked[0] / "check" / "check.json").read_text(encoding="utf-8"))
    assert account["rows_in"] == account["rows_used"] + 4
    fields = [problem["field"] for problem in account["quarantine"]]
    assert fields == ["antenna_height_m", "technology", "lon, lat", "row"]
    assert (walked[0] / "check" / "quarantine.xlsx").exists()


def test_sites_come_on_air_from_quarter_to_quarter(walked: tuple[Path, str]) -> None:
    shares = [
        share_of(walked[0] / "runs" / quarter, "share_population", "people") for quarter in QUARTERS
    ]
    assert shares == sorted(shares)
    assert shares[-1] > shares[0] + 0.01
    progress = json.loads((walked[0] / "progress" / "progress.json").read_text(encoding="utf-8"))
    assert len(progress["runs"]) == 4


def test_old_communes_of_the_service_table_are_those_of_today(walked: tuple[Path, str]) -> None:
    communes = pd.read_csv(walked[0] / "runs/2026q2/communes.csv", dtype={"commune_code": "str"})
    assert len(communes) == 166
    assert (communes["broadband_b0"] == "yes").mean() > 0.8


def test_every_output_is_there_and_says_synthetic(walked: tuple[Path, str]) -> None:
    out, said = walked
    for name in ("signal/signal_5g.tif", "plan/plan.json", "public/index.html", "bao-cao.docx"):
        assert (out / name).stat().st_size > 0, name
    assert "synthetic" in (out / "public/index.html").read_text(encoding="utf-8")
    assert said.count("every file is as it was written") == 7
    assert "sites.xlsx, dòng" in said or "không ô nào đang phát sóng" in said
    assert list((out / "tiles").glob("*.npz"))

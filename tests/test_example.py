"""The study from end to end in examples/: the script as a reader would start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import SHARED

WALK = Path(__file__).parents[1] / "examples" / "thanh-hoa-2026" / "walk.sh"
QUARTERS = ["2025q3", "2025q4", "2026q1", "2026q2"]


def walk(out: Path, *inputs: str | Path) -> str:
    tools = {"PYTHON": sys.executable, "PHUSONG": str(Path(sys.executable).parent / "phusong")}
    done = subprocess.run(
        ["bash", WALK, out, *inputs], env=os.environ | tools, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    return done.stdout


def share_of(folder: Path, indicator: str, share_of: str) -> float:
    targets = json.loads((folder / "targets.json").read_text(encoding="utf-8"))
    return next(
        reading["share"]
        for target in targets["targets"] for reading in target["readings"]
        if (reading["indicator"], reading["service"], reading["share_of"])
        == (indicator, "5g", share_of)
    )  # fmt: skip


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


@pytest.mark.realdata
def test_walk_on_the_real_communes_gives_the_figures_of_its_readme(tmp_path: Path) -> None:
    said = walk(
        tmp_path, "--communes", SHARED / "data/boundaries/thanh_hoa_2025.parquet",
        "--population", SHARED / "data/population/vnm_ppp_2020_1km_Aggregated_UNadj.tif",
    )  # fmt: skip
    assert said.count("every file is as it was written") == 7
    shown = (WALK.parent / "README.md").read_text(encoding="utf-8")
    for quarter in QUARTERS:
        people, area = (
            share_of(tmp_path / "runs" / quarter, f"share_{of}", measure)
            for of, measure in (("population", "people"), ("area", "area"))
        )
        assert f"| {quarter} | {100 * people:.1f} % | {100 * area:.1f} % |" in shown
    plan = json.loads((tmp_path / "plan" / "plan.json").read_text(encoding="utf-8"))
    assert f"{plan['people_gained']:,.0f} more people" in shown
    assert plan["synthetic"]
    assert not plan["schematic"]
    account = json.loads((tmp_path / "check" / "check.json").read_text(encoding="utf-8"))
    assert account["rows_in"] == account["rows_used"] + 4
    communes = pd.read_csv(tmp_path / "runs/2026q2/communes.csv", dtype={"commune_code": "str"})
    assert len(communes) == 166
    assert communes["synthetic"].all()

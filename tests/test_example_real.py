"""The study from end to end in examples/: on the real communes, apart for its length."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from conftest import SHARED
from walking import QUARTERS, WALK, share_of, walk


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

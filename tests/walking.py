"""The script of examples/thanh-hoa-2026, started as a reader would start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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

"""The notebooks run from top to bottom, say what is synthetic, and are kept small."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MAX_BYTES = 1_000_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_kept_small_and_without_outputs(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert path.stat().st_size < MAX_BYTES
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    text = "\n".join(cell.source for cell in cells)
    assert "synthetic" in text
    assert "schematic" in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_far_from_the_checkout_without_a_warning_and_shows_something(
    path: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    alone = Path(shutil.copy(path, elsewhere))
    command = [sys.executable, FOLDER / "execute.py", "-o", tmp_path, alone]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(elsewhere.iterdir()) == [alone], "a notebook leaves no files where it is run"
    executed = nbformat.read(tmp_path / path.name, as_version=4)
    shown = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert any("synthetic" in str(output.get("data", {}).get("text/html")) for output in shown)
    assert any("image/png" in output.get("data", {}) for output in shown)


def test_quickstart_is_there() -> None:
    assert "01-quickstart" in [path.stem for path in NOTEBOOKS]

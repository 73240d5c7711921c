"""The command line as other programs call it: exit codes, silence, speed of --help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import square_communes

from phusong.cli import main

HEAVY = ("geopandas", "pandas", "rasterio", "matplotlib", "numba", "folium")
SITES = "site_id,operator,technology,lon,lat,radius_m\nA1,X,5G,105.0115,19.8985,800\n"


def run(*arguments: str | Path) -> object:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], *([verb, "--help"] for verb in sorted(main.commands))],
    ids=" ".join,
)
def test_help_answers_without_heavy_imports(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom phusong.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code\n"
        f"sys.exit(', '.join(set({HEAVY!r}) & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_module_runs_as_the_program_does() -> None:
    command = [sys.executable, "-m", "phusong", "check", "--nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: phusong check ")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    square_communes().to_file(tmp_path / "communes.gpkg", driver="GPKG")
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    return tmp_path


def assess(files: Path, *more: str) -> object:
    return run("assess", "--communes", files / "communes.gpkg", "--sites", files / "sites.csv",
               "--as-of", "2026-06-30", "-o", files / "out", "--no-map", *more)  # fmt: skip


def test_assess_prints_json_and_nothing_else(files: Path) -> None:
    done = assess(files, "--json")
    assert done.exit_code == 0
    summary = json.loads(done.stdout)
    assert summary["n_communes"] == 2
    assert summary["targets"][0]["status"] == "undetermined"


def test_quarantine_changes_the_exit_code_only_under_strict(files: Path) -> None:
    (files / "sites.csv").write_text(SITES + "A2,X,9G,105.01,19.89,800\n", encoding="utf-8")
    assert assess(files).exit_code == 0
    assert assess(files, "--strict").exit_code == 1


def test_bad_input_is_exit_2_with_one_message(files: Path) -> None:
    done = run("assess", "--communes", files / "none.gpkg", "--sites", files / "sites.csv",
               "-o", files / "out")  # fmt: skip
    assert done.exit_code == 2
    assert "no such file" in done.stderr
    assert "Traceback" not in done.output
    assert run("demo", "--nonsense").exit_code == 2


def test_folder_that_is_a_file_is_exit_3(files: Path) -> None:
    (files / "out").write_text("mine", encoding="utf-8")
    done = assess(files)
    assert done.exit_code == 3
    assert "not a folder" in done.stderr


def test_communes_by_a_word_are_those_of_phusong_and_labelled(files: Path) -> None:
    given = ("--communes", "schematic", "--sites", files / "sites.csv")
    done = run("assess", *given, "-o", files / "out", "--no-map", "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "SCHEMATIC BOUNDARIES" in done.stdout
    head = '[study]\nas_of = 2026-06-30\n[files]\nsites = ["sites.csv"]\n'
    (files / "study.toml").write_text(head + 'communes = "schematic"\n', encoding="utf-8")
    assert run("run", files / "study.toml", "-o", files / "out", "--no-map").exit_code == 0
    account = json.loads((files / "out" / "run.json").read_text(encoding="utf-8"))
    assert account["parameters"]["is_schematic"] is True
    checked = run("check", "sites", files / "sites.csv", "--communes", "schematic", "--json")
    assert "outside" in json.loads(checked.stdout)["quarantine"][0]["expected"]


def test_official_communes_that_were_not_fetched_say_how(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phusong.io.cache.default_cache", lambda: files / "cache")
    done = run("check", "sites", files / "sites.csv", "--communes", "official")
    assert done.exit_code == 2
    assert "phusong fetch" in done.stderr


def test_init_writes_a_study_that_runs(files: Path) -> None:
    assert run("init", files / "study.toml").exit_code == 0
    assert run("init", files / "study.toml").exit_code == 2  # never over one that is there
    text = (files / "study.toml").read_text(encoding="utf-8")
    text = text.replace('["sites.xlsx"]', '["sites.csv"]').replace('service = "', '# service = "')
    (files / "study.toml").write_text(text, encoding="utf-8")
    done = run("run", files / "study.toml", "-o", files / "out", "--no-map")
    assert done.exit_code == 0, done.output
    assert run("verify", files / "out").exit_code == 0
    (files / "out" / "gaps.csv").unlink()
    assert run("verify", files / "out").exit_code == 2


def test_study_with_an_unknown_key_is_refused(files: Path) -> None:
    (files / "study.toml").write_text("[study]\ncolour = 'red'\n", encoding="utf-8")
    done = run("run", files / "study.toml", "-o", files / "out")
    assert done.exit_code == 2
    assert "colour" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_the_shell(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert f"_PHUSONG_COMPLETE={shell}_complete" in done.output


@pytest.mark.parametrize(
    ("typed", "offered"), [("pre", {"predict"}), ("predict --ter", {"--terrain", "--terrain-kind"})]
)
def test_shell_is_offered_verbs_and_options(typed: str, offered: set[str]) -> None:
    words = ["phusong", *typed.split()]
    asked = {"_PHUSONG_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words),
             "COMP_CWORD": str(len(words) - 1)}  # fmt: skip
    done = CliRunner().invoke(main, [], prog_name="phusong", env=asked)
    assert {line.partition(",")[2] for line in done.output.split()} == offered

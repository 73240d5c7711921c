"""The house itself: what is packaged, what a stranger installs, what the first pages promise."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import phusong as ps
from phusong.cli import main

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "coverage" / "phusong"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def run(command: list[str | Path], **options: object) -> str:
    """Return what a program prints; one that fails shows what it said."""
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language in the README."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def build(tree: Path, out: Path, *asked: str, **options: object) -> Path:
    """Build as a release does: in files that were all last changed when the commit was made."""
    options["env"] = os.environ | {"SOURCE_DATE_EPOCH": "1790000000"} | options.pop("env", {})
    run([sys.executable, "-m", "build", "--no-isolation", *asked, "-o", out, tree], **options)
    return out


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of this tree, and the wheel that is built from the sdist."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_coverage_is_a_source_root_and_never_a_package() -> None:
    assert not (ROOT / "coverage" / "__init__.py").exists()
    assert not list(ROOT.glob("coverage.py"))
    assert not list(SOURCE.rglob("coverage.py"))


def test_coverage_of_tests_is_measured_from_the_checkout(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--cov=phusong",
               f"--cov-report=json:{report}", "coverage/phusong/names.py"]  # fmt: skip
    run(command, cwd=ROOT, env=os.environ | {"COVERAGE_FILE": str(tmp_path / ".coverage")})
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    measured = {Path(name).as_posix(): f["summary"]["percent_covered"] for name, f in files.items()}
    assert measured["coverage/phusong/names.py"] > 50


def test_wheel_holds_the_library_its_data_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    packed = {name for name in contents(wheel) if ".dist-info/" not in name}
    sources = (p for p in SOURCE.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    assert packed == {p.relative_to(SOURCE.parent).as_posix() for p in sources}
    assert "phusong/data/communes_schematic.parquet" in packed
    assert "phusong/py.typed" in packed
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in contents(wheel))


def test_tree_and_sdist_build_the_same_wheel(built: Path, tmp_path: Path) -> None:
    build(ROOT, tmp_path, "--wheel")
    (from_tree,), (from_sdist,) = tmp_path.glob("*.whl"), built.glob("*.whl")
    assert from_tree.name == from_sdist.name
    assert from_tree.read_bytes() == from_sdist.read_bytes()


def test_wheel_and_sdist_are_the_same_bytes_wherever_and_whenever_they_are_built(
    built: Path, tmp_path: Path
) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "elsewhere", filter="data")
    (tree,) = (tmp_path / "elsewhere").iterdir()
    for path in tree.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
        os.utime(path, (1e9, 1e9))
    again = build(tree, tmp_path / "again", umask=0o077, env={"TZ": "Asia/Tokyo"})
    first, second = ({p.name: p.read_bytes() for p in out.iterdir()} for out in (built, again))
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_wheel_in_an_empty_venv_runs_the_demo_that_the_readme_shows(
    built: Path, tmp_path: Path
) -> None:
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    bin_ = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    run([bin_ / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel])
    printed = run([bin_ / "phusong", "demo", "--lang", "en", "-o", tmp_path / "out"], cwd=tmp_path,
                  env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"})  # fmt: skip
    (shown,) = (block for block in blocks("text") if "SYNTHETIC" in block)
    assert shown.strip() in printed
    for path in (tmp_path / "out").iterdir():
        assert f"`{path.name}`" in README, f"the README does not say what {path.name} is"


def test_readme_shows_its_first_command_and_its_tests() -> None:
    assert blocks("sh")[0].split("#")[0].strip() == "make demo"
    assert "make test" in blocks("sh")[0]


def test_python_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # it saves a figure
    (example,) = blocks("python")
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102
    assessment = names["assessment"]
    assert isinstance(assessment, ps.Assessment)
    assert len(assessment.communes) == 166
    assert assessment.about.is_synthetic
    assert (tmp_path / "5g.png").stat().st_size > 10_000


def test_readme_lists_the_whole_public_api() -> None:
    table = README.split("## Public API", 1)[1].split("\n## ", 1)[0]
    listed = re.findall(r"`ps\.(\w+)", table)
    assert sorted(listed) == sorted(ps.__all__)


def test_readme_lists_every_verb() -> None:
    for verb in main.commands:
        assert f"`phusong {verb}" in README, verb


def test_public_names_are_there_and_the_type_checker_sees_the_same_ones() -> None:
    for name in ps.__all__:
        assert getattr(ps, name).__name__ == name
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    typed = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("phusong.")
        for alias in node.names
    }
    assert typed == {f"{getattr(ps, name).__module__}.{name}" for name in ps.__all__}
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ps.nonsense


def test_help_of_every_verb_needs_nothing_but_click() -> None:
    code = """
import sys
before = set(sys.modules)
from phusong.cli import main
for arguments in [["--help"], ["--version"], *([verb, "--help"] for verb in main.commands)]:
    try:
        main(arguments)
    except SystemExit as end:
        assert not end.code, arguments
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print("needed:", *sorted(new - sys.stdlib_module_names - {"click", "colorama", "phusong"}))
"""
    printed = run([sys.executable, "-c", code])
    assert printed.splitlines()[-1].strip() == "needed:"
    assert printed.count("Usage:") == len(main.commands) + 1


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [
        ("phusong.io.manifest", "numpy pandas"),  # verify
        ("phusong.io.fetch", "numpy pandas"),
        ("phusong.io.cache", "numpy pandas requests"),
        ("phusong.io.check", "numba scipy matplotlib folium"),
        ("phusong.io.template", "geopandas numba scipy matplotlib"),
        ("phusong.radio.paths", "geopandas matplotlib rasterio"),
        ("phusong.publish.site", "numba scipy matplotlib distributed"),
        ("phusong.publish.report.build", "numba folium distributed"),
        ("phusong.explaining", "matplotlib folium distributed"),
        ("phusong.monitoring", "folium distributed"),
        ("phusong.runs", "scipy.stats distributed dask"),
    ],
)
def test_verb_imports_no_library_that_its_work_does_without(module: str, unneeded: str) -> None:
    code = f"import sys, {module}; print('imported:', *{{*{unneeded.split()}}} & {{*sys.modules}})"
    assert run([sys.executable, "-c", code]).strip() == "imported:"


def test_version_is_one_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"\nversion: {project['version']}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {project['version']}" in changes or "## Unreleased" in changes
    ask = "from phusong.cli import main; main(['--version'])"
    assert run([sys.executable, "-c", ask]).strip() == f"phusong, version {project['version']}"


def test_every_dependency_says_why_it_is_there_in_contributing() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for requirement in project["dependencies"]:
        assert f"`{re.split('[><=]', requirement)[0]}`" in page, requirement

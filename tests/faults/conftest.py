"""Two tiny studies, the program under faults, and the table of what was tried."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import square_communes
from faults.oracle import Case, Driver, state_of

SITES = """site_id,operator,technology,lon,lat,radius_m
A1,Viettel,5G,105.0115,19.8985,800
A2,Viettel,4G,105.0300,19.8990,700
A3,Viettel,9G,105.0300,19.8990,900
"""
MORE_SITES = "A4,VinaPhone,5G,105.0310,19.8990,600\nA5,VinaPhone,5G,,19.8990,600\n"
SERVICE = """commune_code,commune_name,operator,technology,households_passed
1,Xã 1,Viettel,FTTH,250
00002,Xã 2,VNPT,FTTH,0
"""

TRIED: list[tuple[str, str, int, int]] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.faults)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what docs/reliability.md tells."""
    for fault, method, points, losses in TRIED:
        terminalreporter.write_line(f"| {fault} | {method} | {points} | {losses} |")


@pytest.fixture(scope="session")
def tried() -> Callable[..., None]:
    """Note a fault, how it was made, at how many points, and how many outputs were lost."""

    def note(fault: str, method: str, points: int, losses: int = 0) -> None:
        TRIED.append((fault, method, points, losses))

    return note


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of two studies that differ in their sites: sites.csv and more.csv."""
    folder = tmp_path_factory.mktemp("study")
    square_communes().to_file(folder / "communes.gpkg", driver="GPKG")
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "more.csv").write_text(SITES + MORE_SITES, encoding="utf-8")
    (folder / "service.csv").write_text(SERVICE, encoding="utf-8")
    return folder


def assess(study: Path, sites: str = "sites.csv") -> list[str]:
    return [
        "assess", "--communes", str(study / "communes.gpkg"), "--sites", str(study / sites),
        "--service", str(study / "service.csv"), "--as-of", "2026-06-30",
    ]  # fmt: skip


@pytest.fixture(scope="session")
def driver(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """The program with the shim before libc; without a C compiler these tests skip."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs a C compiler for the calls that are to fail")
    scratch = tmp_path_factory.mktemp("driver")
    shim = scratch / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    driver = Driver([*assess(study), "-o", str(scratch / "warm")], shim, scratch)
    yield driver
    driver.close()


@pytest.fixture(scope="session")
def saved(driver: Driver, study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run A with its maps, as it was before every fault."""
    folder = tmp_path_factory.mktemp("saved") / "a"
    done = driver.run(*assess(study), "-o", folder)
    assert done.code == 0, done.words
    return folder


@pytest.fixture(scope="session")
def tables(
    saved: Path, study: Path, driver: Driver, tmp_path_factory: pytest.TempPathFactory
) -> Case:
    """B writes the tables anew and, being without maps, takes those of A away."""
    return _case(driver, saved, [*assess(study, "more.csv"), "--no-map"], tmp_path_factory)


@pytest.fixture(scope="session")
def maps(
    saved: Path, study: Path, driver: Driver, tmp_path_factory: pytest.TempPathFactory
) -> Case:
    """B writes everything anew."""
    return _case(driver, saved, assess(study, "more.csv"), tmp_path_factory)


def _case(
    driver: Driver, saved: Path, arguments: list[str], folders: pytest.TempPathFactory
) -> Case:
    case = Case(
        driver=driver,
        out=folders.mktemp("case") / "out",
        arguments=arguments,
        saved=saved,
        old=state_of(saved),
    )
    case.reset()
    done = case.run()
    assert done.code == 0, done.words
    case.new = state_of(case.out)
    changed = {name for name in case.new if case.new[name] != case.old[name]}
    assert len(changed) >= 12, changed
    return case

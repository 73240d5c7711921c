"""Names that are odd but good are used; what is no local file is refused, and nothing hangs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.conftest import assess
from faults.oracle import Case, Driver

VIETNAMESE = unicodedata.normalize("NFC", "Dữ liệu Thanh Hóa")
GOOD = (
    "with space", VIETNAMESE, unicodedata.normalize("NFD", VIETNAMESE),
    "📡 sóng", "-rf", "100%", "a#b", "what?", "a'b\"c", "C_x_y", "…", "{{ x }}",
)  # fmt: skip
NOT_LOCAL = (
    "/vsicurl/http://127.0.0.1:9/a.geojson", "/vsizip/a.zip/a.shp", "zip://a.zip!a.shp",
    "http://127.0.0.1:9/a.geojson", "s3://bucket/a.csv", "GeoJSON:/etc/passwd",
    "file:///etc/passwd", "/dev/zero", "/dev/full", "/etc",
)  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_odd_names_of_folders_and_files_are_used_as_they_are(
    driver: Driver, study: Path, tmp_path: Path, name: str, tried: Callable[..., None]
) -> None:
    folder = tmp_path / name
    shutil.copytree(study, folder)
    shutil.copy(study / "sites.csv", folder / f"{name}.csv")
    out = folder / name
    done = driver.run(*assess(folder, f"{name}.csv"), "--no-map", "-o", out)
    assert done.code == 0, done.words
    assert driver.run("verify", out).code == 0
    tried(f"odd name {name!r}", "folder, file, output", 3)


def test_name_as_long_as_the_system_allows_and_one_longer(
    driver: Driver, study: Path, tmp_path: Path, tried: Callable[..., None]
) -> None:
    longest = tmp_path / f"{'s' * 251}.csv"
    shutil.copy(study / "sites.csv", longest)
    arguments = assess(study)
    arguments[arguments.index("--sites") + 1] = str(longest)
    done = driver.run(*arguments, "--no-map", "-o", tmp_path / ("o" * 255))
    assert done.code == 0, done.words
    done = driver.run(*arguments, "--no-map", "-o", tmp_path / ("o" * 256))
    assert done.code == 3, done.words
    done.assert_one_message("name too long")
    tried("name of 255 and of 256 bytes", "input, output", 3)


@pytest.mark.parametrize("name", ["new\nline.csv", "bell\a.csv", os.fsdecode(b"s\xe9\xff.csv")])
def test_name_with_a_line_break_or_no_utf8_is_refused(
    driver: Driver, study: Path, tmp_path: Path, name: str, tried: Callable[..., None]
) -> None:
    shutil.copy(study / "sites.csv", tmp_path / name)
    arguments = assess(study)
    arguments[arguments.index("--sites") + 1] = os.fspath(tmp_path / name)
    done = driver.run(*arguments, "--no-map", "-o", tmp_path / "out")
    assert done.code == 2, done.words
    done.assert_one_message("rename the file")
    tried(f"input named {name!a}", "input", 1)


def refuse(driver: Driver, study: Path, out: Path, path: str) -> None:
    """Refuse `path` as every input that `assess` has, as a study file, and to `check`."""
    for option in ("--communes", "--sites", "--service", "--population"):
        arguments = [*assess(study), "--population", path]
        arguments[arguments.index(option) + 1] = path
        done = driver.run(*arguments, "--no-map", "-o", out)
        assert done.code in (2, 3), (option, done.words)
        done.assert_one_message()
    done = driver.run("run", path, "-o", out)
    assert done.code in (2, 3), done.words
    done.assert_one_message()
    assert driver.run("check", "sites", path).code in (2, 3)
    assert not (out / "run.json").exists()


@pytest.mark.parametrize("path", NOT_LOCAL)
def test_what_is_no_regular_local_file_is_refused(
    driver: Driver, study: Path, tmp_path: Path, path: str, tried: Callable[..., None]
) -> None:
    refuse(driver, study, tmp_path / "out", path)
    tried(f"input {path}", "4 options, study, check", 6)


def test_pipes_sockets_and_loops_of_links_are_refused_without_waiting(
    driver: Driver, study: Path, tmp_path: Path, tried: Callable[..., None]
) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.csv"))
        for name in ("pipe.csv", "loop.csv", "s.csv"):
            refuse(driver, study, tmp_path / "out", str(tmp_path / name))
    tried("FIFO, socket, loop of links", "4 options, study, check", 18)


def test_run_file_that_is_a_pipe_does_not_hang_verify(driver: Driver, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.json")
    done = driver.run("verify", tmp_path)
    assert done.code == 2
    done.assert_one_message("holds no run.json")


@pytest.mark.parametrize(
    "out", ["s3://bucket/run", "http://127.0.0.1:9/x", "/vsimem/x", "gs://b/c"]
)
def test_output_that_is_no_local_folder_is_refused_and_no_folder_is_made(
    tables: Case, tmp_path: Path, out: str, tried: Callable[..., None]
) -> None:
    done = tables.driver.run(*tables.arguments, "-o", out)
    assert done.code == 2, done.words
    done.assert_one_message("not a local folder")
    assert not Path(out).exists()
    tried(f"output {out}", "as it is", 1)


def test_driver_leaves_nothing_mounted() -> None:
    mounts = subprocess.run(["cat", "/proc/mounts"], capture_output=True, text=True, check=True)
    assert "/case" not in mounts.stdout

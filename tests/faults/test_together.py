"""Two runs at once, locks that outlive their run, and inputs that change under a run."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.conftest import assess
from faults.oracle import KILL, MARK, READY, SIGNAL, Case, Driver, leftovers, state_of


def stopped_in_the_middle(case: Case) -> int:
    """Start B and let it stop itself, holding its folder, while it writes the first tables."""
    done = case.fault("r", 2, SIGNAL, int(signal.SIGSTOP))
    assert done.stopped is not None
    return done.stopped


def test_second_run_is_refused_at_once_naming_the_first_and_the_first_is_whole(
    tables: Case, tried: Callable[..., None]
) -> None:
    tables.reset()
    first = stopped_in_the_middle(tables)
    try:
        for _ in range(4):
            second = tables.run()
            assert second.code == 3, second.words
            second.assert_one_message(
                "another run writes here", f"process {first} on {socket.gethostname()}"
            )
            assert state_of(tables.out) == tables.old
    finally:
        done = tables.driver.go_on(first)
    assert done.code == 0, done.words
    assert tables.assert_whole() == "new"
    assert leftovers(tables.out) == []
    tried("2…5 runs in one folder", "the first stopped half way", 4)


def test_lock_of_a_dead_run_is_taken_and_its_leftovers_are_told(
    tables: Case, tried: Callable[..., None]
) -> None:
    tables.reset()
    assert tables.fault("r", 5, KILL).code == -signal.SIGKILL
    assert f"{MARK}lock" in leftovers(tables.out)
    done = tables.run()
    assert done.code == 0, done.words
    assert "removed leftovers of an earlier run: .phusong-new" in done.words
    assert tables.assert_whole() == "new"
    (tables.out / f"{MARK}lock").write_text("process 1 on another-host", encoding="utf-8")
    tables.assert_rerun_works()
    tried("stale lock (dead process, other host)", "kill -9; a planted lock", 2)


def test_clean_up_never_lets_go_of_the_lock(tables: Case) -> None:
    """The lock file lies among the leftovers: to remove it with them would admit a second run."""
    tables.reset()
    (tables.out / f"{MARK}old.csv").write_text("half", encoding="utf-8")
    first = stopped_in_the_middle(tables)
    try:
        assert tables.run().code == 3
    finally:
        done = tables.driver.go_on(first)
    assert done.code == 0, done.words


def test_verify_waits_for_nobody_while_a_run_writes(tables: Case) -> None:
    tables.reset()
    first = stopped_in_the_middle(tables)
    try:
        assert tables.driver.run("verify", tables.out).code == 0
    finally:
        tables.driver.go_on(first)


def test_publication_that_was_cut_short_is_finished_by_verify(
    tables: Case, tried: Callable[..., None]
) -> None:
    tables.reset()
    calls = tables.driver.trace(*tables.arguments, "-o", tables.out, folder=tables.out)
    renames = [path for kind, path in calls if kind == "r"]
    first = next(i for i, path in enumerate(renames, 1) if path.endswith(READY))
    for at in range(first + 1, len(renames) + 1):
        tables.reset()
        tables.fault("r", at, KILL)
        assert READY in leftovers(tables.out)
        assert tables.driver.run("verify", tables.out).code == 0
        assert state_of(tables.out) == tables.new
        assert leftovers(tables.out) == []
    tried("kill -9 between the renames into place, then verify", "shim", len(renames) - first)


def test_run_file_of_another_run_or_a_torn_one_does_not_pass(
    tables: Case, maps: Case, tmp_path: Path, tried: Callable[..., None]
) -> None:
    other = tmp_path / "other"
    maps.driver.run(*maps.arguments, "-o", other)
    torn = (other / "run.json").read_bytes()
    planted = [(other / "run.json").read_bytes(), torn[: len(torn) // 2], b"", b"[]", b"{}"]
    for content in planted:
        tables.reset()
        (tables.out / "run.json").write_bytes(content)
        verified = tables.driver.run("verify", tables.out)
        assert verified.code == 2, verified.words
        assert "Traceback" not in verified.words
    tables.reset()
    (tables.out / "run.json").write_bytes(planted[-1])
    done = tables.run()  # whose files these are no run.json tells: they are not overwritten
    assert done.code == 3
    done.assert_one_message("no earlier run lists it")
    tried("run.json of another run, torn, empty, no run", "planted", len(planted))


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n")


def rewrite_with_the_same_size_and_time(path: Path) -> None:
    stat = path.stat()
    content = path.read_bytes()
    path.write_bytes(content[:-4] + bytes(reversed(content[-4:])))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def replace_and_put_back(path: Path) -> None:
    """The content is the old one, but what the run read in between nobody knows."""
    content = path.read_bytes()
    path.write_bytes(b"x")
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["communes.gpkg", "more.csv", "service.csv"])
@pytest.mark.parametrize(
    "change", [append, rewrite_with_the_same_size_and_time, replace_and_put_back, os.unlink]
)
def test_input_that_changes_under_the_run_is_an_error_and_the_old_run_stays(
    saved: Path, study: Path, driver: Driver, tmp_path: Path,
    name: str, change: Callable[[Path], None], tried: Callable[..., None],
) -> None:  # fmt: skip
    shutil.copytree(study, tmp_path / "study")
    out = tmp_path / "out"
    shutil.copytree(saved, out)
    fault = {"folder": str(out), "kinds": "r", "at": 2, "action": SIGNAL, "number": signal.SIGSTOP}
    arguments = [*assess(tmp_path / "study", "more.csv"), "--no-map", "-o", out]
    started = driver.run(*arguments, fault=fault)
    assert started.stopped is not None
    change(tmp_path / "study" / name)
    done = driver.go_on(started.stopped)
    assert done.code == 2, done.words
    done.assert_one_message(name, "changed while the run was reading")
    assert state_of(out) == state_of(saved)
    assert leftovers(out) == []
    tried(f"input changed during the run: {name}", change.__name__, 1)

"""The disk is full, broken or read-only: one message that names the file, the old run intact."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.conftest import assess
from faults.oracle import FAIL_ON, FAIL_ONCE, Case, leftovers
from faults.test_kills import spread

NOBODY = 65534
ENVIRONMENT = 3


def fail_everywhere(case: Case, points: list[tuple[str, int]], action: int, number: int) -> None:
    """Let a call fail at every point: B ends with one message or, whole, without."""
    outcomes: Counter[str] = Counter()
    for turn, (kinds, at) in enumerate(points):
        case.reset()
        done = case.fault(kinds, at, action, number)
        if done.code == 0:  # what failed did not matter, such as taking away the lock
            assert case.assert_whole() == "new"
        else:
            assert done.code == ENVIRONMENT, (kinds, at, done.words)
            done.assert_one_message(str(case.out))
            outcomes[case.assert_whole()] += 1
        if turn % 8 == 0:
            case.assert_rerun_works()
    assert outcomes["old"]


def count(case: Case) -> Counter[str]:
    case.reset()
    calls = case.driver.trace(*case.arguments, "-o", case.out, folder=case.out)
    return Counter(kind for kind, _ in calls)


@pytest.mark.parametrize("name", ["ENOSPC", "EIO"])
@pytest.mark.parametrize(
    ("kind", "points"), [("w", 15), ("f", 15), ("r", 14), ("o", 10), ("m", 15)]
)
def test_failing_call_leaves_the_old_run(
    tables: Case, kind: str, points: int, name: str, tried: Callable[..., None]
) -> None:
    total = count(tables)[kind]
    number = getattr(errno, name)
    action = FAIL_ON if name == "ENOSPC" else FAIL_ONCE  # a disk stays full; an error may pass
    chosen = [(kind, n) for n in spread(total, points)]
    fail_everywhere(tables, chosen, action, number)
    words = {"w": "write", "f": "fsync", "r": "rename", "o": "open", "m": "mkdir"}
    when = "from the n-th on" if action == FAIL_ON else "once, at the n-th"
    tried(f"{name} at {words[kind]}, {when}", "shim before libc", len(chosen))


@contextmanager
def small_disk(at: Path, size: int) -> Iterator[None]:
    at.mkdir(exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", at],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", at], check=True)


def test_full_disk_is_named_with_the_bytes_that_are_free_and_keeps_the_old_run(
    maps: Case, tried: Callable[..., None]
) -> None:
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("needs root to mount a small disk")
    held = sum(-(-p.stat().st_size // 4096) * 4096 for p in maps.saved.iterdir())
    room = [round(held * share / 20) for share in range(1, 20, 2)]
    codes: Counter[int] = Counter()
    for more in room:
        maps.out.mkdir(exist_ok=True)
        with small_disk(maps.out, held + more):
            maps.reset()
            done = maps.run()
            codes[done.code] += 1
            if done.code:
                assert done.code == ENVIRONMENT, done.words
                done.assert_one_message("the disk is full", "bytes are free", str(maps.out))
                assert leftovers(maps.out) == []
                assert maps.assert_whole() == "old"
            else:
                assert maps.assert_whole() == "new"
    assert codes[ENVIRONMENT] >= 8
    tried("disk full", "small tmpfs, 10 sizes", len(room))


def test_limit_on_the_size_of_a_file_keeps_the_old_run(
    tables: Case, tried: Callable[..., None]
) -> None:
    sizes = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 90_000]
    for size in sizes:
        tables.reset()
        done = tables.run(file_bytes=size)
        assert done.code == ENVIRONMENT, done.words
        done.assert_one_message(str(tables.out))
        assert tables.assert_whole() == "old"
    tables.assert_rerun_works()
    tried("file too large (ulimit -f, quota)", "RLIMIT_FSIZE", len(sizes))


def test_folder_that_may_not_be_written_is_refused_before_any_computing(
    tables: Case, tmp_path: Path, tried: Callable[..., None]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user")
    tables.reset()
    for folder in (tables.out, *tables.out.parents):
        folder.chmod(folder.stat().st_mode | 0o055)
    calls = {"at": 0}
    user = {"user": NOBODY}
    try:
        whole = tables.driver.run(*tables.arguments, "-o", tmp_path / "free", calls=calls)
        done = tables.run(calls=calls, **user)
    finally:
        tables.out.chmod(0o755)
    assert done.code == ENVIRONMENT, done.words
    done.assert_one_message(str(tables.out), "Permission denied")
    few, all_ = (int(d.words.rsplit("calls ", 1)[1]) for d in (done, whole))
    assert few < all_ / 20
    assert tables.assert_whole() == "old"
    tried("read-only folder", "another user id", 1)


def test_read_only_disk_is_refused_and_the_run_on_it_still_verifies(
    tables: Case, tried: Callable[..., None]
) -> None:
    tables.reset()
    size = 4_000_000
    with small_disk(tables.out, size):
        tables.reset()
        subprocess.run(["mount", "-o", "remount,ro", tables.out], check=True)
        done = tables.run()
        assert done.code == ENVIRONMENT, done.words
        done.assert_one_message(str(tables.out), "Read-only")
        assert tables.assert_whole() == "old"
    tried("read-only disk", "tmpfs mounted ro", 1)


def test_file_or_file_above_in_place_of_the_folder_is_refused(
    tables: Case, tmp_path: Path, tried: Callable[..., None]
) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    for out in (tmp_path / "mine", tmp_path / "mine" / "below"):
        done = tables.driver.run(*tables.arguments, "-o", out)
        assert done.code == ENVIRONMENT, done.words
        done.assert_one_message("not a folder")
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "mine"
    tried("a file where the folder should be", "as it is", 2)


def test_own_file_in_the_place_of_an_output_is_never_overwritten(
    driver: object, study: Path, tmp_path: Path
) -> None:
    (tmp_path / "gaps.csv").write_text("mine", encoding="utf-8")
    done = driver.run(*assess(study), "--no-map", "-o", tmp_path)
    assert done.code == ENVIRONMENT
    done.assert_one_message("gaps.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["gaps.csv"]
    assert (tmp_path / "gaps.csv").read_text(encoding="utf-8") == "mine"

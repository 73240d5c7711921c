"""The program is killed or told to stop at any moment: the old run stays, or the new is whole."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.oracle import KILL, SIGNAL, TEAR, Case, leftovers

KILL_POINTS = 40
MOST_OPENS = 24  # most are those of SQLite's journal
WRITE_POINTS = 30
STOP_POINTS = 10
SHIM, PROFILE = "shim before libc", "profile hook"
WORDS = {"r": "renames", "f": "fsyncs", "u": "unlinks", "m": "mkdirs", "o": "opens for writing"}


def spread(total: int, points: int) -> list[int]:
    """Return up to `points` numbers of 1…total, evenly spread, the ends included."""
    if total <= points:
        return list(range(1, total + 1))
    return sorted({1 + round(i * (total - 1) / (points - 1)) for i in range(points)})


def count_calls(case: Case) -> int:
    done = case.run(calls={"at": 0})
    assert done.code == 0, done.words
    return int(done.words.rsplit("calls ", 1)[1])


def kill_everywhere(case: Case, points: list[tuple[str, int]], *, rerun_each: int) -> Counter[str]:
    """Kill B at every point, tear the write where it is one, and hold the folder against A, B."""
    outcomes: Counter[str] = Counter()
    for turn, (kind, at) in enumerate(points):
        case.reset()
        done = case.fault(kind, at, TEAR if kind == "w" else KILL)
        assert done.code == -signal.SIGKILL, (kind, at, done.words)
        outcomes[case.assert_whole()] += 1
        if turn % rerun_each == 0:
            case.assert_rerun_works()
    return outcomes


@pytest.mark.parametrize("kind", list("rfumo"))
def test_kill_at_each_call_of_a_kind_loses_nothing(
    tables: Case, kind: str, tried: Callable[..., None]
) -> None:
    tables.reset()
    total = Counter(k for k, _ in tables.driver.trace(*tables.arguments, "-o", tables.out,
                                                      folder=tables.out))[kind]  # fmt: skip
    points = spread(total, MOST_OPENS) if kind == "o" else range(1, total + 1)
    outcomes = kill_everywhere(tables, [(kind, n) for n in points], rerun_each=6)
    assert outcomes["old"]
    tried(f"kill -9 at {len(points)} of {total} {WORDS[kind]}", SHIM, outcomes.total())


def test_kill_in_the_middle_of_a_write_loses_nothing(
    tables: Case, tried: Callable[..., None]
) -> None:
    tables.reset()
    total = Counter(k for k, _ in tables.driver.trace(*tables.arguments, "-o", tables.out,
                                                      folder=tables.out))["w"]  # fmt: skip
    points = [("w", n) for n in spread(total, WRITE_POINTS)]
    outcomes = kill_everywhere(tables, points, rerun_each=8)
    tried(f"kill -9 half way through {len(points)} of {total} writes", SHIM, outcomes.total())


def test_kill_while_each_map_is_written_loses_nothing(
    maps: Case, tried: Callable[..., None]
) -> None:
    maps.reset()
    calls = maps.driver.trace(*maps.arguments, "-o", maps.out, folder=maps.out)
    points: list[tuple[str, int]] = []
    numbers: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for kind, path in calls:
        numbers[kind] += 1
        suffix = Path(path).suffix
        if kind in "wfr" and suffix in (".html", ".png", ".pdf", ".svg"):
            if (kind, suffix) not in seen:
                points.append((kind, numbers[kind]))
            seen.add((kind, suffix))
    assert len(points) >= 12
    outcomes = kill_everywhere(maps, points, rerun_each=4)
    tried("kill -9 at write, fsync, rename of HTML, PNG, PDF, SVG", SHIM, outcomes.total())


def test_kill_at_forty_points_spread_over_the_run_loses_nothing(
    tables: Case, tried: Callable[..., None]
) -> None:
    tables.reset()
    # threads that wait make a few calls more or less each time: the very last may never come
    points = spread(int(count_calls(tables) * 0.98), KILL_POINTS)
    for turn, at in enumerate(points):
        tables.reset()
        done = tables.run(calls={"at": at, "number": int(signal.SIGKILL)})
        assert done.code == -signal.SIGKILL, (at, done.words)
        tables.assert_whole()
        if turn % 8 == 0:
            tables.assert_rerun_works()
    assert len(points) == KILL_POINTS
    tried("kill -9 spread over the whole run", PROFILE, len(points))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_ends_with_its_exit_code_one_message_and_no_leftovers(
    tables: Case, number: signal.Signals, tried: Callable[..., None]
) -> None:
    tables.reset()
    calls = tables.driver.trace(*tables.arguments, "-o", tables.out, folder=tables.out)
    total = Counter(kind for kind, _ in calls)
    points = [("wfruom", n) for n in spread(len(calls), STOP_POINTS)]
    points += [("r", n) for n in spread(total["r"], STOP_POINTS)]
    outcomes: Counter[str] = Counter()
    for kinds, at in points:
        tables.reset()
        done = tables.fault(kinds, at, SIGNAL, int(number))
        assert done.code == 128 + number, (at, done.words)
        done.assert_one_message(f"stopped by {number.name}")
        assert leftovers(tables.out) == []
        outcomes[tables.assert_whole()] += 1
    tables.reset()
    # The two ends are left out: before and after the program has its hand on the signals.
    for at in spread(count_calls(tables), STOP_POINTS + 2)[1:-1]:
        tables.reset()
        done = tables.run(calls={"at": at, "number": int(number)})
        assert done.code == 128 + number, (at, done.words)
        done.assert_one_message(f"stopped by {number.name}")
        assert leftovers(tables.out) == []
        outcomes[tables.assert_whole()] += 1
    assert outcomes["old"]
    assert outcomes["new"]
    tried(f"{number.name}", f"{SHIM}; {PROFILE}", outcomes.total())


def test_each_file_is_on_the_disk_before_its_name_and_the_name_before_the_next_step(
    maps: Case, tried: Callable[..., None]
) -> None:
    """What a power cut may keep is decided by the order of fsync and rename."""
    maps.reset()
    calls = maps.driver.trace(*maps.arguments, "-o", maps.out, folder=maps.out)
    renames = [i for i, (kind, _) in enumerate(calls) if kind == "r"]
    ready = next(i for i in renames if calls[i][1].endswith(".phusong-ready"))
    listed = {name: [i for i in renames if Path(calls[i][1]) == maps.out / name]
              for name in maps.new}  # fmt: skip
    staged = {Path(path).name for kind, path in calls[:ready] if kind == "f"}
    assert set(maps.new) <= staged
    last_written = max(i for i in range(ready) if calls[i][0] == "w")
    assert ("f", str(maps.out / ".phusong-new")) in calls[last_written:ready]
    assert calls[ready + 1] == ("f", str(maps.out))
    assert all(len(moves) == 1 and moves[0] > ready for moves in listed.values())
    run = listed["run.json"][0]
    assert run == renames[-1]
    assert calls[run - 1] == calls[run + 1] == ("f", str(maps.out))
    written_after = {path for kind, path in calls[ready:] if kind == "w"}
    assert written_after == set()
    tried("power cut: fsync before rename, folder after", "order in the trace", len(maps.new))

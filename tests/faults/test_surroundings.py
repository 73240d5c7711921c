"""Other locales, zones, seeds and homes give the same bytes; few resources give one message."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from faults.conftest import assess
from faults.oracle import PROGRAM, SECONDS, Case, Done, Driver, leftovers, state_of

ODD = {
    "LC_ALL=C, ASCII": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
                        "PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati"},
    "POSIX, UTF-8 mode off": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONHASHSEED": "2",
                              "TZ": "Asia/Ho_Chi_Minh"},
    "vi_VN": {"LC_ALL": "vi_VN.UTF-8", "PYTHONUTF8": "1", "PYTHONHASHSEED": "3", "TZ": "UTC"},
    "vi_VN.TCVN": {"LC_ALL": "vi_VN.TCVN", "PYTHONHASHSEED": "4", "TZ": "America/St_Johns"},
    "de_DE": {"LC_ALL": "de_DE.UTF-8", "PYTHONIOENCODING": "ascii", "PYTHONHASHSEED": "5"},
    "tr_TR": {"LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "0"},
    "no home": {"HOME": "/nonexistent", "MPLCONFIGDIR": "/proc/none", "XDG_CACHE_HOME": "/proc/no",
                "NUMBA_CACHE_DIR": "/proc/none", "XDG_CONFIG_HOME": "/proc/no"},
}  # fmt: skip


def program(
    *arguments: object,
    env: Mapping[str, str] | None = None,
    before: list[str] | None = None,
    shell: str = "",
) -> Done:
    """Run the program as a process of its own, through a shell line where one is given."""
    command = [*(before or []), *PROGRAM, *(str(a) for a in arguments)]
    if shell:
        command = ["bash", "-c", f"set -o pipefail; {shell}", "bash", *command]
    done = subprocess.run(
        command,
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2] / "coverage"),
            **(env or {}),
        },
    )
    words = (done.stdout + done.stderr).decode(errors="replace")
    return Done(code=done.returncode, words=words)


@pytest.mark.parametrize("name", ODD)
def test_locale_zone_seed_and_home_do_not_change_a_byte(
    study: Path, saved: Path, tmp_path: Path, name: str, tried: Callable[..., None]
) -> None:
    done = program(*assess(study), "-o", tmp_path / "out", env=ODD[name])
    assert done.code == 0, done.words
    assert "Traceback" not in done.words
    assert state_of(tmp_path / "out") == state_of(saved)
    tried(f"surroundings: {name}", "environment", 1)


@pytest.mark.parametrize("damage", ["cut in half", "empty", "garbage"])
def test_damaged_font_cache_is_made_anew(
    study: Path, saved: Path, tmp_path: Path, damage: str, tried: Callable[..., None]
) -> None:
    cache = tmp_path / "cache"
    env = {"MPLCONFIGDIR": str(cache), "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    import matplotlib as mpl

    cache.mkdir()
    name = f"fontlist-v{__import__('matplotlib.font_manager').font_manager.FontManager.__version__}"
    source = Path(mpl.get_cachedir()) / f"{name}.json"
    content = source.read_bytes() if source.exists() else b"{}"
    text = {"cut in half": content[: len(content) // 2], "empty": b"", "garbage": b"\x00\xff"}
    (cache / f"{name}.json").write_bytes(text[damage])
    del env["NUMBA_CACHE_DIR"]
    done = program(*assess(study), "-o", tmp_path / "out", env=env)
    assert done.code == 0, done.words
    assert state_of(tmp_path / "out") == state_of(saved)
    tried(f"font cache {damage}", "planted file", 1)


@pytest.mark.parametrize("megabytes", [256, 512, 1024, 2048, 4096])
def test_little_memory_ends_whole_or_with_a_plain_message(
    tables: Case, megabytes: int, tried: Callable[..., None]
) -> None:
    if shutil.which("prlimit") is None:
        pytest.skip("needs prlimit")
    tables.reset()
    limit = ["prlimit", f"--as={megabytes << 20}"]
    done = program(*tables.arguments, "-o", tables.out, before=limit)
    if done.code:
        assert done.code == 3, done.words
        done.assert_one_message("not enough memory")
    assert tables.assert_whole() == ("old" if done.code else "new")
    tried(f"memory cap {megabytes} MB", f"prlimit --as: exit {done.code}", 1)


@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ('"$@" | head -1', 0),
        ('"$@" | true', 0),
        ('"$@" >&-', 0),
        ('"$@" 2>&-', 0),
        ('"$@" <&- >&- 2>&-', 0),
        ('"$@" >/dev/full', 3),
        ('ulimit -n 32; "$@"', 0),
    ],
)
def test_closed_pipes_and_few_files_do_not_touch_the_outputs(
    tables: Case, shell: str, code: int, tried: Callable[..., None]
) -> None:
    tables.reset()
    done = program(*tables.arguments, "-o", tables.out, shell=shell)
    assert done.code == code, done.words
    assert "Traceback" not in done.words
    assert "BrokenPipe" not in done.words
    assert tables.assert_whole() == "new"
    assert leftovers(tables.out) == []
    tried(f"few resources: {shell}", "shell", 1)


def test_without_any_network_the_run_is_the_same(
    study: Path, saved: Path, tmp_path: Path, tried: Callable[..., None]
) -> None:
    cut = ["unshare", "-n"]
    if shutil.which("unshare") is None or subprocess.run([*cut, "true"], check=False).returncode:
        pytest.skip("needs the right to cut a process off the network")
    done = program(*assess(study), "-o", tmp_path / "out", before=cut)
    assert done.code == 0, done.words
    assert state_of(tmp_path / "out") == state_of(saved)
    tried("no network", "unshare -n", 1)


def test_tests_of_few_resources_leave_the_limits_alone(driver: Driver) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY

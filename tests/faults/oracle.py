"""What a fault may leave behind: the old run or the new one, whole, and one plain message."""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MARK = ".phusong-"
READY = f"{MARK}ready"
PROGRAM = [sys.executable, "-c", "from phusong.cli import main; main()"]
SECONDS = 60  # after so long a run counts as hung
COUNT, KILL, TEAR, FAIL_ONCE, FAIL_ON, SIGNAL = range(6)  # as in shim.c

State = Mapping[str, str]


def state_of(folder: Path) -> dict[str, str]:
    """Return the sha256 of every output; of `run.json` without its two times."""
    return {
        path.name: _sha256(path)
        for path in sorted(folder.iterdir())
        if not path.name.startswith(MARK)
    }


def _sha256(path: Path) -> str:
    content = path.read_bytes()
    if path.name == "run.json":
        run = json.loads(content)
        del run["started"], run["finished"]
        content = json.dumps(run, sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(MARK))


@dataclass(kw_only=True)
class Done:
    """How a run ended; `code` is negative where a signal killed it."""

    code: int
    words: str
    stopped: int | None = None

    def assert_one_message(self, *parts: str) -> None:
        """One message on the console, with these parts, and nothing that looks like a bug."""
        assert "Traceback" not in self.words, self.words
        assert "Exception ignored" not in self.words, self.words
        said = [line for line in self.words.splitlines() if line.startswith("phusong: ")]
        about = [
            line for line in said if "removed leftovers" not in line and "cut short" not in line
        ]
        assert len(about) == 1, self.words
        for part in parts:
            assert part in about[0], self.words


class Driver:
    """The program, loaded once; every order is a run in a forked child."""

    def __init__(self, arguments: list[str], shim: Path, scratch: Path) -> None:
        self.words = scratch / "words"
        self.log = scratch / "log"
        self._talk = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("driver.py")), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "LD_PRELOAD": str(shim)},
        )
        assert json.loads(self._line()) == {"ready": True}

    def run(self, *arguments: object, **faults: object) -> Done:
        order = {"arguments": [str(a) for a in arguments], "words": str(self.words), **faults}
        return self._order(order)

    def go_on(self, stopped: int) -> Done:
        return self._order({"go_on": stopped})

    def trace(self, *arguments: object, folder: Path) -> list[tuple[str, str]]:
        """Return the calls that change files in `folder` during a run: their kind and path."""
        fault = {"folder": str(folder), "kinds": "wfruom", "at": 0, "action": COUNT}
        done = self.run(*arguments, fault={**fault, "log": str(self.log)})
        assert done.code == 0, done.words
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [(line[0], line[2:].removesuffix(" (deleted)")) for line in lines]

    def close(self) -> None:
        self._talk.stdin.close()
        self._talk.stdout.close()
        self._talk.wait(SECONDS)

    def _order(self, order: dict[str, object]) -> Done:
        self._talk.stdin.write(json.dumps(order) + "\n")
        self._talk.stdin.flush()
        answer = json.loads(self._line())
        words = self.words.read_text(encoding="utf-8", errors="replace")
        return Done(code=answer.get("code", 0), words=words, stopped=answer.get("stopped"))

    def _line(self) -> str:
        ready, _, _ = select.select([self._talk.stdout], [], [], SECONDS)
        if not ready:
            self._talk.kill()
            self.close()
            raise AssertionError(f"hung for {SECONDS} s")
        line = self._talk.stdout.readline()
        assert line, "the driver died"
        return line


@dataclass(kw_only=True)
class Case:
    """An output folder that holds run A, and the study of run B."""

    driver: Driver
    out: Path
    arguments: list[str]  # of B, without the folder
    saved: Path  # a copy of A
    old: State
    new: State = field(default_factory=dict)

    def reset(self) -> None:
        """Make the folder hold A again; the folder itself stays, it may be a mount."""
        self.out.mkdir(exist_ok=True)
        for path in self.out.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in self.saved.iterdir():
            shutil.copy2(path, self.out / path.name)

    def run(self, **faults: object) -> Done:
        return self.driver.run(*self.arguments, "-o", self.out, **faults)

    def fault(self, kinds: str, at: int, action: int, number: int = 0) -> Done:
        """Run B with a fault at the `at`-th call of these kinds."""
        fault = {"folder": str(self.out), "kinds": kinds, "at": at, "action": action}
        return self.run(fault={**fault, "number": number})

    def assert_whole(self) -> str:
        """Hold the folder against A and B; return which of them it is, "old" or "new".

        Where a finished run was cut short in the few renames that put it into place, each file
        must be that of A or of B, and `phusong verify` must make the whole B of them.
        """
        found = state_of(self.out)
        if READY in leftovers(self.out):
            for name, sha256 in found.items():
                assert sha256 in (self.old.get(name), self.new.get(name)), f"{name} is torn"
        else:
            assert found in (self.old, self.new), _difference(found, self.old, self.new)
        verified = self.driver.run("verify", self.out)
        assert verified.code == 0, verified.words
        found = state_of(self.out)
        assert found in (self.old, self.new), _difference(found, self.old, self.new)
        return "new" if found == self.new else "old"

    def assert_rerun_works(self) -> None:
        """Without any cleaning by hand, B comes out whole and nothing else stays."""
        again = self.run()
        assert again.code == 0, again.words
        assert state_of(self.out) == self.new
        assert leftovers(self.out) == []


def _difference(found: State, old: State, new: State) -> str:
    rows = [
        f"{name}: {'old' if found.get(name) == old.get(name) else ''}"
        f"{'new' if found.get(name) == new.get(name) else ''}"
        for name in sorted({*found, *old, *new})
    ]
    return "; ".join(rows)

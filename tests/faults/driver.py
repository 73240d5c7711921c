"""The program under test, imported once: each order on stdin is one run in a forked child.

An order is a JSON line, the answer is one too. A child that stops itself (SIGSTOP) is answered
with its number and goes on with {"go_on": number}. The child meets its fault by the preloaded
shim (`shim.c`), by a signal after so many calls of Python functions, or by a limit of the system.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path

MOST_BYTES = 1 << 62


def main(warm_up: list[str]) -> None:
    """Do the warm-up run, so that children start with everything loaded, then take orders."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what the program says is no answer
    if _run(warm_up) != 0:
        sys.exit("the warm-up failed")
    _answer(answers, {"ready": True})
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        child = order.get("go_on")
        if child is None:
            child = os.fork()
            if child == 0:
                _be_the_child(order)
        else:
            os.kill(child, signal.SIGCONT)
        _, status = os.waitpid(child, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            _answer(answers, {"stopped": child})
        else:
            _answer(answers, {"code": os.waitstatus_to_exitcode(status)})


def _answer(answers: int, answer: dict[str, object]) -> None:
    os.write(answers, json.dumps(answer).encode() + b"\n")


def _be_the_child(order: dict) -> None:
    code = 70
    try:
        words = os.open(order["words"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(words, number)
        if order.get("user"):
            os.setgroups([])
            os.setgid(order["user"])
            os.setuid(order["user"])
        if order.get("file_bytes"):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_bytes"], MOST_BYTES))
        if order.get("fault"):
            _arm(**order["fault"])
        if order.get("calls"):
            _count_calls(**order["calls"])
        code = _run(order["arguments"])
        sys.setprofile(None)
        if order.get("calls"):
            sys.stdout.write(f"calls {_seen[0]}\n")
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:  # noqa: BLE001 - it is told as the program would tell it, then we end
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _run(arguments: list[str]) -> int:
    from phusong.cli import main as phusong

    try:
        phusong(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _arm(*, folder: str, kinds: str, at: int, action: int, number: int = 0, log: str = "") -> None:
    trace = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if log else -1
    shim = ctypes.CDLL(os.environ["LD_PRELOAD"])
    shim.fault_arm.argtypes = [
        ctypes.c_char_p, ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.c_int, ctypes.c_int,
    ]  # fmt: skip
    shim.fault_arm(folder.encode(), kinds.encode(), at, action, number, trace)


_seen = [0]


def _count_calls(*, at: int = 0, number: int = 0) -> None:
    """Send `number` to ourselves at the `at`-th call of a Python function; 0 only counts."""

    def meet(frame: object, event: str, argument: object) -> None:
        if event == "call":
            _seen[0] += 1
            if _seen[0] == at:
                os.kill(os.getpid(), number)

    sys.setprofile(meet)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2] / "coverage"))
    main(sys.argv[1:])

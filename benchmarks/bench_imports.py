"""How long a verb takes before it works: `--help`, and the import of what it works with.

Each figure is of fresh processes, one after the other: the median of wall clock and of processor
time, which says what an idle machine would do. The first row is Python alone. `work` is the import
of the module that the verb calls, with all that it brings; the last column names what of it costs
most, in the time of its own modules alone (`-X importtime`, one run).

    python benchmarks/bench_imports.py [--repeat 7] [--only demo plan]
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections import Counter

# What a verb imports when it starts to work; a verb that is not here works with click alone.
WORK = {
    "demo": "phusong.runs",
    "assess": "phusong.runs",
    "run": "phusong.runs",
    "check": "phusong.io.check",
    "template": "phusong.io.template",
    "verify": "phusong.io.manifest",
    "fetch": "phusong.io.fetch",
    "cache": "phusong.io.cache",
    "path": "phusong.radio.paths",
    "predict": "phusong.predicting",
    "progress": "phusong.monitoring",
    "plan": "phusong.plan_files",
    "publish": "phusong.publish.site",
    "report": "phusong.publish.report.build",
    "explain": "phusong.explaining",
}
MICROSECONDS = re.compile(r"import time: +(\d+) \| +\d+ \| +(\w+)")


def cost(*arguments: str) -> tuple[float, float]:
    """Return the wall clock and the processor time of a Python process, in milliseconds."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {arguments}")
    wall = time.perf_counter() - start
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3


def median_cost(repeat: int, *arguments: str) -> str:
    costs = zip(*(cost(*arguments) for _ in range(repeat)), strict=True)
    wall, cpu = map(statistics.median, costs)
    return f"{wall:>7.0f}{cpu:>7.0f}"


def heaviest(module: str, most: int = 4) -> str:
    """Return the libraries whose own modules take longest to import, with milliseconds."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    spent: Counter[str] = Counter()
    for own_us, library in MICROSECONDS.findall(done.stderr):
        if library not in sys.stdlib_module_names:
            spent[library] += int(own_us)
    return ", ".join(f"{name} {us / 1e3:.0f}" for name, us in spent.most_common(most) if us > 1e3)


def main() -> None:
    from phusong.cli import main as verbs

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=list(verbs.commands))
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}; ms: wall, processor")  # fmt: skip
    print(f"{'verb':<12}{'--help':>14}{'work':>14}  of it")
    print(f"{'(python)':<12}{median_cost(given.repeat, '-c', 'pass')}")
    for verb in given.only or verbs.commands:
        line = f"{verb:<12}{median_cost(given.repeat, '-m', 'phusong', verb, '--help')}"
        if verb in WORK:
            work = median_cost(given.repeat, "-c", f"import {WORK[verb]}")
            line += f"{work}  {heaviest(WORK[verb])}"
        print(line, flush=True)


if __name__ == "__main__":
    main()

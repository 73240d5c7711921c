"""Websites of runs: the time to write them, to write them again unchanged, and their size.

Without RUN: the demo, and all of Vietnam (the run of bench_country.py, which is made first and is
not in the figures). The site is written by a process of its own; wall clock, processor seconds and
peak memory are printed.

    python benchmarks/bench_site.py [RUN…]
"""

from __future__ import annotations

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).with_name("phusong")
COUNTRY = Path(__file__).with_name("bench_country.py")


def make_runs(folder: Path) -> list[Path]:
    """Return the folders of the demo and of the country."""
    demo, country = folder / "demo", folder / "country"
    for command in ([BIN, "demo", "-o", demo], [sys.executable, COUNTRY, "-o", country]):
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return [demo, country]


def publish(run: Path, out: Path) -> str:
    """Return what one call took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [BIN, "publish", run, "-o", out, "--base-url", "https://example.org/"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = done.stdout.splitlines()[0]
    return f"{wall:6.1f} s wall, {cpu:6.1f} s cpu, {after.ru_maxrss / 1024:5.0f} MB   {said}"


def sizes(folder: Path) -> str:
    """Return the megabytes by kind of file."""
    kinds = {"pages": "*.html", "drawings": "outlines/*.svg", "files to take away": "data/*/*"}
    maps = set(folder.rglob("*map.html"))
    parts = []
    for kind, pattern in kinds.items():
        found = [p.stat().st_size for p in folder.rglob(pattern) if p not in maps]
        mean = sum(found) / max(len(found), 1) / 1e3
        parts.append(f"{len(found)} {kind} {sum(found) / 1e6:.1f} MB ({mean:.1f} kB each)")
    parts.append(f"{len(maps)} maps {sum(p.stat().st_size for p in maps) / 1e6:.1f} MB")
    return "; ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as temporary:
        for run in options.runs or make_runs(Path(temporary)):
            out = Path(temporary) / f"site-{run.name}"
            print(run.name)
            print(f"  first      {publish(run, out)}")
            print(f"  unchanged  {publish(run, out)}")
            print(f"  {sizes(out)}")


if __name__ == "__main__":
    main()

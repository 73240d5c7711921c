"""Reading what planners send: a million rows of CSV, 200,000 of XLSX, ours beside plain pandas.

Ours is `phusong check`, a whole process: every row read, checked against the communes, accounted
for, and a clean copy written. The peer reads the same file with pandas (openpyxl for XLSX) and
writes a CSV, checking nothing. A row a file: wall times, pandas ÷ ours (above 1 we are faster),
and the peak memory of each process.

    python benchmarks/bench_reading.py [--rows 1000000] [--xlsx-rows 200000] [--repeat 1]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import openpyxl

from phusong.io.embedded import embedded_path

NUMBERS = ("lon", "lat", "frequency_mhz", "antenna_height_m", "azimuth_deg", "radius_m")
PEER = """
import sys, pandas as pd
path, out = sys.argv[1:]
read = pd.read_csv if path.endswith(".csv") else pd.read_excel
read(path, dtype={"site_id": "str"}).to_csv(out, index=False)
"""


def rows_of(n: int) -> list[list[str]]:
    """Return the heading and `n` rows: the embedded cells, again and again under new numbers."""
    head, *body = csv.reader(embedded_path("sites").open(encoding="utf-8"))
    endless = itertools.cycle(body)
    made = [[f"{row[0]}-{i // len(body)}", *row[1:]] for i, row in
            zip(range(n), endless, strict=False)]  # fmt: skip
    return [head, *made]


def write_csv(path: Path, n: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows_of(n))
    return path


def write_xlsx(path: Path, n: int) -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("sites")
    head, *body = rows_of(n)
    at = {head.index(name) for name in NUMBERS}
    sheet.append(head)
    for row in body:
        sheet.append([float(c) if i in at and c else c or None for i, c in enumerate(row)])
    book.save(path)
    return path


def measure(command: list[str]) -> tuple[float, float]:
    """Return the wall time in seconds and the peak memory in MB of a process and its children."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {command}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def row(what: str, ours: tuple[float, float], peer: tuple[float, float]) -> str:
    return (f"{what:<22}{ours[0]:>8.1f} s{peer[0]:>8.1f} s{peer[0] / ours[0]:>8.2f}"
            f"{ours[1]:>8.0f} MB{peer[1]:>8.0f} MB")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--xlsx-rows", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=1)
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"{'file':<22}{'ours':>10}{'pandas':>10}{'ratio':>8}{'ours, peak':>11}{'pandas':>11}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [
            (f"CSV {given.rows:,} rows", write_csv(folder / "sites.csv", given.rows)),
            (f"XLSX {given.xlsx_rows:,} rows", write_xlsx(folder / "s.xlsx", given.xlsx_rows)),
        ]
        for what, path in files:
            for _ in range(given.repeat):
                ours = measure(
                    [str(Path(sys.executable).with_name("phusong")), "check", "sites", str(path),
                     "--communes", str(embedded_path("communes")), "-o", str(folder / "out")]
                )  # fmt: skip
                peer = measure([sys.executable, "-c", PEER, str(path), str(folder / "peer.csv")])
                print(row(what, ours, peer), flush=True)


if __name__ == "__main__":
    main()

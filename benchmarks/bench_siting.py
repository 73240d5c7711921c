"""Most people for 100 sites, and fewest sites: ours beside spopt (MCLP, LSCP) and plain pandas.

50,000 cells of demand × 5,000 candidates, in two densities (185,000 and 711,000 links), at seeded
places on a square of 105 km with log-normal people, and once on the real people of Thanh Hóa where
the shared data are at hand. Each side starts from the same arrays in memory. spopt builds its model
and hands it to CBC (through PuLP) with the time that is given; what has not finished then is said
to be unfinished. The greedy choice in pandas merges and groups anew for each site.

    python -m venv /tmp/spopt && /tmp/spopt/bin/pip install spopt pulp     # only for its side
    python benchmarks/bench_siting.py [--spopt /tmp/spopt/bin/python] [--limit 300] [--country]
"""

from __future__ import annotations

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from scipy.spatial import cKDTree
from timing import timed

from phusong.census import spread_people
from phusong.grid import choose_metric_crs, grid_over
from phusong.io.rasters import read_population
from phusong.siting.demand import make_problem
from phusong.siting.greedy import build_greedily
from phusong.siting.questions import cap_needs, least_cost, most_people
from phusong.siting.reach import lay_demand, link_discs
from phusong.zonal import overlap_zones

SHARED = Path(__file__).parents[2] / "shared/data"
SIDE_M, SEED, N_ROWS, N_SITES, K = 105_000.0, 20260630, 50_000, 5_000, 100
DENSITIES = {"sparse": 185_000, "dense": 711_000}
ZONES = 13  # a side; 169 communes
SHARE = 0.9

Instance = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]

SPOPT = """
import sys, time, numpy as np, pulp
from spopt.locate import LSCP, MCLP
data = np.load(sys.argv[1]); persons, start, row = data["persons"], data["start"], data["row"]
limit, question = float(sys.argv[2]), sys.argv[3]
begun = time.perf_counter()
cost = np.full((len(persons), len(start) - 1), 9.0)
cost[row, np.repeat(np.arange(len(start) - 1), np.diff(start))] = 1.0
if question == "lscp":
    cost = cost[(cost < 9).any(axis=1)]
    model = LSCP.from_cost_matrix(cost, 2.0)
else:
    model = MCLP.from_cost_matrix(cost, persons, 2.0, p_facilities=int(sys.argv[4]))
print("built", time.perf_counter() - begun, flush=True)
model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=limit))
chosen = [j for j, v in enumerate(model.fac_vars) if v.value() and v.value() > 0.5]
is_covered = np.zeros(len(persons), bool)
for j in chosen:
    is_covered[row[start[j]:start[j + 1]]] = True
print("solved", time.perf_counter() - begun, len(chosen), persons[is_covered].sum(),
      pulp.LpStatus[model.problem.status], model.problem.sol_status, flush=True)
"""


def seeded(n_links: int) -> Instance:
    """Return persons, starts, rows, places and zones; radii differ by a third."""
    rng = np.random.default_rng(SEED)
    cells = rng.uniform(0, SIDE_M, (N_ROWS, 2))
    persons = rng.lognormal(3, 1.5, N_ROWS)
    xy = cells[rng.choice(N_ROWS, N_SITES, replace=False)] + rng.normal(0, 300, (N_SITES, 2))
    stretch = np.exp(0.35 * rng.standard_normal(N_SITES))
    tree, least, most = cKDTree(cells), 50.0, 20_000.0
    for _ in range(30):
        radius = (least * most) ** 0.5
        is_short = tree.query_ball_point(xy, radius * stretch, return_length=True).sum() < n_links
        least, most = (radius, most) if is_short else (least, radius)
    rows = [np.sort(found) for found in tree.query_ball_point(xy, radius * stretch)]
    square = np.minimum(cells // (SIDE_M / ZONES), ZONES - 1).astype(int)
    start = np.append(0, np.cumsum([len(found) for found in rows]))
    return persons, start, np.concatenate(rows), xy, square[:, 0] * ZONES + square[:, 1]


def real(radius_m: float, cell_m: float, communes: gpd.GeoDataFrame, raster: xr.DataArray,
         n_sites: int) -> tuple[Instance, int]:  # fmt: skip
    """Return the same for the people of some communes, sites drawn by people."""
    grid = grid_over(communes, crs=choose_metric_crs(communes), cell_m=cell_m, margin_cells=4)
    zones = communes.to_crs(grid.crs)
    persons = np.asarray(spread_people(raster, grid))
    demand = lay_demand(overlap_zones(zones, grid), persons, np.zeros(grid.shape))
    rng = np.random.default_rng(SEED)
    share = demand.persons / demand.persons.sum()
    some = rng.choice(len(share), min(n_sites, np.count_nonzero(share)), replace=False, p=share)
    xy = demand.xy[some] + rng.uniform(-cell_m / 2, cell_m / 2, (len(some), 2))
    start, row = link_discs(demand, xy, np.full(len(some), radius_m))
    return (demand.persons, start, row, xy, demand.zone), len(zones)


def plain_greedy(instance: Instance, k: int) -> float:
    """Choose by merging and grouping, as an analyst would; return the people covered."""
    persons, start, row, _, _ = instance
    links = pd.DataFrame({"site": np.repeat(np.arange(len(start) - 1), np.diff(start)), "row": row})
    people, total = pd.DataFrame({"row": np.arange(len(persons)), "people": persons}), 0.0
    for _ in range(k):
        gain = links.merge(people, on="row").groupby("site")["people"].sum()
        total += gain.max()
        new = links.loc[links["site"] == gain.idxmax(), "row"]
        people = people[~people["row"].isin(new)]
    return total


def ask_spopt(python: str, instance: Instance, question: str, limit_s: float) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instance.npz"
        np.savez(path, persons=instance[0], start=instance[1], row=instance[2])
        command = [python, "-c", SPOPT, str(path), str(limit_s), question, str(K)]
        try:
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, text=True, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"").decode().strip()
            return f"unfinished after {limit_s:.0f} s ({said or 'its model was not built'})"
    said = "; ".join(done.stdout.split("\n")).strip("; ")
    return said or done.stderr.strip().split("\n")[-1]


def report_most(name: str, instance: Instance, options: argparse.Namespace, *, peers: bool) -> None:
    persons, start, row, xy, _ = instance
    print(f"\n{name}: {len(persons)} rows, {len(start) - 1} candidates, {len(row)} links, K = {K}")
    spent = []
    for _ in range(3):
        wall, cpu, answer = timed(
            lambda: most_people(make_problem(persons, start, row, xy=xy), budget=K)
        )
        spent.append((wall, cpu))
    problem = make_problem(persons, start, row, xy=xy)
    wall, cpu = min(spent)
    print(f"  ours: {answer.people / persons.sum():.5f} of the people, proven gap "
          f"{100 * answer.gap:.3f} %, {wall:.2f} s ({cpu:.2f} s of processor), best of 3; "
          f"{len(problem.persons)} merged rows, {len(problem.row)} links")  # fmt: skip
    if peers:
        quick, _, (chosen, _) = min(
            (timed(lambda: build_greedily(make_problem(persons, start, row), budget=K))
             for _ in range(3)), key=lambda spent: spent[0],
        )  # fmt: skip
        alone = problem.covered_by(chosen)[-1] / persons.sum()
        slow, _, people = timed(lambda: plain_greedy(instance, K))
        print(f"  our greedy choice alone, without swaps and proof: {alone:.5f}, {quick:.3f} s")
        print(f"  plain greedy in pandas: {people / persons.sum():.5f}, {slow:.2f} s: "
              f"{slow / quick:.0f} times our greedy choice, {slow / wall:.1f} times ours with "
              "swaps and proof")  # fmt: skip
    if peers and options.spopt:
        print(f"  spopt MCLP: {ask_spopt(options.spopt, instance, 'mclp', options.limit)}")


def report_fewest(name: str, instance: Instance, n_zones: int) -> None:
    persons, start, row, xy, zone = instance
    problem = make_problem(persons, start, row, xy=xy, zone=zone, n_zones=n_zones)
    wanted = np.append(SHARE * np.bincount(zone, persons, n_zones), 0.0)
    need, is_lowered = cap_needs(problem, wanted)
    wall, cpu, answer = timed(lambda: least_cost(problem, need=need))
    print(f"  fewest sites for {SHARE:.0%} of every commune ({is_lowered.sum()} of {n_zones} "
          f"lowered to what is reachable): {len(answer.order)}, bound {answer.bound:.0f}, gap "
          f"{100 * answer.gap:.1f} %, {wall:.1f} s ({cpu:.1f} s of processor)")  # fmt: skip


def report_everyone(instance: Instance, options: argparse.Namespace) -> None:
    """Compare with LSCP: fewest sites that cover every row in reach."""
    persons, start, row, xy, _ = instance
    problem = make_problem(np.ones(len(persons)), start, row, xy=xy)
    wall, _, answer = timed(lambda: least_cost(problem, need=problem.reachable))
    print(f"  fewest sites for every row in reach: {len(answer.order)}, bound {answer.bound:.0f}, "
          f"gap {100 * answer.gap:.1f} %, {wall:.1f} s")  # fmt: skip
    if options.spopt:
        print(f"  spopt LSCP: {ask_spopt(options.spopt, instance, 'lscp', options.limit)}")


def report_country(raster: xr.DataArray) -> None:
    """All of Vietnam's people on cells of 500 m, province by province, 100 sites each."""
    communes = gpd.read_parquet(SHARED / "boundaries/vietnam_2025_simplified.parquet")
    n_rows, gaps = 0, []

    def everyone() -> None:
        nonlocal n_rows
        for _, province in communes.groupby("province_code"):
            (persons, start, row, xy, _), _ = real(3000.0, 500.0, province, raster, N_SITES)
            n_rows += len(persons)
            gaps.append(most_people(make_problem(persons, start, row, xy=xy), budget=K).gap)

    wall, cpu, _ = timed(everyone)
    least, median, most = 100 * np.percentile(gaps, [0, 50, 100])
    print(f"\nVietnam: {len(gaps)} provinces, {n_rows} rows of 500 m, up to {N_SITES} candidates "
          f"and {K} sites each: {wall:.0f} s ({cpu:.0f} s of processor), gaps {least:.2f} to "
          f"{most:.2f} %, median {median:.2f} %")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spopt", help="A Python that has spopt and PuLP.")
    parser.add_argument("--limit", type=float, default=300.0, help="Seconds that spopt is given.")
    parser.add_argument("--country", action="store_true")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}")
    for name, n_links in DENSITIES.items():
        instance = seeded(n_links)
        report_most(name, instance, options, peers=True)
        report_fewest(name, instance, ZONES**2)
        if name == "sparse":
            report_everyone(instance, options)
    if SHARED.is_dir():
        communes = gpd.read_parquet(SHARED / "boundaries/thanh_hoa_2025.parquet")
        path = SHARED / "population/vnm_ppp_2020_1km_Aggregated_UNadj.tif"
        raster = read_population(path).layer
        for radius_m in (1630.0, 3210.0):
            instance, n_zones = real(radius_m, 472.0, communes, raster, N_SITES)
            report_most(f"Thanh Hóa's people, {radius_m:g} m", instance, options, peers=False)
            report_fewest("", instance, n_zones)
        if options.country:
            report_country(raster)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process {peak_mb:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())

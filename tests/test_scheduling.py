"""Several processes give the answer of one, to the last bit, whoever is first and whoever dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import square_communes

import phusong as ps
from phusong.cli import main
from phusong.errors import InputFileError, MissingExtraError
from phusong.io.rowgroups import list_row_groups
from phusong.point_counts import PointCounts, count_points
from phusong.points import label_zones
from phusong.prepare import prepare_communes, prepare_sites
from phusong.province import sites_in_reach, split_provinces
from phusong.publish.assessment import Assessment
from phusong.scheduling import _cut_out
from phusong.workers import explain_loss, open_client, send

AS_OF = date(2026, 6, 30)
N_PROVINCES = 6


@pytest.fixture(scope="module")
def communes() -> gpd.GeoDataFrame:
    """The embedded communes, cut into invented provinces from west to east."""
    layer = ps.read_communes(ps.embedded_path("communes")).layer
    rank = layer.representative_point().x.rank(method="first").to_numpy() - 1
    provinces = [f"{int(r * N_PROVINCES / len(layer)):02d}" for r in rank]
    return layer.assign(province_code=provinces)


@pytest.fixture(scope="module")
def inputs(communes: gpd.GeoDataFrame) -> dict[str, Any]:
    sites = ps.read_sites(ps.embedded_path("sites"), communes=communes, as_of=AS_OF).layer
    population = ps.read_population(ps.embedded_path("population"), communes=communes).layer
    return {"sites": sites.iloc[::3], "population": population, "as_of": AS_OF}


@pytest.fixture(scope="module")
def alone(communes: gpd.GeoDataFrame, inputs: dict[str, Any]) -> Assessment:
    return ps.assess(communes, **inputs)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with open_client("processes:2") as opened:
        yield opened


def require_same(found: Assessment, alone: Assessment) -> None:
    for table in ("indicators", "provinces", "communes", "gaps"):
        pd.testing.assert_frame_equal(
            getattr(found, table), getattr(alone, table), check_exact=True
        )
    assert len(found.coverage) == len(alone.coverage) >= N_PROVINCES
    assert all(a.identical(b) for a, b in zip(found.coverage, alone.coverage, strict=True))
    assert found.about == alone.about


def kill_one_at_work(client: Any) -> int:
    """Kill a worker that is at a task, and return its process."""
    pids = client.run(os.getpid)
    at_work = [worker for worker, tasks in client.processing().items() if tasks]
    os.kill(pids[at_work[0]], signal.SIGKILL)
    return int(pids[at_work[0]])


def test_two_processes_give_the_bits_of_one(
    communes: gpd.GeoDataFrame, inputs: dict[str, Any], alone: Assessment, client: Any
) -> None:
    steps: list[int] = []

    def count(listed: Sequence[Any], label: str) -> Iterable[Any]:
        steps.append(len(listed))
        return listed

    require_same(ps.assess(communes, **inputs, client=client, progress=count), alone)
    assert steps == [len(alone.coverage)]
    assert len(client.run(os.getpid)) == 2


def test_worker_killed_in_mid_run_changes_nothing(
    communes: gpd.GeoDataFrame, inputs: dict[str, Any], alone: Assessment, client: Any
) -> None:
    killed: list[int] = []

    def kill_after_the_first(steps: Sequence[Any], label: str) -> Iterable[Any]:
        for step in steps:
            yield step
            if not killed:
                killed.append(kill_one_at_work(client))

    found = ps.assess(communes, **inputs, client=client, progress=kill_after_the_first)
    require_same(found, alone)
    client.wait_for_workers(2, timeout=60)
    assert killed
    assert killed[0] not in client.run(os.getpid).values()


def test_task_that_ends_every_worker_is_an_error_that_says_so(client: Any) -> None:
    with pytest.raises(ChildProcessError, match="4 workers ended at the same task"), \
            explain_loss(client):  # fmt: skip
        send(client, os._exit, 1).result()
    client.wait_for_workers(2, timeout=60)


def test_error_of_a_worker_is_the_error_of_the_study(
    communes: gpd.GeoDataFrame, inputs: dict[str, Any], client: Any
) -> None:
    sites = inputs["sites"].copy()
    sites["operator"] = [f"operator {i}" for i in np.arange(len(sites)) % 70]
    with pytest.raises(ValueError, match="70 operators; at most 63"):
        ps.assess(communes, **inputs | {"sites": sites}, client=client)


def test_part_sees_the_same_sites_in_what_is_cut_out_for_it(
    communes: gpd.GeoDataFrame, inputs: dict[str, Any]
) -> None:
    zones, made = prepare_communes(communes)
    sites = prepare_sites(inputs["sites"]).reset_index(drop=True)
    sites["radius_high_m"] = np.where(np.arange(len(sites)) == 7, 9000.0, 500.0)
    parts = split_provinces(zones, made.gaps, None, crs=None, cell_m=100.0)
    sizes = []
    for part in parts:
        cut = _cut_out(sites, part)
        box = part.grid.bounds, part.grid.crs
        pd.testing.assert_frame_equal(sites_in_reach(cut, *box), sites_in_reach(sites, *box))
        sizes.append(len(cut))
    assert max(sizes) < len(sites)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60,000 points in and about four squares, in 30 row groups; some without a value or place."""
    rng = np.random.default_rng(20261125)
    n = 60_000
    x, y = rng.uniform(499_000, 505_000, n), rng.uniform(2_199_000, 2_205_000, n)
    mbps = rng.lognormal(3, 1, n)
    x[::500], mbps[::300] = np.nan, np.nan
    path = tmp_path_factory.mktemp("points") / "points.parquet"
    pq.write_table(pa.table({"x": x, "y": y, "mbps": mbps}), path, row_group_size=2000)
    return path


def require_same_counts(found: PointCounts, alone: PointCounts) -> None:
    np.testing.assert_array_equal(found.counts, alone.counts)
    np.testing.assert_array_equal(found.hundredths["mbps"], alone.hundredths["mbps"])
    for name in ("n_points", "n_outside", "n_unplaced", "n_shared", "n_missing"):
        assert getattr(found, name) == getattr(alone, name)


def test_row_groups_counted_by_workers_give_the_whole_numbers_of_one_batch(
    points: Path, client: Any
) -> None:
    locator = label_zones(square_communes(2, 2))
    alone = count_points(locator, [pq.read_table(points)], values=["mbps"])
    groups = list_row_groups(points, ["x", "y", "mbps"])
    assert len(groups) == 30
    require_same_counts(count_points(locator, groups, values=["mbps"]), alone)
    require_same_counts(count_points(locator, groups, values=["mbps"], client=client), alone)
    killed: list[int] = []

    def kill_after_some() -> Iterator[Callable[[], pa.Table]]:
        for i, group in enumerate(groups):
            if i == 12:
                pids = client.run(os.getpid)
                [holders] = [w for key, w in client.who_has().items() if key.startswith("_same")]
                os.kill(pids[holders[0]], signal.SIGKILL)  # it holds the zones
                killed.append(pids[holders[0]])
            yield group

    counted = count_points(locator, kill_after_some(), values=["mbps"], client=client)
    require_same_counts(counted, alone)
    client.wait_for_workers(2, timeout=60)
    assert killed[0] not in client.run(os.getpid).values()


def test_file_without_the_columns_is_refused(points: Path, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no column z; found x, y, mbps"):
        list_row_groups(points, ["x", "z"])
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(points.read_bytes()[:5000])
    with pytest.raises(InputFileError, match="no Parquet file"):
        list_row_groups(broken, ["x"])


def test_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r'pip install "phusong\[dask\]"'), \
            open_client("processes:2"):  # fmt: skip
        pass


def test_address_that_does_not_answer_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=f"{address}: no scheduler answered within 1 s"), \
                open_client(address, wait_s=1.0):  # fmt: skip
            pass


def test_workers_of_an_address_must_have_our_versions(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = client.scheduler.address
    with open_client(address) as opened:
        assert opened is not None
        assert opened.submit(max, 3, 7).result() == 7
    monkeypatch.setattr("phusong.workers.version", lambda name: "0.0")
    with pytest.raises(ConnectionError, match=r"has phusong \S+, we have 0\.0"), \
            open_client(address):  # fmt: skip
        pass


@pytest.mark.parametrize("name", ["process", "processes:0", "processes:two", "tcp://host", "x:1"])
def test_scheduler_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="give processes, processes:N or tcp://HOST:PORT"), \
            open_client(name):  # fmt: skip
        pass
    done = CliRunner().invoke(main, ["run", "study.toml", "-o", "out", "--scheduler", name])
    assert done.exit_code == 2
    assert "give processes, processes:N or tcp://HOST:PORT" in done.output


def test_command_writes_the_same_bytes_with_processes(
    communes: gpd.GeoDataFrame, inputs: dict[str, Any], tmp_path: Path
) -> None:
    communes.to_parquet(tmp_path / "communes.parquet")
    written = []
    for folder, more in (("one", []), ("two", ["--scheduler", "processes:2"])):
        command = ["assess", "--communes", tmp_path / "communes.parquet", "--as-of", str(AS_OF),
                   "--sites", ps.embedded_path("sites"), "--no-map",
                   "-o", tmp_path / folder]  # fmt: skip
        done = CliRunner().invoke(main, [*map(str, command), *more])
        assert done.exit_code == 0, done.output
        files = {p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()}
        written.append({name: data for name, data in files.items() if name != "run.json"})
    assert written[0] == written[1]
    assert "indicators.parquet" in written[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_one_that_is_stopped(number: signal.Signals, tmp_path: Path) -> None:
    program = (
        "import os, time\n"
        "from phusong.workers import open_client\n"
        "if __name__ == '__main__':\n"
        "    with open_client('processes:2') as client:\n"
        "        print(*client.run(os.getpid).values(), flush=True)\n"
        "        time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        workers = [psutil.Process(pid) for pid in pids]
        process.send_signal(number)
        assert len(workers) == 2
        assert not psutil.wait_procs(workers, timeout=30)[1]

"""Other processes and machines, through dask.distributed (`phusong[dask]`).

A task is a function of ours with all that it needs: it may run anywhere, twice, or again after its
worker died, and its answer is the same. Nothing is kept on a worker that could not be sent again.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from phusong.errors import MissingExtraError

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

__all__ = ["SCHEDULER", "count_threads", "explain_loss", "open_client", "send"]

SCHEDULER = re.compile(r"processes(?::(?P<n>[1-9][0-9]*))?|(?P<address>(?:tcp|tls)://\S+:[0-9]+)")
WAIT_S = 20.0
CLOSE_S = 20.0
# Of an error that a task raises; a worker that dies is another matter, and dask's.
RETRIES = 2
# Digits may change with these, and with nothing else that a worker brings.
SAME = ("phusong", "numpy", "pandas", "geopandas", "shapely", "pyproj", "numba", "scipy")


@contextmanager
def open_client(scheduler: str | None, *, wait_s: float = WAIT_S) -> Iterator[Client | None]:
    """Open a client of a scheduler; close it at the end, and what was started for it.

    Parameters
    ----------
    scheduler : str, optional
        "processes" (as many as the machine has cores for us), "processes:N", or the address of one
        that runs already, "tcp://HOST:PORT". Without one there is no client.
    wait_s : float
        How long an address may take to answer, and then a worker of its.

    Yields
    ------
    distributed.Client or None

    Raises
    ------
    MissingExtraError
        If dask.distributed is not installed.
    ValueError
        If `scheduler` is none of these.
    ConnectionError
        If nothing answers at the address in time, or no worker does, or workers have other versions
        than we.

    Examples
    --------
    >>> with open_client(None) as client:
    ...     print(client)
    None
    """
    if scheduler is None:
        yield None
        return
    asked = SCHEDULER.fullmatch(scheduler)
    if asked is None:
        raise ValueError(f"{scheduler!r}: give processes, processes:N or tcp://HOST:PORT")
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError(
            f'--scheduler {scheduler} needs dask.distributed: pip install "phusong[dask]"'
        ) from error
    if asked["address"]:
        with _connect(asked["address"], wait_s) as client:
            yield client
        return
    n_workers = int(asked["n"]) if asked["n"] else None
    with (
        _start_workers(n_workers) as cluster,
        distributed.Client(cluster, set_as_default=False, direct_to_workers=True) as client,
    ):
        yield client


def send(client: Client, function: Callable[..., Any], *arguments: Any) -> Future:
    """Return the future of `function(*arguments)` on some worker; futures among them are awaited.

    Tasks start in the order in which they are sent.
    """
    import dask

    # what a task needs goes with it, so that a dead worker takes nothing along
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 PB"}):
        return client.submit(function, *arguments, pure=False, retries=RETRIES)


def count_threads(client: Client) -> int:
    """Return the number of tasks that the workers can do at once."""
    return max(1, sum(client.nthreads().values()))


@contextmanager
def explain_loss(client: Client) -> Iterator[None]:
    """Say in our words, inside the block, that workers or the scheduler are gone.

    Raises
    ------
    ChildProcessError
        If several workers ended while they were at the same task.
    ConnectionError
        If the scheduler went away.
    """
    from distributed import CancelledError, KilledWorker

    try:
        yield
    except KilledWorker as error:
        raise ChildProcessError(
            f"{error.allowed_failures + 1} workers ended at the same task, the last one "
            f"{error.last_worker.address}: most likely for want of memory; start fewer workers, "
            "or give them more"
        ) from error
    except CancelledError as error:
        raise ConnectionError(f"{_name(client)}: the scheduler is gone, start again") from error


@contextmanager
def _start_workers(n_workers: int | None) -> Iterator[LocalCluster]:
    """Start processes of one thread each, and end them; none is waited for too long."""
    import distributed

    with TemporaryDirectory(prefix="phusong-", ignore_cleanup_errors=True) as scratch:
        cluster = distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            # no dashboard; a port of its own, so that several runs do not meet at 8787
            scheduler_kwargs={
                "dashboard": False,
                "dashboard_address": "127.0.0.1:0",
                "local_directory": scratch,
            },
            local_directory=scratch,
        )
        try:
            yield cluster
        finally:
            # after a worker was killed, dask has been seen to wait for it for ever
            with suppress(TimeoutError):
                cluster.close(timeout=CLOSE_S)


@contextmanager
def _connect(address: str, wait_s: float) -> Iterator[Client]:
    import distributed

    try:
        client = distributed.Client(
            address, timeout=wait_s, set_as_default=False, direct_to_workers=True
        )
    except OSError as error:
        raise ConnectionError(
            f"{address}: no scheduler answered within {wait_s:.0f} s; is dask scheduler running "
            "there, with the same version of dask?"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=wait_s)
        except TimeoutError as error:
            raise ConnectionError(
                f"{address}: no worker within {wait_s:.0f} s; start some with: dask worker "
                f"{address} --nthreads 1"
            ) from error
        _require_same(client, address)
        yield client


def _require_same(client: Client, address: str) -> None:
    """Check that the workers compute what we would compute, to the last digit."""
    try:
        theirs = client.run(_versions)
    except ImportError as error:
        raise ConnectionError(f"{address}: a worker cannot import phusong ({error})") from error
    for worker, found in theirs.items():
        for name, mine in _versions().items():
            if found[name] != mine:
                raise ConnectionError(
                    f"{address}: worker {worker} has {name} {found[name]}, we have {mine}; "
                    "the digits could differ, install the same everywhere"
                )


def _versions() -> dict[str, str]:
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, **{name: version(name) for name in SAME}}


def _name(client: Client) -> str:
    return "dask" if client.scheduler is None else str(client.scheduler.address)

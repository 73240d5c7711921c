"""Tasks that need nothing of each other: on the threads of this machine, or by dask's workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

from phusong.steps import Progress, silently
from phusong.workers import explain_loss, send

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["finish_tasks"]


def finish_tasks(
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    *,
    client: Client | None = None,
    progress: Progress = silently,
    label: str,
) -> Iterator[tuple[int, Any]]:
    """Yield the place of each task and its answer, whichever is done first.

    Who stops in between, by an error or an interrupt, leaves no task waiting: those that run are
    finished, the others never start.

    Parameters
    ----------
    function : callable
        Without the interpreter's lock for most of its time; importable, for workers.
    tasks : sequence of tuple
        The arguments of each. They start in this order.
    client : distributed.Client, optional
        Its workers do them; otherwise as many threads as there are processors.
    progress : callable
        Given the steps and `label`, yields the steps: a step is a task that is done.
    label : str

    Raises
    ------
    ChildProcessError, ConnectionError
        If workers end again and again, or the scheduler goes away.

    Examples
    --------
    >>> sorted(finish_tasks(pow, [(2, 3), (3, 2)], label="powers"))
    [(0, 8), (1, 9)]
    """
    if client is None:
        yield from _in_threads(function, tasks, progress, label)
        return
    from distributed import as_completed as as_finished

    futures = [send(client, function, *task) for task in tasks]
    place = {future.key: i for i, future in enumerate(futures)}
    try:
        with explain_loss(client):
            finished = as_finished(futures, loop=client.loop)
            for _ in progress(range(len(tasks)), label):
                future = next(finished)
                yield place[future.key], future.result()
                future.release()  # the worker need not keep it
    finally:
        for future in futures:
            future.release()  # after an error the others are not done for nobody


def _in_threads(
    function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], progress: Progress, label: str
) -> Iterator[tuple[int, Any]]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {pool.submit(function, *task): i for i, task in enumerate(tasks)}
        finished = as_completed(futures)
        try:
            for _ in progress(range(len(tasks)), label):
                future = next(finished)
                yield futures.pop(future), future.result()  # and nobody keeps the answer
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

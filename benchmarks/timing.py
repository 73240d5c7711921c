"""How benchmarks take the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["timed"]

Answer = TypeVar("Answer")


def timed(work: Callable[[], Answer]) -> tuple[float, float, Answer]:
    """Return wall clock and processor seconds, and the answer.

    The second says what an idle machine would do.
    """
    start, cpu = time.perf_counter(), time.process_time()
    answer = work()
    return time.perf_counter() - start, time.process_time() - cpu, answer

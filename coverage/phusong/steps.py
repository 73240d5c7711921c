"""Showing how far a long job is: what runs through its steps may tell someone of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

__all__ = ["Progress", "silently"]

Step = TypeVar("Step")


class Progress(Protocol):
    """Given the steps and a label, yields the steps, and may show how it goes."""

    def __call__(self, steps: Sequence[Step], label: str) -> Iterable[Step]: ...


def silently(steps: Sequence[Step], label: str) -> Iterable[Step]:
    """Yield the steps and show nothing."""
    return steps

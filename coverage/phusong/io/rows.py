"""The raw rows of a table, whatever file they come from."""

from __future__ import annotations

from dataclasses import dataclass, field

from phusong.errors import Problem

__all__ = ["Rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Numbered rows of text cells, with what was noted and mended while they were read."""

    rows: list[tuple[int, list[str]]]
    notes: list[str] = field(default_factory=list)
    repairs: list[Problem] = field(default_factory=list)

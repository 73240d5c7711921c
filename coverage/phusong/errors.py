"""What can go wrong, in words that say where, what was found, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "CrosswalkError",
    "CrsError",
    "InputFileError",
    "MissingExtraError",
    "PhusongError",
    "Problem",
    "SchemaError",
]

SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with one row (or with the whole layer, where `row` is None).

    `row` is the row as people count it in their own program: the physical line or record of a
    table with the header as 1, or the position of a feature from 1.
    """

    row: int | None
    field: str
    found: str
    expected: str
    message: str = ""

    def __str__(self) -> str:
        where = f"row {self.row}, " if self.row is not None else ""
        tail = f" ({self.message})" if self.message else ""
        return f"{where}{self.field}: found {self.found}, expected {self.expected}{tail}"


class PhusongError(Exception):
    """The parent of every error that phusong raises on purpose."""


class SchemaError(PhusongError, ValueError):
    """A layer does not conform to its schema; `problems` lists everything that is wrong with it."""

    def __init__(self, layer: str, problems: Sequence[Problem]) -> None:
        self.layer = layer
        self.problems = tuple(problems)
        lines = [f"{layer}: {len(problems)} problem{'s' if len(problems) != 1 else ''}"]
        lines += [f"  - {problem}" for problem in problems[:SHOWN_PROBLEMS]]
        if len(problems) > SHOWN_PROBLEMS:
            lines.append(f"  … and {len(problems) - SHOWN_PROBLEMS} more")
        super().__init__("\n".join(lines))


class CrsError(PhusongError, ValueError):
    """Coordinates without a reference system, or in one that cannot be right."""


class InputFileError(PhusongError, ValueError):
    """A file that cannot be read as what it claims to be."""


class CrosswalkError(PhusongError, ValueError):
    """Rows that cannot be moved from one commune vintage to another."""


class MissingExtraError(PhusongError, ImportError):
    """An optional library is not installed; the message names the extra that brings it."""

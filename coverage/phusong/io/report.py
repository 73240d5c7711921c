"""What reading a file came to: every row is used, set aside or ignored, and listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd

from phusong.errors import Problem

__all__ = ["ReadReport", "Reading", "count_rows", "problems_frame"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """The account of one file: `rows_in = rows_used + rows_quarantined + rows_ignored`, always.

    `headings` and `cells` are the rows that were set aside as the file has them, by their numbers,
    to be sent back to whoever wrote them.

    Raises
    ------
    ValueError
        If the account does not balance: a row has vanished, which is a fault of ours.
    """

    file: str
    layer: str
    rows_in: int
    rows_used: int
    rows_quarantined: int = 0
    rows_ignored: int = 0
    quarantine: tuple[Problem, ...] = ()
    repairs: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    sum_valid: float | None = None
    headings: tuple[str, ...] = ()
    cells: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        total = self.rows_used + self.rows_quarantined + self.rows_ignored
        if self.rows_in != total:
            raise ValueError(f"{self.file}: {self.rows_in} rows in, but {total} accounted for")

    @property
    def counts(self) -> dict[str, int]:
        """What became of the rows."""
        return {
            "rows_in": self.rows_in,
            "rows_used": self.rows_used,
            "rows_quarantined": self.rows_quarantined,
            "rows_ignored": self.rows_ignored,
        }


class Reading(NamedTuple):
    """A layer as read, and the account of its file."""

    layer: Any
    report: ReadReport


def count_rows(reports: Iterable[ReadReport]) -> dict[str, dict[str, int]]:
    """Return the counts of each file, by its layer and name."""
    return {f"{report.layer} ({Path(report.file).name})": report.counts for report in reports}


def problems_frame(
    reports: Iterable[ReadReport], which: Literal["quarantine", "repairs"]
) -> pd.DataFrame:
    """Return every row that was set aside (or repaired), of all files.

    Returns
    -------
    DataFrame
        `file, layer, row, field, found, expected, message`.
    """
    columns = ["file", "layer", "row", "field", "found", "expected", "message"]
    rows = [
        (r.file, r.layer, p.row, p.field, p.found, p.expected, p.message)
        for r in reports
        for p in getattr(r, which)
    ]
    return pd.DataFrame(rows, columns=columns).astype({"row": "Int64"})

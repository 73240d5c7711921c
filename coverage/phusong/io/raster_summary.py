"""What the cells of a raster come to, gathered block by block."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from phusong.errors import Problem
from phusong.io.report import Reading, ReadReport

__all__ = ["Extreme", "Summary", "account_cells", "summarise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme:
    """A lowest or highest value, how many cells hold it, and the value that comes next."""

    value: float
    n_cells: int
    runner_up: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the cells of a raster come to; `lowest` and `highest` are None if all are empty."""

    n_cells: int = 0
    n_valid: int = 0
    n_infinite: int = 0
    n_negative: int = 0
    total: float = 0.0
    lowest: Extreme | None = None
    highest: Extreme | None = None

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            n_cells=self.n_cells + other.n_cells,
            n_valid=self.n_valid + other.n_valid,
            n_infinite=self.n_infinite + other.n_infinite,
            n_negative=self.n_negative + other.n_negative,
            total=self.total + other.total,
            lowest=_outer(self.lowest, other.lowest, sign=1),
            highest=_outer(self.highest, other.highest, sign=-1),
        )


def summarise(values: np.ndarray) -> Summary:
    """Return what an array comes to; NaN is no data.

    Examples
    --------
    >>> found = summarise(np.array([[1.0, 5.0], [5.0, np.nan]]))
    >>> found.n_valid, found.total, found.highest
    (3, 11.0, Extreme(value=5.0, n_cells=2, runner_up=1.0))
    """
    there = values[~np.isnan(values)]
    finite = there[np.isfinite(there)]
    return Summary(
        n_cells=values.size,
        n_valid=there.size,
        n_infinite=there.size - finite.size,
        n_negative=int((finite < 0).sum()),
        total=float(finite.sum(dtype="float64")),
        lowest=_lowest(finite, sign=1),
        highest=_lowest(-finite, sign=-1),
    )


def _lowest(values: np.ndarray, *, sign: int) -> Extreme | None:
    """Return the lowest of `values`; with `sign` -1 they are the negated ones of a highest."""
    if not values.size:
        return None
    value = values.min()
    above = values[values > value]
    runner_up = float(above.min()) if above.size else float("nan")
    return Extreme(
        value=sign * float(value), n_cells=values.size - above.size, runner_up=sign * runner_up
    )


def _outer(a: Extreme | None, b: Extreme | None, *, sign: int) -> Extreme | None:
    """Return the lower (`sign` 1) or higher (-1) of two extremes, of all their cells."""
    if a is None or b is None:
        return a or b
    if a.value == b.value:
        runners = [r for r in (a.runner_up, b.runner_up) if not np.isnan(r)]
        runner_up = min(runners, key=lambda r: sign * r) if runners else float("nan")
        return Extreme(value=a.value, n_cells=a.n_cells + b.n_cells, runner_up=runner_up)
    outer, inner = (a, b) if sign * a.value < sign * b.value else (b, a)
    runners = [r for r in (outer.runner_up, inner.value) if not np.isnan(r)]
    return Extreme(
        value=outer.value, n_cells=outer.n_cells, runner_up=min(runners, key=lambda r: sign * r)
    )


def account_cells(
    layer: xr.DataArray,
    whole: Summary,
    path: Path,
    name: str,
    *,
    repairs: tuple[Problem, ...],
    notes: tuple[str, ...],
) -> Reading:
    """Return a layer with the account of its file's cells: those without data are ignored."""
    n_used = int(np.isfinite(layer.to_numpy()).sum())
    report = ReadReport(
        file=str(path),
        layer=name,
        rows_in=whole.n_cells,
        rows_used=n_used,
        rows_ignored=whole.n_cells - n_used,
        repairs=repairs,
        notes=notes,
        sum_valid=whole.total,
    )
    return Reading(layer, report)

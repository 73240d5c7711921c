"""The register of targets: what was promised, by when, how we read it, and where it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

__all__ = ["Figure", "Reading", "Target", "TargetResult", "evaluate_targets"]

Status = Literal["met", "missed", "undetermined", "on_the_way"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One condition of a target: a figure of the roll-up that must reach `threshold`.

    `indicator` is one of the tidy table's (`share_population`, `broadband_b0`, `low_cost`…),
    rolled up as `share_of` says: people or area covered, or communes that reach `commune_share`
    (communes that are Yes, for a broadband tier). Without a threshold it only stands beside.
    """

    label_vi: str
    label_en: str
    indicator: str
    service: str
    share_of: Literal["communes", "people", "area"]
    threshold: float | None
    commune_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target of a plan; every reading with a threshold must hold, the others stand beside.

    A commune is short where its share of the first reading's indicator is below `commune_floor`.
    """

    target_id: str
    title_vi: str
    title_en: str
    words_vi: str
    words_en: str
    due: date
    document: str
    clause: str
    commune_floor: float
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A reading's value with its bounds (NaN where the evidence gives no interval)."""

    reading: Reading
    share: float
    share_low: float
    share_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetResult:
    """How far a target is on a day, and which communes are short of it.

    Over all communes: `people_short` counts those who are without, where the share is unknown
    only those who surely are, `people_undetermined` the others whose share is unknown. Both are
    NaN where no commune's population is known.
    """

    target: Target
    status: Status
    as_of: date
    figures: tuple[Figure, ...]
    short_codes: tuple[str, ...]
    undetermined_codes: tuple[str, ...]
    n_communes: int
    people_short: float
    people_undetermined: float


def evaluate_targets(
    targets: Sequence[Target], indicators: pd.DataFrame, provinces: pd.DataFrame, *, as_of: date
) -> tuple[TargetResult, ...]:
    """Hold the figures of all communes against each target.

    A reading holds where its lower bound reaches the threshold, fails where its upper bound does
    not (the figure itself where there is no interval), and is open in between. All readings that
    hold make a target met; before its date anything else is on the way; after it one that fails
    makes it missed, and otherwise it is undetermined. Without a threshold nothing can be met.

    Parameters
    ----------
    targets : sequence of Target
    indicators : DataFrame
        The tidy table.
    provinces : DataFrame
        Its roll-up; the rows with `province_code` "" are read.
    as_of : date
        The day of the data.
    """
    whole = provinces[provinces["province_code"] == ""]
    return tuple(_evaluate(target, indicators, whole, as_of) for target in targets)


def _evaluate(
    target: Target, indicators: pd.DataFrame, whole: pd.DataFrame, as_of: date
) -> TargetResult:
    figures = tuple(_figure(reading, whole) for reading in target.readings)
    verdicts = [_holds(figure) for figure in figures if figure.reading.threshold is not None]
    status: Status = "undetermined"
    if verdicts and all(verdict is True for verdict in verdicts):
        status = "met"
    elif as_of <= target.due:
        status = "on_the_way"
    elif any(verdict is False for verdict in verdicts):
        status = "missed"
    first = target.readings[0]
    rows = _rows(indicators, first)
    low, high = (rows[name].fillna(rows["share"]) for name in ("share_low", "share_high"))
    floor = target.commune_floor - SLACK
    is_short, is_open = high < floor, ~(high < floor) & ~(low >= floor)
    people = rows["denominator"]
    n_without = people * (1 - rows["share"].fillna(high).fillna(1.0))
    n_open = (people * (high.fillna(1.0) - low.fillna(0.0))).where(rows["share"].isna(), 0.0)
    return TargetResult(
        target=target,
        status=status,
        as_of=as_of,
        figures=figures,
        short_codes=tuple(rows.loc[is_short, "commune_code"]),
        undetermined_codes=tuple(rows.loc[is_open, "commune_code"]),
        n_communes=len(rows),
        people_short=_total(n_without, people),
        people_undetermined=_total(n_open, people),
    )


SLACK = 1e-9


def _total(numbers: pd.Series, people: pd.Series) -> float:
    """Return the sum over the communes whose people are known; NaN where there are none such."""
    return float(numbers[people.notna()].sum(min_count=1))


def _rows(table: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    return table[
        (table["indicator"] == reading.indicator)
        & (table["service"] == reading.service)
        & (table["operator"] == "any")
    ]


def _figure(reading: Reading, whole: pd.DataFrame) -> Figure:
    rows = _rows(whole, reading)
    rows = rows[rows["share_of"] == reading.share_of]
    if reading.commune_share is not None:
        rows = rows[np.isclose(rows["commune_share"], reading.commune_share)]
    if rows.empty:
        return Figure(reading=reading, share=np.nan, share_low=np.nan, share_high=np.nan)
    row = rows.iloc[0]
    return Figure(
        reading=reading,
        share=float(row["share"]),
        share_low=float(row["share_low"]),
        share_high=float(row["share_high"]),
    )


def _holds(figure: Figure) -> bool | None:
    """Return whether a reading holds; None where the evidence does not say."""
    threshold = figure.reading.threshold
    low, high = (
        figure.share if np.isnan(bound) else bound
        for bound in (figure.share_low, figure.share_high)
    )
    if threshold is None or np.isnan(low):
        return None
    if low >= threshold - SLACK:
        return True
    return False if high < threshold - SLACK else None

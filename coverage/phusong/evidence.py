"""Declared, modelled and measured: side by side, never merged; and claims held against samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd

from phusong.layers import ANY, TWO_OR_MORE
from phusong.sampling import SamplingRule, summarise_samples, wilson

__all__ = [
    "EVIDENCE",
    "NOT_STATED",
    "QualityItem",
    "apply_audit",
    "audit_claims",
    "find_contradictions",
    "judge_quality",
    "measure_signal",
    "stand_side_by_side",
]

EVIDENCE = ("declared", "modelled", "measured")
NOT_STATED = "not stated"
PLACE = ["commune_code", "service", "operator"]
KEYS = ["commune_code", "vintage", "indicator", "service", "operator"]
SLACK = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityItem:
    """One item of a quality standard: a figure of the tests that must reach `threshold`.

    `statistic` "mean" takes the average of `column`, "share_at_least" the share of single tests
    whose `column` is `floor` or more: averages of several tests say nothing of a share.
    """

    item: str
    label_vi: str
    label_en: str
    column: str
    statistic: Literal["mean", "share_at_least"]
    threshold: float
    unit: str
    document: str
    floor: float | None = None


def measure_signal(samples: pd.DataFrame, *, rule: SamplingRule) -> pd.DataFrame:
    """Return the share of signal samples that reach the floor, by commune, service and operator.

    It speaks of the places where somebody measured, not of all people or all land: it stands
    beside the declared share, and is never mixed into it.

    Parameters
    ----------
    samples : DataFrame
        `commune_code`, `service`, `operator`, `is_hit` (0, 1 or NaN), `weight`, `cluster`, `day`;
        rows outside all communes do not count.
    rule : SamplingRule

    Returns
    -------
    DataFrame
        `commune_code`, `service`, `operator`, `share`, `share_low`, `share_high` (NaN, 0, 1 where
        the rule asks for more samples), `n_samples`, `n_clusters`, `first_day`, `last_day`.
    """
    found = summarise_samples(_placed(samples), PLACE, "is_hit", kind="share", rule=rule)
    names = {"value": "share", "low": "share_low", "high": "share_high"}
    return found.rename(columns=names)


def stand_side_by_side(
    indicators: pd.DataFrame, measured: pd.DataFrame, *, indicator: str = "share_population"
) -> pd.DataFrame:
    """Return what was declared, modelled and measured of each commune, service and operator.

    Parameters
    ----------
    indicators : DataFrame
        The tidy table; its rows of `indicator` with evidence "declared" or "modelled". A share
        without bounds is its own.
    measured : DataFrame
        As `measure_signal` returns.
    indicator : str
        What the measured shares are to stand beside.

    Returns
    -------
    DataFrame
        `KEYS`, `people` (the denominator), for each evidence `declared`, `declared_low`,
        `declared_high` and so on (all NaN where there is none of it), then `n_samples` (0 where
        nobody measured), `n_clusters`, `first_day`, `last_day`.
    """
    rows = indicators[indicators["indicator"] == indicator]
    keys = rows[KEYS].drop_duplicates()
    places = rows[["commune_code", "vintage"]].drop_duplicates()
    beside = measured.merge(places, on="commune_code", how="inner").assign(indicator=indicator)
    table = pd.concat([keys, beside[KEYS]], ignore_index=True).drop_duplicates()
    people = rows.groupby(["commune_code", "vintage"], sort=False)["denominator"].first()
    table = table.merge(people.rename("people").reset_index(), how="left", validate="m:1")
    for evidence in EVIDENCE:
        said = beside if evidence == "measured" else _with_bounds(rows, evidence)
        names = {
            "share": evidence,
            "share_low": f"{evidence}_low",
            "share_high": f"{evidence}_high",
        }
        columns = said[[*KEYS, *names]].rename(columns=names)
        table = table.merge(columns, on=KEYS, how="left", validate="1:1")
    counts = ["n_samples", "n_clusters", "first_day", "last_day"]
    table = table.merge(beside[[*KEYS, *counts]], on=KEYS, how="left", validate="1:1")
    for name in ("n_samples", "n_clusters"):
        table[name] = table[name].fillna(0).astype("int64")
    return table.sort_values(KEYS, ignore_index=True)


def find_contradictions(table: pd.DataFrame) -> pd.DataFrame:
    """Return where two kinds of evidence contradict each other: their intervals do not meet.

    Parameters
    ----------
    table : DataFrame
        As `stand_side_by_side` returns.

    Returns
    -------
    DataFrame
        `KEYS`, `higher` and `lower` (which evidence says more, which less), `higher_low` and
        `lower_high` (the ends that do not meet), `people` (of the commune), `people_disputed`
        (people × the distance between the intervals: at least so many are counted differently),
        most people first.

    Examples
    --------
    >>> row = {"commune_code": "1", "vintage": "2025", "indicator": "share_population",
    ...        "service": "5g", "operator": "Viettel", "people": 1000.0, "declared": 0.9,
    ...        "declared_low": 0.9, "declared_high": 0.9, "measured": 0.5, "measured_low": 0.4,
    ...        "measured_high": 0.6}
    >>> find_contradictions(pd.DataFrame([row]))[["higher", "lower", "people_disputed"]].round(9)
         higher     lower  people_disputed
    0  declared  measured            300.0
    """
    present = [name for name in EVIDENCE if name in table]
    found = []
    for pair in combinations(present, 2):
        for higher, lower in (pair, pair[::-1]):
            is_apart = table[f"{higher}_low"] > table[f"{lower}_high"] + SLACK
            apart = table[is_apart]
            low, high = apart[f"{higher}_low"], apart[f"{lower}_high"]
            found.append(
                apart[[*KEYS, "people"]].assign(
                    higher=[higher] * len(apart),
                    lower=[lower] * len(apart),
                    higher_low=low,
                    lower_high=high,
                    people_disputed=apart["people"] * (low - high),
                )
            )
    together = pd.concat(found, ignore_index=True)
    together = together.sort_values(
        ["people_disputed", *KEYS, "higher"], ascending=[False, *[True] * (len(KEYS) + 1)],
        ignore_index=True,
    )  # fmt: skip
    ends = ["higher", "lower", "higher_low", "lower_high"]
    return together[[*KEYS, *ends, "people", "people_disputed"]]


def audit_claims(
    samples: pd.DataFrame, challenges: pd.DataFrame | None = None, *, rule: SamplingRule
) -> pd.DataFrame:
    """Return how often an operator's claim held where somebody looked, with Wilson's interval.

    Only samples inside the operator's own claimed footprint count. The trials are clusters, each
    with the share of its samples that hit: samples of one kilometre are alike. A challenge is a
    trial too: upheld a miss, rejected a hit; an open one is a miss in the lower bound and a hit in
    the upper one. Challenges are brought where coverage is doubted, so the lower bound errs on the
    low side.

    Parameters
    ----------
    samples : DataFrame
        `commune_code`, `service`, `operator`, `is_claimed`, `is_hit`, `weight`, `cluster`, `day`.
    challenges : DataFrame, optional
        `commune_code`, `service`, `operator`, `outcome` ("upheld", "rejected", "open"), `day`.
    rule : SamplingRule
        `confidence` and `least_clusters`.

    Returns
    -------
    DataFrame
        `commune_code`, `service`, `operator`, `hit_rate` (of decided trials), `hit_rate_low`,
        `hit_rate_high`, `n_trials`, `n_upheld`, `n_rejected`, `n_open`, `first_day`, `last_day`,
        `is_applied`: with enough trials, or with a challenge upheld or open, the lower bound of
        the declared share follows (`apply_audit`); fewer only stand here.
    """
    inside = samples[samples["is_claimed"].fillna(False).astype(bool) & samples["is_hit"].notna()]
    inside = _placed(inside)
    weight = inside["weight"].astype("float64")
    sums = inside.assign(weight=weight, hits=weight * inside["is_hit"])
    by_cluster = sums.groupby([*PLACE, "cluster"], as_index=False).agg(
        hits=("hits", "sum"), weight=("weight", "sum"), first=("day", "min"), last=("day", "max")
    )
    trials = by_cluster[PLACE].assign(
        outcome="sampled", hit=by_cluster["hits"] / by_cluster["weight"],
        first=by_cluster["first"], last=by_cluster["last"],
    )  # fmt: skip
    if challenges is not None and len(challenges):
        brought = _placed(challenges)
        hit = brought["outcome"].map({"upheld": 0.0, "rejected": 1.0, "open": np.nan})
        brought = brought[[*PLACE, "outcome"]].assign(
            hit=hit.astype("float64"), first=brought["day"], last=brought["day"]
        )
        trials = brought if trials.empty else pd.concat([trials, brought], ignore_index=True)
    counts = {
        f"n_{word}": (trials["outcome"] == word).astype("int64")
        for word in ("upheld", "rejected", "open")
    }
    table = trials.assign(**counts, decided=trials["hit"].notna().astype("int64"), n_trials=1)
    table = table.groupby(PLACE, as_index=False).agg(
        hits=("hit", "sum"), decided=("decided", "sum"), n_trials=("n_trials", "sum"),
        n_upheld=("n_upheld", "sum"), n_rejected=("n_rejected", "sum"), n_open=("n_open", "sum"),
        first_day=("first", "min"), last_day=("last", "max"),
    )  # fmt: skip
    low, _ = wilson(table["hits"], table["n_trials"], confidence=rule.confidence)
    _, high = wilson(table["hits"] + table["n_open"], table["n_trials"], confidence=rule.confidence)
    table = table.assign(
        hit_rate=table["hits"] / table["decided"].where(table["decided"] > 0),
        hit_rate_low=low,
        hit_rate_high=high,
        is_applied=(table["n_trials"] >= rule.least_clusters)
        | (table["n_upheld"] + table["n_open"] > 0),
    )
    return table[
        [*PLACE, "hit_rate", "hit_rate_low", "hit_rate_high", "n_trials", "n_upheld",
         "n_rejected", "n_open", "first_day", "last_day", "is_applied"]
    ]  # fmt: skip


def apply_audit(indicators: pd.DataFrame, audit: pd.DataFrame) -> pd.DataFrame:
    """Return the tidy table with the lower bounds of declared shares as the audit leaves them.

    low' = low × the audited hit rate's lower bound: of the people (or the area) claimed, so many
    were surely found covered. Of any operator, and of two or more, at most what the operators lose
    is lost, and any operator has at least what the best one keeps; where that row is modelled for
    want of a declared one, it is drawn from both. Shares and upper bounds stay, and so do modelled
    rows of operators: a measured share moves declared bounds in no other way.

    Parameters
    ----------
    indicators : DataFrame
        The tidy table.
    audit : DataFrame
        As `audit_claims` returns; only its rows with `is_applied`.

    Examples
    --------
    >>> tidy = pd.DataFrame({"commune_code": "1", "vintage": "2025", "indicator": "share_area",
    ...     "service": "5g", "operator": ["any", "A", "B"], "evidence": "declared",
    ...     "share": [0.9, 0.8, 0.3], "share_low": np.nan, "share_high": np.nan})
    >>> audit = pd.DataFrame({"commune_code": ["1"], "service": "5g", "operator": "A",
    ...                       "hit_rate_low": 0.75, "is_applied": True})
    >>> apply_audit(tidy, audit)[["operator", "share_low", "share_high"]].round(9).values.tolist()
    [['any', 0.7, 0.9], ['A', 0.6, 0.8], ['B', nan, nan]]
    """
    applied = audit.loc[audit["is_applied"], [*PLACE, "hit_rate_low"]]
    rate = indicators[PLACE].merge(applied, on=PLACE, how="left", validate="m:1")["hit_rate_low"]
    is_declared = indicators["evidence"] == "declared"
    is_share = indicators["indicator"].isin(["share_population", "share_area"])
    is_operator = ~indicators["operator"].isin([ANY, TWO_OR_MORE])
    rate = rate.set_axis(indicators.index).where(is_declared & is_share & is_operator)
    low = indicators["share_low"].fillna(indicators["share"])
    kept = low * rate.fillna(1.0)
    group = [indicators[name] for name in KEYS[:-1]]
    lost = (low - kept).fillna(0.0).groupby(group).transform("sum")
    has_declared = is_declared.groupby([*group, indicators["operator"]]).transform("any")
    is_drawn = ~is_operator & (is_declared | ~has_declared)
    best = [
        kept.where(is_operator & which).groupby(group).transform("max").fillna(0.0)
        for which in (is_declared, is_declared | True)
    ]
    left = (low - lost).clip(lower=0.0)
    of_any = np.minimum(np.maximum(left, best[0].where(is_declared, best[1])), low)
    new = kept.where(is_operator, of_any.where(indicators["operator"] == ANY, left))
    is_moved = rate.notna() | (is_drawn & (lost > 0))
    high = indicators["share_high"]
    return indicators.assign(
        share_low=indicators["share_low"].where(~is_moved, new),
        share_high=high.where(~is_moved, high.fillna(indicators["share"])),
    )


def judge_quality(
    samples: pd.DataFrame, items: Sequence[QualityItem], *, rule: SamplingRule
) -> pd.DataFrame:
    """Return each item of a quality standard by commune, service and operator, with its verdict.

    Parameters
    ----------
    samples : DataFrame
        `commune_code`, `service`, `operator`, the items' columns, `weight` (tests that the row
        averages), `cluster`, `day`.
    items : sequence of QualityItem
    rule : SamplingRule

    Returns
    -------
    DataFrame
        `commune_code`, `service`, `operator`, `item`, `value`, `low`, `high`, `threshold`, `unit`,
        `verdict` ("pass" where the lower end reaches the threshold, "fail" where the upper one
        does not, "undetermined" between, "unknown" with too few tests), `n_samples`,
        `n_clusters`, `first_day`, `last_day`.
    """
    placed = _placed(samples)
    frames = []
    for item in items:
        rows = placed
        kind: Literal["share", "mean"] = "mean"
        value = placed[item.column].astype("float64")
        if item.statistic == "share_at_least":
            rows, kind = placed[placed["weight"] == 1], "share"
            value = (rows[item.column] >= item.floor).astype("float64")
            value = value.where(rows[item.column].notna())
        found = summarise_samples(
            rows.assign(figure=value),
            PLACE,
            "figure",
            kind=kind,
            rule=rule,
        )
        frames.append(found.assign(item=item.item, threshold=item.threshold, unit=item.unit))
    table = pd.concat(frames, ignore_index=True)
    floor = table["threshold"] - SLACK
    table["verdict"] = np.select(
        [table["value"].isna(), table["low"] >= floor, table["high"] < floor],
        ["unknown", "pass", "fail"],
        "undetermined",
    )
    return table[
        [*PLACE, "item", "value", "low", "high", "threshold", "unit", "verdict", "n_samples",
         "n_clusters", "first_day", "last_day"]
    ].sort_values([*PLACE, "item"], ignore_index=True)  # fmt: skip


def _placed(samples: pd.DataFrame) -> pd.DataFrame:
    """Return the samples that lie in a commune, of whom it is not said as "not stated"."""
    placed = samples[samples["commune_code"].notna()]
    return placed.assign(
        operator=placed["operator"].fillna(NOT_STATED), service=placed["service"].fillna(NOT_STATED)
    )


def _with_bounds(rows: pd.DataFrame, evidence: str) -> pd.DataFrame:
    said = rows[rows["evidence"] == evidence]
    return said.assign(
        share_low=said["share_low"].fillna(said["share"]),
        share_high=said["share_high"].fillna(said["share"]),
    )

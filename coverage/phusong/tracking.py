"""Several dates of one place: the series on the communes of today, and why it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise
from typing import TypedDict

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.changes import LEVELS, PARTS, split_change
from phusong.errors import InputFileError
from phusong.io.dated import DatedRun
from phusong.progress import (
    KEYS,
    WHOLE,
    carry_indicators,
    figure_targets,
    follow_targets,
    link_by_place,
    look_ahead,
)
from phusong.recount import Archive, Counted
from phusong.steps import Progress, silently
from phusong.targets import Reading, Target

__all__ = ["Tracked", "track_runs"]

# Indicators that thresholds and incomes of the register decide, not only its targets.
BY_REGISTER = ("broadband_b2", "broadband_b3", "low_cost")
CELLS = ["date_before", "date_after", "site_id", "sector_id", "operator", "technology",
         "on_air_date", "why"]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What several dates say of the targets.

    Attributes
    ----------
    runs : tuple of DatedRun
        In order of date.
    targets : tuple of Target
    followed : DataFrame
        Each figure on each date, on the communes of the last (`progress.follow_targets`), with
        `basis`: "published", "recounted" (under the definitions of the last date, on its
        communes, with its corrections) or "carried" (by the crosswalk: a share is known only
        where nothing is left open).
    outlook : DataFrame
        `progress.look_ahead` of it.
    changes : DataFrame
        From each date to the next, on the communes of the later one: `date_before`, `date_after`,
        the columns of `changes.split_change`, and `note`: why a part is not known.
    cells : DataFrame
        Every cell on which the sheets of two dates differ, and why (`changes.account_sites`).
    notes : tuple of str
    """

    runs: tuple[DatedRun, ...]
    targets: tuple[Target, ...]
    followed: pd.DataFrame
    outlook: pd.DataFrame
    changes: pd.DataFrame
    cells: pd.DataFrame
    notes: tuple[str, ...]


def track_runs(
    runs: Sequence[DatedRun],
    *,
    targets: Sequence[Target] | None = None,
    crosswalk: pd.DataFrame | None = None,
    progress: Progress = silently,
) -> Tracked:
    """Bring dated runs onto the communes of the last one, and hold them against its targets.

    Parameters
    ----------
    runs : sequence of DatedRun
        One a date, in any order.
    targets : sequence of Target, optional
        Those of the last run without it.
    crosswalk : DataFrame, optional
        From older vintages to that of the last run; the last run's without it. Where none names
        a vintage and both runs have polygons, one is drawn from them.
    progress : callable
        Given the steps and a label, yields the steps.

    Raises
    ------
    InputFileError
        If there are fewer than two dates, two runs of one date, or the targets of the last run
        are in a file that is gone.
    CrosswalkError
        If communes of an old date cannot be brought to those of the last.
    """
    ordered = tuple(sorted(runs, key=lambda run: run.as_of))
    _require_dates(ordered)
    archive, last = Archive(runs=ordered), len(ordered) - 1
    desk = _Desk(
        archive=archive,
        targets=tuple(targets or archive.register(last).targets),
        has_own_targets=targets is not None,
        crosswalk=archive.crosswalk(last) if crosswalk is None else crosswalk,
    )
    figures, changes, cells = [], [], [pd.DataFrame(columns=CELLS)]
    for k in progress(range(len(ordered)), "dates"):
        figures.append(desk.series(k))
        if k:
            changes.append(desk.split(k - 1))
            cells += desk.account(k - 1)
    desk.note_versions()
    followed = follow_targets(pd.concat(figures, ignore_index=True), desk.targets)
    return Tracked(
        runs=ordered,
        targets=desk.targets,
        followed=followed,
        outlook=look_ahead(followed),
        changes=pd.concat(changes, ignore_index=True),
        cells=cells[-1] if len(cells) < 2 else pd.concat(cells[1:], ignore_index=True),
        notes=tuple(dict.fromkeys(desk.notes)),
    )


def _require_dates(runs: Sequence[DatedRun]) -> None:
    if len({run.as_of for run in runs}) < 2:
        found = ", ".join(f"{run.name} ({run.as_of})" for run in runs) or "none"
        raise InputFileError(f"progress: needs runs of at least two dates; found {found}")
    for first, second in pairwise(runs):
        if first.as_of == second.as_of:
            raise InputFileError(
                f"progress: {first.name} and {second.name} are both of {first.as_of}; give one"
            )


class _Asked(TypedDict):
    corrected_by: int | None
    definitions: int
    ground: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """Where the dates are laid beside each other.

    `links` holds crosswalks that were drawn from polygons, `notes` what is to be said.
    """

    archive: Archive
    targets: tuple[Target, ...]
    has_own_targets: bool
    crosswalk: pd.DataFrame
    links: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def series(self, k: int) -> pd.DataFrame:
        """Return the figures of a date on the communes of the last date."""
        runs = self.archive.runs
        last = len(runs) - 1
        own = self.archive.published(k)
        counted = self.archive.count(k, corrected_by=last, definitions=last, ground=last)
        basis = "recounted"
        if counted is None:
            lost = "; ".join(run.why_lost for run in (runs[k], runs[last]) if run.study is None)
            self.notes.append(
                f"{runs[k].as_of}: not counted again under the definitions of {runs[last].as_of}, "
                f"nor corrected by its sheets ({lost})"
            )
        if counted is None or counted.indicators is own.indicators:
            counted, basis = own, "published"
        if counted.vintage != runs[last].vintage:
            carried = self._carry(counted, last)
            figures = figure_targets(self.targets, carried, runs[last].communes)
            basis = "carried"
        else:
            figures = figure_targets(self.targets, counted.indicators, counted.communes)
        if runs[k].vintage != runs[last].vintage:
            figures = _only_sure(figures)
        if basis != "recounted" and runs[k].made_of and not self.archive.has_same_register(k, last):
            figures = self._unknown_where_redefined(figures)
        return figures.assign(as_of=pd.Timestamp(runs[k].as_of), basis=basis)

    def _unknown_where_redefined(self, figures: pd.DataFrame) -> pd.DataFrame:
        """Return figures of another register's definitions: what they decide is not known."""
        decided = {
            (target.target_id, i)
            for target in self.targets
            for i, reading in enumerate(target.readings)
            if reading.indicator in BY_REGISTER
        }
        keys = pd.MultiIndex.from_frame(figures[["target_id", "reading"]])
        is_known = np.array([key not in decided for key in keys])
        return figures.assign(
            share=figures["share"].where(is_known),
            share_low=figures["share_low"].where(is_known, 0.0),
            share_high=figures["share_high"].where(is_known, 1.0),
        )

    def split(self, k: int) -> pd.DataFrame:
        """Return the change from a date to the next, in its parts."""
        before, after = self.archive.runs[k], self.archive.runs[k + 1]
        asked: dict[str, _Asked] = {
            "published": {"corrected_by": None, "definitions": k, "ground": k},
            "redefined": {"corrected_by": None, "definitions": k + 1, "ground": k},
            "moved": {"corrected_by": None, "definitions": k + 1, "ground": k + 1},
            "corrected": {"corrected_by": k + 1, "definitions": k + 1, "ground": k + 1},
        }
        found = {level: self.archive.count(k, **how) for level, how in asked.items()}
        found["now"] = self.archive.published(k + 1)
        levels = [self._level(level, found[level], k) for level in LEVELS]
        for at, (first, second) in enumerate(pairwise(found.values()), start=1):
            if levels[at] is not None and first is not None and second is not None:
                since = k if at == 1 else k + 1  # the definitions of the level before
                levels[at] = self._mark_same(levels[at], first, second, (since, k + 1))
        if found["moved"] is None and found["redefined"] is not None:
            levels[2] = self._moved_by_crosswalk(found["redefined"], k)
        levels = self._without_cause(levels, k)
        parts = split_change(pd.concat([at for at in levels if at is not None]), KEYS)
        is_open = parts[list(PARTS)].isna().any(axis=1)
        why = "; ".join(run.why_lost for run in (before, after) if run.study is None)
        if not why and before.vintage != after.vintage:
            why = "what the parts of divided communes had is not known"
        why = why or "the share of one of the dates is not known"
        dates = {"date_before": before.as_of, "date_after": after.as_of}
        return parts.assign(
            note=np.where(is_open, why, ""), **{n: pd.Timestamp(day) for n, day in dates.items()}
        )

    def account(self, k: int) -> list[pd.DataFrame]:
        """Return the cells on which the sheets of a date and of the next differ, where at hand."""
        account = self.archive.account(k)
        if account is None:
            return []
        before, after = self.archive.runs[k].as_of, self.archive.runs[k + 1].as_of
        n_undated = int((account["why"] == "undated").sum())
        if n_undated:
            self.notes.append(
                f"{before} → {after}: {n_undated} cells are new or other, without a date on air: "
                "counted as built, though they may have stood before"
            )
        dates = {"date_before": pd.Timestamp(before), "date_after": pd.Timestamp(after)}
        return [account.assign(**dates)[CELLS]]

    def note_versions(self) -> None:
        """Say which runs another phusong made, where dates were counted again by this one."""
        own = version("phusong")
        others = [run for run in self.archive.runs if run.settings and own not in run.settings]
        if others and self.archive.counted:
            named = ", ".join(f"{run.name} ({run.settings[-1]})" for run in others)
            self.notes.append(f"made by another phusong than counts them again ({own}): {named}")

    def _level(self, level: str, counted: Counted | None, k: int) -> pd.DataFrame | None:
        """Return the figures of a level: all communes on its own, each on those of the next run."""
        if counted is None:
            return None
        before, after = self.archive.runs[k], self.archive.runs[k + 1]
        targets = self._targets_of(k if level == "published" else k + 1)
        exact = _without_interval(counted)
        figures = figure_targets(targets, exact.indicators, exact.communes)
        whole = figures[figures["commune_code"] == WHOLE]
        if level in ("moved", "corrected") and before.vintage != after.vintage:
            whole = _only_sure(whole)
        else:
            whole = whole.assign(share_low=whole["share"], share_high=whole["share"])
        if exact.vintage != after.vintage:
            carried = self._carry(exact, k + 1)
            figures = figure_targets(targets, carried, after.communes)
        each = figures[figures["commune_code"] != WHOLE]
        return _as_level(level, pd.concat([whole, each], ignore_index=True))

    def _moved_by_crosswalk(self, counted: Counted, k: int) -> pd.DataFrame | None:
        """Return what a date can have been on the communes of the next, its files being gone."""
        after = self.archive.runs[k + 1]
        if counted.vintage == after.vintage:
            return None
        carried = self._carry(_without_interval(counted), k + 1)
        figures = figure_targets(self._targets_of(k + 1), carried, after.communes)
        return _as_level("moved", _only_sure(figures))

    def _mark_same(
        self, level: pd.DataFrame, first: Counted, second: Counted, definitions: tuple[int, int]
    ) -> pd.DataFrame:
        """Mark the figures that read the same rows in the same way as the level before."""
        before, after = (
            {(t.target_id, i): r for t in self._targets_of(k) for i, r in enumerate(t.readings)}
            for k in definitions
        )
        same = {
            key
            for key, reading in after.items()
            if before.get(key) == reading
            and _rows_of(first, reading).equals(_rows_of(second, reading))
        }
        keys = pd.MultiIndex.from_frame(level[["target_id", "reading"]])
        return level.assign(is_same=[key in same for key in keys])

    def _without_cause(
        self, levels: list[pd.DataFrame | None], k: int
    ) -> list[pd.DataFrame | None]:
        """Fill levels that could not be counted, but have no cause to differ from the one before.

        Two runs with the same register, communes or sheets differ in nothing by them, whatever
        the value was.
        """
        archive = self.archive
        has_no_cause = (
            False,
            archive.has_same_definitions(k, k + 1),
            archive.has_same_communes(k, k + 1),
            archive.has_same_sheets(k, k + 1),
            False,
        )
        filled: list[pd.DataFrame | None] = []
        for name, level, is_same in zip(LEVELS, levels, has_no_cause, strict=True):
            if level is None and is_same:
                before, now = filled[-1], levels[-1]
                if before is None and now is not None:
                    before = now.assign(share=np.nan, low=0.0, high=1.0)
                level = None if before is None else before.assign(level=name, is_same=True)
            filled.append(level)
        return filled

    def _targets_of(self, k: int) -> tuple[Target, ...]:
        """Return the readings of a run that mean what those of today mean."""
        if self.has_own_targets or (
            "register" in self.archive.runs[k].made_of and self.archive.runs[k].study is None
        ):
            return self.targets
        today = {target.target_id: target for target in self.targets}
        return tuple(
            target
            for target in self.archive.register(k).targets
            if target.target_id in today and _reads_alike(target, today[target.target_id])
        )

    def _carry(self, counted: Counted, to: int) -> pd.DataFrame:
        """Return rows on the communes of another run, by a crosswalk or by the polygons."""
        today, links = self.archive.runs[to], self.crosswalk
        layers = (counted.communes, today.communes)
        if counted.vintage not in set(links["vintage_old"]) and all(
            isinstance(layer, gpd.GeoDataFrame) for layer in layers
        ):
            key = (counted.vintage, today.vintage)
            if key not in self.links:
                self.links[key] = link_by_place(*layers)
                self.notes.append(
                    f"no crosswalk leads from the communes of {counted.vintage!r}: one was drawn "
                    "from the polygons; pieces under 5 % of a commune count as differences of "
                    "drawing"
                )
            links = self.links[key]
        is_any = counted.indicators["operator"] == "any"
        now = today.indicators[today.indicators["operator"] == "any"]
        return carry_indicators(counted.indicators[is_any], links, today=now)


def _without_interval(counted: Counted) -> Counted:
    """Return the rows with bounds that only say whether the share is known."""
    rows = counted.indicators
    low = rows["share"].fillna(rows["share_low"]).fillna(0.0)
    high = rows["share"].fillna(rows["share_high"]).fillna(1.0)
    exact = rows.assign(share_low=low, share_high=high)
    return Counted(indicators=exact, communes=counted.communes)


def _only_sure(figures: pd.DataFrame) -> pd.DataFrame:
    """Return figures of old sheets on new communes: what the crosswalk leaves open is unknown.

    In a figure of its own date what is unknown counts as not covered; here that would read as a
    fall, and what follows it as a rise.
    """
    return figures.assign(share=figures["share"].where(figures["n_unknown"] == 0))


def _rows_of(counted: Counted, reading: Reading) -> pd.DataFrame:
    rows = counted.indicators
    is_of = (rows["indicator"] == reading.indicator) & (rows["service"] == reading.service)
    columns = ["commune_code", "vintage", "share", "share_low", "share_high", "denominator"]
    own = rows.loc[is_of & (rows["operator"] == "any"), columns]
    return own.sort_values("commune_code", ignore_index=True)


def _as_level(level: str, figures: pd.DataFrame) -> pd.DataFrame:
    share = figures["share"]
    return figures[[*KEYS, "share"]].assign(
        level=level,
        is_same=False,
        low=figures["share_low"].where(share.isna(), share),
        high=figures["share_high"].where(share.isna(), share),
    )


def _reads_alike(one: Target, other: Target) -> bool:
    """Return whether two versions of a target read the same figures, whatever their thresholds."""
    kinds = [[(r.indicator, r.service, r.share_of) for r in t.readings] for t in (one, other)]
    return kinds[0] == kinds[1]

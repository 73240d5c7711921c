"""Progress in words and plain data: what a planner reads, and what `progress.json` holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from phusong.changes import PARTS
from phusong.progress import WHOLE
from phusong.publish.summary import about_reading, figure_text
from phusong.targets import Figure, Reading, Target
from phusong.words import LANGUAGES, localise, read_words, title_of, write_day

__all__ = [
    "format_progress",
    "outlook_text",
    "targets_progress_json",
]

SAYS_NOTHING = 0.999  # bounds as wide as a share can be
SERIES = ("as_of", "share", "share_low", "share_high", "basis", "path_low", "path_high", "verdict")
AHEAD = (
    "share", "share_low", "share_high", "threshold", "path_low", "path_high", "verdict", "n_dates",
    "rate_per_year", "rate_needed", "rate_needed_low", "rate_needed_high", "forecast",
    "forecast_date",
)  # fmt: skip
CHANGE = (
    "date_before", "date_after", "share_before", "share_after", "change",
    *(f"{part}{end}" for part in PARTS for end in ("", "_low", "_high")), "note",
)  # fmt: skip


def outlook_text(row: pd.Series, lang: str) -> str:
    """Return what is needed from now on and where today's rate leads, or why that is not said.

    Parameters
    ----------
    row : Series
        A row of `progress.look_ahead`.
    lang : str
    """
    words = read_words("progress", lang)
    rate = _points(row["rate_per_year"], lang)
    day = "" if pd.isna(row["forecast_date"]) else write_day(row["forecast_date"], lang)
    ahead = words[row["forecast"]].format(rate=rate, day=day)
    if math.isnan(row["rate_needed"]):
        return ahead if row["as_of"] <= row["due"] else f"{words['needed_past']}; {ahead}"
    if row["rate_needed"] == 0:
        return words["needed_none"]
    return f"{words['needed'].format(rate=_points(row['rate_needed'], lang))}; {ahead}"


def format_progress(
    targets: Sequence[Target],
    outlook: pd.DataFrame,
    changes: pd.DataFrame,
    *,
    heading: str,
    marks: Sequence[str],
    notes: Sequence[str],
    lang: str = "vi",
) -> str:
    """Return the progress of every target as text for a terminal."""
    words = read_words("progress", lang)
    lines = [heading, *marks]
    for target in targets:
        lines += [
            "",
            f"{title_of(target, 'title', lang)} ({write_day(pd.Timestamp(target.due), lang)})",
        ]
        own = outlook[outlook["target_id"] == target.target_id]
        lines += [f"  {words['no_data']}"] if own.empty else []
        for _, row in own[own["commune_code"] == WHOLE].iterrows():
            reading = target.readings[row["reading"]]
            value = figure_text(_figure(row, reading), lang)
            asked = localise(f"{100 * row['threshold']:g}", lang)
            lines.append(f"  [{words[row['verdict']].upper()}] {title_of(reading, 'label', lang)}")
            lines.append(f"    {value} ≥ {asked} %: {outlook_text(row, lang)}")
            lines += _change_lines(changes, target.target_id, row["reading"], lang)
        each = own[own["commune_code"] != WHOLE]["verdict"].value_counts()
        counted = ", ".join(f"{words[name].lower()} {count}" for name, count in each.items())
        if counted:
            lines.append(f"  {words['communes']}: {counted}")
    lines += ["", *notes] if notes else []
    return "\n".join(lines)


def _change_lines(changes: pd.DataFrame, target_id: str, reading: int, lang: str) -> list[str]:
    words = read_words("progress", lang)
    is_own = (changes["target_id"] == target_id) & (changes["reading"] == reading)
    lines = []
    for _, row in changes[is_own & (changes["commune_code"] == WHOLE)].iterrows():
        parts = [
            f"{words[part].lower()} {_part(row, part, lang)}"
            for part in PARTS
            if not abs(row[part]) < 5e-5
        ]
        dates = f"{write_day(row['date_before'], lang)} → {write_day(row['date_after'], lang)}"
        change = _points(row["change"], lang, is_signed=True)
        lines.append(f"    {dates}: {change} = {'; '.join(parts) or words['no_changes']}")
    return lines


def _part(row: pd.Series, part: str, lang: str) -> str:
    if not math.isnan(row[part]):
        return _points(row[part], lang, is_signed=True)
    if row[f"{part}_high"] - row[f"{part}_low"] >= SAYS_NOTHING:
        return "?"
    low, high = (_points(row[f"{part}{end}"], lang, is_signed=True) for end in ("_low", "_high"))
    return f"? [{low} – {high}]"


def targets_progress_json(
    targets: Sequence[Target],
    followed: pd.DataFrame,
    outlook: pd.DataFrame,
    changes: pd.DataFrame,
    names: Mapping[str, str],
) -> list[dict[str, object]]:
    """Return the progress of every target as plain data, for `progress.json`."""
    return [
        {
            "target_id": target.target_id,
            "title_vi": target.title_vi,
            "title_en": target.title_en,
            "due": target.due,
            "document": target.document,
            "clause": target.clause,
            "readings": [
                _reading_json(
                    target, position, *(_of_all(table, target, position) for table in
                                        (followed, outlook, changes))
                )
                for position in range(len(target.readings))
            ],
            "communes": [
                {"commune_code": row["commune_code"], "commune_name": names[row["commune_code"]]}
                | _plain(row, AHEAD)
                for _, row in _of_each(outlook, target).iterrows()
            ],
        }
        for target in targets
    ]  # fmt: skip


def _of_all(table: pd.DataFrame, target: Target, position: int) -> pd.DataFrame:
    is_own = (table["target_id"] == target.target_id) & (table["reading"] == position)
    return table[is_own & (table["commune_code"] == WHOLE)]


def _of_each(table: pd.DataFrame, target: Target) -> pd.DataFrame:
    return table[(table["target_id"] == target.target_id) & (table["commune_code"] != WHOLE)]


def _reading_json(
    target: Target,
    position: int,
    followed: pd.DataFrame,
    outlook: pd.DataFrame,
    changes: pd.DataFrame,
) -> dict[str, object]:
    reading = target.readings[position]
    said: dict[str, object] = {}
    for _, row in outlook.iterrows():  # one row, none for a reading without a threshold
        said = _plain(row, AHEAD) | {f"text_{x}": outlook_text(row, x) for x in LANGUAGES}
    return about_reading(reading) | {
        "series": [_plain(row, SERIES) for _, row in followed.iterrows()],
        "outlook": said or None,
        "changes": [_plain(row, CHANGE) for _, row in changes.iterrows()],
    }


def _plain(row: pd.Series, names: Sequence[str]) -> dict[str, object]:
    return {name: _value(row[name]) for name in names}


def _value(value: Any) -> object:
    if isinstance(value, pd.Timestamp):
        return value.date()
    return None if pd.isna(value) else value


def _figure(row: pd.Series, reading: Reading) -> Figure:
    low, high = float(row["share_low"]), float(row["share_high"])
    return Figure(reading=reading, share=float(row["share"]), share_low=low, share_high=high)


def _points(share: float, lang: str, *, is_signed: bool = False) -> str:
    if math.isnan(share):
        return "?"
    return localise(f"{100 * share:+.2f}" if is_signed else f"{100 * share:.1f}", lang)

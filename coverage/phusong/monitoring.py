"""Progress as a folder: dated runs in; progress.json, progress.xlsx and figures out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phusong.errors import InputFileError
from phusong.io.dated import DatedRun, find_runs, read_dated_table, read_run
from phusong.io.manifest import fingerprint_inputs, write_run
from phusong.io.registers import read_crosswalk, read_register
from phusong.io.sheets import write_sheets_xlsx
from phusong.io.staging import RUN_FILE, staged_folder
from phusong.io.write import write_json
from phusong.progress import WHOLE
from phusong.publish.figures import save_figure
from phusong.publish.progressbook import progress_sheets
from phusong.publish.progresstext import (
    format_progress,
    outlook_text,
    targets_progress_json,
)
from phusong.publish.trajectory import (
    VERDICTS,
    draw_communes,
    plot_changes,
    plot_trajectory,
    title_axes,
)
from phusong.steps import Progress, silently
from phusong.targets import Target
from phusong.tracking import Tracked, track_runs
from phusong.words import read_words, title_of

__all__ = ["Monitored", "monitor_progress", "read_dates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """What the progress came to: the tables, the account as plain data, and as text."""

    tracked: Tracked
    account: dict[str, object]
    text: str


def read_dates(paths: Sequence[Path], *, inputs: Sequence[Path] = ()) -> list[DatedRun]:
    """Read runs, folders of runs and tables of dated indicators.

    Parameters
    ----------
    paths : sequence of Path
    inputs : sequence of Path
        Folders where the files that the runs were made of are looked for as well.

    Raises
    ------
    InputFileError
        If a path is none of these, or `inputs` names no folder.
    """
    missing = [str(place) for place in inputs if not place.is_dir()]
    if missing:
        raise InputFileError(f"{', '.join(missing)}: no such folder to look for inputs in")
    runs: list[DatedRun] = []
    for path in find_runs(paths):
        runs += [read_run(path, search=inputs)] if path.is_dir() else read_dated_table(path)
    return runs


def monitor_progress(
    paths: Sequence[Path],
    folder: Path,
    *,
    inputs: Sequence[Path] = (),
    register: Path | None = None,
    crosswalk: Path | None = None,
    lang: str = "vi",
    progress: Progress = silently,
) -> Monitored:
    """Read dated runs, hold them against the targets, and write the progress into `folder`.

    The outputs appear together at the end: what fails leaves what was there before.

    Parameters
    ----------
    paths : sequence of Path
        Runs, folders of runs, or tables of dated indicators.
    folder : Path
        Made if it is not there.
    inputs : sequence of Path
        Folders where the files that the runs were made of are looked for as well.
    register, crosswalk : Path, optional
        Targets in place of those of the last run; from older communes to those of today.
    lang : str
        Of the figures, the workbook and the text.
    progress : callable
        Given the steps and a label, yields the steps.

    Raises
    ------
    PhusongError
        Naming the run, file or field that stands in the way.
    OSError
        If the folder cannot be written.
    """
    started = datetime.now(UTC)
    found = find_runs(paths)
    given = {f"run[{i}]": p / RUN_FILE if p.is_dir() else p for i, p in enumerate(found)}
    given |= {"register": register} if register else {}
    given |= {"crosswalk": crosswalk} if crosswalk else {}
    with staged_folder(folder) as staging:
        fingerprints = fingerprint_inputs(given)
        tracked = track_runs(
            read_dates(paths, inputs=inputs),
            targets=None if register is None else read_register(register).targets,
            crosswalk=None if crosswalk is None else read_crosswalk(crosswalk),
            progress=progress,
        )
        account = _account(tracked)
        write_json(account, staging / "progress.json")
        sheets = progress_sheets(
            tracked.targets,
            followed=tracked.followed,
            outlook=tracked.outlook,
            changes=tracked.changes,
            cells=tracked.cells,
            names=_names(tracked),
            notes=[_heading(tracked, lang), *_marks(tracked, lang), *tracked.notes],
            lang=lang,
        )
        write_sheets_xlsx(sheets, staging / "progress.xlsx", as_of=tracked.runs[-1].as_of)
        for name, figure in progress(_figures(tracked, lang), "figures"):
            save_figure(figure, staging / name)
        write_run(
            staging,
            inputs=fingerprints,
            parameters={"lang": lang, **_labels(tracked.runs)},
            started=started,
            finished=datetime.now(UTC),
        )
    text = format_progress(
        tracked.targets,
        tracked.outlook,
        tracked.changes,
        heading=_heading(tracked, lang),
        marks=_marks(tracked, lang),
        notes=tracked.notes,
        lang=lang,
    )
    return Monitored(tracked=tracked, account=account, text=text)


def _labels(runs: Sequence[DatedRun]) -> dict[str, bool]:
    return {
        "synthetic": any(run.is_synthetic for run in runs),
        "schematic": any(run.is_schematic for run in runs),
    }


def _marks(tracked: Tracked, lang: str) -> list[str]:
    """Return what every output must say of itself."""
    words = read_words("progress", lang)
    return [words[label] for label, holds in _labels(tracked.runs).items() if holds]


def _heading(tracked: Tracked, lang: str) -> str:
    first, last = tracked.runs[0], tracked.runs[-1]
    return read_words("progress", lang)["dates"].format(
        n=len(tracked.runs), first=first.as_of, last=last.as_of, vintage=last.vintage
    )


def _names(tracked: Tracked) -> dict[str, str]:
    communes = tracked.runs[-1].communes
    return dict(zip(communes["commune_code"], communes["commune_name"], strict=True))


def _account(tracked: Tracked) -> dict[str, object]:
    """Return the progress as plain data, for `progress.json`."""
    return {
        **_labels(tracked.runs),
        "vintage": tracked.runs[-1].vintage,
        "runs": [
            {
                "name": run.name,
                "as_of": run.as_of,
                "vintage": run.vintage,
                "n_communes": len(run.communes),
                "why_not_counted_again": run.why_lost or None,
            }
            for run in tracked.runs
        ],
        "targets": targets_progress_json(
            tracked.targets, tracked.followed, tracked.outlook, tracked.changes, _names(tracked)
        ),
        "notes": list(tracked.notes),
    }


def _figures(tracked: Tracked, lang: str) -> list[tuple[str, Figure]]:
    """Return the figures by file name: of each target its path, its changes and its communes."""
    figures: list[tuple[str, Figure]] = []
    for number, target in enumerate(tracked.targets, start=1):
        slug = f"{number}-{re.sub(r'[^A-Za-z0-9-]+', '-', target.target_id)}"
        title = " · ".join([title_of(target, "title", lang), *_marks(tracked, lang)])
        own = tracked.followed[tracked.followed["target_id"] == target.target_id]
        asked = own[(own["commune_code"] == WHOLE) & own["threshold"].notna()]
        shown = sorted(set(asked["reading"]))
        if not shown:
            continue
        for kind, draw in (("path", _draw_path), ("changes", _draw_changes)):
            page = Figure(figsize=(9, 0.6 + 4.2 * len(shown)), layout="constrained")
            axes = page.subplots(len(shown), 1, squeeze=False).ravel()
            for ax, position in zip(axes, shown, strict=True):
                draw(ax, tracked, target, position, lang)
            page.suptitle(title, fontsize=11, x=0.01, ha="left")
            figures.append((f"{kind}-{slug}.png", page))
        each = own[own["commune_code"] != WHOLE]
        if len(each):
            page = draw_communes(each, _names(tracked), title=title, lang=lang)
            figures.append((f"communes-{slug}.png", page))
    return figures


def _draw_path(ax: Axes, tracked: Tracked, target: Target, position: int, lang: str) -> None:
    """Draw a reading's path; above it its verdict, what is needed and where today's rate leads."""
    row = _of_reading(tracked.outlook, target, position).iloc[0]
    told = f"{read_words('progress', lang)[row['verdict']]}: {outlook_text(row, lang)}"
    plot_trajectory(_of_reading(tracked.followed, target, position), lang=lang, ax=ax)
    label = title_of(target.readings[position], "label", lang)
    title_axes(ax, label, told, colour=VERDICTS[row["verdict"]])


def _draw_changes(ax: Axes, tracked: Tracked, target: Target, position: int, lang: str) -> None:
    plot_changes(_of_reading(tracked.changes, target, position), lang=lang, ax=ax)
    title_axes(ax, title_of(target.readings[position], "label", lang))


def _of_reading(table: pd.DataFrame, target: Target, position: int) -> pd.DataFrame:
    """Return the rows of a reading over all communes."""
    is_own = (table["target_id"] == target.target_id) & (table["reading"] == position)
    return table[is_own & (table["commune_code"] == WHOLE)]

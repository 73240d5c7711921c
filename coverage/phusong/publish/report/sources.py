"""What a report is made of: a run, an earlier one, and a plan, each held against its account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phusong.errors import InputFileError
from phusong.publish.run_outputs import Run, read_account, read_runs

__all__ = ["PlanOutputs", "ReportSources", "read_sources"]

PLAN_KEYS = (
    "question", "service", "objective", "bound", "people_gained", "people_left",
    "people_out_of_reach", "cost_vnd", "years", "sites",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutputs:
    """A folder that `phusong plan` wrote, and its `plan.json`."""

    folder: Path
    says: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSources:
    """Outputs read back."""

    run: Run
    previous: Run | None
    plan: PlanOutputs | None


def read_sources(run: Path, *, previous: Path | None, plan: Path | None) -> ReportSources:
    """Read what a report is made of.

    Parameters
    ----------
    run : Path
        Folder of the run that is reported.
    previous : Path, optional
        Folder of an earlier run of the same area.
    plan : Path, optional
        Folder of `phusong plan`, made after the run.

    Raises
    ------
    InputFileError
        If a folder is not what its run left, the earlier run is not earlier, or the plan is of
        another day.
    """
    folders = [run] if previous is None else [previous, run]
    found = read_runs(folders)
    latest = found[-1]
    if latest.folder != run or len(found) != len(folders):
        raise InputFileError(f"{previous}: expected a run of an earlier day than that of {run}")
    planned = None if plan is None else _read_plan(plan)
    if planned is not None and planned.says["as_of"] != latest.as_of.isoformat():
        raise InputFileError(
            f"{plan}: found a plan after the data of {planned.says['as_of']}, expected "
            f"{latest.as_of}"
        )
    return ReportSources(run=latest, previous=found[0] if len(found) > 1 else None, plan=planned)


def _read_plan(folder: Path) -> PlanOutputs:
    says = read_account(folder, "plan.json")
    lacking = [key for key in (*PLAN_KEYS, "as_of") if key not in says]
    if lacking:
        raise InputFileError(f"{folder}: plan.json: lacks {', '.join(lacking)}")
    return PlanOutputs(folder=folder, says=says)

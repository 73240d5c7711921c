"""The annexes: maps, and the table of all communes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from phusong.publish.report.blocks import Block, Heading, PageBreak, Paragraph, Picture, Table
from phusong.publish.report.sources import ReportSources
from phusong.publish.report.teller import ReportTeller
from phusong.publish.run_outputs import Run

__all__ = ["annexes"]

TIERS = ("broadband_b3", "broadband_b2", "broadband_b1", "broadband_b0")


def annexes(say: ReportTeller, sources: ReportSources) -> Iterator[Block]:
    """Yield the maps, and a row for each commune."""
    run, plan = sources.run, sources.plan
    yield PageBreak()
    yield Heading(text=say("annex_map"))
    if "map.png" in run.files:
        yield Picture(
            path=run.folder / "map.png", alt=say("annex_map_alt"),
            caption=say("annex_map_caption", day=say.day(run.as_of)),
        )  # fmt: skip
    else:
        yield Paragraph(text=say("annex_map_none"))
    if plan is not None:
        yield Picture(
            path=plan.folder / "before_after.png", caption=say("annex_plan_caption"),
            alt=say("annex_plan_alt", service=say.service(plan.says["service"])),
        )  # fmt: skip
    yield PageBreak()
    yield Heading(text=say("annex_table"))
    yield _table(say, run)


def _table(say: ReportTeller, run: Run) -> Table:
    gaps = run.gaps.set_index("commune_code")
    columns = ("code", "commune", "people", "p5", "a5", "broadband", "missing")
    rows = []
    for row in run.communes.to_dict("records"):
        code = row["commune_code"]
        missing = say.missing(gaps.at[code, "missing"]) if code in gaps.index else ""
        rows.append((
            code, row["commune_name"], say.count(row["population"]),
            _share(say, row, "share_population_5g"), _share(say, row, "share_area_5g"),
            _tier(say, row), missing,
        ))  # fmt: skip
    return Table(
        caption=say("annex_table_caption", n=say.count(len(rows))),
        header=tuple(say(f"h_{name}") for name in columns),
        rows=rows, widths=(8, 18, 9, 23, 23, 9, 10), numeric=frozenset({2}),
    )  # fmt: skip


def _share(say: ReportTeller, row: dict[str, Any], name: str) -> str:
    nan = float("nan")
    return say.share(row.get(name, nan), row.get(f"{name}_low", nan), row.get(f"{name}_high", nan))


def _tier(say: ReportTeller, row: dict[str, Any]) -> str:
    """Return the highest tier that a commune surely has."""
    known = [tier for tier in TIERS if tier in row]
    if not known:
        return say("unknown")
    sure = [tier for tier in known if row[tier] == "yes"]
    if sure:
        return sure[0][-2:].upper()
    return say("tier_none") if row[known[-1]] == "no" else say("unknown")

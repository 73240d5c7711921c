"""Places, evidence and proposals: the parts that a run has only with further inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from phusong.publish.report.blocks import Block, Heading, Paragraph, Table
from phusong.publish.report.sources import PlanOutputs
from phusong.publish.report.teller import ReportTeller
from phusong.publish.run_outputs import Run, read_table
from phusong.words import read_words

__all__ = ["evidence_part", "places_part", "plan_part"]

ZONES = ("priority_zone", "industrial_park")
SHOWN = 20
BILLION = 1e9


def places_part(say: ReportTeller, run: Run) -> Iterator[Block]:
    """Tell of places that must be served, of zones that are not, and of villages."""
    yield Heading(text=say("places"))
    counts = ("n_places", "n_served", "n_not_served", "n_unknown")
    summary = read_table(
        run, "places_summary.csv", numbers=dict.fromkeys(counts, "int64"),
        texts=("category", "service"),
    )  # fmt: skip
    if summary is None:
        yield Paragraph(text=say("places_none"))
    else:
        names = ("category", "service", "places", "served", "not_served", "unknown")
        yield Table(
            caption=say("places_caption"),
            header=tuple(say(f"h_{name}") for name in names),
            rows=[
                (say.word(row.category), say.service(row.service),
                 *(say.count(getattr(row, name)) for name in counts))
                for row in summary.itertuples()
            ],
            widths=(36, 16, 12, 12, 12, 12), numeric=frozenset({2, 3, 4, 5}),
        )  # fmt: skip
        yield from _zones(say, run)
    yield from _villages(say, run)


def _zones(say: ReportTeller, run: Run) -> Iterator[Block]:
    places = read_table(
        run, "places.csv", numbers=dict.fromkeys(("share", "share_low", "share_high"), "float64"),
        texts=("place_name", "category", "commune_name", "service", "verdict"),
    )  # fmt: skip
    if places is None:
        return
    zones = places[places["category"].isin(ZONES) & (places["service"] == "5g")]
    short = zones[zones["verdict"] != "served"]
    if zones.empty:
        return
    if short.empty:
        yield Paragraph(text=say("zones_all"))
        return
    yield Table(
        caption=say("zones_caption"),
        header=tuple(say(f"h_{name}") for name in ("place", "category", "commune", "share")),
        rows=[
            (row.place_name, say.word(row.category), row.commune_name,
             say.share(row.share, row.share_low, row.share_high))
            for row in short.itertuples()
        ],
        widths=(34, 22, 20, 24),
    )  # fmt: skip


def _villages(say: ReportTeller, run: Run) -> Iterator[Block]:
    counts = ("n", "n_trang_song", "n_lom_song", "n_covered", "n_unknown")
    villages = read_table(
        run, "villages_summary.csv", numbers=dict.fromkeys(counts, "int64"),
        texts=("service", "denominator"),
    )  # fmt: skip
    if villages is None:
        return
    names = ("denominator", "service", "villages", "trang", "lom", "served", "unknown")
    yield Table(
        caption=say("villages_caption"),
        header=tuple(say(f"h_{name}") for name in names),
        rows=[
            (say.word(row.denominator), say.service(row.service),
             *(say.count(getattr(row, name)) for name in counts))
            for row in villages.itertuples()
        ],
        widths=(34, 14, 11, 11, 10, 10, 10), numeric=frozenset({2, 3, 4, 5, 6}),
    )  # fmt: skip


def evidence_part(say: ReportTeller, run: Run) -> Iterator[Block]:
    """Tell where kinds of evidence contradict each other."""
    yield Heading(text=say("evidence"))
    numbers = ("higher_low", "lower_high", "people_disputed")
    found = read_table(
        run, "contradictions.csv", numbers=dict.fromkeys(numbers, "float64"),
        texts=("commune_code", "service", "operator", "higher", "lower"),
    )  # fmt: skip
    if found is None:
        yield Paragraph(text=say("evidence_none"))
        return
    if found.empty:
        yield Paragraph(text=say("evidence_clear"))
        return
    most = found.nlargest(SHOWN, "people_disputed")
    yield Paragraph(text=say("evidence_text", n=say.count(len(found)), shown=say.count(len(most))))
    names = run.communes.set_index("commune_code")["commune_name"]
    columns = ("commune", "service", "operator", "higher", "lower", "disputed")
    yield Table(
        caption=say("evidence_caption"),
        header=tuple(say(f"h_{name}") for name in columns),
        rows=[
            (
                names.get(row.commune_code, row.commune_code), say.service(row.service),
                say.word(row.operator), f"{say.word(row.higher)} ≥ {_share(say, row.higher_low)}",
                f"{say.word(row.lower)} ≤ {_share(say, row.lower_high)}",
                say.count(row.people_disputed),
            )
            for row in most.itertuples()
        ],
        widths=(22, 10, 16, 19, 19, 14), numeric=frozenset({5}),
    )  # fmt: skip


def _share(say: ReportTeller, share: float) -> str:
    return say.decimal(100 * share, 1) + " %"


def plan_part(say: ReportTeller, plan: PlanOutputs | None) -> Iterator[Block]:
    """Tell what to build next, where there is a plan."""
    yield Heading(text=say("proposals"))
    if plan is None:
        yield Paragraph(text=say("proposals_none"))
        return
    says = plan.says
    sites: Sequence[Any] = says["sites"]
    proofs = {
        "target": ("proof_least", say.count(says["bound"] / BILLION)),
        "fair": ("proof_fair", say.decimal(100 * says["bound"], 1)),
    }
    word, bound = proofs.get(says["question"], ("proof_most", say.count(says["bound"])))
    yield Paragraph(text=say(
        "proposals_text", n=say.count(len(sites)), people=say.count(says["people_gained"]),
        service=say.service(says["service"]), cost=say.count(says["cost_vnd"] / BILLION),
        years=say.decimal(says["years"], 0), proof=say(word, bound=bound),
    ))  # fmt: skip
    first, kinds = pd.DataFrame(sites).head(SHOWN), read_words("plan", say.lang)
    columns = ("rank", "site", "kind", "operator", "commune", "gained", "cost")
    yield Table(
        caption=say("proposals_caption", n=say.count(len(first))),
        header=tuple(say(f"h_{name}") for name in columns),
        rows=[
            (
                say.count(row.rank), row.site_id,
                kinds["share_kind" if row.kind == "share" else row.kind], row.operator,
                row.commune_name, say.count(row.people_gained),
                say.decimal(row.cost_vnd / BILLION, 2),
            )
            for row in first.itertuples()
        ],
        widths=(6, 19, 20, 14, 19, 11, 11), numeric=frozenset({0, 5, 6}),
    )  # fmt: skip
    yield Paragraph(text=say(
        "proposals_left", people=say.count(says["people_left"]),
        beyond=say.count(says["people_out_of_reach"]),
    ))  # fmt: skip

"""What the report says, in order: every figure is read from the files of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import Any

from phusong.publish.report.annexes import annexes
from phusong.publish.report.blocks import Block, Bullets, Document, Heading, Paragraph, Table
from phusong.publish.report.findings import evidence_part, places_part, plan_part
from phusong.publish.report.sources import ReportSources
from phusong.publish.report.teller import ReportTeller
from phusong.publish.run_outputs import Run, find_reading
from phusong.publish.texts import as_number
from phusong.sentences import tell
from phusong.words import read_words, title_of

__all__ = ["compose"]

WORST = 30


def compose(sources: ReportSources, *, lang: str) -> Document:
    """Return the report of a run.

    Parameters
    ----------
    sources : ReportSources
    lang : str
    """
    run = sources.run
    say = ReportTeller(w=_read_words(lang), lang=lang)
    body: list[Block] = []
    parts = (
        _basis(say, sources), _situation(say, run), _results(say, sources), _gaps(say, run),
        places_part(say, run), evidence_part(say, run), plan_part(say, sources.plan),
        _limits(say, run),
    )  # fmt: skip
    for part in parts:
        body.extend(part)
    labels = (("synthetic", run.is_synthetic), ("schematic", run.is_schematic))
    return Document(
        lang=lang,
        moment=datetime.combine(run.as_of, time(0)),
        authority=(say("authority_above"), say("authority")),
        number=say("number"),
        state=say("state"),
        motto=say("motto"),
        place_and_date=say("place_and_date"),
        kind=say("kind"),
        subject=say("subject", place=run.place, day=say.day(run.as_of)),
        labels=tuple(say(word) for word, holds in labels if holds),
        recipient=say("recipient"),
        blocks=(*body, *annexes(say, sources)),
        signed=len(body),
        copies=(say("copies"), say("copies_1"), say("copies_2")),
        signature=(say("signature_1"), say("signature_2")),
    )


def _read_words(lang: str) -> Mapping[str, str]:
    return {**read_words("site", lang), **read_words("report", lang)}


def _basis(say: ReportTeller, sources: ReportSources) -> Iterator[Block]:
    yield Heading(text=say("basis"))
    told = [
        say("basis_target", document=t["document"], clause=t["clause"], words=t["words_vi"])
        for t in sources.run.targets
    ]
    run, previous = sources.run, sources.previous
    told.append(say("basis_run", run=run.run_id, day=say.day(run.as_of)))
    if previous is not None:
        told.append(say("basis_previous", run=previous.run_id, day=say.day(previous.as_of)))
    yield Bullets(texts=tuple(told))
    yield Paragraph(text=say("bounds"))


def _situation(say: ReportTeller, run: Run) -> Iterator[Block]:
    communes = run.communes
    yield Heading(text=say("situation"))
    yield Paragraph(text=say(
        "situation_text", place=run.place, communes=say.count(len(communes)),
        people=say.count(as_number(communes["population"].sum(min_count=1))),
        area=say.count(as_number(communes["area_km2"].sum(min_count=1))),
        sites=say.count(run.summary["n_sites"]), cells=say.count(run.summary["n_cells"]),
    ))  # fmt: skip


def _change(
    run: Run, previous: Run | None, target: Mapping[str, Any], reading: Mapping[str, Any]
) -> float:
    """Return the change of a share; NaN where the two cannot be compared."""
    if previous is None or (reading["share_of"] == "communes" and _is_other_map(run, previous)):
        return math.nan
    before = find_reading(previous, target, reading)
    return math.nan if before is None else as_number(reading["share"]) - as_number(before["share"])


def _is_other_map(run: Run, previous: Run) -> bool:
    return set(run.communes["vintage"]) != set(previous.communes["vintage"])


def _results(say: ReportTeller, sources: ReportSources) -> Iterator[Block]:
    run, previous = sources.run, sources.previous
    yield Heading(text=say("results"))
    if previous is None:
        yield Paragraph(text=say("no_previous"))
    else:
        yield Paragraph(text=say("change_since", day=say.day(previous.as_of)))
        if _is_other_map(run, previous):
            vintage = ", ".join(sorted(set(previous.communes["vintage"])))
            yield Paragraph(text=say("other_map", vintage=vintage))
    rows: list[tuple[str, ...]] = []
    for target in run.targets:
        rows.append((
            title_of(target, "title", say.lang), "", "", "", f"{say(target['status'])} · "
            f"{say('due', day=say.day(target['due']))}",
        ))  # fmt: skip
        for reading in target["readings"]:
            threshold = reading["threshold"]
            rows.append((
                "– " + title_of(reading, "label", say.lang),
                say.share(reading["share"], reading["share_low"], reading["share_high"]),
                "–" if threshold is None else "≥ " + say.percent(threshold),
                say.points(_change(run, previous, target, reading)),
                say("beside_mark") if threshold is None else "",
            ))  # fmt: skip
    yield Table(
        caption=say("results_caption"),
        header=tuple(say(f"h_{name}")
                     for name in ("reading", "figure", "threshold", "change", "verdict")),
        rows=rows, widths=(35, 25, 12, 11, 17), numeric=frozenset({2, 3}),
    )  # fmt: skip
    yield Bullets(texts=tuple(_shortfall(say, target) for target in run.targets))


def _shortfall(say: ReportTeller, target: Mapping[str, Any]) -> str:
    title = title_of(target, "title", say.lang)
    if not target["n_communes"]:
        return say("target_unmeasured", title=title)
    told = [say("short", n=say.count(target["n_communes_short"]),
                of=say.count(target["n_communes"]))]  # fmt: skip
    people = as_number(target["people_short"])
    told.append(say("people_unknown") if people != people
                else say("people_short", people=say.count(people)))  # fmt: skip
    if target["n_communes_undetermined"]:
        told.append(say("open", n=say.count(target["n_communes_undetermined"])))
    return say(
        "target_short", title=title, verdict=say(target["status"]).lower(), short=" ".join(told)
    )


def _gaps(say: ReportTeller, run: Run) -> Iterator[Block]:
    yield Heading(text=say("gaps"))
    gaps = run.gaps.sort_values("rank")
    if gaps.empty:
        yield Paragraph(text=say("gaps_none"))
        return
    sure = int((gaps["certainty"] == "gap").sum())
    yield Paragraph(text=say("gaps_text", n=say.count(len(gaps)), sure=say.count(sure)))
    names = run.communes.set_index("commune_code")["commune_name"]
    columns = ("rank", "code", "commune", "missing", "uncovered", "reason", "nearest", "certainty")
    worst = gaps.head(WORST)
    yield Table(
        caption=say("gaps_caption", n=say.count(len(worst))),
        header=tuple(say(f"h_{name}") for name in columns),
        rows=[
            (
                say.count(row.rank), row.commune_code, names[row.commune_code],
                say.missing(row.missing), say.count(as_number(row.people_uncovered)),
                say.word(row.reason), say.decimal(row.nearest_site_km, 1), say.word(row.certainty),
            )
            for row in worst.itertuples()
        ],
        widths=(6, 9, 19, 11, 12, 16, 11, 16), numeric=frozenset({0, 4, 6}),
    )  # fmt: skip


def _limits(say: ReportTeller, run: Run) -> Iterator[Block]:
    yield Heading(text=say("limits"))
    yield Paragraph(text=say("rows_text"))
    counted: Mapping[str, Mapping[str, int]] = run.summary["rows"]
    names = ("rows_in", "rows_used", "rows_quarantined", "rows_ignored")
    yield Table(
        caption=say("rows_caption"),
        header=(say("input"), *(say(name) for name in names)),
        rows=[(name, *(say.count(row[key]) for key in names)) for name, row in counted.items()],
        widths=(44, 14, 14, 14, 14), numeric=frozenset({1, 2, 3, 4}),
    )  # fmt: skip
    notes: Sequence[str] = run.summary["notes"]
    if notes:
        yield Bullets(texts=tuple(tell(note, say.lang) for note in notes))
    listed: Sequence[str] = run.summary["sources"]
    if listed:
        yield Paragraph(text=say("sources_text", sources="; ".join(listed)))

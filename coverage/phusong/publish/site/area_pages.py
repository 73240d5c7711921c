"""The pages about the whole area: overview, table of communes, targets, comparison."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from phusong.publish.run_outputs import KEYS, find_reading
from phusong.publish.site.drawings import hatching
from phusong.publish.site.model import UNKNOWN, Key, Site, Triple
from phusong.publish.site.voice import Page, Voice
from phusong.publish.texts import as_number
from phusong.words import title_of

__all__ = ["COMPARE_MAP", "MAP", "area_pages"]

MAP, COMPARE_MAP = "map.html", "compare-map.html"
# A text, and what a table sorts by: a number, "" where it is not known, None for a text.
Cell = tuple[str, float | str | None]
DENSE = 500  # communes, from where borders would hide what they part


def area_pages(voice: Voice) -> Iterator[Page]:
    """Yield the pages about the whole area."""
    targets = [_target(voice, target) for target in voice.site.run.targets]
    yield _overview(voice, targets)
    yield _communes(voice)
    yield Page(
        path="targets.html",
        template="targets.html",
        section="targets.html",
        heading=voice.w["targets"],
        says={"targets": targets},
    )
    for target, told in zip(voice.site.run.targets, targets, strict=True):
        yield _target_page(voice, target, told)
    if len(voice.site.runs) > 1:
        yield _compare(voice)


def _overview(voice: Voice, targets: Sequence[Mapping[str, Any]]) -> Page:
    site, run = voice.site, voice.site.run
    bounds = run.communes.total_bounds
    return Page(
        path="index.html",
        template="index.html",
        section="index.html",
        heading=voice.say("title", place=run.place) if run.place else voice.w["site"],
        says={
            "facts": _facts(voice),
            "targets": targets,
            "frame": site.outlines.frame(bounds, pad=0.01),
            "hatching": hatching(6),
            "is_dense": len(site.rows) > DENSE,
            "communes": _map_parts(voice),
            "map_caption": voice.say("map_caption", of=voice.w[f"of_{site.basis}"]),
            "classes": voice.classes,
            "map_file": MAP if MAP in run.files else None,
            "worst": [_worst(voice, gap) for gap in run.summary["worst_communes"]],
            "sources": run.summary["sources"],
        },
    )


def _facts(voice: Voice) -> list[tuple[str, str]]:
    w, summary, communes = voice.w, voice.site.run.summary, voice.site.run.communes
    people = communes["population"].astype(float)
    n_unknown = int(people.isna().sum())
    population = voice.count(people.sum(min_count=1))
    if 0 < n_unknown < len(communes):
        population = voice.say("people_partly", people=population, n=voice.count(n_unknown))
    area_km2 = communes["area_km2"].astype(float).sum(skipna=False)
    return [
        (w["n_communes"], voice.count(len(communes))),
        (w["people"], population),
        (w["area"], voice.number(area_km2, 0, "km²")),
        (w["n_sites"], voice.count(summary["n_sites"])),
        (w["n_gaps"], voice.count(summary["n_gaps"])),
    ]


def _map_parts(voice: Voice) -> list[tuple[str, str, int, str]]:
    """Return file, text, class and path of each commune; −1 is unknown."""
    site, key = voice.site, (voice.site.basis, "5g", "any")
    return [
        (site.names[i], f"{row['commune_name']}: {voice.share(site.figures[-1].at(key, i))}",
         site.classes[i], site.outlines.paths[i])
        for i, row in enumerate(site.rows)
    ]  # fmt: skip


def _worst(voice: Voice, gap: Mapping[str, Any]) -> tuple[int, str, str, str, str, str]:
    site = voice.site
    i = site.positions[gap["commune_code"]]
    people = as_number(gap["people_uncovered"])
    return (
        gap["rank"], site.names[i], gap["commune_name"], voice.count(people),
        voice.missing(gap["missing"]), voice.word(gap["certainty"]),
    )  # fmt: skip


def _communes(voice: Voice) -> Page:
    site, w = voice.site, voice.w
    keys = [(of, "5g", "any") for of in ("share_population", "share_area")]
    keys += [(site.basis, "4g", "any"), ("broadband_b0", "broadband", "any")]
    keys = [key for key in keys if key in site.figures[-1].shares]
    heads = [(w["code"], False), (w["commune"], False), (w["people"], True)]
    heads += [(_column(voice, key), not _is_tier(key)) for key in keys]
    heads += [(w["uncovered"], True), (w["missing_short"], False)]
    rows = [
        (row["commune_code"], site.names[i], row["commune_name"], _cells(voice, i, keys))
        for i, row in enumerate(site.rows)
    ]
    caption = voice.say("table_caption", n=voice.count(len(rows)))
    return Page(
        path="communes.html",
        template="communes.html",
        section="communes.html",
        heading=w["communes"],
        says={"table": {"label": w["communes"], "caption": caption, "heads": heads, "rows": rows}},
    )


def _cells(voice: Voice, i: int, keys: Sequence[Key]) -> list[Cell]:
    """Return the cells of a commune behind its code and name."""
    site, gap = voice.site, voice.site.gaps.get(i)
    cells: list[Cell] = [_counted(voice, site.rows[i]["population"])]
    for key in keys:
        triple = site.figures[-1].at(key, i)
        cells.append((voice.figure(key, triple), None if _is_tier(key) else _value(triple[0])))
    if gap is None:
        return [*cells, ("", ""), ("", None)]
    people = _counted(voice, gap["people_uncovered"])
    return [*cells, people, (voice.missing(gap["missing"]), None)]


def _is_tier(key: Key) -> bool:
    return key[0].startswith("broadband")


def _column(voice: Voice, key: Key) -> str:
    if _is_tier(key):
        return voice.w[key[0]]
    return f"{voice.w[key[0]]} {voice.service(key[1])}"


def _counted(voice: Voice, persons: float | None) -> Cell:
    return voice.count(as_number(persons)), _value(as_number(persons))


def _value(number: float) -> float | str:
    """Return what a table sorts by: "" where it is not known."""
    return "" if math.isnan(number) else round(number, 6)


def _target(voice: Voice, target: Mapping[str, Any]) -> dict[str, Any]:
    lang = voice.lang
    return {
        "href": f"target/{_target_file(target)}.html",
        "title": title_of(target, "title", lang),
        "status": target["status"],
        "due": voice.day(target["due"]),
        "short": _short(voice, target),
        "words_vi": target["words_vi"],
        "document": target["document"],
        "clause": target["clause"],
        "readings": [
            {
                "label": title_of(reading, "label", lang),
                "figure": voice.share(_triple(reading)),
                "threshold": None if reading["threshold"] is None
                else voice.percent(reading["threshold"]),
            }
            for reading in target["readings"]
        ],
        "history": _target_history(voice, target),
    }  # fmt: skip


def _short(voice: Voice, target: Mapping[str, Any]) -> str:
    """Return how many communes and people are short of a target, as far as that is known."""
    if not target["n_communes"]:
        return voice.w["not_measured"]
    n, of = voice.count(target["n_communes_short"]), voice.count(target["n_communes"])
    people = as_number(target["people_short"])
    said = [
        voice.say("short", n=n, of=of),
        voice.w["people_unknown"] if math.isnan(people)
        else voice.say("people_short", people=voice.count(people)),
    ]  # fmt: skip
    if target["n_communes_undetermined"]:
        said.append(voice.say("open", n=voice.count(target["n_communes_undetermined"])))
    return " ".join(said)


def _target_file(target: Mapping[str, Any]) -> str:
    name = str(target["target_id"])
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}", name) and not name.startswith("x-"):
        return name
    return "x-" + hashlib.sha256(name.encode()).hexdigest()[:16]


def _triple(reading: Mapping[str, Any]) -> Triple:
    share, low, high = (as_number(reading[f"share{end}"]) for end in ("", "_low", "_high"))
    return share, low, high


def _target_history(voice: Voice, target: Mapping[str, Any]) -> Mapping[str, object] | None:
    """Return the deciding readings over the runs, each found again by what it reads."""
    readings = [r for r in target["readings"] if r["threshold"] is not None]
    readings = readings or target["readings"]
    found = [[find_reading(run, target, reading) for reading in readings]
             for run in voice.site.runs]  # fmt: skip
    rows = [[UNKNOWN if reading is None else _triple(reading) for reading in row] for row in found]
    return voice.history(
        title_of(readings[0], "label", voice.lang),
        [title_of(reading, "label", voice.lang) for reading in readings],
        [[voice.share(triple) for triple in row] for row in rows],
        [row[0] for row in rows],
    )


def _target_page(voice: Voice, target: Mapping[str, Any], told: Mapping[str, Any]) -> Page:
    first = target["readings"][0]
    lists = []
    for name, word in (("communes_short", "short"), ("communes_undetermined", "open")):
        lists.append(
            {
                "heading": voice.w[f"{word}_list"],
                "caption": voice.say(f"{word}_caption", n=voice.count(len(target[name]))),
                "none": voice.w[f"none_{word}"],
                "head": title_of(first, "label", voice.lang),
                "rows": [_listed(voice, code, first) for code in target[name]],
            }
        )
    return Page(
        path=told["href"],
        template="target.html",
        section="targets.html",
        heading=told["title"],
        says={"target": told, "history": told["history"], "lists": lists},
    )


def _listed(voice: Voice, code: str, reading: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    site = voice.site
    i, key = site.positions[code], (reading["indicator"], reading["service"], "any")
    row = site.rows[i]
    figure = voice.figure(key, site.figures[-1].at(key, i))
    return (
        code,
        site.names[i],
        row["commune_name"],
        voice.count(as_number(row["population"])),
        figure,
    )


def _compare(voice: Voice) -> Page:
    """Return the page of the last two runs: each commune before and after."""
    site, w = voice.site, voice.w
    before, after = site.figures[-2:]
    key = (site.basis, "5g", "any")
    gained = "gained" if site.basis == "share_population" else "gained_area"
    rows = []
    for i, row in enumerate(site.rows):
        triples = [figures.at(key, i) for figures in (before, after)]
        more = (triples[1][0] - triples[0][0]) * float(after.denominators[key][i])
        cells: list[Cell] = [(voice.share(t), _value(t[0])) for t in triples]
        cells.append(_counted(voice, more))
        rows.append((row["commune_code"], site.names[i], row["commune_name"], cells))
    days = [voice.day(run.as_of.isoformat()) for run in site.runs[-2:]]
    heads = [(w["code"], False), (w["commune"], False), *((day, True) for day in days)]
    n_other = _count_left(site)
    is_mapped = all(MAP in run.files for run in site.runs[-2:])
    return Page(
        path="compare.html",
        template="compare.html",
        section="compare.html",
        heading=w["compare"],
        says={
            "intro": voice.say("compare_intro", before=days[0], after=days[1]),
            "other_codes": voice.say("other_codes", n=voice.count(n_other)) if n_other else "",
            "map_file": COMPARE_MAP if is_mapped else None,
            "table": {
                "label": w["compare"],
                "caption": w["compare_caption"],
                "heads": [*heads, (w[gained], True)],
                "rows": rows,
            },
        },
    )


def _count_left(site: Site) -> int:
    """Return how many communes of the run before are not in the last one."""
    before, after = (pd.MultiIndex.from_frame(run.communes[KEYS]) for run in site.runs[-2:])
    return len(before.difference(after))

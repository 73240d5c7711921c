"""The page of each commune."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from phusong.publish.run_outputs import KEYS
from phusong.publish.site.area_pages import MAP
from phusong.publish.site.model import Figures
from phusong.publish.site.voice import Page, Voice
from phusong.publish.texts import as_number

__all__ = ["commune_pages"]

# The order in which people ask; what else a run has comes after.
SERVICES = ("5g", "5g_sa", "5g_nsa", "4g", "mbb", "3g", "2g")
TIERS = ("broadband_b0", "broadband_b1", "broadband_b2", "broadband_b3")
GROUPS = ("any", "two_or_more")
Facts = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Sites on air by commune: technologies, and rows of an operator and its counts."""

    technologies: list[str]
    rows: Mapping[int, list[tuple[str, list[str]]]]


def commune_pages(voice: Voice) -> Iterator[Page]:
    """Yield the page of each commune, in the order of the site."""
    site = voice.site
    figures = site.figures[-1]
    services, operators = list_services(figures), _list_operators(figures)
    counts = _count_sites(voice)
    caption = voice.say("operators_caption", of=voice.w[f"of_{site.basis}"])
    shared = {
        "classes": voice.classes,
        "map_caption": voice.say("place_caption", of=voice.w[f"of_{site.basis}"]),
        "operators_caption": caption,
        "map_file": MAP if MAP in site.run.files else None,
        "technologies": counts.technologies if counts else [],
        "is_counted": counts is not None,
    }
    for i, row in enumerate(site.rows):
        gap = site.gaps.get(i)
        yield Page(
            path=f"commune/{site.names[i]}.html",
            template="commune.html",
            section="communes.html",
            heading=row["commune_name"],
            says=shared | {
                "facts": _facts(voice, row),
                "code": row["commune_code"],
                "drawing": f"outlines/{site.names[i]}.svg",
                "gap": None if gap is None else _gap(voice, gap),
                "basis": None if gap is None else voice.w.get(f"basis_{gap['basis']}"),
                "coverage": _coverage(voice, i, services),
                "operators": _operators(voice, i, services, operators),
                "broadband": _broadband(voice, i),
                "sites": counts.rows.get(i, []) if counts else [],
                "history": voice.commune_history(i),
                "neighbours": [_neighbour(voice, j) for j in site.neighbours[i]],
            },
        )  # fmt: skip


def list_services(figures: Figures) -> list[str]:
    """Return the services that a run measured, those first that people ask for first."""
    found = {service for indicator, service, _ in figures.shares if indicator == "share_area"}
    return [*(s for s in SERVICES if s in found), *sorted(found.difference(SERVICES))]


def _list_operators(figures: Figures) -> list[str]:
    found = {operator for indicator, _, operator in figures.shares if indicator == "share_area"}
    return sorted(found.difference(GROUPS))


def _facts(voice: Voice, row: Mapping[str, Any]) -> Facts:
    return [
        (voice.w["code"], str(row["commune_code"])),
        (voice.w["vintage"], str(row["vintage"])),
        *_optional(voice.w["province"], row["province_code"]),
        (voice.w["people"], voice.count(as_number(row["population"]))),
        *([(voice.w["households"], voice.count(as_number(row["households"])))]
          if "households" in row else []),
        (voice.w["area"], voice.number(as_number(row["area_km2"]), 2, "km²")),
    ]  # fmt: skip


def _optional(term: str, value: Any) -> Facts:
    return [] if pd.isna(value) or value == "" else [(term, str(value))]


def _gap(voice: Voice, gap: Mapping[str, Any]) -> Facts:
    w, km = voice.w, (gap["nearest_site_km"], gap["nearest_mast_km"])
    nearest, mast = (voice.number(as_number(value), 1, "km") for value in km)
    operator = str(gap["nearest_site_operator"])
    ranked = voice.say("rank_of", rank=gap["rank"], of=len(voice.site.gaps))
    return [
        (w["missing_short"], voice.missing(str(gap["missing"]))),
        (w["certainty"], voice.word(str(gap["certainty"]))),
        (w["reason"], voice.word(str(gap["reason"]))),
        (w["uncovered"], voice.count(as_number(gap["people_uncovered"]))),
        (w["uncovered_area"], voice.number(as_number(gap["area_uncovered_km2"]), 1, "km²")),
        (w["rank"], ranked),
        (w["operators_present"], str(gap["operators_present"]) or w["none"]),
        (w["nearest"], f"{nearest} · {operator}" if operator else nearest),
        (w["nearest_mast"], mast),
    ]


def _coverage(voice: Voice, i: int, services: Sequence[str]) -> list[tuple[str, list[str]]]:
    figures = voice.site.figures[-1]
    columns = (("share_population", "any"), ("share_area", "any"),
               ("share_population", "two_or_more"))  # fmt: skip
    return [
        (voice.service(service),
         [voice.share(figures.at((of, service, operator), i)) for of, operator in columns])
        for service in services
    ]  # fmt: skip


def _operators(
    voice: Voice, i: int, services: Sequence[str], operators: Sequence[str]
) -> list[tuple[str, list[str], str]]:
    site, figures = voice.site, voice.site.figures[-1]
    rows = []
    for operator in operators:
        keys = [(site.basis, service, operator) for service in services]
        evidence = dict.fromkeys(voice.word(e) for key in keys for e in figures.evidence(key, i))
        cells = [voice.share(figures.at(key, i)) for key in keys]
        rows.append((operator, cells, ", ".join(evidence)))
    return rows


def _broadband(voice: Voice, i: int) -> list[tuple[str, str, str]]:
    figures = voice.site.figures[-1]
    return [
        (voice.w[key[0]], voice.figure(key, figures.at(key, i)),
         ", ".join(map(voice.word, figures.evidence(key, i))))
        for key in ((indicator, "broadband", "any") for indicator in (*TIERS, "low_cost"))
        if key in figures.shares
    ]  # fmt: skip


def _count_sites(voice: Voice) -> Counts | None:
    table = voice.site.run.site_counts
    if table is None:
        return None
    index = pd.MultiIndex.from_frame(voice.site.run.communes[KEYS])
    at = index.get_indexer(pd.MultiIndex.from_frame(table[KEYS]))
    wide = table[at >= 0].assign(at=at[at >= 0]).pivot_table(
        index=["at", "operator"], columns="technology", values="n_sites", fill_value=0,
        aggfunc="sum",
    )  # fmt: skip
    rows: dict[int, list[tuple[str, list[str]]]] = {}
    for (i, operator), counts in wide.iterrows():
        rows.setdefault(i, []).append((operator, [voice.count(float(n)) for n in counts]))
    return Counts(technologies=list(wide.columns), rows=rows)


def _neighbour(voice: Voice, j: int) -> tuple[str, str, str, str, str]:
    site = voice.site
    row, gap = site.rows[j], site.gaps.get(j)
    share = site.figures[-1].at((site.basis, "5g", "any"), j)
    missing = "" if gap is None else voice.missing(str(gap["missing"]))
    people = voice.count(as_number(row["population"]))
    return site.names[j], row["commune_name"], people, voice.share(share), missing

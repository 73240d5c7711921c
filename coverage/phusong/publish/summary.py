"""What a planner reads first: each target with its bounds, the worst communes, the counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from phusong.publish.assessment import Assessment
from phusong.targets import Figure, Reading, TargetResult
from phusong.words import localise, read_words, title_of

__all__ = [
    "about_reading",
    "figure_text",
    "format_count",
    "format_percent",
    "format_rows",
    "format_summary",
    "summarise",
    "summary_html",
    "targets_json",
]

WORST = 10


def summarise(
    assessment: Assessment, *, rows: Mapping[str, Mapping[str, int]]
) -> dict[str, object]:
    """Return the summary as plain data, for `summary.json` and `--json`.

    Parameters
    ----------
    assessment : Assessment
    rows : Mapping
        By input: `rows_in`, `rows_used`, `rows_quarantined`, `rows_ignored`.
    """
    about, gaps = assessment.about, assessment.gaps
    worst = gaps.head(WORST)
    return {
        "place": about.place,
        "as_of": about.as_of,
        "is_synthetic": about.is_synthetic,
        "is_schematic": about.is_schematic,
        "n_communes": len(assessment.communes),
        "population": float(assessment.communes["population"].sum()),
        "area_km2": float(assessment.communes["area_km2"].sum()),
        "n_sites": int(assessment.sites["site_id"].nunique()),
        "n_cells": len(assessment.sites),
        "targets": targets_json(assessment.targets),
        "n_gaps": len(gaps),
        "n_gaps_by_certainty": {k: int(v) for k, v in gaps["certainty"].value_counts().items()},
        "worst_communes": [
            {
                "rank": int(row.rank),
                "commune_code": row.commune_code,
                "commune_name": row.commune_name,
                "missing": row.missing,
                "certainty": row.certainty,
                "people_uncovered": row.people_uncovered,
                "nearest_site_km": row.nearest_site_km,
            }
            for row in worst.itertuples()
        ],
        "rows": {name: dict(counts) for name, counts in rows.items()},
        "sources": list(about.sources),
        "notes": list(about.notes),
    }


def targets_json(results: tuple[TargetResult, ...]) -> list[dict[str, object]]:
    """Return the targets as plain data, for `targets.json`."""
    return [
        {
            "target_id": result.target.target_id,
            "title_vi": result.target.title_vi,
            "title_en": result.target.title_en,
            "words_vi": result.target.words_vi,
            "document": result.target.document,
            "clause": result.target.clause,
            "due": result.target.due,
            "as_of": result.as_of,
            "status": result.status,
            "readings": [_reading_json(figure) for figure in result.figures],
            "n_communes": result.n_communes,
            "n_communes_short": len(result.short_codes),
            "n_communes_undetermined": len(result.undetermined_codes),
            "people_short": result.people_short,
            "people_undetermined": result.people_undetermined,
            "communes_short": list(result.short_codes),
            "communes_undetermined": list(result.undetermined_codes),
        }
        for result in results
    ]


def _reading_json(figure: Figure) -> dict[str, object]:
    return about_reading(figure.reading) | {
        "share": figure.share,
        "share_low": figure.share_low,
        "share_high": figure.share_high,
    }


def about_reading(reading: Reading) -> dict[str, object]:
    """Return what a reading reads, as plain data."""
    return {
        "label_vi": reading.label_vi,
        "label_en": reading.label_en,
        "indicator": reading.indicator,
        "service": reading.service,
        "share_of": reading.share_of,
        "commune_share": reading.commune_share,
        "threshold": reading.threshold,
    }


def format_summary(
    assessment: Assessment, *, rows: Mapping[str, Mapping[str, int]], lang: str = "vi"
) -> str:
    """Return the summary as text for a terminal."""
    words, about = read_words("summary", lang), assessment.about
    lines = [f"{about.place or 'phusong'} · {words['as_of']} {about.as_of.isoformat()}"]
    lines += [words["synthetic"]] if about.is_synthetic else []
    lines += [words["schematic"]] if about.is_schematic else []
    for result in assessment.targets:
        lines += ["", *_target_lines(result, lang)]
    gaps = assessment.gaps
    lines += ["", words["gaps"].format(n=len(gaps)), words["worst"] + ":"]
    for row in gaps.head(WORST).itertuples():
        people = format_count(row.people_uncovered, lang)
        lines.append(
            f"  {row.rank:>3}. {row.commune_code} {row.commune_name}: {people} {words['people']}"
            f" ({row.missing})"
        )
    return "\n".join([*lines, "", *format_rows(rows, lang)])


def format_rows(rows: Mapping[str, Mapping[str, int]], lang: str) -> list[str]:
    """Return a line for each input: all its rows are used, set aside or ignored."""
    form = read_words("summary", lang)["set_aside"]
    return [
        f"{name}: " + form.format(
            rows_in=counts["rows_in"], used=counts["rows_used"],
            aside=counts["rows_quarantined"], ignored=counts["rows_ignored"],
        )
        for name, counts in rows.items()
    ]  # fmt: skip


def _target_lines(result: TargetResult, lang: str) -> list[str]:
    words, target = read_words("summary", lang), result.target
    title = title_of(target, "title", lang)
    lines = [f"[{words[result.status]}] {title} ({words['due']} {target.due.isoformat()})"]
    for figure in result.figures:
        reading = figure.reading
        label = title_of(reading, "label", lang)
        wanted = (
            "" if reading.threshold is None else f"  ≥ {format_percent(reading.threshold, lang)}"
        )
        lines.append(f"  {label}: {figure_text(figure, lang)}{wanted}")
    return [*lines, f"  → {_shortfall(result, lang)}"]


def _shortfall(result: TargetResult, lang: str) -> str:
    """Say how many communes and people a target lacks, as far as anything was read."""
    words = read_words("summary", lang)
    is_known = any(not math.isnan(figure.share_high) or not math.isnan(figure.share)
                   for figure in result.figures)  # fmt: skip
    if not result.n_communes or not (is_known or result.short_codes):
        return words["nothing"]
    n_short, n_open = (
        format_count(len(codes), lang) for codes in (result.short_codes, result.undetermined_codes)
    )
    said = words["none_short"]
    if result.short_codes or result.people_short > 0:
        said = words["short"].format(n=n_short, people=format_count(result.people_short, lang))
    if result.undetermined_codes:
        said += "; " + words["open"].format(n=n_open)
    return said


def figure_text(figure: Figure, lang: str) -> str:
    """Return a figure with its bounds as people read it."""
    words = read_words("summary", lang)
    if math.isnan(figure.share):
        return words["unknown"]
    if math.isnan(figure.share_low):
        return f"{format_percent(figure.share, lang)} ({words['no_interval']})"
    low, high = format_percent(figure.share_low, lang), format_percent(figure.share_high, lang)
    return f"{format_percent(figure.share, lang)} [{low} – {high}]"


def format_percent(share: float, lang: str) -> str:
    """Return a share in per cent; only what is whole reads 100, only what is nothing reads 0."""
    shown = min(max(round(100 * share, 1), 0.1 if share > 0 else 0.0), 100 if share >= 1 else 99.9)
    return localise(f"{shown:.1f}", lang) + " %"


def format_count(number: float, lang: str) -> str:
    """Return a whole number with the language's thousands sign; "?" where it is not known.

    >>> format_count(12345.6, "vi"), format_count(-0.3, "vi")
    ('12.346', '0')
    """
    return "?" if math.isnan(number) else localise(f"{round(number):,}", lang)


def summary_html(assessment: Assessment, *, lang: str = "vi") -> str:
    """Return the targets and the worst communes as two small HTML tables, every text escaped."""
    words, about = read_words("summary", lang), assessment.about
    head = [about.place or "phusong", f"{words['as_of']} {about.as_of.isoformat()}"]
    head += [words["synthetic"]] if about.is_synthetic else []
    head += [words["schematic"]] if about.is_schematic else []
    targets = [
        [words[result.status], title_of(result.target, "title", lang),
         figure_text(result.figures[0], lang)]
        for result in assessment.targets
    ]  # fmt: skip
    worst = [
        [row.commune_code, row.commune_name, format_count(row.people_uncovered, lang), row.missing]
        for row in assessment.gaps.head(WORST).itertuples()
    ]
    title = f"<p><strong>{escape(' · '.join(head))}</strong></p>"
    return title + _table(targets) + f"<p>{escape(words['worst'])}</p>" + _table(worst)


def _table(rows: Sequence[Sequence[object]]) -> str:
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>{body}</table>"

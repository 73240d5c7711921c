"""The pages about the record: how it was computed, and the files to take away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from phusong.io.staging import RUN_FILE
from phusong.publish.run_outputs import Run
from phusong.publish.site.output import TYPES
from phusong.publish.site.voice import Page, Voice
from phusong.sentences import tell
from phusong.words import LANGUAGES, title_of

__all__ = ["downloads", "record_pages"]

# What a reader may take away, and the words for it. The rows that were set aside are not among
# them: they are what someone wrote in a file of their own.
DOWNLOADS = {
    "communes.csv": "f_communes",
    "communes.gpkg": "f_communes",
    "communes.parquet": "f_communes",
    "indicators.parquet": "f_indicators",
    "gaps.xlsx": "f_gaps",
    "gaps.csv": "f_gaps",
    "provinces.csv": "f_provinces",
    "targets.json": "f_targets",
    "summary.json": "f_summary",
    "map.pdf": "f_map",
    RUN_FILE: "f_run",
}
NAMING = ("as_of", "sources", "lang")  # parameters that change no figure
DEFINITIONS = ("broadband", "coverage", "gap", "bounds", "evidence", "unknown")
LICENCES = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
}


def record_pages(voice: Voice) -> Iterator[Page]:
    """Yield the page of the method and that of the downloads."""
    yield _method(voice)
    yield _downloads(voice)


def downloads(run: Run) -> dict[str, str]:
    """Return, by name in the site, the name in the folder of the run of what is offered."""
    offered = [name for name in DOWNLOADS if name in run.files or name == RUN_FILE]
    return {f"data/{run.as_of.isoformat()}/{name}": name for name in offered}


def _method(voice: Voice) -> Page:
    run, runs = voice.site.run, voice.site.runs
    return Page(
        path="method.html",
        template="method.html",
        section="method.html",
        heading=voice.w["method"],
        says={
            "definitions": [voice.w[f"definition_{name}"] for name in DEFINITIONS],
            "readings": list(_readings(voice)),
            "parameters": [(k, _told(v)) for k, v in run.account["parameters"].items()],
            "inputs": [(k, v["file"], v["sha256"]) for k, v in run.account["inputs"].items()],
            "rows": [
                (name, *(voice.count(counts[f"rows_{what}"])
                         for what in ("in", "used", "quarantined", "ignored")))
                for name, counts in run.summary["rows"].items()
            ],
            "notes": [tell(note, voice.lang) for note in run.summary["notes"]],
            "versions": list(run.account["versions"].items()),
            "runs": [(voice.day(r.as_of.isoformat()), r.run_id) for r in reversed(runs)],
            "is_history": len(runs) > 1,
            "differences": _differences(*runs[-2:]) if len(runs) > 1 else [],
        },
    )  # fmt: skip


def _readings(voice: Voice) -> Iterator[tuple[str, str, str]]:
    for target in voice.site.run.targets:
        for reading in target["readings"]:
            wanted = reading["threshold"]
            threshold = voice.w["beside"] if wanted is None else f"≥ {voice.percent(wanted)}"
            yield (
                title_of(target, "title", voice.lang),
                title_of(reading, "label", voice.lang),
                threshold,
            )


def _told(value: Any) -> str:
    """Return a parameter as `run.json` has it: texts without their quotes, a dash for none."""
    if isinstance(value, list):
        return "; ".join(map(_told, value))
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _differences(before: Run, after: Run) -> list[tuple[str, str, str]]:
    """Return the parameters and versions that differ, but for what dates and names a run."""
    found = {}
    for part in ("parameters", "versions"):
        old, new = before.account[part], after.account[part]
        for name in dict.fromkeys([*old, *new]):
            if name not in NAMING:
                found[name] = (_told(old.get(name)), _told(new.get(name)))
    return [(name, *pair) for name, pair in found.items() if pair[0] != pair[1]]


def _downloads(voice: Voice) -> Page:
    site, w = voice.site, voice.w
    lists = []
    for run in reversed(site.runs):
        caption = voice.say("downloads_caption", day=voice.day(run.as_of.isoformat()))
        rows = [
            (href, name, w[DOWNLOADS[name]], voice.say("bytes", n=voice.count(size)), sha256)
            for href, name, size, sha256 in _offered(run)
        ]
        lists.append(
            {"heading": voice.say("as_of", day=voice.day(run.as_of.isoformat())),
             "caption": caption, "rows": rows}
        )  # fmt: skip
    return Page(
        path="downloads.html",
        template="downloads.html",
        section="downloads.html",
        heading=w["downloads"],
        says={
            "licence": site.licence,
            "licence_href": _licence_address(site.licence),
            "lists": lists,
            "sources": site.run.summary["sources"],
            "dataset": _dataset(voice),
        },
    )


def _offered(run: Run) -> Iterator[tuple[str, str, int, str]]:
    for href, name in downloads(run).items():
        if name == RUN_FILE:
            contents = (run.folder / RUN_FILE).read_bytes()
            yield href, name, len(contents), hashlib.sha256(contents).hexdigest()
        else:
            yield href, name, run.files[name]["bytes"], run.files[name]["sha256"]


def _licence_address(licence: str | None) -> str | None:
    if licence is not None and licence.startswith("https://"):
        return licence
    return LICENCES.get(licence or "")


def _dataset(voice: Voice) -> Mapping[str, object]:
    """Return the dataset as schema.org describes one (https://schema.org/Dataset)."""
    site, run = voice.site, voice.site.run
    west, south, east, north = (round(float(x), 5) for x in run.communes.total_bounds)
    base = site.base_url or ("" if voice.lang == LANGUAGES[0] else "../")
    labels = {"synthetic": run.is_synthetic, "schematic": run.is_schematic}
    said = [voice.w["f_communes"], *(voice.w[label] for label, holds in labels.items() if holds)]
    told = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": voice.say("title", place=run.place),
        "description": ". ".join([*said, *run.summary["sources"]]),
        "identifier": run.run_id,
        "temporalCoverage": run.as_of.isoformat(),
        "spatialCoverage": {
            "@type": "Place",
            "name": run.place,
            "geo": {"@type": "GeoShape", "box": f"{south} {west} {north} {east}"},
        },
        "distribution": [
            {
                "@type": "DataDownload",
                "name": name,
                "contentUrl": f"{base}{href}",
                "encodingFormat": TYPES[Path(name).suffix].partition(";")[0],
                "contentSize": f"{size} B",
                "sha256": sha256,
            }
            for href, name, size, sha256 in _offered(run)
        ],
    }
    licence = _licence_address(site.licence) or site.licence
    return told | ({"license": licence} if licence else {})

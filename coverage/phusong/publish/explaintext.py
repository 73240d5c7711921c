"""What somebody reads who doubts a figure: formula, cells, rows and files, step by step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from phusong.publish.teller import Teller
from phusong.publish.texts import as_number, share_text
from phusong.words import read_words, title_of

__all__ = ["format_explanation"]

SHOWN = 12  # cells; all of them are in --json


def format_explanation(account: Mapping[str, Any], *, lang: str = "vi") -> str:
    """Return what `explaining.explain` found as text for a terminal.

    Parameters
    ----------
    account : Mapping
    lang : str
    """
    teller = Teller(w=read_words("explain", lang), lang=lang)
    commune, run = account["commune"], account["run"]
    lines = [teller.say("head", name=commune["commune_name"], code=commune["commune_code"],
                        vintage=commune["vintage"], day=teller.day(run["as_of"]))]  # fmt: skip
    lines += [teller.w[name] for name in ("synthetic", "schematic") if run[name]]
    lines += ["", teller.w["step_1"], *_figures(account["figures"], teller)]
    lines += ["", teller.w["step_2"], *_cells(account, teller)]
    lines += ["", teller.w["step_3"], *_rows(account["service_rows"], teller)]
    lines += ["", teller.w["step_4"], *_files(account, teller), "", teller.w["targets"]]
    lines += [
        f"  {title_of(target, 'title', lang)}: {teller.w[target['commune']]}"
        for target in account["targets"]
    ]
    return "\n".join(lines)


def _figures(figures: list[Mapping[str, Any]], teller: Teller) -> list[str]:
    lines, told = [], set()
    for figure in figures:
        share, low, high = (as_number(figure[n]) for n in ("share", "share_low", "share_high"))
        name = teller.word(figure["indicator"])
        service = (
            "" if figure["service"] == "broadband" else f" {teller.service(figure['service'])}"
        )
        what = (
            f"{name}{service}, {teller.word(figure['operator'])}, {teller.word(figure['evidence'])}"
        )
        if figure["unit"] == "persons" and figure["numerator"] is None:
            said = "unknown" if math.isnan(share) else "yes" if share == 1.0 else "no"
            lines.append(f"  {what}: {teller.w[said]}")
            told.add("yes_no")
            continue
        lines.append(f"  {what}: {share_text(share, low, high, teller.lang)}")
        if figure["numerator"] is not None:
            digits = 3 if figure["unit"] == "km2" else 1
            lines.append("    " + teller.say(
                "of_share", top=teller.decimal(figure["numerator"], digits),
                bottom=teller.decimal(figure["denominator"], digits),
                unit=teller.word(figure["unit"]), share=teller.decimal(share, 6),
            ))  # fmt: skip
        told.add(figure["indicator"])
    notes = [f"how_{name}" for name in ("share_area", "share_population", "yes_no") if name in told]
    return [*lines, *(f"  · {teller.w[note]}" for note in (*notes, "low_high"))]


def _cells(account: Mapping[str, Any], teller: Teller) -> list[str]:
    cells, how = account["cells"], account["cells_are"]
    if how not in ("footprints", "signals"):
        return ["  " + teller.say("lost", why=how)]
    if not cells:
        return [f"  {teller.w['no_cells']}"]
    lines = ["  " + teller.say("signals" if how == "signals" else "cells", n=len(cells))]
    lines += [f"  - {_cell(cell, teller)}" for cell in cells[:SHOWN]]
    if len(cells) > SHOWN:
        lines.append("  " + teller.say("more", n=len(cells) - SHOWN))
    return lines


def _cell(cell: Mapping[str, Any], teller: Teller) -> str:
    source = teller.w["own"]
    if cell["radius_m"] is None:
        source = teller.w["polygon"]
    elif cell["is_default_radius"]:
        source = teller.say("default", low=teller.count(cell["radius_low_m"]),
                            high=teller.count(cell["radius_high_m"]))  # fmt: skip
    alone = ""
    if cell["km2_alone"] is not None:
        alone = teller.say("alone", km2=teller.decimal(cell["km2_alone"], 3))
    return teller.say(
        "cell", site=cell["site_id"], sector=cell["sector_id"], operator=cell["operator"],
        technology=cell["technology"], radius=teller.count(as_number(cell["radius_m"])),
        source=source, away=teller.decimal(cell["distance_km"], 2), alone=alone,
        file=cell["source_file"], row=cell["source_row"],
    )  # fmt: skip


def _rows(rows: list[Mapping[str, Any]], teller: Teller) -> list[str]:
    if not rows:
        return [f"  {teller.w['no_rows']}"]
    left_out = ("source_file", "source_row", "commune_code", "vintage")
    return [
        "  - " + teller.say("row", file=row["source_file"], row=row["source_row"], said=", ".join(
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in row.items()
            if value is not None and name not in left_out
        ))
        for row in rows
    ]  # fmt: skip


def _files(account: Mapping[str, Any], teller: Teller) -> list[str]:
    lines = [
        f"  {entry['what']}: {entry['file']}, sha256 {entry['sha256'][:12]}…, "
        f"{teller.w[entry['state']]}"
        for entry in account["inputs"]
    ]
    problems = [
        "  " + teller.say(key, **{n: row[n] for n in ("file", "row", "field", "found", "expected")})
        for key in ("set_aside", "repaired") for row in account[key]
    ]  # fmt: skip
    return lines + (problems or [f"  {teller.w['no_problems']}"])

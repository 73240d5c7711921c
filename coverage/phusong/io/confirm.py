"""Names that no commune answers to: candidates for a person to confirm, never a guess of ours."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from phusong.errors import InputFileError
from phusong.io.atomic import atomic_path
from phusong.io.delimited import read_delimited
from phusong.names import normalise_name, short_name, strip_accents

__all__ = ["find_candidates", "read_names", "write_names"]

HEADINGS = ("name", "commune_name", "candidate_1", "candidate_2", "candidate_3")
CANDIDATES = 3
LIKENESS = 0.6


def find_candidates(names: Iterable[str], communes: pd.DataFrame) -> dict[str, list[str]]:
    """Return, for each name, up to three communes that are written alike, the likest first.

    Examples
    --------
    >>> communes = pd.DataFrame({"commune_name": ["Xã Mường Lát", "Phường Hạc Thành"]})
    >>> find_candidates(["Muong Lat.", "Xã Hạc Thàn"], communes)
    {'Muong Lat.': ['Xã Mường Lát'], 'Xã Hạc Thàn': ['Phường Hạc Thành']}
    """
    known = {_key(name): name for name in communes["commune_name"]}
    return {
        name: [
            known[key] for key in difflib.get_close_matches(_key(name), known, CANDIDATES, LIKENESS)
        ]
        for name in dict.fromkeys(names)
    }


def write_names(candidates: Mapping[str, list[str]], path: Path) -> None:
    """Write a table with an empty column `commune_name` for a person to fill in and hand back."""
    with atomic_path(path) as unfinished, unfinished.open("w", encoding="utf-8-sig") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADINGS)
        for name, found in candidates.items():
            writer.writerow([name, "", *found, *[""] * (CANDIDATES - len(found))])


def read_names(path: Path) -> dict[str, str]:
    """Return the confirmed names: as the table has them, to the commune's own.

    Raises
    ------
    InputFileError
        If the columns `name` and `commune_name` are not there.
    """
    found = read_delimited(path)
    rows = found.lists(range(len(found)))
    if not rows or not {"name", "commune_name"} <= set(rows[0]):
        raise InputFileError(f"{path}: expected the columns name and commune_name")
    at = {heading: rows[0].index(heading) for heading in ("name", "commune_name")}
    whole = [row for row in rows[1:] if len(row) > max(at.values())]
    pairs = ((row[at["name"]], row[at["commune_name"]]) for row in whole)
    return {normalise_name(name): chosen.strip() for name, chosen in pairs if chosen.strip()}


def _key(name: str) -> str:
    return strip_accents(normalise_name(short_name(name)))

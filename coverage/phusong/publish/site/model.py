"""What the pages of a site say, laid out by commune: figures of every run, gaps, neighbours."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from phusong.publish.run_outputs import KEYS, Run
from phusong.publish.site.drawings import class_of, draw_neighbourhoods
from phusong.publish.site.shapes import Outlines, find_neighbours, outline_communes

__all__ = ["UNKNOWN", "Figures", "Site", "build_site", "file_name"]

OVERVIEW_PIXELS = 900

Key = tuple[str, str, str]  # indicator, service, operator
Triple = tuple[float, float, float]
UNKNOWN: Triple = (np.nan, np.nan, np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Shares of communes by indicator, service and operator, and by evidence within.

    `shares` are rows of share, low and high, shape (communes, 3); `denominators` go with them.
    """

    shares: Mapping[Key, Mapping[str, np.ndarray]]
    denominators: Mapping[Key, np.ndarray]

    def at(self, key: Key, i: int) -> Triple:
        """Return share, low and high of a commune, by the first evidence that says something."""
        for rows in self.shares.get(key, {}).values():
            share, low, high = rows[i].tolist()
            if share == share or low == low:
                return share, low, high
        return UNKNOWN

    def evidence(self, key: Key, i: int) -> list[str]:
        """Return the kinds of evidence that say something of a commune."""
        found = self.shares.get(key, {}).items()
        return [kind for kind, rows in found if not np.isnan(rows[i]).all()]

    def is_known(self, key: Key) -> bool:
        """Whether the share is known of any commune."""
        return any(
            bool((~np.isnan(rows[:, 0])).any()) for rows in self.shares.get(key, {}).values()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Runs of one area, laid out by the communes of the last one.

    Attributes
    ----------
    runs : tuple of Run
        By day, the last is shown.
    figures : tuple of Figures
        Of each run, in the order of the communes of the last one.
    rows : list of dict
        The communes of the last run, without their shapes.
    names : list of str
        File names of communes, without suffix.
    positions : Mapping
        Of communes, by code.
    gaps : Mapping
        The row of the gap list by position.
    neighbours : list of list of int
    basis : str
        What shares are of, where one stands for all: people, or area if people are unknown. It is
        so for the whole site, so that its maps and tables say the same.
    classes : list of int
        The class of each commune's share under 5G.
    drawings : list of str
        An SVG for each commune.
    outlines : Outlines
        For a map of all communes.
    licence, base_url : str or None
    """

    runs: tuple[Run, ...]
    figures: tuple[Figures, ...]
    rows: list[dict[str, Any]]
    names: list[str]
    positions: Mapping[str, int]
    gaps: Mapping[int, Mapping[str, Any]]
    neighbours: list[list[int]]
    basis: str
    classes: list[int]
    drawings: list[str]
    outlines: Outlines
    licence: str | None
    base_url: str | None

    @property
    def run(self) -> Run:
        return self.runs[-1]


def build_site(runs: Sequence[Run], *, licence: str | None, base_url: str | None) -> Site:
    """Lay out runs by the communes of the last one.

    Parameters
    ----------
    runs : sequence of Run
        As `read_runs` returns them.
    licence, base_url : str, optional
    """
    communes = runs[-1].communes
    index = pd.MultiIndex.from_frame(communes[KEYS])
    figures = tuple(_lay_out(run.indicators, index) for run in runs)
    gaps = runs[-1].gaps
    at = index.get_indexer(pd.MultiIndex.from_frame(gaps[KEYS]))
    people = ("share_population", "5g", "any")
    basis = "share_population" if figures[-1].is_known(people) else "share_area"
    classes = [class_of(figures[-1].at((basis, "5g", "any"), i)[0]) for i in range(len(index))]
    neighbours = find_neighbours(communes)
    west, south, east, north = communes.total_bounds
    pixel_deg = max(east - west, north - south) / OVERVIEW_PIXELS
    far = outline_communes(
        communes, tolerance_deg=pixel_deg, units_per_deg=max(round(1 / pixel_deg), 1)
    )
    return Site(
        runs=tuple(runs),
        figures=figures,
        rows=pd.DataFrame(communes.drop(columns="geometry")).to_dict("records"),
        names=[file_name(*key) for key in index],
        positions={code: i for i, code in enumerate(communes["commune_code"])},
        gaps={int(i): row for i, row in zip(at, gaps.to_dict("records"), strict=True) if i >= 0},
        neighbours=neighbours,
        basis=basis,
        classes=classes,
        drawings=draw_neighbourhoods(communes, neighbours, classes),
        outlines=far,
        licence=licence,
        base_url=base_url,
    )


def file_name(code: str, vintage: str) -> str:
    """Return the file name of a commune, safe on every system whatever the code is.

    Examples
    --------
    >>> file_name("14758", "2025"), file_name("../A", "2025")
    ('14758-2025', 'x-...')
    """
    if re.fullmatch(r"[a-z0-9]{1,30} [a-z0-9]{1,30}", f"{code} {vintage}"):
        return f"{code}-{vintage}"
    return "x-" + hashlib.sha256(f"{code}\n{vintage}".encode()).hexdigest()[:16]


def _lay_out(indicators: pd.DataFrame, index: pd.MultiIndex) -> Figures:
    """Return the rows of communes that are in `index`, in its order."""
    at = index.get_indexer(pd.MultiIndex.from_frame(indicators[KEYS]))
    rows = indicators[at >= 0].assign(at=at[at >= 0])
    shares: dict[Key, dict[str, np.ndarray]] = {}
    denominators: dict[Key, np.ndarray] = {}
    by = ["indicator", "service", "operator", "evidence"]
    for (indicator, service, operator, evidence), part in rows.groupby(by, sort=False):
        key, place = (indicator, service, operator), part["at"].to_numpy()
        table = np.full((len(index), 3), np.nan)
        table[place] = part[["share", "share_low", "share_high"]].to_numpy(float)
        shares.setdefault(key, {})[evidence] = table
        denominators.setdefault(key, np.full(len(index), np.nan))[place] = part["denominator"]
    return Figures(shares=shares, denominators=denominators)

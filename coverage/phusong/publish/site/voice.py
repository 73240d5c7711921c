"""A site in one language: the words and numbers that several pages say alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from phusong.publish.palette import BREAKS, CLASSES
from phusong.publish.site.drawings import chart_lines
from phusong.publish.site.model import Key, Site, Triple
from phusong.publish.teller import Teller
from phusong.publish.texts import share_text

__all__ = ["Page", "Voice"]

# A line may break behind a dash, also before a space that does not break: the joiner forbids it.
NO_BREAK, JOINER = "\u00a0", "\u2060"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of one language: where it is below that language's folder, and what it says."""

    path: str
    template: str
    section: str  # the page of the navigation that it belongs to
    heading: str
    says: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice(Teller):
    """A site and the language that it is told in."""

    site: Site

    def number(self, value: float, digits: int, unit: str) -> str:
        text = self.decimal(value, digits)
        return text if pd.isna(value) else f"{text} {unit}"

    def share(self, triple: Triple) -> str:
        """Return a share with its bounds, which may break between the two and nowhere else."""
        if triple[0] != triple[0]:
            return self.w["unknown"]
        parts = re.split(r" (?=[\[(])", share_text(*triple, self.lang))
        return " ".join(part.replace(" ", NO_BREAK).replace("–", f"–{JOINER}") for part in parts)

    @property
    def covered_by_5g(self) -> str:
        return self.say("covered_by", of=self.w[f"of_{self.site.basis}"], service="5G")

    @property
    def classes(self) -> list[tuple[int, str]]:
        """Number and text of each class of the maps, and of what is not known, which is last."""
        limits = [f"{100 * limit:.0f}" for limit in BREAKS]
        texts = [
            self.say("less_than", high=limits[0]),
            *(self.say("between", low=a, high=b) for a, b in pairwise(limits)),
            self.say("at_least", low=limits[-1]),
        ]
        return [*enumerate(texts), (len(CLASSES), self.w["no_data"])]

    def commune_history(self, i: int) -> Mapping[str, object] | None:
        """Return the shares of a commune over the runs; None where there is one run."""
        basis = self.site.basis
        keys = [(basis, "5g", "any"), (basis, "4g", "any"), ("broadband_b0", "broadband", "any")]
        known = [key for key in keys if any(key in run.shares for run in self.site.figures)]
        rows = [[run.at(key, i) for key in known] for run in self.site.figures]
        heads = [self.w["broadband_b0"] if "broadband" in key else self.service(key[1])
                 for key in known]  # fmt: skip
        return self.history(
            self.covered_by_5g, heads,
            [[self.figure(key, triple) for key, triple in zip(known, row, strict=True)]
             for row in rows],
            [row[0] for row in rows],
        )  # fmt: skip

    def figure(self, key: Key, triple: Triple) -> str:
        """Return a figure of a commune as text: an answer for a tier, else a share."""
        if not key[0].startswith("broadband_"):
            return self.share(triple)
        return self.w["unknown" if triple[0] != triple[0] else "yes" if triple[0] else "no"]

    def history(
        self, what: str, heads: list[str], cells: list[list[str]], drawn: list[Triple]
    ) -> Mapping[str, object] | None:
        """Return a table over the runs and the lines of its first column's chart."""
        runs = self.site.runs
        if len(runs) < 2:
            return None
        days = [run.as_of for run in runs]
        shares, lows, highs = zip(*drawn, strict=True)
        return {
            "what": what,
            "heads": heads,
            "rows": [(self.day(d.isoformat()), row) for d, row in zip(days, cells, strict=True)],
            "chart": chart_lines(days, shares, lows, highs),
        }

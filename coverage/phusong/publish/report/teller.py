"""Words and numbers of a report in one language."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from phusong.publish.teller import Teller
from phusong.publish.texts import as_number, share_text

__all__ = ["ReportTeller"]

NO_BREAK = "\u00a0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTeller(Teller):
    """A language, and how a report writes shares and what changed.

    Examples
    --------
    >>> ReportTeller(w={"unknown": "chưa biết"}, lang="vi").points(0.0123)
    '+1,2'
    """

    def __call__(self, name: str, **values: object) -> str:
        return self.say(name, **values)

    def share(self, share: Any, low: Any, high: Any) -> str:
        """Return a share with its bounds; unknown where it is not known."""
        if math.isnan(as_number(share)):
            return self.w["unknown"]
        told = share_text(as_number(share), as_number(low), as_number(high), self.lang)
        return told.replace(" %", f"{NO_BREAK}%")

    def points(self, change: float) -> str:
        """Return a change of a share in percentage points; a dash where it is not known."""
        if math.isnan(change):
            return "–"
        rounded = round(100 * change, 1)
        return ("+" if rounded > 0 else "") + self.decimal(rounded + 0.0, 1)

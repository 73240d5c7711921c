"""Words and numbers of a report in one language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from phusong.publish.texts import as_number, count_text, date_text, decimal_text, share_text

__all__ = ["Teller"]

NO_BREAK = "\u00a0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """The words of a language by name, and how it writes numbers.

    Examples
    --------
    >>> say = Teller(words={"unknown": "chưa biết", "short": "thiếu {n} xã"}, lang="vi")
    >>> say("short", n=say.count(1234)), say.points(0.0123), say.percent(0.99)
    ('thiếu 1.234 xã', '+1,2', '99 %')
    """

    words: Mapping[str, str]
    lang: str

    def __call__(self, name: str, **values: object) -> str:
        return self.words[name].format(**values)

    def word(self, code: str) -> str:
        """Return the word for a code of the tables; one that we do not know stands as it is."""
        return self.words.get(code, code)

    def missing(self, codes: str) -> str:
        return ", ".join(self.word(f"m_{code}") for code in codes.split(";"))

    def service(self, code: str) -> str:
        return self.words["mbb"] if code == "mbb" else code.upper()

    def day(self, day: date | str) -> str:
        return date_text(str(day), self.lang)

    def count(self, number: float) -> str:
        return count_text(float(number), self.lang, self.words)

    def decimal(self, number: float, digits: int) -> str:
        return decimal_text(as_number(number), digits, self.lang, self.words)

    def share(self, share: Any, low: Any, high: Any) -> str:
        """Return a share with its bounds; unknown where it is not known."""
        if math.isnan(as_number(share)):
            return self.words["unknown"]
        told = share_text(as_number(share), as_number(low), as_number(high), self.lang)
        return told.replace(" %", f"{NO_BREAK}%")

    def percent(self, share: float) -> str:
        """Return a threshold, which has no more decimals than it needs."""
        digits = 0 if round(100 * share, 6).is_integer() else 1
        return self.decimal(100 * share, digits) + " %"

    def points(self, change: float) -> str:
        """Return a change of a share in percentage points; a dash where it is not known."""
        if math.isnan(change):
            return "–"
        rounded = round(100 * change, 1)
        return ("+" if rounded > 0 else "") + self.decimal(rounded + 0.0, 1)

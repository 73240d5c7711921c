"""The words of one language, and how it writes days and numbers: what pages and reports share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from phusong.publish.texts import as_number, count_text, decimal_text
from phusong.words import write_day

__all__ = ["Teller"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """A language and its words by name.

    Examples
    --------
    >>> teller = Teller(w={"unknown": "chưa biết", "short": "thiếu {n} xã"}, lang="vi")
    >>> teller.say("short", n=teller.count(1234)), teller.percent(0.99), teller.service("5g_nsa")
    ('thiếu 1.234 xã', '99 %', '5G NSA')
    """

    w: Mapping[str, str]
    lang: str

    def say(self, word: str, **values: object) -> str:
        return self.w[word].format(**values)

    def word(self, code: str) -> str:
        """Return the word for a code of the tables; one that we do not know stands as it is."""
        return self.w.get(code, code)

    def day(self, day: date | str) -> str:
        return write_day(day, self.lang)

    def count(self, number: float) -> str:
        return count_text(float(number), self.lang, self.w)

    def decimal(self, number: float, digits: int) -> str:
        return decimal_text(as_number(number), digits, self.lang, self.w)

    def percent(self, share: float) -> str:
        """Return a threshold, which has no more decimals than it needs."""
        digits = 0 if round(100 * share, 6).is_integer() else 1
        return self.decimal(100 * share, digits) + " %"

    def service(self, service: str) -> str:
        return self.w["mbb"] if service == "mbb" else service.upper().replace("_", " ")

    def missing(self, codes: str) -> str:
        return ", ".join(self.word(f"m_{code}") for code in codes.split(";"))

"""What the summary says of targets: nothing is counted where nothing was read."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date

import pytest
from conftest import even_population, masts, square_communes

from phusong.publish.assessment import About, Assessment
from phusong.publish.summary import format_percent, format_summary
from phusong.study import assess


def answer(**inputs: object) -> Assessment:
    sites = masts([{"x": 501_000.0, "y": 2_201_000.0, "radius_m": 900.0}])
    sites = sites.assign(operator="Viettel", technology="5G", status="on_air")
    about = About(place="Tỉnh Thử", as_of=date(2026, 6, 30))
    return assess(square_communes(2), sites=sites, as_of=about.as_of, about=about, **inputs)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lang", "said", "never"),
    [
        ("vi", "không có số liệu để đếm xã và người còn thiếu", "còn thiếu 0 xã"),
        ("en", "nothing to count communes and people short from", "0 communes and"),
    ],
)
def test_target_without_figures_counts_nothing(lang: str, said: str, never: str) -> None:
    text = format_summary(answer(), rows={}, lang=lang)  # no service table: no tier, no price
    assert text.count(said) >= 2
    assert never not in text


def test_target_with_figures_counts_who_is_short() -> None:
    text = format_summary(answer(population=even_population()), rows={}, lang="en")
    (n_communes, people), *_ = re.findall(r"→ (\d+) communes and ([\d,]+) people short", text)
    assert n_communes == "2"
    # a circle of 900 m inside the first commune, of 1,000 people on 4 km²; 2,000 in the other
    without = 1000 * (1 - math.pi * 0.9**2 / 4) + 2000
    assert int(people.replace(",", "")) == pytest.approx(without, abs=2)


def test_target_that_nobody_is_short_of_says_so() -> None:
    found = answer(population=even_population())
    none = replace(found.targets[1], short_codes=(), people_short=0.0, undetermined_codes=())
    drawn_up = replace(found.conclude(), targets=(none,))
    text = format_summary(replace(found, conclude=lambda: drawn_up), rows={}, lang="en")
    assert "→ no commune is surely short" in text


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, "0,0 %"), (0.0001, "0,1 %"), (0.9999, "99,9 %"), (1.0, "100,0 %")]
)
def test_only_the_whole_reads_100_and_only_nothing_reads_0(share: float, said: str) -> None:
    assert format_percent(share, "vi") == said

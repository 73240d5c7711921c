"""Targets: met, missed, undetermined or on the way; every case by hand."""

from __future__ import annotations

import math
from datetime import date

import pandas as pd
import pytest

from phusong.io.embedded import embedded_path
from phusong.io.registers import read_register
from phusong.rollup import roll_up
from phusong.targets import Reading, Target, TargetResult, evaluate_targets

DUE = date(2025, 12, 31)
BEFORE, AFTER = date(2025, 6, 30), date(2026, 6, 30)


def reading(share_of: str = "communes", threshold: float | None = 1.0, **more: object) -> Reading:
    fields = {"indicator": "broadband_b0", "service": "broadband"} | more
    return Reading(label_vi="", label_en="", share_of=share_of, threshold=threshold, **fields)  # type: ignore[arg-type]


def target(*readings: Reading, commune_floor: float = 1.0) -> Target:
    return Target(
        target_id="t", title_vi="", title_en="", words_vi="", words_en="", due=DUE,
        document="", clause="", commune_floor=commune_floor, readings=readings,
    )  # fmt: skip


def rows(
    *bounds: tuple[float, float, float],
    people: tuple[float, ...] = (1000, 2000, 3000),
    indicator: str = "broadband_b0",
    service: str = "broadband",
) -> pd.DataFrame:
    """Tidy rows of communes 1, 2, 3… from (share, low, high)."""
    return pd.DataFrame(
        [
            {"commune_code": str(i + 1), "vintage": "2025", "indicator": indicator,
             "service": service, "operator": "any", "share": share, "share_low": low,
             "share_high": high, "denominator": n}
            for i, ((share, low, high), n) in enumerate(zip(bounds, people, strict=False))
        ]
    )  # fmt: skip


def evaluate(what: Target, tidy: pd.DataFrame, as_of: date) -> TargetResult:
    communes = tidy[["commune_code", "vintage"]].drop_duplicates().assign(province_code="38")
    (result,) = evaluate_targets([what], tidy, roll_up(tidy, communes), as_of=as_of)
    return result


YES, NO, UNKNOWN = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (math.nan, 0.0, 1.0)


@pytest.mark.parametrize(
    ("tiers", "as_of", "status", "figure"),
    [
        ((YES, YES, YES), AFTER, "met", (1, 1, 1)),
        ((YES, YES, YES), BEFORE, "met", (1, 1, 1)),
        ((YES, NO, YES), AFTER, "missed", (2 / 3, 2 / 3, 2 / 3)),
        ((YES, NO, UNKNOWN), AFTER, "missed", (1 / 3, 1 / 3, 2 / 3)),
        ((YES, UNKNOWN, YES), AFTER, "undetermined", (2 / 3, 2 / 3, 1)),
        ((YES, NO, YES), BEFORE, "on_the_way", (2 / 3, 2 / 3, 2 / 3)),
        ((YES, UNKNOWN, YES), BEFORE, "on_the_way", (2 / 3, 2 / 3, 1)),
        ((YES, NO, YES), DUE, "on_the_way", (2 / 3, 2 / 3, 2 / 3)),
    ],
)
def test_share_of_communes_with_a_tier(
    tiers: tuple[tuple[float, float, float], ...],
    as_of: date,
    status: str,
    figure: tuple[float, float, float],
) -> None:
    result = evaluate(target(reading()), rows(*tiers), as_of)
    assert result.status == status
    (found,) = result.figures
    assert (found.share, found.share_low, found.share_high) == pytest.approx(figure)


def test_short_and_undetermined_communes_are_listed_with_their_people() -> None:
    result = evaluate(target(reading()), rows(YES, NO, UNKNOWN), AFTER)
    assert (result.short_codes, result.undetermined_codes) == (("2",), ("3",))
    assert (result.people_short, result.people_undetermined) == (2000, 3000)
    assert result.n_communes == 3


def test_people_who_surely_have_no_cover_are_short_even_where_the_share_is_unknown() -> None:
    tidy = rows((math.nan, 0.0, 0.0), (math.nan, 0.0, 1.0), indicator="share_population",
                service="5g")  # fmt: skip
    people = reading("people", 0.99, indicator="share_population", service="5g")
    result = evaluate(target(people, commune_floor=0.9), tidy, AFTER)
    assert (result.short_codes, result.undetermined_codes) == (("1",), ("2",))
    assert (result.people_short, result.people_undetermined) == (1000, 2000)


def test_people_short_is_not_zero_where_nobody_knows_how_many_live_there() -> None:
    tidy = rows(NO, YES, people=(math.nan, math.nan))
    result = evaluate(target(reading()), tidy, AFTER)
    assert result.short_codes == ("1",)
    assert math.isnan(result.people_short)
    assert evaluate(target(reading()), rows(NO, YES, people=(math.nan, 5)), AFTER).people_short == 0


def mobile(*bounds: tuple[float, float, float]) -> pd.DataFrame:
    return rows(*bounds, indicator="share_population", service="5g")


P5 = reading("people", 0.9, indicator="share_population", service="5g")
C5 = reading("communes", 1.0, indicator="share_population", service="5g", commune_share=0.9)


def test_bounds_of_shares_decide_and_the_share_itself_where_there_are_none() -> None:
    # people: (1000·1 + 2000·0.95 + 3000·0.7) / 6000 = 0.833; high 1000 + 1900 + 2700 = 0.933
    straddling = mobile((1.0, 1.0, 1.0), (0.95, 0.95, 0.95), (0.7, 0.5, 0.9))
    result = evaluate(target(P5, commune_floor=0.9), straddling, AFTER)
    assert result.figures[0].share == pytest.approx(5000 / 6000)
    assert result.figures[0].share_high == pytest.approx(5600 / 6000)
    assert (result.status, result.undetermined_codes) == ("undetermined", ("3",))
    none = (math.nan, math.nan)
    declared = mobile((1.0, *none), (0.95, *none), (0.7, *none))
    result = evaluate(target(P5, commune_floor=0.9), declared, AFTER)
    assert (result.status, result.short_codes) == ("missed", ("3",))
    assert math.isnan(result.figures[0].share_low)


def test_every_reading_with_a_threshold_must_hold() -> None:
    tidy = mobile((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.85, 0.85, 0.85))
    assert evaluate(target(P5), tidy, AFTER).status == "met"  # 0.925 of the people
    assert evaluate(target(P5, C5), tidy, AFTER).status == "missed"  # two of three communes
    beside = reading("area", None, indicator="share_area", service="5g")
    assert evaluate(target(P5, beside), tidy, AFTER).status == "met"


def test_share_that_is_exactly_the_threshold_holds() -> None:
    tidy = mobile(*[(0.9, 0.9, 0.9)] * 3)
    result = evaluate(target(P5, C5, commune_floor=0.9), tidy, AFTER)
    assert (result.status, result.short_codes) == ("met", ())


def test_without_evidence_or_threshold_nothing_is_met_or_missed() -> None:
    nothing = evaluate(target(reading()), mobile(YES), AFTER)
    assert (nothing.status, nothing.n_communes) == ("undetermined", 0)
    assert math.isnan(nothing.people_short)  # not "0 people are without"
    assert evaluate(target(reading()), mobile(YES), BEFORE).status == "on_the_way"
    assert evaluate(target(reading(threshold=None)), rows(YES), AFTER).status == "undetermined"
    assert evaluate(target(reading(threshold=None)), rows(YES), BEFORE).status == "on_the_way"


def test_embedded_register_holds_the_three_targets_of_the_plan() -> None:
    targets = {t.target_id: t for t in read_register(embedded_path("targets")).targets}
    assert {name: t.due for name, t in targets.items()} == {
        "broadband-2025": date(2025, 12, 31),
        "5g-2030": date(2030, 12, 31),
        "low-cost-2030": date(2030, 12, 31),
    }
    deciding = [r for r in targets["5g-2030"].readings if r.threshold is not None]
    assert [(r.share_of, r.threshold, r.commune_share) for r in deciding] == [
        ("people", 0.99, None), ("communes", 1.0, 0.9),
    ]  # fmt: skip
    assert all(any(r.threshold is not None for r in t.readings) for t in targets.values())

"""Three kinds of evidence side by side, what contradicts, what an audit moves; cases by hand."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from conftest import masts, square_communes
from hypothesis import given
from hypothesis import strategies as st

from phusong.evidence import (
    NOT_STATED,
    QualityItem,
    apply_audit,
    audit_claims,
    find_contradictions,
    judge_quality,
    measure_signal,
    stand_side_by_side,
)
from phusong.samples import judge_signal, place_samples, service_of
from phusong.sampling import SamplingRule, wilson

RULE = SamplingRule(confidence=0.9, least_samples=10, least_clusters=5, resamples=200, seed=126)
DAY = pd.Timestamp("2026-06-30")
NAN = math.nan


def tidy(*rows: tuple[str, str, str, float, float, float]) -> pd.DataFrame:
    """Rows of 5G people in commune, by operator and evidence: share, low, high; 1000 people."""
    names = ["commune_code", "operator", "evidence", "share", "share_low", "share_high"]
    return pd.DataFrame(rows, columns=names).assign(
        vintage="2025", indicator="share_population", service="5g", denominator=1000.0,
        as_of=DAY, unit="persons",
    )  # fmt: skip


def drive(
    hits: list[float], *, commune: str | None = "1", operator: str = "A", claimed: bool = True
) -> pd.DataFrame:
    """Signal samples, each on a kilometre of its own."""
    return pd.DataFrame(
        {"commune_code": pd.Series([commune] * len(hits), dtype="str"), "service": "5g",
         "operator": operator, "is_hit": hits, "is_claimed": claimed, "weight": 1.0,
         "cluster": [f"k{i}" for i in range(len(hits))], "day": DAY}
    )  # fmt: skip


def challenge(*outcomes: str, commune: str = "1") -> pd.DataFrame:
    return pd.DataFrame(
        {"commune_code": commune, "service": "5g", "operator": "A", "outcome": outcomes, "day": DAY}
    )


def test_signal_is_held_against_the_floor_of_its_technology() -> None:
    samples = pd.DataFrame(
        {"technology": ["4G", "4G", "5G", "5G", "2G"], "rsrp_dbm": [-105, -105.1, NAN, -90, -60]}
    )
    found = judge_signal(samples, {"4G": -105.0, "5G": -110.0})["is_hit"]
    np.testing.assert_array_equal(found, [1.0, 0.0, NAN, 1.0, NAN])


def test_measured_share_says_how_many_and_when() -> None:
    rows = pd.concat([drive([1.0] * 9 + [0.0] * 3), drive([1.0] * 30, commune=None)])
    rows.loc[rows.index[0], "day"] = pd.Timestamp("2026-05-01")
    found = measure_signal(rows, rule=RULE).iloc[0]
    assert found["share"] == 0.75
    assert (found["n_samples"], found["n_clusters"]) == (12, 12)
    assert (found["first_day"], found["last_day"]) == (pd.Timestamp("2026-05-01"), DAY)
    few = measure_signal(drive([1.0] * 9), rule=RULE).iloc[0]
    assert few[["share_low", "share_high"]].tolist() == [0.0, 1.0]
    assert math.isnan(few["share"])


def test_evidence_stands_side_by_side_and_is_never_merged() -> None:
    indicators = tidy(
        ("1", "A", "declared", 0.9, NAN, NAN),
        ("1", "A", "modelled", 0.6, 0.5, 0.7),
        ("1", "B", "declared", 0.4, NAN, NAN),
    )
    measured = measure_signal(
        pd.concat([drive([1.0] * 12), drive([0.0] * 12, operator="C")]), rule=RULE
    )
    table = stand_side_by_side(indicators, measured).set_index("operator")
    assert table.index.tolist() == ["A", "B", "C"]
    assert table.loc["A", ["declared", "declared_low", "declared_high"]].tolist() == [0.9] * 3
    assert table.loc["A", ["modelled", "modelled_low", "modelled_high"]].tolist() == [0.6, 0.5, 0.7]
    assert table.loc["A", "measured"] == 1.0
    assert table.loc["B", ["modelled", "measured"]].isna().all()
    assert table["n_samples"].tolist() == [12, 0, 12]
    assert table.loc["C", "declared":"modelled_high"].isna().all()
    assert (table["people"] == 1000).all()


def test_contradictions_are_intervals_that_do_not_meet() -> None:
    """A: 0.9 declared, 0.5 to 0.7 modelled: 200 of 1000 people. B: they touch. C: unknown."""
    table = stand_side_by_side(
        tidy(
            ("1", "A", "declared", 0.9, NAN, NAN),
            ("1", "A", "modelled", 0.6, 0.5, 0.7),
            ("1", "B", "declared", 0.7, NAN, NAN),
            ("1", "B", "modelled", 0.6, 0.5, 0.7),
            ("1", "C", "declared", 0.1, NAN, NAN),
            ("1", "C", "modelled", NAN, 0.0, 1.0),
        ),
        measure_signal(drive([1.0] * 5, operator="B"), rule=RULE),
    )
    found = find_contradictions(table)
    assert found[["operator", "higher", "lower"]].to_numpy().tolist() == [
        ["A", "declared", "modelled"]
    ]
    assert found["people_disputed"].tolist() == pytest.approx([200.0])
    assert found["people"].tolist() == [1000.0]


def test_nothing_contradicts_is_an_empty_list() -> None:
    table = stand_side_by_side(
        tidy(("1", "A", "declared", 0.9, NAN, NAN)), measure_signal(drive([]), rule=RULE)
    )
    assert len(table) == 1
    assert find_contradictions(table).empty


def test_audit_counts_clusters_inside_the_claim() -> None:
    """Six kilometres, one of them with two samples that differ: 4.5 of 6 hold."""
    rows = pd.concat(
        [drive([1.0, 1.0, 1.0, 1.0, 0.0, 1.0]), drive([NAN, 0.0]).assign(is_claimed=[True, False])]
    )
    extra = drive([0.0]).assign(cluster="k5")
    found = audit_claims(pd.concat([rows, extra]), rule=RULE).iloc[0]
    assert found["hit_rate"] == 0.75
    assert found["n_trials"] == 6
    low, high = wilson(4.5, 6, confidence=0.9)
    assert (found["hit_rate_low"], found["hit_rate_high"]) == (low, high)
    assert found["is_applied"]


def test_challenges_are_trials_and_open_ones_count_both_ways() -> None:
    found = audit_claims(drive([1.0] * 6), challenge("upheld", "rejected", "open"), rule=RULE).iloc[
        0
    ]
    assert found["hit_rate"] == 7 / 8
    assert found[["n_trials", "n_upheld", "n_rejected", "n_open"]].tolist() == [9, 1, 1, 1]
    assert found["hit_rate_low"] == wilson(7, 9, confidence=0.9)[0]
    assert found["hit_rate_high"] == wilson(8, 9, confidence=0.9)[1]


@pytest.mark.parametrize(
    ("outcomes", "is_applied"), [(("rejected",), False), (("open",), True), (("upheld",), True)]
)
def test_one_sample_moves_no_bound_but_one_challenge_does(
    outcomes: tuple[str, ...], is_applied: bool
) -> None:
    alone = audit_claims(drive([1.0]), rule=RULE).iloc[0]
    assert not alone["is_applied"]
    found = audit_claims(drive([]), challenge(*outcomes), rule=RULE).iloc[0]
    assert found["is_applied"] == is_applied


def test_audit_lowers_the_bound_of_the_operator_and_of_all_by_no_more() -> None:
    """A 0.8 × 0.75 = 0.6, 0.2 lost: any operator 0.9 - 0.2, two or more 0.2 - 0.2."""
    indicators = tidy(
        ("1", "any", "declared", 0.9, NAN, NAN),
        ("1", "two_or_more", "declared", 0.2, NAN, NAN),
        ("1", "A", "declared", 0.8, NAN, NAN),
        ("1", "B", "declared", 0.3, NAN, NAN),
        ("2", "A", "declared", 0.8, NAN, NAN),
        ("1", "A", "modelled", 0.7, 0.6, 0.9),
    )
    audit = pd.DataFrame(
        {"commune_code": ["1", "2"], "service": "5g", "operator": "A",
         "hit_rate_low": [0.75, 0.5], "is_applied": [True, False]}
    )  # fmt: skip
    moved = apply_audit(indicators, audit)
    np.testing.assert_allclose(moved["share_low"], [0.7, 0, 0.6, NAN, NAN, 0.6], atol=1e-12)
    np.testing.assert_allclose(moved["share_high"], [0.9, 0.2, 0.8, NAN, NAN, 0.9])
    assert moved["share"].equals(indicators["share"])


def test_a_row_of_all_operators_drawn_from_both_loses_as_much() -> None:
    indicators = tidy(
        ("1", "any", "modelled", 0.9, 0.85, 0.95),
        ("1", "A", "declared", 0.8, NAN, NAN),
        ("1", "B", "modelled", 0.75, 0.7, 0.8),
    )
    audit = audit_claims(drive([1.0, 0.0] * 5), rule=RULE)
    moved = apply_audit(indicators, audit)
    rate = wilson(5, 10, confidence=0.9)[0]
    np.testing.assert_allclose(moved["share_low"], [0.7, 0.8 * rate, 0.7])


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans(), st.booleans()),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_audit_only_lowers_and_never_below_what_an_operator_keeps(
    operators: list[tuple[float, float, bool, bool]],
) -> None:
    names = [f"O{i}" for i in range(len(operators))]
    rows = [
        ("1", name, "declared" if is_declared else "modelled", share, share, share)
        for name, (share, _, _, is_declared) in zip(names, operators, strict=True)
    ]
    most, total = max(r[3] for r in rows), min(sum(r[3] for r in rows), 1.0)
    union = (most + total) / 2
    indicators = tidy(("1", "any", "declared", union, NAN, NAN), *rows)
    audit = pd.DataFrame(
        {"commune_code": "1", "service": "5g", "operator": names,
         "hit_rate_low": [o[1] for o in operators], "is_applied": [o[2] for o in operators]}
    )  # fmt: skip
    moved = apply_audit(indicators, audit)
    before = indicators["share_low"].fillna(indicators["share"])
    after = moved["share_low"].fillna(moved["share"])
    assert (after <= before + 1e-12).all()
    assert (after <= moved["share_high"].fillna(moved["share"]) + 1e-12).all()
    assert (after >= 0).all()
    is_declared = indicators["evidence"].iloc[1:] == "declared"
    assert after.iloc[0] >= after.iloc[1:][is_declared].max() - 1e-9 or not is_declared.any()
    is_still = (indicators["evidence"] == "modelled").to_numpy()
    assert moved[is_still].equals(indicators[is_still])
    assert moved["share"].equals(indicators["share"])


ITEMS = (
    QualityItem(item="mean", label_vi="", label_en="", column="downlink_mbps", statistic="mean",
                threshold=100.0, unit="Mbit/s", document=""),
    QualityItem(item="share", label_vi="", label_en="", column="downlink_mbps",
                statistic="share_at_least", threshold=0.95, unit="share", document="", floor=30.0),
)  # fmt: skip


def speed_tests(speeds: list[float], **more: object) -> pd.DataFrame:
    return drive(speeds).assign(downlink_mbps=speeds, **more)


@pytest.mark.parametrize(
    ("speeds", "mean", "share"),
    [([150.0] * 60, "pass", "pass"), ([20.0] * 60, "fail", "fail"),
     ([150.0] * 12, "pass", "undetermined"), ([150.0] * 4, "unknown", "unknown"),
     ([25.0] * 30 + [175.0] * 30, "undetermined", "fail")],
)  # fmt: skip
def test_items_of_the_standard_are_judged_by_their_intervals(
    speeds: list[float], mean: str, share: str
) -> None:
    found = judge_quality(speed_tests(speeds), ITEMS, rule=RULE).set_index("item")
    assert found["verdict"].to_dict() == {"mean": mean, "share": share}
    known = found[found["verdict"] != "unknown"]
    assert known.loc[known.index == "mean", "value"].tolist() in ([np.mean(speeds)], [])


def test_averages_of_tests_give_a_mean_but_no_share() -> None:
    """Ookla's tiles: the average of 5 tests says nothing of how many are above 30 Mbit/s."""
    rows = speed_tests([150.0] * 12, weight=5.0, operator=None)
    found = judge_quality(rows, ITEMS, rule=RULE)
    assert found[["operator", "item", "value", "n_samples"]].to_numpy().tolist() == [
        [NOT_STATED, "mean", 150.0, 60]
    ]


def test_samples_know_their_commune_cluster_and_claim() -> None:
    """A's 5G mast of 500 m; samples of A at 400 and 600 m, of B at 400 m, and one at sea."""
    mast = masts(
        [{"x": 501_000.0, "y": 2_201_100.0, "technology": "5G NSA", "operator": "A",
          "radius_m": 500.0}]
    )  # fmt: skip
    east = [501_400, 501_600, 501_400, 490_000, 502_100]
    measured = gpd.GeoDataFrame(
        {"sample_id": list("abcde"), "operator": ["a", "A", "B", "A", None],
         "technology": ["5G", "5G", "5G", "5G", "FTTH"], "rsrp_dbm": [-90.0, -120, -90, -90, NAN],
         "quadkey": [None, None, None, None, "132"], "n_tests": [NAN, NAN, NAN, NAN, 7.0],
         "downlink_mbps": [NAN, NAN, NAN, NAN, 50.0]},
        geometry=[shapely.Point(x, 2_201_100) for x in east], crs="EPSG:5897",
    )  # fmt: skip
    found = place_samples(
        measured.to_crs(4326), mast, square_communes(),
        services={"5g": ["5G", "5G NSA"]}, floors_dbm={"5G": -110.0},
    )  # fmt: skip
    assert found["is_claimed"].tolist() == [True, False, False, False, False]
    np.testing.assert_array_equal(found["is_hit"], [1, 0, 1, 1, NAN])
    assert found["commune_code"].fillna("").tolist() == ["00001", "00001", "00001", "", "00002"]
    assert found["cluster"].tolist() == ["501/2201", "501/2201", "501/2201", "490/2201", "132"]
    assert found["weight"].tolist() == [1, 1, 1, 1, 7]
    assert found["operator"].fillna("").tolist() == ["A", "A", "B", "A", ""]
    assert found["service"].tolist() == ["5g", "5g", "5g", "5g", "broadband"]


def test_a_technology_that_nobody_states_is_no_service() -> None:
    assert service_of(pd.Series(["4G", None]), {"4g": ["4G"]}).isna().tolist() == [False, True]

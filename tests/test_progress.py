"""Progress: verdicts against a straight path, what is needed, and old dates on today's communes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from phusong.errors import CrosswalkError
from phusong.progress import (
    carry_indicators,
    figure_targets,
    follow_targets,
    link_by_place,
    look_ahead,
)
from phusong.targets import Reading, Target

NAN = float("nan")


def target(*, threshold: float | None = 1.0, due: date = date(2030, 1, 1)) -> Target:
    reading = Reading(
        label_vi="P5", label_en="P5", indicator="share_population", service="5g",
        share_of="people", threshold=threshold,
    )  # fmt: skip
    return Target(
        target_id="5g", title_vi="5G", title_en="5G", words_vi="", words_en="", due=due,
        document="", clause="", commune_floor=0.9, readings=(reading,),
    )  # fmt: skip


def figures(*rows: tuple[str, float, float, float], code: str = "") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["as_of", "share", "share_low", "share_high"])
    keys = {"target_id": "5g", "reading": 0, "commune_code": code}
    return frame.assign(as_of=pd.to_datetime(frame["as_of"]), **keys)


def tidy(rows: list[tuple[str, float, float]], vintage: str, **columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["commune_code", "share", "denominator"])
    given_columns = {
        "vintage": vintage, "indicator": "share_population", "service": "5g", "operator": "any",
        "evidence": "declared", "as_of": pd.Timestamp("2025-06-30"), "share_low": NAN,
        "share_high": NAN, "unit": "persons",
    }  # fmt: skip
    return frame.assign(**(given_columns | columns))


def links(*rows: tuple[str, str, str], old: str, new: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["commune_code_old", "commune_code", "part"])
    return frame.assign(vintage_old=old, vintage=new)


def test_verdicts_on_a_path_from_a_half_to_all_in_ten_years() -> None:
    # halfway, in 2025, the path is at 0.75
    rows = {
        "on_track": (0.80, 0.76, 0.90),
        "off_track": (0.60, 0.50, 0.74),
        "undecided": (0.80, 0.70, 0.90),
    }
    for verdict, values in rows.items():
        made = figures(("2020-01-01", 0.5, 0.5, 0.5), ("2025-01-01", *values))
        followed = follow_targets(made, [target()])
        assert followed["path_low"].tolist() == pytest.approx([0.5, 0.75], abs=2e-4)
        assert followed["verdict"].tolist()[1] == verdict


def test_after_the_date_a_target_is_met_missed_or_undetermined() -> None:
    rows = {
        "met": (0.99, 0.95, 1.0),
        "missed": (0.8, 0.7, 0.94),
        "undetermined": (0.96, 0.9, 1.0),
    }
    for verdict, values in rows.items():
        made = figures(("2020-01-01", 0.5, NAN, NAN), ("2030-01-02", *values))
        followed = follow_targets(made, [target(threshold=0.95)])
        assert followed["verdict"].tolist()[1] == verdict


def test_unknown_first_share_has_a_path_from_each_of_its_bounds() -> None:
    made = figures(("2020-01-01", NAN, 0.2, 0.6), ("2025-01-01", 0.7, 0.7, 0.7))
    last = follow_targets(made, [target()]).iloc[1]
    assert (last["path_low"], last["path_high"]) == pytest.approx((0.6, 0.8), abs=2e-4)
    assert last["verdict"] == "undecided"


def test_reading_without_a_threshold_has_no_verdict_and_no_outlook() -> None:
    followed = follow_targets(figures(("2020-01-01", 0.5, 0.5, 0.5)), [target(threshold=None)])
    assert followed["verdict"].tolist() == [""]
    assert look_ahead(followed).empty


def test_communes_are_held_against_the_floor_of_the_target() -> None:
    made = figures(("2030-02-01", 0.92, NAN, NAN), code="00001")
    followed = follow_targets(made, [target()])
    assert followed[["threshold", "verdict"]].to_numpy().tolist() == [[0.9, "met"]]


shares = st.one_of(st.none(), st.floats(0, 1))


@given(
    points=st.lists(st.tuples(shares, st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6),
    threshold=st.floats(0.01, 1),
    start=st.integers(2000, 2035),
)
def test_verdicts_never_contradict_the_bounds(
    points: list[tuple[float | None, float, float]], threshold: float, start: int
) -> None:
    rows = []
    for year, (share, a, b) in enumerate(points, start=start):
        low, high = min(a, b), max(a, b)
        value = NAN if share is None else low + share * (high - low)
        rows.append((f"{year}-06-30", value, low, high))
    for _, row in follow_targets(figures(*rows), [target(threshold=threshold)]).iterrows():
        low, high, verdict = row["share_low"], row["share_high"], row["verdict"]
        is_after = row["as_of"].date() > date(2030, 1, 1)
        assert is_after == (verdict in ("met", "missed", "undetermined"))
        assert (verdict == "met") == (is_after and low >= threshold - 1e-9)
        assert (verdict == "missed") == (is_after and high < threshold - 1e-9)
        assert verdict != "on_track" or low >= row["path_high"] - 1e-9
        assert verdict != "off_track" or high < row["path_low"]
        assert row["path_low"] <= row["path_high"] + 1e-12 <= threshold + 1e-9


def test_unknown_never_counts_as_covered() -> None:
    made = figures(("2020-01-01", NAN, NAN, NAN), ("2031-01-01", NAN, NAN, NAN))
    followed = follow_targets(made, [target(threshold=0.01)])
    assert followed["verdict"].tolist() == ["undecided", "undetermined"]
    assert look_ahead(followed)["forecast"].tolist() == ["unknown"]


def test_rates_and_date_of_a_straight_line_by_hand() -> None:
    # ten points a year: 30 are missing after 2022-01-01, so three years on; 8 years are left
    made = figures(
        ("2020-01-01", 0.5, 0.5, 0.5), ("2021-01-01", 0.6, 0.6, 0.6), ("2022-01-01", 0.7, 0.6, 0.8)
    )
    row = look_ahead(follow_targets(made, [target()])).iloc[0]
    assert row["rate_per_year"] == pytest.approx(0.1, abs=2e-4)
    assert row["rate_needed"] == pytest.approx(0.3 / 8, abs=1e-4)
    assert row["rate_needed_low"] == pytest.approx(0.2 / 8, abs=1e-4)
    assert row["rate_needed_high"] == pytest.approx(0.4 / 8, abs=1e-4)
    assert row["forecast"] == "date"
    assert abs(row["forecast_date"] - pd.Timestamp("2025-01-01")) < pd.Timedelta(days=4)


def test_rate_is_of_the_last_three_dates_that_are_known() -> None:
    made = figures(
        ("2018-01-01", 0.1, NAN, NAN), ("2019-01-01", 0.5, NAN, NAN), ("2020-01-01", NAN, 0.0, 1.0),
        ("2021-01-01", 0.5, NAN, NAN), ("2022-01-01", 0.5, NAN, NAN),
    )  # fmt: skip
    row = look_ahead(follow_targets(made, [target()])).iloc[0]
    assert row["n_dates"] == 4
    assert row["forecast"] == "not_growing"


@pytest.mark.parametrize(
    ("values", "forecast"),
    [
        ((0.5, 0.6), "too_few_dates"),
        ((0.5, NAN, 0.6), "too_few_dates"),
        ((0.7, 0.6, 0.5), "not_growing"),
        ((0.5, 0.5001, 0.5002), "not_in_sight"),
        ((0.2, 0.6, 1.0), "reached"),
    ],
)
def test_no_date_is_given_where_none_can_be_said(values: tuple[float, ...], forecast: str) -> None:
    rows = [(f"{2020 + i}-01-01", value, NAN, NAN) for i, value in enumerate(values)]
    row = look_ahead(follow_targets(figures(*rows), [target()])).iloc[0]
    assert row["forecast"] == forecast
    assert pd.isna(row["forecast_date"])


def test_rate_needed_ends_with_the_date_of_the_target() -> None:
    made = figures(("2029-01-01", 0.5, NAN, NAN), ("2031-01-01", 0.6, NAN, NAN))
    assert np.isnan(look_ahead(follow_targets(made, [target()]))["rate_needed"].iloc[0])


def test_divided_commune_widens_the_bounds_and_a_merger_does_not() -> None:
    old = tidy([("1", 1.0, 100.0), ("2", 0.5, 300.0), ("3", 0.4, 500.0)], "before-2025")
    new = tidy([("A", 0.9, 410.0), ("B", 0.9, 490.0)], "2025")
    parts = links(("1", "A", "whole"), ("2", "A", "whole"), ("3", "B", "split"),
                  old="before-2025", new="2025")  # fmt: skip
    carried = carry_indicators(old, parts, today=new).set_index("commune_code")
    assert carried.loc["A", ["share", "share_low", "share_high"]].tolist() == [0.625] * 3
    assert np.isnan(carried.loc["B", "share"])
    assert carried.loc["B", ["share_low", "share_high"]].tolist() == [0, 1]
    assert carried["denominator"].tolist() == [410, 490]
    assert set(carried["vintage"]) == {"2025"}


def test_yes_is_carried_only_where_all_parts_say_yes() -> None:
    old = tidy([("1", 1.0, 1.0), ("2", 1.0, 1.0), ("3", 1.0, 1.0), ("4", 0.0, 1.0)], "old")
    old = old.assign(indicator="broadband_b0", service="broadband")
    new = tidy([("A", 1.0, 2.0), ("B", 1.0, 2.0)], "new").assign(
        indicator="broadband_b0", service="broadband"
    )
    parts = links(("1", "A", "whole"), ("2", "A", "whole"), ("3", "B", "whole"),
                  ("4", "B", "whole"), old="old", new="new")  # fmt: skip
    assert carry_indicators(old, parts, today=new)["share"].tolist() == [1.0, 0.0]


@given(
    people=st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), min_size=4, max_size=4),
)
def test_carried_bounds_hold_the_truth(people: list[tuple[int, float]]) -> None:
    # pieces: 1 whole in A, 2 divided between A and B, 3 whole in B
    (n1, c1), (n2a, c2a), (n2b, c2b), (n3, c3) = people
    both = (n2a * c2a + n2b * c2b) / (n2a + n2b)
    old = tidy([("1", c1, n1), ("2", both, n2a + n2b), ("3", c3, n3)], "old")
    new = tidy([("A", 0.0, n1 + n2a), ("B", 0.0, n2b + n3)], "new")
    parts = links(("1", "A", "whole"), ("2", "A", "split"), ("2", "B", "split"),
                  ("3", "B", "whole"), old="old", new="new")  # fmt: skip
    carried = carry_indicators(old, parts, today=new)
    truth = [(n1 * c1 + n2a * c2a) / (n1 + n2a), (n2b * c2b + n3 * c3) / (n2b + n3)]
    assert (carried["share_low"] <= np.array(truth) + 1e-12).all()
    assert (carried["share_high"] >= np.array(truth) - 1e-12).all()


def test_two_reforms_in_a_row_are_crossed_one_after_the_other() -> None:
    old = tidy([("1", 1.0, 10.0), ("2", 0.0, 30.0), ("3", 0.5, 60.0)], "2009")
    new = tidy([("X", 0.5, 100.0)], "2025")
    crosswalk = pd.concat(
        [
            links(("1", "A", "whole"), ("2", "A", "whole"), ("3", "B", "whole"),
                  old="2009", new="before-2025"),
            links(("A", "X", "whole"), ("B", "X", "whole"), old="before-2025", new="2025"),
        ]
    )  # fmt: skip
    carried = carry_indicators(old, crosswalk, today=new)
    assert carried["share"].tolist() == pytest.approx([(10 + 0 + 30) / 100])


def test_vintage_that_no_crosswalk_leads_from_is_an_error_that_names_both() -> None:
    old, new = tidy([("1", 1.0, 1.0)], "2009"), tidy([("A", 1.0, 1.0)], "2025")
    crosswalk = links(("A", "X", "whole"), old="before-2025", new="2025")
    with pytest.raises(CrosswalkError, match=r"'2009' to those of 2025 \(found: none\)"):
        carry_indicators(old, crosswalk, today=new)


def test_commune_that_the_old_date_lacks_is_unknown() -> None:
    old, new = tidy([("1", 1.0, 1.0)], "old"), tidy([("A", 1.0, 1.0), ("B", 1.0, 9.0)], "new")
    carried = carry_indicators(old, links(("1", "A", "whole"), old="old", new="new"), today=new)
    assert carried["share_low"].tolist() == [1.0, 0.0]
    assert carried["share_high"].tolist() == [1.0, 1.0]


def test_links_by_place_leave_out_differences_of_drawing() -> None:
    old = gpd.GeoDataFrame(
        {"commune_code": ["1", "2"], "commune_name": ["Xã A", "Xã B"], "vintage": "2009"},
        geometry=[box(500_000, 2_200_000, 501_020, 2_201_000),
                  box(501_020, 2_200_000, 503_000, 2_201_000)],
        crs="EPSG:5897",
    )  # fmt: skip
    new = gpd.GeoDataFrame(
        {"commune_code": ["8", "9"], "commune_name": ["Xã C", "Xã D"], "vintage": "2025"},
        geometry=[box(500_000, 2_200_000, 501_000, 2_201_000),
                  box(501_000, 2_200_000, 503_000, 2_201_000)],
        crs="EPSG:5897",
    )  # fmt: skip
    found = link_by_place(old, new)[["commune_code_old", "commune_code", "part"]]
    assert found.to_numpy().tolist() == [["1", "8", "whole"], ["2", "9", "whole"]]
    halves = gpd.GeoDataFrame(new.assign(geometry=new.geometry.translate(xoff=600)), crs=new.crs)
    assert set(link_by_place(old, halves)["part"]) == {"split", "whole"}


def test_figures_of_all_communes_and_of_each() -> None:
    rows = tidy([("1", 1.0, 300.0), ("2", NAN, 100.0)], "2025")
    communes = rows[["commune_code", "vintage"]].assign(province_code="38")
    found = figure_targets([target()], rows, communes).set_index("commune_code")
    assert found.loc["", ["share", "share_low", "share_high"]].tolist() == [0.75, 0.75, 1.0]
    assert found.loc["", "n_unknown"] == 1
    assert found.loc["1", "share"] == 1.0


@pytest.mark.realdata
def test_637_communes_of_2009_are_a_legal_starting_point(shared: Path) -> None:
    old = gpd.read_parquet(shared / "data/boundaries/thanh_hoa_2009.parquet")
    old = old.assign(commune_code=old["census_id"].astype("str"), vintage="2009")
    new = gpd.read_parquet(shared / "data/boundaries/thanh_hoa_2025.parquet")
    new = new.assign(vintage="2025")
    assert (len(old), len(new)) == (637, 166)
    crosswalk = link_by_place(old, new)
    rows = tidy([(code, 1.0, 1.0) for code in old["commune_code"]], "2009")
    today = tidy([(code, 1.0, 1.0) for code in new["commune_code"]], "2025")
    carried = carry_indicators(rows, crosswalk, today=today)
    assert len(carried) == 166
    assert (carried["share_high"] == 1.0).all()
    assert (carried["share"] == 1.0).sum() > 20  # those made of whole communes only
    assert (carried["share_low"] <= carried["share_high"]).all()

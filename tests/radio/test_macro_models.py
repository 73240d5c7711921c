"""Models without terrain: free space, 38.901, and what surrounds a terminal."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st

from phusong.radio.freespace import free_space_loss_db
from phusong.radio.limits import ModelRangeError
from phusong.radio.surroundings import building_entry_loss_db, clutter_loss_db
from phusong.radio.tr38901 import rma_los_share, rma_loss_db, uma_los_share, uma_loss_db

RADIO = SHARED / "data" / "radio"
MACRO = {"RMa": rma_loss_db, "UMa": uma_loss_db}


@pytest.mark.realdata
def test_vectors_of_ns3_are_met() -> None:
    with (RADIO / "ns3_38901_vectors.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    for row in rows:
        found = MACRO[row["scenario"]](
            np.array([float(row["d2d_m"])]), frequency_ghz=float(row["freq_hz"]) / 1e9,
            base_height_m=float(row["h_bs_m"]), user_height_m=float(row["h_ut_m"]),
            is_los=row["los"] == "1",
        )  # fmt: skip
        assert found[0] == pytest.approx(float(row["pathloss_db"]), abs=1e-4)


@pytest.mark.realdata
def test_clutter_cases_of_ntia_are_met_and_illegal_ones_refused() -> None:
    path = RADIO / "p2108" / "TerrestrialStatisticalModelTestData.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["rtn"] == "0" for row in rows} == {True, False}
    for row in rows:

        def found(row: dict[str, str] = row) -> float:
            return float(clutter_loss_db(
                1000.0 * float(row["d__km"]), frequency_ghz=float(row["f__ghz"]),
                locations_pct=float(row["p"]),
            ))  # fmt: skip

        if row["rtn"] == "0":
            assert found() == pytest.approx(float(row["L_ctt__db"]), abs=0.051)
        else:
            with pytest.raises(ModelRangeError):
                found()


def test_free_space_is_as_computed_by_hand() -> None:
    # 92.45 + 20 log10(3.5) + 20 log10(2) = 109.35
    assert float(free_space_loss_db(2000.0, frequency_ghz=3.5)) == pytest.approx(109.35, abs=0.01)
    with pytest.raises(ModelRangeError, match="distance_m: found 0"):
        free_space_loss_db(np.array([10.0, 0.0]), frequency_ghz=3.5)


@pytest.mark.parametrize(
    ("macro", "break_m"),
    [
        (rma_loss_db, 2 * math.pi * 35 * 1.5 * 3.5e9 / 3e8),
        (uma_loss_db, 4 * 34 * 0.5 * 3.5e9 / 3e8),
    ],
)
def test_line_of_sight_has_no_step_at_the_break_point(macro: object, break_m: float) -> None:
    around_m = break_m * np.array([1 - 1e-6, 1 + 1e-6])
    near, far = macro(around_m, frequency_ghz=3.5, base_height_m=35.0, is_los=True)
    # RMa's second branch takes its first distance as a slant one: up to 0.1 dB apart
    assert near == pytest.approx(far, abs=0.1)


def test_break_point_itself_is_of_the_first_branch() -> None:
    break_m = 2.0 * np.pi * 150.0 * 1.5 * 0.5 * 1e9 / 3.0e8  # 2356 m, 148.5 m below the antenna
    at, before = rma_loss_db(
        break_m * np.array([1.0, 1.0 - 1e-9]), frequency_ghz=0.5, base_height_m=150.0, is_los=True
    )
    # the second branch begins 20 log10(2360.9/2356.2) = 0.017 dB elsewhere
    assert at == pytest.approx(before, abs=1e-6)


@given(st.floats(10.0, 4000.0), st.floats(1.01, 1.25), st.floats(0.5, 30.0), st.booleans())
def test_macro_loss_grows_with_distance_and_is_never_below_free_space(
    d_m: float, factor: float, f_ghz: float, is_los: bool
) -> None:
    for macro in MACRO.values():
        near, far = macro(np.array([d_m, d_m * factor]), frequency_ghz=f_ghz, is_los=is_los)
        assert far > near - 0.1
        assert near > float(free_space_loss_db(d_m, frequency_ghz=f_ghz)) - 1.0


@pytest.mark.parametrize(
    ("d_m", "f_ghz", "base_m", "user_m", "house_m", "street_m", "is_los", "terms"),
    [
        # break point 2π·50·2·0.9/0.3 = 1884.96 m, d3 = 2000.58 m, 10^1.72 = 52.48: PL1 of the
        # break point, with min(1.574, 10) and min(2.309, 14.77), and 40 log10(d3/break)
        (2000.0, 0.9, 50.0, 2.0, 10.0, 10.0, True, (97.0326, 5.1567, -2.3092, 3.7699, 1.0342)),
        (2000.0, 0.9, 50.0, 2.0, 10.0, 10.0, False,
         (161.04, -7.1, 7.5, -41.1525, 11.49, -0.9151, -1.0454)),
        # 50^1.72 = 836: 10 stands for 25.1 and 14.77 for 36.8; break point 439.82 m
        (2000.0, 0.7, 20.0, 1.5, 50.0, 30.0, True, (82.2093, 26.4328, -14.77, 1.4945, 26.3108)),
        (2000.0, 0.7, 20.0, 1.5, 50.0, 30.0, False,
         (161.04, -10.4876, 12.7423, -1.6198, 11.8573, -3.098, 0.0009)),
        # below the break point, 36,652 m
        (1000.0, 3.5, 100.0, 5.0, 20.0, 8.0, True, (103.3622, 15.5703, -7.6072, 2.6138)),
        (1000.0, 3.5, 100.0, 5.0, 20.0, 8.0, False,
         (161.04, -6.4119, 9.7577, -48.444, 0.0726, 10.8814, -5.044)),
    ],
)  # fmt: skip
def test_rural_loss_is_the_sum_of_its_terms(
    d_m: float, f_ghz: float, base_m: float, user_m: float, house_m: float, street_m: float,
    is_los: bool, terms: tuple[float, ...],
) -> None:  # fmt: skip
    found = rma_loss_db(
        np.array(d_m), frequency_ghz=f_ghz, base_height_m=base_m, user_height_m=user_m,
        building_height_m=house_m, street_width_m=street_m, is_los=is_los,
    )  # fmt: skip
    assert float(found) == pytest.approx(sum(terms), abs=3e-4)


@pytest.mark.parametrize(
    ("d_m", "f_ghz", "base_m", "user_m", "los_db", "hidden_db"),
    [
        # break point 4·29·9·2/0.3 = 6960 m: 28 + 22 log10(1000.20) + 20 log10(2), and
        # 13.54 + 39.08 log10(1000.20) + 20 log10(2) - 0.6·8.5
        (1000.0, 2.0, 30.0, 10.0, 100.0225, 131.7040),
        # break point 120 m: 28 + 40 log10(200.18) + 20 log10(2) - 9 log10(120² + 8.5²)
        (200.0, 2.0, 10.0, 1.5, 88.6326, 109.5002),
        (1500.0, 3.5, 40.0, 3.0, 108.7583, 147.6482),
    ],
)
def test_urban_loss_is_as_computed_by_hand(
    d_m: float, f_ghz: float, base_m: float, user_m: float, los_db: float, hidden_db: float
) -> None:
    found = uma_loss_db(
        np.array([d_m, d_m]), frequency_ghz=f_ghz, base_height_m=base_m, user_height_m=user_m,
        is_los=np.array([True, False]),
    )  # fmt: skip
    assert found == pytest.approx([los_db, hidden_db], abs=1e-4)


@pytest.mark.parametrize(
    ("macro", "name", "low", "high"),
    [
        (rma_loss_db, "frequency_ghz", 0.5, 30.0), (rma_loss_db, "base_height_m", 10.0, 150.0),
        (rma_loss_db, "user_height_m", 1.0, 10.0), (rma_loss_db, "building_height_m", 5.0, 50.0),
        (rma_loss_db, "street_width_m", 5.0, 50.0), (uma_loss_db, "frequency_ghz", 0.5, 100.0),
        (uma_loss_db, "base_height_m", 10.0, 150.0), (uma_loss_db, "user_height_m", 1.5, 13.0),
    ],
)  # fmt: skip
def test_bounds_of_a_range_are_legal_and_what_lies_beyond_is_not(
    macro: object, name: str, low: float, high: float
) -> None:
    usual = {"frequency_ghz": 2.0, "is_los": False}
    ends = [macro(np.array([100.0]), **(usual | {name: end})) for end in (low, high)]
    assert np.isfinite(ends).all()
    for beyond in (low * 0.999, high * 1.001):
        with pytest.raises(ModelRangeError, match=f"{name}: found"):
            macro(np.array([100.0]), **(usual | {name: beyond}))


def test_distances_have_ranges_of_their_own_with_and_without_sight() -> None:
    far_m = np.array([10.0, 10_000.0, 10.0, 5000.0])
    seen = np.array([True, True, False, False])
    assert np.isfinite(rma_loss_db(far_m, frequency_ghz=2.0, is_los=seen)).all()
    assert np.isfinite(uma_loss_db(far_m[2:], frequency_ghz=2.0, is_los=True)).all()
    for macro, d_m, is_los, said in (
        (rma_loss_db, 10_001.0, True, r"distance_2d_m \(line of sight\): found 10001"),
        (rma_loss_db, 9.99, False, r"distance_2d_m \(no line of sight\): found 9.99"),
        (uma_loss_db, 9.99, False, "distance_2d_m: found 9.99"),
    ):
        with pytest.raises(ModelRangeError, match=said):
            macro(np.array([d_m]), frequency_ghz=2.0, is_los=is_los)


def test_heights_that_are_not_given_are_those_of_the_report() -> None:
    d_m = np.array([300.0, 3000.0])
    rural = {"base_height_m": 35.0, "user_height_m": 1.5, "building_height_m": 5.0,
             "street_width_m": 20.0}  # fmt: skip
    urban = {"base_height_m": 25.0, "user_height_m": 1.5}
    for macro, usual in ((rma_loss_db, rural), (uma_loss_db, urban)):
        bare = macro(d_m, frequency_ghz=2.0, is_los=False)
        assert (bare == macro(d_m, frequency_ghz=2.0, is_los=False, **usual)).all()


def test_each_point_may_have_its_own_sight() -> None:
    d_m, seen = np.array([500.0, 500.0]), np.array([True, False])
    mixed = uma_loss_db(d_m, frequency_ghz=2.0, is_los=seen)
    assert mixed[0] == uma_loss_db(d_m, frequency_ghz=2.0, is_los=True)[0]
    assert mixed[1] == uma_loss_db(d_m, frequency_ghz=2.0, is_los=False)[1]
    assert mixed[1] > mixed[0]


def test_sight_is_certain_near_the_mast_and_rarer_far_from_it() -> None:
    d_m = np.array([0.0, 10.0, 18.0, 100.0, 1000.0, 5000.0])
    for shares in (rma_los_share(d_m), uma_los_share(d_m), uma_los_share(d_m, user_height_m=22.0)):
        assert shares[0] == shares[1] == 1.0
        assert (np.diff(shares) <= 0.0).all()
        assert (shares >= 0.0).all()
    assert rma_los_share(np.array([10.1, 1010.0])) == pytest.approx([math.exp(-1e-4), 1 / math.e])
    # 18/100 + exp(-100/63) (1 - 0.18) = 0.34767
    assert uma_los_share(d_m)[3] == pytest.approx(0.34767, abs=1e-5)
    # 18/18.1 + exp(-18.1/63) (1 - 18/18.1) = 0.99862; high up the lift would make it 1.005
    assert float(uma_los_share(np.array(18.1))) == pytest.approx(0.99862, abs=1e-5)
    assert float(uma_los_share(np.array(18.1), user_height_m=23.0)) == 1.0
    # ((18 - 13)/10)^1.5 = 0.35355: 0.64940 (1 + 0.35355 · 1.25 · 0.5³ · exp(-50/150)) = 0.67511
    assert float(uma_los_share(np.array(50.0), user_height_m=18.0)) == pytest.approx(
        0.675108, abs=1e-6
    )
    # ((20 - 13)/10)^1.5 = 0.58566: 0.036345 (1 + 0.58566 · 1.25 · 5³ · exp(-500/150)) = 0.15499
    assert float(uma_los_share(np.array(500.0), user_height_m=20.0)) == pytest.approx(
        0.154992, abs=1e-6
    )
    assert uma_los_share(np.array(50.0), user_height_m=13.0) == uma_los_share(np.array(50.0))
    assert uma_los_share(np.array(500.0), user_height_m=0.0) == uma_los_share(np.array(500.0))
    for height_m in (-0.1, 23.1):
        with pytest.raises(ModelRangeError, match="user_height_m: found"):
            uma_los_share(np.array(50.0), user_height_m=height_m)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: free_space_loss_db(10.0, frequency_ghz=0.0), "frequency_ghz: found 0"),
        (lambda: rma_loss_db(np.array([9.0]), frequency_ghz=2.0, is_los=True), "found 9"),
        (lambda: rma_loss_db(np.array([5001.0]), frequency_ghz=2.0, is_los=False), "found 5001"),
        (lambda: rma_loss_db(np.array([50.0]), frequency_ghz=31.0, is_los=True), "frequency_ghz"),
        (lambda: uma_loss_db(np.array([5001.0]), frequency_ghz=2.0, is_los=True), "found 5001"),
        (lambda: uma_loss_db(np.array([50.0]), frequency_ghz=2.0, is_los=True,
                             user_height_m=14.0), "user_height_m"),
        (lambda: uma_los_share(np.array([-1.0])), "distance_2d_m: found -1"),
        (lambda: rma_los_share(np.array([-1.0])), "distance_2d_m: found -1"),
        (lambda: building_entry_loss_db(frequency_ghz=0.07), "frequency_ghz"),
        (lambda: building_entry_loss_db(frequency_ghz=1.0, house="igloo"), "traditional"),
        (lambda: building_entry_loss_db(frequency_ghz=1.0, share=1.0), "share"),
    ],
)  # fmt: skip
def test_number_outside_its_range_is_refused(call: object, said: str) -> None:
    with pytest.raises(ModelRangeError, match=said):
        call()


def test_clutter_beyond_two_kilometres_is_that_of_two() -> None:
    at = clutter_loss_db(np.array([500.0, 2000.0, 9000.0]), frequency_ghz=3.5)
    assert at[0] < at[1] == at[2]


@given(st.floats(0.08, 100.0), st.floats(0.01, 0.98), st.floats(0.0, 80.0))
def test_more_houses_more_elevation_and_better_insulation_lose_more(
    f_ghz: float, share: float, elevation_deg: float
) -> None:
    def loss(house: str, share: float, elevation_deg: float) -> float:
        return building_entry_loss_db(
            frequency_ghz=f_ghz, house=house, share=share, elevation_deg=elevation_deg
        )

    for house in ("traditional", "thermally_efficient"):
        assert loss(house, share + 0.01, elevation_deg) > loss(house, share, elevation_deg)
        assert loss(house, share, elevation_deg + 5.0) > loss(house, share, elevation_deg)
    assert loss("thermally_efficient", 0.5, 0.0) > loss("traditional", 0.5, 0.0)


def test_entry_loss_of_half_the_houses_at_1_ghz_is_as_computed_by_hand() -> None:
    # 10 log10(10^1.264 + 10^0.91 + 10^-0.3) = 10 log10(18.37 + 8.13 + 0.50) = 14.31
    assert building_entry_loss_db(frequency_ghz=1.0) == pytest.approx(14.31, abs=0.01)

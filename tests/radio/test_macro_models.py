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


@given(st.floats(10.0, 4000.0), st.floats(1.01, 1.25), st.floats(0.5, 30.0), st.booleans())
def test_macro_loss_grows_with_distance_and_is_never_below_free_space(
    d_m: float, factor: float, f_ghz: float, is_los: bool
) -> None:
    for macro in MACRO.values():
        near, far = macro(np.array([d_m, d_m * factor]), frequency_ghz=f_ghz, is_los=is_los)
        assert far > near - 0.1
        assert near > float(free_space_loss_db(d_m, frequency_ghz=f_ghz)) - 1.0


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
    # 18/100 + exp(-100/63) (1 - 0.18) = 0.3477
    assert uma_los_share(d_m)[3] == pytest.approx(0.3477, abs=1e-4)


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
        (lambda: uma_los_share(np.array([-1.0])), "distance_2d_m"),
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

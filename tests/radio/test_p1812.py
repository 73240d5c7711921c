"""P.1812 against the ITU's validation set, against hand-computed edges, and its laws."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st

from phusong.radio.diffraction import bullington_db, knife_edge_db, spherical_earth_db
from phusong.radio.limits import ModelRangeError
from phusong.radio.normal import inverse_complementary
from phusong.radio.p1812 import (
    P1812Link,
    P1812Loss,
    location_sigma_db,
    p1812_loss,
    require_link,
    require_profile,
)
from phusong.radio.zones import Zones, anomalous_time_pct, longest_stretch_km

RADIO = SHARED / "data" / "radio"
# Our names of the terms in the logs, whose Lbulla, Lbulls, Ldsph and Lbd are not those of p = 50.
LOGGED = {
    "Lb": "lb_db", "Lbc": "lbc_db", "Lbfs": "lbfs_db", "Lb0p": "lb0p_db", "Lbs": "lbs_db",
    "Lba": "lba_db", "Ldp": "ldp_db", "Ld50": "ld50_db", "ae": "ae_km", "hstd": "hstd_m",
    "hsrd": "hsrd_m", "hte": "hte_m", "hre": "hre_m", "hm": "hm_m", "dlt": "dlt_km",
    "dlr": "dlr_km", "th_t": "theta_t_mrad", "th_r": "theta_r_mrad", "th": "theta_mrad",
    "b0": "b0",
}  # fmt: skip
SHORT = {
    "lb": "lb_db", "ld50": "ld50_db", "lbulla": "lbulla_db", "lbulls": "lbulls_db",
    "ldsph": "ldsph_db", "ae_km": "ae_km", "hstd": "hstd_m", "hsrd": "hsrd_m",
}  # fmt: skip
FLAT_AE_KM = 1e9
D_KM = np.linspace(0.0, 10.0, 101)
FLAT = np.zeros(101)


def read_log(path: Path) -> dict[str, float]:
    """Return the inputs and terms of one result file, by their first names."""
    values: dict[str, float] = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.reader(file):
            if len(row) > 3 and row[3] and not row[0].startswith("#"):
                values.setdefault(row[0].split("(")[0].strip(), float(row[3]))
    return values


def read_profile(path: Path) -> np.ndarray:
    """Return the rows of a profile: distance (km), ground (m), clutter (m), zone."""
    text = path.read_text(encoding="utf-8").split("{Begin of Profile}")[1]
    lines = text.split("{End of Profile}")[0].strip().splitlines()[1:]
    return np.array([[float(line.split(",")[i]) for i in (0, 1, 3, 4)] for line in lines])


def logged_loss(log: dict[str, float], profile: np.ndarray) -> P1812Loss:
    link = P1812Link(
        f_ghz=log["f"], htg_m=log["htg"], hrg_m=log["hrg"], is_vertical=log["pol"] == 2,
        p=log["p"], pl=log["pL"], sigma_db=log["sigmaL"], dn=log["DN"], n0=log["N0"],
    )  # fmt: skip
    zones = Zones(zone=profile[:, 3], latitude_deg=log["phi"], dct_km=log["dct"], dcr_km=log["dcr"])
    return p1812_loss(profile[:, 0], profile[:, 1], profile[:, 2], link=link, zones=zones)


def ridge(height_m: float, at: int = 50) -> np.ndarray:
    return np.where(np.arange(101) == at, height_m, 0.0)


@pytest.mark.realdata
def test_every_term_of_the_short_vectors_is_met() -> None:
    vectors = json.loads((RADIO / "p1812_short_vectors.json").read_text(encoding="utf-8"))
    assert len(vectors) == 40
    for vector in vectors:
        link = P1812Link(
            f_ghz=vector["f_ghz"], htg_m=vector["htg"], hrg_m=vector["hrg"],
            is_vertical=vector["pol"] == "vertical", p=vector["p"], pl=vector["pl"],
            dn=vector["dn"], n0=vector["n0"],
        )  # fmt: skip
        h_m = np.array(vector["h"])
        d_km = np.arange(len(h_m)) * vector["step_km"]
        loss = p1812_loss(d_km, h_m, np.array(vector["clutter"]), link=link)
        for theirs, ours in SHORT.items():
            assert getattr(loss, ours) == pytest.approx(vector[theirs], abs=1e-6), theirs


@pytest.mark.realdata
def test_every_long_profile_of_the_itu_is_met_in_all_its_terms() -> None:
    logs = sorted((RADIO / "p1812" / "results").glob("*_log.csv"))
    assert len(logs) == 36
    for path in logs:
        name = path.stem.removesuffix("_log").rsplit("_", 1)[0]
        log = read_log(path)
        loss = logged_loss(log, read_profile(RADIO / "p1812" / "profiles" / f"{name}.csv"))
        for theirs, ours in LOGGED.items():
            found, expected = getattr(loss, ours), log[theirs]
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-6), f"{path.stem}: {theirs}"


def test_knife_edge_in_the_middle_is_as_computed_by_hand() -> None:
    # 30 m over a line of 10 km at 0.9 GHz: ν = 30 √(2/0.33311 · 2/5000) = 1.4702,
    # J = 16.63, and Bullington adds (1 - exp(-16.63/6)) (10 + 0.02·10) = 9.56
    nu = 30.0 * math.sqrt(2.0 / (0.2998 / 0.9) * 2.0 / 5000.0)
    assert nu == pytest.approx(1.4702, abs=1e-4)
    assert knife_edge_db(nu) == pytest.approx(16.63, abs=0.01)
    found = bullington_db(D_KM, ridge(130.0), FLAT, 1.0, 100.0, 100.0, FLAT_AE_KM, 0.9)
    assert found == pytest.approx(26.195, abs=0.01)


def test_edge_that_touches_the_line_costs_six_decibels_and_a_correction() -> None:
    # J(0) = 6.03; then (1 - exp(-6.03/6)) · 10.2 = 6.47
    found = bullington_db(D_KM, ridge(100.0), FLAT, 1.0, 100.0, 100.0, FLAT_AE_KM, 2.0)
    assert found == pytest.approx(6.03 + 6.47, abs=0.02)
    just_over = bullington_db(D_KM, ridge(100.0 + 1e-9), FLAT, 1.0, 100.0, 100.0, FLAT_AE_KM, 2.0)
    assert just_over == pytest.approx(found, abs=1e-6)


def test_nothing_is_lost_over_a_plain_with_high_antennas() -> None:
    loss = p1812_loss(D_KM, FLAT, link=P1812Link(f_ghz=3.5, htg_m=200.0, hrg_m=200.0))
    assert loss.ld50_db == 0.0
    # 92.4 + 20 log10(3.5 · 10) = 123.28
    assert loss.lb_db == pytest.approx(123.28, abs=0.01)


def test_plain_costs_what_the_smooth_earth_costs() -> None:
    # No obstacle but the bulge: the delta term turns Bullington into the spherical Earth.
    link = P1812Link(f_ghz=0.7, htg_m=30.0, hrg_m=1.5)
    loss = p1812_loss(D_KM, FLAT, link=link)
    assert loss.ld50_db == pytest.approx(loss.ldsph_db)
    assert loss.ldsph_db > loss.lbulls_db + 5.0


def test_spherical_earth_joins_its_two_methods_at_the_horizon() -> None:
    hte_m, hre_m, ae_km = 30.0, 10.0, 8500.0
    horizon_km = math.sqrt(2 * ae_km) * (math.sqrt(hte_m / 1000) + math.sqrt(hre_m / 1000))
    near, far = (
        spherical_earth_db(horizon_km * (1 + e), hte_m, hre_m, ae_km, 1.0, True, 0.0)
        for e in (-1e-7, 1e-7)
    )
    assert near == pytest.approx(far, abs=1e-3)


@pytest.mark.parametrize(
    ("d_km", "height_m", "f_ghz", "is_vertical", "sea", "loss_db"),
    [
        # (29) to (36), 8500 km: K = 0.000829, X = 1.6080: F = 11 + 10 log10 X - 17.6 X = -15.238,
        # the other branch would give -15.241; G = 20 log10(0.02022) = -33.886 at either end
        (65.9454, 2.0, 0.1, False, 0.0, 83.0094),
        # land, K = 0.027295: at 1 m G is held at 2 + 20 log10 K = -29.2782, F(0.65153) = 0.6537
        (40.0, 1.0, 0.03, True, 0.0, 57.90274),
        # sea, K = 0.031224: -F(2.4947) - 2 G(1.03155) = 28.9365 - 2.2378; land: 29.0351 - 2.3409
        (60.0, 35.0, 0.5, True, 1.0, 26.69869),
        (60.0, 35.0, 0.5, True, 0.0, 26.69420),
        (60.0, 35.0, 0.5, True, 0.5, 26.69645),  # their mean
        # 0.3 % beyond the horizon of 68.01 km, where going on as before it would give 16.509
        (68.2, 68.02, 0.5, False, 0.0, 16.51573),
        # B = 2.0104, just beyond 2: G = 17.6 √0.9104 - 5 log10 0.9104 - 8 = 8.9968, F = -42.4757
        (80.0, 68.02, 0.5, False, 0.0, 24.48203),
    ],
)
def test_smooth_earth_beyond_the_horizon_is_as_computed_by_hand(
    d_km: float, height_m: float, f_ghz: float, is_vertical: bool, sea: float, loss_db: float
) -> None:
    found = spherical_earth_db(d_km, height_m, height_m, 8500.0, f_ghz, is_vertical, sea)
    assert found == pytest.approx(loss_db, abs=6e-5)


def test_smooth_earth_costs_nothing_where_the_line_is_clear_of_it() -> None:
    # 0.3 km at 0.03 GHz: the middle is 20 m up, 0.552 of its Fresnel zone would be 15.1 m
    for sea in (0.0, 1.0):
        assert spherical_earth_db(0.3, 15.0, 25.0, 8500.0, 0.03, True, sea) == 0.0
    assert spherical_earth_db(0.3, 10.0, 10.0, 8500.0, 0.03, True, 0.0) > 0.0


heights = st.lists(st.floats(0.0, 400.0), min_size=21, max_size=21).map(np.array)


@given(heights, st.floats(0.1, 6.0), st.floats(1.5, 80.0), st.floats(1.5, 80.0))
def test_path_loses_the_same_both_ways(
    h_m: np.ndarray, f_ghz: float, htg_m: float, hrg_m: float
) -> None:
    d_km = np.linspace(0.0, 12.0, 21)
    there = p1812_loss(d_km, h_m, link=P1812Link(f_ghz=f_ghz, htg_m=htg_m, hrg_m=hrg_m))
    back = p1812_loss(d_km, h_m[::-1], link=P1812Link(f_ghz=f_ghz, htg_m=hrg_m, hrg_m=htg_m))
    assert there.ld50_db == pytest.approx(back.ld50_db, abs=1e-6)
    assert there.lb_db == pytest.approx(back.lb_db, abs=1e-6)


@given(heights, st.integers(1, 19), st.floats(0.0, 200.0), st.floats(0.1, 6.0))
def test_higher_obstacle_never_diffracts_less(
    h_m: np.ndarray, at: int, more_m: float, f_ghz: float
) -> None:
    d_km, zeros = np.linspace(0.0, 12.0, 21), np.zeros(21)
    raised = h_m.copy()
    raised[at] += more_m
    ends = (h_m[0] + 30.0, h_m[-1] + 1.5)
    low = bullington_db(d_km, h_m, zeros, 1.0, *ends, 8500.0, f_ghz)
    assert bullington_db(d_km, raised, zeros, 1.0, *ends, 8500.0, f_ghz) >= low - 1e-9


@given(st.floats(40.0, 400.0), st.integers(10, 90), st.floats(0.1, 3.0))
def test_loss_behind_a_ridge_grows_with_frequency(height_m: float, at: int, f_ghz: float) -> None:
    link = P1812Link(f_ghz=f_ghz, htg_m=20.0, hrg_m=1.5)
    low = p1812_loss(D_KM, ridge(height_m, at), link=link)
    high = p1812_loss(D_KM, ridge(height_m, at), link=link._replace(f_ghz=2.0 * f_ghz))
    assert high.lbulla_db > low.lbulla_db
    assert high.lb_db > low.lb_db


@given(heights, st.floats(1.0, 50.0), st.floats(1.0, 50.0))
def test_loss_not_exceeded_for_more_of_the_time_is_no_smaller(
    h_m: np.ndarray, one: float, other: float
) -> None:
    link = P1812Link(f_ghz=2.0, htg_m=30.0, hrg_m=1.5)
    d_km = np.linspace(0.0, 12.0, 21)
    less, more = (
        p1812_loss(d_km, h_m, link=link._replace(p=p)).lb_db for p in sorted((one, other))
    )
    assert more >= less - 1e-6


def test_clutter_of_the_terminals_own_points_does_not_count() -> None:
    link = P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5)
    clutter_m = FLAT.copy()
    clutter_m[[0, -1]] = 25.0
    assert p1812_loss(D_KM, FLAT, clutter_m, link=link) == p1812_loss(D_KM, FLAT, link=link)
    clutter_m[-2] = 25.0
    assert p1812_loss(D_KM, FLAT, clutter_m, link=link).lb_db > 10.0 + (
        p1812_loss(D_KM, FLAT, link=link).lb_db
    )


def test_location_variability_adds_its_quantile() -> None:
    link = P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5, sigma_db=5.5)
    half, most = (p1812_loss(D_KM, ridge(80.0), link=link._replace(pl=pl)) for pl in (50.0, 95.0))
    assert most.lb_db - half.lb_db == pytest.approx(1.645 * 5.5, abs=0.01)
    assert half.lb_db == pytest.approx(half.lbc_db)


def test_location_sigma_vanishes_well_above_the_clutter() -> None:
    def at(height_m: float) -> float:
        return location_sigma_db(frequency_ghz=0.9, resolution_m=100.0,
                                 receiver_height_m=height_m, clutter_m=10.0)  # fmt: skip

    # (0.52 + 0.024 · 0.9) · 100^0.28 = 1.966
    assert at(1.5) == pytest.approx(1.966, abs=0.001)
    assert at(15.0) == pytest.approx(at(1.5) / 2.0)
    assert at(20.0) == at(1000.0) == 0.0


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("frequency_ghz", 0.03, 6.0), ("resolution_m", 50.0, 1000.0),
     ("receiver_height_m", 1.0, 3000.0)],
)  # fmt: skip
def test_location_sigma_keeps_to_its_ranges(name: str, low: float, high: float) -> None:
    usual = {"frequency_ghz": 0.9, "resolution_m": 100.0, "receiver_height_m": 1.5,
             "clutter_m": 0.0}  # fmt: skip
    for legal in (low, high):
        assert location_sigma_db(**(usual | {name: legal})) >= 0.0
    for illegal in (0.999 * low, 1.001 * high):
        with pytest.raises(ModelRangeError, match=f"{name}: found"):
            location_sigma_db(**(usual | {name: illegal}))
    with pytest.raises(ModelRangeError, match=r"clutter_m: found -0\.1, expected at least 0"):
        location_sigma_db(**(usual | {"clutter_m": -0.1}))


def test_zones_are_measured_half_way_between_points() -> None:
    d_km = np.array([0.0, 1.0, 3.0, 4.0, 10.0])
    assert longest_stretch_km(d_km, np.array([True, True, False, False, True])) == 3.0
    share, _, tau, dct_km, dcr_km = Zones(zone=np.array([1, 1, 4, 4, 4])).parameters(d_km)
    assert share == pytest.approx(0.2)
    assert tau == pytest.approx(1.0 - math.exp(-4.12e-4 * 8.0**2.41))
    assert (dct_km, dcr_km) == (0.0, 500.0)
    assert longest_stretch_km(d_km, np.zeros(5, bool)) == 0.0


def test_ducts_are_rarer_towards_the_poles() -> None:
    by_latitude = [anomalous_time_pct(latitude, 10.0, 0.1) for latitude in (0, 20, 50, 70)]
    assert by_latitude == sorted(by_latitude, reverse=True)
    assert anomalous_time_pct(-20.0, 10.0, 0.1) == anomalous_time_pct(20.0, 10.0, 0.1)


@given(st.floats(1e-6, 1.0 - 1e-6))
def test_quantile_is_that_of_the_normal_distribution(share: float) -> None:
    below = 0.5 * math.erfc(inverse_complementary(share) / math.sqrt(2.0))
    exact = pytest.approx(share, abs=2e-4)
    assert below == exact


def test_quantile_is_odd_about_one_half_and_ends_at_a_millionth() -> None:
    for share in (1e-7, 0.01, 0.3, 0.497):
        mirrored = inverse_complementary(1.0 - share)
        assert mirrored == pytest.approx(-inverse_complementary(share), rel=1e-9)
    assert inverse_complementary(0.0) == inverse_complementary(1e-6)
    assert inverse_complementary(1.0) == inverse_complementary(1.0 - 1e-6)
    assert inverse_complementary(1.0) == pytest.approx(-4.7534, abs=5e-4)  # Φ(4.7534) = 1 - 1e-6


def test_edge_well_below_the_line_costs_nothing() -> None:
    # (12): J is 0 up to ν = -0.78, where the formula has come down to 0.004 dB
    assert [knife_edge_db(nu) for nu in (-9.0, -0.785, -0.78)] == [0.0, 0.0, 0.0]
    assert 0.0 < knife_edge_db(-0.77) < 0.1


def test_link_has_the_medians_of_a_temperate_land_by_default() -> None:
    link = P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5)
    assert link == P1812Link(0.9, 30.0, 1.5, True, 50.0, 50.0, 0.0, 45.0, 330.0)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("f_ghz", 0.03, 6.0), ("p", 1.0, 50.0), ("pl", 1.0, 99.0), ("htg_m", 1.0, 3000.0),
     ("hrg_m", 1.0, 3000.0), ("sigma_db", 0.0, 100.0), ("dn", 0.0, 156.0), ("n0", 100.0, 500.0)],
)  # fmt: skip
def test_ends_of_a_range_are_legal_and_nothing_beyond(name: str, low: float, high: float) -> None:
    link = P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5)
    for legal in (low, high):
        require_link(link._replace(**{name: legal}))
    for illegal in (low - 0.001, 1.001 * high):
        with pytest.raises(ModelRangeError, match=f"^{name}: found"):
            require_link(link._replace(**{name: illegal}))


def test_heights_and_clutter_of_a_profile_have_the_range_of_the_earth() -> None:
    d_km, zeros = D_KM[:3], FLAT[:3]
    require_profile(d_km, zeros - 500.0, zeros)
    require_profile(d_km, zeros + 9000.0, zeros + 1000.0)
    for h_m, clutter_m, said in (
        (zeros - 501.0, zeros, "h_m: found -501"),
        (zeros + 9001.0, zeros, "h_m: found 9001"),
        (zeros, zeros + 1001.0, "clutter_m: found 1001"),
    ):
        with pytest.raises(ModelRangeError, match=said):
            require_profile(d_km, h_m, clutter_m)
    with pytest.raises(ModelRangeError, match="rise from 0"):
        require_profile(D_KM[[0, 1, 1]], zeros, zeros)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"f_ghz": 6.1}, "f_ghz: found 6.1, expected 0.03 to 6"),
        ({"f_ghz": math.nan}, "f_ghz: found nan"),
        ({"p": 0.5}, "p: found 0.5, expected 1 to 50"),
        ({"p": 51.0}, "p: found 51"),
        ({"pl": 99.5}, "pl: found 99.5"),
        ({"htg_m": 0.5}, "htg_m: found 0.5"),
        ({"hrg_m": 3001.0}, "hrg_m: found 3001"),
        ({"dn": 157.0}, "dn: found 157"),
        ({"sigma_db": -1.0}, "sigma_db: found -1"),
    ],
)
def test_number_outside_its_range_is_refused(change: dict[str, float], said: str) -> None:
    link = P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5)._replace(**change)
    with pytest.raises(ModelRangeError, match=said):
        p1812_loss(D_KM, FLAT, link=link)


def test_what_is_no_profile_is_refused() -> None:
    link = P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5)
    for d_km, h_m, said in (
        (D_KM[:2], FLAT[:2], "at least 3"),
        (D_KM, FLAT[:-1], "as many of each"),
        (D_KM + 1.0, FLAT, "rise from 0"),
        (D_KM[[0, 2, 1]], FLAT[:3], "rise from 0"),
        (D_KM[:3], FLAT[:3], "the whole path.: found 0.2, expected 0.25 to 3000"),
        (D_KM, np.where(FLAT == 0.0, np.nan, 0.0), "h_m: found nan"),
    ):
        with pytest.raises(ModelRangeError, match=said):
            p1812_loss(d_km, h_m, link=link)
    with pytest.raises(ModelRangeError, match="clutter_m: found -1"):
        p1812_loss(D_KM, FLAT, FLAT - 1.0, link=link)
    with pytest.raises(ModelRangeError, match="expected 101 codes"):
        p1812_loss(D_KM, FLAT, link=link, zones=Zones(zone=np.full(101, 2)))

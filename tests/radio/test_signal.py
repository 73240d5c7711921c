"""The signal of small networks, against link budgets by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import RULES, mast, predict, relief
from scipy.stats import norm

from phusong.radio.p1812 import P1812Link, p1812_loss
from phusong.radio.signal import Reach
from phusong.radio.tiles import sinr_db

FLAT = relief(np.zeros((41, 61)))
# 30 kHz of thermal noise at -174 dBm/Hz, and a receiver of 7 dB: -174 + 44.77 + 7
NOISE_DBM = -122.23


@pytest.mark.parametrize("exact_m", [0.0, np.inf], ids=["rays", "profiles"])
def test_signal_over_a_plain_is_the_link_budget_by_hand(exact_m: float) -> None:
    # 300 m up, so that the plain takes nothing: EIRP 75 - 35.15 (100 MHz) = 39.85 dBm an element;
    # 2 km away and 298.5 m down the slant is 2.0222 km: 92.4 + 20 log(3.5 × 2.0222) = 109.40 dB.
    found, _ = predict(
        FLAT, mast(20, 20, antenna_height_m=300.0), reach=Reach(radius_m=4000.0, exact_m=exact_m)
    )
    layers = found.services["5g"]
    assert layers["signal_dbm"][20, 40] == pytest.approx(39.85 - 109.40, abs=0.01)
    assert layers["margin_db"][20, 40] == pytest.approx(39.85 - 109.40 + 110.0, abs=0.01)
    assert layers["sinr_db"][20, 40] == pytest.approx(39.85 - 109.40 - NOISE_DBM, abs=0.01)


def test_panel_takes_its_share_off_the_link_budget() -> None:
    # Assumed at 3.5 GHz: 6° of tilt, a vertical beam of 8°. The receiver lies 8.489° below, so
    # that 12 (2.489/8)² = 1.16 dB are lost ahead; beside, of 120° whose panel has 65.0°,
    # 12 (90/65.004)² = 23.00 dB more; behind all that a panel holds back: 25 dB.
    found, network = predict(
        FLAT, mast(20, 30, antenna_height_m=300.0, azimuth_deg=90.0), reach=Reach(radius_m=4000.0)
    )
    signal = found.services["5g"]["signal_dbm"]
    plain = 39.85 - 109.40
    assert signal[20, 50] == pytest.approx(plain - 1.16, abs=0.01)
    assert signal[0, 30] == pytest.approx(plain - 1.16 - 23.00, abs=0.01)
    assert signal[20, 10] == pytest.approx(plain - 25.0, abs=0.01)
    assert network.notes == (
        "assumed downtilt_deg for 1 of 1 sectors: 6 to 6",
        "assumed beamwidth_deg for 1 of 1 sectors: 120",
    )


def test_ridge_shadows_what_lies_behind_it_and_nothing_else() -> None:
    ground = np.zeros((41, 61))
    ground[:, 30] = 150.0
    one = mast(20, 5, technology="4G", frequency_mhz=900.0, bandwidth_mhz=10.0)
    reach = Reach(radius_m=6000.0)
    ridge = predict(relief(ground), one, reach=reach)[0].services["4g"]["signal_dbm"].to_numpy()
    plain = predict(FLAT, one, reach=reach)[0].services["4g"]["signal_dbm"].to_numpy()
    assert np.array_equal(ridge[:, :30], plain[:, :30], equal_nan=True)
    assert ridge[20, 30] > plain[20, 30] + 2.0  # the crest stands high
    assert (ridge[20, 31:60] < plain[20, 31:60] - 15.0).all()
    # 75 - 27.78 dBm an element (50 blocks of LTE), and P.1812's median over that profile
    loss = p1812_loss(
        np.arange(51) * 0.1, ground[20, 5:56], link=P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5)
    )
    assert ridge[20, 55] == pytest.approx(75.0 - 27.78 - loss.lbfs_db - loss.ld50_db, abs=0.01)
    assert loss.ld50_db > 25.0


def test_best_and_second_server_are_the_near_and_the_far_mast() -> None:
    found, network = predict(FLAT, mast(20, 10), mast(20, 50), reach=Reach(radius_m=6000.0))
    layers = found.services["5g"]
    assert network.sectors["site_id"].tolist() == ["S0", "S1"]
    at_west, at_east = layers.isel(y=20, x=12), layers.isel(y=20, x=47)
    assert (int(at_west["server_id"]), int(at_west["second_server"])) == (0, 1)
    assert (int(at_east["server_id"]), int(at_east["second_server"])) == (1, 0)
    assert int(at_west["n_servers"]) == 2
    assert np.array_equal(layers["server_id"][:, :30], np.zeros((41, 30)))
    assert np.array_equal(layers["server_id"][:, 31:], np.ones((41, 30)))


def test_neighbours_disturb_on_one_channel_with_their_load_and_not_on_another() -> None:
    # Half-way both send alike: 1 over the load (noise is 40 dB below), so 3.01 dB at one half.
    pair = mast(20, 10), mast(20, 50)
    reach = Reach(radius_m=6000.0)
    for load, expected in ((0.5, 3.01), (1.0, 0.0), (0.25, 6.02)):
        found, _ = predict(FLAT, *pair, rules=replace(RULES, load=load), reach=reach)
        assert found.services["5g"]["sinr_db"][20, 30] == pytest.approx(expected, abs=0.01)
    for other in ({"frequency_mhz": 3600.0}, {"operator": "B"}):
        found, _ = predict(FLAT, pair[0], pair[1] | other, reach=reach)
        layers = found.services["5g"].isel(y=20, x=30)
        alone = float(layers["signal_dbm"]) - NOISE_DBM
        assert float(layers["sinr_db"]) == pytest.approx(alone, abs=0.01)


def test_sinr_of_nothing_is_not_known() -> None:
    assert np.isnan(sinr_db(np.full((2, 1, 1), np.nan), -120.0, 0.5)).all()


def test_service_takes_the_best_of_its_channels_by_margin() -> None:
    # 4G counts from -105 dBm, 5G from -110: with the same power 5G has 5 dB more to spare
    alike = {"eirp_dbm": 75.0, "bandwidth_mhz": 20.0, "antenna_height_m": 300.0}
    lte = mast(20, 20, technology="4G", frequency_mhz=3500.0, **alike)
    nr = mast(20, 20, technology="5G", frequency_mhz=3500.0, **alike)
    found, network = predict(FLAT, lte, nr, reach=Reach(radius_m=3000.0))
    at = found.services["mbb"].isel(y=20, x=40)
    assert network.sectors["technology"][int(at["server_id"])] == "5G"
    assert network.sectors["technology"][int(at["second_server"])] == "4G"
    # 100 blocks of LTE, 51 of NR at 30 kHz: 75 - 30.79 and 75 - 27.87 dBm an element
    margins = [float(found.services[name]["margin_db"][20, 40]) for name in ("4g", "5g", "mbb")]
    assert margins[0] == pytest.approx(75.0 - 30.79 - 109.40 + 105.0, abs=0.01)
    assert margins[1] == margins[2] == pytest.approx(75.0 - 27.87 - 109.40 + 110.0, abs=0.01)


def test_probability_is_that_of_the_margin_over_both_sigmas() -> None:
    weak = mast(20, 5, eirp_dbm=20.0)
    found, _ = predict(FLAT, weak, reach=Reach(radius_m=6000.0))
    layers = found.services["5g"]
    location_db = float(found.location_db.sel(service="5g"))
    # P.1812-7, §4.8: (0.52 + 0.024 f) w^0.28 at 3.5 GHz and 100 m
    assert location_db == pytest.approx((0.52 + 0.024 * 3.5) * 100.0**0.28, abs=1e-9)
    expected = norm.cdf(layers["margin_db"].to_numpy() / np.hypot(location_db, 8.0))
    assert layers["probability"].to_numpy() == pytest.approx(expected, abs=1e-6)
    assert float(layers["probability"].min()) < 0.1 < 0.9 < float(layers["probability"].max())


def test_beyond_the_radius_is_nothing_and_not_unknown() -> None:
    found, _ = predict(FLAT, mast(20, 5), reach=Reach(radius_m=2000.0))
    at = found.services["5g"].isel(y=20, x=40)
    assert np.isneginf(float(at["margin_db"]))
    assert float(at["probability"]) == 0.0
    assert np.isnan(float(at["signal_dbm"]))
    assert (int(at["server_id"]), int(at["n_servers"])) == (-1, 0)


def test_margins_of_the_surer_of_a_pair_lie_ten_decibels_lower() -> None:
    found, _ = predict(FLAT, mast(20, 5), reach=Reach(radius_m=2000.0))
    margins = found.margins_db.sel(service="5g", operator="A").to_numpy()
    assert found.margins_db["level"].to_numpy().tolist() == ["threshold", "strict"]
    assert margins[1, 20, 20] == pytest.approx(margins[0, 20, 20] - 10.0, abs=1e-4)


def walled() -> np.ndarray:
    """A plain with a wall of unknown heights across it."""
    ground = np.zeros((41, 61))
    ground[:, 30] = np.nan
    return ground


def test_what_lies_behind_a_void_is_not_known() -> None:
    found, _ = predict(relief(walled()), mast(20, 10), reach=Reach(radius_m=4000.0))
    layers = found.services["5g"]
    behind, beyond = layers.isel(y=20, x=40), layers.isel(y=20, x=55)
    for name in ("margin_db", "probability", "signal_dbm"):
        assert np.isnan(float(behind[name])), name
    assert int(behind["server_id"]) == -1
    assert np.isneginf(float(beyond["margin_db"]))  # out of reach whatever stands between


def test_what_another_channel_reaches_is_known_in_any_order() -> None:
    # the channel that comes first sees nothing behind the wall, the second one does
    for names in ("AB", "BA"):
        west, east = mast(20, 10, operator=names[0]), mast(20, 50, operator=names[1])
        found, network = predict(relief(walled()), west, east, reach=Reach(radius_m=4000.0))
        layers = found.services["5g"]
        at = layers.isel(y=20, x=45)
        assert network.sectors["operator"][int(at["server_id"])] == names[1]
        known = np.isfinite(layers["margin_db"].to_numpy())
        margin = (layers["signal_dbm"] + 110.0).to_numpy()
        assert margin[known] == pytest.approx(layers["margin_db"].to_numpy()[known], abs=1e-3)
        assert (layers["server_id"].to_numpy()[known] >= 0).all()

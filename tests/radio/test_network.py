"""Sites as the sweep takes them: budgets by hand, what is assumed, what is left out and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import RULES, mast, relief, sites
from shapely import box

from phusong.errors import CrsError
from phusong.radio.limits import ModelRangeError
from phusong.radio.network import Network, lay_network
from phusong.radio.rules import Offset

FLAT = relief(np.zeros((20, 30)))


def lay(*rows: dict[str, object]) -> Network:
    return lay_network(sites(*rows), FLAT, RULES)


@pytest.mark.parametrize(
    ("site", "eirp_dbm", "noise_dbm"),
    [
        # 273 blocks of 12 elements: 35.15 dB; -174 + 10 log 30e3 + 7
        ({}, 75.0 - 35.15, -122.23),
        # 50 blocks: 27.78 dB; -174 + 10 log 15e3 + 7
        ({"technology": "4G", "frequency_mhz": 900.0, "bandwidth_mhz": 10.0}, 47.22, -125.24),
        # a pilot has a tenth of the power of a 3G carrier; -174 + 10 log 5e6 + 7
        ({"technology": "3G", "frequency_mhz": 2100.0, "bandwidth_mhz": 5.0}, 65.0, -100.01),
        # a 2G carrier is its own reference; -174 + 10 log 200e3 + 7
        ({"technology": "2G", "frequency_mhz": 900.0, "bandwidth_mhz": 0.2}, 75.0, -113.99),
    ],
    ids=["5G", "4G", "3G", "2G"],
)
def test_reference_signal_is_the_eirp_less_its_share_of_the_channel(
    site: dict[str, object], eirp_dbm: float, noise_dbm: float
) -> None:
    one = lay(mast(3, 4, **site)).sectors.iloc[0]
    assert one["eirp_dbm"] == pytest.approx(eirp_dbm, abs=0.01)
    assert one["noise_dbm"] == pytest.approx(noise_dbm, abs=0.01)
    assert (one["row"], one["col"]) == (3, 4)


def test_what_a_site_does_not_say_is_assumed_by_band_and_counted() -> None:
    silent = dict.fromkeys(("eirp_dbm", "bandwidth_mhz", "antenna_height_m"), np.nan)
    network = lay(
        mast(3, 4, **silent), mast(5, 6, technology="4G", frequency_mhz=1800.0, **silent),
        mast(7, 8, technology="4G", frequency_mhz=900.0, bandwidth_mhz=10.0, azimuth_deg=40.0,
             beamwidth_deg=65.0),
    )  # fmt: skip
    # 75 dBm over 100 MHz; 64 dBm over 20 MHz: 100 blocks, 30.79 dB
    assert network.sectors["eirp_dbm"][:2].tolist() == pytest.approx([39.85, 33.21], abs=0.01)
    assert network.sectors["antenna_height_m"].tolist() == [30.0, 30.0, 30.0]
    assert network.sectors["electrical_tilt_deg"].to_numpy() == pytest.approx(
        [np.nan, np.nan, 3.0], nan_ok=True
    )
    assert network.sectors["horizontal_beamwidth_deg"][2] == 65.0  # a panel's own beam stays
    assert network.notes == (
        "assumed eirp_dbm for 2 of 3 sectors: 64 to 75",
        "assumed bandwidth_mhz for 2 of 3 sectors: 20 to 100",
        "assumed antenna_height_m for 2 of 3 sectors: 30 to 30",
        "assumed downtilt_deg for 1 of 3 sectors: 3 to 3",
    )


def test_every_sector_that_cannot_be_predicted_is_listed_with_its_reason() -> None:
    ground = np.zeros((20, 30))
    ground[9, 9] = np.nan
    cells = sites(
        mast(3, 4), mast(5, 6, frequency_mhz=np.nan), mast(7, 8, frequency_mhz=26_000.0),
        mast(9, 9), mast(3, 90), mast(11, 12),
    )  # fmt: skip
    at = cells.columns.get_loc("geometry")
    cells.iloc[5, at] = box(500_100, 2_199_000, 500_200, 2_199_100)
    network = lay_network(cells, relief(ground), RULES)
    assert network.sectors["site_id"].tolist() == ["S0"]
    assert dict(network.left_out[["site_id", "reason"]].to_numpy()) == {
        "S5": "are footprints of the operator's, for which no signal is computed",
        "S4": "stand outside the grid",
        "S3": "stand where the terrain has no height",
        "S1": "have no frequency",
        "S2": "send outside 30 to 6000 MHz, where P.1812 is defined",
    }
    assert len(network.sectors) + len(network.left_out) == len(cells)
    assert network.notes[0].startswith("1 of 6 sectors are footprints of the operator's")


def test_technology_without_a_threshold_is_left_out() -> None:
    rules = replace(RULES, thresholds=tuple(t for t in RULES.thresholds if t.quantity == "RSRP"))
    network = lay_network(sites(mast(3, 4), mast(5, 6, technology="4G", bandwidth_mhz=20.0)),
                          FLAT, rules)  # fmt: skip
    assert network.left_out["reason"].tolist() == ["have a technology without a threshold"]


def test_network_of_no_sector_says_why() -> None:
    network = lay(mast(3, 4, frequency_mhz=np.nan))
    assert network.sectors.empty
    assert network.notes == ("1 of 1 sectors have no frequency: left out (S0)",)


def test_bandwidth_that_no_standard_has_leaves_its_sector_out() -> None:
    network = lay(
        mast(1, 1), mast(3, 4, bandwidth_mhz=7.0),
        mast(5, 5, technology="2G", frequency_mhz=900.0, bandwidth_mhz=0.0),
    )  # fmt: skip
    assert network.sectors["site_id"].tolist() == ["S0"]
    assert network.left_out["site_id"].tolist() == ["S1", "S2"]
    assert network.notes[0] == (
        "2 of 3 sectors have a bandwidth that their standard does not know: left out (S1, S2)"
    )


def test_band_of_which_the_register_assumes_nothing_is_an_error() -> None:
    few = tuple(one for one in RULES.assumptions if one.max_mhz < 2000.0)
    with pytest.raises(ModelRangeError, match=r"no \[\[assumption\]\] for 5G at 3500 MHz"):
        lay_network(sites(mast(3, 4)), FLAT, replace(RULES, assumptions=few))


def test_sites_of_another_crs_are_refused() -> None:
    with pytest.raises(CrsError, match="the grid is in EPSG:5897"):
        lay_network(sites(mast(3, 4)).to_crs("EPSG:5896"), FLAT, RULES)


def test_mast_stands_in_its_sample_of_a_finer_relief() -> None:
    fine = relief(np.zeros((60, 90)), sampling=3)
    one = lay_network(sites(mast(3, 4)), fine, RULES).sectors.iloc[0]
    assert (one["row"], one["col"]) == (10, 13)  # the middle of cells 9 to 11, and 12 to 14


def test_offset_of_drive_tests_is_added_in_its_band_and_told() -> None:
    offset = Offset(
        technologies=("5G",), min_mhz=3300.0, max_mhz=3800.0, offset_db=-4.5, source="tests of May"
    )
    rows = mast(3, 4), mast(5, 6, frequency_mhz=700.0, bandwidth_mhz=10.0), mast(
        7, 8, technology="4G", frequency_mhz=1800.0, bandwidth_mhz=20.0
    )  # fmt: skip
    ground = relief(np.zeros((20, 30)))
    plain = lay_network(sites(*rows), ground, RULES)
    moved = lay_network(sites(*rows), ground, replace(RULES, offsets=(offset,)))
    difference = moved.sectors["eirp_dbm"] - plain.sectors["eirp_dbm"]
    assert difference.tolist() == pytest.approx([-4.5, 0.0, 0.0])
    assert moved.sectors["noise_dbm"].equals(plain.sectors["noise_dbm"])
    assert moved.notes[-1] == "-4.5 dB for 1 of 3 sectors, by measurements: tests of May"

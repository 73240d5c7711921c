"""ITM against NTIA's own test data, and its laws."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st

from phusong.radio.itm import ItmLink, itm_area_loss, itm_loss
from phusong.radio.limits import ModelRangeError

ITM = SHARED / "data" / "radio" / "itm"
EXAMPLES = ITM / "cmd_examples"
LINK = ItmLink(f_mhz=3500.0, h_tx_m=15.0, h_rx_m=3.0, climate=5, n0=301.0, mode=1)
BOTH = (50.0, 75.0, 90.0)


def link_of(row: dict[str, str]) -> ItmLink:
    return ItmLink(
        f_mhz=float(row["f__mhz"]), h_tx_m=float(row["h_tx__meter"]),
        h_rx_m=float(row["h_rx__meter"]), is_vertical=row["pol"] == "1",
        climate=int(row["climate"]), n0=float(row["N_0"]), permittivity=float(row["epsilon"]),
        conductivity_s_m=float(row["sigma"]), mode=int(row["mdvar"]),
        time_pct=float(row["time"]), location_pct=float(row["location"]),
        situation_pct=float(row["situation"]),
    )  # fmt: skip


def read_pfl(line: str) -> tuple[np.ndarray, float]:
    values = [float(field) for field in line.strip().strip(",").split(",")]
    heights = np.array(values[2:])
    assert len(heights) == values[0] + 1
    return heights, values[1]


def rows_of(table: str) -> list[list[float]]:
    """Return the lines of an example's output that hold nothing but numbers."""
    lines = (EXAMPLES / table).read_text(encoding="utf-8").splitlines()
    return [
        [float(field) for field in line.split()]
        for line in lines
        if re.fullmatch(r"\s*[\d.]+(\s+[\d.]+){3,4}\s*", line)
    ]


@pytest.mark.realdata
def test_point_to_point_cases_of_ntia_are_met() -> None:
    profiles = (ITM / "pfls.csv").read_text(encoding="utf-8").splitlines()
    with (ITM / "p2p.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(profiles) == 5
    for row, line in zip(rows, profiles, strict=True):
        heights, step_m = read_pfl(line)
        found = itm_loss(heights, step_m, link=link_of(row)).lb_db
        assert found == pytest.approx(float(row["A__db"]), abs=0.0051)


@pytest.mark.realdata
def test_area_cases_of_ntia_are_met() -> None:
    with (ITM / "area.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    for row in rows:
        siting = (int(row["tx_siting_criteria"]), int(row["rx_siting_criteria"]))
        found = itm_area_loss(
            float(row["d__km"]), delta_h_m=float(row["delta_h__meter"]), link=link_of(row),
            siting=siting,
        )  # fmt: skip
        assert found.lb_db == pytest.approx(float(row["A__db"]), abs=0.051)


@pytest.mark.realdata
def test_table_of_area_losses_of_ntia_is_met_from_10_to_1000_km() -> None:
    link = ItmLink(f_mhz=10_000.0, h_tx_m=3.0, h_rx_m=3.0, climate=5, n0=301.0, mode=3,
                   time_pct=90.0)  # fmt: skip
    table = rows_of("o_areacr_tbl.txt")
    assert len(table) == 19
    for d_km, free_db, *losses_db in table:
        found = [itm_area_loss(d_km, delta_h_m=0.0, link=link._replace(situation_pct=share))
                 for share in BOTH]  # fmt: skip
        assert found[0].free_space_db == pytest.approx(free_db, abs=0.051)
        assert [one.lb_db for one in found] == pytest.approx(losses_db, abs=0.051)


@pytest.mark.realdata
def test_example_profile_of_ntia_is_met_with_what_it_reads_from_it() -> None:
    heights, step_m = read_pfl((EXAMPLES / "pfl.txt").read_text(encoding="utf-8"))
    loss = itm_loss(heights, step_m, link=LINK)
    assert loss.lb_db == pytest.approx(114.5, abs=0.051)
    assert loss.theta_tx_rad == pytest.approx(-1.949e-3, abs=1e-6)
    assert loss.theta_rx_rad == pytest.approx(-0.856e-3, abs=1e-6)
    assert (loss.horizon_tx_m, loss.horizon_rx_m) == pytest.approx((14868, 6494), abs=1.0)
    assert loss.delta_h_m == pytest.approx(3.2, abs=0.051)
    table = rows_of("o_p2pcr_tbl.txt")
    assert [row[0] for row in table] == [10.0, 65.0, 90.0]
    for reliability, *losses_db in table:
        found = [
            itm_loss(heights, step_m, link=LINK._replace(time_pct=reliability, situation_pct=s))
            for s in (10.0, 60.0, 90.0)
        ]
        assert [one.lb_db for one in found] == pytest.approx(losses_db, abs=0.051)


@given(
    st.lists(st.floats(0.0, 300.0), min_size=41, max_size=41).map(np.array),
    st.floats(2.0, 100.0), st.floats(2.0, 100.0),
)  # fmt: skip
def test_path_loses_the_same_both_ways(h_m: np.ndarray, h_tx_m: float, h_rx_m: float) -> None:
    there = itm_loss(h_m, 250.0, link=LINK._replace(h_tx_m=h_tx_m, h_rx_m=h_rx_m))
    back = itm_loss(h_m[::-1], 250.0, link=LINK._replace(h_tx_m=h_rx_m, h_rx_m=h_tx_m))
    assert (there.theta_tx_rad, there.theta_rx_rad) == pytest.approx(
        (back.theta_rx_rad, back.theta_tx_rad)
    )
    assert (there.horizon_tx_m, there.horizon_rx_m) == pytest.approx(
        (back.horizon_rx_m, back.horizon_tx_m)
    )


@pytest.mark.parametrize("mode", [0, 1, 2, 3, 12])
def test_loss_not_exceeded_in_more_situations_is_larger(mode: int) -> None:
    link = LINK._replace(mode=mode)
    losses = [itm_area_loss(30.0, delta_h_m=90.0, link=link._replace(situation_pct=share)).lb_db
              for share in (10.0, 50.0, 90.0)]  # fmt: skip
    assert losses == sorted(losses)
    assert losses[2] > losses[0] + 5.0


def test_situations_do_not_matter_where_they_are_left_out() -> None:
    link = LINK._replace(mode=23)
    few, many = (itm_area_loss(30.0, delta_h_m=90.0, link=link._replace(situation_pct=share))
                 for share in (10.0, 90.0))  # fmt: skip
    assert few.lb_db == pytest.approx(many.lb_db, abs=1e-6)


def test_care_in_siting_never_costs() -> None:
    losses = [itm_area_loss(30.0, delta_h_m=90.0, link=LINK, siting=(care, 0)).lb_db
              for care in (0, 1, 2)]  # fmt: skip
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > losses[2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"f_mhz": 19.0}, "f_mhz: found 19"),
        ({"h_tx_m": 0.4}, "h_tx_m: found 0.4"),
        ({"n0": 401.0}, "n0: found 401"),
        ({"climate": 8}, "climate: found 8, expected one of 1, 2"),
        ({"mode": 4}, "mode: found 4"),
        ({"time_pct": 100.0}, "time_pct: found 100"),
        ({"permittivity": 0.5}, "permittivity"),
    ],
)
def test_number_outside_its_range_is_refused(change: dict[str, float], said: str) -> None:
    with pytest.raises(ModelRangeError, match=said):
        itm_loss(np.zeros(101), 100.0, link=LINK._replace(**change))


def test_path_too_short_or_too_long_is_refused() -> None:
    with pytest.raises(ModelRangeError, match="distance_m: found 500, expected 1000 to 2e"):
        itm_loss(np.zeros(11), 50.0, link=LINK)
    with pytest.raises(ModelRangeError, match="distance_m"):
        itm_area_loss(2001.0, delta_h_m=90.0, link=LINK)
    with pytest.raises(ModelRangeError, match="at least 3 heights"):
        itm_loss(np.zeros(2), 5000.0, link=LINK)
    with pytest.raises(ModelRangeError, match="siting"):
        itm_area_loss(10.0, delta_h_m=90.0, link=LINK, siting=(0, 3))

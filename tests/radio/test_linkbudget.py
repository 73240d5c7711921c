"""Power of one element, and how sure a signal is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from phusong.radio.limits import ModelRangeError
from phusong.radio.linkbudget import element_share_db, resource_blocks, rsrp_dbm
from phusong.radio.reliability import area_share, combine_sigmas_db, covered_share


@pytest.mark.parametrize(
    ("technology", "mhz", "khz", "below_db"),
    [
        ("5G", 100, 30, 35.15),
        ("5G NSA", 10, 15, 27.95),
        ("4G", 10, 15, 27.78),
        ("4G", 20, 15, 30.79),
    ],
)
def test_one_element_is_below_its_channel(
    technology: str, mhz: float, khz: int, below_db: float
) -> None:
    blocks = resource_blocks(mhz, technology=technology, spacing_khz=khz)
    assert element_share_db(blocks) == pytest.approx(below_db, abs=0.005)


def test_blocks_fit_into_their_channel() -> None:
    # 12 subcarriers a block, and guard bands at both sides
    for khz in (15, 30, 60):
        for mhz in (10, 20, 40, 50):
            used_mhz = resource_blocks(mhz, technology="5G", spacing_khz=khz) * 12 * khz / 1000.0
            assert 0.75 * mhz < used_mhz < mhz


def test_signal_is_the_sum_of_the_budget() -> None:
    # 73 - 35.15 + 6 - 9 - 2 - 110 = -77.15
    found = rsrp_dbm(np.array([110.0, 120.0]), eirp_dbm=73.0, n_blocks=273, gain_db=-2.0,
                     boost_db=6.0, margin_db=9.0)  # fmt: skip
    assert found == pytest.approx([-77.15, -87.15], abs=0.005)


def test_channel_that_no_standard_has_is_refused() -> None:
    with pytest.raises(ModelRangeError, match="bandwidth_mhz: found 100"):
        resource_blocks(100, technology="5G", spacing_khz=15)
    with pytest.raises(ModelRangeError, match="spacing_khz: found 30"):
        resource_blocks(10, technology="4G", spacing_khz=30)
    with pytest.raises(ModelRangeError, match="technology: found '3G'"):
        resource_blocks(5, technology="3G")
    with pytest.raises(ModelRangeError, match="n_blocks: found 0"):
        element_share_db(0)


def test_cell_at_its_threshold_is_covered_half_the_time() -> None:
    shares = covered_share(np.array([-113.0, -105.0, -97.0, np.nan]), threshold_dbm=-105.0,
                           sigma_db=8.0)  # fmt: skip
    assert shares[:3] == pytest.approx([0.1587, 0.5, 0.8413], abs=1e-4)
    assert np.isnan(shares[3])
    with pytest.raises(ModelRangeError, match="sigma_db: found 0"):
        covered_share(-100.0, threshold_dbm=-105.0, sigma_db=0.0)
    assert combine_sigmas_db(location_db=5.5, model_db=0.0) == 5.5


def test_area_of_jakes_is_the_published_one() -> None:
    # Jakes (1974), figure 2.5-1: edge 75 %, σ 8 dB, n 4 → 90.7 % (σ/n = 2)
    assert area_share(0.75, sigma_db=8.0, exponent=4.0) == pytest.approx(0.907, abs=0.0005)


@given(st.floats(0.05, 0.95), st.floats(1.0, 15.0), st.floats(1.5, 5.0))
def test_area_of_jakes_is_the_mean_over_the_disc(edge: float, sigma_db: float, n: float) -> None:
    radius = (np.arange(20_000) + 0.5) / 20_000
    share = ndtr(ndtri(edge) - 10.0 * n * np.log10(radius) / sigma_db)
    mean = float((share * radius).sum() / radius.sum())
    assert area_share(edge, sigma_db=sigma_db, exponent=n) == pytest.approx(mean, abs=1e-4)

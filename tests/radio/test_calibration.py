"""Calibration on made-up drive tests whose errors are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phusong.radio.calibration import calibrate
from phusong.radio.limits import ModelRangeError


def drive(
    n: int = 3000, *, offset_db: float = 0.0, sigma_db: float = 0.0, location_db: float = 0.0,
    step_m: float = 50.0, seed: int = 0, **columns: object,
) -> pd.DataFrame:  # fmt: skip
    """A drive along a line; what the model gets wrong is one number in each km."""
    rng = np.random.default_rng(seed)
    x_m = step_m * np.arange(n)
    block = (x_m // 1000.0).astype(int)
    error_db = offset_db + rng.normal(0.0, sigma_db, int(block.max(initial=0)) + 1)[block]
    error_db = error_db + rng.normal(0.0, location_db, n)
    predicted_dbm = rng.uniform(-120.0, -70.0, n)
    plain = {"band": "3500", "clutter": "open", "x_m": x_m, "y_m": 0.0,
             "predicted_dbm": predicted_dbm, "measured_dbm": predicted_dbm + error_db}  # fmt: skip
    return pd.DataFrame(plain | columns)


def test_offset_and_sigmas_are_those_that_were_put_in() -> None:
    # 500 blocks: the mean is known within 6/√350 = 0.3 dB, the sd within 0.25 dB
    tests = drive(10_000, offset_db=-7.0, sigma_db=6.0, location_db=4.0)
    (row,) = calibrate(tests, location_db=4.0).to_dict("records")
    assert row["n_blocks"] == 500
    assert row["offset_db"] == pytest.approx(-7.0, abs=0.9)
    assert row["model_sigma_db"] == pytest.approx(6.0, abs=0.7)
    assert row["refused"] == ""


def test_errors_are_those_of_the_samples_held_out_before_and_after() -> None:
    (row,) = calibrate(drive(2000, offset_db=5.0), location_db=0.0).to_dict("records")
    assert (row["n_blocks"], row["n_held_out"]) == (100, 30 * 20)
    assert row["offset_db"] == pytest.approx(5.0)
    assert row["model_sigma_db"] == pytest.approx(0.0, abs=1e-6)
    before = [row[f"{name}_before_db"] for name in ("mean", "sd", "rmse")]
    assert before == pytest.approx([5.0, 0.0, 5.0], abs=1e-9)
    after = [row[f"{name}_after_db"] for name in ("mean", "sd", "rmse")]
    assert after == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
    noisy = calibrate(drive(6000, offset_db=5.0, sigma_db=6.0, seed=4), location_db=0.0).iloc[0]
    assert abs(noisy["mean_after_db"]) < abs(noisy["mean_before_db"])
    assert noisy["sd_after_db"] == pytest.approx(noisy["sd_before_db"])  # an offset moves no sd
    assert noisy["rmse_after_db"] ** 2 == pytest.approx(
        noisy["mean_after_db"] ** 2 + noisy["sd_after_db"] ** 2
    )


def test_held_out_samples_have_no_say_in_the_fit() -> None:
    tests = drive(2000, offset_db=5.0, sigma_db=3.0)
    found = calibrate(tests, location_db=0.0).iloc[0]
    fit = np.random.default_rng(0).permutation(100)[30:]  # as the docstring says: a fixed seed
    is_fitted = np.isin(tests["x_m"] // 1000.0, fit)
    wild = tests.assign(measured_dbm=tests["measured_dbm"].where(is_fitted, 40.0))
    again = calibrate(wild, location_db=0.0).iloc[0]
    assert again["offset_db"] == found["offset_db"]
    assert again["rmse_after_db"] > 50.0


def test_block_counts_once_however_long_the_car_stood_there() -> None:
    tests = drive(4000, offset_db=0.0)
    stop = tests[tests["x_m"] // 1000.0 == 57].assign(measured_dbm=lambda t: t["predicted_dbm"] + 9)
    stopped = pd.concat([tests[tests["x_m"] // 1000.0 != 57], *[stop] * 20])
    offset = calibrate(stopped, location_db=0.0)["offset_db"].iloc[0]
    assert abs(offset) <= 9.0 / 140 + 1e-9  # one of 140 blocks, or held out


def test_bands_and_clutter_are_calibrated_apart() -> None:
    tests = pd.concat([
        drive(2000, offset_db=3.0), drive(2000, offset_db=-4.0, clutter="trees"),
        drive(2000, offset_db=1.0, band="700"),
    ])  # fmt: skip
    found = calibrate(tests, location_db=0.0).set_index(["band", "clutter"])["offset_db"]
    assert found.round(6).to_dict() == {
        ("3500", "open"): 3.0, ("3500", "trees"): -4.0, ("700", "open"): 1.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        (drive(99, step_m=1000.0), "99 samples, at least 100"),
        (drive(3000, step_m=1.0), "lie in 3 blocks, at least 20"),
        (pd.concat([drive(200, step_m=1000.0), drive(100, step_m=1.0)]), "lie in one block"),
    ],
)
def test_too_few_or_clustered_samples_are_refused(tests: pd.DataFrame, said: str) -> None:
    with pytest.raises(ModelRangeError, match=said):
        calibrate(tests, location_db=3.0)
    beside = pd.concat([tests.assign(band="700"), drive(2000, offset_db=2.0)])
    found = calibrate(beside, location_db=0.0).set_index("band")
    assert said in found.loc["700", "refused"]
    assert np.isnan(found.loc["700", ["offset_db", "model_sigma_db", "rmse_after_db"]].astype(float)
                    ).all()  # fmt: skip
    assert found.loc["3500", "offset_db"] == pytest.approx(2.0)


def test_rows_with_a_gap_are_counted() -> None:
    tests = drive(2000)
    tests.loc[tests.index[:7], "measured_dbm"] = np.nan
    found = calibrate(tests, location_db=0.0).iloc[0]
    assert (found["n_missing"], found["n_samples"]) == (7, 1993)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"measurements": drive(10).drop(columns="x_m")}, "missing x_m"),
        ({"measurements": drive(0)}, "no row"),
        ({"held_out": 0.9}, "held_out: found 0.9"),
        ({"location_db": -1.0}, "location_db: found -1"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    given = {"measurements": drive(2000), "location_db": 3.0} | changes
    with pytest.raises(ModelRangeError, match=said):
        calibrate(**given)

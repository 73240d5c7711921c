"""Wilson's interval against published figures; resampled clusters against simulated truths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.sampling import SamplingRule, summarise_samples, wilson

RULE = SamplingRule(confidence=0.9, least_samples=30, least_clusters=10, resamples=300, seed=126)
DAY = pd.Timestamp("2026-06-30")


def samples(values: np.ndarray, clusters: np.ndarray, *, place: str = "A") -> pd.DataFrame:
    return pd.DataFrame(
        {"place": place, "value": values, "weight": 1.0, "cluster": clusters, "day": DAY}
    )


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_wilson_gives_newcombes_figures(
    successes: int, trials: int, low: float, high: float
) -> None:
    """Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3."""
    found = wilson(successes, trials, confidence=0.95)
    assert np.round(found, 4).tolist() == [low, high]


def test_wilson_without_trials_knows_nothing() -> None:
    assert [end.item() for end in wilson(0, 0, confidence=0.9)] == [0.0, 1.0]


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0.5, 0.99))
def test_wilson_holds_the_share_and_narrows_with_trials(n: int, p: float, level: float) -> None:
    low, high = wilson(n * p, n, confidence=level)
    fewer = wilson(n * p / 2, n / 2, confidence=level)
    assert 0 <= low <= p <= high <= 1
    assert high - low <= fewer[1] - fewer[0] + 1e-12


def test_agreeing_samples_are_worth_their_clusters() -> None:
    """Forty tests in ten tiles that all pass: as sure as ten that pass, 10 / (10 + 1.6449²)."""
    rows = samples(np.ones(40), np.repeat(np.arange(10), 4))
    found = summarise_samples(rows, ["place"], "value", kind="share", rule=RULE).iloc[0]
    assert (found["value"], found["high"]) == (1.0, 1.0)
    assert found["low"] == pytest.approx(10 / (10 + 1.6448536**2), abs=1e-6)
    assert (found["n_samples"], found["n_clusters"]) == (40, 10)


def test_alike_clusters_widen_the_interval() -> None:
    """Twenty tiles of ten tests, half of them passing: within each tile, or tile by tile."""
    tile = np.repeat(np.arange(20), 10)
    mixed = samples(np.tile([0.0, 1.0], 100), tile)
    apart = samples((tile < 10).astype(float), tile)
    widths = []
    for rows in (mixed, apart):
        found = summarise_samples(rows, ["place"], "value", kind="share", rule=RULE).iloc[0]
        assert found["value"] == 0.5
        widths.append(found["high"] - found["low"])
    # no more than 200 samples on the one hand, no fewer than about 20 on the other
    assert widths[0] == pytest.approx(0.122, abs=0.01)
    assert widths[1] == pytest.approx(0.374, abs=0.04)


@pytest.mark.parametrize(("n_clusters", "each"), [(9, 10), (29, 1)])
def test_few_samples_are_unknown(n_clusters: int, each: int) -> None:
    rows = samples(np.ones(n_clusters * each), np.repeat(np.arange(n_clusters), each))
    found = summarise_samples(rows, ["place"], "value", kind="share", rule=RULE).iloc[0]
    assert np.isnan(found["value"])
    assert (found["low"], found["high"]) == (0.0, 1.0)


def test_mean_is_weighted_and_has_its_interval_around_it() -> None:
    rows = samples(np.arange(1.0, 41.0), np.repeat(np.arange(20), 2)).assign(weight=2.0)
    found = summarise_samples(rows, ["place"], "value", kind="mean", rule=RULE).iloc[0]
    assert found["value"] == pytest.approx(20.5)
    assert found["n_samples"] == 80
    # clusters' means 1.5, 3.5 … 39.5: standard error √(133 × 20/19 ÷ 20) = 2.65, t(19) = 1.729
    assert found["low"] == pytest.approx(20.5 * np.exp(-1.729 * 2.65 / 20.5), rel=0.04)
    assert found["low"] * found["high"] == pytest.approx(20.5**2)


def test_groups_and_the_order_of_rows_do_not_change_each_other() -> None:
    rng = np.random.default_rng(3)
    rows = pd.concat(
        [samples(rng.integers(0, 2, 60).astype(float), np.repeat(np.arange(12), 5), place=place)
         for place in "ABC"]
    )  # fmt: skip
    whole = summarise_samples(rows, ["place"], "value", kind="share", rule=RULE)
    shuffled = summarise_samples(
        rows.sample(frac=1, random_state=1), ["place"], "value", kind="share", rule=RULE
    )
    alone = summarise_samples(
        rows[rows["place"] == "B"], ["place"], "value", kind="share", rule=RULE
    )
    pd.testing.assert_frame_equal(whole, shuffled)
    pd.testing.assert_frame_equal(whole[whole["place"] == "B"].reset_index(drop=True), alone)


def simulated(truths: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Communes of 10 to 40 tiles; how many tests of a tile pass varies about the truth."""
    parts = []
    for i, truth in enumerate(truths):
        n = int(rng.integers(10, 41))
        alike = rng.uniform(0.05, 0.3)  # correlation of two tests of a tile
        tile = rng.beta(truth * (1 / alike - 1), (1 - truth) * (1 / alike - 1), n)
        tests = 3 + rng.poisson(7, n)
        cluster = np.repeat(np.arange(n), tests)
        passes = (rng.random(len(cluster)) < tile[cluster]).astype(float)
        parts.append(samples(passes, cluster, place=f"{i:05d}"))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ninety_percent_intervals_hold_the_truth_that_often(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truths = rng.uniform(0.03, 0.97, 1500)
    found = summarise_samples(simulated(truths, rng), ["place"], "value", kind="share", rule=RULE)
    holds = (found["low"] <= truths) & (truths <= found["high"])
    assert found["value"].notna().all()
    assert 0.87 <= holds.mean() <= 0.93


def test_intervals_of_means_hold_that_often_too() -> None:
    rng = np.random.default_rng(4)
    parts, truths = [], rng.uniform(20, 200, 1000)
    for i, truth in enumerate(truths):
        n = int(rng.integers(10, 41))
        level = np.log(truth) + rng.normal(-0.5 * 0.4**2, 0.4, n)
        cluster = np.repeat(np.arange(n), 3 + rng.poisson(5, n))
        speeds = np.exp(level[cluster] + rng.normal(-0.5 * 0.5**2, 0.5, len(cluster)))
        parts.append(samples(speeds, cluster, place=f"{i:05d}"))
    found = summarise_samples(pd.concat(parts), ["place"], "value", kind="mean", rule=RULE)
    assert 0.87 <= ((found["low"] <= truths) & (truths <= found["high"])).mean() <= 0.93

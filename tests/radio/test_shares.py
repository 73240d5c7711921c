"""Shares as expectations, with their interval, against sums by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from conftest import square_communes
from networks import RULES
from scipy.stats import norm

from phusong.grid import grid_over
from phusong.radio.limits import ModelRangeError
from phusong.radio.shares import disc_correlation, measure_signal
from phusong.radio.signal import Prediction
from phusong.zonal import overlap_zones

AS_OF = date(2026, 6, 30)
COMMUNES = square_communes(2).assign(polygon_km2=4.0)
GRID = grid_over(COMMUNES, crs="EPSG:5897")
WEIGHTS = overlap_zones(COMMUNES, GRID)
LOCATION_DB, MODEL_DB = 6.0, 8.0  # 10 together
RULES_10 = replace(RULES, model_sigma_db=MODEL_DB, interval=0.9)


def prediction(margins_db: dict[str, np.ndarray], strict_by_db: float = 0.0) -> Prediction:
    """One service of some operators, from margins on 20 × 40 cells."""
    margin = np.stack(list(margins_db.values())).astype("float32")
    levels = np.stack([margin, margin - np.float32(strict_by_db)])[:, None]
    layers = xr.DataArray(
        levels, dims=("level", "service", "operator", "y", "x"),
        coords={"level": ["threshold", "strict"], "service": ["5g"],
                "operator": list(margins_db), "y": GRID.y, "x": GRID.x},
        attrs={"crs": GRID.crs, "cell_m": GRID.cell_m},
    )  # fmt: skip
    return Prediction(
        services={}, margins_db=layers, location_db=xr.DataArray([LOCATION_DB], dims="service",
                                                    coords={"service": ["5g"]}), n_points=0,
    )  # fmt: skip


def measure(
    margins_db: dict[str, np.ndarray], *, strict_by_db: float = 0.0, correlation_m: float = 1000.0,
    **others: object,
) -> pd.DataFrame:  # fmt: skip
    found = measure_signal(
        COMMUNES, prediction(margins_db, strict_by_db), WEIGHTS,
        replace(RULES_10, correlation_m=correlation_m), as_of=AS_OF, **others,
    )  # fmt: skip
    return found.set_index(["indicator", "operator", "commune_code"]).sort_index()


def even(value: float) -> np.ndarray:
    return np.full(GRID.shape, value)


def halves(west: float, east: float) -> np.ndarray:
    """Each commune is 20 cells wide: its western and its eastern half."""
    return np.tile(np.repeat([west, east], 10), 2) * np.ones(GRID.shape)


def test_share_is_the_mean_probability_of_the_cells() -> None:
    rows = measure({"A": halves(10.0, -10.0)})
    # Φ(1) = 0.8413 on one half, 0.1587 on the other
    assert rows.loc[("share_area", "A"), "share"].to_numpy() == pytest.approx(0.5, abs=1e-6)
    rows = measure({"A": halves(10.0, -np.inf)})
    assert rows.loc[("share_area", "A"), "share"].to_numpy() == pytest.approx(
        0.841345 / 2, abs=1e-6
    )
    assert (rows["evidence"] == "modelled").all()


def test_interval_of_errors_that_all_share_is_the_whole_error() -> None:
    one = measure({"A": even(10.0)}, correlation_m=1e6).loc[("share_area", "A", "00001")]
    # 90 %: 1.645 × 8 dB up or down for all cells at once, and only places differ within
    assert one["share"] == pytest.approx(norm.cdf(1.0), abs=1e-6)
    assert one["share_low"] == pytest.approx(norm.cdf((10 - 1.6449 * 8) / 6), abs=0.005)
    assert one["share_high"] == pytest.approx(norm.cdf((10 + 1.6449 * 8) / 6), abs=0.005)


def test_errors_that_nobody_shares_average_out() -> None:
    one = measure({"A": even(10.0)}, correlation_m=1.0).loc[("share_area", "A", "00001")]
    assert one["share_low"] == pytest.approx(one["share"], abs=2e-3)
    assert one["share_high"] == pytest.approx(one["share"], abs=2e-3)


def test_interval_holds_the_share_of_simulated_errors() -> None:
    # a field of errors over a commune of 400 cells, its correlation exp(-d / 1000 m), drawn 4,000
    # times; and the share that each draw gives
    rng = np.random.default_rng(8)
    y, x = np.meshgrid(np.arange(20) * 100.0, np.arange(20) * 100.0)
    away = np.hypot(x.ravel()[:, None] - x.ravel(), y.ravel()[:, None] - y.ravel())
    root = np.linalg.cholesky(np.exp(-away / 1000.0) + 1e-9 * np.eye(400))
    errors = MODEL_DB * root @ rng.standard_normal((400, 4000))
    drawn = norm.cdf((5.0 + errors) / LOCATION_DB).mean(axis=0)
    one = measure({"A": even(5.0)}).loc[("share_area", "A", "00001")]
    inside = (drawn >= one["share_low"]) & (drawn <= one["share_high"])
    assert drawn.mean() == pytest.approx(one["share"], abs=0.01)
    assert 0.85 < inside.mean() < 0.95


def test_low_is_at_the_surer_threshold_of_a_pair() -> None:
    with_pair = measure({"A": even(10.0)}, strict_by_db=10.0, correlation_m=1.0)
    one = with_pair.loc[("share_area", "A", "00001")]
    assert one["share_low"] == pytest.approx(norm.cdf(0.0), abs=2e-3)
    assert one["share"] == pytest.approx(norm.cdf(1.0), abs=1e-6)


def test_people_count_where_they_live() -> None:
    persons = np.zeros(GRID.shape)
    persons[:, 15:20] = 2.0  # all of the first commune's in its eastern half, nobody in the second
    rows = measure({"A": halves(10.0, -np.inf)}, persons=GRID.to_array(persons, unit="persons"))
    living = rows.loc[("share_population", "A")]
    assert living.loc["00001", "share"] == 0.0
    assert np.isnan(living.loc["00002", "share"])
    assert living.loc["00002", ["share_low", "share_high"]].tolist() == [0.0, 1.0]
    assert living["denominator"].tolist() == [1000.0, 2000.0]  # the communes' own


def test_people_whose_place_is_not_known_keep_open_bounds() -> None:
    persons = GRID.to_array(np.ones(GRID.shape), unit="persons")
    rows = measure({"A": even(10.0)}, persons=persons, placing="areas")
    one = rows.loc[("share_population", "A", "00001")]
    assert one["share"] == pytest.approx(norm.cdf(1.0), abs=1e-6)
    assert one[["share_low", "share_high"]].tolist() == [0.0, 1.0]


def test_people_spread_evenly_have_the_share_of_the_area() -> None:
    rows = measure({"A": halves(10.0, -np.inf)}, placing="even")
    one = rows.loc[("share_population", "A", "00001")]
    assert one["share"] == pytest.approx(0.841345 / 2, abs=1e-6)
    assert one[["share_low", "share_high"]].tolist() == [0.0, 1.0]
    nowhere = measure({"A": even(-np.inf)}, placing="even").loc[("share_population", "A", "00001")]
    assert nowhere[["share", "share_low", "share_high"]].tolist() == [0.0, 0.0, 0.0]
    everywhere = measure({"A": even(500.0)}, placing=None).loc[("share_population", "A", "00001")]
    assert np.isnan(everywhere["share"])
    assert everywhere[["share_low", "share_high"]].tolist() == [1.0, 1.0]


def test_unknown_terrain_is_not_covered_and_may_be() -> None:
    one = measure({"A": halves(np.inf, np.nan)}).loc[("share_area", "A", "00001")]
    assert one[["share", "share_low", "share_high"]].tolist() == [0.5, 0.5, 1.0]


def test_any_is_the_best_operator_and_two_or_more_the_second_best() -> None:
    rows = measure({"A": even(10.0), "B": halves(0.0, 20.0), "C": even(-np.inf)})
    share = rows.xs(("share_area", "00001"), level=(0, 2))["share"]
    assert share["any"] == pytest.approx((norm.cdf(1.0) + norm.cdf(2.0)) / 2, abs=1e-6)
    assert share["two_or_more"] == pytest.approx((norm.cdf(0.0) + norm.cdf(1.0)) / 2, abs=1e-6)
    assert share["C"] == 0.0
    alone = measure({"A": even(10.0)}).xs(("share_area", "00001"), level=(0, 2))["share"]
    assert alone["two_or_more"] == 0.0


def test_correlation_of_a_disc_is_that_of_drawn_pairs() -> None:
    rng = np.random.default_rng(5)
    radius = 1000.0 * np.sqrt(rng.random((2, 200_000)))
    turn = 2.0 * np.pi * rng.random((2, 200_000))
    x, y = radius * np.cos(turn), radius * np.sin(turn)
    drawn = np.exp(-np.hypot(x[0] - x[1], y[0] - y[1]) / 700.0).mean()
    assert disc_correlation(np.pi * 1e6, 700.0) == pytest.approx(drawn, abs=0.002)
    assert disc_correlation(0.0, 700.0) == 1.0


def test_prediction_of_another_grid_is_refused() -> None:
    other = overlap_zones(COMMUNES, grid_over(COMMUNES, crs="EPSG:5897", cell_m=200.0))
    with pytest.raises(ModelRangeError, match="not on the grid of the communes"):
        measure_signal(COMMUNES, prediction({"A": even(1.0)}), other, RULES_10, as_of=AS_OF)

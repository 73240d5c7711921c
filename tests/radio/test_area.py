"""The signal of one area, with masts beyond it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from networks import RULES, SERVICES, mast, sites

from phusong.grid import Grid
from phusong.radio.area import AreaSignal, Land, predict_area
from phusong.radio.limits import ModelRangeError
from phusong.radio.signal import Reach

GRID = Grid(crs="EPSG:5897", x_min=500_000, y_max=2_200_000, cell_m=100, shape=(20, 30))


def land(**others: object) -> Land:
    """A hilly ground 10 km around the grid."""
    wide = Grid(crs="EPSG:5897", x_min=490_000, y_max=2_210_000, cell_m=100, shape=(220, 230))
    rng = np.random.default_rng(3)
    return Land(
        terrain=wide.to_array(60.0 * rng.random(wide.shape), unit="m"),
        **({"kind": "ground"} | others),
    )


def predict(grid: Grid, *rows: dict[str, object], **others: object) -> AreaSignal:
    return predict_area(
        grid, sites(*rows), land(**others), RULES, services=SERVICES, operators=["A"],
        reach=Reach(radius_m=3000.0),
    )  # fmt: skip


def test_mast_beyond_the_area_reaches_in_as_it_would_on_a_larger_one() -> None:
    masts = mast(10, 10), mast(10, 45), mast(10, 70)
    small = predict(GRID, *masts)
    large = predict(
        Grid(crs="EPSG:5897", x_min=500_000, y_max=2_200_000, cell_m=100, shape=(20, 90)), *masts
    )
    here = small.prediction.services["5g"]
    assert here["signal_dbm"].shape == GRID.shape
    assert here["x"].to_numpy().tolist() == GRID.x.tolist()
    assert (here["server_id"] == 1).any()
    there = large.prediction.services["5g"].isel(x=slice(0, 30))
    for name in ("signal_dbm", "server_id", "margin_db"):
        xr.testing.assert_allclose(here[name].drop_attrs(), there[name].drop_attrs(), atol=1e-4)
    assert small.network.left_out.to_numpy().tolist() == [
        ["S2", "1", "stand farther than 3 km from the area"]
    ]
    assert small.notes[0] == ("1 of 3 sectors stand farther than 3 km from the area: left out (S2)")


def test_samples_without_height_or_clutter_are_counted() -> None:
    holed = land()
    holed.terrain[105, 108:112] = np.nan
    cover = GRID.to_array(np.full(GRID.shape, 2.0), unit="m")[:, :25]
    found = predict_area(
        GRID, sites(mast(10, 10)), Land(terrain=holed.terrain, kind="ground", cover=cover), RULES,
        services=SERVICES, operators=["A"], reach=Reach(radius_m=3000.0),
    )  # fmt: skip
    assert found.relief.n_voids > 0
    assert found.relief.n_bare == 20 * 5
    assert found.notes[0].startswith(f"{found.relief.n_voids} of 600 samples have no height")
    assert "100 of 600 samples have no clutter" in found.notes[1]


def test_area_that_memory_should_not_hold_is_refused_before_it_is_laid() -> None:
    vast = Grid(crs="EPSG:5897", x_min=0, y_max=2_200_000, cell_m=100, shape=(20_000, 15_000))
    with pytest.raises(ModelRangeError, match="300 million, at most 200 million"):
        predict(vast, mast(10, 10))

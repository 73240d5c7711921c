"""Tiles: the same bits however an area is cut, whoever computes, and whatever is known already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from networks import RULES, SERVICES, mast, relief, sites

from phusong.io.tile_store import TileFolder
from phusong.radio import tiles as tiles_module
from phusong.radio.network import lay_network
from phusong.radio.relief import Relief
from phusong.radio.signal import Prediction, Reach, predict_signal
from phusong.radio.tiles import TileSignal
from phusong.workers import open_client

SHAPE = (70, 90)
REACH = Reach(radius_m=1500.0, exact_m=400.0)


def ground(*, with_voids: bool = True, sampling: int = 1) -> Relief:
    rng = np.random.default_rng(20261125)
    heights = 80.0 * rng.random((SHAPE[0] * sampling, SHAPE[1] * sampling))
    if with_voids:
        heights[30 * sampling : 34 * sampling, 20 * sampling : 40 * sampling] = np.nan
    return relief(heights, sampling=sampling)


def masts() -> list[dict[str, object]]:
    """Masts of two operators; some with two bands and two sectors of each."""
    rng = np.random.default_rng(7)
    rows = []
    for i, (row, col) in enumerate(rng.integers(2, (28, SHAPE[1] - 2), (8, 2))):
        name = {"site_id": f"M{i}", "operator": "AB"[i % 2]}
        for azimuth in (0.0, 180.0) if i % 3 else (np.nan,):
            place = {
                "azimuth_deg": azimuth,
                "beamwidth_deg": 65.0 if azimuth == azimuth else azimuth,
            }
            rows.append(mast(row, col, **name, **place))
            rows.append(mast(row, col, **name, **place, technology="4G", frequency_mhz=1800.0,
                             bandwidth_mhz=20.0))  # fmt: skip
    return [{**row, "sector_id": str(i)} for i, row in enumerate(rows)]


def predict(laid: Relief, rows: list[dict[str, object]], **options: Any) -> Prediction:
    network = lay_network(sites(*rows), laid, RULES)
    return predict_signal(
        laid, network, RULES, services=SERVICES, operators=["A", "B"], reach=REACH, **options
    )


def require_same(found: Prediction, expected: Prediction) -> None:
    assert set(found.services) == set(expected.services)
    for name, layers in expected.services.items():
        xr.testing.assert_identical(found.services[name], layers)
    xr.testing.assert_identical(found.margins_db, expected.margins_db)


@pytest.mark.parametrize(("side", "sampling"), [(3, 1), (13, 1), (13, 3), (64, 3)])
def test_tiles_of_any_size_give_the_bits_of_one(
    side: int, sampling: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid = ground(sampling=sampling)
    whole = predict(laid, masts())
    monkeypatch.setattr(tiles_module, "SIDE", side)
    cut = predict(laid, masts())
    require_same(cut, whole)
    assert cut.n_points == whole.n_points
    signal = whole.services["5g"]["signal_dbm"]
    assert 0.1 < float(signal.notnull().mean()) < 0.9
    assert bool(whole.services["5g"]["margin_db"][32, 30].isnull())  # a void


def test_rim_has_masts_and_no_receivers() -> None:
    laid = ground(with_voids=False)
    inner = predict(laid, masts(), margin_cells=5)
    whole = predict(laid, masts())
    for name in ("5g", "4g", "mbb"):
        expected = whole.services[name].isel(y=slice(5, -5), x=slice(5, -5))
        xr.testing.assert_identical(inner.services[name], expected)


class Stopped(Exception):
    pass


def stop_after(n: int) -> Any:
    def progress(steps: Sequence[Any], label: str) -> Iterator[Any]:
        for i, step in enumerate(steps):
            if i == n:
                raise Stopped
            yield step

    return progress


def count(seen: list[int]) -> Any:
    def progress(steps: Sequence[Any], label: str) -> Iterable[Any]:
        seen.append(len(steps))
        return steps

    return progress


def test_prediction_that_was_stopped_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles_module, "SIDE", 20)
    laid, seen = ground(), []
    known = TileFolder(tmp_path / "tiles")
    with pytest.raises(Stopped):
        predict(laid, masts(), known=known, progress=stop_after(7))
    assert len(known) == 7
    found = predict(laid, masts(), known=known, progress=count(seen))
    assert seen == [4 * 5 - 7]
    assert found.n_known == 7
    require_same(found, predict(laid, masts()))


def test_after_a_change_only_the_tiles_that_it_reaches_are_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tiles_module, "SIDE", 10)
    laid, seen = ground(), []
    known: dict[str, TileSignal] = {}
    before = masts()
    first = predict(laid, before, known=known)
    assert len(known) == 63
    moved = [{**row, "antenna_height_m": 44.0} if row["site_id"] == "M0" else row for row in before]
    again = predict(laid, moved, known=known, progress=count(seen))
    whole = predict(laid, moved)
    require_same(again, whole)
    assert 0 < seen[0] < 30
    assert again.n_known == 63 - seen[0]
    assert again.n_points == whole.n_points
    # one that is gone moves the numbers of all others, and only its own tiles
    fewer = [row for row in before if row["site_id"] != "M0"]
    require_same(predict(laid, fewer, known=known), predict(laid, fewer))
    require_same(predict(laid, before, known=known, progress=count(seen)), first)
    assert seen[-1] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"load": 0.2},
        {"receiver_height_m": 3.0},
        {"thresholds": tuple(replace(one, threshold_dbm=-115.0) for one in RULES.thresholds)},
    ],
    ids=["load", "height", "threshold"],
)
def test_what_decides_a_signal_is_in_the_digest(change: dict[str, Any]) -> None:
    laid = ground()
    known: dict[str, TileSignal] = {}
    predict(laid, masts(), known=known)
    rules = replace(RULES, **change)
    network = lay_network(sites(*masts()), laid, rules)
    given = {"services": SERVICES, "operators": ["A", "B"], "reach": REACH}
    again = predict_signal(laid, network, rules, known=known, **given)
    assert again.n_known == 0
    require_same(again, predict_signal(laid, network, rules, **given))


def test_file_that_cannot_be_read_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    known = TileFolder(tmp_path)
    laid = ground()
    whole = predict(laid, masts(), known=known)
    (digest,) = known
    path = tmp_path / f"{digest}.npz"
    for broken in (path.read_bytes()[:1000], b"", b"PK\x03\x04 not a zip"):
        path.write_bytes(broken)
        assert digest not in known
        require_same(predict(laid, masts(), known=known), whole)
    assert digest in known
    del known[digest]
    assert len(known) == 0
    with pytest.raises(KeyError):
        del known[digest]


def test_workers_give_the_bits_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles_module, "SIDE", 35)
    laid = ground()
    with open_client("processes:2") as client:
        require_same(predict(laid, masts(), client=client), predict(laid, masts()))

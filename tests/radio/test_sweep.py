"""The sweep against exact profiles, against itself without laziness, and on hand-made terrain."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import cbook

from phusong.radio.antenna import Panel, panel_gain_db
from phusong.radio.limits import ModelRangeError
from phusong.radio.p1812 import P1812Link, p1812_loss
from phusong.radio.rays import push_hull
from phusong.radio.refresh import refresh_servers
from phusong.radio.sweep import PANEL, Servers, Sweep, find_servers, sweep_channels

CELL_M = 100.0
ROUND = dict.fromkeys(PANEL, np.nan)
PLAIN = {name: getattr(Panel(), name) for name in PANEL}


def sector(row: int, col: int, /, **changes: float) -> dict[str, float]:
    plain = {"row": row, "col": col, "antenna_height_m": 30.0, "eirp_dbm": 0.0,
             "frequency_ghz": 0.9, "azimuth_deg": np.nan}  # fmt: skip
    return plain | (ROUND if "azimuth_deg" not in changes else PLAIN) | changes


def sweep(ground_m: np.ndarray, sectors: list[dict[str, float]], **options: object) -> Servers:
    cover_m = options.pop("cover_m", np.zeros_like(ground_m))
    return find_servers(ground_m, cover_m, pd.DataFrame(sectors), cell_m=CELL_M, **options)


def hills(shape: tuple[int, int], seed: int, height_m: float = 300.0) -> np.ndarray:
    """Smooth random hills: noise added at halving sizes."""
    generator = np.random.default_rng(seed)
    ground = np.zeros(shape)
    for size in (32, 16, 8, 4):
        coarse = generator.random((shape[0] // size + 2, shape[1] // size + 2))
        rows, cols = np.arange(shape[0]) / size, np.arange(shape[1]) / size
        across = np.array([np.interp(cols, np.arange(coarse.shape[1]), line) for line in coarse])
        ground += (
            size
            / 32
            * np.array([np.interp(rows, np.arange(coarse.shape[0]), line) for line in across.T]).T
        )
    return height_m * (ground - ground.min()) / np.ptp(ground)


def network(n_masts: int, shape: tuple[int, int], seed: int) -> list[dict[str, float]]:
    """Masts of three sectors with two bands."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(n_masts):
        row, col = (int(generator.integers(0, n)) for n in shape)
        height = float(generator.choice([20.0, 30.0, 42.0]))
        for azimuth in (0.0, 120.0, 240.0):
            rows += [
                sector(row, col, azimuth_deg=azimuth, antenna_height_m=height, eirp_dbm=30.0,
                       frequency_ghz=f_ghz, mechanical_tilt_deg=tilt)
                for f_ghz, tilt in ((0.7, 0.0), (3.5, 3.0))
            ]  # fmt: skip
    return rows


def test_ray_along_the_raster_is_p1812_of_its_cells() -> None:
    ground = hills((60, 140), 1)
    cover = np.where(np.random.default_rng(2).random(ground.shape) < 0.3, 12.0, 0.0)
    found = sweep(ground, [sector(30, 3)], cover_m=cover, exact_m=0.0, radius_m=13_000.0)
    link = P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5)
    for n in (3, 7, 20, 75, 130):
        loss = p1812_loss(
            np.arange(n + 1) * 0.1, ground[30, 3 : 4 + n], cover[30, 3 : 4 + n], link=link
        )
        expected = -(loss.lbfs_db + loss.ld50_db)
        assert found.signal_dbm[0, 30, 3 + n] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("side", [(0, 1), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)])
def test_ray_is_the_exact_profile_in_eight_directions(side: tuple[int, int]) -> None:
    ground = hills((101, 101), 3)
    masts = [sector(50, 50)]
    rays = sweep(ground, masts, exact_m=0.0, radius_m=4900.0)
    exact = sweep(ground, masts, exact_m=np.inf, radius_m=4900.0)
    for n in range(2, 34):
        at = (0, 50 + n * side[0], 50 + n * side[1])
        assert rays.signal_dbm[at] == pytest.approx(exact.signal_dbm[at], abs=1e-9)


@given(st.integers(0, 10_000), st.floats(0.0, 800.0), st.floats(2.0, 60.0))
@settings(max_examples=25)
def test_ray_is_the_exact_profile_on_any_hills(seed: int, height_m: float, mast_m: float) -> None:
    ground = hills((3, 90), seed, height_m)
    masts = [sector(1, 0, antenna_height_m=mast_m)]
    rays = sweep(ground, masts, exact_m=0.0, radius_m=8900.0).signal_dbm[0, 1, 2:]
    exact = sweep(ground, masts, exact_m=np.inf, radius_m=8900.0).signal_dbm[0, 1, 2:]
    assert rays == pytest.approx(exact, abs=1e-8)


@pytest.mark.realdata
def test_what_the_sweep_leaves_out_of_p1812_is_a_hundredth_of_a_decibel() -> None:
    path = SHARED / "data" / "radio" / "p1812_short_vectors.json"
    for vector in json.loads(path.read_text(encoding="utf-8")):
        link = P1812Link(f_ghz=vector["f_ghz"], htg_m=vector["htg"], hrg_m=vector["hrg"])
        h_m = np.array(vector["h"])
        d_km = np.arange(len(h_m)) * vector["step_km"]
        loss = p1812_loss(d_km, h_m, np.array(vector["clutter"]), link=link)
        assert loss.lb_db == pytest.approx(loss.lbfs_db + loss.ld50_db, abs=0.01)


@given(st.lists(st.floats(-100.0, 100.0), min_size=2, max_size=40).map(np.array))
def test_stack_is_the_upper_hull(heights: np.ndarray) -> None:
    stack, size = np.zeros(len(heights), np.int64), 0
    for j in range(len(heights)):
        size = push_hull(stack, size, heights, j)
    hull = stack[:size]
    assert hull[0] == 0
    assert hull[-1] == len(heights) - 1
    over = np.interp(np.arange(len(heights)), hull, heights[hull]) - heights
    assert (over >= -1e-9).all()
    slopes = np.diff(heights[hull]) / np.diff(hull)
    assert (np.diff(slopes) <= 1e-9).all()


def test_sweep_is_near_exact_profiles_on_real_mountains() -> None:
    with cbook.get_sample_data("jacksboro_fault_dem.npz") as dem:
        ground = dem["elevation"].astype(float)
    cover = np.where(np.random.default_rng(0).random(ground.shape) < 0.3, 10.0, 0.0)
    masts = [sector(170, 200)]
    rays = sweep(ground, masts, cover_m=cover)
    exact = sweep(ground, masts, cover_m=cover, exact_m=np.inf)
    served = ~np.isnan(exact.signal_dbm[0])
    assert (served == ~np.isnan(rays.signal_dbm[0])).all()
    assert served.sum() > 31_000
    error_db = (rays.signal_dbm[0] - exact.signal_dbm[0])[served]
    assert abs(error_db.mean()) < 0.2
    assert (abs(error_db) < 3.0).mean() > 0.93
    for threshold_dbm in (-110.0, -120.0, -130.0):
        same = (rays.signal_dbm[0] >= threshold_dbm) == (exact.signal_dbm[0] >= threshold_dbm)
        assert same[served].mean() > 0.98


@pytest.mark.parametrize("radius_m", [100.0, 150.0, 700.0, 2030.0, 3000.0])
def test_each_cell_of_the_radius_is_served_once(radius_m: float) -> None:
    ground = np.zeros((81, 81))
    found = sweep(ground, [sector(40, 40)], radius_m=radius_m, exact_m=300.0, is_lazy=False)
    rows, cols = np.ogrid[:81, :81]
    inside = CELL_M * np.hypot(rows - 40, cols - 40) <= radius_m
    assert (~np.isnan(found.signal_dbm[0]) == inside).all()
    assert found.n_points == (found.sector[0] == 0).sum()


def test_cells_along_the_edges_of_the_raster_are_served() -> None:
    ground = hills((40, 60), 4)
    found = sweep(ground, [sector(2, 55)], radius_m=7000.0, exact_m=300.0)
    assert (found.sector[0] == 0).all()
    assert not np.isnan(found.signal_dbm[0]).any()


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_lazy_is_full_bit_for_bit_on_any_number_of_threads(n_threads: int) -> None:
    ground = hills((90, 110), 5)
    sectors = network(25, ground.shape, 6)
    full = sweep(ground, sectors, radius_m=5000.0, is_lazy=False, n_threads=1)
    lazy = sweep(ground, sectors, radius_m=5000.0, is_lazy=True, n_threads=n_threads)
    assert lazy.signal_dbm.tobytes() == full.signal_dbm.tobytes()
    assert lazy.sector.tobytes() == full.sector.tobytes()
    assert lazy.n_points < full.n_points


def test_best_two_are_those_of_each_sector_computed_alone() -> None:
    ground = hills((60, 60), 7)
    sectors = network(4, ground.shape, 8)
    alone = [sweep(ground, [one], radius_m=3000.0).signal_dbm[0] for one in sectors]
    ranked = np.sort(np.nan_to_num(np.array(alone), nan=-np.inf), axis=0)[::-1]
    found = np.nan_to_num(sweep(ground, sectors, radius_m=3000.0).signal_dbm, nan=-np.inf)
    assert (found == ranked[:2]).all()


def test_lower_number_wins_a_tie_and_the_other_is_second() -> None:
    ground = np.zeros((31, 31))
    twins = [sector(15, 20), sector(15, 10), sector(15, 20)]
    found = sweep(ground, twins, radius_m=2000.0)
    assert found.sector[:, 15, 21].tolist() == [0, 2]
    assert found.sector[0, 15, 9] == 1
    middle = found.signal_dbm[:, 15, 15]
    assert middle[0] == middle[1]
    assert found.sector[:, 15, 15].tolist() == [0, 1]


def test_sector_sends_as_its_panel_does() -> None:
    ground = np.zeros((61, 61))
    panel = Panel(mechanical_tilt_deg=4.0, electrical_tilt_deg=2.0)
    beams = {name: getattr(panel, name) for name in PANEL}
    directed = sweep(ground, [sector(30, 30, azimuth_deg=40.0, **beams)], radius_m=2500.0)
    everywhere = sweep(ground, [sector(30, 30)], radius_m=2500.0)
    for row, col, azimuth_deg in ((10, 30, 0.0), (30, 50, 90.0), (45, 15, 225.0), (30, 31, 90.0)):
        away_m = CELL_M * np.hypot(row - 30, col - 30)
        elevation_deg = np.degrees(np.arctan2(1.5 - 30.0, away_m))
        gain_db = panel_gain_db(azimuth_deg, elevation_deg, boresight_deg=40.0, panel=panel)
        found = directed.signal_dbm[0, row, col] - everywhere.signal_dbm[0, row, col]
        assert found == pytest.approx(float(gain_db), abs=1e-9)


def test_ridge_shadows_what_is_behind_it_and_nothing_before_it() -> None:
    ground = np.zeros((41, 101))
    ground[:, 40] = 150.0
    plain = sweep(np.zeros_like(ground), [sector(20, 5)], radius_m=9000.0).signal_dbm[0]
    ridge = sweep(ground, [sector(20, 5)], radius_m=9000.0).signal_dbm[0]
    assert (plain - ridge)[20, 45:90].min() > 10.0
    assert ridge[20, 40] > plain[20, 40]


def test_receivers_may_stand_in_every_third_cell() -> None:
    ground = hills((91, 94), 9)
    masts = [sector(45, 46)]
    fine = sweep(ground, masts, radius_m=3000.0)
    coarse = sweep(ground, masts, radius_m=3000.0, receivers_every=3)
    assert coarse.signal_dbm.shape == (2, 30, 31)
    assert np.array_equal(coarse.signal_dbm[0], fine.signal_dbm[0, 1:90:3, 1:93:3], equal_nan=True)
    assert coarse.n_points < fine.n_points / 8.5


def test_ray_ends_at_a_void_and_what_is_beyond_stays_unknown() -> None:
    ground = np.zeros((41, 41))
    ground[:, 30] = np.nan
    found = sweep(ground, [sector(20, 20)], radius_m=1900.0, exact_m=500.0)
    assert np.isnan(found.signal_dbm[0][:, 30:]).all()
    assert (found.sector[0][:, 30:] == -1).all()
    assert not np.isnan(found.signal_dbm[0][20, 10:30]).any()


@given(st.floats(0.3, 5.0))
@settings(max_examples=20)
def test_loss_grows_with_frequency_behind_a_ridge(f_ghz: float) -> None:
    ground = np.zeros((5, 61))
    ground[:, 20] = 120.0
    low, high = (
        sweep(ground, [sector(2, 2, frequency_ghz=f)], radius_m=5500.0).signal_dbm[0, 2, 25:55]
        for f in (f_ghz, f_ghz * 1.2)
    )
    assert (high < low).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"row": 41}, "row: found 41, expected 0 to 40"),
        ({"col": -1}, "col: found -1"),
        ({"row": 0, "col": 0}, "1 stand in cells without a height"),
        ({"antenna_height_m": 0.0}, "antenna_height_m: found 0"),
        ({"frequency_ghz": 26.0}, "frequency_ghz: found 26"),
        ({"eirp_dbm": np.nan}, "eirp_dbm: found nan"),
        ({"azimuth_deg": 0.0, "vertical_beamwidth_deg": 0.0}, "vertical_beamwidth_deg: found 0"),
    ],
)
def test_impossible_sector_is_refused(change: dict[str, float], said: str) -> None:
    ground = np.zeros((41, 41))
    ground[0, 0] = np.nan
    with pytest.raises(ModelRangeError, match=said):
        sweep(ground, [sector(20, 20), sector(20, 20, **change)])


def test_impossible_raster_is_refused() -> None:
    ground = np.zeros((41, 41))
    with pytest.raises(ModelRangeError, match="expected two of"):
        sweep(ground, [sector(20, 20)], cover_m=np.zeros((40, 41)))
    with pytest.raises(ModelRangeError, match="ground_m: found 9999"):
        sweep(ground + 9999.0, [sector(20, 20)])
    with pytest.raises(ModelRangeError, match="cover_m: found -1"):
        sweep(ground, [sector(20, 20)], cover_m=ground - 1.0)
    with pytest.raises(ModelRangeError, match="missing eirp_dbm"):
        find_servers(ground, ground, pd.DataFrame([sector(2, 2)]).drop(columns="eirp_dbm"),
                     cell_m=CELL_M)  # fmt: skip


def moved(sectors: pd.DataFrame, **change: float) -> pd.DataFrame:
    """The sectors with those of one mast changed."""
    first = sectors.iloc[0][["row", "col"]]
    is_first = (sectors[["row", "col"]] == first).all(axis=1)
    return sectors.assign(**{
        name: sectors[name].where(~is_first, sectors[name] + by) for name, by in change.items()
    })  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"row": 9, "col": -7}, {"eirp_dbm": -6.0}, {"azimuth_deg": 35.0}, {"row": 50, "col": 60}],
    ids=str,
)
@pytest.mark.parametrize("every", [1, 3])
def test_after_a_change_only_what_it_reaches_is_swept_and_all_is_as_if_swept_anew(
    change: dict[str, float], every: int
) -> None:
    ground = hills((230, 260), 11)
    ground[150:153, 40:60] = np.nan
    cover = np.where(np.random.default_rng(5).random(ground.shape) < 0.2, 8.0, 0.0)
    first = [{**row, "row": 137, "col": 151} for row in network(1, (2, 2), 1)]
    old = pd.DataFrame(first + network(20, (149, 260), 6))
    new = moved(old, **change)
    options = {"cell_m": CELL_M / every, "receivers_every": every, "radius_m": 3000.0 / every}
    before = find_servers(ground, cover, old, n_best=3, **options)
    again = refresh_servers(before, ground, cover, old=old, new=new, **options)
    whole = find_servers(ground, cover, new, n_best=3, **options)
    assert np.array_equal(again.signal_dbm, whole.signal_dbm, equal_nan=True)
    assert np.array_equal(again.sector, whole.sector)
    assert not np.array_equal(again.signal_dbm, before.signal_dbm, equal_nan=True)
    assert again.n_points < whole.n_points


def test_nothing_changed_is_the_same_servers() -> None:
    ground = hills((40, 40), 2)
    sectors = pd.DataFrame(network(2, (40, 40), 3))
    before = sweep(ground, network(2, (40, 40), 3), radius_m=2000.0)
    cover = np.zeros_like(ground)
    same = refresh_servers(
        before, ground, cover, old=sectors, new=sectors.copy(), cell_m=CELL_M, radius_m=2000.0
    )
    assert same is before
    with pytest.raises(ModelRangeError, match="not the same rows"):
        refresh_servers(before, ground, cover, old=sectors, new=sectors.iloc[1:], cell_m=CELL_M,
                        radius_m=2000.0)  # fmt: skip
    with pytest.raises(ModelRangeError, match="expected \\(20, 20\\)"):
        refresh_servers(before, ground[:20, :20], cover[:20, :20], old=sectors, new=sectors,
                        cell_m=CELL_M, radius_m=2000.0)  # fmt: skip


def test_closed_receivers_have_no_server_and_the_open_ones_their_own() -> None:
    ground, rows = hills((60, 60), 4), network(3, (60, 60), 5)
    is_open = np.random.default_rng(1).random(ground.shape) < 0.3
    some, every = sweep(ground, rows, is_open=is_open), sweep(ground, rows)
    assert np.array_equal(some.signal_dbm[:, is_open], every.signal_dbm[:, is_open], equal_nan=True)
    assert (some.sector[:, ~is_open] == -1).all()
    assert np.isnan(some.signal_dbm[:, ~is_open]).all()
    with pytest.raises(ModelRangeError, match="the lazy way"):
        sweep(ground, rows, is_open=is_open, is_lazy=False)


@pytest.mark.parametrize("is_lazy", [True, False])
def test_bands_of_a_mast_in_one_pass_give_the_bits_of_each_alone(is_lazy: bool) -> None:
    ground = hills((90, 110), 4)
    ground[40:43, 60:70] = np.nan
    cover = np.where(np.random.default_rng(8).random(ground.shape) < 0.2, 8.0, 0.0)
    bands = [network(12, ground.shape, 9) for _ in range(3)]
    rows = pd.DataFrame(
        [
            {**row, "frequency_ghz": ghz, "eirp_dbm": row["eirp_dbm"] + more}
            for band, ghz, more in zip(bands, (0.7, 3.5, 1.8), (0.0, 9.0, -3.0), strict=True)
            for row in band
        ]
    )
    rows = rows[(rows.index % 5 != 1)].reset_index(drop=True)  # not every mast has every band
    channel = rows["frequency_ghz"].map({0.7: 0, 3.5: 1, 1.8: 2}).to_numpy()
    plan = Sweep(cell_m=CELL_M, radius_m=4000.0, n_best=3, is_lazy=is_lazy)
    together = sweep_channels(ground, cover, rows, channel, plan)
    n_points = 0
    for number in range(3):
        is_own = channel == number
        alone = sweep_channels(ground, cover, rows[is_own], np.zeros(is_own.sum(), int), plan)
        n_points += alone.n_points
        whose = np.append(np.flatnonzero(is_own), -1)[alone.sector[0]]
        assert np.array_equal(together.signal_dbm[number], alone.signal_dbm[0], equal_nan=True)
        assert np.array_equal(together.sector[number], whose)
    assert together.n_points < 0.7 * n_points


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_window_anywhere_gives_the_bits_of_the_whole(data: st.DataObject) -> None:
    every = data.draw(st.sampled_from([1, 3]))
    ground = hills((60, 66), 12)
    rows = pd.DataFrame(network(6, ground.shape, 10))
    plan = Sweep(cell_m=CELL_M, receivers_every=every, radius_m=2500.0, exact_m=300.0)
    alike = np.zeros(len(rows), int)
    whole = sweep_channels(ground, np.zeros_like(ground), rows, alike, plan)
    window = tuple(
        slice(start, data.draw(st.integers(start + 1, n)))
        for n in whole.sector.shape[2:]
        for start in [data.draw(st.integers(0, n - 1))]
    )
    part = sweep_channels(ground, np.zeros_like(ground), rows, alike, plan, window=window)
    assert np.array_equal(part.signal_dbm, whole.signal_dbm[:, :, *window], equal_nan=True)
    assert np.array_equal(part.sector, whole.sector[:, :, *window])

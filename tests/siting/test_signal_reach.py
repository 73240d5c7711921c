"""Candidates over terrain: a ridge takes cells from a circle, and no cell is added to it."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
from conftest import even_population, masts, square_communes
from networks import RULES

from phusong.grid import Grid
from phusong.plan_field import Choice
from phusong.plan_files import read_costs
from phusong.planning import Plan, make_plan
from phusong.radio.area import Land
from phusong.radio.network import lay_network
from phusong.radio.relief import lay_relief
from phusong.radio.signal import Reach
from phusong.radio.sweep import SECTOR_COLUMNS, find_servers
from phusong.schema import conform
from phusong.siting.reach import Demand, coarsen, link_discs
from phusong.siting.signal_reach import Served, find_served
from phusong.study import assess
from phusong.terrain_coverage import TerrainModel

GRID = Grid(crs="EPSG:5897", x_min=500_000, y_max=2_202_000, cell_m=100, shape=(20, 40))
RADIUS_M = np.array([1500.0])


def land(*, wall_m: float, sampling: int = 1) -> Land:
    """A plain with a wall of one cell along x = 502000 to 502100, far beyond the grid."""
    wide = Grid(crs="EPSG:5897", x_min=495_000, y_max=2_207_000, cell_m=100, shape=(120, 140))
    ground = np.full(wide.shape, 5.0)
    ground[:, 70] += wall_m
    return Land(terrain=wide.to_array(ground, unit="m"), kind="ground", sampling=sampling)


def candidates(*x: float) -> gpd.GeoDataFrame:
    rows = masts([{"x": at, "y": 2_201_050.0, "technology": "5G"} for at in x])
    rows = rows.assign(site_id=[f"C{i}" for i in range(len(x))], frequency_mhz=2600.0, operator="A")
    return conform(rows, "sites")


def everywhere() -> Demand:
    n = GRID.shape[0] * GRID.shape[1]
    return Demand(grid=GRID, cell=np.arange(n), zone=np.zeros(n, np.int32), persons=np.ones(n),
                  km2=np.full(n, 0.01))  # fmt: skip


def links_of(served: Served | None, demand: Demand) -> np.ndarray:
    links = link_discs(demand, np.array([[501_550.0, 2_201_050.0]]), RADIUS_M)
    start, row = links if served is None else served.keep(demand, *links)
    assert start.tolist() == [0, len(row)]
    return row


@pytest.mark.parametrize("sampling", [1, 3])
def test_wall_hides_what_lies_behind_it_and_a_plain_hides_nothing(sampling: int) -> None:
    demand = everywhere()
    disc = links_of(None, demand)
    plain = find_served(candidates(501_550.0), RADIUS_M, GRID, land(wall_m=0, sampling=sampling),
                        RULES)  # fmt: skip
    assert np.array_equal(links_of(plain, demand), disc)
    walled = find_served(candidates(501_550.0), RADIUS_M, GRID, land(wall_m=900, sampling=sampling),
                         RULES)  # fmt: skip
    left = links_of(walled, demand)
    assert set(left) < set(disc)
    x = demand.xy[:, 0]
    assert (x[left] < 502_100).all()
    assert set(disc[x[disc] < 502_000]) == set(left[x[left] < 502_000])


def test_candidate_without_a_height_reaches_nothing_and_the_others_stay() -> None:
    holed = land(wall_m=0)
    holed.terrain[{"y": slice(58, 62), "x": slice(93, 97)}] = np.nan
    served = find_served(candidates(504_500.0, 501_550.0), np.array([1500.0, 1500.0]), GRID, holed,
                         RULES)  # fmt: skip
    assert served.height.tolist()[0] == 0
    alone = served.take(np.array([False, True]))
    assert np.array_equal(links_of(alone, everywhere()), links_of(None, everywhere()))


@pytest.mark.parametrize("sampling", [1, 3])
def test_ground_cut_out_around_a_candidate_gives_the_signal_of_the_whole(sampling: int) -> None:
    rough = land(wall_m=0, sampling=sampling)
    rough.terrain[:] += np.random.default_rng(5).uniform(0, 120, rough.terrain.shape)
    cells = candidates(501_550.0)
    served = find_served(cells, RADIUS_M, GRID, rough, RULES)
    relief = lay_relief(rough.terrain, GRID.widened(40), kind="ground", sampling=sampling)
    sector = lay_network(cells, relief, RULES).sectors
    whole = find_servers(
        relief.ground_m, relief.cover_m, sector[list(SECTOR_COLUMNS)], cell_m=relief.cell_m,
        receivers_every=sampling, radius_m=float(RADIUS_M[0]), n_best=1,
        receiver_height_m=RULES.receiver_height_m,
    )  # fmt: skip
    expected = (whole.signal_dbm[0] >= sector["threshold_dbm"].iloc[0])[40:-40, 40:-40]
    start, row = served.keep(everywhere(), np.array([0, 800]), np.arange(800, dtype=np.int32))
    found = np.zeros(GRID.shape, bool)
    found.reshape(-1)[row] = True
    assert start.tolist() == [0, expected.sum()]
    assert np.array_equal(found, expected)
    assert 0 < expected.sum() < expected.size


def test_coarse_cells_count_as_their_centres_do() -> None:
    served = find_served(candidates(501_550.0), RADIUS_M, GRID, land(wall_m=900), RULES)
    coarse = coarsen(everywhere(), 5)
    kept = links_of(served, coarse)
    assert 0 < len(kept) < len(links_of(None, coarse))
    assert (coarse.xy[kept, 0] < 502_100).all()


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    """One site for people on both sides of a wall: a mast of 4G on either."""
    sites = masts([
        {"x": x, "y": 2_201_050.0, "operator": "A", "technology": "4G", "radius_m": 900.0,
         "frequency_mhz": 1800.0, "eirp_dbm": 62.0, "bandwidth_mhz": 20.0,
         "antenna_height_m": 30.0}
        for x in (501_550.0, 503_050.0)
    ])  # fmt: skip
    found = {}
    for name, wall_m in (("plain", 0.0), ("wall", 900.0)):
        model = TerrainModel(land=land(wall_m=wall_m), rules=RULES, reach=Reach(radius_m=4000.0))
        assessment = assess(square_communes(), sites=sites, as_of=date(2026, 6, 30), model=model,
                            population=even_population())  # fmt: skip
        choice = Choice(costs=read_costs(), sites=1, draws=4, least_persons=1e9)
        found[name] = make_plan(assessment, choice)
    return found


def test_plan_over_terrain_counts_what_signals_reach(plans: dict[str, Plan]) -> None:
    plain, wall = plans["plain"], plans["wall"]
    assert any("over terrain" in note for note in wall.notes)
    assert wall.answer.people < plain.answer.people
    assert wall.answer.people <= wall.answer.bound
    # who is on the wall's other side gains nothing, by the list and by the whole assessment
    gained = wall.communes.set_index("commune_name")["people_gained"]
    assert gained.min() < 0.05 * gained.max()

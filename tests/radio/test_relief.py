"""Terrain laid on a grid: heights by hand, voids, and what may not count twice."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from phusong.grid import Grid, transformer
from phusong.radio.limits import ModelRangeError
from phusong.radio.relief import choose_sampling, lay_heights, lay_relief

GRID = Grid(crs="EPSG:5897", x_min=500_000, y_max=2_200_000, cell_m=90, shape=(40, 50))


def lon_lat_plane(step: float = 0.0003) -> xr.DataArray:
    """A slope of 1,000 m for each degree east and 2,000 m for each degree north."""
    lon, lat = np.arange(104.98, 105.07, step), np.arange(19.91, 19.83, -step)
    values = 1000.0 * (lon[None, :] - 104.9) + 2000.0 * (lat[:, None] - 19.8)
    return xr.DataArray(
        values.astype("float32"), dims=("y", "x"), coords={"y": lat, "x": lon},
        attrs={"crs": "EPSG:4326", "cell_x": step, "cell_y": -step},
    )  # fmt: skip


def flat(value: float, *, size: int = 60) -> xr.DataArray:
    grid = Grid(crs="EPSG:5897", x_min=499_500, y_max=2_200_500, cell_m=100, shape=(size, size))
    return grid.to_array(np.full(grid.shape, value), unit="m")


def test_heights_of_degrees_land_on_metres_where_proj_puts_them() -> None:
    laid = lay_heights(lon_lat_plane(), GRID, nearest=False)
    lon, lat = transformer("EPSG:5897", "EPSG:4326").transform(*np.meshgrid(GRID.x, GRID.y))
    assert laid == pytest.approx(1000.0 * (lon - 104.9) + 2000.0 * (lat - 19.8), abs=0.02)


def test_height_next_to_a_void_is_a_void_and_outside_is_one() -> None:
    layer = flat(10.0)
    layer[20, 20] = np.nan
    laid = lay_heights(layer, GRID, nearest=False)
    assert np.isnan(laid).sum() in range(1, 8)  # the cells that have it among their four
    assert np.nanmin(laid) == np.nanmax(laid) == 10.0
    away = Grid(crs="EPSG:5897", x_min=505_000, y_max=2_200_000, cell_m=90, shape=(40, 50))
    assert np.isnan(lay_heights(layer, away, nearest=False))[:, 10:].all()


def test_cover_is_taken_from_the_nearest_cell_and_bare_where_not_known() -> None:
    cover = flat(0.0)
    cover[:, 30:] = 12.0
    cover[:, 40:] = np.nan
    relief = lay_relief(flat(5.0), GRID, kind="ground", cover=cover)
    # 499500 + 30 × 100 = 502500 is the edge: cell 27 of 90 m has its middle at 502475
    assert relief.cover_m[0, 27:29].tolist() == [0.0, 12.0]
    assert relief.n_bare == 40 * int((GRID.x > 503_500).sum()) > 0
    assert (relief.cover_m[:, GRID.x > 503_500] == 0.0).all()


def test_surface_model_with_clutter_is_refused() -> None:
    with pytest.raises(ModelRangeError, match="has trees and roofs in it already"):
        lay_relief(flat(5.0), GRID, kind="surface", cover=flat(10.0))
    assert (lay_relief(flat(5.0), GRID, kind="surface").cover_m == 0.0).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "lidar"}, "found 'lidar', expected ground or surface"),
        ({"sampling": 2}, "sampling: found 2, expected an odd number"),
        ({"sampling": 0}, "sampling: found 0, expected 1 to 99"),
    ],
)
def test_relief_that_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ModelRangeError, match=said):
        lay_relief(flat(5.0), GRID, **({"kind": "ground"} | changes))


def test_terrain_of_elsewhere_is_refused() -> None:
    away = Grid(crs="EPSG:5897", x_min=600_000, y_max=2_200_000, cell_m=90, shape=(40, 50))
    with pytest.raises(ModelRangeError, match="no cell of the grid has a height"):
        lay_relief(flat(5.0), away, kind="ground")


def test_sampling_follows_the_terrain_down_to_thirty_metres_and_is_odd() -> None:
    assert [choose_sampling(100.0, m) for m in (5.0, 30.0, 34.0, 90.0, 250.0)] == [3, 3, 1, 1, 1]
    assert choose_sampling(200.0, 30.0) == 5  # 6 would be even
    fine = lay_relief(flat(5.0), GRID, kind="ground", sampling=3)
    assert fine.ground_m.shape == (120, 150)
    assert fine.cell_m == 30.0

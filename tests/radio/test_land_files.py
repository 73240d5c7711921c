"""Terrain and clutter from files: tiles, voids, classes, windows; and predictions into files."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from conftest import square_communes
from networks import mast, predict, relief
from rasterio.transform import from_origin
from shapely import box

from phusong.errors import InputFileError
from phusong.io import signal_tiffs
from phusong.io.clutter import read_clutter
from phusong.io.signal_tiffs import write_server, write_signal
from phusong.io.terrain import fill_voids, read_terrain
from phusong.radio.signal import Reach

SIDE = 1201


def write_tile(path: Path, heights: np.ndarray) -> Path:
    heights.astype(">i2").tofile(path)
    return path


def slope(base: int) -> np.ndarray:
    """Heights that fall by a metre in each row to the south, the same along a row."""
    return np.repeat(base - np.arange(SIDE)[:, None], SIDE, axis=1)


def write(path: Path, values: np.ndarray, *, cell_m: float = 100.0, **profile: object) -> Path:
    """Write a GeoTIFF whose north-west corner is (499000, 2203000)."""
    settings = {"driver": "GTiff", "width": values.shape[1], "height": values.shape[0],
                "count": 1, "dtype": values.dtype, "crs": "EPSG:5897",
                "transform": from_origin(499_000, 2_203_000, cell_m, cell_m)}  # fmt: skip
    with rasterio.open(path, "w", **(settings | profile)) as raster:
        raster.write(values, 1)
    return path


def test_tile_is_read_from_north_to_south_and_placed_by_its_name(tmp_path: Path) -> None:
    heights = slope(1500)
    heights[100, 200] = -32768
    layer = read_terrain(write_tile(tmp_path / "N19E105.hgt", heights)).layer
    assert layer.shape == (SIDE, SIDE)
    # the outer rows lie on whole degrees, and row 300 a quarter of a degree below the north
    assert (float(layer["y"][0]), float(layer["y"][-1])) == (20.0, 19.0)
    assert (float(layer["x"][0]), float(layer["x"][-1])) == (105.0, 106.0)
    assert float(layer.sel(y=19.75, x=105.5, method="nearest")) == 1200.0
    assert np.isnan(layer.to_numpy()).sum() == 1
    assert np.isnan(float(layer[100, 200]))


def test_tiles_of_a_folder_are_one_terrain_and_share_their_edge(tmp_path: Path) -> None:
    west, east = slope(1500), slope(1500)
    west[0, -1] = -32768  # what the neighbour knows stays
    write_tile(tmp_path / "N19E105.hgt", west)
    write_tile(tmp_path / "N19E106.hgt", east)
    layer = read_terrain(tmp_path).layer
    assert layer.shape == (SIDE, 2 * SIDE - 1)
    assert float(layer[0, SIDE - 1]) == 1500.0
    assert not np.isnan(layer.to_numpy()).any()


@pytest.mark.parametrize(
    ("name", "n_bytes", "said"),
    [
        ("dem.hgt", SIDE * SIDE * 2, "named by its south-west corner"),
        ("N19E105.hgt", 1000, "found 1,000 bytes, expected"),
        ("N19E105.hgt", 0, "0 bytes|empty"),
    ],
)
def test_file_that_is_no_tile_is_refused(
    tmp_path: Path, name: str, n_bytes: int, said: str
) -> None:
    (tmp_path / name).write_bytes(bytes(n_bytes))
    with pytest.raises(InputFileError, match=said):
        read_terrain(tmp_path / name)


def test_folder_that_is_no_terrain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"a folder without \.hgt tiles"):
        read_terrain(tmp_path)
    write_tile(tmp_path / "N19E105.hgt", slope(1500))
    (tmp_path / "N19E106.hgt").write_bytes(bytes(3601 * 3601 * 2))
    with pytest.raises(InputFileError, match="use one resolution"):
        read_terrain(tmp_path)


def test_small_void_is_filled_from_its_edge_and_a_large_one_stays(tmp_path: Path) -> None:
    heights = np.full((100, 100), 50, "int16")
    heights[10:14, 10:14] = -1  # 400 m across
    heights[40:80, 40:80] = -1  # 4 km across: 2 km from any edge in the middle
    layer = read_terrain(write(tmp_path / "dem.tif", heights, nodata=-1)).layer
    filled, notes = fill_voids(layer)
    assert bool((filled[10:14, 10:14] == 50.0).all())
    left = np.isnan(filled.to_numpy())
    # a cell of the plane is 100.01 m on the ground: nine of them from the edge are within 1 km
    assert left[49:71, 49:71].all()
    assert left.sum() == 22 * 22
    assert set(np.unique(filled.to_numpy()[~left])) == {50.0}  # no void became the sea
    assert notes == [
        "1,132 of 10,000 heights were voids (trống), filled from within 1000 m",
        "484 heights are not known: too far from any other to be filled",
    ]


def test_terrain_without_voids_is_left_as_it_is(tmp_path: Path) -> None:
    layer = read_terrain(write(tmp_path / "dem.tif", np.full((9, 9), 5, "int16"))).layer
    assert fill_voids(layer) == (layer, [])


def test_terrain_is_read_around_the_communes_as_far_as_masts_reach(tmp_path: Path) -> None:
    path = write(tmp_path / "dem.tif", np.full((600, 600), 5, "int16"), cell_m=20.0)
    communes = square_communes(1).to_crs("EPSG:4326")
    # the commune is 2 km wide: 100 cells, and 3 on every side; then 500 m more
    assert read_terrain(path, communes=communes).layer.shape in ((106, 106), (107, 107))
    wide = read_terrain(path, communes=communes, margin_m=500.0).layer
    assert wide.shape in ((156, 156), (157, 157))
    assert read_terrain(path, communes=communes, margin_m=50_000.0).layer.shape == (600, 600)
    lon_lat = write(
        tmp_path / "degrees.tif", np.full((2000, 1200), 5, "int16"), crs="EPSG:4326",
        transform=from_origin(104.9, 20.1, 0.0002, 0.0002),
    )  # fmt: skip
    bounds = read_terrain(lon_lat, communes=communes, margin_m=5000.0).layer
    reached = gpd.GeoSeries([box(495_000, 2_195_000, 507_000, 2_207_000)], crs="EPSG:5897")
    west, south, _, north = reached.to_crs("EPSG:4326").total_bounds
    assert float(bounds["x"][0]) < west + 2e-4
    assert float(bounds["y"][-1]) < south + 2e-4
    assert float(bounds["y"][0]) > min(north, 20.1) - 4e-4


def test_terrain_that_leaves_communes_out_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "dem.tif", np.full((40, 20), 5, "int16"))
    with pytest.raises(InputFileError, match="does not cover all communes"):
        read_terrain(path, communes=square_communes(2).to_crs("EPSG:4326"), margin_m=500.0)


def test_classes_of_land_cover_become_their_heights(tmp_path: Path) -> None:
    codes = np.array([[10, 10, 50], [80, 0, 50]], "uint8")
    reading = read_clutter(
        write(tmp_path / "cover.tif", codes, nodata=0), classes={10: 15.0, 50: 10.0, 80: 0.0}
    )
    assert reading.layer.to_numpy() == pytest.approx(
        np.array([[15.0, 15.0, 10.0], [0.0, np.nan, 10.0]]), nan_ok=True
    )
    assert reading.report.rows_ignored == 1
    assert "10 = 15 m" in reading.report.notes[0]


def test_class_without_a_height_is_refused_and_named(tmp_path: Path) -> None:
    path = write(tmp_path / "cover.tif", np.array([[10, 11], [12, 10]], "uint8"))
    with pytest.raises(InputFileError, match=r"2 values are no class of the register \(11, 12\)"):
        read_clutter(path, classes={10: 15.0})


@pytest.mark.parametrize(("low", "high"), [(-3.0, 20.0), (0.0, 800.0)])
def test_heights_that_no_clutter_has_are_refused(tmp_path: Path, low: float, high: float) -> None:
    path = write(tmp_path / "cover.tif", np.array([[low, high]], "float32"))
    with pytest.raises(InputFileError, match="expected 0 to 200 m above the ground"):
        read_clutter(path)


def test_signal_is_a_cog_where_the_grid_is_with_named_bands(tmp_path: Path) -> None:
    ground = np.zeros((300, 310))
    ground[:, 150] = np.nan
    found, _ = predict(relief(ground), mast(150, 75), reach=Reach(radius_m=9_000.0))
    layers = found.services["5g"]
    write_signal(layers, tmp_path / "signal.tif", note="synthetic: a test")
    write_server(layers, tmp_path / "server.tif", note="synthetic: a test")
    with rasterio.open(tmp_path / "signal.tif") as raster:
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.crs.to_epsg() == 5897
        assert raster.transform == from_origin(500_000, 2_200_000, 100, 100)
        assert raster.descriptions == ("signal_dbm", "probability", "sinr_db", "margin_db")
        assert raster.units == ("dBm", "probability", "dB", "dB above the threshold")
        assert raster.tags()["note"] == "synthetic: a test"
        assert np.isnan(raster.nodata)
        for band, (name, step) in enumerate(signal_tiffs.STEPS.items(), start=1):
            stored, given = raster.read(band), layers[name].to_numpy()
            assert np.array_equal(np.isnan(stored), np.isnan(given)), name
            known = np.isfinite(given)
            assert known.any()
            assert abs(stored[known] - given[known]).max() <= 0.5 / step + 1e-5
            assert np.array_equal(np.isneginf(stored), np.isneginf(given))
    with rasterio.open(tmp_path / "server.tif") as raster:
        assert raster.dtypes == ("int32",) * 3
        assert raster.nodata == -1
        assert np.array_equal(raster.read(1), layers["server_id"].to_numpy())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["server.tif", "signal.tif"]


def test_raster_that_cannot_be_finished_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = predict(relief(np.zeros((20, 20))), mast(10, 10))

    def fill_the_disk(source: str, target: Path, **options: object) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(signal_tiffs, "copy", fill_the_disk)
    (tmp_path / "signal.tif").write_bytes(b"before")
    with pytest.raises(OSError, match=r"signal\.tif"):
        write_signal(found.services["5g"], tmp_path / "signal.tif", note="")
    assert [p.name for p in tmp_path.iterdir()] == ["signal.tif"]
    assert (tmp_path / "signal.tif").read_bytes() == b"before"

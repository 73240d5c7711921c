"""Zonal weights on disk: read back as made, and never trusted when they are not what was asked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from conftest import square_communes

from phusong.errors import CrsError
from phusong.grid import Grid, grid_over
from phusong.io.weights import MAGIC, cached_weights, find_key
from phusong.zonal import ZonalWeights

ZONES = square_communes(3, 2, side_m=730.0)
GRID = grid_over(ZONES)


def same(one: ZonalWeights, other: ZonalWeights) -> bool:
    return (
        one.grid == other.grid
        and one.n_zones == other.n_zones
        and np.array_equal(one.runs, other.runs)
        and np.array_equal(one.borders, other.borders)
        and np.array_equal(one.fractions, other.fractions)
    )


@pytest.fixture
def kept(tmp_path: Path) -> tuple[ZonalWeights, Path]:
    """Weights that were just made, and the file they are kept in."""
    made = cached_weights(ZONES, GRID, folder=tmp_path / "cache")
    (path,) = (tmp_path / "cache").iterdir()
    return made, path


def test_weights_are_read_back_as_they_were_made(
    kept: tuple[ZonalWeights, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, path = kept
    monkeypatch.setattr("phusong.io.weights.overlap_zones", None)  # not to be called
    read = cached_weights(ZONES, GRID, folder=path.parent)
    assert same(read, made)
    assert [a.dtype for a in (read.runs, read.borders, read.fractions)] == ["i4", "i4", "f8"]


def damage(content: bytes, kind: str) -> bytes:
    middle = len(content) // 2
    flipped = bytes(byte ^ 1 for byte in content[middle : middle + 1])
    return {
        "a bit in the middle": content[:middle] + flipped + content[middle + 1 :],
        "cut short": content[:-7],
        "longer": content + b"\0",
        "empty": b"",
        "another program's": b"PK\x03\x04" + content,
    }[kind]  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["a bit in the middle", "cut short", "longer", "empty", "another program's"]
)
def test_damaged_file_is_made_anew(kept: tuple[ZonalWeights, Path], kind: str) -> None:
    made, path = kept
    whole = path.read_bytes()
    path.write_bytes(damage(whole, kind))
    assert same(cached_weights(ZONES, GRID, folder=path.parent), made)
    assert path.read_bytes() == whole


def test_file_of_other_zones_under_our_name_is_made_anew(kept: tuple[ZonalWeights, Path]) -> None:
    made, path = kept
    whole = path.read_bytes()
    cached_weights(ZONES.iloc[:2], GRID, folder=path.parent)
    (other,) = set(path.parent.iterdir()) - {path}
    other.replace(path)
    assert same(cached_weights(ZONES, GRID, folder=path.parent), made)
    assert path.read_bytes() == whole


def test_pickle_with_a_right_sum_is_not_opened(kept: tuple[ZonalWeights, Path]) -> None:
    _, path = kept
    key = find_key(ZONES, GRID).encode()
    file = path.with_suffix(".npy")
    np.save(file, np.array([print], dtype=object), allow_pickle=True)
    body = key + file.read_bytes()
    path.write_bytes(MAGIC + hashlib.sha256(body).digest() + body)
    with pytest.raises(ValueError, match="pickle"):
        cached_weights(ZONES, GRID, folder=path.parent)


def test_key_changes_with_shapes_order_crs_and_grid_and_not_with_columns() -> None:
    moved = ZONES.set_geometry(ZONES.translate(1e-9 * 2**20), crs=ZONES.crs)
    finer = Grid(crs=GRID.crs, x_min=GRID.x_min, y_max=GRID.y_max, cell_m=50, shape=GRID.shape)
    wider = grid_over(ZONES, margin_cells=1)
    keys = [
        find_key(ZONES, GRID),
        find_key(moved, GRID),
        find_key(ZONES.iloc[::-1], GRID),
        find_key(ZONES.set_crs("EPSG:5898", allow_override=True), GRID),
        find_key(ZONES, finer),
        find_key(ZONES, wider),
    ]
    assert len(set(keys)) == len(keys)
    assert find_key(ZONES[["geometry"]], GRID) == keys[0]


def test_refused_zones_leave_no_file(tmp_path: Path) -> None:
    beyond = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=ZONES.crs)
    with pytest.raises(ValueError, match="beyond the grid"):
        cached_weights(beyond, GRID, folder=tmp_path)
    with pytest.raises(CrsError):
        cached_weights(ZONES.to_crs("EPSG:4326"), GRID, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.realdata
def test_weights_of_all_vietnam_fit_into_60_megabytes(shared: Path, tmp_path: Path) -> None:
    communes = gpd.read_parquet(shared / "data/boundaries/vietnam_2025_simplified.parquet")
    communes = communes.to_crs("EPSG:5897")
    grid = grid_over(communes, crs="EPSG:5897")
    made = cached_weights(communes, grid, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size < 60e6
    assert same(cached_weights(communes, grid, folder=tmp_path), made)

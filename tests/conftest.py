"""Shared builders: few and plain."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright
from shapely import Point, box

# A busy machine is no failure: examples have no time limit of their own.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

SHARED = Path(__file__).parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the real-data tests, visibly, where the real boundaries are not at hand."""
    if (SHARED / "data").is_dir():
        return
    for item in items:
        if "realdata" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="needs ../shared/data"))


@pytest.fixture(scope="session")
def shared() -> Path:
    return SHARED


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    program = program or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=options)
        yield found
        found.close()


def square_communes(columns: int = 2, rows: int = 1, *, side_m: float = 2000.0) -> gpd.GeoDataFrame:
    """Square communes side by side from (500000, 2200000) in EPSG:5897, codes from 00001."""
    squares = [
        box(500_000 + c * side_m, 2_200_000 + r * side_m,
            500_000 + (c + 1) * side_m, 2_200_000 + (r + 1) * side_m)
        for r in range(rows)
        for c in range(columns)
    ]  # fmt: skip
    n = len(squares)
    return gpd.GeoDataFrame(
        {
            "commune_code": [f"{i + 1:05d}" for i in range(n)],
            "vintage": "2025",
            "commune_name": [f"Xã {i + 1}" for i in range(n)],
            "province_code": "38",
            "population": [1000.0 * (i + 1) for i in range(n)],
        },
        geometry=squares,
        crs="EPSG:5897",
    )


def masts(rows: list[dict[str, object]]) -> gpd.GeoDataFrame:
    """Sites from rows of x, y (EPSG:5897) and any other columns of the schema."""
    frame = pd.DataFrame(rows)
    frame = frame.assign(site_id=[f"S{i}" for i in range(len(frame))], sector_id="1")
    points = [Point(x, y) for x, y in zip(frame["x"], frame["y"], strict=True)]
    return gpd.GeoDataFrame(frame.drop(columns=["x", "y"]), geometry=points, crs="EPSG:5897")


def even_population() -> xr.DataArray:
    """500 persons per km² on cells of 200 m, all around the square communes."""
    x = np.arange(499_100.0, 505_000, 200)
    y = np.arange(2_204_900.0, 2_199_000, -200)
    return xr.DataArray(
        np.full((len(y), len(x)), 20.0), dims=("y", "x"), coords={"y": y, "x": x},
        attrs={"crs": "EPSG:5897"},
    )  # fmt: skip

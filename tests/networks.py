"""Small networks on small reliefs, for tests of predictions."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from click.testing import CliRunner, Result
from conftest import masts, square_communes
from rasterio.transform import from_origin

from phusong.cli import main
from phusong.grid import Grid
from phusong.io.embedded import embedded_path
from phusong.io.radio_rules import read_radio_rules
from phusong.radio.network import Network, lay_network
from phusong.radio.relief import Relief
from phusong.radio.rules import RadioRules
from phusong.radio.signal import Prediction, Reach, predict_signal
from phusong.schema import conform

WEST, NORTH = 500_000.0, 2_200_000.0
SERVICES = {"4g": ("4G",), "5g": ("5G", "5G NSA", "5G SA"), "mbb": ("4G", "5G")}
RULES = read_radio_rules(embedded_path("radio"))


def relief(ground_m: np.ndarray, *, cell_m: float = 100.0, sampling: int = 1) -> Relief:
    """Bare ground whose north-west corner is (500000, 2200000)."""
    rows, columns = (n // sampling for n in ground_m.shape)
    grid = Grid(crs="EPSG:5897", x_min=WEST, y_max=NORTH, cell_m=cell_m, shape=(rows, columns))
    ground = ground_m.astype("float32")
    return Relief(
        grid=grid, sampling=sampling, ground_m=ground, cover_m=np.zeros_like(ground),
        kind="ground", n_voids=int(np.isnan(ground).sum()), n_bare=0,
    )  # fmt: skip


def mast(row: float, col: float, **others: object) -> dict[str, object]:
    """A row of `sites` in the middle of a cell of 100 m: 5G at 3.5 GHz, all round."""
    plain = {"operator": "A", "technology": "5G", "frequency_mhz": 3500.0, "eirp_dbm": 75.0,
             "bandwidth_mhz": 100.0, "antenna_height_m": 30.0, "azimuth_deg": np.nan,
             "beamwidth_deg": np.nan, "downtilt_deg": np.nan}  # fmt: skip
    place = {"x": WEST + 100.0 * (col + 0.5), "y": NORTH - 100.0 * (row + 0.5)}
    return plain | place | others


def sites(*rows: dict[str, object]) -> gpd.GeoDataFrame:
    return conform(masts(list(rows)), "sites")


def predict(
    ground: Relief,
    *rows: dict[str, object],
    rules: RadioRules = RULES,
    reach: Reach | None = None,
) -> tuple[Prediction, Network]:
    cells = sites(*rows)
    network = lay_network(cells, ground, rules)
    operators = sorted(set(cells["operator"]))
    found = predict_signal(
        ground, network, rules, services=SERVICES, operators=operators, reach=reach
    )
    return found, network


SITES = """site_id,sector_id,operator,technology,x,y,antenna_height_m,frequency_mhz,azimuth_deg,\
eirp_dbm,bandwidth_mhz
S1,1,A,5G,500500,2201000,30,3500,90,60,100
S1,2,A,5G,500500,2201000,30,3500,270,60,100
S2,1,B,4G,503500,2201000,25,1800,,62,20
S3,1,B,5G,503500,2200500,25,,,60,100
S4,1,B,5G,503500,2200500,9999,3500,,60,100
"""


def write_terrain(path: Path, *, wall_m: float = 150.0, west: float = 498_000.0) -> Path:
    """Write a plain with a wall along x = 502000, 30 m cells, 2 km around the communes."""
    heights = np.full((200, 270), 5.0, "float32")
    heights[:, 133] += wall_m
    settings = {"driver": "GTiff", "width": 270, "height": 200, "count": 1, "dtype": "float32",
                "crs": "EPSG:5897", "transform": from_origin(west, 2_204_000, 30, 30)}  # fmt: skip
    with rasterio.open(path, "w", **settings) as raster:
        raster.write(heights, 1)
    return path


def write_study(folder: Path) -> Path:
    """Write two communes, their sites, and a terrain with a wall between them."""
    square_communes().to_file(folder / "communes.gpkg", driver="GPKG")
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    write_terrain(folder / "dem.tif")
    return folder


def predict_files(files: Path, out: Path, *more: str | Path, **replaced: str | Path) -> Result:
    named = {
        "sites": files / "sites.csv", "terrain": files / "dem.tif", "terrain-kind": "ground",
        "communes": files / "communes.gpkg", "crs": "EPSG:5897", "as-of": "2026-06-30",
        "radius": "3000",
    } | {name.replace("_", "-"): value for name, value in replaced.items()}  # fmt: skip
    options = [str(part) for name, value in named.items() if value
               for part in (f"--{name}", value)]  # fmt: skip
    return CliRunner().invoke(main, ["predict", *options, "-o", str(out), *map(str, more)])

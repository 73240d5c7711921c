"""Small networks on small reliefs, for tests of predictions."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
from conftest import masts

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

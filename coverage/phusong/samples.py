"""Measurements made ready to be held against claims: commune, service, cluster, hit, claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.grid import choose_metric_crs
from phusong.joins import locate_sites
from phusong.places import cover_points
from phusong.schema import conform

__all__ = ["judge_signal", "place_samples", "service_of"]

GENERATIONS = ("2g", "3g", "4g", "5g")
FIXED = "broadband"
CLUSTER_M = 1000.0


def judge_signal(samples: pd.DataFrame, floors_dbm: Mapping[str, float]) -> pd.DataFrame:
    """Return `samples` with `is_hit`: 1 where the signal reaches its technology's floor, else 0.

    NaN where no signal was measured. A speed test is no hit: where there is no signal nobody tests.

    Parameters
    ----------
    samples : DataFrame
        `technology`, `rsrp_dbm`.
    floors_dbm : Mapping of str to float
        By technology, dBm outdoors.

    Examples
    --------
    >>> samples = pd.DataFrame({"technology": ["5G", "5G", "4G"],
    ...                         "rsrp_dbm": [-110.0, -111.0, -90.0]})
    >>> judge_signal(samples, {"5G": -110.0})["is_hit"].tolist()
    [1.0, 0.0, nan]
    """
    floor = samples["technology"].map(floors_dbm).astype("float64")
    signal = samples["rsrp_dbm"].astype("float64")
    is_known = signal.notna() & floor.notna()
    return samples.assign(is_hit=(signal >= floor).astype("float64").where(is_known))


def service_of(technology: pd.Series, services: Mapping[str, Sequence[str]]) -> pd.Series:
    """Return the service of each technology: its generation, or "broadband" for a fixed one.

    Examples
    --------
    >>> service_of(pd.Series(["5G NSA", "FTTH", None]), {"5g": ["5G", "5G NSA"]}).tolist()
    ['5g', 'broadband', nan]
    """
    known = {t: name for name in GENERATIONS for t in services.get(name, ())}
    return technology.map(known).fillna(technology.where(technology.isna(), FIXED)).astype("str")


def place_samples(
    measurements: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame,
    *,
    services: Mapping[str, Sequence[str]],
    floors_dbm: Mapping[str, float],
) -> pd.DataFrame:
    """Return measurements with all that an audit asks of them.

    Parameters
    ----------
    measurements : GeoDataFrame
        Schema "measurements", any CRS.
    sites : GeoDataFrame
        On air, as `fill_radii` returns them, any CRS.
    communes : GeoDataFrame
        `commune_code` and polygons, any CRS.
    services : Mapping of str to sequence of str
        Service to technologies, such as `indicators.SERVICES`.
    floors_dbm : Mapping of str to float
        Signal that counts as covered, by technology.

    Returns
    -------
    DataFrame
        The columns of `measurements` and `commune_code` (NA outside all), `service`, `operator` (as
        the sites spell it), `is_hit`, `is_claimed` (inside the footprint that the same operator
        claims for the same service), `weight` (tests), `cluster` (the tile of an average, else the
        kilometre square: about a kilometre of road).
    """
    rows = conform(measurements, "measurements").reset_index(drop=True)
    rows = judge_signal(locate_sites(rows.to_crs(communes.crs), communes), floors_dbm)
    spelt = {name.casefold(): name for name in sites["operator"].unique()}
    rows["operator"] = rows["operator"].map(
        lambda n: spelt.get(n.casefold(), n), na_action="ignore"
    )
    rows["service"] = service_of(rows["technology"], services)
    rows["weight"] = rows["n_tests"].fillna(1.0)
    crs = choose_metric_crs(communes)
    points, cells = rows.to_crs(crs), sites.to_crs(crs)
    x, y = (np.floor(axis / CLUSTER_M).astype("int64").astype("str") for axis in
            (points.geometry.x, points.geometry.y))  # fmt: skip
    rows["cluster"] = rows["quadkey"].fillna(x + "/" + y)
    is_claimed = np.zeros(len(rows), dtype=bool)
    for (operator, service), group in points.groupby(["operator", "service"]):
        its = cells["technology"].isin(services.get(service, ())) & (cells["operator"] == operator)
        is_claimed[group.index] = cover_points(group, cells[its])
    return pd.DataFrame(rows.drop(columns="geometry")).assign(is_claimed=is_claimed)

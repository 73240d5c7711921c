"""Sites counted by commune: what a run may say of them without saying where they stand."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from phusong.publish.run_outputs import KEYS

__all__ = ["count_sites"]


def count_sites(communes: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return sites and cells on air by commune, operator and technology.

    Sites outside all communes, planned and retired cells, and operators' polygons, which are no
    sites, are not counted. What is not in the table is none.

    Parameters
    ----------
    communes : GeoDataFrame
        Each code once.
    sites : GeoDataFrame
        A row is a cell, with the `commune_code` it stands in.

    Returns
    -------
    DataFrame
        `commune_code`, `vintage`, `operator`, `technology`, `n_sites` (different `site_id`) and
        `n_cells`, ordered by the first four.
    """
    is_on_air = sites["status"].fillna("on_air") == "on_air"
    cells = sites[is_on_air & (sites.geometry.geom_type == "Point")]
    cells = pd.DataFrame(cells[["commune_code", "operator", "technology", "site_id"]])
    located = cells.merge(communes[KEYS], on="commune_code", validate="m:1")
    groups = located.groupby([*KEYS, "operator", "technology"], sort=True)["site_id"]
    return groups.agg(n_sites="nunique", n_cells="size").reset_index()

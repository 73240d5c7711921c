"""Sites as maps show them: one mark a mast, in the colour of its newest technology."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from phusong.publish.palette import TECHNOLOGIES

__all__ = ["masts_on_air"]


def masts_on_air(sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return one row a mast, ordered by `site_id`; planned and retired cells are left out.

    Parameters
    ----------
    sites : GeoDataFrame
        A row is a cell.

    Returns
    -------
    GeoDataFrame
        Indexed by `site_id`: name, operators and technologies as text (the newest first), `best`,
        geometry (of the first cell that is a point).
    """
    points = sites[sites.geometry.geom_type == "Point"]
    points = points[points["status"].fillna("on_air") == "on_air"]
    order = {technology: i for i, technology in enumerate(TECHNOLOGIES)}
    points = points.assign(order=points["technology"].map(order))
    points = points.sort_values(["order", "site_id", "sector_id"])
    masts = points.groupby("site_id", sort=True).agg(
        name=("site_name", "first"), best=("technology", "first")
    )
    by_name = points.sort_values(["site_id", "operator"])
    masts = masts.assign(
        operators=_joined(by_name["operator"], by_name["site_id"]),
        technologies=_joined(points["technology"], points["site_id"]),
    )
    places = points.drop_duplicates("site_id").set_index("site_id").geometry
    return gpd.GeoDataFrame(masts, geometry=places.reindex(masts.index), crs=sites.crs)


def _joined(texts: pd.Series, keys: pd.Series) -> pd.Series:
    """Return the different texts of each key, in their order, with commas between them."""
    pairs = pd.DataFrame({"key": keys, "text": texts}).drop_duplicates()
    is_alone = ~pairs["key"].duplicated(keep=False)
    several = pairs[~is_alone].groupby("key")["text"].agg(", ".join)
    return pd.concat([pairs[is_alone].set_index("key")["text"], several])

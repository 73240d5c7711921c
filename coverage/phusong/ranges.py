"""The range of a site whose operator gives none: a table by band, with low and high beside it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.errors import Problem, SchemaError

__all__ = ["fill_radii"]

# The band that a technology mostly uses in Vietnam, for rows that name no frequency.
USUAL_FREQUENCY_MHZ = {
    "2G": 900.0,
    "3G": 2100.0,
    "4G": 1800.0,
    "5G": 2600.0,
    "5G NSA": 2600.0,
    "5G SA": 2600.0,
}


def fill_radii(sites: gpd.GeoDataFrame, table: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return `sites` with a radius on every point row, and its low and high.

    Parameters
    ----------
    sites : GeoDataFrame
        Schema "sites"; a `radius_m` that is given is kept, with no interval around it.
    table : DataFrame
        `frequency_min_mhz` (inclusive), `frequency_max_mhz` (exclusive), `radius_low_m`,
        `radius_m`, `radius_high_m`.

    Returns
    -------
    GeoDataFrame
        With `radius_m`, `radius_low_m`, `radius_high_m`, and `is_default_radius`.

    Raises
    ------
    SchemaError
        Listing the rows without a radius whose frequency the table does not have.
    """
    frequency = sites["frequency_mhz"].astype(float)
    frequency = frequency.fillna(sites["technology"].map(USUAL_FREQUENCY_MHZ))
    is_default = (sites.geometry.geom_type == "Point") & sites["radius_m"].isna()
    band = np.full(len(sites), -1)
    for i, (low, high) in enumerate(
        zip(table["frequency_min_mhz"], table["frequency_max_mhz"], strict=True)
    ):
        band[(frequency >= low) & (frequency < high)] = i
    lost = np.flatnonzero(is_default & (band < 0))
    if len(lost):
        expected = "a radius, or a frequency of the default table"
        raise SchemaError(
            "sites",
            [
                Problem(row=int(i) + 1, field="radius_m", expected=expected,
                        found=f"nothing, at {frequency.iloc[i]:g} MHz")
                for i in lost
            ],
        )  # fmt: skip
    filled = {
        name: sites["radius_m"].astype(float).where(~is_default, table[name].to_numpy()[band])
        for name in ("radius_low_m", "radius_m", "radius_high_m")
    }
    return sites.assign(**filled, is_default_radius=is_default)

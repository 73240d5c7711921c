"""Places where a site could be built: masts without the technology, given points, a new mast."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.joins import find_nearest
from phusong.schema import conform
from phusong.siting.reach import Demand, coarsen

__all__ = ["KINDS", "from_masts", "from_people", "from_points", "gather"]

# What is built: on the operator's own mast, on another's, at a given point, on a mast of its own.
KINDS = ("upgrade", "share", "point", "new")
COLUMNS = ("site_id", "kind", "operator", "has_power", "geometry")


def from_masts(
    sites: gpd.GeoDataFrame, *, technologies: tuple[str, ...], operator: str | None = None
) -> gpd.GeoDataFrame:
    """Return the masts that do not have a technology.

    Parameters
    ----------
    sites : GeoDataFrame
        On air: `site_id`, `operator`, `technology`, points in one CRS.
    technologies : tuple of str
        What they would have to have, such as ("5G", "5G NSA", "5G SA").
    operator : str, optional
        Who builds: its own masts are an "upgrade", those of others "share". Without it every
        operator upgrades its own.

    Returns
    -------
    GeoDataFrame
        `site_id` (of the mast, with the technology added), `kind`, `operator`, `has_power`.

    Examples
    --------
    >>> masts = gpd.GeoDataFrame(
    ...     {"site_id": ["a", "a", "b"], "operator": ["X", "X", "Y"],
    ...      "technology": ["4G", "5G", "4G"]},
    ...     geometry=gpd.points_from_xy([0, 0, 9], [0, 0, 9]), crs="EPSG:5897")
    >>> from_masts(masts, technologies=("5G",), operator="X")[["site_id", "kind", "operator"]]
       site_id   kind operator
    0  b+5G|X  share        X
    """
    points = sites[sites.geometry.geom_type == "Point"]
    builder = points["operator"] if operator is None else operator
    is_there = points["technology"].isin(technologies)
    has_it = points.loc[is_there & (points["operator"] == builder), "site_id"]
    if operator is not None:  # also where its own cells stand on a mast under another id
        own = shapely.get_coordinates(
            points.geometry[is_there & (points["operator"] == operator)].to_numpy()
        )
        at_own = pd.MultiIndex.from_arrays(shapely.get_coordinates(points.geometry.to_numpy()).T)
        has_it = pd.concat(
            [has_it, points["site_id"][at_own.isin(pd.MultiIndex.from_arrays(own.T))]]
        )
    masts = points[~points["site_id"].isin(has_it)].drop_duplicates("site_id")
    owner = masts["operator"]
    who = owner if operator is None else pd.Series(operator, masts.index)
    suffix = f"+{technologies[0]}" if operator is None else f"+{technologies[0]}|{operator}"
    return gpd.GeoDataFrame(
        {
            "site_id": masts["site_id"] + suffix,
            "kind": np.where(owner == who, "upgrade", "share"),
            "operator": who,
            "has_power": True,
        },
        geometry=masts.geometry,
        crs=sites.crs,
    ).reset_index(drop=True)


def from_points(points: gpd.GeoDataFrame, *, operator: str) -> gpd.GeoDataFrame:
    """Return given points (schools, hills) as candidates.

    Parameters
    ----------
    points : GeoDataFrame
        Schema "points", any CRS.
    operator : str
        Who would build.

    Raises
    ------
    SchemaError
        If the points do not conform.
    """
    rows = conform(points, "points").reset_index(drop=True)
    return gpd.GeoDataFrame(
        {
            "site_id": (rows["point_id"] + " " + rows["point_name"].fillna("")).str.strip(),
            "kind": "point",
            "operator": operator,
            "has_power": rows["has_power"],
        },
        geometry=rows.geometry,
        crs=rows.crs,
    )


def from_people(
    demand: Demand, *, spacing_m: float, least_persons: float, operator: str, prefix: str = "N"
) -> gpd.GeoDataFrame:
    """Return a new mast for each square of some width in which enough people lack coverage.

    It stands at their mean place, so that it is near villages. Roads are not known here: whether a
    lorry gets there is for the planner to see.

    Parameters
    ----------
    demand : Demand
    spacing_m : float
        Side of the squares.
    least_persons : float
        Fewer uncovered people are no reason for a mast.
    operator : str
        Who would build.
    prefix : str
        Of the ids.
    """
    k = max(round(spacing_m / demand.grid.cell_m), 1)
    whole = coarsen(demand, k)
    columns, wide = demand.grid.shape[1], whole.grid.shape[1]
    row, column = np.divmod(demand.cell, columns)
    square = (row // k) * wide + column // k
    n = whole.grid.shape[0] * wide
    persons = np.bincount(square, demand.persons, n)
    x, y = (np.bincount(square, demand.persons * axis, n) for axis in demand.xy.T)
    found = np.flatnonzero(persons >= max(least_persons, 1e-9))
    return gpd.GeoDataFrame(
        {
            "site_id": [f"{prefix}{i}" for i in found],
            "kind": "new",
            "operator": operator,
            "has_power": pd.array([pd.NA] * len(found), "boolean"),
        },
        geometry=gpd.points_from_xy(x[found] / persons[found], y[found] / persons[found]),
        crs=demand.grid.crs,
    )


def gather(
    candidates: list[gpd.GeoDataFrame],
    on_air: gpd.GeoDataFrame,
    *,
    forbidden: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Return all candidates in one layer, with how far the nearest site on air is.

    Parameters
    ----------
    candidates : list of GeoDataFrame
        In one metric CRS.
    on_air : GeoDataFrame
        In the same CRS. Fibre is taken to lie where a site is on air.
    forbidden : GeoDataFrame, optional
        Polygons where no mast may be put up; masts that stand there may be upgraded.

    Returns
    -------
    GeoDataFrame
        `COLUMNS`, `backhaul_km` (NaN where nothing is on air), and `tower`: candidates with the
        same number stand in the same place.
    """
    together = pd.concat([c[list(COLUMNS)] for c in candidates], ignore_index=True)
    if forbidden is not None and len(forbidden):
        shapes = forbidden.geometry.to_crs(together.crs).union_all()
        is_in = together.geometry.within(shapes) | together.geometry.touches(shapes)
        is_built = together["kind"].isin(["upgrade", "share"])
        together = together[~is_in | is_built].reset_index(drop=True)
    _, distance_m = find_nearest(together, on_air[on_air.geometry.geom_type == "Point"])
    xy = shapely.get_coordinates(together.geometry.to_numpy())
    tower = pd.MultiIndex.from_arrays(xy.T).factorize()[0]
    return together.assign(backhaul_km=distance_m / 1000, tower=tower)

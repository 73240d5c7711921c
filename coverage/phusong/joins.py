"""Joins by place: sites to communes, the nearest site, and one boundary layer onto another."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr

from phusong.errors import CrsError
from phusong.grid import Grid, choose_metric_crs

__all__ = ["find_nearest", "locate_sites", "overlay_weights"]

AREA_CRS = "EPSG:6933"  # equal-area cylindrical, WGS 84
SLIVER_KM2 = 1e-6


def locate_sites(sites: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return `sites` with the `commune_code` they stand in (NA outside all communes).

    A site on a shared border, or where communes overlap, takes the lowest code; a polygon is
    located by a point inside it.

    Parameters
    ----------
    sites, communes : GeoDataFrame
        In one CRS.

    Raises
    ------
    CrsError
        If the CRSs differ.
    """
    if sites.crs is None or not sites.crs.equals(communes.crs):
        raise CrsError(f"sites are in {sites.crs}, communes in {communes.crs}; reproject one")
    points = sites.geometry.to_numpy()
    if (shapely.get_type_id(points) != shapely.GeometryType.POINT).any():
        points = shapely.point_on_surface(points)
    in_order = communes.sort_values("commune_code")
    site, commune = shapely.STRtree(in_order.geometry.to_numpy()).query(
        points, predicate="intersects"
    )
    first = pd.Series(commune).groupby(site).min()
    codes = pd.Series(pd.NA, index=range(len(sites)), dtype="str")
    codes[first.index] = in_order["commune_code"].to_numpy()[first.to_numpy()]
    return sites.assign(commune_code=codes.set_axis(sites.index))


def find_nearest(
    places: gpd.GeoDataFrame, sites: gpd.GeoDataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each place, the position of the nearest site and its distance in metres.

    Parameters
    ----------
    places, sites : GeoDataFrame
        Points in one metric CRS.

    Returns
    -------
    array of int64, shape (n,)
        Positions in `sites`; -1 where there are none.
    array of float64, shape (n,)
        Metres in the plane of the CRS; NaN where there are none.

    Raises
    ------
    CrsError
        If the CRS is not metric, or not the same.
    """
    if places.crs is None or not places.crs.is_projected or not places.crs.equals(sites.crs):
        raise CrsError(f"places are in {places.crs}, sites in {sites.crs}; use one metric CRS")
    if sites.empty:
        return np.full(len(places), -1), np.full(len(places), np.nan)
    from scipy.spatial import cKDTree  # here, for who locates sites needs no tree

    tree = cKDTree(shapely.get_coordinates(sites.geometry.to_numpy()))
    distance_m, position = tree.query(shapely.get_coordinates(places.geometry.to_numpy()))
    return np.asarray(position, dtype="int64"), np.asarray(distance_m)


def overlay_weights(
    old: gpd.GeoDataFrame,
    new: gpd.GeoDataFrame,
    *,
    old_key: str = "commune_code",
    new_key: str = "commune_code",
    population: xr.DataArray | None = None,
) -> pd.DataFrame:
    """Return the pieces that two boundary layers share, with their area and population.

    Parameters
    ----------
    old, new : GeoDataFrame
        Polygons of two vintages (or of any two zonings), any CRS.
    old_key, new_key : str
        The columns that name their features.
    population : DataArray, dims (y, x), optional
        Persons per cell of a grid in a metric CRS, such as `spread_population` returns.

    Returns
    -------
    DataFrame
        `commune_code_old`, `commune_code`, `area_km2`, `persons` (NaN without population) and
        `weight`: persons where they are known, else area. Pieces under a square metre are
        numerical dust and are left out.

    Examples
    --------
    >>> from shapely import box
    >>> old = gpd.GeoDataFrame({"commune_code": ["1"]}, geometry=[box(105, 19, 105.2, 19.1)],
    ...                        crs="EPSG:4326")
    >>> new = gpd.GeoDataFrame({"commune_code": ["7", "8"]}, crs="EPSG:4326",
    ...                        geometry=[box(105, 19, 105.1, 19.1), box(105.1, 19, 105.3, 19.1)])
    >>> overlay_weights(old, new)[["commune_code", "area_km2"]].round(1)
      commune_code  area_km2
    0            7     116.5
    1            8     116.5
    """
    left = old[[old_key, "geometry"]].rename(columns={old_key: "commune_code_old"})
    right = new[[new_key, "geometry"]].rename(columns={new_key: "commune_code"})
    crs = choose_metric_crs(right) if population is None else population.attrs["crs"]
    pieces = gpd.overlay(
        left.to_crs(crs), right.to_crs(crs), how="intersection", keep_geom_type=True
    )
    area_km2 = pieces.geometry.to_crs(AREA_CRS).area.to_numpy() / 1e6
    is_piece = area_km2 > SLIVER_KM2
    pieces, area_km2 = pieces[is_piece].reset_index(drop=True), area_km2[is_piece]
    persons = np.full(len(pieces), np.nan)
    if population is not None:
        from phusong.zonal import overlap_zones, sum_by_zone  # compiled, so imported where needed

        cell_m = float(population.attrs["cell_m"])
        grid = Grid(
            crs=crs,
            x_min=float(population["x"][0]) - cell_m / 2,
            y_max=float(population["y"][0]) + cell_m / 2,
            cell_m=cell_m,
            shape=(population.sizes["y"], population.sizes["x"]),
        )
        persons = sum_by_zone(overlap_zones(pieces, grid), population)
    weights = pieces[["commune_code_old", "commune_code"]].assign(area_km2=area_km2)
    weights["persons"] = persons
    weights["weight"] = weights["persons"].fillna(weights["area_km2"])
    return pd.DataFrame(weights)

"""The whole flow: layers in, an Assessment out. It reads like the README."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from pyproj import CRS, Transformer

from phusong.affordability import low_cost_shares
from phusong.broadband import tier_bounds
from phusong.crosswalk import move_shares, move_yes_no, place_service
from phusong.errors import CrosswalkError, Problem, SchemaError
from phusong.footprint import ANY, TWO_OR_MORE
from phusong.gaps import find_gaps, nearest_sites
from phusong.grid import Grid, choose_metric_crs, grid_over
from phusong.indicators import COLUMNS, SERVICES, ProvinceCoverage, measure_coverage, tidy_tiers
from phusong.io.embedded import embedded_path
from phusong.io.registers import Register, read_crosswalk, read_radii, read_register
from phusong.joins import AREA_CRS, locate_sites
from phusong.population import spread_population
from phusong.publish.assessment import About, Assessment
from phusong.ranges import fill_radii
from phusong.rollup import COMMUNE_SHARES, roll_up, widen
from phusong.schema import conform
from phusong.targets import evaluate_targets
from phusong.zonal import overlap_zones

__all__ = ["Progress", "assess", "silently"]

LON_LAT = "EPSG:4326"
KEPT_SERVICES = ("4g", "5g")
AREA_TOLERANCE = 0.01

Progress = Callable[[Sequence[str], str], Iterable[str]]


def silently(steps: Sequence[str], label: str) -> Iterable[str]:
    """Yield the steps and show nothing."""
    return steps


def assess(
    communes: gpd.GeoDataFrame,
    *,
    sites: gpd.GeoDataFrame,
    as_of: date,
    service: pd.DataFrame | None = None,
    population: xr.DataArray | None = None,
    register: Register | None = None,
    radii: pd.DataFrame | None = None,
    crosswalk: pd.DataFrame | None = None,
    crosswalk_weights: pd.DataFrame | None = None,
    service_vintage: str | None = None,
    service_is_complete: bool = False,
    crs: str | None = None,
    cell_m: float = 100.0,
    about: About | None = None,
    progress: Progress = silently,
) -> Assessment:
    """Measure the coverage of communes against the targets.

    Parameters
    ----------
    communes : GeoDataFrame
        Schema "communes", any CRS, of one vintage, of one province or many.
    sites : GeoDataFrame
        Schema "sites": a row is a cell. Those not on air on `as_of` do not cover.
    as_of : date
        The day that the figures speak of.
    service : DataFrame, optional
        Schema "service" (`vintage` may be absent). Rows of communes of before land on the new
        ones by the crosswalk.
    population : DataArray, dims (y, x), optional
        Persons per cell, `attrs["crs"]`; without it shares of people are unknown.
    register : Register, optional
        Targets and their settings; those of Thanh Hóa's plan without it.
    radii : DataFrame, optional
        Default radii by band; the embedded table without it.
    crosswalk, crosswalk_weights : DataFrame, optional
        Old to new communes and the weights of split ones; Thanh Hóa's without it.
    service_vintage : str, optional
        The vintage of the service table's codes, where neither a column nor the names say it.
    service_is_complete : bool
        The service table names every commune that has a service.
    crs, cell_m : str, float
        The grid's CRS (each province's own without it) and cell size.
    about : About, optional
        Place, sources and labels to show.
    progress : callable
        Given the steps and a label, yields the steps; draws nothing by default.

    Returns
    -------
    Assessment

    Raises
    ------
    SchemaError, CrsError, CrosswalkError
        Naming every row that stands in the way.
    """
    register = register or read_register(embedded_path("targets"))
    radii = read_radii(embedded_path("radii")) if radii is None else radii
    crosswalk = read_crosswalk(embedded_path("crosswalk")) if crosswalk is None else crosswalk
    about = about or About(place="", as_of=as_of)
    zones = _prepare_communes(communes)
    cells, operator_notes = _unite_operators(_prepare_sites(sites))
    masts = locate_sites(fill_radii(cells, radii), zones)
    on_air, notes = _on_air(masts, as_of)
    measured, nearest = [], []
    for code in progress(sorted(set(zones["province_code"])), "coverage"):
        part = zones[zones["province_code"] == code]
        metric = crs or choose_metric_crs(part)
        measured.append(_measure(part, on_air, population, metric, cell_m=cell_m, as_of=as_of))
        nearest.append(nearest_sites(part, on_air, technologies=SERVICES["5g"], crs=metric))
    indicators = pd.concat([m.indicators for m in measured], ignore_index=True)
    zones, population_notes = _fill_population(zones, indicators)
    if service is not None:
        placed, problems = place_service(service, zones, crosswalk, vintage=service_vintage)
        if problems:
            raise SchemaError("service", problems)
        placed = conform(placed, "service")
        tiers = _broadband(
            placed, zones, register, crosswalk, crosswalk_weights,
            is_complete=service_is_complete, as_of=as_of,
        )  # fmt: skip
        indicators = pd.concat([indicators, tiers], ignore_index=True)
    asked = (r.commune_share for t in register.targets for r in t.readings)
    shares = sorted({*COMMUNE_SHARES, *(share for share in asked if share is not None)})
    provinces = roll_up(indicators, zones, commune_shares=shares)
    wide = widen(indicators, zones)
    return Assessment(
        communes=wide,
        indicators=indicators[list(COLUMNS)],
        provinces=provinces,
        targets=evaluate_targets(register.targets, indicators, provinces, as_of=as_of),
        gaps=find_gaps(wide, indicators, pd.concat(nearest, ignore_index=True)),
        sites=masts,
        coverage=tuple(m.cell_shares for m in measured),
        about=replace(
            about,
            notes=(
                *about.notes,
                *operator_notes,
                *notes,
                *population_notes,
                *_area_notes(zones),
            ),
        ),
    )


def _prepare_communes(communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the communes in lon/lat, with the area of their polygons, sorted by code."""
    zones = conform(communes, "communes").to_crs(LON_LAT)
    if len(set(zones["vintage"])) > 1:
        counts = ", ".join(f"{n} of {v}" for v, n in zones["vintage"].value_counts().items())
        raise CrosswalkError(f"communes: the layer mixes vintages ({counts}); give those of one")
    zones = zones.sort_values(["province_code", "commune_code"], na_position="last")
    polygon_km2 = zones.geometry.to_crs(AREA_CRS).area / 1e6
    return zones.assign(
        province_code=zones["province_code"].fillna("?"),
        polygon_km2=polygon_km2,
        area_km2=zones["area_km2"].astype(float).fillna(polygon_km2),
    ).reset_index(drop=True)


def _prepare_sites(sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the cells in lon/lat; how 5G is built is part of their technology where known."""
    cells = conform(sites, "sites").to_crs(LON_LAT).reset_index(drop=True)
    has_mode = (cells["technology"] == "5G") & cells["nr_mode"].notna()
    named = "5G " + cells["nr_mode"].fillna("")
    return cells.assign(technology=cells["technology"].where(~has_mode, named))


def _unite_operators(cells: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Return the cells with one spelling for names that differ only in case or spaces, and a note.

    Left apart, one operator would count as two wherever two are asked for.
    """
    name = cells["operator"].str.split().str.join(" ")
    key = name.str.casefold()
    taken = np.flatnonzero(key.isin([ANY, TWO_OR_MORE]))
    if len(taken):
        expected = f"a name; {ANY} and {TWO_OR_MORE} are words of the tables"
        raise SchemaError(
            "sites",
            [
                Problem(row=int(i) + 1, field="operator", found=cells["operator"].iloc[i],
                        expected=expected)
                for i in taken
            ],
        )  # fmt: skip
    united = key.map(name.groupby(key).agg(lambda spellings: spellings.mode().iloc[0]))
    changed = sorted(set(zip(cells["operator"], united, strict=True)))
    notes = [
        f"{old!r} is taken as {new!r}: the names differ only in case or spaces"
        for old, new in changed
        if old != new
    ]
    return cells.assign(operator=united), notes


def _on_air(sites: gpd.GeoDataFrame, as_of: date) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Return the cells that are on air on the day, and a note that counts the others."""
    status = sites["status"].fillna("on_air")
    is_later = sites["on_air_date"] > pd.Timestamp(as_of)
    is_on_air = (status == "on_air") & ~is_later
    off = {
        "planned": int((status == "planned").sum()),
        "retired": int((status == "retired").sum()),
        "on air only after the date": int(((status == "on_air") & is_later).sum()),
    }
    counts = ", ".join(f"{n} {word}" for word, n in off.items() if n)
    notes = [f"{(~is_on_air).sum()} of {len(sites)} cells do not cover: {counts}"] if counts else []
    n_default = int(sites["is_default_radius"].sum())
    if n_default:
        notes.append(
            f"{n_default} of {len(sites)} cells have no radius of their own: the default table's, "
            "with its low and high, stands in"
        )
    return sites[is_on_air], notes


def _measure(
    part: gpd.GeoDataFrame,
    on_air: gpd.GeoDataFrame,
    population: xr.DataArray | None,
    metric: str,
    *,
    cell_m: float,
    as_of: date,
) -> ProvinceCoverage:
    """Measure one province on its own grid, with the sites of others that reach into it."""
    projected = part.to_crs(metric)
    margin = 0 if population is None else math.ceil(_cell_size_m(population) / cell_m) + 1
    grid = grid_over(projected, crs=metric, cell_m=cell_m, margin_cells=margin)
    near = _within_reach(on_air, grid)
    technologies = set(on_air["technology"])
    services = {
        name: group
        for name, group in SERVICES.items()
        if name not in ("5g_nsa", "5g_sa") or technologies & set(group)
    }
    return measure_coverage(
        projected,
        near,
        overlap_zones(projected, grid),
        services=services,
        operators=sorted(set(on_air["operator"])),
        as_of=as_of,
        population=None if population is None else spread_population(population, grid),
        keep=KEPT_SERVICES,
    )


def _within_reach(sites: gpd.GeoDataFrame, grid: Grid) -> gpd.GeoDataFrame:
    """Return, in the grid's CRS, the sites whose largest footprint may meet the grid."""
    reach_m = float(np.nanmax(sites["radius_high_m"].to_numpy(float), initial=0.0))
    x_min, y_min, x_max, y_max = grid.bounds
    west, south, east, north = Transformer.from_crs(
        grid.crs, LON_LAT, always_xy=True
    ).transform_bounds(x_min - reach_m, y_min - reach_m, x_max + reach_m, y_max + reach_m)
    bounds = sites.geometry.bounds
    is_near = (
        (bounds["maxx"] > west)
        & (bounds["minx"] < east)
        & (bounds["maxy"] > south)
        & (bounds["miny"] < north)
    )
    return sites[is_near].to_crs(grid.crs)


def _cell_size_m(raster: xr.DataArray) -> float:
    """Return the larger side of a raster cell in metres, a degree taken as 111.32 km."""
    step = max(abs(float(raster[axis].diff(axis).mean())) for axis in ("x", "y"))
    return step * 111_320 if CRS(raster.attrs["crs"]).is_geographic else step


def _fill_population(
    zones: gpd.GeoDataFrame, indicators: pd.DataFrame
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Return the communes with the raster's people where they have no figure of their own."""
    official = zones["population"].astype(float)
    rows = indicators[indicators["indicator"] == "share_population"]
    people = rows.drop_duplicates("commune_code").set_index("commune_code")["denominator"]
    filled = official.fillna(zones["commune_code"].map(people))
    n_filled = int((official.isna() & filled.notna()).sum())
    n_missing = int(filled.isna().sum())
    notes = [f"{n_filled} communes take their population from the raster"] if n_filled else []
    if n_missing:
        notes.append(f"{n_missing} communes have no known population: not in figures of people")
    return zones.assign(population=filled), notes


def _area_notes(zones: gpd.GeoDataFrame) -> list[str]:
    """List the communes whose polygon differs from the official area by more than 1 %."""
    ratio = zones["polygon_km2"] / zones["area_km2"].where(zones["area_km2"] > 0)
    off = zones.assign(ratio=ratio)[(ratio - 1).abs() > AREA_TOLERANCE]
    if off.empty:
        return []
    listed = "; ".join(
        f"{row.commune_code} {row.commune_name} {row.ratio:.3f}"
        for row in off.sort_values("ratio").itertuples()
    )
    return [f"polygon ÷ official area differs by more than 1 % in {len(off)} communes: {listed}"]


def _broadband(
    service: pd.DataFrame,
    zones: gpd.GeoDataFrame,
    register: Register,
    crosswalk: pd.DataFrame,
    weights: pd.DataFrame | None,
    *,
    is_complete: bool,
    as_of: date,
) -> pd.DataFrame:
    """Return the tidy rows of the tiers and of low cost, on the communes of `zones`."""
    is_old = len(service) > 0 and service["vintage"].iloc[0] != zones["vintage"].iloc[0]
    places = zones
    if is_old:
        links = crosswalk[crosswalk["commune_code"].isin(zones["commune_code"])]
        places = links[["commune_code_old"]].drop_duplicates().set_axis(["commune_code"], axis=1)
    tiers = tier_bounds(
        service,
        places,
        floor_mbps=register.floor_mbps,
        tier_share=register.tier_share,
        is_complete=is_complete,
    )
    low_cost = low_cost_shares(
        service,
        places,
        floor_mbps=register.floor_mbps,
        income_vnd_month=register.income_vnd_month,
        income_share=register.income_share,
        is_complete=is_complete,
    )
    if is_old:
        tiers = {name: move_yes_no(t, links, weights=weights) for name, t in tiers.items()}
        low_cost = move_shares(low_cost, links, weights=weights)
    return tidy_tiers({**tiers, "low_cost": low_cost}, zones, as_of=as_of)

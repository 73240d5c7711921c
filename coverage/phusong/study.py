"""The whole flow: layers in, an Assessment out. It reads like the README."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from phusong.affordability import low_cost_shares
from phusong.broadband import tier_bounds
from phusong.census import People, find_beyond, placing_of
from phusong.crosswalk import links_to, move_shares, move_yes_no, place_service
from phusong.errors import SchemaError
from phusong.indicators import tidy_tiers
from phusong.io.embedded import embedded_path
from phusong.io.registers import Register, read_crosswalk, read_radii, read_register
from phusong.joins import locate_sites
from phusong.partition import partition_notes
from phusong.population import fill_population
from phusong.prepare import (
    area_notes,
    prepare_communes,
    prepare_sites,
    require_spread,
    select_on_air,
    unite_operators,
)
from phusong.province import split_provinces
from phusong.publish.assessment import About, Assessment
from phusong.ranges import fill_radii
from phusong.scenario import Ground, ask
from phusong.scheduling import measure_parts
from phusong.schema import conform
from phusong.steps import Progress, silently
from phusong.terrain_coverage import TerrainModel, model_notes, model_parts

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["assess"]


def assess(
    communes: gpd.GeoDataFrame,
    *,
    sites: gpd.GeoDataFrame,
    as_of: date,
    service: pd.DataFrame | None = None,
    population: People = None,
    register: Register | None = None,
    radii: pd.DataFrame | None = None,
    crosswalk: pd.DataFrame | None = None,
    crosswalk_weights: pd.DataFrame | None = None,
    service_vintage: str | None = None,
    service_is_complete: bool = False,
    crs: str | None = None,
    cell_m: float = 100.0,
    about: About | None = None,
    model: TerrainModel | None = None,
    client: Client | None = None,
    progress: Progress = silently,
) -> Assessment:
    """Measure the coverage of communes against the targets.

    Parameters
    ----------
    communes : GeoDataFrame
        Schema "communes", any CRS, of one vintage, of one province or many. What several claim is
        the one's with the lowest code (`make_partition`).
    sites : GeoDataFrame
        Schema "sites": a row is a cell. Those not on air on `as_of` do not cover.
    as_of : date
        The day that the figures speak of.
    service : DataFrame, optional
        Schema "service" (`vintage` may be absent). Rows of communes of before land on the new
        ones by the crosswalk.
    population : DataArray, dims (y, x), GeoDataFrame or "even", optional
        Persons per cell, `attrs["crs"]`; or polygons of any layer with their `population`, such as
        the communes of a census; without it shares of people are unknown. A commune's own number
        stays its number of people: the raster, or the areas, say where in it they live. "even"
        spreads the communes' own numbers over their area. Counts of areas are no evidence of where
        in them people live: the bounds stay those that the area allows.
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
    model : TerrainModel, optional
        Coverage is the signal of the sites over terrain, evidence "modelled", in place of the
        footprints that their radii declare (`model_parts`).
    client : distributed.Client, optional
        Its workers measure the provinces, with the same result. Signals are modelled here.
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
    require_spread(population, communes)
    zones, made = prepare_communes(communes)
    cells, operator_notes = unite_operators(prepare_sites(sites))
    masts = locate_sites(fill_radii(cells, radii), zones)
    on_air, _ = select_on_air(masts, as_of)
    parts = split_provinces(zones, made.gaps, population, crs=crs, cell_m=cell_m)
    question = ask(on_air, as_of)
    if model is None:
        answers = measure_parts(parts, on_air, question, client=client, progress=progress)
    else:
        modelled = model_parts(parts, on_air, question, model, client=client, progress=progress)
        answers = [(part.coverage, part.persons_between) for part in modelled]
        operator_notes += model_notes(model, modelled)
    measured = [coverage for coverage, _ in answers]
    n_between = sum(persons for _, persons in answers)
    persons = pd.concat([m.persons for m in measured])
    zones, population_notes = fill_population(zones, persons, placing=placing_of(population))
    tiers = None
    if service is not None:
        tiers = _broadband(
            service, zones, register, crosswalk, crosswalk_weights,
            vintage=service_vintage, is_complete=service_is_complete, as_of=as_of,
        )  # fmt: skip
    ground = Ground(
        zones=zones, parts=parts, tiers=tiers, register=register, radii=radii, as_of=as_of,
        about=about, model=model,
        notes=(
            *population_notes,
            *find_beyond(population, persons),
            *partition_notes(made, n_between),
            *area_notes(zones),
        ),
    )  # fmt: skip
    return ground.assess(masts, measured, operator_notes)


def _broadband(
    service: pd.DataFrame,
    zones: gpd.GeoDataFrame,
    register: Register,
    crosswalk: pd.DataFrame,
    weights: pd.DataFrame | None,
    *,
    vintage: str | None,
    is_complete: bool,
    as_of: date,
) -> pd.DataFrame:
    """Return the tidy rows of the tiers and of low cost, on the communes of `zones`."""
    placed, problems = place_service(service, zones, crosswalk, vintage=vintage)
    if problems:
        raise SchemaError("service", problems)
    service = conform(placed, "service")
    is_old = len(service) > 0 and service["vintage"].iloc[0] != zones["vintage"].iloc[0]
    places = zones
    if is_old:
        links = links_to(zones, crosswalk)
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

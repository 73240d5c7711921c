"""The files of a study, read once: what `assess` takes, and the account of every file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from phusong.census import People
from phusong.io.aliases import read_aliases
from phusong.io.boundaries import read_communes
from phusong.io.census import read_people
from phusong.io.embedded import embedded_path
from phusong.io.headers import Vocabulary
from phusong.io.land import read_model
from phusong.io.registers import Register, read_crosswalk, read_register, read_weights
from phusong.io.report import ReadReport
from phusong.io.settings import Study
from phusong.io.tables import read_service, read_sites
from phusong.terrain_coverage import TerrainModel

__all__ = ["StudyLayers", "read_layers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyLayers:
    """The layers and registers of a study.

    Attributes
    ----------
    communes, sites : GeoDataFrame
        The sites of all files, in an order that does not depend on the files' own.
    service : DataFrame or None
    population : as `assess` takes it
    crosswalk : DataFrame
    weights : DataFrame or None
        Of the crosswalk, where the study names its own.
    register : Register
    model : TerrainModel or None
    aliases : Vocabulary or None
    reports : tuple of ReadReport
        Of each file, in the order of reading.
    notes : tuple of str
        What the files say, each after its name, and what was done to voids of the terrain.
    """

    communes: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    service: pd.DataFrame | None
    population: People
    crosswalk: pd.DataFrame
    weights: pd.DataFrame | None
    register: Register
    model: TerrainModel | None
    aliases: Vocabulary | None
    reports: tuple[ReadReport, ...]
    notes: tuple[str, ...]


def read_layers(study: Study) -> StudyLayers:
    """Read the files of a study.

    Raises
    ------
    PhusongError
        Naming the file and the row that stands in the way.
    """
    aliases = None if study.aliases is None else read_aliases(study.aliases)
    communes = read_communes(study.communes, vintage=study.vintage, aliases=aliases)
    zones = communes.layer
    sites = [
        read_sites(path, crs=study.crs, communes=zones, as_of=study.as_of, aliases=aliases)
        for path in study.sites
    ]
    reports = [reading.report for reading in (communes, *sites)]
    crosswalk = read_crosswalk(study.crosswalk or embedded_path("crosswalk"))
    service = None
    if study.service is not None:
        read = read_service(study.service, vintage=study.service_vintage, communes=zones,
                            crosswalk=crosswalk, aliases=aliases)  # fmt: skip
        service = read.layer
        reports.append(read.report)
    population: People = None
    if isinstance(study.population, Path):
        people = read_people(study.population, communes=zones, aliases=aliases)
        population = people.layer
        reports.append(people.report)
    elif study.population is not None:
        population = study.population
    modelled = read_model(study, zones)
    if modelled is not None:
        reports += modelled.reports
    together = pd.concat([reading.layer for reading in sites], ignore_index=True)
    return StudyLayers(
        communes=zones,
        sites=together.sort_values(["site_id", "sector_id"], ignore_index=True),
        service=service,
        population=population,
        crosswalk=crosswalk,
        weights=study.crosswalk_weights and read_weights(study.crosswalk_weights),
        register=read_register(study.register or embedded_path("targets")),
        model=modelled and modelled.model,
        aliases=aliases,
        reports=tuple(reports),
        notes=(
            *(f"{Path(report.file).name}: {note}" for report in reports for note in report.notes),
            *(() if modelled is None else modelled.notes),
        ),
    )

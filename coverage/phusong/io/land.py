"""The ground of a prediction from its files: terrain, what stands on it, the register."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import geopandas as gpd

from phusong.io.clutter import read_clutter
from phusong.io.embedded import embedded_path
from phusong.io.radio_rules import read_radio_rules
from phusong.io.raster_place import find_cell_km2
from phusong.io.report import ReadReport
from phusong.io.settings import Study
from phusong.io.terrain import fill_voids, read_terrain
from phusong.radio.area import Land
from phusong.radio.relief import choose_sampling
from phusong.radio.rules import RadioRules
from phusong.radio.signal import Reach
from phusong.terrain_coverage import TerrainModel

__all__ = ["LandReading", "ModelReading", "read_land", "read_model"]


class LandReading(NamedTuple):
    """A ground as read, the accounts of its files, and notes on its voids."""

    land: Land
    reports: tuple[ReadReport, ...]
    notes: tuple[str, ...]


def read_land(
    terrain: Path,
    rules: RadioRules,
    *,
    kind: Literal["ground", "surface"],
    cell_m: float,
    radius_m: float,
    communes: gpd.GeoDataFrame | None = None,
    clutter: Path | None = None,
    clutter_kind: Literal["heights", "classes"] = "heights",
    sampling: int | None = None,
) -> LandReading:
    """Read terrain with its small voids filled, and clutter, as far as masts reach.

    Parameters
    ----------
    terrain : Path
        See `read_terrain`.
    rules : RadioRules
        Heights of land-cover classes.
    kind : {"ground", "surface"}
        Of the terrain.
    cell_m, radius_m : float
        Of the cells and of the masts.
    communes : GeoDataFrame, optional
        All of which the terrain must cover; the window around them is read.
    clutter : Path, optional
        See `read_clutter`.
    clutter_kind : {"heights", "classes"}
    sampling : int, optional
        Samples of a ray on the side of a cell; without it those of the terrain.

    Raises
    ------
    InputFileError, CrsError
        Naming the file that cannot be used.
    """
    reading = read_terrain(terrain, communes=communes, margin_m=radius_m)
    filled, void_notes = fill_voids(reading.layer)
    reports, cover = [reading.report], None
    if clutter is not None:
        classes = rules.cover_m if clutter_kind == "classes" else None
        covered = read_clutter(clutter, classes=classes, communes=communes, margin_m=radius_m)
        cover = covered.layer
        reports.append(covered.report)
    terrain_m = 1000.0 * find_cell_km2(filled) ** 0.5
    land = Land(
        terrain=filled, kind=kind, cover=cover,
        sampling=sampling or choose_sampling(cell_m, terrain_m),
    )  # fmt: skip
    return LandReading(land, tuple(reports), tuple(void_notes))


class ModelReading(NamedTuple):
    """What models the coverage of a study, the accounts of its files, and notes on voids."""

    model: TerrainModel
    reports: tuple[ReadReport, ...]
    notes: tuple[str, ...]


def read_model(study: Study, communes: gpd.GeoDataFrame) -> ModelReading | None:
    """Read the terrain and the register of a study; None where it names no terrain.

    Parameters
    ----------
    study : Study
    communes : GeoDataFrame, EPSG:4326
        Schema "communes".

    Raises
    ------
    InputFileError, CrsError
        Naming the file that cannot be used.
    """
    if study.terrain is None:
        return None
    rules, reach = read_radio_rules(study.radio or embedded_path("radio")), Reach()
    land = read_land(
        study.terrain, rules, kind=study.terrain_kind, cell_m=study.cell_m,
        radius_m=reach.radius_m, communes=communes, clutter=study.clutter,
        clutter_kind=study.clutter_kind,
    )  # fmt: skip
    model = TerrainModel(land=land.land, rules=rules, reach=reach)
    return ModelReading(model, land.reports, land.notes)

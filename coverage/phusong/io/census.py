"""Counts of people by area (communes of a census, districts, villages), or by cell of a raster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.errors import InputFileError, Problem, SchemaError
from phusong.io.frames import LON_LAT, to_lon_lat
from phusong.io.geometry import find_polygons, mend_polygons
from phusong.io.headers import Vocabulary, match_headers, own_vocabulary
from phusong.io.parse import header_unit, parse_numbers
from phusong.io.placement import find_off_earth
from phusong.io.raster_place import list_communes
from phusong.io.rasters import read_population
from phusong.io.report import Reading, ReadReport
from phusong.io.vectors import VECTORS, open_vector

__all__ = ["read_areas", "read_people"]

# More communes than this beyond the areas: it is not the layer of this place.
BARE_SHARE = 0.01


def read_people(
    path: Path | str,
    *,
    communes: gpd.GeoDataFrame | None = None,
    aliases: Vocabulary | None = None,
) -> Reading:
    """Read where people live, from a raster of persons per cell or areas with their counts.

    What it is, the file's extension says: those of vector layers hold areas (`read_areas`), all
    others should be a GeoTIFF (`read_population`).
    """
    if Path(path).suffix.casefold() in VECTORS:
        return read_areas(path, communes=communes, aliases=aliases)
    return read_population(path, communes=communes)


def read_areas(
    path: Path | str,
    *,
    communes: gpd.GeoDataFrame | None = None,
    aliases: Vocabulary | None = None,
) -> Reading:
    """Read polygons with the number of people in each.

    An area without a number would take its people out of every percentage, so nothing is set
    aside: a wrong feature refuses the file, with every problem listed.

    Parameters
    ----------
    path : Path or str
        A vector layer with a column of people ("population", "dân số" …).
    communes : GeoDataFrame, optional
        Schema "communes". At most 1 % of them may lie beyond all areas, and are noted.
    aliases : Vocabulary, optional
        Our headings and words with the user's own (`aliases.read_aliases`).

    Returns
    -------
    Reading
        `layer`: GeoDataFrame, EPSG:4326: `population` (persons) and the polygon of each area.
        `report.sum_valid` is the number of people of the file.

    Raises
    ------
    InputFileError, CrsError, SchemaError
    """
    path = Path(path)
    features = open_vector(path)
    source = features.layer.reset_index(drop=True)
    labels = _labels(source)
    persons, repairs, wrong = _persons(source, path.name, labels, aliases or own_vocabulary())
    polygons, parts, problems = find_polygons(source.geometry.to_numpy(), labels)
    shapes = to_lon_lat(gpd.GeoSeries(polygons, crs=source.crs), str(path)).to_numpy().copy()
    lost = find_off_earth(shapes, labels)
    shapes[[problem.row - 1 for problem in lost if problem.row]] = shapely.Polygon()
    shapes, mended, broken = mend_polygons(shapes, labels)
    problems = [*wrong, *problems, *lost, *broken]
    if problems:
        raise SchemaError(f"{path.name}: population", list(dict.fromkeys(problems)))
    layer = gpd.GeoDataFrame({"population": persons}, geometry=shapes, crs=LON_LAT)
    report = ReadReport(
        file=str(path),
        layer="population",
        rows_in=len(layer),
        rows_used=len(layer),
        repairs=(*features.repairs, *repairs, *parts, *mended),
        notes=(
            *features.notes,
            f"{len(layer):,} areas with {persons.sum():,.0f} people, spread evenly over each",
            *_find_bare(layer, communes, path),
        ),
        sum_valid=float(persons.sum()),
    )
    return Reading(layer, report)


def _labels(source: gpd.GeoDataFrame) -> list[str]:
    """Return the first three values of each feature, to name it by."""
    values = source.drop(columns=source.geometry.name).iloc[:, :3]
    return [" ".join(map(str, row)) for row in values.itertuples(index=False)]


def _persons(
    source: gpd.GeoDataFrame, file: str, labels: Sequence[str], words: Vocabulary
) -> tuple[np.ndarray, list[Problem], list[Problem]]:
    """Return the number of people of each feature, what was mended, and what is no number."""
    names = [c for c in source.columns if c != source.geometry.name and source[c].notna().any()]
    found = match_headers(list(map(str, names)), "communes", words)
    columns = [names[i] for i, column in found.items() if column == "population"]
    if not columns:
        raise SchemaError(
            f"{file}: population",
            [Problem(row=None, field="population", found=", ".join(map(str, names)) or "no columns",
                     expected="a column of people")],
        )  # fmt: skip
    values = source[columns[0]]
    repairs: list[Problem] = []
    if pd.api.types.is_numeric_dtype(values):
        persons = values.to_numpy("float64", na_value=np.nan)
    else:
        text = values.map(str, na_action="ignore").fillna("").astype("str")
        persons = parse_numbers(text)[0].to_numpy("float64")
    factor = header_unit(str(columns[0]), "persons")
    if factor != 1:
        persons = persons * factor
        repairs = [
            Problem(row=None, field="population", found=f"the heading {str(columns[0])!r}",
                    expected="persons", message=f"all values multiplied by {factor:g}")
        ]  # fmt: skip
    is_wrong = ~(np.isfinite(persons) & (persons >= 0))
    problems = [
        Problem(row=i + 1, field="population", found=repr(values.iloc[i]),
                expected="a number of people", message=labels[i])
        for i in np.flatnonzero(is_wrong).tolist()
    ]  # fmt: skip
    return persons, repairs, problems


def _find_bare(
    layer: gpd.GeoDataFrame, communes: gpd.GeoDataFrame | None, path: Path
) -> tuple[str, ...]:
    """Say which communes lie beyond all areas."""
    if communes is None:
        return ()
    zones = communes.geometry.to_crs(LON_LAT).to_numpy()
    tree = shapely.STRtree(zones)
    is_bare = np.ones(len(zones), dtype=bool)
    is_bare[tree.query(layer.geometry.to_numpy(), predicate="intersects")[1]] = False
    if is_bare.mean() > BARE_SHARE:
        raise InputFileError(
            f"{path}: no area meets {is_bare.sum()} of {len(zones)} communes "
            f"({list_communes(communes, is_bare)}): is it the layer of this place?"
        )
    if not is_bare.any():
        return ()
    return (
        f"no area meets {is_bare.sum()} of {len(zones)} communes "
        f"({list_communes(communes, is_bare)}): where their people live is not known",
    )

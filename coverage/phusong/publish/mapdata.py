"""What the web map is given: shapes and figures of an assessment as plain data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.layers import ANY, TWO_OR_MORE
from phusong.publish.assessment import Assessment
from phusong.publish.mappictures import uncovered_pictures
from phusong.publish.maptopology import Topology, share_arcs, simplify_communes
from phusong.publish.masts import masts_on_air
from phusong.publish.palette import BREAKS
from phusong.publish.summary import targets_json
from phusong.sentences import tell
from phusong.words import LANGUAGES

__all__ = ["map_data", "to_json_text"]

WEB_MERCATOR = "EPSG:3857"
STRIP = 128  # sites without names go along strips of so many pixels
SLACK = 1e-6  # of a part: a bound that is a whole number is not moved by its last digit
COUNTRY_DEG = 4.0  # a layer wider or taller than this is drawn as a country
LAYER = ["indicator", "service", "operator"]
CORNER_M = math.pi * 6_378_137  # the world ends there, to the west and to the north
TARGET_KEYS = ("target_id", "title_vi", "title_en", "due", "status", "n_communes",
               "n_communes_short", "n_communes_undetermined")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """How fine the figures and shapes of a map are.

    Attributes
    ----------
    tolerance_m : float
        Bends of borders that are smaller go.
    zoom : int
        Its pixels are the unit of coordinates.
    picture_pixels : int
        The longer side of the picture of a part of a province.
    parts : int
        A share is a whole number of such parts.
    bound_parts : int
        Bounds are whole multiples of so many parts, the low one rounded down, the high one up.
    is_whole : bool
        Sites have names and ids, and shares of one operator have bounds.
    """

    tolerance_m: float
    zoom: int
    picture_pixels: int
    parts: int
    bound_parts: int
    is_whole: bool


PROVINCE = Detail(tolerance_m=50, zoom=15, picture_pixels=1800, parts=1_000_000,
                  bound_parts=1, is_whole=True)  # fmt: skip
COUNTRY = Detail(tolerance_m=400, zoom=11, picture_pixels=150, parts=1_000,
                 bound_parts=10, is_whole=False)  # fmt: skip


def map_data(assessment: Assessment) -> dict[str, Any]:
    """Return everything that the page shows of an assessment, without a word of the page's own.

    A layer of more than 4° is drawn as a country: borders are simplified to 400 m, sites lie on a
    raster of 76 m and have no names, shares are rounded to 0.1 % and bounds (of all operators
    together only) outwards to 1 %, so that the page stays small.

    Parameters
    ----------
    assessment : Assessment

    Returns
    -------
    dict
        Plain JSON values only; unknown is None.

        - `place`, `as_of`, `sources`, `notes`, `notes_vi`, `synthetic`, `schematic`, `targets`
        - `communes`: columns `code`, `name`, `population`, `area_ha`; `zoom`, whose pixels (in
          tiles of 256, from the north-west) all coordinates count; `label_x`, `label_y`; the
          borders as arcs: `arc_x`, `arc_y` (where each begins), `arc_steps` (dx1, dy1, …),
          `arc_sizes` (steps in each); `rings` (arcs one after the other, -1 - i is arc i
          backwards), `ring_sizes` (arcs in each), `polygon_sizes` (rings), `shape_sizes`
          (polygons, by commune)
        - `parts`: shares are whole numbers of 1/parts
        - `layers`: `indicator`, `service`, `operator`, `share`, `evidence` (a coded column);
          where there are bounds, `below` and `above`: how far they lie from the share (from 0
          where it is None); `total`, share and bounds of the whole area, where there is one
        - `gaps`: columns by rank, `at` is the position of the commune
        - `sites`: columns by mast, with `x` and `y`
        - `uncovered`: pictures by `service`

        A coded column is `words`, a list of texts, and `of`, which of them each row has.
    """
    communes, about = assessment.communes, assessment.about
    west, south, east, north = communes.total_bounds
    detail = COUNTRY if max(east - west, north - south) > COUNTRY_DEG else PROVINCE
    said = {
        "place": about.place,
        "as_of": about.as_of,
        "sources": about.sources,
        "notes": about.notes,
        **{f"notes_{x}": [tell(note, x) for note in about.notes] for x in LANGUAGES if x != "en"},
        "synthetic": about.is_synthetic,
        "schematic": about.is_schematic,
        "targets": [
            {key: target[key] for key in TARGET_KEYS} | _first_reading(target)
            for target in targets_json(assessment.targets)
        ],
        "parts": detail.parts,
    }
    return json.loads(to_json_text(said)) | {
        "communes": _communes(communes, detail),
        "layers": _layers(assessment, detail),
        "gaps": _gaps(assessment.gaps, communes),
        "sites": _sites(assessment.sites, detail),
        "uncovered": uncovered_pictures(
            communes, assessment.coverage, max_pixels=detail.picture_pixels
        ),
    }


def to_json_text(data: Mapping[str, object]) -> str:
    """Return JSON without what JSON has not: the unknown is null, dates are text.

    Examples
    --------
    >>> to_json_text({"share": [0.5, float("nan"), pd.NA]})
    '{"share":[0.5,null,null]}'
    """
    return json.dumps(_known(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _known(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _known(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _first_reading(target: Mapping[str, Any]) -> dict[str, object]:
    """Return the reading that decides: its label and its share with the bounds."""
    keys = ("label_vi", "label_en", "threshold", "share", "share_low", "share_high")
    return {key: target["readings"][0][key] for key in keys}


def _communes(communes: gpd.GeoDataFrame, detail: Detail) -> dict[str, object]:
    shapes = communes.geometry.to_crs(WEB_MERCATOR).to_numpy()
    simple = simplify_communes(shapes, tolerance_m=detail.tolerance_m)
    world = shapely.transform(simple, lambda xy: xy * [1, -1] + CORNER_M)
    unit_m = _unit_m(detail)
    cut = share_arcs(world, unit_m=unit_m)
    label = shapely.get_coordinates(shapely.point_on_surface(_largest_parts(world))) / unit_m
    return {
        "zoom": detail.zoom,
        "code": communes["commune_code"].tolist(),
        "name": communes["commune_name"].tolist(),
        "population": _whole(communes["population"]),
        "area_ha": _whole(communes["area_km2"] * 100),
        "label_x": _whole(label[:, 0]),
        "label_y": _whole(label[:, 1]),
        **_flat(cut),
    }


def _flat(cut: Topology) -> dict[str, list[int]]:
    """Return arcs and rings as flat columns."""
    polygons = [polygon for shape in cut.rings for polygon in shape]
    rings = [ring for polygon in polygons for ring in polygon]
    return {
        "arc_x": [int(arc[0, 0]) for arc in cut.arcs],
        "arc_y": [int(arc[0, 1]) for arc in cut.arcs],
        "arc_steps": np.concatenate([np.diff(a, axis=0) for a in cut.arcs]).reshape(-1).tolist(),
        "arc_sizes": [len(arc) - 1 for arc in cut.arcs],
        "rings": [arc for ring in rings for arc in ring],
        "ring_sizes": [len(ring) for ring in rings],
        "polygon_sizes": [len(polygon) for polygon in polygons],
        "shape_sizes": [len(shape) for shape in cut.rings],
    }


def _largest_parts(shapes: np.ndarray) -> np.ndarray:
    """Return the largest polygon of each shape: a name stands on the main island."""
    parts, shape_of = shapely.get_parts(shapes, return_index=True)
    order = np.lexsort((-shapely.area(parts), shape_of))
    _, first = np.unique(shape_of[order], return_index=True)
    return np.asarray(parts[order[first]])


def _layers(assessment: Assessment, detail: Detail) -> list[dict[str, object]]:
    """Return each indicator × service × operator as shares with their bounds.

    Where communes have it by several kinds of evidence, each kind is a layer of its own.
    """
    codes = assessment.communes["commune_code"]
    totals = assessment.provinces
    totals = totals[totals["province_code"] == ""].reset_index(drop=True)
    layers = []
    for _, rows in assessment.indicators.groupby(LAYER, sort=False):
        kinds = [rows]
        if rows["commune_code"].duplicated().any():
            kinds = [kind for _, kind in rows.groupby("evidence", sort=True)]
        layers += [_layer(kind, codes, detail) | _total(kind, totals, detail) for kind in kinds]
    return layers


def _layer(rows: pd.DataFrame, codes: pd.Series, detail: Detail) -> dict[str, object]:
    table = rows.set_index("commune_code").reindex(codes)
    share, low, high = (
        table[name].to_numpy(dtype="float64", na_value=np.nan)
        for name in ("share", "share_low", "share_high")
    )
    parts = _parts(share, detail.parts)
    layer: dict[str, object] = {
        **{key: str(rows[key].iloc[0]) for key in LAYER},
        "evidence": _coded(table["evidence"]),
        "share": _whole(parts),
    }
    is_shown = detail.is_whole or layer["operator"] in (ANY, TWO_OR_MORE)
    if is_shown and not np.isnan(low).all():
        low, high = _bounds(low, high, detail)
        # A share that stands between its bounds does so when all three are rounded.
        least, most = np.nan_to_num(parts, nan=np.inf), np.nan_to_num(parts, nan=-np.inf)
        middle = np.nan_to_num(parts)
        layer |= {
            "below": _whole(middle - np.minimum(low, least)),
            "above": _whole(np.maximum(high, most) - middle),
        }
    return layer


def _bounds(low: np.ndarray, high: np.ndarray, detail: Detail) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds in whole parts; where steps are coarse, they are moved apart."""
    if detail.bound_parts == 1:
        return _parts(low, detail.parts), _parts(high, detail.parts)
    step = detail.parts / detail.bound_parts
    return (
        np.floor(low * step + SLACK) * detail.bound_parts,
        np.ceil(high * step - SLACK) * detail.bound_parts,
    )


def _total(rows: pd.DataFrame, totals: pd.DataFrame, detail: Detail) -> dict[str, object]:
    """Return the share of the whole area with its bounds: of communes that have a tier, else of
    people or of area."""
    key = [str(rows[name].iloc[0]) for name in LAYER]
    of = {"share_area": "area"}.get(key[0], "communes" if key[0].startswith("broad") else "people")
    found = totals[(totals[LAYER] == key).all(axis=1) & (totals["share_of"] == of)]
    if len(found) != 1 or (found["commune_share"].notna()).any():
        return {}
    shares = found[["share", "share_low", "share_high"]].to_numpy(float)[0]
    return {"total": _whole(_parts(shares, detail.parts))}


def _parts(share: np.ndarray, n_parts: int) -> np.ndarray:
    """Return shares in whole parts, rounded, but never over the limit of a class.

    Only a whole share is all parts, only nothing is 0, and what is below 95 % stays below.
    """
    parts = np.rint(share * n_parts)
    for limit in (*BREAKS, 1.0):
        limit_parts = round(limit * n_parts)
        parts = np.where((share < limit) & (parts >= limit_parts), limit_parts - 1, parts)
    return np.where((share > 0) & (parts < 1), 1, parts)


def _gaps(gaps: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> dict[str, object]:
    position = pd.Series(np.arange(len(communes)), index=communes["commune_code"].to_numpy())
    return {
        "at": _whole(gaps["commune_code"].map(position)),
        "people": _whole(gaps["people_uncovered"]),
        "ha": _whole(gaps["area_uncovered_km2"] * 100),
        "site_m": _whole(gaps["nearest_site_km"] * 1000),
        **{
            name: _coded(gaps[column])
            for name, column in (
                ("missing", "missing"), ("certainty", "certainty"), ("reason", "reason"),
                ("operators", "operators_present"), ("site_operator", "nearest_site_operator"),
            )
        },
    }  # fmt: skip


def _sites(sites: gpd.GeoDataFrame, detail: Detail) -> dict[str, object]:
    """Return masts as columns; those without a name go along strips, so that steps are short."""
    masts = masts_on_air(sites).to_crs(WEB_MERCATOR)
    unit_m = _unit_m(detail)
    x = np.rint((masts.geometry.x.to_numpy() + CORNER_M) / unit_m)
    y = np.rint((CORNER_M - masts.geometry.y.to_numpy()) / unit_m)
    order = np.arange(len(masts)) if detail.is_whole else np.lexsort((y, x, y // STRIP))
    masts = masts.iloc[order]
    names = {
        "id": masts.index.tolist(),
        "name": [None if pd.isna(name) else name for name in masts["name"]],
    }
    return {
        **(names if detail.is_whole else {}),
        "x": _whole(x[order]),
        "y": _whole(y[order]),
        "operator": _coded(masts["operators"]),
        "technology": _coded(masts["technologies"]),
    }


def _unit_m(detail: Detail) -> float:
    return 2 * CORNER_M / 256 / 2**detail.zoom


def _coded(texts: pd.Series) -> dict[str, object]:
    """Return a column of few different texts: those, and which of them each row has."""
    codes, words = pd.factorize(texts, sort=True)
    return {
        "words": [str(word) for word in words],
        "of": [None if code < 0 else int(code) for code in codes],
    }


def _whole(values: pd.Series | np.ndarray) -> list[int | None]:
    """Return numbers rounded to whole ones, the unknown as None."""
    numbers = pd.Series(values).to_numpy(dtype="float64", na_value=np.nan)
    return [None if math.isnan(number) else round(number) for number in numbers.tolist()]

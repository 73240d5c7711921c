"""What the web map is given: shapes, figures and words as one block of plain JSON."""

from __future__ import annotations

import base64
import io
import json
import math
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio.warp
import shapely
import xarray as xr
from affine import Affine
from PIL import Image
from rasterio.features import rasterize
from rasterio.transform import array_bounds

from phusong.publish.assessment import Assessment
from phusong.publish.masts import masts_on_air
from phusong.publish.palette import BREAKS, CLASSES, GAP, TECHNOLOGIES, TIERS
from phusong.publish.summary import targets_json

__all__ = ["map_data", "to_block"]

COUNTRY_DEG = 4.0  # a layer wider or taller than this is drawn as a country
SIMPLIFY_DEG = {"province": 0.0004, "country": 0.003}
DIGITS = {"province": 5, "country": 4}
MAX_PIXELS = {"province": 1800, "country": 420}
WEB_MERCATOR = "EPSG:3857"
# What is not covered is washed out: the colour of the class stays readable under it.
UNCOVERED_RGBA = ((0, 0, 0, 0), (255, 255, 255, 70), (255, 255, 255, 130), (255, 255, 255, 175))


def map_data(assessment: Assessment, *, lang: str) -> dict[str, object]:
    """Return everything the page shows, as plain data."""
    communes, about = assessment.communes, assessment.about
    west, south, east, north = communes.total_bounds
    scale = "country" if max(east - west, north - south) > COUNTRY_DEG else "province"
    words = tomllib.loads(
        (files("phusong") / "publish" / "assets" / "words.toml").read_text(encoding="utf-8")
    )
    return {
        "lang": lang,
        "words": words[lang],
        "place": about.place,
        "as_of": about.as_of.isoformat(),
        "sources": list(about.sources),
        "notes": list(about.notes),
        "synthetic": about.is_synthetic,
        "schematic": about.is_schematic,
        "targets": targets_json(assessment.targets),
        "communes": _communes(communes, scale),
        "view": _view(communes),
        "layers": _layers(assessment),
        "gaps": _gaps(assessment.gaps, communes),
        "sites": _sites(assessment.sites),
        "uncovered": _uncovered(assessment, scale),
        "palette": {
            "breaks": BREAKS,
            "classes": CLASSES,
            "tiers": TIERS,
            "gap": GAP,
            "technologies": TECHNOLOGIES,
            "veil": UNCOVERED_RGBA[-1][3] / 255,
        },
    }


def to_block(data: Mapping[str, object]) -> str:
    """Return JSON that is safe in a script element: no `<`, `>`, `&`, backtick or line separator.

    Examples
    --------
    >>> to_block({"name": "</script>"})
    '{"name":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(_known(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&`\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _known(value: object) -> object:
    """Return the value with what is not known as None and dates as text."""
    if isinstance(value, Mapping):
        return {str(key): _known(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _communes(communes: gpd.GeoDataFrame, scale: str) -> dict[str, object]:
    """Return names, figures and rings; rings are whole numbers, each the step from the last."""
    shapes = communes.geometry.to_numpy()
    simple = shapely.coverage_simplify(shapes, SIMPLIFY_DEG[scale])
    is_lost = shapely.is_empty(simple) | ~shapely.is_valid(simple)
    simple = np.where(is_lost, shapes, simple)
    factor = 10 ** DIGITS[scale]
    return {
        "factor": factor,
        "code": communes["commune_code"].tolist(),
        "name": communes["commune_name"].tolist(),
        "population": _rounded(communes["population"], 0),
        "area_km2": _rounded(communes["area_km2"], 2),
        "rings": [_rings(shape, factor) for shape in simple],
        "label": np.rint(shapely.get_coordinates(shapely.point_on_surface(simple)) * factor)
        .astype(int)
        .tolist(),
    }


def _rings(shape: shapely.Geometry, factor: int) -> list[list[list[int]]]:
    """Return, for each polygon, its rings as x0, y0, dx1, dy1, …"""
    polygons = []
    for polygon in shapely.get_parts(shape):
        rings = []
        for ring in (polygon.exterior, *polygon.interiors):
            points = np.rint(shapely.get_coordinates(ring) * factor).astype(int)
            steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=int))
            is_new = (steps != 0).any(axis=1)
            rings.append(steps[is_new].reshape(-1).tolist())
        polygons.append(rings)
    return polygons


def _view(communes: gpd.GeoDataFrame) -> list[float]:
    """Return the bounds that hold nearly all communes: far islands do not shrink the land."""
    bounds = communes.geometry.bounds
    low, high = bounds.quantile(0.002), bounds.quantile(0.998)
    if len(communes) < 500:
        low, high = bounds.min(), bounds.max()
    return [float(low.minx), float(low.miny), float(high.maxx), float(high.maxy)]


def _layers(assessment: Assessment) -> list[dict[str, object]]:
    """Return each indicator × service × operator as shares in 1/10000 with their bounds."""
    codes = assessment.communes["commune_code"]
    layers = []
    keys = ["indicator", "service", "operator", "evidence"]
    for (indicator, service, operator, evidence), rows in assessment.indicators.groupby(
        keys, sort=False
    ):
        table = rows.set_index("commune_code").reindex(codes)
        layer = {
            "indicator": indicator,
            "service": service,
            "operator": operator,
            "evidence": evidence,
            "share": _parts(table["share"]),
        }
        if table["share_low"].notna().any():
            layer |= {"low": _parts(table["share_low"]), "high": _parts(table["share_high"])}
        layers.append(layer)
    return layers


def _parts(shares: pd.Series) -> list[int | None]:
    """Return shares in 1/10000; only a whole share is 10000, only nothing is 0."""
    parts = np.rint(shares * 10_000).clip(1, 9_999)
    parts = parts.where(shares > 0, 0).where(shares < 1, 10_000)
    return [None if math.isnan(s) else int(p) for s, p in zip(shares, parts, strict=True)]


def _gaps(gaps: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> list[dict[str, object]]:
    position = {code: i for i, code in enumerate(communes["commune_code"])}
    return [
        {
            "at": position[row.commune_code],
            "missing": row.missing.split(";"),
            "certainty": row.certainty,
            "people": _round(row.people_uncovered, 0),
            "km2": _round(row.area_uncovered_km2, 1),
            "operators": row.operators_present,
            "site": row.nearest_site_id,
            "site_operator": row.nearest_site_operator,
            "site_km": _round(row.nearest_site_km, 1),
            "reason": row.reason,
        }
        for row in gaps.itertuples()
    ]


def _sites(sites: gpd.GeoDataFrame) -> dict[str, object]:
    """Return masts as columns; operators and technologies are positions in lists of texts."""
    masts = masts_on_air(sites)
    operators = sorted(set(masts["operators"]))
    technologies = sorted(set(masts["technologies"]))
    order = list(TECHNOLOGIES)
    return {
        "id": masts.index.tolist(),
        "name": [None if pd.isna(name) else name for name in masts["name"]],
        "lon": masts.geometry.x.round(5).tolist(),
        "lat": masts.geometry.y.round(5).tolist(),
        "operators": operators,
        "operator": [operators.index(name) for name in masts["operators"]],
        "technologies": technologies,
        "technology": [technologies.index(name) for name in masts["technologies"]],
        "best": [order.index(name) for name in masts["best"]],
        "order": order,
    }


def _uncovered(assessment: Assessment, scale: str) -> list[dict[str, object]]:
    """Return, by province and service, a picture of what is not covered inside the communes."""
    pictures: list[dict[str, object]] = []
    provinces = assessment.communes.groupby("province_code", sort=True)
    for (_, communes), shares in zip(provinces, assessment.coverage, strict=False):
        for service in shares["service"].to_numpy():
            url, bounds = _picture(shares.sel(service=service), communes, MAX_PIXELS[scale])
            pictures.append({"service": str(service), "url": url, "bounds": bounds})
    return pictures


def _picture(
    shares: xr.DataArray, communes: gpd.GeoDataFrame, max_pixels: int
) -> tuple[str, list[float]]:
    """Return a palette PNG in Web Mercator as a data URL, and its bounds in degrees."""
    crs, cell = shares.attrs["crs"], float(shares.attrs["cell_m"])
    source = Affine(cell, 0, float(shares["x"][0]) - cell / 2,
                    0, -cell, float(shares["y"][0]) + cell / 2)  # fmt: skip
    inside = rasterize(
        communes.geometry.to_crs(crs).to_numpy(), out_shape=shares.shape, transform=source
    )
    share = np.asarray(shares)
    classes = np.where(inside == 0, 0, np.digitize(1 - share, [0.1, 0.5, 0.9])).astype("uint8")
    box = array_bounds(*shares.shape, source)
    target, width, height = rasterio.warp.calculate_default_transform(
        crs, WEB_MERCATOR, shares.shape[1], shares.shape[0], *box
    )
    shrink = max(width, height) / max_pixels
    if shrink > 1:
        target, width, height = rasterio.warp.aligned_target(
            target, width, height, target.a * shrink
        )
    warped = np.zeros((height, width), "uint8")
    rasterio.warp.reproject(
        classes, warped, src_transform=source, src_crs=crs, dst_transform=target,
        dst_crs=WEB_MERCATOR, resampling=rasterio.warp.Resampling.nearest,
    )  # fmt: skip
    picture = Image.fromarray(warped).convert("P")
    picture.putpalette([part for rgba in UNCOVERED_RGBA for part in rgba[:3]])
    buffer = io.BytesIO()
    alpha = bytes(rgba[3] for rgba in UNCOVERED_RGBA)
    picture.save(buffer, format="PNG", transparency=alpha, optimize=True)
    west, south, east, north = rasterio.warp.transform_bounds(
        WEB_MERCATOR, "EPSG:4326", *array_bounds(height, width, target)
    )
    url = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return url, [south, west, north, east]


def _rounded(values: pd.Series, digits: int) -> list[float | None]:
    return [_round(value, digits) for value in values.astype(float)]


def _round(value: float, digits: int) -> float | None:
    if pd.isna(value):
        return None
    return round(float(value), digits) if digits else round(float(value))

"""Schematic communes of before 2025-07-01: each commune of today cut into the parts it was made of.

Which parts there were is a fact (the crosswalk); where in the commune they lay is not known here.
A commune is halved across its longer side, its halves again, until every part has its piece of the
same area. A part whose commune was divided lies on the side of the commune that has the rest.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

METRIC_CRS = "EPSG:5897"
PRECISION_DEG = 1e-6
ROUNDS = 50


def make_before(communes: gpd.GeoDataFrame, crosswalk: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the communes of before, EPSG:4326, by code.

    Parameters
    ----------
    communes : GeoDataFrame, EPSG:4326
        `commune_code` and schematic polygons of the communes of 2025.
    crosswalk : DataFrame
        `commune_code_old`, `commune_name_old`, `commune_code`, `part`.
    """
    shapes = communes.set_index("commune_code").geometry.to_crs(METRIC_CRS)
    centres = shapes.centroid
    pieces: list[tuple[str, shapely.Polygon]] = []
    for code, parts in crosswalk.groupby("commune_code", sort=True):
        pulls = {
            old: _pull(old, str(code), crosswalk, centres)
            for old in sorted(parts["commune_code_old"])
        }
        pieces += _cut(shapes[code], pulls)
    codes = np.array([old for old, _ in pieces])
    faces, owner = _as_coverage(np.array([piece for _, piece in pieces]))
    old_codes = sorted(set(codes))
    names = crosswalk.drop_duplicates("commune_code_old").set_index("commune_code_old")
    old_names = names["commune_name_old"][old_codes].to_numpy()
    frame = pd.DataFrame(
        {
            "commune_code": old_codes,
            "vintage": "before-2025",
            "commune_name": old_names,
            "commune_type": [_kind(name) for name in old_names],
            "province_code": "38",
            "note": "schematic",
        }
    )
    polygons = [shapely.coverage_union_all(faces[codes[owner] == old]) for old in old_codes]
    return gpd.GeoDataFrame(frame, geometry=polygons, crs="EPSG:4326")


def _pull(old: str, code: str, crosswalk: pd.DataFrame, centres: gpd.GeoSeries) -> np.ndarray:
    """Return where a part wants to be: towards the other communes that have a piece of it."""
    others = crosswalk[(crosswalk["commune_code_old"] == old) & (crosswalk["commune_code"] != code)]
    towards = centres[others["commune_code"]] if len(others) else centres[[code]]
    return shapely.get_coordinates(towards.to_numpy()).mean(axis=0)


def _cut(
    shape: shapely.Polygon, pulls: dict[str, np.ndarray]
) -> list[tuple[str, shapely.Geometry]]:
    """Halve a shape until every part has a piece in proportion."""
    if len(pulls) == 1:
        return [(next(iter(pulls)), shape)]
    west, south, east, north = shape.bounds
    axis = 0 if east - west >= north - south else 1
    ordered = sorted(pulls, key=lambda old: (pulls[old][axis], old))
    half = len(ordered) // 2
    lower, upper = _halve(shape, axis, half / len(ordered))
    return [
        *_cut(lower, {old: pulls[old] for old in ordered[:half]}),
        *_cut(upper, {old: pulls[old] for old in ordered[half:]}),
    ]


def _halve(
    shape: shapely.Geometry, axis: int, share: float
) -> tuple[shapely.Geometry, shapely.Geometry]:
    """Cut a shape across `axis` so that the lower piece has `share` of its area, by bisection."""
    bounds = np.array(shape.bounds).reshape(2, 2)
    low, high = bounds[:, axis]
    for _ in range(ROUNDS):
        at = (low + high) / 2
        lower = shape.intersection(_side(bounds, axis, at, is_lower=True))
        low, high = (at, high) if lower.area < share * shape.area else (low, at)
    return lower, shape.intersection(_side(bounds, axis, at, is_lower=False))


def _side(bounds: np.ndarray, axis: int, at: float, *, is_lower: bool) -> shapely.Polygon:
    box = bounds + np.array([[-1.0], [1.0]])
    box[1 if is_lower else 0, axis] = at
    return shapely.box(*box.reshape(-1))


def _as_coverage(pieces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return faces in lon/lat whose shared edges are the same points, and whose piece each is."""
    lines = gpd.GeoSeries(shapely.boundary(pieces), crs=METRIC_CRS).to_crs("EPSG:4326")
    noded = shapely.union_all(lines.to_numpy(), grid_size=PRECISION_DEG)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    inside = gpd.GeoSeries(shapely.point_on_surface(faces), crs="EPSG:4326").to_crs(METRIC_CRS)
    face, piece = shapely.STRtree(pieces).query(inside.to_numpy(), predicate="within")
    _, first = np.unique(face, return_index=True)
    return faces[face[first]], piece[first]


def _kind(name: str) -> str:
    return next(kind for kind in ("thị trấn", "phường", "xã") if name.lower().startswith(kind))

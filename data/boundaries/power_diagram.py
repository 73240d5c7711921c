"""Schematic communes from facts alone: a power diagram whose cells have the official areas.

The outline is the union of discs about the communes' centres, closed and filled, with the area of
all communes together. A power diagram divides it: each centre has a weight, and a point belongs to
the centre with the least squared distance minus weight. The weights are found by Newton's method
on the areas, whose derivative is the length of a shared edge over twice the centres' distance.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

METRIC_CRS = "EPSG:5897"
CLOSING_M = 3000.0
SIMPLIFY_M = 60.0
PRECISION_DEG = 1e-6
AREA_TOLERANCE = 0.001
MAX_ROUNDS = 60


def schematic_polygons(facts: pd.DataFrame) -> np.ndarray:
    """Return one polygon a row of `facts` (area_km2, centre_lon, centre_lat), EPSG:4326."""
    centres = gpd.GeoSeries(
        gpd.points_from_xy(facts["centre_lon"], facts["centre_lat"]), crs="EPSG:4326"
    ).to_crs(METRIC_CRS)
    xy = spread_apart(shapely.get_coordinates(centres.to_numpy()))
    area_m2 = facts["area_km2"].to_numpy() * 1e6
    outline = make_outline(xy, area_m2)
    target = area_m2 * outline.area / area_m2.sum()
    weights = fit_weights(xy, target, outline)
    return to_clean_coverage(xy, weights, outline)


def spread_apart(xy: np.ndarray) -> np.ndarray:
    """Move centres that share a rounded position apart by up to 300 m, in a fixed pattern."""
    angle = np.arange(len(xy)) * 2.399963  # the golden angle
    return xy + 150.0 * np.column_stack([np.cos(angle), np.sin(angle)])


def make_outline(xy: np.ndarray, area_m2: np.ndarray) -> shapely.Polygon:
    """Return the closed union of discs whose area is that of all communes, by bisection."""
    low, high = 0.9, 1.3
    for _ in range(25):
        factor = (low + high) / 2
        outline = _closed_union(xy, factor * np.sqrt(area_m2 / np.pi))
        low, high = (low, factor) if outline.area > area_m2.sum() else (factor, high)
    return outline


def _closed_union(xy: np.ndarray, radius_m: np.ndarray) -> shapely.Polygon:
    discs = shapely.union_all(shapely.buffer(shapely.points(xy), radius_m, quad_segs=8))
    closed = discs.buffer(CLOSING_M, quad_segs=4).buffer(-CLOSING_M, quad_segs=4)
    largest = max(shapely.get_parts(closed), key=lambda part: part.area)
    return shapely.Polygon(largest.exterior).simplify(SIMPLIFY_M)


def fit_weights(xy: np.ndarray, target: np.ndarray, outline: shapely.Polygon) -> np.ndarray:
    """Return the weights (m²) whose cells have the target areas."""
    weights = np.zeros(len(xy))
    for _ in range(MAX_ROUNDS):
        area, slope = _areas(xy, weights, outline)
        error = target - area
        if np.abs(error / target).max() < AREA_TOLERANCE:
            return weights
        step = np.linalg.solve(slope + 1e-6 * np.eye(len(xy)), error)
        damping = 1.0
        while damping > 1e-3:
            tried, _ = _areas(xy, weights + damping * step, outline)
            if tried.min() > 0.2 * min(area.min(), target.min()) and (
                np.abs(target - tried).sum() < np.abs(error).sum()
            ):
                break
            damping /= 2
        weights = weights + damping * step
        weights -= weights.mean()
    raise RuntimeError(f"areas still differ by {np.abs(error / target).max():.2%}")


def _areas(
    xy: np.ndarray, weights: np.ndarray, outline: shapely.Polygon
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cells' areas inside the outline, and their derivative by the weights."""
    cells, edges, pairs = power_cells(xy, weights, outline.bounds)
    area = shapely.area(shapely.intersection(cells, outline))
    length = shapely.length(shapely.intersection(edges, outline))
    i, j = pairs.T
    rate = length / (2 * np.hypot(*(xy[i] - xy[j]).T))
    slope = np.zeros((len(xy), len(xy)))
    np.add.at(slope, (i, j), -rate)
    np.add.at(slope, (i, i), rate)
    return area, slope


def power_cells(
    xy: np.ndarray, weights: np.ndarray, bounds: tuple[float, float, float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return convex cells within the box, their inner edges, and each edge's pair (i, j)."""
    box = shapely.get_coordinates(shapely.box(*bounds).buffer(5000, join_style="mitre"))[:-1][::-1]
    square = (xy**2).sum(axis=1) - weights
    cells, edges, pairs = [], [], []
    for i in range(len(xy)):
        polygon, labels = box, np.full(4, -1)
        for j in np.argsort(((xy - xy[i]) ** 2).sum(axis=1), kind="stable")[1:]:
            normal = 2 * (xy[j] - xy[i])
            polygon, labels = _clip(polygon, labels, normal, square[j] - square[i], j)
            if len(polygon) < 3:
                break
        if len(polygon) < 3:
            cells.append(shapely.Polygon())
            continue
        cells.append(shapely.Polygon(polygon))
        for k in np.flatnonzero(labels >= 0):
            edges.append(shapely.LineString([polygon[k], polygon[(k + 1) % len(polygon)]]))
            pairs.append((i, labels[k]))
    return np.array(cells), np.array(edges), np.array(pairs)


def _clip(
    polygon: np.ndarray, labels: np.ndarray, normal: np.ndarray, offset: float, label: int
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the part of a convex polygon where normal · p ≤ offset; label k is of edge k → k + 1."""
    distance = polygon @ normal - offset
    if (distance <= 0).all():
        return polygon, labels
    points, names = [], []
    for k in range(len(polygon)):
        after = (k + 1) % len(polygon)
        here, there = distance[k], distance[after]
        if here <= 0:
            points.append(polygon[k])
            names.append(labels[k])
        if (here <= 0) != (there <= 0):
            points.append(polygon[k] + here / (here - there) * (polygon[after] - polygon[k]))
            names.append(label if here <= 0 else labels[k])
    return np.array(points).reshape(-1, 2), np.array(names, dtype=int)


def to_clean_coverage(xy: np.ndarray, weights: np.ndarray, outline: shapely.Polygon) -> np.ndarray:
    """Return the cells in lon/lat as one coverage: shared edges are the same points."""
    _, edges, pairs = power_cells(xy, weights, outline.bounds)
    inner = shapely.intersection(edges[pairs[:, 0] < pairs[:, 1]], outline)
    lines = gpd.GeoSeries([outline.exterior, *inner], crs=METRIC_CRS).to_crs("EPSG:4326")
    noded = shapely.union_all(lines.to_numpy(), grid_size=PRECISION_DEG)
    faces = gpd.GeoSeries(shapely.get_parts(shapely.polygonize([noded])), crs="EPSG:4326")
    inside = shapely.get_coordinates(faces.to_crs(METRIC_CRS).representative_point().to_numpy())
    power = ((inside[:, None, :] - xy[None, :, :]) ** 2).sum(axis=2) - weights
    owner = power.argmin(axis=1)
    return np.array(
        [shapely.coverage_union_all(faces.to_numpy()[owner == i]) for i in range(len(xy))]
    )

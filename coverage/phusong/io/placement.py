"""Whether polygons lie where the official centres of their communes are: wrong frames, strays."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.errors import CrsError, Problem
from phusong.io.frames import distance_m, suggest_frames
from phusong.io.official import official_communes

__all__ = ["find_off_earth", "find_strays", "require_frame"]

# The centres are given to 0.01°. Of the real polygons the centroids lie 0.4 km from them (median)
# and 0.7 km (most); of coarse drawings 0.7 and 2.3 km.
WRONG_FRAME_M = 3_000.0
STRAY_M = 3_000.0
REACH_M = 20_000.0
REACH_RADII = 6.0
# A shift that all communes share shows below the rounding: 0.2 km is VN-2000 taken for WGS 84.
SHIFT_ERROR_M = 400.0
SHIFT_NOTE_M = 175.0
SHIFT_COMMUNES = 30
SHIFT_ERRORS = 5.0
HALF_WORLD_M = 20_000_000.0


def require_frame(
    shapes: gpd.GeoSeries, source: gpd.GeoSeries, codes: pd.Series, *, name: str
) -> list[str]:
    """Check that the polygons, taken together, lie where their communes are; return notes.

    Parameters
    ----------
    shapes : GeoSeries
        EPSG:4326.
    source : GeoSeries
        The same in the CRS of the file.
    codes : Series of str
        The code of those that are on the official list, NA for others.
    name : str
        The file, for messages.

    Raises
    ------
    CrsError
        If most are elsewhere: another frame, or swapped axes.
    """
    is_known = codes.notna().to_numpy()
    centres = _centres_of(codes[is_known])
    middle = _centroids(shapes.to_numpy())
    raw = _centroids(source.to_numpy())
    if is_known.sum() < 3:
        return _require_degrees(middle, raw, source, name)
    off = middle[is_known] - centres
    apart = distance_m(middle[is_known], centres)
    apart = np.where(np.isnan(raw[is_known, 0]), np.nan, np.nan_to_num(apart, nan=np.inf))
    median = float(np.nanmedian(apart))
    if median > WRONG_FRAME_M:
        raise CrsError(_wrong_frame(name, source, raw[is_known], centres, median))
    near = apart < WRONG_FRAME_M
    return _shared_shift(off[near], centres[near], name, source, raw[is_known])


def find_off_earth(shapes: np.ndarray, labels: Sequence[str]) -> list[Problem]:
    """Return the polygons whose numbers are no degrees, or that go around the world."""
    problems = []
    for i, (west, south, east, north) in enumerate(shapely.bounds(shapes)):
        if np.isnan(west):
            continue
        if not _is_on_earth(np.array([[west, south], [east, north]])).all():
            found = f"x {west:.6g} to {east:.6g}, y {south:.6g} to {north:.6g}"
            expected = "degrees of longitude and latitude (is it in another CRS, or swapped?)"
        elif east - west > 180:
            found = f"a polygon around the world, {east - west:.0f}° wide"
            expected = "one that stays on its side of 180°"
        else:
            continue
        problems.append(
            Problem(row=i + 1, field="geometry", found=found, expected=expected, message=labels[i])
        )
    return problems


def find_strays(shapes: np.ndarray, codes: pd.Series, labels: Sequence[str]) -> list[Problem]:
    """Return the communes that lie, or reach, far from their own official centres."""
    rows = np.flatnonzero(codes.notna().to_numpy() & ~shapely.is_empty(shapes))
    facts = official_communes().loc[codes.iloc[rows]]
    centres = facts[["centre_lon", "centre_lat"]].to_numpy()
    radius = 1000 * np.sqrt(facts["area_km2"].to_numpy() / np.pi)
    off = distance_m(_centroids(shapes[rows]), centres)
    west, south, east, north = shapely.bounds(shapes[rows]).T
    corners = [
        np.column_stack(xy) for xy in ((west, south), (west, north), (east, south), (east, north))
    ]
    reach = np.max([distance_m(corner, centres) for corner in corners], axis=0)
    is_far = off > STRAY_M + radius
    is_long = reach > np.maximum(REACH_M, REACH_RADII * radius)
    return [
        Problem(row=int(rows[k]) + 1, field="geometry",
                found=f"a polygon {off[k] / 1000:.1f} km from the official centre of the commune"
                if is_far[k]
                else f"a polygon that reaches {reach[k] / 1000:.0f} km from its official centre",
                expected=f"a place near {centres[k, 0]:.2f}, {centres[k, 1]:.2f}",
                message=labels[rows[k]])
        for k in np.flatnonzero(is_far | is_long)
    ]  # fmt: skip


def _require_degrees(
    middle: np.ndarray, raw: np.ndarray, source: gpd.GeoSeries, name: str
) -> list[str]:
    """Check a layer of unknown codes: most of it must at least be on Earth."""
    there = middle[~np.isnan(raw[:, 0])]
    if len(there) and _is_on_earth(there).mean() < 0.5:
        hint = _swap_hint(raw) or suggest_frames(raw[:, 0], raw[:, 1])
        raise CrsError(
            f"{name}: its coordinates are out of range for its CRS, {source.crs.name}. {hint}"
        )
    return []


def _is_on_earth(points: np.ndarray) -> np.ndarray:
    return (np.abs(points[:, 0]) <= 180) & (np.abs(points[:, 1]) <= 90)


def _swap_hint(raw: np.ndarray) -> str:
    x, y = np.nanmedian(raw, axis=0)
    is_swapped = abs(x) <= 90 < abs(y) <= 180
    return "The axes are swapped: lat, lon where lon, lat is expected" if is_swapped else ""


def _wrong_frame(
    name: str, source: gpd.GeoSeries, raw: np.ndarray, centres: np.ndarray, median: float
) -> str:
    swapped = np.nan_to_num(distance_m(raw[:, ::-1], centres), nan=np.inf)
    if np.median(swapped) <= WRONG_FRAME_M:
        return (
            f"{name}: the axes are swapped: its coordinates are lat, lon (vĩ độ, kinh độ bị đảo) "
            "where lon, lat is expected: swap them and save it again"
        )
    where = f"{median / 1000:,.0f} km away from" if median < HALF_WORLD_M else "nowhere near"
    hint = suggest_frames(raw[:, 0], raw[:, 1], centres=(centres[:, 0], centres[:, 1]))
    return (
        f"{name}: read in {_crs_name(source)}, the communes lie {where} their official "
        f"centres in the province (median of {len(raw)}): its CRS (.prj) is wrong. {hint}; say "
        "which one it is in (--crs EPSG:N)"
    )


def _shared_shift(
    off: np.ndarray, centres: np.ndarray, name: str, source: gpd.GeoSeries, raw: np.ndarray
) -> list[str]:
    if len(off) < SHIFT_COMMUNES:
        return []
    lat = float(np.radians(centres[:, 1].mean()))
    metres = off * 111_320.0 * np.array([np.cos(lat), 1.0])
    mean = metres.mean(axis=0)
    error = float(np.hypot(*metres.std(axis=0)) / np.sqrt(len(metres)))
    size = float(np.hypot(*mean))
    if size < max(SHIFT_NOTE_M, SHIFT_ERRORS * error):
        return []
    text = (
        f"all communes lie about {size:.0f} m to the {_towards(mean)} of their official centres: "
        f"is {_crs_name(source)} the right CRS? VN-2000 and WGS 84 differ by 0.2 km here, "
        "EPSG:3405 and EPSG:5897 by 0.7 km"
    )
    if size > SHIFT_ERROR_M:
        raise CrsError(f"{name}: {text}. {suggest_frames(raw[:, 0], raw[:, 1])}")
    return [text]


def _towards(mean: np.ndarray) -> str:
    names = ("north", "north-east", "east", "south-east", "south", "south-west", "west",
             "north-west")  # fmt: skip
    return names[round(float(np.degrees(np.arctan2(mean[0], mean[1]))) / 45) % 8]


def _crs_name(source: gpd.GeoSeries) -> str:
    epsg = source.crs.to_epsg()
    if source.crs.name in ("unnamed", "unknown"):
        return "its CRS"
    return f"{source.crs.name} (EPSG:{epsg})" if epsg else str(source.crs.name)


def _centres_of(codes: pd.Series) -> np.ndarray:
    return official_communes().loc[codes, ["centre_lon", "centre_lat"]].to_numpy()


def _centroids(shapes: np.ndarray) -> np.ndarray:
    """Return x, y of each, NaN for those that are empty."""
    out = np.full((len(shapes), 2), np.nan)
    is_there = ~shapely.is_empty(shapes)
    out[is_there] = shapely.get_coordinates(shapely.centroid(shapes[is_there]))
    return out

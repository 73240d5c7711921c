"""Which coordinate reference system numbers may be in, when their file does not say or errs."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from pyproj.network import set_network_enabled  # type: ignore[attr-defined]

from phusong.errors import CrsError
from phusong.grid import transformer
from phusong.io.official import province_box

__all__ = ["METRIC_FRAMES", "FittingFrame", "distance_m", "fitting_frames", "suggest_frames",
           "to_lon_lat"]  # fmt: skip

LON_LAT = "EPSG:4326"
# VN-2000 in 3-degree zones (5897 is that of Thanh Hóa) and UTM zones, then WGS 84 in UTM zones.
METRIC_FRAMES = (5897, 5896, 5898, 5899, *range(9205, 9219), 3405, 3406, 32648, 32649)
SAMPLE = 2_000
INSIDE_SHARE = 0.98
METRES_PER_DEGREE = 111_320.0
DATUM_SHIFT_M = 224  # VN-2000 and WGS 84 at Thanh Hóa


@dataclass(frozen=True, slots=True, kw_only=True)
class FittingFrame:
    """A frame in which points lie where they should.

    `shift_m` is how far it moves them, at most, from where the best frame puts them; `off_m` how
    far they lie from their centres (median; NaN where there are none).
    """

    epsg: int
    shift_m: float
    off_m: float = float("nan")


def fitting_frames(
    x: np.ndarray,
    y: np.ndarray,
    *,
    box: tuple[float, float, float, float],
    centres: tuple[np.ndarray, np.ndarray] | None = None,
    limit_m: float = 3_000.0,
) -> list[FittingFrame]:
    """Return the metric frames of Vietnam in which points lie where they should, best first.

    Swapped axes are seen by asking again with `y, x`.

    Parameters
    ----------
    x, y : array of float, shape (n,)
        Eastings and northings in metres, NaN allowed.
    box : (west, south, east, north)
        Degrees; 98 % of the points must lie inside.
    centres : (lon, lat), optional
        Where each point should be about, in degrees; then the median distance must be at most
        `limit_m`, and the box is not asked.
    limit_m : float

    Examples
    --------
    >>> x, y = np.array([581102.242]), np.array([2191076.731])
    >>> found = fitting_frames(x, y, box=(104.3, 19.2, 106.1, 20.7))
    >>> [(frame.epsg, round(frame.shift_m, -1)) for frame in found if frame.epsg in (5897, 3405)]
    [(5897, 0.0), (3405, 660.0)]
    """
    known = np.isfinite(x) & np.isfinite(y)
    step = max(1, int(known.sum()) // SAMPLE)
    points = np.column_stack([x, y])[known][::step]
    if not len(points):
        return []
    targets = None if centres is None else np.column_stack(centres)[known][::step]
    fits = []
    for rank, epsg in enumerate(METRIC_FRAMES):
        placed = np.column_stack(
            transformer(f"EPSG:{epsg}", LON_LAT).transform(points[:, 0], points[:, 1])
        )
        if targets is None:
            off, is_fit = float("nan"), _share_inside(placed, box) >= INSIDE_SHARE
        else:
            off = float(np.median(distance_m(placed, targets)))
            is_fit = off <= limit_m
        if is_fit:
            fits.append((rank if targets is None else off, epsg, placed, off))
    fits.sort(key=lambda fit: fit[0])
    return [
        FittingFrame(epsg=epsg, off_m=off, shift_m=float(distance_m(placed, fits[0][2]).max()))
        for _, epsg, placed, off in fits
    ]


def suggest_frames(
    x: np.ndarray, y: np.ndarray, *, centres: tuple[np.ndarray, np.ndarray] | None = None
) -> str:
    """Return a sentence: which frames put these numbers into Thanh Hóa, and how far apart."""
    size = np.abs(np.concatenate([x[np.isfinite(x)], y[np.isfinite(y)]]))
    if len(size) and np.median(size) <= 360:
        return (
            "The numbers look like degrees: EPSG:4326 (WGS 84), or EPSG:4756 (VN-2000), which "
            f"differ by about {DATUM_SHIFT_M} m"
        )
    box = province_box()
    frames = fitting_frames(x, y, box=box, centres=centres)
    swapped = "" if frames else " with x and y swapped"
    frames = frames or fitting_frames(y, x, box=box, centres=centres)
    if not frames:
        return "The numbers fit none of the VN-2000 and UTM frames of Vietnam in Thanh Hóa"
    others = ", ".join(f"EPSG:{frame.epsg} ({frame.shift_m:.0f} m away)" for frame in frames[1:])
    tail = f"; so would {others}" if others else ""
    return f"In metres, the numbers{swapped} fit EPSG:{frames[0].epsg}{tail}"


def to_lon_lat(shapes: gpd.GeoSeries, name: str) -> gpd.GeoSeries:
    """Return shapes in EPSG:4326, moved by a datum shift that PROJ knows.

    Raises
    ------
    CrsError
        If the CRS has a datum that PROJ does not know: places would be off by hundreds of metres.
    """
    if shapes.crs.equals(LON_LAT, ignore_axis_order=True):
        return gpd.GeoSeries(shapes.to_numpy(), index=shapes.index, crs=LON_LAT)
    set_network_enabled(active=False)
    mover = pyproj.Transformer.from_crs(shapes.crs, LON_LAT, always_xy=True)
    moved = shapely.transform(
        shapes.to_numpy(), lambda xy: np.column_stack(mover.transform(xy[:, 0], xy[:, 1]))
    )
    if "Ballpark" in _operation(mover):
        raise CrsError(
            f"{name}: the datum of its CRS, {shapes.crs.name}, is not known, so places may be off "
            "by hundreds of metres: name the CRS (--crs EPSG:N)"
        )
    return gpd.GeoSeries(moved, index=shapes.index, crs=LON_LAT)


def distance_m(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the distances in metres between lon, lat points (n, 2), near enough for Vietnam."""
    scale = METRES_PER_DEGREE * np.cos(np.radians(b[:, 1]))
    with np.errstate(invalid="ignore"):
        return np.hypot((a[:, 0] - b[:, 0]) * scale, (a[:, 1] - b[:, 1]) * METRES_PER_DEGREE)


def _operation(mover: pyproj.Transformer) -> str:
    """Return the steps that were taken; PROJ chooses one at the first point."""
    try:
        return str(mover.get_last_used_operation().description)
    except pyproj.exceptions.ProjError:
        return str(mover.description)


def _share_inside(points: np.ndarray, box: tuple[float, float, float, float]) -> float:
    west, south, east, north = box
    lon, lat = points[:, 0], points[:, 1]
    return float(((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)).mean())

"""Places that must be served: points, zones and roads under the footprints of cells, exactly.

The footprints of the sites are asked, never the cells of the grid: a school is a point and a cell
is not, a road runs through many, and the footprints come for every operator, with low and high.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.errors import CrsError
from phusong.footprint import DEFAULT_BEAMWIDTH_DEG, cover_zones
from phusong.grid import choose_metric_crs, grid_over
from phusong.schema import conform
from phusong.zonal import overlap_zones

__all__ = ["count_served", "cover_lines", "cover_points", "serve_places"]

ABOUT = ["place_id", "place_name", "category", "commune_name"]
RADII = {"share": "radius_m", "share_low": "radius_low_m", "share_high": "radius_high_m"}
CELL_M = 100.0
SITES_AT_ONCE = 500
SIDE_DEG = 1e-9  # the rounding of a bearing: what lies on the side of a sector is inside
SLACK = 1e-9


def serve_places(
    places: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    *,
    services: Mapping[str, Sequence[str]],
    served_share: float,
) -> pd.DataFrame:
    """Return how much of each place each service covers, and whether that serves it.

    A point is covered or not; of a zone its share of area counts, of a road its share of length,
    both exactly, in one metric CRS (`choose_metric_crs`). A share has the low and high of the
    radii of sites without a radius of their own.

    Parameters
    ----------
    places : GeoDataFrame
        Schema "places", any CRS.
    sites : GeoDataFrame
        On air, as `fill_radii` returns them: `technology`, `radius_low_m`, `radius_m`,
        `radius_high_m`, `azimuth_deg`, `beamwidth_deg`; any CRS.
    services : Mapping of str to sequence of str
        Service to technologies, such as `indicators.SERVICES`.
    served_share : float
        Of a zone's area or a road's length, from which it is served; of several points too.

    Returns
    -------
    DataFrame
        `place_id`, `place_name`, `category`, `commune_name`, `service`, `share`, `share_low`,
        `share_high`, `extent`, `unit` ("points", "km2", "km"), `verdict`: "served" where the low
        share reaches `served_share`, "not_served" where the high one does not, else "unknown".

    Examples
    --------
    >>> posts = gpd.GeoDataFrame(
    ...     {"place_id": ["1", "2"], "place_name": ["Trạm y tế A", "B"], "category": "health_post"},
    ...     geometry=[shapely.Point(105.7, 19.8), shapely.Point(105.8, 19.8)], crs="EPSG:4326")
    >>> mast = gpd.GeoDataFrame({"technology": ["5G"], "radius_low_m": 800.0, "radius_m": 900.0,
    ...     "radius_high_m": 1000.0}, geometry=[shapely.Point(105.705, 19.8)], crs="EPSG:4326")
    >>> serve_places(posts, mast, services={"5g": ["5G"]}, served_share=0.95)["verdict"].tolist()
    ['served', 'not_served']
    """
    asked = conform(places, "places").reset_index(drop=True)
    if asked.empty:
        return pd.DataFrame(columns=[*ABOUT, "service", *RADII, "extent", "unit", "verdict"])
    crs = choose_metric_crs(asked)
    asked, cells = asked.to_crs(crs), sites.to_crs(crs)
    kinds = asked.geometry.geom_type
    parts = [
        (kinds.isin(["Point", "MultiPoint"]), _cover_points, "points"),
        (kinds.isin(["LineString", "MultiLineString"]), cover_lines, "km"),
        (kinds.isin(["Polygon", "MultiPolygon"]), _cover_polygons, "km2"),
    ]
    frames = []
    for service, technologies in services.items():
        used = cells[cells["technology"].isin(technologies)]
        for mask, cover, unit in parts:
            some = asked[mask.to_numpy()]
            if some.empty:
                continue
            shares = {
                name: cover(some, used.assign(radius_m=used[radius].astype("float64")))
                for name, radius in RADII.items()
            }
            frames.append(
                pd.DataFrame(some[ABOUT]).assign(
                    service=service, **shares, extent=_extent(some, unit), unit=unit
                )
            )
    table = pd.concat(frames).sort_index(kind="stable").reset_index(drop=True)
    verdict = np.select(
        [table["share_low"] >= served_share - SLACK, table["share_high"] < served_share - SLACK],
        ["served", "not_served"],
        "unknown",
    )
    return table.assign(verdict=verdict)


def count_served(served: pd.DataFrame) -> pd.DataFrame:
    """Return, by category and service, how many places are served and how many are not.

    Parameters
    ----------
    served : DataFrame
        As `serve_places` returns.

    Returns
    -------
    DataFrame
        `category`, `service`, `unit`, `n_places` = `n_served` + `n_not_served` + `n_unknown`,
        `share_low` = n_served ÷ n_places, `share_high` = (n_served + n_unknown) ÷ n_places,
        `extent`, `extent_covered` (Σ extent × share).
    """
    counts = {
        f"n_{word}": (served["verdict"] == word).astype("int64")
        for word in ("served", "not_served", "unknown")
    }
    covered = served["extent"] * served["share"]
    rows = served.assign(**counts, n_places=1, extent_covered=covered)
    sums = ["n_places", *counts, "extent", "extent_covered"]
    table = rows.groupby(["category", "service", "unit"], as_index=False)[sums].sum()
    return table.assign(
        share_low=table["n_served"] / table["n_places"],
        share_high=(table["n_served"] + table["n_unknown"]) / table["n_places"],
    )


def cover_points(points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> np.ndarray:
    """Tell which points lie in the footprint of some site; its border belongs to it.

    Parameters
    ----------
    points, sites : GeoDataFrame
        In one metric CRS. Of a point site the footprint is a disc or sector of `radius_m`,
        `azimuth_deg` (clockwise from grid north; NaN is a disc) and `beamwidth_deg` (NaN is 120°);
        a polygon is its own.

    Returns
    -------
    array of bool, shape (n,)
        False where a point is missing.

    Raises
    ------
    CrsError
        If the CRSs differ, or are not metric.

    Examples
    --------
    >>> mast = gpd.GeoDataFrame({"radius_m": [500.0], "azimuth_deg": 90.0, "beamwidth_deg": 120.0},
    ...                         geometry=[shapely.Point(0, 0)], crs="EPSG:5897")
    >>> points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([400, 501, -1, 0], [0, 0, 0, 400]),
    ...                           crs="EPSG:5897")
    >>> cover_points(points, mast).tolist()
    [True, False, False, False]
    """
    _require_metric(points, sites)
    shapes = points.geometry.to_numpy()
    is_here = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    xy = np.full((len(shapes), 2), np.nan)
    xy[is_here] = shapely.get_coordinates(shapes[is_here])
    tree = shapely.STRtree(shapes)
    is_covered = np.zeros(len(shapes), dtype=bool)
    masts, sectors, polygons = _split(sites)
    centres = shapely.get_coordinates(masts)
    for first in range(0, len(masts), SITES_AT_ONCE):
        some = slice(first, first + SITES_AT_ONCE)
        mast, point = tree.query(masts[some], predicate="dwithin", distance=sectors[some, 0])
        is_open = ~is_covered[point]
        mast, point = mast[is_open] + first, point[is_open]
        is_covered[point[_lies_in(xy[point] - centres[mast], sectors[mast])]] = True
    is_covered[tree.query(polygons, predicate="covers")[1]] = True
    return is_covered


def cover_lines(lines: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> np.ndarray:
    """Return the share of each line's length that lies in the footprint of some site, exactly.

    A straight piece enters and leaves a footprint where it meets the circle or a side of the
    sector (a polygon: its border); between two such points it is inside or outside as its middle
    is. What several sites cover counts once.

    Parameters
    ----------
    lines, sites : GeoDataFrame
        In one metric CRS; sites as for `cover_points`.

    Returns
    -------
    array of float, shape (n,)
        0 to 1; NaN for a line without length.

    Raises
    ------
    CrsError
        If the CRSs differ, or are not metric.

    Examples
    --------
    >>> masts = gpd.GeoDataFrame({"radius_m": [500.0, 500.0]}, crs="EPSG:5897",
    ...                          geometry=gpd.points_from_xy([0, 600], [0, 0]))
    >>> road = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (2000, 0)])], crs="EPSG:5897")
    >>> cover_lines(road, masts).tolist()
    [0.55]
    """
    _require_metric(lines, sites)
    starts, ends, line = _segments(lines.geometry.to_numpy())
    length_m = np.hypot(*(ends - starts).T)
    segments = shapely.linestrings(np.stack([starts, ends], axis=1))
    tree = shapely.STRtree(segments)
    masts, sectors, polygons = _split(sites)
    centres = shapely.get_coordinates(masts)
    found = [_pieces_in_polygons(segments, polygons, tree, starts, ends)]
    for first in range(0, len(masts), SITES_AT_ONCE):
        some = slice(first, first + SITES_AT_ONCE)
        mast, segment = tree.query(masts[some], predicate="dwithin", distance=sectors[some, 0])
        mast = mast + first
        begin, end, is_in = _pieces_in_sectors(
            starts[segment] - centres[mast], ends[segment] - starts[segment], sectors[mast]
        )
        at, _ = np.nonzero(is_in)
        found.append((segment[at], begin[is_in], end[is_in]))
    segment, begin, end = (np.concatenate(column) for column in zip(*found, strict=True))
    covered_m = _once(segment, begin, end, len(segments)) * length_m
    total = np.bincount(line, length_m, len(lines))
    covered = np.bincount(line, covered_m, len(lines))
    return np.clip(covered / np.where(total > 0, total, np.nan), 0.0, 1.0)


def _cover_points(places: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> np.ndarray:
    points, place = shapely.get_parts(places.geometry.to_numpy(), return_index=True)
    is_covered = cover_points(gpd.GeoDataFrame(geometry=points, crs=places.crs), sites)
    counts = np.bincount(place, minlength=len(places))
    return np.bincount(place, is_covered, len(places)) / counts


def _cover_polygons(places: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> np.ndarray:
    weights = overlap_zones(places, grid_over(places, crs=str(places.crs), cell_m=CELL_M))
    covered = cover_zones(
        sites.assign(operator="all"), places, weights,
        services={"all": sorted(sites["technology"].unique())}, operators=["all"],
    )  # fmt: skip
    return np.clip(covered.cells[:, 0, 0] / weights.cells, 0.0, 1.0)


def _extent(places: gpd.GeoDataFrame, unit: str) -> np.ndarray:
    shapes = places.geometry.to_numpy()
    if unit == "points":
        return shapely.get_num_geometries(shapes).astype("float64")
    return shapely.length(shapes) / 1e3 if unit == "km" else shapely.area(shapes) / 1e6


def _split(sites: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return masts with their (radius, azimuth, beamwidth), shape (n, 3), and polygons of others.

    The azimuth is NaN where the footprint is a disc; what covers nothing is left out.
    """
    shapes = sites.geometry.to_numpy()
    is_mast = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    nothing = pd.Series(np.nan, index=sites.index)
    radius, azimuth, width = (
        sites.get(name, nothing).to_numpy("float64", na_value=np.nan)
        for name in ("radius_m", "azimuth_deg", "beamwidth_deg")
    )
    width = np.where(np.isnan(width), DEFAULT_BEAMWIDTH_DEG, width)
    azimuth = np.where(width >= 360.0, np.nan, azimuth)
    is_used = is_mast & (radius > 0) & ((width > 0) | np.isnan(azimuth))
    sectors = np.column_stack([radius, azimuth, width])
    return shapes[is_used], sectors[is_used], shapes[~is_mast]


def _lies_in(offset: np.ndarray, sectors: np.ndarray) -> np.ndarray:
    """Tell which points, given by their offset from the mast in metres, lie in its sector."""
    radius, azimuth, width = np.moveaxis(sectors, -1, 0)
    east, north = np.moveaxis(offset, -1, 0)
    distance = np.hypot(east, north)
    off = np.abs((np.degrees(np.arctan2(east, north)) - azimuth + 180.0) % 360.0 - 180.0)
    is_in = np.isnan(azimuth) | (off <= width / 2 + SIDE_DEG) | (distance == 0)
    return is_in & (distance <= radius * (1 + SLACK))


def _segments(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the straight pieces of lines: where they start and end, and which line each is of."""
    parts, line = shapely.get_parts(lines, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    is_piece = part[1:] == part[:-1]
    return xy[:-1][is_piece], xy[1:][is_piece], line[part[:-1][is_piece]]


def _pieces_in_sectors(
    offset: np.ndarray, along: np.ndarray, sectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut segments where they meet the outline of a sector; say which pieces lie in it.

    Parameters
    ----------
    offset, along : array of float, shape (n, 2)
        From the mast to the segment's start, and from there to its end, metres.
    sectors : array of float, shape (n, 3)

    Returns
    -------
    begin, end : array of float, shape (n, 5)
        As shares of the segment.
    is_in : array of bool, shape (n, 5)
    """
    radius, azimuth, width = sectors.T
    square = (along**2).sum(axis=1)
    half = (offset * along).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(half**2 - square * ((offset**2).sum(axis=1) - radius**2))
        cuts = [(-half - root) / square, (-half + root) / square]
        for side in (-0.5, 0.5):
            bearing = np.radians(azimuth + side * width)
            east, north = np.sin(bearing), np.cos(bearing)
            cuts.append(
                (offset[:, 1] * east - offset[:, 0] * north)
                / (along[:, 0] * north - along[:, 1] * east)
            )
    ends = np.zeros_like(half), np.ones_like(half)
    at = np.column_stack([*ends, *cuts])
    at = np.sort(np.clip(np.where(np.isfinite(at), at, 0.0), 0.0, 1.0), axis=1)
    begin, end = at[:, :-1], at[:, 1:]
    middle = offset[:, None] + ((begin + end) / 2)[..., None] * along[:, None]
    return begin, end, _lies_in(middle, sectors[:, None]) & (end > begin)


def _pieces_in_polygons(
    segments: np.ndarray,
    polygons: np.ndarray,
    tree: shapely.STRtree,
    starts: np.ndarray,
    ends: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pieces of segments in polygons: the segment, and where on it, as shares."""
    polygon, segment = tree.query(polygons, predicate="intersects")
    parts, pair = shapely.get_parts(
        shapely.intersection(segments[segment], polygons[polygon]), return_index=True
    )
    is_line = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    segment, parts = segment[pair[is_line]], parts[is_line]
    along = ends[segment] - starts[segment]
    shares = [
        ((shapely.get_coordinates(shapely.get_point(parts, i)) - starts[segment]) * along).sum(
            axis=1
        )
        / (along**2).sum(axis=1)
        for i in (0, -1)
    ]
    return segment, np.minimum(*shares), np.maximum(*shares)


def _once(segment: np.ndarray, begin: np.ndarray, end: np.ndarray, n: int) -> np.ndarray:
    """Return the share of each of n segments that pieces cover, what several cover once."""
    order = np.lexsort((begin, segment))
    segment, begin, end = segment[order], begin[order], end[order]
    # segments one after the other on a line, two apart: none runs into the next
    reach = np.maximum.accumulate(end + 2.0 * segment)
    before = np.concatenate([[-np.inf], reach[:-1]]) - 2.0 * segment
    added = np.clip(end - np.maximum(begin, before), 0.0, None)
    return np.bincount(segment, added, n)


def _require_metric(places: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> None:
    if places.crs is None or not places.crs.is_projected or not places.crs.equals(sites.crs):
        raise CrsError(f"places are in {places.crs}, sites in {sites.crs}; use one metric CRS")

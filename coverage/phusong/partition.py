"""Communes as a partition: every place in one commune at most, and what no commune has."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.errors import CrsError, Problem, SchemaError
from phusong.joins import AREA_CRS

__all__ = ["Partition", "find_enclosed", "make_partition", "partition_notes"]

# Ten square centimetres: what rounding leaves of a cut is smaller, what a map means is larger.
DUST_KM2 = 1e-9
AGREE = 1e-9  # of an area: what two ways of measuring it may differ by
SNAP = 1e-12  # of a coordinate


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Communes that do not overlap, what was moved for it, and what lies between them.

    Attributes
    ----------
    communes : GeoDataFrame
        As they were given, but for the geometry of those that lost a piece.
    moved : DataFrame
        One row a piece: `from_code`, `to_code`, `area_km2`; the largest first. The pieces do not
        overlap: where three communes meet in one place, its area is in one row a loser.
    gaps : GeoDataFrame
        One row a hole that communes enclose and none has: `province_code` (of its neighbour with
        the lowest code), `area_km2`, geometry in the communes' CRS; the largest first.
    """

    communes: gpd.GeoDataFrame
    moved: pd.DataFrame
    gaps: gpd.GeoDataFrame


def make_partition(communes: gpd.GeoDataFrame) -> Partition:
    """Give every place that several communes claim to the one with the lowest code.

    Each of the others loses the piece by an exact difference; a commune that overlaps no other
    keeps its very coordinates. `shapely.coverage_clean` was weighed and not taken: it moves nearly
    every vertex of a layer by rounding, gives a place to the neighbour with the longest border
    whatever its code, fills gaps without a word, and does not tell which piece went where.

    Pieces and gaps under ten square centimetres are rounding and are let be. The union of the
    communes stays what it was, and a second pass changes nothing.

    Parameters
    ----------
    communes : GeoDataFrame
        `commune_code` (each once), `province_code`, valid polygons, any CRS.

    Returns
    -------
    Partition
        Areas are in km², measured in EPSG:6933 (equal-area).

    Raises
    ------
    CrsError
        If the layer names no CRS.
    SchemaError
        If polygons are not valid, or communes with lower codes claim all of one.

    Examples
    --------
    >>> from shapely import box
    >>> two = gpd.GeoDataFrame(
    ...     {"commune_code": ["00002", "00001"], "province_code": "38"}, crs="EPSG:6933",
    ...     geometry=[box(1000, 0, 3000, 1000), box(0, 0, 2000, 1000)])
    >>> made = make_partition(two)
    >>> made.moved
      from_code to_code  area_km2
    0     00002   00001       1.0
    >>> (made.communes.area / 1e6).tolist()
    [1.0, 2.0]
    """
    if communes.crs is None:
        raise CrsError("communes without a CRS: say which one they are in, such as EPSG:4326")
    _require_valid(communes)
    codes = communes["commune_code"].to_numpy()
    whole = communes.geometry.to_numpy()
    loser, keeper = _find_overlaps(whole, codes, communes.crs)
    shapes, pieces = _cut_pieces(whole, loser, keeper)
    _require_land(communes, shapes, loser)
    moved = pd.DataFrame(
        {
            "from_code": codes[loser],
            "to_code": codes[keeper],
            "area_km2": _areas_km2(pieces, communes.crs),
        }
    )
    moved = moved[moved["area_km2"] > DUST_KM2].sort_values(
        ["area_km2", "from_code", "to_code"], ascending=[False, True, True], ignore_index=True
    )
    cleaned = communes.set_geometry(gpd.GeoSeries(shapes, communes.index, crs=communes.crs))
    return Partition(communes=cleaned, moved=moved, gaps=_find_gaps(cleaned))


def partition_notes(made: Partition, n_between: float = 0.0) -> list[str]:
    """Say what was moved between communes, and what lies in none.

    Parameters
    ----------
    made : Partition
        Its communes with `commune_name`.
    n_between : float
        Persons of a raster in the gaps.
    """
    moved, gaps, notes = made.moved, made.gaps, []
    if len(moved):
        names = made.communes.set_index("commune_code")["commune_name"]
        first = moved.iloc[0]
        notes.append(
            f"{len(moved)} pieces of communes, {moved['area_km2'].sum():.4f} km² in all, lay in "
            "another one too: each counts only in the one with the lowest code; the largest, "
            f"{first.area_km2:.4f} km², in {first.to_code} {names[first.to_code]}, not in "
            f"{first.from_code} {names[first.from_code]}"
        )
    if len(gaps):
        people = f", with {n_between:,.0f} persons of the raster" if n_between else ""
        notes.append(
            f"in no commune (không thuộc xã nào): {len(gaps)} gaps between communes, "
            f"{gaps['area_km2'].sum():.4f} km² in all{people}"
        )
    return notes


def _find_overlaps(
    shapes: np.ndarray, codes: np.ndarray, crs: object
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the loser and the keeper of each pair, by their codes."""
    # Of a commune inside another only the inner one has invalid edges: one of a pair is enough.
    suspects = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes)))
    found, other = shapely.STRtree(shapes).query(shapes[suspects], predicate="intersects")
    rank = np.argsort(np.argsort(codes, kind="stable"))
    pairs = np.sort(np.column_stack([rank[suspects[found]], rank[other]]), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    keeper, loser = np.argsort(rank)[pairs].T
    shared = _areas_km2(_split(shapes[loser], shapes[keeper])[0], crs)
    loser, keeper = loser[shared > DUST_KM2], keeper[shared > DUST_KM2]
    order = np.lexsort([rank[keeper], rank[loser]])
    return loser[order], keeper[order]


def _cut_pieces(
    whole: np.ndarray, loser: np.ndarray, keeper: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shapes without what others keep, and the piece of each pair, in order of codes."""
    shapes, pieces = whole.copy(), np.empty(len(loser), dtype=object)
    for k, (i, j) in enumerate(zip(loser, keeper, strict=True)):
        (pieces[k],), (shapes[i],) = _split(shapes[[i]], whole[[j]])
    return shapes, pieces


def _split(shapes: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each shape shares with another, and the rest of it.

    Along borders that differ by a hair GEOS has been seen to take the whole of a shape for its
    shared part, in one order of the two and not in the other. Where the orders disagree, or the
    parts are not the whole, the vertices are first snapped to a grid as fine as their rounding.
    """
    shared, rest = shapely.intersection(shapes, others), shapely.difference(shapes, others)
    area = shapely.area(shapes)
    error = np.maximum(
        abs(shapely.area(shared) - shapely.area(shapely.intersection(others, shapes))),
        abs(shapely.area(shared) + shapely.area(rest) - area),
    )
    for i in np.flatnonzero(error > AGREE * area):
        size = SNAP * np.abs(shapely.bounds([shapes[i], others[i]])).max()
        shared[i] = shapely.intersection(shapes[i], others[i], grid_size=size)
        rest[i] = shapely.difference(shapes[i], others[i], grid_size=size)
    return shared, rest


def _require_valid(communes: gpd.GeoDataFrame) -> None:
    shapes = communes.geometry.to_numpy()
    wrong = np.flatnonzero(~shapely.is_valid(shapes))
    if len(wrong):
        reasons = shapely.is_valid_reason(shapes[wrong])
        codes = communes["commune_code"].to_numpy()[wrong]
        raise SchemaError(
            "communes",
            [
                Problem(row=None, field="geometry", found=f"{code}: {reason}",
                        expected="a valid polygon")
                for code, reason in zip(codes, reasons, strict=True)
            ],
        )  # fmt: skip


def _require_land(communes: gpd.GeoDataFrame, shapes: np.ndarray, loser: np.ndarray) -> None:
    losers = np.unique(loser)
    gone = losers[_areas_km2(shapes[losers], communes.crs) <= DUST_KM2]
    if len(gone):
        raise SchemaError(
            "communes",
            [
                Problem(row=None, field="geometry",
                        found=f"{code} lies wholly in communes with lower codes",
                        expected="land of its own", message="draw one of them again")
                for code in communes["commune_code"].to_numpy()[gone]
            ],
        )  # fmt: skip


def _find_gaps(communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    shapes = communes.geometry.to_numpy()
    faces = find_enclosed(shapes)
    tree = shapely.STRtree(shapes)
    area_km2 = _areas_km2(faces, communes.crs)
    faces, area_km2 = faces[area_km2 > DUST_KM2], area_km2[area_km2 > DUST_KM2]
    gap, commune = tree.query(faces, predicate="intersects")
    codes = communes[["commune_code", "province_code"]].iloc[commune]
    first = codes.assign(gap=gap).sort_values("commune_code").drop_duplicates("gap")
    provinces = first.set_index("gap")["province_code"].reindex(range(len(faces)))
    gaps = gpd.GeoDataFrame(
        {"province_code": provinces.to_numpy(), "area_km2": area_km2},
        geometry=faces,
        crs=communes.crs,
    )
    return gaps.sort_values("area_km2", ascending=False, kind="stable", ignore_index=True)


def find_enclosed(shapes: np.ndarray) -> np.ndarray:
    """Return the faces that lines of polygons enclose and no polygon has.

    Examples
    --------
    >>> ring = shapely.box(0, 0, 3, 3) - shapely.box(1, 1, 2, 2)
    >>> shapely.area(find_enclosed(np.array([ring, shapely.box(3, 0, 4, 3)]))).tolist()
    [1.0]
    """
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(_single_lines(shapes))]))
    owned, _ = shapely.STRtree(shapes).query(
        shapely.point_on_surface(faces), predicate="intersects"
    )
    return np.delete(faces, owned)


def _single_lines(shapes: np.ndarray) -> np.ndarray:
    """Return the lines that only one polygon has: coasts, sides of gaps, borders drawn twice."""
    rings = shapely.get_rings(shapely.get_parts(shapes))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    start, end = xy[:-1][ring[1:] == ring[:-1]], xy[1:][ring[1:] == ring[:-1]]
    ring = ring[:-1][ring[1:] == ring[:-1]]
    is_back = (start[:, :1] > end[:, :1]) | (
        (start[:, :1] == end[:, :1]) & (start[:, 1:] > end[:, 1:])
    )
    both = np.hstack([np.where(is_back, end, start), np.where(is_back, start, end)])
    alone = np.flatnonzero(~pd.DataFrame(both).duplicated(keep=False))
    follows = (np.diff(alone) == 1) & (np.diff(ring[alone]) == 0)
    line = np.cumsum(np.concatenate([[0], ~follows]))[: len(alone)]
    points = np.stack([start[alone], end[alone]], axis=1).reshape(-1, 2)
    return shapely.linestrings(points, indices=np.repeat(line, 2))


def _areas_km2(shapes: np.ndarray, crs: object) -> np.ndarray:
    return gpd.GeoSeries(shapes, crs=crs).to_crs(AREA_CRS).area.to_numpy() / 1e6

"""Coverage by footprints: circles, sectors and operators' polygons as 512 samples of every cell.

Each cell holds 8 scanlines of 64 samples, one bit each. A footprint becomes, on every scanline it
meets, the interval of x that it covers, computed exactly; the union over sites is a bitwise OR, so
neither the order of the rows nor their repetition can change an answer, a further site can never
lower one, and "at least two operators" can never exceed "any".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.errors import CrsError
from phusong.grid import Grid
from phusong.samples import DISC, NOTCHED, SCANLINES, WEDGE, cover_band
from phusong.zonal import ZonalWeights

__all__ = ["ANY", "TWO_OR_MORE", "Covered", "cover_zones"]

ANY = "any"
TWO_OR_MORE = "two_or_more"

ROWS_PER_BAND = 32
DEFAULT_BEAMWIDTH_DEG = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """How much of each zone is covered, by service and operator.

    Attributes
    ----------
    services, operators : tuple of str
        The last two axes; `operators` begins with "any" and "two_or_more".
    cells : array of float64, shape (n_zones, n_services, n_operators)
        Covered area in cells.
    persons : array of the same shape
        Covered population; zero where no population was given.
    cell_shares : Mapping of str to array of float32, shape (row, col)
        For each service asked for, the share of each cell that any operator covers; cells
        outside all zones are 0.
    """

    services: tuple[str, ...]
    operators: tuple[str, ...]
    cells: np.ndarray
    persons: np.ndarray
    cell_shares: Mapping[str, np.ndarray]


def cover_zones(
    sites: gpd.GeoDataFrame,
    weights: ZonalWeights,
    *,
    services: Mapping[str, Sequence[str]],
    operators: Sequence[str],
    population: np.ndarray | None = None,
    keep: Sequence[str] = (),
) -> Covered:
    """Return the area and the population of each zone that the sites' footprints cover.

    Parameters
    ----------
    sites : GeoDataFrame
        In the grid's CRS; `operator`, `technology`, and for points `radius_m`, `azimuth_deg`
        (clockwise from grid north; NaN is omnidirectional), `beamwidth_deg` (NaN is 120°).
        A polygon is its own footprint.
    weights : ZonalWeights
        The zones on the grid.
    services : Mapping
        Name of a service to the technologies that provide it, such as {"5g": ["5G", "5G SA"]}.
    operators : sequence of str
        Those to report; every site's operator must be among them.
    population : array of float, shape (row, col), optional
        Persons per cell.
    keep : sequence of str
        Services whose cell shares are returned.

    Returns
    -------
    Covered

    Raises
    ------
    CrsError
        If the sites are in another CRS than the grid.
    ValueError
        If a site's operator is not among `operators`.

    Examples
    --------
    >>> from phusong.zonal import overlap_zones
    >>> grid = Grid(crs="EPSG:5897", x_min=0, y_max=2000, cell_m=100, shape=(20, 20))
    >>> zone = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 2000, 2000)], crs="EPSG:5897")
    >>> mast = gpd.GeoDataFrame({"operator": ["A"], "technology": "5G", "radius_m": 500.0},
    ...                         geometry=[shapely.Point(1000, 1000)], crs="EPSG:5897")
    >>> covered = cover_zones(mast, overlap_zones(zone, grid), services={"5g": ["5G"]},
    ...                       operators=["A"])
    >>> (covered.cells[0, 0] / 400).round(3)  # a disc of 500 m in 4 km²: π/16 = 0.196
    array([0.196, 0.   , 0.196])
    """
    if sites.crs is None or not sites.crs.equals(weights.grid.crs):
        raise CrsError(f"sites are in {sites.crs}, the grid is in {weights.grid.crs}")
    names = tuple(dict.fromkeys(t for group in services.values() for t in group))
    used = sites[sites["technology"].isin(names)]
    layer = pd.Index(names).get_indexer(used["technology"]) * len(operators)
    operator = pd.Index(operators).get_indexer(used["operator"])
    if (operator < 0).any():
        lost = sorted(set(used["operator"][operator < 0]))
        raise ValueError(f"sites of operators that are not to be reported: {', '.join(lost)}")
    layer += operator
    members = np.array([[t in group for t in names] for group in services.values()], dtype=bool)
    kept = np.array([name in keep for name in services], dtype=bool).nonzero()[0]
    job = _Job(
        weights=weights,
        sectors=_sectors(used, layer, weights.grid),
        spans=_polygon_spans(used, layer, weights.grid),
        members=members.reshape(len(services), len(names)),
        n_operators=len(operators),
        population=np.zeros((1, 1)) if population is None else population,
        shares=np.zeros((len(kept), *weights.grid.shape), "float32"),
        kept=kept,
    )
    cells, persons = job.run()
    return Covered(
        services=tuple(services),
        operators=(ANY, TWO_OR_MORE, *operators),
        cells=cells,
        persons=persons,
        cell_shares={list(services)[s]: job.shares[i] for i, s in enumerate(kept)},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One pass over the grid, row band by row band, on as many threads as there are cores."""

    weights: ZonalWeights
    sectors: np.ndarray
    spans: np.ndarray
    members: np.ndarray
    n_operators: int
    population: np.ndarray
    shares: np.ndarray
    kept: np.ndarray

    def run(self) -> tuple[np.ndarray, np.ndarray]:
        rows = np.unique(np.concatenate([self.weights.runs[:, 0], self.weights.borders[:, 0]]))
        bands = np.unique(rows // ROWS_PER_BAND)
        shape = (self.weights.n_zones, len(self.members), self.n_operators + 2)
        cells, persons = np.zeros(shape), np.zeros(shape)
        with ThreadPoolExecutor() as pool:  # summed in the order of the bands, whoever is first
            for band_cells, band_persons in pool.map(self._run_band, bands):
                cells += band_cells
                persons += band_persons
        return cells, persons

    def _run_band(self, band: int) -> tuple[np.ndarray, np.ndarray]:
        first, last = band * ROWS_PER_BAND, (band + 1) * ROWS_PER_BAND
        weights = self.weights
        runs = _rows_between(weights.runs, weights.runs[:, 0], first, last)
        borders = _rows_between(weights.borders, weights.borders[:, 0], first, last)
        fractions = _rows_between(weights.fractions, weights.borders[:, 0], first, last)
        spans = _rows_between(self.spans, self.spans["row"], first, last)
        near = (self.sectors["last_row"] >= first) & (self.sectors["first_row"] < last)
        shape = (weights.n_zones, len(self.members), self.n_operators + 2)
        cells, persons = np.zeros(shape), np.zeros(shape)
        cover_band(
            self.sectors[near], spans, runs, borders, fractions, self.members, self.n_operators,
            self.population, self.kept, self.shares, cells, persons,
        )  # fmt: skip
        return cells, persons


def _rows_between(values: np.ndarray, rows: np.ndarray, first: int, last: int) -> np.ndarray:
    start, stop = np.searchsorted(rows, [first, last])
    return values[start:stop]


SECTOR = np.dtype(
    [
        ("layer", "i8"), ("column", "f8"), ("row", "f8"), ("radius", "f8"), ("kind", "i8"),
        ("x1", "f8"), ("y1", "f8"), ("x2", "f8"), ("y2", "f8"),
        ("first_row", "i8"), ("last_row", "i8"),
    ]
)  # fmt: skip


def _sectors(sites: gpd.GeoDataFrame, layer: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the point sites as discs, wedges (up to 180°) and notched discs, in cell units."""
    is_point = (sites.geometry.geom_type == "Point").to_numpy()
    points = sites[is_point]
    if not len(points):
        return np.zeros(0, SECTOR)
    sectors = np.zeros(len(points), SECTOR)
    sectors["layer"] = layer[is_point]
    sectors["column"], sectors["row"] = grid.to_columns_rows(
        points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    )
    sectors["radius"] = points["radius_m"].to_numpy(float) / grid.cell_m
    azimuth = _numbers(points, "azimuth_deg")
    beamwidth = _numbers(points, "beamwidth_deg")
    beamwidth = np.where(np.isnan(beamwidth), DEFAULT_BEAMWIDTH_DEG, beamwidth)
    beamwidth = np.where(np.isnan(azimuth), 360.0, beamwidth)
    sectors["kind"] = np.where(beamwidth >= 360, DISC, np.where(beamwidth <= 180, WEDGE, NOTCHED))
    middle = np.where(sectors["kind"] == NOTCHED, azimuth + 180, azimuth)
    half = np.where(sectors["kind"] == NOTCHED, 360 - beamwidth, beamwidth) / 2
    for side, angle_deg in (("1", middle - half), ("2", middle + half)):
        angle = np.radians(np.nan_to_num(angle_deg) % 360)
        sectors["x" + side], sectors["y" + side] = np.sin(angle), -np.cos(angle)
    sectors["first_row"] = np.floor(sectors["row"] - sectors["radius"])
    sectors["last_row"] = np.floor(sectors["row"] + sectors["radius"])
    return sectors[sectors["radius"] > 0]


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy("float64", na_value=np.nan)


SPAN = np.dtype([("row", "i8"), ("scanline", "i8"), ("layer", "i8"), ("x0", "f8"), ("x1", "f8")])


def _polygon_spans(sites: gpd.GeoDataFrame, layer: np.ndarray, grid: Grid) -> np.ndarray:
    """Return what the polygon sites cover of each scanline, by the even-odd rule, sorted by row."""
    is_area = (sites.geometry.geom_type != "Point").to_numpy()
    if not is_area.any():
        return np.zeros(0, SPAN)
    rings, part = shapely.get_rings(
        *[shapely.get_parts(sites.geometry.to_numpy()[is_area], return_index=True)[0]],
        return_index=True,
    )
    owner = shapely.get_parts(sites.geometry.to_numpy()[is_area], return_index=True)[1]
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    columns, rows = grid.to_columns_rows(xy[:, 0], xy[:, 1])
    is_edge = ring[1:] == ring[:-1]
    x0, x1 = columns[:-1][is_edge], columns[1:][is_edge]
    y0, y1 = rows[:-1][is_edge] * SCANLINES - 0.5, rows[1:][is_edge] * SCANLINES - 0.5
    feature = owner[part[ring[:-1][is_edge]]]
    first = np.clip(np.ceil(np.minimum(y0, y1)), 0, grid.shape[0] * SCANLINES).astype(int)
    after = np.clip(np.ceil(np.maximum(y0, y1)), 0, grid.shape[0] * SCANLINES).astype(int)
    count = after - first
    edge = np.repeat(np.arange(len(count)), count)
    line = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    x = x0[edge] + (line - y0[edge]) * (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
    order = np.lexsort((x, feature[edge], line))
    line, x, feature = line[order], x[order], feature[edge][order]
    spans = np.zeros(len(x) // 2, SPAN)
    spans["row"], spans["scanline"] = line[::2] // SCANLINES, line[::2] % SCANLINES
    spans["layer"] = layer[is_area][feature[::2]]
    spans["x0"], spans["x1"] = x[::2], x[1::2]
    return spans

"""Coverage by footprints: circles, sectors and operators' polygons.

Areas are exact: the boundary of the union is integrated inside each zone (`union`). Persons are
those of the cells, by the exact covered share of each cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr

from phusong.errors import CrsError, Problem, SchemaError
from phusong.grid import Grid
from phusong.layers import ANY, TWO_OR_MORE
from phusong.scratch import make_array
from phusong.union.cells import cover_cells
from phusong.union.exposed import find_exposed
from phusong.union.near import Buckets, make_buckets
from phusong.union.people import paint, sum_covered
from phusong.union.polygons import cells_of_polygons, cut_zones
from phusong.union.roses import Roses, make_roses
from phusong.union.zones import Zones, cover_areas, make_zones
from phusong.zonal import ZonalWeights

__all__ = ["Covered", "cover_zones", "lay_shares"]

DEFAULT_BEAMWIDTH_DEG = 120.0
MOST_OPERATORS = 63  # a bit each
WHOLE = 1e-9  # the rounding of an area: what is as near to the whole zone is the whole zone


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
    cell_shares : DataArray of float32, dims (service, y, x)
        For each service asked for, the share of each cell that any operator covers; cells
        outside all zones are 0.
    """

    services: tuple[str, ...]
    operators: tuple[str, ...]
    cells: np.ndarray
    persons: np.ndarray
    cell_shares: xr.DataArray


def cover_zones(
    sites: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
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
    zones : GeoDataFrame
        Polygons in the grid's CRS.
    weights : ZonalWeights
        The same zones on the grid.
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
        If the sites or the zones are in another CRS than the grid.
    SchemaError
        If a site's polygon is not valid: what it holds cannot be told.
    ValueError
        If a site's operator is not among `operators`, or there are more than 63 of them.

    Examples
    --------
    >>> import shapely
    >>> from phusong.grid import Grid
    >>> from phusong.zonal import overlap_zones
    >>> grid = Grid(crs="EPSG:5897", x_min=0, y_max=2000, cell_m=100, shape=(20, 20))
    >>> zone = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 2000, 2000)], crs="EPSG:5897")
    >>> mast = gpd.GeoDataFrame({"operator": ["A"], "technology": "5G", "radius_m": 500.0},
    ...                         geometry=[shapely.Point(1000, 1000)], crs="EPSG:5897")
    >>> covered = cover_zones(mast, zone, overlap_zones(zone, grid), services={"5g": ["5G"]},
    ...                       operators=["A"])
    >>> (covered.cells[0, 0] / 400).round(8)  # a disc of 500 m in 4 km²: π/16
    array([0.19634954, 0.        , 0.19634954])
    """
    if sites.crs is None or not sites.crs.equals(weights.grid.crs):
        raise CrsError(f"sites are in {sites.crs}, the grid is in {weights.grid.crs}")
    if zones.crs is None or not zones.crs.equals(weights.grid.crs):
        raise CrsError(f"zones are in {zones.crs}, the grid is in {weights.grid.crs}")
    _require_valid(sites)
    operator = pd.Index(operators).get_indexer(sites["operator"])
    is_asked = sites["technology"].isin({t for group in services.values() for t in group})
    if (operator[is_asked] < 0).any():
        lost = sorted(set(sites["operator"][is_asked & (operator < 0)]))
        raise ValueError(f"sites of operators that are not to be reported: {', '.join(lost)}")
    if len(operators) > MOST_OPERATORS:
        raise ValueError(f"{len(operators)} operators; at most {MOST_OPERATORS} can be told apart")
    ground = _Ground.make(zones, weights, len(operators))
    shape = (len(zones), len(services), len(operators) + 2)
    cells, persons = np.zeros(shape), np.zeros(shape)
    shares = lay_shares(make_array((len(keep), *weights.grid.shape), "float32"), keep, weights.grid)
    done: dict[bytes, int] = {}
    for i, (name, group) in enumerate(services.items()):
        is_used = sites["technology"].isin(group).to_numpy()
        twin = done.setdefault(is_used.tobytes(), i)
        if twin != i and name not in keep:  # the same cells give the same answer
            cells[:, i], persons[:, i] = cells[:, twin], persons[:, twin]
            continue
        union = _Union.make(sites[is_used], operator[is_used], ground)
        cells[:, i] = union.areas_m2() / weights.grid.cell_m**2
        if population is not None or name in keep:
            layers = union.layers()
            if population is not None:
                persons[:, i] = sum_covered(weights, layers, population)
            if name in keep:
                paint(layers[0], weights, shares[list(keep).index(name)].to_numpy())
    whole = weights.cells[:, None, None]
    cells = np.where(cells > whole * (1 - WHOLE), whole, cells)
    return Covered(
        services=tuple(services),
        operators=(ANY, TWO_OR_MORE, *operators),
        cells=cells,
        persons=persons,
        cell_shares=shares,
    )


def lay_shares(values: np.ndarray, services: Sequence[str], grid: Grid) -> xr.DataArray:
    """Return shares of cells, shape (service, row, col), with their places and services."""
    return xr.DataArray(
        values,
        dims=("service", "y", "x"),
        coords={"service": list(services), "y": grid.y, "x": grid.x},
        attrs={"crs": grid.crs, "cell_m": grid.cell_m, "unit": "share of the cell covered"},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """The zones, as all services share them."""

    weights: ZonalWeights
    polygons: np.ndarray
    edges: Zones
    origin: tuple[float, float]
    n_operators: int

    @classmethod
    def make(cls, zones: gpd.GeoDataFrame, weights: ZonalWeights, n_operators: int) -> _Ground:
        x_min, y_min, x_max, y_max = weights.grid.bounds
        origin = (round((x_min + x_max) / 2), round((y_min + y_max) / 2))
        polygons = zones.geometry.to_numpy()
        return cls(
            weights=weights, polygons=polygons, edges=make_zones(polygons, origin), origin=origin,
            n_operators=n_operators,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Union:
    """The footprints of one service, by operator."""

    ground: _Ground
    roses: Roses
    buckets: Buckets
    exposed: tuple[np.ndarray, np.ndarray]
    polygons: np.ndarray
    polygon_operator: np.ndarray

    @classmethod
    def make(cls, sites: gpd.GeoDataFrame, operator: np.ndarray, ground: _Ground) -> _Union:
        is_point = (sites.geometry.geom_type == "Point").to_numpy()
        points = sites[is_point]
        beamwidth = _numbers(points, "beamwidth_deg")
        roses = make_roses(
            points.geometry.x.to_numpy() - ground.origin[0],
            points.geometry.y.to_numpy() - ground.origin[1],
            _numbers(points, "radius_m"),
            _numbers(points, "azimuth_deg"),
            np.where(np.isnan(beamwidth), DEFAULT_BEAMWIDTH_DEG, beamwidth),
            operator[is_point],
        )
        buckets = make_buckets(roses.roses)
        return cls(
            ground=ground,
            roses=roses,
            buckets=buckets,
            exposed=find_exposed(roses, buckets, ground.n_operators),
            polygons=sites.geometry.to_numpy()[~is_point],
            polygon_operator=operator[~is_point],
        )

    def areas_m2(self) -> np.ndarray:
        """Return the covered area of each zone, shape (n_zones, 2 + n_operators)."""
        ground, edges = self.ground, self.ground.edges
        zone = np.arange(len(ground.polygons))
        if len(self.polygons):
            pieces, zone, masks = cut_zones(ground.polygons, self.polygons, self.polygon_operator)
            edges = make_zones(pieces, ground.origin, masks)
        areas = cover_areas(edges, self.roses, self.buckets, self.exposed, ground.n_operators)
        total = np.zeros((len(ground.polygons), areas.shape[1]))
        np.add.at(total, zone, areas)
        return total

    def layers(self) -> list[ZonalWeights]:
        """Return the covered share of the cells: by any operator, two or more, each."""
        ground, grid = self.ground, self.ground.weights.grid
        if len(self.polygons):
            return cells_of_polygons(
                self.roses, self.exposed[0], self.polygons, self.polygon_operator, ground.origin,
                grid, ground.n_operators,
            )  # fmt: skip
        return cover_cells(self.roses, self.exposed[0], ground.origin, grid, ground.n_operators)


def _require_valid(sites: gpd.GeoDataFrame) -> None:
    shapes = sites.geometry.to_numpy()
    wrong = np.flatnonzero(~shapely.is_valid(shapes))
    if len(wrong):
        reasons = shapely.is_valid_reason(shapes[wrong])
        raise SchemaError(
            "sites",
            [
                Problem(row=None, field="geometry", found=f"{operator}: {reason}",
                        expected="a valid polygon", message="repair it")
                for operator, reason in zip(sites["operator"].iloc[wrong], reasons, strict=True)
            ],
        )  # fmt: skip


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy("float64", na_value=np.nan)

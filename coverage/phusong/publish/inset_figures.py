"""What stands around a printed map: its scale, its north, where it lies, and islands far out."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from importlib.resources import files

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib_scalebar.scalebar import ScaleBar
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from phusong.grid import transformer
from phusong.publish.text_figures import FONT

__all__ = [
    "Box",
    "draw_locator",
    "draw_north",
    "draw_scale",
    "find_far_out",
    "frame_islands",
    "is_in_view",
    "island_size",
    "north_deg",
    "place_inset",
]

LON_LAT = "EPSG:4326"
FAR_M = 150_000.0  # Bạch Long Vĩ and Côn Đảo stay on the map; Hoàng Sa and Trường Sa go aside
VIEW = (101.0, 6.5, 118.5, 24.0)  # lon and lat of the locator: Vietnam with its islands
MARKS = {"Hà Nội": (105.85, 21.03), "Huế": (107.58, 16.46), "TP. Hồ\nChí Minh": (106.70, 10.78)}
ISLANDS = {"Hoàng Sa": (111.8, 16.4), "Trường Sa": (114.0, 9.8)}
SEA, LAND, HERE = "#eef3f7", "#d9d9d4", "#c43c28"
ISLAND_MARGIN_M = 110_000.0
ARROW_INCHES = 0.11
Box = tuple[float, float, float, float]


def find_far_out(shapes: gpd.GeoSeries) -> np.ndarray:
    """Return which communes lie more than 150 km from the largest group of communes.

    On the scale of a page they would leave the rest no room.

    Parameters
    ----------
    shapes : GeoSeries
        A metric CRS.

    Returns
    -------
    array of bool, shape (n,)

    Examples
    --------
    >>> boxes = [shapely.box(x, 0, x + 1000, 1000) for x in (0, 1000, 400_000)]
    >>> find_far_out(gpd.GeoSeries(boxes, crs="EPSG:5897"))
    array([False, False,  True])
    """
    points = shapes.representative_point()
    tree = KDTree(np.column_stack([points.x, points.y]))
    near = tree.query_pairs(FAR_M, output_type="ndarray")
    links = coo_array((np.ones(len(near), bool), near.T), shape=(len(shapes), len(shapes)))
    _, group = connected_components(links, directed=False)
    return group != np.bincount(group).argmax()


def place_inset(
    ax: Axes, shapes: gpd.GeoSeries, frame: Box, size: tuple[float, float], taken: list[Box]
) -> Box:
    """Return where in `frame` an inset of `size` hides least of the map and of other insets.

    Parameters
    ----------
    ax : Axes
        The map, with its limits set.
    shapes : GeoSeries
        What is drawn there.
    frame, taken : (left, bottom, width, height), shares of the figure
    size : (width, height), shares of the figure
    """
    ax.apply_aspect()
    to_data = ax.figure.transSubfigure + ax.transData.inverted()
    boxes = [
        (frame[0] + i / 4 * (frame[2] - size[0]), frame[1] + j / 4 * (frame[3] - size[1]), *size)
        for i in (4, 0, 3, 1, 2)
        for j in (0, 4, 1, 3, 2)
    ]
    tree = shapely.STRtree(shapes.to_numpy())

    def hidden(box: Box) -> float:
        corners = to_data.transform([box[:2], (box[0] + box[2], box[1] + box[3])])
        window = shapely.box(*corners.ravel())
        met = tree.geometries[tree.query(window)]
        share = float(shapely.area(shapely.intersection(met, window)).sum()) / window.area
        own = shapely.box(box[0], box[1], box[0] + box[2], box[1] + box[3])
        others = (shapely.box(b[0], b[1], b[0] + b[2], b[1] + b[3]) for b in taken)
        return share + sum(own.intersection(other).area / own.area for other in others)

    return min(boxes, key=hidden)


def draw_scale(ax: Axes, crs: str, *, x: float, y: float, size: float) -> ScaleBar:
    """Draw a scale bar that ends at (`x`, `y`) of the figure; return it.

    It is as long as its label on the ground in the middle of the map: lengths of the plane are
    divided by the scale factor of the projection there.
    """
    bar = ScaleBar(
        1 / _scale_factor(ax, crs), "m", length_fraction=0.22, width_fraction=0.006,
        location="lower right", bbox_to_anchor=(x, y), bbox_transform=ax.figure.transSubfigure,
        border_pad=0, pad=0, sep=2, scale_loc="top", frameon=False,
        font_properties={"family": FONT, "size": size},
    )  # fmt: skip
    ax.add_artist(bar)
    return bar


def _middle(ax: Axes, crs: str) -> tuple[float, float]:
    (west, east), (south, north) = ax.get_xlim(), ax.get_ylim()
    lon, lat = transformer(crs, LON_LAT).transform((west + east) / 2, (south + north) / 2)
    return float(lon), float(lat)


def _scale_factor(ax: Axes, crs: str) -> float:
    """Return metres of the plane for a metre on the ground, eastwards in the middle of the map."""
    (west, east), (south, north) = ax.get_xlim(), ax.get_ylim()
    middle_x, middle_y, half = (west + east) / 2, (south + north) / 2, (east - west) / 200
    lons, lats = transformer(crs, LON_LAT).transform(
        [middle_x - half, middle_x + half], [middle_y, middle_y]
    )
    ground_m = pyproj.Geod(ellps="WGS84").inv(lons[0], lats[0], lons[1], lats[1])[2]
    return 2 * half / ground_m


def draw_north(
    figure: Figure, turn_deg: float, word: str, *, x: float, y: float, size: float
) -> None:
    """Draw an arrow around (`x`, `y`) of the figure, `turn_deg` clockwise from the top."""
    turn = math.radians(turn_deg)
    step_x = math.sin(turn) * ARROW_INCHES / figure.get_figwidth()
    step_y = math.cos(turn) * ARROW_INCHES / figure.get_figheight()
    arrow = FancyArrowPatch(
        (x - step_x, y - step_y), (x + step_x, y + step_y), arrowstyle="-|>", mutation_scale=9,
        color="black", lw=1.2, transform=figure.transSubfigure,
    )  # fmt: skip
    figure.add_artist(arrow)
    figure.text(x + 1.35 * step_x, y + 1.35 * step_y, word, fontsize=size, weight="bold",
                ha="center", va="bottom", parse_math=False)  # fmt: skip


def north_deg(ax: Axes, crs: str) -> float:
    """Return where the true north is in the middle of the map, clockwise from the top."""
    lon, lat = _middle(ax, crs)
    xs, ys = transformer(LON_LAT, crs).transform([lon, lon], [lat, lat + 0.01])
    return math.degrees(math.atan2(xs[1] - xs[0], ys[1] - ys[0]))


def is_in_view(shapes: gpd.GeoSeries) -> bool:
    """Return whether the communes lie in the locator's view, and fill less than half of it."""
    west, south, east, north = shapes.to_crs(LON_LAT).total_bounds
    inside = west >= VIEW[0] and south >= VIEW[1] and east <= VIEW[2] and north <= VIEW[3]
    return bool(inside and north - south < (VIEW[3] - VIEW[1]) / 2)


def draw_locator(ax: Axes, shapes: gpd.GeoSeries, *, size: float) -> Axes:
    """Draw where the communes lie: the coast, degrees, three cities and the far islands.

    The coast is that of Natural Earth (public domain); it has no border of any country, and the
    cities say which part of it is Vietnam.
    """
    ax.set_facecolor(SEA)
    for ring in _coast():
        ax.fill(*ring.T, fc=LAND, ec="#8a8a85", lw=0.35, zorder=1)
    own = shapely.union_all(shapes.simplify(500).buffer(500).to_numpy())
    own = gpd.GeoSeries([own], crs=shapes.crs).to_crs(LON_LAT).explode()
    for part in own:
        ax.fill(*part.exterior.xy, fc=HERE, ec="black", lw=0.5, zorder=3)
    for name, (lon, lat) in MARKS.items():
        ax.scatter(lon, lat, s=size / 2, c="black", zorder=4)
        _name(ax, name, lon, lat, size, ha="right", va="center", dx=-2.5)
    for name, (lon, lat) in ISLANDS.items():
        ax.scatter([lon, lon + 0.5, lon - 0.4], [lat, lat + 0.4, lat + 0.5], s=0.6, c="black")
        _name(ax, name, lon, lat, size, ha="center", va="top", dx=0)
    west, south, east, north = VIEW
    middle = math.cos(math.radians((south + north) / 2))
    ax.set(xlim=(west, east), ylim=(south, north), aspect=1 / middle)
    ax.set(xticks=[105, 110, 115], yticks=[10, 15, 20])
    ax.xaxis.set_major_formatter("{x:g}°")
    ax.yaxis.set_major_formatter("{x:g}°")
    ax.tick_params(labelsize=size * 0.85, length=2, pad=1.5, width=0.4)
    return ax


def island_size(shapes: gpd.GeoSeries, longest: float) -> tuple[float, float]:
    """Return the width and height of an inset for islands, its longer side `longest`."""
    west, south, east, north = shapes.total_bounds
    width, height = east - west + 2 * ISLAND_MARGIN_M, north - south + 2 * ISLAND_MARGIN_M
    unit = longest / max(width, height)
    return float(width * unit), float(height * unit)


def frame_islands(
    ax: Axes, shapes: gpd.GeoSeries, names: Sequence[str], note: str, *, size: float
) -> None:
    """Frame an inset of islands: room around them, their names, rings that make them seen."""
    west, south, east, north = shapes.total_bounds
    ax.set(xlim=(west - ISLAND_MARGIN_M, east + ISLAND_MARGIN_M),
           ylim=(south - ISLAND_MARGIN_M, north + ISLAND_MARGIN_M), aspect="equal")  # fmt: skip
    ax.set(facecolor=SEA, xticks=[], yticks=[])
    for shape, name in zip(shapes, names, strict=True):
        parts = shapely.get_coordinates(shapely.centroid(shapely.get_parts(shape)))
        ax.scatter(parts[:, 0], parts[:, 1], s=size * 1.5, fc="none", ec="black", lw=0.4, zorder=4)
        x, (_, y, _, _) = float(parts[:, 0].mean()), shape.bounds
        ax.annotate(name, (x, y), (0, -3), textcoords="offset points", fontsize=size,
                    ha="center", va="top", zorder=5, parse_math=False)  # fmt: skip
    ax.text(0.5, 0.975, note, transform=ax.transAxes, fontsize=size * 0.9, ha="center", va="top",
            parse_math=False)  # fmt: skip


def _name(ax: Axes, name: str, lon: float, lat: float, size: float, *, ha: str, va: str,
          dx: float) -> None:  # fmt: skip
    ax.annotate(name, (lon, lat), (dx, -1.5 if va == "top" else 0), textcoords="offset points",
                fontsize=size, ha=ha, va=va, zorder=5)  # fmt: skip


def _coast() -> list[np.ndarray]:
    """Return the rings of the embedded land, lon and lat; it is kept in pixels of a web map."""
    text = (files("phusong") / "publish" / "assets" / "land.json").read_text(encoding="utf-8")
    land = json.loads(text)
    rings = []
    for steps in land["rings"]:
        x, y = np.cumsum(np.reshape(steps, (-1, 2)), axis=0).T / (256 * 2 ** land["zoom"])
        lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y))))
        rings.append(np.column_stack([360 * x - 180, lat]))
    return rings

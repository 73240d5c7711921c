"""Predicted signals on paper: power, best servers, and where nobody is served."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, LightSource, LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from phusong.publish.figures import RC
from phusong.publish.palette import CLASSES, GAP, NO_DATA
from phusong.radio.relief import Relief
from phusong.words import read_words

__all__ = ["draw_signal", "plot_gaps", "plot_power", "plot_relief", "plot_servers"]

# dB above the threshold; what is lower than the first is shown as nothing, the last class is open.
MARGINS_DB = (-20.0, -10.0, 0.0, 10.0, 20.0, 30.0)
SURE = (0.5, 0.75, 0.9, 0.95)
SURE_COLOURS = (GAP, "#fdae61", "#fee08b", "#a6d96a", "#1a9850")
N_COLOURS = 12
UNKNOWN = "#7d6f8c"
LAND = LinearSegmentedColormap.from_list(
    "land", ["#dfe9cf", "#a9c48f", "#c9b184", "#8a6a4b", "#f4f1ec"]
)
SUN = (315.0, 45.0)
MOST_PIXELS = 1_400


def draw_signal(
    layers: xr.Dataset, relief: Relief, *, service: str, as_of: date,
    zones: gpd.GeoDataFrame | None = None, said: str = "", lang: str = "vi",
    is_synthetic: bool = False,
) -> Figure:  # fmt: skip
    """Return a page of four maps: terrain, power, best servers, probability.

    Parameters
    ----------
    layers : Dataset
        One of `Prediction.services`.
    relief : Relief
        Over the same area, or a larger one.
    service : str
    as_of : date
    zones : GeoDataFrame, optional
        Communes in the grid's CRS, whose borders are drawn; what lies outside is faded.
    said : str
        A line below the title: by which model, from which power.
    lang : str
    is_synthetic : bool
    """
    words = read_words("signal_figure", lang)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(13.0, 10.5), layout="compressed")
        axes = figure.subplots(2, 2).ravel()
        shade = _shade(relief, layers)
        plot_relief(axes[0], relief, layers, words=words)
        plot_power(axes[1], layers, shade, words=words)
        plot_servers(axes[2], layers, shade, words=words)
        plot_gaps(axes[3], layers, shade, words=words)
        for ax in axes:
            _draw_borders(ax, zones)
            ax.set_axis_off()
        lines = [words["title"].format(service=service.upper(), as_of=as_of), said]
        if is_synthetic:
            lines.append(words["synthetic"])
        figure.suptitle("\n".join(filter(None, lines)), fontsize=13, parse_math=False)
    return figure


def plot_relief(ax: Axes, relief: Relief, layers: xr.Dataset, *, words: Mapping[str, str]) -> None:
    """Draw heights with the light from the north-west."""
    heights = _heights(relief, layers)
    image = ax.imshow(heights, cmap=LAND, vmin=0.0, vmax=max(float(np.nanmax(heights)), 1.0),
                      extent=_extent(layers), interpolation="nearest")  # fmt: skip
    _overlay(ax, _shade(relief, layers), layers, alpha=0.35)
    ax.figure.colorbar(image, ax=ax, shrink=0.6)
    ax.set_title(words["relief"], fontsize=10, parse_math=False)


def plot_power(
    ax: Axes, layers: xr.Dataset, shade: np.ndarray, *, words: Mapping[str, str]
) -> None:
    """Draw the median power in classes about the threshold."""
    margin = _thin(layers["margin_db"].to_numpy())
    at = np.digitize(margin, MARGINS_DB) - 1.0
    at[~(margin >= MARGINS_DB[0])] = np.nan
    limits = [f"{low:g} … {high:g}" for low, high in pairwise(MARGINS_DB)]
    names = [*limits, f"≥ {MARGINS_DB[-1]:g}"]
    _paint(ax, at, CLASSES, layers, is_unknown=np.isnan(margin))
    _overlay(ax, shade, layers, alpha=0.18)
    _legend(ax, list(zip(CLASSES, names, strict=True)), margin, words)
    ax.set_title(words["power"], fontsize=10, parse_math=False)


def plot_servers(
    ax: Axes, layers: xr.Dataset, shade: np.ndarray, *, words: Mapping[str, str]
) -> None:
    """Draw the best server of each cell that is more likely covered than not, in a few colours."""
    server, margin = _thin(layers["server_id"].to_numpy()), _thin(layers["margin_db"].to_numpy())
    # neighbours in the list stand near each other: spread them over the colours
    at = ((server * 7) % N_COLOURS).astype(float)
    at[(server < 0) | ~(margin >= 0.0)] = np.nan
    colours = [mpl.colors.to_hex(c) for c in mpl.colormaps["Paired"].colors]  # type: ignore[attr-defined]
    _paint(ax, at, tuple(colours[:N_COLOURS]), layers, is_unknown=np.isnan(margin))
    _overlay(ax, shade, layers, alpha=0.18)
    ax.set_title(words["server"], fontsize=10, parse_math=False)


def plot_gaps(ax: Axes, layers: xr.Dataset, shade: np.ndarray, *, words: Mapping[str, str]) -> None:
    """Draw how sure a cell is of the signal: at 50, 75, 90 and 95 %."""
    share = _thin(layers["probability"].to_numpy())
    at = np.digitize(share, SURE).astype(float)
    at[np.isnan(share)] = np.nan
    _paint(ax, at, SURE_COLOURS, layers, is_unknown=np.isnan(share))
    _overlay(ax, shade, layers, alpha=0.18)
    between = (f"{100 * low:.0f} … {high:.0%}" for low, high in pairwise(SURE))
    names = [f"< {SURE[0]:.0%}", *between, f"≥ {SURE[-1]:.0%}"]
    _legend(ax, list(zip(SURE_COLOURS, names, strict=True)), share, words)
    ax.set_title(words["gap"], fontsize=10, parse_math=False)


def _paint(
    ax: Axes, at: np.ndarray, colours: tuple[str, ...], layers: xr.Dataset, *,
    is_unknown: np.ndarray,
) -> None:  # fmt: skip
    """Fill cells by their class; those without one are pale, unknown ones dark."""
    palette = ListedColormap(list(colours)).with_extremes(bad=NO_DATA)
    norm = BoundaryNorm(np.arange(len(colours) + 1) - 0.5, len(colours))
    ax.imshow(at, cmap=palette, norm=norm, extent=_extent(layers), interpolation="nearest")
    if is_unknown.any():
        ax.imshow(np.where(is_unknown, 0.0, np.nan), cmap=ListedColormap([UNKNOWN]), vmin=0, vmax=1,
                  extent=_extent(layers), interpolation="nearest")  # fmt: skip


def _overlay(ax: Axes, shade: np.ndarray, layers: xr.Dataset, *, alpha: float) -> None:
    ax.imshow(shade, cmap="gray", vmin=0.0, vmax=1.0, alpha=alpha, extent=_extent(layers),
              interpolation="nearest")  # fmt: skip


def _legend(
    ax: Axes, entries: list[tuple[str, str]], values: np.ndarray, words: Mapping[str, str]
) -> None:
    handles = [Patch(color=colour, label=name) for colour, name in entries]
    if (values < MARGINS_DB[0]).any():
        handles.append(Patch(color=NO_DATA, label=words["none"]))
    if np.isnan(values).any():
        handles.append(Patch(color=UNKNOWN, label=words["unknown"]))
    ax.legend(handles=handles, loc="lower left", fontsize=7, framealpha=0.9)


def _draw_borders(ax: Axes, zones: gpd.GeoDataFrame | None) -> None:
    limits = ax.get_xlim(), ax.get_ylim()
    if zones is not None:
        whole = gpd.GeoSeries([zones.union_all()], crs=zones.crs)
        outside = gpd.GeoSeries.from_wkt([_box_wkt(*limits)], crs=zones.crs).difference(whole)
        outside.plot(ax=ax, color="white", alpha=0.55, zorder=3)
        zones.boundary.plot(ax=ax, color="black", linewidth=0.3, alpha=0.6, zorder=4)
    ax.set_xlim(*limits[0])
    ax.set_ylim(*limits[1])


def _box_wkt(x: tuple[float, float], y: tuple[float, float]) -> str:
    corners = [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]), (x[0], y[0])]
    return f"POLYGON (({', '.join(f'{a} {b}' for a, b in corners)}))"


def _heights(relief: Relief, layers: xr.Dataset) -> np.ndarray:
    """Return the ground at the cells of the layers."""
    middle, step = relief.sampling // 2, relief.sampling
    grid = relief.grid
    row = round((grid.y_max - float(layers["y"][0])) / grid.cell_m - 0.5)
    column = round((float(layers["x"][0]) - grid.x_min) / grid.cell_m - 0.5)
    ground = relief.ground_m[middle::step, middle::step]
    rows, columns = layers["margin_db"].shape
    return _thin(ground[row : row + rows, column : column + columns])


def _shade(relief: Relief, layers: xr.Dataset) -> np.ndarray:
    heights = _heights(relief, layers)
    size_m = relief.grid.cell_m * _step(layers["margin_db"].shape)
    light = LightSource(*SUN)
    return np.asarray(light.hillshade(np.nan_to_num(heights), vert_exag=1.5, dx=size_m, dy=size_m))


def _step(shape: tuple[int, ...]) -> int:
    return max(1, -(-max(shape) // MOST_PIXELS))


def _thin(values: np.ndarray) -> np.ndarray:
    """Return every n-th cell, so that a page has no more than it can show."""
    step = _step(values.shape)
    return values[::step, ::step]


def _extent(layers: xr.Dataset) -> tuple[float, float, float, float]:
    half = layers.attrs["cell_m"] / 2
    x, y = layers["x"].to_numpy(), layers["y"].to_numpy()
    return x[0] - half, x[-1] + half, y[-1] - half, y[0] + half

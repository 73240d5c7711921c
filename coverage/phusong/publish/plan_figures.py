"""A plan in two pictures: people against cost, and the communes before and after."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from phusong.publish.assessment import About, Assessment
from phusong.publish.choropleth import class_handles, fit_limits, paint_classes, project_communes
from phusong.publish.figures import RC
from phusong.publish.palette import GAP
from phusong.publish.summary import format_count
from phusong.words import read_words

__all__ = ["draw_curve", "draw_plan_map"]

BILLION = 1e9
# Colour and shape, so that the kinds are told apart in grey too.
MARKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "upgrade": ("#ffffff", "o"),
        "share": ("#ffb000", "s"),
        "point": ("#00b4d8", "D"),
        "new": (GAP, "^"),
    }
)


def draw_curve(
    sites: pd.DataFrame,
    *,
    about: About,
    service: str,
    bound_people: float | None,
    years: float,
    lang: str = "vi",
) -> Figure:
    """Return a figure of the people covered against the cost, site by site.

    Parameters
    ----------
    sites : DataFrame
        In the order of building: `cost_so_far_vnd`, `people_so_far`, `phase`.
    about : About
    service : str
    bound_people : float, optional
        What no choice at this cost can exceed.
    years : float
        That costs are counted over.
    lang : str
    """
    words = read_words("plan", lang)
    cost = np.append(0.0, sites["cost_so_far_vnd"].to_numpy(float) / BILLION)
    people = np.append(0.0, sites["people_so_far"].to_numpy(float))
    with mpl.rc_context(RC):
        figure = Figure(figsize=(9, 5.4), layout="constrained")
        ax = figure.add_subplot()
        ax.plot(cost, people, color="#2a788e", lw=2, marker="o" if len(sites) <= 60 else None, ms=3)
        top = people[-1]
        if bound_people is not None:
            top = max(top, bound_people)
            ax.axhline(bound_people, color=GAP, lw=1, ls=(0, (5, 3)))
            text = words["bound_most"].format(people=format_count(bound_people, lang))
            ax.annotate(text, (cost[-1] * 0.01, bound_people), xytext=(0, 4), fontsize=8.5,
                        textcoords="offset points", color=GAP)  # fmt: skip
        _mark_phases(ax, sites)
        text = words["plan"].format(people=format_count(people[-1], lang), count=len(sites))
        ax.annotate(text, (0.98, 0.16), xycoords="axes fraction", ha="right", fontsize=10,
                    weight="bold", bbox={"fc": "white", "ec": "none", "pad": 2})  # fmt: skip
        ax.set(xlim=(0, cost[-1] * 1.03), ylim=(0, top * 1.12))
        ax.set_xlabel(words["cost"].format(years=f"{years:g}"))
        ax.set_ylabel(words["people"])
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: format_count(value, lang)))
        ax.grid(color="#dddddd", lw=0.6)
        ax.spines[["top", "right"]].set_visible(False)
        _write_title(ax, [words["curve"], *_labels(about, words)])
    return figure


def draw_plan_map(
    before: Assessment,
    after: Assessment,
    sites: gpd.GeoDataFrame,
    *,
    service: str,
    lang: str = "vi",
) -> Figure:
    """Return two maps of the communes' shares of people, before and after, with the new sites.

    Parameters
    ----------
    before, after : Assessment
    sites : GeoDataFrame
        `kind`, points in any CRS.
    service : str
    lang : str
    """
    words, column = read_words("plan", lang), f"share_population_{service}"
    with mpl.rc_context(RC):
        figure = Figure(figsize=(13, 6.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        for ax, assessment, name in ((left, before, "before"), (right, after, "after")):
            shapes = project_communes(assessment)
            paint_classes(ax, shapes, assessment.communes[column].to_numpy(float))
            fit_limits(ax, shapes)
            _write_title(ax, [words[name]])
        kinds = _draw_sites(right, sites.to_crs(shapes.crs), words, lang)
        classes = class_handles(
            after.communes[column].to_numpy(float),
            read_words("figure", lang),
            lang,
            is_counted=False,
        )
        figure.legend(handles=[*classes, *kinds], loc="outside lower center", frameon=False,
                      ncols=5, fontsize=8.5)  # fmt: skip
        name = words["share"].format(service=service.upper())
        place = f" · {before.about.place}" if before.about.place else ""
        title = "\n".join([name + place, *_labels(before.about, words)])
        figure.suptitle(title, fontsize=12, weight="bold").set_parse_math(False)
    return figure


def _labels(about: About, words: Mapping[str, str]) -> list[str]:
    said = {"synthetic": about.is_synthetic, "schematic": about.is_schematic}
    labels = [words[name] for name, holds in said.items() if holds]
    return [" · ".join(labels)] if labels else []


def _write_title(ax: Axes, lines: list[str]) -> None:
    ax.set_title("\n".join(lines), fontsize=11, parse_math=False)


def _mark_phases(ax: Axes, sites: pd.DataFrame) -> None:
    """Mark where each phase ends, the names at two heights; what comes later needs no mark."""
    is_phased = ~sites["phase"].isin(["", "later"])
    ends = sites[is_phased].groupby("phase", sort=False)["cost_so_far_vnd"].max() / BILLION
    for k, (name, end) in enumerate(ends.items()):
        ax.axvline(end, color="#999999", lw=0.8, ls=":")
        ax.annotate(str(name), (end, 0), xytext=(-4, 6 + 12 * (k % 2)), ha="right", fontsize=8,
                    textcoords="offset points", color="#555555", parse_math=False)  # fmt: skip


def _draw_sites(
    ax: Axes, sites: gpd.GeoDataFrame, words: Mapping[str, str], lang: str
) -> list[Line2D]:
    handles = []
    limits = ax.get_xlim(), ax.get_ylim()
    size = 5.0 if len(sites) <= 150 else 2.6
    for kind, (colour, mark) in MARKS.items():
        points = sites.geometry[sites["kind"] == kind]
        if points.empty:
            continue
        style: dict[str, Any] = {"color": colour, "mec": "black", "mew": 0.5, "marker": mark}
        ax.plot(points.x, points.y, ls="none", ms=size, zorder=5, **style)
        name = words["share_kind" if kind == "share" else kind]
        label = f"{name} ({format_count(len(points), lang)})"
        handles.append(Line2D([], [], ls="none", ms=6, label=label, **style))
    ax.set(xlim=limits[0], ylim=limits[1])
    return handles

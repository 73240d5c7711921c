"""Charts of an assessment beside its map: communes ranked, how uneven they are, each operator."""

from __future__ import annotations

import math
from collections.abc import Mapping

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phusong.publish.assessment import Assessment
from phusong.publish.choropleth import (
    class_handles,
    fit_limits,
    paint_classes,
    project_communes,
)
from phusong.publish.figures import RC
from phusong.publish.inset_figures import find_far_out
from phusong.publish.palette import BREAKS, CLASSES
from phusong.publish.summary import format_count, format_percent
from phusong.publish.text_figures import printable
from phusong.words import read_words

__all__ = ["cumulate_people", "draw_operators", "plot_cumulative", "plot_ranking"]

RANKED = 20
LONGEST = 34
COLUMNS = 3
HALF = 50.0


def plot_ranking(
    communes: pd.DataFrame,
    *,
    service: str = "5g",
    count: int = RANKED,
    lang: str = "vi",
    ax: Axes,
) -> Axes:
    """Return axes with a bar for each of the communes with the most people not covered.

    A bar has the colour of its class on the map and its share beside it; a line shows the bounds,
    where there are any. Where nobody's share is known, the bars are of area. Communes whose number
    is not known have no bar; the title says how many they are.

    Parameters
    ----------
    communes : DataFrame
        `Assessment.communes`: codes, names, `population`, `area_km2`, and the shares of `service`
        with `_low` and `_high`.
    service : str
    count : int
        Bars, at most.
    lang : str
    ax : Axes
    """
    words = read_words("figure", lang)
    has_people = (communes["population"] * communes[f"share_population_{service}"]).notna().any()
    of, size = ("population", "population") if has_people else ("area", "area_km2")
    shares = communes[[f"share_{of}_{service}{end}" for end in ("", "_high", "_low")]]
    amounts = (1 - shares.astype(float)).mul(communes[size].astype(float), axis=0)
    table = amounts.set_axis(["middle", "low", "high"], axis=1).assign(
        share=shares.iloc[:, 0], code=communes["commune_code"], name=communes["commune_name"]
    )
    known = table.dropna(subset="middle")
    ranked = known.sort_values(["middle", "code"], ascending=[False, True]).head(count)
    title = words[f"ranking_{of}"].format(n=len(ranked), service=service.upper())
    if len(known) < len(table):
        title += "\n" + words["ranking_unknown"].format(n=len(table) - len(known))
    with mpl.rc_context(RC):
        _draw_bars(ax, ranked, lang)
        label = words["uncovered_people" if has_people else "uncovered_area"]
        ax.set_xlabel(label)
        ax.set_title(title, fontsize=10, parse_math=False)
    return ax


def _draw_bars(ax: Axes, ranked: pd.DataFrame, lang: str) -> None:
    at = np.arange(len(ranked))
    colours = [CLASSES[k] for k in np.digitize(ranked["share"].to_numpy(float), BREAKS)]
    ax.barh(at, ranked["middle"], color=colours, ec="black", lw=0.4, height=0.75)
    ax.hlines(at, ranked["low"], ranked["high"], color="white", lw=2.4, zorder=3)
    ax.hlines(at, ranked["low"], ranked["high"], color="black", lw=1.0, zorder=3.1)
    ends = ranked[["middle", "high"]].max(axis=1)
    for y, end, share in zip(at, ends, ranked["share"], strict=True):
        ax.annotate(format_percent(share, lang), (end, y), (4, 0), textcoords="offset points",
                    fontsize=7, va="center", parse_math=False)  # fmt: skip
    ax.set_yticks(at, [_short(str(name)) for name in ranked["name"]], fontsize=8, parse_math=False)
    ax.xaxis.set_major_formatter(lambda number, _: format_count(number, lang))
    ax.set_ylim(max(len(at), 1) - 0.4, -0.6)
    ax.set_xlim(0, 1.12 * max(ends.max(), 1) if len(ends) else 1)
    ax.spines[["top", "right"]].set_visible(False)


def cumulate_people(communes: pd.DataFrame, *, column: str) -> pd.DataFrame:
    """Return how many of the people not covered live in the communes that have most of them.

    The curve of Lorenz (1905), with the largest first: after the k communes with the most people
    who are not covered, the share of all communes, and of all such people.

    Parameters
    ----------
    communes : DataFrame
        `commune_code`, `population` and the column, a share of people from 0 to 1. Communes that
        miss either are left out.
    column : str

    Returns
    -------
    DataFrame
        `share_communes`, `share_people`, both from 0 to 1; NaN people where all are covered.

    Examples
    --------
    >>> two = pd.DataFrame({"commune_code": ["1", "2"], "population": [400.0, 100.0],
    ...                     "share_population_5g": [0.5, 0.5]})
    >>> cumulate_people(two, column="share_population_5g")
       share_communes  share_people
    0             0.0           0.0
    1             0.5           0.8
    2             1.0           1.0
    """
    people = communes["population"].astype(float) * (1 - communes[column].astype(float))
    ordered = np.sort(people.dropna().to_numpy())[::-1]
    total = ordered.sum()
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    return pd.DataFrame(
        {
            "share_communes": np.arange(len(sums)) / max(len(ordered), 1),
            "share_people": sums / (total if total > 0 else math.nan),
        }
    )


def plot_cumulative(
    communes: pd.DataFrame,
    *,
    column: str = "share_population_5g",
    lang: str = "vi",
    ax: Axes,
) -> Axes:
    """Return axes with the share of people not covered against the communes they live in.

    Parameters
    ----------
    communes : DataFrame
        As for `cumulate_people`.
    column : str
    lang : str
    ax : Axes
    """
    words, curve = read_words("figure", lang), 100 * cumulate_people(communes, column=column)
    n_known = len(curve) - 1
    with mpl.rc_context(RC):
        ax.plot([0, 100], [0, 100], color="#888888", lw=0.8, ls=":", label=words["even_curve"])
        ax.plot(curve["share_communes"], curve["share_people"], color=CLASSES[1], lw=2,
                label=words["curve"])  # fmt: skip
        reached = np.flatnonzero(curve["share_people"] >= HALF)
        if len(reached):
            half = curve.iloc[reached[0]]
            ax.plot(*half, "o", color="black", ms=4, zorder=4)
            said = words["half"].format(n=reached[0], share=round(half["share_people"]))
            ax.annotate(said, half, (9, -9), textcoords="offset points", fontsize=8, va="top",
                        parse_math=False, zorder=4,
                        bbox={"fc": "white", "ec": "none", "pad": 1})  # fmt: skip
        ax.set(xlim=(0, 100), ylim=(0, 101), xlabel=words["share_communes"],
               ylabel=words["share_people"])  # fmt: skip
        title = words["cumulative"].format(service=column.rsplit("_", 1)[-1].upper(), n=n_known)
        ax.set_title(title, fontsize=10, parse_math=False)
        ax.legend(fontsize=8, frameon=False, loc="lower right")
        ax.spines[["top", "right"]].set_visible(False)
    return ax


def draw_operators(
    assessment: Assessment,
    *,
    indicator: str = "share_population",
    service: str = "5g",
    lang: str = "vi",
) -> Figure:
    """Return a figure with a small map for each operator, in one set of classes with one legend.

    Islands more than 150 km out are beyond the small maps; they are in the counts of the page.

    Parameters
    ----------
    assessment : Assessment
    indicator : {"share_population", "share_area"}
        Where every share of people is unknown, the share of area is drawn, and said.
    service : str
    lang : str

    Raises
    ------
    ValueError
        If no operator has the service.
    """
    words = read_words("figure", lang)
    rows = assessment.indicators
    rows = rows[(rows["service"] == service) & ~rows["operator"].isin(["two_or_more"])]
    if not rows.loc[rows["indicator"] == indicator, "share"].notna().any():
        indicator = "share_area"
    rows = rows[rows["indicator"] == indicator]
    operators = sorted(set(rows["operator"]) - {"any"})
    if not operators:
        raise ValueError(f"service: found no operator of {service!r}")
    with mpl.rc_context(RC):
        shapes = project_communes(assessment)
        names = ["any", *operators]
        n_rows = -(-len(names) // COLUMNS)
        columns = min(COLUMNS, len(names))
        figure = Figure(figsize=(3.3 * columns, 3.3 * n_rows + 0.9), layout="compressed")
        axes = figure.subplots(n_rows, columns, squeeze=False).ravel()
        for ax in axes[len(names) :]:
            ax.set_axis_off()
        for ax, name in zip(axes, names, strict=False):
            share = _shares(rows[rows["operator"] == name], assessment.communes)
            paint_classes(ax, shapes, share)
            fit_limits(ax, shapes[~find_far_out(shapes)])
            title = words["any_operator"] if name == "any" else _short(name)
            ax.set_title(title, fontsize=10, parse_math=False)
        _finish(figure, assessment, words, indicator=indicator, service=service, lang=lang)
    return figure


def _finish(
    figure: Figure,
    assessment: Assessment,
    words: Mapping[str, str],
    *,
    indicator: str,
    service: str,
    lang: str,
) -> None:
    handles = class_handles(np.array([]), words, lang, is_counted=False)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False,
                  fontsize=7, handlelength=1.6, columnspacing=1.2)  # fmt: skip
    about = assessment.about
    title = words["title"].format(of=words[indicator], service=service.upper())
    title += f" · {printable(about.place)}" if about.place else ""
    said = [f"{words['as_of']} {about.as_of:%d/%m/%Y}"]
    said += [words["synthetic"]] if about.is_synthetic else []
    said += [words["schematic"]] if about.is_schematic else []
    figure.suptitle(_short(title, 90) + "\n" + " · ".join(said), fontsize=11, parse_math=False)


def _shares(rows: pd.DataFrame, communes: gpd.GeoDataFrame) -> np.ndarray:
    by_code = rows.set_index("commune_code")["share"]
    return communes["commune_code"].map(by_code).to_numpy(float)


def _short(text: str, length: int = LONGEST) -> str:
    clean = printable(text)
    return clean if len(clean) <= length else clean[: length - 1] + "…"

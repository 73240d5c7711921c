"""Progress drawn: the path of a target with its band, many communes beside each other, changes."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from phusong.changes import PARTS
from phusong.publish.figures import RC
from phusong.publish.palette import GAP
from phusong.words import localise, read_words

__all__ = [
    "VERDICTS",
    "draw_communes",
    "plot_changes",
    "plot_trajectory",
    "title_axes",
]

VERDICTS = {
    "on_track": "#1b7f5c",
    "met": "#1b7f5c",
    "off_track": GAP,
    "missed": GAP,
    "undecided": "#8a6d1d",
    "undetermined": "#8a6d1d",
}
LINE, BAND, PATH = "#31446b", "#b9c6e0", "#555555"
PART_COLOURS = {
    "built": "#1b7f5c",
    "data_correction": "#e0a526",
    "boundary_reform": "#7d6bb3",
    "redefined": "#8d8d8d",
}


def plot_trajectory(rows: pd.DataFrame, *, lang: str = "vi", ax: Axes | None = None) -> Axes:
    """Return axes with one figure's values, what they can be, its path and its threshold.

    Parameters
    ----------
    rows : DataFrame
        One figure of `progress.follow_targets`, in order of date.
    lang : str
    ax : Axes, optional
        Drawn on; a new figure's without it.
    """
    words = read_words("progress", lang)
    with mpl.rc_context(RC):
        ax = Figure(figsize=(8, 4.5), layout="constrained").add_subplot() if ax is None else ax
        _draw_figure(ax, rows, words)
        ax.legend(loc="best", fontsize=8, frameon=False)
        ax.set_ylabel(words["share"])
        locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(DateFormatter("%m/%Y"))  # type: ignore[no-untyped-call]
    return ax


def title_axes(ax: Axes, title: str, told: str = "", *, colour: str = "black") -> Axes:
    """Return the axes with a title and, in the colour of a verdict, a line under it."""
    ax.set_title(title + "\n" * bool(told), fontsize=10, loc="left", weight="bold",
                 parse_math=False)  # fmt: skip
    ax.text(0, 1.015, told, transform=ax.transAxes, fontsize=9, color=colour, parse_math=False)
    return ax


def draw_communes(
    followed: pd.DataFrame,
    names: Mapping[str, str],
    *,
    title: str,
    lang: str = "vi",
    columns: int = 8,
    rows: int = 6,
) -> Figure:
    """Return an A4 page of small charts on one scale, a commune each: the farthest below its path.

    Parameters
    ----------
    followed : DataFrame
        The communes of one target, of `progress.follow_targets`.
    names : Mapping
        Commune names by code.
    title : str
        Of the page.
    lang : str
    columns, rows : int
        How many there is room for; the page says how many there are.
    """
    words = read_words("progress", lang)
    order = _farthest_below(followed)
    shown = order[: columns * rows]
    with mpl.rc_context(RC):
        figure = Figure(figsize=(11.69, 8.27), layout="constrained")
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        by_code = dict(tuple(followed.groupby("commune_code")))
        for ax, code in zip(axes, shown, strict=False):
            own = by_code[code]
            _draw_figure(ax, own, words, size=3.0)
            colour = VERDICTS[own["verdict"].iloc[-1]]
            ax.set_title(names.get(code, code)[:24], fontsize=7, color=colour, parse_math=False)
            ax.tick_params(labelsize=5.5)
            ends = [own["as_of"].iloc[0], max(own["due"].iloc[-1], own["as_of"].iloc[-1])]
            ax.set_xticks(ends, [f"{day:%m/%Y}" for day in ends])
        for ax in axes[len(shown) :]:
            ax.set_axis_off()
        counted = words["shown"].format(shown=len(shown), n=len(order), rule=words["rule"])
        verdicts = followed.drop_duplicates("commune_code", keep="last")["verdict"].value_counts()
        told = " · ".join(f"{words[name]}: {count}" for name, count in verdicts.items())
        figure.suptitle(f"{title}\n{counted} · {told}", fontsize=10)
    return figure


def plot_changes(changes: pd.DataFrame, *, lang: str = "vi", ax: Axes | None = None) -> Axes:
    """Return axes with the change from each date to the next, stacked by why, in points.

    Parameters
    ----------
    changes : DataFrame
        One figure's rows of `tracking.track_runs`, in order of date. A part that is not known is
        not drawn; the interval has a "?".
    lang : str
    ax : Axes, optional
        Drawn on; a new figure's without it.
    """
    words = read_words("progress", lang)
    with mpl.rc_context(RC):
        ax = Figure(figsize=(8, 4.5), layout="constrained").add_subplot() if ax is None else ax
        at = np.arange(len(changes))
        tops, bottoms = np.zeros(len(changes)), np.zeros(len(changes))
        for part in reversed(PARTS):
            points = 100 * changes[part].fillna(0.0).to_numpy()
            base = np.where(points >= 0, tops, bottoms)
            ax.bar(at, points, 0.6, bottom=base, color=PART_COLOURS[part], label=words[part])
            tops, bottoms = tops + points.clip(min=0), bottoms + points.clip(max=0)
        change = 100 * changes["change"].to_numpy()
        ax.plot(at, change, "D", ms=5, mfc="white", mec="black", label=words["change"])
        is_open = changes[list(PARTS)].isna().any(axis=1).to_numpy()
        for x, y, top, mark in zip(at, change, tops, is_open, strict=True):
            told = localise(f"{y:+.1f}", lang) + " ?" * bool(mark)
            ax.annotate(
                told, (x, np.nanmax([y, top])), xytext=(0, 6), textcoords="offset points",
                ha="center", fontsize=9, weight="bold",
            )  # fmt: skip
        ax.axhline(0, color="black", lw=0.8)
        first, second = changes["date_before"], changes["date_after"]
        labels = [f"{a:%d/%m/%Y}\n→ {b:%d/%m/%Y}" for a, b in zip(first, second, strict=True)]
        ax.set_xticks(at, labels, fontsize=8)
        ax.use_sticky_edges = False
        ax.margins(x=0.15, y=0.15)
        ax.set_ylabel(words["points"])
        ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        if is_open.any():
            ax.text(1.02, 0.05, words["open"], transform=ax.transAxes, fontsize=8)
    return ax


def _draw_figure(
    ax: Axes, rows: pd.DataFrame, words: Mapping[str, str], *, size: float = 5.0
) -> None:
    """Draw the band, the values, the path to the target's date, and the threshold."""
    low = rows["share_low"].fillna(rows["share"])
    high = rows["share_high"].fillna(rows["share"])
    ax.fill_between(rows["as_of"], low, high, color=BAND, lw=0, label=words["band"])
    ax.vlines(rows["as_of"], low, high, color=LINE, lw=size / 8, alpha=0.5)
    ax.plot(rows["as_of"], rows["share"], "o-", color=LINE, ms=size, lw=1.6, label=words["value"])
    first, last = rows.iloc[0], rows.iloc[-1]
    if pd.notna(last["threshold"]):
        start = first["path_low"], first["path_high"]
        for k, begin in enumerate(start if start[0] != start[1] else start[:1]):
            label = words["path"] if k == 0 else None
            ends = [first["as_of"], max(first["as_of"], last["due"])]
            ax.plot(ends, [begin, last["threshold"]], "--", color=PATH, lw=1, label=label)
        ax.plot([last["due"]], [last["threshold"]], "*", color=PATH, ms=2 * size)
        if size > 4:
            day = words["due"].format(day=f"{last['due']:%d/%m/%Y}")
            ax.annotate(
                f"≥ {100 * last['threshold']:g} %\n{day}", (last["due"], last["threshold"]),
                xytext=(0, -10), textcoords="offset points", ha="right", va="top", fontsize=8,
                bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1},
            )  # fmt: skip
    ax.set_ylim(-0.03, 1.05)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.grid(axis="y", color="#e4e4e4", lw=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _farthest_below(followed: pd.DataFrame) -> list[str]:
    """Return the communes by how far their upper bound is from the path, then by their share."""
    last = followed.drop_duplicates("commune_code", keep="last")
    high = last["share_high"].fillna(last["share"]).fillna(1.0)
    ordered = last.assign(gap=high - last["path_low"], known=last["share"].fillna(1.0))
    return list(ordered.sort_values(["gap", "known", "commune_code"])["commune_code"])

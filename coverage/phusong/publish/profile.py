"""A path profile drawn: the ground, what stands on it, the ray, and where it is diffracted."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from phusong.errors import InputFileError
from phusong.publish.figures import RC
from phusong.radio.paths import Edge, Path, PathTerms, effective_earth_km, find_edge
from phusong.words import read_words

__all__ = ["MAX_PROFILES", "draw_profiles", "plot_profile"]

MAX_PROFILES = 12
ROWS = 3
FRESNEL_SHARE = 0.6  # of the first zone: free, nothing is lost by diffraction (P.530)
GROUND, CLUTTER, RAY, EDGE = "#b59f7b", "#5d8a4a", "#1e66d0", "#c43c28"


def draw_profiles(
    paths: Sequence[Path], terms: Sequence[PathTerms], *, model: str, lang: str = "vi"
) -> Figure:
    """Return a figure with one panel for each path, at most `MAX_PROFILES`.

    Parameters
    ----------
    paths, terms : sequences of one length
    model : str
        For the titles.
    lang : str

    Raises
    ------
    InputFileError
        If there are more.
    """
    if len(paths) > MAX_PROFILES:
        raise InputFileError(
            f"figure: found {len(paths)} profiles, expected at most {MAX_PROFILES} on one page"
        )
    with mpl.rc_context(RC):
        columns = -(-len(paths) // ROWS)
        rows = -(-len(paths) // columns)
        figure = Figure(figsize=(max(9.0, 5.5 * columns), 4.2 * rows), layout="compressed")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for i, (ax, path, loss) in enumerate(zip(axes, paths, terms, strict=False)):
            plot_profile(path, loss, model=model, lang=lang, ax=ax)
            if len(paths) > 1:
                ax.set_title(f"{i + 1}. {ax.get_title()}", fontsize=8, parse_math=False)
        for ax in axes[len(paths) :]:
            ax.set_axis_off()
        _add_legend(figure, list(axes[: len(paths)]))
    return figure


def plot_profile(
    path: Path, terms: PathTerms, *, model: str, lang: str = "vi", ax: Axes | None = None
) -> Axes:
    """Return axes with one path over the curved Earth, the ray, and Bullington's edge.

    Heights are lifted by the bulge of the effective Earth, so that the ray is straight.

    Parameters
    ----------
    path : Path
    terms : PathTerms
    model : str
    lang : str
    ax : Axes, optional
        Drawn on; a new figure's without it.
    """
    words = read_words("profile", lang)
    ax = Figure(figsize=(9, 4.2), layout="compressed").add_subplot() if ax is None else ax
    d_km, total_km = path.d_km, float(path.d_km[-1])
    bulge_m = 500.0 / effective_earth_km(path.link.dn) * d_km * (total_km - d_km)
    ground_m = path.h_m + bulge_m
    tops_m = ground_m + np.concatenate(([0.0], path.clutter_m[1:-1], [0.0]))
    floor_m = min(float(ground_m.min()), 0.0) if ground_m.min() < 20.0 else ground_m.min() - 10.0
    ax.fill_between(d_km, ground_m, floor_m, color=GROUND, lw=0, label=words["ground"])
    if (tops_m > ground_m).any():
        ax.fill_between(d_km, tops_m, ground_m, color=CLUTTER, lw=0, label=words["clutter"])
    _draw_ray(ax, path, words)
    _draw_edge(ax, path, find_edge(path), words)
    ax.set(xlabel=words["distance"], ylabel=words["height"], xlim=(0.0, total_km))
    ax.set_ylim(bottom=floor_m)
    ax.set_title(_title(path, terms, model, words), fontsize=9, parse_math=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _add_legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """Put one legend below all panels; what each of them alone says stands in it."""
    found: dict[str, Artist] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    figure.legend(
        list(found.values()), list(found), loc="outside lower center", ncols=len(found),
        fontsize=7, frameon=False,
    )  # fmt: skip


def _draw_ray(ax: Axes, path: Path, words: dict[str, str]) -> None:
    d_km, total_km = path.d_km, float(path.d_km[-1])
    hts_m, hrs_m = path.h_m[0] + path.link.htg_m, path.h_m[-1] + path.link.hrg_m
    at_km = np.linspace(0.0, total_km, 400)
    ray_m = hts_m + (hrs_m - hts_m) * at_km / total_km
    radius_m = 17.3 * np.sqrt(at_km * (total_km - at_km) / (path.link.f_ghz * total_km))
    low_m, high_m = ray_m - FRESNEL_SHARE * radius_m, ray_m + FRESNEL_SHARE * radius_m
    ax.fill_between(at_km, low_m, high_m, color=RAY, alpha=0.18, lw=0, label=words["fresnel"])
    ax.plot(at_km, ray_m, color=RAY, lw=1.2, label=words["ray"])
    for at, ground, top in ((d_km[0], path.h_m[0], hts_m), (total_km, path.h_m[-1], hrs_m)):
        ax.plot(
            [at, at], [ground, top], color="black", lw=2.5, solid_capstyle="butt", clip_on=False
        )


def _draw_edge(ax: Axes, path: Path, edge: Edge, words: dict[str, str]) -> None:
    hts_m, hrs_m = path.h_m[0] + path.link.htg_m, path.h_m[-1] + path.link.hrg_m
    label = words["edge"]
    ax.annotate(
        f"ν = {edge.nu:.2f}", (edge.at_km, edge.height_m), (0, 6), textcoords="offset points",
        fontsize=7, ha="center", color=EDGE,
        path_effects=[withStroke(linewidth=2, foreground="white")],
    )  # fmt: skip
    if edge.is_los:
        ax.plot(edge.at_km, edge.height_m, "o", color=EDGE, ms=5, label=label)
        return
    bent_km, bent_m = [0.0, edge.at_km, path.d_km[-1]], [hts_m, edge.height_m, hrs_m]
    ax.plot(bent_km, bent_m, color=EDGE, lw=1.2, ls="--", marker="o", ms=4, label=label)


def _title(path: Path, terms: PathTerms, model: str, words: dict[str, str]) -> str:
    sight = words["los"] if find_edge(path).is_los else words["nlos"]
    title = f"{path.link.f_ghz:g} GHz · {path.d_km[-1]:.2f} km · {sight} · {model}: "
    title += f"{words['loss']} {terms.lb_db:.1f} dB"
    if np.isfinite(terms.ld50_db):
        delta_db = terms.ld50_db - terms.lbulla_db
        title += f" (Ld50 {terms.ld50_db:.1f} = {terms.lbulla_db:.1f} + {delta_db:.1f})"
    return title

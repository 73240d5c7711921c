"""The page of profiles: one legend for all of them, and each ν where it belongs."""

from __future__ import annotations

import numpy as np

from phusong.publish.profile import draw_profiles
from phusong.radio.p1812 import P1812Link
from phusong.radio.paths import Path, find_edge, path_terms


def path(peak_m: float, *, clutter_m: float = 0.0) -> Path:
    link = P1812Link(f_ghz=0.9, htg_m=30.0, hrg_m=1.5)
    heights_m = np.full(41, 5.0)
    heights_m[20] = peak_m
    clutter = np.zeros(41)
    clutter[5:15] = clutter_m
    return Path(d_km=np.linspace(0, 4, 41), h_m=heights_m, clutter_m=clutter, link=link)


def test_each_panel_says_its_own_edge_and_all_have_one_legend() -> None:
    paths = [path(60.0), path(80.0), path(40.0, clutter_m=8.0)]
    figure = draw_profiles(paths, [path_terms(p) for p in paths], model="P.1812", lang="en")
    said = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert said == [[f"ν = {find_edge(p).nu:.2f}"] for p in paths]
    assert len({text for (text,) in said}) == 3
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert len(labels) == len(set(labels))
    assert "what stands on it" in labels  # only the third has any
    assert not any("ν" in label for label in labels)
    assert not any(ax.get_legend() for ax in figure.axes)

"""Maps of predictions: what they say, and which classes they show."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from matplotlib.figure import Figure
from networks import mast, predict, relief

from phusong.publish.palette import CLASSES, GAP
from phusong.publish.radio_figures import MARGINS_DB, draw_signal
from phusong.radio.signal import Reach
from phusong.words import read_words


def draw(ground: np.ndarray, **others: object) -> tuple[Figure, np.ndarray, np.ndarray]:
    """Return a figure of one mast, and the margins and probabilities that it shows."""
    laid = relief(ground)
    found, _ = predict(laid, mast(20, 10, eirp_dbm=45.0), reach=Reach(radius_m=4000.0))
    layers = found.services["5g"]
    figure = draw_signal(layers, laid, service="5g", as_of=date(2026, 6, 30), **others)
    return figure, layers["margin_db"].to_numpy(), layers["probability"].to_numpy()


def legend(figure: Figure, panel: int) -> list[str]:
    return [text.get_text() for text in figure.axes[panel].get_legend().get_texts()]


def walled() -> np.ndarray:
    ground = np.zeros((41, 61))
    ground[:, 30] = np.nan
    return ground


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_page_says_what_it_shows_and_that_it_is_synthetic(lang: str) -> None:
    said = "SS-RSRP ≥ -110 dBm · ITU-R P.1812-7"
    figure, _, _ = draw(np.zeros((41, 61)), lang=lang, is_synthetic=True, said=said)
    title = figure.get_suptitle()
    assert read_words("signal_figure", lang)["synthetic"] in title
    assert "synthetic" in title.lower()
    assert said in title
    titles = [ax.get_title() for ax in figure.axes]
    for name in ("relief", "power", "server", "gap"):
        assert read_words("signal_figure", lang)[name] in titles
    plain, _, _ = draw(np.zeros((41, 61)), lang=lang)
    assert "synthetic" not in plain.get_suptitle().lower()


def test_classes_are_those_of_the_margins_and_what_is_not_there_has_its_word() -> None:
    figure, margin, share = draw(walled(), lang="en")
    shown = figure.axes[1].get_images()[0].get_array()
    expected = np.digitize(margin, MARGINS_DB) - 1.0
    is_shown = margin >= MARGINS_DB[0]
    assert np.array_equal(np.ma.getmaskarray(shown), ~is_shown)
    assert np.array_equal(np.asarray(shown)[is_shown], expected[is_shown])
    assert len(legend(figure, 1)) == len(CLASSES) + 2
    assert legend(figure, 1)[-2:] == ["less, or none", "terrain not known"]
    assert legend(figure, 3)[:5] == ["< 50%", "50 … 75%", "75 … 90%", "90 … 95%", "≥ 95%"]
    assert "terrain not known" in legend(figure, 3)
    for panel in (1, 2, 3):
        dark = np.ma.getmaskarray(figure.axes[panel].get_images()[1].get_array())
        assert np.array_equal(~dark, np.isnan(margin))
    # what is not sure is red: the first class of the last panel
    worst = figure.axes[3].get_images()[0]
    assert worst.cmap.colors[0] == GAP
    assert (np.asarray(worst.get_array())[share < 0.5] == 0).all()


def test_page_without_unknown_terrain_does_not_speak_of_it() -> None:
    figure, _, _ = draw(np.zeros((41, 61)), lang="en")
    assert "terrain not known" not in legend(figure, 3)

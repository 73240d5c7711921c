"""Charts: the numbers behind each, and names that are drawn as they are written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from conftest import even_population, masts, square_communes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from phusong.publish.assessment import About, Assessment
from phusong.publish.chart_figures import (
    cumulate_people,
    draw_operators,
    plot_cumulative,
    plot_ranking,
)
from phusong.publish.figures import save_figure
from phusong.publish.palette import CLASSES
from phusong.study import assess

NAMES = (r"$\frac{1}{0}$", "_a^b", "\N{GRINNING FACE}", "עברית", "x" * 200)


def communes() -> gpd.GeoDataFrame:
    """Five communes; not covered are 800, 1000, 0 and 300 people, and the last are not known."""
    share = np.array([0.2, 0.5, 1.0, 0.925, np.nan])
    return square_communes(5).assign(
        commune_name=NAMES,
        population=[1000.0, 2000.0, 3000.0, 4000.0, 5000.0],
        area_km2=4.0,
        share_population_5g=share,
        share_population_5g_low=share - 0.1,
        share_population_5g_high=np.minimum(share + 0.1, 1),
        share_area_5g=0.5,
        share_area_5g_low=np.nan,
        share_area_5g_high=np.nan,
    )


def bars(ax: object) -> list[float]:
    return [bar.get_width() for bar in ax.patches]  # type: ignore[attr-defined]


def test_bars_are_people_not_covered_and_the_most_come_first() -> None:
    ax = plot_ranking(communes(), lang="en", ax=Figure().add_subplot())
    assert bars(ax) == pytest.approx([1000, 800, 300, 0])
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == [NAMES[1], NAMES[0], NAMES[3], NAMES[2]]
    assert [text.get_text() for text in ax.texts] == ["50.0 %", "20.0 %", "92.5 %", "100.0 %"]
    colours = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert colours == [CLASSES[1], CLASSES[0], CLASSES[3], CLASSES[5]]
    assert "(1 communes without data have no bar)" in ax.get_title()
    bounds = [segment[:, 0].tolist() for segment in ax.collections[0].get_segments()]
    assert bounds[0] == pytest.approx([800, 1200])


def test_bars_are_of_area_where_no_share_of_people_is_known() -> None:
    unknown = communes().assign(share_population_5g=np.nan)
    ax = plot_ranking(unknown, count=3, ax=Figure().add_subplot())
    assert bars(ax) == pytest.approx([2.0, 2.0, 2.0])
    assert "diện tích" in ax.get_title()
    assert "km²" in ax.get_xlabel()


def test_curve_starts_with_the_communes_with_most_people_without() -> None:
    curve = cumulate_people(communes(), column="share_population_5g")
    assert curve["share_communes"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve["share_people"].tolist() == pytest.approx([0, 1000 / 2100, 1800 / 2100, 1, 1])
    ax = plot_cumulative(communes(), lang="en", ax=Figure().add_subplot())
    assert [text.get_text() for text in ax.texts] == ["86 % of the people live in 2 communes"]


@pytest.mark.parametrize("share", [1.0, np.nan])
def test_curve_of_nobody_has_no_half(share: float) -> None:
    nobody = communes().assign(share_population_5g=share)
    ax = plot_cumulative(nobody, ax=Figure().add_subplot())
    assert not ax.texts
    assert cumulate_people(nobody, column="share_population_5g")["share_people"].isna().all()


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    sites = masts(
        [
            {"x": 501_000.0, "y": 2_201_000.0, "radius_m": 2000.0, "operator": "$A$"},
            {"x": 505_000.0, "y": 2_201_000.0, "radius_m": 2000.0, "operator": "B_^"},
        ]
    ).assign(technology="5G", status="on_air")
    about = About(place="$x$", as_of=date(2026, 6, 30), is_synthetic=True)
    return assess(square_communes(3), sites=sites, as_of=about.as_of, about=about,
                  population=even_population())  # fmt: skip


def test_each_operator_has_a_map_of_its_own_and_all_have_one_legend(
    assessment: Assessment, tmp_path: Path
) -> None:
    figure = draw_operators(assessment, lang="en")
    assert [ax.get_title() for ax in figure.axes] == ["Any operator", "$A$", "B_^"]
    assert len(figure.legends) == 1
    assert not any(ax.get_legend() for ax in figure.axes)
    shown = []
    for ax in figure.axes:
        filled = [c for c in ax.collections if isinstance(c, PatchCollection)]
        shown.append({to_hex(c.get_facecolor()[0]): len(c.get_paths()) for c in filled})
    best, worst = CLASSES[-1], CLASSES[0]
    assert shown[0][best] == 2
    assert shown[1][best] == shown[2][best] == 1
    assert sum(shown[1].values()) == sum(shown[2].values()) == 3
    assert worst in shown[1]
    assert "SYNTHETIC" in figure.get_suptitle()
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    save_figure(figure, first)
    save_figure(draw_operators(assessment, lang="en"), second)
    assert first.read_bytes() == second.read_bytes()


def test_service_without_operator_is_refused(assessment: Assessment) -> None:
    with pytest.raises(ValueError, match="found no operator of '6g'"):
        draw_operators(assessment, service="6g")


def test_charts_take_the_tables_as_plain_data() -> None:
    plain = pd.DataFrame(communes().drop(columns="geometry"))
    ax = Figure().add_subplot()
    assert plot_ranking(plain, ax=ax) is ax
    assert plot_cumulative(plain, ax=(other := Figure().add_subplot())) is other
    ax.figure.draw_without_rendering()

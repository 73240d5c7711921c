"""The printed map: the same bytes each time, and names that are drawn as they are written."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
import pytest
from altered import with_tables
from conftest import masts, square_communes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font

from phusong.publish.assessment import About, Assessment
from phusong.publish.figures import draw_map, plot_communes, save_figure
from phusong.study import assess

HOSTILE = ("$x^2$", r"$\frac{1}{", "<b>đậm</b>", "a & b", "{0} %s", "Xã\u2028Hai")


@pytest.fixture(scope="module")
def small() -> Assessment:
    """Six communes of which two have a 5G mast."""
    sites = masts(
        [
            {"x": 501_000.0, "y": 2_201_000.0, "technology": "5G", "radius_m": 900.0},
            {"x": 503_000.0, "y": 2_201_000.0, "technology": "5G", "radius_m": 600.0},
            {"x": 505_000.0, "y": 2_203_000.0, "technology": "4G", "radius_m": 900.0},
            {"x": 505_500.0, "y": 2_203_000.0, "technology": "4G", "radius_m": 900.0},
        ]
    ).assign(operator="Viettel", status=["on_air", "on_air", "on_air", "planned"])
    about = About(place="Tỉnh Thử", as_of=date(2026, 6, 30), sources=("thử",), is_synthetic=True)
    return assess(square_communes(3, 2), sites=sites, as_of=about.as_of, about=about)


def renamed(assessment: Assessment, names: tuple[str, ...]) -> Assessment:
    communes = assessment.communes.assign(commune_name=list(names))
    by_code = dict(zip(communes["commune_code"], names, strict=True))
    gaps = assessment.gaps
    other = with_tables(
        assessment,
        communes=communes,
        gaps=gaps.assign(commune_name=gaps["commune_code"].map(by_code)),
    )
    return replace(other, about=replace(assessment.about, place="$y_", sources=("$z^", "<a>")))


def written(figure: Figure) -> list[str]:
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return [text.get_text() for text in figure.texts] + legends


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_two_drawings_have_the_same_bytes(small: Assessment, tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path in paths:
        save_figure(draw_map(small), path)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert b"CreationDate" not in first


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_hostile_names_are_text_and_not_mathematics(
    small: Assessment, tmp_path: Path, suffix: str
) -> None:
    figure = draw_map(renamed(small, HOSTILE))
    save_figure(figure, tmp_path / f"map.{suffix}")
    texts = written(figure)
    for name in HOSTILE:
        assert " ".join(name.split()) in texts
    assert any("$y_" in text for text in texts)
    legends = [text for legend in figure.legends for text in legend.get_texts()]
    assert not any(text.get_parse_math() for text in [*figure.texts, *legends])


def test_every_letter_has_a_glyph() -> None:
    known = FT2Font(findfont("DejaVu Sans")).get_charmap()
    marks = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
    vowels = [unicodedata.normalize("NFC", v + m) for v in "aăâeêioôơuưy" for m in marks]
    letters = {c for v in [*vowels, "đ"] for c in v + v.upper()}
    words = (files("phusong") / "publish" / "assets" / "figure.toml").read_text(encoding="utf-8")
    said = {c for part in tomllib.loads(words).values() for word in part.values() for c in word}
    wanted = letters | said | set("≥≤–…·↑→−²%[]0123456789")
    assert {c for c in wanted if ord(c) not in known} == set()


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_page_says_date_evidence_sources_scale_and_synthetic(small: Assessment, lang: str) -> None:
    said = "\n".join(written(draw_map(small, lang=lang)))
    for text in {"vi": ["GIẢ LẬP", "công bố"], "en": ["SYNTHETIC", "declared"]}[lang]:
        assert text in said
    for text in ("30/06/2026", "thử", "Tỉnh Thử", " km", "↑", "5G   (2)", "4G   (1)"):
        assert text in said


def test_counts_of_the_legend_sum_to_the_communes(small: Assessment) -> None:
    texts = [text.get_text() for text in draw_map(small).legends[0].get_texts()]
    counts = [int(found.group(1)) for text in texts if (found := re.search(r"\((\d+) xã\)", text))]
    assert sum(counts[:7]) == len(small.communes)  # six classes and no data; then the gaps
    assert sum(counts[7:]) == len(small.gaps)


def test_axes_that_are_given_are_drawn_on_and_returned(small: Assessment) -> None:
    ax = Figure().add_subplot()
    assert plot_communes(small, ax=ax) is ax
    assert plot_communes(small) is not ax
    assert small.plot(service="4g", ax=ax) is ax
    assert "4G" in ax.get_title()
    assert "synthetic" in ax.get_title()


def test_share_of_area_is_drawn_and_said_where_people_are_unknown(small: Assessment) -> None:
    assert small.communes["share_population_5g"].isna().all()
    assert "diện tích" in plot_communes(small).get_title()
    area = small.communes["share_area_5g"]
    known = with_tables(small, communes=small.communes.assign(share_population_5g=area))
    assert "người dân" in plot_communes(known).get_title()


def test_drawing_leaves_the_settings_of_matplotlib_alone(small: Assessment, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    save_figure(draw_map(small), tmp_path / "map.png")
    assert dict(mpl.rcParams) == before

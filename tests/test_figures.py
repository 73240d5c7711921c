"""The printed map: the same bytes each time, and names that are drawn as they are written."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pyproj
import pytest
import shapely
from altered import with_tables
from conftest import masts, square_communes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font
from matplotlib_scalebar.scalebar import ScaleBar

from phusong.publish.assessment import About, Assessment
from phusong.publish.figures import draw_map, plot_communes, save_figure
from phusong.publish.inset_figures import find_far_out, north_deg
from phusong.study import assess
from phusong.words import LANGUAGES, read_words

HOSTILE = (
    "$x^2$",
    r"$\frac{1}{0}$",
    "<b>a_b^c</b>",
    "a & \N{GRINNING FACE}",
    "עברית",
    "Xã\u2028Hai",
)


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


def test_long_names_and_foreign_letters_stay_on_the_page(small: Assessment) -> None:
    names = ("x" * 200, "\u6e05" * 200, "\u202e" + "Ế" * 200, "عربي " * 50, "W" * 200, "_" * 200)
    figure = draw_map(renamed(small, names))
    figure.draw_without_rendering()
    page = figure.bbox
    for text in figure.texts:
        box = text.get_window_extent()
        assert box.x0 >= page.x0
        assert box.x1 <= page.x1
    assert not any("\u202e" in text for text in written(figure))


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


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_every_letter_has_a_glyph(weight: str) -> None:
    path = findfont(FontProperties(family="DejaVu Sans", weight=weight), fallback_to_default=False)
    known = FT2Font(path).get_charmap()
    marks = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
    vowels = [unicodedata.normalize("NFC", v + m) for v in "aăâeêioôơuưy" for m in marks]
    letters = {c for v in [*vowels, "đ"] for c in v + v.upper()}
    assert len(letters) == 146  # each of 72 vowels and đ, small and capital
    said = {c for lang in LANGUAGES for word in read_words("figure", lang).values() for c in word}
    wanted = letters | said | set("≥≤–…·↑→−²%[]0123456789ν°\ufffd")
    assert {c for c in wanted if ord(c) not in known} == set()


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_page_says_date_evidence_sources_and_synthetic(small: Assessment, lang: str) -> None:
    said = "\n".join(written(draw_map(small, lang=lang)))
    for text in {"vi": ["GIẢ LẬP", "công bố"], "en": ["SYNTHETIC", "declared"]}[lang]:
        assert text in said
    for text in ("30/06/2026", "thử", "Tỉnh Thử", "5G   (2)", "4G   (1)"):
        assert text in said


def legend_counts(figure: Figure) -> list[tuple[str, int]]:
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    found = [re.fullmatch(r"(.+?)   \((\d+) xã\)", text) for text in texts]
    return [(match.group(1), int(match.group(2))) for match in found if match]


def marked(small: Assessment, certainties: list[str]) -> Assessment:
    """The small assessment with one gap of each certainty, in the order of the communes."""
    codes = small.communes["commune_code"].tolist()[: len(certainties)]
    row = small.gaps.iloc[[0] * len(codes)].reset_index(drop=True)
    ranks = range(1, len(codes) + 1)
    gaps = row.assign(commune_code=codes, certainty=certainties, rank=ranks)
    return with_tables(small, gaps=gaps)


def test_counts_of_the_legend_sum_to_the_communes(small: Assessment) -> None:
    counts = legend_counts(draw_map(small))
    assert sum(n for _, n in counts[:7]) == len(small.communes)  # six classes and no data


def test_few_gaps_are_hatched_and_where_most_are_the_others_are_outlined(
    small: Assessment,
) -> None:
    few = draw_map(marked(small, ["gap", "gap", "probable", "unknown"]))
    assert legend_counts(few)[7:] == [
        ("Xã thiếu", 2), ("Xã có thể thiếu", 1), ("Xã chưa rõ", 1),
    ]  # fmt: skip
    lines = [c for c in few.axes[0].collections if isinstance(c, LineCollection)]
    assert len(lines) == 2  # black within white
    west = min(segment[:, 0].min() for segment in lines[0].get_segments())
    east = max(segment[:, 0].max() for segment in lines[0].get_segments())
    assert (west, east) == pytest.approx((500_000, 504_000), abs=200)  # the first two communes
    many = draw_map(marked(small, ["gap"] * 4 + ["probable"]))
    assert legend_counts(many)[7:] == [
        ("Xã không thiếu", 1), ("Mọi xã không viền: thiếu", 4), ("Xã có thể thiếu", 1),
    ]  # fmt: skip
    assert not any(isinstance(c, LineCollection) for c in many.axes[0].collections)


def test_numbers_of_the_worst_do_not_hide_each_other(small: Assessment) -> None:
    figure = draw_map(with_tables(small, gaps=small.gaps.iloc[[0] * 6].assign(rank=range(1, 7))))
    figure.draw_without_rendering()
    boxes = [t.get_bbox_patch().get_window_extent() for t in figure.axes[0].texts]
    assert len(boxes) == 6
    centres = np.array([((b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2) for b in boxes])
    apart = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))
    widest = max(box.width for box in boxes)
    assert apart[~np.eye(6, dtype=bool)].min() > 0.9 * widest


@pytest.mark.parametrize("paper", ["A4", "A3"])
def test_page_lies_or_stands_as_the_region_does(small: Assessment, paper: str) -> None:
    lying = draw_map(small, paper=paper).get_size_inches() * 25.4
    about = replace(small.about)
    tall = assess(square_communes(1, 5), sites=small.sites[:0], as_of=about.as_of, about=about)
    standing = draw_map(tall, paper=paper).get_size_inches() * 25.4
    millimetres = {"A4": (297, 210), "A3": (420, 297)}[paper]
    assert lying == pytest.approx(millimetres, abs=0.3)
    assert standing == pytest.approx(millimetres[::-1], abs=0.3)


def test_unknown_paper_is_refused(small: Assessment) -> None:
    with pytest.raises(ValueError, match=r"found 'A5', expected one of A4, A3"):
        draw_map(small, paper="A5")


def test_scale_bar_is_as_long_on_the_ground_as_it_says(small: Assessment) -> None:
    figure = draw_map(small)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    (bar,) = [artist for artist in ax.artists if isinstance(artist, ScaleBar)]
    middle_x, middle_y = sum(ax.get_xlim()) / 2, sum(ax.get_ylim()) / 2
    half = bar.info.length_px / 2  # in units of the axes: metres of the plane
    to_lon_lat = pyproj.Transformer.from_crs("EPSG:5897", "EPSG:4326", always_xy=True)
    lons, lats = to_lon_lat.transform([middle_x - half, middle_x + half], [middle_y] * 2)
    ground_m = pyproj.Geod(ellps="WGS84").inv(lons[0], lats[0], lons[1], lats[1])[2]
    said_m = bar.info.value * {"m": 1, "km": 1000}[bar.info.units]
    assert ground_m == pytest.approx(said_m, rel=1e-4)
    assert bar.info.scale_text in (f"{bar.info.value} m", f"{bar.info.value} km")


def test_arrow_points_to_the_true_north() -> None:
    ax = Figure().add_subplot()
    ax.set(xlim=(900_000, 902_000), ylim=(2_200_000, 2_202_000))  # far east of the meridian 105°
    lon, lat = 108.85, 19.84  # about where that is: γ = Δλ sin φ, to the first order
    convergence_deg = (lon - 105.0) * math.sin(math.radians(lat))
    assert north_deg(ax, "EPSG:5897") == pytest.approx(-convergence_deg, abs=0.02)
    ax.set(xlim=(499_000, 501_000))
    assert north_deg(ax, "EPSG:5897") == pytest.approx(0, abs=1e-3)


def test_islands_far_out_are_in_an_inset_and_leave_the_map_its_scale(small: Assessment) -> None:
    communes = square_communes(3, 2)
    shapes = communes.geometry.to_numpy().copy()
    shapes[5] = shapely.affinity.translate(shapes[5], 600_000, -900_000)
    islands = communes.set_geometry(gpd.GeoSeries(shapes, crs=communes.crs))
    far = assess(islands, sites=small.sites[:0], as_of=small.about.as_of, about=small.about)
    figure = draw_map(far)
    main, inset = figure.axes[0], figure.axes[1]
    assert np.ptp(main.get_xlim()) < 7000
    assert inset.get_xlim()[0] < 1_100_000 < inset.get_xlim()[1]
    rank = str(far.gaps.set_index("commune_code").at["00006", "rank"])
    said = {text.get_text() for text in inset.texts}
    assert said == {"Xã 6", "Không cùng tỷ lệ với bản đồ", rank}
    assert rank not in {text.get_text() for text in main.texts}
    assert len(draw_map(small).axes) == 2  # the map and the locator
    assert len(figure.axes) == 3


def test_axes_that_are_given_are_drawn_on_and_returned(small: Assessment) -> None:
    ax = Figure().add_subplot()
    assert plot_communes(small, ax=ax) is ax
    assert plot_communes(small) is not ax
    assert small.plot(service="4g", ax=ax) is ax
    assert "4G" in ax.get_title()
    assert "synthetic" in ax.get_title()


def test_plot_without_axes_draws_in_a_figure_that_a_notebook_shows(small: Assessment) -> None:
    before = set(plt.get_fignums())
    ax = small.plot()
    (number,) = set(plt.get_fignums()) - before
    assert plt.figure(number) is ax.figure
    plt.close(number)
    program = "import phusong.publish.figures, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_page_of_an_assessment_is_the_page_of_a_run(small: Assessment) -> None:
    page = small.figure(lang="en", paper="A3")
    assert written(page) == written(draw_map(small, lang="en", paper="A3"))


def test_bytes_do_not_depend_on_the_epoch_of_the_surroundings(
    small: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix in ("pdf", "svg"):
        found = []
        for epoch in ("0", "1700000000"):
            monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
            save_figure(draw_map(small), tmp_path / f"map.{suffix}")
            found.append((tmp_path / f"map.{suffix}").read_bytes())
        assert found[0] == found[1]


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


@pytest.mark.realdata
def test_of_the_real_country_only_the_two_far_archipelagos_go_aside(shared: Path) -> None:
    path = shared / "data" / "boundaries" / "vietnam_2025_simplified.parquet"
    communes = gpd.read_parquet(path)
    is_far = find_far_out(communes.geometry.to_crs("EPSG:5897"))
    assert sorted(communes.loc[is_far, "commune_name"]) == ["Đặc khu Hoàng Sa", "Đặc khu Trường Sa"]

"""The web map: opened in a browser from a file with the network off, and the data it is given."""

from __future__ import annotations

import base64
import io
import json
import math
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio.warp
import xarray as xr
from altered import with_tables
from browsing import DESKTOP, PHONE, opened
from conftest import masts, square_communes
from PIL import Image, ImageColor
from playwright.sync_api import Browser
from rasterio.features import rasterize
from rasterio.transform import from_bounds

from phusong.publish.assessment import About, Assessment
from phusong.publish.mapdata import map_data, to_block
from phusong.publish.palette import CLASSES, TIERS
from phusong.publish.webmap import build_map, render_map
from phusong.runs import demo_study, run_study
from phusong.study import assess

PWNED = "document.title='PWNED'"
HOSTILE = (
    f"</script><script>{PWNED}</script>", "{{ 7*7 }}{% raw %}{# x #}",
    f'<img src=x onerror="{PWNED}">', f"`${{{PWNED}}}`", "Xã\u2028Hai\u2029", "$x^2$ \\u003c & '\"",
)  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    folder = tmp_path_factory.mktemp("demo")
    return run_study(demo_study(), folder / "run", with_map=False).assessment


@pytest.fixture(scope="module")
def small() -> Assessment:
    """Six communes, four masts, no population grid."""
    places = [(501_000.0, "5G"), (503_000.0, "5G"), (505_000.0, "4G"), (505_500.0, "2G")]
    rows = [{"x": x, "y": 2_201_000.0, "technology": t, "radius_m": 700.0} for x, t in places]
    sites = masts(rows).assign(operator=["Viettel", "constructor", "area", "Viettel"])
    about = About(place="Tỉnh Thử", as_of=date(2026, 6, 30), sources=("thử",), is_synthetic=True)
    return assess(square_communes(3, 2), sites=sites, as_of=about.as_of, about=about)


@pytest.fixture(scope="module")
def hostile(small: Assessment) -> Assessment:
    """The small assessment with names that try to be markup, templates and code."""
    by_code = dict(zip(small.communes["commune_code"], HOSTILE, strict=True))
    named = with_tables(
        small,
        communes=small.communes.assign(commune_name=list(HOSTILE)),
        gaps=small.gaps.assign(commune_name=small.gaps["commune_code"].map(by_code)),
    )
    return replace(
        named,
        sites=small.sites.assign(site_name=list(HOSTILE[:4])),
        indicators=small.indicators.replace({"operator": {"Viettel": HOSTILE[2]}}),
        about=replace(small.about, place=HOSTILE[0], sources=HOSTILE, notes=HOSTILE),
    )


# ---- the data and the page, without a browser


def test_two_pages_of_an_assessment_are_the_same_text(small: Assessment) -> None:
    first, second = render_map(small), render_map(small)
    assert first == second
    assert not re.search(r"\b(map|tile_layer)_[0-9a-f]{32}", first)


def test_page_names_nothing_outside_itself(small: Assessment) -> None:
    page = render_map(small)
    assert not re.search(r"<(script|link|img|iframe)[^>]*\s(src|href)=", page)
    assert not re.search(r"url\((?!#|data:)", page)
    assert "default-src 'none'" in page


def test_block_of_data_has_no_sign_that_ends_a_script() -> None:
    data = {"a": "</script><!-- & \u2028\u2029", "b": [math.nan, math.inf, None, date(2026, 1, 2)]}
    block = to_block(data)
    assert not set("<>&\u2028\u2029") & set(block)
    assert json.loads(block) == {"a": data["a"], "b": [None, None, None, "2026-01-02"]}


def test_hostile_text_stands_in_the_block_of_data_only(hostile: Assessment) -> None:
    page = render_map(hostile)
    before, block, after = re.split(r'id="phusong-data">(.*?)</script>', page, flags=re.DOTALL)
    assert json.loads(block)["communes"]["name"] == list(HOSTILE)
    assert "PWNED" not in before + after
    assert "7*7" not in before + after


def test_notebook_frame_holds_the_whole_page_escaped(hostile: Assessment) -> None:
    frame = build_map(hostile)._repr_html_()
    assert frame.startswith("<iframe srcdoc=")
    assert "<script" not in frame


def test_shares_of_the_page_are_those_of_the_assessment(demo: Assessment) -> None:
    data = map_data(demo, lang="vi")
    layers = {(x["indicator"], x["service"], x["operator"]): x for x in data["layers"]}
    shares = layers["share_population", "5g", "any"]["share"]
    assert np.array(shares) / 10_000 == pytest.approx(
        demo.communes["share_population_5g"], abs=1e-4
    )
    tiers = layers["broadband_b0", "broadband", "any"]["share"]
    expected = demo.communes["broadband_b0"].map({"yes": 10_000, "no": 0, "unknown": None})
    assert tiers == [None if math.isnan(x) else int(x) for x in expected.astype(float)]


def test_only_a_whole_share_reads_whole_and_only_nothing_reads_nothing(small: Assessment) -> None:
    rows = small.indicators
    is_meant = (
        (rows["indicator"] == "share_area")
        & (rows["service"] == "5g")
        & (rows["operator"] == "any")
    )
    shares = [0.9999999, 0.0000001, 1.0, 0.0, math.nan, 0.5]
    rows = rows[is_meant].assign(share=shares)
    layer = map_data(replace(small, indicators=rows), lang="vi")["layers"][0]
    assert layer["share"] == [9_999, 1, 10_000, 0, None, 5_000]


def test_picture_of_what_is_not_covered_lies_on_the_communes(demo: Assessment) -> None:
    bare = replace(demo, coverage=tuple(xr.zeros_like(c) for c in demo.coverage))
    bare.coverage[0].attrs.update(demo.coverage[0].attrs)
    picture = map_data(bare, lang="vi")["uncovered"][0]
    png = Image.open(io.BytesIO(base64.b64decode(picture["url"].partition(",")[2])))
    drawn = np.asarray(png.convert("RGBA"))[..., 3] > 0
    south, west, north, east = picture["bounds"]
    bounds = rasterio.warp.transform_bounds("EPSG:4326", "EPSG:3857", west, south, east, north)
    shapes = demo.communes.geometry.to_crs("EPSG:3857")
    grid = from_bounds(*bounds, drawn.shape[1], drawn.shape[0])
    mask = rasterize(shapes.to_numpy(), out_shape=drawn.shape, transform=grid) == 1

    def misplaced(rows: int, columns: int) -> float:
        moved = np.roll(drawn, (rows, columns), axis=(0, 1))
        return float((moved ^ mask).sum() / mask.sum())

    assert misplaced(0, 0) < 0.004
    assert misplaced(0, 0) < 0.7 * min(misplaced(*by) for by in ((0, 1), (0, -1), (1, 0), (-1, 0)))


# ---- in a browser


@pytest.fixture(scope="module")
def demo_pages(demo: Assessment) -> dict[str, str]:
    return {lang: render_map(demo, lang=lang) for lang in ("vi", "en")}


SAID = {
    "vi": ["Tỉnh Thanh Hóa", "30/06/2026", "giả lập (synthetic)", "sơ đồ (schematic)", "mô hình"],
    "en": ["Tỉnh Thanh Hóa", "30/06/2026", "Synthetic", "Schematic", "modelled"],
}


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_page_opens_offline_and_says_what_it_shows(
    browser: Browser, demo_pages: dict[str, str], tmp_path: Path, lang: str, size: tuple[int, int]
) -> None:
    with opened(browser, demo_pages[lang], tmp_path, size) as it:
        assert it.page.get_attribute("html", "lang") == lang
        said = it.text("#top") + it.text("#legend") + it.text("#about")
        for text in [*SAID[lang], "phusong: synthetic sites", "≥ 99 %"]:
            assert text in said
        assert it.page.locator(".leaflet-control-scale-line").text_content() == (
            "20 km" if size == DESKTOP else "50 km"
        )
        assert "undefined" not in it.text("body aside") + said


@pytest.mark.browser
def test_counts_of_every_legend_sum_to_the_communes(
    browser: Browser, demo: Assessment, demo_pages: dict[str, str], tmp_path: Path
) -> None:
    choices = [
        ("share_population", "5g", "any"), ("share_area", "4g", "Viettel"),
        ("broadband_b0", "", ""), ("broadband_b3", "", ""), ("low_cost", "", ""),
    ]  # fmt: skip
    with opened(browser, demo_pages["vi"], tmp_path) as it:
        for choice in choices:
            it.show(*choice)
            rows = it.page.locator("#legend tr[data-class]").all_text_contents()
            assert sum(int(re.findall(r"(\d+) xã$", row)[0]) for row in rows) == 166, choice
        labels = it.page.locator("#indicator option").all_text_contents()
        room = "label => { const pen = document.createElement('canvas').getContext('2d'),"
        room += " select = document.querySelector('#indicator');"
        room += " pen.font = getComputedStyle(select).font;"
        room += " return select.clientWidth - pen.measureText(label).width }"
        assert all(it.page.evaluate(room, label) > 24 for label in labels)


def as_shown(share: float) -> str:
    """Return a share in per cent; only a whole one reads 100.0."""
    return f"{100 if share >= 1 else min(round(100 * share, 1), 99.9):.1f} %"


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_search_finds_a_commune_and_the_panel_has_its_figures(
    browser: Browser,
    demo: Assessment,
    demo_pages: dict[str, str],
    tmp_path: Path,
    size: tuple[int, int],
) -> None:
    row = demo.communes.set_index("commune_code").loc["15553"]
    gap = demo.gaps.set_index("commune_code").loc["15553"]
    with opened(browser, demo_pages["en"], tmp_path, size) as it:
        for asked in ("Sao Vàng", "SAO VÀNG", "15553", "sao vang"):
            it.page.evaluate("document.querySelector('#commune').replaceChildren()")
            assert it.choose(asked) == "Xã Sao Vàng (15553)"
        figures = it.text("#commune").replace("\u00a0", " ")
        for column, name in (
            ("share_population_5g", "People covered by 5G"),
            ("share_area_4g", "Area covered by 4G"),
        ):
            share, low, high = (as_shown(row[column + end]) for end in ("", "_low", "_high"))
            assert f"{name}{share} [{low.removesuffix(' %')} – {high}]" in figures
        assert f"{row['population']:,.0f} people" in figures
        assert f"{row['area_km2']:.1f} km²" in figures
        assert f"People not covered{gap['people_uncovered']:,.0f} people" in figures
        assert f"{gap['nearest_site_km']:.1f} km · {gap['nearest_site_operator']}" in figures
        heading = it.page.locator("#commune h2").bounding_box()
        assert heading is not None
        assert 0 < heading["y"] < 0.75 * size[1]
        assert it.page.locator(".folium-map").bounding_box()["y"] > -1


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_hostile_text_is_shown_as_it_is(
    browser: Browser, hostile: Assessment, tmp_path: Path, lang: str
) -> None:
    with opened(browser, render_map(hostile, lang=lang), tmp_path) as it:
        scripts = it.page.locator("script").count()
        assert HOSTILE[0] in it.page.title()
        assert HOSTILE[0] in it.text("h1")
        for code, name in zip(hostile.communes["commune_code"], HOSTILE, strict=True):
            assert it.choose(code) == f"{name} ({code})"
        it.show("share_area", "5g", HOSTILE[2])
        assert HOSTILE[2] in it.text("#legend summary")
        for text in HOSTILE:
            assert text in it.text("#about")
            assert text in it.text("#gap-list")
        x, y = it.place_of(len(HOSTILE) - 1)
        it.page.mouse.move(x - 9, y)
        it.page.mouse.move(x, y)
        it.page.wait_for_selector(".leaflet-tooltip")
        assert HOSTILE[-1] in it.text(".leaflet-tooltip")
        it.page.evaluate("pickSite(L.latLng(sites.lat[0], sites.lon[0]))")
        assert HOSTILE[0] in it.text(".leaflet-popup-content")
        assert it.page.locator("script").count() == scripts
        assert it.page.locator("img[src=x]").count() == 0
        assert it.page.title() != "PWNED"


@pytest.mark.browser
def test_names_that_are_no_words_stay_what_they_are(
    browser: Browser, small: Assessment, tmp_path: Path
) -> None:
    with opened(browser, render_map(small), tmp_path) as it:
        said = it.page.evaluate("[word('constructor'), word('6g'), operatorName('area')]")
        assert said == ["CONSTRUCTOR", "6G", "area"]
        it.show("share_area", "5g")
        assert {"constructor"} <= set(it.page.locator("#operator option").all_text_contents())
        it.show("share_area", "4g")
        assert "area" in it.page.locator("#operator option").all_text_contents()


@pytest.mark.browser
def test_colours_of_the_legend_are_the_colours_drawn(
    browser: Browser, demo: Assessment, demo_pages: dict[str, str], tmp_path: Path
) -> None:
    shares = demo.communes["share_population_5g"].to_numpy()
    bare = int(np.flatnonzero(demo.communes["share_area_5g"] == 0)[0])
    with opened(browser, demo_pages["vi"], tmp_path) as it:
        it.switch_off("show-gaps", "show-sites")
        half = it.page.locator("#legend tr[data-class='0'] .swatch")
        paint = str(half.evaluate("swatch => swatch.style.backgroundImage"))
        pale = tuple(int(part) for part in re.findall(r"\d+", paint.rpartition("rgb")[2])[:3])
        assert np.abs(np.subtract(it.colour_at(bare), pale)).max() <= 2
        it.switch_off("show-uncovered")
        for at, colour in enumerate(CLASSES):
            swatch = it.page.locator(f"#legend tr[data-class='{at}'] .swatch")
            painted = swatch.evaluate("swatch => getComputedStyle(swatch).backgroundColor")
            assert ImageColor.getrgb(str(painted)) == ImageColor.getrgb(colour)
            limits = (0, 0.4, 0.6, 0.8, 0.95, 0.99, 2)
            inside = np.flatnonzero((shares >= limits[at]) & (shares < limits[at + 1]))
            assert it.colour_at(int(inside[-1])) == ImageColor.getrgb(colour)
        it.show("broadband_b2")
        has_tier = demo.communes["broadband_b2"].to_numpy() == "yes"
        assert it.colour_at(int(np.flatnonzero(has_tier)[-1])) == ImageColor.getrgb(TIERS[1])


@pytest.mark.browser
def test_what_is_not_covered_is_shown_only_where_it_is_known(
    browser: Browser, demo_pages: dict[str, str], tmp_path: Path
) -> None:
    pictures = ".leaflet-uncovered-pane img"
    with opened(browser, demo_pages["vi"], tmp_path) as it:
        assert it.page.locator(pictures).count() == 1
        for choice in (("broadband_b1", "", ""), ("share_area", "5g", "Viettel")):
            it.show(*choice)
            assert it.page.locator(pictures).count() == 0
            assert it.page.is_disabled("#show-uncovered")
            assert "chưa phủ" not in it.text("#legend")
        it.show("share_area", "4g", "any")
        assert it.page.locator(pictures).count() == 1
        assert "Vùng chưa phủ 4G" in it.text("#legend")


@pytest.mark.browser
def test_phone_page_is_as_wide_as_the_phone_and_shows_the_map_first(
    browser: Browser, demo_pages: dict[str, str], tmp_path: Path
) -> None:
    with opened(browser, demo_pages["vi"], tmp_path, PHONE) as it:
        for asked in ("", "hac thanh"):
            if asked:
                it.choose(asked)
            assert it.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
            box = it.page.locator(".folium-map").bounding_box()
            assert box is not None
            assert box["width"] == PHONE[0]
            assert box["height"] > 300
            assert -1 < box["y"] < 200
        assert it.page.evaluate("document.activeElement.id") != "search"


@pytest.mark.browser
def test_map_and_search_work_from_the_keyboard(
    browser: Browser, demo_pages: dict[str, str], tmp_path: Path
) -> None:
    with opened(browser, demo_pages["vi"], tmp_path) as it:
        it.page.fill("#search", "tho")
        first = it.text("#hits li >> nth=0")
        it.page.press("#search", "ArrowDown")
        second = it.text("#hits [aria-selected=true]")
        assert first != second
        it.page.press("#search", "Escape")
        assert it.page.is_hidden("#hits")
        it.page.fill("#search", "không có xã này")
        assert "Không tìm thấy" in it.text("#hits")
        before = it.page.evaluate("map.getCenter().lng")
        it.page.focus(".folium-map")
        it.page.evaluate("() => { window.moved = new Promise(done => map.once('moveend', done)) }")
        it.page.keyboard.press("ArrowRight")
        it.page.evaluate("() => window.moved.then(() => true)")
        assert it.page.evaluate("map.getCenter().lng") > before


@pytest.mark.browser
def test_window_that_changes_keeps_the_whole_area_in_view(
    browser: Browser, demo_pages: dict[str, str], tmp_path: Path
) -> None:
    with opened(browser, demo_pages["vi"], tmp_path) as it:
        assert it.page.evaluate("map.getBounds().contains(view)")
        it.page.evaluate(
            "() => { window.turned = new Promise(done => addEventListener('resize', done)) }"
        )
        it.page.set_viewport_size({"width": 800, "height": 500})
        it.page.evaluate("() => window.turned.then(() => true)")
        assert it.page.evaluate("map.getBounds().contains(view)")

"""The web map: opened in a browser from a file with the network off, as people use it."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from altered import with_tables
from axe_playwright_python.sync_playwright import Axe
from browsing import DESKTOP, PHONE, Opened, opened
from conftest import masts, square_communes
from PIL import Image, ImageColor
from playwright.sync_api import Browser

from phusong.publish.assessment import About, Assessment
from phusong.publish.mapdata import map_data
from phusong.publish.palette import CHANGES, CLASSES, TIERS
from phusong.publish.webmap import build_map, escape_json, render_map, render_page
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
def demo_data(demo: Assessment) -> dict[str, Any]:
    return map_data(demo)


@pytest.fixture(scope="module")
def demo_page(demo_data: dict[str, Any]) -> str:
    return render_page(demo_data)


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


# ---- the page, without a browser


def test_two_pages_of_an_assessment_are_the_same_text(small: Assessment) -> None:
    first, second = render_map(small), render_map(small)
    assert first == second
    assert not re.search(r"\b(map|tile_layer)_[0-9a-f]{32}", first)


def test_page_names_nothing_outside_itself(small: Assessment) -> None:
    page = render_map(small)
    assert not re.search(r"<(script|link|img|iframe)[^>]*\s(src|href)=", page)
    assert not re.search(r"url\((?!#|data:)", page)
    assert not re.search(r"<[^>]+\son[a-z]+=", page)
    assert "default-src 'none'" in page


def test_page_says_its_letters_before_anything_that_they_decide(small: Assessment) -> None:
    """The standard looks for them in the first 1,024 bytes; a hash of a style depends on them."""
    page = render_map(small)
    assert page.index('<meta charset="utf-8">') < page.index("Content-Security-Policy") < 1024


def test_block_of_words_has_no_sign_that_ends_a_script() -> None:
    data = {"a": "</script><!-- & \u2028\u2029", "b": [float("nan"), None, date(2026, 1, 2)]}
    block = escape_json(data)
    assert not set("<>&\u2028\u2029") & set(block)
    assert json.loads(block) == {"a": data["a"], "b": [None, None, "2026-01-02"]}


def test_no_text_of_the_data_stands_in_the_page(hostile: Assessment) -> None:
    page = render_map(hostile)
    for text in ("PWNED", "7*7", "{% raw", "src=x", "Tỉnh"):
        assert text not in page


def test_a_language_that_is_not_ours_is_an_error(small: Assessment) -> None:
    with pytest.raises(ValueError, match="lang: found 'fr', expected one of vi, en"):
        render_page(map_data(small), lang="fr")


def test_notebook_has_the_map_and_a_still_picture_beside_it(hostile: Assessment) -> None:
    shown = build_map(hostile, lang="en")._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert "<script" not in shown
    assert 'src="data:image/png;base64,iVBOR' in shown
    assert len(json.dumps(shown)) < 1_000_000


def test_map_that_is_too_large_for_a_notebook_is_a_picture_and_a_hint(small: Assessment) -> None:
    large = build_map(small, lang="en")
    large.block = "A" * 900_000
    shown = large._repr_html_()
    assert "<iframe" not in shown
    assert 'src="data:image/png;base64,iVBOR' in shown
    assert ".save(" in shown
    assert len(json.dumps(shown)) < 1_000_000


def test_limits_that_do_not_rise_are_an_error(small: Assessment) -> None:
    for breaks in ([], [0.5, 0.2], [0.0, 0.5], [0.5, 1.2], [float("nan")]):
        with pytest.raises(ValueError, match=r"breaks: found .* expected limits that rise"):
            small.explore(breaks=breaks)


def test_map_is_saved_as_the_page(small: Assessment, tmp_path: Path) -> None:
    small.explore(lang="en").save(tmp_path / "map.html")
    assert (tmp_path / "map.html").read_text(encoding="utf-8") == render_map(small, lang="en")


def test_assessment_in_a_notebook_speaks_both_languages(small: Assessment) -> None:
    shown = small._repr_html_()
    assert "Số liệu ngày 2026-06-30" in shown
    assert "As of 2026-06-30" in shown


# ---- in a browser: what the page says

SAID = {
    "vi": ["Tỉnh Thanh Hóa", "30/06/2026", "giả lập (synthetic)", "sơ đồ (schematic)", "mô hình"],
    "en": ["Tỉnh Thanh Hóa", "30/06/2026", "Synthetic", "Schematic", "modelled"],
}


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_page_opens_offline_and_says_what_it_shows_in_both_languages(
    browser: Browser, demo_page: str, tmp_path: Path, size: tuple[int, int]
) -> None:
    with opened(browser, demo_page, tmp_path, size) as it:
        for lang in ("vi", "en"):
            assert it.page.get_attribute("html", "lang") == lang
            said = it.text("#top") + it.text("#legend") + it.text("#about") + it.text("#panel")
            for text in [*SAID[lang], "phusong: synthetic sites", "≥ 99 %", "Natural Earth"]:
                assert text in said
            assert "undefined" not in said
            assert "NaN" not in said
            it.page.click("#switch-language")
        assert it.page.get_attribute("html", "lang") == "vi"
        scale = it.page.locator(".leaflet-control-scale-line").text_content()
        assert scale == ("20 km" if size == DESKTOP else "50 km")


@pytest.mark.browser
def test_counts_of_every_legend_sum_to_the_communes_and_their_people(
    browser: Browser, demo: Assessment, demo_page: str, tmp_path: Path
) -> None:
    choices = [
        ("share_population", "5g", "any"), ("share_area", "4g", "Viettel"),
        ("broadband_b0", "", ""), ("broadband_b3", "", ""), ("low_cost", "", ""),
    ]  # fmt: skip
    with opened(browser, demo_page, tmp_path) as it:
        for choice in choices:
            it.show(*choice)
            rows = it.page.locator("#legend tr[data-class]").evaluate_all(
                "rows => rows.map(row => [...row.cells].slice(2).map(c => c.textContent))"
            )
            counts = np.array([[int(text.replace(".", "")) for text in row] for row in rows])
            assert counts.sum(axis=0).tolist() == [166, demo.communes["population"].sum()], choice
            assert "166 xã" in it.text("#legend")
        labels = it.page.locator("#indicator option").all_text_contents()
        room = "label => { const pen = document.createElement('canvas').getContext('2d'),"
        room += " select = document.querySelector('#indicator');"
        room += " pen.font = getComputedStyle(select).font;"
        room += " return select.clientWidth - pen.measureText(label).width }"
        assert all(it.page.evaluate(room, label) > 24 for label in labels)


def as_shown(share: float) -> str:
    """Return a share in per cent; only a whole one reads 100.0, only nothing 0.0."""
    least, most = (0.1 if share > 0 else 0.0), (100 if share >= 1 else 99.9)
    return f"{min(max(round(100 * share, 1), least), most):.1f} %"


@pytest.mark.browser
def test_panel_says_of_every_layer_what_the_indicators_say(
    browser: Browser, demo: Assessment, demo_page: str, tmp_path: Path
) -> None:
    rows = demo.indicators.set_index(["commune_code", "indicator", "service", "operator"])
    rows = rows.sort_index()
    layers = rows.index.droplevel("commune_code").unique()
    codes = demo.communes["commune_code"].tolist()
    yes_no = {0.0: "No", 1.0: "Yes"}
    with opened(browser, demo_page, tmp_path, address="#lang=en") as it:
        for k, layer in enumerate(layers):
            code = codes[(37 * k) % len(codes)]
            it.choose(code)
            it.show(*layer)
            said = it.figures()[" ".join(layer)]
            row = rows.loc[(code, *layer)]
            if layer[0].startswith("broadband"):
                assert said.startswith(yes_no.get(row["share"], "Unknown")), (code, layer)
                continue
            shown = "Unknown" if np.isnan(row["share"]) else as_shown(row["share"])
            assert said.startswith(shown), (code, layer, said)
            if not np.isnan(row["share_low"]):
                low, high = as_shown(row["share_low"]), as_shown(row["share_high"])
                assert f"[{low.removesuffix(' %')} – {high}]" in said, (code, layer, said)
            assert said.endswith(row["evidence"])


# ---- in a browser: a planner, a citizen with a phone, somebody without a mouse


def read_csv(it: Opened, button: str) -> list[dict[str, str]]:
    with it.page.expect_download() as started:
        it.page.click(button)
    text = Path(started.value.path()).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.browser
def test_a_planner_finds_a_commune_reads_why_it_is_a_gap_and_takes_its_rows(
    browser: Browser, demo: Assessment, demo_page: str, tmp_path: Path
) -> None:
    gap = demo.gaps.set_index("commune_code").loc["15553"]
    with opened(browser, demo_page, tmp_path, address="#lang=en") as it:
        for asked in ("Sao Vàng", "SAO VÀNG", "15553", "sao vang"):
            it.page.evaluate("document.querySelector('#commune').replaceChildren()")
            assert it.choose(asked) == "Xã Sao Vàng (15553)"
        figures = it.text("#commune").replace("\u00a0", " ")
        assert f"{gap['population']:,.0f} people" in figures
        assert f"People not covered{gap['people_uncovered']:,.0f} people" in figures
        assert f"Area not covered{gap['area_uncovered_km2']:.1f} km²" in figures
        assert f"{gap['nearest_site_km']:.1f} km · {gap['nearest_site_operator']}" in figures
        assert f"{gap['rank']} of {len(demo.gaps)} gap communes" in figures
        assert "5G (gap)" in figures
        assert "Reasoncovered in part" in figures
        rows = read_csv(it, ".links button")
        mine = demo.indicators[demo.indicators["commune_code"] == "15553"]
        assert len(rows) == len(mine)
        for row, (_, own) in zip(rows, mine.sort_index().iterrows(), strict=True):
            meant = [x for x in rows if all(x[k] == own[k] for k in
                                            ("indicator", "service", "operator"))]  # fmt: skip
            assert len(meant) == 1
            share = float(meant[0]["share"]) if meant[0]["share"] else np.nan
            assert share == pytest.approx(own["share"], abs=1e-6, nan_ok=True)
            assert (row["commune_code"], row["as_of"], row["synthetic"]) == (
                "15553", "2026-06-30", "true",
            )  # fmt: skip


@pytest.mark.browser
def test_table_is_sorted_and_its_file_has_what_the_gap_list_has(
    browser: Browser, demo: Assessment, demo_page: str, tmp_path: Path
) -> None:
    people = demo.communes.set_index("commune_code")
    people = people["population"].astype(float) * (1 - people["share_population_5g"])
    with opened(browser, demo_page, tmp_path) as it:
        it.page.click("#open-table")
        shown = it.page.locator("#table tbody tr td:first-child").all_text_contents()
        assert sorted(shown) == sorted(people.index)
        assert (np.diff(people[shown]) < 1).all()  # people are shown, and sorted, as whole ones
        head = it.page.locator("#table th")
        assert head.nth(7).get_attribute("aria-sort") == "descending"
        it.page.click("#table th:nth-child(3) button")
        counts = it.page.locator("#table tbody tr td:nth-child(3)").all_text_contents()
        numbers = [int(text.replace(".", "")) for text in counts]
        assert numbers == sorted(numbers, reverse=True)
        it.page.click("#table th:nth-child(3) button")
        assert it.text("#table tbody tr td:nth-child(3)") == counts[-1]
        rows = read_csv(it, "#download")
        assert len(rows) == 166
        by_code = {row["commune_code"]: row for row in rows}
        for gap in demo.gaps[demo.gaps["missing"] == "5g"].itertuples():
            row = by_code[gap.commune_code]
            assert float(row["people_uncovered"]) == pytest.approx(gap.people_uncovered, abs=0.6)
            assert row["certainty"] == gap.certainty
            assert float(row["share"]) == pytest.approx(gap.share_population_5g, abs=1e-6)
        it.page.click("#table tbody tr:first-child td button")
        assert not it.page.is_visible("#table-box")
        assert it.page.locator("#commune h2").is_visible()


@pytest.mark.browser
def test_a_citizen_taps_a_commune_on_a_phone(
    browser: Browser, demo: Assessment, demo_page: str, tmp_path: Path
) -> None:
    codes = demo.communes["commune_code"].tolist()
    at = codes.index("16174")
    with opened(browser, demo_page, tmp_path, PHONE) as it:
        it.switch_off("show-sites")
        it.page.evaluate("scrollTo(0, 0)")
        it.page.touchscreen.tap(*it.place_of(at))
        it.page.wait_for_selector("#commune h2")
        assert "16174" in it.text("#commune h2")
        for asked in ("", "hac thanh"):
            if asked:
                it.choose(asked)
            assert it.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
            box = it.page.locator(".folium-map").bounding_box()
            assert box is not None
            assert (box["width"], box["height"] > 300) == (PHONE[0], True)
            assert -1 < box["y"] < 230
            heading = it.page.locator("#commune h2").bounding_box()
            assert heading is not None
            assert 0 < heading["y"] < 0.75 * PHONE[1]
        assert it.page.evaluate("document.activeElement.id") != "search"
        for button in ("#open-table", "#switch-language", ".leaflet-bar button", ".links button"):
            size = it.page.locator(button).first.bounding_box()
            assert size is not None
            assert min(size["width"], size["height"]) >= 40, button
        it.page.evaluate("scrollTo(0, 0)")
        it.page.click("#open-table")
        assert it.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


@pytest.mark.browser
def test_everything_is_reached_without_a_mouse(
    browser: Browser, demo_page: str, tmp_path: Path
) -> None:
    with opened(browser, demo_page, tmp_path) as it:
        page, reached = it.page, []
        for _ in range(40):
            page.keyboard.press("Tab")
            reached.append(page.evaluate(
                "document.activeElement.id || document.activeElement.className"))  # fmt: skip
        for name in ("search", "open-table", "switch-language", "indicator", "show-gaps"):
            assert name in reached
        page.fill("#search", "tho")
        first = it.text("#hits li >> nth=0")
        page.press("#search", "ArrowDown")
        assert it.text("#hits [aria-selected=true]") != first
        page.press("#search", "Escape")
        assert page.is_hidden("#hits")
        page.fill("#search", "không có xã này")
        assert "Không tìm thấy" in it.text("#hits")
        page.fill("#search", "sao vang")
        page.keyboard.press("Enter")
        assert it.text("#commune h2") == "Xã Sao Vàng (15553)"
        page.focus(".folium-map")
        before = page.evaluate("phusong.map.getCenter().lng")
        for _ in range(4):
            page.evaluate(
                "() => { window.moved = new Promise(done => phusong.map.once('moveend', done)) }"
            )
            page.keyboard.press("ArrowRight")
            page.evaluate("() => window.moved.then(() => true)")
        assert page.evaluate("phusong.map.getCenter().lng") > before
        page.keyboard.press("Enter")
        there = page.evaluate("phusong.communeAt(phusong.map.getCenter())")
        code = page.evaluate("i => phusong.codes()[i]", there)
        assert code != "15553"
        assert code in it.text("#commune h2")
        page.focus("#open-table")
        page.keyboard.press("Enter")
        page.focus("#table th:nth-child(5) button")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.textContent") == "Tỷ lệ (%) ▾"
        page.keyboard.press("Escape")
        assert not page.is_visible("#table-box")
        assert page.evaluate("document.activeElement.id") == "open-table"


@pytest.mark.browser
def test_names_with_the_accents_asked_for_come_first(
    browser: Browser, small: Assessment, tmp_path: Path
) -> None:
    names = ["Xã Tân Thành", "Xã Tân Thạnh", "Xã Tan Thanh", "Xã Đông Sơn", "Xã Dong", "Xã Hoá"]
    named = with_tables(small, communes=small.communes.assign(commune_name=names))
    with opened(browser, render_map(named), tmp_path) as it:
        for asked, expected in (
            ("tân thạnh", ["Xã Tân Thạnh", "Xã Tân Thành", "Xã Tan Thanh"]),
            ("tan thanh", ["Xã Tan Thanh", "Xã Tân Thành", "Xã Tân Thạnh"]),
            ("đông", ["Xã Đông Sơn", "Xã Dong"]),
            ("dong", ["Xã Dong", "Xã Đông Sơn"]),
        ):
            it.page.fill("#search", asked)
            hits = it.page.locator("#hits li").all_text_contents()
            assert [re.sub(r" \(.*", "", hit) for hit in hits] == expected, asked


@pytest.mark.browser
def test_address_opens_the_same_view_again(
    browser: Browser, demo_page: str, tmp_path: Path
) -> None:
    asked = "[document.documentElement.lang, phusong.map.getZoom(), phusong.map.getCenter().lat]"
    with opened(browser, demo_page, tmp_path) as it:
        it.show("share_area", "4g", "Viettel")
        it.choose("hac thanh")
        it.page.click("#switch-language")
        address = it.page.url.removeprefix(it.url)
        link = it.page.get_attribute(".links a", "href")
        title, seen = it.text("#legend summary"), it.page.evaluate(asked)
        chosen = it.text("#commune h2")
    assert address == link
    with opened(browser, demo_page, tmp_path, address=address) as it:
        assert (it.text("#legend summary"), it.text("#commune h2")) == (title, chosen)
        again = it.page.evaluate(asked)
        assert again[:2] == seen[:2]
        assert again[2] == pytest.approx(seen[2], abs=1e-3)
        it.page.evaluate("location.hash = '#lang=vi&c=15553&l=broadband_b0'")
        it.page.wait_for_selector("html[lang=vi]")
        assert it.text("#commune h2") == "Xã Sao Vàng (15553)"
        assert it.text("#legend summary").startswith("Băng rộng B0")
    with opened(browser, demo_page, tmp_path, address="#c=%&m=9/x/&l=none~~&lang=xx&d=7") as it:
        assert it.text("#legend summary") == "Người dân được phủ 5G"


# ---- in a browser: two maps


@pytest.fixture(scope="module")
def earlier(demo_data: dict[str, Any]) -> dict[str, Any]:
    """A quarter before: 20 points less in one commune, as much more in another, one not there."""
    before = copy.deepcopy(demo_data)
    before["as_of"] = "2026-03-31"
    for layer in before["layers"]:
        if (layer["indicator"], layer["service"], layer["operator"]) == (
            "share_population", "5g", "any",
        ):  # fmt: skip
            at = before["communes"]["code"].index
            layer["share"][at("15553")] -= 200_000
            layer["share"][at("16228")] += 200_000
    before["communes"]["code"][at("15316")] = "99999"
    return before


@pytest.mark.browser
def test_two_dates_are_switched_and_what_changed_is_said(
    browser: Browser, demo_data: dict[str, Any], earlier: dict[str, Any], tmp_path: Path
) -> None:
    page = render_page(demo_data, earlier)
    assert len(page) < 1.4 * len(render_page(demo_data))  # shapes and columns are there once
    at = demo_data["communes"]["code"].index
    with opened(browser, page, tmp_path) as it:
        assert it.page.locator("#sides label").all_text_contents() == [
            "31/03/2026", "30/06/2026", "Thay đổi",
        ]  # fmt: skip
        assert "30/06/2026" in it.text("#subtitle")
        it.choose("15553")
        figures = it.figures()["share_population 5g any"]
        assert figures == "33,6 % [25,5 – 86,2 %] · mô hình · 31/03/2026: 13,6 %"
        it.page.check("#sides input[value='1']")
        assert "31/03/2026" in it.text("#subtitle")
        assert it.figures()["share_population 5g any"].startswith("13,6 %")
        it.page.check("#sides input[value='change']")
        counts = it.page.locator("#legend tr[data-class] td:nth-child(3)").all_text_contents()
        assert counts == ["1", "0", "163", "0", "1", "1"]
        it.switch_off("show-gaps", "show-sites")
        it.page.click(".leaflet-bar button:nth-child(3)")
        assert it.colour_at(at("15553")) == ImageColor.getrgb(CHANGES[-1])
        assert it.colour_at(at("16228")) == ImageColor.getrgb(CHANGES[0])
        it.page.click("#open-table")
        it.page.click("#table th:nth-child(8) button")
        assert it.text("#table tbody tr td:nth-child(8)") == "+20,0"
        rows = {row["commune_code"]: row for row in read_csv(it, "#download")}
        assert float(rows["16228"]["share_change"]) == pytest.approx(-0.2)
        assert rows["15316"]["share_change"] == ""


# ---- in a browser: what is drawn


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_the_legend_are_the_colours_drawn(
    browser: Browser, demo: Assessment, demo_page: str, tmp_path: Path, scheme: Any
) -> None:
    shares = demo.communes["share_population_5g"].to_numpy()
    bare = int(np.flatnonzero(demo.communes["share_area_5g"] == 0)[0])
    with opened(browser, demo_page, tmp_path, scheme=scheme) as it:
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
def test_a_map_to_explore_with_has_classes_of_its_own_and_says_so(
    browser: Browser, demo: Assessment, demo_page: str, tmp_path: Path
) -> None:
    shares = demo.communes["share_population_5g"]
    limits = shares.quantile([0.3, 0.7]).tolist()
    with opened(browser, demo.explore(lang="en", breaks=limits).to_page(), tmp_path) as it:
        counts = it.page.locator("#legend tr[data-class] td:nth-child(3)").all_text_contents()
        assert counts == ["50", "66", "50", "0"]
        assert "Limits of this map only" in it.text("#legend")
        it.switch_off("show-gaps", "show-sites", "show-uncovered")
        assert it.colour_at(int(shares.argmin())) == ImageColor.getrgb("#440154")
        assert it.colour_at(int(shares.argmax())) == ImageColor.getrgb("#fde725")
    with opened(browser, demo_page, tmp_path) as it:
        assert "Ngưỡng riêng" not in it.text("#legend")


@pytest.mark.browser
def test_what_is_not_known_is_hatched(browser: Browser, small: Assessment, tmp_path: Path) -> None:
    unknown = small.indicators["commune_code"].isin(["00002", "00006"])
    rows = small.indicators.assign(share=small.indicators["share"].where(~unknown))
    with opened(browser, render_map(replace(small, indicators=rows)), tmp_path) as it:
        it.show("share_area", "4g", "any")
        it.switch_off("show-gaps", "show-sites", "show-uncovered")
        x, y = it.place_of(1)
        picture = Image.open(io.BytesIO(it.page.screenshot())).convert("RGB")
        patch = np.asarray(picture.crop((x - 70, y - 60, x - 30, y - 20))).reshape(-1, 3)
        colours = {tuple(int(part) for part in colour) for colour in patch}
        assert len(colours) > 2
        assert not colours & {ImageColor.getrgb(colour) for colour in CLASSES}
        assert it.text("#legend tr[data-class='-1'] td:nth-child(3)") == "2"


@pytest.mark.browser
def test_what_is_not_covered_is_shown_only_where_it_is_known(
    browser: Browser, demo_page: str, tmp_path: Path
) -> None:
    pictures = ".leaflet-uncovered-pane img"
    with opened(browser, demo_page, tmp_path) as it:
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
def test_labels_do_not_touch_and_no_tile_is_blank(
    browser: Browser, demo_page: str, tmp_path: Path
) -> None:
    with opened(browser, demo_page, tmp_path, address="#m=11/19.9/105.4") as it:
        boxes = it.page.locator(".leaflet-names-pane span").evaluate_all(
            "spans => spans.map(span => span.getBoundingClientRect())"
            ".map(box => [box.x, box.y, box.right, box.bottom])"
        )
        assert len(boxes) > 8
        for k, (west, north, east, south) in enumerate(boxes):
            for left, top, right, bottom in boxes[k + 1 :]:
                assert right <= west or left >= east or bottom <= north or top >= south
        sea = "getComputedStyle(document.querySelector('.leaflet-container')).backgroundColor"
        blank = ImageColor.getrgb(str(it.page.evaluate(sea)))
        picture = Image.open(io.BytesIO(it.page.screenshot())).convert("RGB")
        drawn = np.asarray(picture.crop((60, 110, 890, 380))).reshape(-1, 3)
        assert (drawn == blank).all(axis=1).mean() < 0.01


@pytest.mark.browser
def test_printed_page_has_the_map_its_legend_and_the_commune_in_light_colours(
    browser: Browser, demo_page: str, tmp_path: Path
) -> None:
    with opened(browser, demo_page, tmp_path, scheme="dark") as it:
        it.choose("sao vang")
        it.page.emulate_media(media="print")
        for shown in (".folium-map", "#legend", "#commune h2", "#badges", "#about"):
            assert it.page.locator(shown).first.is_visible(), shown
        for hidden in ("#search", "#controls", "#open-table", ".leaflet-bar", ".links"):
            assert not it.page.locator(hidden).first.is_visible(), hidden
        paper = it.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        width = it.page.locator(".folium-map").bounding_box()
        assert width is not None
        assert width["width"] <= 720


@pytest.fixture(scope="module")
def country() -> Assessment:
    """1,296 square communes of 0.12° and two far islands, all of them gaps."""
    step, n = 0.12, 36
    corners = [(103 + step * (k % n), 10 + step * (k // n)) for k in range(n * n)]
    corners += [(111.5, 16.3), (114.0, 9.0)]
    x, y = np.array(corners).T
    names = [f"Xã {k}" for k in range(n * n)] + ["Đặc khu Hoàng Sa", "Đặc khu Trường Sa"]
    shapes = gpd.GeoSeries.from_xy(x, y).buffer(step / 2, cap_style="square")
    shapes.iloc[-2:] = shapes.iloc[-2:].scale(0.02, 0.02)
    codes = [f"{k:05d}" for k in range(len(names))]
    communes = gpd.GeoDataFrame(
        {"commune_code": codes, "commune_name": names, "province_code": "1",
         "population": 1000.0, "area_km2": 170.0},
        geometry=shapes, crs="EPSG:4326",
    )  # fmt: skip
    rows = pd.DataFrame(
        {"commune_code": codes, "indicator": "share_population", "service": "5g",
         "operator": "any", "evidence": "modelled", "share": 0.5, "share_low": 0.2,
         "share_high": 0.8}
    )  # fmt: skip
    gaps = communes.assign(
        missing="5g", certainty="gap", reason="no_mast", people_uncovered=500.0,
        area_uncovered_km2=85.0, nearest_site_km=9.0, operators_present="",
        nearest_site_operator="Viettel",
    )  # fmt: skip
    sites = masts([{"x": 500_000.0 + 900 * k, "y": 1_500_000.0, "technology": "5G"}
                   for k in range(600)])  # fmt: skip
    sites = sites.assign(operator="Viettel", status="on_air", site_name=None)
    base = assess(square_communes(1), sites=sites.iloc[:1].drop(columns="status"),
                  as_of=date(2026, 6, 30))  # fmt: skip
    return replace(
        with_tables(base, communes=communes, gaps=gaps, coverage=()),
        indicators=rows, sites=sites.to_crs("EPSG:4326"),
    )  # fmt: skip


@pytest.mark.browser
def test_a_country_is_whole_in_view_with_its_islands_and_not_under_outlines(
    browser: Browser, country: Assessment, tmp_path: Path
) -> None:
    red = ImageColor.getrgb("#c43c28")

    def share_of_red(it: Opened) -> float:
        picture = Image.open(io.BytesIO(it.page.screenshot())).convert("RGB")
        drawn = np.asarray(picture.crop((60, 110, 590, 700))).reshape(-1, 3).astype(int)
        return float((np.abs(drawn - red).max(axis=1) < 30).mean())

    with opened(browser, render_map(country), tmp_path) as it:
        seen = it.page.evaluate("phusong.map.getBounds().contains(phusong.view())")
        assert seen
        names = it.page.locator(".leaflet-names-pane span").all_text_contents()
        assert {"Đặc khu Hoàng Sa", "Đặc khu Trường Sa"} <= set(names)
        frame = it.page.locator(".folium-map").bounding_box()
        legend = it.page.locator("#legend-box").bounding_box()
        assert frame is not None
        assert legend is not None
        for island in (-2, -1):
            x, y = it.place_of(len(country.communes) + island)
            assert frame["x"] < x < frame["x"] + frame["width"]
            assert frame["y"] < y < frame["y"] + frame["height"]
            under_x = legend["x"] <= x <= legend["x"] + legend["width"]
            assert not (under_x and legend["y"] <= y <= legend["y"] + legend["height"])
            drawn = it.colour_at(len(country.communes) + island)  # a square of 5 pixels, scaled
            assert np.abs(np.subtract(drawn, ImageColor.getrgb(CLASSES[1]))).max() < 12
        assert share_of_red(it) < 0.001
        assert "1.298 xã · viền khi phóng to" in it.text("#legend")
        assert "600 trạm" in it.text("#legend")
        it.page.evaluate("phusong.map.setView([12, 105], 9, { animate: false })")
        assert share_of_red(it) > 0.01
        assert "viền khi phóng to" not in it.text("#legend")
        assert "600 trạm" not in it.text("#legend")


@pytest.mark.browser
@pytest.mark.browser
def test_legend_leaves_the_buttons_of_the_map_free_in_a_low_frame(
    browser: Browser, demo_page: str, tmp_path: Path
) -> None:
    with opened(browser, demo_page, tmp_path, (1112, 560)) as it:
        legend = it.page.locator("#legend-box").bounding_box()
        buttons = it.page.locator(".leaflet-bar").bounding_box()
        assert legend["x"] < buttons["x"] + buttons["width"]  # or there is nothing to hide
        assert legend["y"] >= buttons["y"] + buttons["height"]


def test_window_that_changes_keeps_the_whole_area_in_view(
    browser: Browser, demo_page: str, tmp_path: Path
) -> None:
    with opened(browser, demo_page, tmp_path) as it:
        assert it.page.evaluate("phusong.map.getBounds().contains(phusong.view())")
        it.page.evaluate(
            "() => { window.turned = new Promise(done => addEventListener('resize', done)) }"
        )
        it.page.set_viewport_size({"width": 800, "height": 500})
        it.page.evaluate("() => window.turned.then(() => true)")
        assert it.page.evaluate("phusong.map.getBounds().contains(phusong.view())")


# ---- in a browser: nobody is left out, nothing runs that should not


def violations(it: Opened) -> list[str]:
    found = Axe().run(it.page, options={"preload": False, "resultTypes": ["violations"]})
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found.response["violations"]]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_axe_finds_nothing(
    browser: Browser, demo_data: dict[str, Any], earlier: dict[str, Any], tmp_path: Path,
    size: tuple[int, int], scheme: Any,
) -> None:  # fmt: skip
    page = render_page(demo_data, earlier)
    with opened(browser, page, tmp_path, size, scheme=scheme) as it:
        it.choose("sao vang")
        it.page.fill("#search", "tho")
        assert violations(it) == []
        it.page.press("#search", "Escape")
        it.page.evaluate("scrollTo(0, 0)")
        it.page.click("#open-table")
        assert violations(it) == []


@pytest.mark.browser
def test_hostile_text_is_shown_as_it_is(
    browser: Browser, hostile: Assessment, tmp_path: Path
) -> None:
    with opened(browser, render_map(hostile), tmp_path) as it:
        scripts = it.page.locator("script").count()
        for _ in ("vi", "en"):
            assert HOSTILE[0] in it.page.title()
            assert HOSTILE[0] in it.text("h1")
            it.page.click("#switch-language")
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
        it.page.evaluate(
            "() => { const { x, y } = phusong.sites();"
            " phusong.pickSite(phusong.place(x[0], y[0])) }"
        )
        assert HOSTILE[0] in it.text(".leaflet-popup-content")
        it.page.click("#open-table")
        rows = read_csv(it, "#download")
        assert {row["operator"] for row in rows} == {HOSTILE[2]}
        it.page.keyboard.press("Escape")
        assert it.page.locator("script").count() == scripts
        assert it.page.locator("img[src=x]").count() == 0
        assert it.page.title() != "PWNED"


@pytest.mark.browser
def test_no_cell_of_a_downloaded_file_is_a_formula(
    browser: Browser, small: Assessment, tmp_path: Path
) -> None:
    names = ["=1+1", "+1", "-1", "@a", "＝1", 'a "b", c']
    named = with_tables(small, communes=small.communes.assign(commune_name=names))
    with opened(browser, render_map(named), tmp_path) as it:
        it.page.click("#open-table")
        rows = read_csv(it, "#download")
    found = {row["commune_code"]: row["commune_name"] for row in rows}
    codes = small.communes["commune_code"]
    assert [found[code] for code in codes] == [f"'{name}" for name in names[:5]] + [names[5]]


@pytest.mark.browser
def test_names_that_are_no_words_stay_what_they_are(
    browser: Browser, small: Assessment, tmp_path: Path
) -> None:
    with opened(browser, render_map(small), tmp_path) as it:
        said = it.page.evaluate(
            "[phusong.word('constructor'), phusong.word('6g'), phusong.operatorName('area')]"
        )
        assert said == ["CONSTRUCTOR", "6G", "area"]
        it.show("share_area", "5g")
        assert {"constructor"} <= set(it.page.locator("#operator option").all_text_contents())
        it.show("share_area", "4g")
        assert "area" in it.page.locator("#operator option").all_text_contents()


@pytest.mark.browser
def test_map_runs_in_the_frame_of_a_notebook(
    browser: Browser, small: Assessment, tmp_path: Path
) -> None:
    (tmp_path / "notebook.html").write_text(
        "<!doctype html><title>notebook</title>" + small.explore()._repr_html_(), encoding="utf-8"
    )
    page = browser.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "notebook.html").as_uri())
    frame = page.frame_locator("iframe")
    frame.locator('html[data-ready="yes"]').wait_for()
    frame.locator("#gap-list button").first.click()
    assert frame.locator("#commune h2").text_content()
    page.close()
    assert errors == []

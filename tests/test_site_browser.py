"""The website in a browser: from files, below another address, with and without scripts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import DESKTOP, PHONE
from playwright.sync_api import Browser, Page, Request
from rewritten import rewritten

from phusong.publish.site import publish_site
from phusong.runs import demo_study, run_study

pytestmark = pytest.mark.browser

# The map in the frame has tests of its own; axe would fetch the style sheet, which pages forbid.
AXE = {"iframes": False, "preload": False, "resultTypes": ["violations"]}
KINDS = (
    "index.html", "communes.html", "targets.html", "target/5g-2030.html", "compare.html",
    "method.html", "downloads.html", "commune/15553-2025.html", "404.html",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo and a quarter before it; the map of one stands in for both."""
    folder = tmp_path_factory.mktemp("site")
    now = run_study(demo_study(), folder / "now").folder
    earlier = replace(demo_study(), as_of=date(2026, 3, 31), cell_m=200.0)
    undrawn = run_study(earlier, folder / "undrawn", with_map=False).folder
    before = rewritten(
        undrawn, folder / "before", lambda it: shutil.copyfile(now / "map.html", it / "map.html")
    )
    publish_site([now, before], folder / "public")
    return folder / "public"


@dataclass
class Visit:
    """A page that was opened, and what it asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def hear_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # left for another page while it was loading
            self.errors.append(request.url)


@contextmanager
def visiting(
    browser: Browser, size: tuple[int, int] = DESKTOP, **options: object
) -> Iterator[Visit]:
    """Yield a window; at the end nothing may have gone wrong in it."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    visit = Visit(context.new_page())
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    visit.page.on("console", lambda message: visit.errors.append(message.text))
    visit.page.on("requestfailed", lambda request: visit.hear_failure(request))
    if options.get("java_script_enabled", True):
        visit.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error(e.blockedURI))"
        )
    yield visit
    context.close()
    assert visit.errors == []


def own(url: str) -> bool:
    return url.startswith(("file://", "data:", "blob:"))


@pytest.mark.parametrize(("lang", "scheme"), [("vi", "light"), ("en", "dark")])
def test_every_kind_of_page_is_accessible_and_loads_nothing_from_elsewhere(
    browser: Browser, site: Path, lang: str, scheme: str
) -> None:
    with visiting(browser, offline=True, color_scheme=scheme) as visit:
        for name in KINDS:
            folder = site / "en" if lang == "en" and name != "404.html" else site
            visit.page.goto((folder / name).as_uri())
            found = Axe().run(visit.page, options=AXE).response["violations"]
            assert found == [], [(name, v["id"], v["nodes"][0]["html"]) for v in found]
    assert all(map(own, visit.requests))


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_pages_and_their_tables_are_as_wide_as_a_phone(
    browser: Browser, site: Path, lang: str
) -> None:
    wider = "[...document.querySelectorAll('.scroll')].filter(b => b.scrollWidth > b.clientWidth)"
    with visiting(browser, PHONE, offline=True) as visit:
        for name in KINDS:
            folder = site / "en" if lang == "en" and name != "404.html" else site
            visit.page.goto((folder / name).as_uri())
            assert visit.page.evaluate("document.documentElement.scrollWidth") == PHONE[0], name
            assert visit.page.evaluate(f"{wider}.map(box => box.ariaLabel)") == [], name


def test_every_cell_of_a_stacked_table_has_the_heading_of_its_column(
    browser: Browser, site: Path
) -> None:
    strangers = (
        "[...document.querySelectorAll('table.stack')].flatMap(t => [...t.tBodies[0].rows].flatMap("
        "r => [...r.cells].filter(c => c.tagName == 'TD' && c.dataset.head !=="
        " t.tHead.rows[0].cells[c.cellIndex].textContent).map(c => c.outerHTML)))"
    )
    with visiting(browser, PHONE, offline=True, java_script_enabled=True) as visit:
        for name in KINDS[:-1]:
            visit.page.goto((site / name).as_uri())
            assert visit.page.evaluate(strangers) == [], name
            assert visit.page.locator("table.stack").count() or name == "targets.html", name


def test_a_phone_shows_a_commune_as_a_block_and_can_sort_them(browser: Browser, site: Path) -> None:
    with visiting(browser, PHONE, offline=True) as visit:
        visit.page.goto((site / "communes.html").as_uri())
        row = visit.page.locator("tbody tr").first
        shown = "cell => getComputedStyle(cell, '::before').content"
        assert row.locator("td").nth(1).evaluate(shown) == '"Dân số"'
        assert row.bounding_box()["width"] <= PHONE[0]
        visit.page.get_by_role("button", name="Dân số").click()
        assert visit.page.locator("thead th[aria-sort=ascending]").inner_text().startswith("Dân số")


def test_without_scripts_every_figure_is_there_and_no_control_that_does_nothing(
    browser: Browser, site: Path
) -> None:
    with visiting(browser, offline=True, java_script_enabled=False) as visit:
        visit.page.goto((site / "communes.html").as_uri())
        assert visit.page.locator("tbody tr").count() == 166
        assert visit.page.locator("input, button").count() == 0
        visit.page.click("text=Xã Sao Vàng")
        assert visit.page.inner_text("h1") == "Xã Sao Vàng"
        assert visit.page.locator("figure img").bounding_box()["height"] > 100  # type: ignore[index]
        visit.page.click("text=English")
        assert "People not covered" in visit.page.inner_text("main")


def test_table_is_searched_without_accents_and_sorted_by_number(
    browser: Browser, site: Path
) -> None:
    with visiting(browser, offline=True) as visit:
        page = visit.page
        page.goto((site / "communes.html").as_uri())
        page.fill(".search input", "DINH hoa")
        page.wait_for_function(
            "() => document.querySelectorAll('tbody tr:not([hidden])').length < 5"
        )
        shown = page.locator("tbody tr:visible th").all_inner_texts()
        assert "Xã Định Hòa" in shown or "Xã Định Hoà" in shown
        assert page.inner_text("output") == f"{len(shown)} xã"
        page.fill(".search input", "")
        head = page.locator("th", has=page.locator("button", has_text="Dân số"))
        for direction in ("ascending", "descending"):
            head.locator("button").click()
            assert head.get_attribute("aria-sort") == direction
            column = page.locator("tbody td:nth-child(3)")
            values = column.evaluate_all("cells => cells.map(cell => Number(cell.dataset.value))")
            assert values == sorted(values, reverse=direction == "descending")
            assert len(values) == 166


def test_map_of_the_overview_leads_to_the_page_of_a_commune(browser: Browser, site: Path) -> None:
    with visiting(browser, offline=True) as visit:
        visit.page.goto((site / "en" / "index.html").as_uri())
        shape = visit.page.locator("svg.map a[href='commune/15553-2025.html'] path")
        assert "Xã Sao Vàng: 33.6\u00a0%" in str(shape.locator("title").text_content())
        shape.click()
        assert visit.page.url.endswith("/en/commune/15553-2025.html")


@pytest.mark.parametrize("name", ["index.html", "en/index.html", "compare.html"])
def test_interactive_map_opens_within_its_page_under_its_policy(
    browser: Browser, site: Path, name: str
) -> None:
    with visiting(browser, offline=True) as visit:
        visit.page.goto((site / name).as_uri())
        visit.page.locator("iframe").scroll_into_view_if_needed()
        inside = visit.page.frame_locator("iframe")
        inside.locator('html[data-ready="yes"]').wait_for(state="attached")
        lang = inside.locator("html").get_attribute("lang")
        assert lang == ("en" if name.startswith("en/") else "vi")
    assert all(map(own, visit.requests))


def test_interactive_map_opens_on_the_commune_and_in_the_language_of_a_page(
    browser: Browser, site: Path
) -> None:
    with visiting(browser, offline=True) as visit:
        visit.page.goto((site / "en" / "commune" / "15553-2025.html").as_uri())
        visit.page.click("figcaption a")
        visit.page.wait_for_selector('html[data-ready="yes"][lang="en"]')
        assert "Xã Sao Vàng" in visit.page.inner_text("#commune h2")


def test_keyboard_skips_to_the_content_and_the_focus_is_seen(browser: Browser, site: Path) -> None:
    with visiting(browser, offline=True) as visit:
        page = visit.page
        page.goto((site / "method.html").as_uri())
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        box = page.locator(".skip").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        page.keyboard.press("Enter")
        assert page.url.endswith("#main")
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_printed_page_has_its_figures_and_no_navigation(browser: Browser, site: Path) -> None:
    with visiting(browser, offline=True, color_scheme="dark") as visit:
        visit.page.emulate_media(media="print")
        visit.page.goto((site / "commune/15553-2025.html").as_uri())
        assert not visit.page.locator("nav").is_visible()
        assert visit.page.locator("table").first.is_visible()
        ink = visit.page.evaluate("getComputedStyle(document.body).color")
        assert ink == "rgb(0, 0, 0)"


def test_site_works_below_another_address(browser: Browser, site: Path, tmp_path: Path) -> None:
    shutil.copytree(site, tmp_path / "a" / "b")
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}/a/b/"
        with visiting(browser) as visit:
            visit.page.goto(here)
            visit.page.click("nav >> text=English")
            assert visit.page.url == f"{here}en/index.html"
            visit.page.click("nav >> text=Communes")
            visit.page.click("text=Xã Sao Vàng")
            visit.page.click("nav >> text=Targets")
            visit.page.click("h2 >> text=5G over the whole province")
            assert visit.page.inner_text("h1") == "5G over the whole province"
        server.shutdown()
    assert all(url.startswith((here, "data:", "blob:")) for url in visit.requests)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

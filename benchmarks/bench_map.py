"""The web map in Chromium: its size, when it is ready, frames a second while it is dragged.

    python benchmarks/bench_map.py [--times 5] [--masts 100000]

Province: the embedded data, 4,000 masts. Country: 3,321 communes (needs the real boundaries in
../shared), seeded masts, without people, as `bench_country.py` runs it. "Ready" is from the start
of the navigation to the attribute that says so, once with the whole processor and once with a
quarter of it (the browser's own throttle). Medians; each opening is a new context.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
from bench_country import COMMUNES, seeded_sites
from playwright.sync_api import Browser, Page, sync_playwright
from timing import timed

from phusong.io.boundaries import read_communes
from phusong.publish.assessment import About, Assessment
from phusong.publish.webmap import render_map
from phusong.runs import demo_study, run_study
from phusong.study import assess

DRAG_STEPS, DRAG_PX = 120, 4
# A drag by the mouse, a step in each frame; the longest quarter of frames is what people feel.
FRAMES = """([x, y, steps, px]) => new Promise(done => {
  const at = [], fire = (type, target, k) => target.dispatchEvent(new MouseEvent(type, {
    bubbles: true, cancelable: true, view: window, button: 0, buttons: 1,
    clientX: x - k * px, clientY: y - k * px / 2 }));
  const start = document.elementFromPoint(x, y);
  fire("mousedown", start, 0);
  const step = () => {
    at.push(performance.now());
    if (at.length <= steps) { fire("mousemove", document, at.length); requestAnimationFrame(step); }
    else { fire("mouseup", document, steps); done(at); }
  };
  requestAnimationFrame(step);
})"""


def province() -> Assessment:
    with tempfile.TemporaryDirectory() as folder:
        return run_study(demo_study(), Path(folder) / "run", with_map=False).assessment


def country(n_masts: int) -> Assessment:
    rows = seeded_sites(gpd.read_parquet(COMMUNES), n_masts)
    rows = rows[rows["sector_id"] == 1].assign(azimuth_deg=np.nan, sector_id="1")
    sites = gpd.GeoDataFrame(
        rows, geometry=gpd.points_from_xy(rows["lon"], rows["lat"]), crs="EPSG:4326"
    )
    about = About(place="Việt Nam", as_of=date(2026, 11, 24), is_synthetic=True)
    communes = read_communes(COMMUNES).layer
    return assess(communes, sites=sites, as_of=about.as_of, about=about)


def open_page(browser: Browser, path: Path, slowdown: int, address: str = "") -> tuple[Page, float]:
    """Return the page and the milliseconds from the start of the navigation until it was ready."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True).new_page()
    if slowdown > 1:
        session = page.context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    page.goto(path.as_uri() + address)
    page.wait_for_selector('html[data-ready="yes"]')
    return page, float(page.evaluate("performance.getEntriesByName('ready')[0].startTime"))


def ready_ms(browser: Browser, path: Path, slowdown: int) -> float:
    page, milliseconds = open_page(browser, path, slowdown)
    page.context.close()
    return milliseconds


def frames_per_second(browser: Browser, path: Path, view: str) -> float:
    page, _ = open_page(browser, path, 1, f"#m={view}")
    page.wait_for_timeout(500)
    at = page.evaluate(FRAMES, [640, 400, DRAG_STEPS, DRAG_PX])
    page.context.close()
    return 1000 / float(np.mean(np.diff(at)))


def median_of(times: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(times))


def report(browser: Browser, name: str, assessment: Assessment, views: list[str], n: int) -> None:
    seconds, _, page = timed(lambda: render_map(assessment))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.html"
        path.write_text(page, encoding="utf-8", newline="\n")
        masts = assessment.sites["site_id"].nunique()
        print(f"{name}: {len(assessment.communes)} communes, {masts} masts")
        print(f"  made in {seconds:.1f} s, {path.stat().st_size / 1e3:.0f} kB")
        for slowdown in (1, 4):
            ready = median_of(n, lambda rate=slowdown: ready_ms(browser, path, rate))
            print(f"  ready in {ready:.0f} ms with 1/{slowdown} of the processor")
        for view in views:
            rate = median_of(n, lambda at=view: frames_per_second(browser, path, at))
            print(f"  {rate:.0f} frames a second while dragged at {view}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--masts", type=int, default=100_000)
    options = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        print(f"Chromium {browser.version}")
        report(browser, "province", province(), ["9/19.9/105.4"], options.times)
        if COMMUNES.exists():
            views = ["6/16/107", "9/21/105.8"]
            report(browser, "country", country(options.masts), views, options.times)
        browser.close()


if __name__ == "__main__":
    main()

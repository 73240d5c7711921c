"""Make `maps/example/`, the website of a part of the demo, and `maps/overview.png`, a picture.

The example has the communes nearest to the middle of the province's capital, with the synthetic
sites and service that belong to them: two runs, a quarter apart, the first without the sites whose
number ends in 8 or 9. With the same versions it is the same bytes, but for the times in `run.json`
and what quotes them. The picture is of the overview of the whole demo; it needs Chromium.

    python maps/make_example.py
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import pandas as pd
from playwright.sync_api import sync_playwright

import phusong as ps
from phusong.publish.site import publish_site

HERE = Path(__file__).resolve().parent
CAPITAL = "14797"  # Phường Hạc Thành
N_COMMUNES = 16
WINDOW = {"width": 1200, "height": 800}


def main() -> None:
    study = ps.demo_study()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        communes = nearest_communes(study.communes)
        communes.to_parquet(folder / "communes.parquet")
        sites = pd.read_csv(study.sites[0], dtype="str")
        sites = sites[sites["commune_name"].isin(communes["commune_name"])]
        service = pd.read_csv(study.service, dtype="str")
        service = service[service["commune_code"].isin(communes["commune_code"])]
        service.to_csv(folder / "service.csv", index=False)
        older = sites[~sites["site_id"].str.endswith(("8", "9"))]
        runs = []
        for name, rows, as_of in (
            ("before", older, date(2026, 3, 31)),
            ("after", sites, date(2026, 6, 30)),
        ):
            rows.to_csv(folder / f"{name}.csv", index=False)
            part = replace(
                study,
                communes=folder / "communes.parquet",
                sites=(folder / f"{name}.csv",),
                service=folder / "service.csv",
                as_of=as_of,
                place="Hạc Thành và các xã gần nhất, Tỉnh Thanh Hóa",
            )
            runs.append(ps.run_study(part, folder / name).folder)
        site = publish_site(runs, HERE / "example", licence="Apache-2.0")
        demo = ps.run_study(study, folder / "demo", with_map=False).folder
        publish_site([demo], folder / "public")
        photograph(folder / "public" / "en" / "index.html", HERE / "overview.png")
    n_bytes = sum(path.stat().st_size for path in site.folder.rglob("*") if path.is_file())
    sys.stdout.write(f"{site.n_pages} pages, {n_bytes / 1e6:.2f} MB → {site.folder}\n")


def nearest_communes(path: Path) -> gpd.GeoDataFrame:
    """Return the embedded communes whose middles are nearest to the capital's."""
    communes = gpd.read_parquet(path)
    middles = communes.to_crs("EPSG:5897").centroid
    capital = middles[communes["commune_code"] == CAPITAL].iloc[0]
    return communes.loc[middles.distance(capital).nsmallest(N_COMMUNES).index].sort_index()


def photograph(page: Path, picture: Path) -> None:
    """Write a picture of a page down to the end of its map."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        window = browser.new_page(viewport=WINDOW, color_scheme="light")
        window.goto(page.as_uri())
        end = window.locator("figure").evaluate("it => it.getBoundingClientRect().bottom")
        clip = {"x": 0, "y": 0, "width": WINDOW["width"], "height": end + 20}
        window.screenshot(path=picture, full_page=True, clip=clip)
        browser.close()


if __name__ == "__main__":
    main()

"""The website of runs: what it shows is what the runs hold, and every way in it leads somewhere."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote
from urllib.request import urlopen

import geopandas as gpd
import html5lib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import masts, square_communes
from rewritten import rewritten

from phusong.cli.publishing import publish
from phusong.errors import InputFileError
from phusong.io.settings import Study
from phusong.io.write import escape_text
from phusong.publish.site import Published, publish_site
from phusong.publish.site.counts import count_sites
from phusong.publish.site.model import file_name
from phusong.publish.site.output import write_site
from phusong.publish.site.serve import SiteServer, open_server
from phusong.publish.texts import share_text
from phusong.publish.webmap import read_map_data, render_page
from phusong.runs import demo_study, run_study
from phusong.words import read_words

MAPS = ("map.html", "compare-map.html")
SPECIAL = ("404.html", *MAPS)
PWNED = "document.title='PWNED'"
HOSTILE = (
    f"</script><script>{PWNED}</script>", "{{ 7*7 }}{% raw %}{# x #}",
    f'<img src=x onerror="{PWNED}">', "javascript:alert(1)", "=HYPERLINK(\"x\") 'a' & \"b\"",
    "Xã \u202eđảo\u202c" + " rất dài" * 60,
)  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The demo, and the demo of a quarter before with half of its sites, which drew no map."""
    folder = tmp_path_factory.mktemp("runs")
    study = demo_study()
    run_study(study, folder / "now")
    sites = pd.read_csv(study.sites[0], dtype=str)
    sites[sites["site_id"].str[-1].isin(list("02468"))].to_csv(folder / "half.csv", index=False)
    before = replace(study, sites=(folder / "half.csv",), as_of=date(2026, 3, 31), cell_m=200.0)
    run_study(before, folder / "before", with_map=False)
    return [folder / "now", folder / "before"]


@pytest.fixture(scope="module")
def site(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "public"
    publish_site(runs, folder, base_url="https://example.org/phu-song")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six communes, of which nobody knows where people live; two operators."""
    folder = tmp_path_factory.mktemp("small")
    square_communes(3, 2).drop(columns="population").to_crs(4326).to_file(folder / "communes.gpkg")
    places = [(501_000, "5G"), (503_000, "5G"), (505_000, "4G")]
    rows = [{"x": x, "y": 2_201_000, "technology": t, "radius_m": 700.0} for x, t in places]
    sites = masts(rows).assign(operator=["Viettel", "MobiFone", "Viettel"]).to_crs(4326)
    sites = sites.assign(lon=sites.geometry.x, lat=sites.geometry.y).drop(columns="geometry")
    sites.to_csv(folder / "sites.csv", index=False)
    study = Study(
        communes=folder / "communes.gpkg", sites=(folder / "sites.csv",),
        as_of=date(2026, 6, 30), place="Tỉnh Thử", sources=("thử",), is_synthetic=True,
    )  # fmt: skip
    return run_study(study, folder / "run", with_map=False).folder


def pages_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def parse(page: Path) -> ET.Element:
    """Return the page as a tree; one that is not valid HTML is an error."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(page.read_bytes(), transport_encoding="utf-8")


def text_of(element: ET.Element | None) -> str:
    assert element is not None
    return "".join(element.itertext()).replace("\u00a0", " ").replace("\u2060", "").strip()


def table_of(tree: ET.Element, caption: str) -> list[list[str]]:
    """Return the body of the table with a caption, cell by cell."""
    (table,) = (t for t in tree.iter("table") if text_of(t.find("caption")) == caption)
    return [[text_of(cell) for cell in row] for row in table.find("tbody")]  # type: ignore[union-attr]


def facts_of(tree: ET.Element) -> dict[str, str]:
    return {text_of(div.find("dt")): text_of(div.find("dd"))
            for div in tree.iter("div") if div.find("dt") is not None}  # fmt: skip


# ---- every page


def test_every_page_is_valid_and_every_way_leads_to_a_file_and_a_place_in_it(site: Path) -> None:
    trees = {page.relative_to(site).as_posix(): parse(page) for page in pages_of(site)
             if page.name not in MAPS}  # fmt: skip
    assert len(trees) == 2 * (166 + 3 + 6) + 1
    ids = {name: {e.get("id") for e in tree.iter() if e.get("id")} for name, tree in trees.items()}
    outside = set()
    for name, tree in trees.items():
        for element in tree.iter():
            for way in (element.get("href"), element.get("src")):
                if way is None:
                    continue
                if re.match(r"[a-z]+:", way):
                    outside.add((element.tag, element.get("rel"), way.split("phu-song/")[0]))
                    continue
                path, _, place = way.partition("#")
                target = (site / name).parent / unquote(path) if path else site / name
                assert target.is_file(), f"{name}: {way}"
                found = target.resolve().relative_to(site.resolve()).as_posix()
                assert not place or found in MAPS or place in ids[found], f"{name}: {way}"
    base = "https://example.org/"  # alternates and the 404 page are whole addresses, ours
    assert {(rel, way) for _, rel, way in outside} <= {
        ("alternate", base), ("stylesheet", base), ("icon", base), (None, base),
    }  # fmt: skip


def test_every_page_has_its_policy_its_language_and_says_what_is_not_real(site: Path) -> None:
    for page in pages_of(site):
        text = page.read_text(encoding="utf-8")
        assert "default-src 'none'" in text
        if page.name in SPECIAL:
            continue
        is_english = page.relative_to(site).parts[0] == "en"
        words = read_words("site", "en" if is_english else "vi")
        assert f'<html lang="{"en" if is_english else "vi"}">' in text
        assert words["synthetic"] in text
        assert words["schematic"] in text
        assert not re.search(r"<[^>]*\s(on\w+|style)=", text)
        scripts = re.findall(r"<script([^>]*)>", text)
        assert all("src=" in script or "ld+json" in script for script in scripts)


def test_headings_follow_each_other_and_every_table_has_a_caption_and_scopes(site: Path) -> None:
    for page in pages_of(site):
        if page.name in SPECIAL or ("commune" in page.parent.name and "1475" not in page.name):
            continue
        tree = parse(page)
        levels = [int(e.tag[1]) for e in tree.iter() if re.fullmatch(r"h[1-6]", str(e.tag))]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b <= a + 1 for a, b in pairwise(levels)), page
        for table in tree.iter("table"):
            assert text_of(table.find("caption"))
            assert all(th.get("scope") in ("row", "col") for th in table.iter("th"))


# ---- figures


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_figures_of_communes_are_those_of_the_tidy_table(
    runs: list[Path], site: Path, lang: str
) -> None:
    words = read_words("site", lang)
    table = pd.read_parquet(runs[0] / "indicators.parquet").set_index(
        ["commune_code", "indicator", "service", "operator"]
    )
    shares = table[["share", "share_low", "share_high"]].to_dict("index")

    def told(*key: str) -> str:
        share, low, high = shares[key].values()
        return share_text(share, low, high, lang) if share == share else words["unknown"]

    folder = site / ("" if lang == "vi" else lang) / "commune"
    for code in sorted(set(table.index.get_level_values(0)))[::11]:
        tree = parse(folder / f"{code}-2025.html")
        of_any = table_of(tree, words["coverage_caption"])
        for row, service in zip(of_any, ("5g", "4g", "mbb", "3g", "2g"), strict=True):
            assert row[1:] == [
                told(code, "share_population", service, "any"),
                told(code, "share_area", service, "any"),
                told(code, "share_population", service, "two_or_more"),
            ]
        caption = words["operators_caption"].format(of=words["of_share_population"])
        by_operator = {row[0]: row[1:-1] for row in table_of(tree, caption)}
        assert sorted(by_operator) == ["MobiFone", "Vietnamobile", "Viettel", "VinaPhone"]
        for operator, cells in by_operator.items():
            assert cells[0] == told(code, "share_population", "5g", operator)
            assert cells[-1] == told(code, "share_population", "2g", operator)
        answers = {np.nan: "unknown", 1.0: "yes", 0.0: "no"}
        for row, tier in zip(table_of(tree, words["broadband_caption"]), range(4), strict=False):
            share = shares[(code, f"broadband_b{tier}", "broadband", "any")]["share"]
            assert row[1] == words[answers.get(share, "unknown")]


def test_table_of_communes_sorts_by_the_numbers_of_communes_csv(
    runs: list[Path], site: Path
) -> None:
    communes = pd.read_csv(runs[0] / "communes.csv", dtype={"commune_code": "str"})
    communes = communes.set_index("commune_code")
    rows = list(parse(site / "communes.html").iter("tr"))[1:]
    assert len(rows) == 166
    for row in rows:
        cells = list(row)
        values = [cell.get("data-value") for cell in cells]
        expected = communes.loc[text_of(cells[0])]
        assert text_of(cells[1]) == expected["commune_name"]
        assert float(values[2]) == expected["population"]  # type: ignore[arg-type]
        for at, name in ((3, "population_5g"), (4, "area_5g"), (5, "population_4g")):
            assert float(values[at]) == pytest.approx(  # type: ignore[arg-type]
                expected[f"share_{name}"], abs=1e-6
            )


def test_what_is_missing_and_why_is_that_of_the_gap_list(runs: list[Path], site: Path) -> None:
    gaps = pd.read_csv(runs[0] / "gaps.csv", dtype={"commune_code": "str"})
    words = read_words("site", "en")
    for gap in gaps.iloc[[0, 50, -1]].to_dict("records"):
        facts = facts_of(parse(site / "en" / "commune" / f"{gap['commune_code']}-2025.html"))
        assert facts[words["missing_short"]] == ", ".join(
            words[f"m_{code}"] for code in gap["missing"].split(";")
        )
        assert facts[words["reason"]] == words[gap["reason"]]
        assert facts[words["certainty"]] == words[gap["certainty"]]
        assert facts[words["uncovered"]] == f"{gap['people_uncovered']:,.0f}"
        assert facts[words["rank"]] == f"{gap['rank']} of {len(gaps)}"
        assert facts[words["nearest"]] == (
            f"{gap['nearest_site_km']:.1f} km · {gap['nearest_site_operator']}"
        )
    without = sorted({*pd.read_csv(runs[0] / "communes.csv", dtype=str)["commune_code"]}
                     - {*gaps["commune_code"]})  # fmt: skip
    page = (site / "en" / "commune" / f"{without[0]}-2025.html").read_text(encoding="utf-8")
    assert words["nothing_missing"] in page


def test_targets_say_their_figures_and_list_the_communes_that_are_short(
    runs: list[Path], site: Path
) -> None:
    words = read_words("site", "vi")
    for target in json.loads((runs[0] / "targets.json").read_text(encoding="utf-8"))["targets"]:
        tree = parse(site / "target" / f"{target['target_id']}.html")
        rows = table_of(tree, words["readings_caption"])
        for row, reading in zip(rows, target["readings"], strict=True):
            triple = [reading[name] for name in ("share", "share_low", "share_high")]
            triple = [np.nan if x is None else x for x in triple]
            assert row[:2] == [reading["label_vi"], share_text(*triple, "vi")]
        caption = words["short_caption"].format(n=len(target["communes_short"]))
        listed = [row[0] for row in table_of(tree, caption)]
        assert listed == target["communes_short"]


def test_what_is_not_known_is_said_to_be_unknown_and_never_nothing(
    small: Path, tmp_path: Path
) -> None:
    run = rewritten(
        small, tmp_path / "run", lambda folder: (folder / "sites_by_commune.csv").unlink()
    )
    publish_site([run], tmp_path / "public")
    words = read_words("site", "vi")
    tree = parse(tmp_path / "public" / "commune" / "00001-2025.html")
    facts = facts_of(tree)
    assert facts[words["people"]] == facts[words["uncovered"]] == words["unknown"]
    people = [row[1] for row in table_of(tree, words["coverage_caption"])]
    assert set(people) == {words["unknown"]}
    assert words["not_assessed"] in text_of(tree)
    assert words["no_counts"] in text_of(tree)
    assert words["basis_area"] in text_of(tree)
    overview = parse(tmp_path / "public" / "index.html")
    assert facts_of(overview)[words["people"]] == words["unknown"]
    assert words["not_measured"] in text_of(overview)
    assert words["people_unknown"] in text_of(overview)
    for row in list(parse(tmp_path / "public" / "communes.html").iter("tr"))[1:]:
        assert [cell.get("data-value") for cell in row][2] == ""


def test_a_commune_whose_share_is_unknown_is_hatched(small: Path, tmp_path: Path) -> None:
    def forget(folder: Path) -> None:
        table = pd.read_parquet(folder / "indicators.parquet")
        is_first = table["commune_code"] == "00001"
        shares = ["share", "share_low", "share_high"]
        table.loc[is_first, shares] = np.nan
        table.to_parquet(folder / "indicators.parquet", index=False)

    publish_site([rewritten(small, tmp_path / "run", forget)], tmp_path / "public")
    drawings = tmp_path / "public" / "outlines"
    for code, is_hatched in (("00001", True), ("00002", True), ("00003", False)):
        svg = (drawings / f"{code}-2025.svg").read_text(encoding="utf-8")
        ET.fromstring(svg)  # noqa: S314 (ours)
        assert ('fill="url(#unknown)"' in svg) is is_hatched
    overview = (tmp_path / "public" / "index.html").read_text(encoding="utf-8")
    assert overview.count('<path fill="url(#unknown)"') == 1


@pytest.mark.parametrize("basis", ["area", "areas", "even", "population"])
def test_a_gap_says_by_what_people_were_placed_where_nobody_knows(
    small: Path, tmp_path: Path, basis: str
) -> None:
    def place(folder: Path) -> None:
        gaps = pd.read_csv(folder / "gaps.csv", dtype="str", keep_default_na=False)
        gaps.assign(basis=basis).to_csv(folder / "gaps.csv", index=False)

    publish_site([rewritten(small, tmp_path / "run", place)], tmp_path / "public")
    words = read_words("site", "en")
    text = text_of(parse(tmp_path / "public" / "en" / "commune" / "00001-2025.html"))
    said = {name for name in ("area", "areas", "even") if words[f"basis_{name}"] in text}
    assert said == {basis} - {"population"}


def test_neighbours_are_those_that_touch_and_have_the_numbers_of_the_map(
    small: Path, tmp_path: Path
) -> None:
    publish_site([small], tmp_path / "public")
    tree = parse(tmp_path / "public" / "commune" / "00002-2025.html")  # the middle of three by two
    rows = table_of(tree, read_words("site", "vi")["neighbours_caption"])
    assert [row[:2] for row in rows] == [
        ["1", "Xã 1"], ["2", "Xã 3"], ["3", "Xã 4"], ["4", "Xã 5"], ["5", "Xã 6"],
    ]  # fmt: skip
    svg = (tmp_path / "public" / "outlines" / "00002-2025.svg").read_text(encoding="utf-8")
    assert re.findall(r"<text[^>]*>(\d)", svg) == ["1", "2", "3", "4", "5"]


def test_sites_are_counted_on_air_by_commune_and_shown(small: Path, tmp_path: Path) -> None:
    communes = gpd.read_parquet(small / "communes.parquet")
    cells = [("5G", "on_air"), ("5G", None), ("5G", "planned"), ("4G", "on_air")]
    rows = [{"x": 501_000, "y": 2_201_000, "technology": t, "status": s} for t, s in cells]
    sites = masts(rows).assign(
        operator="Viettel", commune_code=["00001"] * 3 + [pd.NA], site_id=["A", "A", "B", "C"]
    )
    counts = count_sites(communes, sites)
    assert counts.to_dict("records") == [
        {"commune_code": "00001", "vintage": "2025", "operator": "Viettel", "technology": "5G",
         "n_sites": 1, "n_cells": 2}
    ]  # fmt: skip
    run = rewritten(
        small, tmp_path / "run",
        lambda folder: counts.to_csv(folder / "sites_by_commune.csv", index=False),
    )  # fmt: skip
    publish_site([run], tmp_path / "public")
    words, folder = read_words("site", "vi"), tmp_path / "public" / "commune"
    assert table_of(parse(folder / "00001-2025.html"), words["sites_caption"]) == [["Viettel", "1"]]
    assert words["no_site"] in text_of(parse(folder / "00002-2025.html"))


# ---- several runs


def test_history_has_a_row_for_each_run_in_order(runs: list[Path], site: Path) -> None:
    words = read_words("site", "vi")
    caption = words["history_caption"].format(
        what=words["covered_by"].format(of=words["of_share_population"], service="5G")
    )
    tree = parse(site / "commune" / "15553-2025.html")
    rows = table_of(tree, caption)
    assert [row[0] for row in rows] == ["31/03/2026", "30/06/2026"]
    for row, run in zip(rows, reversed(runs), strict=True):
        communes = pd.read_parquet(run / "communes.parquet").set_index("commune_code")
        triple = [
            communes.loc["15553", f"share_population_5g{end}"] for end in ("", "_low", "_high")
        ]
        assert row[1] == share_text(*triple, "vi")
    (chart,) = (svg for svg in tree.iter() if svg.get("class") == "chart")
    assert sum(str(e.tag).endswith("circle") for e in chart.iter()) == 2


def test_comparison_shows_both_runs_and_the_people_gained(runs: list[Path], site: Path) -> None:
    after, before = (
        pd.read_parquet(run / "communes.parquet").set_index("commune_code") for run in runs
    )
    row = next(r for r in parse(site / "compare.html").iter("tr") if text_of(r[0]) == "15553")
    share = "share_population_5g"
    gained = (after.loc["15553", share] - before.loc["15553", share]) * after.loc[
        "15553", "population"
    ]
    values = [cell.get("data-value") for cell in row]
    assert float(values[2]) == pytest.approx(before.loc["15553", share], abs=1e-6)  # type: ignore[arg-type]
    assert float(values[3]) == pytest.approx(after.loc["15553", share], abs=1e-6)  # type: ignore[arg-type]
    assert float(values[4]) == pytest.approx(gained, rel=1e-3)  # type: ignore[arg-type]


def test_maps_are_that_of_the_last_run_and_the_two_that_the_runs_drew_side_by_side(
    runs: list[Path], site: Path, tmp_path: Path
) -> None:
    after = read_map_data(runs[0] / "map.html")
    before = after | {"as_of": "2026-03-31"}
    earlier = rewritten(
        runs[1], tmp_path / "earlier",
        lambda folder: (folder / "map.html").write_text(render_page(before), encoding="utf-8"),
    )  # fmt: skip
    public = tmp_path / "public"
    publish_site([earlier, runs[0]], public)
    assert (public / "map.html").read_bytes() == (runs[0] / "map.html").read_bytes()
    shown = (public / "compare-map.html").read_text(encoding="utf-8")
    assert shown == render_page(after, before)
    assert not (site / "compare-map.html").exists()


def test_method_names_what_differs_between_the_runs(site: Path) -> None:
    words = read_words("site", "en")
    tree = parse(site / "en" / "method.html")
    assert ["cell_m", "200.0", "100.0"] in table_of(tree, words["differences_caption"])
    assert [row[0] for row in table_of(tree, words["runs_caption"])] == ["2026-06-30", "2026-03-31"]


def test_feed_has_an_entry_for_each_run_the_latest_first(runs: list[Path], site: Path) -> None:
    feed = ET.parse(site / "en" / "feed.xml").getroot()  # noqa: S314 (ours)
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [entry.findtext(f"{atom}title") for entry in feed.iter(f"{atom}entry")]
    assert titles == ["As of 2026-06-30", "As of 2026-03-31"]
    ids = [e.text for e in feed.iter(f"{atom}id")]
    assert len(set(ids)) == 3
    finished = json.loads((runs[0] / "run.json").read_text())["finished"]
    assert feed.findtext(f"{atom}updated") == finished


def test_sitemap_lists_every_page_once_with_its_whole_address(
    site: Path, runs: list[Path], tmp_path: Path
) -> None:
    tree = ET.parse(site / "sitemap.xml").getroot()  # noqa: S314 (ours)
    found = [str(url[0].text) for url in tree]
    pages = [page.relative_to(site) for page in pages_of(site) if page.name not in SPECIAL]
    assert sorted(found) == sorted(f"https://example.org/phu-song/{p.as_posix()}" for p in pages)
    done = publish_site(runs[:1], tmp_path / "public")
    assert not (tmp_path / "public" / "sitemap.xml").exists()
    assert any("sitemap" in note for note in done.notes)


# ---- files to take away


def test_downloads_are_the_files_of_the_run_with_their_sha256(runs: list[Path], site: Path) -> None:
    words = read_words("site", "vi")
    tree = parse(site / "downloads.html")
    rows = table_of(tree, words["downloads_caption"].format(day="30/06/2026"))
    assert {"communes.csv", "communes.gpkg", "communes.parquet", "gaps.xlsx"} <= {
        r[0] for r in rows
    }
    for name, _, size, sha256 in rows:
        copy = (site / "data" / "2026-06-30" / name).read_bytes()
        assert copy == (runs[0] / name).read_bytes()
        assert sha256 == hashlib.sha256(copy).hexdigest()
        assert int(re.sub(r"\D", "", size)) == len(copy)
    assert not (site / "data" / "2026-06-30" / "quarantine.csv").exists()


def test_dataset_is_described_for_search_engines(runs: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "public"
    publish_site(runs[:1], folder, base_url="https://example.org/a/", licence="CC-BY-4.0")
    tree = parse(folder / "en" / "downloads.html")
    (block,) = (e for e in tree.iter("script") if e.get("type") == "application/ld+json")
    dataset = json.loads(str(block.text))
    assert dataset["@type"] == "Dataset"
    assert dataset["license"] == "https://creativecommons.org/licenses/by/4.0/"
    for file in dataset["distribution"]:
        name = file["contentUrl"].removeprefix("https://example.org/a/")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]
    assert "https://creativecommons.org/licenses/by/4.0/" in {e.get("href") for e in tree.iter("a")}


def test_example_that_is_kept_is_whole_small_and_says_that_it_is_not_real() -> None:
    folder = Path(__file__).parents[1] / "maps" / "example"
    if not folder.is_dir():
        pytest.skip("the example is not in this tree")
    listed = json.loads((folder / "site.json").read_text(encoding="utf-8"))["files"]
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "site.json"]
    found = {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()) for p in files}
    assert {name: digest.hexdigest() for name, digest in found.items()} == listed
    assert sum(path.stat().st_size for path in files) < 3_000_000
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert read_words("site", "vi")["synthetic"] in page
    assert read_words("site", "vi")["schematic"] in page


# ---- writing again


def states(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "site.json"]
    return {str(f.relative_to(folder)): (f.stat().st_mtime_ns, f.read_bytes()) for f in files}


def test_publishing_again_touches_nothing_and_elsewhere_gives_the_same_bytes(
    small: Path, tmp_path: Path
) -> None:
    first = publish_site([small], tmp_path / "one")
    before = states(tmp_path / "one")
    again = publish_site([small], tmp_path / "one")
    assert (first.files.unchanged, again.files.written) == (0, 0)
    assert states(tmp_path / "one") == before
    publish_site([small], tmp_path / "two")
    assert {n: b for n, (_, b) in states(tmp_path / "two").items()} == {
        n: b for n, (_, b) in before.items()
    }


def test_a_changed_commune_changes_its_own_pages_and_one_that_is_gone_goes(
    small: Path, tmp_path: Path
) -> None:
    publish_site([small], tmp_path / "public")
    before = states(tmp_path / "public")

    def change(folder: Path) -> None:
        communes = gpd.read_parquet(folder / "communes.parquet")
        communes["commune_name"] = communes["commune_name"].replace("Xã 1", "Xã Một")
        communes[communes["commune_code"] != "00006"].to_parquet(folder / "communes.parquet")
        for name in ("targets.json", "summary.json"):
            data = json.loads((folder / name).read_text(encoding="utf-8"))
            for target in data["targets"]:
                for codes in ("communes_short", "communes_undetermined"):
                    target[codes] = [code for code in target[codes] if code != "00006"]
            (folder / name).write_text(json.dumps(data), encoding="utf-8")
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        summary["worst_communes"] = [
            w for w in summary["worst_communes"] if w["commune_code"] != "00006"
        ]
        (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")

    done = publish_site([rewritten(small, tmp_path / "run", change)], tmp_path / "public")
    assert set(done.files.removed) == {
        "commune/00006-2025.html", "en/commune/00006-2025.html", "outlines/00006-2025.svg",
    }  # fmt: skip
    assert not (tmp_path / "public" / "commune" / "00006-2025.html").exists()
    after = states(tmp_path / "public")
    assert after["outlines/00001-2025.svg"] == before["outlines/00001-2025.svg"]
    assert "Xã Một" in after["commune/00001-2025.html"][1].decode()


def test_only_what_we_made_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "public"
    write_site(folder, {"a/old.html": lambda: b"old", "b.html": lambda: b"b"}, about={})
    (folder / "a" / "mine.txt").write_text("mine")
    (folder / "b.html").write_text("mended by hand")
    done = write_site(folder, {"c.html": lambda: b"c"}, about={})
    assert done.removed == ("a/old.html",)
    assert done.kept == ("b.html",)
    assert (folder / "a" / "mine.txt").exists()
    assert (folder / "b.html").read_text() == "mended by hand"


def test_a_file_of_someone_else_is_never_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "public"
    write_site(folder, {"a.html": lambda: b"a"}, about={})
    (folder / "b.html").write_text("mine")
    with pytest.raises(InputFileError, match=r"b\.html: is there and the site does not list it"):
        write_site(folder, {"b.html": lambda: b"b"}, about={})
    assert (folder / "b.html").read_text() == "mine"
    assert (folder / "a.html").exists()


def test_publish_takes_a_folder_that_holds_runs_beside_other_things(
    small: Path, tmp_path: Path
) -> None:
    shutil.copytree(small, tmp_path / "runs" / "2026q2")
    (tmp_path / "runs" / "inputs").mkdir()
    given = [str(tmp_path / "runs"), "-o", str(tmp_path / "public")]
    done = CliRunner().invoke(publish, given)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "public" / "index.html").exists()


def test_a_folder_that_is_no_site_is_refused(small: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InputFileError, match=r"holds thesis\.docx and no site\.json"):
        publish_site([small], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_list_of_files_that_leads_out_of_the_folder_is_no_order(tmp_path: Path) -> None:
    folder, other = tmp_path / "public", tmp_path / "other.txt"
    other.write_text("mine")
    folder.mkdir()
    names = {"../other.txt": None, str(other): None, "a/../../other.txt": None}
    (folder / "site.json").write_text(json.dumps({"files": names}))
    done = write_site(folder, {"a.html": lambda: b"a"}, about={})
    assert done.removed == ()
    assert other.exists()


def test_a_site_that_was_cut_short_is_mended_by_publishing_again(tmp_path: Path) -> None:
    folder = tmp_path / "public"

    def fail() -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_site(folder, {"a.html": lambda: b"a", "b.html": fail}, about={})
    assert json.loads((folder / "site.json").read_text())["is_whole"] is False
    done = write_site(folder, {"b.html": lambda: b"b"}, about={})
    assert done.removed == ("a.html",)
    assert {path.name for path in folder.iterdir()} == {"b.html", "site.json"}


# ---- what is refused


def test_what_is_no_whole_run_is_refused(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "public"
    with pytest.raises(InputFileError, match="not the folder of a run"):
        publish_site([tmp_path / "nowhere"], out)
    half = Path(shutil.copytree(small, tmp_path / "half"))
    (half / "run.json").unlink()
    with pytest.raises(InputFileError, match=r"holds no run\.json"):
        publish_site([half], out)
    changed = Path(shutil.copytree(small, tmp_path / "changed"))
    (changed / "gaps.csv").write_text("x")
    with pytest.raises(InputFileError, match=r"gaps\.csv: was changed after the run"):
        publish_site([changed], out)
    poor = rewritten(small, tmp_path / "poor", lambda folder: (folder / "gaps.csv").unlink())
    with pytest.raises(InputFileError, match=r"did not write gaps\.csv"):
        publish_site([poor], out)
    strange = rewritten(
        small, tmp_path / "strange", lambda folder: (folder / "targets.json").write_text("[]")
    )
    with pytest.raises(InputFileError, match="not what a run writes"):
        publish_site([strange], out)

    def forget(folder: Path) -> None:
        data = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        del data["rows"]
        (folder / "summary.json").write_text(json.dumps(data), encoding="utf-8")

    older = rewritten(small, tmp_path / "older", forget)
    with pytest.raises(InputFileError, match=r"summary\.json: lacks rows"):
        publish_site([older], out)

    def lose(folder: Path) -> None:
        communes = gpd.read_parquet(folder / "communes.parquet")
        communes[communes["commune_code"] != "00003"].to_parquet(folder / "communes.parquet")

    lossy = rewritten(small, tmp_path / "lossy", lose)
    with pytest.raises(InputFileError, match=r"communes\.parquet does not hold: 00003"):
        publish_site([lossy], out)
    assert not out.exists()


def test_runs_that_do_not_belong_together_are_refused(small: Path, tmp_path: Path) -> None:
    other = rewritten(small, tmp_path / "other", lambda folder: None, cell_m=50.0)
    with pytest.raises(InputFileError, match="two different runs of 2026-06-30"):
        publish_site([small, other], tmp_path / "public")

    def move(folder: Path) -> None:
        communes = gpd.read_parquet(folder / "communes.parquet")
        communes.assign(province_code="01").to_parquet(folder / "communes.parquet")

    away = rewritten(small, tmp_path / "away", move, as_of="2026-03-31")
    with pytest.raises(InputFileError, match=r"\['01'\] and \['38'\], expected runs of one area"):
        publish_site([small, away], tmp_path / "public")
    assert publish_site([small, small], tmp_path / "public").n_pages > 0


@pytest.mark.parametrize(
    "address", ["example.org", "ftp://example.org/", "https://a/?q", 'https://a/"']
)
def test_base_url_that_is_no_address_is_refused(small: Path, tmp_path: Path, address: str) -> None:
    with pytest.raises(InputFileError, match="expected an address such as"):
        publish_site([small], tmp_path / "public", base_url=address)


# ---- hostile text


def make_hostile(folder: Path) -> None:
    """Write names that try to be markup, templates, addresses and code wherever there are names."""
    communes = gpd.read_parquet(folder / "communes.parquet")
    communes["commune_name"] = list(HOSTILE)
    communes.to_parquet(folder / "communes.parquet")
    table = pd.read_parquet(folder / "indicators.parquet")
    table["operator"] = table["operator"].replace({"Viettel": HOSTILE[0], "MobiFone": HOSTILE[2]})
    table.to_parquet(folder / "indicators.parquet", index=False)
    gaps = pd.read_csv(folder / "gaps.csv", dtype="str", keep_default_na=False)
    gaps["operators_present"] = gaps["nearest_site_operator"] = escape_text(HOSTILE[4])
    gaps["reason"] = HOSTILE[1]
    gaps.to_csv(folder / "gaps.csv", index=False)
    for name in ("targets.json", "summary.json"):
        data = json.loads((folder / name).read_text(encoding="utf-8"))
        for i, target in enumerate(data["targets"]):
            target |= {"target_id": f"../../{i}{HOSTILE[0]}", "document": HOSTILE[2]}
            target |= {"title_vi": HOSTILE[0], "title_en": HOSTILE[2], "words_vi": HOSTILE[1]}
        if name == "summary.json":
            data |= {"sources": list(HOSTILE), "notes": [*HOSTILE, "a\x00\x1b\ud800b"]}
            for worst, text in zip(data["worst_communes"], HOSTILE, strict=False):
                worst["commune_name"] = text
        (folder / name).write_text(json.dumps(data), encoding="utf-8")


@pytest.fixture(scope="module")
def hostile(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    run = rewritten(small, folder / "run", make_hostile, place=HOSTILE[0], sources=list(HOSTILE))
    publish_site([run], folder / "public")
    return folder / "public"


def test_hostile_text_is_shown_as_it_is_and_is_nothing_else(hostile: Path) -> None:
    for i, name in enumerate(HOSTILE, start=1):
        tree = parse(hostile / "commune" / f"0000{i}-2025.html")
        assert text_of(next(tree.iter("h1"))) == name
        assert HOSTILE[0] in text_of(next(tree.iter("title")))
    for page in pages_of(hostile):
        tree = parse(page)
        sources = {e.get("src") for e in tree.iter() if e.get("src") is not None}
        assert all(re.fullmatch(r"[./\w-]+\.(js|svg)", str(source)) for source in sources)
        hrefs = {e.get("href") for e in tree.iter() if e.get("href") is not None}
        assert all(re.fullmatch(r"#?[./\w-]+", str(href)) for href in hrefs), hrefs
        scripts = [text_of(e) for e in tree.iter("script")]
        assert all(not script or json.loads(script)["@type"] == "Dataset" for script in scripts)
    overview = parse(hostile / "index.html")
    names = {text_of(link) for link in overview.iter("a")}
    assert set(HOSTILE[:1]) <= names
    facts = facts_of(parse(hostile / "commune" / "00006-2025.html"))
    assert (
        facts[read_words("site", "vi")["operators_present"]] == HOSTILE[4]
    )  # the apostrophe is gone
    for feed in ("feed.xml", "en/feed.xml"):
        ET.parse(hostile / feed)  # noqa: S314 (ours)


def test_files_of_strange_codes_have_plain_names_of_their_own() -> None:
    codes = ["../../etc/passwd", "a/b", "", "CON", "a", "A", "\u202e", "x" * 500, "1-2", "1"]
    names = [file_name(code, "2025") for code in codes]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]{1,64}", name) for name in names)
    assert names[4] == "a-2025"
    assert file_name("1-2", "3") != file_name("1", "2-3")


# ---- the command


def test_command_says_what_it_wrote_and_refuses_with_2(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "public"
    done = CliRunner().invoke(publish, [str(small), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "pages; of all files" in done.stdout
    assert (out / "index.html").as_uri() in done.stdout
    assert "no sitemap.xml" in done.stderr
    assert "only the static map" in done.stderr
    again = CliRunner().invoke(publish, [str(small), "-o", str(out)])
    assert " 0 written" in again.stdout
    refused = CliRunner().invoke(publish, [str(tmp_path), "-o", str(out)])
    assert refused.exit_code == 2
    assert "run.json" in refused.stderr


def test_published_counts_its_pages(site: Path, small: Path, tmp_path: Path) -> None:
    done: Published = publish_site([small], tmp_path / "public")
    assert done.n_pages == len(pages_of(tmp_path / "public"))
    assert done.files.written == len(states(tmp_path / "public"))


# ---- looking at it on this machine


@contextmanager
def serving(folder: Path) -> Iterator[SiteServer]:
    with open_server(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: SiteServer, path: str, *, method: str = "GET", host: str | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    connection.close()
    return found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[SiteServer]:
    folder = tmp_path / "public"
    names = ("index.html", "en/index.html", "404.html", "a/b.svg", "data/x.csv")
    write_site(folder, {name: name.encode for name in names}, about={})
    (folder / "mine.html").write_text("not of the site")
    (tmp_path / "secret.html").write_text("secret")
    (folder / "data" / "x.csv").unlink()
    (folder / "data" / "x.csv").symlink_to(tmp_path / "secret.html")
    with serving(folder) as server:
        yield server


def test_server_gives_pages_with_their_types_and_headers(served: SiteServer) -> None:
    for path, told in (("/", "index.html"), ("/en/", "en/index.html"), ("/index.html?a#b", None)):
        status, headers, body = ask(served, path)
        assert status == 200
        assert body == (told or "index.html").encode()
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
    status, headers, body = ask(served, "/a/b.svg", method="HEAD")
    assert (status, headers["content-type"], body) == (200, "image/svg+xml", b"")
    assert headers["content-length"] == "7"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.html", "/%2e%2e/secret.html", "/..%2fsecret.html", "//etc/passwd",
        "/a/../../secret.html", "/a%00b", "/data/x.csv", "/mine.html", "/a/", "/a", "/site.json",
        "/..\\secret.html", "/%252e%252e/secret.html", "/en//index.html", "/./index.html",
    ],
)  # fmt: skip
def test_server_gives_nothing_that_the_site_does_not_list(served: SiteServer, path: str) -> None:
    status, _, body = ask(served, path)
    assert status == 404
    assert body == b"404.html"


def test_server_answers_this_machine_only_and_reads_only(served: SiteServer) -> None:
    assert served.server_address[0] == "127.0.0.1"
    port = served.server_port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}"):
        assert ask(served, "/", host=host)[0] == 421
    assert ask(served, "/", host=f"localhost:{port}")[0] == 200
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(served, "/", method=method)[0] == 501


def test_serving_ends_at_ctrl_c_with_the_code_of_a_stop(small: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from phusong.cli.publishing import publish; publish()",
               str(small), "-o", str(tmp_path / "public"), "--serve"]  # fmt: skip
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert job.stdout is not None
    lines = iter(job.stdout.readline, "")
    url = next(line for line in lines if "http://" in line).split()[1]
    with urlopen(url, timeout=10) as answer:  # noqa: S310 (ours)
        assert b"<!doctype html>" in answer.read()
    job.send_signal(signal.SIGINT)
    assert job.wait(timeout=20) == 130
    assert "stopped by SIGINT" in job.communicate()[1]

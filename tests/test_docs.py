"""The pages of docs/: all in the site, links that lead somewhere, figures that are drawn anew."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import phusong
from phusong.layers import LAYERS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.glob("*.md") if path.stem != "index")
sys.path.insert(0, str(DOCS))

from draw_house import draw_house  # noqa: E402
from generate import api_page, columns_of  # noqa: E402


def test_every_page_is_in_the_site() -> None:
    listed = (DOCS / "index.md").read_text(encoding="utf-8").split()
    assert [page.stem for page in PAGES if page.stem not in listed] == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"],
                         ids=lambda path: path.name)  # fmt: skip
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
    named = re.findall(
        r"`((?:docs|notebooks|benchmarks|tests|coverage/phusong)/[\w./-]+\.\w+)`", text
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_picture_of_the_house_is_that_of_the_contract() -> None:
    assert (DOCS / "house.svg").read_text(encoding="utf-8") == draw_house(ROOT / "pyproject.toml")


def test_every_layer_and_every_public_name_has_its_place() -> None:
    formats = (DOCS / "formats.md").read_text(encoding="utf-8")
    included = set(re.findall(r"generated/(\w+)\.inc\.md", formats))
    assert {"communes", "sites", "service", "villages", "places", "measurements"} <= included
    assert included <= set(LAYERS)
    table = columns_of(LAYERS["sites"])
    assert all(f"| `{column.name}` |" in table for column in LAYERS["sites"].columns)
    page = api_page()
    assert all(f":: phusong.{name}\n" in page for name in phusong.__all__)


def test_terms_of_the_glossary_stand_once() -> None:
    rows = (DOCS / "glossary.md").read_text(encoding="utf-8").splitlines()
    terms = [row.split("|")[1].strip() for row in rows if row.startswith("| ")]
    assert len(terms) == len(set(terms)) > 30


def headings(text: str) -> list[int]:
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", outside, re.MULTILINE)]


def test_vietnamese_readme_has_the_headings_and_commands_of_the_english_one() -> None:
    en, vi = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.vi.md"))
    assert headings(vi) == headings(en)
    shell = r"```sh\n(.*?)```"
    commands = [
        [line.partition("#")[0].strip() for block in re.findall(shell, text, re.DOTALL)
         for line in block.splitlines() if line.strip()]
        for text in (en, vi)
    ]  # fmt: skip
    assert [line.replace(" --lang en", "") for line in commands[0]] == commands[1]
    rows = [set(re.findall(r"^\| `phusong (\w+)", text, re.MULTILINE)) for text in (en, vi)]
    assert rows[0] == rows[1]


def shape(text: str) -> list[tuple[int, ...]]:
    """Return rows of tables, items of lists and blocks of code of each section of a README."""
    outside = re.sub(r"```\w*\n.*?```", "¤", text, flags=re.DOTALL)
    sections = re.split(r"^#+ .*$", outside, flags=re.MULTILINE)
    return [
        tuple(len(re.findall(mark, section, re.MULTILINE)) for mark in (r"^\|", r"^- ", "¤"))
        for section in sections
    ]


def test_vietnamese_readme_has_the_tables_lists_and_code_of_the_english_one() -> None:
    en, vi = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.vi.md"))
    assert shape(vi) == shape(en)
    named = [set(re.findall(r"`(ps\.\w+)`", text)) for text in (en, vi)]
    assert named[0] == named[1]

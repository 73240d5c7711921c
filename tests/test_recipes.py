"""The recipes of both READMEs print what the READMEs show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from recipes import LEFT_OUT, ROOT, Recipe, first_lie, play, read_recipes

READMES = ("README.md", "README.vi.md")


def test_a_line_that_is_not_printed_is_a_lie() -> None:
    assert first_lie("a\n…\nd 1…3", "a\nb\n\nc\nd 123\n") is None
    assert first_lie("a\nc", "a\nb\nc") == "c"
    assert first_lie("…\nb\na", "a\nb") == "a"
    assert first_lie("a", "a\nb") == "the end"


@pytest.mark.parametrize("name", READMES)
def test_recipes_show_enough_to_be_held_to(name: str) -> None:
    first, *recipes = read_recipes(ROOT / name)
    assert first.shown == ""
    assert len(recipes) == 5
    for recipe in recipes:
        told = [line for line in recipe.shown.splitlines() if line.strip() not in ("", LEFT_OUT)]
        assert len(told) >= 6, recipe.commands


@pytest.mark.parametrize("name", READMES)
def test_recipes_print_what_the_readme_shows(name: str, tmp_path: Path) -> None:
    for recipe in read_recipes(ROOT / name):
        printed = play(recipe, tmp_path)
        if recipe.shown:
            assert first_lie(recipe.shown, printed) is None, printed


def test_vietnamese_readme_begins_with_what_the_demo_prints(tmp_path: Path) -> None:
    text = (ROOT / "README.vi.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[0]
    printed = play(Recipe(("phusong demo --no-map -o demo",), ""), tmp_path)
    assert first_lie(f"{shown}{LEFT_OUT}", printed) is None

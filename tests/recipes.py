"""Play the recipes of a README as a reader would; hold what it shows against what is printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from phusong.cli import main

ROOT = Path(__file__).parents[1]
LEFT_OUT = "…"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Commands of a block, and the block of what they print; empty where none is shown."""

    commands: tuple[str, ...]
    shown: str


def read_recipes(readme: Path) -> list[Recipe]:
    """Return the recipes of the section that is the only one with numbered headings."""
    text = readme.read_text(encoding="utf-8")
    (section,) = (s for s in re.split(r"^## ", text, flags=re.MULTILINE) if "\n### 1. " in s)
    found: list[Recipe] = []
    for kind, body in BLOCK.findall(section):
        if kind == "sh":
            found.append(Recipe(tuple(body.splitlines()), ""))
        else:
            found[-1] = Recipe(found[-1].commands, body)
    return found


def play(recipe: Recipe, folder: Path) -> str:
    """Run the commands in `folder`, where the examples are; return what they print."""
    if not (folder / "examples").exists():
        (folder / "examples").symlink_to(ROOT / "examples")
    return "".join(_run(shlex.split(command), folder) for command in recipe.commands)


def _run(words: list[str], folder: Path) -> str:
    if words[0] == "python":
        command = [sys.executable, *words[1:]]
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True
        ).stdout
    assert words[0] == "phusong", words
    with chdir(folder):
        done = CliRunner().invoke(main, words[1:])
    assert done.exit_code == 0, done.output
    return done.stdout


def first_lie(shown: str, printed: str) -> str | None:
    """Return the first line that is shown and not printed at its place, or None.

    A line of "…" stands for any lines, and "…" within a line for any text. Blank lines and the
    ends of lines do not count.

    >>> first_lie("a\\n…\\nd 1…3", "a\\nb\\n\\nc\\nd 123")
    >>> first_lie("a\\nc", "a\\nb\\nc")
    'c'
    >>> first_lie("a", "a\\nb")
    'the end'
    """
    lines = [line.rstrip() for line in printed.splitlines() if line.strip()]
    at, may_skip = 0, False
    for line in (line.rstrip() for line in shown.splitlines() if line.strip()):
        if line == LEFT_OUT:
            may_skip = True
            continue
        pattern = re.compile(".*".join(map(re.escape, line.split(LEFT_OUT))))
        places = range(at, len(lines) if may_skip else min(at + 1, len(lines)))
        place = next((i for i in places if pattern.fullmatch(lines[i])), None)
        if place is None:
            return line
        at, may_skip = place + 1, False
    return None if may_skip or at == len(lines) else "the end"

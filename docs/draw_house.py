"""Draw the floors of the house as the import contract in pyproject.toml has them: docs/house.svg.

python docs/draw_house.py
"""

from __future__ import annotations

import textwrap
import tomllib
from html import escape
from pathlib import Path

DOCS = Path(__file__).parent
WIDTH, LINE, LEFT, LETTERS = 900, 18, 150, 96
NAMES = {
    "__main__": "start", "cli": "verbs", "publish": "the face", "io": "the edges: files",
    "zonal": "cells in communes", "errors": "what all know",
}  # fmt: skip


def draw_house(pyproject: Path) -> str:
    """Return the picture as SVG: a box a floor, the highest first; imports only point down."""
    contract = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["importlinter"]
    parts, y = [], 10
    for floor in contract["contracts"][0]["layers"]:
        rooms = [room.strip() for room in floor.split("|")]
        lines = textwrap.wrap("  ·  ".join(rooms), LETTERS)
        height = LINE * len(lines) + 12
        parts.append(
            f'<rect x="{LEFT}" y="{y}" width="{WIDTH - LEFT - 10}" height="{height}" rx="4" '
            'fill="#eef4f8" stroke="#5b7f95"/>'
        )
        title = NAMES.get(rooms[0], "")
        parts.append(f'<text x="10" y="{y + 20}" fill="#555">{escape(title)}</text>')
        parts += [
            f'<text x="{LEFT + 10}" y="{y + 20 + LINE * i}">{escape(line)}</text>'
            for i, line in enumerate(lines)
        ]
        y += height + 8
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 4}" width="{WIDTH}" '
        'font-family="sans-serif" font-size="13" role="img" aria-label="Floors of phusong">'
        f'<rect width="{WIDTH}" height="{y + 4}" fill="#fff"/>'
    )
    return "\n".join([head, *parts, "</svg>", ""])


if __name__ == "__main__":
    (DOCS / "house.svg").write_text(draw_house(DOCS.parent / "pyproject.toml"), encoding="utf-8")

"""What the site takes from the code each time it is built: columns of layers, public names."""

from __future__ import annotations

from pathlib import Path

import phusong
from phusong.layers import LAYERS, Layer

__all__ = ["api_page", "columns_of", "write_generated"]

# Besides the names of `phusong` itself, what an analyst of radio calls.
RADIO = ("calibration", "freespace", "itm", "linkbudget", "p1812", "reliability", "surroundings",
         "tr38901", "sweep", "refresh")  # fmt: skip


def write_generated(folder: Path) -> None:
    """Write the pages and the tables that others include."""
    folder.mkdir(exist_ok=True)
    (folder / "api.md").write_text(api_page(), encoding="utf-8")
    for name, layer in LAYERS.items():
        (folder / f"{name}.inc.md").write_text(columns_of(layer), encoding="utf-8")


def columns_of(layer: Layer) -> str:
    """Return the columns of a layer as a table."""
    head = ("column", "kind", "unit", "limits or values", "needed", "meaning")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for column in layer.columns:
        low, high = column.minimum, column.maximum
        span = ", ".join(column.choices)
        if low is not None or high is not None:
            ends = ("" if end is None else f"{end:g}" for end in (low, high))
            span = " to ".join(ends) if high is not None else f"{low:g} or more"
        needed = "yes" if column.required else ""
        lines.append(
            f"| `{column.name}` | {column.kind} | {column.unit} | {span} | {needed} "
            f"| {column.meaning} |"
        )
    if layer.geometry:
        needed = "yes" if layer.geometry_required else ""
        lines.append(
            f"| `geometry` | {', '.join(layer.geometry)} | ° | WGS 84 | {needed} | place |"
        )
    return "\n".join(
        [*lines, "", f"Unique together: {', '.join(f'`{k}`' for k in layer.key)}.", ""]
    )


def api_page() -> str:
    """Return the page of the public names, each from its docstring."""
    lines = ["# Python", "", "Everything a user needs is a name of `phusong` itself.", ""]
    for name in phusong.__all__:
        kind = "autofunction"
        options = ""
        if isinstance(getattr(phusong, name), type):
            kind, options = "autoclass", "   :members:\n"
        body = f"```{{eval-rst}}\n.. {kind}:: phusong.{name}\n{options}```"
        lines += [f"## {name}", "", body, ""]
    lines += ["## phusong.radio", "", "Models, antennas, budgets and sweeps, by module.", ""]
    for name in RADIO:
        body = f"```{{eval-rst}}\n.. automodule:: phusong.radio.{name}\n   :members:\n```"
        lines += [f"### phusong.radio.{name}", "", body, ""]
    return "\n".join(lines)

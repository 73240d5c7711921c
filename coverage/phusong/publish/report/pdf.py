"""A report as a tagged PDF (PDF/UA-1), typeset by Typst from the same blocks.

What the report says is handed over as JSON and never becomes source of the typesetter.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Literal

import typst

from phusong.io.atomic import atomic_path
from phusong.publish.report.blocks import Block, Document, Picture

__all__ = ["write_pdf"]

STANDARD: Literal["ua-1"] = "ua-1"


def write_pdf(report: Document, path: Path) -> None:
    """Write a report as PDF; the same report gives the same bytes on a machine.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    template = (files(__package__) / "assets" / "report.typ").read_bytes()
    with TemporaryDirectory(prefix="phusong-") as scratch:
        folder = Path(scratch)
        (folder / "report.typ").write_bytes(template)
        said = asdict(report) | {
            "moment": list(report.moment.timetuple()[:3]),
            "blocks": [_plain(block, at, folder) for at, block in enumerate(report.blocks)],
        }
        (folder / "report.json").write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
        drawn = typst.compile(str(folder / "report.typ"), root=str(folder), pdf_standards=STANDARD,
                              timestamp=int(report.moment.timestamp()))  # fmt: skip
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(drawn)


def _plain(block: Block, at: int, folder: Path) -> dict[str, object]:
    said: dict[str, object] = asdict(block)
    if isinstance(block, Picture):
        said["path"] = f"picture-{at}{block.path.suffix}"
        copyfile(block.path, folder / str(said["path"]))
    if "numeric" in said:
        said["numeric"] = sorted(said["numeric"])  # type: ignore[call-overload]
    return said | {"is": type(block).__name__}

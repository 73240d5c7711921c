"""The verb that makes a run a report."""

from __future__ import annotations

from pathlib import Path

import click

from phusong.cli.answers import answers
from phusong.cli.options import INPUT, LANG

__all__ = ["report"]


@click.command()
@click.argument("run", type=INPUT)
@click.option("-o", "--out", type=INPUT, required=True, help="The report: .docx or .pdf.")
@click.option("--previous", type=INPUT, help="Folder of an earlier run: says what changed.")
@click.option("--plan", type=INPUT, help="Folder of phusong plan: is proposed.")
@LANG
@answers
def report(run: Path, out: Path, previous: Path | None, plan: Path | None, lang: str) -> int:
    """Write the periodic report of RUN, in the form of an administrative report."""
    from phusong.publish.report.build import write_report

    write_report(run, out, previous=previous, plan=plan, lang=lang)
    click.echo(f"→ {out.resolve()}")
    return 0

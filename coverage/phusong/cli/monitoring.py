"""The verb about dates: how far each target has come, and why."""

from __future__ import annotations

from pathlib import Path

import click

from phusong.cli.answers import answers
from phusong.cli.assessing import show_progress
from phusong.cli.options import INPUT, JSON, LANG, OUT
from phusong.cli.working import working

__all__ = ["progress"]


@click.command()
@click.argument("runs", type=INPUT, nargs=-1, required=True)
@click.option(
    "--inputs", type=INPUT, multiple=True,
    help="Folder with the files that the runs were made of; may be given repeatedly.",
)  # fmt: skip
@click.option("--register", type=INPUT, help="Targets, in place of those of the last run.")
@click.option(
    "--crosswalk",
    type=INPUT,
    help="From older communes to those of today, in one step or several (CSV).",
)
@OUT
@LANG
@JSON
@answers
def progress(
    runs: tuple[Path, ...],
    inputs: tuple[Path, ...],
    register: Path | None,
    crosswalk: Path | None,
    out: Path,
    lang: str,
    as_json: bool,
) -> int:
    """Hold several dates against the targets: on track or off, and what changed, and why.

    RUNS are run folders, folders of them, or tables of dated indicators (.parquet, .csv).
    """
    with working(out, compiling="20 s"):
        from phusong.io.write import to_json
        from phusong.monitoring import monitor_progress

        found = monitor_progress(
            runs,
            out,
            inputs=inputs,
            register=register,
            crosswalk=crosswalk,
            lang=lang,
            progress=show_progress,
        )
    click.echo(to_json(found.account) if as_json else found.text)
    click.echo(f"→ {out.resolve()}", err=as_json)
    return 0

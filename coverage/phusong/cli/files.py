"""The verbs about files: check one, write an empty one, verify a folder of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from phusong.cli.answers import BAD_INPUT, QUARANTINED, answers, say, tell_notes
from phusong.cli.options import ALIASES, INPUT, JSON, LANG, LANG_OF_ERRORS, STRICT

__all__ = ["check", "template", "verify"]

LAYERS = (
    "communes", "sites", "service", "population", "terrain", "measurements", "villages", "places",
    "points", "challenges",
)  # fmt: skip
TEMPLATES = ("sites", "service", "villages", "places", "points", "measurements", "challenges")


@click.command()
@click.argument("layer", type=click.Choice(LAYERS))
@click.argument("file", type=INPUT)
@click.option("--crs", help="Of coordinates given as x, y, such as EPSG:5897.")
@click.option(
    "--communes", type=INPUT, metavar="FILE|official|schematic",
    help="Boundaries to hold places against, as `assess` takes them.",
)  # fmt: skip
@click.option("--names", type=INPUT, help="The names.csv of an earlier check, filled in.")
@ALIASES
@click.option("-o", "--out", type=INPUT, help="Folder for check.json and the clean layer.")
@LANG
@JSON
@STRICT
@answers
def check(
    layer: str,
    file: Path,
    crs: str | None,
    communes: Path | None,
    names: Path | None,
    aliases: Path | None,
    out: Path | None,
    lang: str,
    as_json: bool,
    strict: bool,
) -> int:
    """Read one file exactly as a run would, and say what would be set aside or repaired."""
    from phusong.io.check import check_file
    from phusong.io.named import find_communes
    from phusong.io.write import to_json
    from phusong.publish.checktext import format_check

    zones = None if communes is None else find_communes(communes)
    account = check_file(
        layer, file, crs=crs, communes=zones, as_of=date.today(), out=out, lang=lang,
        names=names, aliases=aliases,
    )  # fmt: skip
    click.echo(to_json(account) if as_json else format_check(account, lang=lang))
    if out is not None:
        click.echo(f"→ {out.resolve()}", err=True)
    if account["verdict"] == "refused":
        return BAD_INPUT
    return QUARANTINED if strict and account["rows_quarantined"] else 0


@click.command()
@click.argument("layer", type=click.Choice(TEMPLATES))
@click.option("-o", "--out", type=INPUT, required=True, help="A new file, .xlsx.")
@LANG_OF_ERRORS
@answers
def template(layer: str, out: Path) -> int:
    """Write an empty sheet with the headings, units and an example row."""
    from phusong.io.template import write_template

    write_template(layer, out)
    click.echo(f"→ {out.resolve()}")
    return 0


@click.command()
@click.argument("folder", type=INPUT)
@LANG_OF_ERRORS
@answers
def verify(folder: Path) -> int:
    """Hold the files of a run against its run.json."""
    from phusong.io.manifest import verify_run

    problems = verify_run(folder)
    tell_notes(problems)
    if not problems:
        say(f"{folder}: every file is as it was written")
    return BAD_INPUT if problems else 0

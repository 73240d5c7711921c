"""The command line: arguments become a call, errors become exit codes. Heavy imports wait.

Exit codes: 0 done, 1 finished with a quarantine under --strict, 2 bad usage or input,
3 environment (disk, memory, permission).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import click

if TYPE_CHECKING:
    from phusong.io.settings import Study
    from phusong.runs import Outcome

__all__ = ["main"]

QUARANTINED, BAD_INPUT, ENVIRONMENT = 1, 2, 3

LAYERS = ("communes", "sites", "service", "population", "terrain", "measurements")

Params = ParamSpec("Params")

INPUT = click.Path(path_type=Path)
OUT = click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Folder for the outputs.", required=True
)
LANG = click.option("--lang", type=click.Choice(["vi", "en"]), default=None, help="Of the maps.")
NO_MAP = click.option("--no-map", is_flag=True, help="Only the tables.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
STRICT = click.option("--strict", is_flag=True, help="Exit 1 if a row was set aside.")


def _answers(verb: Callable[Params, int]) -> Callable[Params, None]:
    """Turn what a verb returns or raises into an exit code and one message."""

    @wraps(verb)
    def run(*args: Params.args, **kwargs: Params.kwargs) -> None:
        from phusong.errors import PhusongError

        try:
            code = verb(*args, **kwargs)
        except PhusongError as error:
            click.echo(f"phusong: {error}", err=True)
            code = BAD_INPUT
        except FileNotFoundError as error:
            click.echo(f"phusong: {error.filename}: no such file", err=True)
            code = BAD_INPUT
        except (OSError, MemoryError) as error:
            click.echo(f"phusong: {error or 'not enough memory'}", err=True)
            code = ENVIRONMENT
        sys.exit(code)

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="phusong", prog_name="phusong")
def main() -> None:
    """Coverage of communes by broadband and 5G, measured against a plan's targets.

    Phủ sóng: đo độ phủ băng rộng và 5G của từng xã so với mục tiêu.
    """


@main.command()
@click.option(
    "-o", "--out", type=INPUT, default=Path("maps/demo"), show_default=True, help="Output folder."
)
@click.option(
    "--boundaries",
    type=click.Choice(["embedded"]),
    default="embedded",
    show_default=True,
    help="Schematic communes that come with phusong.",
)
@LANG
@NO_MAP
@JSON
@_answers
def demo(out: Path, boundaries: str, lang: str | None, no_map: bool, as_json: bool) -> int:
    """Run the main job on the embedded data (synthetic network, schematic communes)."""
    from phusong.runs import demo_study

    return _run(_in_language(demo_study(), lang), out, no_map=no_map, as_json=as_json)


@main.command()
@click.option("--communes", type=INPUT, required=True, help="Boundaries with code and name.")
@click.option(
    "--sites", type=INPUT, required=True, multiple=True, help="Cells; may be given repeatedly."
)
@click.option("--service", type=INPUT, help="Broadband by commune, operator, technology.")
@click.option("--population", type=INPUT, help="Persons per cell (GeoTIFF).")
@click.option("--crs", help="Of site coordinates given as x, y, such as EPSG:5897.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Day of the data. [today]")
@click.option("--vintage", default="2025", show_default=True, help="Commune map of the boundaries.")
@click.option("--service-vintage", help="Commune map of the service table's codes.")
@click.option("--place", default="", help="Name of the area, for titles.")
@OUT
@LANG
@NO_MAP
@JSON
@STRICT
@_answers
def assess(
    communes: Path,
    sites: tuple[Path, ...],
    service: Path | None,
    population: Path | None,
    crs: str | None,
    as_of: datetime | None,
    vintage: str,
    service_vintage: str | None,
    place: str,
    out: Path,
    lang: str | None,
    no_map: bool,
    as_json: bool,
    strict: bool,
) -> int:
    """Measure the coverage of communes from files given one by one."""
    from phusong.io.settings import Study

    study = Study(
        communes=communes,
        sites=sites,
        service=service,
        population=population,
        crs=crs,
        as_of=date.today() if as_of is None else as_of.date(),
        vintage=vintage,
        service_vintage=service_vintage,
        place=place,
    )
    return _run(_in_language(study, lang), out, no_map=no_map, as_json=as_json, strict=strict)


@main.command()
@click.argument("study", type=INPUT)
@OUT
@LANG
@NO_MAP
@JSON
@STRICT
@_answers
def run(study: Path, out: Path, lang: str | None, no_map: bool, as_json: bool, strict: bool) -> int:
    """Run a study file: the same as assess and everything else, from one file."""
    from phusong.io.settings import read_study

    read = _in_language(read_study(study), lang)
    return _run(read, out, no_map=no_map, as_json=as_json, strict=strict)


@main.command()
@click.argument("study", type=INPUT, default=Path("study.toml"))
@_answers
def init(study: Path) -> int:
    """Write a commented study file to fill in; never over one that is there."""
    from phusong.io.embedded import embedded_path

    try:
        with study.open("x", encoding="utf-8", newline="\n") as file:
            file.write(embedded_path("study").read_text(encoding="utf-8"))
    except FileExistsError:
        click.echo(f"phusong: {study} is there already; give another name", err=True)
        return BAD_INPUT
    click.echo(f"{study} written: fill it in, then  phusong run {study} -o maps/first")
    return 0


@main.command()
@click.argument("layer", type=click.Choice(LAYERS))
@click.argument("file", type=INPUT)
@click.option("--crs", help="Of coordinates given as x, y, such as EPSG:5897.")
@click.option("--communes", type=INPUT, help="Boundaries to hold places against.")
@click.option("--names", type=INPUT, help="The names.csv of an earlier check, filled in.")
@click.option("-o", "--out", type=INPUT, help="Folder for check.json and the clean layer.")
@LANG
@JSON
@STRICT
@_answers
def check(
    layer: str,
    file: Path,
    crs: str | None,
    communes: Path | None,
    names: Path | None,
    out: Path | None,
    lang: str | None,
    as_json: bool,
    strict: bool,
) -> int:
    """Read one file exactly as a run would, and say what would be set aside or repaired."""
    from phusong.io.check import check_file
    from phusong.io.write import to_json
    from phusong.publish.checktext import format_check

    account = check_file(
        layer, file, crs=crs, communes=communes, as_of=date.today(), out=out, lang=lang or "vi",
        names=names,
    )  # fmt: skip
    click.echo(to_json(account) if as_json else format_check(account, lang=lang or "vi"))
    if out is not None:
        click.echo(f"→ {out.resolve()}", err=True)
    if account["verdict"] == "refused":
        return BAD_INPUT
    return QUARANTINED if strict and account["rows_quarantined"] else 0


@main.command()
@click.argument("layer", type=click.Choice(["sites", "service"]))
@click.option("-o", "--out", type=INPUT, required=True, help="A new file, .xlsx.")
@_answers
def template(layer: str, out: Path) -> int:
    """Write an empty sheet with the headings, units and an example row."""
    from phusong.io.template import write_template

    write_template(layer, out)
    click.echo(f"→ {out.resolve()}")
    return 0


@main.command()
@click.argument("folder", type=INPUT)
@_answers
def verify(folder: Path) -> int:
    """Hold the files of a run against its run.json."""
    from phusong.io.manifest import verify_run

    problems = verify_run(folder)
    for problem in problems:
        click.echo(f"phusong: {problem}", err=True)
    if not problems:
        click.echo(f"{folder}: every file is as it was written")
    return BAD_INPUT if problems else 0


def _in_language(study: Study, lang: str | None) -> Study:
    return study if lang is None else replace(study, lang="en" if lang == "en" else "vi")


def _run(study: Study, out: Path, *, no_map: bool, as_json: bool, strict: bool = False) -> int:
    from phusong.runs import run_study

    outcome = run_study(study, out, with_map=not no_map, progress=_show_progress)
    _tell(outcome, as_json=as_json)
    return QUARANTINED if strict and outcome.n_quarantined else 0


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        from phusong.io.write import to_json

        click.echo(to_json(outcome.summary | {"folder": str(outcome.folder)}))
        return
    click.echo(outcome.text)
    click.echo("")
    click.echo(f"→ {outcome.folder.resolve()}")
    if (outcome.folder / "map.html").exists():
        click.echo(f"→ {(outcome.folder / 'map.html').resolve().as_uri()}")
    click.echo(f"→ {(outcome.folder / 'gaps.xlsx').resolve()}")


def _show_progress(steps: Sequence[str], label: str) -> Iterable[str]:
    """Show a bar on a terminal, nothing where the output is piped."""
    from tqdm import tqdm

    return tqdm(steps, desc=label, disable=None, leave=False, file=sys.stderr)

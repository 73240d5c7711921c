"""The verbs that assess: demo, assess, run, and init, which writes the file that run reads."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import click

from phusong.cli.answers import QUARANTINED, answers, require_addresses, say
from phusong.cli.options import (
    CACHE,
    CLUTTER,
    CLUTTER_KIND,
    COMMUNES,
    INPUT,
    JSON,
    LANG_OF_ERRORS,
    LANG_OR_STUDY,
    NO_MAP,
    POPULATION,
    TERRAIN_KIND,
    of_a_run,
)  # fmt: skip
from phusong.cli.public import fetch_public
from phusong.cli.working import working

if TYPE_CHECKING:
    from phusong.io.settings import Study
    from phusong.runs import Outcome

__all__ = ["assess", "demo", "init", "run", "show_progress"]

Step = TypeVar("Step")


@click.command()
@click.option(
    "-o", "--out", type=INPUT, default=Path("maps/demo"), show_default=True, help="Output folder."
)
@click.option(
    "--boundaries",
    type=click.Choice(["embedded", "official"]),
    default="embedded",
    show_default=True,
    help="Schematic communes that come with phusong, or those of `phusong fetch boundaries`.",
)
@click.option(
    "--quarters",
    type=click.IntRange(1, 6),
    metavar="N",
    help="N dated runs (1-6), each in a folder of its own, with the reform after the second.",
)
@click.option("--radio", is_flag=True, help="Signal and best servers over synthetic terrain.")
@CACHE
@LANG_OR_STUDY
@NO_MAP
@JSON
@answers
def demo(
    out: Path,
    boundaries: str,
    quarters: int | None,
    radio: bool,
    cache: Path | None,
    lang: str | None,
    no_map: bool,
    as_json: bool,
) -> int:
    """Run the main job on the embedded data (synthetic network, schematic communes)."""
    from phusong.runs import demo_study

    if radio:
        if boundaries == "official" or quarters is not None:
            raise click.UsageError("--radio: only with the embedded boundaries, of one date")
        return _predict(out, lang=lang, no_map=no_map, as_json=as_json)
    if quarters is not None:
        if boundaries == "official":
            raise click.UsageError("--quarters: only with the embedded boundaries: none of before")
        return _run_quarters(quarters, out, lang=lang, no_map=no_map, as_json=as_json)
    official = fetch_public("boundaries", cache, offline=True) if boundaries == "official" else None
    study = demo_study(official)
    return _run(_in_language(study, lang), out, no_map=no_map, as_json=as_json)


@click.command()
@click.option(
    "--communes", type=INPUT, metavar="FILE|official|schematic", required=True, help=COMMUNES
)
@click.option(
    "--sites", type=INPUT, required=True, multiple=True, help="Cells; may be given repeatedly."
)
@click.option("--service", type=INPUT, help="Broadband by commune, operator, technology.")
@POPULATION
@click.option("--terrain", type=INPUT, help="Heights: coverage is modelled over them.")
@TERRAIN_KIND
@CLUTTER
@CLUTTER_KIND
@click.option("--crs", help="Of site coordinates given as x, y, such as EPSG:5897.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Day of the data. [today]")
@click.option("--vintage", default="2025", show_default=True, help="Commune map of the boundaries.")
@click.option("--service-vintage", help="Commune map of the service table's codes.")
@click.option("--place", default="", help="Name of the area, for titles.")
@of_a_run
@answers
def assess(
    communes: Path,
    sites: tuple[Path, ...],
    service: Path | None,
    population: Path | Literal["even"] | None,
    terrain: Path | None,
    terrain_kind: Literal["ground", "surface"],
    clutter: Path | None,
    clutter_kind: Literal["heights", "classes"],
    crs: str | None,
    as_of: datetime | None,
    vintage: str,
    service_vintage: str | None,
    place: str,
    aliases: Path | None,
    out: Path,
    lang: str | None,
    no_map: bool,
    tiles: Path | None,
    scheduler: str | None,
    as_json: bool,
    strict: bool,
) -> int:
    """Measure the coverage of communes from files given one by one."""
    from phusong.io.named import are_schematic, find_communes
    from phusong.io.settings import Study

    boundaries = find_communes(communes)
    study = Study(
        communes=boundaries,
        is_schematic=are_schematic(boundaries),
        sites=sites,
        service=service,
        population=population,
        terrain=terrain,
        terrain_kind=terrain_kind,
        clutter=clutter,
        clutter_kind=clutter_kind,
        crs=crs,
        as_of=date.today() if as_of is None else as_of.date(),
        vintage=vintage,
        service_vintage=service_vintage,
        place=place,
        aliases=aliases,
    )
    return _run(
        _in_language(study, lang), out,
        no_map=no_map, tiles=tiles, scheduler=scheduler, as_json=as_json, strict=strict,
    )  # fmt: skip


@click.command()
@click.argument("study", type=INPUT)
@of_a_run
@answers
def run(
    study: Path,
    aliases: Path | None,
    out: Path,
    lang: str | None,
    no_map: bool,
    tiles: Path | None,
    scheduler: str | None,
    as_json: bool,
    strict: bool,
) -> int:
    """Run a study file: the same as assess and everything else, from one file."""
    from phusong.io.files import require_file
    from phusong.io.settings import read_study

    require_file(study, (".toml",))  # a pipe would be waited for, a device read for ever
    read = _in_language(read_study(study), lang)
    if aliases is not None:
        read = replace(read, aliases=aliases)
    return _run(
        read, out,
        no_map=no_map, tiles=tiles, scheduler=scheduler, as_json=as_json, strict=strict,
    )  # fmt: skip


@click.command()
@click.argument("study", type=INPUT, default=Path("study.toml"))
@LANG_OF_ERRORS
@answers
def init(study: Path) -> int:
    """Write a commented study file to fill in; never over one that is there."""
    from phusong.errors import InputFileError
    from phusong.io.embedded import embedded_path

    try:
        with study.open("x", encoding="utf-8", newline="\n") as file:
            file.write(embedded_path("study").read_text(encoding="utf-8"))
    except FileExistsError:
        raise InputFileError(f"{study}: is there already; give another name") from None
    say(f"{study} written: fill it in, then  phusong run {study} -o maps/first")
    return 0


def _predict(out: Path, *, lang: str | None, no_map: bool, as_json: bool) -> int:
    """Predict the embedded network over the embedded terrain."""
    from phusong.cli.predicting import run_plan
    from phusong.predicting import demo_plan

    plan = demo_plan() if lang is None else replace(demo_plan(), lang=lang)
    return run_plan(plan, out, with_maps=not no_map, as_json=as_json)


def _run_quarters(count: int, out: Path, *, lang: str | None, no_map: bool, as_json: bool) -> int:
    """Run the study of each quarter into a folder of its own, one after the other."""
    require_addresses()
    from phusong.io.write import to_json
    from phusong.quarters import quarter_studies

    summaries = []
    for name, study in quarter_studies(out, count):
        outcome = _assess_study(_in_language(study, lang), out / name, no_map=no_map)
        summaries.append(outcome.summary | {"folder": str(outcome.folder)})
        if not as_json:
            _tell(outcome, as_json=False)
            click.echo("")
    click.echo(to_json(summaries) if as_json else f"phusong progress {out} -o {out / 'progress'}")
    return 0


def _in_language(study: Study, lang: str | None) -> Study:
    return study if lang is None else replace(study, lang=lang)


def _run(
    study: Study,
    out: Path,
    *,
    no_map: bool,
    as_json: bool,
    tiles: Path | None = None,
    scheduler: str | None = None,
    strict: bool = False,
) -> int:
    outcome = _assess_study(study, out, no_map=no_map, tiles=tiles, scheduler=scheduler)
    _tell(outcome, as_json=as_json)
    return QUARANTINED if strict and outcome.n_quarantined else 0


def _assess_study(
    study: Study,
    out: Path,
    *,
    no_map: bool,
    tiles: Path | None = None,
    scheduler: str | None = None,
) -> Outcome:
    """Run a study into a folder."""
    with working(out, compiling="20 s", scheduler=scheduler) as client:
        from phusong.runs import run_study

        return run_study(
            study, out, with_map=not no_map, tiles=tiles, client=client, progress=show_progress
        )


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


def show_progress(steps: Sequence[Step], label: str) -> Iterable[Step]:
    """Show a bar on a terminal, nothing where the output is piped."""
    from tqdm import tqdm

    return tqdm(steps, desc=label, disable=None, leave=False, file=sys.stderr)

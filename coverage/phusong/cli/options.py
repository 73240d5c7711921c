"""Options that several verbs have: the same letters, the same words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from phusong.words import LANGUAGES

__all__ = [
    "ALIASES", "CACHE", "COMMUNES", "INPUT", "JSON", "LANG", "LANG_OF_ERRORS", "LANG_OR_STUDY",
    "NO_MAP", "OUT", "POPULATION", "SCHEDULER", "STRICT", "TERRAIN_KIND",
    "of_a_run",
]  # fmt: skip

INPUT = click.Path(path_type=Path)
COMMUNES = (
    "Boundaries with code and name: a file; or 'official', which `phusong fetch boundaries` "
    "brings; or 'schematic', which come with phusong."
)
OUT = click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Folder for the outputs.", required=True
)
LANG = click.option(
    "--lang", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True,
    help="Of maps, figures and words.",
)  # fmt: skip
LANG_OR_STUDY = click.option(
    "--lang", type=click.Choice(LANGUAGES), help="Of maps, figures and words. [as the study says]"
)
# of a verb that writes nothing in words of ours; Verbs reads what it says
LANG_OF_ERRORS = click.option(
    "--lang", type=click.Choice(LANGUAGES), expose_value=False,
    help="Of what goes wrong. [as the system's]",
)  # fmt: skip
NO_MAP = click.option("--no-map", is_flag=True, help="Only the tables.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
CACHE = click.option("--cache", type=INPUT, help="Folder of what was fetched. [the user's cache]")
ALIASES = click.option(
    "--aliases", type=INPUT, help="Your own headings and words (TOML), added to those we know."
)


class PathOrEven(click.Path):
    """A path, or the word "even"."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        if value == "even":
            return value
        path: Any = super().convert(value, param, ctx)  # type: ignore[arg-type]
        if str(value).isalpha() and not Path(path).exists():
            self.fail(f"{value!r}: no such file; give a file, or the word even", param, ctx)
        return path


POPULATION = click.option(
    "--population",
    type=PathOrEven(path_type=Path),
    metavar="FILE|even",
    help="Persons per cell (GeoTIFF); areas with their people (any vector layer); or 'even': the "
    "communes' own numbers, spread evenly.",
)


class SchedulerName(click.ParamType):
    """A scheduler that `open_client` knows how to open."""

    name = "scheduler"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from phusong.workers import SCHEDULER as KNOWN

        if KNOWN.fullmatch(value) is None:
            self.fail(f"{value!r}: give processes, processes:N or tcp://HOST:PORT", param, ctx)
        return str(value)


SCHEDULER = click.option(
    "--scheduler",
    type=SchedulerName(),
    metavar="processes[:N]|tcp://HOST:PORT",
    help="Measure provinces in N processes, or on the workers of a dask scheduler.",
)
STRICT = click.option("--strict", is_flag=True, help="Exit 1 if a row was set aside.")
CLUTTER = click.option("--clutter", type=INPUT, help="What stands on bare ground (GeoTIFF).")
CLUTTER_KIND = click.option(
    "--clutter-kind", type=click.Choice(["heights", "classes"]), default="heights",
    show_default=True, help="Heights in metres, or land-cover codes of the register.",
)  # fmt: skip
TILES = click.option(
    "--tiles",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep what is modelled here: a stopped run goes on, and a changed site is cheap.",
)
TERRAIN_KIND = click.option(
    "--terrain-kind", type=click.Choice(["ground", "surface"]), default="surface",
    show_default=True, help="Bare ground, or with trees and roofs, as SRTM and GLO-30 are.",
)  # fmt: skip


def of_a_run(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that every run has, whatever it is made from."""
    for option in (STRICT, JSON, SCHEDULER, TILES, NO_MAP, LANG_OR_STUDY, OUT, ALIASES):
        verb = option(verb)
    return verb

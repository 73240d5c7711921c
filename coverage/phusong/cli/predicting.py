"""The verb predict: the signal of sites over terrain."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from phusong.cli.answers import QUARANTINED, answers, tell_notes
from phusong.cli.assessing import show_progress
from phusong.cli.options import (
    CLUTTER,
    CLUTTER_KIND,
    INPUT,
    JSON,
    LANG,
    NO_MAP,
    OUT,
    SCHEDULER,
    STRICT,
    TERRAIN_KIND,
    TILES,
)
from phusong.cli.working import working

if TYPE_CHECKING:
    from phusong.predicting import Plan, Predicted

__all__ = ["predict", "run_plan"]


@click.command()
@click.option(
    "--sites", type=INPUT, required=True, multiple=True, help="Cells; may be given repeatedly."
)
@click.option("--terrain", type=INPUT, required=True, help="Heights (GeoTIFF, HGT), in metres.")
@TERRAIN_KIND
@CLUTTER
@CLUTTER_KIND
@click.option("--communes", type=INPUT, help="Boundaries: the area, and whose shares are counted.")
@click.option("--population", type=INPUT, help="Persons per cell (GeoTIFF), or areas with theirs.")
@click.option("--register", type=INPUT, help="Your thresholds and assumptions (TOML). [ours]")
@click.option("--crs", help="Of site coordinates given as x, y, such as EPSG:5897.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Day of the data. [today]")
@click.option("--cell", "cell_m", type=float, default=100.0, show_default=True, help="Metres.")
@click.option("--sampling", type=int, help="Samples of a ray on the side of a cell, odd.")
@click.option("--radius", "radius_m", type=float, default=15_000.0, show_default=True,
              help="Of a mast, metres.")  # fmt: skip
@click.option("--exact", is_flag=True, help="A profile for each cell instead of rays; slow.")
@OUT
@LANG
@NO_MAP
@TILES
@SCHEDULER
@JSON
@STRICT
@answers
def predict(
    sites: tuple[Path, ...],
    terrain: Path,
    terrain_kind: Literal["ground", "surface"],
    clutter: Path | None,
    clutter_kind: Literal["heights", "classes"],
    communes: Path | None,
    population: Path | None,
    register: Path | None,
    crs: str | None,
    as_of: datetime | None,
    cell_m: float,
    sampling: int | None,
    radius_m: float,
    exact: bool,
    out: Path,
    lang: str,
    no_map: bool,
    tiles: Path | None,
    scheduler: str | None,
    as_json: bool,
    strict: bool,
) -> int:
    """Signal, best servers and shares of communes over terrain."""
    from phusong.predicting import Plan

    plan = Plan(
        sites=sites, terrain=terrain, terrain_kind=terrain_kind, clutter=clutter,
        clutter_kind=clutter_kind, communes=communes, population=population, register=register,
        crs=crs, as_of=date.today() if as_of is None else as_of.date(), cell_m=cell_m,
        sampling=sampling, radius_m=radius_m, is_exact=exact, lang=lang,
    )  # fmt: skip
    return run_plan(
        plan, out, with_maps=not no_map, as_json=as_json, strict=strict, tiles=tiles,
        scheduler=scheduler,
    )  # fmt: skip


def run_plan(
    plan: Plan,
    out: Path,
    *,
    with_maps: bool,
    as_json: bool,
    strict: bool = False,
    tiles: Path | None = None,
    scheduler: str | None = None,
) -> int:
    """Predict into a folder and tell what came of it."""
    with working(out, compiling="a minute", scheduler=scheduler) as client:
        from phusong.predicting import run_prediction

        outcome = run_prediction(
            plan, out, with_maps=with_maps, tiles=tiles, client=client, progress=show_progress
        )
    _tell(outcome, lang=plan.lang, as_json=as_json)
    n_quarantined = sum(report.rows_quarantined for report in outcome.reports)
    return QUARANTINED if strict and n_quarantined else 0


def _tell(outcome: Predicted, *, lang: str, as_json: bool) -> None:
    if as_json:
        from phusong.io.write import to_json

        click.echo(to_json(outcome.summary | {"folder": str(outcome.folder)}))
        return
    from phusong.publish.signaltext import format_prediction

    click.echo(format_prediction(outcome.summary, lang=lang))
    notes: list[str] = outcome.summary["notes"]  # type: ignore[assignment]
    tell_notes(notes, lang)
    click.echo(f"→ {outcome.folder.resolve()}")

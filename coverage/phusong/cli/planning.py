"""The verb about what to build: which sites, in which order, for how much."""

from __future__ import annotations

from pathlib import Path

import click

from phusong.cli.answers import answers
from phusong.cli.options import INPUT, JSON, LANG, OUT
from phusong.cli.working import working

__all__ = ["plan"]


class Phase(click.ParamType):
    """A phase and its budget: 2027=50e9."""

    name = "phase"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        name, _, amount = str(value).partition("=")
        try:
            budget = float(amount)
        except ValueError:
            budget = -1.0
        if not name or not 0 <= budget < float("inf"):
            self.fail(f"{value!r}: give a name and an amount in VND, such as 2027=50e9", param, ctx)
        return name, budget


@click.command()
@click.argument("run", type=INPUT)
@click.option("--sites", type=click.IntRange(1), help="The most people for so many sites.")
@click.option("--budget", type=float, metavar="VND", help="The most people for so much.")
@click.option("--fair", type=float, metavar="VND",
              help="The commune that is worst off first, for so much.")  # fmt: skip
@click.option("--target", help="The least cost to reach a target, by its id, such as 5g-2030.")
@click.option("--phase", type=Phase(), multiple=True, metavar="NAME=VND",
              help="Budget of a phase; may be given repeatedly, in their order.")  # fmt: skip
@click.option("--service", default="5g", show_default=True, help="What people are to have.")
@click.option("--operator", help="Who builds. [each operator on its own masts]")
@click.option(
    "--frequency-mhz",
    type=float,
    default=2600.0,
    show_default=True,
    help="Of the new cells; the table of default radii says how far they reach.",
)
@click.option("--costs", type=INPUT, help="Your own costs (CSV). [assumptions that come with us]")
@click.option("--years", type=click.FloatRange(0), default=5.0, show_default=True,
              help="Of yearly costs that count.")  # fmt: skip
@click.option("--points", type=INPUT, help="Places to look at: CSV, XLSX or a layer of points.")
@click.option("--forbidden", type=INPUT, help="Polygons where no mast may be put up.")
@click.option("--min-distance-m", type=click.FloatRange(0), default=0.0,
              help="Between two sites of the plan.")  # fmt: skip
@click.option("--draws", type=click.IntRange(0), default=200, show_default=True,
              help="Of costs and ranges, for how sure each site's rank is.")  # fmt: skip
@click.option(
    "--inputs",
    type=INPUT,
    multiple=True,
    help="Folder with the files that the run was made of; may be given repeatedly.",
)
@OUT
@LANG
@JSON
@answers
def plan(
    run: Path,
    sites: int | None,
    budget: float | None,
    fair: float | None,
    target: str | None,
    phase: tuple[tuple[str, float], ...],
    service: str,
    operator: str | None,
    frequency_mhz: float,
    costs: Path | None,
    years: float,
    points: Path | None,
    forbidden: Path | None,
    min_distance_m: float,
    draws: int,
    inputs: tuple[Path, ...],
    out: Path,
    lang: str,
    as_json: bool,
) -> int:
    """Say which sites to build next after RUN, in which order, and how good that provably is."""
    with working(out, compiling="40 s"):
        from phusong.io.write import to_json
        from phusong.plan_field import Choice
        from phusong.plan_files import plan_run, read_costs

        choice = Choice(
            sites=sites, budget_vnd=budget, fair_vnd=fair, target=target, phases=phase,
            service=service, operator=operator, frequency_mhz=frequency_mhz,
            costs=read_costs(costs), years=years, min_distance_m=min_distance_m, draws=draws,
        )  # fmt: skip
        found = plan_run(
            run, out, choice, points=points, forbidden=forbidden, costs=costs, search=inputs,
            lang=lang,
        )  # fmt: skip
    click.echo(to_json(found.account) if as_json else found.text)
    click.echo(f"→ {out.resolve()}", err=as_json)
    return 0

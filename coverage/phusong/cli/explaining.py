"""The verb explain: how a figure of a commune came about."""

from __future__ import annotations

from pathlib import Path

import click

from phusong.cli.answers import answers
from phusong.cli.options import INPUT, JSON, LANG

__all__ = ["explain"]


@click.command()
@click.argument("run", type=INPUT)
@click.argument("commune")
@click.option("--indicator", help="Only this one, such as share_population.")
@click.option("--service", help="Only this one, such as 5g.")
@click.option(
    "--operator", default="any", show_default=True, help="Or two_or_more, or one by name."
)
@click.option(
    "--inputs", type=INPUT, multiple=True, help="Folders where the run's files lie; repeatable."
)
@LANG
@JSON
@answers
def explain(
    run: Path,
    commune: str,
    indicator: str | None,
    service: str | None,
    operator: str,
    inputs: tuple[Path, ...],
    lang: str,
    as_json: bool,
) -> int:
    """Go from a commune's figures (code or name) back to formula, cells, rows and files."""
    from phusong import explaining
    from phusong.io.write import to_json
    from phusong.publish.explaintext import format_explanation

    account = explaining.explain(
        run, commune, indicator=indicator, service=service, operator=operator, search=inputs
    )
    click.echo(to_json(account) if as_json else format_explanation(account, lang=lang))
    return 0

"""The verbs about radio: path, the loss of terrain profiles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from phusong.cli.answers import answers, tell_notes
from phusong.cli.options import INPUT, JSON, LANG

if TYPE_CHECKING:
    from phusong.radio.paths import PathTerms

__all__ = ["path"]

FIGURES = (".pdf", ".png", ".svg")


class ModelName(click.Choice[str]):
    """A model of `radio.paths`, which is imported only where one is named."""

    def __init__(self) -> None:
        super().__init__(())

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        self._name_models()
        return super().convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        self._name_models()
        return super().shell_complete(ctx, param, incomplete)

    def _name_models(self) -> None:
        from phusong.radio.paths import MODELS

        self.choices = tuple(MODELS)


@click.command()
@click.argument("profiles", type=INPUT)
@click.option(
    "--model", type=ModelName(), metavar="NAME", default="p1812", show_default=True,
    help="p1812: ITU-R P.1812; itm: ITM, bare ground; rma, uma: 3GPP TR 38.901, distance only.",
)  # fmt: skip
@click.option("--figure", type=INPUT, help="Draw the profiles, at most 12: .png, .pdf or .svg.")
@LANG
@JSON
@answers
def path(profiles: Path, model: str, figure: Path | None, lang: str, as_json: bool) -> int:
    """Losses of one or many terrain profiles (JSON), with their terms."""
    from phusong.errors import InputFileError
    from phusong.io.profiles import read_profiles
    from phusong.io.write import to_json
    from phusong.radio.limits import ModelRangeError
    from phusong.radio.paths import path_terms

    if figure is not None and figure.suffix not in FIGURES:
        raise InputFileError(f"{figure}: expected a name in {', '.join(FIGURES)}")
    read = read_profiles(profiles)
    tell_notes(read.notes, lang)
    terms = []
    for i, one in enumerate(read.paths, start=1):
        try:
            terms.append(path_terms(one, model=model))
        except ModelRangeError as error:
            raise InputFileError(f"{profiles}: profile {i}: {error}") from error
    if figure is not None:
        from phusong.publish.figures import save_figure
        from phusong.publish.profile import draw_profiles

        save_figure(draw_profiles(read.paths, terms, model=model, lang=lang), figure)
        click.echo(f"→ {figure.resolve()}", err=True)
    click.echo(to_json([one._asdict() for one in terms]) if as_json else _table(terms))
    return 0


def _table(terms: list[PathTerms]) -> str:
    """Return the terms in columns; a dash where the model knows none."""
    names = [name.removesuffix("_db") for name in terms[0]._fields]
    lines = ["".join(f"{name:>10}" for name in ("profile", *names)) + "  (dB)"]
    for i, one in enumerate(terms, start=1):
        cells = ("-" if value != value else f"{value:.2f}" for value in one)
        lines.append(f"{i:>10}" + "".join(f"{cell:>10}" for cell in cells))
    return "\n".join(lines)

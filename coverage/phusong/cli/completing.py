"""The verb completion: what a shell needs to complete verbs, options and files."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from phusong.cli.options import LANG_OF_ERRORS

__all__ = ["completion"]

SHELLS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete,
}  # fmt: skip


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@LANG_OF_ERRORS
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete phusong's verbs and options.

    bash: eval "$(phusong completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc;
    fish: phusong completion fish > ~/.config/fish/completions/phusong.fish
    """
    root = context.find_root().command
    click.echo(SHELLS[shell](root, {}, "phusong", "_PHUSONG_COMPLETE").source())

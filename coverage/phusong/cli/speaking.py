"""In which language the command line tells what went wrong: by `--lang`, or as the system has it.

The words of a verb's results are another matter: they are Vietnamese unless `--lang` says another.
"""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

import click

from phusong.words import LANGUAGES, read_words

__all__ = ["Verbs", "spoken"]

# In the order that POSIX gives them.
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


class Verbs(click.Group):
    """Verbs whose errors of usage are told in the language that was asked for."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:  # fmt: skip
        lang = _asked(args) or _of_system()
        with _told(lang):
            return super().make_context(info_name, args, parent, **{"obj": lang, **extra})

    def invoke(self, ctx: click.Context) -> Any:
        with _told(ctx.obj):
            return super().invoke(ctx)


def spoken() -> str:
    """Return the language of errors where a verb runs."""
    context = click.get_current_context(silent=True)
    lang = None if context is None else context.find_root().obj
    return lang or _of_system()


class _ToldError(click.UsageError):
    """An error of usage in another language than click's, with what stands around it."""

    def __init__(self, message: str, ctx: click.Context | None, lang: str) -> None:
        super().__init__(message, ctx)
        self.words = read_words("usage", lang)

    def show(self, file: IO[Any] | None = None) -> None:
        if self.ctx is not None:
            path = self.ctx.command_path
            pieces = " ".join(self.ctx.command.collect_usage_pieces(self.ctx))
            click.echo(self.words["usage"].format(usage=f"{path} {pieces}"), file, err=True)
            help_ = f"{path} {self.ctx.help_option_names[0]}"
            click.echo(self.words["help"].format(help=help_) + "\n", file, err=True)
        click.echo(self.words["error"].format(message=self.format_message()), file, err=True)


@contextmanager
def _told(lang: str) -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        is_help = isinstance(error, click.exceptions.NoArgsIsHelpError)
        if lang == "en" or is_help or isinstance(error, _ToldError):
            raise
        from phusong.sentences import tell

        raise _ToldError(tell(error.format_message(), lang), error.ctx, lang) from None


def _asked(args: Sequence[str]) -> str | None:
    """Return what `--lang` says; also beside options that do not parse."""
    for at, arg in enumerate(args):
        name, _, value = arg.partition("=")
        if name == "--lang":
            value = value or "".join(args[at + 1 : at + 2])
            return value if value in LANGUAGES else None
    return None


def _of_system() -> str:
    said = next((os.environ[name] for name in LOCALES if os.environ.get(name)), None)
    if said is None:  # Windows and macOS keep it elsewhere
        said = locale.getlocale()[0] or ""
    code = re.split("[_.@-]", said.lower())[0]
    code = {"vietnamese": "vi"}.get(code, code)  # as Windows calls it
    return code if code in LANGUAGES else "en"

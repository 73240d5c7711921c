"""What a verb returns or raises becomes an exit code and one message, whatever the streams."""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from types import FrameType
from typing import ParamSpec

import click

from phusong.cli.speaking import spoken

__all__ = [
    "BAD_INPUT",
    "ENVIRONMENT",
    "QUARANTINED",
    "answers",
    "require_addresses",
    "say",
    "tell_notes",
]

QUARANTINED, BAD_INPUT, ENVIRONMENT = 1, 2, 3

# Of virtual addresses, not of memory in use: threads and compiled code reserve far more than that.
ADDRESSES_BYTES = 3 << 30

# How libraries say that the system gave them no memory, where they do not raise MemoryError.
OUT_OF_MEMORY = (
    "bad_alloc", "annot allocate memory", "failed to map segment", "start new thread",
    "out of memory",
)  # fmt: skip

Params = ParamSpec("Params")


class _Stopped(KeyboardInterrupt):
    """SIGINT or SIGTERM: what is unfinished is cleaned up on the way out."""


def answers(verb: Callable[Params, int]) -> Callable[Params, None]:
    """Turn what a verb returns or raises into an exit code and one message."""

    @wraps(verb)
    def run(*args: Params.args, **kwargs: Params.kwargs) -> None:
        from phusong.errors import PhusongError

        _prepare_streams()
        message: str | Exception = ""
        with _stopping_on_signals() as stopped:
            try:
                code = verb(*args, **kwargs)
            except PhusongError as error:
                code, message = BAD_INPUT, error
            except BrokenPipeError:
                code = 0  # whoever read our words has heard enough; the outputs are written
                _silence_stdout()
            except (OSError, MemoryError, ImportError, RuntimeError) as error:
                code, message = _explain_environment(error)
            except _Stopped:
                code = ENVIRONMENT
            except Exception:
                if not stopped:  # a library may have turned the stop into an error of its own
                    raise
                code = ENVIRONMENT
        if stopped:
            code, message = 128 + stopped[0], f"stopped by {signal.Signals(stopped[0]).name}"
        if message:
            with suppress(OSError):  # stderr may be a closed pipe; the exit code still tells
                click.echo(f"phusong: {_in_words(message)}", err=True)
        sys.exit(code)

    return run


def say(text: str, *, err: bool = False) -> None:
    """Print a line of a verb that has no `--lang` of its own, in the language of errors."""
    from phusong.sentences import tell

    click.echo(tell(text, spoken()), err=err)


def tell_notes(notes: Iterable[str], lang: str | None = None) -> None:
    """Print notes beside the results, in a language or else in that of errors."""
    from phusong.sentences import tell

    for note in notes:
        click.echo(f"phusong: {tell(note, lang or spoken())}", err=True)


def _in_words(message: str | Exception) -> str:
    """Return a message in the language of errors; where there is no memory to tell it, as it is."""
    try:
        from phusong.sentences import tell, tell_error

        if isinstance(message, str):
            return tell(message, spoken())
        return tell_error(message, spoken())
    except (OSError, MemoryError, ImportError):
        return str(message)


@contextmanager
def _stopping_on_signals() -> Iterator[list[int]]:
    """Raise `_Stopped` on SIGINT and SIGTERM, and list them: what swallows it cannot hide it."""
    stopped: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.append(number)
        raise _Stopped

    numbers: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():
        numbers = ()
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _prepare_streams() -> None:
    """See to it that words reach the console and never a file of ours.

    A closed stdout or stderr leaves its number to the next file that is opened, so that a warning
    of a C library would be written into an output. Letters that the console cannot show are
    written as JSON writes them, so that JSON stays JSON.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    codecs.register_error("as_json", _escape_as_json)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="as_json")


def _escape_as_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    escapes = (f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    return "".join(escapes), error.end


def _silence_stdout() -> None:
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def require_addresses() -> None:
    """Raise MemoryError where a run may not have the addresses that compiled code takes.

    LLVM and Arrow end the whole process when they are given none: too late for a message.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if allowed != resource.RLIM_INFINITY and allowed < ADDRESSES_BYTES:
        raise MemoryError


def _explain_environment(error: Exception) -> tuple[int, str]:
    """Return the exit code and the message of what the system refused; raise what is a bug."""
    if any(sign in str(error) for sign in OUT_OF_MEMORY) or isinstance(error, MemoryError):
        return ENVIRONMENT, "not enough memory: close other programs or raise the limit"
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return BAD_INPUT, f"{error.filename}: no such file"
    if isinstance(error, OSError):
        where = "" if error.filename is None else f"{error.filename}: "
        return ENVIRONMENT, f"{where}{error.strerror or error}"
    raise error

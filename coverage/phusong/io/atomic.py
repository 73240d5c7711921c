"""Files that are whole or not there: written beside their place, flushed, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

__all__ = [
    "MARK",
    "atomic_path",
    "clean_leftovers",
    "flush_file",
    "flush_folder",
    "naming_failures",
    "signals_deferred",
]

# Every unfinished thing that we make in a folder of the user begins with this.
MARK = ".phusong-"

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a path to write to; what was written takes the place of `path` in one step.

    The yielded path is in the same folder and has the same suffix. On success the file is flushed
    to disk and renamed over `path`, and the folder is flushed; on any error it is removed and
    `path` stays as it was.

    Parameters
    ----------
    path : Path
        The file to make or to replace.

    Raises
    ------
    OSError
        Naming `path`; where the disk is full, with the bytes that are free.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with atomic_path(folder / "answer.txt") as unfinished:
    ...     _ = unfinished.write_text("42", encoding="utf-8")
    >>> [path.name for path in folder.iterdir()]
    ['answer.txt']
    """
    unfinished = path.parent / f"{MARK}{os.getpid()}-{secrets.token_hex(4)}{path.suffix}"
    try:
        with naming_failures(path, written_to=unfinished):
            yield unfinished
            flush_file(unfinished)
            os.replace(unfinished, path)
            flush_folder(path.parent)
    finally:
        # A journal of SQLite may lie beside it. What cannot be removed now is the next run's to
        # remove: the error that brought us here is the one to tell.
        for leftover in path.parent.glob(f"{unfinished.name}*"):
            with suppress(OSError):
                leftover.unlink()


@contextmanager
def naming_failures(path: Path, *, written_to: Path | None = None) -> Iterator[None]:
    """Let every `OSError` of the block name `path`, say why in plain words and what to do."""
    try:
        yield
    except (OSError, AttributeError) as error:
        failure: BaseException | None = error
        while failure is not None and not isinstance(failure, OSError):
            failure = failure.__context__  # matplotlib's PDF stumbles in closing what failed
        if failure is None:
            raise
        reason = _describe_failure(path, failure, written_to)
        raise OSError(failure.errno, reason, str(path)) from error


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back until the block is done, and deliver them then.

    For what takes milliseconds and should not stop half way. Outside the main thread, where
    Python delivers no signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        held.append(number)

    before = {number: signal.signal(number, hold) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for caught in held:
            signal.raise_signal(caught)


def clean_leftovers(folder: Path, *, keep: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Remove what runs that were cut short left in `folder`; return the names.

    Only names that begin with `MARK` are touched, and only directly in `folder`; the names in
    `keep` stay. Call it while no other run writes there.
    """
    leftovers = sorted(
        path for path in folder.iterdir() if path.name.startswith(MARK) and path.name not in keep
    )
    for path in leftovers:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return tuple(path.name for path in leftovers)


def flush_file(path: Path) -> None:
    """Wait until the contents of `path` are on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk (Windows cannot, and does it by itself)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _describe_failure(path: Path, error: OSError, written_to: Path | None) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno not in FULL:
        return f"cannot be written: {reason}"
    size, free = 0, 0
    with suppress(OSError):
        free = shutil.disk_usage(path.parent).free
        size = 0 if written_to is None else written_to.stat().st_size
    written = f"{size:,} bytes of it were written, {free:,} bytes are free"
    return f"the disk is full ({written}): make room or choose another folder"

"""Files that are whole or not there: written beside their place, flushed, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["MARK", "atomic_path", "clean_leftovers", "describe_failure", "flush_folder"]

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
        yield unfinished
        flush_file(unfinished)
        os.replace(unfinished, path)
        flush_folder(path.parent)
    except OSError as error:
        raise type(error)(error.errno, describe_failure(path, error), str(path)) from error
    finally:
        unfinished.unlink(missing_ok=True)


def clean_leftovers(folder: Path) -> tuple[str, ...]:
    """Remove what runs that were cut short left in `folder`; return the names.

    Only names that begin with `MARK` are touched, and only directly in `folder`. Call it while
    no other run writes there.
    """
    leftovers = sorted(path for path in folder.iterdir() if path.name.startswith(MARK))
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


def describe_failure(path: Path, error: OSError) -> str:
    """Return one line that says why `path` could not be written and what to do."""
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno not in FULL:
        return f"cannot be written: {reason}"
    free = shutil.disk_usage(path.parent).free
    return f"the disk is full ({free:,} bytes are free): make room or choose another folder"

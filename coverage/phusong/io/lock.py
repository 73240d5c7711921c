"""One run at a time in a folder: a lock that the system lets go of when its holder dies."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from phusong.io.atomic import MARK

__all__ = ["LOCK", "lock_folder"]

LOCK = f"{MARK}lock"
HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold `folder` for writing; a second holder is refused at once.

    The lock belongs to the open file, so it ends with its process however that ends: a crash or a
    reboot leaves no stale lock, at most an empty file that the next holder takes.

    Raises
    ------
    BlockingIOError
        Where another run holds the folder, naming its process and its computer.
    """
    path = folder / LOCK
    descriptor = _open_locked(path)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        with suppress(OSError):  # Windows does not unlink what is open: the file stays, unlocked
            path.unlink()
        os.close(descriptor)


def _open_locked(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor)
            # The last holder may have unlinked the file between our open and our lock.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except OSError as error:
            if error.errno in HELD:
                holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
                os.close(descriptor)
                message = (
                    f"another run writes here ({holder}): wait for it or choose another folder"
                )
                raise BlockingIOError(errno.EAGAIN, message, str(path.parent)) from error
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

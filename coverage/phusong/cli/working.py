"""What a verb that writes a folder does around its work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from phusong.cli.answers import require_addresses, say, tell_notes

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["working"]


@contextmanager
def working(out: Path, *, compiling: str, scheduler: str | None = None) -> Iterator[Client | None]:
    """Make the folder ready and yield the client of a scheduler, where one is named.

    What the verb needs is imported inside: before, it is not known whether there is room for it.

    Parameters
    ----------
    out : Path
    compiling : str
        How long kernels are compiled at the first use, such as "20 s".
    scheduler : str, optional
        As `workers.open_client` takes it.
    """
    require_addresses()
    from phusong.io.staging import prepare_folder
    from phusong.kernels import announce_compiling
    from phusong.workers import open_client

    tell_notes(prepare_folder(out))
    with (
        announce_compiling(lambda: say(f"compiling, about {compiling}, once", err=True)),
        open_client(scheduler) as client,
    ):
        yield client

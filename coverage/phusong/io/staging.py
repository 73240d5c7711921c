"""An output folder that changes from one whole run to the next, never to a mix of two.

A run writes into a hidden folder inside its output folder (the same disk, so that a rename is
one step). When everything is there, that folder is renamed from `NEW` to `READY`: from then on the
run counts, and `finish_publication` moves its files into place, `run.json` last. A run that is cut
short before that leaves the old output as it was; one that is cut short after it is finished by
the next command that looks at the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from phusong.errors import InputFileError
from phusong.io.atomic import (
    MARK,
    clean_leftovers,
    flush_file,
    flush_folder,
    naming_failures,
    signals_deferred,
)
from phusong.io.lock import LOCK, lock_folder

__all__ = [
    "READY",
    "RUN_FILE",
    "finish_publication",
    "hash_file",
    "list_files",
    "listed_files",
    "prepare_folder",
    "require_untouched",
    "staged_folder",
]

RUN_FILE = "run.json"
NEW = f"{MARK}new"
READY = f"{MARK}ready"


def prepare_folder(folder: Path) -> tuple[str, ...]:
    """Make `folder`, check that files can be written there, clean up after runs cut short.

    Call it before the long work: what would fail at the end fails here.

    Returns
    -------
    tuple of str
        What was found of earlier runs and done about it, one line each; empty on most days.

    Raises
    ------
    OSError
        Naming the folder, if it cannot be made or written to, or if another run writes there.
    """
    if re.match(r"/vsi|[A-Za-z][\w+.-]+:/", str(folder)):
        raise InputFileError(f"{folder}: not a local folder; write to one and upload it")
    try:
        with naming_failures(folder):
            _make_folder(folder)
            with lock_folder(folder):
                return _tidy(folder)
    except (FileExistsError, NotADirectoryError) as error:
        message = "is not a folder: choose another place for the output"
        raise NotADirectoryError(error.errno, message, str(folder)) from error


@contextmanager
def staged_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to write a run into; on success its files are those of `folder`.

    The last file written must be `run.json` (see `manifest.write_run`). Files that an earlier run
    listed and the new one does not write are removed, unless someone changed them since; other
    files of the user are never touched: one in the way of an output is an error. On any error
    `folder` stays as it was.

    Raises
    ------
    OSError
        If the folder cannot be written, another run writes there, or a file that no earlier run
        listed is in the way.
    ValueError
        If `run.json` was not written.
    """
    prepare_folder(folder)
    with lock_folder(folder):
        staging = folder / NEW
        with naming_failures(folder):
            _tidy(folder)
            staging.mkdir()
        try:
            yield staging
            with signals_deferred(), naming_failures(folder):
                _check_complete(staging, folder)
                _flush(staging)
                os.replace(staging, folder / READY)
                flush_folder(folder)
                _publish(folder)
        finally:
            # The error that brought us here is the one to tell; the next run cleans up the rest.
            shutil.rmtree(staging, ignore_errors=True)


def finish_publication(folder: Path) -> bool:
    """Move the files of a finished run into place, where it was cut short while doing so.

    Returns
    -------
    bool
        Whether there was such a run.

    Raises
    ------
    OSError
        If the folder cannot be written, or another run writes there.
    """
    if not (folder / READY).is_dir():
        return False
    with lock_folder(folder), signals_deferred(), naming_failures(folder):
        if not (folder / READY).is_dir():  # its own run was only just finishing
            return False
        _publish(folder)
    return True


def listed_files(folder: Path) -> Mapping[str, str]:
    """Return the files that `run.json` lists, with their sha256; none where it cannot be read.

    Names that lead out of the folder are left out: a `run.json` is data, not an order.
    """
    try:
        if not (folder / RUN_FILE).is_file():  # a pipe of that name would be waited for
            return {}
        run = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        files = {str(name): str(entry["sha256"]) for name, entry in run["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: sha256 for name, sha256 in files.items() if _is_inside(name)}


def require_untouched(folder: Path, name: str) -> Path:
    """Return the path of an output that is as its run wrote it.

    Raises
    ------
    InputFileError
        If the folder has no such output of a run, or it was changed after.
    """
    listed, path = listed_files(folder), folder / name
    if name not in listed or not path.is_file():
        raise InputFileError(f"{folder}: no run with {name} (is it of another verb?)")
    if hash_file(path) != listed[name]:
        raise InputFileError(f"{path}: was changed after the run; run it again")
    return path


def list_files(folder: Path) -> list[str]:
    """Return the files of a run in `folder`, as sorted names with `/`; `MARK` names left out."""
    names = (
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )
    return sorted(name.as_posix() for name in names if not name.parts[0].startswith(MARK))


def hash_file(path: Path) -> str:
    """Return the sha256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _make_folder(folder: Path) -> None:
    """Make the folder and its parents, and see to it that a power cut does not unmake them."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        with suppress(PermissionError):  # a parent that may be written but not listed
            flush_folder(path.parent)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    has_odd_signs = "\\" in name or ":" in name
    return bool(path.parts) and not (path.is_absolute() or ".." in path.parts or has_odd_signs)


def _tidy(folder: Path) -> tuple[str, ...]:
    """Finish or remove what earlier runs left; the caller holds the lock."""
    notes = []
    if (folder / READY).is_dir():
        _publish(folder)
        notes.append(f"{folder}: finished the publication of an earlier run that was cut short")
    removed = clean_leftovers(folder, keep=(LOCK,))
    if removed:
        notes.append(f"{folder}: removed leftovers of an earlier run: {', '.join(removed)}")
    return tuple(notes)


def _flush(staging: Path) -> None:
    """Wait until every file of the run and its name are on the disk."""
    names = list_files(staging)
    for name in names:
        flush_file(staging / name)
    for parent in sorted({(staging / name).parent for name in names}):
        flush_folder(parent)


def _check_complete(staging: Path, folder: Path) -> None:
    if not (staging / RUN_FILE).is_file():
        raise ValueError(f"{folder}: a run ends with {RUN_FILE}, which was not written")
    known = {*listed_files(folder), RUN_FILE}
    for name in list_files(staging):
        target = folder / name
        if target.is_dir() or (target.exists() and name not in known):
            message = (
                f"{name} is there and no earlier run lists it: move it or choose another folder"
            )
            raise FileExistsError(17, message, str(folder))


def _publish(folder: Path) -> None:
    """Move the files of `READY` into place; doing it again after a cut does the rest."""
    ready = folder / READY
    if (ready / RUN_FILE).exists():
        new = listed_files(ready)
        for name in list_files(ready):
            if name != RUN_FILE:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(ready / name, folder / name)
        for name, sha256 in listed_files(folder).items():
            path = folder / name
            if name not in new and path.is_file() and hash_file(path) == sha256:
                path.unlink()
        flush_folder(folder)
        os.replace(ready / RUN_FILE, folder / RUN_FILE)
        flush_folder(folder)
    shutil.rmtree(ready)

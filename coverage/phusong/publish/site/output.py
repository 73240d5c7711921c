"""A folder of pages that is written again and again: only what changed, and only what is ours.

`site.json` lists the files of the site. It is written before the pages, with all names that are
about to be there, and once more at the end, with their sha256: a site that was cut short is
mended by publishing again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from phusong.errors import InputFileError
from phusong.io.atomic import MARK, naming_failures
from phusong.io.lock import lock_folder
from phusong.io.staging import hash_file, prepare_folder
from phusong.io.write import write_json

__all__ = ["SITE_FILE", "TYPES", "Written", "listed_pages", "write_site"]

SITE_FILE = "site.json"
# Every name that a site of ours has; a `site.json` is data, not an order.
NAME = re.compile(r"(?:[a-z0-9][a-z0-9_-]*/)*[a-z0-9][a-z0-9_.-]*")
# What the files of a site are, by suffix.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".xml": "application/xml",
    ".svg": "image/svg+xml",
    ".pdf": "application/pdf",
    ".csv": "text/csv; charset=utf-8",
    ".gpkg": "application/geopackage+sqlite3",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How many files were written, how many were as they should be, and what became of old ones.

    `kept` are files of the site before that someone changed since.
    """

    written: int
    unchanged: int
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def write_site(
    folder: Path, files: Mapping[str, Callable[[], bytes]], *, about: Mapping[str, object]
) -> Written:
    """Make the folder hold these files, and nothing of an earlier site that is not among them.

    A file that holds the same bytes already is not touched.

    Parameters
    ----------
    folder : Path
        Empty, or a site of ours; made if it is not there.
    files : Mapping
        By name (`/` between folders), what returns the contents.
    about : Mapping
        What else `site.json` says.

    Raises
    ------
    InputFileError
        If the folder holds files and is no site, or a file of someone else is in the way.
    OSError
        If the folder cannot be written, or someone else writes there.
    """
    _require_ours(folder)
    prepare_folder(folder)
    with lock_folder(folder):
        before = _read_listed(folder)
        for name in sorted(files.keys() - before.keys()):
            if (folder / name).exists():
                raise InputFileError(
                    f"{folder / name}: is there and the site does not list it: move it away"
                )
        planned = before | dict.fromkeys(files)
        write_json({**about, "is_whole": False, "files": planned}, folder / SITE_FILE)
        hashes, n_written = {}, 0
        for name, make in files.items():
            contents = make()
            hashes[name] = hashlib.sha256(contents).hexdigest()
            n_written += _write(folder, name, contents)
        removed, kept = _remove(folder, {k: v for k, v in before.items() if k not in files})
        write_json({**about, "is_whole": True, "files": hashes}, folder / SITE_FILE)
    return Written(
        written=n_written,
        unchanged=len(hashes) - n_written,
        removed=tuple(removed),
        kept=tuple(kept),
    )


def listed_pages(folder: Path) -> frozenset[str]:
    """Return the names of the files of a site."""
    return frozenset(_read_listed(folder))


def _require_ours(folder: Path) -> None:
    if not folder.is_dir() or (folder / SITE_FILE).is_file():
        return
    others = sorted(path.name for path in folder.iterdir() if not path.name.startswith(MARK))
    if others:
        raise InputFileError(
            f"{folder}: holds {others[0]} and no {SITE_FILE}: not a site of phusong; choose an "
            "empty folder"
        )


def _read_listed(folder: Path) -> dict[str, str | None]:
    """Return the files of the site with their sha256; None for those that were being written."""
    path = folder / SITE_FILE
    if not path.is_file():
        return {}
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {name: sha256 for name, sha256 in listed.items() if NAME.fullmatch(name)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputFileError(f"{path}: not the list of a site of phusong: {error!r}") from error


def _write(folder: Path, name: str, contents: bytes) -> bool:
    """Write a file in one step, unless it is there already; return whether it was written.

    No page is flushed to the disk on its own: after a power cut, publishing again finds what is
    not as it should be.
    """
    path = folder / name
    if path.is_file() and not path.is_symlink() and path.read_bytes() == contents:
        return False
    unfinished = folder / f"{MARK}{os.getpid()}-page"
    with naming_failures(path, written_to=unfinished):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(contents)
        os.replace(unfinished, path)
    return True


def _remove(folder: Path, old: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    """Remove the files of the site before, and folders that become empty; return those kept."""
    removed, kept = [], []
    for name, sha256 in old.items():
        path = folder / name
        if not path.is_file():
            continue
        if sha256 is not None and hash_file(path) != sha256:
            kept.append(name)
            continue
        path.unlink()
        removed.append(name)
        with suppress(OSError):  # not empty yet
            path.parent.rmdir()
    return removed, kept

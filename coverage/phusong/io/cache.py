"""What was downloaded: a folder of files, and an index that says what each of them must be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from phusong.errors import InputFileError
from phusong.io.atomic import MARK, atomic_path
from phusong.io.lock import lock_folder
from phusong.io.staging import hash_file

__all__ = [
    "PARTIALS",
    "Entry",
    "clear_cache",
    "default_cache",
    "find_state",
    "list_cache",
    "read_index",
    "write_index",
]

INDEX = "index.json"
PARTIALS = f"{MARK}partial"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file of the cache, by its path in it."""

    path: str
    url: str
    sha256: str
    n_bytes: int
    pinned_by: str  # "phusong", "the user", "first download"; "assembly" for what we made of others


def default_cache() -> Path:
    """Return the folder that the system has for such things, such as ~/.cache/phusong."""
    import pooch

    return Path(pooch.os_cache("phusong"))


def read_index(cache: Path) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """Return the entries by path, and a note if the index had to be given up.

    An index that is broken, of another version, or that points out of the cache is not used: the
    files whose sha256 phusong knows are held against that, all others are fetched anew.
    """
    try:
        found = json.loads((cache / INDEX).read_text(encoding="utf-8"))
        if found["version"] != VERSION:
            raise ValueError(f"version {found['version']!r}, expected {VERSION}")
        entries = [Entry(**entry) for entry in found["entries"]]
        if any(_leaves(cache, entry.path) for entry in entries):
            raise ValueError("it points out of the cache")
    except FileNotFoundError:
        return {}, ()
    except (ValueError, LookupError, TypeError) as error:
        return {}, (f"{cache / INDEX}: not used ({error}): what it pinned is pinned anew",)
    return {entry.path: entry for entry in entries}, ()


def write_index(cache: Path, entries: Mapping[str, Entry]) -> None:
    """Write the index, in the order of the paths."""
    found = {"version": VERSION, "entries": [asdict(entries[path]) for path in sorted(entries)]}
    with atomic_path(cache / INDEX) as unfinished:
        text = json.dumps(found, ensure_ascii=False, indent=1)
        unfinished.write_text(text + "\n", encoding="utf-8")


def find_state(cache: Path, entry: Entry) -> str:
    """Return "ok", "missing" or "changed"."""
    path = cache / entry.path
    if not path.is_file():
        return "missing"
    return "ok" if hash_file(path) == entry.sha256 else "changed"


def list_cache(cache: Path) -> tuple[list[tuple[Entry, str]], tuple[str, ...]]:
    """Return each entry with its state, and notes about the index and unfinished downloads."""
    entries, notes = read_index(cache)
    listed = [(entry, find_state(cache, entry)) for entry in entries.values()]
    waiting = [path for path in (cache / PARTIALS).glob("*") if path.suffix != ".etag"]
    if waiting:
        n_bytes = sum(path.stat().st_size for path in waiting)
        notes = (*notes, f"{len(waiting)} unfinished downloads ({n_bytes:,} bytes)")
    return listed, notes


def clear_cache(cache: Path) -> tuple[int, tuple[str, ...]]:
    """Remove what phusong put into the cache; return how many files, and what was left there.

    Only what the index lists is removed, and unfinished downloads: a folder named by mistake keeps
    its own files.

    Raises
    ------
    InputFileError
        If the folder is not a cache of phusong.
    """
    if not cache.exists():
        return 0, ()
    if not (cache / INDEX).exists() and not (cache / PARTIALS).exists():
        raise InputFileError(f"{cache}: not a cache of phusong (no {INDEX}); nothing was removed")
    with lock_folder(cache):
        entries, notes = read_index(cache)
        ours = [cache / path for path in entries]
        ours += [path for path in (cache / PARTIALS).glob("*") if path.is_file()]
        ours = [path for path in ours if path.exists() or path.is_symlink()]
        for path in ours:
            path.unlink()
        for folder in {cache / PARTIALS, *(path.parent for path in ours)} - {cache}:
            with suppress(OSError):  # not empty, or not there
                folder.rmdir()
        (cache / INDEX).unlink(missing_ok=True)
    left = sorted(str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file())
    return len(ours), (*notes, *(f"{name}: not ours, left as it is" for name in left))


def _leaves(cache: Path, path: str) -> bool:
    return not (cache / path).resolve().is_relative_to(cache.resolve())

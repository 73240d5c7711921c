"""How kernels are compiled: cached on disk where that is possible, in memory where it is not."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

__all__ = ["announce_compiling", "digest_sources", "in_threads", "kernel"]

Function = TypeVar("Function", bound=Callable[..., object])
Item = TypeVar("Item")
Result = TypeVar("Result")


def _import_numba() -> ModuleType:
    """Import numba, also where a plain folder called `coverage` lies on the path, as it does here.

    Numba asks whether coverage.py is installed by importing `coverage`, and fails on a folder
    without an `__init__.py` that answers to the name; it is told that there is none.
    """
    spec = importlib.util.find_spec("coverage") if "coverage" not in sys.modules else None
    if spec is None or spec.origin is not None:
        return importlib.import_module("numba")
    sys.modules["coverage"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("numba")
    finally:
        del sys.modules["coverage"]


numba = _import_numba()


def kernel(function: Function) -> Function:
    """Compile `function` on first use, without the interpreter lock.

    The machine code is kept beside the source or in the user's cache; on a machine where neither
    can be written it is compiled anew by each process, with the same results.
    """
    before = numba.config.CACHE_DIR
    try:
        for folder in _cache_folders(function.__module__):
            numba.config.CACHE_DIR = str(folder)
            try:
                return numba.njit(cache=True, nogil=True)(function)
            except (RuntimeError, OSError):  # it may not be written
                continue
    finally:
        numba.config.CACHE_DIR = before
    return numba.njit(nogil=True)(function)


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Do the work on each item, on as many threads as there are processors; results in order."""
    listed = list(items)
    if len(listed) < 2:
        return [work(item) for item in listed]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, listed))


@contextmanager
def announce_compiling(say: Callable[[], object]) -> Iterator[None]:
    """Call `say` when, inside the block, a kernel is compiled for the first time, and once only."""
    has_said: list[bool] = []

    class Listener(numba.core.event.Listener):  # type: ignore[name-defined]
        def on_start(self, event: object) -> None:
            if not has_said:
                has_said.append(True)
                say()

        def on_end(self, event: object) -> None:
            pass

    listener = Listener()
    numba.core.event.register("numba:compile", listener)
    try:
        yield
    finally:
        numba.core.event.unregister("numba:compile", listener)


@cache
def digest_sources(module: str) -> str:
    """Return the SHA-256 of a module's source and of all that it imports of ours, in hex."""
    digest = hashlib.sha256()
    for source in _sources(module, set()):
        digest.update(source)
    return digest.hexdigest()


@cache
def _cache_folders(module: str) -> tuple[Path, ...]:
    """Return where the compiled kernels of a module may lie, the best first.

    The name holds a digest of the module and of all that it imports of ours: numba itself looks
    only at the file that a kernel is in, and would go on using old code of one called from another.
    """
    name = f"{module}-{digest_sources(module)[:16]}"
    beside = Path(__file__).parent / "__pycache__" / "kernels"
    for old in beside.glob(f"{module}-*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)
    folders = [beside / name]
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if Path(base).is_absolute():
        folders.append(Path(base) / "phusong" / "kernels" / name)
    return tuple(folders)


def _sources(module: str, seen: set[str]) -> Iterator[bytes]:
    """Yield the source of a module and of those of ours that it imports, each once."""
    spec = importlib.util.find_spec(module) if module not in seen else None
    seen.add(module)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return
    source = Path(spec.origin).read_bytes()
    yield source
    package = __name__.partition(".")[0]
    for imported in re.findall(rf"^from ({package}[\w.]*) import", source.decode(), re.MULTILINE):
        yield from _sources(imported, seen)

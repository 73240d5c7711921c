"""How kernels are compiled: cached on disk where that is possible, in memory where it is not."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

__all__ = ["kernel"]

Function = TypeVar("Function", bound=Callable[..., object])


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
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no folder that it may write
        return numba.njit(nogil=True)(function)

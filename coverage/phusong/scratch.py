"""Large arrays on disk, so that a whole country's cells fit beside little memory."""

from __future__ import annotations

import math
import os
from tempfile import TemporaryFile

import numpy as np

__all__ = ["make_array"]

# What is smaller stays in memory: a file would cost more than it saves.
SMALL_BYTES = 4_000_000


def make_array(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return an array of zeros; a large one lies in a nameless file in the temporary folder.

    The system keeps as much of the file in memory as it can spare, and writes the rest to the
    disk. The file is gone with the last view of the array, also after a crash.

    Raises
    ------
    OSError
        If the disk is full: it is asked for the whole array first.

    Examples
    --------
    >>> array = make_array((2, 1000, 1000), "float32")
    >>> array[1, 2, 3] = 0.5
    >>> array.sum(), array.shape
    (np.float32(0.5), (2, 1000, 1000))
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if n_bytes < SMALL_BYTES:
        return np.zeros(shape, dtype)
    with TemporaryFile(prefix="phusong-") as file:
        if hasattr(os, "posix_fallocate"):  # a hole in the file would end us when it is filled
            os.posix_fallocate(file.fileno(), 0, n_bytes)
        else:
            file.truncate(n_bytes)
        return np.asarray(np.memmap(file, dtype, "r+", shape=shape))

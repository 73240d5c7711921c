"""Large arrays live on disk, leave nothing behind, and say it when the disk is full."""

from __future__ import annotations

import errno
import os
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest

from phusong.scratch import SMALL_BYTES, make_array

LARGE = (2, SMALL_BYTES // 4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_large_array_is_zero_at_first_and_leaves_no_file(folder: Path) -> None:
    array = make_array(LARGE, "float32")
    assert isinstance(array.base, np.memmap)
    assert not array.any()
    array[1, -1] = 3
    view = array[1]
    del array
    assert view[-1] == 3
    assert list(folder.iterdir()) == []


def test_small_array_stays_in_memory(folder: Path) -> None:
    assert make_array((3, 4), "float64").base is None


def test_array_goes_to_another_process_with_its_values(folder: Path) -> None:
    array = make_array(LARGE, "float32")
    array[0, 5] = 7
    copy = pickle.loads(pickle.dumps(array))  # noqa: S301
    assert type(copy) is np.ndarray
    np.testing.assert_array_equal(copy, array)


def test_full_disk_is_an_error_before_anything_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        make_array(LARGE, "float32")

"""Tiles of predictions in a folder: a prediction that was stopped goes on where it was."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path

import numpy as np

from phusong.io.atomic import MARK, atomic_path

__all__ = ["TileFolder"]

SUFFIX = ".npz"


class TileFolder(MutableMapping[str, dict[str, np.ndarray]]):
    """A mapping of digests to arrays, each in a file of its own that is whole or not there.

    A file that cannot be read is as if it were not there. Several runs may use one folder at once.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Raises
    ------
    OSError
        If it cannot be made or written to.

    Examples
    --------
    >>> tiles = TileFolder(getfixture("tmp_path") / "tiles")
    >>> tiles["ab12"] = {"power": np.array([1.0, np.nan])}
    >>> list(tiles), tiles["ab12"]["power"].tolist()
    (['ab12'], [1.0, nan])
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def __getitem__(self, digest: str) -> dict[str, np.ndarray]:
        try:
            with (
                self._path(digest).open("rb") as file,
                np.load(file, allow_pickle=False) as arrays,
            ):
                return {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise KeyError(digest) from error

    def __setitem__(self, digest: str, arrays: dict[str, np.ndarray]) -> None:
        with atomic_path(self._path(digest)) as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    def __delitem__(self, digest: str) -> None:
        try:
            self._path(digest).unlink()
        except FileNotFoundError as error:
            raise KeyError(digest) from error

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in sorted(self.folder.glob(f"*{SUFFIX}"))
                if not path.name.startswith(MARK))  # fmt: skip

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}{SUFFIX}"

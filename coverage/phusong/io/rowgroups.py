"""Row groups of a Parquet file, read where they are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from phusong.errors import InputFileError
from phusong.io.files import require_file

__all__ = ["list_row_groups"]


def list_row_groups(path: Path, columns: Sequence[str]) -> list[Callable[[], pa.Table]]:
    """Return a reader for each row group of a Parquet file.

    A reader opens the file when it is called, in whatever process: `count_points` calls it where
    it counts, so that with workers on other machines the points travel only from the storage.

    Parameters
    ----------
    path : Path
        On storage that all workers see under the same name.
    columns : sequence of str
        Those to be read.

    Raises
    ------
    InputFileError
        If the file is no Parquet or lacks a column.

    Examples
    --------
    >>> from phusong.io.embedded import embedded_path
    >>> [read] = list_row_groups(embedded_path("communes"), ["commune_code"])
    >>> read().num_rows
    166
    """
    require_file(path, (".parquet",))
    path = path.resolve()
    try:
        with pq.ParquetFile(path) as file:
            n, found = file.num_row_groups, file.schema_arrow.names
    except (pa.ArrowInvalid, OSError) as error:
        raise InputFileError(f"{path}: no Parquet file that can be read ({error})") from error
    lacking = [name for name in columns if name not in found]
    if lacking:
        raise InputFileError(f"{path}: no column {', '.join(lacking)}; found {', '.join(found)}")
    return [partial(_read_row_group, path, i, tuple(columns)) for i in range(n)]


def _read_row_group(path: Path, i: int, columns: tuple[str, ...]) -> pa.Table:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        return file.read_row_group(i, columns=list(columns))

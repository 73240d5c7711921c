"""The raw rows of a table, whatever file they come from, kept by column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, zip_longest

import numpy as np
import pandas as pd
import pyarrow as pa

from phusong.errors import Problem

__all__ = ["Rows", "gather_rows", "with_odd_rows"]

CHUNK_ROWS = 20_000
SAMPLE_ROWS = 1_000
MAX_COLUMNS = 1_000  # kept by column; the cells of wider rows are kept row by row


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Numbered rows of text cells, with what was noted and mended while they were read.

    A million rows fit into memory because no row is an object of its own: `columns` hold the cells
    ("" where a row is too short), `widths` how many cells a row has, and `beyond` the cells past
    the last column, by position of the row, for the few rows that have such.
    """

    columns: list[pa.ChunkedArray]
    widths: np.ndarray
    numbers: np.ndarray
    beyond: dict[int, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    repairs: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.widths)

    def lists(self, at: Sequence[int] | np.ndarray) -> list[list[str]]:
        """Return the rows at these positions, each as long as the file has it."""
        places = pa.array(at, pa.int64())
        taken = [column.take(places).to_pylist() for column in self.columns]
        rows = zip(*taken, strict=True) if taken else iter([()] * len(at))
        return [
            [*row[: self.widths[place]], *self.beyond.get(int(place), ())]
            for place, row in zip(at, rows, strict=True)
        ]

    def column(self, i: int) -> pd.Series:
        """Return the cells of column `i`, "" where a row has none."""
        if i < len(self.columns):
            return pd.Series(pd.array(self.columns[i], dtype="str"))
        texts = [""] * len(self)
        for at, cells in self.beyond.items():
            if i - len(self.columns) < len(cells):
                texts[at] = cells[i - len(self.columns)]
        return pd.Series(texts, dtype="str")

    def keep(self, is_kept: np.ndarray) -> Rows:
        """Return the rows of the mask, in their order."""
        new = np.cumsum(is_kept) - 1
        mask = pa.array(is_kept)
        return replace(
            self,
            columns=[column.filter(mask) for column in self.columns],
            widths=self.widths[is_kept],
            numbers=self.numbers[is_kept],
            beyond={int(new[at]): cells for at, cells in self.beyond.items() if is_kept[at]},
        )

    def first_filled(self) -> pd.Series:
        """Return the first cell of each row that holds more than spaces; "" where none does."""
        first = np.full(len(self), "", dtype=object)
        left = np.arange(len(self))
        for i in range(len(self.columns)):
            if not len(left):
                break
            cells = self.column(i) if len(left) == len(self) else self.column(i).take(left)
            is_filled = (cells.str.strip() != "").to_numpy(bool)
            first[left[is_filled]] = cells[is_filled].to_numpy(object)
            left = left[~is_filled]
        for at in left:
            first[at] = next((c for c in self.beyond.get(int(at), ()) if c.strip()), "")
        return pd.Series(first, dtype="str")


def gather_rows(rows: Iterable[list[str]]) -> Rows:
    """Return lists of cells by column, numbered from 1.

    Examples
    --------
    >>> found = gather_rows([["a", "b"], [], ["c"]])
    >>> found.column(1).tolist(), found.lists([0, 1, 2])
    (['b', '', ''], [['a', 'b'], [], ['c']])
    """
    endless = iter(rows)
    n_columns: int | None = None
    chunks: list[list[pa.Array]] = []
    widths: list[int] = []
    beyond: dict[int, list[str]] = {}
    while chunk := list(islice(endless, CHUNK_ROWS)):
        lengths = [len(row) for row in chunk]
        if n_columns is None:
            n_columns = min(max(lengths[:SAMPLE_ROWS]), MAX_COLUMNS)
        for at in (i for i, n in enumerate(lengths) if n > n_columns):
            beyond[len(widths) + at] = chunk[at][n_columns:]
            chunk[at] = chunk[at][:n_columns]
        blank = pa.array([""] * len(chunk), pa.large_string())
        made = [pa.array(c, pa.large_string()) for c in zip_longest(*chunk, fillvalue="")]
        chunks.append(made + [blank] * (n_columns - len(made)))
        widths += lengths
    return Rows(
        columns=[
            pa.chunked_array(arrays, pa.large_string()) for arrays in zip(*chunks, strict=True)
        ],
        widths=np.array(widths, dtype="int64"),
        numbers=np.arange(1, len(widths) + 1),
        beyond=beyond,
    )


def with_odd_rows(columns: list[pa.ChunkedArray], odd: dict[int, list[str]]) -> Rows:
    """Return columns of equally long rows with rows of other lengths at their positions.

    Examples
    --------
    >>> columns = [pa.chunked_array([c], pa.large_string()) for c in (["a", "c"], ["b", "d"])]
    >>> with_odd_rows(columns, {1: ["x"], 3: ["1", "2", "3"]}).lists(range(4))
    [['a', 'b'], ['x'], ['c', 'd'], ['1', '2', '3']]
    """
    n_columns, n_rows = len(columns), len(columns[0]) + len(odd)
    widths = np.full(n_rows, n_columns)
    beyond = {at: cells[n_columns:] for at, cells in odd.items() if len(cells) > n_columns}
    if odd:
        places = np.array(sorted(odd))
        widths[places] = [len(odd[at]) for at in places]
        order = np.empty(n_rows, dtype="int64")
        order[places] = len(columns[0]) + np.arange(len(odd))
        order[np.delete(np.arange(n_rows), places)] = np.arange(len(columns[0]))
        columns = [
            pa.chunked_array(
                [*column.chunks, [(odd[at][i : i + 1] or [""])[0] for at in places]],
                pa.large_string(),
            ).take(pa.array(order))
            for i, column in enumerate(columns)
        ]
    return Rows(columns=columns, widths=widths, numbers=np.arange(1, n_rows + 1), beyond=beyond)

"""A table as the bytes of a CSV file: each distinct cell is spelt once, not once a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["csv_parts"]

CHUNK_ROWS = 50_000


def csv_parts(table: pd.DataFrame, *, mend: Callable[[object], object]) -> Iterator[bytes]:
    """Yield UTF-8 with a byte order mark: the same bytes as `DataFrame.to_csv` without an index.

    Parameters
    ----------
    table : DataFrame
        Columns of text, numbers, yes/no, dates or objects.
    mend : callable
        What becomes of a cell of text before it is written.

    Examples
    --------
    >>> table = pd.DataFrame({"name": ["a, b", None], "share": [0.5, float("nan")]})
    >>> b"".join(csv_parts(table, mend=lambda text: text)).decode("utf-8-sig")
    'name,share\\n"a, b",0.5\\n,\\n'
    """
    yield "\ufeff".encode() + (_row([*map(str, table.columns)]) + "\n").encode()
    blank = '""' if table.shape[1] == 1 else ""  # a line of nothing would be no row
    columns = [_spell(table.iloc[:, i], mend, blank) for i in range(table.shape[1])]
    comma, end, nothing = (pa.scalar(text, pa.large_string()) for text in (",", "\n", ""))
    for start in range(0, len(table), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        cells = [texts.take(pa.array(codes[part])) for codes, texts in columns]
        lines = pc.binary_join_element_wise(*cells, comma)
        lines = pc.binary_join_element_wise(lines, end, nothing)
        _, offsets, letters = lines.buffers()
        first, last = np.frombuffer(offsets, "int64")[[lines.offset, lines.offset + len(lines)]]
        yield memoryview(letters)[first:last].tobytes()


def _spell(
    values: pd.Series, mend: Callable[[object], object], blank: str
) -> tuple[np.ndarray, pa.Array]:
    """Return for each row the position of its text, and the texts."""
    if values.dtype == "float64":  # by their bits: 0.0 and -0.0 are equal, and written differently
        codes, bits = pd.factorize(values.to_numpy().view("int64"))
        texts = _as_pandas_writes(pd.Series(bits.view("float64")))
    elif _is_plain(values.dtype):
        codes, distinct = pd.factorize(values, use_na_sentinel=False)
        texts = _as_pandas_writes(pd.Series(distinct))
    else:
        is_object = values.dtype == object  # 2 and "2" may stand in it: only the text is mended
        text = values.map(mend, na_action="ignore").astype("str") if is_object else values
        codes, found = pd.factorize(text, use_na_sentinel=False)
        distinct = pd.Series(found, dtype="str")
        if not is_object:
            distinct = distinct.map(mend, na_action="ignore").astype("str")
        is_quoted = distinct.str.contains('[,"\r\n]', na=False)
        texts = distinct.fillna("").tolist()
        for at in np.flatnonzero(is_quoted):
            texts[at] = _row([texts[at], ""])[:-1]
    spelt = pa.array([text or blank for text in texts], pa.large_string())
    return codes.astype("int32"), spelt


def _is_plain(dtype: object) -> bool:
    types = pd.api.types
    return bool(types.is_numeric_dtype(dtype) or types.is_datetime64_any_dtype(dtype))


def _as_pandas_writes(distinct: pd.Series) -> list[str]:
    """Return the texts of numbers, days or answers, none of which needs a quotation mark."""
    lines = distinct.to_csv(index=False, header=False, lineterminator="\n").split("\n")[:-1]
    return ["" if line == '""' else line for line in lines]


def _row(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()[:-1]

"""Tables by column: the same cells as row by row, and files as pandas would write them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from unicodedata import normalize

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.errors import InputFileError
from phusong.io.cells import read_cells
from phusong.io.delimit import csv_parts
from phusong.io.delimited import read_delimited
from phusong.io.rows import gather_rows
from phusong.io.tables import read_sites
from phusong.io.write import escape_text, write_csv

# No separator or line end; no Latin-1 letters, whose pairs may be text that was encoded twice.
CELL = st.text(st.sampled_from("aB0 .'-\x0b\x1c\x1fạđươ\u2028"))
TEXT = st.text(st.sampled_from("aÃ =+-@,;\"'\t\r\n＝é0"))
WHOLE = st.floats(allow_nan=True, allow_infinity=True)


@given(rows=st.lists(st.lists(CELL, min_size=2, max_size=5), min_size=1), quoted=st.booleans())
def test_rows_are_those_of_the_csv_module(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], quoted: bool
) -> None:
    rows = [["mã trạm", "lon", "lat"], *rows]
    text = io.StringIO()
    style = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, quoting=style).writerows(rows)
    path = tmp_path_factory.mktemp("rows") / "table.csv"
    path.write_bytes(text.getvalue().encode())
    found = read_delimited(path)
    assert found.numbers.tolist() == [*range(1, len(rows) + 1)]
    assert found.lists(range(len(found))) == [[normalize("NFC", c) for c in row] for row in rows]


def test_a_quotation_mark_changes_nothing_in_the_other_rows(tmp_path: Path) -> None:
    lines = ["site_id,name,lon,lat", *(f"T{i},Trạm {i},105.{i},19.9" for i in range(50))]
    lines[7:7] = ["short,row", "", "one,cell,too,many,here"]
    plain, marked = tmp_path / "plain.csv", tmp_path / "marked.csv"
    plain.write_text("\n".join(lines), encoding="utf-8")
    marked.write_text("\n".join([*lines, 'T99,"a ""b"", c",105.5,19.9']), encoding="utf-8")
    rows = [read_delimited(path) for path in (plain, marked)]
    filled = [[row for row in r.lists(range(len(r))) if any(row)] for r in rows]
    assert filled[0] == filled[1][:-1]
    assert filled[1][-1][1] == 'a "b", c'


def test_rows_are_kept_by_their_mask_with_the_cells_past_the_last_column() -> None:
    wide = ["x"] * 1_500
    found = gather_rows([["a", "b"], wide, [], [" ", "c"]])
    assert found.column(1_200).tolist() == ["", "x", "", ""]
    assert found.first_filled().tolist() == ["a", "x", "", "c"]
    kept = found.keep((found.widths != 2) | (found.numbers == 4))
    assert kept.lists(range(3)) == [wide, [], [" ", "c"]]
    assert kept.numbers.tolist() == [2, 3, 4]


def test_copies_are_told_from_rows_that_differ_in_one_cell_or_in_length(tmp_path: Path) -> None:
    text = "site_id,lon,lat\nA,1,2\nB,1,2\nA,1,2\nA,1,2,\nA,1,3\nB,1,2\nA,1,2,\nA,1,2\n"
    (tmp_path / "sites.csv").write_text(text, encoding="utf-8")
    cells = read_cells(tmp_path / "sites.csv", "sites")
    assert cells.rows.numbers.tolist() == [2, 3, 5, 6]
    assert [(p.row, p.found) for p in cells.copies] == [
        (row, f"an exact duplicate of row {first}")
        for row, first in ((4, 2), (7, 3), (8, 5), (9, 2))
    ]


def test_headings_that_stand_again_are_no_rows(tmp_path: Path) -> None:
    text = "site_id,lon,lat\nA,1,2\nsite_id,LON,Lat\nsite_id,lon,3\n"
    (tmp_path / "sites.csv").write_text(text, encoding="utf-8")
    cells = read_cells(tmp_path / "sites.csv", "sites")
    assert cells.rows.numbers.tolist() == [2, 4]
    assert "the headings stand again in rows 3" in cells.notes


def test_a_file_of_spaces_is_empty(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text(" , \n,\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="empty"):
        read_cells(tmp_path / "sites.csv", "sites")


@given(
    rows=st.lists(
        st.tuples(TEXT | st.none(), WHOLE, st.integers(), st.booleans(), TEXT | st.none()),
        min_size=1,
    )
)
def test_a_table_is_written_as_pandas_writes_it(rows: list[tuple[object, ...]]) -> None:
    names = ["text, ü", "share", "count", "is_good", "object"]
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    table = pd.DataFrame(columns).astype({"text, ü": "str", "object": "object"})
    table["answer"] = table["is_good"].astype("boolean").mask(table["share"].isna())
    table["day"] = pd.Timestamp("2024-02-03")
    table["day"] = table["day"].where(table["is_good"])
    escaped = table.copy()
    for name in ("text, ü", "object"):
        escaped[name] = [escape_text(v) for v in table[name]]
    expected = escaped.to_csv(index=False, lineterminator="\n")
    assert b"".join(csv_parts(table, mend=escape_text)).decode("utf-8-sig") == expected


def test_a_table_of_one_column_or_of_no_rows_is_written_as_pandas_does(tmp_path: Path) -> None:
    for table in (pd.DataFrame({"a": ["", None, "x"]}), pd.DataFrame({"a": [], "b": []})):
        write_csv(table, tmp_path / "table.csv")
        expected = table.to_csv(index=False, lineterminator="\n")
        assert (tmp_path / "table.csv").read_bytes() == b"\xef\xbb\xbf" + expected.encode()


def test_a_row_of_very_many_cells_is_set_aside_alone(tmp_path: Path) -> None:
    rows = ["site_id,lon,lat,operator,technology", "A,105.1,19.9,Viettel,5G"]
    rows += ["B,105.1,19.9,Viettel,5G" + "," * 99_999 + "x", "C,105.2,19.9,Viettel,5G" + "," * 9]
    (tmp_path / "sites.csv").write_text("\n".join(rows), encoding="utf-8")
    layer, report = read_sites(tmp_path / "sites.csv")
    assert layer["site_id"].tolist() == ["A", "C"]
    assert [(p.row, p.found) for p in report.quarantine] == [(3, "'100004 cells'")]
    assert len(report.cells[3]) == 100_004

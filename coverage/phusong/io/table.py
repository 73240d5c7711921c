"""A table on its way from cells to a layer: rows are set aside or mended, never dropped."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from phusong.errors import Problem, SchemaError
from phusong.io.cells import Cells
from phusong.io.coordinates import parse_degrees, split_pairs
from phusong.io.headers import Vocabulary, as_words, plain, split_words
from phusong.io.parse import (
    Parsed,
    pad_codes,
    parse_dates,
    parse_numbers,
    parse_quantities,
    parse_text,
    parse_yes_no,
)
from phusong.io.report import Reading, ReadReport
from phusong.io.workbook import UNKNOWN_FORMULA
from phusong.layers import LAYERS
from phusong.schema import find_problems

__all__ = ["Table", "take_distinct"]

TOTALS = ("tong", "tong cong", "tong so", "cong", "total", "totals", "grand total", "sum")
MAX_CELL_CHARACTERS = 32_767  # what a spreadsheet cell holds
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
OMNI = ("omni", "omnidirectional", "vo huong", "da huong", "dang huong")
SHOWN_CHARACTERS = 80
_DIGIT = re.compile(r"\d")


@dataclass
class Table:
    """Rows as a frame, their numbers in the file (kept where a row becomes several), the account.

    `part` tells the cells of one row apart: 0 where the row is one cell, else 1, 2, …
    """

    path: Path
    layer: str
    cells: Cells
    frame: pd.DataFrame
    rows: pd.Series
    part: pd.Series
    n_rows: int
    n_blank: int
    copies: tuple[Problem, ...]
    notes: list[str]
    repairs: list[Problem]
    wrong: dict[int, list[Problem]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def from_cells(cls, cells: Cells, path: Path, layer: str) -> Table:
        """Read each known column as what the schema says it holds."""
        texts = {name: cells.rows.column(i) for i, name in cells.columns.items()}
        rows = pd.Series(cells.rows.numbers, dtype="int64")
        table = cls(
            path=path, layer=layer, cells=cells, rows=rows,
            frame=pd.DataFrame(index=rows.index), part=pd.Series(0, index=rows.index),
            n_rows=len(rows), n_blank=cells.n_blank, copies=cells.copies,
            notes=list(cells.notes), repairs=list(cells.repairs),
        )  # fmt: skip
        table._refuse_widths(cells)
        table._refuse_totals(cells)
        texts = table._expand(table._clean(texts))
        headers = {name: cells.headers[i] for i, name in cells.columns.items()}
        table.frame = pd.DataFrame(index=table.rows.index)
        for name, values in texts.items():
            if name == "lon_lat":
                if not {"lon", "lat"} & set(texts):
                    lon, lat = split_pairs(values)
                    table.frame["lon"] = table._parse("lon", lon, "")
                    table.frame["lat"] = table._parse("lat", lat, "")
                continue
            table.frame[name] = table._parse(name, values, headers[name])
        return table

    def refuse(self, mask: pd.Series, name: str, found: pd.Series, expected: str) -> None:
        """Note a problem for each row of the mask: the row is set aside."""
        for entry in self._entries(mask, name, found, expected, ""):
            listed = self.wrong[entry.row or 0]
            if not any(problem.field == "row" for problem in listed):  # it says enough
                listed.append(entry)

    def mend(
        self, mask: pd.Series, name: str, found: pd.Series, expected: str, message: str
    ) -> None:
        """Note what was changed in each row of the mask."""
        self.repairs += self._entries(mask, name, found, expected, message)

    @property
    def is_good(self) -> pd.Series:
        """Which rows nothing is known against."""
        return ~self.rows.isin(self.wrong.keys())

    def pad_codes(self) -> None:
        """Give back the leading zeros that a spreadsheet took from five-digit commune codes."""
        if "commune_code" not in self.frame:
            return
        codes = self.frame["commune_code"]
        self.frame["commune_code"], is_short = pad_codes(codes)
        self.mend(
            is_short, "commune_code", codes.fillna(""), "five digits", "leading zeros put back"
        )

    def close(self, *, lenient: Iterable[str] = ()) -> Reading:
        """Hold the rows against the schema, set the wrong ones aside, and give the account."""
        described = LAYERS[self.layer]
        missing = [n for n in described.required if n not in self.frame and n not in lenient]
        if missing:
            raise SchemaError(
                f"{self.path}: {self.layer}",
                [Problem(row=None, field=name, found="no such column (missing, thiếu)",
                         expected=described.column(name).meaning) for name in missing],
            )  # fmt: skip
        for problem in list(find_problems(self.frame[self.is_good], self.layer, rows=self.rows)):
            if problem.row is None:
                raise SchemaError(f"{self.path}: {self.layer}", [problem])
            if problem.field not in lenient and problem not in self.wrong[problem.row]:
                self.wrong[problem.row].append(problem)
        is_used = self.is_good
        used = self.frame[is_used].assign(source_row=self.rows[is_used])
        n_used = int(self.rows[is_used].nunique())
        report = ReadReport(
            file=str(self.path),
            layer=self.layer,
            rows_in=self.n_rows + self.n_blank + len(self.copies),
            rows_used=n_used,
            rows_quarantined=self.n_rows - n_used,
            rows_ignored=self.n_blank + len(self.copies),
            quarantine=tuple(p for number in sorted(self.wrong) for p in self.wrong[number]),
            repairs=(*self.repairs, *self.copies),
            notes=tuple(self.notes),
            headings=tuple(self.cells.headers),
            cells=self._set_aside(),
        )
        return Reading(used.reset_index(drop=True), report)

    def _entries(
        self, mask: pd.Series, name: str, found: pd.Series, expected: str, message: str
    ) -> list[Problem]:
        """Return one entry a row of the file, however many cells were made of it."""
        made = (
            Problem(row=int(self.rows[index]), field=name, found=_shown(found[index]),
                    expected=expected, message=message)
            for index in mask.index[mask.fillna(False).astype(bool)]
        )  # fmt: skip
        return list(dict.fromkeys(made))

    def _set_aside(self) -> dict[int, tuple[str, ...]]:
        """Return the rows that are set aside as the file has them, by their numbers."""
        at = np.flatnonzero(np.isin(self.cells.rows.numbers, [*self.wrong]))
        rows = self.cells.rows.lists(at)
        numbers = self.cells.rows.numbers[at].tolist()
        return {number: tuple(row) for number, row in zip(numbers, rows, strict=True)}

    def _refuse_widths(self, cells: Cells) -> None:
        """Set aside rows with more or fewer cells than there are headings."""
        width = max(i for i, header in enumerate(cells.headers) if header.strip()) + 1
        rows = cells.rows
        is_odd = pd.Series(rows.widths < width)
        for i in range(width, len(rows.columns)):
            is_odd |= rows.column(i).str.strip() != ""
        known = max(width - len(rows.columns), 0)
        for at, cells_beyond in rows.beyond.items():
            is_odd[at] |= any(cell.strip() for cell in cells_beyond[known:])
        found = pd.Series(rows.widths[is_odd], is_odd.index[is_odd]).astype("str") + " cells"
        self.refuse(is_odd, "row", found, f"{width} cells, as the headings")

    def _refuse_totals(self, cells: Cells) -> None:
        first = cells.rows.first_filled()
        is_total = take_distinct(first, lambda distinct: distinct.map(_is_total).astype("bool"))
        self.refuse(is_total, "row", first, "a row of data, not a total")

    def _clean(self, texts: dict[str, pd.Series]) -> dict[str, pd.Series]:
        """Set aside rows with control signs or cells beyond size; note formulas without a value."""
        kinds = {column.name: column.kind for column in LAYERS[self.layer].columns}
        for name, values in texts.items():
            distinct = pd.Series(values.unique(), dtype="str")
            is_odd = distinct.str.contains(CONTROL) | (distinct.str.len() > MAX_CELL_CHARACTERS)
            if not is_odd.any():
                continue  # UNKNOWN_FORMULA is a control sign too
            is_formula = values == UNKNOWN_FORMULA
            values = values.where(~is_formula, "")
            found = pd.Series("a formula without a stored value (công thức)", index=values.index)
            if kinds.get(name) == "text":
                self.mend(is_formula, name, found, "a value", "not known: read as missing")
            else:
                self.refuse(is_formula, name, found, "a value: open, calculate and save the file")
            is_control = values.str.contains(CONTROL, regex=True)
            self.refuse(is_control, name, values, "text without control characters (NUL bytes)")
            is_huge = values.str.len() > MAX_CELL_CHARACTERS
            self.refuse(is_huge, name, values, f"at most {MAX_CELL_CHARACTERS:,} characters")
            texts[name] = values.where(~(is_control | is_huge), "")
        return texts

    def _expand(self, texts: dict[str, pd.Series]) -> dict[str, pd.Series]:
        """Make a row for each technology or direction of a cell that names several; list them."""
        for name in ("technology", "azimuth_deg"):
            distinct = pd.Series(texts[name].unique() if name in texts else [], dtype="str")
            items_of = (
                _technologies(distinct, self.cells.vocabulary)
                if name == "technology"
                else _directions(distinct)
            )
            if not items_of:
                continue
            is_many = texts[name].isin(items_of)
            self.mend(is_many, name, texts[name], "one value a row", "read as one cell for each")
            count = texts[name].map({t: len(items) for t, items in items_of.items()})
            count = count.fillna(1).astype(int)
            index = self.rows.index.repeat(count)
            turn = index.to_series().groupby(index).cumcount().to_numpy()
            new = pd.RangeIndex(len(index))
            chosen = [
                items_of[text][i] if text in items_of else text
                for text, i in zip(texts[name][index], turn, strict=True)
            ]
            texts = {n: v[index].set_axis(new) for n, v in texts.items()}
            texts[name] = pd.Series(chosen, index=new, dtype="str")
            repeated = count[index].set_axis(new) > 1
            part = self.part[index].set_axis(new)
            self.part = part.where(~repeated, part * 10 + turn + 1)
            self.rows = self.rows[index].set_axis(new)
        return texts

    def _parse(self, name: str, values: pd.Series, header: str) -> pd.Series:
        if name in ("lon", "lat"):
            parsed, expected = _by_distinct(values, parse_degrees), "degrees"
        elif name in ("x", "y"):
            parsed, expected = _by_distinct(values, _parse_plain), "metres"
        elif name == "fault":
            return parse_text(values)
        else:
            return self._parse_described(name, values, header)
        self.refuse(parsed.is_wrong, name, values, f"a number of {expected}")
        self.mend(parsed.is_mended, name, values, "decimal degrees", "read as degrees and minutes")
        return parsed.column

    def _parse_described(self, name: str, values: pd.Series, header: str) -> pd.Series:
        column = LAYERS[self.layer].column(name)
        if column.kind == "text":
            text = take_distinct(values, parse_text)
            has_words = bool(column.choices) or (name == "operator" and self.layer == "sites")
            words = text
            if has_words:
                known = self.cells.vocabulary
                words = take_distinct(text, lambda distinct: as_words(distinct, name, known))
            if name == "operator":
                is_other = (words != text) & words.notna()
                self.mend(is_other, name, text.fillna(""), "the usual spelling", "spelt alike")
            return words
        if column.kind == "number":
            if name == "azimuth_deg":
                is_omni = take_distinct(values, lambda distinct: distinct.map(plain).isin(OMNI))
                self.mend(is_omni, name, values, "degrees", "omnidirectional")
                values = values.where(~is_omni, "")
            parsed = _by_distinct(
                values, lambda distinct: parse_quantities(distinct, column.unit, header=header)
            )
            expected, message = (
                f"a number of {column.unit}",
                f"read in {column.unit}, or as missing",
            )
        elif column.kind == "date":
            parsed, expected = _by_distinct(values, parse_dates), "a day"
            message = "a serial day of a spreadsheet, or missing"
        else:
            known = self.cells.vocabulary
            parsed = _by_distinct(values, lambda distinct: _parse_answers(distinct, known))
            expected = message = "yes or no"
        self.refuse(parsed.is_wrong, name, values, expected)
        self.mend(parsed.is_mended, name, values, expected, message)
        return parsed.column


def take_distinct(values: pd.Series, read: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Return what `read` makes of each distinct value, for every row: most columns repeat."""
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    found = read(pd.Series(distinct, dtype="str"))
    return found.take(codes).set_axis(values.index)


def _by_distinct(values: pd.Series, read: Callable[[pd.Series], Parsed]) -> Parsed:
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    found = read(pd.Series(distinct, dtype="str"))
    column, is_wrong, is_mended = (
        part.take(codes).set_axis(values.index)
        for part in (found.column, found.is_wrong, found.is_mended)
    )
    return Parsed(column=column, is_wrong=is_wrong, is_mended=is_mended)


def _parse_plain(values: pd.Series) -> Parsed:
    numbers, is_wrong = parse_numbers(values)
    return Parsed(column=numbers, is_wrong=is_wrong, is_mended=is_wrong & False)


def _parse_answers(values: pd.Series, vocabulary: Vocabulary) -> Parsed:
    answers, is_wrong = parse_yes_no(values, vocabulary)
    return Parsed(column=answers, is_wrong=is_wrong, is_mended=is_wrong & False)


def _technologies(distinct: pd.Series, vocabulary: Vocabulary) -> dict[str, list[str]]:
    """Return the words of each text that names several technologies."""
    words = {text: split_words(text, "technology", vocabulary) for text in distinct}
    return {text: items for text, items in words.items() if len(items) > 1}


def _directions(distinct: pd.Series) -> dict[str, list[str]]:
    """Return the numbers of each text that lists several directions, such as "0/120/240"."""
    text = distinct.str.strip()
    is_list = text.str.fullmatch(r"\d{1,3}(?:\s*[/;|]\s*\d{1,3})+")
    return dict(zip(distinct[is_list], text[is_list].str.findall(r"\d+"), strict=True))


def _is_total(cell: str) -> bool:
    return len(cell) < 40 and not _DIGIT.search(cell) and plain(cell.rstrip(":. ")) in TOTALS


def _shown(value: object) -> str:
    text = str(value)
    text = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
    return f"'{text}'" if text.isprintable() else repr(text)

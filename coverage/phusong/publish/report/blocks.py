"""A document as plain values: what stands in it, in order, whatever file it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

__all__ = ["Block", "Bullets", "Document", "Heading", "PageBreak", "Paragraph", "Picture", "Table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of level 1 or 2."""

    text: str
    level: Literal[1, 2] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """Texts that are listed."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table whose header repeats on each page.

    Attributes
    ----------
    caption : str
    header : tuple of str
    rows : sequence of tuple of str
    widths : tuple of float
        Of the columns, as parts of the whole.
    numeric : frozenset of int
        Columns that are set to the right.
    """

    caption: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    widths: tuple[float, ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture from a file (PNG), with what it shows for those who do not see it."""

    path: Path
    caption: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageBreak:
    """What follows begins on a page of its own."""


Block = Heading | Paragraph | Bullets | Table | Picture | PageBreak


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report.

    Attributes
    ----------
    lang : str
    moment : datetime
        For the file's own dates, so that the same report has the same bytes.
    authority, number, state, motto, place_and_date : str
        The block at the head; dots are for whoever signs to fill in.
    kind, subject : str
        The title: what it is, and what about.
    labels : tuple of str
        What must be said of the data before anything else, such as that they are synthetic.
    recipient : str
    blocks : tuple of Block
    signed : int
        How many of the blocks come before the signature; annexes follow it.
    copies : tuple of str
        Who gets one; the first is the heading.
    signature : tuple of str
    """

    lang: str
    moment: datetime
    authority: tuple[str, str]
    number: str
    state: str
    motto: str
    place_and_date: str
    kind: str
    subject: str
    labels: tuple[str, ...]
    recipient: str
    blocks: tuple[Block, ...]
    signed: int
    copies: tuple[str, ...]
    signature: tuple[str, ...]

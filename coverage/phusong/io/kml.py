"""KML that is only places: nothing that reads or links other files; its tables as columns."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from xml.parsers import expat

import geopandas as gpd
import pandas as pd

from phusong.errors import InputFileError

__all__ = ["require_kml", "with_described_columns"]

MAX_DEPTH = 100
LINKS = ("NetworkLink", "NetworkLinkControl", "Update")


def require_kml(path: Path, name: str) -> int:
    """Check a KML document before GDAL sees it; return the number of its placemarks.

    Raises
    ------
    InputFileError
        If it is not well-formed UTF-8 XML whose root is `kml`, declares a document type or
        entities, links to other documents, or nests more than 100 deep.
    """
    open_elements: list[str] = []
    placemarks = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal placemarks
        plain = tag.rpartition(":")[2]
        placemarks += plain == "Placemark"
        if not open_elements and plain != "kml":
            raise InputFileError(f"{name}: not a KML document: its root is <{plain}>")
        if plain in LINKS:
            raise InputFileError(
                f"{name}: <{plain}> refers to other documents, which is unsupported: "
                "save the places themselves"
            )
        open_elements.append(plain)
        if len(open_elements) > MAX_DEPTH:
            raise InputFileError(f"{name}: nested more than {MAX_DEPTH} deep")

    def end(tag: str) -> None:
        open_elements.pop()

    def refuse(*declared: object) -> None:
        raise InputFileError(
            f"{name}: declares a document type or entities, which may read other files: refused"
        )

    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    with path.open("rb") as file:
        try:
            parser.ParseFile(file)
        except expat.ExpatError as error:
            raise InputFileError(
                f"{name}: not a KML document, or truncated: {error} (KML is XML in UTF-8)"
            ) from error
    return placemarks


def with_described_columns(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return placemarks with the rows of the tables in their descriptions as columns.

    GIS programs write attributes as an HTML table of two columns, heading and value. Nothing of
    the HTML but its text is kept; columns that the placemarks have already are left alone.
    """
    if "description" not in features:
        return features
    pairs = [_table_rows(str(text)) for text in features["description"].fillna("")]
    table = pd.DataFrame(pairs, index=features.index, dtype="str")
    taken = {str(column).casefold() for column in features.columns}
    fresh = [column for column in table.columns if str(column).casefold() not in taken]
    return features.join(table[fresh]) if fresh else features


def _table_rows(html: str) -> dict[str, str]:
    reader = _TableReader()
    reader.feed(html)
    return {row[0]: row[1] for row in reader.rows if len(row) == 2 and all(row)}


class _TableReader(HTMLParser):
    """Collects the text of the cells of every table row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._is_cell = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        self._is_cell = tag in ("td", "th") or (self._is_cell and tag != "tr")

    def handle_endtag(self, tag: str) -> None:
        self._is_cell = self._is_cell and tag not in ("td", "th", "tr", "table")

    def handle_data(self, data: str) -> None:
        if self._is_cell and self.rows and self.rows[-1]:
            self.rows[-1][-1] = f"{self.rows[-1][-1]}{data}".strip()

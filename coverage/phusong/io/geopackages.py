"""A GeoPackage checked as the database it is, before GDAL reads what is left of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from phusong.errors import InputFileError

__all__ = ["require_geopackage"]


def require_geopackage(path: Path, name: str) -> str:
    """Return the name of the one feature table of a whole GeoPackage.

    GDAL returns the first features of a file that was cut short, and no error: so SQLite looks at
    every page first. Nothing is written: the file is opened as one that nobody changes.

    Raises
    ------
    InputFileError
        If it is damaged, no GeoPackage, still open elsewhere, or has no or several layers.
    """
    journal = path.with_name(path.name + "-wal")
    if journal.exists() and journal.stat().st_size > 0:
        raise InputFileError(
            f"{name}: {journal.name} holds changes that are not in it yet: "
            "close the program that has it open"
        )
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as db:
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise InputFileError(f"{name}: truncated or corrupt: {found}")
            tables = {row[0].lower() for row in db.execute("SELECT name FROM sqlite_master")}
            if not {"gpkg_contents", "gpkg_geometry_columns"} <= tables:
                raise InputFileError(f"{name}: not a GeoPackage, but another SQLite database")
            _refuse_virtual_tables(db, name)
            layers = [
                row[0]
                for row in db.execute(
                    "SELECT table_name FROM gpkg_contents WHERE data_type = 'features'"
                )
            ]
    except sqlite3.DatabaseError as error:
        raise InputFileError(f"{name}: truncated or corrupt: {error}") from error
    if len(layers) != 1:
        raise InputFileError(
            f"{name}: holds {len(layers)} layers ({', '.join(layers) or 'none'}), expected one"
        )
    return str(layers[0])


def _refuse_virtual_tables(db: sqlite3.Connection, name: str) -> None:
    """Refuse tables that are programs: some read other files. Spatial and text indexes are fine."""
    statements = db.execute(
        "SELECT name, lower(sql) FROM sqlite_master WHERE lower(sql) LIKE 'create virtual table%'"
    )
    for table, sql in statements:
        module = sql.partition(" using ")[2].strip()
        if not module.startswith(("rtree", "fts3", "fts4", "fts5")):
            raise InputFileError(f"{name}: the table {table} is virtual, which is unsupported")

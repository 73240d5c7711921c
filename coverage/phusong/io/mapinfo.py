"""MapInfo TAB and MIF: tables of their own only, never views of other files."""

from __future__ import annotations

import re
from pathlib import Path

from phusong.errors import InputFileError
from phusong.io.archives import COMPANIONS

__all__ = ["read_text_as_bytes", "require_mapinfo"]

OPTIONAL = (".id",)
LATIN_1 = b"ISO8859_1"


def require_mapinfo(main: Path, name: str) -> None:
    """Check that a staged TAB or MIF file is one, is whole, and points at no other file.

    Raises
    ------
    InputFileError
        If a companion is missing, or the table is linked, seamless or a view.
    """
    extension = main.suffix
    for companion in COMPANIONS[extension]:
        if companion not in OPTIONAL and not main.with_suffix(companion).exists():
            raise InputFileError(
                f"{name}: a MapInfo {extension} file without its {companion} file, "
                "which must lie beside it (or in the same zip)"
            )
    head = main.read_bytes()[:100_000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if not head.startswith(b"!table" if extension == ".tab" else b"version"):
        raise InputFileError(f"{name}: not a MapInfo {extension} file")
    if extension == ".tab" and (
        not re.search(rb"\btype\s+native\b", head) or re.search(rb"open table|\bfile\s+\"", head)
    ):
        raise InputFileError(
            f"{name}: a MapInfo table that shows other files (linked, seamless or a view) is "
            "unsupported: save a copy of the table"
        )


def read_text_as_bytes(main: Path) -> str:
    """Make GDAL hand out the bytes of the text as Latin-1; return the charset it names, if any."""
    head, marker, body = main.read_bytes().partition(_end_of_head(main))
    found = re.search(rb'(?i)charset\s+"?(\w+)"?', head)
    if found is None:
        return ""
    renamed = re.sub(rb'(?i)(charset\s+"?)\w+("?)', rb"\1" + LATIN_1 + rb"\2", head)
    main.write_bytes(renamed + marker + body)
    charset = found[1].decode("ascii", errors="replace")
    return "" if charset.casefold() == "neutral" else charset


def _end_of_head(main: Path) -> bytes:
    """Return what the head ends with: the rows of a MIF follow the word Data on its own line."""
    if main.suffix == ".tab":
        return b"\x00"
    found = re.search(rb"(?im)^data\s*$", main.read_bytes()[:100_000])
    return found[0] if found else b"\x00"

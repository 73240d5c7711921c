"""A Shapefile is four files that must belong together, and its text is in any encoding."""

from __future__ import annotations

import struct
from pathlib import Path

from phusong.errors import InputFileError

__all__ = ["read_text_as_bytes", "require_shapefile"]

HEADER_BYTES = 100


def require_shapefile(main: Path, name: str) -> None:
    """Check that a staged Shapefile is whole: .shx and .dbf beside it, as many records in each.

    Raises
    ------
    InputFileError
        Naming the part that is missing, cut short, or of another layer.
    """
    for extension in (".dbf", ".shx"):
        if not main.with_suffix(extension).exists():
            raise InputFileError(
                f"{name}: a Shapefile without its {extension} file, which must lie beside it "
                "(or in the same zip)"
            )
    _require_length(main, name)
    shapes = (_require_length(main.with_suffix(".shx"), name) - HEADER_BYTES) // 8
    rows = _require_rows(main.with_suffix(".dbf"), name)
    if shapes != rows:
        raise InputFileError(
            f"{name}: the .shx file has {shapes} records and the .dbf file {rows}: "
            "they are not of one layer, or one is incomplete"
        )


def read_text_as_bytes(main: Path) -> str:
    """Make GDAL hand out the bytes of the .dbf as Latin-1; return what the .cpg claimed.

    A .cpg that lies makes GDAL fail or return wrong letters, and without one it assumes Latin-1.
    In Latin-1 every byte has a letter, so the text can be read again as what it is.
    """
    claim = main.with_suffix(".cpg")
    said = claim.read_text(encoding="ascii", errors="replace").strip() if claim.exists() else ""
    claim.write_text("ISO-8859-1", encoding="ascii")
    return said


def _require_length(path: Path, name: str) -> int:
    head = path.read_bytes()[:HEADER_BYTES]
    if len(head) < HEADER_BYTES or head[:4] != b"\x00\x00\x27\x0a":
        raise InputFileError(f"{name}: its {path.suffix} file is not that of a Shapefile")
    said = 2 * struct.unpack(">i", head[24:28])[0]
    size = path.stat().st_size
    if not HEADER_BYTES <= said <= size:
        raise InputFileError(f"{name}: its {path.suffix} file is truncated: {size} bytes of {said}")
    return int(said)


def _require_rows(path: Path, name: str) -> int:
    head = path.read_bytes()[:32]
    if len(head) < 32:
        raise InputFileError(f"{name}: its .dbf file is truncated: {len(head)} bytes")
    rows, header, width = struct.unpack("<IHH", head[4:12])
    size = path.stat().st_size
    if size < header + rows * width:
        raise InputFileError(
            f"{name}: its .dbf file is truncated: {size} bytes of {header + rows * width}"
        )
    return int(rows)

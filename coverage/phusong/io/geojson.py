"""GeoJSON looked at before it is parsed: its encoding, its depth, and whether it names a CRS."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyproj

from phusong.errors import CrsError, InputFileError

__all__ = ["named_crs", "require_geojson"]

MAX_BYTES = 500_000_000
MAX_DEPTH = 100
CHUNK = 1 << 22
_STEP = np.zeros(256, dtype=np.int8)
_STEP[[ord("["), ord("{")]] = 1
_STEP[[ord("]"), ord("}")]] = -1


def require_geojson(path: Path, name: str) -> None:
    """Check a GeoJSON file before GDAL sees it.

    Raises
    ------
    InputFileError
        If it is too large, not an object, not UTF-8, or nested more than 100 deep.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputFileError(f"{name}: larger than the limit of 500 MB; use a GeoPackage")
    raw = path.read_bytes()
    if not raw.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        raise InputFileError(f"{name}: not a GeoJSON object in UTF-8 encoding")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"{name}: its encoding is not UTF-8, as GeoJSON must be (byte {error.start + 1}): "
            "save it again as UTF-8"
        ) from error
    depth = 0
    for start in range(0, len(raw), CHUNK):
        steps = _STEP[np.frombuffer(raw, np.uint8, min(CHUNK, len(raw) - start), start)]
        depths = depth + np.cumsum(steps, dtype=np.int64)
        if depths.max() > MAX_DEPTH:
            raise InputFileError(f"{name}: nested more than {MAX_DEPTH} deep: not GeoJSON")
        depth = int(depths[-1])


def named_crs(path: Path, name: str) -> pyproj.CRS | None:
    """Return the CRS of the `crs` member of the GeoJSON of 2008, None where there is none.

    Raises
    ------
    CrsError
        If the member does not name a known CRS: a link would be fetched from the network.
    """
    text = path.read_text(encoding="utf-8-sig")
    found = None
    for match in re.finditer(r'"crs"\s*:\s*(?=\{)', text):
        try:
            member, _ = json.JSONDecoder().raw_decode(text, match.end())
            said = member["properties"]["name"] if member["type"] == "name" else None
            found = pyproj.CRS.from_user_input(str(said))
        except (ValueError, LookupError, TypeError, pyproj.exceptions.CRSError) as error:
            told = text[match.end() : match.end() + 80]
            raise CrsError(f"{name}: its crs member names no known CRS: {told}") from error
    return found

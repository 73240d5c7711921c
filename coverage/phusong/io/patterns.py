"""Antenna patterns: an MSI or PLN file in, arrays out."""

from __future__ import annotations

from pathlib import Path

from phusong.errors import InputFileError
from phusong.io.files import require_file
from phusong.radio.antenna import Pattern
from phusong.radio.patterns import parse_pattern

__all__ = ["read_pattern"]

EXTENSIONS = (".msi", ".pln", ".pnt", ".txt")
MAX_BYTES = 1_000_000  # 720 short lines and a head


def read_pattern(path: Path) -> Pattern:
    """Read the pattern of an antenna from a file of Planet's format (MSI, PLN).

    Parameters
    ----------
    path : Path
        See `phusong.radio.patterns.parse_pattern`. What is not ASCII can only be in remarks and
        names, and is read as Latin-1.

    Raises
    ------
    InputFileError
        If it is not such a file; with the line.
    """
    require_file(path, EXTENSIONS)
    if path.stat().st_size > MAX_BYTES:
        raise InputFileError(f"{path}: larger than {MAX_BYTES:,} bytes: not a pattern file")
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        return parse_pattern(text)
    except InputFileError as error:
        raise InputFileError(f"{path}: {error}") from error

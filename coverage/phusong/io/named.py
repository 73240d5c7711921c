"""Communes by a word in place of a file: those that come with phusong, or those it fetched."""

from __future__ import annotations

from pathlib import Path

from phusong.io.embedded import embedded_path

__all__ = ["are_schematic", "find_communes"]


def find_communes(named: Path | str) -> Path:
    """Return the file of the communes that are called `named`.

    Parameters
    ----------
    named : Path
        "schematic": the communes that come with phusong. "official": those that
        `phusong fetch boundaries` brought, held against their SHA-256. Else a file; one that is
        called like either word is `./schematic.gpkg`, with its extension.

    Raises
    ------
    InputFileError
        If the official ones were not fetched, or are not what they must be.

    Examples
    --------
    >>> find_communes("schematic").name
    'communes_schematic.parquet'
    >>> find_communes("communes.gpkg").name
    'communes.gpkg'
    """
    if str(named) == "schematic":
        return embedded_path("communes")
    if str(named) == "official":
        # What downloads is slow to import, and seldom asked for.
        from phusong.io.cache import default_cache
        from phusong.io.fetch import fetch_layer
        from phusong.io.sources import name_source

        source = name_source("boundaries")
        return fetch_layer(source, cache=default_cache(), is_offline=True).path
    return Path(named)


def are_schematic(communes: Path) -> bool:
    """Tell whether a file of communes is the one that comes with phusong."""
    return communes == embedded_path("communes")

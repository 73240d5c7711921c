"""Where public layers come from: those that phusong knows, and addresses that the user gives."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from phusong.errors import InputFileError
from phusong.io.download import require_allowed

__all__ = ["Source", "name_source", "read_sources"]

RASTERS = (".tif", ".tiff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A public layer: where its files are, and what each of them must be."""

    name: str
    title: str
    layer: str
    licence: str
    source: str
    url: str = ""
    hosts: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)  # by file; "" if nobody knows it
    n_bytes: int | None = None  # of all files
    assembled: str = ""  # the file that the parts are made into
    province_code: str = ""
    advice: str = ""
    pinned_by: str = "phusong"


def read_sources(path: Path | None = None) -> dict[str, Source]:
    """Return the public layers that phusong knows, by name."""
    path = path or Path(str(files("phusong") / "data" / "sources.toml"))
    return {
        name: Source(
            name=name,
            hosts=tuple(found.pop("hosts", ())),
            n_bytes=found.pop("bytes", None),
            **found,
        )
        for name, found in tomllib.loads(path.read_text(encoding="utf-8")).items()
    }


def name_source(
    name: str, *, url: str | None = None, sha256: str | None = None, hosts: tuple[str, ...] = ()
) -> Source:
    """Return a source that phusong knows, or one of the same layer at an address of the user's.

    Parameters
    ----------
    name : str
        A key of `read_sources`.
    url : str, optional
        HTTPS address of one GeoTIFF, in place of the one phusong knows.
    sha256 : str, optional
        What that file must have.
    hosts : tuple of str
        Hosts that it may redirect to, besides its own.

    Raises
    ------
    InputFileError
        Where the options do not fit the source.
    """
    known = read_sources()[name]
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise InputFileError(f"--sha256 {sha256}: expected 64 hexadecimal digits")
    digest = (sha256 or "").lower()
    if url is None:
        if not known.url:
            raise InputFileError(f"{name}: phusong knows no address for it: give its --url")
        if not digest:
            return known
        if len(known.sha256) != 1:
            raise InputFileError(f"{name}: has {len(known.sha256)} files: --sha256 fits only one")
        (file,) = known.sha256
        return replace(known, sha256={file: digest}, pinned_by="the user")
    if known.layer not in ("population", "terrain"):
        raise InputFileError(f"{name}: comes from one address only; --url is for rasters")
    return _from_address(known, url, digest, hosts)


def _from_address(known: Source, url: str, sha256: str, hosts: tuple[str, ...]) -> Source:
    """Return a source of one raster at an address of the user's."""
    parts = urlsplit(url)
    file = parts.path.rpartition("/")[2]
    if not re.fullmatch(r"[\w.+-]+", file) or not file.lower().endswith(RASTERS):
        raise InputFileError(f"{url}: expected the address of a GeoTIFF, ending in .tif")
    if parts.query or parts.fragment:
        raise InputFileError(f"{url}: an address with ? or # is not one of a file")
    allowed = (parts.netloc.lower(), *(host.lower() for host in hosts))
    require_allowed(url, allowed)
    return replace(
        known,
        # Files of the same name at two addresses lie side by side.
        name=f"{known.name}-{hashlib.sha256(url.encode()).hexdigest()[:8]}",
        title=file,
        url=url.removesuffix(file),
        hosts=allowed,
        sha256={file: sha256},
        n_bytes=None,
        licence="see its publisher",
        source=url,
        pinned_by="the user",
    )

"""Public layers, fetched when asked and never otherwise: the only way phusong uses the network.

A file enters the cache when all of it has come and its sha256 is the one it must have: the one that
`data/sources.toml` holds, else the one the user gives, else the one it had when it was first
downloaded. Every use holds the file against it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from phusong.errors import InputFileError
from phusong.io.atomic import naming_failures
from phusong.io.cache import PARTIALS, Entry, find_state, read_index, write_index
from phusong.io.download import Downloader, Limits
from phusong.io.lock import lock_folder
from phusong.io.sources import Source

__all__ = ["Fetched", "fetch_layer"]

CODES = ("commune_code", "code", "ma_xa")
NAMES = ("commune_name", "fullName", "full_name", "ten_xa", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A layer that is in the cache, held against its sha256."""

    path: Path
    source: Source
    sha256: str
    notes: tuple[str, ...]


def fetch_layer(
    source: Source,
    *,
    cache: Path,
    is_offline: bool = False,
    is_local: bool = False,
    limits: Limits | None = None,
    on_bytes: Callable[[int], object] | None = None,
) -> Fetched:
    """Return a layer from the cache, downloading what is not there or not as it must be.

    Parameters
    ----------
    source : Source
    cache : Path
        Folder; made if needed.
    is_offline : bool
        Use no network: what is not there, or damaged, is an error.
    is_local : bool
        Allow plain HTTP to this computer.
    limits : Limits, optional
    on_bytes : callable, optional
        Told how many bytes more have come.

    Raises
    ------
    InputFileError
        If something else came than the file that was asked for.
    OSError
        If the network fails or the cache cannot be written.
    """
    with naming_failures(cache):
        cache.mkdir(parents=True, exist_ok=True)
    downloader = Downloader(
        hosts=source.hosts, partials=cache / PARTIALS, limits=limits, is_local=is_local,
        on_bytes=on_bytes,
    )  # fmt: skip
    with lock_folder(cache), downloader:
        before, notes = read_index(cache)
        entries = dict(before)
        parts: list[Entry] = []
        try:
            for file in source.sha256:
                entry, said = _bring(
                    source, file, cache, entries, None if is_offline else downloader
                )
                parts.append(entry)
                notes += said
            main = parts[0]
            if source.assembled:
                main, said = _assemble(source, parts, cache, entries)
                notes += said
        finally:
            # What has come before a failure stays, and is not asked for again.
            if entries != before or notes:
                write_index(cache, entries)
            with suppress(OSError):  # not there, or something waits there for the rest
                (cache / PARTIALS).rmdir()
    return Fetched(path=cache / main.path, source=source, sha256=main.sha256, notes=notes)


def _bring(
    source: Source,
    file: str,
    cache: Path,
    entries: dict[str, Entry],
    downloader: Downloader | None,
) -> tuple[Entry, tuple[str, ...]]:
    """Return the entry of one file, there and checked; record it in `entries`."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # it would say a line for each of the communes
    path, url = f"{source.name}/{file}", f"{source.url}{file}"
    old = entries.get(path)
    expected = source.sha256[file] or (old.sha256 if old and old.url == url else "")
    state = "missing"
    if expected:
        state = find_state(cache, Entry(path=path, url=url, sha256=expected, n_bytes=0,
                                        pinned_by=""))  # fmt: skip
    if state == "ok" and old is not None and old.sha256 == expected:
        return old, ()
    if state != "ok":
        _renew(cache / path, url, expected, state, downloader)
    entries[path] = _describe(source, file, cache / path, url, old)
    if state == "changed":
        return entries[path], (f"{path}: was damaged (wrong sha256); fetched anew",)
    if not expected:
        pinned = entries[path].sha256
        return entries[path], (f"{path}: sha256 {pinned}, pinned at this first download",)
    return entries[path], ()


def _renew(
    target: Path, url: str, expected: str, state: str, downloader: Downloader | None
) -> None:
    import pooch

    if downloader is None:
        why = "is damaged (wrong sha256)" if state == "changed" else "is not in the cache"
        raise InputFileError(
            f"{target}: {why}, and the network is not to be used now: run `phusong fetch` first"
        )
    if not expected:
        target.unlink(missing_ok=True)  # of unknown origin: pooch would keep what is there
    try:
        pooch.retrieve(
            url,
            known_hash=f"sha256:{expected}" if expected else None,
            fname=target.name,
            path=target.parent,
            downloader=partial(_save, downloader=downloader, sha256=expected),
        )
    except (ConnectionError, TimeoutError) as error:
        if state == "changed":
            raise type(error)(f"{error}; the copy in the cache is damaged, not used") from error
        raise


def _save(
    url: str, output_file: str, pooch: object, *, downloader: Downloader, sha256: str
) -> None:
    """Download in the way that pooch calls it."""
    downloader.save(url, output_file, sha256=sha256)


def _describe(source: Source, file: str, path: Path, url: str, old: Entry | None) -> Entry:
    import pooch

    by = source.pinned_by if source.sha256[file] else "first download"
    return Entry(
        path=f"{source.name}/{file}",
        url=url,
        sha256=pooch.file_hash(str(path)),
        n_bytes=path.stat().st_size,
        pinned_by=by,
    )


def _assemble(
    source: Source, parts: list[Entry], cache: Path, entries: dict[str, Entry]
) -> tuple[Entry, tuple[str, ...]]:
    """Return the entry of the one file that the parts are made into, made anew where needed."""
    path = f"{source.name}/{source.assembled}"
    made_of = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    old = entries.get(path)
    state = "missing"
    if old is not None and old.url == f"parts:{made_of}":
        state = find_state(cache, old)
        if state == "ok":
            return old, ()
    _write_layer(source, [cache / part.path for part in parts], cache / path)
    made = _describe(replace(source, sha256={source.assembled: made_of}, pinned_by="assembly"),
                     source.assembled, cache / path, f"parts:{made_of}", old)  # fmt: skip
    entries[path] = made
    damaged = (f"{path}: was damaged (wrong sha256); made anew of its {len(parts)} parts",)
    return made, damaged if state == "changed" else ()


def _write_layer(source: Source, paths: list[Path], target: Path) -> None:
    """Write the features of GeoJSON files, one commune each, as one GeoParquet."""
    import geopandas as gpd
    import shapely

    from phusong.io.write import write_parquet

    rows = [_read_commune(path) for path in paths]
    codes = [str(row["commune_code"]) for row in rows]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise InputFileError(f"{source.name}: communes that occur twice: {', '.join(twice)}")
    shapes = [shapely.from_geojson(json.dumps(row.pop("geometry"))) for row in rows]
    layer = gpd.GeoDataFrame(rows, geometry=shapes, crs="EPSG:4326")
    if source.province_code:
        layer["province_code"] = source.province_code
    write_parquet(layer, target)


def _read_commune(path: Path) -> dict[str, object]:
    """Return the one feature of a file: a Feature, or a FeatureCollection of one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        features = found["features"] if found["type"] == "FeatureCollection" else [found]
        (feature,) = features
        said = feature["properties"] or {}
        code = next(said[key] for key in CODES if said.get(key))
        name = next(said[key] for key in NAMES if said.get(key))
        geometry = feature["geometry"]
    except (ValueError, LookupError, TypeError, StopIteration) as error:
        raise InputFileError(
            f"{path}: not a commune in GeoJSON: expected one feature with a code and a name"
        ) from error
    row = {"commune_code": str(code), "commune_name": str(name), "geometry": geometry}
    if isinstance(said.get("areaKm2"), int | float):
        row["area_km2"] = float(said["areaKm2"])
    return row

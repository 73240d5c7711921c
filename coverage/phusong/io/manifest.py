"""`run.json`: what a run made, of what, with what; and the check that it is still so."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from phusong.errors import InputFileError
from phusong.io.staging import RUN_FILE, finish_publication, hash_file, list_files, listed_files

__all__ = ["Fingerprint", "fingerprint_inputs", "verify_run", "write_run"]

PACKAGES = (
    "phusong", "folium", "geopandas", "matplotlib", "numba", "numpy", "openpyxl", "pandas",
    "pyarrow", "pyogrio", "pyproj", "rasterio", "scipy", "shapely", "xarray",
)  # fmt: skip

# What other files a file is read with: all of its name, in its folder.
COMPANIONS = (".shp", ".tab", ".mif")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """An input file as a run found it, to be held against what it leaves behind."""

    path: Path
    sha256: str
    state: tuple[tuple[str, int, int], ...]  # of it and its companions: name, bytes, mtime in ns


def fingerprint_inputs(inputs: Mapping[str, Path]) -> dict[str, Fingerprint]:
    """Return what the input files are now; call it before they are read.

    What is no file that can be read has an empty fingerprint: to refuse it is its reader's part.

    Raises
    ------
    InputFileError
        If a name is one that GDAL or a table cannot hold: a line break in it, or no UTF-8.
    """
    for path in inputs.values():
        if not str(path).isprintable():
            raise InputFileError(
                f"{_printable(str(path))!r}: the name holds a line break, another control sign or "
                "bytes that are no UTF-8: rename the file or its folder"
            )
    return {name: _fingerprint(path) for name, path in inputs.items()}


def write_run(
    folder: Path,
    *,
    inputs: Mapping[str, Fingerprint],
    parameters: Mapping[str, object],
    started: datetime,
    finished: datetime,
) -> None:
    """Write `run.json` for the files of `folder`; it is the last file of a run.

    The run id is made of the inputs' contents, the parameters and the versions: the same study on
    the same machine has the same id. The two times are all that differs between such runs.

    Raises
    ------
    InputFileError
        If an input is no longer what it was when its fingerprint was taken.
    """
    from phusong.io.write import to_json, write_json  # here, for who verifies needs no pandas

    _require_unchanged(inputs)
    made_of = {
        "inputs": {
            name: {"file": found.path.name, "sha256": found.sha256}
            for name, found in inputs.items()
        },
        "parameters": parameters,
        "versions": _versions(),
    }
    files = {
        name: {"sha256": hash_file(folder / name), "bytes": (folder / name).stat().st_size}
        for name in list_files(folder)
    }
    run = {
        "run_id": hashlib.sha256(to_json(made_of).encode()).hexdigest()[:16],
        **made_of,
        "files": files,
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
    }
    write_json(run, folder / RUN_FILE)


def verify_run(folder: Path) -> list[str]:
    """Return what is wrong with the files that `run.json` lists; empty if nothing is.

    Raises
    ------
    InputFileError
        If the folder holds no `run.json` that can be read.
    """
    finish_publication(folder)
    listed = listed_files(folder)
    if not listed:
        raise InputFileError(f"{folder}: holds no {RUN_FILE} of a run")
    problems = []
    for name, sha256 in listed.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{name}: is missing")
        elif hash_file(path) != sha256:
            problems.append(f"{name}: was changed after the run")
    return problems


def _fingerprint(path: Path) -> Fingerprint:
    try:
        if not path.is_file():  # a pipe would be waited for, a device read for ever
            return Fingerprint(path, "", ())
        beside = [path]
        if path.suffix.lower() in COMPANIONS:
            same_name = (other for other in path.parent.iterdir() if other.stem == path.stem)
            beside = sorted(other for other in same_name if other.is_file())
        stats = [(other.name, other.stat()) for other in beside]
        state = tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
        return Fingerprint(path, hash_file(path), state)
    except OSError:
        return Fingerprint(path, "", ())


def _require_unchanged(inputs: Mapping[str, Fingerprint]) -> None:
    changed = [str(old.path) for old in inputs.values() if _fingerprint(old.path) != old]
    if changed:
        raise InputFileError(
            f"{', '.join(changed)}: changed while the run was reading; nothing was written. "
            "Run again when nobody writes to it"
        )


def _printable(name: str) -> str:
    """Return a file name as text; bytes in it that are no UTF-8 are shown by number."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _versions() -> dict[str, str]:
    import pyogrio
    import pyproj
    import rasterio
    import shapely

    return {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "GEOS": shapely.geos_version_string,
        "PROJ": pyproj.proj_version_str,
        "GDAL of pyogrio": pyogrio.__gdal_version_string__,
        "GDAL of rasterio": rasterio.__gdal_version__,
    }

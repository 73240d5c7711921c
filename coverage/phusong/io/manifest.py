"""`run.json`: what a run made, of what, with what; and the check that it is still so."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import pyogrio
import pyproj
import rasterio
import shapely

from phusong.errors import InputFileError
from phusong.io.staging import RUN_FILE, finish_publication, hash_file, list_files, listed_files
from phusong.io.write import to_json, write_json

__all__ = ["verify_run", "write_run"]

PACKAGES = (
    "phusong", "folium", "geopandas", "matplotlib", "numba", "numpy", "openpyxl", "pandas",
    "pyarrow", "pyogrio", "pyproj", "rasterio", "scipy", "shapely", "xarray",
)  # fmt: skip


def write_run(
    folder: Path,
    *,
    inputs: Mapping[str, Path],
    parameters: Mapping[str, object],
    started: datetime,
    finished: datetime,
) -> None:
    """Write `run.json` for the files of `folder`; it is the last file of a run.

    The run id is made of the inputs' contents, the parameters and the versions: the same study on
    the same machine has the same id. The two times are all that differs between such runs.
    """
    made_of = {
        "inputs": {
            name: {"file": path.name, "sha256": hash_file(path)} for name, path in inputs.items()
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


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "GEOS": shapely.geos_version_string,
        "PROJ": pyproj.proj_version_str,
        "GDAL of pyogrio": pyogrio.__gdal_version_string__,
        "GDAL of rasterio": rasterio.__gdal_version__,
    }

"""The one layer inside a zip or KMZ archive, copied out under a name of our own."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from phusong.errors import InputFileError
from phusong.io.files import require_zip

__all__ = ["COMPANIONS", "stage_layer", "unpack_layer"]

# What lies beside the file that one opens, and is read with it. Nothing else is.
COMPANIONS = {
    ".shp": (".shx", ".dbf", ".prj", ".cpg"),
    ".tab": (".dat", ".map", ".id"),
    ".mif": (".mid",),
}
IN_ARCHIVES = (".shp", ".tab", ".mif", ".gpkg", ".fgb", ".parquet", ".kml", ".geojson", ".json")


def stage_layer(path: Path, folder: Path) -> Path:
    """Copy a file and its companions to `folder/layer.*`; return where the file now is.

    Companions are found without regard to case, as Windows writes them.
    """
    main = folder / f"layer{path.suffix.lower()}"
    wanted = (path.suffix.lower(), *COMPANIONS.get(path.suffix.lower(), ()))
    for sibling in sorted(path.parent.iterdir()):
        if (
            sibling.stem.casefold() == path.stem.casefold()
            and sibling.suffix.lower() in wanted
            and sibling.is_file()
        ):
            shutil.copyfile(sibling, main.with_suffix(sibling.suffix.lower()))
    shutil.copyfile(path, main)
    return main


def unpack_layer(path: Path, folder: Path) -> Path:
    """Copy the one layer of an archive, with its companions, to `folder/layer.*`.

    Raises
    ------
    InputFileError
        If the archive is unsafe or broken, or holds no layer or more than one.
    """
    names = [PurePosixPath(name) for name in require_zip(path) if not name.endswith("/")]
    names = [n for n in names if not n.name.startswith(".") and "__MACOSX" not in n.parts]
    layers = [name for name in names if name.suffix.lower() in IN_ARCHIVES]
    chosen = _the_one(path, layers)
    extension = chosen.suffix.lower()
    main = folder / f"layer{extension}"
    wanted = (extension, *COMPANIONS.get(extension, ()))
    members = [
        name
        for name in names
        if name.with_suffix("") == chosen.with_suffix("") and name.suffix.lower() in wanted
    ]
    try:
        with zipfile.ZipFile(path) as archive:
            for name in members:
                target = main.with_suffix(name.suffix.lower())
                # zipfile never yields more bytes than the directory says; require_zip limits that.
                with archive.open(str(name)) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError) as error:
        raise InputFileError(f"{path}: a broken archive: {error}") from error
    return main


def _the_one(path: Path, layers: list[PurePosixPath]) -> PurePosixPath:
    """Return the only layer; a KMZ's own `doc.kml` goes before others, metadata (.json) after."""
    for some in (
        [name for name in layers if name == PurePosixPath("doc.kml")],
        [name for name in layers if name.suffix.lower() != ".json"],
        layers,
    ):
        if len(some) == 1:
            return some[0]
        if some:
            break
    found = ", ".join(map(str, layers)) or "none"
    raise InputFileError(
        f"{path}: holds {len(layers)} layers ({found}), expected one of {', '.join(IN_ARCHIVES)}"
    )

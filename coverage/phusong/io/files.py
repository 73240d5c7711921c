"""Which files may be opened at all, and as what: named drivers, never a guess from content."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path

from phusong.errors import InputFileError

__all__ = ["require_file", "require_zip"]

TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
KINDS = {
    ".fgb": ("FlatGeobuf", (b"fgb",)),
    ".gpkg": ("GeoPackage", (b"SQLite format 3\x00",)),
    ".kmz": ("KMZ archive", (b"PK\x03\x04",)),
    ".parquet": ("Parquet file", (b"PAR1",)),
    ".shp": ("Shapefile", (b"\x00\x00\x27\x0a",)),
    ".tif": ("TIFF image", TIFF),
    ".tiff": ("TIFF image", TIFF),
    ".xlsx": ("workbook (XLSX)", (b"PK\x03\x04",)),
    ".zip": ("zip archive", (b"PK\x03\x04",)),
}
MAX_UNZIPPED_BYTES = 500_000_000
MAX_RATIO = 200
MAX_MEMBERS = 1_000
ARCHIVES = (".zip", ".kmz", ".7z", ".rar", ".gz", ".bz2", ".xz", ".tar", ".tgz")


def require_file(path: Path, extensions: tuple[str, ...], *, name: str = "") -> str:
    """Return the extension of a regular local file that is what it claims to be.

    `name` stands for the path in messages, where the file is a copy of what the user named.

    Raises
    ------
    InputFileError
        For URLs, GDAL's virtual paths, devices, other extensions, or other content.
    FileNotFoundError
        If there is no such file.
    """
    text = name or str(path)
    if re.match(r"^/vsi|^[A-Za-z][\w+.-]+:(?!\\)", text) or "://" in text:
        raise InputFileError(f"{text}: not a local file; download it first")
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputFileError(f"{text}: not a regular file")
    extension = path.suffix.lower()
    if extension not in extensions:
        raise InputFileError(
            f"{text}: found {extension or 'no extension'}, expected {', '.join(extensions)}"
        )
    with path.open("rb") as file:
        head = file.read(16)
    kind, magic = KINDS.get(extension, (f"{extension} file", (b"",)))
    if not head.startswith(magic):
        raise InputFileError(
            f"{text}: not a {kind}: its content is not that of a {extension} file "
            f"(it begins with {head[:12]!r})"
        )
    return extension


def require_zip(path: Path) -> list[str]:
    """Return the names in a zip archive that is safe to read.

    Raises
    ------
    InputFileError
        For archives that are broken, encrypted, nested, too large, or leave their folder.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise InputFileError(f"{path}: a broken archive: {error}") from error
    names = [member.filename for member in members]
    size = sum(member.file_size for member in members)
    packed = max(sum(member.compress_size for member in members), 1)
    faults = {
        "it has too many members": len(members) > MAX_MEMBERS,
        "it unpacks to more than the limit of 500 MB": size > MAX_UNZIPPED_BYTES,
        "it unpacks to more than 200 times its size": size / packed > MAX_RATIO and size > 10**7,
        "a name occurs twice": len({name.casefold() for name in names}) < len(names),
        "a member is encrypted": any(member.flag_bits & 1 for member in members),
        "a member leaves its folder (unsafe path)": any(_leaves_folder(name) for name in names),
        "a member is a symbolic link (unsafe)": any(_is_link(member) for member in members),
        "an archive lies inside it": any(name.lower().endswith(ARCHIVES) for name in names),
    }
    found = [fault for fault, holds in faults.items() if holds]
    if found:
        raise InputFileError(f"{path}: {'; '.join(found)}")
    return names


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def _leaves_folder(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")

"""Which files may be opened at all, and as what: named drivers, never a guess from content."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path

from phusong.errors import InputFileError

__all__ = ["require_file", "require_zip"]

MAGIC = {
    ".gpkg": b"SQLite format 3\x00",
    ".parquet": b"PAR1",
    ".xlsx": b"PK\x03\x04",
    ".zip": b"PK\x03\x04",
}
TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
MAX_UNZIPPED_BYTES = 500_000_000
MAX_RATIO = 200
MAX_MEMBERS = 1_000


def require_file(path: Path, extensions: tuple[str, ...]) -> str:
    """Return the extension of a regular local file that is what it claims to be.

    Raises
    ------
    InputFileError
        For URLs, GDAL's virtual paths, devices, other extensions, or other content.
    FileNotFoundError
        If there is no such file.
    """
    text = str(path)
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
    if extension in (".tif", ".tiff"):
        is_right = head.startswith(TIFF)
    else:
        is_right = head.startswith(MAGIC.get(extension, b""))
    if not is_right:
        raise InputFileError(f"{text}: its content is not that of a {extension} file")
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
        "it unpacks to more than 500 MB": size > MAX_UNZIPPED_BYTES,
        "it unpacks to more than 200 times its size": size / packed > MAX_RATIO and size > 10**7,
        "a name occurs twice": len(set(names)) < len(names),
        "a member is encrypted": any(member.flag_bits & 1 for member in members),
        "a member leaves its folder": any(_leaves_folder(name) for name in names),
        "an archive lies inside it": any(name.lower().endswith(".zip") for name in names),
    }
    found = [fault for fault, holds in faults.items() if holds]
    if found:
        raise InputFileError(f"{path}: {'; '.join(found)}")
    return names


def _leaves_folder(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")

"""Office files (zip archives of XML) with the same bytes each time."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path

__all__ = ["write_archive"]

CORE = "docProps/core.xml"
STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
EARLIEST = (1980, 1, 1, 0, 0, 0)


def write_archive(drawn: BytesIO, path: Path, *, moment: datetime) -> None:
    """Write a workbook or a text with one moment for all times that libraries stamp into it.

    Parameters
    ----------
    drawn : BytesIO
        As a library saved it.
    path : Path
    moment : datetime
    """
    stamp = max(moment.timetuple()[:6], EARLIEST)
    said = moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(drawn) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for member in source.infolist():
            content = source.read(member)
            if member.filename == CORE:
                content = STAMP.sub(said, content)
            info = zipfile.ZipInfo(member.filename, date_time=stamp)
            info.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(info, content)

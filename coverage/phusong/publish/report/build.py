"""A report from folders to a file."""

from __future__ import annotations

from pathlib import Path

from phusong.errors import InputFileError, MissingExtraError
from phusong.publish.report.contents import compose
from phusong.publish.report.sources import read_sources
from phusong.words import LANGUAGES

__all__ = ["write_report"]


def write_report(
    run: Path,
    path: Path,
    *,
    previous: Path | None = None,
    plan: Path | None = None,
    lang: str = LANGUAGES[0],
) -> None:
    """Write the periodic report of a run, as DOCX or PDF by the name of the file.

    Parameters
    ----------
    run : Path
        Folder of the run that is reported.
    path : Path
        `.docx` or `.pdf`.
    previous : Path, optional
        Folder of an earlier run of the same area: the report says what changed.
    plan : Path, optional
        Folder of `phusong plan`: the report proposes it.
    lang : str

    Raises
    ------
    InputFileError
        If a folder is not what its run left, or the file is neither DOCX nor PDF.
    MissingExtraError
        If the extra "report" is not installed.
    OSError
        If the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in (".docx", ".pdf"):
        raise InputFileError(f"{path}: found {suffix or 'no suffix'}, expected .docx or .pdf")
    try:
        if suffix == ".docx":
            from phusong.publish.report.word import write_docx as write
        else:
            from phusong.publish.report.pdf import write_pdf as write
    except ImportError as error:
        raise MissingExtraError(
            'a report needs python-docx and typst: pip install "phusong[report]"'
        ) from error
    write(compose(read_sources(run, previous=previous, plan=plan), lang=lang), path)

"""The workbook of progress: verdicts, communes, what changed and why, the series, the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from phusong.changes import PARTS
from phusong.io.sheets import DAY, Sheet
from phusong.progress import WHOLE
from phusong.publish.progresstext import outlook_text
from phusong.targets import Target
from phusong.words import read_words, title_of

__all__ = ["progress_sheets"]

SHARE, POINTS = "0.0%", "+0.00;-0.00;0.00"
# Column, key of its heading, number format ("" is text), width.
Columns = tuple[tuple[str, str, str, int], ...]
OF: Columns = (("target", "h_target", "", 30), ("label", "h_reading", "", 44))
WHERE: Columns = (("commune_code", "h_code", "", 10), ("commune_name", "h_commune", "", 24))
VALUE: Columns = (
    ("share", "value", SHARE, 10),
    ("share_low", "h_low", SHARE, 10),
    ("share_high", "h_high", SHARE, 10),
)
AHEAD: Columns = (
    ("threshold", "h_threshold", SHARE, 10),
    ("path_low", "h_path", SHARE, 11),
    ("path_high", "h_high", SHARE, 10),
    ("verdict", "h_verdict", "", 18),
    ("needed", "h_needed", POINTS, 12),
    ("rate", "h_rate", POINTS, 12),
    ("forecast_date", "h_forecast", DAY, 13),
    ("text", "h_text", "", 70),
)
DATES: Columns = (("date_before", "h_from", DAY, 12), ("date_after", "h_to", DAY, 12))
CHANGE: Columns = (
    ("share_before", "h_before", SHARE, 10),
    ("share_after", "h_after", SHARE, 10),
    ("change", "change", POINTS, 12),
    *(
        (f"{part}{end}", heading, POINTS, 11)
        for part in PARTS
        for end, heading in (("", part), ("_low", "h_low"), ("_high", "h_high"))
    ),
    ("note", "notes", "", 60),
)
CELL: Columns = (
    ("site_id", "h_site", "", 16),
    ("sector_id", "h_sector", "", 10),
    ("operator", "h_operator", "", 16),
    ("technology", "h_technology", "", 12),
    ("on_air_date", "h_on_air", DAY, 13),
    ("why", "h_why", "", 44),
)
SERIES: Columns = (("as_of", "h_day", DAY, 12), *VALUE, *AHEAD[:4], ("basis", "h_basis", "", 24))
IN_POINTS = ("change", *(f"{part}{end}" for part in PARTS for end in ("", "_low", "_high")))


def progress_sheets(
    targets: Sequence[Target],
    *,
    followed: pd.DataFrame,
    outlook: pd.DataFrame,
    changes: pd.DataFrame,
    cells: pd.DataFrame,
    names: Mapping[str, str],
    notes: Sequence[str],
    lang: str = "vi",
) -> list[Sheet]:
    """Return the sheets of the workbook, with headings and words in a language.

    Parameters
    ----------
    targets : sequence of Target
    followed, outlook, changes, cells : DataFrame
        As `tracking.Tracked` holds them.
    names : Mapping
        Commune names by code.
    notes : sequence of str
        What the last sheet says.
    lang : str
    """
    words = read_words("progress", lang)
    ahead = _named(outlook, targets, names, lang).assign(
        text=[outlook_text(row, lang) for _, row in outlook.iterrows()],
        verdict=outlook["verdict"].map(words),
        needed=100 * outlook["rate_needed"],
        rate=100 * outlook["rate_per_year"],
    )
    split = _named(changes, targets, names, lang)
    split = split.assign(**{name: 100 * split[name] for name in IN_POINTS})
    parts = split[list(PARTS)]
    for part in PARTS:  # bounds only where they say something
        ends = [f"{part}_low", f"{part}_high"]
        split[ends] = split[ends].where(parts[part].isna())
    is_shown = (split["commune_code"] == WHOLE) | parts.isna().any(axis=1)
    is_shown |= (parts.abs() > 1e-9).any(axis=1)
    series = _named(followed, targets, names, lang)
    series = series.assign(
        basis=series["basis"].map(words), verdict=series["verdict"].map({"": "", **words})
    )
    is_all, is_each = ahead["commune_code"] == WHOLE, ahead["commune_code"] != WHOLE
    pages: list[tuple[str, pd.DataFrame, Columns]] = [
        ("verdicts", ahead[is_all], (*OF, *VALUE, *AHEAD)),
        ("communes", ahead[is_each], (*WHERE, OF[0], *VALUE, *AHEAD)),
        ("changes", split[is_shown], (*DATES, *OF, *WHERE, *CHANGE)),
        ("cells", cells.assign(why=cells["why"].map(words)), (*DATES, *CELL)),
        ("series", series[series["commune_code"] == WHOLE], (*OF, *SERIES)),
        ("notes", pd.DataFrame({"note": list(notes)}), (("note", "notes", "", 110),)),
    ]
    return [
        Sheet(
            title=words[title][:31],
            table=table,
            columns=[(name, words[key], kind, width) for name, key, kind, width in columns],
        )
        for title, table, columns in pages
    ]


def _named(
    table: pd.DataFrame, targets: Sequence[Target], names: Mapping[str, str], lang: str
) -> pd.DataFrame:
    """Return the rows with the words for their target, their reading and their commune."""
    titles = {target.target_id: title_of(target, "title", lang) for target in targets}
    labels = {
        (target.target_id, i): title_of(reading, "label", lang)
        for target in targets
        for i, reading in enumerate(target.readings)
    }
    keys = zip(table["target_id"], table["reading"], strict=True)
    return table.assign(
        target=table["target_id"].map(titles),
        label=[labels[key] for key in keys],
        commune_name=table["commune_code"].map(names),
    )

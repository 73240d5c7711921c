"""What changed between two dates, and why: redefined, boundary reform, data correction, built."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.schema import conform

__all__ = [
    "LEVELS",
    "PARTS",
    "account_sites",
    "correct_service",
    "correct_sites",
    "split_change",
]

# The old date as published, then under the new definitions, on the new communes, with what the
# newer sheets say of it; and the new date. What lies between two of them is one part.
LEVELS = ("published", "redefined", "moved", "corrected", "now")
PARTS = ("redefined", "boundary_reform", "data_correction", "built")

CELL = ["site_id", "sector_id"]
FOOTPRINT = (
    "operator", "technology", "nr_mode", "frequency_mhz", "azimuth_deg", "beamwidth_deg",
    "radius_m",
)  # fmt: skip
SAME_PLACE_DEG = 1e-6


def account_sites(
    old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, *, before: date, after: date
) -> pd.DataFrame:
    """Return every cell on which two sheets differ, and why.

    A cell that the newer sheet dates on or before the old date stood there then: where the old
    sheet lacks it, or has it otherwise, that is a correction. One that it dates later was built.

    Parameters
    ----------
    old, new : GeoDataFrame, one CRS
        Schema "sites", of the two dates.
    before, after : date

    Returns
    -------
    DataFrame
        `site_id`, `sector_id`, `operator`, `technology`, `on_air_date` (of the newer sheet where
        it has the cell) and `why`:

        - "late_report": on air on the old date, first named by the newer sheet (correction);
        - "restated": on air then, in another way than the old sheet said (correction);
        - "misdated": the old sheet had it on air, the newer one says it was not yet (correction);
        - "built": on air since; "rebuilt": on air since, in place of the same cell;
        - "taken_down": no longer on air, or no longer in the sheet;
        - "undated": new or other, without a date: counted as built, since nothing shows more.
    """
    old, new = conform(old, "sites"), conform(new, "sites")
    then = old[_is_on_air(old, before)].set_index(CELL)
    told = new.set_index(CELL)
    now = told[_is_on_air(told, after)]
    cells = then.index.union(now.index)
    was, is_now = cells.isin(then.index), cells.isin(now.index)
    dates = told["on_air_date"].reindex(cells)
    is_early = (dates <= pd.Timestamp(before)).to_numpy()
    is_late = (dates > pd.Timestamp(before)).to_numpy()
    is_same = _are_same(then.reindex(cells), told.reindex(cells)) & was & cells.isin(told.index)
    status = told["status"].reindex(cells).fillna("on_air")
    is_retired = (status == "retired").to_numpy() | ~cells.isin(told.index)
    why = np.select(
        [
            was & is_retired,
            was & is_late & (is_same | ~is_now),
            was & ~is_now,
            is_now & was & is_same,
            is_now & is_early & ~was,
            is_now & is_early,
            is_now & ~is_late,
            is_now & was,
            is_now,
        ],
        ["taken_down", "misdated", "taken_down", "", "late_report", "restated", "undated",
         "rebuilt", "built"],
        "",
    )  # fmt: skip
    named = pd.concat([told, then[~then.index.isin(told.index)]])
    shown = named[["operator", "technology", "on_air_date"]].reindex(cells)
    return shown.assign(why=why)[why != ""].reset_index()


def correct_sites(
    old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, account: pd.DataFrame, *, before: date
) -> gpd.GeoDataFrame:
    """Return the cells on air on the old date as the newer sheet tells it.

    Parameters
    ----------
    old, new : GeoDataFrame, one CRS
        Schema "sites".
    account : DataFrame
        As `account_sites` returns.
    before : date
    """
    why = account.set_index(CELL)["why"]
    gone = why.index[why.isin(["misdated", "restated"])]
    taken = why.index[why.isin(["late_report", "restated"])]
    old, new = conform(old, "sites"), conform(new, "sites")
    then = old[_is_on_air(old, before)]
    kept = then[~pd.MultiIndex.from_frame(then[CELL]).isin(gone)]
    added = new[pd.MultiIndex.from_frame(new[CELL]).isin(taken)]
    return gpd.GeoDataFrame(pd.concat([kept, added], ignore_index=True), crs=old.crs)


def correct_service(old: pd.DataFrame, new: pd.DataFrame, *, before: date) -> pd.DataFrame:
    """Return the old table with the rows that the newer one dates on or before the old date.

    Tables of communes of different vintages have no rows in common: the old one stays as it is.
    """
    if set(old["vintage"].dropna()) != set(new["vintage"].dropna()):
        return old
    old, new = conform(old, "service"), conform(new, "service")
    key = ["commune_code", "operator", "technology"]
    told = new[new["as_of"] <= pd.Timestamp(before)]
    is_told = pd.MultiIndex.from_frame(old[key]).isin(pd.MultiIndex.from_frame(told[key]))
    return pd.concat([old[~is_told], told], ignore_index=True)


def split_change(levels: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the change of each figure between two dates, and its four parts.

    With the old date counted as published, under the new definitions, on the new communes and as
    the newer sheets tell it, and the new date: each part is a step from one to the next, in this
    order, so that the parts sum to the change.

    Parameters
    ----------
    levels : DataFrame
        The keys, `level` (of `LEVELS`), `share`, and `low` and `high`: the range of the share
        where it is not known. A level that could not be counted is absent: from 0 to 1. With
        `is_same`: it is counted from the same as the level before, so that the step is 0 even
        where the share is not known.
    keys : list of str
        The columns that name a figure.

    Returns
    -------
    DataFrame
        The keys, `share_before`, `share_after`, `change`, and for each part `redefined`,
        `boundary_reform`, `data_correction` and `built`: the part (NaN where unknown) with `_low`
        and `_high`, what it can be.

    Examples
    --------
    >>> levels = pd.DataFrame({"figure": "5g", "level": LEVELS,
    ...                        "share": [0.50, 0.50, 0.52, 0.55, 0.65], "is_same": False})
    >>> levels["low"] = levels["high"] = levels["share"]
    >>> split_change(levels, ["figure"])[["change", *PARTS]].round(2).to_numpy().tolist()
    [[0.15, 0.0, 0.02, 0.03, 0.1]]
    """
    indexed = levels.set_index([*keys, "level"])
    figures = levels[keys].drop_duplicates()
    steps, same = {}, {}
    for level in LEVELS:
        at = pd.MultiIndex.from_frame(figures.assign(level=level))
        found = indexed.reindex(at)
        values = found[["share", "low", "high"]].astype("float64")
        steps[level] = values.fillna({"low": 0.0, "high": 1.0}).to_numpy()
        same[level] = (found["is_same"] == True).to_numpy(bool)  # noqa: E712  (absent is NaN)
    table = figures.reset_index(drop=True)
    table["share_before"] = steps["published"][:, 0]
    table["share_after"] = steps["now"][:, 0]
    table["change"] = table["share_after"] - table["share_before"]
    for part, first, second in zip(PARTS, LEVELS, LEVELS[1:], strict=False):
        (share0, low0, high0), (share1, low1, high1) = steps[first].T, steps[second].T
        is_nothing = same[second] & np.isnan(share1 - share0)
        parts = {"": share1 - share0, "_low": low1 - high0, "_high": high1 - low0}
        for end, values in parts.items():
            table[f"{part}{end}"] = np.where(is_nothing, 0.0, values)
    return table


def _is_on_air(sites: gpd.GeoDataFrame, day: date) -> np.ndarray:
    is_later = sites["on_air_date"] > pd.Timestamp(day)
    return ((sites["status"].fillna("on_air") == "on_air") & ~is_later).to_numpy(bool)


def _are_same(first: gpd.GeoDataFrame, second: gpd.GeoDataFrame) -> np.ndarray:
    """Return which rows cover the same: in all that shapes a footprint."""
    same = np.ones(len(first), dtype=bool)
    for name in FOOTPRINT:
        a, b = first[name], second[name]
        same &= ((a == b) | (a.isna() & b.isna())).fillna(False).to_numpy(bool)
    both = first.geometry.notna().to_numpy() & second.geometry.notna().to_numpy()
    near = shapely.equals_exact(
        first.geometry.to_numpy(), second.geometry.to_numpy(), tolerance=SAME_PLACE_DEG
    )
    return same & both & near

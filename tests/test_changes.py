"""What changed and why: cells that two sheets tell otherwise, and the four parts of a change."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from conftest import masts
from hypothesis import given
from hypothesis import strategies as st

from phusong.changes import (
    LEVELS,
    PARTS,
    account_sites,
    correct_service,
    correct_sites,
    split_change,
)

BEFORE, AFTER = date(2025, 6, 30), date(2025, 9, 30)
EARLY, SINCE, LATER = "2025-01-01", "2025-08-01", "2026-01-01"


def sheet(*cells: tuple[str, str | None, float, str]) -> gpd.GeoDataFrame:
    """Cells: site_id, on_air_date, radius_m, status; all at one place."""
    rows = [{"x": 500_000, "y": 2_200_000} for _ in cells]
    names = ["site_id", "on_air_date", "radius_m", "status"]
    columns = dict(zip(names, zip(*cells, strict=True), strict=True))
    made = masts(rows).assign(**columns, operator="Viettel", technology="5G", nr_mode=pd.NA)
    made["on_air_date"] = pd.to_datetime(made["on_air_date"])
    return made.assign(frequency_mhz=2600.0, azimuth_deg=np.nan, beamwidth_deg=np.nan)


OLD = sheet(
    ("same", EARLY, 500, "on_air"),
    ("restated", EARLY, 500, "on_air"),
    ("misdated", EARLY, 500, "on_air"),
    ("not yet", EARLY, 500, "on_air"),
    ("rebuilt", EARLY, 500, "on_air"),
    ("retired", EARLY, 500, "on_air"),
    ("vanished", EARLY, 500, "on_air"),
    ("undated, other", None, 500, "on_air"),
    ("undated, same", None, 500, "on_air"),
    ("planned", None, 500, "planned"),
)
NEW = sheet(
    ("same", EARLY, 500, "on_air"),
    ("restated", EARLY, 700, "on_air"),
    ("misdated", SINCE, 500, "on_air"),
    ("not yet", LATER, 500, "planned"),
    ("rebuilt", SINCE, 900, "on_air"),
    ("retired", EARLY, 500, "retired"),
    ("undated, other", None, 700, "on_air"),
    ("undated, same", None, 500, "on_air"),
    ("planned", SINCE, 500, "on_air"),
    ("late", EARLY, 500, "on_air"),
    ("new", SINCE, 500, "on_air"),
    ("undated, new", None, 500, "on_air"),
    ("not built", LATER, 500, "planned"),
)
WHY = {
    "restated": "restated",
    "misdated": "misdated",
    "not yet": "misdated",
    "rebuilt": "rebuilt",
    "retired": "taken_down",
    "vanished": "taken_down",
    "undated, other": "undated",
    "undated, new": "undated",
    "planned": "built",
    "late": "late_report",
    "new": "built",
}


def test_every_cell_on_which_two_sheets_differ_has_its_reason() -> None:
    account = account_sites(OLD, NEW, before=BEFORE, after=AFTER)
    assert dict(zip(account["site_id"], account["why"], strict=True)) == WHY


def test_old_date_as_the_newer_sheet_tells_it() -> None:
    account = account_sites(OLD, NEW, before=BEFORE, after=AFTER)
    told = correct_sites(OLD, NEW, account, before=BEFORE)
    radii = dict(zip(told["site_id"], told["radius_m"], strict=True))
    assert radii == {
        "same": 500, "restated": 700, "rebuilt": 500, "retired": 500, "vanished": 500,
        "undated, other": 500, "undated, same": 500, "late": 500,
    }  # fmt: skip
    assert told.crs == OLD.crs


def test_site_that_moved_is_restated() -> None:
    moved = OLD.assign(geometry=OLD.geometry.translate(xoff=5.0))
    account = account_sites(OLD, moved, before=BEFORE, after=AFTER)
    assert set(account.loc[account["site_id"] == "same", "why"]) == {"restated"}


def test_same_sheet_differs_in_nothing() -> None:
    assert account_sites(OLD, OLD, before=BEFORE, after=BEFORE).empty


def service(*rows: tuple[str, str, float, str], vintage: str = "2025") -> pd.DataFrame:
    names = ["commune_code", "operator", "households_passed", "as_of"]
    made = pd.DataFrame(rows, columns=names).assign(vintage=vintage, technology="FTTH")
    return made.assign(as_of=pd.to_datetime(made["as_of"]))


def test_service_rows_dated_before_the_old_date_correct_it() -> None:
    old = service(("1", "A", 10, EARLY), ("2", "A", 20, EARLY), ("3", "A", 30, EARLY))
    new = service(("1", "A", 15, EARLY), ("2", "A", 99, SINCE), ("4", "B", 40, EARLY))
    told = correct_service(old, new, before=BEFORE)
    passed = dict(zip(told["commune_code"], told["households_passed"], strict=True))
    assert passed == {"1": 15, "2": 20, "3": 30, "4": 40}


def test_service_of_another_vintage_corrects_nothing() -> None:
    old, new = service(("1", "A", 10, EARLY), vintage="before-2025"), service(("1", "A", 9, EARLY))
    assert correct_service(old, new, before=BEFORE) is old


def levels(values: list[float | None], *, is_same: bool = False) -> pd.DataFrame:
    share = pd.Series([np.nan if v is None else v for v in values], dtype="float64")
    return pd.DataFrame(
        {"figure": "5g", "level": LEVELS, "share": share, "low": share.fillna(0.2),
         "high": share.fillna(0.6), "is_same": is_same}
    )  # fmt: skip


@given(values=st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_four_parts_sum_to_the_change(values: list[float]) -> None:
    row = split_change(levels(list(values)), ["figure"]).iloc[0]
    assert sum(row[part] for part in PARTS) == pytest.approx(row["change"], abs=1e-12)
    assert row["change"] == values[-1] - values[0]
    for part in PARTS:
        assert row[part] == row[f"{part}_low"] == row[f"{part}_high"]


@given(values=st.lists(st.floats(0.2, 0.6), min_size=5, max_size=5), lost=st.integers(1, 3))
def test_bounds_of_a_part_hold_what_it_was(values: list[float], lost: int) -> None:
    known: list[float | None] = list(values)
    known[lost] = None
    row = split_change(levels(known), ["figure"]).iloc[0]
    for i, part in enumerate(PARTS):
        truth = values[i + 1] - values[i]
        assert np.isnan(row[part]) == (lost in (i, i + 1))
        assert row[f"{part}_low"] - 1e-12 <= truth <= row[f"{part}_high"] + 1e-12
    assert row["change"] == values[-1] - values[0]


def test_level_that_could_not_be_counted_can_be_anything() -> None:
    found = levels([0.5, 0.5, 0.5, 0.5, 0.7])
    row = split_change(found[found["level"] != "corrected"], ["figure"]).iloc[0]
    assert np.isnan(row["built"])
    assert (row["built_low"], row["built_high"]) == pytest.approx((-0.3, 0.7))
    assert row["redefined"] == 0


def test_step_between_the_same_counts_is_nothing_even_where_the_share_is_unknown() -> None:
    found = levels([0.5, 0.5, None, None, 0.7])
    found["is_same"] = found["level"] == "corrected"
    row = split_change(found, ["figure"]).iloc[0]
    assert row["data_correction"] == row["data_correction_low"] == row["data_correction_high"] == 0
    assert (row["built_low"], row["built_high"]) == pytest.approx((0.1, 0.5))

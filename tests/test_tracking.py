"""Four quarters with a reform in the middle: what was built is found, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from quarters_by_hand import AREA_KM2, DAYS, DISC_KM2, NAMES, write_quarters

from phusong.changes import PARTS
from phusong.errors import InputFileError
from phusong.io.dated import DatedRun, find_runs, read_dated_table, read_run
from phusong.io.embedded import embedded_path
from phusong.io.registers import read_register
from phusong.tracking import Tracked, track_runs

PEOPLE, COMMUNES, AREA = 0, 3, 2  # readings of the target "5g-2030"
DISC = DISC_KM2 / AREA_KM2


@pytest.fixture(scope="module")
def quarters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quarters")
    write_quarters(folder)
    return folder


@pytest.fixture(scope="module")
def tracked(quarters: Path) -> Tracked:
    return track_runs([read_run(path) for path in find_runs([quarters])])


def changes_of(tracked: Tracked, reading: int, code: str = "") -> pd.DataFrame:
    rows = tracked.changes
    is_own = (rows["target_id"] == "5g-2030") & (rows["reading"] == reading)
    return rows[is_own & (rows["commune_code"] == code)].reset_index(drop=True)


def series_of(tracked: Tracked, reading: int, code: str = "") -> pd.DataFrame:
    rows = tracked.followed
    is_own = (rows["target_id"] == "5g-2030") & (rows["reading"] == reading)
    return rows[is_own & (rows["commune_code"] == code)].reset_index(drop=True)


@pytest.mark.parametrize("reading", [PEOPLE, AREA])
def test_what_was_built_is_found_exactly(tracked: Tracked, reading: int) -> None:
    rows = changes_of(tracked, reading)
    assert rows["built"].tolist() == pytest.approx([DISC, 2 * DISC, DISC], abs=1e-7)
    assert rows["data_correction"].tolist() == pytest.approx([0, 0, DISC], abs=1e-7)
    assert rows["boundary_reform"].tolist() == pytest.approx([0, 0, 0], abs=1e-7)
    assert rows["redefined"].tolist() == [0, 0, 0]
    assert rows["change"].tolist() == pytest.approx(rows[list(PARTS)].sum(axis=1).tolist())


def test_reform_and_new_definition_are_told_from_building(tracked: Tracked) -> None:
    # Communes with at least θ of their people covered. A disc is π/16 = 0.196 of an old commune
    # and half of that of a new one. Q1: one of four has a disc: none at θ = 0.3, one at 0.15. Q2:
    # two of four; on the new communes neither, with one disc each. Q3: two discs each, so both.
    rows = changes_of(tracked, COMMUNES)
    assert rows["redefined"].tolist() == [0.25, 0, 0]
    assert rows["boundary_reform"].tolist() == [0, -0.5, 0]
    assert rows["built"].tolist() == [0.25, 1.0, 0]
    assert rows["data_correction"].tolist() == [0, 0, 0]
    assert rows["change"].tolist() == [0.5, 0.5, 0]


def test_series_is_on_the_communes_and_with_the_corrections_of_the_last_date(
    tracked: Tracked,
) -> None:
    rows = series_of(tracked, AREA)
    assert rows["share"].tolist() == pytest.approx([2 * DISC, 3 * DISC, 5 * DISC, 6 * DISC])
    assert rows["basis"].tolist() == ["recounted"] * 3 + ["published"]
    west = series_of(tracked, PEOPLE, "00001")
    assert west["share"].tolist() == pytest.approx([2 * DISC, 2 * DISC, 4 * DISC, 6 * DISC])
    assert tracked.notes == ()


def test_each_commune_has_its_own_split(tracked: Tracked) -> None:
    west, east = changes_of(tracked, PEOPLE, "00001"), changes_of(tracked, PEOPLE, "00002")
    assert west["built"].tolist()[1:] == pytest.approx([2 * DISC, 2 * DISC])
    assert east["built"].tolist()[1:] == pytest.approx([2 * DISC, 0.0], abs=1e-7)
    assert east["data_correction"].tolist()[1:] == pytest.approx([0.0, 2 * DISC], abs=1e-7)


def test_cells_are_accounted_for_by_name(tracked: Tracked) -> None:
    cells = tracked.cells
    why = {(day.date(), site): why for day, site, why in
           zip(cells["date_after"], cells["site_id"], cells["why"], strict=True)}  # fmt: skip
    assert why == {
        (DAYS[1], "B"): "built", (DAYS[2], "C1"): "built", (DAYS[2], "C2"): "built",
        (DAYS[3], "D"): "built", (DAYS[3], "LATE"): "late_report",
    }  # fmt: skip


def test_order_of_the_runs_does_not_matter(quarters: Path, tracked: Tracked) -> None:
    backwards = track_runs([read_run(quarters / name) for name in reversed(NAMES)])
    pd.testing.assert_frame_equal(backwards.followed, tracked.followed)
    pd.testing.assert_frame_equal(backwards.changes, tracked.changes)


def test_date_whose_inputs_are_gone_is_not_split_and_says_so(
    quarters: Path, tracked: Tracked, tmp_path: Path
) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(quarters, folder)
    (folder / "inputs" / NAMES[1] / "sites.csv").unlink()
    found = track_runs([read_run(path) for path in find_runs([folder])])
    assert "2025-q2: inputs gone: sites[0] (sites.csv)" in found.notes[0]
    for before, after in ((0, 1), (1, 2)):
        row, truth = changes_of(found, AREA).iloc[before], changes_of(tracked, AREA).iloc[before]
        assert row["change"] == truth["change"]
        assert np.isnan(row["built"])
        assert "inputs gone" in row["note"]
        assert row["redefined"] == 0 or before == 0
        for part in PARTS:
            assert row[f"{part}_low"] - 1e-7 <= truth[part] <= row[f"{part}_high"] + 1e-7, after
    # the same communes before and after: no reform, whatever is lost
    assert changes_of(found, AREA)["boundary_reform"].tolist()[0] == 0
    # the crosswalk alone says what the merged communes had: nothing is open in it
    assert series_of(found, AREA)["basis"].tolist()[1] == "carried"
    assert series_of(found, AREA)["share"].tolist()[1] == pytest.approx(2 * DISC)
    # from the communes of before to those of today the bounds know: nothing was divided
    reform = changes_of(found, AREA).iloc[1]
    assert reform["boundary_reform"] == pytest.approx(0, abs=1e-7)


def test_inputs_are_found_in_a_folder_that_is_named(quarters: Path, tmp_path: Path) -> None:
    alone = tmp_path / NAMES[0]
    shutil.copytree(quarters / NAMES[0], alone)
    assert len(read_run(alone).lost) == 4
    assert read_run(alone, search=[quarters / "inputs"]).lost == ()


def test_input_that_was_changed_is_not_taken(quarters: Path, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(quarters, folder)
    sheet = folder / "inputs" / NAMES[2] / "sites.csv"
    sheet.write_text(sheet.read_text() + "\n", encoding="utf-8")
    assert read_run(folder / NAMES[2]).lost == ("sites[0] (sites.csv)",)


def test_table_of_a_run_that_was_changed_is_refused(quarters: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(quarters / NAMES[3], folder)
    path = folder / "indicators.parquet"
    pd.read_parquet(path).iloc[1:].to_parquet(path)
    with pytest.raises(InputFileError, match=r"indicators\.parquet: was changed after the run"):
        read_run(folder)


def test_table_of_dated_indicators_gives_a_series_without_a_split(
    quarters: Path, tmp_path: Path
) -> None:
    tables = [pd.read_parquet(quarters / name / "indicators.parquet") for name in NAMES[2:]]
    for path in (tmp_path / "dated.parquet", tmp_path / "dated.csv"):
        together = pd.concat(tables)
        together.to_parquet(path) if path.suffix == ".parquet" else together.to_csv(path)
        found = track_runs(read_dated_table(path))
        rows = series_of(found, AREA)
        assert rows["share"].tolist() == pytest.approx([4 * DISC, 6 * DISC])
        assert rows["basis"].tolist() == ["published"] * 2
        row = changes_of(found, AREA).iloc[0]
        assert row["change"] == pytest.approx(2 * DISC)
        assert np.isnan(row["built"])
        assert "is a table" in row["note"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="denominator"), "lacks the columns denominator"),
        (lambda t: t.assign(share=1.5), r"rows 2, 3.* not in 0 to 1"),
        (lambda t: pd.concat([t, t.assign(vintage="x")]), "mixes the vintages 2025, x"),
        (lambda t: pd.concat([t, t]), "rows that occur twice"),
    ],
)
def test_wrong_table_is_refused(
    quarters: Path,
    tmp_path: Path,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    message: str,
) -> None:
    table = pd.read_parquet(quarters / NAMES[3] / "indicators.parquet").head(20)
    change(table).to_csv(tmp_path / "dated.csv", index=False)
    with pytest.raises(InputFileError, match=message):
        read_dated_table(tmp_path / "dated.csv")


def low_cost(day: date, share: float, register: str) -> DatedRun:
    """A run of one commune, whose files are gone."""
    rows = pd.DataFrame(
        {"commune_code": ["00001"], "vintage": "2025", "indicator": "low_cost",
         "service": "broadband", "operator": "any", "evidence": "declared",
         "as_of": pd.Timestamp(day), "share": share, "share_low": share, "share_high": share,
         "denominator": 100.0, "unit": "persons"}
    )  # fmt: skip
    communes = rows[["commune_code", "vintage"]].assign(commune_name="Xã A", province_code="38")
    return DatedRun(
        name=str(day), as_of=day, indicators=rows, communes=communes, lost=("sites",),
        made_of={"sites[0]": str(day), "communes": "same", "register": register},
    )  # fmt: skip


@pytest.mark.parametrize("register", ["same", "older"])
def test_share_of_other_definitions_is_unknown_where_it_cannot_be_counted_again(
    register: str,
) -> None:
    targets = read_register(embedded_path("targets")).targets
    runs = [low_cost(DAYS[0], 0.2, register), low_cost(DAYS[1], 0.6, "same")]
    found = track_runs(runs, targets=targets).followed.query("commune_code == ''")
    first = found[["share", "share_low", "share_high"]].iloc[0].tolist()
    assert first == pytest.approx([0.2] * 3 if register == "same" else [np.nan, 0, 1], nan_ok=True)
    assert found["share"].iloc[1] == 0.6


def test_run_of_another_phusong_is_named_where_dates_are_counted_again(quarters: Path) -> None:
    runs = [read_run(quarters / name) for name in NAMES[2:]]
    other = [replace(run, settings=(*run.settings[:2], "0.0.1")) for run in runs]
    found = track_runs(other)
    assert found.notes == (
        f"made by another phusong than counts them again ({version('phusong')}): "
        "2025-q3 (0.0.1), 2025-q4 (0.0.1)",
    )


def test_what_is_no_run_is_refused(quarters: Path, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"neither a run .* nor a folder of runs"):
        find_runs([tmp_path])
    one = read_run(quarters / NAMES[0])
    with pytest.raises(InputFileError, match="at least two dates; found 2025-q1"):
        track_runs([one])
    with pytest.raises(InputFileError, match="are both of 2025-03-31"):
        track_runs([one, one, read_run(quarters / NAMES[1])])

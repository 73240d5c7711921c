"""`phusong progress` and `phusong demo --quarters`: tables, charts and their account."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from matplotlib.figure import Figure
from PIL import Image
from quarters_by_hand import DISC_KM2, NAMES, write_quarters

from phusong.cli import main
from phusong.io.dated import read_run
from phusong.io.embedded import embedded_path
from phusong.io.manifest import verify_run
from phusong.publish.progresstext import outlook_text
from phusong.publish.trajectory import (
    VERDICTS,
    draw_communes,
    plot_changes,
    plot_trajectory,
)
from phusong.quarters import ENDS, quarter_studies
from phusong.words import read_words


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def quarters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quarters")
    write_quarters(folder)
    return folder


@pytest.fixture(scope="module")
def progress(quarters: Path) -> Path:
    result = run("progress", quarters, "-o", quarters / "progress", "--lang", "en")
    assert result.exit_code == 0, result.output
    return quarters / "progress"


def test_folder_holds_the_account_the_workbook_and_the_figures(progress: Path) -> None:
    assert verify_run(progress) == []
    names = {path.name for path in progress.iterdir() if not path.name.startswith(".")}
    # no service table: nothing is known of broadband and low cost, so nothing is drawn
    assert names == {
        "progress.json", "progress.xlsx", "run.json", "path-2-5g-2030.png",
        "changes-2-5g-2030.png", "communes-2-5g-2030.png",
    }  # fmt: skip
    for path in progress.glob("*.png"):
        with Image.open(path) as image:
            assert min(image.size) > 800
            assert len(np.unique(np.asarray(image.convert("L")))) > 20


def test_account_tells_the_series_the_verdicts_and_the_parts(progress: Path) -> None:
    account = json.loads((progress / "progress.json").read_text(encoding="utf-8"))
    assert account["synthetic"] is True
    assert [entry["n_communes"] for entry in account["runs"]] == [4, 4, 2, 2]
    target = next(t for t in account["targets"] if t["target_id"] == "5g-2030")
    area = target["readings"][2]
    shares = [point["share"] for point in area["series"]]
    assert shares == pytest.approx([n * DISC_KM2 / 16 for n in (2, 3, 5, 6)])
    assert area["outlook"] is None
    assert area["changes"][2]["data_correction"] == pytest.approx(DISC_KM2 / 16)
    people = target["readings"][0]["outlook"]
    assert people["forecast"] == "date"
    assert people["forecast_date"] in people["text_en"]
    assert people["forecast_date"] not in people["text_vi"]  # the day comes first in Vietnamese
    assert {entry["commune_name"] for entry in target["communes"]} == {"Xã Tây", "Xã Đông"}


def test_workbook_says_what_changed_and_why(progress: Path) -> None:
    book = openpyxl.load_workbook(progress / "progress.xlsx")
    words = read_words("progress", "en")
    pages = ("verdicts", "communes", "changes", "cells", "series", "notes")
    assert book.sheetnames == [words[name][:31] for name in pages]
    rows = list(book[words["cells"]].iter_rows(min_row=2, values_only=True))
    assert [(row[2], row[-1]) for row in rows][-1] == ("LATE", words["late_report"])
    page = book[words["changes"][:31]]
    headings = [cell.value for cell in page[1]]
    built = headings.index("Built")
    points = [row[built] for row in page.iter_rows(min_row=2, values_only=True)
              if row[3] == "Area covered by 5G (A5)"]  # fmt: skip
    assert points == pytest.approx([100 * n * DISC_KM2 / 16 for n in (1, 2, 1)])
    notes = [row[0] for row in book[words["notes"]].iter_rows(min_row=2, values_only=True)]
    assert words["synthetic"] in notes


def test_same_runs_give_the_same_bytes(quarters: Path, progress: Path, tmp_path: Path) -> None:
    named = [quarters / name for name in NAMES]
    result = run("progress", *named, "-o", tmp_path, "--lang", "en", "--json")
    assert json.loads(result.stdout)["targets"]
    listed = [json.loads((f / "run.json").read_text())["files"] for f in (tmp_path, progress)]
    assert listed[0] == listed[1]


def test_text_has_verdicts_rates_and_parts(quarters: Path, tmp_path: Path) -> None:
    text = run("progress", quarters, "-o", tmp_path).output
    for said in ("[CHƯA KẾT LUẬN ĐƯỢC]", "xây dựng mới +4,91", "sửa số liệu +4,91", "(synthetic)"):
        assert said in text


def test_two_dates_are_not_extrapolated_and_the_text_says_so(
    quarters: Path, tmp_path: Path
) -> None:
    named = [quarters / name for name in NAMES[2:]]
    text = run("progress", *named, "-o", tmp_path, "--lang", "en").output
    assert "not extrapolated: fewer than three dates" in text


def test_one_run_or_none_is_bad_input(quarters: Path, tmp_path: Path) -> None:
    assert run("progress", quarters / NAMES[0], "-o", tmp_path).exit_code == 2
    result = run("progress", tmp_path / "nothing", "-o", tmp_path)
    assert result.exit_code == 2
    assert "neither a run" in result.output
    result = run("progress", quarters, "--inputs", tmp_path / "nothing", "-o", tmp_path)
    assert result.exit_code == 2
    assert "no such folder to look for inputs in" in result.output


def followed(verdict: str = "undecided") -> pd.DataFrame:
    days = pd.to_datetime(["2025-03-31", "2025-06-30", "2025-09-30"])
    return pd.DataFrame(
        {"commune_code": "00001", "as_of": days, "share": [np.nan, 0.5, 0.6],
         "share_low": [0.2, 0.4, 0.6], "share_high": [0.6, 0.6, 0.6], "path_low": [0.2, 0.3, 0.4],
         "path_high": [0.6, 0.7, 0.8], "threshold": 0.9, "due": pd.Timestamp("2026-12-31"),
         "verdict": verdict}
    )  # fmt: skip


def test_trajectory_draws_band_values_and_a_path_from_each_bound() -> None:
    ax = Figure().add_subplot()
    assert plot_trajectory(followed(), lang="en", ax=ax) is ax
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0.2, 0.6)
    values, low, high, star = ax.lines
    assert values.get_ydata()[1:].tolist() == [0.5, 0.6]
    assert (low.get_ydata()[0], high.get_ydata()[0]) == (0.2, 0.6)
    assert star.get_ydata()[0] == low.get_ydata()[-1] == 0.9


def test_page_of_communes_shows_the_farthest_below_first_and_counts_all() -> None:
    rows = [
        followed("off_track" if i else "on_track").assign(
            commune_code=f"{i:05d}", share_high=0.9 - 0.1 * i
        )
        for i in range(5)
    ]
    page = draw_communes(
        pd.concat(rows), {"00004": "Xã Bốn"}, title="5G", lang="en", columns=2, rows=1
    )
    assert [ax.get_title() for ax in page.axes] == ["Xã Bốn", "00003"]
    assert "2 of 5 communes" in page.get_suptitle()
    assert "Off track: 4" in page.get_suptitle()


def test_changes_are_stacked_to_their_sum_and_what_is_open_is_marked() -> None:
    parts = {"redefined": [0.0, np.nan], "boundary_reform": [-0.1, np.nan],
             "data_correction": [0.02, 0.0], "built": [0.05, np.nan]}  # fmt: skip
    days = pd.to_datetime(["2025-03-31", "2025-06-30", "2025-09-30"])
    changes = pd.DataFrame(parts).assign(
        change=[-0.03, 0.04], date_before=days[:2], date_after=days[1:]
    )
    ax = plot_changes(changes, lang="en")
    heights = [bar.get_height() for bars in ax.containers for bar in bars][::2]
    assert sum(heights) == pytest.approx(-3.0)
    told = [text.get_text() for text in ax.texts]
    assert told[:2] == ["-3.0", "+4.0 ?"]


def test_every_word_is_in_both_languages() -> None:
    vi, en = read_words("progress", "vi"), read_words("progress", "en")
    assert vi.keys() == en.keys()
    assert set(VERDICTS) <= vi.keys()
    row = pd.Series(
        {"rate_per_year": 0.1, "rate_needed": 0.05, "forecast": "date",
         "forecast_date": pd.Timestamp("2028-07-06"), "as_of": pd.Timestamp("2025-12-31"),
         "due": pd.Timestamp("2030-12-31")}
    )  # fmt: skip
    assert outlook_text(row, "vi").endswith("(10,0 điểm % mỗi năm) sẽ đạt ngày 06/07/2028")
    assert "at today's rate (10.0 points a year) on 2028-07-06" in outlook_text(row, "en")


def test_quarters_grow_in_a_known_way(tmp_path: Path) -> None:
    studies = quarter_studies(tmp_path, 6)
    with pytest.raises(ValueError, match="found 7, expected 1 to 6"):
        quarter_studies(tmp_path, 7)
    assert [name for name, _ in studies][:5] == [
        "2025-q1", "2025-q2", "2025-q3", "2025-q4", "2026-q1"]  # fmt: skip
    assert [study.vintage for _, study in studies] == ["before-2025"] * 2 + ["2025"] * 4
    assert all(study.is_synthetic and study.is_schematic for _, study in studies)
    whole = pd.read_csv(embedded_path("sites")).set_index("site_id")
    names = []
    for (_, study), day in zip(studies, ENDS, strict=True):
        sheet = pd.read_csv(study.sites[0])
        assert (sheet["note"] == "synthetic").all()
        dates = sheet.loc[sheet["status"] != "planned", "on_air_date"]
        assert (dates <= day.isoformat()).all()
        names.append(set(sheet["site_id"]))
    assert all(a < b for a, b in pairwise(names))
    first_told = whole.loc[list(names[3] - names[2]), "on_air_date"]
    assert (first_told <= "2025-03-31").sum() > 30
    first, second = (study.service for _, study in studies[:2])
    tables = [pd.read_csv(path, dtype={"commune_code": "str"}) for path in (first, second)]
    assert all(table["commune_code"].nunique() > 500 for table in tables)
    assert len(tables[0]) < len(tables[1])


def test_quarters_do_not_overwrite_a_file_of_the_user(tmp_path: Path) -> None:
    quarter_studies(tmp_path, 1)
    quarter_studies(tmp_path, 1)  # the same sheets may be there
    sheet = tmp_path / "inputs" / "2025-q1" / "sites.csv"
    sheet.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="another content"):
        quarter_studies(tmp_path, 1)
    assert sheet.read_text(encoding="utf-8") == "mine"


def test_demo_of_two_quarters_gives_two_dated_runs(tmp_path: Path) -> None:
    result = run("demo", "--quarters", 2, "--no-map", "-o", tmp_path)
    assert result.exit_code == 0, result.output
    runs = [read_run(tmp_path / name) for name in NAMES[:2]]
    assert [run.as_of for run in runs] == list(ENDS[:2])
    assert all(run.is_synthetic and run.is_schematic and not run.lost for run in runs)
    assert [len(run.communes) for run in runs] == [549, 549]
    result = run("demo", "--quarters", 1, "--no-map", "--json", "-o", tmp_path / "json")
    assert [entry["as_of"] for entry in json.loads(result.stdout)] == ["2025-03-31"]
    assert run("demo", "--quarters", 7, "-o", tmp_path).exit_code == 2
    assert run("demo", "--quarters", 2, "--boundaries", "official", "-o", tmp_path).exit_code == 2

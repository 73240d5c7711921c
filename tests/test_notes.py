"""Notes of runs in Vietnamese: all that the demo and a study of its own write, and none mangled."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from conftest import masts, square_communes

from phusong.io.settings import Study
from phusong.publish.notes import tell_note
from phusong.runs import demo_study, run_study

ENTRIES = tomllib.loads(
    (files("phusong.publish") / "assets" / "notes.toml").read_text(encoding="utf-8")
)["note"]
SOURCES = Path(str(files("phusong")))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["en"][:40])
def test_every_blank_is_filled_in_once(entry: dict[str, str]) -> None:
    n_blanks = entry["en"].count("{}")
    assert sorted(re.findall(r"\{(\d)\}", entry["vi"])) == [str(i) for i in range(n_blanks)]
    filled = entry["en"].format(*(f"«{i}»" for i in range(n_blanks)))
    told = tell_note(filled, "vi")
    assert told == entry["vi"].format(*(f"«{i}»" for i in range(n_blanks)))
    assert tell_note(filled, "en") == filled


def written() -> str:
    """Return the texts of the sources, put together as the interpreter would, blanks as `{}`."""
    lines = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    joined = re.sub(r'"\s*\n\s*f?"', "", lines)
    return re.sub(r"\{[^{}\n]*(\{[^{}\n]*\}[^{}\n]*)*\}", "{}", joined)


def test_sentences_of_the_catalogue_are_those_of_the_code() -> None:
    text = written()
    parts = {entry["en"]: re.split(r"\{\}|, with ", entry["en"]) for entry in ENTRIES}
    lost = [en for en, pieces in parts.items()
            if not all(piece.strip(" ,;:()%") in text for piece in pieces)]  # fmt: skip
    assert not lost


def notes_of(study: Study, folder: Path) -> list[str]:
    run_study(study, folder, with_map=False)
    return list(json.loads((folder / "summary.json").read_text(encoding="utf-8"))["notes"])


def test_no_note_of_the_demo_stays_english(tmp_path: Path) -> None:
    notes = notes_of(demo_study(), tmp_path / "demo")
    assert len(notes) > 4
    assert [note for note in notes if tell_note(note, "vi") == note] == []
    told = " ".join(tell_note(note, "vi") for note in notes)
    assert "4.320.947 theo số của các xã" in told
    assert "từng xã từ 0,990 đến 1,006" in told


def test_no_note_of_a_plain_study_stays_english(tmp_path: Path) -> None:
    square_communes(3, 2).to_crs(4326).to_file(tmp_path / "communes.gpkg")
    cells = masts([{"x": 501_000 + 2000 * k, "y": 2_201_000, "technology": "5G",
                    "frequency_mhz": 2600.0} for k in range(4)]).to_crs(4326)  # fmt: skip
    cells = cells.assign(lon=cells.geometry.x, lat=cells.geometry.y, operator="Viettel")
    cells.drop(columns=["geometry", "radius_m"], errors="ignore").to_csv(
        tmp_path / "sites.csv", index=False
    )
    study = Study(
        communes=tmp_path / "communes.gpkg", sites=(tmp_path / "sites.csv",), population="even",
        as_of=date(2026, 6, 30), place="Thử",
    )  # fmt: skip
    notes = notes_of(study, tmp_path / "run")
    known = [note for note in notes if tell_note(note, "vi") != note]
    assert len(known) >= 3
    assert [note for note in notes if note not in known and "official list" not in note] == []


def test_names_are_not_changed_and_what_is_not_known_stays() -> None:
    note = "and {} more <b>$x$ 1,234.5"
    assert tell_note(note, "vi") == note
    told = tell_note("operators that no list names: A 1,000, B{0}, C.5", "vi")
    assert told.endswith("B{0}, C.5")

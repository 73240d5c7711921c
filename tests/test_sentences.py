"""Notes and errors in Vietnamese: all that the code can say is known, and nothing is mangled."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from conftest import masts, square_communes

from phusong.errors import Problem, SchemaError
from phusong.io.settings import Study
from phusong.layers import LAYERS
from phusong.runs import demo_study, run_study
from phusong.sentences import BLANK, tell, tell_error, tell_problem
from phusong.words import read_sentences

SENTENCES = read_sentences("vi")
SOURCES = Path(str(files("phusong")))

# Errors that only a caller of the Python interface can meet; programmers read English.
ONLY_IN_PYTHON = ("ValueError", "KeyError", "AttributeError", "OverflowError", "RuntimeError")


def filled(sentence: str) -> tuple[str, list[str]]:
    values = [f"{7 + i}" if blank == "{#}" else f"«{i}»"
              for i, blank in enumerate(BLANK.findall(sentence))]  # fmt: skip
    parts = iter(values)
    return BLANK.sub(lambda _: next(parts), sentence), values


@pytest.mark.parametrize("entry", SENTENCES, ids=lambda entry: entry["en"][:40])
def test_every_blank_is_filled_in_once(entry: dict[str, str]) -> None:
    text, values = filled(entry["en"])
    assert sorted(re.findall(r"\{(\d)\}", entry["said"])) == [str(i) for i in range(len(values))]
    assert tell(text, "vi") == entry["said"].format(*values)
    assert tell(text, "en") == text


def test_no_sentence_stands_twice() -> None:
    sentences = [entry["en"] for entry in SENTENCES]
    assert len(sentences) == len(set(sentences))


def written() -> str:
    """Return all texts of the sources, blanks as `{}`."""
    texts = []
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr | ast.Constant):
                texts += [text.replace("«»", "{}") for text in said(node)]
    return "\n".join(texts)


def test_sentences_of_the_catalogue_are_those_of_the_code() -> None:
    text = written()
    ours = [entry["en"] for entry in SENTENCES if "of" not in entry]
    lost = [
        sentence
        for sentence in ours
        if not all(
            piece.strip(" ,;:()%'") in text for piece in re.split(r"\{[#=]?\}|, with |; ", sentence)
        )
    ]
    assert not lost, "\n".join(lost)


def sentences_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield what is raised, noted, and said of rows, with its line; blanks are «»."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            name = ast.unparse(node.exc.func)
            if name.endswith("Error") and name not in (*ONLY_IN_PYTHON, "SchemaError"):
                yield from ((node.lineno, text) for arg in node.exc.args[:1] for text in said(arg))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Problem":
            for word in node.keywords:
                if word.arg in ("found", "expected", "message"):
                    yield from ((node.lineno, text) for text in said(word.value))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = ast.unparse(node.func)
            told = node.args[3:] if name.endswith(".mend") else []  # expected, message
            told = node.args if name.endswith("notes.append") else told
            yield from ((node.lineno, text) for arg in told for text in said(arg))


def said(node: ast.AST) -> list[str]:
    if isinstance(node, ast.IfExp):
        return said(node.body) + said(node.orelse)
    if isinstance(node, ast.BinOp):
        return [a + b for a in said(node.left) for b in said(node.right)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "«»"
                        for part in node.values)]  # fmt: skip
    return (
        [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else ["«»"]
    )


def has_words(text: str) -> bool:
    """Say whether a sentence holds words of ours beyond the name of a column or an option."""
    return re.search(r"[A-Za-z]{3,} |[a-z]{3,}$", re.sub(r"«»|^\S+: ", "", text)) is not None


def test_all_that_the_code_raises_is_known_in_vietnamese() -> None:
    unknown = []
    for path in sorted(SOURCES.rglob("*.py")):
        for line, text in sentences_of(ast.parse(path.read_text(encoding="utf-8"))):
            # a blank may stand for a number or a text; the last one also for nothing
            fillings = [text.replace("«»", "7"), text.replace("«»", "«x»")]
            fillings += [filling.removesuffix("7") for filling in fillings]
            is_known = any(tell(filling, "vi") != filling for filling in fillings)
            if has_words(text) and not is_known:
                unknown.append(f"{path.name}:{line}: {text}")
    assert not unknown, "\n".join(unknown)


def test_what_a_required_column_means_is_known() -> None:
    for name, layer in LAYERS.items():
        for column in layer.columns:
            if column.required:
                assert tell(column.meaning, "vi") != column.meaning, (name, column.name)


def test_a_layer_with_many_problems_is_told_with_how_many_are_not_shown() -> None:
    problems = [Problem(row=i, field="lat", found="'x'", expected="a number") for i in range(2, 25)]
    told = tell_error(SchemaError("sites", problems), "vi").split("\n")
    assert told[0] == "sites: 23 lỗi"
    assert told[1] == "  - dòng 2, lat: thấy 'x', cần một số"
    assert told[-1] == "  … và 3 lỗi nữa"
    assert tell_error(SchemaError("sites", problems), "en").startswith("sites: 23 problems")


def test_codes_stay_what_they_are() -> None:
    assert tell("2 retired", "vi") == "2 đã ngừng"
    assert tell("one of on_air, planned, retired", "vi") == "một trong on_air, planned, retired"


def test_numbers_of_a_sentence_get_a_comma_and_those_of_the_data_do_not() -> None:
    text = "a/2.5/x.tif: its dimensions are 1,000 × 2 cells"
    assert tell(text, "vi") == text
    told = tell("a/2.5/x.tif: holds 1,250 layers ('a 2.5'), expected one", "vi")
    assert told == "a/2.5/x.tif: chứa 1.250 lớp ('a 2.5'), cần một"
    problem = Problem(row=1, field="h", found="'2.5'", expected="0 to 0.5 m")
    assert tell_problem(problem, "vi") == "dòng 1, h: thấy '2.5', cần 0 đến 0,5 m"


def notes_of(study: Study, folder: Path) -> list[str]:
    run_study(study, folder, with_map=False)
    return list(json.loads((folder / "summary.json").read_text(encoding="utf-8"))["notes"])


def test_no_note_of_the_demo_stays_english(tmp_path: Path) -> None:
    notes = notes_of(demo_study(), tmp_path / "demo")
    assert len(notes) > 4
    assert [note for note in notes if tell(note, "vi") == note] == []
    told = " ".join(tell(note, "vi") for note in notes)
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
    known = [note for note in notes if tell(note, "vi") != note]
    assert len(known) >= 3
    assert [note for note in notes if note not in known and "official list" not in note] == []


def test_names_are_not_changed_and_what_is_not_known_stays() -> None:
    note = "and {} more <b>$x$ 1,234.5"
    assert tell(note, "vi") == note
    told = tell("operators that no list names: A 1,000, B{0}, C.5", "vi")
    assert told.endswith("B{0}, C.5")

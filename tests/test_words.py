"""Languages: each says the same things, and another one is there as soon as its files are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from phusong.runs import demo_study, run_study
from phusong.words import FOLDER, LANGUAGES, read_words, title_of, write_day

READ = {lang: tomllib.loads((FOLDER / f"{lang}.toml").read_text("utf-8")) for lang in LANGUAGES}


def flat(words: dict[str, object], of: str = "") -> Iterator[tuple[str, str]]:
    for name, word in words.items():
        if isinstance(word, dict):
            yield from flat(word, f"{of}{name}.")
        else:
            yield f"{of}{name}", str(word)


def test_vietnamese_comes_first_and_english_is_there() -> None:
    assert LANGUAGES[0] == "vi"
    assert "en" in LANGUAGES


def test_a_language_without_a_file_is_an_error() -> None:
    with pytest.raises(ValueError, match="lang: found 'fr', expected one of vi, en"):
        read_words("summary", "fr")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_language_says_all_that_english_says_with_the_same_blanks(lang: str) -> None:
    ours, english = dict(flat(READ[lang])), dict(flat(READ["en"]))
    assert set(ours) == set(english)
    for name, word in english.items():
        if not name.startswith("format."):
            blanks = [sorted(set(re.findall(r"\{\w+\}", text))) for text in (ours[name], word)]
            assert blanks[0] == blanks[1], name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_language_leaves_no_word_empty(lang: str) -> None:
    assert [name for name, word in flat(READ[lang]) if not word.strip()] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_subject_is_read_by_somebody(lang: str) -> None:
    code = "".join(path.read_text("utf-8") for path in FOLDER.parents[1].rglob("*.py"))
    assert [subject for subject in READ[lang] if f'"{subject}", ' not in code
            and f"'{subject}', " not in code and subject != "format"] == []  # fmt: skip


def test_a_register_that_does_not_speak_a_language_says_it_in_english() -> None:
    entry = {"title_vi": "Phủ", "title_en": "Covered"}
    assert [title_of(entry, "title", lang) for lang in ("vi", "en", "lo")] == [
        "Phủ", "Covered", "Covered",
    ]  # fmt: skip
    assert write_day(date(2026, 6, 30), "vi") == "30/06/2026"
    assert read_words("format", "en")["decimal"] == "."


@pytest.fixture(scope="module")
def with_lao(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a source root that has another language: two files more, and nothing else changed.

    It is English with a mark at every word, so that what is not a word of it can be seen.
    """
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(FOLDER.parents[1], root / "phusong", copy_function=shutil.copy2)
    english = (FOLDER / "en.toml").read_text(encoding="utf-8")
    marked = re.sub(r'^("?[^"=\n]+"? = )"(.*)"$', r'\1"¤\2"', english, flags=re.MULTILINE)
    for name, value in (("locale", "lo-LA"), ("decimal", ","), ("thousands", ".")):
        marked = re.sub(rf'^{name} = ".*"$', f'{name} = "{value}"', marked, flags=re.MULTILINE)
    marked = marked.replace('name = "¤English"', 'name = "ລາວ"').replace('day = "¤', 'day = "')
    folder = root / "phusong" / "data" / "languages"
    (folder / "lo.toml").write_text(marked, encoding="utf-8")
    (folder / "lo_sentences.toml").write_text(
        '[[sentence]]\nen = "holds no {} of a run"\nsaid = "¤ {0}"\n', encoding="utf-8"
    )
    return root


def speak(root: Path, *arguments: str | Path, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "phusong", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_errors_in_another_language(with_lao: Path, tmp_path: Path) -> None:
    assert "¤ run.json" in speak(with_lao, "verify", tmp_path, "--lang", "lo", code=2)
    assert "¤Error: " in speak(with_lao, "verify", "--lang", "lo", code=2)
    table = tmp_path / "sites.csv"
    table.write_text("site_id,operator\nA,Viettel\n", encoding="utf-8")
    told = speak(with_lao, "check", "sites", table, "--lang", "lo", code=2)
    assert told.startswith("[¤")
    assert "no such column" in told  # no sentence of it is known: it stays as it was written


def test_a_website_and_a_map_in_another_language(with_lao: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run_study(demo_study(), run)
    speak(with_lao, "publish", run, "-o", tmp_path / "public", "--lang", "lo")
    page = (tmp_path / "public" / "lo" / "index.html").read_text(encoding="utf-8")
    assert '<html lang="lo"' in page
    assert "¤" in page
    for folder, others in (("", ("en", "lo")), ("en", ("vi", "lo")), ("lo", ("vi", "en"))):
        page = (tmp_path / "public" / folder / "index.html").read_text(encoding="utf-8")
        assert [lang for lang in ("vi", "en", "lo")
                if 'class="language" href="' in page
                and re.search(rf'class="language"[^>]*hreflang="{lang}"', page)] == sorted(
                    others, key=("vi", "en", "lo").index)  # fmt: skip
    explained = speak(with_lao, "explain", run, "Xã Yên Khương", "--lang", "lo")
    assert "¤1. " in explained
    assert "phủ" not in explained.lower()

"""In which language the command line tells what went wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from phusong.cli import main

ENGLISH = {"LC_ALL": "C.UTF-8"}
VIETNAMESE = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "vi_VN.UTF-8"}


def run(*arguments: str | Path, env: dict[str, str]) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=env)


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_verb_takes_a_language(name: str) -> None:
    assert "--lang" in [option for param in main.commands[name].params for option in param.opts]


USAGE = [
    (["assess"], "Thiếu tùy chọn '--communes'."),
    (["publish"], "Thiếu tham số 'RUNS...'."),
    (["asess"], "Không có lệnh 'asess'."),
    (["assess", "--comunes", "x"], "Không có tùy chọn '--comunes'. Có phải '--communes'?"),
    (["plan", "r", "-o", "x", "--sites", "0"], "Giá trị của '--sites' không hợp lệ: 0 không nằm"),
    (["plan", "r", "-o", "x", "--sites", "a"], "'a' không phải số nguyên."),
    (["plan", "r", "-o", "x", "--budget", "a"], "'a' không phải số."),
    (["plan", "r", "-o", "x", "--phase", "a"], "'a': ghi một tên và một số tiền VND"),
    (["assess", "--as-of", "2025"], "'2025' không theo dạng '%Y-%m-%d'."),
    (["assess", "--population", "bar"], "'bar': không có tệp này; cho một tệp, hoặc chữ even"),
    (["assess", "--scheduler", "x"], "'x': ghi processes, processes:N"),
    (["completion", "cmd"], "'cmd' không phải một trong 'bash', 'zsh', 'fish'."),
    (["verify", "a", "b"], "Thừa tham số (b)"),
    (["verify", "a", "b", "c"], "Thừa các tham số (b c)"),
    (["demo", "--json=3"], "Tùy chọn '--json' không nhận giá trị."),
    (["demo", "--boundaries", "official", "--quarters", "4"], "--quarters: chỉ dùng với ranh giới"),
]


@pytest.mark.parametrize(("arguments", "told"), USAGE, ids=lambda value: "-".join(value)[:40])
def test_usage_is_told_in_vietnamese(arguments: list[str], told: str) -> None:
    asked = run(*arguments, "--lang", "vi", env=ENGLISH)
    assert asked.exit_code == click.UsageError.exit_code
    assert told in asked.stderr.split("Lỗi: ")[1]
    by_locale = run(*arguments, env=VIETNAMESE)
    assert (by_locale.exit_code, by_locale.stderr) == (asked.exit_code, asked.stderr)


@pytest.mark.parametrize("arguments", [arguments for arguments, _ in USAGE])
def test_usage_stays_english_where_nobody_asks(arguments: list[str]) -> None:
    plain = run(*arguments, env=ENGLISH)
    assert plain.exit_code == click.UsageError.exit_code
    assert "Lỗi" not in plain.stderr
    assert "Error: " in plain.stderr
    assert run(*arguments, "--lang=en", env=VIETNAMESE).stderr == plain.stderr


def test_a_language_that_we_do_not_speak_is_refused() -> None:
    refused = run("verify", "x", "--lang", "fr", env=VIETNAMESE)
    assert refused.exit_code == click.UsageError.exit_code
    assert "'fr' không phải một trong 'vi', 'en'." in refused.stderr


def test_no_verb_shows_the_help_in_any_language() -> None:
    assert "Usage: " in run(env=ENGLISH).output
    assert "Usage: " in run(env=VIETNAMESE).output


def test_how_a_verb_is_used_stands_above_what_was_wrong() -> None:
    told = CliRunner().invoke(main, ["verify", "--lang", "vi"], prog_name="phusong", env=ENGLISH)
    lines = told.stderr.splitlines()
    assert lines[0] == "Cách dùng: phusong verify [OPTIONS] FOLDER"
    assert lines[1] == "Xem: phusong verify -h"
    assert lines[-1] == "Lỗi: Thiếu tham số 'FOLDER'."


def test_a_table_that_cannot_be_used_is_refused_in_vietnamese(tmp_path: Path) -> None:
    table = tmp_path / "sites.csv"
    table.write_text("site_id,operator\nA,Viettel\n", encoding="utf-8")
    told = run("check", "sites", table, "--lang", "vi", env=ENGLISH)
    assert told.exit_code == 2
    assert "thiếu cột này" in told.output
    assert "no such column" not in told.output
    assert "no such column" in run("check", "sites", table, "--lang", "en", env=VIETNAMESE).output


def test_a_file_that_is_not_there_is_told_alike_by_verbs(tmp_path: Path) -> None:
    lost = tmp_path / "lost.csv"
    for arguments in (["check", "sites", lost], ["plan", lost, "--sites", "1", "-o", tmp_path]):
        told = run(*arguments, "--lang", "vi", env=ENGLISH)
        assert told.exit_code == 2
        assert f"{lost}: không có " in told.output


def test_the_system_decides_as_posix_says() -> None:
    both = {"LC_ALL": "en_GB.UTF-8", "LC_MESSAGES": "vi_VN", "LANG": "vi_VN"}
    assert "Error: " in run("assess", env=both).stderr
    assert "Lỗi: " in run("assess", env=both | {"LC_ALL": ""}).stderr
    assert "Error: " in run("assess", env=both | {"LC_ALL": "", "LC_MESSAGES": "C"}).stderr


def test_a_locale_is_known_by_its_language_alone() -> None:
    plain = {"LC_ALL": "", "LC_MESSAGES": ""}
    for locale, said in (
        ("vi", "Lỗi: "),
        ("vi_VN.UTF-8", "Lỗi: "),
        ("Vietnamese_Vietnam.1258", "Lỗi: "),
        ("vih_XX", "Error: "),
        ("C", "Error: "),
        ("fr_FR.UTF-8", "Error: "),
    ):
        assert said in run("assess", env=plain | {"LANG": locale}).stderr, locale


def test_errors_of_the_program_itself_arrive_in_vietnamese(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "phusong", "verify", str(tmp_path), "--lang", "vi"],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == f"phusong: {tmp_path}: không có run.json của một lần chạy\n"

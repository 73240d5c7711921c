"""The user's own headings and words: added to ours, never against them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import square_communes

from phusong.cli import main
from phusong.errors import InputFileError
from phusong.io.aliases import read_aliases
from phusong.io.boundaries import read_communes
from phusong.io.headers import match_headers, own_vocabulary
from phusong.io.tables import read_service, read_sites

OWN = """
[communes]
commune_code = ["Mã số đơn vị"]
[sites]
site_id = ["Mã BTS nội bộ"]
bandwidth_mhz = ["Độ rộng"]
[service]
households_passed = ["Hộ đi qua"]
[words.technology]
"5G" = ["thế hệ năm"]
[words.operator]
"Viettel" = ["VTT"]
"Mạng Của Xã" = ["MCX"]
[words.yes_no]
"yes" = ["đồng ý"]
[implied.technology]
"FTTH" = ["Hộ đi qua"]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "headers.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def site_table(folder: Path) -> Path:
    rows = ["Mã BTS nội bộ (chính),Kinh độ,Vĩ độ,Nhà mạng,Công nghệ,Độ rộng"]
    rows += ["T1,105.001,19.891,VTT,Thế hệ năm,100", "T2,105.002,19.892,mcx,4G,20"]
    path = folder / "sites.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_own_headings_and_words_are_understood_beside_ours(tmp_path: Path, own: Path) -> None:
    aliases = read_aliases(own)
    layer = read_sites(site_table(tmp_path), aliases=aliases).layer
    assert layer["site_id"].tolist() == ["T1", "T2"]
    assert layer["operator"].tolist() == ["Viettel", "Mạng Của Xã"]
    assert layer["technology"].tolist() == ["5G", "4G"]
    assert layer["bandwidth_mhz"].tolist() == [100.0, 20.0]
    text = "Mã xã,Nhà mạng,Hộ đi qua,Có tại trung tâm\n00001,VTT,12,Đồng ý\n"
    (tmp_path / "service.csv").write_text(text, encoding="utf-8")
    service = read_service(tmp_path / "service.csv", aliases=aliases).layer
    assert service[["technology", "households_passed", "at_centre"]].to_numpy().tolist() == [
        ["FTTH", 12.0, True]
    ]
    communes = square_communes().rename(columns={"commune_code": "Mã số đơn vị"})
    communes.to_parquet(tmp_path / "communes.parquet")
    read = read_communes(tmp_path / "communes.parquet", aliases=aliases).layer
    assert read["commune_code"].tolist() == ["00001", "00002"]


def test_what_a_user_adds_stays_out_of_what_others_read(tmp_path: Path, own: Path) -> None:
    read_aliases(own)
    assert match_headers(["Mã BTS nội bộ"], "sites") == {}
    assert "Mạng Của Xã" not in own_vocabulary().register["words"]["operator"]
    report = read_sites(site_table(tmp_path)).report
    assert {(p.row, p.field) for p in report.quarantine} == {(2, "technology"), (3, "operator")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[sites]\nlon = ["Vĩ độ"]', "'Vĩ độ' means both lat and lon"),
        (
            '[sites]\nsite_id = ["Mới"]\nsite_name = ["mới"]',
            "'mới' means both site_id and site_name",
        ),
        ('[words.technology]\n"5G" = ["LTE"]', "'LTE' means both 4G and 5G"),
        ('[words.operator]\n"A" = ["X"]\n"B" = ["x"]', "'x' means both A and B"),
        ('[sites]\nheight = ["Cao"]', "height: not known; known are site_id"),
        ('[towers]\nsite_id = ["Mã"]', r"\[towers\] is no section"),
        ('[words.colour]\nred = ["đỏ"]', r"\[words.colour\]: no such column"),
        ('[words.technology]\n"7G" = ["bảy"]', "7G: not known; known are 2G"),
        ('[implied.technology]\n"7G" = ["bảy"]', "7G: not known"),
        ('[implied.operator]\nX = ["bảy"]', r"\[implied.operator\]: no such column"),
        ('[sites]\nsite_id = "Mã"', "expected a list of texts"),
        ('[sites]\nsite_id = ["(m)"]', "expected a list of texts"),
        ('sites = ["Mã"]', "expected a table"),
        ('[words]\noperator = ["Mã"]', "expected a table"),
        ("[sites", "not a TOML file"),
    ],
)
def test_a_register_that_says_two_things_or_nothing_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "headers.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputFileError, match=said) as error:
        read_aliases(path)
    assert str(path) in str(error.value)


def test_all_that_is_wrong_with_a_register_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "headers.toml"
    path.write_text('[sites]\nlon = ["Vĩ độ"]\nheight = ["Cao"]\n[towers]\n', encoding="utf-8")
    with pytest.raises(InputFileError, match="3 problems"):
        read_aliases(path)


def test_the_command_line_takes_a_register_and_a_run_records_it(tmp_path: Path, own: Path) -> None:
    sites, communes = site_table(tmp_path), tmp_path / "communes.parquet"
    square_communes(side_m=4000.0).to_parquet(communes)
    check = ["check", "sites", str(sites)]
    assert CliRunner().invoke(main, [*check, "--strict"]).exit_code == 1
    assert CliRunner().invoke(main, [*check, "--strict", "--aliases", str(own)]).exit_code == 0
    study = tmp_path / "study.toml"
    study.write_text(
        '[study]\nas_of = 2026-01-01\n[files]\ncommunes = "communes.parquet"\n'
        'sites = "sites.csv"\naliases = "headers.toml"\n',
        encoding="utf-8",
    )
    for command in (
        ["run", str(study)],
        ["run", str(study), "--aliases", str(own)],
        ["assess", "--communes", str(communes), "--sites", str(sites), "--aliases", str(own)],
    ):
        done = CliRunner().invoke(main, [*command, "--no-map", "-o", str(tmp_path / "out")])
        assert done.exit_code == 0, done.output
        inputs = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))["inputs"]
        assert "aliases" in json.dumps(inputs)
        assert "headers.toml" in json.dumps(inputs)

"""The register of predictions: what comes with phusong, and registers that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from phusong.errors import InputFileError
from phusong.io.embedded import embedded_path
from phusong.io.radio_rules import read_radio_rules

TEXT = embedded_path("radio").read_text(encoding="utf-8")


def test_register_that_comes_with_phusong_has_a_source_for_every_threshold() -> None:
    rules = read_radio_rules(embedded_path("radio"))
    assert all(len(one.source) > 10 for one in rules.thresholds)
    assert {s.split(": ")[0] for s in rules.sources} >= {"model_sigma", "correlation", "load"}
    five = rules.threshold_of("5G SA")
    assert (five.threshold_dbm, five.strict_dbm, five.strict_by_db) == (-110.0, -100.0, 10.0)
    assert rules.threshold_of("4G").strict_by_db == 0.0


def test_assumption_is_that_of_the_lowest_band_that_a_frequency_fits() -> None:
    rules = read_radio_rules(embedded_path("radio"))
    found = [rules.assumption_for("5G", f).eirp_dbm for f in (700.0, 1000.0, 2600.0, 3500.0)]
    assert found == [62.0, 62.0, 73.0, 75.0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("load = 0.5 ", "load = 2.0 ", "load: found 2"),
        ("model_sigma_db = 8.0", "model_sigma_db = nan", "model_sigma_db: found nan"),
        ("interval = 0.9 ", "interval = 1.0 ", "interval: found 1"),
        ("threshold_dbm = -81.0", "threshold_dbm = 81.0", "threshold_dbm: found 81"),
        ("strict_dbm = -100.0", "strict_dbm = -120.0", "strict_dbm: found -120"),
        ("correlation_m = 1000.0", "", "correlation_m"),
        ("noise_figure_db = 7.0", "noise_figure_db = 7.0\nnoise_db = 1.0", "noise_db"),
        ("[settings]", "[settings", "not a register"),
    ],
)
def test_register_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in TEXT
    path = tmp_path / "radio.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputFileError, match=said):
        read_radio_rules(path)


OFFSET = """
[[offset]]
technologies = ["4G", "5G"]
min_mhz = 600
max_mhz = 1000
offset_db = 3.5
source = "drive tests"
"""


def test_offset_of_a_band_is_read_and_found(tmp_path: Path) -> None:
    path = tmp_path / "radio.toml"
    path.write_text(TEXT + OFFSET, encoding="utf-8")
    rules = read_radio_rules(path)
    found = rules.offset_for("5G", 700.0)
    assert found is not None
    assert found.offset_db == 3.5
    assert [rules.offset_for(*band) for band in (("5G", 1800.0), ("3G", 700.0))] == [None, None]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (OFFSET + OFFSET.replace("600", "900"), "has two at 900 MHz"),
        (OFFSET.replace("3.5", "99"), "offset_db: found 99"),
        (OFFSET.replace("600", "2000"), "min_mhz: found 2000"),
        (OFFSET.replace("source", "sauce"), "sauce"),
    ],
)
def test_offset_that_cannot_be_is_refused(tmp_path: Path, more: str, said: str) -> None:
    path = tmp_path / "radio.toml"
    path.write_text(TEXT + more, encoding="utf-8")
    with pytest.raises(InputFileError, match=said):
        read_radio_rules(path)

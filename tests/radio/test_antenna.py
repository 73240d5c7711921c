"""Antennas: the panel of 38.901, tilts, and pattern files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.errors import InputFileError
from phusong.io.patterns import read_pattern
from phusong.radio.antenna import Panel, Pattern, panel_gain_db, pattern_gain_db, wrap_deg
from phusong.radio.limits import ModelRangeError
from phusong.radio.patterns import parse_pattern

DEGREES = np.arange(360.0)
HORIZONTAL = np.minimum(12.0 * (wrap_deg(DEGREES) / 65.0) ** 2, 25.0).round(1)
VERTICAL = np.minimum(12.0 * (wrap_deg(DEGREES - 4.0) / 8.0) ** 2, 25.0).round(1)
PATTERN = Pattern(name="", gain_dbi=17.0, frequency_mhz=None, horizontal_db=HORIZONTAL,
                  vertical_db=VERTICAL)  # fmt: skip


def text_of(gain: str = "15.35 dBd", *, horizontal: np.ndarray = HORIZONTAL) -> str:
    cuts = []
    for word, cut in (("HORIZONTAL", horizontal), ("VERTICAL", VERTICAL)):
        cuts += [f"{word} 360", *(f"{i}\t{loss}" for i, loss in enumerate(cut))]
    return "\n".join(["NAME panel 1", "MAKE x", "FREQUENCY 1800", f"GAIN {gain}", *cuts])


def test_half_a_beamwidth_off_is_three_decibels_down() -> None:
    panel = Panel(horizontal_beamwidth_deg=65.0, vertical_beamwidth_deg=10.0)
    azimuths = np.array([0.0, 32.5, 327.5, 180.0])
    gains = panel_gain_db(azimuths, 0.0, boresight_deg=0.0, panel=panel)
    assert gains == pytest.approx([0.0, -3.0, -3.0, -30.0])
    assert panel_gain_db(0.0, -5.0, boresight_deg=0.0, panel=panel) == pytest.approx(-3.0)


def test_offset_wraps_across_north() -> None:
    gains = panel_gain_db(np.array([340.0, 10.0]), 0.0, boresight_deg=355.0, panel=Panel())
    assert gains[0] == pytest.approx(gains[1])
    assert gains[0] == pytest.approx(-12.0 * (15.0 / 65.0) ** 2)


def test_mechanical_tilt_is_electrical_in_front_and_upside_down_behind() -> None:
    elevations = np.linspace(-30.0, 30.0, 61)
    electrical, mechanical = Panel(electrical_tilt_deg=6.0), Panel(mechanical_tilt_deg=6.0)
    fronts = [panel_gain_db(40.0, elevations, boresight_deg=40.0, panel=panel)
              for panel in (electrical, mechanical)]  # fmt: skip
    assert fronts[0] == pytest.approx(fronts[1], abs=1e-9)
    wide = Panel(mechanical_tilt_deg=6.0, horizontal_beamwidth_deg=360.0)
    behind = panel_gain_db(220.0, elevations, boresight_deg=40.0, panel=wide)
    assert elevations[behind.argmax()] == 6.0
    aside = panel_gain_db(130.0, elevations, boresight_deg=40.0, panel=wide)
    assert elevations[aside.argmax()] == 0.0


def test_panel_that_hardly_leans_is_one_that_does_not() -> None:
    azimuths, elevations = np.meshgrid(np.arange(0.0, 360.0, 17.0), np.arange(-60.0, 61.0, 7.0))
    upright, leaning = (
        panel_gain_db(azimuths, elevations, boresight_deg=350.0,
                      panel=Panel(electrical_tilt_deg=3.0, mechanical_tilt_deg=tilt))
        for tilt in (0.0, 1e-9)
    )  # fmt: skip
    assert upright == pytest.approx(leaning, abs=1e-6)


@given(st.floats(0, 360), st.floats(-90, 90), st.floats(0, 360), st.floats(-20, 20),
       st.floats(-20, 20))  # fmt: skip
def test_gain_is_never_above_its_maximum(
    azimuth: float, elevation: float, boresight: float, electrical: float, mechanical: float
) -> None:
    panel = Panel(electrical_tilt_deg=electrical, mechanical_tilt_deg=mechanical)
    gain = panel_gain_db(azimuth, elevation, boresight_deg=boresight, panel=panel)
    assert -30.0 <= gain <= 0.0
    gain = pattern_gain_db(azimuth, elevation, boresight_deg=boresight, pattern=PATTERN,
                           mechanical_tilt_deg=mechanical)  # fmt: skip
    assert gain <= 0.0


def test_measured_pattern_is_exact_on_its_vertical_cut() -> None:
    front = pattern_gain_db(90.0, np.array([-4.0, -8.0, 0.0]), boresight_deg=90.0, pattern=PATTERN)
    assert front == pytest.approx(-VERTICAL[[4, 8, 0]])
    behind = pattern_gain_db(270.0, np.array([-4.0]), boresight_deg=90.0, pattern=PATTERN)
    assert behind == pytest.approx(-VERTICAL[[176]])


def test_panel_of_impossible_beams_is_refused() -> None:
    with pytest.raises(ModelRangeError, match="vertical_beamwidth_deg: found 0"):
        Panel(vertical_beamwidth_deg=0.0)
    with pytest.raises(ModelRangeError, match="electrical_tilt_deg: found 91"):
        Panel(electrical_tilt_deg=91.0)


def test_pattern_file_is_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "panel.MSI"
    path.write_bytes("COMMENT Ăng-ten 4°\r\n".encode() + text_of().replace("\n", "\r\n").encode())
    pattern = read_pattern(path)
    assert (pattern.name, pattern.frequency_mhz) == ("panel 1", 1800.0)
    assert pattern.gain_dbi == pytest.approx(17.5)
    assert (pattern.horizontal_db == HORIZONTAL).all()
    assert (pattern.vertical_db == VERTICAL).all()


@pytest.mark.parametrize(
    ("gain", "dbi"), [("17", 19.15), ("17 dBi", 17.0), ("17,5 dBi", 17.5), ("17.0dBd", 19.15)]
)
def test_gain_is_in_dbd_unless_it_says_otherwise(gain: str, dbi: float) -> None:
    assert parse_pattern(text_of(gain)).gain_dbi == pytest.approx(dbi)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no GAIN, no HORIZONTAL, no VERTICAL"),
        (text_of().replace("GAIN", "GANG"), "no GAIN"),
        (text_of("17 furlongs"), "expected a number in dBd or dBi"),
        (text_of("dBi"), "expected a number"),
        (text_of().replace("HORIZONTAL 360", "HORIZONTAL 180"), "line 5: found 180 angles"),
        (text_of() + "\nVERTICAL 360", "VERTICAL is there twice"),
        (text_of()[:-20], "expected an angle and an attenuation|angle"),
        (text_of().replace("\n7\t", "\n6\t", 1), "line 13: angle 6"),
        (text_of().replace("\n7\t", "\n7.5\t", 1), "line 13: angle 7.5"),
        (text_of(horizontal=-HORIZONTAL - 1.0), "line 6: found -1 dB"),
        (text_of().replace("\n9\t", "\nnine\t", 1), "line 15: found 'nine"),
    ],
)
def test_broken_pattern_is_refused_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=said):
        parse_pattern(text)
    path = tmp_path / "broken.msi"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputFileError, match=r"broken\.msi: "):
        read_pattern(path)

"""Studies, registers, weights and costs that cannot be used: refused in words that say why."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from phusong.errors import InputFileError, SchemaError
from phusong.io.embedded import embedded_path
from phusong.io.registers import read_crosswalk, read_register, read_weights
from phusong.io.settings import Study, read_study
from phusong.siting.costs import check_costs, price

STUDY = '[study]\nas_of = 2026-06-30\n[files]\ncommunes = "c.gpkg"\nsites = ["s.csv"]\n'
COSTS = pd.DataFrame({"kind": ["new"], "build_vnd": 0.0, "yearly_vnd": 0.0, "backhaul_vnd_km": 5.0,
                      "power_vnd": 7.0, "spread": 0.2, "source": "assumption"})  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sites": ()}, "sites: found none, expected at least one file"),
        ({"lang": "fr"}, "lang: found 'fr', expected one of vi, en"),
        ({"paper": "A5"}, "paper: found 'A5', expected A4 or A3"),
        ({"terrain_kind": "roof"}, "terrain_kind: found 'roof', expected ground or surface"),
        ({"clutter_kind": "x"}, "clutter_kind: found 'x', expected heights or classes"),
        ({"radio": Path("r.toml")}, "radio: without a terrain nothing is modelled"),
        ({"clutter": Path("c.tif")}, "clutter: without a terrain nothing is modelled"),
        ({"cell_m": 0.0}, "cell_m: found 0.0, expected a positive number"),
        ({"cell_m": float("nan")}, "cell_m: found nan, expected a positive number"),
        ({"population": "odd"}, "population: found 'odd', expected a path or \"even\""),
    ],
    ids=lambda value: str(value)[:30],
)
def test_study_that_cannot_be_is_refused(given: dict[str, object], said: str) -> None:
    usual = {"communes": Path("c.gpkg"), "sites": (Path("s.csv"),), "as_of": date(2026, 6, 30)}
    with pytest.raises(InputFileError, match="study: ") as caught:
        Study(**{**usual, **given})  # type: ignore[arg-type]
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[study\n", "not a TOML file"),
        ("[stydy]\n", "unknown sections ['stydy']"),
        (STUDY + "[options]\ncel_m = 3\n", "unknown keys cel_m"),
        (STUDY.replace("sites", "# sites"), "missing keys sites"),
        (STUDY.replace("2026-06-30", '"June"'), "as_of: found 'June' of the wrong type"),
        (STUDY + '[options]\nservice_is_complete = "no"\n', "of the wrong type"),
        (STUDY.replace("as_of", "synthetic = 1\nas_of"), "synthetic: found 1 of the wrong type"),
    ],
    ids=lambda value: value[:40],
)
def test_study_file_that_cannot_be_read_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputFileError) as caught:
        read_study(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


def test_study_says_that_its_network_is_synthetic_and_its_boundaries_schematic(
    tmp_path: Path,
) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    assert (read_study(path).is_synthetic, read_study(path).is_schematic) == (False, False)
    path.write_text(STUDY.replace("as_of", "synthetic = true\nschematic = true\nas_of"), "utf-8")
    assert (read_study(path).is_synthetic, read_study(path).is_schematic) == (True, True)
    path.write_text(STUDY.replace("c.gpkg", "schematic"), encoding="utf-8")
    assert (read_study(path).is_synthetic, read_study(path).is_schematic) == (False, True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[[target]]", "[[target", "not a target register"),
        ("floor_mbps", "flor_mbps", "KeyError('floor_mbps')"),
        ("[[target.reading]]", "[[target.other]]", "'reading'"),
    ],
)
def test_register_of_targets_that_cannot_be_read_is_refused(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "targets.toml"
    text = embedded_path("targets").read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputFileError, match="not a target register") as caught:
        read_register(path)
    assert said in str(caught.value)


def test_weights_and_crosswalks_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.csv"
    path.write_text("commune_code_old,commune_code\n1,2\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="lacks the columns weight"):
        read_weights(path)
    path.write_text("commune_code_old,commune_code,weight\n1,2,0.5\n1,3,-1\n1,4,x\n", "utf-8")
    with pytest.raises(InputFileError, match="weight: rows 3, 4 are not numbers of 0 or more"):
        read_weights(path)
    path.write_text("commune_code_old,commune_code,weight\n01,02,0.5\n", encoding="utf-8")
    assert read_weights(path).to_dict("list") == {
        "commune_code_old": ["01"], "commune_code": ["02"], "weight": [0.5],
    }  # fmt: skip
    with pytest.raises(InputFileError, match="lacks the columns"):
        read_crosswalk(path)


def test_costs_that_price_nothing_are_refused() -> None:
    candidates = pd.DataFrame({"kind": ["new"], "backhaul_km": [0.0], "has_power": [True]})
    with pytest.raises(SchemaError, match="expected a cost above 0"):
        price(candidates, check_costs(COSTS), years=5)
    with pytest.raises(SchemaError, match="the costs of 'upgrade'"):
        price(candidates.assign(kind="upgrade"), check_costs(COSTS), years=5)

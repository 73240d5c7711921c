"""`phusong path` as other programs call it, and the figure of a profile."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import SHARED

from phusong.cli import main
from phusong.errors import InputFileError
from phusong.io.profiles import read_profiles
from phusong.publish.profile import draw_profiles, plot_profile
from phusong.radio.itm import ItmLink, itm_loss
from phusong.radio.limits import ModelRangeError
from phusong.radio.paths import MODELS, find_edge, path_terms
from phusong.radio.tr38901 import rma_loss_db

VECTORS = SHARED / "data" / "radio" / "p1812_short_vectors.json"
KEYS = ["lb_db", "ld50_db", "lbulla_db", "lbulls_db", "ldsph_db"]


def profile(**changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "f_ghz": 0.9, "pol": "vertical", "p": 50, "pl": 50, "dn": 45.0, "n0": 330.0, "htg": 30.0,
        "hrg": 1.5, "step_km": 0.1, "h": [5.0] * 20 + [60.0] + [5.0] * 20, "clutter": [0.0] * 41,
    }  # fmt: skip
    return {key: value for key, value in (plain | changes).items() if value is not None}


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "profiles.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> object:
    return CliRunner().invoke(main, ["path", *(str(a) for a in arguments)])


@pytest.mark.realdata
def test_json_has_the_terms_of_every_vector_in_their_order() -> None:
    done = run(VECTORS, "--json")
    assert done.exit_code == 0
    assert done.stderr == ""
    losses = json.loads(done.stdout)
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    assert len(losses) == len(vectors)
    for loss, vector in zip(losses, vectors, strict=True):
        assert list(loss) == KEYS
        expected = [vector[key.removesuffix("_db")] for key in KEYS]
        assert list(loss.values()) == pytest.approx(expected, abs=0.01)


def test_one_object_is_a_list_of_one(tmp_path: Path) -> None:
    done = run(written(tmp_path, profile()), "--json")
    assert done.exit_code == 0
    (loss,) = json.loads(done.stdout)
    (again,) = json.loads(run(written(tmp_path, [profile()]), "--json").stdout)
    assert loss == again
    assert loss["lb_db"] > loss["ld50_db"] > 20.0


def test_distances_may_be_given_one_by_one(tmp_path: Path) -> None:
    d_km = [round(0.1 * i, 1) for i in range(41)]
    both = [profile(), profile(step_km=None, d_km=d_km)]
    first, second = json.loads(run(written(tmp_path, both), "--json").stdout)
    assert first == pytest.approx(second)


def test_table_has_a_line_a_profile_and_dashes_for_unknown_terms(tmp_path: Path) -> None:
    path = written(tmp_path, [profile(), profile(f_ghz=3.5)])
    head, *rows = run(path).stdout.splitlines()
    assert head.split() == ["profile", "lb", "ld50", "lbulla", "lbulls", "ldsph", "(dB)"]
    assert [row.split()[0] for row in rows] == ["1", "2"]
    assert run(path, "--model", "itm").stdout.splitlines()[1].split()[2:] == ["-"] * 4


def test_models_of_the_verb_are_those_of_the_library(tmp_path: Path) -> None:
    help_ = CliRunner().invoke(main, ["path", "--help"]).output
    for name in MODELS:
        assert name in help_, "the help names every model"
        assert run(written(tmp_path, profile()), "--model", name).exit_code == 0
    asked = {"_PHUSONG_COMPLETE": "bash_complete", "COMP_WORDS": "phusong path --model ",
             "COMP_CWORD": "3"}  # fmt: skip
    told = CliRunner().invoke(main, [], prog_name="phusong", env=asked).output
    assert [line.split(",")[1] for line in told.split()] == list(MODELS)


def test_a_model_that_nobody_knows_is_wrong_use(tmp_path: Path) -> None:
    wrong = run(written(tmp_path, profile()), "--model", "hata")
    assert wrong.exit_code == 2
    assert "'hata' is not one of 'p1812', 'itm', 'rma', 'uma'." in wrong.stderr


def test_other_models_get_what_the_profile_says(tmp_path: Path) -> None:
    (path,) = read_profiles(written(tmp_path, profile())).paths
    link = ItmLink(f_mhz=900.0, h_tx_m=30.0, h_rx_m=1.5, mode=3)
    assert path_terms(path, model="itm").lb_db == itm_loss(path.h_m, 100.0, link=link).lb_db
    assert not find_edge(path).is_los
    hidden, seen = (
        rma_loss_db(np.array(4000.0), frequency_ghz=0.9, base_height_m=30.0, is_los=is_los)
        for is_los in (False, True)
    )
    assert path_terms(path, model="rma").lb_db == float(hidden)
    (clear,) = read_profiles(written(tmp_path, profile(h=[5.0] * 41))).paths
    assert path_terms(clear, model="rma").lb_db == float(seen)
    with pytest.raises(ModelRangeError, match="expected one of p1812, itm, rma, uma"):
        path_terms(path, model="hata")


def test_itm_json_has_null_for_terms_it_does_not_know(tmp_path: Path) -> None:
    (loss,) = json.loads(run(written(tmp_path, profile()), "--json", "--model", "itm").stdout)
    assert loss["lb_db"] > 100.0
    assert [loss[key] for key in KEYS[1:]] == [None] * 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "empty list"),
        ([3], "profile 1: found int, expected an object"),
        ([profile(), profile(h=None)], "profile 2: missing keys h"),
        (profile(htg="30 m"), "profile 1: htg: found '30 m', expected a number"),
        (profile(p=True), "p: found True"),
        (profile(h=5), "h: found int, expected a list"),
        (profile(h=[1.0, None, 3.0]), "h: found None at position 2"),
        (profile(step_km=None), "found neither, expected step_km or d_km"),
        (profile(d_km=[0.0, 1.0]), "found step_km and d_km"),
        (profile(pol="circular"), "pol: found 'circular'"),
        (profile(clutter=[1.0]), "41 heights and 1 clutter"),
        (profile(step_km=-1.0), "do not rise"),
        (profile(f_ghz=7.0), "f_ghz: found 7, expected 0.03 to 6"),
        (profile(h=[5.0] * 40 + [float("nan")]), "h_m: found nan"),
        (profile(zone=[4] * 3), "zone: expected 41 codes"),
    ],
)
def test_bad_profile_is_exit_2_and_says_which(content: object, said: str, tmp_path: Path) -> None:
    done = run(written(tmp_path, content), "--json")
    assert done.exit_code == 2
    assert said in done.stderr
    assert "profiles.json" in done.stderr
    assert done.stdout == ""


def test_what_is_not_json_is_exit_2(tmp_path: Path) -> None:
    path = tmp_path / "profiles.json"
    path.write_text('{"f_ghz": 0.9,', encoding="utf-8")
    assert "not JSON" in run(path).stderr
    path.write_text("[" * 200_000, encoding="utf-8")
    assert run(path).exit_code == 2
    assert run(tmp_path / "none.json").exit_code == 2


def test_uneven_steps_are_refused_by_itm_alone(tmp_path: Path) -> None:
    d_km = [0.0, 0.5, *np.linspace(1.0, 4.0, 39).round(3).tolist()]
    path = written(tmp_path, profile(step_km=None, d_km=d_km))
    assert run(path).exit_code == 0
    done = run(path, "--model", "itm")
    assert done.exit_code == 2
    assert "uneven steps" in done.stderr


def test_unknown_key_is_told_and_an_answer_of_the_vectors_is_not(tmp_path: Path) -> None:
    done = run(written(tmp_path, profile(lb=150.0, zones=[4])), "--lang", "en")
    assert done.exit_code == 0
    assert "keys without a meaning: zones" in done.stderr


def test_sea_and_place_are_read(tmp_path: Path) -> None:
    at_sea = profile(zone=[1] * 41, latitude_deg=10.0, p=1, dct_km=0.0, dcr_km=0.0, sigma_db=4.0)
    (path,) = read_profiles(written(tmp_path, at_sea)).paths
    assert path.zones.parameters(path.d_km)[0] == 1.0
    assert path.zones.latitude_deg == 10.0
    assert path.link.sigma_db == 4.0


def test_figure_is_written_and_shows_each_profile(tmp_path: Path) -> None:
    done = run(written(tmp_path, [profile(), profile()]), "--figure", tmp_path / "paths.png")
    assert done.exit_code == 0
    assert (tmp_path / "paths.png").read_bytes().startswith(b"\x89PNG")
    assert run(tmp_path / "profiles.json", "--figure", tmp_path / "paths.doc").exit_code == 2
    done = run(written(tmp_path, [profile()] * 13), "--figure", tmp_path / "many.png")
    assert done.exit_code == 2
    assert "at most 12" in done.stderr
    assert not (tmp_path / "many.png").exists()


def test_panel_shows_the_edge_where_the_horizons_meet(tmp_path: Path) -> None:
    (path,) = read_profiles(
        written(tmp_path, profile(clutter=[0.0] * 22 + [9.0] * 3 + [0.0] * 16))
    ).paths
    ax = plot_profile(path, path_terms(path), model="p1812", lang="en")
    drawn = {artist.get_label(): artist for artist in (*ax.lines, *ax.collections)}
    (bent,) = (line for label, line in drawn.items() if str(label).startswith("Bullington"))
    at_km, height_m = bent.get_data()[0][1], bent.get_data()[1][1]
    edge = find_edge(path)
    assert (at_km, height_m) == (edge.at_km, edge.height_m)
    assert at_km == pytest.approx(2.0, abs=0.01)
    assert {"ground", "what stands on it", "direct ray"} <= set(drawn)
    assert "no line of sight" in ax.get_title()


def test_page_has_a_panel_for_each_profile(tmp_path: Path) -> None:
    paths = read_profiles(written(tmp_path, [profile()] * 4)).paths
    figure = draw_profiles(paths, [path_terms(path) for path in paths], model="p1812")
    assert sum(bool(ax.get_title()) for ax in figure.axes) == 4
    with pytest.raises(InputFileError, match="at most 12"):
        draw_profiles(paths * 4, [path_terms(paths[0])] * 16, model="p1812")

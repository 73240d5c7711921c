"""GeoPackages open in QGIS as our maps look, and stay plain GeoPackages for everyone else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import pytest
from conftest import square_communes

from phusong.io.boundaries import read_communes
from phusong.io.write import write_gpkg
from phusong.publish.palette import BREAKS, CLASSES
from phusong.publish.qgis_style import alias_of, style_layer
from phusong.runs import demo_study, run_study


def read_style(path: Path) -> tuple[str, str, str]:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = db.execute(
            "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles"
        ).fetchall()
    ((table, geometry, qml, is_default),) = rows
    assert is_default == 1
    return table, geometry, qml


def test_style_of_a_run_has_the_classes_of_the_maps_and_a_name_for_every_field(
    tmp_path: Path,
) -> None:
    run_study(demo_study(), tmp_path / "run", with_map=False)
    for name in ("communes", "gaps"):
        path = tmp_path / "run" / f"{name}.gpkg"
        table, geometry, qml = read_style(path)
        layer = gpd.read_file(path, layer=name)
        assert (table, geometry) == (name, "geom")
        root = ElementTree.fromstring(qml)  # noqa: S314  # our own text
        rules = [rule.get("filter") for rule in root.iter("rule")]
        assert len(rules) == len(CLASSES) + 1
        assert all(any(f"< {edge:g}" in str(rule) for rule in rules) for edge in BREAKS)
        aliases = {a.get("field"): a.get("name") for a in root.iter("alias")}
        assert set(aliases) == set(layer.columns) - {"geometry"}
        assert aliases["commune_name"] == "Tên xã"
        assert [field for field, alias in aliases.items() if field == alias] == []


def test_every_share_falls_into_one_class() -> None:
    root = ElementTree.fromstring(style_layer(["s"], shown="s"))  # noqa: S314
    tests = [str(rule.get("filter")).replace('"s"', "s") for rule in root.iter("rule")][1:]
    for share in (0.0, 0.2, *BREAKS, 0.3999, 0.9899, 1.0):
        hits = [eval(test.replace("AND", "and"), {"s": share}) for test in tests]  # noqa: S307
        assert sum(hits) == 1, share


def test_names_that_try_to_be_markup_stay_names(tmp_path: Path) -> None:
    hostile = 'share_"/><script>'
    layer = square_communes().assign(**{hostile: 0.5})
    fields = [name for name in layer.columns if name != "geometry"]
    write_gpkg(layer, tmp_path / "a.gpkg", name="communes",
               style_qml=style_layer(fields, shown="share"))  # fmt: skip
    _, _, qml = read_style(tmp_path / "a.gpkg")
    names = {a.get("field") for a in ElementTree.fromstring(qml).iter("alias")}  # noqa: S314
    assert hostile in names


def test_styled_layer_is_the_same_bytes_each_time_and_is_read_as_communes(tmp_path: Path) -> None:
    style = style_layer(["commune_code"], shown="share_population_5g")
    for name in ("a", "b"):
        write_gpkg(square_communes(), tmp_path / f"{name}.gpkg", name="communes", style_qml=style)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    assert len(read_communes(tmp_path / "a.gpkg").layer) == len(square_communes())


@pytest.mark.parametrize(
    ("field", "alias"),
    [
        ("share_area_5g", "Diện tích phủ 5G"),
        ("share_population_mbb_two_or_more_high", "Dân số phủ MBB, từ hai nhà mạng (cao)"),
        ("share_low_cost", "Giá thấp"),
    ],
)
def test_field_has_a_vietnamese_name(field: str, alias: str) -> None:
    assert alias_of(field) == alias

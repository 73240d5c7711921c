"""Commune layers as people make them: accepted, mended with a record, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from conftest import square_communes
from shapely import affinity

from phusong.errors import CrsError, SchemaError
from phusong.io.boundaries import read_communes
from phusong.io.embedded import embedded_path
from phusong.io.official import official_communes

HAM_RONG, HAC_THANH = 0, 1
with np.errstate(invalid="ignore"):
    BROKEN = shapely.Polygon([(105.7, 19.8), (float("nan"), 19.9), (105.8, 19.9)])


@pytest.fixture(scope="module")
def schematic() -> gpd.GeoDataFrame:
    """The 166 communes as simple polygons, with what a layer must have."""
    layer = gpd.read_parquet(embedded_path("communes"))
    return layer[["commune_code", "commune_name", "geometry"]]


def with_shape(
    layer: gpd.GeoDataFrame, row: int, change: Callable[[shapely.Geometry], shapely.Geometry | None]
) -> gpd.GeoDataFrame:
    shapes = layer.geometry.to_numpy().copy()
    shapes[row] = change(shapes[row])
    return layer.set_geometry(gpd.GeoSeries(shapes, index=layer.index, crs=layer.crs))


def save(layer: gpd.GeoDataFrame, folder: Path) -> Path:
    path = folder / "communes.parquet"
    layer.to_parquet(path)
    return path


def refusal(layer: gpd.GeoDataFrame, folder: Path) -> str:
    with pytest.raises((SchemaError, CrsError)) as error:
        read_communes(save(layer, folder))
    assert "communes.parquet" in str(error.value)
    return str(error.value)


def test_the_embedded_communes_are_accepted_as_they_are() -> None:
    layer, report = read_communes(embedded_path("communes"))
    assert len(layer) == report.rows_in == report.rows_used == 166
    assert report.repairs == ()
    assert layer.crs == "EPSG:4326"
    assert [n for n in report.notes if "columns that are not used" not in n] == []


def test_height_orientation_and_order_change_nothing(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    turned = shapely.force_3d(shapely.reverse(schematic.geometry.to_numpy()), z=12.0)
    other = schematic.set_geometry(gpd.GeoSeries(turned, crs=4326)).iloc[::-1]
    layer, report = read_communes(save(other, tmp_path))
    assert report.repairs == ()
    assert layer.area_km2.isna().all()
    again = layer.sort_values("commune_code").geometry.to_numpy()
    wanted = schematic.sort_values("commune_code").geometry.to_numpy()
    assert shapely.equals(again, wanted).all()


def test_a_bowtie_is_refused_with_the_area_before_and_after(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    def cross(shape: shapely.Geometry) -> shapely.Geometry:
        west, south, east, north = shape.bounds
        return shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])

    message = refusal(with_shape(schematic, HAM_RONG, cross), tmp_path)
    assert "row 1, geometry: found Self-intersection" in message
    assert "14758 Phường Hàm Rồng: area" in message
    assert "before" in message


def test_a_polygon_that_only_touches_itself_is_mended_with_a_record(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    def spike(shape: shapely.Geometry) -> shapely.Geometry:
        ring = list(shape.exterior.coords)
        out = (ring[0][0] + 0.001, ring[0][1] + 0.001)
        return shapely.Polygon([ring[0], out, *ring])

    _, report = read_communes(save(with_shape(schematic, HAM_RONG, spike), tmp_path))
    assert [entry.row for entry in report.repairs] == [1]
    assert "14758" in report.repairs[0].message
    assert "before" in report.repairs[0].message


def test_only_the_polygons_of_a_collection_are_used(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    def collect(shape: shapely.Geometry) -> shapely.Geometry:
        return shapely.GeometryCollection([shapely.Point(105, 20), shape])

    layer, report = read_communes(save(with_shape(schematic, HAM_RONG, collect), tmp_path))
    assert layer.geometry.iloc[HAM_RONG].equals(schematic.geometry.iloc[HAM_RONG])
    assert "14758" in report.repairs[0].message


@pytest.mark.parametrize(
    "shape",
    [None, shapely.MultiPolygon(), shapely.Point(105.77, 19.85),
     BROKEN],
)  # fmt: skip
def test_a_commune_without_a_polygon_refuses_the_file(
    tmp_path: Path, schematic: gpd.GeoDataFrame, shape: shapely.Geometry | None
) -> None:
    message = refusal(with_shape(schematic, HAM_RONG, lambda _: shape), tmp_path)
    assert message.count("\n") == 1
    assert "14758 Phường Hàm Rồng" in message


@pytest.mark.parametrize(
    ("move", "word"),
    [
        (lambda s: affinity.translate(s, 0, 2.5), "278"),
        (lambda s: affinity.translate(s, 0.12, 0), "km from the official centre"),
        (lambda s: shapely.transform(s, lambda xy: xy[:, ::-1]), "swapped"),
        (lambda s: shapely.transform(s, lambda xy: xy * 1e5), "another CRS"),
        (lambda s: shapely.union(s, shapely.box(106.1, 19.9, 106.101, 19.901)), "reaches"),
        (lambda s: shapely.box(-179.5, 19.8, 179.5, 19.9), "around the world"),
    ],
)
def test_a_commune_that_lies_elsewhere_refuses_the_file(
    tmp_path: Path,
    schematic: gpd.GeoDataFrame,
    move: Callable[[shapely.Geometry], shapely.Geometry],
    word: str,
) -> None:
    message = refusal(with_shape(schematic, HAM_RONG, move), tmp_path)
    assert "row 1, geometry" in message
    assert "14758" in message
    assert word in message


def test_codes_that_repeat_refuse_the_file(tmp_path: Path, schematic: gpd.GeoDataFrame) -> None:
    codes = schematic["commune_code"].mask(schematic.index == HAC_THANH, "14758")
    message = refusal(schematic.assign(commune_code=codes), tmp_path)
    assert "row 1, commune_code + vintage: found 14758 2025" in message
    assert "duplicate, trùng" in message
    assert "14797 Phường Hạc Thành is missing" in message


def test_a_few_missing_communes_refuse_the_file_and_are_named(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    message = refusal(schematic.drop(index=[HAM_RONG, 40]), tmp_path)
    assert "14758 Phường Hàm Rồng is missing" in message
    assert "63,166 people" in message
    assert message.count("is missing") == 2


def test_a_part_of_the_province_is_accepted_and_says_so(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    _, report = read_communes(save(schematic.iloc[:5], tmp_path))
    note = next(n for n in report.notes if "a part of the province" in n)
    assert "5 of its 166 communes" in note
    assert schematic["commune_code"].iloc[5] in note


def test_a_mistyped_code_is_named_with_the_commune_that_is_missing(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    codes = schematic["commune_code"].mask(schematic.index == HAM_RONG, "41758")
    message = refusal(schematic.assign(commune_code=codes), tmp_path)
    assert "14758 Phường Hàm Rồng is missing" in message
    assert "not on the list: 41758" in message


def test_code_and_name_of_two_communes_refuse_the_file(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    names = schematic["commune_name"].mask(schematic.index == HAM_RONG, "P. Hạc Thành")
    message = refusal(schematic.assign(commune_name=names), tmp_path)
    assert "code and name disagree: P. Hạc Thành is 14797" in message


def test_other_spellings_are_no_difference_and_other_names_are_noted(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    names = schematic["commune_name"].str.upper().str.normalize("NFD")
    names = names.str.replace("PHƯỜNG".encode().decode(), "P.", regex=False)
    _, report = read_communes(save(schematic.assign(commune_name=names), tmp_path))
    assert not any("names" in note for note in report.notes)
    names = schematic["commune_name"].mask(schematic.index == HAM_RONG, "Phường Mới")
    _, report = read_communes(save(schematic.assign(commune_name=names), tmp_path))
    assert any("14758 Phường Mới (official: Phường Hàm Rồng)" in note for note in report.notes)


def test_areas_are_held_against_the_official_ones(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    def shrink(shape: shapely.Geometry) -> shapely.Geometry:
        return affinity.scale(shape, 0.9, 0.9)

    _, report = read_communes(save(with_shape(schematic, HAM_RONG, shrink), tmp_path))
    note = next(n for n in report.notes if n.startswith("areas: 1 of 166"))
    # 0.9 × 0.9 of the official 20.88 km² is 16.91.
    assert "14758 Phường Hàm Rồng 16.91 km², official 20.88 (-19.0%)" in note
    tiny = with_shape(schematic, HAM_RONG, lambda s: affinity.scale(s, 0.5, 0.5))
    assert "expected about the official 20.88 km²" in refusal(tiny, tmp_path)


def test_overlaps_between_official_communes_refuse_the_file_beyond_one_percent(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    wide = with_shape(schematic, HAM_RONG, lambda s: affinity.scale(s, 1.2, 1.2))
    message = refusal(wide, tmp_path)
    assert "14758 Phường Hàm Rồng overlaps" in message
    assert "overlap (chồng lấn): counted twice" in message
    narrow = with_shape(schematic, HAM_RONG, lambda s: affinity.scale(s, 1.001, 1.001))
    _, report = read_communes(save(narrow, tmp_path))
    assert any("slivers below the tolerance of 0.01 km²" in note for note in report.notes)


def test_overlaps_and_gaps_are_measured(tmp_path: Path) -> None:
    # Nine squares of 4 km²; the middle one is drawn with 1.9 km sides, and one overlaps by 4 ha.
    layer = square_communes(3, 3)
    layer = with_shape(layer, 4, lambda s: affinity.scale(s, 0.95, 0.95))
    layer = with_shape(layer, 0, lambda s: shapely.box(500_000, 2_200_000, 502_020, 2_202_000))
    _, report = read_communes(save(layer, tmp_path))
    overlap = next(n for n in report.notes if n.startswith("overlaps"))
    assert "1 pairs of communes, 0.04" in overlap
    assert "00001 Xã 1 and 00002 Xã 2 0.040 km²" in overlap
    gap = next(n for n in report.notes if n.startswith("gaps"))
    assert "0.390 km² at 00001 Xã 1, 00002 Xã 2" in gap  # 4 km² - 1.9 km × 1.9 km
    apart = next(n for n in report.notes if "touch no other" in n)
    assert "00005 Xã 5" in apart


def test_a_commune_far_from_all_others_is_noted_where_no_list_tells(tmp_path: Path) -> None:
    layer = with_shape(square_communes(3), 2, lambda s: affinity.translate(s, 0, 250_000))
    _, report = read_communes(save(layer, tmp_path))
    note = next(n for n in report.notes if "from any other" in n)
    assert "00003 Xã 3" in note


def test_jitter_of_centimetres_is_below_the_tolerance(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    noise = np.random.default_rng(1)
    jittered = [
        shapely.Polygon(xy + noise.uniform(-2e-6, 2e-6, xy.shape))
        for xy in (shapely.get_coordinates(s)[:-1] for s in schematic.geometry)
    ]
    layer = schematic.set_geometry(gpd.GeoSeries(jittered, crs=4326))
    _, report = read_communes(save(layer, tmp_path))
    assert report.rows_used == 166
    assert not any(" and " in note for note in report.notes if note.startswith("overlaps"))


@pytest.mark.parametrize(
    ("truth", "claim", "word"),
    [
        ("EPSG:5897", "EPSG:9210", "EPSG:5897"),
        ("EPSG:5897", "EPSG:3405", "right CRS"),
        ("EPSG:32648", "EPSG:5897", "right CRS"),
        ("EPSG:5897", "EPSG:4326", "EPSG:5897"),
        ("EPSG:4326", "EPSG:5897", "degrees"),
    ],
)
def test_a_layer_in_a_wrong_frame_is_refused_with_those_that_fit(
    tmp_path: Path, schematic: gpd.GeoDataFrame, truth: str, claim: str, word: str
) -> None:
    layer = schematic.to_crs(truth).set_crs(claim, allow_override=True)
    assert word in refusal(layer, tmp_path)


def test_swapped_axes_are_named(tmp_path: Path, schematic: gpd.GeoDataFrame) -> None:
    swapped = shapely.transform(schematic.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    layer = schematic.set_geometry(gpd.GeoSeries(swapped, crs=4326))
    assert "axes are swapped" in refusal(layer, tmp_path)
    metres = schematic.to_crs("EPSG:5897")
    swapped = shapely.transform(metres.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    layer = metres.set_geometry(gpd.GeoSeries(swapped, crs=5897))
    assert "x and y swapped fit EPSG:5897" in refusal(layer, tmp_path)


def test_the_same_places_come_out_of_another_frame(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    layer, report = read_communes(save(schematic.to_crs("EPSG:5897"), tmp_path))
    assert report.repairs == ()
    off = shapely.hausdorff_distance(layer.geometry.to_numpy(), schematic.geometry.to_numpy())
    assert off.max() < 1e-5


def test_a_datum_that_is_not_known_is_refused(tmp_path: Path, schematic: gpd.GeoDataFrame) -> None:
    plain = "+proj=tmerc +lon_0=105 +k=0.9999 +x_0=500000 +ellps=WGS84 +units=m"
    layer = schematic.to_crs("EPSG:5897").set_crs(plain, allow_override=True)
    assert "datum" in refusal(layer, tmp_path)


def test_metres_among_degrees_are_named(tmp_path: Path, schematic: gpd.GeoDataFrame) -> None:
    metres = schematic.to_crs("EPSG:5897").geometry.iloc[HAM_RONG]
    data = json.loads(with_shape(schematic, HAM_RONG, lambda _: metres).to_json(drop_id=True))
    data.pop("crs", None)
    path = tmp_path / "communes.geojson"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(SchemaError, match=r"communes\.geojson.*\n.*row 1, geometry.*14758"):
        read_communes(path)


def test_communes_of_another_place_are_read_without_the_list(tmp_path: Path) -> None:
    layer, report = read_communes(save(square_communes(2), tmp_path))
    assert len(layer) == 2
    assert any("none of the codes is on the official list" in note for note in report.notes)


def test_an_older_map_is_not_held_against_the_list_of_2025(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    old = schematic.iloc[:3].assign(commune_name=["Phường Đông Thọ", "A", "B"])
    _, report = read_communes(save(old, tmp_path), vintage="2009")
    assert any("so it was not compared" in note for note in report.notes)


def test_full_names_go_before_short_ones_and_short_codes_get_their_zeros(tmp_path: Path) -> None:
    layer = square_communes(2).drop(columns=["commune_code", "commune_name"])
    layer = layer.assign(ma_xa=[4, 8], ten_xa=["Ba Đình", "Ngọc Hà"])
    layer = layer.assign(ten_day_du=["Phường Ba Đình", None])
    found, report = read_communes(save(layer, tmp_path))
    assert list(found["commune_code"]) == ["00004", "00008"]
    assert list(found["commune_name"]) == ["Phường Ba Đình", "Ngọc Hà"]
    assert [entry.row for entry in report.repairs] == [1, 2]


def test_a_layer_without_codes_says_which_columns_it_has(tmp_path: Path) -> None:
    layer = square_communes(2).drop(columns=["commune_code"])
    message = refusal(layer.rename(columns={"province_code": "objectid"}), tmp_path)
    assert "commune_code: found" in message
    assert "objectid" in message


def test_every_problem_of_a_layer_is_listed_at_once(
    tmp_path: Path, schematic: gpd.GeoDataFrame
) -> None:
    layer = with_shape(schematic, 3, lambda _: None).drop(index=[7])
    layer = layer.assign(population=["x" if i == 5 else "10" for i in layer.index])
    message = refusal(layer, tmp_path)
    for code in schematic["commune_code"].iloc[[3, 5, 7]]:
        assert code in message


def test_the_official_list_is_whole() -> None:
    official = official_communes()
    assert len(official) == 166
    assert official["population"].sum() == 4_320_947


@pytest.mark.realdata
def test_the_real_communes_are_accepted_with_their_differences(shared: Path) -> None:
    _, report = read_communes(shared / "data/boundaries/thanh_hoa_2025.parquet")
    assert report.rows_used == 166
    assert report.repairs == ()
    overlaps = next(n for n in report.notes if n.startswith("overlaps"))
    assert "0.0148 km² in all" in overlaps
    areas = next(n for n in report.notes if n.startswith("areas"))
    assert "16108 Xã Tân Tiến" in areas


@pytest.mark.realdata
def test_the_communes_of_2009_are_read_by_their_census_codes(shared: Path) -> None:
    layer, report = read_communes(shared / "data/boundaries/thanh_hoa_2009.parquet", vintage="2009")
    assert report.rows_used == 637
    assert layer["population"].sum() == 3_478_795
    assert (layer["vintage"] == "2009").all()


@pytest.mark.realdata
def test_the_communes_of_the_country_are_accepted(shared: Path) -> None:
    _, report = read_communes(shared / "data/boundaries/vietnam_2025_simplified.parquet")
    assert report.rows_used == 3321
    assert any("3155 communes are not of Thanh Hóa" in note for note in report.notes)


def test_hectares_in_a_heading_become_square_kilometres_with_a_record(tmp_path: Path) -> None:
    layer = square_communes().drop(columns="area_km2", errors="ignore")
    given = layer.assign(area_ha=[100.0 * (i + 1) for i in range(len(layer))])
    read, report = read_communes(save(given, tmp_path))
    assert read["area_km2"].tolist() == [1.0 * (i + 1) for i in range(len(layer))]
    assert [(r.row, r.field) for r in report.repairs] == [(None, "area_km2")]
    assert "0.01" in report.repairs[0].message


def test_a_commune_in_several_features_is_joined_where_they_say_the_same(tmp_path: Path) -> None:
    layer = square_communes()
    island = layer.iloc[[0]].set_geometry(layer.geometry.iloc[[0]].translate(0.0, 5000.0))
    parts = gpd.GeoDataFrame(pd.concat([layer, island], ignore_index=True), crs=layer.crs)
    read, report = read_communes(save(parts, tmp_path))
    assert read["commune_code"].tolist() == layer["commune_code"].tolist()
    joined = layer.geometry.iloc[0].union(island.geometry.iloc[0])
    assert read.to_crs(layer.crs).geometry.iloc[0].symmetric_difference(joined).area < 100.0  # mm
    assert (report.rows_in, report.rows_used) == (len(parts), len(parts))
    assert [(r.row, "joined" in r.message) for r in report.repairs] == [(len(parts), True)]


def test_features_of_one_code_that_disagree_refuse_the_file(tmp_path: Path) -> None:
    layer = square_communes()
    island = layer.iloc[[0]].set_geometry(layer.geometry.iloc[[0]].translate(0.0, 5000.0))
    for change in ({"commune_name": "Xã Khác"}, {"population": 7.0}):
        parts = pd.concat([layer.assign(population=1.0), island.assign(population=1.0)])
        parts = gpd.GeoDataFrame(parts.reset_index(drop=True), crs=layer.crs)
        for name, value in change.items():
            parts.loc[len(parts) - 1, name] = value
        assert "duplicate, trùng" in refusal(parts, tmp_path)


def test_problems_below_joined_features_keep_their_numbers(tmp_path: Path) -> None:
    layer = square_communes()
    first = layer.iloc[[0]]
    island = first.set_geometry(first.geometry.translate(0.0, 5000.0))
    parts = pd.concat([first, island, layer.iloc[1:]], ignore_index=True)
    parts = with_shape(gpd.GeoDataFrame(parts, crs=layer.crs), 2, lambda _: None)
    assert "row 3" in refusal(parts, tmp_path)

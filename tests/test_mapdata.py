"""What the web map is given: shapes as arcs, shares, pictures, and the block they travel in."""

from __future__ import annotations

import base64
import io
import json
import math
import zlib
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio.warp
import shapely
import xarray as xr
from conftest import masts, square_communes
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rasterio.features import rasterize
from rasterio.transform import from_bounds

from phusong.errors import InputFileError
from phusong.publish.assessment import About, Assessment
from phusong.publish.mapblock import pack, unpack
from phusong.publish.mapdata import map_data
from phusong.publish.maptopology import Topology, share_arcs, simplify_communes
from phusong.publish.palette import BREAKS
from phusong.publish.webmap import read_map_data, render_page
from phusong.runs import demo_study, run_study
from phusong.study import assess


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    folder = tmp_path_factory.mktemp("demo")
    return run_study(demo_study(), folder / "run", with_map=False).assessment


@pytest.fixture(scope="module")
def demo_data(demo: Assessment) -> dict[str, object]:
    return map_data(demo)


@pytest.fixture(scope="module")
def small() -> Assessment:
    sites = masts([{"x": 501_000.0, "y": 2_201_000.0, "technology": "5G", "radius_m": 700.0}])
    about = About(place="Tỉnh Thử", as_of=date(2026, 6, 30), sources=("thử",))
    sites = sites.assign(operator="Viettel")
    return assess(square_communes(3, 2), sites=sites, as_of=about.as_of, about=about)


# ---- arcs


def area(cut: Topology, shape: int) -> float:
    """Return the area of a shape that was cut into arcs, holes taken away."""
    whole = 0.0
    for polygon in cut.rings[shape]:
        for ring in polygon:
            runs = [cut.arcs[a] if a >= 0 else cut.arcs[-1 - a][::-1] for a in ring]
            for before, after in zip(runs, runs[1:] + runs[:1], strict=True):
                assert before[-1].tolist() == after[0].tolist()
            whole += shapely.Polygon(np.concatenate(runs)).area * (1 if ring is polygon[0] else -1)
    return whole


def test_a_border_of_two_communes_is_kept_once() -> None:
    squares = np.array([shapely.box(c, r, c + 1, r + 1) for r in range(3) for c in range(3)])
    cut = share_arcs(shapely.transform(squares, lambda xy: xy * 10), unit_m=1)
    assert len(cut.arcs) == 12 + 8  # 12 borders within; of the 12 outside, corners join two
    used = [a for shape in cut.rings for polygon in shape for ring in polygon for a in ring]
    assert {abs(2 * a + 1) // 2 for a in used} == set(range(len(cut.arcs)))
    assert [area(cut, i) for i in range(9)] == [100.0] * 9


def test_a_hole_and_what_lies_in_it_share_their_border() -> None:
    inner = shapely.box(3, 3, 6, 6)
    cut = share_arcs(np.array([shapely.box(0, 0, 9, 9) - inner, inner]), unit_m=1)
    assert len(cut.arcs) == 2
    assert (area(cut, 0), area(cut, 1)) == (72.0, 9.0)


def test_shapes_that_overlap_or_leave_gaps_keep_their_areas() -> None:
    shapes = np.array(
        [shapely.box(0, 0, 10, 10), shapely.box(8, 2, 20, 12), shapely.box(21, 0, 30, 9)]
    )
    cut = share_arcs(shapes, unit_m=1)
    assert [area(cut, i) for i in range(3)] == [100.0, 120.0, 81.0]


def test_an_islet_smaller_than_a_unit_stays_and_its_crumbs_go() -> None:
    islet = shapely.Point(500, 500).buffer(0.2)
    both = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), islet])
    cut = share_arcs(np.array([islet, both]), unit_m=1)
    assert area(cut, 0) == 0.5
    assert [len(polygons) for polygons in cut.rings] == [1, 1]
    assert area(cut, 1) == 100.0


def test_a_layer_that_cannot_be_simplified_stays_as_it_is() -> None:
    far = np.array([shapely.Point(0, 0).buffer(1e-9), shapely.box(0, 0, 1000, 1000)])
    kept = simplify_communes(far, tolerance_m=400)
    assert not shapely.is_empty(kept).any()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("file", "tolerance_m", "unit_m"),
    [("thanh_hoa_2025", 50, 4.8), ("vietnam_2025_simplified", 400, 76)],
)
def test_real_communes_keep_their_place_and_nearly_their_area(
    shared: Path, file: str, tolerance_m: float, unit_m: float
) -> None:
    layer = gpd.read_parquet(shared / f"data/boundaries/{file}.parquet").to_crs("EPSG:3857")
    shapes = layer.geometry.to_numpy()
    cut = share_arcs(simplify_communes(shapes, tolerance_m=tolerance_m), unit_m=unit_m)
    areas = np.array([area(cut, i) for i in range(len(shapes))]) * unit_m**2
    assert areas.sum() == pytest.approx(shapely.area(shapes).sum(), rel=0.002)
    assert np.median(np.abs(areas / shapely.area(shapes) - 1)) < 0.005
    assert all(cut.rings)
    n_points = sum(len(arc) for arc in cut.arcs)
    assert n_points < 0.75 * shapely.get_num_coordinates(shapes).sum()


# ---- the block

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(st.integers(-(2**40), 2**40) | st.none(), min_size=20, max_size=40)
    | st.lists(st.integers(0, 999).map("S-{:03d}".format), min_size=20, max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)  # fmt: skip


@given(plain)
def test_what_is_packed_comes_back(value: object) -> None:
    assert unpack(pack({"value": value})) == {"value": value}


def test_codes_keep_their_zeros_and_other_digits_are_no_numbers() -> None:
    for texts in (["00123", "00124"] * 20, ["٣", "٤"] * 20, ["1", "22"] * 20, ["", "1"] * 20):
        assert unpack(pack({"code": texts})) == {"code": texts}


def test_the_same_column_is_stored_once() -> None:
    column = np.random.default_rng(7).integers(0, 10_000, 3000).tolist()
    assert len(pack({"a": column, "b": list(column)})) < 1.05 * len(pack({"a": column}))


def test_a_map_that_was_written_gives_its_data_back(
    small: Assessment, demo_data: dict[str, object], tmp_path: Path
) -> None:
    other = map_data(small)
    for maps in ((demo_data,), (demo_data, other)):
        (tmp_path / "map.html").write_text(render_page(*maps), encoding="utf-8")
        assert read_map_data(tmp_path / "map.html") == demo_data


def test_data_of_a_map_are_plain_json(small: Assessment, demo_data: dict[str, object]) -> None:
    for data in (map_data(small), demo_data):
        assert json.loads(json.dumps(data, allow_nan=False)) == data


def damage(page: str) -> dict[str, str]:
    block = page.partition('id="phusong-data">')[2].partition("<")[0]
    other = base64.b64encode(zlib.compress(b"\x05\0\0\0hello" + bytes(9))).decode()
    return {
        "no map": "<p>phusong-data</p>",
        "cut short": page.replace(block, block[: len(block) // 2]),
        "no deflate": page.replace(block, "AAAA"),
        "no base64": page.replace(block, "A"),
        "other data": page.replace(block, other),
        "no maps": page.replace(block, pack({"maps": []})),
    }


def test_a_page_that_is_no_map_or_damaged_is_refused_by_name(
    small: Assessment, tmp_path: Path
) -> None:
    path = tmp_path / "map.html"
    for page in damage(render_page(map_data(small))).values():
        path.write_text(page, encoding="utf-8")
        with pytest.raises(InputFileError, match=r"map\.html: .*(no data|damaged)"):
            read_map_data(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputFileError, match=r"map\.html: .*no data"):
        read_map_data(path)


# ---- shares


def test_every_layer_has_the_shares_and_bounds_of_the_indicators(
    demo: Assessment, demo_data: dict[str, object]
) -> None:
    n_parts = demo_data["parts"]
    codes = demo_data["communes"]["code"]
    rows = demo.indicators.set_index(
        ["indicator", "service", "operator", "commune_code"]
    ).sort_index()
    n_values = 0
    for layer in demo_data["layers"]:
        key = tuple(layer[name] for name in ("indicator", "service", "operator"))
        table = rows.loc[key].loc[codes]
        share = np.array(layer["share"], dtype=float) / n_parts
        assert share == pytest.approx(table["share"].to_numpy(), abs=1 / n_parts, nan_ok=True)
        known = ~np.isnan(share)
        limits = [*BREAKS, 1.0]
        assert (np.digitize(share, limits) == np.digitize(table["share"], limits))[known].all()
        said = [layer["evidence"]["words"][k] for k in layer["evidence"]["of"]]
        assert said == table["evidence"].tolist()
        if "below" in layer:
            low = np.nan_to_num(share) - np.array(layer["below"], dtype=float) / n_parts
            high = np.nan_to_num(share) + np.array(layer["above"], dtype=float) / n_parts
            for bound, name in ((low, "share_low"), (high, "share_high")):
                assert bound == pytest.approx(table[name].to_numpy(), abs=2 / n_parts, nan_ok=True)
        else:
            assert table["share_low"].isna().all()
        n_values += len(share)
    assert n_values == len(demo.indicators)


def test_totals_are_those_of_the_whole_area(demo: Assessment, demo_data: dict[str, object]) -> None:
    totals = demo.provinces
    totals = totals[(totals["province_code"] == "") & totals["commune_share"].isna()]
    of = {"share_area": "area", "broadband_b0": "communes", "share_population": "people"}
    for indicator, kind in of.items():
        layer = next(x for x in demo_data["layers"]
                     if x["indicator"] == indicator and x["operator"] == "any")  # fmt: skip
        row = totals[(totals["indicator"] == indicator) & (totals["service"] == layer["service"])
                     & (totals["operator"] == "any") & (totals["share_of"] == kind)]  # fmt: skip
        share = float(row["share"].iloc[0])
        assert layer["total"][0] / demo_data["parts"] == pytest.approx(share, abs=1e-6)


def test_rounding_never_moves_a_share_over_the_limit_of_a_class(small: Assessment) -> None:
    rows = small.indicators
    is_meant = (
        (rows["indicator"] == "share_area")
        & (rows["service"] == "5g")
        & (rows["operator"] == "any")
    )
    shares = [0.9999999, 0.0000001, 1.0, 0.0, math.nan, 0.95 - 1e-9]
    layer = map_data(replace(small, indicators=rows[is_meant].assign(share=shares)))["layers"][0]
    assert layer["share"] == [999_999, 1, 1_000_000, 0, None, 949_999]


def test_two_kinds_of_evidence_of_a_commune_are_two_layers(small: Assessment) -> None:
    rows = small.indicators[small.indicators["indicator"] == "share_area"]
    both = pd.concat([rows, rows.assign(evidence="measured", share=0.5)])
    layers = map_data(replace(small, indicators=both))["layers"]
    found = [(x["evidence"]["words"], x["share"][0]) for x in layers
             if (x["service"], x["operator"]) == ("5g", "any")]  # fmt: skip
    assert ["measured"] in [words for words, _ in found]
    assert len(found) == 2
    # Where each commune has but one kind, it is one layer, and each says its own.
    rows = rows.assign(evidence=np.where(rows["commune_code"] == "00001", "measured", "declared"))
    layers = map_data(replace(small, indicators=rows))["layers"]
    assert layers[0]["evidence"] == {"words": ["declared", "measured"], "of": [1, 0, 0, 0, 0, 0]}


def test_a_country_is_rounded_outwards_and_only_there(small: Assessment) -> None:
    wide = square_communes(3, 2, side_m=300_000.0).to_crs("EPSG:4326")
    communes = small.communes.set_geometry(wide.geometry.values)
    tables = replace(small.conclude(), communes=communes, coverage=())
    rows = small.indicators.assign(share=0.1234, share_low=0.1169, share_high=0.131)
    bare = replace(small, indicators=rows, conclude=lambda: tables)
    data = map_data(bare)
    layer = next(x for x in data["layers"] if x["operator"] == "any")
    assert (data["parts"], layer["share"][0]) == (1000, 123)
    assert (layer["below"][0], layer["above"][0]) == (123 - 110, 140 - 123)
    assert "id" not in data["sites"]
    assert all("below" not in x for x in data["layers"] if x["operator"] == "Viettel")


# ---- pictures


def uncovered(data: dict[str, object], at: int = 0) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return where a picture is drawn, and its bounds in EPSG:3857."""
    picture = data["uncovered"][at]
    png = Image.open(io.BytesIO(base64.b64decode(picture["url"].partition(",")[2])))
    south, west, north, east = picture["bounds"]
    bounds = rasterio.warp.transform_bounds("EPSG:4326", "EPSG:3857", west, south, east, north)
    return np.asarray(png.convert("RGBA"))[..., 3] > 0, bounds


def test_picture_of_what_is_not_covered_lies_where_it_is_not_covered(
    demo: Assessment, demo_data: dict[str, object]
) -> None:
    service = demo_data["uncovered"][0]["service"]
    drawn, bounds = uncovered(demo_data)
    shares = demo.coverage[0].sel(service=service)
    grid = from_bounds(*bounds, drawn.shape[1], drawn.shape[0])
    rows, columns = np.indices(drawn.shape)
    x, y = grid * (columns + 0.5, rows + 0.5)
    there = gpd.GeoSeries.from_xy(x.ravel(), y.ravel(), crs="EPSG:3857").to_crs(shares.attrs["crs"])
    at = shares.sel(
        x=xr.DataArray(there.x), y=xr.DataArray(there.y), method="nearest"
    ).to_numpy().reshape(drawn.shape)  # fmt: skip
    shapes = demo.communes.geometry.to_crs("EPSG:3857").to_numpy()
    inside = rasterize(shapes, out_shape=drawn.shape, transform=grid) == 1
    expected = inside & (1 - at >= 0.1)

    def misplaced(row: int, column: int) -> float:
        moved = np.roll(drawn, (row, column), axis=(0, 1))
        return float((moved ^ expected).sum() / expected.sum())

    assert misplaced(0, 0) < 0.004
    assert misplaced(0, 0) < 0.5 * min(misplaced(*by) for by in ((0, 1), (0, -1), (1, 0), (-1, 0)))


def test_islands_far_off_have_their_own_picture() -> None:
    land = square_communes(2, 1)
    island = land.iloc[:1].assign(commune_code="00009", commune_name="Đảo")
    island = island.set_geometry(island.translate(60_000, 0))
    other = land.assign(province_code="40", commune_code=["00011", "00012"])
    other = other.set_geometry(other.translate(0, 9_000))
    # Another island lies between the corners of its province, and has its own picture too.
    corner = land.iloc[:1].assign(commune_code="00013", province_code="40", commune_name="Góc")
    inner = corner.assign(commune_code="00014").set_geometry(corner.translate(40_000, 41_000))
    bridge = [
        corner.assign(commune_code=f"0002{k}").set_geometry(
            [shapely.box(500_000, y0, 501_000, y1) if k % 2 else shapely.box(x0, y0, x1, y1)]
        )
        for k, (x0, y0, x1, y1) in enumerate(
            [(500_000, 2_211_000, 580_000, 2_212_000), (0, 2_212_000, 0, 2_290_000)]
        )
    ]
    other = pd.concat([other, inner, *bridge])
    communes = pd.concat([land, island, other], ignore_index=True)
    sites = masts([{"x": 501_000.0, "y": 2_201_000.0, "technology": "5G", "radius_m": 700.0}])
    answer = assess(communes, sites=sites.assign(operator="Viettel"), as_of=date(2026, 6, 30))
    assert len(answer.coverage) == 4
    data = map_data(answer)
    n_services = len({picture["service"] for picture in data["uncovered"]})
    assert len(data["uncovered"]) == 4 * n_services
    mainland = ["00011", "00012", "00020", "00021"]
    for k, codes in enumerate((["00001", "00002"], ["00009"], mainland, ["00014"])):
        drawn, bounds = uncovered(data, k * n_services)
        shapes = answer.communes[answer.communes["commune_code"].isin(codes)].to_crs("EPSG:3857")
        ground = drawn.mean() * (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])
        assert ground > 0.75 * shapes.area.sum()
        assert shapely.box(*bounds).buffer(300).contains(shapes.union_all())


def test_land_around_is_closed_rings_and_no_islet_of_the_sea() -> None:
    text = (files("phusong") / "publish/assets/land.json").read_text(encoding="utf-8")
    land = json.loads(text)
    rings = [np.cumsum(np.reshape(steps, (-1, 2)), axis=0) for steps in land["rings"]]
    for ring in rings:
        assert ring[0].tolist() == ring[-1].tolist()
    lon = np.concatenate(rings)[:, 0] / 2 ** land["zoom"] / 256 * 360 - 180
    assert 96.9 < lon.min() < lon.max() < 121.6
    sizes_km = [np.ptp(ring, axis=0).max() * 40_075 / 256 / 2 ** land["zoom"] for ring in rings]
    assert min(sizes_km) > 35

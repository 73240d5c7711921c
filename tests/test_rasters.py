"""Rasters as people really have them: each kind is read rightly, or refused in plain words."""

from __future__ import annotations

import contextlib
import resource
import struct
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from conftest import square_communes
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning

from phusong.errors import CrsError, InputFileError, PhusongError
from phusong.grid import grid_over
from phusong.io.boundaries import read_communes
from phusong.io.raster_summary import Summary, summarise
from phusong.io.rasters import read_population
from phusong.io.report import Reading
from phusong.io.terrain import read_terrain
from phusong.population import spread_population

# Two communes of 2 × 2 km, side by side; a cell is 500 m, the raster a cell wider on every side.
CELL_M = 500.0
ORIGIN = (499_500.0, 2_202_500.0)
SHAPE = (6, 10)
NORTH_UP = Affine(CELL_M, 0, ORIGIN[0], 0, -CELL_M, ORIGIN[1])


@pytest.fixture
def communes() -> gpd.GeoDataFrame:
    return square_communes().to_crs("EPSG:4326")


def persons(west: float = 1000 / 16, east: float = 2000 / 16) -> np.ndarray:
    """1,000 persons in the west commune and 2,000 in the east one, none around them."""
    values = np.zeros(SHAPE, "float32")
    values[1:5, 1:5], values[1:5, 5:9] = west, east
    return values


def write(path: Path, values: np.ndarray, **profile: object) -> Path:
    """Write a band, or bands, as GeoTIFF; `scale`, `offset`, `units`, `mask` go into its header."""
    extra = {key: profile.pop(key, None) for key in ("scale", "offset", "units", "mask", "tags")}
    bands = values if values.ndim == 3 else values[None]
    settings: dict[str, object] = {
        "driver": "GTiff", "width": bands.shape[2], "height": bands.shape[1], "count": len(bands),
        "dtype": bands.dtype, "crs": "EPSG:5897", "transform": NORTH_UP,
    }  # fmt: skip
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", **(settings | profile)) as raster,
    ):
        raster.write(bands)
        if extra["scale"] is not None:
            raster.scales, raster.offsets = (extra["scale"],), (extra["offset"],)
        if extra["units"] is not None:
            raster.units = (extra["units"],)
        if extra["mask"] is not None:
            raster.write_mask(extra["mask"])
        if extra["tags"] is not None:
            raster.update_tags(**extra["tags"])
    return path


def refusal(path: Path, communes: gpd.GeoDataFrame | None = None) -> str:
    with pytest.raises(InputFileError) as caught:
        read_population(path, communes=communes)
    assert str(path) in str(caught.value)
    return str(caught.value)


def terrain_refusal(path: Path, communes: gpd.GeoDataFrame | None = None) -> str:
    with pytest.raises(InputFileError) as caught:
        read_terrain(path, communes=communes)
    assert str(path) in str(caught.value)
    return str(caught.value)


def by_commune(reading: Reading, communes: gpd.GeoDataFrame) -> list[float]:
    """Return the persons of each commune on a 100 m grid, with the whole raster inside."""
    metric = communes.to_crs("EPSG:5897")
    grid = grid_over(metric, crs="EPSG:5897", cell_m=100, margin_cells=10)
    spread = spread_population(reading.layer, grid)
    boxes = [shape.bounds for shape in metric.geometry]
    return [
        float(spread.sel(x=slice(west, east), y=slice(north, south)).sum())
        for west, south, east, north in boxes
    ]


def test_flagged_nodata_is_no_data_and_every_cell_is_accounted_for(tmp_path, communes):
    values = persons()
    values[0] = -99999
    reading = read_population(write(tmp_path / "p.tif", values, nodata=-99999), communes=communes)
    report = reading.report
    assert report.sum_valid == 3000
    assert (report.rows_in, report.rows_used, report.rows_ignored) == (60, 50, 10)
    assert np.isnan(reading.layer.to_numpy()[0]).all()
    assert report.notes == ()
    assert reading.layer.attrs["unit"] == "persons per cell"
    assert by_commune(reading, communes) == pytest.approx([1000, 2000])


@pytest.mark.parametrize("fill", [-99999, -1e30, np.finfo("float32").min])
def test_undeclared_negative_nodata_is_named_with_its_count(tmp_path, communes, fill):
    values = persons()
    values[0] = fill
    text = refusal(write(tmp_path / "p.tif", values), communes)
    assert f"10 cells are negative (âm), each {np.float32(fill):g}" in text
    assert "nodata" in text


@pytest.mark.parametrize(
    ("fill", "dtype"),
    [(np.finfo("float32").max, "float32"), (65535, "uint16"), (99999, "int32"), (9999, "float32")],
)
def test_undeclared_huge_nodata_is_named_with_its_count(tmp_path, communes, fill, dtype):
    values = persons().astype(dtype)
    values[0] = fill
    text = refusal(write(tmp_path / "p.tif", values), communes)
    assert "10 cells hold" in text
    assert "nodata" in text


def test_equal_counts_beside_empty_cells_are_not_taken_for_a_filling(tmp_path, communes):
    values = np.where(persons() > 0, np.float32(3000 / 32), 0).astype("float32")
    assert read_population(write(tmp_path / "p.tif", values), communes=communes).report.sum_valid

    crowded = np.zeros((40, 40), "float32")
    crowded[::2] = 10_000
    assert read_population(write(tmp_path / "q.tif", crowded)).report.sum_valid == 8_000_000


def test_negative_people_beside_declared_nodata_are_counted(tmp_path, communes):
    values = persons()
    values[0], values[2, 2:5], values[3, 3] = -99999, -3, -1
    text = refusal(write(tmp_path / "p.tif", values, nodata=-99999), communes)
    assert "4 cells are negative (âm), the lowest -3 (3 cells" in text


def test_nan_without_a_flag_is_no_data(tmp_path, communes):
    values = persons()
    values[0] = np.nan
    report = read_population(write(tmp_path / "p.tif", values), communes=communes).report
    assert (report.sum_valid, report.rows_ignored, report.repairs) == (3000, 10, ())


def test_infinite_counts_are_an_error(tmp_path, communes):
    values = persons()
    values[2, 2] = np.inf
    assert "1 cells are infinite" in refusal(write(tmp_path / "p.tif", values), communes)


def test_a_raster_without_a_valid_cell_is_an_error(tmp_path, communes):
    path = write(tmp_path / "p.tif", np.full(SHAPE, -1.0), nodata=-1)
    assert "no valid cell: all 60 are nodata" in refusal(path, communes)


def test_a_raster_of_zeros_is_an_error(tmp_path):
    path = write(tmp_path / "p.tif", np.zeros(SHAPE, "float32"))
    assert "all 60 cells with data hold 0" in refusal(path)


def test_scale_and_offset_are_applied_and_listed(tmp_path, communes):
    stored = (persons() * 8 + 4).astype("int16")
    stored[0, 0] = -1
    path = write(tmp_path / "p.tif", stored, scale=0.125, offset=-0.5, nodata=-1)
    reading = read_population(path, communes=communes)
    assert reading.report.sum_valid == pytest.approx(3000)
    assert np.isnan(reading.layer.to_numpy()[0, 0])
    assert [repair.found for repair in reading.report.repairs] == [
        "stored numbers with scale 0.125 and offset -0.5"
    ]


def test_a_scale_of_zero_is_an_error(tmp_path):
    path = write(tmp_path / "p.tif", persons(), scale=0.0, offset=0.0)
    assert "scale 0" in refusal(path)


def test_an_inner_mask_is_respected_and_a_nodata_value_beside_it_too(tmp_path, communes):
    values = persons()
    values[0], values[5] = 7, -99999
    mask = np.full(SHAPE, 255, "uint8")
    mask[0] = 0
    path = write(tmp_path / "p.tif", values, mask=mask, nodata=-99999)
    report = read_population(path, communes=communes).report
    assert (report.sum_valid, report.rows_ignored) == (3000, 20)


def test_transparent_cells_have_no_data(tmp_path, communes):
    alpha = np.full(SHAPE, 65535, "uint16")
    alpha[0] = 0
    values = persons(100, 150).astype("uint16")
    values[0] = 9
    path = tmp_path / "p.tif"
    write(path, np.stack([values, alpha]), alpha="yes")
    with rasterio.open(path) as raster:
        assert raster.colorinterp[1] == ColorInterp.alpha
    report = read_population(path, communes=communes).report
    assert (report.sum_valid, report.rows_ignored) == (4000, 10)


def test_sidecars_beside_a_file_do_not_change_what_it_says(tmp_path, communes):
    path = write(tmp_path / "p.tif", persons())
    (tmp_path / "p.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>62.5</NoDataValue><Scale>9</Scale>'
        "</PAMRasterBand></PAMDataset>"
    )
    (tmp_path / "p.tfw").write_text("1\n0\n0\n-1\n0\n0\n")
    write(tmp_path / "p.tif.msk", np.zeros(SHAPE, "uint8"))
    write(tmp_path / "p.tif.ovr", np.zeros((3, 5), "float32"))
    report = read_population(path, communes=communes).report
    assert (report.sum_valid, report.rows_ignored, report.repairs) == (3000, 0, ())
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "p.tfw", "p.tif", "p.tif.aux.xml", "p.tif.msk", "p.tif.ovr",
    ]  # fmt: skip


def test_a_place_given_only_by_a_world_file_is_no_place(tmp_path):
    with pytest.warns(NotGeoreferencedWarning):
        path = write(tmp_path / "p.tif", persons(), transform=None)
    (tmp_path / "p.tfw").write_text("500\n0\n0\n-500\n499750\n2202250\n")
    assert "neither origin nor cell size" in refusal(path)


def test_a_rotated_grid_is_an_error(tmp_path, communes):
    path = write(tmp_path / "p.tif", persons(), transform=NORTH_UP @ Affine.rotation(5))
    assert "rotated" in refusal(path, communes)


@pytest.mark.parametrize("flips", [(1, -1), (-1, 1), (-1, -1)])
def test_a_south_up_or_mirrored_raster_puts_every_person_in_the_same_place(
    tmp_path, communes, flips
):
    right, down = flips
    values = persons()
    values[1] *= 2
    straight = read_population(write(tmp_path / "p.tif", values), communes=communes)
    steps = Affine(
        right * CELL_M, 0, ORIGIN[0] + (right < 0) * SHAPE[1] * CELL_M,
        0, -down * CELL_M, ORIGIN[1] - (down < 0) * SHAPE[0] * CELL_M,
    )  # fmt: skip
    path = write(tmp_path / "q.tif", values[::down, ::right], transform=steps)
    turned = read_population(path, communes=communes)
    assert turned.layer.equals(straight.layer)
    assert turned.layer.attrs == straight.layer.attrs
    assert by_commune(turned, communes) == pytest.approx([1250, 2500])


def test_spreading_keeps_every_person_of_a_raster_whose_y_ascends(tmp_path, communes):
    layer = read_population(write(tmp_path / "p.tif", persons()), communes=communes).layer
    south_up = layer.isel(y=slice(None, None, -1))
    south_up.attrs["cell_y"] = CELL_M
    grid = grid_over(communes, crs="EPSG:5897", cell_m=100, margin_cells=10)
    assert spread_population(south_up, grid).equals(spread_population(layer, grid))
    assert float(spread_population(south_up, grid).sum()) == pytest.approx(3000)


def test_counts_in_utm_keep_every_person(tmp_path, communes):
    west, south, east, north = communes.to_crs("EPSG:32648").total_bounds
    steps = Affine(CELL_M, 0, west - 1000, 0, -CELL_M, north + 1000)
    n = 1 + int(max(east - west, north - south) + 2000) // int(CELL_M)
    values = np.full((n, n), 70.0, "float32")
    path = write(tmp_path / "p.tif", values, crs="EPSG:32648", transform=steps)
    reading = read_population(path, communes=communes)
    grid = grid_over(communes, crs="EPSG:5897", cell_m=100, margin_cells=100)
    assert float(spread_population(reading.layer, grid).sum()) == pytest.approx(
        float(reading.layer.sum())
    )
    assert sum(by_commune(reading, communes)) == pytest.approx(70 * 8e6 / CELL_M**2, rel=0.01)


def test_a_raster_without_crs_is_an_error(tmp_path, communes):
    path = write(tmp_path / "p.tif", persons(), crs=None)
    with pytest.raises(CrsError, match="names no CRS"):
        read_population(path, communes=communes)


def test_metres_under_a_crs_of_degrees_are_an_error(tmp_path):
    path = write(tmp_path / "p.tif", persons(), crs="EPSG:4326")
    with pytest.raises(CrsError, match="out of range for its CRS"):
        read_population(path)


def test_a_raster_of_another_place_is_an_error_that_says_where_both_are(tmp_path, communes):
    path = write(tmp_path / "p.tif", persons(), crs="EPSG:5898")
    with pytest.raises(CrsError, match=r"outside the communes.*lon 10[78].*lon 10[45]") as caught:
        read_population(path, communes=communes)
    assert "EPSG:5897" in str(caught.value)


def test_communes_beyond_the_edge_are_named_and_counted(tmp_path, communes):
    text = refusal(write(tmp_path / "p.tif", persons()[:, :5]), communes)
    assert "1 of 2 communes have no data in it (00002 Xã 2)" in text


def test_communes_that_the_edge_cuts_are_named(tmp_path, communes):
    text = refusal(write(tmp_path / "p.tif", persons()[:, :7]), communes)
    assert "1 of 2 communes are cut by its edge (00002 Xã 2)" in text


def many_communes(*, far: int = 1, people: float = 20.0) -> gpd.GeoDataFrame:
    """150 communes in the raster, and others 90 km east of it."""
    near = square_communes(15, 10, side_m=200)
    away = square_communes(far, side_m=200)
    away = away.assign(
        commune_code=[f"9000{i}" for i in range(far)],
        commune_name="Đảo",
        geometry=away.translate(90_000, 0),
        population=people,
    )
    both = pd.concat([near.assign(population=20.0), away], ignore_index=True)
    return both.to_crs("EPSG:4326")


def test_few_communes_wholly_beyond_the_edge_are_named_as_unknown(tmp_path):
    path = write(tmp_path / "p.tif", np.full(SHAPE, 125.0, "float32"))
    said = read_population(path, communes=many_communes()).report.notes
    assert said[0] == (
        "1 communes lie wholly beyond its edge: how people live there is not known, and what is "
        "not known never counts as covered: 90000 Đảo"
    )


@pytest.mark.parametrize("beyond", [{"far": 2}, {"people": 40.0}])
def test_more_communes_or_more_people_beyond_the_edge_are_refused(tmp_path, beyond):
    path = write(tmp_path / "p.tif", np.full(SHAPE, 125.0, "float32"))
    assert "communes have no data in it (90000 Đảo" in refusal(path, many_communes(**beyond))


def test_communes_in_which_nobody_lives_need_no_data(tmp_path):
    path = write(tmp_path / "p.tif", np.full(SHAPE, 125.0, "float32"))
    said = read_population(path, communes=many_communes(far=9, people=0.0)).report.notes
    assert said[0].startswith("9 communes whose own population is 0 have no data in it: 90000 Đảo")


def test_one_commune_without_data_inside_the_raster_is_refused_however_few_it_is(tmp_path):
    values = np.full(SHAPE, 125.0, "float32")
    values[:, :2] = np.nan
    communes = many_communes().iloc[:150]
    assert "communes have no data in it (00001 Xã 1" in refusal(
        write(tmp_path / "p.tif", values), communes
    )


@pytest.mark.parametrize(("beyond_m", "is_read"), [(150.0, True), (250.0, False)])
def test_a_commune_may_have_up_to_a_twentieth_beyond_the_edge(tmp_path, beyond_m, is_read):
    # It is 4 km long; a cell of slack beyond the edge is the raster's.
    communes = many_communes()
    end = ORIGIN[0] + SHAPE[1] * CELL_M + CELL_M
    wide = shapely.box(end + beyond_m - 4000, 2_200_000, end + beyond_m, 2_200_200)
    metric = communes.to_crs("EPSG:5897")
    metric.loc[150, "geometry"] = wide
    path = write(tmp_path / "p.tif", np.full(SHAPE, 125.0, "float32"))
    communes = metric.to_crs("EPSG:4326")
    if is_read:
        said = read_population(path, communes=communes).report.notes
        assert said[0].startswith("1 communes have up to 5% of their area beyond its edge: their")
    else:
        assert "1 of 151 communes are cut by its edge (90000 Đảo)" in refusal(path, communes)


def test_heights_are_needed_in_every_commune_however_few(tmp_path):
    path = write(tmp_path / "t.tif", np.full(SHAPE, 125.0, "float32"))
    assert "have no data in it (90000 Đảo)" in terrain_refusal(path, many_communes())


def test_communes_where_all_cells_are_nodata_are_named(tmp_path, communes):
    values = persons()
    values[:, 5:] = np.nan
    text = refusal(write(tmp_path / "p.tif", values), communes)
    assert "1 of 2 communes have no data in it (00002 Xã 2)" in text


def test_zero_written_where_people_live_is_not_taken_for_an_answer(tmp_path, communes):
    text = refusal(write(tmp_path / "p.tif", persons(east=0)), communes)
    assert "holds nobody in 1 of 2 communes that have people (00002 Xã 2)" in text


def test_a_commune_smaller_than_a_cell_counts_as_covered(tmp_path):
    tiny = square_communes(columns=3, side_m=100).to_crs("EPSG:4326")
    values = np.full(SHAPE, 900.0, "float32")
    assert read_population(write(tmp_path / "p.tif", values), communes=tiny).report.rows_used


def test_thinly_covered_communes_are_noted(tmp_path, communes):
    values = persons(east=0)
    values[1:5, 5:9] = np.nan
    values[2, 6] = 2000
    notes = read_population(write(tmp_path / "p.tif", values), communes=communes).report.notes
    assert notes == ("1 communes have data in less than 50% of their cells: 00002 Xã 2",)


def test_another_total_than_the_census_is_noted(tmp_path, communes):
    path = write(tmp_path / "p.tif", persons() * np.float32(0.75))
    (note,) = read_population(path, communes=communes).report.notes
    assert "2,250 persons in 2 communes whose own population is 3,000 (0.75 times)" in note
    assert "density" in note


def test_densities_instead_of_counts_are_an_error_that_shows_both_sums(tmp_path, communes):
    text = refusal(write(tmp_path / "p.tif", persons() / np.float32(0.25)), communes)
    assert "12,000 persons in 2 communes whose own population is 3,000 (4 times)" in text
    assert "a cell is 0.25 km²" in text
    assert "the sum would be 3,00" in text


@pytest.mark.parametrize("units", ["persons/km2", "people per sq km", "người/km²", "mật độ dân số"])
def test_a_band_that_says_it_holds_densities_is_believed(tmp_path, units):
    text = refusal(write(tmp_path / "p.tif", persons(), units=units))
    assert "densities" in text
    assert units in text


def test_a_word_about_density_elsewhere_in_the_metadata_is_noted(tmp_path):
    path = write(tmp_path / "p.tif", persons(), tags={"LINEAGE": "weighted by building density"})
    (note,) = read_population(path).report.notes
    assert "building density" in note


def test_eight_bit_counts_that_reach_their_ceiling_are_an_error(tmp_path, communes):
    values = np.minimum(persons(90, 400), 255).astype("uint8")
    text = refusal(write(tmp_path / "p.tif", values), communes)
    assert "16 cells hold 255, the largest number of uint8 (8-bit)" in text


def test_small_eight_bit_counts_are_accepted_with_a_note(tmp_path, communes):
    path = write(tmp_path / "p.tif", persons(62, 125).astype("uint8"))
    (note,) = read_population(path, communes=communes).report.notes
    assert "uint8 (8-bit)" in note


@pytest.mark.parametrize("count", [2, 3, 4])
def test_several_bands_are_an_error(tmp_path, count):
    path = write(tmp_path / "p.tif", np.stack([persons()] * count))
    assert f"holds {count} bands" in refusal(path)


def test_complex_numbers_are_an_error(tmp_path):
    assert "complex" in refusal(write(tmp_path / "p.tif", persons().astype("complex64")))


def test_a_colour_table_is_an_error(tmp_path):
    path = write(tmp_path / "p.tif", np.ones(SHAPE, "uint8"))
    with rasterio.open(path, "r+") as raster:
        raster.write_colormap(1, {1: (255, 0, 0, 255)})
    assert "colour table" in refusal(path)


def test_a_file_with_several_images_is_an_error(tmp_path):
    path = write(tmp_path / "p.tif", persons())
    write(path, persons(), APPEND_SUBDATASET="YES")
    assert "holds 2 images" in refusal(path)


def test_huge_dimensions_are_refused_before_a_pixel_is_read(tmp_path):
    path = tmp_path / "p.tif"
    # Width, height, bits, no compression, black is 0, offset, bands, rows per strip, bytes.
    tags = {256: 10**6, 257: 10**6, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 1}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4))
    assert "its dimensions are 1,000,000 × 1,000,000 cells" in refusal(path)


def test_a_disguised_raster_description_is_refused(tmp_path):
    path = tmp_path / "p.tif"
    path.write_text("<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>")
    assert "not a TIFF" in refusal(path)


@pytest.mark.parametrize(
    "layout",
    [{}, {"compress": "deflate"}, {"compress": "lzw"}, {"tiled": True, "blockxsize": 16}],
)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.99])
def test_a_truncated_file_never_gives_numbers(tmp_path, layout, share):
    values = np.random.default_rng(0).random((64, 64), "float32")
    path = write(tmp_path / "p.tif", values, blockysize=16, **layout)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    refusal(path)


def test_a_damaged_header_is_refused_in_our_own_words(tmp_path):
    path = write(tmp_path / "p.tif", persons(), compress="deflate")
    whole, chance = path.read_bytes(), np.random.default_rng(3)
    for _ in range(150):
        damaged = bytearray(whole)
        for at in chance.integers(4, min(len(whole), 600), 3):
            damaged[at] = chance.integers(256)
        path.write_bytes(damaged)
        with contextlib.suppress(PhusongError):
            read_population(path)


def test_only_the_window_over_the_communes_is_kept_but_the_whole_file_is_summed(tmp_path, communes):
    values = np.ones((200, 300), "float32")
    steps = Affine(CELL_M, 0, 480_000, 0, -CELL_M, 2_250_000)
    values[96:100, 40:48] = 3000 / 32
    reading = read_population(write(tmp_path / "p.tif", values, transform=steps), communes=communes)
    assert max(reading.layer.shape) < 20
    assert reading.report.rows_in == 60_000
    assert reading.report.sum_valid == pytest.approx(60_000 - 32 + 3000)
    assert by_commune(reading, communes) == pytest.approx([1500, 1500])


def test_memory_stays_flat_over_a_raster_of_three_hundred_million_cells(tmp_path):
    path = tmp_path / "p.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=15_000, height=20_000, count=1, dtype="float32",
        crs="EPSG:4326", transform=Affine(0.00083, 0, 102, 0, -0.00083, 24), nodata=-99999,
        tiled=True, sparse_ok=True, compress="deflate",
    ) as raster:  # fmt: skip
        window = rasterio.windows.from_bounds(104.9, 19.8, 105.1, 20.0, raster.transform)
        raster.write(np.full((242, 242), 3, "float32"), 1, window=window.round())
    code = (
        "import sys; from pathlib import Path; import resource; import geopandas as gpd\n"
        "from shapely import box\n"
        "from phusong.io.rasters import read_population\n"
        "zones = gpd.GeoDataFrame({'commune_code': ['1'], 'commune_name': ['A']}, crs=4326,\n"
        "                         geometry=[box(104.95, 19.85, 105.05, 19.95)])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "read_population(Path(sys.argv[1]), communes=zones)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    source = str(Path(__file__).parents[1] / "coverage")
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], env={"PYTHONPATH": source}, check=True,
        capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
    )  # fmt: skip
    assert int(done.stdout) < 250_000


def test_a_whole_country_without_communes_is_refused_with_a_way_out(tmp_path):
    path = write(
        tmp_path / "p.tif", np.zeros((1, 1, 1), "float32"), width=9_000, height=9_000,
        tiled=True, sparse_ok=True, transform=Affine(10, 0, 450_000, 0, -10, 2_250_000),
    )  # fmt: skip
    assert "name the communes" in refusal(path)


def test_extremes_of_blocks_add_up_to_those_of_the_whole():
    values = np.random.default_rng(1).integers(-3, 9, 400).astype(float)
    values[::7] = np.nan
    parts = sum((summarise(part) for part in np.split(values, 40)), start=Summary())
    assert parts == summarise(values)


def heights() -> np.ndarray:
    """A ramp from -2 m to 1,500 m."""
    return np.linspace(-2, 1500, SHAPE[0] * SHAPE[1]).reshape(SHAPE).astype("int16")


def test_heights_in_metres_are_accepted(tmp_path, communes):
    values = heights()
    values[0, :3] = -32768
    reading = read_terrain(write(tmp_path / "d.tif", values, nodata=-32768), communes=communes)
    assert reading.layer.dims == ("y", "x")
    assert reading.layer.attrs["unit"] == "metres above sea level"
    assert float(reading.layer.max()) == 1500
    assert (reading.report.layer, reading.report.rows_ignored) == ("terrain", 3)
    assert reading.report.notes == ()


@pytest.mark.parametrize("void", [-32768, -9999, -99, 32767])
def test_undeclared_voids_are_named_with_their_count(tmp_path, communes, void):
    values = heights()
    values[1:3, :6] = void
    text = terrain_refusal(write(tmp_path / "d.tif", values), communes)
    assert f"12 cells hold {void}" in text
    assert "void" in text


def test_heights_in_feet_are_an_error(tmp_path, communes):
    feet = (heights() / 0.3048).astype("int16")
    text = terrain_refusal(write(tmp_path / "d.tif", feet), communes)
    assert "heights (độ cao) up to 4921" in text
    assert "feet" in text


def test_a_unit_that_is_not_the_metre_is_an_error(tmp_path):
    text = terrain_refusal(write(tmp_path / "d.tif", heights(), units="ft"))
    assert "ft, expected metres" in text
    assert read_terrain(write(tmp_path / "m.tif", heights(), units="metre")).report.rows_used
    compound = write(tmp_path / "c.tif", heights(), crs="EPSG:32648+6360")
    assert "us survey foot" in terrain_refusal(compound)


def test_a_sea_bed_is_accepted_with_a_note(tmp_path):
    values = heights()
    values[0] = np.linspace(-60, -3, SHAPE[1])
    (note,) = read_terrain(write(tmp_path / "d.tif", values)).report.notes
    assert "down to -60 m" in note


def test_mountains_far_from_the_communes_do_not_matter(tmp_path, communes):
    values = np.full((200, 300), 40, "int16")
    values[:5] = 8000
    steps = Affine(CELL_M, 0, 480_000, 0, -CELL_M, 2_250_000)
    path = write(tmp_path / "d.tif", values, transform=steps)
    assert float(read_terrain(path, communes=communes).layer.max()) == 40


def test_heights_that_all_are_voids_are_an_error(tmp_path):
    path = write(tmp_path / "d.tif", np.full(SHAPE, -9999, "int16"), nodata=-9999)
    assert "no valid height" in terrain_refusal(path)


@pytest.mark.realdata
def test_heights_above_every_mountain_of_the_province_are_noted(tmp_path, shared):
    communes = read_communes(shared / "data" / "boundaries" / "thanh_hoa_2025.parquet").layer
    steps = Affine(0.02, 0, 104.0, 0, -0.02, 21.0)
    path = write(
        tmp_path / "d.tif", np.full((100, 125), 2500, "int16"), crs="EPSG:4326", transform=steps
    )
    (note,) = read_terrain(path, communes=communes).report.notes
    assert "up to 2500 m in the communes" in note


@pytest.mark.realdata
def test_worldpop_sums_to_its_published_total(shared):
    path = shared / "data" / "population" / "vnm_ppp_2020_1km_Aggregated_UNadj.tif"
    communes = read_communes(shared / "data" / "boundaries" / "thanh_hoa_2025.parquet").layer
    reading = read_population(path, communes=communes)
    assert reading.report.sum_valid == pytest.approx(97_338_600, rel=1e-6)
    assert "3,231,246 persons in 166 communes" in reading.report.notes[0]

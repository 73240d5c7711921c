"""Every format by its own driver; what is disguised, cut short or unsafe is refused by name."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import struct
import unicodedata
import zipfile
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from conftest import square_communes

from phusong.errors import CrsError, InputFileError
from phusong.io.frames import fitting_frames, suggest_frames
from phusong.io.vectors import open_vector

DRIVERS = {
    "gpkg": "GPKG",
    "geojson": "GeoJSON",
    "fgb": "FlatGeobuf",
    "shp": "ESRI Shapefile",
    "tab": "MapInfo File",
    "mif": "MapInfo File",
    "kml": "LIBKML",
}


def named_squares() -> gpd.GeoDataFrame:
    """Two squares in degrees with names that have letters of every kind."""
    layer = plain_squares(2).to_crs("EPSG:4326")
    return layer.assign(ten_xa=["Xã Đông Thọ", "Phường Hàm Rồng"])


def plain_squares(columns: int, rows: int = 1) -> gpd.GeoDataFrame:
    """Squares in EPSG:5897 with headings that are short enough for a .dbf."""
    layer = square_communes(columns, rows)
    return layer.rename(columns={"commune_code": "ma_xa", "commune_name": "ten_xa"})[
        ["ma_xa", "ten_xa", "geometry"]
    ]


def to_cp1258(text: str) -> bytes:
    """Bytes in which a tone that has no letter of its own follows its vowel."""
    raw = b""
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        tone = "".join(part for part in parts if part in "\u0300\u0301\u0303\u0309\u0323")
        base = unicodedata.normalize("NFC", "".join(p for p in parts if p not in tone))
        raw += (base + tone).encode("cp1258")
    return raw


def write(features: gpd.GeoDataFrame, path: Path, **options: object) -> Path:
    pyogrio.write_dataframe(features, path, driver=DRIVERS[path.suffix[1:]], **options)
    return path


def zip_folder(folder: Path, archive: Path, *, leave_out: str = "") -> Path:
    with zipfile.ZipFile(archive, "w") as target:
        for member in sorted(folder.iterdir()):
            if member.suffix != leave_out:
                target.write(member, f"lop/{member.name}")
    return archive


@pytest.mark.parametrize("extension", [*DRIVERS, "parquet"])
def test_every_format_gives_the_same_places_and_names(tmp_path: Path, extension: str) -> None:
    layer = named_squares()
    path = tmp_path / f"communes.{extension}"
    if extension == "parquet":
        layer.to_parquet(path)
    else:
        options = {"ENCODING": "UTF-8"} if extension == "shp" else {}
        write(layer, path, **options)
    found = open_vector(path)
    assert found.repairs == ()
    found_layer = found.layer.sort_values("ten_xa")
    assert list(found_layer["ten_xa"]) == ["Phường Hàm Rồng", "Xã Đông Thọ"]
    same = shapely.normalize(shapely.get_parts(found_layer.geometry.to_crs(4326).to_numpy()))
    wanted = shapely.normalize(layer.sort_values("ten_xa").geometry.to_numpy())
    assert shapely.equals_exact(same, wanted, 1e-6).all()


@pytest.mark.parametrize("extension", ["shp", "tab", "mif", "gpkg", "geojson"])
def test_a_zip_holds_one_layer_with_its_companions(tmp_path: Path, extension: str) -> None:
    folder = tmp_path / "lop"
    folder.mkdir()
    write(named_squares(), folder / f"Xã.{extension}")
    assert len(open_vector(zip_folder(folder, tmp_path / "communes.zip")).layer) == 2


def test_a_kmz_is_read_with_the_names_of_its_folders(tmp_path: Path) -> None:
    point = "<Point><coordinates>105.7,19.8,7</coordinates></Point>"
    mast = f"<Placemark><name>T</name>{point}</Placemark>"
    kml = (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">'
        f"<Document><Folder><name>Viettel</name>{mast}{mast}</Folder>"
        f"<Folder><name>VNPT</name>{mast}</Folder></Document></kml>"
    )
    with zipfile.ZipFile(tmp_path / "masts.kmz", "w") as archive:
        archive.writestr("doc.kml", kml)
        archive.writestr("files/icon.png", b"")
    found = open_vector(tmp_path / "masts.kmz")
    assert list(found.layer["folder"]) == ["Viettel", "Viettel", "VNPT"]
    assert not found.layer.has_z.any()
    assert "heights (Z) are not used" in found.notes


def test_the_table_in_a_placemarks_description_becomes_columns(tmp_path: Path) -> None:
    table = (
        "<table><tr><td colspan=2>Xã</td></tr><tr><td>ma_xa</td><td>14758</td></tr>"
        "<tr><th>ten_xa</th><td><b>Hàm</b> Rồng<script>x</script></td></tr></table>"
    )
    (tmp_path / "a.kml").write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>A</name>'
        f"<description><![CDATA[{table}]]></description><Point><coordinates>105.7,19.8"
        "</coordinates></Point></Placemark></Document></kml>",
        encoding="utf-8",
    )
    layer = open_vector(tmp_path / "a.kml").layer
    assert layer["ma_xa"].tolist() == ["14758"]
    assert layer["ten_xa"].str.startswith("Hàm").all()


@pytest.mark.parametrize(
    ("inside", "word"),
    [
        ("<NetworkLink><Link><href>http://127.0.0.1:9/x</href></Link></NetworkLink>", "Network"),
        ("<Folder>" * 200 + "</Folder>" * 200, "deep"),
        ("<Placemark>", "truncated"),
    ],
)
def test_kml_that_links_or_nests_or_ends_early_is_refused(
    tmp_path: Path, inside: str, word: str
) -> None:
    (tmp_path / "a.kml").write_text(f"<kml><Document>{inside}</Document></kml>")
    with pytest.raises(InputFileError, match=rf"a\.kml.*{word}"):
        open_vector(tmp_path / "a.kml")


def test_kml_with_entities_is_refused_before_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.kml").write_text(
        '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/hostname">]><kml><name>&x;</name></kml>'
    )
    with pytest.raises(InputFileError, match="entities"):
        open_vector(tmp_path / "a.kml")


@pytest.mark.parametrize("extension", [*DRIVERS, "parquet", "zip", "kmz"])
def test_a_description_of_another_file_is_refused_under_every_name(
    tmp_path: Path, extension: str
) -> None:
    secret = write(named_squares(), tmp_path / "secret.geojson")
    for number, text in enumerate(
        (
            f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{secret}'
            "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
            '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read '
            f'{secret} ! write --of=stream streamed_dataset"}}',
        )
    ):
        path = tmp_path / f"communes{number}.{extension}"
        path.write_text(text)
        with pytest.raises(InputFileError, match=rf"communes{number}\.{extension}"):
            open_vector(path)


@pytest.mark.parametrize("path", ["/vsicurl/http://x/a.gpkg", "https://x/a.gpkg", "GPKG:a.gpkg"])
def test_only_local_files_are_opened(path: str) -> None:
    with pytest.raises(InputFileError, match="not a local file"):
        open_vector(Path(path))


@pytest.mark.parametrize("extension", ["gpkg", "fgb", "shp", "geojson", "parquet", "kml"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_cut_short_is_refused(tmp_path: Path, extension: str, share: float) -> None:
    layer = plain_squares(20, 20).to_crs("EPSG:4326")
    path = tmp_path / f"communes.{extension}"
    layer.to_parquet(path) if extension == "parquet" else write(layer, path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(InputFileError, match=rf"communes\.{extension}"):
        open_vector(path)


@pytest.mark.parametrize("extension", [".dbf", ".shx"])
def test_a_shapefile_without_a_part_is_refused_by_the_name_of_the_part(
    tmp_path: Path, extension: str
) -> None:
    folder = tmp_path / "lop"
    folder.mkdir()
    path = write(named_squares(), folder / "communes.shp")
    archive = zip_folder(folder, tmp_path / "communes.zip", leave_out=extension)
    path.with_suffix(extension).unlink()
    for file in (path, archive):
        with pytest.raises(InputFileError, match=rf"{file.name}.*\{extension}"):
            open_vector(file)


def test_a_dbf_of_another_layer_is_refused(tmp_path: Path) -> None:
    path = write(named_squares(), tmp_path / "communes.shp")
    other = write(plain_squares(3), tmp_path / "other.shp")
    shutil.copy(other.with_suffix(".dbf"), path.with_suffix(".dbf"))
    with pytest.raises(InputFileError, match=r"\.dbf file 3"):
        open_vector(path)


def test_a_shapefile_without_a_prj_needs_a_crs_and_is_told_which_fit(tmp_path: Path) -> None:
    path = write(plain_squares(2), tmp_path / "communes.shp")
    path.with_suffix(".prj").unlink()
    with pytest.raises(CrsError, match=r"EPSG:5897.*EPSG:3405 \(6\d\d m away\)"):
        open_vector(path)
    assert open_vector(path, crs="EPSG:5897").layer.crs == "EPSG:5897"


@pytest.mark.parametrize(
    ("encoding", "claim"), [("cp1258", "UTF-8"), ("cp1258", None), ("utf-8", "ISO-8859-1")]
)
def test_a_dbf_is_read_in_its_own_encoding_whatever_the_cpg_says(
    tmp_path: Path, encoding: str, claim: str | None
) -> None:
    layer = named_squares()
    path = write(layer.assign(ten_xa=["N" * 30] * 2), tmp_path / "communes.shp")
    body = path.with_suffix(".dbf").read_bytes()
    for name in layer["ten_xa"]:
        raw = to_cp1258(name) if encoding == "cp1258" else name.encode()
        body = body.replace(b"N" * 30, raw.ljust(30), 1)
    path.with_suffix(".dbf").write_bytes(body)
    path.with_suffix(".cpg").unlink()
    if claim:
        path.with_suffix(".cpg").write_text(claim)
    found = open_vector(path)
    assert list(found.layer["ten_xa"]) == list(layer["ten_xa"])
    assert "encoding" in found.repairs[0].message
    assert path.with_suffix(".cpg").exists() == bool(claim)


@pytest.mark.parametrize(
    ("raw", "name"), [(b"X\xb7 H\xb5 Long", "Xã Hà Long"), (b"D\xfcsseldorf", "Düsseldorf")]
)
def test_a_dbf_in_another_encoding_is_read_if_its_words_or_its_claim_bear_it_out(
    tmp_path: Path, raw: bytes, name: str
) -> None:
    layer = named_squares().iloc[:1].assign(ten_xa=["N" * 20])
    path = write(layer, tmp_path / "communes.shp")
    body = path.with_suffix(".dbf").read_bytes().replace(b"N" * 20, raw.ljust(20))
    path.with_suffix(".dbf").write_bytes(body)
    path.with_suffix(".cpg").write_text("ISO-8859-1")
    assert list(open_vector(path).layer["ten_xa"]) == [name]


def test_a_dbf_in_two_encodings_is_refused(tmp_path: Path) -> None:
    layer = named_squares().assign(ten_xa=["N" * 20] * 2)
    path = write(layer, tmp_path / "communes.shp", ENCODING="UTF-8")
    body = path.with_suffix(".dbf").read_bytes()
    for raw in ("Xã Hà Long".encode(), to_cp1258("Xã Đông Thọ")):
        body = body.replace(b"N" * 20, raw.ljust(20), 1)
    path.with_suffix(".dbf").write_bytes(body)
    with pytest.raises(InputFileError, match=r"communes\.shp.*encoding.*UTF-8"):
        open_vector(path)


def test_a_name_cut_within_a_letter_loses_that_letter_only(tmp_path: Path) -> None:
    layer = named_squares().iloc[:1].assign(ten_xa=["N" * 10])
    path = write(layer, tmp_path / "communes.shp", ENCODING="UTF-8")
    cut = "Xã T Thọ Bình".encode()[:10]
    assert cut.endswith("ọ".encode()[:2])
    body = path.with_suffix(".dbf").read_bytes().replace(b"N" * 10, cut)
    path.with_suffix(".dbf").write_bytes(body)
    found = open_vector(path)
    assert list(found.layer["ten_xa"]) == ["Xã T Th"]
    assert "cut short" in found.repairs[0].found


def test_text_that_was_encoded_twice_is_read_back(tmp_path: Path) -> None:
    layer = named_squares()
    twice = [name.encode().decode("cp1252", "replace") for name in ("Xã Xuân Lập", "Xã Thạch Bình")]
    path = write(layer.assign(ten_xa=twice), tmp_path / "communes.gpkg")
    found = open_vector(path)
    assert list(found.layer["ten_xa"]) == ["Xã Xuân Lập", "Xã Thạch Bình"]
    assert "encoding" in found.repairs[0].message


def test_mapinfo_text_in_windows_1258_is_vietnamese(tmp_path: Path) -> None:
    path = write(named_squares().assign(ten_xa=["A", "B"]), tmp_path / "communes.mif")
    rows = path.with_suffix(".mid").read_bytes()
    rows = rows.replace(b'"A"', to_cp1258('"Xã Đạo Bản"'))
    path.with_suffix(".mid").write_bytes(rows)
    path.write_bytes(path.read_bytes().replace(b"Neutral", b"WindowsVietnamese"))
    assert list(open_vector(path).layer["ten_xa"]) == ["Xã Đạo Bản", "B"]


def test_a_mapinfo_table_that_shows_another_one_is_refused(tmp_path: Path) -> None:
    path = write(named_squares(), tmp_path / "communes.tab")
    path.write_text('!table\n!version 100\nOpen Table "secret.tab" Hide\nCreate View x As\n')
    with pytest.raises(InputFileError, match="unsupported"):
        open_vector(path)


def test_a_layer_of_a_plane_without_a_place_on_earth_is_refused(tmp_path: Path) -> None:
    path = write(named_squares(), tmp_path / "communes.mif")
    text = path.read_text()
    line = next(line for line in text.splitlines() if line.startswith("CoordSys"))
    path.write_text(text.replace(line, 'CoordSys NonEarth Units "m" Bounds (0, 0) (1e6, 3e6)'))
    with pytest.raises(CrsError):
        open_vector(path)


@pytest.mark.parametrize(
    ("name", "word"),
    [("../communes.shp", "path"), ("/communes.shp", "path"), ("a\\..\\communes.shp", "path"),
     ("inner.zip", "archive"), ("inner.kmz", "archive")],
)  # fmt: skip
def test_unsafe_members_refuse_an_archive(tmp_path: Path, name: str, word: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(InputFileError, match=rf"a\.zip.*{word}"):
        open_vector(tmp_path / "a.zip")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_a_link_inside_an_archive_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("communes.shp")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/hostname")
    with pytest.raises(InputFileError, match="symbolic link"):
        open_vector(tmp_path / "a.zip")


def test_an_archive_that_swells_is_refused_before_it_does(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("communes.geojson", b"0" * 20_000_000)
    with pytest.raises(InputFileError, match="200 times"):
        open_vector(tmp_path / "a.zip")


def test_a_damaged_member_refuses_an_archive(tmp_path: Path) -> None:
    folder = tmp_path / "lop"
    folder.mkdir()
    write(named_squares(), folder / "communes.geojson")
    archive = zip_folder(folder, tmp_path / "a.zip")
    raw = archive.read_bytes()
    archive.write_bytes(raw.replace(b"Polygon", b"Polygoo"))
    with pytest.raises(InputFileError, match="broken"):
        open_vector(archive)


def test_two_layers_in_one_file_are_refused_by_name(tmp_path: Path) -> None:
    path = write(named_squares(), tmp_path / "communes.gpkg", layer="xa")
    write(named_squares(), path, layer="huyen", append=True)
    with pytest.raises(InputFileError, match="2 layers"):
        open_vector(path)


def test_tables_without_places_in_a_geopackage_are_no_layers(tmp_path: Path) -> None:
    path = write(named_squares(), tmp_path / "communes.gpkg", layer="xa")
    styles = named_squares().drop(columns="geometry")
    pyogrio.write_dataframe(styles, path, driver="GPKG", layer="layer_styles", append=True)
    assert len(open_vector(path).layer) == 2


def test_a_database_that_is_no_geopackage_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as db:
        db.execute("CREATE TABLE t (x)")
    with pytest.raises(InputFileError, match="not a GeoPackage"):
        open_vector(tmp_path / "a.gpkg")


def test_a_geopackage_with_unsaved_changes_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = write(named_squares(), tmp_path / "communes.gpkg")
    before = path.read_bytes()
    path.with_name("communes.gpkg-wal").write_bytes(b"changes")
    with pytest.raises(InputFileError, match="close the program"):
        open_vector(path)
    assert path.read_bytes() == before


def test_arcs_are_read_as_short_lines_with_a_record(tmp_path: Path) -> None:
    path = write(named_squares(), tmp_path / "communes.gpkg", geometry_type="Unknown")
    ring = [(105.0, 19.8), (105.1, 19.9), (105.2, 19.8), (105.1, 19.7), (105.0, 19.8)]
    arc = struct.pack("<BIIBII", 1, 10, 1, 1, 8, 5) + b"".join(struct.pack("<2d", *p) for p in ring)
    blob = b"GP\x00\x01" + struct.pack("<i", 4326) + arc
    with closing(sqlite3.connect(path)) as db:
        triggers = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (trigger,) in triggers:
            db.execute(f'DROP TRIGGER "{trigger}"')
        db.execute("UPDATE communes SET geom = ? WHERE fid = 2", [blob])
        db.commit()
    found = open_vector(path)
    assert [(p.row, p.found) for p in found.repairs] == [(2, "circular arcs")]
    shape = found.layer.geometry.iloc[1]
    assert shape.area == pytest.approx(3.1416 * 0.01, rel=0.01)
    assert shapely.get_num_coordinates(shape) > 20


def test_geojson_nested_without_end_is_refused_quickly(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text('{"coordinates": ' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(InputFileError, match="deep"):
        open_vector(tmp_path / "a.geojson")


def test_geojson_in_another_encoding_is_refused_by_that_reason(tmp_path: Path) -> None:
    text = named_squares().to_json(ensure_ascii=False)
    for encoding in ("utf-16", "latin-1"):
        (tmp_path / "a.geojson").write_bytes(
            text.encode(encoding, "replace").replace(b"?", b"\xe0")
        )
        with pytest.raises(InputFileError, match="encoding"):
            open_vector(tmp_path / "a.geojson")


def test_geojson_in_metres_is_no_geojson_in_degrees(tmp_path: Path) -> None:
    layer = plain_squares(2)
    data = json.loads(layer.to_json())
    data.pop("crs")
    path = tmp_path / "communes.geojson"
    path.write_text(json.dumps(data))
    with pytest.raises(CrsError, match="EPSG:5897"):
        open_vector(path)
    assert open_vector(path, crs="EPSG:5897").layer.total_bounds[0] == 500_000
    data["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5897"}}
    path.write_text(json.dumps(data))
    assert open_vector(path).layer.crs == "EPSG:5897"


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "link", "properties": {"href": "http://127.0.0.1:{port}/a", "type": "proj4"}},
        {"type": "url", "properties": {"url": "http://127.0.0.1:{port}/a"}},
        {"type": "name", "properties": {"name": "http://127.0.0.1:{port}/a"}},
        {"type": "name", "properties": {"name": "EPSG:999999"}},
        {"type": "name"},
    ],
)
def test_a_crs_that_is_a_link_is_refused_and_not_fetched(
    tmp_path: Path, crs: dict[str, object]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        member = json.dumps(crs).replace("{port}", str(server.getsockname()[1]))
        data = json.loads(named_squares().to_json(drop_id=True)) | {"crs": json.loads(member)}
        (tmp_path / "a.geojson").write_text(json.dumps(data))
        with pytest.raises(CrsError, match=r"a\.geojson.*no known CRS"):
            open_vector(tmp_path / "a.geojson")
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_crs_that_the_user_names_wins_with_a_record(tmp_path: Path) -> None:
    wrong = plain_squares(2).set_crs("EPSG:9210", allow_override=True)
    path = write(wrong, tmp_path / "communes.gpkg")
    found = open_vector(path, crs="EPSG:5897")
    assert found.layer.crs == "EPSG:5897"
    assert "TM-3 105-45" in found.repairs[0].found


def test_frames_are_told_apart_by_centres_and_axes_by_swapping() -> None:
    # The point of TP Thanh Hóa: 0.66 km between EPSG:3405 and 5897, 26 km to EPSG:9208.
    inside = plain_squares(1).geometry.centroid
    x, y = inside.x.to_numpy(), inside.y.to_numpy()
    centre = (inside.to_crs("EPSG:4326").x.to_numpy(), inside.to_crs("EPSG:4326").y.to_numpy())
    box = (104.3, 19.2, 106.1, 20.7)
    assert 9208 in [frame.epsg for frame in fitting_frames(x, y, box=box)]
    near = fitting_frames(x, y, box=box, centres=centre)
    assert [frame.epsg for frame in near] == [5897, 3405, 32648]
    assert near[0].off_m < 1
    assert fitting_frames(y, x, box=box) == []
    assert "swapped" in suggest_frames(y, x)
    assert "degrees" in suggest_frames(*centre)

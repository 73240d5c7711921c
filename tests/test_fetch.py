"""Downloads, against a server on this computer that also misbehaves. No other address is met."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner
from conftest import SHARED

from phusong.cli import main
from phusong.cli.public import PUBLIC
from phusong.errors import InputFileError
from phusong.io import fetch, sources
from phusong.io.boundaries import read_communes
from phusong.io.cache import PARTIALS, clear_cache, list_cache
from phusong.io.download import Limits, require_allowed
from phusong.io.fetch import Fetched, fetch_layer
from phusong.io.sources import Source, name_source, read_sources

BODY = b"II*\x00" + bytes(range(256)) * 800  # begins as a TIFF does
SHA256 = hashlib.sha256(BODY).hexdigest()
HASTE = Limits(connect_s=2, silence_s=0.4, window_s=0.5, attempts=2, pause_s=0.01)
PAGE = b"<!DOCTYPE html><title>Sign in</title>"


@dataclass
class Server:
    """What a test makes it do: a list of behaviours, one a request, the last one for ever."""

    address: str = ""
    behaviours: list[Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_closing: threading.Event = field(default_factory=threading.Event)


def start(server: Server) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(f"{self.path} {self.headers.get('Range', '')}".strip())
            behave = server.behaviours[0]
            if len(server.behaviours) > 1:
                server.behaviours.pop(0)
            behave(self)
            self.close_connection = True

        def log_message(self, *words: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"127.0.0.1:{listening.server_port}"
    threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}).start()
    return listening


@pytest.fixture
def server() -> Iterator[Server]:
    it = Server(behaviours=[send])
    listening = start(it)
    yield it
    it.is_closing.set()
    listening.shutdown()
    listening.server_close()


def send(
    handler: BaseHTTPRequestHandler,
    *,
    body: bytes = BODY,
    share: float = 1.0,
    length: int | None = None,
    tag: str = '"one"',
    kind: str = "image/tiff",
    understands_ranges: bool = True,
) -> None:
    """Send a body, or its rest; `share` of it before the connection closes."""
    said = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    at = int(said[1]) if said and understands_ranges else 0
    if handler.headers.get("If-Range", tag) != tag:
        at = 0
    handler.send_response(206 if at else 200)
    if at:
        handler.send_header("Content-Range", f"bytes {at}-{len(body) - 1}/{len(body)}")
    handler.send_header("Content-Length", str(len(body) - at if length is None else length))
    handler.send_header("Content-Type", kind)
    if tag:
        handler.send_header("ETag", tag)
    handler.end_headers()
    handler.wfile.write(body[at : int(len(body) * share)])


def source_of(server: Server, *, sha256: str = SHA256, file: str = "a.tif") -> Source:
    return Source(
        name="population", title="", layer="population", licence="", source="",
        url=f"http://{server.address}/", hosts=(server.address,), sha256={file: sha256},
    )  # fmt: skip


def bring(source: Source, cache: Path, *, limits: Limits = HASTE, **options: object) -> Fetched:
    return fetch_layer(source, cache=cache, is_local=True, limits=limits, **options)


def entries(cache: Path) -> list[str]:
    """Return the files of the cache that count; what waits for its rest does not."""
    files = (path for path in cache.rglob("*") if path.is_file())
    return sorted(path.name for path in files if path.parent.name != PARTIALS)


def test_file_is_fetched_once_and_then_held_against_its_sha256(
    server: Server, tmp_path: Path
) -> None:
    seen: list[int] = []
    first = bring(source_of(server), tmp_path, on_bytes=seen.append)
    assert first.path.read_bytes() == BODY
    assert (first.sha256, first.notes, sum(seen)) == (SHA256, (), len(BODY))
    again = bring(source_of(server), tmp_path)
    assert (again.path, again.notes) == (first.path, ())
    assert server.asked == ["/a.tif"]
    assert entries(tmp_path) == ["a.tif", "index.json"]


def test_transfer_cut_at_half_goes_on_from_there(server: Server, tmp_path: Path) -> None:
    server.behaviours = [partial(send, share=0.5), send]
    assert bring(source_of(server), tmp_path).path.read_bytes() == BODY
    assert server.asked == ["/a.tif", f"/a.tif bytes={len(BODY) // 2}-"]
    assert not (tmp_path / PARTIALS).exists()


def test_transfer_cut_again_and_again_leaves_no_entry_and_goes_on_next_time(
    server: Server, tmp_path: Path
) -> None:
    server.behaviours = [partial(send, share=0.5)]
    with pytest.raises(ConnectionError) as caught:
        bring(source_of(server), tmp_path, limits=replace(HASTE, attempts=1))
    got = f"got {len(BODY) // 2:,} of {len(BODY):,} expected bytes"
    assert f"http://{server.address}/a.tif: cut off: {got}" in str(caught.value)
    assert entries(tmp_path) == []
    assert "1 unfinished downloads" in list_cache(tmp_path)[1][0]
    server.behaviours = [send]
    assert bring(source_of(server), tmp_path).path.read_bytes() == BODY
    assert server.asked[-1] == f"/a.tif bytes={len(BODY) // 2}-"


def test_server_that_ignores_the_range_is_read_from_the_start(
    server: Server, tmp_path: Path
) -> None:
    server.behaviours = [partial(send, share=0.5), partial(send, understands_ranges=False)]
    assert bring(source_of(server), tmp_path).path.read_bytes() == BODY


def test_rest_of_another_file_is_not_joined_to_the_start_of_this_one(
    server: Server, tmp_path: Path
) -> None:
    other = BODY[::-1]
    other = BODY[:4] + other[4:]
    server.behaviours = [partial(send, share=0.5), partial(send, body=other, tag='"two"')]
    found = bring(source_of(server, sha256=""), tmp_path)
    assert found.path.read_bytes() == other


def test_start_that_was_wrong_is_fetched_again(server: Server, tmp_path: Path) -> None:
    wrong = b"II*\x00" + bytes(len(BODY))
    server.behaviours = [partial(send, body=wrong, share=0.5)]
    with pytest.raises(ConnectionError):
        bring(source_of(server), tmp_path, limits=replace(HASTE, attempts=1))
    server.behaviours = [send]
    assert bring(source_of(server), tmp_path).path.read_bytes() == BODY
    assert server.asked[1:] == [f"/a.tif bytes={len(wrong) // 2}-", "/a.tif"]


@pytest.mark.parametrize(
    ("behave", "error", "words"),
    [
        (partial(send, length=len(BODY) + 99), ConnectionError, f"cut off: got {len(BODY):,} of"),
        (partial(send, length=len(BODY) - 99), InputFileError, f"got {len(BODY) - 99:,} bytes"),
        (partial(send, body=BODY[:-1] + b"!"), InputFileError, "wrong sha256"),
        (partial(send, body=PAGE, kind="text/html"), InputFileError, "a web page of 37 bytes"),
        (lambda handler: handler.send_error(404), InputFileError, "answers 404"),
        (lambda handler: handler.send_error(503), ConnectionError, "answers 503"),
        (lambda handler: None, ConnectionError, "the connection failed"),
    ],
    ids=[
        "length too large",
        "length too small",
        "other bytes",
        "web page",
        "404",
        "503",
        "silence",
    ],
)
def test_what_is_not_the_file_never_enters_the_cache(
    server: Server, tmp_path: Path, behave: object, error: type[Exception], words: str
) -> None:
    server.behaviours = [behave]
    with pytest.raises(error) as caught:
        bring(source_of(server), tmp_path)
    assert str(caught.value).startswith(f"http://{server.address}/a.tif: ")
    assert words in str(caught.value)
    assert entries(tmp_path) == []
    server.behaviours = [send]
    assert bring(source_of(server), tmp_path).path.read_bytes() == BODY


def test_web_page_is_not_pinned_where_nobody_knows_the_sha256(
    server: Server, tmp_path: Path
) -> None:
    server.behaviours = [partial(send, body=PAGE)]
    with pytest.raises(InputFileError, match="a web page"):
        bring(source_of(server, sha256=""), tmp_path)
    server.behaviours = [partial(send, body=b"not a picture")]
    with pytest.raises(InputFileError, match="not a TIFF image"):
        bring(source_of(server, sha256=""), tmp_path)
    assert entries(tmp_path) == []


def test_slow_drip_is_given_up(server: Server, tmp_path: Path) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        send(handler, share=0)
        while not server.is_closing.wait(0.2):
            handler.wfile.write(b"I")

    server.behaviours = [drip]
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=rf"too slow .*: got \d+ of {len(BODY):,} expected"):
        bring(source_of(server), tmp_path)
    assert time.monotonic() - began < 3
    assert entries(tmp_path) == []


def test_server_that_falls_silent_is_given_up(server: Server, tmp_path: Path) -> None:
    def stop(handler: BaseHTTPRequestHandler) -> None:
        send(handler, share=0.25)
        server.is_closing.wait()

    server.behaviours = [stop]
    with pytest.raises(ConnectionError, match=f"got {len(BODY) // 4:,} of"):
        bring(source_of(server), tmp_path, limits=replace(HASTE, attempts=1))
    assert entries(tmp_path) == []


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "http://169.254.169.254/latest/", "https://elsewhere.example/a.tif",
     "//elsewhere.example/a.tif", "http://[::1]:1/", "ftp://127.0.0.1/a.tif"],
)  # fmt: skip
def test_redirect_elsewhere_is_refused(server: Server, tmp_path: Path, target: str) -> None:
    server.behaviours = [partial(redirect, to=target), send]
    with pytest.raises(InputFileError, match=r"redirects to .*: refused: only"):
        bring(source_of(server), tmp_path)
    assert len(server.asked) == 1
    assert entries(tmp_path) == []


def test_other_server_is_not_asked(server: Server, tmp_path: Path) -> None:
    other = Server(behaviours=[send])
    listening = start(other)
    server.behaviours = [partial(redirect, to=f"http://{other.address}/a.tif")]
    try:
        with pytest.raises(InputFileError, match="refused"):
            bring(source_of(server), tmp_path)
    finally:
        listening.shutdown()
        listening.server_close()
    assert other.asked == []


def redirect(handler: BaseHTTPRequestHandler, *, to: str) -> None:
    handler.send_response(302)
    handler.send_header("Location", to)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def test_redirect_within_the_host_is_followed_and_a_loop_is_not(
    server: Server, tmp_path: Path
) -> None:
    server.behaviours = [partial(redirect, to="/moved/b.tif"), send]
    assert bring(source_of(server), tmp_path).path.read_bytes() == BODY
    assert server.asked == ["/a.tif", "/moved/b.tif"]
    server.behaviours = [partial(redirect, to="/again.tif")]
    with pytest.raises(InputFileError, match="redirects more than 5 times"):
        bring(source_of(server, file="c.tif"), tmp_path)


@pytest.mark.parametrize(
    "url",
    ["http://a.example/x.tif", "https://b.example/x.tif", "https://a.example.evil/x.tif",
     "https://me@a.example/x.tif", "https://a.example:8443/x.tif", "https://a.example:x/x.tif",
     "http://127.0.0.1/x.tif"],
)  # fmt: skip
def test_only_https_of_the_named_hosts_is_allowed(url: str) -> None:
    require_allowed("https://a.example/x.tif", ("a.example",))
    with pytest.raises(InputFileError, match="refused"):
        require_allowed(url, ("a.example", "127.0.0.1"))


def test_file_without_known_sha256_is_pinned_at_first_download(
    server: Server, tmp_path: Path
) -> None:
    first = bring(source_of(server, sha256=""), tmp_path)
    assert first.notes == (f"population/a.tif: sha256 {SHA256}, pinned at this first download",)
    assert bring(source_of(server, sha256=""), tmp_path).notes == ()
    first.path.unlink()
    server.behaviours = [partial(send, body=BODY[:-1] + b"!")]
    with pytest.raises(InputFileError, match=f"expected {SHA256}"):
        bring(source_of(server, sha256=""), tmp_path)
    assert entries(tmp_path) == ["index.json"]


def damage_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [damage_byte, lambda path: path.write_bytes(BODY[:1000]), lambda path: path.write_bytes(b"")],
    ids=["a byte", "cut short", "empty"],
)
@pytest.mark.parametrize("sha256", [SHA256, ""], ids=["known", "pinned at first download"])
def test_damaged_entry_is_found_fetched_anew_and_told(
    server: Server, tmp_path: Path, damage: Callable[[Path], object], sha256: str
) -> None:
    path = bring(source_of(server, sha256=sha256), tmp_path).path
    damage(path)
    assert [state for _, state in list_cache(tmp_path)[0]] == ["changed"]
    with pytest.raises(InputFileError, match=r"is damaged \(wrong sha256\)"):
        bring(source_of(server, sha256=sha256), tmp_path, is_offline=True)
    found = bring(source_of(server, sha256=sha256), tmp_path)
    assert found.notes == ("population/a.tif: was damaged (wrong sha256); fetched anew",)
    assert path.read_bytes() == BODY
    assert [state for _, state in list_cache(tmp_path)[0]] == ["ok"]


def test_damaged_entry_that_cannot_be_fetched_is_not_used(server: Server, tmp_path: Path) -> None:
    damage_byte(bring(source_of(server), tmp_path).path)
    server.behaviours = [lambda handler: handler.send_error(503)]
    with pytest.raises(ConnectionError, match="the copy in the cache is damaged, not used"):
        bring(source_of(server), tmp_path)


@pytest.mark.parametrize(
    "index",
    ["{", "[]", '{"version": 0, "entries": []}', '{"version": 1, "entries": [{"path": "a"}]}',
     json.dumps({"version": 1, "entries": [{"path": "../../x", "url": "", "sha256": "",
                                            "n_bytes": 0, "pinned_by": ""}]})],
    ids=["cut short", "a list", "an older version", "other fields", "points elsewhere"],
)  # fmt: skip
def test_index_that_cannot_be_used_is_made_anew_and_told(
    server: Server, tmp_path: Path, index: str
) -> None:
    bring(source_of(server), tmp_path)
    (tmp_path / "index.json").write_text(index, encoding="utf-8")
    found = bring(source_of(server), tmp_path)
    assert "index.json: not used" in found.notes[0]
    assert bring(source_of(server), tmp_path).notes == ()
    assert len(server.asked) == 1  # the file itself was right: its sha256 is known


def test_cache_is_cleared_of_our_files_only(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    bring(source_of(server), cache)
    (cache / "mine.txt").write_text("mine", encoding="utf-8")
    assert clear_cache(cache) == (1, ("mine.txt: not ours, left as it is",))
    assert entries(cache) == ["mine.txt"]
    with pytest.raises(InputFileError, match="not a cache of phusong"):
        clear_cache(tmp_path)
    assert clear_cache(tmp_path / "none") == (0, ())


WARDS = {"00001": 105.0, "00002": 105.02}


def ward(code: str, *, bare: bool = False) -> bytes:
    """A file as upstream has it, or a bare Feature with our own names."""
    square = shapely.box(WARDS[code], 19.9, WARDS[code] + 0.02, 19.92)
    feature = {
        "type": "Feature",
        "geometry": json.loads(shapely.to_geojson(shapely.MultiPolygon([square]))),
        "properties": {"commune_code": code, "commune_name": f"Xã {code}"}
        if bare
        else {"code": code, "name": code, "fullName": f"Xã {code}", "areaKm2": 4.63},
    }
    found = feature if bare else {"type": "FeatureCollection", "features": [feature]}
    return json.dumps(found, ensure_ascii=False).encode()


def wards_of(server: Server, bodies: dict[str, bytes]) -> Source:
    server.behaviours = [lambda handler: send(handler, body=bodies[handler.path[1:]])]
    digests = {file: hashlib.sha256(body).hexdigest() for file, body in bodies.items()}
    return replace(source_of(server), name="boundaries", layer="communes", sha256=digests,
                   assembled="all.parquet", province_code="38")  # fmt: skip


def test_wards_become_one_layer_that_a_run_reads(server: Server, tmp_path: Path) -> None:
    source = wards_of(server, {"1.geojson": ward("00001"), "2.geojson": ward("00002", bare=True)})
    found = bring(source, tmp_path)
    layer = read_communes(found.path).layer
    assert list(layer["commune_code"]) == ["00001", "00002"]
    assert list(layer["commune_name"]) == ["Xã 00001", "Xã 00002"]
    assert set(layer["province_code"]) == {"38"}
    assert layer["area_km2"].iloc[0] == 4.63
    assert layer.geometry.iloc[0].equals(shapely.box(105.0, 19.9, 105.02, 19.92))


def test_layer_that_was_damaged_is_made_anew_without_the_network(
    server: Server, tmp_path: Path
) -> None:
    source = wards_of(server, {"1.geojson": ward("00001"), "2.geojson": ward("00002")})
    found = bring(source, tmp_path)
    damage_byte(found.path)
    again = bring(source, tmp_path, is_offline=True)
    assert again.notes == (
        "boundaries/all.parquet: was damaged (wrong sha256); made anew of its 2 parts",
    )
    assert again.sha256 == found.sha256
    assert len(server.asked) == 2


def test_swapped_wards_are_found(server: Server, tmp_path: Path) -> None:
    source = wards_of(server, {"1.geojson": ward("00001"), "2.geojson": ward("00002")})
    folder = bring(source, tmp_path).path.parent
    (folder / "1.geojson").rename(folder / "3.geojson")
    (folder / "2.geojson").rename(folder / "1.geojson")
    (folder / "3.geojson").rename(folder / "2.geojson")
    assert len(bring(source, tmp_path).notes) == 2
    assert (folder / "1.geojson").read_bytes() == ward("00001")


def test_wards_that_came_before_a_failure_are_not_asked_for_again(
    server: Server, tmp_path: Path
) -> None:
    source = wards_of(server, {"1.geojson": ward("00001"), "2.geojson": ward("00002")})
    serve = server.behaviours[0]
    server.behaviours = [serve, lambda handler: handler.send_error(404), serve]
    with pytest.raises(InputFileError):
        bring(source, tmp_path)
    assert entries(tmp_path) == ["1.geojson", "index.json"]
    bring(source, tmp_path)
    assert server.asked == ["/1.geojson", "/2.geojson", "/2.geojson"]


@pytest.mark.parametrize("body", [b"{}", b"[", b'{"type": "FeatureCollection", "features": []}'])
def test_ward_without_one_commune_is_refused(server: Server, tmp_path: Path, body: bytes) -> None:
    with pytest.raises(InputFileError, match="not a commune in GeoJSON"):
        bring(wards_of(server, {"1.geojson": body}), tmp_path)


def test_commune_that_occurs_twice_is_refused(server: Server, tmp_path: Path) -> None:
    source = wards_of(server, {"1.geojson": ward("00001"), "2.geojson": ward("00001")})
    with pytest.raises(InputFileError, match="occur twice: 00001"):
        bring(source, tmp_path)


def test_sources_are_pinned_and_allowed() -> None:
    known = read_sources()
    assert tuple(known) == PUBLIC
    assert len(known["boundaries"].sha256) == 166
    for source in known.values():
        for file, digest in source.sha256.items():
            require_allowed(f"{source.url}{file}", source.hosts)
            assert re.fullmatch("[0-9a-f]{64}", digest) or file == "communes.rda"


@pytest.mark.realdata
def test_sha256_of_the_population_is_that_of_the_real_file(shared: Path) -> None:
    ((file, digest),) = read_sources()["population"].sha256.items()
    body = (shared / "data" / "population" / file).read_bytes()
    assert hashlib.sha256(body).hexdigest() == digest
    assert len(body) == read_sources()["population"].n_bytes


def test_address_of_the_user_takes_its_place_beside_the_known_one() -> None:
    mine = name_source("terrain", url="https://data.example/dem/N19.tif", sha256="A" * 64,
                       hosts=("cdn.example",))  # fmt: skip
    assert mine.url == "https://data.example/dem/"
    assert mine.sha256 == {"N19.tif": "a" * 64}
    assert mine.hosts == ("data.example", "cdn.example")
    assert mine.name.startswith("terrain-")
    assert name_source("population", sha256="b" * 64).pinned_by == "the user"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["terrain"], "give its --url"),
        (["terrain", "--url", "https://a.example/dem.zip"], "ending in .tif"),
        (["terrain", "--url", "https://a.example/dem.tif?key=1"], "with ? or #"),
        (["terrain", "--url", "http://a.example/dem.tif"], "refused: only https"),
        (["terrain", "--url", "file:///etc/dem.tif"], "refused: only https"),
        (["population", "--sha256", "12"], "64 hexadecimal digits"),
        (["boundaries", "--sha256", "1" * 64], "fits only one"),
        (["boundaries", "--url", "https://a.example/x.tif"], "--url is for rasters"),
        (["boundaries", "--offline"], "is not in the cache"),
    ],
)
def test_wrong_options_are_exit_2_with_one_message(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    done = CliRunner().invoke(main, ["fetch", *arguments, "--cache", str(tmp_path / "c")])
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.output


@pytest.fixture
def local(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The command line with this computer in place of the public servers."""

    def named(name: str, **options: object) -> Source:
        return source_of(server)

    monkeypatch.setattr(sources, "name_source", named)
    monkeypatch.setattr(fetch, "fetch_layer",
                        partial(fetch_layer, is_local=True, limits=HASTE))  # fmt: skip
    return server


def test_command_line_fetches_lists_and_clears(local: Server, tmp_path: Path) -> None:
    def run(*arguments: str) -> object:
        return CliRunner().invoke(main, [*arguments, "--cache", str(tmp_path)])

    done = run("fetch", "population")
    assert done.exit_code == 0, done.output
    assert SHA256 in done.stdout
    listed = run("cache")
    assert (listed.exit_code, f"{len(BODY):,}  ok" in listed.stdout) == (0, True)
    damage_byte(tmp_path / "population" / "a.tif")
    assert run("cache").exit_code == 2
    assert "1 files removed" in run("cache", "--clear").stdout
    assert "0 files, 0 bytes" in run("cache").stdout


def test_network_that_fails_is_exit_3(local: Server, tmp_path: Path) -> None:
    local.behaviours = [partial(send, share=0.5)]
    done = CliRunner().invoke(main, ["fetch", "population", "--cache", str(tmp_path)])
    assert done.exit_code == 3
    assert f"http://{local.address}/a.tif" in done.stderr


def upstream(row: object) -> bytes:
    """A ward of the real layer, written as a FeatureCollection with upstream's names."""
    properties = {"code": row.commune_code, "name": row.short_name, "fullName": row.commune_name,
                  "areaKm2": row.area_km2}  # fmt: skip
    feature = {"type": "Feature", "properties": properties,
               "geometry": json.loads(shapely.to_geojson(row.geometry))}  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


@pytest.mark.realdata
def test_demo_runs_on_the_official_communes(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = gpd.read_parquet(SHARED / "data" / "boundaries" / "thanh_hoa_2025.parquet")
    west = real.loc[shapely.get_x(shapely.centroid(real.geometry.to_numpy())) < 104.8]
    bodies = {f"{row.commune_code}.geojson": upstream(row) for row in west.itertuples()}
    source = wards_of(server, bodies)
    bring(source, tmp_path / "cache")
    monkeypatch.setattr(sources, "name_source", lambda name, **options: source)
    folders = ["--cache", str(tmp_path / "cache"), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(main, ["demo", "--boundaries", "official", "--no-map", *folders])
    assert done.exit_code == 0, done.output
    made = gpd.read_parquet(tmp_path / "out" / "communes.parquet")
    assert sorted(made["commune_code"]) == sorted(west["commune_code"])
    assert made["synthetic"].all()
    assert "schematic" not in made
    assert len(server.asked) == len(west)

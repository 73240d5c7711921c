"""A site on this machine only, for looking at it: never a server for others."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from phusong.publish.site.output import TYPES, listed_pages

__all__ = ["SiteServer", "open_server"]

HOST = "127.0.0.1"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    # Each page names its own scripts and styles in a policy of its own, the map by their hashes:
    # one that is stricter here would stop the map.
    "Content-Security-Policy": (
        "frame-ancestors 'self'; object-src 'none'; base-uri 'none'; form-action 'none'"
    ),
}


class SiteServer(ThreadingHTTPServer):
    """Serves the files that `site.json` lists, and no other."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder.resolve()
        self.listed = listed_pages(folder)
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of what is wrong with us, not of a browser that left in the middle."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/"

    @property
    def hosts(self) -> frozenset[str]:
        """The names by which a browser of this machine may ask; others may be someone's trick."""
        return frozenset(f"{name}:{self.server_port}" for name in (HOST, "localhost"))

    def find(self, path: str) -> Path | None:
        """Return the file of a path of a URL; None if it is none of the site's."""
        name = unquote(path).removeprefix("/")
        name = f"{name}index.html" if name == "" or name.endswith("/") else name
        if name not in self.listed:
            return None
        file = (self.folder / name).resolve()
        return file if file.is_file() and file.is_relative_to(self.folder) else None


class _Handler(BaseHTTPRequestHandler):
    server: SiteServer
    timeout = 30

    def version_string(self) -> str:
        return "phusong"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is the user's."""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        if self.headers.get("Host") not in self.server.hosts:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        status, file = HTTPStatus.OK, self.server.find(urlsplit(self.path).path)
        if file is None:
            status, file = HTTPStatus.NOT_FOUND, self.server.find("/404.html")
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with file.open("rb") as stream:
            self.send_response(status)
            self.send_header("Content-Type", TYPES.get(file.suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(file.stat().st_size))
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                shutil.copyfileobj(stream, self.wfile)


@contextmanager
def open_server(folder: Path, *, port: int = 0) -> Iterator[SiteServer]:
    """Yield a server of a site; `serve_forever` answers until it is stopped.

    Parameters
    ----------
    folder : Path
        A site that `publish_site` wrote.
    port : int
        0 takes one that is free.

    Raises
    ------
    OSError
        If the port is taken.
    """
    server = SiteServer(folder, port)
    try:
        yield server
    finally:
        server.server_close()

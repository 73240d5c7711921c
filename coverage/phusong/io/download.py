"""One file from one address: resumed where it was cut, refused where it is something else."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from phusong.errors import InputFileError
from phusong.io.files import require_file
from phusong.io.staging import hash_file

if TYPE_CHECKING:
    import requests

__all__ = ["Downloader", "Limits", "require_allowed"]

CHUNK = 1 << 16
MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
GONE = (400, 401, 403, 404, 410, 451)
GO_ON = "run the same command again to go on from there"
LOCAL = ("127.0.0.1", "localhost", "::1")
PAGES = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How patient a download is."""

    connect_s: float = 15.0
    silence_s: float = 30.0
    window_s: float = 30.0  # over which fewer than `min_bytes_s` on average are too few
    min_bytes_s: float = 500.0
    attempts: int = 4
    pause_s: float = 1.0
    max_bytes: int = 4_000_000_000


class _CutError(Exception):
    """The transfer ended before its end; the next attempt goes on from there."""


class _Pace:
    """Watches how fast bytes come."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._n_bytes, self._since = 0, time.monotonic()

    def complain(self, n_bytes: int) -> str:
        """Count `n_bytes` more; return how slow it is where that is too slow, else ""."""
        self._n_bytes += n_bytes
        elapsed = time.monotonic() - self._since
        if elapsed < self._limits.window_s:
            return ""
        slow = f"{self._n_bytes:,} bytes in {elapsed:.1f} s"
        is_slow = self._n_bytes < self._limits.min_bytes_s * elapsed
        self._n_bytes, self._since = 0, time.monotonic()
        return slow if is_slow else ""


class Downloader:
    """Saves files by HTTPS from named hosts, over one session.

    What has come of a file that was cut lies in `partials` until it is whole: the next attempt,
    of this process or of a later one, asks for the rest only.

    Parameters
    ----------
    hosts : tuple of str
        The hosts that may be spoken to, each as "host" or "host:port"; a redirect to any other is
        refused before a word is said to it.
    partials : Path
        Folder for what has come so far; made if needed.
    limits : Limits
    is_local : bool
        Allow plain HTTP to this computer, for tests and mirrors on it.
    on_bytes : callable, optional
        Told how many bytes more have come.
    """

    def __init__(
        self,
        *,
        hosts: tuple[str, ...],
        partials: Path,
        limits: Limits | None = None,
        is_local: bool = False,
        on_bytes: Callable[[int], object] | None = None,
    ) -> None:
        import requests

        self._hosts = hosts
        self._partials = partials
        self._limits = limits or Limits()
        self._is_local = is_local
        self._on_bytes = on_bytes or (lambda n_bytes: None)
        self._session = requests.Session()
        self._session.trust_env = not is_local  # the proxy of an office is found there
        self._session.auth = _no_password

    def __enter__(self) -> Downloader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def save(self, url: str, output_file: str, *, sha256: str) -> None:
        """Download `url` to `output_file`, which is made only when everything has come.

        Parameters
        ----------
        url, output_file : str
        sha256 : str
            What the file must have; "" if nobody knows. Then it is resumed only where the server
            can say that it is still the same file.

        Raises
        ------
        InputFileError
            If an address is not allowed, there is no such file, or something else came.
        ConnectionError, TimeoutError
            If the network or the server failed; with the bytes that came and were expected.
        """
        self._partials.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(url.encode()).hexdigest()[:32]
        part = self._partials / f"{name}{Path(urlsplit(url).path).suffix.lower()}"
        was_begun = part.exists()
        try:
            self._complete(url, part, is_pinned=bool(sha256))
            _require_content(part, url, sha256)
        except InputFileError:
            _forget(part)
            if not was_begun:
                raise
            # The start, of an earlier day, may not have been the start of this file.
            self.save(url, output_file, sha256=sha256)
            return
        part.replace(output_file)
        _forget(part)

    def _complete(self, url: str, part: Path, *, is_pinned: bool) -> None:
        """Go on with `part` until all has come, some attempts long."""
        for attempt in range(1, self._limits.attempts + 1):
            try:
                self._receive(url, part, is_pinned=is_pinned)
                return
            except _CutError as cut:
                if attempt == self._limits.attempts:
                    raise ConnectionError(f"{url}: {cut} ({attempt} attempts); {GO_ON}") from cut
            time.sleep(self._limits.pause_s * attempt)

    def _receive(self, url: str, part: Path, *, is_pinned: bool) -> None:
        """Append what is missing of `url` to `part`."""
        import requests

        validator = _validator_path(part)
        tag = validator.read_text(encoding="ascii") if validator.exists() else ""
        offset = part.stat().st_size if part.exists() and (tag or is_pinned) else 0
        headers = {"Accept-Encoding": "identity", "User-Agent": "phusong"}
        if offset:
            headers |= {"Range": f"bytes={offset}-"} | ({"If-Range": tag} if tag else {})
        try:
            with closing(self._open(url, headers)) as response:
                offset = _find_start(response, offset, url, part)
                expected = _expected_bytes(response, offset)
                self._require_size(expected or 0, url)
                self._write(response, part, url=url, offset=offset, expected=expected)
        except requests.RequestException as error:
            n_bytes = part.stat().st_size if part.exists() else 0
            raise _CutError(f"the connection failed, got {n_bytes:,} bytes: {error}") from error

    def _open(self, url: str, headers: dict[str, str]) -> requests.Response:
        """Return the answer to a request, after redirects within the allowed hosts."""
        asked = url
        timeout = (self._limits.connect_s, self._limits.silence_s)
        for _ in range(MAX_REDIRECTS + 1):
            require_allowed(url, self._hosts, is_local=self._is_local, asked=asked)
            response = self._session.get(
                url, headers=headers, timeout=timeout, stream=True, allow_redirects=False
            )
            if response.status_code not in REDIRECTS:
                return response
            response.close()
            url = urljoin(url, response.headers.get("Location", ""))
        raise InputFileError(f"{asked}: redirects more than {MAX_REDIRECTS} times; refused")

    def _write(
        self,
        response: requests.Response,
        part: Path,
        *,
        url: str,
        offset: int,
        expected: int | None,
    ) -> None:
        """Write the body of a response behind the first `offset` bytes of `part`."""
        from urllib3.exceptions import HTTPError

        _validator_path(part).write_text(_strong_tag(response), encoding="ascii")
        n_bytes, pace = offset, _Pace(self._limits)
        with part.open("ab" if offset else "wb") as file:
            try:
                # read1 returns what one packet brought; read would wait for a full chunk, however
                # slowly it drips.
                while block := response.raw.read1(CHUNK, decode_content=False):
                    file.write(block)
                    n_bytes += len(block)
                    self._on_bytes(len(block))
                    self._require_size(n_bytes, url)
                    if slow := pace.complain(len(block)):
                        got = f"got {n_bytes:,} of {_said(expected)} bytes"
                        raise TimeoutError(f"{url}: too slow ({slow}): {got}; {GO_ON}")
            except HTTPError as error:
                got = f"got {n_bytes:,} of {_said(expected)} bytes"
                raise _CutError(f"cut off: {got} ({error})") from error
        if expected is not None and n_bytes != expected:
            raise _CutError(f"cut off: got {n_bytes:,} of {_said(expected)} bytes")

    def _require_size(self, n_bytes: int, url: str) -> None:
        if n_bytes > self._limits.max_bytes:
            raise InputFileError(
                f"{url}: {n_bytes:,} bytes, more than the limit of {self._limits.max_bytes:,}"
            )


def require_allowed(
    url: str, hosts: tuple[str, ...], *, is_local: bool = False, asked: str = ""
) -> None:
    """Check that an address is HTTPS on one of `hosts`, before anything is sent to it.

    Raises
    ------
    InputFileError
        If it is not; `asked` is the address that led to it.

    Examples
    --------
    >>> require_allowed("https://data.example/a.tif", ("data.example",))
    >>> require_allowed("http://169.254.169.254/", ("data.example",))
    Traceback (most recent call last):
    phusong.errors.InputFileError: http://169.254.169.254/: refused: only https://data.example
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    is_plain = is_local and parts.scheme == "http" and host in LOCAL
    try:
        name = host if parts.port is None else f"{host}:{parts.port}"
    except ValueError:
        name = ""
    if (parts.scheme == "https" or is_plain) and name in hosts and parts.username is None:
        return
    led = f"{asked}: redirects to " if asked and asked != url else ""
    allowed = ", ".join(f"https://{host}" for host in hosts)
    raise InputFileError(f"{led}{url}: refused: only {allowed}")


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no password: without this, requests sends the one that ~/.netrc has for a host."""
    return request


def _find_start(response: requests.Response, offset: int, url: str, part: Path) -> int:
    """Return the byte that the body begins at: 0 where the server sends the whole file again."""
    if response.status_code == 200:
        return 0
    if response.status_code == 206 and offset:
        said = response.headers.get("Content-Range", "")
        if said.startswith(f"bytes {offset}-"):
            return offset
        _forget(part)
        raise _CutError(f"asked to go on from byte {offset:,}, was sent {said or 'no range'!r}")
    if response.status_code == 416 and offset:
        _forget(part)
        raise _CutError(f"the {offset:,} bytes of an earlier attempt are not the start of the file")
    if response.status_code in GONE:
        raise InputFileError(
            f"{url}: the server answers {response.status_code} {response.reason}: is the address "
            "right, and open to everyone?"
        )
    raise _CutError(f"the server answers {response.status_code} {response.reason}; got 0 bytes")


def _expected_bytes(response: requests.Response, offset: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return offset + int(length) if length.isdecimal() else None


def _strong_tag(response: requests.Response) -> str:
    """Return the ETag by which the rest can be asked for; "" for a weak one or none."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') and tag.isascii() else ""


def _said(expected: int | None) -> str:
    return "an unknown number of" if expected is None else f"{expected:,} expected"


def _require_content(part: Path, url: str, sha256: str) -> None:
    """Check that a whole file is what it must be."""
    found, n_bytes = hash_file(part), part.stat().st_size
    with part.open("rb") as file:
        is_page = file.read(200).lstrip().lower().startswith(PAGES)
    if is_page:
        raise InputFileError(
            f"{url}: a web page of {n_bytes:,} bytes came in place of the file: does the network "
            "ask for a sign-in? Nothing was kept"
        )
    if sha256 and found != sha256:
        raise InputFileError(
            f"{url}: wrong sha256: got {n_bytes:,} bytes with sha256 {found}, expected {sha256}. "
            "Nothing was kept: the file was changed on its way or by its publisher"
        )
    require_file(part, (part.suffix,), name=url.rpartition("/")[2])


def _validator_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _forget(part: Path) -> None:
    for path in (part, _validator_path(part)):
        with suppress(FileNotFoundError):
            path.unlink()

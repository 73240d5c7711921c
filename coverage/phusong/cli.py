"""The command line: arguments become a call, errors become exit codes. Heavy imports wait.

Exit codes: 0 done, 1 finished with a quarantine under --strict, 2 bad usage or input,
3 environment (disk, memory, permission).
"""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, ParamSpec

import click

if TYPE_CHECKING:
    from phusong.io.fetch import Fetched
    from phusong.io.settings import Study
    from phusong.runs import Outcome

__all__ = ["main"]

QUARANTINED, BAD_INPUT, ENVIRONMENT = 1, 2, 3

# How libraries say that the system gave them no memory, where they do not raise MemoryError.
OUT_OF_MEMORY = (
    "bad_alloc", "annot allocate memory", "failed to map segment", "start new thread",
    "out of memory",
)  # fmt: skip

LAYERS = ("communes", "sites", "service", "population", "terrain", "measurements")
PUBLIC = ("boundaries", "boundaries-2009", "population", "terrain")

Params = ParamSpec("Params")

INPUT = click.Path(path_type=Path)
OUT = click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Folder for the outputs.", required=True
)
LANG = click.option("--lang", type=click.Choice(["vi", "en"]), default=None, help="Of the maps.")
NO_MAP = click.option("--no-map", is_flag=True, help="Only the tables.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
CACHE = click.option("--cache", type=INPUT, help="Folder of what was fetched. [the user's cache]")
STRICT = click.option("--strict", is_flag=True, help="Exit 1 if a row was set aside.")


class _Stopped(KeyboardInterrupt):
    """SIGINT or SIGTERM: what is unfinished is cleaned up on the way out."""


def _answers(verb: Callable[Params, int]) -> Callable[Params, None]:
    """Turn what a verb returns or raises into an exit code and one message."""

    @wraps(verb)
    def run(*args: Params.args, **kwargs: Params.kwargs) -> None:
        from phusong.errors import PhusongError

        _prepare_streams()
        message = ""
        with _stopping_on_signals() as stopped:
            try:
                code = verb(*args, **kwargs)
            except PhusongError as error:
                code, message = BAD_INPUT, str(error)
            except BrokenPipeError:
                code = 0  # whoever read our words has heard enough; the outputs are written
                _silence_stdout()
            except (OSError, MemoryError, ImportError, RuntimeError) as error:
                code, message = _explain_environment(error)
            except _Stopped:
                code = ENVIRONMENT
        if stopped:
            code, message = 128 + stopped[0], f"stopped by {signal.Signals(stopped[0]).name}"
        if message:
            with suppress(OSError):  # stderr may be a closed pipe; the exit code still tells
                click.echo(f"phusong: {message}", err=True)
        sys.exit(code)

    return run


@contextmanager
def _stopping_on_signals() -> Iterator[list[int]]:
    """Raise `_Stopped` on SIGINT and SIGTERM, and list them: what swallows it cannot hide it."""
    stopped: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.append(number)
        raise _Stopped

    numbers: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():
        numbers = ()
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _prepare_streams() -> None:
    """See to it that words reach the console and never a file of ours.

    A closed stdout or stderr leaves its number to the next file that is opened, so that a warning
    of a C library would be written into an output. Letters that the console cannot show are
    written as JSON writes them, so that JSON stays JSON.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    codecs.register_error("as_json", _escape_as_json)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="as_json")


def _escape_as_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    escapes = (f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    return "".join(escapes), error.end


def _silence_stdout() -> None:
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _explain_environment(error: Exception) -> tuple[int, str]:
    """Return the exit code and the message of what the system refused; raise what is a bug."""
    if any(sign in str(error) for sign in OUT_OF_MEMORY) or isinstance(error, MemoryError):
        return ENVIRONMENT, "not enough memory: close other programs or raise the limit"
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return BAD_INPUT, f"{error.filename}: no such file"
    if isinstance(error, OSError):
        where = "" if error.filename is None else f"{error.filename}: "
        return ENVIRONMENT, f"{where}{error.strerror or error}"
    raise error


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="phusong", prog_name="phusong")
def main() -> None:
    """Coverage of communes by broadband and 5G, measured against a plan's targets.

    Phủ sóng: đo độ phủ băng rộng và 5G của từng xã so với mục tiêu.
    """


@main.command()
@click.option(
    "-o", "--out", type=INPUT, default=Path("maps/demo"), show_default=True, help="Output folder."
)
@click.option(
    "--boundaries",
    type=click.Choice(["embedded", "official"]),
    default="embedded",
    show_default=True,
    help="Schematic communes that come with phusong, or those of `phusong fetch boundaries`.",
)
@CACHE
@LANG
@NO_MAP
@JSON
@_answers
def demo(
    out: Path, boundaries: str, cache: Path | None, lang: str | None, no_map: bool, as_json: bool
) -> int:
    """Run the main job on the embedded data (synthetic network, schematic communes)."""
    from phusong.runs import demo_study

    official = _fetch("boundaries", cache, offline=True) if boundaries == "official" else None
    study = demo_study(official)
    return _run(_in_language(study, lang), out, no_map=no_map, as_json=as_json)


@main.command()
@click.option("--communes", type=INPUT, required=True, help="Boundaries with code and name.")
@click.option(
    "--sites", type=INPUT, required=True, multiple=True, help="Cells; may be given repeatedly."
)
@click.option("--service", type=INPUT, help="Broadband by commune, operator, technology.")
@click.option("--population", type=INPUT, help="Persons per cell (GeoTIFF).")
@click.option("--crs", help="Of site coordinates given as x, y, such as EPSG:5897.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Day of the data. [today]")
@click.option("--vintage", default="2025", show_default=True, help="Commune map of the boundaries.")
@click.option("--service-vintage", help="Commune map of the service table's codes.")
@click.option("--place", default="", help="Name of the area, for titles.")
@OUT
@LANG
@NO_MAP
@JSON
@STRICT
@_answers
def assess(
    communes: Path,
    sites: tuple[Path, ...],
    service: Path | None,
    population: Path | None,
    crs: str | None,
    as_of: datetime | None,
    vintage: str,
    service_vintage: str | None,
    place: str,
    out: Path,
    lang: str | None,
    no_map: bool,
    as_json: bool,
    strict: bool,
) -> int:
    """Measure the coverage of communes from files given one by one."""
    from phusong.io.settings import Study

    study = Study(
        communes=communes,
        sites=sites,
        service=service,
        population=population,
        crs=crs,
        as_of=date.today() if as_of is None else as_of.date(),
        vintage=vintage,
        service_vintage=service_vintage,
        place=place,
    )
    return _run(_in_language(study, lang), out, no_map=no_map, as_json=as_json, strict=strict)


@main.command()
@click.argument("study", type=INPUT)
@OUT
@LANG
@NO_MAP
@JSON
@STRICT
@_answers
def run(study: Path, out: Path, lang: str | None, no_map: bool, as_json: bool, strict: bool) -> int:
    """Run a study file: the same as assess and everything else, from one file."""
    from phusong.io.files import require_file
    from phusong.io.settings import read_study

    require_file(study, (".toml",))  # a pipe would be waited for, a device read for ever
    read = _in_language(read_study(study), lang)
    return _run(read, out, no_map=no_map, as_json=as_json, strict=strict)


@main.command()
@click.argument("study", type=INPUT, default=Path("study.toml"))
@_answers
def init(study: Path) -> int:
    """Write a commented study file to fill in; never over one that is there."""
    from phusong.io.embedded import embedded_path

    try:
        with study.open("x", encoding="utf-8", newline="\n") as file:
            file.write(embedded_path("study").read_text(encoding="utf-8"))
    except FileExistsError:
        click.echo(f"phusong: {study} is there already; give another name", err=True)
        return BAD_INPUT
    click.echo(f"{study} written: fill it in, then  phusong run {study} -o maps/first")
    return 0


@main.command()
@click.argument("layer", type=click.Choice(LAYERS))
@click.argument("file", type=INPUT)
@click.option("--crs", help="Of coordinates given as x, y, such as EPSG:5897.")
@click.option("--communes", type=INPUT, help="Boundaries to hold places against.")
@click.option("--names", type=INPUT, help="The names.csv of an earlier check, filled in.")
@click.option("-o", "--out", type=INPUT, help="Folder for check.json and the clean layer.")
@LANG
@JSON
@STRICT
@_answers
def check(
    layer: str,
    file: Path,
    crs: str | None,
    communes: Path | None,
    names: Path | None,
    out: Path | None,
    lang: str | None,
    as_json: bool,
    strict: bool,
) -> int:
    """Read one file exactly as a run would, and say what would be set aside or repaired."""
    from phusong.io.check import check_file
    from phusong.io.write import to_json
    from phusong.publish.checktext import format_check

    account = check_file(
        layer, file, crs=crs, communes=communes, as_of=date.today(), out=out, lang=lang or "vi",
        names=names,
    )  # fmt: skip
    click.echo(to_json(account) if as_json else format_check(account, lang=lang or "vi"))
    if out is not None:
        click.echo(f"→ {out.resolve()}", err=True)
    if account["verdict"] == "refused":
        return BAD_INPUT
    return QUARANTINED if strict and account["rows_quarantined"] else 0


@main.command()
@click.argument("layer", type=click.Choice(["sites", "service"]))
@click.option("-o", "--out", type=INPUT, required=True, help="A new file, .xlsx.")
@_answers
def template(layer: str, out: Path) -> int:
    """Write an empty sheet with the headings, units and an example row."""
    from phusong.io.template import write_template

    write_template(layer, out)
    click.echo(f"→ {out.resolve()}")
    return 0


@main.command()
@click.argument("folder", type=INPUT)
@_answers
def verify(folder: Path) -> int:
    """Hold the files of a run against its run.json."""
    from phusong.io.manifest import verify_run

    problems = verify_run(folder)
    for problem in problems:
        click.echo(f"phusong: {problem}", err=True)
    if not problems:
        click.echo(f"{folder}: every file is as it was written")
    return BAD_INPUT if problems else 0


@main.command()
@click.argument("layer", type=click.Choice(PUBLIC))
@click.option("--url", help="Another address of a GeoTIFF (population, terrain); HTTPS.")
@click.option("--sha256", help="What the file must have; without it, pinned at first download.")
@click.option("--allow-host", multiple=True, help="A host that --url may redirect to.")
@click.option("--offline", is_flag=True, help="Only hold what is there against its sha256.")
@CACHE
@_answers
def fetch(
    layer: str,
    url: str | None,
    sha256: str | None,
    allow_host: tuple[str, ...],
    offline: bool,
    cache: Path | None,
) -> int:
    """Download a public layer into the cache: the only verb that uses the network."""
    found = _fetch(layer, cache, url=url, sha256=sha256, hosts=allow_host, offline=offline)
    source = found.source
    for line in (source.title, f"source: {source.source}", f"licence: {source.licence}"):
        click.echo(line)
    click.echo(f"sha256 {found.sha256}")
    if source.advice:
        click.echo(source.advice)
    click.echo(f"→ {found.path.resolve()}")
    return 0


@main.command()
@click.option("--clear", is_flag=True, help="Remove what phusong fetched, and nothing else.")
@CACHE
@_answers
def cache(clear: bool, cache: Path | None) -> int:
    """List what was fetched: bytes, whether the sha256 holds, path."""
    from phusong.io.cache import clear_cache, default_cache, list_cache

    folder = cache or default_cache()
    states = []
    if clear:
        n_files, notes = clear_cache(folder)
        click.echo(f"{folder}: {n_files} files removed")
    else:
        listed, notes = list_cache(folder)
        states = [state for _, state in listed]
        for entry, state in listed:
            row = f"{entry.n_bytes:>12,}  {state:<7}  {entry.sha256[:12]}  {entry.path}"
            click.echo(f"{row}  (pinned by {entry.pinned_by})")
        n_bytes = sum(entry.n_bytes for entry, _ in listed)
        click.echo(f"{folder}: {len(listed)} files, {n_bytes:,} bytes, {states.count('ok')} ok")
    for note in notes:
        click.echo(f"phusong: {note}", err=True)
    return 0 if states.count("ok") == len(states) else BAD_INPUT


def _fetch(
    layer: str,
    cache: Path | None,
    *,
    url: str | None = None,
    sha256: str | None = None,
    hosts: tuple[str, ...] = (),
    offline: bool,
) -> Fetched:
    from tqdm import tqdm

    from phusong.io.cache import default_cache
    from phusong.io.fetch import fetch_layer
    from phusong.io.sources import name_source

    source = name_source(layer, url=url, sha256=sha256, hosts=hosts)
    with tqdm(
        total=source.n_bytes, desc=layer, unit="B", unit_scale=True, disable=None, leave=False,
        file=sys.stderr,
    ) as bar:  # fmt: skip
        found = fetch_layer(
            source, cache=cache or default_cache(), is_offline=offline, on_bytes=bar.update
        )
    for note in found.notes:
        click.echo(f"phusong: {note}", err=True)
    return found


def _in_language(study: Study, lang: str | None) -> Study:
    return study if lang is None else replace(study, lang="en" if lang == "en" else "vi")


def _run(study: Study, out: Path, *, no_map: bool, as_json: bool, strict: bool = False) -> int:
    from phusong.io.staging import prepare_folder
    from phusong.runs import run_study

    for note in prepare_folder(out):
        click.echo(f"phusong: {note}", err=True)
    outcome = run_study(study, out, with_map=not no_map, progress=_show_progress)
    _tell(outcome, as_json=as_json)
    return QUARANTINED if strict and outcome.n_quarantined else 0


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        from phusong.io.write import to_json

        click.echo(to_json(outcome.summary | {"folder": str(outcome.folder)}))
        return
    click.echo(outcome.text)
    click.echo("")
    click.echo(f"→ {outcome.folder.resolve()}")
    if (outcome.folder / "map.html").exists():
        click.echo(f"→ {(outcome.folder / 'map.html').resolve().as_uri()}")
    click.echo(f"→ {(outcome.folder / 'gaps.xlsx').resolve()}")


def _show_progress(steps: Sequence[str], label: str) -> Iterable[str]:
    """Show a bar on a terminal, nothing where the output is piped."""
    from tqdm import tqdm

    return tqdm(steps, desc=label, disable=None, leave=False, file=sys.stderr)

"""The verbs about public layers: fetch them, list and clear what was fetched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phusong.cli.answers import BAD_INPUT, answers, tell_notes
from phusong.cli.options import CACHE, LANG_OF_ERRORS

if TYPE_CHECKING:
    from phusong.io.fetch import Fetched

__all__ = ["PUBLIC", "cache", "fetch", "fetch_public"]

PUBLIC = ("boundaries", "boundaries-2009", "population", "terrain")


@click.command()
@click.argument("layer", type=click.Choice(PUBLIC))
@click.option("--url", help="Another address of a GeoTIFF (population, terrain); HTTPS.")
@click.option("--sha256", help="What the file must have; without it, pinned at first download.")
@click.option("--allow-host", multiple=True, help="A host that --url may redirect to.")
@click.option("--offline", is_flag=True, help="Only hold what is there against its sha256.")
@CACHE
@LANG_OF_ERRORS
@answers
def fetch(
    layer: str,
    url: str | None,
    sha256: str | None,
    allow_host: tuple[str, ...],
    offline: bool,
    cache: Path | None,
) -> int:
    """Download a public layer into the cache: the only verb that uses the network."""
    found = fetch_public(layer, cache, url=url, sha256=sha256, hosts=allow_host, offline=offline)
    source = found.source
    for line in (source.title, f"source: {source.source}", f"licence: {source.licence}"):
        click.echo(line)
    click.echo(f"sha256 {found.sha256}")
    if source.advice:
        click.echo(source.advice)
    click.echo(f"→ {found.path.resolve()}")
    return 0


@click.command()
@click.option("--clear", is_flag=True, help="Remove what phusong fetched, and nothing else.")
@CACHE
@LANG_OF_ERRORS
@answers
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
    tell_notes(notes)
    return 0 if states.count("ok") == len(states) else BAD_INPUT


def fetch_public(
    layer: str,
    cache: Path | None,
    *,
    url: str | None = None,
    sha256: str | None = None,
    hosts: tuple[str, ...] = (),
    offline: bool,
) -> Fetched:
    """Fetch a public layer, a bar on the terminal, and tell its notes."""
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
    tell_notes(found.notes)
    return found

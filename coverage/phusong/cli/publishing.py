"""The verb that makes runs a website."""

from __future__ import annotations

from pathlib import Path

import click

from phusong.cli.answers import answers, say, tell_notes
from phusong.cli.options import INPUT, LANG_OF_ERRORS

__all__ = ["publish"]


@click.command()
@click.argument("runs", type=INPUT, nargs=-1, required=True)
@click.option(
    "-o", "--out", type=INPUT, required=True, help="Empty, or a site that publish wrote before."
)
@click.option("--base-url", help="Where the site will be; for the sitemap and whole addresses.")
@click.option("--licence", help="Of the data: an SPDX id such as CC-BY-4.0, or an address.")
@click.option("--serve", is_flag=True, help="Then show it, to this machine only, until Ctrl-C.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Of --serve. [one that is free]"
)
@LANG_OF_ERRORS
@answers
def publish(
    runs: tuple[Path, ...],
    out: Path,
    base_url: str | None,
    licence: str | None,
    serve: bool,
    port: int,
) -> int:
    """Make a static website of one run, or of several of one area with their history.

    RUNS are folders of runs, or a folder that holds them.
    """
    from phusong.io.dated import find_runs
    from phusong.publish.site import publish_site

    done = publish_site(find_runs(runs), out, base_url=base_url, licence=licence)
    tell_notes(done.notes)
    files = done.files
    say(
        f"{done.n_pages} pages; of all files {files.written} written, {files.unchanged} "
        f"as they were, {len(files.removed)} removed"
    )
    click.echo(f"→ {(out / 'index.html').resolve().as_uri()}")
    if serve:
        _serve(out, port)
    return 0


def _serve(folder: Path, port: int) -> None:
    from phusong.publish.site.serve import open_server

    with open_server(folder, port=port) as server:
        click.echo(f"→ {server.url}  (Ctrl-C ends it)")
        server.serve_forever()

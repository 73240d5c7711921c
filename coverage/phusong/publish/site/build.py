"""Runs in, a website out: every page of every language, the drawings, the files to take away."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from phusong.errors import InputFileError
from phusong.publish.palette import CLASSES, NO_DATA
from phusong.publish.run_outputs import read_runs
from phusong.publish.site.area_pages import COMPARE_MAP, MAP, area_pages
from phusong.publish.site.commune_pages import commune_pages
from phusong.publish.site.model import Site, build_site
from phusong.publish.site.output import Written, write_site
from phusong.publish.site.record_pages import downloads, record_pages
from phusong.publish.site.voice import Page, Voice
from phusong.publish.webmap import read_map_data, render_page
from phusong.words import LANGUAGES, read_words, title_of

__all__ = ["Published", "publish_site"]

Make = Callable[[], bytes]

ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(:\d+)?(/[A-Za-z0-9./~_%+-]*)?")
NAVIGATION = (
    ("index.html", "overview"), ("communes.html", "communes"), ("targets.html", "targets"),
    ("compare.html", "compare"), ("method.html", "method"), ("downloads.html", "downloads"),
)  # fmt: skip
NAMESPACE = uuid.UUID("5b0b4c1e-5c0a-4e07-9a43-0c7a3c1b6a51")  # of the ids in our feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A website that was written.

    Attributes
    ----------
    folder : Path
    n_pages : int
        HTML pages, of all languages.
    files : Written
        What was done to reach it.
    notes : tuple of str
        What a publisher should know.
    """

    folder: Path
    n_pages: int
    files: Written
    notes: tuple[str, ...]


def publish_site(
    runs: Sequence[Path],
    folder: Path,
    *,
    base_url: str | None = None,
    licence: str | None = None,
) -> Published:
    """Write a static website from the folders of one or more runs.

    Only what the runs wrote is read, and nothing is computed again. The latest run is shown, the
    others are its history. The same runs give the same bytes; a page that stays the same is not
    touched, and one that no longer belongs is removed.

    Parameters
    ----------
    runs : sequence of Path
        Folders of runs of one area, in any order.
    folder : Path
        Empty, or a website that this function wrote before; made if it is not there.
    base_url : str, optional
        Where the site will be, such as "https://example.org/coverage/". Links are relative
        without it as with it; only the sitemap, which needs it, is left out.
    licence : str, optional
        Of the data: an SPDX id such as "CC-BY-4.0", or an address.

    Raises
    ------
    InputFileError
        If a folder is not a whole run, the runs do not belong together, `folder` is someone
        else's, or `base_url` is no address.
    OSError
        If `folder` cannot be written.

    Examples
    --------
    >>> from phusong.runs import demo_study, run_study
    >>> folder = getfixture("tmp_path")
    >>> _ = run_study(demo_study(), folder / "demo", with_map=False)
    >>> site = publish_site([folder / "demo"], folder / "public")
    >>> site.n_pages, (folder / "public" / "commune" / "14758-2025.html").exists()
    (349, True)
    """
    base = None if base_url is None else _require_address(base_url)
    site = build_site(read_runs(runs), licence=licence, base_url=base)
    contents = dict(_unique(_list_files(site)))
    about = {"made_by": "phusong", "runs": [run.run_id for run in site.runs]}
    done = write_site(folder, contents, about=about)
    notes = [f"{folder / name}: changed by someone, no longer a page, left there"
             for name in done.kept]  # fmt: skip
    if base is None:
        notes.append("no sitemap.xml, which needs full addresses: give --base-url")
    if MAP not in site.run.files:
        notes.append(f"{site.run.folder}: the run drew no {MAP}: only the static map is there")
    n_pages = sum(name.endswith(".html") for name in contents)
    return Published(folder=folder, n_pages=n_pages, files=done, notes=tuple(notes))


def _require_address(base_url: str) -> str:
    if not ADDRESS.fullmatch(base_url):
        raise InputFileError(
            f"--base-url: found {base_url!r}, expected an address such as "
            "https://example.org/coverage/"
        )
    return base_url.rstrip("/") + "/"


def _unique(named: Iterable[tuple[str, Make]]) -> Iterator[tuple[str, Make]]:
    seen: set[str] = set()
    for name, make in named:
        if name in seen:
            raise InputFileError(f"two pages would be called {name}: expected different names")
        seen.add(name)
        yield name, make


def _list_files(site: Site) -> Iterator[tuple[str, Make]]:
    """Yield the name of every file of the site and what makes it."""
    environment = _environment()
    colours = {"colours": CLASSES, "unknown": NO_DATA}
    yield "assets/site.css", partial(_render, environment, "site.css", colours)
    for name in ("icon.svg", "table.js"):
        yield f"assets/{name}", (files("phusong.publish.site") / "assets" / name).read_bytes
    for name, drawing in zip(site.names, site.drawings, strict=True):
        yield f"outlines/{name}.svg", drawing.encode
    for run in site.runs:
        for name, source in downloads(run).items():
            yield name, (run.folder / source).read_bytes
    yield from _maps(site)
    addresses = []
    for lang in LANGUAGES:
        voice = Voice(site=site, lang=lang, w=read_words("site", lang))
        frame = _frame(voice)
        for pages in (area_pages(voice), record_pages(voice), commune_pages(voice)):
            for page in pages:
                addresses.append(_folder(lang) + page.path)
                says = {**frame, **_place_in_site(site, lang, page), **page.says}
                yield addresses[-1], partial(_render, environment, page.template, says)
        yield f"{_folder(lang)}feed.xml", partial(_render, environment, "feed.xml", _feed(voice))
    yield "404.html", partial(_render, environment, "404.html", _not_found(site))
    if site.base_url is not None:
        told = {"addresses": [site.base_url + address for address in addresses]}
        yield "sitemap.xml", partial(_render, environment, "sitemap.xml", told)


def _maps(site: Site) -> Iterator[tuple[str, Make]]:
    """Yield the map that the last run drew, and it beside that of the run before.

    A map speaks all languages: a page names its own in the address.
    """
    drawn = [run.folder / MAP for run in site.runs[-2:] if MAP in run.files]
    if MAP in site.run.files:
        yield MAP, drawn[-1].read_bytes
        if len(drawn) > 1:
            yield COMPARE_MAP, partial(_compare_maps, *drawn)


def _compare_maps(before: Path, after: Path) -> bytes:
    return render_page(read_map_data(after), read_map_data(before)).encode()


def _environment() -> Environment:
    """Return the templates: every text is escaped, a name that nothing fills is an error.

    They leave out end tags where HTML lets them go (`</td>`, `</dd>`): a page of tables is a tenth
    smaller for it.
    """
    environment = Environment(
        loader=PackageLoader("phusong.publish.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["fill"] = lambda text, **values: text.format(**values)
    return environment


def _render(environment: Environment, template: str, says: Mapping[str, object]) -> bytes:
    return environment.get_template(template).render(says).encode()


def _folder(lang: str) -> str:
    """Return where the pages of a language are: the first is at the root."""
    return "" if lang == LANGUAGES[0] else f"{lang}/"


def _frame(voice: Voice) -> dict[str, object]:
    """Return what every page of a language says."""
    site, run = voice.site, voice.site.run
    labels = {
        "synthetic": any(run.is_synthetic for run in site.runs),
        "schematic": any(run.is_schematic for run in site.runs),
    }
    is_history = len(site.runs) > 1
    return {
        "lang": voice.lang,
        "w": voice.w,
        "place": run.place or voice.w["site"],
        "navigation": [item for item in NAVIGATION if item[0] != "compare.html" or is_history],
        "labels": [label for label, holds in labels.items() if holds],
        "day": voice.day(run.as_of.isoformat()),
        "run": run,
    }


def _place_in_site(site: Site, lang: str, page: Page) -> dict[str, object]:
    """Return where a page is, and the ways from it: relative, but for what must be whole."""
    up = "../" * page.path.count("/")
    root = up if lang == LANGUAGES[0] else f"../{up}"
    hrefs = {code: f"{site.base_url or root}{_folder(code)}{page.path}" for code in LANGUAGES}
    others = [
        (code, read_words("format", code)["name"], f"{root}{_folder(code)}{page.path}")
        for code in LANGUAGES if code != lang
    ]  # fmt: skip
    return {
        "root": root,
        "home": up,
        "path": page.path,
        "section": page.section,
        "heading": page.heading,
        "alternates": list(hrefs.items()),
        "others": others,
    }


def _feed(voice: Voice) -> dict[str, object]:
    """Return what the feed says of each run, the latest first."""
    site = voice.site
    entries = [
        {
            "title": voice.say("as_of", day=voice.day(run.as_of.isoformat())),
            "id": uuid.uuid5(NAMESPACE, f"{voice.lang} {run.run_id}").urn,
            "updated": run.account["finished"],
            "summary": "; ".join(
                f"{title_of(target, 'title', voice.lang)}: {voice.w[target['status']]}"
                for target in run.targets
            ),
        }
        for run in reversed(site.runs)
    ]
    place = site.run.place or voice.w["site"]
    return {
        "lang": voice.lang,
        "title": voice.say("title", place=place),
        "id": uuid.uuid5(NAMESPACE, f"{voice.lang} {site.base_url or place}").urn,
        "place": place,
        "base": "" if site.base_url is None else site.base_url + _folder(voice.lang),
        "entries": entries,
    }


def _not_found(site: Site) -> dict[str, object]:
    """Return what the page of a wrong address says; a server shows it at any depth."""
    pages = [
        {"lang": lang, "w": read_words("site", lang), "folder": _folder(lang)} for lang in LANGUAGES
    ]
    place = site.run.place or pages[0]["w"]["site"]  # type: ignore[index]
    return {"pages": pages, "place": place, "base": site.base_url or ""}

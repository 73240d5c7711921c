"""A Folium map that is one file: Leaflet inside, nothing loaded, data never seen by a template."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html import escape
from importlib.resources import files
from pathlib import Path

import folium
from xstatic.pkg import leaflet

from phusong.io.write import write_text
from phusong.words import read_words

__all__ = ["OfflineMap"]

HEX_ID = re.compile(r"(?<=_)[0-9a-f]{32}\b")
# They are one module, in this order; what one of them names, the later ones can use.
SCRIPTS = (
    "unpack.js", "words.js", "shapes.js", "tiles.js", "layers.js", "overlays.js", "names.js",
    "sites.js", "commune.js", "table.js", "search.js", "view.js", "start.js",
)  # fmt: skip
VIEWPORT = re.compile(r'<meta name="viewport"[^>]*/?>', re.DOTALL)
MOST_NOTEBOOK_BYTES = 1_000_000  # what a map may add to a notebook
FRAME_STYLE = "width:100%;height:640px;border:0"


class OfflineMap(folium.Map):
    """A `folium.Map` whose page carries its own scripts, styles and data.

    Folium renders text as templates, so no text of the data is given to it: the block of data is
    base64, the page's own words are escaped, both are put into the finished page, and its script
    shows them by `textContent`.

    Parameters
    ----------
    block : str
        As `mapblock.pack` made it.
    style_json : str
        Words and colours, as JSON in which every `<`, `>` and `&` is escaped.
    lang : str
    draw_still : callable, optional
        Returns a PNG that stands beside the map in a notebook.
    """

    def __init__(
        self,
        block: str,
        style_json: str,
        *,
        lang: str,
        draw_still: Callable[[], bytes] | None = None,
    ) -> None:
        super().__init__(
            location=(0, 0), zoom_start=2, tiles=None, zoom_control=False, zoom_snap=0.25,
            attribution_control=False, fade_animation=False, world_copy_jump=False,
        )  # fmt: skip
        self.default_js: list[tuple[str, str]] = []
        self.default_css: list[tuple[str, str]] = []
        self.block = block
        self.style_json = style_json
        self.lang = lang
        self.draw_still = draw_still

    def to_page(self) -> str:
        """Return the whole page, the same text for the same data."""
        page = VIEWPORT.sub(
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            self.get_root().render(),
        )
        page = _number_ids(page)
        head = (
            f"<title>phusong</title><style>{_leaflet('leaflet.css')}</style>"
            f"<style>{_asset('map.css')}</style><script>{_leaflet('leaflet.js')}</script>"
        )
        page = page.replace("<head>", "<head>" + head, 1)
        page = page.replace("<html>", f'<html lang="{self.lang}">', 1)
        page = page.replace("<body>", "<body>" + _asset("map.html"), 1)
        script = "".join(_asset(name) for name in SCRIPTS)
        page = page.replace("</html>", f'<script type="module">{script}</script></html>', 1)
        # The letters first: a browser that must guess them may hash other styles than we did.
        letters = '<meta charset="utf-8">'
        page = page.replace("<head>", f"<head>{letters}{_content_policy(page)}", 1)
        data = (
            f'<script type="application/json" id="phusong-style">{self.style_json}</script>'
            f'<script type="text/plain" id="phusong-data">{self.block}</script>'
        )
        before, marker, after = page.partition("<!--data-->")
        return before + data + marker + after

    def save(self, outfile: str | Path, **kwargs: object) -> None:
        """Write the page to a file, whole or not at all."""
        write_text(self.to_page(), Path(outfile))

    def _repr_html_(self, **kwargs: object) -> str:
        frame = (
            f'<iframe srcdoc="{escape(self.to_page())}" title="phusong" style="{FRAME_STYLE}">'
            "</iframe>"
        )
        if self.draw_still is None:
            return frame
        words = read_words("notebook", self.lang)
        summary, too_large = words["still"], words["too_large"]
        png = base64.b64encode(self.draw_still()).decode()
        image = f'<img alt="{summary}" src="data:image/png;base64,{png}">'
        whole = f"{frame}<details><summary>{summary}</summary>{image}</details>"
        is_small = len(json.dumps(whole)) <= MOST_NOTEBOOK_BYTES
        return whole if is_small else f"<p>{escape(too_large)}</p>{image}"


def _number_ids(page: str) -> str:
    """Replace Folium's random ids by counters, in the order in which they appear."""
    ids = {found: str(i) for i, found in enumerate(dict.fromkeys(HEX_ID.findall(page)), 1)}
    return HEX_ID.sub(lambda match: ids[match.group()], page)


def _content_policy(page: str) -> str:
    """Return a content security policy that allows this page's own scripts and styles only."""

    def hashes(tag: str) -> str:
        inline = re.findall(rf'<{tag}(?: type="module")?>(.*?)</{tag}>', page, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in inline]
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    policy = (
        f"default-src 'none'; script-src {hashes('script')}; style-src {hashes('style')}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


def _asset(name: str) -> str:
    return (files("phusong") / "publish" / "assets" / name).read_text(encoding="utf-8")


def _leaflet(name: str) -> str:
    """Return a file of Leaflet without references to files that are not in the page."""
    text = (Path(leaflet.BASE_DIR) / name).read_text(encoding="utf-8")
    text = re.sub(r"//# sourceMappingURL=\S+", "", text)
    return re.sub(r"url\((?!#)[^)]*\)", "none", text) if name.endswith(".css") else text

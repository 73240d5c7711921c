"""A Folium map that is one file: Leaflet inside, nothing loaded, data never seen by a template."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from importlib.resources import files
from pathlib import Path

import folium
from xstatic.pkg import leaflet

__all__ = ["OfflineMap"]

HEX_ID = re.compile(r"(?<=_)[0-9a-f]{32}\b")
# In the order in which they run; what one of them names at its top, the later ones can use.
SCRIPTS = (
    "words.js", "shapes.js", "layers.js", "sites.js", "commune.js", "search.js", "start.js",
)  # fmt: skip
VIEWPORT = re.compile(r'<meta name="viewport"[^>]*/?>', re.DOTALL)


class OfflineMap(folium.Map):
    """A `folium.Map` whose page carries its own scripts, styles and data.

    Folium renders text as templates, so no text of the data is given to it: `data_json`, in which
    every `<`, `>` and `&` is escaped, is put into the finished page, and the page's script shows
    it by `textContent`.
    """

    def __init__(self, data_json: str, *, lang: str) -> None:
        super().__init__(
            location=(0, 0), zoom_start=2, tiles=None, zoom_control=False, zoom_snap=0.25,
            attribution_control=False,
        )  # fmt: skip
        self.default_js: list[tuple[str, str]] = []
        self.default_css: list[tuple[str, str]] = []
        self.data_json = data_json
        self.lang = lang

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
        scripts = "".join(f"<script>{_asset(name)}</script>" for name in SCRIPTS)
        page = page.replace("</html>", scripts + "</html>", 1)
        page = page.replace("<head>", "<head>" + _content_policy(page), 1)
        block = f'<script type="application/json" id="phusong-data">{self.data_json}</script>'
        before, marker, after = page.partition("<!--data-->")
        return before + block + marker + after

    def _repr_html_(self, **kwargs: object) -> str:
        return (
            f'<iframe srcdoc="{escape(self.to_page())}" title="phusong" '
            'style="width:100%;height:640px;border:0"></iframe>'
        )


def _number_ids(page: str) -> str:
    """Replace Folium's random ids by counters, in the order in which they appear."""
    ids = {found: str(i) for i, found in enumerate(dict.fromkeys(HEX_ID.findall(page)), 1)}
    return HEX_ID.sub(lambda match: ids[match.group()], page)


def _content_policy(page: str) -> str:
    """Return a content security policy that allows this page's own scripts and styles only."""

    def hashes(tag: str) -> str:
        inline = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
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

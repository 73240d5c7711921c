"""Open a page from a file in a browser with the network off, and hear what goes wrong in it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page

DESKTOP, PHONE = (1280, 800), (375, 812)


@dataclass
class Opened:
    """A page that was opened from its file, and what went wrong in it."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def choose(self, text: str) -> str:
        self.page.fill("#search", text)
        self.page.press("#search", "Enter")
        self.page.wait_for_selector("#commune h2")
        return self.text("#commune h2")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.evaluate("element => element.textContent"))

    def show(self, indicator: str, service: str = "", operator: str = "") -> None:
        for control, value in (("indicator", indicator), ("service", service),
                               ("operator", operator)):  # fmt: skip
            if value and self.page.input_value(f"#{control}") != value:
                self.page.select_option(f"#{control}", value)

    def figures(self) -> dict[str, str]:
        """Return what the panel says of the chosen commune, by layer."""
        rows = self.page.locator("#commune [data-layer]")
        said = rows.evaluate_all(
            "rows => rows.map(r => [r.dataset.layer, r.lastChild.textContent])"
        )
        return {layer: text.replace("\u00a0", " ") for layer, text in said}

    def switch_off(self, *controls: str) -> None:
        for control in controls:
            self.page.uncheck(f"#{control}")

    def place_of(self, commune: int) -> tuple[int, int]:
        """Return where on the page a commune's label point is."""
        x, y = self.page.evaluate(
            "i => { const { map, labelPlace } = phusong,"
            " p = map.latLngToContainerPoint(labelPlace(i)),"
            " box = map.getContainer().getBoundingClientRect();"
            " return [p.x + box.x, p.y + box.y] }",
            commune,
        )
        return round(x), round(y)

    def colour_at(self, commune: int) -> tuple[int, ...]:
        """Return the colour that is drawn at a commune's label point."""
        picture = Image.open(io.BytesIO(self.page.screenshot(animations="disabled")))
        return tuple(picture.convert("RGB").getpixel(self.place_of(commune)))


@contextmanager
def opened(
    browser: Browser,
    html: str,
    folder: Path,
    size: tuple[int, int] = DESKTOP,
    *,
    scheme: Literal["light", "dark"] = "light",
    address: str = "",
) -> Iterator[Opened]:
    """Open a page from a file with the network off; at the end nothing may have gone wrong."""
    path = folder / "map.html"
    path.write_text(html, encoding="utf-8", newline="\n")
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, offline=True, locale="de-DE",
        color_scheme=scheme, has_touch=size[0] < 500,
    )  # fmt: skip
    page = context.new_page()
    it = Opened(page, path.as_uri())
    page.on("request", lambda request: it.requests.append(request.url))
    page.on("pageerror", lambda error: it.errors.append(str(error)))
    page.on("console", lambda message: it.errors.append(f"{message.type}: {message.text}"))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('policy', e.blockedURI))"
    )
    page.goto(it.url + address)
    page.wait_for_selector('html[data-ready="yes"]')
    yield it
    context.close()
    assert it.errors == []
    loaded = [url for url in it.requests if not url.startswith(("data:", "blob:"))]
    assert [url.partition("#")[0] for url in loaded] == [it.url]

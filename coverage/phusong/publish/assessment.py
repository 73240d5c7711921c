"""The answer of a study: plain frames, and the two lines that draw them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import geopandas as gpd
import pandas as pd
import xarray as xr

from phusong.targets import TargetResult
from phusong.words import LANGUAGES, read_words

if TYPE_CHECKING:
    import folium
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


__all__ = ["About", "Assessment", "Conclusion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an output must say about itself wherever it is shown."""

    place: str
    as_of: date
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_synthetic: bool = False
    is_schematic: bool = False


class Scenario(Protocol):
    """What an assessment was made of, so that it can be made again with other sites."""

    def with_sites(self, added: gpd.GeoDataFrame | None, removed: Sequence[str]) -> Assessment: ...

    def with_audit(self, audit: pd.DataFrame, about: About) -> Assessment: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What the measured shares come to: the tables of an `Assessment`, described there."""

    communes: gpd.GeoDataFrame
    provinces: pd.DataFrame
    targets: tuple[TargetResult, ...]
    gaps: gpd.GeoDataFrame
    coverage: tuple[xr.DataArray, ...]


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Coverage of communes, measured against the targets.

    The tables are drawn up from the measured shares when one of them is first asked for.

    Attributes
    ----------
    communes : GeoDataFrame, EPSG:4326
        One row a commune: code, vintage, name, area_km2, population, and a wide column for each
        share (`share_population_5g`, `share_population_5g_low`, `…_viettel`, `broadband_b0`…).
    indicators : DataFrame
        The tidy table that everything reads: commune_code, vintage, indicator, service, operator,
        evidence, as_of, share, share_low, share_high, denominator, unit.
    provinces : DataFrame
        The same by province and for all ("" as code), by weights, never averages of percentages.
    targets : tuple of TargetResult
    gaps : GeoDataFrame, EPSG:4326
        Gap communes, ranked by uncovered people.
    sites : GeoDataFrame, EPSG:4326
    coverage : tuple of DataArray
        By part of a province, dims (service, y, x): share of each cell covered by any operator,
        0 to 1; `attrs["crs"]` is its CRS.
    about : About
    conclude : callable
        Draws up the tables.
    scenario : Scenario, optional
        What it was made of.
    """

    indicators: pd.DataFrame
    sites: gpd.GeoDataFrame
    about: About
    conclude: Callable[[], Conclusion] = field(repr=False, compare=False)
    scenario: Scenario | None = field(default=None, repr=False, compare=False)

    @cached_property
    def _tables(self) -> Conclusion:
        return self.conclude()

    @property
    def communes(self) -> gpd.GeoDataFrame:
        return self._tables.communes

    @property
    def provinces(self) -> pd.DataFrame:
        return self._tables.provinces

    @property
    def targets(self) -> tuple[TargetResult, ...]:
        return self._tables.targets

    @property
    def gaps(self) -> gpd.GeoDataFrame:
        return self._tables.gaps

    @property
    def coverage(self) -> tuple[xr.DataArray, ...]:
        return self._tables.coverage

    def with_sites(
        self, added: gpd.GeoDataFrame | None = None, removed: Sequence[str] = ()
    ) -> Assessment:
        """Return what the assessment would be with other sites; this one stays as it is.

        Only the communes that the change touches are measured again; the answer is that of a
        whole new assessment, but for the rounding of the last digit (1e-12).

        Parameters
        ----------
        added : GeoDataFrame, optional
            Schema "sites". Planned cells do not cover, here as elsewhere: give them the status
            "on_air" to see what they would bring.
        removed : sequence of str
            `site_id` of sites that go, with all their cells.

        Raises
        ------
        SchemaError
            If a removed site is not there, an added cell is there already, or the added rows do
            not conform.
        ValueError
            If the assessment was put together by hand, without what it was made of.
        """
        if self.scenario is None:
            raise ValueError("only an assessment that `assess` returned knows what it was made of")
        return self.scenario.with_sites(added, removed)

    def with_audit(self, audit: pd.DataFrame) -> Assessment:
        """Return what the assessment is when the bounds of declared shares follow an audit.

        Shares stay; targets and gaps are judged by the bounds. What other sites would bring
        (`with_sites`) is then judged so too. This one stays as it is.

        Parameters
        ----------
        audit : DataFrame
            As `evidence.audit_claims` returns.

        Raises
        ------
        ValueError
            If the assessment was put together by hand, without what it was made of.
        """
        if self.scenario is None:
            raise ValueError("only an assessment that `assess` returned knows what it was made of")
        note = f"claims audited by samples or challenges: {audit['is_applied'].sum()} lower bounds"
        about = replace(self.about, notes=(*self.about.notes, note))
        return self.scenario.with_audit(audit, about)

    def plot(self, *, service: str = "5g", lang: str = "vi", ax: Axes | None = None) -> Axes:
        """Return axes with the communes coloured by their share of people under `service`.

        Without `ax` they are those of a new figure of pyplot, which a notebook shows.
        """
        from phusong.publish.figures import plot_communes

        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.figure(figsize=(9, 6), layout="compressed").add_subplot()
        return plot_communes(self, service=service, lang=lang, ax=ax)

    def figure(self, *, service: str = "5g", lang: str = "vi", paper: str = "A4") -> Figure:
        """Return the printed page on "A4" or "A3", as a run writes it."""
        from phusong.publish.figures import draw_map

        return draw_map(self, service=service, lang=lang, paper=paper)

    def explore(self, *, lang: str = "vi", breaks: Sequence[float] | None = None) -> folium.Map:
        """Return the web map; a notebook shows it, also with the network off.

        Beside it stands a still picture, for where scripts cannot run. A map that would make the
        notebook more than 1 MB larger is left out of it; `.save("map.html")` writes it to a file.

        Parameters
        ----------
        lang : str
            The language in which it opens.
        breaks : sequence of float, optional
            Limits of the classes of shares, such as quantiles of what is known; those that all
            maps have (0.4, 0.6, 0.8, 0.95, 0.99) without them.
        """
        from phusong.publish.palette import BREAKS
        from phusong.publish.webmap import build_map

        return build_map(self, lang=lang, breaks=BREAKS if breaks is None else breaks)

    def _repr_html_(self) -> str:
        from phusong.publish.summary import summary_html

        first, *others = LANGUAGES
        return f'<div lang="{first}">{summary_html(self, lang=first)}</div>' + "".join(
            f'<details lang="{lang}"><summary>{read_words("format", lang)["name"]}</summary>'
            f"{summary_html(self, lang=lang)}</details>"
            for lang in others
        )

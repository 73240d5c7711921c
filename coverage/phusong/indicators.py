"""Indicators: shares of communes that are covered, in one tidy table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from phusong.footprint import Covered, cover_zones
from phusong.layers import ANY
from phusong.population import Placing
from phusong.zonal import ZonalWeights, sum_by_zone

__all__ = [
    "COLUMNS",
    "SERVICES",
    "ProvinceCoverage",
    "measure_coverage",
    "tidy_tiers",
]

SERVICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "2g": ("2G",),
        "3g": ("3G",),
        "4g": ("4G",),
        "5g": ("5G", "5G NSA", "5G SA"),
        "5g_nsa": ("5G NSA",),
        "5g_sa": ("5G SA",),
        "mbb": ("4G", "5G", "5G NSA", "5G SA"),
    }
)

COLUMNS = (
    "commune_code", "vintage", "indicator", "service", "operator", "evidence", "as_of",
    "share", "share_low", "share_high", "denominator", "unit",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ProvinceCoverage:
    """What the footprints of one province gave.

    Attributes
    ----------
    indicators : DataFrame
        Tidy rows.
    lay_cells : callable
        Lays out `cell_shares`, when they are first asked for.
    persons : Series
        People of the raster by commune_code; NaN without a raster.
    """

    indicators: pd.DataFrame
    lay_cells: Callable[[], xr.DataArray]
    persons: pd.Series

    @cached_property
    def cell_shares(self) -> xr.DataArray:
        """The share of each cell, dims (service, y, x)."""
        return self.lay_cells()


def measure_coverage(
    communes: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    weights: ZonalWeights,
    *,
    services: Mapping[str, Sequence[str]],
    operators: Sequence[str],
    as_of: date,
    persons: xr.DataArray | None = None,
    placing: Placing = None,
    keep: Sequence[str] = ("4g", "5g"),
) -> ProvinceCoverage:
    """Return the share of area and of people that each service and operator covers.

    share_area = Σ cell fraction × covered share of the cell ÷ Σ cell fraction, over the cells of
    the commune; share_population the same with persons. Low and high come from the low and high
    radii of sites without a radius of their own; they are NaN where no such site can reach.
    Without persons per cell, and in communes without people, share_population is NaN and its
    bounds are those that the area allows: nobody where nothing is covered, all where all is.

    A count of a whole area says nothing of where in it people live. Where persons come from such
    counts ("areas", "even"), share_population is always "modelled" and keeps the bounds that the
    area allows; "even" takes the people of a commune whose number is known to live on every part
    of it alike, so that share_population is share_area.

    A register's number is the denominator wherever it is known. To scale a commune's cells to it
    would change no share: the factor stands above and below the fraction line.

    Parameters
    ----------
    communes : GeoDataFrame
        The zones of `weights`, in order: `commune_code`, `vintage`, `polygon_km2`, `population`.
    sites : GeoDataFrame
        In the grid's CRS, with `radius_low_m`, `radius_m`, `radius_high_m`, `is_default_radius`.
    services : Mapping
        Service to technologies, such as `SERVICES`.
    operators : sequence of str
        Those to report, also where they have no site here.
    as_of : date
    persons : DataArray, dims (y, x), optional
        Persons per cell of the grid.
    placing : {"raster", "areas", "even"}, optional
        Whence they come; or that the communes' own numbers are spread evenly over their area.
    keep : sequence of str
        Services whose cell shares are returned.
    """
    values = None if persons is None else np.asarray(persons, dtype="float64")
    is_known = placing == "raster"  # where in an area people live: else the bounds are the area's

    def cover(
        which: gpd.GeoDataFrame,
        radius: str,
        population: np.ndarray | None,
        keep: Sequence[str] = (),
    ) -> Covered:
        return cover_zones(
            which.assign(radius_m=which[radius]),
            communes,
            weights,
            services=services,
            operators=operators,
            population=population,
            keep=keep,
        )

    middle = cover(sites, "radius_m", values, keep)
    is_default = sites["is_default_radius"].to_numpy(bool)
    low = high = None
    reached = np.zeros_like(middle.cells, dtype=bool)
    if is_default.any():
        low, high = (
            cover(sites, radius, values if is_known else None)
            for radius in ("radius_low_m", "radius_high_m")
        )
        touched = high if is_default.all() else cover(sites[is_default], "radius_high_m", None)
        reached = touched.cells > 0
        # the second operator may be one whose radius is known
        reached[:, :, 1] = reached[:, :, 0] & (high.cells[:, :, 1] > 0)
    people = np.full(len(communes), np.nan)
    if persons is not None:
        people = sum_by_zone(weights, persons)
    tidy = _Tidy(communes=communes, covered=middle, as_of=as_of)
    rows = [
        tidy.area_rows(weights.cells, low, high, reached),
        tidy.population_rows(people, weights.cells, low, high, reached, placing=placing),
    ]
    cell_shares = middle.cell_shares
    return ProvinceCoverage(
        indicators=pd.concat(rows, ignore_index=True),
        lay_cells=lambda: cell_shares,
        persons=pd.Series(people, index=communes["commune_code"].to_numpy()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tidy:
    """Lays arrays of shape (zone, service, operator) out as rows of the tidy table."""

    communes: pd.DataFrame
    covered: Covered
    as_of: date

    def area_rows(
        self, cells: np.ndarray, low: Covered | None, high: Covered | None, reached: np.ndarray
    ) -> pd.DataFrame:
        shares = [
            np.full_like(self.covered.cells, np.nan) if c is None else _divide(c.cells, cells)
            for c in (self.covered, low, high)
        ]
        shares[1:] = [np.where(reached, bound, np.nan) for bound in shares[1:]]
        return self._rows(
            "share_area", shares, reached, self.communes["polygon_km2"].to_numpy(float), "km2"
        )

    def population_rows(
        self,
        people: np.ndarray,
        cells: np.ndarray,
        low: Covered | None,
        high: Covered | None,
        reached: np.ndarray,
        *,
        placing: Placing,
    ) -> pd.DataFrame:
        official = self.communes["population"].astype("float64").to_numpy()
        shares = [
            np.full_like(self.covered.cells, np.nan) if c is None else _divide(c.persons, people)
            for c in (self.covered, low, high)
        ]
        shares[1:] = [np.where(reached, bound, np.nan) for bound in shares[1:]]
        is_model = placing in ("areas", "even")
        is_unknown = np.isnan(shares[0]) | is_model
        least = _divide((low or self.covered).cells, cells)
        most = _divide((high or self.covered).cells, cells)
        shares[1] = np.where(is_unknown, (least > 1 - 1e-9).astype(float), shares[1])
        shares[2] = np.where(is_unknown, (most > 1e-9).astype(float), shares[2])
        if placing == "even":
            has_people = (official > 0)[:, None, None]
            shares[0] = np.where(has_people, _divide(self.covered.cells, cells), np.nan)
        denominator = np.where(np.isnan(official), np.where(people > 0, people, np.nan), official)
        return self._rows("share_population", shares, reached | is_model, denominator, "persons")

    def _rows(
        self,
        indicator: str,
        shares: list[np.ndarray],
        is_model: np.ndarray,
        denominator: np.ndarray,
        unit: str,
    ) -> pd.DataFrame:
        zone, service, operator = (axis.reshape(-1) for axis in np.indices(shares[0].shape))
        evidence = np.where(is_model.any(axis=0), "modelled", "declared")
        return pd.DataFrame(
            {
                "commune_code": self.communes["commune_code"].to_numpy()[zone],
                "vintage": self.communes["vintage"].to_numpy()[zone],
                "indicator": indicator,
                "service": np.array(self.covered.services)[service],
                "operator": np.array(self.covered.operators)[operator],
                "evidence": evidence[service, operator],
                "as_of": pd.Timestamp(self.as_of),
                "share": shares[0].reshape(-1),
                "share_low": shares[1].reshape(-1),
                "share_high": shares[2].reshape(-1),
                "denominator": denominator[zone],
                "unit": unit,
            }
        )


def _divide(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part ÷ whole by zone, at most 1; NaN where the whole is zero."""
    safe = np.where(whole > 0, whole, np.nan)
    return np.asarray(np.clip(part / safe[:, None, None], 0.0, 1.0))


def tidy_tiers(
    bounds: Mapping[str, pd.DataFrame],
    communes: pd.DataFrame,
    *,
    as_of: date,
    evidence: str = "declared",
) -> pd.DataFrame:
    """Return the tidy rows of broadband tiers and other shares of a commune's people.

    Parameters
    ----------
    bounds : Mapping of str to DataFrame
        By indicator: index commune_code, `low`, `high`, and `share` where it may differ from
        them; without it the share is known where low and high are equal.
    communes : DataFrame
        `commune_code`, `vintage`, `population`.
    """
    frames = []
    for indicator, values in bounds.items():
        found = values.reindex(communes["commune_code"])
        low, high = found["low"].fillna(0.0), found["high"].fillna(1.0)
        share = found["share"] if "share" in found else low.where(low == high)
        frames.append(
            pd.DataFrame(
                {
                    "commune_code": communes["commune_code"].to_numpy(),
                    "vintage": communes["vintage"].to_numpy(),
                    "indicator": indicator,
                    "service": "broadband",
                    "operator": ANY,
                    "evidence": evidence,
                    "as_of": pd.Timestamp(as_of),
                    "share": share.to_numpy(),
                    "share_low": low.to_numpy(),
                    "share_high": high.to_numpy(),
                    "denominator": communes["population"].astype("float64").to_numpy(),
                    "unit": "persons",
                }
            )
        )
    return pd.concat(frames, ignore_index=True)

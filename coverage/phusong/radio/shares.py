"""Shares of communes from predicted signals: expectations, with the interval of what is not known.

A cell is covered with P = Φ(m/σ), m its margin over the threshold in dB, σ² = σ_location² +
σ_model². Shares are means of P. What the model gets wrong is alike in places near each other, so
that a commune's share is not as sure as its many cells would make it. Of an error whose correlation
falls with distance, exp(-d/L), the part that a whole commune shares has the variance ρ σ_model²,
ρ the mean correlation of two of its places; with it at a quantile z, a cell is covered with
Φ((m + z σ_model √ρ)/√(σ_location² + (1 - ρ) σ_model²)). That is the one-factor model of Vasicek,
"Loan portfolio value", Risk (2002); the rest averages out over the commune's cells and is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri

from phusong.kernels import in_threads, kernel
from phusong.layers import ANY, TWO_OR_MORE
from phusong.population import Placing
from phusong.radio.limits import ModelRangeError
from phusong.radio.rules import RadioRules
from phusong.radio.signal import Prediction
from phusong.zonal import ZonalWeights, sum_by_zone

__all__ = ["disc_correlation", "measure_signal"]

BANDS = 16  # of rows, whatever the number of threads: the sums have one order
STEPS = 2000
NEARLY = 1e-9  # of a commune: nothing, or all but nothing
ROOT_HALF = math.sqrt(0.5)


def measure_signal(
    communes: gpd.GeoDataFrame,
    prediction: Prediction,
    weights: ZonalWeights,
    rules: RadioRules,
    *,
    as_of: date,
    persons: xr.DataArray | None = None,
    placing: Placing = "raster",
) -> pd.DataFrame:
    """Return the expected share of area and of people that each service and operator covers.

    share = Σ w P ÷ Σ w over a commune's cells, w the part of the cell in the commune, for people
    times its persons. `share_low` and `share_high` hold the share with the probability
    `rules.interval`, as far as σ_model and its correlation are right; the low one is at the strict
    threshold where the register has a pair. Cells of unknown terrain count as not covered in
    `share` and `share_low`, as covered in `share_high`. Without persons whose places in the commune
    are known, the bounds of the share of people are those that the area allows: 0 and 1, but where
    all or nothing of it is covered.

    "any" is the best operator's margin, "two_or_more" the second best's: errors of operators are
    taken to be the same ones.

    Parameters
    ----------
    communes : GeoDataFrame
        The zones of `weights`, in order: `commune_code`, `vintage`, `polygon_km2`, `population`.
    prediction : Prediction
        On the weights' grid.
    weights : ZonalWeights
    rules : RadioRules
    as_of : date
    persons : DataArray, dims (y, x), optional
        Persons per cell.
    placing : {"raster", "areas", "even"}, optional
        Whence the persons come; or that the communes' own numbers are spread evenly.

    Returns
    -------
    DataFrame
        Tidy rows (`indicators.COLUMNS`), evidence "modelled".

    Raises
    ------
    ModelRangeError
        If the prediction is on another grid.
    """
    margins = prediction.margins_db
    if margins.shape[3:] != weights.grid.shape or margins.attrs["crs"] != weights.grid.crs:
        raise ModelRangeError("shares: the prediction is not on the grid of the communes")
    people = np.full(len(communes), np.nan)
    if persons is not None:
        people = sum_by_zone(weights, persons)
    rows = []
    for service in margins["service"].to_numpy():
        location_db = float(prediction.location_db.sel(service=service))
        levels = (margins.sel(service=service, level=level) for level in margins["level"])
        pairs = zip(*(_by_operator(level) for level in levels), strict=True)
        for (operator, margin_db), (_, strict_db) in pairs:
            ask = _Ask(weights=weights, margin_db=margin_db, strict_db=strict_db,
                       location_db=location_db, rules=rules)  # fmt: skip
            rows += _rows(communes, ask, persons, people, placing, str(service), operator, as_of)
    return pd.concat(rows, ignore_index=True)


@lru_cache(maxsize=4096)
def disc_correlation(area_m2: float, correlation_m: float) -> float:
    """Return the mean correlation of two places of a disc, exp(-d/L) at the distance d.

    By the density of distances in a disc: Solomon, Geometric Probability (1978), chapter 2.

    Parameters
    ----------
    area_m2 : float
    correlation_m : float

    Examples
    --------
    >>> round(disc_correlation(1e4, 1e6), 4), round(disc_correlation(1e8, 1000.0), 3)
    (0.9999, 0.049)
    """
    if area_m2 <= 0.0:
        return 1.0
    radius = math.sqrt(area_m2 / math.pi)
    half = (np.arange(STEPS) + 0.5) / STEPS  # distance over the diameter
    density = 16.0 * half / math.pi * (np.arccos(half) - half * np.sqrt(1.0 - half**2))
    return float((density * np.exp(-2.0 * radius * half / correlation_m)).sum() / STEPS)


def _by_operator(margins: xr.DataArray) -> list[tuple[str, np.ndarray]]:
    """Return margins of any, of two or more, and of each operator; NaN where not known."""
    own = margins.to_numpy()
    is_void = np.isnan(own).any(axis=0)
    ranked = np.sort(np.where(np.isnan(own), -np.inf, own), axis=0)
    united = []
    for name, k in ((ANY, 1), (TWO_OR_MORE, 2)):
        best = ranked[-k] if k <= len(ranked) else np.full(ranked.shape[1:], -np.inf, "float32")
        # what is known of some operators stands; where none reaches, the others may
        united.append((name, np.where(np.isneginf(best) & is_void, np.nan, best)))
    names = margins["operator"].to_numpy()
    return united + [(str(name), own[i]) for i, name in enumerate(names)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ask:
    """One service of one operator on the zones."""

    weights: ZonalWeights
    margin_db: np.ndarray
    strict_db: np.ndarray
    location_db: float
    rules: RadioRules

    def shares(self, values: np.ndarray) -> np.ndarray:
        """Return share, low and high by zone, shape (3, zone); NaN where nothing is to cover."""
        sums = _sum_zones(self, values, self._parameters(values))
        whole = np.where(sums[3] > 0.0, sums[3], np.nan)
        return np.stack(
            [sums[0] / whole, sums[1] / whole, np.minimum(sums[2] + sums[4], sums[3]) / whole]
        )

    def _parameters(self, values: np.ndarray) -> np.ndarray:
        """Return σ, the spread within a zone, and the common shift, shape (zone, 3)."""
        rules = self.rules
        z = float(ndtri(0.5 + rules.interval / 2.0))
        found = np.empty((self.weights.n_zones, 3))
        effective_m2 = _effective_cells(self.weights, values) * self.weights.grid.cell_m**2
        for zone, area_m2 in enumerate(effective_m2):
            rho = disc_correlation(round(float(area_m2), -4), rules.correlation_m)
            within = math.hypot(self.location_db, rules.model_sigma_db * math.sqrt(1.0 - rho))
            found[zone] = (
                math.hypot(self.location_db, rules.model_sigma_db), within,
                z * rules.model_sigma_db * math.sqrt(rho),
            )  # fmt: skip
        return found


def _effective_cells(weights: ZonalWeights, values: np.ndarray) -> np.ndarray:
    """Return over how many cells a zone's values are spread: (Σ v)² ÷ Σ v²."""
    grid = weights.grid
    total, squares = (
        sum_by_zone(weights, grid.to_array(np.ascontiguousarray(v), unit=""))
        for v in (values, values.astype("float64") ** 2)
    )
    return np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0.0)


def _sum_zones(ask: _Ask, values: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Return sums by zone, shape (5, zone): covered, low, high, all, and of unknown cells."""
    weights = ask.weights
    edges = np.linspace(0, weights.grid.shape[0], BANDS + 1).astype(int)
    runs = np.searchsorted(weights.runs[:, 0], edges)
    borders = np.searchsorted(weights.borders[:, 0], edges)

    def add(i: int) -> np.ndarray:
        sums = np.zeros((5, weights.n_zones))
        part = slice(borders[i], borders[i + 1])
        _sum_part(weights.runs[runs[i] : runs[i + 1]], weights.borders[part],
                  weights.fractions[part], ask.margin_db, ask.strict_db, values, parameters,
                  sums)  # fmt: skip
        return sums

    return np.sum(in_threads(add, range(BANDS)), axis=0)


@kernel
def _sum_part(
    runs: np.ndarray, borders: np.ndarray, fractions: np.ndarray, margin_db: np.ndarray,
    strict_db: np.ndarray, values: np.ndarray, parameters: np.ndarray, sums: np.ndarray,
) -> None:  # fmt: skip
    for i in range(len(runs)):
        row, zone, first, last = runs[i]
        for column in range(first, last):
            _add_cell(margin_db[row, column], strict_db[row, column], values[row, column],
                      parameters[zone], zone, sums)  # fmt: skip
    for i in range(len(borders)):
        row, zone, column = borders[i]
        part = fractions[i] * values[row, column]
        _add_cell(margin_db[row, column], strict_db[row, column], part, parameters[zone], zone,
                  sums)  # fmt: skip


@kernel
def _add_cell(
    margin_db: float, strict_db: float, weight: float, parameters: np.ndarray, zone: int,
    sums: np.ndarray,
) -> None:  # fmt: skip
    if weight == 0.0:
        return
    sums[3, zone] += weight
    if math.isnan(margin_db):
        sums[4, zone] += weight
        return
    sigma, within, shift = parameters
    sums[0, zone] += weight * _below(margin_db, sigma)
    sums[1, zone] += weight * _below(strict_db - shift, within)
    sums[2, zone] += weight * _below(margin_db + shift, within)


@kernel
def _below(margin_db: float, sigma_db: float) -> float:
    """Return Φ(m/σ); with σ = 0 whether the margin is 0 or more."""
    if sigma_db > 0.0:
        return 0.5 * math.erfc(-ROOT_HALF * margin_db / sigma_db)
    return 1.0 if margin_db >= 0.0 else 0.0


def _rows(
    communes: gpd.GeoDataFrame, ask: _Ask, persons: xr.DataArray | None, people: np.ndarray,
    placing: Placing, service: str, operator: str, as_of: date,
) -> list[pd.DataFrame]:  # fmt: skip
    official = communes["population"].astype("float64").to_numpy()
    area = ask.shares(np.ones(ask.weights.grid.shape))
    living = np.full_like(area, np.nan)
    if persons is not None:
        living = ask.shares(np.asarray(persons, "float64"))
    is_open = np.isnan(living[0]) | (placing != "raster")
    living[1] = np.where(is_open, area[1] > 1.0 - NEARLY, living[1])
    living[2] = np.where(is_open, area[2] > NEARLY, living[2])
    if placing == "even":
        living[0] = np.where(official > 0.0, area[0], np.nan)
    counted = np.where(people > 0.0, people, np.nan)
    denominator = np.where(np.isnan(official), counted, official)
    area_km2 = communes["polygon_km2"].to_numpy(float)
    return [
        pd.DataFrame(
            {
                "commune_code": communes["commune_code"].to_numpy(),
                "vintage": communes["vintage"].to_numpy(),
                "indicator": indicator,
                "service": service,
                "operator": operator,
                "evidence": "modelled",
                "as_of": pd.Timestamp(as_of),
                "share": shares[0],
                "share_low": shares[1],
                "share_high": shares[2],
                "denominator": whole,
                "unit": unit,
            }
        )
        for indicator, shares, whole, unit in (
            ("share_area", area, area_km2, "km2"),
            ("share_population", living, denominator, "persons"),
        )
    ]

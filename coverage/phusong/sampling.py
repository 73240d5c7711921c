"""How sure samples make us: Wilson's interval, and intervals by resampling clusters.

Samples of one tile or one kilometre of road are alike, so clusters are resampled, not samples.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

__all__ = ["SamplingRule", "summarise_samples", "wilson"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingRule:
    """How samples become a share.

    Attributes
    ----------
    confidence : float
        Of the interval, 0 to 1.
    least_samples, least_clusters : int
        With fewer of either, the share is unknown.
    resamples : int
    seed : int
    """

    confidence: float
    least_samples: int
    least_clusters: int
    resamples: int
    seed: int


def wilson(
    successes: np.ndarray | float, trials: np.ndarray | float, *, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the score interval of a share (Wilson 1927).

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) ÷ (1 + z²/n), with p = successes ÷ n. No trials leave it
    at 0 to 1.

    Parameters
    ----------
    successes, trials : array of float
        Need not be whole: an effective number of trials is a real one.
    confidence : float
        0 to 1, two-sided.

    Examples
    --------
    >>> low, high = wilson(9.0, 10.0, confidence=0.95)
    >>> low.round(4).item(), high.round(4).item()
    (0.5958, 0.9821)
    """
    n = np.asarray(trials, dtype="float64")
    safe = np.where(n > 0, n, 1.0)
    p = np.clip(np.asarray(successes, dtype="float64") / safe, 0.0, 1.0)
    z = ndtri(0.5 + confidence / 2)
    middle = p + z**2 / (2 * safe)
    half = z * np.sqrt(p * (1 - p) / safe + z**2 / (4 * safe**2))
    low, high = ((middle + side * half) / (1 + z**2 / safe) for side in (-1, 1))
    # a share of 0 or 1 is an end of its interval; rounding must not put it outside
    low, high = np.minimum(np.clip(low, 0.0, 1.0), p), np.maximum(np.clip(high, 0.0, 1.0), p)
    return np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0)


def summarise_samples(
    samples: pd.DataFrame,
    keys: Sequence[str],
    value: str,
    *,
    kind: Literal["share", "mean"],
    rule: SamplingRule,
) -> pd.DataFrame:
    """Return the weighted mean of `value` in each group, with an interval by its clusters.

    The clusters are drawn with replacement `resamples` times (Davison & Hinkley 1997, 3.8: the
    whole cluster comes or stays away), each time Σ weight × value ÷ Σ weight. The spread of these
    gives a share its effective number of samples, share (1 - share) ÷ variance, never more than
    there are samples, and that number Wilson's interval (Korn & Graubard 1998, with the quantile
    of Student's t for as many clusters); where all samples agree it is the number of clusters. A
    mean of positive numbers has its interval on the scale of logarithms. A group's draws depend on
    the seed and on its keys alone, so that no group changes another, nor the order of the rows.

    Parameters
    ----------
    samples : DataFrame
        `keys`, `value` (0 to 1 for a share; rows without one do not count), `weight` (above 0),
        `cluster`, `day`.
    keys : sequence of str
        What makes a group.
    value : str
    kind : {"share", "mean"}
    rule : SamplingRule

    Returns
    -------
    DataFrame
        `keys`, `value`, `low`, `high` (a share's are NaN, 0, 1 and a mean's NaN where there are
        too few samples or clusters: unknown), `n_samples`, `n_clusters`, `first_day`, `last_day`.

    Examples
    --------
    >>> rule = SamplingRule(confidence=0.9, least_samples=4, least_clusters=4, resamples=500,
    ...                     seed=1)
    >>> samples = pd.DataFrame({"place": "A", "passes": [1.0, 1.0, 1.0, 0.0], "weight": 1.0,
    ...                         "cluster": ["a", "b", "c", "d"], "day": pd.Timestamp("2026-06-30")})
    >>> found = summarise_samples(samples, ["place"], "passes", kind="share", rule=rule)
    >>> found[["place", "value", "n_samples", "n_clusters"]].to_numpy().tolist()
    [['A', 0.75, 4, 4]]
    """
    used = samples[samples[value].notna()]
    weight = used["weight"].astype("float64")
    parts = used[[*keys, "cluster", "day"]].assign(
        weight=weight, total=weight * used[value].astype("float64")
    )
    rows = []
    for key, group in parts.groupby(list(keys), sort=True):
        clusters = group.groupby("cluster", sort=True)[["total", "weight"]].sum().to_numpy()
        rows.append(
            (*key, *_interval(clusters, key, kind, rule), round(group["weight"].sum()),
             len(clusters), group["day"].min(), group["day"].max())
        )  # fmt: skip
    names = [*keys, "value", "low", "high", "n_samples", "n_clusters", "first_day", "last_day"]
    kinds = {"value": "float64", "low": "float64", "high": "float64", "n_samples": "int64",
             "n_clusters": "int64"}  # fmt: skip
    return pd.DataFrame(rows, columns=names).astype(kinds)


def _interval(
    clusters: np.ndarray, key: tuple[str, ...], kind: str, rule: SamplingRule
) -> tuple[float, float, float]:
    """Return a group's figure with its interval; `clusters` are (total, weight) of each."""
    n, weight = len(clusters), float(clusters[:, 1].sum())
    if n < rule.least_clusters or weight < rule.least_samples or n < 2:
        return (np.nan, 0.0, 1.0) if kind == "share" else (np.nan, np.nan, np.nan)
    value = float(clusters[:, 0].sum()) / weight
    generator = np.random.default_rng([rule.seed, zlib.crc32("\0".join(map(str, key)).encode())])
    draws = generator.multinomial(n, np.full(n, 1 / n), rule.resamples) @ clusters
    drawn = draws[:, 0] / draws[:, 1]
    quantile = stdtrit(n - 1, 0.5 + rule.confidence / 2)
    inflation = n / (n - 1)  # the plug-in variance of n clusters is too small by this
    if kind == "mean":
        if (drawn <= 0).any():
            return value, 0.0, np.inf
        reach = quantile * float(np.log(drawn).std()) * np.sqrt(inflation)
        return value, value * float(np.exp(-reach)), value * float(np.exp(reach))
    value = min(max(value, 0.0), 1.0)
    variance = float(drawn.var()) * inflation
    effective = float(n)
    if 0 < value < 1:
        z = ndtri(0.5 + rule.confidence / 2)
        most = weight * (z / quantile) ** 2
        by_spread = value * (1 - value) / variance if variance > 0 else np.inf
        effective = min(by_spread * (z / quantile) ** 2, most)
    low, high = wilson(value * effective, effective, confidence=rule.confidence)
    return value, float(low), float(high)

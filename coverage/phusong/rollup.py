"""From communes to provinces: figures by weight, never averages of percentages; and wide tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from phusong.names import strip_accents

__all__ = ["COMMUNE_SHARES", "roll_up", "widen"]

COMMUNE_SHARES = (0.5, 0.9, 0.99)
KEYS = ["indicator", "service", "operator"]


def roll_up(
    indicators: pd.DataFrame,
    communes: pd.DataFrame,
    *,
    commune_shares: Sequence[float] = COMMUNE_SHARES,
) -> pd.DataFrame:
    """Return each indicator for every province and for all communes together.

    - share_of "area" and "people": Σ denominator × share ÷ Σ denominator.
    - share_of "communes": the share of communes whose share is at least θ, for each θ of
      `commune_shares`; for yes/no indicators (broadband tiers) the share of communes that are Yes.

    A commune whose share is unknown counts with its lower bound in the share itself, nothing where
    it has none: unknown never counts as covered. One without an interval enters the bounds with
    its share; the bounds are NaN where no commune has any. Communes without a denominator are left
    out of the area and people figures.

    Parameters
    ----------
    indicators : DataFrame
        The tidy table.
    communes : DataFrame
        `commune_code`, `vintage`, `province_code`.
    commune_shares : sequence of float
        The thresholds θ.

    Returns
    -------
    DataFrame
        `province_code` ("" for all), `indicator`, `service`, `operator`, `share_of`,
        `commune_share` (θ, else NaN), `share`, `share_low`, `share_high`, `n_communes`.

    Examples
    --------
    >>> tidy = pd.DataFrame({"commune_code": ["1", "2"], "vintage": "2025", "operator": "any",
    ...     "indicator": "share_population", "service": "5g", "unit": "persons",
    ...     "share": [1.0, 0.0], "share_low": [1.0, 0.0], "share_high": [1.0, 0.5],
    ...     "denominator": [300.0, 100.0]})
    >>> communes = tidy[["commune_code", "vintage"]].assign(province_code="38")
    >>> people = roll_up(tidy, communes).query("share_of == 'people' and province_code == '38'")
    >>> people[["share", "share_low", "share_high"]].to_numpy().tolist()
    [[0.75, 0.75, 0.875]]
    """
    provinces = communes[["commune_code", "vintage", "province_code"]]
    rows = indicators.merge(provinces, on=["commune_code", "vintage"], how="left", validate="m:1")
    rows = rows.assign(province_code=rows["province_code"].fillna("?"))
    is_known, has_interval = rows["share"].notna(), rows["share_low"].notna()
    rows["known"] = rows["share"].fillna(rows["share_low"]).fillna(0.0)
    rows["least"] = rows["share_low"].fillna(rows["known"])
    rows["most"] = rows["share_high"].fillna(rows["known"].where(is_known, 1.0))
    rows["has_interval"] = has_interval | ~is_known
    rows["figure"] = rows.groupby(KEYS, sort=False).ngroup()
    is_tier = rows["indicator"].str.startswith("broadband_")
    weighted = [_weighted(rows[~is_tier]), _weighted(rows[is_tier])]
    counted = [_counted(rows[rows["indicator"] == "share_population"], s) for s in commune_shares]
    counted.append(_counted(rows[is_tier], 1.0).assign(commune_share=np.nan))
    return pd.concat([*weighted, *counted], ignore_index=True)


def _weighted(rows: pd.DataFrame) -> pd.DataFrame:
    weight = rows["denominator"].fillna(0.0)
    sums = {name: rows[name] * weight for name in ("known", "least", "most")}
    total = _by_province({**sums, "weight": weight}, rows)
    share_of = np.where(total["indicator"] == "share_area", "area", "people")
    return _figures(total, total["weight"].where(total["weight"] > 0), share_of, np.nan)


def _counted(rows: pd.DataFrame, threshold: float) -> pd.DataFrame:
    slack = 1e-9
    counts = {name: rows[name] >= threshold - slack for name in ("known", "least", "most")}
    total = _by_province(counts, rows)
    return _figures(total, total["n_communes"], "communes", threshold)


def _by_province(values: Mapping[str, pd.Series], rows: pd.DataFrame) -> pd.DataFrame:
    """Sum the values of each figure for all communes together (province ""), and by province."""
    every = rows["figure"].to_numpy()
    province = pd.factorize(rows["province_code"])[0]
    groups = ((every, ""), (province * (every.max(initial=0) + 1) + every, None))
    return pd.concat([_sum(values, rows, group, code) for group, code in groups], ignore_index=True)


def _sum(
    values: Mapping[str, pd.Series], rows: pd.DataFrame, group: np.ndarray, province: str | None
) -> pd.DataFrame:
    """Sum by group, in the order in which groups appear."""
    number, _ = pd.factorize(group)
    _, first = np.unique(number, return_index=True)
    total = rows.iloc[first][["province_code", *KEYS]].reset_index(drop=True)
    if province is not None:
        total["province_code"] = province
    n = len(first)
    sums = {name: np.bincount(number, column, n) for name, column in values.items()}
    has_interval = np.bincount(number, rows["has_interval"], n) > 0
    return total.assign(**sums, has_interval=has_interval, n_communes=np.bincount(number))


def _figures(
    total: pd.DataFrame, whole: pd.Series, share_of: str | np.ndarray, commune_share: float
) -> pd.DataFrame:
    bounds = {
        name: (total[column] / whole).where(total["has_interval"]).clip(0.0, 1.0)
        for name, column in (("share_low", "least"), ("share_high", "most"))
    }
    return total[["province_code", *KEYS]].assign(
        share_of=share_of,
        commune_share=commune_share,
        share=(total["known"] / whole).clip(0.0, 1.0),
        **bounds,
        n_communes=total["n_communes"].astype("int64"),
    )


def widen(indicators: pd.DataFrame, communes: pd.DataFrame) -> pd.DataFrame:
    """Return `communes` with a column for each indicator, service and operator.

    `share_area_5g`, `share_area_5g_low`, `share_area_5g_high` are of any operator;
    `share_area_5g_viettel` and so on of one; broadband tiers are "yes", "no" or "unknown".

    Parameters
    ----------
    indicators : DataFrame
        The tidy table.
    communes : DataFrame or GeoDataFrame
        `commune_code`, `vintage`; its rows, order and CRS are kept.
    """
    keys = ["commune_code", "vintage"]
    is_tier = indicators["indicator"].str.startswith("broadband_")
    shares = indicators[~is_tier]
    base = np.where(
        shares["indicator"].str.startswith("share_"),
        shares["indicator"] + "_" + shares["service"],
        "share_" + shares["indicator"],
    )
    slugs = _slugs(shares["operator"].unique())
    suffix = shares["operator"].map(slugs).map(lambda slug: "" if slug == "any" else f"_{slug}")
    columns = pd.Series(base, index=shares.index) + suffix
    wide = [_pivot(shares, columns + end, "share" + end) for end in ("", "_low", "_high")]
    tiers = indicators[is_tier]
    words = tiers["share"].map({1.0: "yes", 0.0: "no"}).fillna("unknown")
    wide.append(_pivot(tiers.assign(word=words), tiers["indicator"], "word"))
    order = [c for name in dict.fromkeys(columns) for c in (name, f"{name}_low", f"{name}_high")]
    table = pd.concat(wide, axis=1)[[*order, *dict.fromkeys(tiers["indicator"])]]
    return communes.merge(table.reset_index(), on=keys, how="left", validate="1:1").copy()


def _pivot(rows: pd.DataFrame, columns: pd.Series, values: str) -> pd.DataFrame:
    keys = ["commune_code", "vintage"]
    return rows.assign(column=columns).pivot(index=keys, columns="column", values=values)  # noqa: PD010


# Ends of column names that mean a bound or another service: no operator's suffix may end so.
RESERVED = ("low", "high", "nsa", "sa")


def _slugs(operators: Iterable[str]) -> dict[str, str]:
    """Return a column suffix for each operator; those that would be alike are numbered."""
    slugs: dict[str, str] = {}
    for operator in operators:
        slug = re.sub(r"[^a-z0-9_]+", "_", strip_accents(operator).lower()).strip("_")
        taken = set(slugs.values())
        slug = slug or "operator"
        if slug.split("_")[0] in RESERVED or slug.split("_")[-1] in RESERVED:
            slug = f"operator_{slug}_operator"
        if slug in taken:
            slug = next(
                f"{slug}_{i}" for i in range(2, len(taken) + 3) if f"{slug}_{i}" not in taken
            )
        slugs[operator] = slug
    return slugs

"""Low-cost access: who can buy a qualifying plan for at most 2 % of a month's income."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from phusong.broadband import NOT_BROADBAND, household_shares

__all__ = ["Subsidy", "compare_with_income", "find_subsidy", "low_cost_shares", "price_ceilings"]

MONTHS = 12
SLACK = 1e-9
INCOMES = ("national", "commune")


def price_ceilings(
    communes: pd.DataFrame, *, income_vnd_month: float, income_share: float
) -> pd.Series:
    """Return the highest price that is low-cost in each commune, VND a month.

    Parameters
    ----------
    communes : DataFrame
        `commune_code`; `income_vnd_month` per head where a commune has its own.
    income_vnd_month : float
        National income per head, for the communes without.
    income_share : float
        0.02: the affordability target of the UN Broadband Commission (2025 targets, target 2: an
        entry-level plan below 2 % of monthly gross national income per head).

    Returns
    -------
    Series of float, index commune_code

    Examples
    --------
    >>> price_ceilings(pd.DataFrame({"commune_code": ["14758"]}), income_vnd_month=5_400_000,
    ...                income_share=0.02).to_dict()
    {'14758': 108000.0}
    """
    codes = pd.Index(communes["commune_code"], name="commune_code")
    if "income_vnd_month" not in communes:
        return pd.Series(income_vnd_month * income_share, index=codes)
    own = communes["income_vnd_month"].astype("float64").set_axis(codes)
    return own.fillna(income_vnd_month) * income_share


def low_cost_shares(
    service: pd.DataFrame,
    communes: pd.DataFrame,
    *,
    floor_mbps: float,
    income_vnd_month: float,
    income_share: float,
    is_complete: bool = False,
) -> pd.DataFrame:
    """Return the share of each commune's people whom a low-cost plan at the floor speed passes.

    A person's share is their household's; see `broadband.household_shares` for the bounds.

    Returns
    -------
    DataFrame, index commune_code
        `share`, `low`, `high`, 0 to 1.
    """
    ceilings = price_ceilings(
        communes, income_vnd_month=income_vnd_month, income_share=income_share
    )
    return household_shares(
        service,
        communes,
        floor_mbps=floor_mbps,
        max_price_vnd_month=ceilings,
        is_complete=is_complete,
    )


def compare_with_income(
    service: pd.DataFrame,
    communes: pd.DataFrame,
    *,
    floor_mbps: float,
    income_vnd_month: float,
    income_share: float,
    is_complete: bool = False,
) -> pd.DataFrame:
    """Return the cheapest qualifying plan of each commune beside a month's income per head.

    Two variants, never mixed: by the national income, and by the commune's own. Only people who
    are covered can buy: where nobody is surely covered there is nothing to compare.

    Parameters
    ----------
    service, communes, floor_mbps, income_vnd_month, income_share, is_complete
        As for `low_cost_shares`.

    Returns
    -------
    DataFrame, index commune_code
        `covered_low`, `covered_high` (share of households that a plan at the floor speed passes, at
        any price), `price_vnd_month` (of the cheapest plan that surely qualifies), and for each
        variant `income_vnd_month_national`, `price_share_national` (price ÷ income),
        `low_cost_national`: "yes", "no", "not_covered", or "unknown"; `missing`: what is not known,
        of "coverage", "price" and "income" (the commune's own), joined by ";".

    Examples
    --------
    >>> service = pd.DataFrame({"commune_code": ["1", "1"], "downlink_mbps": [50.0, 100.0],
    ...     "households_passed": [80.0, 90.0], "price_vnd_month": [90_000.0, 150_000.0]})
    >>> communes = pd.DataFrame({"commune_code": ["1"], "households": [100.0],
    ...                          "income_vnd_month": [4_000_000.0]})
    >>> found = compare_with_income(service, communes, floor_mbps=30, income_vnd_month=5_400_000,
    ...                             income_share=0.02)
    >>> found[["low_cost_national", "low_cost_commune"]].loc["1"].tolist()  # 1.7 % and 2.25 %
    ['yes', 'no']
    """
    codes = pd.Index(communes["commune_code"], name="commune_code")
    shares = household_shares(service, communes, floor_mbps=floor_mbps, is_complete=is_complete)
    plans = _plans(service, communes, floor_mbps=floor_mbps)
    price = plans.groupby("commune_code")["price_vnd_month"].min().reindex(codes)
    table = pd.DataFrame(
        {"covered_low": shares["low"], "covered_high": shares["high"], "price_vnd_month": price}
    )
    own = communes.get("income_vnd_month", pd.Series(np.nan, index=communes.index))
    incomes = {
        "national": pd.Series(float(income_vnd_month), index=codes),
        "commune": own.astype("float64").set_axis(codes),
    }
    is_covered = table["covered_low"] > 0
    for variant in INCOMES:
        income = incomes[variant]
        ratio = (price / income.where(income > 0)).where(is_covered)
        table[f"income_vnd_month_{variant}"] = income
        table[f"price_share_{variant}"] = ratio
        table[f"low_cost_{variant}"] = np.select(
            [table["covered_high"] <= 0, ratio <= income_share + SLACK, ratio > income_share],
            ["not_covered", "yes", "no"],
            "unknown",
        )
    lacks = {
        "coverage": ~is_covered & (table["covered_high"] > 0),
        "price": is_covered & price.isna(),
        "income": ~(incomes["commune"] > 0),
    }
    table["missing"] = [
        ";".join(name for name, flag in zip(lacks, flags, strict=True) if flag)
        for flags in zip(*lacks.values(), strict=True)
    ]
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class Subsidy:
    """What brings the covered people of every commune under the line.

    Attributes
    ----------
    communes : DataFrame, index commune_code
        `ceiling_vnd_month`, `price_vnd_month` (of the plan that reaches most households),
        `subsidy_vnd_month` (a household), `households` (surely covered), `year_vnd` (of a subsidy
        that is each commune's own), `year_uniform_vnd` (of one for all), `missing`: "households",
        "coverage", "price" or "income" where one of them is not known, else "".
    uniform_vnd_month : float
        The smallest subsidy a household and month that is enough everywhere; no household gets
        more than its plan costs. NaN where nothing can be told of any commune.
    year_vnd, year_uniform_vnd : float
        The sums of a year, over the communes of which all is known.
    n_undetermined : int
        Communes that the sums leave out, for want of what `missing` names.
    """

    communes: pd.DataFrame
    uniform_vnd_month: float
    year_vnd: float
    year_uniform_vnd: float
    n_undetermined: int


def find_subsidy(
    service: pd.DataFrame,
    communes: pd.DataFrame,
    ceilings: pd.Series,
    *,
    floor_mbps: float,
) -> Subsidy:
    """Return what subsidy a month brings every commune's covered people under the line.

    In each commune the plan counts that surely passes the most households, the cheapest of those
    that pass as many: subsidy = max(0, its price - ceiling), cost of a year = 12 × subsidy × the
    households that it passes, as if all of them bought it.

    Parameters
    ----------
    service, communes, floor_mbps
        As for `low_cost_shares`.
    ceilings : Series indexed by commune_code
        As `price_ceilings` returns: of the income variant that is asked for.

    Examples
    --------
    >>> service = pd.DataFrame({"commune_code": ["1", "2"], "downlink_mbps": 50.0,
    ...     "households_passed": [80.0, 50.0], "price_vnd_month": [120_000.0, 100_000.0]})
    >>> communes = pd.DataFrame({"commune_code": ["1", "2"], "households": 100.0})
    >>> found = find_subsidy(service, communes, pd.Series(108_000.0, index=["1", "2"]),
    ...                      floor_mbps=30)
    >>> found.uniform_vnd_month, found.year_vnd, found.year_uniform_vnd
    (12000.0, 11520000.0, 18720000.0)
    """
    codes = pd.Index(communes["commune_code"], name="commune_code")
    plans = _plans(service, communes, floor_mbps=floor_mbps)
    has_uncounted = codes.isin(plans.loc[plans["share"].isna(), "commune_code"])
    most = plans.groupby("commune_code")["share"].transform("max")
    widest = plans[(plans["share"] >= most - SLACK) & (plans["share"] > 0)]
    widest = widest.sort_values("price_vnd_month", na_position="last")
    widest = widest.drop_duplicates("commune_code").set_index("commune_code").reindex(codes)
    table = pd.DataFrame(
        {
            "ceiling_vnd_month": ceilings.reindex(codes).astype("float64"),
            "price_vnd_month": widest["price_vnd_month"],
            "households": widest["homes"] * widest["share"],
        }
    )
    excess = table["price_vnd_month"] - table["ceiling_vnd_month"]
    table["subsidy_vnd_month"] = excess.clip(lower=0.0)
    table["year_vnd"] = MONTHS * table["subsidy_vnd_month"] * table["households"]
    uniform = float(table["subsidy_vnd_month"].max())
    paid = np.minimum(table["price_vnd_month"], uniform)
    table["year_uniform_vnd"] = MONTHS * paid * table["households"]
    table["missing"] = np.select(
        [
            widest["share"].isna() & has_uncounted,
            widest["share"].isna(),
            table["price_vnd_month"].isna(),
            table["ceiling_vnd_month"].isna(),
        ],
        ["households", "coverage", "price", "income"],
        "",
    )
    return Subsidy(
        communes=table,
        uniform_vnd_month=uniform,
        year_vnd=float(table["year_vnd"].sum()),
        year_uniform_vnd=float(table["year_uniform_vnd"].sum()),
        n_undetermined=int((table["missing"] != "").sum()),
    )


def _plans(service: pd.DataFrame, communes: pd.DataFrame, *, floor_mbps: float) -> pd.DataFrame:
    """Return the plans that surely have the floor speed and pass somebody, with their share."""
    is_broadband = pd.Series(True, index=service.index)
    if "technology" in service:
        is_broadband = ~service["technology"].isin(NOT_BROADBAND)
    nothing = pd.Series(np.nan, index=service.index)
    speed, passed, price, said = (
        service.get(name, nothing).astype("float64")
        for name in ("downlink_mbps", "households_passed", "price_vnd_month", "households")
    )
    known = communes.get("households", pd.Series(np.nan, index=communes.index))
    known = known.astype("float64").set_axis(communes["commune_code"].to_numpy())
    homes = said.fillna(service["commune_code"].map(known)).replace(0, np.nan)
    plans = pd.DataFrame(
        {
            "commune_code": service["commune_code"],
            "price_vnd_month": price,
            "homes": homes,
            "share": (passed / homes).clip(upper=1.0),
        }
    )
    return plans[is_broadband & (speed >= floor_mbps) & (passed > 0)]

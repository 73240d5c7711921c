"""Low-cost access: who can buy a qualifying plan for at most 2 % of a month's income."""

from __future__ import annotations

import pandas as pd

from phusong.broadband import household_shares

__all__ = ["low_cost_shares", "price_ceilings"]


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

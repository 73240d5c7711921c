"""Does a commune have broadband? Four tiers, always named; unknown never counts as covered.

Every tier is a pair of bounds: (1, 1) is yes, (0, 0) is no, (0, 1) is unknown.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["TIERS", "household_shares", "tier_bounds"]

# Mobile broadband begins with 3G (ITU, Handbook for the Collection of Administrative Data on
# Telecommunications/ICT, mobile-broadband subscriptions): a row of 2G says nothing about it.
NOT_BROADBAND = ("2G",)

TIERS = ("broadband_b0", "broadband_b1", "broadband_b2", "broadband_b3")


def tier_bounds(
    service: pd.DataFrame,
    communes: pd.DataFrame,
    *,
    floor_mbps: float,
    tier_share: float,
    is_complete: bool = False,
) -> dict[str, pd.DataFrame]:
    """Return, for each tier, the low and high bound of every commune.

    - B0, presence: some operator declares a service there; a declaration of 0 households is not.
    - B1, orderable at the centre: some row says so (`at_centre`).
    - B2: at least `tier_share` of the villages have it (`villages_served` ÷ `villages`).
    - B3: at least `tier_share` of the households are passed at `floor_mbps` or more.

    In B2 and B3 which places two operators share is not known: together they serve at least what
    the larger serves, at most the sum of both. Rows of 2G are not broadband.

    Parameters
    ----------
    service : DataFrame
        Schema "service", of the communes' vintage.
    communes : DataFrame
        `commune_code`, and `households` where known.
    floor_mbps : float
        Downlink that counts as broadband in B3.
    tier_share : float
        0.95 in the definitions of B2 and B3.
    is_complete : bool
        The table names every commune that has a service: one without a row is a No, not Unknown.

    Returns
    -------
    dict of str to DataFrame
        By tier: index commune_code (all of `communes`, in order), columns `low`, `high`.

    Examples
    --------
    >>> rows = pd.DataFrame({"commune_code": ["1", "2"], "households_passed": [50.0, 0.0]})
    >>> tiers = tier_bounds(rows, pd.DataFrame({"commune_code": ["1", "2", "3"]}),
    ...                     floor_mbps=30, tier_share=0.95)
    >>> tiers["broadband_b0"].to_numpy().tolist()  # yes, no, unknown
    [[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]
    """
    codes = pd.Index(communes["commune_code"], name="commune_code")
    absent = 0.0 if is_complete else 1.0
    service = _broadband_rows(service)
    passed = _column(service, "households_passed")
    presence = np.where(passed == 0, 0.0, 1.0)
    rows = {
        "broadband_b0": (presence, presence),
        "broadband_b1": _known(_yes_no(service, "at_centre")),
    }
    tiers = {}
    for tier, (low, high) in rows.items():
        bounds = pd.DataFrame({"low": np.asarray(low), "high": np.asarray(high)})
        best = bounds.groupby(service["commune_code"].to_numpy()).max().reindex(codes)
        tiers[tier] = best.fillna({"low": 0.0, "high": absent})
    low, high = _reaches(*_village_shares(service, codes, absent=absent), tier_share)
    tiers["broadband_b2"] = pd.DataFrame({"low": low, "high": high}, index=codes)
    shares = household_shares(service, communes, floor_mbps=floor_mbps, is_complete=is_complete)
    low, high = _reaches(shares["low"], shares["high"], tier_share)
    tiers["broadband_b3"] = pd.DataFrame({"low": low, "high": high}, index=codes)
    return tiers


def household_shares(
    service: pd.DataFrame,
    communes: pd.DataFrame,
    *,
    floor_mbps: float,
    max_price_vnd_month: pd.Series | float = np.inf,
    is_complete: bool = False,
) -> pd.DataFrame:
    """Return the share of each commune's households passed by a plan that qualifies.

    A plan qualifies at `floor_mbps` or more and at the price or less; one whose speed (or, where
    a price is set, price) is not known may qualify. Which households two operators share is not
    known: together they pass at least what the larger passes, at most the sum of both.

    Parameters
    ----------
    service, communes, floor_mbps, is_complete
        As for `tier_bounds`; `households` of the service table go before those of `communes`.
    max_price_vnd_month : Series indexed by commune_code, or float
        The price that a plan may have; infinite asks no price.

    Returns
    -------
    DataFrame, index commune_code
        `share` (equal to the bounds where they meet, else NaN), `low`, `high`, 0 to 1.
    """
    codes = pd.Index(communes["commune_code"], name="commune_code")
    service = _broadband_rows(service)
    households = _column(communes, "households").set_axis(codes)
    place = service["commune_code"]
    homes = _column(service, "households").fillna(place.map(households)).replace(0, np.nan)
    share = (_column(service, "households_passed") / homes).clip(upper=1.0)
    speed, price = _column(service, "downlink_mbps"), _column(service, "price_vnd_month")
    if isinstance(max_price_vnd_month, pd.Series):
        ceiling = place.map(max_price_vnd_month).astype("float64")
    else:
        ceiling = pd.Series(max_price_vnd_month, index=service.index)
    asks_price = ceiling < np.inf
    surely = (speed >= floor_mbps) & (~asks_price | (price <= ceiling))
    maybe = ~(speed < floor_mbps) & ~(asks_price & (price > ceiling))
    low = share.fillna(0.0).where(surely, 0.0)
    high = share.fillna(1.0).where(maybe & (_column(service, "households_passed") != 0), 0.0)
    by_place = place.to_numpy()
    bounds = pd.DataFrame(
        {"low": low.groupby(by_place).max(), "high": high.groupby(by_place).sum().clip(upper=1.0)}
    ).reindex(codes)
    bounds = bounds.fillna({"low": 0.0, "high": 0.0 if is_complete else 1.0})
    meets = np.isclose(bounds["low"], bounds["high"], rtol=0, atol=1e-12)
    return bounds.assign(share=bounds["low"].where(meets))[["share", "low", "high"]]


def _broadband_rows(service: pd.DataFrame) -> pd.DataFrame:
    if "technology" not in service:
        return service
    return service[~service["technology"].isin(NOT_BROADBAND)]


def _village_shares(
    service: pd.DataFrame, codes: pd.Index, *, absent: float
) -> tuple[pd.Series, pd.Series]:
    """Return the bounds of the share of each commune's villages that its operators serve."""
    served = _column(service, "villages_served")
    share = (served / _column(service, "villages").replace(0, np.nan)).clip(upper=1.0)
    by_place = service["commune_code"].to_numpy()
    low = share.fillna(0.0).groupby(by_place).max()
    high = share.fillna(1.0).where(served != 0, 0.0).groupby(by_place).sum().clip(upper=1.0)
    return low.reindex(codes).fillna(0.0), high.reindex(codes).fillna(absent)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        return pd.Series(np.nan, index=frame.index)
    return frame[name].astype("float64")


def _yes_no(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        return pd.Series(np.nan, index=frame.index)
    return frame[name].astype("boolean").astype("Float64").astype("float64")


def _known(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    return values.fillna(0.0), values.fillna(1.0)


def _reaches(low: pd.Series, high: pd.Series, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Compare a share's bounds with a threshold; NaN is unknown."""
    slack = 1e-9
    is_yes = (low >= share - slack).fillna(False).to_numpy()
    may_be = ~(high < share - slack).fillna(False).to_numpy()
    return is_yes.astype(float), may_be.astype(float)

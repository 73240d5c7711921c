"""What a candidate costs: a table that the user edits, by what is built."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phusong.errors import Problem, SchemaError

__all__ = ["AMOUNTS", "check_costs", "price"]

AMOUNTS = ("build_vnd", "yearly_vnd", "backhaul_vnd_km", "power_vnd", "spread")


def check_costs(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of costs by kind, its amounts as numbers.

    Parameters
    ----------
    table : DataFrame
        `kind`, `build_vnd`, `yearly_vnd`, `backhaul_vnd_km`, `power_vnd` (of a place without
        power), `spread` (standard deviation of the logarithm of the true cost), `source`.

    Raises
    ------
    SchemaError
        Naming every column that is missing, kind that occurs twice and amount that is no number
        of 0 or more.
    """
    missing = [name for name in ("kind", *AMOUNTS, "source") if name not in table]
    amounts = table.reindex(columns=list(AMOUNTS)).apply(pd.to_numeric, errors="coerce")
    is_wrong = ~((amounts >= 0) & np.isfinite(amounts))
    kinds = table["kind"] if "kind" in table else pd.Series(dtype="str")
    problems = [
        *(Problem(row=1, field=name, found="no such column", expected="one") for name in missing),
        *(Problem(row=i + 2, field=name, found=str(table[name].iloc[i]),
                  expected="a number of 0 or more")
          for name in AMOUNTS if name not in missing
          for i in np.flatnonzero(is_wrong[name]).tolist()),
        *(Problem(row=i + 2, field="kind", found=str(kinds.iloc[i]), expected="each kind once")
          for i in np.flatnonzero(kinds.duplicated()).tolist()),
    ]  # fmt: skip
    if problems:
        raise SchemaError("costs", problems)
    return table.assign(**{name: amounts[name].astype(float) for name in AMOUNTS})


def price(candidates: pd.DataFrame, costs: pd.DataFrame, *, years: float) -> pd.DataFrame:
    """Return the candidates with what they cost over some years, not discounted.

    cost_vnd = build_vnd + years × yearly_vnd, where build_vnd holds the mast or the upgrade, fibre
    to the nearest site on air, and power where there is none. Where power is not known it is taken
    to be there.

    Parameters
    ----------
    candidates : DataFrame
        `kind`, `backhaul_km`, `has_power`.
    costs : DataFrame
        As `check_costs` returns.
    years : float

    Raises
    ------
    SchemaError
        If a kind has no costs, or a candidate would cost nothing.

    Examples
    --------
    >>> costs = check_costs(pd.DataFrame({"kind": ["new"], "build_vnd": 100, "yearly_vnd": 10,
    ...     "backhaul_vnd_km": 5, "power_vnd": 7, "spread": 0.2, "source": "assumption"}))
    >>> new = pd.DataFrame({"kind": ["new", "new"], "backhaul_km": [2.0, 0.0],
    ...                     "has_power": [False, True]})
    >>> price(new, costs, years=5)["cost_vnd"].tolist()
    [167.0, 150.0]
    """
    by_kind = costs.set_index("kind")
    unknown = sorted(set(candidates["kind"]) - set(by_kind.index))
    if unknown:
        raise SchemaError(
            "costs",
            [
                Problem(row=None, field="kind", found="no row", expected=f"the costs of {kind!r}")
                for kind in unknown
            ],
        )
    each = by_kind.loc[candidates["kind"], list(AMOUNTS)].reset_index(drop=True)
    each.index = candidates.index
    no_power = candidates["has_power"].astype("boolean").fillna(True).eq(False).astype(float)
    build = (
        each["build_vnd"]
        + each["backhaul_vnd_km"] * candidates["backhaul_km"].fillna(0.0)
        + each["power_vnd"] * no_power
    )
    cost = build + years * each["yearly_vnd"]
    if (cost <= 0).any():
        kind = candidates["kind"][cost <= 0].iloc[0]
        raise SchemaError(
            "costs",
            [
                Problem(
                    row=None, field="build_vnd", found=f"0 for {kind!r}", expected="a cost above 0"
                )
            ],
        )
    return candidates.assign(
        build_vnd=build, yearly_vnd=each["yearly_vnd"], cost_vnd=cost, spread=each["spread"]
    )

"""Who is left behind: coverage by class of commune, its Gini index, and the worst-served tenth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["BANDS", "coverage_by_class", "gini", "measure_equity", "share_of_worst"]

BANDS = ("lowest third", "middle third", "highest third")
NOT_STATED = "not stated"
WORST = 0.1


def gini(share: np.ndarray, people: np.ndarray) -> float:
    """Return the Gini index of a share over people: 0 where all have the same.

    G = Σᵢ Σⱼ wᵢ wⱼ |xᵢ - xⱼ| ÷ (2 W² x̄), with x̄ = Σ w x ÷ W (Gini 1912; Lerman & Yitzhaki 1989
    for weights). One who has it all among many has nearly 1.

    Parameters
    ----------
    share : array of float, shape (n,)
        0 to 1 of each commune's people.
    people : array of float, shape (n,)
        Weights, 0 or more.

    Returns
    -------
    float
        0 to 1; NaN where nobody has anything, or there are no people.

    Examples
    --------
    >>> round(gini(np.array([1.0, 0.0]), np.array([300.0, 100.0])), 9)
    0.25
    """
    order = np.argsort(share, kind="stable")
    x, w = np.asarray(share, dtype="float64")[order], np.asarray(people, dtype="float64")[order]
    total = float((w * x).sum())
    if not total > 0:
        return float("nan")
    # of sorted values: Σ wᵢ xᵢ (2 Wᵢ - wᵢ - W), Wᵢ the people up to i
    upto = np.cumsum(w)
    index = float((w * x * (2 * upto - w - upto[-1])).sum()) / (total * float(upto[-1]))
    return min(max(index, 0.0), 1.0)


def share_of_worst(share: np.ndarray, people: np.ndarray, *, part: float = WORST) -> float:
    """Return the share of people covered in the worst-served communes that hold `part` of all.

    The commune on the edge counts with as many of its people as are still to be filled in.

    Parameters
    ----------
    share, people : array of float, shape (n,)
    part : float
        Of all people, above 0 and at most 1.

    Returns
    -------
    float
        NaN without people.

    Examples
    --------
    >>> share_of_worst(np.array([0.9, 0.2, 0.0]), np.array([900.0, 50.0, 50.0]))
    0.1
    """
    order = np.argsort(share, kind="stable")
    x, w = np.asarray(share, dtype="float64")[order], np.asarray(people, dtype="float64")[order]
    wanted = part * w.sum()
    if not wanted > 0:
        return float("nan")
    before = np.cumsum(w) - w
    taken = np.clip(wanted - before, 0.0, w)
    return float((taken * x).sum() / wanted)


def coverage_by_class(rows: pd.DataFrame, by: pd.Series) -> pd.DataFrame:
    """Return the coverage of people by class of commune; the classes sum to the whole.

    Parameters
    ----------
    rows : DataFrame
        `share` (NaN where unknown), `share_low`, `share_high`, `people`, one row a commune.
        Communes whose number of people is unknown are counted, and weigh nothing.
    by : Series
        The class of each row; numbers are cut into thirds of the people, lowest first.

    Returns
    -------
    DataFrame
        `class`, `n_communes`, `people`, `covered` (Σ people × share, unknown as its low),
        `covered_low`, `covered_high`, and `share`, `share_low`, `share_high` of the class.

    Examples
    --------
    >>> rows = pd.DataFrame({"share": [0.9, 0.1, 0.5], "share_low": [0.9, 0.1, 0.5],
    ...                      "share_high": [0.9, 0.1, 0.5], "people": [100.0, 100.0, 200.0]})
    >>> found = coverage_by_class(rows, pd.Series(["plain", "mountain", "plain"]))
    >>> found[["class", "covered", "share"]].round(9).to_numpy().tolist()
    [['mountain', 10.0, 0.1], ['plain', 190.0, 0.633333333]]
    """
    low, known, high = _bounds(rows)
    people = rows["people"].fillna(0.0)
    classes = _thirds(by, people) if pd.api.types.is_numeric_dtype(by) else by
    table = pd.DataFrame(
        {
            "class": classes.astype("str").fillna(NOT_STATED).to_numpy(),
            "n_communes": 1,
            "people": people.to_numpy(),
            "covered": (people * known).to_numpy(),
            "covered_low": (people * low).to_numpy(),
            "covered_high": (people * high).to_numpy(),
        }
    )
    table = table.groupby("class", as_index=False).sum()
    whole = table["people"].where(table["people"] > 0)
    for end in ("", "_low", "_high"):
        table[f"share{end}"] = table[f"covered{end}"] / whole
    return table


def measure_equity(
    indicators: pd.DataFrame,
    communes: pd.DataFrame,
    *,
    by: Sequence[str] = ("terrain_class", "poverty_share", "minority_share"),
    indicator: str = "share_population",
    operator: str = "any",
) -> pd.DataFrame:
    """Return, for each service, coverage by class, the Gini index and the worst-served tenth.

    Parameters
    ----------
    indicators : DataFrame
        The tidy table.
    communes : DataFrame
        `commune_code`, `vintage`, and the columns of `by` that are given; one that is absent or
        empty makes no classes.
    by : sequence of str
    indicator, operator : str
        Which rows of the tidy table.

    Returns
    -------
    DataFrame
        `service`, `measure` ("coverage", "gini", "worst_tenth"), `by` and `class` ("" for all),
        `n_communes`, `people`, `value`, `low`, `high`. An unknown share counts as its low in
        `value`. The low and high of the Gini index are NaN: bounds of shares do not order it.
    """
    chosen = (indicators["indicator"] == indicator) & (indicators["operator"] == operator)
    rows = indicators[chosen].rename(columns={"denominator": "people"})
    given = [name for name in by if name in communes and communes[name].notna().any()]
    keys = ["commune_code", "vintage"]
    rows = rows.merge(communes[[*keys, *given]], on=keys, how="left", validate="m:1")
    frames = []
    for service, group in rows.groupby("service", sort=False):
        low, known, high = _bounds(group)
        people = group["people"].fillna(0.0).to_numpy()
        worst = [share_of_worst(share.to_numpy(), people) for share in (known, low, high)]
        every = {"service": service, "by": "", "class": "", "n_communes": len(group),
                 "people": float(people.sum())}  # fmt: skip
        frames.append(
            pd.DataFrame(
                [
                    every | {"measure": "gini", "value": gini(known.to_numpy(), people),
                             "low": np.nan, "high": np.nan},
                    every | {"measure": "worst_tenth", "value": worst[0], "low": worst[1],
                             "high": worst[2]},
                ]
            )
        )  # fmt: skip
        for name in given:
            found = coverage_by_class(group, group[name])
            names = {"share": "value", "share_low": "low", "share_high": "high"}
            found = found.rename(columns=names)[["class", "n_communes", "people", *names.values()]]
            frames.append(found.assign(service=service, measure="coverage", by=name))
    columns = ["service", "measure", "by", "class", "n_communes", "people", "value", "low", "high"]
    if not frames:
        return pd.DataFrame(columns=columns)
    return pd.concat(frames, ignore_index=True)[columns]


def _bounds(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return the low, the figure and the high of each share: unknown is 0 to 1, and counts as 0."""
    share = rows["share"].astype("float64")
    low = rows["share_low"].astype("float64").fillna(share).fillna(0.0)
    high = rows["share_high"].astype("float64").fillna(share).fillna(1.0)
    return low, share.fillna(low), high


def _thirds(values: pd.Series, people: pd.Series) -> pd.Series:
    """Return the third of the people that each commune is in, by where its middle person stands."""
    numbers = values.astype("float64")
    order = numbers.sort_values(kind="stable").index
    weight = people.reindex(order).where(numbers.reindex(order).notna(), 0.0)
    middle = (weight.cumsum() - weight / 2).groupby(numbers.reindex(order)).transform("mean")
    total = float(weight.sum())
    if not total > 0:
        return pd.Series(pd.NA, index=values.index, dtype="str")
    band = np.minimum((middle / total * 3).fillna(0).astype("int64"), 2)
    words = band.map(dict(enumerate(BANDS))).where(numbers.reindex(order).notna())
    return words.reindex(values.index).astype("str")

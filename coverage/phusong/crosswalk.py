"""From the communes of before to those of 2025: a commune is (code, vintage), never a bare code.

All 166 codes of Thanh Hóa since 2025-07-01 reuse codes of before, 101 of them under another name
(Resolution 1686/NQ-UBTVQH15), so a code alone silently names the wrong territory.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from phusong.errors import CrosswalkError, Problem
from phusong.names import normalise_name, short_name

__all__ = [
    "BEFORE_2025",
    "VINTAGE_2025",
    "decide_vintage",
    "links_to",
    "move_shares",
    "move_yes_no",
    "place_service",
]

VINTAGE_2025 = "2025"
BEFORE_2025 = "before-2025"
SHOWN_ROWS = 20


def decide_vintage(
    table: pd.DataFrame,
    known: pd.DataFrame,
    *,
    vintage: str | None = None,
    rows: pd.Series | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the rows of `table` with one vintage, and the rows that no commune answers to.

    A vintage that is given, or a `vintage` column, is believed. Without either, the codes are
    read together with the names; codes without names decide only where they leave no doubt.

    Parameters
    ----------
    table : DataFrame
        `commune_code`, and `vintage` or `commune_name` where known.
    known : DataFrame
        `commune_code`, `vintage`, `commune_name` of every commune of every vintage.
    vintage : str, optional
        Said by the user.
    rows : Series of int, optional
        Each row's number in its file, aligned with the table; positions from 1 without it.

    Returns
    -------
    DataFrame
        The rows whose commune is known, with `vintage` filled.
    list of Problem
        The others, one each.

    Raises
    ------
    CrosswalkError
        If the table mixes vintages (its message lists the rows), or could be of either.
    """
    numbers = pd.Series(range(1, len(table) + 1), index=table.index) if rows is None else rows
    decided = vintage or _said_vintage(table, numbers) or _read_vintage(table, known, numbers)
    names = known[known["vintage"] == decided].set_index("commune_code")["commune_name"]
    if names.empty:
        expected = ", ".join(sorted(known["vintage"].unique()))
        raise CrosswalkError(f"no communes of vintage {decided!r} are known; known are {expected}")
    found = table["commune_code"].map(names)
    is_known = found.notna()
    if "commune_name" in table:
        pairs = zip(table["commune_name"].fillna(""), found.fillna(""), strict=True)
        is_known &= np.array([_same_name(declared, known) for declared, known in pairs], dtype=bool)
    problems = [
        Problem(
            row=int(numbers.loc[index]),
            field="commune_code",
            found=_describe(table.loc[index]),
            expected=f"a commune of vintage {decided}"
            + (f": the code is {found.loc[index]}" if isinstance(found.loc[index], str) else ""),
        )
        for index in table.index[~is_known]
    ]
    return table[is_known].assign(vintage=decided), problems


def place_service(
    service: pd.DataFrame,
    communes: pd.DataFrame,
    crosswalk: pd.DataFrame,
    *,
    vintage: str | None = None,
    rows: pd.Series | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the service rows with their vintage, and those that no commune answers to.

    See `decide_vintage`; the communes of before are those of the crosswalk that lead to
    one of `communes`.
    """
    columns = ["commune_code", "vintage", "commune_name"]
    old = links_to(communes, crosswalk)
    old = old[["commune_code_old", "vintage_old", "commune_name_old"]].drop_duplicates()
    known = [communes[columns], old.set_axis(columns, axis=1)]
    return decide_vintage(service, pd.concat(known), vintage=vintage, rows=rows)


def links_to(communes: pd.DataFrame, crosswalk: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the crosswalk that lead to these communes, by code and vintage.

    Codes are used again: those of communes of before lead nowhere, though new ones bear them.
    """
    pairs = pd.MultiIndex.from_frame(communes[["commune_code", "vintage"]])
    return crosswalk[pd.MultiIndex.from_frame(crosswalk[["commune_code", "vintage"]]).isin(pairs)]


def move_yes_no(
    bounds: pd.DataFrame, crosswalk: pd.DataFrame, *, weights: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return yes/no of new communes from their parts: yes only if all parts are.

    Parameters
    ----------
    bounds : DataFrame, indexed by old commune_code
        `low` and `high`, each 0 or 1: (1, 1) is yes, (0, 0) is no, (0, 1) is unknown. A commune
        that is absent is unknown.
    crosswalk : DataFrame
        `commune_code_old`, `commune_code`, `part` ("whole" or "split").
    weights : DataFrame, optional
        `commune_code_old`, `commune_code`, `weight`: the people (or area) of each part. A split
        part without a weight is unknown; a part that weighs nothing is left out.

    Returns
    -------
    DataFrame, indexed by new commune_code
        `low` and `high`.

    Examples
    --------
    >>> parts = pd.DataFrame({"commune_code_old": ["1", "2"], "commune_code": "9",
    ...                       "part": ["whole", "whole"]})
    >>> move_yes_no(pd.DataFrame({"low": [1.0, 0.0], "high": [1.0, 1.0]}, index=["1", "2"]), parts)
                  low  high
    commune_code
    9             0.0   1.0
    """
    parts = _parts(bounds, crosswalk, weights)
    return parts.groupby("commune_code", sort=False)[["low", "high"]].min()


def move_shares(
    shares: pd.DataFrame, crosswalk: pd.DataFrame, *, weights: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return shares of new communes as the weighted mean of their parts.

    Parameters
    ----------
    shares : DataFrame, indexed by old commune_code
        `share`, `low`, `high`, 0 to 1; NaN is unknown.
    crosswalk, weights : DataFrame
        As for `move_yes_no`. Without weights only a new commune of one whole part has a mean;
        the others have the bounds of their parts.

    Returns
    -------
    DataFrame, indexed by new commune_code
        `share`, `low`, `high`.

    Examples
    --------
    >>> parts = pd.DataFrame({"commune_code_old": ["1", "2"], "commune_code": "9",
    ...                       "part": "whole"})
    >>> old = pd.DataFrame({"share": [1.0, 0.5], "low": [1.0, 0.5], "high": [1.0, 0.5]},
    ...                    index=["1", "2"])
    >>> move_shares(old, parts, weights=parts.assign(weight=[100, 300]))
                  share    low   high
    commune_code
    9             0.625  0.625  0.625
    >>> move_shares(old, parts)
                  share  low  high
    commune_code
    9               NaN  0.5   1.0
    """
    parts = _parts(shares, crosswalk, weights)
    grouped = parts.groupby("commune_code", sort=False)
    is_single = grouped["share"].size() == 1
    bounds = pd.DataFrame({"low": grouped["low"].min(), "high": grouped["high"].max()})
    single = grouped["share"].first().where(is_single & (grouped["is_sure"].all()))
    moved = bounds.assign(share=single)[["share", "low", "high"]]
    has_weights = grouped["weight"].agg(lambda w: bool(w.notna().all()))
    for name in ("share", "low", "high"):
        mean = _weighted_mean(parts, name)
        moved[name] = mean.where(has_weights, moved[name])
    return moved


def _parts(
    values: pd.DataFrame, crosswalk: pd.DataFrame, weights: pd.DataFrame | None
) -> pd.DataFrame:
    """Return one row a part with its old commune's values; a part that is unsure spans 0 to 1."""
    keys = ["commune_code_old", "commune_code"]
    for name, table in (("crosswalk", crosswalk), ("weights", weights)):
        if table is not None and (repeated := table[table.duplicated(keys)])[keys].size:
            pairs = ", ".join(repeated[keys].agg(" → ".join, axis=1)[:SHOWN_ROWS])
            raise CrosswalkError(f"{name}: pairs of old and new commune that occur twice: {pairs}")
    parts = crosswalk[[*keys, "part"]]
    if weights is None:
        parts = parts.assign(weight=np.nan)
    else:
        parts = parts.merge(weights[[*keys, "weight"]], on=keys, how="left", validate="1:1")
        parts = parts[~(parts["weight"] == 0)]
    parts = parts.join(values, on="commune_code_old")
    is_sure = (parts["part"] == "whole") | parts["weight"].notna()
    parts["low"] = parts["low"].where(is_sure).fillna(0.0)
    parts["high"] = parts["high"].where(is_sure).fillna(1.0)
    return parts.assign(is_sure=is_sure)


def _weighted_mean(parts: pd.DataFrame, name: str) -> pd.Series:
    """Return Σ weight × value ÷ Σ weight by new commune; NaN where a value is."""
    product = (parts[name] * parts["weight"]).groupby(parts["commune_code"])
    total = parts.groupby("commune_code")["weight"].sum()
    return product.sum(min_count=1).where(~product.agg(lambda p: bool(p.isna().any()))) / total


def _said_vintage(table: pd.DataFrame, rows: pd.Series) -> str | None:
    """Return the vintage of the `vintage` column; rows that leave it empty take the others'."""
    if "vintage" not in table or table["vintage"].isna().all():
        return None
    said = table["vintage"].dropna()
    if len(set(said)) > 1:
        raise CrosswalkError(_mixed(said, rows))
    return str(said.iloc[0])


def _read_vintage(table: pd.DataFrame, known: pd.DataFrame, rows: pd.Series) -> str:
    codes = {v: set(group) for v, group in known.groupby("vintage")["commune_code"]}
    if "commune_name" not in table or table["commune_name"].isna().all():
        return _vintage_of_codes(set(table["commune_code"]), codes)
    keys = {
        v: set(zip(group["commune_code"], group["commune_name"].map(_short_key), strict=True))
        for v, group in known.groupby("vintage")
    }
    named = table[table["commune_name"].notna()]
    pairs = list(zip(named["commune_code"], named["commune_name"].map(_short_key), strict=True))
    only = pd.Series(
        [next(iter(fits)) if len(fits) == 1 else None for fits in
         ([v for v in keys if pair in keys[v]] for pair in pairs)],
        index=named.index, dtype="object",
    ).dropna()  # fmt: skip
    if len(set(only)) > 1:
        raise CrosswalkError(_mixed(only, rows))
    if len(only):
        return str(only.iloc[0])
    return _vintage_of_codes(set(table["commune_code"]), codes)


def _vintage_of_codes(found: set[str], codes: dict[str, set[str]]) -> str:
    shared = {v: len(found & group) for v, group in codes.items()}
    fits = [v for v in codes if shared[v] == max(shared.values())]
    whole = [v for v in fits if found == codes[v]]
    if len(fits) == 1 or len(whole) == 1:
        return (whole or fits)[0]
    raise CrosswalkError(
        f"the codes could be of {' or of '.join(sorted(fits))}: all 2025 codes reuse older ones; "
        "add a column commune_name or vintage, or say --vintage"
    )


def _mixed(vintages: pd.Series, rows: pd.Series) -> str:
    lines = ["the table mixes commune vintages; give one table for each:"]
    for vintage, group in vintages.groupby(vintages):
        numbers = sorted(int(rows.loc[index]) for index in group.index)
        shown = ", ".join(map(str, numbers[:SHOWN_ROWS]))
        more = f" and {len(numbers) - SHOWN_ROWS} more" if len(numbers) > SHOWN_ROWS else ""
        lines.append(f"  - {vintage}: {len(numbers)} rows ({shown}{more})")
    return "\n".join(lines)


def _short_key(name: str) -> str:
    return normalise_name(short_name(name))


def _same_name(declared: str, known: str) -> bool:
    return not declared or _short_key(declared) == _short_key(known)


def _describe(row: pd.Series) -> str:
    name = row.get("commune_name")
    return f"{row['commune_code']} {name}" if isinstance(name, str) else str(row["commune_code"])

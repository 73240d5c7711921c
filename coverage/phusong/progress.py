"""Progress towards targets: dates on one geography, verdicts against a straight path, what is left.

Unknown never counts as covered: a share that is not known has bounds, and only bounds decide.
"""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.crosswalk import move_shares, move_yes_no
from phusong.errors import CrosswalkError
from phusong.joins import AREA_CRS, overlay_weights
from phusong.rollup import COMMUNE_SHARES, roll_up
from phusong.targets import Target, evaluate_targets

__all__ = [
    "RATE_DATES",
    "WHOLE",
    "carry_indicators",
    "figure_targets",
    "follow_targets",
    "link_by_place",
    "look_ahead",
]

WHOLE = ""  # the commune_code of all communes together
KEYS = ["target_id", "reading", "commune_code"]
FIGURE = ["indicator", "service", "operator"]
RATE_DATES = 3
DAYS_A_YEAR = 365.25
SLACK = 1e-9
SLIVER_SHARE = 0.05
FARTHEST_YEARS = 100.0


def link_by_place(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return a crosswalk drawn from the polygons, for vintages that no document links.

    A piece of less than 5 % of its old commune is taken as a difference of drawing. A commune
    with one piece left is a whole part; one with several is split.

    Parameters
    ----------
    old, new : GeoDataFrame
        `commune_code`, `commune_name`, `vintage`; any CRS.

    Returns
    -------
    DataFrame
        `commune_code_old`, `commune_name_old`, `vintage_old`, `commune_code`, `commune_name`,
        `vintage`, `part`.

    Examples
    --------
    >>> from shapely import box
    >>> old = gpd.GeoDataFrame({"commune_code": ["1", "2"], "commune_name": "Xã A",
    ...     "vintage": "2009"}, crs="EPSG:5897",
    ...     geometry=[box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)])
    >>> new = old.assign(vintage="2025").dissolve("vintage", as_index=False)
    >>> link_by_place(old, new)["part"].tolist()
    ['whole', 'whole']
    """
    pieces = overlay_weights(old, new)
    whole_km2 = pd.Series(old.to_crs(AREA_CRS).area.to_numpy() / 1e6, old["commune_code"])
    share = pieces["area_km2"] / pieces["commune_code_old"].map(whole_km2)
    pieces = pieces[share >= SLIVER_SHARE]
    n_pieces = pieces.groupby("commune_code_old")["commune_code"].transform("size")
    old_named = old[["commune_code", "commune_name", "vintage"]].add_suffix("_old")
    links = pieces[["commune_code_old", "commune_code"]].assign(
        part=np.where(n_pieces == 1, "whole", "split")
    )
    links = links.merge(pd.DataFrame(old_named), on="commune_code_old")
    new_named = pd.DataFrame(new[["commune_code", "commune_name", "vintage"]])
    return links.merge(new_named, on="commune_code")


def carry_indicators(
    indicators: pd.DataFrame, crosswalk: pd.DataFrame, *, today: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows of an older date on the communes of today, what is uncertain in the bounds.

    Parts that went whole into a commune count with their own denominators (people or km²): their
    mean is known. What a part of a divided commune had is not: it may be all or nothing, and the
    bounds of the commune say so. A yes/no indicator is Yes only if all parts are.

    Parameters
    ----------
    indicators : DataFrame
        Tidy rows of one vintage.
    crosswalk : DataFrame
        `commune_code_old`, `vintage_old`, `commune_code`, `vintage`, `part`; of several vintages
        in a row if need be.
    today : DataFrame
        Tidy rows of today: their communes and their denominators are those of the result.

    Returns
    -------
    DataFrame
        Tidy rows, one for each commune of today and figure that both tables have.

    Raises
    ------
    CrosswalkError
        If no crosswalk leads from the vintage of the rows to that of today.

    Examples
    --------
    >>> row = {"indicator": "share_population", "service": "5g", "operator": "any", "unit":
    ...        "persons", "evidence": "declared", "as_of": pd.Timestamp("2025-06-30"),
    ...        "share_low": np.nan, "share_high": np.nan}
    >>> old = pd.DataFrame({"commune_code": ["1", "2"], "vintage": "before-2025", **row,
    ...                     "share": [1.0, 0.5], "denominator": [100.0, 300.0]})
    >>> new = pd.DataFrame({"commune_code": ["9"], "vintage": "2025", **row, "share": [0.8],
    ...                     "denominator": [400.0]})
    >>> links = pd.DataFrame({"commune_code_old": ["1", "2"], "vintage_old": "before-2025",
    ...                       "commune_code": "9", "vintage": "2025", "part": "whole"})
    >>> carry_indicators(old, links, today=new)["share"].tolist()
    [0.625]
    """
    vintages = sorted(set(today["vintage"]))
    seen = set()
    carried = indicators
    while (vintage := str(carried["vintage"].iloc[0])) not in vintages:
        seen.add(vintage)
        links = crosswalk[crosswalk["vintage_old"] == vintage]
        onward = sorted(set(links["vintage"]) - seen)
        if len(onward) != 1:
            raise CrosswalkError(
                f"no crosswalk leads from the communes of {vintage!r} to those of "
                f"{', '.join(vintages)} (found: {', '.join(onward) or 'none'}); give one"
            )
        carried = _step(carried, links[links["vintage"] == onward[0]])
    shown = today.merge(carried[FIGURE].drop_duplicates(), on=FIGURE)
    columns = ["commune_code", *FIGURE]
    values = ["share", "share_low", "share_high", "evidence"]
    moved = shown.drop(columns=values).merge(carried[[*columns, *values]], on=columns, how="left")
    is_lost = moved["share"].isna() & moved["share_low"].isna()
    moved["share_low"] = moved["share_low"].where(~is_lost, 0.0)
    moved["share_high"] = moved["share_high"].where(~is_lost, 1.0)
    return moved.assign(as_of=carried["as_of"].iloc[0])[list(today.columns)]


def _step(rows: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Carry the rows over one crosswalk."""
    is_there = links["commune_code_old"].isin(rows["commune_code"])
    links = links[links["commune_code"].isin(links.loc[is_there, "commune_code"])]
    is_split = (links["part"] != "whole").groupby(links["commune_code"]).any()
    carried = []
    for figure, group in rows.groupby(FIGURE, sort=False):
        moved, denominators = _move(group.set_index("commune_code"), links)
        moved["denominator"] = denominators.reindex(moved.index).where(~is_split)
        shared = {"evidence": group["evidence"].iloc[0], "as_of": group["as_of"].iloc[0]}
        labels = dict(zip(FIGURE, figure, strict=True)) | shared | {"unit": group["unit"].iloc[0]}
        carried.append(moved.reset_index().assign(**labels))
    return pd.concat(carried, ignore_index=True).assign(vintage=links["vintage"].iloc[0])


def _move(values: pd.DataFrame, links: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Return share, share_low, share_high and denominators of one figure on the new communes."""
    is_tier = str(values["indicator"].iloc[0]).startswith("broadband_")
    bounds = pd.DataFrame(
        {
            "share": values["share"],
            "low": values["share_low"].fillna(values["share"]),
            "high": values["share_high"].fillna(values["share"]),
        }
    )
    whole = links[links["part"] == "whole"]
    weights = whole.assign(weight=whole["commune_code_old"].map(values["denominator"]))
    if is_tier:
        moved = move_yes_no(bounds[["low", "high"]], links)
        moved["share"] = moved["low"].where(moved["low"] == moved["high"])
    else:
        moved = move_shares(bounds, links, weights=weights)
    sums = weights.groupby("commune_code")["weight"].sum(min_count=1)
    return moved.rename(columns={"low": "share_low", "high": "share_high"}), sums


def figure_targets(
    targets: Sequence[Target], indicators: pd.DataFrame, communes: pd.DataFrame
) -> pd.DataFrame:
    """Return the figure of each target's readings on one date, for all communes and for each.

    Parameters
    ----------
    targets : sequence of Target
    indicators : DataFrame
        Tidy rows of one date and vintage.
    communes : DataFrame
        `commune_code`, `vintage`, `province_code`.

    Returns
    -------
    DataFrame
        `target_id`, `reading` (its position), `commune_code` ("" for all communes together; each
        commune has the indicator of the first reading), `share`, `share_low`, `share_high`,
        `denominator` (of a commune), `n_unknown` (communes whose share is not known).
    """
    readings = [reading for target in targets for reading in target.readings]
    asked = pd.MultiIndex.from_tuples({(r.indicator, r.service, "any") for r in readings})
    any_operator = indicators[pd.MultiIndex.from_frame(indicators[FIGURE]).isin(asked)]
    levels = {r.commune_share for r in readings if r.commune_share is not None}
    provinces = roll_up(any_operator, communes, commune_shares=sorted({*COMMUNE_SHARES, *levels}))
    as_of = pd.Timestamp(indicators["as_of"].iloc[0]).date()
    frames = []
    for result in evaluate_targets(targets, any_operator, provinces, as_of=as_of):
        name = result.target.target_id
        for position, figure in enumerate(result.figures):
            reading = figure.reading
            rows = any_operator[
                (any_operator["indicator"] == reading.indicator)
                & (any_operator["service"] == reading.service)
            ]
            if rows.empty:
                continue
            whole = {
                "commune_code": WHOLE,
                "share": figure.share,
                "share_low": figure.share_low,
                "share_high": figure.share_high,
                "n_unknown": int(rows["share"].isna().sum()),
            }
            labels = {"target_id": name, "reading": position}
            frames.append(pd.DataFrame([whole | labels]))
            if position == 0:
                own = rows[["commune_code", "share", "share_low", "share_high", "denominator"]]
                frames.append(own.assign(n_unknown=own["share"].isna().astype("int64"), **labels))
    columns = [*KEYS, "share", "share_low", "share_high", "denominator", "n_unknown"]
    if not frames:
        return pd.DataFrame(columns=columns)
    return pd.concat(frames, ignore_index=True).reindex(columns=columns)


def follow_targets(figures: pd.DataFrame, targets: Sequence[Target]) -> pd.DataFrame:
    """Return each figure on each date with its path and its verdict.

    The path is a straight line from the share of the first date to the threshold on the target's
    date; where the share of the first date is not known, the line from each of its bounds. Until
    the target's date: on track where the lower bound is on the path or above it, off track where
    the upper bound is below it, else undecided. After it: met, missed or undetermined.

    Parameters
    ----------
    figures : DataFrame
        As `figure_targets` returns, of several dates, with `as_of`.
    targets : sequence of Target
        A commune's threshold is the target's `commune_floor`.

    Returns
    -------
    DataFrame
        The figures in order of date, with `threshold`, `due`, `path_low`, `path_high` and
        `verdict` ("" for a reading without a threshold).

    Examples
    --------
    >>> from datetime import date
    >>> from phusong.targets import Reading
    >>> reading = Reading(label_vi="P5", label_en="P5", indicator="share_population",
    ...                   service="5g", share_of="people", threshold=1.0)
    >>> target = Target(target_id="5g", title_vi="", title_en="", words_vi="", words_en="",
    ...                 due=date(2030, 1, 1), document="", clause="", commune_floor=0.9,
    ...                 readings=(reading,))
    >>> figures = pd.DataFrame({"target_id": "5g", "reading": 0, "commune_code": "",
    ...     "as_of": pd.to_datetime(["2020-01-01", "2025-01-01"]), "share": [0.5, 0.8],
    ...     "share_low": [0.5, 0.7], "share_high": [0.5, 0.9]})
    >>> follow_targets(figures, [target])[["path_low", "verdict"]].round(3).to_numpy().tolist()
    [[0.5, 'on_track'], [0.75, 'undecided']]
    """
    limits = pd.DataFrame(
        [
            (t.target_id, i, reading.threshold, t.commune_floor, pd.Timestamp(t.due))
            for t in targets
            for i, reading in enumerate(t.readings)
        ],
        columns=["target_id", "reading", "of_all", "of_each", "due"],
    )
    rows = figures.sort_values("as_of", kind="stable").merge(limits, on=["target_id", "reading"])
    is_whole = rows["commune_code"] == WHOLE
    rows["threshold"] = rows["of_all"].astype("float64").where(is_whole, rows["of_each"])
    first = rows.drop_duplicates(KEYS)[[*KEYS, "as_of", "share", "share_low", "share_high"]]
    rows = rows.merge(first, on=KEYS, suffixes=("", "_first"))
    left = (rows["due"] - rows["as_of_first"]).dt.days.clip(lower=1)
    gone = ((rows["as_of"] - rows["as_of_first"]).dt.days / left).clip(0.0, 1.0)
    gone = gone.where(rows["as_of_first"] < rows["due"], 1.0)
    for end in ("low", "high"):
        start = rows["share_first"].fillna(rows[f"share_{end}_first"])
        start = start.fillna(0.0 if end == "low" else 1.0)
        start = np.minimum(
            start, rows["threshold"]
        )  # beyond it, the threshold is all that is asked
        rows[f"path_{end}"] = start + gone * (rows["threshold"] - start)
    rows["verdict"] = _judge(rows)
    kept = [*figures.columns, "threshold", "due", "path_low", "path_high", "verdict"]
    return rows[kept]


def _judge(rows: pd.DataFrame) -> np.ndarray:
    """Return the verdicts; without bounds a share is its own, and one unknown has 0 and 1."""
    low = rows["share_low"].fillna(rows["share"]).fillna(0.0) + SLACK
    high = rows["share_high"].fillna(rows["share"]).fillna(1.0) + SLACK
    is_after = rows["as_of"] > rows["due"]
    asked = rows["threshold"]
    return np.select(
        [
            asked.isna(),
            is_after & (low >= asked),
            is_after & (high < asked),
            is_after,
            low >= rows["path_high"],
            high < rows["path_low"],
        ],
        ["", "met", "missed", "undetermined", "on_track", "off_track"],
        "undecided",
    )


def look_ahead(followed: pd.DataFrame) -> pd.DataFrame:
    """Return, for each figure on its last date, the rate that is needed and where today's leads.

    Today's rate is the slope of the least-squares line through the last three dates whose share
    is known; from fewer nothing is extrapolated. The rate that is needed is (threshold − share) ÷
    years until the target's date, its bounds those of the share.

    Parameters
    ----------
    followed : DataFrame
        As `follow_targets` returns; figures without a threshold are left out.

    Returns
    -------
    DataFrame
        One row a figure: its keys, the values of the last date, `n_dates` (with a known share),
        `rate_per_year`, `rate_needed`, `rate_needed_low`, `rate_needed_high` (share a year, 0
        where the threshold is reached, NaN after the target's date), `forecast` and
        `forecast_date`. The forecast is "date" where there is one, else why there is none:
        "reached", "too_few_dates", "not_growing", "not_in_sight" (over 100 years), "unknown"
        (the last share is not known).
    """
    rows = followed[followed["threshold"].notna()]
    ahead = [_look(group) for _, group in rows.groupby(KEYS, sort=False)]
    columns = [*followed.columns, "n_dates", "rate_per_year", "forecast", "forecast_date"]
    ends = {"": "share", "_low": "share_high", "_high": "share_low"}
    last = pd.DataFrame(ahead, columns=columns)
    for name in ("as_of", "due", "forecast_date"):  # also where there is no row
        last[name] = pd.to_datetime(last[name])
    years = (last["due"] - last["as_of"]).dt.days / DAYS_A_YEAR
    for end, share in ends.items():
        missing = last["threshold"] - last[share].fillna(last["share"]).astype("float64")
        last[f"rate_needed{end}"] = (missing.clip(lower=0.0) / years).where(years > 0)
    return last


def _look(group: pd.DataFrame) -> dict[str, object]:
    last = group.iloc[-1]
    known = group[group["share"].notna()].tail(RATE_DATES)
    rate = np.nan
    if len(known) >= RATE_DATES:
        rate = _slope_per_year(known)
    missing = last["threshold"] - last["share"]
    forecast, day = "date", pd.NaT
    if np.isnan(missing):
        forecast = "unknown"
    elif missing <= SLACK:
        forecast = "reached"
    elif np.isnan(rate):
        forecast = "too_few_dates"
    elif rate <= SLACK:
        forecast = "not_growing"
    elif missing / rate > FARTHEST_YEARS:
        forecast = "not_in_sight"
    else:
        day = (last["as_of"] + pd.Timedelta(days=missing / rate * DAYS_A_YEAR)).normalize()
    return dict(last) | {
        "n_dates": int(group["share"].notna().sum()),
        "rate_per_year": rate,
        "forecast": forecast,
        "forecast_date": day,
    }


def _slope_per_year(known: pd.DataFrame) -> float:
    """Return the slope of the least-squares line, share a year."""
    years = (known["as_of"] - known["as_of"].iloc[0]).dt.days.to_numpy() / DAYS_A_YEAR
    share = known["share"].to_numpy(float)
    away = years - years.mean()
    return float((away * (share - share.mean())).sum() / (away**2).sum())

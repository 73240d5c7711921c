"""The official list of the communes of Thanh Hóa, and what a layer says that disagrees with it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from phusong.errors import Problem
from phusong.io.embedded import embedded_path
from phusong.names import normalise_name, short_name, strip_accents

__all__ = ["compare_with_list", "known_rows", "official_communes", "province_box"]

AREA_NOTE = 0.01
AREA_FACTOR = 2.0
NEARLY_ALL = 0.9
MARGIN_DEG = 0.25


@cache
def official_communes() -> pd.DataFrame:
    """Return the official list by code: `name, population, area_km2, centre_lon, centre_lat`."""
    facts = pd.read_csv(embedded_path("facts"), dtype={"commune_code": "str"})
    facts = facts.set_index("commune_code")
    return facts.assign(name=facts["commune_type"].str.capitalize() + " " + facts["short_name"])


@cache
def province_box() -> tuple[float, float, float, float]:
    """Return west, south, east, north in degrees: the official centres, and a commune's width."""
    lon, lat = official_communes()["centre_lon"], official_communes()["centre_lat"]
    return (
        float(lon.min() - MARGIN_DEG),
        float(lat.min() - MARGIN_DEG),
        float(lon.max() + MARGIN_DEG),
        float(lat.max() + MARGIN_DEG),
    )


def known_rows(frame: pd.DataFrame, vintage: str) -> pd.Series:
    """Return which rows are of the official list: its vintage, and one of its codes."""
    is_vintage = frame["vintage"].astype("str") == vintage
    return is_vintage & frame["commune_code"].isin(official_communes().index)


def compare_with_list(
    frame: pd.DataFrame, is_known: pd.Series, areas_km2: np.ndarray
) -> tuple[list[Problem], list[str]]:
    """Return what cannot be used, and what the reader of a map should know, beside the list.

    Names, codes, completeness and areas; where the polygons lie is for `placement`.

    Parameters
    ----------
    frame : DataFrame
        `commune_code, commune_name`, index from 0.
    is_known : Series of bool
        Which rows are of the list (`known_rows`).
    areas_km2 : array of float
        Of the polygons.
    """
    if not is_known.any():
        return [], [
            "none of the codes is on the official list of Thanh Hóa of 2025 (is it a map of "
            "another place or date?): names, areas and completeness were not compared with it"
        ]
    problems, notes = _compare_names(frame[is_known])
    missing, missing_notes = _find_missing(frame, is_known)
    wrong_areas, area_notes = _compare_areas(frame, is_known, areas_km2)
    return [*problems, *missing, *wrong_areas], [*notes, *missing_notes, *area_notes]


def _compare_names(known: pd.DataFrame) -> tuple[list[Problem], list[str]]:
    """Return names of another commune of the list (wrong: which is meant?), and other names."""
    official = official_communes()["name"]
    own = {normalise_name(short_name(name)): code for code, name in official.items()}
    problems: list[Problem] = []
    other: list[str] = []
    bare = 0
    for index, row in known.dropna(subset=["commune_name"]).iterrows():
        code, name = row["commune_code"], row["commune_name"]
        right = official[code]
        if _is_same(name, right):
            continue
        owner = own.get(normalise_name(short_name(name)))
        if owner is not None and owner != code:
            problems.append(
                Problem(row=int(index) + 1, field="commune_name", found=f"{code} {name}",
                        expected=f"{code} {right}",
                        message=f"code and name disagree: {name} is {owner}")
            )  # fmt: skip
        elif strip_accents(short_name(name)).casefold() == _plain(right):
            bare += 1
        else:
            other.append(f"{code} {name} (official: {right})")
    notes = []
    if other:
        notes.append(f"{len(other)} names differ from the official list: {'; '.join(other)}")
    if bare:
        notes.append(f"{bare} names are those of the official list but for accents")
    return problems, notes


def _is_same(name: str, right: str) -> bool:
    whole = normalise_name(name)
    return whole in (normalise_name(right), normalise_name(short_name(right)))


def _plain(right: str) -> str:
    return strip_accents(short_name(right)).casefold()


def _find_missing(frame: pd.DataFrame, is_known: pd.Series) -> tuple[list[Problem], list[str]]:
    """Return the communes of the list that a layer lacks: a slip if few, a choice if many."""
    official = official_communes()
    absent = official[~official.index.isin(frame.loc[is_known, "commune_code"])]
    others = frame.loc[~is_known, ["commune_code", "commune_name"]].fillna("?")
    strange = [f"{code} {name}" for code, name in others.itertuples(index=False)]
    found = len(official) - len(absent)
    # A layer of the country has other codes by right; a layer of the province has none.
    notes = []
    if strange and len(strange) < found:
        notes.append(f"{len(strange)} codes are not on the official list: {'; '.join(strange)}")
    elif strange:
        notes.append(f"{len(strange)} communes are not of Thanh Hóa, and were not compared")
    if absent.empty:
        return [], notes
    if found >= NEARLY_ALL * len(official):
        hint = f"; not on the list: {'; '.join(strange[:10])}" if strange else ""
        return [
            Problem(row=None, field="commune_code", found=f"{code} {name} is missing",
                    expected=f"all {len(official)} communes of the province",
                    message=f"{population:,.0f} people would vanish from every percentage{hint}")
            for code, name, population in absent[["name", "population"]].itertuples()
        ], notes  # fmt: skip
    people = absent["population"].sum() / official["population"].sum()
    listed = "; ".join(f"{code} {name}" for code, name in absent["name"].items())
    notes.append(
        f"a part of the province: {found} of its {len(official)} communes; totals leave out "
        f"{len(absent)} communes with {people:.1%} of its people: {listed}"
    )
    return [], notes


def _compare_areas(
    frame: pd.DataFrame, is_known: pd.Series, areas_km2: np.ndarray
) -> tuple[list[Problem], list[str]]:
    known = frame.loc[is_known, ["commune_code"]]
    official = official_communes().loc[known["commune_code"]]
    measured = areas_km2[is_known.to_numpy()]
    ratio = measured / official["area_km2"].to_numpy()
    problems: list[Problem] = []
    differing: list[tuple[float, str]] = []
    for index, (code, row), area, r in zip(
        known.index, official.iterrows(), measured, ratio, strict=True
    ):
        label = f"{code} {row['name']}"
        if area == 0:
            continue  # it has no polygon, which is a problem of its own
        if not 1 / AREA_FACTOR <= r <= AREA_FACTOR:
            problems.append(
                Problem(row=int(index) + 1, field="geometry", found=f"an area of {area:.2f} km²",
                        expected=f"about the official {row['area_km2']:.2f} km²",
                        message=f"not the polygon of {label}")
            )  # fmt: skip
        elif abs(r - 1) > AREA_NOTE:
            text = f"{label} {area:.2f} km², official {row['area_km2']:.2f} ({r - 1:+.1%})"
            differing.append((abs(r - 1), text))
    if not differing:
        return problems, []
    listed = "; ".join(text for _, text in sorted(differing, reverse=True))
    return problems, [
        f"areas: {len(differing)} of {len(known)} communes differ from the official area by more "
        f"than {AREA_NOTE:.0%}; the polygons measure {measured.sum():,.2f} km² in all, officially "
        f"{official['area_km2'].sum():,.2f}: {listed}"
    ]

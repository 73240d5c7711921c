"""Villages: trắng sóng, lõm sóng, covered, unknown; every case by hand, and laws."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from conftest import masts, square_communes
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.villages import (
    VILLAGE_STATES,
    assess_villages,
    count_by_commune,
    count_villages,
)

X, Y = 501_000.0, 2_201_000.0  # the middle of commune 00001; 00002 begins 1 km east of it


def cell(radius: float = 500.0, spread: float = 0.2, technology: str = "4G") -> dict[str, object]:
    return {"x": X, "y": Y, "technology": technology, "operator": "A", "radius_m": radius,
            "radius_low_m": radius * (1 - spread),
            "radius_high_m": radius * (1 + spread)}  # fmt: skip


def listed(*rows: tuple[str, str | None, float | None], **more: object) -> gpd.GeoDataFrame:
    """Rows of village, cluster and metres east of the mast (None: without a place)."""
    shapes = [None if east is None else shapely.Point(X + east, Y) for *_, east in rows]
    frame = pd.DataFrame(
        {"village_id": [r[0] for r in rows],
         "cluster_id": pd.Series([r[1] for r in rows], dtype="str")}
    ).assign(**more)  # fmt: skip
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:5897")


def assess(villages: gpd.GeoDataFrame, *cells: dict[str, object]) -> pd.DataFrame:
    sites = masts(list(cells) or [cell()])
    return assess_villages(villages, sites, square_communes(), services={"4g": ["4G"]})


@pytest.mark.parametrize(
    ("centre", "clusters", "state", "may_be"),
    [
        (390, [], "covered", "covered"),
        (610, [], "trang_song", "trang_song"),
        (500, [], "unknown", "trang_song;covered"),
        (None, [], "unknown", "trang_song;covered"),
        (390, [390], "covered", "covered"),
        (390, [390, 610], "lom_song", "lom_song"),
        (390, [500], "unknown", "lom_song;covered"),
        (390, [500, 610], "lom_song", "lom_song"),
        (610, [390], "trang_song", "trang_song"),
        (500, [610], "unknown", "trang_song;lom_song"),
        (500, [500], "unknown", "trang_song;lom_song;covered"),
        (390, [None], "unknown", "lom_song;covered"),
    ],
)
def test_states_of_a_village_under_a_cell_of_400_to_600_metres(
    centre: float | None, clusters: list[float | None], state: str, may_be: str
) -> None:
    rows = [("T", None, centre), *(("T", str(i), at) for i, at in enumerate(clusters))]
    found = assess(listed(*rows)).iloc[0]
    assert (found["state"], found["may_be"]) == (state, may_be)
    assert found["n_clusters"] == len(clusters)
    assert found["basis"] == ("centre and clusters" if clusters else "centre")


def test_without_a_row_of_its_centre_a_village_is_unknown() -> None:
    found = assess(listed(("T", "a", 0))).iloc[0]
    assert (found["state"], found["may_be"]) == ("unknown", "trang_song;covered")


def test_another_technology_is_no_signal_of_this_one() -> None:
    found = assess(listed(("T", None, 0)), cell(technology="5G"))
    assert found["state"].tolist() == ["trang_song"]


def test_the_place_says_the_commune_and_the_list_where_there_is_none() -> None:
    villages = listed(("A", None, 0), ("B", None, 1500), ("C", None, None), commune_code="00009")
    assert assess(villages)["commune_code"].tolist() == ["00001", "00002", "00009"]


def test_each_share_names_its_denominator() -> None:
    """Commune 00001: covered, trắng sóng; 00002: trắng sóng (hard) and unknown (hard)."""
    villages = listed(
        ("A", None, 0), ("B", None, 900), ("C", None, 1500), ("D", None, None), ("E", None, 100),
        is_hard=[False, False, True, True, None], commune_code="00002",
    )  # fmt: skip
    counts = count_villages(assess(villages)).set_index("denominator")
    every = counts.loc["all villages of the list"]
    assert every[["n", "n_trang_song", "n_lom_song", "n_covered", "n_unknown"]].tolist() == [
        5, 2, 0, 2, 1,
    ]  # fmt: skip
    assert every[["share_covered_low", "share_covered_high"]].tolist() == [0.4, 0.6]
    assert every[["share_trang_song_low", "share_trang_song_high"]].tolist() == [0.4, 0.6]
    hard = counts.loc["hard villages of the list"]
    assert hard[["n", "n_trang_song", "n_unknown"]].tolist() == [2, 1, 1]
    communes = counts.loc["communes with a village in the list"]
    assert communes[["n", "n_trang_song"]].tolist() == [2, 2]
    by_commune = count_by_commune(assess(villages)).set_index("commune_code")
    assert by_commune["n"].to_dict() == {"00001": 3, "00002": 2}


def test_a_commune_is_as_its_worst_village_may_be() -> None:
    """Covered and unknown (500 m): trắng sóng or covered; with a lõm sóng one: never covered."""
    base = [("A", None, 0), ("B", None, 500)]
    villages = listed(*base)
    found = count_villages(assess(villages)).set_index("denominator")
    row = found.loc["communes with a village in the list"]
    assert row[["n_unknown", "share_covered_low", "share_covered_high"]].tolist() == [1, 0, 1]
    assert row[["share_trang_song_high", "share_lom_song_high"]].tolist() == [1, 0]
    villages = listed(*base, ("C", None, 0), ("C", "x", 900))
    found = count_villages(assess(villages)).set_index("denominator")
    row = found.loc["communes with a village in the list"]
    assert row[["share_covered_high", "share_lom_song_high"]].tolist() == [0, 1]


place = st.one_of(st.none(), st.integers(0, 900))


@settings(max_examples=30)
@given(st.lists(st.tuples(place, st.lists(place, max_size=3)), min_size=1, max_size=6))
def test_parts_sum_to_the_whole_and_unknown_never_counts_as_covered(
    villages: list[tuple[float | None, list[float | None]]],
) -> None:
    rows = [
        (f"T{i}", cluster, at)
        for i, (centre, clusters) in enumerate(villages)
        for cluster, at in ((None, centre), *((str(j), at) for j, at in enumerate(clusters)))
    ]
    states = assess(listed(*rows))
    counts = count_villages(states).query("denominator == 'all villages of the list'").iloc[0]
    assert sum(counts[f"n_{state}"] for state in VILLAGE_STATES) == counts["n"] == len(villages)
    for state in VILLAGE_STATES[:3]:
        low, high = counts[f"share_{state}_low"], counts[f"share_{state}_high"]
        assert 0 <= low <= high <= 1
        assert high <= low + counts["n_unknown"] / counts["n"] + 1e-12
    # with the radius known at either end, nothing that was decided changes
    for radius in (400.0, 600.0):
        then = assess(listed(*rows), cell(radius=radius, spread=0.0))
        possible = [
            state in words.split(";")
            for state, words in zip(then["state"], states["may_be"], strict=True)
        ]
        assert ((then["state"] == "unknown") | pd.Series(possible)).all()

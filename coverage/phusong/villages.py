"""Villages under the footprints of cells: trắng sóng, lõm sóng, covered, or unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.grid import choose_metric_crs
from phusong.joins import locate_sites
from phusong.places import cover_points
from phusong.schema import conform

__all__ = ["VILLAGE_STATES", "assess_villages", "count_by_commune", "count_villages"]

VILLAGE_STATES = ("trang_song", "lom_song", "covered", "unknown")
ABOUT = ["village_id", "village_name", "commune_code", "population", "has_power", "is_hard"]


def assess_villages(
    villages: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame,
    *,
    services: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """Return the state of each village for each service.

    - trang_song: no signal at the centre.
    - lom_song: signal at the centre, none at some cluster of homes.
    - covered: signal at the centre and at every cluster. Where a list gives no clusters, the
      centre alone decides, and `basis` says so.
    - unknown: the radii of sites without one of their own leave it open, or the village, or one
      of its clusters, has no place.

    Parameters
    ----------
    villages : GeoDataFrame
        Schema "villages", any CRS: a row without `cluster_id` is a centre, one with is a cluster.
    sites : GeoDataFrame
        On air, as `fill_radii` returns them, any CRS.
    communes : GeoDataFrame
        `commune_code` and polygons, any CRS: where a village stands; without a place its own
        `commune_code` counts.
    services : Mapping of str to sequence of str
        Service to technologies, such as `indicators.SERVICES`.

    Returns
    -------
    DataFrame
        `village_id`, `village_name`, `commune_code`, `population`, `has_power`, `is_hard`,
        `service`, `state`, `may_be` (every state that is possible, joined by ";"), `basis`
        ("centre", "centre and clusters"), `n_clusters`. A village whose centre no row gives is
        there too: unknown.

    Examples
    --------
    >>> from shapely import Point, box
    >>> where = [Point(105.7, 19.8), Point(105.72, 19.8), Point(105.9, 19.8)]
    >>> rows = {"village_id": ["1", "1", "2"], "cluster_id": [None, "a", None]}
    >>> villages = gpd.GeoDataFrame(rows, geometry=where, crs="EPSG:4326")
    >>> mast = gpd.GeoDataFrame({"technology": ["4G"], "radius_low_m": 900.0, "radius_m": 1000.0,
    ...     "radius_high_m": 1100.0}, geometry=where[:1], crs="EPSG:4326")
    >>> communes = gpd.GeoDataFrame({"commune_code": ["14758"]}, geometry=[box(105, 19, 106, 20)],
    ...                             crs="EPSG:4326")
    >>> assess_villages(villages, mast, communes, services={"4g": ["4G"]})["state"].tolist()
    ['lom_song', 'trang_song']
    """
    rows = conform(villages, "villages").reset_index(drop=True)
    crs = choose_metric_crs(
        rows[rows.geometry.notna()] if rows.geometry.notna().any() else communes
    )
    said = rows["commune_code"]
    rows = locate_sites(rows.to_crs(communes.crs), communes).to_crs(crs)
    rows["commune_code"] = rows["commune_code"].fillna(said)
    cells = sites.to_crs(crs)
    about = _about(rows)
    frames = []
    for service, technologies in services.items():
        used = cells[cells["technology"].isin(technologies)]
        surely, maybe = (
            cover_points(rows, used.assign(radius_m=used[name].astype("float64")))
            for name in ("radius_low_m", "radius_high_m")
        )
        maybe |= rows.geometry.isna().to_numpy()  # nobody knows where: it may be covered
        frames.append(about.assign(service=service, **_states(rows, surely, maybe, about.index)))
    table = pd.concat(frames).reset_index()
    table["basis"] = np.where(table["n_clusters"] > 0, "centre and clusters", "centre")
    return table[[*ABOUT, "service", "state", "may_be", "basis", "n_clusters"]]


def count_villages(states: pd.DataFrame) -> pd.DataFrame:
    """Return how many villages are in each state, of every denominator that the list allows.

    A share of villages says nothing without its denominator: all villages of the list, those on
    the list of especially hard ones, and the communes that have a village in the list.

    Parameters
    ----------
    states : DataFrame
        As `assess_villages` returns.

    Returns
    -------
    DataFrame
        `service`, `denominator` ("all villages of the list", "hard villages of the list",
        "communes with a village in the list", in which a commune is covered where all its villages
        are, and so on down from trang_song if any is), then `n`, `n_trang_song`,
        `n_lom_song`, `n_covered`, `n_unknown` (they sum to n), and of each state the share with
        the low and high that the unknown ones leave, such as `share_covered_low`.
    """
    is_hard = states["is_hard"].fillna(False).astype(bool)
    groups = {
        "all villages of the list": states,
        "hard villages of the list": states[is_hard],
        "communes with a village in the list": _communes(states),
    }
    frames = [
        _count(rows.assign(denominator=name), ["service", "denominator"])
        for name, rows in groups.items()
    ]
    return pd.concat(frames, ignore_index=True)


def count_by_commune(states: pd.DataFrame) -> pd.DataFrame:
    """Return how many villages of each commune are in each state, as `count_villages` does.

    Villages of no commune are not in it.

    Parameters
    ----------
    states : DataFrame
        As `assess_villages` returns.
    """
    return _count(states[states["commune_code"].notna()], ["service", "commune_code"])


def _about(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a village, indexed by its id: its centre's words, or those of a cluster."""
    is_centre = rows["cluster_id"].isna()
    order = rows.assign(is_cluster=~is_centre).sort_values(
        ["village_id", "is_cluster"], kind="stable"
    )
    about = pd.DataFrame(order.drop_duplicates("village_id")[ABOUT]).set_index("village_id")
    clusters = rows.loc[~is_centre, "village_id"].value_counts()
    return about.assign(n_clusters=clusters.reindex(about.index).fillna(0).astype("int64"))


def _states(
    rows: pd.DataFrame, surely: np.ndarray, maybe: np.ndarray, index: pd.Index
) -> dict[str, np.ndarray]:
    """Return the state of each village of `index`, and every state that is possible."""
    is_centre = rows["cluster_id"].isna().to_numpy()
    village = rows["village_id"].to_numpy()

    def all_of(values: np.ndarray, which: np.ndarray, without: bool) -> np.ndarray:
        found = pd.Series(values[which]).groupby(village[which]).all()
        return found.reindex(index, fill_value=without).to_numpy(bool)

    centre_surely = all_of(surely, is_centre, False)
    centre_maybe = all_of(maybe, is_centre, True)
    homes_surely = all_of(surely, ~is_centre, True)
    homes_maybe = all_of(maybe, ~is_centre, True)
    possible = {
        "trang_song": ~centre_surely,
        "lom_song": centre_maybe & ~homes_surely,
        "covered": centre_maybe & homes_maybe,
    }
    count = sum(flags.astype(int) for flags in possible.values())
    only = np.select(list(possible.values()), list(possible), "")
    words = [
        ";".join(state for state, flag in zip(possible, flags, strict=True) if flag)
        for flags in zip(*possible.values(), strict=True)
    ]
    return {"state": np.where(count == 1, only, "unknown"), "may_be": np.array(words)}


def _communes(states: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each commune with the worst state of its villages, and the possible ones."""
    rank = {state: i for i, state in enumerate(VILLAGE_STATES[:3])}
    placed = states[states["commune_code"].notna()]
    ranks = placed["may_be"].map(lambda words: [rank[word] for word in words.split(";")])
    bounds = placed[["service", "commune_code"]].assign(
        worst=ranks.map(min), best=ranks.map(max), possible=ranks
    )
    rows = []
    for (service, code), group in bounds.groupby(["service", "commune_code"], sort=True):
        # the worst village decides: it may be any state that some village may have, and that all
        # others can be at least as good as
        low, high = group["worst"].min(), group["best"].min()
        reachable = sorted({r for some in group["possible"] for r in some if low <= r <= high})
        words = [VILLAGE_STATES[r] for r in reachable]
        state = words[0] if len(words) == 1 else "unknown"
        rows.append((service, code, state, ";".join(words)))
    return pd.DataFrame(rows, columns=["service", "commune_code", "state", "may_be"])


def _count(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    counts = {f"n_{state}": (rows["state"] == state).astype("int64") for state in VILLAGE_STATES}
    possible = {
        state: rows["may_be"].str.split(";").map(lambda words, s=state: s in words).astype("int64")
        for state in VILLAGE_STATES[:3]
    }
    flags = {f"may_{state}": flag for state, flag in possible.items()}
    table = rows[keys].assign(**counts, **flags, n=1).groupby(keys, as_index=False).sum()
    for state in VILLAGE_STATES[:3]:
        table[f"share_{state}_low"] = table[f"n_{state}"] / table["n"]
        table[f"share_{state}_high"] = table[f"may_{state}"] / table["n"]
    return table[
        [*keys, "n", *counts,
         *(f"share_{state}_{end}" for state in VILLAGE_STATES[:3] for end in ("low", "high"))]
    ]  # fmt: skip

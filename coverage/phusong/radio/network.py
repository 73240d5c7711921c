"""Sites as the sweep takes them: a row a sector, with what is assumed where a site says nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.errors import CrsError
from phusong.radio.antenna import Panel
from phusong.radio.limits import ModelRangeError
from phusong.radio.linkbudget import element_share_db, resource_blocks
from phusong.radio.relief import Relief
from phusong.radio.rules import Assumption, RadioRules

__all__ = ["Network", "count_left_out", "lay_network", "leave_out"]

MHZ = (30.0, 6000.0)
THERMAL_DBM_HZ = -174.0
WIDEST_PANEL_DEG = 90.0
OMNI = dict.fromkeys(Panel.__dataclass_fields__, np.nan)
FILLED = ("eirp_dbm", "bandwidth_mhz", "antenna_height_m", "downtilt_deg")
SECTOR_WIDTH_DEG = 120.0  # as the schema says of an azimuth without a width
KEYS = ["site_id", "sector_id"]
SHOWN = 5
ODD = "have a bandwidth that their standard does not know"
DRAWN = "are footprints of the operator's, for which no signal is computed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """The sectors that reach a grid.

    Attributes
    ----------
    sectors : DataFrame
        Columns of the sweep (`sweep.SECTOR_COLUMNS`) and `site_id, sector_id, operator,
        technology, frequency_mhz, threshold_dbm, strict_by_db, noise_dbm`. The index is the number
        that rasters of servers hold.
    left_out : DataFrame
        `site_id, sector_id, reason` of every sector that cannot be predicted.
    notes : tuple of str
        How many sectors were left out and why, and how often each assumption was needed.
    """

    sectors: pd.DataFrame
    left_out: pd.DataFrame
    notes: tuple[str, ...]


def lay_network(sites: gpd.GeoDataFrame, relief: Relief, rules: RadioRules) -> Network:
    """Return the sectors of sites on a relief.

    A sector's `beamwidth_deg` above 90° is the sector's own width: its panel's 3 dB beam is
    `rules.sector_share` of it.

    Parameters
    ----------
    sites : GeoDataFrame
        Schema "sites", conformed, on air, in the grid's CRS.
    relief : Relief
    rules : RadioRules

    Returns
    -------
    Network

    Raises
    ------
    CrsError
        If the sites are in another CRS than the grid.
    ModelRangeError
        If the register assumes nothing of a sector's technology and frequency.
    """
    if sites.crs is None or not sites.crs.equals(relief.grid.crs):
        raise CrsError(f"sites are in {sites.crs}, the grid is in {relief.grid.crs}")
    placed, unplaced = _place(sites, relief)
    known = {name for one in rules.thresholds for name in one.technologies}
    mhz = placed["frequency_mhz"]
    faults = {
        "have no frequency": mhz.isna(),
        f"send outside {MHZ[0]:g} to {MHZ[1]:g} MHz, where P.1812 is defined": mhz.notna()
        & ~mhz.between(*MHZ),
        "have a technology without a threshold": ~placed["technology"].isin(known),
    }
    audible, mute = leave_out(placed, faults)
    assumed = _assume(audible, rules)
    filled, _ = _fill(audible, assumed)
    is_odd = [not _has_channel(*row) for row in zip(
        filled["technology"], filled["bandwidth_mhz"], assumed, strict=True)]  # fmt: skip
    usable, odd = leave_out(audible, {ODD: np.array(is_odd, bool)})
    left_out = pd.concat([unplaced, mute, odd], ignore_index=True)
    notes = count_left_out(left_out, len(sites))
    assumed = _assume(usable, rules)
    filled, needed = _fill(usable, assumed)
    sectors = _to_sectors(filled.reset_index(drop=True), assumed, rules)
    notes += [*needed, *_tell_offsets(filled, rules)]
    return Network(sectors=sectors, left_out=left_out, notes=tuple(notes))


def leave_out(
    frame: pd.DataFrame, faults: dict[str, pd.Series | np.ndarray]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows without a fault, and `site_id, sector_id, reason` of the others."""
    reason = np.full(len(frame), "", object)
    for words, fault in faults.items():
        reason[np.asarray(fault, bool) & (reason == "")] = words
    is_out = reason != ""
    return frame[~is_out], pd.DataFrame(frame.loc[is_out, KEYS]).assign(reason=reason[is_out])


def count_left_out(left_out: pd.DataFrame, n_sectors: int) -> list[str]:
    """Return a note on each reason, with the first sites."""
    notes = []
    for reason, rows in left_out.groupby("reason", sort=False):
        first = rows["site_id"].drop_duplicates()
        more = ", …" if len(first) > SHOWN else ""
        listed = ", ".join(first.head(SHOWN)) + more
        notes.append(f"{len(rows)} of {n_sectors} sectors {reason}: left out ({listed})")
    return notes


def _place(sites: gpd.GeoDataFrame, relief: Relief) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sites that stand on known ground, with their samples; and the others."""
    is_point = sites.geometry.geom_type == "Point"
    points, shapes = leave_out(sites, {DRAWN: ~is_point})
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    columns, rows = relief.grid.to_columns_rows(x, y)
    at = np.floor(np.stack([rows, columns]) * relief.sampling).astype(int)
    n_rows, n_columns = relief.ground_m.shape
    is_inside = (at[0] >= 0) & (at[0] < n_rows) & (at[1] >= 0) & (at[1] < n_columns)
    ground = np.full(len(points), np.nan)
    ground[is_inside] = relief.ground_m[at[0, is_inside], at[1, is_inside]]
    placed = pd.DataFrame(points.drop(columns="geometry")).assign(row=at[0], col=at[1])
    faults = {
        "stand outside the grid": ~is_inside,
        "stand where the terrain has no height": is_inside & np.isnan(ground),
    }
    kept, lost = leave_out(placed, faults)
    return kept, pd.concat([shapes, lost], ignore_index=True)


def _assume(sectors: pd.DataFrame, rules: RadioRules) -> list[Assumption]:
    return [
        rules.assumption_for(technology, float(f))
        for technology, f in zip(sectors["technology"], sectors["frequency_mhz"], strict=True)
    ]


def _has_channel(technology: str, bandwidth_mhz: float, assumed: Assumption) -> bool:
    """Return whether a technology has channels so wide."""
    if assumed.reference_db is not None:
        return bandwidth_mhz > 0.0
    try:
        resource_blocks(bandwidth_mhz, technology=technology, spacing_khz=assumed.spacing_khz)
    except ModelRangeError:
        return False
    return True


def _fill(sectors: pd.DataFrame, assumed: Sequence[Assumption]) -> tuple[pd.DataFrame, list[str]]:
    filled, notes = sectors.copy(), []
    for name in FILLED:
        standing = pd.Series([getattr(one, name) for one in assumed], sectors.index, "float64")
        is_missing = sectors[name].isna()
        if name == "downtilt_deg":  # without an azimuth there is no panel to tilt
            is_missing &= sectors["azimuth_deg"].notna()
        filled[name] = sectors[name].where(~is_missing, standing)
        if is_missing.any():
            span = standing[is_missing]
            notes.append(
                f"assumed {name} for {is_missing.sum()} of {len(sectors)} sectors: "
                f"{span.min():g} to {span.max():g}"
            )
    has_no_width = sectors["azimuth_deg"].notna() & sectors["beamwidth_deg"].isna()
    filled["beamwidth_deg"] = sectors["beamwidth_deg"].where(~has_no_width, SECTOR_WIDTH_DEG)
    if has_no_width.any():
        notes.append(f"assumed beamwidth_deg for {has_no_width.sum()} of {len(sectors)} sectors: "
                     f"{SECTOR_WIDTH_DEG:g}")  # fmt: skip
    return filled, notes


def _tell_offsets(sectors: pd.DataFrame, rules: RadioRules) -> list[str]:
    """Return a note on each offset that was added, with how many sectors it is of."""
    pairs = zip(sectors["technology"], sectors["frequency_mhz"].astype(float), strict=True)
    found = Counter(rules.offset_for(technology, mhz) for technology, mhz in pairs)
    return [
        f"{one.offset_db:+g} dB for {found[one]} of {len(sectors)} sectors, by measurements: "
        f"{one.source}"
        for one in rules.offsets if found[one]
    ]  # fmt: skip


def _to_sectors(
    sites: pd.DataFrame, assumed: Sequence[Assumption], rules: RadioRules
) -> pd.DataFrame:
    panels = [
        OMNI if math.isnan(azimuth) else _panel(width, tilt, one, rules)
        for azimuth, width, tilt, one in zip(
            sites["azimuth_deg"].astype(float), sites["beamwidth_deg"].astype(float),
            sites["downtilt_deg"].astype(float), assumed, strict=True,
        )
    ]  # fmt: skip
    budgets = pd.DataFrame(
        [_budget(row, one, rules) for row, one in zip(sites.itertuples(), assumed, strict=True)],
        columns=["eirp_dbm", "noise_dbm", "threshold_dbm", "strict_by_db"],
    )
    names = ["row", "col", "antenna_height_m", "azimuth_deg", "site_id", "sector_id", "operator",
             "technology", "frequency_mhz"]  # fmt: skip
    return pd.concat(
        [sites[names], budgets, pd.DataFrame(panels, columns=list(OMNI))], axis=1
    ).assign(frequency_ghz=sites["frequency_mhz"] / 1000.0)


def _panel(
    width_deg: float, tilt_deg: float, assumed: Assumption, rules: RadioRules
) -> dict[str, float]:
    is_sector = width_deg > WIDEST_PANEL_DEG
    beam = width_deg * rules.sector_share if is_sector else width_deg
    panel = Panel(
        horizontal_beamwidth_deg=beam, vertical_beamwidth_deg=assumed.vertical_beamwidth_deg,
        electrical_tilt_deg=tilt_deg, side_lobe_db=rules.side_lobe_db,
        front_to_back_db=rules.front_to_back_db,
    )  # fmt: skip
    return {name: getattr(panel, name) for name in OMNI}


def _budget(
    site: object, assumed: Assumption, rules: RadioRules
) -> tuple[float, float, float, float]:
    """Return the EIRP of the reference signal, its noise, and the threshold with its stricter."""
    technology, bandwidth_mhz = site.technology, float(site.bandwidth_mhz)  # type: ignore[attr-defined]
    threshold = rules.threshold_of(technology)
    below_db, hertz = assumed.reference_db, bandwidth_mhz * 1e6
    if below_db is None:
        n_blocks = resource_blocks(
            bandwidth_mhz, technology=technology, spacing_khz=assumed.spacing_khz
        )
        below_db, hertz = element_share_db(n_blocks), assumed.spacing_khz * 1e3
    offset = rules.offset_for(technology, float(site.frequency_mhz))  # type: ignore[attr-defined]
    eirp_dbm = float(site.eirp_dbm) - below_db  # type: ignore[attr-defined]
    if offset is not None:  # to the signal as to the power that it starts with
        eirp_dbm += offset.offset_db
    noise_dbm = THERMAL_DBM_HZ + 10.0 * math.log10(hertz) + rules.noise_figure_db
    return eirp_dbm, noise_dbm, threshold.threshold_dbm, threshold.strict_by_db

"""Sites as the sweep takes them: a row a sector, with what is assumed where a site says nothing."""

from __future__ import annotations

import math
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

__all__ = ["Network", "lay_network"]

MHZ = (30.0, 6000.0)
THERMAL_DBM_HZ = -174.0
WIDEST_PANEL_DEG = 90.0
OMNI = dict.fromkeys(Panel.__dataclass_fields__, np.nan)
FILLED = ("eirp_dbm", "bandwidth_mhz", "antenna_height_m", "downtilt_deg")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """The sectors that reach a grid.

    Attributes
    ----------
    sectors : DataFrame
        Columns of the sweep (`sweep.SECTOR_COLUMNS`) and `site_id, sector_id, operator,
        technology, frequency_mhz, threshold_dbm, strict_by_db, noise_dbm`. The index is the number
        that rasters of servers hold.
    notes : tuple of str
        How many sectors were left out and why, and how often each assumption was needed.
    """

    sectors: pd.DataFrame
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
        If no sector can be predicted, or one has a channel that its standard does not know.
    """
    if sites.crs is None or not sites.crs.equals(relief.grid.crs):
        raise CrsError(f"sites are in {sites.crs}, the grid is in {relief.grid.crs}")
    placed, notes = _place(sites, relief)
    known = {name for one in rules.thresholds for name in one.technologies}
    mhz = placed["frequency_mhz"]
    faults = {
        "have no frequency": mhz.isna(),
        f"send outside {MHZ[0]:g} to {MHZ[1]:g} MHz, where P.1812 is defined": mhz.notna()
        & ~mhz.between(*MHZ),
        "have a technology without a threshold": ~placed["technology"].isin(known),
    }
    usable, more = _leave_out(placed, faults)
    if usable.empty:
        raise ModelRangeError(f"sites: none can be predicted: {'; '.join([*notes, *more])}")
    assumed = [
        rules.assumption_for(technology, float(f))
        for technology, f in zip(usable["technology"], usable["frequency_mhz"], strict=True)
    ]
    filled, needed = _fill(usable, assumed)
    sectors = _to_sectors(filled.reset_index(drop=True), assumed, rules)
    return Network(sectors=sectors, notes=(*notes, *more, *needed))


def _place(sites: gpd.GeoDataFrame, relief: Relief) -> tuple[pd.DataFrame, list[str]]:
    """Return the sites that stand on known ground, with the samples in which they stand."""
    is_point = sites.geometry.geom_type == "Point"
    points = sites[is_point]
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
    kept, notes = _leave_out(placed, faults)
    if not is_point.all():
        notes.insert(0, f"{(~is_point).sum()} sectors are footprints of the operator's: no signal "
                        "is computed for them")  # fmt: skip
    return kept, notes


def _leave_out(
    frame: pd.DataFrame, faults: dict[str, pd.Series | np.ndarray]
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows without a fault, and a note on each kind that there is."""
    is_out = np.zeros(len(frame), bool)
    notes = []
    for words, fault in faults.items():
        which = np.asarray(fault) & ~is_out
        if which.any():
            first = ", ".join(frame["site_id"][which].drop_duplicates().head(5))
            notes.append(f"{which.sum()} of {len(frame)} sectors {words} ({first}…): left out")
        is_out |= which
    return frame[~is_out], notes


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
    return filled, notes


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
    return pd.concat([sites[names], budgets, pd.DataFrame(panels)], axis=1).assign(
        frequency_ghz=sites["frequency_mhz"] / 1000.0
    )


def _panel(
    width_deg: float, tilt_deg: float, assumed: Assumption, rules: RadioRules
) -> dict[str, float]:
    width = 120.0 if math.isnan(width_deg) else width_deg
    beam = width * rules.sector_share if width > WIDEST_PANEL_DEG else width
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
        try:
            n_blocks = resource_blocks(
                bandwidth_mhz, technology=technology, spacing_khz=assumed.spacing_khz
            )
        except ModelRangeError as error:
            where = f"{site.site_id} {site.sector_id}"  # type: ignore[attr-defined]
            raise ModelRangeError(f"sites: {where}: {error}") from error
        below_db, hertz = element_share_db(n_blocks), assumed.spacing_khz * 1e3
    eirp_dbm = float(site.eirp_dbm) - below_db  # type: ignore[attr-defined]
    noise_dbm = THERMAL_DBM_HZ + 10.0 * math.log10(hertz) + rules.noise_figure_db
    return eirp_dbm, noise_dbm, threshold.threshold_dbm, threshold.strict_by_db

"""Coverage of provinces over terrain: the signal of their masts in place of footprints."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.census import placing_of
from phusong.footprint import lay_shares
from phusong.indicators import ProvinceCoverage, measure_coverage
from phusong.province import Part, Question, sites_in_reach, spread_part
from phusong.radio.area import AreaSignal, Land, predict_area
from phusong.radio.rules import RadioRules
from phusong.radio.shares import measure_signal
from phusong.radio.signal import Prediction, Reach
from phusong.radio.tiles import TileSignal
from phusong.steps import Progress, silently
from phusong.union.people import find_land
from phusong.zonal import ZonalWeights, overlap_zones, sum_by_zone

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Modelled", "TerrainModel", "model_notes", "model_parts"]

KEYS = ["commune_code", "vintage", "indicator", "service", "operator"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TerrainModel:
    """What makes a signal of sites: the ground, the register, how far is looked.

    `known` holds tiles that are done (see `predict_signal`): with it a second assessment, of the
    same sites and some more, models only what the others reach.
    """

    land: Land
    rules: RadioRules
    reach: Reach = field(default_factory=Reach)
    known: MutableMapping[str, TileSignal] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Modelled:
    """What the signal of one part came to.

    Attributes
    ----------
    coverage : ProvinceCoverage
        Evidence "modelled".
    persons_between : float
        Persons that live in none of the communes, as far as a layer says where.
    notes : tuple of str
    """

    coverage: ProvinceCoverage
    persons_between: float
    notes: tuple[str, ...]


def model_parts(
    parts: Sequence[Part],
    on_air: gpd.GeoDataFrame,
    question: Question,
    model: TerrainModel,
    *,
    client: Client | None = None,
    progress: Progress = silently,
) -> list[Modelled]:
    """Return the coverage of each part by the signal of the sites over terrain.

    A sector that cannot be predicted (no frequency, an operator's own polygon) adds nothing to
    the share or its lower bound; what its footprint would cover is added to the upper one, since
    P(A or B) ≤ P(A) + P(B).

    Parameters
    ----------
    parts : sequence of Part
    on_air : GeoDataFrame, EPSG:4326
        All sites, with their radii.
    question : Question
    model : TerrainModel
    client : distributed.Client, optional
        Its workers model the tiles of each part, with the same result.
    progress : callable
        Given the tiles of a part and a label, yields them.

    Raises
    ------
    ModelRangeError
        If the terrain lies elsewhere, or a number is outside the model's range.
    """
    return [_model_part(part, on_air, question, model, client, progress) for part in parts]


def model_notes(model: TerrainModel, modelled: Sequence[Modelled]) -> list[str]:
    """Return what is to be said of shares by signal: by what, from which power, with which gaps."""
    thresholds = "; ".join(
        f"{', '.join(one.technologies)} from {one.quantity} {one.threshold_dbm:g} dBm"
        + (f" (low: {one.strict_dbm:g} dBm)" if one.strict_dbm is not None else "")
        for one in model.rules.thresholds
    )
    return [
        f"coverage is modelled over terrain ({model.land.kind}), not declared: median of ITU-R "
        f"P.1812-7 within {model.reach.radius_m / 1000:g} km of a mast, {thresholds}",
        f"low and high hold the share with {model.rules.interval:.0%}, if the model errs by "
        f"{model.rules.model_sigma_db:g} dB: an assumption, no drive tests",
        "villages and places are held against the footprints of sites, not against this model",
        *(note for part in modelled for note in part.notes),
    ]


def _model_part(
    part: Part, on_air: gpd.GeoDataFrame, question: Question, model: TerrainModel,
    client: Client | None, progress: Progress,
) -> Modelled:  # fmt: skip
    signal = predict_area(
        part.grid, on_air, model.land, model.rules, services=question.services,
        operators=question.operators, reach=model.reach, known=model.known, client=client,
        progress=progress,
    )  # fmt: skip
    weights = overlap_zones(part.communes, part.grid)
    persons, between = spread_part(part)
    placing = placing_of(part.population)
    rows = measure_signal(
        part.communes, _complete(signal.prediction, list(question.services)), weights,
        model.rules, as_of=question.as_of, persons=persons, placing=placing,
    )  # fmt: skip
    lost = _not_predicted(on_air, signal)
    if len(lost):
        footprints = measure_coverage(
            part.communes, sites_in_reach(lost, part.grid.bounds, part.grid.crs), weights,
            services=question.services, operators=question.operators, as_of=question.as_of,
            persons=persons, placing=placing, keep=(),
        )  # fmt: skip
        rows = _raise_high(rows, footprints.indicators)
    people = np.full(len(part.communes), np.nan)
    if persons is not None:
        people = sum_by_zone(weights, persons)
    cells = lay_shares(
        _cell_shares(signal.prediction, question.keep, weights), question.keep, part.grid
    )
    coverage = ProvinceCoverage(
        indicators=rows, lay_cells=lambda: cells,
        persons=pd.Series(people, index=part.communes["commune_code"].to_numpy()),
    )  # fmt: skip
    return Modelled(coverage=coverage, persons_between=between, notes=signal.notes)


def _complete(prediction: Prediction, services: list[str]) -> Prediction:
    """Return the prediction with services of which no sector is here: they reach nobody."""
    margins = prediction.margins_db
    return replace(
        prediction,
        margins_db=margins.reindex(service=services, fill_value=-np.inf),
        location_db=prediction.location_db.reindex(service=services, fill_value=0.0),
    )


def _not_predicted(on_air: gpd.GeoDataFrame, signal: AreaSignal) -> gpd.GeoDataFrame:
    keys = ["site_id", "sector_id"]
    left_out = pd.MultiIndex.from_frame(signal.network.left_out[keys])
    return on_air[pd.MultiIndex.from_frame(on_air[keys]).isin(left_out)]


def _raise_high(rows: pd.DataFrame, footprints: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose upper bound also has what the footprints may cover."""
    most = footprints.assign(most=footprints["share_high"].fillna(footprints["share"]))
    more = rows[KEYS].merge(most[[*KEYS, "most"]], on=KEYS, how="left", validate="1:1")["most"]
    high = rows["share_high"] + more.fillna(0.0).to_numpy()
    return rows.assign(share_high=high.clip(upper=1.0))


def _cell_shares(
    prediction: Prediction, services: Sequence[str], weights: ZonalWeights
) -> np.ndarray:
    """Return the probability of each cell, shape (service, row, col); 0 outside the zones."""
    is_land = find_land(weights)
    shares = np.zeros((len(services), *weights.grid.shape), "float32")
    for i, name in enumerate(services):
        if name in prediction.services:
            probability = prediction.services[name]["probability"].to_numpy()
            shares[i] = np.where(is_land, np.nan_to_num(probability), 0.0)
    return shares

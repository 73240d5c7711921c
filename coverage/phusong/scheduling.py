"""The parts of a study, measured here or by workers: the same bits in the same order.

A part goes out with all that it needs and comes back as it would have been measured here: nothing
is added up on the way, so it does not matter who measures what and who is done first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from phusong.footprint import lay_shares
from phusong.indicators import ProvinceCoverage
from phusong.packing import PackedShares, pack_shares, unpack_shares
from phusong.province import Part, Question, measure_part, sites_in_reach
from phusong.steps import Progress, silently
from phusong.tasks import finish_tasks

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["measure_parts"]

LABEL = "coverage"
CELLS_A_COMMUNE = 75_000


def measure_parts(
    parts: Sequence[Part],
    on_air: gpd.GeoDataFrame,
    question: Question,
    *,
    client: Client | None = None,
    progress: Progress = silently,
) -> list[tuple[ProvinceCoverage, float]]:
    """Measure each part, one after the other here, or as tasks of a client's workers.

    Parameters
    ----------
    parts : sequence of Part
    on_air : GeoDataFrame, EPSG:4326
        All sites, with their radii.
    question : Question
    client : distributed.Client, optional
        Its workers measure; the largest parts are sent first.
    progress : callable
        Given the steps and a label, yields the steps: a step is a part that is done.

    Returns
    -------
    list of (ProvinceCoverage, float)
        What `measure_part` gives, in the order of the parts.

    Raises
    ------
    ChildProcessError, ConnectionError
        If workers end again and again, or the scheduler goes away.
    """
    if client is None:
        return [measure_part(part, on_air, question) for part in progress(parts, LABEL)]
    on_air = on_air.reset_index(drop=True)
    largest_first = sorted(range(len(parts)), key=lambda i: -_effort(parts[i]))
    tasks = [(parts[i], _cut_out(on_air, parts[i]), question) for i in largest_first]
    done: dict[int, tuple[ProvinceCoverage, float]] = {}
    for place, answer in finish_tasks(
        _measure_packed, tasks, client=client, progress=progress, label=LABEL
    ):
        i = largest_first[place]
        done[i] = _unpack(parts[i], question, answer)
    return [done[i] for i in range(len(parts))]


def _cut_out(sites: gpd.GeoDataFrame, part: Part) -> gpd.GeoDataFrame:
    """Return the sites that a part sees."""
    near = sites_in_reach(sites, part.grid.bounds, part.grid.crs).index
    return sites[sites.index.isin(near)]


def _measure_packed(
    part: Part, sites: gpd.GeoDataFrame, question: Question
) -> tuple[pd.DataFrame, pd.Series, PackedShares, float]:
    """Return what `measure_part` does, without what is known here, and its cells packed."""
    coverage, between = measure_part(part, sites, question)
    packed = pack_shares(coverage.cell_shares.to_numpy())
    return coverage.indicators, coverage.persons, packed, between


def _unpack(
    part: Part,
    question: Question,
    answer: tuple[pd.DataFrame, pd.Series, PackedShares, float],
) -> tuple[ProvinceCoverage, float]:
    indicators, persons, packed, between = answer
    shares = lay_shares(unpack_shares(packed), question.keep, part.grid)
    return (
        ProvinceCoverage(indicators=indicators, lay_cells=lambda: shares, persons=persons),
        between,
    )


def _effort(part: Part) -> int:
    """Return the cells of the grid, and for each commune those that take about as long as it does.

    It orders the parts and no more: the last ones to be done should be small.
    """
    rows, columns = part.grid.shape
    return rows * columns + CELLS_A_COMMUNE * len(part.communes)

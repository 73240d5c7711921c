"""Two assessments of one geography beside each other."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import xarray as xr

from phusong.errors import CrosswalkError
from phusong.publish.assessment import Assessment

__all__ = ["Comparison", "compare"]

KEYS = ["commune_code", "vintage", "indicator", "service", "operator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What changed from one assessment to another.

    Attributes
    ----------
    communes : DataFrame
        One row a commune, indicator, service and operator: the keys, `share_before`,
        `share_after`, `change` (after − before; NaN where either is unknown), `denominator` and
        `unit` of after, and `gained` (change × denominator: km² or persons). Rows that only one
        of the two has are there, with NaN for the other.
    cells : tuple of DataArray
        By part, dims (service, y, x): the covered share of each cell, after − before.
    """

    communes: pd.DataFrame
    cells: tuple[xr.DataArray, ...]


def compare(before: Assessment, after: Assessment) -> Comparison:
    """Return the difference of two assessments, by commune and by cell.

    Parameters
    ----------
    before, after : Assessment
        Of the same communes, on the same grids.

    Raises
    ------
    CrosswalkError
        If the communes differ: a reform is no progress.
    ValueError
        If the cells differ in size or place.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from datetime import date
    >>> from shapely import Point, box
    >>> from phusong.study import assess
    >>> commune = gpd.GeoDataFrame(
    ...     {"commune_code": ["00001"], "vintage": "2025", "commune_name": "Xã A",
    ...      "commune_type": "xã"}, crs="EPSG:5897",
    ...     geometry=[box(500_000, 2_200_000, 504_000, 2_204_000)])
    >>> mast = gpd.GeoDataFrame(
    ...     {"site_id": ["1"], "sector_id": "1", "operator": "Viettel", "technology": "5G",
    ...      "radius_m": 1000.0}, geometry=[Point(502_000, 2_202_000)], crs="EPSG:5897")
    >>> without = assess(commune, sites=mast.iloc[:0], as_of=date(2026, 6, 30))
    >>> one = compare(without, without.with_sites(added=mast)).communes
    >>> one.query("indicator == 'share_area' and service == '5g' and operator == 'any'"
    ... )["gained"].round(2).tolist()  # a disc of 1 km: π km²
    [3.14]
    """
    codes = [set(zip(a.communes["commune_code"], a.communes["vintage"], strict=True))
             for a in (before, after)]  # fmt: skip
    if codes[0] != codes[1]:
        raise CrosswalkError(
            f"{len(codes[0] ^ codes[1])} communes are in one assessment only: bring both to the "
            "communes of one vintage first"
        )
    if len(before.coverage) != len(after.coverage) or not all(
        a.coords.equals(b.coords) for a, b in zip(before.coverage, after.coverage, strict=True)
    ):
        raise ValueError("the cells of the two assessments differ in size or place")
    columns = [*KEYS, "share", "denominator", "unit"]
    both = before.indicators[columns].merge(
        after.indicators[columns], on=KEYS, how="outer", suffixes=("_before", "_after")
    )
    change = both["share_after"] - both["share_before"]
    communes = both[[*KEYS, "share_before", "share_after"]].assign(
        change=change,
        denominator=both["denominator_after"],
        unit=both["unit_after"],
        gained=change * both["denominator_after"],
    )
    cells = tuple(b - a for a, b in zip(before.coverage, after.coverage, strict=True))
    return Comparison(communes=communes, cells=cells)

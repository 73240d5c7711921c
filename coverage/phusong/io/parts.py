"""A commune that a boundary file gives in several features, such as its islands, made one."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.errors import Problem

__all__ = ["join_parts"]

KEY = ["commune_code", "vintage"]
POLYGONS = ("Polygon", "MultiPolygon")


def join_parts(
    frame: pd.DataFrame, shapes: gpd.GeoSeries
) -> tuple[pd.DataFrame, gpd.GeoSeries, np.ndarray, list[Problem]]:
    """Join the features that agree in code, vintage, name and every other column.

    Features of one code that say different things stay apart, and so do those of a commune of
    which one part is no valid polygon.

    Parameters
    ----------
    frame : DataFrame
        Columns of schema "communes", a row a feature.
    shapes : GeoSeries
        Their geometry, of the same index.

    Returns
    -------
    DataFrame, GeoSeries
        A row a commune, at the place of its first feature, numbered from 0.
    array of int
        The number of that feature in the file, from 1.
    list of Problem
        A repair for each feature that was joined to an earlier one.

    Examples
    --------
    >>> frame = pd.DataFrame({"commune_code": ["00001"] * 2, "vintage": "2025"})
    >>> shapes = gpd.GeoSeries([shapely.box(0, 0, 1, 1), shapely.box(3, 0, 4, 1)])
    >>> joined, shape, numbers, repairs = join_parts(frame, shapes)
    >>> len(joined), shape.area.tolist(), numbers.tolist(), repairs[0].row
    (1, [2.0], [1], 2)
    """
    is_whole = shapes.is_valid & ~shapes.is_empty & shapes.geom_type.isin(POLYGONS)
    is_part = frame.duplicated(KEY, keep=False) & frame["commune_code"].notna()
    made = shapes.to_numpy().copy()
    is_kept = np.ones(len(frame), dtype=bool)
    repairs = []
    for _, rows in frame[is_part].groupby(KEY):
        if len(rows.drop_duplicates()) > 1 or not is_whole[rows.index].all():
            continue
        first, *others = rows.index
        made[first] = shapely.union_all(made[rows.index])
        is_kept[others] = False
        repairs += [
            Problem(row=int(other) + 1, field="+".join(KEY),
                    found=f"the commune of row {first + 1} once more: {rows.loc[first, KEY[0]]}",
                    expected="one feature a commune", message="joined: code and name agree")
            for other in others
        ]  # fmt: skip
    whole = gpd.GeoSeries(made, index=shapes.index, crs=shapes.crs)
    return (
        frame[is_kept].reset_index(drop=True),
        whole[is_kept].reset_index(drop=True),
        np.flatnonzero(is_kept) + 1,
        repairs,
    )

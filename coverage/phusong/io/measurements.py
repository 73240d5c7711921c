"""Speed tests: Ookla's open tiles and tables of tests, as one layer of places with speeds."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from phusong.errors import InputFileError, Problem, SchemaError
from phusong.io.files import require_file
from phusong.io.headers import Vocabulary
from phusong.io.located import know_operators, name_rows, read_located
from phusong.io.report import Reading, ReadReport
from phusong.schema import conform

__all__ = ["read_measurements"]

LON_LAT = "EPSG:4326"
# Ookla's open data (teamookla/ookla-open-data): zoom-16 tiles, kilobits a second, milliseconds.
OOKLA = ("quadkey", "avg_d_kbps", "avg_u_kbps", "avg_lat_ms", "tests")
MAX_MBPS = 100_000.0
FIGURES = ("downlink_mbps", "uplink_mbps", "rsrp_dbm")


def read_measurements(
    path: Path | str,
    *,
    crs: str | None = None,
    communes: gpd.GeoDataFrame | None = None,
    aliases: Vocabulary | None = None,
) -> Reading:
    """Read speed tests and signal samples: Ookla's open tiles, or a table of M-Lab or an operator.

    Parameters
    ----------
    path : Path
        Parquet is Ookla's: a row is a tile of about 600 m with the average of its tests. Anything
        else is a table (CSV, XLSX, XLS) or a layer of points: a row is a test, or a signal sample
        of a drive.
    crs : str, optional
        Of places given as x, y, or of a layer that names none.
    communes : GeoDataFrame, optional
        Tiles whose centre lies outside their bounds are passed over, counted as ignored; rows of a
        table well outside them are set aside.
    aliases : Vocabulary, optional
        Our headings and words with the user's own (`aliases.read_aliases`).

    Returns
    -------
    Reading
        `layer`: GeoDataFrame of points, schema "measurements" and `source_row`, EPSG:4326.

    Raises
    ------
    InputFileError, SchemaError, CrsError
    """
    path = Path(path)
    if path.suffix.lower() == ".parquet":
        return _read_tiles(path, communes)
    table = read_located(path, "measurements", crs=crs, communes=communes, aliases=aliases)
    figures = [name for name in FIGURES if name in table.frame]
    if not figures:
        raise SchemaError(
            f"{path}: measurements",
            [Problem(row=None, field="downlink_mbps", found="no such column",
                     expected="a column of speed or of signal: downlink, uplink, rsrp")],
        )  # fmt: skip
    is_empty = table.frame[figures].isna().all(axis=1)
    nothing = pd.Series("nothing", table.frame.index)
    table.refuse(is_empty, ", ".join(figures), nothing, "a speed or a signal")
    know_operators(table)
    name_rows(table, "sample_id")
    reading = table.close()
    return Reading(conform(reading.layer, "measurements"), reading.report)


def _read_tiles(path: Path, communes: gpd.GeoDataFrame | None) -> Reading:
    require_file(path, (".parquet",))
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputFileError(
            f"{path}: corrupt or truncated Parquet (no footer; tải chưa đầy đủ): {error}"
        ) from error
    missing = [name for name in OOKLA if name not in table.column_names]
    if missing:
        raise SchemaError(
            f"{path}: measurements",
            [Problem(row=None, field=n, found="no such column", expected="a column of Ookla tiles")
             for n in missing],
        )  # fmt: skip
    return _account(path, table.select(list(OOKLA)).to_pandas(), communes)


def _account(path: Path, tiles: pd.DataFrame, communes: gpd.GeoDataFrame | None) -> Reading:
    keys = tiles["quadkey"].astype("str")
    is_key = keys.str.fullmatch(r"[0-3]{1,23}").fillna(False).astype(bool)
    lon, lat = _centres(keys.where(is_key, "0"))
    figures = {
        "downlink_mbps": pd.to_numeric(tiles["avg_d_kbps"], errors="coerce") / 1000,
        "uplink_mbps": pd.to_numeric(tiles["avg_u_kbps"], errors="coerce") / 1000,
        "latency_ms": pd.to_numeric(tiles["avg_lat_ms"], errors="coerce"),
        "n_tests": pd.to_numeric(tiles["tests"], errors="coerce"),
    }
    checks = [("quadkey", keys, ~is_key, "digits 0 to 3")]
    checks += [
        (name, values, ~values.between(0 if name != "n_tests" else 1, MAX_MBPS if "mbps" in name
         else np.inf), "a possible figure")
        for name, values in figures.items()
    ]  # fmt: skip
    wrong = [
        Problem(row=int(i) + 1, field=name, found=repr(found[i]), expected=expected)
        for name, found, mask, expected in checks
        for i in np.flatnonzero(mask)
    ]
    set_aside = {problem.row for problem in wrong}
    is_used = ~pd.Series(range(1, len(tiles) + 1), tiles.index).isin(set_aside)
    is_here = pd.Series(True, tiles.index)
    if communes is not None:
        west, south, east, north = communes.total_bounds
        is_here = pd.Series((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    kept = is_used & is_here
    layer = gpd.GeoDataFrame(
        {"sample_id": keys, "quadkey": keys, **figures,
         "source_row": np.arange(1, len(tiles) + 1)},
        geometry=gpd.points_from_xy(lon, lat), crs=LON_LAT,
    )[kept]  # fmt: skip
    report = ReadReport(
        file=str(path),
        layer="measurements",
        rows_in=len(tiles),
        rows_used=int(kept.sum()),
        rows_quarantined=len(set_aside),
        rows_ignored=int((is_used & ~is_here).sum()),
        quarantine=tuple(wrong),
        notes=("tiles outside the communes' bounds are passed over",) if not is_here.all() else (),
    )
    return Reading(conform(layer.reset_index(drop=True), "measurements"), report)


def _centres(keys: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return longitude and latitude of the centres of quadkeys (Bing Maps tile system)."""
    x = keys.str.translate(str.maketrans("0123", "0101")).map(lambda bits: int(bits, 2))
    y = keys.str.translate(str.maketrans("0123", "0011")).map(lambda bits: int(bits, 2))
    side = 2.0 ** keys.str.len()
    lon = (x + 0.5) / side * 360 - 180
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (y + 0.5) / side))))
    return lon.to_numpy(float), lat.to_numpy(float)

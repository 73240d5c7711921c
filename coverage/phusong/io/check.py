"""One file read exactly as a run would read it, and what that came to, in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd

from phusong.errors import PhusongError, SchemaError
from phusong.io.aliases import read_aliases
from phusong.io.boundaries import read_communes
from phusong.io.census import read_people
from phusong.io.confirm import find_candidates, read_names, write_names
from phusong.io.located import read_challenges, read_places, read_points, read_villages
from phusong.io.measurements import read_measurements
from phusong.io.report import Reading, ReadReport
from phusong.io.spreadsheet import write_quarantine_xlsx
from phusong.io.tables import read_service, read_sites
from phusong.io.terrain import read_terrain
from phusong.io.write import write_csv, write_gpkg, write_json
from phusong.joins import locate_sites

__all__ = ["check_file"]

LON_LAT = "EPSG:4326"


def check_file(
    layer: str,
    path: Path,
    *,
    crs: str | None = None,
    communes: Path | None = None,
    as_of: date | None = None,
    out: Path | None = None,
    lang: str = "vi",
    names: Path | None = None,
    aliases: Path | None = None,
) -> dict[str, object]:
    """Read a file as a run would; write the account and the clean layer into `out`.

    Parameters
    ----------
    layer : str
        "communes", "sites", "service", "population", "terrain", "measurements", "villages",
        "places", "points" or "challenges".
    path : Path
    crs : str, optional
        Of places given as x, y, or of a layer that names none.
    communes : Path, optional
        Boundaries that places, codes and rasters are held against.
    as_of : date, optional
        The day of the data.
    out : Path, optional
        Gets `check.json`, `clean.csv` (tables) or `clean.gpkg` (communes), and the rows set aside
        with their reasons as `quarantine.xlsx`.
    names : Path, optional
        The filled-in `names.csv` of an earlier check of the same table.
    aliases : Path, optional
        The user's own headings and words (`aliases.read_aliases`).
    lang : str
        Of the headings of `quarantine.xlsx`.

    Returns
    -------
    dict
        What `check.json` holds: `file, layer, verdict, rows_in, rows_used, rows_quarantined,
        rows_ignored, errors, quarantine, repairs, notes`, and `sum_valid` of a raster.
    """
    try:
        added = None if aliases is None else read_aliases(aliases)
        zones = None if communes is None else read_communes(communes, aliases=added).layer
        readers: dict[str, Callable[[], Reading]] = {
            "communes": lambda: read_communes(path, crs=crs, aliases=added),
            "sites": lambda: read_sites(path, crs=crs, communes=zones, as_of=as_of, aliases=added),
            "service": lambda: read_service(
                path,
                communes=zones,
                names=None if names is None else read_names(names),
                aliases=added,
            ),
            "population": lambda: read_people(path, communes=zones, aliases=added),
            "terrain": lambda: read_terrain(path, communes=zones),
            "measurements": lambda: read_measurements(path, crs=crs, communes=zones, aliases=added),
            "villages": lambda: read_villages(path, crs=crs, communes=zones, aliases=added),
            "places": lambda: read_places(path, crs=crs, communes=zones, aliases=added),
            "points": lambda: read_points(path, crs=crs, communes=zones),
            "challenges": lambda: read_challenges(path, communes=zones, aliases=added),
        }
        reading = readers[layer]()
    except (PhusongError, FileNotFoundError) as error:
        return _close(_refusal(layer, path, error), None, out)
    report = asdict(reading.report)
    del report["headings"], report["cells"]
    account = {"file": str(path), "layer": layer, "verdict": "accepted", "errors": []} | report
    if reading.report.sum_valid is None:
        del account["sum_valid"]
    clean = reading.layer
    if layer == "sites" and zones is not None:
        clean = locate_sites(clean, zones)
    if out is not None and reading.report.cells:
        out.mkdir(parents=True, exist_ok=True)
        write_quarantine_xlsx(
            reading.report, out / "quarantine.xlsx", lang=lang, as_of=as_of or date(2025, 7, 1)
        )
    if layer == "service" and zones is not None and out is not None:
        _ask_names(reading.report, zones, out)
    return _close(account, clean, out)


def _ask_names(report: ReadReport, communes: pd.DataFrame, out: Path) -> None:
    """Write `names.csv` for the names that no commune answers to, where there are any."""
    strangers = [p.found.strip("'") for p in report.quarantine if p.field == "commune_name"]
    if strangers:
        write_names(find_candidates(strangers, communes), out / "names.csv")


def _refusal(layer: str, path: Path, error: Exception) -> dict[str, object]:
    problems = [asdict(p) for p in error.problems] if isinstance(error, SchemaError) else []
    said = f"{path}: no such file" if isinstance(error, FileNotFoundError) else str(error)
    whole = {"row": None, "field": "", "found": "", "expected": "", "message": said}
    counts = dict.fromkeys(("rows_in", "rows_used", "rows_quarantined", "rows_ignored"), 0)
    return {
        "file": str(path),
        "layer": layer,
        "verdict": "refused",
        "errors": problems or [whole],
        **counts,
        "quarantine": [],
        "repairs": [],
        "notes": [],
    }


def _close(account: dict[str, object], clean: object, out: Path | None) -> dict[str, object]:
    if out is None:
        return account
    out.mkdir(parents=True, exist_ok=True)
    if account["layer"] == "communes" and isinstance(clean, gpd.GeoDataFrame):
        write_gpkg(clean, out / "clean.gpkg", name="communes")
    elif isinstance(clean, pd.DataFrame):
        write_csv(_with_places(clean), out / "clean.csv")
    write_json(account, out / "check.json")
    return account


def _with_places(clean: pd.DataFrame) -> pd.DataFrame:
    """Return a table with `lon` and `lat` where the layer has points."""
    if not isinstance(clean, gpd.GeoDataFrame):
        return clean
    inside = clean.geometry.to_crs(LON_LAT)
    if (inside.geom_type != "Point").any():
        inside = inside.representative_point()
    return clean.assign(lon=inside.x, lat=inside.y)

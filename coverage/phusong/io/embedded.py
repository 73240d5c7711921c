"""The files that come with phusong: schematic communes, synthetic sites, registers."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

__all__ = ["EMBEDDED", "embedded_path"]

EMBEDDED: Mapping[str, str] = MappingProxyType(
    {
        "communes": "communes_schematic.parquet",
        "communes_before": "communes_before_schematic.parquet",
        "sites": "sites_synthetic.csv",
        "service": "service_synthetic.csv",
        "population": "population_synthetic.tif",
        "terrain": "terrain_synthetic.tif",
        "radio": "radio.toml",
        "crosswalk": "thanh_hoa_crosswalk.csv",
        "facts": "thanh_hoa_facts_2025.csv",
        "targets": "targets.toml",
        "radii": "default_radii.csv",
        "headers": "headers.toml",
        "evidence": "evidence.toml",
        "villages": "villages_synthetic.csv",
        "places": "places_synthetic.geojson",
        "study": "study.toml",
    }
)


def embedded_path(name: str) -> Path:
    """Return the path of the embedded file called `name`, a key of `EMBEDDED`.

    Examples
    --------
    >>> embedded_path("targets").name
    'targets.toml'
    """
    return Path(str(files("phusong") / "data" / EMBEDDED[name]))

"""phusong: geospatial coverage analysis, broadband and 5G by commune, against a plan's targets.

>>> import phusong as ps
>>> communes, report = ps.read_communes(ps.embedded_path("communes"))
>>> len(communes), report.rows_quarantined
(166, 0)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phusong.errors import CrosswalkError as CrosswalkError
    from phusong.errors import CrsError as CrsError
    from phusong.errors import InputFileError as InputFileError
    from phusong.errors import PhusongError as PhusongError
    from phusong.errors import SchemaError as SchemaError
    from phusong.grid import Grid as Grid
    from phusong.grid import grid_over as grid_over
    from phusong.io.boundaries import read_communes as read_communes
    from phusong.io.census import read_areas as read_areas
    from phusong.io.embedded import embedded_path as embedded_path
    from phusong.io.rasters import read_population as read_population
    from phusong.io.settings import Study as Study
    from phusong.io.settings import read_study as read_study
    from phusong.io.tables import read_service as read_service
    from phusong.io.tables import read_sites as read_sites
    from phusong.io.weights import cached_weights as cached_weights
    from phusong.joins import overlay_weights as overlay_weights
    from phusong.point_counts import count_points as count_points
    from phusong.points import label_zones as label_zones
    from phusong.population import spread_population as spread_population
    from phusong.publish.assessment import About as About
    from phusong.publish.assessment import Assessment as Assessment
    from phusong.publish.compare import Comparison as Comparison
    from phusong.publish.compare import compare as compare
    from phusong.publish.site.build import Published as Published
    from phusong.publish.site.build import publish_site as publish_site
    from phusong.runs import Outcome as Outcome
    from phusong.runs import demo_study as demo_study
    from phusong.runs import run_study as run_study
    from phusong.study import assess as assess
    from phusong.zonal import overlap_zones as overlap_zones
    from phusong.zonal import sum_by_zone as sum_by_zone

_HOMES = {
    "About": "phusong.publish.assessment",
    "Assessment": "phusong.publish.assessment",
    "Comparison": "phusong.publish.compare",
    "CrosswalkError": "phusong.errors",
    "CrsError": "phusong.errors",
    "Grid": "phusong.grid",
    "InputFileError": "phusong.errors",
    "Outcome": "phusong.runs",
    "PhusongError": "phusong.errors",
    "Published": "phusong.publish.site.build",
    "SchemaError": "phusong.errors",
    "Study": "phusong.io.settings",
    "assess": "phusong.study",
    "cached_weights": "phusong.io.weights",
    "compare": "phusong.publish.compare",
    "count_points": "phusong.point_counts",
    "demo_study": "phusong.runs",
    "embedded_path": "phusong.io.embedded",
    "grid_over": "phusong.grid",
    "label_zones": "phusong.points",
    "overlap_zones": "phusong.zonal",
    "overlay_weights": "phusong.joins",
    "publish_site": "phusong.publish.site.build",
    "read_areas": "phusong.io.census",
    "read_communes": "phusong.io.boundaries",
    "read_population": "phusong.io.rasters",
    "read_service": "phusong.io.tables",
    "read_sites": "phusong.io.tables",
    "read_study": "phusong.io.settings",
    "run_study": "phusong.runs",
    "spread_population": "phusong.population",
    "sum_by_zone": "phusong.zonal",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: `phusong --help` stays fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'phusong' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

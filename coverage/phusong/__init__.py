"""phusong: geospatial coverage analysis, broadband and 5G by commune, against a plan's targets.

>>> import phusong as ps
>>> communes, report = ps.read_communes(ps.embedded_path("communes"))
>>> len(communes), report.rows_quarantined
(166, 0)
"""

from importlib import import_module

_HOMES = {
    "About": "phusong.publish.assessment",
    "Assessment": "phusong.publish.assessment",
    "Grid": "phusong.grid",
    "Study": "phusong.io.settings",
    "assess": "phusong.study",
    "embedded_path": "phusong.io.embedded",
    "overlay_weights": "phusong.joins",
    "read_communes": "phusong.io.boundaries",
    "read_population": "phusong.io.rasters",
    "read_service": "phusong.io.tables",
    "read_sites": "phusong.io.tables",
    "run_study": "phusong.runs",
    "spread_population": "phusong.population",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: `phusong --help` stays fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'phusong' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

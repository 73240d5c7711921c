"""One path from antenna to antenna, and its loss by any of the models that take a path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from phusong.radio.diffraction import bullington_edge
from phusong.radio.itm import ItmLink, itm_loss
from phusong.radio.limits import ModelRangeError, require_choice
from phusong.radio.p1812 import P1812Link, p1812_loss, require_link, require_profile
from phusong.radio.tr38901 import rma_loss_db, uma_loss_db
from phusong.radio.zones import Zones

__all__ = ["MODELS", "Edge", "Path", "PathTerms", "find_edge", "path_terms"]

ITM_BROADCAST = 3  # time, places and situations apart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """A terrain profile and the link over it; checked when it is made.

    `d_km`, `h_m` and `clutter_m` are arrays of one shape (n,): distance from the transmitter, bare
    ground above sea level, height of what stands on it.
    """

    d_km: np.ndarray
    h_m: np.ndarray
    clutter_m: np.ndarray
    link: P1812Link
    zones: Zones = field(default_factory=Zones)

    def __post_init__(self) -> None:
        require_profile(self.d_km, self.h_m, self.clutter_m)
        require_link(self.link)


class PathTerms(NamedTuple):
    """The loss of a path, and the diffraction terms of P.1812 (NaN by other models), in dB."""

    lb_db: float
    ld50_db: float = float("nan")
    lbulla_db: float = float("nan")
    lbulls_db: float = float("nan")
    ldsph_db: float = float("nan")


class Edge(NamedTuple):
    """Bullington's edge: its ν, where it stands, how high above the chord through sea level."""

    nu: float
    at_km: float
    height_m: float
    is_los: bool


def path_terms(path: Path, *, model: str = "p1812") -> PathTerms:
    """Return the loss of one path by a model.

    Parameters
    ----------
    path : Path
    model : str
        One of `MODELS`. "itm" knows bare ground only, at even steps, and takes `p` and `pl` as its
        percentages of time and locations. "rma" and "uma" of 38.901 know the distance and the
        heights of the antennas; whether these see each other is read off the profile and what
        stands on it.

    Raises
    ------
    ModelRangeError
        If the path is outside the model's range.

    Examples
    --------
    >>> flat = np.zeros(101)
    >>> path = Path(d_km=np.linspace(0.0, 1.0, 101), h_m=flat, clutter_m=flat,
    ...             link=P1812Link(f_ghz=3.5, htg_m=35.0, hrg_m=1.5))
    >>> [round(path_terms(path, model=model).lb_db, 1) for model in MODELS]
    [103.3, 103.3, 105.5, 106.7]
    """
    require_choice("model", model, tuple(MODELS), source="phusong path")
    return MODELS[model](path)


def find_edge(path: Path) -> Edge:
    """Return the edge that stands for a path in Bullington's construction, at median refraction.

    See `phusong.radio.diffraction.bullington_edge`.
    """
    hts_m = float(path.h_m[0]) + path.link.htg_m
    hrs_m = float(path.h_m[-1]) + path.link.hrg_m
    nu, at_km, height_m = bullington_edge(
        path.d_km, path.h_m, path.clutter_m, 1.0, hts_m, hrs_m, effective_earth_km(path.link.dn),
        path.link.f_ghz,
    )  # fmt: skip
    return Edge(nu, at_km, height_m, is_los=nu <= 0.0)


def effective_earth_km(dn: float) -> float:
    """Return the median effective radius of the Earth: P.1812-7, equations (6) and (7a).

    Examples
    --------
    >>> round(effective_earth_km(45.0), 1)
    8930.8
    """
    return 6371.0 * 157.0 / (157.0 - dn)


def _even_step_km(d_km: np.ndarray) -> float:
    step = float(d_km[-1]) / (len(d_km) - 1)
    if not np.allclose(np.diff(d_km), step, rtol=1e-3):
        raise ModelRangeError("d_km: found uneven steps, expected even ones: ITM knows no others")
    return step


def _p1812_terms(path: Path) -> PathTerms:
    loss = p1812_loss(path.d_km, path.h_m, path.clutter_m, link=path.link, zones=path.zones)
    return PathTerms(loss.lb_db, loss.ld50_db, loss.lbulla_db, loss.lbulls_db, loss.ldsph_db)


def _itm_terms(path: Path) -> PathTerms:
    link = path.link
    itm_link = ItmLink(
        f_mhz=1000.0 * link.f_ghz, h_tx_m=link.htg_m, h_rx_m=link.hrg_m,
        is_vertical=link.is_vertical, n0=link.n0, mode=ITM_BROADCAST, time_pct=link.p,
        location_pct=link.pl,
    )  # fmt: skip
    return PathTerms(itm_loss(path.h_m, 1000.0 * _even_step_km(path.d_km), link=itm_link).lb_db)


def _macro_terms(macro: Callable[..., np.ndarray], path: Path) -> PathTerms:
    loss_db = macro(
        np.array(1000.0 * float(path.d_km[-1])), frequency_ghz=path.link.f_ghz,
        base_height_m=path.link.htg_m, user_height_m=path.link.hrg_m,
        is_los=find_edge(path).is_los,
    )  # fmt: skip
    return PathTerms(float(loss_db))


# What a path can be asked for, by the name that `phusong path --model` takes.
MODELS: Mapping[str, Callable[[Path], PathTerms]] = MappingProxyType(
    {
        "p1812": _p1812_terms,
        "itm": _itm_terms,
        "rma": partial(_macro_terms, rma_loss_db),
        "uma": partial(_macro_terms, uma_loss_db),
    }
)

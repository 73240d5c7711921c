"""Terrain profiles in JSON: one object or a list of them becomes paths that are checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from phusong.errors import InputFileError
from phusong.io.files import require_file
from phusong.radio.limits import ModelRangeError
from phusong.radio.p1812 import P1812Link
from phusong.radio.paths import Path
from phusong.radio.zones import Zones

__all__ = ["Profiles", "read_profiles"]

NEEDED = ("f_ghz", "htg", "hrg", "h")
LINK = {"f_ghz": "f_ghz", "htg": "htg_m", "hrg": "hrg_m", "p": "p", "pl": "pl",
        "sigma_db": "sigma_db", "dn": "dn", "n0": "n0"}  # fmt: skip
ZONES = ("latitude_deg", "dct_km", "dcr_km")
OTHERS = ("pol", "step_km", "d_km", "clutter", "zone")
# What such a file may hold besides: the answers it is held against.
ANSWERS = ("ae_km", "hstd", "hsrd", "lb", "ld50", "lbulla", "lbulls", "ldsph", "name")
POLARISATIONS = {"vertical": True, "v": True, "horizontal": False, "h": False}
MAX_BYTES = 500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """The paths of a file in its order, and which of its keys mean nothing here."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def read_profiles(path: FilePath) -> Profiles:
    """Read terrain profiles and their links.

    Parameters
    ----------
    path : Path
        JSON, one object or a list of objects. Each has `f_ghz`; `htg` and `hrg`, the antennas'
        heights above the ground (m); `h`, the bare ground above sea level (m), from transmitter to
        receiver; and either `step_km` or `d_km[]`. It may have `clutter[]` (m above the ground),
        `pol` ("vertical", "horizontal"), `p` and `pl` (%), `sigma_db`, `dn`, `n0`, `zone[]` (1 sea,
        3 coast, 4 inland), `latitude_deg`, `dct_km`, `dcr_km`.

    Returns
    -------
    Profiles

    Raises
    ------
    InputFileError
        If it is not such JSON, or a number is missing or outside the ranges of P.1812; with the
        position of the profile, from 1.
    """
    require_file(path, (".json",))
    if path.stat().st_size > MAX_BYTES:
        raise InputFileError(f"{path}: larger than {MAX_BYTES:,} bytes; split it")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{path}: not JSON: {error}") from error
    items = content if isinstance(content, list) else [content]
    if not items:
        raise InputFileError(f"{path}: found an empty list, expected at least one profile")
    paths, strange = [], set()
    for i, item in enumerate(items, start=1):
        try:
            paths.append(_to_path(item))
        except (InputFileError, ModelRangeError) as error:
            raise InputFileError(f"{path}: profile {i}: {error}") from error
        strange |= set(item) - {*NEEDED, *LINK, *ZONES, *OTHERS, *ANSWERS}
    notes = (f"{path}: keys without a meaning: {', '.join(sorted(strange))}",) if strange else ()
    return Profiles(paths=tuple(paths), notes=notes)


def _to_path(item: object) -> Path:
    if not isinstance(item, Mapping):
        raise InputFileError(f"found {type(item).__name__}, expected an object")
    missing = [key for key in NEEDED if key not in item]
    if missing:
        raise InputFileError(f"missing keys {', '.join(missing)}")
    h_m = _numbers(item, "h")
    link = {name: _number(item, key) for key, name in LINK.items() if key in item}
    return Path(
        d_km=_distances(item, len(h_m)),
        h_m=h_m,
        clutter_m=_numbers(item, "clutter") if "clutter" in item else np.zeros(len(h_m)),
        link=P1812Link(is_vertical=_is_vertical(item.get("pol", "vertical")), **link),
        zones=Zones(
            zone=_numbers(item, "zone") if "zone" in item else None,
            **{key: _number(item, key) for key in ZONES if key in item},
        ),
    )


def _distances(item: Mapping[str, Any], n: int) -> np.ndarray:
    given = [key for key in ("step_km", "d_km") if key in item]
    if len(given) != 1:
        raise InputFileError(f"found {' and '.join(given) or 'neither'}, expected step_km or d_km")
    return _numbers(item, "d_km") if "d_km" in item else np.arange(n) * _number(item, "step_km")


def _is_vertical(value: object) -> bool:
    word = str(value).strip().casefold()
    if word not in POLARISATIONS:
        raise InputFileError(f"pol: found {value!r}, expected vertical or horizontal")
    return POLARISATIONS[word]


def _number(item: Mapping[str, Any], key: str) -> float:
    value = item[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputFileError(f"{key}: found {value!r}, expected a number")
    return float(value)


def _numbers(item: Mapping[str, Any], key: str) -> np.ndarray:
    values = item[key]
    if not isinstance(values, list):
        raise InputFileError(f"{key}: found {type(values).__name__}, expected a list of numbers")
    for i, value in enumerate(values, start=1):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputFileError(f"{key}: found {value!r} at position {i}, expected a number")
    return np.array(values, float)

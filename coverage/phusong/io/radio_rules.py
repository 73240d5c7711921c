"""The register of predictions (TOML): thresholds, assumptions, heights of land cover."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from phusong.errors import InputFileError
from phusong.io.files import require_file
from phusong.radio.limits import ModelRangeError
from phusong.radio.rules import Assumption, Offset, RadioRules, Threshold

__all__ = ["read_radio_rules"]

MAX_BYTES = 1_000_000


def read_radio_rules(path: Path) -> RadioRules:
    """Read the register of predictions (TOML, as `data/radio.toml`).

    Raises
    ------
    InputFileError
        If the file is not TOML, or an entry lacks a key, has one too many, or a number that cannot
        be.

    Examples
    --------
    >>> from phusong.io.embedded import embedded_path
    >>> read_radio_rules(embedded_path("radio")).threshold_of("4G").threshold_dbm
    -105.0
    """
    require_file(path, (".toml",))
    if path.stat().st_size > MAX_BYTES:
        raise InputFileError(f"{path}: larger than {MAX_BYTES:,} bytes")
    try:
        register = tomllib.loads(path.read_text(encoding="utf-8"))
        return _to_rules(register)
    except (ValueError, KeyError, TypeError, ModelRangeError) as error:
        raise InputFileError(f"{path}: not a register of predictions: {error!r}") from error


def _to_rules(register: dict[str, Any]) -> RadioRules:
    settings = register["settings"]
    numbers = {name: float(value) for name, value in settings.items() if _is_number(value)}
    return RadioRules(
        thresholds=tuple(_entry(Threshold, one) for one in register["threshold"]),
        assumptions=tuple(_entry(Assumption, one) for one in register["assumption"]),
        offsets=tuple(_entry(Offset, one) for one in register.get("offset", [])),
        cover_m={int(one["code"]): float(one["height_m"]) for one in register["cover"]},
        sources=tuple(
            f"{name.removesuffix('_source')}: {said}"
            for name, said in settings.items()
            if name.endswith("_source")
        ),
        **numbers,
    )


def _entry(kind: type[Any], entry: dict[str, Any]) -> Any:
    return kind(**{**entry, "technologies": tuple(entry["technologies"])})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

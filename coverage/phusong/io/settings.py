"""The settings of a study: which files, which options, from the command line or a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Literal

from phusong.crosswalk import VINTAGE_2025
from phusong.errors import InputFileError
from phusong.io.named import are_schematic, find_communes
from phusong.words import LANGUAGES

__all__ = ["Study", "read_study"]

PATHS = (
    "communes", "service", "population", "register", "crosswalk", "crosswalk_weights", "aliases",
    "villages", "places", "measurements", "challenges", "evidence", "terrain", "clutter", "radio",
)  # fmt: skip
# How a study says that its network is invented, or its boundaries drawn: every output is labelled.
LABELS = {"synthetic": "is_synthetic", "schematic": "is_schematic"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Everything that decides the outputs of a run, besides the contents of the files.

    `population` is a raster, a layer of areas with their people, or "even" where the communes' own
    numbers are to be spread evenly over their area (a file of that name is `./even`). With
    `terrain` coverage is modelled over it, from the thresholds of `radio` (a register as
    `data/radio.toml`); `terrain_kind` says whether trees and roofs are in it, and `clutter_kind`
    whether `clutter`, what stands on bare ground, holds heights or codes of classes.
    """

    communes: Path
    sites: tuple[Path, ...]
    as_of: date
    place: str = ""
    lang: str = LANGUAGES[0]
    paper: Literal["A4", "A3"] = "A4"
    sources: tuple[str, ...] = ()
    service: Path | None = None
    population: Path | Literal["even"] | None = None
    register: Path | None = None
    crosswalk: Path | None = None
    crosswalk_weights: Path | None = None
    aliases: Path | None = None
    villages: Path | None = None
    places: Path | None = None
    measurements: Path | None = None
    challenges: Path | None = None
    evidence: Path | None = None
    terrain: Path | None = None
    terrain_kind: Literal["ground", "surface"] = "surface"
    clutter: Path | None = None
    clutter_kind: Literal["heights", "classes"] = "heights"
    radio: Path | None = None
    vintage: str = VINTAGE_2025
    service_vintage: str | None = None
    service_is_complete: bool = False
    crs: str | None = None
    cell_m: float = 100.0
    is_synthetic: bool = False
    is_schematic: bool = False

    def __post_init__(self) -> None:
        if not self.sites:
            raise InputFileError("study: sites: found none, expected at least one file")
        if self.lang not in LANGUAGES:
            raise InputFileError(
                f"study: lang: found {self.lang!r}, expected one of {', '.join(LANGUAGES)}"
            )
        if self.paper not in ("A4", "A3"):
            raise InputFileError(f"study: paper: found {self.paper!r}, expected A4 or A3")
        if self.terrain_kind not in ("ground", "surface"):
            raise InputFileError(
                f"study: terrain_kind: found {self.terrain_kind!r}, expected ground or surface"
            )
        if self.clutter_kind not in ("heights", "classes"):
            raise InputFileError(
                f"study: clutter_kind: found {self.clutter_kind!r}, expected heights or classes"
            )
        for name in ("radio", "clutter"):
            if getattr(self, name) is not None and self.terrain is None:
                raise InputFileError(
                    f"study: {name}: without a terrain nothing is modelled; give one"
                )
        if not self.cell_m > 0:
            raise InputFileError(f"study: cell_m: found {self.cell_m}, expected a positive number")
        if isinstance(self.population, str) and self.population != "even":
            raise InputFileError(
                f'study: population: found {self.population!r}, expected a path or "even"'
            )

    @property
    def inputs(self) -> dict[str, Path]:
        """The files that are given, by what they are."""
        named = {name: getattr(self, name) for name in PATHS}
        sites = {f"sites[{i}]": path for i, path in enumerate(self.sites)}
        return {name: path for name, path in {**named, **sites}.items() if isinstance(path, Path)}

    @property
    def parameters(self) -> dict[str, object]:
        """What is not a file."""
        skipped = {*PATHS, "sites", *([] if self.terrain else ["terrain_kind"]),
                   *([] if self.clutter else ["clutter_kind"])}  # fmt: skip
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in skipped}
        return given | ({"population": self.population} if self.population == "even" else {})


def read_study(path: Path) -> Study:
    """Read a study file; its paths are taken from its own folder.

    Of communes it may say "official" or "schematic" in place of a file (`named.find_communes`).

    Raises
    ------
    InputFileError
        If it is not TOML, or has an unknown key, a missing one, or a value of another type.
    """
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputFileError(f"{path}: not a TOML file: {error}") from error
    unknown = sorted(set(text) - {"study", "files", "options"})
    if unknown:
        raise InputFileError(f"{path}: unknown sections {unknown}; known: study, files, options")
    given: dict[str, object] = {}
    for section in ("study", "files", "options"):
        given |= text.get(section, {})
    known = {f.name for f in fields(Study)} - set(LABELS.values()) | set(LABELS)
    unknown = sorted(set(given) - known)
    if unknown:
        raise InputFileError(f"{path}: unknown keys {', '.join(unknown)}")
    missing = [name for name in ("communes", "sites", "as_of") if name not in given]
    if missing:
        raise InputFileError(f"{path}: missing keys {', '.join(missing)}")
    typed = {LABELS.get(name, name): value for name, value in _typed(path, given).items()}
    if given["communes"] in ("official", "schematic"):
        typed["communes"] = find_communes(str(given["communes"]))
    if are_schematic(Path(str(typed["communes"]))):
        typed["is_schematic"] = True
    return Study(**typed)  # type: ignore[arg-type]


def _typed(path: Path, given: dict[str, object]) -> dict[str, object]:
    """Return the values with paths made from the study's folder and lists made tuples."""
    folder = path.parent
    typed: dict[str, object] = {}
    for name, value in given.items():
        expected: type | tuple[type, ...] = str
        if name in ("sites", "sources"):
            expected = (str, list)
        elif name == "as_of":
            expected = date
        elif name == "cell_m":
            expected = (int, float)
        elif name in ("service_is_complete", *LABELS):
            expected = bool
        if not isinstance(value, expected):
            raise InputFileError(f"{path}: {name}: found {value!r} of the wrong type")
        is_path = name in PATHS and (name, value) != ("population", "even")
        typed[name] = folder / str(value) if is_path else value
        if name in ("sites", "sources"):
            items = [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]
            typed[name] = tuple(folder / i if name == "sites" else str(i) for i in items)
    return typed

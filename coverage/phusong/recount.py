"""Old dates counted again: one run's sheets on another run's communes, under its definitions.

What a run has published is taken as it is where the same sheets, communes and definitions are
asked for. Where a run's files are gone its date cannot be counted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from phusong.changes import account_sites, correct_service, correct_sites
from phusong.errors import InputFileError
from phusong.io.dated import DatedRun
from phusong.io.embedded import embedded_path
from phusong.io.registers import Register, read_crosswalk, read_register
from phusong.io.settings import Study
from phusong.io.study_layers import StudyLayers, read_layers
from phusong.radio.tiles import TileSignal
from phusong.study import assess

__all__ = ["Archive", "Counted"]

SHEETS = ("sites", "service", "aliases", "population")
COMMUNES = ("communes", "crosswalk", "crosswalk_weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Tidy rows, and the communes that they are of."""

    indicators: pd.DataFrame
    communes: pd.DataFrame

    @property
    def vintage(self) -> str:
        """The commune map of the rows."""
        return str(self.indicators["vintage"].iloc[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Dated runs, with what was read of them and what was counted again: each only once.

    Attributes
    ----------
    runs : tuple of DatedRun
    layers, counted, tiles : dict
        Filled when first needed; the tiles of what is modelled over terrain.
    """

    runs: tuple[DatedRun, ...]
    layers: dict[int, StudyLayers] = field(default_factory=dict)
    counted: dict[tuple[int | None, ...], Counted] = field(default_factory=dict)
    tiles: dict[str, TileSignal] = field(default_factory=dict)

    def register(self, k: int) -> Register:
        """Return the definitions of a run: its own file, or those that come with phusong.

        Raises
        ------
        InputFileError
            If the run had a file of its own that is gone.
        """
        run = self.runs[k]
        if "register" not in run.made_of:
            return read_register(embedded_path("targets"))
        if run.study is None or run.study.register is None:
            raise InputFileError(
                f"{run.name}: its register of targets is gone: say --register, or --inputs with "
                "the folder that it lies in"
            )
        return read_register(run.study.register)

    def crosswalk(self, k: int) -> pd.DataFrame:
        """Return what leads to a run's communes: its own file, or that which comes with phusong."""
        study = self.runs[k].study
        return read_crosswalk((study and study.crosswalk) or embedded_path("crosswalk"))

    def account(self, k: int) -> pd.DataFrame | None:
        """Return the cells on which the sheets of a run and of the next differ; None if gone."""
        before, after = self.runs[k], self.runs[k + 1]
        if before.study is None or after.study is None:
            return None
        old, new = self._read(k).sites, self._read(k + 1).sites
        return account_sites(old, new, before=before.as_of, after=after.as_of)

    def published(self, k: int) -> Counted:
        """Return what a run says itself."""
        return Counted(indicators=self.runs[k].indicators, communes=self.runs[k].communes)

    def count(
        self, sheets: int, *, corrected_by: int | None, definitions: int, ground: int
    ) -> Counted | None:
        """Return a date counted as asked; None where a file that it needs is gone.

        Parameters
        ----------
        sheets : int
            The run whose sites and service are counted.
        corrected_by : int, optional
            The run whose sheets and people tell what was so on that date.
        definitions, ground : int
            The runs whose register and settings, and whose communes, count.
        """
        if corrected_by is not None and self.has_same_sheets(sheets, corrected_by):
            corrected_by = None
        if self.has_same_definitions(sheets, definitions):
            definitions = sheets
        if self.has_same_communes(sheets, ground):
            ground = sheets
        if sheets == definitions == ground and corrected_by is None:
            return self.published(sheets)
        needed = {sheets, definitions, ground, sheets if corrected_by is None else corrected_by}
        if any(self.runs[k].study is None for k in needed):
            return None
        key = (sheets, corrected_by, definitions, ground)
        if key not in self.counted:
            self.counted[key] = self._count(sheets, corrected_by, definitions, ground)
        return self.counted[key]

    def has_same_sheets(self, a: int, b: int) -> bool:
        """Return whether two runs were made of the same sites, service and people."""
        return self._has_same(a, b, SHEETS)

    def has_same_register(self, a: int, b: int) -> bool:
        """Return whether two runs were made with the same file of targets."""
        return self._has_same(a, b, ("register",))

    def has_same_definitions(self, a: int, b: int) -> bool:
        """Return whether two runs counted in the same way: registers, terrain and settings."""
        is_same = self._has_same(a, b, ("register", "terrain", "clutter", "radio"))
        return is_same and self.runs[a].settings == self.runs[b].settings

    def has_same_communes(self, a: int, b: int) -> bool:
        """Return whether two runs are of the same communes, from the same file."""
        return self._has_same(a, b, COMMUNES) and self.runs[a].vintage == self.runs[b].vintage

    def _has_same(self, a: int, b: int, names: Sequence[str]) -> bool:
        if a == b:
            return True
        files = [
            {name: sha for name, sha in self.runs[k].made_of.items() if name.split("[")[0] in names}
            for k in (a, b)
        ]
        return files[0] == files[1] and bool(self.runs[a].made_of) and bool(self.runs[b].made_of)

    def _count(
        self, sheets: int, corrected_by: int | None, definitions: int, ground: int
    ) -> Counted:
        own, place, as_of = self._read(sheets), self._read(ground), self.runs[sheets].as_of
        sites, service, population = own.sites, own.service, own.population
        if corrected_by is not None:
            told = self._read(corrected_by)
            after = self.runs[corrected_by].as_of
            account = account_sites(sites, told.sites, before=as_of, after=after)
            sites = correct_sites(sites, told.sites, account, before=as_of)
            population = told.population
            if service is not None and told.service is not None:
                service = correct_service(service, told.service, before=as_of)
        study = _study_of(self.runs[definitions])
        assessment = assess(
            place.communes,
            sites=sites,
            as_of=as_of,
            service=service,
            population=population,
            register=self.register(definitions),
            crosswalk=place.crosswalk,
            crosswalk_weights=self._weights(sheets, place),
            service_is_complete=study.service_is_complete,
            cell_m=study.cell_m,
            model=self._read(definitions).model,
        )
        return Counted(indicators=assessment.indicators, communes=self.runs[ground].communes)

    def _weights(self, sheets: int, place: StudyLayers) -> pd.DataFrame:
        """Return the weights of `place`, or the people of the parts that went whole into it."""
        if place.weights is not None:
            return place.weights
        rows = self.runs[sheets].indicators
        rows = rows[(rows["indicator"] == "share_population") & (rows["operator"] == "any")]
        people = rows.drop_duplicates("commune_code").set_index("commune_code")["denominator"]
        whole = place.crosswalk[place.crosswalk["part"] == "whole"]
        weights = whole[["commune_code_old", "commune_code"]]
        return weights.assign(weight=whole["commune_code_old"].map(people)).dropna()

    def _read(self, k: int) -> StudyLayers:
        if k not in self.layers:
            layers = read_layers(_study_of(self.runs[k]))
            if layers.model is not None:  # most tiles are those of the run that was modelled before
                layers = replace(layers, model=replace(layers.model, known=self.tiles))
            self.layers[k] = layers
        return self.layers[k]


def _study_of(run: DatedRun) -> Study:
    if run.study is None:
        raise InputFileError(run.why_lost)
    return run.study

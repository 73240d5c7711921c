"""What if: the same study with other sites, of which only what they touch is measured again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr

from phusong.census import placing_of, spread_people
from phusong.errors import Problem, SchemaError
from phusong.evidence import apply_audit
from phusong.gaps import find_gaps, nearest_sites
from phusong.grid import Grid, grid_over
from phusong.indicators import COLUMNS, SERVICES, ProvinceCoverage, measure_coverage
from phusong.io.registers import Register
from phusong.joins import locate_sites
from phusong.prepare import prepare_sites, select_on_air, unite_operators
from phusong.province import Part, Question, measure_part, sites_in_reach
from phusong.publish.assessment import About, Assessment, Conclusion
from phusong.ranges import fill_radii
from phusong.rollup import COMMUNE_SHARES, roll_up, widen
from phusong.targets import evaluate_targets
from phusong.terrain_coverage import TerrainModel, model_parts
from phusong.union.people import find_land
from phusong.zonal import ZonalWeights, overlap_zones

__all__ = ["Ground", "ask"]

KEPT_SERVICES = ("4g", "5g")


def ask(on_air: gpd.GeoDataFrame, as_of: date) -> Question:
    """Return the services and operators to measure: 5G NSA and SA only where some site says so."""
    technologies = set(on_air["technology"].unique())
    services = {
        name: group
        for name, group in SERVICES.items()
        if name not in ("5g_nsa", "5g_sa") or technologies & set(group)
    }
    operators = sorted(on_air["operator"].unique())
    return Question(services=services, operators=operators, as_of=as_of, keep=KEPT_SERVICES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All that a study knows but its sites.

    Attributes
    ----------
    zones : GeoDataFrame, EPSG:4326
        The communes with their people.
    parts : sequence of Part
    tiers : DataFrame, optional
        Tidy rows of the broadband tiers and of low cost.
    register : Register
    radii : DataFrame
    as_of : date
    about : About
    notes : tuple of str
        What is to be said of the ground.
    audit : DataFrame, optional
        As `evidence.audit_claims` returns; the lower bounds of declared shares follow it.
    model : TerrainModel, optional
        Makes a signal of the sites; without it their footprints cover.
    spreads : dict
        The people of parts that were measured again, on their grids: filled when first needed.
    """

    zones: gpd.GeoDataFrame
    parts: Sequence[Part]
    tiers: pd.DataFrame | None
    register: Register
    radii: pd.DataFrame
    as_of: date
    about: About
    notes: tuple[str, ...]
    audit: pd.DataFrame | None = None
    model: TerrainModel | None = None
    spreads: dict[int, xr.DataArray | None] = field(default_factory=dict)

    def assess(
        self,
        masts: gpd.GeoDataFrame,
        measured: Sequence[ProvinceCoverage],
        operator_notes: Sequence[str] = (),
    ) -> Assessment:
        """Return what the measured parts come to."""
        # over terrain no radius covers, so that none is spoken of
        told = masts if self.model is None else masts.assign(is_default_radius=False)
        on_air, notes = select_on_air(told, self.as_of)
        indicators = pd.concat(
            [*(m.indicators for m in measured), *([] if self.tiers is None else [self.tiers])],
            ignore_index=True,
        )
        if self.audit is not None:
            indicators = apply_audit(indicators, self.audit)
        return Assessment(
            indicators=indicators[list(COLUMNS)],
            sites=masts,
            about=replace(
                self.about, notes=(*self.about.notes, *operator_notes, *notes, *self.notes)
            ),
            conclude=partial(self._conclude, indicators, on_air, measured),
            scenario=_Scenario(ground=self, masts=masts, on_air=on_air, measured=tuple(measured)),
        )

    def _conclude(
        self,
        indicators: pd.DataFrame,
        on_air: gpd.GeoDataFrame,
        measured: Sequence[ProvinceCoverage],
    ) -> Conclusion:
        """Hold the shares against the targets, and draw up the tables."""
        asked = (r.commune_share for t in self.register.targets for r in t.readings)
        shares = sorted({*COMMUNE_SHARES, *(share for share in asked if share is not None)})
        provinces = roll_up(indicators, self.zones, commune_shares=shares)
        wide = widen(indicators, self.zones)
        return Conclusion(
            communes=wide,
            provinces=provinces,
            targets=evaluate_targets(
                self.register.targets, indicators, provinces, as_of=self.as_of
            ),
            gaps=find_gaps(wide, indicators, self._nearest(on_air)),
            coverage=tuple(m.cell_shares for m in measured),
        )

    def remeasure(
        self,
        position: int,
        before: ProvinceCoverage,
        changed: gpd.GeoDataFrame,
        on_air: gpd.GeoDataFrame,
        question: Question,
    ) -> ProvinceCoverage:
        """Measure the communes of one part again that the changed cells touch."""
        part = self.parts[position]
        near = sites_in_reach(changed, part.grid.bounds, part.grid.crs)
        boxes = shapely.bounds(near.geometry.to_numpy())
        reach = np.nan_to_num(near["radius_high_m"].to_numpy(float))[:, None]
        boxes = shapely.box(*(boxes + reach * [-1, -1, 1, 1]).T)
        _, touched = shapely.STRtree(part.communes.geometry.to_numpy()).query(boxes).reshape(2, -1)
        if not len(touched):
            return before
        touched = np.unique(touched)
        communes = part.communes.iloc[touched]
        technologies = set(near["technology"].unique())
        services = {n: g for n, g in question.services.items() if technologies & set(g)}
        window = grid_over(communes, crs=part.grid.crs, cell_m=part.grid.cell_m)
        place, weights = _find_place(window, part.grid), overlap_zones(communes, window)
        spread = self._spread(position)
        after = measure_coverage(
            communes,
            sites_in_reach(on_air, tuple(communes.total_bounds), part.grid.crs),
            weights,
            services=services,
            operators=question.operators,
            as_of=question.as_of,
            persons=None if spread is None else spread[place].copy(),
            placing=placing_of(part.population),
            keep=[name for name in question.keep if name in services],
        )
        shape = (2, len(part.communes), len(question.services), -1)
        asked = np.flatnonzero([name in services for name in question.services])
        return ProvinceCoverage(
            indicators=_replace_rows(
                before.indicators, after.indicators, shape, np.ix_(np.arange(2), touched, asked),
                is_model=placing_of(part.population) in ("areas", "even"),
            ),
            lay_cells=partial(_replace_cells, before, after, weights, place),
            persons=before.persons,
        )  # fmt: skip

    def _spread(self, position: int) -> xr.DataArray | None:
        if position not in self.spreads:
            part = self.parts[position]
            self.spreads[position] = spread_people(part.population, part.grid)
        return self.spreads[position]

    def _nearest(self, on_air: gpd.GeoDataFrame) -> pd.DataFrame:
        """Return the nearest site of each commune, in the plane of its province."""
        found = []
        for crs in sorted({part.grid.crs for part in self.parts}):
            communes = pd.concat([part.communes for part in self.parts if part.grid.crs == crs])
            found.append(nearest_sites(communes, on_air, technologies=SERVICES["5g"], crs=crs))
        return pd.concat(found, ignore_index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scenario:
    """A study's ground with one set of sites, and what its parts came to."""

    ground: Ground
    masts: gpd.GeoDataFrame
    on_air: gpd.GeoDataFrame
    measured: tuple[ProvinceCoverage, ...]

    def with_sites(self, added: gpd.GeoDataFrame | None, removed: Sequence[str]) -> Assessment:
        masts, ground = self.masts, self.ground
        is_gone = masts["site_id"].isin(removed)
        unknown = sorted(set(removed) - set(masts.loc[is_gone, "site_id"]))
        if unknown:
            raise SchemaError(
                "removed",
                [Problem(row=None, field="site_id", found=u, expected="a site of the assessment")
                 for u in unknown],
            )  # fmt: skip
        new, notes = self._prepare(added, masts[~is_gone])
        together = pd.concat([masts[~is_gone], new], ignore_index=True)
        was_on_air = self.on_air["site_id"].isin(removed)
        new_on_air, _ = select_on_air(new, ground.as_of)
        on_air = pd.concat([self.on_air[~was_on_air], new_on_air], ignore_index=True)
        changed = pd.concat([self.on_air[was_on_air], new_on_air], ignore_index=True)
        question = ask(on_air, ground.as_of)
        if ground.model is not None:
            modelled = model_parts(ground.parts, on_air, question, ground.model)
            notes += [note for part in modelled for note in part.notes]
            return ground.assess(together, [part.coverage for part in modelled], notes)
        if question != ask(self.on_air, ground.as_of):
            measured = [measure_part(part, on_air, question)[0] for part in ground.parts]
        else:
            measured = [
                ground.remeasure(i, part, changed, on_air, question)
                for i, part in enumerate(self.measured)
            ]
        return ground.assess(together, measured, notes)

    def with_audit(self, audit: pd.DataFrame, about: About) -> Assessment:
        audited = replace(self.ground, audit=audit).assess(self.masts, self.measured)
        return replace(audited, about=about)

    def _prepare(
        self, added: gpd.GeoDataFrame | None, masts: gpd.GeoDataFrame
    ) -> tuple[gpd.GeoDataFrame, list[str]]:
        """Return the new cells as the study counts them; names of operators as it spells them."""
        if added is None or not len(added):
            return masts.iloc[:0], []
        cells = prepare_sites(added)
        key = ["site_id", "sector_id"]
        alike = masts.loc[masts["site_id"].isin(cells["site_id"]), key]
        is_twice = pd.MultiIndex.from_frame(cells[key]).isin(pd.MultiIndex.from_frame(alike))
        if is_twice.any():
            raise SchemaError(
                "added",
                [Problem(row=int(i) + 1, field="site_id", found=cells["site_id"].iloc[i],
                         expected="a cell that is not there yet; remove its site first")
                 for i in np.flatnonzero(is_twice)],
            )  # fmt: skip
        cells, notes = unite_operators(cells)
        known = {name.casefold(): name for name in self.masts["operator"].unique()}
        cells["operator"] = [known.get(name.casefold(), name) for name in cells["operator"]]
        return locate_sites(fill_radii(cells, self.ground.radii), self.ground.zones), notes


def _replace_rows(
    before: pd.DataFrame,
    after: pd.DataFrame,
    shape: tuple[int, ...],
    place: tuple[np.ndarray, ...],
    *,
    is_model: bool,
) -> pd.DataFrame:
    """Return the tidy rows, which are an array of `shape`, with those at `place` replaced."""
    columns = {}
    for name in ("share", "share_low", "share_high"):
        values = before[name].to_numpy(copy=True).reshape(shape)
        values[place] = after[name].to_numpy().reshape(values[place].shape)
        columns[name] = values
    # a service of an operator is modelled if any commune of the part has it from a default radius
    by_radius = np.broadcast_to(
        ~np.isnan(columns["share_low"][:1]).all(axis=1, keepdims=True), columns["share"].shape
    ).copy()
    by_radius[1] |= is_model
    evidence = np.where(by_radius, "modelled", "declared").reshape(-1)
    flat = {name: values.reshape(-1) for name, values in columns.items()}
    return before.assign(**flat, evidence=evidence)


def _find_place(window: Grid, grid: Grid) -> tuple[slice, slice]:
    """Return the rows and columns of a grid that a window on the same cells holds."""
    row = round((grid.y_max - window.y_max) / grid.cell_m)
    column = round((window.x_min - grid.x_min) / grid.cell_m)
    return slice(row, row + window.shape[0]), slice(column, column + window.shape[1])


def _replace_cells(
    before: ProvinceCoverage,
    after: ProvinceCoverage,
    weights: ZonalWeights,
    place: tuple[slice, slice],
) -> xr.DataArray:
    """Return the shares of cells with those of some zones replaced, for the services at hand."""
    is_met = find_land(weights)
    replaced, again = before.cell_shares.copy(), after.cell_shares
    for service in again["service"].to_numpy():
        cells = replaced.loc[{"service": service}].to_numpy()[place]
        cells[is_met] = again.loc[{"service": service}].to_numpy()[is_met]
    return replaced

"""What a plan chooses from: people without coverage, candidates with their prices, and links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.census import spread_people
from phusong.errors import InputFileError
from phusong.indicators import SERVICES
from phusong.prepare import select_on_air
from phusong.province import Part
from phusong.publish.assessment import Assessment
from phusong.ranges import fill_radii
from phusong.scenario import Ground
from phusong.schema import conform
from phusong.siting.candidates import from_masts, from_people, from_points, gather
from phusong.siting.costs import price
from phusong.siting.demand import Problem, conflicts_within, make_problem
from phusong.siting.reach import Demand, join_links, lay_demand, link_discs
from phusong.siting.signal_reach import Served, find_served
from phusong.zonal import overlap_zones, sum_by_zone

__all__ = [
    "WIDEST",
    "Choice",
    "Field",
    "as_cells",
    "ground_of",
    "lay_out",
    "link_candidates",
    "make_choices",
]

LON_LAT = "EPSG:4326"
WIDEST = 1.5  # of a radius drawn, in radii


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is asked, and what may be built.

    Exactly one of `sites`, `budget_vnd`, `fair_vnd` and `target` is given; phases alone are a
    budget.

    Attributes
    ----------
    costs : DataFrame
        As `siting.costs.check_costs` returns.
    sites : int, optional
        The most people for so many sites.
    budget_vnd : float, optional
        The most people for so much, over `years`.
    fair_vnd : float, optional
        The commune that is worst off first, for so much over `years`.
    target : str, optional
        The least cost to reach a target of the register, by its id.
    service : str
        Such as "5g".
    operator : str, optional
        Who builds; without it each operator on its own masts.
    points, forbidden : GeoDataFrame, optional
        Places to look at; polygons where no mast may be put up.
    min_distance_m : float
        Between two sites of the plan.
    frequency_mhz : float
        Of the new cells; the table of default radii says how far they reach.
    spacing_m, least_persons : float
        One new mast is looked at in each square of so many metres with so many uncovered people.
    years : float
        Of yearly costs that count.
    phases : tuple of (str, float)
        Name and budget of each, in VND.
    range_spread : float
        Standard deviation of the logarithm of a radius, for the draws.
    draws : int
    """

    costs: pd.DataFrame
    sites: int | None = None
    budget_vnd: float | None = None
    fair_vnd: float | None = None
    target: str | None = None
    service: str = "5g"
    operator: str | None = None
    points: gpd.GeoDataFrame | None = None
    forbidden: gpd.GeoDataFrame | None = None
    min_distance_m: float = 0.0
    frequency_mhz: float = 2600.0
    spacing_m: float = 1500.0
    least_persons: float = 100.0
    years: float = 5.0
    phases: tuple[tuple[str, float], ...] = ()
    range_spread: float = 0.15
    draws: int = 200

    def __post_init__(self) -> None:
        asked = [
            n for n in ("sites", "budget_vnd", "fair_vnd", "target") if getattr(self, n) is not None
        ]
        if len(asked) > 1 or not (asked or self.phases):
            raise InputFileError(
                f"plan: found {' and '.join(asked) or 'no question'}, expected one of a number of "
                "sites, a budget (also a fair one), a target, or budgets by phase"
            )
        names = [name for name, _ in self.phases]
        if len(set(names)) < len(names):
            raise InputFileError(f"plan: phases: found {', '.join(names)}, expected each name once")
        if self.service not in SERVICES:
            raise InputFileError(f"plan: service {self.service!r}; known: {', '.join(SERVICES)}")
        for name in ("sites", "budget_vnd", "fair_vnd", "frequency_mhz", "spacing_m"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputFileError(f"plan: {name}: found {value}, expected a number above 0")


@dataclass(frozen=True, kw_only=True)
class Field:
    """Demand of all parts and the candidates, priced, with their links.

    `served` has an entry for each demand where signals over terrain say what candidates reach.
    """

    ground: Ground
    demands: tuple[Demand, ...]
    candidates: gpd.GeoDataFrame
    links: tuple[np.ndarray, np.ndarray] = field(repr=False)
    served: tuple[Served, ...] = field(default=(), repr=False)

    @property
    def persons(self) -> np.ndarray:
        return np.concatenate([demand.persons for demand in self.demands])

    @property
    def km2(self) -> np.ndarray:
        return np.concatenate([demand.km2 for demand in self.demands])

    @property
    def zone(self) -> np.ndarray:
        return np.concatenate([demand.zone for demand in self.demands])


def ground_of(assessment: Assessment) -> Ground:
    ground = getattr(assessment.scenario, "ground", None)
    if not isinstance(ground, Ground):
        raise ValueError("only an assessment that `assess` returned knows what it was made of")
    return ground


def lay_out(assessment: Assessment, ground: Ground, choice: Choice) -> Field:
    known = sorted(set(assessment.sites["operator"]))
    if choice.operator is not None and choice.operator not in known:
        raise InputFileError(
            f"plan: operator: found {choice.operator!r}, expected one of {', '.join(known)}"
        )
    demands = tuple(
        _demand(part, ground, np.asarray(shares.sel(service=choice.service)))
        for part, shares in zip(ground.parts, assessment.coverage, strict=True)
    )
    on_air, _ = select_on_air(assessment.sites, ground.as_of)
    crs = ground.parts[0].grid.crs
    on_air = on_air.to_crs(crs)
    builder = choice.operator or str(on_air["operator"].mode().iloc[0])
    found = [from_masts(on_air, technologies=SERVICES[choice.service], operator=choice.operator)]
    if choice.points is not None:
        found.append(from_points(choice.points.to_crs(crs), operator=builder))
    for k, demand in enumerate(demands):
        new = from_people(
            demand, spacing_m=choice.spacing_m, least_persons=choice.least_persons,
            operator=builder, prefix=f"N{k + 1}-" if len(demands) > 1 else "N",
        )  # fmt: skip
        found.append(new.to_crs(crs))
    candidates = gather(found, on_air, forbidden=choice.forbidden)
    candidates = _with_radius(candidates, ground, choice)
    served = _serve(candidates, demands, ground, choice)
    start, row = link_candidates(candidates, demands, 1.0, served)
    everyone = np.concatenate([demand.persons for demand in demands])
    reached = _gains_alone(start, row, everyone)
    is_kept = reached > 0
    if not is_kept.any():
        raise InputFileError("plan: no candidate covers anyone: nothing to build")
    kept = np.repeat(is_kept, np.diff(start))
    served = tuple(one.take(is_kept) for one in served)
    priced = price(candidates[is_kept].reset_index(drop=True), choice.costs, years=choice.years)
    return Field(
        ground=ground,
        demands=demands,
        candidates=priced,
        links=(np.append(0, np.cumsum(np.diff(start)[is_kept])), row[kept]),
        served=served,
    )


def _serve(
    candidates: gpd.GeoDataFrame, demands: Sequence[Demand], ground: Ground, choice: Choice
) -> tuple[Served, ...]:
    """Return what signals over terrain reach, as far as the draws look; () without a terrain."""
    if ground.model is None:
        return ()
    cells = conform(as_cells(candidates, choice), "sites")
    widest = WIDEST if choice.draws else 1.0
    radius_m = candidates["radius_m"].to_numpy(float) * widest
    return tuple(
        find_served(cells.to_crs(demand.grid.crs), radius_m, demand.grid, ground.model.land,
                    ground.model.rules)
        for demand in demands
    )  # fmt: skip


def _demand(part: Part, ground: Ground, covered: np.ndarray) -> Demand:
    """Return who lacks coverage in a part, by the communes' own numbers of people."""
    weights = overlap_zones(part.communes, part.grid)
    codes = ground.zones["commune_code"]
    at = pd.Index(codes).get_indexer(part.communes["commune_code"])
    people = ground.zones["population"].to_numpy("float64", na_value=np.nan)[at]
    persons = spread_people(part.population, part.grid)
    if persons is None:
        if part.population != "even":
            raise InputFileError(
                "plan: the run does not know where people live; assess with --population"
            )
        cells = weights.cells
        demand = lay_demand(weights, np.nan_to_num(people) / np.where(cells > 0, cells, 1), covered)
    else:
        held = sum_by_zone(weights, persons)
        factor = np.where(held > 0, people / np.where(held > 0, held, 1), 0.0)
        demand = lay_demand(weights, np.asarray(persons), covered)
        demand = _scaled(demand, np.where(np.isnan(factor), 1.0, factor))
    return Demand(grid=demand.grid, cell=demand.cell, zone=at[demand.zone].astype(np.int32),
                  persons=demand.persons, km2=demand.km2)  # fmt: skip


def _scaled(demand: Demand, factor: np.ndarray) -> Demand:
    persons = demand.persons * factor[demand.zone]
    return Demand(grid=demand.grid, cell=demand.cell, zone=demand.zone, persons=persons,
                  km2=demand.km2)  # fmt: skip


def as_cells(candidates: gpd.GeoDataFrame, choice: Choice) -> gpd.GeoDataFrame:
    """Return candidates as cells on air, as the schema of sites has them."""
    return gpd.GeoDataFrame(
        {
            "site_id": candidates["site_id"].astype("str"),
            "sector_id": "1",
            "operator": candidates["operator"].astype("str"),
            "technology": SERVICES[choice.service][0],
            "frequency_mhz": choice.frequency_mhz,
            "radius_m": np.nan,
            "status": "on_air",
        },
        geometry=candidates.geometry,
        crs=candidates.crs,
    ).to_crs(LON_LAT)


def _with_radius(candidates: gpd.GeoDataFrame, ground: Ground, choice: Choice) -> gpd.GeoDataFrame:
    filled = fill_radii(as_cells(candidates, choice), ground.radii)
    return candidates.assign(radius_m=filled["radius_m"].to_numpy())


def link_candidates(
    candidates: gpd.GeoDataFrame,
    demands: Sequence[Demand],
    reach: float,
    served: Sequence[Served] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Return the links to the cells within so many radii that signals, where known, reach."""
    found = []
    for k, demand in enumerate(demands):
        xy = shapely.get_coordinates(candidates.geometry.to_crs(demand.grid.crs).to_numpy())
        links = link_discs(demand, xy, candidates["radius_m"].to_numpy() * reach)
        found.append(served[k].keep(demand, *links) if served else links)
    return join_links(found, [len(demand.cell) for demand in demands])


def _gains_alone(start: np.ndarray, row: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """Return the people whom each site would cover if it alone were built."""
    return np.diff(np.append(0.0, np.cumsum(persons[row]))[start])


def make_choices(laid: Field, choice: Choice) -> Problem:
    candidates = laid.candidates
    xy = shapely.get_coordinates(candidates.geometry.to_numpy())
    conflicts = conflicts_within(xy, choice.min_distance_m, place=candidates["tower"].to_numpy())
    cost = candidates["cost_vnd"].to_numpy(float)
    return make_problem(
        laid.persons, *laid.links, zone=laid.zone, n_zones=len(laid.ground.zones), xy=xy,
        cost=np.ones(len(cost)) if choice.sites is not None else cost, conflicts=conflicts,
    )  # fmt: skip

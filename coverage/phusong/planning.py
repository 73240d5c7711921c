"""Where to build next: an assessment and a question in, a list of sites with its proof out."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.errors import InputFileError
from phusong.indicators import SERVICES
from phusong.plan_field import (
    WIDEST,
    Choice,
    Field,
    as_cells,
    ground_of,
    lay_out,
    link_candidates,
    make_choices,
)
from phusong.publish.assessment import Assessment
from phusong.scenario import Ground
from phusong.siting.demand import Problem
from phusong.siting.fairness import fairest
from phusong.siting.greedy import gains_of
from phusong.siting.phases import share_out
from phusong.siting.questions import Answer, cap_needs, least_cost, most_people
from phusong.siting.reach import coarsen
from phusong.siting.robustness import rank_under_doubt
from phusong.targets import Target

__all__ = ["Plan", "make_plan"]

LON_LAT = "EPSG:4326"
# The sites of a target reach a little further than it asks, for what cells cannot tell.
MARGIN = 0.002
COARSE = 5  # cells a side, for the many draws
TOP = 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A list of sites to build, and what it comes to.

    Attributes
    ----------
    question : str
        "sites", "budget", "fair" or "target".
    objective : float
        People; for "target" VND; for "fair" the least share of a commune that can be lifted.
    answer : Answer
        Bound and gap are those of the objective.
    sites : GeoDataFrame, EPSG:4326
        In the order of building.
    communes : GeoDataFrame, EPSG:4326
        What each gains, and who is left and why.
    before, after : Assessment
        `after` measures the sites of the plan as `with_sites` does.
    n_candidates : int
    people_lacking : float
        Without the service before the plan.
    people_measured : float
        Whom the plan covers by the whole assessments, exact in every cell.
    notes : tuple of str
    """

    question: str
    objective: float
    answer: Answer
    sites: gpd.GeoDataFrame
    communes: gpd.GeoDataFrame
    before: Assessment
    after: Assessment
    n_candidates: int
    people_lacking: float
    people_measured: float
    service: str
    notes: tuple[str, ...]


def make_plan(assessment: Assessment, choice: Choice) -> Plan:
    """Return where to build, in which order, for how much, and how good that provably is.

    Parameters
    ----------
    assessment : Assessment
        As `assess` returns it, with people placed in the communes.
    choice : Choice

    Raises
    ------
    InputFileError
        If there is nothing to plan with: no people placed, no candidate, no such target.
    ValueError
        If the assessment was put together by hand.
    """
    ground = ground_of(assessment)
    laid = lay_out(assessment, ground, choice)
    problem = make_choices(laid, choice)
    question, objective, answer, notes = _answer(laid, problem, choice)
    if not len(answer.order):
        raise InputFileError("plan: no candidate covers anyone: nothing to build")
    sites = _list_sites(laid, answer, choice)
    if choice.draws:
        ranked = _rank(laid, choice, answer).set_axis(laid.candidates["site_id"])
        sites = sites.join(ranked, on="site_id")
        best = sites["share_top"].rank(ascending=False, method="first") <= TOP
        sites["robust_top"] = best & (sites["share_top"] > 0)
    if laid.served:
        notes = (*notes, "a candidate covers the cells within its radius that its signal reaches "
                 "over terrain, alone and as a usual site of its band")  # fmt: skip
    after = assessment.with_sites(added=as_cells(laid.candidates.iloc[answer.order], choice))
    measured = _people_under(after, choice.service) - _people_under(assessment, choice.service)
    return Plan(
        question=question,
        objective=objective,
        answer=answer,
        sites=sites,
        communes=_list_communes(assessment, after, laid, choice),
        before=assessment,
        after=after,
        n_candidates=len(laid.candidates),
        people_lacking=float(laid.persons.sum()),
        people_measured=float(measured.sum()),
        service=choice.service,
        notes=notes,
    )


def _answer(
    laid: Field, problem: Problem, choice: Choice
) -> tuple[str, float, Answer, tuple[str, ...]]:
    if choice.sites is not None:
        answer = most_people(problem, budget=choice.sites)
        return "sites", answer.people, answer, ()
    if choice.fair_vnd is not None:
        return ("fair", *_fairest(laid, problem, choice.fair_vnd), ())
    if choice.target is None:
        budget = choice.budget_vnd or sum(amount for _, amount in choice.phases)
        answer = most_people(problem, budget=budget)
        return "budget", answer.people, answer, ()
    need = _needs(laid, _target(laid.ground, choice.target), choice)
    capped, is_lowered = cap_needs(problem, need)
    short = laid.ground.zones["commune_name"].fillna("").to_numpy()[is_lowered[:-1]]
    notes = []
    if len(short):
        notes.append(f"{len(short)} communes cannot reach the target with these candidates: "
                     f"{', '.join(short[:TOP])}")  # fmt: skip
    if is_lowered[-1]:
        notes.append(f"all candidates together cover {capped[-1]:,.0f} of the {need[-1]:,.0f} "
                     "people that the target asks for")  # fmt: skip
    answer = least_cost(problem, need=capped)
    return "target", answer.cost, answer, tuple(notes)


def _fairest(laid: Field, problem: Problem, budget: float) -> tuple[float, Answer]:
    """Return the worst commune's share, and the sites that bring it there."""
    people = laid.ground.zones["population"].to_numpy("float64", na_value=0.0)
    fair = fairest(problem, people=people, budget=budget)
    return fair.worst, Answer(
        order=fair.order,
        gains=fair.gains,
        people=float(fair.gains.sum()),
        cost=float(problem.cost[fair.order].sum()),
        bound=fair.bound,
        gap=1 - fair.worst / fair.bound if fair.bound > 0 else 0.0,
    )


def _target(ground: Ground, name: str) -> Target:
    known = {target.target_id: target for target in ground.register.targets}
    if name not in known:
        raise InputFileError(f"plan: target {name!r}; known: {', '.join(known)}")
    return known[name]


def _needs(laid: Field, target: Target, choice: Choice) -> np.ndarray:
    """Return the people of each commune, and of all, whom a target wants covered in addition."""
    people = laid.ground.zones["population"].to_numpy("float64", na_value=0.0)
    lacking = np.bincount(laid.zone, laid.persons, len(people))
    need = np.zeros(len(people) + 1)
    for reading in target.readings:
        if reading.threshold is None:
            continue
        if (reading.indicator, reading.service) != ("share_population", choice.service):
            raise InputFileError(
                f"plan: target {target.target_id!r} asks for {reading.indicator} of "
                f"{reading.service}; sites are planned for shares of people under {choice.service}"
            )
        if reading.share_of == "people":
            floor = min(reading.threshold + MARGIN, 1.0)
            need[-1] = max(need[-1], lacking.sum() - (1 - floor) * people.sum())
        elif reading.threshold == 1.0 and reading.commune_share is not None:
            floor = min(reading.commune_share + MARGIN, 1.0)
            need[:-1] = np.maximum(need[:-1], lacking - (1 - floor) * people)
        else:
            raise InputFileError(
                f"plan: target {target.target_id!r}: {reading.label_en}: only a share of all "
                "people, or one of every commune, can be planned for"
            )
    return need


def _list_sites(laid: Field, answer: Answer, choice: Choice) -> gpd.GeoDataFrame:
    order, phase = _in_phases(laid.candidates["cost_vnd"].to_numpy(float), answer.order, choice)
    chosen = laid.candidates.iloc[order].reset_index(drop=True)
    people, mostly = gains_of(laid.persons, *laid.links, order, laid.zone)
    km2, _ = gains_of(laid.km2, *laid.links, order, laid.zone)
    zones = laid.ground.zones.iloc[mostly]
    cost = chosen["cost_vnd"].to_numpy(float)
    return gpd.GeoDataFrame(
        {
            "rank": np.arange(1, len(order) + 1),
            "site_id": chosen["site_id"],
            "kind": chosen["kind"],
            "operator": chosen["operator"],
            "technology": SERVICES[choice.service][0],
            "frequency_mhz": choice.frequency_mhz,
            "radius_m": chosen["radius_m"],
            "commune_code": zones["commune_code"].to_numpy(),
            "commune_name": zones["commune_name"].to_numpy(),
            "people_gained": people,
            "km2_gained": km2,
            "build_vnd": chosen["build_vnd"],
            "yearly_vnd": chosen["yearly_vnd"],
            "cost_vnd": cost,
            "cost_per_person_vnd": cost / people,
            "people_so_far": np.cumsum(people),
            "cost_so_far_vnd": np.cumsum(cost),
            "backhaul_km": chosen["backhaul_km"],
            "has_power": chosen["has_power"],
            "phase": phase,
        },
        geometry=chosen.geometry.to_crs(LON_LAT),
        crs=LON_LAT,
    )


def _in_phases(cost: np.ndarray, order: np.ndarray, choice: Choice) -> tuple[np.ndarray, list[str]]:
    """Return the sites phase by phase, each in the order of the plan, and the phase's name."""
    if not choice.phases:
        return order, [""] * len(order)
    which = share_out(cost[order], [amount for _, amount in choice.phases])
    names = [*(name for name, _ in choice.phases), "later"]  # -1 is the last
    sooner = np.argsort(np.where(which < 0, len(names), which), kind="stable")
    return order[sooner], [names[p] for p in which[sooner]]


def _rank(laid: Field, choice: Choice, answer: Answer) -> pd.DataFrame:
    """Return ranks under doubt, on coarser cells: the draws are many."""
    demands = [coarsen(demand, COARSE) for demand in laid.demands]
    start, row = link_candidates(laid.candidates, demands, WIDEST, laid.served)
    site = np.repeat(np.arange(len(start) - 1), np.diff(start))
    xy = shapely.get_coordinates(laid.candidates.geometry.to_numpy())
    crs = laid.candidates.crs
    place = np.concatenate([
        shapely.get_coordinates(gpd.GeoSeries.from_xy(*d.xy.T, crs=d.grid.crs).to_crs(crs))
        for d in demands
    ])  # fmt: skip
    radius = laid.candidates["radius_m"].to_numpy()
    cost = laid.candidates["cost_vnd"].to_numpy(float)
    spread, budget = laid.candidates["spread"].to_numpy(float), float(cost[answer.order].sum())
    if choice.sites is not None:  # so many sites, whatever they cost
        cost, spread, budget = np.ones(len(cost)), np.zeros(len(cost)), float(choice.sites)
    return rank_under_doubt(
        np.concatenate([demand.persons for demand in demands]), start, row,
        np.hypot(*(place[row] - xy[site]).T) / radius[site],
        cost=cost,
        cost_spread=spread,
        range_spread=choice.range_spread,
        budget=budget,
        top=TOP,
        draws=choice.draws,
    )  # fmt: skip


def _people_under(assessment: Assessment, service: str) -> pd.Series:
    """Return the people of each commune under a service, by the assessment."""
    communes = assessment.communes.set_index("commune_code")
    share = communes[f"share_population_{service}"].astype(float)
    return (share * communes["population"].astype(float)).fillna(0.0)


def _list_communes(
    before: Assessment, after: Assessment, laid: Field, choice: Choice
) -> gpd.GeoDataFrame:
    """Return what each commune gains, and why some people are still without."""
    zones = before.communes[["commune_code", "commune_name", "population", "geometry"]]
    share = f"share_population_{choice.service}"
    code = laid.ground.zones["commune_code"]
    is_held = np.zeros(len(laid.persons), bool)
    is_held[laid.links[1]] = True
    beyond = np.bincount(laid.zone[~is_held], laid.persons[~is_held], len(code))
    population = zones["population"].astype(float)
    left = population * (1 - after.communes[share].astype(float))
    out_of_reach = np.minimum(zones["commune_code"].map(pd.Series(beyond, code.to_numpy())), left)
    return zones.assign(
        share_before=before.communes[share],
        share_after=after.communes[share],
        people_gained=population * (after.communes[share] - before.communes[share]),
        people_left=left,
        people_out_of_reach=out_of_reach,
        why_left=np.select(
            [~(left >= 0.5), out_of_reach >= left / 2], ["", "no_candidate_near"], "not_worth_it"
        ),
    )

"""A run in, a folder with its plan out: workbook, layer, curve, map, and `plan.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import pandas as pd
import shapely

from phusong.errors import InputFileError, Problem, SchemaError
from phusong.io.dated import read_run
from phusong.io.located import read_points
from phusong.io.manifest import fingerprint_inputs, write_run
from phusong.io.report import ReadReport, count_rows, problems_frame
from phusong.io.sheets import Sheet, write_sheets_xlsx
from phusong.io.staging import staged_folder
from phusong.io.vectors import open_vector
from phusong.io.write import write_csv, write_gpkg, write_json, write_text
from phusong.plan_field import Choice
from phusong.planning import Plan, make_plan
from phusong.publish.assessment import Assessment
from phusong.publish.figures import save_figure
from phusong.publish.mapdata import map_data
from phusong.publish.plan_figures import draw_curve, draw_plan_map
from phusong.publish.summary import format_count, format_rows
from phusong.publish.texts import decimal_text
from phusong.publish.webmap import render_page
from phusong.runs import run_study
from phusong.sentences import tell
from phusong.siting.costs import check_costs
from phusong.words import LANGUAGES, read_words

__all__ = ["Planned", "plan_run", "read_costs"]

POLYGONS = ("Polygon", "MultiPolygon")
COUNT, SHARE, KM, DEGREES = "#,##0", "0.0%", "0.00", "0.00000"
SITE_COLUMNS = (
    ("rank", COUNT, 8), ("phase", "", 11), ("site_id", "", 18), ("kind", "", 20),
    ("operator", "", 14), ("technology", "", 11), ("commune_code", "", 10),
    ("commune_name", "", 22), ("people_gained", COUNT, 12), ("km2_gained", KM, 11),
    ("cost_vnd", COUNT, 17), ("cost_per_person_vnd", COUNT, 14), ("people_so_far", COUNT, 13),
    ("cost_so_far_vnd", COUNT, 19), ("build_vnd", COUNT, 16), ("yearly_vnd", COUNT, 15),
    ("backhaul_km", KM, 12), ("has_power", "", 9), ("radius_m", COUNT, 10), ("lon", DEGREES, 11),
    ("lat", DEGREES, 11), ("share_chosen", SHARE, 12), ("share_top", SHARE, 12),
    ("rank_median", COUNT, 10), ("robust_top", "", 10), ("why", "", 40),
)  # fmt: skip
COMMUNE_COLUMNS = (
    ("commune_code", "", 10), ("commune_name", "", 24), ("population", COUNT, 12),
    ("share_before", SHARE, 12), ("share_after", SHARE, 12), ("people_gained", COUNT, 14),
    ("people_left", COUNT, 14), ("people_out_of_reach", COUNT, 14), ("why_left", "", 30),
)  # fmt: skip
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What planning came to: the plan, `plan.json` as it is written, and words for a terminal."""

    plan: Plan
    account: dict[str, object]
    text: str


def read_costs(path: Path | None = None) -> pd.DataFrame:
    """Read a table of costs (CSV, as `data/siting_costs.csv`); the embedded one without a path.

    Raises
    ------
    InputFileError
        If it is not a CSV table.
    SchemaError
        If a column is missing or an amount is no number.
    """
    place = path or Path(str(files("phusong") / "data" / "siting_costs.csv"))
    try:
        table = pd.read_csv(place, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeError) as error:
        raise InputFileError(f"{place}: not a table of costs: {error}") from error
    return check_costs(table)


def plan_run(
    run: Path,
    folder: Path,
    choice: Choice,
    *,
    points: Path | None = None,
    forbidden: Path | None = None,
    costs: Path | None = None,
    search: tuple[Path, ...] = (),
    lang: str = "vi",
) -> Planned:
    """Plan where to build next after a run, and write everything into `folder`.

    A run's folder holds shares of communes, not cells: its inputs are found again by their sha256
    and measured again.

    Parameters
    ----------
    run : Path
        A folder of `phusong run`, `assess` or `demo`.
    folder : Path
        Made if it is not there.
    choice : Choice
    points : Path, optional
        Places to look at: see `io.located.read_points`.
    forbidden : Path, optional
        Polygons (any vector layer) where no mast may be put up.
    costs : Path, optional
        The file that the costs of `choice` were read from, to be named in `run.json`.
    search : tuple of Path
        Folders to look for the run's inputs in.
    lang : str

    Raises
    ------
    PhusongError
        If an input of the run is gone or changed, or there is nothing to plan.
    OSError
        If the folder cannot be written.
    """
    started = datetime.now(UTC)
    with staged_folder(folder) as staging:
        given = {"costs": costs, "points": points, "forbidden": forbidden}
        made_of = fingerprint_inputs(
            {"run": run / "run.json"} | {name: path for name, path in given.items() if path}
        )
        assessment = _assess_again(run, search)
        if forbidden is not None:
            choice = replace(choice, forbidden=_read_forbidden(forbidden))
        reports: tuple[ReadReport, ...] = ()
        if points is not None:
            read = read_points(points, communes=assessment.communes)
            choice, reports = replace(choice, points=read.layer), (read.report,)
        plan = make_plan(assessment, choice)
        rows = count_rows(reports)
        account = _account(plan, choice) | {"rows": rows}
        _write(staging, plan, choice, account, lang)
        write_csv(problems_frame(reports, "quarantine"), staging / "quarantine.csv")
        parameters = {
            name: value
            for name in choice.__dataclass_fields__
            if not isinstance(value := getattr(choice, name), pd.DataFrame)
        }
        write_run(staging, inputs=made_of, parameters=parameters | {"lang": lang}, started=started,
                  finished=datetime.now(UTC))  # fmt: skip
    text = "\n".join([_text(plan, choice, lang), *format_rows(rows, lang)])
    return Planned(plan=plan, account=account, text=text)


def _read_forbidden(path: Path) -> gpd.GeoDataFrame:
    """Read polygons; one that crosses itself does not say what lies in it."""
    layer = open_vector(path).layer
    wrong = [
        Problem(row=i + 1, field="geometry", found=said, expected="a valid polygon")
        for i, (shape, said) in enumerate(
            zip(layer.geometry, shapely.is_valid_reason(layer.geometry.to_numpy()), strict=True)
        )
        if shape is None or shape.geom_type not in POLYGONS or not shape.is_valid
    ]
    if wrong:
        raise SchemaError("forbidden", wrong)
    return layer


def _assess_again(run: Path, search: tuple[Path, ...]) -> Assessment:
    """Return the assessment of a run; its figures must be those that the run published."""
    dated = read_run(run, search=search)
    if dated.study is None:
        raise InputFileError(f"{dated.why_lost}; name their folder with --inputs")
    with TemporaryDirectory(prefix="phusong-") as scratch:
        assessment = run_study(dated.study, Path(scratch) / "again", with_map=False).assessment
    old, new = dated.indicators["share"], assessment.indicators["share"]
    if len(old) != len(new) or ((old - new).abs() > 1e-9).any():
        raise InputFileError(
            f"{run}: this version of phusong gets other shares from the same files: run it again"
        )
    return assessment


def _account(plan: Plan, choice: Choice) -> dict[str, object]:
    """Return what `plan.json` says."""
    answer, sites = plan.answer, plan.sites
    about = plan.before.about
    table = sites.drop(columns="geometry").assign(lon=sites.geometry.x, lat=sites.geometry.y)
    return {
        "question": plan.question,
        "service": plan.service,
        "as_of": about.as_of,
        "synthetic": about.is_synthetic,
        "schematic": about.is_schematic,
        "objective": plan.objective,
        "bound": answer.bound,
        "gap": answer.gap,
        "unit": {"target": "VND", "fair": "share"}.get(plan.question, "persons"),
        "n_candidates": plan.n_candidates,
        "people_lacking": plan.people_lacking,
        "people_gained": answer.people,
        "people_gained_measured": plan.people_measured,
        "people_left": float(plan.communes["people_left"].sum()),
        "people_out_of_reach": float(plan.communes["people_out_of_reach"].sum()),
        "cost_vnd": float(sites["cost_vnd"].sum()),
        "years": choice.years,
        "costs": choice.costs.to_dict("records"),
        "targets_after": {r.target.target_id: r.status for r in plan.after.targets},
        "notes": plan.notes,
        "sites": table.astype(object).where(table.notna(), None).to_dict("records"),
    }


def _write(
    folder: Path, plan: Plan, choice: Choice, account: Mapping[str, object], lang: str
) -> None:
    words, about = read_words("plan", lang), plan.before.about
    labels = {
        word: True
        for word, holds in (("synthetic", about.is_synthetic), ("schematic", about.is_schematic))
        if holds
    }
    sites, communes = plan.sites.assign(**labels), plan.communes.assign(**labels)
    write_csv(sites.assign(lon=sites.geometry.x, lat=sites.geometry.y), folder / "plan.csv")
    write_gpkg(sites, folder / "plan.gpkg", name="plan")
    write_csv(communes, folder / "communes.csv")
    write_gpkg(communes, folder / "communes.gpkg", name="communes")
    notes = [*(words[label] for label in labels), *_text(plan, choice, lang).splitlines(),
             *(words["costs_note"].format(source=f"{row.kind}: {row.source}")
               for row in choice.costs.itertuples()), *about.sources]  # fmt: skip
    write_sheets_xlsx(
        [
            _sheet("sheet_sites", _in_words(plan, words), SITE_COLUMNS, lang),
            _sheet("sheet_communes", _communes_in_words(plan, words), COMMUNE_COLUMNS, lang),
            _sheet("sheet_notes", pd.DataFrame({"note": notes}), (("note", "", 110),), lang),
        ],
        folder / "plan.xlsx",
        as_of=about.as_of,
    )
    curve = draw_curve(
        plan.sites, about=about, service=plan.service, years=choice.years, lang=lang,
        bound_people=plan.answer.bound if plan.question in ("sites", "budget") else None,
    )  # fmt: skip
    map_ = draw_plan_map(plan.before, plan.after, plan.sites, service=plan.service, lang=lang)
    for figure, name in ((curve, "curve"), (map_, "before_after")):
        for suffix in ("png", "pdf"):
            save_figure(figure, folder / f"{name}.{suffix}")
    after, before = (
        map_data(side) | {"scenario": {lang: read_words("plan", lang)[word] for lang in LANGUAGES}}
        for side, word in ((plan.after, "after"), (plan.before, "before"))
    )
    write_text(render_page(after, before, lang), folder / "map.html")
    write_json(account, folder / "plan.json")


def _sheet(
    title: str, table: pd.DataFrame, columns: tuple[tuple[str, str, int], ...], lang: str
) -> Sheet:
    headings = read_words("plan", lang)["columns"]
    there = [(name, headings[name], *rest) for name, *rest in columns if name in table]
    return Sheet(title=read_words("plan", lang)[title], table=table, columns=there)


def _in_words(plan: Plan, words: Mapping[str, str]) -> pd.DataFrame:
    """Return the build list as the workbook shows it."""
    sites, service = plan.sites, plan.service.upper()
    said = {True: words["yes"], False: words["no"]}
    shown = sites.drop(columns="geometry").assign(
        lon=sites.geometry.x,
        lat=sites.geometry.y,
        why=[words[f"why_{kind}"].format(service=service) for kind in sites["kind"]],
        kind=[_kind(kind, words) for kind in sites["kind"]],
        phase=[words.get(phase, phase) or None for phase in sites["phase"]],
        has_power=sites["has_power"].astype(object).map(said),
    )
    return (
        shown.assign(robust_top=sites["robust_top"].map(said)) if "robust_top" in shown else shown
    )


def _communes_in_words(plan: Plan, words: Mapping[str, str]) -> pd.DataFrame:
    why = words["not_needed" if plan.question == "target" else "not_worth_it"]
    said = {"": "", "no_candidate_near": words["no_candidate_near"], "not_worth_it": why}
    table = plan.communes.drop(columns="geometry")
    return table.assign(why_left=table["why_left"].map(said)).sort_values(
        "people_left", ascending=False
    )


def _kind(kind: str, words: Mapping[str, str]) -> str:
    return words["share_kind" if kind == "share" else kind]


def _text(plan: Plan, choice: Choice, lang: str) -> str:
    """Return the plan in a few lines."""
    words, answer, about = read_words("plan", lang), plan.answer, plan.before.about

    def people(number: float) -> str:
        return format_count(number, lang)

    def billions(number: float) -> str:
        return format_count(number / 1e9, lang)

    def decimal(number: float, digits: int) -> str:
        return decimal_text(number, digits, lang, {})

    labels = [words[w] for w in ("synthetic", "schematic") if getattr(about, f"is_{w}")]
    numbers = {
        "target": ("within_least", billions(answer.bound)),
        "fair": ("within_fair", decimal(100 * answer.bound, 1)),
    }
    word, bound = numbers.get(plan.question, ("within_most", people(answer.bound)))
    proof = words[word].format(
        gap=decimal(100 * answer.gap, 2), bound=bound, worst=decimal(100 * plan.objective, 1)
    )
    found = words["found"].format(
        count=len(plan.sites), people=people(answer.people), service=plan.service.upper(),
        cost=billions(plan.sites["cost_vnd"].sum()), years=f"{choice.years:g}",
    )  # fmt: skip
    left = words["left"].format(
        people=people(plan.communes["people_left"].sum()),
        beyond=people(plan.communes["people_out_of_reach"].sum()),
    )
    first = [
        words["row"].format(
            rank=row.rank, site=row.site_id, kind=_kind(row.kind, words), commune=row.commune_name,
            people=people(row.people_gained), cost=decimal(row.cost_vnd / 1e9, 2),
        )
        for row in plan.sites.head(SHOWN).itertuples()
    ]  # fmt: skip
    return "\n".join([
        *labels, found, proof, words["measured"].format(people=people(plan.people_measured)), left,
        *(tell(note, lang) for note in plan.notes), words["first_sites"],
        *(f"  {line}" for line in first),
    ])  # fmt: skip

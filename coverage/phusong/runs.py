"""A run: files in, a folder of outputs out, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from phusong.besides import hold_beside, price_tables
from phusong.io.embedded import embedded_path
from phusong.io.fetch import Fetched
from phusong.io.manifest import fingerprint_inputs, write_run
from phusong.io.report import ReadReport, count_rows, problems_frame
from phusong.io.settings import Study
from phusong.io.spreadsheet import write_gaps_xlsx
from phusong.io.staging import staged_folder
from phusong.io.study_layers import read_layers
from phusong.io.tile_store import TileFolder
from phusong.io.write import write_csv, write_gpkg, write_json, write_parquet, write_text
from phusong.publish.assessment import About, Assessment
from phusong.publish.figures import draw_map, save_figure
from phusong.publish.qgis_style import style_layer
from phusong.publish.site.counts import count_sites
from phusong.publish.summary import format_summary, summarise, targets_json
from phusong.publish.webmap import render_map
from phusong.sentences import tell
from phusong.steps import Progress, silently
from phusong.study import assess

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Outcome", "demo_study", "run_study"]

FIGURES = ("map.png", "map.pdf", "map.svg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    folder: Path
    assessment: Assessment
    reports: tuple[ReadReport, ...]
    summary: dict[str, object]
    text: str

    @property
    def n_quarantined(self) -> int:
        """Rows that were set aside, of all inputs."""
        return sum(report.rows_quarantined for report in self.reports)


def demo_study(official: Fetched | None = None) -> Study:
    """Return the study of the embedded data: a synthetic network in schematic communes.

    `official` are communes that `fetch_layer` brought, to be used in place of the schematic ones.
    """
    communes = (
        "schematic communes made from the official areas, populations and centres (Resolution "
        "1686/NQ-UBTVQH15)"
    )
    if official is not None:
        communes = f"communes: {official.source.source} ({official.source.licence})"
    return Study(
        communes=embedded_path("communes") if official is None else official.path,
        sites=(embedded_path("sites"),),
        service=embedded_path("service"),
        population=embedded_path("population"),
        villages=embedded_path("villages") if official is None else None,
        places=embedded_path("places") if official is None else None,
        as_of=date(2026, 6, 30),
        place="Tỉnh Thanh Hóa",
        sources=(f"phusong: synthetic sites, service, population, villages, places; {communes}",),
        is_synthetic=True,
        is_schematic=official is None,
    )


def run_study(
    study: Study,
    folder: Path,
    *,
    with_map: bool = True,
    tiles: Path | None = None,
    client: Client | None = None,
    progress: Progress = silently,
) -> Outcome:
    """Read the files of a study, assess them, and write everything into `folder`.

    The outputs appear together at the end: a run that fails leaves what was there before.

    Parameters
    ----------
    study : Study
    folder : Path
        Made if it is not there.
    with_map : bool
        Also draw the web map and the printed maps.
    tiles : Path, optional
        Folder of tiles that are modelled already; see `TileFolder`. Only with a terrain.
    client : distributed.Client, optional
        Its workers measure the provinces, with the same result.
    progress : callable
        Given the steps and a label, yields the steps.

    Raises
    ------
    PhusongError
        Naming the file, row or field that stands in the way.
    OSError
        If the folder cannot be written.
    """
    started = datetime.now(UTC)
    with staged_folder(folder) as staging:
        inputs = fingerprint_inputs(study.inputs)
        assessment, reports, beside = _assess_files(study, tiles, client, progress)
        rows = count_rows(reports)
        summary = summarise(assessment, rows=rows)
        steps = ["tables", *(("map.html", *FIGURES) if with_map else ())]
        for step in progress(steps, "outputs"):
            if step == "tables":
                _write_tables(staging, study, assessment, reports, summary)
                for name, table in beside.items():
                    write_csv(table.assign(**_labels(assessment.about)), staging / f"{name}.csv")
            elif step == "map.html":
                write_text(render_map(assessment, lang=study.lang), staging / step)
                figure = draw_map(assessment, lang=study.lang, paper=study.paper)
            else:
                save_figure(figure, staging / step)
        write_run(
            staging,
            inputs=inputs,
            parameters=study.parameters | {"with_map": with_map},
            started=started,
            finished=datetime.now(UTC),
        )
    text = format_summary(assessment, rows=rows, lang=study.lang)
    return Outcome(
        folder=folder, assessment=assessment, reports=reports, summary=summary, text=text
    )


def _assess_files(
    study: Study, tiles: Path | None, client: Client | None, progress: Progress
) -> tuple[Assessment, tuple[ReadReport, ...], dict[str, pd.DataFrame]]:
    layers = read_layers(study)
    model = layers.model
    if model is not None and tiles is not None:
        model = replace(model, known=TileFolder(tiles))
    assessment = assess(
        layers.communes,
        sites=layers.sites,
        as_of=study.as_of,
        service=layers.service,
        population=layers.population,
        register=layers.register,
        crosswalk=layers.crosswalk,
        crosswalk_weights=layers.weights,
        service_is_complete=study.service_is_complete,
        cell_m=study.cell_m,
        about=About(
            place=study.place,
            as_of=study.as_of,
            sources=study.sources,
            notes=layers.notes,
            is_synthetic=study.is_synthetic,
            is_schematic=study.is_schematic,
        ),
        model=model,
        client=client,
        progress=progress,
    )
    found = hold_beside(study, assessment, layers.communes, aliases=layers.aliases)
    prices = {}
    if layers.service is not None:
        prices = price_tables(
            layers.service, layers.communes, layers.crosswalk, layers.register,
            service_vintage=study.service_vintage, is_complete=study.service_is_complete,
        )  # fmt: skip
    return found.assessment, (*layers.reports, *found.reports), {**found.tables, **prices}


def _write_tables(
    folder: Path,
    study: Study,
    assessment: Assessment,
    reports: tuple[ReadReport, ...],
    summary: Mapping[str, object],
) -> None:
    communes, gaps, about = assessment.communes, assessment.gaps, assessment.about
    labels = _labels(about)
    communes, gaps = communes.assign(**labels), gaps.assign(**labels)
    write_csv(communes, folder / "communes.csv")
    for name, layer in (("communes", communes), ("gaps", gaps)):
        fields = [field for field in layer.columns if field != "geometry"]
        style = style_layer(fields, shown="share_population_5g")
        write_gpkg(layer, folder / f"{name}.gpkg", name=name, style_qml=style)
    write_parquet(communes, folder / "communes.parquet")
    write_parquet(assessment.indicators.assign(**labels), folder / "indicators.parquet")
    write_csv(
        count_sites(assessment.communes, assessment.sites).assign(**labels),
        folder / "sites_by_commune.csv",
    )
    write_csv(assessment.provinces.assign(**labels), folder / "provinces.csv")
    write_csv(gaps, folder / "gaps.csv")
    write_gaps_xlsx(
        assessment.gaps,
        folder / "gaps.xlsx",
        lang=study.lang,
        place=about.place,
        as_of=about.as_of,
        notes=(
            *(word.upper() for word in labels),
            *about.sources,
            *(tell(note, study.lang) for note in about.notes),
        ),
    )
    write_json({"targets": targets_json(assessment.targets), **labels}, folder / "targets.json")
    write_csv(problems_frame(reports, "quarantine"), folder / "quarantine.csv")
    write_csv(problems_frame(reports, "repairs"), folder / "repairs.csv")
    write_json(summary, folder / "summary.json")


def _labels(about: About) -> dict[str, bool]:
    """Return the columns that say what is invented, or drawn from facts."""
    kinds = (("synthetic", about.is_synthetic), ("schematic", about.is_schematic))
    return {word: True for word, holds in kinds if holds}

"""A prediction: sites and terrain in, a folder of rasters and shares out, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from phusong.census import People, placing_of, spread_people
from phusong.errors import InputFileError
from phusong.grid import Grid, grid_over
from phusong.indicators import SERVICES
from phusong.io.boundaries import read_communes
from phusong.io.census import read_people
from phusong.io.embedded import embedded_path
from phusong.io.land import read_land
from phusong.io.manifest import fingerprint_inputs, write_run
from phusong.io.radio_rules import read_radio_rules
from phusong.io.report import ReadReport, count_rows, problems_frame
from phusong.io.signal_tiffs import write_server, write_signal
from phusong.io.staging import staged_folder
from phusong.io.tables import read_sites
from phusong.io.tile_store import TileFolder
from phusong.io.write import write_csv, write_json, write_parquet
from phusong.prepare import prepare_communes, prepare_sites, select_on_air, unite_operators
from phusong.publish.figures import save_figure
from phusong.publish.radio_figures import draw_signal
from phusong.radio.area import AreaSignal, Land, predict_area
from phusong.radio.limits import require_within
from phusong.radio.rules import RadioRules, Threshold
from phusong.radio.shares import measure_signal
from phusong.radio.signal import Reach
from phusong.steps import Progress, silently
from phusong.words import LANGUAGES
from phusong.zonal import ZonalWeights, overlap_zones, sum_by_zone

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Plan", "Predicted", "demo_plan", "run_prediction"]

PATHS = ("terrain", "clutter", "communes", "population", "register")
# Of the whole area: how sure a cell must be to count at each of these levels.
LEVELS = (0.5, 0.75, 0.9, 0.95)
SECTOR_COLUMNS = [
    "site_id", "sector_id", "operator", "technology", "frequency_mhz", "antenna_height_m",
    "azimuth_deg", "eirp_dbm", "noise_dbm", "threshold_dbm", "horizontal_beamwidth_deg",
    "vertical_beamwidth_deg", "electrical_tilt_deg",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides a prediction, besides the contents of the files.

    `terrain_kind` says whether trees and roofs are in the terrain ("surface", as in SRTM and
    Copernicus GLO-30) or not ("ground"); `clutter_kind` whether the clutter raster holds heights or
    codes of classes. Without `sampling` rays are sampled as the terrain is, not under 30 m.
    """

    sites: tuple[Path, ...]
    terrain: Path
    as_of: date
    terrain_kind: Literal["ground", "surface"] = "surface"
    clutter: Path | None = None
    clutter_kind: Literal["heights", "classes"] = "heights"
    communes: Path | None = None
    population: Path | None = None
    register: Path | None = None
    crs: str | None = None
    cell_m: float = 100.0
    sampling: int | None = None
    radius_m: float = 15_000.0
    is_exact: bool = False
    lang: str = LANGUAGES[0]
    is_synthetic: bool = False

    def __post_init__(self) -> None:
        require_within("cell_m", self.cell_m, 5.0, 10_000.0, source="a cell")
        require_within("radius_m", self.radius_m, self.cell_m, 100_000.0, source="the sweep")
        if self.population is not None and self.communes is None:
            raise InputFileError("population: whose? give the communes too (--communes)")

    @property
    def inputs(self) -> dict[str, Path]:
        """The files that are given, by what they are."""
        named = {name: getattr(self, name) for name in PATHS}
        sites = {f"sites[{i}]": path for i, path in enumerate(self.sites)}
        return {name: path for name, path in {**named, **sites}.items() if path is not None}

    @property
    def parameters(self) -> dict[str, object]:
        """What is not a file."""
        skipped = {*PATHS, "sites"}
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in skipped}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predicted:
    """What a prediction came to; `shares` are tidy rows, None without communes."""

    folder: Path
    signal: AreaSignal
    shares: pd.DataFrame | None
    summary: dict[str, object]
    reports: tuple[ReadReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Layers:
    """The layers of a plan, read."""

    sites: gpd.GeoDataFrame
    land: Land
    zones: gpd.GeoDataFrame | None
    grid: Grid
    people: People
    rules: RadioRules
    reports: tuple[ReadReport, ...]
    notes: tuple[str, ...]


def demo_plan() -> Plan:
    """Return the plan of the embedded data: a synthetic network on synthetic terrain."""
    return Plan(
        sites=(embedded_path("sites"),), terrain=embedded_path("terrain"), terrain_kind="ground",
        communes=embedded_path("communes"), population=embedded_path("population"),
        as_of=date(2026, 6, 30), is_synthetic=True,
    )  # fmt: skip


def run_prediction(
    plan: Plan,
    folder: Path,
    *,
    with_maps: bool = True,
    tiles: Path | None = None,
    client: Client | None = None,
    progress: Progress = silently,
) -> Predicted:
    """Read the files of a plan, predict, and write everything into `folder`.

    Written are, for each service that has sectors, `signal_SERVICE.tif` and `server_SERVICE.tif`
    (COG) and `signal_SERVICE.png`; `sectors.csv`, whose rows the servers are; `left_out.csv`, the
    sectors that cannot be predicted, and why; `quarantine.csv` and `repairs.csv`; with communes
    `shares.csv` and `shares.parquet` (tidy rows); `predict.json`; and `run.json` last.

    Parameters
    ----------
    plan : Plan
    folder : Path
        Made if it is not there; it changes only when all is done.
    with_maps : bool
        Also draw a map of each service.
    tiles : Path, optional
        Folder of tiles that are done; see `TileFolder`.
    client : distributed.Client, optional
        Its workers compute the tiles, with the same result.
    progress : callable
        Given the tiles and a label, yields the tiles.

    Raises
    ------
    PhusongError
        Naming the file, row or number that stands in the way.
    OSError
        If the folder cannot be written.
    """
    started = datetime.now(UTC)
    with staged_folder(folder) as staging:
        inputs = fingerprint_inputs(plan.inputs)
        layers = _read(plan)
        signal = predict_area(
            layers.grid, layers.sites, layers.land, layers.rules, services=SERVICES,
            operators=sorted(set(layers.sites["operator"])), reach=_reach(plan),
            known=None if tiles is None else TileFolder(tiles), client=client, progress=progress,
        )  # fmt: skip
        if not signal.prediction.services:
            raise InputFileError(f"sites: none can be predicted: {'; '.join(signal.notes)}")
        weights = None if layers.zones is None else overlap_zones(layers.zones, layers.grid)
        shares = _shares(plan, layers, signal, weights)
        summary = _summarise(plan, layers, signal, shares, weights)
        _write(staging, plan, layers, signal, shares, summary, with_maps=with_maps)
        write_run(staging, inputs=inputs, parameters=plan.parameters | {"with_maps": with_maps},
                  started=started, finished=datetime.now(UTC))  # fmt: skip
    return Predicted(
        folder=folder, signal=signal, shares=shares, summary=summary, reports=layers.reports
    )


def _reach(plan: Plan) -> Reach:
    return Reach(radius_m=plan.radius_m, exact_m=np.inf if plan.is_exact else 1_000.0)


def _read(plan: Plan) -> _Layers:
    rules = read_radio_rules(plan.register or embedded_path("radio"))
    reports, zones, communes, people = [], None, None, None
    if plan.communes is not None:
        read = read_communes(plan.communes)
        communes = read.layer
        reports.append(read.report)
    sites = []
    for path in plan.sites:
        read = read_sites(path, crs=plan.crs, communes=communes, as_of=plan.as_of)
        sites.append(read.layer)
        reports.append(read.report)
    cells, notes = unite_operators(prepare_sites(pd.concat(sites, ignore_index=True)))
    # the prediction needs neither radii nor communes of its sites
    on_air, more = select_on_air(cells.assign(is_default_radius=False, commune_code=""), plan.as_of)
    if on_air.empty:
        raise InputFileError(f"sites: none is on air on {plan.as_of}: {'; '.join(more)}")
    if communes is not None:
        zones, _ = prepare_communes(communes)
    area = on_air if zones is None else zones
    margin = int(np.ceil(plan.radius_m / plan.cell_m)) if zones is None else 0
    grid = grid_over(area, cell_m=plan.cell_m, margin_cells=margin)
    zones = None if zones is None else zones.to_crs(grid.crs)
    land, land_reports, land_notes = read_land(
        plan.terrain, rules, kind=plan.terrain_kind, cell_m=plan.cell_m, radius_m=plan.radius_m,
        communes=communes, clutter=plan.clutter, clutter_kind=plan.clutter_kind,
        sampling=plan.sampling,
    )  # fmt: skip
    reports += land_reports
    land_notes = (*(note for report in land_reports for note in report.notes), *land_notes)
    if plan.population is not None and zones is not None:
        read = read_people(plan.population, communes=communes, aliases=None)
        people = read.layer
        reports.append(read.report)
    return _Layers(
        sites=on_air, land=land, zones=zones, grid=grid, people=people, rules=rules,
        reports=tuple(reports), notes=(*notes, *more, *land_notes),
    )  # fmt: skip


def _shares(
    plan: Plan, layers: _Layers, signal: AreaSignal, weights: ZonalWeights | None
) -> pd.DataFrame | None:
    if layers.zones is None or weights is None:
        return None
    return measure_signal(
        layers.zones, signal.prediction, weights, layers.rules, as_of=plan.as_of,
        persons=spread_people(layers.people, layers.grid),
        placing=placing_of(layers.people),
    )  # fmt: skip


def _summarise(
    plan: Plan, layers: _Layers, signal: AreaSignal, shares: pd.DataFrame | None,
    weights: ZonalWeights | None,
) -> dict[str, object]:  # fmt: skip
    prediction, rules, relief = signal.prediction, layers.rules, signal.relief
    services = {}
    for name, found in prediction.services.items():
        technologies = SERVICES[name]
        services[name] = {
            "thresholds": [asdict(one) for one in _thresholds(rules, name)],
            "sigma_location_db": float(prediction.location_db.sel(service=name)),
            "sigma_model_db": rules.model_sigma_db,
            "share_of_area_at": {
                f"{level:.0%}": _share_where(found["probability"] >= level, weights)
                for level in LEVELS
            },
            # not looked at: a mast may well serve farther than the radius
            "share_of_area_beyond_radius": _share_where(found["margin_db"] == -np.inf, weights),
            "n_sectors": int(signal.network.sectors["technology"].isin(technologies).sum()),
            **_province(shares, name),
        }
    return {
        "model": "ITU-R P.1812-7, median: free space and diffraction",
        "method": "exact" if plan.is_exact else "sweep",
        "evidence": "modelled",
        "as_of": plan.as_of,
        "synthetic": plan.is_synthetic,
        "terrain_kind": plan.terrain_kind,
        "cell_m": plan.cell_m,
        "sample_m": relief.cell_m,
        "radius_m": plan.radius_m,
        "crs": layers.grid.crs,
        "shape": list(layers.grid.shape),
        "interval": rules.interval,
        "correlation_m": rules.correlation_m,
        "load": rules.load,
        "receiver_height_m": rules.receiver_height_m,
        "n_points": prediction.n_points,
        "rows": count_rows(layers.reports),
        "n_left_out": len(signal.network.left_out),
        "services": services,
        "sources": list(rules.sources),
        "notes": [*layers.notes, *signal.notes],
    }


def _share_where(holds: xr.DataArray, weights: ZonalWeights | None) -> float:
    """Return the share of the area, of the communes or of the grid, where something holds."""
    share = float(holds.mean())
    if weights is not None:
        share = float(sum_by_zone(weights, holds.astype("float64")).sum() / weights.cells.sum())
    return round(share, 6)


def _province(shares: pd.DataFrame | None, service: str) -> dict[str, dict[str, float]]:
    """Return the shares of all communes together, weighted; of people only where all are known."""
    if shares is None:
        return {}
    rows = shares[(shares["service"] == service) & (shares["operator"] == "any")]
    found = {}
    for indicator, own in rows.groupby("indicator", sort=True):
        weight = own["denominator"].to_numpy(float)
        if not np.isfinite(weight).all() or own["share"].isna().all():
            continue
        known = np.nan_to_num(own[["share", "share_low", "share_high"]].to_numpy(float))
        low = (weight[:, None] * known).sum(axis=0) / weight.sum()
        found[str(indicator)] = dict(
            zip(("share", "low", "high"), low.round(6).tolist(), strict=True)
        )
    return found


def _thresholds(rules: RadioRules, service: str) -> list[Threshold]:
    group = set(SERVICES[service])
    return [one for one in rules.thresholds if group & set(one.technologies)]


def _caption(plan: Plan, rules: RadioRules, service: str) -> str:
    """Return the line of a map that says what was asked."""
    asked = ", ".join(
        f"{one.quantity} ≥ {one.threshold_dbm:g} dBm" for one in _thresholds(rules, service)
    )
    return f"{asked} · ITU-R P.1812-7 · {plan.cell_m:g} m · ≤ {plan.radius_m / 1000:g} km"


def _write(
    folder: Path, plan: Plan, layers: _Layers, signal: AreaSignal, shares: pd.DataFrame | None,
    summary: Mapping[str, object], *, with_maps: bool,
) -> None:  # fmt: skip
    label = "synthetic: " if plan.is_synthetic else ""
    for name, found in signal.prediction.services.items():
        note = f"{label}modelled by phusong, {name}, {plan.as_of}; sectors.csv names the servers"
        write_signal(found, folder / f"signal_{name}.tif", note=note)
        write_server(found, folder / f"server_{name}.tif", note=note)
        if with_maps:
            figure = draw_signal(
                found, signal.relief, service=name, zones=layers.zones, as_of=plan.as_of,
                said=_caption(plan, layers.rules, name), lang=plan.lang,
                is_synthetic=plan.is_synthetic,
            )  # fmt: skip
            save_figure(figure, folder / f"signal_{name}.png")
    labels = {"synthetic": True} if plan.is_synthetic else {}
    sectors = signal.network.sectors[SECTOR_COLUMNS].rename_axis("server_id").reset_index()
    write_csv(sectors.assign(**labels), folder / "sectors.csv")
    write_csv(signal.network.left_out.assign(**labels), folder / "left_out.csv")
    write_csv(problems_frame(layers.reports, "quarantine"), folder / "quarantine.csv")
    write_csv(problems_frame(layers.reports, "repairs"), folder / "repairs.csv")
    if shares is not None:
        write_csv(shares.assign(**labels), folder / "shares.csv")
        write_parquet(shares.assign(**labels), folder / "shares.parquet")
    write_json(summary, folder / "predict.json")

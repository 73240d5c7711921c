"""The kinds of table: their columns with units and limits, their keys, their geometry; as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = [
    "ANY", "FIXED_TECHNOLOGIES", "LAYERS", "MOBILE_TECHNOLOGIES", "TWO_OR_MORE", "Column", "Layer",
]  # fmt: skip

Kind = Literal["text", "number", "date", "yes_no"]

ANY, TWO_OR_MORE = "any", "two_or_more"  # beside the operators: whoever it is
MOBILE_TECHNOLOGIES = ("2G", "3G", "4G", "5G", "5G NSA", "5G SA")
FIXED_TECHNOLOGIES = ("FTTH", "xDSL", "cable", "FWA", "satellite", "leased line", "broadband")
PLACE_CATEGORIES = (
    "school", "health_post", "peoples_committee", "priority_zone", "industrial_park", "road",
    "other",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: what it holds, in which unit, and within which limits (inclusive)."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One kind of table: its columns, its key (unique together), and its geometry, if any.

    Without `geometry_required` a row may have no place: a village of a list without coordinates.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    geometry: tuple[str, ...] = ()
    geometry_required: bool = True

    def column(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(column for column in self.columns if column.name == name)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the columns that every row must fill."""
        return tuple(column.name for column in self.columns if column.required)


_COMMUNES = Layer(
    name="communes",
    key=("commune_code", "vintage"),
    geometry=("Polygon", "MultiPolygon"),
    columns=(
        Column(name="commune_code", kind="text", required=True, meaning="official code, as text"),
        Column(name="vintage", kind="text", required=True, meaning="commune map the code is of"),
        Column(name="commune_name", kind="text", required=True, meaning="name with its type"),
        Column(
            name="commune_type",
            kind="text",
            meaning="xã, phường, thị trấn or đặc khu",
            choices=("xã", "phường", "thị trấn", "đặc khu"),
        ),
        Column(name="province_code", kind="text", meaning="official code of the province"),
        Column(name="district_name", kind="text", meaning="district of before July 2025"),
        Column(name="area_km2", kind="number", unit="km²", minimum=0, meaning="official area"),
        Column(name="population", kind="number", unit="persons", minimum=0, meaning="residents"),
        Column(name="households", kind="number", unit="households", minimum=0, meaning="homes"),
        Column(
            name="income_vnd_month",
            kind="number",
            unit="VND a month",
            minimum=0,
            meaning="monthly income per head",
        ),
        Column(name="terrain_class", kind="text", meaning="such as plain, midland, mountain"),
        Column(
            name="poverty_share",
            kind="number",
            unit="share",
            minimum=0,
            maximum=1,
            meaning="poor households of all",
        ),
        Column(
            name="minority_share",
            kind="number",
            unit="share",
            minimum=0,
            maximum=1,
            meaning="people of ethnic minorities of all",
        ),
    ),
)

_SITES = Layer(
    name="sites",
    key=("site_id", "sector_id"),
    geometry=("Point", "Polygon", "MultiPolygon"),
    columns=(
        Column(name="site_id", kind="text", required=True, meaning="the mast"),
        Column(name="sector_id", kind="text", required=True, meaning="the cell of the mast"),
        Column(name="site_name", kind="text", meaning="name of the mast"),
        Column(name="commune_name", kind="text", meaning="commune as declared by the operator"),
        Column(name="operator", kind="text", required=True, meaning="who runs it"),
        Column(
            name="technology",
            kind="text",
            required=True,
            choices=MOBILE_TECHNOLOGIES,
            meaning="generation; 5G NSA and 5G SA are kept apart where known",
        ),
        Column(
            name="nr_mode",
            kind="text",
            choices=("NSA", "SA"),
            meaning="how 5G is built, where it is known: non-standalone or standalone",
        ),
        Column(
            name="frequency_mhz",
            kind="number",
            unit="MHz",
            minimum=30,
            maximum=100_000,
            meaning="carrier",
        ),
        Column(
            name="bandwidth_mhz",
            kind="number",
            unit="MHz",
            minimum=0,
            maximum=2_000,
            meaning="channel width",
        ),
        Column(
            name="antenna_height_m",
            kind="number",
            unit="m",
            minimum=1,
            maximum=400,
            meaning="antenna above ground",
        ),
        Column(
            name="azimuth_deg",
            kind="number",
            unit="°",
            minimum=0,
            maximum=360,
            meaning="main direction, clockwise from grid north; empty is omnidirectional",
        ),
        Column(
            name="beamwidth_deg",
            kind="number",
            unit="°",
            minimum=1,
            maximum=360,
            meaning="width of the sector; 120 where an azimuth has none",
        ),
        Column(
            name="downtilt_deg",
            kind="number",
            unit="°",
            minimum=-90,
            maximum=90,
            meaning="below the horizon",
        ),
        Column(
            name="eirp_dbm", kind="number", unit="dBm", minimum=-50, maximum=120, meaning="EIRP"
        ),
        Column(
            name="radius_m",
            kind="number",
            unit="m",
            minimum=1,
            maximum=100_000,
            meaning="range declared by the operator; empty takes the default table",
        ),
        Column(
            name="status",
            kind="text",
            choices=("on_air", "planned", "retired"),
            meaning="only sites on air cover; empty is on air",
        ),
        Column(name="on_air_date", kind="date", meaning="first day on air"),
    ),
)

_SERVICE = Layer(
    name="service",
    key=("commune_code", "vintage", "operator", "technology"),
    columns=(
        Column(name="commune_code", kind="text", required=True, meaning="official code, as text"),
        Column(name="vintage", kind="text", required=True, meaning="commune map the code is of"),
        Column(name="commune_name", kind="text", meaning="name with its type"),
        Column(name="operator", kind="text", required=True, meaning="who sells it"),
        Column(
            name="technology",
            kind="text",
            required=True,
            choices=(*FIXED_TECHNOLOGIES, *MOBILE_TECHNOLOGIES),
            meaning="how it reaches the home",
        ),
        Column(
            name="downlink_mbps",
            kind="number",
            unit="Mbit/s",
            minimum=0,
            maximum=100_000,
            meaning="advertised downlink",
        ),
        Column(
            name="uplink_mbps",
            kind="number",
            unit="Mbit/s",
            minimum=0,
            maximum=100_000,
            meaning="advertised uplink",
        ),
        Column(
            name="households_passed",
            kind="number",
            unit="households",
            minimum=0,
            meaning="homes that can order it",
        ),
        Column(
            name="households",
            kind="number",
            unit="households",
            minimum=0,
            meaning="homes of the commune, where the table says so",
        ),
        Column(name="subscribers", kind="number", unit="lines", minimum=0, meaning="lines in use"),
        Column(
            name="take_up_share",
            kind="number",
            unit="share",
            minimum=0,
            maximum=1,
            meaning="subscribers per household as the table says; shown, not used",
        ),
        Column(
            name="price_vnd_month",
            kind="number",
            unit="VND a month",
            minimum=0,
            meaning="cheapest plan",
        ),
        Column(
            name="at_centre",
            kind="yes_no",
            meaning="orderable at the People's Committee, the school and the health post",
        ),
        Column(
            name="villages_served", kind="number", unit="villages", minimum=0, meaning="with it"
        ),
        Column(name="villages", kind="number", unit="villages", minimum=0, meaning="in all"),
        Column(name="as_of", kind="date", meaning="day the row speaks of"),
        Column(
            name="evidence",
            kind="text",
            choices=("declared", "modelled", "measured"),
            meaning="who says so",
        ),
    ),
)

_VILLAGES = Layer(
    name="villages",
    key=("village_id", "cluster_id"),
    geometry=("Point",),
    geometry_required=False,
    columns=(
        Column(name="village_id", kind="text", required=True, meaning="the village"),
        Column(name="cluster_id", kind="text", meaning="a cluster of homes; empty is the centre"),
        Column(
            name="commune_code", kind="text",
            meaning="official code, for a village without a place; else the place counts",
        ),
        Column(name="village_name", kind="text", meaning="name with its type (thôn, bản, khu phố)"),
        Column(name="commune_name", kind="text", meaning="commune as the table has it"),
        Column(
            name="population", kind="number", unit="persons", minimum=0,
            meaning="residents of the village, in the row of its centre",
        ),
        Column(name="has_power", kind="yes_no", meaning="on the electricity grid"),
        Column(
            name="is_hard", kind="yes_no", meaning="on the list of especially hard villages"
        ),
    ),
)  # fmt: skip

_PLACES = Layer(
    name="places",
    key=("place_id",),
    geometry=("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
    columns=(
        Column(name="place_id", kind="text", required=True, meaning="the place"),
        Column(name="place_name", kind="text", required=True, meaning="name"),
        Column(
            name="category", kind="text", required=True, choices=PLACE_CATEGORIES,
            meaning="what it is: a point for a building, a polygon for a zone, a line for a road",
        ),
        Column(name="commune_name", kind="text", meaning="commune as the table has it"),
    ),
)  # fmt: skip

_POINTS = Layer(
    name="points",
    key=("point_id",),
    geometry=("Point",),
    columns=(
        Column(name="point_id", kind="text", required=True, meaning="where a mast may be put up"),
        Column(name="point_name", kind="text", meaning="name, such as of a school or a hill"),
        Column(name="has_power", kind="yes_no", meaning="on the electricity grid"),
    ),
)

_MEASUREMENTS = Layer(
    name="measurements",
    key=("sample_id",),
    geometry=("Point",),
    columns=(
        Column(name="sample_id", kind="text", required=True, meaning="the test or signal sample"),
        Column(name="quadkey", kind="text", meaning="tile of an average, as Ookla names it"),
        Column(name="operator", kind="text", meaning="whose network; empty is not stated"),
        Column(
            name="technology", kind="text", choices=(*FIXED_TECHNOLOGIES, *MOBILE_TECHNOLOGIES),
            meaning="what the test ran over",
        ),
        Column(
            name="downlink_mbps", kind="number", unit="Mbit/s", minimum=0, maximum=100_000,
            meaning="measured downlink",
        ),
        Column(
            name="uplink_mbps", kind="number", unit="Mbit/s", minimum=0, maximum=100_000,
            meaning="measured uplink",
        ),
        Column(
            name="latency_ms", kind="number", unit="ms", minimum=0, maximum=1_000_000,
            meaning="there and back",
        ),
        Column(
            name="rsrp_dbm", kind="number", unit="dBm", minimum=-160, maximum=0,
            meaning="power of the reference signal outdoors",
        ),
        Column(name="day", kind="date", meaning="when it was measured"),
        Column(
            name="n_tests", kind="number", unit="tests", minimum=1, maximum=1_000_000_000,
            meaning="tests that the row is the average of; empty is one",
        ),
    ),
)  # fmt: skip

_CHALLENGES = Layer(
    name="challenges",
    key=("challenge_id",),
    columns=(
        Column(name="challenge_id", kind="text", required=True, meaning="the challenge"),
        Column(name="challenger", kind="text", required=True, meaning="who says so"),
        Column(name="commune_code", kind="text", required=True, meaning="official code, as text"),
        Column(name="operator", kind="text", required=True, meaning="whose claim"),
        Column(
            name="technology", kind="text", required=True, choices=MOBILE_TECHNOLOGIES,
            meaning="which claim",
        ),
        Column(name="day", kind="date", required=True, meaning="when it was seen"),
        Column(name="evidence_note", kind="text", meaning="what shows it: photo, test, record"),
        Column(
            name="outcome", kind="text", required=True, choices=("upheld", "rejected", "open"),
            meaning="upheld: there was no service; rejected: there was; open: not decided",
        ),
    ),
)  # fmt: skip

LAYERS: Mapping[str, Layer] = MappingProxyType(
    {
        layer.name: layer
        for layer in (
            _COMMUNES, _SITES, _SERVICE, _VILLAGES, _PLACES, _POINTS, _MEASUREMENTS, _CHALLENGES,
        )
    }
)  # fmt: skip

"""The synthetic network: people on a grid, masts near people, and who sells what where.

All of it is invented, from fixed seeds; only the communes' populations and centres are facts.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource

CELL_DEG = 0.005
POPULATION_SEED, SITE_SEED, SERVICE_SEED = 1686, 2030, 2025
N_SITES = 4000
DAY = pd.Timestamp("2026-06-30")
PERSONS_PER_HOUSEHOLD = 3.5
MOUNTAIN_LON = 105.35  # west of it the province is mountains

OPERATORS = {"Viettel": 0.36, "VinaPhone": 0.32, "MobiFone": 0.24, "Vietnamobile": 0.08}
DECLARES_RADIUS = ("VinaPhone", "MobiFone")
TECHNOLOGIES = {"2G": 0.14, "3G": 0.06, "4G": 0.46, "5G": 0.34}
TOWNWARDS = {"2G": 0.55, "3G": 0.9, "4G": 0.6, "5G": 1.3}  # how strongly masts follow people
BANDS_MHZ = {
    ("2G", "town"): 900, ("2G", "country"): 900, ("3G", "town"): 2100, ("3G", "country"): 2100,
    ("4G", "town"): 1800, ("4G", "country"): 900, ("5G", "town"): 2600, ("5G", "country"): 2600,
}  # fmt: skip
RADIUS_M = {900: 3200, 1800: 1500, 2100: 1300, 2600: 1500, 3500: 900}


def make_population(
    communes: gpd.GeoDataFrame, centres: np.ndarray
) -> tuple[np.ndarray, tuple[float, float]]:
    """Return persons per cell (row, col), float32, and the north-west corner (lon, lat).

    People gather round the commune's centre and round invented villages; each commune's cells are
    then scaled until its sum, border cells by their share, is its population.
    """
    west, south, east, north = communes.total_bounds
    x0, y1 = np.floor(west / CELL_DEG - 1) * CELL_DEG, np.ceil(north / CELL_DEG + 1) * CELL_DEG
    shape = (int(np.ceil((y1 - south) / CELL_DEG)) + 1, int(np.ceil((east - x0) / CELL_DEG)) + 1)
    x = x0 + (np.arange(shape[1]) + 0.5) * CELL_DEG
    y = y1 - (np.arange(shape[0]) + 0.5) * CELL_DEG
    density = _density(communes, centres, x, y)
    source = NumPyRasterSource(
        np.zeros(shape), x0, y1 - shape[0] * CELL_DEG, x0 + shape[1] * CELL_DEG, y1,
        srs_wkt=communes.crs.to_wkt(),
    )  # fmt: skip
    cells = exact_extract(source, communes, ["cell_id", "coverage"], output="pandas")
    lengths = cells["cell_id"].map(len).to_numpy()
    zone = np.repeat(np.arange(len(communes)), lengths)
    cell = np.concatenate(cells["cell_id"].to_numpy())
    fraction = np.concatenate(cells["coverage"].to_numpy()).astype(float)
    inside = np.bincount(cell, fraction, density.size)
    density = np.where(inside.reshape(shape) > 0.999, density, 0.0).reshape(-1)
    target = communes["population"].to_numpy(float)
    scale = np.ones(len(communes))
    for _ in range(400):
        persons = np.bincount(cell, fraction * scale[zone], density.size) * density
        found = np.bincount(zone, fraction * persons[cell], len(communes))
        scale *= target / found
    return persons.reshape(shape).astype("float32"), (x0, y1)


def _density(
    communes: gpd.GeoDataFrame, centres: np.ndarray, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    rng = np.random.default_rng(POPULATION_SEED)
    density = np.full((len(y), len(x)), 0.03)
    for centre, shape, area_km2 in zip(
        centres, communes.geometry, communes["area_km2"], strict=True
    ):
        west, south, east, north = shape.bounds
        villages = rng.uniform([west, south], [east, north], (2 + int(area_km2 // 12), 2))
        places = np.vstack([centre, villages])
        for k, (px, py) in enumerate(places):
            width = 0.012 if k == 0 else rng.uniform(0.004, 0.010)
            peak = 3.0 if k == 0 else rng.uniform(0.4, 1.2)
            columns = slice(*np.searchsorted(x, [px - 4 * width, px + 4 * width]))
            rows = slice(*np.searchsorted(-y, [-py - 4 * width, -py + 4 * width]))
            square = (x[columns][None, :] - px) ** 2 + (y[rows][:, None] - py) ** 2
            density[rows, columns] += peak * np.exp(-square / (2 * width**2))
    return density


def make_sites(
    communes: gpd.GeoDataFrame, persons: np.ndarray, corner: tuple[float, float]
) -> pd.DataFrame:
    """Return 4,000 sites of three cells each, dense where people are, thin in the mountains."""
    rng = np.random.default_rng(SITE_SEED)
    technology = rng.choice(list(TECHNOLOGIES), N_SITES, p=list(TECHNOLOGIES.values()))
    operator = rng.choice(list(OPERATORS), N_SITES, p=list(OPERATORS.values()))
    lon, lat, density = np.zeros(N_SITES), np.zeros(N_SITES), np.zeros(N_SITES)
    rows, columns = np.nonzero(persons)
    cell_lon = corner[0] + (columns + 0.5) * CELL_DEG
    is_mountain = cell_lon < MOUNTAIN_LON
    people = persons[rows, columns].astype(float)
    for name, power in TOWNWARDS.items():
        which = np.flatnonzero(technology == name)
        weight = people**power * np.where(is_mountain, 0.75, 1.0)
        cell = rng.choice(len(people), len(which), p=weight / weight.sum())
        lon[which] = cell_lon[cell] + rng.uniform(-0.5, 0.5, len(which)) * CELL_DEG
        lat[which] = corner[1] - (rows[cell] + rng.uniform(0, 1, len(which))) * CELL_DEG
        density[which] = people[cell] / 0.29  # persons per km², a cell being 0.29 km²
    place = np.where(density > 900, "town", "country")
    sites = pd.DataFrame({"lon": lon, "lat": lat, "operator": operator, "technology": technology})
    sites["frequency_mhz"] = [BANDS_MHZ[key] for key in zip(technology, place, strict=True)]
    is_dense_5g = (technology == "5G") & (density > 4000) & (rng.random(N_SITES) < 0.5)
    sites.loc[is_dense_5g, "frequency_mhz"] = 3500
    sites["antenna_height_m"] = np.where(place == "town", 30, 42) + rng.integers(-6, 7, N_SITES)
    sites["azimuth"] = rng.integers(0, 120, N_SITES)
    sites["radius_m"] = _declared_radius(sites, rng)
    sites["status"] = rng.choice(["on_air", "planned", "retired"], N_SITES, p=[0.96, 0.03, 0.01])
    years = {"2G": 2008, "3G": 2012, "4G": 2018, "5G": 2024}
    start = pd.to_datetime([f"{years[t]}-01-01" for t in technology])
    sites["on_air_date"] = start + pd.to_timedelta(rng.integers(0, 900, N_SITES), unit="D")
    sites.loc[sites["status"] == "planned", "on_air_date"] = pd.Timestamp("2027-06-30")
    return _cells(_in_communes(sites, communes))


def _declared_radius(sites: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    radius = sites["frequency_mhz"].map(RADIUS_M) * rng.uniform(0.8, 1.2, len(sites))
    return np.where(sites["operator"].isin(DECLARES_RADIUS), (radius / 50).round() * 50, np.nan)


def _in_communes(sites: pd.DataFrame, communes: gpd.GeoDataFrame) -> pd.DataFrame:
    """Name each site after the commune it stands in; those at sea or abroad are left out."""
    points = shapely.points(sites["lon"].round(5), sites["lat"].round(5))
    site, commune = shapely.STRtree(communes.geometry.to_numpy()).query(points, predicate="within")
    order = np.argsort(site)
    kept = sites.iloc[site[order]].reset_index(drop=True)
    names = communes["commune_name"].to_numpy()[commune[order]]
    number = pd.Series(names).groupby(names).cumcount() + 1
    short = [name.split(" ", 1)[1] for name in names]
    return kept.assign(
        commune_name=names,
        site_name=[f"Trạm {name} {n}" for name, n in zip(short, number, strict=True)],
        site_id=[
            f"TH{op[:2].upper()}{i:04d}"
            for i, op in enumerate(kept["operator"], start=1)
        ],
    )  # fmt: skip


def _cells(sites: pd.DataFrame) -> pd.DataFrame:
    """Return three rows a site, one for each sector; a few small sites are omnidirectional."""
    cells = sites.loc[sites.index.repeat(3)].reset_index(drop=True)
    sector = np.tile([0, 1, 2], len(sites))
    is_omni = np.repeat(np.arange(len(sites)) % 50 == 0, 3)
    azimuth = (cells["azimuth"] + 120 * sector) % 360
    cells = cells.assign(
        sector_id=sector + 1,
        azimuth_deg=azimuth.where(~is_omni).astype("Int64"),
        beamwidth_deg=pd.Series(120, index=cells.index).where(~is_omni).astype("Int64"),
        radius_m=cells["radius_m"].astype("Int64"),
        lon=cells["lon"].round(5),
        lat=cells["lat"].round(5),
        on_air_date=cells["on_air_date"].dt.strftime("%Y-%m-%d"),
        note="synthetic",
    )[~is_omni | (sector == 0)]
    return cells[
        ["site_id", "sector_id", "site_name", "commune_name", "operator", "technology",
         "frequency_mhz", "antenna_height_m", "azimuth_deg", "beamwidth_deg", "radius_m",
         "status", "on_air_date", "lon", "lat", "note"]
    ]  # fmt: skip


def make_service(communes: gpd.GeoDataFrame, centres: np.ndarray) -> pd.DataFrame:
    """Return who sells which broadband in each commune; the mountains have real-looking gaps."""
    rng = np.random.default_rng(SERVICE_SEED)
    rows = []
    for commune, (lon, _) in zip(communes.itertuples(), centres, strict=True):
        remoteness = float(np.clip((MOUNTAIN_LON - lon) / 0.6, 0, 1))
        fate = rng.random()
        if fate < 0.06 * remoteness:
            continue  # nobody has reported: unknown
        villages = max(4, round(commune.population / 900))
        is_no = fate < 0.16 * remoteness
        for operator, strength in (("Viettel", 0.97), ("VNPT", 0.85), ("FPT Telecom", 0.45)):
            reach = strength * (1 - 0.45 * remoteness) * rng.uniform(0.85, 1.03)
            if operator != "Viettel" and rng.random() > strength * (1 - 0.6 * remoteness):
                continue
            share = 0.0 if is_no else min(1.0, reach)
            rows.append(_plan(commune, operator, "FTTH", share, villages, rng))
        if remoteness > 0.3 and not is_no and rng.random() < 0.3:
            rows.append(_plan(commune, "Viettel", "FWA", rng.uniform(0.3, 0.9), villages, rng))
    table = pd.DataFrame(rows)
    counts = ("households_passed", "subscribers", "price_vnd_month", "villages_served", "villages")
    return table.astype(dict.fromkeys(counts, "Int64"))


def _plan(
    commune: tuple, operator: str, technology: str, share: float, villages: int,
    rng: np.random.Generator,
) -> dict[str, object]:  # fmt: skip
    passed = int(share * commune.households)
    speed = int(rng.choice([100, 150, 300] if technology == "FTTH" else [30, 50]))
    cheap = [99_000, 105_000] if technology == "FTTH" else [70_000, 90_000]
    usual = [165_000, 180_000, 220_000] if technology == "FTTH" else [120_000, 150_000]
    price = int(rng.choice(cheap if rng.random() < 0.35 else usual))
    return {
        "commune_code": commune.commune_code,
        "vintage": "2025",
        "commune_name": commune.commune_name,
        "operator": operator,
        "technology": technology,
        "downlink_mbps": speed,
        "uplink_mbps": speed if technology == "FTTH" else speed // 5,
        "households_passed": passed,
        "subscribers": int(passed * rng.uniform(0.25, 0.7)),
        "price_vnd_month": price,
        "at_centre": ["true", "false", ""][int(rng.choice(3, p=[0.85, 0.05, 0.1]))]
        if passed
        else "false",
        "villages_served": round(min(1.0, share + 0.08) * villages) if passed else 0,
        "villages": villages,
        "as_of": DAY.strftime("%Y-%m-%d"),
        "evidence": "declared",
        "note": "synthetic",
    }

"""Draw up the land around Vietnam that web maps show as quiet context.

    python data/context/land.py land-10m.json coverage/phusong/publish/assets/land.json

The first is a file of the npm package world-atlas 2.0.2: Natural Earth 1:10m land (version 4.1.0,
public domain) as TopoJSON. Land is clipped to the surroundings, simplified to 700 m, and written
as rings in whole pixels of zoom 10; islands under 1,500 km² are left out, and no border is drawn.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

AROUND = (97.0, 3.0, 121.5, 27.5)
TOLERANCE_M, LEAST_KM2, ZOOM = 700, 1500, 10
CORNER_M = np.pi * 6_378_137


def read_land(path: Path) -> shapely.Geometry:
    """Return the land of a TopoJSON file, EPSG:4326, within the surroundings."""
    topology = json.loads(path.read_text(encoding="utf-8"))
    scale, shift = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    arcs = [np.cumsum(arc, axis=0) * scale + shift for arc in topology["arcs"]]

    def ring(numbers: list[int]) -> np.ndarray:
        runs = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in numbers]
        return np.concatenate([runs[0], *(run[1:] for run in runs[1:])])

    land = topology["objects"]["land"]["geometries"][0]["arcs"]
    polygons = [shapely.Polygon(ring(p[0]), [ring(hole) for hole in p[1:]]) for p in land]
    near = [p for p in polygons if p.intersects(shapely.box(*AROUND))]
    return shapely.union_all([p.buffer(0).intersection(shapely.box(*AROUND)) for p in near])


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    land = gpd.GeoSeries([read_land(source)], crs="EPSG:4326").explode(ignore_index=True)
    land = land[land.to_crs("EPSG:6933").area > LEAST_KM2 * 1e6].to_crs("EPSG:3857")
    unit_m = 2 * CORNER_M / 256 / 2**ZOOM
    rings = []
    for line in shapely.get_rings(land.simplify(TOLERANCE_M).to_numpy()):
        xy = np.array([1, -1]) * shapely.get_coordinates(line) + CORNER_M
        whole = np.rint(xy / unit_m).astype(int)
        rings.append(np.diff(whole, axis=0, prepend=0).reshape(-1).tolist())
    text = json.dumps({"zoom": ZOOM, "rings": rings}, separators=(",", ":"))
    target.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

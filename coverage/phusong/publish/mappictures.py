"""What is not covered inside the communes, as pictures that lie on a web map."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import rasterio.warp
import xarray as xr
from affine import Affine
from PIL import Image
from rasterio.features import rasterize
from rasterio.transform import array_bounds

__all__ = ["UNCOVERED_RGBA", "uncovered_pictures"]

WEB_MERCATOR = "EPSG:3857"
# What is not covered is washed out: the colour of the class stays readable under it.
UNCOVERED_RGBA = ((0, 0, 0, 0), (255, 255, 255, 70), (255, 255, 255, 130), (255, 255, 255, 175))


def uncovered_pictures(
    communes: gpd.GeoDataFrame, coverage: Sequence[xr.DataArray], *, max_pixels: int
) -> list[dict[str, object]]:
    """Return, by province and service, a picture of what is not covered inside the communes.

    Parameters
    ----------
    communes : GeoDataFrame
    coverage : sequence of DataArray
        By province, in the order of the codes; dims (service, y, x), share of each cell covered.
    max_pixels : int
        The longer side of a picture has no more.

    Returns
    -------
    list of dict
        `service`, `url` (a palette PNG in EPSG:3857 as a data URL) and `bounds` (south, west,
        north, east, in degrees).
    """
    pictures: list[dict[str, object]] = []
    for inside, shares in _match_parts(communes, coverage):
        frame = _frame(shares, max_pixels)
        mask = rasterize(
            inside.geometry.to_crs(WEB_MERCATOR).to_numpy(), out_shape=frame.shape,
            transform=frame.target,
        )  # fmt: skip
        for service in shares["service"].to_numpy():
            url = _picture(shares.sel(service=service), mask == 1, frame)
            pictures.append({"service": str(service), "url": url, "bounds": frame.bounds})
    return pictures


def _match_parts(
    communes: gpd.GeoDataFrame, coverage: Sequence[xr.DataArray]
) -> Iterator[tuple[gpd.GeoDataFrame, xr.DataArray]]:
    """Yield each grid with the communes that it is of: the smallest grid on which they lie.

    Grids come by province; one whose islands lie far off has several, the first of them with its
    first commune. So the grids of the next province begin where its first commune is found.
    """
    provinces = [part for _, part in communes.groupby("province_code", sort=True)]
    grids: list[list[xr.DataArray]] = [[] for _ in provinces]
    at = 0
    for shares in coverage:
        is_ahead = at + 1 < len(provinces) and _is_within(provinces[at + 1].iloc[:1], shares).all()
        at += bool(is_ahead and grids[at])
        grids[at].append(shares)
    for own, parts in zip(provinces, grids, strict=True):
        sizes = [np.where(_is_within(own, shares), shares[0].size, np.inf) for shares in parts]
        for k, shares in enumerate(parts):
            is_in = np.isfinite(sizes[k]) & (np.argmin(sizes, axis=0) == k)
            if is_in.any():
                yield own[is_in], shares


def _is_within(communes: gpd.GeoDataFrame, shares: xr.DataArray) -> np.ndarray:
    """Return whether each commune lies on the grid."""
    x, y = shares["x"].to_numpy(), shares["y"].to_numpy()
    edge = float(shares.attrs["cell_m"])
    bounds = communes.to_crs(shares.attrs["crs"]).bounds
    return np.asarray(
        (bounds["minx"] >= x.min() - edge) & (bounds["maxx"] <= x.max() + edge)
        & (bounds["miny"] >= y.min() - edge) & (bounds["maxy"] <= y.max() + edge)
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Where a picture lies: the transforms of the grid and of the picture, and its shape."""

    source: Affine
    target: Affine
    shape: tuple[int, int]

    @property
    def bounds(self) -> list[float]:
        """South, west, north and east in degrees."""
        west, south, east, north = rasterio.warp.transform_bounds(
            WEB_MERCATOR, "EPSG:4326", *array_bounds(*self.shape, self.target)
        )
        return [south, west, north, east]


def _frame(shares: xr.DataArray, max_pixels: int) -> _Frame:
    cell, shape = float(shares.attrs["cell_m"]), shares.shape[-2:]
    source = Affine(cell, 0, float(shares["x"][0]) - cell / 2,
                    0, -cell, float(shares["y"][0]) + cell / 2)  # fmt: skip
    target, width, height = rasterio.warp.calculate_default_transform(
        shares.attrs["crs"], WEB_MERCATOR, shape[1], shape[0], *array_bounds(*shape, source)
    )
    shrink = max(width, height) / max_pixels
    if shrink > 1:
        target, width, height = rasterio.warp.aligned_target(
            target, width, height, target.a * shrink
        )
    return _Frame(source=source, target=target, shape=(height, width))


def _picture(shares: xr.DataArray, mask: np.ndarray, frame: _Frame) -> str:
    """Return a palette PNG as a data URL: what is not covered, where the mask is."""
    warped = np.ones(frame.shape)
    rasterio.warp.reproject(
        np.asarray(shares, dtype="float64"), warped, src_transform=frame.source,
        src_crs=shares.attrs["crs"], dst_transform=frame.target, dst_crs=WEB_MERCATOR,
        resampling=rasterio.warp.Resampling.nearest, init_dest_nodata=False,
    )  # fmt: skip
    classes = np.where(mask, np.digitize(1 - warped, [0.1, 0.5, 0.9]), 0).astype("uint8")
    picture = Image.fromarray(classes).convert("P")
    picture.putpalette([part for rgba in UNCOVERED_RGBA for part in rgba[:3]])
    buffer = io.BytesIO()
    alpha = bytes(rgba[3] for rgba in UNCOVERED_RGBA)
    picture.save(buffer, format="PNG", transparency=alpha, optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()

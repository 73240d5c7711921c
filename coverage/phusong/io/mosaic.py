"""Whether communes lie side by side: what is in two of them, and what is in none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from phusong.errors import Problem
from phusong.io.frames import METRES_PER_DEGREE
from phusong.io.geometry import areas_km2
from phusong.partition import find_enclosed

__all__ = ["find_gaps", "find_overlaps"]

# Below 1 ha a strip between two neighbours is a sliver: lines drawn twice, not land.
SLIVER_KM2 = 0.01
# Official communes share lines; maps of old censuses and other places are drawn more loosely.
OVERLAP_SHARE_KNOWN = 0.01
OVERLAP_SHARE = 0.10
SHOWN = 20
STANDS_APART_M = 2_000.0
FAR_M = 100_000.0


def find_overlaps(
    shapes: np.ndarray, labels: Sequence[str], areas: np.ndarray, is_known: np.ndarray
) -> tuple[list[Problem], list[str]]:
    """Return overlaps that would count people twice, and notes on the others.

    Parameters
    ----------
    shapes : array of valid polygons, degrees
    labels : sequence of str
    areas : array of float
        km² of each.
    is_known : array of bool
        Which are on the official list: between these, 1 % of the smaller is too much, else 10 %.
    """
    suspects = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes)))
    if not len(suspects):
        return [], []
    # of a commune inside another only the inner one has invalid edges
    found, other = shapely.STRtree(shapes).query(shapes[suspects], predicate="intersects")
    pairs = np.sort(np.column_stack([suspects[found], other]), axis=1)
    a, b = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0).T
    overlap = areas_km2(shapely.intersection(shapes[a], shapes[b]))
    a, b, overlap = a[overlap > 0], b[overlap > 0], overlap[overlap > 0]
    share = overlap / np.minimum(areas[a], areas[b])
    limit = np.where(is_known[a] & is_known[b], OVERLAP_SHARE_KNOWN, OVERLAP_SHARE)
    problems = [
        Problem(row=int(a[k]) + 1, field="geometry",
                found=f"{labels[a[k]]} overlaps {labels[b[k]]} (row {b[k] + 1}) by "
                      f"{overlap[k]:.2f} km², {share[k]:.1%} of the smaller",
                expected=f"at most {limit[k]:.0%}", message="overlap (chồng lấn): counted twice")
        for k in np.argsort(-share)
        if share[k] > limit[k]
    ]  # fmt: skip
    return problems, _describe_overlaps(a, b, overlap, labels)


def _describe_overlaps(
    a: np.ndarray, b: np.ndarray, overlap: np.ndarray, labels: Sequence[str]
) -> list[str]:
    if not len(overlap):
        return []
    is_large = overlap >= SLIVER_KM2
    text = (
        f"overlaps: {len(overlap)} pairs of communes, {overlap.sum():.4f} km² in all; "
        f"{(~is_large).sum()} of them are slivers below the tolerance of {SLIVER_KM2} km²"
    )
    order = [k for k in np.argsort(-overlap) if is_large[k]]
    listed = [f"{labels[a[k]]} and {labels[b[k]]} {overlap[k]:.3f} km²" for k in order[:SHOWN]]
    if len(order) > SHOWN:
        listed.append(f"and {len(order) - SHOWN} more")
    return [f"{text}{': ' if listed else ''}{'; '.join(listed)}"]


def find_gaps(shapes: np.ndarray, labels: Sequence[str]) -> list[str]:
    """Return notes on land that no commune has: holes between them, and communes that stand apart.

    Places and people there are in no commune; they are not moved into one.
    """
    holes = find_enclosed(shapes)
    notes = []
    if len(holes):
        notes += _describe_holes(holes, shapes, labels)
    return notes + _describe_apart(_standing_apart(shapes), labels)


def _describe_holes(holes: np.ndarray, shapes: np.ndarray, labels: Sequence[str]) -> list[str]:
    areas = areas_km2(holes)
    is_large = areas >= SLIVER_KM2
    text = (
        f"gaps (khe hở): {len(holes)} holes between communes, {areas.sum():.4f} km² in all; "
        f"{(~is_large).sum()} of them are slivers below the tolerance of {SLIVER_KM2} km²"
    )
    order = [k for k in np.argsort(-areas) if is_large[k]]
    tree = shapely.STRtree(shapes)
    listed = []
    for k in order[:SHOWN]:
        around = sorted(tree.query(holes[k], predicate="intersects"))
        listed.append(f"{areas[k]:.3f} km² at {', '.join(labels[i] for i in around)}")
    if len(order) > SHOWN:
        listed.append(f"and {len(order) - SHOWN} more")
    return [f"{text}{': ' if listed else ''}{'; '.join(listed)}"]


def _describe_apart(apart: dict[int, float], labels: Sequence[str]) -> list[str]:
    near = [f"{labels[i]} ({m:.0f} m)" for i, m in apart.items() if m <= STANDS_APART_M]
    far = [f"{labels[i]} ({m / 1000:.0f} km)" for i, m in apart.items() if m >= FAR_M]
    notes = []
    if near:
        notes.append(
            f"gaps (khe hở): {len(near)} communes touch no other, though one is within "
            f"{STANDS_APART_M / 1000:.0f} km: {'; '.join(near[:SHOWN])}"
        )
    if far:
        notes.append(
            f"{len(far)} communes lie more than {FAR_M / 1000:.0f} km from any other: "
            f"{'; '.join(far[:SHOWN])}"
        )
    return notes


def _standing_apart(shapes: np.ndarray) -> dict[int, float]:
    """Return the polygons that touch no other, and how many metres away the nearest one is."""
    tree = shapely.STRtree(shapes)
    a, b = tree.query(shapes, predicate="intersects")
    alone = np.setdiff1d(np.flatnonzero(~shapely.is_empty(shapes)), a[a != b])
    if not len(alone) or len(shapes) < 2:
        return {}
    pairs, distances = tree.query_nearest(shapes[alone], exclusive=True, return_distance=True)
    return dict(
        zip(alone[pairs[0]].tolist(), (distances * METRES_PER_DEGREE).tolist(), strict=True)
    )

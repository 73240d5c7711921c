"""The compiled half of `points`: which zones touch which cell, and which of them hold a point.

A cell is known by its south-west corner. Whether a point lies in a zone is the corner's answer,
turned over by each edge that crosses the path from the corner: north along the cell's side, then
east. The corner is thought a hair to the east of its place and the path a much larger hair to the
north, so that no vertex lies on the path; then all answers are signs of exact orientations.
"""

from __future__ import annotations

import numpy as np

from phusong.kernels import kernel
from phusong.orientation import orient

__all__ = ["add_points", "locate_batch", "paint_labels", "scan_touches", "touch_cells"]

NOWHERE = -1  # in no zone; labels below it name a cell of several answers: -2 is the first


@kernel
def side_of(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> float:
    """Return the side of a → b on which (x, y) lies, moved a hair north and a lesser hair east."""
    side = orient(ax, ay, bx, by, x, y)
    if side == 0.0:
        side = bx - ax
    if side == 0.0:
        side = ay - by
    return side


@kernel
def touch_cells(
    xy: np.ndarray,
    ring_starts: np.ndarray,
    zone_rings: np.ndarray,
    first_zone: int,
    last_zone: int,
    lattice: tuple[float, float, float],
    shape: tuple[int, int],
    slack: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what happens in the cells along the borders of some zones: keys and edges, unsorted.

    Key = ((zone · rows + row) · columns + column) · 2, with edge -1, where an edge crosses the
    southern line of the row between the corners of the cell before and of this one; and that + 1,
    with the edge, where an edge comes within `slack` cells of the cell.
    """
    keys, edges = np.empty((1024, 1), np.int64), np.empty((1024, 1), np.int32)
    n = 0
    x_min, y_min, step = lattice
    for zone in range(first_zone, last_zone):
        for ring in range(zone_rings[zone], zone_rings[zone + 1]):
            for i in range(ring_starts[ring], ring_starts[ring + 1] - 1):
                ax, ay, bx, by = xy[i, 0], xy[i, 1], xy[i + 1, 0], xy[i + 1, 1]
                if ay > by:
                    ax, ay, bx, by = bx, by, ax, ay
                low, high = (ay - y_min) / step, (by - y_min) / step
                for row in range(int(np.floor(low - slack)), int(np.floor(high + slack)) + 1):
                    line = (zone * shape[0] + row) * shape[1]
                    west, east = _span(ax, ay, bx, by, x_min, y_min, step, row, slack)
                    if n + east - west + 2 > len(keys):
                        room = max(2 * len(keys), n + east - west + 2)
                        keys, edges = _grow(keys, room), _grow(edges, room)
                    for column in range(west, east + 1):
                        keys[n, 0], edges[n, 0] = 2 * (line + column) + 1, i
                        n += 1
                    y = y_min + row * step
                    if ay <= y < by:
                        column = _corner_east(ax, ay, bx, by, x_min, step, y)
                        keys[n, 0], edges[n, 0] = 2 * (line + column), -1
                        n += 1
    return keys[:n, 0].copy(), edges[:n, 0].copy()


@kernel
def _grow(rows: np.ndarray, n: int) -> np.ndarray:
    grown = np.empty((n, rows.shape[1]), rows.dtype)
    grown[: len(rows)] = rows
    return grown


@kernel
def _span(
    ax: float,
    ay: float,
    bx: float,
    by: float,
    x_min: float,
    y_min: float,
    step: float,
    row: int,
    slack: float,
) -> tuple[int, int]:
    """Return the first and last column that an edge (a below b) meets in a row, with slack."""
    start, end = ax, bx
    if by > ay:
        south = y_min + (row - slack) * step
        north = y_min + (row + 1 + slack) * step
        if south > ay:
            start = ax + (south - ay) / (by - ay) * (bx - ax)
        if north < by:
            end = ax + (north - ay) / (by - ay) * (bx - ax)
    west = max(min(start, end), min(ax, bx))
    east = min(max(start, end), max(ax, bx))
    return (
        int(np.floor((west - x_min) / step - slack)),
        int(np.floor((east - x_min) / step + slack)),
    )


@kernel
def _corner_east(
    ax: float, ay: float, bx: float, by: float, x_min: float, step: float, y: float
) -> int:
    """Return the first corner of the line at y that is east of the edge (a below b)."""
    x = ax + (y - ay) / (by - ay) * (bx - ax)
    column = int(np.floor((x - x_min) / step))
    while side_of(ax, ay, bx, by, x_min + column * step, y) < 0.0:
        column -= 1
    while side_of(ax, ay, bx, by, x_min + column * step, y) > 0.0:
        column += 1
    return column


@kernel
def scan_touches(
    keys: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return runs (row, zone, first, last), borders (row, zone, column, corner) and their edges.

    `keys` are those of `touch_cells`, sorted; edges are counted. `corner` is 1 where it is inside.
    """
    runs, borders = np.empty((len(keys), 4), np.int32), np.empty((len(keys), 4), np.int32)
    counts = np.zeros(len(keys), np.int64)
    n_runs = n_borders = 0
    corner = 0
    line_before = column_before = np.int64(-1)
    for i in range(len(keys)):
        cell = keys[i] // 2
        line, column = cell // shape[1], cell % shape[1]
        if line != line_before:
            corner, line_before, column_before = 0, line, column
        if keys[i] % 2 == 0:
            corner = 1 - corner
            continue
        zone, row = line // shape[0], line % shape[0]
        if i > 0 and keys[i - 1] == keys[i]:
            counts[n_borders - 1] += 1
            continue
        if corner == 1 and column > column_before + 1:
            runs[n_runs, 0], runs[n_runs, 1] = row, zone
            runs[n_runs, 2], runs[n_runs, 3] = column_before + 1, column
            n_runs += 1
        borders[n_borders, 0], borders[n_borders, 1] = row, zone
        borders[n_borders, 2], borders[n_borders, 3] = column, corner
        counts[n_borders] = 1
        n_borders += 1
        column_before = column
    return runs[:n_runs].copy(), borders[:n_borders].copy(), counts[:n_borders].copy()


@kernel
def paint_labels(
    runs: np.ndarray, borders: np.ndarray, index: np.ndarray, side: int, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Write the zone of each cell, or -2 - i where it has several answers; i counts such cells.

    Returns the i of each border, (i, zone) of zones that hold such a cell whole, and how many.
    """
    mixed = np.empty(len(borders), np.int32)
    whole = np.empty((1024, 2), np.int32)
    n_mixed = n_whole = 0
    for k in range(len(borders)):
        row, column = borders[k, 0], borders[k, 2]
        at = (index[row // side, column // side] * side + row % side) * side + column % side
        if labels[at] == NOWHERE:
            labels[at] = -2 - n_mixed
            n_mixed += 1
        mixed[k] = -2 - labels[at]
    for k in range(len(runs)):
        row, zone = runs[k, 0], runs[k, 1]
        for column in range(runs[k, 2], runs[k, 3]):
            at = (index[row // side, column // side] * side + row % side) * side + column % side
            if labels[at] == NOWHERE:
                labels[at] = zone
                continue
            if n_whole + 2 > len(whole):
                whole = _grow(whole, 2 * len(whole))
            if labels[at] >= 0:
                whole[n_whole, 0], whole[n_whole, 1] = n_mixed, labels[at]
                labels[at] = -2 - n_mixed
                n_mixed += 1
                n_whole += 1
            whole[n_whole, 0], whole[n_whole, 1] = -2 - labels[at], zone
            n_whole += 1
    return mixed, whole[:n_whole].copy(), n_mixed


@kernel
def locate_batch(
    x: np.ndarray,
    y: np.ndarray,
    lattice: tuple[float, float, float],
    index: np.ndarray,
    side: int,
    labels: np.ndarray,
    starts: np.ndarray,
    candidates: np.ndarray,
    edges: np.ndarray,
    positions: np.ndarray,
    found: np.ndarray,
) -> tuple[int, int]:
    """Write each point's zone; return how many lie in several and how many have no place."""
    x_min, y_min, step = lattice
    n_rows, n_columns = index.shape[0] * side, index.shape[1] * side
    per_step = 1.0 / step
    n_shared = n_unplaced = 0
    for k in range(len(x)):
        found[k] = NOWHERE
        if not (np.isfinite(x[k]) and np.isfinite(y[k])):
            n_unplaced += 1
            continue
        u, v = np.floor((x[k] - x_min) * per_step), np.floor((y[k] - y_min) * per_step)
        if not (0 <= u < n_columns and 0 <= v < n_rows):
            continue
        column, row = int(u), int(v)
        slot = index[row // side, column // side]
        if slot < 0:
            continue
        label = labels[(slot * side + row % side) * side + column % side]
        if label >= 0:
            found[k] = positions[label]
        if label >= NOWHERE:
            continue
        n, rank = _holders(
            x[k], y[k], x_min + column * step, y_min + row * step,
            starts[-2 - label], starts[-1 - label], candidates, edges,
        )  # fmt: skip
        if n > 0:
            found[k] = positions[rank]
        n_shared += n > 1
    return n_shared, n_unplaced


@kernel
def _holders(
    x: float,
    y: float,
    west: float,
    south: float,
    first: int,
    last: int,
    candidates: np.ndarray,
    edges: np.ndarray,
) -> tuple[int, int]:
    """Return how many of a cell's zones cover a point, and the first; its corner: (west, south)."""
    n, rank = 0, -1
    for j in range(first, last):
        inside = candidates[j, 1] == 1
        for e in range(candidates[j, 2], candidates[j, 3]):
            ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
            if (
                min(ax, bx) <= x <= max(ax, bx)
                and min(ay, by) <= y <= max(ay, by)
                and orient(ax, ay, bx, by, x, y) == 0.0
            ):
                inside = True
                break
            across, up = (ay > y) != (by > y), (ax > west) != (bx > west)
            if not (across or up):
                continue
            turn = side_of(ax, ay, bx, by, west, y) > 0.0
            if across and turn != (side_of(ax, ay, bx, by, x, y) > 0.0):
                inside = not inside
            if up and turn != (side_of(ax, ay, bx, by, west, south) > 0.0):
                inside = not inside
        if inside:
            rank = candidates[j, 0] if n == 0 else rank
            n += 1
    return n, rank


@kernel
def add_points(
    found: np.ndarray, hundredths: np.ndarray, counts: np.ndarray, sums: np.ndarray
) -> None:
    """Count the points of each zone, and add their values, shape (columns, points)."""
    for k in range(len(found)):
        zone = found[k]
        if zone >= 0:
            counts[zone] += 1
            for j in range(len(hundredths)):
                sums[j, zone] += hundredths[j, k]

"""The compiled half of `zonal`: polygons to runs and border cells, and sums over these."""

from __future__ import annotations

import numpy as np

from phusong.kernels import kernel

__all__ = [
    "cross_row", "group_by_row", "overlap_chunk", "paint_band", "place_rows", "scan_rows",
    "sort_rows", "sum_band", "with_room",
]  # fmt: skip

# Sums of cell fractions are whole to about 1e-12; anything within this of 0 or 1 is 0 or 1.
TOLERANCE = 1e-9
# Rows of a zone with more crossings than this are sorted by merging, the others by insertion.
FEW = 48


@kernel
def overlap_chunk(
    xy: np.ndarray,
    ring_starts: np.ndarray,
    zone_rings: np.ndarray,
    first_zone: int,
    last_zone: int,
    shape: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return runs, borders and fractions of some zones, by zone, row and column.

    `xy` are vertices in (column, row) coordinates of the grid, exterior rings anticlockwise on the
    map; ring i has the vertices `ring_starts[i]:ring_starts[i + 1]`, zone z the rings
    `zone_rings[z]:zone_rings[z + 1]`.
    """
    room = total = 0
    for zone in range(first_zone, last_zone):
        steps = _count_steps(xy, ring_starts, zone_rings[zone], zone_rings[zone + 1])
        room, total = max(room, steps), total + steps
    row, column = np.empty(room, np.int32), np.empty(room, np.int32)
    cover, area = np.empty(room), np.empty(room)
    by_row = np.empty(room, np.int64), np.empty(room), np.empty(room)
    starts = np.empty(shape[0] + 2, np.int64)
    runs = np.empty((total, 4), np.int32)
    borders, fractions = np.empty((total, 3), np.int32), np.empty((total, 1))
    n_runs = n_borders = 0
    for zone in range(first_zone, last_zone):
        n = _walk_rings(
            xy, ring_starts, zone_rings[zone], zone_rings[zone + 1], row, column, cover, area
        )
        if n == 0:
            continue
        first_row, n_rows = group_by_row(n, row, column, cover, area, starts, *by_row)
        span = sort_rows(starts, n_rows, *by_row)
        borders = with_room(borders, n_borders + span)
        fractions = with_room(fractions, n_borders + span)
        n_runs, n_borders = scan_rows(
            starts, n_rows, *by_row, first_row, zone, n_runs, n_borders, runs, borders, fractions
        )
    return runs[:n_runs], borders[:n_borders], fractions[:n_borders, 0]


@kernel
def _count_steps(xy: np.ndarray, ring_starts: np.ndarray, first: int, last: int) -> int:
    """Return at least as many steps as the edges of these rings take through cells."""
    steps = 0
    for ring in range(first, last):
        for i in range(ring_starts[ring], ring_starts[ring + 1] - 1):
            across = abs(np.floor(xy[i + 1, 0]) - np.floor(xy[i, 0]))
            down = abs(np.floor(xy[i + 1, 1]) - np.floor(xy[i, 1]))
            steps += int(across + down) + 2
    return steps


@kernel
def _walk_rings(
    xy: np.ndarray,
    ring_starts: np.ndarray,
    first: int,
    last: int,
    row: np.ndarray,
    column: np.ndarray,
    cover: np.ndarray,
    area: np.ndarray,
) -> int:
    """Write what each edge adds to each cell that it crosses; return how many there are."""
    n = 0
    for i in range(ring_starts[first], ring_starts[last] - 1):
        if i + 1 == ring_starts[first + 1]:  # the next ring begins
            first += 1
            continue
        x0, y0, x1, y1 = xy[i, 0], xy[i, 1], xy[i + 1, 0], xy[i + 1, 1]
        if y0 == y1:
            continue
        sign = 1.0  # rows grow southwards, rings run anticlockwise: a western edge goes down
        if y0 > y1:
            x0, y0, x1, y1, sign = x1, y1, x0, y0, -1.0
        slope = (x1 - x0) / (y1 - y0)
        west, east = min(x0, x1), max(x0, x1)
        x, y = x0, y0
        r = int(np.floor(y0))
        while y < y1:
            y_next = min(float(r + 1), y1)
            x_next = x1 if y_next == y1 else min(max(x0 + (y_next - y0) * slope, west), east)
            n = cross_row(x, x_next, y_next - y, sign, r, n, row, column, cover, area)
            x, y = x_next, y_next
            r += 1
    return n


@kernel
def cross_row(
    x: float,
    x_next: float,
    height: float,
    sign: float,
    r: int,
    n: int,
    row: np.ndarray,
    column: np.ndarray,
    cover: np.ndarray,
    area: np.ndarray,
) -> int:
    left, right = min(x, x_next), max(x, x_next)
    c = int(np.floor(left))
    at = left
    is_one_cell = right <= c + 1
    fall = height if is_one_cell else height / (right - left)
    while True:
        edge = min(float(c + 1), right)
        part = fall if is_one_cell else fall * (edge - at)
        row[n] = r
        column[n] = c
        cover[n] = sign * part
        area[n] = sign * part * (1.0 - (0.5 * (at + edge) - c))
        n += 1
        if edge >= right:
            return n
        at = edge
        c += 1


@kernel
def group_by_row(
    n: int,
    row: np.ndarray,
    column: np.ndarray,
    cover: np.ndarray,
    area: np.ndarray,
    starts: np.ndarray,
    columns: np.ndarray,
    covers: np.ndarray,
    areas: np.ndarray,
) -> tuple[int, int]:
    """Sort `n` steps by row, counting; return the first row and how many. Row i has starts[i:i+2].

    The rows of a zone are few beside its steps.
    """
    first_row, last_row = row[0], row[0]
    for i in range(1, n):
        first_row, last_row = min(first_row, row[i]), max(last_row, row[i])
    n_rows = last_row - first_row + 1
    starts[: n_rows + 1] = 0
    for i in range(n):
        starts[row[i] - first_row + 1] += 1
    for r in range(n_rows):
        starts[r + 1] += starts[r]
    for i in range(n):
        at = starts[row[i] - first_row]
        starts[row[i] - first_row] += 1
        columns[at], covers[at], areas[at] = column[i], cover[i], area[i]
    for r in range(n_rows, 0, -1):
        starts[r] = starts[r - 1]
    starts[0] = 0
    return first_row, n_rows


@kernel
def sort_rows(
    starts: np.ndarray, n_rows: int, columns: np.ndarray, covers: np.ndarray, areas: np.ndarray
) -> int:
    """Sort the steps of each row by column, equal ones in their order; return the cells spanned."""
    span = 0
    for r in range(n_rows):
        start, stop = starts[r], starts[r + 1]
        if stop - start > FEW:
            order = start + np.argsort(columns[start:stop], kind="mergesort")
            columns[start:stop] = columns[order]
            covers[start:stop] = covers[order]
            areas[start:stop] = areas[order]
        else:
            for i in range(start + 1, stop):
                at, c, a = columns[i], covers[i], areas[i]
                j = i
                while j > start and columns[j - 1] > at:
                    columns[j], covers[j], areas[j] = columns[j - 1], covers[j - 1], areas[j - 1]
                    j -= 1
                columns[j], covers[j], areas[j] = at, c, a
        if start < stop:
            span += columns[stop - 1] - columns[start] + 1
    return span


@kernel
def with_room(rows: np.ndarray, n: int) -> np.ndarray:
    if n <= len(rows):
        return rows
    grown = np.empty((max(n, 2 * len(rows)), rows.shape[1]), rows.dtype)
    grown[: len(rows)] = rows
    return grown


@kernel
def scan_rows(
    starts: np.ndarray,
    n_rows: int,
    columns: np.ndarray,
    covers: np.ndarray,
    areas: np.ndarray,
    first_row: int,
    zone: int,
    n_runs: int,
    n_borders: int,
    runs: np.ndarray,
    borders: np.ndarray,
    fractions: np.ndarray,
) -> tuple[int, int]:
    """Sum the steps of each cell from west to east; whole cells become runs."""
    for r in range(n_rows):
        row = first_row + r
        left = 0.0
        run_first = last = -1
        i, stop = starts[r], starts[r + 1]
        while i < stop:
            c = columns[i]
            inside = left
            while i < stop and columns[i] == c:
                inside += areas[i]
                left += covers[i]
                i += 1
            last = columns[i] if i < stop else c + 1
            for at, until, fraction in ((c, c + 1, inside), (c + 1, last, left)):
                is_whole = fraction > 1.0 - TOLERANCE
                if at >= until or (is_whole and run_first >= 0):
                    continue
                if is_whole:
                    run_first = at
                    continue
                if run_first >= 0:
                    runs[n_runs, 0], runs[n_runs, 1] = row, zone
                    runs[n_runs, 2], runs[n_runs, 3] = run_first, at
                    n_runs += 1
                    run_first = -1
                if fraction < TOLERANCE:
                    continue
                for cell in range(at, until):
                    borders[n_borders, 0], borders[n_borders, 1] = row, zone
                    borders[n_borders, 2] = cell
                    fractions[n_borders, 0] = fraction
                    n_borders += 1
        if run_first >= 0:
            runs[n_runs, 0], runs[n_runs, 1], runs[n_runs, 2], runs[n_runs, 3] = (
                row, zone, run_first, last,
            )  # fmt: skip
            n_runs += 1
    return n_runs, n_borders


@kernel
def place_rows(
    rows: np.ndarray,
    fractions: np.ndarray,
    following: np.ndarray,
    placed: np.ndarray,
    placed_fractions: np.ndarray,
) -> None:
    """Copy each of `rows`, and its fraction if they have any, to the next place of its grid row."""
    for i in range(len(rows)):
        at = following[rows[i, 0]]
        following[rows[i, 0]] += 1
        for j in range(rows.shape[1]):
            placed[at, j] = rows[i, j]
        if len(fractions):
            placed_fractions[at] = fractions[i]


@kernel
def sum_band(
    runs: np.ndarray,
    borders: np.ndarray,
    fractions: np.ndarray,
    index: np.ndarray,
    tile: tuple[int, int],
    values: np.ndarray,
    covered: np.ndarray | None,
    sums: np.ndarray,
) -> bool:
    """Add values (times the covered share) to each zone's sum; False where a tile is missing.

    `values` and `covered` are the cells of all tiles, one tile after the other, row by row.
    """
    height, width = tile
    for i in range(len(runs)):
        row, zone, at, last = runs[i]
        while at < last:
            c = at // width
            stop = min(last, (c + 1) * width)
            slot = index[row // height, c]
            if slot < 0:
                return False
            start = (slot * height + row % height) * width + at - c * width
            total = 0.0
            for j in range(start, start + stop - at):
                if covered is None:
                    total += values[j]
                else:
                    total += values[j] * covered[j]
            sums[zone] += total
            at = stop
    for i in range(len(borders)):
        row, zone, column = borders[i]
        slot = index[row // height, column // width]
        if slot < 0:
            return False
        j = (slot * height + row % height) * width + column % width
        if covered is None:
            sums[zone] += fractions[i] * values[j]
        else:
            sums[zone] += fractions[i] * values[j] * covered[j]
    return True


@kernel
def paint_band(
    runs: np.ndarray,
    borders: np.ndarray,
    fractions: np.ndarray,
    index: np.ndarray,
    tile: tuple[int, int],
    values: np.ndarray,
) -> None:
    """Write 1 into the whole cells of the runs and the fractions into the border cells."""
    height, width = tile
    for i in range(len(runs)):
        row, at, last = runs[i, 0], runs[i, 2], runs[i, 3]
        while at < last:
            c = at // width
            stop = min(last, (c + 1) * width)
            slot = index[row // height, c]
            if slot >= 0:
                start = (slot * height + row % height) * width + at - c * width
                values[start : start + stop - at] = 1.0
            at = stop
    for i in range(len(borders)):
        row, column = borders[i, 0], borders[i, 2]
        slot = index[row // height, column // width]
        if slot >= 0:
            values[(slot * height + row % height) * width + column % width] = fractions[i]

"""What share of every cell a union of roses covers: its boundary, walked through the cells.

As in `zonal`, a piece of boundary adds its height in a cell to all cells on its right, and the
part of the cell right of it to the cell itself; under an arc that is the trapezoid under its chord
and the segment between chord and arc.
"""

from __future__ import annotations

import numpy as np

from phusong.grid import Grid
from phusong.kernels import in_threads, kernel
from phusong.union.curves import radius_before
from phusong.union.exposed import ARC
from phusong.union.roses import Roses
from phusong.zonal import ZonalWeights
from phusong.zonal_kernels import cross_row, group_by_row, scan_rows, sort_rows, with_room

__all__ = ["cover_cells"]

QUARTER = np.pi / 2


def cover_cells(
    roses: Roses, parts: np.ndarray, origin: tuple[float, float], grid: Grid, n_operators: int
) -> list[ZonalWeights]:
    """Return the covered share of the cells by layer: any operator, two or more, each.

    Parameters
    ----------
    roses : Roses
        Around `origin`, in metres of the grid's CRS.
    parts : array of PART
        Exposed parts, as `find_exposed` returns them.

    Returns
    -------
    list of ZonalWeights, 2 + n_operators
        One zone each: runs of covered cells, and cells partly covered with their share.
    """
    frame = np.array([grid.x_min - origin[0], grid.y_max - origin[1], grid.cell_m])

    def work(layer: int) -> ZonalWeights:
        runs, borders, fractions = _cover_layer(
            layer, roses.roses, roses.petals, parts, frame, *grid.shape
        )
        return ZonalWeights(grid=grid, n_zones=1, runs=runs, borders=borders, fractions=fractions)

    return in_threads(work, range(n_operators + 2))


@kernel
def _is_in_layer(layer, op, mask):
    if layer == 0:
        return mask == np.uint64(0)
    if layer == 1:
        return mask != np.uint64(0) and mask & (mask - np.uint64(1)) == np.uint64(0)
    return op == layer - 2


@kernel
def _cover_layer(layer, roses, petals, parts, frame, n_rows, n_columns):
    room = 1024
    row, column = np.empty(room, np.int32), np.empty(room, np.int32)
    cover, area = np.empty(room), np.empty(room)
    n: int = np.int64(0)  # type: ignore[assignment]  # one type from the start
    for part in parts:
        petal = petals[part.petal]
        rose = roses[petal.rose]
        if not _is_in_layer(layer, rose.op, part.mask):
            continue
        x, y = (rose.x - frame[0]) / frame[2], (frame[1] - rose.y) / frame[2]
        length = part.high - part.low
        if part.kind == ARC:
            length *= petal.radius
        need = n + 3 * int(length / frame[2]) + 32
        if need > room:
            room = 2 * need
            row, column = _longer(row, room, n), _longer(column, room, n)
            cover, area = _longer(cover, room, n), _longer(area, room, n)
        if part.kind == ARC:
            low, high = petal.angle + part.low, petal.angle + part.high
            m = _walk_arc(x, y, petal.radius / frame[2], low, high, n, row, column, cover, area)
        else:
            low, high = part.low, part.high
            if radius_before(rose, petals, part.petal) > petal.radius:
                low, high = high, low
            low, high = low / frame[2], high / frame[2]
            m = _walk_side(
                x + low * petal.ux, y - low * petal.uy, x + high * petal.ux, y - high * petal.uy,
                n, row, column, cover, area,
            )  # fmt: skip
        n = _keep_inside(n, m, row, column, cover, area, n_rows, n_columns)
    runs, borders, fractions = _scan(n, row, column, cover, area, n_rows)
    for i in range(len(runs)):
        runs[i, 3] = min(runs[i, 3], n_columns)
    is_inside = borders[:, 2] < n_columns
    return runs[runs[:, 2] < n_columns], borders[is_inside], fractions[is_inside]


@kernel
def _longer(values, room, n):
    longer = np.empty(room, values.dtype)
    longer[:n] = values[:n]
    return longer


@kernel
def _keep_inside(n, m, row, column, cover, area, n_rows, n_columns):
    """Keep, of the events n to m, those in rows of the grid.

    One west of the grid works from its first cell on, one east of it in a column beyond the last.
    """
    for i in range(n, m):
        if row[i] < 0 or row[i] >= n_rows:
            continue
        row[n], column[n], cover[n], area[n] = row[i], column[i], cover[i], area[i]
        if column[i] < 0:
            column[n], area[n] = 0, cover[i]
        elif column[i] >= n_columns:
            column[n], area[n] = n_columns, 0.0
        n += 1
    return n


@kernel
def _scan(n, row, column, cover, area, n_rows):
    """Sum the events of one layer into runs of whole cells and border cells, row by row."""
    runs = np.empty((n + 1, 4), np.int32)
    borders, shares = np.empty((n + 1, 3), np.int32), np.empty((n + 1, 1))
    n_runs = n_borders = 0
    if n > 0:
        columns, covers, areas = np.empty(n, np.int64), np.empty(n), np.empty(n)
        starts = np.empty(n_rows + 2, np.int64)
        first_row, n_found = group_by_row(
            n, row, column, cover, area, starts, columns, covers, areas
        )
        span = sort_rows(starts, n_found, columns, covers, areas)
        borders, shares = with_room(borders, span), with_room(shares, span)
        n_runs, n_borders = scan_rows(
            starts, n_found, columns, covers, areas, first_row, 0, 0, 0, runs, borders, shares
        )
    return runs[:n_runs], borders[:n_borders], shares[:n_borders, 0]


@kernel
def _walk_side(x0, y0, x1, y1, n, row, column, cover, area):
    """Walk a straight piece of boundary, the union on its left."""
    sign = 1.0
    if y0 > y1:
        x0, y0, x1, y1, sign = x1, y1, x0, y0, -1.0
    y, x = y0, x0
    r = int(np.floor(y0))
    while y < y1:
        next_y = min(float(r + 1), y1)
        next_x = x1 if next_y == y1 else x0 + (next_y - y0) * (x1 - x0) / (y1 - y0)
        n = cross_row(x, next_x, next_y - y, sign, r, n, row, column, cover, area)
        x, y = next_x, next_y
        r += 1
    return n


@kernel
def _walk_arc(x, y, radius, low, high, n, row, column, cover, area):
    """Walk an arc, anticlockwise on the map, about (column, row) coordinates (x, y)."""
    k = np.floor(low / QUARTER)
    while low < high:
        stop = min((k + 1) * QUARTER, high)
        quarter = int(k) % 4
        x0, y0 = x + radius * np.cos(low), y - radius * np.sin(low)
        x1, y1 = x + radius * np.cos(stop), y - radius * np.sin(stop)
        if stop == (k + 1) * QUARTER:  # the turning points are hit exactly
            x1, y1 = _corner(x, y, radius, (quarter + 1) % 4)
        if low == k * QUARTER:
            x0, y0 = _corner(x, y, radius, quarter)
        if quarter == 1 or quarter == 2:  # the western half goes down
            n = _walk_quarter(x, y, radius, -1.0, y0, y1, x0, x1, n, row, column, cover, area)
        else:
            n = _walk_quarter(x, y, radius, 1.0, y1, y0, x1, x0, n, row, column, cover, area)
        low = stop
        k += 1.0
    return n


@kernel
def _corner(x, y, radius, quarter):
    if quarter == 0:
        return x + radius, y
    if quarter == 1:
        return x, y - radius
    if quarter == 2:
        return x - radius, y
    return x, y + radius


@kernel
def _walk_quarter(x, y, radius, side, y0, y1, x0, x1, n, row, column, cover, area):
    """Walk an arc of one quarter from north to south; `side` is 1 in the east, -1 in the west."""
    at_y, at_x = y0, x0
    r = int(np.floor(y0))
    while at_y < y1:
        next_y = min(float(r + 1), y1)
        next_x = x1
        if next_y < y1:
            next_x = x + side * np.sqrt(max((radius - (next_y - y)) * (radius + (next_y - y)), 0.0))
        n = _walk_row(
            x, y, radius, side, at_x, at_y, next_x, next_y, r, n, row, column, cover, area
        )
        at_x, at_y = next_x, next_y
        r += 1
    return n


@kernel
def _walk_row(x, y, radius, side, x0, y0, x1, y1, r, n, row, column, cover, area):
    """Walk a piece of an arc inside one row of cells, from west to east."""
    if x0 > x1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    half = 1.0 if y0 + y1 > 2.0 * y else -1.0  # the southern or the northern half of the circle
    c = int(np.floor(x0))
    while True:
        next_x = min(float(c + 1), x1)
        next_y = y1
        if next_x < x1:
            next_y = y + half * np.sqrt(max((radius - (next_x - x)) * (radius + (next_x - x)), 0.0))
        height = abs(next_y - y0)
        chord = np.hypot(next_x - x0, next_y - y0)
        right = height * (1.0 - (0.5 * (x0 + next_x) - c)) - side * _segment(radius, chord)
        row[n], column[n] = r, c
        cover[n], area[n] = -side * height, -side * right
        n += 1
        if next_x >= x1:
            return n
        x0, y0 = next_x, next_y
        c += 1


@kernel
def _segment(radius, chord):
    """Return the area between an arc and its chord."""
    half = min(chord / (2.0 * radius), 1.0)
    if half < 1e-2:  # the series, where the difference would lose its digits
        return radius * radius * half**3 * (2.0 / 3.0 + half * half / 5.0)
    angle = 2.0 * np.arcsin(half)
    return 0.5 * radius * radius * (angle - np.sin(angle))

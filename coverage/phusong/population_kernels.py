"""The compiled half of `population`: which cells of two grids meet, point by point."""

from __future__ import annotations

import numpy as np

from phusong.kernels import kernel

__all__ = [
    "NODE_CELLS", "SUBPOINTS", "count_points", "give_persons", "scatter_areas", "scatter_persons",
]  # fmt: skip

# Cells hold SUBPOINTS² points; between nodes of this many cells the CRS is a plane: over 2 km a
# transverse Mercator bends by less than a decimetre.
SUBPOINTS = 2
NODE_CELLS = 20


@kernel
def _edges_of_row(nodes, down, left, beyond):
    """Interpolate the nodes at one row coordinate: at the west and the east of every block."""
    i = int(down // NODE_CELLS)
    u = down / NODE_CELLS - i
    for j in range(len(left)):
        left[j] = nodes[i, j] * (1 - u) + nodes[i + 1, j] * u
        beyond[j] = nodes[i, j + 1] * (1 - u) + nodes[i + 1, j + 1] * u


@kernel
def _meet_row(rows, columns, r, shape, edges, met):
    """Fill `met`, shape (cells, points), with the flat position that each point has in the other.

    -1 outside it. `edges` is room for four numbers a block.
    """
    for a in range(SUBPOINTS):
        down = r + (a + 0.5) / SUBPOINTS
        _edges_of_row(rows, down, edges[0], edges[1])
        _edges_of_row(columns, down, edges[2], edges[3])
        for c in range(len(met)):
            j = c // NODE_CELLS
            for b in range(SUBPOINTS):
                v = (c + (b + 0.5) / SUBPOINTS) / NODE_CELLS - j
                row = int(np.floor(edges[0, j] * (1 - v) + edges[1, j] * v))
                column = int(np.floor(edges[2, j] * (1 - v) + edges[3, j] * v))
                is_in = 0 <= row < shape[0] and 0 <= column < shape[1]
                met[c, a * SUBPOINTS + b] = row * shape[1] + column if is_in else -1


@kernel
def count_points(rows, columns, first, after, width, shape):
    """Count the points of a band of rows of the grid in each cell of the raster."""
    hits = np.zeros(shape[0] * shape[1], np.int64)
    edges = np.empty((4, rows.shape[1] - 1))
    met = np.empty((width, SUBPOINTS * SUBPOINTS), np.int64)
    for r in range(first, after):
        _meet_row(rows, columns, r, shape, edges, met)
        for c in range(width):
            for at in met[c]:
                if at >= 0:
                    hits[at] += 1
    return hits.reshape(shape)


@kernel
def give_persons(rows, columns, first, after, each, persons):
    """Add to each cell of a band of rows of the grid what its points have in the raster."""
    edges = np.empty((4, rows.shape[1] - 1))
    met = np.empty((persons.shape[1], SUBPOINTS * SUBPOINTS), np.int64)
    flat = each.reshape(-1)
    for r in range(first, after):
        _meet_row(rows, columns, r, each.shape, edges, met)
        for c in range(len(met)):
            for at in met[c]:
                if at >= 0:
                    persons[r, c] += flat[at]


@kernel
def scatter_persons(rows, columns, values, persons):
    """Add the value of each raster cell to the cells of the grid where its points lie."""
    edges = np.empty((4, rows.shape[1] - 1))
    met = np.empty((values.shape[1], SUBPOINTS * SUBPOINTS), np.int64)
    flat = persons.reshape(-1)
    for r in range(len(values)):
        _meet_row(rows, columns, r, persons.shape, edges, met)
        for c in range(len(met)):
            for at in met[c]:
                if at >= 0:
                    flat[at] += values[r, c]


@kernel
def scatter_areas(runs, borders, fractions, persons_per_cell, persons):
    """Add to `persons` (row, col) what each zone of these weights holds in each of its cells."""
    for i in range(len(runs)):
        persons[runs[i, 0], runs[i, 2] : runs[i, 3]] += persons_per_cell[runs[i, 1]]
    for i in range(len(borders)):
        persons[borders[i, 0], borders[i, 2]] += fractions[i] * persons_per_cell[borders[i, 1]]

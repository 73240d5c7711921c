"""The compiled half of `demand` and `reach`: lists of rows by site, turned round and merged."""

from __future__ import annotations

import numpy as np

from phusong.kernels import kernel

__all__ = [
    "digest_rows", "find_pairs", "group_rows", "list_cells", "merge_links", "sum_pairs",
    "turn_round",
]  # fmt: skip


@kernel
def turn_round(start, row, n_rows):
    """Return, for each row, the sites that hold it, ascending; as starts and sites."""
    holder_start = np.zeros(n_rows + 1, np.int64)
    for i in row:
        holder_start[i + 1] += 1
    for i in range(n_rows):
        holder_start[i + 1] += holder_start[i]
    fill = holder_start[:-1].copy()
    holder = np.empty(len(row), np.int32)
    for j in range(len(start) - 1):
        for at in range(start[j], start[j + 1]):
            holder[fill[row[at]]] = j
            fill[row[at]] += 1
    return holder_start, holder


@kernel
def digest_rows(holder_start, holder, mark):
    """Return a number for each row that depends on the set of its holders."""
    digest = np.zeros(len(holder_start) - 1, np.uint64)
    for i in range(len(digest)):
        for h in range(holder_start[i], holder_start[i + 1]):
            digest[i] += mark[holder[h]]
    return digest


@kernel
def group_rows(holder_start, holder, zone, order, group):
    """Number alike the rows of `order` beside each other with the same holders and zone.

    Returns how many numbers there are; `group` is filled.
    """
    n_groups = 0
    for k in range(len(order)):
        i = order[k]
        is_same = False
        if k > 0:
            before = order[k - 1]
            length = holder_start[i + 1] - holder_start[i]
            is_same = (
                zone[i] == zone[before]
                and holder_start[before + 1] - holder_start[before] == length
            )
            for h in range(length):
                if not is_same:
                    break
                is_same = holder[holder_start[i] + h] == holder[holder_start[before] + h]
        if not is_same:
            n_groups += 1
        group[i] = n_groups - 1
    return n_groups


@kernel
def merge_links(start, row, group, n_groups):
    """Return starts and groups: what each site holds of merged rows, each once.

    Returns -1 as the first start where a site holds a row twice.
    """
    seen_group = np.full(n_groups, -1, np.int64)
    seen_row = np.full(len(group), -1, np.int64)
    merged_start = np.zeros(len(start), np.int64)
    merged = np.empty(len(row), np.int32)
    n = 0
    for j in range(len(start) - 1):
        for at in range(start[j], start[j + 1]):
            if seen_row[row[at]] == j:
                merged_start[0] = -1
                return merged_start, merged
            seen_row[row[at]] = j
            g = group[row[at]]
            if seen_group[g] != j:
                seen_group[g] = j
                merged[n] = g
                n += 1
        merged_start[j + 1] = n
    return merged_start, merged[:n].copy()


@kernel
def find_pairs(start, row, zone, n_zones):
    """Return starts, zones and the pair of each link: the zones that each site holds rows of."""
    pair_of_zone = np.zeros(n_zones, np.int32)
    seen = np.full(n_zones, -1, np.int64)
    pair_start = np.zeros(len(start), np.int64)
    pair_zone = np.empty(len(row), np.int32)
    pair = np.empty(len(row), np.int32)
    n = 0
    for j in range(len(start) - 1):
        for at in range(start[j], start[j + 1]):
            z = zone[row[at]]
            if seen[z] != j:
                seen[z] = j
                pair_of_zone[z] = n
                pair_zone[n] = z
                n += 1
            pair[at] = pair_of_zone[z]
        pair_start[j + 1] = n
    return pair_start, pair_zone[:n].copy(), pair


@kernel
def list_cells(column, line, radius_cells, first_row, next_row, n_lines, n_columns):
    """Return starts and rows of demand: those in cells whose centre is within reach of each site.

    `column` and `line` are the sites' places in cells from the corner of the grid. The rows of
    cell c, counted along the lines, are `first_row[c]` to before `next_row[c]`.
    """
    start = np.zeros(len(column) + 1, np.int64)
    row = np.empty(0, np.int32)
    for is_filling in (False, True):
        n = 0
        for j in range(len(column)):
            r = radius_cells[j]
            top = max(int(np.ceil(line[j] - r - 0.5)), 0)
            bottom = min(int(np.floor(line[j] + r - 0.5)), n_lines - 1)
            for y in range(top, bottom + 1):
                drop = y + 0.5 - line[j]
                half = np.sqrt(max(r * r - drop * drop, 0.0))
                left = max(int(np.ceil(column[j] - half - 0.5)), 0)
                right = min(int(np.floor(column[j] + half - 0.5)), n_columns - 1)
                if right < left:
                    continue
                first = first_row[y * n_columns + left]
                last = next_row[y * n_columns + right]
                if is_filling:
                    for i in range(first, last):
                        row[n + i - first] = i
                n += last - first
            start[j + 1] = n
        if not is_filling:
            row = np.empty(n, np.int32)
    return start, row


@kernel
def sum_pairs(persons, holder_start, holder_pair, n_pairs):
    """Return the people of each pair of site and zone."""
    sums = np.zeros(n_pairs)
    for i in range(len(persons)):
        for h in range(holder_start[i], holder_start[i + 1]):
            sums[holder_pair[h]] += persons[i]
    return sums

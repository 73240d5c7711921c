"""The samples of cells: 8 scanlines of 64 bits each, lit by footprints and counted by service."""

from __future__ import annotations

import numpy as np

from phusong.kernels import kernel

__all__ = ["DISC", "NOTCHED", "SAMPLES", "SCANLINES", "WEDGE", "cover_band"]

SCANLINES = 8
SAMPLES = 64
DISC, WEDGE, NOTCHED = 0, 1, 2


@kernel
def cover_band(
    sectors, spans, runs, borders, fractions, members, n_operators, population, kept, shares,
    cells, persons,
):  # fmt: skip
    """Cover the rows of one band and add what each zone gets of it."""
    n_layers = members.shape[1] * n_operators
    n_columns = shares.shape[2]
    bits = np.zeros((n_layers, SCANLINES, n_columns), np.uint64)
    is_lit = np.zeros(n_layers, np.bool_)
    lit = np.zeros((members.shape[0], n_layers, 2), np.int64)
    n_lit = np.zeros(members.shape[0], np.int64)
    counted_in = np.full(n_columns, -1, np.int64)
    counts = np.zeros((n_columns, members.shape[0], n_operators + 2), np.int64)
    first_run = first_border = first_span = 0
    while first_run < len(runs) or first_border < len(borders):
        row = np.int64(2**31)
        if first_run < len(runs):
            row = min(row, runs[first_run, 0])
        if first_border < len(borders):
            row = min(row, borders[first_border, 0])
        end_run, end_border = first_run, first_border
        while end_run < len(runs) and runs[end_run, 0] == row:
            end_run += 1
        while end_border < len(borders) and borders[end_border, 0] == row:
            end_border += 1
        first_span = _light_row(row, sectors, spans, first_span, bits, is_lit)
        _list_lit(is_lit, members, n_operators, lit, n_lit)
        for i in range(first_run, end_run):  # only cells of zones: an island is far from the land
            low, high = runs[i, 2], runs[i, 3]
            _count_samples(bits, lit, n_lit, low, high, counts)
            _keep(row, low, high, counts, kept, shares)
        for i in range(first_border, end_border):
            low, high = borders[i, 2], borders[i, 2] + 1
            if counted_in[low] != row:
                counted_in[low] = row
                _count_samples(bits, lit, n_lit, low, high, counts)
                _keep(row, low, high, counts, kept, shares)
        for i in range(first_run, end_run):
            for c in range(runs[i, 2], runs[i, 3]):
                _add(runs[i, 1], row, c, 1.0, counts, population, cells, persons)
        for i in range(first_border, end_border):
            _add(
                borders[i, 1], row, borders[i, 2], fractions[i], counts, population, cells, persons
            )
        first_run, first_border = end_run, end_border


@kernel
def _keep(row, low, high, counts, kept, shares):
    for i in range(len(kept)):
        for c in range(low, high):
            shares[i, row, c] = counts[c, kept[i], 0] / (SCANLINES * SAMPLES)


@kernel
def _add(zone, row, c, fraction, counts, population, cells, persons):
    people = 0.0
    if population.shape[0] > 1 or population.shape[1] > 1:
        people = population[row, c] / (SCANLINES * SAMPLES)
    area = fraction / (SCANLINES * SAMPLES)
    for s in range(counts.shape[1]):
        for o in range(counts.shape[2]):
            n = counts[c, s, o]
            if n:
                cells[zone, s, o] += area * n
                persons[zone, s, o] += people * fraction * n


@kernel
def _light_row(row, sectors, spans, first_span, bits, is_lit):
    """Set the samples of one row of cells; return the first span of a later row."""
    for layer in range(bits.shape[0]):
        if is_lit[layer]:
            bits[layer] = 0
            is_lit[layer] = False
    for i in range(len(sectors)):
        sector = sectors[i]
        if sector.first_row <= row <= sector.last_row:
            is_lit[sector.layer] = True
            for k in range(bits.shape[1]):
                _light_sector(sector, row + (k + 0.5) / bits.shape[1], bits[sector.layer, k])
    i = first_span
    while i < len(spans) and spans[i].row <= row:
        span = spans[i]
        if span.row == row:
            is_lit[span.layer] = True
            _light(span.x0, span.x1, bits[span.layer, span.scanline])
        i += 1
    return i


@kernel
def _light_sector(sector, y, bits):
    """Set the samples of one scanline that a disc, wedge or notched disc covers."""
    dy = y - sector.row
    square = sector.radius * sector.radius - dy * dy
    if square <= 0.0:
        return
    half = np.sqrt(square)
    x = sector.column
    if sector.kind == DISC:
        _light(x - half, x + half, bits)
        return
    low, high = -half, half  # the wedge clockwise of (x1, y1) and anticlockwise of (x2, y2)
    for a, b in ((-sector.y1, sector.x1 * dy), (sector.y2, -sector.x2 * dy)):
        if a > 0.0:
            low = max(low, -b / a)
        elif a < 0.0:
            high = min(high, -b / a)
        elif b < 0.0:
            high = low
    if sector.kind == WEDGE:
        if low < high:
            _light(x + low, x + high, bits)
    elif low < high:
        _light(x - half, x + low, bits)
        _light(x + high, x + half, bits)
    else:
        _light(x - half, x + half, bits)


@kernel
def _light(x0, x1, bits):
    """Set the samples from x0 to x1, in cells."""
    n = len(bits) * SAMPLES
    first = min(max(int(np.floor(x0 * SAMPLES + 0.5)), 0), n)
    last = min(max(int(np.floor(x1 * SAMPLES + 0.5)), 0), n)
    if first >= last:
        return
    full = np.uint64(0xFFFFFFFFFFFFFFFF)
    c0, c1 = first // SAMPLES, last // SAMPLES
    head = full << np.uint64(first % SAMPLES)
    tail = ~(full << np.uint64(last % SAMPLES))
    if c0 == c1:
        bits[c0] |= head & tail
        return
    bits[c0] |= head
    if last % SAMPLES:
        bits[c1] |= tail
    bits[c0 + 1 : c1] = full


@kernel
def _list_lit(is_lit, members, n_operators, lit, n_lit):
    """List the layers of each service that have a lit sample in this row, operator by operator."""
    n_lit[:] = 0
    for s in range(members.shape[0]):
        for o in range(n_operators):
            for t in range(members.shape[1]):
                if members[s, t] and is_lit[t * n_operators + o]:
                    lit[s, n_lit[s], 0] = t * n_operators + o
                    lit[s, n_lit[s], 1] = o
                    n_lit[s] += 1


@kernel
def _count_samples(bits, lit, n_lit, low, high, counts):
    """Count, for each cell, the covered samples of every service: any, two or more, each."""
    counts[low:high] = 0
    for s in range(lit.shape[0]):
        if n_lit[s] == 0:
            continue
        for k in range(bits.shape[1]):
            for c in range(low, high):
                one = np.uint64(0)
                two = np.uint64(0)
                i = 0
                while i < n_lit[s]:
                    o = lit[s, i, 1]
                    mask = np.uint64(0)
                    while i < n_lit[s] and lit[s, i, 1] == o:
                        mask |= bits[lit[s, i, 0], k, c]
                        i += 1
                    if mask:
                        counts[c, s, o + 2] += _ones(mask)
                        two |= one & mask
                        one |= mask
                if one:
                    counts[c, s, 0] += _ones(one)
                    counts[c, s, 1] += _ones(two)


@kernel
def _ones(word):
    """Count the set bits of 64 (Warren, Hacker's Delight, 2nd ed., section 5-1)."""
    if word == np.uint64(0xFFFFFFFFFFFFFFFF):
        return np.int64(64)
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))

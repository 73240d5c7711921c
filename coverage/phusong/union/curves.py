"""Where a curve (an arc, or a straight segment) lies inside a rose.

The critical points of the curve are those where it may enter or leave: where it meets a circle or
a ray of the rose. Between two of them it lies inside or outside as a whole, which any point in
between tells. A critical point that rounding moves, adds or loses moves the answer by as little as
itself.

Where a straight side of the curve's own region lies along a side of the rose no point tells. Then
roses count as grown by less than any number, the first ones by more than those after them, and
zones not at all: the second of two equal sides is inside the first, sides that touch from outside
are each inside the other, and the edge of a zone is inside.
"""

from __future__ import annotations

import numpy as np

from phusong.kernels import kernel

__all__ = ["ZONE", "cover_arc", "cover_segment", "sweep"]

# Metres: sides nearer than that lie on each other. The rounding of their positions is 1e-10.
TOUCH_M = 1e-7
FULL_TURN = 2 * np.pi
AMID = 0.4371628  # between critical points: not in the middle, where maps like to touch circles
ZONE = np.int64(2**62)  # the index of a curve that is a zone's edge: after all roses


@kernel
def cover_arc(x, y, radius, angle, span, index, rose, petals, critical, low, high):
    """List the offsets from `angle` at which an arc lies inside a rose; return their number.

    `critical`, `low` and `high` are room for as many numbers as the rose has petals can need.
    """
    dx, dy = x - rose.x, y - rose.y
    square = dx * dx + dy * dy
    d = np.sqrt(square)
    if d >= radius + rose.reach or radius > d + rose.reach:
        return 0
    n = 0
    toward = np.arctan2(-dy, -dx)
    for k in range(rose.first, rose.first + rose.n):
        petal = petals[k]
        r = petal.radius
        if r > 0.0 and d > 0.0 and abs(radius - r) < d < radius + r:
            along = (square + (radius - r) * (radius + r)) / (2.0 * d)
            product = (d + radius + r) * (radius + r - d) * (d - radius + r) * (d + radius - r)
            half = np.arctan2(np.sqrt(max(product, 0.0)) / (2.0 * d), along)
            n = _add(critical, n, _offset(toward - half, angle), span)
            n = _add(critical, n, _offset(toward + half, angle), span)
        if rose.n > 1:
            across = petal.ux * dy - petal.uy * dx  # of the arc's centre, left of the ray's line
            if abs(across) < radius:
                half_chord = np.sqrt((radius - across) * (radius + across))
                middle = petal.ux * dx + petal.uy * dy
                for side in (half_chord, -half_chord):
                    if middle + side >= 0.0:
                        at = petal.angle + np.arctan2(-across, side)
                        n = _add(critical, n, _offset(at, angle), span)
    n = _close(critical, n, span)
    found = 0
    for i in range(n - 1):
        theta = angle + critical[i] + AMID * (critical[i + 1] - critical[i])
        ex, ey = np.cos(theta), np.sin(theta)
        r = _radius_toward(rose, petals, dx + radius * ex, dy + radius * ey)
        beyond = (radius - r) * (radius + r) + square + 2.0 * radius * (dx * ex + dy * ey)
        if r > 0.0 and (beyond < 0.0 or (beyond == 0.0 and rose.index < index)):
            found = _append(low, high, found, critical[i], critical[i + 1])
    return found


@kernel
def cover_segment(
    x, y, ux, uy, start, end, is_left, index, rose, petals, critical, low, high
):  # fmt: skip
    """List the distances from (x, y), along (ux, uy), at which a segment lies inside a rose.

    The segment reaches from `start` to `end`; its own region lies left of (ux, uy) if `is_left`.
    """
    dx, dy = x - rose.x, y - rose.y
    middle = -(ux * dx + uy * dy)
    across = ux * dy - uy * dx
    if abs(across) >= rose.reach or middle + rose.reach <= start or middle - rose.reach >= end:
        return 0
    span = end - start
    n = 0
    for k in range(rose.first, rose.first + rose.n):
        petal = petals[k]
        r = petal.radius
        if r > abs(across):
            half_chord = np.sqrt((r - across) * (r + across))
            n = _add(critical, n, middle - half_chord - start, span)
            n = _add(critical, n, middle + half_chord - start, span)
        if rose.n > 1:
            turn = ux * petal.uy - uy * petal.ux
            if abs(turn) > 1e-14:
                n = _add(critical, n, -(dx * petal.uy - dy * petal.ux) / turn - start, span)
    if rose.n > 1 and abs(across) < TOUCH_M:
        n = _add(critical, n, middle - start, span)
    n = _close(critical, n, span)
    found = 0
    for i in range(n - 1):
        t = start + critical[i] + AMID * (critical[i + 1] - critical[i])
        if _holds(rose, petals, dx + t * ux, dy + t * uy, ux, uy, is_left, index):
            found = _append(low, high, found, start + critical[i], start + critical[i + 1])
    return found


@kernel
def _holds(rose, petals, qx, qy, ux, uy, is_left, index):
    """Say whether a point of a segment, (qx, qy) from the rose's mast, lies inside the rose."""
    distance = np.hypot(qx, qy)
    if rose.n > 1:
        for k in range(rose.n):
            petal = petals[rose.first + k]
            if abs(petal.ux * qy - petal.uy * qx) >= TOUCH_M:
                continue
            same = petal.ux * qx + petal.uy * qy
            if same <= 0.0:
                continue
            left = petal.radius
            right = petals[rose.first + (k - 1) % rose.n].radius
            if distance >= max(left, right):
                return False
            if distance < min(left, right):
                return True
            runs_along = petal.ux * ux + petal.uy * uy > 0.0
            rose_is_left = (left > right) == runs_along
            return rose_is_left != is_left or rose.index < index
    return distance < _radius_toward(rose, petals, qx, qy)


@kernel
def _radius_toward(rose, petals, qx, qy):
    """Return the rose's radius in the direction (qx, qy)."""
    if rose.n == 1:
        return petals[rose.first].radius
    theta = np.arctan2(qy, qx)
    for k in range(rose.first, rose.first + rose.n):
        if _offset(theta, petals[k].angle) < petals[k].span:
            return petals[k].radius
    return petals[rose.first].radius


@kernel
def _offset(theta, angle):
    """Return the turn from `angle` to `theta`, anticlockwise, 0 to 2π."""
    return (theta - angle) % FULL_TURN


@kernel
def _add(critical, n, at, span):
    if 0.0 < at < span:
        critical[n] = at
        n += 1
    return n


@kernel
def _close(critical, n, span):
    """Sort the critical points and put both ends of the curve around them."""
    critical[n], critical[n + 1] = 0.0, span
    n += 2
    for i in range(1, n):
        value = critical[i]
        j = i
        while j > 0 and critical[j - 1] > value:
            critical[j] = critical[j - 1]
            j -= 1
        critical[j] = value
    return n


@kernel
def _append(low, high, found, start, end):
    """Append an interval, as the going on of the last one where they meet."""
    if found > 0 and high[found - 1] == start:
        high[found - 1] = end
        return found
    low[found], high[found] = start, end
    return found + 1


@kernel
def sweep(low, high, op, n, start, end, counts, cut, mask):
    """Cut a curve from `start` to `end` where the set of operators that cover it changes.

    `low`, `high`, `op`: n intervals that an operator covers. Fills `cut` (the beginning of each
    part) and `mask` (bit o: operator o covers it), and returns the number of parts.
    """
    at, order = np.empty(2 * n), np.arange(2 * n)
    for i in range(n):
        at[i], at[n + i] = low[i], high[i]
    _sort_by(at, order)
    counts[:] = 0
    covered = np.uint64(0)
    cut[0], mask[0] = start, covered
    parts = 1
    for k in order:
        o = op[k] if k < n else op[k - n]
        counts[o] += 1 if k < n else -1
        bit = np.uint64(1) << np.uint64(o)
        covered = covered | bit if counts[o] > 0 else covered & ~bit
        if at[k] >= end:
            break
        if cut[parts - 1] == at[k]:  # several changes at one point
            mask[parts - 1] = covered
            if parts > 1 and mask[parts - 2] == covered:
                parts -= 1
        elif mask[parts - 1] != covered:
            cut[parts], mask[parts] = at[k], covered
            parts += 1
    return parts


@kernel
def _sort_by(keys, order):
    """Sort `order` by the keys: mostly few, at times hundreds (Shell's sort, Ciura's gaps)."""
    for gap in (701, 301, 132, 57, 23, 10, 4, 1):
        for i in range(gap, len(order)):
            value = order[i]
            j = i
            while j >= gap and keys[order[j - gap]] > keys[value]:
                order[j] = order[j - gap]
                j -= gap
            order[j] = value

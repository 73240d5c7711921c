"""Where a curve (an arc, or a straight segment) lies inside a rose.

The critical points of the curve are those where it may enter or leave: where it meets a circle or
a ray of the rose. Between two of them it lies inside or outside as a whole, which any point in
between tells. A critical point that rounding moves, adds or loses moves the answer by as little as
itself.

Where a straight side of the curve's own region lies along a side of the rose no point tells. Then
roses count as grown by less than any number, the first ones by more than those after them: the
second of two equal sides is inside the first, and sides that touch from outside are each inside
the other. The vertices of a zone on such a line count as inside (`cross_line`), whoever asks:
whether a zone's edge is inside the rose, or the rose's side inside the zone.
"""

from __future__ import annotations

import numpy as np

from phusong.kernels import kernel

__all__ = [
    "TOUCH_M", "cover_arc", "cover_edge", "cover_segment", "cross_line", "make_room",
    "radius_before", "sweep",
]  # fmt: skip

# Metres: sides nearer than that lie on each other. Masts and vertices that are on one line are off
# it by the lattice of `roses`, 1e-7 m at most, and what its angles add: 1e-8 m a kilometre.
TOUCH_M = 1e-6
FULL_TURN = 2 * np.pi
AMID = 0.4371628  # between critical points: not in the middle, where maps like to touch circles


@kernel
def radius_before(rose, petals, p):
    """Return the radius of the rose on the other side of the ray where petal p begins."""
    return petals[rose.first + (p - rose.first - 1) % rose.n].radius


@kernel
def make_room(roses, near):
    """Return room for what the roses near a curve can say of it.

    Where they cover it (`low`, `high`, `op`), its parts (`cut`, `mask`), critical points of one.
    """
    room, widest = 2, 0
    for j in near:
        room += 3 * roses[j].n + 3
        widest = max(widest, roses[j].n)
    return (
        np.empty(room), np.empty(room), np.empty(room, np.int64),
        np.empty(2 * room), np.empty(2 * room, np.uint64), np.empty(4 * widest + 4),
    )  # fmt: skip


@kernel
def cover_arc(x, y, radius, angle, span, index, rose, petals, critical, low, high):
    """List the offsets from `angle` at which an arc lies inside a rose; return their number.

    `critical`, `low` and `high` are room of `make_room`.
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
    if rose.n > 1 and abs(d - radius) < TOUCH_M:  # through the mast, where all rays begin
        n = _add(critical, n, _offset(toward, angle), span)
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
    n = _meet_circles(rose, petals, middle - start, across, span, critical)
    if rose.n > 1:
        for k in range(rose.first, rose.first + rose.n):
            petal = petals[k]
            turn = ux * petal.uy - uy * petal.ux
            if abs(turn) > 1e-14:
                n = _add(critical, n, -(dx * petal.uy - dy * petal.ux) / turn - start, span)
        if abs(across) < TOUCH_M:
            n = _add(critical, n, middle - start, span)
    n = _close(critical, n, span)
    found = 0
    for i in range(n - 1):
        t = start + critical[i] + AMID * (critical[i + 1] - critical[i])
        if _holds(rose, petals, dx, dy, t, ux, uy, is_left, index):
            found = _append(low, high, found, start + critical[i], start + critical[i + 1])
    return found


@kernel
def cover_edge(edge, ux, uy, length, rose, petals, critical, low, high):
    """List the distances from its first end at which an edge of a zone lies inside a rose.

    `edge` holds x, y of both ends; (ux, uy) is its direction.
    """
    ax, ay, bx, by = edge[0] - rose.x, edge[1] - rose.y, edge[2] - rose.x, edge[3] - rose.y
    middle = -(ux * ax + uy * ay)
    across = ux * ay - uy * ax
    if abs(across) >= rose.reach or middle + rose.reach <= 0.0 or middle - rose.reach >= length:
        return 0
    n = _meet_circles(rose, petals, middle, across, length, critical)
    if rose.n > 1:
        for k in range(rose.n):
            vx, vy, _, _ = _side(rose, petals, k)
            starts_left, ends_left, share = cross_line(vx, vy, ax, ay, bx, by)
            if starts_left != ends_left:
                n = _add(critical, n, share * length, length)
        if abs(across) < TOUCH_M:
            n = _add(critical, n, middle, length)
    n = _close(critical, n, length)
    found = 0
    for i in range(n - 1):
        t = critical[i] + AMID * (critical[i + 1] - critical[i])
        if _holds_edge(rose, petals, ax, ay, bx, by, ux, uy, t, length):
            found = _append(low, high, found, critical[i], critical[i + 1])
    return found


@kernel
def cross_line(vx, vy, ax, ay, bx, by):
    """Say which ends of an edge lie left of a line, and at which share of the edge it crosses it.

    The line runs through (0, 0) along (vx, vy), the rose on its left. A vertex on it is left of it,
    and so is one that rounding may have moved off it.
    """
    a, b = vx * ay - vy * ax, vx * by - vy * bx
    starts_left, ends_left = a >= -TOUCH_M, b >= -TOUCH_M
    share = 0.0
    if starts_left != ends_left:
        share = min(max(a / (a - b), 0.0), 1.0)
    return starts_left, ends_left, share


@kernel
def _meet_circles(rose, petals, middle, across, span, critical):
    """List where a line meets the circles of a rose; the mast is `middle` along, `across` off."""
    n = 0
    for k in range(rose.first, rose.first + rose.n):
        r = petals[k].radius
        if r > abs(across):
            half_chord = np.sqrt((r - across) * (r + across))
            n = _add(critical, n, middle - half_chord, span)
            n = _add(critical, n, middle + half_chord, span)
    return n


@kernel
def _side(rose, petals, k):
    """Return the direction of the side on ray k that has the rose on its left, and its ends."""
    petal = petals[rose.first + k]
    right = radius_before(rose, petals, rose.first + k)
    if petal.radius > right:
        return petal.ux, petal.uy, right, petal.radius
    return -petal.ux, -petal.uy, petal.radius, right


@kernel
def _holds_edge(rose, petals, ax, ay, bx, by, ux, uy, t, length):
    """Say whether the point of a zone's edge, t from its first end, lies inside the rose."""
    qx, qy = ax + t * ux, ay + t * uy
    distance = np.hypot(qx, qy)
    if rose.n > 1:
        for k in range(rose.n):
            petal = petals[rose.first + k]
            if abs(petal.ux * qy - petal.uy * qx) >= TOUCH_M or petal.ux * qx + petal.uy * qy <= 0:
                continue
            vx, vy, near, far = _side(rose, petals, k)
            if distance >= far:
                return False
            if distance < near:
                return True
            starts_left, ends_left, share = cross_line(vx, vy, ax, ay, bx, by)
            return starts_left if t < share * length else ends_left
    return distance < _radius_toward(rose, petals, qx, qy)


@kernel
def _holds(rose, petals, dx, dy, t, ux, uy, is_left, index):
    """Say whether a point of a segment, t from its mast, lies inside the rose.

    That mast is (dx, dy) from the rose's own.
    """
    qx, qy = dx + t * ux, dy + t * uy
    is_own_mast = dx == 0.0 and dy == 0.0
    distance = np.hypot(qx, qy)
    if rose.n > 1:
        for k in range(rose.n):
            petal = petals[rose.first + k]
            if is_own_mast:  # equal rays are equal numbers
                is_on_ray = petal.ux == ux and petal.uy == uy
            else:
                is_on_ray = abs(petal.ux * qy - petal.uy * qx) < TOUCH_M
            if not is_on_ray or petal.ux * qx + petal.uy * qy <= 0.0:
                continue
            left = petal.radius
            right = radius_before(rose, petals, rose.first + k)
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

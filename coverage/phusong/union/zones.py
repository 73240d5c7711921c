"""The exact area of a union of roses inside zones, by Green's theorem; no polygon is made.

An area is ½∮(x dy − y dx) along its boundary. That of zone ∩ union has two kinds of pieces: those
of the zone's edges that lie inside a rose, and the exposed parts of the roses that lie inside the
zone. How a part lies in a zone follows from where the zone's edges cross its whole circle or line:
each crossing, in or out, adds the rest of the part from there on, so that a crossing that rounding
moves changes the area by as little. Whether an edge crosses is told by its end points alone, and
all edges that share a vertex hear the same: none is counted twice or lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from phusong.kernels import in_threads, kernel
from phusong.union.curves import TOUCH_M, cover_edge, cross_line, make_room, radius_before, sweep
from phusong.union.exposed import ARC
from phusong.union.near import Buckets, near_box
from phusong.union.roses import Roses, snap

__all__ = ["Zones", "cover_areas", "make_zones"]

ZONE_DTYPE = np.dtype(
    [
        ("x_low", "f8"), ("y_low", "f8"), ("x_high", "f8"), ("y_high", "f8"),
        ("first", "i8"), ("n", "i8"), ("mask", "u8"),
    ]
)  # fmt: skip
EDGES_PER_BLOCK = 16
ZONES_AT_ONCE = 64
FULL_TURN = 2 * np.pi
SOMEWHERE = 2.399963  # an angle at which no map has a corner


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """Zones as edges: each has the zone on its left.

    Attributes
    ----------
    zones : array of ZONE_DTYPE
        `mask` has a bit for each operator that covers the whole zone anyway.
    edges : array of float64, shape (n, 4)
        x, y of both ends, metres from the origin of the roses, on their lattice.
    blocks : array of float64, shape (m, 6)
        Up to 16 edges of a zone in a row: their box, the first one, the one after the last.
    """

    zones: np.ndarray
    edges: np.ndarray
    blocks: np.ndarray


def make_zones(
    polygons: np.ndarray, origin: tuple[float, float], masks: np.ndarray | None = None
) -> Zones:
    """Lay polygons and multipolygons out as edges."""
    parts, zone_of_part = shapely.get_parts(shapely.orient_polygons(polygons), return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    x, y = snap(xy[:, 0] - origin[0]), snap(xy[:, 1] - origin[1])
    is_edge = (ring[1:] == ring[:-1]) & ((x[1:] != x[:-1]) | (y[1:] != y[:-1]))
    edges = np.column_stack([x[:-1], y[:-1], x[1:], y[1:]])[is_edge]
    zone = zone_of_part[part_of_ring[ring[:-1][is_edge]]] if len(xy) else np.zeros(0, "i8")
    counts = np.bincount(zone, minlength=len(polygons))
    first = np.cumsum(counts) - counts
    n_blocks = -(-counts // EDGES_PER_BLOCK)
    blocks = np.zeros((n_blocks.sum(), 6))
    owner = np.repeat(np.arange(len(polygons)), n_blocks)
    first_block = np.cumsum(n_blocks) - n_blocks
    blocks[:, 4] = first[owner] + EDGES_PER_BLOCK * (np.arange(len(owner)) - first_block[owner])
    blocks[:, 5] = np.minimum(blocks[:, 4] + EDGES_PER_BLOCK, (first + counts)[owner])
    zones = np.zeros(len(polygons), ZONE_DTYPE)
    zones["first"], zones["n"] = first_block, n_blocks
    if len(edges):
        starts, of_zone = blocks[:, 4].astype("i8"), first_block[n_blocks > 0]
        for name, i, best in (("x_low", 0, np.minimum), ("y_low", 1, np.minimum),
                              ("x_high", 2, np.maximum), ("y_high", 3, np.maximum)):  # fmt: skip
            both = best(edges[:, i % 2], edges[:, i % 2 + 2])
            blocks[:, i] = best.reduceat(both, starts)
            zones[name][n_blocks > 0] = best.reduceat(blocks[:, i], of_zone)
    if masks is not None:
        zones["mask"] = masks
    return Zones(zones=zones, edges=edges, blocks=blocks)


def cover_areas(
    zones: Zones,
    roses: Roses,
    buckets: Buckets,
    exposed: tuple[np.ndarray, np.ndarray],
    n_operators: int,
) -> np.ndarray:
    """Return the covered m² of each zone, shape (n_zones, 2 + n_operators).

    By any operator, by two or more, and by each.
    """
    out = np.zeros((len(zones.zones), n_operators + 2))
    parts, first_part = exposed

    def work(begin: int) -> None:
        _cover_zones(
            begin, min(begin + ZONES_AT_ONCE, len(out)), zones.zones, zones.edges, zones.blocks,
            roses.roses, roses.petals, buckets.frame, buckets.first, buckets.members,
            parts, first_part, n_operators, out,
        )  # fmt: skip

    in_threads(work, range(0, len(out), ZONES_AT_ONCE))
    out = np.maximum(out, 0.0)  # where nothing is covered, what rounding leaves
    out[:, 0] = np.maximum(out[:, 0], out[:, 2:].max(axis=1, initial=0.0))
    out[:, 1] = np.minimum(out[:, 1], out[:, 0])
    return out


@kernel
def _cover_zones(
    begin, end, zones, edges, all_blocks, roses, petals, frame, first, members, parts, first_part,
    n_operators, out,
):  # fmt: skip
    for z in range(begin, end):
        zone = zones[z]
        near = near_box(
            roses, frame, first, members, zone.x_low, zone.y_low, zone.x_high, zone.y_high
        )
        mask, n = _without_whole(
            roses, petals, near, zone.mask, zone.x_low, zone.y_low, zone.x_high, zone.y_high, near
        )
        near = near[:n]
        blocks = all_blocks[zone.first : zone.first + zone.n]
        x, y = 0.5 * (zone.x_low + zone.x_high), 0.5 * (zone.y_low + zone.y_high)
        if n or mask:
            _add_edges(edges, blocks, x, y, mask, roses, petals, near, n_operators, out[z])
        for j in near:
            _add_parts(edges, blocks, zone, x, y, mask, roses[j], petals, parts,
                       first_part[j], first_part[j + 1], out[z])  # fmt: skip


@kernel
def _holds_box(rose, petals, x_low, y_low, x_high, y_high):
    """Say whether one petal of a rose, of up to half a turn, holds a whole box."""
    far_x, far_y = (
        max(abs(x_low - rose.x), abs(x_high - rose.x)),
        max(abs(y_low - rose.y), abs(y_high - rose.y)),
    )
    square = far_x * far_x + far_y * far_y
    if square >= rose.reach * rose.reach:
        return False
    if rose.n == 1:
        return True
    for k in range(rose.first, rose.first + rose.n):
        petal = petals[k]
        if square >= petal.radius * petal.radius or petal.span > np.pi:
            continue
        end = petals[rose.first + (k + 1 - rose.first) % rose.n]
        holds = True
        for x in (x_low - rose.x, x_high - rose.x):
            for y in (y_low - rose.y, y_high - rose.y):
                if petal.ux * y - petal.uy * x <= 0.0 or end.ux * y - end.uy * x >= 0.0:
                    holds = False
        if holds:
            return True
    return False


@kernel
def _without_whole(roses, petals, near, mask, x_low, y_low, x_high, y_high, kept):
    """Add to `mask` the operators of whom one rose holds the whole box; keep roses of others.

    Returns the mask and how many roses are now in `kept`.
    """
    for j in near:
        bit = np.uint64(1) << np.uint64(roses[j].op)
        if not mask & bit and _holds_box(roses[j], petals, x_low, y_low, x_high, y_high):
            mask |= bit
    n = 0
    for j in near:
        rose = roses[j]
        if (
            not mask >> np.uint64(rose.op) & np.uint64(1)
            and rose.x + rose.reach > x_low and rose.x - rose.reach < x_high
            and rose.y + rose.reach > y_low and rose.y - rose.reach < y_high
        ):  # fmt: skip
            kept[n] = j
            n += 1
    return mask, n


@kernel
def _add_edges(edges, blocks, x, y, zone_mask, roses, petals, near, n_operators, out):
    """Add what the zone's edges inside roses contribute; (x, y) is the origin."""
    low, high, op, cut, mask, critical = make_room(roses, near)
    covering = np.zeros(n_operators, np.int64)
    close = np.empty(len(near), np.int64)
    for x_low, y_low, x_high, y_high, begin, end in blocks:
        whole, n = _without_whole(
            roses, petals, near, zone_mask, x_low, y_low, x_high, y_high, close
        )
        if n == 0 and whole == np.uint64(0):
            continue
        for e in range(int(begin), int(end)):
            x0, y0, x1, y1 = edges[e]
            length = np.hypot(x1 - x0, y1 - y0)
            ux, uy = (x1 - x0) / length, (y1 - y0) / length
            m = 0
            for j in close[:n]:
                found = cover_edge(
                    edges[e], ux, uy, length, roses[j], petals, critical, low[m:], high[m:]
                )
                op[m : m + found] = roses[j].op
                m += found
            half_cross = 0.5 * ((x0 - x) * (y1 - y0) - (y0 - y) * (x1 - x0)) / length
            n_parts = sweep(low, high, op, m, 0.0, length, covering, cut, mask)
            for k in range(n_parts):
                stop = cut[k + 1] if k + 1 < n_parts else length
                _add_inside(mask[k] | whole, half_cross * (stop - cut[k]), out)


@kernel
def _add_inside(mask, value, out):
    """Add a piece inside the operators of `mask` to what it bounds."""
    if mask == np.uint64(0):
        return
    out[0] += value
    if mask & (mask - np.uint64(1)):
        out[1] += value
    for o in range(2, len(out)):
        if mask >> np.uint64(o - 2) & np.uint64(1):
            out[o] += value


@kernel
def _add_boundary(op, mask, value, out):
    """Add a piece of an operator's own boundary, inside the others of `mask`."""
    out[op + 2] += value
    if mask == np.uint64(0):
        out[0] += value
    elif mask & (mask - np.uint64(1)) == np.uint64(0):
        out[1] += value


@kernel
def _add_parts(edges, blocks, zone, x, y, zone_mask, rose, petals, parts, begin, end, out):
    """Add what the exposed parts of a rose inside the zone contribute."""
    room = 2 * EDGES_PER_BLOCK * len(blocks)
    at, sign = np.empty(room), np.empty(room, np.int64)
    done = np.int64(-1)  # the petal and kind whose crossings are at hand
    n = 0
    base = 0
    for k in range(begin, end):
        part = parts[k]
        petal = petals[part.petal]
        if part.kind == ARC:
            if not _circle_meets(
                rose.x, rose.y, petal.radius, zone.x_low, zone.y_low, zone.x_high, zone.y_high
            ):
                continue
            if done != 2 * part.petal:
                n, base = _cross_circle(edges, blocks, rose.x, rose.y, petal.radius, at, sign)
                done = 2 * part.petal
            value = _arc_inside(part, petal, rose.x - x, rose.y - y, at, sign, n, base)
        else:
            tail_x, tail_y = rose.x + part.low * petal.ux, rose.y + part.low * petal.uy
            tip_x, tip_y = rose.x + part.high * petal.ux, rose.y + part.high * petal.uy
            if (
                max(tail_x, tip_x) < zone.x_low - TOUCH_M
                or min(tail_x, tip_x) > zone.x_high + TOUCH_M
                or max(tail_y, tip_y) < zone.y_low - TOUCH_M
                or min(tail_y, tip_y) > zone.y_high + TOUCH_M
            ):  # fmt: skip
                continue
            is_left = petal.radius > radius_before(rose, petals, part.petal)
            direction = 1.0 if is_left else -1.0
            vx, vy = direction * petal.ux, direction * petal.uy
            low = part.low if direction > 0 else -part.high
            high = part.high if direction > 0 else -part.low
            inside = _line_inside(edges, blocks, rose.x, rose.y, vx, vy, low, high)
            value = 0.5 * ((rose.x - x) * vy - (rose.y - y) * vx) * inside
        _add_boundary(rose.op, part.mask | zone_mask, value, out)


@kernel
def _circle_meets(cx, cy, radius, x_low, y_low, x_high, y_high):
    """Say whether a circle may pass through a box."""
    near_x, near_y = min(max(cx, x_low), x_high) - cx, min(max(cy, y_low), y_high) - cy
    if near_x * near_x + near_y * near_y > radius * radius:
        return False
    far_x, far_y = max(abs(x_low - cx), abs(x_high - cx)), max(abs(y_low - cy), abs(y_high - cy))
    return far_x * far_x + far_y * far_y >= radius * radius


@kernel
def _cross_circle(edges, blocks, cx, cy, radius, at, sign):
    """List where a zone's edges cross a circle, and say whether its SOMEWHERE is in the zone.

    `at` is the turn from SOMEWHERE; `sign` is +1 where the circle, anticlockwise, enters the zone.
    """
    n = 0
    inside = 0
    px, py = cx + radius * np.cos(SOMEWHERE), cy + radius * np.sin(SOMEWHERE)
    for x_low, y_low, x_high, y_high, begin, end in blocks:
        if y_low <= py <= y_high and x_high >= px:
            inside ^= _cross_ray(edges[int(begin) : int(end)], px, py)
        if _circle_meets(cx, cy, radius, x_low, y_low, x_high, y_high):
            n = _cross_block(edges[int(begin) : int(end)], cx, cy, radius, at, sign, n)
    return n, inside


@kernel
def _cross_ray(edges, px, py):
    """Say whether a ray eastwards crosses an odd number of edges."""
    odd = 0
    for x0, y0, x1, y1 in edges:
        if (y0 > py) != (y1 > py) and (x1 - x0) * (py - y0) / (y1 - y0) > px - x0:
            odd ^= 1
    return odd


@kernel
def _cross_block(edges, cx, cy, radius, at, sign, n):
    square = radius * radius
    for x0, y0, x1, y1 in edges:
        ax, ay, bx, by = x0 - cx, y0 - cy, x1 - cx, y1 - cy
        a_in, b_in = ax * ax + ay * ay < square, bx * bx + by * by < square
        if a_in and b_in:
            continue
        length = np.hypot(x1 - x0, y1 - y0)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        middle = -(ux * ax + uy * ay)
        across = ux * ay - uy * ax
        if not (a_in or b_in) and not (0.0 < middle < length and abs(across) < radius):
            continue
        half_chord = np.sqrt(max((radius - across) * (radius + across), 0.0))
        if not a_in:
            t = middle - half_chord
            at[n] = (np.arctan2(ay + t * uy, ax + t * ux) - SOMEWHERE) % FULL_TURN
            sign[n] = -1
            n += 1
        if not b_in:
            t = middle + half_chord
            at[n] = (np.arctan2(ay + t * uy, ax + t * ux) - SOMEWHERE) % FULL_TURN
            sign[n] = 1
            n += 1
    return n


@kernel
def _arc_inside(part, petal, cx, cy, at, sign, n, base):
    """Return ½∫(x dy − y dx) along the part of an arc that lies in the zone."""
    start = (petal.angle + part.low - SOMEWHERE) % FULL_TURN
    stop = start + part.high - part.low
    value = 0.0
    for turn in range(2):  # the arc may go on beyond SOMEWHERE
        low, high = max(start - turn * FULL_TURN, 0.0), min(stop - turn * FULL_TURN, FULL_TURN)
        if low >= high:
            continue
        if base:
            value += _along_arc(petal.radius, cx, cy, low, high)
        for k in range(n):
            if at[k] < high:
                value += sign[k] * _along_arc(petal.radius, cx, cy, max(low, at[k]), high)
    return value


@kernel
def _along_arc(radius, cx, cy, low, high):
    """Return ½∫(x dy − y dx) along an arc between two turns from SOMEWHERE."""
    a, b = low + SOMEWHERE, high + SOMEWHERE
    chord_x, chord_y = np.cos(b) - np.cos(a), np.sin(b) - np.sin(a)
    return 0.5 * radius * (radius * (high - low) + cx * chord_y - cy * chord_x)


@kernel
def _line_inside(edges, blocks, x, y, vx, vy, low, high):
    """Return the metres of a line, between two distances from (x, y), that lie in the zone."""
    total = 0.0
    for x_low, y_low, x_high, y_high, begin, end in blocks:
        reach = 0.5 * (abs(vy) * (x_high - x_low) + abs(vx) * (y_high - y_low))
        if abs(vx * (0.5 * (y_low + y_high) - y) - vy * (0.5 * (x_low + x_high) - x)) > reach + 1.0:
            continue
        for x0, y0, x1, y1 in edges[int(begin) : int(end)]:
            ax, ay, bx, by = x0 - x, y0 - y, x1 - x, y1 - y
            starts_left, ends_left, share = cross_line(vx, vy, ax, ay, bx, by)
            if starts_left == ends_left:
                continue
            t = vx * (ax + share * (bx - ax)) + vy * (ay + share * (by - ay))
            rest = high - max(t, low)
            if rest > 0.0:
                total += rest if starts_left else -rest
    return total

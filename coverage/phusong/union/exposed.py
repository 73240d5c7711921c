"""The boundary of a union of roses: the parts of their outlines that no rose of theirs covers."""

from __future__ import annotations

import numpy as np

from phusong.kernels import in_threads, kernel
from phusong.union.curves import cover_arc, cover_segment, make_room, radius_before, sweep
from phusong.union.near import Buckets, near_box
from phusong.union.roses import Roses

__all__ = ["ARC", "PART", "SIDE", "find_exposed"]

ARC, SIDE = 0, 1
# A part of the arc of a petal (radians from its first ray) or of the side along its first ray
# (metres from the mast) that no rose of the same operator covers; `mask` has a bit for each other
# operator that covers it.
PART = np.dtype([("petal", "i8"), ("kind", "i8"), ("low", "f8"), ("high", "f8"), ("mask", "u8")])
ROSES_AT_ONCE = 2048


def find_exposed(roses: Roses, buckets: Buckets, n_operators: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the exposed parts, in the order of the petals, and each rose's first one.

    The second array has one more number than there are roses.
    """
    n = len(roses.roses)
    chunks = [(i, min(i + ROSES_AT_ONCE, n)) for i in range(0, n, ROSES_AT_ONCE)]

    def work(chunk: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        counts = np.zeros(chunk[1] - chunk[0], "i8")
        parts = np.zeros(4 * len(counts) + 64, PART)
        return _expose(
            *chunk, roses.roses, roses.petals, buckets.frame, buckets.first, buckets.members,
            n_operators, parts, counts,
        ), counts  # fmt: skip

    done = in_threads(work, chunks)
    parts = np.concatenate([p for p, _ in done]) if done else np.zeros(0, PART)
    counts = np.concatenate([c for _, c in done]) if done else np.zeros(0, "i8")
    return parts, np.append(0, np.cumsum(counts))


@kernel
def _expose(begin, end, roses, petals, frame, first, members, n_operators, parts, counts):
    n = 0
    covering = np.zeros(n_operators, np.int64)
    for i in range(begin, end):
        rose = roses[i]
        near = near_box(
            roses, frame, first, members, rose.x - rose.reach, rose.y - rose.reach,
            rose.x + rose.reach, rose.y + rose.reach,
        )  # fmt: skip
        low, high, op, cut, mask, critical = make_room(roses, near)
        own = np.uint64(1) << np.uint64(rose.op)
        for p in range(rose.first, rose.first + rose.n):
            for kind in (ARC, SIDE):
                start, stop = _extent(rose, petals, p, kind)
                if start >= stop:
                    continue
                m = _cover(rose, petals, p, kind, start, stop, roses, near, critical, low, high, op)
                if m < 0:
                    continue
                n_parts = sweep(low, high, op, m, start, stop, covering, cut, mask)
                for k in range(n_parts):
                    if mask[k] & own:
                        continue
                    if n == len(parts):
                        more = np.zeros(2 * n, parts.dtype)
                        more[:n] = parts
                        parts = more
                    parts[n].petal, parts[n].kind = p, kind
                    parts[n].low = cut[k]
                    parts[n].high = cut[k + 1] if k + 1 < n_parts else stop
                    parts[n].mask = mask[k]
                    n += 1
                    counts[i - begin] += 1
    return parts[:n].copy()


@kernel
def _extent(rose, petals, p, kind):
    """Return where the arc of a petal, or the side along its first ray, begins and ends."""
    petal = petals[p]
    if kind == ARC:
        return 0.0, petal.span if petal.radius > 0.0 else 0.0
    before = radius_before(rose, petals, p)  # a disc's is its own: it has no side
    return min(before, petal.radius), max(before, petal.radius)


@kernel
def _cover(rose, petals, p, kind, start, stop, roses, near, critical, low, high, op):
    """List where other roses cover a curve; return how often, or -1 if one of its own hides it."""
    petal = petals[p]
    m = 0
    for j in near:
        if j == rose.index:
            continue
        if kind == ARC:
            found = cover_arc(
                rose.x, rose.y, petal.radius, petal.angle, petal.span, rose.index, roses[j],
                petals, critical, low[m:], high[m:],
            )  # fmt: skip
        else:
            found = cover_segment(
                rose.x, rose.y, petal.ux, petal.uy, start, stop,
                petal.radius > radius_before(rose, petals, p), rose.index, roses[j], petals,
                critical, low[m:], high[m:],
            )  # fmt: skip
        op[m : m + found] = roses[j].op
        m += found
        is_whole = found > 0 and low[m - 1] <= start and high[m - 1] >= stop
        if is_whole and roses[j].op == rose.op:
            return -1
    return m

"""The boundary of a union of roses: the parts of their outlines that no rose of theirs covers."""

from __future__ import annotations

import numpy as np

from phusong.kernels import in_threads, kernel
from phusong.union.curves import cover_arc, cover_segment, sweep
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
    room = 64
    low, high, op = np.empty(room), np.empty(room), np.empty(room, np.int64)
    cut, mask = np.empty(2 * room), np.empty(2 * room, np.uint64)
    covering = np.zeros(n_operators, np.int64)
    for i in range(begin, end):
        rose = roses[i]
        near = near_box(
            roses, frame, first, members, rose.x - rose.reach, rose.y - rose.reach,
            rose.x + rose.reach, rose.y + rose.reach,
        )  # fmt: skip
        need = 2
        widest = 0
        for j in near:
            need += 3 * roses[j].n + 3
            widest = max(widest, roses[j].n)
        if need > room:
            room = 2 * need
            low, high, op = np.empty(room), np.empty(room), np.empty(room, np.int64)
            cut, mask = np.empty(2 * room), np.empty(2 * room, np.uint64)
        critical = np.empty(4 * widest + 4)
        own = np.uint64(1) << np.uint64(rose.op)
        for p in range(rose.first, rose.first + rose.n):
            petal = petals[p]
            before = petals[rose.first + (p - rose.first - 1) % rose.n].radius
            for kind in range(2):
                if kind == 0:
                    start, stop = 0.0, petal.span
                    if petal.radius <= 0.0:
                        continue
                else:
                    start, stop = min(before, petal.radius), max(before, petal.radius)
                    if rose.n == 1:
                        continue
                m = 0
                is_hidden = False
                for j in near:
                    if j == i:
                        continue
                    if kind == 0:
                        found = cover_arc(
                            rose.x, rose.y, petal.radius, petal.angle, petal.span, i, roses[j],
                            petals, critical, low[m:], high[m:],
                        )  # fmt: skip
                    else:
                        found = cover_segment(
                            rose.x, rose.y, petal.ux, petal.uy, start, stop,
                            petal.radius > before, i, roses[j], petals, critical, low[m:], high[m:],
                        )  # fmt: skip
                    op[m : m + found] = roses[j].op
                    m += found
                    if (
                        found
                        and roses[j].op == rose.op
                        and low[m - 1] <= start
                        and (high[m - 1] >= stop)
                    ):
                        is_hidden = True
                        break
                if is_hidden:
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

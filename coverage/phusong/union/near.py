"""Which roses may meet a box: a grid of buckets over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phusong.kernels import kernel

__all__ = ["Buckets", "make_buckets", "near_box"]

ROSES_PER_BUCKET = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """Roses by bucket: those of bucket b are members[first[b] : first[b + 1]].

    `frame` is x_min, y_min, metres a bucket, columns, rows.
    """

    frame: np.ndarray
    first: np.ndarray
    members: np.ndarray


def make_buckets(roses: np.ndarray) -> Buckets:
    """Sort roses into buckets about as wide as a rose, each rose into all that it meets."""
    if not len(roses):
        return Buckets(frame=np.array([0.0, 0.0, 1.0, 1, 1]), first=np.zeros(2, "i8"),
                       members=np.zeros(0, "i8"))  # fmt: skip
    reach = roses["reach"]
    x_min, x_max = (roses["x"] - reach).min(), (roses["x"] + reach).max()
    y_min, y_max = (roses["y"] - reach).min(), (roses["y"] + reach).max()
    by_count = np.sqrt((x_max - x_min) * (y_max - y_min) * ROSES_PER_BUCKET / len(roses))
    width = max(by_count, float(np.median(reach)))
    frame = np.array(
        [x_min, y_min, width, np.ceil((x_max - x_min) / width), np.ceil((y_max - y_min) / width)]
    )
    first, members = _fill(roses, frame)
    return Buckets(frame=frame, first=first, members=members)


@kernel
def _span(frame, x_low, y_low, x_high, y_high):
    """Return the first and last bucket column and row that a box meets."""
    last_column, last_row = int(frame[3]) - 1, int(frame[4]) - 1
    return (
        min(max(int((x_low - frame[0]) / frame[2]), 0), last_column),
        min(max(int((y_low - frame[1]) / frame[2]), 0), last_row),
        min(max(int((x_high - frame[0]) / frame[2]), 0), last_column),
        min(max(int((y_high - frame[1]) / frame[2]), 0), last_row),
    )


@kernel
def _fill(roses, frame):
    n_columns = int(frame[3])
    first = np.zeros(n_columns * int(frame[4]) + 1, np.int64)
    for r in roses:
        c0, r0, c1, r1 = _span(frame, r.x - r.reach, r.y - r.reach, r.x + r.reach, r.y + r.reach)
        for row in range(r0, r1 + 1):
            first[row * n_columns + c0 + 1 : row * n_columns + c1 + 2] += 1
    first[:] = np.cumsum(first)
    members = np.empty(first[-1], np.int64)
    at = first.copy()
    for i in range(len(roses)):
        r = roses[i]
        c0, r0, c1, r1 = _span(frame, r.x - r.reach, r.y - r.reach, r.x + r.reach, r.y + r.reach)
        for row in range(r0, r1 + 1):
            for bucket in range(row * n_columns + c0, row * n_columns + c1 + 1):
                members[at[bucket]] = i
                at[bucket] += 1
    return first, members


@kernel
def near_box(roses, frame, first, members, x_low, y_low, x_high, y_high):
    """Return the roses whose box meets a box, in order."""
    c0, r0, c1, r1 = _span(frame, x_low, y_low, x_high, y_high)
    n_columns = int(frame[3])
    room = 0
    for row in range(r0, r1 + 1):
        room += first[row * n_columns + c1 + 1] - first[row * n_columns + c0]
    near = np.empty(room, np.int64)
    n = 0
    for row in range(r0, r1 + 1):
        for column in range(c0, c1 + 1):
            bucket = row * n_columns + column
            for m in range(first[bucket], first[bucket + 1]):
                i = members[m]
                r = roses[i]
                if (
                    r.x - r.reach > x_high or r.x + r.reach < x_low
                    or r.y - r.reach > y_high or r.y + r.reach < y_low
                ):  # fmt: skip
                    continue
                # counted in one bucket only: that of the lower left corner of what both share
                corner = _span(
                    frame, max(x_low, r.x - r.reach), max(y_low, r.y - r.reach), 0.0, 0.0
                )
                if corner[0] == column and corner[1] == row:
                    near[n] = i
                    n += 1
    near = near[:n]
    near.sort()
    return near

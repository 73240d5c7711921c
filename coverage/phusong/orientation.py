"""On which side of a line a point lies, exactly, for any three points in double precision."""

from __future__ import annotations

import numpy as np

from phusong.kernels import kernel

__all__ = ["orient"]

# Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates
# (1997), figure 21: (3 + 16 u) u with u = 2⁻⁵³.
FILTER = (3.0 + 16.0 * 2.0**-53) * 2.0**-53
SPLITTER = 2.0**27 + 1.0


@kernel
def orient(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> float:
    """Return a number with the sign of (b - a) × (c - a): positive where c is left of a → b.

    Zero if and only if the three points are on one line. Rounding is bounded first, as Shewchuk
    (1997) does, and where the bound does not decide, the six products are added without rounding.
    Like his, it needs products within the range of doubles: differences of 1e-150 to 1e150.

    Examples
    --------
    >>> orient(0.0, 0.0, 3.0, 1.0, 0.3, 0.1) > 0  # in binary 0.1 is more than a third of 0.3
    True
    >>> orient(0.0, 0.0, 3.0, 1.0, 1.5, 0.5)
    0.0
    """
    left = (ax - cx) * (by - cy)
    right = (ay - cy) * (bx - cx)
    det = left - right
    if left == 0.0 or right == 0.0 or abs(det) > FILTER * (abs(left) + abs(right)):
        return det
    terms = np.empty(12)
    pairs = ((ax, by), (-ax, cy), (-cx, by), (-ay, bx), (ay, cx), (cy, bx))
    n = 0
    for p, q in pairs:
        product = p * q
        terms = _add(terms, n, _error(p, q, product))
        terms = _add(terms, n + 1, product)
        n += 2
    for i in range(11, -1, -1):
        if terms[i] != 0.0:
            return terms[i]
    return 0.0


@kernel
def _add(terms: np.ndarray, n: int, number: float) -> np.ndarray:
    """Add a number to an expansion of n terms, which grow and do not overlap; it has n + 1 then."""
    for i in range(n):
        total = number + terms[i]
        virtual = total - number
        terms[i] = (number - (total - virtual)) + (terms[i] - virtual)
        number = total
    terms[n] = number
    return terms


@kernel
def _error(p: float, q: float, product: float) -> float:
    """Return p·q − fl(p·q), exactly (Dekker's product)."""
    c = SPLITTER * p
    p_high = c - (c - p)
    p_low = p - p_high
    c = SPLITTER * q
    q_high = c - (c - q)
    q_low = q - q_high
    return p_low * q_low - (((product - p_high * q_high) - p_low * q_high) - p_high * q_low)

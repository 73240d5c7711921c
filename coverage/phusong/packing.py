"""Shares of cells packed for the way from one process to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phusong.scratch import make_array

__all__ = ["PackedShares", "pack_shares", "unpack_shares"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedShares:
    """Shares of cells, most of which are 0 or 1; see `pack_shares`.

    Attributes
    ----------
    shape : tuple of int
    ones : array of uint8
        Which cells are 1, eight to a byte.
    places : array of int64, shape (n,)
        Positions of all others but the zeros, in the flat array.
    shares : array of float32, shape (n,)
    """

    shape: tuple[int, ...]
    ones: np.ndarray
    places: np.ndarray
    shares: np.ndarray


def pack_shares(shares: np.ndarray) -> PackedShares:
    """Return float32 shares of cells as few bytes, from which they come back bit for bit.

    Examples
    --------
    >>> packed = pack_shares(np.array([[0, 1, 0.25], [1, 0, 0]], "float32"))
    >>> packed.places, packed.shares
    (array([2]), array([0.25], dtype=float32))
    >>> unpack_shares(packed)
    array([[0.  , 1.  , 0.25],
           [1.  , 0.  , 0.  ]], dtype=float32)
    """
    flat = shares.reshape(-1)
    is_one = flat == 1
    places = np.flatnonzero((flat != 0) & ~is_one)
    return PackedShares(
        shape=shares.shape, ones=np.packbits(is_one), places=places, shares=flat[places]
    )


def unpack_shares(packed: PackedShares) -> np.ndarray:
    """Return the shares that were packed, in an array as `make_array` makes it."""
    shares = make_array(packed.shape, "float32")
    flat = shares.reshape(-1)
    flat[:] = np.unpackbits(packed.ones, count=len(flat))
    flat[packed.places] = packed.shares
    return shares

"""Why an account has nothing but ``wait``: the fewest rules that refuse all of it, and how far it is from an action."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]


def smallest_cause(refused: Bools) -> tuple[int, ...]:
    """The smallest set of rules such that every action is refused by one of them at least.

    Parameters
    ----------
    refused : (A, R) which rule refuses which action; every action is refused by some rule

    Returns
    -------
    positions of rules, rising. Among sets of one size it is the first, so that rules that come first, those of earlier
    layers, are named.

    Notes
    -----
    A minimum hitting set, found exactly. What an action alone is refused by has to be in it, and an action that is
    refused by all that refuses another one needs no look of its own; what is left is small enough to try.

    >>> smallest_cause(np.array([[True, False, True], [False, True, True]]))
    (2,)
    """
    packed = np.packbits(refused, axis=1, bitorder="little")
    masks = _least({int.from_bytes(row, "little") for row in {bytes(row) for row in packed}})
    forced = 0
    for mask in masks:
        forced |= mask if mask.bit_count() == 1 else 0
    left = [mask for mask in masks if not mask & forced]
    known = _bits(forced)
    if not left:
        return tuple(known)
    free = sorted({bit for mask in left for bit in _bits(mask)})
    for size in range(1, len(free) + 1):
        for more in combinations(free, size):
            if all(mask & _mask(more) for mask in left):
                return tuple(sorted((*known, *more)))
    raise AssertionError("all rules together refuse what each of them does")


def rules_away(refused: Bools) -> int:
    """The fewest rules that would have to be lifted for one action to open; (A, R) as above."""
    return int(refused.sum(axis=1).min())


def _least(masks: set[int]) -> list[int]:
    """The masks that no other one is a part of."""
    return [mask for mask in masks if not any(other != mask and other & mask == other for other in masks)]


def _mask(bits: Iterable[int]) -> int:
    return sum(1 << bit for bit in bits)


def _bits(mask: int) -> list[int]:
    return [bit for bit in range(mask.bit_length()) if mask >> bit & 1]

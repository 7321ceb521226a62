"""Putting rows in order in compiled code: by several integer keys, stable, and by the text of an id where all keys tie.

Texts are compared only among rows that tie, because sorting every id of a portfolio would cost more than all the rest.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from domain.clock import Int64s
from domain.compiled import compiled

Key = npt.NDArray[np.int64]
_RUN = 8


@compiled
def _after(keys: Key, left: int, right: int) -> bool:
    """Whether row ``left`` comes after row ``right``; equal rows do not."""
    for key in range(keys.shape[0]):
        if keys[key, left] != keys[key, right]:
            return bool(keys[key, left] > keys[key, right])
    return False


@compiled
def _sort_runs(keys: Key, order: Int64s) -> None:
    for start in range(0, len(order), _RUN):
        for place in range(start + 1, min(start + _RUN, len(order))):
            row, gap = order[place], place
            while gap > start and _after(keys, order[gap - 1], row):
                order[gap] = order[gap - 1]
                gap -= 1
            order[gap] = row


@compiled
def _merge(keys: Key, order: Int64s, spare: Int64s, bounds: tuple[int, int, int]) -> None:
    low, middle, high = bounds
    spare[low:middle] = order[low:middle]
    left, right, place = low, middle, low
    while left < middle and right < high:
        if _after(keys, spare[left], order[right]):
            order[place] = order[right]
            right += 1
        else:
            order[place] = spare[left]
            left += 1
        place += 1
    order[place : place + middle - left] = spare[left:middle]


@compiled
def row_order(keys: Key) -> Int64s:
    """Rows in ascending order of their keys, equal rows as they stand: a merge sort that passes over what is sorted.

    Parameters
    ----------
    keys : (k, n) int64, the first key weighs most

    Returns
    -------
    (n,) int64 row numbers
    """
    n = keys.shape[1]
    order = np.arange(n)
    spare = np.empty(n, dtype=np.int64)
    _sort_runs(keys, order)
    width = _RUN
    while width < n:
        for low in range(0, n - width, 2 * width):
            middle = low + width
            if _after(keys, order[middle - 1], order[middle]):
                _merge(keys, order, spare, (low, middle, min(middle + width, n)))
        width *= 2
    return order


@compiled
def tied_rows(keys: Key, order: Int64s) -> Int64s:
    """Rows whose keys are all equal to those of a neighbour in the order."""
    tied = np.zeros(len(order), dtype=np.bool_)
    for place in range(1, len(order)):
        if not _after(keys, order[place], order[place - 1]):
            tied[place] = tied[place - 1] = True
    return order[np.flatnonzero(tied)]


def order_by_id(keys: Key, ids_of: Callable[[Int64s], list[str | None]], *, last: Key) -> Int64s:
    """Rows by keys, then by the text of their id, then by ``last``.

    Parameters
    ----------
    keys : (k, n) int64
    ids_of : the ids of some rows, asked for only where rows tie
    last : (j, n) int64, further keys
    """
    order = row_order(keys)
    tied = tied_rows(keys, order)
    if not len(tied):
        return order
    texts = ["" if text is None else text for text in ids_of(tied)]
    rank = {text: place for place, text in enumerate(sorted(set(texts)))}
    ranks = np.zeros(keys.shape[1], dtype=np.int64)
    ranks[tied] = [rank[text] for text in texts]
    return row_order(np.concatenate([keys, ranks[None, :], last]))

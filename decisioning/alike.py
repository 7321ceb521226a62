"""Which rows of some columns are the same, so that what follows from them is computed once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from domain.compiled import compiled

Int64s = npt.NDArray[np.int64]
_FEW = 64
"""Up to so many rows a dictionary costs no more than the call of compiled code."""
_MIX, _TURN = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)


def alike(*columns: Int64s) -> tuple[Int64s, Int64s]:
    """The first row of each kind, and the kind of each row.

    Parameters
    ----------
    columns : (m,) each

    Returns
    -------
    (k,) positions of rows that differ from each other, rising, and (m,) a position among these for each row

    >>> [part.tolist() for part in alike(np.array([7, 8, 7, 7]), np.array([1, 1, 1, 2]))]
    [[0, 1, 3], [0, 1, 0, 2]]
    """
    if len(columns[0]) <= _FEW:
        return _looked_up(*columns)
    return _numbered(np.stack(columns))


def _looked_up(*columns: Int64s) -> tuple[Int64s, Int64s]:
    found: dict[tuple[int, ...], int] = {}
    kind = [found.setdefault(row, len(found)) for row in zip(*(column.tolist() for column in columns), strict=True)]
    which = np.array(kind, dtype=np.int64)
    first = np.zeros(len(found), dtype=np.int64)
    # The first of a kind is written last.
    first[which[::-1]] = np.arange(len(which) - 1, -1, -1)
    return first, which


@compiled
def _numbered(columns: Int64s) -> tuple[Int64s, Int64s]:
    """The same of columns (c, m), by a table of rows open to the next slot, at most half full."""
    size = 2
    while size < 2 * columns.shape[1]:
        size *= 2
    slots, first = np.full(size, -1, dtype=np.int64), np.empty(columns.shape[1], dtype=np.int64)
    kind, count = np.empty(columns.shape[1], dtype=np.int64), 0
    for row in range(columns.shape[1]):
        mixed = _MIX
        for column in range(columns.shape[0]):
            mixed = (mixed ^ np.uint64(columns[column, row])) * _MIX
            mixed ^= mixed >> _TURN
        slot = np.int64(mixed & np.uint64(size - 1))
        while slots[slot] >= 0 and not _same(columns, first[slots[slot]], row):
            slot = (slot + 1) & (size - 1)
        if slots[slot] < 0:
            slots[slot], first[count], count = count, row, count + 1
        kind[row] = slots[slot]
    return first[:count].copy(), kind


@compiled
def _same(columns: Int64s, one: int, other: int) -> bool:
    same = True
    for column in range(columns.shape[0]):
        same = same and columns[column, one] == columns[column, other]
    return same

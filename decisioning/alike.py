"""Which rows of some columns are the same, so that what follows from them is computed once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
_FEW = 1_024
"""Up to so many rows a dictionary is quicker than sorting: numpy's price is that of its calls."""


def alike(*columns: Int64s) -> tuple[Int64s, Int64s]:
    """The first row of each kind, and the kind of each row.

    Parameters
    ----------
    columns : (m,) each

    Returns
    -------
    (k,) positions of rows that differ from each other, and (m,) a position among these for each row

    >>> [part.tolist() for part in alike(np.array([7, 8, 7, 7]), np.array([1, 1, 1, 2]))]
    [[0, 1, 3], [0, 1, 0, 2]]
    """
    if len(columns[0]) <= _FEW:
        return _looked_up(*columns)
    packed = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        distinct, code = np.unique(column, return_inverse=True)
        packed = packed * len(distinct) + code.reshape(-1)
    _, first, kind = np.unique(packed, return_index=True, return_inverse=True)
    return first, kind.reshape(-1)


def _looked_up(*columns: Int64s) -> tuple[Int64s, Int64s]:
    found: dict[tuple[int, ...], int] = {}
    kind = [found.setdefault(row, len(found)) for row in zip(*(column.tolist() for column in columns), strict=True)]
    which = np.array(kind, dtype=np.int64)
    first = np.zeros(len(found), dtype=np.int64)
    # The first of a kind is written last.
    first[which[::-1]] = np.arange(len(which) - 1, -1, -1)
    return first, which

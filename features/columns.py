"""Small numpy steps on canonical columns: stable ranks of texts, bounds of runs, positions of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from domain.clock import Int64s

Int32s = npt.NDArray[np.int32]


def alphabetical(values: Sequence[str]) -> Int32s:
    """Position of each value in the alphabetical order of all, so that nothing depends on the order of rows."""
    if len(values) < 2:
        return np.zeros(len(values), dtype=np.int32)
    order = np.argsort(np.array(values, dtype=object))
    rank = np.empty(len(values), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank


def offsets_of(sorted_keys: Int32s, n_keys: int) -> Int64s:
    """Bounds of each key's run in a sorted column: (n_keys + 1,) int64."""
    return np.searchsorted(sorted_keys, np.arange(n_keys + 1)).astype(np.int64)


def index_of(values: Sequence[str]) -> Mapping[str, int]:
    """Position of each value."""
    return {value: position for position, value in enumerate(values)}

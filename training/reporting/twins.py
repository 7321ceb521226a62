"""Test rows that are the same as others in every feature: what is said of them was perhaps learned by heart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.splits import Split

Floats = npt.NDArray[np.float64]
_MISSING = -1e300
_FACTOR, _SHIFT = np.uint64(0xBF58476D1CE4E5B9), np.uint64(29)


def twins(values: Floats, split: Split) -> dict[str, int]:
    """How many ``rows`` are tested, how many have a twin ``in_test``, and how many ``in_train``; missing is a value.

    Parameters
    ----------
    values : (n, k) features of all rows
    """
    keys = np.arange(len(values))
    # Rows whose hash nobody shares are alone; only the few others are copied, and compared value by value.
    hashes = _hashes(values)
    seen, count = np.unique(hashes, return_counts=True)
    alike = np.flatnonzero(np.isin(hashes, seen[count > 1]))
    whole = np.ascontiguousarray(np.nan_to_num(values[alike], nan=_MISSING)).view(f"V{values.shape[1] * 8}").ravel()
    keys[alike] = len(values) + np.unique(whole, return_inverse=True)[1].ravel()
    test = keys[split.test]
    return {
        "rows": len(test),
        "in_test": int((np.bincount(test)[test] > 1).sum()),
        "in_train": int(np.isin(test, keys[split.train]).sum()),
    }


def _hashes(values: Floats) -> npt.NDArray[np.uint64]:
    """(n,) a hash of each row, column after column, so that no second matrix is made."""
    found = np.zeros(len(values), dtype=np.uint64)
    for column in range(values.shape[1]):
        found ^= np.nan_to_num(values[:, column], nan=_MISSING).view(np.uint64)
        found *= _FACTOR
        found ^= found >> _SHIFT
    return found

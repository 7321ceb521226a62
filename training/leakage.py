"""Suspects of leakage: features that tell by themselves who pays, better than anything known beforehand could."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from features.gates.breaches import Breach, Miss
from features.gates.config import Leakage
from features.schema import FeatureSchema

TABLE, NAME = "features", "leakage"
"""How breaches and waivers name it, as if features were a table."""
_MOST_ROWS = 30_000
_WAY_OUT = "look for a column that is filled, or dated, by the payment itself; where it is right, waive it"

Floats = npt.NDArray[np.float64]


def single_auc(values: Floats, paid: Floats, *, categorical: bool = False) -> float:
    """AUC of one feature alone, in the direction that it has, 0.5 to 1.

    Parameters
    ----------
    values : (n,), ``NaN`` where missing: missing ones count below or above all others, whichever tells more; categories
        are put in the order of their shares of payers
    paid : (n,) 0 or 1, with both among them

    Notes
    -----
    The rank sum of Mann and Whitney, ties by their mean rank.
    """
    missing = np.isnan(values)
    if categorical:
        codes = np.where(missing, -1, values).astype(np.int64) + 1
        rows = np.bincount(codes)
        values, missing = (np.bincount(codes, paid) / np.maximum(rows, 1))[codes], np.zeros(len(values), dtype=np.bool_)
    payers, others, absent = paid.sum(), (1 - paid).sum(), int(missing.sum())
    ranks = np.full(len(values), (absent + 1) / 2)
    ranks[~missing] = absent + rankdata(values[~missing])
    below = float(ranks @ paid - payers * (payers + 1) / 2) / (payers * others)
    ranks[missing] += len(values) - absent
    ranks[~missing] -= absent
    above = float(ranks @ paid - payers * (payers + 1) / 2) / (payers * others)
    return float(max(below, 1 - below, above, 1 - above))


def suspects(values: Floats, paid: Floats, schema: FeatureSchema, expected: Leakage) -> Iterator[Breach]:
    """Features whose AUC alone is implausible; none where fewer than ``least_events`` paid, or did not.

    Parameters
    ----------
    values : (n, k) in schema order, rows whose label is known
    paid : (n,) 0 or 1
    """
    step = max(len(paid) // _MOST_ROWS, 1)
    paid = paid[::step]
    if min(paid.sum(), (1 - paid).sum()) < expected.least_events:
        return
    for place, name in enumerate(schema.names):
        auc = single_auc(values[::step, place], paid, categorical=name in schema.categories)
        if auc > expected.max_auc:
            found = f"an AUC of {auc:.3f} of this feature alone"
            miss = Miss(name, 0, found, f"at most {expected.max_auc:g}", _WAY_OUT)
            yield Breach(expected.severity, TABLE, NAME, "leakage", miss)

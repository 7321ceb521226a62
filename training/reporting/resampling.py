"""Intervals of figures that have no formula for one: debtors are drawn again, in blocks, so that it costs little.

Whole debtors are put into at most ``BLOCKS`` blocks, and blocks are drawn with replacement. Sums over blocks vary as
sums over debtors do, so that the width is that of a bootstrap over debtors, from 500 numbers instead of 100,000.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.metrics import ECE_BINS, equal_mass_bins, interval
from training.reporting.intervals import Scored
from training.reporting.lights import Figure

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BLOCKS, DRAWS = 500, 200
_SEED = 20_26
METHOD = "bootstrap"


def redrawn(sums: Floats, debtor: Ints) -> Floats:
    """(DRAWS, m) totals of rows (n, m) in samples of whole debtors, always the same draws for the same rows."""
    code = np.unique(debtor, return_inverse=True)[1].ravel() % BLOCKS
    blocks = int(code.max()) + 1 if len(code) else 0
    if not blocks:
        return np.zeros((DRAWS, sums.shape[1]))
    inside = np.column_stack([np.bincount(code, weights=column, minlength=blocks) for column in sums.T])
    rng = np.random.default_rng(_SEED)
    counts = rng.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=DRAWS)
    return np.asarray(counts @ inside, dtype=np.float64)


def figure_of(value: float, draws: Floats, rows: Scored) -> Figure:
    """A figure with the percentile interval of its draws; without one where no draw has a value."""
    low, high = interval(draws)
    if not np.isfinite(low):
        return Figure(value, n=len(rows), debtors=rows.debtors, method=METHOD)
    return Figure(value, low, high, len(rows), rows.debtors, METHOD)


def ece_of(rows: Scored) -> Figure:
    """Expected calibration error (``training.metrics.ece``) with its interval, which lies a little high, as there."""
    if not len(rows):
        return Figure(None, n=0, debtors=0, method=METHOD)
    place = equal_mass_bins(rows.p, ECE_BINS)
    gaps = _in_bins(place, rows.paid - rows.p, ECE_BINS)
    found = redrawn(np.column_stack([gaps, np.ones(len(rows))]), rows.debtor)
    draws = np.abs(found[:, :-1]).sum(axis=1) / np.maximum(found[:, -1], 1.0)
    return figure_of(float(np.abs(gaps.sum(axis=0)).sum() / len(rows)), draws, rows)


def brier_parts_of(rows: Scored, bins: int) -> dict[str, Figure]:
    """Reliability, resolution, uncertainty and what is within bins (``calibration_tests.brier_parts``)."""
    place = np.unique(equal_mass_bins(rows.p, bins), return_inverse=True)[1].ravel()
    count = int(place.max()) + 1
    columns = [
        _in_bins(place, one, count) for one in (np.ones(len(rows)), rows.paid, rows.p, (rows.p - rows.paid) ** 2)
    ]
    sums = np.concatenate(columns, axis=1)
    whole, drawn = (_brier(one, count) for one in (sums.sum(axis=0)[None], redrawn(sums, rows.debtor)))
    return {name: figure_of(float(whole[name][0]), drawn[name], rows) for name in whole}


def _in_bins(place: Ints, values: Floats, count: int) -> Floats:
    """(n, count) each value in the column of its bin."""
    found = np.zeros((len(place), count))
    found[np.arange(len(place)), place] = values
    return found


def _brier(sums: Floats, count: int) -> dict[str, Floats]:
    """The parts, one of each row of sums over bins: of rows, of payers, of probabilities, of squared errors."""
    rows, paid, said, squared = (sums[:, one * count : (one + 1) * count] for one in range(4))
    every, known = rows.sum(axis=1, keepdims=True), np.maximum(rows, 1.0)
    share, base = rows / every, paid.sum(axis=1, keepdims=True) / every
    found = {
        "reliability": (share * ((said - paid) / known) ** 2).sum(axis=1),
        "resolution": (share * (paid / known - base) ** 2).sum(axis=1),
        "uncertainty": (base * (1.0 - base))[:, 0],
    }
    score = squared.sum(axis=1) / every[:, 0]
    return {**found, "within": score - found["reliability"] + found["resolution"] - found["uncertainty"]}

"""The population stability index of counts in bins, as credit risk writes it, and how large chance alone makes it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.stability import stability
from training.reporting.lights import Figure

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_SMALLEST = 1e-4
"""The share that an empty bin counts as."""


def psi(counts: Ints, before: Ints) -> float:
    """Σ (a − b) · ln(a / b) over shares a now and b before; a bin that one side lacks counts a ten-thousandth there.

    >>> round(psi(np.array([50, 50]), np.array([50, 50])), 6)
    0.0
    """
    used = (counts > 0) | (before > 0)
    now, then = (np.maximum(side[used] / max(side.sum(), 1), _SMALLEST) for side in (counts, before))
    return float(((now - then) * np.log(now / then)).sum())


def beyond_chance(counts: Ints, before: Ints, *, units: int, units_before: int, error: float) -> tuple[Figure, bool]:
    """PSI with what chance makes of nothing (``high`` of the interval is PSI, ``low`` PSI less that noise), and whether
    it is more than chance.

    Parameters
    ----------
    units, units_before : debtors on both sides
    """
    found = stability(counts, before, units=units, units_before=units_before, false_alarm=error)
    value = psi(counts, before)
    figure = Figure(value, max(0.0, value - found.noise), value, int(counts.sum()), units, "chance")
    return figure, value > found.noise

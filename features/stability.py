"""The population stability index, and how large it is by chance alone.

PSI is biased upwards on small samples: where nothing shifted it is distributed about as (1/n + 1/m) times a chi-square
with bins - 1 degrees of freedom (Yurdakul and Naranjo, Statistical properties of the population stability index, 2020).
The usual limits of 0.10 and 0.25 are right only where that is far below them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from domain.clock import Int64s

_PRIOR = 0.5


@dataclass(frozen=True, slots=True)
class Stability:
    """A PSI with its noise: what it is, and what it would be without any shift.

    ``expected`` is its mean without shift, and ``noise`` the value that it then exceeds with the probability asked for;
    ``units`` and ``units_before`` are the independent debtors on both sides.
    """

    psi: float
    expected: float
    noise: float
    units: int
    units_before: int

    def beyond(self, limit: float) -> bool:
        """Whether it is above a limit, and more than chance makes of nothing."""
        return self.psi > max(limit, self.noise)


def stability(counts: Int64s, before: Int64s, *, units: int, units_before: int, false_alarm: float) -> Stability:
    """PSI of two samples in the same bins.

    Parameters
    ----------
    counts, before : (bins,) rows now and in training
    units, units_before : independent debtors among them; rows of one debtor are alike, so that counting rows would
        promise less noise than there is
    false_alarm : probability with which ``noise`` may be exceeded where nothing shifted

    Notes
    -----
    Half a row is added to each bin that either side has, so that a bin which one of them lacks gives a finite number.
    """
    used = (counts > 0) | (before > 0)
    free = max(int(used.sum()) - 1, 0)
    scale = 1 / max(units, 1) + 1 / max(units_before, 1)
    now, then = _shares(counts[used]), _shares(before[used])
    return Stability(
        psi=float(((now - then) * np.log(now / then)).sum()),
        expected=free * scale,
        noise=float(chdtri(free, false_alarm)) * scale if free else 0.0,
        units=units,
        units_before=units_before,
    )


def _shares(counts: Int64s) -> np.ndarray:
    smoothed = counts + _PRIOR
    return np.asarray(smoothed / smoothed.sum())

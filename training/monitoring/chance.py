"""What chance alone makes of nothing: quantiles, dispersion between weeks, and what many tests share.

Rows are independent debtors on both sides. The power of a check is that of its own test at the level which a change has
in its family, for a change of a stated size; a week that could not have seen it is no green one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import chdtrc, ndtr

Floats = npt.NDArray[np.float64]
_HETEROGENEOUS = 0.05


@lru_cache(maxsize=4096)
def quantile(tail: float, free: int | None) -> float:
    """Where so much of the normal distribution, or of t, lies beyond."""
    return float(stats.norm.isf(tail) if free is None else stats.t.isf(tail, free))


def widened(squares: float, free: int) -> tuple[float, int | None]:
    """By how much weeks vary beyond chance, and its degrees of freedom; 1 and ``None`` where 5 % do not tell it."""
    if free < 1 or squares <= free or float(chdtrc(free, squares)) >= _HETEROGENEOUS:
        return 1.0, None
    return squares / free, free


def z_power(size: float, *, spread: float, least: float, alpha: float, free: int | None = None) -> float:
    """Chance that an estimate of normal ``spread`` is beyond ``least`` and significant where the truth is ``size``."""
    if spread <= 0.0:
        return 0.0
    beyond = max(least, quantile(alpha / 2.0, free) * spread)
    return float(ndtr((size - beyond) / spread))


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """P-values that may be held against the level of the whole family (Holm 1979).

    >>> holm_adjusted([0.04, 0.001, 0.02])
    [0.04, 0.003, 0.04]
    """
    found, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        found[place] = largest
    return found

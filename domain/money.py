"""Money is a decimal with two places at the edge and int64 cents inside; unit costs keep four places."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING


def to_cents(amounts: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Amounts in currency units as cents, rounded half to even; ``NaN`` becomes ``MISSING``.

    >>> to_cents(np.array([1.005, 0.125, float("nan")]))[:2].tolist()
    [100, 12]
    """
    missing = np.isnan(amounts)
    # 1.005 is stored as 1.00499…; rounding to six places first makes 2.675 round as it is written.
    scaled = np.round(np.where(missing, 0.0, amounts) * 100.0, 6)
    cents = np.rint(scaled).astype(np.int64)
    cents[missing] = MISSING
    return cents


def one_to_cents(amount: float) -> int:
    """One amount in currency units as cents, rounded half to even.

    >>> one_to_cents(1500.0), one_to_cents(-0.35)
    (150000, -35)
    """
    return round(round(amount * 100.0, 6))


def from_cents(cents: int) -> float:
    """Cents as a currency amount with two decimals, for the edge.

    >>> from_cents(153000)
    1530.0
    """
    return round(int(cents) / 100.0, 2)

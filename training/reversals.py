"""Which payment a reversal undoes: reversals are negative payments that name a debt, but not the payment."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from domain.clock import FOREVER

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


def apply_reversals(account: Int32s, at_us: Int64s, amount_cents: Int64s, *, debt: Int32s) -> tuple[Int64s, Int64s]:
    """What is left of each payment, and when it was reversed in full.

    Parameters
    ----------
    account, at_us, amount_cents, debt : (m,), in any order; a negative amount is a reversal, ``debt`` -1 names none

    Returns
    -------
    left_cents : (m,), what no partial reversal took; the whole amount where it was reversed in full
    reversed_us : (m,), the moment of the full reversal, ``FOREVER`` where there is none

    Notes
    -----
    A reversal undoes the latest earlier payment of the same account, debt and amount that still stands; failing that,
    it eats into the latest ones of the debt, then of the account. What finds no payment is ignored.
    """
    left, reversed_us = amount_cents.copy(), np.full(len(account), FOREVER, dtype=np.int64)
    order = np.lexsort((-amount_cents, at_us, account))
    starts = np.searchsorted(account[order], account[order], side="left")
    for place in np.flatnonzero(amount_cents[order] < 0):
        reversal = order[place]
        earlier = order[starts[place] : place][::-1]
        standing = earlier[(amount_cents[earlier] > 0) & (reversed_us[earlier] == FOREVER)]
        same_debt = debt[standing] == debt[reversal]
        exact = standing[same_debt & (left[standing] == -amount_cents[reversal])]
        payments = exact[:1] if len(exact) else np.concatenate([standing[same_debt], standing[~same_debt]])
        _undo(payments, int(-amount_cents[reversal]), int(at_us[reversal]), left=left, reversed_us=reversed_us)
    return left, reversed_us


def _undo(payments: Int64s, cents: int, at_us: int, *, left: Int64s, reversed_us: Int64s) -> None:
    for payment in payments:
        if cents <= 0:
            return
        if cents >= left[payment]:
            cents -= int(left[payment])
            reversed_us[payment] = at_us
        else:
            left[payment] -= cents
            cents = 0

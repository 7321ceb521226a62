"""What a balance is computed from and what comes out: columns of debts and entries, and the standing of an account.

The rules themselves are in ``domain/balance.py``; ``domain/balance_arrays.py`` makes the columns from canonical tables.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Bounds = tuple[int, int, int, int]

PAYMENT, PRINCIPAL, CHARGE, CLOSE, REOPEN, SETTLE = 0, 1, 2, 3, 4, 5
"""Kinds of entry; ``SETTLE`` closes like ``CLOSE``, for a kept settlement whose discount was never recorded."""
ENTRY_OF_DEBT_EVENT = {
    "interest": CHARGE, "fine": CHARGE, "fee": CHARGE,
    "discount": PRINCIPAL, "correction": PRINCIPAL, "write_off": PRINCIPAL,
    "cancelled": CLOSE, "renegotiated": CLOSE, "assigned": CLOSE, "reinstated": REOPEN, "recalled": REOPEN,
}  # fmt: skip
"""Kind of debt event → kind of entry; the others (bureau and protest) only inform and move nothing."""


class Debts(NamedTuple):
    """Versions of debts, sorted by (account, due_day, occurred_us, id, known_from); all (n,).

    ``amount`` in cents; ``occurred_us`` is the issue, ``MISSING`` = known always; ``issued_day`` its local day.
    ``penalty_bp`` and ``interest_bp`` (per 30 days) are hundredths of a percent. ``first`` is the row of the debt's
    first version, which all versions share and entries name. ``issue_order`` holds, at the places of an account, its
    rows by (occurred_us, row).
    """

    account: Int32s
    amount: Int64s
    due_day: Int64s
    occurred_us: Int64s
    known_from: Int64s
    known_until: Int64s
    issued_day: Int64s
    penalty_bp: Int64s
    interest_bp: Int64s
    first: Int64s
    issue_order: Int64s


class Entries(NamedTuple):
    """Whatever else moves a balance, sorted by (account, occurred_us, settlements last, known_from, id); all (m,).

    ``debt`` is a ``Debts.first`` of the same account, -1 for none; ``amount`` signed cents, payments positive; ``day``
    the local day of ``occurred_us``; ``promise`` a code in the vocabulary of the promises, -1 for none.
    """

    account: Int32s
    kind: npt.NDArray[np.int8]
    debt: Int64s
    amount: Int64s
    occurred_us: Int64s
    known_from: Int64s
    known_until: Int64s
    day: Int64s
    promise: Int64s


class Standing(NamedTuple):
    """What one account owes, in cents: ``balance`` = ``principal`` + ``charges`` of the open debts − ``credit``.

    ``overdue`` is what open debts due before the local day of ``as_of`` owe. ``days_past_due`` is counted from
    ``oldest_due_day``, the due day of the oldest open debt, negative before it; both ``MISSING`` where none is open.
    """

    balance: int
    overdue: int
    principal: int
    charges: int
    credit: int
    days_past_due: int
    open_debts: int
    overdue_debts: int
    oldest_due_day: int


class Standings(NamedTuple):
    """The fields of ``Standing`` as columns, a place for each row asked for."""

    balance: Int64s
    overdue: Int64s
    principal: Int64s
    charges: Int64s
    credit: Int64s
    days_past_due: Int64s
    open_debts: Int64s
    overdue_debts: Int64s
    oldest_due_day: Int64s

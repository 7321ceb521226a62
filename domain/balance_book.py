"""What can happen to one debt while the balance is replayed: charges accrue, payments take, reversals give back.

The order in which it happens, and all rules, are in ``domain/balance.py``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain.balance_entries import PRINCIPAL, Debts, Int64s
from domain.compiled import compiled

_INTEREST_UNIT = 10_000 * 30  # basis points × days of a month


class Book(NamedTuple):
    """The debts of one account while it is replayed, a place each: place ``p`` is the row ``lo + p`` of ``debts``."""

    debts: Debts
    lo: int
    visible: Int64s
    version: Int64s  # at the place of a debt's first version: the place of the visible one, or -1
    issued: Int64s
    closed: Int64s
    principal: Int64s
    charges: Int64s
    accrued_to: Int64s  # the day through which interest has run
    principal_days: Int64s  # Σ principal × days, the exact base of interest
    interest: Int64s  # cents of it already in charges
    paid_principal: Int64s
    paid_charges: Int64s
    paid_unnamed: Int64s  # of both, what came through credit
    credit: Int64s  # (1,) of the account
    walked: Int64s  # (1,) how many rows of issue_order have been passed


@compiled
def open_book(debts: Debts, lo: int, hi: int, as_of_us: int) -> Book:
    """Before the first movement: what is visible at ``as_of``, each debt at its amount."""
    flags, sums, account = np.zeros((4, hi - lo), np.int64), np.zeros((8, hi - lo), np.int64), np.zeros(2, np.int64)
    visible, version, issued, closed = flags[0], flags[1], flags[2], flags[3]
    book = Book(
        debts, lo, visible, version, issued, closed,
        sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7], account[0:1], account[1:2],
    )  # fmt: skip
    version[:] = -1
    for place in range(hi - lo):
        row = lo + place
        if debts.occurred_us[row] < as_of_us and debts.known_from[row] < as_of_us <= debts.known_until[row]:
            visible[place] = 1
            version[debts.first[row] - lo] = place
            book.principal[place] = max(debts.amount[row], 0)
            book.accrued_to[place] = debts.due_day[row]
    return book


@compiled
def _share(base: int, rate: int, unit: int) -> int:
    """``base × rate / unit`` half to even, without the overflow of the plain product; ``base`` is not negative."""
    whole = base // unit
    scaled = (base - whole * unit) * rate
    carried = scaled // unit
    total = whole * rate + carried
    twice = 2 * (scaled - carried * unit)
    return total + 1 if twice > unit or (twice == unit and total % 2 == 1) else total


@compiled
def accrue(book: Book, place: int, day: int) -> None:
    """Bring penalty and interest of one debt up to a day; whoever moves its principal calls this first."""
    since = book.accrued_to[place]
    if day <= since:
        return
    row, principal = book.lo + place, book.principal[place]
    if since == book.debts.due_day[row]:
        book.charges[place] += _share(principal, book.debts.penalty_bp[row], 10_000)
    book.principal_days[place] += principal * (day - since)
    book.accrued_to[place] = day
    interest = _share(book.principal_days[place], book.debts.interest_bp[row], _INTEREST_UNIT)
    book.charges[place] += interest - book.interest[place]
    book.interest[place] = interest


@compiled
def pay(book: Book, place: int, amount: int) -> int:
    """Charges, then principal; returns how much was taken."""
    to_charges: int = min(amount, book.charges[place])
    to_principal: int = min(amount - to_charges, book.principal[place])
    book.charges[place] -= to_charges
    book.principal[place] -= to_principal
    book.paid_charges[place] += to_charges
    book.paid_principal[place] += to_principal
    return to_charges + to_principal


@compiled
def restore(book: Book, place: int, amount: int, day: int) -> int:
    """Undo payments on one debt; returns how much was given back."""
    accrue(book, place, day)
    to_principal: int = min(amount, book.paid_principal[place])
    to_charges: int = min(amount - to_principal, book.paid_charges[place])
    book.principal[place] += to_principal
    book.charges[place] += to_charges
    book.paid_principal[place] -= to_principal
    book.paid_charges[place] -= to_charges
    still_paid = book.paid_principal[place] + book.paid_charges[place]
    book.paid_unnamed[place] = min(book.paid_unnamed[place], still_paid)
    return to_principal + to_charges


@compiled
def is_open(book: Book, place: int) -> bool:
    """Whether the debt is there to be owed: visible, issued by now, and not closed."""
    return bool(book.visible[place] == 1 and book.issued[place] == 1 and book.closed[place] == 0)


@compiled
def adjust(book: Book, place: int, kind: int, amount: int) -> None:
    """Move the principal or the charges of one debt by a signed amount; a fall beyond what is owed is credit."""
    first, second = book.charges, book.principal
    if kind == PRINCIPAL:
        first, second = book.principal, book.charges
    if amount >= 0:
        first[place] += amount
        return
    from_first = min(-amount, first[place])
    from_second = min(-amount - from_first, second[place])
    first[place] -= from_first
    second[place] -= from_second
    book.credit[0] += -amount - from_first - from_second

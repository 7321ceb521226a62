"""What can happen to one debt while the balance is replayed: charges accrue, payments take, reversals give back.

The order in which it happens, and all rules, are in ``domain/balance.py``. A book is (debts + 1, FIELDS) int64: a place
for each debt, with the columns named below, and last the account itself, with ``CREDIT`` and ``WALKED``. One array,
because compiled code hands it on for nothing, while a struct of many arrays costs more than the arithmetic.
"""

from __future__ import annotations

import numpy as np

from domain.balance_entries import PRINCIPAL, Debts, Int64s
from domain.compiled import compiled

VISIBLE, ISSUED, CLOSED = 0, 1, 2  # 0 or 1
VERSION = 3  # at the place of a debt's first version: the place of the visible one, or -1
NEXT_ISSUED, ISSUED_US, ISSUED_DAY = 4, 5, 6  # the place issued as the n-th; when each place is issued
DUE_DAY, PENALTY_BP, INTEREST_BP, CREDIT_NOTE = 7, 8, 9, 10  # a negative amount is a credit note
OWED_PRINCIPAL, OWED_CHARGES = 11, 12
ACCRUED_TO = 13  # the day through which interest has run
PRINCIPAL_DAYS, INTEREST = 14, 15  # Σ principal × days, the exact base of interest, and its cents already in charges
PAID_PRINCIPAL, PAID_CHARGES = 16, 17
PAID_UNNAMED = 18  # of both, what came through credit
FIELDS = 19
CREDIT, WALKED = 0, 1  # of the account: credit in cents, and how many debts have been issued
_INTEREST_UNIT = 10_000 * 30  # basis points × days of a month


@compiled
def open_book(debts: Debts, lo: int, hi: int, as_of_us: int) -> Int64s:
    """Before the first movement: what is visible at ``as_of``, each debt at its amount."""
    book = np.zeros((hi - lo + 1, FIELDS), dtype=np.int64)
    for place in range(hi - lo):
        row = lo + place
        book[place, VERSION] = -1
        book[place, NEXT_ISSUED] = debts.issue_order[row] - lo
        book[place, ISSUED_US] = debts.occurred_us[row]
    for place in range(hi - lo):
        row = lo + place
        if debts.occurred_us[row] < as_of_us and debts.known_from[row] < as_of_us <= debts.known_until[row]:
            book[debts.first[row] - lo, VERSION] = place
            book[place, VISIBLE] = 1
            book[place, ISSUED_DAY] = debts.issued_day[row]
            book[place, DUE_DAY] = book[place, ACCRUED_TO] = debts.due_day[row]
            book[place, PENALTY_BP] = debts.penalty_bp[row]
            book[place, INTEREST_BP] = debts.interest_bp[row]
            book[place, OWED_PRINCIPAL] = max(debts.amount[row], 0)
            book[place, CREDIT_NOTE] = max(-debts.amount[row], 0)
    return book


@compiled
def is_open(book: Int64s, place: int) -> bool:
    """Whether the debt is there to be owed: visible, issued by now, and not closed."""
    return bool(book[place, ISSUED] == 1 and book[place, CLOSED] == 0)


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
def accrue(book: Int64s, place: int, day: int) -> None:
    """Bring penalty and interest of one debt up to a day; whoever moves its principal calls this first."""
    since, principal = book[place, ACCRUED_TO], book[place, OWED_PRINCIPAL]
    if day <= since:
        return
    book[place, ACCRUED_TO] = day
    if principal == 0:
        return
    if since == book[place, DUE_DAY]:
        book[place, OWED_CHARGES] += _share(principal, book[place, PENALTY_BP], 10_000)
    book[place, PRINCIPAL_DAYS] += principal * (day - since)
    interest = _share(book[place, PRINCIPAL_DAYS], book[place, INTEREST_BP], _INTEREST_UNIT)
    book[place, OWED_CHARGES] += interest - book[place, INTEREST]
    book[place, INTEREST] = interest


@compiled
def pay(book: Int64s, place: int, amount: int) -> int:
    """Charges, then principal; returns how much was taken."""
    to_charges: int = min(amount, book[place, OWED_CHARGES])
    to_principal: int = min(amount - to_charges, book[place, OWED_PRINCIPAL])
    book[place, OWED_CHARGES] -= to_charges
    book[place, OWED_PRINCIPAL] -= to_principal
    book[place, PAID_CHARGES] += to_charges
    book[place, PAID_PRINCIPAL] += to_principal
    return to_charges + to_principal


@compiled
def take_credit(book: Int64s, place: int, day: int) -> None:
    """Pay one open debt from the account's credit, as far as both reach."""
    if book[-1, CREDIT] > 0 and is_open(book, place) and book[place, OWED_PRINCIPAL] + book[place, OWED_CHARGES] > 0:
        accrue(book, place, day)
        taken = pay(book, place, book[-1, CREDIT])
        book[place, PAID_UNNAMED] += taken
        book[-1, CREDIT] -= taken


@compiled
def restore(book: Int64s, place: int, amount: int, day: int) -> int:
    """Undo payments on one debt, principal first; returns how much was given back."""
    accrue(book, place, day)
    to_principal: int = min(amount, book[place, PAID_PRINCIPAL])
    to_charges: int = min(amount - to_principal, book[place, PAID_CHARGES])
    book[place, OWED_PRINCIPAL] += to_principal
    book[place, OWED_CHARGES] += to_charges
    book[place, PAID_PRINCIPAL] -= to_principal
    book[place, PAID_CHARGES] -= to_charges
    still_paid = book[place, PAID_PRINCIPAL] + book[place, PAID_CHARGES]
    book[place, PAID_UNNAMED] = min(book[place, PAID_UNNAMED], still_paid)
    return to_principal + to_charges


@compiled
def adjust(book: Int64s, place: int, kind: int, amount: int) -> None:
    """Move the principal or the charges of one debt by a signed amount; a fall beyond what is owed is credit."""
    first, second = OWED_CHARGES, OWED_PRINCIPAL
    if kind == PRINCIPAL:
        first, second = OWED_PRINCIPAL, OWED_CHARGES
    if amount >= 0:
        book[place, first] += amount
        return
    from_first = min(-amount, book[place, first])
    from_second = min(-amount - from_first, book[place, second])
    book[place, first] -= from_first
    book[place, second] -= from_second
    book[-1, CREDIT] += -amount - from_first - from_second

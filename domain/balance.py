"""The balance: what an account owes at a moment, debt by debt. The only definition; every other file calls this one.

An account is replayed in the order of time from what was visible at ``as_of``, with integers alone, so that the same
ledger gives the same cents on every machine (contract §2; worked examples in ``docs/balance.md``):

1. **Visible** is what happened and was recorded before ``as_of`` and has no later version recorded before ``as_of``:
   ``occurred_us < as_of_us`` and ``known_from < as_of_us <= known_until``. A debt without issue moment is known always.
2. **Charges.** From the day after ``due_day`` a debt owes a penalty once, ``penalty_bp`` of the principal then
   outstanding, and simple interest: principal × ``interest_bp`` × whole local days / 30. Principal-cents × days are
   summed exactly between movements, and the sum alone is rounded, half to even. A closed debt goes on accruing, so that
   reopening it undoes the closing.
3. **Payments** settle charges before principal. One that names a visible debt goes there, closed or not; its surplus,
   and any other payment, is credit. Credit goes at once to the open debts issued by then, oldest due day first (then
   issue, then id), and waits for later debts where nothing is owed: credit and open debts never stand together.
4. **Reversals** (negative payments) undo: what payments took from the named debt comes back, principal first; then
   credit is taken; then unnamed payments are undone, on the debts most recently due first. What was never paid is owed
   again as principal of the named debt, else of the oldest not closed, else as negative credit.
5. **Debt events.** A fall of principal (discount, write-off, correction) beyond what is there takes charges, a fall of
   charges beyond what is there takes principal, and a surplus is credit. ``CLOSE`` and ``SETTLE`` take a debt out of
   what is owed, ``REOPEN`` brings it back. An event whose debt is not visible waits for it.

So the balance is always amounts + charges + debt events − payments, less what still stands on closed debts.
"""

from __future__ import annotations

import numpy as np

from domain.balance_book import Book, accrue, adjust, is_open, open_book, pay, restore
from domain.balance_entries import (
    CLOSE,
    ENTRY_OF_DEBT_EVENT,
    PAYMENT,
    REOPEN,
    SETTLE,
    Bounds,
    Debts,
    Entries,
    Int32s,
    Int64s,
    Standing,
    Standings,
)
from domain.clock import MISSING
from domain.compiled import compiled

__all__ = [
    "ENTRY_OF_DEBT_EVENT",
    "Debts",
    "Entries",
    "Standing",
    "Standings",
    "open_debts",
    "standing_of",
    "standings",
]


@compiled
def _spread_credit(book: Book, day: int) -> None:
    for place in range(len(book.visible)):
        if book.credit[0] <= 0:
            return
        if is_open(book, place) and book.principal[place] + book.charges[place] > 0:
            accrue(book, place, day)
            taken = pay(book, place, book.credit[0])
            book.paid_unnamed[place] += taken
            book.credit[0] -= taken


@compiled
def _reverse(book: Book, named: int, amount: int, day: int) -> None:
    left = amount
    if named >= 0:
        left -= restore(book, named, left, day)
    from_credit = min(left, max(book.credit[0], 0))
    book.credit[0] -= from_credit
    left -= from_credit
    for place in range(len(book.visible) - 1, -1, -1):
        undone = min(left, book.paid_unnamed[place])
        if undone > 0:
            book.paid_unnamed[place] -= undone
            left -= restore(book, place, undone, day)
    target = named
    for place in range(len(book.visible)):
        if target < 0 and is_open(book, place):
            target = place
    if target < 0:
        book.credit[0] -= left
    elif left > 0:
        accrue(book, target, day)
        book.principal[target] += left


@compiled
def _post(book: Book, entries: Entries, entry: int) -> None:
    kind, amount, day = entries.kind[entry], entries.amount[entry], entries.day[entry]
    place = book.version[entries.debt[entry] - book.lo] if entries.debt[entry] >= 0 else -1
    if kind == PAYMENT and amount < 0:
        _reverse(book, place, -amount, day)
    elif kind == PAYMENT and place < 0:
        book.credit[0] += amount
    elif place < 0:
        return
    elif kind in (CLOSE, SETTLE, REOPEN):
        book.closed[place] = 0 if kind == REOPEN else 1
    else:
        accrue(book, place, day)
        if kind == PAYMENT:
            book.credit[0] += amount - pay(book, place, amount)
        else:
            adjust(book, place, kind, amount)


@compiled
def _issue(book: Book, until_us: int) -> None:
    """Issue the debts up to a moment; waiting credit goes to each. A negative amount is a credit note."""
    debts = book.debts
    while book.walked[0] < len(book.visible):
        row = debts.issue_order[book.lo + book.walked[0]]
        if debts.occurred_us[row] > until_us:
            return
        book.walked[0] += 1
        if book.visible[row - book.lo] == 1:
            book.issued[row - book.lo] = 1
            book.credit[0] -= min(debts.amount[row], 0)
            _spread_credit(book, debts.issued_day[row])


@compiled
def _replay(book: Book, entries: Entries, bounds: Bounds, as_of_us: int) -> None:
    """Everything visible in the order of time."""
    for entry in range(bounds[2], bounds[3]):
        if entries.occurred_us[entry] >= as_of_us:
            break
        if entries.known_from[entry] < as_of_us <= entries.known_until[entry]:
            _issue(book, entries.occurred_us[entry])
            _post(book, entries, entry)
            _spread_credit(book, entries.day[entry])
    _issue(book, as_of_us - 1)


@compiled
def standing_of(  # noqa: PLR0917  (compiled functions have no keyword-only parameters)
    debts: Debts, entries: Entries, bounds: Bounds, as_of_us: int, as_of_day: int, open_cents: Int64s
) -> Standing:
    """What one account owes at a moment; compiled, and callable from compiled code.

    Parameters
    ----------
    bounds : (debt_lo, debt_hi, entry_lo, entry_hi), the rows of the account in ``debts`` and ``entries``
    as_of_us, as_of_day : the moment, and its local day for the debtor
    open_cents : (debt_hi - debt_lo,) or longer, overwritten with what each debt owes; 0 for a closed or unseen one
    """
    lo, hi = bounds[0], bounds[1]
    book = open_book(debts, lo, hi, as_of_us)
    _replay(book, entries, bounds, as_of_us)
    principal, charges, overdue, open_count, overdue_count, oldest = 0, 0, 0, 0, 0, MISSING
    for place in range(hi - lo):
        open_cents[place] = 0
        if not is_open(book, place):
            continue
        accrue(book, place, as_of_day)
        owed = book.principal[place] + book.charges[place]
        if owed <= 0:
            continue
        due_day = debts.due_day[lo + place]
        oldest = due_day if open_count == 0 else oldest  # places are in the order of due days
        open_cents[place] = owed
        principal += book.principal[place]
        charges += book.charges[place]
        open_count += 1
        if due_day < as_of_day:
            overdue += owed
            overdue_count += 1
    days = as_of_day - oldest if open_count > 0 else MISSING
    balance = principal + charges - book.credit[0]
    return Standing(balance, overdue, principal, charges, book.credit[0], days, open_count, overdue_count, oldest)


@compiled
def standings(  # noqa: PLR0917  (compiled functions have no keyword-only parameters)
    debts: Debts, entries: Entries, debt_bounds: Int64s, entry_bounds: Int64s,
    account: Int32s, as_of_us: Int64s, as_of_day: Int64s,
) -> Standings:  # fmt: skip
    """What accounts owe at moments; a row of account -1 owes nothing.

    Parameters
    ----------
    debt_bounds, entry_bounds : (n_accounts + 1,), account ``a`` has the rows ``bounds[a]:bounds[a + 1]``
    account, as_of_us, as_of_day : (r,), the rows asked for; the day is the local one of the moment

    Returns
    -------
    Columns (r,), cents and days as in ``Standing``.
    """
    columns = np.zeros((9, len(account)), dtype=np.int64)
    columns[5] = MISSING
    columns[8] = MISSING
    open_cents = np.zeros(_most_debts(debt_bounds), dtype=np.int64)
    for row in range(len(account)):
        if account[row] >= 0:
            bounds = _bounds(debt_bounds, entry_bounds, account[row])
            standing = standing_of(debts, entries, bounds, as_of_us[row], as_of_day[row], open_cents)
            for field in range(9):
                columns[field, row] = standing[field]
    return Standings(
        columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], columns[6], columns[7], columns[8]
    )


@compiled
def open_debts(  # noqa: PLR0917  (compiled functions have no keyword-only parameters)
    debts: Debts, entries: Entries, debt_bounds: Int64s, entry_bounds: Int64s,
    account: Int32s, as_of_us: Int64s, as_of_day: Int64s,
) -> tuple[Int64s, Int64s, Int64s]:  # fmt: skip
    """Which debts are open at the same rows, and what each owes after credit.

    Returns
    -------
    offsets : (r + 1,), row ``i`` has the open debts ``offsets[i]:offsets[i + 1]``, oldest due first
    rows, cents : (offsets[-1],), rows of ``debts`` and what they owe
    """
    offsets = np.zeros(len(account) + 1, dtype=np.int64)
    size = 0
    for row in range(len(account)):
        size += debt_bounds[account[row] + 1] - debt_bounds[account[row]] if account[row] >= 0 else 0
    rows, cents = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    open_cents = np.zeros(_most_debts(debt_bounds), dtype=np.int64)
    count = 0
    for row in range(len(account)):
        if account[row] >= 0:
            bounds = _bounds(debt_bounds, entry_bounds, account[row])
            standing_of(debts, entries, bounds, as_of_us[row], as_of_day[row], open_cents)
            for place in range(bounds[1] - bounds[0]):
                if open_cents[place] > 0:
                    rows[count], cents[count] = bounds[0] + place, open_cents[place]
                    count += 1
        offsets[row + 1] = count
    return offsets, rows[:count].copy(), cents[:count].copy()


@compiled
def _bounds(debt_bounds: Int64s, entry_bounds: Int64s, account: int) -> Bounds:
    return debt_bounds[account], debt_bounds[account + 1], entry_bounds[account], entry_bounds[account + 1]


@compiled
def _most_debts(debt_bounds: Int64s) -> int:
    most = 0
    for account in range(len(debt_bounds) - 1):
        most = max(most, debt_bounds[account + 1] - debt_bounds[account])
    return most

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

from domain.balance_book import (
    CLOSED,
    CREDIT,
    CREDIT_NOTE,
    DUE_DAY,
    ISSUED,
    ISSUED_DAY,
    ISSUED_US,
    NEXT_ISSUED,
    OWED_CHARGES,
    OWED_PRINCIPAL,
    PAID_UNNAMED,
    VERSION,
    VISIBLE,
    WALKED,
    accrue,
    adjust,
    is_open,
    open_book,
    pay,
    restore,
    take_credit,
)
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
    "ENTRY_OF_DEBT_EVENT", "Debts", "Entries", "Standing", "Standings", "closing", "issue", "open_debts", "post",
    "standing_of", "standings",
]  # fmt: skip


@compiled
def _spread_credit(book: Int64s, day: int) -> None:
    for place in range(len(book) - 1):
        if book[-1, CREDIT] <= 0:
            return
        take_credit(book, place, day)


@compiled
def _reverse(book: Int64s, named: int, amount: int, day: int) -> None:
    left = amount
    if named >= 0:
        left -= restore(book, named, left, day)
    from_credit = min(left, max(book[-1, CREDIT], 0))
    book[-1, CREDIT] -= from_credit
    left -= from_credit
    for place in range(len(book) - 2, -1, -1):
        undone = min(left, book[place, PAID_UNNAMED])
        if undone > 0:
            book[place, PAID_UNNAMED] -= undone
            left -= restore(book, place, undone, day)
    if left > 0:
        _owe_again(book, named, left, day)


@compiled
def _owe_again(book: Int64s, named: int, amount: int, day: int) -> None:
    """A reversal of what was never paid: principal of the named debt, else of the oldest not closed, else a debit."""
    target = named
    for place in range(len(book) - 1):
        if target < 0 and is_open(book, place):
            target = place
    if target < 0:
        book[-1, CREDIT] -= amount
        return
    accrue(book, target, day)
    book[target, OWED_PRINCIPAL] += amount


@compiled
def _move(book: Int64s, place: int, entry: tuple[int, int, int]) -> None:
    """A debt event, or a payment with a debt; ``entry`` is (kind, amount, day)."""
    kind, amount, day = entry
    if kind in (CLOSE, SETTLE, REOPEN):
        book[place, CLOSED] = 0 if kind == REOPEN else 1
        return
    accrue(book, place, day)
    if kind == PAYMENT:
        book[-1, CREDIT] += amount - pay(book, place, amount)
    else:
        adjust(book, place, kind, amount)


@compiled
def post(book: Int64s, place: int, entry: tuple[int, int, int]) -> None:
    """Post one entry and the credit that it sets free or finds; ``place`` is -1 where no visible debt is named."""
    kind, amount, day = entry
    waiting = book[-1, CREDIT] > 0
    if kind == PAYMENT and amount < 0:
        _reverse(book, place, -amount, day)
    elif place >= 0:
        _move(book, place, entry)
    elif kind == PAYMENT:
        book[-1, CREDIT] += amount
    if not waiting:
        _spread_credit(book, day)
    elif place >= 0:
        take_credit(book, place, day)  # credit that waited had found every other debt paid


@compiled
def issue(book: Int64s, until_us: int) -> None:
    """Issue the debts up to a moment; credit that waits goes to each."""
    while book[-1, WALKED] < len(book) - 1:
        place = book[book[-1, WALKED], NEXT_ISSUED]
        if book[place, ISSUED_US] > until_us:
            return
        book[-1, WALKED] += 1
        book[place, ISSUED] = book[place, VISIBLE]
        if book[place, CREDIT_NOTE] > 0:
            book[-1, CREDIT] += book[place, CREDIT_NOTE]
            _spread_credit(book, book[place, ISSUED_DAY])
        take_credit(book, place, book[place, ISSUED_DAY])


@compiled
def _replay(book: Int64s, entries: Entries, bounds: Bounds, as_of_us: int) -> None:
    """Everything visible in the order of time."""
    for row in range(bounds[2], bounds[3]):
        if entries.occurred_us[row] >= as_of_us:
            break
        if entries.known_from[row] < as_of_us <= entries.known_until[row]:
            issue(book, entries.occurred_us[row])
            place = book[entries.debt[row] - bounds[0], VERSION] if entries.debt[row] >= 0 else -1
            post(book, place, (int(entries.kind[row]), int(entries.amount[row]), int(entries.day[row])))
    issue(book, as_of_us - 1)


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
    book = open_book(debts, bounds[0], bounds[1], as_of_us)
    _replay(book, entries, bounds, as_of_us)
    return closing(book, as_of_day, open_cents)


@compiled
def closing(book: Int64s, as_of_day: int, open_cents: Int64s) -> Standing:
    """What a replayed account owes on a day; ``open_cents`` is overwritten with what each debt owes."""
    principal, charges, overdue, open_count, overdue_count, oldest = 0, 0, 0, 0, 0, MISSING
    for place in range(len(book) - 1):
        open_cents[place] = 0
        if not is_open(book, place):
            continue
        accrue(book, place, as_of_day)
        owed = book[place, OWED_PRINCIPAL] + book[place, OWED_CHARGES]
        if owed <= 0:
            continue
        due_day = book[place, DUE_DAY]
        oldest = due_day if open_count == 0 else oldest  # places are in the order of due days
        open_cents[place] = owed
        principal += book[place, OWED_PRINCIPAL]
        charges += book[place, OWED_CHARGES]
        open_count += 1
        if due_day < as_of_day:
            overdue += owed
            overdue_count += 1
    days = as_of_day - oldest if open_count > 0 else MISSING
    credit = book[-1, CREDIT]
    balance = principal + charges - credit
    return Standing(balance, overdue, principal, charges, credit, days, open_count, overdue_count, oldest)


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

"""How accounts stand at a moment, as columns: owed and how late, month by month before, promised, held, elsewhere."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.balance import standing_of
from domain.balance_entries import Debts, Entries, Int32s
from domain.balance_history import MONTHS, standing_with_history
from domain.clock import MISSING, US_PER_DAY, Int64s
from domain.compiled import compiled
from domain.sheets import AMOUNT, KIND
from domain.tables import HOLD_KINDS, PROMISE_KINDS
from features.events import Events
from features.kernel import first_at_or_after
from features.records import Rows, Siblings
from features.statescan import hold_mask, is_running, last_promised_day
from features.vocabulary import FACETS, first_code

STANDING = (
    "balance_cents", "overdue_cents", "principal_cents", "charges_cents", "credit_cents", "days_past_due",
    "open_debts", "overdue_debts",
    "days_past_due_max_12m", "times_over_30_12m", "times_over_60_12m", "times_over_90_12m", "months_overdue_12m",
    "bucket_roll_30d", "cures_12m", "reentries_12m", "first_payment_default",
    "active_promise", "active_agreement", "active_slip", "promised_cents", "promise_days_left",
    "holds_active", "dispute_active", "hardship_active",
    "siblings", "siblings_balance_cents", "siblings_overdue_cents", "siblings_days_past_due_max",
    "siblings_contacts_30d", "siblings_payments_90d",
)  # fmt: skip
"""Columns in their order; money in cents."""
_HISTORY, _PROMISED, _HELD, _ELSEWHERE = (
    STANDING.index(name) for name in ("days_past_due_max_12m", "active_promise", "holds_active", "siblings")
)
_AGREEMENT, _SLIP = PROMISE_KINDS.index("agreement"), PROMISE_KINDS.index("slip")
_DISPUTE = 1 << HOLD_KINDS.index("dispute")
_HARDSHIP = sum(1 << HOLD_KINDS.index(kind) for kind in ("hardship", "over_indebted", "bankruptcy"))
_FIRST_ATTEMPT, _FIRST_PAID = first_code("contact", "attempt"), first_code("payment", "paid")
_N_CHANNELS, _N_METHODS = len(FACETS["contact"]), len(FACETS["payment"])


class Ledgers(NamedTuple):
    """What standings are read from; bounds are (n_accounts + 1,)."""

    debts: Debts
    entries: Entries
    debt_bounds: Int64s
    entry_bounds: Int64s
    promises: Rows
    holds: Rows
    events: Events
    family: Siblings


@compiled
def _bucket(days: int) -> int:
    """Ageing bucket: 0 where nothing is overdue, then 1–30, 31–60, 61–90, 91–180 days, and more."""
    if days == MISSING or days <= 0:
        return 0
    return 1 if days <= 30 else 2 if days <= 60 else 3 if days <= 90 else 4 if days <= 180 else 5


@compiled
def _aged(now: int, months: Int64s, found: Int64s) -> None:
    """What the months before tell, ``months[m]`` days past due 30·(m + 1) days ago."""
    found[0] = max(now, 0) if now != MISSING else 0
    found[1:9] = 0
    for month in range(MONTHS):
        days = months[month]
        found[0] = max(found[0], days)
        found[1] += days > 30
        found[2] += days > 60
        found[3] += days > 90
        found[4] += days > 0
        later = now if month == 0 else months[month - 1]
        found[6] += days > 0 and later <= 0
        found[7] += days <= 0 and later > 0
    found[5] = _bucket(now) - _bucket(months[0])
    found[8] = months[MONTHS]


@compiled
def _promised(promises: Rows, account: int, as_of: tuple[int, int], found: Int64s) -> None:
    """Whether a promise, an agreement, a slip is running, how much in all, and days left of the one that ends first."""
    sheet, ends = promises.sheet, MISSING
    found[:4] = 0
    for promise in range(promises.offsets[account], promises.offsets[account + 1]):
        if not is_running(sheet, promise, as_of[0], as_of[1]):
            continue
        found[0] = 1
        found[1] |= sheet[KIND, promise] == _AGREEMENT
        found[2] |= sheet[KIND, promise] == _SLIP
        found[3] += max(sheet[AMOUNT, promise], 0)
        last = last_promised_day(sheet, promise)
        ends = last if ends == MISSING else min(ends, last)
    found[4] = MISSING if ends == MISSING else ends - as_of[1]


@compiled
def _held(mask: int, found: Int64s) -> None:
    found[0] = 0
    left = mask
    while left:
        left &= left - 1
        found[0] += 1
    found[1] = (mask & _DISPUTE) != 0
    found[2] = (mask & _HARDSHIP) != 0


@compiled
def _counted(events: Events, account: int, as_of_us: int, codes: tuple[int, int], days: int) -> int:
    """Events of an account with a code in a range, in so many days before a moment."""
    bounds = (events.offsets[account], events.offsets[account + 1])
    count = 0
    for event in range(first_at_or_after(events.occurred_us, bounds, as_of_us) - 1, bounds[0] - 1, -1):
        if as_of_us - events.occurred_us[event] > days * US_PER_DAY:
            break
        known = events.known_from[event] < as_of_us <= events.known_until[event]
        count += known and codes[0] <= events.code[event] < codes[1]
    return count


@compiled
def _is_known(debts: Debts, low: int, high: int, as_of_us: int) -> bool:
    """Whether an account has any debt that is visible at a moment; before that nobody knows of it."""
    for row in range(low, high):
        if debts.occurred_us[row] < as_of_us and debts.known_from[row] < as_of_us <= debts.known_until[row]:
            return True
    return False


@compiled
def _elsewhere(ledgers: Ledgers, account: int, as_of: tuple[int, int], open_cents: Int64s, found: Int64s) -> None:
    """The debtor's other accounts: how many, what they owe, how late they are, contacts and payments there."""
    found[:6] = 0
    family, debtor = ledgers.family, ledgers.family.debtor[account]
    for position in range(family.offsets[debtor], family.offsets[debtor + 1]):
        other = family.accounts[position]
        low, high = ledgers.debt_bounds[other], ledgers.debt_bounds[other + 1]
        if other == account or not _is_known(ledgers.debts, low, high, as_of[0]):
            continue
        bounds = (low, high, ledgers.entry_bounds[other], ledgers.entry_bounds[other + 1])
        standing = standing_of(ledgers.debts, ledgers.entries, bounds, as_of[0], as_of[1], open_cents)
        found[0] += 1
        found[1] += standing.balance
        found[2] += standing.overdue
        found[3] = max(found[3], standing.days_past_due)
        contact, paid = (_FIRST_ATTEMPT, _FIRST_ATTEMPT + _N_CHANNELS), (_FIRST_PAID, _FIRST_PAID + _N_METHODS)
        found[4] += _counted(ledgers.events, other, as_of[0], contact, 30)
        found[5] += _counted(ledgers.events, other, as_of[0], paid, 90)


@compiled
def standing_columns(
    ledgers: Ledgers, account: Int32s, as_of_us: Int64s, day: Int64s, column: Int32s, out: npt.NDArray[np.float64]
) -> None:
    """Every column of ``STANDING`` of every row.

    Parameters
    ----------
    account, as_of_us, day : (n,), the rows of a spine and their local days
    column : (len(STANDING),) where each goes in ``out``, -1 for one that is not asked for
    out : (n, columns), ``NaN`` where there is no value
    """
    most = 0
    for one in range(len(ledgers.debt_bounds) - 1):
        most = max(most, ledgers.debt_bounds[one + 1] - ledgers.debt_bounds[one])
    open_cents, found = np.zeros(most, dtype=np.int64), np.zeros(len(column), dtype=np.int64)
    months = np.zeros(MONTHS + 1, dtype=np.int64)
    for row in range(len(account)):
        own, as_of = account[row], (as_of_us[row], day[row])
        bounds = (
            ledgers.debt_bounds[own], ledgers.debt_bounds[own + 1],
            ledgers.entry_bounds[own], ledgers.entry_bounds[own + 1],
        )  # fmt: skip
        now = standing_with_history(ledgers.debts, ledgers.entries, bounds, as_of, open_cents, months)
        for field in range(_HISTORY):
            found[field] = now[field]
        _aged(now.days_past_due, months, found[_HISTORY:_PROMISED])
        _promised(ledgers.promises, own, as_of, found[_PROMISED:_HELD])
        _held(hold_mask(ledgers.holds, ledgers.family, own, as_of_us[row]), found[_HELD:_ELSEWHERE])
        _elsewhere(ledgers, own, as_of, open_cents, found[_ELSEWHERE:])
        for field in range(len(column)):
            if column[field] >= 0:
                out[row, column[field]] = np.nan if found[field] == MISSING else float(found[field])

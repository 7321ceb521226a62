"""What happened after a moment: paid within a horizon, how much, and whether the debtor complained or opted out.

Labels use facts as they are known at the end of the data (the latest version of each row), never as of the decision:
they are the answer, not the question. A row is labelled only where its window is mature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.balance import open_debts
from domain.clock import FOREVER, US_PER_DAY
from features.encoding import Encoded
from features.spine import Spine
from features.state import local_of
from training.reversals import apply_reversals
from training.windows import Bools, EventIndex, Int64s, index_events

_DAYS_PER_MONTH = 30.4375
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Receipts:
    """Payments that brought money in, as known at the end of the data.

    All (m,): ``account`` index; ``at_us``; ``amount_cents`` > 0, less partial reversals; ``debt_known_us``, the moment
    after which the debt paid was known; an instalment of an agreement is as old as the debt that its promise names, and
    counts as always known where it names none. A payment that names no debt pays the one that was open and due first
    (contract §2); where nothing was open it is an advance on what comes later, and has ``FOREVER``;
    ``reversed_us``, when it was reversed in full, else ``FOREVER``.
    """

    account: npt.NDArray[np.int32]
    at_us: Int64s
    amount_cents: Int64s
    debt_known_us: Int64s
    reversed_us: Int64s
    index: EventIndex


def receipts(encoded: Encoded) -> Receipts:
    """The money that came in on every account, with reversals attributed to the payments they undo."""
    tables = encoded.tables
    current = np.flatnonzero((encoded.known_until("payments") == FOREVER) & (encoded.account_of("payments") >= 0))
    account = encoded.account_of("payments")[current]
    at_us, amount = tables.ints("payments", "occurred_at")[current], tables.ints("payments", "amount")[current]
    debt = _debt_codes(encoded)[current]
    left, reversed_us = apply_reversals(account, at_us, amount, debt=debt)
    kept = amount > 0
    known = _first_known_us(encoded)[debt[kept]]
    unnamed = np.flatnonzero(debt[kept] < 0)
    known[unnamed] = _oldest_open_known_us(encoded, Spine(account[kept][unnamed], at_us[kept][unnamed]))
    columns = account[kept], at_us[kept], left[kept], known, reversed_us[kept]
    return Receipts(*columns, index=index_events(columns[0], columns[1]))


def mature(as_of_us: Int64s, *, horizon_days: int, lag_days: int, end_us: int) -> Bools:
    """Whether each window, and the days in which its payments may still be posted, end before the data do."""
    return as_of_us + (horizon_days + lag_days) * US_PER_DAY <= end_us


def paid_within(money: Receipts, spine: Spine, *, horizon_days: int) -> Bools:
    """Whether a payment falls in ``[as_of, as_of + horizon)`` that was not reversed inside the same window."""
    rows, events = money.index.pairs(spine, horizon_days=horizon_days)
    stands = _stands(money, spine, rows, events, horizon_days)
    paid = np.zeros(len(spine.as_of_us), dtype=np.bool_)
    paid[rows[stands]] = True
    return paid


def recovered_cents(money: Receipts, spine: Spine, *, horizon_days: int) -> Int64s:
    """Money received in the window on debts known at ``as_of`` (or on later instalments of an agreement), net.

    Notes
    -----
    A payment that names no debt counts where the debt that was open and due first when it came was known.
    """
    rows, events = _counted(money, spine, horizon_days)
    total = np.bincount(rows, weights=money.amount_cents[events], minlength=len(spine.as_of_us))
    return np.rint(total).astype(np.int64)


def present_value_cents(
    money: Receipts, spine: Spine, *, horizon_days: int, monthly_rate: float
) -> npt.NDArray[np.float64]:
    """The money of :func:`recovered_cents`, each payment discounted to the decision at a monthly rate."""
    rows, events = _counted(money, spine, horizon_days)
    months = (money.at_us[events] - spine.as_of_us[rows]) / (US_PER_DAY * _DAYS_PER_MONTH)
    worth = money.amount_cents[events] * (1.0 + monthly_rate) ** -months
    return np.bincount(rows, weights=worth, minlength=len(spine.as_of_us)).astype(np.float64)


def share_recovered(money: Receipts, spine: Spine, due_cents: Int64s, *, horizon_days: int) -> npt.NDArray[np.float64]:
    """Recovered share of the amount due at ``as_of``, between 0 and 1; ``NaN`` where nothing was due."""
    recovered = recovered_cents(money, spine, horizon_days=horizon_days).astype(np.float64)
    due = np.where(due_cents > 0, due_cents, np.nan)
    return np.clip(recovered / due, 0.0, 1.0)


def still_owed_cents(encoded: Encoded, spine: Spine, known_before_us: Int64s) -> Int64s:
    """(n,) what is owed at each row on debts that were known before an earlier moment of its own.

    The counterpart of :func:`recovered_cents`: bills issued in between are left out, an agreement's instalments are as
    old as the debt that it replaced. Credit counts where it has paid a debt.
    """
    known = _first_known_us(encoded)[encoded.tables.text("debts", "debt_id").codes]
    total = np.zeros(len(spine), dtype=np.int64)
    for part, offsets, debt, cents in _open(encoded, spine):
        row = np.repeat(part, np.diff(offsets))
        old = known[encoded.debt_source[debt]] < known_before_us[row]
        np.add.at(total, row[old], cents[old])
    return total


def complaints(encoded: Encoded) -> EventIndex:
    """Complaints, as responses tell them."""
    return _coded_events(encoded, "responses", column="kind", wanted=("complained",))


def opt_outs(encoded: Encoded) -> tuple[EventIndex, ...]:
    """Opt-outs: a response that says so, or a consent revoked."""
    said = _coded_events(encoded, "responses", column="kind", wanted=("opted_out",))
    return said, _coded_events(encoded, "consents", column="status", wanted=("revoked",))


def _counted(money: Receipts, spine: Spine, horizon_days: int) -> tuple[Int64s, Int64s]:
    """Pairs of row and payment: in the window, not reversed inside it, on a debt known at ``as_of``."""
    rows, events = money.index.pairs(spine, horizon_days=horizon_days)
    counts = _stands(money, spine, rows, events, horizon_days)
    counts &= money.debt_known_us[events] < spine.as_of_us[rows]
    return rows[counts], events[counts]


def _stands(money: Receipts, spine: Spine, rows: Int64s, events: Int64s, horizon_days: int) -> Bools:
    ends = spine.as_of_us[rows] + horizon_days * US_PER_DAY
    stands: Bools = money.reversed_us[events] >= ends
    return stands


def _coded_events(encoded: Encoded, table: str, *, column: str, wanted: tuple[str, ...]) -> EventIndex:
    if not encoded.tables.has(table):
        return index_events(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64))
    codes = encoded.tables.text(table, column).recode(dict.fromkeys(wanted, 1), unknown=0)
    rows = np.flatnonzero((codes == 1) & (encoded.known_until(table) == FOREVER))
    return index_events(encoded.account_of(table)[rows], encoded.tables.ints(table, "occurred_at")[rows])


def _debt_codes(encoded: Encoded) -> npt.NDArray[np.int32]:
    """Per payment, the code of its debt among the distinct debt ids, -1 where it names none that exists."""
    return encoded.tables.text("payments", "debt_id").among(encoded.tables.text("debts", "debt_id"))


def _first_known_us(encoded: Encoded) -> Int64s:
    """Per debt code, when the debt was first known; 0 for instalments and, in the last place, for no debt."""
    tables = encoded.tables
    debts = tables.text("debts", "debt_id")
    first = np.full(len(debts.values) + 1, FOREVER, dtype=np.int64)
    known = np.maximum(tables.ints("debts", "occurred_at"), tables.ints("debts", "recorded_at"))
    np.minimum.at(first, debts.codes, known)
    first[-1] = 0
    # An agreement's instalments are issued later, but bring in money owed on the debt it replaced.
    instalments = np.flatnonzero(tables.text("debts", "promise_id").codes >= 0)
    first[debts.codes[instalments]] = first[_replaced(encoded, instalments)]
    return first


def _oldest_open_known_us(encoded: Encoded, payments: Spine) -> Int64s:
    """When the oldest open debt at each payment was first known; ``FOREVER`` where none was open."""
    known = _first_known_us(encoded)[encoded.tables.text("debts", "debt_id").codes]
    found = np.full(len(payments), FOREVER, dtype=np.int64)
    for part, offsets, debt, _ in _open(encoded, payments):
        some = offsets[1:] > offsets[:-1]
        found[part[some]] = known[encoded.debt_source[debt[offsets[:-1][some]]]]
    return found


def _open(encoded: Encoded, spine: Spine) -> Iterator[tuple[Int64s, Int64s, Int64s, Int64s]]:
    """Positions in the spine, a few at a time, with offsets into what is open there: debts and cents."""
    ledger = encoded.debts, encoded.entries, encoded.debt_bounds, encoded.entry_bounds
    for start in range(0, len(spine), _ROWS_AT_ONCE):
        part = np.arange(start, min(start + _ROWS_AT_ONCE, len(spine)), dtype=np.int64)
        some = spine.take(part)
        yield part, *open_debts(*ledger, some.account, some.as_of_us, local_of(encoded, some).day)


def _replaced(encoded: Encoded, instalments: Int64s) -> Int64s:
    """Per instalment (a row of ``debts``) the code of the debt its promise names, -1 where there is none."""
    tables = encoded.tables
    if not tables.has("promises"):
        return np.full(len(instalments), -1, dtype=np.int64)
    promises, debts = tables.text("promises", "promise_id"), tables.text("debts", "debt_id")
    replaced = np.full(len(promises.values) + 1, -1, dtype=np.int64)
    replaced[promises.codes] = tables.text("promises", "debt_id").among(debts)
    found = replaced[tables.text("debts", "promise_id").among(promises)[instalments]]
    # A second agreement replaces instalments of the first: how old the debt behind them is, nobody tells.
    return np.where(np.isin(found, debts.codes[instalments]), -1, found)

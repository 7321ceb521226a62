"""Counting what is not as expected of rows together: those alike in some columns, of one account, or of two tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_DAY, US_PER_HOUR, Int64s
from domain.coded import Coded
from features.findings import Portfolio
from features.gates import config as kinds
from features.gates.config import ExpectationsConfig, Expected
from features.gates.counting import BY_ROW, within_debts
from features.gates.looking import Counted
from features.gates.measuring import sorted_within
from features.reading import LoadedTable, is_missing

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]
_LEAST_OF_ACCOUNT = 4
_HOURS = 1 << 24
"""More hours than any moment has since 1970, so that account and hour make one number."""


def counts_of(portfolio: Portfolio, expectations: ExpectationsConfig) -> dict[tuple[str, Expected], Counted]:
    """Everything that expectations count in tables that are held in memory."""
    found: dict[tuple[str, Expected], Counted] = {}
    for name, named in expectations.tables.items():
        table = portfolio.tables.get(name)
        for expected in named.values() if table is not None else ():
            assert table is not None
            if type(expected) in BY_ROW:
                counted = BY_ROW[type(expected)](table, expected)
            elif type(expected) in _BY_KEY:
                counted = _BY_KEY[type(expected)](portfolio, table, expected)
            else:
                continue
            if counted is not None:
                found[name, expected] = counted
    return found


def _distinct(_portfolio: Portfolio, table: LoadedTable, expected: kinds.Distinct) -> Counted:
    columns = [table.data[name] for name in expected.same]
    rows = np.flatnonzero(~np.logical_or.reduce([is_missing(values) for values in columns]))
    keys = [(values.codes if isinstance(values, Coded) else values)[rows] for values in columns]
    ids = _coded(table, table.spec.id_column).codes[rows]
    if not len(rows):
        return Counted(0, 0)
    order = np.lexsort((ids, *keys))
    same = np.ones(len(rows) - 1, dtype=np.bool_)
    for key in keys:
        same &= key[order][1:] == key[order][:-1]
    # The same id with a later recorded_at is a correction, and no second row.
    return Counted(int(np.count_nonzero(same & (ids[order][1:] != ids[order][:-1]))), len(rows))


def _varied(_portfolio: Portfolio, table: LoadedTable, expected: kinds.Varied) -> Counted | None:
    values = table.data.get(expected.column)
    if values is None:
        return None
    plain = (values.codes if isinstance(values, Coded) else values)[~is_missing(values)]
    return Counted(int(np.unique(plain, return_counts=True)[1].max(initial=0)), len(plain))


def _one_scale(_portfolio: Portfolio, table: LoadedTable, expected: kinds.OneScale) -> Counted:
    return one_scale(np.asarray(table.data[expected.column]), _account(table).codes, expected)


def one_scale(amounts: npt.NDArray[Any], account: Int32s, expected: kinds.OneScale) -> Counted:
    """Amounts far above the median of their account, where it has enough; (n,) cents, and (n,) codes of accounts."""
    rows = np.flatnonzero((amounts != MISSING) & (amounts > 0) & (account >= 0))
    counts = np.bincount(account[rows])
    # An account of fewer rows has no scale.
    rows = rows[counts[account[rows]] >= _LEAST_OF_ACCOUNT]
    if not len(rows):
        return Counted(0, 0)
    own, values = account[rows], amounts[rows]
    ordered = sorted_within(values, own) if values.dtype.kind == "i" else values[np.lexsort((values, own))]
    counts = np.bincount(own)
    middle = np.cumsum(counts) - counts + np.maximum(counts - 1, 0) // 2
    median = ordered[np.minimum(middle, len(ordered) - 1)][own]
    return Counted(int(np.count_nonzero(values >= expected.max_ratio * median)), len(rows))


def _within_debts(portfolio: Portfolio, table: LoadedTable, expected: kinds.WithinDebts) -> Counted:
    owed, account = _owed(portfolio, table)
    amounts = np.asarray(table.data["amount"])
    # The last place is that of rows without an account.
    return within_debts(amounts, np.append(owed, np.nan)[account], expected)


def _paid_within_owed(portfolio: Portfolio, table: LoadedTable, expected: kinds.PaidWithinOwed) -> Counted:
    owed, account = _owed(portfolio, table)
    amounts = np.asarray(table.data["amount"])
    known = (amounts != MISSING) & (account >= 0)
    # Of many accounts without debts together nothing is known either, and infinite debts say so.
    return paid_within_owed(summed(amounts[known], account[known], accounts=len(owed)), owed, expected)


def paid_within_owed(paid: Floats, owed: Floats, expected: kinds.PaidWithinOwed) -> Counted:
    """Accounts that paid more than they ever owed; (accounts,) cents, infinite where no debts are known."""
    payers = paid > 0
    return Counted(int(np.count_nonzero(payers & (paid > expected.max_ratio * owed))), int(np.count_nonzero(payers)))


def _owed(portfolio: Portfolio, table: LoadedTable) -> tuple[Floats, Int32s]:
    """What each account ever owed in cents, and the account of each row of the table."""
    debts, account = portfolio.tables.get("debts"), _account(table)
    if debts is None:
        return np.full(len(account.values), np.inf), account.codes
    of = _account(debts)
    owed = owed_by(np.asarray(debts.data["amount"]), of.codes, accounts=len(of.values))
    # Accounts without debts owed nothing, and are another check's business.
    return np.append(owed, np.inf), np.where(account.codes < 0, -1, account.among(of, unknown=len(of.values)))


def owed_by(amounts: npt.NDArray[Any], account: Int32s, *, accounts: int) -> Floats:
    """(accounts,) the sum of what each owes, in cents: whole numbers, so that the order of rows changes nothing."""
    known = (amounts != MISSING) & (amounts > 0) & (account >= 0)
    return summed(amounts[known], account[known], accounts=accounts)


def summed(amounts: npt.NDArray[Any], account: Int32s, *, accounts: int) -> Floats:
    """(accounts,) sums by account."""
    return np.bincount(account, weights=amounts.astype(np.float64), minlength=accounts).astype(np.float64, copy=False)


def _kept_is_paid(portfolio: Portfolio, table: LoadedTable, _expected: kinds.KeptIsPaid) -> Counted | None:
    payments = portfolio.tables.get("payments")
    if payments is None or not payments.rows:
        return None
    rows, first, last = kept_spans(table)
    account = _account(table).among(_account(payments))[rows]
    unpaid = account < 0
    unpaid[~unpaid] = ~any_between(
        _account(payments).codes, np.asarray(payments.data["occurred_at"]), account[~unpaid],
        first=first[~unpaid], last=last[~unpaid],
    )  # fmt: skip
    return Counted(int(unpaid.sum()), len(rows))


def kept_spans(promises: LoadedTable) -> tuple[Int64s, Int64s, Int64s]:
    """Rows of the promises that were kept, and the span in which each must have been paid."""
    outcome = _coded(promises, "outcome")
    made, resolved = np.asarray(promises.data["occurred_at"]), np.asarray(promises.data["resolved_at"])
    values = list(outcome.values)
    kept = outcome.codes == (values.index("kept") if "kept" in values else len(values))
    rows = np.flatnonzero(kept & (resolved != MISSING) & (made != MISSING))
    # A day of grace on both ends: posting has hours of its own.
    return rows, made[rows] - US_PER_DAY, resolved[rows] + US_PER_DAY


def any_between(paying: Int32s, moments: Int64s, account: Int32s, *, first: Int64s, last: Int64s) -> Bools:
    """Whether an account has a payment between two moments, to the hour; ``paying`` are the accounts of payments."""
    # Few accounts ever promised anything, and only theirs are put in order.
    asked = np.zeros(max(int(paying.max(initial=-1)), int(account.max(initial=-1))) + 1, dtype=np.bool_)
    asked[account[account >= 0]] = True
    known = (moments != MISSING) & (paying >= 0)
    known[known] = asked[paying[known]]
    keys = np.sort(_keys(paying[known], moments[known]))
    return np.asarray(
        np.searchsorted(keys, _keys(account, last), "right") > np.searchsorted(keys, _keys(account, first))
    )


def _keys(account: Int32s, moments: Int64s) -> Int64s:
    hours = np.clip(moments // US_PER_HOUR, 0, _HOURS - 1)
    return np.asarray(account.astype(np.int64) * _HOURS + hours)


def _account(table: LoadedTable) -> Coded:
    return _coded(table, "account_id")


def _coded(table: LoadedTable, column: str) -> Coded:
    values = table.data[column]
    assert isinstance(values, Coded)
    return values


_BY_KEY: Mapping[type[Expected], Callable[[Portfolio, LoadedTable, Any], Counted | None]] = {
    kinds.Distinct: _distinct,
    kinds.Varied: _varied,
    kinds.OneScale: _one_scale,
    kinds.WithinDebts: _within_debts,
    kinds.PaidWithinOwed: _paid_within_owed,
    kinds.KeptIsPaid: _kept_is_paid,
}

"""Expectations between tables: money that was paid beside money that was owed, promises beside payments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_DAY, US_PER_HOUR
from domain.coded import Coded
from features.gates.breaches import Miss
from features.gates.config import KeptIsPaid, PaidWithinOwed, WithinDebts
from features.gates.looking import Seen, percent, share
from features.reading import LoadedTable

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
_LEAST_ROWS = 50
_HOURS = 1 << 24
"""More hours than any moment has since 1970, so that account and hour make one number."""
_UNITS = "look for cents in one table and currency units in the other"


def within_debts(seen: Seen, expected: WithinDebts) -> Iterator[Miss]:
    """Payments larger than all that was ever owed."""
    owed, account = _owed(seen)
    amounts = seen.numbers("amount").astype(np.float64)
    known = (amounts != MISSING) & (account >= 0)
    large = known & (amounts > expected.max_ratio * np.where(known, owed[account], 0.0))
    count, of = int(large.sum()), int(known.sum())
    if of >= _LEAST_ROWS and share(count, of) > expected.max_share:
        found = f"{count:,} of {of:,} payments ({percent(count / of)}) above {expected.max_ratio:g} times all debts"
        yield Miss("amount", count, found, f"at most {percent(expected.max_share)}", _UNITS)


def paid_within_owed(seen: Seen, expected: PaidWithinOwed) -> Iterator[Miss]:
    """Accounts that paid more than they ever owed: debts are missing, or payments are double."""
    owed, account = _owed(seen)
    amounts = seen.numbers("amount")
    known = (amounts != MISSING) & (account >= 0)
    paid = np.bincount(account[known], weights=amounts[known].astype(np.float64), minlength=len(owed))
    payers = paid > 0
    count, of = int((payers & (paid > expected.max_ratio * owed)).sum()), int(payers.sum())
    if of >= _LEAST_ROWS and share(count, of) > expected.max_share:
        found = (
            f"{count:,} of {of:,} accounts ({percent(count / of)}) that paid over {expected.max_ratio:g} times what "
            "they ever owed"
        )
        way_out = "look for debts that are missing, payments that are there twice, and units"
        yield Miss("amount", count, found, f"at most {percent(expected.max_share)}", way_out)


def _owed(seen: Seen) -> tuple[Floats, npt.NDArray[np.int32]]:
    """What each account ever owed in cents, and the account of each row of the table."""
    debts = seen.look.portfolio.tables.get("debts")
    account = seen.texts("account_id")
    if debts is None:
        return np.full(len(account.values), np.inf), account.codes
    of, amounts = _account(debts), np.asarray(debts.data["amount"])
    known = (amounts != MISSING) & (amounts > 0) & (of.codes >= 0)
    owed = np.bincount(of.codes[known], weights=amounts[known].astype(np.float64), minlength=len(of.values))
    # Accounts without debts owed nothing, and are another check's business.
    return np.append(owed, np.inf), np.where(account.codes < 0, -1, account.among(of, unknown=len(of.values)))


def kept_is_paid(seen: Seen, expected: KeptIsPaid) -> Iterator[Miss]:
    """Promises that count as kept although nothing was paid."""
    payments = seen.look.portfolio.tables.get("payments")
    outcome = seen.texts("outcome")
    if payments is None or not payments.rows or "kept" not in outcome.values:
        return
    made, resolved = seen.numbers("occurred_at"), seen.numbers("resolved_at")
    kept = (outcome.codes == list(outcome.values).index("kept")) & (resolved != MISSING) & (made != MISSING)
    rows = np.flatnonzero(kept)
    account = seen.texts("account_id").among(_account(payments))[rows]
    # A day of grace on both ends: posting has hours of its own.
    first, last = made[rows] - US_PER_DAY, resolved[rows] + US_PER_DAY
    unpaid = account < 0
    unpaid[~unpaid] = ~_any_between(payments, account[~unpaid], first[~unpaid], last[~unpaid])
    count = int(unpaid.sum())
    if len(rows) >= _LEAST_ROWS and count / len(rows) > expected.max_share:
        found = (
            f"{count:,} of {len(rows):,} promises kept ({percent(count / len(rows))}) without any payment until then"
        )
        yield Miss(
            "outcome", count, found, f"at most {percent(expected.max_share)}", "look for payments that are missing"
        )


def _any_between(
    payments: LoadedTable, account: npt.NDArray[np.int32], first: Int64s, last: Int64s
) -> npt.NDArray[np.bool_]:
    """Whether an account has a payment between two moments, to the hour."""
    moments = np.asarray(payments.data["occurred_at"])
    known = (moments != MISSING) & (_account(payments).codes >= 0)
    keys = np.sort(_keys(_account(payments).codes[known], moments[known]))
    return np.asarray(
        np.searchsorted(keys, _keys(account, last), "right") > np.searchsorted(keys, _keys(account, first))
    )


def _keys(account: npt.NDArray[np.int32], moments: Int64s) -> Int64s:
    hours = np.clip(moments // US_PER_HOUR, 0, _HOURS - 1)
    return np.asarray(account.astype(np.int64) * _HOURS + hours)


def _account(table: LoadedTable) -> Coded:
    account = table.data["account_id"]
    assert isinstance(account, Coded)
    return account

"""Expectations between tables: money that was paid beside money that was owed, promises beside payments."""

from __future__ import annotations

from collections.abc import Iterator

from features.gates.breaches import Miss
from features.gates.config import KeptIsPaid, PaidWithinOwed, WithinDebts
from features.gates.looking import Seen, percent

_LEAST_ROWS = 50
_UNITS = "look for cents in one table and currency units in the other"


def within_debts(seen: Seen, expected: WithinDebts) -> Iterator[Miss]:
    """Payments larger than all that was ever owed."""
    counted = seen.counted(expected, least=_LEAST_ROWS)
    if counted is not None and counted.share > expected.max_share:
        found = f"{counted.told('payments')} above {expected.max_ratio:g} times all debts"
        yield Miss("amount", counted.wrong, found, f"at most {percent(expected.max_share)}", _UNITS)


def paid_within_owed(seen: Seen, expected: PaidWithinOwed) -> Iterator[Miss]:
    """Accounts that paid more than they ever owed: debts are missing, or payments are double."""
    counted = seen.counted(expected, least=_LEAST_ROWS)
    if counted is not None and counted.share > expected.max_share:
        found = f"{counted.told('accounts')} that paid over {expected.max_ratio:g} times what they ever owed"
        way_out = "look for debts that are missing, payments that are there twice, and units"
        yield Miss("amount", counted.wrong, found, f"at most {percent(expected.max_share)}", way_out)


def kept_is_paid(seen: Seen, expected: KeptIsPaid) -> Iterator[Miss]:
    """Promises that count as kept although nothing was paid."""
    counted = seen.counted(expected, least=_LEAST_ROWS)
    if counted is not None and counted.share > expected.max_share:
        found = f"{counted.told('promises kept')} without any payment until then"
        yield Miss(
            "outcome",
            counted.wrong,
            found,
            f"at most {percent(expected.max_share)}",
            "look for payments that are missing",
        )

"""Checks of amounts, codes and probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.actions import WAIT_CHANNEL
from domain.clock import MISSING, from_us
from domain.coded import Coded
from features.findings import Finding, Portfolio, Trouble, finding_at, finding_of
from features.reading import LoadedTable

_NEVER_NEGATIVE = (
    ("debts", "penalty_pct"),
    ("debts", "monthly_interest_pct"),
    ("contacts", "cost"),
    ("contacts", "duration_s"),
    ("promises", "amount"),
    ("promises", "discount_amount"),
    ("promises", "down_payment"),
)
_WRONG_SIGN_SHARE = 0.05
"""Share of payments that are negative without anything to reverse, above which the sign convention is the other way."""


def _debts_of_nothing(portfolio: Portfolio) -> Iterator[Finding]:
    debts = portfolio.tables.get("debts")
    if debts is not None:
        amounts = _numbers(debts, "amount")
        yield from finding_at(
            debts, (amounts != MISSING) & (amounts <= 0), severity="critical", column="amount",
            code="amount_not_positive",
            text="found debts of zero or less, needed what is owed as a positive amount; "
            "put reductions into debt_events and money received into payments",
        )  # fmt: skip


def _payments_without_cover(portfolio: Portfolio) -> Iterator[Finding]:
    """A negative payment reverses earlier ones, so an account's payments never add up to less than nothing.

    Some may reverse what was paid before the data begin, hence a warning; many mean that the source books receipts as
    negative.
    """
    payments = portfolio.tables.get("payments")
    if payments is None or not payments.rows:
        return
    given = without_cover(
        _coded(payments, "account_id").codes, _numbers(payments, "occurred_at"), _numbers(payments, "amount")
    )
    yield from finding_of(payments, given, uncovered(int(given.sum()), payments.rows), column="amount")


def uncovered(count: int, rows: int) -> Trouble:
    """Negative payments with nothing to reverse: how bad it is that so many of all rows are."""
    text = (
        "found negative amounts with no earlier payment of the account to reverse, needed payments as positive "
        "amounts and reversals after them; check the sign"
    )
    return Trouble("critical" if count / rows > _WRONG_SIGN_SHARE else "warning", "negative_without_payment", text)


def without_cover(
    account: npt.NDArray[np.int32], moments: npt.NDArray[np.int64], cents: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """(n,) the negative amounts that no earlier ones of their account cover; of accounts (n,) that are there whole."""
    # Only accounts that reverse anything have to be put in order.
    reversing = np.bincount(account[(cents < 0) & (cents != MISSING)] + 1, minlength=int(account.max(initial=0)) + 2)
    rows = np.flatnonzero(reversing[account + 1] > 0)
    found = np.zeros(len(account), dtype=np.bool_)
    found[rows] = _without_cover(account[rows], moments[rows], cents[rows])
    return found


def _without_cover(
    account: npt.NDArray[np.int32], moments: npt.NDArray[np.int64], cents: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    amounts = np.where(cents == MISSING, 0, cents)
    # At one moment, what comes in stands before what goes out.
    order = np.lexsort((-amounts, moments, account))
    running = np.cumsum(amounts[order])
    starts = np.flatnonzero(np.append(True, account[order][1:] != account[order][:-1])) if len(order) else order
    before = (running[starts] - amounts[order][starts]).repeat(np.diff(np.append(starts, len(order))))
    found = np.zeros(len(order), dtype=np.bool_)
    found[order] = (amounts[order] < 0) & (running - before < 0)
    return found


def _payments_of_nothing(portfolio: Portfolio) -> Iterator[Finding]:
    payments = portfolio.tables.get("payments")
    if payments is not None:
        yield from finding_at(
            payments, _numbers(payments, "amount") == 0, severity="note", column="amount", code="zero_amount",
            text="found payments of nothing; they count as no payment",
        )  # fmt: skip


def _negatives(portfolio: Portfolio) -> Iterator[Finding]:
    for name, column in _NEVER_NEGATIVE:
        table = portfolio.tables.get(name)
        if table is not None:
            values = _numbers(table, column)
            yield from finding_at(
                table, (values != MISSING) & (values < 0), severity="warning", column=column, code="negative",
                text="found negative values, needed zero or more; check the sign",
            )  # fmt: skip


def _instalments(portfolio: Portfolio) -> Iterator[Finding]:
    promises = portfolio.tables.get("promises")
    if promises is not None:
        count = _numbers(promises, "instalments")
        yield from finding_at(
            promises, (count != MISSING) & (count < 1), severity="warning", column="instalments",
            code="not_positive", text="found agreements of less than one instalment, needed 1 or more",
        )  # fmt: skip


def _birth_years(portfolio: Portfolio) -> Iterator[Finding]:
    accounts = portfolio.tables.get("accounts")
    if accounts is not None:
        years = _numbers(accounts, "birth_year")
        strange = (years != MISSING) & ((years < 1900) | (years > from_us(portfolio.now_us).year))
        yield from finding_at(
            accounts, strange, severity="warning", column="birth_year", code="implausible_year",
            text="found birth years before 1900 or to come; leave them empty where unknown",
        )  # fmt: skip


def _probabilities(portfolio: Portfolio) -> Iterator[Finding]:
    decisions = portfolio.tables.get("decisions")
    if decisions is not None:
        chances = _numbers(decisions, "action_prob")
        yield from finding_at(
            decisions, ~np.isnan(chances) & ~((chances > 0) & (chances <= 1)), severity="critical",
            column="action_prob", code="not_a_probability",
            text="found probabilities outside (0, 1], needed that with which the logging policy chose what it chose; "
            "without it every off-policy value is wrong",
        )  # fmt: skip


def _codes(portfolio: Portfolio) -> Iterator[Finding]:
    for table in portfolio.tables.values():
        for column in table.spec.columns:
            if column.codes:
                unknown = _outside(_coded(table, column.name), column.codes)
                yield from _unknown_codes(table, column.name, unknown)


def _unknown_codes(table: LoadedTable, column: str, unknown: npt.NDArray[np.bool_]) -> Iterator[Finding]:
    """An unknown code is a warning, save where it would stop a hold or lose money from the balance."""
    text = "found codes outside the vocabulary; they count as other"
    if (table.spec.name, column) == ("holds", "kind"):
        yield from _unknown_code(table, column, unknown, critical="a hold nobody knows would stop no contact")
        return
    if (table.spec.name, column) == ("debt_events", "kind"):
        moves_money = unknown & (_numbers(table, "amount") != MISSING) & (_numbers(table, "amount") != 0)
        yield from _unknown_code(table, column, moves_money, critical="their amounts would be lost from the balance")
        unknown = unknown & ~moves_money
    yield from finding_at(table, unknown, severity="warning", column=column, code="unknown_code", text=text)


def _unknown_code(table: LoadedTable, column: str, rows: npt.NDArray[np.bool_], *, critical: str) -> Iterator[Finding]:
    text = f"found codes outside the vocabulary, needed one of docs/data_quality.md; {critical}"
    yield from finding_at(table, rows, severity="critical", column=column, code="unknown_code", text=text)


def _channels(portfolio: Portfolio) -> Iterator[Finding]:
    for table in portfolio.tables.values():
        if "channel" in table.data:
            known = (*portfolio.channels, *([WAIT_CHANNEL] if table.spec.name == "decisions" else []))
            yield from finding_at(
                table, _outside(_coded(table, "channel"), known), severity="warning", column="channel",
                code="unknown_channel",
                text=f"found channels outside {', '.join(known)}; they count as other, and no consent or cap applies "
                "to them: rename them, or add them to actions.yaml",
            )  # fmt: skip


def _outside(column: Coded, known: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    return np.array([*(value not in known for value in column.values), False])[column.codes]


def _numbers(table: LoadedTable, column: str) -> npt.NDArray[Any]:
    return np.asarray(table.data[column])


def _coded(table: LoadedTable, column: str) -> Coded:
    values = table.data[column]
    assert isinstance(values, Coded)
    return values


BY_ROW = (
    _debts_of_nothing, _payments_of_nothing, _negatives, _instalments, _birth_years, _probabilities, _codes, _channels,
)  # fmt: skip
"""Checks that look at each row by itself."""
CHECKS = (*BY_ROW, _payments_without_cover)

"""Payments that name no debt: whose money they are in the labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.clock import US_PER_DAY as DAY
from domain.tables import Tables
from features.encoding import encode
from features.spine import Spine
from training import labels

TablesOf = Callable[..., Tables]
Row = dict[str, Any]
FIRST_DAY = 19_000
NOON = FIRST_DAY * DAY + DAY // 2
BILL = 10_000


def bill(name: str, day: int, *, due: int | None = None, **more: Any) -> Row:
    due_on = FIRST_DAY + (day + 5 if due is None else due)
    known = {"debt_id": name, "account_id": "a", "amount": BILL, "due_on": due_on}
    return {**known, "occurred_at": NOON + day * DAY, **more}


def paid(day: float, on: str | None = None, amount: int = BILL) -> Row:
    return {"account_id": "a", "debt_id": on, "amount": amount, "occurred_at": NOON + int(day * DAY)}


def recovered(tables_of: TablesOf, debts: list[Row], payments: list[Row], *days: float) -> list[int]:
    """Cents in the 90 days after decisions on some days."""
    tables = tables_of(accounts=[{"account_id": "a"}], debts=debts, payments=payments)
    money = labels.receipts(encode(tables, attributes={}))
    at_us = np.array([NOON + int(day * DAY) for day in days], dtype=np.int64)
    return labels.recovered_cents(money, Spine(np.zeros(len(days), dtype=np.int32), at_us), horizon_days=90).tolist()


def test_it_counts_for_the_decision_whose_debt_was_the_oldest_open_one(tables_of: TablesOf) -> None:
    assert recovered(tables_of, [bill("old", 0), bill("new", 20)], [paid(30)], 10) == [BILL]


def test_it_does_not_count_where_the_decisions_debt_was_settled_before(tables_of: TablesOf) -> None:
    debts = [bill("old", 0), bill("new", 20)]
    assert recovered(tables_of, debts, [paid(11), paid(30)], 10, 25) == [BILL, BILL]


def test_an_advance_on_later_bills_counts_for_no_decision(tables_of: TablesOf) -> None:
    debts = [bill("old", 0), bill("new", 20)]
    assert recovered(tables_of, debts, [paid(11), paid(15)], 10, 12) == [BILL, 0]


def test_the_debt_that_falls_due_first_is_paid_first_whenever_it_was_issued(tables_of: TablesOf) -> None:
    # Issued later, and due before: the money goes there, so that the decision on the other has none of it.
    debts = [bill("first", 0, due=90), bill("urgent", 20, due=25)]
    assert recovered(tables_of, debts, [paid(30)], 10, 25) == [0, BILL]


def test_a_debt_known_only_later_does_not_take_it(tables_of: TablesOf) -> None:
    debts = [bill("hidden", 0, due=1, recorded_at=NOON + 40 * DAY), bill("known", 5)]
    assert recovered(tables_of, debts, [paid(30)], 10) == [BILL]


def test_the_money_of_another_account_is_not_looked_at(tables_of: TablesOf) -> None:
    theirs = {**bill("theirs", 0), "account_id": "b"}
    tables = tables_of(accounts=[{"account_id": "a"}, {"account_id": "b"}], debts=[theirs], payments=[paid(5)])
    money = labels.receipts(encode(tables, attributes={}))
    spine = Spine(np.zeros(1, dtype=np.int32), np.array([NOON], dtype=np.int64))
    assert labels.recovered_cents(money, spine, horizon_days=90).tolist() == [0]


def test_many_payments_are_looked_up_in_parts_and_give_the_same(
    tables_of: TablesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    debts = [bill(f"d{month}", 30 * month) for month in range(4)]
    payments = [paid(30 * month + 7.5) for month in range(4)]
    whole = recovered(tables_of, debts, payments, 1, 31, 61)
    monkeypatch.setattr(labels, "_ROWS_AT_ONCE", 3)
    assert recovered(tables_of, debts, payments, 1, 31, 61) == whole == [BILL, BILL, BILL]


def _settling(issued: list[int], moments: list[float]) -> list[Row]:
    """Half a bill at each moment, on the oldest bill then open; where none is open, nothing is paid."""
    left = dict.fromkeys(range(len(issued)), 2)
    rows = []
    for moment in moments:
        place = next((place for place, day in enumerate(issued) if day < moment and left[place]), None)
        if place is not None:
            left[place] -= 1
            rows.append(paid(moment, f"d{place}", BILL // 2))
    return rows


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    issued=st.lists(st.integers(0, 120), min_size=1, max_size=4, unique=True).map(sorted),
    moments=st.lists(st.integers(0, 150), max_size=9, unique=True).map(sorted),
    days=st.lists(st.integers(0, 150), min_size=1, max_size=4),
)
def test_the_same_history_told_with_and_without_debts_gives_the_same_money(
    tables_of: TablesOf, issued: list[int], moments: list[int], days: list[int]
) -> None:
    debts = [bill(f"d{place}", day) for place, day in enumerate(issued)]
    named = _settling(issued, [moment + 0.5 for moment in moments])
    unnamed = [{**row, "debt_id": None} for row in named]
    asked = [day + 0.25 for day in days]
    assert recovered(tables_of, debts, unnamed, *asked) == recovered(tables_of, debts, named, *asked)

"""The worked examples of docs/value.md, in money: an account owes 1,000.00 and is decided on, by sms, on day 0."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decisioning.config import Objective
from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY, to_us
from domain.config import load_section
from domain.tables import Tables
from features.encoding import encode
from features.spine import Spine
from training.dataset import Horizon
from training.ope.rewards import Terms, rewards

NOON = to_us(datetime(2024, 1, 15, 12, tzinfo=UTC))
DUE_ON = NOON // US_PER_DAY
CATALOGUE = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
SMS = CATALOGUE.actions[CATALOGUE.index["sms/none/morning"]]
TERMS = Terms(value_days=90, event_days=30, objective=Objective(monthly_discount_rate=0.0))
TablesOf = Callable[..., Tables]


def debt(name: str, day: float, amount: int = 100_000, **more: Any) -> dict[str, Any]:
    issued = NOON + int(day * US_PER_DAY)
    return {"debt_id": name, "account_id": "a", "amount": amount, "due_on": DUE_ON, "occurred_at": issued, **more}


def paid(day: float, amount: int, on: str | None = "d") -> dict[str, Any]:
    return {"account_id": "a", "debt_id": on, "amount": amount, "occurred_at": NOON + int(day * US_PER_DAY)}


def money_of(tables_of: TablesOf, *, days: tuple[float, ...] = (0.0,), **tables: Any) -> list[float]:
    """Value of a decision on each of the days, without the cost of its attempt."""
    decided = [NOON + int(day * US_PER_DAY) for day in days]
    decision = {"account_id": "a", "channel": "sms", "offer": "none", "moment": "morning", "action_prob": 1.0}
    rows: dict[str, Any] = {"accounts": [{"account_id": "a"}], "debts": [debt("d", -9)], "payments": []}
    rows |= {"decisions": [{**decision, "decided_at": at} for at in decided], **tables}
    encoded = encode(tables_of(**rows), attributes={})
    spine = Spine(np.zeros(len(days), dtype=np.int32), np.array(decided, dtype=np.int64))
    action = np.zeros(len(days), dtype=np.int64)
    found = rewards(encoded, spine, (SMS,), action, rows=np.arange(len(days)), terms=TERMS)
    return [round(value + SMS.unit_cost, 2) for value in found.tolist()]


def test_money_that_lies_in_the_windows_of_two_decisions_is_in_the_value_of_both(tables_of: TablesOf) -> None:
    payments = [paid(3, 20_000), paid(10, 30_000)]
    assert money_of(tables_of, days=(0, 7), payments=payments) == [500.0, 300.0]


def test_a_payment_after_the_next_decision_still_counts_for_the_first(tables_of: TablesOf) -> None:
    assert money_of(tables_of, days=(0, 7), payments=[paid(60, 40_000)]) == [400.0, 400.0]


def test_a_complaint_in_the_windows_of_two_decisions_is_charged_to_both(tables_of: TablesOf) -> None:
    complaint = {"account_id": "a", "kind": "complained", "occurred_at": NOON + 8 * US_PER_DAY}
    assert money_of(tables_of, days=(0, 7), responses=[complaint]) == [-250.0, -250.0]


def test_a_payment_reversed_in_the_window_of_one_decision_alone_counts_for_the_other(tables_of: TablesOf) -> None:
    payments = [paid(10, 30_000), paid(92, -30_000)]
    assert money_of(tables_of, days=(0, 7), payments=payments) == [300.0, 0.0]


def test_a_partial_reversal_leaves_the_rest(tables_of: TablesOf) -> None:
    assert money_of(tables_of, payments=[paid(10, 30_000), paid(20, -10_000)]) == [200.0]


def test_a_reversal_of_money_from_before_the_decision_is_not_its_loss(tables_of: TablesOf) -> None:
    assert money_of(tables_of, payments=[paid(-2, 30_000), paid(5, -30_000)]) == [0.0]


def test_a_broken_agreement_is_worth_what_was_paid_on_it(tables_of: TablesOf) -> None:
    promise = {"promise_id": "m", "account_id": "a", "kind": "agreement", "debt_id": "d", "outcome": "broken"}
    promise |= {"occurred_at": NOON + US_PER_DAY, "resolved_at": NOON + 70 * US_PER_DAY}
    instalments = [debt(f"i{number}", 1, 30_000, promise_id="m") for number in range(3)]
    payments = [paid(2, 30_000, "i0"), paid(32, 30_000, "i1")]
    found = money_of(tables_of, debts=[debt("d", -9), *instalments], promises=[promise], payments=payments)
    assert found == [600.0]


def test_an_agreement_on_a_debt_issued_after_the_decision_is_none_of_its_value(tables_of: TablesOf) -> None:
    promise = {"promise_id": "m", "account_id": "a", "kind": "agreement", "debt_id": "new"}
    promise |= {"occurred_at": NOON + 20 * US_PER_DAY}
    debts = [debt("d", -9), debt("new", 10), debt("i0", 20, 30_000, promise_id="m")]
    assert money_of(tables_of, debts=debts, promises=[promise], payments=[paid(21, 30_000, "i0")]) == [0.0]


def test_a_payment_that_names_no_debt_counts_only_where_the_debt_open_then_was_known(tables_of: TablesOf) -> None:
    payments = [paid(5, 100_000, None), paid(40, 20_000, None)]
    found = money_of(tables_of, days=(0, 7), debts=[debt("d", -9), debt("new", 10)], payments=payments)
    assert found == [1000.0, 0.0]


def test_an_advance_on_bills_to_come_is_in_no_value(tables_of: TablesOf) -> None:
    payments = [paid(5, 100_000, None), paid(40, 20_000, None)]
    assert money_of(tables_of, days=(0, 7), payments=payments) == [1000.0, 0.0]


def test_self_cure_counts_for_a_decision_as_any_money_does(tables_of: TablesOf) -> None:
    assert money_of(tables_of, payments=[paid(80, 100_000, None)]) == [1000.0]


@pytest.mark.parametrize(("end", "expected"), [(93, True), (92, False)])
def test_a_decision_is_valued_only_when_its_window_and_the_posting_lag_are_over(end: int, expected: bool) -> None:
    mature = Horizon(NOON + end * US_PER_DAY, 3).mature(np.array([NOON]), TERMS.value_days)
    assert mature.tolist() == [expected]

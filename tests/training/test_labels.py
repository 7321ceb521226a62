from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from domain.clock import US_PER_DAY as DAY
from domain.tables import Tables
from features.encoding import Encoded, encode
from features.spine import Spine
from training import labels

TablesOf = Callable[..., Tables]
NOON = 19_000 * DAY + DAY // 2


def encoded_of(tables_of: TablesOf, **tables: Any) -> Encoded:
    given = {
        "accounts": [{"account_id": "a"}],
        "debts": [
            {"debt_id": "d", "account_id": "a", "amount": 10_000, "due_on": 19_000, "occurred_at": NOON - 9 * DAY}
        ],
        "payments": [],
    }
    return encode(tables_of(**(given | tables)), attributes={})


def payment(at_us: int, amount: int = 10_000, **more: Any) -> dict[str, Any]:
    found = {"payment_id": f"p{at_us}{amount}", "account_id": "a", "debt_id": "d", "amount": amount}
    return {**found, "occurred_at": at_us, "recorded_at": at_us, **more}


def paid(tables_of: TablesOf, payments: list[dict[str, Any]], as_of_us: int = NOON, days: int = 30) -> bool:
    money = labels.receipts(encoded_of(tables_of, payments=payments))
    return bool(labels.paid_within(money, spine_at(as_of_us), horizon_days=days)[0])


def spine_at(as_of_us: int) -> Spine:
    return Spine(np.zeros(1, dtype=np.int32), np.array([as_of_us], dtype=np.int64))


@pytest.mark.parametrize(
    ("at_us", "expected"), [(NOON - 1, False), (NOON, True), (NOON + 30 * DAY - 1, True), (NOON + 30 * DAY, False)]
)
def test_the_window_holds_its_first_microsecond_and_not_its_last(
    tables_of: TablesOf, at_us: int, expected: bool
) -> None:
    assert paid(tables_of, [payment(at_us)]) is expected


def test_a_payment_reversed_inside_the_window_is_none(tables_of: TablesOf) -> None:
    assert not paid(tables_of, [payment(NOON + DAY), payment(NOON + 30 * DAY - 1, -10_000)])


def test_a_payment_reversed_at_the_end_of_the_window_counts(tables_of: TablesOf) -> None:
    assert paid(tables_of, [payment(NOON + DAY), payment(NOON + 30 * DAY, -10_000)])


def test_the_reversal_of_an_older_payment_takes_nothing_from_a_new_one(tables_of: TablesOf) -> None:
    history = [payment(NOON - 2 * DAY, 5_000), payment(NOON + DAY, -5_000), payment(NOON + 2 * DAY, 4_000)]
    assert paid(tables_of, history)


def test_a_late_recorded_payment_counts_because_labels_know_the_end(tables_of: TablesOf) -> None:
    assert paid(tables_of, [payment(NOON + DAY, recorded_at=NOON + 90 * DAY)])


def test_only_the_latest_version_of_a_payment_counts(tables_of: TablesOf) -> None:
    first = payment(NOON + DAY, payment_id="p")
    assert not paid(tables_of, [first, {**first, "amount": 0, "recorded_at": NOON + 5 * DAY}])


@pytest.mark.parametrize(("after_us", "expected"), [(0, True), (-1, False)])
def test_a_label_is_mature_only_when_window_and_lag_have_passed(after_us: int, expected: bool) -> None:
    end_us = NOON + 33 * DAY + after_us
    assert labels.mature(np.array([NOON]), horizon_days=30, lag_days=3, end_us=end_us)[0] == expected


def test_money_on_debts_issued_after_the_decision_is_not_recovered_by_it(tables_of: TablesOf) -> None:
    later = {"debt_id": "new", "account_id": "a", "amount": 5_000, "due_on": 19_020, "occurred_at": NOON + DAY}
    debts = [{"debt_id": "d", "account_id": "a", "amount": 10_000, "due_on": 19_000, "occurred_at": NOON - DAY}, later]
    payments = [payment(NOON + 2 * DAY, 3_000), payment(NOON + 2 * DAY, 5_000, debt_id="new")]
    money = labels.receipts(encoded_of(tables_of, debts=debts, payments=payments))
    assert labels.recovered_cents(money, spine_at(NOON), horizon_days=30).tolist() == [3_000]


def test_instalments_of_a_later_agreement_are_recovered_by_it(tables_of: TablesOf) -> None:
    instalment = {"debt_id": "i1", "account_id": "a", "amount": 5_000, "due_on": 19_020, "occurred_at": NOON + DAY,
                  "promise_id": "m"}  # fmt: skip
    debts = [{"debt_id": "d", "account_id": "a", "amount": 10_000, "due_on": 19_000, "occurred_at": NOON - DAY}]
    payments = [payment(NOON + 2 * DAY, 5_000, debt_id="i1")]
    money = labels.receipts(encoded_of(tables_of, debts=[*debts, instalment], payments=payments))
    share = labels.share_recovered(money, spine_at(NOON), np.array([10_000]), horizon_days=30)
    assert share.tolist() == [0.5]


def test_complaints_and_revoked_consents_are_found(tables_of: TablesOf) -> None:
    encoded = encoded_of(
        tables_of,
        responses=[{"account_id": "a", "kind": "complained", "occurred_at": NOON + DAY}],
        consents=[{"account_id": "a", "channel": "sms", "status": "revoked", "occurred_at": NOON + DAY}],
    )
    found = [labels.complaints(encoded), *labels.opt_outs(encoded)]
    assert [index.any_within(spine_at(NOON), horizon_days=30)[0] for index in found] == [True, False, True]


def owed(tables_of: TablesOf, at_us: int, known_before_us: int, **tables: Any) -> int:
    encoded = encoded_of(tables_of, **tables)
    return int(labels.still_owed_cents(encoded, spine_at(at_us), np.array([known_before_us]))[0])


def test_what_is_still_owed_is_less_by_what_was_paid(tables_of: TablesOf) -> None:
    assert owed(tables_of, NOON + 9 * DAY, NOON, payments=[payment(NOON + DAY, 4_000)]) == 6_000


def test_a_bill_that_was_issued_in_between_is_not_still_owed(tables_of: TablesOf) -> None:
    old = {"debt_id": "d", "account_id": "a", "amount": 10_000, "due_on": 19_000, "occurred_at": NOON - 9 * DAY}
    new = {**old, "debt_id": "e", "amount": 700, "occurred_at": NOON + DAY, "due_on": 19_020}
    assert owed(tables_of, NOON + 9 * DAY, NOON, debts=[old, new]) == 10_000


def test_a_bill_that_becomes_known_at_the_moment_itself_was_not_known_before_it(tables_of: TablesOf) -> None:
    assert owed(tables_of, NOON + 9 * DAY, NOON - 9 * DAY) == 0


def test_instalments_of_an_agreement_are_still_owed_on_the_debt_that_it_replaced(tables_of: TablesOf) -> None:
    old = {"debt_id": "d", "account_id": "a", "amount": 10_000, "due_on": 19_000, "occurred_at": NOON - 9 * DAY}
    part = {**old, "debt_id": "i", "amount": 5_000, "occurred_at": NOON + DAY, "due_on": 19_020, "promise_id": "p"}
    made = {"promise_id": "p", "account_id": "a", "debt_id": "d", "kind": "agreement", "occurred_at": NOON + DAY}
    gone = {"debt_id": "d", "account_id": "a", "kind": "renegotiated", "occurred_at": NOON + DAY}
    tables = {"debts": [old, part], "promises": [made], "debt_events": [gone]}
    assert owed(tables_of, NOON + 9 * DAY, NOON, **tables) == 5_000

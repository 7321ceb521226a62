from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs
from strategies import examples, ledger_of, random_rows, tables_of

from domain.errors import LedgerError
from features.config import Attribute
from features.encoding import encode
from features.ledger import encode_ledgers

AS_OF = datetime(2026, 3, 2, 12, tzinfo=UTC)
DEBT = {"debt_id": "d1", "amount": 100.0, "due_on": "2026-01-10", "occurred_at": "2025-12-20T12:00:00Z"}
PAYMENT = {"payment_id": "p1", "amount": 40, "occurred_at": "2026-02-01T12:00:00Z"}


def encoded(**tables):
    ledger = {"account_id": "a", "debts": [DEBT], "payments": [], **tables}
    return encode_ledgers((ledger,), attributes={"income": Attribute(kind="numeric")}, whole_debtors=True)


@settings(max_examples=examples(100), deadline=None)
@given(seed=hs.integers(0, 2**32 - 1))
def test_a_ledger_and_the_tables_of_the_same_rows_make_the_same_events_debts_and_entries(seed):
    rows = random_rows(seed)
    names = sorted(row["account_id"] for row in rows["accounts"])
    for row in rows["accounts"]:
        row["debtor_id"] = "p"
    by_ledger = encode_ledgers([ledger_of(rows, name) for name in names], attributes={}, whole_debtors=True)
    by_tables = encode(tables_of(rows), attributes={})
    for part in ("events", "debts", "entries"):
        ours, theirs = getattr(by_ledger, part), getattr(by_tables, part)
        for name in set(theirs._fields) - {"promise"}:
            assert np.array_equal(getattr(ours, name), getattr(theirs, name)), (part, name)


def test_a_row_given_twice_counts_once():
    assert encoded(payments=[PAYMENT, PAYMENT]).events.code.tolist() == encoded(payments=[PAYMENT]).events.code.tolist()


def test_two_contents_of_one_identity_are_refused_by_their_place():
    with pytest.raises(LedgerError, match="same id and recorded_at") as refusal:
        encoded(payments=[PAYMENT, PAYMENT | {"amount": 50}])
    assert refusal.value.pointer == "/payments/1"


def test_ids_that_are_not_given_tell_rows_apart():
    nameless = {name: value for name, value in PAYMENT.items() if name != "payment_id"}
    assert len(encoded(payments=[nameless, nameless]).entries.amount) == 2


def test_two_accounts_may_call_their_debts_the_same():
    one = {"account_id": "a", "debts": [DEBT], "payments": []}
    other = one | {"account_id": "b", "payments": [PAYMENT | {"debt_id": "d1"}]}
    found = encode_ledgers((one, other), attributes={}, whole_debtors=True)
    assert np.diff(found.debt_bounds).tolist() == [1, 1]
    assert found.entries.debt.tolist() == [1]


def test_unknown_codes_count_as_other_and_are_counted():
    contact = {"contact_id": "c", "channel": "carrier_pigeon", "occurred_at": "2026-02-01T12:00:00Z"}
    assert encoded(contacts=[contact]).unknown_codes == {"contacts.channel": 1}


@pytest.mark.parametrize(
    "tables, pointer, said",
    [
        ({"payments": [PAYMENT | {"amount": "40"}]}, "/payments/0/amount", "needed a number"),
        ({"payments": [PAYMENT | {"amount": float("nan")}]}, "/payments/0/amount", "needed a number"),
        ({"payments": [PAYMENT | {"amount": True}]}, "/payments/0/amount", "needed a number"),
        ({"payments": [PAYMENT, PAYMENT | {"payment_id": "p2", "amount": 1e11}]}, "/payments/1/amount", "10 digits"),
        ({"payments": [PAYMENT | {"occurred_at": "2026-02-01T12:00:00"}]}, "/payments/0/occurred_at", "with offset"),
        ({"payments": [PAYMENT | {"occurred_at": "yesterday"}]}, "/payments/0/occurred_at", "with offset"),
        ({"payments": [{"payment_id": "p1", "amount": 40}]}, "/payments/0/occurred_at", "with offset"),
        ({"payments": [PAYMENT | {"payment_id": 7}]}, "/payments/0/payment_id", "needed text"),
        ({"payments": [PAYMENT | {"colour": "crimson"}]}, "/payments/0", "leave it out"),
        ({"payments": ["p1"]}, "/payments/0", "found no object"),
        ({"payments": "p1"}, "/payments", "found no list"),
        ({"debts": [DEBT | {"due_on": "2026-13-01"}]}, "/debts/0/due_on", "a day such as"),
        ({"debts": [{"debt_id": "d1", "amount": 1}]}, "/debts/0/due_on", "a day such as"),
        ({"promises": [{"instalments": 2.5, "occurred_at": "2026-02-01T12:00:00Z"}]}, "/promises/0/instalments",
         "a whole number"),
        ({"contacts": [{"channel": 3, "occurred_at": "2026-02-01T12:00:00Z"}]}, "/contacts/0/channel", "needed text"),
        ({"account": {"income": "much"}}, "/account/income", "needed a number"),
        ({"account": {"shoe_size": 42}}, "/account", "leave it out"),
        ({"account_id": ""}, "/account_id", "found no account_id"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_by_its_place_and_never_by_its_value(tables, pointer, said):
    with pytest.raises(LedgerError, match=said) as refusal:
        encoded(**tables)
    assert refusal.value.pointer == pointer
    for value in ("yesterday", "carrier", "2026-13-01", "much", "crimson"):
        assert value not in str(refusal.value)


def test_times_of_any_offset_are_the_same_moment():
    local = PAYMENT | {"occurred_at": "2026-02-01T09:00:00-03:00"}
    assert (
        encoded(payments=[local]).events.occurred_us.tolist() == encoded(payments=[PAYMENT]).events.occurred_us.tolist()
    )


def test_an_integer_may_be_written_with_a_point():
    promise = {"instalments": 3.0, "occurred_at": "2026-02-01T12:00:00Z"}
    assert encoded(promises=[promise]).sheets.promises.shape[1] == 1

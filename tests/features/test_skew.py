from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import AS_OF_US, as_known_before, examples, random_rows, tables_of

from domain.clock import US_PER_DAY
from domain.tables import Tables
from features.batch import compute_many
from features.encoding import encode
from features.schema import FeatureSchema, fit_schema
from features.skew import check
from features.spine import every_account
from features.vectors import Vector

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
LEDGER = frozenset({"accounts", "debts", "debt_events", "payments", "contacts", "responses", "promises", "consents",
                    "holds"})  # fmt: skip


def full_schema(rows: Rows) -> FeatureSchema:
    return fit_schema(encode(tables_of(rows), attributes={}), attributes={})


def ledger_of(rows: Rows, account_id: str, given: frozenset[str] = LEDGER) -> Tables:
    """What a request about one account holds: its own rows as known at the moment, in the tables that are given."""
    known = as_known_before(rows, AS_OF_US)
    if "accounts" not in given:
        known["accounts"] = [{"account_id": row["account_id"]} for row in known["accounts"]]
    return tables_of(
        {
            table: [row for row in known[table] if row["account_id"] == account_id]
            if table in given | {"accounts"}
            else []
            for table in known
            if table in given | {"accounts", "debts", "payments"}
        }
    )


def logged(
    rows: Rows, schema: FeatureSchema, account_id: str = "a0", *, given: frozenset[str] = LEDGER, **changes: Any
) -> Vector:
    values = compute_many(
        encode(ledger_of(rows, account_id, given), attributes={}), every_account(1, as_of_us=AS_OF_US), schema
    )
    none = frozenset({"debts", "payments"}) - given
    vector = Vector(account_id, AS_OF_US, schema.fingerprint, "1", given, none, 0, tuple(values[0].tolist()))
    return replace(vector, **changes)


def changed(vector: Vector, schema: FeatureSchema, **values: float) -> Vector:
    numbers = list(vector.values)
    for name, value in values.items():
        numbers[schema.index[name]] = value
    return replace(vector, values=tuple(numbers))


@given(st.integers(0, 10_000))
@settings(max_examples=examples(15), deadline=None)
def test_ledgers_of_what_was_known_show_no_skew_whatever_was_corrected_or_came_late(seed: int) -> None:
    rows = random_rows(seed)
    schema = full_schema(rows)
    vectors = [logged(rows, schema, name) for name in ("a0", "a1", "a2")]
    assert [verdict.status for verdict in check(vectors, tables_of(rows), schema)] == ["equal"] * 3


@given(st.integers(0, 200), st.integers(0, 10_000))
@settings(max_examples=examples(15), deadline=None)
def test_one_wrong_number_is_found_and_named(seed: int, place: int) -> None:
    rows = random_rows(seed)
    schema = full_schema(rows)
    name = schema.names[place % len(schema.names)]
    vector = logged(rows, schema)
    before = vector.values[schema.index[name]]
    wrong = changed(vector, schema, **{name: 12_345.5 if math.isnan(before) else before + 12_345.5})
    verdict = check([wrong], tables_of(rows), schema)[0]
    assert (verdict.status, verdict.differs) == ("differs", (name,))


def test_the_largest_difference_is_told() -> None:
    rows = random_rows(1)
    schema = full_schema(rows)
    vector = logged(rows, schema)
    wrong = changed(vector, schema, balance_cents=vector.values[schema.index["balance_cents"]] + 3.0)
    assert check([wrong], tables_of(rows), schema)[0].largest == 3.0


def test_a_missing_event_is_found() -> None:
    rows = random_rows(1)
    schema = full_schema(rows)
    known = as_known_before(rows, AS_OF_US)
    place = next(
        place for place, row in enumerate(rows["contacts"]) if row["account_id"] == "a0" and row in known["contacts"]
        and row["occurred_at"] < AS_OF_US
    )  # fmt: skip
    short = {**rows, "contacts": [row for number, row in enumerate(rows["contacts"]) if number != place]}
    verdict = check([logged(short, schema)], tables_of(rows), schema)[0]
    assert verdict.status == "differs"
    assert any(name.startswith("contacts_") for name in verdict.differs)


@pytest.mark.parametrize("left_out", sorted(LEDGER))
@given(st.integers(0, 500))
@settings(max_examples=examples(4), deadline=None)
def test_a_table_that_the_request_left_out_is_no_skew(left_out: str, seed: int) -> None:
    rows = random_rows(seed)
    schema = full_schema(rows)
    vector = logged(rows, schema, given=LEDGER - {left_out})
    assert check([vector], tables_of(rows), schema)[0].status == "equal"


def test_features_of_a_table_left_out_are_named_as_not_compared() -> None:
    rows = random_rows(1)
    schema = full_schema(rows)
    verdict = check([logged(rows, schema, given=LEDGER - {"contacts"})], tables_of(rows), schema)[0]
    assert "contacts_sms_count_365d" in verdict.without_table


def test_a_wrong_number_is_found_beside_a_table_left_out() -> None:
    rows = random_rows(1)
    schema = full_schema(rows)
    vector = changed(logged(rows, schema, given=LEDGER - {"contacts"}), schema, balance_cents=1e9)
    assert check([vector], tables_of(rows), schema)[0].differs == ("balance_cents",)


@pytest.fixture
def family() -> dict[str, list[dict[str, Any]]]:
    """Two accounts of one debtor; a hold on the person stands on the second."""
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in LEDGER}
    rows["accounts"] = [
        {"account_id": name, "debtor_id": debtor} for name, debtor in (("a0", "p"), ("a1", "p"), ("a2", "q"))
    ]
    at = AS_OF_US - 30 * US_PER_DAY
    when = {"occurred_at": at, "recorded_at": at}
    rows["debts"] = [
        {"debt_id": f"d{name}", "account_id": name, "amount": 1_000, "due_on": at // US_PER_DAY, **when}
        for name in ("a0", "a1", "a2")
    ]
    rows["holds"] = [{"hold_id": "h", "account_id": "a1", "kind": "dispute", "scope": "debtor", **when}]
    return rows


ELSEWHERE = {"holds_active", "dispute_active", "siblings", "siblings_balance_cents", "siblings_overdue_cents"} | {
    "siblings_days_past_due_max"
}


def test_a_hold_on_another_account_of_the_debtor_is_not_compared(family: Any) -> None:
    schema = full_schema(family)
    verdict = check([logged(family, schema)], tables_of(family), schema)[0]
    assert (verdict.status, set(verdict.without_siblings)) == ("equal", ELSEWHERE)


def test_a_wrong_number_of_holds_is_found_even_where_accounts_of_the_debtor_are_lacking(family: Any) -> None:
    schema = full_schema(family)
    verdict = check([changed(logged(family, schema), schema, holds_active=7.0)], tables_of(family), schema)[0]
    assert verdict.differs == ("holds_active",)


def test_with_all_accounts_of_the_debtor_their_holds_are_compared(family: Any) -> None:
    schema = full_schema(family)
    verdict = check([logged(family, schema, siblings=1)], tables_of(family), schema)[0]
    assert set(verdict.differs) == ELSEWHERE


def test_a_feature_of_other_accounts_that_is_missing_for_want_of_them_is_not_compared(family: Any) -> None:
    schema = full_schema(family)
    vector = changed(logged(family, schema, "a2"), schema, holds_active=math.nan)
    verdict = check([vector], tables_of(family), schema)[0]
    assert (verdict.status, verdict.without_siblings) == ("equal", ("holds_active",))


def test_a_feature_of_the_account_alone_that_is_missing_is_skew(family: Any) -> None:
    schema = full_schema(family)
    vector = changed(logged(family, schema, "a2"), schema, balance_cents=math.nan)
    verdict = check([vector], tables_of(family), schema)[0]
    assert (verdict.differs, verdict.largest) == (("balance_cents",), None)


def test_an_account_that_the_data_do_not_hold_is_not_comparable() -> None:
    rows = random_rows(1)
    schema = full_schema(rows)
    vector = logged(rows, schema, account_id="a0")
    verdict = check([replace(vector, account_id="stranger")], tables_of(rows), schema)[0]
    assert (verdict.status, verdict.reason) == ("not_comparable", "account_unknown")


def test_a_vector_of_another_schema_is_not_comparable() -> None:
    rows = random_rows(1)
    schema = full_schema(rows)
    verdict = check([logged(rows, schema, fingerprint="other")], tables_of(rows), schema)[0]
    assert (verdict.status, verdict.reason) == ("not_comparable", "other_schema")


def test_events_of_a_table_that_the_data_lack_are_not_comparable() -> None:
    rows = random_rows(1)
    schema = full_schema(rows)
    less = {table: found for table, found in rows.items() if table != "contacts"}
    verdict = check([logged(rows, schema)], tables_of(less), schema)[0]
    assert (verdict.status, verdict.reason) == ("not_comparable", "table_not_in_data")


def test_nothing_logged_gives_no_verdict() -> None:
    rows = random_rows(1)
    assert check([], tables_of(rows), full_schema(rows)) == []


def test_verdicts_stand_in_the_order_of_the_vectors() -> None:
    rows = random_rows(2)
    schema = full_schema(rows)
    vectors = [logged(rows, schema, name) for name in ("a2", "a0", "a1")]
    vectors.insert(1, replace(vectors[0], account_id="stranger"))
    names = [verdict.account_id for verdict in check(vectors, tables_of(rows), schema)]
    assert names == ["a2", "stranger", "a0", "a1"]

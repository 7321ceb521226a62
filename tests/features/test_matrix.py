from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs
from strategies import AS_OF_US, ORIGIN_US, examples, ledger_of, random_rows, tables_of

from domain.clock import US_PER_DAY, from_us
from features.batch import compute_all, compute_many
from features.definitions import Windowed
from features.encoding import encode
from features.online import compute_one, one_of
from features.schema import FeatureSchema, fit_schema
from features.spine import Spine, every_account
from features.twin import windowed_by_masks

seeds = hs.integers(0, 2**32 - 1)
moments = hs.sampled_from([AS_OF_US, AS_OF_US + 1, AS_OF_US - US_PER_DAY, ORIGIN_US + 400 * US_PER_DAY, ORIGIN_US])
SCHEMA = fit_schema(encode(tables_of(random_rows(0, accounts=6, events=120)), attributes={}), attributes={})


def matrix(rows, *, as_of_us=AS_OF_US, schema: FeatureSchema = SCHEMA):
    encoded = encode(tables_of(rows), attributes={})
    return encoded, compute_many(encoded, every_account(len(encoded.account_ids), as_of_us=as_of_us), schema)


def same(left, right) -> bool:
    return np.array_equal(left, right, equal_nan=True)


@settings(max_examples=examples(150), deadline=None)
@given(seed=seeds, as_of_us=moments)
def test_the_kernel_and_its_numpy_twin_agree_to_the_bit(seed, as_of_us):
    encoded = encode(tables_of(random_rows(seed)), attributes={})
    spine = every_account(len(encoded.account_ids), as_of_us=as_of_us)
    values = compute_all(encoded, spine, SCHEMA)
    columns = [place for place, one in enumerate(SCHEMA.computed) if isinstance(one.rule, Windowed)]
    twin = windowed_by_masks(encoded, spine, [SCHEMA.computed[place] for place in columns])
    exact = np.array([SCHEMA.computed[place].rule.aggregate != "std" for place in columns])
    assert same(values[:, columns][:, exact], twin[:, exact])
    # A deviation sums squares in another order; it is the only aggregate that is not made of integers to the last step.
    np.testing.assert_allclose(values[:, columns][:, ~exact], twin[:, ~exact], rtol=1e-9, atol=1e-9)


@settings(max_examples=examples(100), deadline=None)
@given(seed=seeds, as_of_us=moments)
def test_a_portfolio_and_its_debtors_one_by_one_give_the_same_rows(seed, as_of_us):
    rows = random_rows(seed)
    encoded, values = matrix(rows, as_of_us=as_of_us)
    debtor = {row["account_id"]: row["debtor_id"] for row in rows["accounts"]}
    for position, name in enumerate(encoded.account_ids):
        family = {account for account, owner in debtor.items() if owner == debtor[name]}
        own = {table: [row for row in found if row["account_id"] in family] for table, found in rows.items()}
        single = one_of(tables_of(own), name, as_of=from_us(as_of_us), schema=SCHEMA)
        assert same(values[position], single)


@settings(max_examples=examples(100), deadline=None)
@given(seed=seeds, as_of_us=moments)
def test_a_ledger_of_a_request_gives_the_row_of_the_portfolio(seed, as_of_us):
    rows = random_rows(seed)
    encoded, values = matrix(rows, as_of_us=as_of_us)
    debtor = {row["account_id"]: row["debtor_id"] for row in rows["accounts"]}
    for position, name in enumerate(encoded.account_ids):
        others = [one for one, owner in debtor.items() if owner == debtor[name] and one != name]
        ledger, elsewhere = ledger_of(rows, name), [ledger_of(rows, one) for one in others]
        single = compute_one(ledger, as_of=from_us(as_of_us), schema=SCHEMA, others=elsewhere)
        assert same(values[position], single)


def test_what_happens_on_other_accounts_is_missing_where_nobody_says_what_they_are():
    rows = random_rows(3)
    rows["accounts"][0]["debtor_id"] = "p0"
    single = compute_one(ledger_of(rows, "a0"), as_of=from_us(AS_OF_US), schema=SCHEMA)
    elsewhere = np.array([feature.family == "siblings" for feature in SCHEMA.features])
    assert np.isnan(single[elsewhere]).all()
    assert not np.isnan(single[SCHEMA.index["open_debts"]])


@pytest.mark.parametrize("at, seen", [(-1, 1.0), (0, 0.0), (1, 0.0)])
def test_an_event_stamped_exactly_at_as_of_is_outside(at, seen):
    payment = {"payment_id": "p", "account_id": "a", "amount": 100, "occurred_at": AS_OF_US + at}
    payment["recorded_at"] = payment["occurred_at"]
    values = matrix({"accounts": [{"account_id": "a"}], "debts": [], "payments": [payment]})[1]
    assert values[0, SCHEMA.index["payments_count_30d"]] == seen


@pytest.mark.parametrize("age_us, seen", [(30 * US_PER_DAY, 1.0), (30 * US_PER_DAY + 1, 0.0)])
def test_a_window_holds_what_is_exactly_as_old_as_it_is_wide(age_us, seen):
    payment = {"payment_id": "p", "account_id": "a", "amount": 100, "occurred_at": AS_OF_US - age_us}
    payment["recorded_at"] = payment["occurred_at"]
    values = matrix({"accounts": [{"account_id": "a"}], "debts": [], "payments": [payment]})[1]
    assert values[0, SCHEMA.index["payments_count_30d"]] == seen


def test_a_correction_counts_from_its_own_recording_on():
    paid_at = ORIGIN_US + 10 * US_PER_DAY
    first = {"payment_id": "p", "account_id": "a", "amount": 100, "occurred_at": paid_at, "recorded_at": paid_at}
    rows = {
        "accounts": [{"account_id": "a"}],
        "debts": [],
        "payments": [first, first | {"amount": 900, "recorded_at": paid_at + 5 * US_PER_DAY}],
    }
    column = SCHEMA.index["payments_cents_sum_90d"]
    sums = [matrix(rows, as_of_us=paid_at + day * US_PER_DAY)[1][0, column] for day in (3, 5, 6)]
    assert sums == [100.0, 100.0, 900.0]


def test_an_absent_table_is_missing_and_an_empty_one_is_zero():
    rows = {"accounts": [{"account_id": "a"}], "debts": [], "payments": []}
    column = SCHEMA.index["contacts_sms_count_30d"]
    assert np.isnan(matrix(rows)[1][0, column])
    assert matrix(rows | {"contacts": []})[1][0, column] == 0.0


def test_an_unknown_channel_counts_as_other_and_is_told():
    contact = {"contact_id": "c", "account_id": "a", "channel": "carrier_pigeon", "occurred_at": AS_OF_US - 1}
    rows = {
        "accounts": [{"account_id": "a"}],
        "debts": [],
        "payments": [],
        "contacts": [contact | {"recorded_at": AS_OF_US - 1}],
    }
    encoded, values = matrix(rows)
    assert encoded.unknown_codes == {"contacts.channel": 1}
    assert values[0, SCHEMA.index["contacts_count_30d"]] == 1.0


def test_rows_of_one_account_at_several_moments_do_not_disturb_each_other():
    encoded = encode(tables_of(random_rows(5)), attributes={})
    moments_us = np.array([AS_OF_US, ORIGIN_US + US_PER_DAY, AS_OF_US - 40 * US_PER_DAY], dtype=np.int64)
    together = compute_many(encoded, Spine(np.zeros(3, dtype=np.int32), moments_us), SCHEMA)
    for row, moment in enumerate(moments_us):
        alone = compute_many(encoded, Spine(np.zeros(1, dtype=np.int32), np.array([moment])), SCHEMA)
        assert same(together[row], alone[0])

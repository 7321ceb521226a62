from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as hs
from strategies import AS_OF_US, ORIGIN_US, examples, random_rows, tables_of

from domain.balance import standing_of
from domain.balance_history import MONTHS, standing_with_history
from domain.clock import FOREVER, MISSING, US_PER_DAY
from features.batch import compute_all, ledgers_of
from features.encoding import encode
from features.schema import fit_schema
from features.spine import every_account
from features.standing import STANDING

seeds = hs.integers(0, 2**32 - 1)
moments = hs.sampled_from([AS_OF_US, AS_OF_US + 1, ORIGIN_US + 400 * US_PER_DAY])


def known_for_good(columns, as_of_us):
    """What was visible at a moment, as if it had been known always: the past as it looks from there."""
    visible = (columns.known_from < as_of_us) & (as_of_us <= columns.known_until)
    return columns._replace(
        known_from=np.where(visible, MISSING, FOREVER - 1), known_until=np.full(len(visible), FOREVER)
    )  # fmt: skip


def after_their_debts(debts, entries):
    """Without what is booked on a debt before it is issued: then nobody could know where it belongs."""
    issued = np.full(len(debts.first) + 1, MISSING)
    np.maximum.at(issued, debts.first, debts.occurred_us)
    return entries._replace(
        known_from=np.where(entries.occurred_us > issued[entries.debt], entries.known_from, FOREVER)
    )


@settings(max_examples=examples(60), deadline=None)
@given(seed=seeds, as_of_us=moments)
def test_each_month_of_the_history_is_the_balance_of_that_day_as_known_at_as_of(seed, as_of_us):
    encoded = encode(tables_of(random_rows(seed)), attributes={})
    ledgers = ledgers_of(encoded)
    ledgers = ledgers._replace(entries=after_their_debts(encoded.debts, encoded.entries))
    debts, entries = known_for_good(ledgers.debts, as_of_us), known_for_good(ledgers.entries, as_of_us)
    # A debt that is issued only after as_of is none of its past.
    debts = debts._replace(known_from=np.where(encoded.debts.occurred_us < as_of_us, debts.known_from, FOREVER - 1))
    day = as_of_us // US_PER_DAY
    for account in range(len(encoded.account_ids)):
        edges = (*encoded.debt_bounds[account : account + 2], *encoded.entry_bounds[account : account + 2])
        bounds = tuple(int(edge) for edge in edges)
        room, found = np.zeros(len(encoded.debts.account), dtype=np.int64), np.zeros(MONTHS + 1, dtype=np.int64)
        now = standing_with_history(ledgers.debts, ledgers.entries, bounds, (as_of_us, day), room, found)
        assert now == standing_of(ledgers.debts, ledgers.entries, bounds, as_of_us, day, room)
        for month in range(MONTHS):
            ago = 30 * (month + 1)
            then = standing_of(debts, entries, bounds, as_of_us - ago * US_PER_DAY, day - ago, room)
            assert found[month] == then.days_past_due


def standing(name: str, **rows) -> float:
    tables = {"accounts": [{"account_id": "a", "debtor_id": "p"}], "debts": [], "payments": [], **rows}
    encoded = encode(tables_of(tables), attributes={})
    values = compute_all(encoded, every_account(len(encoded.account_ids), as_of_us=AS_OF_US), SCHEMA)
    return float(values[0, [feature.name for feature in SCHEMA.computed].index(name)])


SCHEMA = fit_schema(encode(tables_of(random_rows(0, accounts=6, events=120)), attributes={}), attributes={})
TODAY = AS_OF_US // US_PER_DAY


def debt(number: int, *, due: int, account: str = "a", **other):
    issued = (TODAY - due - 30) * US_PER_DAY
    row = {"debt_id": f"d{number}", "account_id": account, "amount": 10_000, "due_on": TODAY - due}
    return row | {"occurred_at": issued, "recorded_at": issued} | other


def payment(number: int, *, ago: int, account: str = "a"):
    at = AS_OF_US - ago * US_PER_DAY
    row = {"payment_id": f"p{number}", "account_id": account, "amount": 10_000, "debt_id": f"d{number}"}
    return row | {"occurred_at": at, "recorded_at": at}


def test_a_debt_unpaid_for_a_hundred_days_was_over_ninety_once_and_over_thirty_three_times():
    # 100 days past due today: 70, 40 and 10 at the monthly looks before.
    rows = {"debts": [debt(1, due=100)]}
    assert standing("days_past_due_max_12m", **rows) == 100
    assert [standing(f"times_over_{days}_12m", **rows) for days in (30, 60, 90)] == [2, 1, 0]
    assert standing("months_overdue_12m", **rows) == 3


def test_a_delay_that_grew_rolls_up_and_one_that_was_paid_rolls_down():
    assert standing("bucket_roll_30d", debts=[debt(1, due=45)]) == 1
    paid = {"debts": [debt(1, due=100)], "payments": [payment(1, ago=2)]}
    assert standing("bucket_roll_30d", **paid) == -3


def test_a_cure_and_falling_behind_again_are_each_counted_once():
    rows = {"debts": [debt(1, due=200), debt(2, due=50)], "payments": [payment(1, ago=100)]}
    assert (standing("cures_12m", **rows), standing("reentries_12m", **rows)) == (1, 2)


def test_the_first_debt_is_a_default_where_it_was_open_thirty_days_after_its_due_day():
    assert standing("first_payment_default", debts=[debt(1, due=31)]) == 1
    assert standing("first_payment_default", debts=[debt(1, due=40)], payments=[payment(1, ago=20)]) == 0
    assert standing("first_payment_default", debts=[debt(1, due=40)], payments=[payment(1, ago=5)]) == 1
    assert np.isnan(standing("first_payment_default", debts=[debt(1, due=29)]))


def test_what_is_owed_elsewhere_is_that_of_the_same_debtor_alone():
    accounts = [{"account_id": name, "debtor_id": owner} for name, owner in (("a", "p"), ("b", "p"), ("c", "q"))]
    rows = {"accounts": accounts, "debts": [debt(1, due=5), debt(2, due=7, account="b"), debt(3, due=9, account="c")]}
    assert standing("siblings", **rows) == 1
    assert standing("siblings_balance_cents", **rows) == 10_000
    assert standing("siblings_days_past_due_max", **rows) == 7


def test_an_account_of_the_debtor_that_nobody_knew_of_at_as_of_is_not_there():
    accounts = [{"account_id": name, "debtor_id": "p"} for name in ("a", "b")]
    hidden = debt(2, due=7, account="b", recorded_at=AS_OF_US)
    assert standing("siblings", accounts=accounts, debts=[debt(1, due=5), hidden]) == 0


def test_a_running_agreement_and_its_amount_are_seen_until_it_is_resolved():
    made = AS_OF_US - 5 * US_PER_DAY
    row = {"promise_id": "x", "account_id": "a", "kind": "agreement", "amount": 3_000, "instalments": 3}
    promise = row | {"due_on": TODAY + 2, "occurred_at": made, "recorded_at": made}
    rows = {"debts": [debt(1, due=5)], "promises": [promise]}
    assert standing("active_agreement", **rows) == 1
    assert standing("promised_cents", **rows) == 3_000
    assert standing("promise_days_left", **rows) == 2 + 62
    broken = promise | {"outcome": "broken", "resolved_at": AS_OF_US - 1}
    assert standing("active_agreement", debts=[debt(1, due=5)], promises=[broken]) == 0


def test_every_column_of_the_standing_is_a_feature():
    columns = {feature.rule.column for feature in SCHEMA.computed if type(feature.rule).__name__ == "Standing"}
    assert columns == set(STANDING)

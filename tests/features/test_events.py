from __future__ import annotations

import numpy as np
from events_twin import all_events
from hypothesis import given, settings
from hypothesis import strategies as hs
from ledger_twin import ledger_arrays as slow_ledger
from strategies import examples, random_rows, tables_of

from domain.clock import from_day
from domain.sheets import ACCOUNT, DAY, UNTIL
from domain.tables import TABLES
from features.encoding import encode
from features.events import day_of_month
from features.vocabulary import CODES

seeds = hs.integers(0, 2**32 - 1)


@settings(max_examples=examples(100), deadline=None)
@given(seed=seeds)
def test_the_events_of_random_ledgers_are_those_that_plain_loops_make(seed):
    rows = random_rows(seed)
    encoded = encode(tables_of(rows), attributes={})
    events = encoded.events
    account = np.repeat(np.arange(len(encoded.account_ids)), np.diff(events.offsets))
    found = [
        (encoded.account_ids[account[place]], int(events.occurred_us[place]), int(events.known_from[place]),
         CODES[events.code[place]], int(events.value[place]), int(events.known_until[place]))
        for place in range(len(events.code))
    ]  # fmt: skip
    assert sorted(found) == sorted(tuple(event) for event in all_events(rows))


@settings(max_examples=examples(100), deadline=None)
@given(seed=seeds)
def test_events_stand_by_account_and_time(seed):
    events = encode(tables_of(random_rows(seed)), attributes={}).events
    for low, high in zip(events.offsets[:-1], events.offsets[1:], strict=True):
        assert np.all(np.diff(events.occurred_us[low:high]) >= 0)


@settings(max_examples=examples(100), deadline=None)
@given(seed=seeds)
def test_debts_and_entries_are_those_that_numpy_makes(seed):
    encoded = encode(tables_of(random_rows(seed)), attributes={})
    present = [table for table in TABLES if table != "accounts" and encoded.tables.has(table)]
    debts, entries, debt_bounds, entry_bounds, source = slow_ledger(
        encoded.tables,
        account_index={table: encoded.sheet(table)[ACCOUNT].astype(np.int32) for table in present},
        local_day={table: encoded.sheet(table)[DAY] for table in present},
        known_until={table: encoded.sheet(table)[UNTIL] for table in present},
        n_accounts=len(encoded.account_ids),
    )
    for fast, slow in ((encoded.debts, debts), (encoded.entries, entries)):
        for name in slow._fields:
            assert np.array_equal(getattr(fast, name), getattr(slow, name)), name
    assert np.array_equal(encoded.debt_source, source)
    assert np.array_equal(encoded.debt_bounds, debt_bounds)
    assert np.array_equal(encoded.entry_bounds, entry_bounds)


@given(day=hs.integers(-20_000, 50_000))
def test_the_day_of_the_month_is_the_calendars(day):
    assert day_of_month(day) == from_day(day).day

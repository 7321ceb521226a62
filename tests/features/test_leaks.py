"""Nothing that happened or was recorded at or after ``as_of`` is ever used: true of the engine, tried on leaky ones.

Each property is a function of an engine, rows of tables and a moment to a matrix, so that engines with a known leak
can be put under the same properties: a property that catches no leak proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs
from strategies import AS_OF_US, ORIGIN_US, as_known_before, examples, random_rows, tables_of, with_versions

from domain.clock import FOREVER, MISSING, US_PER_DAY
from domain.tables import TABLES
from features.batch import compute_many
from features.encoding import encode
from features.schema import fit_schema
from features.spine import every_account

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
Engine = Callable[[Rows, int], np.ndarray]
Property = Callable[[Engine, int, int], bool]
SCHEMA = fit_schema(encode(tables_of(random_rows(0, accounts=6, events=120)), attributes={}), attributes={})
MOMENTS = [AS_OF_US, AS_OF_US + 1, AS_OF_US - US_PER_DAY, ORIGIN_US + 400 * US_PER_DAY, ORIGIN_US]
seeds, moments = hs.integers(0, 2**32 - 1), hs.sampled_from(MOMENTS)


def engine(rows: Rows, as_of_us: int) -> np.ndarray:
    encoded = encode(tables_of(rows), attributes={})
    return compute_many(encoded, every_account(len(encoded.account_ids), as_of_us=as_of_us), SCHEMA)


def same(left: np.ndarray, right: np.ndarray) -> bool:
    return left.shape == right.shape and np.array_equal(left, right, equal_nan=True)


# --- what must hold -------------------------------------------------------------------------------------------------


def as_it_stood(compute: Engine, seed: int, as_of_us: int) -> bool:
    """The matrix computed today is the one computed from the tables as they stood then."""
    rows = with_versions(random_rows(seed), seed)
    return same(compute(rows, as_of_us), compute(as_known_before(rows, as_of_us), as_of_us))


def unpoisoned(compute: Engine, seed: int, as_of_us: int) -> bool:
    """What happens at or after ``as_of`` changes nothing."""
    rows = random_rows(seed)
    past = {
        table: list(found) if table == "accounts" else [row for row in found if row["occurred_at"] < as_of_us]
        for table, found in rows.items()
    }
    poisoned = {table: list(found) for table, found in past.items()}
    for table, found in random_rows(seed + 1).items():
        for row in found if table != "accounts" else ():
            at = max(row["occurred_at"] + as_of_us - ORIGIN_US, as_of_us)
            name = TABLES[table].id_column
            poisoned[table].append(row | {name: f"new-{row[name]}", "occurred_at": at, "recorded_at": at})
    return same(compute(past, as_of_us), compute(poisoned, as_of_us))


def unseen_until_recorded(compute: Engine, seed: int, as_of_us: int) -> bool:
    """What happened before and is recorded at ``as_of`` changes nothing."""
    rows = random_rows(seed)
    more = {table: list(found) for table, found in rows.items()}
    for table, found in random_rows(seed + 1).items():
        for row in found if table != "accounts" else ():
            name = TABLES[table].id_column
            more[table].append(row | {name: f"late-{row[name]}", "recorded_at": as_of_us})
    return same(compute(rows, as_of_us), compute(more, as_of_us))


def uncorrected_until_recorded(compute: Engine, seed: int, as_of_us: int) -> bool:
    """A correction that is recorded at ``as_of`` changes nothing."""
    rows, rng = random_rows(seed), np.random.default_rng(seed)
    more = {table: list(found) for table, found in rows.items()}
    for table, found in rows.items():
        for row in found if table != "accounts" else ():
            if rng.random() < 0.3 and row["recorded_at"] < as_of_us:
                change = {"amount": 99_999} if row.get("amount") is not None else {}
                more[table].append({**row, **change, "occurred_at": row["occurred_at"] - 7, "recorded_at": as_of_us})
    return same(compute(rows, as_of_us), compute(more, as_of_us))


def indifferent_to_order(compute: Engine, seed: int, as_of_us: int) -> bool:
    """Rows and part files in any order give the same matrix."""
    rows, rng = random_rows(seed), np.random.default_rng(seed)
    shuffled = {table: [found[place] for place in rng.permutation(len(found))] for table, found in rows.items()}
    return same(compute(rows, as_of_us), compute(shuffled, as_of_us))


PROPERTIES: dict[str, Property] = {
    "as it stood": as_it_stood,
    "unpoisoned": unpoisoned,
    "unseen until recorded": unseen_until_recorded,
    "uncorrected until recorded": uncorrected_until_recorded,
    "indifferent to order": indifferent_to_order,
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_engine_never_looks_ahead(name):
    @settings(max_examples=examples(1_000), deadline=None)
    @given(seed=seeds, as_of_us=moments)
    def holds(seed, as_of_us):
        assert PROPERTIES[name](engine, seed, as_of_us)

    holds()


# --- what must be caught --------------------------------------------------------------------------------------------


def _each(
    rows: Rows, change: Callable[[str, dict[str, Any]], dict[str, Any] | None]
) -> dict[str, list[dict[str, Any]]]:
    changed = {table: [change(table, dict(row)) for row in found] for table, found in rows.items()}
    return {table: [row for row in found if row is not None] for table, found in changed.items()}


def at_or_before(rows: Rows, as_of_us: int) -> np.ndarray:
    """``<=`` for ``<``: an event stamped exactly at ``as_of`` counts."""
    return engine(rows, as_of_us + 1)


def end_of_day(rows: Rows, as_of_us: int) -> np.ndarray:
    """The moment rounded up to the end of its day."""
    return engine(rows, -(-as_of_us // US_PER_DAY) * US_PER_DAY)


def outcome_known_early(rows: Rows, as_of_us: int) -> np.ndarray:
    """A promise's outcome as a column of the promise, known from the day it was made."""

    def change(table: str, row: dict[str, Any]) -> dict[str, Any]:
        known = table == "promises" and row.get("outcome")
        return row | {"resolved_at": row["occurred_at"]} if known else row

    return engine(_each(rows, change), as_of_us)


def release_known_early(rows: Rows, as_of_us: int) -> np.ndarray:
    """Holds that will be released left out, as if they were over."""
    released = (None, MISSING)
    return engine(
        _each(rows, lambda t, row: None if t == "holds" and row.get("released_at") not in released else row), as_of_us
    )  # fmt: skip


def filled_with_the_mean(rows: Rows, as_of_us: int) -> np.ndarray:
    """Missing values filled with the mean over all payments there will ever be."""
    amounts = [row["amount"] for row in rows["payments"]]
    return np.nan_to_num(engine(rows, as_of_us), nan=float(np.mean(amounts)) if amounts else 0.0)


def lead(rows: Rows, as_of_us: int) -> np.ndarray:
    """Days to the next payment instead of days since the last one."""
    values = engine(rows, as_of_us)
    for place, name in enumerate(sorted({row["account_id"] for row in rows["accounts"]})):
        ahead = [row["occurred_at"] - as_of_us for row in rows["payments"]
                 if row["account_id"] == name and row["occurred_at"] >= as_of_us]  # fmt: skip
        values[place, SCHEMA.index["payments_recency"]] = min(ahead, default=np.nan)
    return values


def recording_ignored(rows: Rows, as_of_us: int) -> np.ndarray:
    """``occurred_at`` alone decides what is known."""
    return engine(_each(rows, lambda t, r: r if t == "accounts" else r | {"recorded_at": r["occurred_at"]}), as_of_us)


def anchored_at_the_last_event(rows: Rows, as_of_us: int) -> np.ndarray:
    """Windows that end with the last event of the data."""
    times = [row["occurred_at"] for table, found in rows.items() if table != "accounts" for row in found]
    return engine(rows, max([as_of_us, *times]))


def cut_at_parts(rows: Rows, as_of_us: int) -> np.ndarray:
    """The last row of every part of five dropped."""

    def whole(table: str, found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [row for place, row in enumerate(found) if table == "accounts" or place % 5 != 4]

    return engine({table: whole(table, found) for table, found in rows.items()}, as_of_us)


def twice_at_parts(rows: Rows, as_of_us: int) -> np.ndarray:
    """The first row of every part of five read twice, under an id of its own."""
    doubled = {table: list(found) for table, found in rows.items()}
    for table, found in rows.items():
        name = TABLES[table].id_column
        doubled[table] += [row | {name: f"again-{row[name]}"} for row in found[::5] if table != "accounts"]
    return engine(doubled, as_of_us)


def latest_version_always(rows: Rows, as_of_us: int) -> np.ndarray:
    """The newest version of an account, whatever the moment."""
    newest = {row["account_id"]: row for row in sorted(rows["accounts"], key=lambda row: row["recorded_at"])}
    accounts = [dict(row) | {"recorded_at": MISSING} for row in newest.values()]
    return engine({**rows, "accounts": accounts}, as_of_us)


def corrected_early(rows: Rows, as_of_us: int) -> np.ndarray:
    """The last version of every row, known as early as the first."""

    def final(table: str, found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        name, versions = TABLES[table].id_column, {}
        for row in sorted(found, key=lambda row: row["recorded_at"]):
            versions.setdefault(row[name], []).append(row)
        return [dict(several[-1]) | {"recorded_at": several[0]["recorded_at"]} for several in versions.values()]

    kept = {table: list(found) if table == "accounts" else final(table, found) for table, found in rows.items()}
    return engine(kept, as_of_us)


def siblings_known_early(rows: Rows, as_of_us: int) -> np.ndarray:
    """Debts known from the beginning, so that accounts of a debtor are there before anybody knew."""
    early = {"occurred_at": ORIGIN_US - US_PER_DAY, "recorded_at": ORIGIN_US - US_PER_DAY}
    debts = [dict(row) | early for row in {row["debt_id"]: row for row in rows["debts"]}.values()]
    values = engine({**rows, "debts": debts}, as_of_us)
    own = engine(rows, as_of_us)
    elsewhere = np.array([feature.family == "siblings" for feature in SCHEMA.features])
    return np.where(elsewhere, values, own)


MUTANTS: tuple[Engine, ...] = (
    at_or_before, end_of_day, outcome_known_early, release_known_early, filled_with_the_mean, lead, recording_ignored,
    anchored_at_the_last_event, cut_at_parts, twice_at_parts, latest_version_always, corrected_early,
    siblings_known_early,
)  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_known_leak_is_caught_by_some_property(mutant):
    caught = {
        name
        for name, holds in PROPERTIES.items()
        if not all(holds(mutant, seed, as_of_us) for seed in range(8) for as_of_us in MOMENTS)
    }
    assert caught


def test_every_property_catches_a_leak_that_is_its_own_business():
    tried = {
        name: [
            mutant
            for mutant in MUTANTS
            if not all(holds(mutant, seed, as_of_us) for seed in range(4) for as_of_us in MOMENTS[:3])
        ]
        for name, holds in PROPERTIES.items()
    }
    assert all(tried.values()), [name for name, caught in tried.items() if not caught]


def test_a_version_recorded_for_ever_later_is_never_seen():
    rows = random_rows(1)
    late = [dict(row) | {"recorded_at": FOREVER - 1, "product": "boat"} for row in rows["accounts"]]
    assert same(engine(rows, AS_OF_US), engine({**rows, "accounts": [*rows["accounts"], *late]}, AS_OF_US))

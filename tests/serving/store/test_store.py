"""What holds of the store as a whole, whoever writes at the same time and in whatever order it comes."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from domain.errors import ConflictError
from serving.store import Appended, Outcome, Record, Store, StoredRow, stored_row
from serving.store.opening import open_database, reading
from serving.store.schema import LEDGER_ROWS

TENANT = "default"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    found = Store(open_database(url))
    yield found
    found.close()


def payment(number: int, **keys: Any) -> StoredRow:
    row = {"payment_id": f"p{number}", "account_id": "a1", "amount": number, "occurred_at": number, **keys}
    return stored_row("payments", row)


def together(store: Store, *writes: Any) -> list[Future[Any]]:
    """Submits writes so that they share a transaction."""
    begun, allowed = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        begun.set()
        assert allowed.wait(10)

    event.listen(store.engine, "commit", hold, once=True)
    first = store.append({"contacts": []}, tenant=TENANT)
    assert begun.wait(10)
    waiting = [write() for write in writes]
    allowed.set()
    first.result(10)
    return waiting


def contents(store: Store) -> list[str]:
    with reading(store.engine) as connection:
        return sorted(row.content for row in connection.execute(LEDGER_ROWS.select()))


def test_writes_that_share_a_transaction_are_each_told_their_own(store: Store) -> None:
    rows = [[payment(1), payment(2)], [payment(2), payment(3)], [payment(1, recorded_at=9)], []]
    told = together(store, *(lambda some=some: store.append({"payments": some}, tenant=TENANT) for some in rows))
    assert [done.result(10)["payments"] for done in told] == [
        Appended(new=2), Appended(new=1, same=1), Appended(corrected=1), Appended(),
    ]  # fmt: skip


def test_a_conflict_among_writes_that_share_a_transaction_is_told_to_one_alone(store: Store) -> None:
    rows = [[payment(1)], [payment(2), payment(1, amount=7)], [payment(3)]]
    told = together(store, *(lambda some=some: store.append({"payments": some}, tenant=TENANT) for some in rows))
    assert [told[place].result(10)["payments"].new for place in (0, 2)] == [1, 1]
    with pytest.raises(ConflictError) as refused:
        told[1].result(10)
    assert refused.value.place == 1
    assert contents(store) == sorted(row.content for row in (payment(1), payment(3)))


def test_creditors_that_share_a_transaction_stay_apart(store: Store) -> None:
    told = together(
        store, *(lambda tenant=tenant: store.append({"payments": [payment(1)]}, tenant=tenant) for tenant in "xyx")
    )
    assert [done.result(10)["payments"] for done in told] == [Appended(new=1), Appended(new=1), Appended(same=1)]
    record = Record.of("i", "a", "d", 1, content={})
    told = together(store, *(lambda tenant=tenant: store.record([record], tenant=tenant) for tenant in "xyx"))
    assert [done.result(10) for done in told] == [1, 1, 0]


def test_an_outcome_counts_once_and_may_not_say_two_things(store: Store) -> None:
    store.record([Record.of("i", "a", "d", 1, content={})], tenant=TENANT).result(10)
    told = [store.outcome(Outcome("i", "sent", 5, {}), tenant=TENANT).result(10) for _ in range(2)]
    assert told == [Appended(new=1), Appended(same=1)]
    with pytest.raises(ConflictError):
        store.outcome(Outcome("i", "sent", 5, {"reason": "x"}), tenant=TENANT).result(10)


VERSIONS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12
)  # of a payment, and when it was recorded


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=VERSIONS, order=st.randoms(use_true_random=False))
def test_rows_in_any_order_and_any_company_end_as_the_same_ledger(
    store: Store, versions: list[tuple[int, int]], order: random.Random
) -> None:
    store.erase("a1", tenant=TENANT)
    rows = [payment(number, amount=10 * number + when, recorded_at=100 + when) for number, when in versions]
    shuffled = [*rows, *rows]
    order.shuffle(shuffled)
    cut = order.randint(0, len(shuffled))
    told = [store.append({"payments": part}, tenant=TENANT) for part in (shuffled[:cut], shuffled[cut:])]
    counts = [done.result(10)["payments"] for done in told]
    assert contents(store) == sorted({row.content for row in rows})
    assert sum(count.new for count in counts) == len({number for number, _ in versions})
    assert sum(count.same for count in counts) == 2 * len(rows) - len(set(versions))


def test_many_stores_on_one_database_keep_one_chain(url: str) -> None:
    stores = [Store(open_database(url)) for _ in range(3)]
    written = [
        stores[number % 3].record([Record.of(f"i{number}", "a", "d", 1, content={"n": number})], tenant=TENANT)
        for number in range(120)
    ]
    assert sum(done.result(30) for done in written) == 120
    head, breaks = stores[0].verify(tenant=TENANT)
    assert (head.sequence, breaks) == (120, [])
    for store in stores:
        store.close()


def test_many_threads_that_send_the_same_rows_store_them_once(store: Store) -> None:
    told = [store.append({"payments": [payment(n) for n in range(20)]}, tenant=TENANT) for _ in range(30)]
    counts = [done.result(30)["payments"] for done in told]
    assert sum(count.new for count in counts) == 20
    assert sum(count.same for count in counts) == 20 * 29

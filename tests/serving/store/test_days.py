from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moving_clock import START, MovingClock
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError

from domain.errors import StoreError
from serving.store import DayChange, Record, Store
from serving.store.days import KEPT_DAYS
from serving.store.opening import reading
from serving.store.schema import DAY_BOOKS

TODAY = (START - datetime(1970, 1, 1, tzinfo=UTC)).days


@pytest.fixture
def store(clocked: Store) -> Store:
    """On a database of each kind."""
    return clocked


def count_up(content: str | None) -> str:
    return str(int(content or 0) + 1)


def refuse(_: str | None) -> str:
    raise ValueError("refused")


def write(store: Store, name: str, *days: int, tenant: str = "t", after: Callable[[str | None], str] = count_up) -> Any:
    changes = [DayChange(day, after) for day in days]
    records = [Record.of(name, name, name, 1, content={"x": name})]
    return store.submit(store.records_write(records, tenant=tenant, days=changes))


def days_of(store: Store) -> set[int]:
    with reading(store.engine) as connection:
        return set(connection.execute(select(DAY_BOOKS.c.local_day)).scalars())


def test_a_day_is_there_once_the_decisions_that_used_it_are(store: Store) -> None:
    assert store.day(TODAY, tenant="t") is None
    write(store, "a", TODAY).result()
    write(store, "b", TODAY, TODAY + 1).result()
    assert (store.day(TODAY, tenant="t"), store.day(TODAY + 1, tenant="t")) == ("2", "1")


def test_a_change_that_is_refused_keeps_its_decisions_out_and_nobody_elses(store: Store) -> None:
    waiting = [write(store, "a", TODAY), write(store, "b", TODAY, after=refuse), write(store, "c", TODAY)]
    with pytest.raises(ValueError, match="refused"):
        waiting[1].result()
    assert [waiting[0].result(), waiting[2].result()] == [1, 1]
    assert store.day(TODAY, tenant="t") == "2"
    assert store.decisions(["a", "b", "c"], tenant="t").keys() == {"a", "c"}


def test_a_transaction_that_fails_changes_no_day(engine: Engine, store: Store) -> None:
    broken = [True]

    @event.listens_for(engine, "commit")
    def fail(_: Any) -> None:
        if broken[0]:
            raise OperationalError("COMMIT", {}, OSError("disk I/O error"))

    done = write(store, "a", TODAY)
    with pytest.raises(StoreError):
        done.result()
    broken[0] = False
    assert store.day(TODAY, tenant="t") is None


def test_a_day_of_another_tenant_is_another_day(store: Store) -> None:
    for tenant in ("t", "u", "u"):
        write(store, "a", TODAY, tenant=tenant).result()
    assert [store.day(TODAY, tenant=tenant) for tenant in ("t", "u", "v")] == ["1", "2", None]


def test_changes_of_several_processes_all_count(url: str) -> None:
    stores = [Store.open(url) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: write(stores[number % 3], str(number), TODAY).result(), range(60)))
    assert stores[0].day(TODAY, tenant="t") == "60"
    for store in stores:
        store.close()


def test_days_that_are_over_are_deleted_when_another_begins(store: Store, clock: MovingClock) -> None:
    write(store, "a", TODAY - 400, TODAY, TODAY + 30).result()
    clock.now += timedelta(days=KEPT_DAYS)
    write(store, "b", TODAY + KEPT_DAYS).result()
    assert days_of(store) == {TODAY - 400, TODAY, TODAY + 30, TODAY + KEPT_DAYS}
    clock.now += timedelta(days=1)
    write(store, "c", TODAY + KEPT_DAYS + 1).result()
    assert days_of(store) == {TODAY + 30, TODAY + KEPT_DAYS, TODAY + KEPT_DAYS + 1}


def test_a_write_tells_that_it_ended_however_it_does(store: Store) -> None:
    told: list[bool] = []
    for number, after in enumerate([count_up, refuse]):
        records = [Record.of(str(number), "a", "a", 1, content={})]
        change = store.records_write(records, tenant="t", days=[DayChange(TODAY, after)])
        done = store.submit(type(change)(change.work, change.item, ended=lambda found: told.append(found.cancelled())))
        done.exception()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.submit(type(change)(change.work, change.item, ended=lambda found: told.append(found.cancelled())))
    assert told == [False, False, True]

"""What a day has used is in the store: over restarts, between processes, and with the decisions or not at all."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scratch_prices import LIMITS, limited_and_priced
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from domain.clock import US_PER_DAY, parse_moment, to_us
from domain.errors import UsedElsewhereError
from serving import handling
from serving.app import create_app
from serving.brain import Brain
from serving.engine import load_engine
from serving.settings import Limits, Settings
from serving.store import Store
from serving.store.opening import open_database, reading
from serving.store.schema import DAY_BOOKS, DECISION_LOG

AS_OF = "2026-03-02T12:00:00Z"
DAY = to_us(parse_moment(AS_OF)) // US_PER_DAY
SMS = 12
Make = Callable[[], Brain]
Decisions = list[dict[str, Any]]


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return limited_and_priced(tmp_path_factory.mktemp("priced"), LIMITS)


@pytest.fixture(scope="module")
def make(bundle: Path, priced: tuple[Path, Path]) -> Make:
    """An engine whose books have seen nothing, as that of a process that starts."""
    return lambda: load_engine(Settings(bundle=bundle, configs=priced[0], prices=priced[1]))


@pytest.fixture
def start(serve: Any, schemas: Any, make: Make) -> Iterator[Callable[[Store | str], Any]]:
    """Starts a service on a store, or on none; all of them end with the test."""
    with ExitStack() as running:

        def one(store: Store | str | None) -> Any:
            opened = Store.open(store) if isinstance(store, str) else store
            app = create_app(
                schemas, load=make, open_store=None if opened is None else lambda: opened,
                limits=Limits(threads=4, queue=64),
            )  # fmt: skip
            return running.enter_context(serve(app)).wait_until_ready()

        yield one


@pytest.fixture
def body(ledger: Any, ask: Any) -> Callable[..., dict[str, Any]]:
    """A request about some accounts, by number."""

    def of(numbers: range, **keys: Any) -> dict[str, Any]:
        debts = [{"debt_id": "d1", "amount": 1500.00, "due_on": "2025-11-20"}]
        return ask(*(ledger(f"a{number}", debts=debts) for number in numbers), locale="en", **keys)

    return of


def decide(client: Any, asked: dict[str, Any], **options: Any) -> Decisions:
    answer = client.post("/v1/decisions", json=asked, **options)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["decisions"])


def messages(found: Decisions) -> int:
    return sum(one["channel"] == "sms" for one in found)


def used(store: Store | str, *, name: str = "sms.contacts", tenant: str = "default") -> float:
    """What the store says was used of a resource."""
    opened = Store.open(store) if isinstance(store, str) else store
    content = opened.day(DAY, tenant=tenant)
    if opened is not store:
        opened.close()
    return 0.0 if content is None else sum(json.loads(content)["used"][name].values())


def logged(url: str) -> list[str]:
    """Ids of all decisions that are in the log."""
    engine = open_database(url)
    with reading(engine) as connection:
        found = list(connection.execute(select(DECISION_LOG.c.decision_id)).scalars())
    engine.dispose()
    return found


def test_a_service_that_was_started_again_goes_on_with_the_day(url: str, start: Any, body: Any) -> None:
    before = decide(start(url), body(range(16)))
    after = decide(start(url), body(range(16, 80)))
    assert 0 < messages(before) < SMS
    assert messages(before) + messages(after) == SMS == used(url)
    assert not messages(decide(start(url), body(range(80, 100))))


@given(cuts=st.lists(st.integers(1, 9), min_size=1, max_size=7), restarts=st.sets(st.integers(0, 7)))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_restarts_and_the_store_change_no_byte_of_what_one_process_answers(
    cuts: list[int], restarts: set[int], make: Make, schemas: Any, body: Any, tmp_path_factory: Any
) -> None:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('days') / 'acerto.db'}")
    memory, kept, at = make(), make(), 0
    for number, size in enumerate(cuts):
        asked = json.dumps(body(range(at, at + size), explain="full")).encode()
        at += size
        kept = make() if number in restarts else kept
        expected = handling.decisions(asked, memory, schemas)
        found = handling.decisions(asked, kept, schemas, store=store)
        assert isinstance(found, handling.Pending) and isinstance(expected, handling.Reply)
        assert found.reply(store.submit(found.write)).content == expected.content
    store.close()


def test_two_services_on_one_database_never_exceed_a_limit_together(url: str, start: Any, body: Any) -> None:
    services = [start(url), start(url)]

    def ask(number: int) -> Any:
        return services[number % 2].post("/v1/decisions", json=body(range(number * 3, number * 3 + 3)))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(40)))
    found = [one for answer in answers if answer.status_code == 200 for one in answer.json()["decisions"]]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert messages(found) == SMS == used(url)
    assert sum(one["channel"] == "voice_bot" for one in found) == used(url, name="voice_bot.contacts") <= 9
    assert sorted(one["decision_id"] for one in found) == sorted(logged(url))


@given(order=st.lists(st.tuples(st.integers(0, 1), st.booleans()), min_size=6, max_size=12))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_any_order_of_choices_and_writes_of_two_processes_no_limit_is_exceeded(
    order: list[tuple[int, bool]], make: Make, schemas: Any, body: Any, tmp_path_factory: Any
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('days') / 'acerto.db'}"
    stores, brains = [Store.open(url), Store.open(url)], [make(), make()]
    waiting: list[list[handling.Pending]] = [[], []]
    taken = 0

    def write(who: int) -> int:
        pending = waiting[who].pop()
        try:
            return messages(pending.reply(stores[who].submit(pending.write)).answers)
        except UsedElsewhereError:
            return 0

    for number, (who, writes) in enumerate(order):
        if writes and waiting[who]:
            taken += write(who)
        else:
            asked = json.dumps(body(range(number * 9, number * 9 + 9))).encode()
            waiting[who].append(handling.decisions(asked, brains[who], schemas, store=stores[who]))  # type: ignore[arg-type]
    taken += sum(write(who) for who in (0, 1) for _ in list(waiting[who]))
    assert taken == used(stores[0]) <= SMS
    for store in stores:
        store.close()


@pytest.fixture
def pending(make: Make, schemas: Any, body: Any, store: Store) -> Callable[..., handling.Pending]:
    """A request that was decided on and is not written yet, on one engine."""
    brain = make()

    def one(numbers: range, *, tenant: str = "default") -> handling.Pending:
        asked = json.dumps(body(numbers)).encode()
        found = handling.decisions(asked, brain, schemas, store=store, tenant=tenant)
        assert isinstance(found, handling.Pending)
        return found

    return one


def written(found: handling.Pending, store: Store) -> int:
    return messages(found.reply(store.submit(found.write)).answers)


def test_what_is_under_way_is_out_of_reach_of_the_next_request(pending: Any, store: Store) -> None:
    first, second = pending(range(60)), pending(range(60, 120))
    assert (written(second, store), written(first, store)) == (0, SMS)


def test_a_request_that_is_dropped_on_its_way_gives_back_what_it_held(pending: Any, store: Store) -> None:
    dropped = pending(range(60))
    del dropped
    gc.collect()
    assert written(pending(range(60, 120)), store) == SMS


def test_a_write_that_nobody_waits_for_any_more_gives_back_what_it_held(pending: Any, store: Store) -> None:
    held = pending(range(60))
    store.close()
    with pytest.raises(Exception, match="closed"):
        store.submit(held.write)
    again = Store(store.engine)
    assert written(pending(range(60, 120)), again) == SMS
    again.close()


def test_a_request_that_fails_after_its_choice_gives_back_what_it_held(
    monkeypatch: Any, make: Make, schemas: Any, body: Any, store: Store
) -> None:
    brain, asked = make(), json.dumps(body(range(60))).encode()
    with monkeypatch.context() as patch:
        patch.setattr(handling, "records_of", None)
        with pytest.raises(TypeError):
            handling.decisions(asked, brain, schemas, store=store)
    found = handling.decisions(asked, brain, schemas, store=store)
    assert isinstance(found, handling.Pending)
    assert written(found, store) == SMS


def test_each_creditor_has_a_day_of_its_own(pending: Any, store: Store) -> None:
    assert [written(pending(range(60), tenant=tenant), store) for tenant in ("a", "b")] == [SMS, SMS]
    assert [used(store, tenant=tenant) for tenant in ("a", "b", "default")] == [SMS, SMS, 0]


def test_a_write_that_fails_is_503_and_gives_back_what_it_held(url: str, start: Any, body: Any) -> None:
    store = Store.open(url)
    client, broken = start(store), [True]

    @event.listens_for(store.engine, "commit")
    def fail(connection: Any) -> None:
        if broken[0] and connection.get_execution_options().get("acerto_writes"):
            raise OperationalError("COMMIT", {}, OSError("disk I/O error"))

    refused = client.post("/v1/decisions", json=body(range(60)))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert used(store) == 0
    broken[0] = False
    assert messages(decide(client, body(range(60)))) == SMS


def test_a_repeated_key_uses_nothing_a_second_time(url: str, start: Any, body: Any) -> None:
    client = start(url)
    first, *again = [decide(client, body(range(16)), headers={"Idempotency-Key": "k"}) for _ in range(3)]
    assert again == [first, first]
    assert 0 < used(url) == messages(first)


def test_a_key_that_another_process_answered_meanwhile_gives_back_what_it_held(
    url: str, start: Any, body: Any, monkeypatch: Any
) -> None:
    store = Store.open(url)
    first, second = start(store), start(url)
    asked, headers, submit = body(range(60)), {"Idempotency-Key": "k"}, store.submit_once
    theirs: list[Decisions] = []

    def late(*given: Any, **keys: Any) -> Any:
        if not theirs:
            theirs.append(decide(second, asked, headers=headers))
        return submit(*given, **keys)

    monkeypatch.setattr(store, "submit_once", late)
    assert decide(first, asked, headers=headers) == theirs[0]
    assert used(store) == messages(theirs[0]) == SMS
    assert not messages(decide(first, body(range(60, 120))))


def test_what_another_process_used_meanwhile_is_decided_on_again(
    url: str, start: Any, body: Any, monkeypatch: Any
) -> None:
    store = Store.open(url)
    first, second = start(store), start(url)
    theirs, submit = [], store.submit

    def late(write: Any) -> Any:
        if not theirs:
            theirs.append(decide(second, body(range(60))))
        return submit(write)

    monkeypatch.setattr(store, "submit", late)
    own = decide(first, body(range(60, 120)))
    assert (messages(theirs[0]), messages(own)) == (SMS, 0)
    assert any(refusal["code"] == "BUDGET_CONTACTS" for refusal in own[0]["refusals"])


def test_a_request_that_comes_too_late_every_time_is_503(url: str, start: Any, body: Any, monkeypatch: Any) -> None:
    store = Store.open(url)
    client = start(store)

    def gone(*_: Any) -> str:
        raise UsedElsewhereError("another process has used what was left")

    monkeypatch.setattr("serving.reservations.Reservation._changed", gone)
    refused = client.post("/v1/decisions", json=body(range(6)))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert logged(url) == []


def test_without_commit_the_day_is_seen_as_it_stands_and_nothing_is_used(url: str, start: Any, body: Any) -> None:
    client = start(url)
    assert messages(decide(client, body(range(60), commit=False))) == SMS
    assert used(url) == 0
    decide(client, body(range(60)))
    assert messages(decide(start(url), body(range(60, 120), commit=False))) == 0


def test_to_replay_a_decision_uses_nothing(url: str, start: Any, body: Any) -> None:
    client = start(url)
    one = decide(client, body(range(6)))[0]
    store = Store.open(url)
    before = store.day(DAY, tenant="default")
    client.get(f"/v1/decisions/{one['decision_id']}/replay")
    assert store.day(DAY, tenant="default") == before
    store.close()


def test_a_day_names_no_account(store: Store, pending: Any) -> None:
    written(pending(range(3)), store)
    with reading(store.engine) as connection:
        [content] = connection.execute(select(DAY_BOOKS.c.content)).scalars()
    assert not any(f"a{number}" in json.loads(content)["used"] or f'"a{number}"' in content for number in range(3))


def test_without_a_store_a_day_ends_with_the_process(start: Any, body: Any) -> None:
    assert [messages(decide(start(None), body(range(60)))) for _ in range(2)] == [SMS, SMS]

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_clock import MovingClock
from sqlalchemy import Engine, event, func, select
from sqlalchemy.exc import OperationalError
from starlette.requests import Request

from domain.errors import StoreError
from serving.app import create_app
from serving.once import key_of
from serving.store import KeyedRequest, Store, stored_row
from serving.store.opening import open_database, reading, sqlite_url
from serving.store.schema import IDEMPOTENCY_KEYS, LEDGER_ROWS

WHEN = "2026-01-20T10:00:00Z"
DECISION = {"as_of": "2026-03-02T12:00:00Z"}
CANARY = "Maria-529.982.247-25"


@pytest.fixture
def store(clocked: Store) -> Store:
    """On a database of each kind."""
    return clocked


@pytest.fixture
def file_store(tmp_path: Path, clock: MovingClock) -> Iterator[Store]:
    found = Store(open_database(sqlite_url(tmp_path / "acerto.db")), now=clock)
    yield found
    found.close()


@pytest.fixture
def kept(serve: Any, schemas: Any, engine_of_bundle: Any, file_store: Store) -> Iterator[Any]:
    with serve(create_app(schemas, load=lambda: engine_of_bundle, open_store=lambda: file_store)) as client:
        yield client.wait_until_ready()


def request_of(key: str, body: bytes = b"{}", tenant: str = "t") -> KeyedRequest:
    return KeyedRequest.of(key, tenant=tenant, path="/v1/events", body=body)


def rows_of(number: int) -> dict[str, Any]:
    row = {"payment_id": f"y{number}", "account_id": "a1", "amount": 100 + number, "occurred_at": number}
    return {"payments": [stored_row("payments", row)]}


def pay(store: Store, key: str, number: int, *, body: bytes = b"{}", tenant: str = "t") -> Future[Any]:
    write = store.rows_write(rows_of(number), tenant=tenant)
    return store.submit_once(
        request_of(key, body, tenant), write, answer=lambda told: str(told["payments"].new).encode()
    )


def counted(store: Store, table: Any = LEDGER_ROWS) -> int:
    with reading(store.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def payments(number: int, amount: float = 10.5) -> dict[str, Any]:
    row = {"payment_id": f"y{number}", "account_id": "a1", "amount": amount, "occurred_at": WHEN}
    return {"table": "payments", "rows": [row]}


def post(client: Any, path: str, body: dict[str, Any], key: str, **options: Any) -> Any:
    return client.post(path, json=body, headers={"Idempotency-Key": key}, **options)


@given(order=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=20))
@settings(max_examples=40, deadline=None)
def test_in_any_order_of_requests_each_key_has_the_effect_and_answer_of_its_first(
    order: list[tuple[int, int]], tmp_path_factory: Any
) -> None:
    store = Store.open(sqlite_url(tmp_path_factory.mktemp("once") / "acerto.db"))
    first: dict[int, int] = {}
    written = [(key, what, pay(store, str(key), what, body=bytes([what]))) for key, what in order]
    for key, what, done in written:
        earlier = first.setdefault(key, what)
        assert done.result().request_digest == request_of(str(key), bytes([earlier])).request_digest
    assert counted(store) == len(set(first.values()))
    assert counted(store, IDEMPOTENCY_KEYS) == len(first)
    store.close()


def test_what_a_key_wrote_is_answered_from_the_database_as_it_was(store: Store) -> None:
    answer = pay(store, "k", 1).result()
    assert (store.answered(request_of("k")), answer.answer) == (answer, b"1")
    assert pay(store, "k", 1).result() == answer


def test_an_effect_that_is_refused_leaves_no_key(store: Store) -> None:
    def refuse(_: Any) -> bytes:
        raise ValueError("refused")

    write = store.rows_write(rows_of(1), tenant="t")
    with pytest.raises(ValueError, match="refused"):
        store.submit_once(request_of("k"), write, answer=refuse).result()
    assert (counted(store), store.answered(request_of("k"))) == (0, None)


def test_a_transaction_that_fails_leaves_neither_effect_nor_key(engine: Engine, clock: MovingClock) -> None:
    store, broken = Store(engine, now=clock), [True]

    @event.listens_for(engine, "commit")
    def fail(_: Any) -> None:
        if broken[0]:
            raise OperationalError("COMMIT", {}, OSError("disk I/O error"))

    done = pay(store, "k", 1)
    with pytest.raises(StoreError):
        done.result()
    broken[0] = False
    assert (counted(store), store.answered(request_of("k"))) == (0, None)
    store.close()


def test_two_processes_with_the_same_request_write_once(url: str) -> None:
    both = [Store.open(url), Store.open(url)]
    found = [done.result() for done in [pay(store, "k", 1) for store in both]]
    assert (found[0], counted(both[0])) == (found[1], 1)
    for store in both:
        store.close()


def test_the_same_key_of_another_tenant_is_another_key(store: Store) -> None:
    pay(store, "k", 1, tenant="t").result()
    assert store.answered(request_of("k", tenant="u")) is None
    assert pay(store, "k", 1, tenant="u").result().answer == b"1"


@pytest.mark.parametrize(("hours", "again"), [(23.9, b"1"), (24.0, b"0")])
def test_a_key_is_kept_for_a_day(store: Store, clock: MovingClock, hours: float, again: bytes) -> None:
    pay(store, "k", 1).result()
    clock.now += timedelta(hours=hours)
    assert pay(store, "k", 1).result().answer == again  # the row itself is there all the same


def test_answers_whose_day_is_over_are_swept_with_the_next(store: Store, clock: MovingClock) -> None:
    pay(store, "old", 1).result()
    clock.now += timedelta(hours=24)
    pay(store, "new", 2).result()
    assert counted(store, IDEMPOTENCY_KEYS) == 1


def test_of_key_and_body_only_digests_are_kept(store: Store) -> None:
    pay(store, CANARY, 1, body=CANARY.encode()).result()
    with reading(store.engine) as connection:
        row = connection.execute(select(IDEMPOTENCY_KEYS)).one()
    assert row.key_digest == hashlib.sha256(CANARY.encode()).digest()
    assert CANARY not in repr(tuple(row))


@pytest.mark.parametrize("kind", ["events", "outcomes", "decisions", "scores"])
def test_a_repeated_request_gets_the_same_bytes(kept: Any, ledger: Any, kind: str) -> None:
    decided = kept.post("/v1/decisions", json={**DECISION, "accounts": [ledger()]}).json()["decisions"][0]
    bodies = {
        "events": payments(1), "decisions": {"accounts": [ledger("a9")]}, "scores": {"accounts": [ledger()]},
        "outcomes": {"decision_id": decided["decision_id"], "status": "sent", "at": WHEN},
    }  # fmt: skip
    first, again = [post(kept, f"/v1/{kind}", bodies[kind], "k") for _ in range(2)]
    assert (first.status_code, first.headers.get("idempotent-replayed")) == (200, None)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    # Without as_of a second computation would be about another moment, and rows sent twice would be the same.
    assert again.content == first.content


def test_a_key_that_comes_with_another_body_is_refused(kept: Any) -> None:
    post(kept, "/v1/events", payments(1), "k")
    refused = post(kept, "/v1/events", payments(2), "k")
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert kept.post("/v1/events", json=payments(2)).json()["new"] == 1


def test_a_key_that_comes_on_another_path_is_refused(kept: Any, ledger: Any) -> None:
    body = {**DECISION, "accounts": [ledger()]}
    post(kept, "/v1/decisions", body, "k")
    assert post(kept, "/v1/scores", body, "k").status_code == 422


@pytest.mark.parametrize("key", ["", "a" * 256, "two words", "tab\there", "\x7f", "ação".encode("latin-1")])
def test_a_key_that_is_none_is_refused_and_not_repeated(kept: Any, key: Any) -> None:
    refused = post(kept, "/v1/events", payments(1), key)
    assert refused.status_code == 422
    assert kept.post("/v1/events", json=payments(1)).json()["new"] == 1


def test_two_keys_of_a_request_are_refused(kept: Any) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert kept.post("/v1/events", json=payments(1), headers=headers).status_code == 422


@given(key=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255))
@settings(max_examples=30, deadline=None)
def test_any_visible_ascii_is_a_key(key: str) -> None:
    request = Request({"type": "http", "headers": [(b"idempotency-key", key.encode())]})
    assert key_of(request) == key


def test_a_request_that_was_refused_may_come_again_under_its_key(kept: Any) -> None:
    kept.post("/v1/events", json=payments(1))
    assert post(kept, "/v1/events", payments(1, amount=11), "k").status_code == 409
    assert post(kept, "/v1/events", {"table": "payments"}, "k").status_code == 422
    assert post(kept, "/v1/events", payments(2), "k").json()["new"] == 1


def test_a_request_that_is_being_answered_is_409_and_says_when_to_come_again(
    serve: Any, schemas: Any, brain: Any, ask: Any, file_store: Store
) -> None:
    began, go_on = threading.Event(), threading.Event()
    with serve(create_app(schemas, load=lambda: brain, open_store=lambda: file_store)) as client:
        client.wait_until_ready()

        def slow(batch: Any, *, as_of: Any) -> list[dict[str, Any]]:
            began.set()
            assert go_on.wait(30)
            return [{"account_id": account_id} for account_id in batch.account_ids]

        brain.scores = slow
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(post, client, "/v1/scores", ask(), "k")
            assert began.wait(30)
            again, other = post(client, "/v1/scores", ask(), "k"), post(client, "/v1/scores", {}, "k")
            go_on.set()
            assert first.result().status_code == 200
        assert (again.status_code, again.headers["retry-after"], other.status_code) == (409, "1", 409)
        assert post(client, "/v1/scores", ask(), "k").content == first.result().content


def test_a_request_on_which_the_service_fails_is_not_kept(
    serve: Any, schemas: Any, brain: Any, ask: Any, file_store: Store
) -> None:
    with serve(create_app(schemas, load=lambda: brain, open_store=lambda: file_store)) as client:
        client.wait_until_ready()
        scores = brain.scores
        brain.scores = None
        assert post(client, "/v1/scores", ask(), "k").status_code == 500
        brain.scores = scores
        assert post(client, "/v1/scores", ask(), "k").status_code == 200


def test_five_at_once_of_200_keys_have_200_effects_and_altered_ones_none(kept: Any, file_store: Store) -> None:
    jobs = [(number, repeat) for number in range(200) for repeat in range(5)]
    amounts = {(number, repeat): 99.0 if (number * 5 + repeat) % 10 == 3 else 10.5 for number, repeat in jobs}

    def send(job: tuple[int, int]) -> Any:
        while (answer := post(kept, "/v1/events", payments(job[0], amounts[job]), f"key-{job[0]}")).status_code == 409:
            time.sleep(0.01)
        return answer

    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(jobs, pool.map(send, jobs), strict=True))
    assert counted(file_store) == 200
    for number in range(200):
        answers = [(amounts[number, repeat], found[number, repeat]) for repeat in range(5)]
        # Whichever body came first is the key's own; every other one is refused.
        taken = {amount for amount, answer in answers if answer.status_code == 200}
        assert len(taken) == 1
        assert {answer.status_code for amount, answer in answers if amount not in taken} <= {422}
        assert {answer.content for amount, answer in answers if amount in taken} == {
            b'{"table":"payments","new":1,"same":0,"corrected":0}'
        }


def test_what_names_a_forgotten_debtor_is_forgotten_and_has_no_second_effect(
    kept: Any, ledger: Any, file_store: Store
) -> None:
    body = {**DECISION, "accounts": [ledger("a1")]}
    assert post(kept, "/v1/decisions", body, "k").status_code == 200
    post(kept, "/v1/decisions", {**DECISION, "accounts": [ledger("a2")]}, "other")
    file_store.erase("a1", tenant="default")
    assert post(kept, "/v1/decisions", body, "k").status_code == 410
    assert post(kept, "/v1/decisions", {**DECISION, "accounts": [ledger("a2")]}, "other").status_code == 200
    with reading(file_store.engine) as connection:
        answers = connection.execute(select(IDEMPOTENCY_KEYS.c.answer)).scalars().all()
    assert [answer is None for answer in answers].count(True) == 1

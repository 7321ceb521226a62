"""Keys, scopes and tenants: who may ask what, and what is never told."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ConfigError, StoreError
from serving import metrics
from serving.access import keyring
from serving.access.keyring import FRESH_S, STALE_S, KeyRing
from serving.access.scopes import needed
from serving.access.tokens import SCOPES, StoredKey, fits, key_id_of, new_key, scopes_of
from serving.app import create_app
from serving.settings import Limits
from serving.store import Store
from serving.store.opening import sqlite_url

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def made(tenant: str = "default", *scopes: Any, **keys: Any) -> tuple[str, StoredKey]:
    return new_key(tenant, frozenset(scopes or ("score",)), now=datetime.now(UTC), **keys)


@pytest.fixture
def guarded(serve: Any, schemas: Any, engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The service with keys, over a store of its own, which is read again for every request."""
    monkeypatch.setattr(keyring, "FRESH_S", 0.0)
    url = sqlite_url(tmp_path / "acerto.db")
    app = create_app(schemas, load=lambda: engine, open_store=lambda: Store.open(url), keys=True)
    with serve(app) as client:
        yield client.wait_until_ready()


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_token_is_the_key_that_was_kept_and_no_other() -> None:
    token, kept = made()
    other, _ = made()
    assert fits(token, kept)
    assert not fits(other, kept)
    assert not fits(token, None)


def test_what_is_kept_does_not_hold_the_secret() -> None:
    token, kept = made()
    secret = token.split("_", 2)[2]
    assert secret not in repr(kept)
    assert key_id_of(token) == kept.key_id


@given(st.text())
def test_any_text_is_a_token_or_none_and_never_an_error(text: str) -> None:
    assert key_id_of(text) is None or text.startswith("acerto_")
    assert not fits(text, made()[1])


@given(place=st.integers(min_value=0, max_value=66), letter=st.sampled_from("0aZ_-"))
def test_a_token_with_one_letter_changed_is_none(place: int, letter: str) -> None:
    token, kept = made()
    changed = token[:place] + letter + token[place + 1 :]
    assert (changed == token) == (fits(changed, kept) and key_id_of(changed) == kept.key_id)


def test_a_key_ends_when_it_expires_or_is_revoked() -> None:
    _, kept = new_key("bank_a", frozenset({"score"}), now=NOW, expires_at=NOW + timedelta(days=1))
    assert kept.good_at(NOW)
    assert not kept.good_at(NOW + timedelta(days=1))


@pytest.mark.parametrize("tenant", ["", "Bank", "a b", "-a", "a" * 64, "ä"])
def test_a_name_that_no_tenant_can_have_is_refused(tenant: str) -> None:
    with pytest.raises(ConfigError, match="tenant"):
        made(tenant)


@pytest.mark.parametrize("text", ["", "root", "score,root", ","])
def test_scopes_that_there_are_not_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="scopes"):
        scopes_of(text)


@given(st.sets(st.sampled_from(SCOPES), min_size=1), st.sets(st.sampled_from(SCOPES), min_size=1))
def test_a_key_may_what_one_of_its_scopes_may_and_admin_may_all(own: set[Any], asked: set[Any]) -> None:
    _, kept = made("default", *own)
    assert kept.may(frozenset(asked)) == ("admin" in own or bool(own & asked))


def test_a_path_that_nobody_thought_of_needs_a_key() -> None:
    assert needed("GET", "/v2/new") == frozenset(SCOPES)
    assert needed("DELETE", "/v1/scores") == frozenset(SCOPES)
    assert needed("GET", "/livez") is None
    assert needed("GET", "/docs/assets/../../metrics") is not None


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_ring_reads_again_after_a_while_and_not_before() -> None:
    reads: list[float] = []
    clock = Clock()
    token, kept = made()

    def read() -> dict[str, StoredKey]:
        reads.append(clock.at)
        return {kept.key_id: kept}

    ring = KeyRing(read, clock=clock)
    for at in (0.0, FRESH_S / 2, FRESH_S, FRESH_S * 1.5):
        clock.at = at
        if ring.due:
            ring.renew()
        assert ring.key_of(token) == kept
    assert reads == [0.0, FRESH_S]


def test_a_ring_trusts_what_it_read_for_a_minute_and_then_nobody() -> None:
    token, kept = made()
    answers: list[Callable[[], dict[str, StoredKey]]] = [lambda: {kept.key_id: kept}]

    def read() -> dict[str, StoredKey]:
        if answers:
            return answers.pop()()
        raise StoreError("gone")

    clock = Clock()
    ring = KeyRing(read, clock=clock)
    ring.renew()
    clock.at = STALE_S
    ring.renew()
    assert ring.key_of(token) == kept
    clock.at = STALE_S + FRESH_S
    ring.renew()
    assert ring.key_of(token) is None


def test_a_ring_says_in_a_word_why_a_token_is_no_good_key() -> None:
    good, revoked, expired, other = (made() for _ in range(4))
    ended = replace(revoked[1], revoked_at=datetime.now(UTC) - timedelta(hours=1))
    over = replace(expired[1], expires_at=datetime.now(UTC) - timedelta(hours=1))
    ring = KeyRing(lambda: {key.key_id: key for key in (good[1], ended, over)})
    ring.renew()
    other_secret = good[0][:-43] + other[0][-43:]
    tokens = ("", "acerto", other[0], other_secret, revoked[0], expired[0])
    words = ["missing", "unknown", "unknown", "unknown", "revoked", "expired"]
    assert [ring.refusal_of(token) for token in tokens] == words


def test_refusals_before_any_route_are_counted_by_what_was_wrong(guarded: Any, store: Store) -> None:
    token, key = made("default", "ingest")
    store.add_key(key)
    counted = [metrics.ACCESS.labels(word)._value for word in ("missing", "unknown", "scope")]
    before = [one.get() for one in counted]
    for headers in ({}, bearer("acerto"), bearer(token)):
        guarded.get("/v1/decisions/d1", headers=headers)
    assert [one.get() - was for one, was in zip(counted, before, strict=True)] == [1, 1, 1]


def test_keys_come_back_from_the_store_as_they_were(store: Store) -> None:
    _, kept = new_key("bank_a", frozenset({"score", "review"}), now=NOW, expires_at=NOW + timedelta(days=30))
    store.add_key(kept)
    assert store.keys() == {kept.key_id: kept}


def test_a_revocation_never_makes_a_key_good_for_longer(store: Store) -> None:
    _, kept = new_key("bank_a", frozenset({"score"}), now=NOW)
    store.add_key(kept)
    assert store.revoke_key(kept.key_id, at=NOW + timedelta(hours=1))
    assert store.revoke_key(kept.key_id, at=NOW + timedelta(hours=2))
    assert store.keys()[kept.key_id].revoked_at == NOW + timedelta(hours=1)
    assert not store.revoke_key("0" * 16, at=NOW)


_ANY_SCOPE = ("/v1/model", "/nothing")
_EITHER = ("/v1/decisions/0123", "/v1/decisions/0123/explanation")
_ASKED = (
    ("POST", "/v1/scores", "score"), ("POST", "/v1/decisions", "score"), ("POST", "/v1/permits", "score"),
    ("POST", "/v1/events", "ingest"), ("GET", "/v1/decisions/0123/explanation", "review"),
    ("GET", "/v1/decisions/0123/replay", "review"), ("POST", "/v1/decisions/0123/review", "review"),
    ("POST", "/v1/outcomes", "ingest"), ("GET", "/v1/decisions/0123", "review"), ("GET", "/v1/model", "score"),
    ("GET", "/metrics", "admin"), ("GET", "/reports/", "review"), ("GET", "/nothing", "score"),
    ("GET", "/reports/decisions/0123", "review"), ("POST", "/reports/decisions/0123/replay", "review"),
    ("POST", "/reports/decisions/0123/review", "review"), ("POST", "/reports/decisions/0123/outcome", "ingest"),
)  # fmt: skip


@pytest.mark.parametrize("method, path, scope", _ASKED)
def test_nothing_is_answered_without_a_key_that_is_good(
    guarded: Any, store: Store, method: str, path: str, scope: Any
) -> None:
    known, revoked = made("default", scope), made("default", scope)
    for _, kept in (known, revoked):
        store.add_key(kept)
    store.revoke_key(revoked[1].key_id, at=datetime.now(UTC))
    for headers in ({}, bearer(made("default", scope)[0]), bearer(revoked[0]), {"authorization": f"Token {known[0]}"}):
        refused = guarded.request(method, path, headers=headers)
        assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
        assert "www-authenticate" in refused.headers
    assert guarded.request(method, path, headers=bearer(known[0])).status_code not in (401, 403)


@pytest.mark.parametrize(
    "method, path, scope", [asked for asked in _ASKED if asked[1] not in ("/v1/model", "/nothing")]
)
def test_a_key_of_another_scope_is_refused(guarded: Any, store: Store, method: str, path: str, scope: str) -> None:
    for other in {"score", "ingest", "review"} - {scope} - ({"score"} if path in _EITHER else set()):
        token, kept = made("default", other)
        store.add_key(kept)
        assert guarded.request(method, path, headers=bearer(token)).status_code == 403


def test_health_and_the_documents_need_no_key(guarded: Any) -> None:
    for path in ("/livez", "/readyz", "/openapi.json", "/docs"):
        assert guarded.get(path).status_code == 200


def test_health_is_answered_while_the_store_cannot_be_opened(serve: Any, schemas: Any, brain: Any) -> None:
    def closed() -> Any:
        raise StoreError("gone")

    with serve(create_app(schemas, load=lambda: brain, open_store=closed, keys=True)) as client:
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
        assert client.get("/v1/model", headers=bearer(made()[0])).status_code == 503


def test_a_browser_may_bring_its_key_as_a_password(guarded: Any, store: Store) -> None:
    token, kept = made("default", "review")
    store.add_key(kept)
    pair = base64.b64encode(f"ana:{token}".encode()).decode()
    assert guarded.get("/reports/").headers["www-authenticate"].startswith("Basic")
    assert guarded.get("/reports/", headers={"authorization": f"Basic {pair}"}).status_code == 200


def test_a_tenant_sees_nothing_of_another(guarded: Any, store: Store, ask: Any) -> None:
    theirs, ours = made("bank_a", "admin"), made("bank_b", "admin")
    for _, kept in (theirs, ours):
        store.add_key(kept)
    told = guarded.post("/v1/decisions", json=ask(), headers=bearer(theirs[0])).json()
    path = f"/v1/decisions/{told['decisions'][0]['decision_id']}"
    rows = {"table": "accounts", "rows": [{"account_id": "x9", "debtor_id": "d9"}]}
    assert guarded.post("/v1/events", json=rows, headers=bearer(theirs[0])).status_code == 200
    assert guarded.get(path, headers=bearer(theirs[0])).status_code == 200
    assert guarded.get(path, headers=bearer(ours[0])).status_code == 404
    by_id = {"accounts": [{"account_id": "x9"}]}
    assert guarded.post("/v1/scores", json=by_id, headers=bearer(ours[0])).status_code == 404
    said = {"decision_id": path.rpartition("/")[2], "status": "sent", "at": "2026-03-02T13:00:00Z"}
    assert guarded.post("/v1/outcomes", json=said, headers=bearer(ours[0])).status_code == 404


def test_a_key_of_a_request_is_of_its_tenant_alone(guarded: Any, store: Store) -> None:
    for number, tenant in enumerate(("bank_a", "bank_b")):
        token, kept = made(tenant, "ingest")
        store.add_key(kept)
        row = {"payment_id": "y", "account_id": f"a{number}", "amount": 1, "occurred_at": "2026-01-20T10:00:00Z"}
        body = {"table": "payments", "rows": [row]}
        answer = guarded.post("/v1/events", json=body, headers={**bearer(token), "idempotency-key": "same"})
        assert (answer.status_code, answer.headers.get("idempotent-replayed")) == (200, None)


def test_what_follows_on_a_decision_is_only_for_its_tenant(guarded: Any, store: Store, ask: Any) -> None:
    theirs, ours = made("bank_a", "admin"), made("bank_b", "admin")
    for _, kept in (theirs, ours):
        store.add_key(kept)
    told = guarded.post("/v1/decisions", json=ask(), headers=bearer(theirs[0])).json()["decisions"][0]
    path = f"/v1/decisions/{told['decision_id']}"
    permits = {"permits": [{"decision_id": told["decision_id"]}], "accounts": ask()["accounts"]}
    asked: list[tuple[str, str, Any]] = [
        ("GET", f"{path}/explanation", None), ("GET", f"{path}/replay", None),
        ("POST", f"{path}/review", {"kind": "request", "by": "debtor"}), ("POST", "/v1/permits", permits),
    ]  # fmt: skip
    for method, of, body in asked:
        found = [
            guarded.request(method, of, headers=bearer(token), **({} if body is None else {"json": body})).status_code
            for token in (ours[0], theirs[0])
        ]
        assert found == [404, 200], of


def test_a_client_that_comes_too_often_is_told_when_to_come_again(
    serve: Any, schemas: Any, brain: Any, ask: Any
) -> None:
    with serve(create_app(schemas, load=lambda: brain, limits=Limits(rate="3/hour"))) as client:
        client.wait_until_ready()
        answers = [client.post("/v1/scores", json=ask()) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 3600
        assert client.get("/livez").status_code == 200


def test_clients_are_counted_apart(guarded: Any, store: Store, serve: Any, schemas: Any, brain: Any, ask: Any) -> None:
    one, two = made(), made()
    store.add_key(one[1])
    store.add_key(two[1])
    url = str(store.engine.url)
    limits = Limits(rate="1/hour")
    app = create_app(schemas, load=lambda: brain, open_store=lambda: Store.open(url), keys=True, limits=limits)
    with serve(app) as client:
        client.wait_until_ready()
        codes = [client.post("/v1/scores", json=ask(), headers=bearer(token)).status_code for token in (one[0], one[0])]
        assert codes == [200, 429]
        assert client.post("/v1/scores", json=ask(), headers=bearer(two[0])).status_code == 200


def test_a_head_that_is_too_large_is_refused_before_anything_is_read(light: Any, brain: Any) -> None:
    assert light.post("/v1/scores", headers={"x-much": "a" * 17_000}, content=b"{}").status_code == 431
    assert light.get("/v1/decisions/" + "a" * 3_000).status_code == 414
    assert not brain.batches


def test_another_machine_is_not_answered_without_keys(schemas: Any, brain: Any, serve: Any, ask: Any) -> None:
    with serve(create_app(schemas, load=lambda: brain)) as client:
        client.wait_until_ready()
        transport = httpx.ASGITransport(client._http._transport.app, client=("192.0.2.7", 5))
        client._http = httpx.AsyncClient(transport=transport, base_url="http://test")
        assert client.post("/v1/scores", json=ask()).status_code == 403
        assert client.get("/livez").status_code == 200

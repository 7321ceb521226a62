from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from domain.errors import StoreError
from serving.answers import Decision, EventsAnswer, OutcomeAnswer
from serving.app import create_app
from serving.store.opening import open_database, sqlite_url
from serving.store.store import Store

WHEN = "2026-01-20T10:00:00Z"
CANARY = "Maria-529.982.247-25"
ACCOUNT = {"account_id": "a1", "debtor_id": "p1", "region": "BR-SP", "income": 3000}
DEBT = {"debt_id": "d1", "account_id": "a1", "amount": 1500, "due_on": "2026-01-10", "occurred_at": WHEN}
PAYMENT = {"payment_id": "p1", "account_id": "a1", "amount": 10.5, "occurred_at": WHEN}


def send(client: Any, table: str, *rows: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = client.post("/v1/events", json={"table": table, "rows": list(rows)})
    assert answer.status_code == status, answer.text
    return answer.json()


def decide(client: Any, *accounts: dict[str, Any], status: int = 200, **keys: Any) -> Any:
    body = {"as_of": "2026-03-02T12:00:00Z", "accounts": list(accounts) or [{"account_id": "a1"}], **keys}
    answer = client.post("/v1/decisions", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()["decisions"] if status == 200 else answer.json()


def test_rows_are_counted_as_new_the_same_and_corrected(kept: Any) -> None:
    later = {**PAYMENT, "amount": 9, "recorded_at": "2026-01-21T10:00:00Z"}
    answer = send(kept, "payments", PAYMENT, PAYMENT, later)
    EventsAnswer.model_validate(answer)
    assert answer == {"table": "payments", "new": 1, "same": 1, "corrected": 1}
    assert send(kept, "payments", PAYMENT, later) == {"table": "payments", "new": 0, "same": 2, "corrected": 0}


def test_a_row_of_another_content_is_a_conflict_named_by_its_place(kept: Any) -> None:
    send(kept, "payments", PAYMENT)
    refused = send(kept, "payments", {**PAYMENT, "payment_id": "p2"}, {**PAYMENT, "amount": 11}, status=409)
    assert [fault["pointer"] for fault in refused["errors"]] == ["/rows/1"]
    assert send(kept, "payments", {**PAYMENT, "payment_id": "p2"})["new"] == 1


EVERY_TABLE: dict[str, dict[str, Any]] = {
    "accounts": ACCOUNT, "debts": DEBT, "payments": PAYMENT,
    "debt_events": {"event_id": "e", "account_id": "a1", "debt_id": "d1", "kind": "fee", "occurred_at": WHEN},
    "contacts": {"contact_id": "c", "account_id": "a1", "channel": "sms", "occurred_at": WHEN},
    "responses": {"response_id": "r", "account_id": "a1", "kind": "read", "occurred_at": WHEN},
    "promises": {"promise_id": "m", "account_id": "a1", "occurred_at": WHEN, "amount": 5},
    "consents": {"account_id": "a1", "channel": "sms", "status": "granted", "occurred_at": WHEN},
    "holds": {"account_id": "a1", "kind": "fraud", "occurred_at": WHEN},
    "approvals": {"approval_id": "v", "account_id": "a1", "action": "protest/none/any", "occurred_at": WHEN},
    "decisions": {"decision_id": "x", "account_id": "a1", "decided_at": WHEN, "channel": "sms", "offer": "none",
                  "moment": "any", "action_prob": 0.5, "eligible": ["wait/none/any", "sms/none/any"]},
}  # fmt: skip


@pytest.mark.parametrize("table", EVERY_TABLE)
def test_a_row_of_any_canonical_table_is_stored(kept: Any, table: str) -> None:
    assert send(kept, table, EVERY_TABLE[table])["new"] == 1
    assert send(kept, table, EVERY_TABLE[table])["same"] == 1


BAD_ROWS: dict[str, tuple[Any, str]] = {
    "unknown table": ({"table": CANARY, "rows": []}, "/table"),
    "no table": ({"rows": []}, "/table"),
    "rows missing": ({"table": "payments"}, "/rows"),
    "unknown key": ({"table": "payments", "rows": [], CANARY: 1}, ""),
    "unknown column": ({"table": "payments", "rows": [{**PAYMENT, CANARY: 1}]}, "/rows/0"),
    "a row without its id": ({"table": "payments", "rows": [{**PAYMENT, "payment_id": None}]}, "/rows/0/payment_id"),
    "a row without account": ({"table": "payments", "rows": [PAYMENT, {**PAYMENT, "account_id": None}]},
                              "/rows/1/account_id"),
    "a debt without its time": ({"table": "debts", "rows": [{**DEBT, "occurred_at": None}]}, "/rows/0/occurred_at"),
    "an amount as text": ({"table": "payments", "rows": [{**PAYMENT, "amount": CANARY}]}, "/rows/0/amount"),
    "half a surrogate in a name": (
        {"table": "decisions", "rows": [{**EVERY_TABLE["decisions"], "eligible": ["\ud800"]}]}, "/rows/0/eligible",
    ),
    "a name with a bar": ({"table": "decisions", "rows": [{**EVERY_TABLE["decisions"], "eligible": ["a|b"]}]},
                          "/rows/0/eligible"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_bad_rows_are_refused_by_pointer_and_not_repeated(kept: Any, kind: str) -> None:
    body, pointer = BAD_ROWS[kind]
    answer = kept.post("/v1/events", content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert CANARY not in answer.text


@pytest.mark.parametrize("body", ["[]", "null", "1"])
@pytest.mark.parametrize("path", ["/v1/events", "/v1/outcomes"])
def test_a_body_that_is_no_object_is_refused(kept: Any, path: str, body: str) -> None:
    answer = kept.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_5001_rows_are_too_many(kept: Any) -> None:
    rows = [{**PAYMENT, "payment_id": f"p{number}"} for number in range(5_001)]
    send(kept, "payments", *rows, status=413)
    assert send(kept, "payments", *rows[:-1])["new"] == 5_000


def test_an_account_is_decided_on_by_its_id_as_by_its_ledger(kept: Any, ledger: Any) -> None:
    whole = ledger("a1", account={**ACCOUNT, "debtor_id": "a1"}, payments=[{**PAYMENT}])
    del whole["account"]["account_id"], whole["payments"][0]["account_id"], whole["debtor_contacts"]
    whole["debts"] = [{name: value for name, value in DEBT.items() if name != "account_id"}]
    expected = decide(kept, whole, commit=False)
    send(kept, "accounts", {**ACCOUNT, "debtor_id": "a1"})
    send(kept, "debts", DEBT)
    send(kept, "payments", PAYMENT)
    for table in ("debt_events", "contacts", "responses", "promises", "consents", "holds"):
        send(kept, table)
    assert decide(kept, commit=False) == expected
    assert kept.post("/v1/scores", json={"as_of": WHEN, "accounts": [{"account_id": "a1"}]}).status_code == 200


def test_only_what_was_known_at_the_moment_is_used(kept: Any) -> None:
    send(kept, "accounts", ACCOUNT)
    send(kept, "debts", DEBT)
    send(kept, "payments")
    before = decide(kept, commit=False)
    send(kept, "payments", {**PAYMENT, "amount": 1400, "recorded_at": "2026-03-02T12:00:00Z"})
    assert decide(kept, commit=False) == before
    assert decide(kept, commit=False, as_of="2026-03-02T12:00:01Z")[0]["amount_due"] < before[0]["amount_due"]


def test_an_account_that_is_not_stored_is_unknown_by_its_place(kept: Any) -> None:
    send(kept, "accounts", ACCOUNT)
    send(kept, "payments", {**PAYMENT, "account_id": "orphan"})
    for unknown in ("nobody", "orphan"):
        refused = decide(kept, {"account_id": "a1"}, {"account_id": unknown}, status=404)
        assert [fault["pointer"] for fault in refused["errors"]] == ["/accounts/1"]
        assert unknown not in json.dumps(refused)


def test_stored_accounts_and_ledgers_are_answered_in_the_order_of_the_request(kept: Any, ledger: Any) -> None:
    send(kept, "accounts", ACCOUNT, {"account_id": "a3"})
    found = decide(kept, ledger("b1"), {"account_id": "a3"}, ledger("b2"), {"account_id": "a1"})
    assert [decision["account_id"] for decision in found] == ["b1", "a3", "b2", "a1"]


@pytest.mark.parametrize("explain", ["none", "reasons", "full"])
def test_a_committed_decision_is_kept_as_it_was_answered(kept: Any, ledger: Any, explain: str) -> None:
    answered = decide(kept, ledger(), explain=explain)[0]
    found = kept.get(f"/v1/decisions/{answered['decision_id']}")
    assert found.status_code == 200
    assert found.text == json.dumps(answered, ensure_ascii=False, separators=(",", ":"))
    Decision.model_validate(found.json())


def test_the_log_holds_the_probability_of_every_action(kept: Any, ledger: Any, store: Store) -> None:
    answered = decide(kept, ledger())[0]
    kept_of = store.decision(answered["decision_id"], tenant="default")
    assert kept_of is not None
    assert kept_of.content is not None
    probs = {one["action"]: one["action_prob"] for one in kept_of.content["action_probs"]}
    assert probs[answered["action"]] == answered["action_prob"]
    assert sum(probs.values()) == pytest.approx(1.0)


def test_without_commit_nothing_is_kept(kept: Any, ledger: Any) -> None:
    asked = decide(kept, ledger(), commit=False)[0]
    assert kept.get(f"/v1/decisions/{asked['decision_id']}").status_code == 404


def test_outcomes_of_a_decision_are_stored_once(kept: Any, ledger: Any) -> None:
    decision_id = decide(kept, ledger())[0]["decision_id"]
    body = {"decision_id": decision_id, "status": "sent", "at": "2026-03-02T13:00:00Z", "contact_id": "c1"}
    first = kept.post("/v1/outcomes", json=body)
    OutcomeAnswer.model_validate(first.json())
    assert (first.json(), kept.post("/v1/outcomes", json=body).json()) == ({"new": 1, "same": 0}, {"new": 0, "same": 1})
    assert kept.post("/v1/outcomes", json={**body, "contact_id": "c2"}).status_code == 409
    assert kept.post("/v1/outcomes", json={**body, "status": "failed"}).json()["new"] == 1


def test_an_outcome_of_no_decision_is_refused(kept: Any) -> None:
    body = {"decision_id": CANARY, "status": "sent", "at": WHEN}
    answer = kept.post("/v1/outcomes", json=body)
    assert answer.status_code == 404
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("keys", "pointer"), [({"status": CANARY}, "/status"), ({"at": "2026-01-20"}, "/at"), ({CANARY: 1}, "")]
)
def test_a_bad_outcome_is_refused_by_pointer(kept: Any, keys: dict[str, Any], pointer: str) -> None:
    answer = kept.post("/v1/outcomes", json={"decision_id": "x", "status": "sent", "at": WHEN, **keys})
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


def test_a_forgotten_debtor_is_gone_from_everywhere(kept: Any, store: Store) -> None:
    send(kept, "accounts", ACCOUNT)
    send(kept, "debts", DEBT)
    decision_id = decide(kept)[0]["decision_id"]
    store.erase("p1", tenant="default")
    assert kept.get(f"/v1/decisions/{decision_id}").status_code == 410
    outcome = {"decision_id": decision_id, "status": "sent", "at": WHEN}
    assert kept.post("/v1/outcomes", json=outcome).status_code == 410
    decide(kept, status=404)


def test_ids_reach_neither_logs_nor_metrics(kept: Any, ledger: Any, capsys: Any) -> None:
    decision_id = decide(kept, ledger())[0]["decision_id"]
    kept.get(f"/v1/decisions/{decision_id}")
    kept.get(f"/v1/decisions/{CANARY}")
    told = capsys.readouterr().out + kept.get("/metrics").text
    assert decision_id not in told
    assert CANARY not in told
    assert '"route": "/v1/decisions/{decision_id}"' in told


def test_nothing_is_acknowledged_that_could_not_be_written(
    serve: Any, schemas: Any, engine_of_bundle: Any, ledger: Any, tmp_path: Path
) -> None:
    database, broken = open_database(sqlite_url(tmp_path / "acerto.db")), [False]

    @event.listens_for(database, "commit")
    def fail(_: Connection) -> None:
        if broken[0]:
            raise OperationalError("COMMIT", {}, OSError("disk I/O error"))

    store = Store(database)
    with serve(create_app(schemas, load=lambda: engine_of_bundle, open_store=lambda: store)) as client:
        client.wait_until_ready()
        broken[0] = True  # for every transaction that writes, and those that read
        refused = client.post("/v1/events", json={"table": "payments", "rows": [PAYMENT]})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.headers["content-type"] == "application/problem+json"
        decide(client, ledger(), status=503)
        asked = decide(client, ledger(), commit=False)[0]
        broken[0] = False
        assert client.get(f"/v1/decisions/{asked['decision_id']}").status_code == 404
        assert send(client, "payments", PAYMENT)["new"] == 1


def test_many_at_once_are_all_kept(kept: Any, store: Store) -> None:
    def send_one(number: int) -> int:
        return int(send(kept, "payments", {**PAYMENT, "payment_id": f"p{number}"})["new"])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(send_one, range(60))) == [1] * 60


def test_it_is_not_ready_before_its_store_is_open(serve: Any, schemas: Any, brain: Any, ask: Any) -> None:
    def never() -> Any:
        raise StoreError("no database")

    with serve(create_app(schemas, load=lambda: brain, open_store=never)) as client:
        for _ in range(200):
            if client.get("/v1/model").status_code == 200:
                break
        assert client.get("/readyz").status_code == 503
        for path in ("/v1/decisions", "/v1/events"):
            assert client.post(path, json=ask()).status_code == 503


def test_without_a_store_nothing_can_be_kept(light: Any) -> None:
    assert light.post("/v1/events", json={"table": "payments", "rows": []}).status_code == 503
    assert light.get("/v1/decisions/x").status_code == 503

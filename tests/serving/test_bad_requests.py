"""Every kind of bad input is a clear error of its own status, and nothing that was sent comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

CANARY = "Maria-529.982.247-25"
SECRET = 987654321


def check(answer: Any, status: int, *pointers: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "request_id"} <= body.keys()
    found = [error["pointer"] for error in body.get("errors", [])]
    assert found == list(pointers) or (not pointers)
    assert CANARY not in answer.text
    assert str(SECRET) not in answer.text
    return body


WHEN = "2026-01-20T10:00:00Z"


def row(**keys: Any) -> dict[str, Any]:
    return {"channel": "sms", "occurred_at": WHEN, **keys}


def debt(**keys: Any) -> dict[str, Any]:
    return {"debt_id": "d", "amount": 1, "due_on": "2026-01-10", **keys}


BAD_LEDGERS: dict[str, tuple[dict[str, Any], str]] = {
    "wrong type of an amount": ({"debts": [debt(amount=CANARY)]}, "/debts/0/amount"),
    "amount as text": ({"payments": [{"amount": "10.00", "occurred_at": WHEN}]}, "/payments/0/amount"),
    "true as a number": ({"payments": [{"amount": True, "occurred_at": WHEN}]}, "/payments/0/amount"),
    "negative debt": ({"debts": [debt(amount=-SECRET)]}, "/debts/0/amount"),
    "number beyond any float": ({"account": {"income": 10**400}}, "/account/income"),
    "time without offset": ({"contacts": [row(occurred_at="2026-01-20T10:00:00")]}, "/contacts/0/occurred_at"),
    "time that is none": ({"contacts": [row(occurred_at="2026-02-30T10:00:00Z")]}, "/contacts/0/occurred_at"),
    "time as a number": ({"contacts": [row(occurred_at=SECRET)]}, "/contacts/0/occurred_at"),
    "time of another age": ({"contacts": [row(occurred_at="0001-01-01T00:00:00+14:00")]}, "/contacts/0/occurred_at"),
    "day with a time": ({"debts": [debt(due_on="2026-01-10T00:00:00Z")]}, "/debts/0/due_on"),
    "missing column": ({"contacts": [{"channel": "sms"}]}, "/contacts/0/occurred_at"),
    "unknown key of a row": ({"contacts": [row(**{CANARY: 1})]}, "/contacts/0"),
    "unknown key of the account": ({"account": {CANARY: 1}}, "/account"),
    "unknown table": ({CANARY: []}, ""),
    "a table that is no list": ({"contacts": {"0": CANARY}}, "/contacts"),
    "a row that is no object": ({"contacts": [CANARY]}, "/contacts/0"),
    "an id with spaces": ({"debts": [debt(debt_id=f"{CANARY} x")]}, "/debts/0/debt_id"),
    "a text with control characters": ({"contacts": [row(channel=f"{CANARY}\x00")]}, "/contacts/0/channel"),
    "a lone surrogate": ({"contacts": [row(channel="\ud800")]}, "/contacts/0/channel"),
    "unknown status of a consent": ({"consents": [row(status=CANARY)]}, "/consents/0/status"),
    "unknown kind of hold": ({"holds": [{"kind": CANARY, "occurred_at": WHEN}]}, "/holds/0/kind"),
    "fraction of an instalment": (
        {"promises": [{"instalments": 2.5, "occurred_at": WHEN}]}, "/promises/0/instalments",
    ),
    "the same id with other content": (
        {"payments": [{"payment_id": "p", "amount": amount, "occurred_at": WHEN} for amount in (1, 2)]},
        "/payments/1",
    ),
    "a ledger without debts": ({"debts": None}, "/debts"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_LEDGERS)
@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/scores"])
def test_a_bad_ledger_refuses_the_request_by_pointer(light: Any, ask: Any, ledger: Any, kind: str, path: str) -> None:
    parts, place = BAD_LEDGERS[kind]
    request = ask(ledger("good"), ledger("bad", **parts))
    check(light.post(path, content=as_bytes(request), headers=JSON), 422, f"/accounts/1{place}")


JSON = {"content-type": "application/json"}


def as_bytes(request: Any) -> bytes:
    return json.dumps(request).encode()


BAD_REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "time without offset": ({"as_of": "2026-03-02T12:00:00"}, "/as_of"),
    "unknown key": ({CANARY: 1}, ""),
    "unknown explain": ({"explain": CANARY}, "/explain"),
    "unknown locale": ({"locale": CANARY}, "/locale"),
    "commit as text": ({"commit": "false"}, "/commit"),
    "no accounts": ({"accounts": []}, "/accounts"),
    "accounts missing": ({"accounts": None}, "/accounts"),
    "an account that is no object": ({"accounts": [CANARY]}, "/accounts/0"),
}


@pytest.mark.parametrize("kind", BAD_REQUESTS)
def test_a_bad_request_is_refused_by_pointer(light: Any, ask: Any, kind: str) -> None:
    keys, pointer = BAD_REQUESTS[kind]
    check(light.post("/v1/decisions", json={**ask(), **keys}), 422, pointer)


def test_1001_accounts_are_too_many(light: Any, ask: Any, ledger: Any) -> None:
    request = ask(*(ledger(f"a{number}") for number in range(1_001)))
    check(light.post("/v1/decisions", json=request), 422, "/accounts")


def test_an_account_given_twice_is_refused(light: Any, ask: Any, ledger: Any) -> None:
    check(light.post("/v1/decisions", json=ask(ledger("a"), ledger("a"))), 422, "/accounts/1/account_id")


def test_a_row_given_twice_alike_counts_once(light: Any, brain: Any, ask: Any, ledger: Any) -> None:
    row = {"payment_id": "p", "amount": 1, "occurred_at": WHEN}
    assert light.post("/v1/decisions", json=ask(ledger(payments=[row, row]))).status_code == 200
    assert brain.batches[0].tables.rows("payments") == 1


def test_a_later_record_of_an_id_is_a_correction(light: Any, brain: Any, ask: Any, ledger: Any) -> None:
    row = {"payment_id": "p", "amount": 1, "occurred_at": WHEN}
    later = {**row, "amount": 2, "recorded_at": "2026-01-21T10:00:00Z"}
    assert light.post("/v1/decisions", json=ask(ledger(payments=[row, later]))).status_code == 200
    assert brain.batches[0].tables.rows("payments") == 2


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/scores"])
def test_an_account_by_id_alone_is_unknown(light: Any, ask: Any, path: str) -> None:
    body = check(light.post(path, json=ask({"account_id": "nobody"})), 404, "/accounts/0")
    assert "ledger" in body["errors"][0]["detail"]
    assert "nobody" not in json.dumps(body)


def test_5001_events_in_an_account_are_too_many(light: Any, ask: Any, ledger: Any) -> None:
    events = [row() for _ in range(5_001)]
    check(light.post("/v1/decisions", json=ask(ledger(contacts=events[:2_500], responses=events[2_500:]))), 413)
    assert light.post("/v1/decisions", json=ask(ledger(debts=[], contacts=events[:5_000]))).status_code == 200


BAD_BODIES: dict[str, bytes] = {
    "empty": b"",
    "no JSON": CANARY.encode(),
    "cut off": b'{"accounts": [{"account_id": "a1"',
    "NaN": b'{"accounts": [{"account_id": "a1", "account": {"income": NaN}, "debts": []}]}',
    "Infinity": b'{"accounts": [{"account_id": "a1", "account": {"income": -Infinity}, "debts": []}]}',
    "a key twice": b'{"accounts": [], "accounts": []}',
    "not UTF-8": b'{"accounts": "\xff\xfe"}',
    "UTF-16": '{"accounts": []}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"accounts": []}',
    "nested 100,000 deep": b"[" * 100_000,
    "nested objects": b'{"a":' * 50_000,
    "5,000 digits": b'{"as_of": ' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("kind", BAD_BODIES)
def test_a_body_that_is_no_json_is_a_syntax_error(light: Any, kind: str) -> None:
    check(light.post("/v1/decisions", content=BAD_BODIES[kind], headers=JSON), 400)


def test_1e999_is_no_number(light: Any, ask: Any, ledger: Any) -> None:
    body = as_bytes(ask(ledger())).replace(b"3000", b"1e999")
    check(light.post("/v1/decisions", content=body, headers=JSON), 422, "/accounts/0/account/income")


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"accounts"'])
def test_a_body_that_is_no_object_is_refused(light: Any, body: bytes) -> None:
    check(light.post("/v1/decisions", content=body, headers=JSON), 422, "")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {},
    ],
)
def test_only_plain_json_is_read(light: Any, ask: Any, headers: dict[str, str]) -> None:
    check(light.post("/v1/decisions", content=as_bytes(ask()), headers=headers), 415)


def test_json_with_a_charset_is_read(light: Any, ask: Any) -> None:
    headers = {"content-type": "Application/JSON; charset=UTF-8"}
    assert light.post("/v1/decisions", content=as_bytes(ask()), headers=headers).status_code == 200


def test_a_body_over_32_mib_is_refused_by_its_declared_length(light: Any) -> None:
    headers = {**JSON, "content-length": str(33 * 1024 * 1024)}
    check(light.post("/v1/decisions", content=b"{}", headers=headers), 413)


def test_a_body_over_32_mib_is_refused_while_it_streams(serve: Any, schemas: Any, brain: Any) -> None:
    read = 0

    async def chunks() -> Any:
        nonlocal read
        for _ in range(64):
            read += 1
            yield b" " * (1024 * 1024)

    from serving.app import create_app

    with serve(create_app(schemas, load=lambda: brain)) as client:
        client.wait_until_ready()
        check(client.post("/v1/decisions", content=chunks(), headers=JSON), 413)
    assert read <= 34


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/decisions", 405), ("DELETE", "/v1/model", 405), ("GET", f"/v1/{CANARY}", 404), ("POST", "/", 404)],
)
def test_what_is_not_here_is_a_problem_too(light: Any, method: str, path: str, status: int) -> None:
    check(light.request(method, path), status)


def test_a_failure_inside_tells_nothing(light: Any, brain: Any, ask: Any, capsys: Any, monkeypatch: Any) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(brain, "decisions", fail)
    body = check(light.post("/v1/decisions", json=ask()), 500)
    printed = capsys.readouterr()
    assert CANARY not in printed.out + printed.err
    assert body["request_id"] in printed.out


def canaries(value: Any, mark: str) -> Iterator[Any]:
    """The request once for each text in it, with that text replaced."""
    for key in value if isinstance(value, dict) else range(len(value)):
        item = value[key]
        if isinstance(item, str):
            yield {**value, key: mark} if isinstance(value, dict) else [*value[:key], mark, *value[key + 1 :]]
        elif isinstance(item, dict | list):
            for changed in canaries(item, mark):
                yield {**value, key: changed} if isinstance(value, dict) else [*value[:key], changed, *value[key + 1 :]]


def test_no_text_of_a_request_reaches_errors_logs_or_metrics(light: Any, ask: Any, ledger: Any, capsys: Any) -> None:
    mark = "Joana Prado +55 11 98765-4321\x01"
    whole = ask(ledger(contacts=[row(contact_id="c1", offer="none")], consents=[row(status="granted")]), locale="en")
    statuses = []
    for changed in canaries(whole, mark):
        answer = light.post("/v1/decisions", json=changed)
        statuses.append(answer.status_code)
        assert "Joana" not in answer.text
        assert "98765" not in answer.text
    printed = capsys.readouterr()
    assert len(statuses) >= 15
    assert set(statuses) == {422}
    assert "Joana" not in printed.out + printed.err + light.get("/metrics").text

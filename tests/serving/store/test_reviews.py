"""Reviews of decisions by a person: kept in order, once each, and forgotten with their debtor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from serving.answers import Decision, OutcomeAnswer
from serving.store import Record
from serving.store.ledger import Appended
from serving.store.opening import open_database
from serving.store.reviews import Review
from serving.store.store import Store

CANARY = "Maria-529.982.247-25"
JSON = {"content-type": "application/json"}
REQUEST = {"kind": "request", "by": "debtor", "reason": "not_mine", "text": "Não reconheço.\nPeço revisão."}
OUTCOME = {"kind": "outcome", "by": "reviewer", "outcome": "changed"}


@pytest.fixture
def either(url: str) -> Iterator[Store]:
    """A store on either database, with a decision on an account of each of two debtors."""
    found = Store(open_database(url))
    for name in ("a", "b"):
        record = Record.of(f"i{name}", name, f"p{name}", 7, content={"answer": {}})
        found.record([record], tenant="default").result(10)
    yield found
    found.close()


def add(store: Store, content: dict[str, Any], *, decision_id: str = "ia", tenant: str = "default") -> Any:
    return store.review(Review(decision_id, dict(content)), tenant=tenant).result(10)


def said(store: Store, decision_id: str = "ia") -> list[dict[str, Any]]:
    return [content for content, _ in store.reviews(decision_id, tenant="default")]


def test_reviews_are_kept_in_the_order_in_which_they_came(either: Store) -> None:
    again = {**REQUEST, "by": "agent"}
    assert [add(either, one) for one in (REQUEST, OUTCOME, again)] == [Appended(new=1)] * 3
    assert said(either) == [REQUEST, OUTCOME, again]


def test_a_review_that_is_sent_again_counts_once(either: Store) -> None:
    assert [add(either, REQUEST), add(either, REQUEST)] == [Appended(new=1), Appended(same=1)]
    assert said(either) == [REQUEST]


def test_a_review_that_was_answered_may_be_asked_for_anew_in_the_same_words(either: Store) -> None:
    for one in (REQUEST, OUTCOME, REQUEST):
        assert add(either, one) == Appended(new=1)


def test_an_outcome_needs_a_request_that_waits_for_it(either: Store) -> None:
    assert add(either, OUTCOME) == "not_open"
    add(either, REQUEST)
    add(either, OUTCOME)
    assert add(either, {**OUTCOME, "outcome": "upheld"}) == "not_open"


def test_the_reviews_of_a_forgotten_debtor_go_and_those_of_others_stay(either: Store) -> None:
    add(either, REQUEST)
    add(either, REQUEST, decision_id="ib")
    assert either.erase("pa", tenant="default").reviews == 1
    assert (said(either), said(either, "ib")) == ([], [REQUEST])
    assert add(either, OUTCOME) == "forgotten"


def test_a_decision_of_another_creditor_cannot_be_reviewed(either: Store) -> None:
    assert add(either, REQUEST, tenant="other") == "unknown"


def decided(client: Any, ledger: Any) -> dict[str, Any]:
    body = {"as_of": "2026-03-02T12:00:00Z", "accounts": [ledger()]}
    found: dict[str, Any] = client.post("/v1/decisions", json=body).json()["decisions"][0]
    return found


def test_a_decision_shows_its_reviews_with_when_they_came(kept: Any, ledger: Any) -> None:
    decision = decided(kept, ledger)
    path = f"/v1/decisions/{decision['decision_id']}"
    for body in (REQUEST, OUTCOME):
        answer = kept.post(f"{path}/review", json=body)
        OutcomeAnswer.model_validate(answer.json())
        assert (answer.status_code, answer.json()) == (200, {"new": 1, "same": 0})
    found = kept.get(path).json()
    Decision.model_validate(found)
    reviews = found.pop("reviews")
    assert found == decision
    assert [{name: one[name] for name in one if name != "recorded_at"} for one in reviews] == [REQUEST, OUTCOME]


def test_an_outcome_that_nobody_waits_for_is_a_conflict(kept: Any, ledger: Any) -> None:
    path = f"/v1/decisions/{decided(kept, ledger)['decision_id']}/review"
    assert kept.post(path, json=OUTCOME).status_code == 409


@pytest.mark.parametrize("decision_id", [CANARY, "%00", "%ED%A0%80", "a" * 1_000])
@pytest.mark.parametrize("part", ["", "/explanation", "/replay", "/review"])
def test_an_id_of_no_decision_is_unknown_and_not_repeated(kept: Any, decision_id: str, part: str) -> None:
    path = f"/v1/decisions/{decision_id}{part}"
    answer = kept.post(path, json=REQUEST) if part == "/review" else kept.get(path)
    assert answer.status_code == 404
    assert decision_id not in answer.text


def test_a_forgotten_decision_takes_no_review(kept: Any, ledger: Any, store: Store) -> None:
    path = f"/v1/decisions/{decided(kept, ledger)['decision_id']}/review"
    store.erase("a1", tenant="default")
    assert kept.post(path, json=REQUEST).status_code == 410


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown kind": ({**REQUEST, "kind": CANARY}, "/kind"),
    "a name for a role": ({**REQUEST, "by": CANARY}, "/by"),
    "too long": ({**REQUEST, "text": CANARY * 200}, "/text"),
    "a control character": ({**REQUEST, "text": f"{CANARY}\x00"}, "/text"),
    "half a character": ({**REQUEST, "text": f"{CANARY}\ud800"}, "/text"),
    "unknown key": ({**REQUEST, CANARY: 1}, ""),
    "an outcome without one": ({"kind": "outcome", "by": "reviewer"}, ""),
    "a request with an outcome": ({**REQUEST, "outcome": "upheld"}, ""),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_review_is_refused_by_pointer_and_not_repeated(kept: Any, kind: str) -> None:
    body, pointer = BAD[kind]
    answer = kept.post("/v1/decisions/x/review", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 422, answer.text
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert CANARY not in answer.text

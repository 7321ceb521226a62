"""What may be asked about a decision that was kept."""

from __future__ import annotations

import re
from typing import Any

import pytest

from serving.answers_after import ExplanationAnswer, PermitsAnswer
from serving.store.store import Store

AS_OF, LATER = "2026-03-02T12:00:00Z", "2026-03-02T14:30:00Z"
CANARY = "Maria-529.982.247-25"
ROWS: dict[str, list[dict[str, Any]]] = {
    "accounts": [{"account_id": "a1", "debtor_id": "p1", "region": "BR-SP", "income": 3000}],
    "debts": [{"debt_id": "d1", "account_id": "a1", "amount": 1500, "due_on": "2026-01-10",
               "occurred_at": "2025-12-20T10:00:00Z"}],
    **{table: [] for table in ("debt_events", "payments", "contacts", "responses", "promises", "consents", "holds")},
}  # fmt: skip
PAYMENT = {"payment_id": "y1", "account_id": "a1", "amount": 1500, "occurred_at": "2026-03-02T13:00:00Z"}


def post(client: Any, path: str, body: Any, *, status: int = 200) -> Any:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def decide(client: Any, *accounts: dict[str, Any], **keys: Any) -> list[dict[str, Any]]:
    body = {"as_of": AS_OF, "accounts": list(accounts) or [{"account_id": "a1"}], **keys}
    found: list[dict[str, Any]] = post(client, "/v1/decisions", body)["decisions"]
    return found


def permits(client: Any, *decision_ids: str, status: int = 200, **keys: Any) -> Any:
    asked = {"at": LATER, "locale": "en", "permits": [{"decision_id": one} for one in decision_ids], **keys}
    return post(client, "/v1/permits", asked, status=status)


@pytest.fixture
def known(kept: Any) -> Any:
    """The service, which knows an account that owes 1,500.00 since January."""
    for table, rows in ROWS.items():
        post(kept, "/v1/events", {"table": table, "rows": rows})
    return kept


def test_a_decision_that_nothing_came_after_may_be_carried_out_within_its_span(known: Any) -> None:
    decided = decide(known)[0]
    assert decided["channel"] != "wait"
    answer = permits(known, decided["decision_id"], at=decided["not_before"])
    PermitsAnswer.model_validate(answer)
    permit = answer["permits"][0]
    assert (permit["allowed"], permit["changes"]) == (True, [])
    assert {name: permit[name] for name in ("action", "not_before", "valid_until")} == {
        name: decided[name] for name in ("action", "not_before", "valid_until")
    }


def test_a_payment_since_is_named_and_refuses(known: Any) -> None:
    decided = decide(known)[0]
    post(known, "/v1/events", {"table": "payments", "rows": [PAYMENT]})
    permit = permits(known, decided["decision_id"])["permits"][0]
    assert permit["allowed"] is False
    assert "PAID_SINCE" in [change["code"] for change in permit["changes"]]


def test_a_decision_after_its_span_is_expired(known: Any) -> None:
    decided = decide(known)[0]
    permit = permits(known, decided["decision_id"], at=decided["valid_until"])["permits"][0]
    assert "EXPIRED" in [change["code"] for change in permit["changes"]]


def test_the_ledger_of_a_request_is_taken_instead_of_the_store(kept: Any, ledger: Any) -> None:
    decided = decide(kept, ledger())[0]
    paid = ledger(payments=[{"amount": 200, "debt_id": "d1", "occurred_at": "2026-03-02T13:00:00Z"}])
    at = decided["not_before"]
    before = permits(kept, decided["decision_id"], at=at, accounts=[ledger()])["permits"][0]
    after = permits(kept, decided["decision_id"], accounts=[paid])["permits"][0]
    assert before["allowed"] is True
    assert "PAID_SINCE" in [change["code"] for change in after["changes"]]


def test_permits_come_in_the_order_of_the_request(known: Any, ledger: Any) -> None:
    ids = [one["decision_id"] for one in decide(known, ledger("b1"), {"account_id": "a1"}, ledger("b2"))]
    asked = [ids[2], ids[1], ids[0], ids[1]]
    found = permits(known, *asked, accounts=[ledger("b2"), ledger("b1")])["permits"]
    assert [permit["decision_id"] for permit in found] == asked


def test_an_account_that_neither_request_nor_store_knows_is_named_by_its_decision(known: Any, ledger: Any) -> None:
    ids = [one["decision_id"] for one in decide(known, {"account_id": "a1"}, ledger("b1"))]
    assert [fault["pointer"] for fault in permits(known, *ids, status=404)["errors"]] == ["/permits/1"]


def test_an_unknown_decision_is_named_by_its_place_and_not_repeated(known: Any) -> None:
    refused = permits(known, decide(known)[0]["decision_id"], CANARY, status=404)
    assert [fault["pointer"] for fault in refused["errors"]] == ["/permits/1"]
    assert CANARY not in str(refused)


def test_a_forgotten_decision_has_no_permit(known: Any, store: Store) -> None:
    decision_id = decide(known)[0]["decision_id"]
    store.erase("p1", tenant="default")
    assert permits(known, decision_id, status=410)["errors"][0]["pointer"] == "/permits/0"


BAD_PERMITS: dict[str, tuple[dict[str, Any], str]] = {
    "no decisions": ({"permits": []}, "/permits"),
    "too many": ({"permits": [{"decision_id": "x"}] * 1001}, "/permits"),
    "unknown key": ({"permits": [{"decision_id": "x", CANARY: 1}]}, "/permits/0"),
    "no offset": ({"at": "2026-03-02T12:00:00"}, "/at"),
    "a bad ledger": ({"accounts": [{"account_id": "a1", "payments": [{"amount": CANARY}]}]},
                     "/accounts/0/payments/0/amount"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_PERMITS)
def test_a_bad_request_for_permits_is_refused_by_pointer(kept: Any, kind: str) -> None:
    body, pointer = BAD_PERMITS[kind]
    refused = post(kept, "/v1/permits", {"permits": [{"decision_id": "x"}], **body}, status=422)
    assert refused["errors"][0]["pointer"] == pointer
    assert CANARY not in str(refused)


def test_a_permit_stores_nothing(known: Any, store: Store) -> None:
    decision_id = decide(known)[0]["decision_id"]
    before = store.verify(tenant="default")
    permits(known, decision_id)
    assert store.verify(tenant="default") == before


def test_decisions_of_another_creditor_have_no_permit(known: Any, store: Store) -> None:
    decision_id = decide(known)[0]["decision_id"]
    assert store.decisions([decision_id], tenant="other") == {}


def explanation(client: Any, decision_id: str, query: str = "", *, status: int = 200) -> Any:
    answer = client.get(f"/v1/decisions/{decision_id}/explanation{query}")
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize("explain", ["none", "reasons", "full"])
def test_a_kept_decision_is_explained_however_it_was_asked_for(known: Any, explain: str) -> None:
    decided = decide(known, explain=explain)[0]
    found = explanation(known, decided["decision_id"])
    ExplanationAnswer.model_validate(found)
    assert (found["auditor"]["contributions"] is not None) == (explain == "full")


@pytest.mark.parametrize("query", ["", "?locale=en"])
def test_the_debtor_is_told_amounts_and_no_number_of_a_model(known: Any, query: str) -> None:
    decided = decide(known, explain="full")[0]
    told = " ".join(explanation(known, decided["decision_id"], query)["debtor"]["text"])
    assert "R$" in told
    assert not re.search(r"\d", re.sub(r"R\$ [\d.,]*\d", "", told))


def test_the_debtor_is_told_of_the_right_to_a_review(known: Any) -> None:
    told = explanation(known, decide(known)[0]["decision_id"])["debtor"]["text"]
    assert any("pedir que uma pessoa a revise" in sentence for sentence in told)


def test_reasons_and_refusals_are_worded_in_the_language_asked_for_as_they_would_have_been(known: Any) -> None:
    portuguese, english = (decide(known, locale=locale)[0] for locale in ("pt-BR", "en"))
    auditor = explanation(known, english["decision_id"], "?locale=pt-BR")["auditor"]
    assert english["reasons"] != portuguese["reasons"]
    assert (auditor["reasons"], auditor["refusals"]) == (portuguese["reasons"], portuguese["refusals"])


def test_the_auditor_is_told_what_the_record_says(known: Any) -> None:
    decided = decide(known)[0]
    auditor = explanation(known, decided["decision_id"])["auditor"]
    assert {**auditor["factors"], **auditor["versions"]}.items() <= decided.items()
    gap = decided["expected_net_value"] - decided["runner_up"]["expected_net_value"]
    assert auditor["contrast"]["runner_up"]["expected_net_value"] == pytest.approx(gap)
    assert auditor["contrast"]["wait"]["expected_net_value"] == decided["incremental_net_value"]


def test_the_agent_is_told_every_refusal_once_with_how_many_actions_it_takes(known: Any) -> None:
    decided = decide(known)[0]
    refusals = explanation(known, decided["decision_id"])["agent"]["refusals"]
    assert sum(one["actions"] for one in refusals) == len(decided["refusals"]) > 0
    assert len({(one["code"], one["text"]) for one in refusals}) == len(refusals)


def test_a_language_that_there_is_not_is_refused_and_not_repeated(known: Any) -> None:
    refused = explanation(known, decide(known)[0]["decision_id"], f"?locale={CANARY}", status=422)
    assert refused["errors"][0]["pointer"] == "/locale"
    assert CANARY not in str(refused)


def test_an_unknown_decision_and_a_forgotten_one_have_no_explanation(known: Any, store: Store) -> None:
    decision_id = decide(known)[0]["decision_id"]
    store.erase("p1", tenant="default")
    explanation(known, decision_id, status=410)
    explanation(known, CANARY, status=404)


def test_who_is_left_alone_is_told_so(kept: Any, ledger: Any) -> None:
    held = ledger(holds=[{"kind": "deceased", "occurred_at": "2026-02-01T12:00:00Z"}])
    found = explanation(kept, decide(kept, held)[0]["decision_id"], "?locale=en")
    assert found["debtor"]["text"][0] == "We decided not to contact you now."
    assert found["agent"]["proposal"] == "Wait."


def test_a_contact_on_another_account_of_the_debtor_is_in_the_way(known: Any) -> None:
    decided = decide(known)[0]
    at = decided["not_before"]
    assert permits(known, decided["decision_id"], at=LATER)["permits"][0]["allowed"] is True
    other = {"account_id": "a2", "debtor_id": "p1", "region": "BR-SP"}
    contact = {"contact_id": "c9", "account_id": "a2", "channel": "sms", "occurred_at": at}
    for table, row in (("accounts", other), ("contacts", contact)):
        post(known, "/v1/events", {"table": table, "rows": [row]})
    permit = permits(known, decided["decision_id"], at=LATER)["permits"][0]
    assert permit["allowed"] is False
    assert all(change["text"] for change in permit["changes"])

from __future__ import annotations

from typing import Any

import pytest

from serving.answers import DecisionsAnswer, ModelAnswer, ScoresAnswer


def decide(client: Any, request: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post("/v1/decisions", json=request)
    assert answer.status_code == 200, answer.text
    return answer.json()["decisions"]


def test_a_ledger_is_answered_with_a_whole_decision(client: Any, ask: Any) -> None:
    answer = client.post("/v1/decisions", json=ask(explain="full"))
    assert answer.status_code == 200, answer.text
    DecisionsAnswer.model_validate(answer.json())
    decision = answer.json()["decisions"][0]
    assert list(decision["p_pay"]) == ["7d", "30d", "60d", "90d"]
    assert decision["account_id"] == "a1"
    assert decision["amount_due"] == 1500.0
    assert decision["debt_ids"] == ["d1"]
    assert decision["decided_at"] == "2026-03-02T12:00:00Z"
    assert decision["candidates"]


def test_base_and_contributions_add_up_to_the_served_probability(client: Any, ask: Any) -> None:
    decision = decide(client, ask(explain="full"))[0]
    explained = decision["explanation"]
    total = explained["base"] + sum(item["contribution"] for item in explained["contributions"])
    assert total == pytest.approx(decision["p_pay_30d"], abs=1e-9)
    assert decision["p_pay_30d"] == decision["p_pay"]["30d"]


@pytest.mark.parametrize("explain", ["none", "reasons"])
def test_contributions_come_only_when_asked_for(client: Any, ask: Any, explain: str) -> None:
    decision = decide(client, ask(explain=explain))[0]
    assert not {"explanation", "candidates", "action_probs"} & decision.keys()
    assert bool(decision["reasons"]) == (explain == "reasons")


def test_a_full_answer_holds_the_probability_of_every_action_that_could_be_chosen(client: Any, ask: Any) -> None:
    decision = decide(client, ask(explain="full"))[0]
    probs = {one["action"]: one["action_prob"] for one in decision["action_probs"]}
    assert sum(probs.values()) == pytest.approx(1.0, abs=1e-12)
    assert probs[decision["action"]] == decision["action_prob"]


def test_an_answer_holds_the_probability_of_its_channel(client: Any, ask: Any) -> None:
    decision = decide(client, ask(explain="full"))[0]
    on_channel = [one["action_prob"] for one in decision["action_probs"]
                  if one["action"].startswith(f"{decision['channel']}/")]  # fmt: skip
    assert decision["channel_prob"] == pytest.approx(sum(on_channel), abs=1e-12)


def test_reasons_come_in_the_language_asked_for(client: Any, ask: Any) -> None:
    texts = [decide(client, ask(locale=locale))[0]["reasons"][0]["text"] for locale in ("pt-BR", "en")]
    assert texts[0] != texts[1]


def test_scores_agree_with_decisions(client: Any, ask: Any) -> None:
    answer = client.post("/v1/scores", json=ask())
    assert answer.status_code == 200
    ScoresAnswer.model_validate(answer.json())
    assert answer.json()["scores"][0]["p_pay"] == decide(client, ask())[0]["p_pay"]


def test_answers_stand_in_the_order_of_the_request(client: Any, ask: Any, ledger: Any) -> None:
    bare = {"account_id": "a0", "debts": [{"debt_id": "d1", "amount": 10, "due_on": "2026-01-10"}]}
    found = decide(client, ask(ledger("z9"), bare, ledger("m5")))
    assert [decision["account_id"] for decision in found] == ["z9", "a0", "m5"]


def test_an_account_is_answered_the_same_alone_and_among_others(client: Any, ask: Any, ledger: Any) -> None:
    rest = [ledger(f"b{number}", contacts=None) for number in range(20)]
    among = decide(client, ask(*rest, ledger("a1"), explain="full"))[-1]
    assert among == decide(client, ask(ledger("a1"), explain="full"))[0]


def test_two_ledgers_may_use_the_same_ids(client: Any, ask: Any, ledger: Any) -> None:
    richer = ledger("a2", debts=[{"debt_id": "d1", "amount": 9.0, "due_on": "2026-01-10"}])
    found = decide(client, ask(ledger("a1"), richer))
    assert [(decision["amount_due"], decision["debt_ids"]) for decision in found] == [(1500.0, ["d1"]), (9.0, ["d1"])]


def test_rows_at_or_after_as_of_are_ignored(client: Any, ask: Any, ledger: Any) -> None:
    late = [
        {"amount": 1500.0, "occurred_at": "2026-03-02T12:00:00Z"},
        {"amount": 700.0, "occurred_at": "2026-02-01T12:00:00Z", "recorded_at": "2026-03-02T09:00:00-03:00"},
    ]
    assert decide(client, ask(ledger(payments=late))) == decide(client, ask(ledger()))


def test_a_moment_before_all_history_is_answered_with_waiting(client: Any, ask: Any, ledger: Any) -> None:
    debts = [{"debt_id": "d1", "amount": 10.0, "due_on": "2026-01-10", "occurred_at": "2025-12-01T00:00:00Z"}]
    decision = decide(client, ask(ledger(debts=debts), as_of="1999-01-01T00:00:00Z"))[0]
    assert decision["action"] == "wait/none/any"
    assert decision["amount_due"] == 0.0


def test_an_account_that_owes_nothing_waits(client: Any, ask: Any, ledger: Any) -> None:
    assert decide(client, ask(ledger(debts=[])))[0]["action"] == "wait/none/any"


def test_integers_may_be_written_with_a_point(client: Any, ask: Any, ledger: Any) -> None:
    promise = {"kind": "agreement", "amount": 100, "occurred_at": "2026-01-20T10:00:00Z"}
    written = [decide(client, ask(ledger(promises=[{**promise, "instalments": n}])))[0] for n in (3, 3.0)]
    assert written[0] == written[1]


def test_as_of_is_now_unless_given(client: Any, ledger: Any) -> None:
    answer = client.post("/v1/scores", json={"accounts": [ledger()]})
    assert answer.status_code == 200
    assert answer.json()["as_of"].endswith("Z")


def test_contacts_on_other_accounts_count_against_the_cap(client: Any, ask: Any, ledger: Any) -> None:
    many = [{"channel": "sms", "occurred_at": f"2026-03-01T{hour:02d}:00:00Z"} for hour in range(10, 22)]
    refused = [
        {refusal["code"] for refusal in decide(client, ask(ledger(debtor_contacts=rows)))[0]["refusals"]}
        for rows in ([], many)
    ]
    assert "FREQUENCY_CAP" in refused[1] - refused[0]


def test_contacts_of_a_debtors_other_account_in_the_request_count_too(client: Any, ask: Any, ledger: Any) -> None:
    many = [{"channel": "sms", "occurred_at": f"2026-03-01T{hour:02d}:00:00Z"} for hour in range(10, 22)]
    same = {"region": "BR-SP", "debtor_id": "p1"}
    # The two ledgers give different tables, and are computed apart.
    pair = (ledger("a1", account=same), ledger("a2", account=same, contacts=many, promises=None))
    assert "FREQUENCY_CAP" in {refusal["code"] for refusal in decide(client, ask(*pair))[0]["refusals"]}


def test_a_request_without_payments_says_what_was_assumed(client: Any, ask: Any, ledger: Any) -> None:
    decision = decide(client, ask(ledger(payments=None), locale="en"))[0]
    assert any("payments" in notice for notice in decision["notices"])


def test_a_thousand_accounts_are_answered(client: Any, ask: Any, ledger: Any) -> None:
    answer = client.post("/v1/scores", json=ask(*(ledger(f"a{number}") for number in range(1_000))))
    assert answer.status_code == 200
    assert len(answer.json()["scores"]) == 1_000


def test_the_model_is_named(client: Any) -> None:
    answer = client.get("/v1/model")
    ModelAnswer.model_validate(answer.json())
    assert answer.json()["model_version"] == "7"


def test_unknown_codes_are_accepted_and_counted(client: Any, ask: Any, ledger: Any) -> None:
    rows = [{"channel": "carrier_pigeon", "occurred_at": "2026-01-20T10:00:00Z"}]
    decide(client, ask(ledger(contacts=rows)))
    assert 'acerto_unknown_codes_total{column="contacts.channel"}' in client.get("/metrics").text
    assert "carrier_pigeon" not in client.get("/metrics").text


def test_metrics_count_actions_and_refusals(client: Any, ask: Any) -> None:
    action = decide(client, ask())[0]["action"]
    text = client.get("/metrics").text
    assert f'acerto_actions_total{{action="{action}"}}' in text
    assert "acerto_refusals_total{code=" in text
    assert 'acerto_requests_total{method="POST",route="/v1/decisions",status="200"}' in text

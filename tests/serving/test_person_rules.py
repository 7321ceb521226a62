"""A rule on the person refuses where the debtor has other accounts and nobody says what contacts these had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.contact_policy import ContactPolicy
from decisioning.desk import load_desk
from decisioning.refusals import PERSON_UNCHECKED
from domain.clock import parse_moment
from serving.engine import Engine
from serving.ledgers import batches
from serving.schemas import Schemas, account_columns

AS_OF = "2026-03-02T12:00:00Z"
NAMED = {"region": "BR-SP", "debtor_id": "p1"}
Ask = Callable[..., list[dict[str, Any]]]


def ledger(account_id: str = "a1", **parts: Any) -> dict[str, Any]:
    """One account that owes 1,500.00 since January, with an empty history; keys overridable."""
    tables = ("debt_events", "payments", "contacts", "responses", "promises", "consents", "holds")
    debts = [{"debt_id": "d1", "amount": 1500.00, "due_on": "2026-01-10"}]
    return {"account_id": account_id, "debts": debts, **{table: [] for table in tables}, **parts}


@pytest.fixture(scope="module")
def policy() -> ContactPolicy:
    return load_desk(Path("configs")).contact_policy


@pytest.fixture(scope="module")
def decided(engine: Engine, schemas: Schemas) -> Ask:
    """The decisions of some accounts, in their order."""

    def decide(*accounts: dict[str, Any], locale: str = "en") -> list[dict[str, Any]]:
        body = schemas.decisions.model_validate({"as_of": AS_OF, "accounts": list(accounts)})
        found: dict[str, dict[str, Any]] = {}
        for batch in batches(body.accounts, account_columns({})):
            answers = engine.decisions(batch, as_of=parse_moment(AS_OF), explain="none", locale=locale, commit=False)
            found |= {answer["account_id"]: answer for answer in answers}
        return [found[account["account_id"]] for account in accounts]

    return decide


def refused_unchecked(decision: dict[str, Any]) -> list[dict[str, Any]]:
    return [refusal for refusal in decision["refusals"] if refusal["code"] == PERSON_UNCHECKED]


def test_a_named_debtor_is_not_contacted_unless_contacts_elsewhere_are_told(decided: Ask) -> None:
    [unchecked] = decided(ledger(account=NAMED, debtor_contacts=None))
    [checked] = decided(ledger(account=NAMED, debtor_contacts=[]))
    assert unchecked["channel"] in {"wait", "portal"}
    assert refused_unchecked(checked) == []
    assert {"sms", "agent_call"} <= {one["action"].split("/")[0] for one in refused_unchecked(unchecked)}


@pytest.mark.parametrize("account", [{"region": "BR-SP"}, {"region": "BR-SP", "debtor_id": "a1"}, None])
def test_an_account_that_names_no_other_debtor_needs_no_contacts_elsewhere(
    decided: Ask, account: dict[str, str] | None
) -> None:
    left_out, given_none = (decided(ledger(account=account, debtor_contacts=rows))[0] for rows in (None, []))
    assert left_out == given_none


def test_the_debtors_second_account_in_the_request_makes_others_known(decided: Ask) -> None:
    found = decided(ledger("p1", debtor_contacts=None), ledger("a2", account=NAMED, debtor_contacts=[]))
    assert [bool(refused_unchecked(one)) for one in found] == [True, False]


def test_each_rule_on_the_person_refuses_what_it_is_about_and_no_other_rule_does(
    decided: Ask, policy: ContactPolicy
) -> None:
    [decision] = decided(ledger(account=NAMED, debtor_contacts=None))
    on_person = {rule.id: rule for rule in policy.rules if rule.is_on_person}
    told = refused_unchecked(decision)
    assert {one["rule"] for one in told} == {*on_person}
    assert all(on_person[one["rule"]].covers(one["action"].split("/")[0]) for one in told)


def test_nobody_knows_until_when_and_the_notice_says_what_to_send(decided: Ask) -> None:
    [decision] = decided(ledger(account=NAMED, debtor_contacts=None))
    assert {(one["until"], one["allowed_from"]) for one in refused_unchecked(decision)} == {(None, None)}
    assert any("send debtor_contacts" in notice for notice in decision["notices"])


def test_the_refusal_is_worded_in_both_languages(decided: Ask) -> None:
    asked = ledger(account=NAMED, debtor_contacts=None)
    texts = {refused_unchecked(decided(asked, locale=locale)[0])[0]["text"] for locale in ("pt-BR", "en")}
    assert texts == {
        "Não se sabe dos contatos nas outras contas do devedor.",
        "What contacts there were on the debtor's other accounts is not known.",
    }


CHANNELS = st.sampled_from(["sms", "email", "whatsapp", "agent_call", "voice_bot"])
MOMENTS = st.integers(0, 40 * 24).map(
    lambda hours: f"2026-{1 + hours // 480:02d}-{1 + hours % 480 // 24:02d}T12:00:00Z"
)
CONTACTS = st.lists(st.fixed_dictionaries({"channel": CHANNELS, "occurred_at": MOMENTS}), max_size=6)
RESPONSES = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["refused", "opted_out", "replied"]), "channel": CHANNELS, "occurred_at": MOMENTS}
    ),
    max_size=3,
)
CONSENTS = st.lists(
    st.fixed_dictionaries(
        {"channel": CHANNELS, "status": st.sampled_from(["granted", "revoked"]), "occurred_at": MOMENTS}
    ),
    max_size=3,
)


@given(
    histories=st.lists(st.fixed_dictionaries({"contacts": CONTACTS, "responses": RESPONSES, "consents": CONSENTS}),
                       min_size=1, max_size=3),
    debtors=st.lists(st.sampled_from([None, "a0", "p1"]), min_size=3, max_size=3),
    others=st.lists(st.sampled_from([None, []]), min_size=3, max_size=3),
)  # fmt: skip
def test_saying_that_there_were_no_contacts_elsewhere_only_ever_opens_actions(
    decided: Ask, histories: list[dict[str, Any]], debtors: list[str | None], others: list[Any]
) -> None:
    accounts = [
        ledger(f"a{place}", account={"region": "BR-SP", "debtor_id": debtor}, debtor_contacts=contacts, **history)
        for place, (history, debtor, contacts) in enumerate(zip(histories, debtors, others, strict=False))
    ]
    before, after = (
        {one["action"] for one in decided({**accounts[0], "debtor_contacts": rows}, *accounts[1:])[0]["refusals"]}
        for rows in (None, [])
    )
    assert after <= before

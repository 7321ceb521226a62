"""What came of each contact: who answers which, what a letter shows, and which decision it carried out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from domain.clock import US_PER_DAY as DAY
from domain.tables import Tables
from features.encoding import encode
from training.receipts import RECEIVED, Receipts, contact_receipts

TablesOf = Callable[..., Tables]
Row = dict[str, Any]
NOON = 19_000 * DAY + DAY // 2


def contact(name: str, day: float = 0.0, **more: Any) -> Row:
    return {"contact_id": name, "account_id": "a", "channel": "sms", "occurred_at": NOON + int(day * DAY), **more}


def said(kind: str, day: float = 0.0, **more: Any) -> Row:
    return {"account_id": "a", "kind": kind, "occurred_at": NOON + int(day * DAY), **more}


def promised(day: float, **more: Any) -> Row:
    return {"account_id": "a", "kind": "promise", "occurred_at": NOON + int(day * DAY), **more}


def decided(name: str, day: float, **more: Any) -> Row:
    sms = {"channel": "sms", "offer": "none", "moment": "morning", "action_prob": 0.5}
    return {"decision_id": name, "account_id": "a", "decided_at": NOON + int(day * DAY), **sms, **more}


# A text that was read: its channel shows more than delivery, so that being delivered alone does not count on it.
ELSEWHERE = contact("shown", account_id="b"), said("read", 0.1, contact_id="shown", account_id="b")


def found_of(tables_of: TablesOf, contacts: list[Row], **tables: list[Row]) -> Receipts:
    given: dict[str, Any] = {
        "accounts": [{"account_id": "a"}, {"account_id": "b"}],
        "debts": [],
        "payments": [],
        "contacts": [*contacts, ELSEWHERE[0]],
        "responses": [ELSEWHERE[1], *tables.pop("responses", [])],
    }
    encoded = encode(tables_of(**given, **tables), attributes={})
    return contact_receipts(encoded, np.arange(len(tables.get("decisions", [])), dtype=np.int64))


def flagged(found: Receipts, flag: str) -> list[bool]:
    """The flag of the contacts given, in the order of account and time, without the one on the other account."""
    flags: np.ndarray = getattr(found, flag)
    return flags[found.account == 0].tolist()


def test_a_response_answers_the_contact_that_it_names_and_not_the_latest(tables_of: TablesOf) -> None:
    read = said("read", 2.5, contact_id="c0", channel="sms")
    assert flagged(found_of(tables_of, [contact("c0"), contact("c1", 2)], responses=[read]), "received") == [
        True,
        False,
    ]


def test_a_named_contact_is_answered_however_late(tables_of: TablesOf) -> None:
    read = said("read", 40, contact_id="c0")
    assert flagged(found_of(tables_of, [contact("c0")], responses=[read]), "received") == [True]


def test_a_response_that_names_none_answers_the_latest_before_it_on_its_channel(tables_of: TablesOf) -> None:
    contacts = [contact("c0"), contact("c1", 1), contact("c2", 2, channel="email"), contact("c3", 4)]
    found = found_of(tables_of, contacts, responses=[said("replied", 3, channel="sms")])
    assert flagged(found, "received") == [False, True, False, False]


@pytest.mark.parametrize(("day", "received"), [(0.0, True), (6.99, True), (7.0, False)])
def test_a_response_that_names_none_answers_within_seven_days(tables_of: TablesOf, day: float, received: bool) -> None:
    found = found_of(tables_of, [contact("c0")], responses=[said("replied", day, channel="sms")])
    assert flagged(found, "received") == [received]


def test_a_response_before_the_contact_does_not_answer_it(tables_of: TablesOf) -> None:
    found = found_of(tables_of, [contact("c0", 1)], responses=[said("replied", 0.9, channel="sms")])
    assert flagged(found, "received") == [False]


def test_a_response_on_another_account_answers_nothing_here(tables_of: TablesOf) -> None:
    elsewhere = said("replied", 1, channel="sms", account_id="b")
    assert flagged(found_of(tables_of, [contact("c0")], responses=[elsewhere]), "received") == [False]


def test_a_response_that_names_a_contact_nobody_knows_answers_by_channel_and_time(tables_of: TablesOf) -> None:
    strange = said("replied", 1, contact_id="never seen", channel="sms")
    assert flagged(found_of(tables_of, [contact("c0")], responses=[strange]), "received") == [True]


@pytest.mark.parametrize("kind", RECEIVED)
def test_what_only_a_receiver_can_say_shows_receipt(tables_of: TablesOf, kind: str) -> None:
    found = found_of(tables_of, [contact("c0")], responses=[said(kind, 0.1, contact_id="c0")])
    assert flagged(found, "received") == [True]


@pytest.mark.parametrize(
    "kind", ["delivered", "bounced", "answered", "no_answer", "voicemail", "hung_up", "wrong_party"]
)
def test_what_anybody_or_a_machine_can_say_shows_no_receipt(tables_of: TablesOf, kind: str) -> None:
    found = found_of(tables_of, [contact("c0")], responses=[said(kind, 0.1, contact_id="c0")])
    assert flagged(found, "received") == [False]


def test_a_letter_is_received_where_it_was_delivered_because_nothing_else_is_ever_seen(tables_of: TablesOf) -> None:
    letters = [contact("c0", channel="letter"), contact("c1", 9, channel="letter")]
    responses = [said("delivered", 2, contact_id="c0"), said("bounced", 11, contact_id="c1")]
    assert flagged(found_of(tables_of, letters, responses=responses), "received") == [True, False]


def test_an_agreement_by_letter_does_not_make_its_channel_one_that_shows_receipt(tables_of: TablesOf) -> None:
    letters = [contact("c0", channel="letter"), contact("c1", 30, channel="letter")]
    responses = [said("delivered", 2, contact_id="c0"), said("delivered", 32, contact_id="c1")]
    found = found_of(tables_of, letters, responses=responses, promises=[promised(1)])
    assert flagged(found, "received") == [True, True]


@pytest.mark.parametrize(("day", "agreed"), [(0.0, True), (2.99, True), (3.0, False), (-0.1, False)])
def test_a_promise_within_three_days_is_the_contacts(tables_of: TablesOf, day: float, agreed: bool) -> None:
    assert flagged(found_of(tables_of, [contact("c0")], promises=[promised(day)]), "agreed") == [agreed]


def test_a_promise_is_the_fruit_of_the_latest_contact_on_whatever_channel(tables_of: TablesOf) -> None:
    contacts = [contact("c0"), contact("c1", 1, channel="agent_call")]
    assert flagged(found_of(tables_of, contacts, promises=[promised(1.5)]), "agreed") == [False, True]


def test_who_agreed_has_received_although_no_response_says_so(tables_of: TablesOf) -> None:
    assert flagged(found_of(tables_of, [contact("c0")], promises=[promised(1)]), "received") == [True]


def test_a_promise_on_another_account_is_no_agreement_here(tables_of: TablesOf) -> None:
    found = found_of(tables_of, [contact("c0", account_id="b"), contact("c1")], promises=[promised(1, account_id="b")])
    assert flagged(found, "agreed") == [False]


def test_an_offer_accepted_is_an_agreement_without_a_promise(tables_of: TablesOf) -> None:
    found = found_of(tables_of, [contact("c0")], responses=[said("offer_accepted", 1, contact_id="c0")])
    assert flagged(found, "agreed") == [True]


def carried(found: Receipts) -> list[int]:
    return found.decision[found.account == 0].tolist()


def test_a_contact_carries_out_the_decision_that_it_names(tables_of: TablesOf) -> None:
    contacts = [contact("c0", 1, decision_id="q0"), contact("c1", 2)]
    found = found_of(tables_of, contacts, decisions=[decided("q0", 0), decided("q1", 0.5)])
    assert carried(found) == [0, -1]


def test_where_contacts_name_none_they_carry_out_the_latest_decision_for_their_channel(tables_of: TablesOf) -> None:
    decisions = [decided("q0", 0), decided("q1", 1), decided("q2", 2, channel="email"), decided("q3", 3)]
    assert carried(found_of(tables_of, [contact("c0", 2.5)], decisions=decisions)) == [1]


@pytest.mark.parametrize(("day", "row"), [(6.99, 0), (7.0, -1)])
def test_a_decision_waits_seven_days_to_be_carried_out(tables_of: TablesOf, day: float, row: int) -> None:
    assert carried(found_of(tables_of, [contact("c0", day)], decisions=[decided("q0", 0)])) == [row]


def test_a_decision_on_another_account_is_not_carried_out_here(tables_of: TablesOf) -> None:
    elsewhere = decided("q0", 0, account_id="b")
    found = found_of(tables_of, [contact("c0", 1)], decisions=[elsewhere])
    assert carried(found) == [-1]


def test_the_row_told_is_that_of_the_table_of_decisions_where_some_are_left_out(tables_of: TablesOf) -> None:
    tables = tables_of(
        accounts=[{"account_id": "a"}], debts=[], payments=[], responses=[], contacts=[contact("c0", 1.5)],
        decisions=[decided("q0", 1, channel="email"), decided("q1", 0), decided("q2", 1)],
    )  # fmt: skip
    found = contact_receipts(encode(tables, attributes={}), np.array([0, 2], dtype=np.int64))
    assert found.decision.tolist() == [2]


def test_a_contact_that_was_corrected_counts_once(tables_of: TablesOf) -> None:
    first = contact("c0", recorded_at=NOON)
    corrected = {**first, "occurred_at": NOON + DAY, "recorded_at": NOON + 2 * DAY}
    found = found_of(tables_of, [first, corrected])
    assert found.at_us[found.account == 0].tolist() == [NOON + DAY]


def test_a_response_that_was_corrected_says_what_it_said_last(tables_of: TablesOf) -> None:
    first = said("read", 0.1, contact_id="c0", response_id="r", recorded_at=NOON + DAY)
    found = found_of(
        tables_of, [contact("c0")], responses=[first, {**first, "kind": "bounced", "recorded_at": NOON + 2 * DAY}]
    )
    assert flagged(found, "received") == [False]


def test_contacts_of_accounts_that_nobody_knows_are_left_out(tables_of: TablesOf) -> None:
    found = found_of(tables_of, [contact("c0", account_id="stranger"), contact("c1")])
    assert len(found) == 2


def test_without_contacts_there_is_nothing_to_tell(tables_of: TablesOf) -> None:
    tables = tables_of(accounts=[{"account_id": "a"}], debts=[], payments=[])
    assert len(contact_receipts(encode(tables, attributes={}), np.zeros(0, dtype=np.int64))) == 0


@pytest.mark.parametrize(
    ("response", "complained"),
    [
        (said("complained", 30, contact_id="c0"), [True, False]),
        (said("complained", 3, channel="sms"), [True, False]),
        (said("complained", 3, channel="email"), [False, True]),
        (said("complained", 3), [False, True]),
        (said("complained", 20), [False, False]),
        (said("complained", 3, contact_id="elsewhere", channel="letter"), [False, False]),
        (said("read", 3, contact_id="c0"), [False, False]),
    ],
)
def test_a_complaint_is_of_the_contact_that_it_names_or_of_the_latest(
    tables_of: TablesOf, response: Row, complained: list[bool]
) -> None:
    contacts = [contact("c0"), contact("c1", 2, channel="email")]
    assert flagged(found_of(tables_of, contacts, responses=[response]), "complained") == complained


def test_a_response_that_names_no_channel_is_no_receipt(tables_of: TablesOf) -> None:
    assert flagged(found_of(tables_of, [contact("c0")], responses=[said("read", 1)]), "received") == [False]


def test_an_opt_out_is_said_or_is_a_consent_revoked_on_the_channel(tables_of: TablesOf) -> None:
    contacts = [contact("c0"), contact("c1", 2, channel="email"), contact("c2", 4, channel="whatsapp")]
    changed = [
        {"consent_id": f"k{n}", "account_id": "a", "channel": channel, "status": status,
         "occurred_at": NOON + 5 * DAY}
        for n, (channel, status) in enumerate([("email", "revoked"), ("whatsapp", "granted")])
    ]  # fmt: skip
    found = found_of(tables_of, contacts, responses=[said("opted_out", 1, contact_id="c0")], consents=changed)
    assert flagged(found, "opted_out") == [True, True, False]

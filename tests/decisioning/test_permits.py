from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from policy_worlds import tables_from

from decisioning import explanation
from decisioning.contact_policy.kinds import OneContactPerDebtor
from decisioning.desk import Desk
from decisioning.desk import desk as make_desk
from decisioning.engine import decide
from decisioning.permits import Permit, allowed_now, permit_json, permits
from decisioning.proposals import Proposal, proposal_from, proposal_of
from decisioning.records import decision_json, decision_row
from decisioning.refusals import PERMIT_TEXTS, TEXTS, refusal_text
from domain.actions import WAIT, ActionCatalogue
from domain.clock import from_us, parse_moment, rfc3339, to_us
from domain.errors import DataError, UnknownAccountError
from features.encoding import Encoded, encode

DECIDED = parse_moment("2026-03-02T12:30:00Z")
"""A Monday, half past nine in São Paulo."""
FIRST, END = parse_moment("2026-03-02T13:00:00Z"), parse_moment("2026-03-02T15:00:00Z")
NOON = parse_moment("2026-03-02T14:00:00Z")
MINUTE = timedelta(minutes=1)
DUE = datetime(2026, 1, 20).toordinal()  # noqa: DTZ001  # a day
Row = dict[str, Any]


def row(table: str, name: str, at: datetime, **values: Any) -> tuple[str, Row]:
    ids = {"payments": "payment_id", "debts": "debt_id", "debt_events": "event_id", "responses": "response_id",
           "contacts": "contact_id", "consents": "consent_id", "holds": "hold_id"}  # fmt: skip
    found = {"account_id": "a1", "occurred_at": at, "recorded_at": at, ids[table]: name}
    return table, found | values


def ledger(*more: tuple[str, Row]) -> Encoded:
    """A debtor who owes 1,000.00 on one account and 500.00 on another, and what is told beside."""
    issued = DECIDED - timedelta(days=90)
    rows: dict[str, list[Row]] = {name: [] for name in ("payments", "contacts", "responses", "promises", "holds")}
    rows |= {name: [] for name in ("consents", "debt_events")}
    rows["accounts"] = [
        {"account_id": name, "debtor_id": "p", "region": "BR-SP", "income": None} for name in ("a1", "a2")
    ]
    rows["debts"] = [
        row("debts", "d1", issued, amount=100_000, due_on=DUE)[1],
        row("debts", "d2", issued, amount=50_000, due_on=DUE, account_id="a2")[1],
    ]
    for table, one in more:
        rows[table].append(one)
    return encode(tables_from(rows), attributes={})


@pytest.fixture
def call(desk: Desk) -> Proposal:
    return Proposal(
        decision_id="x", account_id="a1", decided_at_us=to_us(DECIDED), action="agent_call/none/morning", arm="policy",
        debt_ids=("d1",), amount_due_cents=100_000, offer_amount_cents=100_000, instalment_cents=0,
        incremental_net_cents=500, not_before_us=to_us(FIRST), valid_until_us=to_us(END), reasons=(),
        policy_version=desk.policy_version,
    )  # fmt: skip


@pytest.fixture
def ask(desk: Desk, bundle: Any, call: Proposal) -> Any:
    def asked(*more: tuple[str, Row], at: datetime = NOON, desk: Desk = desk, **changed: Any) -> Permit:
        return allowed_now(ledger(*more), replace(call, **changed), at=at, bundle=bundle, desk=desk, locale="en")

    return asked


def test_a_call_is_permitted_in_its_span_where_nothing_changed(ask: Any) -> None:
    assert [ask(at=at).allowed for at in (FIRST, NOON, END - timedelta(microseconds=1))] == [True] * 3


def test_before_its_span_a_decision_says_from_when_on(ask: Any) -> None:
    permit = ask(at=FIRST - MINUTE)
    assert (permit.allowed, permit.codes, permit.allowed_from_us) == (False, ("NOT_YET",), to_us(FIRST))
    assert permit.changes[0].until_us == to_us(FIRST)


def test_at_its_end_a_decision_has_expired_and_nothing_helps(ask: Any) -> None:
    permit = ask(at=END)
    assert (permit.allowed, permit.codes, permit.allowed_from_us) == (False, ("EXPIRED",), None)


def test_a_decision_to_wait_is_never_a_permit_to_contact(ask: Any) -> None:
    permit = ask(action=WAIT)
    assert (permit.allowed, permit.codes) == (False, ("DECISION_WAITS",))


def test_a_debtor_of_the_hold_out_is_not_contacted_whatever_the_record_says(ask: Any) -> None:
    assert ask(arm="holdout").codes == ("DECISION_WAITS",)


def test_an_action_that_is_no_longer_configured_is_refused(ask: Any) -> None:
    permit = ask(action="carrier_pigeon/none/morning")
    assert (permit.allowed, permit.codes) == (False, ("UNKNOWN_ACTION",))


def test_a_changed_policy_is_told_and_refuses_nothing(ask: Any) -> None:
    permit = ask(policy_version="another")
    assert permit.allowed
    assert [(one.code, one.refuses) for one in permit.changes] == [("POLICY_CHANGED", False)]


@pytest.mark.parametrize("debt", ["d1", None, "nowhere"])
def test_a_payment_since_is_found_by_its_debt_or_without_one(ask: Any, debt: str | None) -> None:
    permit = ask(row("payments", "y", DECIDED + MINUTE, amount=100, debt_id=debt))
    assert not permit.allowed
    assert permit.codes[0] == "PAID_SINCE"


def test_a_payment_that_was_made_before_and_recorded_since_counts(ask: Any) -> None:
    late = row("payments", "y", DECIDED - MINUTE, amount=100, debt_id="d1", recorded_at=DECIDED + MINUTE)
    assert "PAID_SINCE" in ask(late).codes


def test_a_payment_known_at_the_decision_is_no_news(ask: Any) -> None:
    known = row("payments", "y", DECIDED - MINUTE, amount=100, debt_id="d1")
    assert ask(known, offer_amount_cents=99_900).allowed


def test_a_correction_of_a_known_payment_that_changes_nothing_is_no_payment(ask: Any) -> None:
    known = row("payments", "y", DECIDED - MINUTE, amount=100, debt_id="d1")
    corrected = row("payments", "y", DECIDED - MINUTE, amount=100, debt_id="d1", recorded_at=DECIDED + MINUTE,
                    method="pix")  # fmt: skip
    assert "PAID_SINCE" not in ask(known, corrected, offer_amount_cents=99_900, incremental_net_cents=0).codes


def test_a_payment_of_another_debt_is_none_of_the_decisions(ask: Any) -> None:
    other = row("debts", "d9", DECIDED - timedelta(days=5), amount=7_000, due_on=DUE + 100)
    paid = row("payments", "y", DECIDED + MINUTE, amount=7_000, debt_id="d9")
    assert ask(other, paid, incremental_net_cents=0).allowed


def test_a_payment_on_another_account_of_the_debtor_is_none_of_the_decisions(ask: Any) -> None:
    paid = row("payments", "y", DECIDED + MINUTE, amount=50_000, debt_id="d2", account_id="a2")
    assert ask(paid, incremental_net_cents=0).allowed


def test_a_payment_that_was_reversed_since_still_stops_the_contact(ask: Any) -> None:
    paid = row("payments", "y", DECIDED + MINUTE, amount=100, debt_id="d1")
    taken_back = row("payments", "z", DECIDED + 2 * MINUTE, amount=-100, debt_id="d1")
    assert ask(paid, taken_back).codes == ("PAID_SINCE",)


def test_a_debt_paid_in_full_leaves_nothing_to_be_asked_for(ask: Any) -> None:
    permit = ask(row("payments", "y", DECIDED + MINUTE, amount=100_000, debt_id="d1"))
    assert permit.codes == ("PAID_SINCE", "NOTHING_OWED")


def test_a_debt_that_was_written_down_changes_the_offer(ask: Any) -> None:
    permit = ask(row("debt_events", "e", DECIDED + MINUTE, kind="discount", amount=-10_000, debt_id="d1"))
    assert (permit.codes, permit.allowed_from_us) == (("OFFER_CHANGED",), None)


def test_an_offer_whose_amount_is_another_by_the_rules_of_now_has_changed(ask: Any) -> None:
    assert ask(action="agent_call/disc10/morning", offer_amount_cents=80_000).codes == ("OFFER_CHANGED",)


def test_a_hold_is_named_by_its_code_and_rule(ask: Any) -> None:
    permit = ask(row("holds", "h", DECIDED + MINUTE, kind="dispute", scope="debtor", account_id="a2"))
    assert [(one.code, one.rule) for one in permit.changes] == [("HOLD_DISPUTE", "br.hold.dispute")]
    assert permit.allowed_from_us is None


def test_a_contact_on_another_account_of_the_debtor_is_in_the_way_for_the_day(ask: Any, desk: Desk) -> None:
    alone = tuple(rule for rule in desk.contact_policy.rules if rule.kind == "one_contact_per_debtor")
    one_a_day = replace(desk, contact_policy=replace(desk.contact_policy, rules=alone))
    met = row("contacts", "c", DECIDED + MINUTE, channel="sms", account_id="a2")
    permit = ask(met, desk=one_a_day, incremental_net_cents=0)
    assert (permit.codes, permit.allowed_from_us) == (("DEBTOR_CONTACTED_ELSEWHERE",), None)
    assert rfc3339(permit.changes[0].until_us or 0) == "2026-03-03T03:00:00Z"


@pytest.mark.parametrize("changed", [{"channel": "portal"}, {"occurred_at": DECIDED - timedelta(days=1)}])
def test_what_was_no_contact_of_the_day_on_another_account_is_not(ask: Any, desk: Desk, changed: Row) -> None:
    alone = tuple(rule for rule in desk.contact_policy.rules if rule.kind == "one_contact_per_debtor")
    one_a_day = replace(desk, contact_policy=replace(desk.contact_policy, rules=alone))
    met = row("contacts", "c", DECIDED + MINUTE, **({"channel": "sms", "account_id": "a2"} | changed))
    assert ask(met, desk=one_a_day, incremental_net_cents=0).allowed


def dear(desk: Desk) -> Desk:
    """Where a call costs more than all that is owed."""
    actions = desk.catalogue.config
    call = actions.channels["agent_call"].model_copy(update={"unit_cost": 10_000.0})
    config = actions.model_copy(update={"channels": actions.channels | {"agent_call": call}})
    return make_desk(ActionCatalogue(config), desk.config, desk.contact_policy)


def test_a_contact_that_what_is_known_since_makes_worthless_is_refused(ask: Any, desk: Desk) -> None:
    news = row("responses", "r", DECIDED + MINUTE, kind="read", channel="sms")
    assert ask(news, desk=dear(desk)).codes == ("NOT_WORTH_IT",)


def test_a_contact_is_worth_it_exactly_where_a_full_decision_of_now_values_it(
    bundle: Any, desk: Desk, call: Proposal
) -> None:
    news = row("responses", "r", DECIDED + MINUTE, kind="read", channel="sms")
    found = ledger(news)
    rules = tuple(rule for rule in desk.contact_policy.rules if not isinstance(rule, OneContactPerDebtor))
    alone = replace(desk, contact_policy=replace(desk.contact_policy, rules=rules))
    now = decide(found, as_of=NOON, bundle=bundle, desk=alone, explain="full")[0]
    contacts = [one for one in now.candidates if one.action != WAIT]
    gains = {one.action: one.incremental_net_cents for one in contacts}
    terms = replace(call, valid_until_us=to_us(END + timedelta(hours=8)))
    asked = [
        replace(terms, action=one.action, offer_amount_cents=one.offer_amount_cents,
                instalment_cents=one.instalment_cents)
        for one in contacts
    ]  # fmt: skip
    given = permits(found, asked, at=NOON, bundle=bundle, desk=desk)
    told = {one.action: "NOT_WORTH_IT" in permit.codes for one, permit in zip(asked, given, strict=True)}
    assert told == {action: gain <= 0 for action, gain in gains.items()}
    assert {*told.values()} == {True, False}


def test_a_permit_computes_no_contributions_which_nobody_reads(
    ask: Any, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unasked(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(explanation, "shares", unasked)
    news = row("responses", "r", DECIDED + MINUTE, kind="read", channel="sms")
    assert ask(news, desk=dear(desk)).codes == ("NOT_WORTH_IT",)


def test_without_news_a_value_is_not_reckoned_anew(ask: Any, desk: Desk) -> None:
    assert ask(desk=dear(desk)).allowed


def test_what_was_explored_at_a_loss_is_not_held_to_its_value(ask: Any, desk: Desk) -> None:
    news = row("responses", "r", DECIDED + MINUTE, kind="read", channel="sms")
    assert ask(news, desk=dear(desk), incremental_net_cents=-1).allowed


def test_a_decision_on_another_account_than_the_ledgers_is_an_error(ask: Any) -> None:
    with pytest.raises(UnknownAccountError, match="found 1 of 1 decisions about an account that these ledgers do not"):
        ask(account_id="secret")


def test_the_error_on_an_unknown_account_does_not_repeat_its_id(ask: Any) -> None:
    with pytest.raises(UnknownAccountError) as error:
        ask(account_id="secret")
    assert "secret" not in str(error.value)


def test_decisions_of_the_engine_are_permitted_when_they_begin(encoded: Encoded, bundle: Any, desk: Desk) -> None:
    made = [one for one in decide(encoded, as_of=DECIDED, bundle=bundle, desk=desk) if one.action != WAIT]
    assert made
    for one in made:
        at = from_us(one.not_before_us)
        assert allowed_now(encoded, one, at=at, bundle=bundle, desk=desk).changes == ()


def test_permits_come_in_the_order_of_the_decisions(bundle: Any, desk: Desk, call: Proposal) -> None:
    both = [replace(call, decision_id="late", valid_until_us=to_us(NOON)), call, replace(call, decision_id="y")]
    found = permits(ledger(), both, at=NOON, bundle=bundle, desk=desk)
    assert [(one.decision_id, one.allowed) for one in found] == [("late", False), ("x", True), ("y", True)]


def test_no_decisions_are_no_permits(bundle: Any, desk: Desk) -> None:
    assert permits(ledger(), [], at=NOON, bundle=bundle, desk=desk) == []


def test_a_response_is_read_where_no_contact_was_ever_made(bundle: Any, desk: Desk) -> None:
    said = row("responses", "r", DECIDED - MINUTE, kind="opted_out", channel="agent_call")
    decision = decide(ledger(said), as_of=DECIDED, bundle=bundle, desk=desk)[0]
    assert "OPTED_OUT" in {refusal.code for refusal in decision.refusals}


def test_a_response_has_no_channel_by_a_contact_that_is_not_recorded_yet(bundle: Any, desk: Desk) -> None:
    met = row("contacts", "c", DECIDED - 2 * MINUTE, channel="email", recorded_at=DECIDED)
    said = row("responses", "r", DECIDED - MINUTE, kind="opted_out", contact_id="c")
    with_it, without = (
        decide(ledger(*rows), as_of=DECIDED, bundle=bundle, desk=desk)[0].refusals for rows in ((met, said), (said,))
    )
    assert with_it == without


def test_a_permit_is_json_with_moments_as_text(ask: Any) -> None:
    found = json.loads(json.dumps(permit_json(ask(at=FIRST - MINUTE))))
    assert found == {
        "decision_id": "x", "account_id": "a1", "at": "2026-03-02T12:59:00Z", "allowed": False,
        "allowed_from": "2026-03-02T13:00:00Z",
        "changes": [{"code": "NOT_YET", "text": "The decision may not be carried out yet.", "refuses": True,
                     "rule": None, "until": "2026-03-02T13:00:00Z"}],
    }  # fmt: skip


def test_codes_of_permits_have_both_languages_and_are_no_other_codes() -> None:
    assert not PERMIT_TEXTS.keys() & TEXTS.keys()
    for code in PERMIT_TEXTS:
        assert refusal_text(code, "pt-BR") != refusal_text(code, "en")


def test_the_page_on_permits_names_every_code_with_its_wording() -> None:
    page = (Path(__file__).parents[2] / "docs" / "work_list.md").read_text(encoding="utf-8")
    assert [code for code, (_, english) in PERMIT_TEXTS.items() if f"| `{code}` | {english} |" not in page] == []


def test_a_proposal_is_the_same_from_a_decision_its_row_and_its_answer(
    encoded: Encoded, bundle: Any, desk: Desk
) -> None:
    for one in decide(encoded, as_of=DECIDED, bundle=bundle, desk=desk):
        answer = json.loads(json.dumps(decision_json(one, explained=30)))
        assert proposal_from(decision_row(one)) == proposal_of(one) == proposal_from(answer)


@pytest.mark.parametrize(
    "field, value",
    [("action", None), ("decided_at", "2026-03-02"), ("offer_amount", "a lot"), ("amount_due", float("nan")),
     ("debt_ids", "d1"), ("reasons", [{}]), ("instalment_amount", "some")],
)  # fmt: skip
def test_a_record_that_cannot_be_read_names_the_field_and_not_its_value(
    encoded: Encoded, bundle: Any, desk: Desk, field: str, value: Any
) -> None:
    record = decision_row(decide(encoded, as_of=DECIDED, bundle=bundle, desk=desk)[0])
    with pytest.raises(DataError, match=f"whose {field} cannot be read"):
        proposal_from(record | {field: value})
    with pytest.raises(DataError, match=f"without {field}"):
        proposal_from({name: part for name, part in record.items() if name != field})

"""What contacts, deals and quiet months teach: only what is mature, and only as it was known then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decisioning.funnel import OTHER_CHANNEL, ROOF
from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY as DAY
from domain.config import load_section
from domain.tables import Tables
from features.batch import compute_many
from features.encoding import Encoded, encode
from features.schema import FeatureSchema, fit_schema
from features.spine import Spine
from training import contact_log as module
from training import labels, response_log
from training.config import TrainingConfig
from training.contact_log import ContactLog, Money, contact_log
from training.dataset import Horizon
from training.response_log import ResponseLog

TablesOf = Callable[..., Tables]
Row = dict[str, Any]
NOON = 19_000 * DAY + DAY // 2
END, LAG, VALUE_DAYS = 400, 3, 90
CATALOGUE = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
DEBT = {"debt_id": "d", "account_id": "a", "amount": 100_000, "due_on": 19_000, "occurred_at": NOON - 9 * DAY}


def contact(name: str, day: float, **more: Any) -> Row:
    return {"contact_id": name, "account_id": "a", "channel": "sms", "occurred_at": NOON + int(day * DAY), **more}


def decided(name: str, day: float, channel: str = "sms", **more: Any) -> Row:
    moment = "any" if channel == "wait" else "morning"
    found = {"decision_id": name, "account_id": "a", "channel": channel, "offer": "none", "moment": moment}
    return {**found, "decided_at": NOON + int(day * DAY), "action_prob": 0.5, **more}


def promised(day: float) -> Row:
    return {"account_id": "a", "kind": "promise", "occurred_at": NOON + int(day * DAY)}


def paid(day: float, amount: int) -> Row:
    return {"account_id": "a", "debt_id": "d", "amount": amount, "occurred_at": NOON + int(day * DAY)}


class Told:
    """Tables, and what the contact log makes of them when the data end on day ``END``."""

    def __init__(self, tables_of: TablesOf, **tables: list[Row]) -> None:
        rows: dict[str, Any] = {"accounts": [{"account_id": "a"}], "debts": [DEBT], "payments": []}
        rows |= {"contacts": [contact("c", 0)], "responses": [], "promises": [], "decisions": [decided("q", 0)]}
        self.encoded: Encoded = encode(tables_of(**(rows | tables)), attributes={})
        self.schema: FeatureSchema = fit_schema(self.encoded, attributes={})
        horizon = Horizon(NOON + END * DAY, LAG)
        money, config = labels.receipts(self.encoded), TrainingConfig()
        self.log: ResponseLog = response_log.response_log(
            self.encoded, self.schema, config, catalogue=CATALOGUE, money=money, horizon=horizon, value_days=VALUE_DAYS
        )
        worth = Money(money, horizon, VALUE_DAYS, 0.0)
        self.found: ContactLog = contact_log(
            self.encoded, self.schema, config, catalogue=CATALOGUE, money=worth, log=self.log
        )


def days_of(at_us: np.ndarray) -> list[float]:
    return ((at_us - NOON) / DAY).tolist()


def test_a_contact_whose_answer_may_still_come_is_not_learned_from(tables_of: TablesOf) -> None:
    contacts = [contact("c0", 10), contact("c1", END - 7), contact("c2", END - 6.9)]
    assert days_of(Told(tables_of, contacts=contacts).found.contacts.moments.as_of_us) == [10, END - 7]


def test_a_deal_is_learned_from_when_it_could_be_followed_for_a_month(tables_of: TablesOf) -> None:
    days = (10, END - 30 - LAG, END - 29 - LAG)
    told = Told(
        tables_of,
        contacts=[contact(f"c{day}", day) for day in days],
        promises=[promised(day + 0.5) for day in days],
    )
    assert days_of(told.found.deals.moments.as_of_us) == [10, END - 30 - LAG]


def test_a_quiet_moment_is_learned_from_when_it_could_be_followed_for_a_month(tables_of: TablesOf) -> None:
    at_us = Told(tables_of).found.quiet.as_of_us
    assert len(at_us) > 0
    assert at_us.max() + (30 + LAG) * DAY <= NOON + END * DAY


def test_contacts_on_accounts_that_owe_nothing_are_not_learned_from(tables_of: TablesOf) -> None:
    contacts = [contact("c0", 10), contact("c1", 20)]
    told = Told(tables_of, contacts=contacts, payments=[paid(15, 100_000)])
    assert days_of(told.found.contacts.moments.as_of_us) == [10]


def test_contacts_on_channels_no_longer_configured_are_not_learned_from(tables_of: TablesOf) -> None:
    contacts = [contact("c0", 10, channel="carrier_pigeon"), contact("c1", 20)]
    told = Told(tables_of, contacts=contacts)
    assert days_of(told.found.contacts.moments.as_of_us) == [20]


def test_flags_stay_with_their_contacts_where_some_are_left_out(tables_of: TablesOf) -> None:
    contacts = [contact("c0", 10, channel="carrier_pigeon"), contact("c1", 20), contact("c2", 30)]
    read = {"account_id": "a", "kind": "read", "contact_id": "c2", "occurred_at": NOON + 31 * DAY}
    told = Told(tables_of, contacts=contacts, responses=[read])
    assert told.found.received.tolist() == [False, True]


def test_values_are_those_known_at_the_contact(tables_of: TablesOf) -> None:
    told = Told(tables_of, contacts=[contact("c0", 10), contact("c1", 50)], payments=[paid(20, 30_000)])
    spine = Spine(np.zeros(2, dtype=np.int32), np.array([NOON + 10 * DAY, NOON + 50 * DAY]))
    np.testing.assert_array_equal(told.found.contacts.moments.values, compute_many(told.encoded, spine, told.schema))


@pytest.mark.parametrize("late", ["occurred", "recorded"])
def test_what_comes_or_is_recorded_after_a_contact_changes_none_of_its_values(tables_of: TablesOf, late: str) -> None:
    payment = paid(10.5, 30_000) if late == "occurred" else {**paid(9, 30_000), "recorded_at": NOON + 11 * DAY}
    contacts = [contact("c0", 10)]
    plain = Told(tables_of, contacts=contacts, payments=[])
    other = Told(tables_of, contacts=contacts, payments=[payment], promises=[promised(10.2)])
    np.testing.assert_array_equal(other.found.contacts.moments.values, plain.found.contacts.moments.values)


def test_the_hour_of_a_contact_is_the_debtors_own(tables_of: TablesOf) -> None:
    # 12:00 UTC is nine o'clock in São Paulo.
    assert Told(tables_of, contacts=[contact("c0", 10)]).found.contacts.hour.tolist() == [9.0]


def test_a_deal_brings_the_share_of_the_balance_that_came_back_within_the_value_horizon(tables_of: TablesOf) -> None:
    payments = [paid(15, 20_000), paid(60, 30_000), paid(10 + VALUE_DAYS, 40_000)]
    told = Told(tables_of, contacts=[contact("c0", 10)], promises=[promised(10.5)], payments=payments)
    assert told.found.deal_share.tolist() == pytest.approx([0.5])


def test_no_deal_brings_more_than_the_roof(tables_of: TablesOf) -> None:
    told = Told(tables_of, contacts=[contact("c0", 10)], promises=[promised(10.5)], payments=[paid(15, 500_000)])
    assert told.found.deal_share.tolist() == [ROOF]


def test_of_the_contacts_at_most_so_many_are_learned_from(tables_of: TablesOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", (5, 2))
    days = range(10, 200, 10)
    told = Told(
        tables_of, contacts=[contact(f"c{day}", day) for day in days], promises=[promised(day + 0.5) for day in days]
    )
    assert (len(told.found.contacts), len(told.found.deals)) == (5, 2)


def test_a_decision_is_heard_where_the_contact_that_carried_it_out_was_received(tables_of: TablesOf) -> None:
    contacts = [contact("c0", 1, decision_id="q0"), contact("c1", 21, decision_id="q1")]
    read = {"account_id": "a", "kind": "read", "contact_id": "c1", "occurred_at": NOON + 22 * DAY}
    told = Told(tables_of, contacts=contacts, responses=[read], decisions=[decided("q0", 0.5), decided("q1", 20)])
    assert told.found.heard.tolist() == [False, True]


def test_waiting_is_never_heard_even_where_a_contact_names_it(tables_of: TablesOf) -> None:
    read = {"account_id": "a", "kind": "read", "contact_id": "c0", "occurred_at": NOON + 2 * DAY}
    told = Told(
        tables_of,
        contacts=[contact("c0", 1, decision_id="q0")],
        responses=[read],
        decisions=[decided("q0", 0.5, "wait"), decided("q1", 20)],
    )
    assert told.found.heard.tolist() == [False, False]


def test_the_share_carried_out_is_drawn_towards_nine_in_ten(tables_of: TablesOf) -> None:
    contacts = [contact(f"c{day}", day + 0.5, decision_id=f"q{day}") for day in (0, 20)]
    decisions = [*(decided(f"q{day}", day) for day in (0, 20, 40)), decided("w", 60, "wait")]
    sent = Told(tables_of, contacts=contacts, decisions=decisions).found.sent
    assert sent == pytest.approx({"sms": (2 + 9) / (3 + 10), OTHER_CHANNEL: (2 + 9) / (3 + 10)})


def test_how_many_contacts_there_were_is_told(tables_of: TablesOf) -> None:
    contacts = [contact("c0", 1), contact("c1", 30)]
    told = Told(tables_of, contacts=contacts, promises=[promised(30.5)], decisions=[decided("q0", 0.5)])
    assert told.found.counts == {"contacts": 2, "received": 1, "agreed": 1, "of_logged_decisions": 1}


def test_without_contacts_there_are_none_and_quiet_moments_remain(tables_of: TablesOf) -> None:
    found = Told(tables_of, contacts=[]).found
    assert (len(found.contacts), len(found.deals), len(found.quiet) > 0) == (0, 0, True)


def test_goodwill_is_counted_on_every_contact_old_enough_to_have_been_answered(tables_of: TablesOf) -> None:
    contacts = [contact("c0", 0), contact("c1", 3, channel="email"), contact("c2", 5), contact("late", END - 6)]
    complained = [
        {"account_id": "a", "kind": "complained", "contact_id": name, "occurred_at": NOON + int(day * DAY)}
        for name, day in (("c2", 6), ("late", END - 5))
    ]
    found = Told(tables_of, contacts=contacts, responses=complained).found.annoyance
    assert found.by_channel(found.complained) == {"email": (1, 0), "sms": (2, 1)}


def test_goodwill_goes_with_the_debtor(tables_of: TablesOf) -> None:
    found = Told(tables_of, contacts=[contact("c0", 0), contact("c1", 3)]).found.annoyance
    assert [len(found.of(np.array([mine])).channel) for mine in (True, False)] == [2, 0]

"""Canonical rows as a log of offers: one account owes 1,000.00 and is decided on, by sms, on day 0."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY, to_us
from domain.config import load_section
from domain.errors import NotEnoughDataError
from domain.tables import Tables
from features.encoding import encode
from training.dataset import Horizon
from training.discount_learning import discount_learning
from training.offer_log import AFTER_DISCOUNT, IN_FULL, NOTHING, OfferLog, offer_log

NOON = to_us(datetime(2024, 1, 15, 12, tzinfo=UTC))
CATALOGUE = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
HORIZON = Horizon(NOON + 400 * US_PER_DAY, 3)
TablesOf = Callable[..., Tables]
ELIGIBLE = (
    "wait/none/any|sms/none/morning|sms/disc10/morning|sms/disc25/morning|email/none/morning|email/points/morning"
)
DISCOUNTED = {"promise_id": "p", "account_id": "a", "kind": "agreement", "amount": 90_000, "discount_amount": 10_000}


def at(day: float) -> int:
    return NOON + int(day * US_PER_DAY)


def paid(day: float, **more: Any) -> dict[str, Any]:
    return {"account_id": "a", "debt_id": "d", "amount": 5_000, "occurred_at": at(day), **more}


def decided(action: str, *, day: float = 0.0, eligible: str | None = ELIGIBLE) -> dict[str, Any]:
    channel, offer, moment = action.split("/")
    return {"account_id": "a", "channel": channel, "offer": offer, "moment": moment, "action_prob": 0.5,
            "eligible": eligible, "decided_at": at(day), "decision_id": f"x{day:g}"}  # fmt: skip


def read(tables_of: TablesOf, *decisions: dict[str, Any], **tables: Any) -> OfferLog:
    debt = {"debt_id": "d", "account_id": "a", "amount": 100_000, "due_on": NOON // US_PER_DAY - 90}
    rows: dict[str, Any] = {
        "accounts": [{"account_id": "a"}], "debts": [{**debt, "occurred_at": at(-500)}], "payments": [],
        "promises": [], "decisions": list(decisions),
    } | tables  # fmt: skip
    return offer_log(encode(tables_of(**rows), attributes={}), CATALOGUE, HORIZON, seed=0)


@pytest.mark.parametrize(
    ("day", "more", "taken", "later"),
    [
        (4.9, {}, True, False), (5.0, {}, False, True), (94.9, {}, False, True), (95.0, {}, False, False),
        (20.0, {"promise_id": "p"}, False, False),
    ],
    ids=["while it is valid", "just after", "on the last day", "after it", "at a discount"],
)  # fmt: skip
def test_a_payment_takes_the_offer_or_is_one_in_full_later(
    tables_of: TablesOf, day: float, more: Any, taken: bool, later: bool
) -> None:
    promise = {**DISCOUNTED, "occurred_at": at(-300)}
    found = read(tables_of, decided("sms/disc10/morning"), payments=[paid(day, **more)], promises=[promise])
    assert (found.taken[0], found.later[0]) == (taken, later)


def test_a_promise_that_names_the_decision_takes_its_offer_whenever_it_was_made(tables_of: TablesOf) -> None:
    promise = {**DISCOUNTED, "occurred_at": at(30), "decision_id": "x0"}
    found = read(tables_of, decided("sms/disc10/morning"), decided("sms/none/morning", day=60), promises=[promise])
    assert found.taken.tolist() == [True, False]


def test_a_debt_that_a_discount_closed_was_not_paid_in_full(tables_of: TablesOf) -> None:
    event = {"account_id": "a", "debt_id": "d", "kind": "discount", "amount": -100, "occurred_at": at(20)}
    found = read(tables_of, decided("sms/none/morning"), payments=[paid(20)], debt_events=[event])
    assert not found.later[0]


@pytest.mark.parametrize(
    ("payments", "expected"),
    [([], NOTHING), ([-10.0], IN_FULL), ([-366.0], NOTHING), ([-10.0, -20.0], AFTER_DISCOUNT)],
    ids=["nothing", "in full", "too long ago", "once at a discount"],
)
def test_how_was_paid_before_is_told_by_the_year_before(
    tables_of: TablesOf, payments: list[float], expected: int
) -> None:
    rows = [paid(day, promise_id="p" if place == 1 else None) for place, day in enumerate(payments)]
    promise = {**DISCOUNTED, "occurred_at": at(-300)}
    found = read(tables_of, decided("sms/none/morning"), payments=rows, promises=[promise])
    assert found.paid_before.tolist() == [expected]


def test_earlier_offers_are_those_that_contacts_carried_before_the_moment(tables_of: TablesOf) -> None:
    offers = {-30.0: "disc10", -20.0: "none", -10.0: "disc25", 0.0: "disc25", 5.0: "disc10"}
    contacts = [
        {"account_id": "a", "channel": "sms", "offer": name, "occurred_at": at(day)} for day, name in offers.items()
    ]
    assert read(tables_of, decided("sms/none/morning"), contacts=contacts).earlier.tolist() == [2]


@pytest.mark.parametrize(
    ("action", "share"),
    [("sms/none/morning", 1.0), ("sms/disc10/morning", 0.5), ("email/none/morning", 0.0), ("wait/none/any", 0.0)],
)
def test_only_channels_that_could_have_had_either_offer_are_compared(
    tables_of: TablesOf, action: str, share: float
) -> None:
    assert read(tables_of, decided(action)).share.tolist() == [share]


def test_where_what_was_eligible_is_not_known_nothing_is_read(tables_of: TablesOf) -> None:
    with pytest.raises(NotEnoughDataError, match="eligible"):
        read(tables_of, decided("sms/none/morning", eligible=None))


def test_without_decisions_it_is_said_that_nothing_is_available_and_why(tables_of: TablesOf) -> None:
    debt = {"debt_id": "d", "account_id": "a", "amount": 1, "due_on": 1, "occurred_at": NOON}
    tables = tables_of(accounts=[{"account_id": "a"}], debts=[debt], payments=[paid(0)], promises=[])
    told = discount_learning(encode(tables, attributes={}), CATALOGUE, HORIZON, seed=0)
    assert told["effects"] == {}
    assert "decisions" in told["not_available"][0]


def test_without_promises_and_debt_events_it_is_said_that_discounts_cannot_be_told(tables_of: TablesOf) -> None:
    debt = {"debt_id": "d", "account_id": "a", "amount": 1, "due_on": 1, "occurred_at": NOON}
    tables = tables_of(
        accounts=[{"account_id": "a"}], debts=[debt], payments=[paid(0)], decisions=[decided("sms/none/morning")]
    )
    told = discount_learning(encode(tables, attributes={}), CATALOGUE, HORIZON, seed=0)
    assert "at a discount or in full" in told["not_available"][0]

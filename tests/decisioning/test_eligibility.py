from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisioning.contact_policy import ContactPolicy, load_contact_policy
from decisioning.eligibility import Eligibility, Page, eligibility
from decisioning.moments import LocalDays
from decisioning.valuation import amount_due_cents, amounts
from domain.actions import WAIT
from domain.clock import MISSING, US_PER_DAY, US_PER_HOUR, from_us, local_days, to_us
from domain.tables import HOLD_KINDS
from domain.zones import local_us

PACKS = Path(__file__).parents[2] / "configs" / "contact_policy"
NOON = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


def _judged(desk: Any, states: Any, *, packs: tuple[str, ...] = ("br",)) -> Eligibility:
    policy = load_contact_policy(PACKS, packs, channels=desk.catalogue.channels)
    days = LocalDays(states.spine.as_of_us, states.local_day, states.zone, states.zone_names)
    asked = amounts(amount_due_cents(states), desk.catalogue.actions)
    return eligibility(Page(states, days, desk.catalogue, asked), policy)


def _codes(found: Eligibility, action: str, row: int = 0) -> dict[str, int | None]:
    return {refusal.code: refusal.until_us for refusal in found.refusals()[row] if refusal.action == action}


def _allowed(desk: Any, found: Eligibility, action: str) -> bool:
    return bool(found.allowed[0, desk.catalogue.index[action]])


def test_an_account_with_consents_may_be_contacted_and_protest_needs_an_approval(desk: Any, states: Any) -> None:
    found = _judged(desk, states())
    assert _allowed(desk, found, "whatsapp/disc10/morning")
    assert _codes(found, "protest/none/afternoon") == {"GATED_NEEDS_APPROVAL": None}


@pytest.mark.parametrize(("status", "code"), [(0, "NO_CONSENT"), (2, "CONSENT_REVOKED"), (3, "CONTACT_INVALID")])
def test_consents_refuse_as_the_channel_asks(desk: Any, states: Any, status: int, code: str) -> None:
    found = _judged(desk, states(consent=[[status] * len(desk.catalogue.channels)]))
    assert _codes(found, "whatsapp/none/morning") == {code: None}
    # What needs no consent is refused only where somebody said no.
    assert _codes(found, "sms/none/morning") == ({} if status == 0 else {code: None})


@pytest.mark.parametrize("kind", HOLD_KINDS)
def test_every_hold_stops_every_contact_in_brazil_and_none_in_the_open_pack(desk: Any, states: Any, kind: str) -> None:
    held = states(holds=[1 << HOLD_KINDS.index(kind)])
    found = _judged(desk, held)
    assert not found.allowed[0, 1:].any()
    assert _codes(found, "sms/none/morning") == {f"HOLD_{kind.upper()}": None}
    assert _allowed(desk, _judged(desk, held, packs=("open",)), "sms/none/morning")


def test_a_running_promise_stops_contact(desk: Any, states: Any) -> None:
    assert _codes(_judged(desk, states(active_promise=[True])), "sms/none/morning") == {"ACTIVE_PROMISE": None}


def test_an_account_that_owes_nothing_only_waits(desk: Any, states: Any) -> None:
    found = _judged(desk, states(balance_cents=[0], overdue_cents=[0], days_past_due=[MISSING]))
    assert found.allowed[0].tolist() == [True] + [False] * (len(desk.catalogue.actions) - 1)
    assert "NOTHING_OWED" in _codes(found, "sms/none/morning")


def test_an_unknown_time_zone_fails_closed(desk: Any, states: Any) -> None:
    found = _judged(desk, states(zone=[-1]), packs=("open",))
    assert not found.allowed[0, 1:].any()
    assert _codes(found, "sms/none/morning") == {"TIME_ZONE_UNKNOWN": None}


@given(dpd=st.integers(-20, 80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_offer_opens_at_the_local_midnight_of_its_first_day(desk: Any, states: Any, dpd: int) -> None:
    due_day = states().local_day[0] - dpd
    found = _judged(desk, states(days_past_due=[dpd]), packs=("open",))
    until = _codes(found, "sms/disc25/evening").get("OFFER_MIN_DAYS_PAST_DUE")
    assert (until is None) == (dpd >= 60)
    for step, opens in ((0, True), (-1, False)):
        if until is not None:
            then = from_us(until + step)
            day = int(local_days(local_us(np.array([until + step]), np.zeros(1, np.int32), ("America/Sao_Paulo",)))[0])
            later = states(as_of=then, local_day=[day], days_past_due=[day - due_day])
            assert _allowed(desk, _judged(desk, later, packs=("open",)), "sms/disc25/evening") is opens


@given(hours=st.lists(st.integers(1, 24 * 12), max_size=8), rolling=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_cap_lifts_exactly_when_it_says(desk: Any, states: Any, hours: list[int], rolling: bool) -> None:
    code = "br.cap.week" if rolling else "br.cap.day"
    contacts = [[(to_us(NOON) - hour * US_PER_HOUR, "sms") for hour in hours]]
    found = _judged(desk, states(contacts=contacts))
    untils = {refusal.rule: refusal.until_us for refusal in found.refusals()[0] if refusal.action == "sms/none/evening"}
    expected = sum(hour < 7 * 24 for hour in hours) >= 3 if rolling else any(hour <= 9 for hour in hours)
    assert (code in untils) is expected
    if expected:
        for step, stopped in ((0, False), (-1, True)):
            then = untils[code] + step
            day = int(local_days(local_us(np.array([then]), np.zeros(1, np.int32), ("America/Sao_Paulo",)))[0])
            later = _judged(desk, states(as_of=from_us(then), local_day=[day], contacts=contacts))
            rules = {refusal.rule for refusal in later.refusals()[0] if refusal.action == "email/none/evening"}
            assert (code in rules) is stopped


def test_the_portal_neither_counts_nor_is_capped(desk: Any, states: Any) -> None:
    at = to_us(NOON) - US_PER_HOUR
    on_portal = _judged(desk, states(contacts=[[(at - k, "portal") for k in range(9)]]))
    assert _allowed(desk, on_portal, "sms/none/morning")
    by_sms = _judged(desk, states(contacts=[[(at - k, "sms") for k in range(9)]]))
    assert _allowed(desk, by_sms, "portal/none/afternoon")


def test_a_cap_counts_each_row_apart(desk: Any, states: Any) -> None:
    at = to_us(NOON) - US_PER_HOUR
    rows = states(3, contacts=[[(at, "sms")], [], [(at - 2, "email"), (at - 1, "sms")]])
    found = _judged(desk, rows)
    position = desk.catalogue.index["sms/none/morning"]
    assert found.allowed[:, position].tolist() == [False, True, False]


@pytest.mark.parametrize(("hour", "over"), [(14, 0), (15, 1), (19, 1), (20, 2), (23, 3)])
def test_a_moment_that_is_over_today_returns_tomorrow(desk: Any, states: Any, hour: int, over: int) -> None:
    as_of = datetime(2026, 3, 2, hour, tzinfo=UTC)  # three hours ahead of São Paulo
    found = _judged(desk, states(as_of=as_of), packs=("open",))
    ended = [
        moment for moment in ("morning", "afternoon", "evening") if not _allowed(desk, found, f"sms/none/{moment}")
    ]
    assert ended == ["morning", "afternoon", "evening"][:over]
    if over:
        until = _codes(found, "sms/none/morning")["MOMENT_OVER"]
        assert until == to_us(datetime(2026, 3, 3, 11, tzinfo=UTC))


def test_a_floor_refuses_small_plans(desk: Any, states: Any) -> None:
    small = states(balance_cents=[29_999], overdue_cents=[29_999])
    assert _codes(_judged(desk, small), "sms/inst6/morning") == {"OFFER_FLOOR": None}


def test_a_rule_that_is_not_in_force_yet_refuses_nothing(desk: Any, states: Any) -> None:
    policy = load_contact_policy(PACKS, ("br",), channels=desk.catalogue.channels)
    tomorrow = (NOON + timedelta(days=1)).date()
    later = ContactPolicy(("br",), tuple(replace_from(rule, tomorrow) for rule in policy.rules))
    held = states(holds=[1])
    days = LocalDays(held.spine.as_of_us, held.local_day, held.zone, held.zone_names)
    page = Page(held, days, desk.catalogue, amounts(amount_due_cents(held), desk.catalogue.actions))
    assert eligibility(page, later).allowed[0, desk.catalogue.index["sms/none/morning"]]
    in_force = replace(days, day=days.day + 1, as_of_us=days.as_of_us + US_PER_DAY)
    assert not eligibility(replace(page, days=in_force), later).allowed[0, 1:].any()


def replace_from(rule: Any, day: Any) -> Any:
    return rule.model_copy(update={"effective_from": day})


@given(data=st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_waiting_is_always_allowed_and_every_refused_action_says_why(
    desk: Any, states: Any, data: st.DataObject
) -> None:
    n, channels = 4, len(desk.catalogue.channels)
    ints = lambda low, high: data.draw(st.lists(st.integers(low, high), min_size=n, max_size=n))  # noqa: E731
    found = _judged(
        desk,
        states(
            n, holds=ints(0, 511), zone=ints(-1, 1), days_past_due=ints(-30, 120), balance_cents=ints(-10, 100_000),
            consent=[[value] * channels for value in ints(0, 3)],
            contacts=[[(to_us(NOON) - hour * US_PER_HOUR, "sms")] for hour in ints(1, 300)],
        ),
    )  # fmt: skip
    assert found.allowed[:, 0].all()
    for row, refusals in enumerate(found.refusals(locale="en")):
        refused = {refusal.action for refusal in refusals}
        assert refused == {name for name, fine in zip(found.names, found.allowed[row], strict=True) if not fine}
        assert WAIT not in refused
        assert all(refusal.text and refusal.rule for refusal in refusals)

"""The price of pressure, and the cap on it against plain counting."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.config import Arms, Exploration, Objective
from decisioning.contact_policy.pressure import PressureCap
from decisioning.desk import Desk
from decisioning.desk import desk as make_desk
from decisioning.engine import decide
from decisioning.moments import LocalDays
from decisioning.pressure import pressure_carried
from decisioning.records import decision_json
from decisioning.response import Outcomes
from decisioning.restrictions.page import Page
from decisioning.restrictions.pressure import pressure_cap
from decisioning.valuation import Worth, amounts, worth
from domain.clock import FOREVER, MISSING, US_PER_DAY, US_PER_HOUR, parse_moment
from domain.decisions import Decision

AS_OF = parse_moment("2026-03-02T12:30:00Z")
NOW = 20_500 * US_PER_DAY
WORDING = {"pt-BR": "não", "en": "no"}
HOURS = st.lists(st.tuples(st.integers(0, 24 * 60), st.integers(-1, 8)), max_size=14)
"""Contacts: hours before now, and the position of a configured channel or -1."""


def _states(contacts: list[tuple[int, int]]) -> Any:
    told = sorted((NOW - US_PER_HOUR * hours - 1, channel) for hours, channel in contacts)
    return SimpleNamespace(
        contact_offsets=np.array([0, len(told)]),
        contact_at_us=np.array([at_us for at_us, _ in told], dtype=np.int64),
        contact_channel=np.array([channel for _, channel in told], dtype=np.int32),
    )


def _page(desk: Desk, contacts: list[tuple[int, int]]) -> Page:
    days = LocalDays(np.array([NOW]), np.array([20_500]), np.zeros(1, dtype=np.int32), ("UTC",))
    asked = amounts(np.array([100_000]), desk.catalogue.actions)
    return Page(_states(contacts), days, desk.catalogue, asked)


@given(contacts=HOURS, most=st.integers(1, 60), days=st.integers(1, 59))
@settings(deadline=None)
def test_an_action_is_refused_until_plain_counting_says_that_it_fits(
    desk: Desk, contacts: list[tuple[int, int]], most: int, days: int
) -> None:
    rule = PressureCap.model_validate(
        {"id": "x.cap", "kind": "pressure_cap", "max_pressure": most / 10, "days": days, "legal_basis": "a law",
         "wording": WORDING}
    )  # fmt: skip
    page = _page(desk, contacts)
    blocked = pressure_cap(rule, page)
    found = [MISSING] * len(desk.catalogue.actions) if blocked is None else blocked.until_us[0].tolist()
    tenths = [round(10 * channel.intrusiveness) for channel in desk.catalogue.config.channels.values()] + [10]
    ends = [(NOW - US_PER_HOUR * hours - 1 + days * US_PER_DAY, tenths[channel]) for hours, channel in contacts]
    for place, action in enumerate(desk.catalogue.actions):
        own = round(10 * action.intrusiveness)
        fits = [at for at in (MISSING, *(end for end, _ in ends)) if own + sum(w for e, w in ends if e > at) <= most]
        assert found[place] == min(fits, default=FOREVER)


@given(contacts=HOURS)
@settings(deadline=None)
def test_what_is_carried_is_the_intrusiveness_of_the_contacts_of_thirty_days(
    desk: Desk, contacts: list[tuple[int, int]]
) -> None:
    weight = [*(channel.intrusiveness for channel in desk.catalogue.config.channels.values()), 1.0]
    carried = pressure_carried(_states(contacts), desk.catalogue, as_of_us=np.array([NOW]))
    assert carried[0] == pytest.approx(sum(weight[channel] for hours, channel in contacts if hours < 30 * 24))


def _worth(price: float, *, carried: float = 0.0, p_sent: float | None = None) -> Worth:
    quiet, call = (
        SimpleNamespace(discount_pct=0.0, instalments=1, unit_cost=0.0, offer_cost=0.0, intrusiveness=one)
        for one in (0.0, 0.5)
    )
    pairs = ([0.2, 0.3], [0.0, 0.004], [0.0, 0.02], [0.5, 0.6], [0.1, 0.15])
    outcomes = Outcomes(*(np.array([pair]) for pair in pairs))
    if p_sent is not None:
        outcomes = replace(outcomes, p_sent=np.array([[1.0, p_sent]]))
    actions: list[Any] = [quiet, call]
    asked = amounts(np.array([153_000]), actions)
    return worth(outcomes, asked, actions, Objective(pressure_price=price), carried=np.array([carried]))


def test_without_a_price_pressure_changes_no_objective() -> None:
    found = _worth(0.0, carried=5.0)
    assert found.objective_cents.tolist() == found.net_cents.tolist()


def test_pressure_costs_its_price_where_it_is_sent_and_more_with_what_is_carried() -> None:
    found = _worth(2.0, carried=3.0, p_sent=0.8)
    # 2.00 for a unit, half a unit, sent four times in five, four times as dear with three units carried.
    assert found.pressure_cents[0].tolist() == pytest.approx([0.0, 200 * 0.5 * 0.8 * 4])
    assert found.objective_cents[0, 1] == pytest.approx(found.net_cents[0, 1] - 320)


def test_the_price_of_pressure_is_in_no_value() -> None:
    assert _worth(2.0, carried=3.0).net_cents.tolist() == _worth(0.0).net_cents.tolist()


@given(price=st.floats(0.01, 100), carried=st.floats(0, 30), more=st.floats(0.1, 10))
def test_the_more_is_carried_the_dearer_is_the_next_contact(price: float, carried: float, more: float) -> None:
    lighter, heavier = _worth(price, carried=carried), _worth(price, carried=carried + more)
    assert heavier.objective_cents[0, 1] < lighter.objective_cents[0, 1]
    assert heavier.objective_cents[0, 0] == lighter.objective_cents[0, 0]


def test_thirty_days_are_over_after_thirty_days(desk: Desk) -> None:
    at = [NOW - timedelta(days=30) // timedelta(microseconds=1) + step for step in (-1, 0)]
    states: Any = SimpleNamespace(
        contact_offsets=np.array([0, 2]), contact_at_us=np.array(at), contact_channel=np.array([0, 0], dtype=np.int32)
    )
    first = next(iter(desk.catalogue.config.channels.values()))
    assert pressure_carried(states, desk.catalogue, as_of_us=np.array([NOW])).tolist() == [first.intrusiveness]


def _decided(encoded: Any, bundle: Any, desk: Desk, price: float) -> list[Decision]:
    config = desk.config.model_copy(
        update={"objective": Objective(pressure_price=price), "exploration": Exploration(share=0.0), "arms": Arms()}
    )
    return decide(
        encoded, as_of=AS_OF, bundle=bundle, desk=make_desk(desk.catalogue, config, desk.contact_policy), explain="full"
    )


def test_each_candidate_tells_what_its_pressure_counts_against_it(encoded: Any, bundle: Any, desk: Desk) -> None:
    costs = {
        one["action"]: one["pressure_cost"]
        for decision in _decided(encoded, bundle, desk, 2.0)
        for one in decision_json(decision, explained=30)["candidates"]
    }
    assert costs["wait/none/any"] == 0.0
    assert costs["agent_call/none/morning"] >= 2.0


def test_at_a_price_beyond_all_that_is_owed_nobody_is_pressed(encoded: Any, bundle: Any, desk: Desk) -> None:
    free, dear = (_decided(encoded, bundle, desk, price) for price in (0.0, 1e9))
    assert {decision.channel for decision in free} != {"wait"}
    assert {decision.channel for decision in dear} == {"wait"}

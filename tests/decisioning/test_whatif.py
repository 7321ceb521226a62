"""What if: frontiers that nothing exceeds, and single changes that do what they say."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from decisioning import whatif
from decisioning.arms import Arms
from decisioning.budgets import Capacity
from decisioning.config import DecisionConfig, Exploration, Priors
from decisioning.desk import Desk
from decisioning.desk import desk as make_desk
from decisioning.engine import decide
from decisioning.whatif import FRONTIERS, Weighed, frontier, scenario, weigh
from domain.clock import parse_moment
from domain.errors import ConfigError
from features.encoding import encode

AS_OF = parse_moment("2026-03-02T12:30:00Z")
ACCOUNTS, WIDTH = 4, 4
whole = st.integers(0, 40).map(float)


@pytest.fixture(scope="module")
def actions(desk: Desk) -> Any:
    return desk.catalogue.actions[:WIDTH]


@pytest.fixture(scope="module")
def many(portfolio: Any) -> Any:
    return encode(portfolio(120), attributes={})


@pytest.fixture(scope="module")
def priors(desk: Desk) -> Desk:
    """A desk whose priors make calls and discounts worth something."""
    own = Priors(reach={"agent_call": 0.7}, lift={"agent_call": 1.3, "disc10": 2.0})
    return configured(desk, priors=own)


@pytest.fixture(scope="module")
def bundle(bundle: Any) -> Any:
    return replace(bundle, response=None)


def configured(desk: Desk, **changed: Any) -> Desk:
    config = DecisionConfig.model_validate(desk.config.model_copy(update=changed).model_dump())
    return make_desk(desk.catalogue, config, desk.contact_policy)


def weighed(actions: Any, gain: Any, cost: Any, allowed: Any) -> Weighed:
    """Four accounts whose waiting is worth 100 each and costs nothing."""
    gain, cost = gain.copy(), cost.copy()
    gain[:, 0], cost[:, 0], allowed = 0.0, 0.0, allowed | (np.arange(WIDTH) == 0)
    net = np.where(allowed, 100.0 + gain - cost, -np.inf)
    nothing = np.zeros(net.shape)
    return Weighed(actions, net, np.where(allowed, 100.0 + gain, 0.0), np.where(allowed, cost, 0.0), cost / 1_000.0,
                   nothing, nothing, net)  # fmt: skip


numbers = arrays.arrays(np.float64, (ACCOUNTS, WIDTH), elements=whole)
masks = arrays.arrays(np.bool_, (ACCOUNTS, WIDTH))


@settings(deadline=None)
@given(gain=numbers, cost=numbers, allowed=masks, on=st.sampled_from(FRONTIERS))
def test_no_choice_that_uses_as_little_gains_more(actions: Any, gain: Any, cost: Any, allowed: Any, on: str) -> None:
    found = weighed(actions, gain, cost, allowed)
    use = found._use(on)
    every = [np.array(choice) for choice in product(range(WIDTH), repeat=ACCOUNTS)]
    rows = np.arange(ACCOUNTS)
    reached = [(use[rows, one].sum(), found.net[rows, one].sum()) for one in every]
    for point in frontier(found, on):
        chosen = found.under(point.price, on)
        used = use[rows, chosen].sum()
        assert max(net for spent, net in reached if spent <= used + 1e-9) <= point.totals.net + 1e-6


@settings(deadline=None)
@given(gain=numbers, cost=numbers, allowed=masks, on=st.sampled_from(FRONTIERS))
def test_along_a_frontier_less_is_used_and_less_is_gained(
    actions: Any, gain: Any, cost: Any, allowed: Any, on: str
) -> None:
    found = weighed(actions, gain, cost, allowed)
    points = frontier(found, on)
    used = [found._use(on)[np.arange(ACCOUNTS), found.under(one.price, on)].sum() for one in points]
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(used))
    gains = [one.totals.gained for one in points]
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(gains))


@settings(deadline=None)
@given(gain=numbers, cost=numbers, allowed=masks)
def test_the_first_point_is_the_policy_as_it_is(actions: Any, gain: Any, cost: Any, allowed: Any) -> None:
    found = weighed(actions, gain, cost, allowed)
    assert {frontier(found, on)[0].totals for on in FRONTIERS} == {found.totals(found.best)}


def test_at_the_highest_price_nobody_is_contacted(actions: Any) -> None:
    gain = np.arange(16.0).reshape(ACCOUNTS, WIDTH) + 1.0
    found = weighed(actions, gain, np.full((ACCOUNTS, WIDTH), 0.5), np.ones((ACCOUNTS, WIDTH), dtype=np.bool_))
    assert frontier(found, "contacts")[-1].totals.contacts == 0


def test_what_is_weighed_is_what_would_be_decided(many: Any, bundle: Any, priors: Desk) -> None:
    calm = configured(priors, exploration=Exploration(share=0.0), arms=Arms())
    decided = decide(many, as_of=AS_OF, bundle=bundle, desk=calm, explain="none")
    found = weigh(many, as_of=AS_OF, bundle=bundle, desk=calm)
    totals = found.totals(found.best)
    assert totals.accounts == len(decided)
    assert totals.contacts == sum(one.channel != "wait" for one in decided)
    # Decisions are rounded to cents, one by one.
    assert totals.net == pytest.approx(
        sum(one.chosen.expected_net_cents for one in decided) / 100, abs=0.005 * len(decided)
    )


def test_exploring_and_arms_have_no_part_in_it(many: Any, bundle: Any, priors: Desk) -> None:
    wild = configured(priors, exploration=Exploration(share=0.9), arms=Arms(holdout=0.5))
    both = [scenario("", many, as_of=AS_OF, bundle=bundle, desk=one).totals for one in (priors, wild)]
    assert both[0] == both[1]


def test_one_more_of_what_is_scarce_is_worth_about_its_price(many: Any, bundle: Any, priors: Desk) -> None:
    scarce = whatif.with_capacity(priors, "agent_call", per_day=5)
    before = scenario("", many, as_of=AS_OF, bundle=bundle, desk=scarce)
    after = scenario("", many, as_of=AS_OF, bundle=bundle, desk=whatif.with_capacity(scarce, "agent_call", more=1))
    price = next(iter(before.prices.values()))
    assert price > 0
    # The next unit goes to an account where it is worth no more than the last: the price bounds it from above.
    assert 0 < after.totals.net - before.totals.net <= price + 0.01


def test_a_rule_that_is_switched_off_forbids_nothing(many: Any, bundle: Any, priors: Desk) -> None:
    rule = "br.cap.week"
    off = whatif.without_rule(priors, rule)
    assert rule not in {one.id for one in off.contact_policy.rules}
    assert len(off.contact_policy.rules) == len(priors.contact_policy.rules) - 1
    as_it_is, without = (scenario("", many, as_of=AS_OF, bundle=bundle, desk=one).totals.net for one in (priors, off))
    assert without >= as_it_is - 1e-6


def test_a_cap_is_another_number_in_its_rule(priors: Desk) -> None:
    capped = whatif.with_cap(priors, "br.cap.week", 1)
    assert {one.max_contacts for one in capped.contact_policy.rules if one.id == "br.cap.week"} == {1}  # type: ignore[attr-defined]


def test_minutes_are_added_where_minutes_are_limited(priors: Desk) -> None:
    timed = configured(priors, capacities={"agent_call": Capacity(minutes_per_day=60, minutes_per_contact=4)})
    longer = whatif.with_capacity(timed, "agent_call", more=240).config.capacities["agent_call"]
    assert (longer.minutes_per_day, longer.per_day) == (300, None)


def test_unknown_names_are_refused_with_those_that_there_are(priors: Desk) -> None:
    with pytest.raises(ConfigError, match=r"'fax', needed one of .*sms"):
        whatif.with_capacity(priors, "fax", per_day=1)
    with pytest.raises(ConfigError, match=r"'br\.nothing', needed one of .*br\.cap\.week"):
        whatif.without_rule(priors, "br.nothing")
    with pytest.raises(ConfigError, match="needed a frequency_cap"):
        whatif.with_cap(priors, "br.promise.active", 2)
    with pytest.raises(ConfigError, match="no capacity of 'sms' to add to"):
        whatif.with_capacity(priors, "sms", more=10)

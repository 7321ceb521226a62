"""What would change a decision: nothing is claimed that does not come true when it is decided anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.allocation.allotted import unlimited
from decisioning.arms import Arms
from decisioning.changes import changes, cost_rise_cents
from decisioning.changes_features import STEPS, steps_of
from decisioning.changes_rules import MOST
from decisioning.contact_policy.pack import ContactPolicy
from decisioning.desk import desk as make_desk
from decisioning.eligibility import eligibility
from decisioning.engine import decide
from decisioning.offers import Offers, lots_of, offers, weighed
from decisioning.pages import owing, spine_at
from decisioning.valuation import worth
from domain.clock import parse_moment, to_us
from domain.coded import coded
from domain.decisions import Change
from features.catalogue import CATALOGUE, feature
from features.config import Attribute
from features.definitions import Windowed
from features.encoding import Encoded, encode
from features.records import GRANTED
from features.schema import declared_features
from features.vocabulary import SOURCE_TABLE

AS_OF = parse_moment("2026-03-02T12:30:00Z")
GREEDY = {"share": 0.0}


@pytest.fixture(scope="module")
def plain(desk: Any) -> Any:
    """The desk without exploration and without arms: what is chosen is what is best."""
    quiet = desk.config.exploration.model_copy(update=GREEDY)
    config = desk.config.model_copy(update={"arms": Arms(holdout=0.0), "exploration": quiet})
    return make_desk(desk.catalogue, config, desk.contact_policy)


@pytest.fixture(scope="module")
def apart(portfolio: Any) -> Encoded:
    """Accounts of which each is its debtor's only one, so that lifting a rule lifts it on that account alone."""
    tables = portfolio(60)
    tables.columns["accounts"]["debtor_id"] = coded([f"p{row}" for row in range(60)])
    return encode(tables, attributes={})


@pytest.fixture(scope="module", params=["learned", "priors"])
def model(bundle: Any, request: pytest.FixtureRequest) -> Any:
    return bundle if request.param == "learned" else replace(bundle, response=None)


def offered(encoded: Encoded, model: Any, desk: Any) -> Offers:
    accounts = owing(encoded, to_us(AS_OF), channels=desk.catalogue.channels).astype(np.int64)
    return offers(encoded, spine_at(accounts, to_us(AS_OF)), model, desk)


def told(found: Offers, encoded: Encoded, model: Any, desk: Any, *, kind: str) -> list[tuple[int, Change]]:
    given_ = unlimited(found, lots_of(found, encoded, desk), desk.config.exploration)
    rows = changes(found, given_, model, desk)
    return [(row, one) for row, some in enumerate(rows) for one in some if one.kind == kind]


def best(found: Offers, row: int, objective: np.ndarray | None = None, allowed: np.ndarray | None = None) -> str:
    objective = found.money.objective_cents[row] if objective is None else objective
    allowed = found.eligible.allowed[row] if allowed is None else allowed
    return found.page.catalogue.actions[int(np.argmax(np.where(allowed, objective, -np.inf)))].name


def test_without_the_rule_the_action_it_is_said_of_is_chosen(apart: Encoded, model: Any, plain: Any) -> None:
    found = offered(apart, model, plain)
    packs = {rule.id for rule in plain.contact_policy.rules}
    claims = [(row, one) for row, one in told(found, apart, model, plain, kind="rule") if one.rule in packs]
    assert claims
    for row, one in claims:
        left = tuple(rule for rule in plain.contact_policy.rules if rule.id != one.rule)
        without = replace(plain, contact_policy=ContactPolicy(plain.contact_policy.packs, left))
        account = found.spine.account[row : row + 1].astype(np.int64)
        again = decide(apart, as_of=AS_OF, bundle=model, desk=without, accounts=account, explain="full")[0]
        assert again.action == one.action
        objective = next(c for c in again.candidates if c.action == one.action)
        was = np.where(found.eligible.allowed[row], found.money.net_cents[row], -np.inf).max()
        assert objective.expected_net_cents - was == pytest.approx(one.gain_cents, abs=1.0)


def test_with_the_consent_the_action_it_is_said_of_is_chosen(portfolio: Any, bundle: Any, plain: Any) -> None:
    priors, tables = replace(bundle, response=None), portfolio(60)
    tables.columns["accounts"]["debtor_id"] = coded([f"p{row}" for row in range(60)])
    encoded = encode(tables, attributes={})
    found = offered(encoded, priors, plain)
    claims = [(row, one) for row, one in told(found, encoded, priors, plain, kind="rule") if one.code == "NO_CONSENT"]
    assert claims
    assert {one.by for _, one in claims} == {"debtor"}
    for row, one in claims:
        channel = plain.catalogue.channels.index(one.action.split("/")[0])
        status = found.page.states.consent.copy()
        status[row, channel] = GRANTED
        page = replace(found.page, states=replace(found.page.states, consent=status))
        allowed = eligibility(page, plain.contact_policy).allowed
        money = weighed(page, found.values, found.p_pay, priors, plain, allowed=allowed)[1]
        assert best(found, row, money.objective_cents[row], allowed[row]) == one.action


def test_a_rule_that_kept_nothing_better_away_is_not_named(apart: Encoded, model: Any, plain: Any) -> None:
    found = offered(apart, model, plain)
    named = {(row, one.rule) for row, one in told(found, apart, model, plain, kind="rule")}
    quiet = 0
    for rule in plain.contact_policy.rules:
        left = tuple(one for one in plain.contact_policy.rules if one.id != rule.id)
        without = replace(plain, contact_policy=ContactPolicy(plain.contact_policy.packs, left))
        again = offered(apart, model, without)
        for row in range(len(again.values)):
            if best(again, row) == best(found, row):
                assert (row, rule.id) not in named
                quiet += 1
    assert quiet > 0


def test_where_another_account_has_the_contact_of_the_day_no_other_rule_is_blamed(
    encoded: Encoded, bundle: Any, plain: Any
) -> None:
    found = offered(encoded, bundle, plain)
    (left,) = found.eligible.elsewhere.values()
    index, blamed = plain.catalogue.index, told(found, encoded, bundle, plain, kind="rule")
    assert left.any()
    assert all(not left[row, index[one.action]] or one.rule in found.eligible.elsewhere for row, one in blamed)


def shaken(found: Offers, world: Any, model: Any, plain: Any, *, seed: int) -> Offers:
    """The same accounts with other features, of the kind that the model was trained on."""
    drawn = np.random.default_rng(seed).integers(0, len(world.values), len(found.values))
    values = world.values[drawn]
    p_pay = model.payment.predict(values)
    outcomes, money = weighed(found.page, values, p_pay, model, plain, allowed=found.eligible.allowed)
    return replace(found, values=values, p_pay=p_pay, outcomes=outcomes, money=money)


def after(found: Offers, model: Any, plain: Any, row: int, *, column: int, value: float) -> np.ndarray:
    """(A,) what the policy compares where one feature has another value."""
    values = found.values.copy()
    values[row, column] = value
    p_pay = model.payment.predict(values)
    allowed = found.eligible.allowed
    return weighed(found.page, values, p_pay, model, plain, allowed=allowed)[1].objective_cents[row]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=6, deadline=None)
def test_after_the_step_the_action_it_is_said_of_is_the_best_and_by_what_is_said(
    apart: Encoded, world: Any, model: Any, plain: Any, seed: int
) -> None:
    found = shaken(offered(apart, model, plain), world, model, plain, seed=seed)
    for row, one in told(found, apart, model, plain, kind="feature"):
        column, index = model.schema.index[one.feature], plain.catalogue.index
        now = found.values[row, column]
        assert one.value == (None if np.isnan(now) else now)
        objective = after(found, model, plain, row, column=column, value=one.needed)
        assert best(found, row, objective) == one.action != best(found, row)
        assert objective[index[one.action]] - objective[index[best(found, row)]] == pytest.approx(one.gain_cents)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=6, deadline=None)
def test_a_nearer_value_that_the_model_tells_apart_changes_nothing(
    apart: Encoded, world: Any, bundle: Any, plain: Any, seed: int
) -> None:
    found = shaken(offered(apart, bundle, plain), world, bundle, plain, seed=seed)
    for row, one in told(found, apart, bundle, plain, kind="feature"):
        column = bundle.schema.index[one.feature]
        levels = bundle.levels[column]
        for value in steps_of(feature(one.feature), float(found.values[row, column]), levels):
            if value == one.needed:
                break
            objective = after(found, bundle, plain, row, column=column, value=value)
            assert best(found, row, objective) == best(found, row)


def test_steps_are_found_where_there_are_any(apart: Encoded, world: Any, bundle: Any, plain: Any) -> None:
    found = shaken(offered(apart, bundle, plain), world, bundle, plain, seed=1)
    assert told(found, apart, bundle, plain, kind="feature")


def test_a_dearer_attempt_makes_the_other_action_best_and_a_cent_less_does_not(
    apart: Encoded, model: Any, plain: Any
) -> None:
    found = offered(apart, model, plain)
    claims = told(found, apart, model, plain, kind="price")
    assert claims
    for row, one in claims:
        at = plain.catalogue.index[best(found, row)]
        for rise, expected in ((one.rise, one.action), (one.rise - 0.011, best(found, row))):
            actions = list(plain.catalogue.actions)
            actions[at] = replace(actions[at], unit_cost=actions[at].unit_cost + rise)
            money = worth(found.outcomes, found.page.asked, actions, plain.config.objective)
            assert best(found, row, money.objective_cents[row]) == expected


@given(best_cents=st.floats(-1e7, 1e7), margin=st.floats(0.0, 1e6), often=st.floats(0.01, 1.0))
def test_a_rise_of_cost_is_enough_whatever_the_amounts(best_cents: float, margin: float, often: float) -> None:
    second = best_cents - margin
    rise = cost_rise_cents(best_cents, second, often)
    assert best_cents - often * rise < second or rise > margin / often
    assert best_cents - often * (rise - 2) >= second - 1e-6


def test_of_control_arms_nothing_is_said(apart: Encoded, bundle: Any, plain: Any) -> None:
    config = plain.config.model_copy(update={"arms": Arms(holdout=0.9)})
    held = make_desk(plain.catalogue, config, plain.contact_policy)
    found = decide(apart, as_of=AS_OF, bundle=bundle, desk=held, explain="full")
    assert any(one.arm == "holdout" for one in found)
    assert all(not one.explanation.changes for one in found if one.arm == "holdout" and one.explanation)


def test_changes_are_few_and_the_most_useful_rules_come_first(apart: Encoded, model: Any, plain: Any) -> None:
    for one in decide(apart, as_of=AS_OF, bundle=model, desk=plain, explain="full"):
        assert one.explanation is not None
        gains = [change.gain_cents for change in one.explanation.changes if change.kind == "rule"]
        assert gains == sorted(gains, reverse=True)
        assert len(gains) <= MOST
        assert len(one.explanation.changes) <= 2 * MOST + 1


def test_deciding_again_says_the_same(apart: Encoded, model: Any, plain: Any) -> None:
    once, again = (
        [one.explanation.changes for one in decide(apart, as_of=AS_OF, bundle=model, desk=plain, explain="full")
         if one.explanation]
        for _ in range(2)
    )  # fmt: skip
    assert once == again


def test_only_what_a_debtor_does_from_now_on_is_actionable() -> None:
    attributes = {"income": Attribute(kind="numeric"), "employment": Attribute(kind="categorical"),
                  "birth_year": Attribute(kind="numeric", protected=True)}  # fmt: skip
    actionable = [one for one in declared_features(attributes) if one.actionable]
    assert actionable
    for one in actionable:
        # Who somebody is (attributes), where they live and what the day is are no windows over what happened.
        assert isinstance(one.rule, Windowed)
        assert SOURCE_TABLE[one.rule.events.source] in {"payments", "responses", "promises"}
        assert one.family not in {"account", "season", "reasons", "holds", "bureau", "siblings"}


def test_an_attribute_cannot_be_declared_actionable() -> None:
    attribute = next(one for one in CATALOGUE if not isinstance(one.rule, Windowed))
    with pytest.raises(ValueError, match="declared as actionable"):
        replace(attribute, actionable=1)


@given(value=st.integers(0, 40), levels=st.lists(st.floats(-5, 50), max_size=12))
def test_a_count_grows_by_whole_events_each_on_the_far_side_of_a_threshold(value: int, levels: list[float]) -> None:
    found = steps_of(feature("payments_count_365d"), float(value), np.unique(levels))
    assert len(found) <= STEPS
    assert found == sorted(set(found))
    for needed in found:
        assert needed > value and needed == int(needed)
        assert any(value <= level < needed for level in levels)


@given(value=st.none() | st.integers(0, 400), levels=st.lists(st.floats(-5, 500), max_size=12))
@settings(max_examples=50)
def test_the_latest_event_can_only_be_now(value: int | None, levels: list[float]) -> None:
    now = np.nan if value is None else float(value)
    assert steps_of(feature("payments_recency"), now, np.unique(levels)) in ([], [0.0])


def test_what_is_not_known_cannot_be_counted_up() -> None:
    assert steps_of(feature("payments_count_365d"), np.nan, np.array([0.5, 3.5])) == []


def test_at_prices_of_scarce_resources_only_the_margin_of_cost_is_told(apart: Encoded, bundle: Any, plain: Any) -> None:
    found = offered(apart, bundle, plain)
    free = unlimited(found, lots_of(found, apart, plain), plain.config.exploration)
    priced = replace(free, charge_cents=np.zeros_like(found.money.net_cents))
    kinds = {one.kind for row in changes(found, priced, bundle, plain) for one in row}
    assert kinds == {"price"}

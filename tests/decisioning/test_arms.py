"""Control arms: who is in them for good, and what they do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from decisioning.arms import (
    ARMS,
    HOLDOUT,
    PAYMENT,
    POLICY,
    RANDOM,
    RULES,
    Arms,
    Controls,
    LadderStep,
    arms_of,
    control_ranks,
    ladder_ranks,
)
from decisioning.config import DecisionConfig, Exploration
from decisioning.desk import Desk
from decisioning.desk import desk as make_desk
from decisioning.engine import decide
from decisioning.policy import choose
from domain.clock import MISSING, parse_moment
from domain.errors import ConfigError
from features.encoding import encode

DEBTORS = [f"debtor-{number}" for number in range(4_000)]
shares = st.lists(st.floats(0.0, 0.25), min_size=4, max_size=4)
LADDER_STEPS = (
    LadderStep(from_days_past_due=1, actions=("sms/none/*",), every_days=7),
    LadderStep(from_days_past_due=30, actions=("agent_call/none/*", "email/none/*"), every_days=10),
)


def arms(found: list[float]) -> Arms:
    return Arms(**dict(zip(ARMS[1:], found, strict=True)))


@settings(deadline=None)
@given(found=shares)
def test_every_arm_holds_its_share_of_the_debtors(found: list[float]) -> None:
    counted = np.bincount(arms_of(DEBTORS, arms(found)), minlength=len(ARMS))[1:] / len(DEBTORS)
    # Five standard deviations: shares are drawn anew by hypothesis, and the hash is one draw.
    assert (np.abs(counted - found) <= 5 * np.sqrt(np.array(found) / len(DEBTORS)) + 1e-12).all()


@settings(deadline=None)
@given(found=shares, more=st.floats(0.0, 0.2), place=st.integers(0, 3))
def test_an_enlarged_arm_keeps_whom_it_held_and_those_before_it_do_not_move(
    found: list[float], more: float, place: int
) -> None:
    larger = [*found]
    larger[place] = found[place] + more * (1.0 - sum(found))
    before, after = (arms_of(DEBTORS[:1_000], arms(one)) for one in (found, larger))
    code = place + 1
    assert (after[before == code] == code).all()
    for earlier in range(1, code):
        assert ((before == earlier) == (after == earlier)).all()


def test_shares_beyond_the_whole_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"sum to 1 at most, found 1\.1"):
        Arms(holdout=0.6, random=0.5)


def controls(arm: int, allowed: list[bool], *, p_pay: float = 0.2, ladder: int = 2) -> list[float]:
    ranks = control_ranks(
        np.array([arm]), np.array([allowed]), arms=Arms(), p_pay=np.array([p_pay]),
        ladder=np.where(np.arange(len(allowed)) == ladder, 0, -1)[None, :],
    )  # fmt: skip
    return list(Controls(np.array([arm]), ranks).probabilities[0].tolist())


def test_the_holdout_waits() -> None:
    assert controls(HOLDOUT, [True, True, True]) == [1.0, 0.0, 0.0]


def test_chance_takes_every_allowed_action_alike() -> None:
    assert controls(RANDOM, [True, False, True]) == [0.5, 0.0, 0.5]


def test_the_ladder_does_what_its_step_says() -> None:
    assert controls(RULES, [True, True, True]) == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(("p_pay", "done"), [(0.49, [0.0, 0.0, 1.0]), (0.5, [1.0, 0.0, 0.0])])
def test_payment_alone_leaves_those_who_are_likely_to_pay(p_pay: float, done: list[float]) -> None:
    assert controls(PAYMENT, [True, True, True], p_pay=p_pay) == done


def test_the_policy_is_no_control() -> None:
    assert controls(POLICY, [True, True, True]) == [0.0, 0.0, 0.0]


@settings(deadline=None)
@given(draw=st.floats(0.0, 1.0, exclude_max=True), arm=st.sampled_from([HOLDOUT, RANDOM, RULES, PAYMENT]))
def test_what_a_control_does_has_the_probability_that_is_logged(draw: float, arm: int) -> None:
    allowed = np.array([[True, True, False, True]])
    ranks = control_ranks(np.array([arm]), allowed, arms=Arms(), p_pay=np.zeros(1), ladder=np.array([[9, -1, -1, 3]]))
    control = Controls(np.array([arm]), ranks)
    found = choose(
        np.array([[0.0, 9.0, 99.0, 1.0]]), allowed, Exploration(share=0.5), draws=np.array([draw]),
        controls=control,
    )  # fmt: skip
    assert found.action_prob[0] == control.probabilities[0, found.action[0]] > 0
    assert found.arm[0] == arm


@pytest.mark.parametrize(
    ("days", "done"),
    [
        (MISSING, "wait/none/any"),
        (0, "wait/none/any"),
        (1, "sms/none/morning"),
        (2, "wait/none/any"),
        (8, "sms/none/morning"),
        (29, "sms/none/morning"),
        (30, "agent_call/none/morning"),
        (36, "wait/none/any"),
        (40, "agent_call/none/morning"),
    ],
)
def test_a_step_acts_on_its_first_day_and_again_after_so_many(desk: Desk, days: int, done: str) -> None:
    everything = np.ones((1, len(desk.catalogue.actions)), dtype=np.bool_)
    assert climbed(desk, days, everything) == done


def test_where_the_first_pattern_is_refused_the_next_one_is_taken(desk: Desk) -> None:
    allowed = np.array([[action.channel != "agent_call" for action in desk.catalogue.actions]])
    assert climbed(desk, 30, allowed) == "email/none/morning"


def test_where_nothing_of_the_step_is_allowed_the_ladder_waits(desk: Desk) -> None:
    allowed = np.array([[action.is_wait for action in desk.catalogue.actions]])
    assert climbed(desk, 30, allowed) == "wait/none/any"


def test_where_the_first_action_is_out_of_reach_the_next_of_the_step_is_taken(desk: Desk) -> None:
    allowed = np.ones((1, len(desk.catalogue.actions)), dtype=np.bool_)
    names = np.array([action.name for action in desk.catalogue.actions])
    for gone, done in (("agent_call/none/morning", "agent_call/none/afternoon"), ("agent_call", "email/none/morning")):
        reach = ~np.char.startswith(names, gone)[None, :]
        assert climbed(desk, 30, allowed, reach=reach) == done


def climbed(desk: Desk, days: int, allowed: np.ndarray, *, reach: np.ndarray | None = None) -> str:
    """What the ladder does with one account."""
    ranks = ladder_ranks(LADDER_STEPS, desk.catalogue, np.array([days]), allowed=allowed)
    control = Controls(np.array([RULES]), ranks).within(allowed if reach is None else reach)
    [action] = np.flatnonzero(control.probabilities[0])
    return desk.catalogue.actions[action].name


def configured(desk: Desk, **changed: Any) -> Desk:
    config = DecisionConfig.model_validate(desk.config.model_copy(update=changed).model_dump())
    return make_desk(desk.catalogue, config, desk.contact_policy)


def test_arms_by_a_ladder_need_one(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="a share for `rules` or `payment` and no `ladder:`"):
        configured(desk, arms=Arms(payment=0.1))


def test_a_ladder_of_unknown_actions_is_refused(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="'fax/none/\\*', which is no action"):
        configured(desk, ladder=(LadderStep(from_days_past_due=1, actions=("fax/none/*",)),))


def test_steps_that_do_not_rise_are_refused(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="needed distinct and rising"):
        configured(desk, ladder=LADDER_STEPS[::-1])


def test_a_share_for_no_new_arm_leaves_the_policy_version(desk: Desk) -> None:
    assert configured(desk, arms=Arms(holdout=desk.config.arms.holdout)).policy_version == desk.policy_version


def test_every_decision_of_an_arm_says_so_and_keeps_to_what_is_allowed(portfolio: Any, bundle: Any, desk: Desk) -> None:
    equal = Arms(holdout=0.2, random=0.2, rules=0.2, payment=0.2)
    encoded = encode(portfolio(200), attributes={})
    as_of = parse_moment("2026-03-02T12:30:00Z")
    own = configured(desk, arms=equal, ladder=LADDER_STEPS)
    found = decide(encoded, as_of=as_of, bundle=bundle, desk=own, explain="full", log_probs=True)
    assert {decision.arm for decision in found} == set(ARMS)
    for decision in found:
        allowed = {one.action for one in decision.candidates if one.allowed}
        assert set(decision.action_probs) <= allowed
        if decision.arm == "random":
            assert set(decision.action_probs) == allowed
        elif decision.arm in ("rules", "payment"):
            assert decision.channel in ("wait", "sms", "agent_call", "email")
            assert decision.action_prob == 1.0

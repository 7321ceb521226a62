from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from decisioning.allocation.plan import Plan, shortfalls
from decisioning.arms import ARMS, Arms, LadderStep
from decisioning.budgets import Budget, Capacity, Segment, Volume
from decisioning.config import DecisionConfig, Exploration, Priors
from decisioning.desk import Desk
from decisioning.desk import desk as make_desk
from decisioning.engine import decide
from decisioning.portfolio import allot
from decisioning.records import decision_row, factors_json
from domain.actions import WAIT
from domain.clock import US_PER_HOUR, parse_moment
from domain.decisions import Decision
from domain.errors import ConfigError, DataError, UnknownAccountError
from features.encoding import encode

AS_OF = parse_moment("2026-03-02T12:30:00Z")
Run = Callable[..., tuple[Plan, list[Decision]]]
INBOUND = {"wait", "portal"}
ELSEWHERE = "DEBTOR_CONTACTED_ELSEWHERE"


@pytest.fixture(scope="module")
def many(portfolio: Any) -> Any:
    return encode(portfolio(300), attributes={})


@pytest.fixture(scope="module")
def bundle(bundle: Any) -> Any:
    """Without a response model, so that priors say what actions do."""
    return replace(bundle, response=None)


@pytest.fixture(scope="module")
def run(many: Any, bundle: Any, desk: Any) -> Run:
    def decided(explain: str = "none", log_probs: bool = False, **limits: Any) -> tuple[Plan, list[Decision]]:
        own = limited(desk, **limits)
        plan = allot(many, as_of=AS_OF, bundle=bundle, desk=own)
        assert plan is not None
        found = decide(
            many, as_of=AS_OF, bundle=bundle, desk=own, allot=plan, explain=explain, log_probs=log_probs, locale="en"
        )
        return plan, found

    return decided


def limited(desk: Desk, **limits: Any) -> Desk:
    priors = Priors(reach={"agent_call": 0.7}, lift={"agent_call": 1.3, "disc10": 2.0})
    config = DecisionConfig.model_validate(desk.config.model_copy(update={"priors": priors, **limits}).model_dump())
    return make_desk(desk.catalogue, config, desk.contact_policy)


def channels(decisions: list[Decision], channel: str) -> list[Decision]:
    return [decision for decision in decisions if decision.channel == channel]


AGENTS = {"agent_call": Capacity(per_day=10)}
ALL_ARMS = Arms(holdout=0.1, random=0.2, rules=0.2, payment=0.2)
LADDER = (LadderStep(from_days_past_due=1, actions=("sms/none/*",), every_days=1),)


def test_where_nothing_is_limited_there_is_no_plan(many: Any, bundle: Any, desk: Any) -> None:
    assert allot(many, as_of=AS_OF, bundle=bundle, desk=desk) is None


def test_limits_that_bind_nobody_leave_every_choice_as_it_is(run: Run, many: Any, bundle: Any, desk: Any) -> None:
    ample = {"capacities": {"sms": Capacity(per_day=1e6)}, "budgets": {"discount": Budget(per_day=1e9)}}
    plan, found = run(log_probs=True, **ample)
    alone = decide(many, as_of=AS_OF, bundle=bundle, desk=limited(desk, **ample), explain="none", log_probs=True)
    assert not plan.solution.price.any()
    assert [(one.action, dict(one.action_probs)) for one in found] == [
        (one.action, dict(one.action_probs)) for one in alone
    ]


def test_no_more_contacts_are_decided_than_there_are(run: Run) -> None:
    greedy = {"exploration": Exploration(share=0.0)}
    free = len(channels(run(capacities={"agent_call": Capacity(per_day=1e6)}, **greedy)[1], "agent_call"))
    assert len(channels(run(capacities=AGENTS, **greedy)[1], "agent_call")) == 10 < free


def test_what_is_used_is_what_the_decisions_use(run: Run) -> None:
    plan, found = run(
        capacities={"agent_call": Capacity(per_day=20, minutes_per_day=60, minutes_per_contact=4)},
        budgets={"contact_cost": Budget(per_day=120.0)},
    )
    calls = len(channels(found, "agent_call"))
    spent = sum(decision.chosen.expected_cost_cents for decision in found)
    assert plan.use.tolist() == pytest.approx([calls, 4.0 * calls, spent])
    assert calls <= 15 and spent <= 12_000


def test_a_moment_has_a_capacity_of_its_own(run: Run) -> None:
    by_moment = {"afternoon": Volume(per_day=3)}
    _, found = run(capacities={"agent_call": Capacity(by_moment=by_moment)})
    assert len([one for one in channels(found, "agent_call") if one.moment == "afternoon"]) <= 3


def test_a_budget_of_discounts_is_kept_in_expectation(run: Run) -> None:
    free, _ = run(budgets={"discount": Budget(per_day=1e9)})
    plan, _ = run(budgets={"discount": Budget(per_day=float(free.use[0]) / 400.0)})
    assert 0 < plan.use[0] <= free.use[0] / 4.0
    assert plan.solution.price[0] > 0


def test_a_segment_of_late_accounts_is_contacted_no_more_than_it_may_be(run: Run, many: Any) -> None:
    late = Segment(min_days_past_due=60, per_day=5)
    plan, found = run(segments={"late": late}, capacities=AGENTS)
    assert plan.use[-1] <= 5
    assert plan.resources.items[-1].name == "segment.late.contacts"
    assert sum(decision.action != WAIT for decision in found) > 5


def test_a_segment_can_go_by_an_attribute(run: Run) -> None:
    here, elsewhere = (
        Segment(attribute="product", values=("loan",), per_day=7),
        Segment(attribute="product", values=("card",), per_day=0),
    )
    _, found = run(segments={"loans": here, "cards": elsewhere})
    assert sum(decision.action != WAIT for decision in found) == 7


def test_a_minimum_of_contacts_is_met(run: Run) -> None:
    free = len(channels(run(capacities={"letter": Capacity(per_day=1e6)})[1], "letter"))
    plan, found = run(capacities={"letter": Capacity(min_per_day=free + 30)})
    assert len(channels(found, "letter")) >= free + 30
    assert plan.solution.price[0] < 0


def test_a_minimum_out_of_reach_is_told_with_what_lacks(run: Run) -> None:
    plan, found = run(capacities={"letter": Capacity(min_per_day=5_000)})
    lacks, most = shortfalls(plan)["letter.contacts"]
    assert lacks == 5_000 - plan.solution.use[0]
    assert len(channels(found, "letter")) <= most < 5_000


def test_held_out_accounts_wait_and_use_nothing(run: Run) -> None:
    _, found = run(capacities=AGENTS, arms=Arms(holdout=0.5))
    held = [decision for decision in found if decision.arm == "holdout"]
    assert held and {(decision.action, decision.action_prob) for decision in held} == {(WAIT, 1.0)}
    assert not [decision for decision in held if decision.lost_to_budget]


def test_arms_do_under_limits_that_bind_nobody_what_they_do_without(
    run: Run, many: Any, bundle: Any, desk: Any
) -> None:
    ample = {"capacities": {"sms": Capacity(per_day=1e6)}, "arms": ALL_ARMS, "ladder": LADDER}
    _, found = run(log_probs=True, **ample)
    alone = decide(many, as_of=AS_OF, bundle=bundle, desk=limited(desk, **ample), explain="none", log_probs=True)
    assert {one.arm for one in found} == {*ARMS}
    assert [(one.action, one.arm, dict(one.action_probs)) for one in found] == [
        (one.action, one.arm, dict(one.action_probs)) for one in alone
    ]


def test_arms_keep_to_their_rule_within_limits_and_have_lost_nothing_to_them(run: Run) -> None:
    plan, found = run(log_probs=True, capacities={"sms": Capacity(per_day=8)} | AGENTS, arms=ALL_ARMS, ladder=LADDER)
    assert plan.use.tolist() == [len(channels(found, "sms")), len(channels(found, "agent_call"))]
    assert (plan.use <= [8, 10]).all()
    assert not [one for one in found if one.arm != "policy" and one.lost_to_budget]
    for one in found:
        assert sum(one.action_probs.values()) == pytest.approx(1.0)
        if one.arm in ("rules", "payment"):
            assert (one.channel in ("wait", "sms"), one.action_prob) == (True, 1.0)
    assert {one.channel for one in found if one.arm == "rules"} == {"wait", "sms"}


def test_arms_and_plan_are_the_same_in_any_order_of_accounts(many: Any, bundle: Any, desk: Any) -> None:
    own = limited(desk, capacities=AGENTS, arms=ALL_ARMS, ladder=LADDER)
    accounts = np.arange(len(many.account_ids))[::2]
    plans = [allot(many, as_of=AS_OF, bundle=bundle, desk=own, accounts=some) for some in (accounts, accounts[::-1])]
    chosen = [plan.choice.probabilities.tolist() for plan in plans if plan is not None]
    assert chosen[0] == chosen[1]


def test_probabilities_under_limits_sum_to_1_and_hold_the_chosen_one(run: Run) -> None:
    _, found = run(capacities=AGENTS, log_probs=True, exploration=Exploration(share=0.4))
    for decision in found:
        assert sum(decision.action_probs.values()) == pytest.approx(1.0)
        assert decision.action_probs[decision.action] == decision.action_prob


def test_exploring_keeps_within_the_limits(run: Run) -> None:
    _, found = run(capacities=AGENTS, exploration=Exploration(share=1.0, floor_share=1.0))
    assert len(channels(found, "agent_call")) <= 10


def test_an_account_is_told_which_resource_took_its_best_action(run: Run) -> None:
    plan, found = run(capacities=AGENTS, exploration=Exploration(share=0.0))
    lost = [decision.lost_to_budget for decision in found if decision.lost_to_budget]
    assert {(one.resource, one.code) for one in lost} == {("agent_call.contacts", "BUDGET_CONTACTS")}
    assert {one.price for one in lost} == {plan.solution.price[0] / 100.0}


def test_what_was_lost_is_worth_more_here_but_not_more_than_its_price(run: Run) -> None:
    """Up to the few accounts that were moved to fill the limits to the last unit."""
    plan, found = run(capacities=AGENTS, exploration=Exploration(share=0.0), arms=Arms())
    lost = [decision.lost_to_budget for decision in found if decision.lost_to_budget]
    assert all(one.lost_cents > 0 for one in lost)
    assert sum(one.lost_cents > one.charge_cents + 1e-6 for one in lost) <= len(plan.resources)


def test_a_lost_action_is_among_the_refusals_until_the_next_local_day(run: Run) -> None:
    _, found = run(capacities=AGENTS)
    some = next(decision for decision in found if decision.lost_to_budget)
    refusal = some.refusals[-1]
    assert (refusal.rule, refusal.code) == ("budget.agent_call.contacts", "BUDGET_CONTACTS")
    assert refusal.until_us is not None and refusal.until_us > some.decided_at_us
    assert "agent call contacts" in refusal.text.lower()


def test_a_lost_action_says_layer_and_version_and_when_rules_would_allow_it_again(run: Run) -> None:
    _, found = run(capacities=AGENTS)
    opens = [
        (refusal, decision) for decision in found for refusal in decision.refusals if refusal.code == "BUDGET_CONTACTS"
    ]
    assert opens
    for refusal, decision in opens:
        assert (refusal.layer, refusal.version) == ("limit", decision.policy_version)
        if refusal.depends_on is None:
            # No call is made at midnight: hours of the action and of the law come after the day's new resources.
            assert refusal.allowed_from_us is not None and refusal.until_us is not None
            assert refusal.allowed_from_us >= refusal.until_us + 8 * US_PER_HOUR


def test_no_debtor_is_planned_or_drawn_to_be_contacted_on_two_accounts(run: Run, many: Any) -> None:
    index = many.account_index()
    for share in (0.0, 0.5):
        _, found = run(capacities=AGENTS, log_probs=True, exploration=Exploration(share=share))
        contacted = [
            int(many.debtor[index[one.account_id]]) for one in found
            if {action.split("/")[0] for action in one.action_probs} - INBOUND
        ]  # fmt: skip
        assert len(contacted) == len(set(contacted)) > 0
        elsewhere = [one for one in found if any(refusal.code == ELSEWHERE for refusal in one.refusals)]
        assert elsewhere and {one.channel for one in elsewhere} <= INBOUND


def test_the_best_candidate_less_its_charge_is_chosen(run: Run) -> None:
    plan, found = run(capacities=AGENTS, explain="full", exploration=Exploration(share=0.0), arms=Arms())
    moved = sum(decision.action != decision.candidates[0].action for decision in found)
    assert moved <= len(plan.resources)


def test_the_factors_of_a_candidate_add_up(run: Run) -> None:
    _, found = run(capacities=AGENTS, explain="full")
    for decision in found[:50]:
        for candidate in decision.candidates:
            parts = candidate.expected_recovered_cents - candidate.expected_cost_cents
            parts -= candidate.complaint_cents + candidate.opt_out_cents
            assert parts == pytest.approx(candidate.expected_net_cents, abs=1.01)


def test_a_row_tells_the_charge_and_the_loss_only_where_something_was_allotted(
    run: Run, many: Any, bundle: Any, desk: Any
) -> None:
    _, found = run(capacities=AGENTS)
    alone = decide(many, as_of=AS_OF, bundle=bundle, desk=desk, explain="none")
    assert set(decision_row(found[0])) - set(decision_row(alone[0])) == {"resource_charge", "lost_to_budget"}


def test_candidates_are_a_column_where_they_are_asked_for(run: Run) -> None:
    _, found = run(capacities=AGENTS, explain="full")
    row = decision_row(found[0], candidates=True)
    assert row["candidates"] == [factors_json(candidate) for candidate in found[0].candidates]


def test_a_plan_is_the_same_in_any_order_of_accounts(many: Any, bundle: Any, desk: Any) -> None:
    own = limited(desk, capacities=AGENTS)
    accounts = np.arange(len(many.account_ids))[::3]
    plans = [allot(many, as_of=AS_OF, bundle=bundle, desk=own, accounts=some) for some in (accounts, accounts[::-1])]
    found = [
        decide(many, as_of=AS_OF, bundle=bundle, desk=own, accounts=accounts, allot=plan, explain="none")
        for plan in plans
    ]
    assert repr(found[0]) == repr(found[1])


def test_an_account_that_the_plan_does_not_hold_is_refused(many: Any, bundle: Any, desk: Any) -> None:
    own = limited(desk, capacities=AGENTS)
    plan = allot(many, as_of=AS_OF, bundle=bundle, desk=own, accounts=np.arange(10))
    with pytest.raises(UnknownAccountError, match="allot the same accounts"):
        decide(many, as_of=AS_OF, bundle=bundle, desk=own, accounts=np.arange(20), allot=plan)


def test_nobody_at_all_is_a_portfolio(many: Any, bundle: Any, desk: Any) -> None:
    own = limited(desk, capacities=AGENTS)
    plan = allot(many, as_of=AS_OF, bundle=bundle, desk=own, accounts=np.zeros(0, dtype=np.int64))
    assert plan is not None and plan.use.tolist() == [0.0]


def test_decisions_taken_one_by_one_say_that_limits_were_not_kept(many: Any, bundle: Any, desk: Any) -> None:
    found = decide(many, as_of=AS_OF, bundle=bundle, desk=limited(desk, capacities=AGENTS), locale="en")
    assert all(any("decided on alone" in notice for notice in decision.notices) for decision in found)


def test_decisions_of_a_plan_do_not_say_so(run: Run) -> None:
    _, found = run(capacities=AGENTS)
    assert not [notice for decision in found for notice in decision.notices if "alone" in notice]


def test_a_segment_by_a_protected_attribute_is_refused(portfolio: Any, bundle: Any, desk: Any) -> None:
    own = limited(desk, segments={"old": Segment(attribute="birth_year", values=("1950",), per_day=5)})
    with pytest.raises(ConfigError, match="birth_year"):
        allot(encode(portfolio(5), attributes={}), as_of=AS_OF, bundle=bundle, desk=own)


def test_a_segment_by_a_column_that_is_not_there_is_refused(portfolio: Any, bundle: Any, desk: Any) -> None:
    given = portfolio(5)
    columns = {name: column for name, column in given.columns["accounts"].items() if name != "creditor"}
    without = replace(given, columns={**given.columns, "accounts": columns})
    own = limited(desk, segments={"bank": Segment(attribute="creditor", values=("x",), per_day=5)})
    with pytest.raises(DataError, match="creditor"):
        allot(encode(without, attributes={}), as_of=AS_OF, bundle=bundle, desk=own)

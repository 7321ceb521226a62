"""Exploration as decisions show it: who is assigned what, how often, and what it may cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.arms import Arms
from decisioning.config import Exploration
from decisioning.desk import Desk
from decisioning.desk import desk as make_desk
from decisioning.engine import decide
from domain.clock import parse_moment
from domain.decisions import Decision

AS_OF = parse_moment("2026-03-02T12:30:00Z")
UNIFORM = Exploration(share=1.0, floor_share=1.0)
"""Every allowed action alike: a choice then tells of the draw alone, and of no model."""
SOME = np.arange(15)
Decide = Callable[..., list[Decision]]


@pytest.fixture(scope="module")
def explore(encoded: Any, bundle: Any, desk: Desk) -> Decide:
    """Decisions of a desk that explores as told, with the probabilities of all actions."""

    def run(exploration: Exploration, **asked: Any) -> list[Decision]:
        config = desk.config.model_copy(update={"exploration": exploration, "arms": Arms(holdout=0.0)})
        own = make_desk(desk.catalogue, config, desk.contact_policy)
        return decide(encoded, bundle=bundle, desk=own, log_probs=True, **{"as_of": AS_OF, **asked})

    return run


@pytest.fixture(scope="module")
def days(explore: Decide) -> list[dict[str, Decision]]:
    """Uniform decisions of five days in a row, by account."""
    moments = [AS_OF + timedelta(days=number) for number in range(5)]
    return [{one.account_id: one for one in explore(UNIFORM, as_of=moment)} for moment in moments]


@settings(deadline=None)
@given(data=st.data())
def test_an_account_is_assigned_the_same_alone_in_any_order_and_in_any_company(
    explore: Decide, days: list[dict[str, Decision]], encoded: Any, data: Any
) -> None:
    index = encoded.account_index()
    some = data.draw(st.lists(st.sampled_from(sorted(days[0])), min_size=1, max_size=6, unique=True))
    found = explore(UNIFORM, accounts=np.array([index[name] for name in some]), explain="none")
    assert {one.account_id: one.action for one in found} == {name: days[0][name].action for name in some}


def test_within_a_local_day_the_assignment_stays(explore: Decide, days: list[dict[str, Decision]]) -> None:
    later = explore(UNIFORM, as_of=AS_OF + timedelta(minutes=15))
    assert {one.account_id: one.action for one in later} == {name: one.action for name, one in days[0].items()}


def test_from_day_to_day_assignments_agree_no_more_often_than_independent_draws(
    days: list[dict[str, Decision]],
) -> None:
    """With p and p' of two days, an account keeps its action with probability Σ p·p'; four deviations either way."""
    kept, chances = 0, []
    for before, after in pairwise(days):
        for name in before.keys() & after.keys():
            kept += before[name].action == after[name].action
            probs = before[name].action_probs
            chances.append(sum(probs.get(action, 0.0) * p for action, p in after[name].action_probs.items()))
    expected, deviation = sum(chances), np.sqrt(sum(p * (1 - p) for p in chances))
    assert expected < len(chances) / 2
    assert abs(kept - expected) < 4 * deviation


def test_channels_come_up_as_often_as_the_decisions_state(days: list[dict[str, Decision]]) -> None:
    """Counts are sums of independent draws with known chances: four deviations for each channel."""
    found = [one for day in days for one in day.values()]
    for channel in {one.channel for one in found}:
        stated = [sum(p for action, p in one.action_probs.items() if action.startswith(f"{channel}/")) for one in found]
        count = sum(one.channel == channel for one in found)
        assert abs(count - sum(stated)) <= 4 * np.sqrt(sum(p * (1 - p) for p in stated))


def test_the_best_action_comes_up_as_often_as_it_is_said_to(explore: Decide) -> None:
    exploration = Exploration(share=0.3, top_k=4, floor_share=0.2)
    found = [
        one for number in range(5) for one in explore(exploration, as_of=AS_OF + timedelta(days=number), explain="none")
    ]
    best = [max(one.action_probs.values()) for one in found]
    kept = sum(one.action_prob == p for one, p in zip(found, best, strict=True))
    assert abs(kept - sum(best)) < 4 * np.sqrt(sum(p * (1 - p) for p in best))


@settings(deadline=None)
@given(cap=st.floats(0, 3))
def test_what_exploring_a_decision_costs_in_expectation_is_within_its_cap(explore: Decide, cap: float) -> None:
    for one in explore(Exploration(share=0.5, max_expected_loss=cap), accounts=SOME, explain="full"):
        worth = {candidate.action: candidate.expected_net_cents for candidate in one.candidates}
        best = max(worth.values())
        loss = sum(p * (best - worth[action]) for action, p in one.action_probs.items())
        # Candidates are told in whole cents, so that each difference is off by at most one.
        assert loss <= 100 * cap + 1.0


@settings(deadline=None)
@given(share=st.floats(0.01, 1), floor=st.floats(0.01, 1))
def test_every_eligible_action_can_be_chosen_with_at_least_its_part_of_the_floor(
    explore: Decide, share: float, floor: float
) -> None:
    for one in explore(Exploration(share=share, floor_share=floor), accounts=SOME, explain="full"):
        assert set(one.action_probs) == {candidate.action for candidate in one.candidates}
        assert min(one.action_probs.values()) >= share * floor / len(one.candidates) - 1e-12

"""The funnel that looks ahead: equal to what a chain's values are by hand, and to the funnel where it takes no step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import expit, logit

from decisioning.candidates import candidate_names
from decisioning.config import Objective
from decisioning.funnel import HEADS, OTHER_CHANNEL, ROOF, FunnelModel
from decisioning.response import Head
from decisioning.response_files import as_json, booster_files
from domain.tables import Tables
from features.schema import FeatureSchema
from training.config import ContinuingConfig, ResponseConfig
from training.learners.blend import FunnelBlendLearner
from training.learners.fitted_q import Ahead, FittedQLearner, continued, gained
from training.learners.learned import LearnedResponse
from training.sequences import Sequences, Steps, Turns

from .conftest import CONFIGS, Material, _config, learn_from

STATES, COPIES = 3, 6
shares = st.floats(0.0, 0.5)


@dataclass(frozen=True)
class Chain:
    """A chain of states in which a step has a deal or not, by state: ``money`` that comes in it, and where it leads.

    ``next_state`` (2, S, C): each of C equally likely; ``weight`` (2, S, C), what counts of the value there.
    ``deals`` (2, S): the chance of a deal under the log's action and under the policy's, which has ``cost`` (S,).
    """

    money: np.ndarray
    next_state: np.ndarray
    weight: np.ndarray
    deals: np.ndarray
    cost: np.ndarray

    def before(self, value: np.ndarray) -> np.ndarray:
        """(2, S) value without and with a deal, where ``value`` (S,) is that of the states after it."""
        return self.money + (self.weight * value[self.next_state]).mean(axis=2)

    def mixed(self, ends: np.ndarray, policy: int) -> np.ndarray:
        return (1 - self.deals[policy]) * ends[0] + self.deals[policy] * ends[1]

    def logged(self) -> np.ndarray:
        """(2, S) value without and with a deal now, and the log's actions for ever after: until nothing changes."""
        value = np.zeros(STATES)
        for _ in range(400):
            value = self.mixed(self.before(value), 0)
        return self.before(value)

    def followed(self, steps: int) -> np.ndarray:
        """(2, S) the same, with the policy in charge of the next ``steps`` decisions, by value iteration."""
        value = self.mixed(self.logged(), 0)
        ends = self.before(value)
        for _ in range(steps):
            value = self.mixed(ends, 1) - self.cost
            ends = self.before(value)
        return ends


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    def of(shape: tuple[int, ...], elements: Any) -> np.ndarray:
        return draw(arrays.arrays(np.float64, shape, elements=elements))

    places = draw(arrays.arrays(np.int64, (2, STATES, COPIES), elements=st.integers(0, STATES - 1)))
    return Chain(
        money=of((2, STATES), shares),
        next_state=places,
        weight=of((2, STATES, COPIES), st.floats(0.0, 0.9)),
        deals=of((2, STATES), st.floats(0.0, 1.0)),
        cost=of((STATES,), st.floats(0.0, 0.1)),
    )


def backed_up(chain: Chain, steps: int) -> np.ndarray:
    """(2, S) as the learner does it, with means by state as its regression: each state is a turn."""
    ends = chain.logged()
    logged, followed = chain.mixed(ends, 0), chain.mixed(ends, 1) - chain.cost
    ahead = Ahead(gain=followed - logged, p_deal=chain.deals[1], own=np.zeros(STATES))
    rows = [steps_of(chain.next_state[deal].ravel(), chain.weight[deal].ravel()) for deal in (0, 1)]
    gains = np.zeros((2, STATES))
    for _ in range(steps):
        gain = gained(ahead, gains[0], gains[1])
        gains = np.array([continued(found, gain).reshape(STATES, COPIES).mean(axis=1) for found in rows])
    return ends + gains


def steps_of(turn: np.ndarray, weight: np.ndarray) -> Steps:
    some = np.ones(len(turn), dtype=np.bool_)
    return Steps(turn, weight, some, ~some, np.full(len(turn), -1, dtype=np.int64))


@given(chain=chains(), steps=st.integers(0, 6))
def test_the_backup_equals_value_iteration_on_any_chain(chain: Chain, steps: int) -> None:
    np.testing.assert_allclose(backed_up(chain, steps), chain.followed(steps), atol=1e-9)


@given(chain=chains(), steps=st.integers(1, 6))
def test_a_policy_that_does_what_the_log_does_at_no_cost_gains_nothing(chain: Chain, steps: int) -> None:
    same = replace(chain, deals=chain.deals[[0, 0]], cost=np.zeros(STATES))
    np.testing.assert_allclose(backed_up(same, steps), same.logged(), atol=1e-9)


def test_where_no_decision_follows_nothing_is_gained() -> None:
    steps = steps_of(np.array([-1, 0]), np.array([0.7, 0.5]))
    assert continued(steps, np.array([0.2])).tolist() == [0.0, 0.1]


LIFT = float(expit(logit(0.8) - logit(0.2)))
"""What an agreement adds, so that 0.8 of the roof comes back where 0.2 would have without one."""


def turns_of(material: Material, logged: str, allowed: tuple[str, ...]) -> Turns:
    """One later decision on R$ 1,000: the logged action, and what else could have been chosen."""
    choices = tuple(one for one in CONFIGS.catalogue.actions if not one.gated)
    cents = np.array([100_000], dtype=np.int64)
    return Turns(
        values=material.log.values[:1],
        actions=(CONFIGS.catalogue.actions[CONFIGS.catalogue.index[logged]],),
        action=np.zeros(1, dtype=np.int64),
        choices=choices,
        allowed=np.array([[one.is_wait or one.name in allowed for one in choices]]),
        balance_cents=cents,
        due_cents=cents,
    )


def constant(schema: FeatureSchema, **heads: float) -> FunnelModel:
    known = dict.fromkeys(HEADS, 0.0) | {"received": 0.5, "agreed": 0.4, "deal": LIFT, "self": 0.2} | heads
    names = candidate_names(schema, CONFIGS.catalogue.actions)
    return FunnelModel({name: Head(constant=value) for name, value in known.items()}, names, {OTHER_CHANNEL: 1.0})


def ahead(material: Material, turns: Turns, objective: Objective, **heads: float) -> Ahead:
    nobody = steps_of(np.zeros(0, dtype=np.int64), np.zeros(0))
    return Ahead.of(constant(material.schema, **heads), material.schema, Sequences(turns, nobody, nobody, objective))


SMS, DEAL = "sms/none/morning", 0.5 * 0.4 * ROOF * (0.8 - 0.2)


def test_a_policy_that_waits_where_the_log_contacts_loses_what_the_contact_brings(small: Material) -> None:
    found = ahead(small, turns_of(small, SMS, ()), Objective())
    assert found.gain.tolist() == pytest.approx([-DEAL])


def test_a_policy_that_contacts_where_the_log_waits_gains_what_the_contact_brings_less_its_cost(
    small: Material,
) -> None:
    found = ahead(small, turns_of(small, "wait/none/any", (SMS,)), Objective())
    assert found.gain.tolist() == pytest.approx([DEAL - 0.09 / 1_000])


def test_complaints_of_a_later_contact_are_its_cost(small: Material) -> None:
    turns = turns_of(small, "wait/none/any", (SMS,))
    found = [ahead(small, turns, Objective(complaint_cost=100.0), complaint=p).gain for p in (0.0, 0.1)]
    assert (found[0] - found[1]).tolist() == pytest.approx([0.1 * 100.0 / 1_000])


def test_what_the_logged_action_brings_over_waiting_is_its_own(small: Material) -> None:
    assert ahead(small, turns_of(small, SMS, ()), Objective()).own.tolist() == pytest.approx([DEAL])


def test_nothing_is_gained_where_nothing_is_owed_any_more(small: Material) -> None:
    paid = replace(turns_of(small, SMS, ()), balance_cents=np.zeros(1, dtype=np.int64))
    assert ahead(small, paid, Objective()).gain.tolist() == [0.0]


def test_a_contact_now_is_worth_more_where_the_log_would_have_tried_again_and_the_policy_will_not(
    small: Material,
) -> None:
    # Without a deal today the same SMS would go out at the next decision; after a deal nothing is left to do.
    found = ahead(small, turns_of(small, SMS, ()), Objective())
    alone = continued(steps_of(np.array([0]), np.ones(1)), found.gain)
    deal = continued(steps_of(np.array([-1]), np.ones(1)), found.gain)
    assert (deal - alone).tolist() == pytest.approx([DEAL])


def _material(tables: Tables, steps: int) -> Material:
    response = ResponseConfig(learner="funnel_q", continuing=ContinuingConfig(steps=steps))
    return learn_from(tables, _config(8).model_copy(update={"response": response}))


def fitted(material: Material) -> LearnedResponse:
    return FittedQLearner().fit(material.log, material.schema, material.config, contacts=material.contacts)


def told(found: LearnedResponse, *names: str) -> dict[str, object]:
    """Heads as a bundle has them: trees and prognostic trees, weights, calibrators, offsets, or constants."""
    plain, boosters = as_json(found.model)["heads"], booster_files(found.model)
    return {
        name: (plain[name], {file: text for file, text in boosters.items() if file.startswith(f"response_{name}")})
        for name in names
    }


@pytest.fixture(scope="module")
def looking(small_tables: Tables) -> Material:
    return _material(small_tables, 2)


@pytest.fixture(scope="module")
def looked(looking: Material) -> LearnedResponse:
    return fitted(looking)


@pytest.fixture(scope="module")
def blend(looking: Material) -> LearnedResponse:
    return FunnelBlendLearner().fit(looking.log, looking.schema, looking.config, contacts=looking.contacts)


def test_the_same_data_twice_give_the_same_model_text(looking: Material, looked: LearnedResponse) -> None:
    assert told(fitted(looking), *HEADS) == told(looked, *HEADS)


def test_rows_in_another_order_give_the_same_model_text(small_again: Material, looked: LearnedResponse) -> None:
    assert told(fitted(_material(small_again.encoded.tables, 2)), *HEADS) == told(looked, *HEADS)


def test_with_no_steps_it_is_the_funnel(small_tables: Tables, blend: LearnedResponse) -> None:
    assert told(fitted(_material(small_tables, 0)), *HEADS) == told(blend, *HEADS)


def test_without_a_decision_that_follows_on_another_it_is_the_funnel(looking: Material, blend: LearnedResponse) -> None:
    alone = replace(looking, contacts=replace(looking.contacts, sequences=None))
    assert told(fitted(alone), *HEADS) == told(blend, *HEADS)


def test_where_nothing_is_gained_later_both_heads_are_learned_as_the_funnel_learns_them(
    looking: Material, blend: LearnedResponse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(model: FunnelModel, schema: FeatureSchema, found: Sequences) -> Ahead:
        return Ahead(*np.zeros((3, len(found.turns))))

    monkeypatch.setattr(Ahead, "of", nothing)
    found = fitted(looking)
    assert found.summary["deal"]["continuing"]["rows"] > 0
    assert told(found, *HEADS) == told(blend, *HEADS)


@pytest.mark.parametrize("gate", ["received", "agreed", "pay", "complaint", "opt_out"])
def test_looking_ahead_leaves_every_gate_as_it_was(looked: LearnedResponse, blend: LearnedResponse, gate: str) -> None:
    assert told(looked, gate) == told(blend, gate)


@pytest.mark.parametrize("share", ["self", "deal"])
def test_looking_ahead_changes_what_comes_back(looked: LearnedResponse, blend: LearnedResponse, share: str) -> None:
    assert told(looked, share) != told(blend, share)


def test_it_is_told_how_many_steps_were_taken(looked: LearnedResponse) -> None:
    assert looked.summary["self"]["continuing"]["steps"] == 2


def test_sequences_of_half_of_the_debtors_are_not_those_of_all(looking: Material) -> None:
    everyone = np.ones(len(looking.encoded.debtor_ids), dtype=np.bool_)
    assert looking.contacts.of(everyone, np.arange(len(looking.log))).sequences is None

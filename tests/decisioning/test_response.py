from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.candidates import grid, rows_for
from decisioning.config import Priors
from decisioning.desk import load_desk
from decisioning.response import HEADS, Head, HurdleModel, PriorResponse
from decisioning.trees import Trees
from domain.errors import BundleError

CATALOGUE = load_desk(Path(__file__).parents[2] / "configs").catalogue


def _by_lightgbm(world: Any, name: str, actions: Any) -> np.ndarray:
    head, n, width = world.response.heads[name], len(world.values), len(actions)
    index = np.tile(np.arange(width), n)
    rows = rows_for(np.repeat(world.values, width, axis=0), world.schema, actions, index, names=world.response.names)
    return head.booster.predict(rows, raw_score=True, num_threads=1).reshape(n, width)


@pytest.mark.parametrize("name", ["pay", "share", "late", "complaint"])
def test_trees_walked_over_the_grid_give_the_margins_of_lightgbm_to_the_last_bit(world: Any, name: str) -> None:
    actions = world.desk.catalogue.actions
    table = grid(world.values, world.schema, actions, names=world.response.names)
    allowed = np.ones((len(world.values), len(actions)), dtype=bool)
    margins = Trees.of(world.response.heads[name].booster).margins(table, allowed)
    assert (margins == _by_lightgbm(world, name, actions)).all()


def test_unwanted_pairs_are_left_out_and_change_nothing_else(world: Any) -> None:
    actions = world.desk.catalogue.actions
    allowed = np.random.default_rng(1).random((len(world.values), len(actions))) < 0.3
    some = world.response.outcomes(world.values, world.schema, actions, allowed=allowed)
    every = world.response.outcomes(world.values, world.schema, actions)
    for name in ("p_pay", "share", "late", "p_complaint", "p_opt_out"):
        found = getattr(some, name)
        assert np.isnan(found[~allowed]).all()
        assert (found[allowed] == getattr(every, name)[allowed]).all()


def test_action_features_hold_no_action_id_and_waiting_is_all_zeros(world: Any) -> None:
    actions, names = world.desk.catalogue.actions, world.response.names
    assert not {action.name for action in actions} & set(names)
    rows = rows_for(world.values, world.schema, actions, np.zeros(len(world.values), dtype=np.int64), names=names)
    assert (rows[:, len(world.schema.names) :] == 0).all()


def test_a_candidate_carries_the_history_of_its_own_channel(world: Any) -> None:
    actions, names = world.desk.catalogue.actions, world.response.names
    index = np.full(len(world.values), world.desk.catalogue.index["sms/none/morning"])
    rows = rows_for(world.values, world.schema, actions, index, names=names)
    own = rows[:, len(world.schema.names) + names.index("candidate_contacts_count_30d")]
    expected = world.values[:, world.schema.index["contacts_sms_count_30d"]]
    np.testing.assert_array_equal(own, expected)


def test_a_channel_configured_after_training_is_known_by_what_it_costs(world: Any) -> None:
    actions = [replace(action, channel="carrier_pigeon") for action in world.desk.catalogue.actions[1:3]]
    found = world.response.outcomes(world.values, world.schema, actions)
    assert np.isfinite(found.p_pay).all()


@pytest.mark.parametrize("missing", HEADS)
def test_a_hurdle_without_one_of_its_heads_is_refused(world: Any, missing: str) -> None:
    heads = {name: head for name, head in world.response.heads.items() if name != missing}
    with pytest.raises(BundleError, match="heads"):
        HurdleModel(heads, world.response.names)


def test_a_head_is_either_learned_or_constant() -> None:
    with pytest.raises(BundleError, match="either"):
        Head()


@given(p=st.floats(0.001, 0.999), reach=st.floats(0, 1), lift=st.floats(1, 3))
def test_priors_never_expect_less_from_an_attempt_that_can_only_help(p: float, reach: float, lift: float) -> None:
    found = _prior(p, Priors(reach={"sms": reach}, lift={"none": lift}))
    assert p - 1e-12 <= found[1] <= 1.0
    assert found[0] == pytest.approx(p)


@given(p=st.floats(0.01, 0.9), reach=st.floats(0.1, 0.8))
def test_priors_expect_more_from_a_wider_reach(p: float, reach: float) -> None:
    assert _prior(p, Priors(reach={"sms": reach + 0.1}))[1] > _prior(p, Priors(reach={"sms": reach}))[1]


def _prior(p: float, priors: Priors) -> list[float]:
    actions = [CATALOGUE.actions[0], CATALOGUE.actions[CATALOGUE.index["sms/none/morning"]]]
    return PriorResponse(priors).outcomes(np.array([p]), actions).p_pay[0].tolist()


def test_under_priors_a_discount_is_given_away_only_where_the_attempt_gets_through(desk: Any) -> None:
    action = desk.catalogue.actions[desk.catalogue.index["sms/disc25/morning"]]
    found = PriorResponse(Priors(reach={"sms": 0.0}, share=0.8)).outcomes(np.array([0.4]), [action])
    # Nobody is reached: what comes in is the full share of the full amount, not of the 75 % the offer asks for.
    assert found.p_pay[0, 0] * found.share[0, 0] * 0.75 == pytest.approx(0.4 * 0.8)


@given(p=st.floats(0.01, 0.99), share=st.floats(0.1, 1.0))
def test_under_priors_who_does_not_pay_now_pays_later_alike_after_every_action(p: float, share: float) -> None:
    found = PriorResponse(Priors(share=share), pays_later=0.25).outcomes(np.array([p]), CATALOGUE.actions)
    assert found.late == pytest.approx(np.full((1, len(CATALOGUE.actions)), 0.25 * share))
    # A contact that can only help never brings less than waiting does.
    assert (found.share >= found.late).all()

from __future__ import annotations

from dataclasses import replace
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hs

from decisioning.candidates import PART_SURPLUS, candidate_names, grid, rows_for
from decisioning.trees import Trees
from features.events import PART_HOURS
from features.schema import FeatureSchema

SCHEMA = FeatureSchema(tuple(f"reception_surplus_{part}" for part in PART_HOURS), {}, {})
VALUES = np.random.default_rng(8).normal(size=(400, 3))


def own_column(desk: Any, rows: np.ndarray) -> np.ndarray:
    return rows[:, 3 + candidate_names(SCHEMA, desk.catalogue.actions).index(PART_SURPLUS)]


def made_at(desk: Any, hours: np.ndarray) -> np.ndarray:
    index = np.ones(len(VALUES), dtype=np.int64)
    return own_column(desk, rows_for(VALUES, SCHEMA, desk.catalogue.actions, index, hours=hours))


@pytest.mark.parametrize("part", list(PART_HOURS))
@pytest.mark.parametrize("channel", ["sms", "agent_call"])
def test_a_candidate_carries_the_surplus_of_its_own_part_of_the_day(desk: Any, channel: str, part: str) -> None:
    index = np.full(len(VALUES), desk.catalogue.index[f"{channel}/none/{part}"])
    rows = rows_for(VALUES, SCHEMA, desk.catalogue.actions, index)
    np.testing.assert_array_equal(own_column(desk, rows), VALUES[:, SCHEMA.index[f"reception_surplus_{part}"]])


@pytest.mark.parametrize("part, hours", PART_HOURS.items())
def test_a_contact_carries_the_surplus_of_the_hour_it_was_made_at(desk: Any, part: str, hours: tuple[int, int]) -> None:
    made = made_at(desk, np.random.default_rng(1).uniform(*hours, size=len(VALUES)))
    np.testing.assert_array_equal(made, VALUES[:, SCHEMA.index[f"reception_surplus_{part}"]])


@given(hour=hs.floats(0, 24, exclude_max=True))
def test_the_part_of_a_contact_is_the_one_whose_half_open_hours_hold_its_own(desk: Any, hour: float) -> None:
    parts = [part for part, (opens, closes) in PART_HOURS.items() if opens <= hour < closes]
    expected = VALUES[:, SCHEMA.index[f"reception_surplus_{parts[0]}"]] if parts else np.zeros(len(VALUES))
    np.testing.assert_array_equal(made_at(desk, np.full(len(VALUES), hour)), expected)


def test_waiting_and_actions_of_several_parts_of_the_day_have_no_surplus(desk: Any) -> None:
    wait, sms = desk.catalogue.actions[0], desk.catalogue.actions[1]
    actions = [wait, replace(sms, hours=(8, 20)), replace(sms, hours=(7, 9)), replace(sms, hours=(20, 22))]
    table = grid(VALUES, SCHEMA, actions, names=(PART_SURPLUS,))
    assert not table.history.any()


def test_hours_within_a_part_of_the_day_have_its_surplus(desk: Any) -> None:
    early = replace(desk.catalogue.actions[1], hours=(17, 18))
    table = grid(VALUES, SCHEMA, [early], names=(PART_SURPLUS,))
    np.testing.assert_array_equal(table.history[:, 0, 0], VALUES[:, SCHEMA.index["reception_surplus_evening"]])


def test_a_model_of_accounts_without_habits_is_shown_none(desk: Any) -> None:
    assert PART_SURPLUS not in candidate_names(FeatureSchema(("balance_cents",), {}, {}), desk.catalogue.actions)


def test_trees_that_ask_about_the_part_of_the_day_give_the_margins_of_lightgbm_to_the_last_bit(desk: Any) -> None:
    actions, names = desk.catalogue.actions, candidate_names(SCHEMA, desk.catalogue.actions)
    index = np.random.default_rng(9).integers(0, len(actions), size=len(VALUES))
    rows = rows_for(VALUES, SCHEMA, actions, index, names=names)
    data = lgb.Dataset(rows, own_column(desk, rows))
    booster = lgb.train({"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}, data, num_boost_round=10)
    assert booster.feature_importance()[3 + names.index(PART_SURPLUS)] > 0
    every = np.ones((len(VALUES), len(actions)), dtype=np.bool_)
    walked = Trees.of(booster).margins(grid(VALUES, SCHEMA, actions, names=names), every)
    np.testing.assert_array_equal(walked[np.arange(len(VALUES)), index], booster.predict(rows, raw_score=True))


@pytest.mark.parametrize("n_actions", [1, 63, 64, 65, 128, 129, 200])
def test_trees_give_the_margins_of_lightgbm_however_many_words_the_actions_take(desk: Any, n_actions: int) -> None:
    rng, names = np.random.default_rng(n_actions), candidate_names(SCHEMA, desk.catalogue.actions)
    some = [desk.catalogue.actions[place] for place in rng.integers(0, len(desk.catalogue.actions), size=n_actions)]
    every = [replace(action, unit_cost=cost) for action, cost in zip(some, rng.uniform(0, 3, n_actions), strict=True)]
    table, allowed = grid(VALUES, SCHEMA, every, names=names), rng.random((len(VALUES), n_actions)) < 0.5
    account, action = np.nonzero(np.ones_like(allowed))
    rows = table.rows(account.astype(np.int64), action.astype(np.int64))
    answers = rows[:, names.index("action_unit_cost") + 3] * rows[:, 0] + own_column(desk, rows) + rows[:, 1]
    data = lgb.Dataset(rows, answers)
    booster = lgb.train({"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}, data, num_boost_round=10)
    expected = np.where(allowed, booster.predict(rows, raw_score=True).reshape(allowed.shape), np.nan)
    trees = Trees.of(booster)
    np.testing.assert_array_equal(trees.margins(table, allowed), expected)
    # What an action is, is looked up once for a catalogue: another one is not taken for it.
    order = rng.permutation(n_actions)
    other = grid(VALUES, SCHEMA, [every[place] for place in order], names=names)
    np.testing.assert_array_equal(trees.margins(other, allowed[:, order]), expected[:, order])

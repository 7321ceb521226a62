"""Scores of many rows: the booster's own to the last bit, whoever computes them."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from decisioning.tree_shap import TreeShap, scorer_of
from training import boosting
from training.boosting import Columns, Recipe, fit_rounds, margins
from training.config import ModelConfig

N, K = 12_000, 6


@pytest.fixture(scope="module")
def world() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N, K))
    values[rng.random((N, K)) < 0.2] = np.nan
    values[:, 2] = rng.integers(-1, 9, N)
    values[::7, 3] = 0.0
    return values, (rng.random(N) < 0.2 + 0.5 * (np.nan_to_num(values[:, 0]) > 0.3)).astype(np.float64)


@pytest.fixture(scope="module")
def booster(world) -> lgb.Booster:
    columns = Columns(tuple("abcdef"), (2,))
    return fit_rounds(Recipe("binary", ModelConfig(threads=1)), columns, data=world, rounds=40)


def test_many_rows_are_scored_without_the_booster_and_to_its_last_bit(world, booster, monkeypatch):
    expected = booster.predict(world[0], raw_score=True)
    asked = []
    monkeypatch.setattr(boosting, "scorer_of", lambda one: asked.append(scorer_of(one)) or asked[-1])
    assert (margins(booster, world[0], threads=1) == expected).all()
    assert isinstance(asked[0], TreeShap)


def test_a_booster_whose_trees_are_not_read_here_scores_itself(world):
    values, paid = np.nan_to_num(world[0]), world[1]
    settings = {"objective": "binary", "linear_tree": True, "num_leaves": 4, "num_threads": 1, "verbosity": -1}
    linear = lgb.train(settings, lgb.Dataset(values, paid, params=settings), 5)
    assert scorer_of(linear) is None
    assert (margins(linear, values, threads=1) == linear.predict(values, raw_score=True, num_threads=1)).all()

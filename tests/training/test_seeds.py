from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decisioning.config import DecisionConfig
from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from training import seeds
from training.boosting import Columns
from training.config import ModelConfig, TrainingConfig
from training.payment import Target, fit_evaluated
from training.seeds import open_desk, other_response, seed_scores
from training.splits import Split

ROWS, FEATURES = 2_400, 6
COLUMNS = Columns(tuple(f"f{one}" for one in range(FEATURES)), ())
MODEL = ModelConfig(threads=1, max_rounds=15, max_leaves=4)
DEBTOR = (np.arange(ROWS) // 2).astype(np.int32)


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(ROWS, FEATURES))


@pytest.fixture(scope="module")
def target(values: np.ndarray) -> Target:
    rng = np.random.default_rng(1)
    paid = (rng.random(ROWS) < 1 / (1 + np.exp(-values[:, 0] - values[:, 1]))).astype(float)
    train, valid, test = np.split(np.arange(ROWS), [1_600, 2_000])
    split = Split(train=train, valid=valid, test=test, valid_from_us=0, test_from_us=1, dropped=0)
    return Target(30, paid, np.ones(ROWS, bool), split)


def scores(values: np.ndarray, target: Target, others: int) -> dict[str, np.ndarray]:
    return seed_scores(values, COLUMNS, target, debtor=DEBTOR, config=MODEL, others=others)


def test_no_other_seeds_take_no_time(values: np.ndarray, target: Target) -> None:
    assert scores(values, target, 0) == {}


def test_other_seeds_are_those_after_the_first_and_score_test_rows_alone(values: np.ndarray, target: Target) -> None:
    found = scores(values, target, 2)
    assert list(found) == ["seed_1", "seed_2"]
    for p_pay in found.values():
        assert np.isnan(p_pay[:2_000]).all() and ((p_pay[2_000:] > 0) & (p_pay[2_000:] < 1)).all()


def test_another_seed_makes_another_model_of_the_same_data(values: np.ndarray, target: Target) -> None:
    found = scores(values, target, 2)
    assert np.abs(found["seed_1"] - found["seed_2"])[2_000:].max() > 0


def test_a_seed_makes_the_model_that_training_with_it_would(values: np.ndarray, target: Target) -> None:
    own = MODEL.model_copy(update={"seed": 1})
    booster, calibrator = fit_evaluated(values, COLUMNS, target, debtor=DEBTOR, config=own, train=target.split.train)
    expected = calibrator.apply(booster.predict(values[2_000:], raw_score=True))
    assert scores(values, target, 1)["seed_1"][2_000:].tolist() == expected.tolist()


def test_of_very_many_rows_all_seeds_learn_from_the_same_share(
    values: np.ndarray, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "MOST_ROWS", 1_000)
    assert list(scores(values, target, 1)) == ["seed_0", "seed_1"]


@pytest.mark.parametrize("model, others", [(None, 3), (object(), 0)])
def test_without_a_response_model_or_other_seeds_none_is_refitted(model: Any, others: int) -> None:
    assert other_response(model, {}, lambda *_: pytest.fail("fitted"), config=TrainingConfig(seeds=others)) is None


def test_the_response_model_of_the_next_seed_is_made_by_the_learner_that_was_shipped() -> None:
    told: list[Any] = []
    other_response(object(), {"learner": "funnel"}, lambda *given: told.extend(given), config=TrainingConfig())  # type: ignore[arg-type]
    assert (type(told[0]).__name__, told[1].model.seed) == ("FunnelLearner", 1)


def test_choices_of_two_seeds_are_made_under_no_rules_of_the_day() -> None:
    catalogue = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
    found = open_desk(catalogue, load_section(Path("configs/decision.yaml"), DecisionConfig))
    assert found.contact_policy.rules == ()

"""Tuning within a training: what it may look at, that it ends in the same model each time, and what is kept of it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml

from domain.clock import FOREVER, US_PER_DAY
from domain.errors import NotEnoughDataError
from domain.tables import Tables
from features.encoding import encode
from features.schema import fit_schema
from training import labels, pipeline, registry
from training.boosting import Columns
from training.caching.entries import Entries
from training.caching.steps import Chain, Steps
from training.config import TrainingConfig
from training.dataset import Horizon
from training.facts import end_of_data
from training.payment import Target
from training.response_log import response_log
from training.runs.configs import Configs
from training.runs.record import read_record
from training.splits import rolling_splits, time_split
from training.tracking import client_of
from training.tuning import payment, search, tuned
from training.tuning.origins import known_until, origins_of
from training.tuning.payment import PaymentMaterial, tune_payment
from training.tuning.response import STAGES, VALUE, ResponseMaterial, tune_response
from training.tuning.shapes import shape_of

N = 6_000
SETTINGS = {
    "model": {"threads": 1, "max_rounds": 8, "max_leaves": 5},
    "sampling": {"max_rows": 3000},
    "response": {"learner": "hurdle"},
    "seeds": 0,
    "tuning": {"enabled": True, "trials": 3, "response_trials": 2, "folds": 3},
}


def quiet(*_):
    return None


def refused(*_, **__):
    raise NotEnoughDataError("not asked here")


@pytest.fixture(scope="module")
def config():
    return TrainingConfig.model_validate(SETTINGS)


@pytest.fixture(scope="module")
def material():
    """Two features that tell, three that do not, over two years."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N, 5))
    truth = 1 / (1 + np.exp(-(values[:, 0] + values[:, 1] ** 2 - 1.5)))
    paid, as_of = (rng.random(N) < truth).astype(float), rng.integers(0, 730, N) * US_PER_DAY
    everything = np.ones(N, dtype=bool)
    split = time_split(as_of, everything, ~everything, horizon_days=30, config=TrainingConfig().splits)
    columns = Columns(tuple("abcde"), ())
    return PaymentMaterial(
        values, columns, Target(30, paid, everything, split), np.arange(N, dtype=np.int32) // 3, as_of
    )


def test_validation_and_test_rows_are_nothing_to_the_payment_models_search(material, config):
    clean = tune_payment(material, config, after=Chain(), tell=quiet).to_json()
    values, paid = material.values.copy(), material.target.paid.copy()
    later = material.as_of_us + 30 * US_PER_DAY > material.target.split.valid_from_us
    values[later], paid[later] = 1e9, 1.0 - paid[later]
    poisoned = replace(material, values=values, target=replace(material.target, paid=paid))
    assert tune_payment(poisoned, config, after=Chain(), tell=quiet).to_json() == clean


def test_a_poisoned_training_row_does_matter_to_it(material, config):
    clean = tune_payment(material, config, after=Chain(), tell=quiet).to_json()
    paid = material.target.paid.copy()
    paid[material.target.split.train] = 1.0 - paid[material.target.split.train]
    paid[material.target.split.train[::2]] = 0.0
    turned = replace(material, target=replace(material.target, paid=paid))
    assert tune_payment(turned, config, after=Chain(), tell=quiet).to_json() != clean


def test_folds_follow_each_other_with_a_gap_before_what_is_judged(material, config):
    split = material.target.split
    found = rolling_splits(material.as_of_us, split.train, horizon_days=30, folds=3, config=config.splits)
    as_of, gap = material.as_of_us, 30 * US_PER_DAY
    for one in found:
        assert as_of[one.train].max() + gap <= as_of[one.valid].min()
        assert as_of[one.valid].max() + gap <= as_of[one.test].min()
        assert set(one.train) | set(one.valid) | set(one.test) <= set(split.train)
    for one, two in pairwise(found):
        assert as_of[one.test].max() < as_of[two.test].min()
        assert len(one.train) < len(two.train)


def test_too_short_a_history_is_told_and_leaves_the_shape(material, config):
    few = replace(material.target.split, train=material.target.split.train[:300])
    with pytest.raises(NotEnoughDataError, match="needed"):
        tune_payment(replace(material, target=replace(material.target, split=few)), config, after=Chain(), tell=quiet)


@pytest.fixture(scope="module")
def configs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("configs")
    for name in ("actions.yaml", "features.yaml"):
        (folder / name).write_bytes((Path("configs") / name).read_bytes())
    (folder / "decision.yaml").write_text("horizon_days: [30]\n", encoding="utf-8")
    (folder / "training.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def searched(portfolio, configs):
    """A search of the response model, at a moment after which there is more data; and that moment."""
    end_us = int(np.quantile(portfolio.ints("decisions", "decided_at"), 0.85))

    def of(tables=portfolio, **changed):
        loaded = Configs.load(configs)
        loaded = replace(loaded, training=loaded.training.model_copy(update=changed))
        origins = origins_of(known_until(tables, loaded, end_us=end_us), folds=3)
        return tune_response(ResponseMaterial(origins, loaded.training, Chain()), tell=quiet)

    return of, end_us


def test_the_response_models_search_ends_before_the_rows_that_judge_it(portfolio, configs, material, monkeypatch):
    loaded = Configs.load(configs)
    encoded = encode(portfolio, attributes={})
    horizon, config = Horizon(end_of_data(portfolio, until_us=None), 3), loaded.training
    asked = []
    monkeypatch.setattr(tuned, "origins_of", lambda known, **_: asked.append(known) or ())
    monkeypatch.setattr(tuned, "tune_payment", refused)
    monkeypatch.setattr(tuned, "tune_response", lambda *_, **__: {"shape": shape_of(config.model), "trials": []})
    # Rows of the payment model that are judged later than those of the response model, and earlier.
    for payment_us in (FOREVER, int(np.quantile(portfolio.ints("payments", "occurred_at"), 0.5))):
        split = replace(material.target.split, test_from_us=payment_us)
        judged_from = replace(material, target=replace(material.target, split=split))
        tuned.tune(judged_from, encoded, loaded, horizon=horizon, after=Chain())
    log = response_log(
        encoded, fit_schema(encoded, attributes={}), config, catalogue=loaded.catalogue,
        money=labels.receipts(encoded), horizon=horizon, value_days=365,
    )  # fmt: skip
    every = np.ones(len(log), dtype=bool)
    judged = time_split(log.as_of_us, every, ~every, horizon_days=30, config=config.splits)
    assert asked[0].end_us == judged.test_from_us > asked[1].end_us == split.test_from_us
    for known in asked:
        assert all(known.tables.ints(name, "recorded_at").max() < known.end_us for name in ("payments", "contacts"))


def test_a_log_that_explored_judges_the_response_model_by_policy_value(searched):
    found = searched[0]()
    assert found["objective"] == VALUE and "fell_back" not in found
    assert found["value"]["at_hand"]["effective"] > 30
    assert found["value"]["at_hand"]["low"] < found["value"]["at_hand"]["value"] < found["value"]["at_hand"]["high"]


def test_nothing_after_its_end_matters_to_the_response_models_search(portfolio, searched):
    of, end_us = searched
    late = portfolio.ints("payments", "recorded_at") >= end_us
    assert 0 < late.sum() < len(late)
    amounts = np.where(late, 99_999_999, portfolio.ints("payments", "amount"))
    poisoned = {**portfolio.columns["payments"], "amount": amounts}
    assert of(Tables({**portfolio.columns, "payments": poisoned})) == of()


def test_a_log_without_exploration_is_judged_by_stages_and_says_why(portfolio, searched):
    rare = np.full(portfolio.rows("decisions"), 1.0)
    rare[::400] = 1e-4
    decisions = {**portfolio.columns["decisions"], "action_prob": rare}
    found = searched[0](Tables({**portfolio.columns, "decisions": decisions}))
    assert found["objective"] == STAGES
    assert "effective decisions" in found["fell_back"] or "support" in found["fell_back"]
    assert all(0 < loss < 2 for trial in found["trials"] for loss in trial["losses"])


def test_a_log_that_does_not_know_its_probabilities_is_judged_by_stages(portfolio, searched):
    unknown = np.full(portfolio.rows("decisions"), np.nan)
    decisions = {**portfolio.columns["decisions"], "action_prob": unknown}
    found = searched[0](Tables({**portfolio.columns, "decisions": decisions}))
    assert found["objective"] == STAGES and "action_prob" in found["fell_back"]


@pytest.fixture(scope="module")
def trained(portfolio, configs, tmp_path_factory):
    """A tuned training with a cache, and where it is kept."""
    root = tmp_path_factory.mktemp("tuned")
    tracking = registry.Tracking(root / "mlruns")
    steps = Steps(Entries(root / "cache", max_bytes=1 << 30))
    return pipeline.train(
        portfolio, configs=configs, until=None, name="tuned", tracking=tracking, steps=steps
    ), tracking


def test_the_same_seed_tunes_to_the_same_model_without_and_with_the_cache(portfolio, configs, trained, tmp_path):
    result, tracking = trained
    plain = pipeline.train(portfolio, configs=configs, until=None, name=None, tracking=registry.Tracking(tmp_path))
    steps = Steps(Entries(tracking.root.parent / "cache", max_bytes=1 << 30))
    cached = pipeline.train(
        portfolio, configs=configs, until=None, name=None, tracking=registry.Tracking(tmp_path), steps=steps
    )
    assert plain.bundle.model_hash == cached.bundle.model_hash == result.bundle.model_hash
    assert plain.evaluation["tuning"] == cached.evaluation["tuning"] == result.evaluation["tuning"]
    assert [name for name, one in steps.told.items() if one["computed"]] == []


def test_every_trial_is_a_run_below_the_run_of_the_training(trained):
    result, tracking = trained
    with client_of(tracking) as client:
        runs = client.search_runs(["1"])
        (parent,) = [one for one in runs if one.info.run_name == "tuned"]
        children = [one for one in runs if one.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    told = result.evaluation["tuning"]
    assert len(children) == sum(len(found["trials"]) for found in told.values())
    for child in children:
        model, number = child.data.tags["tuning"], int(child.info.run_name.split()[-1])
        trial = told[model]["trials"][number]
        assert child.data.tags["trial_state"] == trial["state"]
        assert float(child.data.params["l2"]) == trial["shape"]["l2"]
        assert [child.data.metrics[f"loss_fold_{fold}"] for fold in range(1, len(trial["losses"]) + 1)] == trial[
            "losses"
        ]


def test_a_recorded_shape_is_trained_again_without_a_search(portfolio, configs, trained, tmp_path, monkeypatch):
    result, _ = trained
    record = read_record(result.bundle.folder)
    assert record["tuning"] == json.loads(json.dumps(result.evaluation["tuning"]))

    def refuse(*_, **__):
        raise AssertionError("searched again")

    monkeypatch.setattr(payment, "search", refuse)
    monkeypatch.setattr(search, "search", refuse)
    monkeypatch.setattr(tuned, "tune", refuse)
    again = pipeline.retrain(portfolio, tmp_path / "again", configs=configs, until=None, tuning=record["tuning"])
    assert again.model_hash == result.bundle.model_hash


def test_a_shape_that_was_taken_decides_the_model_and_its_hash(portfolio, configs, trained, tmp_path):
    result, _ = trained
    told = json.loads(json.dumps(result.evaluation["tuning"]))
    told["payment"]["shape"] |= {"max_leaves": 4, "min_rows_per_leaf": 33}
    found = pipeline.retrain(portfolio, tmp_path / "other", configs=configs, until=None, tuning=told)
    assert found.model_hash != result.bundle.model_hash
    assert found.settings["tuned"]["payment"]["min_rows_per_leaf"] == 33
    assert "[min_data_in_leaf: 33]" in found.payment.boosters[30].model_to_string()
    assert "[min_data_in_leaf: 33]" not in found.response.heads["pay"].booster.model_to_string()

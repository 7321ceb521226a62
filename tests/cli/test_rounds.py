"""``acerto simulate --rounds``: policies in the closed loop, a model among them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pandas as pd
import pytest

from features.validation import validate

LOOP = ("simulate", "--accounts", 400, "--seed", 9, "--rounds", 2, "--model", "champion")


def test_every_policy_is_told_with_its_differences_to_the_tuned_ladder(looped):
    _, told = looped
    assert list(told["policies"]) == ["tuned_ladder", "ladder", "greedy", "exploration", "all_knowing"]
    differences = told["against"]["tuned_ladder"]
    assert list(differences) == ["ladder", "greedy", "exploration", "all_knowing"]
    assert all(set(one["net_difference"]) == {"value", "low", "high"} for one in differences.values())


def test_every_difference_is_that_of_the_two_figures(looped):
    _, told = looped
    for against, others in told["against"].items():
        for name, one in others.items():
            gap = told["policies"][name]["net"] - told["policies"][against]["net"]
            assert one["net_difference"]["value"] == pytest.approx(gap, abs=1e-9)


def test_the_decisions_of_the_model_are_logged_with_their_true_probabilities(looped):
    folder, _ = looped
    greedy, explored = (
        pd.concat([pd.read_parquet(path) for path in sorted((folder / name / "decisions").glob("round-*.parquet"))])
        for name in ("greedy", "exploration")
    )
    assert (greedy["action_prob"] == 1.0).all()
    assert ((explored["action_prob"] > 0.0) & (explored["action_prob"] < 1.0)).all()
    chosen = explored["channel"] + "/" + explored["offer"] + "/" + explored["moment"]
    assert all(name in eligible for name, eligible in zip(chosen, explored["eligible"], strict=True))


def test_the_tables_of_a_policy_are_fit_to_train_on(looped):
    folder, _ = looped
    report = validate(folder / "greedy", attributes={}, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert [found.line() for found in report.findings if found.severity == "critical"] == []


def test_the_same_seed_prints_the_figures_that_an_earlier_run_wrote(acerto, looped):
    _, told = looped
    arguments = ("--out", "again", "--policies", "ladder,greedy,exploration,all_knowing", "--json")
    assert json.loads(acerto(*LOOP, *arguments).out) == told


def test_with_retraining_the_model_changes_on_its_way(acerto):
    arguments = ("--out", "retrained", "--policies", "greedy", "--retrain-every", 1, "--json")
    models = json.loads(acerto(*LOOP, *arguments).out)["models"]
    assert (len(models["greedy"]), len(models["greedy_retrained"])) == (1, 2)


def test_a_policy_that_does_not_exist_is_refused_with_the_known_names(acerto):
    result = acerto(*LOOP, "--out", "unknown", "--policies", "ladder,oracle")
    assert (result.code, "oracle" in result.err, "all_knowing" in result.err) == (1, True, True)


def test_an_option_of_the_loop_without_rounds_is_wrong_usage(acerto):
    result = acerto("simulate", "--accounts", 20, "--out", "none", "--policies", "ladder")
    assert (result.code, "--rounds" in result.err) == (2, True)

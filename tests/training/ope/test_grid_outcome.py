"""The outcome model of canonical logs: every action on every decision, from debtors of other folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from features.batch import compute_many
from features.encoding import encode
from features.schema import fit_schema
from training import labels
from training.config import ModelConfig
from training.dataset import Horizon
from training.facts import end_of_data
from training.ope.decisions import usable
from training.ope.grid_outcome import cross_fitted_grid
from training.ope.outcome import folds_of

CATALOGUE = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
MODEL = ModelConfig(threads=1, max_rounds=20)


@pytest.fixture(scope="module")
def fit(portfolio):
    encoded = encode(portfolio, attributes={})
    schema = fit_schema(encoded, attributes={})
    horizon = Horizon(end_of_data(portfolio, until_us=None), 3)
    found = usable(encoded, CATALOGUE, horizon, days=30, from_us=None, seed=0)
    cluster = encoded.debtor[found.spine.account].astype(np.int64)
    values = compute_many(encoded, found.spine, schema)
    reward = labels.recovered_cents(labels.receipts(encoded), found.spine, horizon_days=30) / 100.0

    def fitted(change=lambda reward, _cluster: reward):
        return cluster, cross_fitted_grid(
            found, values, change(reward, cluster), folds_of(cluster), schema=schema, catalogue=CATALOGUE,
            wanted=found.eligible, model=MODEL,
        ), found  # fmt: skip

    return fitted


def test_no_reward_of_a_debtor_moves_any_prediction_of_that_debtor(fit):
    cluster, before, _ = fit()
    _, after, _ = fit(lambda reward, cluster: np.where(cluster == 7, reward + 1e5, reward))
    np.testing.assert_array_equal(before.q[cluster == 7], after.q[cluster == 7])
    np.testing.assert_array_equal(before.q_logged[cluster == 7], after.q_logged[cluster == 7])


def test_rewards_of_other_debtors_do_move_it(fit):
    cluster, before, _ = fit()
    _, after, _ = fit(lambda reward, cluster: np.where(cluster % 2 == 0, reward + 1e5, reward))
    assert (before.q_logged[cluster == 7] != after.q_logged[cluster == 7]).all()


def test_the_logged_action_has_one_prediction_in_both_forms(fit):
    _, outcome, found = fit()
    np.testing.assert_allclose(found.of_logged(np.nan_to_num(outcome.q)), outcome.q_logged, rtol=1e-12)


def test_a_policy_is_expected_to_bring_what_its_actions_do(fit):
    _, outcome, found = fit()
    shares = found.eligible / found.eligible.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outcome.under(shares), np.nanmean(outcome.q, axis=1))

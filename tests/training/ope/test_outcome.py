"""The outcome model never sees the debtor whom it predicts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import examples

from training.ope.outcome import cross_fitted, folds_of


def rows(seed, *, size=120):
    rng = np.random.default_rng(seed)
    cluster = np.unique(rng.integers(0, 40, size), return_inverse=True)[1].astype(np.int64)
    return rng.normal(size=(size, 2)), rng.normal(size=size), cluster


@given(seed=st.integers(0, 1000), width=st.integers(0, 2))
@settings(max_examples=examples(20), deadline=None)
def test_no_reward_of_a_debtor_moves_a_prediction_of_that_debtor(seed, width):
    covariates, reward, cluster = rows(seed)
    fold = folds_of(cluster)
    before = cross_fitted(covariates[:, :width], reward, fold)
    debtor = cluster == cluster[seed % len(cluster)]
    after = cross_fitted(covariates[:, :width], np.where(debtor, reward + 1e6, reward), fold)
    np.testing.assert_array_equal(before[debtor], after[debtor])


@given(seed=st.integers(0, 1000))
@settings(max_examples=examples(20), deadline=None)
def test_rows_of_one_debtor_stand_in_one_fold(seed):
    _, _, cluster = rows(seed)
    fold = folds_of(cluster)
    assert all(len(np.unique(fold[cluster == debtor])) == 1 for debtor in np.unique(cluster))


def test_what_covariates_tell_is_learned():
    covariates, noise, cluster = rows(1, size=2_000)
    reward = 100.0 * covariates[:, 0] + noise
    predicted = cross_fitted(covariates, reward, folds_of(cluster))
    assert np.corrcoef(predicted, reward)[0, 1] > 0.99


def test_gaps_in_covariates_are_borne():
    covariates, reward, cluster = rows(2)
    covariates[::3, 0] = np.nan
    covariates[:, 1] = np.nan
    assert np.isfinite(cross_fitted(covariates, reward, folds_of(cluster))).all()


def test_without_covariates_a_row_is_expected_to_bring_the_mean_of_other_folds():
    _, reward, cluster = rows(3)
    fold = folds_of(cluster)
    found = cross_fitted(np.zeros((len(reward), 0)), reward, fold)
    assert found[0] == pytest.approx(reward[fold != fold[0]].mean())


def test_a_log_of_one_debtor_has_no_outcome_model():
    assert cross_fitted(np.zeros((4, 0)), np.ones(4), np.zeros(4, dtype=np.int64)).tolist() == [0.0] * 4

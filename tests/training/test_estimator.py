"""The payment model as scikit-learn knows models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.calibration import calibration_curve
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from training.boosting import Columns
from training.config import ModelConfig
from training.estimator import PaymentClassifier
from training.payment import Target, fit_horizon
from training.splits import Split


@parametrize_with_checks([PaymentClassifier(min_rows_per_leaf=2)])
def test_it_does_what_scikit_learn_asks_of_a_classifier(estimator, check):
    check(estimator)


def portfolio(rows: int = 4_000, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """A frame whose true probabilities are known: (features, true p, outcome)."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"late_days": rng.gamma(2.0, 30.0, rows), "paid_before": rng.poisson(2.0, rows).astype(float)})
    frame["region"] = pd.Categorical(rng.choice(["BR-SP", "BR-RJ", "BR-BA"], rows))
    lift = frame["region"].map({"BR-SP": 0.0, "BR-RJ": 0.8, "BR-BA": -0.8}).astype(float)
    p = 1 / (1 + np.exp(0.02 * frame["late_days"] - 0.3 * frame["paid_before"] - lift)).to_numpy()
    frame.loc[rng.random(rows) < 0.1, "late_days"] = np.nan
    return frame, p, (rng.random(rows) < p).astype(np.int64)


@pytest.fixture(scope="module")
def learned():
    frame, _, paid = portfolio()
    return PaymentClassifier().fit(frame, paid)


def test_its_probabilities_are_near_the_true_ones_on_rows_of_another_draw(learned):
    frame, p, _ = portfolio(seed=1)
    kept = frame["late_days"].notna()
    said = learned.predict_proba(frame)[:, 1]
    assert np.corrcoef(said[kept], p[kept])[0, 1] > 0.95


def test_what_it_says_is_what_happens(learned):
    frame, _, paid = portfolio(rows=20_000, seed=2)
    rate, said = calibration_curve(paid, learned.predict_proba(frame)[:, 1], n_bins=5, strategy="quantile")
    # Five standard errors of a rate on 4,000 rows, and as much again for 800 rows that calibrated.
    assert np.abs(rate - said).max() < 5 * 0.5 / np.sqrt(4_000) + 0.03


def test_it_is_the_model_that_training_ships():
    frame, _, paid = portfolio()
    codes = frame.assign(region=frame["region"].cat.codes).to_numpy(dtype=np.float64)
    cut, n = 3_200, len(paid)
    split = Split(np.arange(cut), np.arange(cut, n), np.arange(0), valid_from_us=0, test_from_us=0, dropped=0)
    target = Target(30, paid.astype(np.float64), np.ones(n, dtype=bool), split)
    debtor = np.arange(n, dtype=np.int32) // 4
    columns = Columns(tuple(frame), (2,))
    theirs = fit_horizon(codes, columns, target, debtor=debtor, config=ModelConfig(threads=1)).shipped
    ours = PaymentClassifier().fit(frame, paid, debtor=debtor)
    assert ours.booster_.model_to_string() == theirs[0].model_to_string()
    assert ours.calibrator_ == theirs[1]


def test_without_refit_the_latest_rows_grow_no_tree():
    frame, _, paid = portfolio()
    other = np.where(np.arange(len(paid)) < 3_200, paid, 1 - paid)
    models = [PaymentClassifier(refit=False, max_rounds=1).fit(frame, labels) for labels in (paid, other)]
    assert models[0].booster_.model_to_string() == models[1].booster_.model_to_string()


def test_a_category_that_was_not_learned_counts_as_missing(learned):
    frame = portfolio(rows=50, seed=3)[0]
    unknown, missing = (frame.assign(region=pd.Categorical([one] * 50)) for one in ("BR-AC", None))
    assert (learned.predict_proba(unknown) == learned.predict_proba(missing)).all()


def test_the_order_in_which_categories_are_listed_changes_no_probability(learned):
    frame = portfolio(rows=50, seed=3)[0]
    turned = frame.assign(region=frame["region"].cat.reorder_categories(["BR-SP", "BR-RJ", "BR-BA"]))
    assert (learned.predict_proba(turned) == learned.predict_proba(frame)).all()


def test_labels_may_have_names():
    frame, _, paid = portfolio(rows=600)
    named = PaymentClassifier(max_rounds=5).fit(frame, np.array(["not paid", "paid"])[paid])
    assert list(named.classes_) == ["not paid", "paid"]
    assert set(named.predict(frame)) <= {"not paid", "paid"}


def test_it_can_be_searched_over_and_put_into_a_pipeline():
    frame, _, paid = portfolio(rows=800)
    numbers = ColumnTransformer([("numbers", "passthrough", ["late_days", "paid_before"])])
    search = GridSearchCV(
        make_pipeline(numbers, PaymentClassifier(max_rounds=10)), {"paymentclassifier__max_leaves": [2, 8]},
        cv=TimeSeriesSplit(2), scoring="neg_log_loss",
    )  # fmt: skip
    assert search.fit(frame, paid).best_params_["paymentclassifier__max_leaves"] == 8


def test_debtors_that_do_not_fit_are_refused():
    frame, _, paid = portfolio(rows=600)
    with pytest.raises(ValueError, match=r"debtor: found shape \(2,\), needed one for each of the 600 rows"):
        PaymentClassifier().fit(frame, paid, debtor=["ana", "bo"])


def test_a_share_that_leaves_no_row_is_refused():
    frame, _, paid = portfolio(rows=600)
    with pytest.raises(ValueError, match=r"valid_share: found 1\.0 of 600 rows, needed rows on both sides"):
        PaymentClassifier(valid_share=1.0).fit(frame, paid)


def test_a_setting_outside_its_bounds_is_refused():
    frame, _, paid = portfolio(rows=600)
    with pytest.raises(ValidationError, match="max_depth"):
        PaymentClassifier(max_depth=0).fit(frame, paid)

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from training import metrics
from training.metrics import Floats


@pytest.fixture
def scored() -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(3)
    p = np.round(rng.beta(1, 4, 3_000), 2).clip(0.01, 0.99)  # rounding makes ties
    return (rng.random(3_000) < p).astype(float), p, rng.integers(0, 4, 3_000).astype(float)


def test_metrics_equal_scikit_learn_with_weights_and_ties(scored: tuple[Floats, Floats, Floats]) -> None:
    paid, p, weight = scored
    assert metrics.auc(paid, p, weight) == pytest.approx(roc_auc_score(paid, p, sample_weight=weight), abs=1e-9)
    assert metrics.brier(paid, p, weight) == pytest.approx(brier_score_loss(paid, p, sample_weight=weight), abs=1e-9)
    assert metrics.log_loss(paid, p, weight) == pytest.approx(log_loss(paid, p, sample_weight=weight), abs=1e-9)


def test_ks_equals_scipy(scored: tuple[Floats, Floats, Floats]) -> None:
    paid, p, _ = scored
    expected = ks_2samp(p[paid == 1], p[paid == 0]).statistic
    assert metrics.ks(paid, p, np.ones(len(p))) == pytest.approx(expected, abs=1e-9)


def test_ece_of_a_hand_worked_example() -> None:
    p = np.repeat(np.linspace(0.05, 0.95, 10), 10)
    paid = np.concatenate([np.arange(10) < round(10 * target) for target in np.linspace(0.05, 0.95, 10)]).astype(float)
    rates = paid.reshape(10, 10).mean(axis=1)
    assert metrics.ece(paid, p, np.ones(100)) == pytest.approx(np.abs(rates - np.linspace(0.05, 0.95, 10)).mean())


def test_equal_probabilities_share_a_bin() -> None:
    p = np.array([0.1] * 50 + [0.2] * 50)
    bins = metrics.equal_mass_bins(p, 10)
    assert len(set(bins[:50].tolist())) == len(set(bins[50:].tolist())) == 1


def test_one_class_has_no_auc() -> None:
    assert np.isnan(metrics.auc(np.ones(3), np.arange(3.0), np.ones(3)))


def test_intervals_hold_their_value_and_draw_whole_debtors(scored: tuple[Floats, Floats, Floats]) -> None:
    paid, p, _ = scored
    debtor = (np.arange(len(p)) // 3).astype(np.int32)
    weights = metrics.cluster_weights(debtor, replications=50, rng=np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 1]).all() and weights.sum(axis=1) == pytest.approx(len(p))
    found = metrics.with_intervals({"auc": metrics.auc}, paid, p, weights=weights)["auc"]
    assert found["low"] < found["value"] < found["high"]


def by_sorted_sums(paid: Floats, p: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """AUC and KS of each row of weights, once more, by cumulated sums at distinct scores."""
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], p[order][1:] != p[order][:-1]]))
    payers, others = (np.add.reduceat(weight[:, order] * share[order], starts, axis=1) for share in (paid, 1.0 - paid))
    area = (payers * (np.cumsum(others, axis=1) - others / 2.0)).sum(axis=1)
    shares = [np.cumsum(mass, axis=1) / mass.sum(axis=1, keepdims=True) for mass in (payers, others)]
    return area / (payers.sum(axis=1) * others.sum(axis=1)), np.abs(shares[0] - shares[1]).max(axis=1)


def test_auc_and_ks_of_whole_weights_are_those_of_sorted_sums_to_the_bit(scored: tuple[Floats, Floats, Floats]) -> None:
    paid, p, _ = scored
    weight = np.random.default_rng(1).poisson(1.0, (20, len(p))).astype(float)
    expected = by_sorted_sums(paid, p, weight)
    assert (metrics.auc(paid, p, weight) == expected[0]).all()
    assert (metrics.ks(paid, p, weight) == expected[1]).all()


def test_a_draw_without_payers_has_neither_auc_nor_ks_and_the_others_have(
    scored: tuple[Floats, Floats, Floats],
) -> None:
    paid, p, _ = scored
    weight = np.stack([1.0 - paid, np.ones(len(p))])
    assert np.isnan(metrics.auc(paid, p, weight)).tolist() == [True, False]
    assert np.isnan(metrics.ks(paid, p, weight)).tolist() == [True, False]

"""Figures of the report against scikit-learn, scipy, and formulas written out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit, rel_entr
from scipy.stats import beta, binomtest, chi2, norm
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from features.stability import stability
from training.evaluation import reliability
from training.metrics import METRICS, equal_mass_bins
from training.reporting.calibration_tests import bands, brier_parts, holm, jeffreys, logistic_recalibration
from training.reporting.intervals import Scored, auc_gain, auc_influence, auc_of, difference, established, mean_figure
from training.reporting.lights import Figure
from training.reporting.shift import psi

World = Callable[..., Scored]
EXACT = {"rel": 0.0, "abs": 1e-9}


def by_pairs(paid: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """AUC and DeLong's variance, from every pair of a payer and another."""
    payers, others = score[paid > 0.5], score[paid < 0.5]
    wins = (payers[:, None] > others) + 0.5 * (payers[:, None] == others)
    variance = np.var(wins.mean(axis=1), ddof=1) / len(payers) + np.var(wins.mean(axis=0), ddof=1) / len(others)
    return float(wins.mean()), float(variance)


def test_auc_is_that_of_scikit_learn(world: World) -> None:
    rows = world()
    assert auc_of(rows).value == pytest.approx(roc_auc_score(rows.paid, rows.p), **EXACT)


def test_with_one_row_a_debtor_the_interval_of_auc_is_delongs(world: World) -> None:
    rows = world(400)
    _, influence = auc_influence(rows.paid, rows.p)
    assert (influence**2).sum() == pytest.approx(by_pairs(rows.paid, rows.p)[1], **EXACT)


def test_rows_that_are_there_twice_under_one_debtor_narrow_no_interval(world: World) -> None:
    once = world(1_000)
    twice = Scored(np.repeat(once.paid, 2), np.repeat(once.p, 2), np.repeat(once.debtor, 2))
    widths = [found.high - found.low for found in (auc_of(once), auc_of(twice))]
    assert widths[1] == pytest.approx(widths[0], rel=2e-3)


def test_a_score_gains_nothing_on_itself(world: World) -> None:
    rows = world()
    assert (auc_gain(rows, rows.p).value, auc_gain(rows, rows.p).low) == (0.0, 0.0)


def test_gain_of_auc_is_the_difference_of_two(world: World) -> None:
    rows, other = world(), world(seed=1).p
    expected = roc_auc_score(rows.paid, rows.p) - roc_auc_score(rows.paid, other)
    assert auc_gain(rows, other).value == pytest.approx(expected, **EXACT)


@pytest.mark.parametrize("name, oracle", [("brier", brier_score_loss), ("log_loss", log_loss), ("auc", roc_auc_score)])
def test_metrics_are_those_of_scikit_learn(world: World, name: str, oracle: Callable[..., float]) -> None:
    rows = world()
    assert METRICS[name](rows.paid, rows.p, np.ones(len(rows))) == pytest.approx(oracle(rows.paid, rows.p), **EXACT)


@given(seed=st.integers(0, 10_000), count=st.integers(10, 20))
@settings(max_examples=30, deadline=None)
def test_the_parts_of_brier_add_up_to_it(world: World, seed: int, count: int) -> None:
    rows = world(300, seed=seed)
    found = brier_parts(rows.paid, rows.p, count)
    together = found.reliability - found.resolution + found.uncertainty + found.within
    assert together == pytest.approx(brier_score_loss(rows.paid, rows.p), **EXACT)


def test_nothing_is_left_within_bins_of_one_probability(world: World) -> None:
    rows = world()
    p = np.array([0.2, 0.5, 0.9])[np.arange(len(rows)) % 3]
    assert brier_parts(rows.paid, p, 10).within == pytest.approx(0.0, abs=1e-12)


def test_slope_and_intercept_are_those_of_a_logistic_regression(world: World) -> None:
    rows = world(bend=1.5)
    oracle = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1_000, solver="newton-cholesky")
    oracle.fit(logit(rows.p)[:, None], rows.paid)
    slope, intercept = logistic_recalibration(rows)
    assert (slope.value, intercept.value) == pytest.approx((oracle.coef_[0, 0], oracle.intercept_[0]), **EXACT)


def test_ece_is_the_mean_gap_of_scikit_learns_calibration_curve() -> None:
    # 1,004 rows: no decile lies on a row, where the two would put it on different sides.
    rng = np.random.default_rng(4)
    p = rng.random(1_004)
    paid = (rng.random(1_004) < p**2).astype(float)
    rate, mean = calibration_curve(paid, p, n_bins=10, strategy="quantile")
    rows = np.histogram(p, bins=np.quantile(p, np.linspace(0, 1, 11)))[0]
    expected = float((np.abs(rate - mean) * rows).sum() / len(p))
    assert METRICS["ece"](paid, p, np.ones(len(p))) == pytest.approx(expected, **EXACT)


def test_reliability_has_the_wilson_interval_of_scipy(world: World) -> None:
    rows = world()
    for band in reliability(rows.paid, rows.p):
        found = binomtest(round(band["rate"] * band["rows"]), int(band["rows"])).proportion_ci(method="wilson")
        assert (band["low"], band["high"]) == pytest.approx((found.low, found.high), **EXACT)


def test_the_interval_of_a_gain_is_delongs_of_two_scores_on_the_same_rows(world: World) -> None:
    rows, other = world(300), world(300, seed=1).p
    found, payer = auc_gain(rows, other), rows.paid > 0.5
    parts = []
    for score in (rows.p, other):
        wins = (score[payer][:, None] > score[~payer]) + 0.5 * (score[payer][:, None] == score[~payer])
        parts.append((wins.mean(axis=1), wins.mean(axis=0)))
    variance = sum(np.var(mine - theirs, ddof=1) / len(mine) for mine, theirs in zip(*parts, strict=True))
    half = norm.isf(0.025) * np.sqrt(variance)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), **EXACT)


@given(counts=st.lists(st.integers(1, 200), min_size=2, max_size=11), error=st.floats(1e-6, 0.2))
def test_what_chance_makes_of_a_psi_is_a_quantile_of_chi_square(counts: list[int], error: float) -> None:
    found = stability(np.array(counts), np.array(counts), units=100, units_before=300, false_alarm=error)
    expected = chi2.isf(error, len(counts) - 1) * (1 / 100 + 1 / 300)
    assert found.noise == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_score_that_separates_the_outcome_has_no_slope() -> None:
    p = np.array([0.1, 0.2, 0.8, 0.9])
    assert logistic_recalibration(Scored((p > 0.5).astype(float), p, np.arange(4)))[0].value is None


@pytest.mark.parametrize("payers, rows, p", [(0, 10, 0.1), (3, 20, 0.4), (10, 10, 0.9)])
def test_jeffreys_interval_is_that_of_the_beta_distribution(payers: int, rows: int, p: float) -> None:
    low, high, p_value = jeffreys(payers, rows, p)
    a, b = payers + 0.5, rows - payers + 0.5
    tail = min(beta.cdf(p, a, b), beta.sf(p, a, b))
    assert (low, high, p_value) == pytest.approx((*beta.ppf([0.025, 0.975], a, b), min(1.0, 2 * tail)), **EXACT)


def test_bands_are_at_least_ten_and_hold_every_row(world: World) -> None:
    rows = world()
    found = bands(rows, 10)
    assert (len(found), sum(one.rows for one in found)) == (10, len(rows))


def test_a_bands_rate_is_that_of_its_rows(world: World) -> None:
    rows = world()
    place = equal_mass_bins(rows.p, 10)
    expected = [rows.paid[place == number].mean() for number in range(10)]
    assert [one.rate.value for one in bands(rows, 10)] == pytest.approx(expected, **EXACT)


def test_rows_of_one_debtor_widen_the_interval_of_a_band() -> None:
    rng = np.random.default_rng(3)
    paid, p = np.repeat(rng.integers(0, 2, 100).astype(float), 10), np.full(1_000, 0.5)
    alone, together = (
        bands(Scored(paid, p, debtor), 10)[0].rate for debtor in (np.arange(1_000), np.arange(1_000) // 10)
    )
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_holm_stops_at_the_first_that_is_not_rejected() -> None:
    assert holm([0.001, 0.04, 0.012], 0.03) == [True, False, True]


def test_no_test_rejects_nothing() -> None:
    assert holm([], 0.05) == []


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=2, max_size=12))
@settings(deadline=None)
def test_psi_is_the_sum_of_both_relative_entropies(counts: list[tuple[int, int]]) -> None:
    now, then = np.array(counts).T
    a, b = now / now.sum(), then / then.sum()
    assert psi(now, then) == pytest.approx(float(rel_entr(a, b).sum() + rel_entr(b, a).sum()), abs=1e-9)


def test_psi_of_a_bin_that_one_side_lacks_is_finite() -> None:
    assert np.isfinite(psi(np.array([100, 0]), np.array([50, 50])))


def test_the_mean_of_independent_rows_has_the_textbook_interval(world: World) -> None:
    rows = world()
    found = mean_figure(rows.paid, rows.debtor)
    half = 1.959963984540054 * rows.paid.std(ddof=1) / np.sqrt(len(rows))
    assert found.high - found.value == pytest.approx(half, rel=1e-9)


def test_the_difference_of_independent_samples_has_the_textbook_error(world: World) -> None:
    a, b = world(800), world(500, seed=1)
    found = difference((a.paid, a.debtor), (b.paid, b.debtor + 800))
    error = np.sqrt(a.paid.var() / len(a) + b.paid.var() / len(b))
    assert (found.high - found.value) / 1.959963984540054 == pytest.approx(error, rel=1e-3)


def test_a_difference_whose_interval_holds_nothing_is_none() -> None:
    assert established(Figure(0.04, -0.01, 0.09, 300, 300, "delong")).value == 0.0


@pytest.mark.parametrize("low, high", [(0.01, 0.07), (-0.07, -0.01)])
def test_a_difference_on_one_side_of_nothing_stays(low: float, high: float) -> None:
    found = Figure((low + high) / 2, low, high, 300, 300, "delong")
    assert established(found) == found

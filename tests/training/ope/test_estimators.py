"""The formulas by hand, in fractions, as Open Bandit Pipeline 0.5.7 states them, and what must hold for all logs."""

from __future__ import annotations

from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import examples

from training.ope import estimators
from training.ope.estimators import Log, Target

# Five decisions of three debtors: probability of the logged action under the log and under the policy, reward,
# expected reward of the logged action and under the policy.
ROWS = [
    (F(1, 2), F(1, 4), F(10), F(8), F(7)),
    (F(1, 4), F(1, 2), F(0), F(2), F(5)),
    (F(1, 10), F(1, 5), F(30), F(20), F(12)),
    (F(9, 10), F(0), F(4), F(4), F(6)),
    (F(1, 5), F(1, 1), F(6), F(3), F(3)),
]
DEBTORS = [0, 0, 1, 2, 2]
P, PI, R, Q, QPI = (list(column) for column in zip(*ROWS, strict=True))
W = [pi / p for p, pi in zip(P, PI, strict=True)]
N = len(ROWS)


def mean(values):
    return sum(values, F(0)) / len(values)


def clustered_variance(influence):
    sums = [sum((x for x, debtor in zip(influence, DEBTORS, strict=True) if debtor == d), F(0)) for d in range(3)]
    return F(3, 2) * sum((s * s for s in sums), F(0)) / N**2


def table(rows=None):
    chosen = range(N) if rows is None else rows
    p, pi, r, q, qpi = (np.array([float(column[i]) for i in chosen]) for column in (P, PI, R, Q, QPI))
    cluster = np.array([DEBTORS[i] for i in chosen])
    return Log(p, r, cluster), Target(pi, q, qpi)


def test_ips_is_the_mean_of_weighted_rewards():
    log, target = table()
    expected = mean([w * r for w, r in zip(W, R, strict=True)])
    assert estimators.ips(log, estimators.weights(log, target)).value == pytest.approx(float(expected))


def test_snips_divides_by_the_mean_weight():
    log, target = table()
    expected = mean([w * r for w, r in zip(W, R, strict=True)]) / mean(W)
    assert estimators.snips(log, estimators.weights(log, target)).value == pytest.approx(float(expected))


def test_dr_corrects_the_outcome_model_by_what_was_seen():
    log, target = table()
    expected = mean([qpi + w * (r - q) for w, r, q, qpi in zip(W, R, Q, QPI, strict=True)])
    found = estimators.doubly_robust(log, target, estimators.weights(log, target))
    assert found.value == pytest.approx(float(expected))


def test_the_variance_of_a_mean_sums_over_debtors_before_it_squares():
    log, target = table()
    value = mean([w * r for w, r in zip(W, R, strict=True)])
    variance = clustered_variance([w * r - value for w, r in zip(W, R, strict=True)])
    assert estimators.ips(log, estimators.weights(log, target)).se ** 2 == pytest.approx(float(variance))


def test_the_variance_of_snips_is_that_of_the_ratio():
    log, target = table()
    value = mean([w * r for w, r in zip(W, R, strict=True)]) / mean(W)
    variance = clustered_variance([w * (r - value) / mean(W) for w, r in zip(W, R, strict=True)])
    assert estimators.snips(log, estimators.weights(log, target)).se ** 2 == pytest.approx(float(variance))


def test_the_effective_sample_is_kishs():
    expected = sum(W, F(0)) ** 2 / sum((w * w for w in W), F(0))
    log, target = table()
    assert estimators.effective_rows(estimators.weights(log, target)) == pytest.approx(float(expected))


def test_a_clip_caps_the_weights_and_nothing_else():
    log, target = table()
    expected = [min(float(w), 1.5) for w in W]
    assert estimators.weights(log, target, clip=1.5).tolist() == pytest.approx(expected)


ESTIMATES = {
    "ips": lambda log, target: estimators.ips(log, estimators.weights(log, target)),
    "snips": lambda log, target: estimators.snips(log, estimators.weights(log, target)),
    "dr": lambda log, target: estimators.doubly_robust(log, target, estimators.weights(log, target)),
}


@st.composite
def logs(draw):
    size = draw(st.integers(4, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    reward = rng.normal(size=size) * draw(st.sampled_from([1.0, 1e4]))
    log = Log(rng.uniform(0.01, 1.0, size), reward, np.unique(rng.integers(0, size, size), return_inverse=True)[1])
    return log, Target(rng.uniform(0.01, 1.0, size), rng.normal(size=size), rng.normal(size=size))


def rows_of(log, target, rows, *, cluster=None):
    where = log.cluster[rows] if cluster is None else cluster
    moved = Log(log.action_prob[rows], log.reward[rows], where)
    return moved, Target(target.pi[rows], target.q_logged[rows], target.q_target[rows])


@pytest.mark.parametrize("name", ESTIMATES)
@given(case=logs(), seed=st.integers(0, 1000))
@settings(max_examples=examples(30), deadline=None)
def test_the_order_of_rows_changes_nothing(name, case, seed):
    order = np.random.default_rng(seed).permutation(len(case[0]))
    found, moved = ESTIMATES[name](*case), ESTIMATES[name](*rows_of(*case, order))
    assert (moved.value, moved.se) == pytest.approx((found.value, found.se), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ESTIMATES)
@given(case=logs())
@settings(max_examples=examples(30), deadline=None)
def test_the_logging_policy_itself_is_worth_the_mean_reward(name, case):
    log, target = case
    same = Target(log.action_prob, target.q_logged, target.q_logged)
    assert ESTIMATES[name](log, same).value == pytest.approx(log.reward.mean(), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ESTIMATES)
@given(case=logs(), factor=st.floats(0.001, 1000.0))
@settings(max_examples=examples(30), deadline=None)
def test_another_currency_scales_values_and_intervals(name, case, factor):
    log, target = case
    scaled = Log(log.action_prob, factor * log.reward, log.cluster)
    found = ESTIMATES[name](log, target)
    other = ESTIMATES[name](scaled, Target(target.pi, factor * target.q_logged, factor * target.q_target))
    assert (other.value, other.se) == pytest.approx((factor * found.value, factor * found.se), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ESTIMATES)
@given(case=logs(), copies=st.integers(2, 5))
@settings(max_examples=examples(30), deadline=None)
def test_repeating_every_row_of_a_debtor_tells_nothing_new(name, case, copies):
    found = ESTIMATES[name](*case)
    again = ESTIMATES[name](*rows_of(*case, np.tile(np.arange(len(case[0])), copies)))
    assert (again.value, again.se) == pytest.approx((found.value, found.se), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ESTIMATES)
@given(case=logs())
@settings(max_examples=examples(30), deadline=None)
def test_as_many_debtors_again_narrow_the_interval_by_the_square_root_of_two(name, case):
    log, target = case
    groups = len(np.unique(log.cluster))
    twice = np.tile(np.arange(len(log)), 2)
    cluster = np.concatenate([log.cluster, log.cluster + groups])
    found, more = ESTIMATES[name](log, target), ESTIMATES[name](*rows_of(log, target, twice, cluster=cluster))
    if groups > 1:
        small_sample = np.sqrt((2 * groups / (2 * groups - 1)) / (groups / (groups - 1)))
        assert more.se == pytest.approx(found.se / np.sqrt(2.0) * small_sample, rel=1e-9, abs=1e-9)
    else:
        assert found.se == np.inf


@given(case=logs())
@settings(max_examples=examples(30), deadline=None)
def test_an_outcome_model_of_nothing_makes_dr_ips(case):
    log, target = case
    nothing = np.zeros(len(log))
    weight = estimators.weights(log, target)
    found = estimators.doubly_robust(log, Target(target.pi, nothing, nothing), weight)
    assert found.value == pytest.approx(estimators.ips(log, weight).value)

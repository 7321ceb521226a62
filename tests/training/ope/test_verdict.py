"""Support before any number, and no verdict where the log says too little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import examples

from domain.errors import DataError
from training.ope.estimators import Estimate, Log, Target
from training.ope.support import MAX_UNSUPPORTED, support
from training.ope.verdict import Options, evaluate, further_share, too_wide

ROWS = 2_000


def uniform_log(*, effect=1.0, noise=1.0, rows=ROWS, seed=0):
    """Four actions drawn uniformly; action 1 brings ``effect`` more. Returns the log and its actions."""
    rng = np.random.default_rng(seed)
    action = rng.integers(0, 4, rows)
    reward = 10.0 + effect * (action == 1) + noise * rng.normal(size=rows)
    return Log(np.full(rows, 0.25), reward, np.arange(rows)), action


def always(log, action, wanted, **known):
    q = np.full(len(log), 10.0)
    return Target((action == wanted).astype(float), q, q, **known)


def only(log, target, **options):
    return evaluate(log, {"p": target}, options=Options(**options)).policies["p"]


@pytest.mark.parametrize("effect, verdict", [(1.0, "better"), (-1.0, "worse"), (0.0, "not_established")])
def test_a_verdict_follows_the_sign_of_an_uplift_that_stands_out(effect, verdict):
    log, action = uniform_log(effect=effect)
    assert only(log, always(log, action, 1)).verdict == verdict


def test_an_action_that_was_never_logged_has_no_support():
    log, action = uniform_log()
    assert only(log, always(log, action, 7)).verdict == "no_support"


def test_without_support_there_are_no_figures():
    log, action = uniform_log()
    assert only(log, always(log, action, 7)).figures is None


def test_a_policy_with_half_of_its_mass_outside_the_log_has_no_support():
    log, action = uniform_log()
    half = replace(always(log, action, 1), pi=0.5 * (action == 1))
    found = only(log, half)
    assert found.verdict == "no_support"
    assert found.support.unsupported == pytest.approx(0.5, abs=0.05)


def test_mass_that_is_known_to_lie_outside_counts_even_where_weights_do_not_show_it():
    log, action = uniform_log(rows=100)
    found = only(log, always(log, action, 1, unsupported=2 * MAX_UNSUPPORTED))
    assert found.verdict == "no_support"


def test_a_hair_of_unsupported_mass_is_told_and_refuses_nothing():
    log, action = uniform_log()
    found = only(log, always(log, action, 1, unsupported=MAX_UNSUPPORTED / 2))
    assert (found.verdict, found.support.unsupported) == ("better", MAX_UNSUPPORTED / 2)


@given(seed=st.integers(0, 10_000), floor=st.floats(0.005, 0.5))
@settings(max_examples=examples(60), deadline=None)
def test_full_support_is_not_refused_for_the_luck_of_the_draw(seed, floor):
    rng = np.random.default_rng(seed)
    wanted = rng.random(3_000) < floor
    log = Log(np.where(wanted, floor, 1.0 - floor), rng.normal(size=3_000), np.arange(3_000))
    # Fifteen rows and more are expected; one such log in two thousand may be refused, none of these was.
    assert not support(log, wanted / log.action_prob).lacking


def test_weights_that_average_far_above_one_withhold_the_verdict():
    log, action = uniform_log()
    wrong = Log(np.full(ROWS, 0.1), log.reward, log.cluster)
    found = only(wrong, always(log, action, 1))
    assert found.verdict == "not_established"
    assert any("average" in reason for reason in found.reasons)


def test_few_effective_rows_withhold_a_verdict_however_narrow_the_interval():
    log, action = uniform_log(rows=60, effect=5.0, noise=0.001)
    found = only(log, always(log, action, 1))
    assert found.ess < 30
    assert found.verdict == "not_established"


def test_rows_of_few_debtors_withhold_a_verdict():
    log, action = uniform_log()
    few = Log(log.action_prob, log.reward, np.arange(ROWS) % 10)
    assert only(few, always(log, action, 1)).verdict == "not_established"


def test_an_interval_as_wide_as_the_uplift_is_too_wide():
    assert [too_wide(Estimate(value, 1.0)) for value in (3.9, 3.93, -3.93, 0.0)] == [True, False, False, True]


@given(value=st.floats(0.1, 100.0), se=st.floats(0.1, 100.0))
@settings(max_examples=examples(50), deadline=None)
def test_so_many_more_decisions_make_the_interval_as_narrow_as_the_uplift(value, se):
    uplift = Estimate(value, se)
    more = further_share(uplift)
    later = Estimate(value, se / np.sqrt(1.0 + more))
    if too_wide(uplift):
        assert later.high - later.low == pytest.approx(value)
    else:
        assert more == 0.0


def test_more_explored_decisions_are_the_explored_share_of_more_decisions():
    log, action = uniform_log(effect=0.1)
    found = only(log, always(log, action, 1))
    assert found.more_explored == found.more_decisions > 0


def test_the_logging_policy_is_no_better_than_itself():
    log, _ = uniform_log()
    q = np.random.default_rng(1).normal(size=ROWS)
    assert only(log, Target(log.action_prob, q, q)).verdict == "not_established"


def test_a_named_baseline_is_what_the_uplift_is_against():
    log, action = uniform_log()
    targets = {"one": always(log, action, 1), "two": always(log, action, 2)}
    found = evaluate(log, targets, options=Options(baseline="one")).policies
    assert found["two"].verdict == "worse"
    assert found["two"].figures.uplift.value == pytest.approx(
        found["two"].figures.dr.value - found["one"].figures.dr.value
    )


@pytest.mark.parametrize("baseline, told", [("nobody", "needed 'logged' or one of"), ("never", "no_support")])
def test_a_baseline_that_cannot_be_valued_is_refused(baseline, told):
    log, action = uniform_log()
    targets = {"one": always(log, action, 1), "never": always(log, action, 7)}
    with pytest.raises(DataError, match=told):
        evaluate(log, targets, options=Options(baseline=baseline))


def test_the_channel_marginal_uses_the_weights_of_channels():
    log, action = uniform_log()
    channel = (action < 2) / 0.5
    found = only(log, replace(always(log, action, 1), channel_weight=channel))
    assert found.figures.mdr.value == pytest.approx(float((10.0 + channel * (log.reward - 10.0)).mean()))


def test_a_clip_is_no_way_around_lacking_support():
    log, action = uniform_log()
    assert only(log, always(log, action, 7), clip=2.0).verdict == "no_support"

"""Ladders tuned on other accounts: what is best by cell, with the next best where it is not open."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from domain.errors import NotEnoughDataError
from simulation.tuned import ENOUGH, Judged, best_constant, tuned_ladder

WAIT, SMS, CALL = 0, 1, 2


def judged(young, old, *, size=3 * ENOUGH):
    """So many accounts 5 and 200 days past due, to each of which the three actions are worth the same."""
    days = np.repeat([5, 200], size)
    return Judged(
        days, np.full(2 * size, 100), np.ones((2 * size, 3), dtype=bool), np.repeat([young, old], size, axis=0)
    )


def due(days, eligible):
    return SimpleNamespace(
        days_past_due=np.array(days), overdue_cents=np.full(len(days), 100), eligible=np.array(eligible, dtype=bool)
    )


def test_each_step_takes_the_action_that_is_worth_most_there():
    ladder = tuned_ladder(judged([0.0, 2.0, 1.0], [0.0, 1.0, 2.0]), days=(31,))
    assert ladder.choose(due([5, 200], [[1, 1, 1], [1, 1, 1]])).action.tolist() == [SMS, CALL]


def test_where_the_best_is_not_open_the_next_best_is_taken():
    ladder = tuned_ladder(judged([0.0, 2.0, 1.0], [0.0, 1.0, 2.0]), days=(31,))
    assert ladder.choose(due([5, 200], [[1, 0, 1], [1, 1, 0]])).action.tolist() == [CALL, SMS]


def test_an_action_worth_less_than_waiting_is_never_taken():
    ladder = tuned_ladder(judged([0.0, -2.0, -1.0], [0.0, -1.0, 2.0]), days=(31,))
    assert ladder.choose(due([5, 200], [[1, 1, 1], [1, 1, 0]])).action.tolist() == [WAIT, WAIT]


def test_a_mean_of_few_accounts_is_not_believed():
    ladder = tuned_ladder(judged([0.0, 2.0, 1.0], [0.0, 1.0, 2.0], size=ENOUGH - 1), days=(31,))
    assert ladder.choose(due([5, 200], [[1, 1, 1], [1, 1, 1]])).action.tolist() == [WAIT, WAIT]


def test_nobody_to_tune_on_is_refused():
    with pytest.raises(NotEnoughDataError, match="no other account due"):
        tuned_ladder(judged([0.0, 2.0, 1.0], [0.0, 1.0, 2.0], size=0), days=(31,))


def test_the_best_constant_is_the_action_worth_most_over_all_and_waits_where_it_is_not_open():
    policy = best_constant(judged([0.0, 5.0, 1.0], [0.0, 1.0, 2.0]))
    assert policy(due([5, 200], [[1, 1, 1], [1, 0, 1]])).action.tolist() == [SMS, WAIT]


def test_what_was_not_eligible_counts_as_waiting_for_the_best_constant():
    others = judged([0.0, 5.0, 1.0], [0.0, 5.0, 1.0])
    others.eligible[6:, SMS] = False
    assert best_constant(others)(due([5], [[1, 1, 1]])).action.tolist() == [CALL]

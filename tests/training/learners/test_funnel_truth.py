"""The funnel against the truth of a simulated world, which the log that it learned from never shows.

Intervals are bootstraps over debtors, as the accounts of one share their fate; no tolerance is set by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from decisioning.response import ResponseModel
from domain.clock import US_PER_DAY, to_us
from features.spine import Spine
from simulation import assumptions
from training import labels, sampling
from training.learners.learned import LearnedResponse
from training.standing import standing_at
from training.windows import index_events

WAIT = 0
DRAWS = 1_000


def resampled(debtor: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """(draws, …) sums (n, …) of rows, summed over debtors drawn with replacement."""
    rng = np.random.default_rng(0)
    own = np.unique(debtor, return_inverse=True)[1]
    by_debtor = np.zeros((own.max() + 1, *sums.shape[1:]))
    np.add.at(by_debtor, own, sums)
    weights = rng.multinomial(len(by_debtor), np.full(len(by_debtor), 1 / len(by_debtor)), size=DRAWS)
    return np.tensordot(weights.astype(np.float64), by_debtor, axes=1)


def interval_of_mean(debtor: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """95 % of the mean, two-sided."""
    sums = resampled(debtor, np.column_stack([values, np.ones(len(values))]))
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return float(low), float(high)


def interval_of_slope(debtor: np.ndarray, inputs: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """95 % of the first coefficient of a least-squares fit with intercept, two-sided."""
    table = np.column_stack([inputs, np.ones(len(inputs)), target])
    moments = resampled(debtor, table[:, :, None] * table[:, None, :])
    slopes = np.linalg.solve(moments[:, :-1, :-1], moments[:, :-1, -1:])[:, 0, 0]
    low, high = np.quantile(slopes, [0.025, 0.975])
    return float(low), float(high)


@pytest.fixture
def funnel(judged_funnel: LearnedResponse) -> ResponseModel:
    return judged_funnel.model


def test_the_funnels_actions_are_truly_worth_more_than_waiting(judged: Any, funnel: ResponseModel) -> None:
    gain = judged.gained(funnel) - judged.truth.to_numpy()[:, WAIT]
    assert interval_of_mean(judged.debtor, gain)[0] > 0.0


def test_the_funnels_actions_are_truly_worth_more_than_the_ladders(judged: Any, funnel: ResponseModel) -> None:
    gain = judged.gained(funnel) - judged.laddered()
    assert interval_of_mean(judged.debtor, gain)[0] > 0.0


def naive_slope(judged: Any, *, arrears: bool, with_days: bool) -> tuple[float, float]:
    """What paying within 30 days has to do with the contacts of the 90 days before, as a naive analyst finds it."""
    found = judged.material
    last_us = to_us(assumptions.END) - 33 * US_PER_DAY
    spine = sampling.periodic(found.encoded, found.config.sampling, end_us=last_us, seed=0)
    standing = standing_at(found.encoded, spine)
    rows = np.flatnonzero(standing.owes & (standing.overdue_cents > 0) if arrears else standing.owes)
    spine, days = spine.take(rows), standing.days[rows]
    contacts = index_events(found.encoded.account_of("contacts"), found.encoded.tables.ints("contacts", "occurred_at"))
    earlier, _ = contacts.pairs(Spine(spine.account, spine.as_of_us - 90 * US_PER_DAY), horizon_days=90)
    received = np.bincount(earlier, minlength=len(spine))
    inputs = np.column_stack([received, days] if with_days else [received])
    paid = labels.paid_within(found.money, spine, horizon_days=30).astype(np.float64)
    return interval_of_slope(found.encoded.debtor[spine.account], inputs, paid)


@pytest.mark.parametrize(("arrears", "with_days"), [(False, False), (False, True), (True, True)])
def test_a_naive_count_of_contacts_says_that_contacting_keeps_debtors_from_paying(
    judged: Any, arrears: bool, with_days: bool
) -> None:
    assert naive_slope(judged, arrears=arrears, with_days=with_days)[1] < 0.0


def over_waiting(judged: Any, worth: np.ndarray) -> tuple[float, float]:
    """What a message is worth to those in arrears beyond waiting, whatever it offers and whenever it comes."""
    late = judged.in_arrears
    messages = [place for place, action in enumerate(judged.actions) if action.channel in {"sms", "whatsapp"}]
    return interval_of_mean(judged.debtor[late], (worth[:, messages].mean(axis=1) - worth[:, WAIT])[late])


def test_in_truth_a_message_to_those_in_arrears_is_worth_more_than_waiting(judged: Any) -> None:
    assert over_waiting(judged, judged.truth.to_numpy())[0] > 0.0


def test_the_funnel_says_that_a_message_to_those_in_arrears_is_worth_more_than_waiting(
    judged: Any, funnel: ResponseModel
) -> None:
    assert over_waiting(judged, judged.predicted(funnel))[0] > 0.0


def test_the_part_of_the_day_that_the_funnel_ranks_best_is_the_debtors_own_more_often_than_by_chance(
    judged: Any, funnel: ResponseModel
) -> None:
    hits = judged.own_moment(funnel).mean(axis=1)
    # Drawn evenly, each of three parts of the day is a debtor's own.
    assert interval_of_mean(judged.debtor, hits)[0] > 1 / 3

"""What few cases call for: the equation that an offset solves, and its limits with no case and with many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from training.learners.offsets import offset_of

SPREAD = 0.6
cases = st.lists(st.tuples(st.floats(0.01, 0.99), st.floats(0.0, 1.0)), min_size=1, max_size=60)


def arrays(found: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    p, label = np.array(found).T
    return p, label


def test_no_case_calls_for_no_offset() -> None:
    assert offset_of(np.zeros(0), np.zeros(0)) == 0.0


@given(found=cases)
def test_an_offset_solves_its_equation(found: list[tuple[float, float]]) -> None:
    p, label = arrays(found)
    offset = offset_of(logit(p), label)
    assert (label - expit(logit(p) + offset)).sum() == pytest.approx(offset / SPREAD**2, abs=1e-6)


@given(found=cases)
def test_an_offset_goes_the_way_of_the_cases(found: list[tuple[float, float]]) -> None:
    p, label = arrays(found)
    assert offset_of(logit(p), label) * (label - p).sum() >= 0.0


@given(found=cases)
def test_more_of_the_same_cases_draw_it_further(found: list[tuple[float, float]]) -> None:
    p, label = arrays(found)
    margin = logit(p)
    assert abs(offset_of(np.tile(margin, 3), np.tile(label, 3))) >= abs(offset_of(margin, label)) - 1e-9


def test_with_many_cases_the_prior_is_forgotten() -> None:
    rng = np.random.default_rng(0)
    label = (rng.random(200_000) < 0.4).astype(np.float64)
    found = offset_of(np.full(len(label), logit(0.15)), label)
    # The standard error of the log-odds of 200,000 cases at 0.4 is 0.0046; the prior weighs as little.
    assert found == pytest.approx(logit(0.4) - logit(0.15), abs=4 * 0.0046)


def test_one_case_moves_it_by_less_than_its_spread() -> None:
    assert 0.0 < offset_of(np.array([logit(0.15)]), np.ones(1)) < SPREAD

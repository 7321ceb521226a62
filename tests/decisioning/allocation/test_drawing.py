from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from allocation_problems import problems
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import examples

from decisioning.allocation import Problem, solve
from decisioning.allocation.drawing import draw_within
from decisioning.allocation.repair import use_of


def prepared(problem: Problem, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A plan, probabilities that mostly follow it, draws, and an order."""
    rng = np.random.default_rng(seed)
    n = len(problem)
    plan = solve(problem).choice
    probabilities = np.where(problem.value > -np.inf, rng.random(problem.value.shape), 0.0)
    probabilities *= 0.6 / probabilities.sum(axis=1, keepdims=True)
    probabilities[np.arange(n), plan] += 0.4
    return plan, probabilities, rng.random(n), rng.permutation(n)


def drawn(problem: Problem, seed: int) -> tuple[np.ndarray, np.ndarray]:
    plan, probabilities, draws, order = prepared(problem, seed)
    return draw_within(problem, plan, probabilities, draws=draws, order=order), probabilities


seeds = st.integers(0, 2**32 - 1)


@given(problem=problems(most_accounts=30, minimums=True), seed=seeds)
@settings(max_examples=examples(200), deadline=None)
def test_limits_hold_however_the_draws_fall(problem: Problem, seed: int) -> None:
    choice, _ = drawn(problem, seed)
    assert (use_of(problem, choice) <= problem.limit).all()


@given(problem=problems(most_accounts=30, minimums=True), seed=seeds)
@settings(max_examples=examples(200), deadline=None)
def test_minimums_that_the_plan_keeps_are_kept_however_the_draws_fall(problem: Problem, seed: int) -> None:
    planned = use_of(problem, prepared(problem, seed)[0])
    choice, _ = drawn(problem, seed)
    assert (use_of(problem, choice) >= np.minimum(problem.minimum, planned) - 1e-6).all()


@given(problem=problems(most_accounts=30), seed=seeds)
@settings(max_examples=examples(200), deadline=None)
def test_probabilities_sum_to_1_over_allowed_actions_and_the_drawn_one_has_some(problem: Problem, seed: int) -> None:
    choice, probabilities = drawn(problem, seed)
    assert probabilities.sum(axis=1) == pytest.approx(1.0)
    assert not probabilities[~(problem.value > -np.inf)].any()
    assert (probabilities[np.arange(len(problem)), choice] > 0).all()


@given(problem=problems(most_accounts=8), seed=seeds, place=st.integers(0, 7))
@settings(max_examples=examples(60), deadline=None)
def test_an_account_draws_each_action_with_the_probability_that_is_stated(
    problem: Problem, seed: int, place: int
) -> None:
    """Its own draw runs over an even grid, all the others stay: shares can miss by a step of the grid each."""
    place, steps = place % len(problem), 400
    plan, before, draws, order = prepared(problem, seed)
    counted, stated = np.zeros(problem.value.shape[1]), []
    for step in range(steps):
        draws[place] = (step + 0.5) / steps
        probabilities = before.copy()
        choice = draw_within(problem, plan, probabilities, draws=draws, order=order)
        counted[choice[place]] += 1
        stated.append(probabilities[place])
    assert np.ptp(stated, axis=0).max() == 0
    assert np.abs(counted / steps - stated[0]).max() <= 1.0 / steps


def test_exploring_does_not_hoard_what_is_scarce() -> None:
    """One contact for a hundred accounts that all explore: the plan's account nearly always has it."""
    n, none = 100, np.zeros(0, dtype=np.int64)
    problem = Problem(
        value=np.tile([0.0, 1.0], (n, 1)), segment=np.zeros(n, dtype=np.int64), constant=np.array([[[0.0], [1.0]]]),
        amount=np.zeros((n, 0)), pair_action=none, pair_resource=none, limit=np.ones(1), minimum=np.zeros(1),
    )  # fmt: skip
    plan = solve(problem).choice
    probabilities = np.full((n, 2), 0.1)
    probabilities[np.arange(n), plan] = 0.9
    order = np.arange(n)
    draw_within(problem, plan, probabilities, draws=np.full(n, 0.5), order=order)
    others = np.flatnonzero(plan == 0)
    assert probabilities[others, 1].sum() <= 0.1


def test_where_nothing_is_scarce_nothing_is_thinned() -> None:
    rng = np.random.default_rng(0)
    n, none = 50, np.zeros(0, dtype=np.int64)
    problem = Problem(
        value=np.hstack([np.zeros((n, 1)), rng.normal(size=(n, 3))]), segment=np.zeros(n, dtype=np.int64),
        constant=np.concatenate([[[[0.0]]], np.ones((1, 3, 1))], axis=1), amount=np.zeros((n, 0)), pair_action=none,
        pair_resource=none, limit=np.array([1.0 * n]), minimum=np.zeros(1),
    )  # fmt: skip
    problem = replace(problem, limit=np.array([2.0 * n]))
    plan, probabilities, draws, order = prepared(problem, 1)
    before = probabilities.copy()
    draw_within(problem, plan, probabilities, draws=draws, order=order)
    assert (probabilities == before).all()

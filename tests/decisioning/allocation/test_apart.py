"""Debtors set apart under limits: they keep to their arm, to their part, and to the limits of all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from allocation_problems import problems
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import examples

from decisioning.allocation import Problem
from decisioning.allocation.apart import SetApart, draw_apart, parts_of
from decisioning.allocation.claims import Gathered
from decisioning.allocation.plan import Plan, planned
from decisioning.allocation.repair import use_of
from decisioning.arms import HOLDOUT, POLICY, RANDOM, RULES, Controls
from decisioning.config import Exploration

seeds = st.integers(0, 2**32 - 1)


def gathered(problem: Problem, seed: int) -> Gathered:
    """The problem with accounts of three arms, who may do whatever is allowed, by chance or by some ladder."""
    rng = np.random.default_rng(seed)
    n, actions = problem.value.shape
    arm = rng.choice([POLICY, HOLDOUT, RANDOM, RULES], size=n, p=[0.4, 0.1, 0.25, 0.25])
    allowed = problem.value > -np.inf
    ladder = np.where(allowed, rng.permuted(np.tile(np.arange(actions), (n, 1)), axis=1), -1)
    rank = np.where(allowed, np.where((arm == RULES)[:, None], ladder, 0), -1)
    rank[arm == HOLDOUT, 1:] = -1
    rows = np.flatnonzero(arm != POLICY)
    value = problem.value.copy()
    value[rows, 1:] = np.nan
    apart = SetApart(rows, Controls(arm[rows], rank[rows]))
    whole = Problem(**{name: getattr(problem, name) for name in Problem.__slots__} | {"value": value})
    return Gathered(np.arange(n), whole, rng.random(n), rng.permutation(n), apart, ())


def plan_of(found: Gathered) -> Plan:
    pairs = zip(found.problem.pair_action.tolist(), found.problem.pair_resource.tolist(), strict=True)
    resources: Any = SimpleNamespace(pairs=tuple(pairs))
    return planned(found, resources, Exploration(share=0.4), members=lambda _: np.zeros((0, 0)), currency="R$")


def beside(found: Gathered) -> Any:
    return draw_apart(found.problem, found.apart, draws=found.draws, order=found.order)


@given(problem=problems(most_accounts=30, minimums=True), seed=seeds)
@settings(max_examples=examples(200), deadline=None)
def test_limits_hold_over_arms_and_policy_together_however_the_draws_fall(problem: Problem, seed: int) -> None:
    plan = plan_of(gathered(problem, seed))
    assert (use_of(problem, plan.choice.action.astype(np.int16)) <= problem.limit).all()


@given(problem=problems(most_accounts=30, minimums=True), seed=seeds)
@settings(max_examples=examples(200), deadline=None)
def test_what_arms_use_counts_towards_minimums_and_what_lacks_is_kept_as_planned(problem: Problem, seed: int) -> None:
    found = gathered(problem, seed)
    plan = plan_of(found)
    reached = np.minimum(problem.minimum, plan.solution.use + beside(found).use)
    assert (plan.use >= reached - 1e-6).all()


@given(problem=problems(most_accounts=30, minimums=True), seed=seeds)
@settings(max_examples=examples(200), deadline=None)
def test_probabilities_of_every_account_sum_to_1_and_the_drawn_action_has_some(problem: Problem, seed: int) -> None:
    choice = plan_of(gathered(problem, seed)).choice
    assert choice.probabilities.sum(axis=1) == pytest.approx(1.0)
    assert not choice.probabilities[~(problem.value > -np.inf)].any()
    assert (choice.action_prob > 0).all()


@given(problem=problems(most_accounts=30, minimums=True), seed=seeds)
@settings(max_examples=examples(200), deadline=None)
def test_no_arm_uses_more_than_its_part_and_one_action(problem: Problem, seed: int) -> None:
    found = gathered(problem, seed)
    drawn, arm = beside(found), found.apart.controls.arm
    uses = np.array([problem.use_on(row)[action] for row, action in zip(found.apart.rows, drawn.action, strict=True)])
    uses = uses.reshape(len(arm), problem.resources)
    for code, part in enumerate(parts_of(arm, len(problem))):
        if (arm == code).any():
            own = uses[arm == code]
            most = np.where(np.isfinite(problem.limit) & (code != HOLDOUT), part, 1.0) * problem.limit
            assert (own.sum(axis=0) <= most + own.max(axis=0) + 1e-6).all()


@given(problem=problems(most_accounts=8, minimums=True), seed=seeds, place=st.integers(0, 7))
@settings(max_examples=examples(20), deadline=None)
def test_an_account_of_any_arm_draws_each_action_with_the_probability_that_is_stated(
    problem: Problem, seed: int, place: int
) -> None:
    """Its own draw runs over an even grid, all the others stay: shares can miss by a step of the grid each."""
    found, place, steps = gathered(problem, seed), place % len(problem), 50
    counted, stated = np.zeros(problem.value.shape[1]), []
    for step in range(steps):
        found.draws[place] = (step + 0.5) / steps
        choice = plan_of(found).choice
        counted[choice.action[place]] += 1
        stated.append(choice.probabilities[place])
    assert np.ptp(stated, axis=0).max() == 0
    assert np.abs(counted / steps - stated[0]).max() <= 1.0 / steps


@given(problem=problems(most_accounts=30, minimums=True), seed=seeds)
@settings(max_examples=examples(100), deadline=None)
def test_what_arms_do_depends_on_nothing_that_the_policy_compares(problem: Problem, seed: int) -> None:
    found = gathered(problem, seed)
    other = np.where(found.problem.value > -np.inf, 7.0, np.nan)
    other[:, 0] = 0.0
    changed = Problem(**{name: getattr(found.problem, name) for name in Problem.__slots__} | {"value": other})
    again = draw_apart(changed, found.apart, draws=found.draws, order=found.order)
    assert again.action.tolist() == beside(found).action.tolist()


def test_of_a_limit_an_arm_leaves_the_policy_its_part() -> None:
    """Ten contacts for a hundred accounts, thirty of them of a ladder that contacts everybody."""
    n, none = 100, np.zeros(0, dtype=np.int64)
    value = np.tile([0.0, 1.0], (n, 1))
    value[:30, 1] = np.nan
    problem = Problem(
        value=value, segment=np.zeros(n, dtype=np.int64), constant=np.array([[[0.0], [1.0]]]),
        amount=np.zeros((n, 0)), pair_action=none, pair_resource=none, limit=np.full(1, 10.0), minimum=np.zeros(1),
    )  # fmt: skip
    apart = SetApart(np.arange(30), Controls(np.full(30, RULES), np.tile([1, 0], (30, 1))))
    plan = plan_of(Gathered(np.arange(n), problem, np.full(n, 0.5), np.arange(n), apart, ()))
    assert plan.choice.action[:30].tolist() == [1] * 3 + [0] * 27
    assert plan.solution.choice[30:].sum() == 7

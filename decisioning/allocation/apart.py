"""Debtors set apart under limits: they draw before any plan is made, each by its arm's own rule among what is left.

What an arm does depends on arms alone, never on the plan; the plan for all others is made for what the arms leave. So
what an account of an arm draws has a probability that is exact given the draws of arms before it, and what the policy
draws has one that is exact given the arms'. An arm may use its part of each limit, as large as its part of the accounts
that act: it is compared with a policy for which calls are as scarce as for the arm itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from decisioning.allocation.problem import Floats, Ints, Problem
from decisioning.arms import ARMS, HOLDOUT, POLICY, Bools, Controls
from decisioning.policy import drawn_from


@dataclass(frozen=True, slots=True)
class SetApart:
    """Accounts of control arms, the hold-out among them: their positions ``rows`` (m,), rising, and what they do."""

    rows: Ints
    controls: Controls


@dataclass(frozen=True, slots=True)
class DrawnApart:
    """What accounts set apart drew: ``action`` (m,) by ``probabilities`` (m, A), which use ``use`` (K,) together."""

    action: Ints
    probabilities: Floats
    use: Floats


def draw_apart(problem: Problem, apart: SetApart, *, draws: Floats, order: Ints) -> DrawnApart:
    """Lets the accounts of arms draw, one after another, what is within their arm's reach.

    Parameters
    ----------
    draws : (n,) uniform on [0, 1), of all accounts
    order : (n,) positions of all accounts, in which they draw
    """
    arm, m = apart.controls.arm, len(apart.rows)
    part = parts_of(arm, len(problem))
    limit = problem.bearable
    used, of_arm = np.zeros(problem.resources), np.zeros((len(ARMS), problem.resources))
    action, probabilities = np.zeros(m, dtype=np.int64), np.zeros((m, problem.value.shape[1]))
    for place in np.searchsorted(apart.rows, order[np.isin(order, apart.rows)]).tolist():
        code, row = int(arm[place]), int(apart.rows[place])
        use = problem.use_on(row)
        reach = within_part(use, of_arm[code], part[code], limit)
        reach &= ~((use > 0) & (used + use > limit)).any(axis=1)
        own = apart.controls.take(np.array([place])).within(reach).probabilities
        chosen = int(drawn_from(own, draws[row : row + 1])[0])
        action[place], probabilities[place] = chosen, own[0]
        used, of_arm[code] = used + use[chosen], of_arm[code] + use[chosen]
    return DrawnApart(action, probabilities, used)


def parts_of(arm: Ints, accounts: int) -> Floats:
    """(5,) by code: the part of each acting arm in all accounts that act; ``arm`` (m,) of those set apart."""
    counts = np.bincount(arm, minlength=len(ARMS)).astype(np.float64)
    acting = max(accounts - counts[HOLDOUT], 1.0)
    counts[[POLICY, HOLDOUT]] = 0.0
    return np.asarray(counts / acting, dtype=np.float64)


def within_part(use: Floats, used: Floats, part: float, limit: Floats) -> Bools:
    """(A,) whether an arm has not yet used its part of anything that an action needs, (A, K).

    It may go beyond its part by what one action uses, or a small arm could never do anything of which there are few.
    """
    spent = np.isfinite(limit) & (used >= part * np.where(np.isfinite(limit), limit, 0.0))
    return np.asarray(~((use > 0) & spent).any(axis=1), dtype=np.bool_)


def left_by(problem: Problem, use: Floats) -> Problem:
    """The problem of all others, for what is left beside a use (K,)."""
    if not use.any():
        return problem
    limit = np.maximum(np.where(use > 0, problem.bearable, problem.limit) - use, 0.0)
    return replace(problem, limit=limit, minimum=np.minimum(np.maximum(problem.minimum - use, 0.0), limit))

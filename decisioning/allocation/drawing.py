"""Exploring within limits, with the true probability of what was drawn.

A plan says what every account gets where nobody explores. Accounts draw one after another. Whatever they draw,
everybody after them can still follow the plan, as an account leaves it only for what was free from the start or what
earlier ones have left. So the limits hold however the draws fall; and what an account may draw depends on the draws
before its own and on nothing else, so that its probabilities, given those, are exactly the stated ones. Weighting by
them is unbiased as with independent draws.

Exploring would use scarce resources up where most allowed actions need them. It is thinned: in expectation no more is
taken up than exploring sets free, plus what the plan leaves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from decisioning.allocation.dual import Choice
from decisioning.allocation.kernel import add_use
from decisioning.allocation.problem import Floats, Ints, Problem
from decisioning.allocation.repair import use_of
from domain.compiled import compiled

Array = Any
_ROUNDING = 1e-9


def draw_within(problem: Problem, plan: Choice, probabilities: Floats, *, draws: Floats, order: Ints) -> Choice:
    """What every account draws (n,), within the limits and minimums that the ``plan`` (n,) keeps.

    Parameters
    ----------
    probabilities : (n, A) of every account on its own, the planned action included. Changed in place into those with
        which the account drew, given the draws before its own
    draws : (n,) uniform on [0, 1)
    order : (n,) positions of accounts, in which they draw
    """
    parts = problem.segment, problem.constant, problem.amount, problem.pair_start, problem.pair_resource
    taken, freed = np.zeros(problem.resources), np.zeros(problem.resources)
    flows(*parts, probabilities, plan, taken, freed)
    above, below = _slack(problem, use_of(problem, plan))
    thin_up = np.minimum(1.0, np.divide(freed + above, taken, out=np.ones_like(taken), where=taken > 0))
    thin_down = np.minimum(1.0, np.divide(taken + below, freed, out=np.ones_like(freed), where=freed > 0))
    drawn = np.zeros(len(problem), dtype=np.int16)
    draw(*parts, probabilities, plan, thin_up, thin_down, above, below, draws, order, drawn)
    return drawn


def _slack(problem: Problem, use: Floats) -> tuple[Floats, Floats]:
    """How much more, and how much less, may be used of each resource than by the plan."""
    whole = (np.mod(problem.constant, 1.0) == 0).all(axis=(0, 1))
    whole[problem.pair_resource] = False
    # Sums of what is no whole number depend on their order in the last digits, which the limit must bear.
    spare = np.where(whole, 0.0, _ROUNDING * np.maximum(use, 1.0))
    above = np.maximum(problem.limit - use - spare, 0.0)
    below = np.where(problem.minimum > 0, np.maximum(use - problem.minimum - spare, 0.0), np.inf)
    return above, below


@compiled
def flows(
    segment: Array, constant: Array, amount: Array, start: Array, pair_resource: Array, probabilities: Array,
    plan: Array, taken: Array, freed: Array,
) -> None:  # fmt: skip
    """Adds to ``taken`` and ``freed`` (K,) how much exploring uses more and less than the plan, as expected."""
    change = np.zeros(len(taken))
    for i in range(len(plan)):
        for a in range(probabilities.shape[1]):
            if a != plan[i] and probabilities[i, a] > 0.0:
                change[:] = 0.0
                add_use(constant, amount, start, pair_resource, i, segment[i], a, 1.0, change)
                add_use(constant, amount, start, pair_resource, i, segment[i], plan[i], -1.0, change)
                for k in range(len(change)):
                    if change[k] > 0.0:
                        taken[k] += probabilities[i, a] * change[k]
                    else:
                        freed[k] -= probabilities[i, a] * change[k]


@compiled
def kept(change: Array, thin_up: Array, thin_down: Array, above: Array, below: Array) -> float:
    """The share that is kept of the probability of a change of use: 0 where there is no room for it now."""
    share = 1.0
    for k in range(len(change)):
        if change[k] > 0.0:
            share = min(share, thin_up[k]) if change[k] <= above[k] else 0.0
        elif change[k] < 0.0 and below[k] < np.inf:
            share = min(share, thin_down[k]) if -change[k] <= below[k] else 0.0
        if share == 0.0:
            break
    return share


@compiled
def draw(
    segment: Array, constant: Array, amount: Array, start: Array, pair_resource: Array, probabilities: Array,
    plan: Array, thin_up: Array, thin_down: Array, above: Array, below: Array, draws: Array, order: Array, drawn: Array,
) -> None:  # fmt: skip
    """Lets accounts draw in ``order``; writes ``drawn`` (n,), changes ``probabilities``, ``above`` and ``below``."""
    change = np.zeros(len(above))
    for i in order:
        g, s = plan[i], segment[i]
        for a in range(probabilities.shape[1]):
            if a != g and probabilities[i, a] > 0.0:
                change[:] = 0.0
                add_use(constant, amount, start, pair_resource, i, s, a, 1.0, change)
                add_use(constant, amount, start, pair_resource, i, s, g, -1.0, change)
                share = kept(change, thin_up, thin_down, above, below)
                probabilities[i, g] += (1.0 - share) * probabilities[i, a]
                probabilities[i, a] *= share
        reached, chosen = 0.0, g
        for a in range(probabilities.shape[1]):
            reached += probabilities[i, a]
            if reached > draws[i]:
                chosen = a
                break
        drawn[i] = chosen
        change[:] = 0.0
        add_use(constant, amount, start, pair_resource, i, s, chosen, 1.0, change)
        add_use(constant, amount, start, pair_resource, i, s, g, -1.0, change)
        above -= change
        below += change

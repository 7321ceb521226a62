"""From what prices make accounts choose to an allocation that keeps limits and minimums, by moves that only ever mend.

At good prices the accounts together use a little too much of some resources and leave a little of others. Moves are
made one account at a time, the one that loses least for what it mends first. No move breaks a limit that holds or makes
worse one that does not, so that what is over falls with each; and waiting uses nothing, so that none is over in the
end.
"""

from __future__ import annotations

import numpy as np

from decisioning.allocation.dual import Choice, Response
from decisioning.allocation.kernel import FILL, FULFIL, RELIEVE, YIELD, apply, rank, unfinished, usage
from decisioning.allocation.problem import Floats, Problem

_ROUNDS = 4
# Last of all once more: sums that are taken afresh may lie an ulp above the limit that moves filled up to.
_PURPOSES = (RELIEVE, YIELD, FULFIL, FILL, YIELD)


def repair(problem: Problem, response: Response) -> tuple[Choice, Floats]:
    """A choice (n,) within all limits, with minimums as far as moves reach, and its use (K,).

    Notes
    -----
    Limits go before minimums: what is over a limit is given up even where a minimum falls short by it.
    """
    choice = response.choice.copy()
    use = use_of(problem, choice)
    for purpose in _PURPOSES:
        for _ in range(_ROUNDS):
            if not unfinished(use, problem.limit, problem.minimum, purpose):
                break
            if not _moves(problem, response.price, choice, use, purpose=purpose):
                break
            use = use_of(problem, choice)
    return choice, use


def use_of(problem: Problem, choice: Choice) -> Floats:
    """(K,) what a choice of all accounts uses."""
    use = np.zeros(problem.resources)
    usage(problem.segment, problem.constant, problem.amount, problem.pair_start, problem.pair_resource, choice, use)
    return use


def _moves(problem: Problem, price: Floats, choice: Choice, use: Floats, *, purpose: int) -> int:
    parts = (
        problem.value, problem.segment, problem.constant, problem.amount, problem.pair_start, problem.pair_resource,
        price, problem.limit, problem.minimum, use, purpose, choice,
    )  # fmt: skip
    cost = np.empty(len(problem))
    rank(*parts, cost)
    able = np.flatnonzero(np.isfinite(cost))
    return int(apply(*parts, able[np.argsort(cost[able], kind="stable")]))

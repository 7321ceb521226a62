"""The opponents that are tuned on the truth of *other* accounts: the best constant action, and the best ladder.

Nobody has this truth outside a simulator; an operator who tunes his ladder on a log knows less. So these are the
strongest forms of what can be done without looking at the single case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.arrow import Ints
from simulation.choices import Bools, Choice, Floats
from simulation.rounds import Due, Policy

ENOUGH = 10
"""Eligible accounts of a cell from which on an action's mean is believed."""


@dataclass(frozen=True)
class Ladder:
    """Cells of days past due × amount, and in each the actions in order of preference; where none is open, wait.

    ``days`` are the first days past due of each step but the lowest; ``cents`` the upper bounds of each size of amount
    but the largest. ``order`` (cells, A) are positions in the catalogue, filled with 0 (``wait``) from the right.
    """

    days: Ints
    cents: Ints
    order: Ints

    def cell(self, due: Due) -> Ints:
        """(n,) the cell of each account."""
        size = np.searchsorted(self.cents, due.overdue_cents, side="left")
        return np.digitize(due.days_past_due, self.days) * (len(self.cents) + 1) + size

    def choose(self, due: Due) -> Choice:
        """The first action of its cell's order that is open to each account."""
        order = self.order[self.cell(due)]
        open_ = np.take_along_axis(due.eligible, order, axis=1)
        rows = np.arange(len(order))
        return Choice.sure(order[rows, np.argmax(open_, axis=1)], due.eligible, version="tuned")


def tuned_ladder(others: Sequence[tuple[Due, Floats]], *, days: Sequence[int]) -> Policy:
    """The ladder of the best actions by cell: steps at ``days`` past due, thirds of the accounts by amount.

    Parameters
    ----------
    others : accounts that take no part in the rounds, as they were due at some moments, with (n, A) the true values of
        their actions
    """
    overdue = np.concatenate([due.overdue_cents for due, _ in others])
    cents = np.quantile(overdue, (1 / 3, 2 / 3)).astype(np.int64)
    empty = Ladder(np.array(days), cents, np.zeros((3 * (len(days) + 1), 1), dtype=np.int64))
    cell = np.concatenate([empty.cell(due) for due, _ in others])
    gain, eligible = _gains(others)
    order = np.array([_preferred(gain, eligible & (cell == number)[:, None]) for number in range(len(empty.order))])
    return Ladder(empty.days, cents, order).choose


def best_constant(others: Sequence[tuple[Due, Floats]]) -> Policy:
    """The one action that is best where it is taken wherever it is open, and nothing is done elsewhere."""
    gain, eligible = _gains(others)
    best = int(np.argmax(np.where(eligible, gain, 0.0).sum(axis=0)))

    def choose(due: Due) -> Choice:
        action = np.where(due.eligible[:, best], best, 0)
        return Choice.sure(action, due.eligible, version=f"constant-{best}")

    return choose


def _gains(others: Sequence[tuple[Due, Floats]]) -> tuple[Floats, Bools]:
    """(m, A) what each action is worth more than waiting, and whether it was open."""
    gain = np.concatenate([worth - worth[:, [0]] for _, worth in others])
    return gain, np.concatenate([due.eligible for due, _ in others])


def _preferred(gain: Floats, eligible: Bools) -> Ints:
    """(A,) the actions worth more than waiting on the mean of whom they are open to, best first, then waiting."""
    counts = eligible.sum(axis=0)
    mean = np.where(eligible, gain, 0.0).sum(axis=0) / np.maximum(counts, 1)
    believed = (counts >= ENOUGH) & (mean > 0.0)
    order = np.argsort(-np.where(believed, mean, -np.inf), kind="stable")
    return np.where(believed[order], order, 0).astype(np.int64)

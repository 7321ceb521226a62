"""The opponents that are tuned on *other* accounts: the best constant action, and the best ladder by age and amount.

Tuned on the truth, which nobody has outside a simulator, they are the strongest form of what can be done without
looking at the single case; tuned on what a log says, they are what an operator can have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from domain.errors import NotEnoughDataError
from simulation.arrow import Ints
from simulation.choices import Bools, Choice, Floats
from simulation.rounds import Due, Policy

ENOUGH = 10
"""Eligible accounts of a cell from which on an action's mean is believed."""


@dataclass(frozen=True)
class Judged:
    """Accounts that take no part in the rounds, with what each action is worth to them.

    ``days_past_due`` and ``overdue_cents`` (n,) as known at a decision; ``eligible`` and ``worth`` (n, A), the second
    in currency and read only where eligible, or for ``wait``.
    """

    days_past_due: Ints
    overdue_cents: Ints
    eligible: Bools
    worth: Floats

    @classmethod
    def of(cls, due: Due) -> Self:
        """The accounts that are due in a round, judged by the truth."""
        return cls(due.days_past_due, due.overdue_cents, due.eligible, due.true_values())

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """The accounts of several rounds."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    @property
    def gain(self) -> Floats:
        """(n, A) what each eligible action is worth more than waiting, 0 elsewhere."""
        return np.where(self.eligible, self.worth - self.worth[:, [0]], 0.0)


@dataclass(frozen=True)
class Ladder:
    """Cells of days past due × amount, and in each the actions in order of preference; where none is open, wait.

    ``days`` are the first days past due of each step but the lowest; ``cents`` the upper bounds of each size of amount
    but the largest. ``order`` (cells, A) are positions in the catalogue, filled with 0 (``wait``) from the right.
    """

    days: Ints
    cents: Ints
    order: Ints

    def cell(self, known: Due | Judged) -> Ints:
        """(n,) the cell of each account."""
        size = np.searchsorted(self.cents, known.overdue_cents, side="left")
        return np.asarray(np.digitize(known.days_past_due, self.days) * (len(self.cents) + 1) + size, dtype=np.int64)

    def choose(self, due: Due) -> Choice:
        """The first action of its cell's order that is open to each account."""
        order = self.order[self.cell(due)]
        open_ = np.take_along_axis(due.eligible, order, axis=1)
        rows = np.arange(len(order))
        return Choice.sure(order[rows, np.argmax(open_, axis=1)], due.eligible, version="tuned")


def tuned_ladder(others: Judged, *, days: Sequence[int]) -> Ladder:
    """The ladder of the best actions by cell: steps at ``days`` past due, thirds of the accounts by amount.

    Raises
    ------
    NotEnoughDataError : there are no accounts to tune on
    """
    if not len(others.overdue_cents):
        raise NotEnoughDataError("found no other account due, needed some to tune a ladder on; give more --others")
    cents = np.quantile(others.overdue_cents, (1 / 3, 2 / 3)).astype(np.int64)
    steps = Ladder(np.array(days), cents, np.zeros((3 * (len(days) + 1), 1), dtype=np.int64))
    cell, gain = steps.cell(others), others.gain
    order = [_preferred(gain, others.eligible & (cell == number)[:, None]) for number in range(len(steps.order))]
    return Ladder(steps.days, cents, np.array(order))


def best_constant(others: Judged) -> Policy:
    """The one action that is best where it is taken wherever it is open, and nothing is done elsewhere."""
    best = int(np.argmax(others.gain.sum(axis=0)))

    def choose(due: Due) -> Choice:
        return Choice.sure(np.where(due.eligible[:, best], best, 0), due.eligible, version=f"constant-{best}")

    return choose


def _preferred(gain: Floats, eligible: Bools) -> Ints:
    """(A,) the actions worth more than waiting on the mean of whom they are open to, best first, then waiting."""
    counts = eligible.sum(axis=0)
    mean = np.where(eligible, gain, 0.0).sum(axis=0) / np.maximum(counts, 1)
    believed = (counts >= ENOUGH) & (mean > 0.0)
    order = np.argsort(-np.where(believed, mean, -np.inf), kind="stable")
    return np.where(believed[order], order, 0).astype(np.int64)

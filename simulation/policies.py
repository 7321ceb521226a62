"""Policies that need neither a model nor tuning: the ladder, waiting, and the one who knows all."""

from __future__ import annotations

import numpy as np

from simulation import assumptions
from simulation.canonical import POLICY_VERSION
from simulation.choices import Choice
from simulation.rounds import Due


def ladder(due: Due) -> Choice:
    """The fixed ladder without its exploration."""
    return Choice.sure(due.ladder, due.eligible, version=POLICY_VERSION)


def logging_ladder(due: Due) -> Choice:
    """The ladder as it kept the log, with its share of exploration: the world as it would have gone on."""
    rows, share = np.arange(len(due.account)), assumptions.EXPLORED
    each = share * due.eligible / due.eligible.sum(axis=1, keepdims=True)
    each[rows, due.ladder] += 1.0 - share
    arm = tuple("ladder" if usual else "explore" for usual in (due.logging == due.ladder).tolist())
    return Choice(due.logging, each, due.eligible, arm, POLICY_VERSION)


def wait(due: Due) -> Choice:
    """Never contact anybody."""
    return Choice.sure(np.zeros(len(due.account), dtype=np.int64), due.eligible, version="wait")


def all_knowing(due: Due) -> Choice:
    """The eligible action that is truly worth most to each account, if the ladder is in charge from the next one on."""
    worth = np.where(due.eligible, due.true_values(), -np.inf)
    return Choice.sure(np.argmax(worth, axis=1).astype(np.int64), due.eligible, version="truth")

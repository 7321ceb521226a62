"""Which allowed action is chosen, and with which probability: greedy, a share of exploration, and control arms.

Nothing here draws from a generator: the draws are hashes of what they are about, so that the same inputs give the same
decision on any machine, and a debtor's arm never changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisioning.arms import POLICY, Controls
from decisioning.config import Exploration

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choice:
    """``action`` (n,) is the position chosen, ``action_prob`` (n,) its part of ``probabilities`` (n, A).

    ``arm`` (n,) is the code of the arm that the debtor is in (``arms.ARMS``); probabilities are given the arm. An
    explored choice is in arm ``policy`` like any other, and is known by its small ``action_prob``.
    """

    action: Int64s
    action_prob: Floats
    probabilities: Floats
    arm: Int64s

    @property
    def set_apart(self) -> Bools:
        """(n,) rows of control arms, which the policy does not decide on."""
        return np.asarray(self.arm != POLICY, dtype=np.bool_)

    def take(self, rows: Int64s) -> Choice:
        """The choice for other rows."""
        return Choice(self.action[rows], self.action_prob[rows], self.probabilities[rows], self.arm[rows])


def choose(
    worth_cents: Floats, allowed: Bools, exploration: Exploration, *, draws: Floats, controls: Controls
) -> Choice:
    """Chooses one allowed action per row.

    Parameters
    ----------
    worth_cents : (n, A) what the policy compares; read only where allowed
    allowed : (n, A); column 0 is ``wait`` and always allowed
    draws : (n,) uniform on [0, 1)
    controls : which rows are not the policy's, and what they do
    """
    probabilities = action_probabilities(worth_cents, allowed, exploration)
    set_apart = controls.arm != POLICY
    if set_apart.any():
        probabilities[set_apart] = controls.probabilities[set_apart]
    drawn = drawn_from(probabilities, draws)
    return Choice(drawn, probabilities[np.arange(len(drawn)), drawn], probabilities, controls.arm)


def drawn_from(probabilities: Floats, draws: Floats) -> Int64s:
    """(n,) the action that each row draws by its probabilities (n, A), given ``draws`` (n,) uniform on [0, 1)."""
    reached = np.cumsum(probabilities, axis=1)
    # The last sum may fall an ulp short of 1: a draw above it takes the last action that can be chosen at all.
    least = np.minimum(draws, np.nextafter(reached[:, -1], 0.0))
    return np.asarray(np.argmax(reached > least[:, None], axis=1), dtype=np.int64)


def action_probabilities(worth_cents: Floats, allowed: Bools, exploration: Exploration) -> Floats:
    """The probability (n, A) of every action: 1 − ε on the best, ε·(1 − floor) on the top k, ε·floor on all allowed.

    Ties go to the action that stands first in the catalogue. Where ``max_expected_loss`` is set, ε is lowered per row
    until the expected loss of exploring is within it.
    """
    worth = np.where(allowed, worth_cents, -np.inf)
    order = np.argsort(-worth, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(order.shape[1])[None, :], axis=1)
    number = allowed.sum(axis=1, keepdims=True)
    top = allowed & (rank < exploration.top_k)
    tried = (1.0 - exploration.floor_share) * top / np.minimum(number, exploration.top_k)
    tried = tried + exploration.floor_share * allowed / number
    share = _affordable(worth, allowed, tried, exploration)
    return np.asarray((1.0 - share)[:, None] * (rank == 0) + share[:, None] * tried, dtype=np.float64)


def _affordable(worth: Floats, allowed: Bools, tried: Floats, exploration: Exploration) -> Floats:
    share = np.full(len(worth), exploration.share)
    if exploration.max_expected_loss is None:
        return share
    lost = np.where(allowed, worth.max(axis=1, keepdims=True) - np.where(allowed, worth, 0.0), 0.0)
    # The loss is linear in the share, so the largest affordable share is a division.
    expected = (tried * lost).sum(axis=1)
    cap = 100.0 * exploration.max_expected_loss
    affordable = np.divide(cap, expected, out=np.ones_like(expected), where=expected > cap)
    return np.asarray(np.minimum(share, affordable), dtype=np.float64)

"""Which allowed action is chosen, and with which probability: greedy, a share of exploration, and a hold-out arm.

Nothing here draws from a generator: the draws are hashes of what they are about, so that the same inputs give the same
decision on any machine, and a debtor's arm never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from decisioning.config import Exploration

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]

POLICY_ARM, HOLDOUT_ARM = "policy", "holdout"


@dataclass(frozen=True, slots=True)
class Choice:
    """``action`` (n,) is the position chosen, ``action_prob`` (n,) its part of ``probabilities`` (n, A).

    ``holdout`` (n,) says whose debtor is in the hold-out: there the account waits with probability 1, given the arm. An
    explored choice is in arm ``policy`` like any other, and is known by its small ``action_prob``.
    """

    action: Int64s
    action_prob: Floats
    probabilities: Floats
    holdout: Bools

    def take(self, rows: Int64s) -> Choice:
        """The choice for other rows."""
        return Choice(self.action[rows], self.action_prob[rows], self.probabilities[rows], self.holdout[rows])


def choose(worth_cents: Floats, allowed: Bools, exploration: Exploration, *, draws: Floats, holdout: Bools) -> Choice:
    """Chooses one allowed action per row.

    Parameters
    ----------
    worth_cents : (n, A) what the policy compares; read only where allowed
    allowed : (n, A); column 0 is ``wait`` and always allowed
    draws : (n,) uniform on [0, 1)
    holdout : (n,) rows which only wait
    """
    probabilities = action_probabilities(worth_cents, allowed, exploration)
    probabilities[holdout] = 0.0
    probabilities[holdout, 0] = 1.0
    reached = np.cumsum(probabilities, axis=1)
    # The last sum may fall an ulp short of 1: a draw above it takes the last action that can be chosen at all.
    drawn = np.argmax(reached > np.minimum(draws, np.nextafter(reached[:, -1], 0.0))[:, None], axis=1)
    rows = np.arange(len(drawn))
    return Choice(drawn, probabilities[rows, drawn], probabilities, holdout)


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


def in_holdout(debtor_ids: Sequence[str], share: float) -> Bools:
    """Whether each debtor stands in the hold-out: by its id alone, so that it stays there over models and policies."""
    return np.array([uniform("holdout", debtor) < share for debtor in debtor_ids], dtype=np.bool_)


def uniform(*parts: str | int) -> float:
    """A number in [0, 1) that is a hash of its parts.

    >>> uniform("a1", 20_514, "v1") == uniform("a1", 20_514, "v1"), 0.0 <= uniform("a1") < 1.0
    (True, True)
    """
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") / 2.0**64 * (1.0 - 2.0**-53)

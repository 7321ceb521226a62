"""What a policy answers in a round, and how it is logged: a row of ``decisions`` for each account that was due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.actions import ActionCatalogue
from domain.clock import US_PER_SECOND
from domain.errors import DataError
from simulation.arrow import Ints, ids, moments, named, within

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """One action for each account that was due, (n,) positions in the catalogue, with how it came about.

    ``probabilities`` (n, A) are those with which the policy chose; ``eligible`` (n, A) is what it could have chosen;
    ``arm`` (n,) and ``version`` go to the log as they are.
    """

    action: Ints
    probabilities: Floats
    eligible: Bools
    arm: tuple[str, ...]
    version: str

    @classmethod
    def sure(cls, action: Ints, eligible: Bools, *, version: str) -> Self:
        """The choice of a policy that leaves nothing to chance."""
        certain = np.zeros(eligible.shape)
        certain[np.arange(len(action)), action] = 1.0
        return cls(action, certain, eligible, ("policy",) * len(action), version)

    def action_prob(self) -> Floats:
        """(n,) the probability of the action that was chosen."""
        found: Floats = self.probabilities[np.arange(len(self.action)), self.action]
        return found

    def check(self, due: int, catalogue: ActionCatalogue, *, policy: str) -> None:
        """Refuse what is no choice for so many accounts.

        Raises
        ------
        DataError : another number of choices, actions that do not exist or are gated, or no probability
        """
        if len(self.action) != due:
            raise DataError(f"policy {policy}: found {len(self.action)} choices, needed {due}, one for each due")
        gated = np.array([action.gated for action in catalogue.actions])
        inside = (self.action >= 0) & (self.action < len(gated))
        wrong = int((~inside).sum() + gated[self.action[inside]].sum())
        if wrong:
            raise DataError(f"policy {policy}: found {wrong} unknown or gated actions, needed ungated ones")
        chosen = self.action_prob()
        if not ((chosen > 0.0) & (chosen <= 1.0)).all():
            raise DataError(f"policy {policy}: found an action_prob outside (0, 1], needed that of the choice")


def eligible_actions(channels: Ints, offers: Ints, catalogue: ActionCatalogue) -> Bools:
    """(n, A) what may be chosen, from (n,) bit masks of open channels and offers: waiting always, gated never."""
    names, kinds = catalogue.channels, tuple(catalogue.config.offers)
    contacts = catalogue.actions[1:]
    channel = np.array([names.index(action.channel) for action in contacts])
    offer = np.array([kinds.index(action.offer) for action in contacts])
    free = np.array([not action.gated for action in contacts])
    allowed = free & (channels[:, None] >> channel & 1 == 1) & (offers[:, None] >> offer & 1 == 1)
    return np.hstack([np.ones((len(channels), 1), dtype=np.bool_), allowed])


def chosen_table(
    choice: Choice, who: tuple[Ints, Ints], decided_us: int, *, catalogue: ActionCatalogue, policy: str
) -> pa.Table:
    """The rows of ``decisions`` for (account, serial of the decision) (n,) each, all decided at one moment."""
    account, serial = who
    actions, size = catalogue.actions, len(account)
    at_us = np.full(size, decided_us)
    channel = np.unique([action.channel for action in actions], return_inverse=True)[1]
    same = channel[choice.action][:, None] == channel
    counts = choice.eligible.sum(axis=1)
    listed = pa.DictionaryArray.from_arrays(
        pa.array(np.nonzero(choice.eligible)[1].astype(np.int32)), pa.array(catalogue.names(), pa.string())
    )
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.table(
        {
            "decision_id": within("x", account, serial),
            "account_id": ids("a", account),
            "decided_at": moments(at_us),
            "channel": named(choice.action, tuple(action.channel for action in actions)),
            "offer": named(choice.action, tuple(action.offer for action in actions)),
            "moment": named(choice.action, tuple(action.moment for action in actions)),
            "action_prob": pa.array(choice.action_prob()),
            "channel_prob": pa.array(np.minimum((choice.probabilities * same).sum(axis=1), 1.0)),
            "arm": pa.array(choice.arm, pa.string()),
            "eligible": pa.ListArray.from_arrays(pa.array(offsets), listed),
            "policy": pa.array([policy] * size, pa.string()),
            "policy_version": pa.array([choice.version] * size, pa.string()),
            "recorded_at": moments(at_us + 2 * US_PER_SECOND),
        }
    )

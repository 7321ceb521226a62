"""The funnel: a decision is sent, received, agreed to, and kept; and money comes back without any of it, too.

    returned(x, a) = self(x) + kept · p_sent(a) · p_received(x, a) · p_agreed(x, a) · (deal(x, a) − self(x))
    logit deal(x, a) = logit self(x) + what an agreement adds

Each gate is learned where it can be seen: receipt and agreement from every contact ever made, what a deal brings from
every deal, and what comes back without one from every account at regular moments. Of a decision itself only the sending
is learned, so that a few thousand logged decisions say enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from decisioning.candidates import Grid, grid
from decisioning.response import AnyHead, Outcomes
from domain.actions import Action, made_once
from domain.errors import BundleError
from features.schema import FeatureSchema

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

HEADS = ("received", "agreed", "deal", "self", "pay", "complaint", "opt_out")
ROOF = 1.25
"""What comes back within a year is a share of the balance of now, to which interest is added: at most this much."""
SURE = 1e-4
"""Shares are kept this far from 0 and from the roof, so that something can be added to their log-odds."""
OTHER_CHANNEL = ""


@dataclass(frozen=True)
class FunnelModel:
    """Heads by name (``HEADS``), and the share of decisions that are carried out, by channel.

    ``self`` is a share of ``ROOF``; ``deal`` tells by log p/(1 − p) what an agreement adds to its log-odds, 0 at ½.

    ``names`` are the action features that the boosters were trained on, after the account's; ``sent`` has the share of
    all channels under ``OTHER_CHANNEL``, for one that the log does not know. ``kept`` is the share of its effects that
    holds on other debtors (the winner's curse, ``training.money_check``).
    """

    heads: Mapping[str, AnyHead]
    names: tuple[str, ...]
    sent: Mapping[str, float]
    kept: float = 1.0

    def __post_init__(self) -> None:
        if set(self.heads) != set(HEADS) or OTHER_CHANNEL not in self.sent:
            raise BundleError(
                f"found the funnel's heads {sorted(self.heads)} and sending rates of {sorted(self.sent)}; needed the "
                f"heads {sorted(HEADS)} and a rate of all channels together"
            )

    def outcomes(
        self, values: Floats, schema: FeatureSchema, actions: Sequence[Action], *, allowed: Bools | None = None
    ) -> Outcomes:
        """Outcomes of all accounts under all (allowed) actions.

        Parameters
        ----------
        values : (n, k) account features in the order of ``schema``
        allowed : (n, A) which pairs are wanted; all of them by default

        Notes
        -----
        Nothing is received of waiting, so that its worth is what comes back by itself.
        """
        wanted = np.ones((len(values), len(actions)), dtype=np.bool_) if allowed is None else allowed
        table, alone = grid(values, schema, actions, names=self.names), untouched(values, self.names)
        one = np.ones((len(values), 1), dtype=np.bool_)
        contact = _are_contacts(actions)
        sent = np.where(wanted, self._sending(actions), np.nan)
        if not contact.any():
            return self._alone(alone, wanted)
        reached = sent * np.where(contact, self.heads["received"].apply(table, wanted), 0.0)
        agreed = np.where(contact, self.heads["agreed"].apply(table, wanted), np.where(wanted, 0.0, np.nan))
        share = np.clip(self.heads["self"].apply(alone, one), SURE, 1.0 - SURE)
        itself = ROOF * share
        added = np.clip(self.heads["deal"].apply(table, wanted), SURE, 1.0 - SURE)
        deal = ROOF * expit(logit(share) + logit(added))
        returned = itself + self.kept * reached * agreed * np.where(contact, deal - itself, 0.0)
        heard, unheard = self.heads["pay"].apply(table, wanted), self.heads["pay"].apply(alone, one)
        return Outcomes(
            p_pay=reached * heard + (1.0 - reached) * unheard,
            p_complaint=sent * self.heads["complaint"].apply(table, wanted),
            p_opt_out=sent * self.heads["opt_out"].apply(table, wanted),
            returned=returned,
            p_sent=sent,
            p_reached=reached,
            p_agreed=agreed,
        )

    def _alone(self, alone: Grid, wanted: Bools) -> Outcomes:
        """Outcomes of waiting alone, of which only what comes back by itself has to be computed."""
        one, nothing = np.ones((len(wanted), 1), dtype=np.bool_), np.where(wanted, 0.0, np.nan)
        itself = ROOF * np.clip(self.heads["self"].apply(alone, one), SURE, 1.0 - SURE)
        unheard = self.heads["pay"].apply(alone, one)
        return Outcomes(
            p_pay=unheard + nothing, p_complaint=nothing, p_opt_out=nothing, returned=itself + nothing,
            p_sent=nothing, p_reached=nothing, p_agreed=nothing,
        )  # fmt: skip

    @cached_property
    def _sending(self) -> Callable[[Sequence[Action]], Floats]:
        return made_once(lambda actions: np.array([self.sent_of(action) for action in actions]))

    def sent_of(self, action: Action) -> float:
        """The share of decisions for an action that are carried out; 0 for waiting."""
        return 0.0 if action.is_wait else self.sent.get(action.channel, self.sent[OTHER_CHANNEL])


@made_once
def _are_contacts(actions: Sequence[Action]) -> Bools:
    return np.array([not action.is_wait for action in actions], dtype=np.bool_)


def untouched(values: Floats, names: Sequence[str]) -> Grid:
    """The grid of accounts under no action at all: whatever an action feature is, it is 0."""
    return Grid(
        values=values,
        static=np.zeros((1, len(names))),
        history=np.zeros((len(values), 1, 0)),
        past=np.zeros(1, dtype=np.int64),
    )

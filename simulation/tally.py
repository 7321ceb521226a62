"""What the rounds brought and cost, account by account, whatever the system came to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from simulation.agreements import AGREEMENT
from simulation.arrow import Ints
from simulation.books import BILL, PARKED
from simulation.contacts import HEARD, TOOK
from simulation.journal import COLUMNS, EVENT, RESPONSE, TABLE
from simulation.steps import NOT_DUE
from simulation.truth import END_DAY, World

Floats = npt.NDArray[np.float64]
COHORT_DAYS = 90
_NAMES = tuple(COLUMNS)


@dataclass
class Tally:
    """Sums over the rounds, (n_accounts,) each; money and costs in currency.

    ``received`` is net of reversals, by the day on which it happened; ``contact_cost`` that of attempts, and
    ``benefit_cost`` that of incentives, due where the offer was heard and money came in the same week; ``forgiven`` the
    discounts of settlements that were paid. ``start`` (n, MAX_OPEN) holds the serials of the bills 1 to 90 days past
    due when the rounds began, −1 elsewhere, and ``start_cents`` what was owed on each.
    """

    received: Floats
    contact_cost: Floats
    benefit_cost: Floats
    forgiven: Floats
    attempts: Ints
    complaints: Ints
    opt_outs: Ints
    decisions: Ints
    start: Ints
    start_cents: Ints
    unpaid_cents: Ints

    @classmethod
    def begin(cls, world: World) -> Self:
        """Nothing yet, and what is past due now."""
        serial, cents = _young(world.states)
        none, never = np.zeros(len(serial)), np.zeros(len(serial), dtype=np.int64)
        return cls(
            received=none.copy(), contact_cost=none.copy(), benefit_cost=none.copy(), forgiven=none.copy(),
            attempts=never.copy(), complaints=never.copy(), opt_outs=never.copy(), decisions=never.copy(),
            start=serial, start_cents=cents, unpaid_cents=cents.sum(axis=1),
        )  # fmt: skip

    def add(self, journal: Ints, seen: npt.NDArray[np.void], chosen: Ints, world: World) -> None:
        """Count a round: its journal, how the attempts ended, and what is still unpaid after it."""
        actions, channels = world.catalogue.actions, world.catalogue.config.channels.values()
        paid = _rows(journal, TABLE.payments, "amount")
        np.add.at(self.received, paid[0], paid[1] / 100.0)
        made = _rows(journal, TABLE.contacts, "channel")
        np.add.at(self.contact_cost, made[0], np.array([channel.unit_cost for channel in channels])[made[1]])
        np.add.at(self.attempts, made[0], 1)
        for counted, kind in ((self.complaints, RESPONSE.complained), (self.opt_outs, RESPONSE.opted_out)):
            said = _rows(journal, TABLE.responses, "kind")
            np.add.at(counted, said[0][said[1] == kind], 1)
        account, kind, cents = _rows(journal, TABLE.debt_events, "kind", "amount")
        np.add.at(self.forgiven, account[kind == EVENT.discount], -cents[kind == EVENT.discount] / 100.0)
        self.decisions += chosen != NOT_DUE
        came = np.zeros(len(chosen), dtype=np.bool_)
        came[paid[0][paid[1] > 0]] = True
        heard = (chosen > 0) & np.isin(seen["ended"], (HEARD, TOOK))
        benefit = np.array([action.offer_cost for action in actions])[np.maximum(chosen, 0)]
        self.benefit_cost += np.where(heard & came, benefit, 0.0)
        self.unpaid_cents = unpaid(world.states, self.start, self.start_cents)


def _rows(journal: Ints, table: int, *columns: str) -> tuple[Ints, ...]:
    rows = journal[journal[:, 0] == table]
    return (rows[:, 1], *(rows[:, 1 + COLUMNS[_NAMES[table]].index(column)] for column in columns))


def _young(states: npt.NDArray[np.void]) -> tuple[Ints, Ints]:
    """Serials (n, MAX_OPEN) of the open bills 1 to 90 days past due at the end of the history, and what is owed."""
    places = np.arange(states["serial"].shape[1])
    late = END_DAY - states["due"]
    young = (places < states["n_open"][:, None]) & (states["role"] == BILL) & (late >= 1) & (late <= COHORT_DAYS)
    owed = states["principal"] + states["charges"]
    return np.where(young, states["serial"], -1), np.where(young, owed, 0)


def unpaid(states: npt.NDArray[np.void], start: Ints, start_cents: Ints) -> Ints:
    """(n,) cents of the bills ``start`` (n, MAX_OPEN) that are still owed, of each at most what was owed at the start.

    A bill that a running agreement took up is owed as far as the agreement is unpaid; what a settlement forgave is not.
    """
    places = np.arange(start.shape[1])
    there = places < states["n_open"][:, None]
    promised = np.maximum(states["promise_cents"], 1)
    running = (states["promise"] > 0) & (states["promise_kind"] == AGREEMENT)
    left = np.where(running, 1.0 - np.minimum(states["promise_paid"] / promised, 1.0), 1.0)
    owed = (states["principal"] + states["charges"]).astype(np.float64)
    owed = np.where(states["role"] == PARKED, owed * left[:, None], owed)
    total = np.zeros(len(states))
    for place in places:
        serial = start[:, place]
        same = there & (states["serial"] == serial[:, None]) & (serial >= 0)[:, None]
        total += np.minimum(np.where(same, owed, 0.0).sum(axis=1), start_cents[:, place])
    return np.rint(total).astype(np.int64)

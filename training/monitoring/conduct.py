"""Decisions, contacts, payments and discounts of the tables, as the arrays that are watched."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from decisioning.arms import ARMS, POLICY
from domain.actions import WAIT_CHANNEL, ActionCatalogue
from domain.clock import FOREVER, MISSING, US_PER_DAY
from domain.coded import Coded
from features.encoding import Encoded
from features.spine import Spine
from features.state import local_of
from training import sampling
from training.monitoring.watched import ContactRows, DecisionRows, Discounts, Payments
from training.receipts import ANSWER_DAYS, contact_receipts
from training.windows import Bools, Int64s

_AGAINST_THE_ODDS = 0.5
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
OTHER = "other"
"""Channels that are not configured, and what is no code of a refusal: so that no text of the data is repeated."""


@dataclass(frozen=True)
class Told:
    """What the tables tell; ``None`` where they are not there."""

    decisions: DecisionRows | None
    contacts: ContactRows | None
    payments: Payments
    discounts: Discounts


@dataclass(frozen=True, slots=True)
class Conduct:
    """How the tables are read: actions and their costs, and how many days a posting may take."""

    catalogue: ActionCatalogue
    lag_days: int
    answer_days: int = ANSWER_DAYS

    def of(self, encoded: Encoded) -> Told:
        """All of it."""
        return Told(
            _decisions(encoded) if encoded.tables.has("decisions") else None,
            self._contacts(encoded) if encoded.tables.has("contacts") else None,
            self._payments(encoded),
            _discounts(encoded),
        )

    def _contacts(self, encoded: Encoded) -> ContactRows:
        tables = encoded.tables
        found = contact_receipts(encoded, np.zeros(0, dtype=np.int64))
        channel, known = tables.text("contacts", "channel").take(found.row), self.catalogue.config.channels
        names = (*known, OTHER)
        usual = np.array([*(one.unit_cost for one in known.values()), 0.0])
        code = channel.recode({name: place for place, name in enumerate(known)}).astype(np.int64)
        code[code < 0] = len(known)
        told = tables.floats("contacts", "cost")[found.row]
        cost = np.where(np.isfinite(told), told, usual[code])
        return ContactRows(
            at_us=found.at_us,
            day=local_of(encoded, Spine(found.account, found.at_us)).day,
            debtor=encoded.debtor[found.account].astype(np.int64),
            channels=names,
            channel=code,
            cost_cents=100.0 * cost,
            received=found.received,
            opted_out=found.opted_out,
        )

    def _payments(self, encoded: Encoded) -> Payments:
        """The first version of each: a correction is no late payment."""
        tables, account = encoded.tables, encoded.account_of("payments")
        codes, recorded = tables.text("payments", "payment_id").codes, tables.ints("payments", "recorded_at")
        order = np.lexsort((recorded, codes))
        first = order[np.diff(codes[order], prepend=-2) != 0]
        first = first[account[first] >= 0]
        taken_us = recorded[first] - tables.ints("payments", "occurred_at")[first]
        debtor = encoded.debtor[account[first]].astype(np.int64)
        return Payments(recorded[first], debtor, taken_us > self.lag_days * US_PER_DAY)


def _decisions(encoded: Encoded) -> DecisionRows:
    tables = encoded.tables
    spine, row = sampling.decided(encoded)
    arm = tables.text("decisions", "arm").take(row).recode({name: code for code, name in enumerate(ARMS)})
    control = arm > POLICY
    rare = tables.floats("decisions", "action_prob")[row] < _AGAINST_THE_ODDS
    waits = tables.text("decisions", "channel").recode({WAIT_CHANNEL: 1}, unknown=0)[row] == 1
    return DecisionRows(
        at_us=spine.as_of_us,
        debtor=encoded.debtor[spine.account].astype(np.int64),
        waits=waits,
        explored=rare & ~control,
        control=control,
        refusals=_refusals(tables.text("decisions", "refusal_codes").take(row)),
    )


def _refusals(kept: Coded) -> dict[str, Bools] | None:
    """Whether each code refused any action (n,); ``None`` where no decision tells."""
    if not kept.values:
        return None
    listed = [frozenset(one if _CODE.fullmatch(one) else OTHER for one in value.split("|")) for value in kept.values]
    return {
        code: np.array([*(code in one for one in listed), False])[kept.codes]
        for code in sorted(frozenset().union(*listed))
    }


def _discounts(encoded: Encoded) -> Discounts:
    tables = encoded.tables
    if not tables.rows("promises"):
        return Discounts(np.zeros(0, dtype=np.int64), np.zeros(0))
    account, cents = encoded.account_of("promises"), tables.ints("promises", "discount_amount")
    row = np.flatnonzero((encoded.known_until("promises") == FOREVER) & (account >= 0) & (cents != MISSING))
    at_us: Int64s = tables.ints("promises", "occurred_at")[row]
    day = local_of(encoded, Spine(account[row], at_us)).day
    return Discounts(day, cents[row].astype(np.float64))

"""Journal rows as the canonical tables of the contract: identifiers, moments, money and names as columns of Arrow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from domain.actions import Action, ActionCatalogue
from domain.clock import US_PER_SECOND, zone_of
from domain.tables import (
    CONSENT_STATUSES,
    DEBT_EVENT_KINDS,
    HOLD_KINDS,
    HOLD_SCOPES,
    PROMISE_OUTCOMES,
    REASONS,
    RESPONSE_KINDS,
)
from simulation import assumptions
from simulation.arrow import Ints, days, ids, moments, money, named, within
from simulation.journal import NOTHING
from simulation.payments import METHODS
from simulation.portfolio import Portfolio

Rows = dict[str, Ints]
NO_OUTCOME = -1
POLICY, POLICY_VERSION = "ladder", "ladder-2023.1"


@dataclass(frozen=True, slots=True)
class Setting:
    """What rows refer to by number: the accounts, and the channels, offers and actions."""

    folk: Portfolio
    catalogue: ActionCatalogue


_PROMISE_KINDS = ("promise", "agreement", "agreement")  # by agreements.PROMISED, SETTLEMENT, AGREEMENT


def accounts_table(folk: Portfolio) -> pa.Table:
    """The accounts with their attributes; what the creditor knows, not the latent traits."""
    products = assumptions.PRODUCTS
    regions = tuple(f"BR-{state}" for state in assumptions.POPULATION)
    zones = tuple(str(zone_of(region)) for region in regions)
    return pa.table(
        {
            "account_id": ids("a", folk.traits["account"].copy()),
            "debtor_id": ids("p", folk.debtor),
            "opened_at": moments(folk.opened_us // US_PER_SECOND * US_PER_SECOND),
            "creditor": named(folk.product, tuple(p.creditor for p in products)),
            "product": named(folk.product, tuple(p.name for p in products)),
            "region": named(folk.region, regions),
            "timezone": named(folk.region, zones),
            "birth_year": pa.array(folk.birth_year),
            "income": pa.array(folk.income, from_pandas=True),
            "employment": named(folk.employment, assumptions.EMPLOYMENT),
            "recorded_at": moments(folk.opened_us // US_PER_SECOND * US_PER_SECOND),
        }
    )


def _debts(rows: Rows, setting: Setting) -> pa.Table:
    account, promise = rows["account"], rows["promise"]
    ordinary, traits = promise == NOTHING, setting.folk.traits
    products = tuple(p.name for p in assumptions.PRODUCTS)
    return pa.table(
        {
            "debt_id": within("d", account, rows["serial"]),
            "account_id": ids("a", account),
            "amount": money(rows["amount"]),
            "due_on": days(rows["due_on"]),
            "occurred_at": moments(rows["occurred"]),
            "recorded_at": moments(rows["recorded"]),
            "contract_id": ids("k", account),
            "promise_id": within("pr", account, promise),
            "product": named(setting.folk.product[account], products),
            "penalty_pct": pa.array(np.where(ordinary, traits["penalty_bp"][account] / 100.0, 0.0)),
            "monthly_interest_pct": pa.array(np.where(ordinary, traits["interest_bp"][account] / 100.0, 0.0)),
        }
    )


def _debt_events(rows: Rows, _setting: Setting) -> pa.Table:
    account = rows["account"]
    return pa.table(
        {
            "event_id": within("e", account, rows["serial"]),
            "account_id": ids("a", account),
            "debt_id": within("d", account, rows["debt"]),
            "kind": named(rows["kind"], DEBT_EVENT_KINDS),
            "amount": money(rows["amount"]),
            "occurred_at": moments(rows["occurred"]),
            "recorded_at": moments(rows["recorded"]),
            "promise_id": within("pr", account, rows["promise"]),
        }
    )


def _payments(rows: Rows, _setting: Setting) -> pa.Table:
    account = rows["account"]
    return pa.table(
        {
            "payment_id": within("y", account, rows["serial"]),
            "account_id": ids("a", account),
            "amount": money(rows["amount"]),
            "occurred_at": moments(rows["occurred"]),
            "recorded_at": moments(rows["recorded"]),
            "debt_id": within("d", account, rows["debt"]),
            "promise_id": within("pr", account, rows["promise"]),
            "method": named(rows["method"], METHODS),
        }
    )


def _contacts(rows: Rows, setting: Setting) -> pa.Table:
    account, channel = rows["account"], rows["channel"]
    costs = np.array([c.unit_cost for c in setting.catalogue.config.channels.values()])
    return pa.table(
        {
            "contact_id": within("c", account, rows["serial"]),
            "account_id": ids("a", account),
            "channel": named(channel, setting.catalogue.channels),
            "occurred_at": moments(rows["occurred"]),
            "recorded_at": moments(rows["recorded"]),
            "debt_id": within("d", account, rows["debt"]),
            "offer": named(rows["offer"], tuple(setting.catalogue.config.offers)),
            "cost": pa.array(costs[channel]),
            "duration_s": pa.array(rows["duration"].astype(np.float64), mask=rows["duration"] == 0),
            "decision_id": within("x", account, rows["decision"]),
        }
    )


def _responses(rows: Rows, setting: Setting) -> pa.Table:
    account = rows["account"]
    return pa.table(
        {
            "response_id": within("r", account, rows["serial"]),
            "account_id": ids("a", account),
            "kind": named(rows["kind"], RESPONSE_KINDS),
            "occurred_at": moments(rows["occurred"]),
            "recorded_at": moments(rows["recorded"]),
            "contact_id": within("c", account, rows["contact"]),
            "channel": named(rows["channel"], setting.catalogue.channels),
            "reason": named(rows["reason"], REASONS),
        }
    )


def _promises(rows: Rows, setting: Setting) -> pa.Table:
    account = rows["account"]
    return pa.table(
        {
            "promise_id": within("pr", account, rows["serial"]),
            "account_id": ids("a", account),
            "kind": named(rows["kind"], _PROMISE_KINDS),
            "amount": money(rows["amount"]),
            "discount_amount": money(rows["discount"]),
            "down_payment": money(rows["down"]),
            "due_on": days(rows["due_on"]),
            "instalments": pa.array(rows["instalments"]),
            "offer": named(rows["offer"], tuple(setting.catalogue.config.offers)),
            "decision_id": within("x", account, rows["decision"]),
            "occurred_at": moments(rows["occurred"]),
            "recorded_at": moments(rows["recorded"]),
            "resolved_at": moments(rows["resolved"]),
            "outcome": named(rows["outcome"], PROMISE_OUTCOMES),
        }
    )


def _consents(rows: Rows, setting: Setting) -> pa.Table:
    account, channel = rows["account"], rows["channel"]
    return pa.table(
        {
            "consent_id": within("s", account, channel * 10 + rows["status"]),
            "account_id": ids("a", account),
            "channel": named(channel, setting.catalogue.channels),
            "status": named(rows["status"], CONSENT_STATUSES),
            "occurred_at": moments(rows["occurred"]),
            "recorded_at": moments(rows["recorded"]),
        }
    )


def _holds(rows: Rows, _setting: Setting) -> pa.Table:
    account = rows["account"]
    return pa.table(
        {
            "hold_id": within("h", account, rows["occurred"] // (86_400 * US_PER_SECOND), 5),
            "account_id": ids("a", account),
            "kind": named(rows["kind"], HOLD_KINDS),
            "scope": named(rows["scope"], HOLD_SCOPES),
            "occurred_at": moments(rows["occurred"]),
            "recorded_at": moments(rows["recorded"]),
            "released_at": moments(rows["released"]),
        }
    )


def _decisions(rows: Rows, setting: Setting) -> pa.Table:
    account, actions = rows["account"], setting.catalogue.actions
    share = assumptions.EXPLORED
    prob = (1.0 - share) * (rows["laddered"] & 1) + share / rows["eligible"]
    eligible = _eligible(rows, setting.catalogue)
    of_channel = share * _of_channel(rows, eligible, actions) / rows["eligible"]
    channel_prob = (1.0 - share) * (rows["laddered"] >> 1 & 1) + of_channel
    size = len(account)
    return pa.table(
        {
            "decision_id": within("x", account, rows["serial"]),
            "account_id": ids("a", account),
            "decided_at": moments(rows["decided"]),
            "channel": named(rows["action"], tuple(a.channel for a in actions)),
            "offer": named(rows["action"], tuple(a.offer for a in actions)),
            "moment": named(rows["action"], tuple(a.moment for a in actions)),
            "action_prob": pa.array(prob),
            "channel_prob": pa.array(channel_prob),
            "arm": named(rows["explored"], ("ladder", "explore")),
            "eligible": eligible,
            "policy": pa.array([POLICY] * size, pa.string()),
            "policy_version": pa.array([POLICY_VERSION] * size, pa.string()),
            "recorded_at": moments(rows["decided"] + 2 * US_PER_SECOND),
        }
    )


def _eligible(rows: Rows, catalogue: ActionCatalogue) -> pa.Array:
    """The eligible actions of each decision as a list of names, from its open channels and offers."""
    pairs = np.stack([rows["channels"], rows["offers"]], axis=1)
    kinds, of_row = np.unique(pairs, axis=0, return_inverse=True)
    channels, offers = catalogue.channels, tuple(catalogue.config.offers)
    contacts = catalogue.actions[1:]
    channel = np.array([channels.index(a.channel) for a in contacts])
    offer = np.array([offers.index(a.offer) for a in contacts])
    free = np.array([not a.gated for a in contacts])
    lists = [
        np.concatenate([[0], 1 + np.flatnonzero(free & (kind[0] >> channel & 1 == 1) & (kind[1] >> offer & 1 == 1))])
        for kind in kinds
    ]
    indices = pa.array(lists, pa.list_(pa.int32())).take(pa.array(of_row.reshape(-1)))
    values = pa.DictionaryArray.from_arrays(indices.values, pa.array(catalogue.names(), pa.string()))
    return pa.ListArray.from_arrays(indices.offsets, values)


def _of_channel(rows: Rows, eligible: pa.Array, actions: tuple[Action, ...]) -> Ints:
    """How many of the eligible actions of each decision are on the channel that was chosen."""
    channels = sorted({action.channel for action in actions})
    channel = np.array([channels.index(action.channel) for action in actions])
    listed = channel[eligible.values.indices.to_numpy()]
    counts = np.diff(eligible.offsets.to_numpy())
    same = listed == np.repeat(channel[rows["action"]], counts)
    return np.add.reduceat(same.astype(np.int64), eligible.offsets.to_numpy()[:-1])


_ENDS = {"promises": "resolved", "holds": "released"}


def as_known(name: str, rows: Rows, *, until_us: int) -> Rows:
    """The rows of a table that were recorded before a moment, without an end that came later."""
    known = rows["recorded" if "recorded" in rows else "decided"] < until_us
    found = {column: np.ascontiguousarray(values[known]) for column, values in rows.items()}
    if name in _ENDS:
        later = found[_ENDS[name]] >= until_us
        found[_ENDS[name]][later] = NOTHING
        if name == "promises":
            found["outcome"][later] = NO_OUTCOME
    return found


BUILDERS = {
    "debts": _debts,
    "debt_events": _debt_events,
    "payments": _payments,
    "contacts": _contacts,
    "responses": _responses,
    "promises": _promises,
    "consents": _consents,
    "holds": _holds,
    "decisions": _decisions,
}

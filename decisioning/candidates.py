"""An action as numbers: what it costs and offers, and how its channel and its hours have fared with this account.

Never an action id: with a flat id nothing learned of one action helps another, and at the sizes of real logs the
factored form recovers several times as much of the value (docs/adr/0004).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.actions import WAIT_CHANNEL, Action
from features.events import PART_HOURS
from features.schema import FeatureSchema
from features.vocabulary import CHANNELS

Floats = npt.NDArray[np.float64]

_CHANNEL = "action_channel_"
_KINDS = ("discount", "instalments", "incentive")
_STATIC = (
    "action_contact",
    *(f"action_kind_{kind}" for kind in _KINDS),
    "action_discount_pct",
    "action_instalments",
    "action_offer_cost",
    "action_unit_cost",
    "action_intrusiveness",
    "action_hour",
)
_OF_CHANNEL = {
    "candidate_contacts_count_30d": "contacts_{}_count_30d",
    "candidate_contacts_count_365d": "contacts_{}_count_365d",
    "candidate_responses_count_365d": "responses_{}_count_365d",
    "candidate_response_rate_365d": "response_rate_{}_365d",
    "candidate_contacts_recency": "contacts_{}_recency",
}
PART_SURPLUS = "candidate_part_surplus"
_OF_PART = {PART_SURPLUS: "reception_surplus_{}"}
_HISTORY = _OF_CHANNEL | _OF_PART


def candidate_names(schema: FeatureSchema, actions: Sequence[Action]) -> tuple[str, ...]:
    """Names of the action features, fixed at training and kept in the bundle.

    One 0/1 per channel of ``actions`` by name, then what the action is, then the account's history with its channel
    and with the part of the day that its hours lie in. A channel first configured after training has no 0/1 of
    its own, and is known by what it costs and by its history.
    """
    channels = sorted({action.channel for action in actions if not action.is_wait})
    return (*(_CHANNEL + channel for channel in channels), *_STATIC, *_history_names(schema, channels))


def _history_names(schema: FeatureSchema, channels: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        name
        for name, pattern in _HISTORY.items()
        if any(pattern.format(word) in schema.index for word in (PART_HOURS if name in _OF_PART else channels))
    )


def told_by(schema: FeatureSchema, name: str) -> list[int]:
    """Columns of the account's features that an action feature may be taken from; none where it is the action's own."""
    if name not in _HISTORY:
        return []
    columns = (schema.index.get(_HISTORY[name].format(word)) for word in (PART_HOURS if name in _OF_PART else CHANNELS))
    return [column for column in columns if column is not None]


class Grid(NamedTuple):
    """Features of every account under every action, factored: a full matrix would be accounts × actions rows.

    ``values`` (n, k) of the account; ``static`` (A, s) of the action; ``history`` (n, P, h) of the account with each
    pair of channel and part of the day; ``past`` (A,) which of the P belongs to each action. Columns stand in this
    order in a row of the model.
    """

    values: Floats
    static: Floats
    history: Floats
    past: npt.NDArray[np.int64]

    def rows(self, account: npt.NDArray[np.int64], action: npt.NDArray[np.int64]) -> Floats:
        """(m, k + s + h) model rows of pairs of account and action."""
        return np.hstack([self.values[account], self.own(account, action)])

    def own(self, account: npt.NDArray[np.int64], action: npt.NDArray[np.int64]) -> Floats:
        """(m, s + h) action features of the same pairs."""
        return np.hstack([self.static[action], self.history[account, self.past[action]]])


def grid(
    values: Floats, schema: FeatureSchema, actions: Sequence[Action], *, names: Sequence[str] | None = None
) -> Grid:
    """The factored features of all accounts under all ``actions``.

    Parameters
    ----------
    values : (n, k) account features in the order of ``schema``
    names : action features of the model; by default those of this catalogue
    """
    names = candidate_names(schema, actions) if names is None else names
    # A copy of a catalogue's actions would have to be hashed again.
    plan = _plan(actions if isinstance(actions, tuple) else tuple(actions), tuple(names), schema.names)
    # Two columns after the account's own: what there is no feature for, and nothing at all.
    wide = np.hstack([values, np.full((len(values), 1), np.nan), np.zeros((len(values), 1))])
    return Grid(values=values, static=plan.static, history=wide[:, plan.history], past=plan.past)


class _Plan(NamedTuple):
    """The part of a grid that is the same for all accounts; ``history`` (P, h) are columns of their features."""

    static: Floats
    history: npt.NDArray[np.int64]
    past: npt.NDArray[np.int64]


@lru_cache(maxsize=32)
def _plan(actions: tuple[Action, ...], names: tuple[str, ...], features: tuple[str, ...]) -> _Plan:
    own = [_past_of(action) for action in actions]
    pairs = list(dict.fromkeys(own))
    told = [name for name in names if name in _HISTORY]
    index = {name: place for place, name in enumerate(features)}
    history = [
        [_past_column(index, name, part if name in _OF_PART else channel) for name in told] for channel, part in pairs
    ]
    found = _Plan(
        np.array([[_static(action, name) for name in names if name not in _HISTORY] for action in actions]),
        np.array(history, dtype=np.int64).reshape(len(pairs), len(told)),
        np.array([pairs.index(pair) for pair in own], dtype=np.int64),
    )
    for part in found:
        part.setflags(write=False)
    return found


def _past_column(index: Mapping[str, int], name: str, word: str | None) -> int:
    """The column with an account's history; the one after the last where there is none, then that of waiting."""
    if word is None or word == WAIT_CHANNEL:
        return len(index) + 1
    return index.get(_HISTORY[name].format(word), len(index))


def rows_for(
    values: Floats,
    schema: FeatureSchema,
    actions: Sequence[Action],
    index: npt.NDArray[np.int64],
    *,
    names: Sequence[str] | None = None,
    hours: Floats | None = None,
) -> Floats:
    """Model rows of one action per account.

    Parameters
    ----------
    values : (n, k) account features
    index : (n,) position in ``actions`` of each row's action
    hours : (n,) local hours at which contacts were made, where they are known, in place of those of the actions

    Returns
    -------
    (n, k + a), the account's features followed by those of ``names``
    """
    names = candidate_names(schema, actions) if names is None else names
    table = grid(values, schema, actions, names=names)
    rows = table.rows(np.arange(len(values), dtype=np.int64), np.asarray(index, dtype=np.int64))
    if hours is not None:
        _at_hours(rows, schema, names, hours)
    return rows


def _at_hours(rows: Floats, schema: FeatureSchema, names: Sequence[str], hours: Floats) -> None:
    """Sets the columns of the hour, in place, to those of contacts that were made at ``hours``."""
    width = len(schema.names)
    for column, name in enumerate(names, start=width):
        if name == "action_hour":
            rows[:, column] = hours
        elif name in _OF_PART:
            rows[:, column] = 0.0
            for part, (opens, closes) in PART_HOURS.items():
                chosen = (opens <= hours) & (hours < closes)
                rows[chosen, column] = _past(rows[chosen, :width], schema, name, part)


def _past_of(action: Action) -> tuple[str, str | None]:
    """Channel of an action and the part of the day that its hours lie in, ``None`` where that is no single one."""
    if action.is_wait:
        return action.channel, None
    low, high = action.hours
    return action.channel, next((part for part, (o, c) in PART_HOURS.items() if o <= low and high <= c), None)


def _static(action: Action, name: str) -> float:
    if action.is_wait:
        return 0.0
    if name.startswith(_CHANNEL):
        return float(name == _CHANNEL + action.channel)
    if name.startswith("action_kind_"):
        return float(name == f"action_kind_{action.offer_kind}")
    known = {
        "action_contact": 1.0,
        "action_discount_pct": action.discount_pct,
        "action_instalments": float(action.instalments),
        "action_offer_cost": action.offer_cost,
        "action_unit_cost": action.unit_cost,
        "action_intrusiveness": action.intrusiveness,
        "action_hour": (action.hours[0] + action.hours[1]) / 2,
    }
    return known[name]


def _past(values: Floats, schema: FeatureSchema, name: str, word: str | None) -> Floats | float:
    """The account's history with a channel or a part of the day, ``NaN`` where there is no such feature.

    Waiting has none, which is 0; so has an action of no single part of the day: no part is better than the others then.
    """
    if word is None or word == WAIT_CHANNEL:
        return 0.0
    column = schema.index.get(_HISTORY[name].format(word))
    return np.nan if column is None else values[:, column]

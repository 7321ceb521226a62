"""Consents, holds, promises and contacts as arrays by account: what a decision asks besides features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, Int64s
from domain.tables import CONSENT_STATUSES, HOLD_KINDS, HOLD_SCOPES, PROMISE_KINDS, Tables
from features.columns import Int32s, filled, index_of, offsets_of, ranks
from features.encoding import Encoded

NO_CONSENT, GRANTED, REVOKED, INVALID = 0, 1, 2, 3
_FALLBACK_PROMISE_DAYS = 30


class Consents(NamedTuple):
    """Sorted by account and time; ``point`` is -1 where the whole channel is meant, ``expires_us`` may be MISSING."""

    offsets: Int64s
    occurred_us: Int64s
    known_from: Int64s
    known_until: Int64s
    channel: Int32s
    status: Int32s
    point: Int32s
    expires_us: Int64s


class Holds(NamedTuple):
    """Sorted by account and time; ``released_us`` may be MISSING, ``whole_debtor`` is 1 for holds on the person."""

    offsets: Int64s
    occurred_us: Int64s
    known_from: Int64s
    known_until: Int64s
    bit: Int32s
    released_us: Int64s
    whole_debtor: Int32s


class Promises(NamedTuple):
    """Sorted by account and time; a promise runs through ``last_day`` unless it is resolved before."""

    offsets: Int64s
    occurred_us: Int64s
    known_from: Int64s
    known_until: Int64s
    last_day: Int64s
    resolved_us: Int64s


class Contacts(NamedTuple):
    """Outbound contacts sorted by account and time; ``channel`` is a position in the channels asked for, or -1."""

    offsets: Int64s
    occurred_us: Int64s
    known_from: Int64s
    known_until: Int64s
    channel: Int32s


class Siblings(NamedTuple):
    """Accounts of debtor ``d``: ``accounts[offsets[d]:offsets[d + 1]]``; ``debtor`` is (n_accounts,)."""

    offsets: Int64s
    accounts: Int32s
    debtor: Int32s


def siblings(encoded: Encoded) -> Siblings:
    """Which accounts belong to which debtor."""
    order = np.argsort(encoded.debtor, kind="stable").astype(np.int32)
    return Siblings(offsets_of(encoded.debtor[order], len(encoded.debtor_ids)), order, encoded.debtor)


def consents(encoded: Encoded, channels: Sequence[str]) -> Consents:
    """Consents on the channels asked for."""
    tables, order, offsets = encoded.tables, *_sorted(encoded, "consents")
    if not tables.has("consents"):
        none, few = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        return Consents(offsets, none, none, none, few, few, few, none)
    return Consents(
        offsets,
        *_when(encoded, "consents", order),
        tables.text("consents", "channel").recode(index_of(channels))[order],
        tables.text("consents", "status").recode(index_of(("", *CONSENT_STATUSES)))[order],
        ranks(tables.text("consents", "contact_point_id"))[order],
        tables.ints("consents", "expires_at")[order],
    )


def holds(encoded: Encoded) -> Holds:
    """All holds; a kind that is not known counts as a dispute, so that an unreadable hold stops contact."""
    tables, order, offsets = encoded.tables, *_sorted(encoded, "holds")
    if not tables.has("holds"):
        none, few = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        return Holds(offsets, none, none, none, few, none, few)
    bit = tables.text("holds", "kind").recode(index_of(HOLD_KINDS), unknown=0)[order]
    scope = tables.text("holds", "scope").recode(index_of(HOLD_SCOPES))[order]
    return Holds(
        offsets,
        *_when(encoded, "holds", order),
        np.maximum(bit, 0),
        tables.ints("holds", "released_at")[order],
        (scope == HOLD_SCOPES.index("debtor")).astype(np.int32),
    )


def promises(encoded: Encoded) -> Promises:
    """Promises to pay; an agreement runs a month for each instalment, and one without due day for 30 days."""
    tables, order, offsets = encoded.tables, *_sorted(encoded, "promises")
    if not tables.has("promises"):
        none = np.zeros(0, dtype=np.int64)
        return Promises(offsets, none, none, none, none, none)
    made_day = encoded.known.local_day["promises"][order]
    due_day = filled(tables.ints("promises", "due_on")[order], made_day + _FALLBACK_PROMISE_DAYS)
    agreement = tables.text("promises", "kind").recode(index_of(PROMISE_KINDS))[order] == PROMISE_KINDS.index(
        "agreement"
    )
    instalments = np.maximum(filled(tables.ints("promises", "instalments")[order], 1), 1)
    last_day = due_day + np.where(agreement, 31 * (instalments - 1), 0)
    resolved = np.where(
        tables.text("promises", "outcome").codes[order] >= 0, tables.ints("promises", "resolved_at")[order], MISSING
    )
    return Promises(offsets, *_when(encoded, "promises", order), last_day, resolved)


def contacts(encoded: Encoded, channels: Sequence[str]) -> Contacts:
    """Outbound contacts, each with the position of its channel among those asked for."""
    tables, order, offsets = encoded.tables, *_sorted(encoded, "contacts")
    if not tables.has("contacts"):
        none = np.zeros(0, dtype=np.int64)
        return Contacts(offsets, none, none, none, np.zeros(0, dtype=np.int32))
    channel = tables.text("contacts", "channel").recode(index_of(channels))[order]
    return Contacts(offsets, *_when(encoded, "contacts", order), channel)


def _sorted(encoded: Encoded, table: str) -> tuple[npt.NDArray[np.int64], Int64s]:
    """Rows of known accounts by account and time, and the bounds of each account."""
    tables: Tables = encoded.tables
    n_accounts = len(encoded.account_ids)
    if not tables.has(table):
        return np.zeros(0, dtype=np.int64), np.zeros(n_accounts + 1, dtype=np.int64)
    account = encoded.account_of(table)
    order = np.lexsort((tables.ints(table, "recorded_at"), tables.ints(table, "occurred_at"), account))
    order = order[account[order] >= 0]
    return order.astype(np.int64), offsets_of(account[order], n_accounts)


def _when(encoded: Encoded, table: str, order: npt.NDArray[np.int64]) -> tuple[Int64s, Int64s, Int64s]:
    return (
        encoded.tables.ints(table, "occurred_at")[order],
        encoded.tables.ints(table, "recorded_at")[order],
        encoded.known_until(table)[order],
    )

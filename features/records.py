"""Rows by account and time: what the state of an account is read from, besides balance and events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.clock import Int64s
from domain.compiled import compiled
from domain.sheets import Sheet
from domain.tables import CONSENT_STATUSES
from features.columns import Int32s, index_of, offsets_of
from features.encoding import Encoded, rows_by_account

NO_CONSENT, GRANTED, REVOKED, INVALID = 0, 1, 2, 3


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


class Rows(NamedTuple):
    """A sheet sorted by account, time and recording: account ``a`` has the rows ``offsets[a]:offsets[a + 1]``."""

    offsets: Int64s
    sheet: Sheet


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
    if len(encoded.debtor) == 1:
        return _ALONE
    order = np.argsort(encoded.debtor, kind="stable").astype(np.int32)
    return Siblings(offsets_of(encoded.debtor[order], len(encoded.debtor_ids)), order, encoded.debtor)


_ALONE = Siblings(np.array([0, 1], dtype=np.int64), np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int32))


@compiled
def _by_account(sheet: Sheet, n_accounts: int) -> tuple[Int64s, Sheet]:
    """Bounds of each account, and the rows of accounts that are known, by account, time and recording."""
    order, offsets = rows_by_account(sheet, n_accounts)
    ordered = np.empty((sheet.shape[0], len(order)), dtype=np.int64)
    for field in range(sheet.shape[0]):
        for place in range(len(order)):
            ordered[field, place] = sheet[field, order[place]]
    return offsets, ordered


def consents(encoded: Encoded, channels: Sequence[str]) -> Consents:
    """Consents on the channels asked for."""
    tables, order, offsets = encoded.tables, *encoded.by_account("consents")
    if not tables.has("consents"):
        none, few = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        return Consents(offsets, none, none, none, few, few, few, none)
    points = tables.text("consents", "contact_point_id")
    return Consents(
        offsets,
        *_when(encoded, "consents", order),
        tables.text("consents", "channel").recode(index_of(channels))[order],
        tables.text("consents", "status").recode(index_of(("", *CONSENT_STATUSES)))[order],
        points.codes[order],
        tables.ints("consents", "expires_at")[order],
    )


def rows_of(encoded: Encoded, table: str) -> Rows:
    """The rows of a table by account; orphans are left out."""
    sheet = encoded.sheet(table)
    if not sheet.shape[1]:
        return Rows(np.zeros(len(encoded.account_ids) + 1, dtype=np.int64), sheet)
    return Rows(*_by_account(sheet, len(encoded.account_ids)))


def contacts(encoded: Encoded, channels: Sequence[str]) -> Contacts:
    """Outbound contacts, each with the position of its channel among those asked for."""
    tables, order, offsets = encoded.tables, *encoded.by_account("contacts")
    if not tables.has("contacts"):
        none = np.zeros(0, dtype=np.int64)
        return Contacts(offsets, none, none, none, np.zeros(0, dtype=np.int32))
    channel = tables.text("contacts", "channel").recode(index_of(channels))[order]
    return Contacts(offsets, *_when(encoded, "contacts", order), channel)


def _when(encoded: Encoded, table: str, order: npt.NDArray[np.int64]) -> tuple[Int64s, Int64s, Int64s]:
    return (
        encoded.tables.ints(table, "occurred_at")[order],
        encoded.tables.ints(table, "recorded_at")[order],
        encoded.known_until(table)[order],
    )

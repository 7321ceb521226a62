"""Canonical tables as arrays sorted by account and time: what the kernels scan, for a portfolio and for one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.balance import Debts, Entries
from domain.balance_arrays import ledger_arrays
from domain.clock import US_PER_DAY, Int64s, local_days, local_hours, local_us, weekdays, zone_of
from domain.tables import TABLES, Tables
from features.columns import Int32s, filled, index_of, known_until, offsets_of, ranks
from features.config import Attribute
from features.streams import Known, Stream, streams
from features.vocabulary import CHANNELS

_PART_OF_HOUR = np.array([0] * 8 + [1] * 4 + [2] * 5 + [3] * 3 + [0] * 4, dtype=np.int8)


class Events(NamedTuple):
    """All events, sorted by account and time; ``offsets`` is (n_accounts + 1,), the others (m,)."""

    offsets: Int64s
    occurred_us: Int64s
    known_from: Int64s
    known_until: Int64s
    code: Int32s
    value: Int64s
    day: Int64s
    part: np.ndarray
    weekend: np.ndarray


@dataclass(frozen=True, slots=True)
class Encoded:
    """Ledgers of many accounts, ready to be scanned.

    Accounts stand in the order of their ids, so that nothing depends on the order of rows or files. Local days and
    hours of past events are those of the account's first known time zone, which no later version can move.
    """

    tables: Tables
    attributes: Mapping[str, Attribute]
    account_ids: tuple[str, ...]
    debtor_ids: tuple[str, ...]
    debtor: Int32s
    zone_names: tuple[str, ...]
    zones: Int32s
    row_zones: Int32s
    version_offsets: Int64s
    version_rows: Int64s
    known: Known
    events: Events
    debts: Debts
    debt_source: Int64s
    debt_bounds: Int64s
    entries: Entries
    entry_bounds: Int64s
    unknown_codes: Mapping[str, int]

    @property
    def present(self) -> frozenset[str]:
        """Tables that were given, be they empty."""
        return frozenset(name for name in TABLES if self.tables.has(name))

    def account_of(self, table: str) -> Int32s:
        """Account position of each row of a table; -1 for an account that is not in ``accounts``."""
        return self.known.account[table]

    def known_until(self, table: str) -> Int64s:
        """When each row's version was replaced; ``FOREVER`` for the latest."""
        return self.known.until[table]

    def account_index(self) -> Mapping[str, int]:
        """Position of each account by id."""
        return index_of(self.account_ids)


def encode(tables: Tables, *, attributes: Mapping[str, Attribute]) -> Encoded:
    """Sorts and links canonical tables; pure numpy, the same whatever the order of the rows.

    ``attributes`` are the declared columns of ``accounts``, present in ``tables`` where they are known.
    """
    ids = tables.text("accounts", "account_id")
    rank = ranks(ids)
    account_ids = tuple(sorted(ids.values))
    index = index_of(account_ids)
    recorded = tables.ints("accounts", "recorded_at")
    order = np.lexsort((recorded, rank))
    offsets = offsets_of(rank[order], len(account_ids))
    first = order[offsets[:-1]]
    zone_names, all_zones = _zones(tables)
    zones = all_zones[first]
    debtors = tables.text("accounts", "debtor_id").take(first)
    debtor_ids = tuple(sorted({debtors.values[code] for code in np.unique(debtors.codes)}))
    known = _known(tables, index, zones=zones, zone_names=zone_names)
    debts, entries, debt_bounds, entry_bounds, source = ledger_arrays(
        tables, account_index=known.account, local_day=known.local_day, known_until=known.until,
        n_accounts=len(account_ids),
    )  # fmt: skip
    return Encoded(
        tables=tables,
        attributes=attributes,
        account_ids=account_ids,
        debtor_ids=debtor_ids,
        debtor=debtors.recode(index_of(debtor_ids)),
        zone_names=zone_names,
        zones=zones,
        row_zones=all_zones,
        version_offsets=offsets,
        version_rows=order.astype(np.int64),
        known=known,
        events=_events(tables, known, zones=zones, zone_names=zone_names),
        debts=debts,
        debt_source=source,
        debt_bounds=debt_bounds,
        entries=entries,
        entry_bounds=entry_bounds,
        unknown_codes=_unknown_codes(tables),
    )


def _zones(tables: Tables) -> tuple[tuple[str, ...], Int32s]:
    """IANA zones, and the zone of each row of ``accounts``; -1 where neither zone nor region is known."""
    regions, zones = tables.text("accounts", "region"), tables.text("accounts", "timezone")
    pairs, inverse = np.unique(np.stack([regions.codes, zones.codes]), axis=1, return_inverse=True)
    names = [
        zone_of(None if region < 0 else regions.values[region], None if zone < 0 else zones.values[zone])
        for region, zone in pairs.T
    ]
    known = tuple(sorted({name for name in names if name}))
    index = {name: position for position, name in enumerate(known)}
    table = np.array([index[name] if name else -1 for name in names], dtype=np.int32)
    return known, table[inverse.reshape(-1)]


def _known(tables: Tables, index: Mapping[str, int], *, zones: Int32s, zone_names: tuple[str, ...]) -> Known:
    account: dict[str, Int32s] = {}
    until: dict[str, Int64s] = {}
    local_day: dict[str, Int64s] = {}
    for table in TABLES:
        if not tables.has(table):
            continue
        account[table] = tables.text(table, "account_id").recode(index)
        if table == "accounts":
            continue
        until[table] = known_until(tables, table)
        moment = tables.ints(table, "decided_at" if table == "decisions" else "occurred_at")
        local_day[table] = local_days(local_us(filled(moment, 0), _zone_of_row(zones, account[table]), zone_names))
    return Known(account, until, local_day)


def _zone_of_row(zones: Int32s, account: Int32s) -> Int32s:
    return np.append(zones, np.int32(-1))[account]


def _events(tables: Tables, known: Known, *, zones: Int32s, zone_names: tuple[str, ...]) -> Events:
    due_us = tables.ints("debts", "due_on") * US_PER_DAY
    debt_zone = _zone_of_row(zones, known.account["debts"])
    parts = list(streams(tables, known, offset_us=local_us(due_us, debt_zone, zone_names) - due_us))
    whole = Stream(*(np.concatenate([getattr(part, name) for part in parts]) for name in Stream.__slots__))
    whole = whole.where((whole.account >= 0) & (whole.code >= 0) & (whole.known_from < whole.known_until))
    order = np.lexsort((whole.value, whole.code, whole.known_from, whole.occurred_us, whole.account))
    account, occurred_us = whole.account[order], whole.occurred_us[order]
    wall = local_us(filled(occurred_us, 0), zones[account], zone_names)
    day = local_days(wall)
    return Events(
        offsets=offsets_of(account, len(zones)),
        occurred_us=occurred_us,
        known_from=whole.known_from[order],
        known_until=whole.known_until[order],
        code=whole.code[order],
        value=whole.value[order],
        day=day,
        part=_PART_OF_HOUR[local_hours(wall)],
        weekend=(weekdays(day) >= 5).astype(np.int8),
    )


def _unknown_codes(tables: Tables) -> Mapping[str, int]:
    """Rows whose code is in no vocabulary, by ``table.column``: they count as ``other``, and are told."""
    found: dict[str, int] = {}
    for table in TABLES.values():
        if not tables.has(table.name):
            continue
        for column in table.columns:
            vocabulary = CHANNELS if column.name == "channel" and table.name != "decisions" else column.codes
            if not vocabulary:
                continue
            texts = tables.text(table.name, column.name)
            strange = [code for code, value in enumerate(texts.values) if value not in vocabulary]
            count = int(np.isin(texts.codes, strange).sum()) if strange else 0
            if count:
                found[f"{table.name}.{column.name}"] = count
    return found

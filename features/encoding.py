"""Canonical tables as arrays sorted by account and time: what the kernels scan, for a portfolio and for one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.balance import Debts, Entries
from domain.balance_arrays import ledger_arrays
from domain.balance_entries import Int32s
from domain.clock import Int64s, zone_of
from domain.coded import Coded, Vocabulary
from domain.compiled import compiled
from domain.ordering import row_order
from domain.sheets import ACCOUNT, OCCURRED, RECORDED, UNTIL, Sheet, complete, link
from domain.tables import TABLES, Tables
from domain.zones import Zones, zone_table
from features.columns import alphabetical, index_of, offsets_of
from features.config import Attribute
from features.events import Events, events_of
from features.sheets import Sheets, complete_all, sheet_of, sheets_of
from features.vocabulary import CHANNELS


@dataclass(frozen=True)
class Encoded:
    """Ledgers of many accounts, ready to be scanned.

    Accounts stand in the order of their ids, so that nothing depends on the order of rows or files. Local days and
    hours of past events are those of the account's first known time zone, which no later version can move.
    ``whole_debtors`` says whether every account of each debtor is here; where not, nothing is known of the others.
    ``unchecked`` are accounts whose debtor is known to have others, while nobody says what contacts these had.
    """

    tables: Tables
    attributes: Mapping[str, Attribute]
    whole_debtors: bool
    account_ids: tuple[str, ...]
    debtor_ids: tuple[str, ...]
    debtor: Int32s
    zone_names: tuple[str, ...]
    zones: Int32s
    row_zones: Int32s
    version_offsets: Int64s
    version_rows: Int64s
    sheets: Sheets
    debts: Debts
    debt_source: Int64s
    debt_bounds: Int64s
    entries: Entries
    entry_bounds: Int64s
    counted: Mapping[str, int] | None = None
    unchecked: frozenset[str] = frozenset()

    @cached_property
    def present(self) -> frozenset[str]:
        """Tables that were given, be they empty."""
        return frozenset(name for name in TABLES if self.tables.has(name))

    @cached_property
    def events(self) -> Events:
        """What happened, by account and time: what windowed features are made of, sorted when first asked for."""
        sizes = _id_counts(self.tables)
        return events_of(self.sheets, (sizes[0], sizes[4]), zones=self.zone_table, zone_of=self.zones)

    @cached_property
    def zone_table(self) -> Zones:
        """Transitions of the zones in ``zone_names``."""
        return zone_table(self.zone_names)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Position of each account by id."""
        return index_of(self.account_ids)

    @cached_property
    def unknown_codes(self) -> Mapping[str, int]:
        """Rows whose code is in no vocabulary, by ``table.column``: they count as ``other``, and are told."""
        return _unknown_codes(self.tables) if self.counted is None else self.counted

    def sheet(self, table: str) -> Sheet:
        """A table as integers, completed (``domain.sheets``)."""
        found: Sheet | None = getattr(self.sheets, table, None)
        if found is None:
            found = self._others.get(table)
        if found is None:
            position = alphabetical(self.tables.text("accounts", "account_id").values)
            found = sheet_of(self.tables, table, position)
            ids = self.tables.text(table, TABLES[table].id_column).values if self.tables.has(table) else ()
            complete(found, len(ids), self.zone_table, self.zones)
            self._others[table] = found
        return found

    @cached_property
    def _others(self) -> dict[str, Sheet]:
        return {}

    def by_account(self, table: str) -> tuple[Int64s, Int64s]:
        """Rows of a table by account and time, orphans left out, and the bounds (n_accounts + 1,) of each account."""
        if table not in self._sorted:
            n_accounts = len(self.account_ids)
            if not self.tables.has(table):
                return np.zeros(0, dtype=np.int64), np.zeros(n_accounts + 1, dtype=np.int64)
            self._sorted[table] = rows_by_account(self.sheet(table), n_accounts)
        return self._sorted[table]

    def linked(self, table: str, column: str, *, to: str) -> Int32s:
        """Codes of the rows that a column points to, as ``domain.sheets.link`` gives them."""
        if (table, column) not in self._links:
            self._links[table, column] = link(self.tables, table, column, to=to)
        return self._links[table, column]

    @cached_property
    def totals(self) -> dict[tuple[str, ...], int]:
        """Counts over all rows that were made once, kept for the next page; keys say of what."""
        return {}

    @cached_property
    def _links(self) -> dict[tuple[str, str], Int32s]:
        return {}

    @cached_property
    def _sorted(self) -> dict[str, tuple[Int64s, Int64s]]:
        return {}

    def account_of(self, table: str) -> Int32s:
        """Account position of each row of a table; -1 for an account that is not in ``accounts``."""
        account: Int32s = self.sheet(table)[ACCOUNT].astype(np.int32)
        return account

    def known_until(self, table: str) -> Int64s:
        """When each row's version was replaced; ``FOREVER`` for the latest."""
        until: Int64s = self.sheet(table)[UNTIL]
        return until

    def account_index(self) -> Mapping[str, int]:
        """Position of each account by id."""
        return self.index


@compiled
def rows_by_account(sheet: Sheet, n_accounts: int) -> tuple[Int64s, Int64s]:
    """Rows by account, time and recording, orphans left out, and the bounds of each account."""
    keys = np.empty((3, sheet.shape[1]), dtype=np.int64)
    keys[0], keys[1], keys[2] = sheet[ACCOUNT], sheet[OCCURRED], sheet[RECORDED]
    order, offsets, orphans = row_order(keys), np.zeros(n_accounts + 1, dtype=np.int64), 0
    for row in range(sheet.shape[1]):
        if sheet[ACCOUNT, row] < 0:
            orphans += 1
        else:
            offsets[sheet[ACCOUNT, row] + 1] += 1
    for account in range(n_accounts):
        offsets[account + 1] += offsets[account]
    # Orphans have the least account, and so come first.
    return order[orphans:], offsets


class Accounts(NamedTuple):
    """Who the accounts are: fields of ``Encoded`` that come from the table of accounts alone."""

    account_ids: tuple[str, ...]
    debtor_ids: tuple[str, ...]
    debtor: Int32s
    zone_names: tuple[str, ...]
    zones: Int32s
    row_zones: Int32s
    version_offsets: Int64s
    version_rows: Int64s


def encode(tables: Tables, *, attributes: Mapping[str, Attribute], whole_debtors: bool = True) -> Encoded:
    """Sorts and links canonical tables; the same whatever the order of the rows.

    ``attributes`` are the declared columns of ``accounts``, present in ``tables`` where they are known;
    ``whole_debtors`` is false where debtors may have accounts that are not in the tables.
    """
    accounts = _accounts(tables)
    sheets = sheets_of(tables, alphabetical(tables.text("accounts", "account_id").values))
    return assembled(tables, accounts, sheets, attributes=attributes, whole_debtors=whole_debtors)


def assembled(
    tables: Tables,
    accounts: Accounts,
    sheets: Sheets,
    *,
    attributes: Mapping[str, Attribute],
    whole_debtors: bool,
    counted: Mapping[str, int] | None = None,
) -> Encoded:
    """Ledgers from sheets that are filled and not yet completed.

    ``tables`` needs to have the accounts and, of the others, the ids; ``counted`` are unknown codes, where who filled
    the sheets has counted them.
    """
    table, n_accounts = zone_table(accounts.zone_names), len(accounts.account_ids)
    sizes = _id_counts(tables)
    complete_all(sheets, sizes, table, accounts.zones)
    debts, entries, debt_bounds, entry_bounds, source = ledger_arrays(tables, sheets.ledger, n_accounts=n_accounts)
    return Encoded(
        tables=tables,
        attributes=attributes,
        whole_debtors=whole_debtors,
        **accounts._asdict(),
        sheets=sheets,
        debts=debts,
        debt_source=source,
        debt_bounds=debt_bounds,
        entries=entries,
        entry_bounds=entry_bounds,
        counted=counted,
    )


def _accounts(tables: Tables) -> Accounts:
    ids = tables.text("accounts", "account_id")
    account_ids = tuple(sorted(ids.values))
    order, offsets = _versions(tables, ids)
    first = order[offsets[:-1]]
    zone_names, all_zones = _zones(tables)
    debtors = tables.text("accounts", "debtor_id").take(first)
    debtor_ids = tuple(sorted({debtors.values[code] for code in _distinct(debtors.codes)[0].tolist()}))
    return Accounts(
        account_ids, debtor_ids, debtors.recode(index_of(debtor_ids)), zone_names, all_zones[first], all_zones, offsets,
        order.astype(np.int64),
    )  # fmt: skip


def _versions(tables: Tables, ids: Coded) -> tuple[npt.NDArray[np.int64], Int64s]:
    """Rows of ``accounts`` by account and recording, and the bounds of each account."""
    if len(ids) == 1:
        return _ONE_ROW
    rank = alphabetical(ids.values)[ids.codes]
    order = np.lexsort((tables.ints("accounts", "recorded_at"), rank))
    return order, offsets_of(rank[order], len(ids.values))


_ONE_ROW = np.zeros(1, dtype=np.int64), np.array([0, 1], dtype=np.int64)
"""What sorting a single row comes to: a request often has one account."""


def _id_counts(tables: Tables) -> tuple[int, ...]:
    """How many ids each table of ``Sheets`` has."""
    return tuple(
        len(tables.text(table, TABLES[table].id_column).values) if tables.has(table) else 0 for table in Sheets._fields
    )


def _zones(tables: Tables) -> tuple[tuple[str, ...], Int32s]:
    """IANA zones, and the zone of each row of ``accounts``; -1 where neither zone nor region is known."""
    regions, zones = tables.text("accounts", "region"), tables.text("accounts", "timezone")
    width = len(zones.values) + 1
    pairs = (regions.codes.astype(np.int64) + 1) * width + zones.codes + 1
    distinct, inverse = _distinct(pairs)
    names = [
        zone_of(
            None if pair < width else regions.values[pair // width - 1],
            None if pair % width == 0 else zones.values[pair % width - 1],
        )
        for pair in distinct.tolist()
    ]
    known = tuple(sorted({name for name in names if name}))
    index = {name: position for position, name in enumerate(known)}
    table = np.array([index[name] if name else -1 for name in names], dtype=np.int32)
    return known, table[inverse]


def _distinct(values: Int64s | Int32s) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    if len(values) == 1:
        return values, _ONE_ROW[0]
    distinct, inverse = np.unique(values, return_inverse=True)
    return distinct, inverse.reshape(-1).astype(np.int64)


_VOCABULARIES = {
    (table.name, column.name): Vocabulary(CHANNELS if column.name == "channel" else column.codes)
    for table in TABLES.values()
    for column in table.columns
    if column.codes or (column.name == "channel" and table.name != "decisions")
}


def _unknown_codes(tables: Tables) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for (table, column), vocabulary in _VOCABULARIES.items():
        if tables.has(table):
            texts = tables.text(table, column)
            strange = [code for code, value in enumerate(texts.values) if value not in vocabulary]
            count = int(np.isin(texts.codes, strange).sum()) if strange else 0
            if count:
                found[f"{table}.{column}"] = count
    return found

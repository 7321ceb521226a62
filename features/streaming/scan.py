"""One table in one pass: findings about single rows, its profile and counts, and what is put aside for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, Int64s, rfc3339
from domain.coded import Coded
from features import checks_structure, checks_time, checks_values
from features.checks_references import ORPHAN_ACCOUNT, TARGETS
from features.config import Attribute
from features.findings import Portfolio, TableSummary, finding_of
from features.gates import config as kinds
from features.gates.config import Expected
from features.gates.counting import BY_ROW, within_debts
from features.gates.keyed import owed_by, summed
from features.gates.looking import Counted
from features.gates.measuring import moments_of
from features.hashing import Numbering
from features.known import known_rows, without_later
from features.reading import LoadedTable, TypedQuery
from features.streaming.batches import Piece, pieces_of
from features.streaming.keyed import NAMES, Keyed
from features.streaming.latest import Latest
from features.streaming.listing import chosen_is_eligible
from features.streaming.merging import Merged
from features.streaming.months import Groups, MonthTally
from features.streaming.scattered import Room, Scattered, parts_of

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Asked:
    """What is looked for; ``until_us`` cuts what expectations look at, ``most_rows`` bounds those of all tables."""

    attributes: Mapping[str, Attribute]
    channels: tuple[str, ...]
    now_us: int
    expectations: kinds.ExpectationsConfig
    most_rows: int
    until_us: int | None = None


@dataclass
class Before:
    """What the tables before this one told: accounts by number, whose they are, and what each ever owed.

    ``in_accounts`` and ``in_debts`` are (accounts,) whether a table has an account, ``None`` where it is absent.
    """

    accounts: Numbering = field(default_factory=Numbering)
    in_accounts: Bools | None = None
    in_debts: Bools | None = None
    owed: Floats | None = None
    groups: Groups = field(default_factory=lambda: Groups(("",), np.zeros(0, dtype=np.int32)))


def padded(values: npt.NDArray[Any], count: int, fill: Any = 0) -> npt.NDArray[Any]:
    """At least ``count`` values, those that are missing filled."""
    if len(values) >= count:
        return values
    return np.append(values, np.full(max(count, 2 * len(values)) - len(values), fill, dtype=values.dtype))


class Scan:
    """What one pass over a table found, and what it put aside; ``skipped`` are rows that repeat another."""

    def __init__(
        self, query: TypedQuery, asked: Asked, before: Before, room: Room, *, skipped: Bools | None = None
    ) -> None:
        self.query, self.spec, self.asked, self.before = query, query.spec, asked, before
        self._skipped = skipped
        self.found = Merged()
        self.rows, self.kept, self.known = 0, 0, 0
        self._first, self._last = 0, MISSING
        latest = int(np.datetime64(asked.now_us, "us").astype("datetime64[M]").astype(np.int64))
        self.months = MonthTally(query.spec, room, latest=latest)
        self.latest = Latest(asked.now_us, asked.most_rows)
        self.counts: dict[Expected, Counted] = {}
        named = asked.expectations.tables.get(query.spec.name, {})
        self._by_row = [one for one in named.values() if type(one) in BY_ROW or isinstance(one, kinds.WithinDebts)]
        self._adds_up = any(isinstance(one, kinds.PaidWithinOwed) for one in named.values())
        self.keyed = [Keyed.of_kind(one, room) for one in dict.fromkeys(named.values()) if type(one) in NAMES]
        # Whose a debt is, is asked of debts alone.
        self.ids = Scattered(room, ("key", "row", "account") if query.spec.name == "debts" else ("key", "row"))
        self.references = {
            column: Scattered(room, ("key", "row", "account") if table == "debts" else ("key", "row"))
            for column, table in TARGETS.items()
            if column in query.given and table != query.spec.name
        }
        self.cover = Scattered(room, ("account", "moment", "amount", "row"))
        self.paying = Scattered(room, ("account", "moment"))
        self.seen = np.zeros(0, dtype=np.bool_)
        self.own = list[Int32s]()
        self.owed, self.paid = np.zeros(0), np.zeros(0)
        self.creditor = np.zeros(0, dtype=np.int32)

    def run(self, connection: Any) -> Scan:
        """Reads the table.

        Raises
        ------
        DataError : a file cannot be read at all
        """
        for piece in pieces_of(connection, self.query, rows_at_once=self.ids.room.sizes.rows_at_once):
            self._add(piece)
        self.found.add(checks_structure.emptiness(self.spec, self.rows))
        return self

    def places_in_files(self, kept: Int64s) -> Int64s:
        """Where rows lie in the files, from where they lie among those that count."""
        return kept if self._skipped is None else np.flatnonzero(~self._skipped)[kept]

    def forget(self) -> None:
        """Frees what was put aside."""
        for scattered in (self.ids, self.cover, self.paying, *self.references.values()):
            scattered.forget()
        for keyed in self.keyed:
            keyed.rows.forget()
        self.months.forget()

    @property
    def summary(self) -> TableSummary:
        """Rows, files and range of times."""
        files = self.query.files
        first, last = (rfc3339(self._first), rfc3339(self._last)) if self._last != MISSING else (None, None)
        return TableSummary(self.spec.name, files.place, len(files.paths), self.rows, first, last)

    def _add(self, piece: Piece) -> None:
        table, rows = piece.table, np.arange(self.rows, self.rows + piece.table.rows, dtype=np.int64)
        self.found.add(checks_structure.findings_by_row(table, self.asked.attributes))
        self.months.see(table)
        self._span(table)
        hashes = piece.hashes("account_id")
        account = self.before.accounts.codes_of(hashes)
        self.seen = padded(self.seen, self.before.accounts.count)
        self.seen[account[account >= 0]] = True
        self.rows += table.rows
        if self._skipped is not None:
            kept = np.flatnonzero(~self._skipped[rows[0] : rows[-1] + 1]) if len(rows) else rows
            piece, rows, account = piece.only(kept, first_row=self.kept), rows[kept], account[kept]
        self.kept += len(rows)
        self._check(piece.table, account)
        self._put_aside(piece, rows, account)
        self._look(piece, account)

    def _span(self, table: LoadedTable) -> None:
        name = next(c for c in ("occurred_at", "decided_at", "opened_at") if c in table.data)
        moments = np.asarray(table.data[name])
        known = moments[moments != MISSING]
        if len(known):
            low, high = int(known.min()), int(known.max())
            self._first = low if self._last == MISSING else min(self._first, low)
            self._last = max(self._last, high)

    def _check(self, table: LoadedTable, account: Int32s) -> None:
        """Findings about single rows; those of unknown accounts too, since accounts are known by now."""
        portfolio = Portfolio({self.spec.name: table}, self.asked.attributes, self.asked.channels, self.asked.now_us)
        for check in (*checks_time.CHECKS, *checks_values.BY_ROW):
            self.found.add(check(portfolio))
        if self.before.in_accounts is not None and self.spec.name != "accounts":
            known = padded(self.before.in_accounts, self.before.accounts.count)
            strangers = (account >= 0) & ~known[account]
            self.found.add(finding_of(table, strangers, ORPHAN_ACCOUNT, column="account_id"))

    def _put_aside(self, piece: Piece, rows: Int64s, account: Int32s) -> None:
        """Rows by their id, and by the ids that they point at."""
        parts = self.ids.room.parts
        key = piece.hashes(self.spec.id_column)
        self.ids.add(parts_of(key, parts), key, rows, *([account] if "account" in self.ids.names else []))
        for column, references in self.references.items():
            key = piece.hashes(column)
            given = np.flatnonzero(key)
            own = [account[given]] if "account" in references.names else []
            references.add(parts_of(key[given], parts), key[given], rows[given], *own)
        if self.spec.name == "accounts":
            self.own.append(account)
        if self.spec.name == "payments":
            moments, amounts = (np.asarray(piece.table.data[name]) for name in ("occurred_at", "amount"))
            self.cover.add(account.astype(np.int64) % parts, account, moments, amounts, rows)

    def _look(self, piece: Piece, account: Int32s) -> None:
        """What expectations look at: what was known of the rows by the moment that is asked for."""
        if self.asked.until_us is not None:
            kept = np.flatnonzero(known_rows(self.spec.name, piece.table.data, until_us=self.asked.until_us))
            piece, account = piece.only(kept), account[kept]
            data = without_later(self.spec.name, piece.table.data, until_us=self.asked.until_us)
            piece = replace(piece, table=replace(piece.table, data=data))
        self.known += piece.table.rows
        if self.spec.name == "accounts":
            self._creditors(piece.table, account)
        self.months.add(piece.table, account, self.before.groups)
        self.latest.add(moments_of(piece.table))
        self._count(piece, account)

    def _creditors(self, table: LoadedTable, account: Int32s) -> None:
        creditor = table.data["creditor"]
        assert isinstance(creditor, Coded)
        vocabulary = self.months.vocabularies["creditor"]
        if vocabulary.small:
            known = account >= 0
            self.creditor = padded(self.creditor, self.before.accounts.count, -1)
            self.creditor[account[known]] = vocabulary.of(creditor)[known]

    def _count(self, piece: Piece, account: Int32s) -> None:
        table = piece.table
        for expected in self._by_row:
            if isinstance(expected, kinds.WithinDebts):
                counted: Counted | None = within_debts(
                    np.asarray(table.data["amount"]), self._owed_of(account), expected
                )
            elif isinstance(expected, kinds.ChosenIsEligible):
                counted = chosen_is_eligible(table)
            else:
                counted = BY_ROW[type(expected)](table, expected)
            if counted is not None:
                self.counts[expected] = self.counts.get(expected, Counted(0, 0)) + counted
        for keyed in self.keyed:
            keyed.add(piece, account)
        if "amount" in table.data:
            self._add_up(table, account)

    def _add_up(self, table: LoadedTable, account: Int32s) -> None:
        amounts, count = np.asarray(table.data["amount"]), self.before.accounts.count
        if self.spec.name == "debts":
            self.owed = padded(self.owed, count)
            self.owed[:count] += owed_by(amounts, account, accounts=count)
        if self._adds_up:
            given = (amounts != MISSING) & (account >= 0)
            self.paid = padded(self.paid, count)
            self.paid[:count] += summed(amounts[given], account[given], accounts=count)
        if self.spec.name == "payments":
            moments = np.asarray(table.data["occurred_at"])
            self.paying.add(account.astype(np.int64) % self.paying.room.parts, account, moments)

    def _owed_of(self, account: Int32s) -> Floats:
        owed = owed_in_all(self.before, self.before.accounts.count)
        # The last place is that of rows without an account.
        return np.asarray(np.append(owed, np.nan)[account])


def owed_in_all(before: Before, count: int) -> Floats:
    """(accounts,) what each ever owed, infinite where no debts are known."""
    if before.in_debts is None or before.owed is None:
        return np.full(count, np.inf)
    return np.where(padded(before.in_debts, count)[:count], padded(before.owed, count)[:count], np.inf)

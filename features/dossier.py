"""What rules read of each account's history: rows of any table that were known at its moment, and the account itself.

Where ``features.state`` holds what nearly every decision needs, a dossier is opened table by table, only for rules that
ask for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.clock import Int64s
from domain.coded import Coded
from domain.compiled import compiled
from domain.sheets import OCCURRED, RECORDED, UNTIL, Sheet
from features import records
from features.columns import Int32s
from features.encoding import Encoded
from features.spine import Spine
from features.state import Local, local_of

Bools = npt.NDArray[np.bool_]


class Known(NamedTuple):
    """Rows of a table known at the moments of a spine, each (m,), by spine row.

    ``row`` is that of the spine, ``source`` that of the table; ``own`` says whether it is the account's, not one of
    its debtor's other accounts; ``at_us`` is when it happened.
    """

    row: Int64s
    source: Int64s
    own: Bools
    at_us: Int64s

    def take(self, keep: Bools) -> Known:
        """The rows where the mask is true."""
        return Known(self.row[keep], self.source[keep], self.own[keep], self.at_us[keep])


_NOTHING = Known(
    np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.int64)
)


@dataclass(frozen=True)
class Dossier:
    """What was known of each row of a spine; an absent table is one in which nothing happened."""

    encoded: Encoded
    spine: Spine
    _open: dict[str, Known] = field(default_factory=dict, repr=False, compare=False)

    def known(self, table: str) -> Known:
        """Rows of a table on the accounts of each row's debtor."""
        if table not in self._open:
            self._open[table] = self._known(table) if self.encoded.tables.has(table) else _NOTHING
        return self._open[table]

    def text(self, table: str, column: str) -> Coded:
        """A text column of the rows that ``known`` gives."""
        return self.encoded.tables.text(table, column).take(self.known(table).source)

    def ints(self, table: str, column: str) -> Int64s:
        """A column of cents, moments or days of the rows that ``known`` gives."""
        found: Int64s = self.encoded.tables.ints(table, column)[self.known(table).source]
        return found

    def account(self, column: str) -> Coded:
        """A text column of ``accounts`` as known at each row's moment; missing where the account or column was not."""
        tables = self.encoded.tables
        missing = Coded(np.full(len(self.spine), -1, dtype=np.int32), ())
        if not isinstance(tables.columns["accounts"].get(column), Coded):
            return missing
        found = tables.text("accounts", column).take(np.maximum(self._local.row, 0))
        return Coded(np.where(self._local.row < 0, np.int32(-1), found.codes), found.values)

    def number(self, column: str) -> npt.NDArray[np.float64]:
        """A numeric attribute of ``accounts`` as known at each row's moment; ``NaN`` where it was not."""
        column_data = self.encoded.tables.columns["accounts"].get(column)
        if column_data is None or isinstance(column_data, Coded):
            return np.full(len(self.spine), np.nan)
        values = column_data[np.maximum(self._local.row, 0)].astype(np.float64)
        # Integers have the smallest of all for no value; no attribute is anywhere near it.
        return np.where((self._local.row < 0) | (values < -1e18), np.nan, values)

    @cached_property
    def _local(self) -> Local:
        return local_of(self.encoded, self.spine)

    def _known(self, table: str) -> Known:
        encoded, spine = self.encoded, self.spine
        rows = encoded.by_account(table)
        return Known(*_seen(records.siblings(encoded), rows, encoded.sheet(table), (spine.account, spine.as_of_us)))


@compiled
def _seen(
    family: records.Siblings, rows: tuple[Int64s, Int64s], sheet: Sheet, spine: tuple[Int32s, Int64s]
) -> tuple[Int64s, Int64s, Bools, Int64s]:
    """The columns of ``Known``, from rows by account with their bounds."""
    (order, offsets), (accounts, as_of_us) = rows, spine
    most = 0
    for row in range(len(accounts)):
        debtor = family.debtor[accounts[row]]
        for place in range(family.offsets[debtor], family.offsets[debtor + 1]):
            account = family.accounts[place]
            most += offsets[account + 1] - offsets[account]
    columns, own, found = np.empty((3, most), dtype=np.int64), np.empty(most, dtype=np.bool_), 0
    for row in range(len(accounts)):
        debtor, moment = family.debtor[accounts[row]], as_of_us[row]
        for place in range(family.offsets[debtor], family.offsets[debtor + 1]):
            account = family.accounts[place]
            for position in range(offsets[account], offsets[account + 1]):
                source = order[position]
                occurred = sheet[OCCURRED, source]
                if occurred < moment and sheet[RECORDED, source] < moment <= sheet[UNTIL, source]:
                    columns[0, found], columns[1, found], columns[2, found] = row, source, occurred
                    own[found] = account == accounts[row]
                    found += 1
    return columns[0, :found], columns[1, :found], own[:found], columns[2, :found]


def spread(starts: Int64s | Int32s, ends: Int64s | Int32s) -> tuple[Int64s, Int64s]:
    """Every position of some runs, with the run that it is in.

    >>> [part.tolist() for part in spread(np.array([0, 7]), np.array([2, 8]))]
    [[0, 0, 1], [0, 1, 7]]
    """
    lengths = (ends - starts).astype(np.int64)
    run = np.repeat(np.arange(len(lengths)), lengths)
    first = np.cumsum(lengths) - lengths
    return run, np.arange(len(run)) - first[run] + starts[run].astype(np.int64)
